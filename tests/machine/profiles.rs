//! The model's profiles: `PUT` and `PATCH /users/:id`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    model::{ADMIN_ONLY, BAD_REQUEST, FORBIDDEN, Model, NO_USER, Refusal, Verdict},
    operation::{Changes, SYNC_USER, Target, Who},
};
use crate::support::facts::{COUNTERS, Fields};

/// What users may change of themselves.
const EDITABLE: [&str; 4] = ["display_name", "bio", "avatar", "links"];
/// What `PUT` leaves when it is absent.
const KEPT: [&str; 3] = ["username", "role", "created_at"];

/// Fields as they will be stored; `None` is one to remove.
pub type Values = BTreeMap<&'static str, Option<String>>;

impl Model {
    pub fn put(&mut self, by: &Who, user: Target, fields: &Changes) -> Verdict {
        let me = by.caller()?;
        let name = user.name(me);
        if matches!(by, Who::Token(..)) && !self.is_admin(by) {
            return Err(ADMIN_ONLY);
        }
        let values = values(fields, name)?;
        if !self.is_admin(by) {
            return Err(ADMIN_ONLY);
        }
        let created = !self.facts.users.contains_key(name);
        // A deleted user's token brings nobody back, whatever role it says.
        if created && name == me && name != SYNC_USER {
            return Err(NO_USER);
        }
        let mut profile = self.facts.users.get(name).cloned().unwrap_or_default();
        profile.retain(|field, _| KEPT.contains(&field.as_str()));
        set(&mut profile, &values);
        self.fill_profile(&mut profile, name);
        self.facts.users.insert(name.to_owned(), profile);
        Ok((if created { 201 } else { 200 }, json!({"user": self.profile_for(by, me, name)})))
    }

    pub fn patch(&mut self, by: &Who, user: Target, fields: &Changes) -> Verdict {
        let me = by.caller()?;
        let name = user.name(me);
        let values = values(fields, name)?;
        if values.is_empty() {
            return Err(BAD_REQUEST);
        }
        if !self.is_admin(by) && (name != me || values.keys().any(|field| !EDITABLE.contains(field))) {
            return Err(FORBIDDEN);
        }
        let mut profile = match self.facts.users.get(name) {
            Some(profile) => profile.clone(),
            // The API keys' own user is made when it is first needed.
            None if name == SYNC_USER => Fields::new(),
            None => return Err(NO_USER),
        };
        set(&mut profile, &values);
        self.fill_profile(&mut profile, name);
        self.facts.users.insert(name.to_owned(), profile);
        let user = self.profile_for(by, me, name);
        Ok((200, json!({"message": "Profile updated", "user": user, "updates": values})))
    }

    /// Gives a profile what every profile has.
    pub fn fill_profile(&self, profile: &mut Fields, name: &str) {
        let role = if name == SYNC_USER { "admin" } else { "user" };
        let defaults = [("username", name.to_owned()), ("role", role.into()), ("created_at", self.now.to_string())];
        for (field, value) in defaults {
            profile.entry(field.to_owned()).or_insert(value);
        }
    }

    fn profile_for(&self, by: &Who, me: &str, name: &str) -> Value {
        let mut profile =
            self.existing_profile(name, name == me && !matches!(by, Who::Key)).expect("it was just written");
        profile["isFollowing"] = self.follows(me, name).into();
        profile
    }
}

pub fn set(profile: &mut Fields, values: &Values) {
    for (field, value) in values {
        match value {
            Some(value) => drop(profile.insert((*field).to_owned(), value.clone())),
            None => drop(profile.remove(*field)),
        }
    }
}

/// The fields that a body sets, if all of them may have these values.
pub fn values(fields: &Changes, name: &str) -> Result<Values, Refusal> {
    let text = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Array(_) | Value::Object(_) => Err(BAD_REQUEST),
        digits => Ok(Some(digits.to_string())),
    };
    let values: BTreeMap<_, _> = fields.iter().map(|(field, value)| (*field, value)).collect();
    let values =
        values.into_iter().map(|(field, value)| Ok((field, text(value)?))).collect::<Result<Values, Refusal>>()?;
    let fits = |(field, value): (&&str, &Option<String>)| match *field {
        "username" => value.as_deref() == Some(name),
        "role" if name == SYNC_USER => value.as_deref() == Some("admin"),
        "role" => ["admin", "user", "model"].contains(&value.as_deref().unwrap_or_default()),
        "created_at" => value.as_deref().is_some_and(|text| text.parse::<i64>().is_ok()),
        field => !COUNTERS.contains(&field),
    };
    if values.iter().all(fits) { Ok(values) } else { Err(BAD_REQUEST) }
}
