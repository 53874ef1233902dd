//! A gateway behind a real HTTP server, on a free port of loopback: what another Ridge takes for its REST backend.

use axum::body::Body;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::Gateway;

/// A gateway that listens. It stops when this is dropped.
pub struct Served {
    port: u16,
    task: JoinHandle<()>,
}

impl Served {
    /// Starts to listen.
    pub async fn start(gateway: Gateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let task = tokio::spawn(async move {
            // They end with the one that accepts them.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let gateway = gateway.clone();
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let gateway = gateway.clone();
                    async move { Ok::<_, std::convert::Infallible>(gateway.serve(request.map(Body::new)).await) }
                });
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { port, task }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `UPSTASH_REDIS_REST_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/redis", self.port)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
