//! Counting in the isolate.
//!
//! Every request with an API key comes through here, so it is a lock that nobody else holds, a look at a few entries
//! and four additions; memory is asked for only when a key is used for the first time after a writing. What is held is
//! bounded by the configured keys and the days on which Redis took nothing.

use std::{
    ops::AddAssign,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use super::day::Day;
use crate::{auth::ApiKey, edge::fresh_id, host::Host};

/// A writing that was left for later and has not begun by now, in milliseconds, never will: its request was given up.
const FORGOTTEN_AFTER_MS: u64 = 10_000;

/// How often a key was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Requests that it was presented with.
    pub requests: u64,
    /// Commands that they brought, whatever became of them.
    pub commands: u64,
    /// Requests and commands that it may not make.
    pub denials: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.commands = self.commands.saturating_add(more.commands);
        self.denials = self.denials.saturating_add(more.denials);
    }
}

/// How one key was used on one day.
pub(super) struct Entry {
    pub key: Arc<ApiKey>,
    pub day: Day,
    pub counts: Counts,
    pub last_used_ms: u64,
}

/// Counts on their way to Redis. They change no more, so they can be sent again.
pub(super) struct Batch {
    /// Who counted.
    pub isolate: Arc<str>,
    /// The isolate's batches are numbered from 1 on.
    pub number: u64,
    /// The counts.
    pub entries: Vec<Entry>,
}

/// What an isolate has counted and not written yet.
#[derive(Default)]
pub struct Usage(Mutex<State>);

#[derive(Default)]
struct State {
    /// What no batch holds yet. Few enough that a look at each is the fastest search.
    entries: Vec<Entry>,
    /// The batch that is not known to be written.
    batch: Option<Arc<Batch>>,
    batches: u64,
    isolate: Option<Arc<str>>,
    /// When a writing was left for later that has not begun.
    waiting_since_ms: Option<u64>,
}

impl Usage {
    /// Adds a use of a key. Returns whether a writing must be left for later.
    pub(super) fn add(&self, key: &Arc<ApiKey>, now_ms: u64, counts: Counts) -> bool {
        let day = Day::of_ms(now_ms);
        let mut state = self.state();
        match state.entries.iter_mut().find(|entry| entry.day == day && Arc::ptr_eq(&entry.key, key)) {
            Some(entry) => {
                entry.counts += counts;
                entry.last_used_ms = entry.last_used_ms.max(now_ms);
            }
            None => state.entries.push(Entry { key: Arc::clone(key), day, counts, last_used_ms: now_ms }),
        }
        if state.waiting_since_ms.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) < FORGOTTEN_AFTER_MS) {
            return false;
        }
        state.waiting_since_ms = Some(now_ms);
        true
    }

    /// A writing begins: what is counted from here on needs another one. Returns the batch that an earlier one has left.
    pub(super) fn begin(&self) -> Option<Arc<Batch>> {
        let mut state = self.state();
        state.waiting_since_ms = None;
        state.batch.clone()
    }

    /// All that was counted and is in no batch, as a batch. One that is not known to be written goes first.
    pub(super) fn close(&self, host: &dyn Host) -> Option<Arc<Batch>> {
        let mut state = self.state();
        if state.batch.is_none() && !state.entries.is_empty() {
            let isolate = Arc::clone(state.isolate.get_or_insert_with(|| fresh_id(host).into()));
            state.batches = state.batches.saturating_add(1);
            let entries = std::mem::take(&mut state.entries);
            state.batch = Some(Arc::new(Batch { isolate, number: state.batches, entries }));
        }
        state.batch.clone()
    }

    /// A batch is written.
    pub(super) fn settle(&self, batch: &Batch) {
        self.state().batch.take_if(|pending| pending.number == batch.number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::ApiKeys, native::Native};

    const NOON: u64 = 1_800_000_000_000;
    const DAY: u64 = 86_400_000;

    fn two_keys() -> [Arc<ApiKey>; 2] {
        let mut keys = ApiKeys::default();
        keys.add_list(r#"[{"name":"a","key":"a"},{"name":"b","key":"b"}]"#).unwrap();
        ["a", "b"].map(|key| Arc::clone(keys.find(key.as_bytes(), || 0).unwrap()))
    }

    fn request(commands: u64) -> Counts {
        Counts { requests: 1, commands, denials: 0 }
    }

    fn close(usage: &Usage) -> Option<Arc<Batch>> {
        usage.close(&Native::default())
    }

    #[test]
    fn a_key_has_one_entry_a_day() {
        let (usage, [a, b]) = (Usage::default(), two_keys());
        for (key, at, commands) in
            [(&a, NOON, 1), (&b, NOON, 10), (&a, NOON + 5, 2), (&a, NOON + DAY, 4), (&a, NOON, 8)]
        {
            usage.add(key, at, request(commands));
        }
        let batch = close(&usage).unwrap();
        let entries: Vec<_> = batch
            .entries
            .iter()
            .map(|entry| (entry.key.name.as_str(), entry.last_used_ms, entry.counts.requests, entry.counts.commands))
            .collect();
        assert_eq!(entries, [("a", NOON + 5, 3, 11), ("b", NOON, 1, 10), ("a", NOON + DAY, 1, 4)]);
    }

    #[test]
    fn one_writing_at_a_time_is_left_for_later() {
        let (usage, [a, _]) = (Usage::default(), two_keys());
        assert!(usage.add(&a, NOON, request(0)));
        assert!(!usage.add(&a, NOON + 1, request(0)));
        usage.begin();
        assert!(usage.add(&a, NOON + 2, request(0)), "what comes while it is written needs another writing");
        assert!(!usage.add(&a, NOON + FORGOTTEN_AFTER_MS, request(0)));
        assert!(usage.add(&a, NOON + 2 + FORGOTTEN_AFTER_MS, request(0)), "the writing that was left never came");
    }

    #[test]
    fn a_batch_stays_as_it_is_until_it_is_written() {
        let (usage, [a, _]) = (Usage::default(), two_keys());
        assert!(close(&usage).is_none());
        usage.add(&a, NOON, request(1));
        let first = close(&usage).unwrap();
        usage.add(&a, NOON, request(2));
        assert!(Arc::ptr_eq(&first, &usage.begin().unwrap()));
        assert!(Arc::ptr_eq(&first, &close(&usage).unwrap()));
        usage.settle(&first);
        assert!(usage.begin().is_none());
        let second = close(&usage).unwrap();
        assert_eq!((second.number, second.entries[0].counts.commands), (2, 2));
        assert_eq!(first.isolate, second.isolate);
        // An answer that comes late says nothing about the batch that went after it.
        usage.settle(&first);
        assert!(usage.begin().is_some());
        usage.settle(&second);
        assert!(close(&usage).is_none());
    }
}
