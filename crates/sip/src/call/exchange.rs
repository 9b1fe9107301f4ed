//! Offers after the call was made: re-INVITE and UPDATE, both ways, and glare (RFC 3261 14, RFC 3311, RFC 3264).

use std::time::{Duration, Instant};

use super::session_timer::SessionTimer;
use super::{Call, Exchange, QueuedOffer, Success};
use crate::Text;
use crate::dialog::Side;
use crate::endpoint::attempt::{AttemptId, Final, Owner, Purpose, Start, Way};
use crate::endpoint::{Body, CallEvent, CallRef, CallState, CommandError, Endpoint, TargetPolicy};
use crate::flow::Flow;
use crate::message::{Headers, Method, Name, Request, Response};
use crate::transaction::ServerId;

/// How often an offer meets glare before that is reported.
const MAX_GLARE: u8 = 4;

impl Endpoint {
    pub(crate) fn offer_in_call(
        &mut self,
        id: CallRef,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        self.command_call(id, now, |endpoint, call| {
            match call.state {
                CallState::Established => {}
                CallState::Early if body.is_some() && call.peer_updates && may_update_early(call) => {}
                _ => return Err(CommandError::WrongState),
            }
            if !call.exchange.is_idle() || call.queued.as_ref().is_some_and(|queued| !queued.refresh) {
                return Err(CommandError::OfferOpen);
            }
            call.queued = Some(QueuedOffer { headers: headers.clone(), body, tries: 0, at: None, refresh: false });
            endpoint.offer_queued(id, call, now);
            Ok(())
        })
    }

    /// Sends the offer that waits, when nothing is in its way: RFC 3261 14.1 wants no other INVITE in progress.
    pub(crate) fn offer_queued(&mut self, id: CallRef, call: &mut Call, now: Instant) {
        let waits = call.success.is_some() || call.caller.owed_ack.is_some() || !call.exchange.is_idle();
        if waits || call.over {
            return;
        }
        if let Some(queued) = call.queued.take_if(|queued| queued.at.is_none_or(|at| at <= now)) {
            self.send_offer(id, call, queued, now);
        }
    }

    fn send_offer(&mut self, id: CallRef, call: &mut Call, queued: QueuedOffer, now: Instant) {
        let QueuedOffer { headers, body, tries, refresh, .. } = queued;
        let established = call.state == CallState::Established;
        // RFC 4028 7.4: UPDATE refreshes without touching the media, where the peer has it.
        let method = match (established, refresh && call.peer_updates) {
            (true, false) => Method::Invite,
            _ => Method::Update,
        };
        let (login, listener, timer, wish) = (call.login.clone(), call.listener, call.timer.clone(), self.timer_wish());
        let (allow, supported) = (self.allow.clone(), self.supported(false));
        let Some(dialog) = call.any_dialog_mut() else { return };
        let mut request = dialog.request(method.clone());
        request.headers.push(Name::Allow, allow);
        request.headers.push(Name::Supported, supported);
        if established {
            timer.ask(wish, &mut request.headers);
        }
        self.sign(&mut request.headers);
        super::incoming::append_extra(&mut request.headers, &headers);
        let carried = if refresh && method == Method::Update { None } else { body.clone() };
        if let Some(body) = carried {
            request.set_body(body.content_type, body.bytes);
        }
        let way = Way::of(dialog);
        let purpose = if refresh { Purpose::Refresh } else { Purpose::Offer };
        let owner = Owner::InCall(id, purpose);
        let policy = TargetPolicy::default();
        let attempt = self
            .start(Start { owner, request, way, listener, policy, login, contact_user: None, avoid: Vec::new() }, now);
        call.exchange = Exchange::Ours { attempt, body, headers, tries, refresh };
    }

    /// We are the refresher, and it is time (RFC 4028 7.4).
    pub(super) fn refresh_session(&mut self, id: CallRef, call: &mut Call, now: Instant) {
        if !call.exchange.is_idle()
            || call.success.is_some()
            || call.queued.is_some()
            || call.state != CallState::Established
        {
            // What is under way refreshes too, or the next try does.
            call.timer.postpone(now);
            return;
        }
        if !call.peer_updates && call.local_sdp.is_none() {
            // A re-INVITE without an offer would ask the owner for an answer that it did not expect.
            return;
        }
        let body = call.local_sdp.clone();
        let refresh = QueuedOffer { headers: Headers::new(), body, tries: 0, at: None, refresh: true };
        self.send_offer(id, call, refresh, now);
    }

    /// 2xx to our re-INVITE, for the first time.
    pub(crate) fn reinvite_success(
        &mut self,
        id: CallRef,
        attempt: AttemptId,
        response: Response,
        flow: Flow,
        now: Instant,
    ) {
        if !self.calls.contains_key(&id) {
            // The call ended meanwhile; the 2xx wants its ACK all the same.
            return self.acknowledge_ended(attempt, &response, flow, now);
        }
        self.with_call(id, now, |endpoint, call| {
            let Some((body, refresh)) = take_ours(call, attempt) else { return };
            let Some(dialog) = &mut call.dialog else { return };
            dialog.refresh(&response.headers, &flow);
            let seq = response.cseq().map_or(dialog.local_seq, |cseq| cseq.seq);
            call.timer = SessionTimer::agreed(&response.headers, now);
            if body.is_none() && !response.body.is_empty() {
                call.caller.owed_ack = Some((seq, attempt));
            } else {
                endpoint.acknowledge_2xx(attempt, dialog, seq, None, now);
            }
            if body.is_some() {
                call.local_sdp = body;
            }
            call.learn_peer(&response.headers);
            if !refresh {
                endpoint.tell_call(id, CallEvent::Answer { response });
            }
            endpoint.offer_queued(id, call, now);
        });
    }

    /// Another outcome of our re-INVITE or UPDATE.
    pub(crate) fn offer_final(&mut self, id: CallRef, attempt: AttemptId, outcome: Final, now: Instant) {
        self.with_call(id, now, |endpoint, call| {
            let open = std::mem::replace(&mut call.exchange, Exchange::Idle);
            let Exchange::Ours { attempt: ours, body, headers, tries, refresh } = open else {
                call.exchange = open;
                return;
            };
            if ours != attempt {
                call.exchange = Exchange::Ours { attempt: ours, body, headers, tries, refresh };
                return;
            }
            let Final { response, flow, failure, .. } = outcome;
            match response.status {
                200..=299 => {
                    if let (Some(dialog), Some(flow)) = (call.any_dialog_mut(), &flow) {
                        dialog.refresh(&response.headers, flow);
                    }
                    if call.state == CallState::Established {
                        call.timer = SessionTimer::agreed(&response.headers, now);
                    }
                    if body.is_some() && !refresh {
                        call.local_sdp = body;
                    }
                    call.learn_peer(&response.headers);
                }
                491 if tries < MAX_GLARE => {
                    let at = Some(now + endpoint.glare_wait(call.side));
                    call.queued = Some(QueuedOffer { headers, body, tries: tries.saturating_add(1), at, refresh });
                    return;
                }
                // RFC 3261 12.2.1.2, and silence counts as 408. An early call ends by its INVITE.
                481 | 408 if call.state == CallState::Established => {
                    if !refresh {
                        endpoint.tell_call(id, CallEvent::Answer { response: response.clone() });
                    }
                    return endpoint.lost(id, call, response.status, now);
                }
                422 if tries < MAX_GLARE && SessionTimer::larger(&response.headers).is_some() => {
                    // RFC 4028 7.3: once more, with the interval that the peer wants.
                    call.timer = call.timer.at_least(SessionTimer::larger(&response.headers));
                    call.queued =
                        Some(QueuedOffer { headers, body, tries: tries.saturating_add(1), at: Some(now), refresh });
                    return endpoint.offer_queued(id, call, now);
                }
                500 | 503 | 504 if refresh && failure.is_none() => call.timer.postpone(now),
                _ if refresh => call.timer.postpone(now),
                _ => {}
            }
            if !refresh {
                endpoint.tell_call(id, CallEvent::Answer { response });
            }
            endpoint.offer_queued(id, call, now);
        });
    }

    /// RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s, in units of 10 ms.
    fn glare_wait(&mut self, side: Side) -> Duration {
        let units = match side {
            Side::Client => self.random_between(210, 400),
            Side::Server => self.random_between(0, 200),
        };
        Duration::from_millis(units.saturating_mul(10))
    }

    /// The peer's re-INVITE (14.2).
    pub(super) fn on_reinvite(
        &mut self,
        id: CallRef,
        call: &mut Call,
        server: ServerId,
        request: Request,
        flow: &Flow,
        now: Instant,
    ) {
        if SessionTimer::is_too_small(self.timer_wish(), &request.headers) {
            return self.refuse_interval(server, &request, now);
        }
        let unanswered = call.side == Side::Server && matches!(call.state, CallState::Trying | CallState::Early);
        if unanswered || matches!(call.exchange, Exchange::Theirs { .. }) {
            // 14.2: an earlier INVITE waits for its final response.
            return self.answer_later(server, &request, now);
        }
        let ours =
            matches!(call.exchange, Exchange::Ours { .. }) || call.caller.owed_ack.is_some() || call.dialog.is_none();
        let owed = call.success.as_ref().is_some_and(|success| success.offers);
        if ours || owed || call.state == CallState::Ending {
            // 14.2: two INVITEs cross, or our offer waits for its answer.
            return self.answer(server, request.response(491), now);
        }
        if let Some(success) = call.success.take() {
            // RFC 5407 3.1.4: the ACK was overtaken or lost; who sends this has seen our 2xx.
            self.invites.remove(&success.server);
            if success.initial {
                self.tell_call(id, CallEvent::Acknowledged { body: Default::default() });
            }
        }
        if let Some(dialog) = &mut call.dialog {
            dialog.heard(flow);
        }
        self.invites.insert(server, id);
        call.exchange = Exchange::Theirs { server, request: request.clone() };
        self.tell_call(id, CallEvent::Offer { request });
    }

    /// The peer's UPDATE (RFC 3311 5.2).
    pub(super) fn on_update(
        &mut self,
        id: CallRef,
        call: &mut Call,
        server: ServerId,
        request: Request,
        flow: &Flow,
        now: Instant,
    ) {
        if SessionTimer::is_too_small(self.timer_wish(), &request.headers) {
            return self.refuse_interval(server, &request, now);
        }
        if request.body.is_empty() {
            let mut response = self.dialog_response(call, &request, 200, &Headers::new(), None);
            if call.state == CallState::Established {
                call.timer = SessionTimer::grant(self.timer_wish(), &request.headers, &mut response.headers, now);
            }
            self.refresh_target(call, &request, flow);
            return self.answer(server, response, now);
        }
        if matches!(call.exchange, Exchange::Theirs { .. }) || owes_answer(call) {
            return self.answer_later(server, &request, now);
        }
        if !call.exchange.is_idle() || awaits_answer(call) {
            return self.answer(server, request.response(491), now);
        }
        call.exchange = Exchange::Theirs { server, request: request.clone() };
        self.tell_call(id, CallEvent::Offer { request });
    }

    /// 500 with Retry-After from 0 to 10 s (RFC 3261 14.2, RFC 3311 5.2).
    fn answer_later(&mut self, server: ServerId, request: &Request, now: Instant) {
        let mut response = request.response(500);
        let wait = self.random_between(0, 10);
        response.headers.push(Name::RetryAfter, wait.to_string());
        self.answer(server, response, now);
    }

    pub(super) fn refresh_target(&self, call: &mut Call, request: &Request, flow: &Flow) {
        let tag = request.from_tag().unwrap_or_default();
        if let Some(dialog) = call.dialog_of(&tag) {
            dialog.refresh(&request.headers, flow);
        }
    }

    pub(crate) fn answer_their_offer(
        &mut self,
        id: CallRef,
        status: u16,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        if !(200..700).contains(&status) {
            return Err(CommandError::Status);
        }
        self.command_call(id, now, |endpoint, call| {
            let open = std::mem::replace(&mut call.exchange, Exchange::Idle);
            let Exchange::Theirs { server, request } = open else {
                call.exchange = open;
                return Err(CommandError::WrongState);
            };
            let mut response = endpoint.dialog_response(call, &request, status, headers, body.clone());
            if (200..300).contains(&status) {
                if request.method != Method::Prack {
                    // 12.2.2: the target moves when the request is accepted.
                    let flow = call.any_dialog().map(|dialog| dialog.flow.clone());
                    if let Some(flow) = flow {
                        endpoint.refresh_target(call, &request, &flow);
                    }
                    if call.state == CallState::Established {
                        let wish = endpoint.timer_wish();
                        call.timer = SessionTimer::grant(wish, &request.headers, &mut response.headers, now);
                    }
                }
                if body.is_some() {
                    call.local_sdp.clone_from(&body);
                }
                if request.method == Method::Invite {
                    let seq = request.cseq().map_or(0, |cseq| cseq.seq);
                    let mut success = Success::new(server, seq, response.clone(), &endpoint.config.timers, now);
                    success.offers = request.body.is_empty() && body.is_some();
                    call.success = Some(success);
                }
            } else {
                endpoint.invites.remove(&server);
                if status == 405 {
                    response.headers.set(Name::Allow, Text::clone(&endpoint.allow));
                }
            }
            endpoint.answer(server, response, now);
            endpoint.offer_queued(id, call, now);
            Ok(())
        })
    }
}

/// Takes our open offer when it is this attempt's.
fn take_ours(call: &mut Call, attempt: AttemptId) -> Option<(Option<Body>, bool)> {
    match std::mem::replace(&mut call.exchange, Exchange::Idle) {
        Exchange::Ours { attempt: ours, body, refresh, .. } if ours == attempt => Some((body, refresh)),
        other => {
            call.exchange = other;
            None
        }
    }
}

/// RFC 3311 5.1: UPDATE may carry an offer before the 2xx only when the INVITE's own offer was answered, reliably.
fn may_update_early(call: &Call) -> bool {
    match &call.callee {
        Some(callee) => callee.answered && !callee.sender.holds_final(),
        None => call.caller.forks.iter().any(|fork| fork.owed_prack.is_none()),
    }
}

/// The peer's offer in its INVITE waits for our answer.
fn owes_answer(call: &Call) -> bool {
    call.callee.as_ref().is_some_and(|callee| {
        matches!(call.state, CallState::Trying | CallState::Early)
            && !callee.request.body.is_empty()
            && !callee.answered
    })
}

/// An offer of ours waits for the peer's answer.
fn awaits_answer(call: &Call) -> bool {
    call.success.as_ref().is_some_and(|success| success.offers) || call.caller.owed_ack.is_some()
}
