//! Cloudflare's machine: its clock, its randomness, its timers, its sockets and its console.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use js_sys::Object;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::{console_error, console_log, console_warn, send::SendWrapper};

use super::{
    glue,
    http::Fetch,
    pending::{self, Pending},
    sendable,
    signature::Verifier,
    socket::Socket,
};
use crate::{
    auth::public_key::PublicKey,
    host::{BoxFuture, Endpoint, Host, Http, Level, Stream},
    redis::Address,
};

/// An isolate.
pub(super) struct Worker {
    /// The queue that wakes whoever carries jobs on, if there is one.
    queue: Option<SendWrapper<Object>>,
    verifier: Verifier,
    /// Random bytes fetched ahead: a request needs 16, and each crossing costs more than the bytes.
    pool: Mutex<Vec<u8>>,
}

/// How many random bytes are fetched at a time.
const POOL: usize = 1024;

impl Worker {
    pub(super) fn new(queue: Option<Object>) -> Self {
        Self { queue: queue.map(SendWrapper::new), verifier: Verifier::default(), pool: Mutex::default() }
    }
}

impl Host for Worker {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since 1970 are whole and positive"
    )]
    fn now_ms(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    #[expect(clippy::expect_used, reason = "an isolate without randomness must not go on")]
    fn random(&self, bytes: &mut [u8]) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < bytes.len() {
            pool.resize(POOL.max(bytes.len()), 0);
            getrandom::fill(&mut pool).expect("the runtime gives randomness");
        }
        let start = pool.len().saturating_sub(bytes.len());
        for (byte, fresh) in bytes.iter_mut().zip(pool.drain(start..)) {
            *byte = fresh;
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(sendable(pending::sleep(duration)))
    }

    /// A message that is lost is no loss: the timer finds the jobs.
    fn wake(&self) -> BoxFuture<'_, ()> {
        Box::pin(sendable(async move {
            if let Some(queue) = &self.queue
                && Pending::begin(|ticket| glue::enqueue(queue, ticket)).await.is_err()
            {
                self.log(Level::Warn, r#"{"level":"warn","error":"the queue took no message"}"#);
            }
        }))
    }

    /// The runtime waits for it as long as it waits for anything after an answer: 30 s.
    fn later(&self, delay: Duration, work: BoxFuture<'static, ()>) {
        let promise = future_to_promise(async move {
            pending::sleep(delay).await;
            work.await;
            Ok(JsValue::UNDEFINED)
        });
        // Refused only where there is no request; then it goes on as long as the isolate does.
        let _ = glue::wait_until(&promise);
    }

    fn log(&self, level: Level, line: &str) {
        match level {
            Level::Debug | Level::Info => console_log!("{line}"),
            Level::Warn => console_warn!("{line}"),
            Level::Error => console_error!("{line}"),
        }
    }

    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(sendable(async move { Ok(Box::new(Socket::open(address).await?) as Box<dyn Stream>) }))
    }

    fn http(&self, endpoint: &Endpoint) -> Box<dyn Http> {
        Box::new(Fetch::new(endpoint))
    }

    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(sendable(self.verifier.is_good(key, message, signature)))
    }
}
