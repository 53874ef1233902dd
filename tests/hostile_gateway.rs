//! SPEC 3 below `/redis`: whatever stands behind the gateway says or does, the caller is told the right status and the `error`
//! alone, a write is not sent twice, and the next request is fine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "hostile_gateway/check.rs"]
mod check;
mod hostile;
mod support;

use check::{
    Deed, KEY, LOST, NONSENSE, NOT_REACHED, REFUSED, SILENT, UNAVAILABLE, WAYS, Way, ask, assert_is_discreet, check,
    check_rest, check_rest_on, check_statuses, check_tcp, over_rest, over_tcp, requests,
};
use futures_util::future::join_all;
use hostile::{
    Manner, SECRET, Stranger,
    http::{answers, answers_and_waits, answers_for_ever, ok, response},
    tcp::{self, closes_after, closes_at_once},
};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use support::{Redis, Served};

#[tokio::test]
async fn each_status_of_a_backend_has_its_own() {
    tokio::join!(
        check_statuses([401, 403], REFUSED),
        check_statuses([429, 503], UNAVAILABLE),
        check_statuses([500, 502, 520, 527, 599], LOST),
        check_statuses([521, 522, 523, 525, 526, 530], NOT_REACHED),
        check_statuses([504, 524], SILENT),
        check_statuses([201, 204, 300, 304, 402, 404, 405, 413, 418, 451], NONSENSE),
    );
}

#[tokio::test]
async fn a_redirect_is_502_and_the_other_host_hears_nothing() {
    let other = Stranger::start(ok("{\"result\":1}"), closes_at_once()).await;
    let location = format!("location: http://localhost:{}/get/a\r\n", other.port());
    join_all(["301 M", "302 F", "303 S", "307 T", "308 P"].map(async |line| {
        check_rest(line, answers(response(line, &location, "")), NONSENSE).await;
    }))
    .await;
    assert_eq!(other.attempts(), 0);
}

#[tokio::test]
async fn a_200_of_something_else_is_502() {
    let page = format!("<!doctype html><title>{SECRET}</title>");
    join_all(
        [
            "content-type: text/html\r\n",
            "content-type: text/plain\r\n",
            "",
            "content-type: \r\n",
            "content-type: image/png\r\n",
        ]
        .map(async |kind| check_rest(kind, answers(response("200 OK", kind, &page)), NONSENSE).await),
    )
    .await;
}

#[tokio::test]
async fn a_400_without_an_error_is_502() {
    let bodies = [
        "",
        "{}",
        "[]",
        "null",
        "{\"error\":1}",
        "{\"error\":null}",
        "{\"message\":\"hush-5up3rs3cr3t\"}",
        "<html>hush-5up3rs3cr3t",
    ];
    join_all(bodies.map(async |body| {
        check_rest(body, answers(response("400 B", "content-type: application/json\r\n", body)), NONSENSE).await
    }))
    .await;
}

#[tokio::test]
async fn a_400_that_speaks_of_the_server_is_what_it_says_over_tcp() {
    let bad = |error: &str| {
        answers(response("400 B", "content-type: application/json\r\n", json!({"error": error}).to_string()))
    };
    for error in ["WRONGPASS invalid", "NOAUTH Authentication required."] {
        check_rest(error, bad(error), REFUSED).await;
    }
    for error in ["LOADING x", "OOM x", "READONLY x", "MISCONF x", "BUSY x"] {
        check_rest(error, bad(error), UNAVAILABLE).await;
    }
}

/// What is passed on is not looked into, so this is for what Ridge itself asked.
#[tokio::test]
async fn what_is_no_list_of_results_is_502() {
    let bodies = [
        "",
        "null",
        "{}",
        "[]",
        "[1]",
        "[{}]",
        "{\"result\":1}",
        "[{\"result\":{\"a\":1}}]",
        "[{\"result\":1},{\"result\":2},{\"result\":3}]",
        "[{\"result\":\"hush-5up3rs3cr3t\"",
        "hush-5up3rs3cr3t",
    ];
    join_all(bodies.map(async |body| check_rest_on(body, ok(body), &[Way::Rewritten], NONSENSE).await)).await;
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_unless_it_writes() {
    let cut = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"error\":\"hush-5up3rs3cr3t";
    tokio::join!(
        check_rest("closes at once", closes_at_once(), LOST),
        check_rest("closes in the middle of the request", closes_after(30), LOST),
        check_rest("closes after the request", answers(""), LOST),
        check_rest("closes in the middle of the head", answers("HTTP/1.1 200 OK\r\ncontent-le"), LOST),
        check_rest("closes in the middle of an error", answers(cut), LOST),
        check_rest("is no HTTP", answers("-ERR hush-5up3rs3cr3t\r\n"), LOST),
    );
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[{\"result\":\"hush-5up3rs3cr3t";
    check_rest_on("closes in the middle of the body", answers(cut), &[Way::Rewritten], LOST).await;
}

/// The status is on its way before the body has come: nothing else can be done than to cut the answer off, too.
#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_made_whole() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"result\":\"x\"}";
    let cut_chunk = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\ne\r\n{\"result\":\"x\"}\r\n";
    for manner in [answers(cut), answers(cut_chunk)] {
        let stranger = Stranger::start(manner, closes_at_once()).await;
        for request in [Request::get("/redis/get/a"), Request::get("/redis/incr/n")] {
            let request =
                request.header("authorization", format!("Bearer {KEY}")).body(axum::body::Body::empty()).unwrap();
            let response = over_rest(&stranger, 30_000).serve(request).await;
            assert_eq!(response.status(), 200);
            assert!(response.into_body().collect().await.is_err());
        }
        assert_eq!(stranger.attempts(), 2);
    }
}

/// And over HTTP a client sees that it is cut off.
#[tokio::test]
async fn a_client_sees_that_an_answer_is_cut_off() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"result\":\"x\"}";
    let stranger = Stranger::start(answers(cut), closes_at_once()).await;
    let served = Served::start(over_rest(&stranger, 30_000)).await;
    let request =
        reqwest::Client::new().get(format!("{}/get/a", served.url())).header("authorization", format!("Bearer {KEY}"));
    let whole = match request.send().await {
        Ok(response) => response.bytes().await.is_ok(),
        Err(_) => false,
    };
    assert!(!whole);
}

#[tokio::test]
async fn an_answer_without_end_is_502_where_ridge_reads_it() {
    let announced =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n[{\"result\":\"";
    let error = "HTTP/1.1 400 Bad Request\r\ncontent-length: 1099511627776\r\n\r\n{\"error\":\"";
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20)).into_bytes();
    check_rest_on("announced", answers_for_ever(announced, vec![b'a'; 1 << 20]), &[Way::Rewritten], NONSENSE).await;
    check_rest_on("chunked", answers_for_ever(chunked, chunk), &[Way::Rewritten], NONSENSE).await;
    check_rest_on("an error", answers_for_ever(error, vec![b'a'; 1 << 20]), &[Way::Passed], NONSENSE).await;
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let half = "HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\n{\"error\":";
    let rest = async |name: &str, manner: Manner| {
        let stranger = Stranger::start(manner, closes_at_once()).await;
        check(name, &stranger, &over_rest(&stranger, 500), &WAYS, SILENT).await;
    };
    let tcp = async |name: &str, manner: Manner| {
        let stranger = Stranger::start(manner, closes_at_once()).await;
        check(name, &stranger, &over_tcp(&stranger, 500), &[Way::Passed], SILENT).await;
    };
    tokio::join!(
        rest("never answers", answers_and_waits("")),
        rest("never ends its answer", answers_and_waits(half)),
        tcp("never answers", tcp::answers_and_waits("")),
        tcp("never ends its answer", tcp::answers_and_waits("$100\r\nx")),
    );
}

#[tokio::test]
async fn over_tcp_a_broken_connection_is_tried_again_unless_it_writes() {
    tokio::join!(
        check_tcp("closes at once", closes_at_once(), LOST),
        check_tcp("closes in the middle of the request", closes_after(5), LOST),
        check_tcp("closes after the request", tcp::answers(""), LOST),
        check_tcp("closes in the middle of the reply", tcp::answers("$16\r\nhush-5up3"), LOST),
    );
}

#[tokio::test]
async fn over_tcp_what_is_no_reply_is_502() {
    for nonsense in [
        "hush-5up3rs3cr3t\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "$-2\r\n",
        "*99999999999\r\n",
        ":x\r\n",
        "$1\r\nxyz",
    ] {
        check_tcp(nonsense, tcp::answers(nonsense), NONSENSE).await;
    }
    let replies = "+OK\r\n".repeat(20);
    check_tcp("more replies than commands", tcp::answers(replies), NONSENSE).await;
}

#[tokio::test]
async fn over_tcp_a_server_that_cannot_serve_is_503() {
    for error in ["LOADING x", "MISCONF x", "MASTERDOWN x", "BUSY x"] {
        // As many as there are commands at most, and it stays for more.
        let manner = tcp::answers_and_waits(format!("-{error}\r\n"));
        let stranger = Stranger::start(manner, closes_at_once()).await;
        let gateway = over_tcp(&stranger, 30_000);
        for request in [
            ("GET", "/redis/get/a", ""),
            ("GET", "/redis/incr/n", ""),
            ("POST", "/redis/pipeline", "[[\"INCR\",\"n\"]]"),
        ] {
            let answer = ask(&gateway, request).await;
            assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{error}: {request:?}");
            assert_is_discreet(&answer, &gateway, stranger.port());
        }
    }
}

/// Where a key is instead stands in the error, and is not told.
#[tokio::test]
async fn over_tcp_a_node_of_a_cluster_is_502() {
    let list = "[[\"SET\",\"a\",\"b\"],[\"GET\",\"b\"]]";
    for error in ["-MOVED 12182 hush-5up3rs3cr3t:6379\r\n", "-ASK 12182 hush-5up3rs3cr3t:6379\r\n"] {
        for (request, replies) in [
            (("GET", "/redis/get/a", ""), error.to_owned()),
            (("POST", "/redis/pipeline", list), format!("{error}{error}")),
            (("POST", "/redis/multi-exec", list), format!("+OK\r\n+QUEUED\r\n{error}-EXECABORT x\r\n")),
        ] {
            let stranger = Stranger::start(tcp::answers_and_waits(replies), closes_at_once()).await;
            let gateway = over_tcp(&stranger, 30_000);
            let answer = ask(&gateway, request).await;
            assert_eq!(answer.status, 502, "{error:?} {request:?}: {}", answer.text());
            assert_is_discreet(&answer, &gateway, stranger.port());
        }
        // Beside what was carried out it stays in its place.
        let stranger = Stranger::start(tcp::answers_and_waits(format!("+OK\r\n{error}")), closes_at_once()).await;
        let answer = ask(&over_tcp(&stranger, 30_000), ("POST", "/redis/pipeline", list)).await;
        let elsewhere = json!({"error": "ERR The key is on another node of a cluster"});
        assert_eq!(answer.ok(), json!([{"result": "OK"}, elsewhere]));
    }
}

/// A script may say what it likes.
#[tokio::test]
async fn what_only_looks_like_an_error_of_a_cluster_stays_in_its_place() {
    let texts = ["ASK me later", "MOVED house", "REDIRECT x", "MOVED 1 x", "ASK x 10.0.0.1:1"];
    for text in texts {
        let stranger = Stranger::start(tcp::answers_and_waits(format!("-{text}\r\n")), closes_at_once()).await;
        let answer = ask(&over_tcp(&stranger, 30_000), ("GET", "/redis/get/a", "")).await;
        assert_eq!(answer.refusal(), (400, text.into()));
    }
}

/// A write that Redis carried out, and whose reply was cut off, is not sent again.
#[tokio::test]
async fn a_write_that_was_carried_out_is_carried_out_once() {
    let redis = Redis::own();
    let stranger = Stranger::start(tcp::executes_then_cuts(1, redis.port()), tcp::healthy(redis.port())).await;
    let gateway = over_tcp(&stranger, 30_000);
    let answer = ask(&gateway, ("GET", "/redis/incr/n", "")).await;
    assert_eq!(answer.refusal(), (502, "ERR A write was cut off, its outcome is unknown".into()));
    assert_eq!(redis.run(&["GET", "n"]), "1");
    stranger.heal();
    let again = ask(&gateway, ("GET", "/redis/incr/n", "")).await;
    assert_eq!(again.ok(), json!({"result": 2}));
}

#[tokio::test]
async fn a_refused_connection_is_503_and_nothing_was_sent() {
    let stranger = Stranger::start(closes_at_once(), closes_at_once()).await;
    let (rest, tcp, port) = (over_rest(&stranger, 30_000), over_tcp(&stranger, 30_000), stranger.port());
    drop(stranger);
    // The port stays closed once the task that listened is gone.
    tokio::task::yield_now().await;
    for gateway in [rest, tcp] {
        for request in WAYS.iter().flat_map(|way| [requests(*way, Deed::Read), requests(*way, Deed::Write)].concat()) {
            let answer = ask(&gateway, request).await;
            assert_eq!(answer.refusal(), (503, "ERR Redis is unreachable".into()), "{request:?}");
            assert_is_discreet(&answer, &gateway, port);
        }
    }
}

/// What a caller is told of an error that a transaction's own words meet.
#[tokio::test]
async fn a_transaction_whose_replies_are_not_in_step_is_502() {
    for replies in [
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n:1\r\n",
    ] {
        let stranger = Stranger::start(tcp::answers_and_waits(replies), closes_at_once()).await;
        let gateway = over_tcp(&stranger, 30_000);
        let answer = ask(&gateway, ("POST", "/redis/multi-exec", "[[\"INCR\",\"n\"],[\"GET\",\"a\"]]")).await;
        assert_eq!(answer.status, 502, "{replies:?}: {}", answer.text());
        assert_is_discreet(&answer, &gateway, stranger.port());
    }
}
