//! Redis goes away under load and comes back: 503 meanwhile, 200 afterwards, and no count that was acknowledged is
//! lost or doubled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::json;
use support::{Gateway, Redis};

/// How often Redis goes away. Phases are counted through all rounds, [`PHASES`] a round.
const ROUNDS: u8 = 3;
const PHASES: u8 = 4;
const SERVES: u8 = 0;
const GOES: u8 = 1;
const IS_AWAY: u8 = 2;
const RETURNS: u8 = 3;
const OVER: u8 = ROUNDS * PHASES + 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Set,
    Count,
}

/// One request: the phases in which it began and ended, and what came of it.
#[derive(Debug)]
struct Event {
    kind: Kind,
    phases: (u8, u8),
    status: u16,
    code: Option<String>,
}

/// Sends one request after the other until it is over.
async fn load(gateway: Gateway, worker: usize, phase: Arc<AtomicU8>, events: Arc<Mutex<Vec<Event>>>) {
    let kind = [Kind::Read, Kind::Set, Kind::Count][worker % 3];
    let (path, command) = match kind {
        Kind::Read => ("/", json!(["HGETALL", "user:alice:visits"])),
        Kind::Set => ("/redis/write", json!(["HSET", format!("user:u{worker}:settings"), "theme", "dark"])),
        Kind::Count => ("/redis/write", json!(["HINCRBY", "user:alice:visits", "total", 1])),
    };
    while phase.load(SeqCst) != OVER {
        let began = phase.load(SeqCst);
        let answer = gateway.post(path).api_key().json(command.clone()).send().await;
        let code = answer.json()["code"].as_str().map(str::to_owned);
        let event = Event { kind, phases: (began, phase.load(SeqCst)), status: answer.status, code };
        if event.status != 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        events.lock().unwrap().push(event);
    }
}

/// Waits until a phase has seen this many requests from beginning to end.
async fn wait_for(events: &Mutex<Vec<Event>>, phase: u8, count: usize) {
    let enough = async {
        while events.lock().unwrap().iter().filter(|event| event.phases == (phase, phase)).count() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough).await.expect("requests are answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_503_and_its_end_needs_no_restart() {
    let redis = Redis::options().args(&["--appendonly", "yes", "--appendfsync", "always"]).start();
    let gateway = Gateway::on(&redis);
    let (phase, events) = (Arc::<AtomicU8>::default(), Arc::<Mutex<Vec<Event>>>::default());
    let workers: Vec<_> = (0..16)
        .map(|worker| tokio::spawn(load(gateway.clone(), worker, Arc::clone(&phase), Arc::clone(&events))))
        .collect();

    for round in (0..ROUNDS).map(|round| round * PHASES) {
        wait_for(&events, round + SERVES, 500).await;
        phase.store(round + GOES, SeqCst);
        redis.stop();
        phase.store(round + IS_AWAY, SeqCst);
        wait_for(&events, round + IS_AWAY, 300).await;
        phase.store(round + RETURNS, SeqCst);
        redis.restart();
        while redis.try_run(&["PING"]).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        phase.store(round + PHASES, SeqCst);
    }
    wait_for(&events, ROUNDS * PHASES, 500).await;
    phase.store(OVER, SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }

    let (mut acknowledged, mut unknown) = (0, 0);
    for event in events.lock().unwrap().iter() {
        match (event.status, event.code.as_deref()) {
            (200, None) => acknowledged += u64::from(event.kind == Kind::Count),
            (503, Some("redis_unreachable" | "redis_unavailable")) => {}
            (502, Some("outcome_unknown")) if event.kind == Kind::Count => unknown += 1,
            _ => panic!("{event:?}"),
        }
        let (began, ended) = event.phases;
        if began == ended && began % PHASES == SERVES {
            assert_eq!(event.status, 200, "{event:?}");
        } else if began == ended && began % PHASES == IS_AWAY {
            assert_eq!(event.code.as_deref(), Some("redis_unreachable"), "{event:?}");
        }
    }
    let stored: u64 = redis.run(&["HGET", "user:alice:visits", "total"]).as_str().unwrap().parse().unwrap();
    let possible = acknowledged..=acknowledged + unknown;
    assert!(possible.contains(&stored), "{stored} stored, {acknowledged} acknowledged, {unknown} unknown");
}

#[tokio::test]
async fn a_restarted_redis_is_taught_the_scripts_again() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let count =
        async || gateway.post("/redis/write").api_key().json(json!(["HINCRBY", "user:a:x", "n", 1])).send().await;
    for trips in ["1", "1"] {
        assert_eq!(count().await.header("x-redis-round-trips"), trips);
    }
    redis.restart();
    for (trips, n) in [("2", 1), ("1", 2)] {
        let answer = count().await;
        assert_eq!((answer.header("x-redis-round-trips"), &answer.ok()["results"]), (trips, &json!([n])));
    }
}
