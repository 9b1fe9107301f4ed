//! What is said of the caller, and of those who sent the call on, to whom it goes.

use super::call::Party;
use super::setup::Setup;
use crate::core::Core;
use crate::numbers::Choice;
use crate::routes::SipRouteEntry;
use sip::diversion::{Diversion, DiversionReason};
use sip::header::{MaxForwards, PAssertedIdentity, Reason};
use sip::history_info::{Change, History};
use sip::{Headers, Host, Name, NameAddr, Uri};

/// How a leg goes out: the route, the way to the destination that was chosen, and the Request-URI.
#[derive(Clone, Copy)]
pub(super) struct Outward<'a> {
    pub route: &'a SipRouteEntry,
    pub choice: &'a Choice,
    pub uri: &'a Uri,
    /// To a mobile telephone of an extension.
    pub mobile: bool,
}

/// From and the headers about identity and diversion for a new leg; `outward` is set when it goes over a trunk.
pub(super) fn introduce(
    core: &Core,
    caller: &Party,
    setup: &Setup,
    outward: Option<Outward<'_>>,
) -> (NameAddr, Headers) {
    let mut headers = Headers::new();
    headers.push(Name::MaxForwards, MaxForwards(setup.max_forwards).to_string());
    let known = match outward {
        Some(outward) => caller_on(core, caller, outward),
        None => NameAddr::new(core.uri(number_of(caller))).with_display(caller.name.as_str()),
    };
    // An emergency centre is told who calls, whatever the caller wished (RFC 5012 and the law in most places).
    let hidden = caller.hidden && !outward.is_some_and(|outward| outward.choice.emergency);
    let from = if hidden {
        // RFC 3323 4.1.1.3
        let nobody = Host::Name(sip::Text::from_static("anonymous.invalid"));
        NameAddr::new(Uri::sip("anonymous", nobody)).with_display("Anonymous")
    } else {
        known.clone()
    };
    // RFC 3325 7: asserted towards a trusted trunk also when hidden, with the wish that it stays there.
    let asserted = outward.map_or(!hidden, |outward| outward.route.is_trusted());
    if asserted && !caller.number.is_empty() {
        headers.push_typed(&PAssertedIdentity(known));
    }
    if hidden && outward.is_some() {
        headers.push(Name::Privacy, "id");
    }
    if let Some(outward) = outward {
        if outward.choice.emergency {
            // RFC 3261 20.26
            headers.push(Name::from("Priority"), "emergency");
        }
        outward.route.add_headers(&mut headers);
    }
    if let Some(by) = &setup.referred_by {
        headers.push(Name::ReferredBy, by.clone());
    }
    // RFC 5806 3.2.1: the newest stands first.
    for diverted in setup.itinerary.diversions.iter().rev() {
        let mut diversion = Diversion::new(core.uri(&diverted.from), diverted.reason.clone());
        diversion.address = diversion.address.with_display(core.name_of(&diverted.from));
        headers.push_typed(&diversion);
    }
    for before in &setup.diverted_before {
        headers.push_typed(before);
    }
    if let Some(outward) = outward {
        history(core, setup, outward.uri).write(&mut headers);
    }
    (from, headers)
}

fn number_of(caller: &Party) -> &str {
    if caller.number.is_empty() { "anonymous" } else { &caller.number }
}

/// The caller as a trunk's peer gets to see it.
fn caller_on(core: &Core, caller: &Party, outward: Outward<'_>) -> NameAddr {
    let Outward { route, choice, mobile, .. } = outward;
    let domain = route.domain(&core.host);
    // Who is called back by the emergency centre is the route's own matter.
    if let Some(number) = route.sosanumber.as_deref().filter(|_| choice.emergency) {
        return NameAddr::new(route.calling_uri(number, false, choice.types, mobile, &domain))
            .with_display(caller.name.as_str());
    }
    let own = core.configuration.extensions.contains_key(&caller.number);
    NameAddr::new(route.calling_uri(number_of(caller), own, choice.types, mobile, &domain))
        .with_display(caller.name.as_str())
}

/// Who rings or answered, for the caller's display (RFC 3325 in responses). Of a trunk the node knows the number only,
/// which the caller dialled.
pub(super) fn connected(core: &Core, party: &Party) -> Headers {
    let mut headers = Headers::new();
    if let Some(extension) = party.extension() {
        let address = NameAddr::new(core.uri(extension)).with_display(core.name_of(extension));
        headers.push_typed(&PAssertedIdentity(address));
    }
    headers
}

/// RFC 7044, readable by 4244's parsers: whom the caller wanted, whom the call was sent on to, and why. A call that was
/// not diverted carries none.
fn history(core: &Core, setup: &Setup, request_uri: &Uri) -> History {
    let mut history = setup.history_before.clone();
    let Some(first) = setup.itinerary.diversions.first() else { return history };
    if history.entries.is_empty() {
        history.forward(core.uri(&first.from), Change::Np);
    }
    let last = setup.itinerary.diversions.len().saturating_sub(1);
    for (index, diverted) in setup.itinerary.diversions.iter().enumerate() {
        // RFC 4458: the cause says why the call is where it is.
        let cause = diverted.reason.cause();
        let mut uri = if index == last { request_uri.clone() } else { core.uri(&diverted.to) };
        uri.params.set("cause", cause.to_string());
        let reason = Reason { text: Some(words(&diverted.reason).into()), ..Reason::sip(cause, "") };
        history.retarget(reason, uri, Change::Mp);
    }
    history
}

fn words(reason: &DiversionReason) -> &'static str {
    match reason {
        DiversionReason::UserBusy => "Busy Here",
        DiversionReason::NoAnswer => "Request Timeout",
        DiversionReason::Unavailable | DiversionReason::OutOfService => "Service Unavailable",
        DiversionReason::Deflection => "Temporarily Unavailable",
        DiversionReason::Unknown | DiversionReason::Other(_) => "Not Found",
        _ => "Moved Temporarily",
    }
}
