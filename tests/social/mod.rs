//! A small world for the tests of the REST routes: users, posts and what they do with each other, each of it over its
//! own route, so that a test says only what it is about.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod large;
pub mod seed;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Answer, Call, Gateway, Redis, token, unique};

/// A gateway and its Redis.
pub struct World {
    /// The Redis behind.
    pub redis: Arc<Redis>,
    /// The gateway in front.
    pub gateway: Gateway,
}

/// Credentials beside those of [`Call`].
pub trait Credentials {
    /// With a good token of role `admin`.
    fn admin(self, username: &str) -> Self;
    /// With the API key, in a user's name.
    fn acting_as(self, username: &str) -> Self;
}

impl Credentials for Call {
    fn admin(self, username: &str) -> Self {
        self.bearer(&token::of(username, "admin"))
    }

    fn acting_as(self, username: &str) -> Self {
        self.api_key().header("x-act-as", username)
    }
}

impl World {
    /// On the Redis that the tests of one binary share.
    pub fn shared() -> Self {
        Self::with(&[])
    }

    /// On that Redis, with these variables on top of the usual ones.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let redis = Redis::shared();
        Self { gateway: Gateway::with(&redis, variables), redis }
    }

    /// On an empty Redis of its own.
    pub fn own() -> Self {
        let redis = Arc::new(Redis::own());
        Self { gateway: Gateway::on(&redis), redis }
    }

    /// Stops the clock at a time, in milliseconds.
    pub fn at(self, now_ms: u64) -> Self {
        self.set_ms(now_ms);
        self
    }

    /// Sets the clock, and stops it there.
    pub fn set_ms(&self, now_ms: u64) {
        self.gateway.host.set_ms(now_ms);
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.gateway.get(path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Call {
        self.gateway.post(path)
    }

    /// `PUT`.
    pub fn put(&self, path: &str) -> Call {
        self.gateway.call("PUT", path)
    }

    /// `PATCH`.
    pub fn patch(&self, path: &str) -> Call {
        self.gateway.call("PATCH", path)
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Call {
        self.gateway.call("DELETE", path)
    }

    /// A new user with these fields.
    pub async fn person(&self, stem: &str, fields: Value) -> String {
        let name = unique(stem);
        self.make(&name, fields).await;
        name
    }

    /// The same with a name of the test's choice.
    pub async fn make(&self, name: &str, fields: Value) {
        let answer = self.put(&format!("/users/{name}")).api_key().json(fields).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// A new user.
    pub async fn user(&self, stem: &str) -> String {
        self.person(stem, json!({})).await
    }

    /// A new user whose stored role is `model`.
    pub async fn model(&self, stem: &str) -> String {
        self.person(stem, json!({"role": "model"})).await
    }

    /// A new user whose stored role is `admin`.
    pub async fn stored_admin(&self, stem: &str) -> String {
        self.person(stem, json!({"role": "admin"})).await
    }

    /// Makes a post and gives it as it was answered.
    pub async fn draft(&self, author: &str, body: Value) -> Value {
        let answer = self.post("/posts").user(author).json(body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["post"].take()
    }

    /// Makes a post and gives its id.
    pub async fn write(&self, author: &str, content: &str) -> String {
        id_of(&self.draft(author, json!({"content": content})).await)
    }

    /// A call as a user that must succeed; gives its body.
    pub async fn does(&self, username: &str, method: &str, path: &str) -> Value {
        let answer = self.gateway.call(method, path).user(username).send().await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        answer.json()
    }

    /// A user likes a post.
    pub async fn like(&self, username: &str, post: &str) -> Value {
        self.does(username, "POST", &format!("/posts/{post}/like")).await
    }

    /// A user bookmarks a post.
    pub async fn bookmark(&self, username: &str, post: &str) -> Value {
        self.does(username, "POST", &format!("/posts/{post}/bookmark")).await
    }

    /// A user follows another.
    pub async fn follow(&self, follower: &str, followed: &str) -> Value {
        self.does(follower, "POST", &format!("/users/{followed}/follow")).await
    }

    /// A user comments on a post; gives the comment's id.
    pub async fn comment(&self, username: &str, post: &str, content: &str) -> String {
        let call = self.post(&format!("/posts/{post}/comments")).user(username);
        let answer = call.json(json!({"content": content})).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        id_of(&answer.json()["comment"])
    }

    /// The API key bans a post.
    pub async fn ban(&self, post: &str) -> Value {
        self.patch(&format!("/posts/{post}/ban")).api_key().send().await.ok()
    }

    /// The API key lifts a ban.
    pub async fn lift(&self, post: &str) -> Value {
        self.delete(&format!("/posts/{post}/ban")).api_key().send().await.ok()
    }

    /// What a user gets at a path.
    pub async fn see(&self, viewer: &str, path: &str) -> Value {
        self.does(viewer, "GET", path).await
    }

    /// A post as someone sees it.
    pub async fn post_seen_by(&self, viewer: &str, post: &str) -> Value {
        self.see(viewer, &format!("/posts/{post}")).await["post"].take()
    }

    /// A user as someone sees them.
    pub async fn user_seen_by(&self, viewer: &str, username: &str) -> Value {
        self.see(viewer, &format!("/users/{username}")).await["user"].take()
    }

    /// The ids of the posts of a feed.
    pub async fn ids(&self, viewer: &str, path: &str) -> Vec<String> {
        ids_of(&self.see(viewer, path).await)
    }

    /// The names of the users of a list.
    pub async fn names(&self, viewer: &str, path: &str) -> Vec<String> {
        texts(&self.see(viewer, path).await["users"], "/username")
    }

    /// A field of a hash; `null` if it is absent.
    pub fn field(&self, key: &str, field: &str) -> Value {
        self.redis.run(&["HGET", key, field])
    }

    /// The score of a member of a sorted set, as Redis writes it; `null` if it is no member.
    pub fn score(&self, key: &str, member: &str) -> Value {
        self.redis.run(&["ZSCORE", key, member])
    }

    /// Whether there is such a key.
    pub fn exists(&self, key: &str) -> bool {
        self.redis.run(&["EXISTS", key]) == 1
    }
}

/// Numbers that look like chance, the same each time.
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0, below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A hashtag that no other test of this binary uses.
pub fn unique_tag(stem: &str) -> String {
    unique(stem).replace('-', "_")
}

/// The `id` of a post or a comment.
pub fn id_of(item: &Value) -> String {
    item["id"].as_str().expect("an item has an id").to_owned()
}

/// The ids of the posts of a feed.
pub fn ids_of(feed: &Value) -> Vec<String> {
    texts(&feed["posts"], "/post/id")
}

/// The text at a JSON pointer of each item.
pub fn texts(items: &Value, pointer: &str) -> Vec<String> {
    let items = items.as_array().expect("a list").iter();
    items.map(|item| item.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()).collect()
}

/// An answer whose body must be JSON, with its status.
pub fn status_and_body(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json())
}

/// Status, code and sentence of a refusal.
pub fn whole_refusal(answer: &Answer) -> (u16, String, String) {
    let ((status, code), (_, sentence)) = (answer.code(), answer.refusal());
    (status, code, sentence)
}

/// What can be asked of a post, by its path behind `/posts/:id`.
pub const OF_POSTS: [(&str, &str); 11] = [
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/like"),
    ("DELETE", "/like"),
    ("POST", "/bookmark"),
    ("DELETE", "/bookmark"),
    ("POST", "/view"),
    ("GET", "/comments"),
    ("POST", "/comments"),
    ("PATCH", "/ban"),
    ("DELETE", "/ban"),
];
