//! Scripts with a flag that only Upstash knows, on a Redis that does not: they run, and are known by the hash of their text.

use serde_json::{Value, json};
use sha1_smol::Sha1;

use crate::door::{Backend, Door, once};

over_both_backends![
    a_script_with_the_flag_runs,
    it_is_called_by_the_hash_of_its_own_text,
    another_isolate_calls_it_too,
    a_pipeline_and_a_transaction_call_it,
    it_is_called_behind_its_own_text,
    a_call_that_fails_forgets_no_name,
    other_flags_stay,
    what_redis_has_forgotten_is_told,
    scripts_without_the_flag_are_themselves,
];

const SCRIPT: &str = "#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])";

fn sha(text: &str) -> String {
    Sha1::from(text).digest().to_string()
}

fn call(text: &str) -> Value {
    json!(["EVALSHA", sha(text), 1, "counter", 5])
}

/// What a command gives, in however many round trips.
async fn run(door: &Door, command: Value) -> Result<Value, String> {
    let body = door.post("/redis").json(command).send().await.json();
    body["error"].as_str().map_or_else(|| Ok(body["result"].clone()), |error| Err(error.to_owned()))
}

async fn a_script_with_the_flag_runs(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await, 5);
    assert_eq!(door.run(json!(["eval", SCRIPT, "1", "counter", "1"])).await, 6);
    let reads = "#!lua flags=allow-key-locking,no-writes\nreturn redis.call('GET', KEYS[1])";
    assert_eq!(door.run(json!(["EVAL_RO", reads, 1, "counter"])).await, "6");
}

async fn it_is_called_by_the_hash_of_its_own_text(backend: Backend) {
    let door = backend.open().await;
    assert!(run(&door, call(SCRIPT)).await.unwrap_err().starts_with("NOSCRIPT"));
    assert_eq!(run(&door, json!(["SCRIPT", "LOAD", SCRIPT])).await.unwrap(), sha(SCRIPT));
    assert_eq!(door.run(call(SCRIPT)).await, 5);
    assert_eq!(run(&door, json!(["SCRIPT", "EXISTS", sha(SCRIPT), sha("none")])).await.unwrap(), json!([1, 0]));
    let capitals = json!(["EVALSHA", sha(SCRIPT).to_uppercase(), 1, "counter", 5]);
    assert_eq!(door.run(capitals).await, 10);
}

/// What one isolate has loaded, the next finds in Redis: with one call more the first time, and none after that.
async fn another_isolate_calls_it_too(backend: Backend) {
    let first = backend.open().await;
    first.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await;
    let next = backend.open_on(first.redis, &[]).await;
    assert_eq!(run(&next, call(SCRIPT)).await.unwrap(), 10);
    assert_eq!(next.run(call(SCRIPT)).await, 15);
    let last = backend.open_on(next.redis, &[]).await;
    assert_eq!(run(&last, json!(["SCRIPT", "EXISTS", sha(SCRIPT)])).await.unwrap(), json!([1]));
}

async fn a_pipeline_and_a_transaction_call_it(backend: Backend) {
    let first = backend.open().await;
    first.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await;
    let commands = json!([["SET", "counter", 1], call(SCRIPT), ["GET", "counter"]]);
    let expected = json!([{"result": "OK"}, {"result": 6}, {"result": "6"}]);
    let next = backend.open_on(first.redis, &[]).await;
    assert_eq!(next.post("/redis/pipeline").json(commands.clone()).send().await.ok(), expected);
    assert_eq!(next.pipeline(commands.clone()).await, expected);
    let last = backend.open_on(next.redis, &[]).await;
    assert_eq!(last.post("/redis/multi-exec").json(commands.clone()).send().await.ok(), expected);
    assert_eq!(last.multi_exec(commands).await, expected);
}

async fn it_is_called_behind_its_own_text(backend: Backend) {
    for (path, first) in
        [("pipeline", json!(["SCRIPT", "LOAD", SCRIPT])), ("multi-exec", json!(["EVAL", SCRIPT, 1, "counter", 5]))]
    {
        let door = backend.open().await;
        let commands = json!([first, call(SCRIPT)]);
        let results = door.post(&format!("/redis/{path}")).json(commands).send().await.ok();
        assert_eq!(results[1]["result"], if path == "pipeline" { 5 } else { 10 }, "{path}: {results}");
    }
}

/// What is wrong with a call Redis says before it looks for the script.
async fn a_call_that_fails_forgets_no_name(backend: Backend) {
    let first = backend.open().await;
    first.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await;
    let next = backend.open_on(first.redis, &[]).await;
    let mut wrong = call(SCRIPT);
    wrong[2] = json!("x");
    assert!(run(&next, wrong).await.unwrap_err().starts_with("ERR value is not an integer"));
    assert_eq!(run(&next, call(SCRIPT)).await.unwrap(), 10);
}

async fn other_flags_stay(backend: Backend) {
    let door = backend.open().await;
    let script = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('SET', KEYS[1], 'x')";
    let (status, error) = door.fail(json!(["EVAL", script, 1, "a"])).await;
    assert_eq!((status, error.contains("Write commands are not allowed")), (400, true), "{error}");
    let (status, error) = door.fail(json!(["EVAL", "#!lua flags=nope\nreturn 1", 0])).await;
    assert_eq!((status, error.contains("Unexpected flag")), (400, true), "{error}");
}

async fn what_redis_has_forgotten_is_told(backend: Backend) {
    let door = backend.open().await;
    door.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await;
    door.redis.run(&["SCRIPT", "FLUSH"]);
    assert!(run(&door, call(SCRIPT)).await.unwrap_err().starts_with("NOSCRIPT"));
    assert_eq!(door.run(json!(["EVAL", SCRIPT, 1, "counter", 5])).await, 10);
    assert_eq!(door.run(call(SCRIPT)).await, 15);
}

async fn scripts_without_the_flag_are_themselves(backend: Backend) {
    let door = backend.open().await;
    let script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    door.redis.run(&["SCRIPT", "LOAD", script]);
    assert_eq!(door.run(call(script)).await, 5);
    assert_eq!(door.run(json!(["SCRIPT", "LOAD", script])).await, sha(script));
    let commands = json!([call(script), call(script)]);
    assert_eq!(once(&door.post("/redis/pipeline").json(commands).send().await).ok()[1]["result"], 15);
    assert_eq!(door.redis.run(&["EXISTS", "ridge:scripts"]), 0);
}
