//! HTTP to the REST backend, by reqwest.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use reqwest::{
    Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
    redirect::Policy,
};

use crate::host::{self, Answer, BoxFuture, Content, Endpoint, Http, HttpError, Incoming, Outgoing, Payload};

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
        let request = self
            .client
            .post(format!("{}/pipeline", self.url))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = if status == 200 { self.whole(response).await? } else { Bytes::new() };
        Ok(Answer { status, body })
    }

    async fn pass_on(&self, outgoing: Outgoing) -> Result<Incoming, HttpError> {
        let url = format!("{}{}", self.url, outgoing.path);
        let mut request = self.client.request(outgoing.method, url).header(AUTHORIZATION, &self.authorization);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        if let Payload::Bytes(bytes) = outgoing.body {
            request = request.body(bytes);
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let content_type = kind.and_then(host::content_type);
        let sync_token = response.headers().get("upstash-sync-token").and_then(|token| token.to_str().ok());
        let sync_token = sync_token.map(str::to_owned);
        let body = if status == 200 && outgoing.may_hold {
            Content::Stream(Body::from_stream(stream::try_unfold(response, async |mut response| {
                Ok::<_, reqwest::Error>(response.chunk().await?.map(|chunk| (chunk, response)))
            })))
        } else {
            Content::Bytes(self.whole(response).await?)
        };
        Ok(Incoming { status, sync_token, content_type, body })
    }

    async fn whole(&self, mut response: Response) -> Result<Bytes, HttpError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.limit {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

fn failed(error: reqwest::Error) -> HttpError {
    if error.is_connect() { HttpError::NotSent } else { HttpError::Broken }
}

impl Http for Client {
    fn post<'a>(&'a self, body: Vec<u8>) -> BoxFuture<'a, Result<Answer, HttpError>> {
        Box::pin(self.exchange(body))
    }

    fn pass<'a>(&'a self, request: Outgoing) -> BoxFuture<'a, Result<Incoming, HttpError>> {
        Box::pin(self.pass_on(request))
    }
}
