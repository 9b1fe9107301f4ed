//! Who leads to a number: what call lists and diversions send calls on to is not taken away under them.

use super::{CommandError, Outcome};
use crate::configuration::{Configuration, Edit, ExtensionEntry};
use crate::numbers::{Analysis, Digits, analyse};
use std::collections::BTreeMap;

/// Users named in an error; of more, their count.
const NAMED: usize = 5;

/// The numbers that an extension's call lists and diversion lead to.
fn leads_to(entry: &ExtensionEntry) -> impl Iterator<Item = &str> {
    let listed = entry.call_lists.values().flat_map(|list| list.values()).map(|position| position.destination.as_str());
    listed.chain(entry.diversion.as_ref().map(|diversion| diversion.destination.as_str()))
}

/// The extensions, others than `but`, whose call lists or diversions lead to a number that `is` says yes to.
fn users<'a>(configuration: &'a Configuration, but: &str, is: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let others = configuration.extensions.iter().filter(|(dir, _)| *dir != but);
    others.filter(|(_, entry)| leads_to(entry).any(&is)).map(|(dir, _)| dir.as_str()).collect()
}

fn in_use(parameter: &str, value: &str, users: &[&str]) -> CommandError {
    let named = users.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = match users.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mend = format!("{named}{more}: calls go on to it; change their call_list or diversion first");
    CommandError::in_use(parameter, value, mend)
}

/// Refuses to end an extension that others' calls go on to.
pub(super) fn nobody_leads_to(configuration: &Configuration, parameter: &str, dir: &str) -> Result<(), CommandError> {
    let users = users(configuration, dir, |destination| destination == dir);
    if users.is_empty() { Ok(()) } else { Err(in_use(parameter, dir, &users)) }
}

/// Refuses edits of numbers and destinations after which calls would go on to a vacant number.
pub(super) fn keeping_all_reachable(
    configuration: &Configuration,
    parameter: &str,
    value: &str,
    outcome: Outcome,
) -> Outcome {
    let (edits, answer) = outcome?;
    let external = |destination: &&str| !configuration.extensions.contains_key(*destination);
    let mut vacant: BTreeMap<&str, bool> =
        configuration.extensions.values().flat_map(leads_to).filter(external).map(|number| (number, false)).collect();
    if vacant.is_empty() {
        return Ok((edits, answer));
    }
    let mut after = Configuration {
        numbers: configuration.numbers.clone(),
        number_lengths: configuration.number_lengths.clone(),
        destinations: configuration.destinations.clone(),
        ..Configuration::default()
    };
    for edit in &edits {
        if matches!(edit, Edit::Number(..) | Edit::NumberLength(..) | Edit::Destination(..)) {
            after.apply(edit.clone());
        }
    }
    for (number, vacant) in &mut vacant {
        *vacant = Digits::parse(number).is_ok_and(|digits| analyse(&after, &digits) == Analysis::Vacant);
    }
    let users = users(configuration, "", |destination| vacant.get(destination) == Some(&true));
    if users.is_empty() { Ok((edits, answer)) } else { Err(in_use(parameter, value, &users)) }
}
