//! The REST routes for frontends: one module a resource.

pub mod keys;
pub mod privacy;
pub mod profile;
pub mod users;
