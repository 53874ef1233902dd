//! The audit itself: it finds nothing wrong where nothing is, and every single thing that is spoilt.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use support::{
    Redis,
    audit::audit,
    facts::{Ban, Comment, Facts, Post},
    keyspace::{Keyspace, Stored},
};

/// A few users, one post with everything on it, and a banned one, both made just now.
fn sample(redis: &Redis) -> Facts {
    let now: i64 = redis.run(&["TIME"])[0].as_str().unwrap().parse::<i64>().unwrap() * 1000;
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut facts = Facts::default();
    for (name, role) in [("alice", "model"), ("bob", "user"), ("carol", "user"), ("dave", "user"), ("root", "admin")] {
        let fields = text(&[("username", name), ("role", role), ("created_at", "1700000000000")]);
        facts.users.insert(name.into(), fields);
    }
    // Of the others nothing repeats the avatar, so nothing tells whether it is right.
    facts.users.get_mut("alice").unwrap().insert("avatar".into(), "a".into());
    let post = |author: &str, ban| Post {
        author: author.into(),
        content: "hello".into(),
        hashtags: vec!["one".into(), "two".into()],
        created_at: now,
        published_at: now,
        ban,
        ..Post::default()
    };
    facts.posts.insert("seen".into(), post("alice", None));
    facts.posts.insert("hidden".into(), post("alice", Some(Ban { at: 1_700_000_002_000, by: "root".into() })));
    for (id, user) in [("seen", "bob"), ("seen", "carol"), ("hidden", "bob")] {
        facts.likes.insert((id.into(), user.into()), 1_700_000_003_000);
        facts.bookmarks.insert((id.into(), user.into()), 1_700_000_004_000);
        let comment =
            Comment { post: id.into(), author: user.into(), content: "yes".into(), created_at: 1_700_000_005_000 };
        facts.comments.insert(format!("{id}-{user}"), comment);
    }
    for (followed, follower) in [("alice", "bob"), ("alice", "carol"), ("bob", "alice"), ("bob", "root")] {
        facts.follows.insert((followed.into(), follower.into()), 1_700_000_006_000);
    }
    facts
}

/// Commands that spoil one thing each.
fn damages(keys: &Keyspace) -> Vec<Vec<String>> {
    let mut damages = Vec::new();
    let mut damage = |words: &[&str]| damages.push(words.iter().map(|word| (*word).to_owned()).collect());
    for (key, value) in keys {
        damage(&["DEL", key]);
        damage(&if key.contains(":ranked:") { vec!["PERSIST", key] } else { vec!["EXPIRE", key, "1000"] });
        match value {
            Stored::Hash(fields) => {
                fields.keys().filter(|name| !is_free(key, name)).for_each(|name| damage(&["HSET", key, name, "7"]));
                fields.keys().for_each(|name| damage(&["HDEL", key, name]));
            }
            Stored::Set(members) => {
                damage(&["SADD", key, "nobody"]);
                damage(&["SADD", key, "dave"]);
                members.iter().for_each(|member| damage(&["SREM", key, member]));
            }
            Stored::Zset(scores) => {
                damage(&["ZADD", key, "5", "nobody"]);
                damage(&["ZADD", key, "5", "dave"]);
                for member in scores.keys() {
                    damage(&["ZREM", key, member]);
                    // When somebody liked something stands nowhere else.
                    if !key.contains(":liked") && !key.contains(":bookmarked") {
                        damage(&["ZINCRBY", key, "1", member]);
                    }
                }
            }
            Stored::Text(_) | Stored::Other(_) => {}
        }
    }
    for key in [
        "user:ghost:liked",
        "post:gone:comments",
        "hashtag:three:ranked",
        "hashtag:one:ranked:h5",
        "explore:other",
        "jobs:pending",
    ] {
        damage(&["ZADD", key, "5", "seen"]);
    }
    for key in ["comment:gone", "post:gone", "user:ghost", "job:ban:seen", "other"] {
        damage(&["HSET", key, "id", "gone"]);
    }
    for key in ["user:alice:deleting", "idempotency:alice:x", "webhook:x"] {
        damage(&["SET", key, "seen"]);
    }
    damages
}

/// Fields that nothing else vouches for.
fn is_free(key: &str, field: &str) -> bool {
    match key {
        // A banned post is in no hashtag's feed.
        "post:hidden" => ["content", "media_url", "viewsCount", "banned_by", "hashtags"].contains(&field),
        "post:seen" => ["content", "media_url", "viewsCount"].contains(&field),
        // An admin is in no registry.
        "user:root" => field == "created_at",
        _ => key.starts_with("comment:") && field == "content",
    }
}

#[test]
fn nothing_is_wrong_with_what_fits_together() {
    let redis = Redis::own();
    redis.fill(&sample(&redis).keyspace());
    redis.run(&["SET", "idempotency:alice:x", "seen", "EX", "86400"]);
    redis.run(&["HSET", "user:carol", "postCount", "0"]);
    assert_eq!(audit(&redis), Vec::<String>::new());
}

#[test]
fn every_single_damage_is_found() {
    let redis = Redis::own();
    let keys = sample(&redis).keyspace();
    let damages = damages(&keys);
    assert!(damages.len() > 200);
    for damage in damages {
        redis.run(&["FLUSHALL"]);
        redis.fill(&keys);
        redis.run(&damage.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!audit(&redis).is_empty(), "{damage:?}");
    }
}
