//! How calls end: BYE, CANCEL, expiry, lost peers (RFC 3261 15, RFC 4028 10).

use std::time::Instant;

use super::session_timer::{Due, SessionTimer};
use super::{Call, Exchange};
use crate::dialog::Side;
use crate::endpoint::attempt::{Owner, Start, Way};
use crate::endpoint::{CallEvent, CallRef, CallState, CommandError, EndCause, Endpoint, TargetPolicy};
use crate::message::{Headers, Method, Request};
use crate::transaction::ServerId;

impl Endpoint {
    pub(crate) fn hang_up(&mut self, id: CallRef, headers: &Headers, now: Instant) -> Result<(), CommandError> {
        self.command_call(id, now, |endpoint, call| {
            match (call.state, call.side) {
                (CallState::Ending, _) => return Ok(()),
                (CallState::Trying | CallState::Early, Side::Client) => endpoint.cancel_call(call, headers, now),
                (CallState::Trying | CallState::Early, Side::Server) => {
                    endpoint.refuse(call, 480, headers, now);
                    endpoint.tell_call(id, CallEvent::Ended { cause: EndCause::Local });
                }
                // 15: the callee must not send BYE before its 2xx was acknowledged or given up.
                (CallState::Established, _) if call.success.as_ref().is_some_and(|success| success.initial) => {
                    call.bye_after_ack = Some(headers.clone());
                    call.state = CallState::Ending;
                }
                (CallState::Established, _) => endpoint.end_call(id, call, headers, EndCause::Local, now),
            }
            Ok(())
        })
    }

    /// BYE, and the call is over: 15.1.1 counts the session as ended when the BYE is sent.
    pub(super) fn end_call(&mut self, id: CallRef, call: &mut Call, headers: &Headers, cause: EndCause, now: Instant) {
        self.send_bye(call, headers, now);
        call.over = true;
        self.tell_call(id, CallEvent::Ended { cause });
    }

    pub(super) fn send_bye(&mut self, call: &mut Call, headers: &Headers, now: Instant) {
        let (login, listener) = (call.login.clone(), call.listener);
        if let (Some((seq, attempt)), Some(dialog)) = (call.caller.owed_ack.take(), &call.dialog) {
            // A 2xx is acknowledged even if its offer is not answered.
            self.acknowledge_2xx(attempt, dialog, seq, None, now);
        }
        let Some(dialog) = &mut call.dialog else { return };
        let mut request = dialog.request(Method::Bye);
        self.sign(&mut request.headers);
        super::incoming::append_extra(&mut request.headers, headers);
        let way = Way::of(dialog);
        let policy = TargetPolicy::default();
        let (owner, avoid) = (Owner::Nobody, Vec::new());
        self.start(Start { owner, request, way, listener, policy, login, contact_user: None, avoid }, now);
    }

    /// The peer's BYE (15.1.2).
    pub(super) fn on_bye(&mut self, id: CallRef, call: &mut Call, server: ServerId, request: Request, now: Instant) {
        let response = self.dialog_response_to_bye(call, &request);
        self.answer(server, response, now);
        if call.side == Side::Client && call.dialog.is_none() {
            // 15: the callee can't end an early dialog so; its final response to the INVITE will tell.
            return;
        }
        if let Some((seq, attempt)) = call.caller.owed_ack.take()
            && let Some(dialog) = &call.dialog
        {
            self.acknowledge_2xx(attempt, dialog, seq, None, now);
        }
        if matches!(call.state, CallState::Trying | CallState::Early) {
            // 15.1.2: pending requests are answered; the INVITE by 487.
            self.refuse(call, 487, &Headers::new(), now);
        }
        call.over = true;
        self.tell_call(id, CallEvent::Ended { cause: EndCause::Bye(request) });
    }

    fn dialog_response_to_bye(&self, call: &Call, request: &Request) -> crate::message::Response {
        let mut response = request.response(200);
        response.set_to_tag(&call.local_tag);
        response
    }

    /// 15.1.2: requests that wait for the owner are answered 487 when the dialog ends.
    pub(crate) fn refuse_pending(&mut self, call: &mut Call, now: Instant) {
        for server in std::mem::take(&mut call.pending) {
            if let Some(pending) = self.pending.take(server) {
                self.answer(server, pending.request.response(487), now);
            }
        }
        if let Exchange::Theirs { server, request } = std::mem::replace(&mut call.exchange, Exchange::Idle) {
            self.answer(server, request.response(487), now);
        }
    }

    /// The peer does not know the dialog any more, or does not answer (12.2.1.2).
    pub(super) fn lost(&mut self, id: CallRef, call: &mut Call, status: u16, now: Instant) {
        if status != 481 {
            // 12.2.1.2: after 408 or silence the dialog is ended properly, in case the peer still lives.
            self.send_bye(call, &Headers::new(), now);
        }
        call.over = true;
        self.tell_call(id, CallEvent::Ended { cause: EndCause::Lost });
    }

    /// A call's deadline has come.
    pub(crate) fn call_timeout(&mut self, id: CallRef, now: Instant) {
        self.with_call(id, now, |endpoint, call| {
            call.scheduled = None;
            endpoint.callee_timeout(id, call, now);
            if call.over {
                return;
            }
            if call.queued.as_ref().is_some_and(|queued| queued.at.is_some_and(|at| at <= now)) {
                if let Some(queued) = &mut call.queued {
                    queued.at = None;
                }
                endpoint.offer_queued(id, call, now);
            }
            match call.timer.timeout(now) {
                Some(Due::Refresh) => endpoint.refresh_session(id, call, now),
                Some(Due::Expired) => {
                    call.timer = SessionTimer::off();
                    endpoint.end_call(id, call, &Headers::new(), EndCause::SessionExpired, now);
                }
                None => {}
            }
        });
    }
}
