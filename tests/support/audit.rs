//! Whether a Redis at rest holds to every invariant: counters, both sides of each relation, feeds, registries, sums,
//! names on posts, and no trace of anyone or anything that was deleted.
//!
//! The facts are read at one place each (a like at `post:<id>:likes`), the whole keyspace is built from them anew, and
//! what Redis holds has to be that, key by key.

use super::{
    Redis,
    facts::{Ban, COUNTERS, Comment, Deeds, Facts, Fields, Post, without_zero_counters},
    keyspace::{Keyspace, Stored, differences, integer},
};

/// Everything that is wrong, a sentence each. No work may be pending.
pub fn audit(redis: &Redis) -> Vec<String> {
    let mut keys = without_zero_counters(redis.keyspace());
    let expiring = redis.expiring_keys();
    let expires = |key: &str| is_memory(key) || key.contains(":ranked:");
    let lasting = keys.keys().filter(|key| expires(key) && !expiring.contains(*key));
    let mut wrong: Vec<String> = lasting.map(|key| format!("{key}: never expires")).collect();
    wrong.extend(expiring.iter().filter(|key| !expires(key)).map(|key| format!("{key}: expires")));
    keys.retain(|key, _| !is_memory(key) && key != "reconcile:cursor");
    let seconds = redis.run(&["TIME"])[0].as_str().map_or(i64::MIN, integer);
    let facts = read(&keys, seconds * 1000);
    wrong.extend(differences(&keys, &facts.keyspace()));
    wrong.extend(faults_of_users(&facts));
    wrong
}

/// Keys that say what was done already, and go by themselves.
pub fn is_memory(key: &str) -> bool {
    key.starts_with("idempotency:") || key.starts_with("webhook:")
}

/// What no other key tells of: a profile's own fields.
fn faults_of_users(facts: &Facts) -> Vec<String> {
    let fault = |(name, fields): (&String, &Fields)| {
        let created_at = fields.get("created_at").map_or(i64::MIN, |text| integer(text));
        let role = fields.get("role").map_or("", String::as_str);
        let counters = COUNTERS.iter().any(|counter| fields.contains_key(*counter));
        let well = fields["username"] == *name && created_at > 0 && ["admin", "user", "model"].contains(&role);
        (!well || counters).then(|| format!("user:{name}: is no profile: {fields:?}"))
    };
    facts.users.iter().filter_map(fault).collect()
}

/// The facts in a keyspace at a time. What only half a fact is there for is no fact, and shows as a difference afterwards.
pub fn read(keys: &Keyspace, now_ms: i64) -> Facts {
    let mut facts = Facts::default();
    for (key, value) in keys {
        let parts: Vec<&str> = key.split(':').collect();
        match (parts.as_slice(), value) {
            (["user", name], Stored::Hash(fields)) if fields.contains_key("username") => {
                let mut fields = fields.clone();
                fields.retain(|field, _| !COUNTERS.contains(&field.as_str()));
                facts.users.insert((*name).to_owned(), fields);
            }
            (["post", id], Stored::Hash(fields)) => drop(facts.posts.insert((*id).to_owned(), post(fields, now_ms))),
            (["comment", id], Stored::Hash(fields)) => drop(facts.comments.insert((*id).to_owned(), comment(fields))),
            _ => {}
        }
    }
    facts.likes = deeds_on_posts(keys, "likes", "liked");
    facts.bookmarks = deeds_on_posts(keys, "bookmarks", "bookmarked");
    facts.follows = follows(keys);
    facts.prune();
    facts
}

/// Rankings that would be gone by now are gone, as if every post had come just now.
fn post(fields: &Fields, now_ms: i64) -> Post {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let number = |name: &str| integer(&text(name));
    let ban = fields.contains_key("banned").then(|| Ban { at: number("banned_at"), by: text("banned_by") });
    Post {
        author: text("username"),
        content: text("content"),
        media_url: text("media_url"),
        hashtags: text("hashtags").split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        created_at: number("created_at"),
        published_at: now_ms,
        views: number("viewsCount"),
        ban,
    }
}

fn comment(fields: &Fields) -> Comment {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    Comment {
        post: text("post_id"),
        author: text("user_id"),
        content: text("content"),
        created_at: integer(&text("created_at")),
    }
}

/// Who stands in `post:<id>:<set>`, with the time at `user:<u>:<zset>`, wherever a ban has put it.
fn deeds_on_posts(keys: &Keyspace, set: &str, zset: &str) -> Deeds {
    let mut deeds = Deeds::new();
    for (key, value) in keys {
        let Stored::Set(users) = value else { continue };
        let Some(post) = middle(key, "post", set) else { continue };
        for user in users {
            let at = |hidden| score(keys, &format!("user:{user}:{zset}{hidden}"), post);
            let at = at("").or_else(|| at(":banned")).unwrap_or(i64::MIN);
            deeds.insert((post.to_owned(), user.clone()), at);
        }
    }
    deeds
}

fn follows(keys: &Keyspace) -> Deeds {
    let mut deeds = Deeds::new();
    for (key, value) in keys {
        let Stored::Set(followed) = value else { continue };
        let Some(follower) = middle(key, "user", "following") else { continue };
        for followed in followed {
            let at = score(keys, &format!("user:{follower}:following:since"), followed).unwrap_or(i64::MIN);
            deeds.insert((followed.clone(), follower.to_owned()), at);
        }
    }
    deeds
}

/// The `x` of `first:x:last`.
fn middle<'a>(key: &'a str, first: &str, last: &str) -> Option<&'a str> {
    let parts: Vec<&str> = key.split(':').collect();
    matches!(parts.as_slice(), [a, _, c] if *a == first && *c == last).then(|| parts[1])
}

fn score(keys: &Keyspace, key: &str, member: &str) -> Option<i64> {
    match keys.get(key) {
        Some(Stored::Zset(scores)) => scores.get(member).copied(),
        _ => None,
    }
}
