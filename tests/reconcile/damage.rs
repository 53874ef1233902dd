//! One thing after the other is broken past the gateway: a report tells exactly that and changes nothing, mending puts it
//! back as it was, and afterwards there is nothing to tell.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    Difference, difference, run,
    social::World,
    support::{NOW_MS, keyspace::differences},
};

const DAY_MS: u64 = 24 * 3_600_000;
/// Too long ago for the rankings of hours and days.
const LONG_AGO_MS: u64 = NOW_MS - 40 * DAY_MS;

/// Users of every role, and posts of every kind: `a1` has everything, `a2` is banned, `b1` is old.
async fn scene() -> World {
    let world = World::own().at(NOW_MS);
    for (kind, items) in [
        (
            "users",
            json!([{"username": "alice", "role": "model"}, {"username": "bob"}, {"username": "carol"},
            {"username": "boss", "role": "admin"}]),
        ),
        (
            "posts",
            json!([{"id": "a1", "username": "alice", "content": "#rust"},
            {"id": "a2", "username": "alice", "content": "#rust"},
            {"id": "b1", "username": "bob", "content": "#rust", "created_at": LONG_AGO_MS}]),
        ),
        (
            "follows",
            json!([{"follower": "bob", "following": "alice"}, {"follower": "carol", "following": "alice"},
            {"follower": "alice", "following": "bob"}]),
        ),
        (
            "likes",
            json!([{"username": "bob", "post_id": "a1"}, {"username": "carol", "post_id": "a1"},
            {"username": "bob", "post_id": "a2"}, {"username": "alice", "post_id": "b1"}]),
        ),
        ("bookmarks", json!([{"username": "carol", "post_id": "a1"}])),
    ] {
        let answer = world.post(&format!("/sync/{kind}")).api_key().json(items).send().await;
        assert!(!answer.ok().to_string().contains("error"), "{}", answer.text());
    }
    world.comment("bob", "a1", "c").await;
    world.ban("a2").await;
    world
}

/// A thing that is broken: how, and what is told of it.
struct Damage {
    commands: Vec<Vec<String>>,
    told: BTreeSet<Difference>,
}

/// `HSET key field value; …` and what is told.
fn damage(commands: &str, told: &[[&str; 4]]) -> Damage {
    let commands = commands.split(';').map(|command| command.split_whitespace().map(filled).collect());
    Damage {
        commands: commands.collect(),
        told: told.iter().map(|parts| difference(*parts).map(|part| filled(&part))).collect(),
    }
}

/// With the times and the numbers that stand for words in capitals.
fn filled(word: &str) -> String {
    let (hour, day) = (NOW_MS / 3_600_000, NOW_MS / DAY_MS);
    let words = [
        ("NOW", NOW_MS.to_string()),
        ("AGO", LONG_AGO_MS.to_string()),
        ("HOUR", hour.to_string()),
        ("DAY", day.to_string()),
    ];
    words.iter().fold(word.to_owned(), |word, (name, value)| word.replace(name, value))
}

/// Breaks each thing in a world of its own, that is: in one that is whole again each time. One mending must do.
async fn check(damages: Vec<Damage>) {
    check_within(1, damages).await;
}

/// The same, with so many mendings. If it may take several, a report may also tell what follows from the damage.
async fn check_within(mendings: usize, damages: Vec<Damage>) {
    let world = scene().await;
    let whole = (world.redis.keyspace(), world.redis.expiring_keys());
    assert_eq!(run(&world.gateway, "report").await, BTreeSet::new());
    let mut faults = Vec::new();
    for Damage { commands, told } in damages {
        for command in &commands {
            world.redis.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let name = commands.iter().map(|command| command.join(" ")).collect::<Vec<_>>().join("; ");
        let broken = world.redis.keyspace();
        let reported = run(&world.gateway, "report").await;
        if if mendings == 1 { reported != told } else { !reported.is_superset(&told) } {
            faults.push(format!("{name}: is reported as {reported:?}\n    instead of {told:?}"));
        }
        let changes = differences(&world.redis.keyspace(), &broken);
        if !changes.is_empty() {
            faults.push(format!("{name}: a report changes {changes:?}"));
        }
        for _ in 0..mendings {
            run(&world.gateway, "mend").await;
            world.gateway.finish_jobs().await;
        }
        let left = differences(&world.redis.keyspace(), &whole.0);
        if !left.is_empty() {
            faults.push(format!("{name}: after it was mended {left:?}"));
        }
        if world.redis.expiring_keys() != whole.1 {
            faults.push(format!("{name}: afterwards these expire {:?}", world.redis.expiring_keys()));
        }
        let again = run(&world.gateway, "report").await;
        if !again.is_empty() {
            faults.push(format!("{name}: a second run still finds {again:?}"));
        }
        world.redis.run(&["FLUSHALL"]);
        world.redis.fill(&whole.0);
        for key in &whole.1 {
            world.redis.run(&["EXPIRE", key, "100000"]);
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test]
async fn counters_of_users() {
    check(vec![
        damage("HSET user:alice postCount 7", &[["user:alice", "postCount", "7", "1"]]),
        damage("HDEL user:alice followerCount", &[["user:alice", "followerCount", "0", "2"]]),
        damage("HSET user:bob followingCount -1", &[["user:bob", "followingCount", "-1", "1"]]),
        damage("HSET user:boss followerCount x", &[["user:boss", "followerCount", "x", "0"]]),
        damage(
            "HSET user:carol postCount 1 followerCount 2 followingCount 3",
            &[
                ["user:carol", "postCount", "1", "0"],
                ["user:carol", "followerCount", "2", "0"],
                ["user:carol", "followingCount", "3", "1"],
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn places_in_the_registries() {
    check(vec![
        damage("ZREM users:regular bob", &[["users:regular", "bob", "", "NOW"]]),
        damage("ZADD users:models 5 alice", &[["users:models", "alice", "5", "NOW"]]),
        damage("ZADD users:regular 5 alice", &[["users:regular", "alice", "5", ""]]),
        damage(
            "ZADD users:regular 5 boss; ZADD users:models 6 boss",
            &[["users:regular", "boss", "5", ""], ["users:models", "boss", "6", ""]],
        ),
        damage(
            "ZADD users:models 5 carol; ZREM users:regular carol",
            &[["users:models", "carol", "5", ""], ["users:regular", "carol", "", "NOW"]],
        ),
    ])
    .await;
}

#[tokio::test]
async fn sums_of_engagement() {
    check(vec![
        damage("ZADD authors:engagement 999 alice", &[["authors:engagement", "alice", "999", "15"]]),
        damage("ZREM authors:engagement bob", &[["authors:engagement", "bob", "", "3"]]),
        damage("ZADD authors:engagement 3 carol", &[["authors:engagement", "carol", "3", ""]]),
        damage("ZREM models:top:engagement alice", &[["models:top:engagement", "alice", "", "15"]]),
        damage("ZADD models:top:engagement 3 bob", &[["models:top:engagement", "bob", "3", ""]]),
    ])
    .await;
}

/// Nothing but the counter is wrong, so nothing but the counter is told, and mending does not spoil what it has spoilt not.
#[tokio::test]
async fn counters_of_posts() {
    check(vec![
        damage("HSET post:a1 likesCount 9", &[["post:a1", "likesCount", "9", "2"]]),
        damage("HDEL post:a1 bookmarksCount", &[["post:a1", "bookmarksCount", "0", "1"]]),
        damage("HSET post:a1 commentsCount -1", &[["post:a1", "commentsCount", "-1", "1"]]),
        damage("HSET post:a2 likesCount 0", &[["post:a2", "likesCount", "0", "1"]]),
        damage("HSET post:b1 likesCount 100", &[["post:b1", "likesCount", "100", "1"]]),
    ])
    .await;
}

#[tokio::test]
async fn places_in_the_feeds() {
    check(vec![
        damage("ZREM explore:feed a1", &[["explore:feed", "a1", "", "NOW"]]),
        damage("ZADD explore:feed 5 b1", &[["explore:feed", "b1", "5", "AGO"]]),
        damage("ZADD explore:feed 5 a2", &[["explore:feed", "a2", "5", ""]]),
        damage("ZADD user:bob:posts 5 b1", &[["user:bob:posts", "b1", "5", "AGO"]]),
        damage("ZREM user:alice:banned a2", &[["user:alice:banned", "a2", "", "NOW"]]),
        damage("ZADD user:alice:banned 5 a1", &[["user:alice:banned", "a1", "5", ""]]),
    ])
    .await;
}

#[tokio::test]
async fn places_in_the_hashtags() {
    check(vec![
        damage("ZREM hashtag:rust:posts a1", &[["hashtag:rust:posts", "a1", "", "NOW"]]),
        damage("ZADD hashtag:rust:posts 5 a2", &[["hashtag:rust:posts", "a2", "5", ""]]),
        damage("ZADD hashtag:rust:ranked 5 a1", &[["hashtag:rust:ranked", "a1", "5", "15"]]),
        damage("ZREM hashtag:rust:ranked b1", &[["hashtag:rust:ranked", "b1", "", "3"]]),
        damage("ZADD hashtag:rust:ranked:hHOUR 5 a1", &[["hashtag:rust:ranked:hHOUR", "a1", "5", "15"]]),
        damage("ZADD hashtag:rust:ranked:dDAY 5 a2", &[["hashtag:rust:ranked:dDAY", "a2", "5", ""]]),
        damage(
            "DEL hashtag:rust:ranked:hHOUR hashtag:rust:ranked:dDAY",
            &[["hashtag:rust:ranked:hHOUR", "a1", "", "15"], ["hashtag:rust:ranked:dDAY", "a1", "", "15"]],
        ),
    ])
    .await;
}

/// A place that something counts: until it is mended, the count is right to count what is there.
#[tokio::test]
async fn places_that_something_else_counts() {
    check_within(
        2,
        vec![
            damage("ZREM user:alice:posts a1", &[["user:alice:posts", "a1", "", "NOW"]]),
            damage("ZADD user:alice:posts 5 a2", &[["user:alice:posts", "a2", "5", ""]]),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_left_of_those_who_are_gone() {
    check(vec![
        damage(
            "HSET post:ghost id ghost username nobody hashtags rust created_at NOW likesCount 1; SADD post:ghost:likes bob; \
             ZADD user:bob:liked 1 ghost; ZADD explore:feed NOW ghost; ZADD hashtag:rust:posts NOW ghost",
            &[["post:ghost", "username", "nobody", ""]],
        ),
        damage("SADD post:gone:likes bob; ZADD user:bob:liked 1 gone", &[["post:gone:likes", "post", "gone", ""]]),
        damage(
            "SADD post:gone:bookmarks bob; ZADD user:bob:bookmarked 1 gone",
            &[["post:gone:bookmarks", "post", "gone", ""]],
        ),
        damage(
            "ZADD post:gone:comments 1 c; ZADD user:bob:comments 1 c; HSET comment:c id c post_id gone user_id bob",
            &[["post:gone:comments", "post", "gone", ""], ["comment:c", "post", "gone", ""]],
        ),
        damage(
            "ZADD user:bob:comments 1 c; HSET comment:c id c post_id gone user_id bob",
            &[["comment:c", "post", "gone", ""]],
        ),
    ])
    .await;
}

/// All at once, in a Redis whose keys come in another order each time.
#[tokio::test]
async fn after_one_mending_there_is_nothing_left_to_tell() {
    for round in 0..12 {
        let world = World::own().at(NOW_MS);
        let name = |stem: &str, n: usize| format!("{stem}-{round}-{n}");
        let users: Vec<Value> = (0..12).map(|n| json!({"username": name("u", n), "role": "model"})).collect();
        let posts: Vec<Value> =
            (0..12).map(|n| json!({"id": name("p", n), "username": name("u", n), "content": "#t"})).collect();
        for (kind, items) in [("users", users), ("posts", posts)] {
            assert_eq!(world.post(&format!("/sync/{kind}")).api_key().json(items).send().await.status, 200);
        }
        let whole = world.redis.keyspace();
        for n in 0..12 {
            world.redis.run(&["HSET", &format!("post:{}", name("p", n)), "likesCount", "9"]);
            world.redis.run(&["HSET", &format!("user:{}", name("u", n)), "postCount", "9"]);
        }
        run(&world.gateway, "mend").await;
        assert_eq!(differences(&world.redis.keyspace(), &whole), [""; 0], "round {round}");
    }
}
