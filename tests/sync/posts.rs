//! `POST /sync/posts`.

use serde_json::{Value, json};

use crate::{
    LATER_MS,
    social::{World, id_of, ids_of, unique_tag},
    support::{NOW_MS, unique},
    sync, sync_twice,
};

const HOUR_MS: u64 = 3_600_000;

/// An author and a reader in a Redis of their own.
async fn people() -> World {
    let world = World::own().at(NOW_MS);
    world.make("alice", json!({"display_name": "Alice", "avatar": "a.png", "role": "model"})).await;
    world.make("bob", json!({})).await;
    world
}

#[tokio::test]
async fn a_post_is_created_as_a_route_would_create_it() {
    let world = people().await;
    let item = json!({"id": "xano-17", "username": "alice", "content": "  Hello #Rust \n", "hashtags": ["#edge", "rust"],
        "media_url": "https://example.com/m.png"});
    assert_eq!(sync(&world, "posts", json!([item])).await, ["created"]);
    let body = json!({"content": "  Hello #Rust \n", "hashtags": ["#edge", "rust"],
        "media_url": "https://example.com/m.png"});
    let own = world.draft("alice", body).await;
    let [mut synced, mut made] = ["xano-17", &id_of(&own)].map(|id| world.redis.hash(&format!("post:{id}")));
    assert_eq!((synced["id"].take(), made["id"].take()), (json!("xano-17"), own["id"].clone()));
    assert_eq!(synced, made);
    assert_eq!(synced["hashtags"], "rust,edge");
    assert_eq!(world.field("user:alice", "postCount"), "2");
    for path in ["/feed/explore", "/users/alice/posts", "/feed/hashtag/edge", "/feed/hashtag/rust/ranked"] {
        assert_eq!(world.ids("bob", path).await.len(), 2, "{path}");
    }
}

#[tokio::test]
async fn each_item_is_told_in_its_place_what_became_of_it() {
    let world = people().await;
    let first = json!({"id": "1", "username": "alice", "content": "one #a"});
    let gone = json!({"id": "1", "deleted": true});
    let items = json!([
        first, first,
        {"id": "1", "username": "alice", "content": "one #b"},
        {"id": "2", "username": "bob", "content": "two", "created_at": 1_700_000_000_000_i64},
        {"id": "3", "username": "nobody-here", "content": "three"},
        {"id": "2", "username": "alice", "content": "two"},
        gone, gone, {"id": "never", "deleted": true, "username": 5},
    ]);
    assert_eq!(
        sync(&world, "posts", items).await,
        [
            "created",
            "unchanged",
            "updated",
            "created",
            "error: User not found",
            "error: The post belongs to another user",
            "deleted",
            "unchanged",
            "unchanged"
        ]
    );
    assert_eq!(ids_of(&world.see("bob", "/feed/explore").await), ["2"]);
    assert_eq!(
        (world.field("user:alice", "postCount"), world.field("user:bob", "postCount")),
        (json!("0"), json!("1"))
    );
    assert!(!world.exists("hashtag:a:posts") && !world.exists("hashtag:b:posts") && !world.exists("post:1"));
    assert_eq!(world.field("post:2", "username"), "bob");
}

#[tokio::test]
async fn a_list_sent_twice_changes_nothing_the_second_time() {
    let world = people().await;
    let old = world.write("alice", "old #old").await;
    let leaving = world.write("bob", "leaving #old").await;
    world.like("bob", &old).await;
    world.like("alice", &leaving).await;
    let items = json!([
        {"id": "dated", "username": "alice", "content": "x #new", "created_at": NOW_MS - HOUR_MS},
        {"id": "undated", "username": "alice", "content": "x #new"},
        {"username": "bob", "content": "nameless #new"},
        {"id": old, "username": "alice", "content": "changed #new", "created_at": NOW_MS - 5},
        {"id": leaving, "deleted": true},
        {"id": "a b", "username": "alice", "content": "x"},
    ]);
    let [first, second] = sync_twice(&world, "posts", items).await;
    let error = "error: Field 'id': an id has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not '.' or '..'";
    assert_eq!(first, ["created", "created", "created", "updated", "deleted", error]);
    assert_eq!(second, ["unchanged", "unchanged", "unchanged", "unchanged", "unchanged", error]);
}

#[tokio::test]
async fn a_post_without_an_id_gets_the_same_id_again() {
    let world = people().await;
    let item = json!({"username": "bob", "content": "nameless", "created_at": 1_700_000_000_000_i64});
    let but = |field: &str, value: Value| {
        let mut other = item.clone();
        other[field] = value;
        other
    };
    let items = json!([
        item,
        item,
        but("content", json!(" nameless ")),
        but("created_at", json!("1700000000000")),
        but("id", Value::Null),
        but("content", json!("other")),
        but("username", json!("alice")),
        but("created_at", json!(1_700_000_000_001_i64)),
        but("created_at", Value::Null),
        but("media_url", json!("https://example.com/m.png")),
    ]);
    let statuses = ["created", "unchanged", "unchanged", "unchanged", "unchanged", "created", "created", "created"];
    let [first, second] = sync_twice(&world, "posts", items).await;
    assert_eq!(first[..8], statuses);
    assert_eq!(first[8..], ["created", "created"]);
    assert_eq!(second, ["unchanged"; 10]);
    let ids = world.ids("bob", "/feed/explore").await;
    assert_eq!(ids.len(), 6);
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
    // Another isolate, which knows nothing of this one, finds the same.
    let other = crate::support::Gateway::on(&world.redis);
    let answer = other.post("/sync/posts").api_key().json(json!([item])).send().await;
    assert_eq!(crate::outcomes(&answer), ["unchanged"]);
}

#[tokio::test]
async fn what_a_post_keeps_when_an_item_does_not_say_it() {
    let world = people().await;
    let whole = json!({"id": "p", "username": "alice", "content": "x", "media_url": "https://example.com/m.png",
        "created_at": 1_700_000_000_000_i64});
    assert_eq!(sync(&world, "posts", json!([whole])).await, ["created"]);
    let bare = json!([{"id": "p", "username": "alice", "content": "x"}]);
    assert_eq!(sync(&world, "posts", bare.clone()).await, ["unchanged"]);
    let cleared = json!([{"id": "p", "username": "alice", "content": "x", "media_url": "", "created_at": null}]);
    assert_eq!(sync(&world, "posts", cleared).await, ["updated"]);
    let stored = world.redis.hash("post:p");
    assert_eq!((&stored["media_url"], &stored["created_at"]), (&json!(""), &json!("1700000000000")));
    assert_eq!(sync(&world, "posts", bare).await, ["unchanged"]);
}

#[tokio::test]
async fn a_change_moves_the_post_in_every_feed_and_keeps_what_was_done_to_it() {
    let world = people().await;
    let (old, other) = (world.write("alice", "#stays #goes").await, world.write("alice", "#stays").await);
    world.like("bob", &old).await;
    world.bookmark("bob", &old).await;
    world.comment("bob", &old, "c").await;
    assert_eq!(world.ids("bob", "/feed/hashtag/stays/ranked").await, [&*old, &other]);
    let item =
        json!({"id": old, "username": "alice", "content": "#stays #comes", "created_at": NOW_MS - 30 * 24 * HOUR_MS});
    assert_eq!(sync_twice(&world, "posts", json!([item])).await, [["updated"], ["unchanged"]]);
    for path in ["/feed/explore", "/users/alice/posts", "/feed/hashtag/stays", "/feed/hashtag/stays/ranked"] {
        assert_eq!(world.ids("bob", path).await, [&*other, &old], "{path}");
    }
    assert_eq!(world.ids("bob", "/feed/hashtag/goes").await, [""; 0]);
    assert_eq!(world.ids("bob", "/feed/hashtag/comes").await, [&*old]);
    let seen = world.post_seen_by("bob", &old).await;
    let counts = ["likesCount", "bookmarksCount", "commentsCount"].map(|count| seen[count].clone());
    assert_eq!((counts, &seen["isLiked"]), ([json!(1), json!(1), json!(1)], &json!(true)));
    assert_eq!(world.field("user:alice", "postCount"), "2");
    assert_eq!(world.score("models:top:engagement", "alice"), "12");
    assert_eq!(world.score("hashtag:comes:ranked", &old), "12");
    assert!(!world.exists("hashtag:goes:ranked"));
}

/// Beside the ranking of all time a post stands in that of its hour and that of its day, while anybody looks there.
#[tokio::test]
async fn the_time_of_creation_decides_on_the_rankings_of_hours_and_days() {
    let world = people().await;
    let at = |now_ms: u64, length: u64| now_ms / length;
    let (hour, day) = (at(NOW_MS, HOUR_MS), at(NOW_MS, 24 * HOUR_MS));
    let rankings = async |created_at: u64| {
        let item = json!([{"id": "p", "username": "alice", "content": "#t", "created_at": created_at}]);
        sync(&world, "posts", item).await;
        let keys = world.redis.keyspace().into_keys();
        keys.filter(|key| key.starts_with("hashtag:t:ranked:")).collect::<Vec<_>>()
    };
    let names = |numbers: &[(char, u64)]| {
        numbers.iter().map(|(kind, number)| format!("hashtag:t:ranked:{kind}{number}")).collect::<Vec<_>>()
    };
    assert_eq!(rankings(NOW_MS).await, names(&[('d', day), ('h', hour)]));
    assert_eq!(rankings(NOW_MS - 2 * HOUR_MS).await, names(&[('d', day), ('h', hour - 2)]));
    assert_eq!(rankings(NOW_MS - 72 * HOUR_MS).await, names(&[('d', day - 3)]));
    assert_eq!(rankings(NOW_MS - 24 * 30 * HOUR_MS).await, names(&[]));
    assert_eq!(rankings(NOW_MS + 24 * HOUR_MS).await, names(&[('d', day + 1), ('h', hour + 24)]));
    let expiring = world.redis.expiring_keys();
    assert!(names(&[('d', day + 1), ('h', hour + 24)]).iter().all(|key| expiring.contains(key)), "{expiring:?}");
}

#[tokio::test]
async fn a_banned_post_stays_banned_when_it_is_synced() {
    let world = people().await;
    let id = world.write("alice", "before #a").await;
    world.ban(&id).await;
    let item = json!([{"id": id, "username": "alice", "content": "after #b", "created_at": NOW_MS - 9}]);
    assert_eq!(sync_twice(&world, "posts", item).await, [["updated"], ["unchanged"]]);
    assert_eq!(world.score("user:alice:banned", &id), (NOW_MS - 9).to_string());
    assert_eq!(world.score("posts:banned", &id), NOW_MS.to_string());
    assert!(!world.exists("hashtag:b:posts") && !world.exists("explore:feed"));
    assert_eq!(world.field("user:alice", "postCount"), "0");
    world.lift(&id).await;
    assert_eq!(world.ids("bob", "/feed/hashtag/b").await, [&*id]);
    assert_eq!(world.ids("bob", "/feed/hashtag/a").await, [""; 0]);
    world.ban(&id).await;
    let gone = json!([{"id": id, "deleted": true}]);
    assert_eq!(sync_twice(&world, "posts", gone).await, [["deleted"], ["unchanged"]]);
    assert!(!world.exists("posts:banned") && !world.exists("user:alice:banned"));
}

#[tokio::test]
async fn a_deleted_post_leaves_nothing_behind() {
    let world = people().await;
    let empty = world.redis.keyspace();
    let id = world.write("alice", "#gone").await;
    for reader in ["alice", "bob"] {
        world.like(reader, &id).await;
        world.bookmark(reader, &id).await;
        world.comment(reader, &id, "c").await;
    }
    assert_eq!(sync_twice(&world, "posts", json!([{"id": id, "deleted": true}])).await, [["deleted"], ["unchanged"]]);
    assert_eq!(world.redis.keyspace(), empty);
}

#[tokio::test]
async fn what_is_no_post_is_an_error_in_its_place() {
    let world = World::shared();
    let (name, tag) = (world.user("strict").await, unique_tag("strict"));
    let with = |fields: Value| {
        let mut item = json!({"username": name, "content": "x"});
        item.as_object_mut().unwrap().append(&mut fields.as_object().unwrap().clone());
        item
    };
    let content = "error: Field 'content' must be 1 to 5000 characters long";
    let media = "error: Field 'media_url' must be empty or an http or https URL of at most 2048 bytes";
    let id = "error: Field 'id': an id has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not '.' or '..'";
    let cases = [
        (with(json!({"content": null})), "error: Field 'content' is required"),
        (with(json!({"content": " \n"})), content),
        (with(json!({"content": "ü".repeat(5001)})), content),
        (with(json!({"content": 5})), "error: Field 'content' must be a string"),
        (with(json!({"username": null})), "error: Field 'username' is required"),
        (with(json!({"media_url": "ftp://example.com"})), media),
        (with(json!({"media_url": "x"})), media),
        (with(json!({"hashtags": "a"})), "error: Field 'hashtags' must be a list of strings"),
        (
            with(json!({"hashtags": ["a", "b c"]})),
            "error: Field 'hashtags', item 1: a hashtag has 1 to 64 letters, digits or _, after # or not",
        ),
        (with(json!({"id": "x".repeat(65)})), id),
        (with(json!({"id": ".."})), id),
        (with(json!({"id": 5})), "error: Field 'id' must be a string"),
        (with(json!({"created_at": "now"})), "error: Field 'created_at' must be an integer"),
        (with(json!({"created_at": 9_007_199_254_740_993_i64})), "error: Field 'created_at' must be an integer"),
        (json!({"deleted": true}), "error: Field 'id' is required"),
        (with(json!({"username": unique("nobody")})), "error: User not found"),
        (with(json!({"content": format!("#{tag}")})), "created"),
    ];
    let items: Vec<Value> = cases.iter().map(|(item, _)| item.clone()).collect();
    let expected: Vec<&str> = cases.iter().map(|(_, outcome)| *outcome).collect();
    assert_eq!(sync(&world, "posts", json!(items)).await, expected);
    assert_eq!(world.field(&format!("user:{name}"), "postCount"), "1");
}

#[tokio::test]
async fn the_api_keys_own_user_is_made_for_its_first_post() {
    let world = World::own().at(NOW_MS);
    let item = json!([{"id": "news", "username": "xano_sync", "content": "x", "created_at": 1_700_000_000_000_i64}]);
    assert_eq!(sync_twice(&world, "posts", item).await, [["created"], ["unchanged"]]);
    let profile = world.redis.hash("user:xano_sync");
    assert_eq!((&profile["role"], &profile["postCount"]), (&json!("admin"), &json!("1")));
    assert_eq!(profile["created_at"], NOW_MS.to_string());
    assert!(!world.exists("users:regular"));
    world.set_ms(LATER_MS);
    assert_eq!(world.field("post:news", "user_role"), "admin");
}

#[tokio::test]
async fn a_post_whose_traces_are_still_being_swept_away_cannot_come_back_yet() {
    let world = people().await;
    let id = world.write("alice", "x").await;
    let fans: Vec<Value> = (0..900).map(|n| json!({"username": format!("fan{n}")})).collect();
    let likes: Vec<Value> = (0..900).map(|n| json!({"username": format!("fan{n}"), "post_id": id})).collect();
    sync(&world, "users", json!(fans)).await;
    assert_eq!(sync(&world, "likes", json!(likes)).await, vec!["created"; 900]);
    let items = json!([{"id": id, "deleted": true}, {"id": id, "username": "alice", "content": "again"}]);
    let still = "error: What had this name before is still being deleted, try again later";
    assert_eq!(sync(&world, "posts", items.clone()).await, ["deleted", still]);
    assert!(!world.exists(&format!("post:{id}")));
    world.gateway.finish_jobs().await;
    assert_eq!(sync(&world, "posts", items).await, ["unchanged", "created"]);
    assert_eq!(world.field(&format!("post:{id}"), "likesCount"), "0");
    assert!(!world.exists("user:fan7:liked"));
}
