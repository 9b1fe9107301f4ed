//! One thing that entered a call, what was drawn while it was handled, and what the role did about it.

use bytes::Bytes;
use event::Now;
use media::MediaEvent;
use serde_json::Value;
use sip::chance::Origin;
use sip::flow::{Destination, Flow, TransportError};
use sip::target::Answer;
use std::net::SocketAddr;

/// What came in by the role's door.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    Message {
        wire: Bytes,
        flow: Flow,
    },
    TransmitFailed {
        id: u64,
        error: TransportError,
    },
    FlowClosed(Flow),
    Resolved {
        query: u64,
        answer: Answer,
    },
    Media(MediaEvent),
    /// What only one kind of role knows: a store's answer, the verdict on a PIN. `ticket` says what it answers.
    Own {
        kind: String,
        ticket: u64,
        value: Value,
    },
    /// A timer of the call fired.
    Timer,
}

/// Something that the call may read of its role: a value of the configuration, an extension's contacts. As the state store
/// keeps it, without secrets. Set before the entry that it stands in is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub kind: String,
    pub key: String,
    /// JSON; `None`: there is no such thing (any more).
    pub value: Option<String>,
}

/// What the role did.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Sent {
        to: Destination,
        /// The address that it left from, as far as it was known then.
        local: SocketAddr,
        wire: Bytes,
    },
    /// A media command, a store request, an event: in one line.
    Did(String),
}

/// An entry of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: Now,
    pub known: Vec<Known>,
    pub cause: Cause,
    pub draws: Vec<(Origin, u64)>,
    pub outputs: Vec<Output>,
}

impl Entry {
    /// About how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        let cause = match &self.cause {
            Cause::Message { wire, .. } => wire.len(),
            _ => 64,
        };
        let outputs = self.outputs.iter().map(|output| match output {
            Output::Sent { wire, .. } => wire.len() + 128,
            Output::Did(text) => text.len() + 32,
        });
        let known = self.known.iter().map(|known| known.value.as_ref().map_or(0, String::len) + 96);
        256 + cause + outputs.sum::<usize>() + known.sum::<usize>() + self.draws.len() * 16
    }
}

/// What an input or an output can be found by, when it is not a Call-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The role's own number of a call.
    Call(u64),
    Transmit(u64),
    Query(u64),
    Session(u64),
    Recording(u128),
    Ticket(u64),
    /// A connection; several calls may use it.
    Connection(u64),
}
