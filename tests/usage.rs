//! SPEC 10, `GET /keys/usage`: requests, commands and denials of each API key, a day, and when it was last used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "usage/counting.rs"]
mod counting;
mod hostile;
mod support;
#[path = "usage/telling.rs"]
mod telling;
#[path = "usage/writing.rs"]
mod writing;

use ridge::host::Host as _;
use serde_json::{Value, json};
use support::{Call, Gateway, NOW_MS, Redis};

const DAY_MS: u64 = 86_400_000;

/// A Redis, and a gateway in front of it that is watched.
struct Stage {
    redis: Redis,
    gateway: Gateway,
    keys: Value,
}

impl Stage {
    /// With a key `app` of these scopes.
    fn new(scopes: &[&str]) -> Self {
        Self::with_keys(json!([{"name": "app", "key": "app", "scopes": scopes}]))
    }

    /// With these keys, at [`NOW_MS`].
    fn with_keys(keys: Value) -> Self {
        let redis = Redis::own();
        let gateway = Gateway::with(&redis, &[("API_KEYS", &keys.to_string())]).at(NOW_MS);
        Self { redis, gateway, keys }
    }

    /// Another isolate.
    fn another(&self) -> Gateway {
        Gateway::with(&self.redis, &[("API_KEYS", &self.keys.to_string())]).at(self.gateway.host.now_ms())
    }

    /// What is told once everything that was counted is written. The isolate that tells it never writes that it did.
    async fn told(&self, query: &str) -> Value {
        self.gateway.finish_later().await;
        let answer = self.another().get(&format!("/keys/usage{query}")).api_key().send().await;
        assert_eq!(answer.header("x-redis-round-trips"), "1");
        answer.ok()
    }

    /// What is told of one key.
    async fn usage_of(&self, name: &str) -> Value {
        let told = self.told("").await;
        let keys = told["keys"].as_array().unwrap();
        let named: Vec<&Value> = keys.iter().filter(|key| key["name"] == name).collect();
        assert_eq!(named.len(), 1, "{name}: {told}");
        named[0].clone()
    }

    /// Requests, commands and denials of `app` in all.
    async fn counts(&self) -> [u64; 3] {
        let total = &self.usage_of("app").await["total"];
        ["requests", "commands", "denials"].map(|kind| total[kind].as_u64().unwrap())
    }

    /// A request with the key `app`.
    fn app(&self, method: &str, path: &str) -> Call {
        self.gateway.call(method, path).header("x-api-key", "app")
    }

    /// A request with the key `app` that asks nothing of Redis.
    async fn use_it(&self) {
        self.app("GET", "/whoami").send().await.ok();
    }
}
