//! Responses: status, headers and a body that is in memory already, or that the host holds, handed over in one crossing.

use std::fmt::Write as _;

use axum::response::Response;
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH},
};
use http_body_util::BodyExt as _;
use js_sys::Array;
use worker::send::SendWrapper;

use super::glue;
use crate::{edge, host::Held};

/// Makes JavaScript's response.
pub(super) async fn convert(response: Response) -> web_sys::Response {
    let (mut parts, body) = response.into_parts();
    let held = parts.extensions.remove::<Held>();
    let id = parts.headers.remove(edge::REQUEST_ID);
    let id = id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let mut rest = String::new();
    for (name, value) in &parts.headers {
        // The runtime counts the body itself, and that nothing is stored is said of every answer.
        if !matches!(*name, CONTENT_LENGTH | CACHE_CONTROL)
            && let Ok(value) = value.to_str()
        {
            let _ = writeln!(rest, "{name}\n{value}");
        }
    }
    let status = parts.status.as_u16();
    if let Some(response) = held.as_ref().and_then(Held::get::<SendWrapper<Array>>) {
        return glue::respond_held(status, id, &rest, response);
    }
    match body.collect().await {
        Ok(body) => glue::respond(status, id, &rest, &body.to_bytes()),
        // A body that is in memory is always whole.
        Err(_) => glue::respond(StatusCode::INTERNAL_SERVER_ERROR.as_u16(), id, "", &[]),
    }
}
