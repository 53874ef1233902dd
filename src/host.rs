//! What the application needs from the machine that it runs on.
//!
//! Cloudflare's isolate and a native process differ in their clock, their source of randomness, their timers, their
//! sockets, their console and their cryptography. [`Host`] is that difference and nothing else; it is implemented in
//! `worker/` and in [`crate::native`]. Nothing above it knows which of the two it runs on.

use std::{io, time::Duration};

use bytes::Bytes;
pub use futures_util::future::BoxFuture;
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

/// Where a client posts to, and what it says of itself there.
pub struct Endpoint {
    /// The URL.
    pub url: String,
    /// The header `Authorization`.
    pub authorization: String,
    /// The longest answer that is taken, in bytes.
    pub limit: usize,
}

/// An HTTP answer. The body of one that is not a 200 is left out.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
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

/// An HTTP client for one endpoint.
pub trait Http: Send + Sync {
    /// Posts JSON. Follows no redirect: the endpoint's token is for the endpoint alone.
    ///
    /// # Errors
    /// [`HttpError`] when there is no answer at all.
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>>;
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
