//! Responses: status, headers and a body that is in memory already, handed over in one crossing.

use std::fmt::Write as _;

use axum::response::Response;
use http_body_util::BodyExt as _;

use super::glue;

/// Makes JavaScript's response.
pub(super) async fn convert(response: Response) -> worker::Result<web_sys::Response> {
    let (parts, body) = response.into_parts();
    let mut head = String::with_capacity(256);
    for (name, value) in &parts.headers {
        // The runtime counts the body itself.
        if name != http::header::CONTENT_LENGTH
            && let Ok(value) = value.to_str()
        {
            let _ = writeln!(head, "{name}\n{value}");
        }
    }
    let body = body.collect().await.map_err(|error| worker::Error::RustError(error.to_string()))?.to_bytes();
    Ok(glue::respond(parts.status.as_u16(), &head, &body))
}
