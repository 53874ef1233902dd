//! SPEC 1: who is calling. Headers, API keys and what each may do; `act_as.rs` and `jwt.rs` hold the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{API_KEY, Answer, Call, Gateway, NOW_MS, Redis, token};

const NEXT_KEY: &str = "the-next-key-0123456789abcdef0123456789abcdef";

fn with_keys(redis: &Redis, keys: &Value) -> Gateway {
    Gateway::with(redis, &[("API_KEYS", &keys.to_string())])
}

async fn kind(call: Call) -> String {
    call.send().await.ok()["caller"]["kind"].as_str().unwrap().to_owned()
}

fn assert_is_an_unknown_key(answer: &Answer) {
    assert_eq!(answer.code(), (401, "invalid_api_key".into()));
    let body = answer.json();
    assert_eq!(body["error"], "Missing token");
    assert!(body["message"].as_str().unwrap().contains("matches none"), "{body}");
    assert_eq!(body["requestId"], answer.header("x-request-id"));
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn without_credentials_a_route_that_needs_a_caller_says_missing_token() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for (method, path) in
        [("GET", "/whoami"), ("POST", "/whoami"), ("GET", "/users/a"), ("POST", "/"), ("POST", "/redis/write")]
    {
        let answer = gateway.call(method, path).body("[[\"GET\",\"a\"]]").send().await;
        assert_eq!(answer.refusal(), (401, "Missing token".into()), "{method} {path}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn an_api_key_acts_as_xano_sync_with_role_admin() {
    let redis = Redis::shared();
    let whoami = Gateway::on(&redis).get("/whoami").api_key().send().await.ok();
    assert_eq!(
        whoami,
        json!({
            "jwt_payload": null,
            "caller": {"kind": "api_key", "username": "xano_sync", "role": "admin", "keyName": "xano"},
            "resolved_user_key": "user:xano_sync",
        })
    );
}

#[tokio::test]
async fn the_api_key_is_looked_at_first() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let good = token::of("alice", "user");
    assert_eq!(kind(gateway.get("/whoami").api_key().bearer(&good)).await, "api_key");
    assert_eq!(kind(gateway.get("/whoami").api_key().bearer("broken")).await, "api_key");
    assert_eq!(kind(gateway.get("/whoami").bearer(&good)).await, "user");
    let answer = gateway.get("/whoami").header("x-api-key", "wrong").bearer(&good).send().await;
    assert_is_an_unknown_key(&answer);
}

#[tokio::test]
async fn a_key_that_matches_none_is_told_so() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let longer = format!("{API_KEY}0");
    let list = format!("{API_KEY}, {API_KEY}");
    for key in ["", "wrong", &API_KEY[1..], &longer, &API_KEY.to_uppercase(), "ключ", &list] {
        let answer = gateway.get("/whoami").header("x-api-key", key).send().await;
        assert_is_an_unknown_key(&answer);
        assert!(key.is_empty() || !answer.text().contains(key));
    }
    let twice = gateway.get("/whoami").api_key().api_key().send().await;
    assert_is_an_unknown_key(&twice);
}

#[tokio::test]
async fn without_any_configured_key_no_key_is_good() {
    let redis = Redis::shared();
    let gateway = Gateway::with(&redis, &[("XANO_API_KEY", "")]);
    for key in ["", API_KEY] {
        assert_is_an_unknown_key(&gateway.post("/").header("x-api-key", key).body("[]").send().await);
    }
}

#[tokio::test]
async fn two_keys_are_good_while_one_replaces_the_other() {
    let redis = Redis::shared();
    let gateway = with_keys(&redis, &json!([{"name": "next", "key": NEXT_KEY, "scopes": ["proxy"]}]));
    for (key, name) in [(API_KEY, "xano"), (NEXT_KEY, "next")] {
        let whoami = gateway.get("/whoami").header("x-api-key", key).send().await.ok();
        assert_eq!(whoami["caller"]["keyName"], name);
        let read = gateway.post("/").header("x-api-key", key).json(json!(["GET", "callers:none"])).send().await;
        assert_eq!(read.ok(), json!([null]));
    }
}

#[tokio::test]
async fn a_key_can_be_configured_by_its_digest() {
    let redis = Redis::shared();
    let digest = ring::digest::digest(&ring::digest::SHA256, NEXT_KEY.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let gateway = with_keys(&redis, &json!([{"name": "next", "sha256": hex}]));
    assert_eq!(kind(gateway.get("/whoami").header("x-api-key", NEXT_KEY)).await, "api_key");
    assert_is_an_unknown_key(&gateway.get("/whoami").header("x-api-key", &hex).send().await);
}

/// What each route answers to a key that has one scope only.
#[tokio::test]
async fn outside_its_scopes_a_key_gets_403() {
    let redis = Redis::shared();
    redis.run(&["HSET", "user:scoped", "username", "scoped"]);
    let scopes = ["proxy", "rest", "sync", "act-as", "gateway", "admin"];
    let keys: Vec<Value> = scopes.iter().map(|scope| json!({"name": scope, "key": scope, "scopes": [scope]})).collect();
    let variables = [("API_KEYS", &*Value::from(keys).to_string()), ("ENVIRONMENT", "production")];
    let gateway = Gateway::with(&redis, &variables);
    let routes = [
        ("POST", "/", "proxy"),
        ("POST", "/redis/write", "proxy"),
        ("GET", "/users/scoped", "rest"),
        ("GET", "/debug-auth", "admin"),
    ];
    for scope in scopes {
        for (method, path, needed) in routes {
            let body = if path == "/" { r#"["GET","x"]"# } else { r#"["HSET","user:scoped","bio","x"]"# };
            let answer = gateway.call(method, path).header("x-api-key", scope).body(body).send().await;
            let expected = if scope == needed { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{method} {path} with scope {scope}: {}", answer.text());
        }
        assert_eq!(gateway.get("/whoami").header("x-api-key", scope).send().await.status, 200);
    }
}

#[tokio::test]
async fn xano_api_key_has_every_scope_but_gateway() {
    let redis = Redis::shared();
    redis.run(&["HSET", "user:everything", "username", "everything", "role", "user"]);
    let gateway = Gateway::with(&redis, &[("ENVIRONMENT", "production")]);
    let get = |path: &str| gateway.get(path).api_key();
    assert_eq!(get("/users/everything").send().await.status, 200);
    assert_eq!(get("/debug-auth").send().await.status, 200);
    assert_eq!(get("/whoami").header("x-act-as", "everything").send().await.status, 200);
    assert_eq!(gateway.read(json!(["TYPE", "user:everything"])).await, json!(["hash"]));
    assert_eq!(gateway.write(json!(["HSET", "user:everything", "bio", "x"])).await, json!([1]));
}

#[tokio::test]
async fn an_entry_without_scopes_is_for_the_gateway_only() {
    let redis = Redis::shared();
    let gateway = with_keys(&redis, &json!([{"name": "plain", "key": NEXT_KEY}]));
    for (method, path) in [("POST", "/"), ("POST", "/redis/write"), ("GET", "/users/me")] {
        let answer = gateway.call(method, path).header("x-api-key", NEXT_KEY).body("[\"GET\",\"x\"]").send().await;
        assert_eq!(answer.code(), (403, "missing_scope".into()), "{method} {path}");
    }
}

#[tokio::test]
async fn an_expired_key_is_no_key() {
    let redis = Redis::shared();
    let seconds = NOW_MS / 1000;
    let keys = json!([
        {"name": "number", "key": "number", "expires_at": seconds},
        {"name": "text", "key": "text", "expires_at": "2027-01-15T08:00:00Z"},
    ]);
    let gateway = with_keys(&redis, &keys);
    for key in ["number", "text"] {
        gateway.host.set_ms(NOW_MS - 1000);
        assert_eq!(kind(gateway.get("/whoami").header("x-api-key", key)).await, "api_key");
        gateway.host.set_ms(NOW_MS + 1000);
        assert_is_an_unknown_key(&gateway.get("/whoami").header("x-api-key", key).send().await);
    }
}

#[tokio::test]
async fn a_key_with_addresses_is_good_from_these_only() {
    let redis = Redis::shared();
    let keys = json!([{"name": "office", "key": NEXT_KEY, "allow_ips": ["203.0.113.0/24", "2001:db8::/32"]}]);
    let gateway = with_keys(&redis, &keys);
    let from = |address: &str| gateway.get("/whoami").header("x-api-key", NEXT_KEY).header("cf-connecting-ip", address);
    for (address, status) in [
        ("203.0.113.200", 200),
        ("2001:db8:1::7", 200),
        ("203.0.114.1", 403),
        ("2001:db9::1", 403),
        ("203.0.113.200, 203.0.114.1", 403),
        ("localhost", 403),
        ("", 403),
    ] {
        assert_eq!(from(address).send().await.status, status, "from {address:?}");
    }
    assert_eq!(from("203.0.113.200").header("cf-connecting-ip", "203.0.113.200").send().await.status, 403);
    let unknown = gateway.get("/whoami").header("x-api-key", NEXT_KEY);
    assert_eq!(unknown.header("x-forwarded-for", "203.0.113.200").send().await.status, 403);
    assert_eq!(gateway.get("/whoami").api_key().header("cf-connecting-ip", "203.0.114.1").send().await.status, 200);
}

#[tokio::test]
async fn three_headers_may_hold_the_token_with_or_without_bearer() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let good = token::of("alice", "user");
    for name in ["authorization", "x-authorization", "x-access-token"] {
        for value in [format!("Bearer {good}"), format!("bearer {good}"), good.clone()] {
            let whoami = gateway.get("/whoami").header(name, &value).send().await.ok();
            assert_eq!(whoami["caller"], json!({"kind": "user", "username": "alice", "role": "user"}), "{name}");
        }
    }
}

#[tokio::test]
async fn of_several_token_headers_the_first_in_order_counts() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let [alice, bob] = ["alice", "bob"].map(|name| token::of(name, "user"));
    let name = async |headers: &[(&str, &str)]| {
        let call = headers.iter().fold(gateway.get("/whoami"), |call, (name, value)| call.header(name, value));
        let answer = call.send().await;
        if answer.status == 200 {
            answer.json()["caller"]["username"].as_str().unwrap().to_owned()
        } else {
            answer.refusal().1
        }
    };
    let bearer = format!("Bearer {alice}");
    assert_eq!(name(&[("x-access-token", &bob), ("x-authorization", &bob), ("authorization", &bearer)]).await, "alice");
    assert_eq!(name(&[("x-access-token", &bob), ("x-authorization", &alice)]).await, "alice");
    // Wrong credentials are not passed over for others.
    assert_eq!(name(&[("authorization", "Bearer x"), ("x-access-token", &bob)]).await, "Invalid token");
    // Another scheme's credentials are for someone before us.
    assert_eq!(name(&[("authorization", "Basic YTpi"), ("x-access-token", &bob)]).await, "bob");
    assert_eq!(name(&[("authorization", "Basic YTpi")]).await, "Missing token");
}
