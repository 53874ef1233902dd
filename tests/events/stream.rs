//! An answer that is still coming.

use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http_body_util::BodyExt as _;

use crate::{door::Door, support::Call};

/// Longer than anything takes that comes at all.
const FOR_EVER: Duration = Duration::from_secs(60);

/// What has come of it so far.
pub struct Stream {
    /// The headers.
    pub headers: HeaderMap,
    /// All that was read.
    pub text: String,
    body: Body,
}

impl Stream {
    /// The answer to a call, which must be a stream of events.
    pub async fn open(call: Call) -> Self {
        let (parts, body) = call.open().await.into_parts();
        assert_eq!(
            (parts.status.as_u16(), &parts.headers["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        Self { headers: parts.headers, text: String::new(), body }
    }

    /// Reads on until it has something in it.
    pub async fn until(&mut self, part: &str) {
        let found = async {
            let mut start = 0;
            while !self.text[start..].contains(part) {
                start = self.text.floor_char_boundary(self.text.len().saturating_sub(part.len()));
                assert!(self.goes_on().await, "it ended without {part:?}: {:?}", self.text);
            }
        };
        let found = tokio::time::timeout(FOR_EVER, found).await;
        assert!(found.is_ok(), "no {part:?} in {:?}", self.text);
    }

    /// Reads to the end.
    pub async fn into_text(mut self) -> String {
        let ended = tokio::time::timeout(FOR_EVER, async { while self.goes_on().await {} }).await;
        assert!(ended.is_ok(), "no end after {:?}", self.text);
        self.text
    }

    /// The `data` of each event that has come.
    pub fn events(&self) -> Vec<&str> {
        self.text.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect()
    }

    async fn goes_on(&mut self) -> bool {
        let Some(Ok(frame)) = self.body.frame().await else { return false };
        self.text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        true
    }
}

impl Door {
    /// A stream of events.
    pub async fn listen(&self, path: &str) -> Stream {
        Stream::open(self.get(path)).await
    }

    /// Publishes, past the gateway. Returns how many have heard it.
    pub fn publish(&self, channel: &str, message: &str) -> u64 {
        self.redis.run(&["PUBLISH", channel, message]).as_u64().unwrap()
    }

    /// How many subscribe to a channel.
    pub fn subscribers(&self, channel: &str) -> u64 {
        self.redis.run(&["PUBSUB", "NUMSUB", channel])[1].as_u64().unwrap()
    }

    /// Waits until no connection of a gateway is open.
    pub async fn is_left_alone(&self) {
        let clients = || self.redis.run(&["CLIENT", "LIST"]).as_str().unwrap().lines().count();
        let gone = async {
            while clients() > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(FOR_EVER, gone).await.expect("the gateway closes its connections");
    }
}
