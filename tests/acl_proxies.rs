//! SPEC 10 on the two proxies: what a key's ACL denies is answered in its place, and nothing of it reaches Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis};

const KEY: &str = "a-key-with-an-acl-0123456789abcdef";
const NO_KEY: &str = "ERR NOPERM this user has no permissions to access one of the keys used as arguments";

fn no_command(name: &str) -> String {
    format!("ERR NOPERM this user has no permissions to run the '{name}' command")
}

fn gateway(redis: &Redis, acl: &str) -> Gateway {
    let entry = json!([{"name": "limited", "key": KEY, "scopes": ["proxy", "act-as"], "acl": acl}]);
    Gateway::with(redis, &[("API_KEYS", &entry.to_string()), ("WRITE_COMMANDS", "EXPIRE")])
}

async fn read(gateway: &Gateway, batch: Value) -> Value {
    gateway.post("/").header("x-api-key", KEY).json(batch).send().await.ok()
}

async fn write(gateway: &Gateway, batch: Value) -> Value {
    gateway.post("/redis/write").header("x-api-key", KEY).json(batch).send().await.ok()["results"].take()
}

#[tokio::test]
async fn reads_stay_within_the_acl() {
    let redis = Redis::own();
    for key in ["user:alice", "user:bob", "user:xano_sync"] {
        redis.run(&["HSET", key, "bio", key]);
    }
    let gateway = gateway(&redis, "~user:alice* %W~user:bob +@read -mget");
    let batch = json!([
        ["hget", "user:alice", "bio"],
        ["HGETALL", "user:bob"],
        ["MGET", "user:alice"],
        ["GET", "user:me"],
        ["EXISTS", "user:alice", "user:carol"],
        ["EXISTS", "user:alice", "user:bob"],
        ["SET", "user:alice", "x"],
        ["HGET", "user:alice"],
    ]);
    let expected = json!([
        "user:alice",
        NO_KEY,
        no_command("mget"),
        NO_KEY,
        NO_KEY,
        // Whether a key is there may be known by whoever may do anything to it, as in Redis.
        2,
        "ERR read-only mode",
        "ERR wrong number of arguments for 'hget' command",
    ]);
    assert_eq!(read(&gateway, batch).await, expected);
    // Other keys are bound by no ACL.
    assert_eq!(gateway.read(json!(["HGET", "user:bob", "bio"])).await, json!(["user:bob"]));
}

#[tokio::test]
async fn placeholders_are_resolved_before_the_acl_is_asked() {
    let redis = Redis::own();
    redis.run(&["HSET", "user:alice", "bio", "Hello"]);
    let gateway = gateway(&redis, "~user:alice* +@read +@write");
    let call =
        |path, batch: Value| gateway.post(path).header("x-api-key", KEY).header("x-act-as", "alice").json(batch).send();
    assert_eq!(call("/", json!(["HGET", "user:me", "bio"])).await.ok(), json!(["Hello"]));
    let written = call("/redis/write", json!(["HSET", "user:me:notes", "a", "1"])).await.ok();
    assert_eq!(written["results"], json!([1]));
    assert_eq!(write(&gateway, json!(["HSET", "user:me:notes", "a", "1"])).await, json!([NO_KEY]));
}

#[tokio::test]
async fn writes_stay_within_the_acl() {
    let redis = Redis::own();
    let gateway = gateway(&redis, "~user:alice* %R~user:bob* +@hash");
    let batch = json!([
        ["HSET", "user:alice:notes", "a", "1"],
        ["HSET", "user:bob:notes", "a", "1"],
        ["EXPIRE", "user:alice:notes", "1"],
        ["HDEL", "user:carol:notes", "a"],
        ["HSET", "user:alice:notes", "b"],
        ["DEL", "user:alice:notes"],
    ]);
    let expected = json!([
        1,
        NO_KEY,
        no_command("expire"),
        NO_KEY,
        "ERR wrong number of arguments for 'hset' command",
        "ERR command not allowed in write mode",
    ]);
    assert_eq!(write(&gateway, batch).await, expected);
    assert_eq!(redis.hash("user:alice:notes"), json!({"a": "1"}));
    assert_eq!(redis.run(&["TTL", "user:alice:notes"]), -1);
    assert_eq!(redis.run(&["DBSIZE"]), 1);
}

#[tokio::test]
async fn nothing_is_allowed_by_an_empty_acl() {
    let redis = Redis::own();
    let gateway = gateway(&redis, "");
    assert_eq!(read(&gateway, json!(["TYPE", "a"])).await, json!([no_command("type")]));
    assert_eq!(write(&gateway, json!(["HSET", "user:a:b", "a", "1"])).await, json!([no_command("hset")]));
}

#[tokio::test]
async fn a_wrong_rule_is_told_with_its_entry_and_no_password() {
    let redis = Redis::shared();
    for (acl, problem) in [
        ("~a +nope", "API_KEYS: entry 0: acl: rule 2 '+nope': there is no such command"),
        ("+get >hush", "API_KEYS: entry 0: acl: rule 2: is about logging in, which an API key does not do"),
    ] {
        let answer = gateway(&redis, acl).get("/whoami").send().await;
        assert_eq!(answer.code(), (500, "misconfigured".to_owned()));
        assert_eq!(answer.json()["message"], problem);
    }
}
