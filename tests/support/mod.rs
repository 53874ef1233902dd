//! What the integration tests share: a real Redis, a gateway in front of it, and tokens.
//!
//! A test holds a [`Redis`] (shared with the other tests of its binary, or its own) and a [`Gateway`] on it, sends
//! requests with [`Gateway::get`] and the like, and looks at what they left with [`Redis::run`]. [`audit::audit`] says
//! whether all that they left fits together.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

pub mod audit;
pub mod facts;
mod gateway;
mod host;
pub mod keyspace;
mod redis;
mod served;
pub mod token;

pub use gateway::{API_KEY, Answer, Call, Gateway, JWT_SECRET};
pub use host::{NOW_MS, TestHost};
pub use redis::{Redis, RedisOptions};
pub use served::Served;

/// A username that no other test of this binary uses.
pub fn unique(stem: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}", NEXT.fetch_add(1, Relaxed))
}

/// The fields of a profile that others do not see: SPEC 6, word for word.
pub const PRIVATE_FIELDS: [&str; 14] = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "phone_number",
    "address",
    "date_of_birth",
    "birth_date",
    "ip_address",
    "device_id",
    "language",
    "email_notifications",
    "allowed_last_online",
    "allowed_mark_read",
];
