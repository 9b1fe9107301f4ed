//! Messages that can't be taken, and what to say about them.

use super::uri::UriError;
use super::{HeaderError, Headers, Method, Name, Response};
use crate::Text;
use std::fmt;

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing but line ends: a keep-alive, and no fault at all.
    #[error("keep-alive")]
    KeepAlive,
    /// The first line is neither a request's nor a response's; perhaps STUN, perhaps noise.
    #[error("not SIP")]
    NotSip,
    /// The first line is meant to be SIP, but has parts missing, or white space too much.
    #[error("malformed start line")]
    StartLine,
    /// A version other than SIP/2.0.
    #[error("version not supported")]
    Version,
    /// The Request-URI can't be read.
    #[error("Request-URI {0}")]
    Uri(UriError),
    /// A header that each message must have is not there.
    #[error("missing {0}")]
    Missing(Name),
    /// A header that may be there once is there twice.
    #[error("{0} more than once")]
    Duplicate(Name),
    /// A header that is needed can't be read.
    #[error("{0} {1}")]
    Header(Name, HeaderError),
    /// CSeq names another method than the request line.
    #[error("CSeq has another method")]
    MethodMismatch,
    /// Content-Length is no number; on a stream also: missing.
    #[error("malformed Content-Length")]
    ContentLength,
    /// The datagram ends before the body does.
    #[error("body shorter than Content-Length")]
    BodyTooShort,
    /// The message exceeds [`super::MAX_MESSAGE`].
    #[error("message too large")]
    TooLarge,
    /// A line exceeds [`super::MAX_LINE`].
    #[error("line too long")]
    LineTooLong,
    /// More header lines than [`super::MAX_HEADERS`].
    #[error("too many header lines")]
    TooManyHeaders,
}

/// A message that was not taken: the problem, and as much as was read, for the answer and the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub problem: Problem,
    /// The request's method, when that much was read.
    pub method: Option<Method>,
    /// The header lines that were read.
    pub headers: Headers,
    pub is_response: bool,
}

impl Malformed {
    pub(super) fn silent(problem: Problem) -> Malformed {
        Malformed { problem, method: None, headers: Headers::new(), is_response: false }
    }

    /// Whether nobody can say where the next message of the stream begins, so that the connection must be closed
    /// (after the answer, if there is one).
    pub fn is_fatal(&self) -> bool {
        match &self.problem {
            Problem::ContentLength | Problem::TooLarge => true,
            Problem::Duplicate(name) => *name == Name::ContentLength,
            // On a stream these mean that it is not SIP, or that start line and framing went apart.
            Problem::NotSip => true,
            _ => false,
        }
    }

    /// The response that says what is wrong, to be sent back the way that the message came. `None` where there must be
    /// silence: responses (RFC 3261 18.1.2), ACKs (17), what is no SIP, and requests without a Via to answer along.
    pub fn answer(&self) -> Option<Response> {
        let method = self.method.as_ref()?;
        if self.is_response || *method == Method::Ack || !self.headers.has(&Name::Via) {
            return None;
        }
        let status = match &self.problem {
            Problem::KeepAlive | Problem::NotSip => return None,
            Problem::Version => 505,
            Problem::TooLarge => 413,
            _ => 400,
        };
        let mut response = Response::answering(&self.headers, status);
        if status == 400 {
            // 21.4.1: the phrase should say what the problem is.
            response.reason = Text::from(format!("Bad Request: {}", self.problem));
        }
        response.set_to_tag(&self.tag());
        Some(response)
    }

    /// A To tag that is the same for each retransmission (8.2.7), without anything to remember it by.
    fn tag(&self) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for (_, value) in self.headers.iter().filter(|(name, _)| matches!(name, Name::Via | Name::CallId | Name::CSeq))
        {
            for byte in value.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("{hash:016x}")
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Malformed {}
