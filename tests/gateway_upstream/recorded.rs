//! A gateway in front of a backend that writes down what it hears, and always says the same.

use axum::body::Body;
use http::Method;
use serde_json::json;

use crate::{
    hostile::{
        Manner, SECRET, Stranger,
        http::{answers, response},
        tcp::closes_at_once,
    },
    support::{Answer, Call, Gateway},
};

pub const KEY: &str = "a-gateway-key-for-tests-0123456789abcdef";
pub const JSON: &str = "content-type: application/json\r\n";
pub const BYTES: &str = "content-type: application/octet-stream\r\n";

/// A gateway in front of a backend that always says the same.
pub struct Setup {
    gateway: Gateway,
    pub backend: Stranger,
}

/// A request as the backend heard it.
#[derive(Debug)]
pub struct Heard {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Setup {
    pub async fn start(headers: &str, body: impl AsRef<[u8]>) -> Self {
        Self::with_acl(None, response("200 OK", headers, body)).await
    }

    pub async fn with_acl(acl: Option<&str>, response: Vec<u8>) -> Self {
        Self::behind(acl, answers(response)).await
    }

    pub async fn behind(acl: Option<&str>, manner: Manner) -> Self {
        let backend = Stranger::start(manner, closes_at_once()).await;
        let url = format!("http://127.0.0.1:{}/base/", backend.port());
        let mut key = json!([{"name": "tests", "key": KEY}]);
        if let Some(acl) = acl {
            key[0]["acl"] = acl.into();
        }
        let gateway = Gateway::new(&[
            ("UPSTASH_REDIS_REST_URL", &url),
            ("UPSTASH_REDIS_REST_TOKEN", SECRET),
            ("API_KEYS", &key.to_string()),
            ("ENVIRONMENT", "development"),
        ]);
        Self { gateway, backend }
    }

    pub fn call(&self, method: &Method, path: &str) -> Call {
        self.gateway.call(method.as_str(), path).bearer(KEY)
    }

    pub async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.call(&method, path).body(body).send().await
    }

    /// The only request that came.
    pub fn heard(&self) -> Heard {
        assert_eq!(self.backend.attempts(), 1);
        let seen = self.backend.seen();
        let end = seen.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(seen[..end].to_vec()).unwrap();
        let (line, headers) = head.split_once("\r\n").unwrap();
        let headers = headers.lines().map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Heard { line: line.to_owned(), headers: headers.collect(), body: seen[end + 4..].to_vec() }
    }
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map_or("", |(_, value)| value);
        assert!(values.next().is_none(), "{self:?}");
        value
    }

    pub fn body(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
