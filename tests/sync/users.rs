//! `POST /sync/users`.

use serde_json::{Value, json};

use crate::{
    LATER_MS,
    social::{World, unique_tag},
    support::{NOW_MS, unique},
    sync, sync_twice,
};

const NO_USERNAME: &str = "error: Field 'username': a username has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not 'me', \
                           'AUTH', '.' or '..'";

#[tokio::test]
async fn each_item_is_told_in_its_place_what_became_of_it() {
    let world = World::own().at(NOW_MS);
    let alice = json!({
        "username": "alice", "display_name": "Alice \"A\" Ünal 😀", "role": "model", "email": "a@example.com",
        "karma": 12345678901234567890_u64, "vip": true, "nothing": null, "created_at": 1_700_000_000_123_i64,
    });
    let bob = json!({"username": "bob"});
    let gone = json!({"username": "bob", "deleted": true});
    let items = json!([alice, bob, alice, {"username": "alice", "bio": "b", "role": "model"}, gone, gone,
        {"username": "carol", "deleted": false}, {"username": "nobody-here", "deleted": true}]);
    assert_eq!(
        sync(&world, "users", items).await,
        ["created", "created", "unchanged", "updated", "deleted", "unchanged", "created", "unchanged"]
    );
    assert_eq!(
        world.redis.hash("user:alice"),
        json!({
            "username": "alice", "display_name": "Alice \"A\" Ünal 😀", "role": "model", "email": "a@example.com",
            "karma": "12345678901234567890", "vip": "true", "bio": "b", "created_at": "1700000000123", "postCount": "0",
            "followerCount": "0", "followingCount": "0",
        })
    );
    let now = NOW_MS.to_string();
    assert_eq!(
        world.redis.hash("user:carol"),
        json!({
            "username": "carol", "role": "user", "created_at": now, "postCount": "0", "followerCount": "0",
            "followingCount": "0",
        })
    );
    let keys: Vec<String> = world.redis.keyspace().into_keys().collect();
    assert_eq!(keys, ["user:alice", "user:carol", "users:models", "users:regular"]);
    assert_eq!(world.score("users:models", "alice"), "1700000000123");
    assert_eq!(world.redis.run(&["ZRANGE", "users:regular", "0", "-1", "WITHSCORES"]), json!(["carol", now]));
}

#[tokio::test]
async fn a_list_sent_twice_changes_nothing_the_second_time() {
    let world = World::own().at(NOW_MS);
    for name in ["old", "leaving"] {
        world.make(name, json!({"bio": "before", "city": "Bern"})).await;
    }
    let post = world.write("old", "#tag").await;
    world.like("leaving", &post).await;
    let items = json!([
        {"username": "new", "display_name": "N", "avatar": "https://example.com/n.png", "links": ""},
        {"username": "newer", "role": "admin", "created_at": "17"},
        {"username": "old", "display_name": "O", "bio": null, "role": "model"},
        {"username": "leaving", "deleted": true},
        {"username": "AUTH"},
    ]);
    let [first, second] = sync_twice(&world, "users", items).await;
    assert_eq!(first, ["created", "created", "updated", "deleted", NO_USERNAME]);
    assert_eq!(second, ["unchanged", "unchanged", "unchanged", "unchanged", NO_USERNAME]);
    assert_eq!(world.field("user:new", "created_at"), NOW_MS.to_string());
    assert_eq!(world.field("user:new", "links"), "");
}

#[tokio::test]
async fn absent_fields_stay_and_null_removes() {
    let world = World::shared();
    let name = unique("merge");
    let whole = json!({"username": name, "bio": "b", "city": "Bern", "display_name": "D", "avatar": "a"});
    assert_eq!(sync(&world, "users", json!([whole])).await, ["created"]);
    let changes = json!([{"username": name, "city": null, "avatar": null, "never": null, "bio": "c"}]);
    assert_eq!(sync(&world, "users", changes.clone()).await, ["updated"]);
    assert_eq!(sync(&world, "users", changes).await, ["unchanged"]);
    let mut stored = world.redis.hash(&format!("user:{name}"));
    stored.as_object_mut().unwrap().retain(|field, _| field != "created_at");
    assert_eq!(
        stored,
        json!({"username": name, "bio": "c", "display_name": "D", "role": "user", "postCount": "0",
            "followerCount": "0", "followingCount": "0"})
    );
}

#[tokio::test]
async fn a_role_that_changes_moves_the_user_and_is_repeated_on_the_posts() {
    let world = World::shared();
    let (name, fan) = (world.user("moving").await, world.user("fan").await);
    let post = world.write(&name, "x").await;
    world.like(&fan, &post).await;
    let places = || {
        let places = ["users:regular", "users:models", "models:top:engagement"];
        places.map(|list| world.score(list, &name) != Value::Null)
    };
    for (role, expected) in [
        ("model", [false, true, true]),
        ("admin", [false, false, false]),
        ("model", [false, true, true]),
        ("user", [true, false, false]),
    ] {
        let items = json!([{"username": name, "role": role}]);
        assert_eq!(sync(&world, "users", items.clone()).await, ["updated"], "{role}");
        assert_eq!(places(), expected, "{role}");
        assert_eq!(world.field(&format!("post:{post}"), "user_role"), role);
        assert_eq!(sync(&world, "users", items).await, ["unchanged"], "{role}");
    }
    assert_eq!(world.score("authors:engagement", &name), "3");
}

#[tokio::test]
async fn the_time_of_creation_is_the_place_in_the_registry() {
    let world = World::shared();
    let name = unique("dated");
    for (created_at, status) in
        [(json!(1_500_000_000_000_i64), "created"), (json!("1400000000000"), "updated"), (json!(-5), "updated")]
    {
        let items = json!([{"username": name, "created_at": created_at}]);
        assert_eq!(sync(&world, "users", items).await, [status]);
        let text = created_at.as_str().map_or_else(|| created_at.to_string(), str::to_owned);
        assert_eq!(world.score("users:regular", &name), text);
        assert_eq!(world.field(&format!("user:{name}"), "created_at"), text);
    }
}

#[tokio::test]
async fn new_names_and_avatars_reach_all_posts() {
    let world = World::shared();
    let (name, tag) = (world.user("named").await, unique_tag("named"));
    let shown = world.write(&name, &format!("#{tag}")).await;
    let banned = world.write(&name, "x").await;
    world.ban(&banned).await;
    let items = json!([{"username": name, "display_name": "New Name", "avatar": "https://example.com/new.png"}]);
    assert_eq!(sync(&world, "users", items).await, ["updated"]);
    for id in [&shown, &banned] {
        let stored = world.redis.hash(&format!("post:{id}"));
        assert_eq!(
            (&stored["display_name"], &stored["avatar"]),
            (&json!("New Name"), &json!("https://example.com/new.png"))
        );
    }
    assert_eq!(sync(&world, "users", json!([{"username": name, "avatar": null}])).await, ["updated"]);
    assert_eq!(world.field(&format!("post:{shown}"), "avatar"), "");
}

#[tokio::test]
async fn what_no_profile_may_hold_is_an_error_in_its_place() {
    let world = World::own().at(NOW_MS);
    let mut many = json!({"username": "many"});
    for field in 0..501 {
        many[format!("f{field}")] = json!(field);
    }
    let items = json!([
        {"username": "first"},
        {"display_name": "nobody"},
        {"username": 5},
        {"username": "me"},
        {"username": "a b"},
        {"username": "x".repeat(65)},
        {"username": "a:posts"},
        {"username": "a", "role": "king"},
        {"username": "a", "role": null},
        {"username": "a", "postCount": 5},
        {"username": "a", "followerCount": null},
        {"username": "a", "created_at": "yesterday"},
        {"username": "a", "created_at": 1.5},
        {"username": "a", "tags": ["x"]},
        {"username": "a", "address": {"city": "Bern"}},
        {"username": "a", "": "x"},
        {"username": "a", "deleted": "yes"},
        many,
        "a",
        null,
        {"username": "last"},
    ]);
    let [first, second] = sync_twice(&world, "users", items).await;
    let value = "a string, a number, a boolean or null";
    let errors = [
        "error: Field 'username' is required",
        "error: Field 'username' must be a string",
        NO_USERNAME,
        NO_USERNAME,
        NO_USERNAME,
        NO_USERNAME,
        "error: Field 'role' must be one of admin, user, model",
        "error: Field 'role' must be one of admin, user, model",
        "error: Field 'postCount' is counted by the gateway and cannot be set",
        "error: Field 'followerCount' is counted by the gateway and cannot be set",
        "error: Field 'created_at' must be an integer",
        "error: Field 'created_at' must be an integer",
        &format!("error: Field 'tags' must be {value}"),
        &format!("error: Field 'address' must be {value}"),
        "error: A field must have a name",
        "error: Field 'deleted' must be true or false",
        "error: A profile changes in at most 500 fields at a time",
        "error: An item must be a JSON object",
        "error: An item must be a JSON object",
    ];
    assert_eq!((first[0].as_str(), first[20].as_str()), ("created", "created"));
    assert_eq!((second[0].as_str(), second[20].as_str()), ("unchanged", "unchanged"));
    assert_eq!(first[1..20], errors);
    assert_eq!(second[1..20], errors);
    let keys: Vec<String> = world.redis.keyspace().into_keys().collect();
    assert_eq!(keys, ["user:first", "user:last", "users:regular"]);
}

#[tokio::test]
async fn deleting_a_user_takes_all_that_they_left() {
    let world = World::own().at(NOW_MS);
    for name in ["stays", "leaves"] {
        world.make(name, json!({"role": "model"})).await;
    }
    let empty = world.redis.keyspace();
    let (own, other) = (world.write("leaves", "#a").await, world.write("stays", "#b").await);
    for post in [&own, &other] {
        world.like("leaves", post).await;
        world.bookmark("leaves", post).await;
        world.comment("leaves", post, "c").await;
    }
    world.follow("leaves", "stays").await;
    world.follow("stays", "leaves").await;
    let deleted = json!([{"username": "leaves", "deleted": true}]);
    assert_eq!(sync_twice(&world, "users", deleted).await, [["deleted"], ["unchanged"]]);
    assert_eq!(sync(&world, "posts", json!([{"id": other, "deleted": true}])).await, ["deleted"]);
    assert_eq!(world.gateway.work(1).await, Some(0));
    world.set_ms(NOW_MS);
    assert_eq!(sync(&world, "users", json!([{"username": "leaves", "role": "model"}])).await, ["created"]);
    assert_eq!(world.redis.keyspace(), empty);
}

#[tokio::test]
async fn a_user_who_is_still_being_deleted_cannot_come_back_yet() {
    let world = World::own().at(NOW_MS);
    world.make("famous", json!({})).await;
    let fans: Vec<Value> = (0..1000).map(|n| json!({"username": format!("fan{n}")})).collect();
    let follows: Vec<Value> =
        (0..1000).map(|n| json!({"follower": format!("fan{n}"), "following": "famous"})).collect();
    sync(&world, "users", json!(fans)).await;
    sync(&world, "follows", json!(follows)).await;
    let before = world.redis.keyspace().len();
    let gone = json!([{"username": "famous", "deleted": true}, {"username": "famous", "bio": "b"}]);
    let still = "error: What had this name before is still being deleted, try again later";
    assert_eq!(sync(&world, "users", gone.clone()).await, ["deleted", still]);
    assert_eq!(sync(&world, "users", gone).await, ["unchanged", still]);
    assert!(!world.exists("user:famous") && world.exists("jobs:pending"));
    world.gateway.finish_jobs().await;
    assert_eq!(world.field("user:fan7", "followingCount"), "0");
    world.set_ms(LATER_MS);
    assert_eq!(sync(&world, "users", json!([{"username": "famous", "bio": "b"}])).await, ["created"]);
    // Of the follows nothing is left: two keys of the followed, and two of each who followed.
    assert_eq!(world.redis.keyspace().len(), before - 2 - 2 * 1000);
}

#[tokio::test]
async fn values_are_as_long_as_in_the_rest_api() {
    let world = World::with(&[("EDITABLE_FIELDS", "city")]);
    let name = unique("long");
    for (field, most) in [("display_name", 200), ("avatar", 2048), ("bio", 4000), ("city", 4000), ("notes", 65_536)] {
        let mut longest = json!({"username": name});
        longest[field] = json!("ü".repeat(most));
        let mut too_long = longest.clone();
        too_long[field] = json!("ü".repeat(most + 1));
        let [first, second] = sync(&world, "users", json!([longest, too_long])).await.try_into().unwrap();
        assert!(!first.starts_with("error"), "{field}: {first}");
        assert_eq!(second, format!("error: Field '{field}' must be at most {most} characters long"));
    }
}
