//! `/redis/multi-exec`: commands that run as one, or not at all.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use serde_json::{Value, json};

use crate::door::{Backend, once, refusal, refused_here};

over_both_backends![
    results_come_in_order,
    nobody_sees_it_half_done,
    what_cannot_be_queued_discards_the_whole,
    a_refused_command_discards_the_whole,
    a_command_that_fails_while_it_runs_has_its_own_error,
    set_info_is_answered_in_its_place,
    the_words_of_a_transaction_are_for_itself,
    an_unreachable_redis_is_503,
];

async fn results_come_in_order(backend: Backend) {
    let door = backend.open().await;
    let results = door
        .multi_exec(json!([
            ["SET", "a", "1"],
            ["INCR", "a"],
            ["GET", "none"],
            ["MGET", "a", "none"],
            ["RPUSH", "list", "x"]
        ]))
        .await;
    let expected = json!([{"result": "OK"}, {"result": 2}, {"result": null}, {"result": ["2", null]}, {"result": 1}]);
    assert_eq!(results, expected);
    // One command is a transaction, too.
    assert_eq!(door.multi_exec(json!([["GET", "a"]])).await, json!([{"result": "2"}]));
}

/// Two gateways write pairs of keys while a third client looks.
async fn nobody_sees_it_half_done(backend: Backend) {
    let door = Arc::new(backend.open().await);
    door.redis.run(&["MSET", "a", "0", "z", "0"]);
    let done = Arc::new(AtomicBool::new(false));
    let (looker, is_done) = (Arc::clone(&door), Arc::clone(&done));
    let looking = tokio::task::spawn_blocking(move || {
        let mut seen = 0;
        while !is_done.load(SeqCst) {
            let pair = looker.redis.run(&["MGET", "a", "z"]);
            assert_eq!(pair[0], pair[1]);
            seen += 1;
        }
        seen
    });
    let fill: Vec<Value> = (0..200).map(|n| json!(["SET", format!("filler{n}"), "x".repeat(100)])).collect();
    for _ in 0..20 {
        let mut commands = vec![json!(["INCR", "a"])];
        commands.extend(fill.iter().cloned());
        commands.push(json!(["INCR", "z"]));
        let (left, right) = tokio::join!(door.multi_exec(commands.clone()), door.multi_exec(commands));
        // What each of the two has seen is one step of the other's.
        assert_eq!(left[0], left[201]);
        assert_eq!(right[0], right[201]);
    }
    done.store(true, SeqCst);
    assert!(looking.await.unwrap() > 0);
    assert_eq!(door.redis.run(&["MGET", "a", "z"]), json!(["40", "40"]));
}

async fn what_cannot_be_queued_discards_the_whole(backend: Backend) {
    let door = backend.open().await;
    for (bad, error) in [
        (json!(["NOSUCH", "x"]), "ERR unknown command 'NOSUCH'"),
        (json!(["GET"]), "ERR wrong number of arguments for 'get' command"),
        (json!(["OBJECT", "NOSUCH", "a"]), "ERR unknown subcommand 'NOSUCH'"),
    ] {
        for commands in [
            json!([bad, ["SET", "a", "b"], ["SET", "c", "d"]]),
            json!([["SET", "a", "b"], bad, ["SET", "c", "d"]]),
            json!([["SET", "a", "b"], ["SET", "c", "d"], bad]),
        ] {
            let answer = door.post("/redis/multi-exec").json(commands.clone()).send().await;
            let (status, text) = refusal(once(&answer));
            assert_eq!(status, 400, "{commands}");
            assert!(text.starts_with(error), "{commands}: {text}");
        }
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
    // The connection of one is nobody else's.
    assert_eq!(door.run(json!(["SET", "a", "b"])).await, "OK");
}

async fn a_refused_command_discards_the_whole(backend: Backend) {
    let door = backend.open().await;
    for refused in
        [json!(["MULTI"]), json!(["BLPOP", "a", 0]), json!(["CONFIG", "GET", "*"]), json!(["SUBSCRIBE", "a"])]
    {
        let alone = refused_here(&door.post("/redis").json(refused.clone()).send().await);
        for commands in [json!([["SET", "a", "b"], refused]), json!([refused, ["SET", "a", "b"]])] {
            let answer = door.post("/redis/multi-exec").json(commands.clone()).send().await;
            assert_eq!(refused_here(&answer), alone, "{commands}");
        }
    }
    assert_eq!((door.redis.run(&["DBSIZE"]), door.calls("multi")), (json!(0), 0));
}

async fn a_command_that_fails_while_it_runs_has_its_own_error(backend: Backend) {
    let door = backend.open().await;
    let results =
        door.multi_exec(json!([["SET", "a", "b"], ["INCR", "a"], ["LPUSH", "a", "x"], ["SET", "c", "d"]])).await;
    let wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let not_an_integer = "ERR value is not an integer or out of range";
    let expected = json!([{"result": "OK"}, {"error": not_an_integer}, {"error": wrong_type}, {"result": "OK"}]);
    assert_eq!(results, expected);
    assert_eq!(door.redis.run(&["MGET", "a", "c"]), json!(["b", "d"]));
    // Also if all of them fail.
    assert_eq!(door.multi_exec(json!([["INCR", "a"]])).await, json!([{"error": not_an_integer}]));
}

async fn set_info_is_answered_in_its_place(backend: Backend) {
    let door = backend.open().await;
    let set_info = json!(["CLIENT", "SETINFO", "LIB-NAME", "x"]);
    assert_eq!(door.multi_exec(json!([set_info, ["INCR", "n"]])).await, json!([{"result": "OK"}, {"result": 1}]));
    let alone = door.post("/redis/multi-exec").json(json!([set_info])).send().await;
    assert_eq!((alone.ok(), alone.header("x-redis-round-trips")), (json!([{"result": "OK"}]), "0"));
}

async fn the_words_of_a_transaction_are_for_itself(backend: Backend) {
    let door = backend.open().await;
    for name in ["MULTI", "EXEC", "DISCARD", "UNWATCH", "WATCH"] {
        let command = if name == "WATCH" { json!([name, "a"]) } else { json!([name]) };
        let (status, error) = refused_here(&door.post("/redis/multi-exec").json(json!([command])).send().await);
        assert_eq!(status, 400, "{name}");
        assert!(error.starts_with(&format!("ERR Command \"{name}\" is not allowed in REST")), "{error}");
    }
}

async fn an_unreachable_redis_is_503(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.multi_exec(json!([["INCR", "n"]])).await, json!([{"result": 1}]));
    door.redis.stop();
    let answer = door.post("/redis/multi-exec").json(json!([["INCR", "n"]])).send().await;
    let (status, error) = refusal(&answer);
    assert_eq!((status, error.starts_with("ERR Redis ")), (503, true), "{error}");
    assert!(!answer.header("retry-after").is_empty());
    door.redis.restart();
    assert_eq!(door.multi_exec(json!([["INCR", "n"]])).await, json!([{"result": 1}]));
}
