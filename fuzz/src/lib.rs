//! What must hold of Ridge's parsers, whatever they are given.
//!
//! Each module checks one of them, against another reader of the same or against a law that it must keep, and panics if it does
//! not hold. `fuzz/targets/` calls them with what libFuzzer thinks up, `tests/fuzzed.rs` with the seeds: what once was found is
//! a seed and so a test.

pub mod acl;
pub mod body;
pub mod commands;
pub mod path_form;
pub mod resp;

/// The first line of an input without its end, and all that follows.
fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// A word a line. `\n` stands for a line feed in a word, `\0` for a NUL.
fn words(lines: &[u8]) -> Vec<Vec<u8>> {
    lines.split(|byte| *byte == b'\n').map(unescaped).collect()
}

fn unescaped(line: &[u8]) -> Vec<u8> {
    let mut word = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [byte, after @ ..] = rest {
        let (byte, after) = match rest {
            [b'\\', b'n', after @ ..] => (b'\n', after),
            [b'\\', b'0', after @ ..] => (0, after),
            _ => (*byte, after),
        };
        word.push(byte);
        rest = after;
    }
    word
}
