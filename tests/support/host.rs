//! The native host with a clock that a test can set.

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use ridge::{
    auth::public_key::PublicKey,
    host::{BoxFuture, Endpoint, Host, Http, Level, Stream},
    native::Native,
    redis::Address,
};

/// A time for fixed clocks: 2027-01-15 08:00:00 UTC, in milliseconds.
pub const NOW_MS: u64 = 1_800_000_000_000;

/// [`Native`], with the system's clock or a fixed one.
#[derive(Default)]
pub struct TestHost {
    /// What everything but the clock is passed on to.
    pub native: Native,
    /// 0: the system's clock.
    fixed_ms: AtomicU64,
    /// How far the fixed clock goes on with each connection.
    connecting_takes_ms: AtomicU64,
    /// By how much waiting is shortened; 0: not at all.
    haste: AtomicU32,
    /// 0: the system's randomness.
    seed: AtomicU64,
    /// What was left for later. It happens when the test says so, so that no test has to wait.
    left: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl TestHost {
    /// Sets the clock, and stops it there.
    pub fn set_ms(&self, now_ms: u64) {
        self.fixed_ms.store(now_ms, Relaxed);
    }

    /// From here on each connection makes the fixed clock go on by so much.
    pub fn connecting_takes_ms(&self, duration_ms: u64) {
        self.connecting_takes_ms.store(duration_ms, Relaxed);
    }

    /// From here on whoever waits waits so many times shorter.
    pub fn hurry(&self, times: u32) {
        self.haste.store(times, Relaxed);
    }

    /// From here on what is random follows from a seed, which is not 0.
    pub fn seed_random(&self, seed: u64) {
        self.seed.store(seed, Relaxed);
    }

    /// What was left for later, without the wait.
    pub fn take_left(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The log lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.native.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host for TestHost {
    fn now_ms(&self) -> u64 {
        match self.fixed_ms.load(Relaxed) {
            0 => self.native.now_ms(),
            fixed => fixed,
        }
    }

    fn random(&self, bytes: &mut [u8]) {
        if self.seed.load(Relaxed) == 0 {
            return self.native.random(bytes);
        }
        for byte in bytes {
            // Knuth's linear congruence for 64 bits; its high bits are the good ones.
            let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let seed = self.seed.fetch_update(Relaxed, Relaxed, |seed| Some(next(seed))).unwrap_or_default();
            *byte = seed.to_be_bytes()[0];
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.native.sleep(duration / self.haste.load(Relaxed).max(1))
    }

    fn wake(&self) -> BoxFuture<'_, ()> {
        self.native.wake()
    }

    fn later(&self, _: Duration, work: BoxFuture<'static, ()>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }

    fn log(&self, level: Level, line: &str) {
        self.native.log(level, line);
    }

    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let duration_ms = self.connecting_takes_ms.load(Relaxed);
        if duration_ms > 0 {
            self.fixed_ms.fetch_add(duration_ms, Relaxed);
        }
        self.native.connect(address)
    }

    fn http(&self, endpoint: &Endpoint) -> Box<dyn Http> {
        self.native.http(endpoint)
    }

    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> BoxFuture<'a, bool> {
        self.native.verify(key, message, signature)
    }
}
