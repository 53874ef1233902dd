//! Query parameters. One that is wrong is named; one that nobody reads is passed over.

use std::{borrow::Cow, convert::Infallible, fmt, ops::RangeInclusive, str::FromStr};

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{app::App, error::ApiError};

/// The parameters of a request.
pub struct Query(String);

impl FromRequestParts<App> for Query {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self(parts.uri.query().unwrap_or_default().to_owned()))
    }
}

impl Query {
    /// A parameter's value, decoded. The first counts; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = form_urlencoded::parse(self.0.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// A number within a range.
    ///
    /// # Errors
    /// 400 if it is no whole number or out of range.
    pub fn number(&self, name: &str, range: RangeInclusive<u64>, default: u64) -> Result<u64, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        number.ok_or_else(|| {
            let (first, last) = (range.start(), range.end());
            ApiError::bad_request(format!("Parameter '{name}' must be a whole number from {first} to {last}"))
        })
    }

    /// A truth value.
    ///
    /// # Errors
    /// 400 if it is neither `true` nor `false`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.get(name).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ApiError::bad_request(format!("Parameter '{name}' must be true or false"))),
        }
    }

    /// Something that can be read from text.
    ///
    /// # Errors
    /// 400 if it cannot.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: Cow<'_, str>| {
            text.parse().map_err(|problem| ApiError::bad_request(format!("Parameter '{name}': {problem}")))
        };
        self.get(name).map(parse).transpose()
    }
}
