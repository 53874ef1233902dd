//! Likes and bookmarks.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    actor::{Actor, Moment},
    call::Call,
    ids::PostId,
    keys,
    posts::post_id,
    scripts,
};
use crate::{
    edge::{Json, Segment},
    error::ApiError,
    redis::{Invocation, Safety},
};

/// What one can do with a post, and take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// To like it.
    Like,
    /// To bookmark it.
    Bookmark,
}

impl Reaction {
    /// The call that turns it on or off in an actor's name.
    pub fn set(self, on: bool, id: &PostId, actor: &Actor, moment: &Moment) -> Invocation {
        let mut call = moment.invoke(&scripts::REACT, Safety::IdempotentWrite);
        call.key(keys::user(&actor.username)).key(keys::post(id));
        call.arg(actor.username.to_string()).arg(actor.authority.as_str()).arg(id.to_string());
        call.arg(match self {
            Self::Like => "like",
            Self::Bookmark => "bookmark",
        });
        call.arg(if on { "on" } else { "off" });
        call
    }

    fn message(self, on: bool) -> &'static str {
        match (self, on) {
            (Self::Like, true) => "Post liked",
            (Self::Like, false) => "Post unliked",
            (Self::Bookmark, true) => "Post bookmarked",
            (Self::Bookmark, false) => "Post unbookmarked",
        }
    }

    fn counter(self) -> &'static str {
        match self {
            Self::Like => "likesCount",
            Self::Bookmark => "bookmarksCount",
        }
    }
}

/// The answer: whether it changed anything, and how many there are now.
pub struct Reacted {
    reaction: Reaction,
    on: bool,
    changed: bool,
    count: i64,
}

impl Serialize for Reacted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("message", self.reaction.message(self.on))?;
        map.serialize_entry("changed", &self.changed)?;
        map.serialize_entry(self.reaction.counter(), &self.count)?;
        map.end()
    }
}

/// Likes a post.
pub async fn like(call: Call, Segment(id): Segment) -> Result<Json<Reacted>, ApiError> {
    react(call, &id, Reaction::Like, true).await
}

/// Likes a post no longer.
pub async fn unlike(call: Call, Segment(id): Segment) -> Result<Json<Reacted>, ApiError> {
    react(call, &id, Reaction::Like, false).await
}

/// Bookmarks a post.
pub async fn bookmark(call: Call, Segment(id): Segment) -> Result<Json<Reacted>, ApiError> {
    react(call, &id, Reaction::Bookmark, true).await
}

/// Removes a bookmark.
pub async fn unbookmark(call: Call, Segment(id): Segment) -> Result<Json<Reacted>, ApiError> {
    react(call, &id, Reaction::Bookmark, false).await
}

async fn react(call: Call, id: &str, reaction: Reaction, on: bool) -> Result<Json<Reacted>, ApiError> {
    let id = post_id(id)?;
    let mut reply = call.run(reaction.set(on, &id, &call.actor, &call.moment())).await?;
    Ok(Json(Reacted { reaction, on, changed: reply.flag()?, count: reply.integer()? }))
}
