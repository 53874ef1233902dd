//! `REDIS_URL`: where a Redis is and how to log in.

use std::fmt;

use bytes::Bytes;
use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// Where a Redis is reached over TCP, and the credentials and database to use there.
#[derive(Clone)]
pub struct Address {
    /// Host name or IP address; an IPv6 address without brackets.
    pub host: String,
    /// Port, 6379 unless the URL says otherwise.
    pub port: u16,
    /// Whether the stream is encrypted (`rediss://`).
    pub tls: bool,
    /// User and password for `AUTH`; the user may be absent.
    pub credentials: Option<Credentials>,
    /// Database for `SELECT`; 0 needs none.
    pub database: u32,
}

/// What `AUTH` is given.
#[derive(Clone)]
pub struct Credentials {
    /// The ACL user; without one, the server's default user.
    pub username: Option<Bytes>,
    /// The password.
    pub password: Bytes,
}

/// Why a `REDIS_URL` is not one. Never repeats the URL: it may hold a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("is not a URL")]
    NotAUrl,
    /// A scheme that is not Redis's.
    #[error("must begin with redis:// or rediss://")]
    Scheme,
    /// No host.
    #[error("names no host")]
    Host,
    /// The path is not a database number.
    #[error("has a path that is not a database number, as in redis://host:6379/0")]
    Database,
}

impl Address {
    /// Reads `redis[s]://[user[:password]@]host[:port][/database]`. A lone `user` logs in with an empty password:
    /// whether it may is for the server to say.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        // What no URL may hold as it is, a password may: it is taken for its own percent-encoding.
        let text = utf8_percent_encode(text, NOT_IN_A_URL).to_string();
        let uri: Uri = text.split('#').next().unwrap_or_default().parse().map_err(|_| AddressError::NotAUrl)?;
        let tls = match uri.scheme_str() {
            Some("redis") => false,
            Some("rediss") => true,
            _ => return Err(AddressError::Scheme),
        };
        let authority = uri.authority().ok_or(AddressError::Host)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        let (login, place) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        let has_port = place.strip_prefix(authority.host()).is_some_and(|port| port.len() > 1);
        if has_port && authority.port_u16().is_none() {
            return Err(AddressError::NotAUrl);
        }
        let database = match uri.path().trim_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| AddressError::Database)?,
        };
        let decoded = |text: &str| Bytes::from(percent_decode_str(text).collect::<Vec<u8>>());
        let (username, password) = login.split_once(':').unwrap_or((login, ""));
        let username = Some(username).filter(|name| !name.is_empty()).map(decoded);
        let credentials = (!login.is_empty()).then(|| Credentials { username, password: decoded(password) });
        let (host, port) = (host.to_owned(), authority.port_u16().unwrap_or(6379));
        Ok(Self { host, port, tls, credentials, database })
    }
}

/// What must be percent-encoded wherever it stands in a URL.
const NOT_IN_A_URL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let address = Address::parse("rediss://app:p%40ss@example.com:7000/3").unwrap();
        assert_eq!(
            (address.host.as_str(), address.port, address.tls, address.database),
            ("example.com", 7000, true, 3)
        );
        let credentials = address.credentials.unwrap();
        assert_eq!(credentials.username.as_deref(), Some(b"app".as_slice()));
        assert_eq!(credentials.password.as_ref(), b"p@ss");
    }

    #[test]
    fn a_password_alone_is_the_default_users() {
        let address = Address::parse("redis://:secret@[::1]").unwrap();
        assert_eq!((address.host.as_str(), address.port, address.database), ("::1", 6379, 0));
        assert!(address.credentials.unwrap().username.is_none());
    }

    #[test]
    fn a_password_may_be_pasted_as_it_is() {
        for (text, password) in [
            ("redis://:a^b{c}|d`e@h", "a^b{c}|d`e"),
            ("redis://app:ü%2F@h:1", "ü/"),
            ("redis://app:a@b:c@h:1", "a@b:c"),
            ("redis://:@h", ""),
        ] {
            let credentials = Address::parse(text).unwrap().credentials.unwrap();
            assert_eq!(String::from_utf8_lossy(&credentials.password), password);
        }
    }

    #[test]
    fn a_user_alone_never_becomes_the_default_user() {
        let credentials = Address::parse("redis://app@h").unwrap().credentials.unwrap();
        assert_eq!((credentials.username.as_deref(), credentials.password.as_ref()), (Some(&b"app"[..]), &b""[..]));
        assert!(Address::parse("redis://h").unwrap().credentials.is_none());
    }

    #[test]
    fn says_what_is_wrong_without_repeating_the_url() {
        for (text, error) in [
            ("localhost:6379", AddressError::Scheme),
            ("nonsense", AddressError::Scheme),
            ("redis://h:port", AddressError::NotAUrl),
            ("redis://h:65536", AddressError::NotAUrl),
            ("redis://h:1:2", AddressError::NotAUrl),
            ("redis://[::1", AddressError::NotAUrl),
            ("http://h", AddressError::Scheme),
            ("redis://", AddressError::NotAUrl),
            ("redis://:secret@", AddressError::NotAUrl),
            ("redis://h/first", AddressError::Database),
        ] {
            assert_eq!(Address::parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(format!("{:?}", Address::parse("redis://:secret@h").unwrap()), "Address(…)");
    }
}
