//! SPEC 6, search: the newest users, the best posts of hashtags, the models with the most engagement.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{World, ids_of, texts, unique_tag};
use support::NOW_MS;

const NEWEST: &str = "/search/users/newest";
const TOP: &str = "/search/models/top";
const TOP_POSTS: &str = "/search/hashtags/top-posts";

#[tokio::test]
async fn the_newest_users_of_a_role_come_first() {
    let world = World::own();
    let people =
        [("a", "user", 5), ("b", "model", 6), ("c", "user", 9), ("d", "admin", 8), ("e", "user", 7), ("f", "model", 1)];
    for (name, role, created_at) in people {
        let fields = json!({"role": role, "created_at": created_at, "email": "e@example.com", "bio": "b"});
        world.make(name, fields).await;
    }
    let user = |name: &str, role: &str, created_at: i64| {
        json!({"username": name, "role": role, "created_at": created_at, "bio": "b",
            "postCount": 0, "followerCount": 0, "followingCount": 0})
    };
    let users = json!({"users": [user("c", "user", 9), user("e", "user", 7), user("a", "user", 5)], "count": 3});
    assert_eq!(world.see("anyone", NEWEST).await, users);
    assert_eq!(world.see("a", &format!("{NEWEST}?role=user")).await, users);
    let models = json!({"users": [user("b", "model", 6), user("f", "model", 1)], "count": 2});
    assert_eq!(world.see("anyone", &format!("{NEWEST}?role=model")).await, models);
    let first = json!({"users": [user("c", "user", 9)], "count": 1});
    assert_eq!(world.see("anyone", &format!("{NEWEST}?limit=1")).await, first);
    world.does("c", "DELETE", "/users/me").await;
    assert_eq!(world.names("anyone", NEWEST).await, ["e", "a"]);
}

#[tokio::test]
async fn other_roles_are_not_searched_for() {
    let world = World::shared();
    for role in ["admin", "User", "model,user", "xano_sync", "%00", "regular", "*"] {
        let answer = world.get(&format!("{NEWEST}?role={role}")).user("anyone").send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{role}");
        assert!(answer.refusal().1.contains("'role'"), "{}", answer.text());
    }
}

#[tokio::test]
async fn limits_are_1_to_100_and_20_by_default() {
    let world = World::own();
    let mut seed = social::seed::Seed::default();
    for n in 0..120 {
        seed.user(&format!("u{n}"), &json!({})).user(&format!("m{n}"), &json!({"role": "model"}));
        seed.post(&format!("p{n}"), &format!("m{n}"), &[], 1).like(&format!("p{n}"), "u0");
    }
    seed.fill(&world.redis);
    for (path, list) in
        [(NEWEST.to_owned(), "users"), (format!("{NEWEST}?role=model"), "users"), (TOP.to_owned(), "models")]
    {
        let sign = if path.contains('?') { '&' } else { '?' };
        for (query, count) in [("", 20), ("limit=1", 1), ("limit=100", 100), ("limit=", 20)] {
            let answer = world.see("anyone", &format!("{path}{sign}{query}")).await;
            assert_eq!(
                (answer[list].as_array().unwrap().len(), &answer["count"]),
                (count, &json!(count)),
                "{path} {query}"
            );
        }
        for limit in ["0", "101", "-1", "1.5", "x", "1e2", "18446744073709551616", "%31%00", "+1"] {
            let answer = world.get(&format!("{path}{sign}limit={limit}")).user("anyone").send().await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{path} {limit}");
        }
    }
}

#[tokio::test]
async fn models_are_in_the_order_of_their_posts_engagement() {
    let world = World::own().at(NOW_MS);
    for (name, role) in [("a", "model"), ("b", "model"), ("c", "model"), ("d", "user"), ("fan", "user"), ("e", "admin")]
    {
        world.make(name, json!({"role": role, "email": "e@example.com", "bio": "b"})).await;
    }
    assert_eq!(world.see("fan", TOP).await, json!({"models": [], "count": 0}));
    // Two posts of a: 3 + 4; one of b: 5; one of c that nobody looks at; those of d and e do not count.
    let ids = [world.write("a", "x").await, world.write("a", "x").await, world.write("b", "x").await];
    world.like("fan", &ids[0]).await;
    world.bookmark("fan", &ids[1]).await;
    world.comment("fan", &ids[2], "c").await;
    world.write("c", "x").await;
    for name in ["d", "e"] {
        let id = world.write(name, "x").await;
        world.like("fan", &id).await;
    }
    let model = |name: &str, posts: u32, engagement: u32| {
        json!({"username": name, "role": "model", "created_at": NOW_MS, "bio": "b",
            "postCount": posts, "followerCount": 0, "followingCount": 0, "engagement_score": engagement})
    };
    let both = json!({"models": [model("a", 2, 7), model("b", 1, 5)], "count": 2});
    assert_eq!(world.see("fan", TOP).await, both);
    assert_eq!(world.see("a", TOP).await, both);
    world.does("fan", "DELETE", &format!("/posts/{}/bookmark", ids[1])).await;
    assert_eq!(texts(&world.see("fan", TOP).await["models"], "/username"), ["b", "a"]);
    world.does("b", "DELETE", "/users/me").await;
    assert_eq!(world.see("fan", TOP).await, json!({"models": [model("a", 2, 3)], "count": 1}));
}

#[tokio::test]
async fn a_stored_field_does_not_pass_for_a_score() {
    let world = World::shared();
    let (model, fan) = (world.model("liar").await, world.user("fan").await);
    let id = world.write(&model, "x").await;
    world.like(&fan, &id).await;
    let fields = json!({"engagement_score": "999999", "isFollowing": "true"});
    assert_eq!(world.patch(&format!("/users/{model}")).api_key().json(fields).send().await.status, 200);
    let answer = world.get(&format!("{TOP}?limit=100")).user(&fan).send().await;
    let own = answer.ok()["models"].as_array().unwrap().iter().find(|one| one["username"] == model).cloned().unwrap();
    assert_eq!((&own["engagement_score"], own.get("isFollowing")), (&json!(3), None));
    assert!(!answer.text().contains("999999"), "{}", answer.text());
}

#[tokio::test]
async fn the_best_posts_of_each_hashtag() {
    let world = World::shared().at(NOW_MS);
    let (name, fan) = (world.user("author").await, world.user("fan").await);
    let (rust, lua) = (unique_tag("rüst"), unique_tag("lua"));
    let mut ids = Vec::new();
    for n in 0..7 {
        world.set_ms(NOW_MS + n);
        ids.insert(0, world.write(&name, &format!("#{rust}")).await);
    }
    let both = world.write(&name, &format!("#{rust} #{lua}")).await;
    world.like(&fan, &both).await;
    world.like(&fan, &ids[6]).await;
    world.bookmark(&fan, &ids[6]).await;
    let encoded = rust.replace('ü', "%C3%BC");
    let found = world.see(&fan, &format!("{TOP_POSTS}?hashtags={encoded},{lua},nobody_has_this")).await;
    let tags: Vec<&String> = found["hashtags"].as_object().unwrap().keys().collect();
    assert_eq!(tags.len(), 3);
    let of = |found: &Value, tag: &str| ids_of(&json!({"posts": found["hashtags"][tag]}));
    assert_eq!(of(&found, &rust), [&*ids[6], &both, &ids[0], &ids[1], &ids[2]]);
    assert_eq!((of(&found, &lua), of(&found, "nobody_has_this")), (vec![both.clone()], vec![]));
    let item = &found["hashtags"][&lua][0];
    assert_eq!((&item["post"]["isLiked"], &item["user"]["username"]), (&json!(true), &json!(name)));
    assert_eq!(item.as_object().unwrap().len(), 2);
    for (each, count) in [(1, 1), (7, 7), (50, 8)] {
        let found = world.see(&fan, &format!("{TOP_POSTS}?hashtags={encoded}&postsPerHashtag={each}")).await;
        assert_eq!(of(&found, &rust).len(), count);
    }
}

#[tokio::test]
async fn hashtags_are_searched_in_any_case_and_each_once() {
    let world = World::shared();
    let (name, tag) = (world.user("author").await, unique_tag("case"));
    let id = world.write(&name, &format!("#{tag}")).await;
    let query = format!("{},%23{tag},,%20{tag},{tag}", tag.to_uppercase());
    let found = world.see(&name, &format!("{TOP_POSTS}?hashtags={query}")).await;
    assert_eq!(found["hashtags"].as_object().unwrap().len(), 1);
    assert_eq!(ids_of(&json!({"posts": found["hashtags"][&tag]})), [&*id]);
}

#[tokio::test]
async fn at_most_twelve_hashtags_and_fifty_posts_of_each() {
    let world = World::shared();
    let list = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>().join(",");
    let found = world.see("anyone", &format!("{TOP_POSTS}?hashtags={}", list(12))).await;
    let names: Vec<&String> = found["hashtags"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 12);
    assert!(found["hashtags"].as_object().unwrap().values().all(|posts| *posts == json!([])));
    let thirteen = list(13);
    for (hashtags, each) in [
        (&*thirteen, "5"),
        ("", "5"),
        (",,", "5"),
        ("a,b:c", "5"),
        ("a,*", "5"),
        ("a-b", "5"),
        ("%00", "5"),
        ("a", "0"),
        ("a", "51"),
        ("a", "-1"),
        ("a", "x"),
        ("a", "1.0"),
    ] {
        let path = format!("{TOP_POSTS}?hashtags={hashtags}&postsPerHashtag={each}");
        assert_eq!(world.get(&path).user("anyone").send().await.code(), (400, "bad_request".into()), "{path}");
    }
    let none = world.get(TOP_POSTS).user("anyone").send().await;
    assert_eq!(none.code(), (400, "bad_request".into()));
    assert!(none.refusal().1.contains("'hashtags'"));
}

#[tokio::test]
async fn a_search_needs_a_caller() {
    let world = World::shared();
    for path in [NEWEST, TOP, "/search/hashtags/top-posts?hashtags=a"] {
        assert_eq!(world.get(path).send().await.refusal(), (401, "Missing token".into()), "{path}");
        assert_eq!(world.get(path).api_key().send().await.status, 200, "{path}");
    }
}
