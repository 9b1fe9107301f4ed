//! One call: who is in it, and what happens to it.

use super::forced_gateway::Side;
use super::setup::Setup;
use super::waiting_tone::{Later, WaitingTone};
use super::{Role, Scene};
use crate::call_record::{CallRecord, CallRecordParty};
use event::{Event, Now};
use sip::endpoint::{CallEvent, CallRef, ClientRef, EndCause, ServerRef};
use sip::{Headers, Name, Request};
use std::collections::BTreeMap;
use std::time::Instant;

/// Somebody in a call.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// The number as others see it; empty if unknown.
    pub number: String,
    pub name: String,
    pub kind: PartyKind,
    /// The extension whose telephone this is, although it is reached over a route.
    pub telephone_of: Option<String>,
    /// The number may not be shown.
    pub hidden: bool,
}

impl Party {
    /// The extension that is in a call while this party is.
    pub fn extension(&self) -> Option<&str> {
        match &self.kind {
            PartyKind::Extension(number) => Some(number),
            PartyKind::Route(_) => self.telephone_of.as_deref(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartyKind {
    Extension(String),
    Route(u32),
}

/// A dialog with a party.
pub(crate) struct Leg {
    pub dialog: CallRef,
    pub party: Party,
    pub answered: bool,
    /// The last description that the party sent.
    pub theirs: Option<sdp::Session>,
    /// The last description that we sent.
    pub ours: Option<sdp::Session>,
    /// Where its media passes the node.
    pub side: Option<Side>,
}

/// A change of media that waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    Idle,
    /// The caller's ACK will bring the answer to the callee's offer (late offer).
    LateAnswer,
    /// The same through the gateway: the answer is for us.
    GatewayAnswer,
    /// An offer of this party was passed on to the other.
    Passed {
        from: Role,
    },
    /// The other party's offer went back to this one, whose ACK will bring the answer.
    PassedLate {
        from: Role,
    },
    /// The caller was offered what the new callee described; its answer may go on to the callee.
    Joining,
    /// The callee was offered what the caller answered.
    Joined,
    /// This party was offered media by the node.
    Anchoring {
        to: Role,
    },
}

pub(crate) struct Call {
    pub id: u64,
    pub started: Now,
    pub call_id: String,
    pub dialled: String,
    /// Who called, or who remains after a transfer.
    pub caller: Leg,
    pub callee: Option<Leg>,
    /// Looking for somebody to connect the caller with.
    pub setup: Option<Setup>,
    pub exchange: Exchange,
    /// What the node sounds to a party that waits.
    pub tone: Option<WaitingTone>,
    /// What is done once the caller's media is at the node.
    pub later: Option<Later>,
    /// Transferors who should end their dialogs themselves, and when we do.
    pub leaving: Vec<(CallRef, Instant)>,
    /// Requests passed on within the call: ours, and the one it answers.
    pub passed: BTreeMap<ClientRef, (ServerRef, Request)>,
    pub answered: Option<Now>,
    /// Who answered, or was called last.
    pub reached: Option<Party>,
    pub timer: Option<Instant>,
    /// The parties are gone.
    pub ended: bool,
}

impl Call {
    /// Nothing of it is left.
    pub fn is_over(&self) -> bool {
        self.ended && self.leaving.is_empty()
    }

    pub fn is_alive(&self) -> bool {
        !self.ended
    }

    pub fn is_anchored(&self) -> bool {
        self.caller.side.as_ref().is_some_and(Side::is_connected)
    }

    pub fn state(&self) -> &'static str {
        match (&self.callee, &self.setup) {
            (Some(_), _) => "connected",
            (None, Some(setup)) if setup.rang => "ringing",
            _ => "setup",
        }
    }

    /// Who answered, or else who is being called.
    pub fn called(&self) -> impl Iterator<Item = &super::Party> {
        let forks = self.setup.iter().filter(|_| self.callee.is_none()).flat_map(|setup| &setup.forks);
        self.callee.iter().map(|leg| &leg.party).chain(forks.map(|fork| &fork.leg.party))
    }

    pub fn deadline(&self) -> Option<Instant> {
        let leaving = self.leaving.iter().map(|(_, at)| *at);
        let setup = self.setup.iter().flat_map(|setup| [setup.ring_until, setup.alert_at]);
        leaving.chain(setup.flatten()).min()
    }

    pub fn leg(&mut self, role: Role) -> Option<&mut Leg> {
        match role {
            Role::Caller => Some(&mut self.caller),
            Role::Callee => self.callee.as_mut(),
            Role::Fork | Role::Leaving => None,
        }
    }

    pub fn event(&mut self, scene: &mut Scene<'_>, dialog: CallRef, role: Role, event: CallEvent) {
        match event {
            CallEvent::Provisional { response, .. } => self.fork_progresses(scene, dialog, &response),
            CallEvent::Answered { response, .. } => self.fork_answered(scene, dialog, &response),
            CallEvent::Rejected { response, failure, flow, others } => {
                self.fork_rejected(scene, dialog, &response, failure, (flow.as_ref(), others));
            }
            CallEvent::Cancelled { request } => {
                scene.index.remove(dialog);
                self.end(scene, Some(dialog), "cancelled", None, request.headers.get(&Name::Reason).cloned());
            }
            CallEvent::Acknowledged { body } => self.acknowledged(scene, role, &body),
            CallEvent::ProvisionalAcknowledged { .. } => {}
            CallEvent::Offer { request } => self.offered(scene, dialog, role, &request),
            // What the other party answers is of no use any more.
            CallEvent::OfferWithdrawn => self.exchange = Exchange::Idle,
            CallEvent::Answer { response } => self.offer_answered(scene, role, &response),
            CallEvent::Request { transaction, request } => self.request(scene, dialog, role, transaction, request),
            CallEvent::Response { transaction, response } => {
                if response.is_final()
                    && let Some((server, request)) = self.passed.remove(&transaction)
                {
                    let mut answer = request.response(response.status);
                    answer.body = response.body.clone();
                    if let Some(kind) = response.headers.get(&Name::ContentType) {
                        answer.headers.push(Name::ContentType, kind.clone());
                    }
                    let _ = scene.core.endpoint.respond(server, answer, scene.now.instant);
                }
            }
            CallEvent::Failed { transaction, .. } => {
                if let Some((server, request)) = self.passed.remove(&transaction) {
                    let _ = scene.core.endpoint.respond(server, request.response(408), scene.now.instant);
                }
            }
            CallEvent::Ended { cause } => self.dialog_ended(scene, dialog, role, &cause),
        }
    }

    fn dialog_ended(&mut self, scene: &mut Scene<'_>, dialog: CallRef, role: Role, cause: &EndCause) {
        scene.index.remove(dialog);
        let reason = match cause {
            EndCause::Bye(request) => request.headers.get(&Name::Reason).cloned(),
            _ => None,
        };
        match role {
            Role::Leaving => self.leaving.retain(|(leaving, _)| *leaving != dialog),
            Role::Fork => self.fork_lost(scene, dialog),
            // The transferor does not wait for the outcome: the transfer goes on.
            Role::Callee if self.setup.is_some() => {
                if let Some(side) = self.callee.take().and_then(|leg| leg.side) {
                    side.close(scene);
                }
                // What was going on between the two is over; the caller's way to a tone is not.
                if !matches!(self.exchange, Exchange::Anchoring { to: Role::Caller }) {
                    self.exchange = Exchange::Idle;
                }
            }
            Role::Caller | Role::Callee => {
                let word = match cause {
                    EndCause::Bye(_) | EndCause::Local => "answered-and-cleared",
                    EndCause::SessionExpired => "session-expired",
                    EndCause::NoAck | EndCause::NoPrack | EndCause::Lost => "lost",
                };
                self.end(scene, Some(dialog), word, None, reason);
            }
        }
    }

    /// Ends everybody but `gone`, whose dialog is over already.
    pub fn end(
        &mut self,
        scene: &mut Scene<'_>,
        gone: Option<CallRef>,
        cause: &str,
        status: Option<u16>,
        reason: Option<sip::Text>,
    ) {
        if self.ended {
            return;
        }
        self.ended = true;
        let mut headers = Headers::new();
        if let Some(reason) = reason {
            headers.push(Name::Reason, reason);
        }
        self.drop_forks(scene);
        self.setup = None;
        let caller_side = self.caller.side.take();
        let callee = self.callee.take();
        let dialogs = [Some(self.caller.dialog), callee.as_ref().map(|leg| leg.dialog)];
        for dialog in dialogs.into_iter().flatten() {
            if Some(dialog) != gone {
                // Over already: a race with the peer, and what was wanted.
                let _ = scene.core.endpoint.hangup(dialog, &headers, scene.now.instant);
            }
            scene.index.remove(dialog);
        }
        for side in [caller_side, callee.and_then(|leg| leg.side)].into_iter().flatten() {
            side.close(scene);
        }
        for (_, (server, request)) in std::mem::take(&mut self.passed) {
            let _ = scene.core.endpoint.respond(server, request.response(487), scene.now.instant);
        }
        self.tell_end(scene, cause, status);
    }

    pub fn tell_end(&self, scene: &Scene<'_>, cause: &str, status: Option<u16>) {
        let since = self.answered.unwrap_or(scene.now).instant;
        let duration = scene.now.instant.saturating_duration_since(since);
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        scene.core.record(&self.record(cause, scene.now));
        let event = Event::CallEnded { call: self.id, cause: cause.to_owned(), status, duration_ms };
        scene.core.emit(scene.now, event);
    }

    /// What is kept of the call for accounting.
    fn record(&self, cause: &str, now: Now) -> CallRecord {
        let party = |party: &Party| CallRecordParty {
            number: party.number.clone(),
            name: party.name.clone(),
            route: match party.kind {
                PartyKind::Route(route) => Some(route),
                PartyKind::Extension(_) => None,
            },
        };
        let until = self.answered.unwrap_or(now).instant;
        CallRecord {
            started: self.started.wall,
            rang: until.saturating_duration_since(self.started.instant),
            talked: self.answered.map(|answered| now.instant.saturating_duration_since(answered.instant)),
            caller: party(&self.caller.party),
            dialled: self.dialled.clone(),
            called: self.reached.as_ref().map(party).unwrap_or_default(),
            cause: cause.to_owned(),
            call_id: self.call_id.clone(),
        }
    }

    pub fn handle_timeout(&mut self, scene: &mut Scene<'_>) {
        let now = scene.now.instant;
        let due: Vec<CallRef> = self.leaving.iter().filter(|(_, at)| *at <= now).map(|(dialog, _)| *dialog).collect();
        self.leaving.retain(|(_, at)| *at > now);
        for dialog in due {
            scene.index.remove(dialog);
            let _ = scene.core.endpoint.hangup(dialog, &Headers::new(), now);
        }
        if self.setup.as_ref().and_then(|setup| setup.alert_at).is_some_and(|at| at <= now) {
            self.sounds_like_ringing(scene);
        }
        if self.setup.as_ref().and_then(|setup| setup.ring_until).is_some_and(|until| until <= now) {
            self.ring_time_over(scene);
        }
    }
}
