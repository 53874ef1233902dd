//! Responses: status, headers and a body that is in memory already, or that the host holds, handed over in one crossing.

use std::fmt::Write as _;

use axum::response::Response;
use http_body_util::BodyExt as _;
use worker::send::SendWrapper;

use super::glue;
use crate::host::Held;

/// Makes JavaScript's response.
pub(super) async fn convert(response: Response) -> worker::Result<web_sys::Response> {
    let (mut parts, body) = response.into_parts();
    let held = parts.extensions.remove::<Held>();
    let mut head = String::with_capacity(256);
    for (name, value) in &parts.headers {
        // The runtime counts the body itself.
        if name != http::header::CONTENT_LENGTH
            && let Ok(value) = value.to_str()
        {
            let _ = writeln!(head, "{name}\n{value}");
        }
    }
    if let Some(response) = held.as_ref().and_then(Held::get::<SendWrapper<web_sys::Response>>) {
        return Ok(glue::respond_held(parts.status.as_u16(), &head, response));
    }
    let body = body.collect().await.map_err(|error| worker::Error::RustError(error.to_string()))?.to_bytes();
    Ok(glue::respond(parts.status.as_u16(), &head, &body))
}
