//! SPEC 1 and 6: an API key with `X-Act-As` makes a call exactly as that user: the same answers and the same data as with
//! the user's token.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, id_of};
use support::{Answer, Call, NOW_MS};

/// A world with the ids that it made, in their order.
struct Twin {
    world: World,
    sign: fn(Call, &str) -> Call,
    ids: Vec<String>,
    answers: Vec<String>,
}

impl Twin {
    async fn new(sign: fn(Call, &str) -> Call) -> Self {
        let world = World::own().at(NOW_MS);
        for (name, role) in [("alice", "user"), ("mia", "model"), ("boss", "admin")] {
            world.make(name, json!({"role": role, "email": "e", "display_name": name})).await;
        }
        Self { world, sign, ids: Vec::new(), answers: Vec::new() }
    }

    /// Sends a call as a user; `{n}` in the path is the n-th id.
    async fn send(&mut self, name: &str, method: &str, path: &str, body: Value) {
        let segments = path.split('/').map(|segment| match segment.parse::<usize>() {
            Ok(number) => self.ids[number].clone(),
            Err(_) => segment.to_owned(),
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let call = self.world.gateway.call(method, &path).header("x-request-id", "r").json(body);
        let answer = (self.sign)(call, name).send().await;
        self.note(&answer);
    }

    fn note(&mut self, answer: &Answer) {
        let json = answer.json();
        for kind in ["post", "comment"] {
            if answer.status == 201 && json.get(kind).is_some() {
                self.ids.push(id_of(&json[kind]));
            }
        }
        self.answers.push(format!("{} {}", answer.status, self.without_ids(answer.text())));
    }

    fn without_ids(&self, text: &str) -> String {
        self.ids.iter().enumerate().fold(text.to_owned(), |text, (number, id)| text.replace(id, &format!("<{number}>")))
    }

    /// All that Redis holds.
    fn keyspace(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .world
            .redis
            .keyspace()
            .iter()
            .map(|(key, value)| self.without_ids(&format!("{key}: {value:?}")))
            .collect();
        lines.sort();
        lines
    }
}

/// A day in the life of users: who, method, path, body.
fn story() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let nothing = || json!({});
    vec![
        ("alice", "POST", "/posts", json!({"content": "#one", "hashtags": ["two"]})),
        ("mia", "POST", "/posts", json!({"content": "#one", "media_url": "https://example.com/a.png"})),
        ("alice", "POST", "/posts/1/like", nothing()),
        ("alice", "POST", "/posts/1/bookmark", nothing()),
        ("alice", "POST", "/posts/1/comments", json!({"content": "c"})),
        ("mia", "POST", "/posts/0/like", nothing()),
        ("mia", "DELETE", "/posts/0/like", nothing()),
        ("mia", "POST", "/posts/0/view", nothing()),
        ("alice", "POST", "/users/mia/follow", nothing()),
        ("alice", "POST", "/users/mia/follow", nothing()),
        ("alice", "POST", "/users/me/follow", nothing()),
        ("mia", "POST", "/users/alice/follow", nothing()),
        ("mia", "DELETE", "/users/alice/follow", nothing()),
        ("alice", "PATCH", "/users/me", json!({"bio": "b", "display_name": "Al"})),
        ("alice", "PATCH", "/users/me", json!({"role": "admin"})),
        ("alice", "PATCH", "/users/mia", json!({"bio": "b"})),
        ("alice", "PUT", "/users/alice", nothing()),
        ("alice", "GET", "/users/me", nothing()),
        ("alice", "GET", "/users/mia", nothing()),
        ("alice", "GET", "/users/me/liked", nothing()),
        ("alice", "GET", "/users/mia/liked", nothing()),
        ("alice", "GET", "/users/me/bookmarked", nothing()),
        ("alice", "GET", "/users/mia/followers", nothing()),
        ("alice", "GET", "/feed/following", nothing()),
        ("alice", "GET", "/feed/explore", nothing()),
        ("alice", "GET", "/posts/1/comments", nothing()),
        ("mia", "DELETE", "/comments/2", nothing()),
        ("mia", "DELETE", "/posts/0", nothing()),
        ("mia", "PATCH", "/posts/0/ban", nothing()),
        ("boss", "PATCH", "/posts/0/ban", nothing()),
        ("boss", "GET", "/posts/0", nothing()),
        ("alice", "GET", "/posts/0", nothing()),
        ("mia", "GET", "/posts/0", nothing()),
        ("alice", "POST", "/posts/0/like", nothing()),
        ("boss", "PATCH", "/users/mia", json!({"role": "user"})),
        ("boss", "PUT", "/users/new", json!({"bio": "n"})),
        ("mia", "DELETE", "/users/me", nothing()),
        ("mia", "POST", "/posts", json!({"content": "after"})),
        ("boss", "DELETE", "/posts/0/ban", nothing()),
        ("boss", "DELETE", "/posts/0", nothing()),
    ]
}

#[tokio::test]
async fn a_key_that_acts_as_a_user_does_what_the_users_token_does() {
    let with_tokens = |call: Call, name: &str| if name == "boss" { call.admin(name) } else { call.user(name) };
    let mut tokens = Twin::new(with_tokens).await;
    let mut acting = Twin::new(|call, name| call.acting_as(name)).await;
    for (at, (name, method, path, body)) in (0..).zip(story()) {
        for twin in [&mut tokens, &mut acting] {
            // A time of its own for each step, so that nothing depends on how ids compare.
            twin.world.set_ms(NOW_MS + at);
            twin.send(name, method, path, body.clone()).await;
        }
        assert_eq!(acting.answers.last(), tokens.answers.last(), "{name} {method} {path}");
        assert_eq!(acting.keyspace(), tokens.keyspace(), "{name} {method} {path}");
    }
    let refused = tokens.answers.iter().filter(|answer| answer.starts_with('4')).count();
    assert_eq!((refused, tokens.answers.len()), (10, 40));
}

#[tokio::test]
async fn xano_sync_and_what_is_no_username_cannot_be_acted_as() {
    let world = World::own();
    for name in ["xano_sync", "me", "AUTH", "a:b", "", "..", "ä"] {
        let answer = world.post("/posts").acting_as(name).json(json!({"content": "x"})).send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{name}");
    }
    assert!(world.redis.keyspace().is_empty());
}
