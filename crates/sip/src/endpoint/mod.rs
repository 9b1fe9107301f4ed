//! One SIP entity without I/O: transactions, dialogs, calls, subscriptions and their timers behind one door.
//!
//! Give it what comes in ([`Endpoint::receive`] and its neighbours) and what its owner wants ([`Endpoint::invite`] …),
//! each with the time; after each, drain [`Endpoint::poll`]. Call [`Endpoint::handle_timeout`] at [`Endpoint::deadline`].

mod config;
mod outgoing;
mod output;

pub use config::{EndpointConfig, Limits};
pub use outgoing::{Body, Login, NextHop, OutgoingCall, OutgoingRequest, TargetPolicy};
pub use output::{
    CallEvent, CallRef, ClientRef, EndCause, Event, Failure, ForkRef, Output, ServerRef, SubscriptionEnd, SubscriptionEvent,
    SubscriptionRef,
};

use std::time::{Duration, Instant};

use crate::Text;
use crate::flow::{Flow, TransportError};
use crate::message::{Headers, Malformed, Message, Method, NameAddr, Request, Response, Uri};
use crate::target::{Answer, QueryId};

/// Why a command was not carried out. Nothing was sent then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The call, transaction or subscription is over, or was never there. A race with the peer; nothing to do.
    #[error("no such call, transaction or subscription")]
    Unknown,
    /// The call is not in the state for this: answered already, not answered yet, no offer open.
    #[error("not possible in the call's present state")]
    WrongState,
    /// Another offer is open, ours or the peer's: try when it is answered (RFC 3261 14.1).
    #[error("an offer is open")]
    OfferOpen,
    /// The status is not in the range that the command takes.
    #[error("status out of range")]
    Status,
    /// The listener is not one of this endpoint's.
    #[error("no such listener")]
    NoListener,
    /// A cap of [`Limits`] is reached.
    #[error("too many calls or transactions")]
    Full,
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Our INVITE is out, or the peer's INVITE waits; nothing but 100 was said.
    Trying,
    /// A provisional response with a To tag was sent or came.
    Early,
    /// A 2xx was sent or came.
    Established,
    /// BYE or CANCEL is under way.
    Ending,
}

/// What the owner may know of a call: for Replaces, REFER, traces and records.
#[derive(Clone, Debug)]
pub struct CallInfo {
    pub state: CallState,
    pub outgoing: bool,
    pub call_id: Text,
    pub local_tag: Text,
    /// Of the answered fork, or of the first early dialog.
    pub remote_tag: Option<Text>,
    /// Our From or To, with tag.
    pub local: NameAddr,
    /// The peer's.
    pub remote: NameAddr,
    /// The peer's Contact.
    pub remote_target: Option<Uri>,
    /// What the peer's last message came in on.
    pub flow: Option<Flow>,
}

/// A SIP entity; see the module's head.
pub struct Endpoint {
    config: EndpointConfig,
}

impl Endpoint {
    /// All randomness (tags, branches, Call-IDs, glare timers) comes from `seed`.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Endpoint {
        let _ = seed;
        Endpoint { config }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    // ---- inputs ----

    /// A message, or what could not be read as one, came in on `flow`.
    pub fn receive(&mut self, message: Result<Message, Malformed>, flow: Flow, now: Instant) {
        let _ = (message, flow, now);
    }

    /// The [`Transmit`](crate::flow::Transmit) with this id failed.
    pub fn transmit_failed(&mut self, id: u64, error: TransportError, now: Instant) {
        let _ = (id, error, now);
    }

    /// This connection is gone.
    pub fn flow_closed(&mut self, flow: &Flow, now: Instant) {
        let _ = (flow, now);
    }

    /// DNS answered.
    pub fn resolved(&mut self, query: QueryId, answer: Answer, now: Instant) {
        let _ = (query, answer, now);
    }

    /// Fires everything that is due; early calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    // ---- outputs ----

    /// The next thing to do or to know; `None` when drained.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// When [`Endpoint::handle_timeout`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    // ---- calls ----

    /// Calls somebody. All that follows comes as [`Event::Call`]; also failures at once (from the next `poll` on).
    pub fn invite(&mut self, call: OutgoingCall, now: Instant) -> Result<CallRef, CommandError> {
        let _ = (call, now);
        Err(CommandError::Unknown)
    }

    /// Sends a provisional response (101 to 199): reliably where the peer requires 100rel, or supports it and there is a body.
    /// `headers` may carry anything but the dialog's own headers, as in all commands below.
    pub fn progress(&mut self, call: CallRef, status: u16, headers: &Headers, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let _ = (call, status, headers, body, now);
        Err(CommandError::Unknown)
    }

    /// Answers 200. `body` is the answer, or the offer when the INVITE had none; `None` only when the answer went in a
    /// reliable provisional response before. Held back while such a response waits for its PRACK (RFC 3262 3).
    pub fn accept(&mut self, call: CallRef, headers: &Headers, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let _ = (call, headers, body, now);
        Err(CommandError::Unknown)
    }

    /// Refuses an incoming call (300 to 699; a redirection has its Contact in `headers`). The call is over.
    pub fn reject(&mut self, call: CallRef, status: u16, headers: &Headers, now: Instant) -> Result<(), CommandError> {
        let _ = (call, status, headers, now);
        Err(CommandError::Unknown)
    }

    /// Ends the call whatever its state: CANCEL, BYE, or 480 to an incoming one that is not answered. `Ended` (or `Rejected` with
    /// the 487 of a cancelled call) tells when it is over.
    pub fn hangup(&mut self, call: CallRef, headers: &Headers, now: Instant) -> Result<(), CommandError> {
        let _ = (call, headers, now);
        Err(CommandError::Unknown)
    }

    /// Offers a change of media: re-INVITE, or UPDATE while the call is early. `None` asks the peer for an offer by a re-INVITE without
    /// SDP: then `acknowledge` after `Answer`.
    pub fn offer(&mut self, call: CallRef, headers: &Headers, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let _ = (call, headers, body, now);
        Err(CommandError::Unknown)
    }

    /// Answers the peer's [`CallEvent::Offer`].
    pub fn answer_offer(
        &mut self, call: CallRef, status: u16, headers: &Headers, body: Option<Body>, now: Instant,
    ) -> Result<(), CommandError> {
        let _ = (call, status, headers, body, now);
        Err(CommandError::Unknown)
    }

    /// Sends the ACK with our answer after a late offer.
    pub fn acknowledge(&mut self, call: CallRef, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let _ = (call, body, now);
        Err(CommandError::Unknown)
    }

    /// Sends a request within the call's dialog: INFO, REFER, NOTIFY, MESSAGE, OPTIONS.
    pub fn request_in_call(
        &mut self, call: CallRef, method: Method, headers: &Headers, body: Option<Body>, now: Instant,
    ) -> Result<ClientRef, CommandError> {
        let _ = (call, method, headers, body, now);
        Err(CommandError::Unknown)
    }

    /// What is known of a call; `None` when it is over.
    pub fn call_info(&self, call: CallRef) -> Option<CallInfo> {
        let _ = call;
        None
    }

    /// The call with this dialog (Replaces, Target-Dialog), tags as the sender of that header sees them.
    pub fn find_call(&self, call_id: &str, local_tag: &str, remote_tag: &str) -> Option<CallRef> {
        let _ = (call_id, local_tag, remote_tag);
        None
    }

    /// Calls that are not over.
    pub fn call_count(&self) -> usize {
        0
    }

    // ---- requests ----

    /// Sends a request outside every dialog.
    pub fn request(&mut self, request: OutgoingRequest, now: Instant) -> Result<ClientRef, CommandError> {
        let _ = (request, now);
        Err(CommandError::Unknown)
    }

    /// Answers a request of the peer's; start from [`Request::response`]. To tag, Server and what a status must carry (Allow,
    /// Supported, Accept) are added.
    pub fn respond(&mut self, transaction: ServerRef, response: Response, now: Instant) -> Result<(), CommandError> {
        let _ = (transaction, response, now);
        Err(CommandError::Unknown)
    }

    // ---- subscriptions (RFC 6665) ----

    /// Notifier: accepts a SUBSCRIBE that came as [`Event::Request`]: answers 200 with `expires`, makes the dialog. Then call
    /// `notify` with the full state. `expires` zero is a single look: the first `notify` ends it.
    pub fn accept_subscription(
        &mut self, transaction: ServerRef, expires: Duration, headers: &Headers, now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        let _ = (transaction, expires, headers, now);
        Err(CommandError::Unknown)
    }

    /// Notifier: sends the state. While an earlier NOTIFY waits for its answer, only the newest state is kept and sent then.
    pub fn notify(&mut self, subscription: SubscriptionRef, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let _ = (subscription, body, now);
        Err(CommandError::Unknown)
    }

    /// Subscriber: sends SUBSCRIBE (`request.method` is ignored; `headers` has Event) and keeps it refreshed.
    pub fn subscribe(
        &mut self, request: OutgoingRequest, expires: Duration, now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        let _ = (request, expires, now);
        Err(CommandError::Unknown)
    }

    /// Ends a subscription: a notifier sends the last NOTIFY (`terminated`, with this reason: `noresource`, `deactivated` …), a
    /// subscriber SUBSCRIBE with Expires 0.
    pub fn end_subscription(
        &mut self, subscription: SubscriptionRef, reason: &str, now: Instant,
    ) -> Result<(), CommandError> {
        let _ = (subscription, reason, now);
        Err(CommandError::Unknown)
    }
}

