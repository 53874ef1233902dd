//! HTTP to the REST backend, by the runtime's `fetch`.
//!
//! Not by reqwest: on wasm it builds an `AbortController` for each request and aborts it when the answer is dropped,
//! which throws an exception with a stack trace and cost more CPU than the rest of the request together. A request
//! that is given up here ends with the one that asked for it.

use bytes::Bytes;
use js_sys::{Object, RangeError, Uint8Array};
use wasm_bindgen::JsCast;
use worker::send::SendWrapper;

use super::{glue, pending::Pending, sendable};
use crate::host::{Answer, BoxFuture, Endpoint, Http, HttpError};

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
        let answer = answer.map_err(|error| {
            if error.is_instance_of::<RangeError>() { HttpError::TooLong } else { HttpError::Broken }
        })?;
        if let Some(bytes) = answer.dyn_ref::<Uint8Array>() {
            return Ok(Answer { status: 200, body: Bytes::from(bytes.to_vec()) });
        }
        match answer.as_string() {
            Some(text) => Ok(Answer { status: 200, body: Bytes::from(text) }),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status has three digits")]
            None => Ok(Answer { status: answer.as_f64().unwrap_or_default() as u16, body: Bytes::new() }),
        }
    }
}

impl Http for Fetch {
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>> {
        Box::pin(sendable(async move { self.exchange(&body).await }))
    }
}
