//! `GET /namespaces`

use serde_json::{Value, json};

use super::{Stage, trips};

/// The row of a namespace.
fn row<'a>(usage: &'a Value, name: &str) -> &'a Value {
    usage["namespaces"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()
}

/// Follows the cursor to its end, and gives the last answer and the number of requests.
async fn count(stage: &Stage) -> (Value, u32) {
    let (mut cursor, mut requests) = (String::new(), 0);
    loop {
        let answer = stage.send("GET", &format!("/namespaces{cursor}")).await;
        assert!((1..=10).contains(&trips(&answer)), "{}", trips(&answer));
        let usage = answer.ok();
        requests += 1;
        assert_eq!(usage["complete"], usage["cursor"].is_null());
        let Some(next) = usage["cursor"].as_str() else { return (usage, requests) };
        cursor = format!("?cursor={next}");
    }
}

#[tokio::test]
async fn keys_and_bytes_are_counted_in_one_round_trip() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["app:1", "app:2", "a*b:1", "aab:1", "a", "app", "zzz:app:1"]);
        stage.redis.run(&["SET", "app:3", "x", "EX", "500"]);
        stage.set_bytes("app:\\255");
        let weight = |keys: &[&str]| keys.iter().map(|key| bytes_of(&stage, key)).sum::<u64>();
        let app = weight(&["app:1", "app:2", "app:3", "app:\\255"]);
        let star = weight(&["a*b:1"]);
        let answer = stage.send("GET", "/namespaces").await;
        let expected = json!({
            "namespaces": [
                {"name": "app", "prefix": "app:", "keys": 4, "keysWithoutExpiry": 3, "bytes": app, "weighedKeys": 4},
                {"name": "star", "prefix": "a*b:", "keys": 1, "keysWithoutExpiry": 1, "bytes": star, "weighedKeys": 1},
                {"name": "class", "prefix": "[x]:", "keys": 0, "keysWithoutExpiry": 0, "bytes": 0, "weighedKeys": 0},
            ],
            "complete": true,
            "cursor": null,
        });
        assert_eq!((answer.ok(), trips(&answer)), (expected, 1));
    }
}

fn bytes_of(stage: &Stage, key: &str) -> u64 {
    let script = format!("return redis.call('MEMORY', 'USAGE', '{key}')");
    stage.redis.run(&["EVAL", &script, "0"]).as_u64().unwrap()
}

#[tokio::test]
async fn a_large_keyspace_is_counted_in_several_requests() {
    let stage = Stage::new();
    stage.fill(50_000);
    stage.redis.run(&["SET", "app:1", "x", "EX", "500"]);
    let (usage, requests) = count(&stage).await;
    assert!(requests >= 3, "{requests}");
    let app = row(&usage, "app");
    assert_eq!((&app["keys"], &app["keysWithoutExpiry"]), (&json!(25_000), &json!(24_999)));
    // All keys are alike, so the estimate is right, but for those that are a byte or two longer.
    let (bytes, one) = (app["bytes"].as_u64().unwrap(), bytes_of(&stage, "app:22221"));
    assert!((25_000 * (one - 8)..=25_000 * (one + 8)).contains(&bytes), "{bytes} {one}");
    assert!((20..=25_000).contains(&app["weighedKeys"].as_u64().unwrap()));
}

#[tokio::test]
async fn a_part_says_that_it_is_one() {
    let stage = Stage::new();
    stage.fill(50_000);
    let usage = stage.get("/namespaces").await;
    assert!(usage["complete"] == false && usage["cursor"].is_string());
    let keys = row(&usage, "app")["keys"].as_u64().unwrap();
    assert!((1..25_000).contains(&keys), "{keys}");
}

#[tokio::test]
async fn the_acl_binds() {
    let stage = Stage::with_acl("~app:* ~a[*]b:session:* +scan +ttl");
    stage.set(&["app:1", "a*b:1", "[x]:1"]);
    let usage = stage.bound("GET", "/namespaces").await.ok();
    let expected = json!([
        {"name": "app", "prefix": "app:", "keys": 1, "keysWithoutExpiry": 1, "bytes": null, "weighedKeys": null},
        // Of these it may know some; so Ridge does not count them.
        {"name": "star", "prefix": "a*b:", "keys": null, "keysWithoutExpiry": null, "bytes": null, "weighedKeys": null},
    ]);
    assert_eq!((&usage["namespaces"], &usage["complete"]), (&expected, &json!(true)));

    let all = Stage::with_acl("~* +scan +memory|usage");
    all.set(&["app:1"]);
    let usage = all.bound("GET", "/namespaces").await.ok();
    let app = row(&usage, "app");
    let told = (&app["keys"], &app["keysWithoutExpiry"], &app["bytes"]);
    assert_eq!(told, (&json!(1), &json!(null), &json!(bytes_of(&all, "app:1"))));
}

#[tokio::test]
async fn a_cursor_of_another_key_is_none() {
    let stage = Stage::with_acl("~app:* +scan");
    stage.fill(50_000);
    let cursor = stage.get("/namespaces").await["cursor"].as_str().unwrap().to_owned();
    let answer = stage.bound("GET", &format!("/namespaces?cursor={cursor}")).await;
    assert_eq!(answer.refusal(), (400, "Parameter 'cursor' is none that this route gave".to_owned()));
    let own = stage.bound("GET", "/namespaces").await.ok()["cursor"].as_str().unwrap().to_owned();
    assert_eq!(stage.bound("GET", &format!("/namespaces?cursor={own}")).await.status, 200);
}

#[tokio::test]
async fn a_server_that_does_not_weigh_keys_leaves_the_bytes_unknown() {
    let stage = Stage::new();
    stage.set(&["app:1"]);
    stage.redis.run(&["ACL", "SETUSER", "default", "-memory"]);
    let usage = stage.get("/namespaces").await;
    let app = row(&usage, "app");
    assert_eq!((&app["keys"], &app["bytes"], &app["weighedKeys"]), (&json!(1), &json!(null), &json!(null)));
    assert_eq!(row(&usage, "class")["bytes"], 0);
}
