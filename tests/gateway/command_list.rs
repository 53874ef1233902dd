//! The list of what is refused, held against all commands that a real server knows, and against names that only look new.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    door::{Backend, once, refused_here},
    support::Redis,
};

over_both_backends![
    every_command_of_a_real_server_is_refused_or_run,
    a_nul_hides_no_command,
    what_makes_redis_hang_up_is_refused,
];

/// A command or subcommand as the server describes itself.
struct Known {
    name: String,
    flags: BTreeSet<String>,
    categories: BTreeSet<String>,
}

fn all_commands(redis: &Redis) -> Vec<Known> {
    let mut known = Vec::new();
    let mut open: Vec<Value> = redis.run(&["COMMAND"]).as_array().unwrap().clone();
    while let Some(entry) = open.pop() {
        let texts =
            |n: usize| entry[n].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        known.push(Known { name: entry[0].as_str().unwrap().to_uppercase(), flags: texts(2), categories: texts(6) });
        open.extend(entry[9].as_array().unwrap().iter().cloned());
    }
    assert!(known.len() > 350, "{} commands", known.len());
    known
}

/// SPEC 9 in the words that the server has for its commands.
fn is_refused_by_spec(known: &Known, administering: &BTreeSet<String>) -> bool {
    let in_category = |name: &str| known.categories.contains(name);
    let family = known.name.split('|').next().unwrap();
    let is_one_of = |names: &[&str]| names.contains(&known.name.as_str());
    // Whose own name says that it is allowed, and what only reads or tells of the commands themselves.
    if matches!(
        family,
        "DBSIZE" | "TIME" | "FLUSHDB" | "FLUSHALL" | "SCRIPT" | "FUNCTION" | "PING" | "ECHO" | "COMMAND"
    ) {
        return known.name == "SCRIPT|DEBUG";
    }
    if family == "ACL" {
        // What reads is allowed, unless it shows digests of passwords or addresses of clients.
        let shows_secrets = is_one_of(&["ACL|GETUSER", "ACL|LIST", "ACL|LOG"]);
        return shows_secrets || is_one_of(&["ACL", "ACL|SETUSER", "ACL|DELUSER", "ACL|LOAD", "ACL|SAVE"]);
    }
    // A stream is waited for only if an option says so.
    let waits = known.flags.contains("blocking") && !matches!(family, "XREAD" | "XREADGROUP");
    let listens = known.flags.contains("pubsub") && !matches!(family, "PUBLISH" | "SPUBLISH" | "PUBSUB");
    let administers = administering.contains(family);
    let transaction = in_category("@transaction");
    let connection = in_category("@connection");
    let cluster = matches!(family, "CLUSTER" | "ASKING" | "READONLY" | "READWRITE" | "MIGRATE" | "RESTORE-ASKING");
    let server = matches!(family, "MODULE" | "MOVE" | "SWAPDB" | "LATENCY" | "CLIENT")
        || (family == "MEMORY" && !is_one_of(&["MEMORY|USAGE", "MEMORY|HELP"]));
    waits || listens || administers || transaction || connection || cluster || server
}

async fn every_command_of_a_real_server_is_refused_or_run(backend: Backend) {
    let door = backend.open().await;
    let mut wrong = Vec::new();
    let all = all_commands(&door.redis);
    let administer = |known: &&Known| known.categories.contains("@admin");
    let family = |known: &Known| known.name.split('|').next().unwrap().to_owned();
    let administering: BTreeSet<String> = all.iter().filter(administer).map(family).collect();
    for known in all {
        let command: Vec<&str> = known.name.split('|').collect();
        let answer = door.post("/redis").json(json!(command)).send().await;
        let is_refused = answer.header("x-redis-round-trips") == "0";
        if is_refused {
            refused_here(&answer);
        } else {
            once(&answer);
        }
        if is_refused != is_refused_by_spec(&known, &administering) {
            wrong.push(format!("{}: {}", known.name, if is_refused { "refused" } else { "run" }));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Redis finds a command by the hash of its whole name, then compares C strings: one name in so many that only begin like
/// a command's is taken for it.
async fn a_nul_hides_no_command(backend: Backend) {
    let door = backend.open().await;
    door.redis.run(&["CONFIG", "RESETSTAT"]);
    for name in ["CONFIG", "config", "ACL", "CLIENT"] {
        let arguments = if name == "CLIENT" { ["ID", "x"] } else { ["SETUSER", "mallory"] };
        let commands: Value = (0..2000).map(|n| json!([format!("{name}\0{n}"), arguments[0], arguments[1]])).collect();
        for result in door.post("/redis/pipeline").json(commands).send().await.ok().as_array().unwrap() {
            let error = result["error"].as_str().unwrap();
            assert_eq!(error, "ERR A command's name has no NUL in it");
        }
    }
    let commands: Value = (0..200).map(|n| json!(["SCRIPT", format!("DEBUG\0{n}"), "NO"])).collect();
    door.post("/redis/pipeline").json(commands).send().await.ok();
    let stats = door.redis.run(&["INFO", "commandstats"]);
    for name in ["config|", "acl|", "client|", "script|"] {
        let ran: Vec<&str> = stats.as_str().unwrap().lines().filter(|line| line.contains(name)).collect();
        let ran: Vec<&&str> = ran.iter().filter(|line| !line.starts_with("cmdstat_config|resetstat")).collect();
        assert!(ran.is_empty(), "{ran:?}");
    }
}

/// An HTTP request that reaches a Redis by mistake begins with one of these two, so Redis hangs up without a word.
async fn what_makes_redis_hang_up_is_refused(backend: Backend) {
    let door = backend.open().await;
    for name in ["POST", "post", "Host:", "HOST:"] {
        let results = door.pipeline(json!([["INCR", "n"], [name, "x"], ["DECR", "n"]])).await;
        assert_eq!((&results[0], &results[2]), (&json!({"result": 1}), &json!({"result": 0})), "{name}");
        assert!(results[1]["error"].is_string(), "{name}");
    }
}
