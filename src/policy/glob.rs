//! Patterns as Redis matches them: `*`, `?`, classes and escapes, byte by byte.
//!
//! Redis has ways of its own: an unclosed class ends with the pattern, `[^]` is any byte, ranges go by signed bytes, and
//! only an empty pattern matches an empty text, not even `*` does. They are kept, since the same rule must mean the same
//! in both. What a pattern is for is not known here.

/// How many bytes are compared before a text counts as no match. Without a `*` in the middle of the pattern each byte is
/// compared once, so only a key of many thousand bytes comes near.
const MOST_STEPS: u32 = 1 << 20;

/// Whether the whole text matches.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    find(pattern, text, true)
}

/// Whether every text matches that begins with `prefix`. Errs towards no: only a pattern that ends with a `*` says so.
pub fn matches_whatever_follows(pattern: &[u8], prefix: &[u8]) -> bool {
    find(pattern, prefix, false)
}

/// Whether the text matches, and may end where the pattern does, or only where a last `*` has begun.
fn find(pattern: &[u8], text: &[u8], may_end: bool) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // After the last `*`, and the text from where its rest was tried last.
    let mut retry: Option<(&[u8], &[u8])> = None;
    for _ in 0..MOST_STEPS {
        match (pattern, text) {
            ([b'*', rest @ ..], _) => {
                if rest.iter().all(|byte| *byte == b'*') {
                    return true;
                }
                pattern = rest;
                retry = Some((rest, text));
                continue;
            }
            ([], []) => return may_end,
            (_, []) => return false,
            ([], _) => {}
            (_, [byte, after @ ..]) => {
                let (hit, rest) = element(pattern, *byte);
                if hit {
                    (pattern, text) = (rest, after);
                    continue;
                }
            }
        }
        // One byte more for the last `*`. What an earlier one takes makes no difference.
        let Some((after_star, [_, shorter @ ..])) = retry else { return false };
        (pattern, text) = (after_star, shorter);
        retry = Some((after_star, shorter));
    }
    false
}

/// Whether some text that begins with `prefix` may match. Errs towards yes: any class counts as a match.
pub fn may_match_beginning(pattern: &[u8], prefix: &[u8]) -> bool {
    let mut pattern = pattern;
    for byte in prefix {
        let (hit, rest) = match pattern.first() {
            None => return false,
            Some(b'*') => return true,
            Some(b'[') => (true, element(pattern, *byte).1),
            Some(_) => element(pattern, *byte),
        };
        if !hit {
            return false;
        }
        pattern = rest;
    }
    true
}

/// The pattern that a text alone matches.
pub fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Whether a byte matches the first element of a pattern that is no `*`, and the pattern after it.
fn element(pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    match pattern {
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', rest @ ..] => {
            let (hit, rest) = class(rest, byte);
            (!hit, rest)
        }
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte, rest),
        [] => (false, pattern),
    }
}

/// Whether a byte is in the class whose members begin here, and what comes after the class.
fn class(members: &[u8], byte: u8) -> (bool, &[u8]) {
    let (mut hit, mut rest) = (false, members);
    loop {
        let (member, after) = match rest {
            [b'\\', literal, after @ ..] => (*literal == byte, after),
            [b']', after @ ..] => return (hit, after),
            [] => return (hit, rest),
            [from, b'-', to, after @ ..] => (is_between(*from, *to, byte), after),
            [literal, after @ ..] => (*literal == byte, after),
        };
        hit |= member;
        rest = after;
    }
}

/// Whether a byte is in a range that may be written in either direction.
fn is_between(from: u8, to: u8, byte: u8) -> bool {
    let (from, to) = (from.cast_signed(), to.cast_signed());
    (from.min(to)..=from.max(to)).contains(&byte.cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes())
    }

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text) in [
            ("", ""),
            ("*", "a"),
            ("a*", "a"),
            ("a**", "a"),
            ("app:*", "app:1"),
            ("*:x:*", "a:x:b"),
            ("*a*b", "aabab"),
            ("a?c", "abc"),
            ("[ab]c", "bc"),
            ("[a-c]", "b"),
            ("[c-a]", "b"),
            ("[^a-c]", "d"),
            ("[^]", "x"),
            ("[^", "x"),
            ("[ab", "b"),
            ("[\\]]", "]"),
            ("[a\\-c]", "-"),
            ("\\*", "*"),
            ("\\", "\\"),
            ("a\\", "a\\"),
        ] {
            assert!(is(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*", ""),
            ("a", ""),
            ("", "a"),
            ("app:*", "app"),
            ("app:*", "xapp:1"),
            ("A", "a"),
            ("a?", "a"),
            ("[]", "x"),
            ("[", "["),
            ("[^a]", "a"),
            ("\\*", "a"),
            ("*a", "b"),
        ] {
            assert!(!is(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let text = "a".repeat(1_000_000);
        assert!(!is(&"*a".repeat(10_000), &"a".repeat(9_999)));
        assert!(is(&format!("{}*", "*a".repeat(1_000)), &text));
        // Given up, and so refused.
        assert!(!is(&format!("*{}b", "a".repeat(500)), &text));
    }

    #[test]
    fn the_beginning_of_what_a_pattern_may_match() {
        for pattern in ["*", "_*", "__key*", "??key*", "[_]_k*", "[a-\u{ff}]_k*", "\\__k*", "__k", "__kx"] {
            assert!(may_match_beginning(pattern.as_bytes(), b"__k"), "{pattern}");
        }
        for pattern in ["", "_", "__", "a*", "__x*", "[", "[_", "\\k*"] {
            assert!(!may_match_beginning(pattern.as_bytes(), b"__k"), "{pattern}");
        }
    }

    #[test]
    fn what_matches_whatever_follows() {
        for pattern in ["*", "a*", "app:*", "app:**", "a?p[:;]*", "*:*", "\\app:*"] {
            assert!(matches_whatever_follows(pattern.as_bytes(), b"app:"), "{pattern}");
        }
        for pattern in ["", "app:", "app:\\*", "app:*1", "app:?*", "app:1*", "[a*", "b*", "*:*x"] {
            assert!(!matches_whatever_follows(pattern.as_bytes(), b"app:"), "{pattern}");
        }
        assert!(matches_whatever_follows(b"*", b"") && !matches_whatever_follows(b"", b""));
    }

    proptest! {
        #[test]
        fn escaped_text_matches_itself_alone(text in "[a*?\\[\\]^\\\\-]{1,8}", other in "[a*?\\[\\]^\\\\-]{1,8}") {
            let escaped = escape(&text);
            prop_assert!(is(&escaped, &text));
            prop_assert_eq!(is(&escaped, &other), text == other);
        }

        #[test]
        fn stars_take_anything(parts in proptest::collection::vec("[ab]{1,3}", 1..5), between in "[ab]{0,5}") {
            prop_assert!(is(&parts.join("*"), &parts.join(&between)));
        }

        #[test]
        fn what_matches_may_match_its_own_beginning(
            pattern in "[a-c*?\\[\\]^\\\\-]{0,8}",
            text in "[a-c\\[\\]^\\\\-]{1,6}",
            at in 0usize..6,
        ) {
            if is(&pattern, &text) {
                prop_assert!(may_match_beginning(pattern.as_bytes(), &text.as_bytes()[..at.min(text.len())]));
            }
        }

        #[test]
        fn what_matches_whatever_follows_matches_with_anything_behind(
            pattern in "[ab*?\\[\\]^\\\\-]{0,6}\\*?",
            prefix in "[ab\\[\\]^\\\\-]{1,4}",
            rest in "[ab*\\]]{0,4}",
        ) {
            if matches_whatever_follows(pattern.as_bytes(), prefix.as_bytes()) {
                prop_assert!(is(&pattern, &(prefix + &rest)));
            }
        }

        #[test]
        fn nothing_panics(pattern in any::<Vec<u8>>(), text in any::<Vec<u8>>()) {
            matches(&pattern, &text);
            matches_whatever_follows(&pattern, &text);
            may_match_beginning(&pattern, &text);
        }
    }
}
