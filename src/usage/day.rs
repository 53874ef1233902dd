//! Days as they are counted: in UTC, from midnight to midnight.

use std::fmt;

use chrono::DateTime;
use serde::{Serialize, Serializer};

/// A day's length in milliseconds. Unix time knows no other.
const LENGTH_MS: u64 = 86_400_000;

/// A day, by its number since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day(u64);

impl Day {
    /// The day of a time.
    pub(super) fn of_ms(time_ms: u64) -> Self {
        Self(time_ms / LENGTH_MS)
    }

    /// So many days that end with this one, oldest first.
    pub(super) fn last(self, count: u64) -> impl Iterator<Item = Self> {
        (self.0.saturating_add(1).saturating_sub(count)..=self.0).map(Self)
    }
}

/// As `2027-01-15`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = i64::try_from(self.0.saturating_mul(LENGTH_MS)).ok().and_then(DateTime::from_timestamp_millis);
        start.map_or(Err(fmt::Error), |start| start.date_naive().fmt(f))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_goes_from_midnight_to_midnight() {
        let midnight = 1_709_164_800_000;
        let text = |time_ms| Day::of_ms(time_ms).to_string();
        assert_eq!([text(midnight - 1), text(midnight)], ["2024-02-28", "2024-02-29"]);
        assert_eq!([text(midnight + LENGTH_MS - 1), text(midnight + LENGTH_MS)], ["2024-02-29", "2024-03-01"]);
        assert_eq!(text(0), "1970-01-01");
    }

    #[test]
    fn the_last_days_end_with_today() {
        let texts = |day: Day, count| day.last(count).map(|day| day.to_string()).collect::<Vec<_>>();
        let day = Day::of_ms(1_709_251_200_000);
        assert_eq!(texts(day, 1), ["2024-03-01"]);
        assert_eq!(texts(day, 3), ["2024-02-28", "2024-02-29", "2024-03-01"]);
        assert_eq!(texts(Day(1), 90), ["1970-01-01", "1970-01-02"]);
    }
}
