//! Manners of a server that is spoken to in RESP.

use std::time::Duration;

use redis_protocol::resp2::decode::decode;
use tokio::{io::copy_bidirectional, net::TcpStream};

use super::{Connection, Manner, Stranger, Verdict, check};
use crate::support::Redis;

/// The commands that are whole.
fn whole_commands(request: &[u8]) -> usize {
    let (mut count, mut rest) = (0, request);
    while let Ok(Some((_, length))) = decode(rest) {
        (count, rest) = (count + 1, &rest[length..]);
    }
    count
}

async fn read_command(connection: &mut Connection) -> Vec<u8> {
    connection.read_until(|request| whole_commands(request) > 0).await
}

/// Is the real Redis at a port.
pub fn healthy(redis: u16) -> Manner {
    Box::new(move |mut connection| {
        Box::pin(async move {
            let mut redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
            let _ = copy_bidirectional(&mut connection.stream, &mut redis).await;
        })
    })
}

/// Hangs up without a look.
pub fn closes_at_once() -> Manner {
    Box::new(|connection| Box::pin(async move { drop(connection) }))
}

/// Hangs up after some bytes of the request, with the rest unread.
pub fn closes_after(bytes: usize) -> Manner {
    Box::new(move |mut connection| {
        Box::pin(async move {
            let mut part = vec![0; bytes];
            let _ = tokio::io::AsyncReadExt::read_exact(&mut connection.stream, &mut part).await;
        })
    })
}

/// Reads a command, answers this, and hangs up.
pub fn answers(reply: impl Into<Vec<u8>>) -> Manner {
    let reply = reply.into();
    Box::new(move |mut connection| {
        let reply = reply.clone();
        Box::pin(async move {
            read_command(&mut connection).await;
            connection.say(&reply).await;
        })
    })
}

/// Reads a command, answers this, and waits for ever.
pub fn answers_and_waits(reply: impl Into<Vec<u8>>) -> Manner {
    let reply = reply.into();
    Box::new(move |mut connection| {
        let reply = reply.clone();
        Box::pin(async move {
            read_command(&mut connection).await;
            connection.say(&reply).await;
            connection.linger().await;
        })
    })
}

/// Answers this, and then that again and again until the other side hangs up.
pub fn answers_for_ever(head: &'static [u8], again: Vec<u8>) -> Manner {
    Box::new(move |mut connection| {
        let again = again.clone();
        Box::pin(async move {
            read_command(&mut connection).await;
            connection.say(head).await;
            while tokio::io::AsyncWriteExt::write_all(&mut connection.stream, &again).await.is_ok() {}
        })
    })
}

/// Is the real Redis, but its replies come in two pieces, cut after some bytes, or byte by byte.
pub fn in_pieces(cut: Option<usize>, redis: u16) -> Manner {
    Box::new(move |mut connection| {
        Box::pin(async move {
            let reply = ask(&mut connection, redis).await;
            let pieces: Vec<&[u8]> = match cut {
                Some(cut) => reply.split_at_checked(cut).map(|(a, b)| vec![a, b]).unwrap_or_default(),
                None => reply.chunks(1).collect(),
            };
            for piece in pieces {
                connection.say(piece).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    })
}

/// Lets the real Redis execute the command, and hangs up after some bytes of the reply.
pub fn executes_then_cuts(bytes: usize, redis: u16) -> Manner {
    Box::new(move |mut connection| {
        Box::pin(async move {
            let reply = ask(&mut connection, redis).await;
            connection.say(&reply[..bytes]).await;
        })
    })
}

/// What the real Redis replies to one command.
async fn ask(connection: &mut Connection, redis: u16) -> Vec<u8> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = read_command(connection).await;
    let mut redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
    redis.write_all(&request).await.unwrap();
    let mut reply = Vec::new();
    while whole_commands(&reply) == 0 {
        assert!(redis.read_buf(&mut reply).await.unwrap() > 0);
    }
    reply
}

/// Checks a gateway in front of a server with these manners.
pub async fn check_tcp(name: &str, manner: Manner, verdict: Verdict) {
    check_tcp_within(name, manner, verdict, 30_000).await;
}

/// The same, with a timeout in milliseconds.
pub async fn check_tcp_within(name: &str, manner: Manner, verdict: Verdict, timeout_ms: u32) {
    let stranger = Stranger::start(manner, healthy(Redis::shared().port())).await;
    let url = format!("redis://127.0.0.1:{}", stranger.port());
    let timeout = timeout_ms.to_string();
    check(name, &stranger, &[("REDIS_URL", &url), ("REDIS_TIMEOUT_MS", &timeout)], verdict).await;
}
