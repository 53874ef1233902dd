//! The fields of a profile that Ridge looks after, and what may be put into them.

use crate::auth::{Role, Username};

/// The fields that a sync may set for a new user only.
pub const PROTECTED: &[&str] =
    &["username", "display_name", "avatar", "role", "postCount", "followerCount", "followingCount"];

/// The protected fields that count something.
pub const COUNTERS: &[&str] = &["postCount", "followerCount", "followingCount"];

/// When a user came, in milliseconds; the score in the registries.
pub const CREATED_AT: &str = "created_at";

/// The name of a protected field, if `field` is one.
pub fn protected(field: &[u8]) -> Option<&'static str> {
    PROTECTED.iter().copied().find(|name| name.as_bytes() == field)
}

/// What is wrong with a value that a first sync wants to store, whatever is stored already.
pub fn fault_of_new(username: &str, field: &[u8], value: &[u8]) -> Option<String> {
    match std::str::from_utf8(field).ok()? {
        "username" => {
            let right = value == username.as_bytes() && Username::is_valid(username);
            (!right).then(|| format!("ERR field 'username' must be '{username}'"))
        }
        "role" => {
            let role = std::str::from_utf8(value).ok().and_then(|text| text.parse::<Role>().ok());
            role.is_none().then(|| "ERR field 'role' must be one of admin, user, model".to_owned())
        }
        field if COUNTERS.contains(&field) || field == CREATED_AT => {
            (!is_integer(value)).then(|| format!("ERR field '{field}' must be an integer"))
        }
        _ => None,
    }
}

/// Whether Redis takes the text for a 64-bit integer: digits, perhaps a minus, no leading zero.
pub fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = text == b"0" || digits.first().is_some_and(|first| (b'1'..=b'9').contains(first));
    plain && std::str::from_utf8(text).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// What stands in the place of a command that would change protected fields of a user who exists.
pub fn cannot_be_modified(fields: &[&str]) -> String {
    let quoted: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
    let noun = if fields.len() == 1 { "field" } else { "fields" };
    format!("ERR {noun} {} cannot be modified directly, use PATCH /users/:id", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_what_redis_takes_for_one() {
        for text in ["0", "1", "-1", "9223372036854775807", "-9223372036854775808"] {
            assert!(is_integer(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "-0", "01", "+1", " 1", "1 ", "1.0", "1e3", "9223372036854775808", "１"] {
            assert!(!is_integer(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_script_protects_the_same_fields() {
        let script = include_str!("../proxy/write.lua");
        let table = script.split("local PROTECTED = {").nth(1).unwrap().split('}').next().unwrap();
        let names: Vec<&str> =
            table.split(',').filter_map(|pair| pair.split(" = true").next()).map(str::trim).collect();
        assert_eq!(names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), PROTECTED);
    }

    #[test]
    fn one_field_or_several() {
        assert_eq!(
            cannot_be_modified(&["username"]),
            "ERR field 'username' cannot be modified directly, use PATCH /users/:id"
        );
        assert_eq!(
            cannot_be_modified(&["a", "b"]),
            "ERR fields 'a', 'b' cannot be modified directly, use PATCH /users/:id"
        );
    }
}
