//! The model's `/sync` routes.

use serde_json::{Value, json};

use super::{
    model::{BAD_REQUEST, Model, NO_USER, Refusal, Verdict, switch},
    operation::{Items, MEDIA, Reaction, SyncedPost, SyncedUser, TEXTS, Who},
    profiles::{set, values},
};
use crate::support::facts::{Deeds, Fields, Post};

/// What becomes of an item; `Err` is an error in its place.
type Fate = Result<&'static str, Refusal>;

impl Model {
    /// Every item by itself, in order.
    pub fn sync(&mut self, items: &Items) -> Verdict {
        let fates: Vec<Fate> = match items {
            Items::Users(users) => users.iter().map(|user| self.sync_user(user)).collect(),
            Items::Posts(posts) => posts.iter().map(|post| self.sync_post(post)).collect(),
            Items::Follows(follows) => {
                let fate = |model: &mut Self, (whom, who, at, off): (&str, &str, Option<i64>, bool)| {
                    if whom == who {
                        return Err(BAD_REQUEST);
                    }
                    let known = [who, whom].iter().all(|name| model.facts.users.contains_key(*name));
                    deed(&mut model.facts.follows, known, (whom, who), at.unwrap_or(model.now), off)
                };
                let parts = follows.iter().map(|item| (item.following, item.follower, item.created_at, item.deleted));
                parts.map(|item| fate(self, item)).collect()
            }
            Items::Reactions(reaction, items) => items
                .iter()
                .map(|item| {
                    let post = self.post_id(item.post);
                    // Banned or not: what a backend says has happened already.
                    let known = self.facts.users.contains_key(item.username) && self.facts.posts.contains_key(&post);
                    let at = item.created_at.unwrap_or(self.now);
                    deed(self.deeds_mut(*reaction), known, (&post, item.username), at, item.deleted)
                })
                .collect(),
        };
        let told = |fate: &Fate| json!({"status": fate.unwrap_or("error")});
        Ok((200, json!({"results": fates.iter().map(told).collect::<Value>()})))
    }

    pub fn stats(&self, by: &Who) -> Verdict {
        by.caller()?;
        if matches!(by, Who::Token(..)) {
            return Err(Refusal(403, "api_key_required"));
        }
        let count = |role: &str| self.facts.users.keys().filter(|name| self.facts.field(name, "role") == role).count();
        Ok((200, json!({"users": count("user"), "models": count("model"), "posts": self.facts.posts.len()})))
    }

    fn deeds_mut(&mut self, reaction: Reaction) -> &mut Deeds {
        match reaction {
            Reaction::Like => &mut self.facts.likes,
            Reaction::Bookmark => &mut self.facts.bookmarks,
        }
    }

    fn sync_user(&mut self, SyncedUser { name, fields, deleted }: &SyncedUser) -> Fate {
        if *deleted {
            let was_there = self.facts.users.remove(*name).is_some();
            self.facts.prune();
            return Ok(if was_there { "deleted" } else { "unchanged" });
        }
        let values = values(fields, name)?;
        let known = self.facts.users.get(*name).cloned();
        let mut profile = known.clone().unwrap_or_else(Fields::new);
        set(&mut profile, &values);
        self.fill_profile(&mut profile, name);
        let fate = match &known {
            None => "created",
            Some(before) if *before == profile => "unchanged",
            Some(_) => "updated",
        };
        self.facts.users.insert((*name).to_owned(), profile);
        Ok(fate)
    }

    fn sync_post(&mut self, item: &SyncedPost) -> Fate {
        let known = self.facts.posts.get(item.id).cloned();
        if item.deleted {
            self.facts.posts.remove(item.id);
            self.facts.prune();
            return Ok(if known.is_some() { "deleted" } else { "unchanged" });
        }
        if !self.facts.users.contains_key(item.author) {
            return Err(NO_USER);
        }
        let before = known.clone().unwrap_or_else(|| Post { created_at: self.now, ..Post::default() });
        let mut post = Post {
            author: item.author.to_owned(),
            content: TEXTS[item.text].0.trim().to_owned(),
            hashtags: Self::hashtags(item.text, item.tags),
            media_url: item.media.map_or(before.media_url.clone(), |media| MEDIA[media].to_owned()),
            created_at: item.created_at.unwrap_or(before.created_at),
            ..before
        };
        let fate = match &known {
            None => "created",
            Some(known) if known.author != post.author => return Err(BAD_REQUEST),
            Some(known) if *known == post => return Ok("unchanged"),
            Some(_) => "updated",
        };
        post.published_at = self.now;
        if !self.posts_ever.iter().any(|id| id == item.id) {
            self.posts_ever.push(item.id.to_owned());
        }
        self.facts.posts.insert(item.id.to_owned(), post);
        Ok(fate)
    }
}

/// Makes a deed done, or not, of those who may be unknown. What is to be gone may never have been.
fn deed(deeds: &mut Deeds, known: bool, (whom, who): (&str, &str), at: i64, off: bool) -> Fate {
    match (off, known) {
        (true, false) => Ok("unchanged"),
        (false, false) => Err(NO_USER),
        (off, true) if !switch(deeds, whom, who, !off, at) => Ok("unchanged"),
        (true, true) => Ok("deleted"),
        (false, true) => Ok("created"),
    }
}
