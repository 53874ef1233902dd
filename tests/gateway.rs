//! SPEC 9, and of SPEC 10 what a key may do on the gateway: each test over both backends. Over REST it is Ridge in front of
//! Ridge, with a real HTTP server between the two.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

#[macro_use]
#[path = "gateway/door.rs"]
mod door;
#[path = "gateway/raw.rs"]
mod raw;
#[path = "backends/rest_server.rs"]
mod rest_server;

#[path = "gateway/acl.rs"]
mod acl;
#[path = "gateway/bodies.rs"]
mod bodies;
#[path = "gateway/command_list.rs"]
mod command_list;
#[path = "gateway/encodings.rs"]
mod encodings;
#[path = "gateway/forms.rs"]
mod forms;
#[path = "gateway/outages.rs"]
mod outages;
#[path = "gateway/pipelines.rs"]
mod pipelines;
#[path = "gateway/properties.rs"]
mod properties;
#[path = "gateway/refused.rs"]
mod refused;
#[path = "gateway/results.rs"]
mod results;
#[path = "gateway/scans.rs"]
mod scans;
#[path = "gateway/servers.rs"]
mod servers;
#[path = "gateway/sync_tokens.rs"]
mod sync_tokens;
#[path = "gateway/tokens.rs"]
mod tokens;
#[path = "gateway/transactions.rs"]
mod transactions;
