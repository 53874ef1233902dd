//! `/redis`: Upstash's REST API in front of any Redis.
//!
//! A request travels through [`question`] (what is asked, in the path or in the body), [`plan`] (what policy makes of each
//! command, and what Ridge adds), and then one of two ways. Over REST, a request that needs no rewriting is
//! [passed on](passage) byte for byte, and so is its answer. Otherwise its commands are one pipeline or one transaction, and
//! [`answer`] writes what comes back as the caller wants it.
//!
//! Who may call stands in [`GatewayCaller`]; which commands it runs for nobody, in [`crate::policy::refused`].

mod answer;
mod passage;
pub mod path;
mod plan;
mod question;

use axum::{extract::State, response::Response};

use self::{
    answer::Encoding,
    plan::Plan,
    question::{Form, Question},
};
use crate::{
    app::App,
    auth::{ApiKey, GatewayCaller},
    error::ApiError,
    redis::{Ask, Backend, Redis},
};

/// Whether errors of a path are answered as Upstash answers them. `/redis/write` is the proxy's.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix("/redis").is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && rest != "/write"))
}

/// Runs one command, from the path or from the body.
pub async fn command(
    GatewayCaller(key): GatewayCaller,
    redis: Redis,
    State(app): State<App>,
    question: Question,
) -> Result<Response, ApiError> {
    Box::pin(run(Form::Command, &key, &redis, &app, question)).await
}

/// Runs commands in their order; others may run between them.
pub async fn pipeline(
    GatewayCaller(key): GatewayCaller,
    redis: Redis,
    State(app): State<App>,
    question: Question,
) -> Result<Response, ApiError> {
    Box::pin(run(Form::Pipeline, &key, &redis, &app, question)).await
}

/// Runs commands as one transaction.
pub async fn multi_exec(
    GatewayCaller(key): GatewayCaller,
    redis: Redis,
    State(app): State<App>,
    question: Question,
) -> Result<Response, ApiError> {
    Box::pin(run(Form::Transaction, &key, &redis, &app, question)).await
}

async fn run(form: Form, key: &ApiKey, redis: &Redis, app: &App, question: Question) -> Result<Response, ApiError> {
    let encoding = Encoding::of(&question, form)?;
    let asked = question.read(form)?;
    let plan = Plan::of(asked.commands, key.acl.as_ref());
    if form == Form::Transaction {
        plan.refuse_whole()?;
    }
    if let (Backend::Rest(rest), Some(outgoing), true) = (redis.backend(), asked.as_it_came, plan.is_untouched()) {
        return passage::pass(redis, rest, outgoing, plan.safety()).await;
    }
    let exact = plan.looks_at_replies() || encoding != Encoding::Text;
    let atomic = form == Form::Transaction || (form == Form::Command && plan.adds_commands());
    let ask = Ask { pipeline: plan.pipeline(), atomic, exact, sync_token: question.sync_token.as_deref() };
    let told = redis.ask(&ask, plan.safety()).await?;
    let replies = told.replies.map_err(ApiError::Command)?;
    let results = plan.results(replies, key.acl.as_ref())?;
    let token = told.sync_token.unwrap_or_else(|| question::fresh_token(app));
    answer::of(form, encoding, results, &token)
}
