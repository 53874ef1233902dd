//! SPEC 6: a caller's own profile must exist for what writes in its name. The token of a deleted user is good until it
//! expires, and brings nothing back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Credentials as _, World, whole_refusal};
use support::{Call, audit::audit, token};

/// A world from which `ghost` was deleted, with another user's posts (one of them banned) and comment.
struct Haunted {
    world: World,
    post: String,
    banned: String,
    comment: String,
}

async fn haunted() -> Haunted {
    let world = World::own();
    for (name, role) in [("alice", "model"), ("ghost", "admin")] {
        world.make(name, json!({"role": role})).await;
    }
    let post = world.write("alice", "#t").await;
    let banned = world.write("alice", "#t").await;
    let comment = world.comment("alice", &post, "c").await;
    world.like("ghost", &post).await;
    world.comment("ghost", &post, "c").await;
    world.follow("ghost", "alice").await;
    world.write("ghost", "#t").await;
    world.ban(&banned).await;
    world.does("ghost", "DELETE", "/users/me").await;
    Haunted { world, post, banned, comment }
}

impl Haunted {
    /// What would write in the ghost's name.
    fn writes(&self) -> Vec<(&'static str, String)> {
        let post = |part: &str| format!("/posts/{}/{part}", self.post);
        vec![
            ("PATCH", "/users/me".into()),
            ("PATCH", "/users/ghost".into()),
            ("DELETE", "/users/me".into()),
            ("POST", "/users/alice/follow".into()),
            ("DELETE", "/users/alice/follow".into()),
            ("POST", "/posts".into()),
            ("POST", post("like")),
            ("DELETE", post("like")),
            ("POST", post("bookmark")),
            ("DELETE", post("bookmark")),
            ("POST", post("comments")),
        ]
    }

    /// Every credential in the ghost's name.
    fn as_ghost(&self, method: &str, path: &str) -> [Call; 4] {
        let body = if method == "PATCH" { json!({"bio": "boo"}) } else { json!({"content": "boo"}) };
        let call = || self.world.gateway.call(method, path).json(body.clone());
        [
            call().user("ghost"),
            call().bearer(&token::of("ghost", "model")),
            call().admin("ghost"),
            call().acting_as("ghost"),
        ]
    }
}

#[tokio::test]
async fn nothing_is_written_in_the_name_of_a_deleted_user() {
    let haunted = haunted().await;
    let before = haunted.world.redis.keyspace();
    for (method, path) in haunted.writes() {
        for call in haunted.as_ghost(method, &path) {
            let refusal = whole_refusal(&call.send().await);
            let expected = (404, "user_not_found".to_owned(), "User not found".to_owned());
            assert_eq!(refusal, expected, "{method} {path}");
        }
    }
    assert_eq!(haunted.world.redis.keyspace(), before);
    assert_eq!(audit(&haunted.world.redis), [""; 0]);
}

#[tokio::test]
async fn an_idempotency_key_of_a_deleted_user_finds_nothing() {
    let world = World::own();
    world.make("ghost", json!({})).await;
    let post = async || {
        let call = world.post("/posts").user("ghost").header("idempotency-key", "k");
        call.json(json!({"content": "x"})).send().await
    };
    assert_eq!(post().await.status, 201);
    world.does("ghost", "DELETE", "/users/me").await;
    assert_eq!(post().await.refusal(), (404, "User not found".into()));
}

/// The stored role counts with `X-Act-As`; of one who is gone there is none, so an administrator's name is no more than
/// another's.
#[tokio::test]
async fn whoever_was_an_administrator_is_none_through_an_api_key() {
    let Haunted { world, post, banned, comment } = haunted().await;
    let before = world.redis.keyspace();
    let body = || json!({"bio": "boo"});
    for (method, path, code) in [
        ("PUT", "/users/ghost".to_owned(), (403, "admin_only")),
        ("PUT", "/users/alice".into(), (403, "admin_only")),
        ("PATCH", "/users/alice".into(), (403, "forbidden")),
        ("DELETE", "/users/alice".into(), (403, "forbidden")),
        ("DELETE", format!("/posts/{post}"), (403, "forbidden")),
        ("DELETE", format!("/comments/{comment}"), (403, "forbidden")),
        ("PATCH", format!("/posts/{post}/ban"), (403, "admin_only")),
        ("DELETE", format!("/posts/{banned}/ban"), (403, "admin_only")),
        ("GET", format!("/posts/{banned}"), (404, "post_not_found")),
    ] {
        let answer = world.gateway.call(method, &path).acting_as("ghost").json(body()).send().await;
        assert_eq!(answer.code(), (code.0, code.1.to_owned()), "{method} {path}");
    }
    assert_eq!(world.redis.keyspace(), before);
}

#[tokio::test]
async fn a_deleted_user_reads_like_somebody_who_has_done_nothing() {
    let Haunted { world, post, .. } = haunted().await;
    let shown = world.post_seen_by("ghost", &post).await;
    assert_eq!(
        (&shown["isLiked"], &shown["likesCount"], &shown["commentsCount"]),
        (&json!(false), &json!(0), &json!(1))
    );
    assert_eq!(world.user_seen_by("ghost", "alice").await["isFollowing"], false);
    assert_eq!(world.ids("ghost", "/feed/explore").await, [&*post]);
    assert_eq!(world.ids("ghost", "/feed/following").await, [""; 0]);
    for path in ["/users/me", "/users/ghost", "/users/me/posts", "/users/me/liked", "/users/me/followers"] {
        assert_eq!(world.get(path).user("ghost").send().await.refusal(), (404, "User not found".into()), "{path}");
    }
    let views = world.does("ghost", "POST", &format!("/posts/{post}/view")).await;
    assert_eq!(views, json!({"viewsCount": 1}));
    assert!(!world.exists("user:ghost"));
}

#[tokio::test]
async fn a_token_of_someone_who_never_was_is_no_better() {
    let world = World::own();
    for (method, path, body) in [
        ("POST", "/posts", json!({"content": "x"})),
        ("PATCH", "/users/me", json!({"bio": "b"})),
        ("DELETE", "/users/me", json!({})),
    ] {
        let call = world.gateway.call(method, path).user("never").json(body);
        assert_eq!(call.send().await.refusal(), (404, "User not found".into()), "{method} {path}");
    }
    assert!(world.redis.keyspace().is_empty());
}

/// An administrator's token may make users, but not its own again.
#[tokio::test]
async fn a_deleted_administrator_does_not_come_back_by_their_token() {
    let Haunted { world, .. } = haunted().await;
    let admin = token::of("ghost", "admin");
    for id in ["me", "ghost"] {
        let answer = world.put(&format!("/users/{id}")).bearer(&admin).json(json!({"role": "admin"})).send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()));
    }
    assert!(!world.exists("user:ghost"));
    assert_eq!(world.put("/users/other").bearer(&admin).json(json!({})).send().await.status, 201);
}
