//! SPEC 1, tokens: what attackers try. Every forged or twisted token is 401 `Invalid token`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use serde_json::{Value, json};
use support::{
    Gateway, JWT_SECRET, Redis, token,
    token::{Signer, base64url},
};

async fn assert_good(gateway: &Gateway, token: &str) {
    let answer = gateway.get("/whoami").bearer(token).send().await;
    assert_eq!(answer.status, 200, "{token}: {}", answer.text());
}

async fn assert_invalid(gateway: &Gateway, token: &str, what: &str) {
    let answer = gateway.get("/whoami").bearer(token).send().await;
    assert_eq!(answer.refusal(), (401, "Invalid token".into()), "{what}: {token}");
    assert_eq!(answer.json()["code"], "invalid_token", "{what}");
}

fn claims() -> Value {
    token::claims("alice", "admin")
}

#[tokio::test]
async fn none_is_the_name_of_no_algorithm() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for name in ["none", "None", "NONE", "nOnE", "", "null"] {
        let message = format!("{}.{}", base64url(json!({"alg": name}).to_string()), base64url(claims().to_string()));
        assert_invalid(&gateway, &format!("{message}."), name).await;
        assert_invalid(&gateway, &message, name).await;
        assert_invalid(&gateway, &Signer::hs256("").sign_segments(&message), name).await;
        assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_segments(&message), name).await;
    }
}

#[tokio::test]
async fn a_public_key_is_never_a_secret() {
    let redis = Redis::shared();
    let key = Signer::rs256();
    let pem = key.public_pem();
    let numbers = key.rsa_numbers();
    let jwks = json!({"keys": [key.jwk(Some("r"))]}).to_string();
    for variables in [
        [("JWT_PUBLIC_KEY", pem.as_str()), ("JWT_SECRET", JWT_SECRET)],
        [("JWT_PUBLIC_KEY", pem.as_str()), ("JWT_SECRET", "")],
        [("JWT_JWKS", jwks.as_str()), ("JWT_SECRET", "")],
    ] {
        let gateway = Gateway::with(&redis, &variables);
        assert_good(&gateway, &key.sign_kid("r", &claims())).await;
        let secrets = [
            pem.clone().into_bytes(),
            pem.trim().as_bytes().to_vec(),
            pem.replace('\n', "\\n").into_bytes(),
            key.public_der(),
            key.public_der()[24..].to_vec(),
            numbers.n.clone(),
            base64url(&numbers.n).into_bytes(),
            key.jwk(None).to_string().into_bytes(),
            Vec::new(),
        ];
        for secret in secrets {
            let signer = Signer::hs256(secret);
            assert_invalid(&gateway, &signer.sign(&claims()), "HS256").await;
            assert_invalid(&gateway, &signer.sign_kid("r", &claims()), "HS256 with kid").await;
            assert_invalid(&gateway, &signer.sign_with(&json!({"alg": "RS256"}), &claims()), "MAC as RS256").await;
        }
    }
}

#[tokio::test]
async fn another_key_of_the_right_algorithm_is_wrong() {
    let redis = Redis::shared();
    assert_invalid(&Gateway::on(&redis), &token::hs256("another-secret-0123456789abcdefghij", &claims()), "HS256")
        .await;
    for make in [Signer::es256, Signer::eddsa] {
        let (ours, theirs) = (make(), make());
        let gateway = Gateway::with(&redis, &[("JWT_PUBLIC_KEY", &ours.public_pem())]);
        assert_good(&gateway, &ours.sign(&claims())).await;
        assert_invalid(&gateway, &theirs.sign(&claims()), ours.name()).await;
        // A key that the token brings along, or a place to fetch it from, is nobody's.
        for header in [
            json!({"alg": theirs.name(), "jwk": theirs.jwk(None)}),
            json!({"alg": theirs.name(), "jku": "https://evil.example/jwks.json", "kid": "x"}),
            json!({"alg": theirs.name(), "x5u": "https://evil.example/x.pem"}),
        ] {
            assert_invalid(&gateway, &theirs.sign_with(&header, &claims()), "a key of its own").await;
        }
    }
}

#[tokio::test]
async fn a_token_cannot_choose_another_algorithm_for_a_key() {
    let redis = Redis::shared();
    for signer in [Signer::hs256(JWT_SECRET), Signer::rs256(), Signer::es256(), Signer::eddsa()] {
        let public = if signer.name() == "HS256" { String::new() } else { signer.public_pem() };
        let gateway = Gateway::with(&redis, &[("JWT_PUBLIC_KEY", &public)]);
        for name in
            ["HS256", "RS256", "ES256", "EdDSA", "HS384", "HS512", "PS256", "RS512", "ES256K", "hs256", "HS256 "]
        {
            let token = signer.sign_with(&json!({"alg": name}), &claims());
            if name == signer.name() {
                assert_good(&gateway, &token).await;
            } else {
                assert_invalid(&gateway, &token, &format!("{} as {name}", signer.name())).await;
            }
        }
        assert_invalid(&gateway, &signer.sign_with(&json!({"typ": "JWT"}), &claims()), "no algorithm").await;
    }
}

#[tokio::test]
async fn a_kid_names_one_key_of_the_set() {
    let redis = Redis::shared();
    let (one, two, rsa) = (Signer::es256(), Signer::es256(), Signer::rs256());
    let jwks = json!({"keys": [one.jwk(Some("1")), two.jwk(Some("2")), rsa.jwk(Some("3"))]}).to_string();
    let gateway = Gateway::with(&redis, &[("JWT_JWKS", &jwks), ("JWT_SECRET", "")]);
    assert_good(&gateway, &one.sign_kid("1", &claims())).await;
    for (signer, kid) in [(&one, "2"), (&one, "3"), (&rsa, "1"), (&one, "4"), (&one, ""), (&one, "../1")] {
        assert_invalid(&gateway, &signer.sign_kid(kid, &claims()), kid).await;
    }
    assert_invalid(&gateway, &one.sign(&claims()), "no kid").await;
    assert_invalid(&gateway, &one.sign_with(&json!({"alg": "ES256", "kid": ["1"]}), &claims()), "kid as a list").await;
}

#[tokio::test]
async fn critical_extensions_are_not_understood() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("b64")] {
        let header = json!({"alg": "HS256", "crit": crit, "b64": false});
        assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_with(&header, &claims()), "crit").await;
    }
}

#[tokio::test]
async fn a_huge_token_is_not_looked_at() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let of_length =
        |padding: usize| token::hs256(JWT_SECRET, &token::claims_but(json!({"padding": "x".repeat(padding)})));
    let largest = of_length(5900);
    assert!((7900..=8192).contains(&largest.len()), "{}", largest.len());
    assert_good(&gateway, &largest).await;
    for padding in [6200, 100_000] {
        assert!(of_length(padding).len() > 8192);
        assert_invalid(&gateway, &of_length(padding), "too long").await;
    }
}

#[tokio::test]
async fn two_tokens_are_none() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (alice, bob) = (token::of("alice", "user"), token::of("bob", "admin"));
    for name in ["authorization", "x-authorization", "x-access-token"] {
        for (first, second) in [(&alice, &bob), (&alice, &alice)] {
            let call = gateway.get("/whoami").header(name, format!("Bearer {first}"));
            let answer = call.header(name, format!("Bearer {second}")).send().await;
            assert_eq!(answer.refusal(), (401, "Invalid token".into()), "{name}");
        }
    }
    assert_invalid(&gateway, &format!("{alice}, Bearer {bob}"), "joined").await;
    assert_invalid(&gateway, &format!("{alice},{bob}"), "joined").await;
    assert_invalid(&gateway, &format!("{alice} {bob}"), "joined").await;
}

#[tokio::test]
async fn only_three_whole_segments_are_a_token() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let good = token::of("alice", "user");
    assert_good(&gateway, &good).await;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three segments") };
    let mut cut = vec![
        "x".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}.{payload}.{}\u{e9}", &signature[1..]),
    ];
    cut.extend((1..signature.len()).map(|end| format!("{header}.{payload}.{}", &signature[..end])));
    for token in cut {
        assert_invalid(&gateway, &token, "cut").await;
    }
    // Padded, and signed as such: still not how a JWT is written.
    let padded = format!("{}.{}", base64url(r#"{"alg":"HS256"}"#), base64url(claims().to_string()));
    for message in [padded.replace('.', "=."), format!("{padded}="), format!("{padded}=="), padded.replace('.', "+.")] {
        assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_segments(&message), "padded").await;
    }
}

#[tokio::test]
async fn a_changed_claim_breaks_the_signature() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let (alice, admin) = (token::of("alice", "user"), token::of("alice", "admin"));
    let (alice, admin): (Vec<_>, Vec<_>) = (alice.split('.').collect(), admin.split('.').collect());
    assert_invalid(&gateway, &[alice[0], admin[1], alice[2]].join("."), "another payload").await;
    // No other text stands for the same signature: its last character has two bits that mean nothing.
    for last in 'A'..='z' {
        let changed = format!("{}.{}.{}{last}", alice[0], alice[1], &alice[2][..alice[2].len() - 1]);
        if changed != alice.join(".") {
            assert_invalid(&gateway, &changed, "another signature").await;
        }
    }
}

/// Two readers of a claim that stands there twice could take different ones for it.
#[tokio::test]
async fn a_claim_that_stands_there_twice_makes_the_token_invalid() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let signer = Signer::hs256(JWT_SECRET);
    let claims = claims().to_string();
    for twice in [
        r#"{"username":"bob","#,
        r#"{"user\u006eame":"bob","#,
        r#"{"role":"user","#,
        r#"{"exp":1,"#,
        r#"{"username":"alice","#,
    ] {
        let text = claims.replacen('{', twice, 1);
        assert_invalid(&gateway, &signer.sign_text(r#"{"alg":"HS256"}"#, &text), twice).await;
    }
    assert_good(&gateway, &signer.sign_text(r#"{"alg":"HS256"}"#, &claims)).await;
    assert_invalid(&gateway, &signer.sign_text(r#"{"alg":"none","alg":"HS256"}"#, &claims), "two algorithms").await;
    assert_invalid(&gateway, &signer.sign_text(r#"{"alg":"HS256","alg":"none"}"#, &claims), "two algorithms").await;
}

#[tokio::test]
async fn claims_are_one_json_object() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    let good = claims().to_string();
    let list = json!([token::FAR, null, null, null, null, "alice", "user"]).to_string();
    let trailing = format!("{good}{good}");
    for text in ["", "null", "[]", "\"alice\"", "{", &list, &trailing, &good.replace("alice", "ali\u{1}ce")] {
        assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_text(r#"{"alg":"HS256"}"#, text), text).await;
    }
    for header in ["", "null", "[]", "[\"HS256\"]", "\"HS256\"", "{"] {
        assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_text(header, &good), header).await;
    }
    let not_text = format!(
        "{}.{}",
        base64url(r#"{"alg":"HS256"}"#),
        base64url(
            good.replace("alice", "al\u{ff}")
                .into_bytes()
                .iter()
                .map(|byte| if *byte == 0xc3 { 0xff } else { *byte })
                .collect::<Vec<u8>>()
        )
    );
    assert_invalid(&gateway, &Signer::hs256(JWT_SECRET).sign_segments(&not_text), "not UTF-8").await;
}

#[tokio::test]
async fn nothing_is_said_of_the_claims_of_a_forged_token() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    for changes in [json!({"username": null}), json!({"role": null}), json!({"exp": 0})] {
        let forged = token::hs256("another-secret-0123456789abcdefghij", &token::claims_but(changes.clone()));
        let answer = gateway.get("/whoami").bearer(&forged).send().await.json();
        let plain = gateway.get("/whoami").bearer(&token::hs256("another-secret-0123456789abcdefghij", &claims()));
        let plain = plain.send().await.json();
        assert_eq!((&answer["error"], &answer["message"]), (&plain["error"], &plain["message"]), "{changes}");
    }
}
