//! Policy as a table: every command that a real server knows, in odd letter cases and odd arities, against both
//! proxies. What gets through shows in the server's own count of calls, and so does what does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{Gateway, Redis};

/// SPEC 2, word for word.
const READ: [&str; 13] = [
    "HGETALL",
    "HGET",
    "HMGET",
    "SMEMBERS",
    "SISMEMBER",
    "ZRANGE",
    "ZREVRANGE",
    "ZCARD",
    "GET",
    "MGET",
    "EXISTS",
    "TTL",
    "TYPE",
];
const WRITE: [&str; 3] = ["HSET", "HDEL", "HINCRBY"];

struct Known {
    name: String,
    arity: i64,
    writes: bool,
}

/// What the server says of itself.
fn commands_of(redis: &Redis) -> Vec<Known> {
    let list = redis.run(&["COMMAND"]);
    let known: Vec<Known> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| Known {
            name: entry[0].as_str().unwrap().to_uppercase(),
            arity: entry[1].as_i64().unwrap(),
            writes: entry[2].as_array().unwrap().iter().any(|flag| flag == "write"),
        })
        .collect();
    assert!(known.len() > 200, "{} commands", known.len());
    known
}

impl Known {
    fn takes(&self, arguments: usize) -> bool {
        let words = i64::try_from(arguments).unwrap() + 1;
        if self.arity < 0 { words >= -self.arity } else { words == self.arity }
    }
}

fn cases(name: &str) -> [String; 4] {
    let alternate = |first_is_upper: bool| {
        let letter = |(n, c): (usize, char)| {
            if (n % 2 == 0) == first_is_upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
        };
        name.chars().enumerate().map(letter).collect()
    };
    [name.to_uppercase(), name.to_lowercase(), alternate(true), alternate(false)]
}

fn command(name: &str, arguments: &[&str]) -> Value {
    std::iter::once(name).chain(arguments.iter().copied()).collect()
}

/// How often the server ran each command since the last `CONFIG RESETSTAT`, without the questions of this test.
fn calls(redis: &Redis) -> BTreeMap<String, u64> {
    let stats = redis.run(&["INFO", "commandstats"]);
    let lines = stats.as_str().unwrap().lines().filter_map(|line| line.strip_prefix("cmdstat_"));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(":calls=").unwrap();
            (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap())
        })
        .filter(|(name, _)| !name.starts_with("config") && name != "info")
        .collect()
}

/// Sends the commands in batches as large as may be; one result each.
async fn results(gateway: &Gateway, path: &str, commands: &[Value]) -> Vec<Value> {
    let mut results = Vec::new();
    for batch in commands.chunks(1000) {
        let mut answer = gateway.post(path).api_key().json(batch.to_vec()).send().await.ok();
        let list = if path == "/" { answer.take() } else { answer["results"].take() };
        results.extend(list.as_array().unwrap().iter().cloned());
    }
    assert_eq!(results.len(), commands.len());
    results
}

#[tokio::test]
async fn the_read_proxy_lets_thirteen_commands_through_and_no_other() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let arguments = ["key", "1", "2", "1", "2", "1"];
    let (mut sent, mut expected, mut runs) = (Vec::new(), Vec::new(), BTreeMap::new());
    for known in commands_of(&redis) {
        for name in cases(&known.name) {
            for count in 0..=arguments.len() {
                sent.push(command(&name, &arguments[..count]));
                let lower = known.name.to_lowercase();
                expected.push(if !READ.contains(&&*known.name) {
                    let refusal =
                        if known.writes { "ERR read-only mode" } else { "ERR command not allowed in read mode" };
                    Some(refusal.to_owned())
                } else if known.takes(count) {
                    *runs.entry(lower).or_default() += 1;
                    None
                } else {
                    Some(format!("ERR wrong number of arguments for '{lower}' command"))
                });
            }
        }
    }
    assert_eq!(runs.len(), READ.len());
    redis.run(&["CONFIG", "RESETSTAT"]);
    let results = results(&gateway, "/", &sent).await;
    assert_eq!(calls(&redis), runs);
    for ((command, expected), result) in sent.iter().zip(expected).zip(&results) {
        match expected {
            Some(refusal) => assert_eq!(*result, refusal, "{command}"),
            // ZRANGE with six arguments may be no proper ZRANGE; then Redis says so itself.
            None if result.is_string() => {
                assert!(["none", "ERR syntax error"].contains(&result.as_str().unwrap()), "{command} {result}")
            }
            None => {}
        }
    }
    assert_eq!(redis.run(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn the_write_proxy_lets_three_commands_through_and_no_other() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    // A key where nothing else is kept up to date, so that the server sees only what was asked.
    let arguments = ["user:a:data", "1", "2", "1", "2", "1"];
    let (mut sent, mut expected, mut runs) = (Vec::new(), Vec::new(), BTreeMap::new());
    for known in commands_of(&redis) {
        for name in cases(&known.name) {
            for count in 0..=arguments.len() {
                sent.push(command(&name, &arguments[..count]));
                let lower = known.name.to_lowercase();
                let pairs_whole = known.name != "HSET" || count % 2 == 1;
                expected.push(if !WRITE.contains(&&*known.name) {
                    Some("ERR command not allowed in write mode".to_owned())
                } else if known.takes(count) && pairs_whole {
                    *runs.entry(lower).or_default() += 1;
                    None
                } else {
                    Some(format!("ERR wrong number of arguments for '{lower}' command"))
                });
            }
        }
    }
    assert_eq!(runs.len(), WRITE.len());
    redis.run(&["CONFIG", "RESETSTAT"]);
    let results = results(&gateway, "/redis/write", &sent).await;
    let mut seen = calls(&redis);
    seen.retain(|name, _| !name.starts_with("eval"));
    assert_eq!(seen, runs);
    for ((command, expected), result) in sent.iter().zip(expected).zip(&results) {
        match expected {
            Some(refusal) => assert_eq!(*result, refusal, "{command}"),
            None => assert!(result.is_i64(), "{command} {result}"),
        }
    }
}

#[tokio::test]
async fn names_that_only_look_like_a_command_are_none() {
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for (names, list) in [(&READ[..], &mut reads), (&WRITE[..], &mut writes)] {
        for name in names {
            let twisted = [
                format!("{name} "),
                format!(" {name}"),
                format!("{name}\0"),
                format!("{name}\r\nFLUSHALL"),
                format!("{name}|GET"),
                name[1..].to_owned(),
                format!("{name}X"),
                // Letters whose capitals or small forms are ASCII: long s, and the Kelvin sign.
                name.replace('S', "\u{17f}"),
                name.replace('K', "\u{212a}"),
                name.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect(),
            ];
            list.extend(
                twisted
                    .into_iter()
                    .filter(|text| !names.contains(&&**text))
                    .map(|text| command(&text, &["user:a:x", "1", "2"])),
            );
        }
    }
    writes.push(command("", &["user:a:x", "1", "2"]));
    reads.push(command("", &["user:a:x", "1", "2"]));
    reads.push(command(&"H".repeat(100_000), &["user:a:x"]));
    redis.run(&["CONFIG", "RESETSTAT"]);
    for (command, result) in reads.iter().zip(results(&gateway, "/", &reads).await) {
        assert_eq!(result, "ERR command not allowed in read mode", "{command}");
    }
    for (command, result) in writes.iter().zip(results(&gateway, "/redis/write", &writes).await) {
        assert_eq!(result, "ERR command not allowed in write mode", "{command}");
    }
    assert_eq!(calls(&redis), BTreeMap::new());
}

/// A number is its text, so it is no command's name.
#[tokio::test]
async fn a_name_may_be_a_number_and_is_refused_like_any_other() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    assert_eq!(gateway.read(json!([[1, "a"], [true]])).await, json!(vec!["ERR command not allowed in read mode"; 2]));
    assert_eq!(gateway.write(json!([[1.5, "user:a"]])).await, json!(["ERR command not allowed in write mode"]));
}
