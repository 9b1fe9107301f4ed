//! Who calls, and whether he may.

use super::call::{Call, Exchange, Leg, Party, PartyKind};
use super::describe;
use super::feature::{self, Wish};
use super::media_security;
use super::pickup::referrer;
use super::setup::{Purpose, Setup};
use super::{Role, Scene, service_call};
use crate::core::Source;
use crate::diversion::{Itinerary, Origin, Outcome};
use crate::numbers::{Analysis, Digits, NumberType, analyse, is_emergency};
use crate::routes::{Accept, SipRouteEntry};
use event::Event;
use sdp::Codec;
use sip::diversion::Diversion;
use sip::endpoint::CallRef;
use sip::header::{Identity, MaxForwards, Replaces, Warning};
use sip::history_info::History;
use sip::{Flow, Headers, Name, Request};
use std::collections::BTreeMap;

/// What an INVITE turned out to be.
pub(super) enum Admitted {
    /// It was refused.
    No,
    Call(Box<Call>),
    /// The phone wants the call that rings elsewhere.
    Pickup(Leg),
    /// It wants somebody's place in a call (RFC 3891); the second is who sent it.
    Replaces(Leg, Replaces, Option<String>),
    /// A service code that changes something: its digits.
    Procedure(Leg, String),
    /// A service code with its answer.
    Answer(Leg, service_call::Outcome),
}

/// Takes an INVITE, or refuses it. Default deny: only extensions with their password and matched routes may call.
pub(super) fn admit(scene: &mut Scene<'_>, id: u64, dialog: CallRef, request: &Request, flow: &Flow) -> Admitted {
    let mut refused = Headers::new();
    let source = scene.core.source(request, flow, scene.now);
    let (mut party, origin) = match source {
        Source::Extension(number) => (of_extension(scene, number, request), Origin::Internal),
        Source::Route(route) => of_route(scene, route, request),
        source => {
            return match scene.core.challenges(request, &source, scene.now) {
                Some(challenges) => reject(scene, dialog, 401, &challenges),
                None => reject(scene, dialog, 403, &refused),
            };
        }
    };
    // RFC 3261 16.3: the node forwards what it takes, so a spent counter ends here.
    let hops = request.headers.sound::<MaxForwards>().map_or(70, |hops| hops.0);
    if hops == 0 {
        return reject(scene, dialog, 483, &refused);
    }
    let Some(dialled) = dialled(scene, &party, request) else { return reject(scene, dialog, 404, &refused) };
    let emergency = is_emergency(&scene.core.configuration, &dialled);
    if let PartyKind::Route(route) = party.kind {
        let accept = settings(scene, route).and_then(|sip| sip.accept);
        if accept == Some(Accept::Emergency) && !emergency {
            let (source, method) = (flow.remote, request.method.to_string());
            let reason = format!("route {route} takes calls to emergency numbers only");
            scene.core.emit(scene.now, Event::SourceRefused { source, method, reason });
            return reject(scene, dialog, 403, &refused);
        }
        if !emergency && !super::ring::has_individual(scene, route) {
            let (status, headers) = Outcome::NoCircuit.answer();
            return reject(scene, dialog, status, &headers);
        }
    }
    let theirs = match describe::read(&request.body) {
        Ok(theirs) => theirs,
        Err(text) => {
            let warning = Warning { code: 399, agent: scene.core.host.to_string().into(), text: text.into() };
            refused.push(Name::Warning, warning.to_string());
            return reject(scene, dialog, 488, &refused);
        }
    };
    if !emergency
        && let Some(offer) = &theirs
        && let Err(error) = media_security::check(scene.core, &party.kind, offer, &[Codec::Pcma, Codec::Pcmu])
        && media_security::is_about_encryption(error)
    {
        let (source, method) = (flow.remote, request.method.to_string());
        let reason = format!("media encryption is enabled for {}: {error}", of_whom(&party.kind));
        scene.core.emit(scene.now, Event::SourceRefused { source, method, reason });
        refused.push(Name::Warning, media_security::warning(scene.core, &error.to_string()));
        return reject(scene, dialog, 488, &refused);
    }
    if let Some(replaces) = request.headers.typed::<Replaces>() {
        // RFC 3891 3: exactly one, and one that can be read.
        let Ok(replaces) = replaces else { return reject(scene, dialog, 400, &refused) };
        let leg = Leg { dialog, party, answered: false, theirs, ours: None, side: None };
        return Admitted::Replaces(leg, replaces, referrer(&request.headers));
    }
    let (mut dialled, mut past_diversions) = (dialled, false);
    // No service code stands between a caller and help.
    if let PartyKind::Extension(extension) = &party.kind
        && !emergency
    {
        let digits = dialled.to_string();
        let wish = feature::wish(scene, extension, dialled);
        let leg = |party| Leg { dialog, party, answered: false, theirs: theirs.clone(), ours: None, side: None };
        match wish {
            Wish::Call { number, hidden, past_diversions: past } => {
                party.hidden |= hidden;
                (dialled, past_diversions) = (number, past);
            }
            Wish::Pickup => return Admitted::Pickup(leg(party)),
            Wish::Procedure => return Admitted::Procedure(leg(party), digits),
            Wish::Answer(outcome) => return Admitted::Answer(leg(party), outcome),
        }
    }
    // Whoever needs help gets it to the last.
    if !emergency && let Some(reason) = scene.core.resting() {
        let (source, method) = (flow.remote, request.method.to_string());
        scene.core.emit(scene.now, Event::SourceRefused { source, method, reason: reason.into() });
        let headers = scene.core.rest_headers(reason);
        return reject(scene, dialog, 503, &headers);
    }
    let call_id = request.call_id().map(|id| id.to_string()).unwrap_or_default();
    scene.core.emit(
        scene.now,
        Event::CallStarted { call: id, from: party.number.clone(), to: dialled.to_string(), call_id: call_id.clone() },
    );
    scene.index.insert(dialog, id, Role::Caller, &party);
    // A phone does not know who diverted; what it says about that is not passed on. Nor is an operator's word for it.
    let trusted =
        matches!(party.kind, PartyKind::Route(route) if settings(scene, route).is_some_and(SipRouteEntry::is_trusted));
    let mut itinerary = Itinerary::new(origin, scene.core.ring_times());
    if let PartyKind::Extension(extension) = &party.kind {
        itinerary = itinerary.called_by(extension);
    }
    let configuration = &scene.core.configuration;
    let step = if past_diversions {
        itinerary.start_past_diversions(configuration, &dialled)
    } else {
        itinerary.start(configuration, &dialled)
    };
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
        tone: None,
        later: None,
        leaving: Vec::new(),
        passed: BTreeMap::new(),
        answered: None,
        reached: None,
        timer: None,
        ended: false,
    };
    call.proceed(scene, step);
    Admitted::Call(Box::new(call))
}

fn of_whom(kind: &PartyKind) -> String {
    match kind {
        PartyKind::Extension(number) => format!("extensions, and {number} is one"),
        PartyKind::Route(route) => format!("routes, and {route} is one"),
    }
}

fn reject(scene: &mut Scene<'_>, dialog: CallRef, status: u16, headers: &Headers) -> Admitted {
    // Gone already: the caller cancelled in between.
    let _ = scene.core.endpoint.reject(dialog, status, headers, scene.now.instant);
    Admitted::No
}

/// An extension is who it authenticated as; the name is the node's, not the phone's.
fn of_extension(scene: &Scene<'_>, number: String, request: &Request) -> Party {
    // RFC 3323 4.2: "none" is the user's wish to be seen, whatever is set up.
    let open = request.headers.lists(&Name::Privacy, "none");
    let hidden = Identity::asserted(&request.headers).is_some_and(|identity| identity.hidden)
        || (!open && scene.core.configuration.profile_of(&number).withholds_number());
    let name = scene.core.name_of(&number);
    Party { number: number.clone(), name, kind: PartyKind::Extension(number), telephone_of: None, hidden }
}

fn settings<'a>(scene: &'a Scene<'_>, route: u32) -> Option<&'a SipRouteEntry> {
    scene.core.configuration.routes.get(&route)?.sip.as_ref()
}

/// What was dialled. A phone may ask for help by RFC 5031's name instead of a number.
fn dialled(scene: &Scene<'_>, party: &Party, request: &Request) -> Option<Digits> {
    let uri = &request.uri;
    if let sip::Scheme::Other(scheme) = &uri.scheme {
        let service = uri.user.as_deref().unwrap_or_default().to_ascii_lowercase();
        let sos = scheme.eq_ignore_ascii_case("urn") && service.starts_with("service:sos");
        let mut numbers = scene.core.configuration.numbers.iter();
        let (number, _) = numbers.find(|(_, entry)| sos && entry.number_type == NumberType::Sos)?;
        return Digits::parse(number).ok();
    }
    let PartyKind::Route(route) = party.kind else { return Digits::parse(&uri.number()?).ok() };
    let sip = settings(scene, route)?;
    // A registered line is called by the Contact that it registered; operators put the number that was dialled into To
    // (SIPconnect 2.0, 14.1).
    let line = uri.user_unescaped().unwrap_or_default();
    let by_line = sip.registers()
        && (sip.authname.as_deref() == Some(&*line) || sip.numbers.iter().any(|number| *number == *line));
    let of_line = sip.called_number(uri).and_then(|number| Digits::parse(&number).ok());
    if by_line && of_line.as_ref().is_none_or(|number| analyse(&scene.core.configuration, number) == Analysis::Vacant) {
        return Digits::parse(&sip.called_number(&request.to()?.uri)?).ok();
    }
    of_line
}

/// A route's peer may say who calls (RFC 3325), if the route trusts it; else what From says is shown.
fn of_route(scene: &Scene<'_>, route: u32, request: &Request) -> (Party, Origin) {
    let Some(sip) = settings(scene, route) else {
        let (number, name, kind) = (String::new(), String::new(), PartyKind::Route(route));
        let party = Party { number, name, kind, telephone_of: None, hidden: true };
        return (party, Origin::Private);
    };
    let identity =
        if sip.is_trusted() { Identity::asserted(&request.headers) } else { Identity::claimed(&request.headers) };
    let number = identity.as_ref().and_then(|identity| sip.calling_number(&identity.address.uri)).unwrap_or_default();
    if let Some(dir) = of_mobile(scene, route, &number) {
        // It is the extension, with all that it may; only its trunk individual is the route's.
        let name = scene.core.name_of(&dir);
        let hidden = identity.is_some_and(|identity| identity.hidden);
        let kind = PartyKind::Route(route);
        return (Party { number: dir.clone(), name, kind, telephone_of: Some(dir), hidden }, Origin::Internal);
    }
    let name = identity.as_ref().and_then(|identity| identity.address.display.clone());
    let party = Party {
        number,
        name: name.map(String::from).unwrap_or_default(),
        kind: PartyKind::Route(route),
        telephone_of: None,
        hidden: identity.is_some_and(|identity| identity.hidden),
    };
    (party, sip.origin())
}

/// The extension whose mobile telephone calls by this route with this number.
fn of_mobile(scene: &Scene<'_>, route: u32, number: &str) -> Option<String> {
    let dir = scene.core.terminals.mobile(number).filter(|_| !number.is_empty())?;
    let mobile = scene.core.configuration.extensions.get(dir)?.mobile.as_ref()?;
    mobile.routes.contains(&route).then(|| dir.to_owned())
}
