//! `/subscribe/…`, `/psubscribe/…` and `/monitor`: what happens in Redis, as Server-Sent Events, for as long as somebody
//! reads them.
//!
//! The answer begins with the first reply of Redis: until then a refusal is an error like any other. Over REST the stream is
//! the backend's own and nobody looks into it.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    stream,
};
use http::{HeaderValue, Method, header::CONTENT_TYPE};

use super::{
    Call, passage,
    path::{self, Line},
    question::{self, Question, SYNC_TOKEN},
};
use crate::{
    edge::batch::Words,
    error::ApiError,
    host::{BoxFuture, Host, Outgoing, Payload},
    policy::{
        Allowed, Policy, Refusal,
        command_table::{Entry, lookup},
    },
    redis::{Backend, Command, Failure, Reply, Safety, tcp::Listening},
};

/// How often a stream shows that it lives. Without it nobody would learn that the other side has gone without a word, and
/// what stands between forgets connections that are silent for some minutes.
const HEARTBEAT: Duration = Duration::from_secs(15);

const EVENT_STREAM: &str = "text/event-stream";

/// A comment: clients drop it.
const PING: &[u8] = b": ping\n\n";

/// What the routes let through: what listens. Which channels, the ACL says.
struct Events;

impl Policy for Events {
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, Refusal> {
        Ok(lookup(words))
    }
}

/// Subscribes to the channels or patterns of the path, or monitors. The body says nothing: SDKs repeat the path there.
///
/// # Errors
/// 400 for what is no channel, what the ACL denies and what Redis refuses; and what Redis itself fails with.
pub(super) async fn listen(call: &Call, question: Question) -> Result<Response, ApiError> {
    let Call { key, context, redis, app } = call;
    let Line { words, target, .. } = read(&question)?;
    context.note_commands(1);
    let refuse = |refusal| ApiError::Command(context.text_of(refusal));
    let allowed = Allowed::judge(&Events, key.acl.as_ref(), words).map_err(refuse)?;
    let kind = (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    if question.method == Method::HEAD {
        return Ok([kind].into_response());
    }
    let tcp = match redis.backend() {
        Some(Backend::Rest(_)) if key.acl.is_some() && target.is_none() => {
            return Err(ApiError::bad_request(AMBIGUOUS));
        }
        Some(Backend::Rest(rest)) => return passage::pass(redis, rest, outgoing(&question), Safety::Read).await,
        Some(Backend::Tcp(tcp)) => tcp,
        None => return Err(Failure::Nonsense("it takes pipelines only").into()),
    };
    let is_subscribed = allowed.words().len() > 1;
    let (first, listening) = redis.listen(tcp, &Command::from(allowed)).await?;
    if let Some(Reply::Error(text)) = first.first() {
        return Err(ApiError::Command(text.clone()));
    }
    let token = HeaderValue::from_str(&question::fresh_token(app)).unwrap_or(HeaderValue::from_static(""));
    let stream = Stream::new(first, listening, is_subscribed, &app.host);
    Ok(([kind, (SYNC_TOKEN, token)], stream.into_body()).into_response())
}

/// Another server could read other channels out of it than the ACL has seen.
const AMBIGUOUS: &str = "Over REST an API key with an ACL listens to no channel that has one of / \\ % ? # ;";

/// The command that the path says: `subscribe`, then its channels.
///
/// # Errors
/// 400 for a channel without a name, or one whose end went into the query.
fn read(question: &Question) -> Result<Line, ApiError> {
    let line = path::read(question.below(), None, None);
    if line.words.iter().any(Bytes::is_empty) {
        return Err(ApiError::bad_request("A channel is empty"));
    }
    let is_cut_off = |query: &str| query.split('&').any(|parameter| !parameter.contains('='));
    if question.uri.query().is_some_and(is_cut_off) {
        return Err(ApiError::bad_request("A '?' in a channel or pattern is written %3F"));
    }
    Ok(line)
}

fn outgoing(question: &Question) -> Outgoing {
    let mut headers = vec![("accept", EVENT_STREAM.to_owned())];
    headers.extend(question.sync_token.clone().map(|token| ("upstash-sync-token", token)));
    let path = question.below().to_owned();
    Outgoing { method: Method::POST, path, headers, body: Payload::Empty, may_hold: true }
}

/// Events on their way. Dropped, it ends the subscription with its connection.
struct Stream {
    /// What came with the answer to the command.
    first: Option<Vec<Reply>>,
    listening: Listening,
    /// Whether Redis answers on this connection. While it monitors, others would see what it is asked.
    may_ask: bool,
    /// Whether nothing has come since it was asked.
    is_silent: bool,
    heartbeat: BoxFuture<'static, ()>,
    host: Arc<dyn Host>,
}

impl Stream {
    fn new(first: Vec<Reply>, listening: Listening, may_ask: bool, host: &Arc<dyn Host>) -> Self {
        let heartbeat = host.sleep(HEARTBEAT);
        Self { first: Some(first), listening, may_ask, is_silent: false, heartbeat, host: Arc::clone(host) }
    }

    fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, async |mut stream| {
            let events = stream.next().await?;
            Some((Ok::<_, Infallible>(events), stream))
        }))
    }

    /// The next events, as many as have come. `None` when Redis has gone.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(first) = self.first.take() {
            return Some(written(&first));
        }
        loop {
            let replies = match select(pin!(self.listening.next()), &mut self.heartbeat).await {
                Either::Left((replies, _)) => Some(replies.ok()?),
                Either::Right(_) => None,
            };
            let events = match replies {
                Some(replies) => {
                    self.is_silent = false;
                    written(&replies)
                }
                None => self.beat().await?,
            };
            if !events.is_empty() {
                return Some(events);
            }
        }
    }

    /// Shows that the stream lives, or asks Redis for a sign of it. `None` when the last one did not come.
    async fn beat(&mut self) -> Option<Vec<u8>> {
        if self.is_silent {
            return None;
        }
        self.heartbeat = self.host.sleep(HEARTBEAT);
        if !self.may_ask {
            return Some(PING.to_vec());
        }
        self.is_silent = true;
        self.listening.ping().await.ok()?;
        Some(Vec::new())
    }
}

fn written(replies: &[Reply]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    replies.iter().for_each(|reply| put(&mut out, reply));
    out
}

/// Appends what a reply says: `message,chat,hello` of a subscription; `"OK"`, then a line a command, of a monitor.
fn put(out: &mut Vec<u8>, reply: &Reply) {
    match reply {
        // The sign of life that was asked for. An error is one, too: who may subscribe may not always ping.
        Reply::Array(items) if items.first().and_then(Reply::as_str) == Some("pong") => out.extend_from_slice(PING),
        Reply::Error(_) => out.extend_from_slice(PING),
        Reply::Array(items) => put_event(out, &joined(items)),
        Reply::Status(status) if status.as_ref() == b"OK" => put_event(out, b"\"OK\""),
        Reply::Status(line) => {
            if let Some(line) = without_address(&String::from_utf8_lossy(line)) {
                put_event(out, line.as_bytes());
            }
        }
        Reply::Nil | Reply::NilArray | Reply::Integer(_) | Reply::String(_) => {}
    }
}

fn joined(items: &[Reply]) -> Vec<u8> {
    let mut text = Vec::with_capacity(64);
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            text.push(b',');
        }
        match item {
            Reply::Integer(number) => text.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            item => text.extend_from_slice(item.as_bytes().map_or(&[][..], Bytes::as_ref)),
        }
    }
    text
}

/// `… [0 203.0.113.7:52100] "GET" "k"` without the address of whoever sent it, which is nobody's business. `None` for what
/// is no such line.
fn without_address(line: &str) -> Option<String> {
    let (head, command) = line.split_once("] \"")?;
    let (time, client) = head.split_once(" [")?;
    let (database, address) = client.split_once(' ')?;
    let shown = if address == "lua" { address } else { "0.0.0.0:0" };
    Some(format!("{time} [{database} {shown}] \"{command}"))
}

/// Appends an event. Of a text with line breaks each line is a field of its own, which clients join again.
///
/// Only the first has a blank after the colon, where any may have one: the official SDK takes every line with a blank for an
/// event, and a message must not be able to pretend that it is two.
fn put_event(out: &mut Vec<u8>, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let mut rest = &*text;
    out.extend_from_slice(b"data: ");
    loop {
        let (line, tail) = rest.split_at(rest.find(['\r', '\n']).unwrap_or(rest.len()));
        out.extend_from_slice(line.as_bytes());
        let Some(next) = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix(['\r', '\n'])) else { break };
        // A blank that is the line's own would else be taken for the one after the colon.
        out.extend_from_slice(if next.starts_with(' ') { b"\ndata: " } else { b"\ndata:" });
        rest = next;
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &[u8]) -> String {
        let mut out = Vec::new();
        put_event(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// What a client makes of an event, by the rules of the HTML standard.
    fn read_back(event: &str) -> String {
        let fields = event.strip_suffix("\n\n").unwrap().split('\n').map(|line| line.strip_prefix("data:").unwrap());
        fields.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(event(b"message,chat,hello"), "data: message,chat,hello\n\n");
        assert_eq!(event(b"message,chat,"), "data: message,chat,\n\n");
        assert_eq!(event(b"message,chat,a\xffb"), "data: message,chat,a\u{fffd}b\n\n");
    }

    #[test]
    fn lines_are_joined_again_and_are_no_events_to_who_joins_none() {
        for text in ["a\nb", "a\r\nb", "a\rb"] {
            assert_eq!(event(text.as_bytes()), "data: a\ndata:b\n\n", "{text:?}");
        }
        for text in
            ["\n", "a\n", "\n\na", "a\n b", "a\n  b\n", "m,c,x\nmessage,c,y", "m,c,x\n data: message,c,y\n: no\nid: 7"]
        {
            let event = event(text.as_bytes());
            assert_eq!(read_back(&event), text, "{event:?}");
            let taken: Vec<&str> = event.split('\n').filter_map(|line| line.strip_prefix("data: ")).collect();
            assert!(taken.iter().skip(1).all(|taken| taken.starts_with(' ')), "{event:?}");
        }
    }

    #[test]
    fn a_monitor_names_no_address() {
        for (line, shown) in [
            (r#"1.2 [0 203.0.113.7:52100] "GET" "k""#, Some(r#"1.2 [0 0.0.0.0:0] "GET" "k""#)),
            (
                r#"1.2 [11 [2001:db8::7]:52100] "GET" "a] \"b" [1 c] "d""#,
                Some(r#"1.2 [11 0.0.0.0:0] "GET" "a] \"b" [1 c] "d""#),
            ),
            (r#"1.2 [3 unix:/run/redis.sock] "PING""#, Some(r#"1.2 [3 0.0.0.0:0] "PING""#)),
            (r#"1.2 [0 lua] "get" "k""#, Some(r#"1.2 [0 lua] "get" "k""#)),
            ("203.0.113.7:52100 connected", None),
            (r#"1.2 [203.0.113.7:52100] "GET" "k""#, None),
        ] {
            assert_eq!(without_address(line).as_deref(), shown, "{line}");
        }
    }
}
