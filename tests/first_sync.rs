//! SPEC 2, a new user: what a first sync may set, and where it registers the user.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, NOW_MS, Redis, unique};

fn fixed(field: &str) -> String {
    format!("ERR field '{field}' cannot be modified directly, use PATCH /users/:id")
}

fn score(redis: &Redis, registry: &str, name: &str) -> Value {
    redis.run(&["ZSCORE", registry, name])
}

#[tokio::test]
async fn a_first_sync_may_set_every_protected_field() {
    let redis = Redis::shared();
    let name = unique("first");
    let key = format!("user:{name}");
    let batch = json!([[
        "HSET",
        key,
        "username",
        name,
        "display_name",
        "D",
        "avatar",
        "",
        "role",
        "model",
        "postCount",
        5,
        "followerCount",
        "6",
        "followingCount",
        -7,
        "created_at",
        1700000000123_i64,
        "bio",
        "b"
    ]]);
    assert_eq!(Gateway::on(&redis).write(batch).await, json!([9]));
    assert_eq!(
        redis.hash(&key),
        json!({
            "username": name, "display_name": "D", "avatar": "", "role": "model", "postCount": "5", "followerCount": "6",
            "followingCount": "-7", "created_at": "1700000000123", "bio": "b",
        })
    );
    assert_eq!(score(&redis, "users:models", &name), "1700000000123");
    assert_eq!(score(&redis, "users:regular", &name), json!(null));
}

#[tokio::test]
async fn role_and_creation_have_defaults_that_are_not_counted() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis).at(NOW_MS);
    let name = unique("default");
    let key = format!("user:{name}");
    assert_eq!(gateway.write(json!([["HSET", key, "username", name, "bio", "b"]])).await, json!([2]));
    let now = NOW_MS.to_string();
    assert_eq!(redis.hash(&key), json!({"username": name, "bio": "b", "role": "user", "created_at": now}));
    assert_eq!(score(&redis, "users:regular", &name), *now);
}

#[tokio::test]
async fn each_role_has_its_registry_and_admins_have_none() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for (role, regular, models) in
        [("user", json!("7"), json!(null)), ("model", json!(null), json!("7")), ("admin", json!(null), json!(null))]
    {
        let name = unique(role);
        let batch = json!([["HSET", format!("user:{name}"), "username", name, "role", role, "created_at", 7]]);
        assert_eq!(gateway.write(batch).await, json!([3]));
        assert_eq!(score(&redis, "users:regular", &name), regular, "{role}");
        assert_eq!(score(&redis, "users:models", &name), models, "{role}");
    }
}

#[tokio::test]
async fn a_new_user_is_new_until_the_batch_ends() {
    let redis = Redis::shared();
    let name = unique("gradual");
    let key = format!("user:{name}");
    let batch = json!([
        ["HSET", key, "username", name],
        ["HSET", key, "role", "user"],
        ["HSET", key, "display_name", "first"],
        ["HSET", key, "role", "model", "display_name", "second"],
        ["HINCRBY", key, "postCount", 2],
        ["HSET", key, "created_at", 5],
    ]);
    assert_eq!(Gateway::on(&redis).write(batch).await, json!([1, 1, 1, 0, 2, 1]));
    assert_eq!(redis.run(&["HMGET", &key, "role", "display_name", "postCount"]), json!(["model", "second", "2"]));
    assert_eq!(score(&redis, "users:models", &name), "5");
    assert_eq!(score(&redis, "users:regular", &name), json!(null));
}

#[tokio::test]
async fn without_a_username_a_user_stays_new_and_unregistered() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = unique("nameless");
    let key = format!("user:{name}");
    assert_eq!(gateway.write(json!([["HSET", key, "display_name", "one", "role", "user"]])).await, json!([2]));
    assert_eq!(score(&redis, "users:regular", &name), json!(null));
    assert_eq!(gateway.write(json!([["HSET", key, "display_name", "two"]])).await, json!([0]));
    assert_eq!(gateway.write(json!([["HSET", key, "username", name, "created_at", 3]])).await, json!([2]));
    assert_eq!(score(&redis, "users:regular", &name), "3");
    assert_eq!(gateway.write(json!([["HSET", key, "display_name", "three"]])).await, json!([fixed("display_name")]));
}

#[tokio::test]
async fn values_that_are_wrong_for_a_new_user_reject_the_whole_command() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = unique("wrong");
    let key = format!("user:{name}");
    let username = format!("ERR field 'username' must be '{name}'");
    let role = "ERR field 'role' must be one of admin, user, model".to_owned();
    let integer = |field: &str| format!("ERR field '{field}' must be an integer");
    for (field, value, error) in [
        ("username", json!("someone-else"), &username),
        ("username", json!(name.to_uppercase()), &username),
        ("username", json!(""), &username),
        ("role", json!("root"), &role),
        ("role", json!("Admin"), &role),
        ("role", json!(""), &role),
        ("postCount", json!("abc"), &integer("postCount")),
        ("postCount", json!(1.5), &integer("postCount")),
        ("followerCount", json!(""), &integer("followerCount")),
        ("followingCount", json!("1 "), &integer("followingCount")),
        ("followingCount", json!("9223372036854775808"), &integer("followingCount")),
    ] {
        let results = gateway.write(json!([["HSET", key, "bio", "b", field, value, "x", "y"]])).await;
        assert_eq!(results, json!([error]), "{field} {value}");
        let results = gateway.write(json!([["HSET", key, field, value, "username", name]])).await;
        assert_eq!(results, json!([error]), "{field} {value}");
    }
    assert_eq!(redis.run(&["EXISTS", &key]), 0);
    assert_eq!(score(&redis, "users:regular", &name), json!(null));
}

#[tokio::test]
async fn a_second_sync_of_the_same_values_is_accepted() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = unique("again");
    let key = format!("user:{name}");
    let batch = json!([[
        "HSET",
        key,
        "username",
        name,
        "display_name",
        "D",
        "avatar",
        "",
        "role",
        "user",
        "postCount",
        1,
        "bio",
        "b",
        "created_at",
        4
    ]]);
    assert_eq!(gateway.write(batch.clone()).await, json!([7]));
    let before = redis.hash(&key);
    assert_eq!(gateway.write(batch).await, json!([0]));
    assert_eq!(redis.hash(&key), before);
    assert_eq!(score(&redis, "users:regular", &name), "4");
    let with_news = json!([["HSET", key, "username", name, "display_name", "D", "bio", "new", "links", "l"]]);
    assert_eq!(gateway.write(with_news).await, json!([1]));
    assert_eq!(redis.run(&["HGET", &key, "bio"]), "new");
}

/// The hash was lost, say by eviction, and the registries were not.
#[tokio::test]
async fn a_stale_place_in_another_registry_is_given_up() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for (role, left) in
        [("model", &["users:regular"][..]), ("user", &["users:models"]), ("admin", &["users:regular", "users:models"])]
    {
        let name = unique("stale");
        for registry in left {
            redis.run(&["ZADD", registry, "1", &name]);
        }
        let batch = json!([["HSET", format!("user:{name}"), "username", name, "role", role, "created_at", 2]]);
        assert_eq!(gateway.write(batch).await, json!([3]));
        for registry in left {
            assert_eq!(score(&redis, registry, &name), json!(null), "{role} in {registry}");
        }
    }
}
