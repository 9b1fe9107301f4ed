//! Who leads to a number: what call lists and diversions send calls on to is not taken away under them.

use super::{CommandError, Outcome};
use crate::configuration::{Configuration, Edit, ExtensionEntry, HuntGroup};
use crate::numbers::{Analysis, Digits, analyse};
use std::collections::BTreeMap;

/// Users named in an error; of more, their count.
const NAMED: usize = 5;

/// The numbers that an extension's call lists and diversion lead to.
fn leads_to(entry: &ExtensionEntry) -> impl Iterator<Item = &str> {
    let listed = entry.call_lists.values().flat_map(|list| list.values()).map(|position| position.destination.as_str());
    let diversion = entry.diversion.iter();
    let diverted = diversion.flat_map(|diversion| {
        [Some(diversion.destination.as_str()), diversion.follow_me.as_deref()].into_iter().flatten()
    });
    listed.chain(diverted).filter(|number| !number.is_empty())
}

/// The numbers that a hunt group overflows to.
fn overflows_to(group: &HuntGroup) -> impl Iterator<Item = &str> {
    [&group.overflow_busy, &group.overflow_no_reply].into_iter().flatten().map(String::as_str)
}

/// The extensions and hunt groups, others than `but`, whose call lists, diversions or overflows lead to a number that
/// `is` says yes to.
fn users(configuration: &Configuration, but: &str, is: impl Fn(&str) -> bool) -> Vec<String> {
    let others = configuration.extensions.iter().filter(|(dir, _)| *dir != but);
    let extensions = others.filter(|(_, entry)| leads_to(entry).any(&is)).map(|(dir, _)| dir.clone());
    let others = configuration.hunt_groups.iter().filter(|(number, _)| *number != but);
    let groups =
        others.filter(|(_, group)| overflows_to(group).any(&is)).map(|(number, _)| format!("hunt group {number}"));
    extensions.chain(groups).collect()
}

fn in_use(parameter: &str, value: &str, users: &[String]) -> CommandError {
    let named = users.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match users.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mend = format!("{named}{more}: calls go on to it; change their call_list, diversion or overflow first");
    CommandError::in_use(parameter, value, mend)
}

/// Refuses to end an extension that is a member of a group.
pub(super) fn in_no_group(configuration: &Configuration, parameter: &str, dir: &str) -> Result<(), CommandError> {
    let hunts = |group: &HuntGroup| group.members.iter().any(|member| member.dir == dir);
    let hunts = configuration.hunt_groups.iter().find(|(_, group)| hunts(group));
    let picks = configuration.pickup_groups.iter().find(|(_, group)| group.members.contains(dir));
    let (command, group) = match (hunts, picks) {
        (Some((number, _)), _) => ("hunt_group", number.clone()),
        (None, Some((number, _))) => ("pickup_group", number.to_string()),
        (None, None) => return Ok(()),
    };
    let mend = format!("it is a member of {command} {group}: change its members with {command} -c first");
    Err(CommandError::in_use(parameter, dir, mend))
}

/// Refuses to end an extension or a hunt group that others' calls go on to.
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
    let numbers = configuration.extensions.values().flat_map(leads_to);
    let numbers = numbers.chain(configuration.hunt_groups.values().flat_map(overflows_to));
    let mut vacant: BTreeMap<&str, bool> = numbers.filter(external).map(|number| (number, false)).collect();
    if vacant.is_empty() {
        return Ok((edits, answer));
    }
    let mut after = Configuration {
        numbers: configuration.numbers.clone(),
        number_lengths: configuration.number_lengths.clone(),
        destinations: configuration.destinations.clone(),
        hunt_groups: configuration.hunt_groups.clone(),
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
