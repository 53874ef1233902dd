//! `POST /sync/…`: a list of items, as one pipeline; and `GET /sync/stats`.

use axum::extract::State;
use serde::Serialize;

use super::item::{Change, Kind, Status};
use crate::{
    app::App,
    auth::SyncCaller,
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    redis::{Command, Failure, Pipeline, Redis, Reply},
    social::{actor::Moment, jobs, keys},
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

/// Syncs a list of users, posts, follows, likes or bookmarks.
pub async fn sync(
    _: SyncCaller,
    Segment(list): Segment,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Synced>, ApiError> {
    let kind: Kind = list.parse()?;
    let moment = Moment::now(&app);
    let (mut calls, mut waiting) = (Vec::new(), Vec::new());
    for item in Fields::list(&body, MOST_ITEMS)? {
        waiting.push(item.and_then(|fields| Change::of(kind, fields, false, &moment, &app.config)).map(|change| {
            calls.push(change.invocation);
            change.reading
        }));
    }
    let mut replies = redis.call_all(&calls).await?.into_iter();
    let mut leaves_work = false;
    let mut results = Vec::with_capacity(waiting.len());
    for reading in waiting {
        results.push(match reading {
            Err(problem) => Outcome::failed(problem),
            Ok(reading) => match reading.outcome(replies.next().ok_or(Failure::Nonsense("too few replies"))?) {
                // A script that met data it did not expect; the other items are none the worse for it.
                Err(failure @ Failure::Nonsense(_)) => Outcome::failed(failure),
                Err(failure) => return Err(failure.into()),
                Ok(Err(refusal)) => Outcome::failed(refusal),
                Ok(Ok(applied)) => {
                    leaves_work |= applied.leaves_work;
                    Outcome::Done { status: applied.status }
                }
            },
        });
    }
    if leaves_work {
        jobs::wake(&app).await;
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
