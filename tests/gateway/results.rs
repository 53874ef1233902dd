//! What a result is in JSON, and that nothing of it is lost or rounded.

use serde_json::{Value, json};

use crate::{
    door::{Backend, once, refusal},
    support::Answer,
};

over_both_backends![
    each_kind_of_reply,
    integers_are_exact,
    floats_are_the_strings_of_redis,
    arrays_nest_as_deep_as_scripts_make_them,
    large_results_are_whole,
    an_answer_is_not_kept,
    a_failed_command_is_400_with_its_error,
    wrong_arity_is_redis_own_error,
    an_error_within_a_result_is_its_text,
];

async fn each_kind_of_reply(backend: Backend) {
    let door = backend.open().await;
    door.redis.run(&["RPUSH", "list", "a", "", "ü\r\n\"\\\u{1}\u{2028}😀"]);
    door.redis.run(&["XADD", "stream", "1-1", "f", "v"]);
    door.redis.run(&["EVAL", r"return redis.call('SET', 'binary', 'x\255\254\0\192\128y')", "0"]);
    for (command, expected) in [
        (json!(["GET", "nothing"]), Value::Null),
        (json!(["LPOP", "nothing", 2]), Value::Null),
        (json!(["INCR", "n"]), json!(1)),
        (json!(["DECRBY", "n", 2]), json!(-1)),
        (json!(["SET", "s", ""]), json!("OK")),
        (json!(["GET", "s"]), json!("")),
        (json!(["TYPE", "s"]), json!("string")),
        (json!(["PING"]), json!("PONG")),
        (json!(["LRANGE", "list", 0, -1]), json!(["a", "", "ü\r\n\"\\\u{1}\u{2028}😀"])),
        (json!(["LRANGE", "nothing", 0, -1]), json!([])),
        (json!(["MGET", "s", "nothing"]), json!(["", null])),
        (json!(["GEOPOS", "nothing", "a", "b"]), json!([null, null])),
        (json!(["XRANGE", "stream", "-", "+"]), json!([["1-1", ["f", "v"]]])),
        (json!(["GET", "binary"]), json!("x\u{fffd}\u{fffd}\0\u{fffd}\u{fffd}y")),
        (
            json!(["EVAL", "return {1, {'a', {}}, false, {ok='OK'}, {ok='FINE'}}", 0]),
            json!([1, ["a", []], null, "OK", "FINE"]),
        ),
    ] {
        assert_eq!(door.run(command.clone()).await, expected, "{command}");
    }
}

async fn integers_are_exact(backend: Backend) {
    let door = backend.open().await;
    for number in [i64::MAX, i64::MIN, 9_007_199_254_740_993, -9_007_199_254_740_993, 0] {
        door.redis.run(&["SET", "n", &number.to_string()]);
        let answer = door.get("/redis/incrby/n/0").send().await;
        assert_eq!(once(&answer).text(), format!("{{\"result\":{number}}}"));
        let answer = door.post("/redis/pipeline").body("[[\"INCRBY\",\"n\",0],[\"GET\",\"n\"]]").send().await;
        assert_eq!(once(&answer).text(), format!("[{{\"result\":{number}}},{{\"result\":\"{number}\"}}]"));
    }
}

async fn floats_are_the_strings_of_redis(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run(json!(["INCRBYFLOAT", "f", "3.10"])).await, "3.1");
    assert_eq!(door.run(json!(["ZADD", "z", 0.1, "a", "inf", "b", "-1e300", "c"])).await, 3);
    for member in ["a", "c"] {
        // With as many digits as this Redis writes, 17 before 7.2.
        let score = door.redis.run(&["ZSCORE", "z", member]);
        assert!(score.is_string());
        assert_eq!(door.run(json!(["ZSCORE", "z", member])).await, score);
    }
    assert_eq!(door.run(json!(["ZMSCORE", "z", "b", "none"])).await, json!(["inf", null]));
}

async fn arrays_nest_as_deep_as_scripts_make_them(backend: Backend) {
    let door = backend.open().await;
    let script = "local deep = {'x'} for _ = 1, tonumber(ARGV[1]) do deep = {deep} end return deep";
    let answer = door.post("/redis").json(json!(["EVAL", script, 0, 200])).send().await;
    let nested = format!("{}\"x\"{}", "[".repeat(201), "]".repeat(201));
    assert_eq!(once(&answer).text(), format!("{{\"result\":{nested}}}"));
}

async fn large_results_are_whole(backend: Backend) {
    let door = backend.open().await;
    let large = "ü\n\"".repeat(1 << 20);
    assert_eq!(door.run(json!(["SET", "large", large])).await, "OK");
    assert_eq!(door.redis.run(&["STRLEN", "large"]), 4 << 20);
    assert_eq!(door.run_path("/redis/get/large").await, large.as_str());
    let members: Vec<String> = (0..50_000).map(|n| format!("member:{n}")).collect();
    let push: Value = ["RPUSH", "list"].into_iter().chain(members.iter().map(String::as_str)).collect();
    assert_eq!(door.run(push).await, 50_000);
    assert_eq!(door.run_path("/redis/lrange/list/0/-1").await, json!(members));
}

async fn an_answer_is_not_kept(backend: Backend) {
    let door = backend.open().await;
    let answers: [Answer; 4] = [
        door.get("/redis/ping").send().await,
        door.post("/redis/pipeline").json(json!([["PING"]])).send().await,
        door.get("/redis/get").send().await,
        door.get("/redis/blpop/a/0").send().await,
    ];
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-request-id").is_empty());
    }
    let named = door.get("/redis/ping").header("x-request-id", "my.id_1-2").send().await;
    assert_eq!(named.header("x-request-id"), "my.id_1-2");
}

async fn a_failed_command_is_400_with_its_error(backend: Backend) {
    let door = backend.open().await;
    door.redis.run(&["RPUSH", "list", "a"]);
    for (command, error) in [
        (json!(["GET", "list"]), "WRONGTYPE Operation against a key holding the wrong kind of value"),
        (json!(["INCRBY", "n", "x"]), "ERR value is not an integer or out of range"),
        (json!(["SET", "a", "b", "XX", "NX"]), "ERR syntax error"),
        (json!(["LSET", "nothing", 0, "x"]), "ERR no such key"),
        (json!(["EVALSHA", "0".repeat(40), 0]), "NOSCRIPT No matching script. Please use EVAL."),
        (json!(["XGROUP", "CREATE", "nothing", "g", "$"]), "ERR The XGROUP subcommand requires the key to exist."),
    ] {
        let (status, text) = door.fail(command.clone()).await;
        assert_eq!(status, 400, "{command}");
        assert!(text.starts_with(error), "{command}: {text}");
    }
    let (status, text) = door.fail(json!(["NOSUCH", "a"])).await;
    assert_eq!((status, text.starts_with("ERR unknown command 'NOSUCH'")), (400, true), "{text}");
    let (status, text) = door.fail(json!(["OBJECT", "NOSUCH", "a"])).await;
    assert_eq!((status, text.starts_with("ERR unknown subcommand 'NOSUCH'")), (400, true), "{text}");
    let in_path = door.get("/redis/get/list").send().await;
    assert_eq!(
        once(&in_path).json(),
        json!({"error": "WRONGTYPE Operation against a key holding the wrong kind of value"})
    );
    assert_eq!(in_path.status, 400);
}

async fn wrong_arity_is_redis_own_error(backend: Backend) {
    let door = backend.open().await;
    for (command, name) in [
        (json!(["GET"]), "get"),
        (json!(["get", "a", "b"]), "get"),
        (json!(["HSET", "h", "f"]), "hset"),
        (json!(["HSET", "h", "f", "v", "g"]), "hset"),
        (json!(["OBJECT", "ENCODING"]), "object|encoding"),
    ] {
        let sentence = format!("ERR wrong number of arguments for '{name}' command");
        assert_eq!(door.fail(command.clone()).await, (400, sentence), "{command}");
    }
    let in_path = refusal(&door.get("/redis/get").send().await);
    assert_eq!(in_path, (400, "ERR wrong number of arguments for 'get' command".into()));
}

async fn an_error_within_a_result_is_its_text(backend: Backend) {
    let door = backend.open().await;
    let script = "return {1, redis.error_reply('MINE is wrong'), 'x'}";
    assert_eq!(door.run(json!(["EVAL", script, 0])).await, json!([1, "MINE is wrong", "x"]));
}
