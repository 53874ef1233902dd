//! Commands in a body, against what serde_json itself reads there.
//!
//! An input is the body.

use std::collections::HashMap;

use bytes::Bytes;
use ridge::{
    edge::batch::{self, MAX_COMMANDS, Parsed, Values, Words},
    error::ApiError,
    policy::command_table::lookup,
};
use serde_json::{Value, value::RawValue};

/// What is said of a bad body is not longer than this.
const LONGEST_REFUSAL: usize = 300;

/// Checks one body.
pub fn check(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let text = std::str::from_utf8(input).ok();

    let one = batch::one(&body, Values::Read);
    only_values_are_left_out(&one, batch::one(&body, Values::Leave), input);
    is_plain_only_if(one.as_ref().is_ok_and(|parsed| parsed.is_plain), text);
    agree(one.map(|parsed| parsed.commands), text.and_then(command));

    let list = batch::list(&body, Values::Read);
    only_values_are_left_out(&list, batch::list(&body, Values::Leave), input);
    is_plain_only_if(list.as_ref().is_ok_and(|parsed| parsed.is_plain), text);
    agree(list.map(|parsed| parsed.commands), text.and_then(commands));

    let any = batch::parse(&body);
    if let (Ok(commands), Ok(value)) = (&any, serde_json::from_slice(input)) {
        are_those_of(commands, &value);
    }
    match text.map(unwrapped) {
        Some(Unwrapped::Doubtful) => {}
        Some(Unwrapped::Text(text)) => agree(any, commands(&text).or_else(|| command(&text))),
        Some(Unwrapped::Nothing) | None => agree(any, None),
    }
}

fn agree(read: Result<Vec<Words>, ApiError>, expected: Option<Vec<Words>>) {
    match read {
        Err(ApiError::BatchTooLarge { .. }) => assert!(expected.is_none_or(|commands| commands.len() > MAX_COMMANDS)),
        Err(error) => {
            assert!(expected.is_none(), "{error}: {expected:?}");
            assert!(error.to_string().len() <= LONGEST_REFUSAL, "{error}");
        }
        Ok(commands) => assert_eq!(Some(commands), expected),
    }
}

/// Where values may be left out, all else is read as ever. What is wrong with a value is then not seen: it may be an escape.
fn only_values_are_left_out(read: &Result<Parsed, ApiError>, left: Result<Parsed, ApiError>, input: &[u8]) {
    match (read, left) {
        (Ok(read), Ok(left)) => {
            assert_eq!((left.is_plain, left.commands.len()), (read.is_plain, read.commands.len()));
            assert_eq!(left.is_whole, left.commands == read.commands);
            read.commands.iter().zip(&left.commands).for_each(|(read, left)| differ_in_values(read, left));
        }
        (Err(_), Ok(left)) => assert!(!left.is_whole && input.contains(&b'\\')),
        (Ok(_), Err(error)) => panic!("{error}"),
        (Err(_), Err(_)) => {}
    }
}

fn differ_in_values(read: &Words, left: &Words) {
    assert_eq!(read.len(), left.len());
    for (place, word) in left.iter().enumerate().filter(|(place, word)| **word != read[*place]) {
        let entry = lookup(read).expect("a command of the table");
        assert!(word.is_empty() && entry.takes_as_value(place, read.len()), "{entry:?} {place}");
    }
}

/// One command, read element by element.
fn command(text: &str) -> Option<Vec<Words>> {
    Some(vec![words(serde_json::from_str(text).ok()?)?])
}

/// A list of commands.
fn commands(text: &str) -> Option<Vec<Words>> {
    let list: Vec<Vec<&RawValue>> = serde_json::from_str(text).ok()?;
    if list.is_empty() { None } else { list.into_iter().map(words).collect() }
}

fn words(elements: Vec<&RawValue>) -> Option<Words> {
    let word = |element: &RawValue| match element.get() {
        text if text.starts_with(['[', '{']) || text == "null" => None,
        text if text.starts_with('"') => serde_json::from_str::<String>(text).ok().map(Bytes::from),
        // Digit for digit.
        text => Some(Bytes::copy_from_slice(text.as_bytes())),
    };
    if elements.is_empty() { None } else { elements.into_iter().map(word).collect() }
}

enum Unwrapped {
    Text(String),
    Nothing,
    /// A field that may stand there twice.
    Doubtful,
}

/// The list in `{"commands": […]}`, or the text itself.
fn unwrapped(text: &str) -> Unwrapped {
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Unwrapped::Text(text.to_owned());
    }
    if text.contains('\\') || text.matches("\"commands\"").count() > 1 {
        return Unwrapped::Doubtful;
    }
    let fields: Option<HashMap<String, Box<RawValue>>> = serde_json::from_str(text).ok();
    let commands = fields.and_then(|mut fields| fields.remove("commands"));
    commands.map_or(Unwrapped::Nothing, |commands| Unwrapped::Text(commands.get().to_owned()))
}

/// The commands are those that the whole body as a tree holds.
fn are_those_of(commands: &[Words], body: &Value) {
    let list = body.get("commands").unwrap_or(body).as_array().expect("a list");
    let lists: Vec<&Vec<Value>> = list.iter().filter_map(Value::as_array).collect();
    let lists = if lists.is_empty() { vec![list] } else { lists };
    assert_eq!(commands.len(), lists.len());
    for (words, values) in commands.iter().zip(lists) {
        assert_eq!(words.len(), values.len());
        for (word, value) in words.iter().zip(values) {
            match value {
                Value::String(text) => assert_eq!(word, text.as_bytes()),
                value => assert_eq!(&serde_json::from_slice::<Value>(word).expect("a scalar"), value),
            }
        }
    }
}

/// A body is plain only if other readers write its numbers as they stand there.
fn is_plain_only_if(is_plain: bool, text: Option<&str>) {
    if !is_plain {
        return;
    }
    let text = text.expect("a body that was read is text");
    let list: Vec<&RawValue> = serde_json::from_str(text).expect("a list");
    for element in list {
        let inner: Vec<&RawValue> = serde_json::from_str(element.get()).unwrap_or_else(|_| vec![element]);
        for number in inner.into_iter().map(RawValue::get).filter(|text| text.starts_with(|c: char| c != '"')) {
            let value: Value = serde_json::from_str(number).expect("a scalar");
            assert_eq!(value.to_string(), number);
            if let Ok(double) = number.parse::<f64>() {
                assert_eq!(double.to_string(), number);
            }
        }
    }
}
