//! What backends push: lists of users, posts and relations, single events by webhook, and the check that all still agrees.
//!
//! An item becomes a call of the same script that the REST route of the same meaning uses, so a sync is as atomic and as
//! idempotent as that script is. A list of up to a thousand travels as one pipeline.

pub mod bulk;
pub mod item;
pub mod reconcile;
pub mod webhook;
