//! What the transaction layer says, given to whom it concerns.

use std::time::{Duration, Instant};

use super::attempt::{AttemptId, Final, Later, Owner};
use super::pending::Pending;
use super::schedule::Timed;
use super::{CallRef, Endpoint, Event, Output, ServerRef, TagOwner};
use crate::Text;
use crate::flow::Flow;
use crate::message::{Method, Name, Request, Response, Scheme};
use crate::transaction::{self, ServerId};

/// How often old requests are forgotten, at most.
const SWEEP_EVERY: Duration = Duration::from_secs(8);

impl Endpoint {
    /// Serves everything that the last input or command caused.
    pub(crate) fn pump(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.transactions.poll() {
                self.on_output(output, now);
            } else if let Some(Later::Failed(id, failure)) = self.later.pop_front() {
                self.attempt_failed(id, failure, now);
            } else {
                return;
            }
        }
    }

    fn on_output(&mut self, output: transaction::Output, now: Instant) {
        match output {
            transaction::Output::Transmit(transmit) => self.out.push_back(Output::Transmit(transmit)),
            transaction::Output::Request { transaction, request, flow, local_tag } => {
                self.on_request(transaction, request, flow, local_tag, now);
            }
            transaction::Output::Cancel { transaction, request, .. } => self.on_cancel(transaction, request, now),
            transaction::Output::Ack { request, flow, .. } => self.on_ack(request, &flow, now),
            transaction::Output::Response { transaction, response, flow } => {
                self.on_response(transaction, response, flow, now);
            }
            transaction::Output::Stray { response, flow } => self.on_stray(response, flow, now),
            transaction::Output::Failed { transaction, failure } => self.on_failed(transaction, failure, now),
            // The peer asks again, or its own timers end it; a 2xx is repeated anyway until its ACK.
            transaction::Output::ServerFailed { transaction, .. } => {
                self.pending.take(transaction);
            }
        }
    }

    fn on_request(&mut self, server: ServerId, request: Request, flow: Flow, local_tag: Text, now: Instant) {
        let to_tag = request.to_tag();
        if let Some(response) = self.check(&request, to_tag.is_some()) {
            return self.answer(server, response, now);
        }
        // A registration is no dialog, whatever its To says.
        if let Some(tag) = to_tag.filter(|_| request.method != Method::Register) {
            return match self.tags.get(&tag) {
                Some(&TagOwner::Call(call)) => self.call_request(call, server, request, flow, now),
                Some(&TagOwner::Subscription(subscription)) => {
                    self.subscription_request(subscription, server, request, flow, now);
                }
                // RFC 3261 12.2.2: no such dialog.
                None => self.answer(server, request.response(481), now),
            };
        }
        self.sweep_at.get_or_insert(now + self.config.timers.limit());
        if self.merged.is_copy(&request, server, now + self.config.timers.limit()) {
            // 8.2.2.2: the same request by another path.
            return self.answer(server, request.response(482), now);
        }
        match request.method {
            Method::Invite => self.incoming_call(server, request, flow, local_tag, now),
            // These live in dialogs only (15.1.2, RFC 3262 3, RFC 3311 5.2).
            Method::Bye | Method::Prack | Method::Update => self.answer(server, request.response(481), now),
            _ => {
                let until = now + self.config.timers.limit();
                self.pending.insert(server, Pending { request: request.clone(), flow: flow.clone(), until });
                let transaction = ServerRef(server.0);
                self.out.push_back(Output::Event(Event::Request { transaction, request, flow }));
            }
        }
    }

    /// RFC 3261 8.2: what every request is checked for before anybody acts on it; `Some` is the refusal.
    fn check(&self, request: &Request, in_dialog: bool) -> Option<Response> {
        let method = &request.method;
        let allowed = self.config.allow.contains(method) || (self.config.refuses_itself && !in_dialog);
        if let Method::Other(_) = method
            && !allowed
        {
            // 21.5.2: not known at all.
            return Some(self.refusal(request, 501));
        }
        let always = matches!(method, Method::Bye | Method::Prack | Method::Update) && in_dialog;
        if !always && !allowed {
            // 8.2.1: known, but not here.
            return Some(self.refusal(request, 405));
        }
        if matches!(request.uri.scheme, Scheme::Other(_)) && !self.is_urgent(&request.uri) {
            return Some(self.refusal(request, 416));
        }
        if self.config.relays && !in_dialog && *method != Method::Options && *method != Method::Register {
            let hops = request.headers.sound::<crate::message::header::MaxForwards>();
            if hops.is_some_and(|hops| hops.0 == 0) {
                // 16.3: what would be passed on may not.
                return Some(self.refusal(request, 483));
            }
        }
        let mut unknown = request.headers.values(&Name::Require).filter(|tag| !self.understands(tag)).peekable();
        if unknown.peek().is_some() {
            // 8.2.2.3: all that is not understood is named.
            let mut response = self.refusal(request, 420);
            for tag in unknown {
                response.headers.push(Name::Unsupported, tag);
            }
            return Some(response);
        }
        drop(unknown);
        if request.body.is_empty() {
            return None;
        }
        let identity = |coding: &Text| coding.eq_ignore_ascii_case("identity");
        if request.headers.values(&Name::ContentEncoding).any(|coding| !identity(&coding)) {
            let mut response = self.refusal(request, 415);
            response.headers.push(Name::AcceptEncoding, Text::from_static("identity"));
            return Some(response);
        }
        if matches!(method, Method::Invite | Method::Update | Method::Prack) && !self.takes_body(request) {
            // 8.2.3: the types that are taken are named.
            return Some(self.refusal(request, 415));
        }
        None
    }

    fn understands(&self, tag: &str) -> bool {
        ["100rel", "timer"].iter().any(|own| tag.eq_ignore_ascii_case(own))
            || self.config.supported.iter().any(|own| tag.eq_ignore_ascii_case(own))
    }

    fn takes_body(&self, request: &Request) -> bool {
        let Some(media) = request.headers.sound::<crate::message::header::ContentType>() else { return true };
        let disposition = request.headers.get(&Name::ContentDisposition);
        let optional = disposition.is_some_and(|disposition| disposition.contains("handling=optional"));
        optional || self.config.accept.iter().any(|accepted| media.is(accepted))
    }

    /// A response that says what is taken instead.
    fn refusal(&self, request: &Request, status: u16) -> Response {
        let mut response = request.response(status);
        match status {
            405 | 501 => response.headers.push(Name::Allow, self.allow.clone()),
            415 => {
                for accepted in &self.config.accept {
                    response.headers.push(Name::Accept, accepted.clone());
                }
            }
            _ => {}
        }
        response
    }

    /// Sends a response; what every response carries is added.
    pub(crate) fn answer(&mut self, server: ServerId, mut response: Response, now: Instant) {
        if response.status > 100 && !response.headers.has(&Name::Server) {
            response.headers.push(Name::Server, self.config.user_agent.clone());
        }
        if response.status == 405 && !response.headers.has(&Name::Allow) {
            // RFC 3261 21.4.6: MUST, also where the owner refuses.
            response.headers.push(Name::Allow, self.allow.clone());
        }
        if response.status >= 300 {
            self.merged.done(&response);
            self.invites.remove(&server);
        }
        // An answer that is too late has nobody who waits for it.
        let _ = match response.status {
            401 | 407 => self.transactions.respond_statelessly(server, response, now),
            _ => self.transactions.respond(server, response, now),
        };
    }

    pub(crate) fn owner_provisional(
        &mut self,
        owner: Owner,
        id: AttemptId,
        response: Response,
        flow: Flow,
        now: Instant,
    ) {
        match owner {
            Owner::Invite(call) => self.invite_provisional(call, id, response, flow, now),
            Owner::Request(transaction) if response.status > 100 => {
                self.out.push_back(Output::Event(Event::Response { transaction, response }));
            }
            _ => {}
        }
    }

    pub(crate) fn owner_success(&mut self, owner: Owner, id: AttemptId, response: Response, flow: Flow, now: Instant) {
        match owner {
            Owner::Invite(call) => self.invite_success(call, id, response, flow, now),
            Owner::InCall(call, _) => self.reinvite_success(call, id, response, flow, now),
            Owner::Nobody | Owner::Request(_) | Owner::Subscription(_) | Owner::Probe(_) | Owner::Probed(..) => {}
        }
    }

    pub(crate) fn owner_final(&mut self, owner: Owner, id: AttemptId, outcome: Final, now: Instant) {
        match owner {
            Owner::Nobody => {}
            Owner::Request(transaction) => {
                let event = match (outcome.failure, outcome.flow) {
                    (Some(failure), None) => Event::Failed { transaction, failure },
                    _ => Event::Response { transaction, response: outcome.response },
                };
                self.out.push_back(Output::Event(event));
            }
            Owner::Invite(call) => self.invite_rejected(call, outcome, now),
            Owner::InCall(call, purpose) => self.in_call_final(call, purpose, id, outcome, now),
            Owner::Subscription(subscription) => self.subscription_final(subscription, outcome, now),
            Owner::Probe(probe) => self.probe_over(probe),
            Owner::Probed(probe, target) => self.target_probed(probe, target, &outcome, now),
        }
    }

    /// Fires one thing that is due; false when nothing is.
    pub(crate) fn fire_one(&mut self, now: Instant) -> bool {
        if self.transactions.handle_one_timeout(now) {
            self.pump(now);
            return true;
        }
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.merged.expire(now);
            while let Some((server, pending)) = self.pending.pop_expired(now) {
                // The owner forgot it, and its sender gave up; the transaction must not wait for ever. (RFC 4320 4.2
                // forbids 408 here.)
                self.answer(server, pending.request.response(500), now);
            }
            // A few at a time, so that each request does not wake us once more when it is forgotten.
            let oldest = self.merged.oldest().into_iter().chain(self.pending.oldest()).min();
            self.sweep_at = oldest.map(|at| at.max(now + SWEEP_EVERY));
            self.pump(now);
            return true;
        }
        let Some(timed) = self.schedule.pop(now) else { return false };
        match timed {
            Timed::Call(call) => self.call_timeout(call, now),
            Timed::Attempt(attempt) => self.attempt_timeout(attempt, now),
            Timed::Subscription(subscription) => self.subscription_timeout(subscription, now),
        }
        self.pump(now);
        true
    }

    pub(crate) fn tell_call(&mut self, call: CallRef, event: super::CallEvent) {
        self.out.push_back(Output::Event(Event::Call { call, event }));
    }
}
