//! The commands whose options decide where their keys are, or what is done to them; read as Redis reads them, one option
//! after the other, each with its arguments.
//!
//! What an option means beyond its keys is not known here, and a value is never looked at.

use super::command_keys::{ACCESS, DELETE, Key, Malformed, UPDATE};

/// The options of a command, and how many arguments each takes. One with `usize::MAX` takes all that is left.
type Options = &'static [(&'static str, usize)];

const SET: Options =
    &[("NX", 0), ("XX", 0), ("GET", 0), ("KEEPTTL", 0), ("EX", 1), ("PX", 1), ("EXAT", 1), ("PXAT", 1)];
const BITFIELD: Options = &[("GET", 2), ("OVERFLOW", 1)];
const SORT: Options = &[("ASC", 0), ("DESC", 0), ("ALPHA", 0), ("LIMIT", 2), ("STORE", 1), ("BY", 1), ("GET", 1)];
const MIGRATE: Options = &[("COPY", 0), ("REPLACE", 0), ("AUTH", 1), ("AUTH2", 2), ("KEYS", usize::MAX)];
const STREAMS: Options = &[("BLOCK", 1), ("COUNT", 1), ("GROUP", 2), ("NOACK", 0), ("STREAMS", usize::MAX)];
const RADIUS: Options = &[
    ("WITHDIST", 0),
    ("WITHHASH", 0),
    ("WITHCOORD", 0),
    ("ANY", 0),
    ("ASC", 0),
    ("DESC", 0),
    ("COUNT", 1),
    ("STORE", 1),
    ("STOREDIST", 1),
];

/// Whether a word is that option, in any letter case. Redis compares C strings: what follows a NUL is not looked at.
pub(crate) fn is_option(word: &[u8], name: &str) -> bool {
    let text = word.split(|byte| *byte == 0).next().unwrap_or_default();
    text.eq_ignore_ascii_case(name.as_bytes())
}

/// The options among the words from `from` on, with their places. A word that is no option, or an option without its
/// arguments, makes the command none.
fn read<W: AsRef<[u8]>>(options: Options, words: &[W], from: usize) -> Result<Vec<(&'static str, usize)>, Malformed> {
    let mut found = Vec::new();
    let mut place = from;
    while let Some(word) = words.get(place) {
        let (name, arguments) = options.iter().find(|(name, _)| is_option(word.as_ref(), name)).ok_or(Malformed)?;
        found.push((*name, place));
        if *arguments == usize::MAX {
            return Ok(found);
        }
        place += arguments + 1;
    }
    if place > words.len() { Err(Malformed) } else { Ok(found) }
}

/// The key of a `SET`. It is read if an option asks for the old value, which one that the table's Redis does not know
/// may do as well as `GET`.
pub(super) fn set<W: AsRef<[u8]>>(words: &[W]) -> Key {
    let reads = read(SET, words, 3).is_err() || words.iter().skip(3).any(|word| is_option(word.as_ref(), "GET"));
    Key::new(1, if reads { ACCESS | UPDATE } else { UPDATE })
}

/// The options of a `SET` that has a value. Those that the table's Redis does not know may have any word for an argument, so
/// that nothing is known of a command with one.
pub(crate) fn options_of_set<W: AsRef<[u8]>>(words: &[W]) -> Option<Vec<&'static str>> {
    words.get(3..)?;
    Some(read(SET, words, 3).ok()?.into_iter().map(|(name, _)| name).collect())
}

/// The key of a `BITFIELD`. It is written unless everything asked for is to read.
pub(super) fn bitfield<W: AsRef<[u8]>>(words: &[W]) -> Key {
    let writes = read(BITFIELD, words, 2).is_err();
    Key::new(1, if writes { ACCESS | UPDATE } else { ACCESS })
}

/// Whether a `SORT` or `SORT_RO` reads keys that stand in values. In a command that is none, nobody knows.
pub(super) fn sort_follows_values<W: AsRef<[u8]>>(words: &[W]) -> bool {
    read(SORT, words, 2).is_ok_and(|options| options.iter().any(|(name, _)| matches!(*name, "BY" | "GET")))
}

/// The keys of `SORT` and `SORT_RO` that stand among their words.
pub(super) fn sort<W: AsRef<[u8]>>(words: &[W]) -> Result<Vec<Key>, Malformed> {
    let mut keys = vec![Key::new(1, ACCESS)];
    for (name, place) in read(SORT, words, 2)? {
        let target = words.get(place + 1).map(AsRef::as_ref).filter(|_| name == "STORE");
        let Some(target) = target else { continue };
        // Redis's own search would take such a target for one more option, and the word after it for its argument.
        if SORT.iter().any(|(name, arguments)| *arguments > 0 && is_option(target, name)) {
            return Err(Malformed);
        }
        keys.push(Key::new(place + 1, UPDATE));
    }
    Ok(keys)
}

/// The keys of `MIGRATE`: the third word after the name, or, if that is empty, all words after `KEYS`.
pub(super) fn migrate<W: AsRef<[u8]>>(words: &[W]) -> Result<Vec<Key>, Malformed> {
    let keyword = keyword(&read(MIGRATE, words, 6)?, "KEYS");
    let first_such =
        (6..words.len()).find(|place| words.get(*place).is_some_and(|word| is_option(word.as_ref(), "KEYS")));
    let is_left_out = words.get(3).is_some_and(|word| word.as_ref().is_empty());
    let places = match keyword {
        // A password may be the word `KEYS`.
        _ if keyword != first_such => return Err(Malformed),
        None => 3..4,
        Some(place) if is_left_out && place + 1 < words.len() => place + 1..words.len(),
        Some(_) => return Err(Malformed),
    };
    let mut keys = Vec::new();
    for place in places {
        keys.push(Key::new(place, ACCESS | DELETE));
    }
    Ok(keys)
}

/// The places where `GEORADIUS` and its like, whose options begin at `from`, are told to store what they find.
pub(super) fn radius_targets<W: AsRef<[u8]>>(words: &[W], from: usize) -> Result<Vec<usize>, Malformed> {
    let mut targets = Vec::new();
    for (name, place) in read(RADIUS, words, from)? {
        if matches!(name, "STORE" | "STOREDIST") {
            targets.push(place + 1);
        }
    }
    Ok(targets)
}

/// The place of the first key after `STREAMS`. There must be as many keys as ids.
pub(super) fn first_stream<W: AsRef<[u8]>>(words: &[W]) -> Result<usize, Malformed> {
    let first = keyword(&read(STREAMS, words, 1)?, "STREAMS").ok_or(Malformed)? + 1;
    if words.len().saturating_sub(first).is_multiple_of(2) { Ok(first) } else { Err(Malformed) }
}

/// The place of an option.
fn keyword(options: &[(&str, usize)], name: &str) -> Option<usize> {
    options.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{command_keys::keys_of, command_table::lookup};

    fn keys(command: &str) -> Result<String, Malformed> {
        let words: Vec<Vec<u8>> =
            command.split(' ').map(|word| word.replace("''", "").replace('^', "\0").into_bytes()).collect();
        let text = |key: &Key| {
            let name = String::from_utf8_lossy(&words[key.position]).into_owned();
            let (reads, writes) = (if key.reads { "r" } else { "" }, if key.writes { "w" } else { "" });
            format!("{name}:{reads}{writes}")
        };
        let keys = keys_of(lookup(&words).unwrap(), &words)?;
        Ok(keys.iter().map(text).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn options_decide_what_is_done_to_a_key() {
        for (command, expected) in [
            ("SET a 1", "a:w"),
            ("SET a GET", "a:w"),
            ("SET a 1 NX EX 9", "a:w"),
            ("SET a 1 gEt", "a:rw"),
            ("SET a 1 GET^x", "a:rw"),
            ("SET a 1 EX get", "a:rw"),
            ("SET a 1 IFEQ x", "a:rw"),
            ("BITFIELD a", "a:r"),
            ("BITFIELD a GET u8 0 OVERFLOW SAT get u8 1", "a:r"),
            ("BITFIELD a GET u8 0 SET u8 0 1", "a:rw"),
            ("BITFIELD a GET u8", "a:rw"),
        ] {
            assert_eq!(keys(command).unwrap(), expected, "{command}");
        }
    }

    #[test]
    fn options_decide_where_keys_are() {
        for (command, expected) in [
            ("SORT a", "a:r"),
            ("SORT a LIMIT 0 1 store b", "a:r b:w"),
            ("SORT a STORE^x b", "a:r b:w"),
            ("SORT a BY store GET store STORE b", "a:r b:w"),
            ("SORT a STORE b STORE c", "a:r b:w c:w"),
            ("GEORADIUS a 1 2 3 m", "a:r"),
            ("GEORADIUS a 1 2 3 m COUNT 1 ASC STORE b", "a:r b:w"),
            ("GEORADIUS a 1 2 3 m STOREDIST b STORE c", "a:r c:w b:w"),
            ("GEORADIUSBYMEMBER store STORE 3 m storedist b", "store:r b:w"),
            ("XREAD STREAMS a b 0 0", "a:r b:r"),
            ("XREAD COUNT 1 BLOCK 0 streams a 0", "a:r"),
            ("XREADGROUP GROUP streams STREAMS NOACK STREAMS a >", "a:r"),
            ("MIGRATE h 1 a 0 9", "a:rw"),
            ("MIGRATE h 1 '' 0 9 AUTH2 u p KEYS a b", "a:rw b:rw"),
        ] {
            assert_eq!(keys(command).as_deref(), Ok(expected), "{command}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for command in [
            "SORT a LIMIT 0",
            "SORT a NOPE",
            "SORT a STORE",
            "SORT a STORE by STORE b",
            "SORT a STORE store ASC",
            "GEORADIUS a 1 2 3 m STORE",
            "GEORADIUS a 1 2 3 m STORE b STORE c",
            "GEORADIUS a 1 2 3 m COUNT STORE ASC",
            "XREAD STREAMS a b 0",
            "XREAD COUNT STREAMS STREAMS a 0",
            "XREAD COUNT 1 STREAMS",
            "XREADGROUP NOACK GROUP g streams STREAMS a >",
            "XREADGROUP STREAMS a b c d 0 0",
            "MIGRATE h 1 a 0 9 KEYS b",
            "MIGRATE h 1 '' 0 9 KEYS",
            "MIGRATE h 1 '' 0 9 AUTH keys KEYS b",
        ] {
            assert_eq!(keys(command), Err(Malformed), "{command}");
        }
    }

    #[test]
    fn sorting_by_values_is_noticed() {
        for (command, follows) in
            [("SORT a BY x", true), ("SORT a get #", true), ("SORT a STORE b", false), ("SORT a LIMIT GET BY", false)]
        {
            assert_eq!(sort_follows_values(&command.split(' ').collect::<Vec<_>>()), follows, "{command}");
        }
    }
}
