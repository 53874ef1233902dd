//! While a large deletion, a ban or a change of names is under way, nothing is wrong, and nothing gets wrong by mending.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    run,
    social::{
        World,
        seed::{LONG_AGO_MS, Seed},
    },
    support::{NOW_MS, keyspace::differences},
};

/// A model with many posts and followers, whose first post nearly everyone likes, bookmarks and comments on.
fn famous() -> Seed {
    let mut seed = Seed::default();
    seed.user("famous", &json!({"role": "model"})).user("other", &json!({}));
    for n in 0..1100 {
        let post = format!("p{n}");
        seed.post(&post, "famous", &["t"], LONG_AGO_MS + n).like(&post, "other");
    }
    for n in 0..500 {
        let fan = format!("fan{n}");
        seed.user(&fan, &json!({})).follow(&fan, "famous").follow("famous", &fan);
        seed.like("p0", &fan).bookmark("p0", &fan).comment(&format!("c{n}"), "p0", &fan);
    }
    seed
}

/// Does something large, and compares between all steps of it. Once with mending between them, it must come to the same.
async fn check(method: &str, path: &str, body: Option<Value>) {
    let mut ends = Vec::new();
    for mode in ["report", "mend"] {
        let world = World::own().at(NOW_MS);
        famous().fill(&world.redis);
        assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
        let call = world.gateway.call(method, path).api_key();
        let call = if let Some(body) = &body { call.json(body.clone()) } else { call };
        let answer = call.send().await;
        assert!(answer.status < 300, "{}", answer.text());
        assert!(world.exists("jobs:pending"), "{method} {path} is not large");
        let mut steps = 0;
        loop {
            assert_eq!(
                run(&world.gateway, mode).await,
                BTreeSet::new(),
                "{method} {path}, {mode}, after {steps} steps"
            );
            steps += 1;
            if world.gateway.work(1).await == Some(0) {
                break;
            }
        }
        assert_eq!(run(&world.gateway, mode).await, BTreeSet::new(), "{method} {path}, {mode}, at the end");
        ends.push(world.redis.keyspace());
    }
    assert_eq!(differences(&ends[1], &ends[0]), [""; 0]);
}

#[tokio::test]
async fn deleting_a_user() {
    check("DELETE", "/users/famous", None).await;
}

#[tokio::test]
async fn deleting_a_post() {
    check("DELETE", "/posts/p0", None).await;
}

#[tokio::test]
async fn banning_a_post() {
    check("PATCH", "/posts/p0/ban", None).await;
}

#[tokio::test]
async fn new_names() {
    check("PATCH", "/users/famous", Some(json!({"display_name": "More Famous"}))).await;
}
