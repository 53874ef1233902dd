//! SPEC 2, `WRITE_COMMANDS`: what it may add, and that nothing it adds is a way round the rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::json;
use support::{Gateway, Redis};

const NOT_ALLOWED: &str = "ERR command not allowed in write mode";
const INVALID_KEY: &str = "ERR invalid key format";

#[tokio::test]
async fn write_commands_adds_to_the_defaults() {
    let redis = Redis::own();
    let batch =
        json!([["sadd", "user:alice:tags", "a", "b"], ["EXPIRE", "user:alice:tags", 100], ["SADD", "post:1", "x"]]);
    assert_eq!(Gateway::on(&redis).write(batch.clone()).await, json!([NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED]));
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", "SADD,expire")]);
    assert_eq!(gateway.write(batch).await, json!([2, 1, INVALID_KEY]));
    assert_eq!(redis.run(&["SMISMEMBER", "user:alice:tags", "a", "b"]), json!([1, 1]));
}

#[tokio::test]
async fn write_commands_that_do_not_write_exactly_one_key_are_a_configuration_error() {
    let redis = Redis::shared();
    for name in [
        "GET", "DEL", "MSET", "RENAME", "COPY", "SMOVE", "LMOVE", "EVAL", "BLPOP", "SORT", "FLUSHALL", "MIGRATE",
        "NOSUCH",
    ] {
        let answer =
            Gateway::with(&redis, &[("WRITE_COMMANDS", name)]).post("/redis/write").api_key().body("[]").send().await;
        assert_eq!(answer.code(), (500, "misconfigured".into()), "{name}");
        assert!(answer.json()["message"].as_str().unwrap().contains("WRITE_COMMANDS"), "{name}");
    }
}

#[tokio::test]
async fn replies_of_added_commands_are_whole() {
    let redis = Redis::own();
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", "RPUSH LPOP SPOP INCRBY DECRBY SET GETDEL")]);
    let batch = json!([
        ["RPUSH", "user:a:list", "error", "number", "x"],
        ["LPOP", "user:a:list", 2],
        ["LPOP", "user:a:list"],
        ["LPOP", "user:a:list"],
        ["LPOP", "user:a:list", 2],
        ["SPOP", "user:a:none", 3],
        ["SET", "user:a:note", "text"],
        ["GETDEL", "user:a:note"],
        ["INCRBY", "user:a:n", 9007199254740993_i64],
        ["DECRBY", "user:a:m", 9007199254740993_i64],
    ]);
    let expected =
        json!([3, ["error", "number"], "x", null, null, [], "OK", "text", 9007199254740993_i64, -9007199254740993_i64]);
    assert_eq!(gateway.write(batch).await, expected);
}

#[tokio::test]
async fn hmset_has_no_fewer_fields_than_hset() {
    let redis = Redis::own();
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", "HMSET")]);
    let mut command = vec![json!("HMSET"), json!("user:a:wide")];
    command.extend((0..9001).flat_map(|n| [json!(n), json!(n)]));
    assert_eq!(gateway.write(vec![json!(command)]).await, json!(["OK"]));
    assert_eq!(redis.run(&["HLEN", "user:a:wide"]), 9001);
}
