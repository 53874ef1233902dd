//! SPEC 10, `GET /keys/usage`: requests, commands and denials of each API key, a day, and when it was last used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
mod support;

use hostile::{
    Stranger,
    tcp::{executes_then_cuts, healthy},
};
use ridge::host::Host as _;
use serde_json::{Value, json};
use support::{API_KEY, Call, Gateway, NOW_MS, Redis};

const DAY_MS: u64 = 86_400_000;

/// A Redis, and a gateway in front of it that is watched.
struct Stage {
    redis: Redis,
    gateway: Gateway,
    keys: Value,
}

impl Stage {
    /// With a key `app` of these scopes.
    fn new(scopes: &[&str]) -> Self {
        Self::with_keys(json!([{"name": "app", "key": "app", "scopes": scopes}]))
    }

    /// With these keys, at [`NOW_MS`].
    fn with_keys(keys: Value) -> Self {
        let redis = Redis::own();
        let gateway = Gateway::with(&redis, &[("API_KEYS", &keys.to_string())]).at(NOW_MS);
        Self { redis, gateway, keys }
    }

    /// Another isolate.
    fn another(&self) -> Gateway {
        Gateway::with(&self.redis, &[("API_KEYS", &self.keys.to_string())]).at(self.gateway.host.now_ms())
    }

    /// What is told once everything that was counted is written. The isolate that tells it never writes that it did.
    async fn told(&self, query: &str) -> Value {
        self.gateway.finish_later().await;
        let answer = self.another().get(&format!("/keys/usage{query}")).api_key().send().await;
        assert_eq!(answer.header("x-redis-round-trips"), "1");
        answer.ok()
    }

    /// What is told of one key.
    async fn usage_of(&self, name: &str) -> Value {
        let told = self.told("").await;
        let keys = told["keys"].as_array().unwrap();
        let named: Vec<&Value> = keys.iter().filter(|key| key["name"] == name).collect();
        assert_eq!(named.len(), 1, "{name}: {told}");
        named[0].clone()
    }

    /// Requests, commands and denials of `app` in all.
    async fn counts(&self) -> [u64; 3] {
        let total = &self.usage_of("app").await["total"];
        ["requests", "commands", "denials"].map(|kind| total[kind].as_u64().unwrap())
    }

    /// A request with the key `app`.
    fn app(&self, method: &str, path: &str) -> Call {
        self.gateway.call(method, path).header("x-api-key", "app")
    }

    /// A request with the key `app` that asks nothing of Redis.
    async fn use_it(&self) {
        self.app("GET", "/whoami").send().await.ok();
    }
}

#[tokio::test]
async fn keys_that_nobody_has_used_are_told_in_the_order_of_the_configuration() {
    let stage = Stage::with_keys(json!([{"name": "second", "key": "2"}, {"name": "a third", "key": "3"}]));
    let total = json!({"requests": 0, "commands": 0, "denials": 0});
    let unused = |name: &str| json!({"name": name, "configured": true, "days": [], "total": total, "lastUsed": null});
    assert_eq!(stage.told("").await, json!({"keys": [unused("xano"), unused("second"), unused("a third")]}));
    assert_eq!(stage.redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn requests_and_commands_are_counted_by_key_whatever_the_route() {
    let stage = Stage::new(&["rest", "act-as", "proxy"]);
    stage.redis.run(&["HSET", "user:alice", "username", "alice"]);
    let two_writes = json!([["HSET", "user:alice:x", "a", "b"], ["HDEL", "user:alice:x", "a"]]);
    for (call, status) in [
        (stage.app("GET", "/whoami"), 200),
        (stage.app("GET", "/users/alice"), 200),
        (stage.app("GET", "/users/me").header("x-act-as", "alice"), 200),
        (stage.app("GET", "/users/nobody"), 404),
        (stage.app("GET", "/feed/explore"), 200),
        (stage.app("POST", "/").json(json!([["GET", "a"], ["GET", "b"], ["GET", "c"]])), 200),
        (stage.app("POST", "/").json(json!({"commands": ["GET", "a"]})), 200),
        (stage.app("POST", "/").body("no JSON"), 400),
        (stage.app("POST", "/redis/write").json(two_writes), 200),
        (stage.app("GET", "/users/alice").header("x-act-as", "no name"), 400),
    ] {
        assert_eq!(call.send().await.status, status);
    }
    for (path, body) in [
        ("/sync/users", json!([{"username": "bob"}, {"username": "carol"}])),
        ("/webhooks/user-delete", json!({"username": "bob"})),
        ("/admin/reconcile", json!({"mode": "report"})),
    ] {
        stage.gateway.post(path).api_key().json(body).send().await.ok();
    }
    for (name, requests, commands) in [("app", 10, 6), ("xano", 3, 0)] {
        let day = json!({"date": "2027-01-15", "requests": requests, "commands": commands, "denials": 0});
        let total = json!({"requests": requests, "commands": commands, "denials": 0});
        let expected = json!({"name": name, "configured": true, "days": [day], "total": total, "lastUsed": NOW_MS});
        assert_eq!(stage.usage_of(name).await, expected);
    }
}

#[tokio::test]
async fn what_is_called_without_a_known_key_is_nobodys_use() {
    let stage = Stage::new(&["rest"]);
    for call in [
        stage.gateway.get("/whoami"),
        stage.gateway.get("/whoami").user("alice"),
        stage.gateway.get("/whoami").header("x-api-key", "wrong"),
        stage.gateway.get("/feed/explore"),
        stage.app("OPTIONS", "/whoami"),
        // Nobody looks at credentials there.
        stage.app("GET", "/ping"),
        stage.app("GET", "/health"),
        stage.app("GET", "/no/such/route"),
    ] {
        call.send().await;
    }
    assert_eq!(stage.gateway.finish_later().await, 0);
    assert_eq!(stage.redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn a_request_that_the_key_may_not_make_is_a_denial() {
    let stage = Stage::with_keys(json!([
        {"name": "app", "key": "app", "scopes": ["rest"]},
        {"name": "elsewhere", "key": "elsewhere", "scopes": ["rest"], "allow_ips": ["192.0.2.1"]},
    ]));
    stage.redis.run(&["HSET", "user:alice", "username", "alice", "role", "user"]);
    stage.redis.run(&["HSET", "user:bob", "username", "bob", "role", "user"]);
    for (call, status) in [
        (stage.app("POST", "/").json(json!([["GET", "a"], ["GET", "b"]])), 403),
        (stage.app("POST", "/sync/users").json(json!([])), 403),
        (stage.app("GET", "/keys/usage"), 403),
        (stage.app("GET", "/debug-auth").header("x-act-as", "alice"), 403),
        (stage.gateway.get("/users/alice").header("x-api-key", "elsewhere"), 403),
        (
            stage.gateway.get("/users/alice").header("x-api-key", "elsewhere").header("cf-connecting-ip", "192.0.2.1"),
            200,
        ),
        // The key may; the user in whose name it is used may not.
        (stage.gateway.call("DELETE", "/users/bob").api_key().header("x-act-as", "alice"), 403),
    ] {
        assert_eq!(call.send().await.status, status);
    }
    assert_eq!(stage.counts().await, [4, 0, 4]);
    for (name, requests, denials) in [("elsewhere", 2, 1), ("xano", 1, 0)] {
        let total = json!({"requests": requests, "commands": 0, "denials": denials});
        assert_eq!(stage.usage_of(name).await["total"], total, "{name}");
    }
}

#[tokio::test]
async fn a_command_that_the_key_may_not_run_is_a_denial_and_one_that_is_wrong_is_none() {
    let scopes = ["proxy"];
    let acl = "~user:* ~otp:* +@read +hset +hincrby -ttl";
    let stage = Stage::with_keys(json!([{"name": "app", "key": "app", "scopes": scopes, "acl": acl}]));
    stage.redis.run(&["HSET", "user:alice", "username", "alice"]);
    stage.redis.run(&["SET", "user:text", "x"]);
    let cases = [
        ("/", json!(["HGETALL", "user:alice"]), false),
        ("/", json!(["HGETALL", "user:text"]), false),
        ("/", json!(["GET"]), false),
        ("/", json!(["SET", "user:a:b", "x"]), true),
        ("/", json!(["NONSENSE"]), true),
        ("/", json!(["GET", "otp:alice"]), true),
        ("/", json!(["GET", "other"]), true),
        ("/", json!(["TTL", "user:alice"]), true),
        ("/redis/write", json!(["HSET", "user:alice", "bio", "x"]), false),
        ("/redis/write", json!(["HSET", "user:text", "bio", "x"]), false),
        ("/redis/write", json!(["HSET", "user:alice", "bio"]), false),
        ("/redis/write", json!(["HINCRBY", "user:alice", "visits", "many"]), false),
        ("/redis/write", json!(["HSET", "user:new", "username", "other"]), false),
        ("/redis/write", json!(["DEL", "user:alice"]), true),
        ("/redis/write", json!(["HDEL", "user:alice", "bio"]), true),
        ("/redis/write", json!(["HSET", "post:1", "likesCount", "9"]), true),
        ("/redis/write", json!(["HSET", "user:alice:liked", "a", "b"]), true),
        ("/redis/write", json!(["HINCRBY", "user:alice", "role", "1"]), true),
        ("/redis/write", json!(["HSET", "user:alice", "username", "bob"]), true),
    ];
    let mut expected = [0, 0, 0];
    for (path, command, is_denied) in cases {
        let answer = stage.app("POST", path).json(json!([command])).send().await.ok();
        expected = [expected[0] + 1, expected[1] + 1, expected[2] + u64::from(is_denied)];
        assert_eq!(stage.counts().await, expected, "{path} {command}: {answer}");
    }
    let batch = json!([["GET", "other"], ["GET", "user:a:b"], ["SET", "user:a:b", "c"]]);
    stage.app("POST", "/").json(batch).send().await.ok();
    assert_eq!(stage.counts().await, [expected[0] + 1, expected[1] + 3, expected[2] + 2]);
}

#[tokio::test]
async fn a_stream_of_events_is_one_command_however_long_it_goes_on() {
    let stage = Stage::with_keys(json!([{"name": "app", "key": "app", "acl": "+subscribe &chat"}]));
    let stream = stage.app("GET", "/redis/subscribe/chat").open().await;
    assert_eq!(stream.status(), 200);
    for path in ["/redis/subscribe/other", "/redis/psubscribe/chat", "/redis/monitor", "/redis/subscribe//"] {
        assert_eq!(stage.app("GET", path).send().await.status, 400);
    }
    assert_eq!(stage.counts().await, [5, 4, 3]);
    drop(stream);
}

#[tokio::test]
async fn what_is_counted_is_written_after_the_answer_and_in_nobodys_round_trip() {
    let stage = Stage::new(&["proxy", "rest"]);
    stage.use_it().await;
    for (call, trips) in [
        (stage.app("POST", "/").json(json!(["GET", "a"])), "1"),
        (stage.app("POST", "/").json(json!(["SET", "a", "b"])), "0"),
        (stage.app("GET", "/whoami"), "0"),
    ] {
        assert_eq!(call.send().await.header("x-redis-round-trips"), trips);
    }
    assert_eq!(stage.redis.run(&["DBSIZE"]), 0);
    assert_eq!(stage.counts().await, [4, 2, 1]);
}

#[tokio::test]
async fn many_requests_leave_one_writing_and_those_after_it_another() {
    let stage = Stage::new(&[]);
    for expected in [50, 100] {
        for _ in 0..50 {
            stage.use_it().await;
        }
        assert_eq!(stage.gateway.finish_later().await, 1);
        assert_eq!(stage.counts().await, [expected, 0, 0]);
    }
    assert_eq!(stage.gateway.finish_later().await, 0);
}

#[tokio::test]
async fn days_are_those_of_utc() {
    let stage = Stage::new(&[]);
    let midnight = NOW_MS - NOW_MS % DAY_MS;
    for (at, times) in [(midnight - 1, 2), (midnight, 3), (midnight + DAY_MS - 1, 1), (midnight - DAY_MS - 1, 1)] {
        stage.gateway.host.set_ms(at);
        for _ in 0..times {
            stage.use_it().await;
        }
    }
    stage.gateway.host.set_ms(NOW_MS);
    let day = |date, requests| json!({"date": date, "requests": requests, "commands": 0, "denials": 0});
    let usage = stage.usage_of("app").await;
    assert_eq!(usage["days"], json!([day("2027-01-13", 1), day("2027-01-14", 2), day("2027-01-15", 4)]));
    assert_eq!(usage["lastUsed"], midnight + DAY_MS - 1);
}

#[tokio::test]
async fn the_counts_of_all_isolates_are_added_up() {
    let stage = Stage::new(&["proxy"]);
    let isolates: Vec<Gateway> = (0..3).map(|_| stage.another()).collect();
    for round in 1..=4 {
        for (n, isolate) in isolates.iter().enumerate() {
            isolate.host.set_ms(NOW_MS + 1000 * round - n as u64);
            let call = isolate.post("/").header("x-api-key", "app").json(json!([["GET", "a"], ["GET", "b"]]));
            call.send().await.ok();
        }
        // The latest use comes first, so that the one that is written last is not the last one.
        for isolate in &isolates {
            isolate.finish_later().await;
        }
        assert_eq!(stage.counts().await, [3 * round, 6 * round, 0]);
        assert_eq!(stage.usage_of("app").await["lastUsed"], NOW_MS + 1000 * round);
    }
}

#[tokio::test]
async fn while_redis_is_away_answers_wait_for_nothing_and_no_count_is_lost() {
    let stage = Stage::new(&["proxy"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    let before = stage.redis.run(&["HGETALL", "ridge:usage:2027-01-15"]);
    stage.redis.stop();
    for _ in 0..3 {
        stage.use_it().await;
        let answer = stage.app("POST", "/").json(json!(["GET", "a"])).send().await;
        assert_eq!(answer.status, 503);
        assert_eq!(stage.gateway.finish_later().await, 1);
    }
    let log = stage.gateway.log();
    let complaints: Vec<&Value> = log.iter().filter(|line| line["error"] == "usage_not_written").collect();
    assert_eq!(complaints.len(), 3);
    let expected = json!({"level": "warn", "error": "usage_not_written", "cause": "Redis is unreachable"});
    assert_eq!(*complaints[0], expected);

    stage.redis.restart();
    let words: Vec<&str> = before.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    stage.redis.run(&[&["HSET", "ridge:usage:2027-01-15"], &words[..]].concat());
    stage.use_it().await;
    assert_eq!(stage.counts().await, [8, 3, 0]);
}

#[tokio::test]
async fn a_writing_whose_outcome_is_unknown_is_sent_again_and_counts_once() {
    let mut stage = Stage::new(&[]);
    let port = stage.redis.port();
    let stranger = Stranger::start(executes_then_cuts(2, port), healthy(port)).await;
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let keys = stage.keys.to_string();
    stage.gateway = Gateway::with(&stage.redis, &[("REDIS_URL", &url), ("API_KEYS", &keys)]).at(NOW_MS);
    for _ in 0..3 {
        stage.use_it().await;
        stage.gateway.finish_later().await;
    }
    assert!(stranger.heard("EVAL") >= 6, "each writing is tried twice");
    // The first was done, and nobody knew; the others stand behind it.
    assert_eq!(stage.redis.run(&["HGET", "ridge:usage:2027-01-15", "requests:app"]), "1");
    stranger.heal();
    stage.use_it().await;
    assert_eq!(stage.counts().await, [4, 0, 0]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [5, 0, 0]);
}

#[tokio::test]
async fn a_writing_that_its_machine_gave_up_is_made_up_for() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    assert_eq!(stage.gateway.host.take_left().len(), 1);
    stage.use_it().await;
    assert_eq!(stage.gateway.host.take_left().len(), 0);
    stage.gateway.host.set_ms(NOW_MS + 60_000);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [3, 0, 0]);
}

#[tokio::test]
async fn two_writings_at_once_count_once() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    stage.gateway.host.set_ms(NOW_MS + 60_000);
    stage.use_it().await;
    assert_eq!(stage.gateway.finish_later().await, 2);
    assert_eq!(stage.counts().await, [2, 0, 0]);
}

#[tokio::test]
async fn everything_goes_by_itself_after_ninety_days() {
    let stage = Stage::new(&[]);
    stage.use_it().await;
    stage.told("").await;
    let keys = stage.redis.expiring_keys();
    assert_eq!(stage.redis.run(&["DBSIZE"]), keys.len());
    assert_eq!(keys.len(), 3, "{keys:?}");
    let lasts = |key: &str| stage.redis.run(&["TTL", key]).as_u64().unwrap().div_ceil(86_400);
    let lasts: Vec<(bool, u64)> = keys.iter().map(|key| (key.starts_with("ridge:usage:writer:"), lasts(key))).collect();
    assert_eq!(lasts, [(false, 90), (false, 90), (true, 1)]);

    // One key goes on being used, and the other one's last use is forgotten all the same.
    stage.gateway.get("/whoami").api_key().send().await.ok();
    stage.told("").await;
    stage.gateway.host.set_ms(NOW_MS + 90 * DAY_MS + 1);
    stage.gateway.get("/whoami").api_key().send().await.ok();
    assert_eq!(stage.usage_of("app").await["lastUsed"], Value::Null);
    assert_eq!(stage.usage_of("xano").await["lastUsed"], NOW_MS + 90 * DAY_MS + 1);
}

#[tokio::test]
async fn days_says_how_far_back() {
    let stage = Stage::new(&[]);
    for ago in [0, 1, 29, 30, 89, 90] {
        stage.gateway.host.set_ms(NOW_MS - ago * DAY_MS);
        stage.use_it().await;
    }
    stage.gateway.host.set_ms(NOW_MS);
    for (query, days, oldest) in [
        ("", 3, "2026-12-17"),
        ("?days=", 3, "2026-12-17"),
        ("?days=1", 1, "2027-01-15"),
        ("?days=2", 2, "2027-01-14"),
        ("?days=31", 4, "2026-12-16"),
        ("?days=90", 5, "2026-10-18"),
    ] {
        let app = stage.told(query).await["keys"][1].take();
        assert_eq!((app["days"].as_array().unwrap().len(), &app["days"][0]["date"]), (days, &json!(oldest)), "{query}");
        assert_eq!((&app["total"]["requests"], &app["lastUsed"]), (&json!(days), &json!(NOW_MS)), "{query}");
    }
    for days in ["0", "91", "-1", "1.5", "x", "99999999999999999999"] {
        let answer = stage.gateway.get(&format!("/keys/usage?days={days}")).api_key().send().await;
        let sentence = "Parameter 'days' must be a whole number from 1 to 90";
        assert_eq!(answer.refusal(), (400, sentence.into()), "{days}");
        assert_eq!(answer.header("x-redis-round-trips"), "0");
    }
}

#[tokio::test]
async fn a_key_that_is_no_longer_configured_is_still_told() {
    let mut stage = Stage::with_keys(json!([
        {"name": "z", "key": "z"}, {"name": "b", "key": "b"}, {"name": "app", "key": "app"},
    ]));
    for key in ["z", "b", "app"] {
        stage.gateway.get("/whoami").header("x-api-key", key).send().await.ok();
    }
    stage.gateway.finish_later().await;
    stage.keys = json!([{"name": "app", "key": "another"}]);
    let told = |told: Value| -> Vec<(Value, Value, Value)> {
        let keys = told["keys"].as_array().unwrap();
        keys.iter().map(|key| ["name", "configured", "lastUsed"].map(|part| key[part].clone()).into()).collect()
    };
    let expected = [
        (json!("xano"), json!(true), Value::Null),
        (json!("app"), json!(true), json!(NOW_MS)),
        (json!("b"), json!(false), json!(NOW_MS)),
        (json!("z"), json!(false), json!(NOW_MS)),
    ];
    assert_eq!(told(stage.told("").await), expected);
    // Also when the days on which it was used are not asked for.
    stage.gateway.host.set_ms(NOW_MS + 40 * DAY_MS);
    assert_eq!(told(stage.told("?days=30").await), expected);
}

#[tokio::test]
async fn names_may_hold_anything() {
    let names = ["a:b", ":", "requests:x", "with blanks\nand lines", "ключ 😀", "\"';--\\", "*", "1"];
    let keys: Vec<Value> = (0..).zip(names).map(|(n, name)| json!({"name": name, "key": format!("key-{n}")})).collect();
    let stage = Stage::with_keys(keys.into());
    for (n, _) in names.iter().enumerate() {
        for _ in 0..=n {
            stage.gateway.get("/whoami").header("x-api-key", format!("key-{n}")).send().await.ok();
        }
    }
    let told = stage.told("").await;
    let shown: Vec<(&Value, &Value)> = told["keys"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|key| (&key["name"], &key["days"][0]["requests"]))
        .collect();
    let expected: Vec<(Value, Value)> = (1..).zip(names).map(|(n, name)| (json!(name), json!(n))).collect();
    assert_eq!(shown, expected.iter().map(|(name, requests)| (name, requests)).collect::<Vec<_>>());
    assert_eq!(stage.redis.run(&["KEYS", "ridge:usage:*"]).as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn no_key_stands_in_redis() {
    let stage = Stage::new(&[]);
    stage.gateway.get("/whoami").api_key().header("x-request-id", "some-id").send().await.ok();
    stage.gateway.get("/users/alice").api_key().header("cf-connecting-ip", "192.0.2.7").send().await;
    stage.told("").await;
    let stored = format!("{:?}", stage.redis.keyspace());
    assert!(stored.contains("requests:xano"));
    let digest = ring::digest::digest(&ring::digest::SHA256, API_KEY.as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for secret in [API_KEY, &digest, "192.0.2.7", "alice", "some-id"] {
        assert!(!stored.contains(secret), "{secret} in {stored}");
    }
}

#[tokio::test]
async fn whoever_deletes_it_breaks_nothing() {
    let stage = Stage::new(&["proxy"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    stage.redis.run(&["FLUSHALL"]);
    stage.use_it().await;
    assert_eq!(stage.counts().await, [1, 0, 0]);
    // Somebody's own value in the place of a day: that day cannot be counted, and all others can.
    stage.redis.run(&["SET", "ridge:usage:2027-01-15", "mine"]);
    for _ in 0..3 {
        stage.use_it().await;
        stage.gateway.finish_later().await;
    }
    assert_eq!(stage.redis.run(&["GET", "ridge:usage:2027-01-15"]), "mine");
    assert_eq!(stage.another().get("/keys/usage").api_key().send().await.code(), (502, "redis_protocol_error".into()));
    stage.gateway.host.set_ms(NOW_MS + DAY_MS);
    stage.use_it().await;
    stage.gateway.finish_later().await;
    stage.redis.run(&["DEL", "ridge:usage:2027-01-15"]);
    assert_eq!(stage.usage_of("app").await["days"].as_array().unwrap().len(), 1);
    assert_eq!(stage.counts().await, [1, 0, 0]);
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_script_gets_it_again() {
    let stage = Stage::new(&[]);
    for expected in 1..4 {
        stage.use_it().await;
        assert_eq!(stage.counts().await, [expected, 0, 0]);
        stage.redis.run(&["SCRIPT", "FLUSH"]);
    }
}

#[tokio::test]
async fn only_administrators_may_see_it() {
    let stage = Stage::new(&["proxy", "rest", "sync", "act-as", "gateway"]);
    let path = "/keys/usage";
    for (call, code) in [
        (stage.gateway.get(path), (401, "missing_token")),
        (stage.gateway.get(path).header("x-api-key", "wrong"), (401, "invalid_api_key")),
        (stage.gateway.get(path).user("alice"), (403, "admin_only")),
        (stage.app("GET", path), (403, "missing_scope")),
        (stage.gateway.post(path).api_key(), (405, "method_not_allowed")),
    ] {
        assert_eq!(call.send().await.code(), (code.0, code.1.to_owned()));
    }
    stage.gateway.get(path).api_key().send().await.ok();
}
