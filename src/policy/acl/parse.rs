//! From text to rules.
//!
//! | rule | means |
//! |---|---|
//! | `+get` `-get` `+config\|get` `-config\|get` | a command with its subcommands, or one subcommand |
//! | `+select\|0` | a command without subcommands, if that is its first argument |
//! | `+@read` `-@read` | a category; `ACL CAT` lists them |
//! | `+@all` `allcommands` `-@all` `nocommands` | all commands; forgets all rules before |
//! | `~p` `%RW~p` `%R~p` `%W~p` | keys of a pattern: to read and write, or one of the two |
//! | `~*` `allkeys`, `resetkeys` | all keys, none |
//! | `&p`, `&*` `allchannels`, `resetchannels` | channels of a pattern, all, none |
//! | `(…)` | one more selector, with rules of its own; the others' do not count in it |
//! | `clearselectors` | forgets those |
//!
//! What an ACL says of logging in (`on`, passwords) means nothing for an API key and is refused, and so is `reset`: there is
//! nothing before it. A rule that Redis refuses is refused. Patterns inside parentheses are not quoted.

use thiserror::Error;

use super::selector::{CommandRule, Commands, KeyPattern, Selector};
use crate::policy::command_table::{CONTAINER, Entry, category, find};

/// A rule that is wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("rule {number}{}: {problem}", rule.as_ref().map(|rule| format!(" '{rule}'")).unwrap_or_default())]
pub struct AclError {
    /// Which of the rules, from 1.
    pub number: usize,
    /// The rule, if it can be no password.
    pub rule: Option<String>,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// What a rule begins with that is surely no password.
const PLAIN: [char; 5] = ['+', '-', '~', '%', '&'];
/// How much of a rule is told.
const LONGEST_TOLD: usize = 64;

impl AclError {
    fn new(number: usize, rule: &str, problem: &'static str) -> Self {
        let end = rule.floor_char_boundary(LONGEST_TOLD);
        let told = rule.get(..end).filter(|_| rule.starts_with(PLAIN));
        Self { number, rule: told.map(str::to_owned), problem }
    }
}

/// The selectors that rules describe; the first holds the rules outside of parentheses.
pub(super) fn selectors(rules: &str) -> Result<Vec<Selector>, AclError> {
    let mut selectors = vec![Selector::default()];
    // Which rule opened the parenthesis that is open.
    let mut open = None;
    for (number, word) in (1..).zip(rules.split_ascii_whitespace()) {
        let mut rule = word;
        if let (None, Some(inner)) = (open, word.strip_prefix('(')) {
            selectors.push(Selector::default());
            (open, rule) = (Some(number), inner);
        }
        let applied = match open {
            None if rule.eq_ignore_ascii_case("clearselectors") => {
                selectors.truncate(1);
                Ok(())
            }
            None => selectors.first_mut().map_or(Ok(()), |root| root.apply(rule)),
            Some(_) => {
                let last_rule = rule.strip_suffix(')');
                open = open.filter(|_| last_rule.is_none());
                selectors.last_mut().map_or(Ok(()), |selector| selector.apply_inside(last_rule.unwrap_or(rule)))
            }
        };
        applied.map_err(|problem| AclError::new(number, word, problem))?;
    }
    match open {
        Some(number) => Err(AclError { number, rule: None, problem: "the parenthesis is not closed" }),
        None => Ok(selectors),
    }
}

const NO_SUCH_COMMAND: &str = "there is no such command";
const NO_SUCH_CATEGORY: &str = "there is no such category";
const NOT_A_RULE: &str = "is not a rule for an API key";
const LOGIN: &str = "is about logging in, which an API key does not do";
const AFTER_ALL_KEYS: &str = "has no effect after a rule for all keys";
const AFTER_ALL_CHANNELS: &str = "has no effect after a rule for all channels";
const PERMISSION: &str = "must be %R~, %W~ or %RW~ and a pattern";
const BLANK: &str = "a pattern cannot hold blanks or NUL";
const QUOTED: &str = "a pattern in parentheses cannot be quoted";
const ARGUMENT: &str = "needs a subcommand or argument after the |, and not more than one";

/// Rules of Redis that say who may log in, or take everything back.
const ACCOUNT: [&str; 7] = ["on", "off", "nopass", "resetpass", "reset", "sanitize-payload", "skip-sanitize-payload"];

impl Selector {
    /// A rule in parentheses; between one and its neighbour there may be nothing.
    fn apply_inside(&mut self, rule: &str) -> Result<(), &'static str> {
        match rule {
            "" => Ok(()),
            _ if rule.bytes().any(|byte| matches!(byte, b'"' | b'\'')) => Err(QUOTED),
            _ => self.apply(rule),
        }
    }

    fn apply(&mut self, rule: &str) -> Result<(), &'static str> {
        match rule.to_ascii_lowercase().as_str() {
            "allkeys" | "~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            "resetkeys" => {
                self.all_keys = false;
                self.keys.clear();
            }
            "allchannels" | "&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            "resetchannels" => {
                self.all_channels = false;
                self.channels.clear();
            }
            "allcommands" | "+@all" => self.all_commands(true),
            "nocommands" | "-@all" => self.all_commands(false),
            word if ACCOUNT.contains(&word) => return Err(LOGIN),
            _ => return self.apply_prefixed(rule),
        }
        Ok(())
    }

    fn apply_prefixed(&mut self, rule: &str) -> Result<(), &'static str> {
        let Some((kind, rest)) = rule.split_at_checked(1) else { return Err(NOT_A_RULE) };
        match kind {
            "~" => self.allow_keys(rest, true, true),
            "%" => {
                let (permission, pattern) = rest.split_once('~').ok_or(PERMISSION)?;
                match permission.to_ascii_uppercase().as_str() {
                    "R" => self.allow_keys(pattern, true, false),
                    "W" => self.allow_keys(pattern, false, true),
                    "RW" | "WR" => self.allow_keys(pattern, true, true),
                    _ => Err(PERMISSION),
                }
            }
            "&" if self.all_channels => Err(AFTER_ALL_CHANNELS),
            "&" => {
                self.channels.push(pattern(rest)?);
                Ok(())
            }
            "+" | "-" => {
                let about = match rest.strip_prefix('@') {
                    Some(name) => Commands::Category(category(name).ok_or(NO_SUCH_CATEGORY)?),
                    None => commands(rest, kind == "+")?,
                };
                self.commands.push(CommandRule { allows: kind == "+", about });
                Ok(())
            }
            ">" | "<" | "#" | "!" => Err(LOGIN),
            _ => Err(NOT_A_RULE),
        }
    }

    fn all_commands(&mut self, allows: bool) {
        self.commands.clear();
        self.commands.push(CommandRule { allows, about: Commands::All });
    }

    fn allow_keys(&mut self, text: &str, reads: bool, writes: bool) -> Result<(), &'static str> {
        if self.all_keys {
            return Err(AFTER_ALL_KEYS);
        }
        let pattern = pattern(text)?;
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            // To read in one rule and to write in another is both.
            Some(known) => (known.reads, known.writes) = (known.reads || reads, known.writes || writes),
            None => self.keys.push(KeyPattern { pattern, reads, writes }),
        }
        Ok(())
    }
}

fn pattern(text: &str) -> Result<Box<[u8]>, &'static str> {
    // Of the blanks only this one does not end a rule.
    if text.bytes().any(|byte| matches!(byte, b'\x0b' | 0)) { Err(BLANK) } else { Ok(text.as_bytes().into()) }
}

/// `get`, `config|get`, and, where a first argument may be told, `select|0`.
fn commands(name: &str, may_tell_argument: bool) -> Result<Commands, &'static str> {
    let command = |name: &str| find(name.as_bytes()).ok_or(NO_SUCH_COMMAND);
    let Some((name, second)) = name.split_once('|') else { return command(name).map(Commands::One) };
    let entry: &'static Entry = command(name)?;
    if second.is_empty() || second.contains('|') {
        return Err(ARGUMENT);
    }
    if entry.is(CONTAINER) {
        entry.subcommand(second.as_bytes()).map(Commands::One).ok_or(NO_SUCH_COMMAND)
    } else if may_tell_argument {
        Ok(Commands::FirstArgument(entry, second.into()))
    } else {
        Err(NO_SUCH_COMMAND)
    }
}
