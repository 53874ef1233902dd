//! What is a request, a command and a denial of a key.

use serde_json::json;

use crate::{Stage, support::NOW_MS};

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
