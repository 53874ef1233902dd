//! The path form, against the URL parser that browsers' standard describes.
//!
//! An input is a path with its query, and behind the first line feed the body.

use bytes::Bytes;
use http::uri::PathAndQuery;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, percent_decode_str, percent_encode};
use ridge::gateway::path::{Line, read};
use url::{Url, form_urlencoded};

/// The parameter that carries an API key.
const TOKEN: &str = "_token";

/// Checks one request.
pub fn check(input: &[u8]) {
    let (line, body) = super::first_line(input);
    let Ok(line) = std::str::from_utf8(line) else { return };
    let line = format!("/{}", line.strip_prefix('/').unwrap_or(line));
    let (path, query) = line.split_once('?').map_or((line.as_str(), None), |(path, query)| (path, Some(query)));

    let body = Some(Bytes::copy_from_slice(body)).filter(|body| !body.is_empty());
    let Line { words, body: place, target } = read(path, query, body.clone());
    let mut expected = segments(path);
    expected.extend(body.as_ref().map(|body| body.to_vec()));
    assert_eq!(place.map(|place| &words[place]), body.as_ref());
    assert_eq!(lossy(&words), [lossy(&expected), parameters(query)].concat());

    let encoded: Vec<String> = words.iter().map(|word| percent_encode(word, NON_ALPHANUMERIC).to_string()).collect();
    assert_eq!(read(&format!("/{}", encoded.join("/")), None, None).words, words);

    if let Some(target) = target {
        is_read_the_same(&target, path, query);
    }
}

/// What a backend is asked for splits and decodes to the same words, also once more, and holds no API key. It may be read as a
/// URL first.
fn is_read_the_same(target: &str, path: &str, query: Option<&str>) {
    let (way, rest) = target.split_once('?').map_or((target, None), |(way, rest)| (way, Some(rest)));
    let expected = segments(path);
    assert_eq!(segments(way), expected);
    let twice = |segment: Vec<u8>| percent_decode(&segment).collect::<Vec<u8>>();
    assert_eq!(segments(way).into_iter().map(twice).collect::<Vec<_>>(), expected);
    assert_eq!(parameters(rest), parameters(query));
    assert!(rest.is_none_or(|rest| !rest.contains(';')));
    assert!(parameters(rest).iter().all(|word| percent_decode_str(word).eq(word.bytes())));
    assert!(form_urlencoded::parse(rest.unwrap_or_default().as_bytes()).all(|(name, _)| name != TOKEN));

    // No request asks for what HTTP has no room for.
    if target.parse::<PathAndQuery>().is_ok_and(|whole| whole == *target) {
        let url = Url::parse(&format!("http://backend{target}")).expect("a path makes a URL");
        assert_eq!(segments(url.path()), expected);
        assert_eq!(parameters(url.query()), parameters(query));
    }
}

fn segments(path: &str) -> Vec<Vec<u8>> {
    path.split('/').skip(1).map(|segment| percent_decode_str(segment).collect()).collect()
}

/// The words of a query, but for an API key.
fn parameters(query: Option<&str>) -> Vec<String> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(name, _)| name != TOKEN);
    let words = pairs.flat_map(|(name, value)| [Some(name), Some(value).filter(|value| !value.is_empty())]);
    words.flatten().map(|word| word.into_owned()).collect()
}

fn lossy<W: AsRef<[u8]>>(words: &[W]) -> Vec<String> {
    words.iter().map(|word| String::from_utf8_lossy(word.as_ref()).into_owned()).collect()
}
