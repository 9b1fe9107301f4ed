//! Who calls, and for whom: read from the INVITE.

use crate::commands::call_record::ReasonForCall;
use crate::commands::dial_plan::DialPlan;
use crate::commands::ip_gateway::{DiversionChoice, Gateway};
use crate::commands::mailbox::Mailbox;
use crate::configuration::Configuration;
use mailbox::Line;
use sip::diversion::{Diversion, DiversionReason};
use sip::header::Identity;
use sip::history_info::History;
use sip::{Headers, Request};
use std::sync::Arc;

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CallerId {
    /// None: anonymous.
    pub(crate) number: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
    /// The own user with this extension (enabled for voice mail).
    pub(crate) user: Option<Arc<Mailbox>>,
}

/// P-Asserted-Identity, Remote-Party-ID, From: the first that there is. A number that is an own user's extension takes
/// the user's name and mail address.
pub(crate) fn caller(configuration: &Configuration, plan: &DialPlan, request: &Request) -> CallerId {
    let Some(identity) = Identity::asserted(&request.headers) else { return CallerId::default() };
    if identity.hidden {
        return CallerId::default();
    }
    let line = |text: &str| Some(Line::new(text)).filter(|line| !line.is_empty()).map(|line| line.as_str().to_owned());
    let number = identity.address.uri.number().and_then(|number| line(&number));
    let user = number.as_deref().and_then(|number| user_of(configuration, plan, number));
    let given = identity.address.display.as_deref().and_then(line);
    CallerId {
        name: user.as_ref().map(|user| user.shown_name()).or(given.filter(|name| Some(name) != number.as_ref())),
        address: user.as_ref().and_then(|user| user.primary_smtp_address.clone()),
        user: user.filter(|user| user.um.is_some()),
        number,
    }
}

/// The own user of a number (fact sheet 3.4): by extension in this plan, in plans that count as equivalent, else by the
/// telephone number in the directory.
fn user_of(configuration: &Configuration, plan: &DialPlan, number: &str) -> Option<Arc<Mailbox>> {
    let in_plan = |plan: &DialPlan| configuration.by_extension(&plan.name, &plan.extension_of(number)?);
    let equivalent = || {
        let names = plan.equivalent_dial_plan_phone_contexts.iter();
        names.filter_map(|name| configuration.dial_plans.get(name)).find_map(|plan| in_plan(plan))
    };
    let by_phone = || {
        let wanted = Some(plan.national(number)).filter(|_| plan.allow_heuristic_calling_line_id_resolution)?;
        configuration.mailboxes.iter().find(|mailbox| {
            mailbox.phone.as_deref().is_some_and(|phone| phone == number || plan.national(phone) == wanted)
        })
    };
    in_plan(plan).or_else(equivalent).or_else(by_phone).cloned()
}

/// The mailbox that a call was diverted from, and its extension that was dialled; None for a call to the pilot itself, or from numbers that have none.
pub(crate) fn diverted_from(
    configuration: &Configuration,
    gateway: &Gateway,
    plan: &DialPlan,
    request: &Request,
) -> Option<(Arc<Mailbox>, String)> {
    let mut parties = parties(&request.headers);
    // Own pilots are stations on the way, not people.
    parties.retain(|number| !configuration.is_pilot(number));
    if gateway.diversion_choice == DiversionChoice::Last {
        parties.reverse();
    }
    // A party without a mailbox gives way to the next: the message goes to somebody who diverted the call here.
    parties.iter().find_map(|number| {
        let extension = plan.extension_of(number)?;
        let mailbox = configuration.by_extension(&plan.name, &extension)?;
        Some((mailbox.clone(), extension))
    })
}

/// The caller's number as the PBX says it, unless it is hidden.
pub(crate) fn number(request: &Request) -> Option<String> {
    let identity = Identity::asserted(&request.headers).filter(|identity| !identity.hidden)?;
    Some(Line::new(&identity.address.uri.number()?).as_str().to_owned())
}

/// Why the call came here, by the newest diversion.
pub(crate) fn reason(request: &Request) -> ReasonForCall {
    match Diversion::all(&request.headers).first().map(|diversion| &diversion.reason) {
        Some(DiversionReason::UserBusy) => ReasonForCall::DivertBusy,
        Some(DiversionReason::NoAnswer) => ReasonForCall::DivertNoAnswer,
        Some(_) => ReasonForCall::DivertForward,
        None if History::read(&request.headers).entries.len() > 1 => ReasonForCall::DivertForward,
        None => ReasonForCall::Direct,
    }
}

/// Who diverted, first one first.
fn parties(headers: &Headers) -> Vec<String> {
    let diversions = Diversion::all(headers);
    if !diversions.is_empty() {
        // RFC 5806: the newest stands first.
        return diversions.iter().rev().filter_map(Diversion::number).collect();
    }
    // RFC 7044: the last entry is where the call is now; those before it are where it was.
    let mut history = History::read(headers).entries;
    history.pop();
    let mut numbers: Vec<String> = history.iter().filter_map(|entry| entry.number()).collect();
    numbers.dedup();
    numbers
}
