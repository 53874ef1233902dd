//! Commands as people write them, and as people write them wrong.

use super::{
    Random,
    server::{Answer, Connection, Words},
};

/// Few keys, so that rules have something to do with them. Some look like options, one is empty.
pub const KEYS: [&str; 9] = ["a", "ab", "b", "app:1", "app:2", "", "streams", "Store", "by"];
pub const CHANNELS: [&str; 7] = ["a", "b", "chat:1", "chat:2", "__keyspace@0__:a", "__keyevent@0__:set", "__key"];
pub const CHANNEL_PATTERNS: [&str; 9] = ["a", "chat:*", "*", "a*", "_*", "__key*", "__keyspace@0__:*", "[a]*", "?*"];

/// Words that mean something somewhere.
const OPTIONS: [&str; 35] = [
    "STORE",
    "STOREDIST",
    "STREAMS",
    "KEYS",
    "GROUP",
    "BY",
    "GET",
    "LIMIT",
    "COUNT",
    "BLOCK",
    "NOACK",
    "ASC",
    "DESC",
    "ALPHA",
    "ANY",
    "AUTH",
    "AUTH2",
    "COPY",
    "REPLACE",
    "SET",
    "INCRBY",
    "OVERFLOW",
    "EX",
    "PX",
    "NX",
    "XX",
    "KEEPTTL",
    "WITHDIST",
    "MATCH",
    "TYPE",
    "WEIGHTS",
    "AGGREGATE",
    "0",
    "1",
    ">",
];
const COUNTS: [&str; 14] =
    ["0", "-1", "1", "2", "3", "7", "01", "+1", "1x", " 1", "1.0", "", "4294967297", "9223372036854775807"];
const VALUES: [&str; 8] = ["x", "0", "1", "10", "-1", "1.5", "id", "*"];

/// Commands whose options decide where keys are, or whose rules are unlike others.
pub const HARD: [&str; 20] = [
    "set",
    "bitfield",
    "sort",
    "sort_ro",
    "migrate",
    "georadius",
    "georadiusbymember",
    "xread",
    "xreadgroup",
    "zunionstore",
    "zinter",
    "lmpop",
    "bzmpop",
    "pfmerge",
    "eval",
    "publish",
    "subscribe",
    "psubscribe",
    "config|get",
    "select",
];

/// A command of the server, or a subcommand, with what its documentation says of its arguments.
pub struct Known {
    /// One word or two.
    pub names: Vec<String>,
    pub arity: i64,
    pub categories: Vec<String>,
    arguments: Vec<Argument>,
}

impl Known {
    /// `config|get`.
    pub fn full_name(&self) -> String {
        self.names.join("|")
    }
}

/// A command of the server's `COMMAND` and `COMMAND DOCS`.
struct Argument {
    name: String,
    kind: String,
    token: Option<String>,
    optional: bool,
    multiple: bool,
    multiple_token: bool,
    inner: Vec<Argument>,
}

/// Everything that the server knows.
pub fn known(server: &mut Connection) -> Vec<Known> {
    let docs = server.run(&["COMMAND", "DOCS"]);
    let mut all = Vec::new();
    for command in server.run(&["COMMAND"]).list() {
        let docs = docs.get(command.list()[0].text()).unwrap();
        all.push(Known::new(command, docs));
        for subcommand in command.list()[9].list() {
            let docs = docs.get("subcommands").and_then(|docs| docs.get(subcommand.list()[0].text())).unwrap();
            all.push(Known::new(subcommand, docs));
        }
    }
    all.sort_by_key(Known::full_name);
    all
}

impl Known {
    fn new(command: &Answer, docs: &Answer) -> Self {
        let [name, arity, _, _, _, _, categories, ..] = command.list() else { panic!("{command:?}") };
        let Answer::Integer(arity) = arity else { panic!("{arity:?}") };
        Self {
            names: name.text().split('|').map(str::to_owned).collect(),
            arity: *arity,
            categories: categories.list().iter().map(|name| name.text().trim_start_matches('@').to_owned()).collect(),
            arguments: arguments(docs),
        }
    }
}

fn arguments(docs: &Answer) -> Vec<Argument> {
    let argument = |docs: &Answer| {
        let has = |flag: &str| docs.get("flags").is_some_and(|flags| flags.list().iter().any(|one| one.text() == flag));
        Argument {
            name: docs.get("name").unwrap().text().to_owned(),
            kind: docs.get("type").unwrap().text().to_owned(),
            token: docs.get("token").map(|token| token.text().to_owned()),
            optional: has("optional"),
            multiple: has("multiple"),
            multiple_token: has("multiple_token"),
            inner: arguments(docs),
        }
    };
    docs.get("arguments").map_or(&[][..], Answer::list).iter().map(argument).collect()
}

/// A use of a command: mostly right, often slightly wrong, now and then nonsense.
pub fn usage(known: &Known, random: &mut Random) -> Words {
    let mut words: Words = known.names.iter().map(|name| random.any_case(name)).collect();
    if random.percent(8) {
        for _ in 0..random.below(7) {
            words.push(any_word(random));
        }
        return words;
    }
    let count = 1 + random.below(3);
    let mut writer = Writer { random, count, words };
    writer.all(&known.arguments);
    let Writer { random, mut words, .. } = writer;
    if random.percent(35) {
        for _ in 0..=random.below(2) {
            spoil(&mut words, known.names.len(), random);
        }
    }
    words
}

struct Writer<'a> {
    random: &'a mut Random,
    /// How many there are of what there may be many of.
    count: usize,
    words: Words,
}

impl Writer<'_> {
    fn all(&mut self, arguments: &[Argument]) {
        for argument in arguments {
            if !argument.optional || self.random.percent(40) {
                self.one(argument);
            }
        }
    }

    fn one(&mut self, argument: &Argument) {
        let times = match argument.multiple {
            true if self.random.percent(90) => self.count,
            true => 1 + self.random.below(3),
            false => 1,
        };
        for n in 0..times {
            if let Some(token) = argument.token.as_ref().filter(|_| n == 0 || argument.multiple_token) {
                let word = self.random.any_case(token.trim_matches('"'));
                self.words.push(word);
            }
            self.value(argument);
        }
    }

    fn value(&mut self, argument: &Argument) {
        match argument.kind.as_str() {
            "pure-token" => return,
            "block" => return self.all(&argument.inner),
            "oneof" => {
                let chosen = self.random.below(argument.inner.len());
                return self.one(&argument.inner[chosen]);
            }
            _ => {}
        }
        let random = &mut *self.random;
        let word: &str = match (argument.kind.as_str(), argument.name.as_str()) {
            (_, "numkeys") if random.percent(85) => return self.words.push(self.count.to_string().into_bytes()),
            (_, "numkeys") => random.pick(&COUNTS),
            ("key", _) => random.pick(&KEYS),
            (_, "channel" | "shardchannel") => random.pick(&CHANNELS),
            ("pattern", _) => random.pick(&CHANNEL_PATTERNS),
            ("string", _) if random.percent(20) => random.pick(&OPTIONS),
            ("string", _) => random.pick(&VALUES),
            _ => random.pick(&["0", "1", "5", "-1"]),
        };
        self.words.push(word.as_bytes().to_vec());
    }
}

fn any_word(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => random.pick(&KEYS).as_bytes().to_vec(),
        1 => random.pick(&COUNTS).as_bytes().to_vec(),
        2 => random.pick(&CHANNEL_PATTERNS).as_bytes().to_vec(),
        3 => random.text(b"ab*\\0\xc3", 3),
        _ => {
            let option = random.pick(&OPTIONS);
            random.any_case(option)
        }
    }
}

fn spoil(words: &mut Words, names: usize, random: &mut Random) {
    let arguments = words.len() - names;
    let place = names + random.below(arguments + 1);
    let is_word = place < words.len();
    match random.below(8) {
        0 if is_word => drop(words.remove(place)),
        1 => words.truncate(place),
        2 if is_word => words.push(words[place].clone()),
        3 if is_word => words[place] = any_word(random),
        4 if is_word => words[place].extend(b"\0x"),
        5 if arguments > 0 => {
            let other = names + random.below(arguments);
            let place = place.min(words.len() - 1);
            words.swap(other, place);
        }
        6 => {
            // An option, perhaps one that was there before, with something after it.
            let option = random.pick(&OPTIONS);
            let again = words[words.len() - 1 - random.below(arguments.max(1))].clone();
            words.push(if random.percent(50) { again } else { random.any_case(option) });
            words.push(random.pick(&KEYS).as_bytes().to_vec());
        }
        _ => words.insert(place, any_word(random)),
    }
}
