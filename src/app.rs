//! The application: what it is made of, and its route table.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    config::{Config, ConfigError, Environment},
    edge::{Context, LogLevel, cors::Cors},
    error::ApiError,
    host::Host,
    proxy,
    redis::{Client, Port},
    service, social,
};

/// Every route on one screen. Who may call one stands in its handler's signature.
fn routes() -> Router<App> {
    Router::new()
        // Redis proxy: API keys of scope `proxy`.
        .route("/", get(service::index).post(proxy::read))
        .route("/redis/write", post(proxy::write))
        // Service routes: anyone; `whoami` needs a caller, `debug-auth` an administrator.
        .route("/ping", get(service::ping).post(service::ping))
        .route("/healthz", get(service::alive))
        .route("/health", get(service::health))
        .route("/whoami", get(service::whoami).post(service::whoami))
        .route("/debug-auth", get(service::debug_auth))
        // REST for frontends: users, and API keys of scope `rest`.
        .route("/users/{id}", get(social::users::show))
}

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
    app: App,
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
        let app = App(Arc::new(Parts { config, host, redis }));
        let router = routes()
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
