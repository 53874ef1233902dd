//! SPEC 6, comments: what may be said, who may delete it, and pages of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World, id_of, texts, unique_tag, whole_refusal};
use support::{Answer, NOW_MS, audit::audit, token, unique};

fn comments_path(post: &str) -> String {
    format!("/posts/{post}/comments")
}

async fn comment(world: &World, author: &str, post: &str, body: impl Into<Value>) -> Answer {
    world.post(&comments_path(post)).user(author).json(body).send().await
}

/// The ids of a post's comments, as a viewer gets them.
async fn ids(world: &World, viewer: &str, post: &str, query: &str) -> Vec<String> {
    texts(&world.see(viewer, &format!("{}{query}", comments_path(post))).await["comments"], "/id")
}

#[tokio::test]
async fn a_comment_is_answered_whole_and_listed_the_same() {
    let world = World::shared().at(NOW_MS);
    let name = world.person("author", json!({"bio": "b", "email": "e@example.com"})).await;
    let post = world.write(&name, "x").await;
    let answer = comment(&world, &name, &post, json!({"content": " \n Nice! <b>é😀\u{0}\" "})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created = answer.json()["comment"].take();
    // The author's public view, though the author asks: others read the same list.
    let expected = json!({
        "id": id_of(&created), "post_id": post, "user_id": name, "content": "Nice! <b>é😀\u{0}\"", "created_at": NOW_MS,
        "user": {"username": name, "role": "user", "bio": "b", "created_at": NOW_MS,
            "postCount": 1, "followerCount": 0, "followingCount": 0},
    });
    assert_eq!(created, expected);
    assert_eq!(id_of(&created).len(), 36);
    let page = json!({"offset": 0, "limit": 20, "count": 1, "totalCount": 1, "hasMore": false, "nextCursor": null});
    for viewer in [&*name, "someone"] {
        let list = world.see(viewer, &comments_path(&post)).await;
        assert_eq!(list, json!({"comments": [expected], "pagination": page}));
    }
    assert_eq!(world.post_seen_by(&name, &post).await["commentsCount"], 1);
}

#[tokio::test]
async fn content_has_1_to_2000_characters_once_trimmed() {
    let world = World::shared();
    let name = world.user("length").await;
    let post = world.write(&name, "x").await;
    for letter in ["x", "😀"] {
        let longest = letter.repeat(2000);
        let answer = comment(&world, &name, &post, json!({"content": format!("\n {longest} ")})).await;
        assert_eq!((answer.status, &answer.json()["comment"]["content"]), (201, &json!(longest)));
        let longer = comment(&world, &name, &post, json!({"content": letter.repeat(2001)})).await;
        assert_eq!(longer.code(), (400, "bad_request".into()));
    }
    for body in [
        json!({}),
        json!({"content": ""}),
        json!({"content": " \u{3000}\n"}),
        json!({"content": null}),
        json!({"content": 5}),
        json!({"content": ["x"]}),
        json!(["x"]),
        json!("x"),
        json!(null),
    ] {
        let answer = comment(&world, &name, &post, body.clone()).await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{body}");
    }
    assert_eq!(world.post_seen_by(&name, &post).await["commentsCount"], 2);
}

#[tokio::test]
async fn the_same_words_twice_are_two_comments() {
    let world = World::shared();
    let name = world.user("twice").await;
    let post = world.write(&name, "x").await;
    let (first, second) = (world.comment(&name, &post, "hm").await, world.comment(&name, &post, "hm").await);
    assert_ne!(first, second);
    assert_eq!(world.post_seen_by(&name, &post).await["commentsCount"], 2);
}

#[tokio::test]
async fn comments_are_newest_first_and_come_in_pages() {
    let world = World::shared().at(NOW_MS);
    let (name, fan) = (world.user("author").await, world.user("fan").await);
    let post = world.write(&name, "x").await;
    let mut written = Vec::new();
    for at in 0..7 {
        world.set_ms(NOW_MS + at);
        written.push(world.comment(if at % 2 == 0 { &name } else { &fan }, &post, "c").await);
    }
    written.reverse();
    assert_eq!(ids(&world, &fan, &post, "").await, written);
    assert_eq!(ids(&world, &fan, &post, "?limit=3&offset=2").await, written[2..5]);
    assert_eq!(ids(&world, &fan, &post, "?offset=7").await, [""; 0]);
    let first = world.see(&fan, &format!("{}?limit=3", comments_path(&post))).await;
    let cursor = first["pagination"]["nextCursor"].as_str().unwrap();
    world.set_ms(NOW_MS + 100);
    world.comment(&name, &post, "late").await;
    world.does(&name, "DELETE", &format!("/comments/{}", written[2])).await;
    assert_eq!(ids(&world, &fan, &post, &format!("?limit=4&cursor={cursor}")).await, written[3..]);
}

#[tokio::test]
async fn without_users_if_they_are_not_asked_for() {
    let world = World::shared();
    let name = world.user("author").await;
    let post = world.write(&name, "x").await;
    world.comment(&name, &post, "c").await;
    let path = comments_path(&post);
    let has_user = async |query: &str| {
        let list = world.see(&name, &format!("{path}{query}")).await;
        list["comments"][0].get("user").is_some()
    };
    assert!(has_user("").await && has_user("?includeUser=true").await && !has_user("?includeUser=false").await);
}

#[tokio::test]
async fn who_may_delete_a_comment() {
    let world = World::shared();
    let (author, commenter, other) =
        (world.user("author").await, world.user("commenter").await, world.user("other").await);
    let admin = world.stored_admin("stored").await;
    let post = world.write(&author, "x").await;
    let call = |id: &str, number: usize| {
        let call = world.delete(&format!("/comments/{id}"));
        match number {
            0 => call.user(&commenter),
            1 => call.user(&author),
            2 => call.admin(&other),
            3 => call.api_key(),
            4 => call.acting_as(&commenter),
            5 => call.acting_as(&admin),
            6 => call.user(&other),
            7 => call.user(&admin),
            8 => call.acting_as(&other),
            9 => call.bearer(&token::of(&other, "model")),
            _ => call,
        }
    };
    for number in 0..11 {
        let id = world.comment(&commenter, &post, "c").await;
        let answer = call(&id, number).send().await;
        match number {
            0..6 => assert_eq!(answer.ok(), json!({"message": "Comment deleted"}), "{number}"),
            6..10 => assert_eq!(answer.code(), (403, "forbidden".into()), "{number}"),
            _ => assert_eq!(answer.refusal(), (401, "Missing token".into())),
        }
        assert_eq!(world.exists(&format!("comment:{id}")), number >= 6, "{number}");
    }
    assert_eq!(world.post_seen_by(&author, &post).await["commentsCount"], 5);
}

#[tokio::test]
async fn an_unknown_comment_is_404_for_everyone() {
    let world = World::shared();
    let (author, gone) = (world.user("author").await, world.user("gone").await);
    let (post, other_post) = (world.write(&author, "x").await, world.write(&author, "y").await);
    let deleted = world.comment(&author, &post, "c").await;
    world.does(&author, "DELETE", &format!("/comments/{deleted}")).await;
    let of_deleted_post = world.comment(&author, &other_post, "c").await;
    world.does(&author, "DELETE", &format!("/posts/{other_post}")).await;
    let of_deleted_user = world.comment(&gone, &post, "c").await;
    world.does(&gone, "DELETE", "/users/me").await;
    for id in [&deleted, &of_deleted_post, &of_deleted_user, "never", &post] {
        let path = format!("/comments/{id}");
        for call in
            [world.delete(&path).user(&author), world.delete(&path).admin("boss"), world.delete(&path).api_key()]
        {
            let refusal = whole_refusal(&call.send().await);
            assert_eq!(refusal, (404, "comment_not_found".into(), "Comment not found".into()), "{id}");
        }
    }
    let list = world.see(&author, &comments_path(&post)).await;
    assert_eq!((&list["comments"], &list["pagination"]["totalCount"]), (&json!([]), &json!(0)));
    assert_eq!(world.post_seen_by(&author, &post).await["commentsCount"], 0);
}

#[tokio::test]
async fn a_comment_needs_a_profile_and_a_post() {
    let world = World::shared();
    let (name, ghost) = (world.user("author").await, unique("ghost"));
    let post = world.write(&name, "x").await;
    let body = || json!({"content": "boo"});
    for call in [
        world.post(&comments_path(&post)).user(&ghost),
        world.post(&comments_path(&post)).admin(&ghost),
        world.post(&comments_path(&post)).acting_as(&ghost),
    ] {
        assert_eq!(call.json(body()).send().await.refusal(), (404, "User not found".into()));
    }
    assert_eq!(comment(&world, &name, "never", body()).await.refusal(), (404, "Post not found".into()));
    let key = world.post(&comments_path(&post)).api_key().json(body()).send().await;
    assert_eq!((key.status, &key.json()["comment"]["user_id"]), (201, &json!("xano_sync")));
    let acted = world.post(&comments_path(&post)).acting_as(&name).json(body()).send().await;
    assert_eq!((acted.status, &acted.json()["comment"]["user_id"]), (201, &json!(name)));
    assert!(!world.exists(&format!("user:{ghost}")) && !world.exists(&format!("user:{ghost}:comments")));
}

#[tokio::test]
async fn a_comment_is_five_of_engagement() {
    let world = World::shared();
    let (model, fan) = (world.model("model").await, world.user("fan").await);
    let tag = unique_tag("talk");
    let post = world.write(&model, &format!("#{tag}")).await;
    let engagement = || {
        let ranked = world.score(&format!("hashtag:{tag}:ranked"), &post);
        (ranked, world.score("models:top:engagement", &model))
    };
    let mut comments = Vec::new();
    for sum in ["5", "10", "15"] {
        comments.push(world.comment(&fan, &post, "c").await);
        assert_eq!(engagement(), (json!(sum), json!(sum)));
    }
    for (id, sum) in comments.iter().zip([json!("10"), json!("5"), Value::Null]) {
        world.does(&fan, "DELETE", &format!("/comments/{id}")).await;
        let ranked = if sum.is_null() { json!("0") } else { sum.clone() };
        assert_eq!(engagement(), (ranked, sum));
    }
}

#[tokio::test]
async fn many_at_once_are_counted_exactly() {
    let world = World::own();
    for name in ["author", "fan"] {
        world.make(name, json!({})).await;
    }
    let post = world.write("author", "#busy").await;
    let written = futures_util::future::join_all((0..40).map(|_| world.comment("fan", &post, "c"))).await;
    let deleted = written.iter().take(15).flat_map(|id| (0..3).map(move |_| format!("/comments/{id}")));
    let calls = deleted.map(|path| world.delete(&path).user("fan").send());
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 15);
    assert_eq!(answers.iter().filter(|answer| answer.status == 404).count(), 30);
    assert_eq!(world.post_seen_by("author", &post).await["commentsCount"], 25);
    assert_eq!(audit(&world.redis), [""; 0]);
}
