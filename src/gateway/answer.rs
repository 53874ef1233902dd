//! How results are written: as JSON, as JSON with its strings in base64, or as RESP2.

use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};

use super::question::{ENCODING, FORMAT, Form, Question, SYNC_TOKEN};
use crate::{
    error::ApiError,
    json,
    redis::{Failure, Reply, resp},
};

/// How the caller wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// JSON. Bytes that are not UTF-8 become U+FFFD.
    Text,
    /// JSON, with every string in base64.
    Base64,
    /// RESP2, as Redis itself would answer.
    Resp2,
}

impl Encoding {
    /// What the headers ask for.
    ///
    /// # Errors
    /// 400 for a format that there is not, and for one that does not go with the other header or the route.
    pub(super) fn of(question: &Question, form: Form) -> Result<Self, ApiError> {
        let header = |name: HeaderName| question.headers.get(name).map(HeaderValue::as_bytes);
        let base64 = header(ENCODING).is_some_and(|encoding| encoding.eq_ignore_ascii_case(b"base64"));
        match header(FORMAT) {
            None | Some(b"" | b"json") => Ok(if base64 { Self::Base64 } else { Self::Text }),
            Some(b"resp2") if base64 => {
                Err(ApiError::bad_request("Upstash-Response-Format: resp2 does not go with Upstash-Encoding: base64"))
            }
            Some(b"resp2") if form == Form::Transaction => {
                Err(ApiError::bad_request("Upstash-Response-Format: resp2 is not for /multi-exec"))
            }
            Some(b"resp2") => Ok(Self::Resp2),
            Some(_) => Err(ApiError::bad_request("Upstash-Response-Format must be json or resp2")),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text | Self::Base64 => "application/json",
            Self::Resp2 => "application/octet-stream",
        })
    }
}

/// Writes the results of a request.
///
/// # Errors
/// 400 with the text of the error, if there is one command and it failed; 502 or 503 if it says that the server cannot serve.
pub(super) fn of(form: Form, encoding: Encoding, results: Vec<Reply>, token: &str) -> Result<Response, ApiError> {
    let mut out = Vec::with_capacity(results.iter().map(likely_bytes).sum());
    if form == Form::Command {
        match results.into_iter().next() {
            // What was asked beside the command may have been answered all the same.
            Some(Reply::Error(text)) => {
                return Err(Failure::of_server(&text).map_or(ApiError::Command(text), Into::into));
            }
            Some(reply) => put(&mut out, encoding, &reply),
            None => return Err(ApiError::bad_request("There is no command")),
        }
    } else if encoding == Encoding::Resp2 {
        results.iter().for_each(|reply| resp::put_reply(&mut out, reply));
    } else {
        out.push(b'[');
        for (n, reply) in results.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            put(&mut out, encoding, reply);
        }
        out.push(b']');
    }
    let token = HeaderValue::from_str(token).unwrap_or(HeaderValue::from_static(""));
    Ok(([(CONTENT_TYPE, encoding.content_type()), (SYNC_TOKEN, token)], out).into_response())
}

/// How many bytes a result may take: what is not known by its length, and what must be escaped, makes it more.
fn likely_bytes(reply: &Reply) -> usize {
    const BESIDE: usize = 32;
    reply.as_bytes().map_or(0, |bytes| bytes.len() / 3 * 4) + BESIDE
}

/// One result: `{"result":…}` or `{"error":"…"}`, or as RESP.
fn put(out: &mut Vec<u8>, encoding: Encoding, reply: &Reply) {
    match (encoding, reply) {
        (Encoding::Resp2, reply) => return resp::put_reply(out, reply),
        (_, Reply::Error(text)) => {
            out.extend_from_slice(b"{\"error\":");
            put_text(out, text.as_bytes());
        }
        (Encoding::Base64, Reply::Status(status)) if status.as_ref() == b"OK" => {
            out.extend_from_slice(b"{\"result\":\"OK\"");
        }
        (_, reply) => {
            out.extend_from_slice(b"{\"result\":");
            put_value(out, reply, encoding == Encoding::Base64);
        }
    }
    out.push(b'}');
}

fn put_value(out: &mut Vec<u8>, reply: &Reply, base64: bool) {
    match reply {
        Reply::Nil | Reply::NilArray => out.extend_from_slice(b"null"),
        Reply::Integer(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Reply::String(bytes) | Reply::Status(bytes) if base64 => put_base64(out, bytes),
        Reply::String(bytes) | Reply::Status(bytes) => put_text(out, bytes),
        Reply::Error(text) => put_text(out, text.as_bytes()),
        Reply::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                put_value(out, item, base64);
            }
            out.push(b']');
        }
    }
}

/// A JSON string. What is not UTF-8 becomes U+FFFD.
fn put_text(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => json::put_string(out, text),
        Err(_) => json::put_string(out, &String::from_utf8_lossy(bytes)),
    }
}

fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    out.resize(start.saturating_add(length), 0);
    if let Some(place) = out.get_mut(start..) {
        let _ = BASE64_STANDARD.encode_slice(bytes, place);
    }
    out.push(b'"');
}
