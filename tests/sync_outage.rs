//! A sync that is cut off in its middle, wherever that is, and sent again ends as one that was not cut off; sent a third
//! time it changes nothing. Redis may be killed and started anew in between: what a script did is on disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
mod support;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use hostile::{Manner, Stranger, tcp::healthy};
use serde_json::{Value, json};
use support::{
    Answer, Gateway, NOW_MS, Redis,
    keyspace::{Keyspace, differences},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

/// Into how many parts a list is cut.
const PARTS: usize = 12;
/// How many things each list makes, changes and takes away.
const EACH: usize = 12;

/// What is there before.
fn base() -> Vec<(&'static str, Value)> {
    let users = (0..2 * EACH).map(|n| json!({"username": format!("u{n}"), "bio": "b", "created_at": NOW_MS - 9}));
    let leaving = (0..EACH).map(|n| json!({"username": format!("leaving{n}"), "role": "model"}));
    let posts =
        (0..2 * EACH).map(|n| json!({"id": format!("p{n}"), "username": format!("u{n}"), "content": "#before"}));
    let deeds = || {
        let by_users = (0..EACH).map(|n| json!({"username": format!("u{n}"), "post_id": "p0"}));
        let by_leaving = (0..EACH).map(|n| json!({"username": format!("leaving{n}"), "post_id": format!("p{n}")}));
        by_users.chain(by_leaving).collect()
    };
    let follows = (0..EACH).map(|n| json!({"follower": format!("u{n}"), "following": format!("u{}", n + EACH)}));
    vec![
        ("users", users.chain(leaving).collect()),
        ("posts", posts.collect()),
        ("follows", follows.collect()),
        ("likes", deeds()),
        ("bookmarks", deeds()),
    ]
}

/// Lists that make, change and take away, by turns.
fn lists() -> Vec<(&'static str, Value)> {
    let turns = |turn: &dyn Fn(usize) -> Vec<Value>| (0..EACH).flat_map(turn).collect::<Value>();
    let deeds = || {
        turns(&|n| {
            let (coming, going) = (format!("u{}", n + EACH), format!("u{n}"));
            vec![
                json!({"username": coming, "post_id": "p0", "created_at": 1000 + n}),
                json!({"username": going, "post_id": "p0", "deleted": true}),
            ]
        })
    };
    vec![
        (
            "users",
            turns(&|n| {
                vec![
                    json!({"username": format!("new{n}"), "role": "model"}),
                    json!({"username": format!("u{n}"), "display_name": format!("N{n}"), "role": "model", "bio": null}),
                    json!({"username": format!("leaving{n}"), "deleted": true}),
                ]
            }),
        ),
        (
            "posts",
            turns(&|n| {
                vec![
                    json!({"username": format!("new{n}"), "content": "nameless #after"}),
                    json!({"id": format!("p{n}"), "username": format!("u{n}"), "content": "#after", "created_at": NOW_MS - 5}),
                    json!({"id": format!("p{}", n + EACH), "deleted": true}),
                ]
            }),
        ),
        (
            "follows",
            turns(&|n| {
                let (follower, followed) = (format!("u{n}"), format!("u{}", n + EACH));
                vec![
                    json!({"follower": followed, "following": follower, "created_at": 1000 + n}),
                    json!({"follower": follower, "following": followed, "deleted": true}),
                ]
            }),
        ),
        ("likes", deeds()),
        ("bookmarks", deeds()),
    ]
}

/// A Redis that keeps what it was told, and a way to it that breaks after so many bytes.
struct Way {
    redis: Redis,
    stranger: Stranger,
    /// After how many bytes of a request it breaks; `usize::MAX` is never.
    breaks_after: Arc<AtomicUsize>,
    traffic: Arc<Traffic>,
}

/// What went through.
#[derive(Default)]
struct Traffic {
    /// How many connections are open.
    open: AtomicUsize,
    /// How many bytes the last request had.
    length: AtomicUsize,
}

impl Way {
    async fn start() -> Self {
        let redis = Redis::options().args(&["--appendonly", "yes", "--appendfsync", "always"]).start();
        let breaks_after = Arc::new(AtomicUsize::new(usize::MAX));
        let traffic = Arc::<Traffic>::default();
        let manner = breaks(redis.port(), Arc::clone(&breaks_after), Arc::clone(&traffic));
        let stranger = Stranger::start(manner, healthy(redis.port())).await;
        Self { redis, stranger, breaks_after, traffic }
    }

    /// A fresh isolate, which knows no scripts.
    fn gateway(&self) -> Gateway {
        let url = format!("redis://127.0.0.1:{}", self.stranger.port());
        Gateway::with(&self.redis, &[("REDIS_URL", &url)]).at(NOW_MS)
    }

    fn break_after(&self, bytes: usize) {
        self.breaks_after.store(bytes, SeqCst);
    }

    fn mend(&self) {
        self.break_after(usize::MAX);
    }

    /// How many bytes the last request had.
    async fn length(&self) -> usize {
        while self.traffic.open.load(SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        self.traffic.length.load(SeqCst)
    }

    /// Kills Redis, and starts it with what is on disk.
    fn restart_redis(&self) {
        self.redis.restart();
        self.redis.wait_until_loaded();
    }

    fn contents(&self) -> (Keyspace, BTreeSet<String>) {
        (self.redis.keyspace(), self.redis.expiring_keys())
    }

    /// Empties Redis and makes what is there before all lists, or before the n-th of them.
    async fn prepare(&self, gateway: &Gateway, n: usize) {
        self.redis.run(&["FLUSHALL"]);
        for (kind, items) in base().iter().chain(&lists()[..n]) {
            assert!(!send(gateway, kind, items).await.ok().to_string().contains("error"), "{kind}");
        }
    }
}

/// Hands on what comes; or a number of bytes, waits until Redis has done what was whole in them, and hangs up.
fn breaks(redis: u16, breaks_after: Arc<AtomicUsize>, traffic: Arc<Traffic>) -> Manner {
    Box::new(move |mut connection| {
        let (bytes, traffic) = (breaks_after.load(SeqCst), Arc::clone(&traffic));
        traffic.open.fetch_add(1, SeqCst);
        Box::pin(async move {
            let mut redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
            if bytes == usize::MAX {
                let (sent, _) = copy_bidirectional(&mut connection.stream, &mut redis).await.unwrap_or_default();
                traffic.length.store(usize::try_from(sent).unwrap(), SeqCst);
            } else {
                let request = connection.read_until(|request| request.len() >= bytes).await;
                redis.write_all(&request[..bytes]).await.unwrap();
                redis.shutdown().await.unwrap();
                let _ = redis.read_to_end(&mut Vec::new()).await;
            }
            traffic.open.fetch_sub(1, SeqCst);
        })
    })
}

async fn send(gateway: &Gateway, kind: &str, items: &Value) -> Answer {
    gateway.post(&format!("/sync/{kind}")).api_key().json(items.clone()).send().await
}

fn statuses(answer: &Answer) -> Vec<String> {
    let results = answer.ok()["results"].take();
    results.as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap().to_owned()).collect()
}

/// How many bytes the n-th list is on its way, and what it leads to.
async fn measure(way: &Way, n: usize, knows: bool) -> (usize, (Keyspace, BTreeSet<String>)) {
    let teacher = way.gateway();
    way.prepare(&teacher, n).await;
    let gateway = if knows { teacher } else { way.gateway() };
    let (kind, items) = &lists()[n];
    if knows {
        // Its scripts are known before: the one that makes from the base, the one that deletes from here.
        send(&gateway, kind, &json!([{"username": "nobody", "id": "none", "deleted": true}])).await.ok();
    }
    way.length().await;
    assert!(!send(&gateway, kind, items).await.ok().to_string().contains("error"), "{kind}");
    (way.length().await, way.contents())
}

/// Cuts the n-th list off everywhere, sends it again, and once more.
async fn cut_everywhere(n: usize, knows: bool) {
    let way = Way::start().await;
    let (length, whole) = measure(&way, n, knows).await;
    let (kind, items) = &lists()[n];
    let mut halfway = 0;
    for part in 0..=PARTS {
        let what = format!("{kind}, {part} of {PARTS} parts of {length} bytes, scripts known: {knows}");
        let teacher = way.gateway();
        way.prepare(&teacher, n).await;
        let gateway = if knows { teacher } else { way.gateway() };
        if knows {
            send(&gateway, kind, &json!([{"username": "nobody", "id": "none", "deleted": true}])).await.ok();
        }
        let before = way.contents();

        way.break_after(length * part / PARTS);
        let (status, code) = send(&gateway, kind, items).await.code();
        // Deletions are not repeated blindly; what sets what it sets is, once.
        let deletes = ["users", "posts"].contains(kind);
        let expected = if deletes { (502, "outcome_unknown") } else { (503, "redis_unreachable") };
        assert_eq!((status, code.as_str()), expected, "{what}");
        let cut = way.contents();
        halfway += usize::from(cut != before && cut != whole);
        if part % 3 == 1 {
            way.restart_redis();
            assert_eq!(differences(&way.redis.keyspace(), &cut.0), [""; 0], "{what}: after Redis was started anew");
        }

        way.mend();
        let again = statuses(&send(&gateway, kind, items).await);
        assert!(!again.iter().any(|status| status == "error"), "{what}: {again:?}");
        let (keys, expiring) = way.contents();
        assert_eq!(differences(&keys, &whole.0), [""; 0], "{what}: sent again");
        assert_eq!(expiring, whole.1, "{what}: sent again");
        let third = statuses(&send(&gateway, kind, items).await);
        assert_eq!(third, vec!["unchanged"; again.len()], "{what}");
        assert_eq!(way.contents(), whole, "{what}: sent a third time");
    }
    // What an isolate says that knows no scripts is mostly their text.
    let least = if knows { PARTS / 2 } else { 1 };
    assert!(halfway >= least, "{kind}: only {halfway} cuts were in the middle, scripts known: {knows}");
}

#[tokio::test]
async fn users() {
    cut_everywhere(0, true).await;
    cut_everywhere(0, false).await;
}

#[tokio::test]
async fn posts() {
    cut_everywhere(1, true).await;
    cut_everywhere(1, false).await;
}

#[tokio::test]
async fn follows() {
    cut_everywhere(2, true).await;
    cut_everywhere(2, false).await;
}

#[tokio::test]
async fn likes() {
    cut_everywhere(3, true).await;
    cut_everywhere(3, false).await;
}

#[tokio::test]
async fn bookmarks() {
    cut_everywhere(4, true).await;
    cut_everywhere(4, false).await;
}
