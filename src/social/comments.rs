//! Comments on posts.

use http::StatusCode;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    call::Call,
    draft::trimmed,
    ids::CommentId,
    keys,
    page::{Page, Pagination},
    post::Authors,
    posts::{Done, post_id},
    privacy::Viewer,
    profile::Profile,
    scripts,
};
use crate::{
    edge::{
        Json, Query, Segment,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    redis::{Elements, Failure, Reply, Safety, Text},
};

/// The longest content, in characters.
const MAX_CONTENT: usize = 2000;

/// A comment as it is shown.
struct Comment<'a> {
    fields: &'a [Reply],
    user: Option<&'a Profile>,
}

/// The fields of `comment:<id>`, in the order of `comments.lua`.
const FIELDS: [&str; 4] = ["id", "post_id", "user_id", "content"];

impl Serialize for Comment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in FIELDS.iter().zip(self.fields) {
            map.serialize_entry(name, &Text(value.as_bytes().map_or(&[][..], |bytes| bytes)))?;
        }
        let created_at = self.fields.get(FIELDS.len()).and_then(Reply::as_integer).unwrap_or(0);
        map.serialize_entry("created_at", &created_at)?;
        if let Some(user) = self.user {
            map.serialize_entry("user", user)?;
        }
        map.end()
    }
}

/// The answer of `POST /posts/:id/comments`.
pub struct Created {
    fields: [Reply; 5],
    user: Option<Profile>,
}

impl Serialize for Created {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("comment", &Comment { fields: &self.fields, user: self.user.as_ref() })?;
        map.end()
    }
}

/// Comments on a post.
pub async fn create(
    call: Call,
    Segment(id): Segment,
    BodyOf(body): BoundedBody,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let id = post_id(&id)?;
    let content = trimmed(&mut Fields::of(&body)?, "content", MAX_CONTENT)?;
    let comment = CommentId::fresh(call.app.host.as_ref());
    let moment = call.moment();
    let username = &call.actor.username;
    let mut invocation = moment.invoke(&scripts::COMMENT, Safety::RepeatableWrite);
    invocation.key(keys::user(username)).key(keys::post(&id)).key(keys::comment(&comment));
    invocation.arg(username.to_string()).arg(call.actor.authority.as_str());
    invocation.arg(id.to_string()).arg(comment.to_string()).arg(content.clone());
    let mut reply = call.run(invocation).await?;
    let user = Profile::from_reply(reply.reply()?, call.privacy(), Viewer::Other)?;
    let texts = [comment.to_string(), id.to_string(), username.to_string(), content].map(|text| text.into());
    let [comment, post, author, content] = texts.map(Reply::String);
    let fields = [comment, post, author, content, Reply::Integer(moment.now_ms)];
    Ok((StatusCode::CREATED, Json(Created { fields, user })))
}

/// A page of comments.
pub struct Comments {
    items: Vec<(Vec<Reply>, u64)>,
    authors: Authors,
    pagination: Pagination,
}

impl Serialize for Comments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        let comments: Vec<Comment<'_>> =
            self.items.iter().map(|(fields, author)| Comment { fields, user: self.authors.get(*author) }).collect();
        map.serialize_entry("comments", &comments)?;
        map.serialize_entry("pagination", &self.pagination)?;
        map.end()
    }
}

fn read_item(reply: Reply) -> Result<(Vec<Reply>, u64), Failure> {
    let mut parts = Elements::of(reply)?;
    Ok((parts.array()?, parts.unsigned()?))
}

/// Lists the comments on a post, newest first.
pub async fn list(call: Call, Segment(id): Segment, query: Query) -> Result<Json<Comments>, ApiError> {
    let id = post_id(&id)?;
    let page = Page::of(&query)?;
    let mut invocation = scripts::COMMENTS.invoke(Safety::Read);
    invocation.key(keys::post(&id)).key(keys::comments(&id));
    invocation.arg(call.actor.username.to_string()).arg(if page.include_user { "users" } else { "" });
    page.tell(&mut invocation)?;
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    let mut reply = call.run(invocation).await?;
    let mut pagination = page.pagination(&mut reply)?;
    let items = reply.array()?.into_iter().map(read_item).collect::<Result<Vec<_>, _>>()?;
    pagination.count = items.len();
    Ok(Json(Comments { items, authors: Authors::of(reply.array()?, call.privacy())?, pagination }))
}

/// Deletes a comment: its author, the author of its post, or an administrator.
pub async fn delete(call: Call, Segment(id): Segment) -> Result<Json<Done>, ApiError> {
    let id: CommentId =
        id.parse().map_err(|problem| ApiError::bad_request(format!("Invalid comment id: {problem}")))?;
    let mut invocation = call.moment().invoke(&scripts::UNCOMMENT, Safety::Write);
    invocation.key(keys::comment(&id)).arg(call.actor.username.to_string());
    invocation.arg(call.actor.authority.as_str()).arg(id.to_string());
    call.run(invocation).await?;
    Ok(Json(Done::new("Comment deleted")))
}
