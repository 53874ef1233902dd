//! Ridge: the gateway that stands at the edge in front of a Redis.
//!
//! One crate, two faces. The whole HTTP application is host-independent: `cargo test` runs it natively against a
//! real Redis, `worker-build` compiles the same application to WebAssembly for Cloudflare Workers. Everything that
//! differs between the two stands behind one trait, [`host::Host`].
//!
//! A request travels through the modules in this order:
//!
//! | module | what it does |
//! |---|---|
//! | `worker` (wasm only) | the entry point: a JavaScript request in, a JavaScript response out |
//! | [`edge`] | what every answer has in common: request id, CORS, the shape of an error, the log line |
//! | [`app`] | the route table: every route on one screen, with who may call it |
//! | [`auth`] | who is calling: API keys, tokens, and the extractors that handlers name in their signatures |
//! | [`policy`] | what a caller may do: the command table, ACLs, key and field rules |
//! | [`proxy`] | `POST /` and `POST /redis/write` |
//! | [`gateway`] | Upstash's REST API below `/redis` |
//! | [`namespaces`] | what operators ask about the keys of a prefix, and do to them |
//! | [`social`] | the REST routes for frontends |
//! | [`sync`] | what backends push: lists, webhooks, and the check that counters agree |
//! | [`usage`] | what each API key is used for |
//! | [`service`] | ping, health, whoami |
//! | [`redis`] | commands, pipelines, scripts and replies; one port, two backends: Upstash REST and TCP |
//!
//! [`config`] reads the variables, [`json`] reads and writes what commands and answers mostly are, [`error`] holds the one
//! table from what went wrong to a status and a code.

pub mod app;
pub mod auth;
pub mod config;
pub mod edge;
pub mod error;
pub mod gateway;
pub mod host;
pub mod json;
pub mod namespaces;
pub mod policy;
pub mod proxy;
pub mod redis;
pub mod service;
pub mod social;
pub mod sync;
pub mod usage;

#[cfg(not(target_arch = "wasm32"))]
pub mod native;
#[cfg(target_arch = "wasm32")]
mod worker;
