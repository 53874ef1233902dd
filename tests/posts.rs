//! SPEC 6, posts: what may be posted, what is shown of it, and who may delete it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, OF_POSTS, World, id_of, unique_tag};
use support::{Answer, NOW_MS, audit::audit, facts::without_zero_counters, keyspace::differences, token};

async fn post(world: &World, author: &str, body: impl Into<Value>) -> Answer {
    world.post("/posts").user(author).json(body).send().await
}

/// Refused, and the sentence names the field.
fn assert_names(answer: &Answer, field: &str) {
    assert_eq!(answer.code(), (400, "bad_request".into()), "{}", answer.text());
    assert!(answer.refusal().1.contains(&format!("'{field}'")), "{}", answer.text());
}

fn assert_is_uuid_of_version_7(id: &str) {
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
    assert!(id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{id}");
    assert_eq!(&id[14..15], "7", "{id}");
}

#[tokio::test]
async fn a_post_is_answered_whole() {
    let world = World::shared().at(NOW_MS);
    let fields = json!({"role": "model", "display_name": "Ann", "avatar": "a.png", "email": "e"});
    let name = world.person("whole", fields).await;
    let body = json!({"content": " \n Hello #World\t", "media_url": "https://example.com/a.png", "hashtags": ["#Two"]});
    let post = world.draft(&name, body).await;
    let id = id_of(&post);
    assert_is_uuid_of_version_7(&id);
    let expected = json!({
        "id": id, "user_id": name, "username": name, "avatar": "a.png", "display_name": "Ann", "user_role": "model",
        "content": "Hello #World", "media_url": "https://example.com/a.png", "hashtags": ["world", "two"],
        "created_at": NOW_MS, "likesCount": 0, "commentsCount": 0, "bookmarksCount": 0, "viewsCount": 0,
        "isLiked": false, "isBookmarked": false,
    });
    assert_eq!(post, expected);
    assert_eq!(world.post_seen_by("someone", &id).await, expected);
}

#[tokio::test]
async fn what_is_absent_is_empty_and_the_stored_role_counts() {
    let world = World::shared();
    let name = world.user("plain").await;
    let call = world.post("/posts").bearer(&token::of(&name, "admin"));
    let answer = call.json(json!({"content": "x", "media_url": null, "hashtags": null})).send().await;
    let post = &answer.json()["post"];
    for field in ["avatar", "display_name", "media_url"] {
        assert_eq!(post[field], "", "{field}");
    }
    assert_eq!((&post["hashtags"], &post["user_role"]), (&json!([]), &json!("user")));
}

#[tokio::test]
async fn a_post_is_in_every_list_and_counted() {
    let world = World::shared().at(NOW_MS);
    let (name, tag) = (world.user("lists").await, unique_tag("Lists"));
    let id = world.write(&name, &format!("#{tag}")).await;
    let tag = tag.to_lowercase();
    let lists = [format!("user:{name}:posts"), "explore:feed".into(), format!("hashtag:{tag}:posts")];
    for key in lists {
        assert_eq!(world.score(&key, &id), NOW_MS.to_string(), "{key}");
    }
    assert_eq!(world.score(&format!("hashtag:{tag}:ranked"), &id), "0");
    assert_eq!(world.user_seen_by(&name, "me").await["postCount"], 1);
}

#[tokio::test]
async fn content_has_1_to_5000_characters_once_trimmed() {
    let world = World::shared();
    let name = world.user("length").await;
    // Characters, not bytes and not UTF-16 units.
    for letter in ["x", "é", "語", "😀"] {
        let longest = letter.repeat(5000);
        let padded = format!("\u{3000} \n{longest}\t\u{a0}");
        assert_eq!(world.draft(&name, json!({"content": padded})).await["content"], longest, "{letter}");
        assert_names(&post(&world, &name, json!({"content": letter.repeat(5001)})).await, "content");
    }
    assert_eq!(world.draft(&name, json!({"content": "."})).await["content"], ".");
    for content in ["", " ", "\n\t\r ", "\u{a0}\u{2003}\u{3000}"] {
        assert_names(&post(&world, &name, json!({"content": content})).await, "content");
    }
}

#[tokio::test]
async fn content_is_kept_as_it_is() {
    let world = World::shared();
    let name = world.user("kept").await;
    let bulk = "*1\r\n$8\r\nFLUSHALL\r\n";
    for content in [bulk, "a\u{0}b", "\"\\ </script>", "{{x}}", "e\u{301}", "\u{202e}abc", "{\"a\":1}", "\u{feff}x"] {
        let written = world.draft(&name, json!({"content": content})).await;
        assert_eq!(written["content"], content.trim(), "{content:?}");
        assert_eq!(world.post_seen_by(&name, &id_of(&written)).await, written);
    }
}

#[tokio::test]
async fn what_is_no_post_is_refused_with_the_name_of_the_field() {
    let world = World::shared();
    let name = world.user("wrong").await;
    for (body, field) in [
        (json!({}), "content"),
        (json!({"content": null}), "content"),
        (json!({"content": 5}), "content"),
        (json!({"content": ["x"]}), "content"),
        (json!({"content": {"x": 1}}), "content"),
        (json!({"content": true}), "content"),
        (json!({"content": "x", "media_url": 5}), "media_url"),
        (json!({"content": "x", "media_url": ["https://example.com"]}), "media_url"),
        (json!({"content": "x", "hashtags": "a,b"}), "hashtags"),
        (json!({"content": "x", "hashtags": [1]}), "hashtags"),
        (json!({"content": "x", "hashtags": [null]}), "hashtags"),
        (json!({"content": "x", "hashtags": {"a": 1}}), "hashtags"),
        (json!({"content": "x", "hashtags": [["a"]]}), "hashtags"),
    ] {
        assert_names(&post(&world, &name, body).await, field);
    }
    for body in ["", "[]", "\"x\"", "5", "null", "{", "{\"content\":\"x\"}{}", "content=x", "{\"content\":\"\\ud800\"}"]
    {
        let answer = world.post("/posts").user(&name).body(body).send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{body}");
    }
    let not_text = world.post("/posts").user(&name).body(b"{\"content\":\"\xff\"}".to_vec()).send().await;
    assert_eq!(not_text.code(), (400, "bad_request".into()));
    assert_eq!(world.user_seen_by(&name, "me").await["postCount"], 0);
}

#[tokio::test]
async fn a_body_is_at_most_one_mebibyte_and_its_type_is_not_looked_at() {
    let world = World::shared();
    let name = world.user("large").await;
    let body = |length: usize| format!("{{\"content\":\"x\"{}}}", " ".repeat(length - 15));
    assert_eq!(body(20).len(), 20);
    let fits = world.post("/posts").user(&name).header("content-type", "text/plain").body(body(1 << 20)).send().await;
    assert_eq!(fits.status, 201, "{}", fits.text());
    let answer = world.post("/posts").user(&name).body(body((1 << 20) + 1)).send().await;
    assert_eq!(answer.code(), (413, "body_too_large".into()));
}

#[tokio::test]
async fn fields_that_a_post_does_not_take_change_nothing() {
    let world = World::shared().at(NOW_MS);
    let (name, other) = (world.user("fields").await, world.user("other").await);
    let body = json!({"content": "x", "id": "mine", "user_id": other, "username": other, "created_at": 1, "likesCount": 9,
        "banned": "true", "user_role": "admin", "isLiked": true});
    let post = world.draft(&name, body).await;
    assert_ne!(post["id"], "mine");
    assert_eq!([&post["username"], &post["user_id"], &post["user_role"]], [&json!(name), &json!(name), &json!("user")]);
    assert_eq!([&post["created_at"], &post["likesCount"]], [NOW_MS, 0]);
    assert_eq!((&post["isLiked"], post.get("banned")), (&json!(false), None));
}

#[tokio::test]
async fn a_media_url_is_empty_or_http() {
    let world = World::shared();
    let name = world.user("media").await;
    let long = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20));
    let longest = long(2048);
    for url in ["", "http://example.com", "HTTPS://EXAMPLE.COM/a?b=c#d", "https://[::1]:8080/", &longest] {
        assert_eq!(world.draft(&name, json!({"content": "x", "media_url": url})).await["media_url"], url);
    }
    let padded = world.draft(&name, json!({"content": "x", "media_url": " https://example.com/a "})).await;
    assert_eq!(padded["media_url"], "https://example.com/a");
    let too_long = long(2049);
    for url in [
        "ftp://example.com/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com/a",
        "example.com/a.png",
        "/a.png",
        "https://",
        "http:// example.com",
        "x",
        &too_long,
    ] {
        assert_names(&post(&world, &name, json!({"content": "x", "media_url": url})).await, "media_url");
    }
}

#[tokio::test]
async fn a_post_is_shown_with_its_author_and_what_the_viewer_did() {
    let world = World::shared();
    let name = world.person("author", json!({"bio": "b", "email": "e"})).await;
    let (fan, other) = (world.user("fan").await, world.user("other").await);
    let id = world.write(&name, "x").await;
    world.like(&fan, &id).await;
    world.bookmark(&other, &id).await;
    for (viewer, liked, bookmarked) in [(&fan, true, false), (&other, false, true), (&name, false, false)] {
        let shown = world.see(viewer, &format!("/posts/{id}")).await;
        let did = (&shown["post"]["isLiked"], &shown["post"]["isBookmarked"]);
        assert_eq!(did, (&json!(liked), &json!(bookmarked)), "{viewer}");
        assert_eq!((&shown["post"]["likesCount"], &shown["post"]["bookmarksCount"]), (&json!(1), &json!(1)));
        let user = &shown["user"];
        assert_eq!((&user["username"], &user["bio"], user.get("email")), (&json!(name), &json!("b"), None));
        assert_eq!(user.get("isFollowing"), None);
    }
}

#[tokio::test]
async fn an_unknown_post_is_404_on_every_route() {
    let world = World::shared();
    let (name, gone) = (world.user("seeker").await, world.user("gone").await);
    let deleted = world.write(&name, "x").await;
    world.does(&name, "DELETE", &format!("/posts/{deleted}")).await;
    let orphan = world.write(&gone, "x").await;
    world.does(&gone, "DELETE", "/users/me").await;
    let long = "x".repeat(64);
    for id in [&deleted, &orphan, "never", "...", "me", &long] {
        for (method, part) in OF_POSTS {
            let call = world.gateway.call(method, &format!("/posts/{id}{part}")).admin(&name);
            let answer = call.json(json!({"content": "x"})).send().await;
            assert_eq!(answer.refusal(), (404, "Post not found".into()), "{method} {id}{part}");
            assert_eq!(answer.code().1, "post_not_found");
        }
    }
}

#[tokio::test]
async fn every_view_counts_whoever_looks() {
    let world = World::shared();
    let name = world.user("viewed").await;
    let id = world.write(&name, "x").await;
    let view = || world.post(&format!("/posts/{id}/view"));
    for (views, call) in
        [view().user(&name), view().user(&name), view().api_key(), view().user("someone")].into_iter().enumerate()
    {
        assert_eq!(call.send().await.ok(), json!({"viewsCount": views + 1}));
    }
    assert_eq!(view().send().await.refusal(), (401, "Missing token".into()));
    let post = world.post_seen_by(&name, &id).await;
    assert_eq!((&post["viewsCount"], &post["likesCount"]), (&json!(4), &json!(0)));
}

#[tokio::test]
async fn who_may_delete_a_post() {
    let world = World::shared();
    let (name, other) = (world.user("owner").await, world.user("other").await);
    let admin = world.stored_admin("stored").await;
    for (who, status) in [
        ("owner", 200),
        ("acting as the owner", 200),
        ("an admin's token", 200),
        ("an API key", 200),
        ("acting as a stored admin", 200),
        ("another user", 403),
        ("acting as another user", 403),
        ("a stored admin with a user's token", 403),
        ("a model's token", 403),
        ("nobody", 401),
    ] {
        let id = world.write(&name, "x").await;
        let call = world.delete(&format!("/posts/{id}"));
        let call = match who {
            "owner" => call.user(&name),
            "acting as the owner" => call.acting_as(&name),
            "an admin's token" => call.admin(&other),
            "an API key" => call.api_key(),
            "acting as a stored admin" => call.acting_as(&admin),
            "another user" => call.user(&other),
            "acting as another user" => call.acting_as(&other),
            "a stored admin with a user's token" => call.user(&admin),
            "a model's token" => call.bearer(&token::of(&other, "model")),
            _ => call,
        };
        let answer = call.send().await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
        match status {
            200 => assert_eq!(answer.json(), json!({"message": "Post deleted"})),
            403 => assert_eq!(answer.code().1, "forbidden"),
            _ => {}
        }
        assert_eq!(world.exists(&format!("post:{id}")), status != 200, "{who}");
    }
}

#[tokio::test]
async fn nothing_of_a_deleted_post_is_left() {
    let world = World::own();
    world.make("alice", json!({"role": "model"})).await;
    world.make("bob", json!({})).await;
    let stays = world.write("alice", "#shared").await;
    world.like("bob", &stays).await;
    let before = without_zero_counters(world.redis.keyspace());
    for banned in [false, true] {
        let id = world.write("alice", "#shared #alone").await;
        for who in ["alice", "bob"] {
            world.like(who, &id).await;
            world.bookmark(who, &id).await;
            world.comment(who, &id, "c").await;
        }
        world.does("bob", "POST", &format!("/posts/{id}/view")).await;
        if banned {
            world.ban(&id).await;
        }
        assert_eq!(audit(&world.redis), [""; 0]);
        world.does("alice", "DELETE", &format!("/posts/{id}")).await;
        let after = without_zero_counters(world.redis.keyspace());
        assert_eq!(differences(&after, &before), [""; 0], "banned: {banned}");
    }
}
