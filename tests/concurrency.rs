//! Two things at once: SPEC 2's "check and write are one atomic step in Redis".

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Gateway, Redis};

const ROUNDS: usize = 300;

fn profile(name: &str, version: &str, role: &str, created_at: u64) -> Value {
    json!([[
        "HSET",
        format!("user:{name}"),
        "username",
        name,
        "display_name",
        version,
        "avatar",
        version,
        "role",
        role,
        "postCount",
        created_at,
        "created_at",
        created_at
    ]])
}

/// Two isolates sync the same new user with different values: one of them was first, and the user is what that one said.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_first_syncs_at_once_exactly_one_is_first() {
    let redis = Redis::own();
    let gateways = [Gateway::on(&redis), Gateway::on(&redis)];
    for round in 0..ROUNDS {
        let name = format!("u{round}");
        let tasks = [("left", "user", 1), ("right", "model", 2)].map(|(version, role, created_at)| {
            let gateway = gateways[usize::from(version == "right")].clone();
            let batch = profile(&name, version, role, created_at);
            tokio::spawn(async move { gateway.write(batch).await })
        });
        let [left, right] = tasks;
        let (left, right) = (left.await.unwrap(), right.await.unwrap());
        let refused = json!([
            "ERR fields 'display_name', 'avatar', 'role', 'postCount' cannot be modified directly, use PATCH /users/:id"
        ]);
        let (version, role, created_at) = match (left == json!([6]), right == json!([6])) {
            (true, false) => ("left", "user", "1"),
            (false, true) => ("right", "model", "2"),
            _ => panic!("round {round}: {left} and {right}"),
        };
        assert_eq!(if version == "left" { &right } else { &left }, &refused);
        let expected = json!({
            "username": name, "display_name": version, "avatar": version, "role": role, "postCount": created_at,
            "created_at": created_at,
        });
        assert_eq!(redis.hash(&format!("user:{name}")), expected);
        let scores = ["users:regular", "users:models"].map(|registry| redis.run(&["ZSCORE", registry, &name]));
        let expected = if role == "user" { [json!("1"), json!(null)] } else { [json!(null), json!("2")] };
        assert_eq!(scores, expected);
    }
}

/// Field by field, as the older guide does it, a batch is still one step.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_of_single_fields_do_not_mix() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    for round in 0..ROUNDS {
        let key = format!("user:u{round}");
        let fields = ["display_name", "avatar", "postCount", "followerCount", "followingCount"];
        let tasks = ["1", "2"].map(|version| {
            let mut batch: Vec<Value> = fields.iter().map(|field| json!(["HSET", key, field, version])).collect();
            batch.push(json!(["HSET", key, "username", format!("u{round}")]));
            let gateway = gateway.clone();
            tokio::spawn(async move { gateway.write(batch).await })
        });
        let mut firsts = 0;
        for task in tasks {
            let results = task.await.unwrap();
            let results = results.as_array().unwrap();
            let set = results.iter().filter(|result| **result == 1).count();
            let refused = results.iter().filter(|result| result.is_string()).count();
            firsts += usize::from(set == 6);
            assert!((set, refused) == (6, 0) || (set, refused) == (0, 5), "{results:?}");
        }
        assert_eq!(firsts, 1);
        let stored = redis.hash(&key);
        let versions: BTreeSet<&str> = fields.iter().map(|field| stored[field].as_str().unwrap()).collect();
        assert_eq!(versions.len(), 1, "{stored}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_sync_sent_twice_at_once_is_accepted_twice() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    for round in 0..ROUNDS {
        let batch = profile(&format!("u{round}"), "same", "user", 5);
        let tasks = [(); 2].map(|()| {
            tokio::spawn({
                let (gateway, batch) = (gateway.clone(), batch.clone());
                async move { gateway.write(batch).await }
            })
        });
        let mut results = BTreeSet::new();
        for task in tasks {
            results.insert(task.await.unwrap()[0].as_i64());
        }
        assert_eq!(results, BTreeSet::from([Some(0), Some(6)]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_of_many_tasks_are_all_counted() {
    const TASKS: i64 = 64;
    const EACH: i64 = 20;
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    gateway.write(json!([["HSET", "user:alice", "username", "alice"]])).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let gateway = gateway.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..EACH {
                    let results = gateway.write(json!([["HINCRBY", "user:alice", "followerCount", 1]])).await;
                    seen.push(results[0].as_i64().unwrap());
                }
                seen
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    for task in tasks {
        seen.extend(task.await.unwrap());
    }
    assert_eq!(seen, (1..=TASKS * EACH).collect());
    assert_eq!(redis.run(&["HGET", "user:alice", "followerCount"]), (TASKS * EACH).to_string());
}
