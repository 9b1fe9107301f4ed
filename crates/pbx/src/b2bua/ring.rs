//! Calling somebody: one stop of the itinerary after another, each with its targets side by side, until somebody answers.

use super::call::{Call, Leg, Party, PartyKind};
use super::forced_gateway::{Side, has_inband_keys};
use super::identity::{Outward, introduce};
use super::media_security;
use super::redirect::Redirects;
use super::setup::{Fork, Purpose};
use super::target::{self, Contact, Target};
use super::{Role, Scene, describe};
use crate::alarms::AlarmKind;
use crate::diversion::{Outcome, Step};
use crate::numbers::Choice;
use crate::routes::{Service, SipRouteEntry};
use crate::system::Licence;
use event::Event;
use sdp::Codec;
use sip::endpoint::{Body, OutgoingCall};
use sip::{Name, NameAddr, Transport, Uri};
use std::collections::VecDeque;
use std::time::Duration;

/// How long phones ring when neither list nor diversion says.
const RING_LIMIT: Duration = Duration::from_secs(180);

/// When a system of the house has said nothing for so long, the caller hears ringing: it may be dead, and another be
/// tried.
const ALERT_AFTER: Duration = Duration::from_secs(1);

/// RFC 7462 9.1: the phone beeps in the call that it is in; the caller's may say that it waits.
pub(super) const CALL_WAITING: &str = "<urn:alert:service:call-waiting>";

/// Our part of a new leg's media: the side at the gateway, the offer, and what it describes (direct media).
type OwnMedia = (Option<Side>, Option<Body>, Option<sdp::Session>);

/// Whether a route takes one more call; if not, that is told.
pub(super) fn has_individual(scene: &mut Scene<'_>, route: u32) -> bool {
    let all = scene.core.configuration.routes.get(&route).map_or(0, |route| route.individuals());
    let limit = scene.core.configuration.system.limits.get(&Licence::SipTrunkChannels).copied();
    let shared = |number: usize| usize::try_from(scene.core.chance.shared(number as u64)).unwrap_or(usize::MAX);
    let (channels, used) = (shared(scene.index.channels()), shared(scene.index.used(route)));
    let limited = limit.is_some_and(|limit| channels >= usize::try_from(limit).unwrap_or(usize::MAX));
    let (kind, reason) = if used >= all {
        (AlarmKind::RouteCongested, format!("all {all} trunk individuals are taken"))
    } else if limited {
        let limit = limit.unwrap_or_default();
        (AlarmKind::LicenceLimit, format!("licence SIP_TRUNK_CHANNELS allows {limit} calls on routes at once"))
    } else {
        return true;
    };
    scene.core.raise(scene.now, kind, &format!("route {route}"), &reason);
    scene.core.emit(scene.now, Event::RouteUnavailable { route, reason });
    false
}

/// Of two failures the one that says more about whom was called.
fn worse(a: Option<Outcome>, b: Option<Outcome>) -> Option<Outcome> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.rank() >= a.rank() { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// Routes that are down are tried when nothing else is left.
fn working_first(scene: &Scene<'_>, choices: VecDeque<Choice>) -> VecDeque<Choice> {
    let down = |choice: &Choice| {
        let down = scene.core.health.is_down(choice.route, scene.now.instant);
        scene.core.chance.shared(down.into()) != 0
    };
    let (last, mut first): (VecDeque<Choice>, VecDeque<Choice>) = choices.into_iter().partition(down);
    first.extend(last);
    first
}

impl Call {
    /// Does what the itinerary says, until somebody is being called or nothing is left.
    pub fn proceed(&mut self, scene: &mut Scene<'_>, mut step: Step) {
        loop {
            self.tell_diversion(scene);
            let started = match step {
                Step::Finish(outcome) => return self.finish(scene, &outcome),
                Step::Ring { extensions, time } => self.ring(scene, &extensions, time),
                Step::Hunt { group } => {
                    let turn = scene.core.turn_of(&group);
                    let Some(setup) = &mut self.setup else { return };
                    step = setup.itinerary.hunt(&scene.core.configuration, &group, turn);
                    continue;
                }
                Step::Seize { choices, time, .. } => {
                    let extension = self.one_call_owner(scene);
                    let target = Target::Outside { extension, choices: choices.into() };
                    self.ring_all(scene, vec![target], None, time)
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

    /// Rings all telephones of these extensions.
    fn ring(&mut self, scene: &mut Scene<'_>, extensions: &[String], time: Option<Duration>) -> Result<(), Outcome> {
        let (mut targets, mut failure) = (Vec::new(), None::<Outcome>);
        for extension in extensions {
            let outcome = match self.free(scene, extension) {
                Ok(waits) => {
                    let found =
                        target::of_extension(scene.core, extension, (waits, &self.caller.party), scene.now.instant);
                    let nobody = found.is_empty().then_some(Outcome::Unavailable);
                    targets.extend(found);
                    nobody
                }
                Err(outcome) => Some(outcome),
            };
            failure = worse(failure, outcome);
        }
        self.ring_all(scene, targets, failure, time)
    }

    /// Whether an extension takes one more call; `Ok(true)`: while it is in another one.
    fn free(&self, scene: &Scene<'_>, extension: &str) -> Result<bool, Outcome> {
        let Some(entry) = scene.core.configuration.extensions.get(extension) else { return Err(Outcome::Unavailable) };
        if entry.do_not_disturb {
            return Err(Outcome::DoNotDisturb);
        }
        let used = scene.core.chance.shared(scene.index.lines(extension, self.id) as u64);
        let used = usize::try_from(used).unwrap_or(usize::MAX);
        let lines = match entry.free_on_second_line {
            0..=2 => usize::try_from(entry.free_on_second_line).unwrap_or_default().saturating_add(1),
            _ => usize::MAX,
        };
        if used >= lines || (used > 0 && !self.may_wait(scene)) {
            return Err(Outcome::Busy);
        }
        Ok(used > 0)
    }

    /// Whether the caller's call may wait at a busy extension: of a route its category says so (SERV, first digit: 1
    /// and 3 may send call waiting).
    fn may_wait(&self, scene: &Scene<'_>) -> bool {
        let PartyKind::Route(route) = self.caller.party.kind else { return true };
        let category = scene.core.configuration.routes.get(&route).and_then(|route| route.category.get("SERV"));
        category.and_then(|serv| serv.as_bytes().first()).is_none_or(|digit| matches!(digit, b'1' | b'3'))
    }

    /// Whose call list has brought the call here by a position that takes one call at a time.
    fn one_call_owner(&self, scene: &Scene<'_>) -> Option<String> {
        self.setup.as_ref()?.itinerary.one_call_owner(&scene.core.configuration)
    }

    /// Rings all targets side by side; `failure` is what those came to that were not even rung. An error when nobody
    /// could be rung.
    fn ring_all(
        &mut self,
        scene: &mut Scene<'_>,
        targets: Vec<Target>,
        mut failure: Option<Outcome>,
        time: Option<Duration>,
    ) -> Result<(), Outcome> {
        let lines = |owner: String| scene.core.chance.shared(scene.index.lines(&owner, self.id) as u64);
        if self.one_call_owner(scene).is_some_and(|owner| lines(owner) > 0) {
            return Err(Outcome::Busy);
        }
        let Some(setup) = &mut self.setup else { return Err(Outcome::Unavailable) };
        setup.ring_until = scene.now.instant.checked_add(time.unwrap_or(RING_LIMIT));
        setup.alert_at = None;
        for target in targets {
            failure = worse(failure, self.ring_target(scene, target).err());
        }
        let Some(setup) = &mut self.setup else { return Err(Outcome::Unavailable) };
        if setup.forks.is_empty() {
            return Err(failure.unwrap_or(Outcome::Unavailable));
        }
        setup.worst = failure;
        Ok(())
    }

    fn ring_target(&mut self, scene: &mut Scene<'_>, target: Target) -> Result<(), Outcome> {
        match target {
            Target::Contact(contact) => self.ring_contact(scene, contact),
            Target::Outside { extension, choices } => {
                let choices = working_first(scene, choices);
                self.ring_outside(scene, extension, choices)
            }
        }
    }

    fn ring_contact(&mut self, scene: &mut Scene<'_>, contact: Contact) -> Result<(), Outcome> {
        let Contact { extension, uri, next_hop, listener, waits } = contact;
        let forced = scene.core.configuration.profile_of(&extension).forced_gateway()
            || has_inband_keys(scene.core, &PartyKind::Extension(extension.clone()));
        let (side, body, ours) =
            self.media_for(scene, None, &PartyKind::Extension(extension.clone()), (forced, false))?;
        let Some(setup) = &self.setup else { return Err(Outcome::Unavailable) };
        let (from, mut headers) = introduce(scene.core, &self.caller.party, setup, None);
        if waits {
            headers.push(Name::AlertInfo, CALL_WAITING);
        }
        let to = NameAddr::new(scene.core.uri(&extension));
        let mut plan = OutgoingCall::new(from, to, body, listener);
        plan.headers = headers;
        plan.request_uri = uri;
        plan.next_hop = Some(next_hop);
        let party = Party {
            number: extension.clone(),
            name: scene.core.name_of(&extension),
            kind: PartyKind::Extension(extension),
            telephone_of: None,
            hidden: false,
        };
        if self.invite(scene, plan, party, side, ours, VecDeque::new()) { Ok(()) } else { Err(Outcome::Unavailable) }
    }

    /// Takes the first of these ways that has room.
    pub fn ring_outside(
        &mut self,
        scene: &mut Scene<'_>,
        extension: Option<String>,
        mut choices: VecDeque<Choice>,
    ) -> Result<(), Outcome> {
        let mut failure = Outcome::TrunkFailed;
        while let Some(choice) = choices.pop_front() {
            let route = scene.core.configuration.routes.get(&choice.route).and_then(|route| route.sip.clone());
            let Some(route) = route else { continue };
            // An emergency call goes out beyond the count: the individuals are the node's own limit.
            if !choice.emergency && !has_individual(scene, choice.route) {
                failure = Outcome::NoCircuit;
                continue;
            }
            match self.take_route(scene, &extension, &choice, &route, choices.clone()) {
                Ok(()) => return Ok(()),
                Err(outcome) => failure = outcome,
            }
        }
        Err(failure)
    }

    fn take_route(
        &mut self,
        scene: &mut Scene<'_>,
        extension: &Option<String>,
        choice: &Choice,
        route: &SipRouteEntry,
        others: VecDeque<Choice>,
    ) -> Result<(), Outcome> {
        if route.transport() == Transport::Tls && !scene.core.speaks_tls {
            let reason =
                "the node has no TLS port: give node.toml a [tls] table, or the route -protocol tcp".to_owned();
            scene.core.emit(scene.now, Event::RouteUnavailable { route: choice.route, reason });
            return Err(Outcome::TrunkFailed);
        }
        // Who calls a mobile telephone may have an address of its own on the route.
        let mobile = extension.is_some();
        let uri = route.request_uri(&choice.digits, choice.types, mobile).ok_or(Outcome::TrunkFailed)?;
        let kind = PartyKind::Route(choice.route);
        let (side, body, ours) = self.media_for(scene, Some(route), &kind, (false, choice.emergency))?;
        let Some(setup) = &self.setup else { return Err(Outcome::TrunkFailed) };
        let (from, headers) =
            introduce(scene.core, &self.caller.party, setup, Some(Outward { route, choice, uri: &uri, mobile }));
        let to = NameAddr::new(Uri { params: sip::Params::for_uri(), ..uri.clone() });
        let mut plan = OutgoingCall::new(from, to, body, scene.core.listener);
        plan.headers = headers;
        plan.policy = route.policy();
        plan.next_hop = route.next_hop(&uri);
        plan.route = route.route();
        plan.peer_name = route.peername.as_deref().map(Into::into);
        plan.urgent = choice.emergency;
        plan.login = scene.core.vault.login(choice.route, route);
        plan.request_uri = uri;
        let party = Party {
            number: choice.digits.clone(),
            name: String::new(),
            kind: PartyKind::Route(choice.route),
            telephone_of: extension.clone(),
            hidden: false,
        };
        if !self.invite(scene, plan, party, side, ours, others) {
            return Err(Outcome::TrunkFailed);
        }
        // The public network says itself what its callers are to hear.
        let own_system = route.service() == Service::PrivateServices && !choice.emergency;
        if let Some(setup) = self.setup.as_mut().filter(|setup| own_system && !setup.rang) {
            setup.alert_at = scene.now.instant.checked_add(ALERT_AFTER);
        }
        if choice.emergency {
            let (call, from, to) = (self.id, self.caller.party.number.clone(), self.dialled.clone());
            let (subject, text) =
                (format!("emergency call from {from}"), format!("{to} was called, by route {}", choice.route));
            scene.core.emit(scene.now, Event::EmergencyCall { call, from, to, route: choice.route });
            // Also for whoever was not looking when it happened.
            scene.core.raise(scene.now, AlarmKind::EmergencyCall, &subject, &text);
        }
        Ok(())
    }

    /// The offer for a new leg: the caller's own (direct media), or the node's. Nothing for a caller who made none.
    fn media_for(
        &mut self,
        scene: &mut Scene<'_>,
        route: Option<&SipRouteEntry>,
        kind: &PartyKind,
        // By the node in any case; a call for help.
        (forced, emergency): (bool, bool),
    ) -> Result<OwnMedia, Outcome> {
        let encrypted = |kind| media_security::policy(scene.core, kind).is_some();
        let own = |extension| scene.core.configuration.profile_of(extension).forced_gateway();
        let forced = forced
            || self.caller.party.extension().is_some_and(own)
            || has_inband_keys(scene.core, &self.caller.party.kind)
            // Each party has keys with the node, and need not know how the other speaks.
            || encrypted(&self.caller.party.kind)
            || encrypted(kind);
        let both = vec![Codec::Pcma, Codec::Pcmu];
        let codecs = route.map_or_else(|| both.clone(), SipRouteEntry::codecs);
        let anchored = self.caller.answered && self.caller.side.is_some();
        if anchored || forced || route.is_some_and(SipRouteEntry::is_forced_gateway) {
            if !self.caller.answered
                && let Some(offer) = &self.caller.theirs
                && let Err(error) = media_security::check(scene.core, &self.caller.party.kind, offer, &both)
                && !(emergency && media_security::is_about_encryption(error))
            {
                let reason = error.to_string();
                self.tell_refused(scene, &self.caller.party.number, &reason);
                let warning = Some(media_security::warning(scene.core, &reason));
                return Err(Outcome::Refused { status: 488, reason: None, warning });
            }
            let no_port = |_| Outcome::NoCircuit;
            if self.caller.side.is_none() {
                let mut side = Side::open(scene, &self.caller.party.kind, both).map_err(no_port)?;
                if emergency {
                    side.relax();
                }
                side.serves(scene.core, self.caller.dialog, &self.caller.party.kind);
                self.caller.side = Some(side);
            }
            let mut side = Side::open(scene, kind, codecs).map_err(no_port)?;
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

    /// Sends an INVITE; `false` if the endpoint takes no more calls.
    fn invite(
        &mut self,
        scene: &mut Scene<'_>,
        mut plan: OutgoingCall,
        party: Party,
        mut side: Option<Side>,
        ours: Option<sdp::Session>,
        choices: VecDeque<Choice>,
    ) -> bool {
        match scene.core.endpoint.invite(plan.clone(), scene.now.instant) {
            Ok(dialog) => {
                scene.index.insert(dialog, self.id, Role::Fork, &party);
                // RFC 3261 8.1.3.4: a redirected INVITE should keep its Call-ID.
                plan.call_id = scene.core.endpoint.call_info(dialog).map(|info| info.call_id);
                if let Some(side) = &mut side {
                    side.serves(scene.core, dialog, &party.kind);
                }
                self.reached = Some(party.clone());
                let leg = Leg { dialog, party, answered: false, theirs: None, ours, side };
                let redirects = Redirects::starting(&plan.request_uri);
                let delay = leg.party.telephone_of.as_ref().and_then(|dir| {
                    Some(scene.core.configuration.extensions.get(dir)?.mobile.as_ref()?.min_answer_delay())
                });
                let not_before = delay.and_then(|delay| scene.now.instant.checked_add(delay));
                if let Some(setup) = &mut self.setup {
                    setup.forks.push(Fork { leg, plan, redirects, servers: None, choices, not_before });
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
