//! Who acts, and when, as the scripts are told.

use crate::{
    app::App,
    auth::{Caller, Role, Username},
    redis::{Invocation, Safety, Script},
};

/// In whose name something is done, and with what authority.
#[derive(Clone)]
pub struct Actor {
    /// The user.
    pub username: Username,
    /// What the user may do to what is not theirs.
    pub authority: Authority,
}

/// What an actor may do to what is not theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Nothing.
    Ordinary,
    /// Everything.
    Admin,
    /// What the role in the profile allows; only the script knows it.
    Stored,
    /// A backend syncs: what it says has happened already.
    Backend,
}

impl Authority {
    /// The word for it in scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "user",
            Self::Admin => "admin",
            Self::Stored => "stored",
            Self::Backend => "backend",
        }
    }
}

impl Actor {
    /// A backend that syncs what a user did.
    pub fn backend(username: Username) -> Self {
        Self { username, authority: Authority::Backend }
    }
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        let authority = match caller.known_role() {
            Some(Role::Admin) => Authority::Admin,
            Some(Role::User | Role::Model) => Authority::Ordinary,
            None => Authority::Stored,
        };
        Self { username: caller.username(), authority }
    }
}

/// When a write happens, and the event that it is, if it is one.
pub struct Moment {
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// The key by which the event is remembered.
    pub event: Option<String>,
}

impl Moment {
    /// Now, on the app's clock.
    pub fn now(app: &App) -> Self {
        Self { now_ms: i64::try_from(app.host.now_ms()).unwrap_or(i64::MAX), event: None }
    }

    /// Starts a call of a script that writes. Its first arguments are always whether it is an event, and the time.
    pub fn invoke(&self, script: &'static Script, safety: Safety) -> Invocation {
        let mut call = script.invoke(safety);
        if let Some(event) = &self.event {
            call.key(event.clone());
        }
        call.arg(if self.event.is_some() { "once" } else { "" }).arg(self.now_ms.to_string());
        call
    }
}
