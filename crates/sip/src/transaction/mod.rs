//! Transactions: RFC 3261 17 with RFC 6026, and the transport rules of 18 that need no socket.
//!
//! The four machines ([`invite_client`], [`invite_server`], [`non_invite_client`], [`non_invite_server`]) know only
//! events and timers. [`Transactions`] holds many of them, finds the one that a message belongs to, and keeps what has
//! to be sent again. The contract: after every input or command, call [`Transactions::poll`] until it gives `None`,
//! then be back by [`Transactions::deadline`] with [`Transactions::handle_timeout`].

mod client;
pub mod invite_client;
pub mod invite_server;
mod key;
mod layer;
pub mod non_invite_client;
pub mod non_invite_server;
#[cfg(test)]
mod rig;
mod server;
#[cfg(test)]
mod tests;
mod timers;
mod wheel;

pub use layer::Transactions;
pub use timers::{Actions, Timers};

use crate::flow::{Flow, Listener, Transmit, TransportError};
use crate::{Request, Response, Text};
use std::time::Duration;

/// A request of ours that waits for its answer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A peer's request that waits for our answer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub u64);

/// What the layer is told once.
#[derive(Clone, Debug)]
pub struct Config {
    pub listeners: Vec<Listener>,
    /// Host of our Via where it is not to be the listener's address.
    pub sent_by: Option<Text>,
    pub timers: Timers,
    /// How long an INVITE may wait for the user before 100 Trying is sent; zero sends it at once. RFC 3261 17.2.1 names
    /// 200 ms.
    pub trying: Duration,
    pub limits: Limits,
}

impl Config {
    /// The usual settings: 100 Trying at once.
    pub fn new(listeners: Vec<Listener>) -> Config {
        Config {
            listeners,
            sent_by: None,
            timers: Timers::default(),
            trying: Duration::ZERO,
            limits: Limits::default(),
        }
    }
}

/// Caps of the server transactions that strangers can make us keep. A request beyond them gets 503 with Retry-After
/// and leaves nothing behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions at once of one IP address (exempt addresses: [`Transactions::exempt`]).
    pub per_source: usize,
    /// Transactions at once of everybody. By UDP each stays for 32 s after its answer with about a kilobyte, so this is some 6,000
    /// a second. Requests within a dialog (those with a To tag) and those of exempt addresses
    /// may use a quarter more, so that overload does not hurt calls in progress, nor strangers the gateways.
    pub total: usize,
    /// What Retry-After says, in seconds.
    pub retry_after: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_source: 20_000, total: 200_000, retry_after: 5 }
    }
}

/// What the layer wants done or has to say.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this. A failure comes back by [`Transactions::transmit_failed`].
    Transmit(Transmit),
    /// A new request (never ACK or CANCEL). Its top Via carries `received` and `rport`. `local_tag` is the To tag that
    /// [`Transactions::respond`] adds to responses of a request without one.
    Request { transaction: ServerId, request: Request, flow: Flow, local_tag: Text },
    /// An INVITE was cancelled before its final response. The CANCEL has its 200; the INVITE wants its 487.
    Cancel { transaction: ServerId, request: Request, flow: Flow },
    /// An ACK that is not for one of our 300-699: the dialog that it names gave a 2xx. `transaction` when it used the
    /// INVITE's branch.
    Ack { transaction: Option<ServerId>, request: Request, flow: Flow },
    /// A response to our request. Final ones of INVITE: 300-699 are acknowledged already; each 2xx comes up, repeated ones
    /// too, until timer M.
    Response { transaction: ClientId, response: Response, flow: Flow },
    /// A 2xx to an INVITE that no transaction waits for any more (late, after [`Transactions::abandon`], or of a fork).
    Stray { response: Response, flow: Flow },
    /// Our request ended without a final response.
    Failed { transaction: ClientId, failure: Failure },
    /// A response of ours could not be sent, or its ACK never came.
    ServerFailed { transaction: ServerId, failure: ServerFailure },
}

/// Why a request of ours has no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody answered in time; to be treated as 408 (8.1.3.1).
    #[error("no answer in time")]
    Timeout,
    /// It could not be sent, or its connection closed before anything was heard; to be treated as 503 (8.1.3.1).
    #[error("{0}")]
    Transport(#[from] TransportError),
}

/// What went wrong with a response of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerFailure {
    /// No ACK came for our 300-699 within 64*T1. The transaction is over.
    #[error("no ACK for the refusal")]
    NoAck,
    /// Neither the connection nor the address in Via takes the response.
    #[error("{0}")]
    Transport(#[from] TransportError),
}

/// Why a response was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// The transaction is over, or never was.
    #[error("the transaction is over")]
    Unknown,
    /// A final response was sent already, and this one may not follow it.
    #[error("the transaction was answered already")]
    Answered,
}
