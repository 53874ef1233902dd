//! What the model shows: profiles, posts, comments, and pages of them.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::{
    model::{BAD_REQUEST, FORBIDDEN, Model, NO_POST, NO_USER, Refusal, Verdict},
    operation::{Feed, Page, Pick, Read, Target, Who},
};
use crate::support::facts::{Comment, Deeds, Facts, Post};

/// SPEC 5: a post's score is 0 once it is older.
const FORTNIGHT_MS: i64 = 14 * 24 * 3_600_000;
/// The fields of profiles in these runs that only their users see.
const PRIVATE: [&str; 1] = ["email"];
/// What stands for a cursor: what is in one is Ridge's own affair.
pub const SOME_CURSOR: &str = "(a cursor)";

impl Model {
    /// What a read answers.
    pub fn read(&self, by: &Who, what: &Read) -> Verdict {
        match what {
            Read::Feed { feed: Feed::Explore, page, include_user } => {
                Ok((200, self.feed(by.name(), self.newest(|_| true), page, *include_user, true)))
            }
            _ => self.read_as(by, by.caller()?, what),
        }
    }

    fn read_as(&self, by: &Who, me: &str, what: &Read) -> Verdict {
        let body = match what {
            Read::User(user) => {
                let name = user.name(me);
                let mut user = self.existing_profile(name, name == me && !matches!(by, Who::Key))?;
                user["isFollowing"] = self.follows(me, name).into();
                json!({"user": user})
            }
            Read::Post(post) => {
                let (id, post) = self.visible(by, me, *post)?;
                json!({"post": self.post(id, Some(me)), "user": self.profile(&post.author)})
            }
            Read::Comments(post, page) => {
                let (id, _) = self.visible(by, me, *post)?;
                let mut comments: Vec<_> = self.facts.comments_on(id).collect();
                comments.sort_by_key(|(id, comment)| Reverse((comment.created_at, *id)));
                let shown = comments.into_iter().map(|(id, comment)| self.comment(id, comment)).collect();
                paged("comments", shown, page, true)
            }
            Read::Feed { feed, page, include_user } => {
                let ids = self.ids_of(me, *feed)?;
                self.feed(Some(me), ids, page, *include_user, !matches!(feed, Feed::Following))
            }
            Read::Followers(user, page) => {
                let name = self.existing(*user, me)?;
                self.people(Facts::doers(&self.facts.follows, name), page)
            }
            Read::Following(user, page) => {
                let name = self.existing(*user, me)?;
                let followed = self.facts.follows.iter().filter(|((_, follower), _)| follower == name);
                self.people(followed.map(|((followed, _), at)| (followed.as_str(), *at)), page)
            }
            Read::Newest { role: "admin", .. } => return Err(BAD_REQUEST),
            Read::Newest { role, limit } => self.newest_users(role, *limit),
            Read::TopModels { limit } => self.top_models(*limit),
            Read::TopPosts { tags, per_hashtag } => {
                let top = |tag: &&str| ((*tag).to_owned(), self.top_posts(me, tag, *per_hashtag));
                json!({"hashtags": tags.iter().map(top).collect::<Map<_, _>>()})
            }
        };
        Ok((200, body))
    }

    fn newest_users(&self, role: &str, limit: usize) -> Value {
        let created_at = |name: &str| self.facts.field(name, "created_at").parse().unwrap_or(0);
        let users = self.facts.users.keys().filter(|name| self.facts.field(name, "role") == role);
        let users = highest(users.map(|name| (name.as_str(), created_at(name))));
        let users: Vec<_> = users.take(limit).map(|(name, _)| self.profile(name)).collect();
        json!({"count": users.len(), "users": users})
    }

    fn top_posts(&self, me: &str, tag: &str, limit: usize) -> Value {
        self.ranked(tag).into_iter().take(limit).map(|id| self.feed_item(Some(me), id, true)).collect()
    }

    fn top_models(&self, limit: usize) -> Value {
        let sum = |name: &str| {
            let posts = self.facts.posts.iter().filter(|(_, post)| post.author == name && post.ban.is_none());
            posts.map(|(id, _)| self.engagement(id)).sum::<i64>()
        };
        let models = self.facts.users.keys().filter(|name| self.facts.field(name, "role") == "model");
        let models = highest(models.map(|name| (name.as_str(), sum(name))).filter(|(_, sum)| *sum > 0));
        let shown = models.take(limit).map(|(name, sum)| {
            let mut profile = self.profile(name);
            profile["engagement_score"] = sum.into();
            profile
        });
        let shown: Vec<_> = shown.collect();
        json!({"count": shown.len(), "models": shown})
    }

    /// The posts of a feed that needs a caller, first to last.
    fn ids_of(&self, me: &str, feed: Feed) -> Result<Vec<&str>, Refusal> {
        let own = |user: Target| if user.name(me) == me { self.existing(user, me) } else { Err(FORBIDDEN) };
        Ok(match feed {
            Feed::Explore => self.newest(|_| true),
            Feed::Following => self.newest(|post| self.follows(me, &post.author)),
            Feed::Hashtag(tag) => self.newest(|post| post.hashtags.iter().any(|own| own == tag)),
            Feed::Ranked(tag) => self.ranked(tag),
            Feed::Posts(user) => {
                let name = self.existing(user, me)?;
                self.newest(|post| post.author == name)
            }
            Feed::Liked(user) => self.reacted_to(&self.facts.likes, own(user)?),
            Feed::Bookmarked(user) => self.reacted_to(&self.facts.bookmarks, own(user)?),
        })
    }

    /// The posts that are not banned and that `wanted` picks, newest first.
    fn newest(&self, wanted: impl Fn(&Post) -> bool) -> Vec<&str> {
        let posts = self.facts.posts.iter().filter(|(_, post)| post.ban.is_none() && wanted(post));
        highest(posts.map(|(id, post)| (id.as_str(), post.created_at))).map(|(id, _)| id).collect()
    }

    fn reacted_to<'a>(&'a self, deeds: &'a Deeds, name: &str) -> Vec<&'a str> {
        let own = deeds.iter().filter(|((post, user), _)| user == name && self.facts.posts[post].ban.is_none());
        highest(own.map(|((post, _), at)| (post.as_str(), *at))).map(|(id, _)| id).collect()
    }

    fn ranked(&self, tag: &str) -> Vec<&str> {
        let mut ids = self.newest(|post| post.hashtags.iter().any(|own| own == tag));
        // A stable sort: of equal scores the newest stays first.
        ids.sort_by(|a, b| self.score(b).total_cmp(&self.score(a)));
        ids
    }

    fn score(&self, id: &str) -> f64 {
        let age_ms = (self.now - self.facts.posts[id].created_at).max(0);
        if age_ms > FORTNIGHT_MS { 0.0 } else { self.engagement(id) as f64 / (age_ms as f64 / 3_600_000.0 + 1.0) }
    }

    fn engagement(&self, id: &str) -> i64 {
        let comments = i64::try_from(self.facts.comments_on(id).count()).expect("few");
        Facts::count(&self.facts.likes, id) * 3 + comments * 5 + Facts::count(&self.facts.bookmarks, id) * 4
    }

    fn feed(&self, me: Option<&str>, ids: Vec<&str>, page: &Page, include_user: bool, counted: bool) -> Value {
        let posts = ids.into_iter().map(|id| self.feed_item(me, id, include_user)).collect();
        paged("posts", posts, page, counted)
    }

    fn feed_item(&self, me: Option<&str>, id: &str, include_user: bool) -> Value {
        let post = self.post(id, me);
        match include_user {
            true => json!({"post": post, "user": self.profile(&self.facts.posts[id].author)}),
            false => json!({"post": post}),
        }
    }

    fn people<'a>(&self, names: impl Iterator<Item = (&'a str, i64)>, page: &Page) -> Value {
        paged("users", highest(names).map(|(name, _)| self.profile(name)).collect(), page, true)
    }

    /// A post as it is shown to someone.
    pub fn post(&self, id: &str, viewer: Option<&str>) -> Value {
        let post = &self.facts.posts[id];
        let author = &post.author;
        let comments = self.facts.comments_on(id).count();
        let (likes, bookmarks) = (&self.facts.likes, &self.facts.bookmarks);
        let is_on = |deeds: &Deeds| viewer.is_some_and(|me| deeds.contains_key(&(id.to_owned(), me.to_owned())));
        let mut shown = json!({
            "id": id, "user_id": author, "username": author, "content": post.content, "media_url": post.media_url,
            "avatar": self.facts.field(author, "avatar"), "display_name": self.facts.field(author, "display_name"),
            "user_role": self.facts.field(author, "role"), "hashtags": post.hashtags, "created_at": post.created_at,
            "likesCount": Facts::count(likes, id), "commentsCount": comments,
            "bookmarksCount": Facts::count(bookmarks, id), "viewsCount": post.views,
            "isLiked": is_on(likes), "isBookmarked": is_on(bookmarks),
        });
        if let Some(ban) = &post.ban {
            shown["banned"] = "true".into();
            shown["banned_at"] = ban.at.into();
            shown["banned_by"] = ban.by.as_str().into();
        }
        shown
    }

    /// A comment as everyone sees it.
    pub fn comment(&self, id: &str, comment: &Comment) -> Value {
        json!({
            "id": id, "post_id": comment.post, "user_id": comment.author, "content": comment.content,
            "created_at": comment.created_at, "user": self.profile(&comment.author),
        })
    }

    /// A profile as others see it.
    pub fn profile(&self, name: &str) -> Value {
        self.existing_profile(name, false).expect("an author exists")
    }

    /// A profile, as its user or as others see it.
    pub fn existing_profile(&self, name: &str, oneself: bool) -> Result<Value, Refusal> {
        let fields = self.facts.users.get(name).ok_or(NO_USER)?;
        let shown = fields.iter().filter(|(field, _)| oneself || !PRIVATE.contains(&field.as_str()));
        let mut profile: Map<String, Value> = shown.map(|(field, value)| (field.clone(), json!(value))).collect();
        let posts = self.facts.posts.values().filter(|post| post.author == name && post.ban.is_none());
        let following = self.facts.follows.keys().filter(|(_, follower)| follower == name);
        profile["created_at"] = fields["created_at"].parse::<i64>().expect("a time").into();
        profile.insert("postCount".into(), posts.count().into());
        profile.insert("followerCount".into(), Facts::count(&self.facts.follows, name).into());
        profile.insert("followingCount".into(), following.count().into());
        Ok(profile.into())
    }

    pub fn follows(&self, follower: &str, followed: &str) -> bool {
        self.facts.follows.contains_key(&(followed.to_owned(), follower.to_owned()))
    }

    /// A post that a caller may see.
    pub fn visible(&self, by: &Who, me: &str, pick: Pick) -> Result<(&str, &Post), Refusal> {
        let (id, post) = self.facts.posts.get_key_value(&self.post_id(pick)).ok_or(NO_POST)?;
        let may = post.ban.is_none() || post.author == me || self.is_admin(by);
        if may { Ok((id, post)) } else { Err(NO_POST) }
    }
}

/// Greatest first; of equals the one whose name is greater, byte by byte. As sorted sets are, from their end.
fn highest<'a>(entries: impl Iterator<Item = (&'a str, i64)>) -> impl Iterator<Item = (&'a str, i64)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(name, score)| Reverse((*score, *name)));
    entries.into_iter()
}

fn paged(name: &str, all: Vec<Value>, page: &Page, counted: bool) -> Value {
    let (offset, limit) = page.0.unwrap_or((0, 20));
    let total = all.len();
    let shown: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
    let more = offset < total && total - offset > limit;
    let mut pagination = json!({
        "offset": offset, "limit": limit, "count": shown.len(), "hasMore": more,
        "nextCursor": if more { json!(SOME_CURSOR) } else { json!(null) },
    });
    if counted {
        pagination["totalCount"] = total.into();
    }
    json!({name: shown, "pagination": pagination})
}
