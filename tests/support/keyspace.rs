//! The whole of a Redis in plain Rust collections, and in what two of them differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Redis;

/// What stands at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A string.
    Text(String),
    /// A hash.
    Hash(BTreeMap<String, String>),
    /// A set.
    Set(BTreeSet<String>),
    /// A sorted set, with its scores.
    Zset(BTreeMap<String, i64>),
    /// A type that Ridge does not use.
    Other(String),
}

/// Everything in a Redis, by key.
pub type Keyspace = BTreeMap<String, Stored>;

impl Redis {
    /// Reads everything. What is written meanwhile may be in it or not.
    pub fn keyspace(&self) -> Keyspace {
        let keys = self.keys();
        let types = self.run_all(&keys.iter().map(|key| vec!["TYPE", key]).collect::<Vec<_>>());
        let types: Vec<&str> = types.iter().map(|reply| reply.as_str().expect("TYPE answers a word")).collect();
        let values =
            self.run_all(&keys.iter().zip(&types).map(|(key, kind)| read_command(kind, key)).collect::<Vec<_>>());
        keys.iter().cloned().zip(types.iter().zip(values).map(|(kind, value)| stored(kind, &value))).collect()
    }

    /// The keys that will go by themselves.
    pub fn expiring_keys(&self) -> BTreeSet<String> {
        let keys = self.keys();
        let times = self.run_all(&keys.iter().map(|key| vec!["PTTL", key]).collect::<Vec<_>>());
        keys.into_iter().zip(times).filter(|(_, time)| time.as_i64() > Some(0)).map(|(key, _)| key).collect()
    }

    /// Writes all of a keyspace, past the gateway and whatever is there. Rankings of an hour or a day last for a day.
    pub fn fill(&self, keys: &Keyspace) {
        let commands: Vec<Vec<String>> = keys.iter().flat_map(|(key, value)| write_commands(key, value)).collect();
        let words = commands.iter().map(|command| command.iter().map(String::as_str).collect());
        self.run_all(&words.collect::<Vec<_>>());
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = BTreeSet::new();
        let mut cursor = "0".to_owned();
        loop {
            let reply = self.run(&["SCAN", &cursor, "COUNT", "1000"]);
            keys.extend(strings(&reply[1]));
            cursor = reply[0].as_str().expect("a cursor is text").to_owned();
            if cursor == "0" {
                return keys.into_iter().collect();
            }
        }
    }
}

fn read_command<'a>(kind: &str, key: &'a str) -> Vec<&'a str> {
    match kind {
        "string" => vec!["GET", key],
        "hash" => vec!["HGETALL", key],
        "set" => vec!["SMEMBERS", key],
        "zset" => vec!["ZRANGE", key, "0", "-1", "WITHSCORES"],
        _ => vec!["TYPE", key],
    }
}

fn write_commands(key: &str, value: &Stored) -> Vec<Vec<String>> {
    let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match value {
        Stored::Text(text) => vec![command(&["SET", key, text])],
        Stored::Hash(fields) => fields.iter().map(|(name, value)| command(&["HSET", key, name, value])).collect(),
        Stored::Set(members) => members.iter().map(|member| command(&["SADD", key, member])).collect(),
        Stored::Zset(scores) => {
            let adding = scores.iter().map(|(member, score)| command(&["ZADD", key, &score.to_string(), member]));
            let expiring = key.contains(":ranked:").then(|| command(&["EXPIRE", key, "86400"]));
            adding.chain(expiring).collect()
        }
        Stored::Other(kind) => panic!("{key} is a {kind}"),
    }
}

fn stored(kind: &str, value: &Value) -> Stored {
    match kind {
        "string" => Stored::Text(value.as_str().unwrap_or_default().to_owned()),
        "hash" => Stored::Hash(pairs(value).into_iter().collect()),
        "set" => Stored::Set(strings(value).collect()),
        "zset" => Stored::Zset(pairs(value).into_iter().map(|(member, score)| (member, integer(&score))).collect()),
        _ => Stored::Other(kind.to_owned()),
    }
}

/// Every score and count of Ridge is an integer; what is none is shown as the smallest.
pub fn integer(text: &str) -> i64 {
    text.parse().unwrap_or(i64::MIN)
}

fn strings(array: &Value) -> impl Iterator<Item = String> {
    let words = array.as_array().expect("an array");
    words.iter().map(|word| word.as_str().expect("a string").to_owned())
}

fn pairs(array: &Value) -> Vec<(String, String)> {
    let words: Vec<String> = strings(array).collect();
    words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// In what a keyspace differs from what it should be: a sentence for each field or member.
pub fn differences(actual: &Keyspace, expected: &Keyspace) -> Vec<String> {
    let keys: BTreeSet<&String> = actual.keys().chain(expected.keys()).collect();
    keys.into_iter().flat_map(|key| key_differences(key, actual.get(key), expected.get(key))).collect()
}

fn key_differences(key: &str, actual: Option<&Stored>, expected: Option<&Stored>) -> Vec<String> {
    match (actual, expected) {
        (Some(actual), None) => vec![format!("{key}: is there and should not be: {actual:?}")],
        (None, Some(expected)) => vec![format!("{key}: is missing: {expected:?}")],
        (Some(actual), Some(expected)) if actual != expected => match (parts(actual), parts(expected)) {
            (Some(actual), Some(expected)) => part_differences(key, &actual, &expected),
            _ => vec![format!("{key}: is {actual:?}, should be {expected:?}")],
        },
        _ => Vec::new(),
    }
}

fn part_differences(key: &str, actual: &BTreeMap<&str, String>, expected: &BTreeMap<&str, String>) -> Vec<String> {
    let names: BTreeSet<&&str> = actual.keys().chain(expected.keys()).collect();
    let differing = names.into_iter().filter(|name| actual.get(*name) != expected.get(*name));
    let text = |part: Option<&String>| part.map_or_else(|| "absent".to_owned(), |value| format!("{value:?}"));
    differing
        .map(|name| format!("{key}: {name:?} is {}, should be {}", text(actual.get(name)), text(expected.get(name))))
        .collect()
}

/// The fields or members of a value that has such, of one kind of value by one notation.
fn parts(stored: &Stored) -> Option<BTreeMap<&str, String>> {
    Some(match stored {
        Stored::Hash(fields) => fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect(),
        Stored::Set(members) => members.iter().map(|member| (member.as_str(), "a member".to_owned())).collect(),
        Stored::Zset(scores) => scores.iter().map(|(member, score)| (member.as_str(), format!("at {score}"))).collect(),
        Stored::Text(_) | Stored::Other(_) => return None,
    })
}
