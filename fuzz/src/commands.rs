//! The words of commands: which are keys, what is refused, and what becomes of a script's flags.
//!
//! An input is a command, a word a line. If the first is a number, it stands for the command at that place of the table.

use bytes::Bytes;
use ridge::{
    gateway::key_locking::{Names, Script, prepare},
    policy::{
        command_keys::keys_of,
        command_table::{BLOCKING, Entry, all, lookup},
        refused::{self, Reason},
    },
};

const FLAG: &str = "allow-key-locking";

/// Checks one command.
pub fn check(input: &[u8]) {
    let mut words = super::words(input);
    let place = std::str::from_utf8(&words[0]).ok().and_then(|text| text.parse::<usize>().ok());
    if let Some(entry) = place.and_then(|place| all().get(place)) {
        words.splice(..1, entry.name.split('|').map(|name| name.as_bytes().to_vec()));
    }
    let entry = lookup(&words);
    match entry {
        Some(entry) if entry.takes(words.len()) => {
            keys_are_words(entry, &words);
            values_decide_nothing(entry, &words);
        }
        // Where its keys would be is asked of too short a command, too.
        Some(entry) => drop(keys_of(entry, &words)),
        None => {}
    }
    letter_case_makes_no_difference(&words);
    what_waits_is_refused(entry, &words);
    let _ = refused::is_set_info(entry, &words);
    only_the_flag_is_dropped(entry, words.into_iter().map(Bytes::from).collect());
}

fn keys_are_words(entry: &Entry, words: &[Vec<u8>]) {
    let keys = keys_of(entry, words);
    let found: Vec<usize> = keys.iter().flatten().map(|key| key.position).collect();
    assert!(found.iter().all(|place| (1..words.len()).contains(place)), "{found:?}");
    // The places of shard channels are told as those of keys are.
    if entry.has_fixed_keys() && !entry.categories().any(|category| category == "pubsub") {
        let fixed: Vec<usize> = entry.key_positions(words.len()).collect();
        assert!(fixed.iter().all(|place| (1..words.len()).contains(place)), "{fixed:?}");
        assert!(keys.is_err() || found == fixed, "{found:?} {fixed:?}");
    }
}

/// A word that is only stored may be any: a value that nobody has read is judged as an empty one.
fn values_decide_nothing(entry: &Entry, words: &[Vec<u8>]) {
    for place in (1..words.len()).filter(|place| entry.takes_as_value(*place, words.len())) {
        let mut others = words.to_vec();
        for other in [&b""[..], b"GET", b"STORE", b"STREAMS", b"BLOCK", b"2", b"\0"] {
            others[place] = other.to_vec();
            assert_eq!(lookup(&others), Some(entry), "{place}");
            assert_eq!(keys_of(entry, &others), keys_of(entry, words), "{place}");
            assert_eq!(refused::reason(&others), refused::reason(words), "{place}");
        }
    }
}

fn letter_case_makes_no_difference(words: &[Vec<u8>]) {
    let swap =
        |byte: &u8| if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
    let mut swapped = words.to_vec();
    swapped.iter_mut().for_each(|word| *word = word.iter().map(swap).collect());
    assert_eq!(lookup(&swapped), lookup(words));
    assert_eq!(refused::reason(&swapped), refused::reason(words));
    if let Some(entry) = lookup(words).filter(|entry| entry.takes(words.len())) {
        assert_eq!(keys_of(entry, &swapped), keys_of(entry, words));
    }
}

fn what_waits_is_refused(entry: Option<&Entry>, words: &[Vec<u8>]) {
    let reason = refused::reason(words);
    if let Some(reason) = reason {
        assert!(refused::text(words, reason).starts_with("ERR "));
    }
    if entry.is_some_and(|entry| entry.is(BLOCKING) && (!entry.name.starts_with("XREAD") || is_told_to_wait(words))) {
        assert_eq!(reason, Some(Reason::Blocks));
    }
}

/// Whether Redis would wait in an `XREAD` or `XREADGROUP`: its loop over the options, in `xreadCommand`.
fn is_told_to_wait(words: &[Vec<u8>]) -> bool {
    let text = |word: &[u8]| word.split(|byte| *byte == 0).next().unwrap_or_default().to_ascii_uppercase();
    let mut place = 1;
    let mut waits = false;
    while let Some(word) = words.get(place) {
        let more = words.len() - place - 1;
        match text(word).as_slice() {
            b"BLOCK" if more > 0 => (waits, place) = (true, place + 2),
            b"COUNT" if more > 0 && words[place + 1].iter().all(u8::is_ascii_digit) => place += 2,
            b"STREAMS" if more > 0 => return waits,
            b"GROUP" if more > 1 => place += 3,
            b"NOACK" => place += 1,
            _ => return false,
        }
    }
    false
}

fn only_the_flag_is_dropped(entry: Option<&Entry>, words: Vec<Bytes>) {
    let mut prepared = words.clone();
    let prepare = |words: &mut _| prepare(entry?, words, &Names::default());
    let Some(script) = prepare(&mut prepared) else {
        assert_eq!(prepared, words);
        assert!(script_of(&words).and_then(flags_of).is_none_or(|flags| !flags.contains(&FLAG)), "{words:?}");
        return;
    };
    let Script::Loaded(known, real) = script else { return };
    let mut changed = words.iter().zip(&prepared).filter(|(before, after)| before != after);
    let (before, after) = changed.next().expect("one word has changed");
    assert!(changed.next().is_none() && prepared.len() == words.len());
    assert_eq!((known, real), (hash(before), hash(after)));
    assert!(prepare(&mut prepared.clone()).is_none(), "the flag is still there");

    let (before, after) = (text(before), text(after));
    let body = |script: &str| script.split_once('\n').map(|(_, body)| body.to_owned());
    assert_eq!(body(after), body(before), "the script itself has changed");
    let kept = flags_of(before).map(|flags| flags.into_iter().filter(|flag| *flag != FLAG).collect());
    assert_eq!(flags_of(after), kept, "{before}");
}

fn script_of(words: &[Bytes]) -> Option<&str> {
    let place = match lookup(words)?.name {
        "EVAL" | "EVAL_RO" => 1,
        "SCRIPT|LOAD" => 2,
        _ => return None,
    };
    std::str::from_utf8(words.get(place)?).ok()
}

/// The flags in the first line of a script, as Redis reads it; `None` if it refuses the line, or has ways of its own with it: with
/// quotes and odd blanks. Flags without a name are left out.
fn flags_of(script: &str) -> Option<Vec<&str>> {
    let (line, _) = script.split_once('\n')?;
    if line.contains(['"', '\'', '\x0b', '\x0c', '\0']) {
        return None;
    }
    let mut parts = line.split([' ', '\t', '\r']);
    parts.next().filter(|engine| *engine == "#!lua")?;
    let mut flags = Vec::new();
    for option in parts.filter(|option| !option.is_empty()) {
        flags.extend(option.strip_prefix("flags=")?.split(',').filter(|flag| !flag.is_empty()));
    }
    Some(flags)
}

fn hash(text: &[u8]) -> Bytes {
    sha1_smol::Sha1::from(text).digest().to_string().into()
}

fn text(word: &[u8]) -> &str {
    std::str::from_utf8(word).expect("a script that was read is text")
}
