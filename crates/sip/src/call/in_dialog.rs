//! Requests within a call's dialog, both ways (RFC 3261 12.2).

use std::time::Instant;

use super::Call;
use crate::Text;
use crate::endpoint::attempt::{AttemptId, Final, Owner, Purpose, Start, Way};
use crate::endpoint::pending::Pending;
use crate::endpoint::{
    Body, CallEvent, CallRef, CallState, ClientRef, CommandError, Endpoint, ServerRef, TargetPolicy,
};
use crate::flow::Flow;
use crate::message::{Headers, Method, Name, Request, Response};
use crate::transaction::ServerId;

impl Endpoint {
    /// A request with our tag came for this call.
    pub(crate) fn call_request(&mut self, id: CallRef, server: ServerId, request: Request, flow: Flow, now: Instant) {
        let remote_tag = request.from_tag().unwrap_or_default();
        let call_id = request.call_id().unwrap_or_default();
        let mut request = Some(request);
        self.with_call(id, now, |endpoint, call| {
            let Some(dialog) = call.dialog_of(&remote_tag).filter(|dialog| dialog.call_id == call_id) else { return };
            let Some(request) = request.take() else { return };
            if dialog.receive(&request, &flow).is_err() {
                // 12.2.2: out of order.
                return endpoint.answer(server, request.response(500), now);
            }
            match request.method {
                Method::Invite => endpoint.on_reinvite(id, call, server, request, &flow, now),
                Method::Update => endpoint.on_update(id, call, server, request, &flow, now),
                Method::Prack => endpoint.on_prack(id, call, server, request, now),
                Method::Bye => endpoint.on_bye(id, call, server, request, now),
                Method::Options => {
                    // 11.2: within a dialog OPTIONS asks the same, and changes nothing.
                    let response = endpoint.options_response(&request);
                    endpoint.answer(server, response, now);
                }
                _ => endpoint.pass_up(id, call, server, request, &flow, now),
            }
        });
        if let Some(request) = request {
            self.answer(server, request.response(481), now);
        }
    }

    fn pass_up(&mut self, id: CallRef, call: &mut Call, server: ServerId, request: Request, flow: &Flow, now: Instant) {
        call.pending.retain(|server| self.pending.has(*server));
        if call.pending.len() >= self.config.limits.pending_requests {
            let mut response = request.response(503);
            response.headers.push(Name::RetryAfter, Text::from_static("1"));
            return self.answer(server, response, now);
        }
        call.pending.push(server);
        let until = now + self.config.timers.limit();
        self.sweep_at.get_or_insert(until);
        self.pending.insert(server, Pending { request: request.clone(), flow: flow.clone(), until });
        self.tell_call(id, CallEvent::Request { transaction: ServerRef(server.0), request });
    }

    pub(crate) fn send_in_call(
        &mut self,
        id: CallRef,
        method: Method,
        headers: &Headers,
        body: Option<Body>,
        now: Instant,
    ) -> Result<ClientRef, CommandError> {
        if matches!(method, Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Prack) {
            return Err(CommandError::WrongState);
        }
        self.command_call(id, now, |endpoint, call| {
            if call.state == CallState::Ending {
                return Err(CommandError::WrongState);
            }
            let (login, listener) = (call.login.clone(), call.listener);
            let Some(dialog) = call.any_dialog_mut() else { return Err(CommandError::WrongState) };
            let mut request = dialog.request(method);
            endpoint.sign(&mut request.headers);
            super::incoming::append_extra(&mut request.headers, headers);
            if let Some(body) = body {
                request.set_body(body.content_type, body.bytes);
            }
            let way = Way::of(dialog);
            let reference = ClientRef(endpoint.fresh_id());
            let owner = Owner::InCall(id, Purpose::Request(reference));
            let policy = TargetPolicy::default();
            endpoint.start(
                Start { owner, request, way, listener, policy, login, contact_user: None, avoid: Vec::new() },
                now,
            );
            Ok(reference)
        })
    }

    /// The outcome of a request of ours within a call.
    pub(crate) fn in_call_final(
        &mut self,
        id: CallRef,
        purpose: Purpose,
        attempt: AttemptId,
        outcome: Final,
        now: Instant,
    ) {
        match purpose {
            Purpose::Offer | Purpose::Refresh => self.offer_final(id, attempt, outcome, now),
            Purpose::Prack(_) => {
                // RFC 3262 4 leaves a failed PRACK open; the INVITE's own outcome follows, and says more.
            }
            Purpose::Request(reference) => {
                let Final { response, failure, flow, .. } = outcome;
                let status = response.status;
                let event = match failure {
                    Some(failure) if flow.is_none() => CallEvent::Failed { transaction: reference, failure },
                    _ => CallEvent::Response { transaction: reference, response },
                };
                let mut event = Some(event);
                self.with_call(id, now, |endpoint, call| {
                    if let Some(event) = event.take() {
                        endpoint.tell_call(id, event);
                    }
                    // RFC 3261 12.2.1.2; early dialogs end by their INVITE.
                    if matches!(status, 481 | 408) && call.state == CallState::Established {
                        endpoint.lost(id, call, status, now);
                    }
                });
            }
        }
    }

    /// What we can do (11.2).
    pub(crate) fn options_response(&self, request: &Request) -> Response {
        let mut response = request.response(200);
        self.describe(&mut response);
        response
    }
}
