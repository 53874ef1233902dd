//! The REST backend: Upstash's `POST /pipeline`, or any server that speaks it.

use std::{cell::Cell, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::{Error as _, SerializeSeq},
};
use url::Url;

use super::{
    Command, Failure, Pipeline, Port, Progress, Reply,
    reply::JsonReply,
    resp::{MAX_ELEMENTS, MAX_STRING},
};
use crate::host::{BoxFuture, Endpoint, Host, Http, HttpError};

/// A Redis behind Upstash's REST API.
pub struct Upstash {
    client: Box<dyn Http>,
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
        Ok(Self { client: host.http(&endpoint(url, token)?) })
    }

    async fn exchange(&self, pipeline: &Pipeline, progress: &Progress) -> Result<Vec<Reply>, Failure> {
        let body =
            serde_json::to_vec(&Body(pipeline)).map_err(|_| Failure::Nonsense("an argument that is not text"))?;
        progress.sent();
        let answer = self.client.post(body).await.map_err(|error| match error {
            HttpError::NotSent => Failure::Unreachable,
            HttpError::Broken => Failure::Lost,
            HttpError::TooLong => Failure::Nonsense("an answer without end"),
        })?;
        match answer.status {
            200 => decode(&answer.body, pipeline.len()),
            401 | 403 => Err(Failure::Refused),
            429 | 503 => Err(Failure::Unavailable),
            // Cloudflare's own answers for an origin that it did not reach: 521 refused, 522 no connection,
            // 523 unreachable, 525 and 526 no TLS, 530 no DNS.
            521..=523 | 525 | 526 | 530 => Err(Failure::Unreachable),
            504 | 524 => Err(Failure::Timeout),
            500..=599 => Err(Failure::Lost),
            _ => Err(Failure::Nonsense("an unexpected status")),
        }
    }
}

fn endpoint(url: &str, token: &str) -> Result<Endpoint, UpstashError> {
    let mut url = Url::parse(url).map_err(|_| UpstashError::Url)?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err(UpstashError::Url);
    }
    url.path_segments_mut().map_err(|()| UpstashError::Url)?.pop_if_empty().push("pipeline");
    let printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    let authorization = printable.then(|| format!("Bearer {token}")).ok_or(UpstashError::Token)?;
    Ok(Endpoint { url: url.into(), authorization, limit: MAX_STRING })
}

impl Port for Upstash {
    fn send<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Vec<Reply>, Failure>> {
        Box::pin(self.exchange(pipeline, progress))
    }
}

/// The commands as a JSON array of arrays of strings.
struct Body<'a>(&'a Pipeline);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.commands().iter().map(Args))
    }
}

struct Args<'a>(&'a Command);

impl Serialize for Args<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.args().len()))?;
        for arg in self.0.args() {
            seq.serialize_element(std::str::from_utf8(arg).map_err(S::Error::custom)?)?;
        }
        seq.end()
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
        assert_eq!(endpoint("https://h/base/", "t").unwrap().url, "https://h/base/pipeline");
    }
}
