//! SPEC 9's event streams: `/redis/subscribe/…`, `/redis/psubscribe/…` and `/redis/monitor`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
mod support;

#[macro_use]
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "gateway/door.rs"]
mod door;

#[path = "events/callers.rs"]
mod callers;
#[path = "events/ends.rs"]
mod ends;
#[path = "events/heartbeat.rs"]
mod heartbeat;
#[path = "events/monitor.rs"]
mod monitor;
#[path = "events/stream.rs"]
mod stream;
#[path = "events/subscriptions.rs"]
mod subscriptions;
#[path = "events/upstream.rs"]
mod upstream;
