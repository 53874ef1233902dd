//! `POST /namespaces/:ns/adopt`: gives keys that are of no namespace the prefix of one.

use std::collections::HashSet;

use axum::extract::State;
use serde::Serialize;

use super::{key::Key, named, pattern, reach::Reach, scripts, walk::Walk};
use crate::{
    app::App,
    auth::AdminCaller,
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    policy::{
        keys,
        namespaces::{Namespace, Namespaces},
    },
    redis::{Elements, Failure, Redis, Reply, Safety},
};

/// One request takes in about so many keys.
const MOST_KEYS: usize = 500;

/// What was done, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    dry_run: bool,
    adopted: Vec<Adopted>,
    skipped: Vec<Skipped>,
    /// Where to go on; `null` at the end.
    cursor: Option<String>,
}

/// A key with its new name.
#[derive(Serialize)]
struct Adopted {
    from: Key,
    to: Key,
    /// In seconds, as it is under the new name; -1 without expiry.
    ttl: i64,
}

/// A key that keeps its old name.
#[derive(Serialize)]
struct Skipped {
    key: Key,
    reason: Reason,
}

/// Why.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Reason {
    /// The ACL does not allow to rename it so.
    Denied,
    /// It is one of those that the REST and sync routes keep.
    Managed,
    /// The new name is taken.
    Exists,
    /// It was gone before it could be renamed.
    Gone,
}

/// Renames what matches, or, unless the caller says `"dryRun": false`, tells what would be renamed.
pub async fn adopt(
    AdminCaller(caller): AdminCaller,
    Segment(name): Segment,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Adoption>, ApiError> {
    let (namespaces, namespace) = named(&app, &name)?;
    let reach = Reach::of(&caller)?;
    let mut fields = Fields::of(&body)?;
    let pattern = pattern::of_strays(fields.required("match")?)?;
    let dry_run = fields.flag_or("dryRun", true)?;
    let mut walk = Walk::from(fields.text("cursor")?.as_deref(), "Field")?;
    let (mut strays, mut skipped) = (Vec::new(), Vec::new());
    let search = Search { namespaces, namespace, pattern, redis: &redis };
    for stray in search.run(&mut walk).await? {
        match stray.objection(reach) {
            _ if !reach.lists(&stray.from) => {}
            Some(reason) => skipped.push(Skipped { key: stray.from, reason }),
            None => strays.push(stray),
        }
    }
    let adopted = if dry_run {
        strays.into_iter().map(Stray::adopted).collect()
    } else {
        rename(&redis, namespace, strays, &mut skipped).await?
    };
    Ok(Json(Adoption { dry_run, adopted, skipped, cursor: walk.cursor() }))
}

/// Which keys are looked for.
struct Search<'a> {
    namespaces: &'a Namespaces,
    namespace: &'a Namespace,
    pattern: String,
    redis: &'a Redis,
}

impl Search<'_> {
    /// What is found until there is enough for one request.
    async fn run(&self, walk: &mut Walk) -> Result<Vec<Stray>, ApiError> {
        let (mut strays, mut seen) = (Vec::new(), HashSet::new());
        while let Some(wanted) = MOST_KEYS.checked_sub(strays.len()).filter(|wanted| *wanted > 0)
            && let Some(cursor) = walk.next()
        {
            let mut call = scripts::FIND_STRAYS.invoke(Safety::Read);
            call.arg(cursor).arg(self.pattern.clone()).arg(wanted.to_string()).arg(self.namespace.prefix.clone());
            for other in self.namespaces {
                call.arg(other.prefix.clone());
            }
            for row in walk.arrive(self.redis.call(call).await?)? {
                let stray = Stray::read(row, self.namespace, self.namespaces)?;
                // SCAN may come by a key twice while the server resizes its table.
                if seen.insert(stray.from.clone()) {
                    strays.push(stray);
                }
            }
        }
        Ok(strays)
    }
}

/// A key that is of no namespace.
struct Stray {
    from: Key,
    to: Key,
    kind: String,
    ttl: i64,
    is_taken: bool,
    /// In how many seconds it will expire under its new name, if it has no expiry of its own.
    expiry: Option<u64>,
}

impl Stray {
    fn read(row: Reply, namespace: &Namespace, namespaces: &Namespaces) -> Result<Self, Failure> {
        let mut row = Elements::of(row)?;
        let from = Key::hear(&mut row)?;
        let to = Key([namespace.prefix.as_bytes(), &from.0].concat());
        let expiry = namespaces.expiry_of(&to.0);
        Ok(Self { from, to, kind: row.text()?, ttl: row.integer()?, is_taken: row.flag()?, expiry })
    }

    /// Why it keeps its name, if it does.
    fn objection(&self, reach: Reach<'_>) -> Option<Reason> {
        if !reach.passes(&[b"RENAMENX", &self.from.0, &self.to.0]) {
            Some(Reason::Denied)
        } else if keys::is_managed(&self.from.0, &self.kind) {
            Some(Reason::Managed)
        } else {
            self.is_taken.then_some(Reason::Exists)
        }
    }

    fn adopted(self) -> Adopted {
        let rule = self.expiry.and_then(|seconds| i64::try_from(seconds).ok());
        Adopted { from: self.from, to: self.to, ttl: if self.ttl == -1 { rule.unwrap_or(-1) } else { self.ttl } }
    }
}

async fn rename(
    redis: &Redis,
    namespace: &Namespace,
    strays: Vec<Stray>,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Adopted>, ApiError> {
    if strays.is_empty() {
        return Ok(Vec::new());
    }
    // Sent a second time it would find everything gone.
    let mut call = scripts::ADOPT.invoke(Safety::Write);
    call.arg(namespace.prefix.clone());
    for stray in &strays {
        call.arg(stray.from.told()).arg(stray.expiry.map(|seconds| seconds.to_string()).unwrap_or_default());
    }
    let mut reply = Elements::of(redis.call(call).await?)?;
    let mut adopted = Vec::with_capacity(strays.len());
    for Stray { from, to, .. } in strays {
        match reply.reply()? {
            Reply::Integer(ttl) => adopted.push(Adopted { from, to, ttl }),
            other => {
                let reason = match other.as_str() {
                    Some("gone") => Reason::Gone,
                    Some("exists") => Reason::Exists,
                    _ => return Err(Failure::Nonsense("an unknown outcome").into()),
                };
                skipped.push(Skipped { key: from, reason });
            }
        }
    }
    Ok(adopted)
}
