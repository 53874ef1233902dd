//! SPEC 1, tokens: which are good. What attackers try is in `jwt_attacks.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{Gateway, JWT_SECRET, NOW_MS, Redis, token, token::Signer};

const NOW: u64 = NOW_MS / 1000;

fn at_now(redis: &Redis, variables: &[(&str, &str)]) -> Gateway {
    Gateway::with(redis, variables).at(NOW_MS)
}

/// The username if the token is good, else the status and the error.
async fn verdict(gateway: &Gateway, token: &str) -> Result<String, (u16, String)> {
    let answer = gateway.get("/whoami").bearer(token).send().await;
    if answer.status == 401 {
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:?}");
    }
    match answer.status {
        200 => Ok(answer.json()["caller"]["username"].as_str().unwrap().to_owned()),
        _ => Err(answer.refusal()),
    }
}

fn good() -> Result<String, (u16, String)> {
    Ok("alice".into())
}

fn refused(sentence: &str) -> Result<String, (u16, String)> {
    Err((401, sentence.into()))
}

fn invalid() -> Result<String, (u16, String)> {
    refused("Invalid token")
}

#[tokio::test]
async fn whoami_echoes_all_claims() {
    let redis = Redis::shared();
    let claims =
        token::claims_but(json!({"role": "model", "user_id": 9007199254740993_u64, "x": {"deep": [1.50, null]}}));
    let whoami = Gateway::on(&redis).post("/whoami").bearer(&token::hs256(JWT_SECRET, &claims)).send().await.ok();
    assert_eq!(
        whoami,
        json!({
            "jwt_payload": claims,
            "caller": {"kind": "user", "username": "alice", "role": "model"},
            "resolved_user_key": "user:alice",
        })
    );
}

#[tokio::test]
async fn all_four_algorithms_are_accepted_with_their_keys() {
    let redis = Redis::shared();
    let claims = token::claims("alice", "user");
    assert_eq!(verdict(&Gateway::on(&redis), &token::hs256(JWT_SECRET, &claims)).await, good());
    for signer in [Signer::rs256(), Signer::es256(), Signer::eddsa()] {
        let one_line = signer.public_pem().replace('\n', "\\n");
        for key in [signer.public_pem(), one_line, signer.jwk(None).to_string()] {
            let gateway = Gateway::with(&redis, &[("JWT_SECRET", ""), ("JWT_PUBLIC_KEY", &key)]);
            assert_eq!(verdict(&gateway, &signer.sign(&claims)).await, good(), "{}", signer.name());
        }
    }
}

#[tokio::test]
async fn a_key_set_chooses_by_kid() {
    let redis = Redis::shared();
    let signers = [Signer::rs256(), Signer::es256(), Signer::eddsa(), Signer::es256()];
    let keys: Vec<Value> = signers.iter().zip(["r", "e", "d", "e2"]).map(|(key, kid)| key.jwk(Some(kid))).collect();
    let gateway = Gateway::with(&redis, &[("JWT_JWKS", &json!({"keys": keys}).to_string())]);
    let claims = token::claims("alice", "user");
    for (signer, kid) in signers.iter().zip(["r", "e", "d", "e2"]) {
        assert_eq!(verdict(&gateway, &signer.sign_kid(kid, &claims)).await, good(), "{kid}");
    }
    assert_eq!(verdict(&gateway, &token::of("alice", "user")).await, good());
}

#[tokio::test]
async fn both_secrets_are_good_while_one_replaces_the_other() {
    let redis = Redis::shared();
    let previous = "the-secret-before-0123456789abcdef";
    let gateway = Gateway::with(&redis, &[("JWT_SECRET_PREVIOUS", previous)]);
    let claims = token::claims("alice", "user");
    assert_eq!(verdict(&gateway, &token::hs256(JWT_SECRET, &claims)).await, good());
    assert_eq!(verdict(&gateway, &token::hs256(previous, &claims)).await, good());
    assert_eq!(verdict(&Gateway::on(&redis), &token::hs256(previous, &claims)).await, invalid());
}

#[tokio::test]
async fn exp_nbf_and_iat_have_thirty_seconds_of_leeway() {
    let redis = Redis::shared();
    let gateway = at_now(&redis, &[]);
    for (changes, expected) in [
        (json!({"exp": NOW + 1}), good()),
        (json!({"exp": NOW - 29}), good()),
        (json!({"exp": NOW - 31}), invalid()),
        (json!({"exp": 0}), invalid()),
        (json!({"exp": -1}), invalid()),
        (json!({"exp": 99_999_999_999_u64}), good()),
        (json!({"exp": NOW as f64 + 0.5}), good()),
        (json!({"nbf": NOW + 29}), good()),
        (json!({"nbf": NOW + 31}), invalid()),
        (json!({"nbf": NOW - 1000}), good()),
        (json!({"iat": NOW + 29}), good()),
        (json!({"iat": NOW + 31}), invalid()),
        (json!({"iat": 0}), good()),
    ] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(changes.clone()));
        assert_eq!(verdict(&gateway, &token).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn exp_is_required_and_times_are_numbers() {
    let redis = Redis::shared();
    let gateway = at_now(&redis, &[]);
    let soon = (NOW + 60).to_string();
    for changes in [
        json!({"exp": null}),
        json!({"exp": soon}),
        json!({"exp": [NOW + 60]}),
        json!({"exp": {"$date": NOW}}),
        json!({"exp": true}),
        json!({"nbf": "0"}),
        json!({"iat": "0"}),
    ] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(changes.clone()));
        assert_eq!(verdict(&gateway, &token).await, invalid(), "{changes}");
    }
}

#[tokio::test]
async fn a_username_is_required_and_must_be_one() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let missing = refused("Missing username in token");
    assert_eq!(
        verdict(&gateway, &token::hs256(JWT_SECRET, &token::claims_but(json!({"username": null})))).await,
        missing
    );
    let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
    for name in ["A.b-C_9", "...", &longest] {
        assert_eq!(verdict(&gateway, &token::of(name, "user")).await, Ok(name.to_owned()));
    }
    for name in [
        "me",
        "AUTH",
        ".",
        "..",
        "xano_sync",
        " alice",
        "alice\n",
        "a:b",
        "a/b",
        "a*",
        "älice",
        "аlice",
        "ａlice",
        "a\u{200d}b",
        "a\0",
        &too_long,
    ] {
        assert_eq!(verdict(&gateway, &token::of(name, "admin")).await, invalid(), "{name:?}");
    }
    for name in [json!(1), json!(true), json!(["alice"]), json!({"a": 1})] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(json!({"username": name})));
        assert_eq!(verdict(&gateway, &token).await, invalid(), "{name}");
    }
}

#[tokio::test]
async fn a_role_is_admin_user_or_model() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for role in ["admin", "user", "model"] {
        assert_eq!(verdict(&gateway, &token::of("alice", role)).await, good());
    }
    for role in [json!(null), json!(""), json!("Admin"), json!("root"), json!("user "), json!(1), json!(["admin"])] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(json!({"role": role})));
        assert_eq!(verdict(&gateway, &token).await, refused("Invalid or missing role in token"), "{role}");
    }
}

#[tokio::test]
async fn the_issuer_is_enforced_when_set() {
    let redis = Redis::shared();
    let gateway = Gateway::with(&redis, &[("JWT_ISSUER", "https://issuer.example")]);
    for (issuer, expected) in [
        (json!("https://issuer.example"), good()),
        (json!("https://issuer.example/"), invalid()),
        (json!(["https://issuer.example"]), invalid()),
        (json!(null), invalid()),
    ] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(json!({"iss": issuer})));
        assert_eq!(verdict(&gateway, &token).await, expected, "{issuer}");
    }
    let claims = token::claims("alice", "user").to_string();
    let escaped = claims.replacen('{', r#"{"iss":"https:\/\/issuer.example","#, 1);
    let header = json!({"alg": "HS256"}).to_string();
    assert_eq!(verdict(&gateway, &Signer::hs256(JWT_SECRET).sign_text(&header, &escaped)).await, good());
}

#[tokio::test]
async fn the_audience_is_enforced_when_set_as_text_or_list() {
    let redis = Redis::shared();
    let gateway = Gateway::with(&redis, &[("JWT_AUDIENCE", "ridge")]);
    for (audience, expected) in [
        (json!("ridge"), good()),
        (json!(["other", "ridge"]), good()),
        (json!("Ridge"), invalid()),
        (json!(["other"]), invalid()),
        (json!([]), invalid()),
        (json!({"ridge": true}), invalid()),
        (json!(null), invalid()),
    ] {
        let token = token::hs256(JWT_SECRET, &token::claims_but(json!({"aud": audience})));
        assert_eq!(verdict(&gateway, &token).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn a_short_secret_closes_the_routes_of_tokens_and_no_others() {
    let redis = Redis::shared();
    for variable in ["JWT_SECRET", "JWT_SECRET_PREVIOUS"] {
        let short = "only-31-bytes-0123456789abcdefg";
        assert_eq!(short.len(), 31);
        let gateway = Gateway::with(&redis, &[(variable, short)]);
        let answer = gateway.get("/whoami").bearer(&token::hs256(short, &token::claims("alice", "user"))).send().await;
        assert_eq!(answer.code(), (500, "misconfigured".into()));
        let line = gateway.host.lines().pop().unwrap();
        assert!(line.contains(variable) && line.contains("32 bytes") && !line.contains(short), "{line}");
        assert!(!answer.text().contains(short));
        assert_eq!(gateway.get("/whoami").api_key().send().await.status, 200);
        assert_eq!(gateway.get("/whoami").send().await.status, 401);
        assert_eq!(gateway.get("/health").send().await.status, 200);
        assert_eq!(gateway.read(json!(["GET", "jwt:none"])).await, json!([null]));
    }
    let exact = "just-32-bytes-0123456789abcdefgh";
    assert_eq!(exact.len(), 32);
    let gateway = Gateway::with(&redis, &[("JWT_SECRET", exact)]);
    assert_eq!(verdict(&gateway, &token::hs256(exact, &token::claims("alice", "user"))).await, good());
}
