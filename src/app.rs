//! The application: what it is made of, and its route table.

use std::sync::Arc;

use axum::Router;

use crate::{
    config::{Config, ConfigError, Environment},
    edge::{
        Context, LogLevel,
        cors::Cors,
        routing::{Routes, delete, get, patch, post},
    },
    error::ApiError,
    gateway::{self, key_locking::Names},
    host::Host,
    namespaces, proxy,
    redis::{Client, Failure, Port},
    service,
    social::{comments, feeds, follows, jobs, posts, reactions, search, users},
    sync::{bulk, reconcile, webhook},
    usage::{self, Usage},
};

/// Every route on one screen. Who may call one stands in its handler's signature.
fn routes() -> Routes {
    Routes::default()
        // Redis proxy: API keys of scope `proxy`.
        .route("/", get(service::index).post(proxy::read))
        .route("/redis/write", post(proxy::write))
        // Upstash's REST API: API keys of scope `gateway`.
        .route("/redis", get(gateway::command).post(gateway::command).put(gateway::command))
        .route("/redis/", get(gateway::command).post(gateway::command).put(gateway::command))
        .route("/redis/{*words}", get(gateway::command).post(gateway::command).put(gateway::command))
        .route("/redis/pipeline", post(gateway::pipeline).put(gateway::pipeline))
        .route("/redis/multi-exec", post(gateway::multi_exec).put(gateway::multi_exec))
        .route("/redis/subscribe/{*channels}", get(gateway::listen).post(gateway::listen))
        .route("/redis/psubscribe/{*patterns}", get(gateway::listen).post(gateway::listen))
        .route("/redis/monitor", get(gateway::listen).post(gateway::listen))
        // Service routes: anyone; `whoami` needs a caller, `debug-auth` an administrator.
        .route("/ping", get(service::ping).post(service::ping))
        .route("/healthz", get(service::alive))
        .route("/health", get(service::health))
        .route("/whoami", get(service::whoami).post(service::whoami))
        .route("/debug-auth", get(service::debug_auth))
        // REST for frontends: users, and API keys of scope `rest`.
        .route("/users/{id}", get(users::show).patch(users::update).put(users::replace).delete(users::delete))
        .route("/users/{id}/follow", post(follows::follow).delete(follows::unfollow))
        .route("/users/{id}/followers", get(follows::followers))
        .route("/users/{id}/following", get(follows::following))
        .route("/users/{id}/posts", get(feeds::of_user))
        .route("/users/{id}/bookmarked", get(feeds::bookmarked))
        .route("/users/{id}/liked", get(feeds::liked))
        .route("/posts", post(posts::create))
        .route("/posts/{id}", get(posts::show).delete(posts::delete))
        .route("/posts/{id}/like", post(reactions::like).delete(reactions::unlike))
        .route("/posts/{id}/bookmark", post(reactions::bookmark).delete(reactions::unbookmark))
        .route("/posts/{id}/view", post(posts::view))
        .route("/posts/{id}/comments", get(comments::list).post(comments::create))
        .route("/posts/{id}/ban", patch(posts::ban).delete(posts::lift_ban))
        .route("/comments/{id}", delete(comments::delete))
        // Anyone may look at this one.
        .route("/feed/explore", get(feeds::explore))
        .route("/feed/following", get(feeds::following))
        .route("/feed/hashtag/{tag}", get(feeds::hashtag))
        .route("/feed/hashtag/{tag}/ranked", get(feeds::ranked))
        .route("/search/users/newest", get(search::newest_users))
        .route("/search/hashtags/top-posts", get(search::top_posts))
        .route("/search/models/top", get(search::top_models))
        // Sync for backends: API keys of scope `sync`, a webhook's signature, scope `admin`.
        .route("/sync/stats", get(bulk::stats))
        .route("/sync/{list}", post(bulk::sync))
        .route("/webhooks/{event}", post(webhook::receive))
        .route("/admin/reconcile", post(reconcile::run))
        // Namespaces: API keys of scope `admin`, within their ACLs.
        .route("/namespaces", get(namespaces::usage::usage))
        .route("/namespaces/{ns}/keys", get(namespaces::list::list).delete(namespaces::delete::delete))
        .route("/namespaces/{ns}/adopt", post(namespaces::adopt::adopt))
        // Administration: API keys of scope `admin`.
        .route("/keys/usage", get(usage::show))
}

/// How many steps of pending jobs are one turn: each turn has a request's time for Redis.
const JOBS_A_TURN: u32 = 10;
/// How many turns are made at a time: in ten thousand steps even a user with a million followers is gone.
const MOST_TURNS: u32 = 1000;

/// What handlers share. Made once per isolate.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// What the variables say.
    pub config: Config,
    /// The machine beneath.
    pub host: Arc<dyn Host>,
    /// The Redis behind.
    pub redis: Arc<Client>,
    /// The names of scripts that this isolate has met at the gateway.
    pub scripts: Names,
    /// What API keys were used for and is not written yet.
    pub usage: Usage,
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A running gateway: configured, or knowing what keeps it from being so.
pub struct Ridge {
    /// The machine beneath.
    pub host: Arc<dyn Host>,
    /// The application, or the variable that is wrong.
    pub app: Result<Ready, ConfigError>,
}

/// An application that is ready to serve.
pub struct Ready {
    pub(crate) app: App,
    pub(crate) router: Router,
}

impl Ridge {
    /// Reads the variables through `variable` and connects the parts.
    pub fn new(host: Arc<dyn Host>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let app = Config::read(&variable).and_then(|config| {
            let port = config.backend.port(&host)?;
            Ok(Ready::new(config, Arc::clone(&host), port))
        });
        Self { host, app }
    }

    /// Carries pending jobs on, at most `steps` steps of them, each one round trip. Returns how many jobs are left.
    ///
    /// # Errors
    /// What Redis fails with; the jobs stay where they were.
    pub async fn run_jobs(&self, steps: u32) -> Result<u64, Failure> {
        let Ok(ready) = &self.app else { return Ok(0) };
        jobs::run(&ready.app, &ready.app.redis.for_request(Arc::default()), steps).await
    }

    /// Carries pending jobs on until none is left, or until it is somebody else's turn.
    ///
    /// # Errors
    /// What Redis fails with; the jobs stay where they were.
    pub async fn finish_jobs(&self) -> Result<(), ApiError> {
        for _ in 0..MOST_TURNS {
            if self.run_jobs(JOBS_A_TURN).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// What a timer calls: pending jobs, and the next slices of the comparison of counters with what they count.
    ///
    /// # Errors
    /// What Redis fails with; the next tick takes up where this one ended.
    pub async fn tick(&self) -> Result<(), ApiError> {
        let Ok(ready) = &self.app else { return Ok(()) };
        // One job that cannot be completed keeps nobody from looking at the counters.
        let jobs = self.finish_jobs().await;
        reconcile::tick(&ready.app, &ready.app.redis.for_request(Arc::default())).await?;
        jobs
    }

    pub(crate) fn cors(&self) -> &Cors {
        match &self.app {
            Ok(ready) => &ready.app.config.cors,
            Err(_) => &Cors::Any,
        }
    }

    pub(crate) fn environment(&self) -> Environment {
        self.app.as_ref().map_or(Environment::Production, |ready| ready.app.config.environment)
    }

    pub(crate) fn log_level(&self) -> LogLevel {
        self.app.as_ref().map_or(LogLevel::INFO, |ready| ready.app.config.log_level)
    }
}

impl Ready {
    fn new(config: Config, host: Arc<dyn Host>, port: Box<dyn Port>) -> Self {
        let redis = Arc::new(Client::new(port, Arc::clone(&host), config.redis_timeout));
        let (scripts, usage) = Default::default();
        let app = App(Arc::new(Parts { config, host, redis, scripts, usage }));
        let router = routes()
            .into_router()
            .fallback(async || ApiError::NotFound)
            .method_not_allowed_fallback(async |_: Context| ApiError::MethodNotAllowed)
            .with_state(app.clone());
        Self { app, router }
    }
}

const _: fn() = || {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<App>();
    assert_send_sync::<Ridge>();
};
