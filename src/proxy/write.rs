//! `POST /redis/write`: a batch of writes as one script, so that what is checked and what is written is one step.

use std::collections::HashSet;

use axum::extract::State;
use bytes::Bytes;
use serde::Serialize;

use crate::{
    app::App,
    auth::{ProxyCaller, Username},
    edge::{
        Context, Json,
        batch::{self, Words},
        body::{BodyOf, BoundedBody},
    },
    error::ApiError,
    policy::{
        Allowed, Policy, ProxyPolicy, Refusal, WritePolicy,
        acl::Acl,
        command_table::Entry,
        keys::{self, KeyFault, UserKey},
        profile,
    },
    redis::{Failure, Invocation, Redis, Reply, Safety, Script},
    social::scripts,
};

static WRITE: Script = Script::new(&[scripts::REGISTRY, scripts::lua!("write.lua")]);

/// Lua passes arguments on a stack of 8,000 places. `HSET` and `HDEL` are sent in chunks, other commands whole.
const MOST_WORDS: usize = 7000;

/// The answer: one result a command, and in whose name.
#[derive(Serialize)]
pub struct Written {
    results: Vec<Reply>,
    username: Username,
}

/// Judges each command, sends those that may be sent, and puts every result in its place.
pub async fn write(
    ProxyCaller(caller): ProxyCaller,
    context: Context,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Written>, ApiError> {
    let username = caller.username();
    let policy = Writes { rules: &app.config.proxy, caller: &username };
    let judge = |words| Write::judge(words, &policy, caller.acl()).map_err(|refusal| context.refuse(refusal));
    let commands = batch::parse(&body)?;
    context.note_commands(commands.len());
    let verdicts: Vec<Result<Write, Reply>> = commands.into_iter().map(judge).collect();
    let mut replies = Vec::new();
    if verdicts.iter().any(Result::is_ok) {
        let call = invocation(verdicts.iter().flatten(), app.host.now_ms());
        replies = redis.call(call).await?.into_array()?;
    }
    if let Some(failure) = failure_of_all(&replies) {
        return Err(failure.into());
    }
    let mut replies = replies.into_iter();
    let mut results = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        results.push(match verdict {
            Ok(write) => {
                let reply = replies.next().ok_or(Failure::Nonsense("too few results"))?;
                write.result(reply)?.unwrap_or_else(|refusal| context.refuse(refusal))
            }
            Err(refusal) => refusal,
        });
    }
    Ok(Json(Written { results, username }))
}

/// What keeps the server from writing at all, if every command failed of it. Where some were carried out, for a server
/// out of memory still deletes, each error stays in its place: the batch as a whole must not be repeated.
fn failure_of_all(replies: &[Reply]) -> Option<Failure> {
    let of_one = |reply: &Reply| match reply {
        Reply::Array(items) => match items.as_slice() {
            [tag, text] if tag.as_str() == Some("error") => Failure::of_server(text.as_str()?),
            _ => None,
        },
        _ => None,
    };
    let failures: Option<Vec<Failure>> = replies.iter().map(of_one).collect();
    failures?.into_iter().next()
}

fn invocation<'a>(writes: impl Iterator<Item = &'a Write> + Clone, now_ms: u64) -> Invocation {
    let mut set = HashSet::new();
    let idempotent = writes.clone().all(|write| write.is_assignment && write.protects_each_once(&mut set));
    let mut call = WRITE.invoke(if idempotent { Safety::IdempotentWrite } else { Safety::Write });
    call.key("users:regular").key("users:models").arg(now_ms.to_string());
    for write in writes {
        call.key(write.key.clone());
        call.arg(write.name).arg(write.effect.tag()).arg(if write.fault_if_new.is_some() { "1" } else { "" });
        call.arg(write.args.len().to_string());
        for arg in &write.args {
            call.arg(arg.clone());
        }
    }
    call
}

/// What a command does beside what it says.
#[derive(Clone, Copy)]
enum Effect {
    /// Nothing.
    Plain,
    /// Sets protected fields, which depends on whether the user is new.
    SetsProtected,
    /// Sets or moves `created_at`, the score in the registry.
    MovesCreation,
}

impl Effect {
    fn tag(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::SetsProtected => "protected",
            Self::MovesCreation => "created_at",
        }
    }
}

/// What this door lets through: writes of one key. Which keys and fields, the judgement below says.
struct Writes<'a> {
    rules: &'a ProxyPolicy,
    caller: &'a Username,
}

impl Policy for Writes<'_> {
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, Refusal> {
        let name = words.first().ok_or_else(Refusal::empty)?;
        let entry = self.rules.write.check(name).map_err(Refusal::denied)?;
        let pairs_whole = !matches!(entry.name, "HSET" | "HMSET") || words.len().is_multiple_of(2);
        if !entry.takes(words.len()) || !pairs_whole {
            return Err(Refusal::arity(entry));
        }
        if let Some(key) = words.get_mut(1) {
            *key = keys::resolve_placeholder(key, self.caller);
        }
        Ok(Some(entry))
    }
}

/// A command that may be sent.
struct Write {
    name: &'static str,
    key: Bytes,
    args: Vec<Bytes>,
    effect: Effect,
    /// Whether it says what fields are and not how they change. Such a command may also be carried out in chunks.
    is_assignment: bool,
    /// What is wrong with the values, should the user be new.
    fault_if_new: Option<String>,
}

impl Write {
    /// The command, or why it is not sent.
    fn judge(words: Words, policy: &Writes<'_>, acl: Option<&Acl>) -> Result<Self, Refusal> {
        let allowed = Allowed::judge(policy, acl, words)?;
        let entry = allowed.entry().ok_or_else(Refusal::empty)?;
        let mut words = allowed.into_words().into_iter().skip(1);
        let key = words.next().ok_or_else(|| Refusal::arity(entry))?;
        let mut write = Self {
            name: entry.name,
            key: key.clone(),
            args: words.collect(),
            effect: Effect::Plain,
            is_assignment: matches!(entry.name, "HSET" | "HMSET" | "HDEL"),
            fault_if_new: None,
        };
        match UserKey::parse(&key) {
            Err(KeyFault::Format) => return Err(Refusal::denied("ERR invalid key format")),
            Err(KeyFault::Managed) => return Err(Refusal::Denied(managed(&key))),
            Ok(UserKey::Profile(username)) => write.judge_profile(username, policy.rules.write_policy)?,
            Ok(UserKey::Other) => {}
        }
        write.judge_values().map_err(Refusal::Wrong)?;
        Ok(write)
    }

    fn judge_values(&self) -> Result<(), String> {
        if self.name == "HINCRBY" && !self.args.get(1).is_some_and(|by| profile::is_integer(by)) {
            return Err("ERR value is not an integer or out of range".to_owned());
        }
        if !self.is_assignment && self.args.len() > MOST_WORDS {
            return Err(format!("ERR more than {MOST_WORDS} arguments for '{}'", self.name.to_ascii_lowercase()));
        }
        Ok(())
    }

    /// The rules for the hash of a user.
    fn judge_profile(&mut self, username: &str, policy: WritePolicy) -> Result<(), Refusal> {
        let sets = matches!(self.name, "HSET" | "HMSET" | "HSETNX");
        let fields: Vec<&Bytes> = match self.name {
            _ if sets => self.args.iter().step_by(2).collect(),
            "HDEL" => self.args.iter().collect(),
            "HINCRBY" | "HINCRBYFLOAT" => self.args.iter().take(1).collect(),
            // Whatever else may write a user's keys, the profile itself stays a hash that Ridge understands.
            _ => return Err(Refusal::Denied(managed(&self.key))),
        };
        let protected = distinct(fields.iter().filter_map(|field| profile::protected(field)));
        let may_count = self.name == "HINCRBY" && protected.iter().all(|field| profile::COUNTERS.contains(field));
        let allowed = protected.is_empty() || (policy == WritePolicy::FirstSync && (sets || may_count));
        if !allowed {
            return Err(Refusal::Denied(profile::cannot_be_modified(&protected)));
        }
        let touches_creation = fields.iter().any(|field| field.as_ref() == profile::CREATED_AT.as_bytes());
        if touches_creation && self.name == "HINCRBYFLOAT" {
            return Err(Refusal::Wrong(format!("ERR field '{}' must be an integer", profile::CREATED_AT)));
        }
        if touches_creation {
            self.effect = Effect::MovesCreation;
        }
        if sets {
            self.judge_pairs(username, !protected.is_empty()).map_err(Refusal::Wrong)?;
        }
        Ok(())
    }

    fn judge_pairs(&mut self, username: &str, sets_protected: bool) -> Result<(), String> {
        for pair in self.args.chunks_exact(2) {
            let [field, value] = pair else { continue };
            let Some(fault) = profile::fault_of_new(username, field, value) else { continue };
            if profile::protected(field).is_none() {
                return Err(fault);
            }
            self.fault_if_new.get_or_insert(fault);
        }
        if sets_protected {
            self.effect = Effect::SetsProtected;
        }
        Ok(())
    }

    /// Whether the batch sets each protected field once at most. Twice to different values is accepted of a new user; sent
    /// again, when the user is no longer new, it would be refused.
    fn protects_each_once<'a>(&'a self, set: &mut HashSet<(&'a [u8], &'a [u8])>) -> bool {
        let sets_protected = matches!(self.effect, Effect::SetsProtected);
        let fields = self.args.iter().step_by(2).filter(|field| profile::protected(field).is_some());
        !sets_protected || fields.into_iter().all(|field| set.insert((&self.key, field)))
    }

    /// What the script's tagged reply says: the result, or why the script did not run the command.
    fn result(&self, reply: Reply) -> Result<Result<Reply, Refusal>, Failure> {
        let Reply::Array(items) = reply else { return Ok(Ok(reply)) };
        let mut items = items.into_iter();
        let tag = items.next();
        match (tag.as_ref().and_then(Reply::as_str), items.next()) {
            (Some("number"), Some(digits)) => digits.as_integer().map(|n| Ok(Reply::Integer(n))).ok_or(UNKNOWN_TAG),
            (Some("array"), Some(array)) => Ok(Ok(array)),
            (Some("error"), Some(Reply::String(text))) => {
                Ok(Ok(Reply::Error(String::from_utf8_lossy(&text).into_owned())))
            }
            (Some("invalid"), _) => self.fault_if_new.clone().map(|text| Err(Refusal::Wrong(text))).ok_or(UNKNOWN_TAG),
            (Some("changed"), first) => {
                let fields = first.into_iter().chain(items);
                let fields = fields.filter_map(|field| profile::protected(field.as_bytes()?)).collect::<Vec<_>>();
                Ok(Err(Refusal::Denied(profile::cannot_be_modified(&distinct(fields.into_iter())))))
            }
            _ => Err(UNKNOWN_TAG),
        }
    }
}

const UNKNOWN_TAG: Failure = Failure::Nonsense("a result of an unknown kind");

fn managed(key: &[u8]) -> String {
    format!("ERR key '{}' is managed, use the REST endpoints", String::from_utf8_lossy(key))
}

fn distinct(fields: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for field in fields {
        if !seen.contains(&field) {
            seen.push(field);
        }
    }
    seen
}
