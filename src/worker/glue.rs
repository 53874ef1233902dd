//! The Rust half of the boundary; `glue.js` says what each of its functions does.

#![allow(unsafe_code, reason = "wasm-bindgen's declarations expand to it")]

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(raw_module = "cloudflare:workers")]
extern "C" {
    /// Keeps what belongs to the request that is being answered until a promise is settled, also when it was answered.
    #[wasm_bindgen(js_name = waitUntil, catch)]
    pub(super) fn wait_until(promise: &Promise) -> Result<(), JsValue>;
}

#[wasm_bindgen(module = "/src/worker/glue.js")]
extern "C" {
    pub(super) fn head(request: &web_sys::Request) -> String;
    pub(super) fn respond(status: u16, id: &str, rest: &str, body: &[u8]) -> web_sys::Response;

    #[wasm_bindgen(js_name = settleWith)]
    pub(super) fn settle_with(callback: &Function);
    pub(super) fn body(request: &web_sys::Request, ticket: u32);
    pub(super) fn read(reader: &web_sys::ReadableStreamDefaultReader, ticket: u32);
    pub(super) fn sleep(milliseconds: u32, ticket: u32);

    pub(super) fn open(hostname: &str, port: u16, secure: bool, ticket: u32);
    pub(super) fn send(connection: &Object, bytes: &[u8], ticket: u32);
    pub(super) fn receive(connection: &Object, ticket: u32);
    pub(super) fn close(connection: &Object);

    pub(super) fn enqueue(queue: &Object, ticket: u32);

    pub(super) fn endpoint(url: &str, authorization: &str) -> Object;
    pub(super) fn post(endpoint: &Object, body: &[u8], limit: usize, ticket: u32);
    #[wasm_bindgen(js_name = passBytes)]
    pub(super) fn pass_bytes(endpoint: &Object, head: &str, body: &[u8], hold: bool, limit: usize, ticket: u32);
    #[wasm_bindgen(js_name = passHeld)]
    pub(super) fn pass_held(endpoint: &Object, head: &str, body: &JsValue, hold: bool, limit: usize, ticket: u32);

    #[wasm_bindgen(js_name = respondHeld)]
    pub(super) fn respond_held(status: u16, id: &str, rest: &str, held: &Array) -> web_sys::Response;
}
