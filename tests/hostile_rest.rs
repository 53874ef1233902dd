//! SPEC 3, over REST: whatever a server answers, the caller gets the right status, a count is never sent twice, the
//! token stays with the server that it is for, and the next request is fine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
mod support;

use std::time::Duration;

use futures_util::future::join_all;
use hostile::{
    Kind, LOST, NONSENSE, REFUSED, SECRET, SILENT, Stranger, UNAVAILABLE, Verdict,
    http::{
        answers, answers_and_waits, answers_for_ever, check_rest, check_rest_within, healthy, ok, response, status,
    },
    tcp::{closes_after, closes_at_once},
};
use serde_json::json;
use support::{API_KEY, Gateway, Redis};

/// Cloudflare did not reach the origin: nothing was executed, and what may be repeated is.
const NOT_REACHED: Verdict =
    [(503, "redis_unreachable", 2), (503, "redis_unreachable", 2), (503, "redis_unreachable", 1)];

fn gateway_at(url: &str) -> Gateway {
    Gateway::new(&[
        ("UPSTASH_REDIS_REST_URL", url),
        ("UPSTASH_REDIS_REST_TOKEN", SECRET),
        ("XANO_API_KEY", API_KEY),
        ("READ_COMMANDS", "BITFIELD_RO"),
    ])
}

async fn check_statuses(statuses: impl IntoIterator<Item = u16>, verdict: Verdict) {
    let _redis = Redis::shared();
    join_all(statuses.into_iter().map(async |code| check_rest(&code.to_string(), status(code), verdict).await)).await;
}

async fn check_bodies(bodies: &[&str], verdict: Verdict) {
    let _redis = Redis::shared();
    join_all(bodies.iter().map(async |body| {
        let name: String = body.chars().take(40).collect();
        check_rest(&name, ok(body), verdict).await;
    }))
    .await;
}

#[tokio::test]
async fn a_refused_token_is_502() {
    check_statuses([401, 403], REFUSED).await;
}

#[tokio::test]
async fn a_server_over_its_quota_or_closed_is_503() {
    check_statuses([429, 503], UNAVAILABLE).await;
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_unless_the_command_counts() {
    check_statuses([500, 502, 520, 527, 599], LOST).await;
}

#[tokio::test]
async fn an_origin_that_was_not_reached_is_503_and_nothing_was_executed() {
    check_statuses([521, 522, 523, 525, 526, 530], NOT_REACHED).await;
}

#[tokio::test]
async fn a_gateway_that_timed_out_is_504() {
    check_statuses([504, 524], SILENT).await;
}

#[tokio::test]
async fn any_other_status_is_502() {
    check_statuses([201, 204, 304, 400, 404, 405, 413, 418, 451], NONSENSE).await;
}

#[tokio::test]
async fn what_is_no_list_of_results_is_502() {
    check_bodies(
        &[
            "",
            "null",
            "{}",
            "[]",
            "[{}]",
            "[1]",
            "<!doctype html><title>hush-5up3rs3cr3t</title>",
            r#"{"error":"hush-5up3rs3cr3t"}"#,
            r#"{"result":1}"#,
            r#"[{"result":1}"#,
            r#"[{"result":"hush-5up3rs3cr3t"#,
            r#"[{"result":1}]]"#,
            r#"[{"result":1},{"result":2}]"#,
            r#"[{"result":{"hush-5up3rs3cr3t":1}}]"#,
            r#"[{"error":1}]"#,
            r#"[{"error":null}]"#,
            "[{\"result\":\"\u{1}\"}]",
        ],
        NONSENSE,
    )
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_text_become_replacement_characters() {
    let redis = Redis::shared();
    let latin1 = ok(b"[{\"result\":\"caf\xe9\"}]");
    let stranger = Stranger::start(latin1, healthy(redis)).await;
    let gateway = gateway_at(&format!("http://127.0.0.1:{}", stranger.port()));
    assert_eq!(gateway.read(json!(["GET", "a"])).await, json!(["caf\u{fffd}"]));
}

#[tokio::test]
async fn nesting_is_bounded() {
    let nested = |before: &str, after: &str| format!("{before}{}1{}{after}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("[{{\"x\":{}1{}}}]", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    check_bodies(
        &[
            &nested("", ""),
            &nested("[{\"result\":", "}]"),
            &nested("[{\"error\":", "}]"),
            &nested("[{\"hush-5up3rs3cr3t\":", "}]"),
            &objects,
        ],
        NONSENSE,
    )
    .await;
}

#[tokio::test]
async fn a_body_without_end_is_502_after_a_bounded_amount() {
    let _redis = Redis::shared();
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n[{\"result\":\"";
    let unannounced = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n[{\"result\":\"";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20)).into_bytes();
    check_rest("announced", answers_for_ever(announced, vec![b'a'; 1 << 20]), NONSENSE).await;
    check_rest("not announced", answers_for_ever(unannounced, vec![b'a'; 1 << 20]), NONSENSE).await;
    check_rest("chunked", answers_for_ever(chunked, chunk), NONSENSE).await;
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_unless_the_command_counts() {
    let _redis = Redis::shared();
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"result\":\"hush-5up3rs3cr3t";
    let cut_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n[{\"result\":";
    tokio::join!(
        check_rest("closes at once", closes_at_once(), LOST),
        check_rest("closes in the middle of the request", closes_after(50), LOST),
        check_rest("closes after the request", answers(""), LOST),
        check_rest("closes in the middle of the head", answers("HTTP/1.1 200 OK\r\ncontent-le"), LOST),
        check_rest("closes in the middle of the body", answers(cut), LOST),
        check_rest("closes in the middle of a chunk", answers(cut_chunk), LOST),
        check_rest("is no HTTP", answers("-ERR hush-5up3rs3cr3t\r\n"), LOST),
    );
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let _redis = Redis::shared();
    let started = tokio::time::Instant::now();
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"result\":";
    tokio::join!(
        check_rest_within("never answers", answers_and_waits(""), SILENT, 2000),
        check_rest_within("never ends its answer", answers_and_waits(half), SILENT, 2000),
    );
    // Three requests of two seconds each, and a slow machine.
    assert!(started.elapsed() < Duration::from_secs(16), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_refused_connection_is_503_and_nothing_was_sent() {
    let stranger = Stranger::start(closes_at_once(), closes_at_once()).await;
    let url = format!("http://127.0.0.1:{}", stranger.port());
    drop(stranger);
    // The port stays closed once the task that listened is gone.
    tokio::task::yield_now().await;
    let gateway = gateway_at(&url);
    for kind in Kind::ALL {
        assert_eq!(kind.send(&gateway, "alice").await.code(), (503, "redis_unreachable".into()), "{kind:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_502_and_the_other_host_hears_nothing() {
    let _redis = Redis::shared();
    let other = Stranger::start(ok(r#"[{"result":1}]"#), closes_at_once()).await;
    let location = format!("location: http://localhost:{}/pipeline\r\n", other.port());
    join_all(["301 M", "302 F", "303 S", "307 T", "308 P"].map(async |line| {
        check_rest(line, answers(response(line, &location, "")), NONSENSE).await;
    }))
    .await;
    assert_eq!(other.attempts(), 0);
}

#[tokio::test]
async fn an_error_of_redis_says_what_it_says_over_tcp() {
    let _redis = Redis::shared();
    check_bodies(&[r#"[{"error":"WRONGPASS invalid or missing auth token"}]"#, r#"[{"error":"NOAUTH x"}]"#], REFUSED)
        .await;
    check_bodies(&[r#"[{"error":"LOADING x"}]"#, r#"[{"error":"OOM x"}]"#, r#"[{"error":"READONLY x"}]"#], UNAVAILABLE)
        .await;
}

#[tokio::test]
async fn numbers_are_passed_on_digit_for_digit() {
    let results = r#"[{"result":[9007199254740993,-9223372036854775808,null,"\u0000",[[]]]}]"#;
    let stranger = Stranger::start(ok(results), closes_at_once()).await;
    let gateway = gateway_at(&format!("http://127.0.0.1:{}", stranger.port()));
    let body = json!(["BITFIELD_RO", "a", "GET", "i64", "0"]);
    let answer = gateway.post("/").api_key().json(body).send().await;
    assert_eq!(answer.text(), r#"[[9007199254740993,-9223372036854775808,null,"\u0000",[[]]]]"#);
}
