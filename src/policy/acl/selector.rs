//! One selector: which commands, which keys and which channels it lets through. All three must be the same selector's.

use super::{Denial, stricter};
use crate::policy::{
    command_keys::{Key, Malformed},
    command_table::{Entry, NO_AUTH},
    glob,
};

/// A rule about commands. Of all that are about a command the last one counts.
#[derive(Clone, Debug)]
pub(super) struct CommandRule {
    pub(super) allows: bool,
    pub(super) about: Commands,
}

/// Which commands a rule is about.
#[derive(Clone, Debug)]
pub(super) enum Commands {
    /// All, also those that are in no table.
    All,
    /// Those of a category, with all subcommands of such a command.
    Category(u32),
    /// One, with its subcommands; or one subcommand.
    One(&'static Entry),
    /// One, if its first argument is this.
    FirstArgument(&'static Entry, Box<str>),
}

impl Commands {
    fn are_with(&self, entry: &Entry, family: Option<&Entry>, argument: Option<&[u8]>) -> bool {
        match self {
            Self::All => true,
            Self::Category(category) => entry.is_in(*category) || family.is_some_and(|family| family.is_in(*category)),
            Self::One(one) => *one == entry || Some(*one) == family,
            Self::FirstArgument(one, first) => {
                *one == entry && argument.is_some_and(|word| word.eq_ignore_ascii_case(first.as_bytes()))
            }
        }
    }
}

/// A pattern of keys, and what may be done to them.
#[derive(Clone, Debug)]
pub(super) struct KeyPattern {
    pub(super) pattern: Box<[u8]>,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

impl KeyPattern {
    fn allows(&self, key: &[u8], reads: bool, writes: bool) -> bool {
        self.permits(reads, writes) && glob::matches(&self.pattern, key)
    }

    fn permits(&self, reads: bool, writes: bool) -> bool {
        (self.reads || !reads) && (self.writes || !writes)
    }
}

/// A selector. A new one lets nothing through.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    pub(super) commands: Vec<CommandRule>,
    pub(super) all_keys: bool,
    pub(super) keys: Vec<KeyPattern>,
    pub(super) all_channels: bool,
    pub(super) channels: Vec<Box<[u8]>>,
}

/// What is asked for: a command of the table with its words and its keys.
pub(super) struct Request<'a, W> {
    pub(super) entry: &'static Entry,
    pub(super) words: &'a [W],
    pub(super) keys: &'a Result<Vec<Key>, Malformed>,
}

impl Selector {
    /// Whether a command with these words passes.
    pub(super) fn check<W: AsRef<[u8]>>(&self, request: &Request<'_, W>) -> Result<(), Denial> {
        let argument = request.words.get(1).map(AsRef::as_ref);
        if !self.allows_command(request.entry, argument) {
            return Err(Denial::Command);
        }
        if !self.all_keys && !self.allows_keys(request) {
            return Err(Denial::Key);
        }
        if self.allows_channels(request) { Ok(()) } else { Err(Denial::Channel) }
    }

    pub(super) fn allows_command(&self, entry: &Entry, argument: Option<&[u8]>) -> bool {
        let family = entry.parent();
        let rule = self.commands.iter().rev().find(|rule| rule.about.are_with(entry, family, argument));
        entry.is(NO_AUTH) || rule.is_some_and(|rule| rule.allows)
    }

    /// Whether every command passes, also one that is in no table, whatever its keys and channels are.
    pub(super) fn allows_everything(&self) -> bool {
        let last = self.commands.iter().rev().find(|rule| !rule.allows || matches!(rule.about, Commands::All));
        self.all_keys && self.all_channels && last.is_some_and(|rule| rule.allows)
    }

    /// `~*`, in whatever way it was written.
    pub(super) fn has_all_keys(&self) -> bool {
        self.all_keys || self.keys.iter().any(|key| key.reads && key.writes && *key.pattern == *b"*")
    }

    pub(super) fn allows_key(&self, key: &[u8], reads: bool, writes: bool) -> bool {
        self.all_keys || self.keys.iter().any(|pattern| pattern.allows(key, reads, writes))
    }

    /// Whether one pattern allows every key that begins with `prefix`.
    pub(super) fn allows_all(&self, prefix: &[u8], reads: bool, writes: bool) -> bool {
        let allows =
            |key: &KeyPattern| key.permits(reads, writes) && glob::matches_whatever_follows(&key.pattern, prefix);
        self.all_keys || self.keys.iter().any(allows)
    }

    /// Whether some key that begins with `prefix` may be read.
    pub(super) fn may_read_beginning(&self, prefix: &[u8]) -> bool {
        let allows = |key: &KeyPattern| key.permits(true, false) && glob::may_match_beginning(&key.pattern, prefix);
        self.all_keys || self.keys.iter().any(allows)
    }

    fn allows_keys<W: AsRef<[u8]>>(&self, request: &Request<'_, W>) -> bool {
        if stricter::needs_all_keys(request.entry, request.words) && !self.has_all_keys() {
            return false;
        }
        let Ok(keys) = request.keys else { return false };
        keys.iter().all(|key| {
            request.words.get(key.position).is_some_and(|word| self.allows_key(word.as_ref(), key.reads, key.writes))
        })
    }

    fn allows_channels<W: AsRef<[u8]>>(&self, request: &Request<'_, W>) -> bool {
        let (end, is_pattern) = match request.entry.name {
            "PUBLISH" | "SPUBLISH" => (2, false),
            "SUBSCRIBE" | "SSUBSCRIBE" => (usize::MAX, false),
            "PSUBSCRIBE" => (usize::MAX, true),
            _ => return true,
        };
        let mut channels = request.words.iter().take(end).skip(1).map(AsRef::as_ref);
        channels.all(|channel| self.allows_channel(channel, is_pattern))
    }

    /// A channel matches a pattern, a pattern must be one. Those on which Redis tells what happens to keys need all keys.
    fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        if stricter::tells_of_keys(channel, is_pattern) && !self.has_all_keys() {
            return false;
        }
        let is_allowed = |allowed: &[u8]| if is_pattern { allowed == channel } else { glob::matches(allowed, channel) };
        self.all_channels || self.channels.iter().any(|allowed| is_allowed(allowed))
    }
}
