//! `X-Webhook-Id`: an event that was applied is not applied again for a day.

use serde_json::{Value, json};

use crate::{
    changed, received,
    social::World,
    support::{Answer, Call, Gateway, NOW_MS, keyspace::differences},
    unchanged,
};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Two users and a post of the first of them.
async fn people() -> World {
    let world = World::own().at(NOW_MS);
    for name in ["alice", "bob"] {
        world.make(name, json!({})).await;
    }
    let post = json!([{"id": "p", "username": "alice", "content": "x"}]);
    assert_eq!(world.post("/sync/posts").api_key().json(post).send().await.status, 200);
    world
}

fn call(gateway: &Gateway, event: &str, item: &Value) -> Call {
    gateway.post(&format!("/webhooks/{event}")).api_key().json(item.clone())
}

async fn send(gateway: &Gateway, event: &str, id: &str, item: &Value) -> Answer {
    call(gateway, event, item).header("x-webhook-id", id).send().await
}

fn like() -> Value {
    json!({"username": "bob", "post_id": "p"})
}

/// The keys by which events are remembered.
fn remembered(world: &World) -> Vec<String> {
    world.redis.keyspace().into_keys().filter(|key| key.starts_with("webhook:")).collect()
}

#[tokio::test]
async fn seen_again_it_is_200_and_nothing_is_applied() {
    let world = people().await;
    let items = [
        ("user-update", json!({"username": "bob", "bio": "b"}), json!({"username": "bob", "bio": "meanwhile"})),
        ("like", like(), json!({"username": "bob", "post_id": "p", "deleted": true})),
        (
            "follow",
            json!({"follower": "bob", "following": "alice"}),
            json!({"follower": "bob", "following": "alice", "deleted": true}),
        ),
        ("post-create", json!({"id": "q", "username": "bob", "content": "x"}), json!({"id": "q", "deleted": true})),
        ("post-delete", json!({"id": "p"}), json!({"id": "p", "username": "alice", "content": "x"})),
        ("user-delete", json!({"username": "bob"}), json!({"username": "bob"})),
    ];
    for (event, item, undo) in items {
        assert!(received(&send(&world.gateway, event, "id-1", &item).await).1, "{event}");
        // What undoes it: the event of the same kind, unless that is a deletion.
        let other = match event {
            "post-delete" => "post-create",
            "user-delete" => "user-update",
            event => event,
        };
        assert!(received(&call(&world.gateway, other, &undo).send().await).1, "{event}");
        let before = world.redis.keyspace();
        assert_eq!(received(&send(&world.gateway, event, "id-1", &item).await), unchanged(), "{event}");
        assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0], "{event}");
        // Another isolate has not seen it, and knows all the same.
        assert_eq!(received(&send(&Gateway::on(&world.redis), event, "id-1", &item).await), unchanged(), "{event}");
        assert!(received(&send(&world.gateway, event, "id-2", &item).await).1, "{event}");
    }
}

#[tokio::test]
async fn an_event_is_remembered_for_24_hours() {
    let world = people().await;
    assert_eq!(received(&send(&world.gateway, "like", "id", &like()).await), changed("created"));
    let keys = remembered(&world);
    assert_eq!((keys.len(), keys[0].len()), (1, "webhook:".len() + 64));
    let left = world.redis.run(&["PTTL", &keys[0]]).as_i64().unwrap();
    assert!((DAY_MS - 60_000..=DAY_MS).contains(&left), "{left}");
    // When the day is over.
    world.redis.run(&["PEXPIRE", &keys[0], "0"]);
    assert_eq!(received(&call(&world.gateway, "unlike", &like()).send().await), changed("deleted"));
    assert_eq!(received(&send(&world.gateway, "like", "id", &like()).await), changed("created"));
    // To see it again does not make it stay longer.
    let key = &remembered(&world)[0];
    world.redis.run(&["PEXPIRE", key, "5000"]);
    send(&world.gateway, "like", "id", &like()).await;
    assert!(world.redis.run(&["PTTL", key]).as_i64().unwrap() <= 5000);
}

#[tokio::test]
async fn an_event_that_was_refused_can_be_sent_again() {
    let world = people().await;
    let early = [
        ("follow", json!({"follower": "bob", "following": "carol"})),
        ("like", json!({"username": "carol", "post_id": "p"})),
        ("post-create", json!({"id": "c", "username": "carol", "content": "x"})),
    ];
    for (event, item) in &early {
        let answer = send(&world.gateway, event, "id", item).await;
        assert_eq!(answer.code(), (404, "user_not_found".into()), "{event}");
    }
    let later = json!({"username": "bob", "post_id": "c"});
    assert_eq!(send(&world.gateway, "like", "id", &later).await.code(), (404, "post_not_found".into()));
    let taken = json!({"id": "p", "username": "bob", "content": "x"});
    assert_eq!(send(&world.gateway, "post-create", "id", &taken).await.code(), (409, "conflict".into()));
    assert_eq!(send(&world.gateway, "like", "id", &json!({"username": "bob"})).await.status, 400);
    assert_eq!(remembered(&world), [""; 0]);
    world.make("carol", json!({})).await;
    for (event, item) in &early {
        assert_eq!(received(&send(&world.gateway, event, "id", item).await), changed("created"), "{event}");
        assert_eq!(received(&send(&world.gateway, event, "id", item).await), unchanged(), "{event}");
    }
}

#[tokio::test]
async fn the_same_id_of_another_event_is_another() {
    let world = people().await;
    let item = like();
    assert_eq!(received(&send(&world.gateway, "like", "id", &item).await), changed("created"));
    assert_eq!(received(&send(&world.gateway, "unlike", "id", &item).await), changed("deleted"));
    assert_eq!(received(&send(&world.gateway, "like", "ID", &item).await), changed("created"));
    for (event, id) in [("like", "id"), ("unlike", "id"), ("like", "ID")] {
        assert_eq!(received(&send(&world.gateway, event, id, &item).await), unchanged(), "{event} {id}");
    }
    assert_eq!(remembered(&world).len(), 3);
    assert_eq!(world.field("post:p", "likesCount"), "1");
}

#[tokio::test]
async fn an_event_that_found_all_as_it_says_is_remembered_too() {
    let world = people().await;
    world.like("bob", "p").await;
    assert_eq!(received(&send(&world.gateway, "like", "id", &like()).await), unchanged());
    assert_eq!(received(&call(&world.gateway, "unlike", &like()).send().await), changed("deleted"));
    assert_eq!(received(&send(&world.gateway, "like", "id", &like()).await), unchanged());
    assert_eq!(world.field("post:p", "likesCount"), "0");
}

/// A deletion that was answered 200 since there was nothing to delete has happened: its copy must not delete what came since.
#[tokio::test]
async fn a_deletion_that_found_nothing_is_remembered_too() {
    let world = people().await;
    for (event, makes, item) in [
        ("user-delete", "user-update", json!({"username": "carol"})),
        ("post-delete", "post-create", json!({"id": "new", "username": "bob", "content": "x"})),
    ] {
        assert_eq!(received(&send(&world.gateway, event, "id", &item).await), unchanged(), "{event}");
        assert_eq!(received(&call(&world.gateway, makes, &item).send().await), changed("created"), "{event}");
        assert_eq!(received(&send(&world.gateway, event, "id", &item).await), unchanged(), "{event}, its copy");
    }
}

#[tokio::test]
async fn without_an_id_nothing_is_remembered() {
    let world = people().await;
    for (event, status) in [("like", "created"), ("unlike", "deleted"), ("like", "created")] {
        assert_eq!(received(&call(&world.gateway, event, &like()).send().await), changed(status));
    }
    assert_eq!(remembered(&world), [""; 0]);
}

#[tokio::test]
async fn an_id_has_1_to_255_characters_and_is_there_once() {
    let world = people().await;
    let sentence = "Header 'X-Webhook-Id' must be 1 to 255 visible ASCII characters, and there once";
    let before = world.redis.keyspace();
    for id in ["", "é", &"x".repeat(256)] {
        let answer = send(&world.gateway, "like", id, &like()).await;
        assert_eq!((answer.code(), answer.refusal().1), ((400, "bad_request".into()), sentence.into()), "{id:?}");
    }
    let twice = call(&world.gateway, "like", &like()).header("x-webhook-id", "a").header("x-webhook-id", "a");
    assert_eq!(twice.send().await.refusal(), (400, sentence.into()));
    assert_eq!(differences(&world.redis.keyspace(), &before), [""; 0]);
    for id in [&"x".repeat(255), "*", "a:b", "{[\"'\\]}"] {
        received(&call(&world.gateway, "unlike", &like()).send().await);
        assert_eq!(received(&send(&world.gateway, "like", id, &like()).await), changed("created"), "{id:?}");
    }
    assert_eq!(remembered(&world).len(), 4);
}

#[tokio::test]
async fn of_many_copies_at_once_one_is_applied() {
    let world = people().await;
    let isolates: Vec<Gateway> = (0..4).map(|_| Gateway::on(&world.redis)).collect();
    let item = json!({"username": "bob", "visits": "1"});
    let copies = (0..40).map(|n| send(&isolates[n % 4], "user-update", "id", &item));
    let answers = futures_util::future::join_all(copies).await;
    let applied = answers.iter().filter(|answer| received(answer) == changed("updated")).count();
    assert_eq!(applied, 1);
    assert_eq!(answers.iter().filter(|answer| received(answer) == unchanged()).count(), 39);
}
