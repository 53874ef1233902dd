//! The Rust half of the boundary; `glue.js` says what each function does.

#![allow(unsafe_code, reason = "wasm-bindgen's declarations expand to it")]

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/worker/glue.js")]
extern "C" {
    pub(super) fn head(request: &web_sys::Request) -> String;
    pub(super) fn respond(status: u16, head: &str, body: &[u8]) -> web_sys::Response;
    pub(super) fn endpoint(url: &str, authorization: &str) -> Object;
    pub(super) fn post(endpoint: &Object, body: &[u8], limit: usize) -> Promise;
}
