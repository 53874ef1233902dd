//! Pages: what a list's parameters ask for, and what is said of the page that is answered.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use thiserror::Error;

use super::ids::ItemId;
use crate::{
    edge::Query,
    error::ApiError,
    redis::{Elements, Failure, Invocation, Reply},
};

/// The most items of one page.
const MAX_LIMIT: u64 = 100;
/// The items of a page that does not say how many.
const DEFAULT_LIMIT: u64 = 20;
/// The largest offset; a float holds it exactly, as Lua needs.
const MAX_OFFSET: u64 = 1 << 53;

/// Where a page goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Behind an item of a list that is ordered by time.
    After {
        /// The item's score.
        score: i64,
        /// The item.
        id: ItemId,
    },
    /// At a place of a ranking as it was at a time.
    Place {
        /// The time, in milliseconds.
        at_ms: i64,
        /// The place, from 0.
        place: u64,
    },
}

/// The text is no cursor of ours.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("is none that a page of this list gave")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::After { score, id } => format!("{score},{id}"),
            Self::Place { at_ms, place } => format!("@{at_ms},{place}"),
        };
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| InvalidCursor)?;
        let (first, second) = text.split_once(',').ok_or(InvalidCursor)?;
        Ok(match first.strip_prefix('@') {
            Some(at) => Self::Place {
                at_ms: at.parse().map_err(|_| InvalidCursor)?,
                place: second.parse().ok().filter(|place| *place <= MAX_OFFSET).ok_or(InvalidCursor)?,
            },
            None => Self::After {
                score: first.parse().map_err(|_| InvalidCursor)?,
                id: second.parse().map_err(|_| InvalidCursor)?,
            },
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a list's parameters ask for.
pub struct Page {
    /// How many items are passed over.
    pub offset: u64,
    /// How many items are wanted.
    pub limit: u64,
    /// Where to go on instead.
    pub cursor: Option<Cursor>,
    /// Whether items come with their users.
    pub include_user: bool,
}

impl Page {
    /// Reads `offset`, `limit`, `cursor` and `includeUser`.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn of(query: &Query) -> Result<Self, ApiError> {
        Self::within(query, MAX_OFFSET)
    }

    /// The same for a list whose deep places cost more.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn within(query: &Query, max_offset: u64) -> Result<Self, ApiError> {
        let page = Self {
            offset: query.number("offset", 0..=max_offset, 0)?,
            limit: limit(query)?,
            cursor: query.parse("cursor")?,
            include_user: query.flag("includeUser", true)?,
        };
        if page.cursor.is_some() && page.offset > 0 {
            return Err(ApiError::bad_request("Parameter 'offset' cannot be used together with 'cursor'"));
        }
        Ok(page)
    }

    /// Adds what scripts are told of a page of a list ordered by time: limit, offset, and score and id of the cursor.
    ///
    /// # Errors
    /// 400 for a cursor of another list.
    pub fn tell(&self, call: &mut Invocation) -> Result<(), ApiError> {
        call.arg(self.limit.to_string()).arg(self.offset.to_string());
        match &self.cursor {
            None => call.arg("").arg(""),
            Some(Cursor::After { score, id }) => call.arg(score.to_string()).arg(id.to_string()),
            Some(Cursor::Place { .. }) => return Err(wrong_cursor()),
        };
        Ok(())
    }

    /// Where a ranking's page begins, and as of when.
    ///
    /// # Errors
    /// 400 for a cursor of another list.
    pub fn place(&self, now_ms: i64) -> Result<(u64, i64), ApiError> {
        match self.cursor {
            None => Ok((self.offset, now_ms)),
            Some(Cursor::Place { at_ms, place }) => Ok((place, at_ms)),
            Some(Cursor::After { .. }) => Err(wrong_cursor()),
        }
    }

    /// What is said of the page, as a script tells it: total, whether there are more, score and id that it ends with.
    ///
    /// # Errors
    /// When the reply is none of a script of ours.
    pub fn pagination(&self, reply: &mut Elements) -> Result<Pagination, Failure> {
        let total = u64::try_from(reply.integer()?).ok();
        let has_more = reply.flag()?;
        let (score, id) = (reply.reply()?, reply.reply()?);
        let next = has_more.then(|| after(&score, &id).ok_or(Failure::Nonsense("expected a place in a list")));
        Ok(self.said(total, next.transpose()?))
    }

    /// What is said of the page. Its count is that of the items, which the caller knows.
    pub fn said(&self, total_count: Option<u64>, next_cursor: Option<Cursor>) -> Pagination {
        Pagination {
            offset: self.offset,
            limit: self.limit,
            count: 0,
            total_count,
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// Reads `limit` alone.
///
/// # Errors
/// 400 that names the parameter.
pub fn limit(query: &Query) -> Result<u64, ApiError> {
    query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)
}

fn after(score: &Reply, id: &Reply) -> Option<Cursor> {
    Some(Cursor::After { score: score.as_integer()?, id: id.as_str()?.parse().ok()? })
}

fn wrong_cursor() -> ApiError {
    ApiError::bad_request(format!("Parameter 'cursor': {InvalidCursor}"))
}

/// What is said of a page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    offset: u64,
    limit: u64,
    /// How many items the page has.
    pub count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<u64>,
    has_more: bool,
    next_cursor: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        let id: ItemId = "a.b-c_D".parse().unwrap();
        for cursor in [Cursor::After { score: -5, id }, Cursor::Place { at_ms: 1_800_000_000_000, place: 40 }] {
            let text = cursor.to_string();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{text}");
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn what_no_page_gave_is_no_cursor() {
        for text in ["", "x", "1,2", "ä", "MSwy/", "QDEsMg=="] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
        for text in ["1", ",", "x,a", "1,", "1,a b", "@1,", "@,1", "@1,-1", "@x,1", "1.5,a"] {
            assert!(URL_SAFE_NO_PAD.encode(text).parse::<Cursor>().is_err(), "{text}");
        }
    }
}
