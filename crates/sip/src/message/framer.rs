//! Messages out of a byte stream (RFC 3261 18.3): Content-Length alone says where one ends.

use super::Message;
use super::malformed::{Malformed, Problem};
use super::parse::{MAX_MESSAGE, content_length, content_lengths, head_end, parse_message};
use bytes::{Buf, Bytes, BytesMut};

/// Cuts a connection's bytes into messages. After an error for which [`Malformed::is_fatal`], nothing more comes out: the
/// connection is to be closed.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Everything before it was searched for the head's end in vain.
    searched: usize,
    /// The head was found: where it ends, and the message with it.
    found: Option<(usize, usize)>,
    /// Line ends in a row between messages.
    line_ends: usize,
    pings: usize,
    dead: bool,
    last: Bytes,
}

impl Framer {
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes bytes as they were read. A dead framer forgets them.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.dead {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole message, if there is one.
    #[allow(clippy::should_implement_trait)] // more may come after None
    pub fn next(&mut self) -> Option<Result<Message, Malformed>> {
        if self.dead {
            return None;
        }
        let (head_end, end) = match self.found {
            Some(found) => found,
            None => {
                self.skip_line_ends();
                let Some(head_end) = head_end(&self.buffer, self.searched) else {
                    // The empty line may be half here; nothing else is searched twice.
                    let half = [&b"\n\r"[..], b"\n"].into_iter().find(|half| self.buffer.ends_with(half));
                    self.searched = self.buffer.len() - half.map_or(0, <[u8]>::len);
                    return (self.buffer.len() > MAX_MESSAGE).then(|| self.die(Problem::TooLarge, self.buffer.len()));
                };
                let length = match stream_length(self.buffer.get(..head_end).unwrap_or_default()) {
                    Ok(length) => length,
                    Err(problem) => return Some(self.die(problem, head_end)),
                };
                let Some(end) = head_end.checked_add(length).filter(|end| *end <= MAX_MESSAGE) else {
                    return Some(self.die(Problem::TooLarge, head_end));
                };
                self.found = Some((head_end, end));
                (head_end, end)
            }
        };
        let bytes = self.buffer.get(..end)?;
        // Copied, so that a tag that is kept for a call's length keeps one message, and not the connection's buffer.
        let message = Bytes::copy_from_slice(bytes);
        self.buffer.advance(end);
        self.found = None;
        self.searched = 0;
        let result = parse_message(&message, head_end, None);
        self.last = message;
        if result.as_ref().is_err_and(Malformed::is_fatal) {
            self.forget();
        }
        Some(result)
    }

    /// What the last message was read from, once; empty when its framing was lost.
    pub fn take_last(&mut self) -> Bytes {
        std::mem::take(&mut self.last)
    }

    /// How many keep-alive pings (CRLF CRLF, RFC 5626 4.4.1) came since this was asked last; each wants a CRLF back.
    pub fn take_pings(&mut self) -> usize {
        std::mem::take(&mut self.pings)
    }

    /// Whether a fatal error was handed out.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// How many bytes wait for the rest of their message.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    fn skip_line_ends(&mut self) {
        let count = self.buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if count == 0 {
            if !self.buffer.is_empty() {
                self.line_ends = 0;
            }
            return;
        }
        self.line_ends += count;
        self.pings = self.pings.saturating_add(self.line_ends / 4);
        self.line_ends %= 4;
        self.buffer.advance(count);
        self.searched = 0;
    }

    fn die(&mut self, problem: Problem, head_end: usize) -> Result<Message, Malformed> {
        let head = Bytes::copy_from_slice(self.buffer.get(..head_end.min(MAX_MESSAGE)).unwrap_or_default());
        self.forget();
        let length = head.len();
        match parse_message(&head, length, Some(problem.clone())) {
            // With a problem handed in, there is no message.
            Ok(_) => Err(Malformed::silent(problem)),
            Err(malformed) => Err(Malformed { problem, ..malformed }),
        }
    }

    fn forget(&mut self) {
        self.dead = true;
        self.buffer = BytesMut::new();
    }
}

/// 18.3: on a stream, Content-Length must be there, once, and be a number.
fn stream_length(head: &[u8]) -> Result<usize, Problem> {
    let mut values = content_lengths(head);
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::Duplicate(super::Name::ContentLength));
    }
    content_length(first.as_deref())?.ok_or(Problem::ContentLength)
}
