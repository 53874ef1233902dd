//! From headers to a caller.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderName};

use super::{
    api_key::{ApiKey, Scope},
    jwt::Claims,
    username::{Role, Username},
};
use crate::{app::App, edge::Context, error::ApiError, policy::acl::Acl};

/// Someone who has shown who they are.
pub enum Caller {
    /// A backend with an API key.
    ApiKey {
        /// Which key.
        key: Arc<ApiKey>,
        /// The user of `X-Act-As`, if it was sent.
        acting_as: Option<Username>,
    },
    /// A frontend with a token.
    User(Box<Claims>),
}

impl Caller {
    /// Reads the credentials, if there are any. `X-API-Key` is looked at first. A key that is known is noted in `context`,
    /// also if it is refused here.
    ///
    /// # Errors
    /// 401 for credentials that are wrong, 403 for an `X-Act-As` that is not allowed, 400 for one that is no name.
    pub async fn from_headers(headers: &HeaderMap, app: &App, context: &Context) -> Result<Option<Self>, ApiError> {
        let act_as = single(headers, &ACT_AS);
        let caller = if let Some(key) = single(headers, &API_KEY) {
            Some(by_api_key(key, act_as, headers, app, context)?)
        } else if let Some(token) = token(headers) {
            Some(by_token(token, app).await?)
        } else {
            None
        };
        match caller {
            Some(Self::User(_)) if act_as.is_some() => Err(ApiError::ActAsForbidden),
            caller => Ok(caller),
        }
    }

    /// Reads the API key that a client of Upstash's presents: in `X-API-Key`, as a bearer token, or in the query.
    ///
    /// # Errors
    /// 401 if there is none or it is wrong, 403 for a token of a user and for `X-Act-As`: users have the REST routes.
    pub async fn of_gateway(
        headers: &HeaderMap,
        query: Option<&str>,
        app: &App,
        context: &Context,
    ) -> Result<Arc<ApiKey>, ApiError> {
        if headers.contains_key(ACT_AS) {
            return Err(ApiError::Forbidden("X-Act-As does not reach the gateway".into()));
        }
        let in_header = single(headers, &API_KEY).or_else(|| bearer(headers));
        let in_query = || query.filter(|_| app.config.query_token).and_then(query_token);
        let presented = in_header.map(Cow::Borrowed).or_else(in_query).ok_or(ApiError::MissingToken)?;
        match known_key(&presented, headers, app, context) {
            Err(ApiError::InvalidApiKey) if is_token(&presented, app).await => {
                Err(ApiError::ApiKeyRequired(Scope::Gateway))
            }
            result => result,
        }
    }

    /// The user whose name the call is made in.
    pub fn username(&self) -> Username {
        match self {
            Self::ApiKey { acting_as: Some(username), .. } => username.clone(),
            Self::ApiKey { acting_as: None, .. } => Username::sync_user(),
            Self::User(claims) => claims.username.clone(),
        }
    }

    /// What the caller is called in answers and log lines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey { .. } => API_KEY_KIND,
            Self::User(_) => "user",
        }
    }

    /// The role, where it is known without asking Redis: that of an acted-as user stands in its profile.
    pub fn known_role(&self) -> Option<Role> {
        match self {
            Self::ApiKey { acting_as: Some(_), .. } => None,
            Self::ApiKey { acting_as: None, .. } => Some(Role::Admin),
            Self::User(claims) => Some(claims.role),
        }
    }

    /// The rules that bind the caller on the proxies and the gateway.
    pub fn acl(&self) -> Option<&Acl> {
        match self {
            Self::ApiKey { key, .. } => key.acl.as_ref(),
            Self::User(_) => None,
        }
    }

    /// Whether the caller is an API key with this scope.
    pub fn has_scope(&self, scope: Scope) -> bool {
        matches!(self, Self::ApiKey { key, .. } if key.has(scope))
    }
}

/// What a caller with an API key is called in answers and log lines.
pub const API_KEY_KIND: &str = "api_key";

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const ACT_AS: HeaderName = HeaderName::from_static("x-act-as");
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");
const TOKEN_HEADERS: [HeaderName; 3] = [
    http::header::AUTHORIZATION,
    HeaderName::from_static("x-authorization"),
    HeaderName::from_static("x-access-token"),
];

/// The configured key that was presented, if it may be used from where the caller is.
fn known_key(presented: &[u8], headers: &HeaderMap, app: &App, context: &Context) -> Result<Arc<ApiKey>, ApiError> {
    let key = app.config.api_keys.find(presented, || app.host.now_ms()).ok_or(ApiError::InvalidApiKey)?;
    context.note_key(key);
    let address = || single(headers, &CLIENT_ADDRESS).and_then(|text| std::str::from_utf8(text).ok());
    if key.allows(|| address().and_then(|text| text.parse::<IpAddr>().ok())) {
        Ok(Arc::clone(key))
    } else {
        Err(ApiError::AddressForbidden)
    }
}

fn by_api_key(
    presented: &[u8],
    act_as: Option<&[u8]>,
    headers: &HeaderMap,
    app: &App,
    context: &Context,
) -> Result<Caller, ApiError> {
    let key = known_key(presented, headers, app, context)?;
    let acting_as = match act_as {
        None => None,
        Some(_) if !key.has(Scope::ActAs) => return Err(ApiError::MissingScope(Scope::ActAs)),
        Some(name) => Some(act_as_user(name)?),
    };
    Ok(Caller::ApiKey { key, acting_as })
}

fn act_as_user(name: &[u8]) -> Result<Username, ApiError> {
    let name = std::str::from_utf8(name).unwrap_or_default();
    match name.parse::<Username>() {
        Ok(username) if username.is_reserved() => Err(ApiError::bad_request("X-Act-As: 'xano_sync' is reserved")),
        Ok(username) => Ok(username),
        Err(problem) => Err(ApiError::bad_request(format!("X-Act-As: {problem}"))),
    }
}

async fn by_token(token: Result<&str, ApiError>, app: &App) -> Result<Caller, ApiError> {
    if let Some(problem) = &app.config.jwt.misconfigured {
        return Err(ApiError::Misconfigured(problem.clone()));
    }
    let claims = app.config.jwt.verify(token?, app.host.as_ref()).await?;
    Ok(Caller::User(Box::new(claims)))
}

/// The first header that holds a token, with or without `Bearer `. An `Authorization` of another scheme is not ours.
fn token(headers: &HeaderMap) -> Option<Result<&str, ApiError>> {
    for name in &TOKEN_HEADERS {
        let mut values = headers.get_all(name).iter();
        let (Some(value), more) = (values.next(), values.next()) else { continue };
        let text = value.to_str().unwrap_or("?").trim();
        let (scheme, rest) = text.split_once(' ').unwrap_or(("", text));
        if text.is_empty() || !(scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer")) {
            continue;
        }
        if more.is_some() {
            return Some(Err(super::jwt::TokenError::Invalid("There is more than one token").into()));
        }
        return Some(Ok(rest.trim()));
    }
    None
}

/// The bearer token of `Authorization`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = single(headers, &http::header::AUTHORIZATION)?;
    let (scheme, token) = value.split_at_checked(BEARER.len())?;
    scheme.eq_ignore_ascii_case(BEARER).then(|| token.trim_ascii())
}

const BEARER: &[u8] = b"Bearer ";

/// The parameter `_token` of a query, decoded.
fn query_token(query: &str) -> Option<Cow<'_, [u8]>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == QUERY_TOKEN)?;
    Some(value.into_owned().into_bytes().into())
}

/// The query parameter in which an API key may stand. It is never an argument of a command, and never logged.
pub const QUERY_TOKEN: &str = "_token";

/// Whether this is a good token of a user, which is not for the gateway.
async fn is_token(presented: &[u8], app: &App) -> bool {
    let Ok(text) = std::str::from_utf8(presented) else { return false };
    app.config.jwt.misconfigured.is_none() && app.config.jwt.verify(text, app.host.as_ref()).await.is_ok()
}

/// The value of a header that may be there once. Twice is as wrong as a wrong value: the two are joined, as HTTP
/// does, and match nothing.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_some() { b"," } else { first.as_bytes() })
}
