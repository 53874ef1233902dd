//! `POST /`: a batch of reads as one pipeline.

use axum::extract::State;
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    batch::{self, Words},
    refusal::Refusal,
};
use crate::{
    app::App,
    auth::{ProxyCaller, Username},
    edge::{
        Context, Json,
        body::{BodyOf, BoundedBody},
    },
    error::ApiError,
    policy::{ReadCommands, acl::Acl, command_table::Entry, keys},
    redis::{Command, Pipeline, Redis, Reply},
};

/// Answers each command in its place; those that are refused are never sent.
pub async fn read(
    ProxyCaller(caller): ProxyCaller,
    context: Context,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Vec<Answer>>, ApiError> {
    let username = caller.username();
    let mut pipeline = Pipeline::new();
    let mut verdicts = Vec::new();
    let commands = batch::parse(&body)?;
    context.note_commands(commands.len());
    for words in commands {
        let verdict = judge(words, &app.config.proxy.read, &username, caller.acl()).map(|(entry, command)| {
            pipeline.push(command);
            entry
        });
        verdicts.push(verdict.map_err(|refusal| refusal.into_reply(&context)));
    }
    let mut replies = redis.read(pipeline).await?.into_iter();
    let answers = verdicts.into_iter().map(|verdict| match verdict {
        Ok(entry) => Answer::new(entry, replies.next().unwrap_or(Reply::Nil)),
        Err(refusal) => Answer::Plain(refusal),
    });
    Ok(Json(answers.collect()))
}

/// The command with its placeholders resolved, or why it is not sent.
fn judge(
    mut words: Words,
    allowed: &ReadCommands,
    caller: &Username,
    acl: Option<&Acl>,
) -> Result<(&'static Entry, Command), Refusal> {
    let name = words.first().ok_or_else(Refusal::empty)?;
    let entry = allowed.check(name).map_err(Refusal::denied)?;
    if !entry.takes(words.len()) {
        return Err(Refusal::arity(entry));
    }
    for position in entry.key_positions(words.len()) {
        let Some(key) = words.get_mut(position) else { continue };
        *key = keys::resolve_placeholder(key, caller);
        if keys::is_private(key) {
            return Err(Refusal::denied("ERR forbidden: private key"));
        }
    }
    if let Some(denied) = acl.and_then(|acl| acl.check(&words).err()) {
        return Err(denied.into());
    }
    Ok((entry, Command::named(entry.name, words)))
}

/// What stands in a command's place.
pub enum Answer {
    /// The value itself.
    Plain(Reply),
    /// A hash as an object.
    Hash(Vec<(Bytes, Reply)>),
}

impl Answer {
    fn new(entry: &Entry, reply: Reply) -> Self {
        match (entry.name, reply) {
            ("HGETALL", reply @ Reply::Array(_)) => Self::Hash(reply.into_pairs().unwrap_or_default()),
            (_, reply) => Self::Plain(reply),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(reply) => reply.serialize(serializer),
            Self::Hash(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (field, value) in pairs {
                    map.serialize_entry(&crate::redis::Text(field), value)?;
                }
                map.end()
            }
        }
    }
}
