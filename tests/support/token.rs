//! Tokens, good and forged, signed by code that shares nothing with the crate.

use std::sync::OnceLock;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use super::JWT_SECRET;

/// 2100-01-01, in seconds: the `exp` of tokens that shall not expire.
pub const FAR: u64 = 4_102_444_800;

/// A good HS256 token of the default secret.
pub fn of(username: &str, role: &str) -> String {
    hs256(JWT_SECRET, &claims(username, role))
}

/// The claims of a good token.
pub fn claims(username: &str, role: &str) -> Value {
    json!({"username": username, "role": role, "exp": FAR})
}

/// Claims of user `alice` with some replaced, added, or (by `null`) taken away.
pub fn claims_but(changes: Value) -> Value {
    let mut claims = claims("alice", "user");
    for (name, value) in changes.as_object().expect("changes are an object") {
        claims[name] = value.clone();
    }
    claims.as_object_mut().expect("claims are an object").retain(|_, value| !value.is_null());
    claims
}

/// An HS256 token.
pub fn hs256(secret: impl AsRef<[u8]>, claims: &Value) -> String {
    Signer::hs256(secret).sign(claims)
}

/// Base64 as JWTs use it.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key and the name of its algorithm.
pub enum Signer {
    /// HMAC.
    Hs256(Vec<u8>),
    /// RSA.
    Rs256(Box<RsaKeyPair>),
    /// P-256.
    Es256(EcdsaKeyPair),
    /// Ed25519.
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    /// With a secret.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::Hs256(secret.as_ref().to_vec())
    }

    /// With a key that was made for these tests. Nothing else trusts it: ring cannot make RSA keys.
    pub fn rs256() -> Self {
        static DER: OnceLock<Vec<u8>> = OnceLock::new();
        let der = DER.get_or_init(|| {
            let text: String = include_str!("rsa_test_key.b64").split_whitespace().collect();
            STANDARD.decode(text).expect("the key is base64")
        });
        Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(der).expect("the key is PKCS #8")))
    }

    /// With a fresh key.
    pub fn es256() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        Self::Es256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("a key"))
    }

    /// With a fresh key.
    pub fn eddsa() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Self::EdDsa(Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key"))
    }

    /// The name of the algorithm.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    /// A token with the usual header.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"alg": self.name(), "typ": "JWT"}), claims)
    }

    /// A token with a header that asks for a key by name.
    pub fn sign_kid(&self, kid: &str, claims: &Value) -> String {
        self.sign_with(&json!({"alg": self.name(), "kid": kid}), claims)
    }

    /// A token with any header.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A token of texts that need not be JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_segments(&format!("{}.{}", base64url(header), base64url(claims)))
    }

    /// A token of two segments that need not be base64.
    pub fn sign_segments(&self, message: &str) -> String {
        format!("{message}.{}", base64url(self.signature(message.as_bytes())))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Hs256(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
            Self::Es256(key) => key.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Vec<u8> {
        // The fixed head of each kind of key: algorithm, parameters and lengths (RFC 8017, RFC 5480, RFC 8410).
        const RSA_2048: &[u8] =
            b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00";
        const P256: &[u8] =
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
        const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
        match self {
            Self::Hs256(_) => panic!("a secret has no public half"),
            Self::Rs256(key) => [RSA_2048, key.public().as_ref()].concat(),
            Self::Es256(key) => [P256, key.public_key().as_ref()].concat(),
            Self::EdDsa(key) => [ED25519, key.public_key().as_ref()].concat(),
        }
    }

    /// The public key as a PEM, as openssl writes it.
    pub fn public_pem(&self) -> String {
        let text = STANDARD.encode(self.public_der());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// Modulus and exponent of an RSA key.
    pub fn rsa_numbers(&self) -> PublicKeyComponents<Vec<u8>> {
        match self {
            Self::Rs256(key) => key.public().into(),
            _ => panic!("no RSA key"),
        }
    }

    /// The public key as a JWK, with or without a name.
    pub fn jwk(&self, kid: Option<&str>) -> Value {
        let mut jwk = match self {
            Self::Hs256(secret) => json!({"kty": "oct", "k": base64url(secret)}),
            Self::Rs256(_) => {
                let PublicKeyComponents { n, e } = self.rsa_numbers();
                json!({"kty": "RSA", "n": base64url(n), "e": base64url(e)})
            }
            Self::Es256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
            }
            Self::EdDsa(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key())}),
        };
        jwk["alg"] = self.name().into();
        jwk["use"] = "sig".into();
        if let Some(kid) = kid {
            jwk["kid"] = kid.into();
        }
        jwk
    }
}
