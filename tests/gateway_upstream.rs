//! SPEC 9 over REST, word by word: what the backend hears, and what the caller gets of its answer. A request that needs no
//! rewriting goes there as it came, and its answer comes back as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod hostile;
#[path = "gateway_upstream/recorded.rs"]
mod recorded;
mod support;

use hostile::{
    SECRET,
    http::{answers, response},
    once,
};
use http::Method;
use recorded::{BYTES, JSON, KEY, Setup};
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_is_passed_on_as_it_came() {
    let odd = " [\"GET\" ,\t\"a\\u0041\\/ü\",\r\n 100, -1.5,0.25,true ] ";
    let list = " [ [\"INCR\",\"n\"] ,\n[\"GET\",\"n\"]]\t";
    for (method, path, body, line, kind) in [
        ("POST", "/redis", odd, "POST /base", "application/json"),
        ("PUT", "/redis", odd, "POST /base", "application/json"),
        ("POST", "/redis/", odd, "POST /base", "application/json"),
        ("POST", "/redis?EX=1&_token=x", odd, "POST /base", "application/json"),
        ("POST", "/redis/pipeline", list, "POST /base/pipeline", "application/json"),
        ("PUT", "/redis/pipeline?_token=x", list, "POST /base/pipeline", "application/json"),
        ("POST", "/redis/multi-exec", list, "POST /base/multi-exec", "application/json"),
        ("GET", "/redis/get/foo", "", "GET /base/get/foo", ""),
        ("GET", "/redis/GeT/a:b@c!$'()*,~&=+", "", "GET /base/GeT/a:b@c!$'()*,~&=+", ""),
        ("GET", "/redis/set/%C3%BC%20x/%00%0D%0A", "", "GET /base/set/%C3%BC%20x/%00%0D%0A", ""),
        ("GET", "/redis/set/%66oo/%ff%FE", "", "GET /base/set/%66oo/%ff%FE", ""),
        ("GET", "/redis/set/a/b?EX=100&NX", "", "GET /base/set/a/b?EX=100&NX", ""),
        ("GET", "/redis/set/a/b?_token=x&EX=100&_token=y&NX&_token", "", "GET /base/set/a/b?EX=100&NX", ""),
        ("GET", "/redis/set/a/b?%5ftoken=x", "", "GET /base/set/a/b", ""),
        ("GET", "/redis/set/a/b?a%20b=%C3%BC%20", "", "GET /base/set/a/b?a%20b=%C3%BC%20", ""),
        ("POST", "/redis/publish/chat/hello", "", "POST /base/publish/chat/hello", ""),
        ("POST", "/redis/set/foo?EX=100", "{\"a\": 1}\r\n", "POST /base/set/foo?EX=100", "application/octet-stream"),
        ("PUT", "/redis/set/foo", "x", "POST /base/set/foo", "application/octet-stream"),
        // What a HEAD fails with stands in the body of a GET.
        ("HEAD", "/redis/get/foo", "", "GET /base/get/foo", ""),
    ] {
        let setup = Setup::start(JSON, "{\"result\":1}").await;
        let answer = setup.send(Method::from_bytes(method.as_bytes()).unwrap(), path, body).await;
        assert_eq!((answer.status, answer.header("x-redis-round-trips")), (200, "1"), "{path}: {answer:?}");
        let heard = setup.heard();
        assert_eq!(heard.line, format!("{line} HTTP/1.1"));
        assert_eq!((heard.body(), heard.header("content-type")), (body, kind), "{path}");
        assert_eq!(heard.header("authorization"), format!("Bearer {SECRET}"));
    }
}

#[tokio::test]
async fn bytes_in_a_body_are_passed_on() {
    let setup = Setup::start(JSON, "{\"result\":\"OK\"}").await;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(setup.send(Method::POST, "/redis/set/foo", bytes.clone()).await.status, 200);
    assert_eq!(setup.heard().body, bytes);
}

#[tokio::test]
async fn only_headers_of_this_api_are_passed_on() {
    let setup = Setup::start(JSON, "{\"result\":1}").await;
    let call = setup.call(&Method::POST, "/redis").json(json!(["GET", "a"]));
    let ours =
        [("upstash-encoding", "base64"), ("upstash-response-format", "json"), ("upstash-sync-token", "t1:t2,x=")];
    let others = [
        ("cookie", "c=1"),
        ("x-api-key", KEY),
        ("x-forwarded-for", "203.0.113.1"),
        ("cf-connecting-ip", "203.0.113.1"),
        ("x-request-id", "mine"),
        ("origin", "https://example.com"),
        ("accept-encoding", "gzip"),
        ("upstash-telemetry-sdk", "x"),
        ("x-http-method-override", "DELETE"),
    ];
    let call = ours.iter().chain(&others).fold(call, |call, (name, value)| call.header(name, value));
    assert_eq!(call.header("content-type", "text/plain").send().await.status, 200);
    let heard = setup.heard();
    for (name, value) in ours {
        assert_eq!(heard.header(name), value);
    }
    for (name, _) in others {
        assert_eq!(heard.header(name), "", "{name}");
    }
    assert_eq!(
        (heard.header("content-type"), heard.header("authorization")),
        ("application/json", &*format!("Bearer {SECRET}"))
    );
}

#[tokio::test]
async fn an_answer_comes_back_as_it_is() {
    for (headers, body) in [
        (JSON, &b" { \"result\" :\t1e0 , \"more\":[] }\r\n"[..]),
        (JSON, b"[{\"result\":null},{\"error\":\"ERR x\"}]"),
        ("content-type: application/json; charset=utf-8\r\n", b"{\"result\":\"\xff\"}"),
        (BYTES, b"$4\r\n\xff\0\r\n\r\n"),
    ] {
        let setup =
            Setup::start(&format!("{headers}upstash-sync-token: abc=,1:2\r\nx-other: y\r\nset-cookie: a=b\r\n"), body)
                .await;
        let answer = setup.send(Method::POST, "/redis", "[\"GET\",\"a\"]").await;
        assert_eq!((answer.status, answer.body.as_ref()), (200, body));
        assert!(headers.contains(answer.header("content-type")) && !answer.header("content-type").is_empty());
        assert_eq!((answer.header("upstash-sync-token"), answer.header("cache-control")), ("abc=,1:2", "no-store"));
        assert_eq!((answer.header("x-other"), answer.header("set-cookie")), ("", ""));
    }
}

#[tokio::test]
async fn a_large_answer_comes_back_as_it_is() {
    let body = format!("{{\"result\":\"{}\"}}", "ü".repeat(10 << 20));
    let setup = Setup::start(JSON, &body).await;
    let answer = setup.send(Method::GET, "/redis/get/a", "").await;
    assert_eq!((answer.status, answer.body == body.as_bytes()), (200, true));
}

#[tokio::test]
async fn the_error_of_a_command_is_told_and_nothing_beside_it() {
    for (body, error) in [
        ("{\"error\":\"ERR x\"}", "ERR x"),
        (" {\"more\": \"hush\", \"error\" : \"WRONGTYPE \\u00fc\"} ", "WRONGTYPE ü"),
        ("-ERR from RESP\r\n", "ERR from RESP"),
    ] {
        let setup = Setup::with_acl(None, response("400 Bad Request", JSON, body)).await;
        let answer = setup.send(Method::POST, "/redis", "[\"GET\",\"a\"]").await;
        assert_eq!((answer.status, answer.json()), (400, json!({"error": error})));
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

/// `GET` of these paths, and what is asked for instead.
#[tokio::test]
async fn a_path_that_servers_might_read_in_another_way_is_rewritten() {
    for (path, words) in [
        ("/redis/get/a%2Fb", json!(["get", "a/b"])),
        ("/redis/get/a%2fb", json!(["get", "a/b"])),
        ("/redis/get/a%5Cb", json!(["get", "a\\b"])),
        ("/redis/get/a%3Fb", json!(["get", "a?b"])),
        ("/redis/get/a%23b", json!(["get", "a#b"])),
        ("/redis/get/a;b", json!(["get", "a;b"])),
        ("/redis/get/a%3Bb", json!(["get", "a;b"])),
        ("/redis/get/100%25", json!(["get", "100%"])),
        ("/redis/get/%252F", json!(["get", "%2F"])),
        ("/redis/get/100%", json!(["get", "100%"])),
        ("/redis/get/%zz", json!(["get", "%zz"])),
        ("/redis/get/", json!(["get", ""])),
        ("/redis/set//x", json!(["set", "", "x"])),
        ("/redis//get/x", json!(["", "get", "x"])),
        ("/redis/get/.", json!(["get", "."])),
        ("/redis/get/a/../b", json!(["get", "a", "..", "b"])),
        ("/redis/get/%2e%2E", json!(["get", ".."])),
        ("/redis/set/a/b?EX=1%3B2", json!(["set", "a", "b", "EX", "1;2"])),
        ("/redis/set/a/b?c;d=1", json!(["set", "a", "b", "c;d", "1"])),
        ("/redis/set/a/b?c=100%", json!(["set", "a", "b", "c", "100%"])),
        ("/redis/set/a/b?c=%2526&_token=x", json!(["set", "a", "b", "c", "%26"])),
        ("/redis/set/a/b?=x", json!(["set", "a", "b", "", "x"])),
        ("/redis/mset?a=&b=c", json!(["mset", "a", "b", "c"])),
        // What names no command may name a route there.
        ("/redis/%70ipeline", json!(["pipeline"])),
        ("/redis/%6Dulti-exec/x", json!(["multi-exec", "x"])),
        ("/redis/PIPELINE", json!(["PIPELINE"])),
        ("/redis/json.get/a", json!(["json.get", "a"])),
    ] {
        let setup = Setup::start(JSON, "[{\"result\":\"x\"}]").await;
        let answer = setup.send(Method::GET, path, "").await;
        assert_eq!((answer.status, answer.text()), (200, "{\"result\":\"x\"}"), "{path}");
        let heard = setup.heard();
        assert_eq!(
            (heard.line.as_str(), heard.header("content-type")),
            ("POST /base/pipeline HTTP/1.1", "application/json")
        );
        assert_eq!(serde_json::from_slice::<Value>(&heard.body).unwrap(), json!([words]), "{path}");
    }
}

#[tokio::test]
async fn numbers_that_servers_might_write_in_another_way_are_rewritten_as_strings() {
    for number in
        ["1e3", "1E3", "1.0", "1.10", "-0", "9007199254740993", "1234567890123456", "0.00001", "0.0001", "0.1e1"]
    {
        for (path, body, asked) in [
            ("/redis", format!("[\"ECHO\", {number}]"), "POST /base/pipeline HTTP/1.1"),
            ("/redis/pipeline", format!("[[\"ECHO\", {number}]]"), "POST /base/pipeline HTTP/1.1"),
            ("/redis/multi-exec", format!("[[\"ECHO\", {number}]]"), "POST /base/multi-exec HTTP/1.1"),
        ] {
            let setup = Setup::start(JSON, "[{\"result\":\"x\"}]").await;
            let answer = setup.send(Method::POST, path, body).await;
            assert_eq!(
                (answer.status, answer.json()),
                (200, if path == "/redis" { json!({"result": "x"}) } else { json!([{"result": "x"}]) })
            );
            let heard = setup.heard();
            assert_eq!((heard.line.as_str(), heard.body()), (asked, &*format!("[[\"ECHO\",\"{number}\"]]")));
        }
    }
}

#[tokio::test]
async fn what_is_not_asked_of_the_backend_is_left_out() {
    let setup =
        Setup::with_acl(Some("~app:* +@all"), response("200 OK", JSON, "[{\"result\":1},{\"result\":2}]")).await;
    let commands = json!([
        ["GET", "app:a"],
        ["MONITOR"],
        ["CLIENT", "SETINFO", "LIB-NAME", "x"],
        ["GET", "other"],
        ["GET", "app:b"]
    ]);
    let answer = setup.send(Method::POST, "/redis/pipeline", commands.to_string()).await.ok();
    let heard = setup.heard();
    assert_eq!(heard.body(), "[[\"GET\",\"app:a\"],[\"GET\",\"app:b\"]]");
    assert_eq!(
        (&answer[0], &answer[2], &answer[4]),
        (&json!({"result": 1}), &json!({"result": "OK"}), &json!({"result": 2}))
    );
    assert!(answer[1]["error"].is_string() && answer[3]["error"].is_string());
}

#[tokio::test]
async fn a_scan_that_must_be_filtered_is_asked_for_in_base64() {
    // "0", "app:a", "other"; "base64?"
    let answer = "[{\"result\":[\"MA==\",[\"YXBwOmE=\",\"b3RoZXI=\"]]},{\"result\":\"YmFzZTY0Pw==\"}]";
    let setup = Setup::with_acl(Some("~app:* +@all"), response("200 OK", JSON, answer)).await;
    let answer = setup.call(&Method::GET, "/redis/scan/0").header("upstash-sync-token", "t1").send().await;
    assert_eq!(answer.ok(), json!({"result": ["0", ["app:a"]]}));
    let heard = setup.heard();
    let body = "[[\"scan\",\"0\"],[\"ECHO\",\"base64?\"]]";
    assert_eq!((heard.line.as_str(), heard.body()), ("POST /base/pipeline HTTP/1.1", body));
    assert_eq!((heard.header("upstash-encoding"), heard.header("upstash-sync-token")), ("base64", "t1"));
}

/// What looks like base64 is none there, and nobody asks again.
#[tokio::test]
async fn a_backend_that_does_not_know_base64_is_taken_at_its_word() {
    let answer = "[{\"result\":[\"0\",[\"abcd\",\"other\"]]},{\"result\":\"base64?\"}]";
    let setup = Setup::with_acl(Some("~abcd* +@all"), response("200 OK", JSON, answer)).await;
    let scan = || setup.call(&Method::GET, "/redis/scan/0").send();
    assert_eq!(scan().await.ok(), json!({"result": ["0", ["abcd"]]}));
    assert_eq!(setup.heard().header("upstash-encoding"), "base64");
    assert_eq!(scan().await.status, 502, "now one reply is too many: nothing was asked beside the scan");
}

/// Then nobody knows what its strings stand for.
#[tokio::test]
async fn a_backend_that_does_not_say_whether_it_knows_base64_is_502() {
    let answer = "[{\"result\":[\"MA==\",[\"YWJjZA==\"]]},{\"error\":\"NOPERM x\"}]";
    let setup = Setup::with_acl(Some("~abcd* +@all"), response("200 OK", JSON, answer)).await;
    assert_eq!(setup.call(&Method::GET, "/redis/scan/0").send().await.status, 502);
    let refused = response("400 Bad Request", JSON, "{\"error\":\"NOPERM x\"}");
    let setup = Setup::with_acl(Some("~app:* +@all"), refused).await;
    assert_eq!(setup.send(Method::POST, "/redis/multi-exec", "[[\"SCAN\",0]]").await.status, 502);
    assert!(setup.heard().line.starts_with("POST /base/pipeline "));
}

/// It could be what the transaction fails of.
#[tokio::test]
async fn a_question_of_ridges_own_is_no_part_of_a_transaction() {
    let list = |results: &str| answers(response("200 OK", JSON, results));
    let replies = "[{\"result\":[\"MA==\",[\"YXBwOmE=\",\"b3RoZXI=\"]]}]";
    let manner = once(list("[{\"result\":\"YmFzZTY0Pw==\"}]"), list(replies));
    let setup = Setup::behind(Some("~app:* +@all"), manner).await;
    let answer = setup.send(Method::POST, "/redis/multi-exec", "[[\"SCAN\",0]]").await;
    assert_eq!(answer.ok(), json!([{"result": ["0", ["app:a"]]}]));
    assert_eq!(answer.header("x-redis-round-trips"), "2");
    let heard = String::from_utf8(setup.backend.seen()).unwrap();
    let place = |text: &str| heard.find(text).unwrap_or_else(|| panic!("{text} in {heard}"));
    assert!(place("POST /base/pipeline ") < place("[[\"ECHO\",\"base64?\"]]"));
    assert!(place("[[\"ECHO\",\"base64?\"]]") < place("POST /base/multi-exec "));
    assert!(place("POST /base/multi-exec ") < place("[[\"SCAN\",\"0\"]]"));
}

#[tokio::test]
async fn a_token_comes_back_from_a_request_that_was_rewritten() {
    let setup = Setup::start(&format!("{JSON}upstash-sync-token: t2\r\n"), "[{\"result\":1}]").await;
    let answer = setup.call(&Method::GET, "/redis/get/a%2Fb").header("upstash-sync-token", "t1").send().await;
    assert_eq!((answer.header("upstash-sync-token"), setup.heard().header("upstash-sync-token")), ("t2", "t1"));
}

/// The backend's own tokens are not mixed with any of Ridge's.
#[tokio::test]
async fn a_request_that_asks_nobody_gives_the_token_back() {
    let setup = Setup::start(JSON, "[]").await;
    let set_info = json!([["CLIENT", "SETINFO", "LIB-NAME", "x"]]).to_string();
    let call = || setup.call(&Method::POST, "/redis/pipeline").body(set_info.clone());
    let answer = call().header("upstash-sync-token", "t1").send().await;
    assert_eq!((answer.status, answer.header("upstash-sync-token")), (200, "t1"));
    assert_eq!((call().send().await.header("upstash-sync-token"), setup.backend.attempts()), ("", 0));
}

#[tokio::test]
async fn bytes_that_json_cannot_carry_are_400_once_a_request_must_be_rewritten() {
    for (path, body) in
        [("/redis/get/%FF%2F", &b""[..]), ("/redis/set/a%2Fb", b"\xff"), ("/redis/set/a/b?c=%ff%3b", b"")]
    {
        let setup = Setup::start(JSON, "[{\"result\":1}]").await;
        let answer = setup.send(Method::POST, path, body).await;
        assert_eq!((answer.status, answer.header("x-redis-round-trips")), (400, "0"), "{path}: {answer:?}");
        assert!(answer.refusal().1.contains("UTF-8"), "{path}");
        assert_eq!(setup.backend.attempts(), 0);
    }
}

#[tokio::test]
async fn what_is_refused_here_is_not_heard_there() {
    let setup = Setup::with_acl(Some("~app:* +@all"), response("200 OK", JSON, "{\"result\":1}")).await;
    for (path, body) in [
        ("/redis", "[\"MONITOR\"]"),
        ("/redis", "[\"GET\",\"other\"]"),
        ("/redis", "[\"GET\",null]"),
        ("/redis/get/other", ""),
        ("/redis/get/app:x/other", ""),
        ("/redis/blpop/app:x/0", ""),
        ("/redis/multi-exec", "[[\"GET\",\"app:a\"],[\"EXEC\"]]"),
        ("/redis/pipeline", "[[\"MONITOR\"],[\"GET\",\"other\"]]"),
    ] {
        let answer = setup.send(Method::POST, path, body).await;
        assert_eq!(answer.header("x-redis-round-trips"), "0", "{path} {body}: {answer:?}");
    }
    assert_eq!(setup.backend.attempts(), 0);
}
