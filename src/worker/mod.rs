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
mod task;

use std::sync::{Arc, OnceLock};

use js_sys::{Function, JSON, Reflect};
use wasm_bindgen::{JsCast as _, JsError, JsValue, prelude::wasm_bindgen};
use worker::{Env, event};

use crate::{app::Ridge, edge, error::ApiError, host::Level};

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

/// Answers a request, by calling `resolve` with the response.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, resolve: Function) {
    let ridge = gateway(&env);
    task::begin(async move {
        let answer = match request::convert(&request) {
            Ok(request) => edge::serve(ridge, request).await,
            Err(error) => edge::refuse(ridge, error),
        };
        let response = response::convert(answer).await;
        // It has nobody to fail to: a promise takes whatever it is given.
        let _ = resolve.call1(&JsValue::UNDEFINED, &response);
    });
}

/// Carries pending jobs on, when the queue says that there are some.
#[wasm_bindgen(js_name = runJobs)]
pub async fn run_jobs(env: Env) -> Result<(), JsError> {
    let ridge = gateway(&env);
    settle(ridge, ridge.finish_jobs().await)
}

/// What the timer starts.
#[wasm_bindgen]
pub async fn tick(env: Env) -> Result<(), JsError> {
    let ridge = gateway(&env);
    settle(ridge, ridge.tick().await)
}

/// A failure is logged here, and thrown so that the runtime tries again.
fn settle(ridge: &Ridge, result: Result<(), ApiError>) -> Result<(), JsError> {
    result.map_err(|error| {
        ridge.host.log(Level::Error, &edge::log::failure(Level::Error, error.code(), &error));
        JsError::new(error.code())
    })
}

fn gateway(env: &Env) -> &'static Ridge {
    RIDGE.get_or_init(|| {
        let queue = Reflect::get(env, &JsValue::from_str("JOBS")).ok().and_then(|queue| queue.dyn_into().ok());
        Ridge::new(Arc::new(host::Worker::new(queue)), |name| variable(env, name))
    })
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
