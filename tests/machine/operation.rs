//! What may happen to Ridge, as values: printed when a run fails, and taken away one by one until little is left.

use serde_json::Value;

/// Those who do things. Few, so that they often do them to each other.
pub const NAMES: [&str; 5] = ["alice", "bob", "carol", "Dave.D", "eve-1"];
/// The user as whom API keys act.
pub const SYNC_USER: &str = "xano_sync";
/// Texts, and the hashtags in them in their order.
pub const TEXTS: [(&str, &[&str]); 6] = [
    ("plain words", &[]),
    ("  #One thing \n", &["one"]),
    ("#two, #ONE and #two again", &["two", "one"]),
    ("größer #Straße_9!", &["straße_9"]),
    ("\"quoted\" \\ back\tslash \u{1F600}, a,b,c", &[]),
    ("#one#two #three", &["one", "two", "three"]),
];
/// `hashtags` of bodies, and the hashtags in them.
pub const TAG_LISTS: [(&[&str], &[&str]); 4] =
    [(&[], &[]), (&["#One"], &["one"]), (&["Three", "three"], &["three"]), (&["two", "one"], &["two", "one"])];
/// Every hashtag that occurs, and one that does not.
pub const TAGS: [&str; 5] = ["one", "two", "three", "straße_9", "never"];
/// `media_url` of bodies.
pub const MEDIA: [&str; 3] = ["", "https://example.com/a.png", "http://example.com/b?c=d"];
/// Ids that a backend gives to its posts. In their order they are not as old as they look.
pub const SYNCED_IDS: [&str; 4] = ["zz.first", "00-second", "Third_3", "aa"];
/// When each run begins.
pub const START_MS: i64 = 1_800_000_000_000;
/// Texts that are none.
pub const BLANKS: [&str; 2] = ["", " \n\t "];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Op {
    Wait(i64),
    Put {
        by: Who,
        user: Target,
        fields: Changes,
    },
    Patch {
        by: Who,
        user: Target,
        fields: Changes,
    },
    DeleteUser {
        by: Who,
        user: Target,
    },
    Follow {
        by: Who,
        user: Target,
        on: bool,
    },
    Create {
        by: Who,
        text: usize,
        tags: usize,
        media: usize,
        key: Option<u8>,
    },
    CreateBlank {
        by: Who,
        text: usize,
    },
    DeletePost {
        by: Who,
        post: Pick,
    },
    React {
        by: Who,
        post: Pick,
        reaction: Reaction,
        on: bool,
    },
    View {
        by: Who,
        post: Pick,
    },
    Comment {
        by: Who,
        post: Pick,
        text: usize,
    },
    Uncomment {
        by: Who,
        comment: Pick,
    },
    Ban {
        by: Who,
        post: Pick,
        on: bool,
    },
    Read {
        by: Who,
        what: Read,
    },
    /// A backend sends a list of items.
    Sync(Items),
    Stats {
        by: Who,
    },
    /// From page to page, so many items at a time. Hours pass between the pages.
    Walk {
        by: Who,
        list: Read,
        limit: usize,
    },
    /// The whole of Redis, key by key.
    Compare,
}

/// Who calls, and with what credentials.
#[derive(Clone, Debug)]
pub enum Who {
    /// With a token of this role.
    Token(&'static str, &'static str),
    /// Through an API key.
    ActedAs(&'static str),
    /// An API key.
    Key,
    /// Without credentials.
    Nobody,
}

/// The user in a path.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    Me,
    Named(&'static str),
}

/// A post, or a comment.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// One that is there, counted from the newest.
    There(u8),
    /// One that was there at some time.
    Ever(u8),
    /// One that never was.
    Never,
}

/// What a post is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Like,
    Bookmark,
}

/// Fields of a profile with their new values; of two with one name the last counts.
pub type Changes = Vec<(&'static str, Value)>;

/// What a backend sends, item by item.
#[derive(Clone, Debug)]
pub enum Items {
    Users(Vec<SyncedUser>),
    Posts(Vec<SyncedPost>),
    Follows(Vec<SyncedFollow>),
    Reactions(Reaction, Vec<SyncedReaction>),
}

#[derive(Clone, Debug)]
pub struct SyncedUser {
    pub name: &'static str,
    pub fields: Changes,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct SyncedPost {
    pub id: &'static str,
    pub author: &'static str,
    pub text: usize,
    pub tags: usize,
    pub media: Option<usize>,
    pub created_at: Option<i64>,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct SyncedFollow {
    pub follower: &'static str,
    pub following: &'static str,
    pub created_at: Option<i64>,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct SyncedReaction {
    pub username: &'static str,
    pub post: Pick,
    pub created_at: Option<i64>,
    pub deleted: bool,
}

/// What may be read.
#[derive(Clone, Debug)]
pub enum Read {
    User(Target),
    Post(Pick),
    Comments(Pick, Page),
    Feed { feed: Feed, page: Page, include_user: bool },
    Followers(Target, Page),
    Following(Target, Page),
    Newest { role: &'static str, limit: usize },
    TopModels { limit: usize },
    TopPosts { tags: Vec<&'static str>, per_hashtag: usize },
}

impl Read {
    /// The same list, or another part of it.
    pub fn with(&self, page: Page) -> Self {
        match self {
            Self::Comments(post, _) => Self::Comments(*post, page),
            Self::Feed { feed, include_user, .. } => Self::Feed { feed: *feed, page, include_user: *include_user },
            Self::Followers(user, _) => Self::Followers(*user, page),
            Self::Following(user, _) => Self::Following(*user, page),
            other => other.clone(),
        }
    }
}

/// A list of posts.
#[derive(Clone, Copy, Debug)]
pub enum Feed {
    Explore,
    Following,
    Hashtag(&'static str),
    Ranked(&'static str),
    Posts(Target),
    Liked(Target),
    Bookmarked(Target),
}

/// Part of a list; without numbers the first 20.
#[derive(Clone, Copy, Debug)]
pub struct Page(pub Option<(usize, usize)>);
