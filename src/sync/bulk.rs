//! `POST /sync/…`: a list of items, as one pipeline; and `GET /sync/stats`.

use axum::extract::State;
use serde::Serialize;

use super::item::{Change, Kind, Status};
use crate::{
    app::App,
    auth::SyncCaller,
    edge::{
        Json,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    redis::{Command, Failure, Pipeline, Redis, Reply},
    social::{actor::Moment, keys},
};

/// The most items of one list.
const MOST_ITEMS: usize = 1000;

/// What became of each item, in order.
#[derive(Serialize)]
pub struct Synced {
    results: Vec<Outcome>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Done { status: Status },
    Failed { status: &'static str, error: String },
}

impl Outcome {
    fn failed(error: impl ToString) -> Self {
        Self::Failed { status: "error", error: error.to_string() }
    }
}

/// Syncs users.
pub async fn users(
    caller: SyncCaller,
    redis: Redis,
    app: State<App>,
    body: BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    sync(Kind::Users, caller, redis, app, body).await
}

/// Syncs posts.
pub async fn posts(
    caller: SyncCaller,
    redis: Redis,
    app: State<App>,
    body: BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    sync(Kind::Posts, caller, redis, app, body).await
}

/// Syncs follows.
pub async fn follows(
    caller: SyncCaller,
    redis: Redis,
    app: State<App>,
    body: BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    sync(Kind::Follows, caller, redis, app, body).await
}

/// Syncs likes.
pub async fn likes(
    caller: SyncCaller,
    redis: Redis,
    app: State<App>,
    body: BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    sync(Kind::Likes, caller, redis, app, body).await
}

/// Syncs bookmarks.
pub async fn bookmarks(
    caller: SyncCaller,
    redis: Redis,
    app: State<App>,
    body: BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    sync(Kind::Bookmarks, caller, redis, app, body).await
}

async fn sync(
    kind: Kind,
    _: SyncCaller,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    let moment = Moment::now(&app);
    let items = Fields::list(&body, MOST_ITEMS)?.into_iter();
    let (mut calls, mut waiting) = (Vec::new(), Vec::new());
    for item in items {
        waiting.push(match item.and_then(|fields| Change::of(kind, fields, false, &moment)) {
            Ok(Change { invocation, reading }) => {
                calls.push(invocation);
                Ok(reading)
            }
            Err(problem) => Err(problem),
        });
    }
    let mut replies = redis.call_all(&calls).await?.into_iter();
    let mut results = Vec::with_capacity(waiting.len());
    for reading in waiting {
        results.push(match reading {
            Err(problem) => Outcome::failed(problem),
            Ok(reading) => {
                let reply = replies.next().ok_or(Failure::Nonsense("too few replies"))?;
                match reading.outcome(reply, &app).await? {
                    Ok(status) => Outcome::Done { status },
                    Err(refusal) => Outcome::failed(refusal),
                }
            }
        });
    }
    Ok(Json(Synced { results }))
}

/// How many there are, to compare with the source.
#[derive(Serialize)]
pub struct Stats {
    users: i64,
    models: i64,
    posts: i64,
}

/// Counts users, models and posts, banned ones too.
pub async fn stats(_: SyncCaller, redis: Redis) -> Result<Json<Stats>, ApiError> {
    let lists = [keys::REGULAR, keys::MODELS, keys::EXPLORE, keys::BANNED];
    let mut pipeline = Pipeline::new();
    for list in lists {
        pipeline.push(Command::new("ZCARD").arg(list));
    }
    let counts: Option<Vec<i64>> = redis.read(pipeline).await?.iter().map(Reply::as_integer).collect();
    match counts.as_deref() {
        Some([users, models, posts, banned]) => {
            Ok(Json(Stats { users: *users, models: *models, posts: posts.saturating_add(*banned) }))
        }
        _ => Err(Failure::Nonsense("not four counts").into()),
    }
}
