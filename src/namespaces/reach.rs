//! What the ACL of an API key lets it do in namespaces.

use crate::{
    auth::Caller,
    error::ApiError,
    policy::acl::{Acl, Denied},
};

use super::key::Key;

/// What a caller may do. A key without an ACL may do everything.
#[derive(Clone, Copy)]
pub struct Reach<'a>(Option<&'a Acl>);

impl<'a> Reach<'a> {
    /// What a caller may do who wants to go through the keys.
    ///
    /// # Errors
    /// 403 if the ACL does not allow `SCAN`.
    pub fn of(caller: &'a Caller) -> Result<Self, ApiError> {
        let acl = caller.acl();
        match acl.map(|acl| acl.check(&["SCAN", "0"])) {
            Some(Err(denied)) => Err(forbidden(&denied)),
            Some(Ok(_)) | None => Ok(Self(acl)),
        }
    }

    /// Whether there may be keys with a prefix that the caller may know of.
    pub fn lists_some(self, prefix: &str) -> bool {
        self.0.is_none_or(|acl| acl.may_list_some(prefix.as_bytes()))
    }

    /// Whether the caller may know of every key with a prefix.
    pub fn lists_all(self, prefix: &str) -> bool {
        self.0.is_none_or(|acl| acl.may_list_all(prefix.as_bytes()))
    }

    /// Whether the caller may know of a key.
    pub fn lists(self, key: &Key) -> bool {
        self.0.is_none_or(|acl| acl.may_list_key(&key.0))
    }

    /// Whether a command of one key passes with every key that has a prefix.
    pub fn passes_with_all(self, command: &[&str], prefix: &str) -> bool {
        self.0.is_none_or(|acl| acl.passes_with_all(command, prefix.as_bytes()))
    }

    /// Whether a command passes.
    pub fn passes(self, words: &[&[u8]]) -> bool {
        self.0.is_none_or(|acl| acl.check(words).is_ok())
    }

    /// Keeps callers out of namespaces of which they may know no key.
    ///
    /// # Errors
    /// 403.
    pub fn must_list_some(self, prefix: &str) -> Result<(), ApiError> {
        if self.lists_some(prefix) { Ok(()) } else { Err(forbidden(&Denied::Key)) }
    }
}

fn forbidden(denied: &Denied) -> ApiError {
    ApiError::Forbidden(denied.to_string().into())
}
