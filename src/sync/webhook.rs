//! `POST /webhooks/…`: one event each, from whoever holds an API key or can sign.
//!
//! A signature is HMAC-SHA256 over `timestamp.path.body` with `WEBHOOK_SECRET`. The time in it bounds for how long a copy of
//! the request could be sent again; `X-Webhook-Id` makes a copy do nothing.

use std::str::FromStr;

use axum::extract::{FromRequestParts, State};
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName, request::Parts};
use serde::Serialize;
use sha2::Sha256;

use super::item::{Applied, Change, Kind, Status};
use crate::{
    app::App,
    auth::SyncCaller,
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    redis::Redis,
    social::{actor::Moment, idempotency::digest_of, jobs, outcome::Refusal},
};

const TIMESTAMP: HeaderName = HeaderName::from_static("x-webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-webhook-signature");
const ID: HeaderName = HeaderName::from_static("x-webhook-id");

/// How far the sender's clock may be off, in seconds.
const TOLERANCE_S: u64 = 300;
/// The longest `X-Webhook-Id`, in bytes.
const MAX_ID: usize = 255;

/// What happened.
struct Event {
    kind: Kind,
    deleted: bool,
}

impl FromStr for Event {
    type Err = ApiError;
    fn from_str(name: &str) -> Result<Self, ApiError> {
        let (kind, deleted) = match name {
            "user-update" => (Kind::Users, false),
            "user-delete" => (Kind::Users, true),
            "post-create" => (Kind::Posts, false),
            "post-delete" => (Kind::Posts, true),
            "follow" => (Kind::Follows, false),
            "unfollow" => (Kind::Follows, true),
            "like" => (Kind::Likes, false),
            "unlike" => (Kind::Likes, true),
            _ => return Err(ApiError::NotFound),
        };
        Ok(Self { kind, deleted })
    }
}

/// Who sends an event: an API key of scope `sync`, or someone who signed it, which shows once the body is there.
pub enum Sender {
    /// An API key.
    ApiKey,
    /// A signature, to be checked.
    Signed {
        /// The time as it was signed.
        timestamp: String,
        /// The path as it was signed.
        path: String,
        /// The signature.
        signature: Vec<u8>,
    },
}

impl FromRequestParts<App> for Sender {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(&SIGNATURE) || parts.headers.contains_key("x-api-key") {
            return SyncCaller::from_request_parts(parts, app).await.map(|SyncCaller| Self::ApiKey);
        }
        let wrong = ApiError::InvalidSignature;
        let text = single(&parts.headers, &SIGNATURE).ok_or(wrong("X-Webhook-Signature must be there once"))?;
        let hex = text.strip_prefix("v1=").ok_or(wrong("X-Webhook-Signature must begin with v1="))?;
        let signature = from_hex(hex).ok_or(wrong("X-Webhook-Signature must be hexadecimal after v1="))?;
        let timestamp = single(&parts.headers, &TIMESTAMP).ok_or(wrong("X-Webhook-Timestamp must be there once"))?;
        let time: u64 = timestamp.parse().map_err(|_| wrong("X-Webhook-Timestamp must be in seconds"))?;
        if time.abs_diff(app.host.now_ms() / 1000) > TOLERANCE_S {
            return Err(wrong("X-Webhook-Timestamp is too far from now"));
        }
        Ok(Self::Signed { timestamp: timestamp.to_owned(), path: parts.uri.path().to_owned(), signature })
    }
}

impl Sender {
    /// Whether the sender is who may send.
    fn verify(&self, body: &[u8], app: &App) -> Result<(), ApiError> {
        let Self::Signed { timestamp, path, signature } = self else { return Ok(()) };
        let wrong = ApiError::InvalidSignature("The signature is not that of this request");
        let secret = app.config.webhook_secret.as_deref();
        let secret = secret.ok_or(ApiError::InvalidSignature("The gateway has no WEBHOOK_SECRET"))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| wrong.clone())?;
        for part in [timestamp.as_bytes(), b".", path.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.verify_slice(signature).map_err(|_| wrong)
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(digit(high)? << 4 | digit(low)?) } else { None }).collect()
}

/// The key by which the event of a request is remembered, if it has an id.
pub struct EventKey(Option<String>);

impl FromRequestParts<App> for EventKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(&ID) {
            return Ok(Self(None));
        }
        let id = single(&parts.headers, &ID).filter(|id| (1..=MAX_ID).contains(&id.len()));
        let sentence = "Header 'X-Webhook-Id' must be 1 to 255 visible ASCII characters, and there once";
        let id = id.ok_or(ApiError::bad_request(sentence))?;
        Ok(Self(Some(format!("webhook:{}", digest_of(format!("{}\n{id}", parts.uri.path()).as_bytes())))))
    }
}

/// What became of an event.
#[derive(Serialize)]
pub struct Received {
    status: Status,
    changed: bool,
}

/// Applies an event.
pub async fn receive(
    sender: Sender,
    EventKey(event): EventKey,
    Segment(name): Segment,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Received>, ApiError> {
    sender.verify(&body, &app)?;
    let Event { kind, deleted } = name.parse()?;
    let moment = Moment { event, ..Moment::now(&app) };
    let Change { invocation, reading } = Change::of(kind, Fields::of(&body)?, deleted, &moment, &app.config)?;
    let applied = match reading.outcome(redis.call(invocation).await?)? {
        Ok(applied) => applied,
        Err(Refusal::Seen) => Applied { status: Status::Unchanged, leaves_work: false },
        Err(refusal) => return Err(refusal.into()),
    };
    if applied.leaves_work {
        jobs::wake(&app).await;
    }
    Ok(Json(Received { status: applied.status, changed: applied.status != Status::Unchanged }))
}
