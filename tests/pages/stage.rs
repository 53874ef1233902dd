//! What the lists are of, and how they are read.

use serde_json::Value;

use crate::support::{
    Gateway, NOW_MS, Redis,
    facts::{Comment, Facts, Fields, Post},
};

/// The time of the gateway's clock.
pub const NOW: i64 = 1_800_000_000_000;
/// In milliseconds.
pub const HOUR: i64 = 3_600_000;

/// Things to list: `reader` follows the two authors, has liked and bookmarked all posts, and commented on the first; a crowd
/// follows `reader`. Times come in threes, so that an order by time alone is none.
pub fn facts(items: usize) -> Facts {
    let mut facts = Facts::default();
    for name in ["reader", "ann", "bea"] {
        add_user(&mut facts, name);
    }
    for author in ["ann", "bea"] {
        facts.follows.insert((author.into(), "reader".into()), NOW - 1);
    }
    for number in 0..items {
        let at = NOW - 1_000_000 + i64::try_from(number / 3).unwrap();
        let id = format!("post-{number:03}");
        add_post(&mut facts, &id, ["ann", "bea"][number % 2], at);
        facts.likes.insert((id.clone(), "reader".into()), at);
        facts.bookmarks.insert((id, "reader".into()), at);
        let content = format!("comment {number}");
        let comment = Comment { post: "post-000".into(), author: "reader".into(), content, created_at: at };
        facts.comments.insert(format!("comment-{number:03}"), comment);
        let fan = format!("fan-{number:03}");
        add_user(&mut facts, &fan);
        facts.follows.insert(("reader".into(), fan.clone()), at);
        facts.follows.insert((fan, "bea".into()), at);
    }
    facts
}

pub fn add_user(facts: &mut Facts, name: &str) {
    let fields = [("username", name), ("role", "user"), ("created_at", "1700000000000")];
    facts.users.insert(name.into(), Fields::from(fields.map(|(field, value)| (field.into(), value.into()))));
}

pub fn add_post(facts: &mut Facts, id: &str, author: &str, created_at: i64) {
    let (author, content, hashtags) = (author.into(), "#tag".into(), vec!["tag".into()]);
    let post = Post { author, content, hashtags, created_at, published_at: created_at, ..Post::default() };
    facts.posts.insert(id.into(), post);
}

/// A Redis with these facts, and a gateway on it at [`NOW`].
pub fn stage(facts: &Facts) -> (Redis, Gateway) {
    let redis = Redis::own();
    redis.fill(&facts.keyspace());
    let gateway = Gateway::on(&redis).at(NOW_MS);
    (redis, gateway)
}

/// A list that is in the order of time, and where its items are.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub path: &'static str,
    pub items: &'static str,
    id: &'static str,
    /// What makes something new at the list's beginning.
    pub arrive: fn(&mut Facts, usize),
}

fn new_post(facts: &mut Facts, number: usize) {
    let id = format!("zz-new-{number:03}");
    add_post(facts, &id, "ann", NOW + i64::try_from(number / 2).unwrap());
    facts.likes.insert((id.clone(), "reader".into()), NOW);
    facts.bookmarks.insert((id, "reader".into()), NOW);
}

fn new_comment(facts: &mut Facts, number: usize) {
    let comment = Comment { post: "post-000".into(), author: "ann".into(), content: "new".into(), created_at: NOW };
    facts.comments.insert(format!("zz-new-{number:03}"), comment);
}

fn new_fan(facts: &mut Facts, number: usize) {
    let name = format!("zz-new-{number:03}");
    add_user(facts, &name);
    facts.follows.insert(("reader".into(), name.clone()), NOW);
    facts.follows.insert((name, "bea".into()), NOW);
}

pub const fn posts(path: &'static str) -> List {
    List { path, items: "posts", id: "/post/id", arrive: new_post }
}

/// Every list that is in the order of time.
pub const LISTS: [List; 9] = [
    posts("/feed/explore"),
    posts("/feed/following"),
    posts("/feed/hashtag/tag"),
    posts("/users/ann/posts"),
    posts("/users/me/liked"),
    posts("/users/me/bookmarked"),
    List { path: "/posts/post-000/comments", items: "comments", id: "/id", arrive: new_comment },
    List { path: "/users/reader/followers", items: "users", id: "/username", arrive: new_fan },
    List { path: "/users/bea/following", items: "users", id: "/username", arrive: new_fan },
];

/// A hashtag's posts, best first.
pub const RANKED: List = posts("/feed/hashtag/tag/ranked");

/// A page: the ids of its items, and what is said of it.
pub async fn page(gateway: &Gateway, list: List, query: &str) -> (Vec<String>, Value) {
    let answer = gateway.get(&format!("{}?{query}", list.path)).user("reader").send().await;
    assert_eq!(answer.header("x-redis-round-trips"), "1", "{}", list.path);
    let body = answer.ok();
    let id = |item: &Value| item.pointer(list.id).unwrap().as_str().unwrap().to_owned();
    let ids: Vec<String> = body[list.items].as_array().unwrap().iter().map(id).collect();
    assert_eq!(body["pagination"]["count"], ids.len(), "{}", list.path);
    (ids, body["pagination"].clone())
}

/// The parameter by which a list goes on.
pub fn cursor(pagination: &Value) -> Option<String> {
    assert_eq!(pagination["hasMore"], pagination["nextCursor"].is_string(), "{pagination}");
    let cursor = pagination["nextCursor"].as_str()?;
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    assert!(cursor.bytes().all(is_url_safe), "{cursor}");
    Some(format!("cursor={cursor}"))
}

/// Walks a list to its end. After each page something happens.
pub async fn walk(gateway: &Gateway, list: List, limit: usize, mut happen: impl FnMut(usize)) -> Vec<String> {
    let mut all = Vec::new();
    let mut query = format!("limit={limit}");
    for number in 0..1000 {
        let (ids, pagination) = page(gateway, list, &query).await;
        let next = cursor(&pagination);
        assert!(next.is_none() || ids.len() == limit, "{}: a short page before the end: {pagination}", list.path);
        happen(number);
        all.extend(ids);
        match next {
            Some(next) => query = format!("limit={limit}&{next}"),
            None => return all,
        }
    }
    panic!("{}: there is no end", list.path);
}
