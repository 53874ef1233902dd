//! The way through all keys, slice by slice: each is one script and one round trip.

use crate::{
    error::ApiError,
    redis::{Elements, Failure, Reply},
};

/// How many slices one request looks at.
const SLICES: usize = 10;

/// Where a request is on its way.
pub struct Walk {
    /// Where to go on; `None` at the end.
    cursor: Option<String>,
    left: usize,
}

impl Walk {
    /// From a cursor that an earlier answer gave, or from the beginning. `place` is what the cursor came in, for the error.
    ///
    /// # Errors
    /// 400 for what is no cursor.
    pub fn from(cursor: Option<&str>, place: &str) -> Result<Self, ApiError> {
        let cursor = cursor.unwrap_or("0");
        if !is_cursor(cursor) {
            return Err(Self::wrong_cursor(place));
        }
        Ok(Self { cursor: Some(cursor.to_owned()), left: SLICES })
    }

    /// What is said of a cursor that is none.
    pub fn wrong_cursor(place: &str) -> ApiError {
        ApiError::bad_request(format!("{place} 'cursor' is none that this route gave"))
    }

    /// The cursor of the next slice, unless there is none or the request has looked at enough of them.
    pub fn next(&mut self) -> Option<String> {
        self.left = self.left.checked_sub(1)?;
        self.cursor.clone()
    }

    /// Takes the new cursor from the head of a slice's reply; what follows is the slice's own.
    pub fn arrive(&mut self, reply: Reply) -> Result<Elements, Failure> {
        let mut reply = Elements::of(reply)?;
        self.cursor = match reply.text()?.as_str() {
            "0" => None,
            cursor if is_cursor(cursor) => Some(cursor.to_owned()),
            _ => return Err(Failure::Nonsense("expected a cursor")),
        };
        Ok(reply)
    }

    /// Where the next request goes on; `None` if there is nothing left.
    pub fn cursor(self) -> Option<String> {
        self.cursor
    }
}

/// The cursors of `SCAN` are unsigned numbers of 64 bits. As text they come through JavaScript unharmed.
fn is_cursor(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok()
}
