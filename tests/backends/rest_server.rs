//! `@humanwhocodes/upstash-redis-server`, an independent server of Upstash's REST API, on a free port of loopback.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Its own `server.js` listens on every interface and on a port that must be known beforehand; this does neither.
const PROGRAM: &str = "
    import { createApp } from '@humanwhocodes/upstash-redis-server';
    import { serve } from '@hono/node-server';
    const app = createApp({ token: process.env.URS_TOKEN, redisUrl: process.env.REDIS_URL });
    serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(port));
";

/// A running server. It ends when this is dropped.
pub struct RestServer {
    port: u16,
    child: Child,
}

impl RestServer {
    /// The token it is started with.
    pub const TOKEN: &str = "a-token-for-tests";

    /// Starts a server in front of a Redis.
    pub fn start(redis_url: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = root.join("node_modules/@humanwhocodes/upstash-redis-server");
        assert!(package.exists(), "the REST server of this test comes from npm: run `npm test`, or `npm ci` once");
        let mut command = Command::new("node");
        command.args(["--input-type=module", "--eval", PROGRAM]).current_dir(root);
        command.env("URS_TOKEN", Self::TOKEN).env("REDIS_URL", redis_url).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("node is in the PATH");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("node can be read");
        let port = line.trim().parse().expect("the server says its port");
        Self { port, child }
    }

    /// `UPSTASH_REDIS_REST_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for RestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
