//! `GET /keys/usage`: how each key was used, day by day.
//!
//! It tells what stands in Redis. What isolates have counted in the last seconds is not in it, not even by the one that
//! answers: else the numbers would go up and down with the isolate that one happens to ask.

use axum::extract::State;
use serde::Serialize;

use super::{Counts, Day, KEPT_DAYS, LAST, of_day};
use crate::{
    app::App,
    auth::{AdminCaller, ApiKeys},
    edge::{Json, Query},
    error::ApiError,
    redis::{Command, Failure, Pipeline, Redis, Reply},
};

/// How many days are shown if nobody says how many.
const DEFAULT_DAYS: u64 = 30;

/// The answer.
#[derive(Serialize)]
pub struct Shown {
    /// Those that are configured, in that order, then those that were, by name.
    keys: Vec<KeyUsage>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyUsage {
    name: String,
    /// Whether there is still such a key.
    configured: bool,
    /// Those on which it was used, oldest first.
    days: Vec<DayUsage>,
    /// The sum of these days.
    total: Counts,
    /// In milliseconds; `None` if it was not used for as long as counts are kept.
    last_used: Option<u64>,
}

#[derive(Serialize)]
struct DayUsage {
    date: Day,
    #[serde(flatten)]
    counts: Counts,
}

/// Shows the last days, today among them.
pub async fn show(_: AdminCaller, redis: Redis, State(app): State<App>, query: Query) -> Result<Json<Shown>, ApiError> {
    let count = query.number("days", 1..=KEPT_DAYS, DEFAULT_DAYS)?;
    let days: Vec<Day> = Day::of_ms(app.host.now_ms()).last(count).collect();
    let mut pipeline = Pipeline::from(Command::new("ZRANGE").arg(LAST).arg("0").arg("-1").arg("WITHSCORES"));
    for day in &days {
        pipeline.push(Command::new("HGETALL").arg(of_day(*day)));
    }
    let mut replies = redis.read(pipeline).await?.into_iter();
    let mut stored = Stored::default();
    stored.add_last_uses(replies.next().unwrap_or(Reply::Nil))?;
    for (day, reply) in days.into_iter().zip(replies) {
        stored.add_day(day, reply)?;
    }
    Ok(Json(stored.show(&app.config.api_keys)))
}

/// What stands in Redis, in the order of the keys' names.
#[derive(Default)]
struct Stored(Vec<KeyUsage>);

impl Stored {
    fn add_last_uses(&mut self, names: Reply) -> Result<(), Failure> {
        for (name, time) in names.into_pairs()? {
            if let Some(usage) = self.of(&String::from_utf8_lossy(&name)) {
                usage.last_used = unsigned(&time);
            }
        }
        Ok(())
    }

    /// Adds the counts of a day that is later than those before.
    fn add_day(&mut self, date: Day, fields: Reply) -> Result<(), Failure> {
        for (field, number) in fields.into_pairs()? {
            let field = String::from_utf8_lossy(&field);
            let (Some((kind, name)), Some(number)) = (field.split_once(':'), unsigned(&number)) else { continue };
            let counts = match kind {
                "requests" => Counts { requests: number, ..Counts::default() },
                "commands" => Counts { commands: number, ..Counts::default() },
                "denials" => Counts { denials: number, ..Counts::default() },
                _ => continue,
            };
            let Some(usage) = self.of(name) else { continue };
            usage.total += counts;
            match usage.days.last_mut() {
                Some(day) if day.date == date => day.counts += counts,
                _ => usage.days.push(DayUsage { date, counts }),
            }
        }
        Ok(())
    }

    fn place_of(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|usage| usage.name.as_str().cmp(name))
    }

    /// The usage of a key, made if it is not there: never `None`.
    fn of(&mut self, name: &str) -> Option<&mut KeyUsage> {
        let place = self.place_of(name).unwrap_or_else(|place| {
            self.0.insert(place, KeyUsage { name: name.to_owned(), ..KeyUsage::default() });
            place
        });
        self.0.get_mut(place)
    }

    fn show(mut self, configured: &ApiKeys) -> Shown {
        let mut keys = Vec::with_capacity(self.0.len());
        for key in configured.iter() {
            let stored = self.place_of(&key.name).map(|place| self.0.remove(place)).ok();
            let usage = stored.unwrap_or_else(|| KeyUsage { name: key.name.clone(), ..KeyUsage::default() });
            keys.push(KeyUsage { configured: true, ..usage });
        }
        keys.extend(self.0);
        Shown { keys }
    }
}

fn unsigned(reply: &Reply) -> Option<u64> {
    u64::try_from(reply.as_integer()?).ok()
}
