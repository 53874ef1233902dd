//! The path form: `/set/foo/bar/EX/100`, or `/set/foo?EX=100` with the value as the body.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::percent_decode;

use crate::{auth::caller::QUERY_TOKEN, edge::batch::Words};

/// A command from a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its words: the segments, the body, the query parameters.
    pub words: Words,
    /// Which of them is the body.
    pub body: Option<usize>,
    /// Path and query that ask a REST backend for the same. `None` if it could read other words out of them.
    pub target: Option<String>,
}

/// Reads a command from the path below `/redis`, the query and the body. Each segment is a word, percent-decoded, also an
/// empty one. A parameter is one word, or two where it has a value; an API key among them is none.
pub fn read(path: &str, query: Option<&str>, body: Option<Bytes>) -> Line {
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let mut words: Words = segments.map(|segment| decoded(segment.into())).collect();
    let is_plain = words.iter().all(|word| is_plain(word));
    let place = body.as_ref().map(|_| words.len());
    words.extend(body);
    let mut target = path.to_owned();
    let mut separator = '?';
    for parameter in query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = decoded(with_blanks(name));
        if name == QUERY_TOKEN.as_bytes() {
            continue;
        }
        words.push(name);
        if !value.is_empty() {
            words.push(decoded(with_blanks(value)));
        }
        target.push(separator);
        target.push_str(parameter);
        separator = '&';
    }
    Line { words, body: place, target: is_plain.then_some(target) }
}

fn decoded(text: Cow<'_, str>) -> Bytes {
    match percent_decode(text.as_bytes()).into() {
        Cow::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// In a query `+` is a blank.
fn with_blanks(text: &str) -> Cow<'_, str> {
    if text.contains('+') { text.replace('+', " ").into() } else { text.into() }
}

/// Whether every server splits and decodes a path to this segment. An empty one may be dropped on the way, and some servers
/// take an encoded separator for a separator, or decode twice: then keys would be meant that no ACL has seen.
fn is_plain(word: &[u8]) -> bool {
    !matches!(word, b"" | b"." | b"..")
        && !word.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'%' | b'?' | b'#' | b';'))
}
