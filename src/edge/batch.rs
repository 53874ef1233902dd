//! From a body to commands: `[cmd, arg…]`, `[[cmd, arg…], …]` or `{"commands": […]}`.
//!
//! Words are slices of the body wherever JSON lets them be. Numbers and booleans are passed on as they are written,
//! digit for digit: no float ever touches them. What a command means, and who may send it, is not known here.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{
    error::ApiError,
    json::{self, NotJson, Value},
    policy::command_table::lookup,
};

/// The most commands in one batch.
pub const MAX_COMMANDS: usize = 1000;

/// The most commands in one pipeline or transaction: what fits into a Worker's memory beside the body. Each takes some 250
/// bytes, on its way to Redis and back.
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
    let mut inside = reader.json;
    inside.enter();
    // An empty list is an empty batch, not an empty command.
    let is_batch = matches!(inside.peek(), Some(b'[' | b']'));
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
    if json::Reader::new(text).peek() != Some(b'{') {
        return Ok(text);
    }
    let object: Object<'_> = serde_json::from_str(text).map_err(|_| NotJson)?;
    let commands = object.commands.ok_or_else(|| ApiError::bad_request("The body has no field 'commands'"))?;
    if !commands.get().starts_with('[') {
        return Err(ApiError::bad_request("Field 'commands' must be a JSON array of commands"));
    }
    Ok(commands.get())
}

impl From<NotJson> for ApiError {
    fn from(_: NotJson) -> Self {
        Self::bad_request("The body is not valid JSON")
    }
}

/// Where in the body it has come, and what it has seen.
struct Reader<'a> {
    body: &'a Bytes,
    json: json::Reader<'a>,
    values: Values,
    words: usize,
    is_plain: bool,
    is_whole: bool,
}

impl<'a> Reader<'a> {
    /// A reader that stands where the list begins.
    fn new(body: &'a Bytes, text: &'a str, values: Values) -> Result<Self, ApiError> {
        let mut json = json::Reader::new(text);
        if json.peek() != Some(b'[') {
            return Err(ApiError::bad_request("The body must be a JSON array of commands"));
        }
        Ok(Self { body, json, values, words: 0, is_plain: true, is_whole: true })
    }

    fn commands(&mut self, limit: usize) -> Result<Vec<Words>, ApiError> {
        let mut commands = Vec::new();
        self.json.enter();
        while self.json.has_next(commands.is_empty())? {
            let index = commands.len();
            if index == limit {
                return Err(ApiError::BatchTooLarge { limit });
            }
            match self.json.value()? {
                Value::List => commands.push(self.command(index)?),
                other => {
                    let problem = "must be an array that begins with a command's name, not";
                    return Err(ApiError::bad_request(format!("Command {index}: {problem} {}", other.kind())));
                }
            }
        }
        Ok(commands)
    }

    /// The command that begins here, which is the one of this index.
    fn command(&mut self, index: usize) -> Result<Words, ApiError> {
        let mut words = Words::with_capacity(4);
        self.json.enter();
        while self.json.has_next(words.is_empty())? {
            if self.words == MAX_WORDS {
                return Err(ApiError::TooManyWords { limit: MAX_WORDS });
            }
            self.words += 1;
            let value = self.json.value()?;
            let word = self.word(value, &words).map_err(|kind| {
                let problem = "must be a string, a number or a boolean, not";
                ApiError::bad_request(format!("Command {index}: argument {} {problem} {kind}", words.len()))
            })?;
            words.push(word);
        }
        if words.is_empty() { Err(ApiError::bad_request(format!("Command {index}: is empty"))) } else { Ok(words) }
    }

    /// The word behind these as bytes, or what else it is.
    fn word(&mut self, value: Value<'a>, words: &[Bytes]) -> Result<Bytes, &'static str> {
        match value {
            Value::Plain(text) | Value::Escaped(text) if text.len() >= LONG && self.leaves(words) => {
                self.is_whole = false;
                Ok(Bytes::new())
            }
            Value::Escaped(text) => json::unescaped(text).map(Bytes::from).ok_or("a string with a broken escape"),
            Value::Plain(text) | Value::Boolean(text) => Ok(self.body.slice_ref(text)),
            Value::Number(text) => {
                self.is_plain &= is_plain_number(text);
                Ok(self.body.slice_ref(text))
            }
            Value::Null | Value::List | Value::Object => Err(value.kind()),
        }
    }

    /// Whether the next word, which is long, is left out: the command only stores it.
    fn leaves(&self, words: &[Bytes]) -> bool {
        self.values == Values::Leave && lookup(words).is_some_and(|entry| entry.always_takes_as_value(words.len()))
    }

    /// Nothing but blanks may follow the list.
    fn finish(mut self, commands: Vec<Words>) -> Result<Parsed, ApiError> {
        if self.json.peek().is_some() {
            return Err(NotJson.into());
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
