//! What every answer has in common: a request id, CORS, the shape of an error, a log line, its place in the usage.
//!
//! [`serve`] is the one way in for both hosts: a request goes through here to the router and back.

pub mod batch;
pub mod body;
mod context;
pub mod cors;
pub mod fields;
mod json;
pub mod log;
mod path;
mod query;
pub mod routing;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
pub use context::Context;
pub(crate) use context::fresh_id;
use http::{HeaderName, HeaderValue, Method, Request, header::CACHE_CONTROL};
pub use json::Json;
pub use log::LogLevel;
pub use path::Segment;
pub use query::Query;
use tower_service::Service as _;

use crate::{app::Ridge, config::Environment, error::ApiError, gateway, usage};

/// The header of the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ROUND_TRIPS: HeaderName = HeaderName::from_static("x-redis-round-trips");

/// Why an answer is what it is, for the log alone: an answer that carries one keeps its own body.
#[derive(Clone)]
pub struct Cause(pub ApiError);

/// Answers one request.
pub async fn serve(ridge: &Ridge, mut request: Request<Body>) -> Response {
    let context = Context::new(&request, ridge.host.as_ref());
    let is_gateway = gateway::is_below(request.uri().path());
    let origin = request.headers().get(http::header::ORIGIN).cloned();
    let method = request.method().clone();
    let response = match &ridge.app {
        _ if method == Method::OPTIONS => ridge.cors().preflight(request.headers()),
        Ok(app) => {
            request.extensions_mut().insert(context.clone());
            let mut router = app.router.clone();
            let Ok(response) = router.call(request).await;
            response
        }
        Err(problem) => answer_misconfigured(request.uri().path(), problem),
    };
    finish(ridge, &context, &method, origin.as_ref(), is_gateway, response)
}

/// Answers a request that is too broken to be routed.
pub fn refuse(ridge: &Ridge, error: ApiError) -> Response {
    let context = Context::new(&Request::default(), ridge.host.as_ref());
    finish(ridge, &context, &Method::GET, None, false, error.into_response())
}

fn finish(
    ridge: &Ridge,
    context: &Context,
    method: &Method,
    origin: Option<&HeaderValue>,
    is_gateway: bool,
    mut response: Response,
) -> Response {
    let mut error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        let rendered = if is_gateway { error.render_for_gateway() } else { error.render(context.id()) };
        response = keep_headers(response, rendered);
    }
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        error = Some(cause);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(context.id()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ridge.cors().allow(origin, headers);
    if ridge.environment() == Environment::Development {
        headers.insert(ROUND_TRIPS, HeaderValue::from(context.trips()));
    }
    if let Ok(ready) = &ridge.app {
        usage::note(&ready.app, context, error.as_ref());
    }
    log::request(ridge, context, method, response.status(), error.as_ref());
    response
}

/// `Allow` and the like, which the router put on the response that an error replaces.
fn keep_headers(old: Response, mut new: Response) -> Response {
    for (name, value) in old.headers() {
        if !new.headers().contains_key(name) && name != http::header::CONTENT_LENGTH {
            new.headers_mut().insert(name, value.clone());
        }
    }
    new
}

/// Without a configuration the Worker still says that it lives, and what is wrong with it.
fn answer_misconfigured(path: &str, problem: &crate::config::ConfigError) -> Response {
    match path {
        "/ping" => crate::service::PONG.into_response(),
        "/healthz" => crate::service::ALIVE.into_response(),
        _ => ApiError::Misconfigured(problem.to_string()).into_response(),
    }
}
