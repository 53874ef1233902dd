//! What `GET /keys/usage` says of the days, and to whom.

use serde_json::{Value, json};

use crate::{DAY_MS, Stage, support::NOW_MS};

#[tokio::test]
async fn keys_that_nobody_has_used_are_told_in_the_order_of_the_configuration() {
    let stage = Stage::with_keys(json!([{"name": "second", "key": "2"}, {"name": "a third", "key": "3"}]));
    let total = json!({"requests": 0, "commands": 0, "denials": 0});
    let unused = |name: &str| json!({"name": name, "configured": true, "days": [], "total": total, "lastUsed": null});
    assert_eq!(stage.told("").await, json!({"keys": [unused("xano"), unused("second"), unused("a third")]}));
    assert_eq!(stage.redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn days_are_those_of_utc() {
    let stage = Stage::new(&[]);
    let midnight = NOW_MS - NOW_MS % DAY_MS;
    for (at, times) in [(midnight - 1, 2), (midnight, 3), (midnight + DAY_MS - 1, 1), (midnight - DAY_MS - 1, 1)] {
        stage.gateway.host.set_ms(at);
        for _ in 0..times {
            stage.use_it().await;
        }
    }
    stage.gateway.host.set_ms(NOW_MS);
    let day = |date, requests| json!({"date": date, "requests": requests, "commands": 0, "denials": 0});
    let usage = stage.usage_of("app").await;
    assert_eq!(usage["days"], json!([day("2027-01-13", 1), day("2027-01-14", 2), day("2027-01-15", 4)]));
    assert_eq!(usage["lastUsed"], midnight + DAY_MS - 1);
}

#[tokio::test]
async fn days_says_how_far_back() {
    let stage = Stage::new(&[]);
    for ago in [0, 1, 29, 30, 89, 90] {
        stage.gateway.host.set_ms(NOW_MS - ago * DAY_MS);
        stage.use_it().await;
    }
    stage.gateway.host.set_ms(NOW_MS);
    for (query, days, oldest) in [
        ("", 3, "2026-12-17"),
        ("?days=", 3, "2026-12-17"),
        ("?days=1", 1, "2027-01-15"),
        ("?days=2", 2, "2027-01-14"),
        ("?days=31", 4, "2026-12-16"),
        ("?days=90", 5, "2026-10-18"),
    ] {
        let app = stage.told(query).await["keys"][1].take();
        assert_eq!((app["days"].as_array().unwrap().len(), &app["days"][0]["date"]), (days, &json!(oldest)), "{query}");
        assert_eq!((&app["total"]["requests"], &app["lastUsed"]), (&json!(days), &json!(NOW_MS)), "{query}");
    }
    for days in ["0", "91", "-1", "1.5", "x", "99999999999999999999"] {
        let answer = stage.gateway.get(&format!("/keys/usage?days={days}")).api_key().send().await;
        let sentence = "Parameter 'days' must be a whole number from 1 to 90";
        assert_eq!(answer.refusal(), (400, sentence.into()), "{days}");
        assert_eq!(answer.header("x-redis-round-trips"), "0");
    }
}

#[tokio::test]
async fn a_key_that_is_no_longer_configured_is_still_told() {
    let mut stage = Stage::with_keys(json!([
        {"name": "z", "key": "z"}, {"name": "b", "key": "b"}, {"name": "app", "key": "app"},
    ]));
    for key in ["z", "b", "app"] {
        stage.gateway.get("/whoami").header("x-api-key", key).send().await.ok();
    }
    stage.gateway.finish_later().await;
    stage.keys = json!([{"name": "app", "key": "another"}]);
    let told = |told: Value| -> Vec<(Value, Value, Value)> {
        let keys = told["keys"].as_array().unwrap();
        keys.iter().map(|key| ["name", "configured", "lastUsed"].map(|part| key[part].clone()).into()).collect()
    };
    let expected = [
        (json!("xano"), json!(true), Value::Null),
        (json!("app"), json!(true), json!(NOW_MS)),
        (json!("b"), json!(false), json!(NOW_MS)),
        (json!("z"), json!(false), json!(NOW_MS)),
    ];
    assert_eq!(told(stage.told("").await), expected);
    // Also when the days on which it was used are not asked for.
    stage.gateway.host.set_ms(NOW_MS + 40 * DAY_MS);
    assert_eq!(told(stage.told("?days=30").await), expected);
}

#[tokio::test]
async fn names_may_hold_anything() {
    let names = ["a:b", ":", "requests:x", "with blanks\nand lines", "ключ 😀", "\"';--\\", "*", "1"];
    let keys: Vec<Value> = (0..).zip(names).map(|(n, name)| json!({"name": name, "key": format!("key-{n}")})).collect();
    let stage = Stage::with_keys(keys.into());
    for (n, _) in names.iter().enumerate() {
        for _ in 0..=n {
            stage.gateway.get("/whoami").header("x-api-key", format!("key-{n}")).send().await.ok();
        }
    }
    let told = stage.told("").await;
    let shown: Vec<(&Value, &Value)> = told["keys"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|key| (&key["name"], &key["days"][0]["requests"]))
        .collect();
    let expected: Vec<(Value, Value)> = (1..).zip(names).map(|(n, name)| (json!(name), json!(n))).collect();
    assert_eq!(shown, expected.iter().map(|(name, requests)| (name, requests)).collect::<Vec<_>>());
    assert_eq!(stage.redis.run(&["KEYS", "ridge:usage:*"]).as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn only_administrators_may_see_it() {
    let stage = Stage::new(&["proxy", "rest", "sync", "act-as", "gateway"]);
    let path = "/keys/usage";
    for (call, code) in [
        (stage.gateway.get(path), (401, "missing_token")),
        (stage.gateway.get(path).header("x-api-key", "wrong"), (401, "invalid_api_key")),
        (stage.gateway.get(path).user("alice"), (403, "admin_only")),
        (stage.app("GET", path), (403, "missing_scope")),
        (stage.gateway.post(path).api_key(), (405, "method_not_allowed")),
    ] {
        assert_eq!(call.send().await.code(), (code.0, code.1.to_owned()));
    }
    stage.gateway.get(path).api_key().send().await.ok();
}
