//! SPEC 6, feeds: which posts are in which, in what order, and for whose eyes. Pages of them are the matter of `pages.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Credentials as _, World, id_of, ids_of, unique_tag};
use support::{NOW_MS, token, unique};

#[tokio::test]
async fn explore_has_every_post_and_is_for_everyone() {
    let world = World::own().at(NOW_MS);
    assert_eq!(world.get("/feed/explore").send().await.ok()["posts"], json!([]));
    let mut ids = Vec::new();
    for (at, name) in (0..).zip(["alice", "bob", "carol"]) {
        world.make(name, json!({"email": "e@example.com", "bio": "b"})).await;
        world.set_ms(NOW_MS + at);
        ids.insert(0, world.write(name, "x").await);
    }
    world.like("bob", &ids[0]).await;
    let anonymous = world.get("/feed/explore").send().await;
    assert_eq!(ids_of(&anonymous.ok()), ids);
    let first = &anonymous.json()["posts"][0];
    let expected = json!({"username": "carol", "role": "user", "bio": "b", "created_at": NOW_MS + 1,
        "postCount": 1, "followerCount": 0, "followingCount": 0});
    assert_eq!(first["user"], expected);
    assert_eq!((&first["post"]["isLiked"], &first["post"]["likesCount"]), (&json!(false), &json!(1)));
    assert_eq!(world.ids("bob", "/feed/explore").await, ids);
    assert_eq!(world.see("bob", "/feed/explore").await["posts"][0]["post"]["isLiked"], true);
    assert_eq!(ids_of(&world.get("/feed/explore").api_key().send().await.ok()), ids);
}

#[tokio::test]
async fn wrong_credentials_are_not_taken_for_none() {
    let world = World::shared();
    let wrong = world.get("/feed/explore").bearer("x.y.z").send().await;
    assert_eq!(wrong.code(), (401, "invalid_token".into()));
    let expired = token::hs256(support::JWT_SECRET, &token::claims_but(json!({"exp": 1000})));
    assert_eq!(world.get("/feed/explore").bearer(&expired).send().await.status, 401);
    let key = world.get("/feed/explore").header("x-api-key", "wrong").send().await;
    assert_eq!(key.code(), (401, "invalid_api_key".into()));
    let keys = json!([{"name": "n", "key": "n", "scopes": ["proxy", "sync", "act-as", "gateway", "admin"]}]);
    let other = World::with(&[("API_KEYS", &keys.to_string())]);
    let answer = other.get("/feed/explore").header("x-api-key", "n").send().await;
    assert_eq!(answer.code(), (403, "missing_scope".into()));
}

#[tokio::test]
async fn the_others_need_a_caller() {
    let world = World::shared();
    for path in [
        "/feed/following",
        "/feed/hashtag/a",
        "/feed/hashtag/a/ranked",
        "/users/alice/posts",
        "/users/me/liked",
        "/users/me/bookmarked",
    ] {
        assert_eq!(world.get(path).send().await.refusal(), (401, "Missing token".into()), "{path}");
    }
}

#[tokio::test]
async fn following_has_the_posts_of_those_whom_one_follows() {
    let world = World::shared().at(NOW_MS);
    let (me, alice, bob, carol) =
        (world.user("me-too").await, world.user("alice").await, world.user("bob").await, world.user("carol").await);
    let mut ids = Vec::new();
    for (at, author) in (0..).zip([&alice, &bob, &carol, &me, &alice, &bob]) {
        world.set_ms(NOW_MS + at);
        ids.push(world.write(author, "x").await);
    }
    assert_eq!(world.ids(&me, "/feed/following").await, [""; 0]);
    for author in [&alice, &bob] {
        world.follow(&me, author).await;
    }
    let feed = world.see(&me, "/feed/following").await;
    assert_eq!(ids_of(&feed), [&*ids[5], &ids[4], &ids[1], &ids[0]]);
    let page = json!({"offset": 0, "limit": 20, "count": 4, "hasMore": false, "nextCursor": null});
    assert_eq!(feed["pagination"], page);
    // Whoever is followed from here on is with all they have written; whoever is not, with nothing.
    world.follow(&me, &carol).await;
    world.does(&me, "DELETE", &format!("/users/{bob}/follow")).await;
    assert_eq!(world.ids(&me, "/feed/following").await, [&*ids[4], &ids[2], &ids[0]]);
    world.does(&alice, "DELETE", "/users/me").await;
    assert_eq!(world.ids(&me, "/feed/following").await, [&*ids[2]]);
    // Not those who follow back.
    assert_eq!(world.ids(&carol, "/feed/following").await, [""; 0]);
}

#[tokio::test]
async fn following_merges_many_authors_by_time() {
    let world = World::shared().at(NOW_MS);
    let me = world.user("reader").await;
    let mut authors = Vec::new();
    for _ in 0..5 {
        let author = world.user("writer").await;
        world.follow(&me, &author).await;
        authors.push(author);
    }
    let mut ids = Vec::new();
    for at in 0..60 {
        world.set_ms(NOW_MS + at);
        // The first of them writes most, in bursts longer than what is fetched at a time.
        let author = if at % 20 < 15 { 0 } else { usize::try_from(at).unwrap() % 5 };
        ids.insert(0, world.write(&authors[author], "x").await);
    }
    assert_eq!(world.ids(&me, "/feed/following?limit=100").await, ids);
    assert_eq!(world.ids(&me, "/feed/following?limit=7&offset=31").await, ids[31..38]);
    let mut seen = Vec::new();
    let mut query = "limit=7".to_owned();
    loop {
        let page = world.see(&me, &format!("/feed/following?{query}")).await;
        seen.extend(ids_of(&page));
        let Some(cursor) = page["pagination"]["nextCursor"].as_str() else { break };
        query = format!("limit=7&cursor={cursor}");
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_users_posts_are_for_every_caller() {
    let world = World::shared().at(NOW_MS);
    let (name, other) = (world.user("author").await, world.user("other").await);
    let first = world.write(&name, "x").await;
    world.write(&other, "x").await;
    world.set_ms(NOW_MS + 1);
    let second = world.write(&name, "x").await;
    world.like(&other, &first).await;
    let path = format!("/users/{name}/posts");
    for viewer in [&*name, &*other, "nobody-at-all"] {
        assert_eq!(world.ids(viewer, &path).await, [&*second, &first]);
    }
    let feed = world.see(&other, &path).await;
    let likes: Vec<_> = (0..2).map(|n| feed["posts"][n]["post"]["isLiked"].clone()).collect();
    assert_eq!(likes, [json!(false), json!(true)]);
    assert_eq!(world.ids(&name, "/users/me/posts").await, [&*second, &first]);
    let unknown = world.get(&format!("/users/{}/posts", unique("nobody"))).user(&name).send().await;
    assert_eq!(unknown.refusal(), (404, "User not found".into()));
    let ghost = world.get("/users/me/posts").user(&unique("ghost")).send().await;
    assert_eq!(ghost.refusal(), (404, "User not found".into()));
}

#[tokio::test]
async fn what_one_has_liked_and_bookmarked_is_ones_own_affair() {
    let world = World::shared();
    let (name, other, admin) =
        (world.user("owner").await, world.user("other").await, world.stored_admin("stored").await);
    let id = world.write(&other, "x").await;
    world.like(&name, &id).await;
    world.bookmark(&name, &id).await;
    for part in ["liked", "bookmarked"] {
        let path = format!("/users/{name}/{part}");
        for call in [world.get(&path).user(&name), world.get(&path).acting_as(&name)] {
            assert_eq!(ids_of(&call.send().await.ok()), [&*id]);
        }
        assert_eq!(world.ids(&name, &format!("/users/me/{part}")).await, [&*id]);
        let nobodys = format!("/users/{}/{part}", unique("nobody"));
        for path in [&path, &nobodys] {
            for call in [
                world.get(path).user(&other),
                world.get(path).user(&admin),
                world.get(path).admin(&other),
                world.get(path).api_key(),
                world.get(path).acting_as(&other),
                world.get(path).acting_as(&admin),
            ] {
                let answer = call.send().await;
                assert_eq!(answer.code(), (403, "forbidden".into()), "{path}");
                assert!(!answer.text().contains(&id));
            }
        }
        let ghost = world.get(&format!("/users/me/{part}")).user(&unique("ghost")).send().await;
        assert_eq!(ghost.refusal(), (404, "User not found".into()));
    }
}

#[tokio::test]
async fn a_hashtag_has_the_posts_with_it() {
    let world = World::shared().at(NOW_MS);
    let (name, tag) = (world.user("author").await, unique_tag("tag"));
    let first = world.write(&name, &format!("#{tag}")).await;
    world.write(&name, &format!("#{tag}x and {tag}")).await;
    world.set_ms(NOW_MS + 1);
    let second = id_of(&world.draft(&name, json!({"content": "x", "hashtags": [tag]})).await);
    for written in [tag.clone(), tag.to_uppercase(), format!("%23{tag}")] {
        let feed = world.see("anyone", &format!("/feed/hashtag/{written}")).await;
        assert_eq!(ids_of(&feed), [&*second, &first]);
        assert_eq!(feed["pagination"]["totalCount"], 2);
    }
    for path in ["/feed/hashtag/nobody_has_this", "/feed/hashtag/nobody_has_this/ranked"] {
        let page = json!({"offset": 0, "limit": 20, "count": 0, "totalCount": 0, "hasMore": false, "nextCursor": null});
        assert_eq!(world.see("anyone", path).await, json!({"posts": [], "pagination": page}), "{path}");
    }
}
