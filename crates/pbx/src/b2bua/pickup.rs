//! Taking somebody else's place in a call: call pickup by service code, and INVITE with Replaces (RFC 3891).

use super::call::{Call, Leg, PartyKind};
use super::forced_gateway::Side;
use super::identity::connected;
use super::setup::Purpose;
use super::{Calls, Role, Scene};
use crate::configuration::Configuration;
use event::Event;
use sdp::Codec;
use sip::header::{Reason, Replaces};
use sip::{Headers, Name};

/// What a newcomer takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A call that rings: the newcomer answers it.
    Ringing,
    /// This party's place in a call that is going on.
    Of(Role),
}

impl Calls {
    /// A phone wants the call that rings at another phone of its extension, or at a colleague of its group; the one
    /// that rings longest.
    pub(super) fn pick_up(&mut self, scene: &mut Scene<'_>, leg: Leg) {
        let own = leg.party.number.clone();
        let rings_at = |call: &Call, is: &dyn Fn(&str) -> bool| {
            let forks = call.setup.iter().filter(|setup| setup.rang).flat_map(|setup| &setup.forks);
            let caller = call.caller.party.extension() != Some(&own);
            caller && forks.into_iter().any(|fork| fork.leg.party.extension().is_some_and(is))
        };
        let configuration = &scene.core.configuration;
        let find = |is: &dyn Fn(&str) -> bool| self.calls.values().find(|call| rings_at(call, is)).map(|call| call.id);
        let found = find(&|at| at == own).or_else(|| find(&|at| are_mates(configuration, at, &own)));
        match found {
            Some(call) => self.take_place(scene, call, Place::Ringing, leg),
            None => refuse(scene, &leg, 404),
        }
    }

    /// An INVITE with Replaces. What it names must be a dialog of the node's, and the newcomer must have a right to it.
    pub(super) fn replace(
        &mut self,
        scene: &mut Scene<'_>,
        replaces: &Replaces,
        referred_by: Option<String>,
        leg: Leg,
    ) {
        let place = self.place_for(scene, replaces, referred_by.as_deref(), &leg);
        // It was read of another call: the journal keeps how that stood.
        let refusal = scene.core.chance.shared(place.err().map_or(0, u64::from));
        match place {
            Ok((call, place)) if refusal == 0 => self.take_place(scene, call, place, leg),
            _ => refuse(scene, &leg, u16::try_from(refusal).ok().filter(|status| *status != 0).unwrap_or(481)),
        }
    }

    /// The call and the place that a newcomer may take; else the status that refuses it.
    fn place_for(
        &self,
        scene: &Scene<'_>,
        replaces: &Replaces,
        referred_by: Option<&str>,
        leg: &Leg,
    ) -> Result<(u64, Place), u16> {
        let found = scene.core.endpoint.find_call(&replaces.call_id, &replaces.to_tag, &replaces.from_tag);
        // RFC 3891 3: no such dialog.
        let entry = found.and_then(|dialog| scene.index.entries.get(&dialog)).ok_or(481u16)?;
        let confirmed = self.calls.get(&entry.call).is_some_and(|call| call.callee.is_some() && call.caller.answered);
        let place = match entry.role {
            Role::Fork => Place::Ringing,
            // RFC 3891 3: an early dialog can be replaced only at who made it; that is not the node here.
            Role::Caller | Role::Callee if !confirmed => return Err(481),
            Role::Leaving => return Err(481),
            Role::Caller | Role::Callee if replaces.early_only => return Err(486),
            role => Place::Of(role),
        };
        let replaced = entry.extension.clone().unwrap_or_default();
        let may = match (&leg.party.kind, place) {
            // A trunk's peer is trusted with what it says, and who the dialog belongs to is its own matter.
            (PartyKind::Route(_), _) => true,
            (PartyKind::Extension(own), Place::Ringing) => {
                *own == replaced || are_mates(&scene.core.configuration, own, &replaced)
            }
            // Somebody else comes in only when sent by the one whose place it is (RFC 3892).
            (PartyKind::Extension(own), Place::Of(_)) => {
                *own == replaced || referred_by.is_some_and(|by| !by.is_empty() && by == replaced)
            }
        };
        if may { Ok((entry.call, place)) } else { Err(403) }
    }

    fn take_place(&mut self, scene: &mut Scene<'_>, id: u64, place: Place, leg: Leg) {
        let Some(mut call) = self.calls.remove(&id) else { return refuse(scene, &leg, 481) };
        if let Some(at) = call.timer {
            self.timers.remove(&(at, id));
        }
        call.newcomer(scene, place, leg);
        self.put_back(call);
    }
}

/// Whether two extensions may take each other's calls: both are in one pickup group or hunt group.
pub(super) fn are_mates(configuration: &Configuration, a: &str, b: &str) -> bool {
    let picks = configuration.pickup_groups.values();
    let hunts = configuration.hunt_groups.values();
    picks.into_iter().any(|group| group.members.contains(a) && group.members.contains(b))
        || hunts.into_iter().any(|group| {
            let member = |dir: &str| group.members.iter().any(|member| member.dir == dir);
            member(a) && member(b)
        })
}

fn refuse(scene: &mut Scene<'_>, leg: &Leg, status: u16) {
    // Gone already: the phone gave up.
    let _ = scene.core.endpoint.reject(leg.dialog, status, &Headers::new(), scene.now.instant);
}

impl Call {
    /// Somebody comes in at a place. Two INVITEs with an offer each meet here, so the media passes the node.
    fn newcomer(&mut self, scene: &mut Scene<'_>, place: Place, mut leg: Leg) {
        let now = scene.now.instant;
        let Some(offer) = leg.theirs.clone() else { return refuse(scene, &leg, 488) };
        let opened = Side::open(scene, &leg.party.kind, vec![Codec::Pcma, Codec::Pcmu]);
        let Ok(mut side) = opened else { return refuse(scene, &leg, 480) };
        side.serves(scene.core, leg.dialog, &leg.party.kind);
        let Ok(body) = side.answer(scene, &offer, None) else {
            side.close(scene);
            return refuse(scene, &leg, 488);
        };
        leg.side = Some(side);
        leg.answered = true;
        if let Place::Of(Role::Caller) = place {
            self.swap(scene);
        }
        let other = connected(scene.core, &self.caller.party);
        let _ = scene.core.endpoint.accept(leg.dialog, &other, Some(body), now);
        scene.index.insert(leg.dialog, self.id, Role::Callee, &leg.party);
        scene.core.emit(scene.now, Event::CallAnswered { call: self.id, at: leg.party.number.clone() });
        match place {
            Place::Ringing => {
                let Some(purpose) = self.setup.as_ref().map(|setup| setup.purpose) else { return };
                // RFC 3326: the phone that rang shows no missed call.
                let mut elsewhere = Headers::new();
                elsewhere.push(Name::Reason, Reason::sip(200, "Call completed elsewhere").to_string());
                self.drop_forks_because(scene, &elsewhere);
                self.answered.get_or_insert(scene.now);
                if purpose == Purpose::Answer && self.caller.side.is_none() {
                    let opened = Side::open(scene, &self.caller.party.kind, vec![Codec::Pcma, Codec::Pcmu]);
                    let Ok(mut side) = opened else {
                        self.callee = Some(leg);
                        return self.end(scene, None, "no-media-port", Some(480), None);
                    };
                    side.serves(scene.core, self.caller.dialog, &self.caller.party.kind);
                    self.caller.side = Some(side);
                }
                self.connect(scene, leg, purpose, &offer, false);
            }
            Place::Of(_) => {
                if let Some(replaced) = self.callee.replace(leg) {
                    scene.index.remove(replaced.dialog);
                    let _ = scene.core.endpoint.hangup(replaced.dialog, &Headers::new(), now);
                    if let Some(side) = replaced.side {
                        side.close(scene);
                    }
                }
                self.join(scene);
            }
        }
    }
}

/// Who sent the newcomer (RFC 3892).
pub(super) fn referrer(headers: &Headers) -> Option<String> {
    let by: sip::NameAddr = headers.get(&Name::ReferredBy)?.parse().ok()?;
    by.uri.number().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{HuntGroup, Member, PickupGroup};

    #[test]
    fn members_of_one_group_are_mates_and_nobody_else_is() {
        let mut plan = Configuration::default();
        let members = ["1", "2"].map(String::from).into_iter().collect();
        plan.pickup_groups.insert(1, PickupGroup { members });
        let members = ["2", "3"].map(|dir| Member { dir: dir.into(), on: false }).to_vec();
        plan.hunt_groups.insert("9".into(), HuntGroup { members, ..HuntGroup::default() });
        assert!(are_mates(&plan, "1", "2") && are_mates(&plan, "3", "2"));
        assert!(!are_mates(&plan, "1", "3"));
    }
}
