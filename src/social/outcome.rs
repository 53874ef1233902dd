//! What the scripts answer: a tag, then what belongs to it. This is the one table from a refusal's tag to what it means.

use thiserror::Error;

use crate::{
    error::ApiError,
    redis::{Elements, Failure, Reply},
};

/// Why a script did nothing.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The user, or the caller's own profile, is not there.
    #[error("User not found")]
    NoUser,
    /// The post is not there, or not for the caller to know of.
    #[error("Post not found")]
    NoPost,
    /// The comment is not there, or not for the caller to know of.
    #[error("Comment not found")]
    NoComment,
    /// It is somebody else's.
    #[error("Only its owner or an administrator may do this")]
    Forbidden,
    /// The post is banned, and the caller may know it.
    #[error("The post is banned")]
    Banned,
    /// The user follows as many as one may.
    #[error("A user can follow at most {} others", super::follows::MOST_FOLLOWED)]
    Full,
    /// What had this name is still being deleted.
    #[error("What had this name before is still being deleted, try again later")]
    Deleting,
    /// The post belongs to another user.
    #[error("The post belongs to another user")]
    NotYours,
    /// What a backend wants gone is not there.
    #[error("There is nothing to delete")]
    Absent,
    /// The event was applied before.
    #[error("The event was applied before")]
    Seen,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoUser => Self::UserNotFound,
            Refusal::NoPost => Self::PostNotFound,
            Refusal::NoComment => Self::CommentNotFound,
            Refusal::Forbidden => Self::Forbidden(refusal.to_string().into()),
            Refusal::Banned
            | Refusal::Full
            | Refusal::Deleting
            | Refusal::NotYours
            | Refusal::Absent
            | Refusal::Seen => Self::Conflict(refusal.to_string().into()),
        }
    }
}

/// What follows the tag `ok`, or the refusal.
///
/// # Errors
/// When the reply is none of a script of ours.
pub fn read(reply: Reply) -> Result<Result<Elements, Refusal>, Failure> {
    let mut elements = Elements::of(reply)?;
    let refusal = match elements.text()?.as_str() {
        "ok" => return Ok(Ok(elements)),
        "no_user" => Refusal::NoUser,
        "no_post" => Refusal::NoPost,
        "no_comment" => Refusal::NoComment,
        "forbidden" => Refusal::Forbidden,
        "banned" => Refusal::Banned,
        "full" => Refusal::Full,
        "deleting" => Refusal::Deleting,
        "not_yours" => Refusal::NotYours,
        "absent" => Refusal::Absent,
        "seen" => Refusal::Seen,
        _ => return Err(Failure::Nonsense("an unknown tag")),
    };
    Ok(Err(refusal))
}

/// What follows the tag `ok`, for a route whose refusals are the answer.
///
/// # Errors
/// The refusal, or what Redis failed with.
pub fn accept(reply: Reply) -> Result<Elements, ApiError> {
    Ok(read(reply)??)
}
