//! SPEC 6 as an attacker reads it, input: bodies of wrong types, cursors that no page gave, and texts that are as large as
//! they may be. Nothing of it is a crash, and nobody spoils a page for others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, unique_tag};
use support::{Answer, audit::audit, token::base64url};

fn assert_is_bad_input(answer: &Answer, what: &str) {
    assert_eq!(answer.code(), (400, "bad_request".into()), "{what}: {}", answer.text());
    assert_eq!(answer.header("x-redis-round-trips"), "0", "{what}");
}

/// Bodies that no route takes for an object.
fn no_objects() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "null",
        "true",
        "5",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}{}",
        "{\"bio\"}",
        "{bio:1}",
        "{'bio':1}",
        "{\"bio\":}",
        "{\"bio\":1,}",
        "{\"bio\":01}",
        "{\"bio\":NaN}",
        "{\"bio\":\"\n\"}",
        "{\"bio\":\"\\x\"}",
        "{\"\\ud800\":1}",
        "\u{feff}{}",
        "bio=x",
        "<bio/>",
    ];
    let deep = ["[", "{\"a\":"].map(|piece| piece.repeat(100_000).into_bytes());
    let not_text = [b"{\"bio\":\"\xff\"}".to_vec(), b"\x00".to_vec()];
    texts.into_iter().map(|text| text.as_bytes().to_vec()).chain(deep).chain(not_text).collect()
}

#[tokio::test]
async fn what_is_no_object_is_no_body() {
    let world = World::own();
    world.make("alice", json!({})).await;
    let post = world.write("alice", "x").await;
    let before = world.redis.keyspace();
    for body in no_objects() {
        let what = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        for call in [
            world.post("/posts").user("alice"),
            world.post(&format!("/posts/{post}/comments")).user("alice"),
            world.patch("/users/me").user("alice"),
            world.put("/users/alice").api_key(),
            world.put("/users/new").api_key(),
        ] {
            assert_is_bad_input(&call.body(body.clone()).send().await, &what);
        }
    }
    assert_eq!(world.redis.keyspace(), before);
}

#[tokio::test]
async fn a_value_of_a_profile_is_a_text_a_number_a_truth_value_or_null() {
    let world = World::own();
    world.make("alice", json!({})).await;
    let deep = format!("{{\"bio\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    for body in ["{\"bio\":[]}", "{\"bio\":{}}", "{\"bio\":[1]}", "{\"bio\":\"\\ud800\"}", "{\"\":\"x\"}", &deep] {
        for call in [world.patch("/users/me").user("alice"), world.put("/users/alice").api_key()] {
            assert_is_bad_input(&call.body(body.to_owned()).send().await, &body[..body.len().min(40)]);
        }
    }
    // Digit for digit, however large.
    for (json, text) in [
        ("12345678901234567890123", "12345678901234567890123"),
        ("-0.10", "-0.10"),
        ("1E400", "1E400"),
        ("\"\"", ""),
        ("false", "false"),
        ("\"\\u0000:*\"", "\u{0}:*"),
    ] {
        let answer = world.patch("/users/me").user("alice").body(format!("{{\"bio\":{json}}}")).send().await;
        assert_eq!(answer.ok()["updates"]["bio"], text);
        assert_eq!(world.field("user:alice", "bio"), text);
    }
}

#[tokio::test]
async fn a_body_is_bounded_on_every_route() {
    let world = World::own();
    world.make("alice", json!({})).await;
    let post = world.write("alice", "x").await;
    let large = format!("{{\"content\":\"{}\"}}", "x".repeat(1 << 20));
    for call in [
        world.post("/posts").user("alice"),
        world.post(&format!("/posts/{post}/comments")).user("alice"),
        world.patch("/users/me").user("alice"),
        world.put("/users/alice").api_key(),
    ] {
        assert_eq!(call.body(large.clone()).send().await.code(), (413, "body_too_large".into()));
    }
    // Who may not call has no body read: it is not even looked at.
    let answer = world.put("/users/alice").user("alice").body("not JSON").send().await;
    assert_eq!(answer.code(), (403, "admin_only".into()));
    assert_eq!(world.post("/posts").body("not JSON").send().await.status, 401);
}

/// Texts in the form of our cursors, and others.
fn cursors() -> Vec<String> {
    let inner = [
        "0,a",
        "9223372036854775807,a",
        "-9223372036854775808,zzz",
        "9223372036854775808,a",
        "1e400,a",
        "nan,a",
        "inf,a",
        "(5,a",
        "+inf,a",
        "5,a:b",
        "5,*",
        "5,",
        ",",
        "5,a\0",
        "@0,0",
        "@0,9007199254740992",
        "@0,9007199254740993",
        "@9223372036854775807,100",
        "@-9223372036854775808,0",
        "@1800000000000,10001",
        "@x,1",
        "@1,-1",
        "@,",
        "@1,1,1",
        "5,a,b",
        " 5,a",
        "@ 1,1",
        "",
    ];
    let raw = ["x", "%00", "....", "null", "-1", "MSxh%3D%3D", "%2B%2F", "%ff"];
    inner.iter().map(base64url).chain(raw.map(str::to_owned)).chain(["A".repeat(5000)]).collect()
}

#[tokio::test]
async fn a_forged_cursor_is_refused_or_a_place_and_never_a_crash() {
    let world = World::own();
    world.make("alice", json!({})).await;
    world.make("bob", json!({})).await;
    for _ in 0..3 {
        let post = world.write("alice", "#t").await;
        world.like("alice", &post).await;
        world.bookmark("alice", &post).await;
        world.comment("alice", &post, "c").await;
    }
    world.follow("bob", "alice").await;
    let post = world.write("alice", "#t").await;
    for path in [
        "/feed/explore",
        "/feed/hashtag/t",
        "/feed/hashtag/t/ranked",
        "/users/alice/posts",
        "/users/alice/followers",
        "/users/bob/following",
        &format!("/posts/{post}/comments"),
    ] {
        for cursor in cursors() {
            let answer = world.get(&format!("{path}?cursor={cursor}")).user("alice").send().await;
            assert!(matches!(answer.status, 200 | 400), "{path} {cursor}: {}", answer.text());
        }
    }
    for path in ["/feed/following", "/users/me/liked", "/users/me/bookmarked"] {
        for cursor in cursors() {
            let answer = world.get(&format!("{path}?cursor={cursor}")).user("bob").send().await;
            assert!(matches!(answer.status, 200 | 400), "{path} {cursor}: {}", answer.text());
        }
    }
    assert_eq!(audit(&world.redis), [""; 0]);
}

/// Behind the best of a ranking places cost nothing, so one that is far down, or made up, is just an empty page.
#[tokio::test]
async fn a_place_behind_the_end_of_a_ranking_is_an_empty_page() {
    let world = World::shared();
    let (name, tag) = (world.user("deep").await, unique_tag("deep"));
    world.write(&name, &format!("#{tag}")).await;
    let path = format!("/feed/hashtag/{tag}/ranked?limit=100");
    for place in ["1", "10101", "9007199254740992"] {
        let cursor = base64url(format!("@1800000000000,{place}"));
        for query in [format!("offset={place}"), format!("cursor={cursor}")] {
            let page = world.get(&format!("{path}&{query}")).user(&name).send().await.ok();
            assert_eq!(page["posts"], json!([]), "{query}");
            assert_eq!((&page["pagination"]["hasMore"], &page["pagination"]["totalCount"]), (&json!(false), &json!(1)));
        }
    }
    let beyond = base64url("@1800000000000,9007199254740993");
    let answer = world.get(&format!("{path}&cursor={beyond}")).user(&name).send().await;
    assert_eq!(answer.code(), (400, "bad_request".into()));
}

/// What Redis may answer at a time is bounded, so what users may store of themselves has to be.
#[tokio::test]
async fn nobody_can_make_a_page_too_large_for_everybody() {
    const AUTHORS: usize = 8;
    let world = World::own();
    world.make("star", json!({})).await;
    let long = "x".repeat(1_000_000);
    for n in 0..AUTHORS {
        let name = format!("loud-{n}");
        world.make(&name, json!({})).await;
        world.follow(&name, "star").await;
        world.follow("star", &name).await;
        let post = world.write(&name, &"😀".repeat(5000)).await;
        world.like("star", &post).await;
        for field in ["display_name", "bio"] {
            let answer = world.patch("/users/me").user(&name).json(json!({field: long})).send().await;
            assert!(matches!(answer.status, 200 | 400 | 413), "{field}: {}", answer.text());
        }
    }
    for path in ["/feed/explore", "/feed/following", "/users/star/followers", "/users/me/liked", "/search/users/newest"]
    {
        let answer = world.get(&format!("{path}?limit=100")).user("star").send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn parameters_that_nobody_reads_change_nothing() {
    let world = World::shared();
    let (name, tag) = (world.user("params").await, unique_tag("params"));
    let id = world.write(&name, &format!("#{tag}")).await;
    for query in ["x=1", "", "&&&", "=", "limit=&offset=&cursor=&includeUser=", "%ff=%ff", "LIMIT=0", "limit=2&limit=0"]
    {
        let path = format!("/feed/hashtag/{tag}?{query}");
        assert_eq!(world.ids(&name, &path).await, [&*id], "{query}");
    }
}

#[tokio::test]
async fn no_answer_tells_of_keys_scripts_or_redis() {
    let world = World::own();
    world.redis.run(&["SET", "user:alice", "a string"]);
    world.redis.run(&["SET", "explore:feed", "a string"]);
    world.redis.run(&["SET", "post:p", "a string"]);
    world.redis.run(&["SET", "comment:c", "a string"]);
    for (method, path) in [
        ("GET", "/users/alice"),
        ("PATCH", "/users/me"),
        ("PUT", "/users/alice"),
        ("DELETE", "/users/me"),
        ("POST", "/posts"),
        ("GET", "/posts/p"),
        ("POST", "/posts/p/like"),
        ("DELETE", "/comments/c"),
        ("GET", "/feed/explore"),
        ("GET", "/users/me/posts"),
    ] {
        let body: Value = json!({"content": "x", "bio": "b"});
        let answer = world.gateway.call(method, path).admin("alice").json(body).send().await;
        assert_eq!(answer.status, 502, "{method} {path}: {}", answer.text());
        for word in ["WRONGTYPE", "script", "user_script", ".lua", "@", "127.0.0.1", "a string"] {
            assert!(!answer.text().contains(word), "{method} {path}: {}", answer.text());
        }
    }
}
