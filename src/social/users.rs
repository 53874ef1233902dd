//! Users.

use axum::extract::{Path, State, rejection::PathRejection};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    keys,
    privacy::Viewer,
    profile::{IS_FOLLOWING, Profile},
};
use crate::{
    app::App,
    auth::{Caller, RestCaller, Role, Username},
    edge::Json,
    error::ApiError,
    redis::{Command, Failure, Pipeline, Redis, Reply},
};

/// The answer of `GET /users/:id`.
#[derive(Serialize)]
pub struct Shown {
    user: ShownUser,
}

struct ShownUser {
    profile: Profile,
    is_following: bool,
}

impl Serialize for ShownUser {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.profile.serialize_into(&mut map)?;
        map.serialize_entry(IS_FOLLOWING, &self.is_following)?;
        map.end()
    }
}

/// Shows a user: to themselves whole, to others without the private fields.
pub async fn show(
    RestCaller(caller): RestCaller,
    redis: Redis,
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Shown>, ApiError> {
    let viewer_name = caller.username();
    let username = resolve(id, &caller)?;
    let pipeline = Pipeline::new()
        .with(Command::new("HGETALL").arg(keys::user(&username)))
        .with(Command::new("SISMEMBER").arg(keys::following(&viewer_name)).arg(username.to_string()));
    let [user, follows] = two(redis.read(pipeline).await?)?;
    let viewer = if username == viewer_name && !is_plain_api_key(&caller) { Viewer::Oneself } else { Viewer::Other };
    let profile = Profile::from_reply(user, &app.config.privacy, viewer)?.ok_or(ApiError::UserNotFound)?;
    Ok(Json(Shown { user: ShownUser { profile, is_following: follows.as_integer() == Some(1) } }))
}

/// The user that a path means; `me` is the caller.
fn resolve(id: Result<Path<String>, PathRejection>, caller: &Caller) -> Result<Username, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::bad_request("Invalid user id: not UTF-8"))?;
    match id.as_str() {
        "me" => Ok(caller.username()),
        id => id.parse().map_err(|problem| ApiError::bad_request(format!("Invalid user id: {problem}"))),
    }
}

/// An API key that acts as nobody sees the public view, even of its own `xano_sync`: raw data is what `POST /` is for.
fn is_plain_api_key(caller: &Caller) -> bool {
    matches!(caller, Caller::ApiKey { acting_as: None, .. })
}

/// The role in a user's profile.
///
/// # Errors
/// 404 if there is no such user, and what Redis fails with.
pub async fn stored_role(redis: &Redis, username: &Username) -> Result<Role, ApiError> {
    let command = Command::new("HMGET").arg(keys::user(username)).arg("username").arg("role");
    let reply = redis.read(command).await?.into_iter().next().unwrap_or(Reply::Nil);
    match reply.into_array()?.as_slice() {
        [Reply::Nil, _] => Err(ApiError::UserNotFound),
        [_, role] => Ok(role.as_str().and_then(|role| role.parse().ok()).unwrap_or(Role::User)),
        _ => Err(Failure::Nonsense("not two fields").into()),
    }
}

/// All of a profile that may be seen at all.
///
/// # Errors
/// What Redis fails with.
pub async fn load(redis: &Redis, username: &Username) -> Result<Option<Profile>, ApiError> {
    let reply = redis.read(Command::new("HGETALL").arg(keys::user(username))).await?;
    let reply = reply.into_iter().next().unwrap_or(Reply::Nil);
    Ok(Profile::from_reply(reply, &crate::social::privacy::Privacy::default(), Viewer::Oneself)?)
}

fn two(replies: Vec<Reply>) -> Result<[Reply; 2], Failure> {
    replies.try_into().map_err(|_| Failure::Nonsense("not two replies"))
}
