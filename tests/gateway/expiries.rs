//! The rules of namespaces: a key that matches one has an expiry after every write through the gateway, in the same round
//! trip.

use serde_json::{Value, json};

use crate::door::{Backend, Door, KEY, key_list, once, refusal};

over_both_backends![
    each_way_to_write_gives_the_expiry,
    an_expiry_that_is_there_stays,
    an_expiry_that_is_asked_for_counts,
    the_first_rule_that_matches_counts,
    what_is_only_read_or_matches_no_rule_is_left_alone,
    pipelines_and_transactions_give_each_key_its_own,
    answers_are_those_that_were_asked_for,
    the_acl_judges_what_was_asked_alone,
    a_script_s_declared_keys_expire,
];

const RULES: &str = r#"[{"name":"a","prefix":"a:","ttl":[["a:short:*",50],["a:*",100]]},{"name":"b","prefix":"b:"}]"#;

async fn door(backend: Backend) -> Door {
    backend.open_with(&[("NAMESPACES", RULES)]).await
}

fn ttl(door: &Door, key: &str) -> i64 {
    door.redis.run(&["TTL", key]).as_i64().unwrap()
}

/// A TTL counts down while a test runs.
#[track_caller]
fn expires_in(door: &Door, key: &str, seconds: i64) {
    let ttl = ttl(door, key);
    assert!((seconds - 20..=seconds).contains(&ttl), "{key}: {ttl}");
}

async fn each_way_to_write_gives_the_expiry(backend: Backend) {
    let door = door(backend).await;
    door.redis.run(&["RPUSH", "b:list", "x", "y"]);
    for (command, key) in [
        (json!(["SET", "a:1", "x"]), "a:1"),
        (json!(["set", "a:2", "x", "NX", "GET"]), "a:2"),
        (json!(["HSET", "a:3", "f", "x"]), "a:3"),
        (json!(["INCR", "a:4"]), "a:4"),
        (json!(["MSET", "b:0", "x", "a:5", "x"]), "a:5"),
        (json!(["SADD", "a:6", "x"]), "a:6"),
        (json!(["ZADD", "a:7", 1.5, "x"]), "a:7"),
        (json!(["XADD", "a:8", "*", "f", "x"]), "a:8"),
        (json!(["LMOVE", "b:list", "a:9", "LEFT", "RIGHT"]), "a:9"),
        (json!(["RENAME", "b:list", "a:10"]), "a:10"),
        (json!(["COPY", "a:10", "a:11"]), "a:11"),
        (json!(["SETNX", "a:12", "x"]), "a:12"),
        (json!(["APPEND", "a:13", "x"]), "a:13"),
        (json!(["PERSIST", "a:13"]), "a:13"),
        (json!(["SUNIONSTORE", "a:14", "a:6"]), "a:14"),
        (json!(["SORT", "a:10", "ALPHA", "STORE", "a:15"]), "a:15"),
    ] {
        door.run(command).await;
        expires_in(&door, key, 100);
    }
    once(&door.post("/redis/set/a:16").body("x").send().await).ok();
    expires_in(&door, "a:16", 100);
    door.run_path("/redis/set/a:17/x").await;
    expires_in(&door, "a:17", 100);
}

async fn an_expiry_that_is_there_stays(backend: Backend) {
    let door = door(backend).await;
    door.redis.run(&["SET", "a:1", "1", "EX", "9000"]);
    for command in [json!(["INCR", "a:1"]), json!(["SET", "a:1", "2", "KEEPTTL"]), json!(["APPEND", "a:1", "0"])] {
        door.run(command).await;
        expires_in(&door, "a:1", 9000);
    }
    // A write that changes nothing gives it, too.
    door.redis.run(&["SET", "a:2", "1"]);
    assert_eq!(door.run(json!(["SET", "a:2", "2", "NX"])).await, Value::Null);
    expires_in(&door, "a:2", 100);
    // SET without KEEPTTL makes the key anew.
    door.run(json!(["SET", "a:1", "1"])).await;
    expires_in(&door, "a:1", 100);
}

async fn an_expiry_that_is_asked_for_counts(backend: Backend) {
    let door = door(backend).await;
    for command in [
        json!(["SET", "a:1", "x", "EX", 5000]),
        json!(["SET", "a:1", "x", "px", 5_000_000]),
        json!(["SETEX", "a:1", 5000, "x"]),
        json!(["PSETEX", "a:1", 5_000_000, "x"]),
    ] {
        door.redis.run(&["DEL", "a:1"]);
        door.run(command).await;
        expires_in(&door, "a:1", 5000);
    }
    once(&door.post("/redis/set/a:2?EX=5000").body("x").send().await).ok();
    expires_in(&door, "a:2", 5000);
    door.run(json!(["EXPIRE", "a:2", 7000])).await;
    expires_in(&door, "a:2", 7000);
}

async fn the_first_rule_that_matches_counts(backend: Backend) {
    let door = door(backend).await;
    door.run(json!(["MSET", "a:short:1", "x", "a:long:1", "x"])).await;
    expires_in(&door, "a:short:1", 50);
    expires_in(&door, "a:long:1", 100);
}

async fn what_is_only_read_or_matches_no_rule_is_left_alone(backend: Backend) {
    let door = door(backend).await;
    door.redis.run(&["MSET", "a:1", "x", "b:1", "x"]);
    for command in [json!(["GET", "a:1"]), json!(["EXISTS", "a:1"]), json!(["COPY", "a:1", "b:2"])] {
        door.run(command).await;
    }
    for command in [json!(["SET", "b:1", "y"]), json!(["SET", "c", "y"]), json!(["DEL", "none"])] {
        door.run(command).await;
    }
    for key in ["a:1", "b:1", "b:2", "c"] {
        assert_eq!(ttl(&door, key), -1, "{key}");
    }
    door.run(json!(["DEL", "a:1"])).await;
    assert_eq!(door.redis.run(&["EXISTS", "a:1"]), 0);
}

async fn pipelines_and_transactions_give_each_key_its_own(backend: Backend) {
    let door = door(backend).await;
    let commands = |n: u32| {
        json!([
            ["SET", format!("a:{n}"), "x"],
            ["HSET", format!("a:short:{n}"), "f", "x"],
            ["GET", "none"],
            ["SET", format!("b:{n}"), "x"],
            ["INCR", format!("b:{n}")],
        ])
    };
    let error = json!({"error": "ERR value is not an integer or out of range"});
    let expected = json!([{"result": "OK"}, {"result": 1}, {"result": null}, {"result": "OK"}, error]);
    assert_eq!(door.pipeline(commands(1)).await, expected);
    assert_eq!(door.multi_exec(commands(2)).await, expected);
    for n in 1..=2 {
        expires_in(&door, &format!("a:{n}"), 100);
        expires_in(&door, &format!("a:short:{n}"), 50);
        assert_eq!(ttl(&door, &format!("b:{n}")), -1);
    }
}

async fn answers_are_those_that_were_asked_for(backend: Backend) {
    let door = door(backend).await;
    assert_eq!(door.run(json!(["HSET", "a:1", "f", "x", "g", "y"])).await, 2);
    assert_eq!(door.run(json!(["SET", "a:2", "x"])).await, "OK");
    let (status, error) = door.fail(json!(["INCR", "a:1"])).await;
    assert_eq!((status, error.starts_with("WRONGTYPE ")), (400, true), "{error}");
    let (status, error) = door.fail(json!(["HSET", "a:1", "f"])).await;
    assert_eq!((status, error.as_str()), (400, "ERR wrong number of arguments for 'hset' command"));
    let encoded = |path: &str, body: Value, header: (&str, &str)| door.post(path).header(header.0, header.1).json(body);
    let base64 = ("upstash-encoding", "base64");
    // Over REST it is asked once whether the backend knows base64, before a command that is to be one with its expiry.
    let answer = encoded("/redis", json!(["GETSET", "a:2", "y"]), base64).send().await;
    assert_eq!(answer.ok(), json!({"result": "eA=="}));
    let answer = encoded("/redis", json!(["HINCRBYFLOAT", "a:1", "h", "1.5"]), base64).send().await;
    assert_eq!(once(&answer).ok(), json!({"result": "MS41"}));
    let answer = encoded("/redis", json!(["APPEND", "a:2", "z"]), ("upstash-response-format", "resp2")).send().await;
    assert_eq!((answer.status, once(&answer).text()), (200, ":2\r\n"));
}

async fn the_acl_judges_what_was_asked_alone(backend: Backend) {
    let keys = key_list(&[json!({"name": "tests", "key": KEY, "acl": "~a:* +incr +set -expire"})]);
    let door = backend.open_with(&[("NAMESPACES", RULES), ("API_KEYS", &keys)]).await;
    door.run(json!(["INCR", "a:1"])).await;
    expires_in(&door, "a:1", 100);
    let denied = door.post("/redis").json(json!(["EXPIRE", "a:1", 5])).send().await;
    assert_eq!(refusal(&denied).0, 400);
    let denied = door.post("/redis").json(json!(["INCR", "c"])).send().await;
    assert_eq!(refusal(&denied).0, 400);
    assert_eq!(door.redis.run(&["EXISTS", "c"]), 0);
}

async fn a_script_s_declared_keys_expire(backend: Backend) {
    let door = door(backend).await;
    let script = "redis.call('SET', KEYS[1], 'x') redis.call('SET', 'a:undeclared', 'x') return KEYS[2]";
    assert_eq!(door.run(json!(["EVAL", script, 2, "a:1", "b:1"])).await, "b:1");
    expires_in(&door, "a:1", 100);
    assert_eq!(ttl(&door, "a:undeclared"), -1);
}
