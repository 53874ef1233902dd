//! JSON answers, written once into one buffer.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

/// A value as a JSON answer.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(1024);
        let written = serde_json::to_writer(&mut bytes, &self.0);
        answer(bytes, written.is_ok())
    }
}

/// The part that no type makes different, so that it is compiled once.
#[inline(never)]
fn answer(bytes: Vec<u8>, is_whole: bool) -> Response {
    if is_whole {
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
    } else {
        // Only a map with keys that are no strings, or a failing `Serialize`, ends here; we write neither.
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
