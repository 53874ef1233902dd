//! RESP2, the protocol of Redis: commands into bytes, bytes into replies.
//!
//! The decoder is our own, for what the maintained codecs lack and a socket to a stranger needs: it continues where
//! it stopped instead of reading a large reply again with every packet, it nests without recursion, and it bounds
//! what a reply may announce. A test holds it against `redis-protocol`.

use bytes::{Buf, Bytes, BytesMut};

use super::{Command, Failure, Reply, reply::MAX_DEPTH};

/// The most bytes that all replies of one round trip may have together. A Worker has 128 MiB for all that it does at
/// once, and a reply stands there several times over: as it came, as text, and as the answer that is made of it. What
/// announces more is refused before it is read.
pub const MAX_STRING: usize = 16 * 1024 * 1024;

/// The most elements that all arrays of one round trip may hold together. Each takes a [`Reply`], so that half a million
/// of them is what fits beside the bytes.
pub const MAX_ELEMENTS: usize = 512 * 1024;

/// What is made ready at once for a string that was announced: memory grows with the bytes that arrive.
const AHEAD: usize = 1024 * 1024;

/// The longest line: a status, an error, or a number. Redis's own inline limit. What `MONITOR` tells are lines with all that
/// a command was called with: those are as long as replies may be.
const MAX_LINE: usize = 64 * 1024;

const UNKNOWN_TYPE: Failure = Failure::Nonsense("an unknown type of reply");

/// Appends the commands as RESP arrays of bulk strings.
pub fn encode<'a>(commands: impl IntoIterator<Item = &'a Command>, out: &mut Vec<u8>) {
    for command in commands {
        put_head(out, b'*', command.args().len());
        for arg in command.args() {
            put_head(out, b'$', arg.len());
            out.extend_from_slice(arg);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The most bytes that a command takes.
pub fn most_bytes(command: &Command) -> usize {
    const HEAD_AND_END: usize = 16;
    command.args().iter().map(|arg| arg.len() + HEAD_AND_END).sum::<usize>() + HEAD_AND_END
}

/// Appends a reply as the server itself would write it.
pub fn put_reply(out: &mut Vec<u8>, reply: &Reply) {
    match reply {
        Reply::Nil => out.extend_from_slice(b"$-1\r\n"),
        Reply::NilArray => out.extend_from_slice(b"*-1\r\n"),
        Reply::Integer(number) => {
            out.push(b':');
            out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Reply::Status(line) => put_line(out, b'+', line),
        Reply::Error(line) => put_line(out, b'-', line.as_bytes()),
        Reply::String(bytes) => {
            put_head(out, b'$', bytes.len());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        Reply::Array(items) => {
            put_head(out, b'*', items.len());
            items.iter().for_each(|item| put_reply(out, item));
        }
    }
}

/// What would end the line early becomes a blank, as the server does it: an error may repeat what a caller said.
fn put_line(out: &mut Vec<u8>, kind: u8, line: &[u8]) {
    out.push(kind);
    out.extend(line.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

fn put_head(out: &mut Vec<u8>, kind: u8, length: usize) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Turns a stream of bytes into replies, keeping its place between packets.
pub struct Decoder {
    buffer: BytesMut,
    /// The arrays that are still open, outermost first, with the number of elements each still lacks.
    open: Vec<(Vec<Reply>, usize)>,
    /// A bulk string whose length was read and whose bytes are still to come.
    string: Option<usize>,
    /// How many elements were announced so far.
    elements: usize,
    /// How much of the buffer is known to hold no end of a line.
    searched: usize,
    longest_line: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        let (buffer, open) = (BytesMut::new(), Vec::new());
        Self { buffer, open, string: None, elements: 0, searched: 0, longest_line: MAX_LINE }
    }
}

impl Decoder {
    /// Takes lines as long as strings from here on.
    pub fn take_long_lines(&mut self) {
        self.longest_line = MAX_STRING;
    }

    /// Counts anew: what comes next belongs to no round trip.
    pub fn forget(&mut self) {
        self.elements = 0;
    }

    /// Where the next packet goes.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole reply, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Failure::Nonsense`] if the bytes are not RESP2, or announce more than this decoder takes.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, Failure> {
        while let Some(value) = self.next_value()? {
            if let Some(reply) = self.place(value) {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Puts a value where it belongs, and closes the arrays that it completes. The reply, if it was the last piece.
    fn place(&mut self, mut value: Reply) -> Option<Reply> {
        loop {
            let Some((items, lacking)) = self.open.last_mut() else { return Some(value) };
            items.push(value);
            *lacking = lacking.saturating_sub(1);
            if *lacking > 0 {
                return None;
            }
            let (items, _) = self.open.pop()?;
            value = Reply::Array(items);
        }
    }

    /// The next value that is complete in itself; the head of an array opens it and goes on.
    fn next_value(&mut self) -> Result<Option<Reply>, Failure> {
        loop {
            if let Some(length) = self.string {
                return self.take_string(length);
            }
            // What is no reply is known by its first byte: its line may never end.
            if !self.buffer.first().is_none_or(|kind| b"+-:$*".contains(kind)) {
                return Err(UNKNOWN_TYPE);
            }
            let Some(line) = self.take_line()? else { return Ok(None) };
            let Some((kind, rest)) = line.split_first() else { return Err(UNKNOWN_TYPE) };
            match kind {
                b'+' => return Ok(Some(Reply::Status(line.slice(1..)))),
                b'-' => return Ok(Some(Reply::Error(String::from_utf8_lossy(rest).into_owned()))),
                b':' => return Ok(Some(Reply::Integer(parse(rest)?))),
                b'$' => match length(rest, MAX_STRING)? {
                    None => return Ok(Some(Reply::Nil)),
                    length => self.string = length,
                },
                b'*' => match length(rest, MAX_ELEMENTS.saturating_sub(self.elements))? {
                    None => return Ok(Some(Reply::NilArray)),
                    Some(0) => return Ok(Some(Reply::Array(Vec::new()))),
                    Some(_) if self.open.len() >= MAX_DEPTH => return Err(Failure::Nonsense("nested too deeply")),
                    // What is announced is not yet here: memory grows with the elements that arrive.
                    Some(count) => {
                        self.elements += count;
                        self.open.push((Vec::with_capacity(count.min(1024)), count));
                    }
                },
                _ => return Err(UNKNOWN_TYPE),
            }
        }
    }

    fn take_string(&mut self, length: usize) -> Result<Option<Reply>, Failure> {
        let whole = length.saturating_add(2);
        if self.buffer.len() < whole {
            self.buffer.reserve((whole - self.buffer.len()).min(AHEAD));
            return Ok(None);
        }
        self.string = None;
        let mut string = self.buffer.split_to(whole).freeze();
        if !string.ends_with(b"\r\n") {
            return Err(Failure::Nonsense("a string without its end"));
        }
        string.truncate(length);
        Ok(Some(Reply::String(string)))
    }

    /// The next line without its end.
    fn take_line(&mut self) -> Result<Option<Bytes>, Failure> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        match unsearched.iter().position(|byte| *byte == b'\n').map(|end| self.searched.saturating_add(end)) {
            Some(end) if end < self.longest_line => {
                self.searched = 0;
                let mut line = self.buffer.split_to(end).freeze();
                self.buffer.advance(1);
                if line.last() != Some(&b'\r') {
                    return Err(Failure::Nonsense("a line without its end"));
                }
                line.truncate(line.len().saturating_sub(1));
                Ok(Some(line))
            }
            None if self.buffer.len() < self.longest_line => {
                self.searched = self.buffer.len();
                Ok(None)
            }
            _ => Err(Failure::Nonsense("a line without end")),
        }
    }
}

fn parse(digits: &[u8]) -> Result<i64, Failure> {
    std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Failure::Nonsense("a number that is none"))
}

fn length(digits: &[u8], most: usize) -> Result<Option<usize>, Failure> {
    match parse(digits)? {
        -1 => Ok(None),
        length => match usize::try_from(length) {
            Ok(length) if length <= most => Ok(Some(length)),
            _ => Err(Failure::Nonsense("a length out of bounds")),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redis_protocol::resp2::{
        encode::encode,
        types::{OwnedFrame, Resp2Frame},
    };

    use super::*;

    fn decode_in_packets(bytes: &[u8], packet: usize) -> Result<Vec<Reply>, Failure> {
        let mut decoder = Decoder::default();
        let mut replies = Vec::new();
        for chunk in bytes.chunks(packet.max(1)) {
            decoder.buffer().extend_from_slice(chunk);
            while let Some(reply) = decoder.next_reply()? {
                replies.push(reply);
            }
        }
        Ok(replies)
    }

    fn expected(frame: &OwnedFrame) -> Reply {
        match frame {
            OwnedFrame::SimpleString(bytes) => Reply::Status(bytes.clone().into()),
            OwnedFrame::BulkString(bytes) => Reply::String(bytes.clone().into()),
            OwnedFrame::Error(text) => Reply::Error(text.clone()),
            OwnedFrame::Integer(n) => Reply::Integer(*n),
            OwnedFrame::Array(items) => Reply::Array(items.iter().map(expected).collect()),
            OwnedFrame::Null => Reply::Nil,
        }
    }

    fn any_frame() -> impl Strategy<Value = OwnedFrame> {
        let leaf = prop_oneof![
            "[ -~]{0,20}".prop_map(|s| OwnedFrame::SimpleString(s.into_bytes())),
            "[A-Z]{1,8} [ -~]{0,20}".prop_map(OwnedFrame::Error),
            any::<i64>().prop_map(OwnedFrame::Integer),
            proptest::collection::vec(any::<u8>(), 0..200).prop_map(OwnedFrame::BulkString),
            Just(OwnedFrame::Null),
        ];
        leaf.prop_recursive(5, 60, 8, |inner| proptest::collection::vec(inner, 0..8).prop_map(OwnedFrame::Array))
    }

    proptest! {
        #[test]
        fn reads_what_another_implementation_writes(frames in proptest::collection::vec(any_frame(), 1..6), packet in 1usize..64) {
            let mut bytes = Vec::new();
            for frame in &frames {
                let start = bytes.len();
                bytes.resize(start + frame.encode_len(false), 0);
                encode(&mut bytes[start..], frame, false).unwrap();
            }
            let expected: Vec<Reply> = frames.iter().map(expected).collect();
            prop_assert_eq!(decode_in_packets(&bytes, packet).unwrap(), expected);
        }

        #[test]
        fn writes_what_another_implementation_writes(frame in any_frame()) {
            let mut bytes = vec![0; frame.encode_len(false)];
            encode(&mut bytes, &frame, false).unwrap();
            let mut out = Vec::new();
            put_reply(&mut out, &expected(&frame));
            prop_assert_eq!(out, bytes);
        }

        #[test]
        fn never_panics_on_garbage(bytes in proptest::collection::vec(any::<u8>(), 0..400), packet in 1usize..64) {
            let _ = decode_in_packets(&bytes, packet);
        }

        #[test]
        fn never_panics_on_what_looks_like_resp(text in "([*$:+-][0-9-]{0,12}\r\n){0,40}", packet in 1usize..16) {
            let _ = decode_in_packets(text.as_bytes(), packet);
        }
    }

    #[test]
    fn a_length_beyond_every_bound_is_refused_before_it_is_read() {
        for head in ["$1099511627776\r\n", "*1099511627776\r\n", "$-2\r\n", "*99999999999999999999\r\n"] {
            assert!(matches!(decode_in_packets(head.as_bytes(), 64), Err(Failure::Nonsense(_))), "{head:?}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_costs_no_stack() {
        let deep = "*1\r\n".repeat(MAX_DEPTH) + ":1\r\n";
        assert_eq!(decode_in_packets(deep.as_bytes(), 7).unwrap().len(), 1);
        let too_deep = "*1\r\n".repeat(100_000);
        assert!(decode_in_packets(too_deep.as_bytes(), 4096).is_err());
    }

    #[test]
    fn no_value_and_no_array_are_two() {
        let mut out = Vec::new();
        let replies = decode_in_packets(b"$-1\r\n*-1\r\n", 64).unwrap();
        assert_eq!(replies, [Reply::Nil, Reply::NilArray]);
        replies.iter().for_each(|reply| put_reply(&mut out, reply));
        assert_eq!(out, b"$-1\r\n*-1\r\n");
    }

    #[test]
    fn an_error_is_one_line_whatever_it_repeats() {
        let mut out = Vec::new();
        put_reply(&mut out, &Reply::Error("ERR a\r\n+OK".into()));
        assert_eq!(out, b"-ERR a  +OK\r\n");
    }

    #[test]
    fn commands_are_arrays_of_bulk_strings() {
        let mut out = Vec::new();
        super::encode([&Command::new("GET").arg("k\r\n")], &mut out);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$3\r\nk\r\n\r\n");
    }
}
