//! SPEC 6, `DELETE /users/:id`: nothing of a deleted user is left, and every counter is right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Credentials as _, World, status_and_body};
use support::{audit::audit, facts::without_zero_counters, keyspace::differences, unique};

fn path(name: &str) -> String {
    format!("/users/{name}")
}

/// A user who did everything to others, and to whom everything was done.
async fn entangle(world: &World, name: &str, others: [&str; 2]) {
    let [alice, bob] = others;
    let own = world.write(name, "#shared #only_mine").await;
    let banned = world.write(name, "#shared").await;
    let theirs = world.ids(alice, "/users/me/posts").await.remove(0);
    let their_banned =
        world.redis.run(&["ZRANGE", &format!("user:{alice}:banned"), "0", "0"])[0].as_str().unwrap().to_owned();
    world.lift(&their_banned).await;
    for id in [&theirs, &own, &banned, &their_banned] {
        world.like(name, id).await;
        world.bookmark(name, id).await;
        world.comment(name, id, "mine").await;
        world.like(bob, id).await;
        world.comment(bob, id, "bob's").await;
    }
    for id in [&banned, &their_banned] {
        world.ban(id).await;
    }
    for other in others {
        world.follow(name, other).await;
        world.follow(other, name).await;
    }
}

/// What is left of bob's own deeds on alice's posts is taken back, so that the keyspace can be compared.
async fn take_back(world: &World, name: &str, post: &str) {
    world.does(name, "DELETE", &format!("/posts/{post}/like")).await;
    let comments = world.see(name, &format!("/posts/{post}/comments")).await;
    for id in social::texts(&comments["comments"], "/id") {
        world.does(name, "DELETE", &format!("/comments/{id}")).await;
    }
}

#[tokio::test]
async fn nothing_of_a_deleted_user_is_left_and_every_counter_is_right() {
    let world = World::own();
    let [alice, bob] = ["alice", "bob"];
    world.make(alice, json!({"role": "model"})).await;
    world.make(bob, json!({})).await;
    let shown = world.write(alice, "#shared").await;
    let banned = world.write(alice, "#shared").await;
    world.follow(bob, alice).await;
    world.ban(&banned).await;
    world.lift(&banned).await;
    let before = without_zero_counters(world.redis.keyspace());
    world.ban(&banned).await;
    world.make("gone", json!({"role": "model", "display_name": "G"})).await;
    entangle(&world, "gone", [alice, bob]).await;
    assert_eq!(audit(&world.redis), [""; 0]);
    let answer = world.delete("/users/me").user("gone").send().await;
    assert_eq!(status_and_body(&answer), (200, json!({"message": "User deleted", "postsDeleted": 2})));
    assert_eq!(audit(&world.redis), [""; 0]);
    world.lift(&banned).await;
    for id in [&shown, &banned] {
        take_back(&world, bob, id).await;
    }
    assert_eq!(differences(&without_zero_counters(world.redis.keyspace()), &before), [""; 0]);
}

#[tokio::test]
async fn who_may_delete_whom() {
    let world = World::shared();
    let (other, admin) = (world.user("other").await, world.stored_admin("stored").await);
    let forbidden = |id: &str| {
        [
            world.delete(&path(id)).user(&other),
            world.delete(&path(id)).user(&admin),
            world.delete(&path(id)).acting_as(&other),
        ]
    };
    let name = world.user("victim").await;
    let nobody = unique("nobody");
    for call in forbidden(&name).into_iter().chain(forbidden(&nobody)) {
        assert_eq!(call.send().await.code(), (403, "forbidden".into()));
    }
    assert!(world.exists(&format!("user:{name}")));
    for number in 0..5 {
        let name = world.user("allowed").await;
        let call = match number {
            0 => world.delete(&path(&name)).user(&name),
            1 => world.delete("/users/me").acting_as(&name),
            2 => world.delete(&path(&name)).admin(&other),
            3 => world.delete(&path(&name)).api_key(),
            _ => world.delete(&path(&name)).acting_as(&admin),
        };
        assert_eq!(call.send().await.ok(), json!({"message": "User deleted", "postsDeleted": 0}));
        assert!(!world.exists(&format!("user:{name}")));
        let again = world.delete(&path(&name)).api_key().send().await;
        assert_eq!(again.refusal(), (404, "User not found".into()));
    }
}

#[tokio::test]
async fn a_name_that_was_deleted_begins_anew() {
    let world = World::shared();
    let (name, fan) = (world.person("phoenix", json!({"bio": "old"})).await, world.user("fan").await);
    let old = world.write(&name, "old").await;
    world.like(&name, &old).await;
    world.follow(&fan, &name).await;
    world.does(&name, "DELETE", "/users/me").await;
    world.make(&name, json!({})).await;
    let user = world.user_seen_by(&fan, &name).await;
    assert_eq!(user["isFollowing"], false);
    assert_eq!([&user["postCount"], &user["followerCount"], &user["followingCount"]], [0, 0, 0]);
    assert!(user.get("bio").is_none());
    for part in ["posts", "liked", "bookmarked"] {
        assert_eq!(world.ids(&name, &format!("/users/me/{part}")).await, [""; 0]);
    }
    assert_eq!(world.get(&format!("/posts/{old}")).user(&name).send().await.status, 404);
}
