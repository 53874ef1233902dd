//! Scripts that begin `#!lua flags=allow-key-locking`.
//!
//! With that flag Upstash locks the keys of a script and not the whole database. Any other Redis refuses a script with a flag
//! that it does not know, and needs none: there one command runs at a time. So over TCP the flag is dropped. Redis then knows
//! the script by the hash of the text without it, but its caller by that of the text with it: the hash `ridge:scripts` says
//! which is which. Of what it has once seen there, or written, an isolate remembers a part.
//!
//! The name of a script is looked up in the same round trip as it is called, or, where commands follow that must not run
//! before it, in one of its own, until it was called or loaded once. `SCRIPT EXISTS` asks first for each that was not.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use super::question::Form;
use crate::{
    edge::batch::Words,
    policy::{acl::Acl, command_table::Entry},
    redis::{Command, Failure, Redis, Reply},
};

/// The Redis hash from the hash that callers know to the one that Redis knows.
pub const NAMES: &str = "ridge:scripts";

/// How many scripts an isolate remembers.
const REMEMBERED: usize = 1000;

const FLAG: &str = "allow-key-locking";

/// What stands between the parts of a script's first line.
const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// By which hash Redis knows a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The same as its caller.
    Same,
    /// Another: the flag was dropped.
    Other(Bytes),
}

/// What this isolate knows of the names of scripts.
#[derive(Default)]
pub struct Names(Mutex<HashMap<Bytes, Name>>);

impl Names {
    fn get(&self, sha: &[u8]) -> Option<Name> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sha).cloned()
    }

    /// Remembers a script. When there are too many, all others are forgotten: each is learnt again when it is called.
    pub fn remember(&self, sha: Bytes, name: Name) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A call by the other name has succeeded, too: that is no reason to forget it.
        if name == Name::Same && names.contains_key(&sha) {
            return;
        }
        if names.len() >= REMEMBERED {
            names.clear();
        }
        names.insert(sha, name);
    }
}

/// What the gateway does about a command that loads or calls a script.
pub enum Script {
    /// It brings a text with the flag, which the words now hold without: the hash that its caller knows, and Redis's.
    Loaded(Bytes, Bytes),
    /// It calls a script by a hash of which this isolate knows nothing.
    Unknown(Bytes),
}

/// Prepares a command for a Redis that does not know the flag.
pub fn prepare(entry: &Entry, words: &mut Words, names: &Names) -> Option<Script> {
    match entry.name {
        "EVAL" | "EVAL_RO" => without_flag(words, 1),
        "SCRIPT|LOAD" => without_flag(words, 2),
        "EVALSHA" | "EVALSHA_RO" => called(words, 1, names),
        "SCRIPT|EXISTS" => {
            for place in 2..words.len() {
                called(words, place, names);
            }
            None
        }
        _ => None,
    }
}

fn without_flag(words: &mut Words, place: usize) -> Option<Script> {
    let text = words.get_mut(place)?;
    let changed = drop_flag(std::str::from_utf8(text).ok()?)?;
    let (known, real) = (sha(text), sha(changed.as_bytes()));
    *text = changed.into();
    Some(Script::Loaded(known, real))
}

/// The script without the flag, if it has it. The first line is read as Redis reads it, but for quotes.
fn drop_flag(text: &str) -> Option<String> {
    let (line, body) = text.split_at(text.find('\n')?);
    let mut parts = line.split(BLANKS);
    let mut kept = parts.next().filter(|engine| *engine == "#!lua")?.to_owned();
    let mut has_flag = false;
    for part in parts.filter(|part| !part.is_empty()) {
        let flags = part.strip_prefix("flags=").filter(|flags| flags.split(',').any(|flag| flag == FLAG));
        let others = flags.map(|flags| flags.split(',').filter(|flag| *flag != FLAG).collect::<Vec<_>>().join(","));
        has_flag |= others.is_some();
        match others {
            None => kept.extend([" ", part]),
            Some(others) if others.is_empty() => {}
            Some(others) => kept.extend([" flags=", others.as_str()]),
        }
    }
    has_flag.then(|| kept + body)
}

fn called(words: &mut Words, place: usize, names: &Names) -> Option<Script> {
    let word = words.get_mut(place)?;
    let sha = lower(word);
    match names.get(&sha) {
        Some(Name::Same) => None,
        Some(Name::Other(real)) => {
            *word = real;
            None
        }
        None => Some(Script::Unknown(sha)),
    }
}

/// Hashes are hexadecimal in any letter case.
fn lower(sha: &Bytes) -> Bytes {
    if sha.iter().any(u8::is_ascii_uppercase) { sha.to_ascii_lowercase().into() } else { sha.clone() }
}

fn sha(text: &[u8]) -> Bytes {
    sha1_smol::Sha1::from(text).digest().to_string().into()
}

/// The command that notes a script's two names.
pub fn note(known: &Bytes, real: &Bytes) -> Command {
    Command::new("HSET").arg(NAMES).arg(known.clone()).arg(real.clone())
}

/// The command that asks for a script's name.
pub fn ask(known: &Bytes) -> Command {
    Command::new("HGET").arg(NAMES).arg(known.clone())
}

/// Learns the names of the scripts that commands call by a hash of which this isolate knows nothing: one round trip, if there
/// are any. A single call brings its question along instead.
///
/// # Errors
/// What Redis fails with.
pub(super) async fn learn(
    form: Form,
    commands: &[Words],
    names: &Names,
    acl: Option<&Acl>,
    redis: &Redis,
) -> Result<(), Failure> {
    let mut unknown: HashSet<Bytes> = HashSet::new();
    for words in commands {
        let is = |place: usize, name: &str| {
            words.get(place).is_some_and(|word: &Bytes| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        let hashes = if form != Form::Command && (is(0, "EVALSHA") || is(0, "EVALSHA_RO")) {
            words.get(1..2)
        } else if is(0, "SCRIPT") && is(1, "EXISTS") {
            words.get(2..)
        } else {
            None
        };
        // What the caller may not run is not asked about either.
        let hashes = hashes.filter(|_| acl.is_none_or(|acl| acl.check(words).is_ok()));
        for sha in hashes.unwrap_or_default().iter().map(lower) {
            if names.get(&sha).is_none() {
                unknown.insert(sha);
            }
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let fields = std::iter::once(Bytes::from_static(NAMES.as_bytes())).chain(unknown.iter().cloned());
    let reply = redis.read(Command::from_parts("HMGET", fields)).await?.into_iter().next();
    for (sha, name) in unknown.into_iter().zip(reply.ok_or(Failure::Nonsense("no reply"))?.into_array()?) {
        if let Reply::String(real) = name {
            names.remember(sha, Name::Other(real));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::command_table::lookup;

    #[test]
    fn only_the_flag_is_dropped() {
        for (with, without) in [
            ("#!lua flags=allow-key-locking\nreturn 1", "#!lua\nreturn 1"),
            ("#!lua flags=no-writes,allow-key-locking\nreturn 1", "#!lua flags=no-writes\nreturn 1"),
            ("#!lua flags=allow-key-locking,no-writes\r\nreturn 1", "#!lua flags=no-writes\nreturn 1"),
            ("#!lua\tflags=allow-key-locking\tflags=a,allow-key-locking,b x\n\n", "#!lua flags=a,b x\n\n"),
            ("#!lua  flags=allow-key-locking\n", "#!lua\n"),
        ] {
            assert_eq!(drop_flag(with).as_deref(), Some(without));
        }
        for text in [
            "return 'flags=allow-key-locking'",
            "#!lua\n-- flags=allow-key-locking\nreturn 1",
            "#!lua flags=no-writes\nreturn 1",
            "#!lua flags=allow-key-lockings\nreturn 1",
            "#!lua name=x flags=",
            "#!lua flags=allow-key-locking",
            "#!luaflags=allow-key-locking\nreturn 1",
            " #!lua flags=allow-key-locking\nreturn 1",
            "",
        ] {
            assert_eq!(drop_flag(text), None, "{text}");
        }
    }

    #[test]
    fn a_hash_is_exchanged_once_it_is_known() {
        let names = Names::default();
        let words = |text: &str| -> Words { text.split(' ').map(|word| Bytes::from(word.to_owned())).collect() };
        let mut call = words("evalsha AB 0");
        assert!(
            matches!(prepare(lookup(&call.clone()).unwrap(), &mut call, &names), Some(Script::Unknown(sha)) if sha == "ab")
        );
        names.remember("ab".into(), Name::Other("cd".into()));
        names.remember("ef".into(), Name::Same);
        assert!(prepare(lookup(&call.clone()).unwrap(), &mut call, &names).is_none());
        assert_eq!(call, words("evalsha cd 0"));
        let mut exists = words("SCRIPT exists ab ef gh");
        assert!(prepare(lookup(&exists.clone()).unwrap(), &mut exists, &names).is_none());
        assert_eq!(exists, words("SCRIPT exists cd ef gh"));
    }

    #[test]
    fn memory_is_bounded() {
        let names = Names::default();
        for n in 0..=REMEMBERED {
            names.remember(n.to_string().into(), Name::Same);
        }
        assert_eq!(names.get(b"0"), None);
        assert_eq!(names.get(REMEMBERED.to_string().as_bytes()), Some(Name::Same));
    }
}
