//! `Idempotency-Key`: a request that is sent again does not do again what it did.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, request::Parts};
use sha2::{Digest as _, Sha256};

use crate::{app::App, error::ApiError};

/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;

/// The digest of the `Idempotency-Key`, if one was sent.
pub struct IdempotencyKey(pub Option<String>);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        idempotency_key(&parts.headers).map(Self)
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = values.next() else { return Ok(None) };
    let is_good = (1..=MAX_KEY).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !is_good || values.next().is_some() {
        let sentence =
            format!("Header 'Idempotency-Key' must be 1 to {MAX_KEY} visible ASCII characters, and there once");
        return Err(ApiError::bad_request(sentence));
    }
    Ok(Some(digest_of(key.as_bytes())))
}

/// SHA-256 in hexadecimal: how text of a stranger becomes part of a key.
pub(crate) fn digest_of(text: &[u8]) -> String {
    format!("{:x}", Sha256::digest(text))
}
