//! Redis without a gateway: the very bytes that it says.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use redis_protocol::resp2::decode::decode;

use crate::support::Redis;

/// The reply to one command, over a connection of its own.
pub fn raw(redis: &Redis, words: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words.iter().map(AsRef::as_ref) {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    stream.write_all(&request).unwrap();
    let mut reply = Vec::new();
    let mut packet = [0; 16 * 1024];
    while decode(&reply).unwrap().is_none() {
        let length = stream.read(&mut packet).unwrap();
        assert!(length > 0, "the connection was closed");
        reply.extend_from_slice(&packet[..length]);
    }
    reply
}
