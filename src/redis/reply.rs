//! What comes back: one [`Reply`] a command, whatever the backend, and how a reply is written as JSON.

use std::{cell::Cell, fmt};

use bytes::Bytes;
use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, SeqAccess, Visitor},
    ser::SerializeSeq,
};

use super::failure::Failure;

/// How deep arrays may nest before a reply is taken for nonsense. Deeper ones can be built by a script on purpose;
/// the bound keeps the walk over a reply within a Worker's stack.
pub const MAX_DEPTH: usize = 512;

/// A reply of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// No array, which only RESP tells from no value.
    NilArray,
    /// A 64-bit integer.
    Integer(i64),
    /// A string, as bytes. Over REST a status too: there the two look the same.
    String(Bytes),
    /// A status, such as `OK`.
    Status(Bytes),
    /// An array, of any kinds.
    Array(Vec<Reply>),
    /// The command failed; the text as Redis gives it, beginning with its code.
    Error(String),
}

impl Reply {
    /// The bytes of a string or a status.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::String(bytes) | Self::Status(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a string that is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// An integer, also one that arrived as text.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            Self::String(_) | Self::Status(_) => self.as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn into_array(self) -> Result<Vec<Reply>, Failure> {
        match self {
            Self::Array(items) => Ok(items),
            Self::Error(text) => Err(Failure::from_error_text(&text)),
            _ => Err(Failure::Nonsense("expected an array")),
        }
    }

    /// The pairs of a flat array `[field, value, …]`, as `HGETALL` answers. Whatever follows the last whole pair is
    /// left out.
    pub fn into_pairs(self) -> Result<Vec<(Bytes, Reply)>, Failure> {
        let mut items = self.into_array()?.into_iter();
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(field), Some(value)) = (items.next(), items.next()) {
            if let Reply::String(field) = field {
                pairs.push((field, value));
            }
        }
        Ok(pairs)
    }
}

/// The elements of an array, taken one after the other: how the replies of our own scripts are read.
pub struct Elements(std::vec::IntoIter<Reply>);

impl Elements {
    /// The elements of a reply.
    ///
    /// # Errors
    /// When it is no array.
    pub fn of(reply: Reply) -> Result<Self, Failure> {
        reply.into_array().map(|items| Self(items.into_iter()))
    }

    /// The next element.
    ///
    /// # Errors
    /// When there is none.
    pub fn reply(&mut self) -> Result<Reply, Failure> {
        self.0.next().ok_or(Failure::Nonsense("a reply is too short"))
    }

    /// The next element, an array.
    ///
    /// # Errors
    /// When it is none.
    pub fn array(&mut self) -> Result<Vec<Reply>, Failure> {
        self.reply()?.into_array()
    }

    /// The next element, an integer.
    ///
    /// # Errors
    /// When it is none.
    pub fn integer(&mut self) -> Result<i64, Failure> {
        self.reply()?.as_integer().ok_or(Failure::Nonsense("expected an integer"))
    }

    /// The next element, how many there are of something, or its number in a list.
    ///
    /// # Errors
    /// When it is no integer, or a negative one.
    pub fn unsigned(&mut self) -> Result<u64, Failure> {
        u64::try_from(self.integer()?).map_err(|_| Failure::Nonsense("expected a count"))
    }

    /// The next element, 1 or 0.
    ///
    /// # Errors
    /// When it is no integer.
    pub fn flag(&mut self) -> Result<bool, Failure> {
        self.integer().map(|number| number == 1)
    }

    /// The next element, a text.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&mut self) -> Result<String, Failure> {
        self.reply()?.as_str().map(str::to_owned).ok_or(Failure::Nonsense("expected a text"))
    }
}

impl Iterator for Elements {
    type Item = Reply;
    fn next(&mut self) -> Option<Reply> {
        self.0.next()
    }
}

/// Bytes as a JSON string; what is not UTF-8 becomes U+FFFD.
pub struct Text<'a>(pub &'a [u8]);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.serialize_str(&String::from_utf8_lossy(self.0)),
        }
    }
}

/// The text of an error as Ridge's clients look for it: it always begins with `ERR `.
pub struct ErrorText<'a>(pub &'a str);

impl fmt::Display for ErrorText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.starts_with("ERR ") { f.write_str(self.0) } else { write!(f, "ERR {}", self.0) }
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nil | Self::NilArray => serializer.serialize_unit(),
            Self::Integer(n) => serializer.serialize_i64(*n),
            Self::String(bytes) | Self::Status(bytes) => Text(bytes).serialize(serializer),
            Self::Error(text) => serializer.collect_str(&ErrorText(text)),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
        }
    }
}

/// Decodes one JSON value: `null`, numbers, strings and arrays. Strings without escapes stay where they are, as slices
/// of the body; the depth is bounded, so that a hostile answer cannot exhaust the stack.
#[derive(Clone, Copy)]
pub struct JsonReply<'a> {
    body: &'a Bytes,
    depth: usize,
    /// How many more elements all arrays of the body may hold.
    budget: &'a Cell<usize>,
}

impl<'a> JsonReply<'a> {
    /// A decoder for a value within `body`.
    pub fn new(body: &'a Bytes, budget: &'a Cell<usize>) -> Self {
        Self { body, depth: 0, budget }
    }
}

impl<'de> DeserializeSeed<'de> for JsonReply<'de> {
    type Value = Reply;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Reply, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonReply<'de> {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply")
    }
    fn visit_unit<E>(self) -> Result<Reply, E> {
        Ok(Reply::Nil)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Reply, E> {
        Ok(Reply::Integer(v.into()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Reply, E> {
        Ok(Reply::Integer(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Reply, E> {
        Ok(i64::try_from(v).map_or_else(|_| Reply::String(v.to_string().into()), Reply::Integer))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Reply, E> {
        Ok(Reply::String(v.to_string().into()))
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Reply, E> {
        Ok(Reply::String(self.body.slice_ref(v.as_bytes())))
    }
    fn visit_str<E>(self, v: &str) -> Result<Reply, E> {
        Ok(Reply::String(Bytes::copy_from_slice(v.as_bytes())))
    }
    fn visit_string<E>(self, v: String) -> Result<Reply, E> {
        Ok(Reply::String(v.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reply, A::Error> {
        if self.depth >= MAX_DEPTH {
            return Err(A::Error::custom("nested too deeply"));
        }
        let mut items = Vec::new();
        let element = Self { depth: self.depth + 1, ..self };
        while let Some(item) = seq.next_element_seed(element)? {
            let left = self.budget.get().checked_sub(1).ok_or_else(|| A::Error::custom("too many elements"))?;
            self.budget.set(left);
            items.push(item);
        }
        Ok(Reply::Array(items))
    }
}
