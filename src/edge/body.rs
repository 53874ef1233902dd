//! Request bodies: one buffer, bounded while it is read, with or without a `Content-Length`.

use axum::{body::Body, extract::FromRequest};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, header::CONTENT_LENGTH};
use http_body_util::BodyExt as _;

use crate::{app::App, error::ApiError};

/// The most that the routes of the proxies and the REST API take: 1 MiB.
pub const MAX_BODY: usize = 1024 * 1024;

/// A body of at most `LIMIT` bytes.
pub struct BodyOf<const LIMIT: usize>(pub Bytes);

/// A body of at most [`MAX_BODY`] bytes.
pub type BoundedBody = BodyOf<MAX_BODY>;

impl<const LIMIT: usize> FromRequest<App> for BodyOf<LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, ApiError> {
        let announced = request.headers().get(CONTENT_LENGTH).cloned();
        read(request.into_body(), announced.as_ref(), LIMIT).await.map(Self)
    }
}

/// Reads a body of at most `limit` bytes, of which the header `Content-Length` may have told how many there are.
///
/// # Errors
/// 413 if it is longer, 400 if it breaks off.
pub async fn read(mut body: Body, announced: Option<&HeaderValue>, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = ApiError::BodyTooLarge { limit };
    // A length that is no number of this size is too long, also where `usize` has 32 bits.
    let announced = announced.map(|length| length.to_str().unwrap_or("").parse::<usize>());
    if announced.is_some_and(|length| length.map_or(true, |length| length > limit)) {
        return Err(too_large);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("The body was cut off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}
