//! `GET /namespaces/:ns/keys`

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Stage, encoded, trips};

/// The keys of a page.
fn names(page: &Value) -> BTreeSet<String> {
    page["keys"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}

fn set_of(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[tokio::test]
async fn keys_come_with_type_and_ttl_as_redis_says_them() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["app:text", "other:1"]);
        stage.redis.run(&["SET", "app:short", "x", "EX", "500"]);
        stage.redis.run(&["RPUSH", "app:list", "x"]);
        stage.redis.run(&["HSET", "app:hash", "a", "b"]);
        stage.redis.run(&["XADD", "app:stream", "*", "a", "b"]);
        let page = stage.get("/namespaces/app/keys").await;
        assert_eq!(page["cursor"], json!(null));
        let mut rows = page["keys"].as_array().unwrap().clone();
        rows.sort_by_key(|row| row["key"].to_string());
        for row in &rows {
            let key = row["key"].as_str().unwrap();
            assert_eq!(row["type"], stage.redis.run(&["TYPE", key]), "{key}");
            let (told, now) = (row["ttl"].as_i64().unwrap(), stage.ttl(key));
            assert!(told == now || (0 < now && now < told), "{key}: {told}, {now}");
        }
        let expected = ["app:hash", "app:list", "app:short", "app:stream", "app:text"];
        assert_eq!(rows.iter().map(|row| row["key"].as_str().unwrap()).collect::<Vec<_>>(), expected);
        assert!((480..=500).contains(&rows[2]["ttl"].as_i64().unwrap()));
    }
}

#[tokio::test]
async fn a_pattern_is_of_whole_keys_and_leads_out_of_no_namespace() {
    let stage = Stage::new();
    stage.set(&["app:session:1", "app:session:2", "app:user:1", "app:", "app", "xapp:session:1", "other:session:1"]);
    for (pattern, keys) in [
        ("*", &["app:session:1", "app:session:2", "app:user:1", "app:"][..]),
        ("app:session:*", &["app:session:1", "app:session:2"]),
        ("app:session:[2-9]", &["app:session:2"]),
        ("*:session:*", &["app:session:1", "app:session:2"]),
        ("*1", &["app:session:1", "app:user:1"]),
        ("app:nothing", &[]),
    ] {
        let page = stage.get(&format!("/namespaces/app/keys?match={}", encoded(pattern))).await;
        assert_eq!((names(&page), &page["cursor"]), (set_of(keys), &json!(null)), "{pattern}");
    }
}

#[tokio::test]
async fn a_prefix_is_no_pattern() {
    for stage in Stage::both("~* +@all") {
        stage.set(&["a*b:1", "aab:1", "a:b:1", "axxb:1", "[x]:1", "x:1", "app:1"]);
        for (name, key) in [("star", "a*b:1"), ("class", "[x]:1"), ("app", "app:1")] {
            let keys = format!("/namespaces/{name}/keys");
            assert_eq!(names(&stage.get(&keys).await), set_of(&[key]), "{name}");
            assert_eq!(names(&stage.get(&format!("{keys}?match=*1")).await), set_of(&[key]), "{name}");
        }
        let escaped = encoded("a\\*b:?");
        assert_eq!(names(&stage.get(&format!("/namespaces/star/keys?match={escaped}")).await), set_of(&["a*b:1"]));
        assert_eq!(stage.send("DELETE", "/namespaces/star/keys?match=*").await.ok()["deleted"], 1);
        assert_eq!(stage.size(), 6);
    }
}

#[tokio::test]
async fn pages_are_about_as_long_as_is_asked_for_and_tell_every_key_once() {
    let stage = Stage::new();
    stage.fill(1000);
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let answer = stage.send("GET", &format!("/namespaces/app/keys?count=50{cursor}")).await;
        let page = answer.ok();
        let keys = names(&page);
        assert!(keys.len() < 70 && trips(&answer) == 1, "{}", keys.len());
        for key in keys {
            assert!(seen.insert(key));
        }
        pages += 1;
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(seen.len() == 500 && pages >= 8, "{} {pages}", seen.len());
    assert!(seen.iter().all(|key| key.starts_with("app:")));
}

#[tokio::test]
async fn a_request_looks_at_a_bounded_part_of_a_large_keyspace() {
    let stage = Stage::new();
    stage.fill(50_000);
    stage.set(&["[x]:needle"]);
    let (mut found, mut cursor, mut requests) = (BTreeSet::new(), String::new(), 0);
    loop {
        let answer = stage.send("GET", &format!("/namespaces/class/keys?{cursor}")).await;
        assert!(trips(&answer) <= 10);
        let page = answer.ok();
        found.extend(names(&page));
        requests += 1;
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("cursor={next}");
    }
    assert_eq!(found, set_of(&["[x]:needle"]));
    assert!((3..=4).contains(&requests), "{requests}");
}

#[tokio::test]
async fn keys_that_are_no_text_are_shown_as_well_as_can_be() {
    for stage in Stage::both("~app:é* +@all") {
        stage.set_bytes("app:\\195\\169:\\255");
        stage.set_bytes("app:\\255");
        stage.set(&["app:é:1", "app:a\n\"1"]);
        let all = set_of(&["app:é:\u{fffd}", "app:\u{fffd}", "app:é:1", "app:a\n\"1"]);
        assert_eq!(names(&stage.get("/namespaces/app/keys").await), all);
        // The ACL judges the bytes, not what is shown.
        let bound = stage.bound("GET", "/namespaces/app/keys").await.ok();
        assert_eq!(names(&bound), set_of(&["app:é:\u{fffd}", "app:é:1"]));
    }
}

#[tokio::test]
async fn the_acl_binds() {
    let stage = Stage::with_acl("~app:session:* +scan +type");
    stage.set(&["app:session:1", "app:user:1", "[x]:1"]);
    let page = stage.bound("GET", "/namespaces/app/keys").await.ok();
    assert_eq!(page["keys"], json!([{"key": "app:session:1", "type": "string", "ttl": null}]));
    let refused = stage.bound("GET", "/namespaces/class/keys").await.refusal();
    let text = "NOPERM this user has no permissions to access one of the keys used as arguments";
    assert_eq!(refused, (403, text.to_owned()));
}

#[tokio::test]
async fn keys_are_never_asked_for_all_at_once() {
    let stage = Stage::new();
    stage.fill(3000);
    stage.get("/namespaces").await;
    stage.get("/namespaces/app/keys?count=1000").await;
    stage.adopt(json!({"match": "other:*", "dryRun": false})).await;
    stage.send("DELETE", "/namespaces/app/keys?match=*").await.ok();
    let stats = stage.redis.run(&["INFO", "commandstats"]);
    let stats = stats.as_str().unwrap();
    assert!(stats.contains("cmdstat_scan:") && stats.contains("cmdstat_unlink:"));
    for command in ["keys", "del", "dbsize", "randomkey"] {
        assert!(!stats.contains(&format!("cmdstat_{command}:")), "{command}");
    }
}
