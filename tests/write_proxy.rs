//! SPEC 2, `POST /redis/write`: commands, keys and results. What a sync may do to a
//! profile is in `first_sync.rs` and `protected_fields.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis, unique};

const NOT_ALLOWED: &str = "ERR command not allowed in write mode";
const INVALID_KEY: &str = "ERR invalid key format";

#[tokio::test]
async fn three_shapes_of_body_give_results_and_username() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let key = format!("user:{}", unique("shape"));
    for (field, body) in [
        ("a", json!(["HSET", key, "a", "x"])),
        ("b", json!([["HSET", key, "b", "x"]])),
        ("c", json!({"commands": [["HSET", key, "c", "x"]]})),
    ] {
        let answer = gateway.post("/redis/write").api_key().json(body).send().await;
        assert_eq!(answer.ok(), json!({"results": [1], "username": "xano_sync"}));
        assert_eq!(redis.run(&["HGET", &key, field]), "x");
    }
}

#[tokio::test]
async fn results_are_the_numbers_that_redis_gives() {
    let redis = Redis::shared();
    let key = format!("user:{}:settings", unique("numbers"));
    let batch = json!([
        ["HSET", key, "a", "1", "b", "2", "c", "3"],
        ["HSET", key, "a", "1", "d", "4"],
        ["hset", key, "a", "9"],
        ["HINCRBY", key, "a", "5"],
        ["HINCRBY", key, "new", -3],
        ["HDEL", key, "b", "c", "absent"],
        ["HDEL", key, "absent"],
    ]);
    assert_eq!(Gateway::on(&redis).write(batch).await, json!([3, 1, 0, 14, -3, 2, 0]));
    assert_eq!(redis.hash(&key), json!({"a": "14", "d": "4", "new": "-3"}));
}

#[tokio::test]
async fn an_error_stands_in_its_place_and_the_others_are_applied() {
    let redis = Redis::shared();
    let name = unique("mixed");
    let key = format!("user:{name}:data");
    redis.run(&["SET", &format!("{key}:text"), "x"]);
    redis.run(&["HSET", &key, "word", "abc", "large", "9223372036854775807"]);
    let batch = json!([
        ["HSET", key, "a", "1"],
        ["HSET", format!("{key}:text"), "a", "1"],
        ["HDEL", format!("{key}:text"), "a"],
        ["HSET", key, "b"],
        ["HSET", key],
        ["HDEL", key],
        ["HINCRBY", key, "a"],
        ["HINCRBY", key, "word", "1"],
        ["HINCRBY", key, "large", "1"],
        ["SET", key, "1"],
        ["HGET", key, "a"],
        ["HSET", "post:1", "a", "1"],
        ["HSET", key, "z", "2"],
    ]);
    let wrong_type = "ERR WRONGTYPE Operation against a key holding the wrong kind of value";
    let expected = json!([
        1,
        wrong_type,
        wrong_type,
        "ERR wrong number of arguments for 'hset' command",
        "ERR wrong number of arguments for 'hset' command",
        "ERR wrong number of arguments for 'hdel' command",
        "ERR wrong number of arguments for 'hincrby' command",
        "ERR hash value is not an integer",
        "ERR increment or decrement would overflow",
        NOT_ALLOWED,
        NOT_ALLOWED,
        INVALID_KEY,
        1,
    ]);
    assert_eq!(Gateway::on(&redis).write(batch).await, expected);
    assert_eq!(redis.hash(&key), json!({"a": "1", "z": "2", "word": "abc", "large": "9223372036854775807"}));
}

#[tokio::test]
async fn an_increment_is_an_integer() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let key = format!("user:{}:data", unique("increment"));
    for by in [
        json!("abc"),
        json!("1.5"),
        json!(1.5),
        json!(""),
        json!("1e3"),
        json!(" 1"),
        json!(true),
        json!("9223372036854775808"),
    ] {
        let results = gateway.write(json!([["HINCRBY", key, "n", by]])).await;
        assert_eq!(results, json!(["ERR value is not an integer or out of range"]), "{by}");
    }
    assert_eq!(redis.run(&["EXISTS", &key]), 0);
    assert_eq!(gateway.write(json!([["HINCRBY", key, "n", 7], ["HINCRBY", key, "n", "-2"]])).await, json!([7, 5]));
}

#[tokio::test]
async fn keys_are_a_users_own_or_refused() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let long = format!("user:{}", "x".repeat(65));
    for key in [
        "",
        "user",
        "user:",
        "user::posts",
        "user:a b",
        "user:älice",
        "user:.",
        "user:..",
        "user:a/b",
        "user:a*",
        "USER:alice",
        "User:alice",
        " user:alice",
        "users:regular",
        "users:models",
        "post:1",
        "comment:1",
        "otp:alice",
        "session:1",
        "explore:feed",
        "hashtag:a:posts",
        "models:top:engagement",
        "xuser:alice",
        &long,
    ] {
        for command in [json!(["HSET", key, "a", "b"]), json!(["HDEL", key, "a"]), json!(["HINCRBY", key, "a", "1"])] {
            assert_eq!(gateway.write(json!([command])).await, json!([INVALID_KEY]), "{command}");
        }
    }
    assert_eq!(redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn relation_keys_are_managed() {
    let redis = Redis::own();
    let gateway = Gateway::with(&redis, &[("WRITE_COMMANDS", "SADD ZADD EXPIRE")]);
    for below in [
        "posts",
        "bookmarked",
        "liked",
        "comments",
        "banned",
        "followers",
        "following",
        "followers:since",
        "following:since",
    ] {
        let key = format!("user:alice:{below}");
        let managed = json!([format!("ERR key '{key}' is managed, use the REST endpoints")]);
        for command in [
            json!(["HSET", key, "a", "b"]),
            json!(["HDEL", key, "a"]),
            json!(["HINCRBY", key, "a", "1"]),
            json!(["SADD", key, "bob"]),
            json!(["zadd", key, "1", "p"]),
            json!(["EXPIRE", key, "1"]),
        ] {
            assert_eq!(gateway.write(json!([command])).await, managed, "{command}");
        }
    }
    let mine = gateway.write(json!([["HSET", "user:me:posts", "a", "b"]])).await;
    assert_eq!(mine, json!(["ERR key 'user:xano_sync:posts' is managed, use the REST endpoints"]));
    assert_eq!(redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn placeholders_mean_xano_sync() {
    let redis = Redis::own();
    let batch = json!([
        ["HSET", "user:me", "bio", "user:me"],
        ["HSET", "user:AUTH:settings", "theme", "dark"],
        ["HINCRBY", "user:me:stats", "visits", 2],
        ["HDEL", "user:AUTH", "bio"],
    ]);
    assert_eq!(Gateway::on(&redis).write(batch).await, json!([1, 1, 2, 1]));
    assert_eq!(redis.hash("user:xano_sync:settings"), json!({"theme": "dark"}));
    assert_eq!(redis.hash("user:xano_sync:stats"), json!({"visits": "2"}));
    assert_eq!(redis.run(&["EXISTS", "user:me", "user:AUTH", "user:me:stats"]), 0);
}

#[tokio::test]
async fn numbers_and_booleans_are_stored_as_they_are_written() {
    let redis = Redis::shared();
    let key = format!("user:{}:data", unique("digits"));
    let body = format!(r#"["HSET","{key}","a",9007199254740993,"b",1.10,"c",1e3,"d",true,"e",false,"f",-0,7,"g"]"#);
    let answer = Gateway::on(&redis).post("/redis/write").api_key().body(body).send().await;
    assert_eq!(answer.ok()["results"], json!([7]));
    let expected =
        json!({"a": "9007199254740993", "b": "1.10", "c": "1e3", "d": "true", "e": "false", "f": "-0", "7": "g"});
    assert_eq!(redis.hash(&key), expected);
}

#[tokio::test]
async fn integers_beyond_two_to_the_53_are_exact() {
    let redis = Redis::shared();
    let key = format!("user:{}:data", unique("exact"));
    let batch = json!([
        ["HINCRBY", key, "up", 9007199254740991_i64],
        ["HINCRBY", key, "up", 1],
        ["HINCRBY", key, "up", 1],
        ["HINCRBY", key, "top", "9223372036854775807"],
        ["HINCRBY", key, "down", "-9007199254740993"],
        ["HINCRBY", key, "bottom", "-9223372036854775808"],
    ]);
    let answer = Gateway::on(&redis).post("/redis/write").api_key().json(batch).send().await;
    assert_eq!(answer.status, 200);
    let expected = "[9007199254740991,9007199254740992,9007199254740993,9223372036854775807,-9007199254740993,-9223372036854775808]";
    assert!(answer.text().contains(expected), "{}", answer.text());
}

#[tokio::test]
async fn a_command_may_have_more_fields_than_luas_stack_has_places() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = unique("wide");
    let key = format!("user:{name}");
    let fields: Vec<String> = (0..9001).map(|n| format!("f{n}")).collect();
    let mut set: Vec<Value> = vec![json!("HSET"), json!(key), json!("username"), json!(name)];
    set.extend(fields.iter().flat_map(|field| [json!(field), json!(field)]));
    assert_eq!(gateway.write(vec![json!(set)]).await, json!([9002]));
    assert_eq!(redis.run(&["HGET", &key, "f8999"]), "f8999");
    assert_eq!(gateway.write(vec![json!(set)]).await, json!([0]));
    let mut delete: Vec<Value> = vec![json!("HDEL"), json!(key)];
    delete.extend(fields.iter().map(|field| json!(field)));
    assert_eq!(gateway.write(vec![json!(delete)]).await, json!([9001]));
    assert_eq!(redis.run(&["HGET", &key, "username"]), *name);
}

#[tokio::test]
async fn a_batch_is_one_round_trip_however_long_also_on_an_empty_redis() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    for length in [1, 1000] {
        let command = |n| json!(["HSET", format!("user:u{n}"), "username", format!("u{n}"), "bio", "b"]);
        let batch: Vec<Value> = (0..length).map(command).collect();
        let answer = gateway.post("/redis/write").api_key().json(batch).send().await;
        assert_eq!(answer.ok()["results"].as_array().unwrap().len(), length);
        assert_eq!(answer.header("x-redis-round-trips"), "1");
    }
    assert_eq!(redis.run(&["ZCARD", "users:regular"]), 1000);
}

#[tokio::test]
async fn a_redis_that_was_restarted_is_written_to_once() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let batch = json!([["HINCRBY", "user:alice:data", "n", 1]]);
    assert_eq!(gateway.write(batch.clone()).await, json!([1]));
    redis.restart();
    assert_eq!(gateway.write(batch.clone()).await, json!([1]));
    assert_eq!(gateway.write(batch).await, json!([2]));
}
