//! What is sent: a [`Command`] is a list of byte strings, a [`Pipeline`] a list of commands in one round trip.

use bytes::Bytes;

use crate::policy::Allowed;

/// One Redis command: its name, then its arguments, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    args: Vec<Bytes>,
}

impl Command {
    /// A command without arguments.
    pub fn new(name: &'static str) -> Self {
        Self { args: vec![Bytes::from_static(name.as_bytes())] }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<Bytes>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A command from a name and arguments that are already bytes.
    pub fn from_parts(name: &'static str, args: impl IntoIterator<Item = Bytes>) -> Self {
        let mut command = Self::new(name);
        command.args.extend(args);
        command
    }

    /// The same command with another word at a place.
    #[must_use]
    pub fn with_word(mut self, place: usize, word: Bytes) -> Self {
        if let Some(old) = self.args.get_mut(place) {
            *old = word;
        }
        self
    }

    /// The name, then the arguments.
    pub fn args(&self) -> &[Bytes] {
        &self.args
    }
}

/// What a caller says becomes a command only once policy has passed it.
impl From<Allowed> for Command {
    fn from(allowed: Allowed) -> Self {
        Self { args: allowed.into_words() }
    }
}

/// Commands that travel together: one round trip, answered in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    commands: Vec<Command>,
}

impl Pipeline {
    /// A pipeline of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A pipeline of nothing yet, with room for so many commands.
    pub fn with_capacity(commands: usize) -> Self {
        Self { commands: Vec::with_capacity(commands) }
    }

    /// Adds a command.
    #[must_use]
    pub fn with(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    /// Adds a command to a pipeline that is being filled.
    pub fn push(&mut self, command: impl Into<Command>) {
        self.commands.push(command.into());
    }

    /// The commands, in order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

impl From<Command> for Pipeline {
    fn from(command: Command) -> Self {
        Self { commands: vec![command] }
    }
}
