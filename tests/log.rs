//! SPEC 3 and 4, logs: one JSON line a request, and nothing secret in it, nor in any answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{API_KEY, Answer, Gateway, JWT_SECRET, NOW_MS, Redis, token, unique};

const PASSWORD: &str = "redis-pass-7f3a";
const WRONG_KEY: &str = "wrong-key-5d21";
const NEW_KEY: &str = "new-key-91bc";
const SHORT: &str = "short-88e0";

#[tokio::test]
async fn a_request_is_one_line_with_what_happened() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis).at(NOW_MS);
    let name = unique("logged");
    redis.run(&["HSET", &format!("user:{name}"), "username", &name]);
    let path = format!("/users/{name}");
    gateway.get(&path).user("alice").header("x-request-id", "first").send().await;
    gateway.host.connecting_takes_ms(25);
    gateway.read(json!(["GET", "a"])).await;
    gateway.get("/nothing").header("x-request-id", "third").send().await;
    gateway.call("OPTIONS", "/ping").send().await;
    gateway.call("DELETE", "/ping").send().await;
    let log = gateway.log();
    assert_eq!(log.len(), 5);
    let fields = |line: &Value| {
        ["status", "caller", "redis_round_trips", "duration_ms", "method"].map(|name| line[name].clone())
    };
    assert_eq!(fields(&log[0]), [json!(200), json!("user"), json!(1), json!(0), json!("GET")]);
    assert_eq!(fields(&log[1]), [json!(200), json!("api_key"), json!(1), json!(25), json!("POST")]);
    assert_eq!(fields(&log[2]), [json!(404), json!("anonymous"), json!(0), json!(0), json!("GET")]);
    assert_eq!(log[3]["method"], "OPTIONS");
    assert_eq!((&log[0]["id"], &log[2]["id"]), (&json!("first"), &json!("third")));
    // The route, not the path: a path tells who looked at whom.
    let route = log[0]["route"].as_str().unwrap();
    assert!(route.starts_with("/users/") && !route.contains(&name), "{route}");
    assert_eq!((&log[1]["route"], &log[2]["route"]), (&json!("/"), &Value::Null));
    assert_eq!((&log[4]["route"], &log[4]["status"]), (&json!("/ping"), &json!(405)));
}

#[tokio::test]
async fn the_callers_kind_is_known_also_when_the_request_is_refused() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    gateway.post("/").user("alice").send().await;
    gateway.post("/").api_key().body("x").send().await;
    gateway.post("/").send().await;
    let kinds: Vec<Value> = gateway.log().iter().map(|line| line["caller"].clone()).collect();
    assert_eq!(kinds, ["user", "api_key", "anonymous"]);
}

#[tokio::test]
async fn log_level_says_which_lines_are_written() {
    let redis = Redis::own();
    let lines = async |level: &str| {
        let gateway = Gateway::with(&redis, &[("LOG_LEVEL", level), ("JWT_SECRET", SHORT)]);
        gateway.get("/ping").send().await;
        gateway.get("/users/a").api_key().send().await;
        gateway.get("/whoami").bearer("x").send().await;
        gateway.log().iter().map(|line| line["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    redis.stop();
    assert_eq!(lines("debug").await, [200, 503, 500]);
    assert_eq!(lines("info").await, [200, 503, 500]);
    assert_eq!(lines("").await, [200, 503, 500]);
    assert_eq!(lines("WARN").await, [503, 500]);
    assert_eq!(lines("error").await, [500]);
    assert_eq!(lines("off").await, [0; 0]);
}

/// Requests in which something secret is at hand, on gateways in which something is wrong.
async fn tricky(gateway: &Gateway, answers: &mut Vec<Answer>) {
    let good = token::of("alice", "user");
    let forged = token::hs256("another-secret-0123456789abcdefghij", &token::claims("alice", "user"));
    let get = |path: &str| gateway.get(path);
    let bearer_in_the_query = format!("/whoami?token={good}&key={API_KEY}");
    for call in [
        get("/").api_key(),
        get("/health"),
        get("/healthz").bearer(&good),
        get("/users/me").api_key(),
        get("/users/alice").bearer(&good),
        get("/users/alice").bearer(&forged),
        get("/users/alice").header("x-api-key", WRONG_KEY),
        get("/users/alice").header("x-api-key", NEW_KEY).header("x-act-as", "bob"),
        get("/users/a b".replace(' ', "%20").as_str()).bearer(&good),
        get(&bearer_in_the_query),
        get(&format!("/nothing/{API_KEY}")),
        get(&format!("/users/{API_KEY}")).api_key(),
        get("/whoami").header("authorization", &*good).header("x-api-key", WRONG_KEY),
        get("/whoami").header("x-act-as", API_KEY).bearer(&good),
        gateway.post("/").api_key().body("x"),
        gateway.post("/").api_key().json(json!(["GET", "a"])),
        gateway.post("/").bearer(&good).json(json!(["GET", "a"])),
        gateway.post("/redis/write").api_key().json(json!(["HSET", "user:log:x", "a", "b"])),
        gateway
            .post("/redis/write")
            .api_key()
            .json(json!([["AUTH", "default", "x"], ["CONFIG", "GET", "requirepass"]])),
        gateway.post("/").api_key().json(json!([["ACL", "LIST"], ["CONFIG", "GET", "*"]])),
        gateway.call("DELETE", "/").api_key(),
        gateway.call("OPTIONS", "/whoami").bearer(&good),
    ] {
        answers.push(call.send().await);
    }
}

#[tokio::test]
async fn no_secret_is_in_any_answer_or_line() {
    let redis = Redis::options().password(PASSWORD).start();
    let down = Redis::options().password(PASSWORD).start();
    down.stop();
    let keys = json!([{"name": "next", "key": NEW_KEY, "scopes": ["rest"]}]).to_string();
    let wrong_password = redis.url().replace(PASSWORD, "wrong-pass-7f3a");
    let no_url = format!("http://:{PASSWORD}@127.0.0.1:1");
    let broken_keys = format!("[{{\"name\":\"n\",\"key\":\"{NEW_KEY}\",\"scopes\":[\"{NEW_KEY}\"]}}]");
    let mut gateways = vec![
        Gateway::with(&redis, &[("API_KEYS", &keys)]),
        Gateway::with(&redis, &[("ENVIRONMENT", "production"), ("LOG_LEVEL", "debug")]),
        Gateway::with(&redis, &[("JWT_SECRET", SHORT)]),
        Gateway::with(&redis, &[("REDIS_URL", &wrong_password)]),
        Gateway::with(&redis, &[("API_KEYS", &broken_keys)]),
        Gateway::with(&redis, &[("REDIS_URL", &no_url)]),
        Gateway::with(&redis, &[("UPSTASH_REDIS_REST_TOKEN", NEW_KEY)]),
    ];
    gateways.push(Gateway::with(&down, &[("API_KEYS", &keys)]));
    let mut answers = Vec::new();
    for gateway in &gateways {
        tricky(gateway, &mut answers).await;
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    for expected in [200, 400, 401, 403, 404, 405, 500, 502, 503] {
        assert!(statuses.contains(&expected), "nothing answered {expected}");
    }
    let lines: Vec<String> = gateways.iter().flat_map(|gateway| gateway.host.lines()).collect();
    assert!(lines.len() >= answers.len());
    let good = token::of("alice", "user");
    let signature = good.rsplit('.').next().unwrap();
    let ports = [redis.port(), down.port()].map(|port| format!(":{port}"));
    let secrets = [
        API_KEY,
        JWT_SECRET,
        WRONG_KEY,
        NEW_KEY,
        SHORT,
        PASSWORD,
        "wrong-pass-7f3a",
        signature,
        "127.0.0.1",
        &ports[0],
        &ports[1],
    ];
    let outputs = answers.iter().map(|answer| format!("{:?} {}", answer.headers, answer.text())).chain(lines);
    for output in outputs {
        for secret in secrets {
            assert!(!output.contains(secret), "{secret} is in {output}");
        }
    }
}

#[tokio::test]
async fn a_gateway_without_a_configuration_says_which_variable_is_wrong_and_that_it_lives() {
    for (variables, name) in [
        (&[][..], "REDIS_URL"),
        (&[("REDIS_URL", "nonsense")], "REDIS_URL"),
        (&[("UPSTASH_REDIS_REST_URL", "https://x.example")], "UPSTASH_REDIS_REST_TOKEN"),
        (&[("REDIS_URL", "redis://h"), ("LOG_LEVEL", "loud")], "LOG_LEVEL"),
        (&[("REDIS_URL", "redis://h"), ("API_KEYS", "{}")], "API_KEYS"),
    ] {
        let gateway = Gateway::new(variables);
        for path in ["/", "/health", "/whoami", "/users/a"] {
            let answer = gateway.get(path).header("x-request-id", "r").send().await;
            assert_eq!(answer.code(), (500, "misconfigured".into()), "{path}");
            assert!(answer.json()["message"].as_str().unwrap().contains(name));
        }
        assert!(gateway.host.lines().last().unwrap().contains(name));
        for path in ["/healthz", "/ping"] {
            assert_eq!(gateway.get(path).send().await.status, 200, "{path}");
        }
    }
}
