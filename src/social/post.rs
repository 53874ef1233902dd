//! A post as it is shown: counts and times as numbers, hashtags as a list, everything else as strings; and pages of posts
//! with their authors.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    page::Pagination,
    privacy::{Privacy, Viewer},
    profile::Profile,
};
use crate::redis::{Elements, Failure, Reply, Text};

/// How a field is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    List,
}

/// The fields of `post:<id>`, in the order of `POST_FIELDS` in `common.lua`. Those of a ban are shown only if they are there.
const FIELDS: [(&str, Kind); 17] = [
    ("id", Kind::Text),
    ("user_id", Kind::Text),
    ("username", Kind::Text),
    ("avatar", Kind::Text),
    ("display_name", Kind::Text),
    ("user_role", Kind::Text),
    ("content", Kind::Text),
    ("media_url", Kind::Text),
    ("hashtags", Kind::List),
    ("created_at", Kind::Number),
    ("likesCount", Kind::Number),
    ("commentsCount", Kind::Number),
    ("bookmarksCount", Kind::Number),
    ("viewsCount", Kind::Number),
    ("banned", Kind::Text),
    ("banned_at", Kind::Number),
    ("banned_by", Kind::Text),
];

/// Where the fields of a ban begin.
const BAN: usize = 14;

/// A post, and what the viewer did with it.
pub struct Post {
    values: Vec<Reply>,
    is_liked: bool,
    is_bookmarked: bool,
}

impl Post {
    /// A post whose fields a script has read.
    ///
    /// # Errors
    /// When there are not as many as a post has.
    pub fn new(values: Vec<Reply>, is_liked: bool, is_bookmarked: bool) -> Result<Self, Failure> {
        if values.len() != FIELDS.len() {
            return Err(Failure::Nonsense("not the fields of a post"));
        }
        Ok(Self { values, is_liked, is_bookmarked })
    }
}

impl Serialize for Post {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (n, ((name, kind), value)) in FIELDS.iter().zip(&self.values).enumerate() {
            let text = value.as_bytes().map_or(&[][..], |bytes| bytes);
            match kind {
                _ if n >= BAN && *value == Reply::Nil => {}
                Kind::Text => map.serialize_entry(name, &Text(text))?,
                Kind::Number => map.serialize_entry(name, &value.as_integer().unwrap_or(0))?,
                Kind::List => map.serialize_entry(name, &List(text))?,
            }
        }
        map.serialize_entry("isLiked", &self.is_liked)?;
        map.serialize_entry("isBookmarked", &self.is_bookmarked)?;
        map.end()
    }
}

/// A list that is stored with commas between.
struct List<'a>(&'a [u8]);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.split(|byte| *byte == b',').filter(|word| !word.is_empty()).map(Text))
    }
}

/// Authors of a page, each of them once; none if they were not asked for.
pub struct Authors(Vec<Option<Profile>>);

impl Authors {
    /// The authors that a script has read.
    ///
    /// # Errors
    /// When the reply is no list of profiles.
    pub fn of(replies: Vec<Reply>, privacy: &Privacy) -> Result<Self, Failure> {
        let read = |reply| match reply {
            Reply::Array(_) => Profile::from_reply(reply, privacy, Viewer::Other),
            _ => Ok(None),
        };
        replies.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The author of a number.
    pub fn get(&self, number: u64) -> Option<&Profile> {
        self.0.get(usize::try_from(number).ok()?).and_then(Option::as_ref)
    }
}

/// A post and the number of its author.
pub struct Item {
    post: Post,
    author: u64,
}

impl Item {
    /// The posts that a script has read.
    ///
    /// # Errors
    /// When the reply is no list of posts.
    pub fn list(replies: Vec<Reply>) -> Result<Vec<Self>, Failure> {
        replies.into_iter().map(Self::read).collect()
    }

    fn read(reply: Reply) -> Result<Self, Failure> {
        let mut parts = Elements::of(reply)?;
        Ok(Self { post: Post::new(parts.array()?, parts.flag()?, parts.flag()?)?, author: parts.unsigned()? })
    }

    /// The post with its author, to be shown.
    pub fn shown<'a>(&'a self, authors: &'a Authors) -> Shown<'a> {
        Shown { post: &self.post, user: authors.get(self.author) }
    }
}

/// A post with its author, as it is shown.
#[derive(Serialize)]
pub struct Shown<'a> {
    post: &'a Post,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a Profile>,
}

/// A page of a feed.
pub struct Feed {
    items: Vec<Item>,
    authors: Authors,
    pagination: Pagination,
}

impl Feed {
    /// The posts and authors that a script has read, and what it said of the page.
    ///
    /// # Errors
    /// When the reply is none of a script of ours.
    pub fn read(reply: &mut Elements, mut pagination: Pagination, privacy: &Privacy) -> Result<Self, Failure> {
        let items = Item::list(reply.array()?)?;
        pagination.count = items.len();
        Ok(Self { items, authors: Authors::of(reply.array()?, privacy)?, pagination })
    }
}

impl Serialize for Feed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            posts: Vec<Shown<'a>>,
            pagination: &'a Pagination,
        }
        let posts = self.items.iter().map(|item| item.shown(&self.authors)).collect();
        View { posts, pagination: &self.pagination }.serialize(serializer)
    }
}
