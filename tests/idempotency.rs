//! SPEC 6, `Idempotency-Key`: a post is made once, however often the request comes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{World, id_of, status_and_body};
use support::{Answer, NOW_MS, unique};

async fn post_once(world: &World, author: &str, key: &str, content: &str) -> Answer {
    let call = world.post("/posts").user(author).header("idempotency-key", key);
    call.json(json!({"content": content})).send().await
}

#[tokio::test]
async fn the_same_key_gives_the_same_post_again() {
    let world = World::shared().at(NOW_MS);
    let (name, other) = (world.user("once").await, world.user("other").await);
    let first = post_once(&world, &name, "key-1", "first").await;
    assert_eq!(first.status, 201);
    world.set_ms(NOW_MS + 60_000);
    for content in ["first", "something else"] {
        let again = post_once(&world, &name, "key-1", content).await;
        assert_eq!(status_and_body(&again), status_and_body(&first));
    }
    assert_eq!(world.user_seen_by(&name, "me").await["postCount"], 1);
    // Another key and another user's key are others.
    let ids: Vec<Value> = [
        first.json(),
        post_once(&world, &name, "key-2", "first").await.json(),
        post_once(&world, &other, "key-1", "first").await.json(),
    ]
    .map(|body| body["post"]["id"].clone())
    .into();
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_post() {
    let world = World::shared();
    let name = world.user("race").await;
    let calls: Vec<_> = (0..20).map(|_| post_once(&world, &name, "race", "x")).collect();
    let answers = futures_util::future::join_all(calls).await;
    let ids: std::collections::BTreeSet<String> = answers.iter().map(|a| id_of(&a.json()["post"])).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.ids(&name, "/users/me/posts").await.len(), 1);
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day_and_not_in_plain_text() {
    let world = World::own();
    world.make("alice", json!({})).await;
    post_once(&world, "alice", "my-order-4711", "x").await;
    let keys = world.redis.run(&["KEYS", "idempotency:*"]);
    let key = keys[0].as_str().unwrap();
    assert!(key.starts_with("idempotency:alice:") && !key.contains("4711"), "{key}");
    let seconds = world.redis.run(&["TTL", key]).as_i64().unwrap();
    assert!((86_300..=86_400).contains(&seconds), "{seconds}");
    world.redis.run(&["DEL", key]);
    post_once(&world, "alice", "my-order-4711", "x").await;
    assert_eq!(world.ids("alice", "/users/me/posts").await.len(), 2);
}

#[tokio::test]
async fn a_post_that_was_deleted_is_not_made_again_by_its_key() {
    let world = World::shared();
    let name = world.user("deleted").await;
    let id = id_of(&post_once(&world, &name, "k", "x").await.json()["post"]);
    world.does(&name, "DELETE", &format!("/posts/{id}")).await;
    assert_eq!(post_once(&world, &name, "k", "x").await.refusal(), (404, "Post not found".into()));
    assert_eq!(world.ids(&name, "/users/me/posts").await, [""; 0]);
}

#[tokio::test]
async fn a_refused_post_does_not_use_its_key_up() {
    let world = World::shared();
    let name = unique("late");
    assert_eq!(post_once(&world, &name, "k", "x").await.refusal(), (404, "User not found".into()));
    world.make(&name, json!({})).await;
    assert_eq!(post_once(&world, &name, "k", " ").await.status, 400);
    assert_eq!(post_once(&world, &name, "k", "x").await.status, 201);
}

#[tokio::test]
async fn a_key_is_up_to_255_visible_characters() {
    let world = World::shared();
    let name = world.user("header").await;
    assert_eq!(post_once(&world, &name, &"k".repeat(255), "x").await.status, 201);
    for key in ["", "a b", "ä", "a\tb", &"k".repeat(256)] {
        assert_eq!(post_once(&world, &name, key, "x").await.code(), (400, "bad_request".into()), "{key:?}");
    }
    let call = world.post("/posts").user(&name).header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(call.json(json!({"content": "x"})).send().await.status, 400);
}

#[tokio::test]
async fn the_same_post_again_says_what_became_of_it() {
    let world = World::shared();
    let name = world.user("later").await;
    let id = id_of(&post_once(&world, &name, "k", "x").await.json()["post"]);
    world.like(&name, &id).await;
    let again = post_once(&world, &name, "k", "x").await.json()["post"].take();
    assert_eq!(again, world.post_seen_by(&name, &id).await);
    assert_eq!((&again["likesCount"], &again["isLiked"]), (&json!(1), &json!(true)));
}
