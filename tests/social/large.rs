//! What is more than one step's work, and what may happen between the steps.

use serde_json::{Value, json};

use super::{
    Dice, World,
    seed::{LONG_AGO_MS, Seed},
};
use crate::support::{audit::audit, facts::Ban};

/// More than one step's work.
pub const MANY: usize = 1100;
pub const FANS: usize = 40;
/// More than three steps' work, where a step is a thousand posts.
pub const POSTS: usize = 3500;

pub fn fan(number: usize) -> String {
    format!("fan-{number}")
}

pub fn own_post(number: usize) -> String {
    format!("big-{number}")
}

/// `big`, who has done and had done to them what is more than one step's work, and others with whom.
pub fn big_user() -> Seed {
    let mut seed = Seed::default();
    seed.user("big", &json!({"role": "model", "display_name": "Big", "email": "e"}));
    for n in 0..FANS {
        let role = ["user", "model"][n % 2];
        seed.user(&fan(n), &json!({"role": role}));
    }
    for n in 0..300 {
        let (own, other) = (own_post(n), format!("other-{n}"));
        seed.post(&own, "big", &["huge", "all"], LONG_AGO_MS + i64::try_from(n).unwrap());
        seed.post(&other, &fan(n % FANS), &["all"], LONG_AGO_MS);
        seed.like(&other, "big").bookmark(&other, "big").comment(&format!("c-{n}"), &other, "big");
        for m in 0..3 {
            let admirer = fan((n + m) % FANS);
            seed.like(&own, &admirer).bookmark(&own, &admirer).comment(&format!("d-{n}-{m}"), &own, &admirer);
        }
    }
    for n in 0..FANS {
        seed.follow("big", &fan(n)).follow(&fan(n), "big");
    }
    seed
}

/// `post-0` of `author` with very many likes, some bookmarks and comments, and other posts that are liked as well.
pub fn big_post() -> Seed {
    let mut seed = Seed::default();
    seed.user("author", &json!({"role": "model"}));
    for n in 0..3 {
        seed.post(&format!("post-{n}"), "author", &["t"], LONG_AGO_MS);
    }
    for n in 0..MANY {
        let name = fan(n);
        seed.user(&name, &json!({})).like("post-0", &name).like("post-1", &name);
        if n % 2 == 0 {
            seed.bookmark("post-0", &name).bookmark("post-2", &name);
        }
        if n % 5 == 0 {
            seed.comment(&format!("c-{n}"), "post-0", &name);
        }
    }
    seed
}

/// `author` of very many posts, some of them banned.
pub fn big_author() -> Seed {
    let mut seed = Seed::default();
    seed.user("author", &json!({"role": "model", "display_name": "Old", "avatar": "old"})).user("fan-0", &json!({}));
    for n in 0..POSTS {
        let id = format!("post-{n}");
        // Several of one time.
        seed.post(&id, "author", &[], LONG_AGO_MS + i64::try_from(n / 3).unwrap());
        if n % 10 == 0 {
            seed.0.posts.get_mut(&id).unwrap().ban = Some(Ban { at: 1, by: "xano_sync".to_owned() });
        }
    }
    seed
}

pub fn stage(seed: &Seed) -> World {
    let world = World::own();
    seed.fill(&world.redis);
    world
}

/// The names of the jobs that are left.
pub fn jobs(world: &World) -> Vec<String> {
    let names = world.redis.run(&["ZRANGE", "jobs:pending", "0", "-1"]);
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Afterwards nothing is left to do, and everything fits together.
pub async fn finish(world: &World) {
    world.gateway.finish_jobs().await;
    assert_eq!(jobs(world), [""; 0]);
    assert_eq!(audit(&world.redis), [""; 0]);
}

/// Something that anybody may do while work is pending. None of it may fail on our side.
pub async fn meddle(world: &World, dice: &mut Dice, users: &[&str], posts: &[&str]) {
    for _ in 0..8 {
        let user = users[usize::try_from(dice.roll(users.len() as u64)).unwrap()];
        let other = users[usize::try_from(dice.roll(users.len() as u64)).unwrap()];
        let post = posts[usize::try_from(dice.roll(posts.len() as u64)).unwrap()];
        let of_post = |part: &str| format!("/posts/{post}{part}");
        let (method, path, body) = match dice.roll(14) {
            0 => ("POST", of_post("/like"), Value::Null),
            1 => ("DELETE", of_post("/like"), Value::Null),
            2 => ("POST", of_post("/bookmark"), Value::Null),
            3 => ("DELETE", of_post("/bookmark"), Value::Null),
            4 => ("POST", of_post("/comments"), json!({"content": "c"})),
            5 => ("POST", of_post("/view"), Value::Null),
            6 => ("POST", format!("/users/{other}/follow"), Value::Null),
            7 => ("DELETE", format!("/users/{other}/follow"), Value::Null),
            8 => ("POST", "/posts".to_owned(), json!({"content": "#all #t"})),
            9 => ("PATCH", "/users/me".to_owned(), json!({"display_name": format!("N{}", dice.roll(9))})),
            10 => ("GET", "/feed/explore".to_owned(), Value::Null),
            11 => ("GET", "/users/me/liked".to_owned(), Value::Null),
            12 => ("GET", of_post(""), Value::Null),
            _ => ("GET", "/feed/hashtag/all/ranked".to_owned(), Value::Null),
        };
        let call = world.gateway.call(method, &path).user(user);
        let answer = if body.is_null() { call } else { call.json(body) }.send().await;
        assert!(answer.status < 500, "{user} {method} {path}: {}", answer.text());
    }
}
