//! Lua scripts: a check and its write as one atomic step and one round trip.
//!
//! A [`Script`] is text and its SHA-1; an [`Invocation`] adds keys and arguments. Which of `EVAL` and `EVALSHA` goes
//! out is the client's business ([`super::Redis::call`]).

use std::sync::OnceLock;

use bytes::Bytes;

use super::{client::Safety, command::Command};

/// A Lua script, usually a `static` beside the `.lua` file that it includes.
pub struct Script {
    parts: &'static [&'static str],
    text: OnceLock<Bytes>,
    sha: OnceLock<String>,
}

impl Script {
    /// A script from the parts of its text. What scripts share comes first, so it is in the Worker only once.
    pub const fn new(parts: &'static [&'static str]) -> Self {
        Self { parts, text: OnceLock::new(), sha: OnceLock::new() }
    }

    fn text(&self) -> &Bytes {
        self.text.get_or_init(|| self.parts.concat().into())
    }

    /// The SHA-1 of the text in hexadecimal, by which `EVALSHA` names it.
    pub fn sha(&self) -> &str {
        self.sha.get_or_init(|| sha1_smol::Sha1::from(self.text()).digest().to_string())
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

    /// `SCRIPT LOAD`, for a batch of invocations by hash.
    pub(super) fn load(&self) -> Command {
        Command::new("SCRIPT").arg("LOAD").arg(self.script.text().clone())
    }

    pub(super) fn by_text(&self) -> Command {
        self.command(if self.only_reads() { "EVAL_RO" } else { "EVAL" }, self.script.text().clone())
    }

    pub(super) fn by_sha(&self) -> Command {
        let sha = Bytes::copy_from_slice(self.script.sha().as_bytes());
        self.command(if self.only_reads() { "EVALSHA_RO" } else { "EVALSHA" }, sha)
    }

    fn only_reads(&self) -> bool {
        self.safety == Safety::Read
    }

    fn command(&self, name: &'static str, script: Bytes) -> Command {
        let head = [script, Bytes::from(self.keys.len().to_string())];
        Command::from_parts(name, head.into_iter().chain(self.keys.iter().cloned()).chain(self.args.iter().cloned()))
    }
}
