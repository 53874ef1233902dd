//! SPEC 1, `X-Act-As`: a backend's call in the name of one of its users.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::json;
use support::{API_KEY, Gateway, Redis, token, unique};

fn make_user(redis: &Redis, stem: &str, role: &str) -> String {
    let name = unique(stem);
    redis.run(&["HSET", &format!("user:{name}"), "username", &name, "role", role, "email", "a@example.com"]);
    name
}

#[tokio::test]
async fn the_call_is_made_as_that_user_with_the_stored_role() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for role in ["user", "model", "admin"] {
        let name = make_user(&redis, "acted", role);
        let whoami = gateway.get("/whoami").api_key().header("x-act-as", &name).send().await.ok();
        assert_eq!(whoami["caller"]["username"], name);
        assert_eq!(whoami["caller"]["role"], role);
        assert_eq!(whoami["resolved_user_key"], format!("user:{name}"));
        assert_eq!(whoami["jwt_payload"], json!(null));
    }
}

#[tokio::test]
async fn placeholders_of_both_proxies_mean_that_user() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = make_user(&redis, "holder", "user");
    let call = |path: &str, batch| gateway.post(path).api_key().header("x-act-as", &name).json(batch);
    let written = call("/redis/write", json!([["HSET", "user:me", "bio", "x"]])).send().await.ok();
    assert_eq!(written, json!({"results": [1], "username": name}));
    assert_eq!(redis.run(&["HGET", &format!("user:{name}"), "bio"]), "x");
    let read = call("/", json!([["HGET", "user:AUTH", "bio"]])).send().await.ok();
    assert_eq!(read, json!(["x"]));
}

#[tokio::test]
async fn private_fields_are_shown_as_to_that_user() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (name, other) = (make_user(&redis, "self", "user"), make_user(&redis, "other", "user"));
    for (id, shown) in [("me", true), (&*name, true), (&*other, false)] {
        let answer = gateway.get(&format!("/users/{id}")).api_key().header("x-act-as", &name).send().await.ok();
        assert_eq!(answer["user"].get("email").is_some(), shown, "{id}");
    }
}

#[tokio::test]
async fn a_key_without_the_scope_may_not() {
    let redis = Redis::shared();
    let keys = json!([{"name": "n", "key": "n", "scopes": ["proxy", "rest", "sync", "gateway", "admin"]}]);
    let gateway = Gateway::with(&redis, &[("API_KEYS", &keys.to_string())]);
    let name = make_user(&redis, "noscope", "user");
    for path in ["/whoami", "/users/me", "/debug-auth"] {
        let answer = gateway.get(path).header("x-api-key", "n").header("x-act-as", &name).send().await;
        assert_eq!(answer.code(), (403, "missing_scope".into()), "{path}");
    }
}

#[tokio::test]
async fn a_key_with_act_as_alone_gains_no_other_scope() {
    let redis = Redis::shared();
    let keys = json!([{"name": "n", "key": "n", "scopes": ["act-as"]}]);
    let gateway = Gateway::with(&redis, &[("API_KEYS", &keys.to_string())]);
    let name = make_user(&redis, "narrow", "admin");
    let call = |method, path| gateway.call(method, path).header("x-api-key", "n").header("x-act-as", &name);
    assert_eq!(call("GET", "/whoami").send().await.status, 200);
    assert_eq!(call("GET", "/users/me").send().await.status, 403);
    assert_eq!(call("POST", "/").body("[[\"GET\",\"a\"]]").send().await.status, 403);
    assert_eq!(call("POST", "/redis/write").body("[[\"HSET\",\"user:me\",\"a\",\"b\"]]").send().await.status, 403);
}

#[tokio::test]
async fn with_a_token_it_is_refused() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let name = make_user(&redis, "target", "user");
    for role in ["user", "admin"] {
        let call = gateway.get("/whoami").bearer(&token::of("alice", role));
        let answer = call.header("x-act-as", &name).send().await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    let oneself = gateway.get("/whoami").user("alice").header("x-act-as", "alice").send().await;
    assert_eq!(oneself.status, 403);
}

#[tokio::test]
async fn alone_it_is_no_credential() {
    let redis = Redis::shared();
    let answer = Gateway::on(&redis).get("/whoami").header("x-act-as", "alice").send().await;
    assert_eq!(answer.refusal(), (401, "Missing token".into()));
    let wrong = Gateway::on(&redis).get("/whoami").header("x-api-key", "no").header("x-act-as", "alice").send().await;
    assert_eq!(wrong.code(), (401, "invalid_api_key".into()));
}

#[tokio::test]
async fn what_is_no_username_is_bad_input() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let long = "x".repeat(65);
    for name in ["", "me", "AUTH", ".", "..", "a b", "a:b", "a/b", "ä", "*", "a,b", "xano_sync", &long] {
        let answer = gateway.get("/whoami").api_key().header("x-act-as", name).send().await;
        assert_eq!(answer.status, 400, "{name:?}: {}", answer.text());
    }
    let twice = gateway.get("/whoami").api_key().header("x-act-as", "a").header("x-act-as", "b").send().await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let nobody = unique("nobody");
    for path in ["/whoami", "/users/me", "/debug-auth"] {
        let answer = gateway.get(path).header("x-api-key", API_KEY).header("x-act-as", &nobody).send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()), "{path}");
    }
}
