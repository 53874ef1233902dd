//! The REST routes for frontends: one module a resource, one script a route, beside them in `scripts/`.
//!
//! A handler reads what the request asks, calls its script, and shows what the script returned. What is decided about data
//! is decided in the script, where reading and writing are one step.

pub mod actor;
pub mod call;
pub mod comments;
pub mod draft;
pub mod feeds;
pub mod follows;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod keys;
pub mod outcome;
pub mod page;
pub mod people;
pub mod post;
pub mod posts;
pub mod privacy;
pub mod profile;
pub mod reactions;
pub mod scripts;
pub mod search;
pub mod users;
