//! What the node tells its journal of itself, so that a call can be run again by a node that knows nothing else.

use crate::configuration::{
    Configuration, DESTINATION, EXTENSION, ExtensionEntry, NUMBER, NUMBER_LENGTH, ROUTE, SYSTEM, THE_SYSTEM, change,
};
use crate::configuration::{HUNT_GROUP, PICKUP_GROUP, PROFILE, SERVICE_CODE, SERVICE_MARKET};
use crate::node::{Node, Own};
use crate::routes::Route;
use event::Now;
use journal::{Cause, Key, Wanted};
use net::{Input, SipInput};
use serde_json::{Value, json};
use state::Change;
use std::collections::BTreeSet;

/// The kind of an extension's contacts, beside those of the configuration.
pub(crate) const CONTACTS: &str = "contacts";
/// The kind of cause that says how a service code went.
pub(crate) const CONFIRMED: &str = "confirmed";
/// A configuration with more numbers than this is told only as far as it begins like a number of the call.
const MANY: usize = 500;
/// Extensions that a call is told of, at most.
const MOST_EXTENSIONS: usize = 200;

impl Node {
    /// The journal hears what comes in, and what the node knows that the call will need.
    pub(crate) fn begin_step(&self, input: &Input<Own>, now: Now) {
        let journal = &self.core.journal;
        journal.tick(now);
        match input {
            Input::Sip(input) => {
                journal.begin_sip(input, now);
                if let SipInput::Received { wire, flow, .. } = input
                    && let Some(mut wanted) = journal.wants(self.core.version, wire)
                {
                    wanted.numbers.extend(self.core.terminals.gateway_at(flow.remote.ip()).map(str::to_owned));
                    self.tell(wanted);
                }
            }
            Input::Own(Own::Media(event)) => journal.begin_media(event, now),
            Input::Own(Own::Stored { ticket, result }) => {
                let value = || json!({ "error": result.as_ref().err().map(ToString::to_string) });
                let cause = || Cause::Own { kind: "stored".into(), ticket: *ticket, value: value() };
                journal.begin_own(&[Key::Ticket(*ticket)], now, cause);
            }
            Input::Own(Own::Confirmed { ticket, result }) => {
                let cause = || Cause::Own {
                    kind: CONFIRMED.into(),
                    ticket: *ticket,
                    value: json!({ "error": result.as_ref().err() }),
                };
                journal.begin_own(&[Key::Ticket(*ticket)], now, cause);
            }
            Input::Own(_) | Input::Timeout => {}
        }
    }

    fn tell(&self, mut wanted: Wanted) {
        let core = &self.core;
        // Whom a message means without naming: the extension that a mobile belongs to, and who waits to be called back.
        let named: Vec<String> = wanted.numbers.iter().cloned().collect();
        wanted.numbers.extend(named.iter().filter_map(|number| core.terminals.mobile(number)).map(str::to_owned));
        // A gateway is one because somebody is behind it.
        wanted.numbers.extend(named.iter().filter_map(|number| core.terminals.members(number).next()).cloned());
        let waiting: Vec<Change> = named.iter().filter_map(|number| core.manual_waiting.recorded(number)).collect();
        wanted.numbers.extend(named.iter().filter_map(|number| core.manual_waiting.first(number)).map(str::to_owned));
        for Change { kind, key, value } in core.configuration.relevant(&wanted).into_iter().chain(waiting) {
            core.journal.known(kind, &key, value);
        }
    }
}

impl Configuration {
    /// What a call that names these numbers may read, without secrets.
    fn relevant(&self, wanted: &Wanted) -> Vec<Change> {
        // A field that is added must be thought of here. Phones' files are no business of a call.
        let Configuration {
            numbers,
            number_lengths,
            routes,
            destinations,
            extensions,
            hunt_groups,
            pickup_groups,
            profiles,
            service_codes,
            phones: _,
            phone_parameters: _,
            system,
        } = self;
        let (mut values, mut groups) = (Vec::new(), Vec::new());
        if wanted.everything {
            let all = numbers.len() + destinations.len() <= MANY;
            let near = |key: &String| {
                let begins = |number: &String| number.starts_with(key.as_str()) || key.starts_with(number.as_str());
                all || !key.bytes().all(|byte| byte.is_ascii_digit()) || wanted.numbers.iter().any(begins)
            };
            let of_number = |(key, value)| change(NUMBER, String::clone(key), Some(value));
            values.extend(numbers.iter().filter(|(key, _)| near(key)).map(of_number));
            let members = |value: &Value, named: &mut Vec<String>| {
                journal::texts(value, &mut |text| named.push(text.to_owned()));
            };
            for (key, group) in hunt_groups {
                // Whom a group rings is named by the group, not by the caller.
                if wanted.numbers.contains(key) {
                    members(&serde_json::to_value(group).unwrap_or_default(), &mut groups);
                }
                values.push(change(HUNT_GROUP, key.clone(), Some(group)));
            }
            for (key, group) in pickup_groups {
                values.push(change(PICKUP_GROUP, key.to_string(), Some(group)));
            }
            values.extend(profiles.iter().map(|(key, profile)| change(PROFILE, key.to_string(), Some(profile))));
            values.push(change(SERVICE_MARKET, SERVICE_MARKET.into(), Some(&service_codes.market)));
            let of_code = |(key, code)| change(SERVICE_CODE, String::clone(key), Some(code));
            values.extend(service_codes.changes.iter().map(of_code));
            values.push(change(SYSTEM, THE_SYSTEM.into(), Some(system)));
            let of_length = |(key, value)| change(NUMBER_LENGTH, String::clone(key), Some(value));
            values.extend(number_lengths.iter().filter(|(key, _)| near(key)).map(of_length));
            let of_route =
                |(key, route): (&u32, &Route)| change(ROUTE, key.to_string(), Some(&route_without_secrets(route)));
            values.extend(routes.iter().map(of_route));
            let of_destination = |(key, value)| change(DESTINATION, String::clone(key), Some(value));
            values.extend(destinations.iter().filter(|(key, _)| near(key)).map(of_destination));
        }
        let mut open: Vec<String> = wanted.numbers.iter().cloned().chain(groups).collect();
        // A public number ends as the extension that it belongs to.
        for number in &wanted.numbers {
            let ends = (1..number.len()).filter_map(|at| number.get(at..));
            open.extend(ends.filter(|end| extensions.contains_key(*end)).map(str::to_owned));
        }
        let mut seen = BTreeSet::new();
        while let Some(number) = open.pop() {
            if seen.len() >= MOST_EXTENSIONS || !seen.insert(number.clone()) {
                continue;
            }
            if let Some(entry) = extensions.get(&number) {
                let told = change(EXTENSION, number, Some(&without_secrets(entry)));
                let names = told.value.as_deref().and_then(|text| serde_json::from_str(text).ok());
                journal::texts(&names.unwrap_or_default(), &mut |text| {
                    if extensions.contains_key(text) {
                        open.push(text.to_owned());
                    }
                });
                values.push(told);
            }
        }
        values
    }
}

fn route_without_secrets(route: &Route) -> Route {
    let mut route = route.clone();
    // That there is one stays.
    if let Some(password) = route.sip.as_mut().and_then(|sip| sip.password.as_mut()) {
        password.clear();
    }
    route
}

fn without_secrets(entry: &ExtensionEntry) -> ExtensionEntry {
    let mut entry = entry.clone();
    if let Some(auth) = &mut entry.auth {
        auth.sealed.clear();
    }
    entry
}
