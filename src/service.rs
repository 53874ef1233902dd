//! Routes about the gateway itself: is it there, is it well, and who does it take me for.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::RETRY_AFTER};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    app::App,
    auth::{AnyCaller, Caller, Role, Scope},
    config::Environment,
    edge::{Cause, Context, Json},
    error::{ApiError, RETRY_AFTER_SECONDS},
    redis::{Command, Pipeline, Redis, Reply},
    social::{keys, profile::Profile, users},
};

/// A Redis that takes longer than this, in milliseconds, is degraded.
const SLOW_MS: u64 = 1000;

const MEBIBYTE: u64 = 1024 * 1024;

#[derive(Serialize)]
struct Index {
    name: &'static str,
    version: &'static str,
    description: &'static str,
    links: Links,
}

#[derive(Serialize)]
struct Links {
    health: &'static str,
    whoami: &'static str,
    users: &'static str,
}

/// What this is and where to go on.
pub async fn index(_: Context) -> impl IntoResponse {
    Json(Index {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        links: Links { health: "/health", whoami: "/whoami", users: "/users/:id" },
    })
}

/// The answer to a ping.
pub const PONG: &str = "pong";

/// Answers a ping.
pub async fn ping(_: Context) -> &'static str {
    PONG
}

/// The answer of a gateway that runs.
#[derive(Serialize)]
pub struct Alive {
    status: &'static str,
}

/// That answer.
pub const ALIVE: Json<Alive> = Json(Alive { status: "ok" });

/// Says that the Worker runs. Never touches Redis.
pub async fn alive(_: Context) -> Json<Alive> {
    ALIVE
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    redis: RedisHealth,
    cache: Cache,
    version: &'static str,
}

#[derive(Serialize)]
struct RedisHealth {
    status: &'static str,
    latency: Option<u64>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    total_keys: Option<i64>,
    memory_usage: Option<String>,
}

/// How Redis is, in one round trip. A figure that the server will not give is `null`.
pub async fn health(redis: Redis, State(app): State<App>) -> Response {
    let started = app.host.now_ms();
    let pipeline = Pipeline::new()
        .with(Command::new("PING"))
        .with(Command::new("DBSIZE"))
        .with(Command::new("INFO").arg("memory"));
    let replies = redis.read(pipeline).await;
    let latency = app.host.now_ms().saturating_sub(started);
    let (status, latency, cache) = match replies.as_deref() {
        Ok([ping, size, memory]) if !matches!(ping, Reply::Error(_)) => {
            let cache = Cache { total_keys: size.as_integer(), memory_usage: memory.as_str().and_then(used_memory) };
            (if latency > SLOW_MS { "degraded" } else { "healthy" }, Some(latency), cache)
        }
        _ => ("unhealthy", None, Cache::default()),
    };
    let health = Health { status, redis: RedisHealth { status, latency }, cache, version: env!("CARGO_PKG_VERSION") };
    let failure = replies.err();
    let answer = Json(health);
    match status {
        "unhealthy" => {
            let cause = failure.map(|failure| Extension(Cause(failure.into())));
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_SECONDS)], cause, answer).into_response()
        }
        _ => answer.into_response(),
    }
}

/// `used_memory` of `INFO`, in mebibytes with one decimal, as `45.2MB`.
fn used_memory(info: &str) -> Option<String> {
    let bytes: u64 = info.lines().find_map(|line| line.strip_prefix("used_memory:"))?.trim().parse().ok()?;
    let tenths = bytes.saturating_mul(10).saturating_add(MEBIBYTE / 2) / MEBIBYTE;
    Some(format!("{}.{}MB", tenths / 10, tenths % 10))
}

#[derive(Serialize)]
struct Whoami<'a> {
    jwt_payload: Option<&'a RawValue>,
    caller: CallerView<'a>,
    resolved_user_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_data: Option<Option<Profile>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallerView<'a> {
    kind: &'static str,
    username: &'a str,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_name: Option<&'a str>,
}

/// Who the credentials say the caller is.
pub async fn whoami(AnyCaller(caller): AnyCaller, redis: Redis) -> Result<Response, ApiError> {
    let role = match caller.known_role() {
        Some(role) => role,
        None => users::stored_role(&redis, &caller.username()).await?,
    };
    Ok(view(&caller, role, None))
}

/// Who the caller is, and what Redis holds of them. For administrators, and for everyone while developing.
pub async fn debug_auth(
    AnyCaller(caller): AnyCaller,
    redis: Redis,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    if !caller.has_scope(Scope::Admin) && app.config.environment != Environment::Development {
        return Err(match caller {
            Caller::ApiKey { .. } => ApiError::MissingScope(Scope::Admin),
            Caller::User(_) => ApiError::ApiKeyRequired(Scope::Admin),
        });
    }
    let profile = users::load(&redis, &caller.username()).await?;
    let role = caller.known_role().or_else(|| profile.as_ref().map(|profile| profile.role().unwrap_or(Role::User)));
    Ok(view(&caller, role.ok_or(ApiError::UserNotFound)?, Some(profile)))
}

fn view(caller: &Caller, role: Role, redis_data: Option<Option<Profile>>) -> Response {
    let username = caller.username();
    let (jwt_payload, key_name) = match caller {
        Caller::User(claims) => (Some(claims.payload.as_ref()), None),
        Caller::ApiKey { key, .. } => (None, Some(key.name.as_str())),
    };
    Json(Whoami {
        jwt_payload,
        caller: CallerView { kind: caller.kind(), username: username.as_str(), role, key_name },
        resolved_user_key: keys::user(&username),
        redis_data,
    })
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::used_memory;

    #[test]
    fn memory_is_told_in_megabytes() {
        assert_eq!(used_memory("# Memory\r\nused_memory:47395635\r\nused_memory_human:45.20M\r\n").unwrap(), "45.2MB");
        assert_eq!(used_memory("# Memory\r\n"), None);
    }
}
