//! Feeds: pages of posts with their authors.

use axum::extract::State;

use super::{
    actor::Actor,
    call::Call,
    ids::Hashtag,
    keys, outcome,
    page::{Cursor, Page},
    post::Feed,
    privacy::Privacy,
    scripts,
};
use crate::{
    app::App,
    auth::{MaybeRestCaller, Username},
    edge::{Json, Query, Segment},
    error::ApiError,
    redis::{Invocation, Redis, Safety, Script},
};

/// How deep an offset may go into the feed of those whom one follows, which is merged anew for each page. A cursor goes
/// as deep as there are posts.
const MAX_MERGED: u64 = 1000;

/// All posts, newest first. Anyone may look.
pub async fn explore(
    MaybeRestCaller(caller): MaybeRestCaller,
    redis: Redis,
    State(app): State<App>,
    query: Query,
) -> Result<Json<Feed>, ApiError> {
    let viewer = caller.map(|caller| Actor::from(&caller).username);
    let page = Page::of(&query)?;
    let mut invocation = begin(&scripts::FEED, keys::EXPLORE.to_owned(), viewer.as_ref(), &page);
    page.tell(&mut invocation)?;
    invocation.arg("");
    chronological(&redis, invocation, &page, &app.config.privacy).await
}

/// The posts of those whom the caller follows, newest first.
pub async fn following(call: Call, query: Query) -> Result<Json<Feed>, ApiError> {
    let page = Page::within(&query, MAX_MERGED)?;
    let me = &call.actor.username;
    let mut invocation = scripts::FOLLOWING.invoke(Safety::Read);
    invocation.key(keys::user(me)).key(keys::following(me)).arg(me.to_string()).arg(users(&page));
    page.tell(&mut invocation)?;
    chronological(&call.redis, invocation, &page, call.privacy()).await
}

/// The posts with a hashtag, newest first.
pub async fn hashtag(call: Call, Segment(tag): Segment, query: Query) -> Result<Json<Feed>, ApiError> {
    let key = keys::hashtag_posts(&hashtag_of(&tag)?);
    list(&call, key, None, &query).await
}

/// The posts of a user, newest first.
pub async fn of_user(call: Call, Segment(id): Segment, query: Query) -> Result<Json<Feed>, ApiError> {
    let username = call.resolve(&id)?;
    list(&call, keys::of_user(&username, "posts"), Some(&username), &query).await
}

/// What the caller has bookmarked, latest first.
pub async fn bookmarked(call: Call, Segment(id): Segment, query: Query) -> Result<Json<Feed>, ApiError> {
    own(&call, &id, "bookmarked", &query).await
}

/// What the caller has liked, latest first.
pub async fn liked(call: Call, Segment(id): Segment, query: Query) -> Result<Json<Feed>, ApiError> {
    own(&call, &id, "liked", &query).await
}

async fn own(call: &Call, id: &str, part: &str, query: &Query) -> Result<Json<Feed>, ApiError> {
    let username = call.resolve(id)?;
    if username != call.actor.username {
        return Err(ApiError::Forbidden("You can see this list of your own only".into()));
    }
    list(call, keys::of_user(&username, part), Some(&username), query).await
}

/// A page of a feed that is stored as a list.
async fn list(call: &Call, key: String, owner: Option<&Username>, query: &Query) -> Result<Json<Feed>, ApiError> {
    let page = Page::of(query)?;
    let mut invocation = begin(&scripts::FEED, key, Some(&call.actor.username), &page);
    page.tell(&mut invocation)?;
    invocation.arg(owner.map(Username::to_string).unwrap_or_default());
    chronological(&call.redis, invocation, &page, call.privacy()).await
}

/// The posts with a hashtag, best first.
pub async fn ranked(call: Call, Segment(tag): Segment, query: Query) -> Result<Json<Feed>, ApiError> {
    let tag = hashtag_of(&tag)?;
    let page = Page::of(&query)?;
    let (place, at_ms) = page.place(call.moment().now_ms)?;
    let mut invocation = begin(&scripts::RANKED, keys::hashtag_posts(&tag), Some(&call.actor.username), &page);
    invocation.key(keys::hashtag_ranked(&tag));
    invocation.arg(page.limit.to_string()).arg(place.to_string()).arg(at_ms.to_string()).arg(tag.to_string());
    let mut reply = call.run(invocation).await?;
    let (total, has_more, place) = (reply.unsigned()?, reply.flag()?, reply.unsigned()?);
    let next = has_more.then_some(Cursor::Place { at_ms, place });
    let pagination = page.said(Some(total), next);
    Ok(Json(Feed::read(&mut reply, pagination, call.privacy())?))
}

fn begin(script: &'static Script, key: String, viewer: Option<&Username>, page: &Page) -> Invocation {
    let mut invocation = script.invoke(Safety::Read);
    invocation.key(key).arg(viewer.map(Username::to_string).unwrap_or_default()).arg(users(page));
    invocation
}

fn users(page: &Page) -> &'static str {
    if page.include_user { "users" } else { "" }
}

async fn chronological(
    redis: &Redis,
    invocation: Invocation,
    page: &Page,
    privacy: &Privacy,
) -> Result<Json<Feed>, ApiError> {
    let mut reply = outcome::accept(redis.call(invocation).await?)?;
    let pagination = page.pagination(&mut reply)?;
    Ok(Json(Feed::read(&mut reply, pagination, privacy)?))
}

pub(super) fn hashtag_of(text: &str) -> Result<Hashtag, ApiError> {
    text.parse().map_err(|problem| ApiError::bad_request(format!("Invalid hashtag: {problem}")))
}
