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
    let mut all_plain = words.iter().all(|word| !word.is_empty() && is_plain(word));
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
        let value = decoded(with_blanks(value));
        // In a query `+` is a blank, and not to everybody; and what has no value behind its `=` may have an empty one.
        let is_doubtful = parameter.contains('+') || parameter.ends_with('=');
        all_plain &= !is_doubtful && !name.is_empty() && is_plain(&name) && is_plain(&value);
        words.push(name);
        if !value.is_empty() {
            words.push(value);
        }
        target.push(separator);
        target.push_str(parameter);
        separator = '&';
    }
    Line { words, body: place, target: all_plain.then_some(target) }
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

/// Whether every server splits and decodes a path or a query to this word. An empty segment may be dropped on the way, and
/// some servers take an encoded separator for a separator, drop what has a semicolon, or decode twice: then keys would be
/// meant that no ACL has seen.
fn is_plain(word: &[u8]) -> bool {
    !matches!(word, b"." | b"..") && !word.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'%' | b'?' | b'#' | b';'))
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn words(path: &str, query: Option<&str>, body: &'static str) -> Vec<String> {
        let line = read(path, query, (!body.is_empty()).then(|| Bytes::from_static(body.as_bytes())));
        line.words.iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
    }

    fn target(path: &str, query: Option<&str>) -> Option<String> {
        read(path, query, None).target
    }

    #[test]
    fn segments_then_the_body_then_the_query() {
        let all = words("/set/a%2Fb", Some("EX=1&_token=t&NX&&k=a=b&+x="), "body");
        assert_eq!(all, ["set", "a/b", "body", "EX", "1", "NX", "k", "a=b", " x"]);
        assert_eq!(words("/rpush//a/", None, ""), ["rpush", "", "a", ""]);
    }

    #[test]
    fn the_target_is_what_was_asked_without_the_token() {
        assert_eq!(target("/get/%C3%BC", None).as_deref(), Some("/get/%C3%BC"));
        assert_eq!(target("/set/a/b", Some("_token=t&EX=1&NX&_token")).as_deref(), Some("/set/a/b?EX=1&NX"));
        assert_eq!(target("/get/a", Some("%5Ftoken=t")).as_deref(), Some("/get/a"));
    }

    #[test]
    fn what_could_be_read_in_another_way_has_no_target() {
        for path in
            ["/get/", "/get//a", "/get/a%2Fb", "/get/..", "/get/%2E", "/get/a;b", "/get/%25", "/get/%5C", "/get/%"]
        {
            assert_eq!(target(path, None), None, "{path}");
        }
        for query in ["=a", "a=", "a=b&c=", "a+b", "a=b+c", "a=b;c", "a;b", "a=%2525", "a=%3F"] {
            assert_eq!(target("/get/a", Some(query)), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_back(words in vec(vec(any::<u8>(), 0..20), 1..8)) {
            let path: String = words.iter().map(|word| format!("/{}", percent_encode(word, NON_ALPHANUMERIC))).collect();
            let line = read(&path, None, None);
            prop_assert_eq!(line.words.iter().map(|word| word.to_vec()).collect::<Vec<_>>(), words);
        }

        #[test]
        fn no_path_and_no_query_makes_it_panic(path in "[/%a2F;=&+.\u{fc}]{0,40}", query in "[/%a2F;=&+_token.\u{fc}]{0,40}") {
            let line = read(&path, Some(&query), None);
            prop_assert!(!line.words.is_empty());
        }
    }
}
