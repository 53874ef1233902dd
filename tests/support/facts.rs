//! What is true of users, posts and what they do with each other, each fact once, and the keyspace that follows from it.
//!
//! Ridge keeps most facts at several keys: a like is in a set, in a sorted set, in a counter and in four sums. Here a
//! like is one entry, so nothing can disagree. The audit reads the facts out of a Redis and asks whether the rest of it
//! follows from them; the state machine makes facts of its own and asks the same.

use std::collections::BTreeMap;

use super::keyspace::{Keyspace, Stored};

/// The fields of a hash.
pub type Fields = BTreeMap<String, String>;
/// When somebody did something to something: `(whom or what, who)` to milliseconds.
pub type Deeds = BTreeMap<(String, String), i64>;

/// The counters of a profile. A profile that never had one has none, which means 0.
pub const COUNTERS: [&str; 3] = ["postCount", "followerCount", "followingCount"];

/// All facts.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Profiles without their counters, by username.
    pub users: BTreeMap<String, Fields>,
    /// Posts by id.
    pub posts: BTreeMap<String, Post>,
    /// Comments by id.
    pub comments: BTreeMap<String, Comment>,
    /// Likes by `(post, user)`.
    pub likes: Deeds,
    /// Bookmarks by `(post, user)`.
    pub bookmarks: Deeds,
    /// Follows by `(followed, follower)`.
    pub follows: Deeds,
}

/// A post.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Post {
    pub author: String,
    pub content: String,
    pub media_url: String,
    pub hashtags: Vec<String>,
    pub created_at: i64,
    /// When it last came into the feeds: made, changed by a sync, or shown again after a ban.
    pub published_at: i64,
    pub views: i64,
    pub ban: Option<Ban>,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    pub at: i64,
    pub by: String,
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    pub post: String,
    pub author: String,
    pub content: String,
    pub created_at: i64,
}

impl Facts {
    /// A field of a profile; `""` if it is absent.
    pub fn field(&self, user: &str, field: &str) -> &str {
        self.users.get(user).and_then(|fields| fields.get(field)).map_or("", String::as_str)
    }

    /// How many have done this to that.
    pub fn count(deeds: &Deeds, of: &str) -> i64 {
        i64::try_from(Self::doers(deeds, of).count()).expect("few")
    }

    /// Who has done this to that, and when.
    pub fn doers<'a>(deeds: &'a Deeds, of: &'a str) -> impl Iterator<Item = (&'a str, i64)> {
        let first = (of.to_owned(), String::new());
        deeds.range(first..).take_while(move |((whom, _), _)| whom == of).map(|((_, who), at)| (who.as_str(), *at))
    }

    /// A post's comments: id and time.
    pub fn comments_on<'a>(&'a self, post: &'a str) -> impl Iterator<Item = (&'a str, &'a Comment)> {
        self.comments
            .iter()
            .filter(move |(_, comment)| comment.post == post)
            .map(|(id, comment)| (id.as_str(), comment))
    }

    /// Takes away what nobody or nothing is left to carry: a deed of a user who is gone, a comment on a post that is gone.
    pub fn prune(&mut self) {
        let Self { users, posts, comments, likes, bookmarks, follows } = self;
        posts.retain(|_, post| users.contains_key(&post.author));
        comments.retain(|_, comment| posts.contains_key(&comment.post) && users.contains_key(&comment.author));
        likes.retain(|(post, user), _| posts.contains_key(post) && users.contains_key(user));
        bookmarks.retain(|(post, user), _| posts.contains_key(post) && users.contains_key(user));
        follows.retain(|(followed, follower), _| users.contains_key(followed) && users.contains_key(follower));
    }

    /// Everything that stands in Redis when these are the facts and no work is pending. Counters that are 0 are left
    /// out of profiles, see [`without_zero_counters`].
    pub fn keyspace(&self) -> Keyspace {
        let mut keys = Keys::default();
        self.follows.iter().for_each(|((followed, follower), at)| keys.follow(followed, follower, *at));
        for (deeds, set, zset) in [(&self.likes, "likes", "liked"), (&self.bookmarks, "bookmarks", "bookmarked")] {
            for ((post, user), at) in deeds {
                let hidden = if self.posts[post].ban.is_some() { ":banned" } else { "" };
                keys.add(&format!("post:{post}:{set}"), user);
                keys.rank(&format!("user:{user}:{zset}{hidden}"), post, *at);
            }
        }
        self.comments.iter().for_each(|(id, comment)| keys.comment(id, comment));
        self.posts.iter().for_each(|(id, post)| self.post(&mut keys, id, post));
        self.users.iter().for_each(|(name, fields)| keys.user(name, fields));
        keys.0
    }

    fn post(&self, keys: &mut Keys, id: &str, post: &Post) {
        let count = |part: &str| keys.count(&format!("post:{id}:{part}"));
        let (likes, comments, bookmarks) = (count("likes"), count("comments"), count("bookmarks"));
        let engagement = likes * 3 + comments * 5 + bookmarks * 4;
        let author = &post.author;
        let mut fields: Fields = [
            ("id", id),
            ("user_id", author),
            ("username", author),
            ("avatar", self.field(author, "avatar")),
            ("display_name", self.field(author, "display_name")),
            ("user_role", self.field(author, "role")),
            ("content", &post.content),
            ("media_url", &post.media_url),
            ("hashtags", &post.hashtags.join(",")),
            ("created_at", &post.created_at.to_string()),
            ("likesCount", &likes.to_string()),
            ("commentsCount", &comments.to_string()),
            ("bookmarksCount", &bookmarks.to_string()),
            ("viewsCount", &post.views.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if let Some(ban) = &post.ban {
            let ban_fields =
                [("banned", "true".to_owned()), ("banned_at", ban.at.to_string()), ("banned_by", ban.by.clone())];
            fields.extend(ban_fields.map(|(name, value)| (name.to_owned(), value)));
            keys.rank(&format!("user:{author}:banned"), id, post.created_at);
            keys.rank("posts:banned", id, ban.at);
        } else {
            keys.show_post(id, post, engagement, self.field(author, "role") == "model");
        }
        keys.0.insert(format!("post:{id}"), Stored::Hash(fields));
    }
}

/// The rankings of its hour and of its day that a post is put into, unless they had their time before it came.
fn passing_rankings(post: &Post) -> impl Iterator<Item = String> {
    const HOUR: i64 = 3_600_000;
    let rankings = [("h", HOUR, 48 * HOUR), ("d", 24 * HOUR, 15 * 24 * HOUR)].into_iter();
    rankings.filter_map(|(kind, length, lasts)| {
        let number = post.created_at.div_euclid(length);
        ((number + 1) * length + lasts > post.published_at).then(|| format!("{kind}{number}"))
    })
}

/// A keyspace in the making.
#[derive(Default)]
struct Keys(Keyspace);

impl Keys {
    fn add(&mut self, key: &str, member: &str) {
        match self.0.entry(key.to_owned()).or_insert_with(|| Stored::Set(Default::default())) {
            Stored::Set(members) => members.insert(member.to_owned()),
            other => panic!("{key} is {other:?}"),
        };
    }

    fn rank(&mut self, key: &str, member: &str, score: i64) {
        *self.score(key, member) = score;
    }

    fn score(&mut self, key: &str, member: &str) -> &mut i64 {
        match self.0.entry(key.to_owned()).or_insert_with(|| Stored::Zset(Default::default())) {
            Stored::Zset(scores) => scores.entry(member.to_owned()).or_default(),
            other => panic!("{key} is {other:?}"),
        }
    }

    fn count(&self, key: &str) -> i64 {
        let count = match self.0.get(key) {
            Some(Stored::Set(members)) => members.len(),
            Some(Stored::Zset(scores)) => scores.len(),
            _ => 0,
        };
        i64::try_from(count).expect("few")
    }

    fn follow(&mut self, followed: &str, follower: &str, at: i64) {
        for (user, side, other) in [(followed, "followers", follower), (follower, "following", followed)] {
            self.add(&format!("user:{user}:{side}"), other);
            self.rank(&format!("user:{user}:{side}:since"), other, at);
        }
    }

    fn comment(&mut self, id: &str, comment: &Comment) {
        let Comment { post, author, content, created_at } = comment;
        let created_text = created_at.to_string();
        let fields =
            [("id", id), ("post_id", post), ("user_id", author), ("content", content), ("created_at", &created_text)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.0.insert(format!("comment:{id}"), Stored::Hash(fields.into()));
        self.rank(&format!("post:{post}:comments"), id, *created_at);
        self.rank(&format!("user:{author}:comments"), id, *created_at);
    }

    /// A post that is not banned, in every feed.
    fn show_post(&mut self, id: &str, post: &Post, engagement: i64, by_model: bool) {
        self.rank(&format!("user:{}:posts", post.author), id, post.created_at);
        self.rank("explore:feed", id, post.created_at);
        for hashtag in &post.hashtags {
            self.rank(&format!("hashtag:{hashtag}:posts"), id, post.created_at);
            self.rank(&format!("hashtag:{hashtag}:ranked"), id, engagement);
            for ranking in passing_rankings(post) {
                self.rank(&format!("hashtag:{hashtag}:ranked:{ranking}"), id, engagement);
            }
        }
        if engagement > 0 {
            *self.score("authors:engagement", &post.author) += engagement;
            if by_model {
                *self.score("models:top:engagement", &post.author) += engagement;
            }
        }
    }

    fn user(&mut self, name: &str, fields: &Fields) {
        let mut fields = fields.clone();
        for (counter, part) in COUNTERS.into_iter().zip(["posts", "followers", "following"]) {
            match self.count(&format!("user:{name}:{part}")) {
                0 => {}
                count => drop(fields.insert(counter.to_owned(), count.to_string())),
            }
        }
        let created_at = fields.get("created_at").map_or(i64::MIN, |text| super::keyspace::integer(text));
        match fields.get("role").map(String::as_str) {
            Some("user") => self.rank("users:regular", name, created_at),
            Some("model") => self.rank("users:models", name, created_at),
            _ => {}
        }
        self.0.insert(format!("user:{name}"), Stored::Hash(fields));
    }
}

/// A keyspace with one way of saying that a profile's counter is 0: the field is not there.
pub fn without_zero_counters(mut keys: Keyspace) -> Keyspace {
    for (key, value) in &mut keys {
        if let (Stored::Hash(fields), Some(_)) = (value, key.strip_prefix("user:")) {
            fields.retain(|name, value| !(COUNTERS.contains(&name.as_str()) && value == "0"));
        }
    }
    keys
}
