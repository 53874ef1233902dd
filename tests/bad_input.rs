//! SPEC 2, "Limits and bad input", and SPEC 3, the shape of errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use support::{Answer, Call, Gateway, Redis};

const MIB: usize = 1024 * 1024;
const BOTH: [&str; 2] = ["/", "/redis/write"];

/// A batch that is good on either proxy, filled up with blanks.
fn padded(path: &str, length: usize) -> String {
    let batch = if path == "/" { r#"[["GET","bad_input:none"]]"# } else { r#"[["HSET","user:padded:x","a","b"]]"# };
    format!("{batch}{}", " ".repeat(length - batch.len()))
}

fn post(gateway: &Gateway, path: &str, body: impl Into<Body>) -> Call {
    gateway.post(path).api_key().body(body)
}

/// A body in pieces of 64 KiB, without a length; counts the bytes that were taken.
fn endless(taken: &Arc<AtomicUsize>) -> Body {
    let taken = Arc::clone(taken);
    Body::from_stream(stream::repeat_with(move || {
        let piece = Bytes::from_static(&[b' '; 64 * 1024]);
        taken.fetch_add(piece.len(), Relaxed);
        Ok::<_, std::io::Error>(piece)
    }))
}

fn in_pieces(text: String) -> Body {
    let pieces: Vec<_> = text.into_bytes().chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(stream::iter(pieces))
}

fn assert_too_large(answer: &Answer) {
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.json()["error"].is_string());
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_taken_and_a_longer_one_is_not() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in BOTH {
        assert_eq!(post(&gateway, path, padded(path, MIB)).send().await.status, 200);
        assert_eq!(post(&gateway, path, in_pieces(padded(path, MIB))).send().await.status, 200);
        let announced = post(&gateway, path, padded(path, MIB)).header("content-length", MIB.to_string());
        assert_eq!(announced.send().await.status, 200);
        assert_too_large(&post(&gateway, path, padded(path, MIB + 1)).send().await);
        assert_too_large(&post(&gateway, path, in_pieces(padded(path, MIB + 1))).send().await);
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in BOTH {
        // Without a length, and with one that is a lie.
        for length in [None, Some("10")] {
            let taken = Arc::default();
            let mut call = post(&gateway, path, endless(&taken));
            if let Some(length) = length {
                call = call.header("content-length", length);
            }
            assert_too_large(&call.send().await);
            assert!(taken.load(Relaxed) <= MIB + 2 * 64 * 1024, "{taken:?} bytes were taken");
        }
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read_at_all() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for length in ["1048577", "18446744073709551615"] {
        let taken = Arc::default();
        let answer = post(&gateway, "/", endless(&taken)).header("content-length", length).send().await;
        assert_too_large(&answer);
        assert_eq!(taken.load(Relaxed), 0);
    }
}

#[tokio::test]
async fn nobody_without_credentials_has_a_body_read() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in BOTH {
        let taken = Arc::default();
        assert_eq!(gateway.post(path).body(endless(&taken)).send().await.status, 401);
        assert_eq!(gateway.post(path).user("alice").body(endless(&taken)).send().await.status, 403);
        assert_eq!(taken.load(Relaxed), 0);
        assert_eq!(gateway.post(path).body("not json").send().await.status, 401);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_bad_input() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let pieces = [Ok(Bytes::from_static(b"[[\"GET\",")), Err(std::io::Error::other("gone"))];
    let answer = post(&gateway, "/", Body::from_stream(stream::iter(pieces))).send().await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn what_is_no_list_of_commands_is_refused_with_a_reason() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in BOTH {
        for body in [
            "",
            " ",
            "hello",
            "null",
            "7",
            "\"GET\"",
            "{}",
            "{\"commands\":7}",
            "{\"commands\":[]}",
            "[]",
            " [ ] ",
            "[",
            "[[]",
            "[[\"GET\",\"a\"]",
            "[[\"GET\",\"a\"]]x",
            "[[\"GET\",\"a\"],]",
            "['GET','a']",
            "GET a",
        ] {
            let answer = post(&gateway, path, body).send().await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{path} {body:?}: {}", answer.text());
        }
        let not_text = post(&gateway, path, vec![b'[', b'"', 0xff, b'"', b']']).send().await;
        assert_eq!(not_text.status, 400);
    }
}

#[tokio::test]
async fn the_index_and_the_reason_are_named_and_nothing_is_run() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let good = r#"["HSET","user:alice","username","alice"]"#;
    for (bad, reason) in [
        ("[]", "empty"),
        ("null", "null"),
        ("7", "number"),
        ("\"GET\"", "string"),
        ("{}", "object"),
        ("[null]", "null"),
        (r#"["HSET",null]"#, "null"),
        (r#"["HSET",["a"]]"#, "array"),
        (r#"["HSET",{"a":1}]"#, "object"),
    ] {
        let answer = post(&gateway, "/redis/write", format!("[{good},{good},{bad}]")).send().await;
        let (status, sentence) = answer.refusal();
        assert_eq!(status, 400);
        assert!(sentence.contains('2') && sentence.contains(reason), "{bad}: {sentence}");
        assert_eq!(redis.run(&["DBSIZE"]), 0);
        let read = post(&gateway, "/", format!(r#"[["GET","a"],{bad}]"#)).send().await;
        assert!(read.status == 400 && read.refusal().1.contains('1'), "{bad}: {}", read.text());
    }
    let single = post(&gateway, "/redis/write", r#"["HSET","user:alice",{}]"#).send().await;
    assert!(single.refusal().1.contains('0') && single.refusal().1.contains("object"), "{}", single.text());
}

#[tokio::test]
async fn a_thousand_commands_and_no_more() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let batch = |count| vec![json!(["HSET", "user:alice:x", "a", "b"]); count];
    let answer = gateway.post("/redis/write").api_key().json(batch(1001)).send().await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(redis.run(&["DBSIZE"]), 0);
    assert_eq!(gateway.write(batch(1000)).await.as_array().unwrap().len(), 1000);
    assert_eq!(gateway.post("/").api_key().json(vec![json!(["GET", "a"]); 1001]).send().await.status, 413);
}

#[tokio::test]
async fn nesting_exhausts_no_stack() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for open in ["[", "{\"commands\":", "{\"a\":", "[[\"GET\",[", "[[\"GET\",{\"a\":", "{\"a\":[", "{\"commands\":[["] {
        let body = open.repeat(MIB / open.len());
        let answer = post(&gateway, "/", body).send().await;
        assert_eq!(answer.status, 400, "{open}");
    }
    let closed = format!("{{\"a\":{}{},\"commands\":[[\"GET\",\"none\"]]}}", "[".repeat(400_000), "]".repeat(400_000));
    assert_eq!(post(&gateway, "/", closed).send().await.ok(), json!([null]));
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405_with_allow() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in ["/nothing", "/users", "/users/", "/users/a/b", "//", "/PING", "/ping/"] {
        assert_eq!(gateway.get(path).send().await.code(), (404, "not_found".into()), "{path}");
    }
    for (method, path, allowed) in [
        ("GET", "/redis/write", &["POST"][..]),
        ("PUT", "/redis/write", &["POST"]),
        ("DELETE", "/", &["GET", "POST"]),
        ("DELETE", "/ping", &["GET", "POST"]),
        ("POST", "/health", &["GET"]),
        ("POST", "/healthz", &["GET"]),
        ("POST", "/debug-auth", &["GET"]),
        ("PUT", "/whoami", &["GET", "POST"]),
        ("BREW", "/ping", &["GET", "POST"]),
    ] {
        let answer = gateway.call(method, path).send().await;
        assert_eq!(answer.code(), (405, "method_not_allowed".into()), "{method} {path}");
        let allow: Vec<&str> =
            answer.header("allow").split(',').map(str::trim).filter(|name| *name != "HEAD").collect();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn every_error_has_one_shape() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for answer in [
        gateway.get("/nothing").send().await,
        gateway.call("PUT", "/ping").send().await,
        gateway.get("/whoami").send().await,
        gateway.get("/whoami").bearer("x").send().await,
        gateway.get("/whoami").header("x-api-key", "x").send().await,
        post(&gateway, "/", "x").send().await,
        post(&gateway, "/", padded("/", MIB + 1)).send().await,
        gateway.get("/users/nobody-at-all").user("alice").send().await,
        gateway.get("/users/a%20b").user("alice").send().await,
        Gateway::new(&[]).get("/health").send().await,
    ] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        let body = body.as_object().unwrap();
        assert!(body["error"].is_string() && body["code"].is_string(), "{body:?}");
        assert_eq!(body["requestId"], answer.header("x-request-id"));
        assert!(body.get("message").is_none_or(serde_json::Value::is_string));
        assert!(body.keys().all(|key| ["error", "code", "message", "requestId"].contains(&&**key)), "{body:?}");
    }
}
