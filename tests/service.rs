//! SPEC 4 and what SPEC 3 asks of every answer: service routes, request ids, CORS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Gateway, NOW_MS, Redis, token, unique};

#[tokio::test]
async fn the_index_tells_name_version_and_links() {
    let redis = Redis::shared();
    let index = Gateway::on(&redis).get("/").send().await.ok();
    assert_eq!(index["name"], "ridge");
    assert_eq!(index["version"], env!("CARGO_PKG_VERSION"));
    assert!(index["links"].as_object().is_some_and(|links| !links.is_empty()));
}

#[tokio::test]
async fn ping_says_pong_and_liveness_never_touches_redis() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    redis.stop();
    for (method, path) in [("GET", "/ping"), ("POST", "/ping"), ("GET", "/healthz"), ("GET", "/")] {
        let answer = gateway.call(method, path).send().await;
        assert_eq!(answer.status, 200, "{method} {path}");
        assert_eq!(answer.header("x-redis-round-trips"), "0");
        assert_eq!(answer.header("cache-control"), "no-store");
        if path == "/ping" {
            assert_eq!(answer.text(), "pong");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in ["/", "/ping", "/healthz", "/health"] {
        let answer = gateway.call("HEAD", path).send().await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    assert_eq!(gateway.call("HEAD", "/nothing").send().await.status, 404);
}

#[tokio::test]
async fn health_tells_latency_keys_and_memory() {
    let redis = Redis::own();
    redis.run(&["MSET", "a", "1", "b", "2", "c", "3"]);
    let answer = Gateway::on(&redis).get("/health").send().await;
    assert_eq!(answer.header("x-redis-round-trips"), "1");
    let mut health = answer.ok();
    assert!(health["redis"]["latency"].take().is_u64());
    let memory = health["cache"]["memoryUsage"].take();
    let megabytes = memory.as_str().unwrap().strip_suffix("MB").unwrap().parse::<f64>().unwrap();
    assert!(megabytes > 0.1 && megabytes < 100.0, "{memory}");
    let expected = json!({
        "status": "healthy",
        "redis": {"status": "healthy", "latency": null},
        "cache": {"totalKeys": 3, "memoryUsage": null},
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(health, expected);
}

#[tokio::test]
async fn a_figure_that_the_server_will_not_give_is_null() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "narrow", "on", ">pass", "~*", "+ping"]);
    let url = redis.url().replace("//", "//narrow:pass@");
    let health = Gateway::with(&redis, &[("REDIS_URL", &url)]).get("/health").send().await.ok();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["cache"], json!({"totalKeys": null, "memoryUsage": null}));
}

#[tokio::test]
async fn more_than_a_second_is_degraded() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis).at(NOW_MS);
    for (latency, status) in [(999, "healthy"), (1001, "degraded")] {
        gateway.host.connecting_takes_ms(latency);
        let health = gateway.get("/health").send().await.ok();
        assert_eq!((&health["status"], &health["redis"]["latency"]), (&json!(status), &json!(latency)));
    }
}

#[tokio::test]
async fn without_redis_health_is_503_unhealthy() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    redis.stop();
    let answer = gateway.get("/health").send().await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    let health = answer.json();
    assert_eq!((&health["status"], &health["redis"]["status"]), (&json!("unhealthy"), &json!("unhealthy")));
    assert_eq!(health["cache"], json!({"totalKeys": null, "memoryUsage": null}));
    redis.restart();
    assert_eq!(gateway.get("/health").send().await.ok()["status"], "healthy");
}

#[tokio::test]
async fn debug_auth_is_open_in_development_only() {
    let redis = Redis::shared();
    let name = unique("debug");
    redis.run(&["HSET", &format!("user:{name}"), "username", &name, "bio", "b", "password", "hunter2", "role", "user"]);
    for (environment, status) in [("development", 200), ("production", 403), ("", 403), ("Development", 403)] {
        let gateway = Gateway::with(&redis, &[("ENVIRONMENT", environment)]);
        for role in ["user", "admin"] {
            let answer = gateway.get("/debug-auth").bearer(&token::of(&name, role)).send().await;
            assert_eq!(answer.status, status, "{environment} {role}");
        }
        assert_eq!(gateway.get("/debug-auth").api_key().send().await.status, 200, "a key with scope admin");
        assert_eq!(gateway.get("/debug-auth").send().await.status, 401);
    }
    let answer = Gateway::on(&redis).get("/debug-auth").user(&name).send().await;
    let body = answer.ok();
    assert_eq!(body["caller"]["username"], name);
    assert_eq!(body["resolved_user_key"], format!("user:{name}"));
    assert_eq!(body["redis_data"]["bio"], "b");
    assert!(!answer.text().contains("hunter2"));
    let unknown = Gateway::on(&redis).get("/debug-auth").user(&unique("unknown")).send().await.ok();
    assert_eq!(unknown["redis_data"], Value::Null);
}

#[tokio::test]
async fn a_proper_request_id_is_kept_and_any_other_replaced() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
    for id in ["a", "req-1_2.3", "ABC", &longest] {
        assert_eq!(gateway.get("/ping").header("x-request-id", id).send().await.header("x-request-id"), id);
    }
    let mut fresh = BTreeSet::new();
    let wrong = ["", " ", "a b", "a,b", "a/b", "é", "\"", "<script>", &too_long];
    for id in wrong {
        let answer = gateway.get("/ping").header("x-request-id", id).send().await;
        let given = answer.header("x-request-id");
        assert_ne!(given, id);
        let proper = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!((1..=64).contains(&given.len()) && given.chars().all(proper), "{given}");
        fresh.insert(given.to_owned());
    }
    assert_eq!(fresh.len(), wrong.len());
}

#[tokio::test]
async fn every_path_answers_a_preflight() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for path in ["/", "/redis/write", "/ping", "/whoami", "/users/alice", "/nothing"] {
        let call = gateway.call("OPTIONS", path).header("origin", "https://app.example");
        let answer = call
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,x-own")
            .send()
            .await;
        assert!([200, 204].contains(&answer.status), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(answer.header("access-control-allow-methods").contains(method));
        }
        assert_eq!(answer.header("access-control-allow-headers"), "authorization,x-own");
        assert_eq!(answer.header("x-redis-round-trips"), "0");
    }
}

#[tokio::test]
async fn answers_and_errors_can_be_read_by_allowed_origins_never_with_credentials() {
    let redis = Redis::shared();
    let (ours, theirs) = ("https://app.example", "https://evil.example");
    let only = Gateway::with(&redis, &[("CORS_ORIGINS", "https://app.example, http://localhost:3000")]);
    let any = Gateway::on(&redis);
    for (gateway, origin, allowed) in
        [(&any, ours, "*"), (&any, theirs, "*"), (&only, ours, ours), (&only, theirs, ""), (&only, "null", "")]
    {
        for (method, path) in
            [("GET", "/ping"), ("GET", "/whoami"), ("GET", "/nothing"), ("PUT", "/ping"), ("OPTIONS", "/")]
        {
            let answer = gateway.call(method, path).header("origin", origin).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{method} {path} from {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }
    for origin in [ours, theirs] {
        let answer = only.get("/ping").header("origin", origin).send().await;
        assert!(answer.header("vary").to_lowercase().contains("origin"));
    }
    let exposed = any.get("/ping").header("origin", ours).send().await;
    assert!(exposed.header("access-control-expose-headers").to_lowercase().contains("x-request-id"));
}
