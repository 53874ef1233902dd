//! `GET /namespaces/:ns/keys`: keys of a namespace, page by page.

use axum::extract::State;
use serde::Serialize;

use super::{key::Key, named, pattern, reach::Reach, scripts, walk::Walk};
use crate::{
    app::App,
    auth::AdminCaller,
    edge::{Json, Query, Segment},
    error::ApiError,
    redis::{Elements, Failure, Redis, Reply, Safety},
};

/// The most keys of a page that may be asked for.
const MOST_KEYS: u64 = 1000;
/// The keys of a page that does not say how many.
const DEFAULT_KEYS: u64 = 100;

/// A page.
#[derive(Serialize)]
pub struct Keys {
    keys: Vec<Row>,
    /// Where to go on; `null` at the end.
    cursor: Option<String>,
}

/// A key. What the ACL does not allow to ask is `null`.
#[derive(Serialize)]
struct Row {
    key: Key,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// In seconds as Redis gives it, so -1 without expiry.
    ttl: Option<i64>,
}

impl Row {
    fn read(row: Reply) -> Result<Self, Failure> {
        let mut row = Elements::of(row)?;
        Ok(Self { key: Key::hear(&mut row)?, kind: Some(row.text()?), ttl: Some(row.integer()?) })
    }

    /// What of it may be told, if any.
    fn within(mut self, reach: Reach<'_>) -> Option<Self> {
        self.kind = self.kind.filter(|_| reach.passes(&[b"TYPE", &self.key.0]));
        self.ttl = self.ttl.filter(|_| reach.passes(&[b"TTL", &self.key.0]));
        reach.lists(&self.key).then_some(self)
    }
}

/// Lists about as many keys as are asked for; fewer, or none, where many others lie between.
pub async fn list(
    AdminCaller(caller): AdminCaller,
    Segment(name): Segment,
    query: Query,
    redis: Redis,
    State(app): State<App>,
) -> Result<Json<Keys>, ApiError> {
    let (_, namespace) = named(&app, &name)?;
    let reach = Reach::of(&caller)?;
    reach.must_list_some(&namespace.prefix)?;
    let pattern = pattern::within(namespace, query.get("match").as_deref().unwrap_or("*"))?;
    let mut left = query.number("count", 1..=MOST_KEYS, DEFAULT_KEYS)?;
    let mut walk = Walk::from(query.get("cursor").as_deref(), "Parameter")?;
    let mut keys = Vec::new();
    while left > 0
        && let Some(cursor) = walk.next()
    {
        let mut call = scripts::LIST.invoke(Safety::Read);
        call.arg(cursor).arg(pattern.clone()).arg(namespace.prefix.clone()).arg(left.to_string());
        for row in walk.arrive(redis.call(call).await?)? {
            left = left.saturating_sub(1);
            keys.extend(Row::read(row)?.within(reach));
        }
    }
    Ok(Json(Keys { keys, cursor: walk.cursor() }))
}
