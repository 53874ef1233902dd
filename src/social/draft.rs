//! What a post says, before it is stored: by whoever writes it, or by a backend that syncs it.

use sha2::{Digest as _, Sha256};

use super::{
    actor::{Actor, Moment},
    ids::{Hashtag, MAX_HASHTAGS, PostId},
    keys, scripts,
};
use crate::{
    edge::fields::{FieldError, Fields},
    redis::{Invocation, Safety},
};

/// The longest content, in characters.
const MAX_CONTENT: usize = 5000;
/// The longest `media_url`, in bytes.
const MAX_URL: usize = 2048;

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
