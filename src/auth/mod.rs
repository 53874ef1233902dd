//! Who is calling.
//!
//! [`caller`] reads the headers and decides; [`extract`] turns the decision into extractors, so that who may call a
//! route stands in its handler's signature.

pub mod api_key;
pub mod caller;
pub mod extract;
pub mod jwt;
pub mod public_key;
pub mod username;

pub use api_key::{ApiKey, ApiKeys, Scope};
pub use caller::Caller;
pub use extract::{AdminCaller, AnyCaller, GatewayCaller, MaybeRestCaller, ProxyCaller, RestCaller, SyncCaller};
pub use username::{Role, Username};
