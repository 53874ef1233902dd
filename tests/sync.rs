//! SPEC 8, `POST /sync/…`: every kind of item, made, changed, left alone and taken away; broken items beside good ones; and
//! that a list sent twice changes nothing the second time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "sync/lists.rs"]
mod lists;
#[path = "sync/posts.rs"]
mod posts;
#[path = "sync/relations.rs"]
mod relations;
#[path = "sync/users.rs"]
mod users;

mod social;
mod support;

use serde_json::Value;
use social::World;
use support::{Answer, NOW_MS, keyspace::differences};

/// An hour after [`NOW_MS`].
const LATER_MS: u64 = NOW_MS + 3_600_000;

/// Sends a list, and gives what became of each item: its status, with the sentence of an error.
async fn sync(world: &World, kind: &str, items: Value) -> Vec<String> {
    let answer = world.post(&format!("/sync/{kind}")).api_key().json(items).send().await;
    // A list of broken items alone costs none.
    assert!(["0", "1"].contains(&answer.header("x-redis-round-trips")), "{}", answer.text());
    outcomes(&answer)
}

/// What became of each item.
fn outcomes(answer: &Answer) -> Vec<String> {
    let body = answer.ok();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["results"].as_array().unwrap().iter().map(outcome).collect()
}

fn outcome(result: &Value) -> String {
    let fields = result.as_object().unwrap().len();
    match (result["status"].as_str().unwrap(), result["error"].as_str()) {
        ("error", Some(sentence)) if fields == 2 => format!("error: {sentence}"),
        (status @ ("created" | "updated" | "unchanged" | "deleted"), None) if fields == 1 => status.to_owned(),
        _ => panic!("no outcome: {result}"),
    }
}

/// Sends a list, and the same an hour later. The second time must change nothing, whatever it says. Gives both outcomes.
async fn sync_twice(world: &World, kind: &str, items: Value) -> [Vec<String>; 2] {
    let first = sync(world, kind, items.clone()).await;
    let before = (world.redis.keyspace(), world.redis.expiring_keys());
    world.set_ms(LATER_MS);
    let second = sync(world, kind, items).await;
    let after = (world.redis.keyspace(), world.redis.expiring_keys());
    let changes = differences(&after.0, &before.0);
    assert!(changes.is_empty(), "{kind}, the second time:\n{}", changes.join("\n"));
    assert_eq!(after.1, before.1, "{kind}: what expires");
    [first, second]
}
