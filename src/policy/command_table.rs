//! The commands of Redis: names, arity, categories, where their keys are, and what they do.
//!
//! It is the table of the oldest server that Ridge supports (`table.rs` and `key_layouts.rs` are generated from one). What a newer
//! server or a module adds is not in it, and a policy that goes by it must take such a command for the worst.

use std::fmt;

use super::{
    command_keys::Keys,
    key_layouts::LAYOUTS,
    table::{CATEGORIES, COMMANDS},
};

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
/// Is a family of subcommands.
pub const CONTAINER: u8 = 64;
/// Is for those who have not logged in yet, so an ACL does not keep anyone from it.
pub const NO_AUTH: u8 = 128;

/// One command, or one subcommand.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name in capitals; a subcommand's is `CONFIG|GET`.
    pub name: &'static str,
    /// The number of words with the name; negative: at least that many.
    pub arity: i8,
    flags: u8,
    layout: u8,
    categories: u32,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Names are in the table once.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Entry {}

pub(super) const fn entry(name: &'static str, arity: i8, flags: u8, categories: u32, layout: u8) -> Entry {
    Entry { name, arity, flags, layout, categories }
}

/// The longest name in the table is not that long.
const LONGEST_NAME: usize = 32;

/// Between a command and its subcommand.
const SEPARATOR: u8 = b'|';

/// All commands and subcommands, by name.
pub fn all() -> &'static [Entry] {
    COMMANDS
}

/// The command of that name, in any letter case. Not a subcommand.
pub fn find(name: &[u8]) -> Option<&'static Entry> {
    if name.contains(&SEPARATOR) { None } else { find_full(&[name]) }
}

/// What a command's words call: the command that the first names, or its subcommand, if it is a family of them and
/// there is a second word.
pub fn lookup<W: AsRef<[u8]>>(words: &[W]) -> Option<&'static Entry> {
    let (name, rest) = words.split_first()?;
    let command = find(name.as_ref())?;
    match rest.first() {
        Some(subcommand) if command.is(CONTAINER) => command.subcommand(subcommand.as_ref()),
        _ => Some(command),
    }
}

fn find_full(parts: &[&[u8]]) -> Option<&'static Entry> {
    let mut buffer = [0; LONGEST_NAME];
    let mut length = 0;
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            *buffer.get_mut(length)? = SEPARATOR;
            length += 1;
        }
        buffer.get_mut(length..length.checked_add(part.len())?)?.copy_from_slice(part);
        length += part.len();
    }
    let capitals = buffer.get_mut(..length)?;
    capitals.make_ascii_uppercase();
    let capitals: &[u8] = capitals;
    let index = COMMANDS.binary_search_by(|entry| entry.name.as_bytes().cmp(capitals)).ok()?;
    COMMANDS.get(index)
}

/// The bit of an ACL category, by its name in any letter case and without the `@`.
pub fn category(name: &str) -> Option<u32> {
    let place = CATEGORIES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    1u32.checked_shl(u32::try_from(place).ok()?)
}

impl Entry {
    /// Whether the command does `flag`, one of this module's constants.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether the command is in one of the categories, bits of [`category`].
    pub fn is_in(&self, categories: u32) -> bool {
        self.categories & categories != 0
    }

    /// The names of the command's categories.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        let categories = self.categories;
        (0u32..).zip(CATEGORIES).filter(move |(place, _)| categories >> place & 1 == 1).map(|(_, name)| *name)
    }

    /// The name as Redis writes it in errors: `config|get`.
    pub fn full_name(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The subcommand of that name, in any letter case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Entry> {
        if name.contains(&SEPARATOR) { None } else { find_full(&[self.name.as_bytes(), name]) }
    }

    /// The family that a subcommand belongs to.
    pub fn parent(&self) -> Option<&'static Entry> {
        let (family, _) = self.name.split_once(char::from(SEPARATOR))?;
        find(family.as_bytes())
    }

    /// Whether the command takes `words` words, its name among them.
    pub fn takes(&self, words: usize) -> bool {
        let arity = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { words >= arity } else { words == arity }
    }

    /// How the command's keys lie among its words.
    pub(super) fn layout(&self) -> &'static Keys {
        LAYOUTS.get(usize::from(self.layout)).unwrap_or(&Keys::NONE)
    }

    /// Whether the positions tell all of the command's keys, and there is at least one.
    pub fn has_fixed_keys(&self) -> bool {
        self.layout().first > 0 && !self.is(MOVABLE_KEYS)
    }

    /// Whether the first word after the name is the command's one and only key.
    pub fn has_one_key(&self) -> bool {
        self.has_fixed_keys() && self.layout().first == 1 && self.layout().last == 1
    }

    /// Whether the word at a position is only stored: whatever it is, the command has the same keys and does the same to them,
    /// and an ACL's verdict is the same. (Of a first argument an ACL may say what it must be.)
    pub fn takes_as_value(&self, position: usize, words: usize) -> bool {
        // Of these two the options decide what is done to the key.
        let is_option = match self.name {
            "SET" => position > 2,
            "BITFIELD" => true,
            _ => false,
        };
        position > 1 && self.has_fixed_keys() && !is_option && !self.key_positions(words).any(|key| key == position)
    }

    /// The same, however many words are still to come.
    pub fn always_takes_as_value(&self, position: usize) -> bool {
        // Counted from the end, the last key moves with the last word; steps are of one word or two.
        (1..=4).all(|more| self.takes_as_value(position, position.saturating_add(more)))
    }

    /// The positions of the keys among `words` words; the name is at 0. For commands that
    /// [have fixed keys](Self::has_fixed_keys); [`super::command_keys::keys_of`] knows those of every command.
    pub fn key_positions(&self, words: usize) -> impl Iterator<Item = usize> + use<> {
        let layout = self.layout();
        let first = usize::try_from(layout.first).unwrap_or(0);
        let last = match usize::try_from(layout.last) {
            Ok(last) => last.saturating_add(1).min(words),
            // Negative counts from the end: -1 is the last word.
            Err(_) => (words + 1).saturating_sub(usize::from(layout.last.unsigned_abs())),
        };
        let step = usize::try_from(layout.step).unwrap_or(1).max(1);
        let range = if first == 0 { 0..0 } else { first..last.max(first) };
        range.step_by(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_whole() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(COMMANDS.len() > 350);
        for entry in COMMANDS {
            assert!(
                usize::from(entry.layout) < LAYOUTS.len() && entry.categories >> CATEGORIES.len() == 0,
                "{entry:?}"
            );
            assert_eq!(entry.parent().is_some(), entry.name.contains('|'), "{entry:?}");
            assert!(entry.parent().is_none_or(|family| family.is(CONTAINER)), "{entry:?}");
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_never_in_part() {
        assert_eq!(find(b"hGetAll").unwrap().name, "HGETALL");
        for name in
            [&b""[..], b"HGET ", b"HGE", b"HGET\0", b"CONFIG|GET", b"|", "ｈget".as_bytes(), &[b'A'; 100], &[b'A'; 32]]
        {
            assert!(find(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn a_subcommand_is_found_by_two_words() {
        let name = |words: &[&str]| lookup(words).map(|entry| entry.name);
        assert_eq!(name(&["config", "Get", "x"]), Some("CONFIG|GET"));
        assert_eq!(name(&["cluster", "count-failure-reports"]), Some("CLUSTER|COUNT-FAILURE-REPORTS"));
        assert_eq!(name(&["COMMAND"]), Some("COMMAND"));
        assert_eq!(name(&["get", "x"]), Some("GET"));
        for words in [&[][..], &["config", "nope"], &["config", ""], &["config|get"], &["config|get", "x"]] {
            assert_eq!(name(words), None, "{words:?}");
        }
        assert_eq!(name(&["config", "get|x"]), None);
        assert_eq!(name(&["config", &"x".repeat(1000)]), None);
    }

    #[test]
    fn categories_have_names() {
        let names = |name: &[u8]| find(name).unwrap().categories().collect::<Vec<_>>();
        assert_eq!(names(b"get"), ["read", "string", "fast"]);
        assert!(find(b"FLUSHALL").unwrap().is_in(category("Dangerous").unwrap()));
        assert!(!find(b"GET").unwrap().is_in(category("write").unwrap() | category("admin").unwrap()));
        assert_eq!(category("all"), None);
    }

    #[test]
    fn a_value_decides_nothing() {
        let takes = |name: &[u8], position, words| find(name).unwrap().takes_as_value(position, words);
        assert!(takes(b"SET", 2, 5) && takes(b"hset", 3, 4) && takes(b"MSET", 2, 3) && takes(b"xadd", 4, 5));
        assert!(!takes(b"SET", 3, 4) && !takes(b"get", 1, 2) && !takes(b"mset", 3, 5) && !takes(b"bitfield", 4, 5));
        assert!(!takes(b"bitop", 1, 4) && takes(b"getrange", 2, 4));
        assert!(!takes(b"eval", 1, 3) && !takes(b"SORT", 3, 4) && !takes(b"publish", 2, 3) && !takes(b"config", 1, 2));
    }

    #[test]
    fn a_value_is_one_however_many_words_follow() {
        for entry in all() {
            for position in (2..8).filter(|position| entry.always_takes_as_value(*position)) {
                for words in position + 1..position + 40 {
                    assert!(entry.takes_as_value(position, words), "{entry:?} {position} {words}");
                }
            }
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
