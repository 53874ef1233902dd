//! `/redis`: Upstash's REST API in front of any Redis.
//!
//! A request travels through `question` (what is asked, in the path or in the body), `plan` (what policy makes of each
//! command, and what Ridge adds), and then one of two ways. Over REST, a request that needs no rewriting is
//! passed on (`passage`) byte for byte, and so is its answer. Otherwise its commands are one pipeline or one transaction, and
//! `answer` writes what comes back as the caller wants it.
//!
//! What listens instead of asking ends with its connection: `events`.
//!
//! Who may call stands in [`GatewayCaller`]; which commands it runs for nobody, in [`crate::policy::refused`].

mod answer;
mod events;
mod expiry;
pub mod key_locking;
mod passage;
pub mod path;
mod plan;
mod question;

use std::sync::Arc;

use axum::{extract::FromRequestParts, response::Response};
use http::request::Parts;

use self::{
    answer::Encoding,
    plan::{Plan, Rules},
    question::{Form, Question},
};
use crate::{
    app::App,
    auth::{ApiKey, GatewayCaller},
    edge::Context,
    error::ApiError,
    redis::{Ask, Backend, Redis},
};

/// Whether errors of a path are answered as Upstash answers them. `/redis/write` is the proxy's.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix("/redis").is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && rest != "/write"))
}

/// Runs one command, from the path or from the body.
pub async fn command(call: Call, question: Question) -> Result<Response, ApiError> {
    Box::pin(run(Form::Command, &call, question)).await
}

/// Runs commands in their order; others may run between them.
pub async fn pipeline(call: Call, question: Question) -> Result<Response, ApiError> {
    Box::pin(run(Form::Pipeline, &call, question)).await
}

/// Runs commands as one transaction.
pub async fn multi_exec(call: Call, question: Question) -> Result<Response, ApiError> {
    Box::pin(run(Form::Transaction, &call, question)).await
}

/// Subscribes, or monitors.
pub async fn listen(call: Call, question: Question) -> Result<Response, ApiError> {
    Box::pin(events::listen(&call, question)).await
}

/// Who asks, and what answers. Extracted, it shows who may call.
pub struct Call {
    key: Arc<ApiKey>,
    context: Context,
    redis: Redis,
    app: App,
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let GatewayCaller(key) = GatewayCaller::from_request_parts(parts, app).await?;
        let redis = Redis::from_request_parts(parts, app).await?;
        Ok(Self { key, context: Context::of(parts), redis, app: app.clone() })
    }
}

async fn run(form: Form, call: &Call, mut question: Question) -> Result<Response, ApiError> {
    let Call { key, context, redis, app } = call;
    let encoding = Encoding::of(&question, form)?;
    let rest = match redis.backend() {
        Some(Backend::Rest(rest)) => Some(rest),
        _ => None,
    };
    let names = rest.is_none().then_some(&app.scripts);
    let rules = Rules { acl: key.acl.as_ref(), namespaces: &app.config.namespaces, names };

    let mut asked = question.read(form, rest.is_some()).await?;
    context.note_commands(asked.commands.len());
    if let Some(names) = names {
        key_locking::learn(form, &asked.commands, names, rules.acl, redis).await?;
    }
    let mut plan = Plan::of(form, asked.commands, rules);
    if asked.is_unread && !(plan.is_untouched() && asked.as_it_came.is_some()) {
        asked = question.read(form, false).await?;
        plan = Plan::of(form, asked.commands, rules);
    }
    context.note_denials(plan.denials());
    if form == Form::Transaction {
        plan.refuse_whole()?;
    }
    if let (Some(rest), Some(outgoing), true) = (rest, asked.as_it_came, plan.is_untouched()) {
        return passage::pass(redis, rest, outgoing, plan.safety()).await;
    }
    if names.is_none() {
        plan.refuse_bytes()?;
    }
    let exact = plan.looks_at_replies() || encoding != Encoding::Text;
    let sync_token = question.sync_token.as_deref();
    let ask = Ask { pipeline: plan.pipeline(), atomic: plan.is_atomic(), exact, sync_token };
    let mut told = redis.ask(&ask, plan.safety()).await?;
    if let Some(pipeline) = told.replies.as_deref().ok().and_then(|replies| plan.by_other_name(replies)) {
        told = redis.ask(&Ask { pipeline: &pipeline, ..ask }, plan.safety()).await?;
    }
    let results = plan.results(told.replies.map_err(ApiError::Command)?)?;
    let token = told.sync_token.unwrap_or_else(|| match rest {
        None => question::fresh_token(app),
        // Nobody was asked: what the caller has seen before is still the last it has seen.
        Some(_) => question.sync_token.clone().unwrap_or_default(),
    });
    answer::of(form, encoding, results, &token)
}
