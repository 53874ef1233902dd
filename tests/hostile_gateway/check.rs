//! Requests of every form to a gateway, and what must become of them.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    hostile::{Manner, SECRET, Stranger, http::status, tcp::closes_at_once},
    support::{Answer, Gateway},
};

pub const KEY: &str = "a-gateway-key-for-tests-0123456789abcdef";

/// How a request goes to the backend. Over TCP there is no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As it came.
    Passed,
    /// In a pipeline of Ridge's own.
    Rewritten,
}

/// What a request does, and how often it may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Read,
    Write,
}

/// Status, and how many connections it took.
pub type Outcome = (u16, usize);

/// What becomes of a read and of a write.
pub type Verdict = [Outcome; 2];

/// The connection broke: a read is repeated once.
pub const LOST: Verdict = [(503, 2), (502, 1)];
/// The server was not reached: nothing was executed.
pub const NOT_REACHED: Verdict = [(503, 2), (503, 1)];
pub const SILENT: Verdict = [(504, 1); 2];
pub const NONSENSE: Verdict = [(502, 1); 2];
pub const UNAVAILABLE: Verdict = [(503, 1); 2];
pub const REFUSED: Verdict = [(502, 1); 2];

pub const WAYS: [Way; 2] = [Way::Passed, Way::Rewritten];

/// A request of each form.
pub fn requests(way: Way, deed: Deed) -> Vec<(&'static str, &'static str, &'static str)> {
    match (way, deed) {
        (Way::Passed, Deed::Read) => vec![
            ("GET", "/redis/get/a", ""),
            ("HEAD", "/redis/get/a", ""),
            ("POST", "/redis", "[\"GET\",\"a\"]"),
            ("POST", "/redis/pipeline", "[[\"GET\",\"a\"],[\"GET\",\"b\"]]"),
            ("POST", "/redis/multi-exec", "[[\"GET\",\"a\"],[\"GET\",\"b\"]]"),
        ],
        (Way::Passed, Deed::Write) => vec![
            ("GET", "/redis/incr/n", ""),
            ("POST", "/redis/append/n", "1"),
            ("PUT", "/redis", "[\"INCR\",\"n\"]"),
            ("POST", "/redis/pipeline", "[[\"GET\",\"a\"],[\"INCR\",\"n\"]]"),
            ("POST", "/redis/multi-exec", "[[\"INCR\",\"n\"],[\"GET\",\"a\"]]"),
        ],
        (Way::Rewritten, Deed::Read) => vec![
            ("GET", "/redis/get/a%2Fb", ""),
            ("POST", "/redis/pipeline", "[[\"GET\",1.0],[\"GET\",\"b\"]]"),
            ("POST", "/redis/multi-exec", "[[\"GET\",1.0],[\"GET\",\"b\"]]"),
        ],
        (Way::Rewritten, Deed::Write) => vec![
            ("GET", "/redis/incr/n%2F", ""),
            ("POST", "/redis/pipeline", "[[\"GET\",1.0],[\"INCR\",\"n\"]]"),
            ("POST", "/redis/multi-exec", "[[\"INCR\",\"n\"],[\"GET\",1.0]]"),
        ],
    }
}

/// A gateway with these variables beside the usual.
fn gateway(variables: &[(&str, &str)], timeout_ms: u32) -> Gateway {
    let (keys, timeout) = (json!([{"name": "tests", "key": KEY}]).to_string(), timeout_ms.to_string());
    let mut all = variables.to_vec();
    all.extend([("API_KEYS", keys.as_str()), ("REDIS_TIMEOUT_MS", &timeout), ("ENVIRONMENT", "development")]);
    Gateway::new(&all)
}

pub fn over_rest(stranger: &Stranger, timeout_ms: u32) -> Gateway {
    let url = format!("http://127.0.0.1:{}", stranger.port());
    gateway(&[("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", SECRET)], timeout_ms)
}

pub fn over_tcp(stranger: &Stranger, timeout_ms: u32) -> Gateway {
    gateway(&[("REDIS_URL", &format!("redis://127.0.0.1:{}", stranger.port()))], timeout_ms)
}

pub async fn ask(gateway: &Gateway, (method, path, body): (&str, &str, &str)) -> Answer {
    let answer = gateway.call(method, path).bearer(KEY).body(body.to_owned()).send();
    tokio::time::timeout(Duration::from_secs(60), answer).await.expect("the gateway does not hang")
}

/// Sends requests of each form, and compares what the caller is told with a verdict.
pub async fn check(name: &str, stranger: &Stranger, gateway: &Gateway, ways: &[Way], verdict: Verdict) {
    for (deed, expected) in [Deed::Read, Deed::Write].into_iter().zip(verdict) {
        for request in ways.iter().flat_map(|way| requests(*way, deed)) {
            let before = stranger.attempts();
            let answer = ask(gateway, request).await;
            let outcome = (answer.status, stranger.attempts() - before);
            assert_eq!(outcome, expected, "{name}: {request:?}: {}", answer.text());
            assert_eq!(answer.header("x-redis-round-trips"), expected.1.to_string(), "{name}: {request:?}");
            assert_eq!(!answer.header("retry-after").is_empty(), expected.0 == 503, "{name}: {request:?}: Retry-After");
            assert_is_discreet(&answer, gateway, stranger.port());
        }
    }
}

/// The `error` alone, and nothing in it or in the log of the other side's words or whereabouts.
pub fn assert_is_discreet(answer: &Answer, gateway: &Gateway, port: u16) {
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(body["error"].as_str().unwrap().starts_with("ERR "), "{body}");
    let mut told: Vec<Value> = gateway.log();
    told.iter_mut().for_each(|line| ["id", "duration_ms"].iter().for_each(|own| drop(line[own].take())));
    told.push(body);
    for line in told.iter().map(Value::to_string) {
        for secret in [SECRET, "127.0.0.1", "localhost", &port.to_string(), KEY] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

pub async fn check_rest_on(name: &str, manner: Manner, ways: &[Way], verdict: Verdict) {
    let stranger = Stranger::start(manner, closes_at_once()).await;
    check(name, &stranger, &over_rest(&stranger, 30_000), ways, verdict).await;
}

pub async fn check_rest(name: &str, manner: Manner, verdict: Verdict) {
    check_rest_on(name, manner, &WAYS, verdict).await;
}

pub async fn check_statuses(statuses: impl IntoIterator<Item = u16>, verdict: Verdict) {
    join_all(statuses.into_iter().map(async |code| check_rest(&code.to_string(), status(code), verdict).await)).await;
}

pub async fn check_tcp(name: &str, manner: Manner, verdict: Verdict) {
    let stranger = Stranger::start(manner, closes_at_once()).await;
    check(name, &stranger, &over_tcp(&stranger, 30_000), &[Way::Passed], verdict).await;
}
