//! The keys of the data, built from types that can only be valid.

use super::ids::{Hashtag, ItemId};
use crate::auth::Username;

/// All posts that are not banned, by age.
pub const EXPLORE: &str = "explore:feed";
/// All posts that are banned, by the time of the ban.
pub const BANNED: &str = "posts:banned";
/// All users of role `user`, by age.
pub const REGULAR: &str = "users:regular";
/// All users of role `model`, by age.
pub const MODELS: &str = "users:models";
/// The models, by the engagement of their posts.
pub const TOP_MODELS: &str = "models:top:engagement";
/// Work that is left to be done in steps.
pub const JOBS: &str = "jobs:pending";

/// `user:<u>`: the profile.
pub fn user(username: &Username) -> String {
    format!("user:{username}")
}

/// `user:<u>:<part>`: what belongs to a user.
pub fn of_user(username: &Username, part: &str) -> String {
    format!("user:{username}:{part}")
}

/// `user:<u>:following`: the set of those whom the user follows.
pub fn following(username: &Username) -> String {
    of_user(username, "following")
}

/// `post:<id>`: the post.
pub fn post(id: &ItemId) -> String {
    format!("post:{id}")
}

/// `post:<id>:comments`: the ids of its comments, by age.
pub fn comments(id: &ItemId) -> String {
    format!("post:{id}:comments")
}

/// `comment:<id>`: the comment.
pub fn comment(id: &ItemId) -> String {
    format!("comment:{id}")
}

/// `hashtag:<t>:posts`: its posts, by age.
pub fn hashtag_posts(tag: &Hashtag) -> String {
    format!("hashtag:{tag}:posts")
}

/// `hashtag:<t>:ranked`: its posts, by engagement.
pub fn hashtag_ranked(tag: &Hashtag) -> String {
    format!("hashtag:{tag}:ranked")
}

/// `idempotency:<u>:<digest>`: the post that a user made with an `Idempotency-Key`.
pub fn idempotency(username: &Username, digest: &str) -> String {
    format!("idempotency:{username}:{digest}")
}
