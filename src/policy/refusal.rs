//! Why a command is not run.

use super::{acl::Denied, command_table::Entry, commands::wrong_arity};

/// The text that stands in the command's place, and whose fault it is.
#[derive(Debug)]
pub enum Refusal {
    /// The caller may not run it. Such are counted: a key with many of them is used for what it is not for.
    Denied(String),
    /// It is not as such a command must be.
    Wrong(String),
}

impl Refusal {
    /// The caller may not run it.
    pub fn denied(text: impl Into<String>) -> Self {
        Self::Denied(text.into())
    }

    /// It has too few or too many words.
    pub fn arity(entry: &Entry) -> Self {
        Self::Wrong(wrong_arity(entry))
    }

    /// It has no words at all.
    pub fn empty() -> Self {
        Self::Wrong("ERR empty command".to_owned())
    }

    /// What stands in the command's place.
    pub fn into_text(self) -> String {
        let (Self::Denied(text) | Self::Wrong(text)) = self;
        text
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
