//! Which fields of a profile are whose to see. Names are compared without case.

use std::collections::HashSet;

/// Fields that only the user sees, beside those of `PRIVATE_FIELDS`.
const PRIVATE: &[&str] = &[
    "first_name",
    "last_name",
    "email",
    "phone",
    "phone_number",
    "address",
    "date_of_birth",
    "birth_date",
    "ip_address",
    "device_id",
    "language",
    "email_notifications",
    "allowed_last_online",
    "allowed_mark_read",
];

/// Fields that nobody sees.
const SECRET: &[&str] = &["password", "ssn", "credit_card", "bank_account"];

/// Whose eyes a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The user.
    Oneself,
    /// Anyone else, API keys among them.
    Other,
}

/// The rules.
#[derive(Debug, Default)]
pub struct Privacy {
    private: HashSet<String>,
    /// If there are any, others see these only.
    public: HashSet<String>,
}

impl Privacy {
    /// The rules with the fields of `PRIVATE_FIELDS` and `PUBLIC_FIELDS`.
    pub fn new(private: &[String], public: &[String]) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<HashSet<_>>();
        let private = PRIVATE.iter().map(|name| (*name).to_owned()).chain(lower(private)).collect();
        Self { private, public: lower(public) }
    }

    /// Whether nobody may see a field.
    pub fn is_secret(field: &str) -> bool {
        is_secret(&field.to_lowercase())
    }

    /// Whether a viewer may see a field.
    pub fn shows(&self, field: &str, viewer: Viewer) -> bool {
        let field = field.to_lowercase();
        if is_secret(&field) {
            return false;
        }
        match viewer {
            Viewer::Oneself => true,
            Viewer::Other if self.public.is_empty() => !self.private.contains(&field),
            Viewer::Other => self.public.contains(&field),
        }
    }
}

fn is_secret(field: &str) -> bool {
    SECRET.contains(&field)
        || field.starts_with("otp")
        || field.ends_with("_hash")
        || field.contains("token")
        || field.contains("secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_a_secret() {
        let privacy = Privacy::new(&[], &["password".into()]);
        for field in [
            "password",
            "PassWord",
            "otp",
            "otp_code",
            "OTPsecret",
            "pw_hash",
            "api_token",
            "TokenId",
            "my_Secret_x",
            "ssn",
        ] {
            assert!(!privacy.shows(field, Viewer::Oneself) && !privacy.shows(field, Viewer::Other), "{field}");
        }
    }

    #[test]
    fn private_fields_are_the_users_own() {
        let privacy = Privacy::new(&["Salary".into()], &[]);
        for field in ["email", "EMAIL", "salary", "birth_date"] {
            assert!(privacy.shows(field, Viewer::Oneself) && !privacy.shows(field, Viewer::Other), "{field}");
        }
        assert!(privacy.shows("bio", Viewer::Other) && privacy.shows("hash_rate", Viewer::Other));
    }

    #[test]
    fn a_list_of_public_fields_turns_it_round() {
        let privacy = Privacy::new(&[], &["username".into(), "Email".into()]);
        assert!(privacy.shows("email", Viewer::Other) && !privacy.shows("bio", Viewer::Other));
        assert!(privacy.shows("bio", Viewer::Oneself));
    }
}
