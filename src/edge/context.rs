//! What is known about one request while it is answered.

use std::{
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use axum::{
    body::Body,
    extract::{FromRequestParts, MatchedPath},
};
use http::{Request, request::Parts};

use super::REQUEST_ID;
use crate::{
    app::App,
    auth::ApiKey,
    error::ApiError,
    host::Host,
    policy::Refusal,
    redis::{Redis, Reply},
};

/// Shared by everything that answers one request.
#[derive(Clone, Default)]
pub struct Context(Arc<Inner>);

#[derive(Default)]
struct Inner {
    id: String,
    started_ms: u64,
    trips: Arc<AtomicU32>,
    caller: OnceLock<&'static str>,
    route: OnceLock<MatchedPath>,
    key: OnceLock<Arc<ApiKey>>,
    commands: AtomicU32,
    denials: AtomicU32,
}

impl Context {
    /// Takes the caller's request id if it is a proper one, else makes one.
    pub(super) fn new(request: &Request<Body>, host: &dyn Host) -> Self {
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_request_id(id));
        let id = given.map_or_else(|| fresh_id(host), str::to_owned);
        Self(Arc::new(Inner { id, started_ms: host.now_ms(), ..Inner::default() }))
    }

    /// The request id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// How many round trips to Redis were made so far.
    pub fn trips(&self) -> u32 {
        self.0.trips.load(Relaxed)
    }

    /// What kind of caller it turned out to be.
    pub fn caller(&self) -> &'static str {
        self.0.caller.get().copied().unwrap_or("anonymous")
    }

    /// The route as it is written in the route table, if one matched.
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(MatchedPath::as_str)
    }

    pub(crate) fn started_ms(&self) -> u64 {
        self.0.started_ms
    }

    /// Whose API key was presented, also if it may not do what was asked.
    pub(crate) fn key(&self) -> Option<&Arc<ApiKey>> {
        self.0.key.get()
    }

    /// How many commands the request brought.
    pub(crate) fn commands(&self) -> u32 {
        self.0.commands.load(Relaxed)
    }

    /// How many of them its caller may not run.
    pub(crate) fn denials(&self) -> u32 {
        self.0.denials.load(Relaxed)
    }

    /// What stands in the place of a command that is not run. That it was denied is noted.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Reply {
        Reply::Error(self.text_of(refusal))
    }

    /// Why a command is not run. That it was denied is noted.
    pub(crate) fn text_of(&self, refusal: Refusal) -> String {
        if matches!(refusal, Refusal::Denied(_)) {
            self.note_denials(1);
        }
        refusal.into_text()
    }

    pub(crate) fn note_caller(&self, kind: &'static str) {
        let _ = self.0.caller.set(kind);
    }

    pub(crate) fn note_key(&self, key: &Arc<ApiKey>) {
        let _ = self.0.key.set(Arc::clone(key));
    }

    /// The request brings so many commands more, whatever becomes of them.
    pub(crate) fn note_commands(&self, count: usize) {
        self.0.commands.fetch_add(u32::try_from(count).unwrap_or(u32::MAX), Relaxed);
    }

    /// Its caller may not run so many of them.
    pub(crate) fn note_denials(&self, count: usize) {
        self.0.denials.fetch_add(u32::try_from(count).unwrap_or(u32::MAX), Relaxed);
    }

    /// The context of the request that `parts` are of. Every extractor asks for it, and so the log line learns the
    /// route: a layer that only noted it would cost each request a boxed future.
    pub(crate) fn of(parts: &Parts) -> Self {
        let context = parts.extensions.get::<Self>().cloned().unwrap_or_default();
        if let Some(route) = parts.extensions.get::<MatchedPath>() {
            let _ = context.0.route.set(route.clone());
        }
        context
    }
}

/// For handlers that need nothing else of the request.
impl FromRequestParts<App> for Context {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// 1–64 characters of `A–Z a–z 0–9 . _ -`.
fn is_request_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// 128 random bits in hexadecimal.
pub(crate) fn fresh_id(host: &dyn Host) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0; 16];
    host.random(&mut bytes);
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Redis, for a handler.
impl FromRequestParts<App> for Redis {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(app.redis.for_request(Arc::clone(&Context::of(parts).0.trips)))
    }
}
