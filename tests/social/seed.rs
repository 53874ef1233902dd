//! More than a test can make over the routes: facts in bulk, from which the whole keyspace follows.

use serde_json::Value;

use crate::support::{
    Redis,
    facts::{Comment, Facts, Fields, Post},
};

/// When everything seeded happened, in milliseconds, unless the test says otherwise.
pub const LONG_AGO_MS: i64 = 1_700_000_000_000;

/// Facts in the making.
#[derive(Default)]
pub struct Seed(pub Facts);

impl Seed {
    /// A user with these fields beside what every profile has.
    pub fn user(&mut self, name: &str, more: &Value) -> &mut Self {
        let created_at = LONG_AGO_MS.to_string();
        let fields = [("username", name), ("role", "user"), ("created_at", &created_at)];
        let mut fields: Fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into();
        for (field, value) in more.as_object().expect("fields are an object") {
            fields.insert(field.clone(), value.as_str().expect("a stored value is text").to_owned());
        }
        self.0.users.insert(name.to_owned(), fields);
        self
    }

    /// A post.
    pub fn post(&mut self, id: &str, author: &str, hashtags: &[&str], created_at: i64) -> &mut Self {
        let hashtags = hashtags.iter().map(|tag| (*tag).to_owned()).collect();
        let content = "seeded".to_owned();
        // As by a sync of old posts: too late for the rankings of their hour and day.
        let published_at = i64::MAX;
        let post = Post { author: author.to_owned(), content, hashtags, created_at, published_at, ..Post::default() };
        self.0.posts.insert(id.to_owned(), post);
        self
    }

    /// A like.
    pub fn like(&mut self, post: &str, user: &str) -> &mut Self {
        self.0.likes.insert((post.to_owned(), user.to_owned()), LONG_AGO_MS);
        self
    }

    /// A bookmark.
    pub fn bookmark(&mut self, post: &str, user: &str) -> &mut Self {
        self.0.bookmarks.insert((post.to_owned(), user.to_owned()), LONG_AGO_MS);
        self
    }

    /// A comment.
    pub fn comment(&mut self, id: &str, post: &str, author: &str) -> &mut Self {
        let (post, author, content) = (post.to_owned(), author.to_owned(), "seeded".to_owned());
        self.0.comments.insert(id.to_owned(), Comment { post, author, content, created_at: LONG_AGO_MS });
        self
    }

    /// A follow.
    pub fn follow(&mut self, follower: &str, followed: &str) -> &mut Self {
        self.0.follows.insert((followed.to_owned(), follower.to_owned()), LONG_AGO_MS);
        self
    }

    /// Writes all that follows into an empty Redis.
    pub fn fill(&self, redis: &Redis) {
        redis.fill(&self.0.keyspace());
    }
}
