//! A request of ours on its way: over its targets (RFC 3263 4.3), through a challenge (RFC 3261 22), to its final response.

use std::time::{Duration, Instant};

use super::outgoing::{Login, NextHop, TargetPolicy};
use super::schedule::Timed;
use super::{CallRef, ClientRef, Endpoint, Failure, ForkRef, Output, SubscriptionRef};
use crate::Text;
use crate::dialog::{Dialog, Reach};
use crate::digest::Challenge;
use crate::flow::{Destination, Flow, ListenerId, PeerNames};
use crate::message::header::RetryAfter;
use crate::message::{CSeq, Headers, Method, Name, Request, Response, Uri};
use crate::target::{Candidate, Heard, Policy, Selection, Step, Target, Trouble};
use crate::transaction::{self, ClientId};

/// One request, over all its tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AttemptId(pub u64);

/// Who hears of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Nobody,
    Request(ClientRef),
    /// The INVITE that makes a call.
    Invite(CallRef),
    InCall(CallRef, Purpose),
    /// SUBSCRIBE or NOTIFY of a subscription.
    Subscription(SubscriptionRef),
    /// Looks for the targets of a probe; is not sent itself.
    Probe(ClientRef),
    /// Asks one of them.
    Probed(ClientRef, Candidate),
}

/// What a request within a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An offer of the owner's, by re-INVITE or UPDATE.
    Offer,
    /// A refresh of the session timer.
    Refresh,
    Prack(ForkRef),
    /// The owner's own.
    Request(ClientRef),
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Way {
    /// By this flow; when it is gone, to the hop.
    Flow(Flow, Option<Hop>),
    Hop(Hop),
}

/// A next hop by its URI, and the name that its certificate may have beside the URI's host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hop {
    pub uri: Uri,
    pub peer_name: Option<Text>,
}

impl Way {
    pub fn of(dialog: &Dialog) -> Way {
        let hop = |uri: &Uri| Hop { uri: uri.clone(), peer_name: dialog.peer_name.clone() };
        match dialog.reach() {
            Reach::Flow(flow, uri) => Way::Flow(flow.clone(), Some(hop(uri))),
            Reach::Uri(uri) => Way::Hop(hop(uri)),
        }
    }

    pub fn of_next_hop(next_hop: Option<NextHop>, request: &Request, peer_name: Option<Text>) -> Way {
        match next_hop {
            Some(NextHop::Flow(flow)) => {
                // A phone's connection may be just gone; one that is where its contact says is reached by another.
                let there = flow.connection.is_some() && request.uri.host.ip() == Some(flow.remote.ip());
                let instead = there.then(|| Hop { uri: request.uri.clone(), peer_name });
                Way::Flow(flow, instead)
            }
            Some(NextHop::Uri(uri)) => Way::Hop(Hop { uri, peer_name }),
            None => {
                let route = request.headers.sound::<crate::message::header::Route>();
                let uri = route.map_or_else(|| request.uri.clone(), |route| route.0.uri);
                Way::Hop(Hop { uri, peer_name })
            }
        }
    }
}

/// What an attempt begins with.
pub(crate) struct Start {
    pub owner: Owner,
    /// Without Via.
    pub request: Request,
    pub way: Way,
    pub listener: ListenerId,
    pub policy: TargetPolicy,
    pub login: Option<Login>,
    /// Put a Contact with this user in, fitting the transport that is chosen.
    pub contact_user: Option<Text>,
    /// Targets that are not tried.
    pub avoid: Vec<Candidate>,
}

/// An ACK that we sent, to be sent again when its 2xx comes again.
#[derive(Clone, Debug)]
pub(crate) struct SentAck {
    tag: Text,
    request: Request,
    way: Way,
}

pub(crate) struct Attempt {
    pub owner: Owner,
    pub request: Request,
    listener: ListenerId,
    policy: TargetPolicy,
    login: Option<Login>,
    contact_user: Option<Text>,
    avoid: Vec<Candidate>,
    fallback: Option<Hop>,
    /// Who may answer by TLS where the selection leads.
    names: PeerNames,
    selection: Option<Selection>,
    current: Option<ClientId>,
    destination: Option<Destination>,
    /// The nonce that we answered last.
    nonce: Option<Text>,
    logins: u8,
    cancel: Option<Headers>,
    /// A try was given up unheard: its 2xx may still come.
    abandoned: bool,
    acks: Vec<SentAck>,
    /// A 503 that moved us on, for the report when nothing is left.
    unavailable: Option<Box<(Response, Flow)>>,
    /// Finished; kept for late 2xx until then.
    forget_at: Option<Instant>,
    scheduled: Option<Instant>,
}

/// How many challenges one request answers: a fresh one, a stale one, and one of a proxy on the way.
const MAX_LOGINS: u8 = 3;
/// How many forks' ACKs are kept of one INVITE.
const MAX_ACKS: usize = 16;

impl Attempt {
    /// The targets that were found, and the name that led to them, for one who asks each by itself; the attempt has served its purpose then.
    pub fn found_targets(&mut self, now: Instant) -> (Vec<Candidate>, Option<Text>) {
        self.forget_at = Some(now);
        let targets = self.selection.take().map(|selection| selection.candidates()).unwrap_or_default();
        (targets, self.names.iter().next().map(Text::from))
    }

    fn deadline(&self) -> Option<Instant> {
        self.forget_at.or_else(|| self.selection.as_ref()?.deadline())
    }
}

/// What is left to do after the transaction layer was served: reports that must not interrupt the one at work.
pub(crate) enum Later {
    Failed(AttemptId, Failure),
}

impl Endpoint {
    /// Sends a request on its way. The outcome comes to the owner, never before this returns.
    pub(crate) fn start(&mut self, start: Start, now: Instant) -> AttemptId {
        let id = AttemptId(self.fresh_id());
        let Start { owner, request, way, listener, policy, login, contact_user, avoid } = start;
        let mut attempt = Attempt {
            owner,
            request,
            listener,
            policy,
            login,
            contact_user,
            avoid,
            fallback: None,
            names: PeerNames::default(),
            selection: None,
            current: None,
            destination: None,
            nonce: None,
            logins: 0,
            cancel: None,
            abandoned: false,
            acks: Vec::new(),
            unavailable: None,
            forget_at: None,
            scheduled: None,
        };
        match way {
            Way::Flow(flow, fallback) => {
                attempt.fallback = fallback;
                self.send(id, &mut attempt, Destination::Flow(flow), now);
            }
            Way::Hop(hop) => self.select(id, &mut attempt, &hop, now),
        }
        self.keep(id, attempt);
        id
    }

    /// Puts an attempt (back) among the others.
    fn keep(&mut self, id: AttemptId, mut attempt: Attempt) {
        let deadline = attempt.deadline();
        self.schedule.set(Timed::Attempt(id), &mut attempt.scheduled, deadline);
        self.attempts.insert(id, attempt);
    }

    fn select(&mut self, id: AttemptId, attempt: &mut Attempt, hop: &Hop, now: Instant) {
        let policy = Policy {
            per_try: attempt.policy.per_try,
            last_try: attempt.policy.last_try,
            progress: attempt.policy.progress.filter(|_| attempt.request.method == Method::Invite),
            grey_list: attempt.policy.grey_list,
            grey_for: attempt.policy.grey_for,
        };
        let (target, avoid) = (Target::of_uri(&hop.uri), std::mem::take(&mut attempt.avoid));
        attempt.names = PeerNames::of(&target.host, hop.peer_name.as_ref());
        let (selection, step) = self.selector.start_avoiding(&target, attempt.listener, policy, avoid, now);
        attempt.selection = Some(selection);
        self.step(id, attempt, step, Failure::NoTarget, now);
    }

    /// Does what the selection wants next; `exhausted` is the failure when it wants nothing more.
    fn step(&mut self, id: AttemptId, attempt: &mut Attempt, step: Step, exhausted: Failure, now: Instant) {
        match step {
            Step::Resolve(queries) => {
                for (query, question) in queries {
                    self.queries.insert(query, id);
                    self.out.push_back(Output::Resolve(query, question));
                }
            }
            Step::Try(_) if matches!(attempt.owner, Owner::Probe(_)) => self.probe_each(attempt, now),
            Step::Try(candidate) => {
                let destination = candidate.destination(attempt.listener, &attempt.names);
                self.send(id, attempt, destination, now);
            }
            Step::Wait => {}
            Step::Exhausted => self.later.push_back(Later::Failed(id, exhausted)),
        }
    }

    fn send(&mut self, id: AttemptId, attempt: &mut Attempt, to: Destination, now: Instant) {
        if let Some(user) = &attempt.contact_user {
            let contact = self.contact(attempt.listener, to.transport(), user, attempt.request.uri.is_sips());
            attempt.request.headers.set(Name::Contact, contact);
        }
        if attempt.request.method == Method::Ack {
            // An ACK of a 2xx is no transaction (RFC 3261 13.2.2.4, 17.1): once out, it is done with.
            self.transactions.send_ack(attempt.request.clone(), to);
            attempt.selection = None;
            attempt.forget_at = Some(now);
            return;
        }
        let client = self.transactions.request(attempt.request.clone(), to.clone(), now);
        self.clients.insert(client, id);
        attempt.current = Some(client);
        attempt.destination = Some(to);
    }

    /// The DNS answered.
    pub(crate) fn attempt_resolved(
        &mut self,
        query: crate::target::QueryId,
        answer: crate::target::Answer,
        now: Instant,
    ) {
        let Some(id) = self.queries.remove(&query) else { return };
        let Some(mut attempt) = self.attempts.remove(&id) else { return };
        if let Some(mut selection) = attempt.selection.take() {
            let step = selection.answered(&mut self.selector, query, answer, now);
            attempt.selection = Some(selection);
            self.step(id, &mut attempt, step, Failure::NoTarget, now);
        }
        self.keep(id, attempt);
    }

    /// An attempt's deadline has come.
    pub(crate) fn attempt_timeout(&mut self, id: AttemptId, now: Instant) {
        let Some(mut attempt) = self.attempts.remove(&id) else { return };
        attempt.scheduled = None;
        if attempt.forget_at.is_some_and(|at| at <= now) {
            self.forget_attempt(&attempt);
            return;
        }
        if let Some(mut selection) = attempt.selection.take() {
            let silent = selection.current();
            let step = selection.timeout(&mut self.selector, now);
            attempt.selection = Some(selection);
            if !matches!(step, Step::Wait) {
                self.abandon(&mut attempt, now);
                if let Some(silent) = silent {
                    self.distrust_connection(attempt.listener, silent);
                }
            }
            // Until a target was tried it was the DNS that was silent.
            let failure = if attempt.destination.is_some() { Failure::Timeout } else { Failure::NoTarget };
            self.step(id, &mut attempt, step, failure, now);
        }
        self.keep(id, attempt);
    }

    fn abandon(&mut self, attempt: &mut Attempt, now: Instant) {
        if let Some(client) = attempt.current.take() {
            self.transactions.abandon(client, now);
            self.clients.remove(&client);
            attempt.abandoned |= attempt.request.method == Method::Invite;
        }
    }

    /// A host whose cable was pulled leaves connections behind that look alive for minutes, and stay slow after it is back.
    fn distrust_connection(&mut self, listener: ListenerId, silent: Candidate) {
        if silent.transport.is_reliable() {
            self.out.push_back(Output::Distrust(listener, silent));
        }
    }

    /// A connection is gone: an INVITE that went by it, and was answered with no more than 100, is not waited for where the
    /// policy bounds that wait anyway.
    pub(crate) fn attempts_lost(&mut self, flow: &Flow, now: Instant) {
        let lost = |attempt: &Attempt| {
            let there = attempt.destination.as_ref().is_some_and(|to| {
                to.transport() == flow.transport && to.listener() == flow.listener && to.remote() == flow.remote
            });
            there && attempt.current.is_some() && attempt.selection.as_ref().is_some_and(Selection::only_trying)
        };
        let ids: Vec<AttemptId> =
            self.attempts.iter().filter(|(_, attempt)| lost(attempt)).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(mut attempt) = self.attempts.remove(&id) else { continue };
            self.abandon(&mut attempt, now);
            if let Some(mut selection) = attempt.selection.take().filter(|_| attempt.cancel.is_none()) {
                let step = selection.failed(&mut self.selector, Trouble::Transport, now);
                attempt.selection = Some(selection);
                self.step(id, &mut attempt, step, Failure::Transport, now);
            }
            self.keep(id, attempt);
        }
    }

    fn forget_attempt(&mut self, attempt: &Attempt) {
        if let Some(client) = attempt.current {
            self.clients.remove(&client);
        }
        if attempt.request.method == Method::Invite
            && matches!(attempt.owner, Owner::Invite(_))
            && let Some(tag) = attempt.request.from_tag()
        {
            self.late.remove(&tag);
        }
    }

    /// Stops an INVITE: CANCEL when it is on its way (RFC 3261 9.1), or else as if it had been answered 487.
    pub(crate) fn cancel_attempt(&mut self, id: AttemptId, extra: Headers, now: Instant) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if attempt.cancel.is_some() {
            return;
        }
        attempt.cancel = Some(extra.clone());
        match attempt.current {
            Some(client) => {
                // Nobody else is asked any more, however long this target is silent.
                attempt.selection = None;
                self.transactions.cancel(client, extra, now);
            }
            None => self.later.push_back(Later::Failed(id, Failure::NoTarget)),
        }
    }

    /// A response to one of our requests.
    pub(crate) fn on_response(&mut self, client: ClientId, response: Response, flow: Flow, now: Instant) {
        let Some(&id) = self.clients.get(&client) else { return };
        let Some(mut attempt) = self.attempts.remove(&id) else { return };
        if attempt.current != Some(client) {
            return self.keep(id, attempt);
        }
        if let Some(selection) = &mut attempt.selection {
            let heard = if response.status == 100 { Heard::Trying } else { Heard::Progress };
            selection.heard(&mut self.selector, heard, now);
        }
        if response.is_provisional() {
            let owner = attempt.owner;
            self.keep(id, attempt);
            return self.owner_provisional(owner, id, response, flow, now);
        }
        if attempt.request.method == Method::Invite && response.is_success() {
            return self.on_invite_2xx(id, attempt, response, flow, now);
        }
        self.clients.remove(&client);
        attempt.current = None;
        if matches!(response.status, 401 | 407)
            && attempt.cancel.is_none()
            && self.log_in(id, &mut attempt, &response, now)
        {
            return self.keep(id, attempt);
        }
        if response.status == 422
            && let (Owner::Invite(call), Some(to)) = (attempt.owner, attempt.destination.clone())
            && self.larger_interval(call, &response, &mut attempt.request, now)
        {
            self.send_again(id, &mut attempt, to, now);
            return self.keep(id, attempt);
        }
        if response.status == 503 && attempt.cancel.is_none() {
            // RFC 3261 16.7, RFC 3263 4.3: 503 is the target's own trouble; the next may do better.
            let retry_after = response.headers.sound::<RetryAfter>().map(|after| Duration::from_secs(after.0.into()));
            if let Some(mut selection) = attempt.selection.take() {
                let step = selection.failed(&mut self.selector, Trouble::Unavailable { retry_after }, now);
                attempt.selection = Some(selection);
                attempt.unavailable = Some(Box::new((response, flow)));
                self.step(id, &mut attempt, step, Failure::Unavailable, now);
                return self.keep(id, attempt);
            }
        }
        self.finish(id, attempt, Outcome::Answered(response, flow), now);
    }

    /// A 2xx to an INVITE, the first or again, of this fork or another (RFC 3261 13.2.2.4).
    fn on_invite_2xx(&mut self, id: AttemptId, mut attempt: Attempt, response: Response, flow: Flow, now: Instant) {
        let tag = response.to_tag().unwrap_or_default();
        let again = attempt.acks.iter().find(|ack| ack.tag == tag).cloned();
        let linger = self.config.timers.limit();
        attempt.forget_at.get_or_insert(now + linger);
        attempt.selection = None;
        let (owner, listener) = (attempt.owner, attempt.listener);
        self.keep(id, attempt);
        match again {
            Some(ack) => self.resend_ack(ack, listener, now),
            None => self.owner_success(owner, id, response, flow, now),
        }
    }

    fn resend_ack(&mut self, ack: SentAck, listener: ListenerId, now: Instant) {
        self.start_quietly(ack.request, ack.way, listener, None, now);
    }

    fn start_quietly(&mut self, request: Request, way: Way, listener: ListenerId, login: Option<Login>, now: Instant) {
        let policy = TargetPolicy::default();
        let (owner, avoid) = (Owner::Nobody, Vec::new());
        self.start(Start { owner, request, way, listener, policy, login, contact_user: None, avoid }, now);
    }

    /// Sends the ACK of a 2xx in its dialog, and keeps it for repeated 2xx.
    pub(crate) fn acknowledge_2xx(
        &mut self,
        invite: AttemptId,
        dialog: &Dialog,
        seq: u32,
        body: Option<super::Body>,
        now: Instant,
    ) {
        let mut request = dialog.request_with(Method::Ack, seq);
        self.sign(&mut request.headers);
        let mut listener = dialog.flow.listener;
        let way = Way::of(dialog);
        if let Some(attempt) = self.attempts.get_mut(&invite) {
            listener = attempt.listener;
            // 13.2.2.4: the ACK carries the credentials of its INVITE.
            for name in [Name::Authorization, Name::ProxyAuthorization] {
                for value in attempt.request.headers.lines(&name) {
                    request.headers.push(name.clone(), value.clone());
                }
            }
            if let Some(body) = body {
                request.set_body(body.content_type, body.bytes);
            }
            if attempt.acks.len() < MAX_ACKS {
                let tag = dialog.remote_tag.clone();
                attempt.acks.push(SentAck { tag, request: request.clone(), way: way.clone() });
            }
        }
        self.start_quietly(request, way, listener, None, now);
    }

    /// The ACK of a re-INVITE's 2xx when its call is over already.
    pub(crate) fn acknowledge_ended(&mut self, invite: AttemptId, response: &Response, flow: Flow, now: Instant) {
        let Some(attempt) = self.attempts.get_mut(&invite) else { return };
        let sent = &attempt.request;
        let Some(cseq) = sent.cseq() else { return };
        let mut request = Request::new(Method::Ack, sent.uri.clone());
        for (name, value) in sent.headers.iter() {
            if matches!(name, Name::Route | Name::MaxForwards | Name::From | Name::To | Name::CallId) {
                request.headers.push(name.clone(), value.clone());
            }
        }
        request.headers.push_typed(&CSeq { seq: cseq.seq, method: Method::Ack });
        let (listener, way) = (attempt.listener, Way::Flow(flow, Some(Hop { uri: sent.uri.clone(), peer_name: None })));
        let tag = response.to_tag().unwrap_or_default();
        attempt.acks.push(SentAck { tag, request: request.clone(), way: way.clone() });
        self.start_quietly(request, way, listener, None, now);
    }

    /// Ends a dialog that nobody wants: a further fork's 2xx, one that crossed our CANCEL, one of an abandoned try
    /// (RFC 3261 13.2.2.4: ACK, then BYE).
    pub(crate) fn end_unwanted(&mut self, invite: AttemptId, response: &Response, flow: &Flow, now: Instant) {
        let Some(attempt) = self.attempts.get(&invite) else { return };
        let login = attempt.login.clone();
        let (user, listener) = (attempt.contact_user.clone().unwrap_or_default(), attempt.listener);
        let contact = self.contact(listener, flow.transport, &user, attempt.request.uri.is_sips());
        let Some(attempt) = self.attempts.get(&invite) else { return };
        let tag = response.to_tag().unwrap_or_default();
        if let Some(ack) = attempt.acks.iter().find(|ack| ack.tag == tag).cloned() {
            return self.resend_ack(ack, listener, now);
        }
        if attempt.acks.len() >= MAX_ACKS {
            return;
        }
        let pinned = matches!(attempt.destination, Some(Destination::Flow(_)));
        let Some(mut dialog) = Dialog::client(&attempt.request, response, flow, contact, pinned) else { return };
        let seq = response.cseq().map_or(dialog.local_seq, |cseq| cseq.seq);
        self.acknowledge_2xx(invite, &dialog, seq, None, now);
        let mut bye = dialog.request(Method::Bye);
        self.sign(&mut bye.headers);
        self.start_quietly(bye, Way::of(&dialog), listener, login, now);
    }

    /// A 2xx that no transaction waits for: ours when its From tag is that of a recent INVITE.
    pub(crate) fn on_stray(&mut self, response: Response, flow: Flow, now: Instant) {
        let Some(tag) = response.from_tag() else { return };
        let Some(&invite) = self.late.get(&tag) else { return };
        self.end_unwanted(invite, &response, &flow, now);
    }

    /// A request of ours ended without a final response.
    pub(crate) fn on_failed(&mut self, client: ClientId, failure: transaction::Failure, now: Instant) {
        let Some(id) = self.clients.remove(&client) else { return };
        let Some(mut attempt) = self.attempts.remove(&id) else { return };
        if attempt.current != Some(client) {
            return self.keep(id, attempt);
        }
        attempt.current = None;
        let (trouble, failure) = match failure {
            transaction::Failure::Timeout => (Trouble::Silent, Failure::Timeout),
            transaction::Failure::Transport(_) => (Trouble::Transport, Failure::Transport),
        };
        if attempt.cancel.is_none() {
            if failure == Failure::Transport
                && let Some(hop) = attempt.fallback.take()
            {
                // The flow is gone; the peer may be where its Contact says.
                self.select(id, &mut attempt, &hop, now);
                return self.keep(id, attempt);
            }
            if let Some(mut selection) = attempt.selection.take() {
                if let (Trouble::Silent, Some(silent)) = (trouble, selection.current()) {
                    self.distrust_connection(attempt.listener, silent);
                }
                let step = selection.failed(&mut self.selector, trouble, now);
                attempt.selection = Some(selection);
                self.step(id, &mut attempt, step, failure, now);
                return self.keep(id, attempt);
            }
        }
        self.finish(id, attempt, Outcome::Failed(failure), now);
    }

    /// A failure that was found while something else was being done.
    pub(crate) fn attempt_failed(&mut self, id: AttemptId, failure: Failure, now: Instant) {
        if let Some(attempt) = self.attempts.remove(&id) {
            self.finish(id, attempt, Outcome::Failed(failure), now);
        }
    }

    fn finish(&mut self, id: AttemptId, mut attempt: Attempt, outcome: Outcome, now: Instant) {
        let others = attempt.selection.take().map_or(0, |selection| selection.others());
        let (owner, unavailable) = (attempt.owner, attempt.unavailable.take());
        let cancelled = attempt.cancel.is_some();
        // The failure as a response: the last 503, or what RFC 3261 8.1.3.1 says that it counts as.
        let outcome = match outcome {
            Outcome::Failed(failure) => {
                let (response, flow) = match unavailable {
                    Some(known) => (known.0, Some(known.1)),
                    None if cancelled => (attempt.request.response(487), None),
                    None => (attempt.request.response(failure.status()), None),
                };
                Final { response, flow, failure: Some(failure), others }
            }
            Outcome::Answered(response, flow) => {
                let failure = (response.status == 503).then_some(Failure::Unavailable);
                Final { response, flow: Some(flow), failure, others }
            }
        };
        if attempt.abandoned {
            attempt.forget_at = Some(now + self.config.timers.limit());
            self.keep(id, attempt);
        } else {
            let mut slot = attempt.scheduled;
            self.schedule.set(Timed::Attempt(id), &mut slot, None);
            self.forget_attempt(&attempt);
        }
        self.owner_final(owner, id, outcome, now);
    }

    /// Answers a challenge when we can (RFC 3261 22.2, 22.3); `false`: report it.
    fn log_in(&mut self, id: AttemptId, attempt: &mut Attempt, response: &Response, now: Instant) -> bool {
        let Some(login) = attempt.login.clone() else { return false };
        let Some(challenge) = Challenge::strongest_of(&response.headers, login.realm.as_deref()) else { return false };
        let Some(to) = attempt.destination.clone() else { return false };
        // The same nonce once more, or a new one without `stale`, says that the password is wrong; a proxy's own challenge
        // after the user agent's is another matter.
        let first = attempt.nonce.is_none()
            || (response.status == 407) != attempt.request.headers.has(&Name::ProxyAuthorization);
        let fresh = attempt.nonce.as_ref() != Some(&challenge.nonce) && (first || challenge.stale);
        if !fresh || attempt.logins >= MAX_LOGINS {
            return false;
        }
        attempt.logins += 1;
        attempt.nonce = Some(challenge.nonce.clone());
        let cnonce = self.token();
        let request = &mut attempt.request;
        let uri = request.uri.to_string();
        let credentials = challenge.answer_password(&login.user, &login.password, &request.method, &uri, 1, &cnonce);
        credentials.put_into(&mut request.headers);
        self.send_again(id, attempt, to, now);
        true
    }

    /// RFC 3261 22.2, RFC 4028 7.3: once more with the next CSeq, all else as it was.
    fn send_again(&mut self, id: AttemptId, attempt: &mut Attempt, to: Destination, now: Instant) {
        let seq = self.next_seq(attempt.owner, &attempt.request);
        attempt.request.headers.set_typed(&CSeq { seq, method: attempt.request.method.clone() });
        self.send(id, attempt, to, now);
    }

    /// Whether an attempt reached somebody: where its last try went.
    pub(crate) fn attempt_pinned(&self, id: AttemptId) -> bool {
        self.attempts.get(&id).is_some_and(|attempt| matches!(attempt.destination, Some(Destination::Flow(_))))
    }
}

enum Outcome {
    Answered(Response, Flow),
    Failed(Failure),
}

/// How a request ended.
pub(crate) struct Final {
    pub response: Response,
    pub flow: Option<Flow>,
    pub failure: Option<Failure>,
    /// Targets that were not tried.
    pub others: usize,
}

impl Failure {
    /// The status that this failure counts as (RFC 3261 8.1.3.1).
    pub fn status(self) -> u16 {
        match self {
            Failure::Timeout => 408,
            Failure::Transport | Failure::Unavailable => 503,
            Failure::NoTarget => 480,
        }
    }
}
