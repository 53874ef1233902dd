//! Pages of a ranked feed: in the order of the score, at the time when the walk began.

use std::collections::BTreeSet;

use super::{
    stage::{HOUR, NOW, RANKED, add_post, add_user, cursor, facts, page, stage, walk},
    support::facts::{Facts, Post},
};

/// Posts whose order by score turns round with time: much engagement long ago, some a while ago, little just now.
fn turning() -> Facts {
    let mut facts = facts(0);
    for (number, age, likes) in [(0, 300, 30), (1, 100, 12), (2, 30, 5), (3, 9, 2), (4, 2, 1), (5, 1, 1), (6, 0, 0)] {
        let id = format!("turn-{number}");
        add_post(&mut facts, &id, "ann", NOW - age * HOUR);
        for fan in 0..likes {
            let fan = format!("fan-{fan}");
            add_user(&mut facts, &fan);
            facts.likes.insert((id.clone(), fan), NOW);
        }
    }
    facts
}

#[tokio::test]
async fn a_ranked_feeds_cursor_freezes_its_time() {
    let facts = turning();
    let (_redis, gateway) = stage(&facts);
    let (whole, _) = page(&gateway, RANKED, "limit=100").await;
    let walked = walk(&gateway, RANKED, 2, |number| {
        let hours = i64::try_from(number + 1).unwrap() * 40;
        gateway.host.set_ms(u64::try_from(NOW + hours * HOUR).unwrap());
    });
    assert_eq!(walked.await, whole);
    let (now, _) = page(&gateway, RANKED, "limit=100").await;
    assert_ne!(now, whole, "the order is that of the request's own time");
}

/// SPEC 5: engagement by age in hours, 0 past 14 days. Of equal scores the newer first, then the greater id.
fn ranking(facts: &Facts, now: i64) -> Vec<String> {
    let place = |(id, post): (&String, &Post)| {
        let engagement = 3 * Facts::count(&facts.likes, id) + 4 * Facts::count(&facts.bookmarks, id);
        let age = now - post.created_at;
        let score = if age > 14 * 24 * HOUR { 0.0 } else { engagement as f64 / (age as f64 / HOUR as f64 + 1.0) };
        (score, post.created_at, id.clone())
    };
    let mut places: Vec<_> = facts.posts.iter().map(place).collect();
    places.sort_by(|a, b| b.partial_cmp(a).unwrap());
    places.into_iter().map(|(_, _, id)| id).collect()
}

#[tokio::test]
async fn a_ranked_feed_is_in_the_order_of_the_score() {
    let facts = turning();
    let (_redis, gateway) = stage(&facts);
    for hours in [0, 1, 10, 37, 100, 236, 237, 400] {
        let now = NOW + hours * HOUR;
        gateway.host.set_ms(u64::try_from(now).unwrap());
        let (ids, _) = page(&gateway, RANKED, "limit=100").await;
        assert_eq!(ids, ranking(&facts, now), "{hours} hours later");
    }
}

/// Ids that say nothing about time, whole hours and small numbers, so that many scores are equal and above 0.
fn many_ranked(count: u64) -> Facts {
    let mut facts = facts(0);
    (0..12).for_each(|fan| add_user(&mut facts, &format!("fan-{fan}")));
    for number in 0..count {
        let dice = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let id = format!("{:016x}", dice.wrapping_mul(0xbf58_476d_1ce4_e5b9));
        let (hours, likes, bookmarks) = ((dice >> 20) % 400, (dice >> 33) % 13, (dice >> 45) % 5);
        add_post(&mut facts, &id, "ann", NOW - i64::try_from(hours).unwrap() * HOUR);
        for (deeds, count) in [(&mut facts.likes, likes), (&mut facts.bookmarks, bookmarks)] {
            deeds.extend((0..count).map(|fan| ((id.clone(), format!("fan-{fan}")), NOW)));
        }
    }
    facts
}

#[tokio::test]
async fn a_ranked_feed_is_exact_for_500_places() {
    let facts = many_ranked(3000);
    let (_redis, gateway) = stage(&facts);
    for (minutes, limit) in [(0, 100), (90, 100), (60 * 24 * 9, 37)] {
        let now = NOW + minutes * 60_000;
        gateway.host.set_ms(u64::try_from(now).unwrap());
        let (mut walked, mut query) = (Vec::new(), format!("limit={limit}"));
        while walked.len() < 500 {
            let (ids, pagination) = page(&gateway, RANKED, &query).await;
            walked.extend(ids);
            query = format!("limit={limit}&{}", cursor(&pagination).unwrap());
        }
        assert_eq!(walked[..500], ranking(&facts, now)[..500], "{minutes} minutes later");
    }
}

/// Behind them the order is by age; a walk still meets everything once.
#[tokio::test]
async fn a_walk_goes_on_behind_500_places() {
    let facts = many_ranked(900);
    let (_redis, gateway) = stage(&facts);
    for (minutes, limit) in [(0, 60), (60 * 24 * 9, 100)] {
        gateway.host.set_ms(u64::try_from(NOW + minutes * 60_000).unwrap());
        let walked = walk(&gateway, RANKED, limit, |_| {}).await;
        assert_eq!(walked.len(), 900);
        assert_eq!(walked.into_iter().collect::<BTreeSet<_>>(), facts.posts.keys().cloned().collect());
    }
}
