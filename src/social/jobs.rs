//! Work that is too large for one script: deleting a user, deleting or banning a post with very many likes, a new name for
//! the author of very many posts.
//!
//! The first step, within the request, makes the result visible and leaves a job in `jobs:pending` if more is to be done.
//! Each further step is one bounded script that takes up where the last one ended, so whoever runs it, however often, and
//! wherever it was cut off, the next run completes it. Who runs it: a queue that is told at once, and a cron trigger.

use super::{actor::Moment, keys, outcome, scripts};
use crate::{
    app::App,
    redis::{Failure, Redis, Safety},
};

/// Tells the host that there is work, unless a script said that all is done.
pub(crate) async fn wake_unless_done(app: &App, done: &str) {
    if done.is_empty() {
        wake(app).await;
    }
}

/// Tells the host that there is work.
pub(crate) async fn wake(app: &App) {
    app.host.wake().await;
}

/// Carries pending jobs on, at most `steps` steps. Returns how many jobs are left.
///
/// # Errors
/// What Redis fails with; the jobs stay where they were.
pub async fn run(app: &App, redis: &Redis, steps: u32) -> Result<u64, Failure> {
    let mut left = 0;
    for _ in 0..steps {
        let mut invocation = Moment::now(app).invoke(&scripts::WORK, Safety::IdempotentWrite);
        invocation.key(keys::JOBS);
        let reply = outcome::read(redis.call(invocation).await?)?.map_err(|_| Failure::Nonsense("no work to do"));
        left = reply?.unsigned()?;
        if left == 0 {
            break;
        }
    }
    Ok(left)
}
