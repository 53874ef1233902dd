//! A gateway over either backend, and the ways to ask it.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Gateway, Redis, Served};

/// The API key of a door that is not told otherwise.
pub const KEY: &str = "a-gateway-key-for-tests-0123456789abcdef";

/// What Redis says of what an ACL denies.
pub const NO_KEY: &str = "NOPERM this user has no permissions to access one of the keys used as arguments";
pub const NO_CHANNEL: &str = "NOPERM this user has no permissions to access one of the channels used as arguments";

pub fn no_command(name: &str) -> String {
    format!("NOPERM this user has no permissions to run the '{name}' command")
}
/// What the outer gateway shows the inner one.
const INNER_KEY: &str = "an-inner-key-for-tests-0123456789abcdef";

/// How the gateway reaches its Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Itself.
    Tcp,
    /// Through another Ridge, which it takes for an Upstash.
    Rest,
}

/// Each function is a test of a [`Backend`], and is run with both.
macro_rules! over_both_backends {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use $crate::door::Backend;
            #[tokio::test]
            async fn over_tcp() {
                super::$name(Backend::Tcp).await;
            }
            #[tokio::test]
            async fn over_rest() {
                super::$name(Backend::Rest).await;
            }
        }
    )+};
}

impl Backend {
    /// In front of an empty Redis.
    pub async fn open(self) -> Door {
        self.open_with(&[]).await
    }

    /// The same, with a key that an ACL binds.
    pub async fn open_with_acl(self, acl: &str) -> Door {
        let keys = key_list(&[json!({"name": "tests", "key": KEY, "acl": acl})]);
        self.open_with(&[("API_KEYS", &keys)]).await
    }

    /// The same, with more variables than the usual.
    pub async fn open_with(self, variables: &[(&str, &str)]) -> Door {
        self.open_on(Redis::own(), variables).await
    }

    /// In front of a Redis.
    pub async fn open_on(self, redis: Redis, variables: &[(&str, &str)]) -> Door {
        let keys = key_list(&[json!({"name": "tests", "key": KEY})]);
        let mut all = variables.to_vec();
        all.push(("API_KEYS", &keys));
        if self == Self::Tcp {
            let gateway = Gateway::with(&redis, &all);
            return Door { gateway, redis, inner: None };
        }
        let inner = inner(&redis).await;
        let url = inner.1.url();
        all.extend([("REDIS_URL", ""), ("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", INNER_KEY)]);
        let gateway = Gateway::with(&redis, &all);
        Door { gateway, redis, inner: Some(inner) }
    }
}

async fn inner(redis: &Redis) -> (Gateway, Served) {
    let keys = key_list(&[json!({"name": "outer", "key": INNER_KEY})]);
    let gateway = Gateway::with(redis, &[("API_KEYS", &keys)]);
    let served = Served::start(gateway.clone()).await;
    (gateway, served)
}

/// `API_KEYS` with these entries.
pub fn key_list(entries: &[Value]) -> String {
    Value::from(entries.to_vec()).to_string()
}

/// A gateway and all that stands behind it.
pub struct Door {
    /// The gateway that is asked.
    pub gateway: Gateway,
    /// The Redis behind.
    pub redis: Redis,
    /// What stands between over REST.
    pub inner: Option<(Gateway, Served)>,
}

impl Door {
    /// A request with the key of all tests.
    pub fn call(&self, method: Method, path: &str) -> Call {
        self.gateway.call(method.as_str(), path).bearer(KEY)
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// What one command gives. It must succeed, in one round trip.
    #[track_caller]
    pub fn run(&self, command: impl Into<Value>) -> impl Future<Output = Value> {
        let call = self.post("/redis").json(command);
        async move { result(call.send().await) }
    }

    /// What one command in the path gives. It must succeed, in one round trip.
    #[track_caller]
    pub fn run_path(&self, path: &str) -> impl Future<Output = Value> {
        let call = self.get(path);
        async move { result(call.send().await) }
    }

    /// Status and error of one command, which must be refused or fail.
    #[track_caller]
    pub fn fail(&self, command: impl Into<Value>) -> impl Future<Output = (u16, String)> {
        let call = self.post("/redis").json(command);
        async move { refusal(&call.send().await) }
    }

    /// What a pipeline gives, in one round trip.
    #[track_caller]
    pub fn pipeline(&self, commands: impl Into<Value>) -> impl Future<Output = Value> {
        let call = self.post("/redis/pipeline").json(commands);
        async move { once(&call.send().await).ok() }
    }

    /// What a transaction gives, in one round trip.
    #[track_caller]
    pub fn multi_exec(&self, commands: impl Into<Value>) -> impl Future<Output = Value> {
        let call = self.post("/redis/multi-exec").json(commands);
        async move { once(&call.send().await).ok() }
    }

    /// How many commands of a name the server has been sent, whoever sent them.
    pub fn calls(&self, name: &str) -> u64 {
        let stats = self.redis.run(&["INFO", "commandstats"]);
        let start = format!("cmdstat_{}:calls=", name.to_lowercase());
        let line = stats.as_str().unwrap().lines().find_map(|line| line.strip_prefix(&start));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }
}

/// The answer, which took one round trip.
#[track_caller]
pub fn once(answer: &Answer) -> &Answer {
    assert_eq!(answer.header("x-redis-round-trips"), "1", "{}", answer.text());
    answer
}

/// The `result` of an answer that must have it alone.
#[track_caller]
pub fn result(answer: Answer) -> Value {
    let mut body = once(&answer).ok();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert_eq!(answer.header("content-type"), "application/json");
    body["result"].take()
}

/// Status and error of an answer that must have the error alone.
#[track_caller]
pub fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert_eq!(answer.header("content-type"), "application/json");
    answer.refusal()
}

/// A refusal that took no round trip.
#[track_caller]
pub fn refused_here(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("x-redis-round-trips"), "0", "{}", answer.text());
    refusal(answer)
}
