//! Which of a command's words are keys, and what happens to each.
//!
//! Redis finds keys by the key specifications of its `COMMAND` reply: begin at a place or after a keyword, then take a
//! range or as many as a number says. Of a few commands the options decide where the keys are or what happens to them;
//! those are read here as the command itself reads them (`command_options`). Where Redis's two ways disagree
//! (`XREADGROUP` with a consumer named `STREAMS`), and where words are no proper command, nothing is guessed: the keys
//! are [`Malformed`].
//!
//! Who may touch which key is not known here.

use super::{
    command_options::{self as options, is_option},
    command_table::Entry,
};

/// What is done to a key, and what kind of place a specification describes.
pub(super) type Flags = u16;

/// The value is only read.
pub(super) const RO: Flags = 1;
/// The value is read and changed, or changed depending on what it was.
pub(super) const RW: Flags = 1 << 1;
/// The value is overwritten.
pub(super) const OW: Flags = 1 << 2;
/// The key is removed.
pub(super) const RM: Flags = 1 << 3;
/// What the caller learns comes from the value.
pub(super) const ACCESS: Flags = 1 << 4;
/// The value may change.
pub(super) const UPDATE: Flags = 1 << 5;
/// Something may be added, nothing changed.
pub(super) const INSERT: Flags = 1 << 6;
/// Something may be removed.
pub(super) const DELETE: Flags = 1 << 7;
/// A channel that is counted as a key in a cluster.
pub(super) const NOT_KEY: Flags = 1 << 8;
/// There may be more keys than the specification finds.
pub(super) const INCOMPLETE: Flags = 1 << 9;
/// The options decide what is done to the key.
pub(super) const VARIABLE_FLAGS: Flags = 1 << 10;

/// How the keys of a command lie among its words.
pub(super) struct Keys {
    /// The place of the first key, 0 if there is none; the older, coarser description.
    pub(super) first: i8,
    /// The place of the last, from the end if negative.
    pub(super) last: i8,
    /// From one to the next.
    pub(super) step: i8,
    specs: &'static [Spec],
}

impl Keys {
    pub(super) const NONE: Self = keys(0, 0, 0, &[]);
}

/// One key specification.
pub(super) struct Spec {
    flags: Flags,
    begin: Begin,
    find: Find,
}

/// Where a specification begins.
pub(super) enum Begin {
    /// At a word.
    Index(u8),
    /// After a keyword, sought from a word onwards; from a word counted from the end if negative, and backwards.
    Keyword(&'static str, i8),
    /// The command alone knows.
    Unknown,
}

/// Which words from there on are keys.
pub(super) enum Find {
    /// Up to a place (counted from the beginning, or from the last word if negative), in steps. With a limit only the
    /// first part of so many equal parts.
    Range(i8, u8, u8),
    /// As many as a word says: its place, the first key's, the steps.
    KeyNum(u8, u8, u8),
    /// The command alone knows.
    Unknown,
}

pub(super) const fn keys(first: i8, last: i8, step: i8, specs: &'static [Spec]) -> Keys {
    Keys { first, last, step, specs }
}

pub(super) const fn spec(flags: Flags, begin: Begin, find: Find) -> Spec {
    Spec { flags, begin, find }
}

/// A key among a command's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which word it is; the name is at 0.
    pub position: usize,
    /// Whether the caller learns something of the value. (Whether there is one, and how long it is, does not count.)
    pub reads: bool,
    /// Whether the value may change.
    pub writes: bool,
}

impl Key {
    pub(super) fn new(position: usize, flags: Flags) -> Self {
        let reads = flags & ACCESS != 0;
        Self { position, reads, writes: flags & (UPDATE | INSERT | DELETE) != 0 }
    }
}

/// The keys cannot be told: the command is not a proper one, or it is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The keys of a command with the right number of words. `entry` is what [`lookup`](super::command_table::lookup) says
/// of them.
///
/// # Errors
/// [`Malformed`] where it cannot be told which words are keys.
pub fn keys_of<W: AsRef<[u8]>>(entry: &Entry, words: &[W]) -> Result<Vec<Key>, Malformed> {
    let specs = entry.layout().specs;
    match entry.name {
        "SET" => Ok(vec![options::set(words)]),
        "BITFIELD" => Ok(vec![options::bitfield(words)]),
        "SORT" | "SORT_RO" => options::sort(words),
        "MIGRATE" => options::migrate(words),
        "GEORADIUS" => agreed(by_specs(specs, words)?, &options::radius_targets(words, 6)?),
        "GEORADIUSBYMEMBER" => agreed(by_specs(specs, words)?, &options::radius_targets(words, 5)?),
        "XREAD" | "XREADGROUP" => by_specs(specs, words).and_then(|keys| match keys.first() {
            Some(first) if first.position == options::first_stream(words)? => Ok(keys),
            _ => Err(Malformed),
        }),
        // A script may do without keys; then there is no first and no last.
        "EVAL" | "EVAL_RO" | "EVALSHA" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" if is_zero(words.get(2)) => Ok(vec![]),
        _ => by_specs(specs, words),
    }
}

/// What the specifications find, if besides the first key it is what the command itself will use.
fn agreed(keys: Vec<Key>, targets: &[usize]) -> Result<Vec<Key>, Malformed> {
    let is_found = |target: &usize| keys.iter().any(|key| key.position == *target);
    if keys.len() == targets.len() + 1 && targets.iter().all(is_found) { Ok(keys) } else { Err(Malformed) }
}

fn by_specs<W: AsRef<[u8]>>(specs: &[Spec], words: &[W]) -> Result<Vec<Key>, Malformed> {
    let mut keys = Vec::new();
    for spec in specs.iter().filter(|spec| spec.flags & NOT_KEY == 0) {
        let first = match spec.begin {
            Begin::Index(place) => usize::from(place),
            Begin::Keyword(keyword, from) => match after(keyword, from, words) {
                Some(first) => first,
                // The option was not given.
                None => continue,
            },
            Begin::Unknown => return Err(Malformed),
        };
        let (first, end, step) = spec.find.range(first, words).ok_or(Malformed)?;
        if end > words.len() || first > end {
            return Err(Malformed);
        }
        let mut position = first;
        while position < end {
            keys.push(Key::new(position, spec.flags));
            position += step.max(1);
        }
    }
    Ok(keys)
}

/// The place after a keyword. Like Redis, it does not look at the last word: nothing could come after it. What is sought
/// backwards is not sought here: it is `MIGRATE`'s, and its options say more.
fn after<W: AsRef<[u8]>>(keyword: &str, from: i8, words: &[W]) -> Option<usize> {
    let is_keyword = |place: &usize| words.get(*place).is_some_and(|word| is_option(word.as_ref(), keyword));
    let found = (usize::try_from(from).ok()?..words.len().checked_sub(1)?).find(is_keyword);
    found.map(|place| place + 1)
}

impl Find {
    /// The first key, the word after the last, and the steps between.
    fn range<W: AsRef<[u8]>>(&self, first: usize, words: &[W]) -> Option<(usize, usize, usize)> {
        match *self {
            Self::Range(last, step, limit) => {
                let from_end = || usize::from(last.unsigned_abs()).saturating_sub(1);
                let end = match usize::try_from(last) {
                    Ok(last) => first.checked_add(last)?.checked_add(1)?,
                    // `PFMERGE key` has a range without keys.
                    Err(_) if limit == 0 => words.len().checked_sub(from_end())?,
                    Err(_) => first + words.len().checked_sub(first)?.checked_div(limit.into())?,
                };
                Some((first, end, step.into()))
            }
            Self::KeyNum(place, key, step) => {
                let count = words.get(first.checked_add(place.into())?).and_then(|word| count(word.as_ref()))?;
                let first = first.checked_add(key.into())?;
                let end = first.checked_add(count.checked_mul(step.into())?)?;
                (count > 0).then_some((first, end, step.into()))
            }
            Self::Unknown => None,
        }
    }
}

/// A number of keys, as strictly as Redis reads one: digits, and no zero before them.
fn count(word: &[u8]) -> Option<usize> {
    if word.is_empty() || (word.len() > 1 && word.starts_with(b"0")) {
        return None;
    }
    word.iter().try_fold(0usize, |count, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        count.checked_mul(10)?.checked_add(digit)
    })
}

fn is_zero<W: AsRef<[u8]>>(word: Option<&W>) -> bool {
    word.is_some_and(|word| word.as_ref() == b"0")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::command_table::{all, lookup};

    /// The keys as text: `r` and `w` for what is done to them.
    fn keys(command: &str) -> Result<Vec<String>, Malformed> {
        let words: Vec<&str> = command.split(' ').collect();
        let entry = lookup(&words).unwrap();
        assert!(entry.takes(words.len()), "{command}");
        let text = |key: &Key| {
            let (reads, writes) = (if key.reads { "r" } else { "" }, if key.writes { "w" } else { "" });
            format!("{}:{reads}{writes}", words[key.position])
        };
        keys_of(entry, &words).map(|keys| keys.iter().map(text).collect())
    }

    #[test]
    fn keys_are_found_and_what_is_done_to_them() {
        for (command, expected) in [
            ("PING", ""),
            ("GET a", "a:r"),
            ("EXISTS a b", "a: b:"),
            ("MSET a 1 b 2", "a:w b:w"),
            ("RENAME a b", "a:rw b:w"),
            ("COPY a b DB 1", "a:r b:w"),
            ("BLPOP a b 0", "a:rw b:rw"),
            ("BITOP AND a b c", "a:w b:r c:r"),
            ("PFCOUNT a b", "a:r b:r"),
            ("PFMERGE a", "a:rw"),
            ("PFMERGE a b", "a:rw b:r"),
            ("ZUNIONSTORE a 2 b c WEIGHTS 1 2", "a:w b:r c:r"),
            ("SINTERCARD 2 a b LIMIT 1", "a:r b:r"),
            ("LMPOP 1 a LEFT", "a:rw"),
            ("BZMPOP 0 2 a b MIN", "a:rw b:rw"),
            ("ZRANGESTORE a b 0 1", "a:w b:r"),
            ("LCS a b LEN", "a:r b:r"),
            ("EVAL x 2 a b c", "a:rw b:rw"),
            ("EVAL x 0 a", ""),
            ("FCALL_RO f 1 a", "a:r"),
            ("OBJECT encoding a", "a:"),
            ("XGROUP create a g $", "a:w"),
            ("XINFO stream a", "a:r"),
            ("MEMORY usage a", "a:"),
            ("PUBLISH a b", ""),
            ("SPUBLISH a b", ""),
        ] {
            assert_eq!(keys(command).unwrap().join(" "), expected, "{command}");
        }
    }

    #[test]
    fn numbers_of_keys_must_be_right() {
        for command in [
            "ZUNION 0 a",
            "ZUNION -1 a",
            "ZUNION 2 a",
            "ZUNION 01 a",
            "ZUNION +1 a",
            "ZUNION 1x a",
            "ZUNION 18446744073709551616 a",
            "ZUNION 18446744073709551615 a",
            "ZUNION 4294967297 a",
            "ZUNIONSTORE a 0 b",
            "LMPOP 3 a LEFT",
            "EVAL x 2 a",
            "EVAL x -0 a",
            "FCALL f nine a",
        ] {
            assert_eq!(keys(command), Err(Malformed), "{command}");
        }
    }

    /// A table from a newer server may have such commands that nobody has thought about.
    #[test]
    fn what_specifications_cannot_tell_is_told_by_options() {
        const TOLD: [&str; 9] =
            ["SET", "BITFIELD", "SORT", "SORT_RO", "MIGRATE", "GEORADIUS", "GEORADIUSBYMEMBER", "XREAD", "XREADGROUP"];
        for entry in all() {
            let uncertain = entry.layout().specs.iter().any(|spec| {
                spec.flags & (INCOMPLETE | VARIABLE_FLAGS) != 0
                    || !matches!((&spec.begin, &spec.find), (Begin::Index(_), Find::Range(..) | Find::KeyNum(..)))
            });
            assert_eq!(uncertain, TOLD.contains(&entry.name), "{entry:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_are_words_and_nothing_panics(
            at in 0..all().len(),
            rest in proptest::collection::vec("[a-c]|-?[0-9]{1,20}|STORE|streams|Keys|GROUP|COUNT|GET|BY|", 0..9),
        ) {
            let mut words: Vec<String> = all()[at].name.split('|').map(str::to_owned).collect();
            words.extend(rest);
            if let Some(entry) = lookup(&words).filter(|entry| entry.takes(words.len())) {
                for key in keys_of(entry, &words).unwrap_or_default() {
                    prop_assert!(key.position > 0 && key.position < words.len());
                }
            }
        }
    }
}
