//! Everything that can go wrong with a request, and the one table from that to a status, a code and a sentence.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use thiserror::Error;

use crate::{
    auth::{Scope, jwt::TokenError},
    redis::Failure,
};

/// Why a request was not answered as asked.
#[derive(Clone, Debug, Error)]
pub enum ApiError {
    /// The input is wrong; the sentence names the field, the index or the header.
    #[error("{0}")]
    BadRequest(Cow<'static, str>),
    /// The route needs a caller and there are no credentials.
    #[error("Missing token")]
    MissingToken,
    /// The API key matches none that is configured.
    #[error("Missing token")]
    InvalidApiKey,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The Redis proxy is not for tokens.
    #[error("Redis proxy access requires API key authentication")]
    ProxyForbidden,
    /// The API key is not for this.
    #[error("This API key lacks the scope '{}'", .0.name())]
    MissingScope(Scope),
    /// The API key may not be used from the caller's address.
    #[error("This API key may not be used from this address")]
    AddressForbidden,
    /// `X-Act-As` is for API keys.
    #[error("X-Act-As requires an API key")]
    ActAsForbidden,
    /// Not for tokens.
    #[error("This route requires an API key of scope '{}'", .0.name())]
    ApiKeyRequired(Scope),
    /// Only for callers of role `admin`.
    #[error("Only an administrator may do this")]
    NotAdmin,
    /// Somebody else's, or not for the caller to change; the sentence says what.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    /// The state of the data does not allow it; the sentence says why.
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// The signature of a webhook is missing or wrong.
    #[error("Invalid webhook signature")]
    InvalidSignature(&'static str),
    /// No such route.
    #[error("Not found")]
    NotFound,
    /// No such user.
    #[error("User not found")]
    UserNotFound,
    /// No such post, or none that the caller may know of.
    #[error("Post not found")]
    PostNotFound,
    /// No such comment, or none that the caller may know of.
    #[error("Comment not found")]
    CommentNotFound,
    /// No namespace of this name is configured.
    #[error("Namespace not found")]
    NamespaceNotFound,
    /// The route exists, not with this method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// The body is longer than the route takes.
    #[error("Request body exceeds {limit} bytes")]
    BodyTooLarge {
        /// The most that the route takes.
        limit: usize,
    },
    /// More commands or items than one batch takes.
    #[error("A batch holds at most {limit} items")]
    BatchTooLarge {
        /// The most that a batch takes.
        limit: usize,
    },
    /// More words than all commands of one body may have together.
    #[error("A body holds at most {limit} words")]
    TooManyWords {
        /// The most that a body takes.
        limit: usize,
    },
    /// A variable is wrong; the sentence names it and never holds its value.
    #[error("The gateway is misconfigured")]
    Misconfigured(String),
    /// A command of the gateway failed; the text is Redis's, or reads as if it were.
    #[error("{0}")]
    Command(String),
    /// Redis did not answer as it should.
    #[error(transparent)]
    Redis(#[from] Failure),
}

/// What a caller who was sent away from the proxy can use instead.
const AVAILABLE_ENDPOINTS: &[&str] = &[
    "GET /users/:id - Get user profile",
    "PATCH /users/:id - Update profile",
    "DELETE /users/:id - Delete user",
    "POST /users/:id/follow - Follow user (DELETE: unfollow)",
    "GET /users/:id/followers - List followers",
    "GET /users/:id/following - List followed users",
    "GET /users/:id/posts - List a user's posts",
    "GET /users/:id/liked - List liked posts",
    "GET /users/:id/bookmarked - List bookmarked posts",
    "POST /posts - Create post",
    "GET /posts/:id - Get post",
    "DELETE /posts/:id - Delete post",
    "POST /posts/:id/like - Like post (DELETE: unlike)",
    "POST /posts/:id/bookmark - Bookmark post (DELETE: remove bookmark)",
    "POST /posts/:id/view - Count a view",
    "GET /posts/:id/comments - List comments",
    "POST /posts/:id/comments - Comment on post",
    "DELETE /comments/:id - Delete comment",
    "GET /feed/explore - All posts, newest first",
    "GET /feed/following - Posts of followed users",
    "GET /feed/hashtag/:tag - Posts with a hashtag",
    "GET /feed/hashtag/:tag/ranked - Posts with a hashtag, best first",
    "GET /search/users/newest - Newest users",
    "GET /search/hashtags/top-posts - Best posts of hashtags",
    "GET /search/models/top - Most engaging models",
    "GET /whoami - Show who the token says you are",
    "GET /health - Health check",
];

/// How long to wait before trying again, in seconds, when Redis is away.
pub(crate) const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl ApiError {
    /// A sentence about wrong input.
    pub fn bad_request(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(sentence.into())
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::Command(_) => StatusCode::BAD_REQUEST,
            Self::MissingToken | Self::InvalidApiKey | Self::Token(_) | Self::InvalidSignature(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::ProxyForbidden
            | Self::MissingScope(_)
            | Self::AddressForbidden
            | Self::ActAsForbidden
            | Self::ApiKeyRequired(_)
            | Self::NotAdmin
            | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotFound
            | Self::UserNotFound
            | Self::PostNotFound
            | Self::CommentNotFound
            | Self::NamespaceNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge { .. } | Self::BatchTooLarge { .. } | Self::TooManyWords { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Misconfigured(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Redis(failure) => match failure {
                Failure::Nonsense(_) | Failure::Refused | Failure::OutcomeUnknown { timed_out: false } => {
                    StatusCode::BAD_GATEWAY
                }
                Failure::Unreachable | Failure::Lost | Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                Failure::Timeout | Failure::OutcomeUnknown { timed_out: true } => StatusCode::GATEWAY_TIMEOUT,
            },
        }
    }

    /// The code by which a program tells errors apart.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Command(_) => "command_failed",
            Self::MissingToken => "missing_token",
            Self::InvalidApiKey => "invalid_api_key",
            Self::Token(TokenError::Invalid(_)) => "invalid_token",
            Self::Token(TokenError::MissingUsername) => "missing_username",
            Self::Token(TokenError::Role) => "invalid_role",
            Self::ProxyForbidden => "api_key_required",
            Self::MissingScope(_) => "missing_scope",
            Self::AddressForbidden => "address_forbidden",
            Self::ActAsForbidden => "act_as_forbidden",
            Self::ApiKeyRequired(Scope::Admin) | Self::NotAdmin => "admin_only",
            Self::ApiKeyRequired(_) => "api_key_required",
            Self::Forbidden(_) => "forbidden",
            Self::Conflict(_) => "conflict",
            Self::InvalidSignature(_) => "invalid_signature",
            Self::NotFound => "not_found",
            Self::UserNotFound => "user_not_found",
            Self::PostNotFound => "post_not_found",
            Self::CommentNotFound => "comment_not_found",
            Self::NamespaceNotFound => "namespace_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BatchTooLarge { .. } | Self::TooManyWords { .. } => "batch_too_large",
            Self::Misconfigured(_) => "misconfigured",
            Self::Redis(failure) => match failure {
                Failure::Unreachable | Failure::Lost => "redis_unreachable",
                Failure::Timeout => "redis_timeout",
                Failure::Nonsense(_) => "redis_protocol_error",
                Failure::Refused => "redis_refused",
                Failure::Unavailable => "redis_unavailable",
                Failure::OutcomeUnknown { .. } => "outcome_unknown",
            },
        }
    }

    /// Whether it is the API key that may not do this.
    pub(crate) fn denies_key(&self) -> bool {
        matches!(self, Self::MissingScope(_) | Self::AddressForbidden)
    }

    /// A hint for the human who reads the answer.
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::MissingToken => "Send an API key in X-API-Key, or a token in Authorization: Bearer".into(),
            Self::InvalidApiKey => "The key in X-API-Key matches none of the configured API keys".into(),
            Self::Token(TokenError::Invalid(reason)) | Self::InvalidSignature(reason) => (*reason).into(),
            Self::ProxyForbidden => "Frontend clients should use REST endpoints instead".into(),
            Self::Misconfigured(problem) => problem.as_str().into(),
            Self::Redis(Failure::OutcomeUnknown { .. }) => {
                "The write may or may not have happened; read before you send it again".into()
            }
            _ => return None,
        })
    }

    /// The answer, once it is known which request it is for.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let forbidden_proxy = matches!(self, Self::ProxyForbidden);
        self.answer(&Body {
            error: self.to_string().into(),
            message: self.hint(),
            available_endpoints: forbidden_proxy.then_some(AVAILABLE_ENDPOINTS),
            documentation: forbidden_proxy.then_some("See docs/FRONTEND_GUIDE.md for frontend integration"),
            code: Some(self.code()),
            request_id: Some(request_id),
        })
    }

    /// The answer as Upstash's clients expect it: the error alone, in Redis's manner.
    pub(crate) fn render_for_gateway(&self) -> Response {
        let error = match self {
            Self::MissingToken | Self::InvalidApiKey | Self::Token(_) => WRONGPASS.into(),
            Self::Command(text) => text.as_str().into(),
            error => format!("ERR {error}").into(),
        };
        self.answer(&Body { error, ..Body::default() })
    }

    fn answer(&self, body: &Body<'_>) -> Response {
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status(), [(CONTENT_TYPE, json)], bytes).into_response();
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                let challenge = match self {
                    Self::Token(_) => "Bearer realm=\"ridge\", error=\"invalid_token\"",
                    _ => "Bearer realm=\"ridge\"",
                };
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
            }
            _ => {}
        }
        response
    }
}

/// What the gateway says of a token that is no API key, as Redis says it of a password.
const WRONGPASS: &str = "WRONGPASS invalid or missing auth token";

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_endpoints: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// The error itself travels to [`crate::edge`], which knows the request id and writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
