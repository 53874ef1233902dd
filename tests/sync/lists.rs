//! What all lists have in common: who may send them, how long they may be, what they cost; and `GET /sync/stats`.

use serde_json::{Value, json};

use crate::{
    outcomes,
    social::World,
    support::{API_KEY, Answer, Gateway, NOW_MS, Redis, unique},
    sync,
};

const KINDS: [&str; 5] = ["users", "posts", "follows", "likes", "bookmarks"];

/// An item of a kind, the n-th of many. Each needs those of the kinds before it.
fn item(kind: &str, n: usize) -> Value {
    let (name, post) = (format!("u{n}"), format!("p{n}"));
    match kind {
        "users" => json!({"username": name, "bio": "b"}),
        "posts" => json!({"id": post, "username": name, "content": format!("#t{}", n % 3)}),
        "follows" => json!({"follower": name, "following": format!("u{}", (n + 1) % 1000)}),
        _ => json!({"username": name, "post_id": format!("p{}", n % 7)}),
    }
}

fn list(kind: &str, count: usize) -> Value {
    (0..count).map(|n| item(kind, n)).collect()
}

async fn send(gateway: &Gateway, kind: &str, items: &Value) -> Answer {
    gateway.post(&format!("/sync/{kind}")).api_key().json(items.clone()).send().await
}

#[tokio::test]
async fn a_thousand_items_take_one_round_trip_also_the_first_time() {
    let redis = Redis::own();
    for kind in KINDS {
        // Neither this isolate nor the server has seen a script of this kind.
        let gateway = Gateway::on(&redis);
        redis.run(&["SCRIPT", "FLUSH"]);
        for expected in ["created", "unchanged"] {
            let answer = send(&gateway, kind, &list(kind, 1000)).await;
            assert_eq!(answer.header("x-redis-round-trips"), "1", "{kind}: {expected}");
            assert_eq!(outcomes(&answer), vec![expected; 1000], "{kind}");
        }
    }
    assert_eq!(redis.run(&["HGET", "post:p0", "likesCount"]), "143");
    assert_eq!(redis.run(&["ZCARD", "explore:feed"]), 1000);
    assert_eq!(redis.run(&["HGET", "user:u0", "followerCount"]), "1");
    // Two scripts in one list.
    let gateway = Gateway::on(&redis);
    redis.run(&["SCRIPT", "FLUSH"]);
    let mut items = list("users", 1000);
    for item in items.as_array_mut().unwrap().iter_mut().skip(990) {
        item["deleted"] = json!(true);
    }
    let answer = send(&gateway, "users", &items).await;
    assert_eq!(answer.header("x-redis-round-trips"), "1");
    assert_eq!(outcomes(&answer), [vec!["unchanged"; 990], vec!["deleted"; 10]].concat());
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_taught_them_again() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    for kind in KINDS {
        let (some, all) = (5, if kind == "users" { 12 } else { 10 });
        assert_eq!(outcomes(&send(&gateway, kind, &list(kind, some)).await), vec!["created"; some], "{kind}");
        redis.run(&["SCRIPT", "FLUSH"]);
        let answer = send(&gateway, kind, &list(kind, all)).await;
        assert_eq!(answer.header("x-redis-round-trips"), "2", "{kind}");
        assert_eq!(outcomes(&answer), [vec!["unchanged"; some], vec!["created"; all - some]].concat(), "{kind}");
        let again = send(&gateway, kind, &list(kind, all)).await;
        assert_eq!(again.header("x-redis-round-trips"), "1", "{kind}");
        assert_eq!(outcomes(&again), vec!["unchanged"; all], "{kind}");
    }
}

/// An isolate knows the script that makes, not the one that deletes, and the server has forgotten both: what was deleted
/// last must not be there in the end.
#[tokio::test]
async fn items_are_applied_in_their_order_also_when_some_scripts_are_forgotten() {
    let redis = Redis::own();
    let other = Gateway::on(&redis);
    assert_eq!(outcomes(&send(&other, "users", &json!([{"username": "author"}])).await), ["created"]);
    for (kind, on, off) in [
        ("users", json!({"username": "a"}), json!({"username": "a", "deleted": true})),
        ("posts", json!({"id": "p", "username": "author", "content": "x"}), json!({"id": "p", "deleted": true})),
    ] {
        let gateway = Gateway::on(&redis);
        assert_eq!(outcomes(&send(&gateway, kind, &json!([on])).await), ["created"], "{kind}");
        assert_eq!(outcomes(&send(&other, kind, &json!([off])).await), ["deleted"], "{kind}");
        redis.run(&["SCRIPT", "FLUSH"]);
        assert_eq!(outcomes(&send(&gateway, kind, &json!([on, off])).await), ["created", "deleted"], "{kind}");
    }
}

#[tokio::test]
async fn what_is_no_list_of_at_most_a_thousand_changes_nothing() {
    let world = World::own();
    let nothing = world.redis.keyspace();
    for kind in KINDS {
        let path = format!("/sync/{kind}");
        let post = async |body: Vec<u8>| world.post(&path).api_key().body(body).send().await;
        let too_many = post(list(kind, 1001).to_string().into_bytes()).await;
        assert_eq!(too_many.code(), (413, "batch_too_large".into()), "{kind}");
        assert_eq!(too_many.refusal().1, "A batch holds at most 1000 items");
        let too_long = post(json!([{"username": "x".repeat(1 << 20)}]).to_string().into_bytes()).await;
        assert_eq!(too_long.code(), (413, "body_too_large".into()), "{kind}");
        for (body, sentence) in [
            (&b"[]"[..], "The list is empty"),
            (b"", "The body must be a JSON array of objects"),
            (b"{}", "The body must be a JSON array of objects"),
            (b"{\"items\":[]}", "The body must be a JSON array of objects"),
            (b"null", "The body must be a JSON array of objects"),
            (b"\"x\"", "The body must be a JSON array of objects"),
            (b"[{}", "The body must be a JSON array of objects"),
            (b"[{}] x", "The body must be a JSON array of objects"),
            (b"[\"\xff\"]", "The body is not valid UTF-8"),
        ] {
            let answer = post(body.to_vec()).await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{kind}: {}", answer.text());
            assert_eq!(answer.refusal().1, sentence, "{kind}");
            assert_eq!(answer.header("x-redis-round-trips"), "0");
        }
    }
    assert_eq!(world.redis.keyspace(), nothing);
}

#[tokio::test]
async fn the_content_type_is_not_looked_at() {
    let world = World::shared();
    let items = json!([{"username": unique("typed")}]);
    let answer = world.post("/sync/users").api_key().header("content-type", "text/plain").json(items).send().await;
    assert_eq!(outcomes(&answer), ["created"]);
}

#[tokio::test]
async fn only_api_keys_of_scope_sync_may_sync() {
    let others = ["proxy", "rest", "act-as", "gateway", "admin"];
    let keys = json!([
        {"name": "sync", "key": "sync", "scopes": ["sync"]},
        {"name": "others", "key": "others", "scopes": others},
        {"name": "default", "key": "default"},
    ]);
    let world = World::with(&[("API_KEYS", &keys.to_string())]);
    let name = unique("scoped");
    for (method, path) in KINDS.map(|kind| ("POST", format!("/sync/{kind}"))).into_iter().chain([("GET", stats())]) {
        let call = || world.gateway.call(method, &path).json(json!([{"username": name}]));
        for key in ["others", "default"] {
            let refused = call().header("x-api-key", key).send().await;
            assert_eq!(refused.code(), (403, "missing_scope".into()), "{path}");
            assert_eq!(refused.refusal().1, "This API key lacks the scope 'sync'");
        }
        for role in ["user", "admin"] {
            let refused = call().bearer(&crate::support::token::of(&name, role)).send().await;
            assert_eq!(refused.code(), (403, "api_key_required".into()), "{path}");
        }
        let missing = call().send().await;
        assert_eq!(missing.refusal(), (401, "Missing token".into()), "{path}");
        assert!(!missing.header("www-authenticate").is_empty());
        assert_eq!(call().header("x-api-key", "wrong").send().await.code(), (401, "invalid_api_key".into()), "{path}");
        assert_eq!(call().header("x-api-key", "sync").send().await.status, 200, "{path}");
    }
    assert!(world.exists(&format!("user:{name}")));
}

fn stats() -> String {
    "/sync/stats".to_owned()
}

#[tokio::test]
async fn in_whose_name_a_backend_acts_makes_no_difference() {
    let world = World::own().at(NOW_MS);
    let calls = [
        ("users", json!([{"username": "a", "role": "admin"}, {"username": "b"}])),
        ("posts", json!([{"id": "p", "username": "a", "content": "x"}])),
        ("follows", json!([{"follower": "a", "following": "b"}])),
        ("likes", json!([{"username": "b", "post_id": "p"}])),
        ("users", json!([{"username": "b", "bio": "new"}])),
        ("posts", json!([{"id": "p", "username": "a", "content": "y"}])),
    ];
    let all = async |act_as: Option<&str>| {
        world.redis.run(&["FLUSHALL"]);
        for (kind, items) in &calls {
            let call = world.post(&format!("/sync/{kind}")).header("x-api-key", API_KEY).json(items.clone());
            let call = if let Some(name) = act_as { call.header("x-act-as", name) } else { call };
            assert!(outcomes(&call.send().await).iter().all(|outcome| !outcome.starts_with("error")), "{kind}");
        }
        world.redis.keyspace()
    };
    let plain = all(None).await;
    for name in ["b", "nobody"] {
        assert_eq!(all(Some(name)).await, plain, "as {name}");
    }
}

#[tokio::test]
async fn other_methods_are_405_and_other_kinds_404() {
    let world = World::shared();
    for kind in KINDS {
        let answer = world.get(&format!("/sync/{kind}")).api_key().send().await;
        assert_eq!((answer.code(), answer.header("allow")), ((405, "method_not_allowed".into()), "POST"), "{kind}");
    }
    for path in ["/sync", "/sync/", "/sync/comments", "/sync/users/a"] {
        assert_eq!(
            world.post(path).api_key().json(json!([{}])).send().await.code(),
            (404, "not_found".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn stats_count_users_models_and_posts_banned_ones_too() {
    let world = World::own();
    let count = async || {
        let answer = world.get("/sync/stats").api_key().send().await;
        assert_eq!(answer.header("x-redis-round-trips"), "1");
        answer.ok()
    };
    assert_eq!(count().await, json!({"users": 0, "models": 0, "posts": 0}));
    let users = json!([{"username": "a"}, {"username": "b"}, {"username": "m", "role": "model"},
        {"username": "x", "role": "admin"}]);
    sync(&world, "users", users).await;
    let posts: Vec<Value> = (0..4).map(|n| json!({"id": format!("p{n}"), "username": "m", "content": "x"})).collect();
    sync(&world, "posts", json!(posts)).await;
    world.ban("p0").await;
    assert_eq!(count().await, json!({"users": 2, "models": 1, "posts": 4}));
    sync(&world, "posts", json!([{"id": "p0", "deleted": true}, {"id": "p1", "deleted": true}])).await;
    sync(&world, "users", json!([{"username": "a", "deleted": true}, {"username": "b", "role": "model"}])).await;
    assert_eq!(count().await, json!({"users": 0, "models": 2, "posts": 2}));
}

/// A key that a stranger has put where a profile should be is a matter of its item.
#[tokio::test]
async fn an_item_that_redis_cannot_apply_does_not_hide_what_became_of_the_others() {
    let world = World::own();
    world.redis.run(&["SET", "user:strange", "x"]);
    let items = json!([{"username": "a"}, {"username": "strange"}, {"username": "b"}]);
    let answer = send(&world.gateway, "users", &items).await;
    assert!(world.exists("user:a") && world.exists("user:b"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let results = outcomes(&answer);
    assert_eq!((&*results[0], &*results[2]), ("created", "created"));
    assert!(results[1].starts_with("error: "), "{}", results[1]);
}

/// A first sync over the proxy may have set a long avatar, and every post repeats it. It must not come back with every item.
#[tokio::test]
async fn an_author_with_a_large_avatar_may_have_a_thousand_posts() {
    let world = World::own();
    let avatar = format!("data:image/png;base64,{}", "A".repeat(20_000));
    assert_eq!(world.gateway.write(json!(["HSET", "user:a", "username", "a", "avatar", avatar])).await, json!([2]));
    let posts: Value = (0..1000).map(|n| json!({"id": format!("p{n}"), "username": "a", "content": "x"})).collect();
    let answer = send(&world.gateway, "posts", &posts).await;
    assert_eq!(world.redis.run(&["ZCARD", "user:a:posts"]), 1000);
    assert_eq!(outcomes(&answer), vec!["created"; 1000]);
}
