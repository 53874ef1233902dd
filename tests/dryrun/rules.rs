//! ACLs that have something to do with the commands they are tried on.

use super::{Random, commands::Known};

const KEY_RULES: [&str; 16] = [
    "~*",
    "allkeys",
    "resetkeys",
    "~a*",
    "~b",
    "~app:*",
    "%R~a*",
    "%W~a*",
    "%RW~b*",
    "%R~*",
    "%W~*",
    "%RW~*",
    "~[ab]*",
    "%r~app:?",
    "~*t*",
    "~",
];
const CHANNEL_RULES: [&str; 8] = ["&*", "allchannels", "resetchannels", "&a", "&chat:*", "&*a*", "&__key*", "&[a-c]*"];
const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];
const WRONG: [&str; 12] = [
    "+nope",
    "-nope|x",
    "+@nope",
    "+config|nope",
    "-select|0",
    "+get|",
    "+config|get|x",
    "%X~a",
    "~a\x0bb",
    "nope",
    "(+get",
    "+get)",
];

/// Rules for commands of which `about` are some. Most allow something.
pub fn acl(about: &[&Known], random: &mut Random) -> Vec<String> {
    let mut rules = selector(about, random, true);
    for _ in 0..[0, 0, 0, 1, 2][random.below(5)] {
        let inner = selector(about, random, false);
        if random.percent(50) && !inner.is_empty() {
            rules.push(format!("({})", inner.join(" ")));
        } else {
            rules.push("(".to_owned());
            rules.extend(inner);
            rules.push(")".to_owned());
        }
    }
    if random.percent(3) {
        rules.push("clearselectors".to_owned());
    }
    if random.percent(4) {
        let place = random.below(rules.len() + 1);
        rules.insert(place, random.pick(&WRONG).to_owned());
    }
    // A selector may hold blanks; the rules are its words.
    rules.iter().flat_map(|rule| rule.split(' ')).map(str::to_owned).collect()
}

fn selector(about: &[&Known], random: &mut Random, is_root: bool) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    if random.percent(60) {
        rules.push(random.pick(&["+@all", "allcommands"]).to_owned());
    }
    for _ in 0..random.below(if is_root { 4 } else { 3 }) {
        rules.push(command_rule(about, random));
    }
    for _ in 0..random.below(4) {
        rules.push(random.pick(&KEY_RULES).to_owned());
    }
    for _ in 0..random.below(3) {
        rules.push(random.pick(&CHANNEL_RULES).to_owned());
    }
    if random.percent(20) && rules.len() > 1 {
        let (one, other) = (random.below(rules.len()), random.below(rules.len()));
        rules.swap(one, other);
    }
    rules
}

fn command_rule(about: &[&Known], random: &mut Random) -> String {
    let sign = if random.percent(60) { '+' } else { '-' };
    let known = random.pick(about);
    let name = String::from_utf8({
        let name = known.full_name();
        random.any_case(&name)
    })
    .unwrap();
    match random.below(10) {
        0 => random.pick(&["-@all", "nocommands", "+@all", "+@ALL"]).to_owned(),
        1..4 => format!("{sign}@{}", random.pick(&CATEGORIES)),
        4 if !known.categories.is_empty() => {
            format!("{sign}@{}", known.categories[random.below(known.categories.len())])
        }
        5 => format!("{sign}{}", known.names[0]),
        6 => format!("+{name}|{}", random.pick(&["a", "0", "x", "get"])),
        _ => format!("{sign}{name}"),
    }
}
