//! The model: facts, a clock, and what each write does to them and answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operation::{Pick, Reaction, SYNC_USER, TAG_LISTS, TEXTS, Target, Who};
use crate::support::facts::{Ban, Comment, Deeds, Facts, Fields, Post};

/// Status and `code` of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub &'static str);

pub const MISSING_TOKEN: Refusal = Refusal(401, "missing_token");
pub const BAD_REQUEST: Refusal = Refusal(400, "bad_request");
pub const FORBIDDEN: Refusal = Refusal(403, "forbidden");
pub const ADMIN_ONLY: Refusal = Refusal(403, "admin_only");
pub const NO_USER: Refusal = Refusal(404, "user_not_found");
pub const NO_POST: Refusal = Refusal(404, "post_not_found");
pub const NO_COMMENT: Refusal = Refusal(404, "comment_not_found");
pub const CONFLICT: Refusal = Refusal(409, "conflict");

/// What a request is answered with: status and body, or a refusal.
pub type Verdict = Result<(u16, Value), Refusal>;

/// An id that no post or comment has.
const NEVER: &str = "never-made";

/// All that should be true.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub facts: Facts,
    pub now: i64,
    /// Every post there ever was, and every comment, in the order of their making.
    pub posts_ever: Vec<String>,
    pub comments_ever: Vec<String>,
    /// The posts made by `(user, Idempotency-Key)`.
    pub made_once: BTreeMap<(String, u8), String>,
}

impl Who {
    /// In whose name the call is made.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Token(name, _) | Self::ActedAs(name) => Some(name),
            Self::Key => Some(SYNC_USER),
            Self::Nobody => None,
        }
    }

    /// The same for a route that needs a caller.
    pub fn caller(&self) -> Result<&'static str, Refusal> {
        self.name().ok_or(MISSING_TOKEN)
    }
}

impl Target {
    /// The user that is meant.
    pub fn name(self, me: &str) -> &str {
        match self {
            Self::Me => me,
            Self::Named(name) => name,
        }
    }
}

impl Model {
    pub fn is_admin(&self, who: &Who) -> bool {
        match who {
            Who::Token(_, role) => *role == "admin",
            Who::ActedAs(name) => self.facts.field(name, "role") == "admin",
            Who::Key => true,
            Who::Nobody => false,
        }
    }

    pub fn post_id(&self, pick: Pick) -> String {
        choose(&self.posts_ever, pick, |id| self.facts.posts.contains_key(id))
    }

    pub fn comment_id(&self, pick: Pick) -> String {
        choose(&self.comments_ever, pick, |id| self.facts.comments.contains_key(id))
    }

    /// The name of a user who is there.
    pub fn existing<'a>(&self, user: Target, me: &'a str) -> Result<&'a str, Refusal> {
        let name = user.name(me);
        if self.facts.users.contains_key(name) { Ok(name) } else { Err(NO_USER) }
    }

    /// The caller of a write, whose profile must be there. That of the API keys' own user is made when it is needed.
    fn writer(&mut self, who: &Who) -> Result<&'static str, Refusal> {
        let name = who.caller()?;
        if !self.facts.users.contains_key(name) {
            if name != SYNC_USER {
                return Err(NO_USER);
            }
            let created_at = self.now.to_string();
            let fields = [("username", name), ("role", "admin"), ("created_at", &created_at)];
            let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
            self.facts.users.insert(name.to_owned(), Fields::from(fields));
        }
        Ok(name)
    }

    /// A post that something is about to happen to.
    fn open_post(&mut self, by: &Who, me: &str, pick: Pick) -> Result<(String, &mut Post), Refusal> {
        let (id, post) = self.visible(by, me, pick)?;
        if post.ban.is_some() {
            return Err(CONFLICT);
        }
        let id = id.to_owned();
        let post = self.facts.posts.get_mut(&id).ok_or(NO_POST)?;
        Ok((id, post))
    }

    pub fn follow(&mut self, by: &Who, user: Target, on: bool) -> Verdict {
        let me = by.caller()?;
        if user.name(me) == me {
            return Err(BAD_REQUEST);
        }
        self.writer(by)?;
        let name = self.existing(user, me)?;
        let changed = switch(&mut self.facts.follows, name, me, on, self.now);
        let verb = if on { "Followed" } else { "Unfollowed" };
        Ok((200, json!({"message": format!("{verb} {name}"), "changed": changed})))
    }

    /// `made` is the id that Ridge gave, if it made a post.
    pub fn create(
        &mut self,
        by: &Who,
        (text, tags, media): (usize, usize, &str),
        key: Option<u8>,
        made: &str,
    ) -> Verdict {
        let me = self.writer(by)?;
        let key = key.map(|key| (me.to_owned(), key));
        let made_before = key.as_ref().and_then(|key| self.made_once.get(key));
        let id = match made_before {
            Some(id) if self.facts.posts.contains_key(id) => id.clone(),
            Some(_) => return Err(NO_POST),
            None => made.to_owned(),
        };
        if made_before.is_none() {
            self.made_once.extend(key.map(|key| (key, id.clone())));
            let hashtags = Self::hashtags(text, tags);
            let (content, media_url) = (TEXTS[text].0.trim().to_owned(), media.to_owned());
            let (created_at, published_at) = (self.now, self.now);
            let author = me.to_owned();
            let post = Post { author, content, media_url, hashtags, created_at, published_at, views: 0, ban: None };
            self.posts_ever.push(id.clone());
            self.facts.posts.insert(id.clone(), post);
        }
        Ok((201, json!({"post": self.post(&id, Some(me))})))
    }

    /// Those of a text, and then those of a list that are not in it.
    pub fn hashtags(text: usize, tags: usize) -> Vec<String> {
        let mut hashtags: Vec<String> = Vec::new();
        for tag in TEXTS[text].1.iter().chain(TAG_LISTS[tags].1) {
            if !hashtags.iter().any(|known| known == tag) {
                hashtags.push((*tag).to_owned());
            }
        }
        hashtags
    }

    pub fn create_blank(&self, by: &Who) -> Verdict {
        by.caller().and(Err(BAD_REQUEST))
    }

    pub fn delete_post(&mut self, by: &Who, pick: Pick) -> Verdict {
        let me = by.caller()?;
        let (id, post) = self.visible(by, me, pick)?;
        if post.author != me && !self.is_admin(by) {
            return Err(FORBIDDEN);
        }
        let id = id.to_owned();
        self.facts.posts.remove(&id);
        self.facts.prune();
        Ok((200, json!({"message": "Post deleted"})))
    }

    pub fn react(&mut self, by: &Who, pick: Pick, reaction: Reaction, on: bool) -> Verdict {
        let me = self.writer(by)?;
        let (id, _) = self.open_post(by, me, pick)?;
        let (deeds, counter, verb) = match reaction {
            Reaction::Like => (&mut self.facts.likes, "likesCount", "liked"),
            Reaction::Bookmark => (&mut self.facts.bookmarks, "bookmarksCount", "bookmarked"),
        };
        let changed = switch(deeds, &id, me, on, self.now);
        let message = format!("Post {}{verb}", if on { "" } else { "un" });
        Ok((200, json!({"message": message, "changed": changed, counter: Facts::count(deeds, &id)})))
    }

    pub fn view(&mut self, by: &Who, pick: Pick) -> Verdict {
        let me = by.caller()?;
        let (_, post) = self.open_post(by, me, pick)?;
        post.views += 1;
        Ok((200, json!({"viewsCount": post.views})))
    }

    /// `made` is the id that Ridge gave, if it made a comment.
    pub fn comment_on(&mut self, by: &Who, pick: Pick, text: usize, made: &str) -> Verdict {
        let me = self.writer(by)?;
        let (post, _) = self.open_post(by, me, pick)?;
        let content = TEXTS[text].0.trim().to_owned();
        let comment = Comment { post, author: me.to_owned(), content, created_at: self.now };
        let shown = self.comment(made, &comment);
        self.comments_ever.push(made.to_owned());
        self.facts.comments.insert(made.to_owned(), comment);
        Ok((201, json!({"comment": shown})))
    }

    pub fn uncomment(&mut self, by: &Who, pick: Pick) -> Verdict {
        let me = by.caller()?;
        let id = self.comment_id(pick);
        let comment = self.facts.comments.get(&id).ok_or(NO_COMMENT)?;
        let post = &self.facts.posts[&comment.post];
        if comment.author != me && post.author != me && !self.is_admin(by) {
            return Err(if post.ban.is_some() { NO_COMMENT } else { FORBIDDEN });
        }
        self.facts.comments.remove(&id);
        Ok((200, json!({"message": "Comment deleted"})))
    }

    pub fn ban(&mut self, by: &Who, pick: Pick, on: bool) -> Verdict {
        let me = by.caller()?;
        if !self.is_admin(by) {
            return Err(ADMIN_ONLY);
        }
        let id = self.post_id(pick);
        let post = self.facts.posts.get_mut(&id).ok_or(NO_POST)?;
        let changed = post.ban.is_some() != on;
        if changed {
            post.ban = on.then(|| Ban { at: self.now, by: me.to_owned() });
            post.published_at = self.now;
        }
        Ok((200, json!({"message": if on { "Post banned" } else { "Ban lifted" }, "changed": changed})))
    }

    pub fn delete_user(&mut self, by: &Who, user: Target) -> Verdict {
        let me = by.caller()?;
        if user.name(me) != me && !self.is_admin(by) {
            return Err(FORBIDDEN);
        }
        let name = self.existing(user, me)?;
        let posts = self.facts.posts.values().filter(|post| post.author == name).count();
        self.facts.users.remove(name);
        // First the posts and then what hangs on them.
        self.facts.prune();
        Ok((200, json!({"message": "User deleted", "postsDeleted": posts})))
    }
}

/// Makes a deed done or not. Says whether that changed anything.
pub fn switch(deeds: &mut Deeds, whom: &str, who: &str, on: bool, now: i64) -> bool {
    let deed = (whom.to_owned(), who.to_owned());
    match on {
        true if deeds.contains_key(&deed) => false,
        true => deeds.insert(deed, now).is_none(),
        false => deeds.remove(&deed).is_some(),
    }
}

fn choose(ever: &[String], pick: Pick, is_there: impl Fn(&str) -> bool) -> String {
    let nth = |ids: Vec<&String>, n: u8| ids.get(usize::from(n) % ids.len().max(1)).map(|id| (*id).clone());
    let chosen = match pick {
        Pick::There(n) => nth(ever.iter().rev().filter(|id| is_there(id)).collect(), n),
        Pick::Ever(n) => nth(ever.iter().rev().collect(), n),
        Pick::Never => None,
    };
    chosen.unwrap_or_else(|| NEVER.to_owned())
}
