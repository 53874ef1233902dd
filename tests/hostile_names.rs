//! SPEC 6 as an attacker reads it, names: what would be another key, another path or another user reaches Redis nowhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Credentials as _, OF_POSTS, World};
use support::Answer;

/// Every route with a name in its path: method, what is before the name, and what is behind it.
const OF_USERS: [(&str, &str); 12] = [
    ("GET", ""),
    ("PATCH", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("POST", "/follow"),
    ("DELETE", "/follow"),
    ("GET", "/followers"),
    ("GET", "/following"),
    ("GET", "/posts"),
    ("GET", "/liked"),
    ("GET", "/bookmarked"),
    ("GET", "/posts?limit=5"),
];

/// What is neither a username nor the id of anything.
fn no_names() -> Vec<String> {
    let long = "x".repeat(65);
    let names = [
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "a:b",
        "a%3Ab",
        "a%2Fb",
        "..%2F..%2Fusers",
        "a%00",
        "%00",
        "a%20b",
        "%20",
        "a*",
        "*",
        "%25",
        "a%0D%0AFLUSHALL",
        "%C3%A4",
        "%ff",
        "%F0%9F%98%80",
        "a%7Bb%7D",
        "%5Ba-z%5D",
        "a?x",
        "a%3Fx",
        "a,b",
        "a;b",
        "a@b",
        "a%22b",
        "user%3Aalice",
        "alice%3Aposts",
        "%EF%BC%A1",
    ];
    // A literal question mark ends the path.
    names.into_iter().filter(|name| !name.contains('?')).map(str::to_owned).chain([long]).collect()
}

fn assert_is_bad_input(answer: &Answer, what: &str) {
    assert_eq!(answer.code(), (400, "bad_request".into()), "{what}: {}", answer.text());
    assert_eq!(answer.header("x-redis-round-trips"), "0", "{what}");
}

#[tokio::test]
async fn no_name_that_could_be_another_key_reaches_redis() {
    let world = World::own();
    let body = || json!({"content": "x", "bio": "b"});
    for (kind, routes) in [("users", &OF_USERS[..]), ("posts", &OF_POSTS[..]), ("comments", &[("DELETE", "")][..])] {
        for (method, part) in routes {
            for name in no_names().iter().map(String::as_str).chain((kind == "users").then_some("AUTH")) {
                let path = format!("/{kind}/{name}{part}");
                let answer = world.gateway.call(method, &path).admin("boss").json(body()).send().await;
                assert_is_bad_input(&answer, &format!("{method} {path}"));
            }
        }
    }
    assert!(world.redis.keyspace().is_empty());
}

#[tokio::test]
async fn an_empty_name_is_none() {
    let world = World::own();
    for (method, path) in [
        ("GET", "/users/"),
        ("GET", "/users"),
        ("POST", "/users//follow"),
        ("GET", "/users//posts"),
        ("POST", "/posts//like"),
        ("GET", "/posts/"),
        ("DELETE", "/comments/"),
        ("GET", "/feed/hashtag/"),
        ("GET", "/feed/hashtag//ranked"),
        ("GET", "/feed"),
        ("GET", "/users/alice/"),
        ("GET", "/users/alice/banned"),
        ("GET", "/users/alice/comments"),
        ("GET", "/feed/hashtag/a/posts"),
        ("GET", "/search/users"),
    ] {
        let answer = world.gateway.call(method, path).api_key().json(json!({})).send().await;
        let refusal = (answer.status, answer.json()["code"].clone());
        assert!(
            refusal == (404, json!("not_found")) || refusal == (400, json!("bad_request")),
            "{method} {path}: {}",
            answer.text()
        );
        assert_eq!(answer.header("x-redis-round-trips"), "0", "{method} {path}");
    }
    assert!(world.redis.keyspace().is_empty());
}

#[tokio::test]
async fn no_hashtag_that_could_be_another_key_reaches_redis() {
    let world = World::own();
    let long = "x".repeat(65);
    for tag in [
        "a%3Aposts",
        "a:ranked",
        "*",
        "a*",
        "%2A",
        "a%2Cb",
        "a,b",
        "%23%23a",
        "%23",
        "a-b",
        ".",
        "..",
        "%00",
        "a%00",
        "a%20b",
        "%20",
        "%ff",
        "a%2Fb",
        "%F0%9F%98%80",
        "a%0D%0Ab",
        &long,
    ] {
        for path in [format!("/feed/hashtag/{tag}"), format!("/feed/hashtag/{tag}/ranked")] {
            let answer = world.get(&path).user("anyone").send().await;
            assert_is_bad_input(&answer, &path);
        }
    }
}

#[tokio::test]
async fn a_caller_is_never_somebody_else() {
    let world = World::own();
    for name in ["alice", "me-2"] {
        world.make(name, json!({"email": "e"})).await;
    }
    let before = world.redis.keyspace();
    // `me` is a word for the caller, not a user; letters count.
    for id in ["Me", "ME", "Alice", "ALICE"] {
        let answer = world.get(&format!("/users/{id}")).user("alice").send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()), "{id}");
        let answer = world.patch(&format!("/users/{id}")).user("alice").json(json!({"bio": "b"})).send().await;
        assert_eq!(answer.code(), (403, "forbidden".into()), "{id}");
        let answer = world.delete(&format!("/users/{id}")).user("alice").send().await;
        assert_eq!(answer.code(), (403, "forbidden".into()), "{id}");
    }
    // A parameter or a header says nothing about who calls.
    let answer = world.get("/users/me?id=me-2&username=me-2").user("alice").header("x-user", "me-2").send().await;
    assert_eq!(answer.ok()["user"]["username"], "alice");
    assert_eq!(world.redis.keyspace(), before);
}
