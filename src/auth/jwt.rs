//! JSON Web Tokens: which keys there are, and whether a token is good.
//!
//! Each key is bound to its algorithm by configuration. The token's header only chooses among the configured ones, so
//! a public key never becomes an HMAC secret, and `none` is the name of nothing.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature as _, UntrustedToken,
    alg::{Hs256, Hs256Key, Hs256Signature},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{
    public_key::PublicKey,
    username::{Role, Username},
};
use crate::host::Host;

/// How far the issuer's clock may be off, in seconds.
const LEEWAY: f64 = 30.0;

/// The longest token that is looked at, in bytes: what a header of common servers holds.
pub const MAX_TOKEN: usize = 8 * 1024;

/// The shortest secret, in bytes: the output of SHA-256, as RFC 7518 section 3.2 requires.
pub const MIN_SECRET: usize = 32;

/// The length of an HS256 signature, in bytes.
const HS256_SIGNATURE: usize = 32;

/// The keys and rules by which tokens are judged.
#[derive(Default)]
pub struct Jwt {
    /// HS256 secrets: the current one, then the previous one while rotating.
    pub secrets: Vec<Hs256Key>,
    /// Keys for RS256, ES256 and EdDSA.
    pub public_keys: Vec<PublicKey>,
    /// `iss` must be this.
    pub issuer: Option<String>,
    /// `aud` must be or hold this.
    pub audience: Option<String>,
    /// Why no token can be judged, if so: a secret that is too short, for one.
    pub misconfigured: Option<String>,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").finish_non_exhaustive()
    }
}

/// A token that was found good.
#[derive(Clone)]
pub struct Claims {
    /// The user.
    pub username: Username,
    /// The user's role, as the issuer says.
    pub role: Role,
    /// All claims, as the token has them.
    pub payload: Box<RawValue>,
}

/// Why a token is not good. The variants are as much as its bearer is told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    /// Broken, forged, expired, for someone else.
    #[error("Invalid token")]
    Invalid(&'static str),
    /// Good, but names no user.
    #[error("Missing username in token")]
    MissingUsername,
    /// Good, but its role is none.
    #[error("Invalid or missing role in token")]
    Role,
}

const MALFORMED: TokenError = TokenError::Invalid("The token is malformed");
const FORGED: TokenError = TokenError::Invalid("The token's signature matches no configured key");

/// The part of the header that must be understood or refused (RFC 7515 section 4.1.11).
#[derive(Clone, Default, Deserialize)]
struct Critical {
    crit: Option<IgnoredAny>,
}

impl Jwt {
    /// Judges a token at a time in milliseconds.
    ///
    /// # Errors
    /// [`TokenError`], as much as the bearer may know.
    pub async fn verify(&self, token: &str, host: &dyn Host) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid("The token is too long"));
        }
        let untrusted = UntrustedToken::<Critical>::try_from(token).map_err(|_| MALFORMED)?;
        if untrusted.header().other_fields.crit.is_some() {
            return Err(TokenError::Invalid("The token has critical extensions that are not understood"));
        }
        if !self.is_signed(&untrusted, token, host).await {
            return Err(FORGED);
        }
        self.read_claims(token, host.now_ms())
    }

    async fn is_signed(&self, token: &UntrustedToken<'_, Critical>, text: &str, host: &dyn Host) -> bool {
        let Some((message, _)) = text.rsplit_once('.') else { return false };
        let (message, signature) = (message.as_bytes(), token.signature_bytes());
        if token.algorithm() == "HS256" {
            // `try_from_slice` panics on any other length.
            if signature.len() != HS256_SIGNATURE {
                return false;
            }
            let Ok(signature) = Hs256Signature::try_from_slice(signature) else { return false };
            return self.secrets.iter().any(|secret| Hs256.verify_signature(&signature, secret, message));
        }
        // ES256 and EdDSA sign with 64 bytes; a host may take another length for a fault of ours.
        if matches!(token.algorithm(), "ES256" | "EdDSA") && signature.len() != 64 {
            return false;
        }
        let kid = token.header().key_id.as_deref();
        for key in &self.public_keys {
            let meant = match (kid, key.kid.as_deref()) {
                (Some(asked), Some(named)) => asked == named,
                // A key without a name is meant by every token; a set of named keys asks for the name.
                (_, None) => true,
                (None, Some(_)) => self.public_keys.len() == 1,
            };
            if meant && key.algorithm().name() == token.algorithm() && host.verify(key, message, signature).await {
                return true;
            }
        }
        false
    }

    fn read_claims(&self, token: &str, now_ms: u64) -> Result<Claims, TokenError> {
        let payload = token.split('.').nth(1).ok_or(MALFORMED)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| MALFORMED)?;
        let raw: Box<RawValue> = serde_json::from_slice(&payload).map_err(|_| MALFORMED)?;
        // Serde would take a list for the fields in their order.
        if !raw.get().starts_with('{') {
            return Err(MALFORMED);
        }
        let body: Body<'_> = serde_json::from_str(raw.get()).map_err(|_| MALFORMED)?;
        self.check_times(&body, now_ms)?;
        self.check_parties(&body)?;
        let username = match body.username.ok_or(TokenError::MissingUsername).map(text)? {
            Some(name) if name.is_empty() => return Err(TokenError::MissingUsername),
            name => name.and_then(|name| name.parse::<Username>().ok()),
        };
        let username = username
            .filter(|name| !name.is_reserved())
            .ok_or(TokenError::Invalid("The token's username is not allowed"))?;
        let role = body.role.and_then(text).and_then(|role| role.parse().ok());
        Ok(Claims { username, role: role.ok_or(TokenError::Role)?, payload: raw })
    }

    fn check_times(&self, body: &Body<'_>, now_ms: u64) -> Result<(), TokenError> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit 53 bits until the year 287396")]
        let now = now_ms as f64 / 1000.0;
        let end = body.exp.ok_or(TokenError::Invalid("The token never expires: it has no exp"))?;
        if now >= end + LEEWAY {
            return Err(TokenError::Invalid("The token has expired"));
        }
        if body.nbf.is_some_and(|start| start > now + LEEWAY) {
            return Err(TokenError::Invalid("The token is not valid yet"));
        }
        if body.iat.is_some_and(|start| start > now + LEEWAY) {
            return Err(TokenError::Invalid("The token was issued in the future"));
        }
        Ok(())
    }

    fn check_parties(&self, body: &Body<'_>) -> Result<(), TokenError> {
        if let Some(issuer) = &self.issuer
            && body.iss.as_deref() != Some(issuer)
        {
            return Err(TokenError::Invalid("The token is from another issuer"));
        }
        let audiences = body.aud.map_or(Ok(Vec::new()), audiences)?;
        match &self.audience {
            Some(audience) if !audiences.contains(audience) => {
                Err(TokenError::Invalid("The token is for another audience"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    #[serde(borrow)]
    iss: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    aud: Option<&'a RawValue>,
    #[serde(borrow)]
    username: Option<&'a RawValue>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
}

/// A claim that is a string.
fn text(claim: &RawValue) -> Option<String> {
    serde_json::from_str(claim.get()).ok()
}

/// One audience, or a list of them.
fn audiences(claim: &RawValue) -> Result<Vec<String>, TokenError> {
    let list = || serde_json::from_str(claim.get()).map_err(|_| MALFORMED);
    text(claim).map_or_else(list, |one| Ok(vec![one]))
}
