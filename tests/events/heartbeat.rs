//! A stream on which nothing happens shows that it lives, and finds out when Redis does not.
//!
//! Waiting is made shorter here, and nothing is said about how long it is.

use crate::{
    door::{Backend, Door, KEY, key_list},
    hostile::{
        Stranger,
        tcp::{answers_and_waits, closes_at_once},
    },
    stream::Stream,
    support::{Gateway, Redis},
};

const TIMES: u32 = 100;

/// Over TCP: over REST the backend's own stream goes through unread.
async fn hurried(variables: &[(&str, &str)], redis: Redis) -> Door {
    let mut all = vec![("REDIS_TIMEOUT_MS", "60000")];
    all.extend(variables);
    let door = Backend::Tcp.open_on(redis, &all).await;
    door.gateway.host.hurry(TIMES);
    door
}

#[tokio::test]
async fn a_silent_subscription_shows_that_redis_answers() {
    let door = hurried(&[], Redis::own()).await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until(": ping\n\n: ping\n\n").await;
    assert!(door.calls("ping") >= 2);
    door.publish("chat", "pong");
    stream.until("pong\n\n").await;
    assert_eq!(stream.events(), ["subscribe,chat,1", "message,chat,pong"]);
}

#[tokio::test]
async fn a_silent_monitor_lives_and_asks_nothing_that_others_would_see() {
    let door = hurried(&[], Redis::own()).await;
    let before = door.calls("ping");
    let mut stream = door.listen("/redis/monitor").await;
    stream.until(": ping\n\n: ping\n\n").await;
    assert_eq!(door.calls("ping"), before);
    assert!(!stream.text.to_lowercase().contains("\"ping\""));
}

#[tokio::test]
async fn who_may_not_ping_is_answered_all_the_same() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "edge", "on", ">pass", "&*", "+subscribe"]);
    let url = format!("redis://edge:pass@127.0.0.1:{}", redis.port());
    let door = hurried(&[("REDIS_URL", &url)], redis).await;
    let mut stream = door.listen("/redis/subscribe/chat").await;
    stream.until(": ping\n\n: ping\n\n").await;
    door.publish("chat", "hello");
    stream.until("message,chat,hello\n\n").await;
}

#[tokio::test]
async fn a_redis_that_answers_no_more_ends_the_subscription() {
    let said = "*3\r\n$9\r\nsubscribe\r\n$4\r\nchat\r\n:1\r\n";
    let stranger = Stranger::start(answers_and_waits(said), closes_at_once()).await;
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let keys = key_list(&[serde_json::json!({"name": "tests", "key": KEY})]);
    let gateway = Gateway::new(&[("REDIS_URL", &url), ("API_KEYS", &keys), ("REDIS_TIMEOUT_MS", "60000")]);
    gateway.host.hurry(TIMES);
    let stream = Stream::open(gateway.get("/redis/subscribe/chat").bearer(KEY)).await;
    assert_eq!(stream.into_text().await, "data: subscribe,chat,1\n\n");
}
