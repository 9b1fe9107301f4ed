//! Get-UMActiveCalls: the calls in progress.

use super::table::{Cmdlet, Parameter};
use super::{CallView, Command, CommandError};
use crate::configuration::Configuration;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let server =
        |name| Parameter::of::<String>(name, "Only this server's; there is this one only.").written("a server's name");
    let plan = Parameter::of::<String>("DialPlan", "Only calls of this dial plan.").written("the name of a dial plan");
    let gateway = Parameter::of::<String>("IPGateway", "Only calls of this gateway.").written("the name of a gateway");
    let parameters =
        vec![server("Server"), server("InstanceServer"), plan.naming("UMDialPlan"), gateway.naming("UMIPGateway")];
    vec![
        Cmdlet::new("Get-UMActiveCalls", "Shows the calls in progress.", parameters),
        Cmdlet::new("Export-UMConfiguration", "Prints a script that makes this configuration anew.", Vec::new())
            .alias(&["export"])
            .note("The script holds the hashes of PINs: keep it as carefully as the data folder."),
    ]
}

/// Which calls are asked for; checked, so that a misspelt name is no empty list.
pub(crate) fn filter(
    configuration: &Configuration,
    server: &str,
    command: Command,
) -> Result<impl Fn(&CallView) -> bool + use<>, CommandError> {
    let (servers, plan, gateway) = match command {
        Command::GetActiveCalls { server, instance_server, dial_plan, gateway } => {
            ([("Server", server), ("InstanceServer", instance_server)], dial_plan, gateway)
        }
        _ => ([("Server", None), ("InstanceServer", None)], None, None),
    };
    for (parameter, name) in servers {
        if name.is_some_and(|name| !name.eq_ignore_ascii_case(server)) {
            return Err(CommandError::bad(parameter, format!("write {server}, or leave it out")));
        }
    }
    let plan = plan
        .map(|plan| configuration.dial_plans.require("DialPlan", &plan).map(|plan| plan.name.clone()))
        .transpose()?;
    let gateway = gateway
        .map(|gateway| configuration.gateways.require("IPGateway", &gateway).map(|gateway| gateway.name.clone()))
        .transpose()?;
    Ok(move |call: &CallView| {
        plan.as_ref().is_none_or(|plan| call.dial_plan == *plan)
            && gateway.as_ref().is_none_or(|gateway| call.gateway == *gateway)
    })
}
