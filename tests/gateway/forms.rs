//! The ways to say a command: in the body, in the path, in the path with the value as the body, in the query.

use http::Method;
use serde_json::{Value, json};

use crate::{
    door::{Backend, Door, KEY, once, refusal, refused_here, result},
    support::API_KEY,
};

over_both_backends![
    a_command_in_the_body,
    a_command_in_the_path,
    the_body_is_the_last_argument_of_the_path,
    the_query_comes_after_the_body,
    the_token_is_no_argument_wherever_it_stands,
    each_segment_is_decoded_once,
    an_empty_segment_is_an_empty_word,
    bytes_that_are_no_text_reach_redis,
    put_is_post,
    head_has_the_status_and_no_body,
    other_methods_are_405,
    a_post_without_a_body_is_the_path_alone,
    no_command_is_400,
    names_are_in_any_letter_case,
    the_write_proxy_keeps_its_path,
    what_is_no_route_is_a_command_or_404,
    the_content_type_is_not_looked_at,
];

/// A key has an expiry, of which some may have gone by.
#[track_caller]
fn assert_expires(door: &Door, key: &str, seconds: i64) {
    let ttl = door.redis.run(&["TTL", key]).as_i64().unwrap();
    assert!((seconds - 20..=seconds).contains(&ttl), "{key}: {ttl}");
}

async fn a_command_in_the_body(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run(json!(["SET", "foo", "bar", "EX", 100])).await, "OK");
    assert_eq!(door.run(json!(["GET", "foo"])).await, "bar");
    assert_expires(&door, "foo", 100);
    let with_a_slash = door.post("/redis/").json(json!(["GET", "foo"])).send().await;
    assert_eq!(result(with_a_slash), "bar");
    // JSON takes blanks between any two words.
    let spaced = door.post("/redis").body(" \r\n\t[ \"GET\" ,\n \"foo\" ] \t").send().await;
    assert_eq!(result(spaced), "bar");
}

async fn a_command_in_the_path(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run_path("/redis/set/foo/bar/EX/100").await, "OK");
    assert_expires(&door, "foo", 100);
    assert_eq!(door.run_path("/redis/get/foo").await, "bar");
    assert_eq!(door.run_path("/redis/mget/foo/nothing/foo").await, json!(["bar", null, "bar"]));
    assert_eq!(door.run_path("/redis/ping").await, "PONG");
    assert_eq!(door.run_path("/redis/hset/employee:23381/salary/1").await, 1);
    assert_eq!(door.run_path("/redis/zadd/teams/100/team-x/90/team-y").await, 2);
}

async fn the_body_is_the_last_argument_of_the_path(backend: Backend) {
    let door = backend.open().await;
    let value = "{\"a\": [1, \"ü\"]}\r\n";
    let set = door.post("/redis/set/foo").body(value).send().await;
    assert_eq!(result(set), "OK");
    assert_eq!(door.redis.run(&["GET", "foo"]), value);
    // A body that would be a command elsewhere is a value here.
    let set = door.post("/redis/set/list").body("[\"FLUSHALL\"]").send().await;
    assert_eq!(result(set), "OK");
    assert_eq!(door.redis.run(&["MGET", "foo", "list"]), json!([value, "[\"FLUSHALL\"]"]));
}

async fn the_query_comes_after_the_body(backend: Backend) {
    let door = backend.open().await;
    let set = door.post("/redis/set/foo?EX=100&NX").body("bar").send().await;
    assert_eq!(result(set), "OK");
    assert_expires(&door, "foo", 100);
    let again = door.post("/redis/set/foo?EX=100&NX").body("baz").send().await;
    assert_eq!(result(again), Value::Null);
    // In their order, each with its value, also one that holds a `=`, and also the same one twice.
    let push = door.post("/redis/rpush/list?z=1&a=2&z=3&b&c=&d=e=f").body("body").send().await;
    assert_eq!(result(push), 11);
    let words = json!(["body", "z", "1", "a", "2", "z", "3", "b", "c", "d", "e=f"]);
    assert_eq!(door.redis.run(&["LRANGE", "list", "0", "-1"]), words);
    // A path needs no body for them. Nothing between two `&` is nothing.
    assert_eq!(door.run_path("/redis/rpush/other?x=1&&y&").await, 3);
    assert_eq!(door.redis.run(&["LRANGE", "other", "0", "-1"]), json!(["x", "1", "y"]));
    // In a query `+` is a blank, and a percent sign an escape.
    assert_eq!(door.run_path("/redis/rpush/escaped?a+b=c%2Bd&%C3%BC=%26%3D%3B").await, 4);
    assert_eq!(door.redis.run(&["LRANGE", "escaped", "0", "-1"]), json!(["a b", "c+d", "ü", "&=;"]));
    // A command in the body takes nothing from the query.
    let echo = door.post("/redis?EX=100").json(json!(["ECHO", "x"])).send().await;
    assert_eq!(result(echo), "x");
}

async fn the_token_is_no_argument_wherever_it_stands(backend: Backend) {
    let door = backend.open().await;
    for query in [
        format!("_token={KEY}"),
        format!("_token={KEY}&a=1&b"),
        format!("a=1&_token={KEY}&b"),
        format!("a=1&b&_token={KEY}"),
        format!("a=1&%5Ftoken={KEY}&b&_token=another"),
        format!("a=1&b&_token={KEY}&_token"),
    ] {
        let answer = door.gateway.get(&format!("/redis/rpush/list/x?{query}")).send().await;
        assert_eq!(result(answer), if query.contains('b') && query.contains("a=1") { 4 } else { 1 }, "{query}");
        let list = door.redis.run(&["LRANGE", "list", "0", "-1"]).to_string();
        assert!(!list.contains("token") && !list.contains(KEY) && !list.contains("another"), "{query}: {list}");
        door.redis.run(&["DEL", "list"]);
    }
    // Beside a header that counts, too.
    assert_eq!(door.run_path("/redis/rpush/list/x?_token=whatever&y").await, 2);
    // It stands in the query of the other routes as well.
    let answer = door.gateway.post(&format!("/redis?_token={KEY}")).json(json!(["ECHO", "x"])).send().await;
    assert_eq!(result(answer), "x");
    let answer = door.gateway.post(&format!("/redis/pipeline?_token={KEY}")).json(json!([["ECHO", "x"]])).send().await;
    assert_eq!(once(&answer).ok(), json!([{"result": "x"}]));
}

async fn each_segment_is_decoded_once(backend: Backend) {
    let door = backend.open().await;
    for (segment, key) in [
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("%20a%20", " a "),
        ("a%00b", "a\0b"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("%252F", "%2F"),
        ("a+b", "a+b"),
        ("%C3%BC%F0%9F%98%80", "ü😀"),
        ("a%0D%0Ab", "a\r\nb"),
        ("%22%5C", "\"\\"),
        ("%3Fa%3D1%26b%23c", "?a=1&b#c"),
        ("a;b=c,d", "a;b=c,d"),
        ("a:b@c!$'()*~", "a:b@c!$'()*~"),
        // What is no escape is what it is.
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("%2", "%2"),
        ("%2E", "."),
    ] {
        assert_eq!(door.run_path(&format!("/redis/set/{segment}/v")).await, "OK", "{segment}");
        assert_eq!(door.redis.run(&["KEYS", "*"]), json!([key]), "{segment}");
        assert_eq!(door.run_path(&format!("/redis/get/{segment}")).await, "v", "{segment}");
        door.redis.run(&["FLUSHALL"]);
    }
}

async fn an_empty_segment_is_an_empty_word(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run_path("/redis/set//x").await, "OK");
    assert_eq!(door.redis.run(&["GET", ""]), "x");
    assert_eq!(door.run_path("/redis/get/").await, "x");
    assert_eq!(door.run_path("/redis/set/empty/").await, "OK");
    assert_eq!(door.redis.run(&["GET", "empty"]), "");
    assert_eq!(door.run_path("/redis/rpush/list//a///").await, 5);
    assert_eq!(door.redis.run(&["LRANGE", "list", "0", "-1"]), json!(["", "a", "", "", ""]));
    let no_name = door.get("/redis//get/x").send().await;
    assert_eq!(refusal(&no_name).0, 400);
}

async fn bytes_that_are_no_text_reach_redis(backend: Backend) {
    let door = backend.open().await;
    let strlen = |key| door.redis.run(&["STRLEN", key]);
    assert_eq!(door.run_path("/redis/set/path/%FF%FE%00%C3").await, "OK");
    assert_eq!(strlen("path"), 4);
    assert_eq!(result(door.post("/redis/set/body").body(&b"\xff\xfe\0\xc3\r\n"[..]).send().await), "OK");
    assert_eq!(strlen("body"), 6);
    assert_eq!(door.run_path("/redis/append/query?%FF%00").await, 2);
    assert_eq!(strlen("query"), 2);
    assert_eq!(door.run_path("/redis/get/path").await, "\u{fffd}\u{fffd}\0\u{fffd}");
}

async fn put_is_post(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(result(door.call(Method::PUT, "/redis/set/foo?EX=100").body("bar").send().await), "OK");
    assert_eq!(door.redis.run(&["GET", "foo"]), "bar");
    assert_eq!(result(door.call(Method::PUT, "/redis").json(json!(["GET", "foo"])).send().await), "bar");
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        let answer = door.call(Method::PUT, path).json(json!([["GET", "foo"]])).send().await;
        assert_eq!(once(&answer).ok(), json!([{"result": "bar"}]));
    }
}

async fn head_has_the_status_and_no_body(backend: Backend) {
    let door = backend.open().await;
    let answer = door.call(Method::HEAD, "/redis/set/foo/bar").send().await;
    assert_eq!((answer.status, answer.body.len(), answer.header("content-type")), (200, 0, "application/json"));
    assert!(!answer.header("upstash-sync-token").is_empty());
    assert_eq!(door.redis.run(&["GET", "foo"]), "bar");
    for (path, status) in [("/redis/lpush/foo/x", 400), ("/redis/get", 400), ("/redis/blpop/a/0", 400), ("/redis", 400)]
    {
        assert_eq!(door.call(Method::HEAD, path).send().await.status, status, "{path}");
    }
    assert_eq!(door.gateway.call("HEAD", "/redis/get/foo").send().await.status, 401);
}

async fn other_methods_are_405(backend: Backend) {
    let door = backend.open().await;
    for method in [Method::DELETE, Method::PATCH, Method::TRACE, Method::from_bytes(b"PURGE").unwrap()] {
        for path in ["/redis", "/redis/", "/redis/set/foo/bar", "/redis/pipeline", "/redis/multi-exec"] {
            let answer = door.call(method.clone(), path).send().await;
            assert_eq!(refused_here(&answer), (405, "ERR Method not allowed".into()), "{method} {path}");
            let allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            assert!(allowed.contains(&"POST") && allowed.contains(&"PUT"), "{method} {path}: {allowed:?}");
            let takes_get = !matches!(path, "/redis/pipeline" | "/redis/multi-exec");
            assert_eq!(allowed.contains(&"GET"), takes_get, "{method} {path}: {allowed:?}");
            assert_eq!(allowed.contains(&"HEAD"), takes_get, "{method} {path}: {allowed:?}");
        }
    }
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        assert_eq!(door.get(path).send().await.status, 405);
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
}

async fn a_post_without_a_body_is_the_path_alone(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(result(door.post("/redis/publish/chat/hello").send().await), 0);
    assert_eq!(result(door.post("/redis/set/foo/bar").header("content-length", "0").send().await), "OK");
    assert_eq!(result(door.post("/redis/get/foo").header("content-type", "application/json").send().await), "bar");
    // A GET has no body, whatever comes with it.
    assert_eq!(result(door.get("/redis/get/foo").body("ignored").send().await), "bar");
}

async fn no_command_is_400(backend: Backend) {
    let door = backend.open().await;
    let sentence = (400, "ERR The body holds no command".to_owned());
    for path in ["/redis", "/redis/", "/redis?_token=x", "/redis?get=foo"] {
        assert_eq!(refused_here(&door.get(path).send().await), sentence, "GET {path}");
        assert_eq!(refused_here(&door.post(path).send().await), sentence, "POST {path}");
    }
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        assert_eq!(refused_here(&door.post(path).send().await), sentence, "POST {path}");
    }
}

async fn names_are_in_any_letter_case(backend: Backend) {
    let door = backend.open().await;
    for name in ["SET", "set", "SeT", "sEt"] {
        assert_eq!(door.run(json!([name, "foo", name])).await, "OK");
        assert_eq!(door.run_path(&format!("/redis/{name}/foo/{name}")).await, "OK");
        assert_eq!(door.pipeline(json!([[name, "foo", name]])).await, json!([{"result": "OK"}]));
        assert_eq!(door.redis.run(&["GET", "foo"]), name);
    }
    assert_eq!(door.run(json!(["oBjEcT", "EnCoDiNg", "foo"])).await, "embstr");
}

async fn the_write_proxy_keeps_its_path(backend: Backend) {
    let door = backend.open().await;
    let write = || door.gateway.post("/redis/write").json(json!(["HSET", "user:a:x", "f", "v"]));
    let answer = write().header("x-api-key", KEY).send().await;
    assert_eq!(answer.code(), (403, "missing_scope".into()));
    assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
    assert_eq!(write().send().await.code(), (401, "missing_token".into()));
    // The proxy knows keys by their own header alone.
    assert_eq!(write().bearer(KEY).send().await.code(), (401, "invalid_token".into()));
    let answer = door.gateway.post("/redis/write").header("x-api-key", API_KEY).body("x").send().await;
    assert_eq!(answer.code(), (400, "bad_request".into()));
    assert_eq!(door.get("/redis/write").send().await.code(), (405, "method_not_allowed".into()));
    // Only that one path.
    for path in ["/redis/write/", "/redis/WRITE", "/redis/writes", "/redis/%77rite"] {
        let (status, error) = refusal(&door.get(path).send().await);
        assert_eq!(status, 400, "{path}");
        assert!(error.starts_with("ERR unknown command"), "{path}: {error}");
    }
}

async fn what_is_no_route_is_a_command_or_404(backend: Backend) {
    let door = backend.open().await;
    for path in ["/redis/pipeline/", "/redis/multi-exec/x", "/redis/nothing", "/redis/PIPELINE"] {
        let (status, error) = refusal(&door.post(path).send().await);
        assert_eq!(status, 400, "{path}");
        assert!(error.starts_with("ERR unknown command"), "{path}: {error}");
    }
    for path in ["/redisx", "/redi", "/REDIS", "/redis-/get/foo"] {
        assert_eq!(door.get(path).send().await.code(), (404, "not_found".into()), "{path}");
    }
}

async fn the_content_type_is_not_looked_at(backend: Backend) {
    let door = backend.open().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""] {
        let set = door.post("/redis").header("content-type", kind).json(json!(["SET", "foo", kind])).send().await;
        assert_eq!(result(set), "OK", "{kind}");
        let set = door.post("/redis/set/foo").header("content-type", kind).body("a=b").send().await;
        assert_eq!(result(set), "OK", "{kind}");
        let answer =
            door.post("/redis/pipeline").header("content-type", kind).json(json!([["GET", "foo"]])).send().await;
        assert_eq!(once(&answer).ok(), json!([{"result": "a=b"}]), "{kind}");
    }
}
