//! What the endpoints say, and where it goes.

use super::{Server, hop};
use crate::router::{Decision, Refusal, decide, dialled, drained, ending};
use crate::service::redirection;
use event::{Event, Now};
use net::Action;
use sip::endpoint::{CallEvent, CallRef, ClientRef, Failure, Output, ServerRef};
use sip::flow::{Flow, Transmit};
use sip::header::{RetryAfter, Warning};
use sip::target::QueryId;
use sip::{Headers, Method, Name, Request, Response};

impl Server {
    pub(super) fn output(&mut self, hop: usize, output: Output, now: Now) {
        use sip::endpoint::Event as SipEvent;
        match output {
            Output::Transmit(Transmit { id, to, bytes }) => {
                let transmit = Transmit { id: hop::join(hop, id), to, bytes };
                self.journal.sent(&transmit, || self.address_of(hop, &transmit));
                self.act(Action::Transmit(transmit));
            }
            Output::CloseFlow(flow) => self.act(Action::CloseFlow(flow)),
            Output::Distrust(listener, peer) => self.act(Action::Distrust(listener, peer)),
            Output::Resolve(QueryId(id), question) => {
                let query = QueryId(hop::join(hop, id));
                self.journal.asked_dns(query.0);
                self.act(Action::Resolve { query, question });
            }
            Output::Event(SipEvent::Incoming { call, request, flow }) => self.incoming(hop, call, request, &flow, now),
            Output::Event(SipEvent::Request { transaction, request, flow }) => {
                self.request(hop, transaction, &request, &flow, now);
            }
            Output::Event(SipEvent::Response { transaction, response }) => {
                if response.is_final() {
                    self.request_answered(hop, transaction, Ok(response.status), now);
                }
            }
            Output::Event(SipEvent::Failed { transaction, failure }) => {
                self.request_answered(hop, transaction, Err(failure), now);
            }
            Output::Event(SipEvent::Call { call, event }) => self.call_event(hop, call, event, now),
            Output::Event(SipEvent::Subscription { .. } | SipEvent::Probed { .. }) => {}
            Output::Event(SipEvent::Malformed { flow, reason }) => {
                self.emit(
                    now,
                    Event::SipMalformed { by: self.name.clone(), remote: flow.remote, reason, answered: None },
                );
            }
        }
    }

    /// Of a request outside every dialog: a test's OPTIONS, or a lamp's NOTIFY.
    fn request_answered(&mut self, hop: usize, transaction: ClientRef, result: Result<u16, Failure>, now: Now) {
        if !self.test_answered(hop, transaction, &result, now) {
            self.notified(hop, transaction, result, now);
        }
    }

    /// Where a message leaves from, as far as that is known before it does.
    fn address_of(&self, hop: usize, transmit: &Transmit) -> std::net::SocketAddr {
        let listeners = self.hops.get(hop).map(|hop| hop.endpoint.config().listeners.as_slice()).unwrap_or_default();
        let own = listeners.iter().find(|own| own.transport == transmit.to.transport());
        own.or(listeners.first()).map_or(std::net::SocketAddr::from(([0, 0, 0, 0], 0)), |own| own.addr)
    }

    /// A new call: 100 was sent. Refused, sent on, or answered here.
    fn incoming(&mut self, hop: usize, leg: CallRef, request: Request, flow: &Flow, now: Now) {
        let Some(stage) = self.hops.get(hop).map(|hop| hop.stage) else { return };
        let gateway = self.gateway_at(flow.remote.ip());
        // A server that ends takes no more calls than one that is full.
        let calls = if self.drain.is_some() { usize::MAX } else { self.calls.len() };
        let calls = usize::try_from(self.random.shared(calls as u64)).unwrap_or(usize::MAX);
        let decision = decide(&self.configuration, gateway.as_ref(), &request, flow.transport, stage, calls);
        match decision {
            Decision::Refuse(refusal) => self.refuse(hop, leg, &request, flow, &refusal, now),
            Decision::Redirect { to, pilot } => {
                let to = (to, self.configuration.service.active_worker);
                match self.addresses.contact(to, &pilot, &self.host, flow.transport) {
                    Some(contact) => self.reject(hop, leg, 302, &redirection(&contact), now),
                    None => {
                        let refusal = Refusal::for_now(503, "no worker is available", 30);
                        self.refuse(hop, leg, &request, flow, &refusal, now);
                    }
                }
            }
            Decision::Answer(accepted) => self.answer(hop, leg, request, flow, accepted, now),
        }
    }

    /// Says no, with a Warning that says why, and an event.
    pub(crate) fn refuse(
        &mut self,
        hop: usize,
        leg: CallRef,
        request: &Request,
        flow: &Flow,
        refusal: &Refusal,
        now: Now,
    ) {
        let mut headers = Headers::new();
        headers.push_typed(&self.warning(&refusal.warning));
        if let Some(seconds) = refusal.retry_after {
            headers.push_typed(&RetryAfter(seconds));
        }
        self.reject(hop, leg, refusal.status, &headers, now);
        self.record_refusal(request, flow, &refusal.warning, now);
        self.emit(
            now,
            Event::UmCallRefused {
                source: flow.remote,
                pilot: dialled(request),
                status: refusal.status,
                warning: refusal.warning.clone(),
            },
        );
    }

    pub(crate) fn warning(&self, text: &str) -> Warning {
        Warning::miscellaneous(self.host.to_string(), text)
    }

    fn reject(&mut self, hop: usize, leg: CallRef, status: u16, headers: &Headers, now: Now) {
        if let Some(hop) = self.hops.get_mut(hop) {
            // The caller may have cancelled in between: there is nobody left to tell then.
            let _ = hop.endpoint.reject(leg, status, headers, now.instant);
        }
    }

    pub(crate) fn respond(&mut self, hop: usize, transaction: ServerRef, response: Response, now: Now) {
        if let Some(hop) = self.hops.get_mut(hop) {
            // The transaction may have timed out: its peer has given up then.
            let _ = hop.endpoint.respond(transaction, response, now.instant);
        }
    }

    /// A request outside every dialog. Only gateways are answered; all but OPTIONS is refused.
    fn request(&mut self, hop: usize, transaction: ServerRef, request: &Request, flow: &Flow, now: Now) {
        // The server may ask itself how it is (Test-UMConnectivity).
        let own = request.method == Method::Options && self.addresses.has(flow.remote.ip());
        let gateway = self.gateway_at(flow.remote.ip());
        let known = own || gateway.is_some();
        let drained = gateway
            .filter(|_| !own && request.method == Method::Options)
            .and_then(|gateway| drained(&self.configuration, &gateway).or_else(|| self.drain.map(|_| ending())));
        let mut response = request.response(match (known, &request.method) {
            (false, _) => 403,
            // Supervision should send calls elsewhere before one is refused.
            (true, Method::Options) if drained.is_some() => 503,
            (true, Method::Options) => 200,
            // RFC 6665 8.2.1: a NOTIFY that no subscription asked for.
            (true, Method::Notify) => 481,
            (true, Method::Other(_)) => 501,
            (true, _) => 405,
        });
        if !known {
            let text = "not a configured UM IP gateway";
            response.headers.push_typed(&self.warning(text));
            self.emit(
                now,
                Event::SourceRefused { source: flow.remote, method: request.method.to_string(), reason: text.into() },
            );
        }
        if let Some(refusal) = drained {
            response.headers.push_typed(&self.warning(&refusal.warning));
            response.headers.push_typed(&RetryAfter(refusal.retry_after.unwrap_or_default()));
        }
        self.respond(hop, transaction, response, now);
    }

    fn call_event(&mut self, hop: usize, leg: CallRef, event: CallEvent, now: Now) {
        let Some(number) = self.by_leg.get(&(hop, leg)).copied() else {
            // A refused call's own ending.
            if let CallEvent::Request { transaction, request } = event {
                self.respond(hop, transaction, request.response(481), now);
            }
            return;
        };
        if self.test_call_event(number, &event, now) {
            return;
        }
        self.journal.touch(journal::Key::Call(number));
        match event {
            CallEvent::Acknowledged { body } => self.acknowledged(number, &body, now),
            CallEvent::Offer { request } => self.offered(number, &request, now),
            CallEvent::Cancelled { .. } => self.ended(number, "cancelled", now),
            CallEvent::Ended { cause } => self.ended(number, cause_name(&cause), now),
            CallEvent::Request { transaction, request } => self.in_call(number, transaction, &request, now),
            CallEvent::Response { transaction, response } => {
                if response.is_final() {
                    self.refer_answered(number, transaction, Ok(response.status), now);
                }
            }
            CallEvent::Failed { transaction, failure } => {
                self.refer_answered(number, transaction, Err(failure), now);
            }
            CallEvent::Provisional { response, .. } => self.outcall_rings(number, response.status, now),
            CallEvent::Answered { response, .. } => self.outcall_answered(number, &response, now),
            CallEvent::Rejected { response, failure, .. } => {
                self.outcall_rejected(number, response.status, failure, now);
            }
            CallEvent::ProvisionalAcknowledged { .. } | CallEvent::OfferWithdrawn | CallEvent::Answer { .. } => {}
        }
    }

    /// A request within a call: news of a transfer, keys by INFO, questions.
    fn in_call(&mut self, number: u64, transaction: ServerRef, request: &Request, now: Now) {
        let Some(hop) = self.calls.get(&number).map(|call| call.hop) else { return };
        let status = match request.method {
            Method::Notify | Method::Options | Method::Info => 200,
            _ => 405,
        };
        self.respond(hop, transaction, request.response(status), now);
        match request.method {
            Method::Notify => self.refer_news(number, request, now),
            Method::Info => {
                if let Some(key) = key_of_info(request) {
                    self.key(number, key, now);
                }
            }
            _ => {}
        }
    }
}

fn cause_name(cause: &sip::endpoint::EndCause) -> &'static str {
    use sip::endpoint::EndCause::*;
    match cause {
        Bye(_) => "hung-up",
        SessionExpired => "session-expired",
        NoAck => "no-ack",
        NoPrack => "no-prack",
        Lost => "lost",
        Local => "finished",
    }
}

/// `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (`5`), which PBXs without RFC 4733 send.
fn key_of_info(request: &Request) -> Option<char> {
    let kind = request.headers.get(&Name::ContentType)?.to_ascii_lowercase();
    if !kind.starts_with("application/dtmf") {
        return None;
    }
    let text = std::str::from_utf8(&request.body).ok()?;
    let signal = text
        .lines()
        .find_map(|line| line.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("signal")));
    let key = signal.map_or(text.trim(), |(_, value)| value.trim());
    let mut characters = key.chars();
    characters.next().filter(|key| "0123456789*#".contains(*key) && characters.next().is_none())
}
