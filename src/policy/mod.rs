//! What a caller may do in Redis.
//!
//! [`allowed`] is the engine: a door's own rules, then the ACL of the caller's key, and only what has passed both can be sent.
//! [`command_table`] knows every command of a real server, [`command_keys`] which words of one are keys. By them [`acl`]
//! judges what an API key may do at all. [`namespaces`] says which keys are whose, and when they expire. [`commands`] says which
//! commands each proxy lets through, [`keys`] which keys, [`profile`] which fields of a user's profile; [`refused`] which commands
//! the gateway runs for nobody.

pub mod acl;
pub mod allowed;
pub mod command_keys;
pub(crate) mod command_options;
pub mod command_table;
pub mod commands;
pub(crate) mod glob;
mod key_layouts;
pub mod keys;
pub mod namespaces;
pub mod profile;
pub mod refusal;
pub mod refused;
mod table;

use std::str::FromStr;

pub use allowed::{Allowed, Policy};
pub use commands::{ReadCommands, WriteCommands};
pub use refusal::Refusal;

/// Who makes users: any first sync, or only the routes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WritePolicy {
    /// The first sync of a user may set protected fields.
    #[default]
    FirstSync,
    /// No write through the proxy sets a protected field.
    Strict,
}

impl FromStr for WritePolicy {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "strict" => Ok(Self::Strict),
            "first-sync" => Ok(Self::FirstSync),
            _ => Err("must be strict or first-sync"),
        }
    }
}

/// What the two proxies let through.
#[derive(Clone, Debug, Default)]
pub struct ProxyPolicy {
    /// Commands of `POST /`.
    pub read: ReadCommands,
    /// Commands of `POST /redis/write`.
    pub write: WriteCommands,
    /// Who makes users.
    pub write_policy: WritePolicy,
}

impl ProxyPolicy {
    /// The policy that the variables describe; each absent part has its default.
    pub fn read(read: Option<ReadCommands>, write: Option<WriteCommands>, write_policy: Option<WritePolicy>) -> Self {
        Self {
            read: read.unwrap_or_default(),
            write: write.unwrap_or_default(),
            write_policy: write_policy.unwrap_or_default(),
        }
    }
}
