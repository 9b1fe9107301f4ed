//! Calls of ours: INVITE, its forks, PRACK, the first 2xx and the others (RFC 3261 13.2, RFC 3262 4).

use std::time::Instant;

use super::reliable::Receiver;
use super::session_timer::SessionTimer;
use super::{Call, Caller, Exchange, Fork};
use crate::Text;
use crate::dialog::{Dialog, Side};
use crate::endpoint::attempt::{AttemptId, Final, Owner, Purpose, Start, Way};
use crate::endpoint::{
    Body, CallEvent, CallRef, CallState, CommandError, EndCause, Endpoint, ForkRef, NextHop, OutgoingCall, TargetPolicy,
};
use crate::flow::Flow;
use crate::message::header::{From, MinSe, RAck, RSeq, SessionExpires, To};
use crate::message::{CSeq, Headers, Method, Name, Request, Response};

/// How often a 422 is answered with a larger interval.
const MAX_REFUSED_INTERVALS: u8 = 3;

impl Endpoint {
    pub(crate) fn start_call(&mut self, new: OutgoingCall, now: Instant) -> Result<CallRef, CommandError> {
        let limits = self.config.limits;
        let reserve = if new.urgent { limits.urgent_calls } else { 0 };
        if self.calls.len() >= limits.calls.saturating_add(reserve) {
            return Err(CommandError::Full);
        }
        if !self.has_listener(new.listener) {
            return Err(CommandError::NoListener);
        }
        let id = CallRef(self.fresh_id());
        let local_tag = Text::from(self.token());
        let call_id = new.call_id.unwrap_or_else(|| Text::from(self.token()));
        let mut local = new.from;
        local.set_tag(&local_tag);
        let mut remote = new.to;
        remote.params.remove("tag");
        let seq = self.first_seq();
        let contact_user = new.contact_user.or_else(|| local.uri.user.clone()).unwrap_or_default();

        let mut request = Request::new(Method::Invite, new.request_uri);
        let headers = &mut request.headers;
        for route in &new.route {
            headers.push(Name::Route, route.to_string());
        }
        headers.push(Name::MaxForwards, Text::from_static("70"));
        headers.push_typed(&From(local.clone()));
        headers.push_typed(&To(remote.clone()));
        headers.push(Name::CallId, call_id.clone());
        headers.push_typed(&CSeq { seq, method: Method::Invite });
        headers.push(Name::Contact, Text::default());
        headers.push(Name::Allow, self.allow.clone());
        headers.push(Name::Supported, self.supported(new.policy.reliable_provisional));
        SessionTimer::off().ask(self.timer_wish(), headers);
        self.sign(headers);
        super::incoming::append_extra(headers, &new.headers);
        let described = new.body.is_some();
        let local_sdp = new.body.clone();
        if let Some(body) = new.body {
            request.set_body(body.content_type, body.bytes);
        }
        let pinned = matches!(new.next_hop, Some(NextHop::Flow(_)));
        let way = Way::of_next_hop(new.next_hop, &request, new.peer_name.clone());
        let call = Call {
            side: Side::Client,
            state: CallState::Trying,
            listener: new.listener,
            call_id,
            local_tag: local_tag.clone(),
            local,
            remote,
            invite_seq: seq,
            login: new.login.clone(),
            caller: Caller {
                described,
                contact_user: contact_user.clone(),
                pinned,
                peer_name: new.peer_name,
                ..Caller::default()
            },
            callee: None,
            dialog: None,
            success: None,
            exchange: Exchange::Idle,
            queued: None,
            local_sdp,
            timer: SessionTimer::off(),
            peer_updates: false,
            bye_after_ack: None,
            pending: Vec::new(),
            over: false,
            scheduled: None,
        };
        self.tags.insert(local_tag.clone(), crate::endpoint::TagOwner::Call(id));
        self.calls.insert(id, Box::new(call));
        let attempt = self.start(
            Start {
                owner: Owner::Invite(id),
                request,
                way,
                listener: new.listener,
                policy: new.policy,
                login: new.login,
                contact_user: Some(contact_user),
                avoid: new.avoid,
            },
            now,
        );
        self.late.insert(local_tag, attempt);
        self.with_call(id, now, |_, call| call.caller.invite = Some(attempt));
        Ok(id)
    }

    /// 101 to 199 to our INVITE.
    pub(crate) fn invite_provisional(
        &mut self,
        id: CallRef,
        attempt: AttemptId,
        response: Response,
        flow: Flow,
        now: Instant,
    ) {
        if response.status == 100 {
            return;
        }
        self.with_call(id, now, |endpoint, call| {
            if call.caller.cancelled || call.dialog.is_some() {
                return;
            }
            call.learn_peer(&response.headers);
            let Some(tag) = response.to_tag() else {
                // 12.1.2 makes no dialog without a tag; what it says of the call is still news.
                endpoint.tell_call(id, CallEvent::Provisional { fork: ForkRef(0), response });
                return;
            };
            let known = call.caller.forks.iter().position(|fork| fork.dialog.remote_tag == tag);
            let at = match known {
                Some(at) => {
                    if let Some(fork) = call.caller.forks.get_mut(at) {
                        fork.dialog.refresh(&response.headers, &flow);
                    }
                    at
                }
                None => {
                    if call.caller.forks.len() >= endpoint.config.limits.forks {
                        return;
                    }
                    let Some(dialog) = endpoint.client_dialog(call, attempt, &response, &flow) else { return };
                    let number = u32::try_from(call.caller.forks.len()).unwrap_or(u32::MAX).saturating_add(1);
                    call.caller.forks.push(Fork {
                        id: ForkRef(number),
                        dialog,
                        receiver: Receiver::default(),
                        owed_prack: None,
                    });
                    call.caller.forks.len() - 1
                }
            };
            let described = call.caller.described;
            let Some(fork) = call.caller.forks.get_mut(at) else { return };
            if response.headers.lists(&Name::Require, "100rel")
                && let Some(rseq) = response.headers.sound::<RSeq>()
            {
                if !fork.receiver.accept(rseq.0) {
                    // RFC 3262 4: a copy, or out of order; its PRACK is on its way, or the one before comes again.
                    return;
                }
                if !described && !response.body.is_empty() {
                    fork.owed_prack = Some(rseq.0);
                } else {
                    let fork = fork.id;
                    endpoint.send_prack(id, call, fork, rseq.0, None, now);
                }
            }
            call.state = CallState::Early;
            let fork = call.caller.forks.get(at).map_or(ForkRef(0), |fork| fork.id);
            endpoint.tell_call(id, CallEvent::Provisional { fork, response });
        });
    }

    /// The dialog that a response to our INVITE makes.
    fn client_dialog(&self, call: &Call, attempt: AttemptId, response: &Response, flow: &Flow) -> Option<Dialog> {
        let pinned = call.caller.pinned && self.attempt_pinned(attempt);
        let request = &self.attempts.get(&attempt)?.request;
        let contact = self.contact(call.listener, flow.transport, &call.caller.contact_user, request.uri.is_sips());
        let mut dialog = Dialog::client(request, response, flow, contact, pinned)?;
        dialog.peer_name = call.caller.peer_name.clone();
        Some(dialog)
    }

    /// RFC 3262 7.2: PRACK names the response by its RSeq and the INVITE's CSeq.
    fn send_prack(&mut self, id: CallRef, call: &mut Call, fork: ForkRef, rseq: u32, body: Option<Body>, now: Instant) {
        let (login, listener, cseq) = (call.login.clone(), call.listener, call.invite_seq);
        let Some(entry) = call.caller.forks.iter_mut().find(|entry| entry.id == fork) else { return };
        let mut request = entry.dialog.request(Method::Prack);
        request.headers.push_typed(&RAck { rseq, cseq, method: Method::Invite });
        self.sign(&mut request.headers);
        if let Some(body) = body {
            request.set_body(body.content_type, body.bytes);
        }
        let way = Way::of(&entry.dialog);
        let owner = Owner::InCall(id, Purpose::Prack(fork));
        self.start(
            Start {
                owner,
                request,
                way,
                listener,
                policy: TargetPolicy::default(),
                login,
                contact_user: None,
                avoid: Vec::new(),
            },
            now,
        );
    }

    /// A 2xx to the INVITE that makes the call, for the first time from this fork.
    pub(crate) fn invite_success(
        &mut self,
        id: CallRef,
        attempt: AttemptId,
        response: Response,
        flow: Flow,
        now: Instant,
    ) {
        let mut unwanted = true;
        self.with_call(id, now, |endpoint, call| {
            let tag = response.to_tag().unwrap_or_default();
            if let Some(dialog) = &call.dialog {
                // The same 2xx again, while the owner makes up its answer to the late offer.
                unwanted = !(call.caller.owed_ack.is_some() && dialog.remote_tag == tag);
                return;
            }
            let early = call.caller.forks.iter().position(|fork| fork.dialog.remote_tag == tag);
            let (fork, dialog) = match early.map(|at| call.caller.forks.swap_remove(at)) {
                Some(mut fork) => {
                    // 13.2.2.4: the 2xx has the last word on the route set.
                    fork.dialog.learn_routes(&response);
                    fork.dialog.refresh(&response.headers, &flow);
                    (fork.id, Some(fork.dialog))
                }
                None => (ForkRef(0), endpoint.client_dialog(call, attempt, &response, &flow)),
            };
            let Some(dialog) = dialog else { return };
            if call.caller.cancelled {
                // 9.1: CANCEL has no effect on an answered INVITE; BYE ends it. The dialog is made and ended below.
                call.over = true;
                endpoint.tell_call(id, CallEvent::Ended { cause: EndCause::Local });
                return;
            }
            unwanted = false;
            call.caller.forks.clear();
            call.caller.invite = None;
            call.learn_peer(&response.headers);
            call.timer = SessionTimer::agreed(&response.headers, now);
            call.state = CallState::Established;
            let seq = call.invite_seq;
            if call.caller.described {
                endpoint.acknowledge_2xx(attempt, &dialog, seq, None, now);
            } else {
                call.caller.owed_ack = Some((seq, attempt));
            }
            call.dialog = Some(dialog);
            endpoint.tell_call(id, CallEvent::Answered { fork, response: response.clone() });
        });
        if unwanted {
            self.end_unwanted(attempt, &response, &flow, now);
        }
    }

    /// The INVITE failed for good.
    pub(crate) fn invite_rejected(&mut self, id: CallRef, outcome: Final, now: Instant) {
        let Final { response, flow, failure, others } = outcome;
        self.with_call(id, now, |endpoint, call| {
            // A refusal behind a 2xx is of another fork, and none of the call's.
            if call.dialog.is_none() {
                call.over = true;
                endpoint.tell_call(id, CallEvent::Rejected { response, failure, flow, others });
            }
        });
    }

    /// 422 to our INVITE: asks again with the interval that the peer wants (RFC 4028 7.3). `None`: report it.
    pub(crate) fn larger_interval(
        &mut self,
        id: CallRef,
        response: &Response,
        request: &mut Request,
        now: Instant,
    ) -> bool {
        let Some(least) = SessionTimer::larger(&response.headers) else { return false };
        let mut again = false;
        self.with_call(id, now, |_, call| {
            again = call.caller.refused_intervals < MAX_REFUSED_INTERVALS && !call.caller.cancelled;
            call.caller.refused_intervals = call.caller.refused_intervals.saturating_add(1);
        });
        if again {
            let least = u32::try_from(least.as_secs()).unwrap_or(u32::MAX);
            let before = request.headers.sound::<SessionExpires>().map_or(0, |expires| expires.seconds);
            request.headers.set_typed(&SessionExpires { seconds: before.max(least), refresher: None });
            request.headers.set_typed(&MinSe(least));
        }
        again
    }

    /// The owner's answer to an offer in a reliable provisional response, or in a 2xx.
    pub(crate) fn acknowledge_call(
        &mut self,
        id: CallRef,
        body: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        self.command_call(id, now, |endpoint, call| {
            if let Some((seq, attempt)) = call.caller.owed_ack.take() {
                let Some(dialog) = &call.dialog else { return Err(CommandError::WrongState) };
                if body.is_some() {
                    call.local_sdp.clone_from(&body);
                }
                endpoint.acknowledge_2xx(attempt, dialog, seq, body, now);
                endpoint.offer_queued(id, call, now);
                return Ok(());
            }
            let owed = call.caller.forks.iter_mut().find_map(|fork| Some((fork.id, fork.owed_prack.take()?)));
            let Some((fork, rseq)) = owed else { return Err(CommandError::WrongState) };
            if body.is_some() {
                call.local_sdp.clone_from(&body);
            }
            call.caller.described = true;
            endpoint.send_prack(id, call, fork, rseq, body, now);
            Ok(())
        })
    }

    /// Cancels our INVITE (9.1).
    pub(crate) fn cancel_call(&mut self, call: &mut Call, headers: &Headers, now: Instant) {
        call.caller.cancelled = true;
        call.state = CallState::Ending;
        if let Some(attempt) = call.caller.invite {
            let mut extra = Headers::new();
            super::incoming::append_extra(&mut extra, headers);
            self.cancel_attempt(attempt, extra, now);
        }
    }
}
