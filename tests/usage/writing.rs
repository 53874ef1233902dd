//! How counts come into Redis: after the answers, once each, whatever breaks.

use serde_json::{Value, json};

use crate::{
    DAY_MS, Stage,
    hostile::{
        Stranger,
        tcp::{executes_then_cuts, healthy},
    },
    support::{API_KEY, Gateway, NOW_MS},
};

#[tokio::test]
async fn what_is_counted_is_written_after_the_answer_and_in_nobodys_round_trip() {
    let stage = Stage::new(&["proxy", "rest"]);
    stage.use_it().await;
    for (call, trips) in [
        (stage.app("POST", "/").json(json!(["GET", "a"])), "1"),
        (stage.app("POST", "/").json(json!(["SET", "a", "b"])), "0"),
        (stage.app("GET", "/whoami"), "0"),
    ] {
        assert_eq!(call.send().await.header("x-redis-round-trips"), trips);
    }
    assert_eq!(stage.redis.run(&["DBSIZE"]), 0);
    assert_eq!(stage.counts().await, [4, 2, 1]);
}

#[tokio::test]
async fn many_requests_leave_one_writing_and_those_after_it_another() {
    let stage = Stage::new(&[]);
    for expected in [50, 100] {
        for _ in 0..50 {
            stage.use_it().await;
        }
        assert_eq!(stage.gateway.finish_later().await, 1);
        assert_eq!(stage.counts().await, [expected, 0, 0]);
    }
    assert_eq!(stage.gateway.finish_later().await, 0);
}

#[tokio::test]
async fn the_counts_of_all_isolates_are_added_up() {
    let stage = Stage::new(&["proxy"]);
    let isolates: Vec<Gateway> = (0..3).map(|_| stage.another()).collect();
    for round in 1..=4 {
        for (n, isolate) in isolates.iter().enumerate() {
            isolate.host.set_ms(NOW_MS + 1000 * round - n as u64);
            let call = isolate.post("/").header("x-api-key", "app").json(json!([["GET", "a"], ["GET", "b"]]));
            call.send().await.ok();
        }
        // The latest use comes first, so that the one that is written last is not the last one.
        for isolate in &isolates {
            isolate.finish_later().await;
        }
        assert_eq!(stage.counts().await, [3 * round, 6 * round, 0]);
        assert_eq!(stage.usage_of("app").await["lastUsed"], NOW_MS + 1000 * round);
    }
}

#[tokio::test]
async fn while_redis_is_away_answers_wait_for_nothing_and_no_count_is_lost() {
    let stage = Stage::new(&["proxy"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    let before = stage.redis.run(&["HGETALL", "ridge:usage:2027-01-15"]);
    stage.redis.stop();
    for _ in 0..3 {
        stage.use_it().await;
        let answer = stage.app("POST", "/").json(json!(["GET", "a"])).send().await;
        assert_eq!(answer.status, 503);
        assert_eq!(stage.gateway.finish_later().await, 1);
    }
    let log = stage.gateway.log();
    let complaints: Vec<&Value> = log.iter().filter(|line| line["error"] == "usage_not_written").collect();
    assert_eq!(complaints.len(), 3);
    let expected = json!({"level": "warn", "error": "usage_not_written", "cause": "Redis is unreachable"});
    assert_eq!(*complaints[0], expected);

    stage.redis.restart();
    let words: Vec<&str> = before.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    stage.redis.run(&[&["HSET", "ridge:usage:2027-01-15"], &words[..]].concat());
    stage.use_it().await;
    assert_eq!(stage.counts().await, [8, 3, 0]);
}

#[tokio::test]
async fn a_writing_whose_outcome_is_unknown_is_sent_again_and_counts_once() {
    let mut stage = Stage::new(&[]);
    let port = stage.redis.port();
    let stranger = Stranger::start(executes_then_cuts(2, port), healthy(port)).await;
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let keys = stage.keys.to_string();
    stage.gateway = Gateway::with(&stage.redis, &[("REDIS_URL", &url), ("API_KEYS", &keys)]).at(NOW_MS);
    for _ in 0..3 {
        stage.use_it().await;
        stage.gateway.finish_later().await;
    }
    assert!(stranger.heard("EVAL") >= 6, "each writing is tried twice");
    // The first was done, and nobody knew; the others stand behind it.
    assert_eq!(stage.redis.run(&["HGET", "ridge:usage:2027-01-15", "requests:app"]), "1");
    stranger.heal();
    stage.use_it().await;
    assert_eq!(stage.counts().await, [4, 0, 0]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [5, 0, 0]);
}

#[tokio::test]
async fn a_writing_that_its_machine_gave_up_is_made_up_for() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    assert_eq!(stage.gateway.host.take_left().len(), 1);
    stage.use_it().await;
    assert_eq!(stage.gateway.host.take_left().len(), 0);
    stage.gateway.host.set_ms(NOW_MS + 60_000);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [3, 0, 0]);
}

#[tokio::test]
async fn two_writings_at_once_count_once() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    stage.gateway.host.set_ms(NOW_MS + 60_000);
    stage.use_it().await;
    assert_eq!(stage.gateway.finish_later().await, 2);
    assert_eq!(stage.counts().await, [2, 0, 0]);
}

#[tokio::test]
async fn everything_goes_by_itself_after_ninety_days() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    stage.told("").await;
    let keys = stage.redis.expiring_keys();
    assert_eq!(stage.redis.run(&["DBSIZE"]), keys.len());
    assert_eq!(keys.len(), 3, "{keys:?}");
    let lasts = |key: &str| stage.redis.run(&["TTL", key]).as_u64().unwrap().div_ceil(86_400);
    let lasts: Vec<(bool, u64)> = keys.iter().map(|key| (key.starts_with("ridge:usage:writer:"), lasts(key))).collect();
    assert_eq!(lasts, [(false, 90), (false, 90), (true, 1)]);

    // One key goes on being used, and the other one's last use is forgotten all the same.
    stage.gateway.get("/whoami").api_key().send().await.ok();
    stage.told("").await;
    stage.gateway.host.set_ms(NOW_MS + 90 * DAY_MS + 1);
    stage.gateway.get("/whoami").api_key().send().await.ok();
    assert_eq!(stage.usage_of("app").await["lastUsed"], Value::Null);
    assert_eq!(stage.usage_of("xano").await["lastUsed"], NOW_MS + 90 * DAY_MS + 1);
}

#[tokio::test]
async fn no_key_stands_in_redis() {
    let stage = Stage::new(&[]);
    stage.gateway.get("/whoami").api_key().header("x-request-id", "some-id").send().await.ok();
    stage.gateway.get("/users/alice").api_key().header("cf-connecting-ip", "192.0.2.7").send().await;
    stage.told("").await;
    let stored = format!("{:?}", stage.redis.keyspace());
    assert!(stored.contains("requests:xano"));
    let digest = ring::digest::digest(&ring::digest::SHA256, API_KEY.as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for secret in [API_KEY, &digest, "192.0.2.7", "alice", "some-id"] {
        assert!(!stored.contains(secret), "{secret} in {stored}");
    }
}

#[tokio::test]
async fn whoever_deletes_it_breaks_nothing() {
    let stage = Stage::new(&["proxy"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    stage.redis.run(&["FLUSHALL"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    // Somebody's own value in the place of a day: that day cannot be counted, and all others can.
    stage.redis.run(&["SET", "ridge:usage:2027-01-15", "mine"]);
    for _ in 0..3 {
        stage.use_it().await;
        stage.gateway.finish_later().await;
    }
    assert_eq!(stage.redis.run(&["GET", "ridge:usage:2027-01-15"]), "mine");
    assert_eq!(stage.another().get("/keys/usage").api_key().send().await.code(), (502, "redis_protocol_error".into()));
    stage.gateway.host.set_ms(NOW_MS + DAY_MS);
    stage.use_it().await;
    stage.gateway.finish_later().await;
    stage.redis.run(&["DEL", "ridge:usage:2027-01-15"]);
    assert_eq!(stage.usage_of("app").await["days"].as_array().unwrap().len(), 1);
    assert_eq!(stage.counts().await, [1, 0, 0]);
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_script_gets_it_again() {
    let stage = Stage::new(&[]);
    for expected in 1..4 {
        stage.use_it().await;
        assert_eq!(stage.counts().await, [expected, 0, 0]);
        stage.redis.run(&["SCRIPT", "FLUSH"]);
    }
}
