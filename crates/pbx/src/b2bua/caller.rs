//! Who calls, and whether he may.

use super::call::{Call, Exchange, Leg, Party, PartyKind};
use super::describe;
use super::setup::{Purpose, Setup};
use super::{Role, Scene};
use crate::core::Source;
use crate::diversion::{Itinerary, Origin, Outcome};
use crate::numbers::Digits;
use event::Event;
use sip::diversion::Diversion;
use sip::endpoint::CallRef;
use sip::header::{Identity, MaxForwards, Warning};
use sip::history_info::History;
use sip::{Flow, Headers, Name, Request};
use std::collections::BTreeMap;

/// Takes an INVITE, or refuses it. Default deny: only extensions with their password and matched routes may call.
pub(super) fn admit(scene: &mut Scene<'_>, id: u64, dialog: CallRef, request: &Request, flow: &Flow) -> Option<Call> {
    let mut refused = Headers::new();
    let source = scene.core.source(request, flow, scene.now);
    let (party, origin) = match source {
        Source::Extension(number) => (of_extension(scene, number, request), Origin::Internal),
        Source::Route(route) => (of_route(route, request), Origin::Private),
        Source::Challenge { stale } => {
            let realm = scene.core.vault.realm().to_owned();
            scene.core.guard.challenge_headers(&mut refused, request, &realm, stale, scene.now.instant);
            return reject(scene, dialog, 401, &refused);
        }
        Source::Refused => return reject(scene, dialog, 403, &refused),
    };
    // RFC 3261 16.3: the node forwards what it takes, so a spent counter ends here.
    let hops = request.headers.sound::<MaxForwards>().map_or(70, |hops| hops.0);
    if hops == 0 {
        return reject(scene, dialog, 483, &refused);
    }
    let dialled = request.uri.number().and_then(|number| Digits::parse(&number).ok());
    let Some(dialled) = dialled else { return reject(scene, dialog, 404, &refused) };
    if let PartyKind::Route(route) = party.kind
        && !super::ring::has_individual(scene, route)
    {
        let (status, headers) = Outcome::NoCircuit.answer();
        return reject(scene, dialog, status, &headers);
    }
    let theirs = match describe::read(&request.body) {
        Ok(theirs) => theirs,
        Err(text) => {
            let warning = Warning { code: 399, agent: scene.core.host.to_string().into(), text: text.into() };
            refused.push(Name::Warning, warning.to_string());
            return reject(scene, dialog, 488, &refused);
        }
    };
    let call_id = request.call_id().map(|id| id.to_string()).unwrap_or_default();
    scene.core.emit(
        scene.now,
        Event::CallStarted { call: id, from: party.number.clone(), to: dialled.to_string(), call_id: call_id.clone() },
    );
    scene.index.insert(dialog, id, Role::Caller, &party);
    // A phone does not know who diverted; what it says about that is not passed on.
    let trusted = matches!(party.kind, PartyKind::Route(_));
    let mut itinerary = Itinerary::new(origin, scene.core.ring_time);
    let step = itinerary.start(&scene.core.configuration, &dialled);
    let mut setup = Setup::new(itinerary, Purpose::Answer, hops.saturating_sub(1));
    if trusted {
        setup.diverted_before = Diversion::all(&request.headers);
        setup.history_before = History::read(&request.headers);
    }
    let mut call = Call {
        id,
        started: scene.now,
        call_id,
        dialled: dialled.to_string(),
        caller: Leg { dialog, party, answered: false, theirs, ours: None, side: None },
        callee: None,
        setup: Some(setup),
        exchange: Exchange::Idle,
        leaving: Vec::new(),
        passed: BTreeMap::new(),
        answered: None,
        timer: None,
        ended: false,
    };
    call.proceed(scene, step);
    Some(call)
}

fn reject(scene: &mut Scene<'_>, dialog: CallRef, status: u16, headers: &Headers) -> Option<Call> {
    // Gone already: the caller cancelled in between.
    let _ = scene.core.endpoint.reject(dialog, status, headers, scene.now.instant);
    None
}

/// An extension is who it authenticated as; the name is the node's, not the phone's.
fn of_extension(scene: &Scene<'_>, number: String, request: &Request) -> Party {
    let hidden = Identity::asserted(&request.headers).is_some_and(|identity| identity.hidden);
    let name = scene.core.name_of(&number);
    Party { number: number.clone(), name, kind: PartyKind::Extension(number), telephone_of: None, hidden }
}

/// A route's peer is trusted with identities (RFC 3325).
fn of_route(route: u32, request: &Request) -> Party {
    let identity = Identity::asserted(&request.headers);
    let number = identity.as_ref().and_then(|identity| identity.address.uri.number()).unwrap_or_default();
    let name = identity.as_ref().and_then(|identity| identity.address.display.clone());
    Party {
        number,
        name: name.map(String::from).unwrap_or_default(),
        kind: PartyKind::Route(route),
        telephone_of: None,
        hidden: identity.is_some_and(|identity| identity.hidden),
    }
}
