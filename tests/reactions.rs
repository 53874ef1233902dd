//! SPEC 6, likes and bookmarks: each counts once, and what follows from a post's engagement follows at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, unique_tag, whole_refusal};
use support::{NOW_MS, audit::audit, unique};

/// One of the two, and what belongs to it.
#[derive(Clone, Copy)]
struct Reaction {
    part: &'static str,
    done: &'static str,
    undone: &'static str,
    counter: &'static str,
    flag: &'static str,
    list: &'static str,
    set: &'static str,
    weight: i64,
}

const REACTIONS: [Reaction; 2] = [
    Reaction {
        part: "like",
        done: "Post liked",
        undone: "Post unliked",
        counter: "likesCount",
        flag: "isLiked",
        list: "liked",
        set: "likes",
        weight: 3,
    },
    Reaction {
        part: "bookmark",
        done: "Post bookmarked",
        undone: "Post unbookmarked",
        counter: "bookmarksCount",
        flag: "isBookmarked",
        list: "bookmarked",
        set: "bookmarks",
        weight: 4,
    },
];

impl Reaction {
    fn path(&self, id: &str) -> String {
        format!("/posts/{id}/{}", self.part)
    }

    /// The answer.
    fn answer(&self, on: bool, changed: bool, count: u32) -> Value {
        let message = if on { self.done } else { self.undone };
        json!({"message": message, "changed": changed, self.counter: count})
    }
}

#[tokio::test]
async fn a_reaction_twice_counts_once() {
    let world = World::shared();
    let (name, fan) = (world.user("author").await, world.user("fan").await);
    for reaction in REACTIONS {
        let id = world.write(&name, "x").await;
        let path = reaction.path(&id);
        let steps = [
            ("DELETE", false, false, 0),
            ("POST", true, true, 1),
            ("POST", true, false, 1),
            ("DELETE", false, true, 0),
            ("DELETE", false, false, 0),
            ("POST", true, true, 1),
        ];
        for (method, on, changed, count) in steps {
            assert_eq!(world.does(&fan, method, &path).await, reaction.answer(on, changed, count), "{method} {path}");
            let post = world.post_seen_by(&fan, &id).await;
            assert_eq!((&post[reaction.flag], &post[reaction.counter]), (&json!(on), &json!(count)));
        }
        assert_eq!(world.does(&name, "POST", &path).await, reaction.answer(true, true, 2));
        assert_eq!(world.does(&fan, "DELETE", &path).await, reaction.answer(false, true, 1));
        assert_eq!(world.post_seen_by(&name, &id).await[reaction.flag], true);
    }
}

#[tokio::test]
async fn likes_and_bookmarks_do_not_touch_each_other() {
    let world = World::shared();
    let name = world.user("both").await;
    let id = world.write(&name, "x").await;
    world.like(&name, &id).await;
    let state = async || {
        let post = world.post_seen_by(&name, &id).await;
        let lists =
            [world.ids(&name, "/users/me/liked").await.len(), world.ids(&name, "/users/me/bookmarked").await.len()];
        (lists, json!([post["likesCount"], post["bookmarksCount"], post["isLiked"], post["isBookmarked"]]))
    };
    assert_eq!(state().await, ([1, 0], json!([1, 0, true, false])));
    world.bookmark(&name, &id).await;
    world.does(&name, "DELETE", &format!("/posts/{id}/like")).await;
    assert_eq!(state().await, ([0, 1], json!([0, 1, false, true])));
}

#[tokio::test]
async fn ones_own_list_has_the_latest_first_and_taking_back_leaves_it() {
    let world = World::shared().at(NOW_MS);
    let (name, fan) = (world.user("author").await, world.user("fan").await);
    for reaction in REACTIONS {
        let mut ids = Vec::new();
        for at in 0..3 {
            world.set_ms(NOW_MS + at);
            ids.push(world.write(&name, "x").await);
        }
        for (at, index) in [(10, 1), (11, 2), (12, 0)] {
            world.set_ms(NOW_MS + at);
            world.does(&fan, "POST", &reaction.path(&ids[index])).await;
        }
        let path = format!("/users/me/{}", reaction.list);
        assert_eq!(world.ids(&fan, &path).await, [&*ids[0], &ids[2], &ids[1]]);
        world.set_ms(NOW_MS + 20);
        // Once more does not make it newer; anew does.
        world.does(&fan, "POST", &reaction.path(&ids[1])).await;
        world.does(&fan, "DELETE", &reaction.path(&ids[2])).await;
        assert_eq!(world.ids(&fan, &path).await, [&*ids[0], &ids[1]]);
        world.does(&fan, "POST", &reaction.path(&ids[2])).await;
        assert_eq!(world.ids(&fan, &path).await, [&*ids[2], &ids[0], &ids[1]]);
    }
}

#[tokio::test]
async fn engagement_follows_in_rankings_and_among_models() {
    let world = World::shared();
    let (model, user, fan) = (world.model("model").await, world.user("user").await, world.user("fan").await);
    let tag = unique_tag("eng");
    for (author, engagement_is_a_models) in [(&model, true), (&user, false)] {
        let (id, other) = (world.write(author, &format!("#{tag}")).await, world.write(author, "x").await);
        let expect = |of_post: i64, of_author: i64| {
            assert_eq!(world.score(&format!("hashtag:{tag}:ranked"), &id), of_post.to_string());
            let sum = if of_author > 0 { json!(of_author.to_string()) } else { Value::Null };
            assert_eq!(world.score("authors:engagement", author), sum);
            let sum_of_model = if engagement_is_a_models { sum } else { Value::Null };
            assert_eq!(world.score("models:top:engagement", author), sum_of_model);
        };
        expect(0, 0);
        for reaction in REACTIONS {
            let (path, other_path) = (reaction.path(&id), reaction.path(&other));
            world.does(&fan, "POST", &path).await;
            world.does(&fan, "POST", &path).await;
            expect(reaction.weight, reaction.weight);
            world.does(author, "POST", &path).await;
            world.does(author, "POST", &other_path).await;
            expect(2 * reaction.weight, 3 * reaction.weight);
            for (who, path) in [(&fan, &path), (author, &path), (author, &other_path)] {
                world.does(who, "DELETE", path).await;
            }
            expect(0, 0);
        }
    }
}

#[tokio::test]
async fn many_at_once_are_counted_exactly() {
    let world = World::own();
    world.make("author", json!({"role": "model"})).await;
    let id = world.write("author", "#crowd").await;
    let fans: Vec<String> = (0..25).map(|n| format!("fan-{n}")).collect();
    for fan in &fans {
        world.make(fan, json!({})).await;
    }
    let path = format!("/posts/{id}/like");
    let calls = fans.iter().flat_map(|fan| (0..4).map(|_| world.does(fan, "POST", &path)));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer["changed"] == true).count(), 25);
    let calls = fans.iter().take(10).flat_map(|fan| (0..4).map(|_| world.does(fan, "DELETE", &path)));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer["changed"] == true).count(), 10);
    assert_eq!(world.post_seen_by("author", &id).await["likesCount"], 15);
    assert_eq!(world.score("models:top:engagement", "author"), "45");
    assert_eq!(audit(&world.redis), [""; 0]);
}

#[tokio::test]
async fn who_may_react() {
    let world = World::shared();
    let (name, ghost) = (world.user("author").await, unique("ghost"));
    let (fan, acted, admin) = (world.user("fan").await, world.user("acted").await, world.user("admin").await);
    let id = world.write(&name, "x").await;
    for reaction in REACTIONS {
        for method in ["POST", "DELETE"] {
            let call = || world.gateway.call(method, &reaction.path(&id));
            for call in [call().user(&fan), call().acting_as(&acted), call().admin(&admin), call().api_key()] {
                assert_eq!(call.send().await.ok()["changed"], true);
            }
            assert_eq!(call().send().await.refusal(), (401, "Missing token".into()));
            for call in [call().user(&ghost), call().admin(&ghost), call().acting_as(&ghost)] {
                let expected = (404, "user_not_found".to_owned(), "User not found".to_owned());
                assert_eq!(whole_refusal(&call.send().await), expected);
            }
            let count = if method == "POST" { 4 } else { 0 };
            assert_eq!(world.post_seen_by(&name, &id).await[reaction.counter], count);
        }
    }
    assert!(!world.exists(&format!("user:{ghost}")));
}

#[tokio::test]
async fn the_sets_hold_who_reacted() {
    let world = World::shared();
    let (name, fan) = (world.user("author").await, world.user("fan").await);
    let id = world.write(&name, "x").await;
    for reaction in REACTIONS {
        world.does(&fan, "POST", &reaction.path(&id)).await;
        assert_eq!(world.redis.run(&["SMEMBERS", &format!("post:{id}:{}", reaction.set)]), json!([fan]));
        assert!(!world.score(&format!("user:{fan}:{}", reaction.list), &id).is_null());
        world.does(&fan, "DELETE", &reaction.path(&id)).await;
        assert!(!world.exists(&format!("post:{id}:{}", reaction.set)));
        assert!(!world.exists(&format!("user:{fan}:{}", reaction.list)));
    }
}
