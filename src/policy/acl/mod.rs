//! What an API key may do: rules in Redis's own ACL syntax, and the verdict on a command.
//!
//! ```text
//! ~nextauth:* %R~shared:* &chat:* +@read +@write -@dangerous +ttl (~queue:* +lpush)
//! ```
//!
//! Everything is denied that no rule allows. Of all rules about a command the last one counts, as in Redis; `parse.rs` lists
//! what may be written. A verdict is what `ACL DRYRUN` of the table's Redis says, with `NOPERM` in front, but for where Ridge
//! is stricter on purpose: [`stricter`] lists that and why.
//!
//! Who holds which ACL, and how a refusal is answered, is not known here; nor is what is in Redis: a verdict goes by the
//! words alone.

mod parse;
mod selector;
pub mod stricter;

use thiserror::Error;

pub use parse::AclError;
use selector::{Request, Selector};

use super::{
    command_keys::keys_of,
    command_table::{CONTAINER, Entry, find, lookup},
};

/// The rules for one API key.
#[derive(Clone, Debug)]
pub struct Acl {
    /// At least one: the rules outside of parentheses. A command passes if any of them lets it through.
    selectors: Vec<Selector>,
}

/// How a command passed.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// As it is.
    Whole,
    /// Its answer names keys: those that [`Acl::may_list_key`] denies must be taken out of it.
    Filtered,
}

/// Why a command did not pass. The text is the one that Redis answers.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Denied {
    /// It has too few or too many words. Redis says so before it asks any ACL.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// The command, or one that the table does not have.
    #[error("NOPERM this user has no permissions to run the '{0}' command")]
    Command(String),
    /// One of its keys, or all keys where it needs all.
    #[error("NOPERM this user has no permissions to access one of the keys used as arguments")]
    Key,
    /// One of its channels.
    #[error("NOPERM this user has no permissions to access one of the channels used as arguments")]
    Channel,
}

/// What a selector refuses. Of several selectors the one counts that got furthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Denial {
    Command,
    Key,
    Channel,
}

impl Acl {
    /// Reads rules, separated by blanks.
    ///
    /// # Errors
    /// The rule that is wrong, and why. A rule that may hold a password is told by its number only.
    pub fn parse(rules: &str) -> Result<Self, AclError> {
        parse::selectors(rules).map(|selectors| Self { selectors })
    }

    /// The verdict on a command, from its name to its last argument.
    ///
    /// # Errors
    /// What keeps the command from being sent.
    pub fn check<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Passed, Denied> {
        self.check_entry(lookup(words), words)
    }

    /// The verdict on a command that has been looked up: `entry` is what [`lookup`] says of the words.
    ///
    /// # Errors
    /// What keeps the command from being sent.
    pub fn check_entry<W: AsRef<[u8]>>(&self, entry: Option<&'static Entry>, words: &[W]) -> Result<Passed, Denied> {
        let Some(entry) = entry else {
            // What it does and which words are its keys, nobody knows.
            let everything = self.selectors.iter().any(Selector::allows_everything);
            return if everything { Ok(Passed::Whole) } else { Err(Denied::Command(name_of_unknown(words))) };
        };
        if !entry.takes(words.len()) {
            return Err(Denied::Arity(entry.full_name()));
        }
        let keys = keys_of(entry, words);
        let request = Request { entry, words, keys: &keys };
        let mut furthest = Denial::Command;
        for selector in &self.selectors {
            match selector.check(&request) {
                Ok(()) if entry.name == SCAN && !selector.has_all_keys() => return Ok(Passed::Filtered),
                Ok(()) => return Ok(Passed::Whole),
                Err(denial) => furthest = furthest.max(denial),
            }
        }
        Err(match furthest {
            Denial::Command => Denied::Command(entry.full_name()),
            Denial::Key => Denied::Key,
            Denial::Channel => Denied::Channel,
        })
    }

    /// Whether a list of keys may hold this one: whether the rules that allow `SCAN` allow to read it, too.
    pub fn may_list_key(&self, key: &[u8]) -> bool {
        self.listing().any(|selector| selector.allows_key(key, true, false))
    }

    /// Whether a list of keys may hold some that begin with `prefix`. Errs towards yes.
    pub fn may_list_some(&self, prefix: &[u8]) -> bool {
        self.listing().any(|selector| selector.may_read_beginning(prefix))
    }

    /// Whether a list of keys may hold every one that begins with `prefix`. Errs towards no.
    pub fn may_list_all(&self, prefix: &[u8]) -> bool {
        self.listing().any(|selector| selector.allows_all(prefix, true, false))
    }

    /// Whether a command that takes one key, as its last argument, passes with every key that begins with `prefix`. Errs
    /// towards no: one pattern of one selector must say so.
    pub fn passes_with_all(&self, command: &[&str], prefix: &[u8]) -> bool {
        let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).chain([prefix]).collect();
        let Some(entry) = lookup(&words) else { return false };
        let Ok(keys) = keys_of(entry, &words) else { return false };
        self.selectors.iter().any(|selector| {
            selector.allows_command(entry, words.get(1).copied())
                && keys.iter().all(|key| selector.allows_all(prefix, key.reads, key.writes))
        })
    }

    /// The selectors that allow `SCAN`.
    fn listing(&self) -> impl Iterator<Item = &Selector> {
        let scan = find(SCAN.as_bytes());
        self.selectors.iter().filter(move |selector| scan.is_some_and(|scan| selector.allows_command(scan, None)))
    }
}

/// The command that lists keys bit by bit.
const SCAN: &str = "SCAN";

/// How a command that the table does not have is called in a refusal. Not longer than any name is.
fn name_of_unknown<W: AsRef<[u8]>>(words: &[W]) -> String {
    const LONGEST: usize = 64;
    let is_family = words.first().and_then(|word| find(word.as_ref())).is_some_and(|entry: &Entry| entry.is(CONTAINER));
    let mut name = Vec::new();
    for word in words.iter().take(if is_family { 2 } else { 1 }) {
        if !name.is_empty() {
            name.push(b'|');
        }
        name.extend_from_slice(word.as_ref().get(..LONGEST).unwrap_or(word.as_ref()));
    }
    name.make_ascii_lowercase();
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests;
