//! API keys: which there are, and what each may do.

use std::{fmt, net::IpAddr, sync::Arc};

use chrono::DateTime;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::policy::acl::Acl;

/// A part of the API that a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// `POST /` and `POST /redis/write`.
    Proxy,
    /// The REST routes for frontends.
    Rest,
    /// The bulk routes and webhooks.
    Sync,
    /// The header `X-Act-As`.
    ActAs,
    /// Upstash's REST API under `/redis`.
    Gateway,
    /// Administration.
    Admin,
}

impl Scope {
    /// The scope's name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Rest => "rest",
            Self::Sync => "sync",
            Self::ActAs => "act-as",
            Self::Gateway => "gateway",
            Self::Admin => "admin",
        }
    }
}

/// A configured key. The key itself is not kept, only its SHA-256.
pub struct ApiKey {
    /// The name by which `/whoami` and `/keys/usage` know it.
    pub name: String,
    /// What it may do on the proxies and the gateway; `None`: everything.
    pub acl: Option<Acl>,
    digest: [u8; 32],
    scopes: Vec<Scope>,
    expires_at_ms: Option<u64>,
    allow_ips: Vec<IpNet>,
}

impl ApiKey {
    /// Whether the key may be used for `scope`.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the key may be used from an address. A key without a list may be used from everywhere; one with a list
    /// never from an address that is not known.
    pub fn allows(&self, address: impl FnOnce() -> Option<IpAddr>) -> bool {
        self.allow_ips.is_empty()
            || address().is_some_and(|address| self.allow_ips.iter().any(|network| network.contains(&address)))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All configured keys.
#[derive(Debug, Default)]
pub struct ApiKeys(Vec<Arc<ApiKey>>);

impl ApiKeys {
    /// Adds `XANO_API_KEY`: every scope but `gateway`.
    pub fn add_xano(&mut self, key: &str) {
        use Scope::{ActAs, Admin, Proxy, Rest, Sync};
        self.0.push(Arc::new(ApiKey {
            name: "xano".to_owned(),
            acl: None,
            digest: Sha256::digest(key).into(),
            scopes: vec![Proxy, Rest, Sync, ActAs, Admin],
            expires_at_ms: None,
            allow_ips: Vec::new(),
        }));
    }

    /// Adds the entries of `API_KEYS`, a JSON list.
    ///
    /// # Errors
    /// A sentence that names the entry and the field; it never repeats a key.
    pub fn add_list(&mut self, json: &str) -> Result<(), String> {
        let entries: Vec<&RawValue> =
            serde_json::from_str(json).map_err(|_| "must be a JSON list of objects".to_owned())?;
        for (index, entry) in entries.into_iter().enumerate() {
            let key = read_entry(entry).map_err(|problem| format!("entry {index}: {problem}"))?;
            if self.0.iter().any(|other| other.name == key.name) {
                return Err(format!("entry {index}: the name '{}' is used twice", key.name));
            }
            if self.0.iter().any(|other| other.digest == key.digest) {
                return Err(format!("entry {index}: the same key stands there twice"));
            }
            self.0.push(Arc::new(key));
        }
        Ok(())
    }

    /// Every key, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &ApiKey> {
        self.0.iter().map(Arc::as_ref)
    }

    /// The key that `presented` is, if any and not expired. Takes the same time whichever it is.
    pub fn find(&self, presented: &[u8], now_ms: impl FnOnce() -> u64) -> Option<&Arc<ApiKey>> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let mut found = u32::MAX;
        for (index, key) in (0u32..).zip(&self.0) {
            let same: Choice = key.digest.ct_eq(&digest);
            found.conditional_assign(&index, same);
        }
        let key = self.0.get(usize::try_from(found).ok()?)?;
        let expired = key.expires_at_ms.is_some_and(|end| end <= now_ms());
        (!expired).then_some(key)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    name: String,
    key: Option<String>,
    sha256: Option<String>,
    scopes: Option<Vec<Scope>>,
    acl: Option<String>,
    #[serde(borrow)]
    expires_at: Option<&'a RawValue>,
    #[serde(default)]
    allow_ips: Vec<String>,
}

fn read_entry(entry: &RawValue) -> Result<ApiKey, String> {
    // serde's message may quote a value, so only the fields' own problems are told, never the text of the error.
    let entry: Entry<'_> = serde_json::from_str(entry.get()).map_err(|_| {
        "must be an object with name, key or sha256, and optionally scopes (of proxy, rest, sync, act-as, gateway, \
         admin), acl, expires_at, allow_ips"
            .to_owned()
    })?;
    if entry.name.is_empty() {
        return Err("name is empty".to_owned());
    }
    let acl = entry.acl.map(|rules| Acl::parse(&rules)).transpose().map_err(|error| format!("acl: {error}"))?;
    let digest = match (entry.key, entry.sha256) {
        (Some(key), None) if !key.is_empty() => Sha256::digest(key).into(),
        (None, Some(hex)) => from_hex(&hex).ok_or("sha256 must be 64 hexadecimal digits")?,
        _ => return Err("needs exactly one of key and sha256".to_owned()),
    };
    let expires_at_ms = entry.expires_at.map(read_expiry).transpose()?;
    let allow_ips = entry
        .allow_ips
        .iter()
        .map(|text| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)))
        .collect::<Result<_, _>>()
        .map_err(|_| "allow_ips must hold addresses or networks such as 203.0.113.0/24")?;
    let scopes = entry.scopes.unwrap_or_else(|| vec![Scope::Gateway]);
    Ok(ApiKey { name: entry.name, acl, digest, scopes, expires_at_ms, allow_ips })
}

/// Unix seconds, or a time in the form of RFC 3339; in milliseconds.
fn read_expiry(value: &RawValue) -> Result<u64, &'static str> {
    const PROBLEM: &str = "expires_at must be Unix seconds or a time such as 2027-01-31T00:00:00Z";
    if let Ok(seconds) = serde_json::from_str::<u64>(value.get()) {
        return Ok(seconds.saturating_mul(1000));
    }
    let text: String = serde_json::from_str(value.get()).map_err(|_| PROBLEM)?;
    let time = DateTime::parse_from_rfc3339(&text).map_err(|_| PROBLEM)?;
    Ok(u64::try_from(time.timestamp_millis()).unwrap_or(0))
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(json: &str) -> Result<ApiKeys, String> {
        let mut keys = ApiKeys::default();
        keys.add_list(json).map(|()| keys)
    }

    #[test]
    fn two_keys_are_valid_while_one_replaces_the_other() {
        let mut keys = keys(r#"[{"name":"next","key":"new","scopes":["proxy"]}]"#).unwrap();
        keys.add_xano("old");
        assert_eq!(keys.find(b"old", || 0).unwrap().name, "xano");
        assert_eq!(keys.find(b"new", || 0).unwrap().name, "next");
        assert!(keys.find(b"", || 0).is_none());
        assert!(keys.find(b"ol", || 0).is_none());
    }

    #[test]
    fn scopes_are_what_the_entry_says() {
        let keys = keys(r#"[{"name":"a","key":"a"},{"name":"b","key":"b","scopes":["act-as","rest"]}]"#).unwrap();
        let (a, b) = (keys.find(b"a", || 0).unwrap(), keys.find(b"b", || 0).unwrap());
        assert!(a.has(Scope::Gateway) && !a.has(Scope::Proxy));
        assert!(b.has(Scope::ActAs) && b.has(Scope::Rest) && !b.has(Scope::Gateway));
        let mut xano = ApiKeys::default();
        xano.add_xano("x");
        let xano = xano.find(b"x", || 0).unwrap().clone();
        assert!(!xano.has(Scope::Gateway) && xano.has(Scope::Admin) && xano.has(Scope::Proxy));
    }

    #[test]
    fn a_key_without_an_acl_may_do_everything_and_one_with_an_empty_one_nothing() {
        let keys =
            keys(r#"[{"name":"a","key":"a"},{"name":"b","key":"b","acl":""},{"name":"c","key":"c","acl":"~* +get"}]"#);
        let keys = keys.unwrap();
        let acl = |key: &[u8]| keys.find(key, || 0).unwrap().acl.clone();
        assert!(acl(b"a").is_none());
        assert!(acl(b"b").unwrap().check(&["GET", "x"]).is_err());
        assert!(acl(b"c").unwrap().check(&["GET", "x"]).is_ok());
    }

    #[test]
    fn a_digest_stands_for_its_key() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let keys = keys(&format!(r#"[{{"name":"a","sha256":"{digest}"}}]"#)).unwrap();
        assert_eq!(keys.find(b"abc", || 0).unwrap().name, "a");
        assert!(keys.find(digest.as_bytes(), || 0).is_none());
    }

    #[test]
    fn an_expired_key_is_no_key() {
        let keys = keys(
            r#"[{"name":"a","key":"a","expires_at":100},{"name":"b","key":"b","expires_at":"1970-01-01T00:01:40Z"}]"#,
        )
        .unwrap();
        for key in [b"a", b"b"] {
            assert!(keys.find(key, || 99_999).is_some());
            assert!(keys.find(key, || 100_000).is_none());
        }
    }

    #[test]
    fn addresses_are_matched_by_network() {
        let keys =
            keys(r#"[{"name":"a","key":"a","allow_ips":["203.0.113.0/24","2001:db8::/32","192.0.2.7"]}]"#).unwrap();
        let key = keys.find(b"a", || 0).unwrap();
        for (address, allowed) in [
            ("203.0.113.9", true),
            ("203.0.114.9", false),
            ("2001:db8:1::1", true),
            ("192.0.2.7", true),
            ("::1", false),
        ] {
            assert_eq!(key.allows(|| Some(address.parse().unwrap())), allowed, "{address}");
        }
        assert!(!key.allows(|| None));
    }

    #[test]
    fn a_wrong_entry_is_named_and_never_repeated() {
        for (json, problem) in [
            ("{}", "must be a JSON list"),
            (r#"[{"name":"a","key":"s3cret","sha256":"00"}]"#, "entry 0: needs exactly one"),
            (r#"[{"name":"a","key":"k"},{"name":"b","sha256":"s3cret"}]"#, "entry 1: sha256"),
            (r#"[{"name":"a","key":"s3cret","scopes":["root"]}]"#, "entry 0: must be an object"),
            (r#"[{"name":"a","key":"s3cret","allow_ips":["x"]}]"#, "entry 0: allow_ips"),
            (r#"[{"name":"a","key":"s3cret","expires_at":"soon"}]"#, "entry 0: expires_at"),
            (r#"[{"name":"a","key":"s3cret","acl":["+@all"]}]"#, "entry 0: must be an object"),
            (r#"[{"name":"a","key":"k","acl":"~a +nope"}]"#, "entry 0: acl: rule 2 '+nope': there is no such command"),
            (r#"[{"name":"a","key":"k","acl":"+get >s3cret"}]"#, "entry 0: acl: rule 2: is about logging in"),
            (r#"[{"name":"a","key":"1"},{"name":"a","key":"2"}]"#, "entry 1: the name 'a'"),
            (r#"[{"name":"a","key":"s3cret"},{"name":"b","key":"s3cret"}]"#, "entry 1: the same key"),
        ] {
            let message = keys(json).unwrap_err();
            assert!(message.contains(problem) && !message.contains("s3cret"), "{message}");
        }
    }
}
