//! SPEC 6, bans: a banned post is nowhere but before its author and administrators, and when the ban is lifted, everything
//! is as it was.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, id_of, ids_of, unique_tag};
use support::{NOW_MS, audit::audit, facts::without_zero_counters, keyspace::differences, token};

/// A post of a model that a fan has liked, bookmarked and commented on, beside another that stays.
struct Scene {
    world: World,
    model: String,
    fan: String,
    tag: String,
    id: String,
    stays: String,
    comment: String,
}

async fn scene() -> Scene {
    let world = World::shared();
    let (model, fan, tag) = (world.model("model").await, world.user("fan").await, unique_tag("ban"));
    let stays = world.write(&model, &format!("#{tag}")).await;
    let id = world.write(&model, &format!("#{tag}")).await;
    for post in [&stays, &id] {
        world.like(&fan, post).await;
        world.bookmark(&fan, post).await;
    }
    world.follow(&fan, &model).await;
    let comment = world.comment(&fan, &id, "c").await;
    Scene { world, model, fan, tag, id, stays, comment }
}

impl Scene {
    /// Every feed that the fan can have the post in.
    fn feeds(&self) -> Vec<String> {
        let Self { model, tag, .. } = self;
        vec![
            "/feed/explore?limit=100".into(),
            "/feed/following".into(),
            format!("/feed/hashtag/{tag}"),
            format!("/feed/hashtag/{tag}/ranked"),
            format!("/users/{model}/posts"),
            "/users/me/liked".into(),
            "/users/me/bookmarked".into(),
        ]
    }

    /// In how many of them it is.
    async fn appearances(&self, id: &str) -> usize {
        let mut count = 0;
        for feed in self.feeds() {
            count += usize::from(self.world.ids(&self.fan, &feed).await.iter().any(|other| other == id));
        }
        let path = format!("/search/hashtags/top-posts?hashtags={}", self.tag);
        let top = self.world.see(&self.fan, &path).await["hashtags"][&self.tag].take();
        count + usize::from(ids_of(&json!({"posts": top})).iter().any(|other| other == id))
    }

    /// `engagement_score` and `postCount` of the model.
    async fn figures(&self) -> (Value, Value) {
        let top = self.world.see(&self.fan, "/search/models/top?limit=100").await;
        let own = top["models"].as_array().unwrap().iter().find(|model| model["username"] == self.model);
        let score = own.map_or(Value::Null, |model| model["engagement_score"].clone());
        (score, self.world.user_seen_by(&self.fan, &self.model).await["postCount"].clone())
    }
}

#[tokio::test]
async fn a_banned_post_is_out_of_every_feed_and_of_every_count() {
    let scene = scene().await;
    let world = &scene.world;
    assert_eq!((scene.appearances(&scene.id).await, scene.appearances(&scene.stays).await), (8, 8));
    assert_eq!(scene.figures().await, (json!(19), json!(2)));
    assert_eq!(world.ban(&scene.id).await, json!({"message": "Post banned", "changed": true}));
    assert_eq!((scene.appearances(&scene.id).await, scene.appearances(&scene.stays).await), (0, 8));
    assert_eq!(scene.figures().await, (json!(7), json!(1)));
    for path in ["/users/me/liked", "/users/me/bookmarked", "/feed/following"] {
        assert_eq!(world.see(&scene.fan, path).await["pagination"]["count"], 1, "{path}");
    }
    // Not even in the author's own list.
    assert_eq!(world.ids(&scene.model, "/users/me/posts").await, [&*scene.stays]);
    assert_eq!(world.lift(&scene.id).await, json!({"message": "Ban lifted", "changed": true}));
    assert_eq!((scene.appearances(&scene.id).await, scene.figures().await), (8, (json!(19), json!(2))));
}

#[tokio::test]
async fn banning_twice_and_lifting_twice_change_nothing() {
    let scene = scene().await;
    let world = &scene.world;
    assert_eq!(world.lift(&scene.id).await, json!({"message": "Ban lifted", "changed": false}));
    world.ban(&scene.id).await;
    let stored = world.redis.hash(&format!("post:{}", scene.id));
    let again = world.patch(&format!("/posts/{}/ban", scene.id)).admin(&scene.fan).send().await;
    assert_eq!(again.ok(), json!({"message": "Post banned", "changed": false}));
    assert_eq!(world.redis.hash(&format!("post:{}", scene.id)), stored);
    assert_eq!(scene.figures().await, (json!(7), json!(1)));
    world.lift(&scene.id).await;
    assert_eq!(world.lift(&scene.id).await["changed"], false);
    assert_eq!(scene.figures().await, (json!(19), json!(2)));
}

#[tokio::test]
async fn lifting_a_ban_puts_all_back_as_it_was() {
    let world = World::own();
    for (name, role) in [("author", "model"), ("fan", "user"), ("other", "user")] {
        world.make(name, json!({"role": role})).await;
    }
    let first = world.write("author", "#a #b").await;
    let second = world.write("author", "#a").await;
    for who in ["author", "fan", "other"] {
        world.like(who, &first).await;
        world.bookmark(who, &first).await;
        world.comment(who, &first, "c").await;
        world.like(who, &second).await;
    }
    let before = world.redis.keyspace();
    world.ban(&first).await;
    assert_eq!(audit(&world.redis), [""; 0]);
    world.ban(&second).await;
    assert_eq!(audit(&world.redis), [""; 0]);
    world.lift(&first).await;
    world.lift(&second).await;
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0]);
}

#[tokio::test]
async fn only_its_author_and_administrators_get_it() {
    let scene = scene().await;
    let (world, admin) = (&scene.world, scene.world.stored_admin("stored").await);
    world.set_ms(NOW_MS);
    let before = world.post_seen_by(&scene.fan, &scene.id).await;
    let banned = world.patch(&format!("/posts/{}/ban", scene.id)).acting_as(&admin).send().await;
    assert_eq!(banned.status, 200, "{}", banned.text());
    let get = || world.get(&format!("/posts/{}", scene.id));
    for call in [get().user(&scene.model), get().admin(&scene.fan), get().api_key(), get().acting_as(&admin)] {
        let post = call.send().await.ok()["post"].take();
        assert_eq!(
            (&post["banned"], &post["banned_at"], &post["banned_by"]),
            (&json!("true"), &json!(NOW_MS), &json!(admin))
        );
        assert_eq!(
            (&post["likesCount"], &post["commentsCount"], &post["bookmarksCount"]),
            (&json!(1), &json!(1), &json!(1))
        );
    }
    let own = get().admin(&scene.fan).send().await.ok()["post"].take();
    assert_eq!((&own["isLiked"], &own["isBookmarked"]), (&json!(true), &json!(true)));
    // A stored administrator's own token says `user`, and a model is no administrator.
    let others = [
        get().user(&scene.fan),
        get().user(&admin),
        get().acting_as(&scene.fan),
        get().bearer(&token::of("m", "model")),
    ];
    for call in others {
        assert_eq!(call.send().await.refusal(), (404, "Post not found".into()));
    }
    world.lift(&scene.id).await;
    assert_eq!(world.post_seen_by(&scene.fan, &scene.id).await, before);
}

#[tokio::test]
async fn only_administrators_ban_and_lift() {
    let scene = scene().await;
    let (world, admin) = (&scene.world, scene.world.stored_admin("stored").await);
    let path = format!("/posts/{}/ban", scene.id);
    for method in ["PATCH", "DELETE"] {
        for path in [&path, "/posts/never/ban"] {
            let call = || world.gateway.call(method, path);
            let calls = [
                call().user(&scene.fan),
                call().user(&scene.model),
                call().user(&admin),
                call().acting_as(&scene.model),
                call().bearer(&token::of(&scene.model, "model")),
            ];
            for call in calls {
                assert_eq!(call.send().await.code(), (403, "admin_only".into()), "{method} {path}");
            }
            assert_eq!(call().send().await.status, 401);
        }
        let call = || world.gateway.call(method, &path);
        for (allowed, undo) in
            [call().admin(&scene.fan), call().acting_as(&admin), call().api_key()].into_iter().zip(0..)
        {
            assert_eq!(allowed.send().await.ok()["changed"], true, "{method} {undo}");
            let undo = if method == "PATCH" { world.lift(&scene.id).await } else { world.ban(&scene.id).await };
            assert_eq!(undo["changed"], true);
        }
        // For the next round the post is banned.
        if method == "PATCH" {
            world.ban(&scene.id).await;
        }
    }
}

#[tokio::test]
async fn nothing_can_be_done_with_it_meanwhile() {
    let scene = scene().await;
    let (world, id) = (&scene.world, &scene.id);
    world.ban(id).await;
    let stored = world.redis.hash(&format!("post:{id}"));
    for (method, part) in [
        ("POST", "/like"),
        ("DELETE", "/like"),
        ("POST", "/bookmark"),
        ("DELETE", "/bookmark"),
        ("POST", "/view"),
        ("POST", "/comments"),
    ] {
        let call = || world.gateway.call(method, &format!("/posts/{id}{part}")).json(json!({"content": "c"}));
        assert_eq!(call().user(&scene.fan).send().await.refusal(), (404, "Post not found".into()), "{method} {part}");
        for call in [call().user(&scene.model), call().admin(&scene.fan), call().api_key()] {
            assert_eq!(call.send().await.code(), (409, "conflict".into()), "{method} {part}");
        }
    }
    let comments = || world.get(&format!("/posts/{id}/comments"));
    assert_eq!(comments().user(&scene.fan).send().await.refusal(), (404, "Post not found".into()));
    for call in [comments().user(&scene.model), comments().admin(&scene.fan), comments().api_key()] {
        assert_eq!(call.send().await.ok()["pagination"]["totalCount"], 1);
    }
    let delete = world.delete(&format!("/posts/{id}")).user(&scene.fan).send().await;
    assert_eq!(delete.refusal(), (404, "Post not found".into()));
    assert_eq!(world.redis.hash(&format!("post:{id}")), stored);
    world.does(&scene.model, "DELETE", &format!("/posts/{id}")).await;
    assert!(!world.exists(&format!("post:{id}")));
}

#[tokio::test]
async fn a_comment_on_it_can_be_deleted_and_stays_so() {
    let scene = scene().await;
    let world = &scene.world;
    let other = world.user("other").await;
    world.ban(&scene.id).await;
    let delete = || world.delete(&format!("/comments/{}", scene.comment));
    // Whoever may not know the post learns nothing of its comments.
    assert_eq!(delete().user(&other).send().await.refusal(), (404, "Comment not found".into()));
    assert_eq!(delete().user(&scene.model).send().await.status, 200);
    assert_eq!(scene.figures().await, (json!(7), json!(1)));
    world.lift(&scene.id).await;
    assert_eq!(world.post_seen_by(&scene.fan, &scene.id).await["commentsCount"], 0);
    assert_eq!(scene.figures().await, (json!(14), json!(2)));
}

#[tokio::test]
async fn who_is_deleted_meanwhile_does_not_come_back_with_it() {
    let world = World::own();
    for (name, role) in [("author", "model"), ("fan", "user"), ("stays", "user")] {
        world.make(name, json!({"role": role})).await;
    }
    let id = world.write("author", "#t").await;
    for who in ["fan", "stays"] {
        world.like(who, &id).await;
        world.bookmark(who, &id).await;
        world.comment(who, &id, "c").await;
    }
    world.ban(&id).await;
    world.does("fan", "DELETE", "/users/me").await;
    assert_eq!(audit(&world.redis), [""; 0]);
    world.lift(&id).await;
    let post = world.post_seen_by("stays", &id).await;
    assert_eq!([&post["likesCount"], &post["bookmarksCount"], &post["commentsCount"]], [1, 1, 1]);
    assert_eq!(world.score("models:top:engagement", "author"), "12");
    assert_eq!(audit(&world.redis), [""; 0]);
    world.ban(&id).await;
    world.does("author", "DELETE", "/users/me").await;
    assert_eq!(audit(&world.redis), [""; 0]);
    assert!(!world.exists("posts:banned"));
}

#[tokio::test]
async fn a_role_that_changes_meanwhile_counts_when_it_is_lifted() {
    let scene = scene().await;
    let world = &scene.world;
    world.ban(&scene.id).await;
    let role = async |role: &str| {
        let path = format!("/users/{}", scene.model);
        assert_eq!(world.patch(&path).api_key().json(json!({"role": role})).send().await.status, 200);
    };
    role("user").await;
    world.lift(&scene.id).await;
    assert_eq!(scene.figures().await, (Value::Null, json!(2)));
    assert_eq!(world.post_seen_by(&scene.fan, &scene.id).await["user_role"], "user");
    role("model").await;
    assert_eq!(scene.figures().await, (json!(19), json!(2)));
}

#[tokio::test]
async fn the_same_post_again_by_its_key_is_banned_still() {
    let world = World::shared();
    let name = world.user("author").await;
    let post = async || {
        let call = world.post("/posts").user(&name).header("idempotency-key", "k");
        call.json(json!({"content": "x"})).send().await
    };
    let id = id_of(&post().await.json()["post"]);
    world.ban(&id).await;
    let again = post().await;
    assert_eq!((again.status, id_of(&again.json()["post"])), (201, id.clone()));
    assert_eq!(world.ids(&name, "/users/me/posts").await, [""; 0]);
}

#[tokio::test]
async fn many_at_once_leave_everything_in_place() {
    let world = World::own();
    let names = ["author", "fan-0", "fan-1", "fan-2"];
    for name in names {
        world.make(name, json!({"role": "model"})).await;
    }
    let id = world.write("author", "#t").await;
    let calls = (0..120).map(|n| {
        let name = names[n % 4];
        let (method, path) = match n % 6 {
            0 => ("PATCH", "/ban"),
            1 => ("DELETE", "/ban"),
            2 | 3 => ("POST", "/like"),
            4 => ("DELETE", "/like"),
            _ => ("POST", "/comments"),
        };
        let call = world.gateway.call(method, &format!("/posts/{id}{path}")).json(json!({"content": "c"}));
        let call = if path == "/ban" { call.api_key() } else { call.user(name) };
        call.send()
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status < 500));
    assert_eq!(audit(&world.redis), [""; 0]);
    world.lift(&id).await;
    assert_eq!(audit(&world.redis), [""; 0]);
    let keys = without_zero_counters(world.redis.keyspace());
    assert!(!keys.keys().any(|key| key.ends_with(":banned")), "{keys:?}");
}
