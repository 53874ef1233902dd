//! Who may send: API keys of scope `sync`, and who knows the secret that events are signed with.

use ring::hmac;
use serde_json::json;

use crate::{
    changed, received,
    social::World,
    support::{API_KEY, Answer, Call, NOW_MS, token, unique},
    unchanged,
};

const SECRET: &str = " a secret for tests: 0123456789abcdef ";
const OTHER_SECRET: &str = "another secret for tests: 0123456789";
const NOW_S: u64 = NOW_MS / 1000;

/// `hex HMAC-SHA256 of "timestamp.path.body"`, by code that shares nothing with the crate.
pub fn signature(secret: &str, timestamp: &str, path: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{timestamp}.{path}.{body}").as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A gateway that knows [`SECRET`], with a stopped clock, and a user of its own whom the events are about.
async fn scene() -> (World, String) {
    let world = World::with(&[("WEBHOOK_SECRET", SECRET)]).at(NOW_MS);
    let name = world.user("signed").await;
    (world, name)
}

/// An event, with what its signature is made of.
struct Event {
    path: &'static str,
    body: String,
    timestamp: String,
    secret: &'static str,
}

impl Event {
    /// A good one, which gives a user this bio.
    fn bio(name: &str, bio: &str) -> Self {
        let body = json!({"username": name, "bio": bio}).to_string();
        Self { path: "/webhooks/user-update", body, timestamp: NOW_S.to_string(), secret: SECRET }
    }

    fn signature(&self) -> String {
        signature(self.secret, &self.timestamp, self.path, &self.body)
    }

    fn call(&self, world: &World) -> Call {
        self.call_with(world, &format!("v1={}", self.signature()))
    }

    fn call_with(&self, world: &World, signature: &str) -> Call {
        let call = world.post(self.path).header("x-webhook-timestamp", &self.timestamp);
        call.header("x-webhook-signature", signature).body(self.body.clone())
    }
}

/// The answer to who cannot sign, and why; the same for every reason but that hint.
#[track_caller]
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.code(), (401, "invalid_signature".into()), "{}", answer.text());
    assert_eq!(answer.refusal().1, "Invalid webhook signature");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"ridge\"");
    assert_eq!(answer.header("x-redis-round-trips"), "0");
    answer.json()["message"].as_str().unwrap().to_owned()
}

const WRONG: &str = "The signature is not that of this request";

#[tokio::test]
async fn a_good_signature_needs_no_key() {
    let (world, name) = scene().await;
    let event = Event::bio(&name, "ünïcödé 😀");
    assert_eq!(received(&event.call(&world).send().await), changed("updated"));
    assert_eq!(world.field(&format!("user:{name}"), "bio"), "ünïcödé 😀");
    assert_eq!(received(&event.call(&world).send().await), unchanged());
    let upper = format!("v1={}", event.signature().to_uppercase());
    assert_eq!(received(&event.call_with(&world, &upper).send().await), unchanged());
    // A token beside it is nobody's business.
    assert_eq!(received(&event.call(&world).user(&name).send().await), unchanged());
}

/// The example that anyone can check with `openssl dgst -sha256 -hmac`.
#[tokio::test]
async fn the_signature_is_that_of_the_specification() {
    let secret = "0123456789abcdef0123456789abcdef";
    let world = World::with(&[("WEBHOOK_SECRET", secret)]).at(NOW_MS);
    let call = world
        .post("/webhooks/user-delete")
        .header("x-webhook-timestamp", "1800000000")
        .header("x-webhook-signature", "v1=66c666bdb489db625fada92b50a227b3604095678a60f53ccf21bae927ebbf8a");
    assert_eq!(received(&call.body(r#"{"username":"nobody-of-that-name"}"#).send().await), unchanged());
}

#[tokio::test]
async fn a_signature_of_something_else_is_401_and_nothing_happens() {
    let (world, name) = scene().await;
    let good = Event::bio(&name, "good");
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = Event::bio(&name, "good");
        change(&mut event);
        event
    };
    let others = [
        ("another body", with(&|event| event.body = event.body.replace("good", "goon"))),
        ("a body with a blank", with(&|event| event.body.push(' '))),
        ("no body", with(&|event| event.body.clear())),
        ("another event", with(&|event| event.path = "/webhooks/user-delete")),
        ("another time", with(&|event| event.timestamp = (NOW_S - 1).to_string())),
        ("another writing of the time", with(&|event| event.timestamp.insert(0, '0'))),
        ("another secret", with(&|event| event.secret = OTHER_SECRET)),
        ("a secret without its blanks", with(&|event| event.secret = SECRET.trim())),
    ];
    for (what, other) in &others {
        let signed = format!("v1={}", other.signature());
        assert_eq!(refused(&good.call_with(&world, &signed).send().await), WRONG, "{what}");
    }
    for bit in [0, 255] {
        let mut bytes: Vec<u8> = good.signature().into_bytes();
        let at = bit / 4;
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        let flipped = format!("v1={}", String::from_utf8(bytes).unwrap());
        assert_eq!(refused(&good.call_with(&world, &flipped).send().await), WRONG, "bit {bit}");
    }
    assert_eq!(world.field(&format!("user:{name}"), "bio"), json!(null));
    assert_eq!(received(&good.call(&world).send().await), changed("updated"));
}

#[tokio::test]
async fn what_is_no_signature_is_401_and_says_so() {
    let (world, name) = scene().await;
    let event = Event::bio(&name, "x");
    let hex = event.signature();
    let without_version = "X-Webhook-Signature must begin with v1=";
    let no_hex = "X-Webhook-Signature must be hexadecimal after v1=";
    for (signature, reason) in [
        (String::new(), without_version),
        (hex.clone(), without_version),
        (format!("v2={hex}"), without_version),
        (format!("V1={hex}"), without_version),
        (format!("sha256={hex}"), without_version),
        ("v1=".to_owned(), WRONG),
        (format!("v1={}", &hex[..62]), WRONG),
        (format!("v1={hex}00"), WRONG),
        (format!("v1={}", &hex[..63]), no_hex),
        (format!("v1={}zz", &hex[..62]), no_hex),
        (format!("v1={hex},v1={hex}"), no_hex),
        (format!("v1= {hex}"), no_hex),
        (format!("v1=+{}", &hex[1..]), no_hex),
        (format!("v1={}", "é".repeat(32)), "X-Webhook-Signature must be there once"),
    ] {
        assert_eq!(refused(&event.call_with(&world, &signature).send().await), reason, "{signature}");
    }
    let twice = event.call(&world).header("x-webhook-signature", format!("v1={hex}"));
    assert_eq!(refused(&twice.send().await), "X-Webhook-Signature must be there once");
    assert_eq!(world.field(&format!("user:{name}"), "bio"), json!(null));
}

#[tokio::test]
async fn the_time_may_be_off_by_300_seconds() {
    let (world, name) = scene().await;
    let at = |timestamp: String| Event { timestamp, ..Event::bio(&name, "x") };
    for ms in [0, 999] {
        world.set_ms(NOW_MS + ms);
        for time in [NOW_S - 300, NOW_S, NOW_S + 300] {
            assert_eq!(at(time.to_string()).call(&world).send().await.status, 200, "{time}");
        }
        for time in [0, NOW_S - 301, NOW_S + 301, NOW_MS, u64::MAX] {
            let answer = at(time.to_string()).call(&world).send().await;
            assert_eq!(refused(&answer), "X-Webhook-Timestamp is too far from now", "{time}");
        }
    }
    for text in
        ["", "now", "-1800000000", "1800000000.0", "1.8e9", "0x6b49d200", "18446744073709551616", "1800000000 1"]
    {
        let answer = at(text.to_owned()).call(&world).send().await;
        assert_eq!(refused(&answer), "X-Webhook-Timestamp must be in seconds", "{text:?}");
    }
    let event = Event::bio(&name, "x");
    let signed = format!("v1={}", event.signature());
    let timeless = world.post(event.path).header("x-webhook-signature", &signed).body(event.body.clone());
    assert_eq!(refused(&timeless.send().await), "X-Webhook-Timestamp must be there once");
    let twice = event.call(&world).header("x-webhook-timestamp", &event.timestamp);
    assert_eq!(refused(&twice.send().await), "X-Webhook-Timestamp must be there once");
}

#[tokio::test]
async fn without_a_secret_no_signature_is_good() {
    let world = World::shared().at(NOW_MS);
    let name = world.user("unsigned").await;
    for secret in [SECRET, "", OTHER_SECRET] {
        let event = Event { secret, ..Event::bio(&name, "x") };
        assert_eq!(refused(&event.call(&world).send().await), "The gateway has no WEBHOOK_SECRET", "{secret:?}");
    }
    assert_eq!(world.field(&format!("user:{name}"), "bio"), json!(null));
}

#[tokio::test]
async fn a_short_secret_is_a_fault_of_the_configuration() {
    let world = World::with(&[("WEBHOOK_SECRET", "short-88e0")]);
    let answer = world.post("/webhooks/like").api_key().json(json!({})).send().await;
    assert_eq!(answer.code(), (500, "misconfigured".into()));
    assert!(answer.text().contains("WEBHOOK_SECRET") && !answer.text().contains("short-88e0"), "{}", answer.text());
}

#[tokio::test]
async fn an_api_key_of_scope_sync_needs_no_signature_and_goes_before_one() {
    let keys = json!([
        {"name": "sync", "key": "sync", "scopes": ["sync"]},
        {"name": "others", "key": "others", "scopes": ["proxy", "rest", "act-as", "gateway", "admin"]},
    ]);
    let world = World::with(&[("WEBHOOK_SECRET", SECRET), ("API_KEYS", &keys.to_string())]).at(NOW_MS);
    let name = unique("keyed");
    let event = Event::bio(&name, "x");
    let bare = || world.post(event.path).body(event.body.clone());
    assert_eq!(bare().send().await.refusal(), (401, "Missing token".into()));
    for role in ["user", "admin"] {
        let with_token = bare().bearer(&token::of(&name, role)).send().await;
        assert_eq!(with_token.code(), (403, "api_key_required".into()));
    }
    assert_eq!(bare().header("x-api-key", "others").send().await.code(), (403, "missing_scope".into()));
    assert_eq!(bare().header("x-api-key", "wrong").send().await.code(), (401, "invalid_api_key".into()));
    // A timestamp alone is no signature.
    let timed = bare().header("x-webhook-timestamp", NOW_S.to_string());
    assert_eq!(timed.send().await.code(), (401, "missing_token".into()));
    // Credentials that are wrong are not passed over for others that are good.
    assert_eq!(event.call(&world).header("x-api-key", "wrong").send().await.code(), (401, "invalid_api_key".into()));
    assert_eq!(event.call(&world).header("x-api-key", "others").send().await.code(), (403, "missing_scope".into()));
    assert!(!world.exists(&format!("user:{name}")));
    assert_eq!(received(&bare().header("x-api-key", "sync").send().await), changed("created"));
    let unsigned = event.call_with(&world, "v1=00").header("x-api-key", API_KEY);
    assert_eq!(received(&unsigned.send().await), unchanged());
}

#[tokio::test]
async fn an_unknown_event_is_only_told_to_who_may_send() {
    let (world, _) = scene().await;
    let event = Event { path: "/webhooks/nothing", ..Event::bio("a", "x") };
    assert_eq!(event.call(&world).send().await.code(), (404, "not_found".into()));
    assert_eq!(refused(&event.call_with(&world, "v1=00").send().await), WRONG);
    assert_eq!(world.post(event.path).send().await.status, 401);
}

#[tokio::test]
async fn a_signed_body_that_is_too_long_or_no_item_is_refused_like_any_other() {
    let (world, name) = scene().await;
    let long = Event { body: "x".repeat((1 << 20) + 1), ..Event::bio(&name, "x") };
    assert_eq!(long.call(&world).send().await.code(), (413, "body_too_large".into()));
    for body in ["", "[]", "{"] {
        let event = Event { body: body.to_owned(), ..Event::bio(&name, "x") };
        assert_eq!(event.call(&world).send().await.code(), (400, "bad_request".into()), "{body:?}");
    }
}

#[tokio::test]
async fn neither_secret_nor_signature_is_told_or_logged() {
    let (world, name) = scene().await;
    let event = Event::bio(&name, "x");
    let hex = event.signature();
    let mut texts = Vec::new();
    for call in [
        event.call(&world),
        event.call_with(&world, &format!("v1={hex}00")),
        event.call_with(&world, &hex),
        Event { timestamp: "0".to_owned(), ..Event::bio(&name, "x") }.call_with(&world, &format!("v1={hex}")),
    ] {
        texts.push(call.send().await.text().to_owned());
    }
    texts.extend(world.gateway.host.lines());
    let refusals = world.gateway.log().iter().filter(|line| line["error"] == "invalid_signature").count();
    assert_eq!(refusals, 3);
    for text in texts {
        assert!(!text.contains(SECRET.trim()) && !text.contains(&hex[..16]), "{text}");
    }
}
