//! The expiry that a namespace's rule gives to keys that are written without one.
//!
//! A plain `SET` that names no expiry is given it as its own option. Every other command that may have written a key is followed by
//! `EXPIRE … NX`, which changes nothing if the key has an expiry or is not there. So a key that matches a rule has an expiry
//! after every write through the gateway, also one that changed nothing. Keys that a script does not declare are not seen.

use std::collections::HashSet;

use bytes::Bytes;

use crate::{
    edge::batch::Words,
    policy::{command_keys::keys_of, command_options::options_of_set, command_table::Entry, namespaces::Namespaces},
    redis::Command,
};

/// Commands that leave no key, or one with an expiry.
const NEED_NONE: [&str; 5] = ["DEL", "GETDEL", "PSETEX", "SETEX", "UNLINK"];

/// Options of `SET` that give the key an expiry.
const EXPIRIES: [&str; 4] = ["EX", "EXAT", "PX", "PXAT"];

/// What is added to a command, and which commands follow it.
pub fn add(entry: &Entry, words: &mut Words, namespaces: &Namespaces) -> Vec<Command> {
    if !namespaces.has_rules() || NEED_NONE.contains(&entry.name) {
        return Vec::new();
    }
    if let ("SET", Some(options)) = (entry.name, options_of_set(words)) {
        if options.iter().any(|option| EXPIRIES.contains(option)) {
            return Vec::new();
        }
        // Anything else may keep it from being written, or its expiry from being lost.
        if options.iter().all(|option| *option == "GET") {
            if let Some(seconds) = words.get(1).and_then(|key| namespaces.expiry_of(key)) {
                words.extend([Bytes::from_static(b"EX"), seconds.to_string().into()]);
            }
            return Vec::new();
        }
    }
    let mut seen = HashSet::new();
    let mut expiries = Vec::new();
    for key in keys_of(entry, words).unwrap_or_default().iter().filter(|key| key.writes) {
        let Some(key) = words.get(key.position).filter(|key| seen.insert(*key)) else { continue };
        if let Some(seconds) = namespaces.expiry_of(key) {
            expiries.push(Command::new("EXPIRE").arg(key.clone()).arg(seconds.to_string()).arg("NX"));
        }
    }
    expiries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::command_table::lookup;

    fn added(command: &str) -> String {
        let rules = r#"[{"name":"a","prefix":"a:","ttl":[["a:keep:*",9],["a:*",5]]},{"name":"b","prefix":"b:"}]"#;
        let namespaces = Namespaces::parse(rules).unwrap();
        let mut words: Words = command.split(' ').map(|word| Bytes::from(word.to_owned())).collect();
        let follow = add(lookup(&words).unwrap(), &mut words, &namespaces);
        let text =
            |words: &[Bytes]| words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
        std::iter::once(text(&words))
            .chain(follow.iter().map(|command| text(command.args())))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn a_write_without_an_expiry_is_given_one() {
        for (command, expected) in [
            ("SET a:1 v", "SET a:1 v EX 5"),
            ("set a:keep:1 v get", "set a:keep:1 v get EX 9"),
            ("SET a:1 v nx get", "SET a:1 v nx get; EXPIRE a:1 5 NX"),
            ("SET a:1 v KEEPTTL", "SET a:1 v KEEPTTL; EXPIRE a:1 5 NX"),
            ("SET a:1 v px 100", "SET a:1 v px 100"),
            ("SET b:1 v", "SET b:1 v"),
            ("SET c v", "SET c v"),
            ("SET a:1 EX", "SET a:1 EX EX 5"),
            ("SET a:1 v IFEQ EX", "SET a:1 v IFEQ EX; EXPIRE a:1 5 NX"),
            ("SET a:1", "SET a:1; EXPIRE a:1 5 NX"),
            ("SET a:1 v EX", "SET a:1 v EX; EXPIRE a:1 5 NX"),
            ("HSET a:1 f v", "HSET a:1 f v; EXPIRE a:1 5 NX"),
            (
                "MSET a:1 v a:keep:2 v b:1 v a:1 w",
                "MSET a:1 v a:keep:2 v b:1 v a:1 w; EXPIRE a:1 5 NX; EXPIRE a:keep:2 9 NX",
            ),
            ("RENAME b:1 a:1", "RENAME b:1 a:1; EXPIRE a:1 5 NX"),
            ("PERSIST a:1", "PERSIST a:1; EXPIRE a:1 5 NX"),
            ("EVAL x 2 a:1 b:1 a:2", "EVAL x 2 a:1 b:1 a:2; EXPIRE a:1 5 NX"),
            ("ZUNIONSTORE a:1 1 a:2", "ZUNIONSTORE a:1 1 a:2; EXPIRE a:1 5 NX"),
            ("XADD a:1 * f v", "XADD a:1 * f v; EXPIRE a:1 5 NX"),
            ("SETEX a:1 7 v", "SETEX a:1 7 v"),
            ("DEL a:1", "DEL a:1"),
            ("GET a:1", "GET a:1"),
            ("EVAL_RO x 1 a:1", "EVAL_RO x 1 a:1"),
            ("PING", "PING"),
        ] {
            assert_eq!(added(command), expected);
        }
    }
}
