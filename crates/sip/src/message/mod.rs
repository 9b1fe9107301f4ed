//! Messages: requests and responses, their header fields and URIs (RFC 3261 7, 19, 20, 25).
//!
//! A message is read into slices of the one buffer that it came in. Start line and the headers that every message must
//! have are checked when it is parsed; all others are read, and checked, when someone asks for them.

pub(crate) mod chars;
mod framer;
pub mod header;
mod headers;
mod malformed;
mod method;
mod name;
mod name_addr;
pub(crate) mod params;
mod parse;
mod request;
mod response;
mod uri;
mod via;

pub use chars::{UriPart, escape, unescape};
pub use framer::Framer;
pub use header::{CSeq, CallId, Contact};
pub use headers::{Header, HeaderError, Headers};
pub use malformed::{Malformed, Problem};
pub use method::Method;
pub use name::Name;
pub use name_addr::NameAddr;
pub use params::Params;
pub use parse::{MAX_HEADERS, MAX_LINE, MAX_MESSAGE, parse_datagram};
pub use request::Request;
pub use response::{Response, reason_phrase};
pub use uri::{Host, Scheme, Uri, UriError};
pub use via::{BRANCH_COOKIE, Via};

use bytes::{BufMut, Bytes, BytesMut};
use std::fmt;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Request(Request),
    Response(Response),
}

impl Message {
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// As it goes on the wire, with the one Content-Length that fits.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }

    pub fn as_request(&self) -> Option<&Request> {
        match self {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    pub fn as_response(&self) -> Option<&Response> {
        match self {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Message {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Message {
        Message::Response(response)
    }
}

impl fmt::Display for Message {
    /// The start line, and what tells the message from others: for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Request(request) => write!(f, "{} {}", request.method, request.uri)?,
            Message::Response(response) => write!(f, "{} {}", response.status, response.reason)?,
        }
        let headers = self.headers();
        if let (Message::Response(_), Some(cseq)) = (self, headers.get(&Name::CSeq)) {
            write!(f, " ({cseq})")?;
        }
        if let Some(call_id) = headers.get(&Name::CallId) {
            write!(f, " [{call_id}]")?;
        }
        Ok(())
    }
}

/// Writes all but the start line. A value can't begin a line of its own: CR and LF in it become spaces, whoever put
/// them there.
fn write_rest(out: &mut BytesMut, headers: &Headers, body: &Bytes) {
    for (name, value) in headers.iter_values().filter(|(name, _)| **name != Name::ContentLength) {
        put_clean(out, name.as_str());
        out.put_slice(b": ");
        put_clean(out, value);
        out.put_slice(b"\r\n");
    }
    out.put_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.put_slice(body);
}

fn put_clean(out: &mut BytesMut, text: &str) {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'\r', b'\n', bytes).is_none() {
        return out.put_slice(bytes);
    }
    out.extend(bytes.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
}

/// How much room a message with these parts takes, nearly.
fn size_hint(headers: &Headers, body: &Bytes) -> usize {
    let lines: usize = headers.iter_values().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    128 + lines + body.len()
}
