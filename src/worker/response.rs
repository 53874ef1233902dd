//! Responses: status, headers, and a body that is in memory already, handed over in one piece with its length.

use axum::response::Response;
use http_body_util::BodyExt as _;
use wasm_bindgen::intern;
use web_sys::{Headers, ResponseInit};

/// Makes JavaScript's response.
pub(super) async fn convert(response: Response) -> worker::Result<web_sys::Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new()?;
    for (name, value) in &parts.headers {
        // The runtime counts the body itself.
        if name != http::header::CONTENT_LENGTH
            && let Ok(value) = value.to_str()
        {
            headers.append(intern(name.as_str()), value)?;
        }
    }
    let init = ResponseInit::new();
    init.set_status(parts.status.as_u16());
    init.set_headers(&headers);
    let body = body.collect().await.map_err(|error| worker::Error::RustError(error.to_string()))?.to_bytes();
    if body.is_empty() {
        return Ok(web_sys::Response::new_with_opt_str_and_init(None, &init)?);
    }
    let mut bytes = Vec::from(body);
    Ok(web_sys::Response::new_with_opt_u8_array_and_init(Some(&mut bytes), &init)?)
}
