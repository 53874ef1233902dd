//! JSON as far as commands and their answers go: lists of strings, numbers and names, read in one pass, and strings, written.
//!
//! `serde_json` reads all other JSON. It looks twice at a string that is wanted as it is written, and three times at one with
//! escapes, which was a fifth of what a pipeline of 1,000 commands cost. Tests hold the two against each other.

mod reader;
mod strings;

pub use reader::{NotJson, Reader, Value};
pub use strings::{put_string, unescaped};
