//! Who may call: API keys of scope `gateway`, wherever a client of Upstash's puts them.

use http::Method;
use serde_json::{Value, json};

use crate::{
    door::{Backend, Door, KEY, key_list, refused_here, result},
    support::{API_KEY, Answer, JWT_SECRET, token},
};

over_both_backends![
    a_key_in_each_of_three_places,
    a_wrong_key_is_401_wrongpass,
    none_at_all_is_401_wrongpass,
    a_header_counts_before_the_query,
    the_query_may_be_closed,
    a_jwt_is_403,
    a_key_of_another_scope_is_403,
    acting_for_a_user_is_403,
    an_expired_key_is_401,
    a_key_may_be_bound_to_addresses,
    every_route_asks_who_it_is,
    no_key_shows_in_a_log_line,
];

const WRONGPASS: &str = r#"{"error":"WRONGPASS invalid or missing auth token"}"#;

#[track_caller]
fn assert_wrongpass(answer: &Answer) {
    assert_eq!((answer.status, answer.text()), (401, WRONGPASS));
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
    assert_eq!(answer.header("x-redis-round-trips"), "0");
}

#[track_caller]
fn assert_forbidden(answer: &Answer) {
    let (status, error) = refused_here(answer);
    assert_eq!((status, error.starts_with("ERR ")), (403, true), "{error}");
}

async fn a_key_in_each_of_three_places(backend: Backend) {
    let door = backend.open().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = door.gateway.get("/redis/ping").header("authorization", format!("{scheme} {KEY}")).send().await;
        assert_eq!(result(answer), "PONG", "{scheme}");
    }
    let answer = door.gateway.get("/redis/ping").header("x-api-key", KEY).send().await;
    assert_eq!(result(answer), "PONG");
    let answer = door.gateway.get(&format!("/redis/ping?_token={KEY}")).send().await;
    assert_eq!(result(answer), "PONG");
    let escaped: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let answer = door.gateway.get(&format!("/redis/ping?_token={escaped}")).send().await;
    assert_eq!(result(answer), "PONG");
}

async fn a_wrong_key_is_401_wrongpass(backend: Backend) {
    let door = backend.open().await;
    let almost = &KEY[..KEY.len() - 1];
    let get = || door.gateway.get("/redis/ping");
    for answer in [
        get().bearer("nonsense").send().await,
        get().bearer(almost).send().await,
        get().bearer(&format!("{KEY}x")).send().await,
        get().bearer("").send().await,
        get().header("authorization", "Bearer \u{fc}").send().await,
        get().header("authorization", KEY).send().await,
        get().header("authorization", format!("Basic {KEY}")).send().await,
        get().bearer(KEY).bearer(KEY).send().await,
        get().header("x-api-key", "nonsense").send().await,
        get().header("x-api-key", "").send().await,
        get().header("x-access-token", KEY).send().await,
        get().header("cookie", format!("_token={KEY}")).send().await,
        door.gateway.get("/redis/ping?_token=nonsense").send().await,
        door.gateway.get("/redis/ping?_token=").send().await,
        door.gateway.get("/redis/ping?_token").send().await,
        door.gateway.get(&format!("/redis/ping?_TOKEN={KEY}")).send().await,
        door.gateway.get(&format!("/redis/ping?token={KEY}")).send().await,
        door.gateway.get(&format!("/redis/ping?_token=x&_token={KEY}")).send().await,
        door.gateway.get(&format!("/redis/ping/_token={KEY}")).send().await,
    ] {
        assert_wrongpass(&answer);
    }
}

async fn none_at_all_is_401_wrongpass(backend: Backend) {
    let door = backend.open().await;
    assert_wrongpass(&door.gateway.get("/redis/ping").send().await);
    assert_wrongpass(&door.gateway.post("/redis").json(json!(["FLUSHALL"])).send().await);
    // Before anything else is looked at: the body, its length, the format, the command.
    let post = || door.gateway.post("/redis");
    assert_wrongpass(&post().body("nonsense").send().await);
    assert_wrongpass(&post().header("content-length", "99999999999").body("x").send().await);
    assert_wrongpass(&post().header("upstash-response-format", "nonsense").json(json!(["MONITOR"])).send().await);
    assert_eq!(door.calls("flushall"), 0);
}

async fn a_header_counts_before_the_query(backend: Backend) {
    let door = backend.open().await;
    let good = format!("/redis/ping?_token={KEY}");
    assert_wrongpass(&door.gateway.get(&good).bearer("nonsense").send().await);
    assert_wrongpass(&door.gateway.get(&good).header("x-api-key", "nonsense").send().await);
    assert_wrongpass(&door.get("/redis/ping").header("x-api-key", "nonsense").send().await);
    assert_eq!(result(door.gateway.get("/redis/ping").bearer("x").header("x-api-key", KEY).send().await), "PONG");
    assert_eq!(result(door.get("/redis/ping?_token=nonsense").send().await), "PONG");
}

async fn the_query_may_be_closed(backend: Backend) {
    let door = backend.open_with(&[("QUERY_TOKEN", "off")]).await;
    assert_wrongpass(&door.gateway.get(&format!("/redis/ping?_token={KEY}")).send().await);
    assert_eq!(result(door.get("/redis/ping").send().await), "PONG");
    // It is no argument even so.
    assert_eq!(result(door.get("/redis/rpush/list/a?_token=x&b").send().await), 2);
    assert_eq!(door.redis.run(&["LRANGE", "list", "0", "-1"]), json!(["a", "b"]));
}

async fn a_jwt_is_403(backend: Backend) {
    let door = backend.open().await;
    for jwt in [token::of("alice", "user"), token::of("alice", "admin")] {
        for answer in [
            door.gateway.get("/redis/ping").bearer(&jwt).send().await,
            door.gateway.get("/redis/ping").header("x-api-key", &jwt).send().await,
            door.gateway.get(&format!("/redis/ping?_token={jwt}")).send().await,
            door.gateway.post("/redis/pipeline").bearer(&jwt).json(json!([["PING"]])).send().await,
        ] {
            assert_forbidden(&answer);
        }
    }
    // One that is not good is as wrong as any other.
    for jwt in [
        token::hs256("another-secret-0123456789abcdef0123456789", &token::claims("alice", "user")),
        token::hs256(JWT_SECRET, &token::claims_but(json!({"exp": 1}))),
    ] {
        assert_wrongpass(&door.gateway.get("/redis/ping").bearer(&jwt).send().await);
    }
}

/// A door with these keys, by name; each key is `<name>-key-0123456789abcdef`.
async fn with_keys(backend: Backend, entries: &[(&str, Value)]) -> Door {
    let entry = |(name, more): &(&str, Value)| {
        let mut entry = more.clone();
        entry["name"] = json!(name);
        entry["key"] = json!(key(name));
        entry
    };
    let keys = key_list(&entries.iter().map(entry).collect::<Vec<_>>());
    backend.open_with(&[("API_KEYS", &keys)]).await
}

fn key(name: &str) -> String {
    format!("{name}-key-0123456789abcdef")
}

async fn a_key_of_another_scope_is_403(backend: Backend) {
    let others = json!({"scopes": ["proxy", "rest", "sync", "act-as", "admin"]});
    let door =
        with_keys(backend, &[("default", json!({})), ("gateway", json!({"scopes": ["gateway"]})), ("others", others)])
            .await;
    for name in ["default", "gateway"] {
        assert_eq!(result(door.gateway.get("/redis/ping").bearer(&key(name)).send().await), "PONG");
    }
    for answer in [
        door.gateway.get("/redis/ping").bearer(&key("others")).send().await,
        door.gateway.get("/redis/ping").header("x-api-key", key("others")).send().await,
        door.gateway.get("/redis/ping").api_key().send().await,
        door.gateway.get("/redis/ping").bearer(API_KEY).send().await,
        door.gateway.get(&format!("/redis/ping?_token={API_KEY}")).send().await,
    ] {
        assert_eq!(refused_here(&answer), (403, "ERR This API key lacks the scope 'gateway'".into()));
    }
}

async fn acting_for_a_user_is_403(backend: Backend) {
    let all = json!({"scopes": ["gateway", "act-as"]});
    let door = with_keys(backend, &[("all", all)]).await;
    assert_eq!(result(door.gateway.get("/redis/ping").bearer(&key("all")).send().await), "PONG");
    for name in ["alice", "me", ""] {
        assert_forbidden(&door.gateway.get("/redis/ping").bearer(&key("all")).header("x-act-as", name).send().await);
    }
}

async fn an_expired_key_is_401(backend: Backend) {
    const NOON: u64 = 1_800_014_400;
    let entries = [
        ("seconds", json!({"expires_at": NOON})),
        ("text", json!({"expires_at": "2027-01-15T12:00:00Z"})),
        ("never", json!({})),
    ];
    let door = with_keys(backend, &entries).await;
    let ping = |name: &str| door.gateway.get("/redis/ping").bearer(&key(name)).send();
    door.gateway.host.set_ms(NOON * 1000 - 1);
    for (name, _) in &entries {
        assert_eq!(result(ping(name).await), "PONG", "{name}");
    }
    door.gateway.host.set_ms(NOON * 1000);
    assert_wrongpass(&ping("seconds").await);
    assert_wrongpass(&ping("text").await);
    assert_eq!(result(ping("never").await), "PONG");
}

async fn a_key_may_be_bound_to_addresses(backend: Backend) {
    let door = with_keys(
        backend,
        &[
            ("network", json!({"allow_ips": ["203.0.113.0/24", "2001:db8:1::/48"]})),
            ("address", json!({"allow_ips": ["198.51.100.7", "::1"]})),
        ],
    )
    .await;
    let from = |name: &str, address: &str| {
        let call = door.gateway.get("/redis/ping").bearer(&key(name));
        if address.is_empty() { call } else { call.header("cf-connecting-ip", address) }.send()
    };
    for (name, address) in [
        ("network", "203.0.113.0"),
        ("network", "203.0.113.255"),
        ("network", "2001:db8:1::"),
        ("network", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"),
        ("network", "2001:0DB8:0001:0000::1"),
        ("address", "198.51.100.7"),
        ("address", "::1"),
    ] {
        assert_eq!(result(from(name, address).await), "PONG", "{name} from {address}");
    }
    for (name, address) in [
        ("network", "203.0.114.0"),
        ("network", "203.0.112.255"),
        ("network", "2001:db8:2::"),
        ("network", "::ffff:198.51.100.7"),
        ("network", "203.0.113.1, 203.0.113.2"),
        ("network", "nonsense"),
        ("network", ""),
        ("address", "198.51.100.8"),
        ("address", "::2"),
    ] {
        let refusal = refused_here(&from(name, address).await);
        assert_eq!(
            refusal,
            (403, "ERR This API key may not be used from this address".into()),
            "{name} from {address}"
        );
    }
    // Only what Cloudflare says counts, and it says it once.
    let call = || door.gateway.get("/redis/ping").bearer(&key("network"));
    assert_forbidden(&call().header("x-forwarded-for", "203.0.113.1").send().await);
    let twice = call().header("cf-connecting-ip", "203.0.113.1").header("cf-connecting-ip", "203.0.113.1");
    assert_forbidden(&twice.send().await);
}

async fn every_route_asks_who_it_is(backend: Backend) {
    let door = backend.open().await;
    for (method, path) in [
        (Method::GET, "/redis"),
        (Method::POST, "/redis"),
        (Method::PUT, "/redis/"),
        (Method::GET, "/redis/get/foo"),
        (Method::PUT, "/redis/set/foo"),
        (Method::POST, "/redis/pipeline"),
        (Method::PUT, "/redis/pipeline"),
        (Method::POST, "/redis/multi-exec"),
        (Method::PUT, "/redis/multi-exec"),
        (Method::POST, "/redis//"),
    ] {
        assert_wrongpass(&door.gateway.call(method.as_str(), path).body("x").send().await);
    }
}

async fn no_key_shows_in_a_log_line(backend: Backend) {
    let door = backend.open_with(&[("LOG_LEVEL", "debug")]).await;
    let secret = "hush-5up3rs3cr3t";
    for path in [
        format!("/redis/set/foo/{secret}?_token={KEY}"),
        format!("/redis/lpush/foo/{secret}?_token={KEY}"),
        format!("/redis/nosuch/foo/{secret}?_token={KEY}"),
        format!("/redis/monitor/{secret}?_token={KEY}"),
        format!("/redis/ping?_token={secret}"),
        format!("/redis?_token={KEY}"),
        format!("/redis/pipeline?_token={KEY}"),
    ] {
        door.gateway.get(&path).send().await;
        door.gateway.post(&path).bearer(KEY).header("x-api-key", secret).body(secret).send().await;
    }
    door.redis.stop();
    assert_eq!(door.gateway.get(&format!("/redis/get/{secret}?_token={KEY}")).send().await.status, 503);
    let log = door.gateway.log();
    assert_eq!(log.len(), 15);
    let mut lines: Vec<String> = log.iter().map(Value::to_string).collect();
    lines.extend(door.inner.iter().flat_map(|(inner, _)| inner.host.lines()));
    for line in lines {
        for text in [KEY, secret, "_token", "127.0.0.1", "inner-key"] {
            assert!(!line.contains(text), "{text} in {line}");
        }
    }
}
