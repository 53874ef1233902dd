//! CORS: which web pages may call from a browser. Never with credentials, since tokens travel in headers.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
    },
    uri::Authority,
};

/// The origins that may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Every origin.
    #[default]
    Any,
    /// These, in the form `https://example.com`.
    Only(Vec<HeaderValue>),
}

/// How long a browser may remember a preflight, in seconds: Chromium's own upper bound.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, Upstash-Encoding, Upstash-Response-Format, Upstash-Sync-Token, \
     X-API-Key, X-Access-Token, X-Act-As, X-Authorization, X-Request-Id",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("X-Request-Id, X-Redis-Round-Trips, Upstash-Sync-Token, Retry-After, WWW-Authenticate");

impl Cors {
    /// Reads `CORS_ORIGINS`: `*`, or origins separated by commas.
    ///
    /// # Errors
    /// A sentence that says which origin is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut origins = Vec::new();
        for origin in text.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            let plain = origin.trim_end_matches('/');
            if !is_origin(plain) {
                return Err(format!("'{origin}' is not an origin such as https://example.com"));
            }
            origins.extend(HeaderValue::from_str(plain).ok());
        }
        if origins.is_empty() { Err("is empty; '*' allows every origin".to_owned()) } else { Ok(Self::Only(origins)) }
    }

    /// The answer to `OPTIONS`, on every path. What is allowed to whom is decided when the request itself comes.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        if self.allowed(request.get(ORIGIN)).is_some() {
            let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HEADERS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        response.headers_mut().insert(http::header::ALLOW, METHODS);
        response
    }

    /// Lets the page that asked read the answer, if its origin may.
    pub(super) fn allow(&self, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
        if *self != Self::Any {
            response.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(allowed) = self.allowed(origin) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Only(origins) => origins.contains(origin).then(|| origin.clone()),
        }
    }
}

/// Whether a text is an origin as browsers write it: scheme and host in small letters, and a port that is not the usual one.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let usual_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let is_plain = !authority.contains('@') && !authority.bytes().any(|byte| byte.is_ascii_uppercase());
    let host_and_port = authority.parse::<Authority>().ok().filter(|parsed| is_plain && !parsed.host().is_empty());
    host_and_port.is_some_and(|parsed| match parsed.as_str().strip_prefix(parsed.host()) {
        Some("") => true,
        _ => parsed.port_u16().is_some_and(|port| port != usual_port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_origins() {
        assert_eq!(Cors::parse(" * "), Ok(Cors::Any));
        let two = Cors::parse("https://a.example, http://localhost:3000/").unwrap();
        assert!(two.allowed(Some(&HeaderValue::from_static("http://localhost:3000"))).is_some());
        assert!(two.allowed(Some(&HeaderValue::from_static("http://localhost:3001"))).is_none());
        for wrong in [
            "",
            "a.example",
            "https://a.example/path",
            "null",
            "ftp://a.example",
            "https://",
            "https://A.example",
            "https://a.example:443",
            "https://a.example:99999",
            "https://a.example:",
            "https://me@a.example",
        ] {
            assert!(Cors::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
