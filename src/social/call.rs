//! What most handlers of the REST routes need: who calls, Redis for the request, and the application.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{
    actor::{Actor, Moment},
    outcome,
    privacy::{Privacy, Viewer},
};
use crate::{
    app::App,
    auth::{Caller, RestCaller, Username},
    error::ApiError,
    redis::{Elements, Invocation, Redis},
};

/// A call of a REST route by someone who may.
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// In whose name, and with what authority.
    pub actor: Actor,
    /// Redis for this request.
    pub redis: Redis,
    /// The application.
    pub app: App,
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let RestCaller(caller) = RestCaller::from_request_parts(parts, app).await?;
        let redis = Redis::from_request_parts(parts, app).await?;
        Ok(Self { actor: Actor::from(&caller), caller, redis, app: app.clone() })
    }
}

impl Call {
    /// The moment of the call.
    pub fn moment(&self) -> Moment {
        Moment::now(&self.app)
    }

    /// Which fields of profiles are whose to see.
    pub fn privacy(&self) -> &Privacy {
        &self.app.config.privacy
    }

    /// What the caller is to a user: an API key that acts as nobody sees the public view, even of its own `xano_sync`, since
    /// raw data is what `POST /` is for.
    pub fn viewer_of(&self, username: &Username) -> Viewer {
        let is_plain_key = matches!(self.caller, Caller::ApiKey { acting_as: None, .. });
        if *username == self.actor.username && !is_plain_key { Viewer::Oneself } else { Viewer::Other }
    }

    /// The user that a path means; `me` is the caller.
    ///
    /// # Errors
    /// 400 for what is no username.
    pub fn resolve(&self, id: &str) -> Result<Username, ApiError> {
        match id {
            "me" => Ok(self.actor.username.clone()),
            id => id.parse().map_err(|problem| ApiError::bad_request(format!("Invalid user id: {problem}"))),
        }
    }

    /// Runs a script, and accepts what it answers or passes on why it did nothing.
    ///
    /// # Errors
    /// The script's refusal, or what Redis fails with.
    pub async fn run(&self, invocation: Invocation) -> Result<Elements, ApiError> {
        outcome::accept(self.redis.call(invocation).await?)
    }
}
