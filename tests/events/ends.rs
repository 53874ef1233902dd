//! How a stream ends: with its reader, with Redis, and never in the middle of an event.

use http_body_util::BodyExt as _;

use crate::{
    door::{Backend, KEY, key_list, refusal},
    hostile::{
        Manner, Stranger,
        tcp::{answers, answers_and_waits, closes_at_once},
    },
    stream::Stream,
    support::{Gateway, Redis},
};

over_both_backends![
    it_ends_with_its_reader,
    it_ends_with_a_reader_who_has_read_nothing,
    it_ends_with_redis,
    without_redis_it_does_not_begin,
];

async fn it_ends_with_its_reader(backend: Backend) {
    let door = backend.open().await;
    for round in 1..=3 {
        let mut kept = door.listen("/redis/subscribe/chat").await;
        kept.until("\n\n").await;
        for path in ["/redis/subscribe/chat/other", "/redis/psubscribe/*", "/redis/monitor"] {
            let mut stream = door.listen(path).await;
            stream.until("\n\n").await;
            door.publish("other", "x");
            stream.until("x").await;
        }
        while door.subscribers("chat") > 1 || door.subscribers("other") > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(door.publish("chat", "you"), 1, "{round}");
        kept.until("message,chat,you\n\n").await;
        drop(kept);
        door.is_left_alone().await;
        assert_eq!(door.redis.run(&["PUBSUB", "NUMPAT"]), 0);
    }
}

async fn it_ends_with_a_reader_who_has_read_nothing(backend: Backend) {
    let door = backend.open().await;
    drop(door.listen("/redis/subscribe/chat").await);
    door.is_left_alone().await;
}

async fn it_ends_with_redis(backend: Backend) {
    let door = backend.open().await;
    let mut streams = Vec::new();
    for path in ["/redis/subscribe/chat", "/redis/psubscribe/chat", "/redis/monitor"] {
        let mut stream = door.listen(path).await;
        stream.until("\n\n").await;
        streams.push(stream);
    }
    door.publish("chat", "last");
    for stream in &mut streams {
        stream.until("last").await;
    }
    door.redis.stop();
    for stream in streams {
        let text = stream.into_text().await;
        assert!(text.ends_with("\n\n") && text.contains("last"), "{text:?}");
    }
    door.redis.restart();
    door.redis.wait_until_loaded();
    door.listen("/redis/subscribe/chat").await.until("\n\n").await;
}

async fn without_redis_it_does_not_begin(backend: Backend) {
    let door = backend.open().await;
    door.redis.stop();
    for path in ["/redis/subscribe/chat", "/redis/psubscribe/chat", "/redis/monitor"] {
        let answer = door.get(path).send().await;
        let (status, error) = refusal(&answer);
        assert_eq!((status, &error[..4], answer.header("retry-after")), (503, "ERR ", "1"), "{error}");
    }
}

/// A gateway in front of a server that misbehaves.
fn in_front_of(stranger: &Stranger) -> Gateway {
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let keys = key_list(&[serde_json::json!({"name": "tests", "key": KEY})]);
    Gateway::new(&[("REDIS_URL", &url), ("API_KEYS", &keys), ("REDIS_TIMEOUT_MS", "20000")])
}

const SUBSCRIBED: &str = "*3\r\n$9\r\nsubscribe\r\n$4\r\nchat\r\n:1\r\n";
const SAID: &str = "data: subscribe,chat,1\n\n";

#[tokio::test]
async fn half_a_message_is_no_event() {
    let message = "*3\r\n$7\r\nmessage\r\n$4\r\nchat\r\n$5\r\nhello\r\n";
    for cut in 0..=message.len() {
        let said = format!("{SUBSCRIBED}{}", &message[..cut]);
        let stranger = Stranger::start(answers(said), closes_at_once()).await;
        let text =
            Stream::open(in_front_of(&stranger).get("/redis/subscribe/chat").bearer(KEY)).await.into_text().await;
        let whole = if cut == message.len() { "data: message,chat,hello\n\n" } else { "" };
        assert_eq!(text, format!("{SAID}{whole}"), "{cut}");
        assert_eq!(stranger.attempts(), 1);
    }
}

/// Says that the subscription is made, and this as soon as something more is asked.
fn says_then(nonsense: &'static str) -> Manner {
    Box::new(move |mut connection| {
        Box::pin(async move {
            connection.read_until(|request| request.ends_with(b"chat\r\n")).await;
            connection.say(SUBSCRIBED.as_bytes()).await;
            connection.read_until(|request| !request.is_empty()).await;
            connection.say(nonsense.as_bytes()).await;
            connection.linger().await;
        })
    })
}

#[tokio::test]
async fn nonsense_ends_it() {
    for nonsense in ["hush\r\n", "$1099511627776\r\n", "*1099511627776\r\n", "%1\r\n"] {
        let stranger = Stranger::start(says_then(nonsense), closes_at_once()).await;
        let gateway = in_front_of(&stranger);
        gateway.host.hurry(20);
        let stream = Stream::open(gateway.get("/redis/subscribe/chat").bearer(KEY)).await;
        assert_eq!(stream.into_text().await, SAID, "{nonsense:?}");
    }
}

#[tokio::test]
async fn a_bad_first_answer_is_an_error() {
    let _redis = Redis::shared();
    for (reply, status) in [
        ("", 503),
        ("*3\r\n$9\r\nsubscr", 503),
        ("hush\r\n", 502),
        ("-NOAUTH Authentication required.\r\n", 502),
        ("-LOADING Redis is loading the dataset in memory\r\n", 503),
        ("-ERR max number of clients reached\r\n", 503),
        ("-ERR unknown command 'subscribe'\r\n", 400),
    ] {
        let stranger = Stranger::start(answers(reply), closes_at_once()).await;
        let answer = in_front_of(&stranger).get("/redis/subscribe/chat").bearer(KEY).send().await;
        assert_eq!(refusal(&answer).0, status, "{reply:?}: {}", answer.text());
    }
    let silent = Stranger::start(answers_and_waits("*3\r\n$9\r\nsubscr"), closes_at_once()).await;
    let gateway = in_front_of(&silent);
    gateway.host.hurry(20);
    let answer = gateway.get("/redis/subscribe/chat").bearer(KEY).send().await;
    assert_eq!(refusal(&answer), (504, "ERR Redis did not answer in time".to_owned()));
}

/// What is not read stays where it is: a reader who is slow does not fill the gateway's memory.
#[tokio::test]
async fn what_nobody_reads_is_not_fetched() {
    let door = Backend::Tcp.open().await;
    let mut response = door.get("/redis/subscribe/chat").open().await;
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, SAID);
    let megabyte = "x".repeat(1 << 20);
    // More than sockets hold between the two.
    for _ in 0..16 {
        door.publish("chat", &megabyte);
    }
    tokio::task::yield_now().await;
    let clients = door.redis.run(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    let held: u64 =
        clients.as_str().unwrap().split(' ').find_map(|pair| pair.strip_prefix("omem=")).unwrap().parse().unwrap();
    assert!(held > 1 << 20, "{clients}");
    let mut read = 0;
    while read < 16 * megabyte.len() {
        read += response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
}
