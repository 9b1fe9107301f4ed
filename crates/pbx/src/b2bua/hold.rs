//! Changes of media within a call (hold, resume, another address), and the other requests of a call that are passed from
//! one party to the other.

use super::call::{Call, Exchange};
use super::waiting_tone::WaitingTone;
use super::{Role, Scene, describe};
use sip::endpoint::{Body, CallRef, CommandError, ServerRef};
use sip::{Headers, Method, Name, Request, Response};

/// Requests of a party that may wait for the other at once.
const MOST_PASSED: usize = 16;

fn other(role: Role) -> Role {
    if role == Role::Caller { Role::Callee } else { Role::Caller }
}

impl Call {
    /// A party's re-INVITE or UPDATE.
    pub(super) fn offered(&mut self, scene: &mut Scene<'_>, dialog: CallRef, role: Role, request: &Request) {
        let theirs = match describe::read(&request.body) {
            Ok(theirs) => theirs,
            Err(_) => return answer(scene, dialog, 488, None),
        };
        let established = self.callee.is_some() && self.caller.answered;
        let Some(leg) = self.leg(role).filter(|_| established) else {
            // RFC 3311 5.2: an offer while another one is open.
            return answer(scene, dialog, 500, None);
        };
        if let Some(side) = &mut leg.side {
            let body = match &theirs {
                Some(offer) => match side.answer(scene, offer, leg.ours.as_ref()) {
                    Ok(body) => body,
                    Err(error) => {
                        let party = leg.party.number.clone();
                        self.tell_refused(scene, &party, &error.to_string());
                        return answer(scene, dialog, 488, None);
                    }
                },
                None => side.offer(leg.ours.as_ref()),
            };
            leg.theirs = theirs.clone().or(leg.theirs.take());
            answer(scene, dialog, 200, Some(body));
            return self.hold_changed(scene, role, theirs.as_ref());
        }
        if let (Some(new), Some(old), Some(ours)) = (&theirs, &leg.theirs, &leg.ours)
            && new == old
        {
            // A session refresh: what was agreed holds.
            return answer(scene, dialog, 200, Some(Body::sdp(ours.to_bytes())));
        }
        match self.exchange {
            Exchange::Idle => {}
            // Our offer to this party met one of its own, and waits to be sent again: this one comes first, and the other
            // party, told so, tries again by itself (RFC 3261 14.1).
            Exchange::Passed { from } if from == other(role) => {
                self.exchange = Exchange::Idle;
                if let Some(from) = self.leg(from).map(|leg| leg.dialog) {
                    answer(scene, from, 491, None);
                }
            }
            _ => return answer(scene, dialog, 491, None),
        }
        let late = theirs.is_none();
        if let Some(theirs) = theirs {
            if let Some(leg) = self.leg(role) {
                leg.theirs = Some(theirs.clone());
            }
            let Some(there) = self.leg(other(role)) else { return };
            let (target, body) = (there.dialog, there.describe(&theirs));
            self.pass_on(scene, dialog, role, target, Some(body));
        } else {
            let Some(target) = self.leg(other(role)).map(|leg| leg.dialog) else { return };
            self.pass_on(scene, dialog, role, target, None);
        }
        if late && matches!(self.exchange, Exchange::Passed { .. }) {
            self.exchange = Exchange::PassedLate { from: role };
        }
    }

    fn pass_on(&mut self, scene: &mut Scene<'_>, dialog: CallRef, role: Role, target: CallRef, body: Option<Body>) {
        match scene.core.endpoint.offer(target, &Headers::new(), body, scene.now.instant) {
            Ok(()) => self.exchange = Exchange::Passed { from: role },
            // Glare across the node (RFC 3261 14.2): both ends change at once.
            Err(CommandError::OfferOpen) => answer(scene, dialog, 491, None),
            Err(_) => answer(scene, dialog, 500, None),
        }
    }

    /// The final response to an offer that we sent.
    pub(super) fn offer_answered(&mut self, scene: &mut Scene<'_>, role: Role, response: &Response) {
        let theirs = describe::read(&response.body).ok().flatten().filter(|_| response.is_success());
        match self.exchange {
            Exchange::Passed { from } | Exchange::PassedLate { from } if other(from) == role => {
                let late = matches!(self.exchange, Exchange::PassedLate { .. });
                self.exchange = if late && theirs.is_some() { self.exchange } else { Exchange::Idle };
                let Some(leg) = self.leg(role) else { return };
                leg.theirs = theirs.clone().or(leg.theirs.take());
                let Some(back) = self.leg(from) else { return };
                let dialog = back.dialog;
                match &theirs {
                    Some(theirs) => {
                        let body = back.describe(theirs);
                        answer(scene, dialog, 200, Some(body));
                    }
                    // Refused: what was agreed before holds (RFC 3261 14.1). A 2xx without a description is no answer.
                    None if response.is_success() => answer(scene, dialog, 488, None),
                    None => answer(scene, dialog, response.status.max(400), None),
                }
            }
            Exchange::Joining if role == Role::Caller => {
                let Some(theirs) = theirs else { return self.end(scene, None, "no-media", None, None) };
                self.caller.theirs = Some(theirs.clone());
                let Some(callee) = &mut self.callee else { return };
                // What the callee was offered stands, if it is what the caller says still.
                if callee.ours.as_ref().is_some_and(|ours| describe::same_media(ours, &theirs)) {
                    self.exchange = Exchange::Idle;
                    return;
                }
                let body = callee.describe(&theirs);
                self.exchange = Exchange::Joined;
                self.offer_to(scene, Role::Callee, body);
            }
            Exchange::Joined if role == Role::Callee => {
                self.exchange = Exchange::Idle;
                match (theirs, &mut self.callee) {
                    (Some(theirs), Some(callee)) => callee.theirs = Some(theirs),
                    _ => self.end(scene, None, "no-media", None, None),
                }
            }
            Exchange::Anchoring { to } if to == role => {
                self.exchange = Exchange::Idle;
                if matches!(self.tone, Some(WaitingTone::Ringback { borrowed: true })) {
                    self.caller.theirs = theirs.clone().or(self.caller.theirs.take());
                    return self.borrowed(scene, theirs.as_ref());
                }
                let Some(leg) = self.leg(role) else { return };
                let accepted = match (&theirs, &mut leg.side) {
                    (Some(theirs), Some(side)) => side.accept(scene, theirs).is_ok(),
                    _ => false,
                };
                leg.theirs = theirs.or(leg.theirs.take());
                if !accepted {
                    self.end(scene, None, "no-media", None, None);
                }
            }
            _ => {}
        }
    }

    /// INFO, MESSAGE, REFER and others within the call.
    pub(super) fn request(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        role: Role,
        transaction: ServerRef,
        request: Request,
    ) {
        let now = scene.now.instant;
        match request.method {
            Method::Refer => self.refer(scene, dialog, role, transaction, &request),
            Method::Info | Method::Message => {
                let target = self.leg(other(role)).map(|leg| leg.dialog);
                if let Some(target) = target.filter(|_| self.passed.len() < MOST_PASSED) {
                    let kind = request.headers.get(&Name::ContentType).cloned();
                    let body =
                        kind.filter(|_| !request.body.is_empty()).map(|kind| Body::new(kind, request.body.clone()));
                    let mut headers = Headers::new();
                    let package = Name::from("Info-Package");
                    if let Some(value) = request.headers.get(&package) {
                        headers.push(package.clone(), value.clone());
                    }
                    let method = request.method.clone();
                    if let Ok(client) = scene.core.endpoint.request_in_call(target, method, &headers, body, now) {
                        self.passed.insert(client, (transaction, request));
                        return;
                    }
                }
                let _ = scene.core.endpoint.respond(transaction, request.response(480), now);
            }
            Method::Options => {
                let _ = scene.core.endpoint.respond(transaction, request.response(200), now);
            }
            // No subscription of ours is in this dialog (RFC 6665 4.1.3).
            Method::Notify => {
                let _ = scene.core.endpoint.respond(transaction, request.response(481), now);
            }
            _ => {
                let _ = scene.core.endpoint.respond(transaction, request.response(501), now);
            }
        }
    }
}

fn answer(scene: &mut Scene<'_>, dialog: CallRef, status: u16, body: Option<Body>) {
    // Over already: a BYE crossed the offer.
    let _ = scene.core.endpoint.answer_offer(dialog, status, &Headers::new(), body, scene.now.instant);
}
