//! Calling somebody: the phones of an extension side by side, or a trunk; one stop of the itinerary after another, until
//! somebody answers.

use super::call::{Call, Leg, Party, PartyKind};
use super::forced_gateway::Side;
use super::identity::{connected, introduce};
use super::redirect::Redirects;
use super::{Role, Scene, describe};
use crate::diversion::{Diverted, Itinerary, Outcome, Step};
use crate::numbers::Choice;
use crate::routes::SipRouteEntry;
use event::Event;
use sdp::Codec;
use sip::diversion::Diversion;
use sip::endpoint::{Body, CallRef, Failure, OutgoingCall, TargetPolicy};
use sip::history_info::History;
use sip::{Headers, ListenerId, NameAddr, Response, Text};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long phones ring when neither list nor diversion says.
const RING_LIMIT: Duration = Duration::from_secs(180);

/// Looking for somebody to connect the caller with.
pub(crate) struct Setup {
    pub itinerary: Itinerary,
    pub purpose: Purpose,
    pub max_forwards: u8,
    /// What the trunk that the call came from said about diversions before.
    pub diverted_before: Vec<Diversion>,
    pub history_before: History,
    pub referred_by: Option<Text>,
    pub forks: Vec<Fork>,
    stop: Stop,
    /// The best that the forks of this stop came to.
    worst: Option<Outcome>,
    pub ring_until: Option<Instant>,
    /// The caller has been told that it rings.
    pub rang: bool,
    told: Option<Diverted>,
}

/// What a setup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To answer the caller's INVITE.
    Answer,
    /// To transfer the caller, who is in a call. The transferor is told of it (RFC 3515) when `notify`.
    Transfer { notify: bool },
}

/// Where the call is being tried.
enum Stop {
    Nowhere,
    Extension(String),
    Route { choices: VecDeque<Choice> },
}

/// Somebody who is being called.
pub(crate) struct Fork {
    pub leg: Leg,
    /// What it was called with, for redirects.
    pub plan: OutgoingCall,
    pub redirects: Redirects,
}

impl Setup {
    pub fn new(itinerary: Itinerary, purpose: Purpose, max_forwards: u8) -> Setup {
        Setup {
            itinerary,
            purpose,
            max_forwards,
            diverted_before: Vec::new(),
            history_before: History::default(),
            referred_by: None,
            forks: Vec::new(),
            stop: Stop::Nowhere,
            worst: None,
            ring_until: None,
            rang: false,
            told: None,
        }
    }

    pub fn fork(&mut self, dialog: CallRef) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.leg.dialog == dialog)
    }

    pub fn take_fork(&mut self, dialog: CallRef) -> Option<Fork> {
        let index = self.forks.iter().position(|fork| fork.leg.dialog == dialog)?;
        Some(self.forks.remove(index))
    }
}

/// Our part of a new leg's media: the side at the gateway, the offer, and what it describes (direct media).
type OwnMedia = (Option<Side>, Option<Body>, Option<sdp::Session>);

/// Whether a route takes one more call; if not, that is told.
pub(super) fn has_individual(scene: &Scene<'_>, route: u32) -> bool {
    let all = scene.core.configuration.routes.get(&route).map_or(0, |route| route.individuals());
    let free = scene.index.used(route) < all;
    if !free {
        let reason = format!("all {all} trunk individuals are taken");
        scene.core.emit(scene.now, Event::RouteUnavailable { route, reason });
    }
    free
}

impl Call {
    /// Does what the itinerary says, until somebody is being called or nothing is left.
    pub fn proceed(&mut self, scene: &mut Scene<'_>, mut step: Step) {
        loop {
            self.tell_diversion(scene);
            let started = match step {
                Step::Finish(outcome) => return self.finish(scene, &outcome),
                Step::Ring { extension, time } => self.ring(scene, extension, time),
                Step::Seize { choices, time, .. } => {
                    if let Some(setup) = &mut self.setup {
                        setup.stop = Stop::Route { choices: choices.into() };
                        setup.ring_until = scene.now.instant.checked_add(time.unwrap_or(RING_LIMIT));
                    }
                    self.seize(scene)
                }
            };
            let Err(outcome) = started else { return };
            let Some(setup) = &mut self.setup else { return };
            step = setup.itinerary.failed(&scene.core.configuration, outcome);
        }
    }

    fn tell_diversion(&mut self, scene: &Scene<'_>) {
        let Some(setup) = &mut self.setup else { return };
        let Some(last) = setup.itinerary.diversions.last() else { return };
        if setup.told.as_ref() != Some(last) {
            let (from, to, reason) = (last.from.clone(), last.to.clone(), last.reason.to_string());
            scene.core.emit(scene.now, Event::CallDiverted { call: self.id, from, to, reason });
            setup.told = Some(last.clone());
        }
    }

    /// Rings all phones of an extension.
    fn ring(&mut self, scene: &mut Scene<'_>, extension: String, time: Option<Duration>) -> Result<(), Outcome> {
        let Some(setup) = &mut self.setup else { return Err(Outcome::Unavailable) };
        let limit = time.unwrap_or(RING_LIMIT);
        setup.ring_until = scene.now.instant.checked_add(limit);
        setup.stop = Stop::Extension(extension.clone());
        setup.worst = None;
        let single_line =
            scene.core.configuration.extensions.get(&extension).is_some_and(|entry| entry.free_on_second_line == 0);
        if single_line && scene.index.of_extension(&extension) > 0 {
            return Err(Outcome::Busy);
        }
        let contacts: Vec<_> = scene
            .core
            .registrar
            .contacts(&extension, scene.now.instant)
            .iter()
            .map(|binding| (binding.uri.clone(), binding.next_hop(), binding.flow.listener))
            .collect();
        let to = NameAddr::new(scene.core.uri(&extension));
        let party = Party {
            number: extension.clone(),
            name: scene.core.name_of(&extension),
            kind: PartyKind::Extension(extension),
            hidden: false,
        };
        let mut failure = Outcome::Unavailable;
        for (uri, next_hop, listener) in contacts {
            let (side, body, ours) = match self.media_for(scene, None) {
                Ok(media) => media,
                Err(outcome) => {
                    failure = outcome;
                    continue;
                }
            };
            let Some(setup) = &self.setup else { break };
            let (from, headers) = introduce(scene.core, &self.caller.party, setup, None);
            let mut plan = self.plan(from, to.clone(), headers, body, listener, TargetPolicy::default());
            plan.request_uri = uri;
            plan.next_hop = Some(next_hop);
            self.invite(scene, plan, party.clone(), side, ours);
        }
        let ringing = self.setup.as_ref().is_some_and(|setup| !setup.forks.is_empty());
        if ringing { Ok(()) } else { Err(failure) }
    }

    /// Takes the next route that has room.
    fn seize(&mut self, scene: &mut Scene<'_>) -> Result<(), Outcome> {
        let mut failure = Outcome::TrunkFailed;
        loop {
            let Some(setup) = &mut self.setup else { return Err(failure) };
            setup.worst = None;
            let Stop::Route { choices } = &mut setup.stop else { return Err(failure) };
            let Some(choice) = choices.pop_front() else { return Err(failure) };
            let route = scene.core.configuration.routes.get(&choice.route).and_then(|route| route.sip.clone());
            let Some(route) = route else { continue };
            if !has_individual(scene, choice.route) {
                failure = Outcome::NoCircuit;
                continue;
            }
            match self.take_route(scene, &choice, &route) {
                Ok(()) => return Ok(()),
                Err(outcome) => failure = outcome,
            }
        }
    }

    fn take_route(&mut self, scene: &mut Scene<'_>, choice: &Choice, route: &SipRouteEntry) -> Result<(), Outcome> {
        let uri = route.request_uri(&choice.digits).ok_or(Outcome::TrunkFailed)?;
        let (side, body, ours) = self.media_for(scene, Some(route))?;
        let Some(setup) = &self.setup else { return Err(Outcome::TrunkFailed) };
        let (from, headers) = introduce(scene.core, &self.caller.party, setup, Some((route, &uri)));
        let to = NameAddr::new(sip::Uri { params: sip::Params::for_uri(), ..uri.clone() });
        let listener = scene.core.listener;
        let mut plan = self.plan(from, to, headers, body, listener, route.policy());
        plan.next_hop = route.next_hop(&uri);
        plan.request_uri = uri;
        let party = Party {
            number: choice.digits.clone(),
            name: String::new(),
            kind: PartyKind::Route(choice.route),
            hidden: false,
        };
        if self.invite(scene, plan, party, side, ours) { Ok(()) } else { Err(Outcome::TrunkFailed) }
    }

    /// The offer for a new leg: the caller's own (direct media), or the node's. Nothing for a caller who made none.
    fn media_for(&mut self, scene: &mut Scene<'_>, route: Option<&SipRouteEntry>) -> Result<OwnMedia, Outcome> {
        let both = vec![Codec::Pcma, Codec::Pcmu];
        let codecs = route.map_or_else(|| both.clone(), SipRouteEntry::codecs);
        let anchored = self.caller.answered && self.caller.side.is_some();
        if anchored || route.is_some_and(SipRouteEntry::is_forced_gateway) {
            let refused = |status| Outcome::Refused { status, reason: None, warning: None };
            if !self.caller.answered
                && let Some(offer) = &self.caller.theirs
            {
                Side::can_answer(offer, &both).map_err(|_| refused(488))?;
            }
            let no_port = |_| Outcome::NoCircuit;
            if self.caller.side.is_none() {
                let mut side = Side::open(scene, both).map_err(no_port)?;
                side.serves(self.caller.dialog, &self.caller.party.kind);
                self.caller.side = Some(side);
            }
            let mut side = Side::open(scene, codecs).map_err(no_port)?;
            let body = side.offer(None);
            return Ok((Some(side), Some(body), None));
        }
        let Some(theirs) = &self.caller.theirs else { return Ok((None, None, None)) };
        let mut offer = if self.caller.answered { describe::awake(theirs) } else { theirs.clone() };
        if route.is_some() {
            describe::restrict(&mut offer, &codecs);
        }
        // The dialog has no number yet: the call's own names the session.
        offer.origin.username = "-".into();
        offer.origin.session_id = format!("{}{:03}", self.id, self.setup.as_ref().map_or(0, |setup| setup.forks.len()));
        offer.origin.version = "1".into();
        Ok((None, Some(Body::sdp(offer.to_bytes())), Some(offer)))
    }

    fn plan(
        &self,
        from: NameAddr,
        to: NameAddr,
        headers: Headers,
        body: Option<Body>,
        listener: ListenerId,
        policy: TargetPolicy,
    ) -> OutgoingCall {
        let mut plan = OutgoingCall::new(from, to, body, listener);
        plan.headers = headers;
        plan.policy = policy;
        plan
    }

    /// Sends an INVITE; `false` if the endpoint takes no more calls.
    fn invite(
        &mut self,
        scene: &mut Scene<'_>,
        mut plan: OutgoingCall,
        party: Party,
        mut side: Option<Side>,
        ours: Option<sdp::Session>,
    ) -> bool {
        match scene.core.endpoint.invite(plan.clone(), scene.now.instant) {
            Ok(dialog) => {
                scene.index.insert(dialog, self.id, Role::Fork, &party.kind);
                // RFC 3261 8.1.3.4: a redirected INVITE should keep its Call-ID.
                plan.call_id = scene.core.endpoint.call_info(dialog).map(|info| info.call_id);
                if let Some(side) = &mut side {
                    side.serves(dialog, &party.kind);
                }
                let leg = Leg { dialog, party, answered: false, theirs: None, ours, side };
                let redirects = Redirects::starting(&plan.request_uri);
                if let Some(setup) = &mut self.setup {
                    setup.forks.push(Fork { leg, plan, redirects });
                }
                true
            }
            Err(error) => {
                tracing::warn!(%error, "no new leg");
                if let Some(side) = side {
                    side.close(scene);
                }
                false
            }
        }
    }

    pub fn fork_progresses(&mut self, scene: &mut Scene<'_>, dialog: CallRef, response: &Response) {
        // The description in a provisional response is not passed on: this target may be given up for another, and the
        // caller sees one dialog only.
        if !matches!(response.status, 180 | 182 | 183) {
            return;
        }
        let Some(setup) = &mut self.setup else { return };
        let Some(party) = setup.fork(dialog).map(|fork| fork.leg.party.clone()) else { return };
        if std::mem::replace(&mut setup.rang, true) {
            return;
        }
        let purpose = setup.purpose;
        scene.core.emit(scene.now, Event::CallRinging { call: self.id, at: party.number.clone() });
        match purpose {
            Purpose::Answer => {
                let (caller, now, headers) = (self.caller.dialog, scene.now.instant, connected(scene.core, &party));
                // Over already: the caller's CANCEL is on its way to us.
                let _ = scene.core.endpoint.progress(caller, 180, &headers, None, now);
            }
            Purpose::Transfer { notify } => self.tell_transferor(scene, notify, 180, false),
        }
    }

    pub fn fork_rejected(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        response: &Response,
        failure: Option<Failure>,
    ) {
        let Some(setup) = &mut self.setup else { return };
        let Some(fork) = setup.take_fork(dialog) else { return };
        scene.index.remove(dialog);
        let trunk = match fork.leg.party.kind {
            PartyKind::Route(route) => Some(route),
            PartyKind::Extension(_) => None,
        };
        if failure.is_none() && (300..400).contains(&response.status) {
            return self.redirected(scene, fork, response);
        }
        let outcome = match failure {
            Some(_) if trunk.is_some() => Outcome::TrunkFailed,
            Some(_) => Outcome::Unavailable,
            None => Outcome::of(response.status, &response.headers, trunk.is_some()),
        };
        if let Some(route) = trunk.filter(|_| outcome == Outcome::TrunkFailed) {
            let reason = match failure {
                Some(failure) => failure.to_string(),
                None => format!("the peer answered {} {}", response.status, response.reason),
            };
            scene.core.emit(scene.now, Event::RouteUnavailable { route, reason });
        }
        self.fork_failed(scene, fork, outcome);
    }

    /// A fork's dialog ended without a final response to be told of.
    pub fn fork_lost(&mut self, scene: &mut Scene<'_>, dialog: CallRef) {
        if let Some(fork) = self.setup.as_mut().and_then(|setup| setup.take_fork(dialog)) {
            self.fork_failed(scene, fork, Outcome::Unavailable);
        }
    }

    /// A fork is given up: its redirect's other targets, the other forks, or the next stop.
    pub fn fork_failed(&mut self, scene: &mut Scene<'_>, mut fork: Fork, outcome: Outcome) {
        if outcome.is_trunks_fault()
            && let Some(next) = fork.redirects.alternative()
        {
            return self.follow(scene, fork, next);
        }
        if let Some(side) = fork.leg.side {
            side.close(scene);
        }
        let declined = outcome == Outcome::Declined;
        if declined {
            // RFC 3261 16.7 step 5: one phone speaks for all of them.
            self.drop_forks(scene);
        }
        let Some(setup) = &mut self.setup else { return };
        if setup.worst.as_ref().is_none_or(|worst| outcome.rank() >= worst.rank()) {
            setup.worst = Some(outcome);
        }
        if setup.forks.is_empty() {
            let outcome = setup.worst.take().unwrap_or(Outcome::Unavailable);
            self.stop_failed(scene, outcome);
        }
    }

    /// Nobody at this stop answered.
    fn stop_failed(&mut self, scene: &mut Scene<'_>, outcome: Outcome) {
        let Some(setup) = &mut self.setup else { return };
        let more = matches!(&setup.stop, Stop::Route { choices } if !choices.is_empty());
        let outcome = if more && outcome.is_trunks_fault() {
            match self.seize(scene) {
                Ok(()) => return,
                Err(outcome) => outcome,
            }
        } else {
            outcome
        };
        if let Some(setup) = &mut self.setup {
            let step = setup.itinerary.failed(&scene.core.configuration, outcome);
            self.proceed(scene, step);
        }
    }

    /// The ring time of this stop is over.
    pub fn ring_time_over(&mut self, scene: &mut Scene<'_>) {
        self.drop_forks(scene);
        if let Some(setup) = &mut self.setup {
            setup.ring_until = None;
            let step = setup.itinerary.failed(&scene.core.configuration, Outcome::NoAnswer);
            self.proceed(scene, step);
        }
    }

    /// A phone, or the trunk's peer, names a number of ours to go to.
    pub fn deflect(&mut self, scene: &mut Scene<'_>, from: &str, to: &str, reason: sip::diversion::DiversionReason) {
        self.drop_forks(scene);
        let Some(setup) = &mut self.setup else { return };
        let from = match &setup.stop {
            Stop::Extension(extension) => extension.clone(),
            _ => from.to_owned(),
        };
        let step = match crate::numbers::Digits::parse(to) {
            Ok(to) => setup.itinerary.deflected(&scene.core.configuration, &from, &to, reason),
            Err(_) => setup.itinerary.failed(&scene.core.configuration, Outcome::Vacant),
        };
        self.proceed(scene, step);
    }

    /// Gives up everybody who is being called.
    pub fn drop_forks(&mut self, scene: &mut Scene<'_>) {
        self.drop_forks_because(scene, &Headers::new());
    }

    /// The same, told why.
    pub fn drop_forks_because(&mut self, scene: &mut Scene<'_>, headers: &Headers) {
        let forks = self.setup.as_mut().map(|setup| std::mem::take(&mut setup.forks)).unwrap_or_default();
        for fork in forks {
            scene.index.remove(fork.leg.dialog);
            // A 200 that crosses the CANCEL is ended by the endpoint.
            let _ = scene.core.endpoint.hangup(fork.leg.dialog, headers, scene.now.instant);
            if let Some(side) = fork.leg.side {
                side.close(scene);
            }
        }
    }

    /// Nothing is left to try.
    fn finish(&mut self, scene: &mut Scene<'_>, outcome: &Outcome) {
        let (status, headers) = outcome.answer();
        match self.setup.take().map(|setup| setup.purpose) {
            Some(Purpose::Transfer { notify }) => self.transfer_failed(scene, notify, status),
            _ => {
                let dialog = self.caller.dialog;
                scene.index.remove(dialog);
                let _ = scene.core.endpoint.reject(dialog, status, &headers, scene.now.instant);
                if let Some(side) = self.caller.side.take() {
                    side.close(scene);
                }
                self.ended = true;
                self.tell_end(scene, outcome.cause(), Some(status));
            }
        }
    }
}
