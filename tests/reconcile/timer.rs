//! The cron trigger: pending jobs, and then some slices of the comparison, from where it ended last.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    crowd, run, send,
    social::World,
    support::{API_KEY, Gateway, JWT_SECRET, NOW_MS, Redis, keyspace::differences},
};

/// A gateway whose timer does this about differences; `""` is what it does by itself.
fn timed(redis: &Redis, mode: &str) -> Gateway {
    Gateway::with(redis, &[("RECONCILE", mode), ("WEBHOOK_SECRET", "a secret for tests: 0123456789abcdef")]).at(NOW_MS)
}

/// One user whose follower nobody is.
async fn scene() -> World {
    let world = World::own().at(NOW_MS);
    world.make("alice", json!({"email": "alice@example.com"})).await;
    world.redis.run(&["HSET", "user:alice", "followerCount", "5"]);
    world
}

#[tokio::test]
async fn off_does_not_look() {
    let world = scene().await;
    let before = world.redis.keyspace();
    let gateway = timed(&world.redis, "off");
    gateway.tick().await.unwrap();
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0]);
    assert_eq!(gateway.log(), [Value::Null; 0]);
}

#[tokio::test]
async fn report_is_the_default_and_logs_one_line_a_tick() {
    for mode in ["", "report"] {
        let world = scene().await;
        let before = world.redis.keyspace();
        let gateway = timed(&world.redis, mode);
        gateway.tick().await.unwrap();
        let line = json!({
            "level": "warn", "reconcile": "report", "checked": 1, "differences": 1,
            "first": {"key": "user:alice", "field": "followerCount", "stored": "5", "counted": "0"},
        });
        assert_eq!(gateway.log(), std::slice::from_ref(&line), "{mode:?}");
        // Where it ended is all that it keeps.
        let changes = differences(&world.redis.keyspace(), &before);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(changes[0].starts_with("reconcile:cursor: is there"), "{changes:?}");
        gateway.tick().await.unwrap();
        assert_eq!(gateway.log(), [line.clone(), line], "{mode:?}");
    }
}

#[tokio::test]
async fn mend_mends_and_says_so_once() {
    let world = scene().await;
    let gateway = timed(&world.redis, "mend");
    gateway.tick().await.unwrap();
    assert_eq!(world.field("user:alice", "followerCount"), "0");
    let log = gateway.log();
    assert_eq!((log.len(), &log[0]["reconcile"], &log[0]["differences"]), (1, &json!("mend"), &json!(1)));
    gateway.tick().await.unwrap();
    assert_eq!(gateway.log().len(), 1);
    assert_eq!(run(&gateway, "report").await, BTreeSet::new());
}

#[tokio::test]
async fn a_line_of_the_log_holds_no_secret() {
    let world = scene().await;
    world.redis.run(&["HSET", "user:alice", "password", "hush-5up3rs3cr3t", "postCount", "x"]);
    for mode in ["report", "mend"] {
        let gateway = timed(&world.redis, mode);
        gateway.tick().await.unwrap();
        let lines = gateway.host.lines().join("\n");
        assert!(!lines.is_empty(), "{mode}");
        let port = world.redis.port().to_string();
        for secret in [API_KEY, JWT_SECRET, "a secret for tests", "hush", "example.com", "127.0.0.1", &port] {
            assert!(!lines.contains(secret), "{secret} in {lines}");
        }
        world.redis.run(&["HSET", "user:alice", "followerCount", "5"]);
    }
}

#[tokio::test]
async fn log_level_decides_on_that_line_too() {
    let world = scene().await;
    for (level, lines) in [("debug", 1), ("info", 1), ("warn", 1), ("error", 0), ("off", 0)] {
        let gateway = Gateway::with(&world.redis, &[("LOG_LEVEL", level)]);
        gateway.tick().await.unwrap();
        assert_eq!(gateway.host.lines().len(), lines, "{level}");
    }
}

#[tokio::test]
async fn each_tick_goes_on_where_the_last_one_ended() {
    let world = World::own().at(NOW_MS);
    let (seed, wrong) = crowd();
    seed.fill(&world.redis);
    for [key, ..] in &wrong {
        world.redis.run(&["HSET", key, "followerCount", "1"]);
    }
    let (mut ticks, mut mended) = (0, 0);
    loop {
        // Each tick may be another isolate's.
        let gateway = timed(&world.redis, "mend");
        gateway.tick().await.unwrap();
        ticks += 1;
        mended += gateway.log().iter().map(|line| line["differences"].as_u64().unwrap()).sum::<u64>();
        assert!(ticks < 100, "it does not come to an end");
        if world.redis.run(&["GET", "reconcile:cursor"]) == "0" {
            break;
        }
        // Who asks meanwhile has a cursor of their own.
        send(&world.gateway, json!({"mode": "report"})).await.ok();
    }
    assert!(ticks > 1, "one tick went through all of it");
    assert_eq!(mended, u64::try_from(wrong.len()).unwrap());
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
    // From the end it begins anew.
    world.redis.run(&["HSET", "user:u7", "postCount", "9"]);
    for _ in 0..ticks {
        timed(&world.redis, "mend").tick().await.unwrap();
    }
    assert_eq!(world.field("user:u7", "postCount"), "0");
}

#[tokio::test]
async fn a_tick_carries_jobs_on_to_their_end_whatever_reconcile_says() {
    for mode in ["off", "report", "mend"] {
        let world = World::own().at(NOW_MS);
        let (mut users, _) = crowd();
        for n in 0..3000 {
            users.follow(&format!("u{n}"), "u3999");
        }
        users.fill(&world.redis);
        let item = json!([{"username": "u3999", "deleted": true}]);
        let answer = world.post("/sync/users").api_key().json(item).send().await;
        assert_eq!(answer.ok()["results"], json!([{"status": "deleted"}]));
        assert!(world.exists("jobs:pending") && world.exists("user:u3999:followers"));
        timed(&world.redis, mode).tick().await.unwrap();
        let keys = world.redis.keyspace();
        let left: Vec<_> = keys.keys().filter(|key| key.starts_with("user:u3999") || key.contains("job")).collect();
        assert!(left.is_empty(), "{mode}: {left:?}");
        assert_eq!(world.field("user:u7", "followingCount"), "0", "{mode}");
    }
}

#[tokio::test]
async fn a_tick_without_redis_fails_and_the_next_one_goes_on() {
    let world = scene().await;
    let gateway = timed(&world.redis, "mend");
    world.redis.stop();
    assert_eq!(gateway.tick().await, Err("redis_unreachable"));
    world.redis.restart();
    assert_eq!(gateway.tick().await, Ok(()));
}

#[tokio::test]
async fn a_gateway_that_is_misconfigured_ticks_in_vain() {
    assert_eq!(Gateway::new(&[]).tick().await, Ok(()));
    let world = World::with(&[("RECONCILE", "sometimes")]);
    let answer = world.get("/users/me").api_key().send().await;
    assert_eq!(answer.code(), (500, "misconfigured".into()));
    assert!(answer.text().contains("RECONCILE: must be report, mend or off"), "{}", answer.text());
}
