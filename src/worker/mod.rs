//! The Worker: JavaScript's requests in, JavaScript's responses out, and Cloudflare's machine beneath.
//!
//! This is the only place that knows JavaScript. Everything that is not `Send` there is wrapped here, and nothing
//! above needs to know.

mod glue;
mod host;
mod http;
mod pending;
mod request;
mod response;
mod signature;
mod socket;

use std::sync::{Arc, OnceLock};

use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::{Context, Env, event};

use crate::{app::Ridge, edge};

/// Wraps a future of JavaScript's, which runs where it was made: a Worker has one thread.
pub(crate) fn sendable<F: Future>(future: F) -> worker::send::SendFuture<F> {
    worker::send::SendFuture::new(future)
}

/// One gateway an isolate: router, keys and client are made once.
static RIDGE: OnceLock<Ridge> = OnceLock::new();

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
    pending::start();
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<web_sys::Response> {
    let ridge = RIDGE.get_or_init(|| Ridge::new(Arc::new(host::Worker::default()), |name| variable(&env, name)));
    let answer = match request::convert(&request) {
        Ok(request) => edge::serve(ridge, request).await,
        Err(error) => edge::refuse(ridge, error),
    };
    response::convert(answer).await
}

/// A variable or secret as text; what `wrangler.toml` holds as a table or a list is JSON.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    value.as_string().or_else(|| {
        if value.is_undefined() || value.is_null() || value.is_function() {
            return None;
        }
        JSON::stringify(&value).ok()?.as_string()
    })
}
