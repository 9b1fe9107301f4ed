//! One SIP entity without I/O: transactions, dialogs, calls, subscriptions and their timers behind one door.
//!
//! Give it what comes in ([`Endpoint::receive`] and its neighbours) and what its owner wants ([`Endpoint::invite`] …),
//! each with the time; after each, drain [`Endpoint::poll`]. Call [`Endpoint::handle_timeout`] at [`Endpoint::deadline`].

pub(crate) mod attempt;
mod config;
mod outgoing;
mod output;
pub(crate) mod pending;
mod probe;
mod receive;
mod request;
mod schedule;
mod subscription;

pub use config::{EndpointConfig, Limits};
pub use outgoing::{Body, Login, NextHop, OutgoingCall, OutgoingRequest, TargetPolicy};
pub use output::{
    CallEvent, CallRef, ClientRef, EndCause, Event, Failure, ForkRef, Output, Probed, ServerRef, Sign, SubscriptionEnd,
    SubscriptionEvent, SubscriptionRef,
};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::call::Call;
use crate::call::session_timer::{self, Wish};
use crate::flow::{Flow, ListenerId, Transport, TransportError};
use crate::message::chars::write_escaped;
use crate::message::{Headers, Malformed, Message, Method, Name, NameAddr, Response, Scheme, Uri, UriPart};
use crate::target::{Answer, Candidate, Greyed, QueryId, Selector};
use crate::transaction::{self, ClientId, ServerId, Transactions};
use crate::{Chance, Text};
use attempt::{Attempt, AttemptId, Later};
use pending::{Merged, Waiting};
use probe::Probe;
use schedule::{Schedule, Timed};
use subscription::Subscription;

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

/// What [`Endpoint::load`] tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests of ours that wait for an answer, or for its copies.
    pub client_transactions: usize,
    /// Requests of others; by UDP each stays for 32 s after its answer (RFC 3261 17.2.2, timer J).
    pub server_transactions: usize,
    pub dialogs: usize,
    pub subscriptions: usize,
    /// Messages sent once more since the start.
    pub retransmissions: u64,
}

impl Load {
    /// Of two entities together.
    pub fn and(self, other: Load) -> Load {
        Load {
            client_transactions: self.client_transactions + other.client_transactions,
            server_transactions: self.server_transactions + other.server_transactions,
            dialogs: self.dialogs + other.dialogs,
            subscriptions: self.subscriptions + other.subscriptions,
            retransmissions: self.retransmissions.wrapping_add(other.retransmissions),
        }
    }
}

/// Whose tag this is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TagOwner {
    Call(CallRef),
    Subscription(SubscriptionRef),
}

/// A SIP entity; see the module's head.
pub struct Endpoint {
    pub(crate) config: EndpointConfig,
    pub(crate) transactions: Transactions,
    pub(crate) selector: Selector,
    rng: Chance,
    pub(crate) out: VecDeque<Output>,
    pub(crate) later: VecDeque<Later>,
    pub(crate) schedule: Schedule,
    last_id: u64,
    pub(crate) calls: BTreeMap<CallRef, Box<Call>>,
    pub(crate) attempts: BTreeMap<AttemptId, Attempt>,
    pub(crate) subscriptions: BTreeMap<SubscriptionRef, Subscription>,
    probes: BTreeMap<ClientRef, Probe>,
    // Only looked up, never walked: their order can't show.
    pub(crate) clients: HashMap<ClientId, AttemptId>,
    pub(crate) queries: HashMap<QueryId, AttemptId>,
    /// Our tags: each is of one dialog, or of the early dialogs of one call.
    pub(crate) tags: HashMap<Text, TagOwner>,
    /// From tags of INVITEs whose 2xx may come late.
    pub(crate) late: HashMap<Text, AttemptId>,
    /// INVITEs of the peers that have no final response.
    pub(crate) invites: HashMap<ServerId, CallRef>,
    pub(crate) pending: Waiting,
    pub(crate) merged: Merged,
    /// When old entries of these two are forgotten.
    pub(crate) sweep_at: Option<Instant>,
    /// How many unanswered calls each address has.
    pub(crate) sources: HashMap<IpAddr, usize>,
    pub(crate) exempt: BTreeSet<IpAddr>,
    urgent: BTreeSet<String>,
    /// The value of Allow.
    pub(crate) allow: Text,
    supported_all: Text,
    supported_plain: Text,
}

impl Endpoint {
    /// All randomness (tags, branches, Call-IDs, glare timers) comes from `seed`.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Endpoint {
        Endpoint::with_chance(config, Chance::new(seed))
    }

    /// The same with dice that may be watched.
    pub fn with_chance(config: EndpointConfig, mut rng: Chance) -> Endpoint {
        let mut layer = transaction::Config::new(config.listeners.clone());
        layer.timers = config.timers;
        layer.sent_by = config.sent_by.clone();
        layer.limits = config.transactions;
        let mut allow: Vec<&str> = vec!["INVITE", "ACK", "CANCEL", "BYE", "PRACK", "UPDATE"];
        allow.extend(config.allow.iter().map(Method::as_str));
        let mut seen = BTreeSet::new();
        allow.retain(|method| seen.insert(*method) && (*method != "INVITE" || config.allow.contains(&Method::Invite)));
        let tags = |first: &[&str]| {
            let own = config.supported.iter().map(|tag| tag.as_str());
            Text::from(first.iter().copied().chain(own).collect::<Vec<_>>().join(", "))
        };
        Endpoint {
            transactions: Transactions::with_chance(layer, rng.child()),
            selector: Selector::with_chance(config.listeners.clone(), rng.child()),
            rng,
            out: VecDeque::new(),
            later: VecDeque::new(),
            schedule: Schedule::default(),
            last_id: 0,
            calls: BTreeMap::new(),
            attempts: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            probes: BTreeMap::new(),
            clients: HashMap::new(),
            queries: HashMap::new(),
            tags: HashMap::new(),
            late: HashMap::new(),
            invites: HashMap::new(),
            pending: Waiting::default(),
            merged: Merged::default(),
            sweep_at: None,
            sources: HashMap::new(),
            exempt: BTreeSet::new(),
            urgent: BTreeSet::new(),
            allow: Text::from(allow.join(", ")),
            supported_all: tags(&["100rel", "timer"]),
            supported_plain: tags(&["timer"]),
            config,
        }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    /// Source addresses that the caps per source do not count: configured gateways. Replaces the former set.
    pub fn exempt(&mut self, sources: impl IntoIterator<Item = IpAddr>) {
        self.exempt = sources.into_iter().collect();
        self.transactions.exempt(self.exempt.iter().copied());
    }

    /// Calls to an urgent number are taken when there are too many others: it is an emergency number. A request may also name
    /// such a number by `urn:service:sos` (RFC 5031), as long as there is any.
    pub fn urgent(&mut self, number: &str, urgent: bool) {
        if urgent {
            self.urgent.insert(number.to_owned());
        } else {
            self.urgent.remove(number);
        }
    }

    /// Whether a call to this URI may go beyond the caps.
    pub(crate) fn is_urgent(&self, uri: &Uri) -> bool {
        if self.urgent.is_empty() {
            return false;
        }
        match &uri.scheme {
            Scheme::Other(scheme) => {
                let service = uri.user.as_deref().unwrap_or_default();
                let sos = service.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("service:sos"));
                sos && scheme.eq_ignore_ascii_case("urn")
            }
            _ => uri.number().is_some_and(|number| self.urgent.contains(&number)),
        }
    }

    // ---- inputs ----

    /// A message, or what could not be read as one, came in on `flow`.
    pub fn receive(&mut self, message: Result<Message, Malformed>, flow: Flow, now: Instant) {
        if let Err(malformed) = &message {
            let reason = malformed.to_string();
            self.out.push_back(Output::Event(Event::Malformed { flow: flow.clone(), reason }));
        }
        self.transactions.receive(message, flow, now);
        self.pump(now);
    }

    /// The [`Transmit`](crate::flow::Transmit) with this id failed.
    pub fn transmit_failed(&mut self, id: u64, error: TransportError, now: Instant) {
        self.transactions.transmit_failed(id, error, now);
        self.pump(now);
    }

    /// This connection is gone. Calls go on: they reach their peer by a new one.
    pub fn flow_closed(&mut self, flow: &Flow, now: Instant) {
        self.transactions.flow_closed(flow, now);
        self.attempts_lost(flow, now);
        self.pump(now);
    }

    /// DNS answered.
    pub fn resolved(&mut self, query: QueryId, answer: Answer, now: Instant) {
        self.attempt_resolved(query, answer, now);
        self.pump(now);
    }

    /// Fires everything that is due; early calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.handle_one_timeout(now) {}
    }

    /// Fires one thing that is due; false when nothing is. For owners who want to know what each of them leads to.
    pub fn handle_one_timeout(&mut self, now: Instant) -> bool {
        self.fire_one(now)
    }

    // ---- outputs ----

    /// The next thing to do or to know; `None` when drained.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Endpoint::handle_timeout`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        [self.schedule.next(), self.transactions.deadline(), self.sweep_at].into_iter().flatten().min()
    }

    /// What was put on the grey list since the last call, oldest first.
    pub fn take_greyed(&mut self) -> Option<Greyed> {
        self.selector.take_greyed()
    }

    /// What has left the grey list since the last call because it answered, oldest first.
    pub fn take_recovered(&mut self) -> Option<Candidate> {
        self.selector.take_recovered()
    }

    /// Until when calls pass over this target; `None`: they don't.
    pub fn grey_until(&self, target: &Candidate, now: Instant) -> Option<Instant> {
        self.selector.grey_list().until(target, now)
    }

    /// Calls pass over this target for so long: it led them nowhere.
    pub fn distrust(&mut self, target: Candidate, for_: Duration, now: Instant) {
        self.selector.distrust(target, for_, now);
    }

    // ---- calls ----

    /// Calls somebody. All that follows comes as [`Event::Call`]; also failures at once (from the next `poll` on).
    pub fn invite(&mut self, call: OutgoingCall, now: Instant) -> Result<CallRef, CommandError> {
        let made = self.start_call(call, now);
        self.pump(now);
        made
    }

    /// Sends a provisional response (101 to 199): reliably where the peer requires 100rel, or supports it and there is a body.
    /// `headers` may carry anything but the dialog's own headers, as in all commands below.
    pub fn progress(
        &mut self,
        call: CallRef,
        status: u16,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.progress_call(call, status, headers, body, true, now);
        self.pump(now);
        done
    }

    /// A provisional response whose media may yet change, since the call may go to somebody else: `body` goes unreliably, as a
    /// preview (RFC 3261 13.2.1), so that another answer may follow in the 2xx; it is left out for a peer that requires 100rel.
    pub fn preview(
        &mut self,
        call: CallRef,
        status: u16,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.progress_call(call, status, headers, body, false, now);
        self.pump(now);
        done
    }

    /// Answers 200. `body` is the answer, or the offer when the INVITE had none; it is left out when it went in a
    /// reliable provisional response before. Held back while such a response waits for its PRACK (RFC 3262 3).
    pub fn accept(
        &mut self,
        call: CallRef,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.accept_call(call, headers, body, now);
        self.pump(now);
        done
    }

    /// Refuses an incoming call (300 to 699; a redirection has its Contact in `headers`). The call is over; no event follows.
    pub fn reject(&mut self, call: CallRef, status: u16, headers: &Headers, now: Instant) -> Result<(), CommandError> {
        let done = self.reject_call(call, status, headers, now);
        self.pump(now);
        done
    }

    /// Ends the call whatever its state: CANCEL, BYE, or 480 to an incoming one that is not answered. `Ended` (or `Rejected` with
    /// the 487 of a cancelled call) tells when it is over.
    pub fn hangup(&mut self, call: CallRef, headers: &Headers, now: Instant) -> Result<(), CommandError> {
        let done = self.hang_up(call, headers, now);
        self.pump(now);
        done
    }

    /// Offers a change of media: re-INVITE, or UPDATE while the call is early. `None` asks the peer for an offer by a re-INVITE without
    /// SDP: then `acknowledge` after `Answer`. Waits by itself for the ACK of our 2xx, and after glare.
    pub fn offer(
        &mut self,
        call: CallRef,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.offer_in_call(call, headers, body, now);
        self.pump(now);
        done
    }

    /// Answers the peer's [`CallEvent::Offer`] (200 to 699).
    pub fn answer_offer(
        &mut self,
        call: CallRef,
        status: u16,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.answer_their_offer(call, status, headers, body, now);
        self.pump(now);
        done
    }

    /// Answers an offer that came in a 2xx (sends the ACK) or in a reliable provisional response (sends the PRACK).
    pub fn acknowledge(&mut self, call: CallRef, body: Option<Body>, now: Instant) -> Result<(), CommandError> {
        let done = self.acknowledge_call(call, body, now);
        self.pump(now);
        done
    }

    /// Sends a request within the call's dialog: INFO, REFER, NOTIFY, MESSAGE, OPTIONS.
    pub fn request_in_call(
        &mut self,
        call: CallRef,
        method: Method,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<ClientRef, CommandError> {
        let done = self.send_in_call(call, method, headers, body, now);
        self.pump(now);
        done
    }

    /// What is known of a call; `None` when it is over.
    pub fn call_info(&self, call: CallRef) -> Option<CallInfo> {
        self.calls.get(&call).map(|call| call.info())
    }

    /// The call with this dialog; the tags as we see them. A Replaces header's `to-tag` is our local tag, its `from-tag` the remote one.
    pub fn find_call(&self, call_id: &str, local_tag: &str, remote_tag: &str) -> Option<CallRef> {
        let Some(&TagOwner::Call(id)) = self.tags.get(local_tag) else { return None };
        let call = self.calls.get(&id)?;
        let dialogs = call.dialog.iter().chain(call.caller.forks.iter().map(|fork| &fork.dialog));
        dialogs.into_iter().any(|dialog| dialog.is(call_id, remote_tag)).then_some(id)
    }

    /// Calls that are not over.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// How much there is to do, and how much had to be sent again: for whoever watches.
    pub fn load(&self) -> Load {
        let (client_transactions, server_transactions) = self.transactions.counts();
        Load {
            client_transactions,
            server_transactions,
            dialogs: self.calls.len(),
            subscriptions: self.subscriptions.len(),
            retransmissions: self.transactions.repeated(),
        }
    }

    /// Whether nothing is left of any call, request or subscription: all maps are empty.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.attempts.is_empty()
            && self.subscriptions.is_empty()
            && self.probes.is_empty()
            && self.clients.is_empty()
            && self.queries.is_empty()
            && self.tags.is_empty()
            && self.late.is_empty()
            && self.invites.is_empty()
            && self.pending.is_empty()
            && self.merged.is_empty()
            && self.sources.is_empty()
            && self.schedule.is_empty()
            && self.transactions.is_empty()
    }

    /// What is left of calls, requests and subscriptions, as counts: for logs, and for tests that find something.
    pub fn remains(&self) -> String {
        format!(
            "{} calls, {} attempts, {} subscriptions, {} clients, {} queries, {} tags, {} late, {} invites, {} pending, \
             {} sources, {} transactions",
            self.calls.len(),
            self.attempts.len(),
            self.subscriptions.len(),
            self.clients.len(),
            self.queries.len(),
            self.tags.len(),
            self.late.len(),
            self.invites.len(),
            usize::from(!self.pending.is_empty()),
            self.sources.len(),
            self.transactions.len(),
        )
    }

    // ---- requests ----

    /// Sends a request outside every dialog.
    pub fn request(&mut self, request: OutgoingRequest, now: Instant) -> Result<ClientRef, CommandError> {
        let made = self.start_request(request, now);
        self.pump(now);
        made
    }

    /// Asks each target of a request by itself, every address behind its name, and keeps the grey list by what they say: those that
    /// are silent, can't be reached or answer 503 are on it for `policy.grey_for` (503: for its Retry-After). Comes back
    /// as [`Event::Probed`] when all have answered or were waited for.
    pub fn probe(&mut self, request: OutgoingRequest, now: Instant) -> Result<ClientRef, CommandError> {
        let made = self.start_probe(request, now);
        self.pump(now);
        made
    }

    /// Answers a request of the peer's; start from [`Request::response`](crate::message::Request::response). To tag and
    /// Server are added, and to the 200 of an OPTIONS Allow, Supported and Accept.
    pub fn respond(&mut self, transaction: ServerRef, response: Response, now: Instant) -> Result<(), CommandError> {
        let done = self.respond_to(transaction, response, now);
        self.pump(now);
        done
    }

    // ---- subscriptions (RFC 6665) ----

    /// Notifier: accepts a SUBSCRIBE that came as [`Event::Request`]: answers 200 with `expires`, makes the dialog. Then call
    /// `notify` with the full state. `expires` zero is a single look: the first `notify` ends it.
    pub fn accept_subscription(
        &mut self,
        transaction: ServerRef,
        expires: Duration,
        headers: &Headers,
        now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        let made = self.accept_subscribe(transaction, expires, headers, now);
        self.pump(now);
        made
    }

    /// Notifier: sends the state. While an earlier NOTIFY waits for its answer, only the newest state is kept and sent then.
    pub fn notify(
        &mut self,
        subscription: SubscriptionRef,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.send_notify(subscription, body, now);
        self.pump(now);
        done
    }

    /// Subscriber: sends SUBSCRIBE (`request.method` is ignored; `headers` has Event) and keeps it refreshed.
    pub fn subscribe(
        &mut self,
        request: OutgoingRequest,
        expires: Duration,
        now: Instant,
    ) -> Result<SubscriptionRef, CommandError> {
        let made = self.start_subscription(request, expires, now);
        self.pump(now);
        made
    }

    /// Ends a subscription: a notifier sends the last NOTIFY (`terminated`, with this reason: `noresource`, `deactivated` …), a
    /// subscriber SUBSCRIBE with Expires 0.
    pub fn end_subscription(
        &mut self,
        subscription: SubscriptionRef,
        reason: &str,
        now: Instant,
    ) -> Result<(), CommandError> {
        let done = self.stop_subscription(subscription, reason, now);
        self.pump(now);
        done
    }

    // ---- what the parts share ----

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.last_id = self.rng.next_after(self.last_id);
        self.last_id
    }

    /// A tag, Call-ID or cnonce: 96 random bits (RFC 3261 19.3 wants at least 32).
    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}{:08x}", self.rng.random::<u64>(), self.rng.random::<u32>())
    }

    /// The first CSeq or RSeq of a series, far below 2^31 (RFC 3261 8.1.1.5, RFC 3262 3).
    pub(crate) fn first_seq(&mut self) -> u32 {
        self.rng.random_range(1..=0xffff)
    }

    pub(crate) fn random_between(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..=high)
    }

    pub(crate) fn has_listener(&self, id: ListenerId) -> bool {
        self.config.listeners.iter().any(|listener| listener.id == id)
    }

    pub(crate) fn timer_wish(&self) -> Wish {
        Wish { interval: self.config.session_expires, least: self.config.min_session_expires.max(session_timer::LEAST) }
    }

    /// The value of Supported.
    pub(crate) fn supported(&self, reliable: bool) -> Text {
        if reliable { self.supported_all.clone() } else { self.supported_plain.clone() }
    }

    /// User-Agent.
    pub(crate) fn sign(&self, headers: &mut Headers) {
        headers.push(Name::UserAgent, self.config.user_agent.clone());
    }

    /// Our Contact on a listener; `user` escaped as it came. `secure`: the request's URI is a sips URI, so that ours must be one,
    /// too (RFC 3261 8.1.1.8, 12.1.1).
    pub(crate) fn contact(&self, listener: ListenerId, transport: Transport, user: &str, secure: bool) -> Text {
        let own = |listener: &&crate::flow::Listener| listener.transport == transport;
        let on = || self.config.listeners.iter().filter(|entry| entry.id == listener);
        let Some(entry) = on().find(own).or_else(|| on().next()).or_else(|| self.config.listeners.first()) else {
            return Text::default();
        };
        let mut value = String::with_capacity(64);
        value.push_str(if secure { "<sips:" } else { "<sip:" });
        if !user.is_empty() {
            // What may stand in a user part stays; nothing can end the URI early. Writing to a String can't fail.
            let _ = write_escaped(&mut value, user, UriPart::User, true);
            value.push('@');
        }
        let _ = match &self.config.sent_by {
            Some(host) => write!(value, "{host}:{}", entry.addr.port()),
            None => write!(value, "{}", entry.addr),
        };
        if transport != Transport::Udp {
            value.push_str(";transport=");
            value.push_str(transport.parameter());
        }
        value.push('>');
        Text::from(value)
    }

    /// Does something to a call, then moves its deadline, or forgets it when it is over.
    pub(crate) fn with_call(&mut self, id: CallRef, now: Instant, act: impl FnOnce(&mut Endpoint, &mut Call)) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        act(self, &mut call);
        self.put_back(id, call, now);
    }

    /// The same for a command of the owner's.
    pub(crate) fn command_call<T>(
        &mut self,
        id: CallRef,
        now: Instant,
        act: impl FnOnce(&mut Endpoint, &mut Call) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mut call = self.calls.remove(&id).ok_or(CommandError::Unknown)?;
        let done = act(self, &mut call);
        self.put_back(id, call, now);
        done
    }

    fn put_back(&mut self, id: CallRef, mut call: Box<Call>, now: Instant) {
        let mut slot = call.scheduled;
        if !call.over {
            let deadline = call.deadline();
            self.schedule.set(Timed::Call(id), &mut slot, deadline);
            call.scheduled = slot;
            self.calls.insert(id, call);
            return;
        }
        self.schedule.set(Timed::Call(id), &mut slot, None);
        self.tags.remove(&call.local_tag);
        self.uncount(&mut call);
        self.refuse_pending(&mut call, now);
        if let Some(success) = &call.success {
            self.invites.remove(&success.server);
        }
        if let Some(callee) = &call.callee {
            self.invites.remove(&callee.server);
        }
    }
}
