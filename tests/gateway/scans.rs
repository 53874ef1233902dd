//! `SCAN` under an ACL: its answer holds the keys that the key may read, and no other, in every encoding.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    door::{Backend, Door, once},
    raw::raw,
};

over_both_backends![
    a_whole_scan_finds_every_own_key_and_no_other,
    the_cursor_is_the_servers,
    each_encoding_is_filtered,
    a_pipeline_and_a_transaction_are_filtered,
    options_stay_what_they_are,
    only_selectors_that_allow_scan_count,
    with_all_keys_nothing_is_filtered,
    keys_that_are_no_text_are_judged_by_their_bytes,
];

/// Own keys and others.
fn seed(door: &Door) {
    for n in 0..300 {
        door.redis.run(&["MSET", &format!("app:{n}"), "x", &format!("other:{n}"), "x"]);
    }
}

async fn scan(door: &Door, words: &[&str]) -> (String, Vec<String>) {
    let result = door.run(json!(words)).await;
    let keys = result[1].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned());
    (result[0].as_str().unwrap().to_owned(), keys.collect())
}

async fn a_whole_scan_finds_every_own_key_and_no_other(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    seed(&door);
    for count in ["1", "10", "1000"] {
        let (mut cursor, mut seen) = ("0".to_owned(), BTreeSet::new());
        loop {
            let (next, keys) = scan(&door, &["SCAN", &cursor, "COUNT", count]).await;
            seen.extend(keys);
            cursor = next;
            if cursor == "0" {
                break;
            }
        }
        let expected: BTreeSet<String> = (0..300).map(|n| format!("app:{n}")).collect();
        assert_eq!(seen, expected, "COUNT {count}");
    }
}

async fn the_cursor_is_the_servers(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    seed(&door);
    // A cursor says more while the server's table grows, so it is grown up first: each look at a key moves a part of it.
    door.redis.run_all(&vec![vec!["GET", "app:0"]; 3000]);
    let mut cursor = "0".to_owned();
    for _ in 0..20 {
        let expected = door.redis.run(&["SCAN", &cursor, "COUNT", "7"]);
        let (next, keys) = scan(&door, &["SCAN", &cursor, "COUNT", "7"]).await;
        let own: Vec<&str> = expected[1].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        let own: Vec<&str> = own.into_iter().filter(|key| key.starts_with("app:")).collect();
        assert_eq!(
            (next.as_str(), keys),
            (expected[0].as_str().unwrap(), own.into_iter().map(str::to_owned).collect())
        );
        cursor = next;
    }
    // A page may be empty and not be the last.
    let none = backend.open_with_acl("~nothing:* +@all").await;
    seed(&none);
    let (next, keys) = scan(&none, &["SCAN", "0", "COUNT", "7"]).await;
    assert!(keys.is_empty() && next != "0");
}

async fn each_encoding_is_filtered(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    door.redis.run(&["MSET", "app:ü", "x", "other", "x"]);
    let text = json!({"result": ["0", ["app:ü"]]});
    assert_eq!(once(&door.get("/redis/scan/0").send().await).ok(), text);
    assert_eq!(once(&door.post("/redis").json(json!(["SCAN", 0])).send().await).ok(), text);
    let base64 = door.get("/redis/scan/0").header("upstash-encoding", "base64").send().await;
    let encoded = BASE64_STANDARD.encode("app:ü");
    assert_eq!(once(&base64).ok(), json!({"result": [BASE64_STANDARD.encode("0"), [encoded]]}));
    let resp = door.get("/redis/scan/0").header("upstash-response-format", "resp2").send().await;
    assert_eq!(once(&resp).text(), "*2\r\n$1\r\n0\r\n*1\r\n$6\r\napp:ü\r\n");
}

async fn a_pipeline_and_a_transaction_are_filtered(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    door.redis.run(&["MSET", "app:a", "x", "other", "x"]);
    let commands = json!([
        ["GET", "app:a"],
        ["SCAN", 0],
        ["SCAN", "x"],
        ["SCAN", 0, "MATCH", "o*"],
        ["GET", "other"],
        ["GET", "app:a"]
    ]);
    let results = door.pipeline(commands).await;
    assert_eq!(results[0], json!({"result": "x"}));
    assert_eq!(results[1], json!({"result": ["0", ["app:a"]]}));
    assert_eq!(results[2], json!({"error": "ERR invalid cursor"}));
    assert_eq!(results[3], json!({"result": ["0", []]}));
    assert!(results[4]["error"].as_str().unwrap().starts_with("NOPERM"));
    assert_eq!(results[5], json!({"result": "x"}));
    let results = door.multi_exec(json!([["SET", "app:b", "OK"], ["SCAN", 0, "MATCH", "*b"], ["GET", "app:b"]])).await;
    assert_eq!(results, json!([{"result": "OK"}, {"result": ["0", ["app:b"]]}, {"result": "OK"}]));
    let encoded = door.post("/redis/multi-exec").header("upstash-encoding", "base64");
    let results =
        encoded.json(json!([["SET", "app:b", "OK"], ["SCAN", 0, "MATCH", "*b"], ["GET", "app:b"]])).send().await;
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    let expected = json!([{"result": "OK"}, {"result": [base64("0"), [base64("app:b")]]}, {"result": base64("OK")}]);
    assert_eq!(once(&results).ok(), expected);
}

async fn options_stay_what_they_are(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    door.redis.run(&["MSET", "app:a", "x", "app:b", "x", "other:a", "x"]);
    door.redis.run(&["RPUSH", "app:list", "x"]);
    assert_eq!(scan(&door, &["SCAN", "0", "MATCH", "*:a"]).await.1, ["app:a"]);
    assert_eq!(scan(&door, &["SCAN", "0", "TYPE", "list", "COUNT", "100"]).await.1, ["app:list"]);
    assert_eq!(door.fail(json!(["SCAN", "0", "NONSENSE"])).await, (400, "ERR syntax error".into()));
    // The scans of one key are of that key alone.
    door.redis.run(&["HSET", "app:h", "other", "v"]);
    assert_eq!(door.run(json!(["HSCAN", "app:h", 0])).await, json!(["0", ["other", "v"]]));
    assert!(door.fail(json!(["HSCAN", "other:h", 0])).await.1.starts_with("NOPERM"));
}

async fn only_selectors_that_allow_scan_count(backend: Backend) {
    let door = backend.open_with_acl("~app:* +scan %W~written:* (~queue:* +get) (%R~read:* +@read)").await;
    door.redis.run(&["MSET", "app:a", "x", "queue:a", "x", "read:a", "x", "written:a", "x", "other", "x"]);
    let (_, mut keys) = scan(&door, &["SCAN", "0"]).await;
    keys.sort();
    assert_eq!(keys, ["app:a", "read:a"]);
}

async fn with_all_keys_nothing_is_filtered(backend: Backend) {
    for acl in ["~* +@all", "allkeys +scan", "~app:* +get (~* +scan)"] {
        let door = backend.open_with_acl(acl).await;
        door.redis.run(&["MSET", "app:a", "x", "other", "x"]);
        let mut keys = scan(&door, &["SCAN", "0"]).await.1;
        keys.sort();
        assert_eq!(keys, ["app:a", "other"], "{acl}");
    }
}

async fn keys_that_are_no_text_are_judged_by_their_bytes(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    for key in [&b"app:\xff"[..], b"app\xff:", b"\xffapp:"] {
        raw(&door.redis, &[b"SET", key, b"x"]);
    }
    assert_eq!(door.run(json!(["SCAN", 0])).await, json!(["0", ["app:\u{fffd}"]]));
    let encoded = door.get("/redis/scan/0").header("upstash-encoding", "base64").send().await;
    assert_eq!(once(&encoded).ok()["result"][1], json!([BASE64_STANDARD.encode(b"app:\xff")]));
    let resp = door.get("/redis/scan/0").header("upstash-response-format", "resp2").send().await;
    assert_eq!(once(&resp).body.as_ref(), b"*2\r\n$1\r\n0\r\n*1\r\n$5\r\napp:\xff\r\n");
    assert_eq!(door.pipeline(json!([["SCAN", 0]])).await, json!([{"result": ["0", ["app:\u{fffd}"]]}]));
}
