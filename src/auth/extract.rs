//! Extractors: who may call stands in the handler's signature, and bad credentials are never taken for none.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{Caller, Scope, api_key::ApiKey, caller::API_KEY_KIND};
use crate::{app::App, edge::Context, error::ApiError};

async fn caller(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    let context = Context::of(parts);
    let caller = Caller::from_headers(&parts.headers, app, &context).await?.ok_or(ApiError::MissingToken)?;
    context.note_caller(caller.kind());
    Ok(caller)
}

/// Anyone with valid credentials.
pub struct AnyCaller(pub Caller);

impl FromRequestParts<App> for AnyCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        caller(parts, app).await.map(Self)
    }
}

/// A user, or an API key of scope `rest`.
pub struct RestCaller(pub Caller);

impl FromRequestParts<App> for RestCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match caller(parts, app).await? {
            Caller::ApiKey { key, .. } if !key.has(Scope::Rest) => Err(ApiError::MissingScope(Scope::Rest)),
            caller => Ok(Self(caller)),
        }
    }
}

/// Anyone, known or not: a user, an API key of scope `rest`, or somebody without credentials.
pub struct MaybeRestCaller(pub Option<Caller>);

impl FromRequestParts<App> for MaybeRestCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match RestCaller::from_request_parts(parts, app).await {
            Ok(RestCaller(caller)) => Ok(Self(Some(caller))),
            Err(ApiError::MissingToken) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// An API key of scope `sync`.
pub struct SyncCaller;

impl FromRequestParts<App> for SyncCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        api_key_of(Scope::Sync, parts, app).await.map(|_| Self)
    }
}

/// An API key of scope `admin`. What it may do to keys is bound by its ACL.
pub struct AdminCaller(pub Caller);

impl FromRequestParts<App> for AdminCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        api_key_of(Scope::Admin, parts, app).await.map(Self)
    }
}

async fn api_key_of(scope: Scope, parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    match caller(parts, app).await? {
        caller if caller.has_scope(scope) => Ok(caller),
        Caller::ApiKey { .. } => Err(ApiError::MissingScope(scope)),
        Caller::User(_) => Err(ApiError::ApiKeyRequired(scope)),
    }
}

/// An API key of scope `proxy`. A user is told where to go instead.
pub struct ProxyCaller(pub Caller);

impl FromRequestParts<App> for ProxyCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match caller(parts, app).await? {
            Caller::User(_) => Err(ApiError::ProxyForbidden),
            caller if caller.has_scope(Scope::Proxy) => Ok(Self(caller)),
            _ => Err(ApiError::MissingScope(Scope::Proxy)),
        }
    }
}

/// An API key of scope `gateway`, presented as Upstash's clients do.
pub struct GatewayCaller(pub Arc<ApiKey>);

impl FromRequestParts<App> for GatewayCaller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let context = Context::of(parts);
        let key = Caller::of_gateway(&parts.headers, parts.uri.query(), app, &context).await?;
        context.note_caller(API_KEY_KIND);
        if key.has(Scope::Gateway) { Ok(Self(key)) } else { Err(ApiError::MissingScope(Scope::Gateway)) }
    }
}
