//! SPEC 6, `PATCH /users/:id`: who may change what of whom, what becomes of the registries, and that new names reach every
//! post.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{Credentials as _, World};
use support::{Call, NOW_MS, token, unique};

const REGISTRIES: [&str; 2] = ["users:regular", "users:models"];

/// In which registries a user is.
fn registries(world: &World, name: &str) -> Vec<&'static str> {
    REGISTRIES.into_iter().filter(|registry| !world.score(registry, name).is_null()).collect()
}

fn path(name: &str) -> String {
    format!("/users/{name}")
}

#[tokio::test]
async fn a_user_changes_the_four_fields_of_their_own() {
    let world = World::shared().at(NOW_MS);
    let name = world.person("four", json!({"bio": "old", "email": "e@example.com"})).await;
    let body = r#"{"display_name":"Ann \"A\" Ω","bio":null,"avatar":1.50,"links":true}"#;
    let answer = world.patch("/users/me").user(&name).body(body).send().await;
    let expected = json!({
        "message": "Profile updated",
        "user": {
            "username": name, "role": "user", "created_at": NOW_MS, "email": "e@example.com",
            "display_name": "Ann \"A\" Ω", "avatar": "1.50", "links": "true",
            "postCount": 0, "followerCount": 0, "followingCount": 0, "isFollowing": false,
        },
        "updates": {"display_name": "Ann \"A\" Ω", "bio": null, "avatar": "1.50", "links": "true"},
    });
    assert_eq!(answer.ok(), expected);
    assert_eq!(world.user_seen_by(&name, "me").await, expected["user"]);
}

#[tokio::test]
async fn a_field_that_is_not_theirs_is_named_and_nothing_of_the_request_is_applied() {
    let world = World::shared();
    let name = world.person("limits", json!({"bio": "old"})).await;
    let before = world.redis.hash(&format!("user:{name}"));
    for field in ["email", "role", "created_at", "password", "verified", "Bio", "is_admin", "bio "] {
        let body = match field {
            "role" => json!({"bio": "new", field: "admin"}),
            "created_at" => json!({"bio": "new", field: 1}),
            field => json!({"bio": "new", field: "x"}),
        };
        for call in [
            world.patch("/users/me").user(&name),
            world.patch(&path(&name)).bearer(&token::of(&name, "model")),
            world.patch("/users/me").acting_as(&name),
        ] {
            let answer = call.json(body.clone()).send().await;
            assert_eq!(answer.code(), (403, "forbidden".into()), "{field}: {}", answer.text());
            assert!(answer.refusal().1.contains(&format!("'{field}'")), "{}", answer.text());
        }
    }
    assert_eq!(world.redis.hash(&format!("user:{name}")), before);
}

#[tokio::test]
async fn removing_a_field_that_is_not_theirs_is_changing_it() {
    let world = World::shared();
    let name = world.person("remove", json!({"email": "e"})).await;
    let answer = world.patch("/users/me").user(&name).json(json!({"email": null})).send().await;
    assert_eq!(answer.code(), (403, "forbidden".into()));
    assert_eq!(world.field(&format!("user:{name}"), "email"), "e");
}

#[tokio::test]
async fn editable_fields_are_theirs_too() {
    let world = World::with(&[("EDITABLE_FIELDS", "email, Favourite_Colour")]);
    let name = world.user("editor").await;
    let fields = json!({"email": "e", "Favourite_Colour": "green", "bio": "b"});
    let answer = world.patch("/users/me").user(&name).json(fields.clone()).send().await;
    assert_eq!(answer.ok()["updates"], fields);
    for field in ["favourite_colour", "city", "role"] {
        let answer = world.patch("/users/me").user(&name).json(json!({field: "admin"})).send().await;
        assert_eq!(answer.code(), (403, "forbidden".into()), "{field}");
    }
    let other = world.user("other").await;
    let answer = world.patch(&path(&name)).user(&other).json(json!({"email": "x"})).send().await;
    assert_eq!(answer.code(), (403, "forbidden".into()));
}

/// A user who could set these could become an administrator, or tell lies that Ridge answers for.
#[tokio::test]
async fn editable_fields_cannot_hold_what_ridge_looks_after() {
    for field in ["role", "username", "postCount", "followerCount", "followingCount", "created_at"] {
        let world = World::with(&[("EDITABLE_FIELDS", field)]);
        let answer = world.patch("/users/me").user("alice").json(json!({field: "admin"})).send().await;
        assert_eq!(answer.code(), (500, "misconfigured".into()), "{field}");
    }
}

#[tokio::test]
async fn who_may_change_whom() {
    let world = World::shared();
    let (name, other) = (world.user("changed").await, world.user("other").await);
    let stored_admin = world.stored_admin("stored").await;
    // The token's word counts with a token, the stored one with X-Act-As.
    let only_stored = world.patch(&path(&name)).user(&stored_admin);
    let only_claimed = world.patch(&path(&name)).admin(&other);
    let cases: [(&str, Call, u16); 8] = [
        ("oneself", world.patch("/users/me").user(&name), 200),
        ("oneself by name", world.patch(&path(&name)).user(&name), 200),
        ("another user", world.patch(&path(&name)).user(&other), 403),
        ("a stored admin with a user's token", only_stored, 403),
        ("an admin's token", only_claimed, 200),
        ("an API key", world.patch(&path(&name)).api_key(), 200),
        ("acting as another user", world.patch(&path(&name)).acting_as(&other), 403),
        ("acting as a stored admin", world.patch(&path(&name)).acting_as(&stored_admin), 200),
    ];
    for (number, (who, call, status)) in cases.into_iter().enumerate() {
        let answer = call.json(json!({"bio": number})).send().await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
        let stored = world.field(&format!("user:{name}"), "bio");
        assert_eq!(stored == json!(number.to_string()), status == 200, "{who}");
    }
}

#[tokio::test]
async fn an_administrator_changes_any_field_but_those_that_ridge_counts() {
    let world = World::shared();
    let name = world.person("admined", json!({"email": "old", "phone": "1"})).await;
    let body = json!({"email": "new", "phone": null, "role": "model", "created_at": 17, "weird:field*": "w"});
    let answer = world.patch(&path(&name)).api_key().json(body).send().await.ok();
    let updates = json!({"email": "new", "phone": null, "role": "model", "created_at": "17", "weird:field*": "w"});
    assert_eq!(answer["updates"], updates);
    // What others see of the user.
    assert!(answer["user"].get("email").is_none());
    assert_eq!((&answer["user"]["role"], &answer["user"]["created_at"]), (&json!("model"), &json!(17)));
    assert_eq!(world.field(&format!("user:{name}"), "email"), "new");
    assert_eq!(world.score("users:models", &name), "17");
}

#[tokio::test]
async fn nobody_changes_counters_or_usernames() {
    let world = World::shared();
    let name = world.user("fixed").await;
    let before = world.redis.hash(&format!("user:{name}"));
    let calls = || [world.patch(&path(&name)).user(&name), world.patch(&path(&name)).api_key()];
    for (field, values) in [
        ("postCount", [json!(0), json!("7"), json!(null)]),
        ("followerCount", [json!(0), json!(-1), json!(null)]),
        ("followingCount", [json!(0), json!(1.5), json!(null)]),
        ("username", [json!("mallory"), json!(""), json!(null)]),
    ] {
        for value in values {
            for call in calls() {
                let answer = call.json(json!({"bio": "x", field: value})).send().await;
                assert_eq!(answer.code(), (400, "bad_request".into()), "{field} {value}: {}", answer.text());
                assert!(answer.refusal().1.contains(field), "{}", answer.text());
            }
        }
    }
    assert_eq!(world.redis.hash(&format!("user:{name}")), before);
    assert!(!world.exists("user:mallory"));
}

#[tokio::test]
async fn nothing_to_change_is_bad_input() {
    let world = World::shared();
    let name = world.user("nothing").await;
    for body in ["{}", " { } ", &json!({"username": name}).to_string()] {
        let answer = world.patch("/users/me").user(&name).body(body.to_owned()).send().await;
        assert_eq!(answer.code(), (400, "bad_request".into()), "{body}: {}", answer.text());
    }
    let with_bio = json!({"username": name, "bio": "b"});
    let answer = world.patch("/users/me").user(&name).json(with_bio).send().await;
    assert_eq!(answer.ok()["updates"], json!({"bio": "b"}));
}

#[tokio::test]
async fn a_value_that_is_stored_already_may_be_set_again() {
    let world = World::shared();
    let name = world.person("again", json!({"bio": "same"})).await;
    let before = world.redis.hash(&format!("user:{name}"));
    let answer = world.patch("/users/me").user(&name).json(json!({"bio": "same", "links": null})).send().await;
    assert_eq!(answer.ok()["updates"], json!({"bio": "same", "links": null}));
    assert_eq!(world.redis.hash(&format!("user:{name}")), before);
}

#[tokio::test]
async fn of_two_fields_of_one_name_the_last_counts() {
    let world = World::shared();
    let name = world.user("twice").await;
    let answer = world.patch("/users/me").user(&name).body(r#"{"bio":"first","bio":"last"}"#).send().await;
    assert_eq!(answer.ok()["updates"], json!({"bio": "last"}));
    let sneaky = world.patch("/users/me").user(&name).body(r#"{"bio":"b","role":"admin","bio":"c"}"#).send().await;
    assert_eq!(sneaky.code(), (403, "forbidden".into()));
}

#[tokio::test]
async fn whoever_is_not_there_is_not_made_by_a_patch() {
    let world = World::shared();
    let ghost = unique("ghost");
    for call in [
        world.patch("/users/me").user(&ghost),
        world.patch("/users/me").acting_as(&ghost),
        world.patch(&path(&ghost)).api_key(),
        world.patch(&path(&ghost)).admin("boss"),
    ] {
        let answer = call.json(json!({"bio": "b"})).send().await;
        assert_eq!(answer.refusal(), (404, "User not found".into()));
    }
    assert!(!world.exists(&format!("user:{ghost}")));
    assert_eq!(registries(&world, &ghost), [""; 0]);
}

#[tokio::test]
async fn what_nobody_sees_is_stored_and_not_told_back() {
    let world = World::shared();
    let name = world.user("secretive").await;
    let body = json!({"password": "pw!", "reset_token": "rt!", "otp_code": "oc!", "PIN_hash": "ph!", "city": "Ulm"});
    for call in [world.patch(&path(&name)), world.put(&path(&name))] {
        let answer = call.api_key().json(body.clone()).send().await;
        assert_eq!((answer.status, answer.text().contains('!')), (200, false), "{}", answer.text());
        assert_eq!(world.field(&format!("user:{name}"), "password"), "pw!");
    }
    let answer = world.patch(&path(&name)).api_key().json(json!({"city": "Bonn", "ssn": "s!"})).send().await;
    assert_eq!(answer.ok()["updates"], json!({"city": "Bonn"}));
}

#[tokio::test]
async fn the_registry_follows_the_role() {
    let world = World::shared();
    let name = world.person("role", json!({"created_at": 1_700_000_000_123_i64})).await;
    let post = world.write(&name, "p").await;
    let fan = world.user("fan").await;
    world.like(&fan, &post).await;
    let top = "models:top:engagement";
    for (role, registered, engagement) in [
        ("model", vec!["users:models"], json!("3")),
        ("admin", vec![], Value::Null),
        ("user", vec!["users:regular"], Value::Null),
        ("model", vec!["users:models"], json!("3")),
        ("user", vec!["users:regular"], Value::Null),
    ] {
        let answer = world.patch(&path(&name)).api_key().json(json!({"role": role})).send().await;
        assert_eq!(answer.ok()["user"]["role"], role);
        assert_eq!(registries(&world, &name), registered, "{role}");
        assert_eq!(world.score(top, &name), engagement, "{role}");
        assert_eq!(world.post_seen_by(&fan, &post).await["user_role"], role);
        for registry in registered {
            assert_eq!(world.score(registry, &name), "1700000000123");
        }
    }
}

#[tokio::test]
async fn a_role_is_one_of_three() {
    let world = World::shared();
    let name = world.user("roles").await;
    for role in [json!("Admin"), json!("root"), json!(""), json!("admin "), json!(null), json!(1), json!(true)] {
        for call in [world.patch(&path(&name)), world.put(&path(&name))] {
            let answer = call.api_key().json(json!({"role": role})).send().await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{role}: {}", answer.text());
        }
    }
    assert_eq!(world.field(&format!("user:{name}"), "role"), "user");
}

#[tokio::test]
async fn created_at_is_an_integer() {
    let world = World::shared();
    let name = world.person("since", json!({"created_at": 5})).await;
    for time in [json!("soon"), json!(1.5), json!(null), json!(""), json!("01"), json!(true)] {
        for call in [world.patch(&path(&name)), world.put(&path(&name))] {
            let answer = call.api_key().json(json!({"created_at": time})).send().await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{time}: {}", answer.text());
        }
    }
    let answer = world.patch(&path(&name)).api_key().body(r#"{"created_at":1e400}"#).send().await;
    assert_eq!(answer.status, 400);
    assert_eq!(world.field(&format!("user:{name}"), "created_at"), "5");
    assert_eq!(world.score("users:regular", &name), "5");
}

#[tokio::test]
async fn a_new_name_reaches_every_post_the_banned_ones_too() {
    let world = World::shared();
    let fields = json!({"display_name": "Old", "avatar": "old.png"});
    let name = world.person("renamed", fields).await;
    let other = world.user("other").await;
    let (shown, banned, others) =
        (world.write(&name, "a").await, world.write(&name, "b").await, world.write(&other, "c").await);
    world.ban(&banned).await;
    let names = async |id: &str| {
        let post = world.get(&format!("/posts/{id}")).api_key().send().await.ok()["post"].take();
        json!([post["display_name"], post["avatar"], post["user_role"], post["username"]])
    };
    assert_eq!(names(&shown).await, json!(["Old", "old.png", "user", name]));
    let new = json!({"display_name": "New", "avatar": null});
    assert_eq!(world.patch("/users/me").user(&name).json(new).send().await.status, 200);
    assert_eq!(names(&shown).await, json!(["New", "", "user", name]));
    assert_eq!(names(&banned).await, json!(["New", "", "user", name]));
    world.lift(&banned).await;
    assert_eq!(names(&banned).await, json!(["New", "", "user", name]));
    assert_eq!(names(&others).await, json!(["", "", "user", other]));
    let replaced = world.put(&path(&name)).api_key().json(json!({"role": "model"})).send().await;
    assert_eq!(replaced.status, 200);
    assert_eq!(names(&shown).await, json!(["", "", "model", name]));
}

#[tokio::test]
async fn a_field_of_a_profile_does_not_pass_for_an_answer() {
    let world = World::shared();
    let name = world.user("liar").await;
    let answer = world.patch(&path(&name)).api_key().json(json!({"isFollowing": true, "bio": "b"})).send().await;
    assert_eq!(answer.ok()["user"]["isFollowing"], false);
    let replaced = world.put(&path(&name)).api_key().json(json!({"isFollowing": "true"})).send().await;
    assert_eq!(replaced.ok()["user"]["isFollowing"], false);
    assert_eq!(replaced.text().matches("isFollowing").count(), 1);
}

#[tokio::test]
async fn is_following_is_that_of_whoever_changes() {
    let world = World::shared();
    let (name, admin) = (world.user("followed").await, world.user("boss").await);
    world.follow(&admin, &name).await;
    let change = || json!({"bio": "b"});
    let seen = world.patch(&path(&name)).admin(&admin).json(change()).send().await.ok();
    assert_eq!(seen["user"]["isFollowing"], true);
    let put = world.put(&path(&name)).admin(&admin).json(change()).send().await.ok();
    assert_eq!(put["user"]["isFollowing"], true);
    let own = world.patch("/users/me").user(&name).json(change()).send().await.ok();
    assert_eq!(own["user"]["isFollowing"], false);
}

#[tokio::test]
async fn a_user_of_a_first_sync_is_a_user_like_others() {
    let world = World::shared();
    let (name, fan) = (unique("synced"), world.user("fan").await);
    let key = format!("user:{name}");
    let fields = json!(["HSET", key, "username", name, "role", "model", "display_name", "S", "followerCount", "40"]);
    assert_eq!(world.gateway.write(json!([fields])).await, json!([4]));
    let post = world.write(&name, "x").await;
    world.like(&fan, &post).await;
    world.follow(&fan, &name).await;
    // The counter is the backend's own word; Ridge counts on from it.
    let user = world.user_seen_by(&fan, &name).await;
    assert_eq!([&user["postCount"], &user["followerCount"], &user["followingCount"]], [1, 41, 0]);
    assert_eq!(world.score("models:top:engagement", &name), "3");
    let renamed = world.patch("/users/me").user(&name).json(json!({"display_name": "T"})).send().await;
    assert_eq!(renamed.ok()["user"]["display_name"], "T");
    assert_eq!(world.post_seen_by(&fan, &post).await["display_name"], "T");
    assert_eq!(world.does(&name, "DELETE", "/users/me").await["postsDeleted"], 1);
}

/// Every page of users, and every page of posts, repeats what users say of themselves.
#[tokio::test]
async fn what_users_say_of_themselves_has_a_length() {
    let world = World::with(&[("EDITABLE_FIELDS", "motto")]);
    let name = world.user("wordy").await;
    for (field, most) in [("display_name", 200), ("avatar", 2048), ("bio", 4000), ("links", 4000), ("motto", 4000)] {
        let fits = world.patch("/users/me").user(&name).json(json!({field: "é".repeat(most)})).send().await;
        assert_eq!(fits.status, 200, "{field}: {}", fits.text());
        let sentence = format!("Field '{field}' must be at most {most} characters long");
        let long = json!({field: "é".repeat(most + 1)});
        let refused = world.patch("/users/me").user(&name).json(long.clone()).send().await;
        assert_eq!(refused.refusal(), (400, sentence.clone()));
        assert_eq!(world.put(&path(&name)).api_key().json(long).send().await.refusal(), (400, sentence));
    }
    let long = world.put(&path(&name)).api_key().json(json!({"notes": "x".repeat(65_537)})).send().await;
    assert_eq!(long.refusal(), (400, "Field 'notes' must be at most 65536 characters long".into()));
}
