//! SPEC 7's exceptions, users: a large one is gone at once, and swept away in steps that can be cut off anywhere, by anyone,
//! with anything between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{
    Dice, World, ids_of,
    large::{big_author, big_post, big_user, fan, finish, jobs, meddle, stage},
    status_and_body, texts,
};
use support::{audit::audit, facts::Deeds};

/// Else the tests below would find faults that are not Ridge's.
#[test]
fn what_is_seeded_fits_together() {
    for seed in [big_user(), big_post(), big_author()] {
        assert_eq!(audit(&stage(&seed).redis), [""; 0]);
    }
}

#[tokio::test]
async fn a_large_user_is_gone_at_once_and_swept_away_later() {
    let world = stage(&big_user());
    let answer = world.delete("/users/me").user("big").send().await;
    assert_eq!(status_and_body(&answer), (202, json!({"message": "User is being deleted", "postsDeleted": 300})));
    assert_eq!(answer.header("x-redis-round-trips"), "1");
    assert!(jobs(&world).contains(&"delete-user:big".to_owned()));
    assert_nothing_of_big_is_shown(&world).await;
    finish(&world).await;
    assert_nothing_of_big_is_shown(&world).await;
    let left: Vec<String> = world.redis.keyspace().into_keys().filter(|key| key.contains("big")).collect();
    assert_eq!(left, [""; 0]);
}

async fn assert_nothing_of_big_is_shown(world: &World) {
    let viewer = &fan(0);
    for path in [
        "/feed/explore?limit=100",
        "/feed/following?limit=100",
        "/feed/hashtag/huge",
        "/feed/hashtag/huge/ranked",
        "/feed/hashtag/all?limit=100",
        "/feed/hashtag/all/ranked?limit=100",
        "/users/me/liked?limit=100",
        "/users/me/bookmarked?limit=100",
        "/users/me/followers?limit=100",
        "/users/me/following?limit=100",
        "/users/fan-1/followers?limit=100",
        "/posts/other-0/comments",
        "/search/users/newest?role=model&limit=100",
        "/search/hashtags/top-posts?hashtags=huge,all&postsPerHashtag=50",
        "/search/models/top?limit=100",
    ] {
        let answer = world.get(path).user(viewer).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(!answer.text().contains("\"big\""), "{path}: {}", answer.text());
        assert!(!answer.text().contains("\"big-"), "{path}: {}", answer.text());
    }
    for path in ["/users/big", "/users/big/posts", "/users/big/followers", "/posts/big-0", "/posts/big-0/comments"] {
        assert_eq!(world.get(path).user(viewer).send().await.status, 404, "{path}");
    }
    // Those that do not shorten a page fill it.
    assert_eq!(world.ids(viewer, "/feed/explore?limit=100").await.len(), 100);
    assert_eq!(world.ids(viewer, "/feed/hashtag/all/ranked?limit=100").await.len(), 100);
}

#[tokio::test]
async fn a_name_cannot_be_taken_while_its_owner_is_swept_away() {
    let world = stage(&big_user());
    assert_eq!(world.delete("/users/big").api_key().send().await.status, 202);
    let mut steps = 0;
    while jobs(&world).contains(&"delete-user:big".to_owned()) {
        let put = || world.put("/users/big").api_key().json(json!({"role": "user"}));
        assert_eq!(put().send().await.code(), (409, "conflict".into()));
        let synced = world.gateway.write(json!([["HSET", "user:big", "username", "big"]])).await;
        assert!(synced[0].as_str().unwrap().starts_with("ERR "), "{synced}");
        for (method, path) in [("POST", "/posts"), ("POST", "/posts/other-0/like"), ("POST", "/users/fan-1/follow")] {
            let answer = world.gateway.call(method, path).user("big").json(json!({"content": "x"})).send().await;
            assert_eq!(answer.refusal(), (404, "User not found".into()), "{method} {path}");
        }
        let followed = world.post("/users/big/follow").user("fan-1").send().await;
        assert_eq!(followed.refusal(), (404, "User not found".into()));
        let again = world.delete("/users/big").api_key().send().await;
        assert_eq!(again.refusal(), (404, "User not found".into()));
        assert!(!world.exists("user:big"));
        world.gateway.work(1).await.unwrap();
        steps += 1;
    }
    assert!(steps > 2, "{steps} steps are no large job");
    assert_eq!(world.put("/users/big").api_key().json(json!({})).send().await.status, 201);
    finish(&world).await;
    let user = world.user_seen_by("big", "me").await;
    assert_eq!([&user["postCount"], &user["followerCount"], &user["followingCount"]], [0, 0, 0]);
    world.write("big", "#all").await;
    finish(&world).await;
}

#[tokio::test]
async fn whatever_happens_between_the_steps_the_end_is_the_same() {
    for seed in 1..=2 {
        let world = stage(&big_user());
        let mut dice = Dice(seed);
        assert_eq!(world.delete("/users/me").user("big").send().await.status, 202);
        let users = ["fan-0", "fan-1", "fan-2", "fan-3", "fan-4", "big"];
        let posts = ["big-0", "big-150", "big-299", "other-0", "other-41", "other-299"];
        let mut step = 0;
        while world.gateway.work(1).await.unwrap() > 0 {
            step += 1;
            meddle(&world, &mut dice, &users, &posts).await;
            match step {
                2 => drop(world.ban("other-41").await),
                3 => drop(world.does("fan-39", "DELETE", "/users/me").await),
                4 => drop(world.lift("other-41").await),
                _ => {}
            }
        }
        assert!(step >= 3, "{step}");
        assert_eq!(jobs(&world), [""; 0]);
        assert_eq!(audit(&world.redis), [""; 0], "seed {seed}");
    }
}

#[tokio::test]
async fn many_workers_do_not_get_into_each_others_way() {
    let world = stage(&big_user());
    let other = World { gateway: support::Gateway::on(&world.redis), redis: std::sync::Arc::clone(&world.redis) };
    assert_eq!(world.delete("/users/big").api_key().send().await.status, 202);
    assert_eq!(world.delete("/users/fan-3").api_key().send().await.status, 200);
    let workers = (0..6).map(|n| if n % 2 == 0 { &world } else { &other }).map(|world| world.gateway.finish_jobs());
    futures_util::future::join_all(workers).await;
    finish(&world).await;
}

#[tokio::test]
async fn a_user_with_little_is_gone_after_the_request() {
    let world = stage(&big_user());
    let answer = world.delete("/users/me").user("fan-7").send().await;
    assert_eq!((answer.status, &answer.json()["message"]), (200, &json!("User deleted")));
    assert_eq!(jobs(&world), [""; 0]);
    assert_eq!(audit(&world.redis), [""; 0]);
}

#[tokio::test]
async fn jobs_of_every_kind_at_once_end_all_the_same() {
    let mut seed = big_user();
    for (facts, from) in [(big_post().0, "post"), (big_author().0, "author")] {
        // Two authors of one name in the seeds: the second has another.
        let name = |text: &str| {
            if from == "author" { text.replace("author", "writer").replace("post-", "w-") } else { text.to_owned() }
        };
        seed.0.users.extend(facts.users.into_iter().map(|(user, mut fields)| {
            fields.insert("username".to_owned(), name(&user));
            (name(&user), fields)
        }));
        seed.0.posts.extend(facts.posts.into_iter().map(|(id, mut post)| {
            post.author = name(&post.author);
            (name(&id), post)
        }));
        let renamed =
            |deeds: Deeds| deeds.into_iter().map(|((post, user), at)| ((name(&post), user), at)).collect::<Vec<_>>();
        seed.0.likes.extend(renamed(facts.likes));
        seed.0.bookmarks.extend(renamed(facts.bookmarks));
    }
    let world = stage(&seed);
    world.ban("post-0").await;
    world.does("author", "DELETE", "/posts/post-1").await;
    let renamed = world.patch("/users/me").user("writer").json(json!({"display_name": "W"})).send().await;
    assert_eq!(renamed.status, 200);
    assert_eq!(world.delete("/users/me").user("big").send().await.status, 202);
    let left = jobs(&world);
    for job in ["ban:post-0", "delete-post:post-1", "delete-user:big", "rename:writer"] {
        assert!(left.contains(&job.to_owned()), "{left:?}");
    }
    let mut dice = Dice(9);
    while world.gateway.work(1).await.unwrap() > 0 {
        meddle(&world, &mut dice, &["fan-0", "fan-1", "writer", "author"], &["post-0", "post-2", "w-5", "other-3"])
            .await;
    }
    assert_eq!(audit(&world.redis), [""; 0]);
    let feed = world.see("fan-0", "/users/writer/posts?limit=100").await;
    assert!(texts(&feed["posts"], "/post/display_name").iter().all(|name| !name.is_empty() && name != "Old"));
    assert_eq!(ids_of(&feed).len(), 100);
}
