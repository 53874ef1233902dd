//! SPEC 7's exceptions, posts: one with very many likes is deleted, banned or put back at once, a new name is on very many
//! soon, and each step can be cut off anywhere, with anything between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{
    Credentials as _, Dice, World,
    large::{MANY, POSTS, big_author, big_post, fan, finish, jobs, meddle, stage},
    status_and_body,
};
use support::{facts::without_zero_counters, keyspace::differences};

#[tokio::test]
async fn a_post_with_very_many_likes_is_deleted_at_once_and_swept_away_later() {
    let world = stage(&big_post());
    let answer = world.delete("/posts/post-0").user("author").send().await;
    assert_eq!(status_and_body(&answer), (200, json!({"message": "Post deleted"})));
    assert_eq!((answer.header("x-redis-round-trips"), jobs(&world)), ("1", vec!["delete-post:post-0".to_owned()]));
    assert_eq!(world.user_seen_by("author", "me").await["postCount"], 2);
    let mut dice = Dice(3);
    let mut steps = 0;
    loop {
        for n in [0, 500, MANY - 2] {
            assert!(!world.ids(&fan(n), "/users/me/liked").await.contains(&"post-0".to_owned()));
            assert_eq!(world.ids(&fan(n), "/users/me/bookmarked").await, ["post-2"]);
        }
        for (method, path) in
            [("POST", "/posts/post-0/like"), ("DELETE", "/posts/post-0/like"), ("GET", "/posts/post-0")]
        {
            let answer = world.gateway.call(method, path).user(&fan(1)).send().await;
            assert_eq!(answer.refusal(), (404, "Post not found".into()));
        }
        let comment = world.delete("/comments/c-5").user(&fan(5)).send().await;
        assert_eq!(comment.refusal(), (404, "Comment not found".into()));
        steps += 1;
        if world.gateway.work(1).await.unwrap() == 0 {
            break;
        }
        meddle(&world, &mut dice, &[&fan(0), &fan(1), &fan(2), "author"], &["post-0", "post-1", "post-2"]).await;
        if steps == 2 {
            world.does(&fan(9), "DELETE", "/users/me").await;
        }
    }
    assert!(steps > 2, "{steps} steps are no large job");
    finish(&world).await;
}

#[tokio::test]
async fn a_large_ban_holds_at_once_and_lifting_it_puts_all_back() {
    let world = stage(&big_post());
    let before = world.redis.keyspace();
    assert_eq!(world.ban("post-0").await, json!({"message": "Post banned", "changed": true}));
    assert_eq!(jobs(&world), ["ban:post-0"]);
    let shows = async |list: &str, n: usize| {
        world.ids(&fan(n), &format!("/users/me/{list}")).await.contains(&"post-0".to_owned())
    };
    for n in [0, 500, MANY - 2] {
        assert!(!shows("liked", n).await && !shows("bookmarked", n).await, "{n}");
    }
    assert_eq!(world.score("models:top:engagement", "author"), (MANY * 3 + MANY / 2 * 4).to_string());
    finish(&world).await;
    assert_eq!(world.lift("post-0").await["changed"], true);
    assert_eq!(jobs(&world), ["ban:post-0"]);
    assert_eq!(world.post_seen_by(&fan(0), "post-0").await["likesCount"], MANY);
    finish(&world).await;
    for n in [0, 500, MANY - 2] {
        assert!(shows("liked", n).await && shows("bookmarked", n).await, "{n}");
    }
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0]);
}

#[tokio::test]
async fn a_ban_may_be_lifted_and_set_again_while_lists_are_still_being_changed() {
    for seed in 1..=2 {
        let world = stage(&big_post());
        let mut dice = Dice(seed);
        let fans: Vec<String> = (0..6).map(|n| fan(n * 180)).collect();
        let users: Vec<&str> = fans.iter().map(String::as_str).chain(["author"]).collect();
        let mut banned = false;
        for turn in 0..24 {
            if dice.roll(3) == 0 {
                let answer = if banned { world.lift("post-0").await } else { world.ban("post-0").await };
                assert_eq!(answer["changed"], true);
                banned = !banned;
            }
            world.gateway.work(1).await.unwrap();
            meddle(&world, &mut dice, &users, &["post-0", "post-1"]).await;
            if turn == 12 {
                world.does(&fan(777), "DELETE", "/users/me").await;
            }
        }
        finish(&world).await;
        if banned {
            world.lift("post-0").await;
        }
        finish(&world).await;
    }
}

#[tokio::test]
async fn a_post_is_deleted_in_the_middle_of_its_ban() {
    for lift_first in [false, true] {
        let world = stage(&big_post());
        world.ban("post-0").await;
        world.gateway.work(1).await.unwrap();
        if lift_first {
            world.lift("post-0").await;
            world.gateway.work(1).await.unwrap();
        }
        world.does("author", "DELETE", "/posts/post-0").await;
        assert!(!jobs(&world).contains(&"ban:post-0".to_owned()));
        finish(&world).await;
    }
}

#[tokio::test]
async fn an_author_is_deleted_in_the_middle_of_a_ban_and_a_new_one_has_the_name() {
    let world = stage(&big_post());
    world.ban("post-0").await;
    world.gateway.work(1).await.unwrap();
    assert_eq!(world.delete("/users/me").user("author").send().await.status, 202);
    while world.exists("user:author:deleting") {
        world.gateway.work(1).await.unwrap();
    }
    world.make("author", json!({})).await;
    let new = world.write("author", "#t").await;
    finish(&world).await;
    assert_eq!(world.ids("author", "/users/me/posts").await, [new]);
}

async fn names(world: &World, id: &str) -> Value {
    let post = world.get(&format!("/posts/{id}")).api_key().send().await.ok()["post"].take();
    json!([post["display_name"], post["avatar"], post["user_role"]])
}

#[tokio::test]
async fn a_new_name_reaches_very_many_posts() {
    let world = stage(&big_author());
    let change = json!({"display_name": "New", "avatar": null});
    let answer = world.patch("/users/me").user("author").json(change).send().await;
    assert_eq!((answer.status, answer.header("x-redis-round-trips")), (200, "1"));
    assert_eq!(answer.json()["user"]["display_name"], "New");
    assert_eq!(jobs(&world), ["rename:author"]);
    assert_eq!(world.user_seen_by("fan-0", "author").await["display_name"], "New");
    finish(&world).await;
    for n in 0..POSTS {
        let id = format!("post-{n}");
        assert_eq!(world.field(&format!("post:{id}"), "display_name"), "New", "{id}");
    }
    assert_eq!(names(&world, "post-10").await, json!(["New", "", "model"]));
}

#[tokio::test]
async fn names_posts_and_bans_may_change_while_a_name_is_on_its_way() {
    for seed in 1..=2 {
        let world = stage(&big_author());
        let mut dice = Dice(seed);
        let rename = async |name: &str| {
            let body = json!({"display_name": name, "role": if name == "First" { "model" } else { "user" }});
            assert_eq!(world.patch("/users/author").api_key().json(body).send().await.status, 200);
        };
        rename("First").await;
        let mut turn = 0;
        while world.gateway.work(1).await.unwrap() > 0 {
            turn += 1;
            world.write("author", "late").await;
            for _ in 0..6 {
                let post = format!("post-{}", dice.roll(POSTS as u64));
                match dice.roll(3) {
                    0 => drop(world.ban(&post).await),
                    1 => drop(world.lift(&post).await),
                    _ => drop(world.delete(&format!("/posts/{post}")).api_key().send().await),
                }
                // Post by post, unknown ones are met too.
                world.patch("/posts/post-1/ban").user("fan-0").send().await;
            }
            if turn == 2 {
                rename("Second").await;
            }
        }
        assert!(turn > 2, "{turn}");
        finish(&world).await;
        let author = world.user_seen_by("fan-0", "author").await;
        assert_eq!(author["display_name"], "Second");
        for post in world.see("fan-0", "/users/author/posts?limit=100").await["posts"].as_array().unwrap() {
            assert_eq!(post["post"]["display_name"], "Second");
        }
    }
}

#[tokio::test]
async fn an_author_is_deleted_while_their_name_is_on_its_way() {
    let world = stage(&big_author());
    let answer = world.put("/users/author").api_key().json(json!({"display_name": "New"})).send().await;
    assert_eq!((answer.status, jobs(&world)), (200, vec!["rename:author".to_owned()]));
    world.gateway.work(1).await.unwrap();
    let answer = world.delete("/users/author").admin("boss").send().await;
    assert_eq!((answer.status, &answer.json()["postsDeleted"]), (202, &json!(POSTS)));
    assert!(!jobs(&world).contains(&"rename:author".to_owned()));
    finish(&world).await;
    let left: Vec<String> = without_zero_counters(world.redis.keyspace()).into_keys().collect();
    assert_eq!(left, ["user:fan-0", "users:regular"]);
}
