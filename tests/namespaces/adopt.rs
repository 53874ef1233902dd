//! `POST /namespaces/:ns/adopt`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BOUND, Stage, support::Redis, trips};

/// What became of each key: its new name and TTL, or why it was skipped. A TTL that runs is rounded up to a hundred seconds.
fn outcomes(adoption: &Value) -> BTreeMap<String, Value> {
    let list = |name: &str| adoption[name].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let adopted = list("adopted").into_iter().map(|row| (text(&row["from"]), json!([row["to"], rounded(&row["ttl"])])));
    adopted.chain(list("skipped").into_iter().map(|row| (text(&row["key"]), row["reason"].clone()))).collect()
}

fn rounded(ttl: &Value) -> i64 {
    let ttl = ttl.as_i64().unwrap();
    if ttl > 0 { (ttl + 99) / 100 * 100 } else { ttl }
}

fn map(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[tokio::test]
async fn strays_are_renamed_only_if_the_caller_says_so() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["user:1:tokens", "user:1:name", "session:1"]);
        stage.redis.run(&["SET", "user:2:tokens", "x", "EX", "100"]);
        let expected = map(&[
            ("user:1:tokens", json!(["app:user:1:tokens", 3300])),
            ("user:2:tokens", json!(["app:user:2:tokens", 100])),
        ]);
        for body in [json!({"match": "user:*:tokens"}), json!({"match": "user:*:tokens", "dryRun": true})] {
            let told = stage.adopt(body).await;
            assert_eq!((&told["dryRun"], &told["cursor"]), (&json!(true), &json!(null)));
            assert_eq!(outcomes(&told), expected);
            assert_eq!(stage.redis.run(&["EXISTS", "user:1:tokens", "user:2:tokens"]), 2);
        }
        let done = stage.adopt(json!({"match": "user:*:tokens", "dryRun": false})).await;
        assert_eq!((&done["dryRun"], outcomes(&done)), (&json!(false), expected));
        assert_eq!(stage.redis.run(&["EXISTS", "user:1:tokens", "user:2:tokens"]), 0);
        assert_eq!(stage.redis.run(&["GET", "app:user:1:tokens"]), "value");
        // Those without expiry get the rule's, others keep their own.
        assert!((3299..=3300).contains(&stage.ttl("app:user:1:tokens")));
        assert!((99..=100).contains(&stage.ttl("app:user:2:tokens")));
        // No rule is about this one.
        stage.adopt(json!({"match": "user:1:name", "dryRun": false})).await;
        assert_eq!((stage.ttl("app:user:1:name"), stage.ttl("session:1")), (-1, -1));
    }
}

#[tokio::test]
async fn an_existing_key_is_never_overwritten() {
    let stage = Stage::new();
    stage.redis.run(&["SET", "session:1", "stray"]);
    stage.redis.run(&["SET", "app:session:1", "own"]);
    for dry_run in [true, false] {
        let told = stage.adopt(json!({"match": "session:*", "dryRun": dry_run})).await;
        assert_eq!(outcomes(&told), map(&[("session:1", json!("exists"))]));
    }
    assert_eq!(stage.redis.run(&["MGET", "session:1", "app:session:1"]), json!(["stray", "own"]));
    assert_eq!(stage.ttl("app:session:1"), -1);
}

/// What the gateway has seen may have changed by the time it renames.
#[test]
fn what_happens_meanwhile_is_seen_by_the_script_itself() {
    const SCRIPT: &str =
        concat!(include_str!("../../src/namespaces/scanning.lua"), include_str!("../../src/namespaces/adopt.lua"));
    let redis = Redis::own();
    for command in [["SET", "taken", "stray"], ["SET", "app:taken", "own"], ["SET", "free", "stray"]] {
        redis.run(&command);
    }
    let outcomes =
        redis.run(&["EVAL", SCRIPT, "0", "app:", "=taken", "60", "=free", "", "=gone", "60", "x66726565", ""]);
    assert_eq!(outcomes, json!(["exists", -1, "gone", "gone"]));
    assert_eq!(redis.run(&["MGET", "taken", "app:taken", "app:free"]), json!(["stray", "own", "stray"]));
    assert_eq!(redis.run(&["TTL", "app:taken"]), -1);
}

#[tokio::test]
async fn a_key_of_another_namespace_is_never_adopted() {
    let stage = Stage::new();
    stage.set(&["app:1", "a*b:1", "[x]:1", "aab:1", "x:1"]);
    let done = stage.adopt(json!({"match": "*", "dryRun": false})).await;
    assert_eq!(outcomes(&done), map(&[("aab:1", json!(["app:aab:1", -1])), ("x:1", json!(["app:x:1", -1]))]));
    assert_eq!(stage.redis.run(&["EXISTS", "app:1", "a*b:1", "[x]:1", "app:aab:1", "app:x:1"]), 5);
    // What was adopted is no stray any more.
    let again = stage.adopt(json!({"match": "*", "dryRun": false})).await;
    assert_eq!((outcomes(&again), stage.size()), (map(&[]), 5));
}

#[tokio::test]
async fn a_prefix_is_given_as_it_is() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["1"]);
        stage.set_bytes("\\255");
        let call = stage.gateway.post("/namespaces/star/adopt").api_key();
        let done = call.json(json!({"match": "*", "dryRun": false})).send().await.ok();
        let expected = map(&[("1", json!(["a*b:1", -1])), ("\u{fffd}", json!(["a*b:\u{fffd}", -1]))]);
        assert_eq!(outcomes(&done), expected);
        assert_eq!(stage.redis.run(&["EVAL", "return redis.call('EXISTS', 'a*b:1', 'a*b:\\255')", "0"]), 2);
    }
}

#[tokio::test]
async fn what_the_rest_routes_keep_is_left_alone() {
    let stage = Stage::new();
    let alice = json!([{"username": "alice"}]);
    stage.gateway.post("/sync/users").api_key().json(alice).send().await.ok();
    stage.set(&["user:1"]);
    let before = stage.size();
    let done = stage.adopt(json!({"match": "user*", "dryRun": false})).await;
    let expected =
        [("user:alice", json!("managed")), ("users:regular", json!("managed")), ("user:1", json!(["app:user:1", -1]))];
    assert_eq!((outcomes(&done), stage.size()), (map(&expected), before));
}

#[tokio::test]
async fn the_acl_judges_each_key() {
    let stage = Stage::with_acl("~app:* ~session:* %R~user:* +scan +renamenx");
    stage.set(&["session:1", "user:1:tokens", "secret:1"]);
    for dry_run in [true, false] {
        let call = stage.gateway.post("/namespaces/app/adopt").header("x-api-key", BOUND);
        let told = call.json(json!({"match": "*", "dryRun": dry_run})).send().await.ok();
        // Of those that it may not read it learns nothing.
        let expected = [("session:1", json!(["app:session:1", 3600])), ("user:1:tokens", json!("denied"))];
        assert_eq!(outcomes(&told), map(&expected));
    }
    assert_eq!(stage.redis.run(&["EXISTS", "app:session:1", "user:1:tokens", "secret:1"]), 3);
    assert!((3599..=3600).contains(&stage.ttl("app:session:1")));
}

#[tokio::test]
async fn many_strays_are_adopted_in_several_requests() {
    let stage = Stage::new();
    stage.fill(5000);
    let (mut adopted, mut cursor, mut requests) = (BTreeMap::new(), Value::Null, 0);
    loop {
        let body = json!({"match": "other:*", "dryRun": false, "cursor": cursor});
        let answer = stage.gateway.post("/namespaces/app/adopt").api_key().json(body).send().await;
        assert!((1..=11).contains(&trips(&answer)), "{}", trips(&answer));
        let body = answer.ok();
        assert!(body["adopted"].as_array().unwrap().len() < 600 && body["skipped"] == json!([]));
        adopted.extend(outcomes(&body));
        requests += 1;
        cursor = body["cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert!(adopted.len() == 2500 && requests >= 5, "{} {requests}", adopted.len());
    let left = stage.redis.run(&["EVAL", "return #redis.call('KEYS', 'app:other:*')", "0"]);
    assert_eq!((left, stage.size()), (json!(2500), 5000));
}

#[tokio::test]
async fn a_server_that_is_out_of_memory_adopts_nothing() {
    let stage = Stage::new();
    stage.set(&["session:1"]);
    stage.redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let call = stage.gateway.post("/namespaces/app/adopt").api_key();
    let answer = call.json(json!({"match": "session:*", "dryRun": false})).send().await;
    assert_eq!(answer.code(), (503, "redis_unavailable".to_owned()));
    assert_eq!(stage.redis.run(&["EXISTS", "session:1"]), 1);
}
