//! One item that a backend syncs: what it says, the call that makes it so, and what became of it.

use std::str::FromStr;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    auth::Username,
    config::Config,
    edge::fields::{FieldError, Fields},
    error::ApiError,
    redis::{Elements, Failure, Invocation, Reply},
    social::{
        actor::{Actor, Moment},
        draft::{Draft, Storing},
        follows,
        ids::PostId,
        outcome::{self, Refusal},
        posts,
        reactions::Reaction,
        users::{self, Applying, Changes},
    },
};

/// What items are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Profiles: `username`, and what else is known.
    Users,
    /// Posts: `id? username content media_url? hashtags? created_at?`.
    Posts,
    /// Follows: `follower following created_at?`.
    Follows,
    /// Likes: `username post_id created_at?`.
    Likes,
    /// Bookmarks: `username post_id created_at?`.
    Bookmarks,
}

impl FromStr for Kind {
    type Err = ApiError;
    fn from_str(name: &str) -> Result<Self, ApiError> {
        match name {
            "users" => Ok(Self::Users),
            "posts" => Ok(Self::Posts),
            "follows" => Ok(Self::Follows),
            "likes" => Ok(Self::Likes),
            "bookmarks" => Ok(Self::Bookmarks),
            _ => Err(ApiError::NotFound),
        }
    }
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was not there, and is now.
    Created,
    /// It was there, and is different now.
    Updated,
    /// It was as it is.
    Unchanged,
    /// It was there, and is no longer.
    Deleted,
}

/// A call that makes an item so, and how its reply is read.
pub struct Change {
    /// The call.
    pub invocation: Invocation,
    /// How what it did is read.
    pub reading: Reading,
}

/// How a script says what it did.
#[derive(Clone, Copy)]
pub enum Reading {
    /// By the status and, for a profile, whether it is all done.
    Status,
    /// By whether there was something to turn on.
    On,
    /// By whether there was something to turn off.
    Off,
    /// By whether all of it is gone yet.
    Deletion,
}

impl Change {
    /// What an item asks for. `deleted` may be said by the item or by the event that it came with.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn of(
        kind: Kind,
        mut fields: Fields<'_>,
        deleted: bool,
        moment: &Moment,
        config: &Config,
    ) -> Result<Self, FieldError> {
        let deleted = fields.flag("deleted")? || deleted;
        match kind {
            Kind::Users => user(fields, deleted, moment, config),
            Kind::Posts => post(&mut fields, deleted, moment),
            Kind::Follows => follow(&mut fields, deleted, moment),
            Kind::Likes => reaction(Reaction::Like, &mut fields, deleted, moment),
            Kind::Bookmarks => reaction(Reaction::Bookmark, &mut fields, deleted, moment),
        }
    }
}

impl Reading {
    /// What became of the item.
    ///
    /// # Errors
    /// When the reply is none of a script of ours.
    pub fn outcome(self, reply: Reply) -> Result<Result<Applied, Refusal>, Failure> {
        let mut reply = match outcome::read(reply)? {
            Ok(reply) => reply,
            // It is as it should be: sent twice, a deletion must not be an error.
            Err(Refusal::Absent) => return Ok(Ok(Applied::whole(Status::Unchanged))),
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(match self {
            Self::Status => Applied { status: read_status(&mut reply)?, leaves_work: leaves_work(reply) },
            Self::Deletion => Applied { status: Status::Deleted, leaves_work: leaves_work(reply) },
            Self::On | Self::Off if !reply.flag()? => Applied::whole(Status::Unchanged),
            Self::On => Applied::whole(Status::Created),
            Self::Off => Applied::whole(Status::Deleted),
        }))
    }
}

/// What became of an item that was not refused.
#[derive(Clone, Copy)]
pub struct Applied {
    /// What it is now.
    pub status: Status,
    /// Whether a job is left behind.
    pub leaves_work: bool,
}

impl Applied {
    fn whole(status: Status) -> Self {
        Self { status, leaves_work: false }
    }
}

/// A script that may leave work says `''` if it did.
fn leaves_work(mut rest: Elements) -> bool {
    rest.next().is_some_and(|done| done.as_bytes().is_some_and(Bytes::is_empty))
}

fn read_status(reply: &mut Elements) -> Result<Status, Failure> {
    match reply.text()?.as_str() {
        "created" => Ok(Status::Created),
        "updated" => Ok(Status::Updated),
        "unchanged" => Ok(Status::Unchanged),
        _ => Err(Failure::Nonsense("an unknown status")),
    }
}

fn username(fields: &mut Fields<'_>, name: &str) -> Result<Username, FieldError> {
    fields.required(name)?.parse().map_err(|problem| FieldError(format!("Field '{name}': {problem}")))
}

fn id(name: &str, text: &str) -> Result<PostId, FieldError> {
    text.parse().map_err(|problem| FieldError(format!("Field '{name}': {problem}")))
}

/// The same moment, but when the item says that it happened.
fn at(fields: &mut Fields<'_>, moment: &Moment) -> Result<Moment, FieldError> {
    let now_ms = fields.time("created_at")?.unwrap_or(moment.now_ms);
    Ok(Moment { now_ms, event: moment.event.clone() })
}

fn user(mut fields: Fields<'_>, deleted: bool, moment: &Moment, config: &Config) -> Result<Change, FieldError> {
    let username = username(&mut fields, "username")?;
    let actor = Actor::backend(username.clone());
    if deleted {
        let invocation = users::deletion(&username, &actor, moment);
        return Ok(Change { invocation, reading: Reading::Deletion });
    }
    let invocation =
        Changes::take(fields, &username, &config.editable_fields)?.apply(Applying::Merge, &username, &actor, moment);
    Ok(Change { invocation, reading: Reading::Status })
}

fn post(fields: &mut Fields<'_>, deleted: bool, moment: &Moment) -> Result<Change, FieldError> {
    if deleted {
        let id = id("id", &fields.required("id")?)?;
        // Whose post it is does not matter to a backend; the script asks for a name all the same.
        let invocation = posts::deletion(&id, &Actor::backend(Username::sync_user()), moment);
        return Ok(Change { invocation, reading: Reading::Deletion });
    }
    let author = Actor::backend(username(fields, "username")?);
    let given = fields.text("id")?;
    let draft = Draft::take(fields)?;
    let created_at = fields.time("created_at")?;
    let id = given.map_or_else(|| Ok(draft.derived_id(&author, created_at)), |text| id("id", &text))?;
    let invocation = draft.store(&author, &id, &Storing::Sync { created_at }, moment);
    Ok(Change { invocation, reading: Reading::Status })
}

fn follow(fields: &mut Fields<'_>, deleted: bool, moment: &Moment) -> Result<Change, FieldError> {
    let (follower, followed) = (username(fields, "follower")?, username(fields, "following")?);
    if follower == followed {
        return Err(FieldError("Field 'following' must be another user than 'follower'".to_owned()));
    }
    let moment = at(fields, moment)?;
    let invocation = follows::set(!deleted, &Actor::backend(follower), &followed, &moment);
    Ok(Change { invocation, reading: if deleted { Reading::Off } else { Reading::On } })
}

fn reaction(reaction: Reaction, fields: &mut Fields<'_>, deleted: bool, moment: &Moment) -> Result<Change, FieldError> {
    let actor = Actor::backend(username(fields, "username")?);
    let id = id("post_id", &fields.required("post_id")?)?;
    let moment = at(fields, moment)?;
    let invocation = reaction.set(!deleted, &id, &actor, &moment);
    Ok(Change { invocation, reading: if deleted { Reading::Off } else { Reading::On } })
}
