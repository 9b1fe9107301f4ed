//! What an endpoint hands out: messages to send, and what happened, to its owner.

use std::time::Duration;

use bytes::Bytes;

use crate::flow::ListenerId;
use crate::flow::{Flow, Transmit};
use crate::message::{Request, Response};
use crate::target::{Candidate, Query, QueryId};

/// A call: one INVITE and everything that came of it, over all its forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallRef(pub u64);

/// One branch of an outgoing call that forked downstream: one early dialog, one remote tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForkRef(pub u32);

/// A request from a peer that waits for the owner's [`Endpoint::respond`](super::Endpoint::respond).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerRef(pub u64);

/// A request of our own that waits for the peer's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientRef(pub u64);

/// A subscription (RFC 6665), either role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionRef(pub u64);

/// One thing to do or to know. Drain with [`Endpoint::poll`](super::Endpoint::poll) after every input and command.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes; a failure comes back by [`Endpoint::transmit_failed`](super::Endpoint::transmit_failed).
    Transmit(Transmit),
    /// Close this connection: its peer broke the framing or abuses it.
    CloseFlow(Flow),
    /// This peer was silent over a connection: the next request to it should go by a new one.
    Distrust(ListenerId, Candidate),
    /// Ask DNS; the answer comes back by [`Endpoint::resolved`](super::Endpoint::resolved).
    Resolve(QueryId, Query),
    /// Tell the owner.
    Event(Event),
}

/// What happened, for the endpoint's owner.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new call from a peer; 100 was already sent. Answer with `progress`, `accept` or `reject`.
    Incoming { call: CallRef, request: Request, flow: Flow },
    /// A request outside every dialog that the endpoint did not answer itself: REGISTER, OPTIONS, SUBSCRIBE, NOTIFY,
    /// MESSAGE, REFER, PUBLISH, INFO. Answer with `respond` (or `accept_subscription`).
    Request { transaction: ServerRef, request: Request, flow: Flow },
    /// A response to `request`: provisional ones as they come, then one final.
    Response { transaction: ClientRef, response: Response },
    /// No final response will come for `request`.
    Failed { transaction: ClientRef, failure: Failure },
    /// What [`Endpoint::probe`](super::Endpoint::probe) has found, of each target; of none when the name leads nowhere.
    Probed { transaction: ClientRef, targets: Vec<Probed> },
    /// Something happened to a call.
    Call { call: CallRef, event: CallEvent },
    /// Something happened to a subscription.
    Subscription { subscription: SubscriptionRef, event: SubscriptionEvent },
    /// A message that could not be read; it was answered where the RFC allows. For counting and logs.
    Malformed { flow: Flow, reason: String },
}

/// One target's answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    pub target: Candidate,
    pub sign: Sign,
}

/// Whether a target would take requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It answered, with anything but 503.
    Alive,
    /// It answered 503: it lives, and wants to be left alone.
    Unavailable,
    /// It did not answer, or can't be reached.
    Dead,
}

/// Why no peer answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// All targets were tried and none responded in time (RFC 3261 8.1.3.1: as a 408).
    #[error("no response from any target")]
    Timeout,
    /// No target could be reached: connections refused or lost (RFC 3261 8.1.3.1: as a 503).
    #[error("no target could be reached")]
    Transport,
    /// The name did not resolve, or every target is on the grey list.
    #[error("no target for this destination")]
    NoTarget,
    /// Every target answered 503.
    #[error("every target is out of service")]
    Unavailable,
}

/// What happens to a call, in the order that it happens.
#[derive(Clone, Debug)]
pub enum CallEvent {
    /// A provisional response (101 to 199) to our INVITE; its body may be SDP. Reliable ones were acknowledged (PRACK)
    /// already; out of order or repeated ones are not reported.
    Provisional { fork: ForkRef, response: Response },
    /// The first 2xx to our INVITE. Other forks are ended by the endpoint. The ACK was sent, unless our INVITE
    /// had no offer: then call `acknowledge`.
    Answered { fork: ForkRef, response: Response },
    /// Our INVITE failed for good: the final response (3xx to 6xx), synthesised (408, 480, 503) when `failure` says why.
    /// The call is over; it has no `Ended`. `others`: how many targets were not tried.
    Rejected { response: Response, failure: Option<Failure>, flow: Option<Flow>, others: usize },
    /// The ACK for our 2xx came; `body` is the answer when our 2xx had the offer (late offer). After a re-INVITE it is
    /// reported only when it has that answer.
    Acknowledged { body: Bytes },
    /// The peer cancelled its INVITE; 487 was sent. The call is over; it has no `Ended`.
    Cancelled { request: Request },
    /// The peer's re-INVITE, or UPDATE with an offer: answer with `answer_offer`. An empty body asks for our offer.
    Offer { request: Request },
    /// The peer cancelled the re-INVITE of an `Offer` that waits for its answer; 487 was sent.
    OfferWithdrawn,
    /// The final response to our `offer`; 491 was retried inside (RFC 3261 14.1).
    Answer { response: Response },
    /// PRACK for our reliable provisional came; `body` is the answer when that one held an offer.
    ProvisionalAcknowledged { body: Bytes },
    /// An INFO, REFER, NOTIFY, MESSAGE or other request within the dialog: answer with `respond`. (OPTIONS the endpoint
    /// answers itself.)
    Request { transaction: ServerRef, request: Request },
    /// A response to `request_in_call`.
    Response { transaction: ClientRef, response: Response },
    /// No final response will come for `request_in_call`; where the dialog is lost by it, `Ended` follows.
    Failed { transaction: ClientRef, failure: Failure },
    /// An established call, or an incoming one that we did not reject, is over. Nothing follows.
    Ended { cause: EndCause },
}

/// Why an established call ended.
#[derive(Clone, Debug)]
pub enum EndCause {
    /// The peer sent BYE; 200 was sent.
    Bye(Request),
    /// Nobody refreshed the session in time (RFC 4028 10); BYE was sent.
    SessionExpired,
    /// Our 2xx was never acknowledged (RFC 3261 13.3.1.4); BYE was sent.
    NoAck,
    /// Our reliable provisional was never acknowledged (RFC 3262 3): the INVITE was rejected with 504.
    NoPrack,
    /// The peer answered a request within the dialog with 481 or 408, or not at all (RFC 3261 12.2.1.2).
    Lost,
    /// `hangup` was called.
    Local,
}

/// What happens to a subscription.
#[derive(Clone, Debug)]
pub enum SubscriptionEvent {
    /// Notifier: the peer refreshed it; 200 was sent. Tell the full state by `notify` at once (RFC 6665 4.2.1.2).
    Refreshed { expires: Duration },
    /// Subscriber: the notifier accepted (or renewed) it for this long. The endpoint refreshes it by itself.
    Accepted { expires: Duration },
    /// Subscriber: a NOTIFY came; 200 was sent.
    Notified { request: Request },
    /// It is over. Nothing follows.
    Ended { cause: SubscriptionEnd },
}

/// Why a subscription ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionEnd {
    /// Nobody refreshed it in time, or the peer unsubscribed.
    Expired,
    /// Notifier: a NOTIFY failed: the status (481, 408 for a timeout …).
    NotifyFailed(u16),
    /// Subscriber: the SUBSCRIBE was refused.
    Refused(u16),
    /// Subscriber: the notifier ended it: the reason parameter of Subscription-State, if any.
    Terminated(Option<String>),
    /// We ended it.
    Local,
}
