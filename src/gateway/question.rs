//! What is asked: commands in the path or in the body, and how the answer is to be written.

use axum::{body::Body, extract::FromRequest};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri};

use super::path;
use crate::{
    app::App,
    edge::{
        batch::{self, Parsed, Words},
        body::BodyOf,
    },
    error::ApiError,
    host::{Held, Outgoing, Payload},
};

/// The most that a body may have: 10 MiB, as Upstash's largest plans take.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// What a request's commands are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// There is one.
    Command,
    /// They run in order.
    Pipeline,
    /// They run as one.
    Transaction,
}

impl Form {
    /// The path at the REST backend for commands in a body.
    fn path(self) -> &'static str {
        match self {
            Self::Command => "",
            Self::Pipeline => "/pipeline",
            Self::Transaction => "/multi-exec",
        }
    }
}

pub(super) const ENCODING: HeaderName = HeaderName::from_static("upstash-encoding");
pub(super) const FORMAT: HeaderName = HeaderName::from_static("upstash-response-format");
pub(super) const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// A request to the gateway, with its body.
pub struct Question {
    method: Method,
    uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) sync_token: Option<String>,
    body: Bytes,
    /// The same body, where the host still has it.
    held: Option<Held>,
}

impl FromRequest<App> for Question {
    type Rejection = ApiError;

    async fn from_request(mut request: Request<Body>, app: &App) -> Result<Self, ApiError> {
        let headers = std::mem::take(request.headers_mut());
        let sync_token = headers.get(&SYNC_TOKEN).and_then(|token| token.to_str().ok()).map(str::to_owned);
        let held = request.extensions_mut().remove::<Held>();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        if let Some(length) = headers.get(http::header::CONTENT_LENGTH) {
            request.headers_mut().insert(http::header::CONTENT_LENGTH, length.clone());
        }
        let body = match method {
            Method::POST | Method::PUT => BodyOf::<MAX_BODY>::from_request(request, app).await?.0,
            _ => Bytes::new(),
        };
        Ok(Self { method, uri, headers, sync_token, body, held })
    }
}

/// Commands, and the request that asks a REST backend for just them.
pub(super) struct Asked {
    pub(super) commands: Vec<Words>,
    /// `None` where the backend might read other words out of it than Ridge did.
    pub(super) as_it_came: Option<Outgoing>,
}

impl Question {
    /// Reads the commands.
    ///
    /// # Errors
    /// 400 for what is no command, 413 for too many words.
    pub(super) fn read(&self, form: Form) -> Result<Asked, ApiError> {
        let below = self.uri.path().strip_prefix("/redis").unwrap_or_default();
        if form == Form::Command && !matches!(below, "" | "/") {
            let path::Line { words, target } = path::read(below, self.uri.query(), &self.body);
            let as_it_came = target.map(|target| self.outgoing(target, "application/octet-stream"));
            return Ok(Asked { commands: vec![words], as_it_came });
        }
        if self.body.is_empty() {
            return Err(ApiError::bad_request("The body holds no command"));
        }
        let Parsed { commands, is_plain } = match form {
            Form::Command => batch::one(&self.body)?,
            Form::Pipeline | Form::Transaction => batch::list(&self.body)?,
        };
        let as_it_came = is_plain.then(|| self.outgoing(form.path().to_owned(), "application/json"));
        Ok(Asked { commands, as_it_came })
    }

    fn outgoing(&self, path: String, content_type: &'static str) -> Outgoing {
        let mut headers = Vec::with_capacity(4);
        for (name, header) in [("upstash-encoding", &ENCODING), ("upstash-response-format", &FORMAT)] {
            let value = self.headers.get(header).and_then(|value| value.to_str().ok());
            headers.extend(value.map(|value| (name, value.to_owned())));
        }
        headers.extend(self.sync_token.clone().map(|token| ("upstash-sync-token", token)));
        let body = match &self.held {
            _ if self.body.is_empty() => Payload::Empty,
            Some(held) => Payload::Held(held.clone()),
            None => Payload::Bytes(self.body.clone()),
        };
        if !self.body.is_empty() {
            headers.push(("content-type", content_type.to_owned()));
        }
        Outgoing { method: self.method.clone(), path, headers, body, may_hold: true }
    }
}

/// A token of our own, for a backend that has none: there every read sees what was written before it.
pub(super) fn fresh_token(app: &App) -> String {
    let mut bytes = [0; 8];
    app.host.random(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}
