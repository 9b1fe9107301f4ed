//! UMHuntGroup: which pilot number of which gateway leads to which dial plan (fact sheet 2.3).

use super::table::{self, Cmdlet, Parameter};
use super::{Answer, Command, CommandError, Outcome, pilots};
use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};

/// A hunt group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HuntGroup {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "UMDialPlan")]
    pub dial_plan: String,
    #[serde(rename = "UMIPGateway")]
    pub gateway: String,
    /// Digits, or a SIP URI; none in the default group that comes with a gateway.
    #[serde(rename = "PilotIdentifier", default)]
    pub pilot: Option<String>,
}

const NOUN: &str = "UMHuntGroup";

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let pilot =
        || Parameter::of::<String>("PilotIdentifier", "The number that is dialled.").written("digits, or a SIP URI");
    let fixed = vec![
        table::name(),
        table::dial_plan("The plan that it leads to.").needed(),
        table::gateway("Whose calls.").needed(),
        pilot(),
    ];
    let filter = table::dial_plan("Only those of this plan.");
    vec![
        Cmdlet::new("New-UMHuntGroup", "Ties a pilot number of a gateway to a dial plan.", fixed),
        Cmdlet::new("Get-UMHuntGroup", "Shows hunt groups.", table::identity_or_all(NOUN)).and(vec![filter]),
        Cmdlet::new("Set-UMHuntGroup", "Changes a hunt group's pilot.", table::identity(NOUN))
            .and(vec![pilot().needed()])
            .note("Exchange has no such cmdlet: a hunt group is removed and made anew there."),
        Cmdlet::new(
            "Remove-UMHuntGroup",
            "Removes a hunt group: calls to its pilot are refused.",
            table::identity(NOUN),
        )
        .asks(),
    ]
}

pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let groups = configuration.hunt_groups.iter().map(|group| Command::NewHuntGroup {
        name: group.name.clone(),
        dial_plan: group.dial_plan.clone(),
        gateway: group.gateway.clone(),
        pilot: group.pilot.clone(),
    });
    groups.collect()
}

pub(super) fn new(
    configuration: &mut Configuration,
    name: String,
    dial_plan: &str,
    gateway: &str,
    pilot: Option<String>,
) -> Outcome {
    configuration.hunt_groups.check_new(&name)?;
    let group = HuntGroup {
        name,
        dial_plan: configuration.dial_plans.require("UMDialPlan", dial_plan)?.name.clone(),
        gateway: configuration.gateways.require("UMIPGateway", gateway)?.name.clone(),
        pilot,
    };
    group.check(configuration)?;
    let mut stored = Vec::new();
    configuration.hunt_groups.put(group.clone(), &mut stored);
    Ok((Answer::HuntGroups(vec![group]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, pilot: String) -> Outcome {
    let mut group = HuntGroup::clone(configuration.hunt_groups.require("Identity", identity)?);
    group.pilot = Some(pilot);
    group.check(configuration)?;
    let mut stored = Vec::new();
    configuration.hunt_groups.put(group, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let name = configuration.hunt_groups.require("Identity", identity)?.name.clone();
    let mut stored = Vec::new();
    configuration.hunt_groups.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl HuntGroup {
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        if let Some(pilot) = &self.pilot {
            check_pilot("PilotIdentifier", pilot)?;
        }
        let mut groups = configuration.hunt_groups.clone();
        groups.put(self.clone(), &mut Vec::new());
        let me = pilots::group_name(&self.name);
        pilots::check(configuration, &groups, &configuration.attendants, ("PilotIdentifier", &me))
    }
}

/// A pilot is digits (with or without `+`), or a SIP URI.
pub(super) fn check_pilot(parameter: &str, pilot: &str) -> Result<(), CommandError> {
    let digits = pilot.strip_prefix('+').unwrap_or(pilot);
    let number = !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let uri = pilot.starts_with("sip:") && pilot.parse::<sip::Uri>().is_ok_and(|uri| uri.user.is_some());
    if number || uri { Ok(()) } else { Err(CommandError::bad(parameter, "write digits, or a SIP URI")) }
}
