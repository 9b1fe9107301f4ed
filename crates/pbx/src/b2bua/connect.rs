//! Connecting the caller with who answered.

use super::call::{Call, Exchange, Leg};
use super::identity::connected;
use super::setup::{Fork, Purpose};
use super::waiting_tone::Later;
use super::{Role, Scene, describe};
use event::Event;
use sdp::{Codec, Session};
use sip::endpoint::{Body, CallRef};
use sip::header::Reason;
use sip::{Headers, Name, Response};

use super::forced_gateway::Side;

impl Call {
    /// The first of those who are being called answered.
    pub(super) fn fork_answered(&mut self, scene: &mut Scene<'_>, dialog: CallRef, response: &Response) {
        let Some(setup) = &mut self.setup else { return };
        let Some(mut fork) = setup.take_fork(dialog) else { return };
        if fork.not_before.is_some_and(|at| scene.now.instant < at) {
            return self.too_soon(scene, fork);
        }
        let theirs = match (describe::read(&response.body), &fork.leg.theirs) {
            // RFC 3262 5: what was said reliably before is the answer.
            (_, Some(early)) => early.clone(),
            (Ok(Some(theirs)), None) => theirs,
            // RFC 3261 13.2.1: a 2xx holds the answer, or the offer that our INVITE left out. Without, no call.
            _ => return self.unusable(scene, fork, "the answer has no session description"),
        };
        if let Some(side) = &mut fork.leg.side
            && let Err(error) = side.accept(scene, &theirs)
        {
            return self.unusable(scene, fork, &error.to_string());
        }
        let purpose = setup.purpose;
        // RFC 3326: the others ring no more, and show no missed call.
        let mut elsewhere = Headers::new();
        elsewhere.push(Name::Reason, Reason::sip(200, "Call completed elsewhere").to_string());
        self.drop_forks_because(scene, &elsewhere);
        scene.index.set(dialog, self.id, Role::Callee);
        let late = fork.plan.body.is_none();
        let mut leg = fork.leg;
        leg.answered = true;
        leg.theirs = Some(theirs.clone());
        self.answered.get_or_insert(scene.now);
        self.reached = Some(leg.party.clone());
        scene.core.emit(scene.now, Event::CallAnswered { call: self.id, at: leg.party.number.clone() });
        self.connect(scene, leg, purpose, &theirs, late);
    }

    /// The search is over: `leg` has the call.
    pub(super) fn connect(&mut self, scene: &mut Scene<'_>, leg: Leg, purpose: Purpose, theirs: &Session, late: bool) {
        let previewed = self.setup.take().and_then(|setup| setup.previewed);
        match purpose {
            Purpose::Answer => {
                let other = previewed.is_some_and(|previewed| previewed != leg.dialog);
                self.callee = Some(leg);
                self.answer_caller(scene, theirs, late);
                // RFC 3261 13.2.1: the caller may keep to the first description that it saw, and that was another
                // target's. It is offered the right one.
                if other && self.exchange == Exchange::Idle && !self.is_anchored() && self.is_alive() {
                    let body = self.caller.describe(theirs);
                    self.exchange = Exchange::Joining;
                    self.offer_to(scene, Role::Caller, body);
                }
            }
            Purpose::Transfer { notify } => {
                self.release_transferor(scene, notify);
                self.callee = Some(leg);
                self.join(scene);
            }
        }
    }

    /// A mobile telephone that is off is answered at once, by its operator's voice mail: the call rings on where it rings.
    fn too_soon(&mut self, scene: &mut Scene<'_>, fork: Fork) {
        let dialog = fork.leg.dialog;
        scene.index.remove(dialog);
        let _ = scene.core.endpoint.hangup(dialog, &Headers::new(), scene.now.instant);
        self.fork_failed(scene, fork, crate::diversion::Outcome::NoAnswer);
    }

    /// An answer without usable media: the dialog is ended, and the search goes on.
    fn unusable(&mut self, scene: &mut Scene<'_>, fork: Fork, reason: &str) {
        let dialog = fork.leg.dialog;
        self.tell_refused(scene, &fork.leg.party.number, reason);
        scene.index.remove(dialog);
        let _ = scene.core.endpoint.hangup(dialog, &Headers::new(), scene.now.instant);
        let outcome = crate::diversion::Outcome::Refused { status: 488, reason: None, warning: None };
        self.fork_failed(scene, fork, outcome);
    }

    /// Media that a party described is not taken, and why.
    pub(super) fn tell_refused(&self, scene: &Scene<'_>, party: &str, reason: &str) {
        let event = Event::MediaRefused { call: self.id, party: party.to_owned(), reason: reason.to_owned() };
        scene.core.emit(scene.now, event);
    }

    /// Answers the caller's INVITE.
    fn answer_caller(&mut self, scene: &mut Scene<'_>, theirs: &Session, late: bool) {
        self.caller.answered = true;
        let body = match self.callee.as_ref().and_then(|leg| leg.side.as_ref()) {
            Some(_) => self.gateway_answer(scene),
            None => {
                // Opened for a trunk that was given up.
                if let Some(side) = self.caller.side.take() {
                    side.close(scene);
                }
                if late {
                    self.exchange = Exchange::LateAnswer;
                }
                Some(self.caller.describe(theirs))
            }
        };
        let Some(body) = body else {
            return self.end(scene, None, "no-media", Some(488), None);
        };
        let now = scene.now.instant;
        // Over already: the caller's CANCEL is on its way to us.
        let headers = self.callee.as_ref().map(|leg| connected(scene.core, &leg.party)).unwrap_or_default();
        let _ = scene.core.endpoint.accept(self.caller.dialog, &headers, Some(body), now);
    }

    /// The node's own answer to the caller, or its offer to one who made none.
    fn gateway_answer(&mut self, scene: &mut Scene<'_>) -> Option<Body> {
        let side = self.caller.side.as_mut()?;
        let body = match &self.caller.theirs {
            Some(offer) => side.answer(scene, offer, None).ok()?,
            None => {
                self.exchange = Exchange::GatewayAnswer;
                side.offer(None)
            }
        };
        self.relay(scene);
        Some(body)
    }

    pub(super) fn relay(&self, scene: &mut Scene<'_>) {
        if let (Some(a), Some(b)) = (&self.caller.side, self.callee.as_ref().and_then(|leg| leg.side.as_ref())) {
            a.relay(scene, b);
        }
    }

    /// The ACK to a 2xx of ours, which may bring the answer to an offer in it.
    pub(super) fn acknowledged(&mut self, scene: &mut Scene<'_>, role: Role, body: &[u8]) {
        let expected = match self.exchange {
            Exchange::LateAnswer => role == Role::Caller,
            Exchange::GatewayAnswer => role == Role::Caller,
            Exchange::PassedLate { from } => role == from,
            _ => false,
        };
        if !expected {
            return;
        }
        let exchange = std::mem::replace(&mut self.exchange, Exchange::Idle);
        let Ok(Some(answer)) = describe::read(body) else {
            // RFC 3261 13.2.2.4: the ACK had to hold it.
            return self.end(scene, None, "no-media", None, None);
        };
        let other = if role == Role::Caller { Role::Callee } else { Role::Caller };
        if let Some(leg) = self.leg(role) {
            leg.theirs = Some(answer.clone());
        }
        if exchange == Exchange::GatewayAnswer {
            let accepted = self.caller.side.as_mut().map(|side| side.accept(scene, &answer));
            if let Some(Err(error)) = &accepted {
                self.tell_refused(scene, &self.caller.party.number, &error.to_string());
            }
            if !matches!(accepted, Some(Ok(()))) {
                self.end(scene, None, "no-media", None, None);
            }
            return;
        }
        if let Some(leg) = self.leg(other) {
            let (dialog, body) = (leg.dialog, leg.describe(&answer));
            let _ = scene.core.endpoint.acknowledge(dialog, Some(body), scene.now.instant);
        }
    }

    /// Connects the media of two parties that are both in a call already: after a transfer.
    pub(super) fn join(&mut self, scene: &mut Scene<'_>) {
        if self.postpones(Later::Join) {
            return;
        }
        self.ready_to_join(scene);
        let Some(callee) = &mut self.callee else { return };
        self.exchange = Exchange::Idle;
        let connected = |leg: &Leg| leg.side.as_ref().is_some_and(Side::is_connected);
        match (connected(&self.caller), connected(callee)) {
            (true, true) => self.relay(scene),
            (false, false) => {
                let Some(theirs) = callee.theirs.clone() else { return };
                let body = self.caller.describe(&describe::awake(&theirs));
                self.exchange = Exchange::Joining;
                self.offer_to(scene, Role::Caller, body);
            }
            // One of them is at the gateway: the other has to come there too.
            (caller_is, _) => {
                let role = if caller_is { Role::Callee } else { Role::Caller };
                let Some(kind) = self.leg(role).map(|leg| leg.party.kind.clone()) else { return };
                let Ok(mut side) = Side::open(scene, &kind, vec![Codec::Pcma, Codec::Pcmu]) else {
                    return self.end(scene, None, "no-media-port", None, None);
                };
                let Some(leg) = self.leg(role) else { return };
                side.serves(scene.core, leg.dialog, &leg.party.kind);
                if let Some(old) = leg.side.take() {
                    old.close(scene);
                }
                let body = side.offer(leg.ours.as_ref());
                leg.side = Some(side);
                self.exchange = Exchange::Anchoring { to: role };
                self.offer_to(scene, role, body);
                self.relay(scene);
            }
        }
    }

    /// Sends an offer of ours; a party that can't be asked is gone.
    pub(super) fn offer_to(&mut self, scene: &mut Scene<'_>, role: Role, body: Body) {
        let Some(dialog) = self.leg(role).map(|leg| leg.dialog) else { return };
        if let Err(error) = scene.core.endpoint.offer(dialog, &Headers::new(), Some(body), scene.now.instant) {
            tracing::warn!(%error, call = self.id, "media can't be joined");
            self.end(scene, None, "no-media", None, None);
        }
    }
}
