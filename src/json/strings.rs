//! Strings: where they end, what they stand for, and how they are written. Eight bytes are looked at together, and what needs no
//! escape is copied in one piece.

/// Every byte of a block.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of each byte.
const HIGH: u64 = each(0x80);

/// Marks the bytes of a block that are this one: of each the highest bit is set, and no other.
const fn mark(block: u64, byte: u8) -> u64 {
    let difference = block ^ each(byte);
    // With its highest bit away, no byte carries into the next.
    !(((difference & !HIGH) + !HIGH) | difference) & HIGH
}

/// Marks control characters.
const fn mark_controls(block: u64) -> u64 {
    !(((block & !HIGH) + each(0x80 - b' ')) | block) & HIGH
}

/// Marks the bytes that do not stand for themselves in a string.
const fn special(block: u64) -> u64 {
    mark(block, b'"') | mark(block, b'\\') | mark_controls(block)
}

/// The block that begins at `at`; behind the end it is filled with zeros, which are special.
fn block(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    let whole = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut part = [0; 8];
        part.iter_mut().zip(rest).for_each(|(byte, known)| *byte = *known);
        part
    });
    u64::from_le_bytes(whole)
}

fn place_in_block(found: u64) -> usize {
    (found.trailing_zeros() / 8) as usize
}

/// Appends what stands for itself from `at` on, up to the first byte that is marked or the end: returns where that is.
#[inline(always)]
fn put_plain(out: &mut Vec<u8>, text: &[u8], at: usize, marks: impl Fn(u64) -> u64) -> usize {
    let bytes = block(text, at);
    let found = marks(bytes);
    if found != 0 {
        // Most parts are short: a whole block is copied, which takes no call, and cut.
        let count = place_in_block(found).min(text.len().saturating_sub(at));
        let length = out.len() + count;
        out.extend_from_slice(&bytes.to_le_bytes());
        out.truncate(length);
        return at + count;
    }
    let mut end = at + 8;
    while end < text.len() {
        let found = marks(block(text, end));
        if found != 0 {
            end += place_in_block(found);
            break;
        }
        end += 8;
    }
    let end = end.min(text.len());
    out.extend_from_slice(text.get(at..end).unwrap_or_default());
    end
}

/// A string in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where its closing quote stands.
    pub end: usize,
    /// Whether it has escapes. Else it stands there as it is.
    pub is_escaped: bool,
}

/// Finds the end of the string whose first character, behind the quote, stands at `start`. `None` if it has none, or holds what no
/// string may hold. Whether the text is UTF-8 is not looked at, nor whether surrogates come in pairs.
pub fn span(text: &[u8], start: usize) -> Option<Span> {
    let mut at = start;
    let mut is_escaped = false;
    // The mark of a backslash at the end of a block, as that of the first byte of the next.
    let mut before = 0;
    loop {
        let bytes = block(text, at);
        let backslashes = mark(bytes, b'\\');
        // JSON in JSON: every quote has its backslash, and nothing else has.
        if mark_controls(bytes) == 0 && mark(bytes, b'"') == (backslashes << 8 | before) {
            before = backslashes >> 56;
            is_escaped |= backslashes != 0;
            at += 8;
            continue;
        }
        at -= usize::from(before != 0);
        before = 0;
        let mut found = special(block(text, at));
        let mut next = at + 8;
        while found != 0 {
            let place = at + place_in_block(found);
            found &= found - 1;
            if *text.get(place)? != b'\\' {
                let is_quote = text.get(place) == Some(&b'"');
                return is_quote.then_some(Span { end: place, is_escaped });
            }
            is_escaped = true;
            match text.get(place + 1)? {
                // They are special themselves: not here.
                b'"' | b'\\' if place + 1 < next => found &= found.wrapping_sub(1),
                b'"' | b'\\' => next += 1,
                b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => text.get(place + 2..place + 6).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit)).map(drop)?,
                _ => return None,
            }
        }
        at = next;
    }
}

/// What the inside of a string stands for, whose escapes have been seen to be such. `None` if a surrogate stands alone.
pub fn unescaped(inside: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(inside.len() + 8);
    let mut at = 0;
    loop {
        at = put_plain(&mut out, inside, at, |block| mark(block, b'\\'));
        let Some(escape) = inside.get(at + 1) else { return Some(out) };
        at += 2;
        out.push(match escape {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, length) = code_point(inside, at)?;
                at += length;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            itself => *itself,
        });
    }
}

/// The character whose hexadecimal digits begin at `at`, behind `\u`, and how many bytes that takes: more if it needs a second escape.
fn code_point(inside: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(inside.get(at..at + 4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(at)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 4));
    }
    let second = inside.get(at + 4..at + 6).filter(|escape| *escape == b"\\u").and_then(|_| unit(at + 6))?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 10))
}

/// Appends a string with its quotes.
pub fn put_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 16);
    out.push(b'"');
    let mut at = 0;
    loop {
        at = put_plain(out, bytes, at, special);
        let Some(byte) = bytes.get(at) else { break };
        at += 1;
        let escape = match byte {
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            control @ ..b' ' => {
                let digit = |number: u8| char::from_digit(number.into(), 16).map_or(b'0', |digit| digit as u8);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 15)]);
                continue;
            }
            itself => *itself,
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// What a text is that begins with a string: the string, and how long it is with its quotes.
    fn read(text: &str) -> Option<(Option<Vec<u8>>, usize)> {
        let span = span(text.as_bytes(), 1)?;
        let inside = &text.as_bytes()[1..span.end];
        assert_eq!(span.is_escaped, inside.contains(&b'\\'));
        Some((unescaped(inside), span.end + 1))
    }

    /// The same, read by serde_json.
    fn expected(text: &str) -> Option<(Option<Vec<u8>>, usize)> {
        let raw = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?.get();
        Some((serde_json::from_str(raw).ok().map(String::into_bytes), raw.len()))
    }

    fn agree(inside: &str) {
        for text in [format!("\"{inside}\""), format!("\"{inside}\",\"\\"), format!("\"{inside}")] {
            assert_eq!(read(&text), expected(&text), "{text:?}");
        }
    }

    #[test]
    fn each_byte_is_special_or_not_whatever_stands_beside_it() {
        for byte in 0..=255 {
            let is_special = matches!(byte, b'"' | b'\\' | ..b' ');
            for beside in [0, b' ', b'!', b'"', b'a', b'\\', 0x7f, 0x80, 0xff] {
                for place in 0..8 {
                    let mut bytes = [beside; 8];
                    bytes[place] = byte;
                    let found = special(u64::from_le_bytes(bytes)).to_le_bytes();
                    assert_eq!(found[place], if is_special { 0x80 } else { 0 }, "{bytes:?}");
                    assert!(found.iter().all(|mark| matches!(mark, 0 | 0x80)));
                }
            }
        }
    }

    #[test]
    fn escapes_at_each_place_are_read_as_serde_json_reads_them() {
        let escapes = [
            r#"\""#,
            r"\\",
            r"\\\\",
            r#"\\\""#,
            r"\/",
            r"\b\f\n\r\t",
            r"\u00e9",
            r"\u0000",
            r"\ud83d\ude00",
            r"\uD83D\uDE00",
            r"\ud83d",
            r"\ude00",
            r"\ud83d\n",
            r"\ud83d\u0041",
            r"\ud83d\ud83d\ude00",
            r"\u12",
            r"\u+123",
            r"\x",
            "\\",
            "\n",
            "\0",
            "\u{7f}é",
        ];
        for escape in escapes {
            for before in 0..20 {
                agree(&format!("{}{escape}", "a".repeat(before)));
                agree(&format!("{}{escape}{escape}bcdefghi{escape}", "a".repeat(before)));
            }
        }
    }

    #[test]
    fn what_is_written_is_what_serde_json_writes() {
        let all: String = (0..=0x100).filter_map(char::from_u32).collect();
        for start in 0..9 {
            let text = &all[start..];
            let mut out = Vec::new();
            put_string(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_string_is_read_as_serde_json_reads_it(inside in "([a-z]{0,9}|[\"\\\\/bfnrtu0-9a-fA-F]{0,6}|\\\\u[dD][89a-fA-F][0-9]{2}|\\\\[\"\\\\/bfnrt]|[\u{0}-\u{20}]|é|😀){0,12}") {
            agree(&inside);
        }

        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in any::<String>()) {
            let mut out = Vec::new();
            put_string(&mut out, &text);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
