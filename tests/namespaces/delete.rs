//! `DELETE /namespaces/:ns/keys`

use serde_json::{Value, json};

use super::{BOUND, Stage, encoded, trips};

/// Follows the cursor to its end; gives how many were deleted and denied, and the number of requests.
async fn delete(stage: &Stage, key: &str, pattern: &str) -> (u64, u64, u32) {
    let (mut cursor, mut sum) = (String::new(), (0, 0, 0));
    loop {
        let path = format!("/namespaces/app/keys?match={}{cursor}", encoded(pattern));
        let answer = stage.gateway.call("DELETE", &path).header("x-api-key", key).send().await;
        assert!((1..=11).contains(&trips(&answer)), "{}", trips(&answer));
        let body = answer.ok();
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        let number = |name: &str| body[name].as_u64().unwrap();
        sum = (sum.0 + number("deleted"), sum.1 + number("denied"), sum.2 + 1);
        let Some(next) = body["cursor"].as_str() else { return sum };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn only_what_matches_in_the_namespace_is_deleted() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["app:session:1", "app:session:2", "app:user:1", "xapp:session:1", "other:session:1"]);
        stage.set_bytes("app:session:\\255");
        let deleted = |count: u64| json!({"deleted": count, "denied": 0, "cursor": null});
        let path = |pattern: &str| format!("/namespaces/app/keys?match={}", encoded(pattern));
        assert_eq!(stage.send("DELETE", &path("*:session:[0-9]")).await.ok(), deleted(2));
        assert_eq!(stage.send("DELETE", &path("app:session:*")).await.ok(), deleted(1));
        assert_eq!(stage.send("DELETE", &path("app:session:*")).await.ok(), deleted(0));
        assert_eq!(stage.size(), 3);
        assert_eq!(stage.send("DELETE", &path("*")).await.ok(), deleted(1));
        assert_eq!(stage.redis.run(&["EXISTS", "xapp:session:1", "other:session:1"]), 2);
    }
}

#[tokio::test]
async fn a_large_namespace_is_deleted_in_several_requests() {
    let stage = Stage::new();
    stage.fill(50_000);
    let (deleted, denied, requests) = delete(&stage, super::support::API_KEY, "*").await;
    assert_eq!((deleted, denied, stage.size()), (25_000, 0, 25_000));
    assert!(requests >= 3, "{requests}");
}

#[tokio::test]
async fn the_acl_judges_each_key() {
    for stage in Stage::both("~app:session:* %W~app:é* %R~app:user:* +scan +unlink") {
        stage.set(&["app:session:1", "app:session:2", "app:user:1", "app:other:1", "[x]:1", "app:é"]);
        stage.set_bytes("app:session:\\255");
        stage.set_bytes("app:\\195\\169\\255");
        let answer = stage.bound("DELETE", "/namespaces/app/keys?match=*").await;
        assert_eq!((answer.ok(), trips(&answer)), (json!({"deleted": 5, "denied": 1, "cursor": null}), 2));
        assert_eq!(stage.redis.run(&["EXISTS", "app:user:1", "app:other:1", "[x]:1"]), 3);
        assert_eq!(stage.size(), 3);
    }
}

#[tokio::test]
async fn keys_are_judged_in_several_requests() {
    let stage = Stage::with_acl("~app:1* ~app:2* +scan +unlink");
    stage.fill(20_000);
    let expected =
        (1..=20_000_u64).filter(|n| n % 2 == 1 && matches!(n.to_string().as_bytes()[0], b'1' | b'2')).count();
    let (deleted, denied, requests) = delete(&stage, BOUND, "app:*").await;
    assert_eq!((deleted, denied), (expected as u64, 0));
    assert!(requests >= 5, "{requests}");
    assert_eq!(stage.size(), 20_000 - deleted);
}

#[tokio::test]
async fn who_may_not_unlink_deletes_nothing() {
    let stage = Stage::with_acl("~* +@all -unlink");
    stage.set(&["app:1", "app:2"]);
    let answer = stage.bound("DELETE", "/namespaces/app/keys?match=*").await;
    assert_eq!((answer.ok(), stage.size()), (json!({"deleted": 0, "denied": 2, "cursor": null}), 2));
}

#[tokio::test]
async fn a_server_that_is_out_of_memory_still_deletes() {
    let stage = Stage::with_acl("~app:1* +@all");
    stage.set(&["app:1", "app:2"]);
    stage.redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let deleted = |answer: super::Answer| answer.ok()["deleted"].clone();
    assert_eq!(deleted(stage.bound("DELETE", "/namespaces/app/keys?match=*").await), Value::from(1));
    assert_eq!(deleted(stage.send("DELETE", "/namespaces/app/keys?match=*").await), Value::from(1));
    assert_eq!(stage.size(), 0);
}
