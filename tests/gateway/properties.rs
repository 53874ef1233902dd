//! Whatever the words are: Redis gets them as they were said, and what it says comes back.
//!
//! `PROPTEST_CASES=5000 cargo test --release --test gateway properties` looks longer.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    door::{Backend, Door},
    raw::raw,
    support::Redis,
};

/// How many cases a plain run looks at, over each backend.
const CASES: u32 = 150;

/// Holds `check` against cases, over both backends.
fn hold<S: Strategy>(strategy: S, check: impl AsyncFn(&Door, S::Value) -> Result<(), String>) {
    let cases = std::env::var("PROPTEST_CASES").ok().map_or(CASES, |text| text.parse().unwrap());
    for backend in [Backend::Tcp, Backend::Rest] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let door = runtime.block_on(backend.open());
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config)
            .run(&strategy, |case| runtime.block_on(check(&door, case)).map_err(TestCaseError::fail));
        if let Err(failure) = outcome {
            panic!("{backend:?}: {failure}");
        }
    }
}

fn same(told: &[u8], expected: &[u8]) -> Result<(), String> {
    let (told, expected) = (told.escape_ascii().to_string(), expected.escape_ascii().to_string());
    if told == expected { Ok(()) } else { Err(format!("{told}\ninstead of\n{expected}")) }
}

/// The words that have been pushed to `list`, which is gone afterwards, as they would be if nobody stood between.
fn pushed(redis: &Redis, words: &[Vec<u8>]) -> Result<(), String> {
    let push: Vec<&[u8]> = [&b"RPUSH"[..], b"expected"].into_iter().chain(words.iter().map(Vec::as_slice)).collect();
    raw(redis, &push);
    let list = |key| raw(redis, &["LRANGE", key, "0", "-1"]);
    let outcome = same(&list("list"), &list("expected"));
    redis.run(&["DEL", "list", "expected"]);
    outcome
}

/// Any text; often one that a server might stumble over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        2 => "[a-z:]{1,12}",
        1 => select(vec!["", ".", "..", "%", "%2F", "a/b", "//", "?", "#", "a;b", "+", " ", "_token", "pipeline", "\\", "\0", "\r\n", "OK", "null"])
            .prop_map(str::to_owned),
    ]
}

/// Bytes that a path can bring to any backend: no text, but nothing in them that a server might split or decode again.
fn plain_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..20).prop_map(|bytes| {
        let plain = bytes.into_iter().filter(|byte| !b"./\\%?#;".contains(byte));
        std::iter::once(b'x').chain(plain).collect()
    })
}

async fn push_by_path(door: &Door, words: &[Vec<u8>]) -> Result<(), String> {
    let path: Vec<String> = words.iter().map(|word| percent_encode(word, NON_ALPHANUMERIC).to_string()).collect();
    let answer = door.get(&format!("/redis/rpush/list/{}", path.join("/"))).send().await;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    pushed(&door.redis, words)
}

#[test]
fn any_text_in_a_path_is_that_text() {
    hold(vec(text(), 1..6), async |door, words| {
        push_by_path(door, &words.into_iter().map(String::into_bytes).collect::<Vec<_>>()).await
    });
}

#[test]
fn any_bytes_in_a_path_are_those_bytes() {
    hold(vec(plain_bytes(), 1..6), async |door, words| push_by_path(door, &words).await);
}

#[test]
fn any_bytes_in_a_body_are_the_last_argument() {
    hold((vec(plain_bytes(), 0..3), vec(any::<u8>(), 1..200)), async |door, (mut words, body)| {
        let path: Vec<String> = words.iter().map(|word| percent_encode(word, NON_ALPHANUMERIC).to_string()).collect();
        let path = format!("/redis/rpush/list/{}", path.join("/"));
        let answer = door.post(path.trim_end_matches('/')).body(body.clone()).send().await;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        words.push(body);
        pushed(&door.redis, &words)
    });
}

#[test]
fn any_text_in_a_query_is_that_text() {
    let name = text().prop_filter("a token is no argument", |name| name != "_token");
    hold(vec((name, text()), 1..4), async |door, pairs| {
        let encode = |text: &str| percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string();
        let query: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let answer = door.get(&format!("/redis/rpush/list/x?{}", query.join("&"))).send().await;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        let mut words = vec![b"x".to_vec()];
        for (name, value) in pairs {
            words.push(name.into_bytes());
            words.extend((!value.is_empty()).then_some(value.into_bytes()));
        }
        pushed(&door.redis, &words)
    });
}

/// A word in JSON, and what Redis gets: a string with all kinds of escapes, or a number or a boolean as it is written.
fn json_word() -> impl Strategy<Value = (String, Vec<u8>)> {
    let string = text().prop_map(|text| (json!(text).to_string(), text.into_bytes()));
    let escaped = text().prop_map(|text| {
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        (format!("\"{units}\""), text.into_bytes())
    });
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,3})?";
    let number = number.prop_map(|text| (text.clone(), text.into_bytes()));
    let boolean = any::<bool>().prop_map(|is| (is.to_string(), is.to_string().into_bytes()));
    prop_oneof![3 => string, 1 => escaped, 3 => number, 1 => boolean]
}

#[test]
fn any_words_in_a_json_body_are_those_words() {
    let form = select(vec!["/redis", "/redis/pipeline", "/redis/multi-exec"]);
    hold((form, vec(json_word(), 1..6), "[ \t\r\n]{0,3}"), async |door, (path, words, blank)| {
        let list: Vec<&str> = words.iter().map(|(json, _)| json.as_str()).collect();
        let command = format!("{blank}[\"RPUSH\",{blank}\"list\",{}{blank}]", list.join(&format!(",{blank}")));
        let body = if path == "/redis" { command } else { format!("[{command}]{blank}") };
        let answer = door.post(path).body(body).send().await;
        if answer.status != 200 || answer.text().contains("error") {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        pushed(&door.redis, &words.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>())
    });
}

/// Commands about a few small keys, with every kind of reply, errors among them.
fn command() -> impl Strategy<Value = Vec<String>> {
    const FORMS: &[&str] = &[
        "SET K V",
        "SET K V NX GET",
        "GET K",
        "GETDEL K",
        "APPEND K V",
        "STRLEN K",
        "INCRBY K N",
        "INCRBYFLOAT K N",
        "SETRANGE K 3 V",
        "RPUSH K V V",
        "LPOP K 2",
        "LRANGE K 0 -1",
        "LINDEX K N",
        "LMPOP 1 K LEFT",
        "HSET K V V",
        "HGETALL K",
        "HMGET K V V",
        "ZADD K N V",
        "ZADD K INCR N V",
        "ZRANGE K 0 -1 WITHSCORES",
        "ZSCORE K V",
        "ZMSCORE K V V",
        "ZPOPMIN K",
        "GEOADD K N N V",
        "GEOPOS K V V",
        "GEODIST K V V",
        "XADD K N V V",
        "XRANGE K - +",
        "XREAD STREAMS K 0",
        "TYPE K",
        "EXISTS K K",
        "DEL K",
        "EXPIRE K N",
        "TTL K",
        "RENAME K K",
        "OBJECT ENCODING K",
        "ECHO V",
        "PING",
        "PING V",
        "MGET K K",
        "V K",
        "GET",
        "SORT K",
        "EVAL return~{KEYS[1],{1,{ok='FINE'}},redis.error_reply(ARGV[1]),false} 1 K V",
        "EVAL return~redis.call('GET',KEYS[1]) 1 K",
    ];
    let key = || select(vec!["a", "b", "ü"]).prop_map(str::to_owned);
    let value = || prop_oneof![2 => "[a-zA-Z0-9ü \"\\\\]{0,12}", 1 => any::<[char; 3]>().prop_map(String::from_iter)];
    let number = || {
        prop_oneof![
            (-3i64..9).prop_map(|n| n.to_string()),
            any::<i64>().prop_map(|n| n.to_string()),
            Just("2.5".to_owned())
        ]
    };
    select(FORMS).prop_flat_map(move |form| {
        let words = form.split(' ').map(|word| match word {
            "K" => key().boxed(),
            "V" => value().boxed(),
            "N" => number().boxed(),
            word => Just(word.replace('~', " ")).boxed(),
        });
        words.collect::<Vec<_>>()
    })
}

/// A `V` in front may happen to be a command's name that is refused or hides a NUL.
fn is_run(words: &[String]) -> bool {
    ridge::policy::refused::reason(words).is_none()
}

#[test]
fn resp2_is_what_redis_says_to_anybody() {
    let other = Redis::own();
    hold(vec(command().prop_filter("refused", |words| is_run(words)), 1..30), async |door, commands| {
        other.run(&["FLUSHALL"]);
        door.redis.run(&["FLUSHALL"]);
        let expected: Vec<u8> = commands.iter().flat_map(|words| raw(&other, words)).collect();
        let call = door.post("/redis/pipeline").header("upstash-response-format", "resp2");
        same(&call.json(json!(commands)).send().await.body, &expected)
    });
}

#[test]
fn a_pipeline_says_what_each_command_says_alone() {
    let commands = || vec(command().prop_filter("refused", |words| is_run(words)), 1..20);
    hold(commands(), async |door, commands| {
        door.redis.run(&["FLUSHALL"]);
        let mut alone: Vec<Value> = Vec::new();
        for words in &commands {
            alone.push(door.post("/redis").json(json!(words)).send().await.json());
        }
        door.redis.run(&["FLUSHALL"]);
        let together = door.post("/redis/pipeline").json(json!(commands)).send().await.json();
        if together == json!(alone) { Ok(()) } else { Err(format!("{together}\ninstead of\n{}", json!(alone))) }
    });
}
