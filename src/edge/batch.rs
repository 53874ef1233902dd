//! From a body to commands: `[cmd, arg…]`, `[[cmd, arg…], …]` or `{"commands": […]}`.
//!
//! Words are slices of the body wherever JSON lets them be. Numbers and booleans are passed on as they are written,
//! digit for digit: no float ever touches them. What a command means, and who may send it, is not known here.

use std::{cell::Cell, fmt};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;

use crate::{error::ApiError, policy::command_table::lookup};

/// The most commands in one batch.
pub const MAX_COMMANDS: usize = 1000;

/// What JSON takes for a blank.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The most words that all commands of one body may have together: what fits into a Worker's memory beside the body.
pub const MAX_WORDS: usize = 512 * 1024;

/// How much of a string that is no command is repeated to the caller, in bytes.
const LONGEST_SHOWN: usize = 32;

/// One command: its name, then its arguments. Never empty.
pub type Words = Vec<Bytes>;

/// Commands, and how they were written.
#[derive(Debug)]
pub struct Parsed {
    /// The commands, in order.
    pub commands: Vec<Words>,
    /// Whether another reader of the same JSON takes it for the same words: all numbers are written as anybody would write
    /// them. Of `1.0` or `1e3` that cannot be said.
    pub is_plain: bool,
    /// Whether no value was left out.
    pub is_whole: bool,
}

/// What is done with long strings that a command only stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// They are read as all words are.
    Read,
    /// An empty word stands in their places: whoever passes the body on as it is needs none.
    Leave,
}

/// From how many bytes on a string is long.
const LONG: usize = 1024;

/// Reads a body that is one command.
///
/// # Errors
/// 400 with the reason, 413 for more than [`MAX_WORDS`].
pub fn one(body: &Bytes, values: Values) -> Result<Parsed, ApiError> {
    let list = list_of(body)?;
    let at = Place::new(1, values);
    read(parse_with(list, Command { body, at: &at }).map(|words| vec![words]), false, at)
}

/// Reads a body that is a list of commands.
///
/// # Errors
/// 400 with the index and the reason, 413 for more than [`MAX_WORDS`].
pub fn list(body: &Bytes, values: Values) -> Result<Parsed, ApiError> {
    let list = list_of(body)?;
    let at = Place::new(MAX_WORDS, values);
    read(parse_with(list, Batch { body, at: &at }), true, at)
}

fn text_of(body: &Bytes) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| ApiError::bad_request("The body is not valid UTF-8"))?;
    Ok(text.trim_start_matches(BLANKS))
}

fn list_of(body: &Bytes) -> Result<&str, ApiError> {
    Some(text_of(body)?).filter(|text| text.starts_with('[')).ok_or_else(not_a_list)
}

fn not_a_list() -> ApiError {
    ApiError::bad_request("The body must be a JSON array of commands")
}

/// Reads a body of any of the three shapes.
///
/// # Errors
/// 400 with the index and the reason, 413 for more than [`MAX_COMMANDS`].
pub fn parse(body: &Bytes) -> Result<Vec<Words>, ApiError> {
    let list = unwrap_object(text_of(body)?)?;
    if !list.starts_with('[') {
        return Err(not_a_list());
    }
    let first = list.get(1..).unwrap_or_default().trim_start_matches(BLANKS);
    // An empty list is an empty batch, not an empty command.
    let is_batch = first.starts_with(['[', ']']);
    let at = Place::new(MAX_COMMANDS, Values::Read);
    let parsed = if is_batch {
        parse_with(list, Batch { body, at: &at })
    } else {
        parse_with(list, Command { body, at: &at }).map(|words| vec![words])
    };
    read(parsed, is_batch && !first.starts_with(']'), at).map(|parsed| parsed.commands)
}

/// What was read, or why it could not be.
fn read(parsed: serde_json::Result<Vec<Words>>, is_batch: bool, at: Place) -> Result<Parsed, ApiError> {
    match parsed {
        Ok(commands) if commands.is_empty() => Err(ApiError::bad_request("The batch is empty")),
        Ok(commands) => Ok(Parsed { commands, is_plain: at.is_plain.get(), is_whole: at.is_whole.get() }),
        Err(error) => Err(match at.too_many.take() {
            Some(too_many) => too_many,
            None if error.is_data() => ApiError::bad_request(at.describe(&error, is_batch)),
            None => ApiError::bad_request("The body is not valid JSON"),
        }),
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

/// Where in the batch the parser stands, so that an error can say so; and what it has seen.
struct Place {
    command: Cell<usize>,
    words: Cell<usize>,
    too_many: Cell<Option<ApiError>>,
    is_plain: Cell<bool>,
    is_whole: Cell<bool>,
    most_commands: usize,
    values: Values,
}

impl Place {
    fn new(most_commands: usize, values: Values) -> Self {
        let (command, words, too_many) = Default::default();
        let (is_plain, is_whole) = (Cell::new(true), Cell::new(true));
        Self { command, words, too_many, is_plain, is_whole, most_commands, values }
    }

    /// Whether a string is left out: it is long, and the command only stores it.
    fn leaves(&self, raw: &str, words: &[Bytes]) -> bool {
        let is_long = raw.len() > LONG && raw.starts_with('"') && self.values == Values::Leave;
        is_long && lookup(words).is_some_and(|entry| entry.always_takes_as_value(words.len()))
    }

    fn describe(&self, error: &serde_json::Error, is_batch: bool) -> String {
        // serde_json appends " at line 1 column 2", which says less than the index does.
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        if is_batch { format!("Command {}: {reason}", self.command.get()) } else { format!("Command 0: {reason}") }
    }

    fn refuse_more<E: serde::de::Error>(&self, error: ApiError) -> E {
        self.too_many.set(Some(error));
        E::custom("too many")
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
        while let Some(words) = seq.next_element_seed(Command { body: self.body, at: self.at })? {
            if commands.len() == self.at.most_commands {
                return Err(self.at.refuse_more(ApiError::BatchTooLarge { limit: self.at.most_commands }));
            }
            commands.push(words);
            self.at.command.set(commands.len());
        }
        Ok(commands)
    }
}

struct Command<'a> {
    body: &'a Bytes,
    at: &'a Place,
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

    /// Says what it is, without repeating megabytes of it.
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Words, E> {
        let shown = text.get(..text.floor_char_boundary(LONGEST_SHOWN)).unwrap_or_default();
        Err(E::invalid_type(Unexpected::Str(shown), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
        let mut words = Words::with_capacity(4);
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            let raw = raw.get();
            if self.at.leaves(raw, &words) {
                self.at.is_whole.set(false);
                words.push(Bytes::new());
                continue;
            }
            words.push(word(raw, self.body).map_err(|kind| {
                A::Error::custom(format!(
                    "argument {} must be a string, a number or a boolean, not {kind}",
                    words.len()
                ))
            })?);
            if raw.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) && !is_plain_number(raw) {
                self.at.is_plain.set(false);
            }
        }
        let total = self.at.words.get() + words.len();
        self.at.words.set(total);
        if total > MAX_WORDS {
            return Err(self.at.refuse_more(ApiError::TooManyWords { limit: MAX_WORDS }));
        }
        if words.is_empty() { Err(A::Error::custom("is empty")) } else { Ok(words) }
    }
}

/// Whether every reader of JSON writes a number as it is written here: few enough digits for a double, no exponent, no zero
/// that could be left out.
fn is_plain_number(raw: &str) -> bool {
    const DIGITS_OF_A_DOUBLE: usize = 15;
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let whole_zero = raw == "-0" || digits.starts_with("0.000");
    plain && !whole_zero && digits.len() <= DIGITS_OF_A_DOUBLE && !(digits.contains('.') && digits.ends_with('0'))
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
    fn only_what_is_long_and_only_stored_is_left_out() {
        let long = "v".repeat(LONG);
        let read = |command: &str| {
            let body = Bytes::from(command.replace('L', &long));
            let parsed = one(&body, Values::Leave).unwrap();
            let lengths: Vec<usize> = parsed.commands[0].iter().map(Bytes::len).collect();
            (parsed.is_whole, lengths)
        };
        assert_eq!(read(r#"["set","k","L","EX",1]"#), (false, vec![3, 1, 0, 2, 1]));
        assert_eq!(read(r#"["mset","k","L","k2","L"]"#), (false, vec![4, 1, 0, 2, 0]));
        for command in [r#"["get","L"]"#, r#"["set","k","v","L"]"#, r#"["L","k","v"]"#, r#"["set","k",[]]"#] {
            if let Ok(parsed) = one(&Bytes::from(command.replace('L', &long)), Values::Leave) {
                assert!(parsed.is_whole, "{command}");
            }
        }
        let whole = one(&Bytes::from(format!(r#"["set","k","{long}"]"#)), Values::Read).unwrap();
        assert!(whole.is_whole && whole.commands[0][2].len() == LONG);
    }

    #[test]
    fn a_refusal_is_short() {
        let sentence = refusal(&format!(r#"[["GET","a"],"{}"]"#, "é".repeat(100)));
        assert!(sentence.contains("éé") && sentence.len() < 200, "{sentence}");
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
