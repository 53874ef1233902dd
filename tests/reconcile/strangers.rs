//! What is not ours, or not of our type, is left alone and keeps nobody from comparing the rest.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    difference, run,
    social::World,
    support::{NOW_MS, keyspace::differences},
};

/// A world in which one counter is wrong, and then these commands.
async fn scene(commands: &[&[&str]]) -> World {
    let world = World::own().at(NOW_MS);
    for name in ["alice", "bob"] {
        world.make(name, json!({})).await;
    }
    world.redis.run(&["HSET", "user:alice", "postCount", "5"]);
    for command in commands {
        world.redis.run(command);
    }
    world
}

/// Only the wrong counter is told and mended, and everything else is as it was.
async fn is_left_alone(commands: &[&[&str]]) {
    let world = scene(commands).await;
    let before = world.redis.keyspace();
    let wrong = BTreeSet::from([difference(["user:alice", "postCount", "5", "0"])]);
    assert_eq!(run(&world.gateway, "report").await, wrong, "{commands:?}");
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0], "{commands:?}");
    assert_eq!(run(&world.gateway, "mend").await, wrong, "{commands:?}");
    assert!(world.gateway.work(20).await.is_some(), "{commands:?}: a job fails for ever");
    assert_eq!(
        differences(&world.redis.keyspace(), &before),
        [r#"user:alice: "postCount" is "0", should be "5""#],
        "{commands:?}"
    );
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new(), "{commands:?}");
}

#[tokio::test]
async fn keys_of_other_names() {
    is_left_alone(&[
        &["SET", "session:1", "x"],
        &["HSET", "user:alice:settings", "theme", "dark"],
        &["SET", "user:alice:tokens", "x"],
        &["HSET", "users:alice", "username", "alice", "postCount", "9"],
        &["HSET", "User:carol", "username", "carol", "postCount", "9"],
        &["HSET", "user", "username", "user"],
        &["HSET", "user:", "username", ""],
        &["HSET", ":user:alice", "username", "alice"],
        &["SADD", "post:1:tags", "a"],
        &["HSET", "post:1:meta", "username", "alice"],
        &["HSET", "app:post:1", "username", "nobody"],
        &["SET", "", "the empty key"],
        &["SET", "user:%d%s%(", "x"],
        &["SET", "user:a\r\nb", "x"],
    ])
    .await;
}

#[tokio::test]
async fn keys_of_our_names_and_other_types() {
    is_left_alone(&[
        &["SET", "user:text", "{\"username\":\"text\"}"],
        &["RPUSH", "user:list", "username"],
        &["SADD", "user:set", "username"],
        &["ZADD", "user:zset", "1", "username"],
        &["XADD", "user:stream", "1-1", "username", "x"],
        &["SET", "post:text", "x"],
        &["SADD", "post:set", "username"],
        &["SET", "comment:text", "x"],
        &["RPUSH", "comment:list", "post_id"],
    ])
    .await;
}

#[tokio::test]
async fn hashes_of_our_names_that_are_no_profile_post_or_comment() {
    is_left_alone(&[
        &["HSET", "user:nameless", "postCount", "9"],
        &["HSET", "post:nameless", "title", "x", "likesCount", "9"],
        &["HSET", "comment:nameless", "text", "x"],
    ])
    .await;
}

/// A list where a post's likes would be is nobody's likes.
#[tokio::test]
async fn traces_of_no_post_that_are_of_another_type() {
    is_left_alone(&[&["SET", "post:7:likes", "12"]]).await;
    is_left_alone(&[&["RPUSH", "post:7:comments", "a", "b"]]).await;
    is_left_alone(&[&["HSET", "post:7:bookmarks", "a", "b"]]).await;
}

/// Should such a trace become a job all the same, it must not be one that fails for ever: nobody's deletion would end.
#[tokio::test]
async fn a_trace_of_another_type_stops_no_other_work() {
    let world = scene(&[&["SET", "post:7:likes", "12"]]).await;
    run(&world.gateway, "mend").await;
    world.redis.run(&["SET", "user:carol:deleting", "1"]);
    world.redis.run(&["ZADD", "jobs:pending", &(NOW_MS + 1).to_string(), "delete-user:carol"]);
    for minute in 1..5 {
        world.set_ms(NOW_MS + minute * 60_000);
        let _ = world.gateway.tick().await;
    }
    assert!(!world.exists("user:carol:deleting"));
}

/// Somebody else's users, who have come at a time of another notation.
#[tokio::test]
async fn a_profile_that_cannot_be_mended_keeps_nobody_from_mending_others() {
    let stranger: &[&[&str]] =
        &[&["HSET", "user:stranger", "username", "stranger", "role", "user", "created_at", "2024-05-01T12:00:00Z"]];
    let world = scene(stranger).await;
    run(&world.gateway, "mend").await;
    assert_eq!(world.field("user:alice", "postCount"), "0");
    let stored = world.redis.hash("user:stranger");
    assert_eq!((&stored["created_at"], &stored["role"]), (&json!("2024-05-01T12:00:00Z"), &json!("user")));
}

#[tokio::test]
async fn a_post_that_cannot_be_mended_keeps_nobody_from_mending_others() {
    for created_at in ["2024-05-01T12:00:00Z", "nan", ""] {
        let stranger: &[&[&str]] =
            &[&["HSET", "post:stranger", "username", "bob", "title", "x", "created_at", created_at]];
        let world = scene(stranger).await;
        run(&world.gateway, "mend").await;
        assert_eq!(world.field("user:alice", "postCount"), "0", "{created_at:?}");
    }
}

/// What a profile counts may itself be broken; that user is passed over, and the next is not.
#[tokio::test]
async fn sets_of_a_wrong_type_are_passed_over() {
    let broken: &[&[&str]] = &[
        &["SET", "user:bob:followers", "x"],
        &["HSET", "user:bob", "followingCount", "3"],
        &["SET", "post:p:likes", "x"],
        &["HSET", "post:p", "id", "p", "username", "bob", "created_at", "5", "likesCount", "9"],
    ];
    let world = scene(broken).await;
    run(&world.gateway, "mend").await;
    assert_eq!(world.field("user:alice", "postCount"), "0");
    assert_eq!(world.redis.run(&["GET", "user:bob:followers"]), "x");
    assert_eq!(world.redis.run(&["GET", "post:p:likes"]), "x");
}

/// A profile holds whatever integer a backend says; what a sorted set makes of it is the same place.
#[tokio::test]
async fn times_of_creation_at_the_edges_are_no_differences() {
    let world = World::own().at(NOW_MS);
    let times = [0, 1, -1, 1_i64 << 53, -(1 << 53), (1 << 53) + 1, 10_i64.pow(17) + 1, i64::MAX, i64::MIN];
    let users: Vec<_> =
        times.iter().enumerate().map(|(n, at)| json!({"username": format!("u{n}"), "created_at": at})).collect();
    let answer = world.post("/sync/users").api_key().json(users).send().await;
    let statuses = answer.ok();
    // Such a time is refused, or it is one that can be held.
    let accepted =
        statuses["results"].as_array().unwrap().iter().filter(|result| result["status"] == "created").count();
    assert!(accepted >= 5, "{statuses}");
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
}
