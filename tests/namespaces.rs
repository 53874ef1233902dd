//! SPEC 10, namespaces: what is in them, which keys, deleting some, and taking strays in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "namespaces/adopt.rs"]
mod adopt;
#[path = "namespaces/delete.rs"]
mod delete;
#[path = "namespaces/list.rs"]
mod list;
#[path = "backends/rest_server.rs"]
mod rest_server;
#[path = "namespaces/usage.rs"]
mod usage;

mod support;

use rest_server::RestServer;
use serde_json::{Value, json};
use support::{Answer, Call, Gateway, Redis, token};

/// A key of scope `admin` whose ACL a test chooses.
const BOUND: &str = "a-key-with-an-acl-0123456789abcdef";

/// `app:` has rules; the prefixes of `star` and `class` would be patterns, if prefixes were any.
fn configuration() -> Value {
    json!([
        {"name": "app", "prefix": "app:", "ttl": [["app:session:*", 3600], ["app:user:*:tokens", 3300]]},
        {"name": "star", "prefix": "a*b:"},
        {"name": "class", "prefix": "[x]:"},
    ])
}

/// A gateway with these namespaces, in front of a Redis of its own.
struct Stage {
    redis: Redis,
    gateway: Gateway,
    _rest: Option<RestServer>,
}

impl Stage {
    /// Over TCP, and without an ACL.
    fn new() -> Self {
        Self::with_acl("~* &* +@all")
    }

    /// Where [`BOUND`] has an ACL.
    fn with_acl(acl: &str) -> Self {
        let redis = Redis::own();
        let gateway = gateway(&redis, acl, &[]);
        Self { redis, gateway, _rest: None }
    }

    /// Over REST.
    fn over_rest(acl: &str) -> Self {
        let redis = Redis::own();
        let rest = RestServer::start(&redis.url());
        let url = rest.url();
        let more =
            [("REDIS_URL", ""), ("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", RestServer::TOKEN)];
        let gateway = gateway(&redis, acl, &more);
        Self { redis, gateway, _rest: Some(rest) }
    }

    /// One of each.
    fn both(acl: &str) -> [Self; 2] {
        [Self::with_acl(acl), Self::over_rest(acl)]
    }

    /// Strings at these keys.
    fn set(&self, keys: &[&str]) {
        for key in keys {
            self.redis.run(&["SET", key, "value"]);
        }
    }

    /// A string at the key that Lua's escapes describe: `app:\255`.
    fn set_bytes(&self, key: &str) {
        self.redis.run(&["EVAL", &format!("return redis.call('SET', '{key}', 'value')"), "0"]);
    }

    /// As many strings, at `app:1`, `other:1` and so on in turn.
    fn fill(&self, count: u64) {
        const FILL: &str = "for n = 1, ARGV[1] do redis.call('SET', (n % 2 == 1 and 'app:' or 'other:') .. n, n) end";
        self.redis.run(&["EVAL", FILL, "0", &count.to_string()]);
    }

    fn size(&self) -> u64 {
        self.redis.run(&["DBSIZE"]).as_u64().unwrap()
    }

    fn ttl(&self, key: &str) -> i64 {
        self.redis.run(&["TTL", key]).as_i64().unwrap()
    }

    /// With the key that no ACL binds.
    async fn send(&self, method: &str, path: &str) -> Answer {
        self.gateway.call(method, path).api_key().send().await
    }

    /// With the key that one does.
    async fn bound(&self, method: &str, path: &str) -> Answer {
        self.gateway.call(method, path).header("x-api-key", BOUND).send().await
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path).await.ok()
    }

    /// Adopts into `app`, with the key that no ACL binds.
    async fn adopt(&self, body: Value) -> Value {
        self.gateway.post("/namespaces/app/adopt").api_key().json(body).send().await.ok()
    }
}

fn gateway(redis: &Redis, acl: &str, more: &[(&str, &str)]) -> Gateway {
    let keys = json!([
        {"name": "bound", "key": BOUND, "scopes": ["admin"], "acl": acl},
        {"name": "gateway-only", "key": "gateway-only"},
    ]);
    let (namespaces, keys) = (configuration().to_string(), keys.to_string());
    let variables = [more, &[("NAMESPACES", &namespaces), ("API_KEYS", &keys)]].concat();
    Gateway::with(redis, &variables)
}

/// A segment or a parameter of a URL.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn trips(answer: &Answer) -> u32 {
    answer.header("x-redis-round-trips").parse().unwrap()
}

/// Every route, with what it needs to be accepted.
fn routes(stage: &Stage) -> Vec<Call> {
    vec![
        stage.gateway.get("/namespaces"),
        stage.gateway.get("/namespaces/app/keys"),
        stage.gateway.call("DELETE", "/namespaces/app/keys?match=*"),
        stage.gateway.post("/namespaces/app/adopt").json(json!({"match": "x"})),
    ]
}

#[tokio::test]
async fn only_keys_of_scope_admin_may() {
    let stage = Stage::new();
    for call in routes(&stage) {
        assert_eq!(call.api_key().send().await.status, 200);
    }
    for call in routes(&stage) {
        assert_eq!(call.header("x-api-key", "gateway-only").send().await.code(), (403, "missing_scope".into()));
    }
    for call in routes(&stage) {
        let answer = call.bearer(&token::of("alice", "admin")).send().await;
        assert_eq!(answer.code(), (403, "admin_only".into()));
    }
    for call in routes(&stage) {
        assert_eq!(call.send().await.code(), (401, "missing_token".into()));
    }
}

#[tokio::test]
async fn without_scan_in_the_acl_nothing_is_looked_through() {
    let stage = Stage::with_acl("~* +@all -scan");
    for call in routes(&stage) {
        let answer = call.header("x-api-key", BOUND).send().await;
        let text = "NOPERM this user has no permissions to run the 'scan' command";
        assert_eq!((answer.refusal(), trips(&answer)), ((403, text.to_owned()), 0));
    }
}

#[tokio::test]
async fn a_namespace_that_is_not_configured_is_not_found() {
    let stage = Stage::new();
    for (method, path) in [
        ("GET", "/namespaces/nope/keys"),
        ("DELETE", "/namespaces/nope/keys?match=*"),
        ("POST", "/namespaces/nope/adopt"),
    ] {
        let answer = stage.gateway.call(method, path).api_key().json(json!({"match": "x"})).send().await;
        assert_eq!(answer.code(), (404, "namespace_not_found".into()), "{method}");
        assert_eq!(answer.refusal().1, "Namespace not found");
    }
    assert_eq!(stage.send("PUT", "/namespaces/app/keys").await.code(), (405, "method_not_allowed".into()));
    let bare = Gateway::on(&stage.redis);
    let answer = bare.get("/namespaces").api_key().send().await;
    assert_eq!((answer.ok(), trips(&answer)), (json!({"namespaces": [], "complete": true, "cursor": null}), 0));
}

#[tokio::test]
async fn a_wrong_configuration_is_told_with_its_entry_and_field() {
    let redis = Redis::shared();
    for (json, problem) in [
        ("{", "NAMESPACES: must be a JSON list of objects"),
        (
            r#"[{"name":"a","prefix":"a:"},{"name":"b","prefix":"a:b:"}]"#,
            "NAMESPACES: entry 1: prefix: overlaps with that of 'a'",
        ),
        (
            r#"[{"name":"a","prefix":"a:","ttl":[["b:*",5]]}]"#,
            "NAMESPACES: entry 0: ttl: rule 0: the pattern must begin with 'a:': it is matched with whole keys",
        ),
    ] {
        let answer = Gateway::with(&redis, &[("NAMESPACES", json)]).get("/whoami").send().await;
        assert_eq!(answer.code(), (500, "misconfigured".to_owned()));
        assert_eq!(answer.json()["message"], problem);
    }
}

#[tokio::test]
async fn a_parameter_that_is_wrong_is_named() {
    let stage = Stage::new();
    let long = "x".repeat(1025);
    for (method, path, told) in [
        ("GET", "/namespaces?cursor=1", "Parameter 'cursor' is none that this route gave"),
        ("GET", "/namespaces/app/keys?cursor=x", "Parameter 'cursor' is none that this route gave"),
        ("GET", "/namespaces/app/keys?cursor=-1", "Parameter 'cursor' is none that this route gave"),
        ("GET", "/namespaces/app/keys?cursor=18446744073709551616", "Parameter 'cursor' is none that this route gave"),
        ("GET", "/namespaces/app/keys?count=0", "Parameter 'count' must be a whole number from 1 to 1000"),
        ("GET", "/namespaces/app/keys?count=1001", "Parameter 'count' must be a whole number from 1 to 1000"),
        (
            "GET",
            "/namespaces/app/keys?match=other:*",
            "Parameter 'match' matches no key of this namespace, they begin with 'app:'",
        ),
        (
            "DELETE",
            "/namespaces/app/keys?match=session:*",
            "Parameter 'match' matches no key of this namespace, they begin with 'app:'",
        ),
        ("GET", &format!("/namespaces/app/keys?match=app:{long}"), "Parameter 'match' must be at most 1024 bytes"),
        ("DELETE", "/namespaces/app/keys", "Parameter 'match' is required; '*' is all keys of the namespace"),
        ("DELETE", "/namespaces/app/keys?match=", "Parameter 'match' is required; '*' is all keys of the namespace"),
        ("DELETE", "/namespaces/app/keys?match=*&cursor=x", "Parameter 'cursor' is none that this route gave"),
    ] {
        let answer = stage.send(method, path).await;
        assert_eq!((answer.refusal(), trips(&answer)), ((400, told.to_owned()), 0), "{method} {path}");
    }
    for (body, told) in [
        (json!({}), "Field 'match' is required"),
        (json!({"match": ""}), "Field 'match' is empty"),
        (json!({"match": 5}), "Field 'match' must be a string"),
        (json!({"match": long}), "Field 'match' must be at most 1024 bytes"),
        (json!({"match": "x", "dryRun": "no"}), "Field 'dryRun' must be true or false"),
        (json!({"match": "x", "cursor": 5}), "Field 'cursor' must be a string"),
        (json!({"match": "x", "cursor": "x"}), "Field 'cursor' is none that this route gave"),
        (json!([]), "The body must be a JSON object"),
    ] {
        let answer = stage.gateway.post("/namespaces/app/adopt").api_key().json(body.clone()).send().await;
        assert_eq!((answer.refusal(), trips(&answer)), ((400, told.to_owned()), 0), "{body}");
    }
}
