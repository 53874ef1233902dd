//! `Upstash-Sync-Token`: a client shows the last one it got, so that it reads what it wrote.

use std::collections::HashSet;

use serde_json::json;

use crate::{
    door::{Backend, once},
    support::Answer,
};

over_both_backends![
    every_answer_brings_another_token,
    a_token_changes_nothing_else,
    a_strange_token_does_no_harm,
    a_page_may_show_it_and_see_it,
];

fn token(answer: &Answer) -> String {
    answer.header("upstash-sync-token").to_owned()
}

async fn every_answer_brings_another_token(backend: Backend) {
    let door = backend.open().await;
    let mut seen = HashSet::new();
    for n in 0..5 {
        for answer in [
            door.post("/redis").json(json!(["SET", "n", n])).send().await,
            door.get("/redis/get/n").send().await,
            door.get("/redis/get/a%2Fb").send().await,
            door.post("/redis/pipeline").json(json!([["GET", "n"], ["NOSUCH"]])).send().await,
            door.post("/redis/multi-exec").json(json!([["GET", "n"]])).send().await,
            door.get("/redis/get/n").header("upstash-encoding", "base64").send().await,
            door.get("/redis/get/n").header("upstash-response-format", "resp2").send().await,
        ] {
            assert_eq!(once(&answer).status, 200);
            let token = token(&answer);
            assert!(!token.is_empty());
            assert!(seen.insert(token.clone()), "{token} again");
        }
    }
}

async fn a_token_changes_nothing_else(backend: Backend) {
    let door = backend.open().await;
    let mut last = token(&door.post("/redis").json(json!(["SET", "n", 0])).send().await);
    for n in 1..10 {
        let write = door.post("/redis").header("upstash-sync-token", &last).json(json!(["INCR", "n"])).send().await;
        let read = door.get("/redis/get/n").header("upstash-sync-token", token(&write)).send().await;
        assert_eq!(once(&read).ok(), json!({"result": n.to_string()}));
        last = token(&read);
    }
}

async fn a_strange_token_does_no_harm(backend: Backend) {
    let door = backend.open().await;
    for strange in ["", " ", "nonsense", "a\tb", "\u{fc}", "{}", &"x".repeat(4000)] {
        let answer = door.get("/redis/ping").header("upstash-sync-token", strange).send().await;
        assert_eq!(once(&answer).ok(), json!({"result": "PONG"}), "{strange:.20}");
        let answer = door.get("/redis/echo/a%2Fb").header("upstash-sync-token", strange).send().await;
        assert_eq!(once(&answer).ok(), json!({"result": "a/b"}), "{strange:.20}");
    }
}

async fn a_page_may_show_it_and_see_it(backend: Backend) {
    let door = backend.open().await;
    for path in ["/redis", "/redis/pipeline", "/redis/multi-exec", "/redis/get/foo"] {
        let preflight = door.gateway.call("OPTIONS", path).header("origin", "https://example.com").send().await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
        let allowed = preflight.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "upstash-encoding", "upstash-response-format", "upstash-sync-token"] {
            assert!(allowed.contains(name), "{path}: {name}");
        }
    }
    let answer = door.get("/redis/ping").header("origin", "https://example.com").send().await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-expose-headers").to_ascii_lowercase().contains("upstash-sync-token"));
    let denied = door.gateway.get("/redis/ping").header("origin", "https://example.com").send().await;
    assert_eq!((denied.status, denied.header("access-control-allow-origin")), (401, "*"));
}
