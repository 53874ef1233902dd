//! Who and what is there before a storm: some who will act, and crowds that make deleting, banning and renaming more than
//! one step's work.

use crate::support::facts::{Comment, Facts, Fields, Post};

/// Those who act. The first of them have what is more than one step's work.
pub const ACTORS: usize = 40;
/// Actors with a post that all of the crowd reacted to, and with followers.
pub const FAMOUS: usize = 16;
/// Actors with many posts.
pub const DILIGENT: usize = 3;
/// How many each of those has.
pub const POSTS: usize = 1100;
/// Those who only have liked, bookmarked, commented and followed.
const CROWD: usize = 450;
/// Whom nobody deletes or bans.
pub const KEEPER: &str = "keeper";
/// Views of this post are counted by those who ask for them.
pub const KEPT_POST: &str = "kept";

/// When it all was.
pub const LONG_AGO_MS: i64 = 1_700_000_000_000;

/// The name of someone who acts.
pub fn actor(number: usize) -> String {
    format!("actor-{number}")
}

/// The post of one of the famous.
pub fn famous(number: usize) -> String {
    format!("famous-{number}")
}

/// A post of one of the diligent; those with the first numbers are the oldest.
pub fn many(author: usize, number: usize) -> String {
    format!("many-{author}-{number}")
}

fn user(facts: &mut Facts, name: &str, role: &str) {
    let created_at = LONG_AGO_MS.to_string();
    let fields = [("username", name), ("role", role), ("created_at", &created_at), ("avatar", "a")];
    let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
    facts.users.insert(name.to_owned(), Fields::from(fields));
}

fn post(facts: &mut Facts, id: &str, author: &str, number: usize) {
    let post = Post {
        author: author.to_owned(),
        content: "before the storm".to_owned(),
        hashtags: vec!["storm".to_owned()],
        // Several of one time, so that order is a matter of ids too.
        created_at: LONG_AGO_MS + i64::try_from(number / 3).expect("few"),
        // The rankings of that time are gone.
        published_at: i64::MAX,
        ..Post::default()
    };
    facts.posts.insert(id.to_owned(), post);
}

/// Everything that is true before the storm.
pub fn before() -> Facts {
    let mut facts = Facts::default();
    (0..ACTORS).for_each(|number| user(&mut facts, &actor(number), if number % 4 == 0 { "model" } else { "user" }));
    user(&mut facts, KEEPER, "user");
    post(&mut facts, KEPT_POST, KEEPER, 0);
    (0..FAMOUS).for_each(|number| post(&mut facts, &famous(number), &actor(number), number));
    for diligent in 0..DILIGENT {
        (0..POSTS).for_each(|number| post(&mut facts, &many(diligent, number), &actor(diligent), number));
    }
    (0..CROWD).for_each(|number| join(&mut facts, number));
    facts
}

/// One more of the crowd.
fn join(facts: &mut Facts, number: usize) {
    let name = format!("crowd-{number}");
    user(facts, &name, "user");
    for famous_number in 0..FAMOUS {
        let deed = (famous(famous_number), name.clone());
        facts.likes.insert(deed.clone(), LONG_AGO_MS);
        facts.bookmarks.insert(deed, LONG_AGO_MS);
        facts.follows.insert((actor(famous_number), name.clone()), LONG_AGO_MS);
    }
    let comment =
        Comment { post: famous(number % FAMOUS), author: name, content: "yes".to_owned(), created_at: LONG_AGO_MS };
    facts.comments.insert(format!("comment-{number}"), comment);
}
