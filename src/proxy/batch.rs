//! From a body to commands: `[cmd, arg…]`, `[[cmd, arg…], …]` or `{"commands": […]}`.
//!
//! Words are slices of the body wherever JSON lets them be. Numbers and booleans are passed on as they are written,
//! digit for digit: no float ever touches them.

use std::{cell::Cell, fmt};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// The most commands in one batch.
pub const MAX_COMMANDS: usize = 1000;

/// What JSON takes for a blank.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// One command: its name, then its arguments. Never empty.
pub type Words = Vec<Bytes>;

/// Reads a body.
///
/// # Errors
/// 400 with the index and the reason, 413 for more than [`MAX_COMMANDS`].
pub fn parse(body: &Bytes) -> Result<Vec<Words>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| ApiError::bad_request("The body is not valid UTF-8"))?;
    let list = unwrap_object(text.trim_start_matches(BLANKS))?;
    if !list.starts_with('[') {
        return Err(ApiError::bad_request("The body must be a JSON array of commands"));
    }
    let is_batch = list.get(1..).is_some_and(|rest| rest.trim_start_matches(BLANKS).starts_with('['));
    let at = Place::default();
    let parsed = if is_batch { parse_with(list, Batch { body, at: &at }) } else { parse_single(list, body, &at) };
    match parsed {
        Ok(commands) if commands.is_empty() => Err(ApiError::bad_request("The batch is empty")),
        Ok(commands) => Ok(commands),
        Err(_) if at.too_many.get() => Err(ApiError::BatchTooLarge { limit: MAX_COMMANDS }),
        Err(error) if error.is_data() => Err(ApiError::bad_request(at.describe(&error, is_batch))),
        Err(_) => Err(ApiError::bad_request("The body is not valid JSON")),
    }
}

/// `{"commands": […]}` is the list inside.
fn unwrap_object(text: &str) -> Result<&str, ApiError> {
    #[derive(serde::Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        commands: Option<&'a RawValue>,
    }
    if !text.starts_with('{') {
        return Ok(text);
    }
    let object: Object<'_> =
        serde_json::from_str(text).map_err(|_| ApiError::bad_request("The body is not valid JSON"))?;
    let commands = object.commands.ok_or_else(|| ApiError::bad_request("The body has no field 'commands'"))?;
    if !commands.get().starts_with('[') {
        return Err(ApiError::bad_request("Field 'commands' must be a JSON array of commands"));
    }
    Ok(commands.get())
}

fn parse_with<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> serde_json::Result<S::Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

fn parse_single(list: &str, body: &Bytes, at: &Place) -> serde_json::Result<Vec<Words>> {
    // An empty list is an empty batch, not an empty command.
    if list.get(1..).is_some_and(|rest| rest.trim_start_matches(BLANKS).starts_with(']')) {
        return parse_with(list, Batch { body, at });
    }
    parse_with(list, Command { body }).map(|words| vec![words])
}

/// Where in the batch the parser stands, so that an error can say so.
#[derive(Default)]
struct Place {
    command: Cell<usize>,
    too_many: Cell<bool>,
}

impl Place {
    fn describe(&self, error: &serde_json::Error, is_batch: bool) -> String {
        // serde_json appends " at line 1 column 2", which says less than the index does.
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        if is_batch { format!("Command {}: {reason}", self.command.get()) } else { format!("Command 0: {reason}") }
    }
}

struct Batch<'a> {
    body: &'a Bytes,
    at: &'a Place,
}

impl<'de> DeserializeSeed<'de> for Batch<'_> {
    type Value = Vec<Words>;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Batch<'_> {
    type Value = Vec<Words>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of commands")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut commands = Vec::new();
        while let Some(words) = seq.next_element_seed(Command { body: self.body })? {
            if commands.len() == MAX_COMMANDS {
                self.at.too_many.set(true);
                return Err(A::Error::custom("too many commands"));
            }
            commands.push(words);
            self.at.command.set(commands.len());
        }
        Ok(commands)
    }
}

struct Command<'a> {
    body: &'a Bytes,
}

impl<'de> DeserializeSeed<'de> for Command<'_> {
    type Value = Words;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Words, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Command<'_> {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array that begins with a command's name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
        let mut words = Words::with_capacity(4);
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            words.push(word(raw.get(), self.body).map_err(|kind| {
                A::Error::custom(format!(
                    "argument {} must be a string, a number or a boolean, not {kind}",
                    words.len()
                ))
            })?);
        }
        if words.is_empty() { Err(A::Error::custom("is empty")) } else { Ok(words) }
    }
}

/// One word as bytes; the name of its type if it cannot be a word.
fn word(raw: &str, body: &Bytes) -> Result<Bytes, &'static str> {
    let slice = |text: &str| body.slice_ref(text.as_bytes());
    match raw.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Ok(body.slice_ref(inner)),
        [b'"', ..] => serde_json::from_str::<String>(raw).map(Bytes::from).map_err(|_| "a string with a broken escape"),
        [b'-' | b'0'..=b'9', ..] => Ok(slice(raw)),
        b"true" | b"false" => Ok(slice(raw)),
        [b'[', ..] => Err("an array"),
        [b'{', ..] => Err("an object"),
        _ => Err("null"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(body: &str) -> Vec<Vec<String>> {
        let commands = parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let text = |word: &Bytes| String::from_utf8(word.to_vec()).unwrap();
        commands.iter().map(|words| words.iter().map(text).collect()).collect()
    }

    fn refusal(body: &str) -> String {
        parse(&Bytes::copy_from_slice(body.as_bytes())).unwrap_err().to_string()
    }

    #[test]
    fn three_shapes_are_one() {
        for body in [
            r#"["GET","a"]"#,
            r#" [ ["GET", "a"] ]"#,
            r#"{"commands":[["GET","a"]]}"#,
            r#"{"x":1,"commands":["GET","a"]}"#,
        ] {
            assert_eq!(words(body), [["GET", "a"]], "{body}");
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let body = r#"["HSET",9007199254740993,1.10,-0,1e3,true,false,"a\"\u00e9\ud83d\ude00b"]"#;
        assert_eq!(words(body)[0], ["HSET", "9007199254740993", "1.10", "-0", "1e3", "true", "false", "a\"é😀b"]);
    }

    #[test]
    fn what_is_no_command_is_named_by_its_index() {
        for (body, sentence) in [
            ("", "The body must be a JSON array of commands"),
            ("hello", "The body must be a JSON array of commands"),
            ("\u{a0}[\"GET\",\"a\"]", "The body must be a JSON array of commands"),
            ("\"GET\"", "The body must be a JSON array of commands"),
            ("{}", "The body has no field 'commands'"),
            (r#"{"commands":"GET"}"#, "Field 'commands' must be a JSON array of commands"),
            ("[", "The body is not valid JSON"),
            ("[[\"GET\",\"a\"]", "The body is not valid JSON"),
            ("[[\"GET\",\"a\"]] x", "The body is not valid JSON"),
            ("[]", "The batch is empty"),
            (" [ ] ", "The batch is empty"),
            ("[[]]", "Command 0: is empty"),
            (r#"[["GET","a"],[]]"#, "Command 1: is empty"),
            (r#"["GET",null]"#, "Command 0: argument 1 must be a string, a number or a boolean, not null"),
            (
                r#"[["GET","a"],["GET",["b"]]]"#,
                "Command 1: argument 1 must be a string, a number or a boolean, not an array",
            ),
            (r#"[["GET",{}]]"#, "Command 0: argument 1 must be a string, a number or a boolean, not an object"),
            (
                r#"[["GET","a"],"GET"]"#,
                "Command 1: invalid type: string \"GET\", expected an array that begins with a command's name",
            ),
            (
                r#"[["GET","a"],7]"#,
                "Command 1: invalid type: integer `7`, expected an array that begins with a command's name",
            ),
            (
                r#"[["GET","\ud800"]]"#,
                "Command 0: argument 1 must be a string, a number or a boolean, not a string with a broken escape",
            ),
        ] {
            assert_eq!(refusal(body), sentence, "{body}");
        }
    }

    #[test]
    fn a_thousand_commands_and_no_more() {
        let batch = |count: usize| format!("[{}]", vec![r#"["GET","a"]"#; count].join(","));
        assert_eq!(words(&batch(1000)).len(), 1000);
        assert!(matches!(parse(&batch(1001).into()).unwrap_err(), ApiError::BatchTooLarge { limit: 1000 }));
    }

    proptest! {
        #[test]
        fn what_json_writes_is_read_back(commands in proptest::collection::vec(proptest::collection::vec(any::<String>(), 1..5), 1..6)) {
            let body = serde_json::to_string(&commands).unwrap();
            prop_assert_eq!(words(&body), commands);
        }

        #[test]
        fn integers_are_never_rounded(number in any::<i128>()) {
            let body = format!("[\"GET\",{number}]");
            prop_assert_eq!(&words(&body)[0][1], &number.to_string());
        }

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&body.into());
        }

        #[test]
        fn no_near_miss_makes_it_panic(body in "[\\[\\]{}\":,a0 \\\\nu-]{0,60}") {
            let _ = parse(&body.into());
        }
    }
}
