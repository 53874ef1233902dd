//! The one variable segment that a path has here.

use axum::extract::{FromRequestParts, Path, rejection::PathRejection};
use http::request::Parts;

use crate::{app::App, error::ApiError};

/// The segment as text, percent-decoded.
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let segment: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, app).await;
        segment.map(|Path(text)| Self(text)).map_err(|_| ApiError::bad_request("The path is not valid UTF-8"))
    }
}
