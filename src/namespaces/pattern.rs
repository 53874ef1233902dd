//! What `match` asks for: a pattern of whole keys, as Redis matches them.

use crate::{
    error::ApiError,
    policy::{glob, namespaces::Namespace},
};

/// The longest pattern, in bytes. Redis compares it with every key.
const LONGEST: usize = 1024;

/// The pattern of a parameter, within a namespace. `*` is all of the namespace.
///
/// # Errors
/// 400 for one that no key of the namespace can match: it was meant for something else.
pub fn within(namespace: &Namespace, pattern: &str) -> Result<String, ApiError> {
    is_short(pattern).map_err(|problem| ApiError::bad_request(format!("Parameter 'match' {problem}")))?;
    if !glob::may_match_beginning(pattern.as_bytes(), namespace.prefix.as_bytes()) {
        let problem =
            format!("Parameter 'match' matches no key of this namespace, they begin with '{}'", namespace.prefix);
        return Err(ApiError::bad_request(problem));
    }
    Ok(if pattern == "*" { namespace.pattern() } else { pattern.to_owned() })
}

/// The pattern of a field, for keys that are of no namespace.
///
/// # Errors
/// 400 for one that is empty or too long.
pub fn of_strays(pattern: String) -> Result<String, ApiError> {
    if pattern.is_empty() {
        return Err(ApiError::bad_request("Field 'match' is empty"));
    }
    is_short(&pattern).map_err(|problem| ApiError::bad_request(format!("Field 'match' {problem}")))?;
    Ok(pattern)
}

fn is_short(pattern: &str) -> Result<(), String> {
    if pattern.len() <= LONGEST { Ok(()) } else { Err(format!("must be at most {LONGEST} bytes")) }
}
