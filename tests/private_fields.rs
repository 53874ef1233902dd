//! SPEC 6, the fields of a profile: one user with every private and secret field, seen by every kind of caller in every
//! route that shows users.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use social::{Credentials as _, World, unique_tag};
use support::{Call, PRIVATE_FIELDS, token, unique};

/// Some of them with other letters.
const OTHER_LETTERS: [&str; 2] = ["Email", "DEVICE_ID"];

fn private() -> impl Iterator<Item = &'static str> {
    PRIVATE_FIELDS.into_iter().chain(OTHER_LETTERS)
}
const SECRET: [&str; 14] = [
    "password",
    "PassWord",
    "ssn",
    "credit_card",
    "bank_account",
    "otp",
    "otp_code",
    "OTPsecond",
    "password_hash",
    "Pin_Hash",
    "refresh_token",
    "apiTOKENid",
    "client_secret",
    "mySecretWord",
];
const PUBLIC: [&str; 4] = ["bio", "links", "city", "hash_tag"];

/// What stands in a field, and nowhere else.
fn mark(field: &str) -> String {
    format!("<{field}>")
}

/// Every field with its mark.
fn fields() -> Value {
    let names = private().chain(SECRET).chain(PUBLIC);
    names.map(|name| ((*name).to_owned(), json!(mark(name)))).collect::<Map<_, _>>().into()
}

/// The fields whose marks are in a text.
fn shown(text: &str) -> BTreeSet<&'static str> {
    let names = private().chain(SECRET).chain(PUBLIC);
    names.filter(|name| text.contains(&mark(name))).collect()
}

fn set(names: &[&'static str]) -> BTreeSet<&'static str> {
    names.iter().copied().collect()
}

/// A caller, and whether it is the user themselves.
struct Caller {
    who: &'static str,
    is_oneself: bool,
    sign: Box<dyn Fn(Call) -> Call>,
}

/// The user, and all that shows them.
struct Scene {
    world: World,
    name: String,
    fan: String,
    tag: String,
    post: String,
}

impl Scene {
    async fn set(variables: &[(&str, &str)]) -> Self {
        let keys = json!([{"name": "r", "key": "rest-only", "scopes": ["rest", "act-as"]}]).to_string();
        let variables: Vec<_> = variables.iter().copied().chain([("API_KEYS", keys.as_str())]).collect();
        let world = World::with(&variables);
        // The newest of all, so that others of the same Redis do not push the user out of the first page.
        let mut profile = fields();
        profile["role"] = "model".into();
        profile["created_at"] = json!(9_000_000_000_000_i64);
        let (name, fan, tag) = (world.person("seen", profile).await, world.user("fan").await, unique_tag("seen"));
        let post = world.write(&name, &format!("#{tag}")).await;
        for user in [&name, &fan] {
            world.like(user, &post).await;
            world.bookmark(user, &post).await;
            world.comment(&name, &post, "c").await;
        }
        world.follow(&fan, &name).await;
        world.follow(&name, &fan).await;
        Self { world, name, fan, tag, post }
    }

    fn callers(&self) -> Vec<Caller> {
        fn caller(who: &'static str, is_oneself: bool, sign: impl Fn(Call) -> Call + 'static) -> Caller {
            Caller { who, is_oneself, sign: Box::new(sign) }
        }
        let (name, fan) = (|| self.name.clone(), || self.fan.clone());
        let ghost = unique("ghost");
        vec![
            caller("oneself", true, {
                let name = name();
                move |call| call.user(&name)
            }),
            caller("oneself as a model", true, {
                let name = name();
                move |call| call.bearer(&token::of(&name, "model"))
            }),
            caller("oneself through a key", true, {
                let name = name();
                move |call| call.acting_as(&name)
            }),
            caller("a follower", false, {
                let fan = fan();
                move |call| call.user(&fan)
            }),
            caller("a follower through a key", false, {
                let fan = fan();
                move |call| call.acting_as(&fan)
            }),
            caller("a model", false, {
                let fan = fan();
                move |call| call.bearer(&token::of(&fan, "model"))
            }),
            caller("an administrator", false, {
                let fan = fan();
                move |call| call.admin(&fan)
            }),
            caller("somebody without a profile", false, move |call| call.user(&ghost)),
            caller("an API key", false, Call::api_key),
            caller("an API key of scope rest", false, |call| call.header("x-api-key", "rest-only")),
            caller("nobody", false, |call| call),
        ]
    }

    /// Every read that shows the user to someone.
    fn reads(&self) -> Vec<String> {
        let Self { name, fan, tag, post, .. } = self;
        vec![
            format!("/users/{fan}/followers"),
            format!("/users/{fan}/following"),
            format!("/users/{name}/posts"),
            "/users/me/liked".into(),
            "/users/me/bookmarked".into(),
            format!("/posts/{post}"),
            format!("/posts/{post}/comments"),
            "/feed/explore?limit=100".into(),
            "/feed/following".into(),
            format!("/feed/hashtag/{tag}"),
            format!("/feed/hashtag/{tag}/ranked"),
            "/search/users/newest?role=model&limit=100".into(),
            format!("/search/hashtags/top-posts?hashtags={tag}"),
            "/search/models/top?limit=100".into(),
        ]
    }
}

#[tokio::test]
async fn no_route_but_their_own_profile_shows_more_than_the_public_fields() {
    let scene = Scene::set(&[]).await;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for caller in scene.callers() {
        for path in scene.reads() {
            let answer = (caller.sign)(scene.world.get(&path)).send().await;
            assert!(matches!(answer.status, 200 | 401 | 404), "{} {path}: {}", caller.who, answer.text());
            let shown = shown(answer.text());
            // Whoever follows nobody and likes nothing has empty lists.
            assert!(shown.is_empty() || shown == set(&PUBLIC), "{} {path}: {shown:?}", caller.who);
            if !shown.is_empty() {
                seen.insert(path);
            }
        }
    }
    assert_eq!(seen, scene.reads().into_iter().collect(), "each of them shows the user to someone");
}

#[tokio::test]
async fn a_profile_is_whole_for_its_user_alone() {
    let scene = Scene::set(&[]).await;
    let whole: Vec<&str> = private().chain(PUBLIC).collect();
    for caller in scene.callers() {
        for id in [&*scene.name, "me"] {
            let answer = (caller.sign)(scene.world.get(&format!("/users/{id}"))).send().await;
            let shown = shown(answer.text());
            match (caller.is_oneself, answer.status) {
                (true, _) => assert_eq!(shown, set(&whole), "{}", caller.who),
                (false, 200) if id != "me" => assert_eq!(shown, set(&PUBLIC), "{}", caller.who),
                (false, _) => assert_eq!(shown, set(&[]), "{}", caller.who),
            }
        }
    }
}

#[tokio::test]
async fn a_write_tells_no_more_than_a_read() {
    let scene = Scene::set(&[]).await;
    let whole: Vec<&str> = private().chain(PUBLIC).collect();
    let path = format!("/users/{}", scene.name);
    let mut done = 0;
    for caller in scene.callers() {
        let patched = (caller.sign)(scene.world.patch(&path)).json(json!({"display_name": "D"})).send().await;
        let replaced = (caller.sign)(scene.world.put(&path)).json(fields()).send().await;
        let commented = (caller.sign)(scene.world.post(&format!("/posts/{}/comments", scene.post)));
        let commented = commented.json(json!({"content": "c"})).send().await;
        let expected = if caller.is_oneself { set(&whole) } else { set(&PUBLIC) };
        for answer in [&patched, &replaced] {
            match answer.status {
                200 => assert_eq!(shown(answer.text()), expected, "{}", caller.who),
                _ => assert_eq!(shown(answer.text()), set(&[]), "{}", caller.who),
            }
            done += usize::from(answer.status == 200);
        }
        let expected = if caller.is_oneself { set(&PUBLIC) } else { set(&[]) };
        assert_eq!(shown(commented.text()), expected, "{}", caller.who);
    }
    // PATCH by three ways of oneself, an administrator and two keys; PUT by the last three.
    assert_eq!(done, 9);
}

#[tokio::test]
async fn what_an_administrator_writes_is_told_back_but_for_the_secrets() {
    let scene = Scene::set(&[]).await;
    let path = format!("/users/{}", scene.name);
    for call in [scene.world.patch(&path).api_key(), scene.world.patch(&path).admin(&scene.fan)] {
        let answer = call.json(fields()).send().await.ok();
        let updates = shown(&answer["updates"].to_string());
        assert_eq!(updates, private().chain(PUBLIC).collect());
        assert_eq!(shown(&answer["user"].to_string()), set(&PUBLIC));
    }
}

#[tokio::test]
async fn private_fields_adds_to_them_everywhere() {
    let scene = Scene::set(&[("PRIVATE_FIELDS", "CITY, links")]).await;
    let expected = set(&["bio", "hash_tag"]);
    let profile = format!("/users/{}", scene.name);
    for path in scene.reads().into_iter().chain([profile]) {
        let answer = scene.world.get(&path).user(&scene.fan).send().await;
        assert_eq!(shown(answer.text()), expected, "{path}");
    }
    let own = scene.world.get("/users/me").user(&scene.name).send().await;
    assert!(shown(own.text()).contains("city") && shown(own.text()).contains("links"));
}

#[tokio::test]
async fn public_fields_turns_it_round_everywhere() {
    let scene =
        Scene::set(&[("PUBLIC_FIELDS", "username, EMAIL, City, password, otp"), ("PRIVATE_FIELDS", "city")]).await;
    let expected = set(&["email", "Email", "city"]);
    let profile = format!("/users/{}", scene.name);
    for path in scene.reads().into_iter().chain([profile]) {
        let answer = scene.world.get(&path).user(&scene.fan).send().await;
        assert_eq!(shown(answer.text()), expected, "{path}");
    }
    let own = scene.world.get("/users/me").user(&scene.name).send().await;
    assert_eq!(shown(own.text()), private().chain(PUBLIC).collect());
}

#[tokio::test]
async fn nobody_sees_what_the_redis_holds_beside_profiles() {
    let scene = Scene::set(&[]).await;
    let answer = scene.world.get(&format!("/users/{}", scene.name)).api_key().send().await;
    let names: BTreeSet<String> = answer.ok()["user"].as_object().unwrap().keys().cloned().collect();
    let others = ["username", "role", "created_at", "postCount", "followerCount", "followingCount", "isFollowing"];
    assert_eq!(names, PUBLIC.iter().chain(&others).map(|name| (*name).to_owned()).collect());
}
