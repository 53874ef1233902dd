//! Search: the newest users, the best posts of hashtags, the models with the most engagement.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    call::Call,
    feeds::hashtag_of,
    ids::Hashtag,
    keys,
    page::limit,
    people::scored,
    post::{Authors, Item},
    profile::{ENGAGEMENT_SCORE, Profile},
    scripts,
};
use crate::{
    config::words,
    edge::{Json, Query},
    error::ApiError,
    redis::{Elements, Failure, Safety},
};

/// The most hashtags of one search.
const MOST_HASHTAGS: usize = 12;

/// The newest users of a role.
#[derive(Serialize)]
pub struct Newest {
    users: Vec<Profile>,
    count: usize,
}

/// Lists the newest users, or the newest models.
pub async fn newest_users(call: Call, query: Query) -> Result<Json<Newest>, ApiError> {
    let registry = match query.get("role").as_deref() {
        None | Some("user") => keys::REGULAR,
        Some("model") => keys::MODELS,
        Some(_) => return Err(ApiError::bad_request("Parameter 'role' must be user or model")),
    };
    let found = first_of(&call, registry, limit(&query)?).await?;
    let users: Vec<Profile> = found.into_iter().map(|(_, user)| user).collect();
    Ok(Json(Newest { count: users.len(), users }))
}

/// The models with the most engagement.
#[derive(Serialize)]
pub struct Top {
    models: Vec<Model>,
    count: usize,
}

struct Model {
    profile: Profile,
    engagement: i64,
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.profile.serialize_into(&mut map)?;
        map.serialize_entry(ENGAGEMENT_SCORE, &self.engagement)?;
        map.end()
    }
}

/// Lists the models whose posts have the most engagement.
pub async fn top_models(call: Call, query: Query) -> Result<Json<Top>, ApiError> {
    let found = first_of(&call, keys::TOP_MODELS, limit(&query)?).await?;
    let models: Vec<Model> = found.into_iter().map(|(engagement, profile)| Model { profile, engagement }).collect();
    Ok(Json(Top { count: models.len(), models }))
}

/// The first users of a list, each with its score.
async fn first_of(call: &Call, list: &'static str, limit: u64) -> Result<Vec<(i64, Profile)>, ApiError> {
    let mut invocation = scripts::PEOPLE.invoke(Safety::Read);
    invocation.key(list).arg(limit.to_string()).arg("0").arg("").arg("").arg("");
    let mut reply = call.run(invocation).await?;
    let (_total, _more, _score, _name) = (reply.reply()?, reply.reply()?, reply.reply()?, reply.reply()?);
    let found = scored(&mut reply, call.privacy())?;
    Ok(found.into_iter().map(|(score, user)| (score.as_integer().unwrap_or(0), user)).collect())
}

/// The best posts of each hashtag.
pub struct TopPosts {
    hashtags: Vec<(Hashtag, Vec<Item>)>,
    authors: Authors,
}

impl Serialize for TopPosts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Hashtags<'a>(&'a TopPosts);
        impl Serialize for Hashtags<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let TopPosts { hashtags, authors } = self.0;
                serializer.collect_map(hashtags.iter().map(|(tag, items)| {
                    (tag.as_str(), items.iter().map(|item| item.shown(authors)).collect::<Vec<_>>())
                }))
            }
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("hashtags", &Hashtags(self))?;
        map.end()
    }
}

/// Lists the best posts of some hashtags.
pub async fn top_posts(call: Call, query: Query) -> Result<Json<TopPosts>, ApiError> {
    let hashtags = hashtags_of(&query)?;
    let each = query.number("postsPerHashtag", 1..=50, 5)?;
    let mut invocation = scripts::TOP_POSTS.invoke(Safety::Read);
    invocation.arg(call.actor.username.to_string()).arg(each.to_string()).arg(call.moment().now_ms.to_string());
    for tag in &hashtags {
        invocation.key(keys::hashtag_ranked(tag)).arg(tag.to_string());
    }
    let mut reply: Elements = call.run(invocation).await?;
    let authors = Authors::of(reply.array()?, call.privacy())?;
    let items = reply.map(|posts| Item::list(posts.into_array()?)).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Json(TopPosts { hashtags: hashtags.into_iter().zip(items).collect(), authors }))
}

fn hashtags_of(query: &Query) -> Result<Vec<Hashtag>, ApiError> {
    let text = query.get("hashtags").unwrap_or_default();
    let mut hashtags = Vec::new();
    for word in words(&text) {
        let tag = hashtag_of(word)?;
        if !hashtags.contains(&tag) {
            hashtags.push(tag);
        }
    }
    match hashtags.len() {
        0 => Err(ApiError::bad_request("Parameter 'hashtags' is required: names with commas between")),
        1..=MOST_HASHTAGS => Ok(hashtags),
        _ => Err(ApiError::bad_request(format!("Parameter 'hashtags' takes at most {MOST_HASHTAGS}"))),
    }
}
