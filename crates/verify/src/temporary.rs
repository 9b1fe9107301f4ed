//! What a test needs configured, made by commands and ended after it, so that the system is left as it was.

use crate::outcome::{Outcome, Stop};
use crate::rest::{Rest, RestError};
use crate::stage::Stage;
use serde_json::{Value, json};

/// The suite's own route: nobody numbers routes from the end.
const ROUTE: u32 = 249;
/// The digits of the guide's ROCAI and RODDI lines.
const SEL: &str = "7110000000000010";
const SERV: &str = "3110000001";
const ADC: &str = "0005000000000250000001010000";
const GATEWAY: &str = "Earcon verify";

enum Half {
    Node,
    Um,
}

/// Ends what it made when it is dropped, the last first.
pub(crate) struct Temporary<'a> {
    rest: &'a Rest,
    undo: Vec<(Half, Value)>,
}

impl<'a> Temporary<'a> {
    fn new(rest: &'a Rest) -> Temporary<'a> {
        Temporary { rest, undo: Vec::new() }
    }

    fn node(&mut self, make: Value, end: Option<Value>) -> Outcome {
        self.rest.node(&make).map_err(not_made)?;
        self.undo.extend(end.map(|end| (Half::Node, end)));
        Ok(())
    }

    fn um(&mut self, make: Value, end: Option<Value>) -> Outcome {
        self.rest.um(&make).map_err(not_made)?;
        self.undo.extend(end.map(|end| (Half::Um, end)));
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        for (half, end) in self.undo.drain(..).rev() {
            // Nobody is left to tell but the reader of the terminal, who has to end it by hand.
            let ended = match half {
                Half::Node => self.rest.node(&end),
                Half::Um => self.rest.um(&end),
            };
            if let Err(error) = ended {
                eprintln!("verify: what a test made could not be ended: {error}");
            }
        }
    }
}

fn not_made(error: RestError) -> Stop {
    Stop::NotTested(format!("what the test needs could not be configured: {error}"))
}

/// A route whose far end is the suite. None: the suite gives no commands, so it is there already.
pub(crate) fn route<'a>(stage: &'a Stage<'_>) -> Outcome<Option<Temporary<'a>>> {
    let (Some(rest), Some(trunk)) = (stage.rest.filter(|_| stage.target.commands()), &stage.target.trunk) else {
        return Ok(None);
    };
    let mut made = Temporary::new(rest);
    let (rou, bind) = (ROUTE, trunk.bind);
    made.node(
        json!({ "command": "route_category", "verb": "initiate", "rou": rou, "sel": SEL, "trm": "4", "serv": SERV }),
        Some(json!({ "command": "route_category", "verb": "end", "rou": rou })),
    )?;
    made.node(
        json!({ "command": "route_data", "verb": "initiate", "rou": rou, "type": "TL66" }),
        Some(json!({ "command": "route_data", "verb": "end", "rou": rou })),
    )?;
    let protocol = trunk.transport.sip().parameter();
    let none = Value::Null;
    made.node(
        json!({ "command": "sip_route", "verb": "set", "route": rou, "profile": "DEFAULT", "protocol": protocol,
            "uristring": [format!("sip:?@{bind}"), none, none, none, none, none, none, none],
            "remoteport": trunk.port, "accept": "REMOTE_IP", "match": bind.to_string(),
            "supervise": "NO_SUPERVISION" }),
        Some(json!({ "command": "sip_route", "verb": "remove", "route": rou })),
    )?;
    made.node(
        json!({ "command": "trunk", "verb": "initiate", "rou": rou, "tru": "1-1&&1-4" }),
        Some(json!({ "command": "trunk", "verb": "end", "rou": rou })),
    )?;
    Ok(Some(made))
}

/// A telephone outside that can be reached, and a dialling rule that lets users have it rung. None: the suite gives no commands, or
/// does not know how the trunk is reached.
pub(crate) fn outside<'a>(stage: &'a Stage<'_>) -> Outcome<Option<(Temporary<'a>, String)>> {
    let code = stage.target.trunk.as_ref().and_then(|trunk| trunk.access_code.clone());
    let plan = stage.target.gateway.as_ref().and_then(|gateway| gateway.dial_plan.clone());
    let (Some(code), Some(plan), Some(mut made)) = (code, plan, route(stage)?) else { return Ok(None) };
    destination(&mut made, &code)?;
    let list = |change: &str, item: &str| json!({ change: [item] });
    let rule = format!("{GATEWAY},99{code},{code},made by the acceptance suite");
    let rules = |change: &str| {
        json!({ "Cmdlet": "Set-UMDialPlan", "Identity": plan,
            "ConfiguredInCountryOrRegionGroups": list(change, &rule) })
    };
    let policy = format!("{plan} Default Policy");
    let allowed = |change: &str| {
        json!({ "Cmdlet": "Set-UMMailboxPolicy", "Identity": policy,
            "AllowedInCountryOrRegionGroups": list(change, GATEWAY) })
    };
    made.um(rules("Add"), Some(rules("Remove")))?;
    made.um(allowed("Add"), Some(allowed("Remove")))?;
    // Longer than an extension: only the rule leads out.
    Ok(Some((made, format!("99{code}"))))
}

/// A number that leads out by that route, and an extension whose calls are sent on to it.
pub(crate) fn way_out(made: &mut Temporary<'_>, access_code: &str, extension: &str) -> Outcome {
    destination(made, access_code)?;
    made.node(
        json!({ "command": "diversion", "verb": "initiate", "dir": extension, "div_destination_number": access_code,
            "div_immediate": true, "div_busy": false, "div_noreply": false }),
        Some(json!({ "command": "diversion", "verb": "end", "dir": extension })),
    )
}

/// A number that leads out by that route.
fn destination(made: &mut Temporary<'_>, access_code: &str) -> Outcome {
    made.node(
        json!({ "command": "number", "verb": "initiate", "numbertype": "ED", "number": access_code }),
        Some(json!({ "command": "number", "verb": "end", "number": access_code })),
    )?;
    made.node(
        json!({ "command": "destination", "verb": "initiate", "dest": access_code, "rou": ROUTE, "adc": ADC, "srt": 1 }),
        Some(json!({ "command": "destination", "verb": "end", "dest": access_code })),
    )
}

/// A UM IP gateway that is the suite. None: the suite gives no commands, so it is there already.
pub(crate) fn gateway<'a>(stage: &'a Stage<'_>) -> Outcome<Option<Temporary<'a>>> {
    let (Some(rest), Some(gateway)) = (stage.rest.filter(|_| stage.target.commands()), &stage.target.gateway) else {
        return Ok(None);
    };
    let Some(plan) = &gateway.dial_plan else { return Ok(None) };
    let mut made = Temporary::new(rest);
    made.um(
        json!({ "Cmdlet": "New-UMIPGateway", "Name": GATEWAY, "UMDialPlan": plan,
            "Address": gateway.bind.to_string(), "MessageWaitingIndicatorAllowed": false }),
        Some(json!({ "Cmdlet": "Remove-UMIPGateway", "Identity": GATEWAY })),
    )?;
    // Ends with its gateway.
    made.um(
        json!({ "Cmdlet": "New-UMHuntGroup", "Name": GATEWAY, "UMDialPlan": plan, "UMIPGateway": GATEWAY,
            "PilotIdentifier": stage.target.numbers.voice_mail }),
        None,
    )?;
    Ok(Some(made))
}
