//! SPEC 2: both Xano guides' own walk-throughs, command for command as the guides print them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, Redis, token};

/// The newer guide, "Testing Your Sync", steps 1 to 3.
#[tokio::test]
async fn the_newer_guides_testuser() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let unsynced = r#"[["HGETALL", "user:alice"]]"#;
    assert_eq!(gateway.post("/").api_key().body(unsynced).send().await.ok(), json!([{}]));
    let with_token = gateway.post("/").user("alice").body(unsynced).send().await;
    assert_eq!(with_token.refusal(), (403, "Redis proxy access requires API key authentication".into()));

    let sync = r#"[[
        "HSET", "user:testuser",
        "username", "testuser",
        "display_name", "Test User",
        "bio", "Test bio from sync",
        "role", "user"
    ]]"#;
    let answer = gateway.post("/redis/write").api_key().body(sync).send().await;
    assert_eq!(answer.ok(), json!({"results": [4], "username": "xano_sync"}));

    let shown = gateway.get("/users/testuser").bearer(&token::of("testuser", "user")).send().await.ok();
    let user = &shown["user"];
    assert_eq!(user["username"], "testuser");
    assert_eq!(user["display_name"], "Test User");
    assert_eq!(user["bio"], "Test bio from sync");
    assert_eq!(user["role"], "user");
}

/// The newer guide, "Write Proxy" and "Field Restriction Error".
#[tokio::test]
async fn the_newer_guides_examples_of_the_write_proxy() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    gateway.write(json!([["HSET", "user:alice", "username", "alice", "display_name", "Alice", "role", "user"]])).await;
    let single = json!(["HSET", "user:alice", "bio", "Updated bio"]);
    assert_eq!(gateway.write(single).await, json!([1]));
    let two = json!([["HSET", "user:alice", "website", "x"], ["HSET", "user:alice", "email", "alice@example.com"]]);
    assert_eq!(gateway.write(two).await, json!([1, 1]));
    let several = json!([["HSET", "user:alice", "lang", "en", "city", "Bern", "phone", "+1-555-0123"]]);
    assert_eq!(gateway.write(several).await, json!([3]));
    let blocked = json!([["HSET", "user:alice", "username", "eve"]]);
    let error = "ERR field 'username' cannot be modified directly, use PATCH /users/:id";
    assert_eq!(gateway.write(blocked).await, json!([error]));
    let read = json!([
        ["HGETALL", "user:alice"],
        ["SMEMBERS", "user:alice:followers"],
        ["ZREVRANGE", "user:alice:posts", "0", "9"]
    ]);
    let answers = gateway.read(read).await;
    assert_eq!(answers[0]["bio"], "Updated bio");
    assert_eq!((&answers[1], &answers[2]), (&json!([]), &json!([])));
}

/// The newer guide, `syncUserToRedis` and "Batch Sync Multiple Users": one HSET a user, all fields, counters as text.
fn full_profile(n: usize, bio: &str) -> Value {
    let name = format!("user{n}");
    let role = ["user", "model", "admin"][n % 3];
    let created_at = 1_700_000_000_000_u64 + u64::try_from(n).unwrap();
    json!([
        "HSET",
        format!("user:{name}"),
        "username",
        name,
        "display_name",
        format!("User {n}"),
        "bio",
        bio,
        "avatar",
        "",
        "email",
        "u@example.com",
        "phone",
        "",
        "links",
        "",
        "role",
        role,
        "created_at",
        created_at,
        "postCount",
        "0",
        "followerCount",
        n.to_string(),
        "followingCount",
        "2"
    ])
}

#[tokio::test]
async fn the_newer_guides_batch_of_users_registers_each_and_can_be_sent_again() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let batch: Vec<Value> = (0..60).map(|n| full_profile(n, "first")).collect();
    assert_eq!(gateway.write(batch.clone()).await, json!(vec![12; 60]));
    assert_eq!(redis.run(&["ZCARD", "users:regular"]), 20);
    assert_eq!(redis.run(&["ZCARD", "users:models"]), 20);
    assert_eq!(redis.run(&["ZSCORE", "users:models", "user4"]), "1700000000004");
    assert_eq!(redis.run(&["DBSIZE"]), 62);
    assert_eq!(gateway.write(batch).await, json!(vec![0; 60]));
    let updated: Vec<Value> = (0..60).map(|n| full_profile(n, "second")).collect();
    assert_eq!(gateway.write(updated).await, json!(vec![0; 60]));
    assert_eq!(redis.run(&["HGET", "user:user59", "bio"]), "second");
    assert_eq!(redis.run(&["DBSIZE"]), 62);
}

/// The newer guide, "Sync Relationships": what holds relations is managed, counters may be incremented.
#[tokio::test]
async fn the_newer_guides_follow() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    gateway.write(json!([["HSET", "user:a", "username", "a"], ["HSET", "user:b", "username", "b"]])).await;
    let batch = json!([
        ["SADD", "user:a:following", "b"],
        ["SADD", "user:b:followers", "a"],
        ["HINCRBY", "user:a", "followingCount", "1"],
        ["HINCRBY", "user:b", "followerCount", "1"],
    ]);
    let refused = "ERR command not allowed in write mode";
    assert_eq!(gateway.write(batch).await, json!([refused, refused, 1, 1]));
    assert_eq!(redis.run(&["EXISTS", "user:a:following", "user:b:followers"]), 0);
}

/// The older guide, "Testing Your Sync" with its template: one HSET a field, seven in one batch.
#[tokio::test]
async fn the_older_guides_testuser_in_seven_commands() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let sync = |bio: &str| {
        let fields = [
            ("username", "testuser"),
            ("display_name", "Test User"),
            ("bio", bio),
            ("avatar", ""),
            ("email", "test@example.com"),
            ("created_at", "1700000000000"),
            ("role", "user"),
        ];
        fields.map(|(field, value)| json!(["HSET", "user:testuser", field, value])).to_vec()
    };
    assert_eq!(gateway.write(sync("Testing Xano sync")).await, json!([1, 1, 1, 1, 1, 1, 1]));
    let stored = json!({
        "username": "testuser", "display_name": "Test User", "bio": "Testing Xano sync", "avatar": "",
        "email": "test@example.com", "created_at": "1700000000000", "role": "user",
    });
    assert_eq!(gateway.read(json!([["HGETALL", "user:testuser"]])).await, json!([stored]));
    assert_eq!(redis.run(&["ZSCORE", "users:regular", "testuser"]), "1700000000000");

    let shown = gateway.get("/users/testuser").user("testuser").send().await.ok();
    assert_eq!(shown["user"]["email"], "test@example.com");

    assert_eq!(gateway.write(sync("Updated bio from Xano!")).await, json!([0, 0, 0, 0, 0, 0, 0]));
    let bio = gateway.read(json!([["HGET", "user:testuser", "bio"]])).await;
    assert_eq!(bio, json!(["Updated bio from Xano!"]));
}
