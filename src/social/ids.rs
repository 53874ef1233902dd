//! The names of posts, comments and hashtags. They can only be built valid, so no unchecked text becomes part of a key.

use std::{fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

use crate::{auth::Username, host::Host};

/// 1–64 characters of `A–Z a–z 0–9 _ . -`, and neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ItemId(String);

/// The text is no id.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("an id has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not '.' or '..'")]
pub struct InvalidId;

/// The id of a post.
pub type PostId = ItemId;

/// The id of a comment.
pub type CommentId = ItemId;

impl ItemId {
    /// A new id: a version 7 UUID (RFC 9562), so ids made later sort later.
    pub fn fresh(host: &dyn Host) -> Self {
        let mut random = [0; 10];
        host.random(&mut random);
        Self::uuid(7, u128::from(host.now_ms()) << 80 | u128::from_be_bytes(widen(random)))
    }

    /// The id that always belongs to the same digest: a version 8 UUID.
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, from)| *byte = *from);
        Self::uuid(8, u128::from_be_bytes(bytes))
    }

    fn uuid(version: u128, bits: u128) -> Self {
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | version << 76 | 0x2 << 62;
        let hex = format!("{bits:032x}");
        let group = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        Self(format!("{}-{}-{}-{}-{}", group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)))
    }

    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_valid(text: &str) -> bool {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
            && !matches!(text, "." | "..")
    }
}

fn widen(random: [u8; 10]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().skip(6).zip(random).for_each(|(byte, from)| *byte = from);
    bytes
}

impl FromStr for ItemId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if Self::is_valid(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&Username> for ItemId {
    /// Every username has the form of an id; pages of users and of posts have one kind of cursor.
    fn from(username: &Username) -> Self {
        Self(username.as_str().to_owned())
    }
}

/// The most hashtags of one post.
pub const MAX_HASHTAGS: usize = 30;

/// The longest hashtag, in characters.
const MAX_HASHTAG: usize = 64;

/// A hashtag: letters, digits and `_` of any script, in lower case, without its `#`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hashtag(String);

/// The text is no hashtag.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a hashtag has 1 to 64 letters, digits or _, after # or not")]
pub struct InvalidHashtag;

impl Hashtag {
    /// The hashtag itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words of a text that follow a `#`. One that is too long is none.
    pub fn in_text(text: &str) -> impl Iterator<Item = Self> {
        text.split('#').skip(1).filter_map(|rest| {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl FromStr for Hashtag {
    type Err = InvalidHashtag;
    fn from_str(text: &str) -> Result<Self, InvalidHashtag> {
        let word = text.strip_prefix('#').unwrap_or(text);
        // Lower case may bring marks of its own: `İ` becomes `i` and a dot above, which is no letter.
        let tag: String = word.to_lowercase().chars().filter(|c| is_word(*c)).collect();
        let is_valid =
            (1..=MAX_HASHTAG).contains(&word.chars().count()) && word.chars().all(is_word) && !tag.is_empty();
        if is_valid { Ok(Self(tag)) } else { Err(InvalidHashtag) }
    }
}

impl fmt::Display for Hashtag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<String> {
        Hashtag::in_text(text).map(|tag| tag.0).collect()
    }

    #[test]
    fn ids_are_what_can_stand_in_a_key_and_a_path() {
        for text in ["", ".", "..", "a b", "a:b", "a/b", "ä", "a\n", "a*", &"x".repeat(65)] {
            assert!(text.parse::<PostId>().is_err(), "{text:?}");
        }
        for text in ["a", "me", "0", "550e8400-e29b-41d4-a716-446655440000", "...", &"x".repeat(64)] {
            assert!(text.parse::<PostId>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_uuid_has_its_version_and_its_variant() {
        let id = ItemId::of_digest(&[0xff; 32]);
        assert_eq!(id.as_str(), "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(ItemId::uuid(7, 0).as_str(), "00000000-0000-7000-8000-000000000000");
    }

    #[test]
    fn hashtags_are_words_of_any_script_in_lower_case() {
        assert_eq!(
            tags("Hello #Rust, #Straße! #日本語 #İstanbul #a_1 # #-x ##double #x#y"),
            ["rust", "straße", "日本語", "istanbul", "a_1", "double", "x", "y"]
        );
        assert_eq!(tags(&format!("#{} #{}", "x".repeat(64), "y".repeat(65))), ["x".repeat(64)]);
    }

    #[test]
    fn a_hashtag_of_a_body_may_have_its_sign() {
        assert_eq!("#Rust".parse::<Hashtag>().unwrap().as_str(), "rust");
        for text in ["", "#", "##x", "a b", "a,b", "a-b", "a:b", &"x".repeat(65)] {
            assert!(text.parse::<Hashtag>().is_err(), "{text:?}");
        }
    }
}
