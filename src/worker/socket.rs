//! A socket as a stream. The `worker` crate has one too; this one settles tickets instead of promises, and closes when
//! it is dropped instead of when its request ends.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use js_sys::{Error, Object};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasm_bindgen::JsCast;
use worker::send::{SendFuture, SendWrapper};

use super::{
    glue,
    pending::{self, Pending},
    sendable,
};
use crate::redis::Address;

/// An open socket.
pub(super) struct Socket {
    connection: SendWrapper<Object>,
    /// A write under way, and how many bytes it writes.
    write: Option<(SendFuture<Pending>, usize)>,
    /// A read under way.
    read: Option<SendFuture<Pending>>,
    /// What was read and not asked for yet.
    unread: Bytes,
}

impl Socket {
    /// Connects to an address, with TLS if it asks for it.
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        let brackets = address.host.contains(':');
        let host = if brackets { format!("[{}]", address.host) } else { address.host.clone() };
        let opened = Pending::begin(|ticket| glue::open(&host, address.port, address.tls, ticket)).await;
        let connection = SendWrapper::new(opened.map_err(broken)?.unchecked_into());
        Ok(Self { connection, write: None, read: None, unread: Bytes::new() })
    }
}

/// What JavaScript says of a broken socket may name an address, so it is not repeated.
fn broken(_: Error) -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.unread.is_empty() {
            let begin = || sendable(Pending::begin(|ticket| glue::receive(&this.connection, ticket)));
            let read = ready!(Pin::new(this.read.get_or_insert_with(begin)).poll(context));
            this.read = None;
            this.unread = Bytes::from(pending::chunk(&read.map_err(broken)?).unwrap_or_default());
        }
        let count = this.unread.len().min(buffer.remaining());
        buffer.put_slice(this.unread.get(..count).unwrap_or_default());
        this.unread.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let begin = || (sendable(Pending::begin(|ticket| glue::send(&this.connection, bytes, ticket))), bytes.len());
        let (pending, count) = this.write.get_or_insert_with(begin);
        let count = *count;
        let written = ready!(Pin::new(pending).poll(context));
        this.write = None;
        Poll::Ready(written.map(|_| count).map_err(broken))
    }

    /// Each write is complete when it is ready.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        glue::close(&self.connection);
    }
}
