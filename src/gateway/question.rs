//! What is asked: commands in the path or in the body, and how the answer is to be written.

use axum::{body::Body, extract::FromRequest};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, Uri, header::CONTENT_LENGTH};

use super::path;
use crate::{
    app::App,
    edge::{
        batch::{self, Parsed, Values, Words},
        body,
    },
    error::ApiError,
    host::{Held, Outgoing, Payload},
    policy::command_table::lookup,
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

/// A request to the gateway. Its body is read only if somebody must look into it.
pub struct Question {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) sync_token: Option<String>,
    unread: Option<Body>,
    body: Bytes,
    /// The same body, where the host still has it.
    held: Option<Held>,
}

impl FromRequest<App> for Question {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let sync_token = parts.headers.get(&SYNC_TOKEN).and_then(|token| token.to_str().ok()).map(str::to_owned);
        let held = parts.extensions.remove::<Held>();
        let unread = matches!(parts.method, Method::POST | Method::PUT).then_some(body);
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        Ok(Self { method, uri, headers, sync_token, unread, body: Bytes::new(), held })
    }
}

/// Commands, and the request that asks a REST backend for just them.
pub(super) struct Asked {
    pub(super) commands: Vec<Words>,
    /// `None` where there is none, or it might read other words out of it than Ridge did.
    pub(super) as_it_came: Option<Outgoing>,
    /// Whether values are missing among the words, since nobody has read them.
    pub(super) is_unread: bool,
}

impl Question {
    /// Reads the commands. Where `may_pass`, the request may go on as it came: then values that nobody must look into may be
    /// left out, since the host has them.
    ///
    /// # Errors
    /// 400 for what is no command, 413 for too long a body or too many words.
    pub(super) async fn read(&mut self, form: Form, may_pass: bool) -> Result<Asked, ApiError> {
        if form == Form::Command && !matches!(self.below(), "" | "/") {
            if may_pass && let Some(asked) = self.with_value_unread() {
                return Ok(asked);
            }
            self.read_body().await?;
            let body = (!self.body.is_empty()).then(|| self.body.clone());
            let path::Line { words, target, .. } = path::read(self.below(), self.uri.query(), body);
            // A path that names no command could name a route of the backend, once that has decoded it.
            let target = target.filter(|_| may_pass && lookup(&words).is_some());
            let as_it_came = target.map(|target| self.outgoing(target, BINARY));
            return Ok(Asked { commands: vec![words], as_it_came, is_unread: false });
        }
        self.read_body().await?;
        if self.body.is_empty() {
            return Err(ApiError::bad_request("The body holds no command"));
        }
        let values = if may_pass && self.held.is_some() { Values::Leave } else { Values::Read };
        let Parsed { commands, is_plain, is_whole } = match form {
            Form::Command => batch::one(&self.body, values)?,
            Form::Pipeline | Form::Transaction => batch::list(&self.body, values)?,
        };
        let as_it_came = (is_plain && may_pass).then(|| self.outgoing(form.path().to_owned(), "application/json"));
        Ok(Asked { commands, as_it_came, is_unread: !is_whole })
    }

    /// The path below `/redis`.
    pub(super) fn below(&self) -> &str {
        self.uri.path().strip_prefix("/redis").unwrap_or_default()
    }

    async fn read_body(&mut self) -> Result<(), ApiError> {
        if let Some(body) = self.unread.take() {
            self.body = body::read(body, self.headers.get(CONTENT_LENGTH), MAX_BODY).await?;
        }
        Ok(())
    }

    /// The command in the path with a body that is a value to it, and that no rule needs to see.
    fn with_value_unread(&self) -> Option<Asked> {
        self.held.as_ref().filter(|_| self.unread.is_some())?;
        let length = self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<usize>().ok()?;
        if !(1..=MAX_BODY).contains(&length) {
            return None;
        }
        let line = path::read(self.below(), self.uri.query(), Some(Bytes::new()));
        let entry = lookup(&line.words).filter(|entry| entry.takes(line.words.len()))?;
        if !entry.takes_as_value(line.body?, line.words.len()) {
            return None;
        }
        let as_it_came = Some(self.outgoing(line.target?, BINARY));
        Some(Asked { commands: vec![line.words], as_it_came, is_unread: true })
    }

    fn outgoing(&self, path: String, content_type: &'static str) -> Outgoing {
        let mut headers = Vec::with_capacity(4);
        for (name, header) in [("upstash-encoding", &ENCODING), ("upstash-response-format", &FORMAT)] {
            let value = self.headers.get(header).and_then(|value| value.to_str().ok());
            headers.extend(value.map(|value| (name, value.to_owned())));
        }
        headers.extend(self.sync_token.clone().map(|token| ("upstash-sync-token", token)));
        let body = match &self.held {
            _ if self.body.is_empty() && self.unread.is_none() => Payload::Empty,
            Some(held) => Payload::Held(held.clone()),
            None => Payload::Bytes(self.body.clone()),
        };
        if !matches!(body, Payload::Empty) {
            headers.push(("content-type", content_type.to_owned()));
        }
        // What a command failed with stands in a body, which the answer to a HEAD has not; and not every backend knows PUT.
        let method = if matches!(self.method, Method::GET | Method::HEAD) { Method::GET } else { Method::POST };
        Outgoing { method, path, headers, body, may_hold: true }
    }
}

/// What a body is that may be anything.
const BINARY: &str = "application/octet-stream";

/// A token of our own, for a backend that has none: there every read sees what was written before it.
pub(super) fn fresh_token(app: &App) -> String {
    let mut bytes = [0; 8];
    app.host.random(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}
