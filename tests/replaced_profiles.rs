//! SPEC 6, `PUT /users/:id`: the profile that a backend pushes, whole and as often as it likes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, status_and_body};
use support::{Answer, NOW_MS, audit::audit, keyspace::differences, token, unique};

const REGISTRIES: [&str; 2] = ["users:regular", "users:models"];

/// In which registries a user is.
fn registries(world: &World, name: &str) -> Vec<&'static str> {
    REGISTRIES.into_iter().filter(|registry| !world.score(registry, name).is_null()).collect()
}

fn path(name: &str) -> String {
    format!("/users/{name}")
}

/// What nobody but a caller of role admin may do is refused like this.
fn assert_needs_admin(answer: &Answer) {
    assert_eq!(answer.code(), (403, "admin_only".into()), "{}", answer.text());
}

#[tokio::test]
async fn a_put_makes_a_profile_and_puts_another_in_its_place() {
    let world = World::shared().at(NOW_MS);
    let name = unique("put");
    let user = |fields: Value| {
        let mut user = json!({"username": name, "role": "user", "created_at": NOW_MS, "isFollowing": false,
            "postCount": 0, "followerCount": 0, "followingCount": 0});
        user.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"user": user})
    };
    let put = async |body: Value| {
        let answer = world.put(&path(&name)).api_key().json(body).send().await;
        status_and_body(&answer)
    };
    let fields = json!({"display_name": "Ann", "bio": "b"});
    assert_eq!(put(fields.clone()).await, (201, user(fields.clone())));
    assert_eq!(put(fields.clone()).await, (200, user(fields.clone())));
    assert_eq!(put(json!({"bio": "c", "username": name})).await, (200, user(json!({"bio": "c"}))));
    assert_eq!(put(json!({})).await, (200, user(json!({}))));
}

#[tokio::test]
async fn what_a_put_does_not_name_goes_but_for_what_ridge_looks_after() {
    let world = World::shared();
    let fields = json!({"role": "model", "created_at": 17, "email": "e", "password": "p", "bio": "b"});
    let name = world.person("kept", fields).await;
    let fan = world.user("fan").await;
    world.write(&name, "one").await;
    world.follow(&fan, &name).await;
    world.follow(&name, &fan).await;
    let answer = world.put(&path(&name)).api_key().json(json!({"links": null})).send().await;
    assert_eq!(answer.status, 200);
    let expected = json!({"username": name, "role": "model", "created_at": "17",
        "postCount": "1", "followerCount": "1", "followingCount": "1"});
    assert_eq!(world.redis.hash(&format!("user:{name}")), expected);
    assert_eq!(registries(&world, &name), ["users:models"]);
}

#[tokio::test]
async fn a_put_is_idempotent() {
    let world = World::own().at(NOW_MS);
    let body = json!({"display_name": "A", "role": "model", "email": "e", "created_at": 9});
    world.make("twice", body.clone()).await;
    let before = world.redis.keyspace();
    world.set_ms(NOW_MS + 1000);
    assert_eq!(world.put("/users/twice").api_key().json(body).send().await.status, 200);
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0]);
    assert_eq!(audit(&world.redis), [""; 0]);
}

#[tokio::test]
async fn only_administrators_put() {
    let world = World::shared();
    let (name, admin) = (world.user("put-by").await, world.stored_admin("stored").await);
    let new = unique("new");
    for id in [&name, &new] {
        for call in [
            world.put(&path(id)).user(&name),
            world.put(&path(id)).bearer(&token::of(&name, "model")),
            world.put(&path(id)).user(&admin),
            world.put(&path(id)).acting_as(&name),
        ] {
            assert_needs_admin(&call.json(json!({"role": "admin"})).send().await);
        }
    }
    assert!(!world.exists(&format!("user:{new}")));
    assert_eq!(world.field(&format!("user:{name}"), "role"), "user");
    assert_eq!(world.put(&path(&unique("a"))).acting_as(&admin).json(json!({})).send().await.status, 201);
    assert_eq!(world.put(&path(&unique("b"))).admin(&name).json(json!({})).send().await.status, 201);
}

#[tokio::test]
async fn the_username_of_a_put_is_that_of_its_path() {
    let world = World::shared();
    let name = unique("path");
    for username in [json!("mallory"), json!(null), json!(""), json!("ME")] {
        let answer = world.put(&path(&name)).api_key().json(json!({"username": username})).send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{username}");
    }
    assert!(!world.exists(&format!("user:{name}")));
    let answer = world.put("/users/AUTH").api_key().json(json!({})).send().await;
    assert_eq!(answer.code(), (400, "bad_request".into()));
}

#[tokio::test]
async fn a_profile_has_only_so_many_fields_in_one_request() {
    let world = World::shared();
    let name = unique("wide");
    let fields = |count: usize| (0..count).map(|n| (format!("f{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    let answer = world.put(&path(&name)).api_key().json(fields(501)).send().await;
    assert_eq!(answer.code(), (400, "bad_request".into()));
    let answer = world.put(&path(&name)).api_key().json(fields(500)).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(world.redis.run(&["HLEN", &format!("user:{name}")]), 506);
}

#[tokio::test]
async fn a_hash_without_a_username_becomes_a_profile() {
    let world = World::shared();
    let name = unique("half");
    world.redis.run(&["HSET", &format!("user:{name}"), "otp_code", "123", "postCount", "99"]);
    assert_eq!(world.put(&path(&name)).api_key().json(json!({"bio": "b"})).send().await.status, 201);
    let expected_count = world.field(&format!("user:{name}"), "postCount");
    assert_eq!(expected_count, "0");
    assert_eq!(registries(&world, &name), ["users:regular"]);
}

/// `xano_sync` is a user like others where an API key acts in its own name.
#[tokio::test]
async fn the_user_of_api_keys_is_made_when_first_needed_and_again_after_it_was_deleted() {
    let world = World::own().at(NOW_MS);
    for _ in 0..2 {
        assert_eq!(world.get("/users/me").api_key().send().await.status, 404);
        let answer = world.post("/posts").api_key().json(json!({"content": "from the backend"})).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let post = answer.json()["post"].take();
        assert_eq!((&post["username"], &post["user_role"]), (&json!("xano_sync"), &json!("admin")));
        let expected = json!({"username": "xano_sync", "role": "admin", "created_at": NOW_MS.to_string(),
            "postCount": "1", "followerCount": "0", "followingCount": "0"});
        assert_eq!(world.redis.hash("user:xano_sync"), expected);
        assert_eq!(registries(&world, "xano_sync"), [""; 0]);
        assert_eq!(audit(&world.redis), [""; 0]);
        assert_eq!(world.delete("/users/me").api_key().send().await.ok()["postsDeleted"], 1);
    }
    assert!(world.redis.keyspace().is_empty(), "{:?}", world.redis.keyspace());
}
