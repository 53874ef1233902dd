//! SPEC 5 and 6, ranked feeds: in the order of the score at the time of the request, whatever was stored when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::json;
use social::{Dice, World, id_of, ids_of, unique_tag};
use support::NOW_MS;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// SPEC 5, word for word.
fn score(engagement: u32, created_ms: u64, now_ms: u64) -> f64 {
    let age = now_ms - created_ms;
    if age > 14 * DAY_MS { 0.0 } else { f64::from(engagement) / (age as f64 / HOUR_MS as f64 + 1.0) }
}

/// A post and what its place depends on.
struct Ranked {
    id: String,
    created_ms: u64,
    engagement: u32,
}

/// Best first; of equal scores the newest, then the highest id.
fn in_order(posts: &mut [Ranked], now_ms: u64) -> Vec<String> {
    posts.sort_by(|a, b| {
        let scores = score(b.engagement, b.created_ms, now_ms).total_cmp(&score(a.engagement, a.created_ms, now_ms));
        scores.then(b.created_ms.cmp(&a.created_ms)).then_with(|| b.id.cmp(&a.id))
    });
    posts.iter().map(|post| post.id.clone()).collect()
}

/// Lets go what is over at a time by the clock of the test, as a Redis on that clock would.
fn expire(world: &World, now_ms: u64) {
    for (pattern, length, after) in [("h", HOUR_MS, 48 * HOUR_MS), ("d", DAY_MS, 15 * DAY_MS)] {
        let keys = world.redis.run(&["KEYS", &format!("hashtag:*:ranked:{pattern}*")]);
        for key in keys.as_array().unwrap() {
            let key = key.as_str().unwrap();
            let number: u64 = key.rsplit(pattern).next().unwrap().parse().unwrap();
            if (number + 1) * length + after <= now_ms {
                world.redis.run(&["DEL", key]);
            }
        }
    }
}

#[tokio::test]
async fn a_ranking_is_in_the_order_of_the_score_at_the_time_of_the_request() {
    let world = World::own();
    world.set_ms(NOW_MS - 30 * DAY_MS);
    let fans: Vec<String> = (0..4).map(|n| format!("fan-{n}")).collect();
    for fan in &fans {
        world.make(fan, json!({})).await;
    }
    let (mut dice, mut posts) = (Dice(7), Vec::new());
    for n in 0..150_u64 {
        // Dense in the last hours and thin weeks ago, some on the very edges of hours and days.
        let back = dice.roll(17 * DAY_MS) >> dice.roll(12);
        let created_ms = match n % 10 {
            0 => (NOW_MS - back) / HOUR_MS * HOUR_MS,
            1 => (NOW_MS - back) / DAY_MS * DAY_MS,
            2 => (NOW_MS - back) / DAY_MS * DAY_MS - 1,
            _ => NOW_MS - back,
        };
        posts.push(Ranked { id: String::new(), created_ms, engagement: 0 });
    }
    posts.sort_by_key(|post| post.created_ms);
    for post in &mut posts {
        world.set_ms(post.created_ms);
        post.id = world.write("fan-0", "#ranked").await;
        for fan in fans.iter().take(usize::try_from(dice.roll(5)).unwrap()) {
            world.like(fan, &post.id).await;
            post.engagement += 3;
        }
        if dice.roll(4) == 0 {
            world.bookmark("fan-1", &post.id).await;
            world.comment("fan-2", &post.id, "c").await;
            post.engagement += 9;
        }
    }
    for later in [0, 1, HOUR_MS / 2, HOUR_MS, 7 * HOUR_MS, DAY_MS, 5 * DAY_MS, 14 * DAY_MS, 40 * DAY_MS] {
        let now_ms = NOW_MS + later;
        world.set_ms(now_ms);
        expire(&world, now_ms);
        let expected = in_order(&mut posts, now_ms);
        let path = "/feed/hashtag/ranked/ranked?limit=100";
        assert_eq!(world.ids("anyone", path).await, expected[..100], "{later} ms later");
        assert_eq!(world.ids("anyone", &format!("{path}&offset=100")).await, expected[100..], "{later} ms later");
        let top = world.see("anyone", "/search/hashtags/top-posts?hashtags=ranked&postsPerHashtag=50").await;
        assert_eq!(ids_of(&json!({"posts": top["hashtags"]["ranked"]})), expected[..50], "{later} ms later");
    }
}

#[tokio::test]
async fn a_score_is_engagement_by_age_and_ends_after_a_fortnight() {
    let world = World::shared().at(NOW_MS);
    let (name, fan, tag) = (world.user("author").await, world.user("fan").await, unique_tag("age"));
    let path = format!("/feed/hashtag/{tag}/ranked");
    let old = world.write(&name, &format!("#{tag}")).await;
    world.bookmark(&fan, &old).await;
    world.like(&fan, &old).await;
    world.set_ms(NOW_MS + HOUR_MS);
    let new = world.write(&name, &format!("#{tag}")).await;
    world.like(&fan, &new).await;
    let at = async |now_ms: u64| {
        world.set_ms(now_ms);
        world.ids(&fan, &path).await
    };
    // 7 / 2 and 3 / 1; an hour later 7 / 3 and 3 / 2; never again the other way round.
    assert_eq!(at(NOW_MS + HOUR_MS).await, [&*old, &new]);
    world.comment(&fan, &new, "c").await;
    assert_eq!(at(NOW_MS + HOUR_MS).await, [&*new, &old]);
    // 8 / 13 and 7 / 14 in the twelfth hour; then the comment goes.
    let comments = world.see(&fan, &format!("/posts/{new}/comments")).await;
    world.does(&fan, "DELETE", &format!("/comments/{}", id_of(&comments["comments"][0]))).await;
    assert_eq!(at(NOW_MS + 14 * DAY_MS).await, [&*old, &new]);
    assert_eq!(at(NOW_MS + 14 * DAY_MS + 1).await, [&*new, &old]);
    assert_eq!(at(NOW_MS + 40 * DAY_MS).await, [&*new, &old]);
}

#[tokio::test]
async fn of_equal_scores_the_newest_comes_first() {
    let world = World::shared();
    let (name, tag) = (world.user("author").await, unique_tag("equal"));
    let mut ids = Vec::new();
    for at in 0..30 {
        world.set_ms(NOW_MS + at * HOUR_MS * 7);
        ids.insert(0, world.write(&name, &format!("#{tag}")).await);
    }
    assert_eq!(world.ids(&name, &format!("/feed/hashtag/{tag}/ranked?limit=100")).await, ids);
}

#[tokio::test]
async fn whatever_moves_a_post_in_a_ranking_moves_it_at_once() {
    let world = World::shared().at(NOW_MS);
    let (name, fan, tag) = (world.user("author").await, world.user("fan").await, unique_tag("moves"));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.write(&name, &format!("#{tag}")).await);
    }
    ids.sort();
    let [low, middle, high] = [&ids[0], &ids[1], &ids[2]];
    let order = async || world.ids(&fan, &format!("/feed/hashtag/{tag}/ranked")).await;
    assert_eq!(order().await, [&**high, middle, low]);
    world.like(&fan, low).await;
    assert_eq!(order().await, [&**low, high, middle]);
    world.bookmark(&fan, middle).await;
    assert_eq!(order().await, [&**middle, low, high]);
    world.does(&fan, "DELETE", &format!("/posts/{middle}/bookmark")).await;
    assert_eq!(order().await, [&**low, high, middle]);
    world.ban(low).await;
    assert_eq!(order().await, [&**high, middle]);
    world.lift(low).await;
    assert_eq!(order().await, [&**low, high, middle]);
    world.does(&fan, "DELETE", "/users/me").await;
    assert_eq!(world.ids(&name, &format!("/feed/hashtag/{tag}/ranked")).await, [&**high, middle, low]);
    world.does(&name, "DELETE", &format!("/posts/{high}")).await;
    assert_eq!(world.ids(&name, &format!("/feed/hashtag/{tag}/ranked")).await, [&**middle, low]);
}
