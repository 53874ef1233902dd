//! HTTP to the REST backend, by reqwest.

use bytes::{Bytes, BytesMut};
use reqwest::{
    header::{AUTHORIZATION, CONTENT_TYPE},
    redirect::Policy,
};

use crate::host::{Answer, BoxFuture, Endpoint, Http, HttpError};

/// A client for one endpoint.
pub(super) struct Client {
    client: reqwest::Client,
    url: String,
    authorization: String,
    limit: usize,
}

impl Client {
    #[expect(
        clippy::expect_used,
        reason = "reqwest only fails to start without TLS roots, and it was built without TLS"
    )]
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("a plain client can be built");
        let Endpoint { url, authorization, limit } = endpoint;
        Self { client, url: url.clone(), authorization: authorization.clone(), limit: *limit }
    }

    async fn exchange(&self, body: Vec<u8>) -> Result<Answer, HttpError> {
        let broken = |error: reqwest::Error| if error.is_connect() { HttpError::NotSent } else { HttpError::Broken };
        let request = self
            .client
            .post(&self.url)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok(Answer { status, body: Bytes::new() });
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > self.limit {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: body.freeze() })
    }
}

impl Http for Client {
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>> {
        Box::pin(self.exchange(body))
    }
}
