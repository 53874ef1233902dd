//! Plays operations to Ridge and to the model, and compares: each answer, and all of Redis.

use serde_json::{Value, json};

use super::{
    model::{Model, Refusal, Verdict},
    operation::{MEDIA, NAMES, Op, Page, Read, START_MS, Target, Who},
    request::{read_path, request, signed},
    shown::SOME_CURSOR,
};
use crate::support::{
    Answer, Gateway, Redis,
    audit::is_memory,
    facts::without_zero_counters,
    keyspace::{Keyspace, differences},
};

/// How an answer is told apart from a refusal of the same status.
const SENTENCES: [(&str, &str); 3] = [
    ("user_not_found", "User not found"),
    ("post_not_found", "Post not found"),
    ("comment_not_found", "Comment not found"),
];

/// Ridge and the model of it, side by side.
pub struct Player<'a> {
    gateway: &'a Gateway,
    redis: &'a Redis,
    model: Model,
}

impl<'a> Player<'a> {
    /// From an empty Redis, with every user there.
    ///
    /// # Errors
    /// How Ridge and the model differ.
    pub async fn start(gateway: &'a Gateway, redis: &'a Redis) -> Result<Self, String> {
        redis.run(&["FLUSHALL"]);
        // The same ids in every run of the same history.
        gateway.host.seed_random(1);
        let mut player = Self { gateway, redis, model: Model { now: START_MS, ..Model::default() } };
        for (name, role) in NAMES.iter().zip(["user", "model", "user", "model", "admin"]) {
            let fields = vec![("role", json!(role)), ("avatar", json!("a.png"))];
            let op = Op::Put { by: Who::Key, user: Target::Named(name), fields };
            player.play(&op).await?;
        }
        Ok(player)
    }

    /// Does one thing.
    ///
    /// # Errors
    /// How Ridge and the model differ.
    pub async fn play(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Wait(duration) => {
                self.model.now += duration;
                return Ok(());
            }
            Op::Compare => return self.compare(),
            Op::Walk { by, list, limit } => return self.walk(by, list, *limit).await,
            _ => {}
        }
        self.set_clock(self.model.now);
        let answer = request(self.gateway, &self.model, op).send().await;
        let verdict = self.judge(op, &answer);
        let (actual, expected) = (shown(&answer), said(verdict));
        if actual == expected { Ok(()) } else { Err(format!("{op:?}\n  answered {actual}\n  expected {expected}")) }
    }

    fn set_clock(&self, now: i64) {
        self.gateway.host.set_ms(u64::try_from(now).expect("a time"));
    }

    /// Follows the cursors from a list's beginning to its end: one after the other, the pages are the list.
    async fn walk(&self, by: &Who, list: &Read, limit: usize) -> Result<(), String> {
        let Ok((_, whole)) = self.model.read(by, &list.with(Page(Some((0, usize::MAX))))) else { return Ok(()) };
        let mut parts = whole.as_object().into_iter().flatten();
        let (items, expected) = parts.find(|(_, part)| part.is_array()).expect("a list has items");
        let first = read_path(&self.model, &list.with(Page(Some((0, limit)))));
        let (mut path, mut met) = (first.clone(), Vec::new());
        // A page that repeats would go on for ever.
        for page in 0..100 {
            self.set_clock(self.model.now + page * 3_600_000);
            let body = signed(self.gateway.get(&path), by).send().await.json();
            met.extend(body[items].as_array().into_iter().flatten().cloned());
            let Some(cursor) = body["pagination"]["nextCursor"].as_str() else { break };
            path = format!("{first}&cursor={cursor}");
        }
        let met = Value::from(met);
        if met == *expected { Ok(()) } else { Err(format!("{by:?} {list:?}\n  met {met}\n  expected {expected}")) }
    }

    /// Compares everything in Redis.
    ///
    /// # Errors
    /// What is wrong there.
    pub fn compare(&self) -> Result<(), String> {
        let stored = without_zero_counters(self.redis.keyspace());
        let (passing, lasting): (Keyspace, Keyspace) = stored.into_iter().partition(|(key, _)| is_memory(key));
        let mut wrong = differences(&lasting, &self.model.facts.keyspace());
        if passing.len() != self.model.made_once.len() {
            wrong.push(format!("{:?} should be there once for each of {:?}", passing, self.model.made_once));
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("Redis:\n  {}", wrong.join("\n  "))) }
    }

    /// The model's answer. What Ridge alone can choose, the ids of what it makes, is taken from its answer.
    fn judge(&mut self, op: &Op, answer: &Answer) -> Verdict {
        let made = |what: &str| answer.json()[what]["id"].as_str().unwrap_or_default().to_owned();
        let model = &mut self.model;
        match op {
            Op::Wait(_) | Op::Walk { .. } | Op::Compare => unreachable!("no single request"),
            Op::Put { by, user, fields } => model.put(by, *user, fields),
            Op::Patch { by, user, fields } => model.patch(by, *user, fields),
            Op::DeleteUser { by, user } => model.delete_user(by, *user),
            Op::Follow { by, user, on } => model.follow(by, *user, *on),
            Op::Create { by, text, tags, media, key } => {
                model.create(by, (*text, *tags, MEDIA[*media]), *key, &made("post"))
            }
            Op::CreateBlank { by, .. } => model.create_blank(by),
            Op::DeletePost { by, post } => model.delete_post(by, *post),
            Op::React { by, post, reaction, on } => model.react(by, *post, *reaction, *on),
            Op::View { by, post } => model.view(by, *post),
            Op::Comment { by, post, text } => model.comment_on(by, *post, *text, &made("comment")),
            Op::Uncomment { by, comment } => model.uncomment(by, *comment),
            Op::Ban { by, post, on } => model.ban(by, *post, *on),
            Op::Sync(items) => model.sync(items),
            Op::Stats { by } => model.stats(by),
            Op::Read { by, what } => model.read(by, what),
        }
    }
}

/// An answer as it is compared: what is in a cursor, and how an error is put, is Ridge's own affair.
fn shown(answer: &Answer) -> Value {
    let mut body = answer.json();
    if answer.status >= 400 {
        let sentence = SENTENCES.iter().find(|(code, _)| body["code"] == *code).map(|(_, sentence)| *sentence);
        if sentence.is_none_or(|sentence| body["error"] == sentence) {
            body = json!({"code": body["code"]});
        }
    } else if let Some(results) = body.get_mut("results").and_then(Value::as_array_mut) {
        results.iter_mut().for_each(|result| *result = json!({"status": result["status"]}));
    } else if body["pagination"]["nextCursor"].is_string() {
        body["pagination"]["nextCursor"] = SOME_CURSOR.into();
    }
    json!({"status": answer.status, "body": body})
}

fn said(verdict: Verdict) -> Value {
    match verdict {
        Ok((status, body)) => json!({"status": status, "body": body}),
        Err(Refusal(status, code)) => json!({"status": status, "body": {"code": code}}),
    }
}
