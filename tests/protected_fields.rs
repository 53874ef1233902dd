//! SPEC 2, protected fields: what the write proxy may do to the profile of a user who exists.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis, unique};

const PROTECTED: [&str; 7] =
    ["username", "display_name", "avatar", "role", "postCount", "followerCount", "followingCount"];

fn fixed(field: &str) -> String {
    format!("ERR field '{field}' cannot be modified directly, use PATCH /users/:id")
}

/// A user who exists, made past the gateway.
fn existing(redis: &Redis) -> (String, String) {
    let name = unique("existing");
    let key = format!("user:{name}");
    let fields = [
        "display_name",
        "D",
        "avatar",
        "A",
        "role",
        "user",
        "postCount",
        "1",
        "followerCount",
        "2",
        "followingCount",
        "3",
    ];
    redis.run(&[&["HSET", &*key, "username", &*name, "created_at", "1000", "bio", "old"], &fields[..]].concat());
    redis.run(&["ZADD", "users:regular", "1000", &name]);
    (name, key)
}

fn score(redis: &Redis, registry: &str, name: &str) -> Value {
    redis.run(&["ZSCORE", registry, name])
}

#[tokio::test]
async fn another_value_of_a_protected_field_rejects_the_whole_command() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (name, key) = existing(&redis);
    let before = redis.hash(&key);
    for field in PROTECTED {
        for value in ["another", "", "admin", "42"] {
            let results = gateway.write(json!([["HSET", key, "bio", "new", field, value, "extra", "x"]])).await;
            assert_eq!(results, json!([fixed(field)]), "{field} {value:?}");
        }
    }
    assert_eq!(redis.hash(&key), before);
    assert_eq!(score(&redis, "users:models", &name), json!(null));
    let mixed = gateway.write(json!([["HSET", key, "role", "admin"], ["HSET", key, "bio", "new"]])).await;
    assert_eq!(mixed, json!([fixed("role"), 0]));
    assert_eq!(redis.run(&["HGET", &key, "bio"]), "new");
}

#[tokio::test]
async fn several_changed_fields_are_all_named_and_unchanged_ones_are_not() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (name, key) = existing(&redis);
    let batch =
        json!([["HSET", key, "username", name, "display_name", "new", "bio", "b", "avatar", "A", "role", "model"]]);
    let expected = "ERR fields 'display_name', 'role' cannot be modified directly, use PATCH /users/:id";
    assert_eq!(gateway.write(batch).await, json!([expected]));
    let twice = json!([["HSET", key, "display_name", "D", "display_name", "new"]]);
    assert_eq!(gateway.write(twice).await, json!([fixed("display_name")]));
    assert_eq!(redis.run(&["HMGET", &key, "display_name", "role", "bio"]), json!(["D", "user", "old"]));
}

#[tokio::test]
async fn a_protected_field_that_was_never_stored_cannot_be_added() {
    let redis = Redis::shared();
    let name = unique("bare");
    let key = format!("user:{name}");
    redis.run(&["HSET", &key, "username", &name]);
    let results =
        Gateway::on(&redis).write(json!([["HSET", key, "avatar", "x"], ["HSET", key, "role", "admin"]])).await;
    assert_eq!(results, json!([fixed("avatar"), fixed("role")]));
}

#[tokio::test]
async fn protected_fields_are_not_deleted() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (_, key) = existing(&redis);
    let before = redis.hash(&key);
    for field in PROTECTED {
        assert_eq!(gateway.write(json!([["HDEL", key, "bio", field]])).await, json!([fixed(field)]), "{field}");
    }
    let two = gateway.write(json!([["hdel", key, "avatar", "bio", "role"]])).await;
    assert_eq!(two, json!(["ERR fields 'avatar', 'role' cannot be modified directly, use PATCH /users/:id"]));
    assert_eq!(redis.hash(&key), before);
    let unknown = format!("user:{}", unique("unknown"));
    assert_eq!(gateway.write(json!([["HDEL", unknown, "role"]])).await, json!([fixed("role")]));
    assert_eq!(gateway.write(json!([["HDEL", key, "bio"]])).await, json!([1]));
}

#[tokio::test]
async fn the_three_counters_can_be_incremented_and_the_other_four_cannot() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (_, key) = existing(&redis);
    for (field, value) in [("postCount", 11), ("followerCount", 12), ("followingCount", 13)] {
        assert_eq!(gateway.write(json!([["HINCRBY", key, field, 10]])).await, json!([value]));
    }
    for field in ["username", "display_name", "avatar", "role"] {
        assert_eq!(gateway.write(json!([["HINCRBY", key, field, 1]])).await, json!([fixed(field)]), "{field}");
    }
    let wrong = gateway.write(json!([["HINCRBY", key, "postCount", "1.5"]])).await;
    assert_eq!(wrong, json!(["ERR value is not an integer or out of range"]));
    assert_eq!(redis.run(&["HGET", &key, "postCount"]), "11");
}

#[tokio::test]
async fn the_score_in_the_registry_follows_created_at() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (name, key) = existing(&redis);
    assert_eq!(gateway.write(json!([["HSET", key, "created_at", 2000]])).await, json!([0]));
    assert_eq!(score(&redis, "users:regular", &name), "2000");
}

#[tokio::test]
async fn fields_of_other_keys_are_not_protected() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (name, key) = existing(&redis);
    let below = format!("{key}:settings");
    let batch = json!([
        ["HSET", below, "role", "x", "username", "y"],
        ["HDEL", below, "role"],
        ["HINCRBY", below, "avatar", 1]
    ]);
    assert_eq!(gateway.write(batch).await, json!([2, 1, 1]));
    assert_eq!(score(&redis, "users:regular", &name), "1000");
}

#[tokio::test]
async fn strict_policy_refuses_protected_fields_always() {
    let redis = Redis::shared();
    let gateway = Gateway::with(&redis, &[("WRITE_POLICY", "strict")]);
    let (name, key) = existing(&redis);
    let new = unique("new");
    let new_key = format!("user:{new}");
    for command in [
        json!(["HSET", new_key, "bio", "b", "username", new]),
        json!(["HSET", key, "bio", "b", "username", name]),
        json!(["HDEL", key, "username"]),
    ] {
        assert_eq!(gateway.write(json!([command])).await, json!([fixed("username")]), "{command}");
    }
    assert_eq!(redis.run(&["EXISTS", &new_key]), 0);
    assert_eq!(gateway.write(json!([["HSET", key, "bio", "new"]])).await, json!([0]));
}

/// Whatever `WRITE_COMMANDS` adds, it is no way round the protection.
#[tokio::test]
async fn added_commands_respect_protected_fields() {
    let redis = Redis::shared();
    let commands = "HMSET HSETNX HINCRBYFLOAT SET GETDEL RESTORE PERSIST EXPIRE SETEX APPEND";
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", commands)]);
    let (_, key) = existing(&redis);
    let before = redis.hash(&key);
    for command in [
        json!(["HMSET", key, "role", "admin"]),
        json!(["HSETNX", key, "role", "admin"]),
        json!(["HINCRBYFLOAT", key, "postCount", "1.5"]),
        json!(["HINCRBYFLOAT", key, "role", "1"]),
        json!(["SET", key, "x"]),
        json!(["GETDEL", key]),
        json!(["SETEX", key, 1, "x"]),
        json!(["APPEND", key, "x"]),
    ] {
        let results = gateway.write(json!([command])).await;
        assert!(results[0].as_str().is_some_and(|text| text.starts_with("ERR ")), "{command}: {results}");
    }
    assert_eq!(redis.hash(&key), before);
    assert_eq!(redis.run(&["TTL", &key]), -1);
    let name = unique("hmset");
    let first = json!([["HMSET", format!("user:{name}"), "username", name, "created_at", 9]]);
    assert_eq!(gateway.write(first).await, json!(["OK"]));
    assert_eq!(score(&redis, "users:regular", &name), "9");
}
