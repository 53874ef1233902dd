//! Everything at once: 64 clients of 8 isolates do 20,000 things to the same few users and posts, deletions, bans and new
//! names among them, some of them larger than one step. Once the work that was put off is done, the audit finds nothing:
//! every counter counts, every follow has both sides, no orphan is anywhere. The same holds when Redis is killed in the
//! middle: what a script does is there or not, never half.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "storm/crowd.rs"]
mod crowd;
#[path = "storm/weather.rs"]
mod weather;

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use support::{Gateway, Redis, audit::audit};
use weather::{Outcome, Storm};

const CLIENTS: usize = 64;

/// Lets every client do its part, and gives what came of it.
async fn blow(storm: &Arc<Storm>, operations: usize) -> Vec<Outcome> {
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| tokio::spawn(Arc::clone(storm).client(client, operations / CLIENTS))).collect();
    let mut outcomes = Vec::new();
    for client in clients {
        outcomes.extend(client.await.expect("a client ends by itself"));
    }
    outcomes
}

/// Runs what was put off, and then looks at everything.
async fn find_faults(storm: &Storm, redis: &Redis) {
    storm.gateways[0].finish_jobs().await;
    let wrong = audit(redis);
    let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differences, seed {}:\n{shown}", wrong.len(), storm.seed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_leaves_nothing_out_of_place() {
    let redis = Redis::own();
    let storm = Arc::new(Storm::over(&redis));
    let outcomes = blow(&storm, 20_000).await;
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.status >= 500).collect();
    assert!(failed.is_empty(), "{failed:?}");
    weather::assert_that_everything_happened(&outcomes);
    find_faults(&storm, &redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_redis_in_its_middle_leaves_nothing_half_written() {
    const OPERATIONS: usize = 10_000;
    let redis = Redis::options().args(&["--appendonly", "yes", "--appendfsync", "always"]).start();
    let storm = Arc::new(Storm::over(&redis));
    let clients = tokio::spawn({
        let storm = Arc::clone(&storm);
        async move { blow(&storm, OPERATIONS).await }
    });
    for part in 1..=3 {
        while storm.done() < OPERATIONS * part / 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        redis.stop();
        redis.restart();
    }
    let outcomes = clients.await.unwrap();
    redis.wait_until_loaded();
    weather::assert_that_only_the_killing_failed(&outcomes);
    weather::assert_that_what_was_acknowledged_is_there(&outcomes, &redis);
    find_faults(&storm, &redis).await;
}

/// Every kind of large work, with Redis killed after each of the first steps. What another process of Redis knows by the
/// same name, such as the cursor of a scan, is something else.
#[tokio::test]
async fn work_survives_restarts_between_its_steps() {
    let redis = Redis::options().args(&["--appendonly", "yes", "--appendfsync", "always"]).start();
    redis.fill(&crowd::before().keyspace());
    let gateway = Gateway::on(&redis);
    let (post, author, diligent) = (format!("/posts/{}", crowd::famous(3)), crowd::actor(4), crowd::actor(0));
    let works = [
        ("PATCH", format!("{post}/ban"), Value::Null),
        ("DELETE", format!("{post}/ban"), Value::Null),
        ("DELETE", post, Value::Null),
        ("DELETE", format!("/users/{author}"), Value::Null),
        ("PATCH", format!("/users/{diligent}"), json!({"display_name": "new"})),
        ("DELETE", format!("/users/{diligent}"), Value::Null),
    ];
    for (method, path, body) in works {
        let answer = gateway.call(method, &path).api_key().json(body).send().await;
        assert!([200, 202].contains(&answer.status), "{method} {path}: {}", answer.text());
        for step in 1.. {
            if step <= 3 {
                redis.restart();
                redis.wait_until_loaded();
            }
            if gateway.work(1).await.expect("Redis answers") == 0 {
                break;
            }
        }
        let wrong = audit(&redis);
        let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
        assert!(wrong.is_empty(), "{method} {path}: {} differences:\n{shown}", wrong.len());
    }
}

/// A job walks a list that changes meanwhile: what a sync moves from before it to behind it must not be missed.
#[tokio::test]
async fn a_post_that_is_moved_while_its_author_is_renamed_gets_the_new_name() {
    let redis = Redis::own();
    redis.fill(&crowd::before().keyspace());
    let gateway = Gateway::on(&redis);
    let renaming = gateway.call("PATCH", &format!("/users/{}", crowd::actor(0))).api_key();
    renaming.json(json!({"display_name": "new"})).send().await.ok();
    assert_ne!(redis.run(&["EXISTS", "jobs:pending"]), 0, "there is nothing left to do");
    let oldest = crowd::many(0, 0);
    let moved =
        json!([{"id": oldest, "username": crowd::actor(0), "content": "moved", "created_at": 1_800_000_000_000_i64}]);
    let synced = gateway.post("/sync/posts").api_key().json(moved).send().await.ok();
    assert_eq!(synced, json!({"results": [{"status": "updated"}]}));
    gateway.finish_jobs().await;
    assert_eq!(redis.hash(&format!("post:{oldest}"))["display_name"], "new");
    assert_eq!(audit(&redis), Vec::<String>::new());
}
