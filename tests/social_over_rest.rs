//! SPEC 6 and 8 over both backends: the same requests get the same answers, in one round trip each, and leave the same behind.
//!
//! The REST side is `@humanwhocodes/upstash-redis-server`, an implementation that shares nothing with ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "backends/rest_server.rs"]
mod rest_server;
mod support;

use std::cell::Cell;

use rest_server::RestServer;
use serde_json::{Value, json};
use support::{Answer, Gateway, NOW_MS, Redis, keyspace::differences};

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum As {
    Nobody,
    User(&'static str),
    Backend,
}

use As::{Backend, Nobody, User};

/// A gateway over TCP and one over REST, each with a Redis of its own, at the same time and with the same dice.
struct Both {
    gateways: [Gateway; 2],
    redises: [Redis; 2],
    /// How many round trips a request may take: two, when scripts were forgotten.
    most_trips: Cell<u32>,
    _rest: RestServer,
}

impl Both {
    fn start() -> Self {
        let redises = [Redis::own(), Redis::own()];
        let rest = RestServer::start(&redises[1].url());
        let url = rest.url();
        let variables =
            [("REDIS_URL", ""), ("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", RestServer::TOKEN)];
        let gateways =
            [Gateway::on(&redises[0]), Gateway::with(&redises[1], &variables)].map(|gateway| gateway.at(NOW_MS));
        for gateway in &gateways {
            gateway.host.seed_random(42);
        }
        Self { gateways, redises, most_trips: Cell::new(1), _rest: rest }
    }

    /// Sends a request to both. They must agree on status, body and round trips; gives the body, after its status.
    async fn ask(&self, who: As, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let [tcp, rest] = [&self.gateways[0], &self.gateways[1]].map(|gateway| {
            let call = gateway.call(method, path);
            let call = match who {
                Nobody => call,
                User(name) => call.user(name),
                Backend => call.api_key(),
            };
            let word = body.and_then(|body| body["content"].as_str()?.split(' ').next());
            let call = if path == "/posts" { call.header("idempotency-key", word.unwrap()) } else { call };
            if let Some(body) = body { call.json(body.clone()) } else { call }
        });
        let (tcp, rest) = (tcp.send().await, rest.send().await);
        let told = |answer: &Answer| (answer.status, answer.json(), answer.header("x-redis-round-trips").to_owned());
        assert_eq!(told(&rest), told(&tcp), "{method} {path}, REST and TCP");
        let trips: u32 = tcp.header("x-redis-round-trips").parse().unwrap();
        assert!(trips <= self.most_trips.get(), "{method} {path}: {trips} round trips");
        (tcp.status, tcp.json())
    }

    /// The body of an answer that succeeded, in one round trip.
    async fn done(&self, who: As, method: &str, path: &str, body: Value) -> Value {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = self.ask(who, method, path, body.as_ref()).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    async fn get(&self, who: As, path: &str) -> Value {
        self.done(who, "GET", path, Value::Null).await
    }

    /// The code of a refusal.
    async fn refused(&self, who: As, method: &str, path: &str) -> (u16, String) {
        let (status, answer) = self.ask(who, method, path, None).await;
        (status, answer["code"].as_str().unwrap().to_owned())
    }

    async fn sync(&self, kind: &str, items: Value) -> Vec<String> {
        let answer = self.done(Backend, "POST", &format!("/sync/{kind}"), items).await;
        let results = answer["results"].as_array().unwrap().iter();
        results.map(|result| result["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Users, a few posts of each kind, and what they do with each other.
    async fn populate(&self) -> [String; 3] {
        let users = json!([{"username": "alice", "role": "model", "display_name": "Alice \"Ü\" 😀", "email": "a@example.com"},
            {"username": "bob", "avatar": "b.png"}, {"username": "carol", "nothing": null}]);
        assert_eq!(self.sync("users", users).await, ["created"; 3]);
        let mut ids = Vec::new();
        for (author, body) in [
            ("alice", json!({"content": "one #rust\r\n\"x\" 😀", "media_url": "https://example.com/m.png"})),
            ("alice", json!({"content": "two #rust #edge"})),
            ("bob", json!({"content": "three", "hashtags": ["#rust"]})),
        ] {
            let made = self.done(User(author), "POST", "/posts", body.clone()).await;
            let again = self.done(User(author), "POST", "/posts", body).await;
            assert_eq!(made, again, "an Idempotency-Key");
            ids.push(made["post"]["id"].as_str().unwrap().to_owned());
        }
        for (name, path) in
            [("bob", "/users/alice/follow"), ("carol", "/users/alice/follow"), ("carol", "/users/bob/follow")]
        {
            assert_eq!(self.done(User(name), "POST", path, Value::Null).await["changed"], true);
            assert_eq!(self.done(User(name), "POST", path, Value::Null).await["changed"], false);
        }
        for name in ["bob", "carol"] {
            for what in ["like", "bookmark"] {
                self.done(User(name), "POST", &format!("/posts/{}/{what}", ids[0]), Value::Null).await;
            }
            self.done(User(name), "POST", &format!("/posts/{}/view", ids[1]), Value::Null).await;
        }
        let comment = json!({"content": "well,\nthen 😀"});
        for _ in 0..3 {
            self.done(User("bob"), "POST", &format!("/posts/{}/comments", ids[0]), comment.clone()).await;
        }
        ids.try_into().unwrap()
    }

    /// Everything that can be looked at. Lists of posts are gone through to their end.
    async fn look(&self, ids: &[String; 3]) {
        let me = User("carol");
        for path in ["/users/me", "/users/alice", "/users/alice/followers?limit=1", "/users/me/following"] {
            self.get(me, path).await;
        }
        for id in ids {
            self.get(me, &format!("/posts/{id}")).await;
        }
        self.get(me, &format!("/posts/{}/comments?limit=2", ids[0])).await;
        for feed in [
            "/feed/explore",
            "/feed/following",
            "/feed/hashtag/rust",
            "/feed/hashtag/rust/ranked",
            "/feed/hashtag/nothing/ranked",
            "/users/alice/posts",
            "/users/me/liked",
            "/users/me/bookmarked",
        ] {
            let (mut cursor, mut count) = (String::new(), 0);
            loop {
                let page = self.get(me, &format!("{feed}?limit=1{cursor}")).await;
                count += page["posts"].as_array().unwrap().len();
                let Some(next) = page["pagination"]["nextCursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(count > 0, !feed.contains("nothing"), "{feed}");
        }
        assert!(!self.get(Nobody, "/feed/explore?includeUser=false").await["posts"].as_array().unwrap().is_empty());
        for path in [
            "/search/users/newest?role=user",
            "/search/users/newest?role=model&limit=1",
            "/search/models/top",
            "/search/hashtags/top-posts?hashtags=rust,edge,nothing",
        ] {
            self.get(me, path).await;
        }
        assert_eq!(self.get(Backend, "/sync/stats").await, json!({"users": 2, "models": 1, "posts": 3}));
    }

    fn leave_the_same(&self) {
        let [tcp, rest] = [&self.redises[0], &self.redises[1]].map(|redis| (redis.keyspace(), redis.expiring_keys()));
        assert_eq!(differences(&rest.0, &tcp.0), [""; 0], "REST and TCP");
        assert_eq!(rest.1, tcp.1);
    }
}

#[tokio::test]
async fn what_is_read_is_the_same_by_text_by_hash_and_when_it_was_forgotten() {
    let both = Both::start();
    let ids = both.populate().await;
    both.look(&ids).await;
    both.look(&ids).await;
    let ghost = "/posts/00000000-0000-0000-0000-000000000000";
    assert_eq!(both.refused(User("carol"), "GET", ghost).await, (404, "post_not_found".into()));
    assert_eq!(both.refused(User("carol"), "GET", "/users/nobody").await, (404, "user_not_found".into()));
    assert_eq!(both.refused(User("ghost"), "GET", "/users/me").await, (404, "user_not_found".into()));
    both.leave_the_same();
    // A server that was started anew knows no scripts: both say so in their own words, and are taught again.
    for redis in &both.redises {
        redis.run(&["SCRIPT", "FLUSH"]);
    }
    both.most_trips.set(2);
    both.look(&ids).await;
    both.leave_the_same();
}

#[tokio::test]
async fn what_is_written_is_the_same() {
    let both = Both::start();
    let [first, second, _] = both.populate().await;
    let post = |part: &str| format!("/posts/{first}{part}");
    let patch = json!({"display_name": "New", "avatar": null, "karma": 12345678901234567890_u64});
    both.done(Backend, "PATCH", "/users/alice", patch).await;
    both.done(Backend, "PUT", "/users/dave", json!({"bio": "b"})).await;
    both.done(Backend, "PUT", "/users/dave", json!({"city": "Bern"})).await;
    for path in [post("/like"), post("/bookmark"), "/users/alice/follow".to_owned()] {
        assert_eq!(both.done(User("bob"), "DELETE", &path, Value::Null).await["changed"], true);
        assert_eq!(both.done(User("bob"), "DELETE", &path, Value::Null).await["changed"], false);
    }
    let comments = both.get(User("bob"), &post("/comments")).await;
    let comment = comments["comments"][1]["id"].as_str().unwrap();
    both.done(User("bob"), "DELETE", &format!("/comments/{comment}"), Value::Null).await;
    assert_eq!(both.refused(User("bob"), "DELETE", &post("")).await, (403, "forbidden".into()));
    assert_eq!(both.refused(User("bob"), "PATCH", &post("/ban")).await, (403, "admin_only".into()));
    both.done(Backend, "PATCH", &post("/ban"), Value::Null).await;
    assert_eq!(both.refused(User("bob"), "GET", &post("")).await, (404, "post_not_found".into()));
    assert_eq!(both.refused(User("alice"), "POST", &post("/like")).await, (409, "conflict".into()));
    assert_eq!(both.get(User("alice"), &post("")).await["post"]["banned"], "true");
    both.leave_the_same();
    both.done(Backend, "DELETE", &post("/ban"), Value::Null).await;
    both.done(User("alice"), "DELETE", &format!("/posts/{second}"), Value::Null).await;
    both.leave_the_same();
    both.done(User("bob"), "DELETE", "/users/me", Value::Null).await;
    assert_eq!(both.refused(User("bob"), "POST", &post("/like")).await, (404, "user_not_found".into()));
    both.leave_the_same();
}

#[tokio::test]
async fn what_a_backend_syncs_is_the_same() {
    let both = Both::start();
    let users = || (0..1000).map(|n| json!({"username": format!("u{n}"), "bio": format!("ü {n}")})).collect::<Value>();
    let follows = || (1..1000).map(|n| json!({"follower": format!("u{n}"), "following": "u0"})).collect::<Value>();
    let posts = || (0..20).map(|n| json!({"username": "u0", "content": format!("#t {n}")})).collect::<Value>();
    for expected in ["created", "unchanged"] {
        assert_eq!(both.sync("users", users()).await, vec![expected; 1000]);
        assert_eq!(both.sync("follows", follows()).await, vec![expected; 999]);
        assert_eq!(both.sync("posts", posts()).await, vec![expected; 20]);
    }
    let bad = json!([{"username": "u0", "role": "king"}, {"username": "u0", "bio": null}, {"username": "u1", "deleted": true}]);
    assert_eq!(both.sync("users", bad).await, ["error", "updated", "deleted"]);
    let event = json!({"username": "u2", "bio": "by webhook"});
    assert_eq!(both.done(Backend, "POST", "/webhooks/user-update", event.clone()).await["changed"], true);
    assert_eq!(both.done(Backend, "POST", "/webhooks/user-update", event).await["changed"], false);
    both.leave_the_same();
}

#[tokio::test]
async fn what_is_done_in_steps_and_what_is_compared_is_the_same() {
    let both = Both::start();
    let users: Value = (0..800).map(|n| json!({"username": format!("u{n}")})).collect();
    let follows: Value = (1..800).map(|n| json!({"follower": format!("u{n}"), "following": "u0"})).collect();
    both.sync("users", users).await;
    both.sync("follows", follows).await;
    let (status, answer) = both.ask(Backend, "DELETE", "/users/u0", None).await;
    assert_eq!((status, &answer["message"]), (202, &json!("User is being deleted")));
    for gateway in &both.gateways {
        gateway.finish_jobs().await;
    }
    both.leave_the_same();
    for redis in &both.redises {
        assert!(!redis.keyspace().keys().any(|key| key == "user:u0" || key.starts_with("user:u0:")));
        redis.run(&["HSET", "user:u7", "followingCount", "9"]);
    }
    // The order of keys differs from server to server, so does where a slice ends.
    for gateway in &both.gateways {
        let (mut cursor, mut found) = (json!("0"), Vec::new());
        while !cursor.is_null() {
            let body = json!({"mode": "mend", "cursor": cursor});
            let answer = gateway.post("/admin/reconcile").api_key().json(body).send().await.ok();
            found.extend(answer["differences"].as_array().unwrap().iter().cloned());
            cursor = answer["cursor"].clone();
        }
        let difference = json!({"key": "user:u7", "field": "followingCount", "stored": "9", "counted": "0"});
        assert_eq!(found, [difference]);
        assert_eq!(gateway.tick().await, Ok(()));
    }
}
