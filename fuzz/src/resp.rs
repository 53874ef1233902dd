//! RESP2: the same replies however they are cut into packets, and the same as another decoder reads.
//!
//! The first line of an input says how: each of its bytes is the size of a packet, in turn. The rest is what comes in.

use bytes::Bytes;
use redis_protocol::resp2::{decode::decode, types::OwnedFrame};
use ridge::redis::{
    Command, Failure, Reply,
    resp::{self, Decoder},
};

/// How much memory may be made ready for a string that was announced, while little of it has come.
const AHEAD: usize = 2 * 1024 * 1024;

/// Checks one stream.
pub fn check(input: &[u8]) {
    let (sizes, stream) = super::first_line(input);
    let whole = decoded(std::iter::once(stream));
    assert_eq!(decoded(packets(sizes, stream)), whole);

    for reply in &whole.0 {
        is_written_as_it_is_read(reply);
    }
    is_what_another_reads(stream, &whole.0);
    commands_are_read_as_they_are_written(sizes, stream);
}

/// The stream in pieces of 1 to 32 bytes. Without sizes, byte by byte.
fn packets<'a>(sizes: &'a [u8], stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let sizes = if sizes.is_empty() { b" " } else { sizes };
    let mut rest = stream;
    sizes.iter().cycle().map_while(move |size| {
        let (packet, after) = rest.split_at(rest.len().min(usize::from(size % 32) + 1));
        rest = after;
        Some(packet).filter(|packet| !packet.is_empty())
    })
}

/// All replies, how many bytes are left over, and what was wrong.
fn decoded<'a>(packets: impl Iterator<Item = &'a [u8]>) -> (Vec<Reply>, Result<usize, Failure>) {
    let mut decoder = Decoder::default();
    let mut replies = Vec::new();
    let mut received = 0;
    for packet in packets {
        decoder.buffer().extend_from_slice(packet);
        received += packet.len();
        loop {
            match decoder.next_reply() {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(failure) => return (replies, Err(failure)),
            }
        }
        assert!(decoder.buffer().capacity() <= 4 * received + AHEAD);
    }
    (replies, Ok(decoder.buffer().len()))
}

fn is_written_as_it_is_read(reply: &Reply) {
    let mut bytes = Vec::new();
    resp::put_reply(&mut bytes, reply);
    assert_eq!(decoded(std::iter::once(bytes.as_slice())), (vec![in_lines(reply)], Ok(0)));
}

/// What would end a line early is written as a blank.
fn in_lines(reply: &Reply) -> Reply {
    match reply {
        Reply::Status(line) => {
            let blank = |byte: &u8| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte };
            Reply::Status(line.iter().map(blank).collect::<Vec<u8>>().into())
        }
        Reply::Error(line) => Reply::Error(line.replace(['\r', '\n'], " ")),
        Reply::Array(items) => Reply::Array(items.iter().map(in_lines).collect()),
        other => other.clone(),
    }
}

/// The other decoder knows one kind of nothing.
fn with_one_nil(reply: &Reply) -> Reply {
    match reply {
        Reply::NilArray => Reply::Nil,
        Reply::Array(items) => Reply::Array(items.iter().map(with_one_nil).collect()),
        other => other.clone(),
    }
}

/// What the other decoder takes for a reply is the same one here, as long as it takes any.
fn is_what_another_reads(stream: &[u8], replies: &[Reply]) {
    let mut rest = stream;
    for reply in replies {
        let Ok(Some((frame, length))) = decode(rest) else { return };
        assert_eq!(reply_of(frame), with_one_nil(reply));
        rest = &rest[length..];
    }
}

fn reply_of(frame: OwnedFrame) -> Reply {
    match frame {
        OwnedFrame::SimpleString(bytes) => Reply::Status(bytes.into()),
        OwnedFrame::BulkString(bytes) => Reply::String(bytes.into()),
        OwnedFrame::Error(text) => Reply::Error(text),
        OwnedFrame::Integer(number) => Reply::Integer(number),
        OwnedFrame::Array(frames) => Reply::Array(frames.into_iter().map(reply_of).collect()),
        OwnedFrame::Null => Reply::Nil,
    }
}

fn commands_are_read_as_they_are_written(name: &[u8], text: &[u8]) {
    let words = text.split(|byte| name.contains(byte)).map(Bytes::copy_from_slice);
    let command = Command::from_parts("ECHO", words);
    let mut bytes = Vec::new();
    resp::encode([&command], &mut bytes);
    let expected = Reply::Array(command.args().iter().cloned().map(Reply::String).collect());
    assert_eq!(decoded(std::iter::once(bytes.as_slice())), (vec![expected], Ok(0)));
}
