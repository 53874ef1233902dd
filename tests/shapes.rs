//! SPEC 6 as an index: every route with the shape of its answer, name by name and type by type; and that each of them
//! costs one round trip, on an isolate and a Redis that have never seen its script too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "shapes/index.rs"]
mod index;
mod social;
mod support;

use std::collections::BTreeSet;

use index::{Row, Who, index};
use serde_json::{Map, Value, json};
use social::{Credentials as _, World};
use support::{Answer, Call, Gateway};

/// The type of every value in the place of the value; of the items of a list each type once.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(number) if number.is_i64() => "integer".into(),
        Value::Number(_) => "fraction".into(),
        Value::String(_) => "text".into(),
        Value::Array(items) => {
            let mut shapes: Vec<Value> = Vec::new();
            for item in items.iter().map(shape) {
                if !shapes.contains(&item) {
                    shapes.push(item);
                }
            }
            shapes.into()
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect::<Map<_, _>>().into()
        }
    }
}

/// A Redis in which every list has something.
struct Stage {
    world: World,
    post: String,
    banned: String,
    comment: String,
}

impl Stage {
    async fn set() -> Self {
        let world = World::own();
        for (name, role) in [("alice", "user"), ("mia", "model")] {
            let fields = json!({"role": role, "display_name": "N", "avatar": "a", "bio": "b", "email": "e"});
            world.make(name, fields).await;
        }
        let other = world.write("alice", "#other").await;
        let post = world.write("mia", "#one").await;
        let banned = world.write("mia", "#one").await;
        world.ban(&banned).await;
        world.follow("alice", "mia").await;
        world.follow("mia", "alice").await;
        world.like("alice", &post).await;
        world.bookmark("alice", &post).await;
        world.bookmark("mia", &other).await;
        let comment = world.comment("alice", &post, "c").await;
        Self { world, post, banned, comment }
    }

    fn path(&self, pattern: &str) -> String {
        let place = |segment: &str| match segment {
            "P" => self.post.clone(),
            "B" => self.banned.clone(),
            "C" => self.comment.clone(),
            other => other.to_owned(),
        };
        pattern.split('/').map(place).collect::<Vec<_>>().join("/")
    }
}

impl Row {
    fn call(&self, gateway: &Gateway, path: &str) -> Call {
        let call = gateway.call(self.route.split(' ').next().unwrap(), path);
        if self.body.is_null() { call } else { call.json(self.body.clone()) }
    }

    fn signed(&self, gateway: &Gateway, path: &str) -> Call {
        let call = self.call(gateway, path);
        match self.who {
            Who::Alice => call.user("alice"),
            Who::Mia => call.user("mia"),
            Who::Key => call.api_key(),
        }
    }
}

fn assert_head(answer: &Answer, row: &Row, trips: &str) {
    assert_eq!(answer.header("x-redis-round-trips"), trips, "{} {}: {}", row.route, row.path, answer.text());
    assert_eq!(answer.header("content-type"), "application/json", "{}", row.route);
    assert_eq!(answer.header("cache-control"), "no-store", "{}", row.route);
    assert!(!answer.header("x-request-id").is_empty(), "{}", row.route);
}

#[tokio::test]
async fn every_route_answers_in_its_shape_after_one_round_trip() {
    for row in index() {
        let stage = Stage::set().await;
        // Neither this isolate nor this server has seen a script.
        stage.world.redis.run(&["SCRIPT", "FLUSH"]);
        let gateway = Gateway::on(&stage.world.redis);
        let path = stage.path(row.path);
        for attempt in ["first", "second"] {
            let answer = row.signed(&gateway, &path).send().await;
            if attempt == "first" {
                assert_eq!(answer.status, row.status, "{} {path}: {}", row.route, answer.text());
                assert_eq!(shape(&answer.json()), row.shape, "{} {path}", row.route);
            }
            assert_head(&answer, &row, "1");
        }
    }
}

#[tokio::test]
async fn every_route_costs_one_round_trip_the_first_time_on_an_empty_redis() {
    let world = World::own();
    for row in index() {
        world.redis.run(&["FLUSHALL"]);
        world.redis.run(&["SCRIPT", "FLUSH"]);
        let answer = row.signed(&Gateway::on(&world.redis), row.path).send().await;
        assert!(matches!(answer.status, 200 | 201 | 404), "{}: {}", row.route, answer.text());
        assert_head(&answer, &row, "1");
    }
}

/// What is told in development only is told in development only.
#[tokio::test]
async fn elsewhere_round_trips_are_not_told() {
    let world = World::with(&[("ENVIRONMENT", "production")]);
    let answer = world.get("/feed/explore").send().await;
    assert_eq!((answer.status, answer.headers.get("x-redis-round-trips")), (200, None));
}

/// The lines of the route table that are about section 6: `METHOD /path`.
fn route_table() -> BTreeSet<String> {
    let prefixes = ["/users", "/posts", "/comments", "/feed", "/search"];
    let source = include_str!("../src/app.rs");
    let lines = source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split_once('"'));
    let ours = lines.filter(|(path, _)| prefixes.iter().any(|prefix| path.starts_with(prefix)));
    let methods = |rest: &str| {
        let names = ["get", "post", "put", "patch", "delete"];
        let called = |name: &&str| {
            rest.match_indices(&format!("{name}(")).any(|(at, _)| !rest[..at].ends_with(|c: char| c.is_alphanumeric()))
        };
        names.into_iter().filter(called).map(str::to_uppercase).collect::<Vec<_>>()
    };
    ours.flat_map(|(path, rest)| methods(rest).into_iter().map(move |method| format!("{method} {path}"))).collect()
}

#[test]
fn the_index_knows_every_route() {
    let routes: BTreeSet<String> = index().iter().map(|row| row.route.to_owned()).collect();
    assert_eq!(routes, route_table());
    assert_eq!(routes.len(), 31);
}

#[tokio::test]
async fn another_method_is_405_with_those_that_there_are() {
    let world = World::shared();
    for row in index() {
        let answer = row.call(&world.gateway, row.path).send().await;
        assert_ne!(answer.status, 405, "{}", row.route);
        let pattern = row.route.split(' ').nth(1).unwrap();
        let same_path = |other: &&Row| other.route.split(' ').nth(1) == Some(pattern);
        let mut expected: BTreeSet<String> =
            index().iter().filter(same_path).map(|row| row.route.split(' ').next().unwrap().to_owned()).collect();
        if expected.contains("GET") {
            expected.insert("HEAD".to_owned());
        }
        let other = world.gateway.call("TRACE", row.path).api_key().send().await;
        assert_eq!(other.code(), (405, "method_not_allowed".into()), "{}", row.route);
        let allowed: BTreeSet<String> = other.header("allow").split(',').map(|name| name.trim().to_owned()).collect();
        assert_eq!(allowed, expected, "{}", row.route);
    }
}

#[tokio::test]
async fn without_credentials_or_scope_no_route_touches_redis() {
    let keys = json!([{"name": "n", "key": "n", "scopes": ["proxy", "sync", "act-as", "gateway", "admin"]}]);
    let world = World::with(&[("API_KEYS", &keys.to_string())]);
    let hint = json!({"error": "text", "code": "text", "message": "text", "requestId": "text"});
    let bare = json!({"error": "text", "code": "text", "requestId": "text"});
    for row in index() {
        let anonymous = row.call(&world.gateway, row.path).send().await;
        if !row.path.starts_with("/feed/explore") {
            assert_eq!(anonymous.refusal(), (401, "Missing token".into()), "{}", row.route);
            assert_eq!(
                (shape(&anonymous.json()), anonymous.header("www-authenticate").is_empty()),
                (hint.clone(), false)
            );
            assert_head(&anonymous, &row, "0");
        }
        for act_as in [None, Some("alice")] {
            let call = row.call(&world.gateway, row.path).header("x-api-key", "n");
            let call = act_as.into_iter().fold(call, |call, name| call.header("x-act-as", name));
            let answer = call.send().await;
            assert_eq!(answer.code(), (403, "missing_scope".into()), "{}", row.route);
            assert!(answer.refusal().1.contains("'rest'"), "{}", answer.text());
            assert_eq!(shape(&answer.json()), bare);
            assert_head(&answer, &row, "0");
        }
        let forged = row.call(&world.gateway, row.path).admin("a").header("x-act-as", "alice").send().await;
        assert_eq!(forged.code(), (403, "act_as_forbidden".into()), "{}", row.route);
    }
}
