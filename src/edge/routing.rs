//! Routes whose handlers stand behind a pointer.
//!
//! axum compiles its machinery anew for each handler's type; with sixty handlers that is a sixth of the Worker. Behind a
//! pointer all handlers are of one type.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    handler::Handler,
    response::Response,
    routing::{MethodFilter, MethodRouter},
};
use http::Request;

use crate::{app::App, host::BoxFuture};

type Pointer = dyn Fn(Request<Body>, App) -> BoxFuture<'static, Response> + Send + Sync;

/// A handler behind a pointer.
#[derive(Clone)]
struct Erased(Arc<Pointer>);

impl Erased {
    fn new<H, T>(handler: H) -> Self
    where
        H: Handler<T, App, Future = BoxFuture<'static, Response>> + Sync,
        T: 'static,
    {
        Self(Arc::new(move |request, app| handler.clone().call(request, app)))
    }
}

impl Handler<(), App> for Erased {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request<Body>, app: App) -> Self::Future {
        (self.0)(request, app)
    }
}

/// The methods of one path.
pub struct Methods(MethodRouter<App>);

macro_rules! methods {
    ($($name:ident $filter:ident)*) => {$(
        #[doc = concat!("A path with a handler for `", stringify!($filter), "`.")]
        pub fn $name<H, T>(handler: H) -> Methods
        where
            H: Handler<T, App, Future = BoxFuture<'static, Response>> + Sync,
            T: 'static,
        {
            Methods(MethodRouter::new()).$name(handler)
        }

        impl Methods {
            #[doc = concat!("And one for `", stringify!($filter), "`.")]
            #[must_use]
            pub fn $name<H, T>(self, handler: H) -> Self
            where
                H: Handler<T, App, Future = BoxFuture<'static, Response>> + Sync,
                T: 'static,
            {
                self.on(MethodFilter::$filter, Erased::new(handler))
            }
        }
    )*};
}

methods! { get GET post POST put PUT patch PATCH delete DELETE }

impl Methods {
    #[inline(never)]
    fn on(self, filter: MethodFilter, handler: Erased) -> Self {
        Self(self.0.on(filter, handler))
    }
}

/// A table of routes that is being written.
#[derive(Default)]
pub struct Routes(Router<App>);

impl Routes {
    /// Adds a path.
    #[inline(never)]
    #[must_use]
    pub fn route(self, path: &str, methods: Methods) -> Self {
        Self(self.0.route(path, methods.0))
    }

    /// The router that axum knows.
    pub fn into_router(self) -> Router<App> {
        self.0
    }
}
