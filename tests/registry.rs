//! SPEC 2, what keeps a user in its registry: whatever was stored before, and whatever becomes of `created_at`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::json;
use support::{Gateway, NOW_MS, Redis, unique};

#[tokio::test]
async fn a_stored_created_at_that_is_no_time_gives_way_to_now() {
    let redis = Redis::shared();
    let (name, gateway) = (unique("legacy"), Gateway::on(&redis).at(NOW_MS));
    let key = format!("user:{name}");
    redis.run(&["HSET", &key, "created_at", "2024-01-01T00:00:00Z"]);
    assert_eq!(gateway.write(json!([["HSET", key, "username", name]])).await, json!([1]));
    assert_eq!(redis.run(&["ZSCORE", "users:regular", &name]), json!(NOW_MS.to_string()));
    assert_eq!(redis.hash(&key)["created_at"], json!(NOW_MS.to_string()));
}

#[tokio::test]
async fn created_at_is_an_integer_and_stays_one() {
    let redis = Redis::shared();
    let name = unique("fraction");
    let key = format!("user:{name}");
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", "HINCRBYFLOAT")]).at(NOW_MS);
    let refusal = "ERR field 'created_at' must be an integer";
    let batch = json!([
        ["HSET", key, "username", name, "created_at", "5"],
        ["HINCRBYFLOAT", key, "created_at", "0.5"],
        ["HINCRBY", key, "created_at", "2"],
    ]);
    assert_eq!(gateway.write(batch).await, json!([2, refusal, 7]));
    assert_eq!(redis.run(&["ZSCORE", "users:regular", &name]), json!("7"));
    assert_eq!(gateway.write(json!([["HSET", key, "created_at", "soon"]])).await, json!([refusal]));
}

#[tokio::test]
async fn a_user_whose_created_at_is_deleted_came_now() {
    let redis = Redis::shared();
    let (name, gateway) = (unique("timeless"), Gateway::on(&redis).at(NOW_MS));
    let key = format!("user:{name}");
    gateway.write(json!([["HSET", key, "username", name, "created_at", "5"]])).await;
    assert_eq!(gateway.write(json!([["HDEL", key, "created_at"]])).await, json!([1]));
    assert_eq!(redis.hash(&key)["created_at"], json!(NOW_MS.to_string()));
    assert_eq!(redis.run(&["ZSCORE", "users:regular", &name]), json!(NOW_MS.to_string()));
}

#[tokio::test]
async fn a_registry_of_another_type_refuses_the_user_and_nothing_else() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    redis.run(&["SET", "users:models", "x"]);
    let batch = json!([["HSET", "user:a", "username", "a"], ["HSET", "user:a", "bio", "b"]]);
    assert_eq!(gateway.write(batch).await, json!(["ERR WRONGTYPE users:models is no sorted set", 1]));
    assert_eq!(redis.hash("user:a"), json!({"bio": "b"}));
}

#[tokio::test]
async fn out_of_memory_is_503_only_if_nothing_was_done() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    gateway.write(json!([["HSET", "user:a", "username", "a", "old", "x"]])).await;
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let call = gateway.post("/redis/write").api_key().json(json!([["HSET", "user:a", "bio", "x"]]));
    assert_eq!(call.send().await.code(), (503, "redis_unavailable".to_owned()));
    let results = gateway.write(json!([["HSET", "user:a", "bio", "x"], ["HDEL", "user:a", "old"]])).await;
    assert!(results[0].as_str().is_some_and(|error| error.starts_with("ERR OOM ")), "{results}");
    assert_eq!(results[1], json!(1));
}
