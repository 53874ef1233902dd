//! A gateway and requests to it, without a network between.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt as _;
use ridge::{app::Ridge, edge, host::Host};
use serde_json::Value;

use super::{Redis, TestHost};

/// `XANO_API_KEY` of every gateway that is not told otherwise.
pub const API_KEY: &str = "a-key-for-tests-0123456789abcdef0123456789abcdef";
/// `JWT_SECRET` of every gateway that is not told otherwise.
pub const JWT_SECRET: &str = "a-secret-for-tests-0123456789abcdef";

/// The whole application on a [`TestHost`].
#[derive(Clone)]
pub struct Gateway {
    ridge: Arc<Ridge>,
    /// The machine beneath: its clock and its log lines.
    pub host: Arc<TestHost>,
}

impl Gateway {
    /// In front of a Redis, with the default variables.
    pub fn on(redis: &Redis) -> Self {
        Self::with(redis, &[])
    }

    /// In front of a Redis; `variables` come on top of the defaults. A blank one unsets a default.
    pub fn with(redis: &Redis, variables: &[(&str, &str)]) -> Self {
        let url = redis.url();
        let defaults = [
            ("REDIS_URL", url.as_str()),
            ("XANO_API_KEY", API_KEY),
            ("JWT_SECRET", JWT_SECRET),
            ("ENVIRONMENT", "development"),
        ];
        let all: Vec<_> = variables.iter().chain(&defaults).copied().collect();
        Self::new(&all)
    }

    /// With these variables only; of two of one name the first counts.
    pub fn new(variables: &[(&str, &str)]) -> Self {
        Self::on_host(TestHost::default(), variables)
    }

    /// With these variables only, on a host that the test has prepared.
    pub fn on_host(host: TestHost, variables: &[(&str, &str)]) -> Self {
        let host = Arc::new(host);
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let ridge = Arc::new(Ridge::new(Arc::clone(&host) as Arc<dyn Host>, find));
        Self { ridge, host }
    }

    /// Stops the clock at a time, in milliseconds.
    pub fn at(self, now_ms: u64) -> Self {
        self.host.set_ms(now_ms);
        self
    }

    /// The log lines so far, parsed.
    pub fn log(&self) -> Vec<Value> {
        self.host.lines().iter().map(|line| serde_json::from_str(line).expect("a log line is JSON")).collect()
    }

    /// Answers one request. The body of the answer may still be on its way.
    pub async fn serve(&self, request: Request<Body>) -> Response {
        edge::serve(&self.ridge, request).await
    }

    /// A request that is sent with [`Call::send`].
    pub fn call(&self, method: &str, path: &str) -> Call {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        Call { gateway: self.clone(), request }
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// Carries pending jobs on by so many steps, as a queue or a cron trigger would. Returns how many jobs are left, or
    /// `None` if Redis failed.
    pub async fn work(&self, steps: u32) -> Option<u64> {
        self.ridge.run_jobs(steps).await.ok()
    }

    /// What a cron trigger does. Gives the code of what it failed with.
    ///
    /// # Errors
    /// What Redis failed with.
    pub async fn tick(&self) -> Result<(), &'static str> {
        self.ridge.tick().await.map_err(|error| error.code())
    }

    /// Carries pending jobs on until none is left.
    pub async fn finish_jobs(&self) {
        while self.work(100).await.expect("Redis answers") > 0 {}
    }

    /// Does what was left for after the answers. Returns how much that was.
    pub async fn finish_later(&self) -> usize {
        let left = self.host.take_left();
        let count = left.len();
        futures_util::future::join_all(left).await;
        count
    }

    /// What `POST /` answers to a batch, sent with the API key. Must be 200.
    #[track_caller]
    pub fn read(&self, batch: impl Into<Value>) -> impl Future<Output = Value> {
        let call = self.post("/").api_key().json(batch);
        async move { call.send().await.ok() }
    }

    /// The `results` that `POST /redis/write` answers to a batch, sent with the API key. Must be 200.
    #[track_caller]
    pub fn write(&self, batch: impl Into<Value>) -> impl Future<Output = Value> {
        let call = self.post("/redis/write").api_key().json(batch);
        async move { call.send().await.ok()["results"].take() }
    }
}

/// A request on its way.
pub struct Call {
    gateway: Gateway,
    request: Request<Body>,
}

impl Call {
    /// Adds a header, beside others of the same name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// With the API key that has every scope but `gateway`.
    pub fn api_key(self) -> Self {
        self.header("x-api-key", API_KEY)
    }

    /// With a token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With a good token for a user.
    pub fn user(self, username: &str) -> Self {
        self.bearer(&super::token::of(username, "user"))
    }

    /// With a body, as it is.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// With a JSON body.
    pub fn json(self, value: impl Into<Value>) -> Self {
        self.body(value.into().to_string())
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        let response = self.gateway.serve(self.request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("an answer is in memory").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer is UTF-8")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body as JSON of an answer that must be 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// A header; `""` if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header is text"))
    }

    /// Status and `error` of the body: what most refusals are told apart by.
    #[track_caller]
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().expect("an error has a sentence").to_owned())
    }

    /// Status and `code` of the body.
    #[track_caller]
    pub fn code(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().expect("an error has a code").to_owned())
    }
}
