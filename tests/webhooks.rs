//! SPEC 8, `POST /webhooks/…`: eight events, from who holds an API key or can sign, and none of them twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "webhooks/seen.rs"]
mod seen;
#[path = "webhooks/signed.rs"]
mod signed;

mod social;
mod support;

use serde_json::{Value, json};
use social::World;
use support::{Answer, Gateway, NOW_MS, unique};

/// What became of an event that was accepted: its status and whether anything changed. One round trip.
fn received(answer: &Answer) -> (String, bool) {
    let body = answer.ok();
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    assert_eq!(answer.header("x-redis-round-trips"), "1");
    (body["status"].as_str().unwrap().to_owned(), body["changed"].as_bool().unwrap())
}

fn changed(status: &str) -> (String, bool) {
    (status.to_owned(), true)
}

fn unchanged() -> (String, bool) {
    ("unchanged".to_owned(), false)
}

/// Sends an event with the API key.
async fn send(gateway: &Gateway, event: &str, item: &Value) -> Answer {
    gateway.post(&format!("/webhooks/{event}")).api_key().json(item.clone()).send().await
}

#[tokio::test]
async fn each_event_is_applied_and_the_second_time_changes_nothing() {
    let world = World::own().at(NOW_MS);
    world.make("bob", json!({})).await;
    let post = json!({"id": "p", "username": "alice", "content": "Hello #rust", "created_at": 1_700_000_000_000_i64});
    let follow = json!({"follower": "bob", "following": "alice", "created_at": 1_700_000_000_001_i64});
    let like = json!({"username": "bob", "post_id": "p", "created_at": 1_700_000_000_002_i64});
    let gone = ["user:alice", "post:p", "user:bob:liked", "user:bob:following", "explore:feed", "user:alice:followers"];
    let expectations: [(&str, Value, &str, &[&str]); 9] = [
        ("user-update", json!({"username": "alice", "display_name": "Alice", "role": "model"}), "created", &[]),
        ("user-update", json!({"username": "alice", "bio": "b", "display_name": null}), "updated", &[]),
        ("post-create", post, "created", &[]),
        ("follow", follow.clone(), "created", &[]),
        ("like", like.clone(), "created", &[]),
        ("unlike", like, "deleted", &["user:bob:liked", "post:p:likes"]),
        ("unfollow", follow, "deleted", &["user:bob:following", "user:alice:followers"]),
        ("post-delete", json!({"id": "p"}), "deleted", &["post:p", "explore:feed", "hashtag:rust:posts"]),
        ("user-delete", json!({"username": "alice"}), "deleted", &gone),
    ];
    for (event, item, status, gone) in expectations {
        assert_eq!(received(&send(&world.gateway, event, &item).await), changed(status), "{event}");
        let stored = world.redis.keyspace();
        assert_eq!(received(&send(&world.gateway, event, &item).await), unchanged(), "{event}");
        assert_eq!(world.redis.keyspace(), stored, "{event}");
        assert!(gone.iter().all(|key| !stored.contains_key(*key)), "{event}: {stored:?}");
        match event {
            "post-create" => assert_eq!(world.field("post:p", "hashtags"), "rust"),
            "follow" => assert_eq!(world.score("user:alice:followers:since", "bob"), "1700000000001"),
            "like" => assert_eq!(world.score("user:bob:liked", "p"), "1700000000002"),
            _ => {}
        }
    }
}

/// An event is one item of the sync route of the same meaning, with the same words for what is wrong.
#[tokio::test]
async fn what_no_item_may_say_is_400() {
    let world = World::shared();
    for (event, item, sentence) in [
        ("user-update", json!({}), "Field 'username' is required"),
        ("user-update", json!({"username": "a", "role": "king"}), "Field 'role' must be one of admin, user, model"),
        (
            "user-update",
            json!({"username": "a", "postCount": 1}),
            "Field 'postCount' is counted by the gateway and cannot be set",
        ),
        ("user-delete", json!({"username": 1}), "Field 'username' must be a string"),
        ("post-create", json!({"username": "a"}), "Field 'content' is required"),
        ("post-delete", json!({"username": "a"}), "Field 'id' is required"),
        (
            "follow",
            json!({"follower": "a", "following": "a"}),
            "Field 'following' must be another user than 'follower'",
        ),
        ("unfollow", json!({"follower": "a"}), "Field 'following' is required"),
        ("like", json!({"username": "a"}), "Field 'post_id' is required"),
        ("unlike", json!({"username": "a", "post_id": 5}), "Field 'post_id' must be a string"),
        (
            "like",
            json!({"username": "a", "post_id": "p", "created_at": "now"}),
            "Field 'created_at' must be an integer",
        ),
        ("like", json!({"username": "a", "post_id": "p", "deleted": 1}), "Field 'deleted' must be true or false"),
        ("like", json!([{"username": "a", "post_id": "p"}]), "The body must be a JSON object"),
    ] {
        let answer = send(&world.gateway, event, &item).await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{event}: {}", answer.text());
        assert_eq!(answer.refusal().1, sentence, "{event}");
        assert_eq!(answer.header("x-redis-round-trips"), "0");
    }
    for body in [&b""[..], b"x", b"\xff"] {
        let answer = world.post("/webhooks/like").api_key().body(body).send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()));
    }
    let long = world.post("/webhooks/like").api_key().body("x".repeat((1 << 20) + 1)).send().await;
    assert_eq!(long.code(), (413, "body_too_large".into()));
}

#[tokio::test]
async fn what_the_data_does_not_allow_is_404_or_409() {
    let world = World::shared();
    let (author, reader, nobody) = (world.user("author").await, world.user("reader").await, unique("nobody"));
    let post = world.write(&author, "x").await;
    for (event, item, status, code) in [
        ("post-create", json!({"username": nobody, "content": "x"}), 404, "user_not_found"),
        ("post-create", json!({"id": post, "username": reader, "content": "x"}), 409, "conflict"),
        ("follow", json!({"follower": nobody, "following": reader}), 404, "user_not_found"),
        ("follow", json!({"follower": reader, "following": nobody}), 404, "user_not_found"),
        ("like", json!({"username": nobody, "post_id": post}), 404, "user_not_found"),
        ("like", json!({"username": reader, "post_id": unique("post")}), 404, "post_not_found"),
    ] {
        let answer = send(&world.gateway, event, &item).await;
        assert_eq!(answer.code(), (status, code.into()), "{event} {item}");
    }
    // What is to be gone and is not there is as it should be.
    for (event, item) in [
        ("user-delete", json!({"username": nobody})),
        ("post-delete", json!({"id": unique("post")})),
        ("unfollow", json!({"follower": reader, "following": nobody})),
        ("unlike", json!({"username": reader, "post_id": unique("post")})),
    ] {
        assert_eq!(received(&send(&world.gateway, event, &item).await), unchanged(), "{event}");
    }
    assert!(!world.exists(&format!("user:{nobody}")));
}

/// The event says what happened; an item that says so too, or says the opposite, changes nothing about that.
#[tokio::test]
async fn an_item_may_say_itself_that_something_is_gone() {
    let world = World::shared();
    let (author, reader) = (world.user("author").await, world.user("reader").await);
    let post = world.write(&author, "x").await;
    let item = |deleted: bool| json!({"username": reader, "post_id": post, "deleted": deleted});
    for (event, deleted, expected) in [
        ("like", false, changed("created")),
        ("like", true, changed("deleted")),
        ("like", false, changed("created")),
        ("unlike", false, changed("deleted")),
        ("unlike", true, unchanged()),
    ] {
        assert_eq!(received(&send(&world.gateway, event, &item(deleted)).await), expected, "{event}, {deleted}");
    }
}

#[tokio::test]
async fn there_are_eight_events_and_one_method() {
    let world = World::shared();
    for event in ["user-create", "post-update", "bookmark", "comment", "LIKE", "like%20", "x"] {
        let answer = send(&world.gateway, event, &json!({})).await;
        assert_eq!(answer.code(), (404, "not_found".into()), "{event}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let answer = world.gateway.call(method, "/webhooks/like").api_key().send().await;
        assert_eq!((answer.code(), answer.header("allow")), ((405, "method_not_allowed".into()), "POST"), "{method}");
    }
}

#[tokio::test]
async fn a_large_deletion_is_completed_by_whoever_works_next() {
    let world = World::own();
    let users: Vec<Value> = ["famous".to_owned()]
        .into_iter()
        .chain((0..900).map(|n| format!("fan{n}")))
        .map(|name| json!({"username": name}))
        .collect();
    let follows: Vec<Value> = (0..900).map(|n| json!({"follower": format!("fan{n}"), "following": "famous"})).collect();
    for (kind, items) in [("users", users), ("follows", follows)] {
        assert_eq!(world.post(&format!("/sync/{kind}")).api_key().json(items).send().await.status, 200);
    }
    let item = json!({"username": "famous"});
    assert_eq!(received(&send(&world.gateway, "user-delete", &item).await), changed("deleted"));
    assert_eq!(send(&world.gateway, "user-update", &item).await.code(), (409, "conflict".into()));
    world.gateway.finish_jobs().await;
    assert!(!world.exists("user:famous:followers") && !world.exists("user:fan7:following"));
    assert_eq!(received(&send(&world.gateway, "user-update", &item).await), changed("created"));
}
