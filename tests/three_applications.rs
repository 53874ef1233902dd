//! The configuration for three applications, as docs/KEYS_AND_NAMESPACES.md shows it: the text there is what is tested. The README
//! shows the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use ridge::{
    auth::{ApiKey, ApiKeys, Scope},
    policy::{acl::Denied, namespaces::Namespaces},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use support::{Gateway, Redis};

const GUIDE: &str = include_str!("../docs/KEYS_AND_NAMESPACES.md");
const README: &str = include_str!("../README.md");
const APPLICATIONS: [&str; 3] = ["nextauth", "fabric", "fastapi"];

/// The code block of the guide that is a variable's value.
fn variable(name: &str) -> String {
    variable_in(GUIDE, name)
}

fn variable_in(text: &str, name: &str) -> String {
    let (_, rest) = text.split_once(&format!("```json {name}\n")).expect("the variable is shown");
    rest.split_once("```").expect("a block ends").0.to_owned()
}

/// `API_KEYS` of the guide, where the key of an entry is its name.
fn api_keys() -> String {
    let mut text = variable("API_KEYS");
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    for entry in entries {
        let name = entry["name"].as_str().unwrap();
        let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        let placeholder = format!("<sha256 of {name}>");
        assert_eq!(text.matches(&placeholder).count(), 1, "{name}");
        text = text.replace(&placeholder, &digest);
    }
    text
}

fn key(name: &str) -> Arc<ApiKey> {
    let mut keys = ApiKeys::default();
    keys.add_list(&api_keys()).unwrap();
    Arc::clone(keys.find(name.as_bytes(), || 0).unwrap())
}

fn verdict(name: &str, command: &str) -> Result<(), Denied> {
    let words: Vec<&str> = command.split(' ').collect();
    key(name).acl.as_ref().unwrap().check(&words).map(|_| ())
}

#[test]
fn the_readme_says_the_same() {
    let json = |text: &str, name: &str| serde_json::from_str::<Value>(&variable_in(text, name)).unwrap();
    assert_eq!(json(README, "NAMESPACES"), json(GUIDE, "NAMESPACES"));
    let (short, whole) = (json(README, "API_KEYS"), json(GUIDE, "API_KEYS"));
    assert_eq!(short.as_array().unwrap(), &whole.as_array().unwrap()[..4]);
}

#[test]
fn every_kind_of_key_expires_as_it_should() {
    let namespaces = Namespaces::parse(&variable("NAMESPACES")).unwrap();
    for (key, seconds) in [
        ("nextauth:session:abcdef12-3456-7890-abcd-ef1234567890", Some(3600)),
        ("nextauth:session:by-user-id:12345678", Some(3600)),
        ("nextauth:token:user@example.com", Some(3600)),
        ("nextauth:user:12345678-1234-1234-1234-123456789abc", None),
        ("nextauth:account:azure:user@example.com", None),
        ("nextauth:account:by-user-id:12345678", None),
        ("nextauth:email:user@example.com", None),
        ("fabric:user:12345678-1234-1234-1234-123456789abc:tokens", Some(3300)),
        ("fabric:data:chart:co2-flow:realtime", Some(300)),
        ("fabric:data:chart:temperature:historical", Some(300)),
        ("fabric:cache:query:plant-overview", Some(600)),
        ("fabric:test:connection", None),
        ("fastapi:temp:data:batch-12345", Some(3600)),
        ("fastapi:queue:processing:item-67890", Some(1800)),
        ("fastapi:results:analysis:analysis-abc123", Some(86400)),
        ("fastapi:cache:model:anomaly-detector", Some(3600)),
        ("user:123:tokens", None),
        ("session:abc123", None),
    ] {
        assert_eq!(namespaces.expiry_of(key.as_bytes()), seconds, "{key}");
    }
    let names: Vec<&str> = namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    assert_eq!(names, APPLICATIONS);
}

#[test]
fn each_application_reaches_its_own_keys_and_no_others() {
    for application in APPLICATIONS {
        assert!(key(application).has(Scope::Gateway) && !key(application).has(Scope::Admin));
        for command in
            ["GET {}", "SET {} x", "SET {} x EX 10", "DEL {}", "RPUSH {} x", "LPOP {}", "HSET {} a b", "EXPIRE {} 5"]
        {
            for owner in APPLICATIONS {
                let command = command.replace("{}", &format!("{owner}:a"));
                let expected = if owner == application { Ok(()) } else { Err(Denied::Key) };
                assert_eq!(verdict(application, &command), expected, "{application}: {command}");
            }
        }
        for command in ["PING", "SCAN 0"] {
            assert_eq!(verdict(application, command), Ok(()), "{application}: {command}");
        }
        for command in ["FLUSHALL", "KEYS *", "CONFIG GET *", "EVAL x 0", "MONITOR", "SORT a"] {
            assert!(matches!(verdict(application, command), Err(Denied::Command(_))), "{application}: {command}");
        }
    }
}

#[tokio::test]
async fn strays_of_the_time_before_find_their_namespaces() {
    let redis = Redis::own();
    let (namespaces, keys) = (variable("NAMESPACES"), api_keys());
    let gateway = Gateway::with(&redis, &[("NAMESPACES", &namespaces), ("API_KEYS", &keys)]);
    for key in ["user:123:tokens", "session:abc123", "fabric:test:connection", "nextauth:user:1"] {
        redis.run(&["SET", key, "x"]);
    }
    let adopt = |name: &'static str, operator: &'static str, pattern: &'static str| {
        let call = gateway.post(&format!("/namespaces/{name}/adopt")).header("x-api-key", operator);
        call.json(json!({"match": pattern, "dryRun": false})).send()
    };
    let tokens = adopt("fabric", "operator", "user:*:tokens").await.ok();
    assert_eq!(tokens["adopted"], json!([{"from": "user:123:tokens", "to": "fabric:user:123:tokens", "ttl": 3300}]));
    // Whose ACL knows one application adopts for no other.
    assert_eq!(adopt("fabric", "nextauth-operator", "session:*").await.ok()["adopted"], json!([]));
    let sessions = adopt("nextauth", "nextauth-operator", "session:*").await.ok();
    assert_eq!(sessions["adopted"], json!([{"from": "session:abc123", "to": "nextauth:session:abc123", "ttl": 3600}]));

    let count = |operator: &'static str| gateway.get("/namespaces").header("x-api-key", operator).send();
    let figures = |usage: Value| -> Vec<Value> {
        let rows = usage["namespaces"].as_array().unwrap().iter();
        rows.map(|row| json!([row["name"], row["keys"], row["keysWithoutExpiry"]])).collect()
    };
    let all = [json!(["nextauth", 2, 1]), json!(["fabric", 2, 1]), json!(["fastapi", 0, 0])];
    assert_eq!(figures(count("operator").await.ok()), all);
    assert_eq!(figures(count("nextauth-operator").await.ok()), all[..1]);
    for application in APPLICATIONS {
        assert_eq!(count(application).await.code(), (403, "missing_scope".to_owned()));
    }
}
