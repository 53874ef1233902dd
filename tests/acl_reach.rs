//! SPEC 10, from the other side: whatever an ACL lets through is really run, and no key beyond its patterns is seen or
//! touched by it. Here Redis's own notion of keys does not count, only what happens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod dryrun;
mod support;

use std::collections::BTreeSet;

use dryrun::{
    Random,
    commands::{self, HARD, KEYS, Known},
    is_of_the_table,
    server::{Answer, Connection, Words, words},
    setting,
};
use ridge::policy::acl::{Acl, Denied, Passed};
use support::Redis;

/// Everything but what would end the server, wait, or leave the connection in another state.
const RULES: &str = "~a* +@all -@admin -@dangerous -@connection -@transaction -@pubsub -wait +sort +sort_ro";

const SECRET: &str = "s3cret";

/// The key with a value of one kind.
fn create(kind: usize, key: &str, value: &str) -> Vec<Words> {
    let pair = format!("{value}-2");
    match kind {
        0 => vec![words(&["SET", key, value])],
        1 => vec![words(&["RPUSH", key, value, &pair])],
        2 => vec![words(&["SADD", key, value, &pair])],
        3 => vec![words(&["ZADD", key, "1", value, "2", &pair])],
        4 => vec![words(&["HSET", key, value, value, &pair, &pair])],
        5 => vec![words(&["GEOADD", key, "1", "1", value])],
        6 => vec![words(&["XADD", key, "1-0", value, value]), words(&["XGROUP", "CREATE", key, "x", "0"])],
        _ => vec![words(&["SET", key, "7"])],
    }
}

fn shows(answer: &Answer) -> bool {
    answer.text().contains(SECRET) || answer.list().iter().any(shows)
}

#[test]
fn nothing_that_passes_reaches_other_keys() {
    let redis = Redis::options().args(&["--enable-debug-command", "yes"]).start();
    let mut server = Connection::to(&redis);
    let known = commands::known(&mut server);
    let acl = Acl::parse(RULES).unwrap();
    let mut random = Random(setting("RIDGE_ACL_SEED", 1));
    let hard: Vec<&Known> = known.iter().filter(|known| HARD.contains(&known.full_name().as_str())).collect();
    let others: Vec<&str> = KEYS.into_iter().filter(|key| !key.starts_with('a')).collect();
    let (mut run, mut succeeded, mut names) = (0, 0, BTreeSet::new());
    for n in 0..setting("RIDGE_ACL_CASES", 6000) {
        let known: &Known = match n % 2 {
            0 => random.pick(&hard),
            _ => &known[usize::try_from(n / 2).unwrap() % known.len()],
        };
        let command = commands::usage(known, &mut random);
        // Redis keeps nobody from logging in and out; here it would end the test.
        let is_login = ["auth", "hello", "quit", "reset"].contains(&known.full_name().as_str());
        if is_login || acl.check(&command) != Ok(Passed::Whole) {
            continue;
        }
        let (mine, kind) = (random.below(8), random.below(8));
        let mut batch = vec![words(&["FLUSHALL"])];
        batch.extend(KEYS.iter().filter(|key| key.starts_with('a')).flat_map(|key| create(mine, key, "mine")));
        batch.extend(others.iter().flat_map(|key| create(kind, key, SECRET)));
        let digest = words(&[&["DEBUG", "DIGEST-VALUE"], others.as_slice()].concat());
        batch.extend([digest.clone(), words(&["MULTI"]), command.clone(), words(&["EXEC"]), digest]);
        let answers = server.run_all(&batch);
        let [.., before, _, _, answer, after] = answers.as_slice() else { panic!("{answers:?}") };
        let text: Vec<String> = command.iter().map(|word| word.escape_ascii().to_string()).collect();
        assert_eq!(before.list().len(), others.len());
        assert!(!shows(answer), "{text:?} shows {answer:?}");
        assert_eq!(before, after, "{text:?} changes another key");
        run += 1;
        if !matches!(answer.list().first(), None | Some(Answer::Error(_))) {
            succeeded += 1;
            names.insert(known.full_name());
        }
    }
    println!("{run} commands run, {succeeded} did something, of {} kinds", names.len());
    assert!(run > 300 && names.len() > 60, "{run} commands run, of {names:?}");
}

/// Why Ridge reads these commands itself: Redis's check looks at other words than the command does.
#[test]
fn what_redis_overlooks_is_refused() {
    let redis = Redis::own();
    if !is_of_the_table(&redis) {
        return;
    }
    let mut server = Connection::to(&redis);
    for (rules, command) in [
        ("~a", "GEORADIUS a 1 1 1 m STORE a STORE b"),
        ("~a ~by", "SORT a ALPHA STORE by STORE b"),
        ("~a ~STREAMS", "XREADGROUP NOACK GROUP x streams STREAMS b >"),
        ("~a", "PFMERGE b"),
    ] {
        let command: Vec<&str> = command.split(' ').collect();
        server
            .run(&[&["ACL", "SETUSER", "someone", "reset", "+@all"], &*rules.split(' ').collect::<Vec<_>>()].concat());
        let dry_run = server.run(&[&["ACL", "DRYRUN", "someone"], command.as_slice()].concat());
        assert_eq!(dry_run.text(), "OK", "{command:?}: Redis no longer overlooks it");
        let kind = if command[0] == "XREADGROUP" { 6 } else { 5 };
        let mut batch = vec![words(&["FLUSHALL"])];
        batch.extend(create(kind, "a", "mine"));
        if kind == 6 {
            batch.extend(create(kind, "b", SECRET));
        }
        batch.push(words(&command));
        let answer = server.run_all(&batch).pop().unwrap();
        let is_reached = shows(&answer) || (kind != 6 && server.run(&["EXISTS", "b"]) == Answer::Integer(1));
        assert!(is_reached, "{command:?}: {answer:?}");
        let acl = Acl::parse(&format!("+@all {rules}")).unwrap();
        assert_eq!(acl.check(&command), Err(Denied::Key), "{command:?}");
    }
}
