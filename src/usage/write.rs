//! Writing: what an isolate has counted is added to the counts of all, while nobody waits for it.

use std::{sync::Arc, time::Duration};

use super::{
    KEPT_DAYS, LAST,
    count::{Batch, Counts},
    of_day, of_writer,
};
use crate::{
    app::App,
    edge::log,
    host::Level,
    redis::{Failure, Invocation, Safety, Script},
    social::scripts,
};

static WRITE: Script = Script::new(&[scripts::lua!("usage.lua")]);

/// How long counts are gathered before they are written. Longer means fewer writings, and more to lose with an isolate.
pub(super) const DELAY: Duration = Duration::from_secs(2);

const DAY_S: u64 = 86_400;

/// How long Redis remembers an isolate's last batch. An isolate that reaches it only after that could count a batch twice.
const REMEMBERED_S: u64 = DAY_S;

/// Writes what was counted. What cannot be written now is written with the next request's counts.
pub(super) async fn write(app: App) {
    if let Err(failure) = write_all(&app).await
        && app.config.log_level.writes(Level::Warn)
    {
        app.host.log(Level::Warn, &log::failure(Level::Warn, "usage_not_written", &failure));
    }
}

async fn write_all(app: &App) -> Result<(), Failure> {
    if let Some(left) = app.usage.begin() {
        send(app, &left).await?;
    }
    match app.usage.close(app.host.as_ref()) {
        Some(batch) => send(app, &batch).await,
        None => Ok(()),
    }
}

async fn send(app: &App, batch: &Batch) -> Result<(), Failure> {
    app.redis.for_request(Arc::default()).call(invocation(batch, app.host.now_ms())).await?;
    app.usage.settle(batch);
    Ok(())
}

fn invocation(batch: &Batch, now_ms: u64) -> Invocation {
    let kept_s = KEPT_DAYS * DAY_S;
    let mut call = WRITE.invoke(Safety::IdempotentWrite);
    call.key(LAST).key(of_writer(&batch.isolate));
    for number in [batch.number, REMEMBERED_S, kept_s, now_ms.saturating_sub(kept_s * 1000)] {
        call.arg(number.to_string());
    }
    for entry in &batch.entries {
        let Counts { requests, commands, denials } = entry.counts;
        call.key(of_day(entry.day)).arg(entry.key.name.clone());
        for number in [requests, commands, denials, entry.last_used_ms] {
            call.arg(number.to_string());
        }
    }
    call
}
