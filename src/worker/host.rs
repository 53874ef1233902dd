//! Cloudflare's machine: its clock, its randomness, its timers, its sockets and its console.

use std::{io, time::Duration};

use worker::{Date, Delay, SecureTransport, Socket, console_error, console_log, console_warn};

use super::{sendable, signature::Verifier};
use crate::{
    auth::public_key::PublicKey,
    host::{BoxFuture, Host, Level, Stream},
    redis::Address,
};

/// An isolate.
#[derive(Default)]
pub(super) struct Worker {
    verifier: Verifier,
}

impl Host for Worker {
    fn now_ms(&self) -> u64 {
        Date::now().as_millis()
    }

    #[expect(clippy::expect_used, reason = "an isolate without randomness must not go on")]
    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the runtime gives randomness");
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(sendable(Delay::from(duration)))
    }

    fn log(&self, level: Level, line: &str) {
        match level {
            Level::Debug | Level::Info => console_log!("{line}"),
            Level::Warn => console_warn!("{line}"),
            Level::Error => console_error!("{line}"),
        }
    }

    /// Waits until the socket is open: before that, a failure would look as if something had been sent.
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(sendable(async move {
            let transport = if address.tls { SecureTransport::On } else { SecureTransport::Off };
            let socket = Socket::builder()
                .secure_transport(transport)
                .connect(address.host.as_str(), address.port)
                .map_err(io::Error::other)?;
            socket.opened().await.map_err(io::Error::other)?;
            Ok(Box::new(socket) as Box<dyn Stream>)
        }))
    }

    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(sendable(self.verifier.is_good(key, message, signature)))
    }
}
