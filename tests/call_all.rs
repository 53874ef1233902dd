//! `Redis::call_all`: many scripts in one round trip, over both backends: in order and each for itself, whatever this isolate
//! and the server know of their texts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "backends/rest_server.rs"]
mod rest_server;
mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use rest_server::RestServer;
use ridge::{
    config,
    host::{BoxFuture, Host},
    redis::{Address, Client, Failure, Invocation, Pipeline, Port, Progress, Reply, Safety, Script},
};
use serde_json::json;
use support::{Redis, TestHost};

/// Appends a word to a list, and gives the list's length.
static APPEND: Script = Script::new(&["return redis.call('RPUSH', KEYS[1], ARGV[1])"]);
/// The same by another text.
static ALSO_APPEND: Script = Script::new(&["-- also\n", "return redis.call('RPUSH', KEYS[1], ARGV[1])"]);
/// A reply with every type in it.
static MANY_TYPES: Script = Script::new(&["return {1, -9007199254740991, '', false, {}, {ARGV[1], {false}}}"]);
/// Fails after it has written something.
static FAIL: Script = Script::new(&["redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"]);
/// Writes, which a call that only reads must not.
static WRITE: Script = Script::new(&["return redis.call('SET', KEYS[1], 'x')"]);

/// Sets a key.
static SET: Script = Script::new(&["return redis.call('SET', KEYS[1], ARGV[1])"]);
/// The same by another text.
static ALSO_SET: Script = Script::new(&["-- also\n", "return redis.call('SET', KEYS[1], ARGV[1])"]);

fn call(script: &'static Script, safety: Safety, word: &str) -> Invocation {
    let mut invocation = script.invoke(safety);
    invocation.key("list").arg(word.to_owned());
    invocation
}

fn append(word: &str) -> Invocation {
    call(&APPEND, Safety::Write, word)
}

fn also_append(word: &str) -> Invocation {
    call(&ALSO_APPEND, Safety::Write, word)
}

/// A port that notes what goes through it: of each round trip the names of the commands.
struct Noted {
    port: Box<dyn Port>,
    trips: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Port for Noted {
    fn send<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Vec<Reply>, Failure>> {
        let names = pipeline.commands().iter().map(|command| String::from_utf8_lossy(&command.args()[0]).into_owned());
        self.trips.lock().unwrap().push(names.collect());
        self.port.send(pipeline, progress)
    }
}

/// A server by one of the two ways to it.
struct Server {
    name: &'static str,
    redis: Redis,
    backend: config::Backend,
    _rest: Option<RestServer>,
}

impl Server {
    /// Both of them, each with a Redis of its own.
    fn both() -> [Self; 2] {
        let tcp = Redis::own();
        let backend = config::Backend::Tcp(Address::parse(&tcp.url()).unwrap());
        let tcp = Self { name: "TCP", redis: tcp, backend, _rest: None };
        let redis = Redis::own();
        let rest = RestServer::start(&redis.url());
        let backend = config::Backend::Upstash { url: rest.url(), token: RestServer::TOKEN.to_owned() };
        [tcp, Self { name: "REST", redis, backend, _rest: Some(rest) }]
    }

    /// What stands in the list.
    fn list(&self) -> String {
        let words = self.redis.run(&["LRANGE", "list", "0", "-1"]);
        words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
    }

    fn forget_scripts(&self) {
        self.redis.run(&["SCRIPT", "FLUSH"]);
    }
}

/// An isolate that knows no scripts yet.
struct Isolate {
    client: Arc<Client>,
    trips: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Isolate {
    fn of(server: &Server) -> Self {
        let host: Arc<dyn Host> = Arc::new(TestHost::default());
        Self::behind(server.backend.port(&host).unwrap(), host)
    }

    fn behind(port: Box<dyn Port>, host: Arc<dyn Host>) -> Self {
        let trips = Arc::<Mutex<_>>::default();
        let port = Noted { port, trips: Arc::clone(&trips) };
        Self { client: Arc::new(Client::new(Box::new(port), host, Duration::from_secs(30))), trips }
    }

    /// Makes the calls as one request, which must count the round trips that were made.
    async fn call_all(&self, calls: &[Invocation]) -> Result<Vec<Reply>, Failure> {
        self.trips.lock().unwrap().clear();
        let counted = Arc::<AtomicU32>::default();
        let result = self.client.for_request(Arc::clone(&counted)).call_all(calls).await;
        assert_eq!(usize::try_from(counted.load(SeqCst)).unwrap(), self.trips.lock().unwrap().len());
        result
    }

    /// Of each round trip of the last request, how many texts it had, and how many calls by hash.
    fn shape(&self) -> Vec<(usize, usize)> {
        let count = |trip: &[String], what: &dyn Fn(&str) -> bool| trip.iter().filter(|name| what(name)).count();
        let trips = self.trips.lock().unwrap();
        trips
            .iter()
            .map(|trip| (count(trip, &|name| name == "SCRIPT"), count(trip, &|name| name.starts_with("EVALSHA"))))
            .collect()
    }
}

fn integers(replies: &[Reply]) -> Vec<i64> {
    replies.iter().map(|reply| reply.as_integer().unwrap()).collect()
}

fn text(text: &'static str) -> Reply {
    Reply::String(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_text_goes_out_once_an_isolate_and_calls_are_made_in_order() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        let replies = isolate.call_all(&[append("a"), also_append("b"), append("c")]).await.unwrap();
        assert_eq!((integers(&replies), isolate.shape()), (vec![1, 2, 3], vec![(2, 3)]), "{}", server.name);
        let replies = isolate.call_all(&[also_append("d"), append("e")]).await.unwrap();
        assert_eq!((integers(&replies), isolate.shape()), (vec![4, 5], vec![(0, 2)]), "{}", server.name);
        // Another isolate teaches the server once more, which does no harm.
        let other = Isolate::of(&server);
        let replies = other.call_all(&[append("f")]).await.unwrap();
        assert_eq!((integers(&replies), other.shape()), (vec![6], vec![(1, 1)]), "{}", server.name);
        assert_eq!(server.list(), "abcdef", "{}", server.name);
    }
}

#[tokio::test]
async fn a_single_call_and_many_know_the_same_scripts() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        isolate.client.for_request(Arc::default()).call(append("a")).await.unwrap();
        isolate.call_all(&[append("b")]).await.unwrap();
        assert_eq!(isolate.shape(), [(0, 1)], "{}", server.name);
        isolate.call_all(&[also_append("c")]).await.unwrap();
        isolate.trips.lock().unwrap().clear();
        isolate.client.for_request(Arc::default()).call(also_append("d")).await.unwrap();
        assert_eq!((isolate.shape(), server.list()), (vec![(0, 1)], "abcd".to_owned()), "{}", server.name);
    }
}

#[tokio::test]
async fn nothing_to_call_costs_nothing() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        assert_eq!(isolate.call_all(&[]).await, Ok(Vec::new()), "{}", server.name);
        assert_eq!(isolate.shape(), [], "{}", server.name);
    }
}

#[tokio::test]
async fn what_a_server_has_forgotten_it_is_taught_again_and_nothing_is_done_twice() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        isolate.call_all(&[append("a"), also_append("b")]).await.unwrap();
        server.forget_scripts();
        let replies = isolate.call_all(&[append("c"), also_append("d"), append("e")]).await.unwrap();
        assert_eq!((integers(&replies), isolate.shape()), (vec![3, 4, 5], vec![(0, 3), (2, 3)]), "{}", server.name);
        isolate.call_all(&[append("f")]).await.unwrap();
        assert_eq!((isolate.shape(), server.list()), (vec![(0, 1)], "abcdef".to_owned()), "{}", server.name);
    }
}

/// What could be done at once must not be the last to speak: of each key the last of two words must stand.
async fn check_order(server: &Server, isolate: &Isolate) {
    let set = |script: &'static Script, key: &'static str, word: &'static str| {
        let mut call = script.invoke(Safety::IdempotentWrite);
        call.key(key).arg(word);
        call
    };
    server.redis.run(&["DEL", "one", "two"]);
    let calls = [
        set(&SET, "one", "first"),
        set(&ALSO_SET, "one", "last"),
        set(&ALSO_SET, "two", "first"),
        set(&SET, "two", "last"),
    ];
    let replies = isolate.call_all(&calls).await.unwrap();
    assert!(replies.iter().all(|reply| reply.as_str() == Some("OK")), "{}: {replies:?}", server.name);
    assert_eq!(server.redis.run(&["MGET", "one", "two"]), json!(["last", "last"]), "{}", server.name);
}

#[tokio::test]
async fn the_order_holds_also_when_an_isolate_knows_only_some_scripts() {
    for server in Server::both() {
        for known in [&SET, &ALSO_SET] {
            let isolate = Isolate::of(&server);
            isolate.call_all(&[call(known, Safety::IdempotentWrite, "x")]).await.unwrap();
            server.forget_scripts();
            check_order(&server, &isolate).await;
        }
    }
}

/// Since it has forgotten all, others have taught it some.
#[tokio::test]
async fn the_order_holds_also_when_a_server_knows_only_some_scripts() {
    for server in Server::both() {
        for known in [&SET, &ALSO_SET] {
            let (isolate, other) = (Isolate::of(&server), Isolate::of(&server));
            check_order(&server, &isolate).await;
            server.forget_scripts();
            other.call_all(&[call(known, Safety::IdempotentWrite, "x")]).await.unwrap();
            check_order(&server, &isolate).await;
        }
    }
}

#[tokio::test]
async fn what_comes_before_the_first_forgotten_script_is_not_done_again() {
    for server in Server::both() {
        let (isolate, other) = (Isolate::of(&server), Isolate::of(&server));
        isolate.call_all(&[append("a"), also_append("b")]).await.unwrap();
        server.forget_scripts();
        other.call_all(&[append("c")]).await.unwrap();
        let replies = isolate.call_all(&[append("d"), append("e"), also_append("f")]).await.unwrap();
        assert_eq!((integers(&replies), server.list()), (vec![4, 5, 6], "abcdef".to_owned()), "{}", server.name);
        assert_eq!(isolate.shape(), [(0, 3), (1, 1)], "{}", server.name);
    }
}

#[tokio::test]
async fn a_call_that_fails_is_an_error_in_its_place() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        let calls = [append("a"), call(&FAIL, Safety::Write, "b"), append("c")];
        let replies = isolate.call_all(&calls).await.unwrap();
        assert_eq!((replies[0].as_integer(), replies[2].as_integer()), (Some(1), Some(3)), "{}", server.name);
        let Reply::Error(error) = &replies[1] else { panic!("{}: {:?}", server.name, replies[1]) };
        assert!(error.starts_with("WRONGTYPE"), "{}: {error}", server.name);
        assert_eq!(server.list(), "abc", "{}", server.name);
    }
}

#[tokio::test]
async fn replies_have_their_types_over_both() {
    let expected = Reply::Array(vec![
        Reply::Integer(1),
        Reply::Integer(-9_007_199_254_740_991),
        text(""),
        Reply::Nil,
        Reply::Array(Vec::new()),
        Reply::Array(vec![text("ünïcödé 😀"), Reply::Array(vec![Reply::Nil])]),
    ]);
    for server in Server::both() {
        for safety in [Safety::Read, Safety::IdempotentWrite, Safety::Write] {
            let isolate = Isolate::of(&server);
            let replies = isolate.call_all(&[call(&MANY_TYPES, safety, "ünïcödé 😀")]).await.unwrap();
            assert_eq!(replies, std::slice::from_ref(&expected), "{}, {safety:?}", server.name);
        }
    }
}

#[tokio::test]
async fn what_only_reads_cannot_write() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        let replies = isolate.call_all(&[call(&WRITE, Safety::Read, "x")]).await.unwrap();
        assert!(matches!(&replies[0], Reply::Error(text) if text.contains("Write commands")), "{replies:?}");
        assert_eq!(server.redis.run(&["EXISTS", "list"]), 0, "{}", server.name);
    }
}

#[tokio::test]
async fn thousands_of_calls_are_one_round_trip() {
    for server in Server::both() {
        let isolate = Isolate::of(&server);
        let calls: Vec<Invocation> = (0..3000).map(|n| append(&format!("{n},"))).collect();
        let replies = isolate.call_all(&calls).await.unwrap();
        assert_eq!(integers(&replies), (1..=3000).collect::<Vec<i64>>(), "{}", server.name);
        assert_eq!(isolate.shape(), [(1, 3000)], "{}", server.name);
    }
}

/// A port that breaks so often, after the commands went out, and then says how often it was used.
struct Breaks(AtomicU32);

impl Port for Breaks {
    fn send<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Vec<Reply>, Failure>> {
        progress.sent();
        let left = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        let replies = pipeline.commands().iter().map(|_| Reply::Integer(1)).collect();
        Box::pin(std::future::ready(left.map_or_else(|_| Ok(replies), |_| Err(Failure::Lost))))
    }
}

/// One call that counts keeps the whole list from being sent again.
#[tokio::test]
async fn a_list_is_repeated_if_all_of_it_may_be() {
    let unknown = Failure::OutcomeUnknown { timed_out: false };
    for (safeties, breaks, expected, attempts) in [
        ([Safety::Read, Safety::Read], 1, None, 2),
        ([Safety::Read, Safety::IdempotentWrite], 1, None, 2),
        ([Safety::IdempotentWrite, Safety::Read], 2, Some(Failure::Lost), 2),
        ([Safety::IdempotentWrite, Safety::Write], 1, Some(unknown.clone()), 1),
        ([Safety::Write, Safety::Read], 1, Some(unknown.clone()), 1),
    ] {
        let isolate = Isolate::behind(Box::new(Breaks(AtomicU32::new(breaks))), Arc::new(TestHost::default()));
        let calls = safeties.map(|safety| call(&APPEND, safety, "a"));
        let result = isolate.call_all(&calls).await;
        assert_eq!(result.err(), expected, "{safeties:?}");
        assert_eq!(isolate.shape().len(), attempts, "{safeties:?}");
    }
}

/// Whether the server has learnt a script from a request that broke is not known: the text goes out once more.
#[tokio::test]
async fn a_text_whose_arrival_is_not_known_goes_out_again() {
    let isolate = Isolate::behind(Box::new(Breaks(AtomicU32::new(1))), Arc::new(TestHost::default()));
    assert!(isolate.call_all(&[append("a")]).await.is_err());
    isolate.call_all(&[append("a")]).await.unwrap();
    assert_eq!(isolate.shape(), [(1, 1)]);
}

/// A server that cannot serve now says so to one of the commands; the caller hears it of the whole.
#[tokio::test]
async fn a_server_that_is_out_of_memory_is_unavailable() {
    for server in Server::both() {
        server.redis.run(&["SET", "ballast", &"x".repeat(4 << 20)]);
        let isolate = Isolate::of(&server);
        isolate.call_all(&[append("a")]).await.unwrap();
        server.redis.run(&["CONFIG", "SET", "maxmemory", "2mb"]);
        assert_eq!(isolate.call_all(&[append("b")]).await, Err(Failure::Unavailable), "{}", server.name);
        server.redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
        isolate.call_all(&[append("c")]).await.unwrap();
        assert_eq!(server.list(), "ac", "{}", server.name);
    }
}
