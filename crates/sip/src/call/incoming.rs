//! Calls of the peer's: INVITE, provisional responses, reliable ones, the 2xx until its ACK (RFC 3261 13.3, RFC 3262 3).

use std::time::Instant;

use super::reliable::{self, Sender};
use super::session_timer::SessionTimer;
use super::{Call, Callee, Caller, Exchange, REMIND_EVERY, Success};
use crate::Text;
use crate::dialog::{Dialog, Side};
use crate::endpoint::{Body, CallEvent, CallRef, CallState, CommandError, EndCause, Endpoint, Event, TagOwner};
use crate::flow::Flow;
use crate::message::header::RAck;
use crate::message::{Headers, Name, Request, Response};
use crate::transaction::ServerId;

/// Appends the owner's headers, but those that are the endpoint's business.
pub(crate) fn append_extra(headers: &mut Headers, extra: &Headers) {
    for (name, value) in extra.iter() {
        match name {
            Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq | Name::Contact | Name::RecordRoute => {}
            Name::Route | Name::ContentLength | Name::ContentType | Name::RSeq | Name::RAck | Name::SessionExpires => {}
            Name::MinSe | Name::Allow | Name::Supported | Name::UserAgent | Name::Server => {}
            Name::MaxForwards => headers.set(Name::MaxForwards, value.clone()),
            _ => headers.push(name.clone(), value.clone()),
        }
    }
}

impl Endpoint {
    /// A new INVITE outside of every dialog; it was checked already.
    pub(crate) fn incoming_call(
        &mut self,
        server: ServerId,
        request: Request,
        flow: Flow,
        local_tag: Text,
        now: Instant,
    ) {
        let limits = self.config.limits;
        let source = flow.remote.ip();
        let counted = !self.exempt.contains(&source);
        let unanswered = self.sources.get(&source).copied().unwrap_or(0);
        let full = self.calls.len() >= limits.calls || (counted && unanswered >= limits.unanswered_per_source);
        let reserve = limits.calls.saturating_add(limits.urgent_calls);
        if full && !(self.is_urgent(&request.uri) && self.calls.len() < reserve) {
            let mut response = request.response(503);
            response.headers.push(Name::RetryAfter, Text::from_static("5"));
            return self.answer(server, response, now);
        }
        if SessionTimer::is_too_small(self.timer_wish(), &request.headers) {
            return self.refuse_interval(server, &request, now);
        }
        let user = request.uri.user.clone().unwrap_or_default();
        let contact = self.contact(flow.listener, flow.transport, &user, request.uri.is_sips());
        let Some(dialog) = Dialog::server(&request, local_tag.clone(), contact, &flow) else {
            // 8.1.1.8: an INVITE must say where the caller is.
            let mut response = request.response(400);
            response.reason = Text::from_static("Missing or malformed Contact");
            return self.answer(server, response, now);
        };
        let id = CallRef(self.fresh_id());
        if counted {
            *self.sources.entry(source).or_insert(0) += 1;
        }
        let mut call = Call {
            side: Side::Server,
            state: CallState::Trying,
            listener: flow.listener,
            call_id: dialog.call_id.clone(),
            local_tag: local_tag.clone(),
            local: dialog.local.clone(),
            remote: dialog.remote.clone(),
            invite_seq: dialog.remote_seq.unwrap_or_default(),
            login: None,
            caller: Caller::default(),
            callee: Some(Callee {
                server,
                request: request.clone(),
                source,
                counted,
                sender: Sender::new(self.first_seq()),
                held: None,
                answered: false,
                offered: false,
                reminder: None,
            }),
            dialog: Some(dialog),
            success: None,
            exchange: Exchange::Idle,
            queued: None,
            local_sdp: None,
            timer: SessionTimer::off(),
            peer_updates: false,
            bye_after_ack: None,
            pending: Vec::new(),
            over: false,
            scheduled: None,
        };
        call.learn_peer(&request.headers);
        self.tags.insert(local_tag, TagOwner::Call(id));
        self.invites.insert(server, id);
        self.calls.insert(id, Box::new(call));
        self.out.push_back(crate::endpoint::Output::Event(Event::Incoming { call: id, request, flow }));
    }

    /// 422 with our Min-SE (RFC 4028 9).
    pub(crate) fn refuse_interval(&mut self, server: ServerId, request: &Request, now: Instant) {
        let mut response = request.response(422);
        let least = self.timer_wish().least.as_secs();
        response.headers.push(Name::MinSe, least.to_string());
        self.answer(server, response, now);
    }

    /// A response within the call's dialog: tag, Record-Route, Contact, what we can do, and the owner's part.
    pub(super) fn dialog_response(
        &self,
        call: &Call,
        request: &Request,
        status: u16,
        extra: &Headers,
        body: Option<Body>,
    ) -> Response {
        let mut response = request.response(status);
        response.set_to_tag(&call.local_tag);
        let makes_dialog = (101..300).contains(&status);
        if makes_dialog {
            // 12.1.1: Record-Route goes back as it came.
            for route in request.headers.lines(&Name::RecordRoute) {
                response.headers.push(Name::RecordRoute, route.clone());
            }
            if let Some(dialog) = &call.dialog {
                response.headers.push(Name::Contact, dialog.contact.clone());
            }
            response.headers.push(Name::Allow, self.allow.clone());
            if status >= 200 {
                response.headers.push(Name::Supported, self.supported(false));
            }
        } else {
            // A redirection's Contact is the owner's.
            for contact in extra.lines(&Name::Contact) {
                response.headers.push(Name::Contact, contact.clone());
            }
        }
        append_extra(&mut response.headers, extra);
        if let Some(body) = body {
            response.set_body(body.content_type, body.bytes);
        }
        response
    }

    pub(crate) fn progress_call(
        &mut self,
        id: CallRef,
        status: u16,
        headers: &Headers,
        body: Option<Body>,
        final_media: bool,
        now: Instant,
    ) -> Result<(), CommandError> {
        if !(101..200).contains(&status) {
            return Err(CommandError::Status);
        }
        self.command_call(id, now, |endpoint, call| {
            let Some(callee) = call.callee.as_ref().filter(|callee| callee.held.is_none()) else {
                return Err(CommandError::WrongState);
            };
            if !matches!(call.state, CallState::Trying | CallState::Early) {
                return Err(CommandError::WrongState);
            }
            let required = callee.request.headers.lists(&Name::Require, "100rel");
            let supported = callee.request.headers.lists(&Name::Supported, "100rel");
            // RFC 3262 3: a session description in an unreliable response is a preview only; reliably it is an answer.
            let reliably = required || (supported && body.is_some() && final_media);
            let body = body.filter(|_| final_media || !required);
            let mut response = endpoint.dialog_response(call, &callee.request, status, headers, body.clone());
            let server = callee.server;
            let late_offer = callee.request.body.is_empty();
            call.state = CallState::Early;
            if body.is_some() {
                call.local_sdp = body;
            }
            let Some(callee) = &mut call.callee else { return Err(CommandError::WrongState) };
            if reliably {
                response.headers.push(Name::Require, Text::from_static("100rel"));
                if !response.body.is_empty() {
                    callee.answered |= !late_offer;
                    callee.offered |= late_offer;
                }
                callee.reminder = None;
                let timers = endpoint.config.timers;
                if let Some(response) = callee.sender.push(response, &timers, now) {
                    endpoint.answer(server, response, now);
                }
            } else {
                callee.reminder = Some((response.clone(), now + REMIND_EVERY));
                endpoint.answer(server, response, now);
            }
            Ok(())
        })
    }

    pub(crate) fn accept_call(
        &mut self,
        id: CallRef,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        self.command_call(id, now, |endpoint, call| {
            let waiting = matches!(call.state, CallState::Trying | CallState::Early);
            let Some(callee) = call.callee.as_mut().filter(|callee| waiting && callee.held.is_none()) else {
                return Err(CommandError::WrongState);
            };
            if callee.sender.holds_final() {
                // RFC 3262 3: no 2xx before the PRACK of a session description.
                callee.held = Some((headers.clone(), body));
                return Ok(());
            }
            endpoint.send_success(call, headers, body, now);
            Ok(())
        })
    }

    fn send_success(&mut self, call: &mut Call, headers: &Headers, body: Option<Body>, now: Instant) {
        let Some(callee) = &call.callee else { return };
        let (answered, offered) = (callee.answered, callee.offered);
        // RFC 6337 2.1: after a reliable answer the 2xx carries none.
        let body = body.filter(|_| !answered && !offered);
        let offers = callee.request.body.is_empty() && body.is_some();
        let mut response = self.dialog_response(call, &callee.request, 200, headers, body.clone());
        call.timer = SessionTimer::grant(self.timer_wish(), &callee.request.headers, &mut response.headers, now);
        let server = callee.server;
        let seq = call.invite_seq;
        if body.is_some() {
            call.local_sdp = body;
        }
        if let Some(callee) = &mut call.callee {
            callee.sender.stop();
            callee.reminder = None;
        }
        let mut success = Success::new(server, seq, response.clone(), &self.config.timers, now);
        success.initial = true;
        success.offers = offers;
        call.success = Some(success);
        call.state = CallState::Established;
        self.uncount(call);
        self.answer(server, response, now);
    }

    /// The call does not count among its source's unanswered ones any more.
    pub(crate) fn uncount(&mut self, call: &mut Call) {
        let Some(callee) = call.callee.as_mut().filter(|callee| callee.counted) else { return };
        callee.counted = false;
        if let Some(count) = self.sources.get_mut(&callee.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.sources.remove(&callee.source);
            }
        }
    }

    pub(crate) fn reject_call(
        &mut self,
        id: CallRef,
        status: u16,
        headers: &Headers,
        now: Instant,
    ) -> Result<(), CommandError> {
        if !(300..700).contains(&status) {
            return Err(CommandError::Status);
        }
        self.command_call(id, now, |endpoint, call| {
            if call.callee.is_none() || !matches!(call.state, CallState::Trying | CallState::Early) {
                return Err(CommandError::WrongState);
            }
            endpoint.refuse(call, status, headers, now);
            Ok(())
        })
    }

    /// A final response other than 2xx to the INVITE of a call; the call is over.
    pub(super) fn refuse(&mut self, call: &mut Call, status: u16, headers: &Headers, now: Instant) {
        if let Some(callee) = &call.callee {
            let server = callee.server;
            let response = self.dialog_response(call, &callee.request, status, headers, None);
            self.answer(server, response, now);
        }
        call.over = true;
    }

    /// The peer cancelled an INVITE that has no final response; the CANCEL has its 200 (9.2).
    pub(crate) fn on_cancel(&mut self, server: ServerId, cancel: Request, now: Instant) {
        let Some(&id) = self.invites.get(&server) else { return };
        self.with_call(id, now, |endpoint, call| {
            if call.callee.as_ref().is_some_and(|callee| callee.server == server) && call.success.is_none() {
                endpoint.refuse(call, 487, &Headers::new(), now);
                endpoint.tell_call(id, CallEvent::Cancelled { request: cancel });
                return;
            }
            if let Exchange::Theirs { server: open, request } = &call.exchange
                && *open == server
            {
                let response = request.response(487);
                call.exchange = Exchange::Idle;
                endpoint.answer(server, response, now);
                endpoint.tell_call(id, CallEvent::OfferWithdrawn);
                endpoint.offer_queued(id, call, now);
            }
        });
    }

    /// ACK of a 2xx of ours (13.3.1.4).
    pub(crate) fn on_ack(&mut self, request: Request, flow: &Flow, now: Instant) {
        let Some(tag) = request.to_tag() else { return };
        let Some(&TagOwner::Call(id)) = self.tags.get(&tag) else { return };
        let seq = request.cseq().map(|cseq| cseq.seq);
        self.with_call(id, now, |endpoint, call| {
            let remote_tag = request.from_tag().unwrap_or_default();
            let call_id = request.call_id().unwrap_or_default();
            if !call.dialog.as_ref().is_some_and(|dialog| dialog.is(&call_id, &remote_tag)) {
                return;
            }
            let Some(success) = call.success.take_if(|success| Some(success.seq) == seq) else { return };
            if let Some(dialog) = &mut call.dialog {
                dialog.heard(flow);
            }
            endpoint.invites.remove(&success.server);
            if let Some(headers) = call.bye_after_ack.take() {
                endpoint.send_bye(call, &headers, now);
                call.over = true;
                endpoint.tell_call(id, CallEvent::Ended { cause: EndCause::Local });
                return;
            }
            if success.initial || success.offers {
                endpoint.tell_call(id, CallEvent::Acknowledged { body: request.body });
            }
            endpoint.offer_queued(id, call, now);
        });
    }

    /// PRACK (RFC 3262 3).
    pub(super) fn on_prack(&mut self, id: CallRef, call: &mut Call, server: ServerId, request: Request, now: Instant) {
        let timers = self.config.timers;
        let seq = call.invite_seq;
        let rack = request.headers.sound::<RAck>();
        let callee = call.callee.as_mut();
        let matched = rack.zip(callee).and_then(|(rack, callee)| {
            callee.sender.acknowledge(&rack, seq, &timers, now).ok().map(|matched| (matched, callee.server))
        });
        let Some(((acknowledged, next), invite)) = matched else {
            // 3: a PRACK that matches no unacknowledged response gets 481.
            return self.answer(server, request.response(481), now);
        };
        let late_offer = call.callee.as_ref().is_some_and(|callee| callee.request.body.is_empty());
        let answers = late_offer && !acknowledged.body.is_empty();
        if !request.body.is_empty() && !answers {
            // A further offer: the owner answers it, in the 2xx of the PRACK.
            if call.exchange.is_idle() {
                call.exchange = Exchange::Theirs { server, request: request.clone() };
                self.tell_call(id, CallEvent::Offer { request });
            } else {
                self.answer(server, request.response(488), now);
            }
        } else {
            let response = self.dialog_response(call, &request, 200, &Headers::new(), None);
            self.answer(server, response, now);
            self.tell_call(id, CallEvent::ProvisionalAcknowledged { body: request.body });
        }
        if let Some(next) = next {
            self.answer(invite, next, now);
        }
        let ready =
            call.callee.as_mut().filter(|callee| !callee.sender.holds_final()).and_then(|callee| callee.held.take());
        if let Some((headers, body)) = ready {
            self.send_success(call, &headers, body, now);
        }
    }

    /// What is due of an incoming call: 2xx and reliable provisional responses again, the reminder.
    pub(super) fn callee_timeout(&mut self, id: CallRef, call: &mut Call, now: Instant) {
        if let Some(callee) = &mut call.callee {
            let server = callee.server;
            match callee.sender.timeout(now) {
                Some(reliable::Due::Repeat(response)) => self.answer(server, response, now),
                Some(reliable::Due::GaveUp) => {
                    // RFC 3262 3: the INVITE is rejected with a 5xx.
                    self.refuse(call, 504, &Headers::new(), now);
                    self.tell_call(id, CallEvent::Ended { cause: EndCause::NoPrack });
                    return;
                }
                None => {}
            }
            if let Some(callee) = &mut call.callee
                && let Some((response, at)) = callee.reminder.as_mut().filter(|(_, at)| *at <= now)
            {
                *at = now + REMIND_EVERY;
                let response = response.clone();
                self.answer(server, response, now);
            }
        }
        let Some(success) = &mut call.success else { return };
        if success.give_up_at <= now {
            // 13.3.1.4: 64*T1 without ACK: the session is ended by BYE.
            self.invites.remove(&success.server);
            call.success = None;
            let headers = call.bye_after_ack.take();
            let cause = if headers.is_some() { EndCause::Local } else { EndCause::NoAck };
            self.send_bye(call, &headers.unwrap_or_default(), now);
            call.over = true;
            self.tell_call(id, CallEvent::Ended { cause });
        } else if success.repeat_at <= now {
            // 13.3.1.4: on every transport, at intervals that double up to T2.
            success.interval = success.interval.saturating_mul(2).min(self.config.timers.t2);
            success.repeat_at = now + success.interval;
            let (server, response) = (success.server, success.response.clone());
            self.answer(server, response, now);
        }
    }
}
