//! SPEC 6, `GET /users/:id`: who sees what of whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Answer, Gateway, PRIVATE_FIELDS, Redis, token, unique};

const SECRET: [&str; 12] = [
    "password",
    "ssn",
    "credit_card",
    "bank_account",
    "otp",
    "otp_code",
    "password_hash",
    "_hash",
    "token",
    "refresh_token_2",
    "secret",
    "mysecretx",
];
const PUBLIC: [&str; 6] = ["username", "display_name", "avatar", "role", "bio", "links"];

/// A user with every kind of field; each value is the field's name, but for `username`.
fn make_user(redis: &Redis, stem: &str) -> String {
    let name = unique(stem);
    let key = format!("user:{name}");
    for field in PRIVATE_FIELDS.iter().chain(&SECRET).chain(&PUBLIC) {
        redis.run(&["HSET", &key, field, field]);
    }
    redis.run(&["HSET", &key, "username", &name, "role", "user", "postCount", "3", "created_at", "1700000000123"]);
    name
}

fn fields(answer: &Answer) -> BTreeSet<String> {
    answer.ok()["user"].as_object().unwrap().keys().cloned().collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> BTreeSet<String> {
    names.into_iter().map(|name| (*name).to_owned()).collect()
}

const COUNTS: [&str; 5] = ["postCount", "followerCount", "followingCount", "created_at", "isFollowing"];

#[tokio::test]
async fn oneself_sees_all_but_secrets_and_others_the_public_part() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = make_user(&redis, "seen");
    let path = format!("/users/{name}");
    let whole = set(PUBLIC.iter().chain(&PRIVATE_FIELDS).chain(&COUNTS));
    let public = set(PUBLIC.iter().chain(&COUNTS));
    assert_eq!(fields(&gateway.get(&path).user(&name).send().await), whole);
    assert_eq!(fields(&gateway.get("/users/me").user(&name).send().await), whole);
    assert_eq!(fields(&gateway.get(&path).user("someone-else").send().await), public);
    assert_eq!(fields(&gateway.get(&path).bearer(&token::of("boss", "admin")).send().await), public);
    assert_eq!(fields(&gateway.get(&path).api_key().send().await), public);
    assert_eq!(fields(&gateway.get(&path).api_key().header("x-act-as", &name).send().await), whole);
    assert_eq!(fields(&gateway.get(&path).api_key().header("x-act-as", "someone-else").send().await), public);
}

#[tokio::test]
async fn names_of_fields_are_compared_without_case() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = unique("cases");
    let key = format!("user:{name}");
    redis.run(&[
        "HSET", &key, "username", &name, "Email", "e", "PHONE", "p", "Bio", "b", "PassWord", "s", "OTP_Code", "s",
    ]);
    redis.run(&["HSET", &key, "apiTOKEN", "s", "Pin_Hash", "s", "clientSecretId", "s", "hash_tag", "h"]);
    let with_counts = |names: &[&str]| {
        &set(names) | &set(&["username", "postCount", "followerCount", "followingCount", "isFollowing"])
    };
    let path = format!("/users/{name}");
    let own = fields(&gateway.get(&path).user(&name).send().await);
    assert_eq!(own, with_counts(&["Email", "PHONE", "Bio", "hash_tag"]));
    let others = fields(&gateway.get(&path).user("bob").send().await);
    assert_eq!(others, with_counts(&["Bio", "hash_tag"]));
}

#[tokio::test]
async fn private_fields_adds_and_public_fields_turns_it_round() {
    let redis = Redis::shared();
    let name = make_user(&redis, "lists");
    let path = format!("/users/{name}");
    let more = Gateway::with(&redis, &[("PRIVATE_FIELDS", "Bio, links")]);
    let shown = fields(&more.get(&path).user("bob").send().await);
    assert!(!shown.contains("bio") && !shown.contains("links") && !shown.contains("email") && shown.contains("avatar"));
    assert!(fields(&more.get(&path).user(&name).send().await).contains("bio"));
    let only = Gateway::with(&redis, &[("PUBLIC_FIELDS", "username,EMAIL,password")]);
    let shown = fields(&only.get(&path).user("bob").send().await);
    assert_eq!(&shown - &set(&["isFollowing"]), set(&["username", "email"]));
    let own = fields(&only.get(&path).user(&name).send().await);
    assert!(own.contains("bio") && own.contains("phone") && !own.contains("password"));
}

#[tokio::test]
async fn counts_and_times_are_numbers_and_everything_else_is_text() {
    let redis = Redis::shared();
    let name = unique("numbers");
    let key = format!("user:{name}");
    redis.run(&[
        "HSET",
        &key,
        "username",
        &name,
        "postCount",
        "12",
        "followerCount",
        "-1",
        "created_at",
        "1700000000123",
    ]);
    redis.run(&["HSET", &key, "bio", "42", "links", "[1]", "verified", "true", "text", "quote \" \\ \n é 😀 \u{0}"]);
    let user = Gateway::on(&redis).get(&format!("/users/{name}")).user(&name).send().await.ok()["user"].take();
    let expected = json!({
        "username": name, "postCount": 12, "followerCount": -1, "followingCount": 0, "created_at": 1_700_000_000_123_i64,
        "bio": "42", "links": "[1]", "verified": "true", "text": "quote \" \\ \n é 😀 \u{0}", "isFollowing": false,
    });
    assert_eq!(user, expected);
}

#[tokio::test]
async fn is_following_is_the_viewers() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = make_user(&redis, "followed");
    let (fan, other) = (unique("fan"), unique("other"));
    redis.run(&["SADD", &format!("user:{fan}:following"), &name]);
    redis.run(&["SADD", &format!("user:{name}:following"), &other]);
    let path = format!("/users/{name}");
    let following = async |call: support::Call| call.send().await.ok()["user"]["isFollowing"].clone();
    assert_eq!(following(gateway.get(&path).user(&fan)).await, true);
    assert_eq!(following(gateway.get(&path).user(&other)).await, false);
    assert_eq!(following(gateway.get(&path).user(&name)).await, false);
    assert_eq!(following(gateway.get(&path).api_key()).await, false);
    assert_eq!(following(gateway.get(&path).api_key().header("x-act-as", &fan)).await, true);
}

/// A profile may hold any field; none takes the place of what the route itself says.
#[tokio::test]
async fn a_stored_field_does_not_pass_for_an_answer() {
    let redis = Redis::shared();
    let name = unique("liar");
    redis.run(&["HSET", &format!("user:{name}"), "username", &name, "isFollowing", "true"]);
    let answer = Gateway::on(&redis).get(&format!("/users/{name}")).user("bob").send().await;
    assert_eq!(answer.ok()["user"]["isFollowing"], Value::Bool(false));
    assert_eq!(answer.text().matches("isFollowing").count(), 1);
}

#[tokio::test]
async fn whoever_has_no_profile_is_not_found() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let nameless = unique("nameless");
    redis.run(&["HSET", &format!("user:{nameless}"), "postCount", "1"]);
    for id in [&*unique("nobody"), &nameless, "..."] {
        let answer = gateway.get(&format!("/users/{id}")).user("bob").send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()), "{id}");
        assert_eq!(answer.json()["code"], "user_not_found");
    }
    let me = gateway.get("/users/me").user(&unique("ghost")).send().await;
    assert_eq!(me.refusal(), (404, "User not found".into()));
}

#[tokio::test]
async fn what_is_no_username_is_bad_input() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let long = "x".repeat(65);
    for id in ["AUTH", "a%20b", "a%3Ab", "a%2Fb", "%C3%A4", "a%00", "a*", "%ff", &long] {
        let answer = gateway.get(&format!("/users/{id}")).user("bob").send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{id}: {}", answer.text());
    }
    let name = make_user(&redis, "encoded");
    let encoded = gateway.get(&format!("/users/%65{}", &name[1..])).user("bob").send().await;
    assert_eq!(encoded.ok()["user"]["username"], name);
}

#[tokio::test]
async fn it_costs_one_round_trip() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = make_user(&redis, "trip");
    for id in [&*name, "me", "nobody-here"] {
        let answer = gateway.get(&format!("/users/{id}")).user(&name).send().await;
        assert_eq!(answer.header("x-redis-round-trips"), "1", "{id}");
    }
}

#[tokio::test]
async fn a_key_that_is_no_hash_is_redis_nonsense_and_not_a_crash() {
    let redis = Redis::shared();
    let name = unique("string");
    redis.run(&["SET", &format!("user:{name}"), "x"]);
    let answer = Gateway::on(&redis).get(&format!("/users/{name}")).user("bob").send().await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(!answer.text().contains("WRONGTYPE"));
}
