//! From a body to commands: `[cmd, arg…]`, `[[cmd, arg…], …]` or `{"commands": […]}`.
//!
//! Words are slices of the body wherever JSON lets them be. Numbers and booleans are passed on as they are written,
//! digit for digit: no float ever touches them. What a command means, and who may send it, is not known here.
//!
//! The body is read once, from its beginning to its end.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{error::ApiError, json, policy::command_table::lookup};

/// The most commands in one batch.
pub const MAX_COMMANDS: usize = 1000;

/// The most commands in one pipeline or transaction: what fits into a Worker's memory beside the body. Each takes some 250 bytes, on its
/// way to Redis and back.
pub const MAX_PIPELINE: usize = 100_000;

/// The most words that all commands of one body may have together. Each takes 16 bytes.
pub const MAX_WORDS: usize = 512 * 1024;

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
    let mut reader = Reader::new(body, text_of(body)?, values)?;
    let words = reader.command(0)?;
    reader.finish(vec![words])
}

/// Reads a body that is a list of commands.
///
/// # Errors
/// 400 with the index and the reason, 413 for more than [`MAX_PIPELINE`] or [`MAX_WORDS`].
pub fn list(body: &Bytes, values: Values) -> Result<Parsed, ApiError> {
    let mut reader = Reader::new(body, text_of(body)?, values)?;
    let commands = reader.commands(MAX_PIPELINE)?;
    reader.finish(commands)
}

/// Reads a body of any of the three shapes.
///
/// # Errors
/// 400 with the index and the reason, 413 for more than [`MAX_COMMANDS`].
pub fn parse(body: &Bytes) -> Result<Vec<Words>, ApiError> {
    let mut reader = Reader::new(body, unwrap_object(text_of(body)?)?, Values::Read)?;
    // An empty list is an empty batch, not an empty command.
    let is_batch = matches!(reader.second(), Some(b'[' | b']'));
    let commands = if is_batch { reader.commands(MAX_COMMANDS)? } else { vec![reader.command(0)?] };
    reader.finish(commands).map(|parsed| parsed.commands)
}

fn text_of(body: &Bytes) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|_| ApiError::bad_request("The body is not valid UTF-8"))
}

/// `{"commands": […]}` is the list inside.
fn unwrap_object(text: &str) -> Result<&str, ApiError> {
    #[derive(serde::Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        commands: Option<&'a RawValue>,
    }
    if !text.trim_start_matches(BLANKS).starts_with('{') {
        return Ok(text);
    }
    let object: Object<'_> = serde_json::from_str(text).map_err(|_| not_json())?;
    let commands = object.commands.ok_or_else(|| ApiError::bad_request("The body has no field 'commands'"))?;
    if !commands.get().starts_with('[') {
        return Err(ApiError::bad_request("Field 'commands' must be a JSON array of commands"));
    }
    Ok(commands.get())
}

fn not_json() -> ApiError {
    ApiError::bad_request("The body is not valid JSON")
}

/// What JSON takes for a blank.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// A scalar of JSON, as it is written.
struct Scalar<'a> {
    raw: &'a [u8],
    /// Of a string, whether it has escapes.
    is_escaped: bool,
}

/// Where in the body it has come, and what it has seen.
struct Reader<'a> {
    body: &'a Bytes,
    text: &'a [u8],
    at: usize,
    values: Values,
    words: usize,
    is_plain: bool,
    is_whole: bool,
}

impl<'a> Reader<'a> {
    /// A reader that stands where the list begins.
    fn new(body: &'a Bytes, text: &'a str, values: Values) -> Result<Self, ApiError> {
        let text = text.as_bytes();
        let mut reader = Self { body, text, at: 0, values, words: 0, is_plain: true, is_whole: true };
        match reader.next() {
            Some(b'[') => Ok(reader),
            _ => Err(ApiError::bad_request("The body must be a JSON array of commands")),
        }
    }

    /// The next character that is no blank.
    fn next(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// The character with which the first element of the list begins.
    fn second(&self) -> Option<u8> {
        Reader { at: self.at + 1, ..*self }.next()
    }

    /// Reads the list that begins here, element by element, each with its place and the character with which it begins.
    fn each(&mut self, mut read: impl FnMut(&mut Self, usize, u8) -> Result<(), ApiError>) -> Result<(), ApiError> {
        self.at += 1;
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        let mut place = 0;
        loop {
            let first = self.next().ok_or_else(not_json)?;
            read(self, place, first)?;
            let separator = self.next();
            self.at += 1;
            match separator {
                Some(b',') => place += 1,
                Some(b']') => return Ok(()),
                _ => return Err(not_json()),
            }
        }
    }

    fn commands(&mut self, limit: usize) -> Result<Vec<Words>, ApiError> {
        let mut commands = Vec::new();
        self.each(|reader, index, first| {
            if index == limit {
                return Err(ApiError::BatchTooLarge { limit });
            }
            if first != b'[' {
                let kind = reader.kind(first)?;
                let problem = "must be an array that begins with a command's name, not";
                return Err(ApiError::bad_request(format!("Command {index}: {problem} {kind}")));
            }
            commands.push(reader.command(index)?);
            Ok(())
        })?;
        Ok(commands)
    }

    /// The command that begins here, which is the one of this index.
    fn command(&mut self, index: usize) -> Result<Words, ApiError> {
        let mut words = Words::with_capacity(4);
        self.each(|reader, place, first| {
            if reader.words == MAX_WORDS {
                return Err(ApiError::TooManyWords { limit: MAX_WORDS });
            }
            reader.words += 1;
            let word = if matches!(first, b'"' | b'-' | b'0'..=b'9' | b't' | b'f') {
                let scalar = reader.scalar(first)?;
                reader.word(first, &scalar, &words)
            } else {
                None
            };
            let Some(word) = word else {
                let kind = if first == b'"' { "a string with a broken escape" } else { reader.kind(first)? };
                let problem = "must be a string, a number or a boolean, not";
                return Err(ApiError::bad_request(format!("Command {index}: argument {place} {problem} {kind}")));
            };
            words.push(word);
            Ok(())
        })?;
        if words.is_empty() { Err(ApiError::bad_request(format!("Command {index}: is empty"))) } else { Ok(words) }
    }

    /// One word as bytes, `None` if the escapes of a string stand for nothing.
    fn word(&mut self, first: u8, scalar: &Scalar<'a>, words: &[Bytes]) -> Option<Bytes> {
        let raw = scalar.raw;
        if first != b'"' {
            self.is_plain &= !matches!(first, b'-' | b'0'..=b'9') || is_plain_number(raw);
            return Some(self.body.slice_ref(raw));
        }
        if raw.len() > LONG && self.leaves(words) {
            self.is_whole = false;
            return Some(Bytes::new());
        }
        let inside = raw.get(1..raw.len() - 1)?;
        if scalar.is_escaped { json::unescaped(inside).map(Bytes::from) } else { Some(self.body.slice_ref(inside)) }
    }

    /// Whether the next word, which is long, is left out: the command only stores it.
    fn leaves(&self, words: &[Bytes]) -> bool {
        self.values == Values::Leave && lookup(words).is_some_and(|entry| entry.always_takes_as_value(words.len()))
    }

    /// Passes over a scalar that begins with `first`.
    fn scalar(&mut self, first: u8) -> Result<Scalar<'a>, ApiError> {
        let start = self.at;
        let mut is_escaped = false;
        let end = match first {
            b'"' => json::span(self.text, start + 1).map(|span| {
                is_escaped = span.is_escaped;
                span.end + 1
            }),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        };
        let raw = end.and_then(|end| self.text.get(start..end)).ok_or_else(not_json)?;
        self.at += raw.len();
        Ok(Scalar { raw, is_escaped })
    }

    fn literal(&self, name: &str) -> Option<usize> {
        let rest = self.text.get(self.at..)?;
        rest.starts_with(name.as_bytes()).then_some(self.at + name.len())
    }

    /// Where the number ends that begins here.
    fn number(&self) -> Option<usize> {
        let byte = |at: usize| self.text.get(at).copied();
        let digits = |from: usize| {
            let rest = self.text.get(from..).unwrap_or_default();
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (count > 0).then_some(from + count)
        };
        let start = self.at + usize::from(byte(self.at) == Some(b'-'));
        let mut end = if byte(start) == Some(b'0') { start + 1 } else { digits(start)? };
        if byte(end) == Some(b'.') {
            end = digits(end + 1)?;
        }
        if matches!(byte(end), Some(b'e' | b'E')) {
            let has_sign = matches!(byte(end + 1), Some(b'+' | b'-'));
            end = digits(end + 1 + usize::from(has_sign))?;
        }
        Some(end)
    }

    /// What begins here, in words.
    fn kind(&mut self, first: u8) -> Result<&'static str, ApiError> {
        match first {
            b'[' => return Ok("an array"),
            b'{' => return Ok("an object"),
            _ => {}
        }
        self.scalar(first)?;
        Ok(match first {
            b'"' => "a string",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            _ => "a number",
        })
    }

    /// Nothing but blanks may follow the list.
    fn finish(mut self, commands: Vec<Words>) -> Result<Parsed, ApiError> {
        if self.next().is_some() {
            return Err(not_json());
        }
        if commands.is_empty() {
            return Err(ApiError::bad_request("The batch is empty"));
        }
        Ok(Parsed { commands, is_plain: self.is_plain, is_whole: self.is_whole })
    }
}

/// Whether every reader of JSON writes a number as it is written here: few enough digits for a double, no exponent, no zero
/// that could be left out.
fn is_plain_number(raw: &[u8]) -> bool {
    const DIGITS_OF_A_DOUBLE: usize = 15;
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    let plain = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let whole_zero = raw == b"-0" || digits.starts_with(b"0.000");
    plain && !whole_zero && digits.len() <= DIGITS_OF_A_DOUBLE && !(digits.contains(&b'.') && digits.ends_with(b"0"))
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
            (r#"[["GET","a"],"GET"]"#, "Command 1: must be an array that begins with a command's name, not a string"),
            (r#"[["GET","a"],7]"#, "Command 1: must be an array that begins with a command's name, not a number"),
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
    fn numbers_and_names_are_those_of_json() {
        for good in ["0", "-0", "10", "-1.50", "0.5e10", "1E+2", "1e-2", "true", "false"] {
            assert_eq!(words(&format!("[\"ECHO\", {good} ]"))[0][1], good);
        }
        for bad in [
            "01", "-", "1.", ".5", "1e", "1e+", "+1", "0x1", "1_0", "tru", "truex", "nul", "True", "NaN", "\"a",
            r#""\x""#, "\"\t\"", "",
        ] {
            for end in ["]", ",1]"] {
                let body = format!("[\"ECHO\",{bad}{end}");
                assert_eq!(refusal(&body), "The body is not valid JSON", "{body}");
                assert_eq!(refusal(&format!("[{body}]")), "The body is not valid JSON", "{body}");
            }
        }
        for bad in [
            "[\"a\",]",
            "[\"a\" \"b\"]",
            "[,\"a\"]",
            "[\"a\"",
            "[\"a\"]]",
            "[\"a\"],",
            "[[\"a\"],]",
            "[[\"a\"]",
            "[[\"a\"]}",
        ] {
            assert_eq!(refusal(bad), "The body is not valid JSON", "{bad}");
        }
    }

    #[test]
    fn a_body_has_so_many_commands_and_words_and_no_more() {
        let commands = |count: usize| Bytes::from(format!("[{}]", vec!["[1]"; count].join(",")));
        assert_eq!(list(&commands(MAX_PIPELINE), Values::Read).unwrap().commands.len(), MAX_PIPELINE);
        let refused = list(&commands(MAX_PIPELINE + 1), Values::Read).unwrap_err();
        assert!(matches!(refused, ApiError::BatchTooLarge { limit: MAX_PIPELINE }));
        let words = |count: usize| Bytes::from(format!("[{}]", vec!["1"; count].join(",")));
        assert_eq!(one(&words(MAX_WORDS), Values::Read).unwrap().commands[0].len(), MAX_WORDS);
        let refused = one(&words(MAX_WORDS + 1), Values::Read).unwrap_err();
        assert!(matches!(refused, ApiError::TooManyWords { limit: MAX_WORDS }));
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
