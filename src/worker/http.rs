//! HTTP to the REST backend, by the runtime's `fetch`.
//!
//! Not by reqwest: on wasm it builds an `AbortController` for each request and aborts it when the answer is dropped,
//! which throws an exception with a stack trace and cost more CPU than the rest of the request together. A request
//! that is given up here ends with the one that asked for it.

use std::fmt::Write as _;

use bytes::Bytes;
use js_sys::{Array, Error, Object, RangeError, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use worker::send::SendWrapper;

use super::{glue, pending::Pending, request::RequestBody, sendable};
use crate::host::{self, Answer, BoxFuture, Content, Endpoint, Held, Http, HttpError, Incoming, Outgoing, Payload};

/// A client for one endpoint.
pub(super) struct Fetch {
    endpoint: SendWrapper<Object>,
    limit: usize,
}

impl Fetch {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let object = glue::endpoint(&endpoint.url, &endpoint.authorization);
        Self { endpoint: SendWrapper::new(object), limit: endpoint.limit }
    }

    async fn exchange(&self, body: &[u8]) -> Result<Answer, HttpError> {
        let answer = Pending::begin(|ticket| glue::post(&self.endpoint, body, self.limit, ticket)).await;
        let answer = answer.map_err(failed)?;
        Ok(match bytes(&answer) {
            Some(body) => Answer { status: 200, body },
            None => Answer { status: status(&answer), body: Bytes::new() },
        })
    }
}

impl Fetch {
    async fn pass_on(&self, outgoing: Outgoing) -> Result<Incoming, HttpError> {
        let mut head = format!("{}\n{}", outgoing.method, outgoing.path);
        for (name, value) in &outgoing.headers {
            let _ = write!(head, "\n{name}:{value}");
        }
        let hold = outgoing.may_hold;
        let answer = match &outgoing.body {
            Payload::Held(held) => {
                let body = held.get::<RequestBody>().map_or(JsValue::NULL, RequestBody::to_pass_on);
                Pending::begin(|ticket| glue::pass_held(&self.endpoint, &head, &body, hold, self.limit, ticket))
            }
            Payload::Bytes(bytes) => {
                Pending::begin(|ticket| glue::pass_bytes(&self.endpoint, &head, bytes, hold, self.limit, ticket))
            }
            Payload::Empty => {
                Pending::begin(|ticket| glue::pass_bytes(&self.endpoint, &head, &[], hold, self.limit, ticket))
            }
        };
        let answer = answer.await.map_err(failed)?;
        let parts = answer.unchecked_into::<Array>();
        let first = parts.get(0);
        if first.as_f64().is_none() {
            let body = Content::Held(Held::new(SendWrapper::new(parts)));
            return Ok(Incoming { status: 200, sync_token: None, content_type: None, body });
        }
        Ok(Incoming {
            status: status(&first),
            content_type: parts.get(1).as_string().as_deref().and_then(host::content_type),
            sync_token: parts.get(2).as_string(),
            body: Content::Bytes(bytes(&parts.get(3)).unwrap_or_default()),
        })
    }
}

fn failed(error: Error) -> HttpError {
    if error.is_instance_of::<RangeError>() { HttpError::TooLong } else { HttpError::Broken }
}

/// A body, which short comes as a string and long as bytes.
fn bytes(body: &JsValue) -> Option<Bytes> {
    match body.dyn_ref::<Uint8Array>() {
        Some(bytes) => Some(Bytes::from(bytes.to_vec())),
        None => body.as_string().map(Bytes::from),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status has three digits")]
fn status(status: &JsValue) -> u16 {
    status.as_f64().unwrap_or_default() as u16
}

impl Http for Fetch {
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>> {
        Box::pin(sendable(async move { self.exchange(&body).await }))
    }

    fn pass<'a>(&'a self, request: Outgoing) -> BoxFuture<'a, Result<Incoming, HttpError>> {
        Box::pin(sendable(self.pass_on(request)))
    }
}
