//! The REST backend: Upstash's API, or any server that speaks it.

use std::{cell::Cell, fmt, sync::OnceLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Uri};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    Ask, Backend, Command, Failure, Pipeline, Port, Progress, Reply, Told,
    reply::JsonReply,
    resp::{MAX_ELEMENTS, MAX_STRING},
};
use crate::{
    host::{BoxFuture, Content, Endpoint, Host, Http, HttpError, Incoming, Outgoing, Payload},
    json,
};

/// A Redis behind Upstash's REST API.
pub struct Upstash {
    client: Box<dyn Http>,
    /// Whether the server knows the encoding in which bytes come as they are. Not every server that speaks this API does.
    knows_base64: OnceLock<bool>,
}

/// Why a REST address or token cannot be used. Repeats neither.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UpstashError {
    /// Not an `http` or `https` URL with a host.
    #[error("must be a URL that begins with https:// or http://")]
    Url,
    /// Not printable ASCII, so not a header.
    #[error("has a character that no header can carry")]
    Token,
}

impl Upstash {
    /// A backend for the REST address `url` and its `token`.
    ///
    /// # Errors
    /// [`UpstashError`] says which of the two is wrong.
    pub fn new(url: &str, token: &str, host: &dyn Host) -> Result<Self, UpstashError> {
        Ok(Self { client: host.http(&endpoint(url, token)?), knows_base64: OnceLock::new() })
    }

    async fn exchange(&self, pipeline: &Pipeline, progress: &Progress) -> Result<Vec<Reply>, Failure> {
        let body = body_of(pipeline.commands().iter())?;
        progress.sent();
        let answer = self.client.post(body).await.map_err(failure_of)?;
        match answer.status {
            200 => decode(&answer.body, pipeline.len()),
            status => Err(failure_of_status(status)),
        }
    }

    /// Passes a request on, and its answer back. An error that Redis gives for a command comes as its text.
    ///
    /// # Errors
    /// A [`Failure`] when there is no answer of Redis.
    pub async fn pass(&self, request: Outgoing, progress: &Progress) -> Result<Passed, Failure> {
        progress.sent();
        let answer = self.client.pass(request).await.map_err(failure_of)?;
        match (answer.status, &answer.body) {
            (200, Content::Bytes(_)) | (200, Content::Stream(_)) if answer.content_type.is_none() => {
                Err(Failure::Nonsense("an answer of another kind"))
            }
            (200, _) => Ok(Passed::Answer(answer)),
            (400, Content::Bytes(body)) => {
                let text = error_text(body).ok_or(Failure::Nonsense("an error without its text"))?;
                Failure::of_server(&text).map_or(Ok(Passed::Error(text)), Err)
            }
            (status, _) => Err(failure_of_status(status)),
        }
    }

    /// Whether something must be asked in a round trip of its own, before these commands. Within a transaction it could be what
    /// that fails of, and with it all that was asked.
    pub fn must_learn(&self, ask: &Ask<'_>) -> bool {
        ask.exact && ask.atomic && self.knows_base64.get().is_none()
    }

    /// Asks for it.
    ///
    /// # Errors
    /// A [`Failure`] when there is no answer.
    pub async fn learn(&self) -> Result<(), Failure> {
        let question = Ask { pipeline: &Pipeline::new(), atomic: false, exact: true, sync_token: None };
        let told = self.ask(&question, &Progress::default()).await?;
        told.replies.map(drop).map_err(|_| UNANSWERED)
    }

    /// Runs commands for the gateway, in one round trip.
    ///
    /// # Errors
    /// A [`Failure`] when there are no replies to return.
    pub async fn ask(&self, ask: &Ask<'_>, progress: &Progress) -> Result<Told, Failure> {
        let known = self.knows_base64.get().copied();
        let in_base64 = ask.exact && known != Some(false);
        let question = (in_base64 && known.is_none()).then(|| Command::new("ECHO").arg(PROBE));
        let commands = || ask.pipeline.commands().iter().chain(&question);

        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(in_base64.then(|| ("upstash-encoding", "base64".to_owned())));
        headers.extend(ask.sync_token.map(|token| ("upstash-sync-token", token.to_owned())));
        let path = if ask.atomic { "/multi-exec" } else { "/pipeline" };
        let body = Payload::Bytes(body_of(commands())?.into());
        let request = Outgoing { method: Method::POST, path: path.to_owned(), headers, body, may_hold: false };
        let (sync_token, body) = match self.pass(request, progress).await? {
            Passed::Error(text) => return Ok(Told { replies: Err(text), sync_token: None }),
            Passed::Answer(Incoming { body: Content::Bytes(body), sync_token, .. }) => (sync_token, body),
            Passed::Answer(_) => return Err(Failure::Nonsense("an answer that was not read")),
        };
        let mut replies = decode(&body, commands().count())?;
        if question.is_some() {
            let answer = replies.pop();
            let knows = match answer.as_ref().and_then(Reply::as_str) {
                Some(PROBE) => false,
                Some(PROBE_IN_BASE64) => true,
                _ => return Err(UNANSWERED),
            };
            let _ = self.knows_base64.set(knows);
        }
        if in_base64 && self.knows_base64.get() == Some(&true) {
            replies.iter_mut().for_each(|reply| from_base64(reply, true));
        }
        Ok(Told { replies: Ok(replies), sync_token })
    }
}

/// What is asked for once, beside the first commands whose strings must come as they are: a server that does not know the
/// encoding says it as it is.
const PROBE: &str = "base64?";
const PROBE_IN_BASE64: &str = "YmFzZTY0Pw==";
const UNANSWERED: Failure = Failure::Nonsense("it does not say again what it was told");

/// What became of a request that was passed on.
pub enum Passed {
    /// It was carried out.
    Answer(Incoming),
    /// Redis refused it.
    Error(String),
}

/// Commands as a JSON array of arrays of strings.
fn body_of<'a>(commands: impl Iterator<Item = &'a Command>) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::with_capacity(256);
    body.push(b'[');
    for (place, command) in commands.enumerate() {
        body.extend_from_slice(if place == 0 { b"[" } else { b",[" });
        for (place, word) in command.args().iter().enumerate() {
            if place > 0 {
                body.push(b',');
            }
            let text = std::str::from_utf8(word).map_err(|_| Failure::Nonsense("an argument that is not text"))?;
            json::put_string(&mut body, text);
        }
        body.push(b']');
    }
    body.push(b']');
    Ok(body)
}

fn failure_of(error: HttpError) -> Failure {
    match error {
        HttpError::NotSent => Failure::Unreachable,
        HttpError::Broken => Failure::Lost,
        HttpError::TooLong => Failure::Nonsense("an answer without end"),
    }
}

/// What a status says that is not Redis's own.
fn failure_of_status(status: u16) -> Failure {
    match status {
        401 | 403 => Failure::Refused,
        429 | 503 => Failure::Unavailable,
        // Cloudflare's own answers for an origin that it did not reach: 521 refused, 522 no connection,
        // 523 unreachable, 525 and 526 no TLS, 530 no DNS.
        521..=523 | 525 | 526 | 530 => Failure::Unreachable,
        504 | 524 => Failure::Timeout,
        500..=599 => Failure::Lost,
        _ => Failure::Nonsense("an unexpected status"),
    }
}

/// The text of `{"error":…}`, or of an error in RESP.
fn error_text(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ErrorBody {
        error: String,
    }
    if let Some(line) = body.strip_prefix(b"-") {
        return Some(String::from_utf8_lossy(line).trim_end().to_owned());
    }
    serde_json::from_slice::<ErrorBody>(body).ok().map(|body| body.error)
}

/// Turns the strings of a result back into the bytes that they stand for. A result that is itself `OK` is a status. What is
/// no base64 comes from a server that does not know the encoding, and stays as it is.
fn from_base64(reply: &mut Reply, is_result: bool) {
    match reply {
        Reply::String(text) if is_result && text.as_ref() == b"OK" => *reply = Reply::Status(text.clone()),
        Reply::String(text) => {
            if let Ok(bytes) = BASE64_STANDARD.decode(&text) {
                *text = bytes.into();
            }
        }
        Reply::Array(items) => items.iter_mut().for_each(|item| from_base64(item, false)),
        Reply::Nil | Reply::NilArray | Reply::Integer(_) | Reply::Status(_) | Reply::Error(_) => {}
    }
}

fn endpoint(url: &str, token: &str) -> Result<Endpoint, UpstashError> {
    let uri: Uri = url.parse().map_err(|_| UpstashError::Url)?;
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    if !matches!(uri.scheme_str(), Some("https" | "http")) || !has_host || url.contains(['?', '#']) {
        return Err(UpstashError::Url);
    }
    let printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    let authorization = printable.then(|| format!("Bearer {token}")).ok_or(UpstashError::Token)?;
    Ok(Endpoint { url: url.trim_end_matches('/').to_owned(), authorization, limit: MAX_STRING })
}

impl Port for Upstash {
    fn send<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Vec<Reply>, Failure>> {
        Box::pin(self.exchange(pipeline, progress))
    }

    fn backend(&self) -> Option<Backend<'_>> {
        Some(Backend::Rest(self))
    }
}

fn decode(body: &Bytes, expected: usize) -> Result<Vec<Reply>, Failure> {
    // Checked once as a whole; as Upstash does, bytes that are not UTF-8 become U+FFFD.
    let lossy;
    let (body, text) = match std::str::from_utf8(body) {
        Ok(text) => (body, text),
        Err(_) => {
            lossy = Bytes::from(String::from_utf8_lossy(body).into_owned());
            (&lossy, std::str::from_utf8(&lossy).unwrap_or_default())
        }
    };
    let mut json = serde_json::Deserializer::from_str(text);
    // The depth is bounded by `JsonReply`, more generously than serde_json's 128.
    json.disable_recursion_limit();
    let budget = Cell::new(MAX_ELEMENTS);
    let results = Results { body, expected, budget: &budget };
    let replies = results.deserialize(&mut json).map_err(|_| Failure::Nonsense("not a pipeline's answer"))?;
    json.end().map_err(|_| Failure::Nonsense("more than a pipeline's answer"))?;
    if replies.len() == expected { Ok(replies) } else { Err(Failure::Nonsense("another number of results")) }
}

/// `[{"result":…}|{"error":…}, …]`
struct Results<'a> {
    body: &'a Bytes,
    expected: usize,
    budget: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Results<'de> {
    type Value = Vec<Reply>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Reply>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'de> {
    type Value = Vec<Reply>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Reply>, A::Error> {
        let mut replies = Vec::with_capacity(self.expected);
        while let Some(reply) = seq.next_element_seed(Entry { body: self.body, budget: self.budget })? {
            if replies.len() == self.expected {
                return Err(A::Error::custom("too many results"));
            }
            replies.push(reply);
        }
        Ok(replies)
    }
}

/// `{"result":…}` or `{"error":"…"}`
struct Entry<'a> {
    body: &'a Bytes,
    budget: &'a Cell<usize>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Result,
    Error,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Entry<'de> {
    type Value = Reply;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Reply, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entry<'de> {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a result or an error")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply, A::Error> {
        let mut reply = None;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Result => reply = Some(map.next_value_seed(JsonReply::new(self.body, self.budget))?),
                Key::Error => reply = Some(Reply::Error(map.next_value()?)),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        reply.ok_or_else(|| A::Error::custom("neither result nor error"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(json: &str, expected: usize) -> Result<Vec<Reply>, Failure> {
        decode(&Bytes::copy_from_slice(json.as_bytes()), expected)
    }

    #[test]
    fn results_and_errors_keep_their_places() {
        let replies =
            decoded(r#"[{"result":"a\n"},{"error":"ERR no"},{"result":[null,9007199254740993]}]"#, 3).unwrap();
        let list = Reply::Array(vec![Reply::Nil, Reply::Integer(9_007_199_254_740_993)]);
        assert_eq!(replies, [Reply::String("a\n".into()), Reply::Error("ERR no".into()), list]);
    }

    #[test]
    fn anything_else_is_nonsense() {
        for json in ["", "{}", "[]", "[{}]", "<html>", r#"[{"result":1}] x"#, r#"[{"result":{"a":1}}]"#] {
            assert!(matches!(decoded(json, 1), Err(Failure::Nonsense(_))), "{json}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        let replies = decode(&Bytes::from_static(b"[{\"result\":\"a\xff\"}]"), 1).unwrap();
        assert_eq!(replies, [Reply::String("a\u{fffd}".into())]);
    }

    #[test]
    fn elements_are_bounded() {
        let list = |count: usize| format!("[{{\"result\":[{}]}}]", vec!["1"; count].join(","));
        assert!(decoded(&list(MAX_ELEMENTS), 1).is_ok());
        assert!(decoded(&list(MAX_ELEMENTS + 1), 1).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!(r#"[{{"result":{}1{}}}]"#, "[".repeat(depth), "]".repeat(depth));
        assert!(decoded(&nested(400), 1).is_ok());
        assert!(decoded(&nested(100_000), 1).is_err());
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused() {
        assert_eq!(endpoint("https://h", "a\nb").err(), Some(UpstashError::Token));
        assert_eq!(endpoint("redis://h", "t").err(), Some(UpstashError::Url));
        assert_eq!(endpoint("https://h/base/", "t").unwrap().url, "https://h/base");
    }
}
