//! The configuration: what the variables and secrets say. A variable that is wrong is named; a secret is never told.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use jwt_compact::alg::Hs256Key;
use thiserror::Error;

use crate::{
    auth::{
        ApiKeys,
        jwt::{Jwt, MIN_SECRET},
        public_key::PublicKey,
    },
    edge::{LogLevel, cors::Cors},
    host::Host,
    policy::{
        ProxyPolicy,
        namespaces::Namespaces,
        profile::{CREATED_AT, PROTECTED},
    },
    redis::{
        Address, Port,
        tcp::Tcp,
        upstash::{Upstash, UpstashError},
    },
    social::privacy::Privacy,
    sync::reconcile,
};

/// A variable that is missing or wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with it, without its value.
    pub problem: String,
}

/// Where the gateway runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On someone's own machine: `/debug-auth` is open, answers tell their round trips.
    Development,
    /// Anywhere else.
    Production,
}

/// All that can be configured.
pub struct Config {
    /// The Redis behind.
    pub backend: Backend,
    /// What all round trips of one request may take together.
    pub redis_timeout: Duration,
    /// The API keys.
    pub api_keys: ApiKeys,
    /// Whether the gateway takes an API key from the query parameter `_token`.
    pub query_token: bool,
    /// The rules for tokens.
    pub jwt: Jwt,
    /// What the two proxies let through.
    pub proxy: ProxyPolicy,
    /// Which prefixes have names, and when their keys expire.
    pub namespaces: Namespaces,
    /// Which profile fields are whose.
    pub privacy: Privacy,
    /// Which profile fields users change themselves, beside the usual ones.
    pub editable_fields: Vec<String>,
    /// What webhooks are signed with.
    pub webhook_secret: Option<String>,
    /// What the timer does about counters that differ from what they count; `None`: it does not look.
    pub reconcile: Option<reconcile::Mode>,
    /// Which web pages may call.
    pub cors: Cors,
    /// What is written to the console.
    pub log_level: LogLevel,
    /// Where the gateway runs.
    pub environment: Environment,
}

/// Which Redis, and how it is reached.
pub enum Backend {
    /// Over TCP, with TLS or without.
    Tcp(Address),
    /// Over Upstash's REST API.
    Upstash {
        /// The REST address.
        url: String,
        /// The REST token.
        token: String,
    },
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "Tcp(…)",
            Self::Upstash { .. } => "Upstash(…)",
        })
    }
}

impl Backend {
    /// The door to that Redis.
    ///
    /// # Errors
    /// An address or a token that cannot be used.
    pub fn port(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Port>, ConfigError> {
        match self {
            Self::Tcp(address) => Ok(Box::new(Tcp::new(address.clone(), Arc::clone(host)))),
            Self::Upstash { url, token } => match Upstash::new(url, token, host.as_ref()) {
                Ok(port) => Ok(Box::new(port)),
                Err(error) => {
                    let variable = match error {
                        UpstashError::Url => "UPSTASH_REDIS_REST_URL",
                        UpstashError::Token => "UPSTASH_REDIS_REST_TOKEN",
                    };
                    Err(ConfigError { variable, problem: error.to_string() })
                }
            },
        }
    }
}

/// The default for `REDIS_TIMEOUT_MS`.
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(5000);

/// The variables, with blank ones taken for unset.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

/// The words of a list: separated by commas or any blanks.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

impl Variables<'_> {
    fn get(&self, name: &'static str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A secret as it is: unlike a name or a number, it may begin or end with a space.
    fn secret(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn read<T, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(name)
            .map(|value| parse(&value).map_err(|error| ConfigError { variable: name, problem: error.to_string() }))
            .transpose()
    }

    /// Names of fields. One that can be none would protect nothing, and nobody would notice.
    fn names(&self, name: &'static str) -> Result<Vec<String>, ConfigError> {
        let names = self.read(name, |text| {
            let names: Vec<String> = words(text).map(str::to_owned).collect();
            let plain = names.iter().all(|name| !name.contains(['[', ']', '{', '}', '"', '\'', ';']));
            if plain {
                Ok(names)
            } else {
                Err("must be names separated by commas or blanks, without quotes or brackets")
            }
        })?;
        Ok(names.unwrap_or_default())
    }
}

impl Config {
    /// Reads all variables through `variable`, which returns `None` for one that is not set.
    ///
    /// # Errors
    /// The first variable that is wrong. Wrong token settings are kept for the routes that need them.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables(variable);
        Ok(Self {
            backend: read_backend(&variables)?,
            redis_timeout: variables.read("REDIS_TIMEOUT_MS", read_timeout)?.unwrap_or(DEFAULT_TIMEOUT),
            api_keys: read_api_keys(&variables)?,
            query_token: variables.read("QUERY_TOKEN", read_switch)?.unwrap_or(true),
            jwt: read_jwt(&variables),
            proxy: ProxyPolicy::read(
                variables.read("READ_COMMANDS", crate::policy::ReadCommands::with)?,
                variables.read("WRITE_COMMANDS", crate::policy::WriteCommands::with)?,
                variables.read("WRITE_POLICY", str::parse)?,
            ),
            namespaces: variables.read("NAMESPACES", Namespaces::parse)?.unwrap_or_default(),
            privacy: Privacy::new(&variables.names("PRIVATE_FIELDS")?, &variables.names("PUBLIC_FIELDS")?),
            editable_fields: read_editable_fields(&variables)?,
            webhook_secret: read_webhook_secret(&variables)?,
            reconcile: variables.read("RECONCILE", read_reconcile)?.unwrap_or(Some(reconcile::Mode::Report)),
            cors: variables.read("CORS_ORIGINS", Cors::parse)?.unwrap_or_default(),
            log_level: variables.read("LOG_LEVEL", LogLevel::from_str)?.unwrap_or(LogLevel::INFO),
            environment: match variables.get("ENVIRONMENT").as_deref() {
                Some("development") => Environment::Development,
                _ => Environment::Production,
            },
        })
    }
}

fn read_backend(variables: &Variables<'_>) -> Result<Backend, ConfigError> {
    let error = |variable, problem: &str| Err(ConfigError { variable, problem: problem.to_owned() });
    let address = variables.read("REDIS_URL", Address::parse)?;
    let rest = (variables.get("UPSTASH_REDIS_REST_URL"), variables.get("UPSTASH_REDIS_REST_TOKEN"));
    match (address, rest) {
        (Some(address), (None, None)) => Ok(Backend::Tcp(address)),
        (None, (Some(url), Some(token))) => Ok(Backend::Upstash { url, token }),
        (None, (None, None)) => {
            error("REDIS_URL", "is not set; set it, or UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN")
        }
        (None, (Some(_), None)) => error("UPSTASH_REDIS_REST_TOKEN", "is not set, but UPSTASH_REDIS_REST_URL is"),
        (None, (None, Some(_))) => error("UPSTASH_REDIS_REST_URL", "is not set, but UPSTASH_REDIS_REST_TOKEN is"),
        (Some(_), _) => error("REDIS_URL", "is set and UPSTASH_REDIS_REST_… too; set one of the two"),
    }
}

/// What Ridge looks after is nobody's to edit, and a user who could set their role could do anything.
fn read_editable_fields(variables: &Variables<'_>) -> Result<Vec<String>, ConfigError> {
    let names = variables.names("EDITABLE_FIELDS")?;
    let is_kept = |name: &&String| {
        let own = ["display_name", "avatar"];
        name.as_str() == CREATED_AT || (PROTECTED.contains(&name.as_str()) && !own.contains(&name.as_str()))
    };
    match names.iter().find(is_kept) {
        Some(name) => Err(ConfigError { variable: "EDITABLE_FIELDS", problem: format!("must not hold '{name}'") }),
        None => Ok(names),
    }
}

fn read_webhook_secret(variables: &Variables<'_>) -> Result<Option<String>, ConfigError> {
    let secret = variables.secret("WEBHOOK_SECRET");
    if secret.as_ref().is_some_and(|secret| secret.len() < MIN_SECRET) {
        let problem = format!("must have at least {MIN_SECRET} bytes");
        return Err(ConfigError { variable: "WEBHOOK_SECRET", problem });
    }
    Ok(secret)
}

fn read_reconcile(text: &str) -> Result<Option<reconcile::Mode>, &'static str> {
    if text == "off" { Ok(None) } else { text.parse().map(Some).map_err(|_| "must be report, mend or off") }
}

fn read_switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off"),
    }
}

fn read_timeout(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(milliseconds @ 1..=60_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err("must be a number of milliseconds from 1 to 60000"),
    }
}

fn read_api_keys(variables: &Variables<'_>) -> Result<ApiKeys, ConfigError> {
    let mut keys = ApiKeys::default();
    if let Some(key) = variables.get("XANO_API_KEY") {
        keys.add_xano(&key);
    }
    variables.read("API_KEYS", |json| keys.add_list(json))?;
    Ok(keys)
}

/// A wrong secret closes only the routes that need tokens, so it is remembered and not returned.
fn read_jwt(variables: &Variables<'_>) -> Jwt {
    let mut jwt =
        Jwt { issuer: variables.get("JWT_ISSUER"), audience: variables.get("JWT_AUDIENCE"), ..Jwt::default() };
    if let Err(error) = read_jwt_keys(variables, &mut jwt) {
        jwt.misconfigured = Some(error.to_string());
    }
    jwt
}

fn read_jwt_keys(variables: &Variables<'_>, jwt: &mut Jwt) -> Result<(), ConfigError> {
    for name in ["JWT_SECRET", "JWT_SECRET_PREVIOUS"] {
        let Some(secret) = variables.secret(name) else { continue };
        if secret.len() < MIN_SECRET {
            return Err(ConfigError { variable: name, problem: format!("must have at least {MIN_SECRET} bytes") });
        }
        jwt.secrets.push(Hs256Key::new(secret));
    }
    jwt.public_keys.extend(variables.read("JWT_PUBLIC_KEY", PublicKey::parse)?);
    jwt.public_keys.extend(variables.read("JWT_JWKS", PublicKey::parse_set)?.into_iter().flatten());
    if jwt.secrets.is_empty() && jwt.public_keys.is_empty() {
        let problem = "is not set; set it, or JWT_PUBLIC_KEY or JWT_JWKS, to accept tokens".to_owned();
        return Err(ConfigError { variable: "JWT_SECRET", problem });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn exactly_one_backend() {
        assert!(read(&[("REDIS_URL", "redis://h")]).is_ok());
        assert!(read(&[("UPSTASH_REDIS_REST_URL", "https://h"), ("UPSTASH_REDIS_REST_TOKEN", "t")]).is_ok());
        for (pairs, variable) in [
            (&[][..], "REDIS_URL"),
            (&[("REDIS_URL", " ")], "REDIS_URL"),
            (&[("UPSTASH_REDIS_REST_URL", "https://h")], "UPSTASH_REDIS_REST_TOKEN"),
            (&[("UPSTASH_REDIS_REST_TOKEN", "t")], "UPSTASH_REDIS_REST_URL"),
            (&[("REDIS_URL", "redis://h"), ("UPSTASH_REDIS_REST_TOKEN", "t")], "REDIS_URL"),
        ] {
            assert_eq!(read(pairs).err().unwrap().variable, variable, "{pairs:?}");
        }
    }

    #[test]
    fn a_wrong_variable_is_named_and_its_value_is_not_told() {
        for (name, value) in [
            ("REDIS_TIMEOUT_MS", "s3cret"),
            ("REDIS_TIMEOUT_MS", "0"),
            ("API_KEYS", "s3cret"),
            ("READ_COMMANDS", "SET"),
            ("WRITE_COMMANDS", "MSET"),
            ("WRITE_POLICY", "lax"),
            ("CORS_ORIGINS", "example.com"),
            ("LOG_LEVEL", "loud"),
            ("QUERY_TOKEN", "no"),
            ("NAMESPACES", "s3cret"),
            ("PRIVATE_FIELDS", "[\"salary\"]"),
        ] {
            let error = read(&[("REDIS_URL", "redis://h"), (name, value)]).err().unwrap();
            assert_eq!(error.variable, name);
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn a_short_secret_closes_only_what_needs_tokens() {
        let config = read(&[("REDIS_URL", "redis://h"), ("JWT_SECRET", "short")]).unwrap();
        assert_eq!(config.jwt.misconfigured.as_deref(), Some("JWT_SECRET: must have at least 32 bytes"));
    }
}
