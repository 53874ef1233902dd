//! Lua scripts: a check and its write as one atomic step and one round trip.
//!
//! A [`Script`] is text and its SHA-1; an [`Invocation`] adds keys and arguments. Which of `EVAL` and `EVALSHA` goes
//! out is the client's business ([`super::Redis::call`]).

use std::sync::OnceLock;

use bytes::Bytes;

use super::{client::Safety, command::Command};

/// A Lua script, usually a `static` beside the `.lua` file that it includes.
pub struct Script {
    text: &'static str,
    sha: OnceLock<String>,
}

impl Script {
    /// A script from its text.
    pub const fn new(text: &'static str) -> Self {
        Self { text, sha: OnceLock::new() }
    }

    /// The SHA-1 of the text in hexadecimal, by which `EVALSHA` names it.
    pub fn sha(&self) -> &str {
        self.sha.get_or_init(|| sha1_smol::Sha1::from(self.text).digest().to_string())
    }

    /// Starts a call.
    pub fn invoke(&'static self, safety: Safety) -> Invocation {
        Invocation { script: self, safety, keys: Vec::new(), args: Vec::new() }
    }
}

/// A script with its keys and arguments.
pub struct Invocation {
    pub(super) script: &'static Script,
    pub(super) safety: Safety,
    keys: Vec<Bytes>,
    args: Vec<Bytes>,
}

impl Invocation {
    /// Adds a key, `KEYS[n]` in the script.
    pub fn key(&mut self, key: impl Into<Bytes>) -> &mut Self {
        self.keys.push(key.into());
        self
    }

    /// Adds an argument, `ARGV[n]` in the script.
    pub fn arg(&mut self, arg: impl Into<Bytes>) -> &mut Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn by_text(&self) -> Command {
        self.command("EVAL", Bytes::from_static(self.script.text.as_bytes()))
    }

    pub(super) fn by_sha(&self) -> Command {
        self.command("EVALSHA", Bytes::copy_from_slice(self.script.sha().as_bytes()))
    }

    fn command(&self, name: &'static str, script: Bytes) -> Command {
        let head = [script, Bytes::from(self.keys.len().to_string())];
        Command::from_parts(name, head.into_iter().chain(self.keys.iter().cloned()).chain(self.args.iter().cloned()))
    }
}
