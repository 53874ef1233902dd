//! Which commands each proxy lets through, and what a refused one is told.

use super::command_table::{ADMIN, ASKING, BLOCKING, Entry, READONLY, WRITE, find};

const READ: &[&str] = &[
    "HGETALL",
    "HGET",
    "HMGET",
    "SMEMBERS",
    "SISMEMBER",
    "ZRANGE",
    "ZREVRANGE",
    "ZCARD",
    "GET",
    "MGET",
    "EXISTS",
    "TTL",
    "TYPE",
];
const WRITES: &[&str] = &["HSET", "HDEL", "HINCRBY"];

/// What `POST /` lets through.
#[derive(Clone, Debug)]
pub struct ReadCommands(Names);

/// What `POST /redis/write` lets through.
#[derive(Clone, Debug)]
pub struct WriteCommands(Names);

impl Default for ReadCommands {
    fn default() -> Self {
        Self(Names::of(READ))
    }
}

impl Default for WriteCommands {
    fn default() -> Self {
        Self(Names::of(WRITES))
    }
}

impl ReadCommands {
    /// The defaults and those that `READ_COMMANDS` names.
    ///
    /// # Errors
    /// A name that is no command, or one that does more than read keys whose places are known.
    pub fn with(names: &str) -> Result<Self, String> {
        let mut commands = Self::default();
        commands.0.add(names, |entry| {
            if !entry.is(READONLY) {
                Err("is not read-only")
            } else if entry.is(BLOCKING | ADMIN | ASKING) || !entry.has_fixed_keys() {
                Err("reads keys that cannot be checked, or waits")
            } else {
                Ok(())
            }
        })?;
        Ok(commands)
    }

    /// The command's entry, if a batch may hold it.
    ///
    /// # Errors
    /// The text that stands in the command's place.
    pub fn check(&self, name: &[u8]) -> Result<&'static Entry, &'static str> {
        match find(name) {
            Some(entry) if self.0.has(entry) => Ok(entry),
            Some(entry) if entry.is(WRITE) => Err("ERR read-only mode"),
            _ => Err("ERR command not allowed in read mode"),
        }
    }
}

impl WriteCommands {
    /// The defaults and those that `WRITE_COMMANDS` names.
    ///
    /// # Errors
    /// A name that is no command, or one that does more than write one key.
    pub fn with(names: &str) -> Result<Self, String> {
        let mut commands = Self::default();
        commands.0.add(names, |entry| {
            if !entry.is(WRITE) || !entry.has_one_key() || entry.is(BLOCKING | ADMIN | ASKING) || entry.name == "MOVE" {
                Err("does not write exactly one key")
            } else {
                Ok(())
            }
        })?;
        Ok(commands)
    }

    /// The command's entry, if a batch may hold it.
    ///
    /// # Errors
    /// The text that stands in the command's place.
    pub fn check(&self, name: &[u8]) -> Result<&'static Entry, &'static str> {
        find(name).filter(|entry| self.0.has(entry)).ok_or("ERR command not allowed in write mode")
    }
}

/// A handful of commands. Few enough that a look at each is the fastest search.
#[derive(Clone, Debug)]
struct Names(Vec<&'static Entry>);

impl Names {
    fn of(names: &[&str]) -> Self {
        Self(names.iter().filter_map(|name| find(name.as_bytes())).collect())
    }

    fn has(&self, entry: &'static Entry) -> bool {
        self.0.iter().any(|allowed| std::ptr::eq(*allowed, entry))
    }

    fn add(&mut self, names: &str, check: impl Fn(&Entry) -> Result<(), &'static str>) -> Result<(), String> {
        for name in crate::config::words(names) {
            let entry = find(name.as_bytes()).ok_or_else(|| format!("'{name}' is not a command of Redis"))?;
            check(entry).map_err(|problem| format!("'{name}' {problem}"))?;
            if !self.has(entry) {
                self.0.push(entry);
            }
        }
        Ok(())
    }
}

/// What stands in the place of a command with too few or too many words, as Redis says it.
pub fn wrong_arity(entry: &Entry) -> String {
    format!("ERR wrong number of arguments for '{}' command", entry.name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_command() {
        assert_eq!(ReadCommands::default().0.0.len(), READ.len());
        assert_eq!(WriteCommands::default().0.0.len(), WRITES.len());
    }

    #[test]
    fn only_reads_of_known_keys_can_be_added_to_the_read_proxy() {
        assert!(ReadCommands::with("ZSCORE, lrange strlen").unwrap().check(b"LRANGE").is_ok());
        for name in ["SET", "KEYS", "SCAN", "EVAL_RO", "SORT_RO", "XREAD", "RANDOMKEY", "CONFIG", "HGETALLX", "OBJECT"]
        {
            assert!(ReadCommands::with(name).is_err(), "{name}");
        }
    }

    #[test]
    fn only_writes_of_one_key_can_be_added_to_the_write_proxy() {
        assert!(WriteCommands::with("sadd,EXPIRE").unwrap().check(b"Sadd").is_ok());
        for name in
            ["GET", "DEL", "MSET", "RENAME", "MOVE", "EVAL", "BLPOP", "SORT", "FLUSHALL", "GEORADIUS", "MIGRATE"]
        {
            assert!(WriteCommands::with(name).is_err(), "{name}");
        }
    }
}
