//! `Upstash-Encoding: base64` and `Upstash-Response-Format: resp2`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    door::{Backend, Door, once, refused_here},
    raw::raw,
    support::Answer,
};

over_both_backends![
    every_string_is_base64_at_any_depth,
    a_status_of_ok_stays_and_a_stored_ok_does_not,
    bytes_come_through_base64_unharmed,
    base64_is_for_pipelines_and_transactions_too,
    errors_are_never_encoded,
    the_encoding_has_one_name,
    resp2_is_what_redis_says,
    resp2_of_a_pipeline_is_one_reply_after_the_other,
    resp2_of_an_error,
    resp2_goes_neither_with_base64_nor_with_transactions,
    a_format_that_there_is_not_is_400,
];

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

impl Door {
    async fn base64(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path).header("upstash-encoding", "base64").json(body).send().await;
        assert_eq!(answer.header("content-type"), "application/json");
        once(&answer).ok()
    }

    async fn resp2(&self, path: &str, body: impl Into<String>) -> Answer {
        self.post(path).header("upstash-response-format", "resp2").body(body.into()).send().await
    }
}

async fn every_string_is_base64_at_any_depth(backend: Backend) {
    let door = backend.open().await;
    door.redis.run(&["RPUSH", "list", "a", "", "ü"]);
    door.redis.run(&["XADD", "stream", "1-1", "f", "v"]);
    for (command, expected) in [
        (json!(["LRANGE", "list", 0, -1]), json!([b64("a"), "", b64("ü")])),
        (json!(["XRANGE", "stream", "-", "+"]), json!([[b64("1-1"), [b64("f"), b64("v")]]])),
        (json!(["MGET", "nothing", "none"]), json!([null, null])),
        (json!(["GET", "nothing"]), Value::Null),
        (json!(["LLEN", "list"]), json!(3)),
        (json!(["PING"]), json!(b64("PONG"))),
        (json!(["TYPE", "list"]), json!(b64("list"))),
        (json!(["EVAL", "return {{{'deep'}, 7}}", 0]), json!([[[b64("deep")], 7]])),
    ] {
        assert_eq!(door.base64("/redis", command.clone()).await, json!({"result": expected}), "{command}");
    }
    let in_path = door.get("/redis/echo/hi").header("upstash-encoding", "base64").send().await;
    assert_eq!(once(&in_path).ok(), json!({"result": b64("hi")}));
    // Also where the request needs rewriting on its way to a REST backend.
    let in_path = door.get("/redis/echo/a%2Fb").header("upstash-encoding", "base64").send().await;
    assert_eq!(once(&in_path).ok(), json!({"result": b64("a/b")}));
}

async fn a_status_of_ok_stays_and_a_stored_ok_does_not(backend: Backend) {
    let door = backend.open().await;
    for (command, expected) in [
        (json!(["SET", "k", "OK"]), json!("OK")),
        (json!(["GET", "k"]), json!(b64("OK"))),
        (json!(["ECHO", "OK"]), json!(b64("OK"))),
        (json!(["MGET", "k"]), json!([b64("OK")])),
        (json!(["EVAL", "return {ok='OK'}", 0]), json!("OK")),
        (json!(["EVAL", "return 'OK'", 0]), json!(b64("OK"))),
        (json!(["EVAL", "return {{ok='OK'}, redis.call('SET', 'k', 'OK')}", 0]), json!([b64("OK"), b64("OK")])),
        (json!(["EVAL", "return {ok='FINE'}", 0]), json!(b64("FINE"))),
    ] {
        assert_eq!(door.base64("/redis", command.clone()).await, json!({"result": expected}), "{command}");
    }
    // The same commands where the request needs rewriting.
    for (path, expected) in [
        ("/redis/set/a%2Fb/OK", "OK".to_owned()),
        ("/redis/get/a%2Fb", b64("OK")),
        ("/redis/set/a%2Fb/OK?EX=1%3B", String::new()),
    ] {
        let answer = door.get(path).header("upstash-encoding", "base64").send().await;
        match expected.as_str() {
            "" => assert_eq!((answer.status, answer.json()["error"].is_string()), (400, true)),
            expected => assert_eq!(once(&answer).ok(), json!({"result": expected}), "{path}"),
        }
    }
}

async fn bytes_come_through_base64_unharmed(backend: Backend) {
    let door = backend.open().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let set = door.post("/redis/set/binary").header("upstash-encoding", "base64").body(bytes.clone()).send().await;
    assert_eq!(once(&set).ok(), json!({"result": "OK"}));
    assert_eq!(door.base64("/redis", json!(["GET", "binary"])).await, json!({"result": b64(&bytes)}));
    assert_eq!(door.base64("/redis", json!(["MGET", "binary"])).await, json!({"result": [b64(&bytes)]}));
    let digits =
        door.post("/redis").header("upstash-encoding", "base64").body("[\"MGET\",\"binary\",1e3]").send().await;
    assert_eq!(once(&digits).ok(), json!({"result": [b64(&bytes), null]}));
}

async fn base64_is_for_pipelines_and_transactions_too(backend: Backend) {
    let door = backend.open().await;
    let commands = json!([["SET", "k", "OK"], ["GET", "k"], ["MGET", "k", "none"], ["LPUSH", "k", "x"], ["INCR", "n"]]);
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let expected = |n: i64| json!([{"result": "OK"}, {"result": b64("OK")}, {"result": [b64("OK"), null]}, {"error": wrong}, {"result": n}]);
    assert_eq!(door.base64("/redis/pipeline", commands.clone()).await, expected(1));
    assert_eq!(door.base64("/redis/multi-exec", commands).await, expected(2));
}

async fn errors_are_never_encoded(backend: Backend) {
    let door = backend.open().await;
    for command in [json!(["GET"]), json!(["NOSUCH"]), json!(["MONITOR"])] {
        let plain = door.post("/redis").json(command.clone()).send().await;
        let encoded = door.post("/redis").header("upstash-encoding", "base64").json(command).send().await;
        assert_eq!((encoded.status, encoded.text()), (400, plain.text()));
    }
    let script = json!(["EVAL", "return {redis.error_reply('MINE is wrong'), 'x'}", 0]);
    assert_eq!(door.base64("/redis", script).await, json!({"result": ["MINE is wrong", b64("x")]}));
}

async fn the_encoding_has_one_name(backend: Backend) {
    let door = backend.open().await;
    for (name, result) in [("base64", "eA=="), ("BASE64", "eA=="), ("gzip", "x"), ("", "x")] {
        let answer = door.post("/redis").header("upstash-encoding", name).json(json!(["ECHO", "x"])).send().await;
        assert_eq!(once(&answer).ok(), json!({"result": result}), "{name}");
    }
}

/// Commands with every kind of reply that Redis has.
const COMMANDS: &str = r#"[["SET","k","OK"],["GET","k"],["GET","nothing"],["LPOP","nothing","2"],["INCRBY","n","-7"],["TYPE","k"],
    ["PING"],["MGET","k","nothing"],["LRANGE","nothing","0","-1"],["GEOPOS","nothing","a"],["SET","k","ü\r\n"],["GET","k"],
    ["EVAL","return {1, {'a', {}}, false, {ok='FINE'}, redis.error_reply('MINE is wrong')}","0"],
    ["EVAL","return redis.call('SET', 'b', '\\255\\0')","0"],["GET","b"],["XRANGE","nothing","-","+"],["XREAD","STREAMS","nothing","0"]]"#;

async fn resp2_is_what_redis_says(backend: Backend) {
    let door = backend.open().await;
    let seed = || {
        door.redis.run(&["FLUSHALL"]);
        door.redis.run(&["SET", "k", "ü\r\n"]);
        door.redis.run(&["EVAL", "return redis.call('SET', 'b', '\\255\\0')", "0"]);
    };
    for words in serde_json::from_str::<Vec<Vec<String>>>(COMMANDS).unwrap() {
        seed();
        let expected = raw(&door.redis, &words);
        seed();
        let answer = door.resp2("/redis", json!(words).to_string()).await;
        assert_eq!(once(&answer).status, 200, "{words:?}");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.body.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{words:?}");
    }
    // Where the request needs rewriting on its way to a REST backend.
    for (path, expected) in
        [("/redis/set/a%2Fb/x", "+OK\r\n"), ("/redis/get/a%2Fb", "$1\r\nx\r\n"), ("/redis/get/%2F", "$-1\r\n")]
    {
        let answer = door.get(path).header("upstash-response-format", "resp2").send().await;
        assert_eq!(once(&answer).text(), expected, "{path}");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
    }
}

async fn resp2_of_a_pipeline_is_one_reply_after_the_other(backend: Backend) {
    let door = backend.open().await;
    let commands: Vec<Vec<String>> = serde_json::from_str(COMMANDS).unwrap();
    let mut expected: Vec<u8> = commands.iter().flat_map(|words| raw(&door.redis, words)).collect();
    expected.extend(raw(&door.redis, &["LPUSH", "k", "x"]));
    door.redis.run(&["FLUSHALL"]);
    let mut list = serde_json::from_str::<Value>(COMMANDS).unwrap();
    list.as_array_mut().unwrap().push(json!(["LPUSH", "k", "x"]));
    let answer = door.resp2("/redis/pipeline", list.to_string()).await;
    assert_eq!(answer.body.escape_ascii().to_string(), expected.escape_ascii().to_string());
    assert_eq!((once(&answer).status, answer.header("content-type")), (200, "application/octet-stream"));
    // A refusal of Ridge's stands in its place, one line whatever was asked.
    let answer = door.resp2("/redis/pipeline", r#"[["ECHO","a"],["MONITOR"],["ECHO","b"]]"#).await;
    let text =
        answer.text().strip_prefix("$1\r\na\r\n-").and_then(|text| text.strip_suffix("\r\n$1\r\nb\r\n")).unwrap();
    assert!(text.starts_with("ERR ") && !text.contains(['\r', '\n']), "{text}");
}

async fn resp2_of_an_error(backend: Backend) {
    let door = backend.open().await;
    for body in [r#"["GET"]"#, r#"["MONITOR"]"#, r#"["NOSUCH","x"]"#] {
        let plain = door.post("/redis").body(body).send().await;
        let answer = door.resp2("/redis", body).await;
        assert_eq!((answer.status, answer.text()), (400, plain.text()), "{body}");
    }
}

async fn resp2_goes_neither_with_base64_nor_with_transactions(backend: Backend) {
    let door = backend.open().await;
    let set = json!(["SET", "k", "v"]);
    for (path, body) in [("/redis", set.clone()), ("/redis/pipeline", json!([set]))] {
        let both = door.post(path).header("upstash-response-format", "resp2").header("upstash-encoding", "base64");
        let (status, error) = refused_here(&both.json(body).send().await);
        assert_eq!((status, error.contains("base64")), (400, true), "{error}");
    }
    let answer = door.resp2("/redis/multi-exec", json!([set]).to_string()).await;
    let (status, error) = refused_here(&answer);
    assert_eq!((status, error.contains("multi-exec")), (400, true), "{error}");
    assert_eq!(door.redis.run(&["EXISTS", "k"]), 0);
}

async fn a_format_that_there_is_not_is_400(backend: Backend) {
    let door = backend.open().await;
    for format in ["resp3", "RESP", "xml", "resp2,json", "json; charset=utf-8", "1"] {
        for (path, body) in
            [("/redis", json!(["PING"])), ("/redis/pipeline", json!([["PING"]])), ("/redis/ping", json!("x"))]
        {
            let answer = door.post(path).header("upstash-response-format", format).json(body).send().await;
            let (status, error) = refused_here(&answer);
            assert_eq!((status, error.contains("Upstash-Response-Format")), (400, true), "{format}: {error}");
        }
    }
    for path in ["/redis", "/redis/pipeline", "/redis/multi-exec"] {
        let body = if path == "/redis" { json!(["PING"]) } else { json!([["PING"]]) };
        let answer = door.post(path).header("upstash-response-format", "json").json(body).send().await;
        assert_eq!((once(&answer).status, answer.header("content-type")), (200, "application/json"));
    }
}
