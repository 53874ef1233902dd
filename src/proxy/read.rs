//! `POST /`: a batch of reads as one pipeline.

use axum::extract::State;
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    app::App,
    auth::{ProxyCaller, Username},
    edge::{
        Context, Json,
        batch::{self, Words},
        body::{BodyOf, BoundedBody},
    },
    error::ApiError,
    policy::{Allowed, Policy, ReadCommands, Refusal, command_table::Entry, keys},
    redis::{Pipeline, Redis, Reply},
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
    let policy = Reads { commands: &app.config.proxy.read, caller: &username };
    let mut pipeline = Pipeline::new();
    let mut verdicts = Vec::new();
    let commands = batch::parse(&body)?;
    context.note_commands(commands.len());
    for words in commands {
        let verdict = Allowed::judge(&policy, caller.acl(), words).map(|command| {
            let entry = command.entry();
            pipeline.push(command);
            entry
        });
        verdicts.push(verdict.map_err(|refusal| context.refuse(refusal)));
    }
    let mut replies = redis.read(pipeline).await?.into_iter();
    let answers = verdicts.into_iter().map(|verdict| match verdict {
        Ok(entry) => Answer::new(entry, replies.next().unwrap_or(Reply::Nil)),
        Err(refusal) => Answer::Plain(refusal),
    });
    Ok(Json(answers.collect()))
}

/// What this door lets through: reads of keys that are nobody's secret.
struct Reads<'a> {
    commands: &'a ReadCommands,
    caller: &'a Username,
}

impl Policy for Reads<'_> {
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, Refusal> {
        let name = words.first_mut().ok_or_else(Refusal::empty)?;
        let entry = self.commands.check(name).map_err(Refusal::denied)?;
        *name = Bytes::from_static(entry.name.as_bytes());
        if !entry.takes(words.len()) {
            return Err(Refusal::arity(entry));
        }
        for position in entry.key_positions(words.len()) {
            let Some(key) = words.get_mut(position) else { continue };
            *key = keys::resolve_placeholder(key, self.caller);
            if keys::is_private(key) {
                return Err(Refusal::denied("ERR forbidden: private key"));
            }
        }
        Ok(Some(entry))
    }
}

/// What stands in a command's place.
pub enum Answer {
    /// The value itself.
    Plain(Reply),
    /// A hash as an object.
    Hash(Vec<(Bytes, Reply)>),
}

impl Answer {
    fn new(entry: Option<&Entry>, reply: Reply) -> Self {
        match (entry.map(|entry| entry.name), reply) {
            (Some("HGETALL"), reply @ Reply::Array(_)) => Self::Hash(reply.into_pairs().unwrap_or_default()),
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
