//! From a cmdlet's name and parameters, as written, to a [`Command`].

use super::settings::{Arguments, Parameter};
use super::value::{Given, Value};
use super::{
    AttendantChanges, Command, CommandError, DialPlanChanges, GatewayChanges, MailboxChanges, PolicyChanges,
    ServiceChanges, UriType,
};

/// A cmdlet, for help and completion.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Cmdlet {
    pub name: &'static str,
    pub summary: &'static str,
    pub parameters: Vec<Parameter>,
}

type Build = fn(&mut Arguments) -> Result<Command, CommandError>;

struct Entry {
    name: &'static str,
    summary: &'static str,
    parameters: fn() -> Vec<Parameter>,
    build: Build,
}

/// All cmdlets, in the order in which help lists them.
pub fn cmdlets() -> Vec<Cmdlet> {
    ENTRIES
        .iter()
        .map(|entry| Cmdlet { name: entry.name, summary: entry.summary, parameters: (entry.parameters)() })
        .collect()
}

pub(super) fn parse(cmdlet: &str, parameters: Vec<(String, Given)>) -> Result<Command, CommandError> {
    let Some(entry) = ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(cmdlet)) else {
        return Err(CommandError::UnknownCmdlet { cmdlet: cmdlet.into(), near: near(cmdlet) });
    };
    let mut known = (entry.parameters)();
    known.push(Parameter::optional("Confirm", &bool::syntax(), "", "Taken and not needed: nothing asks."));
    let mut arguments = Arguments::new(entry.name, &known, parameters)?;
    arguments.take::<bool>("Confirm")?;
    (entry.build)(&mut arguments)
}

/// The cmdlets of the same verb or noun; all of them when there is none.
fn near(cmdlet: &str) -> String {
    let lower = cmdlet.to_ascii_lowercase();
    let (verb, noun) = lower.split_once('-').unwrap_or((&lower, ""));
    let alike = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.split_once('-').is_some_and(|(v, n)| (!noun.is_empty() && n == noun) || v == verb)
    };
    let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name).filter(|name| alike(name)).collect();
    if names.is_empty() {
        ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
    } else {
        names.join(", ")
    }
}

const NAME: &str = "a text of at most 64 characters";
const IDENTITY: &str = "the name of an object";
const WHO: &str = "a mailbox's name, alias, mail address or extension";

fn identity() -> Vec<Parameter> {
    vec![Parameter::required("Identity", IDENTITY, "Which one.")]
}

fn identity_or_all() -> Vec<Parameter> {
    vec![Parameter::optional("Identity", IDENTITY, "", "Which one; none: all.")]
}

fn with(fixed: Vec<Parameter>, settings: Vec<Parameter>) -> Vec<Parameter> {
    fixed.into_iter().chain(settings).collect()
}

fn required_settings(fixed: Vec<Parameter>, mut settings: Vec<Parameter>, required: &str) -> Vec<Parameter> {
    for parameter in &mut settings {
        parameter.required |= parameter.name == required;
    }
    with(fixed, settings)
}

fn name() -> Parameter {
    Parameter::required("Name", NAME, "What it is called.")
}

fn plan() -> Parameter {
    Parameter::required("UMDialPlan", "the name of a dial plan", "The plan that it belongs to.")
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "New-UMDialPlan",
        summary: "Makes a dial plan and its default mailbox policy.",
        parameters: || {
            let fixed = vec![
                name(),
                Parameter::required("NumberOfDigitsInExtension", "a number, 1 to 20", "Digits of the extensions."),
                Parameter::optional("URIType", &UriType::syntax(), "TelExtn", "How users are addressed."),
                Parameter::optional("GenerateUMMailboxPolicy", &bool::syntax(), "True", "Make the default policy too."),
            ];
            required_settings(fixed, DialPlanChanges::parameters(), "CountryOrRegionCode")
        },
        build: |arguments| {
            let changes = Box::new(DialPlanChanges::read(arguments)?);
            Ok(Command::NewDialPlan {
                name: arguments.require("Name")?,
                digits: arguments.require("NumberOfDigitsInExtension")?,
                uri_type: arguments.take("URIType")?.unwrap_or(UriType::TelExtn),
                generate_policy: arguments.take("GenerateUMMailboxPolicy")?.unwrap_or(true),
                changes,
            })
        },
    },
    Entry {
        name: "Get-UMDialPlan",
        summary: "Shows dial plans.",
        parameters: identity_or_all,
        build: |arguments| Ok(Command::GetDialPlan { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMDialPlan",
        summary: "Changes a dial plan.",
        parameters: || with(identity(), DialPlanChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(DialPlanChanges::read(arguments)?);
            Ok(Command::SetDialPlan { identity: arguments.require("Identity")?, changes })
        },
    },
    Entry {
        name: "Remove-UMDialPlan",
        summary: "Removes a dial plan that nothing uses.",
        parameters: identity,
        build: |arguments| Ok(Command::RemoveDialPlan { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "New-UMIPGateway",
        summary: "Makes known a PBX to take calls from.",
        parameters: || {
            let help = "Makes a default hunt group without a pilot in that plan too.";
            let fixed = vec![name(), Parameter::optional("UMDialPlan", "the name of a dial plan", "", help)];
            required_settings(fixed, GatewayChanges::parameters(), "Address")
        },
        build: |arguments| {
            let changes = Box::new(GatewayChanges::read(arguments)?);
            Ok(Command::NewGateway {
                name: arguments.require("Name")?,
                dial_plan: arguments.take("UMDialPlan")?,
                changes,
            })
        },
    },
    Entry {
        name: "Get-UMIPGateway",
        summary: "Shows gateways.",
        parameters: identity_or_all,
        build: |arguments| Ok(Command::GetGateway { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMIPGateway",
        summary: "Changes a gateway.",
        parameters: || with(identity(), GatewayChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(GatewayChanges::read(arguments)?);
            Ok(Command::SetGateway { identity: arguments.require("Identity")?, changes })
        },
    },
    Entry {
        name: "Remove-UMIPGateway",
        summary: "Removes a gateway and its hunt groups.",
        parameters: identity,
        build: |arguments| Ok(Command::RemoveGateway { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "New-UMHuntGroup",
        summary: "Ties a pilot number of a gateway to a dial plan.",
        parameters: || {
            vec![
                name(),
                plan(),
                Parameter::required("UMIPGateway", "the name of a gateway", "Whose calls."),
                Parameter::optional("PilotIdentifier", "digits, or a SIP URI", "", "The number that is dialled."),
            ]
        },
        build: |arguments| {
            Ok(Command::NewHuntGroup {
                name: arguments.require("Name")?,
                dial_plan: arguments.require("UMDialPlan")?,
                gateway: arguments.require("UMIPGateway")?,
                pilot: arguments.take("PilotIdentifier")?,
            })
        },
    },
    Entry {
        name: "Get-UMHuntGroup",
        summary: "Shows hunt groups.",
        parameters: identity_or_all,
        build: |arguments| Ok(Command::GetHuntGroup { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMHuntGroup",
        summary: "Changes a hunt group's pilot.",
        parameters: || {
            let pilot = Parameter::required("PilotIdentifier", "digits, or a SIP URI", "The number that is dialled.");
            with(identity(), vec![pilot])
        },
        build: |arguments| {
            Ok(Command::SetHuntGroup {
                identity: arguments.require("Identity")?,
                pilot: arguments.require("PilotIdentifier")?,
            })
        },
    },
    Entry {
        name: "Remove-UMHuntGroup",
        summary: "Removes a hunt group.",
        parameters: identity,
        build: |arguments| Ok(Command::RemoveHuntGroup { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "New-UMMailboxPolicy",
        summary: "Makes a mailbox policy in a dial plan.",
        parameters: || with(vec![name(), plan()], PolicyChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(PolicyChanges::read(arguments)?);
            Ok(Command::NewPolicy {
                name: arguments.require("Name")?,
                dial_plan: arguments.require("UMDialPlan")?,
                changes,
            })
        },
    },
    Entry {
        name: "Get-UMMailboxPolicy",
        summary: "Shows mailbox policies.",
        parameters: identity_or_all,
        build: |arguments| Ok(Command::GetPolicy { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMMailboxPolicy",
        summary: "Changes a mailbox policy.",
        parameters: || with(identity(), PolicyChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(PolicyChanges::read(arguments)?);
            Ok(Command::SetPolicy { identity: arguments.require("Identity")?, changes })
        },
    },
    Entry {
        name: "Remove-UMMailboxPolicy",
        summary: "Removes a mailbox policy that no mailbox has.",
        parameters: identity,
        build: |arguments| Ok(Command::RemovePolicy { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "New-UMAutoAttendant",
        summary: "Makes an auto attendant in a dial plan.",
        parameters: || with(vec![name(), plan()], AttendantChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(AttendantChanges::read(arguments)?);
            Ok(Command::NewAutoAttendant {
                name: arguments.require("Name")?,
                dial_plan: arguments.require("UMDialPlan")?,
                changes,
            })
        },
    },
    Entry {
        name: "Get-UMAutoAttendant",
        summary: "Shows auto attendants.",
        parameters: identity_or_all,
        build: |arguments| Ok(Command::GetAutoAttendant { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMAutoAttendant",
        summary: "Changes an auto attendant.",
        parameters: || with(identity(), AttendantChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(AttendantChanges::read(arguments)?);
            Ok(Command::SetAutoAttendant { identity: arguments.require("Identity")?, changes })
        },
    },
    Entry {
        name: "Remove-UMAutoAttendant",
        summary: "Removes an auto attendant.",
        parameters: identity,
        build: |arguments| Ok(Command::RemoveAutoAttendant { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "Get-UMService",
        summary: "Shows the settings of this server.",
        parameters: identity_or_all,
        build: |arguments| {
            arguments.take::<String>("Identity")?;
            Ok(Command::GetService {})
        },
    },
    Entry {
        name: "Set-UMService",
        summary: "Changes the settings of this server.",
        parameters: || with(identity_or_all(), ServiceChanges::parameters()),
        build: |arguments| {
            arguments.take::<String>("Identity")?;
            Ok(Command::SetService { changes: ServiceChanges::read(arguments)? })
        },
    },
    Entry {
        name: "New-Mailbox",
        summary: "Makes a user with a mailbox.",
        parameters: || with(vec![name()], MailboxChanges::parameters()),
        build: |arguments| {
            let changes = Box::new(MailboxChanges::read(arguments)?);
            Ok(Command::NewMailbox { name: arguments.require("Name")?, changes })
        },
    },
    Entry {
        name: "Enable-UMMailbox",
        summary: "Gives a mailbox voice mail.",
        parameters: || {
            let made_up = "none: six digits are made up and shown once.";
            vec![
                Parameter::required("Identity", WHO, "Which mailbox."),
                Parameter::required("UMMailboxPolicy", "the name of a policy", "The rules that it follows."),
                Parameter::optional(
                    "Extensions",
                    "a list: a,b,c",
                    "",
                    "The first is the primary one; none: from Phone.",
                ),
                Parameter::optional("PIN", "4 to 24 digits", "", made_up),
                Parameter::optional("PINExpired", &bool::syntax(), "", "Whether it must be changed at the first call."),
            ]
        },
        build: |arguments| {
            Ok(Command::EnableMailbox {
                identity: arguments.require("Identity")?,
                policy: arguments.require("UMMailboxPolicy")?,
                extensions: arguments.take("Extensions")?,
                pin: arguments.take("PIN")?,
                pin_expired: arguments.take("PINExpired")?,
            })
        },
    },
    Entry {
        name: "Get-UMMailbox",
        summary: "Shows mailboxes.",
        parameters: || vec![Parameter::optional("Identity", WHO, "", "Which mailbox; none: all.")],
        build: |arguments| Ok(Command::GetMailbox { identity: arguments.take("Identity")? }),
    },
    Entry {
        name: "Set-UMMailboxPIN",
        summary: "Sets or resets a PIN, or locks and unlocks a mailbox.",
        parameters: || {
            let made_up = "none, and nothing else to change: six digits are made up and shown once.";
            vec![
                Parameter::required("Identity", WHO, "Which mailbox."),
                Parameter::optional("Pin", "4 to 24 digits", "", made_up),
                Parameter::optional("PINExpired", &bool::syntax(), "", "Whether it must be changed at the next call."),
                Parameter::optional("LockedOut", &bool::syntax(), "", "$false unlocks."),
            ]
        },
        build: |arguments| {
            Ok(Command::SetPin {
                identity: arguments.require("Identity")?,
                pin: arguments.take("Pin")?,
                pin_expired: arguments.take("PINExpired")?,
                locked_out: arguments.take("LockedOut")?,
            })
        },
    },
    Entry {
        name: "Get-UMMailboxPIN",
        summary: "Shows whether a PIN has expired and whether its mailbox is locked.",
        parameters: || vec![Parameter::required("Identity", WHO, "Which mailbox.")],
        build: |arguments| Ok(Command::GetPin { identity: arguments.require("Identity")? }),
    },
    Entry {
        name: "Get-UMActiveCalls",
        summary: "Shows the calls in progress.",
        parameters: Vec::new,
        build: |_| Ok(Command::GetActiveCalls {}),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cmdlet: &str, parameters: &[(&str, &str)]) -> Result<Command, CommandError> {
        let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), Given::from(*value))).collect();
        Command::parse(cmdlet, given)
    }

    #[test]
    fn the_guides_dial_plan_is_understood_in_any_case_and_by_beginnings() {
        let command = line(
            "new-umdialplan",
            &[
                ("name", "Integration_MX-ONE"),
                ("NumberOfDigits", "5"),
                ("VoIPSec", "unsecured"),
                ("CountryOrRegionCode", "46"),
            ],
        );
        let Ok(Command::NewDialPlan { name, digits: 5, changes, .. }) = command else { panic!("{command:?}") };
        assert_eq!(name, "Integration_MX-ONE");
        assert_eq!(changes.country_or_region_code, Some(Some("46".into())));
    }

    #[test]
    fn a_missing_parameter_is_named() {
        let error = line("New-UMIPGateway", &[("Address", "127.0.0.1")]).unwrap_err();
        assert_eq!(error.parameter(), Some("Name"));
    }

    #[test]
    fn an_unknown_parameter_is_named_with_those_that_there_are() {
        let error = line("New-UMHuntGroup", &[("Pillot", "43334")]).unwrap_err();
        assert_eq!(error.parameter(), Some("Pillot"));
        assert!(error.to_string().contains("PilotIdentifier"));
    }

    #[test]
    fn a_value_of_the_wrong_type_says_what_to_write() {
        let error = line("Set-UMIPGateway", &[("", "MX-ONE"), ("Redirects", "two")]).unwrap_err();
        assert_eq!(error, CommandError::bad("Redirects", "write a whole number"));
    }

    #[test]
    fn an_unknown_cmdlet_lists_those_of_its_noun() {
        let error = line("Enable-UMIPGateway", &[]).unwrap_err();
        assert!(error.to_string().contains("Set-UMIPGateway"));
    }

    #[test]
    fn a_command_goes_through_json_and_back() {
        let command = line("Set-UMDialPlan", &[("", "Plan"), ("MaxCallDuration", "60")]).unwrap();
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(json, r#"{"Cmdlet":"Set-UMDialPlan","Identity":"Plan","MaxCallDuration":60}"#);
        assert!(serde_json::from_str::<Command>(&json).unwrap() == command);
    }
}
