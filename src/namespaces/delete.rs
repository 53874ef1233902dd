//! `DELETE /namespaces/:ns/keys`: deletes keys of a namespace, a bounded part of them a request.

use axum::extract::State;
use serde::Serialize;

use super::{key::Key, named, pattern, reach::Reach, scripts, walk::Walk};
use crate::{
    app::App,
    auth::AdminCaller,
    edge::{Json, Query, Segment},
    error::ApiError,
    policy::namespaces::Namespace,
    redis::{Elements, Failure, Redis, Safety},
};

/// Where keys are judged one by one, one request judges about so many.
const MOST_JUDGED: usize = 1000;

/// What was done.
#[derive(Serialize)]
pub struct Deleted {
    /// How many keys are gone.
    deleted: u64,
    /// How many that match the ACL lets the caller know of, but not delete.
    denied: u64,
    /// Where to go on; `null` at the end.
    cursor: Option<String>,
}

/// Deletes what matches. Without a pattern nothing is: that would empty the namespace by accident.
pub async fn delete(
    AdminCaller(caller): AdminCaller,
    Segment(name): Segment,
    query: Query,
    redis: Redis,
    State(app): State<App>,
) -> Result<Json<Deleted>, ApiError> {
    let (_, namespace) = named(&app, &name)?;
    let reach = Reach::of(&caller)?;
    let Some(wanted) = query.get("match") else {
        return Err(ApiError::bad_request("Parameter 'match' is required; '*' is all keys of the namespace"));
    };
    let pattern = pattern::within(namespace, &wanted)?;
    let walk = Walk::from(query.get("cursor").as_deref(), "Parameter")?;
    let deletion = Deletion { namespace, pattern, reach, redis };
    let deleted = match reach.passes_with_all(&["UNLINK"], &namespace.prefix) {
        true => deletion.of_all(walk).await?,
        false => deletion.of_some(walk).await?,
    };
    Ok(Json(deleted))
}

/// Which keys are to be deleted.
struct Deletion<'a> {
    namespace: &'a Namespace,
    pattern: String,
    reach: Reach<'a>,
    redis: Redis,
}

impl Deletion<'_> {
    /// Every key that matches, where it is found.
    async fn of_all(self, mut walk: Walk) -> Result<Deleted, ApiError> {
        let mut deleted: u64 = 0;
        while let Some(cursor) = walk.next() {
            // What is deleted twice is deleted.
            let mut call = scripts::UNLINK_MATCHING.invoke(Safety::IdempotentWrite);
            call.arg(cursor).arg(self.pattern.clone()).arg(self.namespace.prefix.clone());
            let mut reply = walk.arrive(self.redis.call(call).await?)?;
            deleted = deleted.saturating_add(reply.unsigned()?);
        }
        Ok(Deleted { deleted, denied: 0, cursor: walk.cursor() })
    }

    /// Those among them that the ACL allows; only it can say which, so they come here first.
    async fn of_some(self, mut walk: Walk) -> Result<Deleted, ApiError> {
        let (mut allowed, mut denied) = (Vec::new(), 0);
        while let Some(wanted) = MOST_JUDGED.checked_sub(allowed.len()).filter(|wanted| *wanted > 0)
            && let Some(cursor) = walk.next()
        {
            let mut call = scripts::LIST.invoke(Safety::Read);
            call.arg(cursor).arg(self.pattern.clone()).arg(self.namespace.prefix.clone()).arg(wanted.to_string());
            for row in walk.arrive(self.redis.call(call).await?)? {
                let key = Key::hear(&mut Elements::of(row)?)?;
                if self.reach.passes(&[b"UNLINK", &key.0]) {
                    allowed.push(key);
                } else {
                    denied += u64::from(self.reach.lists(&key));
                }
            }
        }
        Ok(Deleted { deleted: self.unlink(&allowed).await?, denied, cursor: walk.cursor() })
    }

    async fn unlink(&self, keys: &[Key]) -> Result<u64, ApiError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut call = scripts::UNLINK_LISTED.invoke(Safety::IdempotentWrite);
        for key in keys {
            call.arg(key.told());
        }
        let deleted = self.redis.call(call).await?.as_integer().and_then(|deleted| deleted.try_into().ok());
        Ok(deleted.ok_or(Failure::Nonsense("expected a count"))?)
    }
}
