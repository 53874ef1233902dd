//! Bodies that hold no commands, and bodies that hold too much.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::door::{Backend, Door, once, refused_here, result};

over_both_backends![
    what_is_no_command_is_400,
    what_is_no_list_of_commands_is_400,
    a_command_is_no_list_and_a_list_is_no_command,
    numbers_and_booleans_are_sent_as_they_are_written,
    escapes_in_strings_are_read,
    nothing_of_a_malformed_batch_is_run,
    a_body_of_10_mib_is_taken_and_no_byte_more,
    too_many_words_are_413,
    too_many_commands_are_413,
    a_body_that_is_cut_off_is_400,
];

const NOT_A_LIST: &str = "ERR The body must be a JSON array of commands";
const NOT_JSON: &str = "ERR The body is not valid JSON";

async fn refused(door: &Door, path: &str, body: impl Into<Body>) -> (u16, String) {
    refused_here(&door.post(path).body(body).send().await)
}

async fn what_is_no_command_is_400(backend: Backend) {
    let door = backend.open().await;
    let kind = |place: usize, kind: &str| {
        format!("ERR Command 0: argument {place} must be a string, a number or a boolean, not {kind}")
    };
    for (body, error) in [
        ("hello", NOT_A_LIST.to_owned()),
        (" ", NOT_A_LIST.to_owned()),
        ("null", NOT_A_LIST.to_owned()),
        ("7", NOT_A_LIST.to_owned()),
        ("\"PING\"", NOT_A_LIST.to_owned()),
        ("{\"command\":[\"PING\"]}", NOT_A_LIST.to_owned()),
        ("{\"commands\":[\"PING\"]}", NOT_A_LIST.to_owned()),
        ("\u{feff}[\"PING\"]", NOT_A_LIST.to_owned()),
        ("\u{a0}[\"PING\"]", NOT_A_LIST.to_owned()),
        ("[", NOT_JSON.to_owned()),
        ("[\"PING\"", NOT_JSON.to_owned()),
        ("[\"PING\",]", NOT_JSON.to_owned()),
        ("['PING']", NOT_JSON.to_owned()),
        ("[PING]", NOT_JSON.to_owned()),
        ("[\"PING\"] x", NOT_JSON.to_owned()),
        ("[\"PING\"][\"PING\"]", NOT_JSON.to_owned()),
        ("[\"GET\",01]", NOT_JSON.to_owned()),
        ("[\"GET\",+1]", NOT_JSON.to_owned()),
        ("[\"GET\",NaN]", NOT_JSON.to_owned()),
        ("[\"GET\",\"a\nb\"]", NOT_JSON.to_owned()),
        ("[\"GET\",\"\\x41\"]", NOT_JSON.to_owned()),
        ("[]", "ERR Command 0: is empty".to_owned()),
        ("[ ]", "ERR Command 0: is empty".to_owned()),
        ("[null]", kind(0, "null")),
        ("[\"GET\",null]", kind(1, "null")),
        ("[\"GET\",{\"a\":1}]", kind(1, "an object")),
        ("[\"MGET\",\"a\",[\"b\"]]", kind(2, "an array")),
        ("[\"GET\",\"\\ud800\"]", kind(1, "a string with a broken escape")),
        ("[\"GET\",\"\\udc00\\ud800\"]", kind(1, "a string with a broken escape")),
    ] {
        assert_eq!(refused(&door, "/redis", body).await, (400, error), "{body}");
    }
    let latin1 = refused(&door, "/redis", &b"[\"GET\",\"\xe9\"]"[..]).await;
    assert_eq!(latin1, (400, "ERR The body is not valid UTF-8".into()));
    let deep = format!("[\"GET\",{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(&door, "/redis", deep).await.0, 400);
}

async fn what_is_no_list_of_commands_is_400(backend: Backend) {
    let door = backend.open().await;
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        for (body, error) in [
            ("hello", NOT_A_LIST),
            ("{\"commands\":[[\"PING\"]]}", NOT_A_LIST),
            ("[[\"PING\"]", NOT_JSON),
            ("[[\"PING\"]]]", NOT_JSON),
            ("[]", "ERR The batch is empty"),
            ("[[]]", "ERR Command 0: is empty"),
            ("[[\"PING\"],[]]", "ERR Command 1: is empty"),
            (
                "[[\"PING\"],[\"GET\",null]]",
                "ERR Command 1: argument 1 must be a string, a number or a boolean, not null",
            ),
            ("[[\"GET\",[\"a\"]]]", "ERR Command 0: argument 1 must be a string, a number or a boolean, not an array"),
        ] {
            assert_eq!(refused(&door, path, body).await, (400, error.into()), "{path}: {body}");
        }
        for body in ["[[\"PING\"],7]", "[[\"PING\"],null]", "[[\"PING\"],{}]", "[[\"PING\"],\"PING\"]"] {
            let (status, error) = refused(&door, path, body).await;
            assert_eq!((status, error.starts_with("ERR Command 1: ")), (400, true), "{path}: {error}");
        }
    }
}

async fn a_command_is_no_list_and_a_list_is_no_command(backend: Backend) {
    let door = backend.open().await;
    let list = refused(&door, "/redis", "[[\"GET\",\"a\"]]").await;
    let error = "ERR Command 0: argument 0 must be a string, a number or a boolean, not an array";
    assert_eq!(list, (400, error.into()));
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        let (status, error) = refused(&door, path, "[\"GET\",\"a\"]").await;
        assert_eq!((status, error.starts_with("ERR Command 0: ")), (400, true), "{path}: {error}");
    }
}

async fn numbers_and_booleans_are_sent_as_they_are_written(backend: Backend) {
    let door = backend.open().await;
    let written = [
        "9007199254740993",
        "-9007199254740993",
        "1.10",
        "1e3",
        "1E+3",
        "-0",
        "0.0",
        "1.0",
        "0.1",
        "100",
        "true",
        "false",
        "12345678901234567890123",
        "1e400",
        "0.00001",
        "123456789012345",
        "1234567890123456",
        "-1.5",
        "3.141592653589793",
    ];
    let push = format!("[\"RPUSH\",\"list\",{}]", written.join(" ,\t"));
    assert_eq!(result(door.post("/redis").body(push).send().await), written.len());
    assert_eq!(door.redis.run(&["LRANGE", "list", "0", "-1"]), json!(written));
    for number in written {
        for path in ["/redis/pipeline", "/redis/multi-exec"] {
            let answer = door.post(path).body(format!("[[\"ECHO\",{number}]]")).send().await;
            assert_eq!(once(&answer).ok(), json!([{"result": number}]), "{path}");
        }
        assert_eq!(result(door.post("/redis").body(format!("[\"ECHO\",{number}]")).send().await), number);
    }
    // Also as the name of a command, which then is none.
    let (status, error) = door.fail(json!([1])).await;
    assert_eq!((status, error.starts_with("ERR unknown command '1'")), (400, true), "{error}");
}

async fn escapes_in_strings_are_read(backend: Backend) {
    let door = backend.open().await;
    let body = r#"["RPUSH","li\u0073t","\"\\\/\b\f\n\r\t","\u00fc\ud83d\ude00\u0000\u2028","ü😀","","\ufffd"]"#;
    assert_eq!(result(door.post("/redis").body(body).send().await), 5);
    let words = ["\"\\/\u{8}\u{c}\n\r\t", "ü😀\0\u{2028}", "ü😀", "", "\u{fffd}"];
    assert_eq!(door.redis.run(&["LRANGE", "list", "0", "-1"]), json!(words));
}

async fn nothing_of_a_malformed_batch_is_run(backend: Backend) {
    let door = backend.open().await;
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        for last in ["[]", "null", "[\"GET\",{}]", "[\"GET\",\"\\ud800\"]", "[\"GET\""] {
            let body = format!("[[\"SET\",\"a\",\"b\"],{last}]");
            assert_eq!(refused(&door, path, body).await.0, 400, "{path}: {last}");
        }
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
}

const MOST: usize = 10 * 1024 * 1024;

async fn a_body_of_10_mib_is_taken_and_no_byte_more(backend: Backend) {
    let door = backend.open().await;
    let too_large = (413, format!("ERR Request body exceeds {MOST} bytes"));
    let frame = "[\"SET\",\"k\",\"\"]".len();
    for (path, around) in [("/redis", frame), ("/redis/set/k", 0)] {
        let body = |length: usize| match around {
            0 => "v".repeat(length),
            around => format!("[\"SET\",\"k\",\"{}\"]", "v".repeat(length - around)),
        };
        assert_eq!(result(door.post(path).body(body(MOST)).send().await), "OK");
        assert_eq!(door.redis.run(&["STRLEN", "k"]), MOST - around);
        // The length is announced, or found while the body is read.
        let announced = door.post(path).header("content-length", (MOST + 1).to_string()).body(body(MOST + 1));
        assert_eq!(refused_here(&announced.send().await), too_large);
        assert_eq!(refused(&door, path, pieces(body(MOST + 1))).await, too_large);
        assert_eq!(result(door.post(path).body(pieces(body(MOST))).send().await), "OK");
    }
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        assert_eq!(refused(&door, path, pieces("[".repeat(MOST + 1))).await, too_large);
    }
    for length in ["18446744073709551616", "-1", "x"] {
        let answer = door.post("/redis").header("content-length", length).json(json!(["PING"])).send().await;
        assert_eq!(refused_here(&answer), too_large, "{length}");
    }
}

/// A body that does not say how long it is.
fn pieces(text: String) -> Body {
    let bytes = Bytes::from(text);
    let chunks: Vec<Bytes> = bytes.chunks(1 << 20).map(|chunk| bytes.slice_ref(chunk)).collect();
    Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>)))
}

/// The most words in one request.
const MOST_WORDS: usize = 512 * 1024;

async fn too_many_words_are_413(backend: Backend) {
    let door = backend.open().await;
    let push = |words: usize| format!("[\"RPUSH\",\"list\"{}]", ",1".repeat(words - 2));
    assert_eq!(result(door.post("/redis").body(push(MOST_WORDS)).send().await), MOST_WORDS - 2);
    let (status, error) = refused(&door, "/redis", push(MOST_WORDS + 1)).await;
    assert_eq!((status, error.contains("524288 words")), (413, true), "{error}");
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        let half = push(MOST_WORDS / 2);
        assert_eq!(once(&door.post(path).body(format!("[{half},{half}]")).send().await).status, 200);
        let (status, error) = refused(&door, path, format!("[{half},{half},[\"PING\"]]")).await;
        assert_eq!((status, error.contains("524288 words")), (413, true), "{error}");
    }
}

/// The most commands in one pipeline or transaction.
const MOST_COMMANDS: usize = 100_000;

async fn too_many_commands_are_413(backend: Backend) {
    let door = backend.open().await;
    let pings = |count: usize| format!("[{}]", vec!["[\"PING\"]"; count].join(","));
    for path in ["/redis/pipeline", "/redis/multi-exec"] {
        let results = once(&door.post(path).body(pings(MOST_COMMANDS)).send().await).ok();
        assert_eq!(results.as_array().unwrap().len(), MOST_COMMANDS);
        let (status, error) = refused(&door, path, pings(MOST_COMMANDS + 1)).await;
        assert_eq!((status, error.contains("100000")), (413, true), "{error}");
    }
}

async fn a_body_that_is_cut_off_is_400(backend: Backend) {
    let door = backend.open().await;
    let start = Ok(Bytes::from_static(b"[\"SET\",\"a\",\"b\"]"));
    let cut = Body::from_stream(stream::iter([start, Err(std::io::Error::other("gone"))]));
    assert_eq!(refused(&door, "/redis", cut).await, (400, "ERR The body was cut off".into()));
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
}
