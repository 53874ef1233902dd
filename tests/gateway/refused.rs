//! SPEC 9's list of what is refused as a command, whoever asks.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::door::{Backend, Door, refused_here};

over_both_backends![
    each_refused_command_is_refused_in_every_form,
    each_reason_has_its_text,
    a_stream_is_read_but_not_waited_for,
    set_info_is_ok_and_the_rest_of_client_is_not,
    what_only_reads_of_a_refused_family_is_run,
];

/// What SPEC 9 refuses, command by command, with arguments that Redis would take, and the reason's mark in the text.
const REFUSED: &[(&str, &str)] = &[
    ("BLPOP list 0", WAITS),
    ("BRPOP list 0", WAITS),
    ("BLMOVE a b LEFT LEFT 0", WAITS),
    ("BLMPOP 0 1 list LEFT", WAITS),
    ("BRPOPLPUSH a b 0", WAITS),
    ("BZPOPMIN z 0", WAITS),
    ("BZPOPMAX z 0", WAITS),
    ("BZMPOP 0 1 z MIN", WAITS),
    ("WAIT 0 0", WAITS),
    ("WAITAOF 0 0 0", WAITS),
    ("XREAD BLOCK 0 STREAMS s $", WAITS),
    ("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", WAITS),
    ("SUBSCRIBE c", OWN_PATH),
    ("PSUBSCRIBE c*", OWN_PATH),
    ("SSUBSCRIBE c", OWN_PATH),
    ("UNSUBSCRIBE", OWN_PATH),
    ("PUNSUBSCRIBE", OWN_PATH),
    ("SUNSUBSCRIBE", OWN_PATH),
    ("MONITOR", OWN_PATH),
    ("MULTI", OWN_PATH),
    ("EXEC", OWN_PATH),
    ("DISCARD", OWN_PATH),
    ("WATCH a", OWN_PATH),
    ("UNWATCH", OWN_PATH),
    ("AUTH x", CONNECTION),
    ("HELLO 3", CONNECTION),
    ("QUIT", CONNECTION),
    ("RESET", CONNECTION),
    ("SELECT 1", CONNECTION),
    ("READONLY", CONNECTION),
    ("READWRITE", CONNECTION),
    ("ASKING", CONNECTION),
    ("CLIENT", CONNECTION),
    ("CLIENT ID", CONNECTION),
    ("CLIENT LIST", CONNECTION),
    ("CLIENT KILL ID 1", CONNECTION),
    ("CLIENT PAUSE 1000", CONNECTION),
    ("CLIENT REPLY OFF", CONNECTION),
    ("CLIENT SETNAME x", CONNECTION),
    ("CLIENT TRACKING ON", CONNECTION),
    ("CLIENT NO-EVICT on", CONNECTION),
    ("SCRIPT DEBUG YES", CONNECTION),
    ("CLUSTER INFO", ADMINISTRATION),
    ("REPLICAOF NO ONE", ADMINISTRATION),
    ("SLAVEOF NO ONE", ADMINISTRATION),
    ("REPLCONF ACK 0", ADMINISTRATION),
    ("SYNC", ADMINISTRATION),
    ("PSYNC ? -1", ADMINISTRATION),
    ("FAILOVER", ADMINISTRATION),
    ("RESTORE-ASKING a 0 x", ADMINISTRATION),
    ("MIGRATE h 1 k 0 1", ADMINISTRATION),
    ("CONFIG GET *", ADMINISTRATION),
    ("CONFIG SET maxmemory 1", ADMINISTRATION),
    ("CONFIG REWRITE", ADMINISTRATION),
    ("DEBUG JMAP", ADMINISTRATION),
    ("MODULE LIST", ADMINISTRATION),
    ("SHUTDOWN NOSAVE", ADMINISTRATION),
    ("SAVE", ADMINISTRATION),
    ("BGSAVE", ADMINISTRATION),
    ("BGREWRITEAOF", ADMINISTRATION),
    ("SWAPDB 0 1", ADMINISTRATION),
    ("LATENCY RESET", ADMINISTRATION),
    ("SLOWLOG GET", ADMINISTRATION),
    ("PFDEBUG ENCODING h", ADMINISTRATION),
    ("PFSELFTEST", ADMINISTRATION),
    ("MEMORY DOCTOR", ADMINISTRATION),
    ("MEMORY PURGE", ADMINISTRATION),
    ("MEMORY STATS", ADMINISTRATION),
    ("MEMORY MALLOC-STATS", ADMINISTRATION),
    ("ACL", ADMINISTRATION),
    ("ACL SETUSER x on", ADMINISTRATION),
    ("ACL DELUSER x", ADMINISTRATION),
    ("ACL LOAD", ADMINISTRATION),
    ("ACL SAVE", ADMINISTRATION),
    ("ACL LOG", ADMINISTRATION),
    ("ACL LIST", ADMINISTRATION),
    ("ACL GETUSER default", ADMINISTRATION),
    ("ROLE", ADMINISTRATION),
    ("MOVE a 1", DATABASE),
    ("COPY a b DB 1 REPLACE", DATABASE),
    ("LASTSAVE", ADMINISTRATION),
];

/// Written so, they are no commands.
const OWN_PATHS: &[&str] = &["/redis/subscribe/", "/redis/psubscribe/", "/redis/monitor"];

const WAITS: &str = "cannot wait";
const OWN_PATH: &str = "is not allowed in REST or it has a special context path";
const CONNECTION: &str = "has no connection of its own";
const ADMINISTRATION: &str = "not administered from here";
const DATABASE: &str = "There is one database";

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Every byte as an escape.
fn escaped(word: &str) -> String {
    word.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn cases(name: &str) -> [String; 3] {
    let mixed = name.chars().enumerate();
    let mixed = mixed.map(|(n, c)| if n % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
    [name.to_uppercase(), name.to_lowercase(), mixed.collect()]
}

async fn each_refused_command_is_refused_in_every_form(backend: Backend) {
    let door = backend.open().await;
    for (text, _) in REFUSED {
        for first in cases(text.split(' ').next().unwrap()) {
            let mut command = words(text);
            command[0] = first;
            let alone = refused_here(&door.post("/redis").json(json!(command)).send().await);
            assert_eq!(alone.0, 400, "{command:?}");
            let escaped: Vec<String> = command.iter().map(|word| escaped(word)).collect();
            let plain: Vec<String> =
                command.iter().map(|word| utf8_percent_encode(word, NON_ALPHANUMERIC).to_string()).collect();
            let in_path = format!("/redis/{}", plain.join("/"));
            let is_own_path = OWN_PATHS.iter().any(|path| in_path.starts_with(path));
            let in_path = (!is_own_path).then(|| door.get(&in_path));
            for call in in_path.into_iter().chain([
                door.post(&format!("/redis/{}", escaped.join("/"))),
                door.post("/redis/multi-exec").json(json!([["SET", "a", "b"], command])),
            ]) {
                assert_eq!(refused_here(&call.send().await), alone, "{command:?}");
            }
            let results = door.pipeline(json!([["ECHO", "before"], command, ["ECHO", "after"]])).await;
            let expected = json!([{"result": "before"}, {"error": alone.1}, {"result": "after"}]);
            assert_eq!(results, expected, "{command:?}");
        }
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
}

async fn each_reason_has_its_text(backend: Backend) {
    let door = backend.open().await;
    for (text, mark) in REFUSED {
        let (status, error) = door.fail_here(json!(words(text))).await;
        let name = text.split(' ').next().unwrap();
        assert_eq!(status, 400, "{text}");
        assert!(error.starts_with("ERR ") && error.contains(mark) && error.contains(name), "{text}: {error}");
    }
}

impl Door {
    async fn fail_here(&self, command: Value) -> (u16, String) {
        refused_here(&self.post("/redis").json(command).send().await)
    }
}

async fn a_stream_is_read_but_not_waited_for(backend: Backend) {
    let door = backend.open().await;
    door.redis.run(&["XADD", "BLOCK", "1-1", "f", "v"]);
    door.redis.run(&["XGROUP", "CREATE", "BLOCK", "BLOCK", "0"]);
    let entries = json!([["BLOCK", [["1-1", ["f", "v"]]]]]);
    assert_eq!(door.run(json!(["XREAD", "STREAMS", "BLOCK", "0"])).await, entries);
    assert_eq!(door.run(json!(["XREAD", "COUNT", "1", "STREAMS", "BLOCK", "0"])).await, entries);
    // A group, a consumer and a stream may be called so.
    let group = json!(["XREADGROUP", "GROUP", "BLOCK", "BLOCK", "COUNT", "1", "STREAMS", "BLOCK", ">"]);
    assert_eq!(door.run(group).await, entries);
    for command in [
        json!(["XREAD", "block", "1", "STREAMS", "s", "$"]),
        json!(["XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", "s", "$"]),
        json!(["XREAD", "BLOCK\0x", "0", "STREAMS", "s", "$"]),
        json!(["XREADGROUP", "BLOCK", "0", "GROUP", "g", "c", "STREAMS", "s", ">"]),
        json!(["XREADGROUP", "GROUP", "g", "c", "NOACK", "BLOCK", "0", "STREAMS", "s", ">"]),
        json!(["XREADGROUP", "GROUP", "STREAMS", "STREAMS", "BLOCK", "0", "STREAMS", "s", ">"]),
    ] {
        let (status, error) = door.fail_here(command.clone()).await;
        assert_eq!((status, error.contains(WAITS)), (400, true), "{command}: {error}");
    }
}

async fn set_info_is_ok_and_the_rest_of_client_is_not(backend: Backend) {
    let door = backend.open().await;
    for command in [json!(["CLIENT", "SETINFO", "LIB-NAME", "redis-js"]), json!(["client", "setinfo", "lib-ver", "1"])]
    {
        let answer = door.post("/redis").json(command).send().await;
        assert_eq!((answer.ok(), answer.header("x-redis-round-trips")), (json!({"result": "OK"}), "0"));
    }
    let in_path = door.get("/redis/client/setinfo/LIB-NAME/x").header("upstash-response-format", "resp2").send().await;
    assert_eq!((in_path.status, in_path.text()), (200, "+OK\r\n"));
    let in_base64 = door.get("/redis/client/setinfo/LIB-NAME/x").header("upstash-encoding", "base64").send().await;
    assert_eq!(in_base64.ok(), json!({"result": "OK"}));
    for command in
        [json!(["CLIENT", "SETINFO"]), json!(["CLIENT", "SETINFO", "LIB-NAME"]), json!(["CLIENT", "GETNAME"])]
    {
        assert_eq!(door.fail_here(command.clone()).await.0, 400, "{command}");
    }
}

async fn what_only_reads_of_a_refused_family_is_run(backend: Backend) {
    let door = backend.open().await;
    assert_eq!(door.run(json!(["ACL", "WHOAMI"])).await, "default");
    assert_eq!(door.run(json!(["ACL", "USERS"])).await, json!(["default"]));
    assert!(door.run(json!(["acl", "cat", "scripting"])).await.is_array());
    assert_eq!(door.run(json!(["ACL", "DRYRUN", "default", "GET", "a"])).await, "OK");
    assert_eq!(door.run(json!(["ACL", "GENPASS", 8])).await.as_str().unwrap().len(), 2);
    assert_eq!(door.run(json!(["SET", "a", "b"])).await, "OK");
    assert!(door.run(json!(["MEMORY", "USAGE", "a"])).await.is_i64());
    for (command, expected) in [
        (json!(["PING"]), json!("PONG")),
        (json!(["PING", "x"]), json!("x")),
        (json!(["ECHO", "x"]), json!("x")),
        (json!(["DBSIZE"]), json!(1)),
        (json!(["PUBLISH", "c", "m"]), json!(0)),
        (json!(["PUBSUB", "NUMSUB", "c"]), json!(["c", 0])),
        (json!(["SCRIPT", "FLUSH"]), json!("OK")),
        (json!(["FUNCTION", "LIST"]), json!([])),
        (json!(["FLUSHDB"]), json!("OK")),
        (json!(["FLUSHALL", "ASYNC"]), json!("OK")),
        (json!(["DBSIZE"]), json!(0)),
    ] {
        assert_eq!(door.run(command.clone()).await, expected, "{command}");
    }
    let exists = door.post("/redis").json(json!(["SCRIPT", "EXISTS", "0".repeat(40)])).send().await;
    assert_eq!(exists.ok(), json!({"result": [0]}));
    assert_eq!(door.run(json!(["TIME"])).await.as_array().unwrap().len(), 2);
}
