//! A request that goes to the REST backend as it came, and its answer back: nobody looks into either.

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header::CONTENT_TYPE};

use super::question::SYNC_TOKEN;
use crate::{
    error::ApiError,
    host::{Content, Incoming, Outgoing},
    redis::{
        Failure, Redis, Safety,
        upstash::{Passed, Upstash},
    },
};

/// Passes a request on.
///
/// # Errors
/// 400 with what Redis says of a command that fails, and what the backend itself fails with.
pub(super) async fn pass(
    redis: &Redis,
    rest: &Upstash,
    request: Outgoing,
    safety: Safety,
) -> Result<Response, ApiError> {
    match redis.pass(rest, request, safety).await? {
        Passed::Error(text) => Err(ApiError::Command(text)),
        Passed::Answer(answer) => respond(answer),
    }
}

fn respond(answer: Incoming) -> Result<Response, ApiError> {
    let mut response = match answer.body {
        Content::Bytes(bytes) => Body::from(bytes).into_response(),
        Content::Stream(body) => body.into_response(),
        Content::Held(held) => {
            let mut response = Response::default();
            response.extensions_mut().insert(held);
            response
        }
    };
    let headers = response.headers_mut();
    if let Some(token) = answer.sync_token {
        let token = HeaderValue::from_str(&token).map_err(|_| Failure::Nonsense("a token that is none"))?;
        headers.insert(SYNC_TOKEN, token);
    }
    if let Some(kind) = answer.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Ok(response)
}
