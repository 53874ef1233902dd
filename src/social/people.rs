//! Pages of users, as others see them.

use serde::Serialize;

use super::{
    page::Pagination,
    privacy::{Privacy, Viewer},
    profile::Profile,
};
use crate::redis::{Elements, Failure, Reply};

/// A page of users.
#[derive(Serialize)]
pub struct People {
    users: Vec<Profile>,
    pagination: Pagination,
}

impl People {
    /// The users that a script has read, and what it said of the page.
    ///
    /// # Errors
    /// When the reply is none of a script of ours.
    pub fn read(reply: &mut Elements, mut pagination: Pagination, privacy: &Privacy) -> Result<Self, Failure> {
        let users: Vec<Profile> = scored(reply, privacy)?.into_iter().map(|(_, profile)| profile).collect();
        pagination.count = users.len();
        Ok(Self { users, pagination })
    }
}

/// The users that a script has read, each with its score in the list.
///
/// # Errors
/// When the reply is none of a script of ours.
pub fn scored(reply: &mut Elements, privacy: &Privacy) -> Result<Vec<(Reply, Profile)>, Failure> {
    let read = |reply| {
        let mut parts = Elements::of(reply)?;
        let score = parts.reply()?;
        let profile = Profile::from_reply(parts.reply()?, privacy, Viewer::Other)?;
        Ok((score, profile.ok_or(Failure::Nonsense("a profile without a name"))?))
    };
    reply.array()?.into_iter().map(read).collect()
}
