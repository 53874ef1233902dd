//! Which keys the proxies reach, and which Ridge's own routes keep.

use bytes::Bytes;

use crate::auth::Username;

/// Whether a key is nobody's business but its owner's: `otp:*` and `session*`.
pub fn is_private(key: &[u8]) -> bool {
    key.starts_with(b"otp:") || key.starts_with(b"session")
}

/// `user:me` and `user:AUTH`, bare or before a `:`, stand for the caller.
pub fn resolve_placeholder(key: &Bytes, caller: &Username) -> Bytes {
    for placeholder in [&b"user:me"[..], b"user:AUTH"] {
        match key.strip_prefix(placeholder) {
            Some([]) => return format!("user:{caller}").into(),
            Some(rest @ [b':', ..]) => return [b"user:", caller.as_str().as_bytes(), rest].concat().into(),
            _ => {}
        }
    }
    key.clone()
}

/// The endings of the keys that hold relations. Ridge's own routes keep them; docs/REDIS_KEYS.md says what each is.
const MANAGED: &[&str] = &[
    "posts",
    "bookmarked",
    "bookmarked:banned",
    "liked",
    "liked:banned",
    "comments",
    "banned",
    "followers",
    "following",
    "followers:since",
    "following:since",
    "deleting",
];

/// A key that the write proxy may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey<'a> {
    /// `user:<username>`: the profile.
    Profile(&'a str),
    /// `user:<username>:<anything>`, and the relations of the user are not meant.
    Other,
}

/// Why the write proxy does not see a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// Not `user:<username>` and not below it.
    Format,
    /// A relation.
    Managed,
}

impl<'a> UserKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyFault`] says why the key is none of the proxy's.
    pub fn parse(key: &'a [u8]) -> Result<Self, KeyFault> {
        let key = std::str::from_utf8(key).map_err(|_| KeyFault::Format)?;
        let rest = key.strip_prefix("user:").ok_or(KeyFault::Format)?;
        let (username, below) = match rest.split_once(':') {
            Some((username, below)) => (username, Some(below)),
            None => (rest, None),
        };
        if !Username::is_valid(username) {
            return Err(KeyFault::Format);
        }
        match below {
            None => Ok(Self::Profile(username)),
            Some("") => Err(KeyFault::Format),
            Some(below) if MANAGED.contains(&below) => Err(KeyFault::Managed),
            Some(_) => Ok(Self::Other),
        }
    }
}

/// Keys that are there once.
const SINGLE: &[&str] = &[
    "authors:engagement",
    "explore:feed",
    "jobs:pending",
    "models:top:engagement",
    "posts:banned",
    "reconcile:cursor",
    "users:models",
    "users:regular",
];

/// Whether a key is one that Ridge keeps, for its REST and sync routes or for itself, as docs/REDIS_KEYS.md lists them. Others have names such as
/// `user:1` too: there the type counts, as `TYPE` says it.
pub fn is_managed(key: &[u8], kind: &str) -> bool {
    const DIGEST: usize = 64;
    let Ok(key) = std::str::from_utf8(key) else { return false };
    let mut parts = key.splitn(3, ':');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next(), kind) {
        ("user" | "post" | "comment", name, None, "hash") => Username::is_valid(name),
        ("user", _, Some(below), _) => MANAGED.contains(&below),
        ("post", _, Some("likes" | "bookmarks"), "set") | ("post", _, Some("comments"), "zset") => true,
        ("hashtag", _, Some(below), "zset") => matches!(below, "posts" | "ranked") || below.starts_with("ranked:"),
        ("job", _, Some(_), "hash") | ("ridge", ..) => true,
        ("idempotency", _, Some(digest), "string") | ("webhook", digest, None, "string") => digest.len() == DIGEST,
        _ => SINGLE.contains(&key),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_stand_alone_or_before_a_colon() {
        let alice = "alice".parse().unwrap();
        for (key, resolved) in [
            ("user:me", "user:alice"),
            ("user:AUTH", "user:alice"),
            ("user:me:posts", "user:alice:posts"),
            ("user:AUTH:", "user:alice:"),
            ("user:meg", "user:meg"),
            ("user:auth", "user:auth"),
            ("xuser:me", "xuser:me"),
            ("user:bob:me", "user:bob:me"),
        ] {
            assert_eq!(resolve_placeholder(&Bytes::from_static(key.as_bytes()), &alice), resolved, "{key}");
        }
    }

    #[test]
    fn keys_are_profiles_others_or_refused() {
        for (key, expected) in [
            ("user:alice", Ok(UserKey::Profile("alice"))),
            ("user:alice:settings", Ok(UserKey::Other)),
            ("user:alice:posts:old", Ok(UserKey::Other)),
            ("user:alice:posts", Err(KeyFault::Managed)),
            ("user:alice:followers:since", Err(KeyFault::Managed)),
            ("user:", Err(KeyFault::Format)),
            ("user:alice:", Err(KeyFault::Format)),
            ("user::posts", Err(KeyFault::Format)),
            ("user:me", Err(KeyFault::Format)),
            ("user:a b", Err(KeyFault::Format)),
            ("USER:alice", Err(KeyFault::Format)),
            ("users:regular", Err(KeyFault::Format)),
            ("post:1", Err(KeyFault::Format)),
        ] {
            assert_eq!(UserKey::parse(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn keys_of_the_rest_routes_are_told_by_name_and_type() {
        let digest = "0".repeat(64);
        for (key, kind) in [
            ("user:alice", "hash"),
            ("user:alice:liked:banned", "zset"),
            ("user:alice:deleting", "string"),
            ("post:1", "hash"),
            ("post:1:likes", "set"),
            ("post:1:comments", "zset"),
            ("comment:1", "hash"),
            ("hashtag:é:posts", "zset"),
            ("hashtag:a:ranked:d20000", "zset"),
            ("explore:feed", "zset"),
            ("users:models", "zset"),
            ("job:ban:1", "hash"),
            ("ridge:scripts", "hash"),
            ("ridge:usage:last", "zset"),
            (&format!("idempotency:alice:{digest}"), "string"),
            (&format!("webhook:{digest}"), "string"),
        ] {
            assert!(is_managed(key.as_bytes(), kind), "{key}");
        }
        for (key, kind) in [
            ("user:1", "string"),
            ("user:1:tokens", "string"),
            ("user:session:1", "string"),
            ("post:1", "string"),
            ("post:1:views", "set"),
            ("users:all", "zset"),
            ("webhook:1", "string"),
            ("job:1", "hash"),
            ("ridges:1", "hash"),
            ("session:1", "hash"),
            ("", "string"),
        ] {
            assert!(!is_managed(key.as_bytes(), kind), "{key}");
        }
        assert!(!is_managed(b"user:\xff", "hash"));
    }

    proptest! {
        #[test]
        fn whatever_is_let_through_belongs_to_one_valid_user(key in "(user:)?[a-zA-Z:._ *é-]{0,24}") {
            if let Ok(parsed) = UserKey::parse(key.as_bytes()) {
                let username = key.strip_prefix("user:").and_then(|rest| rest.split(':').next()).unwrap();
                prop_assert!(Username::is_valid(username));
                prop_assert_eq!(matches!(parsed, UserKey::Profile(_)), key.matches(':').count() == 1);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(key in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = UserKey::parse(&key);
            let _ = resolve_placeholder(&key.clone().into(), &Username::sync_user());
            let _ = is_private(&key);
        }
    }
}
