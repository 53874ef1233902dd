//! From an operation to its request.

use serde_json::{Value, json};

use super::{
    model::Model,
    operation::{
        BLANKS, Changes, Feed, Items, MEDIA, Op, Page, Reaction, Read, SyncedFollow, SyncedPost, SyncedReaction,
        SyncedUser, TAG_LISTS, TEXTS, Target, Who,
    },
};
use crate::support::{Call, Gateway, token};

/// The request of an operation, signed.
pub fn request(gateway: &Gateway, model: &Model, op: &Op) -> Call {
    let switch = |on: &bool| if *on { "POST" } else { "DELETE" };
    let post = |pick, part| format!("/posts/{}{part}", model.post_id(pick));
    let (by, call) = match op {
        Op::Wait(_) | Op::Walk { .. } | Op::Compare => unreachable!("no single request"),
        Op::Put { by, user, fields } => (by, gateway.call("PUT", &path(*user, "")).json(object(fields))),
        Op::Patch { by, user, fields } => (by, gateway.call("PATCH", &path(*user, "")).json(object(fields))),
        Op::DeleteUser { by, user } => (by, gateway.call("DELETE", &path(*user, ""))),
        Op::Follow { by, user, on } => (by, gateway.call(switch(on), &path(*user, "/follow"))),
        Op::Create { by, text, tags, media, key } => {
            let (content, hashtags) = (TEXTS[*text].0, TAG_LISTS[*tags].0);
            let body = json!({"content": content, "hashtags": hashtags, "media_url": MEDIA[*media]});
            let call = gateway.post("/posts").json(body);
            (by, if let Some(key) = key { call.header("idempotency-key", key.to_string()) } else { call })
        }
        Op::CreateBlank { by, text } => (by, gateway.post("/posts").json(json!({"content": BLANKS[*text]}))),
        Op::DeletePost { by, post: pick } => (by, gateway.call("DELETE", &post(*pick, ""))),
        Op::React { by, post: pick, reaction: Reaction::Like, on } => {
            (by, gateway.call(switch(on), &post(*pick, "/like")))
        }
        Op::React { by, post: pick, reaction: Reaction::Bookmark, on } => {
            (by, gateway.call(switch(on), &post(*pick, "/bookmark")))
        }
        Op::View { by, post: pick } => (by, gateway.post(&post(*pick, "/view"))),
        Op::Comment { by, post: pick, text } => {
            (by, gateway.post(&post(*pick, "/comments")).json(json!({"content": TEXTS[*text].0})))
        }
        Op::Uncomment { by, comment } => {
            (by, gateway.call("DELETE", &format!("/comments/{}", model.comment_id(*comment))))
        }
        Op::Ban { by, post: pick, on } => {
            (by, gateway.call(if *on { "PATCH" } else { "DELETE" }, &post(*pick, "/ban")))
        }
        Op::Sync(items) => {
            let (path, body) = list(model, items);
            (&Who::Key, gateway.post(path).json(body))
        }
        Op::Stats { by } => (by, gateway.get("/sync/stats")),
        Op::Read { by, what } => (by, gateway.get(&read_path(model, what))),
    };
    signed(call, by)
}

/// Path and body by which a backend sends items.
fn list(model: &Model, items: &Items) -> (&'static str, Value) {
    match items {
        Items::Users(users) => {
            let item = |user: &SyncedUser| {
                let mut item = object(&user.fields);
                item["username"] = user.name.into();
                item["deleted"] = user.deleted.into();
                item
            };
            ("/sync/users", users.iter().map(item).collect())
        }
        Items::Posts(posts) => {
            let item = |post: &SyncedPost| {
                json!({
                    "id": post.id, "username": post.author, "content": TEXTS[post.text].0,
                    "hashtags": TAG_LISTS[post.tags].0, "media_url": post.media.map(|media| MEDIA[media]),
                    "created_at": post.created_at, "deleted": post.deleted,
                })
            };
            ("/sync/posts", posts.iter().map(item).collect())
        }
        Items::Follows(follows) => {
            let item = |SyncedFollow { follower, following, created_at, deleted }: &SyncedFollow| json!({"follower": follower, "following": following, "created_at": created_at, "deleted": deleted});
            ("/sync/follows", follows.iter().map(item).collect())
        }
        Items::Reactions(reaction, items) => {
            let item = |SyncedReaction { username, post, created_at, deleted }: &SyncedReaction| {
                let post = model.post_id(*post);
                json!({"username": username, "post_id": post, "created_at": created_at, "deleted": deleted})
            };
            let path = if *reaction == Reaction::Like { "/sync/likes" } else { "/sync/bookmarks" };
            (path, items.iter().map(item).collect())
        }
    }
}

/// Where something is read.
pub fn read_path(model: &Model, what: &Read) -> String {
    match what {
        Read::User(user) => path(*user, ""),
        Read::Post(post) => format!("/posts/{}", model.post_id(*post)),
        Read::Comments(post, page) => format!("/posts/{}/comments?{}", model.post_id(*post), query(page)),
        Read::Feed { feed, page, include_user } => {
            format!("{}?includeUser={include_user}&{}", feed_path(*feed), query(page))
        }
        Read::Followers(user, page) => format!("{}?{}", path(*user, "/followers"), query(page)),
        Read::Following(user, page) => format!("{}?{}", path(*user, "/following"), query(page)),
        Read::Newest { role, limit } => format!("/search/users/newest?role={role}&limit={limit}"),
        Read::TopModels { limit } => format!("/search/models/top?limit={limit}"),
        Read::TopPosts { tags, per_hashtag } => {
            let tags: Vec<String> = tags.iter().map(|tag| encoded(tag)).collect();
            format!("/search/hashtags/top-posts?hashtags={}&postsPerHashtag={per_hashtag}", tags.join(","))
        }
    }
}

fn path(user: Target, part: &str) -> String {
    format!("/users/{}{part}", user.name("me"))
}

fn feed_path(feed: Feed) -> String {
    match feed {
        Feed::Explore => "/feed/explore".to_owned(),
        Feed::Following => "/feed/following".to_owned(),
        Feed::Hashtag(tag) => format!("/feed/hashtag/{}", encoded(tag)),
        Feed::Ranked(tag) => format!("/feed/hashtag/{}/ranked", encoded(tag)),
        Feed::Posts(user) => path(user, "/posts"),
        Feed::Liked(user) => path(user, "/liked"),
        Feed::Bookmarked(user) => path(user, "/bookmarked"),
    }
}

fn query(page: &Page) -> String {
    page.0.map_or_else(String::new, |(offset, limit)| format!("offset={offset}&limit={limit}"))
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn object(fields: &Changes) -> Value {
    fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect()
}

/// With somebody's credentials.
pub fn signed(call: Call, by: &Who) -> Call {
    match by {
        Who::Token(name, role) => call.bearer(&token::of(name, role)),
        Who::ActedAs(name) => call.api_key().header("x-act-as", name),
        Who::Key => call.api_key(),
        Who::Nobody => call,
    }
}
