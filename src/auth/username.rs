//! The names and roles that callers and profiles have. Both can only be built valid, so no unchecked text becomes
//! part of a Redis key.

use std::{fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

/// The user as whom API keys act.
pub const SYNC_USER: &str = "xano_sync";

/// 1–64 characters of `A–Z a–z 0–9 _ . -`, and none of `me`, `AUTH`, `.`, `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Username(String);

/// The text is no username.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a username has 1 to 64 characters of A-Z a-z 0-9 _ . - and is not 'me', 'AUTH', '.' or '..'")]
pub struct InvalidUsername;

impl Username {
    /// The user as whom API keys act.
    pub fn sync_user() -> Self {
        Self(SYNC_USER.to_owned())
    }

    /// Whether this is [`SYNC_USER`], which no token and no header may claim.
    pub fn is_reserved(&self) -> bool {
        self.0 == SYNC_USER
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` would make a username.
    pub fn is_valid(text: &str) -> bool {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
            && !matches!(text, "me" | "AUTH" | "." | "..")
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;
    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        if Self::is_valid(text) { Ok(Self(text.to_owned())) } else { Err(InvalidUsername) }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a user is, as its profile and its tokens say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May act on everyone's behalf; stands in no registry.
    Admin,
    /// Stands in `users:regular`.
    User,
    /// Stands in `users:models`.
    Model,
}

impl Role {
    /// The role's name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Model => "model",
        }
    }
}

/// The text is no role.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a role is one of admin, user, model")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;
    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        match text {
            "admin" => Ok(Self::Admin),
            "user" => Ok(Self::User),
            "model" => Ok(Self::Model),
            _ => Err(InvalidRole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_else_are_refused() {
        for text in ["", "me", "AUTH", ".", "..", "a b", "a:b", "a/b", "älice", "a\n", "a*", &"x".repeat(65)] {
            assert!(text.parse::<Username>().is_err(), "{text:?}");
        }
        for text in ["a", "Me", "auth", "...", "a.b-c_d", "0", &"x".repeat(64)] {
            assert!(text.parse::<Username>().is_ok(), "{text:?}");
        }
    }
}
