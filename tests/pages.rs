//! SPEC 6, pages: a walk by cursor meets everything once, whatever arrives or goes meanwhile; an offset is a place; what is
//! out of range is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "pages/ranked.rs"]
mod ranked;
#[path = "pages/stage.rs"]
mod stage;
mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stage::{LISTS, NOW, RANKED, add_post, add_user, cursor, facts, page, posts, stage, walk};
use support::facts::Facts;

#[tokio::test]
async fn a_walk_is_the_whole_list_in_its_order() {
    let facts = facts(50);
    let (_redis, gateway) = stage(&facts);
    for list in LISTS {
        let (whole, pagination) = page(&gateway, list, "limit=100").await;
        assert!(whole.len() >= 25, "{}", list.path);
        assert_eq!(pagination["nextCursor"], Value::Null);
        let total = pagination.get("totalCount");
        assert_eq!(total, (list.path != "/feed/following").then(|| json!(whole.len())).as_ref(), "{}", list.path);
        for limit in [1, 3, 7, 25, 50, 99] {
            assert_eq!(walk(&gateway, list, limit, |_| {}).await, whole, "{} by {limit}", list.path);
        }
    }
}

/// SPEC 5's sorted sets, read from their end: later first, and of one time the greater id.
#[tokio::test]
async fn equal_times_are_told_apart_by_id() {
    let facts = facts(31);
    let (_redis, gateway) = stage(&facts);
    let mut posts: Vec<_> = facts.posts.iter().map(|(id, post)| (post.created_at, id.clone())).collect();
    posts.sort_by(|a, b| b.cmp(a));
    let expected: Vec<String> = posts.into_iter().map(|(_, id)| id).collect();
    for list in &LISTS[..3] {
        assert_eq!(walk(&gateway, *list, 4, |_| {}).await, expected, "{}", list.path);
    }
}

#[tokio::test]
async fn a_walk_neither_repeats_nor_skips_while_things_arrive() {
    for list in LISTS {
        let mut facts = facts(40);
        let (redis, gateway) = stage(&facts);
        let (whole, _) = page(&gateway, list, "limit=100").await;
        let walked = walk(&gateway, list, 6, |number| {
            (0..4).for_each(|more| (list.arrive)(&mut facts, number * 4 + more));
            redis.fill(&facts.keyspace());
        });
        assert_eq!(walked.await, whole, "{}", list.path);
        let (now, _) = page(&gateway, list, "limit=100").await;
        assert!(now.len() > whole.len(), "{}: nothing arrived", list.path);
    }
}

/// What arrives with the very time of the cursor's own item has its place before or behind it, by its id.
#[tokio::test]
async fn what_arrives_at_the_cursors_own_time_is_met_only_behind_it() {
    let mut facts = Facts::default();
    for name in ["reader", "ann"] {
        add_user(&mut facts, name);
    }
    facts.follows.insert(("ann".into(), "reader".into()), NOW);
    ["d", "f", "h", "k"].iter().for_each(|id| add_post(&mut facts, id, "ann", NOW));
    for list in [posts("/feed/explore"), posts("/feed/following"), posts("/users/ann/posts")] {
        let (redis, gateway) = stage(&facts);
        let (first, pagination) = page(&gateway, list, "limit=2").await;
        assert_eq!(first, ["k", "h"]);
        let mut later = facts.clone();
        ["a", "e", "g", "i", "z"].iter().for_each(|id| add_post(&mut later, id, "ann", NOW));
        redis.fill(&later.keyspace());
        let (rest, _) = page(&gateway, list, &format!("limit=20&{}", cursor(&pagination).unwrap())).await;
        assert_eq!(rest, ["g", "f", "e", "d", "a"], "{}", list.path);
    }
}

#[tokio::test]
async fn the_cursors_own_item_may_go() {
    let facts = facts(40);
    for list in LISTS {
        let (redis, gateway) = stage(&facts);
        let (whole, _) = page(&gateway, list, "limit=100").await;
        let (first, pagination) = page(&gateway, list, "limit=5").await;
        let last = first.last().unwrap();
        let gone = match list.items {
            "posts" => format!("/posts/{last}"),
            "comments" => format!("/comments/{last}"),
            _ => format!("/users/{last}"),
        };
        assert_eq!(gateway.call("DELETE", &gone).api_key().send().await.status, 200, "{gone}");
        let (rest, _) = page(&gateway, list, &format!("limit=100&{}", cursor(&pagination).unwrap())).await;
        assert_eq!(rest, whole[5..], "{}", list.path);
        drop(redis);
    }
}

#[tokio::test]
async fn deletions_during_a_walk_take_away_only_themselves() {
    for list in LISTS.into_iter().filter(|list| list.items == "posts") {
        let facts = facts(60);
        let (_redis, gateway) = stage(&facts);
        let (whole, _) = page(&gateway, list, "limit=100").await;
        let (mut walked, mut gone) = (Vec::new(), BTreeSet::new());
        let mut query = "limit=4".to_owned();
        loop {
            let (ids, pagination) = page(&gateway, list, &query).await;
            walked.extend(ids);
            let Some(next) = cursor(&pagination) else { break };
            // One that was met, and one that is still to come.
            let at = whole.iter().position(|id| id == walked.last().unwrap()).unwrap();
            for id in [Some(&whole[at - 1]), whole.get(at + 2)].into_iter().flatten() {
                if gone.insert(id) {
                    gateway.call("DELETE", &format!("/posts/{id}")).api_key().send().await.ok();
                }
            }
            query = format!("limit=4&{next}");
        }
        let met: BTreeSet<_> = walked.iter().collect();
        assert_eq!(met.len(), walked.len(), "{}: a repeat", list.path);
        let missed: Vec<_> = whole.iter().filter(|id| !met.contains(id) && !gone.contains(id)).collect();
        assert!(missed.is_empty(), "{}: {missed:?}", list.path);
    }
}

#[tokio::test]
async fn deleted_and_banned_posts_do_not_shorten_a_page() {
    let facts = facts(40);
    for list in LISTS.into_iter().filter(|list| list.items == "posts").chain([RANKED]) {
        let (_redis, gateway) = stage(&facts);
        let (whole, _) = page(&gateway, list, "limit=100").await;
        for (number, id) in whole.iter().take(8).enumerate() {
            let (method, part) = [("DELETE", ""), ("PATCH", "/ban")][number % 2];
            gateway.call(method, &format!("/posts/{id}{part}")).api_key().send().await.ok();
        }
        let (ids, pagination) = page(&gateway, list, "limit=10").await;
        assert_eq!(ids, whole[8..18], "{}", list.path);
        assert!(cursor(&pagination).is_some());
        if let Some(total) = pagination.get("totalCount") {
            assert_eq!(*total, whole.len() - 8, "{}", list.path);
        }
        assert_eq!(walk(&gateway, list, 7, |_| {}).await, whole[8..], "{}", list.path);
    }
}

#[tokio::test]
async fn an_offset_is_a_place_in_the_list() {
    let facts = facts(30);
    let (_redis, gateway) = stage(&facts);
    for list in LISTS.into_iter().chain([RANKED]) {
        let (whole, _) = page(&gateway, list, "limit=100").await;
        for (offset, limit) in [(0, 20), (0, 1), (3, 5), (whole.len() - 5, 5), (whole.len() - 1, 5), (500, 100)] {
            let (ids, pagination) = page(&gateway, list, &format!("offset={offset}&limit={limit}")).await;
            let expected: Vec<String> = whole.iter().skip(offset).take(limit).cloned().collect();
            assert_eq!(ids, expected, "{} {offset} {limit}", list.path);
            assert_eq!((&pagination["offset"], &pagination["limit"]), (&json!(offset), &json!(limit)));
            assert_eq!(pagination["hasMore"], offset + limit < whole.len(), "{} {offset} {limit}", list.path);
            cursor(&pagination);
        }
        let (ids, pagination) = page(&gateway, list, "").await;
        assert_eq!(ids, whole[..whole.len().min(20)], "{}", list.path);
        assert_eq!((&pagination["offset"], &pagination["limit"]), (&json!(0), &json!(20)));
    }
}

/// A page by offset goes on by its cursor.
#[tokio::test]
async fn a_cursor_follows_an_offset() {
    let facts = facts(30);
    let (_redis, gateway) = stage(&facts);
    for list in LISTS.into_iter().chain([RANKED]) {
        let (whole, _) = page(&gateway, list, "limit=100").await;
        let (_, pagination) = page(&gateway, list, "offset=4&limit=3").await;
        let (ids, _) = page(&gateway, list, &format!("limit=3&{}", cursor(&pagination).unwrap())).await;
        assert_eq!(ids, whole[7..10], "{}", list.path);
    }
}

#[tokio::test]
async fn what_is_out_of_range_is_bad_input() {
    let facts = facts(3);
    let (_redis, gateway) = stage(&facts);
    let bad = [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=1e1",
        "limit=+5",
        "limit=99999999999999999999",
        "offset=-1",
        "offset=x",
        "offset=99999999999999999999",
        "cursor=x",
        "cursor=%00",
        "cursor=AAAA",
        "cursor=a%20b",
        "includeUser=maybe",
    ];
    for list in LISTS.into_iter().chain([RANKED]) {
        for query in bad {
            let answer = gateway.get(&format!("{}?{query}", list.path)).user("reader").send().await;
            assert_eq!(answer.code(), (400, "bad_request".into()), "{}?{query}", list.path);
            let name = query.split('=').next().unwrap();
            assert!(answer.json()["error"].as_str().unwrap().contains(name), "{}", answer.text());
        }
        for query in ["limit=1", "limit=100", "offset=0", "unknown=1"] {
            gateway.get(&format!("{}?{query}", list.path)).user("reader").send().await.ok();
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_kind_of_list_is_none() {
    let facts = facts(10);
    let (_redis, gateway) = stage(&facts);
    let (chronological, ranked) = (posts("/feed/hashtag/tag"), RANKED);
    for (from, to) in [(chronological, ranked), (ranked, chronological)] {
        let (_, pagination) = page(&gateway, from, "limit=2").await;
        let path = format!("{}?{}", to.path, cursor(&pagination).unwrap());
        assert_eq!(gateway.get(&path).user("reader").send().await.code(), (400, "bad_request".into()), "{}", to.path);
    }
}

#[tokio::test]
async fn without_users_a_page_has_none() {
    let facts = facts(5);
    let (_redis, gateway) = stage(&facts);
    for list in LISTS.into_iter().filter(|list| list.items == "posts").chain([RANKED]) {
        for (query, has_user) in [("includeUser=false", false), ("includeUser=true", true), ("", true)] {
            let answer = gateway.get(&format!("{}?{query}", list.path)).user("reader").send().await.ok();
            assert_eq!(answer["posts"][0].get("user").is_some(), has_user, "{}?{query}", list.path);
        }
    }
}
