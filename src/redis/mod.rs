//! Redis, as the rest of the application sees it: commands go out in a [`Pipeline`] or a [`Script`] call, replies come
//! back in order, one round trip each.
//!
//! [`Port`] is the one door to a server. Two backends stand behind it, [`upstash`] (REST) and [`tcp`] (RESP), and
//! neither knows about retries, deadlines or counting: that is [`Redis`]'s, once for both.

pub mod address;
mod client;
mod command;
mod failure;
mod reply;
pub mod resp;
mod script;
pub mod tcp;
pub mod upstash;

pub use address::Address;
pub use client::{Client, Progress, Redis, Safety};
pub use command::{Command, Pipeline};
pub use failure::Failure;
pub use reply::{Elements, Reply, Text};
pub use script::{Invocation, Script};

use crate::host::BoxFuture;

/// A server that answers pipelines.
pub trait Port: Send + Sync {
    /// Sends the commands in one round trip and returns one reply a command, in order. A command that fails is an
    /// [`Reply::Error`] in its place.
    ///
    /// # Errors
    /// A [`Failure`] when there are no replies to return. `progress` says whether the server may have seen the
    /// commands, also when the returned future is dropped half-way.
    fn send<'a>(&'a self, pipeline: &'a Pipeline, progress: &'a Progress)
    -> BoxFuture<'a, Result<Vec<Reply>, Failure>>;
}
