//! What stands in a list, one after the other. Numbers stay as they are written: no float ever touches them.

use super::strings;

/// The text is no JSON.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not valid JSON")]
pub struct NotJson;

/// What stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string that stands for itself.
    Plain(&'a [u8]),
    /// The inside of a string with escapes, which [`unescaped`](super::unescaped) reads.
    Escaped(&'a [u8]),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// `true` or `false`.
    Boolean(&'a [u8]),
    /// `null`.
    Null,
    /// A list begins here, which has not been read.
    List,
    /// An object begins here, which has not been read.
    Object,
}

impl Value<'_> {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Plain(_) | Self::Escaped(_) => "a string",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Null => "null",
            Self::List => "an array",
            Self::Object => "an object",
        }
    }
}

/// Where in a text one has come.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader that stands at the beginning.
    pub fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    /// The next character that is no blank. It is not passed over.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Goes into the list that begins here.
    pub fn enter(&mut self) {
        self.at += 1;
    }

    /// Whether the list has one element more, which begins here then; else the list is passed over.
    ///
    /// # Errors
    /// When something else stands between two elements than a comma, or the text ends.
    pub fn has_next(&mut self, is_first: bool) -> Result<bool, NotJson> {
        match self.peek().ok_or(NotJson)? {
            b']' => {
                self.at += 1;
                Ok(false)
            }
            _ if is_first => Ok(true),
            b',' => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(NotJson),
        }
    }

    /// The value that begins here. It is passed over, but for lists and objects.
    ///
    /// # Errors
    /// When there is none.
    pub fn value(&mut self) -> Result<Value<'a>, NotJson> {
        match self.peek().ok_or(NotJson)? {
            b'"' => self.string(),
            b'[' => Ok(Value::List),
            b'{' => Ok(Value::Object),
            b't' => self.name("true").map(Value::Boolean),
            b'f' => self.name("false").map(Value::Boolean),
            b'n' => self.name("null").map(|_| Value::Null),
            _ => self.number_end().and_then(|end| self.take(end)).map(Value::Number),
        }
    }

    fn string(&mut self) -> Result<Value<'a>, NotJson> {
        let start = self.at + 1;
        let span = strings::span(self.text, start).ok_or(NotJson)?;
        let inside = self.text.get(start..span.end).ok_or(NotJson)?;
        self.at = span.end + 1;
        Ok(if span.is_escaped { Value::Escaped(inside) } else { Value::Plain(inside) })
    }

    fn name(&mut self, name: &str) -> Result<&'a [u8], NotJson> {
        let found = self.take(self.at + name.len())?;
        if found == name.as_bytes() { Ok(found) } else { Err(NotJson) }
    }

    /// What stands here, up to `end`.
    fn take(&mut self, end: usize) -> Result<&'a [u8], NotJson> {
        let taken = self.text.get(self.at..end).ok_or(NotJson)?;
        self.at = end;
        Ok(taken)
    }

    /// Where the number ends that begins here.
    fn number_end(&self) -> Result<usize, NotJson> {
        let byte = |at: usize| self.text.get(at).copied();
        let digits = |from: usize| {
            let rest = self.text.get(from..).unwrap_or_default();
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count > 0 { Ok(from + count) } else { Err(NotJson) }
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
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The elements of a list that is the whole text, up to the first that has elements itself.
    fn elements(text: &str) -> Result<Vec<Value<'_>>, NotJson> {
        let mut reader = Reader::new(text);
        let mut values = Vec::new();
        if reader.value()? != Value::List {
            return Err(NotJson);
        }
        reader.enter();
        while reader.has_next(values.is_empty())? {
            values.push(reader.value()?);
            if matches!(values.last(), Some(Value::List | Value::Object)) {
                return Ok(values);
            }
        }
        if reader.peek().is_none() { Ok(values) } else { Err(NotJson) }
    }

    #[test]
    fn each_kind_is_read_as_it_is_written() {
        let text = " [ \"a\" ,\t-1.50e+3, true,false ,null,\r\n\"\\n\",0 ] ";
        let expected = [
            Value::Plain(b"a"),
            Value::Number(b"-1.50e+3"),
            Value::Boolean(b"true"),
            Value::Boolean(b"false"),
            Value::Null,
            Value::Escaped(b"\\n"),
            Value::Number(b"0"),
        ];
        assert_eq!(elements(text).unwrap(), expected);
        assert_eq!(elements("[]").unwrap(), []);
        assert_eq!(elements("[1,[").unwrap(), [Value::Number(b"1"), Value::List]);
        assert_eq!(elements("[{").unwrap(), [Value::Object]);
    }

    proptest! {
        #[test]
        fn what_is_json_is_what_serde_json_takes_for_it(inside in "([0-9.eE+-]{1,5}|true|false|null|nul|\"[a\\\\n]{0,3}\"| |,){0,6}") {
            let text = format!("[{inside}]");
            let expected = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(&text);
            let read = elements(&text);
            prop_assert_eq!(read.as_ref().map(Vec::len).ok(), expected.map(|values| values.len()).ok(), "{}", text);
        }
    }
}
