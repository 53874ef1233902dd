//! SPEC 3, over TCP: a server that refuses our credentials or our database executes nothing of ours. Not as another
//! user, not in another database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis};

fn url(redis: &Redis, login: &str, path: &str) -> String {
    format!("redis://{login}127.0.0.1:{}{path}", redis.port())
}

fn gateway(redis: &Redis, login: &str, path: &str) -> Gateway {
    Gateway::with(redis, &[("REDIS_URL", &url(redis, login, path))])
}

/// Reads and writes are 502, the first as well as later ones.
async fn assert_refused(gateway: &Gateway) {
    for _ in 0..2 {
        let command = json!(["HSET", "user:alice:x", "a", "1"]);
        let write = gateway.post("/redis/write").api_key().json(command).send().await;
        assert_eq!(write.code(), (502, "redis_refused".into()));
        // A server that waits for a login answers long commands in another way than short ones.
        for command in [json!(["GET", "a"]), json!(["MGET", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"])] {
            let read = gateway.post("/").api_key().json(command).send().await;
            assert_eq!(read.code(), (502, "redis_refused".into()));
        }
        let health = gateway.get("/health").send().await;
        assert_eq!((health.status, &health.json()["status"]), (503, &json!("unhealthy")));
    }
}

/// Not one key in any database, and not one of our commands.
fn assert_nothing_happened(redis: &Redis) {
    assert_eq!(redis.run(&["INFO", "keyspace"]).as_str().unwrap().trim(), "# Keyspace");
    let stats = redis.run(&["INFO", "commandstats"]);
    for line in stats.as_str().unwrap().lines().filter(|line| line.starts_with("cmdstat_")) {
        let ours = ["eval", "evalsha", "get", "mget", "ping", "dbsize"]
            .iter()
            .any(|name| line.starts_with(&format!("cmdstat_{name}:")));
        assert!(!ours || line.contains("calls=0,"), "{line}");
    }
}

#[tokio::test]
async fn a_wrong_password_executes_nothing() {
    let redis = Redis::options().password("right").start();
    for login in ["", ":wrong@", "default:wrong@", "nobody:right@", "default@"] {
        assert_refused(&gateway(&redis, login, "")).await;
        assert_nothing_happened(&redis);
    }
}

#[tokio::test]
async fn a_wrong_password_executes_nothing_where_none_is_needed() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "ridge", "on", ">right", "~*", "+@all"]);
    redis.run(&["ACL", "SETUSER", "off", "off", ">right", "~*", "+@all"]);
    for login in [":any@", "ridge:wrong@", "ridge@", "nobody:right@", "off:right@"] {
        assert_refused(&gateway(&redis, login, "")).await;
        assert_refused(&gateway(&redis, login, "/3")).await;
        assert_nothing_happened(&redis);
    }
}

#[tokio::test]
async fn a_database_out_of_range_executes_nothing_in_another() {
    let redis = Redis::own();
    assert_refused(&gateway(&redis, "", "/16")).await;
    assert_refused(&gateway(&redis, "", "/4294967295")).await;
    assert_nothing_happened(&redis);
}

#[tokio::test]
async fn a_user_who_may_not_run_scripts_writes_nothing() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "reader", "on", ">right", "~*", "+@read", "+select"]);
    let gateway = gateway(&redis, "reader:right@", "/1");
    let write = gateway.post("/redis/write").api_key().json(json!(["HSET", "user:alice:x", "a", "1"])).send().await;
    assert_eq!(write.code(), (502, "redis_refused".into()));
    assert_eq!(gateway.read(json!(["GET", "a"])).await, json!([null]));
    assert_nothing_happened_to_keys(&redis);
}

fn assert_nothing_happened_to_keys(redis: &Redis) {
    assert_eq!(redis.run(&["INFO", "keyspace"]).as_str().unwrap().trim(), "# Keyspace");
}

#[tokio::test]
async fn a_user_without_password_is_still_that_user() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "guest", "on", "nopass", "~open:*", "+@read"]);
    let gateway = gateway(&redis, "guest@", "");
    let answers = gateway.read(json!([["GET", "open:a"], ["GET", "a"]])).await;
    assert_eq!(answers[0], json!(null));
    assert!(answers[1].as_str().unwrap().starts_with("ERR NOPERM"), "{answers}");
}

fn visit() -> Value {
    json!(["HINCRBY", "user:alice:x", "visits", 1])
}

/// A gateway whose login has worked, for one visit.
async fn logged_in(path: &str) -> (Redis, Gateway) {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "ridge", "on", ">first", "~*", "+@all"]);
    let gateway = gateway(&redis, "ridge:first@", path);
    assert_eq!(gateway.write(visit()).await, json!([1]));
    (redis, gateway)
}

#[tokio::test]
async fn a_password_that_changes_later_is_noticed() {
    let (redis, gateway) = logged_in("/2").await;
    // The default user needs no password: the first connection that goes without asking still writes as that one.
    redis.run(&["ACL", "SETUSER", "ridge", "resetpass", ">second"]);
    let first = gateway.post("/redis/write").api_key().json(visit()).send().await;
    assert_eq!(first.code(), (502, "outcome_unknown".into()));
    let in_second = "redis.call('SELECT', 2) return redis.call('HGET', 'user:alice:x', 'visits')";
    assert_eq!(redis.run(&["EVAL", in_second, "0"]), "2");
    redis.run(&["FLUSHALL"]);
    assert_refused(&gateway).await;
    assert_nothing_happened_to_keys(&redis);

    redis.run(&["ACL", "SETUSER", "ridge", ">first"]);
    assert_eq!(gateway.write(visit()).await, json!([1]));
}

#[tokio::test]
async fn where_nobody_else_may_write_a_refusal_is_all_there_is() {
    let (redis, gateway) = logged_in("").await;
    redis.run(&["ACL", "SETUSER", "default", "-@write", "-@scripting"]);
    redis.run(&["ACL", "SETUSER", "ridge", "resetpass", ">second"]);
    let first = gateway.post("/redis/write").api_key().json(visit()).send().await;
    assert_eq!(first.code(), (502, "redis_refused".into()));
    assert_eq!(redis.run(&["HGET", "user:alice:x", "visits"]), "1");
}
