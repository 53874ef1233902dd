//! SPEC 6, follows: both sides at once, each once, and lists of users that end nowhere too early.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Credentials as _, World, seed::Seed, texts, whole_refusal};
use support::{NOW_MS, audit::audit, unique};

fn follow_path(name: &str) -> String {
    format!("/users/{name}/follow")
}

/// Followers and followed of a user, as the profile counts them.
async fn counts(world: &World, name: &str) -> (i64, i64) {
    let user = world.user_seen_by(name, name).await;
    (user["followerCount"].as_i64().unwrap(), user["followingCount"].as_i64().unwrap())
}

#[tokio::test]
async fn following_twice_counts_once() {
    let world = World::shared();
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let steps = [
        ("DELETE", "Unfollowed", false, 0),
        ("POST", "Followed", true, 1),
        ("POST", "Followed", false, 1),
        ("DELETE", "Unfollowed", true, 0),
        ("DELETE", "Unfollowed", false, 0),
        ("POST", "Followed", true, 1),
    ];
    for (method, verb, changed, count) in steps {
        let answer = world.does(&alice, method, &follow_path(&bob)).await;
        assert_eq!(answer, json!({"message": format!("{verb} {bob}"), "changed": changed}));
        assert_eq!((counts(&world, &alice).await, counts(&world, &bob).await), ((0, count), (count, 0)));
        assert_eq!(world.user_seen_by(&alice, &bob).await["isFollowing"], count == 1);
        assert_eq!(world.user_seen_by(&bob, &alice).await["isFollowing"], false);
    }
}

#[tokio::test]
async fn nobody_follows_themselves() {
    let world = World::shared();
    let name = world.user("self").await;
    for method in ["POST", "DELETE"] {
        for id in ["me", &*name] {
            for call in [
                world.gateway.call(method, &follow_path(id)).user(&name),
                world.gateway.call(method, &follow_path(id)).acting_as(&name),
            ] {
                assert_eq!(call.send().await.code(), (400, "bad_request".into()), "{method} {id}");
            }
        }
        let key = world.gateway.call(method, &follow_path("xano_sync")).api_key().send().await;
        assert_eq!(key.code(), (400, "bad_request".into()));
    }
    assert_eq!(counts(&world, &name).await, (0, 0));
}

#[tokio::test]
async fn an_unknown_user_is_404_on_either_side() {
    let world = World::shared();
    let (name, nobody) = (world.user("name").await, unique("nobody"));
    for method in ["POST", "DELETE"] {
        let call = |id: &str| world.gateway.call(method, &follow_path(id));
        for call in [call(&nobody).user(&name), call(&name).user(&nobody), call(&name).acting_as(&nobody)] {
            let refusal = whole_refusal(&call.send().await);
            assert_eq!(refusal, (404, "user_not_found".into(), "User not found".into()));
        }
    }
    for part in ["followers", "following"] {
        let answer = world.get(&format!("/users/{nobody}/{part}")).user(&name).send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()));
    }
    for key in [format!("user:{nobody}"), format!("user:{nobody}:followers"), format!("user:{nobody}:following")] {
        assert!(!world.exists(&key), "{key}");
    }
    assert_eq!(counts(&world, &name).await, (0, 0));
}

#[tokio::test]
async fn lists_are_newest_first_and_show_what_others_may_see() {
    let world = World::shared().at(NOW_MS);
    let (name, viewer) = (world.user("star").await, world.user("viewer").await);
    let mut fans = Vec::new();
    for at in 1..=3_u64 {
        world.set_ms(NOW_MS + at);
        let fan = world.person("fan", json!({"bio": "b", "email": "e@example.com"})).await;
        world.follow(&fan, &name).await;
        fans.push(fan);
    }
    let list = world.see(&viewer, &format!("/users/{name}/followers")).await;
    let user = |index: usize| {
        json!({"username": fans[index], "role": "user", "created_at": NOW_MS + 1 + index as u64, "bio": "b",
            "postCount": 0, "followerCount": 0, "followingCount": 1})
    };
    let expected = json!({
        "users": [user(2), user(1), user(0)],
        "pagination": {"offset": 0, "limit": 20, "count": 3, "totalCount": 3, "hasMore": false, "nextCursor": null},
    });
    assert_eq!(list, expected);
    assert_eq!(world.see(&name, "/users/me/followers").await, expected);
    let oneself = world.see(&fans[0], &format!("/users/{name}/followers?limit=1&offset=2")).await;
    assert_eq!(oneself["users"], json!([user(0)]));
    // Not followed first, but last.
    world.set_ms(NOW_MS + 10);
    world.follow(&fans[1], &fans[0]).await;
    world.set_ms(NOW_MS + 11);
    world.follow(&fans[1], &viewer).await;
    world.does(&fans[1], "DELETE", &follow_path(&name)).await;
    world.follow(&fans[1], &name).await;
    let names = world.names(&viewer, &format!("/users/{}/following", fans[1])).await;
    assert_eq!(names.len(), 3);
    assert_eq!(names[2], fans[0]);
    assert_eq!(world.names(&viewer, &format!("/users/{name}/followers")).await[0], fans[1]);
}

#[tokio::test]
async fn pages_of_users_neither_repeat_nor_skip() {
    let world = World::shared().at(NOW_MS);
    let name = world.user("star").await;
    let mut fans = Vec::new();
    for n in 0..7 {
        // Two in each millisecond.
        world.set_ms(NOW_MS + n / 2);
        let fan = world.user("fan").await;
        world.follow(&fan, &name).await;
        fans.push(fan);
    }
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = world.see(&name, &format!("/users/me/followers?{query}")).await;
        seen.extend(texts(&page["users"], "/username"));
        assert_eq!(page["pagination"]["hasMore"], !page["pagination"]["nextCursor"].is_null());
        let Some(cursor) = page["pagination"]["nextCursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
        // Someone comes and someone who was shown goes, meanwhile.
        let late = world.user("late").await;
        world.follow(&late, &name).await;
        world.does(&seen[0], "DELETE", &follow_path(&name)).await;
    }
    assert_eq!(seen.len(), 7);
    seen.sort();
    fans.sort();
    assert_eq!(seen, fans);
}

#[tokio::test]
async fn whoever_was_deleted_is_in_no_list() {
    let world = World::shared();
    let (name, gone, stays) = (world.user("name").await, world.user("gone").await, world.user("stays").await);
    for other in [&gone, &stays] {
        world.follow(&name, other).await;
        world.follow(other, &name).await;
    }
    world.does(&gone, "DELETE", "/users/me").await;
    for part in ["followers", "following"] {
        let list = world.see(&name, &format!("/users/me/{part}")).await;
        assert_eq!(texts(&list["users"], "/username"), [&*stays]);
        assert_eq!(list["pagination"]["totalCount"], 1);
    }
    assert_eq!(counts(&world, &name).await, (1, 1));
}

#[tokio::test]
async fn one_can_follow_five_thousand() {
    let world = World::own();
    let mut seed = Seed::default();
    for name in ["busy", "last", "more"] {
        seed.user(name, &json!({}));
    }
    for n in 0..4999 {
        let followed = format!("u{n}");
        seed.user(&followed, &json!({})).follow("busy", &followed);
    }
    seed.fill(&world.redis);
    let follow = |name: &str| world.post(&follow_path(name)).user("busy");
    assert_eq!(follow("last").send().await.ok()["changed"], true);
    assert_eq!(follow("more").send().await.code(), (409, "conflict".into()));
    // Whom one follows already is no more, and one less makes room.
    assert_eq!(follow("last").send().await.ok()["changed"], false);
    assert_eq!(counts(&world, "busy").await, (0, 5000));
    assert_eq!(world.does("busy", "DELETE", &follow_path("u7")).await["changed"], true);
    assert_eq!(follow("more").send().await.ok()["changed"], true);
    assert_eq!(follow("u7").send().await.status, 409);
    assert_eq!(audit(&world.redis), [""; 0]);
}

#[tokio::test]
async fn many_at_once_leave_both_sides_equal() {
    let world = World::own();
    let names: Vec<String> = (0..6).map(|n| format!("user-{n}")).collect();
    for name in &names {
        world.make(name, json!({})).await;
    }
    let pairs = names.iter().flat_map(|a| names.iter().map(move |b| (a, b))).filter(|(a, b)| a != b);
    let calls = pairs.enumerate().flat_map(|(n, (a, b))| {
        let methods = if n % 3 == 0 { ["POST", "DELETE", "POST"] } else { ["POST", "POST", "DELETE"] };
        let path = follow_path(b);
        let world = &world;
        methods.map(move |method| {
            let path = path.clone();
            async move { world.does(a, method, &path).await }
        })
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(audit(&world.redis), [""; 0]);
}
