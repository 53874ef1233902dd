//! The commands of Redis: names, arity, key positions, and what they do.

use std::fmt;

use super::table::COMMANDS;

/// Changes data.
pub const WRITE: u8 = 1;
/// Only reads data.
pub const READONLY: u8 = 2;
/// Has keys that the positions do not tell.
pub const MOVABLE_KEYS: u8 = 4;
/// May wait.
pub const BLOCKING: u8 = 8;
/// Administers the server.
pub const ADMIN: u8 = 16;
/// Speaks between the nodes of a cluster.
pub const ASKING: u8 = 32;

/// One command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name in capitals.
    pub name: &'static str,
    /// The number of words with the name; negative: at least that many.
    pub arity: i8,
    flags: u8,
    first_key: i8,
    last_key: i8,
    key_step: i8,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub(super) const fn entry(
    name: &'static str,
    arity: i8,
    flags: u8,
    first_key: i8,
    last_key: i8,
    key_step: i8,
) -> Entry {
    Entry { name, arity, flags, first_key, last_key, key_step }
}

/// The longest name in the table is far shorter.
const LONGEST_NAME: usize = 32;

/// The command of that name, in any letter case.
pub fn find(name: &[u8]) -> Option<&'static Entry> {
    let mut buffer = [0; LONGEST_NAME];
    let capitals = buffer.get_mut(..name.len())?;
    capitals.copy_from_slice(name);
    capitals.make_ascii_uppercase();
    let capitals: &[u8] = capitals;
    let index = COMMANDS.binary_search_by(|entry| entry.name.as_bytes().cmp(capitals)).ok()?;
    COMMANDS.get(index)
}

impl Entry {
    /// Whether the command does `flag`, one of this module's constants.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the command takes `words` words, its name among them.
    pub fn takes(&self, words: usize) -> bool {
        let arity = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { words >= arity } else { words == arity }
    }

    /// Whether the positions tell all of the command's keys, and there is at least one.
    pub fn has_fixed_keys(&self) -> bool {
        self.first_key > 0 && !self.is(MOVABLE_KEYS)
    }

    /// Whether the first word after the name is the command's one and only key.
    pub fn has_one_key(&self) -> bool {
        self.has_fixed_keys() && self.first_key == 1 && self.last_key == 1
    }

    /// The positions of the keys among `words` words; the name is at 0.
    pub fn key_positions(&self, words: usize) -> impl Iterator<Item = usize> + use<> {
        let first = usize::try_from(self.first_key).unwrap_or(0);
        let last = match usize::try_from(self.last_key) {
            Ok(last) => last.saturating_add(1).min(words),
            // Negative counts from the end: -1 is the last word.
            Err(_) => (words + 1).saturating_sub(usize::from(self.last_key.unsigned_abs())),
        };
        let step = usize::try_from(self.key_step).unwrap_or(1).max(1);
        let range = if first == 0 { 0..0 } else { first..last.max(first) };
        range.step_by(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(COMMANDS.len() > 200);
    }

    #[test]
    fn names_are_found_in_any_case_and_never_in_part() {
        assert_eq!(find(b"hGetAll").unwrap().name, "HGETALL");
        for name in [&b""[..], b"HGET ", b"HGE", b"HGET\0", "ｈget".as_bytes(), &[b'A'; 100]] {
            assert!(find(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn keys_are_where_redis_looks_for_them() {
        let keys = |name: &[u8], words| find(name).unwrap().key_positions(words).collect::<Vec<_>>();
        assert_eq!(keys(b"get", 2), [1]);
        assert_eq!(keys(b"mget", 4), [1, 2, 3]);
        assert_eq!(keys(b"mset", 5), [1, 3]);
        assert_eq!(keys(b"blpop", 4), [1, 2]);
        assert_eq!(keys(b"object", 3), [0; 0]);
        assert_eq!(keys(b"mget", 1), [0; 0]);
    }
}
