//! Users: showing, changing, replacing and deleting their profiles.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    actor::{Actor, Authority, Moment},
    call::Call,
    jobs, keys,
    posts::as_not_admin,
    privacy::{Privacy, Viewer},
    profile::{IS_FOLLOWING, Profile},
    scripts,
};
use crate::{
    auth::{Role, Username},
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::{self, FieldError, Fields},
    },
    error::ApiError,
    policy::profile::{self, COUNTERS, CREATED_AT},
    redis::{Command, Elements, Failure, Invocation, Pipeline, Redis, Reply, Safety},
};

/// The fields that users change themselves, beside those of `EDITABLE_FIELDS`.
const EDITABLE: &[&str] = &["display_name", "bio", "avatar", "links"];
/// The most fields that one request changes: each of them is a step in the script.
const MOST_FIELDS: usize = 500;
/// The longest `display_name`, in characters: each post repeats it.
const MAX_NAME: usize = 200;
/// The longest `avatar`, in characters: each post repeats it.
const MAX_AVATAR: usize = 2048;
/// The longest of the fields that users change themselves, in characters. Pages hold a hundred profiles, and what Redis may
/// answer at a time is bounded; nobody may be able to make a page too large for everybody.
const MAX_OWN: usize = 4000;
/// The longest of all others, in characters.
const MAX_OTHER: usize = 65_536;

/// An answer that shows a user.
#[derive(Serialize)]
pub struct Shown {
    user: ShownUser,
}

struct ShownUser {
    profile: Profile,
    is_following: bool,
}

impl ShownUser {
    /// What a script has read after it wrote: whether the caller follows, and the profile.
    fn read(reply: &mut Elements, call: &Call, username: &Username) -> Result<Self, ApiError> {
        let is_following = reply.flag()?;
        let profile = Profile::from_reply(reply.reply()?, call.privacy(), call.viewer_of(username))?;
        Ok(Self { profile: profile.ok_or(Failure::Nonsense("a profile without a name"))?, is_following })
    }
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
pub async fn show(call: Call, Segment(id): Segment) -> Result<Json<Shown>, ApiError> {
    let username = call.resolve(&id)?;
    let pipeline = Pipeline::new()
        .with(Command::new("HGETALL").arg(keys::user(&username)))
        .with(Command::new("SISMEMBER").arg(keys::following(&call.actor.username)).arg(username.to_string()));
    let [user, follows] =
        call.redis.read(pipeline).await?.try_into().map_err(|_| Failure::Nonsense("not two replies"))?;
    let profile =
        Profile::from_reply(user, call.privacy(), call.viewer_of(&username))?.ok_or(ApiError::UserNotFound)?;
    Ok(Json(Shown { user: ShownUser { profile, is_following: follows.as_integer() == Some(1) } }))
}

/// Fields of a profile that are set to a text, or removed.
pub struct Changes(Vec<(String, Option<String>)>);

impl Changes {
    /// The fields that are left in a body.
    ///
    /// # Errors
    /// A sentence that names the field that no request may set so.
    pub fn take(fields: Fields<'_>, username: &Username, editable: &[String]) -> Result<Self, FieldError> {
        let mut changes = fields.rest()?;
        for (field, value) in &changes {
            check(field, value.as_deref(), username)?;
        }
        changes.retain(|(field, _)| field != "username");
        if changes.len() > MOST_FIELDS {
            return Err(FieldError(format!("A profile changes in at most {MOST_FIELDS} fields at a time")));
        }
        let changes = Self(changes);
        changes.check_lengths(editable)?;
        Ok(changes)
    }

    /// The first field that users may not change themselves.
    fn first_reserved(&self, editable: &[String]) -> Option<&str> {
        let mut names = self.0.iter().map(|(field, _)| field.as_str());
        names.find(|field| !is_own(field, editable))
    }

    /// What is wrong with the length of a value, if anything.
    fn check_lengths(&self, editable: &[String]) -> Result<(), FieldError> {
        for (field, value) in &self.0 {
            let most = match field.as_str() {
                "display_name" => MAX_NAME,
                "avatar" => MAX_AVATAR,
                field if is_own(field, editable) => MAX_OWN,
                _ => MAX_OTHER,
            };
            if value.as_ref().is_some_and(|value| value.chars().nth(most).is_some()) {
                return Err(FieldError::new(field, format!("at most {most} characters long")));
            }
        }
        Ok(())
    }

    /// The call that applies them to a profile.
    pub fn apply(&self, how: Applying, username: &Username, actor: &Actor, moment: &Moment) -> Invocation {
        let mut call = moment.invoke(&scripts::PUT_USER, Safety::IdempotentWrite);
        call.key(keys::user(username)).key(keys::REGULAR).key(keys::MODELS);
        let (mode, needs_admin) = match how {
            Applying::Patch { needs_admin } => ("patch", needs_admin),
            Applying::Replace => ("replace", true),
            Applying::Merge => ("merge", true),
        };
        call.arg(username.to_string()).arg(mode).arg(if needs_admin { "admin" } else { "" });
        call.arg(actor.username.to_string()).arg(actor.authority.as_str());
        let set = || self.0.iter().filter_map(|(field, value)| Some((field, value.as_ref()?)));
        call.arg(set().count().to_string());
        for (field, value) in set() {
            call.arg(field.clone()).arg(value.clone());
        }
        for (field, _) in self.0.iter().filter(|(_, value)| value.is_none()) {
            call.arg(field.clone());
        }
        call
    }
}

/// How changes meet a profile.
#[derive(Clone, Copy)]
pub enum Applying {
    /// They change one that is there.
    Patch {
        /// Whether only an administrator may.
        needs_admin: bool,
    },
    /// They are all there is, but for what Ridge looks after; they make one that is not there.
    Replace,
    /// They change one that is there, and make one that is not.
    Merge,
}

/// Whether users change a field themselves.
fn is_own(field: &str, editable: &[String]) -> bool {
    EDITABLE.contains(&field) || editable.iter().any(|name| name == field)
}

fn is_time(digits: &str) -> bool {
    profile::is_integer(digits.as_bytes()) && fields::time(digits).is_some()
}

/// What is wrong with a field, whoever sets it.
fn check(field: &str, value: Option<&str>, username: &Username) -> Result<(), FieldError> {
    match (field, value) {
        ("", _) => Err(FieldError("A field must have a name".to_owned())),
        ("username", value) if value != Some(username.as_str()) => {
            Err(FieldError(format!("Field 'username' is immutable, it must be '{username}' or absent")))
        }
        (counter, _) if COUNTERS.contains(&counter) => {
            Err(FieldError(format!("Field '{counter}' is counted by the gateway and cannot be set")))
        }
        ("role", role) if username.is_reserved() && role != Some("admin") => Err(FieldError::new(field, "admin")),
        ("role", None) => Err(FieldError::new(field, "one of admin, user, model")),
        ("role", Some(role)) if role.parse::<Role>().is_err() => {
            Err(FieldError::new(field, "one of admin, user, model"))
        }
        (CREATED_AT, None) => Err(FieldError::new(field, "an integer")),
        (CREATED_AT, Some(digits)) if !is_time(digits) => Err(FieldError::new(field, "an integer")),
        _ => Ok(()),
    }
}

/// The answer of `PATCH /users/:id`.
#[derive(Serialize)]
pub struct Updated {
    message: &'static str,
    user: ShownUser,
    updates: Visible,
}

/// Changes as they are told to whoever made them: without what nobody sees.
struct Visible(Changes);

impl Serialize for Visible {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.0.0.iter().filter(|(field, _)| !Privacy::is_secret(field));
        serializer.collect_map(shown.map(|(field, value)| (field, value)))
    }
}

/// Changes a profile: of one's own some fields, as an administrator of anyone any that Ridge does not look after.
pub async fn update(call: Call, Segment(id): Segment, BodyOf(body): BoundedBody) -> Result<Json<Updated>, ApiError> {
    let username = call.resolve(&id)?;
    let changes = Changes::take(Fields::of(&body)?, &username, &call.app.config.editable_fields)?;
    if changes.0.is_empty() {
        return Err(ApiError::bad_request("There is nothing to change"));
    }
    let refusal = refusal_for_ordinary(&call, &username, &changes);
    if let Some(refusal) = &refusal
        && call.actor.authority == Authority::Ordinary
    {
        return Err(refusal.clone());
    }
    let how = Applying::Patch { needs_admin: refusal.is_some() };
    let answer = call.run(changes.apply(how, &username, &call.actor, &call.moment())).await;
    let mut reply = answer.map_err(|error| match (error, refusal) {
        (ApiError::Forbidden(_), Some(refusal)) => refusal,
        (error, _) => error,
    })?;
    wake_for_new_names(&call, &mut reply).await?;
    let user = ShownUser::read(&mut reply, &call, &username)?;
    Ok(Json(Updated { message: "Profile updated", user, updates: Visible(changes) }))
}

/// Why somebody who is no administrator may not make these changes, if so.
fn refusal_for_ordinary(call: &Call, username: &Username, changes: &Changes) -> Option<ApiError> {
    if *username != call.actor.username {
        return Some(ApiError::Forbidden("You can change your own profile only".into()));
    }
    let field = changes.first_reserved(&call.app.config.editable_fields)?;
    Some(ApiError::Forbidden(format!("Field '{field}' can be changed by an administrator only").into()))
}

/// Makes a profile, or puts a new one in the place of an old one.
pub async fn replace(call: Call, Segment(id): Segment, BodyOf(body): BoundedBody) -> Result<Response, ApiError> {
    let username = call.resolve(&id)?;
    if call.actor.authority == Authority::Ordinary {
        return Err(ApiError::NotAdmin);
    }
    let changes = Changes::take(Fields::of(&body)?, &username, &call.app.config.editable_fields)?;
    let answer = call.run(changes.apply(Applying::Replace, &username, &call.actor, &call.moment())).await;
    let mut reply = answer.map_err(as_not_admin)?;
    let status = wake_for_new_names(&call, &mut reply).await?;
    let user = ShownUser::read(&mut reply, &call, &username)?;
    let status = if status == "created" { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Shown { user })).into_response())
}

/// Reads what became of a profile. If its names are still on their way to its posts, somebody carries them on.
async fn wake_for_new_names(call: &Call, reply: &mut Elements) -> Result<String, ApiError> {
    let status = reply.text()?;
    jobs::wake_unless_done(&call.app, &reply.text()?).await;
    Ok(status)
}

/// The answer of `DELETE /users/:id`.
#[derive(Serialize)]
pub struct Deleted {
    message: &'static str,
    #[serde(rename = "postsDeleted")]
    posts_deleted: i64,
}

/// The call that deletes a user in an actor's name.
pub fn deletion(username: &Username, actor: &Actor, moment: &Moment) -> Invocation {
    let mut call = moment.invoke(&scripts::DELETE_USER, Safety::Write);
    call.key(keys::user(username)).key(keys::REGULAR).key(keys::MODELS);
    call.arg(username.to_string()).arg(actor.username.to_string()).arg(actor.authority.as_str());
    call
}

/// Deletes a user, oneself or as an administrator.
pub async fn delete(call: Call, Segment(id): Segment) -> Result<(StatusCode, Json<Deleted>), ApiError> {
    let username = call.resolve(&id)?;
    let mut reply = call.run(deletion(&username, &call.actor, &call.moment())).await?;
    let (done, posts_deleted) = (reply.text()?, reply.integer()?);
    jobs::wake_unless_done(&call.app, &done).await;
    let (status, message) = if done.is_empty() {
        (StatusCode::ACCEPTED, "User is being deleted")
    } else {
        (StatusCode::OK, "User deleted")
    };
    Ok((status, Json(Deleted { message, posts_deleted })))
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
    Ok(Profile::from_reply(reply, &Privacy::default(), Viewer::Oneself)?)
}
