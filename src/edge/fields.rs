//! JSON objects in bodies, field by field: an error names the field, and numbers are kept as they are written.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::ApiError;

/// What is wrong with a field, or with the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError(pub String);

impl FieldError {
    /// A field that is not what it should be.
    pub fn new(field: &str, must_be: impl fmt::Display) -> Self {
        Self(format!("Field '{field}' must be {must_be}"))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::bad_request(error.0)
    }
}

/// A JSON object. Of two fields of one name the last counts.
pub struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The object that a body is.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(body: &'a Bytes) -> Result<Self, FieldError> {
        Self::parse(text_of(body)?).ok_or_else(|| FieldError("The body must be a JSON object".to_owned()))
    }

    /// The elements of the list that a body is, at most `most` of them. An element that is no object is an error in its
    /// place.
    ///
    /// # Errors
    /// When the body is no list, an empty one, or too long a one.
    pub fn list(body: &'a Bytes, most: usize) -> Result<Vec<Result<Self, FieldError>>, ApiError> {
        let not_a_list = || ApiError::bad_request("The body must be a JSON array of objects");
        let items: Vec<&RawValue> = serde_json::from_str(text_of(body)?).map_err(|_| not_a_list())?;
        match items.len() {
            0 => Err(ApiError::bad_request("The list is empty")),
            count if count > most => Err(ApiError::BatchTooLarge { limit: most }),
            _ => Ok(items.into_iter().map(|item| Self::parse(item.get()).ok_or_else(not_an_object)).collect()),
        }
    }

    fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).map(Self).ok()
    }

    /// Takes a field out; `null` counts as absent.
    fn take(&mut self, name: &str) -> Option<&'a str> {
        self.0.remove(name).map(RawValue::get).filter(|json| *json != "null")
    }

    /// Takes a string out.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, FieldError> {
        let read = |json| serde_json::from_str(json).map_err(|_| FieldError::new(name, "a string"));
        self.take(name).map(read).transpose()
    }

    /// Takes a string out that must be there.
    ///
    /// # Errors
    /// When it is absent or of another type.
    pub fn required(&mut self, name: &str) -> Result<String, FieldError> {
        self.text(name)?.ok_or_else(|| FieldError(format!("Field '{name}' is required")))
    }

    /// Takes a list of strings out.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, FieldError> {
        let read = |json| serde_json::from_str(json).map_err(|_| FieldError::new(name, "a list of strings"));
        self.take(name).map(read).transpose()
    }

    /// Takes a time in milliseconds out, a number or its digits.
    ///
    /// # Errors
    /// When it is no integer that a sorted set can hold exactly.
    pub fn time(&mut self, name: &str) -> Result<Option<i64>, FieldError> {
        let read = |json: &str| time(json.trim_matches('"')).ok_or_else(|| FieldError::new(name, "an integer"));
        self.take(name).map(read).transpose()
    }

    /// Takes a truth value out; absent is `false`.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn flag(&mut self, name: &str) -> Result<bool, FieldError> {
        self.flag_or(name, false)
    }

    /// Takes a truth value out that is something else when it is absent.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn flag_or(&mut self, name: &str, absent: bool) -> Result<bool, FieldError> {
        match self.take(name) {
            None => Ok(absent),
            Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(FieldError::new(name, "true or false")),
        }
    }

    /// All fields that are left, as text: numbers digit for digit, `None` for `null`.
    ///
    /// # Errors
    /// When one is a list or an object.
    pub fn rest(self) -> Result<Vec<(String, Option<String>)>, FieldError> {
        let read = |(name, value): (String, &RawValue)| {
            let text = match value.get() {
                "null" => None,
                json if json.starts_with('"') => {
                    Some(serde_json::from_str(json).map_err(|_| FieldError::new(&name, "a string"))?)
                }
                json if json.starts_with(['[', '{']) => {
                    return Err(FieldError::new(&name, "a string, a number, a boolean or null"));
                }
                json => Some(json.to_owned()),
            };
            Ok((name, text))
        };
        self.0.into_iter().map(read).collect()
    }
}

/// The time that digits say, if it is an integer that the score of a sorted set holds exactly.
pub fn time(digits: &str) -> Option<i64> {
    const EXACT: i64 = 1 << 53;
    digits.parse().ok().filter(|time| (-EXACT..=EXACT).contains(time))
}

fn not_an_object() -> FieldError {
    FieldError("An item must be a JSON object".to_owned())
}

fn text_of(body: &Bytes) -> Result<&str, FieldError> {
    std::str::from_utf8(body).map_err(|_| FieldError("The body is not valid UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Bytes {
        Bytes::copy_from_slice(json.as_bytes())
    }

    #[test]
    fn fields_are_taken_by_their_type_and_the_rest_is_text() {
        let json =
            body(r#"{"a":"x\n","b":12345678901234567890.10,"c":true,"d":null,"at":"17","tags":["p","q"],"on":true}"#);
        let mut fields = Fields::of(&json).unwrap();
        assert_eq!(fields.time("at"), Ok(Some(17)));
        assert_eq!(fields.texts("tags").unwrap().unwrap(), ["p", "q"]);
        assert_eq!(
            (fields.flag("on"), fields.flag("off"), fields.flag_or("off", true)),
            (Ok(true), Ok(false), Ok(true))
        );
        let text = |value: &str| Some(value.to_owned());
        let rest = [("a", text("x\n")), ("b", text("12345678901234567890.10")), ("c", text("true")), ("d", None)];
        assert_eq!(fields.rest().unwrap(), rest.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn an_error_names_the_field() {
        let json = body(r#"{"content":5,"tags":[1],"at":1.5,"big":9007199254740993,"on":1,"o":{}}"#);
        let mut fields = Fields::of(&json).unwrap();
        assert_eq!(fields.required("content").unwrap_err().0, "Field 'content' must be a string");
        assert_eq!(fields.required("content").unwrap_err().0, "Field 'content' is required");
        assert_eq!(fields.texts("tags").unwrap_err().0, "Field 'tags' must be a list of strings");
        assert_eq!(fields.time("at").unwrap_err().0, "Field 'at' must be an integer");
        assert_eq!(fields.time("big").unwrap_err().0, "Field 'big' must be an integer");
        assert_eq!(fields.flag("on").unwrap_err().0, "Field 'on' must be true or false");
        assert_eq!(fields.rest().unwrap_err().0, "Field 'o' must be a string, a number, a boolean or null");
    }

    #[test]
    fn a_list_keeps_its_broken_items_in_place() {
        let json = body(r#"[{"a":1}, 5, []]"#);
        let list = Fields::list(&json, 3).unwrap();
        assert_eq!(list.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false]);
        assert!(Fields::list(&json, 2).is_err() && Fields::list(&body("[]"), 2).is_err());
        assert!(Fields::list(&body("{}"), 2).is_err() && Fields::of(&body("[]")).is_err());
    }
}
