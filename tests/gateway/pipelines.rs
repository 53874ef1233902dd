//! `/redis/pipeline`: commands in their order, each with its own result or error.

use serde_json::{Value, json};

use crate::door::{Backend, refused_here};

over_both_backends![
    results_come_in_order,
    an_error_stands_in_its_place_and_stops_nothing,
    a_refused_command_stands_in_its_place_and_is_not_sent,
    a_pipeline_of_refusals_asks_nobody,
    set_info_is_answered_in_its_place,
    others_may_run_between,
    a_long_pipeline_is_one_round_trip,
];

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

async fn results_come_in_order(backend: Backend) {
    let door = backend.open().await;
    let results = door
        .pipeline(json!([
            ["SET", "a", "1"],
            ["INCR", "a"],
            ["GET", "a"],
            ["GET", "none"],
            ["RPUSH", "list", "x", "y"],
            ["LRANGE", "list", 0, -1],
            ["DEL", "a", "list"],
            ["GET", "a"]
        ]))
        .await;
    let expected = json!(["OK", 2, "2", null, 2, ["x", "y"], 2, null])
        .as_array()
        .unwrap()
        .iter()
        .map(|result| json!({"result": result}))
        .collect::<Value>();
    assert_eq!(results, expected);
}

async fn an_error_stands_in_its_place_and_stops_nothing(backend: Backend) {
    let door = backend.open().await;
    let results = door
        .pipeline(json!([
            ["RPUSH", "list", "x"],
            ["INCR", "list"],
            ["SET", "a", "b", "NONSENSE"],
            ["GET"],
            ["NOSUCH", "a"],
            ["SET", "a", "b"],
            ["EVAL", "redis.call('SET', 'c', 'd') error('mine')", 0],
            ["GET", "a"]
        ]))
        .await;
    assert_eq!(results[0], json!({"result": 1}));
    assert_eq!(results[1], json!({"error": WRONG_TYPE}));
    assert_eq!(results[2], json!({"error": "ERR syntax error"}));
    assert_eq!(results[3], json!({"error": "ERR wrong number of arguments for 'get' command"}));
    assert!(results[4]["error"].as_str().unwrap().starts_with("ERR unknown command 'NOSUCH'"));
    assert_eq!(results[5], json!({"result": "OK"}));
    assert!(results[6]["error"].as_str().unwrap().contains("mine"));
    assert_eq!(results[7], json!({"result": "b"}));
    assert_eq!(results.as_array().unwrap().len(), 8);
}

async fn a_refused_command_stands_in_its_place_and_is_not_sent(backend: Backend) {
    let door = backend.open().await;
    let results = door
        .pipeline(json!([
            ["SET", "a", "1"],
            ["MULTI"],
            ["BLPOP", "list", 0],
            ["INCR", "a"],
            ["SELECT", 1],
            ["CONFIG", "SET", "maxmemory", 1],
            ["INCR", "a"],
            ["EXEC"]
        ]))
        .await;
    let list = results.as_array().unwrap();
    let sent = list.iter().map(|result| result.get("result").cloned()).collect::<Vec<_>>();
    assert_eq!(sent, [Some(json!("OK")), None, None, Some(json!(2)), None, None, Some(json!(3)), None]);
    assert!(list.iter().all(|result| result["error"].is_string() != result.get("result").is_some()), "{list:?}");
    for name in ["multi", "blpop", "select", "exec", "config|set"] {
        assert_eq!(door.calls(name), 0, "{name}");
    }
    assert_eq!(door.redis.run(&["GET", "a"]), "3");
}

async fn a_pipeline_of_refusals_asks_nobody(backend: Backend) {
    let door = backend.open().await;
    door.redis.stop();
    let answer =
        door.post("/redis/pipeline").json(json!([["MULTI"], ["CLIENT", "SETINFO", "LIB-NAME", "x"]])).send().await;
    let results = answer.ok();
    assert_eq!((answer.header("x-redis-round-trips"), results.as_array().unwrap().len()), ("0", 2));
    assert_eq!(results[1], json!({"result": "OK"}));
    assert!(results[0]["error"].is_string());
    let single = refused_here(&door.post("/redis").json(json!(["MULTI"])).send().await);
    assert_eq!(single, (400, results[0]["error"].as_str().unwrap().to_owned()));
}

async fn set_info_is_answered_in_its_place(backend: Backend) {
    let door = backend.open().await;
    let results = door
        .pipeline(json!([
            ["client", "setinfo", "LIB-NAME", "redis-js"],
            ["SET", "a", "b"],
            ["CLIENT", "SETINFO", "LIB-VER", "1.2.3"],
            ["GET", "a"]
        ]))
        .await;
    assert_eq!(results, json!([{"result": "OK"}, {"result": "OK"}, {"result": "OK"}, {"result": "b"}]));
    assert_eq!(door.calls("client|setinfo"), 0);
}

async fn others_may_run_between(backend: Backend) {
    let door = backend.open().await;
    // A pipeline that fails in its middle has done what stands before.
    let results = door.pipeline(json!([["INCR", "n"], ["LPUSH", "n", "x"], ["INCR", "n"]])).await;
    assert_eq!(results, json!([{"result": 1}, {"error": WRONG_TYPE}, {"result": 2}]));
    assert_eq!(door.calls("multi"), 0);
}

async fn a_long_pipeline_is_one_round_trip(backend: Backend) {
    let door = backend.open().await;
    let commands: Value = (0..20_000).map(|n| json!(["INCRBY", format!("n{}", n % 100), n])).collect();
    let results = door.pipeline(commands).await;
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), 20_000);
    assert_eq!(results[99], json!({"result": 99}));
    assert_eq!(results[19_999], json!({"result": (0..200).map(|n| n * 100 + 99).sum::<i64>()}));
}
