//! ACLs: what they deny stays denied, what they say of many keys holds of each, and no error tells a password.
//!
//! An input's first line is an ACL, the next lines are the words of a command.

use ridge::policy::{
    acl::{Acl, Denied, Passed},
    command_table::{Entry, NO_AUTH, lookup},
};

/// A refusal is not longer than this.
const LONGEST_REFUSAL: usize = 600;

/// So many words are taken for keys.
const MOST_KEYS: usize = 3;

/// Checks one ACL and one command.
pub fn check(input: &[u8]) {
    let (rules, lines) = super::first_line(input);
    let Ok(rules) = std::str::from_utf8(rules) else { return };
    let words = super::words(lines);
    no_error_tells_a_password(rules);
    match Acl::parse(rules) {
        Ok(acl) => verdicts_hold_together(&acl, rules, &words),
        Err(error) => {
            let word = rules.split_ascii_whitespace().nth(error.number - 1).expect("the number of a rule");
            if let Some(told) = error.rule {
                assert!(word.starts_with(&told) && told.starts_with(['+', '-', '~', '%', '&']), "{told}");
            }
        }
    }
}

/// Wherever it stands, and whatever stands before it.
fn no_error_tells_a_password(rules: &str) {
    const PASSWORD: &str = "correct-horse-battery";
    if rules.contains(PASSWORD) {
        return;
    }
    for begin in [">", "#", "", "(<", "(", "\">"] {
        let error = Acl::parse(&format!("{rules} {begin}{PASSWORD} on")).expect_err("nobody logs in");
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }
}

fn verdicts_hold_together(acl: &Acl, rules: &str, words: &[Vec<u8>]) {
    let verdict = acl.check(words);
    if let Err(denied) = &verdict {
        assert!(denied.to_string().len() <= LONGEST_REFUSAL, "{denied}");
    }
    let entry = lookup(words);
    let mut names = vec!["@all".to_owned()];
    names.extend(entry.map(|entry| entry.full_name()));
    names.extend(entry.iter().flat_map(|entry| entry.categories().take(2).map(|name| format!("@{name}"))));
    let with = |rule: &str| Acl::parse(&format!("{rules} {rule}")).expect("a rule that fits behind any other");

    let less = ["resetkeys", "resetchannels", "nocommands", "clearselectors"].map(str::to_owned);
    for rule in names.iter().map(|name| format!("-{name}")).chain(less) {
        let narrower = with(&rule);
        allows_no_more(&narrower, acl, words, &rule);
        if rule.starts_with('-') && !rules.contains('(') && !entry.is_some_and(|entry| entry.is(NO_AUTH)) {
            let is_denied = matches!(narrower.check(words), Err(Denied::Command(_) | Denied::Arity(_)));
            assert!(is_denied, "{rule}");
        }
    }
    let more = ["allkeys", "allchannels", "(+@all ~*)"].map(str::to_owned);
    for rule in names.iter().map(|name| format!("+{name}")).chain(more) {
        allows_no_more(acl, &with(&rule), words, &rule);
    }
    for place in entry.iter().flat_map(|entry| values_of(entry, words.len())) {
        let mut unread = words.to_vec();
        unread[place].clear();
        assert_eq!(acl.check(&unread), verdict, "{place}");
    }
    for key in words.iter().skip(1).take(MOST_KEYS) {
        what_holds_of_many_keys_holds_of_each(acl, key);
    }
}

/// The places of the words that are only stored. One that nobody has read is judged as an empty one.
fn values_of(entry: &Entry, words: usize) -> impl Iterator<Item = usize> {
    let values = (1..words).filter(move |place| entry.takes_as_value(*place, words));
    values.filter(move |_| entry.takes(words)).take(MOST_KEYS)
}

/// Whatever the one allows, the other does, too.
fn allows_no_more(one: &Acl, other: &Acl, words: &[Vec<u8>], rule: &str) {
    let rank = |verdict: &Result<Passed, Denied>| match verdict {
        Err(_) => 0,
        Ok(Passed::Filtered) => 1,
        Ok(Passed::Whole) => 2,
    };
    let (narrow, wide) = (one.check(words), other.check(words));
    assert!(rank(&narrow) <= rank(&wide), "{rule}: {narrow:?}, {wide:?}");
    for key in words.iter().skip(1).take(MOST_KEYS) {
        assert!(one.may_list_key(key) <= other.may_list_key(key), "{rule}");
        assert!(one.may_list_some(key) <= other.may_list_some(key), "{rule}");
        assert!(one.may_list_all(key) <= other.may_list_all(key), "{rule}");
        assert!(one.passes_with_all(&["UNLINK"], key) <= other.passes_with_all(&["UNLINK"], key), "{rule}");
        for command in [b"SUBSCRIBE".as_slice(), b"PSUBSCRIBE", b"GET", b"DEL"] {
            let may = |acl: &Acl| acl.check(&[command, key]).is_ok();
            assert!(may(one) <= may(other), "{rule}");
        }
    }
}

fn what_holds_of_many_keys_holds_of_each(acl: &Acl, key: &[u8]) {
    let passes = |words: &[&[u8]]| acl.check(words).is_ok();
    assert!(passes(&[b"SCAN", b"0"]) || !acl.may_list_key(key));
    if key.is_empty() {
        return;
    }
    for prefix in [&key[..0], &key[..key.len() / 2], &key[..key.len() - 1], key] {
        assert!(acl.may_list_all(prefix) <= acl.may_list_key(key));
        assert!(acl.may_list_key(key) <= acl.may_list_some(prefix));
        for command in ["UNLINK", "TTL", "GET"] {
            assert!(acl.passes_with_all(&[command], prefix) <= passes(&[command.as_bytes(), key]), "{command}");
        }
        assert!(acl.passes_with_all(&["MEMORY", "USAGE"], prefix) <= passes(&[b"MEMORY", b"USAGE", key]));
    }
}
