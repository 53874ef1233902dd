//! Where Ridge is stricter than Redis: what shows or changes keys that the words of a command do not name.
//!
//! An ACL that confines a key to `~app:*` says that everything else is out of its reach. Redis does not keep that
//! promise: its check of keys looks only at the words. So these need `~*` in the selector that lets them through:
//!
//! | what | because |
//! |---|---|
//! | scripts and functions: `EVAL`, `EVALSHA`, `FCALL`, their `_RO` forms, `SCRIPT …`, `FUNCTION …` | a script reaches keys that are not declared, and a library is everybody's |
//! | `SORT` and `SORT_RO` with `BY` or `GET` | the keys that they read stand in values |
//! | `KEYS`, `RANDOMKEY`, `DBSIZE` | they tell of all keys |
//! | `FLUSHALL`, `FLUSHDB`, `SWAPDB` | they touch all keys |
//! | `MONITOR`, `SLOWLOG GET`, `ACL LOG`, `CLIENT TRACKING`, `CLUSTER GETKEYSINSLOT` | they tell of the keys of others |
//! | `DEBUG`, `SYNC`, `PSYNC` | Redis does not know their keys, or they copy everything |
//! | channels that begin `__keyspace@` or `__keyevent@`, and patterns that such channels may match | they tell of the keys of others |
//!
//! `SCAN` passes, but its answer must be filtered ([`Passed::Filtered`](super::Passed::Filtered)). Beyond that, with less
//! than `~*`, a command is refused of which nobody can say which words are keys
//! ([`Malformed`](crate::policy::command_keys::Malformed)); Redis would run it to its syntax error. And `PFMERGE` with one
//! key needs that key, which Redis forgets to check. For Redis a NUL ends a pattern of channels and the first argument of
//! `+select|0`; for Ridge it is part of them.
//!
//! Inside a script Redis knows Ridge as its only user. Who may run scripts may run in them every command that scripts may
//! run; to keep a key from some commands, keep it from `@scripting` too.

use crate::policy::{
    command_options,
    command_table::{Entry, category},
    glob,
};

const WITHOUT_NAMING_KEYS: &[&str] = &[
    "ACL|LOG",
    "CLIENT|TRACKING",
    "CLUSTER|GETKEYSINSLOT",
    "DBSIZE",
    "DEBUG",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS",
    "MONITOR",
    "PSYNC",
    "RANDOMKEY",
    "SLOWLOG|GET",
    "SWAPDB",
    "SYNC",
];

/// Whether a command reaches keys that its words do not name.
pub(super) fn needs_all_keys<W: AsRef<[u8]>>(entry: &Entry, words: &[W]) -> bool {
    match entry.name {
        "SORT" | "SORT_RO" => command_options::sort_follows_values(words),
        name => WITHOUT_NAMING_KEYS.contains(&name) || category("scripting").is_some_and(|bit| entry.is_in(bit)),
    }
}

/// Whether Redis tells on a channel what happens to keys, or may do so on one that a pattern matches.
pub(super) fn tells_of_keys(channel: &[u8], is_pattern: bool) -> bool {
    [&b"__keyspace@"[..], b"__keyevent@"]
        .iter()
        .any(|prefix| if is_pattern { glob::may_match_beginning(channel, prefix) } else { channel.starts_with(prefix) })
}
