//! SPEC 8, `POST /admin/reconcile` and the timer: what is counted is compared with what there is, told, and mended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "reconcile/damage.rs"]
mod damage;
#[path = "reconcile/strangers.rs"]
mod strangers;
#[path = "reconcile/timer.rs"]
mod timer;
#[path = "reconcile/underway.rs"]
mod underway;

mod social;
mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use social::{World, seed::Seed};
use support::{Answer, Gateway, NOW_MS, token};

/// A difference: key, field or member, what is stored, what was counted.
type Difference = [String; 4];

fn difference(parts: [&str; 4]) -> Difference {
    parts.map(str::to_owned)
}

async fn send(gateway: &Gateway, body: Value) -> Answer {
    gateway.post("/admin/reconcile").api_key().json(body).send().await
}

/// Runs from beginning to end, and gives what was found.
async fn run(gateway: &Gateway, mode: &str) -> BTreeSet<Difference> {
    let (mut found, mut cursor) = (BTreeSet::new(), Value::Null);
    loop {
        let body = send(gateway, json!({"mode": mode, "cursor": cursor})).await.ok();
        assert_eq!((body.as_object().unwrap().len(), &body["mode"]), (4, &json!(mode)), "{body}");
        found.extend(body["differences"].as_array().unwrap().iter().map(read));
        cursor = body["cursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

fn read(difference: &Value) -> Difference {
    assert_eq!(difference.as_object().unwrap().len(), 4, "{difference}");
    ["key", "field", "stored", "counted"].map(|part| difference[part].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_empty_redis_has_nothing_to_compare() {
    let world = World::own();
    for mode in ["report", "mend"] {
        let answer = send(&world.gateway, json!({"mode": mode})).await;
        assert_eq!(answer.ok(), json!({"mode": mode, "checked": 0, "differences": [], "cursor": null}));
        assert_eq!(answer.header("x-redis-round-trips"), "1");
    }
    assert!(world.redis.keyspace().is_empty());
}

#[tokio::test]
async fn it_needs_a_mode_and_takes_no_cursor_that_it_did_not_give() {
    let world = World::shared();
    for (body, sentence) in [
        (json!({}), "Field 'mode' is required"),
        (json!({"mode": "repair"}), "Field 'mode' must be report or mend"),
        (json!({"mode": "off"}), "Field 'mode' must be report or mend"),
        (json!({"mode": true}), "Field 'mode' must be a string"),
        (json!({"mode": "mend", "cursor": 5}), "Field 'cursor' must be a string"),
        (json!({"mode": "mend", "cursor": ""}), "Field 'cursor' is none that this route gave"),
        (json!({"mode": "mend", "cursor": "x"}), "Field 'cursor' is none that this route gave"),
        (json!({"mode": "mend", "cursor": "-1"}), "Field 'cursor' is none that this route gave"),
        (json!({"mode": "mend", "cursor": "18446744073709551616"}), "Field 'cursor' is none that this route gave"),
        (json!(["report"]), "The body must be a JSON object"),
    ] {
        let answer = send(&world.gateway, body.clone()).await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{body}");
        assert_eq!(answer.refusal().1, sentence, "{body}");
    }
    let get = world.get("/admin/reconcile").api_key().send().await;
    assert_eq!((get.code(), get.header("allow")), ((405, "method_not_allowed".into()), "POST"));
}

#[tokio::test]
async fn only_api_keys_of_scope_admin_may() {
    let keys = json!([
        {"name": "admin", "key": "admin", "scopes": ["admin"]},
        {"name": "others", "key": "others", "scopes": ["proxy", "rest", "sync", "act-as", "gateway"]},
    ]);
    let world = World::with(&[("API_KEYS", &keys.to_string())]);
    let call = || world.post("/admin/reconcile").json(json!({"mode": "report"}));
    assert_eq!(call().send().await.refusal(), (401, "Missing token".into()));
    let refused = call().header("x-api-key", "others").send().await;
    assert_eq!(refused.code(), (403, "missing_scope".into()));
    assert_eq!(refused.refusal().1, "This API key lacks the scope 'admin'");
    for role in ["user", "admin"] {
        let refused = call().bearer(&token::of("boss", role)).send().await;
        assert_eq!(refused.code(), (403, "admin_only".into()), "{role}");
    }
    assert_eq!(call().header("x-api-key", "admin").send().await.status, 200);
}

/// Many more users than one request looks at, each hundredth with a follower too many.
fn crowd() -> (Seed, BTreeSet<Difference>) {
    let (mut seed, mut wrong) = (Seed::default(), BTreeSet::new());
    for n in 0..4000 {
        let name = format!("u{n}");
        seed.user(&name, &json!({}));
        if n % 100 == 0 {
            wrong.insert(difference([&format!("user:{name}"), "followerCount", "1", "0"]));
        }
    }
    (seed, wrong)
}

#[tokio::test]
async fn a_large_keyspace_is_gone_through_from_cursor_to_cursor() {
    let world = World::own().at(NOW_MS);
    let (seed, wrong) = crowd();
    seed.fill(&world.redis);
    for [key, ..] in &wrong {
        world.redis.run(&["HSET", key, "followerCount", "1"]);
    }
    let before = world.redis.keyspace();
    let (mut found, mut cursor, mut checked, mut requests) = (BTreeSet::new(), json!("0"), 0, 0);
    while !cursor.is_null() {
        // Any isolate may go on.
        let isolate = Gateway::on(&world.redis);
        let answer = send(&isolate, json!({"mode": "report", "cursor": cursor})).await;
        let trips: u32 = answer.header("x-redis-round-trips").parse().unwrap();
        assert!((1..=10).contains(&trips), "{trips}");
        let body = answer.ok();
        checked += body["checked"].as_i64().unwrap();
        found.extend(body["differences"].as_array().unwrap().iter().map(read));
        cursor = body["cursor"].clone();
        requests += 1;
    }
    assert!(requests > 1 && checked >= 4000, "{requests} requests, {checked} checked");
    assert_eq!(found, wrong);
    assert_eq!(world.redis.keyspace(), before);
    assert_eq!(run(&world.gateway, "mend").await, wrong);
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
}

/// The proxy lets a backend count by itself; here is where it shows that it counted otherwise.
#[tokio::test]
async fn what_a_backend_has_counted_itself_shows_as_a_difference() {
    let world = World::own().at(NOW_MS);
    let first = json!([
        ["HSET", "user:alice", "username", "alice", "role", "model", "followerCount", 7],
        ["HSET", "user:bob", "username", "bob"],
        ["HINCRBY", "user:bob", "postCount", 3],
        ["HINCRBY", "user:bob", "followingCount", -2],
    ]);
    assert_eq!(world.gateway.write(first).await, json!([3, 1, 3, -2]));
    let wrong = BTreeSet::from([
        difference(["user:alice", "followerCount", "7", "0"]),
        difference(["user:bob", "postCount", "3", "0"]),
        difference(["user:bob", "followingCount", "-2", "0"]),
    ]);
    assert_eq!(run(&world.gateway, "report").await, wrong);
    assert_eq!(run(&world.gateway, "mend").await, wrong);
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
    assert_eq!(world.field("user:alice", "followerCount"), "0");
}
