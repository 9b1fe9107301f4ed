//! What an endpoint is told once, at its start.

use std::time::Duration;

use crate::Text;
use crate::flow::Listener;
use crate::message::Method;
use crate::transaction::{self, Timers};

/// Caps of what strangers can make an endpoint remember. Each says what happens beyond it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at once, both directions; beyond it a new INVITE is answered 503 with Retry-After.
    pub calls: usize,
    /// Calls beyond `calls` that are left for those to urgent numbers ([`Endpoint::urgent`](super::Endpoint::urgent)).
    pub urgent_calls: usize,
    /// Calls at once that came from one address and are not answered yet; beyond it 503.
    pub unanswered_per_source: usize,
    /// Early dialogs of one outgoing call; further forks are ignored until they answer.
    pub forks: usize,
    /// Subscriptions at once, both roles; beyond it a SUBSCRIBE is answered 503.
    pub subscriptions: usize,
    /// In-dialog requests of a peer that wait for the owner's answer, a call; beyond it 503.
    pub pending_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            calls: 10_000,
            urgent_calls: 100,
            unanswered_per_source: 500,
            forks: 16,
            subscriptions: 20_000,
            pending_requests: 8,
        }
    }
}

/// Everything that an endpoint must know before its first message.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Its listeners, at least one; Via and Contact name their addresses (or their `host`).
    pub listeners: Vec<Listener>,
    /// Host in Via and Contact where it is not to be the listener's address.
    pub sent_by: Option<Text>,
    /// User-Agent in requests, Server in responses.
    pub user_agent: Text,
    /// The methods that the role handles: Allow. A known method outside it is answered 405. CANCEL, ACK and BYE need
    /// not be named.
    pub allow: Vec<Method>,
    /// The owner refuses other methods itself, with the status that it likes: for a server that must first say whether it speaks
    /// with this peer at all. (Outside of dialogs.)
    pub refuses_itself: bool,
    /// Further option tags for Supported beside those that the endpoint serves itself (100rel, timer).
    pub supported: Vec<Text>,
    /// Requests are passed on to others: one that has no hops left (Max-Forwards 0) is answered 483 (RFC 3261 16.3). A user agent
    /// that is the end of the way takes it.
    pub relays: bool,
    /// Media types for Accept; INVITE, UPDATE and PRACK with a body of another are answered 415.
    pub accept: Vec<Text>,
    /// Transaction timers (RFC 3261 17, table 4).
    pub timers: Timers,
    /// Session-Expires that is asked for in outgoing calls and given to peers that support timers (RFC 4028); `None` asks for
    /// none but still serves a peer that does.
    pub session_expires: Option<Duration>,
    /// The least session interval that is accepted: Min-SE in 422 (RFC 4028 5: never under 90 s).
    pub min_session_expires: Duration,
    /// Caps.
    pub limits: Limits,
    /// Caps of the transaction layer.
    pub transactions: transaction::Limits,
}

impl EndpointConfig {
    /// The usual settings for `listeners`: every method but PUBLISH.
    pub fn new(listeners: Vec<Listener>, user_agent: impl Into<Text>) -> Self {
        EndpointConfig {
            listeners,
            sent_by: None,
            user_agent: user_agent.into(),
            allow: vec![
                Method::Invite,
                Method::Ack,
                Method::Cancel,
                Method::Bye,
                Method::Options,
                Method::Prack,
                Method::Update,
                Method::Info,
                Method::Refer,
                Method::Notify,
                Method::Subscribe,
                Method::Message,
                Method::Register,
            ],
            refuses_itself: false,
            supported: Vec::new(),
            relays: false,
            accept: vec![Text::from_static("application/sdp")],
            timers: Timers::default(),
            session_expires: Some(Duration::from_secs(1800)),
            min_session_expires: Duration::from_secs(90),
            limits: Limits::default(),
            transactions: transaction::Limits::default(),
        }
    }
}
