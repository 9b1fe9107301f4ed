//! UMHuntGroup: which pilot number of which gateway leads to which dial plan (fact sheet 2.3).

use super::{Answer, CommandError, Outcome};
use crate::configuration::{Configuration, pilot_is};
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
        let Some(pilot) = &self.pilot else { return Ok(()) };
        check_pilot("PilotIdentifier", pilot)?;
        let taken = configuration.hunt_groups.iter().find(|other| {
            !other.name.eq_ignore_ascii_case(&self.name)
                && other.gateway.eq_ignore_ascii_case(&self.gateway)
                && other.pilot.as_deref().is_some_and(|other| pilot_is(other, pilot))
        });
        match taken {
            Some(other) => {
                let mend = format!("{:?} has this pilot of that gateway already", other.name);
                Err(CommandError::bad("PilotIdentifier", mend))
            }
            None => Ok(()),
        }
    }
}

/// A pilot is digits (with or without `+`), or a SIP URI.
pub(super) fn check_pilot(parameter: &str, pilot: &str) -> Result<(), CommandError> {
    let digits = pilot.strip_prefix('+').unwrap_or(pilot);
    let number = !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let uri = pilot.starts_with("sip:") && pilot.parse::<sip::Uri>().is_ok_and(|uri| uri.user.is_some());
    if number || uri { Ok(()) } else { Err(CommandError::bad(parameter, "write digits, or a SIP URI")) }
}
