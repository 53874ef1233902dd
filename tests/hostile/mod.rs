//! A server that misbehaves until it is healed. From then on it is a real Redis.
//!
//! [`Stranger`] accepts connections and treats them in a given [`Manner`]; [`check`] sends it a read, a write that may
//! be repeated and one that may not, through one gateway, and compares what the caller is told and how often the
//! server was bothered with a [`Verdict`]. Then it heals the stranger: the same gateway must go on as if nothing had
//! been.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod http;
pub mod tcp;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use ridge::host::BoxFuture;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::support::{Answer, Gateway, Redis, unique};

/// What must never show in an answer or a log line: part of every hostile answer, of tokens and of passwords.
pub const SECRET: &str = "hush-5up3rs3cr3t";

/// What a server does with a connection.
pub type Manner = Box<dyn Fn(Connection) -> BoxFuture<'static, ()> + Send + Sync>;

/// Treats the first connection in one manner, and all others in another.
pub fn once(first: Manner, then: Manner) -> Manner {
    let is_first = AtomicBool::new(true);
    Box::new(move |connection| if is_first.swap(false, SeqCst) { first(connection) } else { then(connection) })
}

/// One accepted connection.
pub struct Connection {
    pub stream: TcpStream,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Connection {
    /// Reads until `enough` says so of what has come, or the other side closes.
    pub async fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut request = Vec::new();
        while !enough(&request) {
            match self.stream.read_buf(&mut request).await {
                Ok(0) | Err(_) => break,
                Ok(count) => self.seen.lock().unwrap().extend_from_slice(&request[request.len() - count..]),
            }
        }
        request
    }

    /// Sends, and ignores that the other side may have gone.
    pub async fn say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Waits until the other side hangs up.
    pub async fn linger(&mut self) {
        while matches!(self.stream.read(&mut [0; 1024]).await, Ok(1..)) {}
    }
}

/// A server that misbehaves until it is healed.
pub struct Stranger {
    port: u16,
    healthy: Arc<AtomicBool>,
    attempts: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Stranger {
    /// Treats connections in one manner, and once healed in another.
    pub async fn start(hostile: Manner, healthy: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_healthy, attempts, seen) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let (healed, count, record) = (Arc::clone(&is_healthy), Arc::clone(&attempts), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let connection = Connection { stream, seen: Arc::clone(&record) };
                let manner = if healed.load(SeqCst) { &healthy } else { &hostile };
                count.fetch_add(1, SeqCst);
                tokio::spawn(manner(connection));
            }
        });
        Self { port, healthy: is_healthy, attempts, seen, task }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on it is a real Redis.
    pub fn heal(&self) {
        self.healthy.store(true, SeqCst);
    }

    /// How many connections it has accepted.
    pub fn attempts(&self) -> usize {
        self.attempts.load(SeqCst)
    }

    /// All that came in.
    pub fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }

    /// How often a word came in.
    pub fn heard(&self, word: &str) -> usize {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).matches(word).count()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The kinds of requests that the retry rule tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `POST /`.
    Read,
    /// `POST /redis/write` with HSET only.
    Set,
    /// `POST /redis/write` with HINCRBY.
    Count,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Read, Self::Set, Self::Count];

    /// Sends such a request for a user. It must not hang, whatever the server does.
    pub async fn send(self, gateway: &Gateway, user: &str) -> Answer {
        let (path, command) = match self {
            Self::Read => ("/", json!(["HGET", format!("user:{user}:settings"), "theme"])),
            Self::Set => ("/redis/write", json!(["HSET", format!("user:{user}:settings"), "theme", "dark"])),
            Self::Count => ("/redis/write", json!(["HINCRBY", format!("user:{user}:visits"), "today", 1])),
        };
        let answer = gateway.post(path).api_key().json(command).send();
        tokio::time::timeout(Duration::from_secs(60), answer).await.expect("the gateway does not hang")
    }
}

/// Status, code, and how many connections it took.
pub type Outcome = (u16, &'static str, usize);

/// What becomes of a read, of a write that may be repeated, and of one that may not.
pub type Verdict = [Outcome; 3];

/// The connection broke: repeated once, unless it counts.
pub const LOST: Verdict = [(503, "redis_unreachable", 2), (503, "redis_unreachable", 2), (502, "outcome_unknown", 1)];
/// No answer.
pub const SILENT: Verdict = [(504, "redis_timeout", 1), (504, "outcome_unknown", 1), (504, "outcome_unknown", 1)];
/// No answer that can be understood.
pub const NONSENSE: Verdict =
    [(502, "redis_protocol_error", 1), (502, "redis_protocol_error", 1), (502, "outcome_unknown", 1)];
/// The server is there and cannot serve.
pub const UNAVAILABLE: Verdict = [(503, "redis_unavailable", 1); 3];
/// The server does not want us.
pub const REFUSED: Verdict = [(502, "redis_refused", 1); 3];

/// Sends a request of each kind to the stranger, which `variables` point to, then heals it and sends them again.
pub async fn check(name: &str, stranger: &Stranger, variables: &[(&str, &str)], verdict: Verdict) {
    let redis = Redis::shared();
    let gateway = Gateway::with(&redis, variables);
    let user = unique("stranger");
    for (kind, expected) in Kind::ALL.into_iter().zip(verdict) {
        let before = stranger.attempts();
        let answer = kind.send(&gateway, &user).await;
        let (status, code) = answer.code();
        assert_eq!((status, code.as_str(), stranger.attempts() - before), expected, "{name}, {kind:?}");
        assert_eq!(!answer.header("retry-after").is_empty(), status == 503, "{name}, {kind:?}: Retry-After");
        assert_is_discreet(&answer, stranger.port(), &gateway);
    }
    assert!(stranger.heard(&format!("user:{user}:visits")) <= 1, "{name}: a count was sent twice");
    stranger.heal();
    for (kind, result) in Kind::ALL.into_iter().zip([json!([null]), json!([1]), json!([1])]) {
        let answer = kind.send(&gateway, &user).await.ok();
        let results = if kind == Kind::Read { &answer } else { &answer["results"] };
        assert_eq!(*results, result, "{name}, {kind:?}, after it was healed");
    }
}

/// No upstream body, address or credential in an answer or a log line.
pub fn assert_is_discreet(answer: &Answer, port: u16, gateway: &Gateway) {
    assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
    let port = port.to_string();
    let lines = gateway.host.lines();
    for text in lines.iter().map(String::as_str).chain([answer.text()]) {
        let mut told: Value = serde_json::from_str(text).unwrap();
        for own in ["requestId", "id", "duration_ms"] {
            told[own].take();
        }
        let told = told.to_string();
        for secret in [SECRET, "127.0.0.1", "localhost", &port] {
            assert!(!told.contains(secret), "{secret} in {text}");
        }
    }
}
