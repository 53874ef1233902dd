//! A Redis that is away, slow, full, loading or closed to us. SPEC 3 says what the caller is told; here as the `error` alone.

use serde_json::{Value, json};

use crate::{
    door::{Backend, Door, refusal},
    support::{Answer, Gateway, Redis},
};

over_both_backends![
    an_unreachable_redis_is_503_until_it_is_back,
    no_answer_in_time_is_504,
    out_of_memory_is_503_alone_and_an_error_in_its_place,
    loading_is_503,
    read_only_is_503_alone_and_an_error_in_its_place,
    refused_credentials_are_502,
    a_configuration_that_is_wrong_is_500,
];

/// Each form of a request that reads, and each that writes.
const READS: [(&str, &str); 3] =
    [("/redis", r#"["GET","a"]"#), ("/redis/pipeline", r#"[["GET","a"],["GET","b"]]"#), ("/redis/get/a%2Fb", "")];
const WRITES: [(&str, &str); 5] = [
    ("/redis", r#"["SET","a","b"]"#),
    ("/redis/set/a/b", ""),
    ("/redis/set/a%2Fb/c", ""),
    ("/redis/pipeline", r#"[["GET","a"],["SET","a","b"]]"#),
    ("/redis/multi-exec", r#"[["SET","a","b"],["SET","b","c"]]"#),
];

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let (told, error) = refusal(answer);
    assert_eq!(told, status, "{what}: {error}");
    assert!(error.starts_with("ERR "), "{what}: {error}");
    assert_eq!(!answer.header("retry-after").is_empty(), status == 503, "{what}: Retry-After");
    for secret in ["127.0.0.1", "localhost", "inner-key"] {
        assert!(!answer.text().contains(secret), "{what}: {error}");
    }
}

async fn all_are(door: &Door, requests: &[(&str, &str)], status: u16) {
    for (path, body) in requests {
        assert_refused(&door.post(path).body((*body).to_owned()).send().await, status, path);
    }
}

async fn all_work(door: &Door) {
    for (path, body) in READS.iter().chain(&WRITES) {
        let answer = door.post(path).body((*body).to_owned()).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

async fn an_unreachable_redis_is_503_until_it_is_back(backend: Backend) {
    let mut door = backend.open().await;
    all_work(&door).await;
    door.redis.stop();
    all_are(&door, &READS, 503).await;
    all_are(&door, &WRITES, 503).await;
    door.redis.restart();
    all_work(&door).await;
    // What stands between may be away as well.
    if let Some((inner, served)) = door.inner.take() {
        drop((inner, served));
        tokio::task::yield_now().await;
        all_are(&door, &READS, 503).await;
    }
}

async fn no_answer_in_time_is_504(backend: Backend) {
    let door = backend.open_with(&[("REDIS_TIMEOUT_MS", "1500")]).await;
    all_work(&door).await;
    door.redis.run(&["CLIENT", "PAUSE", "1000000", "ALL"]);
    for requests in [&READS[..], &WRITES] {
        for (path, body) in requests {
            let answer = door.post(path).body((*body).to_owned()).send().await;
            assert_refused(&answer, 504, path);
            // A write that was sent may have happened.
            let unknown = answer.json()["error"].as_str().unwrap().contains("outcome is unknown");
            assert_eq!(unknown, requests.len() == WRITES.len(), "{path}: {}", answer.text());
        }
    }
    door.redis.restart();
    all_work(&door).await;
}

/// A key, and a script that writes; its hash.
fn seed(door: &Door) -> String {
    door.redis.run(&["SET", "old", "x"]);
    let script = "#!lua\nreturn redis.call('SET', KEYS[1], 'x')";
    door.redis.run(&["SCRIPT", "LOAD", script]).as_str().unwrap().to_owned()
}

/// SPEC 9 over SPEC 3: a pipeline of which something was carried out has each error in its place.
async fn in_its_place(door: &Door, sha: &str, code: &str) {
    let results = door.pipeline(json!([["GET", "old"], ["SET", "a", "b"], ["GET", "old"]])).await;
    assert_eq!((&results[0], &results[2]), (&json!({"result": "x"}), &json!({"result": "x"})));
    assert!(results[1]["error"].as_str().unwrap().starts_with(code), "{results}");
    assert_eq!(door.run(json!(["GET", "old"])).await, "x");
    let alone: Value = json!([["SET", "a", "b"], ["SET", "c", "d"]]);
    assert_refused(&door.post("/redis/pipeline").json(alone.clone()).send().await, 503, code);
    assert_refused(&door.post("/redis/multi-exec").json(alone).send().await, 503, code);
    assert_refused(&door.post("/redis").json(json!(["SET", "a", "b"])).send().await, 503, code);
    assert_refused(&door.get("/redis/set/a/b").send().await, 503, code);
    assert_refused(&door.get("/redis/set/a%2Fb/c").send().await, 503, code);
    // Also where Ridge asks for more than the caller does.
    let by_hash = door.post("/redis").json(json!(["EVALSHA", sha, 1, "a"])).send().await;
    assert_refused(&by_hash, 503, code);
}

async fn out_of_memory_is_503_alone_and_an_error_in_its_place(backend: Backend) {
    let door = backend.open().await;
    let sha = seed(&door);
    door.redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    in_its_place(&door, &sha, "OOM").await;
    door.redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    all_work(&door).await;
}

async fn read_only_is_503_alone_and_an_error_in_its_place(backend: Backend) {
    let door = backend.open().await;
    let sha = seed(&door);
    // A replica of nobody.
    door.redis.run(&["REPLICAOF", "127.0.0.1", "1"]);
    in_its_place(&door, &sha, "READONLY").await;
    door.redis.run(&["REPLICAOF", "NO", "ONE"]);
    all_work(&door).await;
}

async fn loading_is_503(backend: Backend) {
    // Each key takes 10 ms to load, and after each the server has time to say so.
    let slow =
        ["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024", "--rdbcompression", "no"];
    let door = backend.open_on(Redis::options().args(&slow).start(), &[]).await;
    let fill = "for n = 1, 3000 do redis.call('SET', 'key:' .. n, string.rep('x', 1100)) end";
    door.redis.run(&["EVAL", fill, "0"]);
    door.redis.run(&["SAVE"]);
    door.redis.restart();
    all_are(&door, &READS, 503).await;
    all_are(&door, &WRITES, 503).await;
    door.redis.run(&["CONFIG", "SET", "key-load-delay", "0"]);
    door.redis.wait_until_loaded();
    assert_eq!(door.run(json!(["STRLEN", "key:3000"])).await, 1100);
    all_work(&door).await;
}

async fn refused_credentials_are_502(backend: Backend) {
    let door = backend.open().await;
    let variables: Vec<(&str, String)> = match &door.inner {
        None => {
            door.redis.run(&["CONFIG", "SET", "requirepass", "another"]);
            let url = format!("redis://:wrong@127.0.0.1:{}", door.redis.port());
            vec![("REDIS_URL", url)]
        }
        Some((_, served)) => vec![
            ("REDIS_URL", String::new()),
            ("UPSTASH_REDIS_REST_URL", served.url()),
            ("UPSTASH_REDIS_REST_TOKEN", "wrong".to_owned()),
        ],
    };
    let mut variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let keys = crate::door::key_list(&[json!({"name": "tests", "key": crate::door::KEY})]);
    variables.push(("API_KEYS", &keys));
    let (redis, inner) = (door.redis, door.inner);
    let door = Door { gateway: Gateway::with(&redis, &variables), redis, inner };
    all_are(&door, &READS, 502).await;
    all_are(&door, &WRITES, 502).await;
}

async fn a_configuration_that_is_wrong_is_500(backend: Backend) {
    let door = backend.open_with(&[("QUERY_TOKEN", "nonsense")]).await;
    for (path, body) in READS.iter().chain(&WRITES) {
        assert_refused(&door.post(path).body((*body).to_owned()).send().await, 500, path);
    }
}
