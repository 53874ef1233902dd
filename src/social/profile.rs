//! A user's profile as it is shown: counts and times as numbers, everything else as strings, and only what the viewer
//! may see.

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::privacy::{Privacy, Viewer};
use crate::{
    auth::Role,
    policy::profile::{COUNTERS, CREATED_AT},
    redis::{Failure, Reply, Text},
};

/// What the viewer is to the user; the routes say it beside the fields.
pub const IS_FOLLOWING: &str = "isFollowing";
/// The engagement of a model's posts; the search says it beside the fields.
pub const ENGAGEMENT_SCORE: &str = "engagement_score";

/// The fields of `user:<u>` that someone may see.
pub struct Profile {
    fields: Vec<(Bytes, Bytes)>,
    /// Counters that are shown as 0 because they were never stored.
    absent_counters: Vec<&'static str>,
    role: Option<Role>,
}

impl Profile {
    /// The profile in a reply to `HGETALL`, or `None` if there is no such user: a hash without `username` is none.
    ///
    /// # Errors
    /// When the reply is an error, or no hash.
    pub fn from_reply(reply: Reply, privacy: &Privacy, viewer: Viewer) -> Result<Option<Self>, Failure> {
        let mut exists = false;
        let mut role = None;
        let mut fields = Vec::new();
        for (field, value) in reply.into_pairs()? {
            let Reply::String(value) = value else { continue };
            match field.as_ref() {
                // Stored by someone, they would pass for the route's own word.
                name if name == IS_FOLLOWING.as_bytes() || name == ENGAGEMENT_SCORE.as_bytes() => continue,
                b"username" => exists = true,
                b"role" => role = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()),
                _ => {}
            }
            if privacy.shows(&String::from_utf8_lossy(&field), viewer) {
                fields.push((field, value));
            }
        }
        let is_absent = |name: &&str| !fields.iter().any(|(field, _)| field.as_ref() == name.as_bytes());
        let absent_counters =
            COUNTERS.iter().copied().filter(is_absent).filter(|name| privacy.shows(name, viewer)).collect();
        Ok(exists.then_some(Self { fields, absent_counters, role }))
    }

    /// The stored role.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Writes the fields into a map that the caller may add to.
    ///
    /// # Errors
    /// The serializer's own.
    #[inline(never)]
    pub fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (field, value) in &self.fields {
            match std::str::from_utf8(field).unwrap_or_default() {
                name if COUNTERS.contains(&name) => map.serialize_entry(name, &number(value).unwrap_or(0))?,
                CREATED_AT => map.serialize_entry(CREATED_AT, &number(value))?,
                _ => map.serialize_entry(&Text(field), &Text(value))?,
            }
        }
        for name in &self.absent_counters {
            map.serialize_entry(name, &0)?;
        }
        Ok(())
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_into(&mut map)?;
        map.end()
    }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
