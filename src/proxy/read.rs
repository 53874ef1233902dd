//! `POST /`: a batch of reads as one pipeline.

use axum::extract::State;
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::batch::{self, Words};
use crate::{
    app::App,
    auth::{ProxyCaller, Username},
    edge::{
        Json,
        body::{BodyOf, BoundedBody},
    },
    error::ApiError,
    policy::{ReadCommands, acl::Acl, command_table::Entry, commands::wrong_arity, keys},
    redis::{Command, Pipeline, Redis, Reply},
};

/// Answers each command in its place; those that are refused are never sent.
pub async fn read(
    ProxyCaller(caller): ProxyCaller,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Vec<Answer>>, ApiError> {
    let username = caller.username();
    let mut pipeline = Pipeline::new();
    let mut verdicts = Vec::new();
    for words in batch::parse(&body)? {
        verdicts.push(judge(words, &app.config.proxy.read, &username, caller.acl()).map(|(entry, command)| {
            pipeline.push(command);
            entry
        }));
    }
    let mut replies = redis.read(pipeline).await?.into_iter();
    let answers = verdicts.into_iter().map(|verdict| match verdict {
        Ok(entry) => Answer::new(entry, replies.next().unwrap_or(Reply::Nil)),
        Err(refusal) => Answer::Plain(Reply::Error(refusal)),
    });
    Ok(Json(answers.collect()))
}

/// The command with its placeholders resolved, or the text that stands in its place.
fn judge(
    mut words: Words,
    allowed: &ReadCommands,
    caller: &Username,
    acl: Option<&Acl>,
) -> Result<(&'static Entry, Command), String> {
    let entry = words.first().map(|name| allowed.check(name)).transpose()?.ok_or("ERR empty command")?;
    if !entry.takes(words.len()) {
        return Err(wrong_arity(entry));
    }
    for position in entry.key_positions(words.len()) {
        let Some(key) = words.get_mut(position) else { continue };
        *key = keys::resolve_placeholder(key, caller);
        if keys::is_private(key) {
            return Err("ERR forbidden: private key".to_owned());
        }
    }
    if let Some(denied) = acl.and_then(|acl| acl.check(&words).err()) {
        return Err(denied.to_string());
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
