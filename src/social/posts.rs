//! Posts: making, showing, viewing, banning and deleting them.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, StatusCode, request::Parts};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    actor::{Actor, Moment},
    call::Call,
    ids::{Hashtag, MAX_HASHTAGS, PostId},
    jobs, keys,
    post::Post,
    privacy::Viewer,
    profile::Profile,
    scripts,
};
use crate::{
    app::App,
    edge::{
        Json, Segment,
        body::{BodyOf, BoundedBody},
        fields::{FieldError, Fields},
    },
    error::ApiError,
    redis::{Invocation, Safety},
};

/// The longest content, in characters.
const MAX_CONTENT: usize = 5000;
/// The longest `media_url`, in bytes.
const MAX_URL: usize = 2048;
/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;

/// What a post says.
pub struct Draft {
    content: String,
    media_url: Option<String>,
    hashtags: Vec<Hashtag>,
}

impl Draft {
    /// Takes the fields of a post out of a body.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn take(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        let content = trimmed(fields, "content", MAX_CONTENT)?;
        let media_url = fields.text("media_url")?.map(|url| url.trim().to_owned());
        if media_url.as_deref().is_some_and(|url| !is_media_url(url)) {
            return Err(FieldError::new(
                "media_url",
                format!("empty or an http or https URL of at most {MAX_URL} bytes"),
            ));
        }
        let hashtags = hashtags(&content, fields.texts("hashtags")?.unwrap_or_default())?;
        Ok(Self { content, media_url, hashtags })
    }

    /// The id that the same draft of the same user always has.
    pub fn derived_id(&self, author: &Actor, created_at: Option<i64>) -> PostId {
        let url = self.media_url.as_deref().unwrap_or_default();
        let text = format!("{}\0{created_at:?}\0{url}\0{}", author.username, self.content);
        PostId::of_digest(&Sha256::digest(text).into())
    }

    /// The call that stores the draft.
    pub fn store(&self, author: &Actor, id: &PostId, storing: &Storing<'_>, moment: &Moment) -> Invocation {
        let (mode, created_at, idempotency) = match storing {
            Storing::Create { idempotency } => ("create", None, *idempotency),
            Storing::Sync { created_at } => ("sync", *created_at, None),
        };
        let is_new_each_time = mode == "create" && idempotency.is_none();
        let safety = if is_new_each_time { Safety::RepeatableWrite } else { Safety::IdempotentWrite };
        let mut call = moment.invoke(&scripts::PUT_POST, safety);
        call.key(keys::user(&author.username)).key(keys::post(id)).key(keys::EXPLORE);
        let hashtags: Vec<&str> = self.hashtags.iter().map(Hashtag::as_str).collect();
        call.arg(author.username.to_string()).arg(id.to_string()).arg(mode);
        call.arg(self.content.clone()).arg(hashtags.join(","));
        call.arg(if self.media_url.is_some() { "media" } else { "" });
        call.arg(self.media_url.clone().unwrap_or_default());
        call.arg(created_at.map(|time| time.to_string()).unwrap_or_default());
        call.arg(if idempotency.is_some() { "idempotent" } else { "" });
        if let Some(digest) = idempotency {
            call.key(keys::idempotency(&author.username, digest));
        }
        call
    }
}

/// How a draft is stored.
pub enum Storing<'a> {
    /// As a new post.
    Create {
        /// The digest of the `Idempotency-Key`, if one was sent.
        idempotency: Option<&'a str>,
    },
    /// As the post that a backend says it is.
    Sync {
        /// When it was made, if the backend says so.
        created_at: Option<i64>,
    },
}

/// A text of 1 to `most` characters, once trimmed.
pub(super) fn trimmed(fields: &mut Fields<'_>, name: &str, most: usize) -> Result<String, FieldError> {
    let text = fields.required(name)?.trim().to_owned();
    let is_good = !text.is_empty() && text.chars().nth(most).is_none();
    if is_good { Ok(text) } else { Err(FieldError::new(name, format!("1 to {most} characters long"))) }
}

/// Whether a browser would take it for a web address; whether something is there is not ours to find out.
fn is_media_url(text: &str) -> bool {
    let is_printable = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_web = |(scheme, rest): (&str, &str)| {
        let is_http = ["http", "https"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        is_http && rest.starts_with(|first: char| !matches!(first, '/' | '?' | '#'))
    };
    text.is_empty() || (text.len() <= MAX_URL && is_printable && text.split_once("://").is_some_and(is_web))
}

/// Those of the content, then those of the field, without repeats.
fn hashtags(content: &str, listed: Vec<String>) -> Result<Vec<Hashtag>, FieldError> {
    let mut tags: Vec<Hashtag> = Vec::new();
    let mut add = |tag: Hashtag| {
        if tags.len() < MAX_HASHTAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    };
    Hashtag::in_text(content).for_each(&mut add);
    for (index, text) in listed.into_iter().enumerate() {
        let problem = |problem| FieldError(format!("Field 'hashtags', item {index}: {problem}"));
        add(text.trim().parse().map_err(problem)?);
    }
    Ok(tags)
}

/// The digest of the `Idempotency-Key`, if one was sent.
pub struct IdempotencyKey(Option<String>);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        idempotency_key(&parts.headers).map(Self)
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = values.next() else { return Ok(None) };
    let is_good = (1..=MAX_KEY).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !is_good || values.next().is_some() {
        let sentence =
            format!("Header 'Idempotency-Key' must be 1 to {MAX_KEY} visible ASCII characters, and there once");
        return Err(ApiError::bad_request(sentence));
    }
    Ok(Some(digest_of(key.as_bytes())))
}

/// SHA-256 in hexadecimal: how text of a stranger becomes part of a key.
pub(crate) fn digest_of(text: &[u8]) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// The id of a post in a path.
pub(super) fn post_id(text: &str) -> Result<PostId, ApiError> {
    text.parse().map_err(|problem| ApiError::bad_request(format!("Invalid post id: {problem}")))
}

/// The answer of `POST /posts`.
#[derive(Serialize)]
pub struct Created {
    post: Post,
}

/// Makes a post in the caller's name.
pub async fn create(
    call: Call,
    IdempotencyKey(key): IdempotencyKey,
    BodyOf(body): BoundedBody,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let draft = Draft::take(&mut Fields::of(&body)?)?;
    let id = PostId::fresh(call.app.host.as_ref());
    let storing = Storing::Create { idempotency: key.as_deref() };
    let mut reply = call.run(draft.store(&call.actor, &id, &storing, &call.moment())).await?;
    let _status = reply.text()?;
    let post = Post::new(reply.array()?, reply.flag()?, reply.flag()?)?;
    Ok((StatusCode::CREATED, Json(Created { post })))
}

/// The answer of `GET /posts/:id`.
#[derive(Serialize)]
pub struct Single {
    post: Post,
    user: Option<Profile>,
}

/// Shows a post.
pub async fn show(call: Call, Segment(id): Segment) -> Result<Json<Single>, ApiError> {
    let id = post_id(&id)?;
    let mut invocation = scripts::SHOW_POST.invoke(Safety::Read);
    invocation.key(keys::post(&id)).arg(call.actor.username.to_string());
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    let mut reply = call.run(invocation).await?;
    let post = Post::new(reply.array()?, reply.flag()?, reply.flag()?)?;
    Ok(Json(Single { post, user: Profile::from_reply(reply.reply()?, call.privacy(), Viewer::Other)? }))
}

/// The answer of a route that has nothing to say but that it is done.
#[derive(Serialize)]
pub struct Done {
    message: &'static str,
}

impl Done {
    /// Done, and this is what.
    pub fn new(message: &'static str) -> Self {
        Self { message }
    }
}

/// The call that deletes a post in an actor's name.
pub fn deletion(id: &PostId, actor: &Actor, moment: &Moment) -> Invocation {
    let mut call = moment.invoke(&scripts::DELETE_POST, Safety::Write);
    call.key(keys::post(id)).key(keys::EXPLORE);
    call.arg(actor.username.to_string()).arg(actor.authority.as_str()).arg(id.to_string());
    call
}

/// Deletes a post, of one's own or as an administrator.
pub async fn delete(call: Call, Segment(id): Segment) -> Result<Json<Done>, ApiError> {
    let id = post_id(&id)?;
    let mut reply = call.run(deletion(&id, &call.actor, &call.moment())).await?;
    jobs::wake_unless_done(&call.app, &reply.text()?).await;
    Ok(Json(Done::new("Post deleted")))
}

/// The answer of `POST /posts/:id/view`.
#[derive(Serialize)]
pub struct Viewed {
    #[serde(rename = "viewsCount")]
    views_count: i64,
}

/// Counts a view.
pub async fn view(call: Call, Segment(id): Segment) -> Result<Json<Viewed>, ApiError> {
    let id = post_id(&id)?;
    let mut invocation = call.moment().invoke(&scripts::VIEW, Safety::Write);
    invocation.key(keys::post(&id)).arg(call.actor.username.to_string());
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    let views_count = call.run(invocation).await?.integer()?;
    Ok(Json(Viewed { views_count }))
}

/// The answer of a route that turns something on or off.
#[derive(Serialize)]
pub struct Changed {
    message: &'static str,
    changed: bool,
}

/// Bans a post.
pub async fn ban(call: Call, Segment(id): Segment) -> Result<Json<Changed>, ApiError> {
    set_ban(call, &id, true).await
}

/// Lifts a ban.
pub async fn lift_ban(call: Call, Segment(id): Segment) -> Result<Json<Changed>, ApiError> {
    set_ban(call, &id, false).await
}

async fn set_ban(call: Call, id: &str, on: bool) -> Result<Json<Changed>, ApiError> {
    let id = post_id(id)?;
    let mut invocation = call.moment().invoke(&scripts::BAN, Safety::IdempotentWrite);
    invocation.key(keys::post(&id)).key(keys::EXPLORE).key(keys::BANNED);
    invocation.arg(call.actor.username.to_string()).arg(call.actor.authority.as_str());
    invocation.arg(id.to_string()).arg(if on { "on" } else { "off" });
    let mut reply = call.run(invocation).await.map_err(as_not_admin)?;
    let changed = reply.flag()?;
    jobs::wake_unless_done(&call.app, &reply.text()?).await;
    Ok(Json(Changed { message: if on { "Post banned" } else { "Ban lifted" }, changed }))
}

/// Where nobody but an administrator may act, that is what a refusal means.
pub(super) fn as_not_admin(error: ApiError) -> ApiError {
    match error {
        ApiError::Forbidden(_) => ApiError::NotAdmin,
        error => error,
    }
}
