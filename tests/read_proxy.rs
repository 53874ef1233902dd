//! SPEC 2, `POST /`: reads for backends. Which commands get through is `command_table.rs`'s, bodies are `bad_input.rs`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis, unique};

fn seed(redis: &Redis) -> String {
    let name = unique("reader");
    let key = format!("user:{name}");
    redis.run(&["HSET", &key, "username", &name, "bio", "Hello", "postCount", "3"]);
    redis.run(&["SADD", &format!("{key}:followers"), "bob"]);
    redis.run(&["ZADD", &format!("{key}:posts"), "1", "p1", "2", "p2", "3", "p3"]);
    redis.run(&["SET", &format!("{key}:note"), "text"]);
    key
}

#[tokio::test]
async fn three_shapes_of_body_give_a_bare_array() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let key = seed(&redis);
    for body in [
        json!(["HGET", key, "bio"]),
        json!([["HGET", key, "bio"]]),
        json!({"commands": [["HGET", key, "bio"]]}),
        json!({"commands": ["HGET", key, "bio"]}),
    ] {
        assert_eq!(gateway.read(body.clone()).await, json!(["Hello"]), "{body}");
    }
}

#[tokio::test]
async fn each_command_answers_its_value_in_its_place() {
    let redis = Redis::shared();
    let key = seed(&redis);
    let below = |name: &str| format!("{key}:{name}");
    let (posts, followers, note, absent) = (below("posts"), below("followers"), below("note"), below("absent"));
    let username = key.strip_prefix("user:").unwrap();
    let cases = [
        (json!(["HGETALL", key]), json!({"username": username, "bio": "Hello", "postCount": "3"})),
        (json!(["HGETALL", absent]), json!({})),
        (json!(["HGET", key, "bio"]), json!("Hello")),
        (json!(["HGET", key, "absent"]), json!(null)),
        (json!(["HMGET", key, "bio", "absent"]), json!(["Hello", null])),
        (json!(["SMEMBERS", followers]), json!(["bob"])),
        (json!(["SMEMBERS", absent]), json!([])),
        (json!(["SISMEMBER", followers, "bob"]), json!(1)),
        (json!(["SISMEMBER", followers, "eve"]), json!(0)),
        (json!(["ZRANGE", posts, "0", "1"]), json!(["p1", "p2"])),
        (json!(["ZRANGE", posts, 0, 0, "WITHSCORES"]), json!(["p1", "1"])),
        (json!(["ZREVRANGE", posts, "0", "9"]), json!(["p3", "p2", "p1"])),
        (json!(["ZCARD", posts]), json!(3)),
        (json!(["GET", note]), json!("text")),
        (json!(["GET", absent]), json!(null)),
        (json!(["MGET", note, absent, note]), json!(["text", null, "text"])),
        (json!(["EXISTS", note, absent, posts]), json!(2)),
        (json!(["TTL", note]), json!(-1)),
        (json!(["TTL", absent]), json!(-2)),
        (json!(["TYPE", posts]), json!("zset")),
        (json!(["TYPE", absent]), json!("none")),
    ];
    let (commands, values): (Vec<Value>, Vec<Value>) = cases.into_iter().unzip();
    let answers = Gateway::on(&redis).read(commands.clone()).await;
    for ((command, value), answer) in commands.iter().zip(values).zip(answers.as_array().unwrap()) {
        assert_eq!(*answer, value, "{command}");
    }
}

#[tokio::test]
async fn errors_stand_in_their_place_and_begin_with_err() {
    let redis = Redis::shared();
    let key = seed(&redis);
    let batch = json!([
        ["HGET", key, "bio"],
        ["SMEMBERS", key],
        ["ZRANGE", format!("{key}:posts"), "a", "b"],
        ["SET", key, "x"],
        ["KEYS", "*"],
        ["NOSUCHCOMMAND", key],
        ["HGET", key],
        ["hgetall"],
        ["HGET", key, "bio"],
    ]);
    let expected = json!([
        "Hello",
        "ERR WRONGTYPE Operation against a key holding the wrong kind of value",
        "ERR value is not an integer or out of range",
        "ERR read-only mode",
        "ERR command not allowed in read mode",
        "ERR command not allowed in read mode",
        "ERR wrong number of arguments for 'hget' command",
        "ERR wrong number of arguments for 'hgetall' command",
        "Hello",
    ]);
    assert_eq!(Gateway::on(&redis).read(batch).await, expected);
    assert_eq!(redis.run(&["TYPE", &key]), "hash");
}

#[tokio::test]
async fn private_keys_are_forbidden_wherever_a_key_may_stand() {
    let redis = Redis::shared();
    redis.run(&["MSET", "otp:alice", "123456", "session", "s", "session:1", "s", "sessions", "s"]);
    let gateway = Gateway::on(&redis);
    let forbidden = json!(["ERR forbidden: private key"]);
    for key in ["otp:alice", "otp:", "session", "session:1", "sessions", "session-x"] {
        for command in [
            json!(["GET", key]),
            json!(["get", key]),
            json!(["MGET", "a", "b", key]),
            json!(["MGET", key, "a"]),
            json!(["EXISTS", "a", key]),
            json!(["TTL", key]),
            json!(["TYPE", key]),
            json!(["HGETALL", key]),
            json!(["SISMEMBER", key, "x"]),
            json!(["ZRANGE", key, 0, -1]),
        ] {
            assert_eq!(gateway.read(command.clone()).await, forbidden, "{command}");
        }
    }
}

#[tokio::test]
async fn what_only_looks_like_a_private_key_is_none() {
    let redis = Redis::shared();
    let key = seed(&redis);
    redis.run(&["HSET", &key, "otp:x", "a field"]);
    redis.run(&["SADD", &format!("{key}:followers"), "session:1"]);
    redis.run(&["SET", "otp", "bare"]);
    let batch = json!([
        ["HGET", key, "otp:x"],
        ["SISMEMBER", format!("{key}:followers"), "session:1"],
        ["GET", "otp"],
        ["GET", "my-session:1"],
    ]);
    assert_eq!(Gateway::on(&redis).read(batch).await, json!(["a field", 1, "bare", null]));
}

#[tokio::test]
async fn user_me_and_user_auth_mean_xano_sync_at_key_positions() {
    let redis = Redis::own();
    redis.run(&["HSET", "user:xano_sync", "username", "xano_sync"]);
    redis.run(&["MSET", "user:xano_sync:a", "A", "user:xano_sync:b", "B", "user:meg", "meg", "user:auth", "low"]);
    redis.run(&["SADD", "user:xano_sync:s", "user:me"]);
    let batch = json!([
        ["HGET", "user:me", "username"],
        ["HGETALL", "user:AUTH"],
        ["MGET", "user:me:a", "user:AUTH:b", "user:meg", "user:auth"],
        ["EXISTS", "user:me", "user:AUTH:a", "user:me:a"],
        ["SISMEMBER", "user:me:s", "user:me"],
        ["HGET", "user:xano_sync", "user:me"],
        ["GET", "xuser:me:a"],
    ]);
    let expected = json!(["xano_sync", {"username": "xano_sync"}, ["A", "B", "meg", "low"], 3, 1, null, null]);
    assert_eq!(Gateway::on(&redis).read(batch).await, expected);
}

#[tokio::test]
async fn numbers_and_booleans_are_sent_digit_for_digit() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let words = [
        "9007199254740993",
        "18446744073709551617",
        "1.10",
        "-0",
        "1e3",
        "1E+3",
        "0.1000000000000000055",
        "true",
        "false",
    ];
    let key = unique("digits");
    for word in words {
        redis.run(&["HSET", &key, word, "found"]);
        let body = format!("[[\"HGET\", \"{key}\", {word}]]");
        assert_eq!(gateway.post("/").api_key().body(body).send().await.ok(), json!(["found"]), "{word}");
    }
}

#[tokio::test]
async fn large_integers_come_back_unharmed() {
    let redis = Redis::shared();
    let key = unique("large");
    redis.run(&["HSET", &key, "n", "9223372036854775807"]);
    redis.run(&["EXPIREAT", &key, "9007199254740"]);
    let answer = Gateway::with(&redis, &[("READ_COMMANDS", "PEXPIRETIME")]).post("/").api_key();
    let answer = answer.json(json!([["HGET", key, "n"], ["PEXPIRETIME", key]])).send().await;
    assert_eq!(answer.text(), r#"["9223372036854775807",9007199254740000]"#);
}

#[tokio::test]
async fn text_is_unharmed_and_bytes_that_are_no_text_are_replaced() {
    let redis = Redis::shared();
    let key = unique("text");
    let text = "quote \" backslash \\ newline \n tab \t nul \0 emoji 😀 é \u{2028}";
    redis.run(&["SET", &key, text]);
    redis.run(&["EVAL", "return redis.call('SET', KEYS[1], '\\255x')", "1", &format!("{key}-bytes")]);
    let answers = Gateway::on(&redis).read(json!([["GET", key], ["GET", format!("{key}-bytes")]])).await;
    assert_eq!(answers, json!([text, "\u{fffd}x"]));
}

#[tokio::test]
async fn read_commands_adds_to_the_defaults() {
    let redis = Redis::shared();
    let key = seed(&redis);
    let batch =
        json!([["zscore", format!("{key}:posts"), "p2"], ["STRLEN", format!("{key}:note")], ["HGET", key, "bio"]]);
    let refused = "ERR command not allowed in read mode";
    assert_eq!(Gateway::on(&redis).read(batch.clone()).await, json!([refused, refused, "Hello"]));
    let gateway = Gateway::with(&redis, &[("READ_COMMANDS", "ZSCORE, strlen")]);
    assert_eq!(gateway.read(batch).await, json!(["2", 4, "Hello"]));
    assert_eq!(gateway.read(json!(["STRLEN", "otp:x"])).await, json!(["ERR forbidden: private key"]));
}

#[tokio::test]
async fn read_commands_that_do_more_than_read_are_a_configuration_error() {
    let redis = Redis::shared();
    for name in ["SET", "GETDEL", "GETEX", "EVAL", "FLUSHALL", "BLPOP", "SUBSCRIBE", "NOSUCH", "GET,DEL"] {
        let answer = Gateway::with(&redis, &[("READ_COMMANDS", name)]).post("/").api_key().body("[]").send().await;
        assert_eq!(answer.code(), (500, "misconfigured".into()), "{name}");
        assert!(answer.json()["message"].as_str().unwrap().contains("READ_COMMANDS"), "{name}");
    }
}

#[tokio::test]
async fn a_batch_is_one_round_trip_however_long_also_on_an_empty_redis() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    for length in [1, 2, 1000] {
        let batch = vec![json!(["GET", "a"]); length];
        let answer = gateway.post("/").api_key().json(batch).send().await;
        assert_eq!(answer.ok().as_array().unwrap().len(), length);
        assert_eq!(answer.header("x-redis-round-trips"), "1");
    }
}

#[tokio::test]
async fn round_trips_are_told_in_development_only() {
    let redis = Redis::shared();
    for environment in ["", "production"] {
        let gateway = Gateway::with(&redis, &[("ENVIRONMENT", environment)]);
        let answer = gateway.post("/").api_key().json(json!(["GET", "a"])).send().await;
        assert_eq!((answer.status, answer.headers.get("x-redis-round-trips")), (200, None));
    }
}

#[tokio::test]
async fn the_content_type_is_not_looked_at() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let call = gateway.post("/").api_key().header("content-type", content_type).body("[\"GET\",\"none\"]");
        assert_eq!(call.send().await.ok(), json!([null]), "{content_type}");
    }
    assert_eq!(
        gateway.post("/").api_key().body("[\"GET\",\"none\"]").send().await.header("content-type"),
        "application/json"
    );
}

#[tokio::test]
async fn a_token_is_told_where_to_go_instead() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in ["/", "/redis/write"] {
        let answer = gateway.post(path).user("alice").body("[[\"HGETALL\",\"user:alice\"]]").send().await;
        assert_eq!(answer.status, 403);
        let mut body = answer.json();
        let endpoints = body["availableEndpoints"].take();
        assert!(endpoints.as_array().unwrap().iter().any(|line| line.as_str().unwrap().starts_with("GET /users/:id")));
        let expected = json!({
            "error": "Redis proxy access requires API key authentication",
            "message": "Frontend clients should use REST endpoints instead",
            "availableEndpoints": null,
            "documentation": "See docs/FRONTEND_GUIDE.md for frontend integration",
            "code": body["code"],
            "requestId": answer.header("x-request-id"),
        });
        assert_eq!(body, expected);
        assert!(body["code"].is_string());
    }
}
