//! What each API key is used for: requests, commands and denials a day, and when it was last used.
//!
//! Every request with a known key is counted in the isolate (`count`), which costs it no round trip. The first count
//! after a writing leaves one more writing for later (`write`): it waits a little, and then adds what has come meanwhile
//! to the counts of all isolates in Redis, in one script. So a busy isolate writes every few seconds and not for every
//! request, and one that falls quiet writes its last counts too. `show` is the route that tells them.
//!
//! A batch of counts carries the isolate's name and a number, and Redis remembers the last number of each isolate. So a
//! batch whose outcome is unknown is simply sent again: nothing is lost by a Redis that was away, and nothing counted
//! twice. Only what an isolate had not written when its machine gave it up is lost.
//!
//! What is kept is names, dates and numbers: no key, no address, no command.

mod count;
mod day;
mod show;
mod write;

use count::Counts;
pub use count::Usage;
use day::Day;
pub use show::show;

use crate::{app::App, edge::Context, error::ApiError};

/// Counts a request that was answered, if an API key was presented that is known.
pub(crate) fn note(app: &App, context: &Context, error: Option<&ApiError>) {
    let Some(key) = context.key() else { return };
    let is_denied = error.is_some_and(ApiError::denies_key);
    let denials = u64::from(context.denials()) + u64::from(is_denied);
    let counts = Counts { requests: 1, commands: context.commands().into(), denials };
    if app.usage.add(key, context.started_ms(), counts) {
        app.host.later(write::DELAY, Box::pin(write::write(app.clone())));
    }
}

/// How many days a count is kept.
const KEPT_DAYS: u64 = 90;

/// When each key was last used: a sorted set of names by milliseconds.
const LAST: &str = "ridge:usage:last";

/// `ridge:usage:<yyyy-mm-dd>`: the counts of a day, a hash of `requests:<name>` and the like.
fn of_day(day: Day) -> String {
    format!("ridge:usage:{day}")
}

/// `ridge:usage:writer:<isolate>`: the number of the last batch that an isolate has written.
fn of_writer(isolate: &str) -> String {
    format!("ridge:usage:writer:{isolate}")
}
