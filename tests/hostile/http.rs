//! Manners of a server that is spoken to in Upstash's REST API.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Manner, SECRET, Stranger, Verdict, check};
use crate::support::Redis;

/// A whole request: the head, and as much body as it announces.
fn is_whole(request: &[u8]) -> bool {
    body_of(request).is_some()
}

fn body_of(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = request.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.get(..length.unwrap_or(0))
}

/// Is an Upstash in front of a real Redis, as far as `POST /pipeline` goes.
pub fn healthy(redis: Arc<Redis>) -> Manner {
    Box::new(move |mut connection| {
        let redis = Arc::clone(&redis);
        Box::pin(async move {
            let request = connection.read_until(is_whole).await;
            let Some(body) = body_of(&request) else { return };
            let commands: Vec<Vec<String>> = serde_json::from_slice(body).unwrap();
            let results = tokio::task::spawn_blocking(move || {
                let run = |words: Vec<String>| {
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    redis
                        .try_run(&words)
                        .map_or_else(|error| json!({"error": error}), |result| json!({"result": result}))
                };
                commands.into_iter().map(run).collect::<Value>()
            });
            connection.say(&response("200 OK", "", results.await.unwrap().to_string())).await;
        })
    })
}

/// A response that ends the connection.
pub fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Answers this status with a body that is nobody's business.
pub fn status(status: u16) -> Manner {
    answers(response(&format!("{status} {SECRET}"), "", format!("{{\"error\":\"{SECRET}\"}}")))
}

/// Answers 200 with this body.
pub fn ok(body: impl AsRef<[u8]>) -> Manner {
    answers(response("200 OK", "content-type: application/json\r\n", body))
}

/// Reads a request, sends these bytes, and hangs up.
pub fn answers(bytes: impl Into<Vec<u8>>) -> Manner {
    let bytes = bytes.into();
    Box::new(move |mut connection| {
        let bytes = bytes.clone();
        Box::pin(async move {
            connection.read_until(is_whole).await;
            connection.say(&bytes).await;
        })
    })
}

/// Reads a request, sends these bytes, and waits for ever.
pub fn answers_and_waits(bytes: impl Into<Vec<u8>>) -> Manner {
    let bytes = bytes.into();
    Box::new(move |mut connection| {
        let bytes = bytes.clone();
        Box::pin(async move {
            connection.read_until(is_whole).await;
            connection.say(&bytes).await;
            connection.linger().await;
        })
    })
}

/// Reads a request, sends these bytes, and then those until the other side hangs up.
pub fn answers_for_ever(head: &'static str, again: Vec<u8>) -> Manner {
    Box::new(move |mut connection| {
        let again = again.clone();
        Box::pin(async move {
            connection.read_until(is_whole).await;
            connection.say(head.as_bytes()).await;
            while tokio::io::AsyncWriteExt::write_all(&mut connection.stream, &again).await.is_ok() {}
        })
    })
}

/// Checks a gateway in front of a server with these manners.
pub async fn check_rest(name: &str, manner: Manner, verdict: Verdict) {
    check_rest_within(name, manner, verdict, 30_000).await;
}

/// The same, with a timeout in milliseconds.
pub async fn check_rest_within(name: &str, manner: Manner, verdict: Verdict, timeout_ms: u32) {
    let stranger = Stranger::start(manner, healthy(Redis::shared())).await;
    let (url, timeout) = (format!("http://127.0.0.1:{}", stranger.port()), timeout_ms.to_string());
    let variables = [
        ("REDIS_URL", ""),
        ("UPSTASH_REDIS_REST_URL", &url),
        ("UPSTASH_REDIS_REST_TOKEN", SECRET),
        ("REDIS_TIMEOUT_MS", &timeout),
    ];
    check(name, &stranger, &variables, verdict).await;
    assert!(stranger.heard(&format!("authorization: Bearer {SECRET}")) > 0, "{name}: the token was not sent");
}
