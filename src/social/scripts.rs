//! The Lua scripts, put together from what they share and what each of them does; the comment at the head of each file
//! says what it takes and what it returns.
//!
//! A write begins with `#!lua`: a server that is out of memory then refuses the script as a whole, instead of the first
//! command in its middle that would need some. What only makes room is let through.

use crate::redis::Script;

/// A script, as `build.rs` has left it.
macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/lua/", $file))
    };
}
pub(crate) use lua;

/// How a profile gets its place in the registry; the write proxy registers by the same rule.
pub const REGISTRY: &str = lua!("registry.lua");

const WRITES: &str = "#!lua\n";
const MAKES_ROOM: &str = "#!lua flags=allow-oom\n";
const COMMON: &str = lua!("common.lua");
const WRITING: &str = lua!("writing.lua");
const READING: &str = lua!("reading.lua");
const RANKING: &str = lua!("ranking.lua");

macro_rules! scripts {
    ($($name:ident = [$($part:ident),*] $file:literal, $doc:literal;)*) => {
        $(#[doc = $doc] pub static $name: Script = Script::new(&[$($part,)* lua!($file)]);)*
    };
}

scripts! {
    PUT_USER = [WRITES, COMMON, REGISTRY, WRITING] "put_user.lua", "Makes or changes a profile.";
    DELETE_USER = [MAKES_ROOM, COMMON, WRITING] "delete_user.lua", "Deletes a user.";
    FOLLOW = [WRITES, COMMON, WRITING] "follow.lua", "Follows, or no longer.";
    PUT_POST = [WRITES, COMMON, WRITING] "put_post.lua", "Makes a post, or updates one that is synced.";
    DELETE_POST = [MAKES_ROOM, COMMON, WRITING] "delete_post.lua", "Deletes a post.";
    BAN = [WRITES, COMMON, WRITING] "ban.lua", "Bans a post, or lifts the ban.";
    REACT = [WRITES, COMMON, WRITING] "react.lua", "Likes or bookmarks, or takes it back.";
    VIEW = [WRITES, COMMON, WRITING] "view.lua", "Counts a view.";
    COMMENT = [WRITES, COMMON, WRITING] "comment.lua", "Comments on a post.";
    UNCOMMENT = [MAKES_ROOM, COMMON, WRITING] "uncomment.lua", "Deletes a comment.";
    WORK = [MAKES_ROOM, COMMON, WRITING] "work.lua", "Carries the oldest job on by one step.";
    RECONCILE = [WRITES, COMMON, WRITING] "reconcile.lua", "Compares a slice of the counters with what they count.";
    FEED = [COMMON, READING] "feed.lua", "A page of a chronological feed.";
    FOLLOWING = [COMMON, READING] "following.lua", "A page of the posts of those whom a user follows.";
    RANKED = [COMMON, READING, RANKING] "ranked.lua", "A page of a hashtag's posts, best first.";
    TOP_POSTS = [COMMON, READING, RANKING] "top_posts.lua", "The best posts of several hashtags.";
    SHOW_POST = [COMMON, READING] "show_post.lua", "One post.";
    COMMENTS = [COMMON, READING] "comments.lua", "A page of a post's comments.";
    PEOPLE = [COMMON, READING] "people.lua", "A page of users.";
}
