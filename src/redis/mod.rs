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

/// What the gateway asks for: commands, and how they are to be run and answered.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The commands.
    pub pipeline: &'a Pipeline,
    /// Whether they are one transaction.
    pub atomic: bool,
    /// Whether strings must come as the bytes that they are, also where text would be easier to have.
    pub exact: bool,
    /// The token of an earlier answer: what was written before it must be seen.
    pub sync_token: Option<&'a str>,
}

/// What the gateway is told.
pub struct Told {
    /// One reply a command, in order; or why the transaction was discarded, and nothing was run.
    pub replies: Result<Vec<Reply>, String>,
    /// The token for later requests, where the server gives one.
    pub sync_token: Option<String>,
}

/// How a server is reached: what the gateway must know to pass on what it need not understand.
pub enum Backend<'a> {
    /// Over RESP.
    Tcp(&'a tcp::Tcp),
    /// Over REST.
    Rest(&'a upstash::Upstash),
}

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

    /// How the server is reached, for the gateway. A port without an answer takes pipelines only.
    fn backend(&self) -> Option<Backend<'_>> {
        None
    }
}
