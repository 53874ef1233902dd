//! Posts: making, showing, viewing, banning and deleting them.

use http::StatusCode;
use serde::Serialize;

use super::{
    actor::{Actor, Moment},
    call::Call,
    draft::{Draft, Storing},
    idempotency::IdempotencyKey,
    ids::PostId,
    jobs, keys,
    post::Post,
    privacy::Viewer,
    profile::Profile,
    scripts,
};
use crate::{
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    redis::{Invocation, Safety},
};

/// The id of a post in a path.
pub(super) fn post_id(text: &str) -> Result<PostId, ApiError> {
    text.parse().map_err(|problem| ApiError::bad_request(format!("Invalid post id: {problem}")))
}

/// The answer of `POST /posts`.
#[derive(Serialize)]
pub struct Created {
    post: Post,
}

/// Makes a post in the caller's name.
pub async fn create(
    call: Call,
    IdempotencyKey(key): IdempotencyKey,
    BodyOf(body): BoundedBody,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let draft = Draft::take(&mut Fields::of(&body)?)?;
    let id = PostId::fresh(call.app.host.as_ref());
    let storing = Storing::Create { idempotency: key.as_deref() };
    let mut reply = call.run(draft.store(&call.actor, &id, &storing, &call.moment())).await?;
    let _status = reply.text()?;
    let post = Post::new(reply.array()?, reply.flag()?, reply.flag()?)?;
    Ok((StatusCode::CREATED, Json(Created { post })))
}

/// The answer of `GET /posts/:id`.
#[derive(Serialize)]
pub struct Single {
    post: Post,
    user: Option<Profile>,
}

/// Shows a post.
pub async fn show(call: Call, Segment(id): Segment) -> Result<Json<Single>, ApiError> {
    let id = post_id(&id)?;
    let mut invocation = scripts::SHOW_POST.invoke(Safety::Read);
    invocation.key(keys::post(&id)).arg(call.actor.username.to_string());
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    let mut reply = call.run(invocation).await?;
    let post = Post::new(reply.array()?, reply.flag()?, reply.flag()?)?;
    Ok(Json(Single { post, user: Profile::from_reply(reply.reply()?, call.privacy(), Viewer::Other)? }))
}

/// The answer of a route that has nothing to say but that it is done.
#[derive(Serialize)]
pub struct Done {
    message: &'static str,
}

impl Done {
    /// Done, and this is what.
    pub fn new(message: &'static str) -> Self {
        Self { message }
    }
}

/// The call that deletes a post in an actor's name.
pub fn deletion(id: &PostId, actor: &Actor, moment: &Moment) -> Invocation {
    let mut call = moment.invoke(&scripts::DELETE_POST, Safety::Write);
    call.key(keys::post(id)).key(keys::EXPLORE);
    call.arg(actor.username.to_string()).arg(actor.authority.as_str()).arg(id.to_string());
    call
}

/// Deletes a post, of one's own or as an administrator.
pub async fn delete(call: Call, Segment(id): Segment) -> Result<Json<Done>, ApiError> {
    let id = post_id(&id)?;
    let mut reply = call.run(deletion(&id, &call.actor, &call.moment())).await?;
    jobs::wake_unless_done(&call.app, &reply.text()?).await;
    Ok(Json(Done::new("Post deleted")))
}

/// The answer of `POST /posts/:id/view`.
#[derive(Serialize)]
pub struct Viewed {
    #[serde(rename = "viewsCount")]
    views_count: i64,
}

/// Counts a view.
pub async fn view(call: Call, Segment(id): Segment) -> Result<Json<Viewed>, ApiError> {
    let id = post_id(&id)?;
    let mut invocation = call.moment().invoke(&scripts::VIEW, Safety::Write);
    invocation.key(keys::post(&id)).arg(call.actor.username.to_string());
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    let views_count = call.run(invocation).await?.integer()?;
    Ok(Json(Viewed { views_count }))
}

/// The answer of a route that turns something on or off.
#[derive(Serialize)]
pub struct Changed {
    message: &'static str,
    changed: bool,
}

/// Bans a post.
pub async fn ban(call: Call, Segment(id): Segment) -> Result<Json<Changed>, ApiError> {
    set_ban(call, &id, true).await
}

/// Lifts a ban.
pub async fn lift_ban(call: Call, Segment(id): Segment) -> Result<Json<Changed>, ApiError> {
    set_ban(call, &id, false).await
}

async fn set_ban(call: Call, id: &str, on: bool) -> Result<Json<Changed>, ApiError> {
    let id = post_id(id)?;
    let mut invocation = call.moment().invoke(&scripts::BAN, Safety::IdempotentWrite);
    invocation.key(keys::post(&id)).key(keys::EXPLORE).key(keys::BANNED);
    invocation.arg(call.actor.username.to_string()).arg(call.actor.authority.as_str());
    invocation.arg(id.to_string()).arg(if on { "on" } else { "off" });
    let mut reply = call.run(invocation).await.map_err(as_not_admin)?;
    let changed = reply.flag()?;
    jobs::wake_unless_done(&call.app, &reply.text()?).await;
    Ok(Json(Changed { message: if on { "Post banned" } else { "Ban lifted" }, changed }))
}

/// Where nobody but an administrator may act, that is what a refusal means.
pub(super) fn as_not_admin(error: ApiError) -> ApiError {
    match error {
        ApiError::Forbidden(_) => ApiError::NotAdmin,
        error => error,
    }
}
