//! One JSON line a request, and nothing in it that is secret: no header, no query, no body.

use std::{fmt, str::FromStr};

use http::{Method, StatusCode};
use serde::Serialize;

use super::Context;
use crate::{app::Ridge, error::ApiError, host::Level};

/// The least important level that is still written; `off` writes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(Option<Level>);

impl LogLevel {
    /// The default: a line for every request.
    pub const INFO: Self = Self(Some(Level::Info));

    /// Whether lines of `level` are written.
    pub fn writes(self, level: Level) -> bool {
        self.0.is_some_and(|least| level >= least)
    }
}

impl FromStr for LogLevel {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "debug" => Some(Level::Debug),
            "info" => Some(Level::Info),
            "warn" => Some(Level::Warn),
            "error" => Some(Level::Error),
            "off" => None,
            _ => return Err("must be one of debug, info, warn, error, off"),
        }))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    id: &'a str,
    method: &'a str,
    route: Option<&'a str>,
    status: u16,
    duration_ms: u64,
    redis_round_trips: u32,
    caller: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// A line about something that failed outside of a request.
pub fn failure(level: Level, error: &str, cause: &dyn fmt::Display) -> String {
    #[derive(Serialize)]
    struct Failure<'a> {
        level: &'static str,
        error: &'a str,
        cause: String,
    }
    serde_json::to_string(&Failure { level: name(level), error, cause: cause.to_string() }).unwrap_or_default()
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

/// Writes the line of one request.
pub(super) fn request(ridge: &Ridge, context: &Context, method: &Method, status: StatusCode, error: Option<&ApiError>) {
    let level = match error {
        Some(ApiError::Misconfigured(_)) => Level::Error,
        _ if status.is_server_error() => Level::Warn,
        _ => Level::Info,
    };
    if !ridge.log_level().writes(level) {
        return;
    }
    let line = Line {
        level: name(level),
        id: context.id(),
        method: method.as_str(),
        route: context.route(),
        status: status.as_u16(),
        duration_ms: ridge.host.now_ms().saturating_sub(context.started_ms()),
        redis_round_trips: context.trips(),
        caller: context.caller(),
        error: error.map(ApiError::code),
        cause: error.filter(|_| status.is_server_error()).map(|error| match error {
            ApiError::Misconfigured(problem) => problem.clone(),
            error => error.to_string(),
        }),
    };
    ridge.host.log(level, &serde_json::to_string(&line).unwrap_or_default());
}
