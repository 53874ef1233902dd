//! The engine of every policy: what a caller's words must pass before they may be sent.
//!
//! Each door of Ridge has its own [`Policy`]: `POST /`, `POST /redis/write` and the gateway. The ACL of the caller's key is
//! the same for all. An [`Allowed`] is made here only, and of all that a caller can say nothing else becomes a
//! [`Command`](crate::redis::Command).

use super::{
    Refusal,
    acl::{Acl, Passed},
    command_table::Entry,
};
use crate::edge::batch::Words;

/// What one door lets through.
pub trait Policy {
    /// The command that the words call, `None` if the table does not have it. A key may be written out on the way, where
    /// the caller's own words only stand for it.
    ///
    /// # Errors
    /// Why it is not sent.
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, Refusal>;
}

/// A command of a caller's that may be sent.
#[derive(Debug)]
pub struct Allowed {
    words: Words,
    entry: Option<&'static Entry>,
    passed: Passed,
}

impl Allowed {
    /// The verdict of a door's policy and a key's ACL.
    ///
    /// # Errors
    /// Why it is not sent.
    pub fn judge(policy: &impl Policy, acl: Option<&Acl>, mut words: Words) -> Result<Self, Refusal> {
        let entry = policy.admit(&mut words)?;
        let passed = match acl {
            None => Passed::Whole,
            Some(acl) => acl.check_entry(entry, &words)?,
        };
        Ok(Self { words, entry, passed })
    }

    /// The command, if the table has it.
    pub fn entry(&self) -> Option<&'static Entry> {
        self.entry
    }

    /// The name, then the arguments.
    pub fn words(&self) -> &[bytes::Bytes] {
        &self.words
    }

    /// Whether keys must be taken out of its answer.
    pub fn is_filtered(&self) -> bool {
        self.passed == Passed::Filtered
    }

    /// Its words, to be sent.
    pub fn into_words(self) -> Words {
        self.words
    }
}
