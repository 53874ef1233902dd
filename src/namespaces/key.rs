//! Keys on their way through scripts and answers.

use serde::{Serialize, Serializer};

use crate::redis::{Elements, Failure, Text};

/// A key, byte for byte. To and from scripts it travels as text (`scanning.lua` has the other half), since over REST
/// everything is JSON. In an answer, bytes that are not UTF-8 become U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub Vec<u8>);

impl Key {
    /// The key that a script tells next.
    pub fn hear(reply: &mut Elements) -> Result<Self, Failure> {
        let text = reply.text()?;
        let key = match text.split_at_checked(1) {
            Some(("=", key)) => Some(key.as_bytes().to_vec()),
            Some(("x", digits)) => from_hex(digits.as_bytes()),
            _ => None,
        };
        key.map(Self).ok_or(Failure::Nonsense("expected a key"))
    }

    /// The key as a script is told it.
    pub fn told(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) => format!("={text}"),
            Err(_) => self.0.iter().fold("x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
        }
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Text(&self.0).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::Reply;

    fn heard(text: &str) -> Result<Key, Failure> {
        let text = Reply::String(text.to_owned().into());
        Key::hear(&mut Elements::of(Reply::Array(vec![text])).unwrap())
    }

    #[test]
    fn keys_are_heard_in_both_ways() {
        for (text, key) in [("=a:1", &b"a:1"[..]), ("=", b""), ("=x00", b"x00"), ("x61ff", b"a\xff"), ("x", b"")] {
            assert_eq!(heard(text), Ok(Key(key.to_vec())), "{text}");
        }
        for text in ["", "a", "xzz", "x\u{e9}1"] {
            assert!(heard(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_key_comes_back_as_it_was_told(key in any::<Vec<u8>>()) {
            prop_assert_eq!(heard(&Key(key.clone()).told()), Ok(Key(key)));
        }
    }
}
