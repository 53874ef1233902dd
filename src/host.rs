//! What the application needs from the machine that it runs on.
//!
//! Cloudflare's isolate and a native process differ in their clock, their source of randomness, their timers, their
//! sockets, their console and their cryptography. [`Host`] is that difference and nothing else; it is implemented in
//! `worker/` and in [`crate::native`]. Nothing above it knows which of the two it runs on.

use std::{any::Any, io, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
pub use futures_util::future::BoxFuture;
use http::Method;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{auth::public_key::PublicKey, redis::Address};

/// A byte stream to a Redis: a socket of the Worker, of the operating system, or one half of a duplex in a test.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How much a log line matters, most important last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What only someone who looks for a fault wants to see.
    Debug,
    /// One line a request.
    Info,
    /// A request that failed through no fault of its caller.
    Warn,
    /// Something that will not get better without an operator.
    Error,
}

/// Something that only the host can look into: a body that it has and the application does not need to see.
#[derive(Clone)]
pub struct Held(Arc<dyn Any + Send + Sync>);

impl Held {
    /// Something of the host's.
    pub fn new(thing: impl Any + Send + Sync) -> Self {
        Self(Arc::new(thing))
    }

    /// What it is, for the host that made it.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// Where a client posts to, and what it says of itself there.
pub struct Endpoint {
    /// The URL, without a slash at its end.
    pub url: String,
    /// The header `Authorization`.
    pub authorization: String,
    /// The longest answer that is taken into memory, in bytes.
    pub limit: usize,
}

/// An HTTP answer. The body of one that is not a 200 is left out.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// A request that is passed on.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Path and query below the endpoint's URL, beginning with `/`; or nothing.
    pub path: String,
    /// Headers beside `Authorization`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Payload,
    /// Whether the body of a 200 may stay where it is. Else it is brought into memory.
    pub may_hold: bool,
}

/// The body of a request.
#[derive(Clone)]
pub enum Payload {
    /// None.
    Empty,
    /// Bytes.
    Bytes(Bytes),
    /// The host's own: the body of the request that is being answered.
    Held(Held),
}

/// What came back.
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// The header `Upstash-Sync-Token`. Beside a body that the host holds it is the host who knows it.
    pub sync_token: Option<String>,
    /// The header `Content-Type`; the host knows that one, too.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Content,
}

/// The kinds of answers that this API has. An answer of any other kind comes from somebody else.
pub const CONTENT_TYPES: [&str; 3] = ["application/json", "application/octet-stream", "text/event-stream"];

/// Which of them a header names.
pub fn content_type(header: &str) -> Option<&'static str> {
    CONTENT_TYPES.into_iter().find(|kind| header.starts_with(kind))
}

/// The body of an answer.
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// As it comes.
    Stream(Body),
    /// With the host, and with it the headers that describe it.
    Held(Held),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// There was no connection, so nothing was sent.
    NotSent,
    /// The exchange broke, and the other side may have seen the request.
    Broken,
    /// The answer is longer than the limit.
    TooLong,
}

/// An HTTP client for one endpoint. Follows no redirect: the endpoint's token is for the endpoint alone.
pub trait Http: Send + Sync {
    /// Posts JSON to `/pipeline`.
    ///
    /// # Errors
    /// [`HttpError`] when there is no answer at all.
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>>;

    /// Passes a request on.
    ///
    /// # Errors
    /// [`HttpError`] when there is no answer at all.
    fn pass<'a>(&'a self, request: Outgoing) -> BoxFuture<'a, Result<Incoming, HttpError>>;
}

/// The machine beneath the application.
pub trait Host: Send + Sync {
    /// Milliseconds since the Unix epoch. In a Worker the clock stands still between I/O.
    fn now_ms(&self) -> u64;

    /// Fills `bytes` with cryptographically secure randomness.
    fn random(&self, bytes: &mut [u8]);

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Tells that jobs are pending, so that somebody carries them on soon. Where nobody can be told, a timer finds them.
    fn wake(&self) -> BoxFuture<'_, ()>;

    /// Does something that no caller waits for, once `delay` has passed. The machine may be gone by then, and the work
    /// with it: whoever leaves it must be able to do without.
    fn later(&self, delay: Duration, work: BoxFuture<'static, ()>);

    /// Writes one line to the console.
    fn log(&self, level: Level, line: &str);

    /// Opens a stream to a Redis, with TLS if the address asks for it.
    ///
    /// # Errors
    /// Whatever kept the stream from being opened. A host may connect lazily: then the failure shows at the first
    /// read or write.
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;

    /// A client for an endpoint.
    fn http(&self, endpoint: &Endpoint) -> Box<dyn Http>;

    /// Whether `signature` over `message` was made with the private half of `key`. A key that the host cannot use is
    /// reported as `false` and logged by the host.
    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool>;
}
