//! The keys of the data, built from types that can only be valid.

use crate::auth::Username;

/// `user:<u>`: the profile.
pub fn user(username: &Username) -> String {
    format!("user:{username}")
}

/// `user:<u>:following`: the set of those whom the user follows.
pub fn following(username: &Username) -> String {
    format!("user:{username}:following")
}
