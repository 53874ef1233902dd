//! Who follows whom.

use serde::Serialize;

use super::{
    actor::{Actor, Moment},
    call::Call,
    keys,
    page::Page,
    people::People,
    scripts,
};
use crate::{
    auth::Username,
    edge::{Json, Query, Segment},
    error::ApiError,
    redis::{Invocation, Safety},
};

/// The most users that one can follow: the feed of those whom one follows asks each of them for news.
pub const MOST_FOLLOWED: u32 = 5000;

/// The answer.
#[derive(Serialize)]
pub struct Followed {
    message: String,
    changed: bool,
}

/// The call by which a follower follows a user, or no longer.
pub fn set(on: bool, follower: &Actor, followed: &Username, moment: &Moment) -> Invocation {
    let mut call = moment.invoke(&scripts::FOLLOW, Safety::IdempotentWrite);
    call.key(keys::user(&follower.username)).key(keys::user(followed));
    call.arg(follower.username.to_string()).arg(followed.to_string());
    call.arg(if on { "on" } else { "off" }).arg(MOST_FOLLOWED.to_string());
    call.arg(follower.authority.as_str());
    call
}

/// Follows a user.
pub async fn follow(call: Call, Segment(id): Segment) -> Result<Json<Followed>, ApiError> {
    change(call, &id, true).await
}

/// Follows a user no longer.
pub async fn unfollow(call: Call, Segment(id): Segment) -> Result<Json<Followed>, ApiError> {
    change(call, &id, false).await
}

async fn change(call: Call, id: &str, on: bool) -> Result<Json<Followed>, ApiError> {
    let followed = call.resolve(id)?;
    if followed == call.actor.username {
        return Err(ApiError::bad_request("You cannot follow yourself"));
    }
    let changed = call.run(set(on, &call.actor, &followed, &call.moment())).await?.flag()?;
    Ok(Json(Followed { message: format!("{} {followed}", if on { "Followed" } else { "Unfollowed" }), changed }))
}

/// Lists who follows a user.
pub async fn followers(call: Call, Segment(id): Segment, query: Query) -> Result<Json<People>, ApiError> {
    list(call, &id, &query, "followers:since").await
}

/// Lists whom a user follows.
pub async fn following(call: Call, Segment(id): Segment, query: Query) -> Result<Json<People>, ApiError> {
    list(call, &id, &query, "following:since").await
}

async fn list(call: Call, id: &str, query: &Query, part: &str) -> Result<Json<People>, ApiError> {
    let username = call.resolve(id)?;
    let page = Page::of(query)?;
    let mut invocation = scripts::PEOPLE.invoke(Safety::Read);
    invocation.key(keys::of_user(&username, part));
    page.tell(&mut invocation)?;
    invocation.arg(username.to_string());
    let mut reply = call.run(invocation).await?;
    let pagination = page.pagination(&mut reply)?;
    Ok(Json(People::read(&mut reply, pagination, call.privacy())?))
}
