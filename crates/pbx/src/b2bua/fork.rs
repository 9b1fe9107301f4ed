//! What happens to those who are being called: they ring, refuse, are given up.

use super::Scene;
use super::call::{Call, PartyKind};
use super::identity::connected;
use super::ring::CALL_WAITING;
use super::servers::Servers;
use super::setup::{Fork, Purpose};
use crate::diversion::Outcome;
use event::Event;
use sip::endpoint::{CallRef, Failure};
use sip::flow::Flow;
use sip::{Headers, Name, Response};

impl Call {
    pub fn fork_progresses(&mut self, scene: &mut Scene<'_>, dialog: CallRef, response: &Response) {
        if !matches!(response.status, 180 | 182 | 183) {
            return;
        }
        let early = self.early_media(scene, dialog, response);
        let Some(setup) = &mut self.setup else { return };
        let Some(fork) = setup.fork(dialog) else { return };
        let (party, waits) = (fork.leg.party.clone(), fork.plan.headers.has(&Name::AlertInfo));
        if let PartyKind::Route(route) = party.kind {
            scene.core.health.called(route, true, scene.now.instant);
        }
        let first = !std::mem::replace(&mut setup.rang, true);
        // The caller is told once that it rings; a progress with media comes before that, or instead of it.
        let alerts = early.is_none() && (first || response.status == 180) && !setup.alerted;
        setup.alerted |= alerts || response.status == 180;
        let purpose = setup.purpose;
        if first {
            scene.core.emit(scene.now, Event::CallRinging { call: self.id, at: party.number.clone() });
        }
        let (caller, now, mut headers) = (self.caller.dialog, scene.now.instant, connected(scene.core, &party));
        if waits {
            headers.push(Name::AlertInfo, CALL_WAITING);
        }
        match (purpose, early) {
            // Over already: the caller's CANCEL is on its way to us.
            (Purpose::Answer, Some(body)) => {
                let status = if response.status == 180 { 180 } else { 183 };
                let _ = scene.core.endpoint.preview(caller, status, &headers, Some(body), now);
            }
            (Purpose::Answer, None) if alerts => {
                let _ = scene.core.endpoint.progress(caller, 180, &headers, None, now);
            }
            (Purpose::Answer, None) => {}
            (Purpose::Transfer { notify }, _) if first => {
                self.tell_transferor(scene, notify, 180, false);
                self.sound_ringback(scene);
            }
            (Purpose::Transfer { .. }, _) => {}
        }
    }

    /// A system of the house that is called has said nothing yet.
    pub fn sounds_like_ringing(&mut self, scene: &mut Scene<'_>) {
        let Some(setup) = &mut self.setup else { return };
        setup.alert_at = None;
        if setup.purpose == Purpose::Answer && !setup.alerted && setup.previewed.is_none() {
            setup.alerted = true;
            let _ = scene.core.endpoint.progress(self.caller.dialog, 180, &Headers::new(), None, scene.now.instant);
        }
    }

    pub fn fork_rejected(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        response: &Response,
        failure: Option<Failure>,
        (flow, others): (Option<&Flow>, usize),
    ) {
        let Some(setup) = &mut self.setup else { return };
        let Some(mut fork) = setup.take_fork(dialog) else { return };
        scene.index.remove(dialog);
        let trunk = match fork.leg.party.kind {
            PartyKind::Route(route) => Some(route),
            PartyKind::Extension(_) => None,
        };
        if failure.is_none() && (300..400).contains(&response.status) {
            Servers::redirected(&mut fork, flow, others);
            return self.redirected(scene, fork, response);
        }
        let outcome = match failure {
            Some(_) if trunk.is_some() => Outcome::TrunkFailed,
            Some(_) => Outcome::Unavailable,
            None => Outcome::of(response.status, &response.headers, trunk.is_some()),
        };
        if outcome.is_trunks_fault() {
            fork = match self.next_server(scene, fork) {
                None => return,
                Some(fork) => fork,
            };
        }
        if let Some(route) = trunk.filter(|_| outcome == Outcome::TrunkFailed) {
            let reason = match failure {
                Some(failure) => failure.to_string(),
                None if matches!(response.status, 401 | 407) => {
                    format!("the peer answered {}: mend -authname, -password or -realm of the route", response.status)
                }
                None => format!("the peer answered {} {}", response.status, response.reason),
            };
            scene.core.health.called(route, false, scene.now.instant);
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

    /// A fork is given up: its redirect's other targets, its number's other ways, the other forks, or the next stop.
    pub fn fork_failed(&mut self, scene: &mut Scene<'_>, mut fork: Fork, mut outcome: Outcome) {
        if outcome.is_trunks_fault()
            && let Some(next) = fork.redirects.alternative()
        {
            return self.follow(scene, fork, next);
        }
        if let Some(side) = fork.leg.side {
            side.close(scene);
        }
        // Who calls for help is not told that one of the ways there was busy.
        let emergency = fork.choices.front().is_some_and(|choice| choice.emergency);
        if (outcome.is_trunks_fault() || emergency) && !fork.choices.is_empty() {
            match self.ring_outside(scene, fork.leg.party.telephone_of, fork.choices) {
                Ok(()) => return,
                Err(failure) => outcome = failure,
            }
        } else if outcome == Outcome::Declined
            && let PartyKind::Extension(extension) = &fork.leg.party.kind
        {
            // RFC 3261 16.7 step 5: one phone speaks for its person's others; nobody speaks for other people.
            let extension = extension.clone();
            self.drop_forks_where(
                scene,
                &Headers::new(),
                |fork| matches!(&fork.leg.party.kind, PartyKind::Extension(other) if *other == extension),
            );
        }
        let Some(setup) = &mut self.setup else { return };
        setup.note(outcome);
        if setup.forks.is_empty() {
            let outcome = setup.worst.take().unwrap_or(Outcome::Unavailable);
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
        let step = match crate::numbers::Digits::parse(to) {
            Ok(to) => setup.itinerary.deflected(&scene.core.configuration, from, &to, reason),
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
        self.drop_forks_where(scene, headers, |_| true);
    }

    fn drop_forks_where(&mut self, scene: &mut Scene<'_>, headers: &Headers, goes: impl Fn(&Fork) -> bool) {
        let Some(setup) = &mut self.setup else { return };
        let (forks, stay) = std::mem::take(&mut setup.forks).into_iter().partition(goes);
        setup.forks = stay;
        let forks: Vec<Fork> = forks;
        for fork in forks {
            scene.index.remove(fork.leg.dialog);
            // A 200 that crosses the CANCEL is ended by the endpoint.
            let _ = scene.core.endpoint.hangup(fork.leg.dialog, headers, scene.now.instant);
            if let Some(side) = fork.leg.side {
                side.close(scene);
            }
        }
    }
}
