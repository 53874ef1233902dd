//! Why a command of a batch is not run.

use crate::{
    edge::Context,
    policy::{acl::Denied, command_table::Entry, commands::wrong_arity},
    redis::Reply,
};

/// The text that stands in the command's place, and whose fault it is.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The caller may not run it. Such are counted: a key with many of them is used for what it is not for.
    Denied(String),
    /// It is not as such a command must be.
    Wrong(String),
}

impl Refusal {
    /// The caller may not run it.
    pub(super) fn denied(text: impl Into<String>) -> Self {
        Self::Denied(text.into())
    }

    /// It has too few or too many words.
    pub(super) fn arity(entry: &Entry) -> Self {
        Self::Wrong(wrong_arity(entry))
    }

    /// It has no words at all.
    pub(super) fn empty() -> Self {
        Self::Wrong("ERR empty command".to_owned())
    }

    /// What stands in the command's place. That it was denied is noted.
    pub(super) fn into_reply(self, context: &Context) -> Reply {
        match self {
            Self::Denied(text) => {
                context.note_denials(1);
                Reply::Error(text)
            }
            Self::Wrong(text) => Reply::Error(text),
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let text = denied.to_string();
        match denied {
            Denied::Arity(_) => Self::Wrong(text),
            Denied::Command(_) | Denied::Key | Denied::Channel => Self::Denied(text),
        }
    }
}
