//! Transfer (RFC 3515, RFC 5589): the one who refers is told how it goes; the other one is connected with the target.

use super::call::{Call, PartyKind};
use super::setup::{Purpose, Setup};
use super::waiting_tone::WaitingTone;
use super::{Calls, Role, Scene};
use crate::configuration::Configuration;
use crate::diversion::{Itinerary, Origin};
use crate::numbers::Digits;
use crate::services::is_public;
use sip::endpoint::{Body, CallRef, ServerRef};
use sip::header::{Event, ReferTo, Replaces, SubscriptionState};
use sip::{Headers, Method, Name, Request, Text, Uri, sipfrag};
use std::time::Duration;

/// How long a transferor may take to end its dialog once its transfer is done.
const LEAVE: Duration = Duration::from_secs(5);

impl Call {
    /// A party's REFER.
    pub(super) fn refer(
        &mut self,
        scene: &mut Scene<'_>,
        dialog: CallRef,
        role: Role,
        transaction: ServerRef,
        request: &Request,
    ) {
        let now = scene.now.instant;
        let respond = |scene: &mut Scene<'_>, status| {
            let _ = scene.core.endpoint.respond(transaction, request.response(status), now);
        };
        let mut targets = request.headers.all_typed::<ReferTo>();
        let (target, more) = (targets.next(), targets.next());
        let Some(Ok(target)) = target.filter(|_| more.is_none()) else {
            // RFC 3515 2.4.1: exactly one Refer-To.
            return respond(scene, 400);
        };
        let target = target.0.uri;
        if target.params.get("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
            return respond(scene, 501);
        }
        if self.setup.is_some() || self.callee.is_none() || !self.caller.answered || role == Role::Leaving {
            return respond(scene, 491);
        }
        let by = self.leg(role).and_then(|leg| leg.party.extension()).map(str::to_owned);
        if by.is_some_and(|by| !may_transfer(&scene.core.configuration, &by, &target)) {
            return respond(scene, 403);
        }
        // RFC 4488: the one who refers may not want to be told.
        let quiet = request.headers.get(&Name::ReferSub).is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let notify = !quiet;
        respond(scene, 202);
        if role == Role::Caller {
            self.swap(scene);
        }
        self.tell_transferor(scene, notify, 100, false);
        if let Some(replaces) = target.header_field("Replaces") {
            return self.refer_attended(scene, dialog, notify, &replaces);
        }
        let number = target.number().and_then(|number| Digits::parse(&number).ok());
        let Some(number) = number else { return self.tell_transferor(scene, notify, 404, true) };
        let origin = match self.caller.party.kind {
            PartyKind::Extension(_) => Origin::Internal,
            PartyKind::Route(route) => scene.core.origin_of(route),
        };
        let mut itinerary = Itinerary::new(origin, scene.core.ring_times());
        let step = itinerary.start(&scene.core.configuration, &number);
        let mut setup = Setup::new(itinerary, Purpose::Transfer { notify }, 69);
        setup.referred_by = request.headers.get(&Name::ReferredBy).cloned();
        self.setup = Some(setup);
        self.proceed(scene, step);
    }

    /// Puts the remaining party in the caller's place.
    pub(super) fn swap(&mut self, scene: &mut Scene<'_>) {
        let Some(callee) = &mut self.callee else { return };
        std::mem::swap(&mut self.caller, callee);
        if let Some(WaitingTone::Hold { party }) = &mut self.tone {
            *party = if *party == Role::Caller { Role::Callee } else { Role::Caller };
        }
        scene.index.set(self.caller.dialog, self.id, Role::Caller);
        scene.index.set(callee.dialog, self.id, Role::Callee);
    }

    /// Tells the transferor how it goes: a piece of the response that the target gave (RFC 3515 2.4.5).
    pub(super) fn tell_transferor(&mut self, scene: &mut Scene<'_>, notify: bool, status: u16, last: bool) {
        let Some(callee) = self.callee.as_ref().filter(|_| notify) else { return };
        let mut headers = Headers::new();
        headers.push_typed(&Event::new("refer"));
        let state =
            if last { SubscriptionState::terminated(Some("noresource")) } else { SubscriptionState::active(180) };
        headers.push_typed(&state);
        let body = Body::new(Text::from_static(sipfrag::CONTENT_TYPE), sipfrag::status_line(status));
        // Gone already: then it does not want to know.
        let endpoint = &mut scene.core.endpoint;
        let _ = endpoint.request_in_call(callee.dialog, Method::Notify, &headers, Some(body), scene.now.instant);
    }

    /// The target could not be reached: the call is what it was, or over if the transferor left.
    pub(super) fn transfer_failed(&mut self, scene: &mut Scene<'_>, notify: bool, status: u16) {
        self.tell_transferor(scene, notify, status, true);
        if self.callee.is_none() {
            return self.end(scene, None, "transfer-failed", Some(status), None);
        }
        self.restore(scene);
    }

    /// The target answered: the transferor is told, and should hang up.
    pub(super) fn release_transferor(&mut self, scene: &mut Scene<'_>, notify: bool) {
        self.tell_transferor(scene, notify, 200, true);
        let Some(leg) = self.callee.take() else { return };
        if let Some(side) = leg.side {
            side.close(scene);
        }
        scene.index.set(leg.dialog, self.id, Role::Leaving);
        if let Some(at) = scene.now.instant.checked_add(LEAVE) {
            self.leaving.push((leg.dialog, at));
        }
    }

    /// Refer-To with Replaces (RFC 3891): the target is a party that the transferor is talking with in another call.
    fn refer_attended(&mut self, scene: &mut Scene<'_>, transferor: CallRef, notify: bool, replaces: &str) {
        use sip::Header;
        let found = Replaces::parse(&Text::from(replaces)).ok().and_then(|replaces| {
            // The tags are as the target sees them: its remote tag is the transferor's. The node is between them, so the
            // dialog that is named is the transferor's own with the node, whose local tag is the To tag or the From tag.
            let endpoint = &scene.core.endpoint;
            let (call_id, to, from) = (&replaces.call_id, &replaces.to_tag, &replaces.from_tag);
            endpoint.find_call(call_id, to, from).or_else(|| endpoint.find_call(call_id, from, to))
        });
        let other = found.and_then(|dialog| Some((dialog, Calls::call_of(scene.index, dialog)?)));
        match other.filter(|(dialog, id)| *dialog != transferor && *id != self.id) {
            Some(other) => {
                // The other call is not at hand here: `join_other` follows at once.
                scene.replaced = Some(Replaced { dialog: other.0, call: other.1, notify });
            }
            None => self.tell_transferor(scene, notify, 481, true),
        }
    }

    /// The party that the transferor talked with in `other` comes over; `replaced` is the transferor's dialog there.
    pub(super) fn take_over(&mut self, scene: &mut Scene<'_>, other: &mut Call, replaced: &Replaced) {
        let established = other.callee.is_some() && other.caller.answered && other.setup.is_none();
        if self.ended || other.ended {
            return self.tell_transferor(scene, replaced.notify, 481, true);
        }
        if !established {
            return self.take_over_search(scene, other, replaced);
        }
        self.release_transferor(scene, replaced.notify);
        if other.caller.dialog == replaced.dialog {
            other.swap(scene);
        }
        // Now the transferor is the callee there, and the caller comes over.
        let Some(transferor) = other.callee.take() else { return };
        let leg = std::mem::replace(&mut other.caller, transferor);
        other.ended = true;
        if let Some(side) = other.caller.side.take() {
            side.close(scene);
        }
        scene.index.remove(replaced.dialog);
        let _ = scene.core.endpoint.hangup(replaced.dialog, &Headers::new(), scene.now.instant);
        other.tell_end(scene, "transferred", None);
        scene.index.set(leg.dialog, self.id, Role::Callee);
        self.callee = Some(leg);
        self.join(scene);
    }

    /// The transferor did not wait for the answer of whom it called: its search goes on for the party that it left.
    fn take_over_search(&mut self, scene: &mut Scene<'_>, other: &mut Call, replaced: &Replaced) {
        let searches = other.caller.dialog == replaced.dialog && !other.caller.answered && self.callee.is_some();
        let setup = other.setup.take_if(|setup| searches && setup.purpose == Purpose::Answer);
        let Some(mut setup) = setup else { return self.tell_transferor(scene, replaced.notify, 481, true) };
        setup.purpose = Purpose::Transfer { notify: replaced.notify };
        for fork in &setup.forks {
            scene.index.set(fork.leg.dialog, self.id, Role::Fork);
        }
        let rang = setup.rang;
        self.setup = Some(setup);
        other.ended = true;
        if let Some(side) = other.caller.side.take() {
            side.close(scene);
        }
        scene.index.remove(replaced.dialog);
        // RFC 3891 3: the dialog that is replaced ends; an INVITE that is not answered by 487.
        let _ = scene.core.endpoint.reject(replaced.dialog, 487, &Headers::new(), scene.now.instant);
        other.tell_end(scene, "transferred", None);
        if rang {
            self.tell_transferor(scene, replaced.notify, 180, false);
            self.sound_ringback(scene);
        }
    }
}

/// What the transferor's common service profile permits.
fn may_transfer(configuration: &Configuration, by: &str, target: &Uri) -> bool {
    let rights = configuration.profile_of(by);
    let public = || target.number().is_some_and(|number| is_public(configuration, &number));
    rights.transfer() && (rights.transfer_to_public() || !public())
}

/// The dialog that a Refer-To names for replacement.
pub(crate) struct Replaced {
    pub dialog: CallRef,
    pub call: u64,
    /// Whether the transferor is told how it goes.
    pub notify: bool,
}
