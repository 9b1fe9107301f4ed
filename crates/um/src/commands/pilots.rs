//! A number that is dialled leads to one thing: to one hunt group, one auto attendant, or one user.

use super::CommandError;
use super::auto_attendant::AutoAttendant;
use super::hunt_group::HuntGroup;
use crate::configuration::{Configuration, Table, pilot_number};
use std::collections::BTreeMap;

/// What of a pilot is compared.
fn number(pilot: &str) -> String {
    pilot_number(pilot).trim_start_matches('+').to_lowercase()
}

/// Whether two pilots are one number.
pub(super) fn same(one: &str, other: &str) -> bool {
    number(one) == number(other)
}

/// Who has a number, by number.
type Claims = BTreeMap<String, String>;

fn claim(claims: &mut Claims, parameter: &str, me: &str, pilot: &str, claimant: String) -> Result<(), CommandError> {
    match claims.get(&number(pilot)) {
        Some(other) if *other != claimant => {
            // Whichever of the two is being changed is to be mended.
            let other = if other == me { &claimant } else { other };
            Err(CommandError::bad(parameter, format!("{other} has {} already", pilot_number(pilot))))
        }
        _ => {
            claims.insert(number(pilot), claimant);
            Ok(())
        }
    }
}

/// Checks hunt groups and attendants as they would be after a change to `me`. Callers of a gateway reach its hunt groups,
/// and the attendants of the plans that those lead to.
pub(super) fn check(
    configuration: &Configuration,
    groups: &Table<HuntGroup>,
    attendants: &Table<AutoAttendant>,
    (parameter, me): (&str, &str),
) -> Result<(), CommandError> {
    let mut by_gateway: BTreeMap<String, Vec<&HuntGroup>> = BTreeMap::new();
    let mut by_plan: BTreeMap<String, Vec<&AutoAttendant>> = BTreeMap::new();
    for group in groups.iter() {
        by_gateway.entry(group.gateway.to_lowercase()).or_default().push(group);
    }
    for attendant in attendants.iter() {
        by_plan.entry(attendant.dial_plan.to_lowercase()).or_default().push(attendant);
    }
    let claim_attendants = |claims: &mut Claims, plan: &str| -> Result<(), CommandError> {
        for attendant in by_plan.get(plan).into_iter().flatten() {
            for pilot in &attendant.pilot_identifier_list {
                claim(claims, parameter, me, pilot, attendant_name(&attendant.name))?;
            }
        }
        Ok(())
    };
    for groups in by_gateway.values() {
        let mut claims = Claims::new();
        for group in groups {
            if let Some(pilot) = &group.pilot {
                claim(&mut claims, parameter, me, pilot, group_name(&group.name))?;
            }
        }
        for group in groups {
            claim_attendants(&mut claims, &group.dial_plan.to_lowercase())?;
        }
    }
    for plan in by_plan.keys() {
        let mut claims = Claims::new();
        claim_attendants(&mut claims, plan)?;
        let of_plan = groups.iter().filter(|group| group.dial_plan.to_lowercase() == *plan);
        for (group, pilot) in of_plan.filter_map(|group| Some((group, group.pilot.as_ref()?))) {
            // The same pilot at two gateways of a plan is one number: it leads to the same.
            if claims.contains_key(&number(pilot)) {
                claim(&mut claims, parameter, me, pilot, group_name(&group.name))?;
            }
        }
    }
    let of_groups = groups.iter().filter_map(|group| Some((&group.dial_plan, group.pilot.as_ref()?)));
    let of_attendants = attendants
        .iter()
        .flat_map(|attendant| attendant.pilot_identifier_list.iter().map(|pilot| (&attendant.dial_plan, pilot)));
    for (plan, pilot) in of_groups.chain(of_attendants) {
        if let Some(user) = configuration.by_extension(plan, pilot_number(pilot)) {
            let mend = format!("mailbox {:?} has {} already", user.name, pilot_number(pilot));
            return Err(CommandError::bad(parameter, mend));
        }
    }
    Ok(())
}

pub(super) fn group_name(name: &str) -> String {
    format!("hunt group {name:?}")
}

pub(super) fn attendant_name(name: &str) -> String {
    format!("auto attendant {name:?}")
}

/// What of a plan has this number as its pilot.
pub(super) fn owner_in(configuration: &Configuration, plan: &str, extension: &str) -> Option<String> {
    let of_plan = |other: &str| other.eq_ignore_ascii_case(plan);
    let group = configuration.hunt_groups.iter().find(|group| {
        of_plan(&group.dial_plan) && group.pilot.as_deref().is_some_and(|pilot| pilot_number(pilot) == extension)
    });
    let attendant = || {
        configuration.attendants.iter().find(|attendant| {
            of_plan(&attendant.dial_plan)
                && attendant.pilot_identifier_list.iter().any(|pilot| pilot_number(pilot) == extension)
        })
    };
    group.map(|group| group_name(&group.name)).or_else(|| Some(attendant_name(&attendant()?.name)))
}
