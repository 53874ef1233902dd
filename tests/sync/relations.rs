//! `POST /sync/follows`, `/sync/likes`, `/sync/bookmarks`.

use serde_json::{Value, json};

use crate::{
    social::{World, unique_tag},
    support::{NOW_MS, unique},
    sync, sync_twice,
};

/// When something happened that is told of much later.
const THEN: i64 = 1_700_000_000_000;

const KINDS: [(&str, &str, &str, i64); 2] =
    [("likes", "liked", "likesCount", 3), ("bookmarks", "bookmarked", "bookmarksCount", 4)];

/// Three users, and a post of the first of them.
async fn people() -> (World, String) {
    let world = World::own().at(NOW_MS);
    for name in ["alice", "bob", "carol"] {
        world.make(name, json!({"role": if name == "alice" { "model" } else { "user" }})).await;
    }
    let post = world.write("alice", "#tag").await;
    (world, post)
}

#[tokio::test]
async fn follows_are_told_in_their_places_what_became_of_them() {
    let (world, _) = people().await;
    let items = json!([
        {"follower": "bob", "following": "alice", "created_at": THEN},
        {"follower": "bob", "following": "alice"},
        {"follower": "carol", "following": "alice"},
        {"follower": "carol", "following": "alice", "deleted": true},
        {"follower": "carol", "following": "alice", "deleted": true},
        {"follower": "carol", "following": "carol"},
        {"follower": "carol", "following": "nobody"},
        {"follower": "nobody", "following": "carol"},
        {"follower": "nobody", "following": "carol", "deleted": true},
        {"follower": "carol"},
        {"following": "carol"},
        {"follower": "carol", "following": "a b"},
        {"follower": "carol", "following": "bob", "created_at": "1700000000000"},
        {"follower": "carol", "following": "bob", "created_at": "soon"},
    ]);
    let invalid = "error: Field 'following': a username has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not 'me', \
                   'AUTH', '.' or '..'";
    assert_eq!(
        sync(&world, "follows", items).await,
        [
            "created",
            "unchanged",
            "created",
            "deleted",
            "unchanged",
            "error: Field 'following' must be another user than 'follower'",
            "error: User not found",
            "error: User not found",
            "unchanged",
            "error: Field 'following' is required",
            "error: Field 'follower' is required",
            invalid,
            "created",
            "error: Field 'created_at' must be an integer",
        ]
    );
    let counts = |name: &str| {
        ["followerCount", "followingCount"].map(|field| world.redis.hash(&format!("user:{name}"))[field].clone())
    };
    assert_eq!(counts("alice"), ["1", "0"]);
    assert_eq!(counts("bob"), ["1", "1"]);
    assert_eq!(counts("carol"), ["0", "1"]);
    let then = THEN.to_string();
    assert_eq!(world.score("user:alice:followers:since", "bob"), then);
    assert_eq!(world.score("user:bob:following:since", "alice"), then);
    assert_eq!(world.names("alice", "/users/bob/followers").await, ["carol"]);
    assert!(!world.exists("user:nobody"));
}

#[tokio::test]
async fn follows_sent_twice_change_nothing_the_second_time() {
    let (world, _) = people().await;
    world.follow("alice", "bob").await;
    let items = json!([
        {"follower": "bob", "following": "alice", "created_at": THEN},
        {"follower": "carol", "following": "alice"},
        {"follower": "alice", "following": "bob", "created_at": THEN},
        {"follower": "alice", "following": "bob", "deleted": true},
        {"follower": "carol", "following": "carol"},
    ]);
    let self_follow = "error: Field 'following' must be another user than 'follower'";
    let [first, second] = sync_twice(&world, "follows", items).await;
    assert_eq!(first, ["created", "created", "unchanged", "deleted", self_follow]);
    // The third item brings the follow back that the fourth takes away.
    assert_eq!(second, ["unchanged", "unchanged", "created", "deleted", self_follow]);
    assert!(!world.exists("user:alice:following") && !world.exists("user:alice:following:since"));
}

#[tokio::test]
async fn nobody_follows_more_than_5000() {
    let world = World::shared();
    let (busy, next) = (world.user("busy").await, world.user("next").await);
    let key = format!("user:{busy}:following");
    let names: Vec<String> = (0..4999).map(|n| format!("n{n}")).collect();
    let words = ["SADD", &key].into_iter().chain(names.iter().map(String::as_str));
    world.redis.run(&words.collect::<Vec<_>>());
    let last = world.user("last").await;
    let items = json!([{"follower": busy, "following": last}, {"follower": busy, "following": next}]);
    let full = "error: A user can follow at most 5000 others";
    assert_eq!(sync(&world, "follows", items.clone()).await, ["created", full]);
    assert_eq!(sync(&world, "follows", items).await, ["unchanged", full]);
    assert_eq!(world.field(&format!("user:{next}"), "followerCount"), "0");
}

#[tokio::test]
async fn likes_and_bookmarks_are_told_in_their_places_what_became_of_them() {
    for (kind, list, counter, weight) in KINDS {
        let (world, post) = people().await;
        let items = json!([
            {"username": "bob", "post_id": post, "created_at": THEN},
            {"username": "bob", "post_id": post},
            {"username": "alice", "post_id": post},
            {"username": "carol", "post_id": post},
            {"username": "carol", "post_id": post, "deleted": true},
            {"username": "carol", "post_id": post, "deleted": true},
            {"username": "carol", "post_id": "unknown"},
            {"username": "carol", "post_id": "unknown", "deleted": true},
            {"username": "nobody", "post_id": post},
            {"username": "nobody", "post_id": post, "deleted": true},
            {"username": "carol"},
            {"post_id": post},
            {"username": "carol", "post_id": "a/b"},
            {"username": "carol", "post_id": post, "created_at": []},
        ]);
        let outcomes = [
            "created",
            "unchanged",
            "created",
            "created",
            "deleted",
            "unchanged",
            "error: Post not found",
            "unchanged",
            "error: User not found",
            "unchanged",
            "error: Field 'post_id' is required",
            "error: Field 'username' is required",
            "error: Field 'post_id': an id has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not '.' or '..'",
            "error: Field 'created_at' must be an integer",
        ];
        assert_eq!(sync(&world, kind, items).await, outcomes, "{kind}");
        assert_eq!(world.redis.hash(&format!("post:{post}"))[counter], "2", "{kind}");
        assert_eq!(world.redis.run(&["SCARD", &format!("post:{post}:{kind}")]), 2, "{kind}");
        assert_eq!(world.score(&format!("user:bob:{list}"), &post), THEN.to_string(), "{kind}");
        assert_eq!(world.score(&format!("user:alice:{list}"), &post), NOW_MS.to_string(), "{kind}");
        assert!(!world.exists(&format!("user:carol:{list}")) && !world.exists("user:nobody"), "{kind}");
        for ranking in ["hashtag:tag:ranked", "models:top:engagement"] {
            let member = if ranking.starts_with("hashtag") { post.as_str() } else { "alice" };
            assert_eq!(world.score(ranking, member), (2 * weight).to_string(), "{kind}");
        }
        assert_eq!(world.ids("bob", &format!("/users/me/{list}")).await, [&*post], "{kind}");
    }
}

#[tokio::test]
async fn likes_and_bookmarks_sent_twice_change_nothing_the_second_time() {
    for (kind, ..) in KINDS {
        let (world, post) = people().await;
        world.does("carol", "POST", &format!("/posts/{post}/{}", kind.trim_end_matches('s'))).await;
        let items = json!([
            {"username": "bob", "post_id": post, "created_at": THEN},
            {"username": "alice", "post_id": post},
            {"username": "carol", "post_id": post, "deleted": true},
            {"username": "carol", "post_id": "unknown"},
        ]);
        let [first, second] = sync_twice(&world, kind, items).await;
        assert_eq!(first, ["created", "created", "deleted", "error: Post not found"]);
        assert_eq!(second, ["unchanged", "unchanged", "unchanged", "error: Post not found"]);
    }
}

/// The newest like stands first in the list of likes, whatever the order in which a backend tells of them.
#[tokio::test]
async fn what_happened_earlier_stands_further_down() {
    let world = World::shared();
    let (author, reader, tag) = (world.user("author").await, world.user("reader").await, unique_tag("order"));
    let mut posts = Vec::new();
    for _ in 0..3 {
        posts.push(world.write(&author, &format!("#{tag}")).await);
    }
    let times = [THEN + 2, THEN, THEN + 1];
    for (kind, list, ..) in KINDS {
        let items: Vec<Value> = (posts.iter().zip(times))
            .map(|(post, at)| json!({"username": reader, "post_id": post, "created_at": at}))
            .collect();
        assert_eq!(sync(&world, kind, json!(items)).await, ["created"; 3]);
        assert_eq!(world.ids(&reader, &format!("/users/me/{list}")).await, [&*posts[0], &posts[2], &posts[1]]);
    }
    let fans = [unique("fan"), unique("fan"), unique("fan")];
    for (fan, at) in fans.iter().zip(times) {
        world.make(fan, json!({})).await;
        sync(&world, "follows", json!([{"follower": fan, "following": author, "created_at": at}])).await;
    }
    let names = world.names(&author, "/users/me/followers").await;
    assert_eq!(names, [&*fans[0], &fans[2], &fans[1]]);
}

/// What a backend says has happened, whatever has become of the post since; it shows when the ban is lifted.
#[tokio::test]
async fn likes_of_a_banned_post_are_applied_and_show_when_the_ban_is_lifted() {
    for (kind, list, counter, weight) in KINDS {
        let (world, post) = people().await;
        let like = |name: &str| json!({"username": name, "post_id": post, "created_at": THEN});
        let gone = |name: &str| json!({"username": name, "post_id": post, "deleted": true});
        assert_eq!(sync(&world, kind, json!([like("alice"), like("bob")])).await, ["created"; 2], "{kind}");
        world.ban(&post).await;
        let [first, second] = sync_twice(&world, kind, json!([like("alice"), gone("bob"), like("carol")])).await;
        assert_eq!(
            (first, second),
            (vec!["unchanged".into(), "deleted".into(), "created".into()], vec!["unchanged".into(); 3])
        );
        for name in ["alice", "bob", "carol"] {
            assert_eq!(world.ids(name, &format!("/users/me/{list}")).await, [""; 0], "{kind}, {name}");
        }
        for ranking in ["hashtag:tag:ranked", "models:top:engagement", "authors:engagement"] {
            assert!(!world.exists(ranking), "{kind}: {ranking}");
        }
        assert_eq!(world.field(&format!("post:{post}"), counter), "2", "{kind}");
        world.lift(&post).await;
        for (name, has) in [("alice", true), ("bob", false), ("carol", true)] {
            assert_eq!(!world.ids(name, &format!("/users/me/{list}")).await.is_empty(), has, "{kind}, {name}");
        }
        assert_eq!(world.score(&format!("user:carol:{list}"), &post), THEN.to_string(), "{kind}");
        assert_eq!(world.score("models:top:engagement", "alice"), (2 * weight).to_string(), "{kind}");
    }
}
