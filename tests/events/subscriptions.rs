//! What is published reaches who subscribes, whole and in order.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::{door::Backend, stream::Stream};

over_both_backends![
    a_channel,
    several_channels,
    patterns,
    the_body_says_nothing,
    names_are_decoded,
    what_is_no_text_becomes_replacement_characters,
    a_message_of_several_lines_is_one_event,
    publish_is_a_command,
    many_subscribers_hear_the_same,
    a_burst_arrives_whole_and_in_order,
    messages_are_bounded_one_by_one,
    messages_are_counted_for_nothing,
    the_deadline_is_for_the_first_answer,
    one_log_line_when_it_begins,
];

async fn a_channel(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    assert_eq!(door.publish("chat", "hello"), 1);
    assert_eq!(door.publish("chat", r#"{"a":[1,"b"]}"#), 1);
    assert_eq!(door.publish("other", "hello"), 0);
    assert_eq!(door.publish("chat", ""), 1);
    stream.until("chat,\n\n").await;
    assert_eq!(
        stream.text,
        "data: subscribe,chat,1\n\ndata: message,chat,hello\n\ndata: message,chat,{\"a\":[1,\"b\"]}\n\ndata: message,chat,\n\n"
    );
    let header = |name: &str| stream.headers[name].to_str().unwrap();
    assert_eq!((header("cache-control"), header("x-redis-round-trips")), ("no-store", "1"));
    assert_eq!((header("x-request-id").len(), header("upstash-sync-token").is_empty()), (32, false));
    assert!(!stream.headers.contains_key("content-length"));
}

async fn several_channels(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/a/b/c").await;
    stream.until("subscribe,c,3\n\n").await;
    for channel in ["c", "a", "b", "a"] {
        assert_eq!(door.publish(channel, "x"), 1);
    }
    stream.until("message,b,x\n\ndata: message,a,x\n\n").await;
    assert_eq!(
        stream.events(),
        ["subscribe,a,1", "subscribe,b,2", "subscribe,c,3", "message,c,x", "message,a,x", "message,b,x", "message,a,x"]
    );
}

async fn patterns(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/psubscribe/user:*/*:1").await;
    stream.until("psubscribe,*:1,2\n\n").await;
    assert_eq!(door.publish("user:1", "both"), 2);
    assert_eq!(door.publish("user", "none"), 0);
    assert_eq!(door.publish("post:1", "one"), 1);
    stream.until("one\n\n").await;
    let mut events = stream.events();
    assert_eq!(events.drain(..2).collect::<Vec<_>>(), ["psubscribe,user:*,1", "psubscribe,*:1,2"]);
    events.sort_unstable();
    assert_eq!(events, ["pmessage,*:1,post:1,one", "pmessage,*:1,user:1,both", "pmessage,user:*,user:1,both"]);
}

/// The official SDK repeats the command there. Were it read, another channel could stand in it.
async fn the_body_says_nothing(backend: Backend) {
    let door = backend.open().await;
    for body in ["", "[]", r#"["SUBSCRIBE","secret"]"#, "secret", "\u{0}{"] {
        let call = door.post("/redis/subscribe/chat").header("accept", "text/event-stream");
        let call = call.header("upstash-encoding", "base64").header("upstash-response-format", "resp2").body(body);
        let mut stream = Stream::open(call).await;
        stream.until("\n\n").await;
        assert_eq!((door.publish("secret", "x"), door.publish("chat", "aGk=")), (0, 1), "{body}");
        stream.until("aGk=\n\n").await;
        assert_eq!(stream.events(), ["subscribe,chat,1", "message,chat,aGk="]);
        drop(stream);
        door.is_left_alone().await;
    }
}

async fn names_are_decoded(backend: Backend) {
    let door = backend.open().await;
    for (path, channel) in [
        ("a%2Fb", "a/b"),
        ("%C3%BCber%20all", "über all"),
        ("what%3F", "what?"),
        ("100%25", "100%"),
        ("a+b", "a+b"),
        ("a,b", "a,b"),
        ("..a;b", "..a;b"),
    ] {
        let mut stream = door.listen(&format!("/redis/subscribe/{path}?_token=ignored")).await;
        stream.until("\n\n").await;
        assert_eq!(door.publish(channel, "x"), 1, "{channel}");
        stream.until("x\n\n").await;
        assert_eq!(stream.events(), [format!("subscribe,{channel},1"), format!("message,{channel},x")]);
    }
}

async fn what_is_no_text_becomes_replacement_characters(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/psubscribe/bytes*").await;
    stream.until("\n\n").await;
    let script = r"return redis.call('PUBLISH', 'bytes\255', 'a\255,\192b')";
    assert_eq!(door.redis.run(&["EVAL", script, "0"]), json!(1));
    stream.until("b\n\n").await;
    assert_eq!(stream.events()[1], "pmessage,bytes*,bytes\u{fffd},a\u{fffd},\u{fffd}b");
}

async fn a_message_of_several_lines_is_one_event(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    door.publish("chat", "one\ntwo\r\n three\n\nmessage,chat,forged\r");
    door.publish("chat", "end");
    stream.until("end\n\n").await;
    let expected = "data: message,chat,one\ndata:two\ndata:  three\ndata:\ndata:message,chat,forged\ndata:\n\n";
    assert_eq!(stream.text, format!("data: subscribe,chat,1\n\n{expected}data: message,chat,end\n\n"));
}

async fn publish_is_a_command(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    assert_eq!(door.run(json!(["PUBLISH", "chat", "hello"])).await, 1);
    stream.until("message,chat,hello\n\n").await;
}

async fn many_subscribers_hear_the_same(backend: Backend) {
    const MANY: usize = 50;
    let door = backend.open().await;
    let mut streams = join_all(
        (0..MANY).map(|n| door.listen(if n % 2 == 0 { "/redis/subscribe/chat" } else { "/redis/psubscribe/ch*" })),
    )
    .await;
    for stream in &mut streams {
        stream.until("\n\n").await;
    }
    assert_eq!(door.publish("chat", "all"), MANY as u64);
    for stream in &mut streams {
        stream.until("chat,all\n\n").await;
    }
    drop(streams);
    door.is_left_alone().await;
}

async fn a_burst_arrives_whole_and_in_order(backend: Backend) {
    const MANY: usize = 10_000;
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    let messages: Vec<String> = (0..MANY).map(|n| format!("message {n} {}", "x".repeat(n % 50))).collect();
    let commands: Vec<Vec<&str>> = messages.iter().map(|message| vec!["PUBLISH", "chat", message]).collect();
    assert!(door.redis.run_all(&commands).iter().all(|count| *count == 1));
    door.publish("chat", "end");
    stream.until("end\n\n").await;
    let expected = messages.iter().map(|message| format!("message,chat,{message}"));
    assert_eq!(stream.events()[1..=MANY], expected.collect::<Vec<_>>());
}

/// What all replies of one request may have together does not bound a stream.
async fn messages_are_bounded_one_by_one(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    let large = "x".repeat(6 << 20);
    for n in 1..=3 {
        let message = format!("{large} end of {n}");
        door.publish("chat", &message);
        stream.text.clear();
        stream.until(&format!("end of {n}\n\n")).await;
        assert!(stream.text.ends_with(&format!("data: message,chat,{message}\n\n")));
    }
}

async fn messages_are_counted_for_nothing(backend: Backend) {
    // Three elements each, and in all more than one round trip may have.
    const AT_ONCE: usize = 60_000;
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    for round in 1..=3 {
        let script = "for n = 1, ARGV[1] do redis.call('PUBLISH', 'chat', '') end";
        door.redis.run(&["EVAL", script, "0", &AT_ONCE.to_string()]);
        let end = format!("end of {round}");
        door.publish("chat", &end);
        stream.text.clear();
        stream.until(&end).await;
        assert!(stream.text.matches("data: message,chat,\n\n").count() == AT_ONCE);
    }
}

async fn the_deadline_is_for_the_first_answer(backend: Backend) {
    let door = backend.open_with(&[("REDIS_TIMEOUT_MS", "500")]).await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until("\n\n").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    door.publish("chat", "late");
    stream.until("message,chat,late\n\n").await;
}

async fn one_log_line_when_it_begins(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/subscribe/secret?_token=secret").await;
    stream.until("\n\n").await;
    door.publish("secret", "secret");
    stream.until("message").await;
    drop(stream);
    let lines = door.gateway.log();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        ["method", "route", "status", "redis_round_trips", "caller"].map(|name| lines[0][name].clone()),
        [json!("GET"), json!("/redis/subscribe/{*channels}"), json!(200), json!(1), json!("api_key")]
    );
    assert!(!lines[0].to_string().contains("secret"));
}
