//! Namespaces for operators: how much is in each, which keys, deleting some, and taking strays in.
//!
//! | route | file |
//! |---|---|
//! | `GET /namespaces` | [`usage`] |
//! | `GET /namespaces/:ns/keys` | [`list`] |
//! | `DELETE /namespaces/:ns/keys` | [`delete`] |
//! | `POST /namespaces/:ns/adopt` | [`adopt`] |
//!
//! All of them go through all keys with `SCAN`, never `KEYS`: `walk.rs` bounds what one request does, and its answer says where
//! to go on. What a caller may do is the business of its key's ACL (`reach.rs`). Which prefix has which name and when keys
//! expire is [`crate::policy::namespaces`]; who writes keys is not known here.

pub mod adopt;
pub mod delete;
mod key;
pub mod list;
mod pattern;
mod reach;
mod scripts;
pub mod usage;
mod walk;

use crate::{
    app::App,
    error::ApiError,
    policy::namespaces::{Namespace, Namespaces},
};

/// The namespace that a path names.
fn named<'a>(app: &'a App, name: &str) -> Result<(&'a Namespaces, &'a Namespace), ApiError> {
    let all = &app.config.namespaces;
    all.find(name).map(|namespace| (all, namespace)).ok_or(ApiError::NamespaceNotFound)
}
