//! SPEC 3, over TCP: whatever a server does, the caller gets the right status, a count is never sent twice, and the
//! next request is fine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
mod support;

use std::time::Duration;

use futures_util::future::join_all;
use hostile::{
    Kind, LOST, NONSENSE, REFUSED, SILENT, Stranger, UNAVAILABLE, Verdict, once,
    tcp::{
        answers, answers_and_waits, answers_for_ever, check_tcp, check_tcp_within, closes_after, closes_at_once,
        executes_then_cuts, in_pieces,
    },
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;
use support::{API_KEY, Gateway, Redis, unique};

/// Checks that each of these replies, all of them followed by nothing more, gets the same verdict.
async fn check_replies(replies: &[&str], verdict: Verdict) {
    let _redis = Redis::shared();
    join_all(replies.iter().map(async |reply| {
        let name: String = reply.chars().take(40).flat_map(char::escape_debug).collect();
        check_tcp(&name, answers_and_waits(*reply), verdict).await
    }))
    .await;
}

#[tokio::test]
async fn a_refused_connection_is_503_and_nothing_was_sent() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    redis.stop();
    for kind in Kind::ALL {
        let answer = kind.send(&gateway, "alice").await;
        assert_eq!(answer.code(), (503, "redis_unreachable".into()), "{kind:?}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    redis.restart();
    for kind in Kind::ALL {
        assert_eq!(kind.send(&gateway, "alice").await.status, 200, "{kind:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_unless_the_command_counts() {
    let _redis = Redis::shared();
    tokio::join!(
        check_tcp("closes at once", closes_at_once(), LOST),
        check_tcp("closes after 1 byte", closes_after(1), LOST),
        check_tcp("closes in the middle of the request", closes_after(20), LOST),
        check_tcp("closes after the request", answers(""), LOST),
        check_tcp("closes in the middle of a length", answers("$1"), LOST),
        check_tcp("closes in the middle of a string", answers("$10\r\nhell"), LOST),
        check_tcp("closes before the end of a string", answers("$4\r\nhell\r"), LOST),
        check_tcp("closes in the middle of an array", answers("*2\r\n:1\r\n"), LOST),
        check_tcp("closes in the middle of an error", answers("-ERR no"), LOST),
    );
}

#[tokio::test]
async fn a_count_that_was_executed_and_cut_off_is_not_executed_again() {
    let redis = Redis::shared();
    let user = unique("cut");
    let stranger = Stranger::start(executes_then_cuts(3, redis.port()), closes_at_once()).await;
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let gateway = Gateway::with(&redis, &[("REDIS_URL", &url)]);
    let answer = Kind::Count.send(&gateway, &user).await;
    assert_eq!(answer.code(), (502, "outcome_unknown".into()));
    assert!(answer.json()["message"].as_str().unwrap().contains("read before you send it again"));
    assert_eq!(redis.run(&["HGET", &format!("user:{user}:visits"), "today"]), "1");
}

/// Whatever the second attempt says: the first may have made the post.
#[tokio::test]
async fn what_is_sent_twice_may_have_been_done_the_first_time() {
    let redis = Redis::shared();
    for second in ["-READONLY x\r\n", "-LOADING x\r\n", "-NOAUTH x\r\n", "nonsense\r\n", ""] {
        let stranger = Stranger::start(once(answers(""), answers(second)), closes_at_once()).await;
        let url = format!("redis://127.0.0.1:{}", stranger.port());
        let gateway = Gateway::with(&redis, &[("REDIS_URL", &url)]);
        let answer = gateway.post("/posts").user("alice").json(json!({"content": "x"})).send().await;
        assert_eq!(answer.code(), (502, "outcome_unknown".into()), "{second:?}");
        assert_eq!(stranger.attempts(), 2, "{second:?}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let _redis = Redis::shared();
    let started = tokio::time::Instant::now();
    tokio::join!(
        check_tcp_within("never answers", answers_and_waits(""), SILENT, 2000),
        check_tcp_within("never ends its answer", answers_and_waits("$10\r\nhell"), SILENT, 2000),
        check_tcp_within("answers too few", answers_and_waits("*2\r\n:1\r\n"), SILENT, 2000),
    );
    // Three requests of two seconds each, and a slow machine.
    assert!(started.elapsed() < Duration::from_secs(16), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_no_resp2_is_502() {
    check_replies(
        &[
            "hush-5up3rs3cr3t\r\n",
            "HTTP/1.1 400 Bad Request\r\nX: hush-5up3rs3cr3t\r\n\r\n",
            "\r\n",
            "\n\n",
            // No end of a line, as when the port is one for TLS.
            "\x15\x03\x01\0\x02\x02",
            "+OK\n",
            ":hush-5up3rs3cr3t\r\n",
            ":9223372036854775808\r\n",
            "$3\r\nabcde",
            "$-2\r\n",
            "*-2\r\n",
            "$99999999999999999999\r\n",
            // RESP3, which nobody asked for.
            "%1\r\n+a\r\n:1\r\n",
            "~1\r\n:1\r\n",
            "_\r\n",
            "#t\r\n",
            ",1.5\r\n",
            "(12345678901234567890\r\n",
            "=7\r\ntxt:abc\r\n",
            ">1\r\n+invalidate\r\n",
            "|1\r\n+a\r\n:1\r\n:2\r\n",
        ],
        NONSENSE,
    )
    .await;
}

#[tokio::test]
async fn what_announces_too_much_is_502_before_it_comes() {
    let nested = "*1\r\n".repeat(100_000);
    let endless_line = format!("+{}", "a".repeat(100_000));
    check_replies(&["$1099511627776\r\n", "*1099511627776\r\n", &nested, &endless_line], NONSENSE).await;
}

#[tokio::test]
async fn what_never_ends_is_502_after_a_bounded_amount() {
    let megabyte = format!("${}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20)).into_bytes();
    check_tcp("an endless array of strings", answers_for_ever(b"*16777216\r\n", megabyte), NONSENSE).await;
}

#[tokio::test]
async fn more_replies_than_commands_are_out_of_step() {
    check_replies(&["*1\r\n:1\r\n:2\r\n", "$-1\r\n$4\r\nhers\r\n", "+OK\r\n*"], NONSENSE).await;
}

#[tokio::test]
async fn a_server_that_cannot_serve_is_503() {
    check_replies(
        &[
            "-LOADING Redis is loading the dataset in memory\r\n",
            "-READONLY You can't write against a read only replica.\r\n",
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
            "-BUSY Redis is busy running a script.\r\n",
            "-MASTERDOWN Link with MASTER is down\r\n",
            "-ERR max number of clients reached\r\n",
        ],
        UNAVAILABLE,
    )
    .await;
}

#[tokio::test]
async fn a_server_that_refuses_us_is_502() {
    check_replies(
        &[
            "-NOAUTH Authentication required.\r\n",
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            "-DENIED Redis is running in protected mode\r\n",
        ],
        REFUSED,
    )
    .await;
}

#[tokio::test]
async fn a_reply_may_come_in_any_pieces() {
    let redis = Redis::shared();
    let user = unique("pieces");
    let key = format!("user:{user}:inbox");
    redis.run(&["HSET", &key, "a", "1\r\n2", "", "ü"]);
    let whole = "*4\r\n$1\r\na\r\n$4\r\n1\r\n2\r\n$0\r\n\r\n$2\r\nü\r\n";
    let cuts = (0..=whole.len()).map(Some).chain([None]);
    join_all(cuts.map(async |cut| {
        let stranger = Stranger::start(in_pieces(cut, redis.port()), closes_at_once()).await;
        let url = format!("redis://127.0.0.1:{}", stranger.port());
        let gateway = Gateway::with(&redis, &[("REDIS_URL", &url), ("REDIS_TIMEOUT_MS", "30000")]);
        assert_eq!(gateway.read(json!(["HGETALL", key])).await, json!([{"a": "1\r\n2", "": "ü"}]), "{cut:?}");
        assert_eq!(stranger.attempts(), 1, "{cut:?}");
    }))
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_it_replies_the_answer_is_json(
        reply in prop_oneof![
            vec(any::<u8>(), 0..200),
            vec("[*$:+-][0-9-]{0,5}\r\n|[a-z]{0,5}\r\n", 0..12).prop_map(|lines| lines.concat().into_bytes()),
        ],
        kind in prop::sample::select(&Kind::ALL[..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, code) = runtime.block_on(async {
            let stranger = Stranger::start(answers(reply), closes_at_once()).await;
            let url = format!("redis://127.0.0.1:{}", stranger.port());
            let gateway = Gateway::new(&[("REDIS_URL", &url), ("XANO_API_KEY", API_KEY)]);
            let answer = kind.send(&gateway, "alice").await;
            (answer.status, answer.json()["code"].as_str().map(str::to_owned))
        });
        match code.as_deref() {
            None => prop_assert_eq!(status, 200),
            Some("redis_unreachable") => prop_assert_eq!(status, 503),
            Some("redis_protocol_error") => prop_assert_eq!(status, 502),
            Some(code) => prop_assert_eq!((status, code, kind), (502, "outcome_unknown", Kind::Count)),
        }
    }
}
