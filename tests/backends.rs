//! SPEC 2 over every backend: the same requests get the same answers, in one round trip each.
//!
//! The REST side is `@humanwhocodes/upstash-redis-server`, an implementation that shares nothing with ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "backends/rest_server.rs"]
mod rest_server;
mod support;

use rest_server::RestServer;
use serde_json::{Value, json};
use support::{Gateway, NOW_MS, Redis};

/// A gateway and all that stands behind it.
struct Backend {
    name: &'static str,
    gateway: Gateway,
    redis: Redis,
    database: &'static str,
    _rest: Option<RestServer>,
}

impl Backend {
    fn tcp(name: &'static str, redis: Redis, url: &str, database: &'static str) -> Self {
        let gateway = Gateway::with(&redis, &[("REDIS_URL", url), READ_COMMANDS]).at(NOW_MS);
        Self { name, gateway, redis, database, _rest: None }
    }

    fn rest(redis: Redis) -> Self {
        let rest = RestServer::start(&redis.url());
        let (url, token) = (rest.url(), RestServer::TOKEN);
        let variables =
            [("REDIS_URL", ""), ("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", token), READ_COMMANDS];
        let gateway = Gateway::with(&redis, &variables).at(NOW_MS);
        Self { name: "REST", gateway, redis, database: "0", _rest: Some(rest) }
    }

    /// What `POST` of a body gives, to the letter. One round trip.
    async fn post(&self, path: &str, body: &str) -> String {
        let answer = self.gateway.post(path).api_key().body(body.to_owned()).send().await;
        assert_eq!((answer.status, answer.header("x-redis-round-trips")), (200, "1"), "{}: {body:.200}", self.name);
        answer.text().to_owned()
    }
}

const READ_COMMANDS: (&str, &str) = ("READ_COMMANDS", "LRANGE XRANGE GEOPOS STRLEN");

/// Every backend, each with a Redis of its own.
fn backends() -> Vec<Backend> {
    let password = Redis::options().password("p@ss/w:rd").start();
    let url = format!("redis://:p%40ss%2Fw%3Ard@127.0.0.1:{}/3", password.port());
    let mut backends = vec![Backend::tcp("TCP, password and database", password, &url, "3")];

    let acl = Redis::own();
    acl.run(&["ACL", "SETUSER", "ridge", "on", ">s3cret é", "~*", "+@all"]);
    acl.run(&["ACL", "SETUSER", "default", "-@all", "+@admin", "+eval", "+select", "+info", "~*", "+@write", "+@read"]);
    let url = format!("redis://ridge:s3cret%20%C3%A9@localhost:{}", acl.port());
    backends.push(Backend::tcp("TCP, ACL user", acl, &url, "0"));

    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let ipv6 = Redis::options().args(&["--bind", "127.0.0.1", "::1"]).start();
        let url = format!("redis://[::1]:{}", ipv6.port());
        backends.push(Backend::tcp("TCP, IPv6", ipv6, &url, "0"));
    }
    backends.push(Backend::rest(Redis::own()));
    backends
}

/// Sends requests to every backend, in order. They must agree to the letter; what they say is returned.
async fn all_agree(backends: &[Backend], requests: &[(&str, String)]) -> Vec<Value> {
    let mut agreed = Vec::new();
    for (path, body) in requests {
        let first = backends[0].post(path, body).await;
        for backend in &backends[1..] {
            let text = backend.post(path, body).await;
            assert!(text == first, "{}: {body:.200}\n{text:.500}\ninstead of\n{first:.500}", backend.name);
        }
        agreed.push(serde_json::from_str(&first).unwrap());
    }
    agreed
}

fn read(commands: Value) -> (&'static str, String) {
    ("/", commands.to_string())
}

fn write(commands: Value) -> (&'static str, String) {
    ("/redis/write", commands.to_string())
}

#[tokio::test]
async fn a_sync_walks_through() {
    let backends = backends();
    let requests = [
        write(json!([
            ["HSET", "user:alice", "username", "alice", "display_name", "Alice \"A\" Ünal 😀", "role", "model"],
            ["HSET", "user:alice", "bio", "two\r\nlines", "empty", ""],
            ["HINCRBY", "user:alice", "postCount", 3],
            ["HSET", "user:alice", "role", "admin"],
            ["HSET", "user:alice:settings", "theme", true],
            ["SET", "user:alice", "x"],
        ])),
        write(json!(["HSET", "user:alice", "display_name", "Mallory"])),
        write(json!(["HDEL", "user:alice", "empty", "nothing"])),
        write(json!(["HINCRBY", "user:alice:settings", "theme", 1])),
        read(json!([["HGETALL", "user:alice"], ["HGETALL", "user:bob"], ["HMGET", "user:alice", "bio", "nothing"]])),
        read(json!([["ZRANGE", "users:models", 0, -1, "WITHSCORES"], ["ZCARD", "users:regular"]])),
    ];
    let answers = all_agree(&backends, &requests).await;
    assert_eq!(answers[0]["results"].as_array().unwrap().len(), 6);
    assert_eq!(answers[0]["results"][0], 3);
    assert_eq!(answers[2]["results"], json!([1]));
    assert_eq!(answers[3]["results"], json!(["ERR hash value is not an integer"]));
    let alice = &answers[4][0];
    assert_eq!(
        (&alice["username"], &alice["bio"], &alice["postCount"]),
        (&json!("alice"), &json!("two\r\nlines"), &json!("3"))
    );
    assert_eq!((&answers[4][1], &answers[4][2]), (&json!({}), &json!(["two\r\nlines", null])));
    for backend in &backends {
        let shown = backend.gateway.get("/users/alice").user("bob").send().await;
        assert_eq!(
            (shown.header("x-redis-round-trips"), &shown.ok()["user"]["display_name"]),
            ("1", &alice["display_name"])
        );
    }
}

/// One key of each type, past the gateway, in the database that the gateway uses.
const SEED: &str = r"
    redis.call('SELECT', ARGV[1])
    redis.call('SET', 'text', 'a\r\nb\r\n')
    redis.call('SET', 'binary', 'x\255\254\0\192\128y')
    redis.call('SET', 'empty', '')
    redis.call('SET', '', 'the empty key')
    redis.call('SET', 'large', string.rep('0123456789abcdef', 65536))
    redis.call('SET', 'number', '9007199254740993')
    redis.call('RPUSH', 'list', 'a', '', 'c')
    redis.call('SADD', 'set', 'member')
    redis.call('ZADD', 'zset', 1, 'one', 2.5, 'two and a half', 'inf', 'infinity')
    redis.call('HSET', 'hash', 'f', 'v', '', 'of the empty field', '\255', '\255')
    redis.call('HSET', 'large hash', 'f', string.rep('x', 1048576))
    redis.call('XADD', 'stream', '1-1', 'f', 'v', 'g', '')
    redis.call('XADD', 'stream', '2-0', 'h', 'w')
    redis.call('GEOADD', 'geo', 13.361389, 38.115556, 'Palermo')
    return 'OK'";

#[tokio::test]
async fn replies_of_every_type_are_the_same() {
    let backends = backends();
    for backend in &backends {
        assert_eq!(backend.redis.run(&["EVAL", SEED, "0", backend.database]), "OK");
    }
    let requests = [
        read(json!([["GET", "text"], ["GET", "binary"], ["GET", "empty"], ["GET", ""], ["GET", "nothing"]])),
        read(json!([["MGET", "text", "nothing", ""], ["EXISTS", "text", "text", "nothing"], ["TTL", "text"]])),
        read(json!([["TYPE", "list"], ["TYPE", "nothing"], ["SMEMBERS", "set"], ["SISMEMBER", "set", "x"]])),
        read(json!([["ZRANGE", "zset", 0, -1], ["ZREVRANGE", "zset", "0", "-1", "WITHSCORES"], ["ZCARD", "zset"]])),
        read(json!([["GET", "list"], ["hgetall", "set"], ["GET", "number"], ["ZRANGE", "zset", "x", "y"]])),
        read(json!([["LRANGE", "list", 0, -1], ["XRANGE", "stream", "-", "+"], ["GEOPOS", "geo", "Palermo", "Rome"]])),
        read(json!([["HGETALL", "hash"], ["HGETALL", "large hash"], ["HGETALL", "nothing"]])),
        read(json!([["GET", "large"], ["STRLEN", "large"]])),
    ];
    let answers = all_agree(&backends, &requests).await;
    assert_eq!(answers[0], json!(["a\r\nb\r\n", "x\u{fffd}\u{fffd}\0\u{fffd}\u{fffd}y", "", "the empty key", null]));
    assert_eq!(answers[1], json!([["a\r\nb\r\n", null, "the empty key"], 2, -1]));
    assert_eq!(answers[2], json!(["list", "none", ["member"], 0]));
    assert_eq!(answers[3][1], json!(["infinity", "inf", "two and a half", "2.5", "one", "1"]));
    let wrong_type = "ERR WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(
        answers[4],
        json!([wrong_type, wrong_type, "9007199254740993", "ERR value is not an integer or out of range"])
    );
    assert_eq!(answers[5][0], json!(["a", "", "c"]));
    assert_eq!(answers[5][1], json!([["1-1", ["f", "v", "g", ""]], ["2-0", ["h", "w"]]]));
    assert_eq!((answers[5][2][0].as_array().unwrap().len(), &answers[5][2][1]), (2, &Value::Null));
    assert_eq!((&answers[6][0][""], &answers[6][0]["\u{fffd}"]), (&json!("of the empty field"), &json!("\u{fffd}")));
    assert_eq!((answers[7][0].as_str().unwrap().len(), &answers[7][1]), (1 << 20, &json!(1 << 20)));
}

#[tokio::test]
async fn numbers_beyond_what_javascript_counts_are_exact() {
    let requests = [
        write(json!([
            ["HINCRBY", "user:alice:n", "n", 9_007_199_254_740_993_i64],
            ["HINCRBY", "user:alice:n", "n", 2]
        ])),
        write(json!(["HINCRBY", "user:alice:n", "m", i64::MIN])),
        write(json!(["HINCRBY", "user:alice:n", "m", -1])),
        ("/redis/write", r#"["HSET","user:alice:n","x",12345678901234567890.10,"y",1e400]"#.to_owned()),
        read(json!(["HGETALL", "user:alice:n"])),
    ];
    let answers = all_agree(&backends(), &requests).await;
    assert_eq!(answers[0]["results"], json!([9_007_199_254_740_993_i64, 9_007_199_254_740_995_i64]));
    assert_eq!(answers[1]["results"], json!([i64::MIN]));
    assert_eq!(answers[2]["results"], json!(["ERR increment or decrement would overflow"]));
    let (n, m) = ("9007199254740995", i64::MIN.to_string());
    assert_eq!(answers[4], json!([{"n": n, "m": m, "x": "12345678901234567890.10", "y": "1e400"}]));
}

#[tokio::test]
async fn large_values_and_long_batches_take_one_round_trip() {
    let large = "ü\n".repeat(250_000);
    let many = |command: &dyn Fn(usize) -> Value| (0..1000).map(command).collect::<Value>();
    let requests = [
        write(json!(["HSET", "user:alice:large", "", large])),
        read(json!(["HGET", "user:alice:large", ""])),
        write(many(&|n| json!(["HSET", format!("user:u{n}:x"), "n", n, format!("f{n}"), "v"]))),
        read(many(&|n| json!(["HGET", format!("user:u{n}:x"), "n"]))),
    ];
    let answers = all_agree(&backends(), &requests).await;
    assert_eq!(answers[1], json!([large]));
    assert_eq!(answers[2]["results"], json!(vec![2; 1000]));
    assert_eq!(answers[3], many(&|n| json!(n.to_string())));
}
