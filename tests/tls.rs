//! `rediss://`: the server must prove who it is before it hears a word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::json;
use support::{Gateway, Redis, TestHost, unique};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A Redis with TLS, and the folder of its certificate.
struct Server {
    redis: Redis,
    folder: PathBuf,
}

impl Server {
    /// With a certificate for these names.
    fn start(authority: &Authority, names: &[&str]) -> Self {
        Self::start_with(authority, names, |_| {})
    }

    fn start_with(authority: &Authority, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let folder = std::env::temp_dir().join(format!("ridge-tls-{}-{}", std::process::id(), unique("server")));
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let redis = Redis::options().password("s3cret").tls(&certificate_file, &key_file).start();
        Self { redis, folder }
    }

    /// A gateway that reaches it under a name.
    fn gateway(&self, name: &str, trusted: &[&Authority]) -> Gateway {
        let mut host = TestHost::default();
        host.native.extra_authorities = trusted.iter().map(|authority| authority.der().to_vec()).collect();
        let url = format!("rediss://:s3cret@{name}:{}/1", self.redis.tls_port());
        let variables =
            [("REDIS_URL", url.as_str()), ("XANO_API_KEY", support::API_KEY), ("ENVIRONMENT", "development")];
        Gateway::on_host(host, &variables)
    }

    /// It was asked for nothing that a gateway asks for.
    fn assert_unheard(&self) {
        let stats = self.redis.run(&["INFO", "commandstats"]);
        for command in ["select", "eval", "evalsha", "get"] {
            assert!(!stats.as_str().unwrap().contains(&format!("cmdstat_{command}:")), "{command} was heard");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Reads and writes are 503, and the server has not heard a command.
async fn assert_unreachable(server: &Server, gateway: &Gateway) {
    for (path, command) in COMMANDS {
        let answer = gateway.post(path).api_key().body(command).send().await;
        assert_eq!(answer.code(), (503, "redis_unreachable".into()));
    }
    server.assert_unheard();
}

const COMMANDS: [(&str, &str); 2] = [("/", r#"["GET","a"]"#), ("/redis/write", r#"["HINCRBY","user:alice:x","a",1]"#)];

#[tokio::test]
async fn a_trusted_server_is_served_in_one_round_trip() {
    let authority = authority();
    let server = Server::start(&authority, &["localhost", "127.0.0.1"]);
    for name in ["localhost", "127.0.0.1"] {
        let gateway = server.gateway(name, &[&authority]);
        let key = format!("user:{}:x", unique("tls"));
        let write = gateway.post("/redis/write").api_key().json(json!(["HINCRBY", key, "a", 7])).send().await;
        assert_eq!((write.header("x-redis-round-trips"), &write.ok()["results"]), ("1", &json!([7])));
        let large = "a".repeat(1_000_000);
        assert_eq!(gateway.write(json!(["HSET", key, "large", large])).await, json!([1]));
        assert_eq!(gateway.read(json!(["HGETALL", key])).await, json!([{"a": "7", "large": large}]));
    }
}

#[tokio::test]
async fn an_unknown_authority_hears_nothing() {
    let (theirs, ours) = (authority(), authority());
    let server = Server::start(&theirs, &["localhost"]);
    assert_unreachable(&server, &server.gateway("localhost", &[])).await;
    assert_unreachable(&server, &server.gateway("localhost", &[&ours])).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_hears_nothing() {
    let authority = authority();
    let server = Server::start(&authority, &["redis.example.com"]);
    assert_unreachable(&server, &server.gateway("localhost", &[&authority])).await;
    let server = Server::start(&authority, &["localhost"]);
    assert_unreachable(&server, &server.gateway("127.0.0.1", &[&authority])).await;
}

#[tokio::test]
async fn an_expired_certificate_hears_nothing() {
    let authority = authority();
    let server = Server::start_with(&authority, &["localhost"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    assert_unreachable(&server, &server.gateway("localhost", &[&authority])).await;
}

#[tokio::test]
async fn a_server_without_tls_hears_no_password() {
    let server = Server::start(&authority(), &["localhost"]);
    let url = format!("rediss://:s3cret@localhost:{}/1", server.redis.port());
    let gateway = Gateway::with(&server.redis, &[("REDIS_URL", &url), ("REDIS_TIMEOUT_MS", "1000")]);
    for (path, command) in COMMANDS {
        // It hears a greeting that it does not understand, and may wait for the end of the line.
        let status = gateway.post(path).api_key().body(command).send().await.status;
        assert!(matches!(status, 503 | 504), "{status}");
    }
    server.assert_unheard();
}
