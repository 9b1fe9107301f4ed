//! What a role is to the loop that drives it: inputs with the time, actions, a deadline.

use bytes::Bytes;
use event::Now;
use sip::flow::{Flow, ListenerId, PeerNames, Transmit, TransportError};
use sip::target::{Answer, Candidate, Query, QueryId};
use sip::{Malformed, Message};
use std::net::IpAddr;
use std::time::Instant;

/// A service node, a UM server, a phone: one thread that owns everything of its calls. [`crate::run`] drives it: one input, then
/// actions until there is none, and back by the deadline.
pub trait Role {
    /// What else can happen to the role: media events, answers of stores, commands.
    type Own: Send + 'static;

    /// Something happened.
    fn input(&mut self, input: Input<Self::Own>, now: Now);

    /// When the role wants [`Input::Timeout`], if nothing happens before. `None`: never.
    fn deadline(&self) -> Option<Instant>;

    /// The next thing to do. Called after each input until it gives `None`.
    fn poll_action(&mut self) -> Option<Action>;
}

/// What happens to a role.
#[derive(Debug)]
pub enum Input<T> {
    Sip(SipInput),
    Own(T),
    /// The deadline has come. It may be a little early or late: the role compares its timers with `now`.
    Timeout,
}

/// What `net` has to say.
#[derive(Debug)]
pub enum SipInput {
    /// A message arrived, or what should have been one; `wire` is what was read (of a stream whose framing is lost: nothing).
    Received { message: Result<Message, Malformed>, wire: Bytes, flow: Flow },
    /// A message did not go out.
    TransmitFailed { id: u64, error: TransportError },
    /// A connection by which something was received or sent is closed.
    FlowClosed(Flow),
    /// What the DNS said.
    Resolved { query: QueryId, answer: Answer },
}

impl SipInput {
    /// A whole message, as it would come in one datagram: for tests, and for calls that are run again.
    pub fn received(wire: Bytes, flow: Flow) -> SipInput {
        SipInput::Received { message: sip::parse_datagram(wire.clone()), wire, flow }
    }
}

/// A configured gateway, or the far end of a trunk: caps per source don't count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPeer {
    pub address: IpAddr,
    /// When it calls by TLS, a certificate that it shows must be for one of these names, or for its address (RFC 5922 7.2, 7.4).
    /// None: it is not compared.
    pub names: Option<PeerNames>,
    /// It is known by its certificate: where certificates are asked for at all, it has to show one when it calls by TLS. Otherwise
    /// its address is enough.
    pub must_show: bool,
}

/// What a role wants done.
#[derive(Debug)]
pub enum Action {
    Transmit(Transmit),
    /// Close this connection once what was sent by it is written.
    CloseFlow(Flow),
    /// This peer was silent: the next request to it goes by a new connection, not by one that may be dead.
    Distrust(ListenerId, Candidate),
    Resolve {
        query: QueryId,
        question: Query,
    },
    /// From now on these are the peers that are known (replaces the former set).
    Peers(Vec<KnownPeer>),
    /// End the loop, once what was sent is written (for half a second at most).
    Stop,
}
