//! The native host: what `cargo test` runs the application on.

mod http;
mod signature;
mod tls;

use std::{
    io,
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::net::TcpStream;

use crate::{
    auth::public_key::PublicKey,
    host::{BoxFuture, Endpoint, Host, Http, Level, Stream},
    redis::Address,
};

/// The operating system's clock, sockets and console.
#[derive(Default)]
pub struct Native {
    /// Certificate authorities to trust beside the system's own, in DER.
    pub extra_authorities: Vec<Vec<u8>>,
    /// The log lines so far, instead of the console.
    pub lines: Mutex<Vec<String>>,
}

impl Host for Native {
    #[expect(clippy::disallowed_methods, reason = "this is where native time comes from")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::expect_used, reason = "a system without randomness must not go on")]
    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    /// Nobody waits here: whoever embeds the gateway calls [`crate::app::Ridge::run_jobs`].
    fn wake(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn later(&self, delay: Duration, work: BoxFuture<'static, ()>) {
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            work.await;
        });
    }

    fn log(&self, _: Level, line: &str) {
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line.to_owned());
    }

    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
            stream.set_nodelay(true)?;
            if address.tls {
                Ok(Box::new(tls::wrap(stream, &address.host, &self.extra_authorities).await?) as Box<dyn Stream>)
            } else {
                Ok(Box::new(stream) as Box<dyn Stream>)
            }
        })
    }

    fn http(&self, endpoint: &Endpoint) -> Box<dyn Http> {
        Box::new(http::Client::new(endpoint))
    }

    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(signature::is_good(key, message, signature)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };

    use super::*;

    #[tokio::test]
    async fn what_is_left_for_later_happens() {
        let done = Arc::<AtomicBool>::default();
        let end = Arc::clone(&done);
        Native::default().later(Duration::from_millis(1), Box::pin(async move { end.store(true, Relaxed) }));
        assert!(!done.load(Relaxed));
        let happens = async {
            while !done.load(Relaxed) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), happens).await.unwrap();
    }
}
