//! The typed commands of the UM server. A cmdlet line, a REST call and a page button become the same [`Command`], which
//! has one handler, one check and one event.
//!
//! A shell hands [`Command::parse`] a cmdlet's name and its parameters as written; [`cmdlets`] is the table for help and
//! completion. REST and tests make the enum themselves (or read it from JSON: `{"Cmdlet": "Set-UMIPGateway", ...}`).

mod answer;
pub mod auto_attendant;
pub mod dial_plan;
mod error;
pub mod hunt_group;
pub mod ip_gateway;
pub mod mailbox;
pub mod mailbox_policy;
mod parse;
pub(crate) mod pin;
pub mod service;
pub(crate) mod settings;
pub mod value;

pub use answer::{Answer, CallView, MailboxView, PinVerdict, PinView};
pub use error::CommandError;
pub use parse::{Cmdlet, cmdlets};
pub use settings::Parameter;
pub use value::Given;

use crate::configuration::Configuration;
use auto_attendant::AttendantChanges;
use dial_plan::{DialPlanChanges, UriType};
use ip_gateway::GatewayChanges;
use mailbox::MailboxChanges;
use mailbox_policy::PolicyChanges;
use serde::{Deserialize, Serialize};
use service::ServiceChanges;

/// Where a reply goes. Called once, from the role's thread or from the one that made the change durable.
pub type Reply = Box<dyn FnOnce(Result<Answer, CommandError>) + Send>;

/// Through what a person logs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    Phone,
    Web,
    Imap,
}

impl Door {
    pub fn name(self) -> &'static str {
        match self {
            Door::Phone => "phone",
            Door::Web => "web",
            Door::Imap => "imap",
        }
    }
}

/// Everything that can be asked of a UM server. `identity` is an object's name, in any case; a mailbox's is also its
/// alias, mail address or extension.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "Cmdlet")]
pub enum Command {
    #[serde(rename = "New-UMDialPlan", rename_all = "PascalCase")]
    NewDialPlan {
        name: String,
        #[serde(rename = "NumberOfDigitsInExtension")]
        digits: u32,
        #[serde(rename = "URIType", default = "tel_extn")]
        uri_type: UriType,
        #[serde(rename = "GenerateUMMailboxPolicy", default = "yes")]
        generate_policy: bool,
        #[serde(flatten)]
        changes: Box<DialPlanChanges>,
    },
    #[serde(rename = "Get-UMDialPlan", rename_all = "PascalCase")]
    GetDialPlan { identity: Option<String> },
    #[serde(rename = "Set-UMDialPlan", rename_all = "PascalCase")]
    SetDialPlan {
        identity: String,
        #[serde(flatten)]
        changes: Box<DialPlanChanges>,
    },
    #[serde(rename = "Remove-UMDialPlan", rename_all = "PascalCase")]
    RemoveDialPlan { identity: String },

    #[serde(rename = "New-UMIPGateway", rename_all = "PascalCase")]
    NewGateway {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(flatten)]
        changes: Box<GatewayChanges>,
    },
    #[serde(rename = "Get-UMIPGateway", rename_all = "PascalCase")]
    GetGateway { identity: Option<String> },
    #[serde(rename = "Set-UMIPGateway", rename_all = "PascalCase")]
    SetGateway {
        identity: String,
        #[serde(flatten)]
        changes: Box<GatewayChanges>,
    },
    #[serde(rename = "Remove-UMIPGateway", rename_all = "PascalCase")]
    RemoveGateway { identity: String },

    #[serde(rename = "New-UMHuntGroup", rename_all = "PascalCase")]
    NewHuntGroup {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(rename = "UMIPGateway")]
        gateway: String,
        #[serde(rename = "PilotIdentifier")]
        pilot: Option<String>,
    },
    #[serde(rename = "Get-UMHuntGroup", rename_all = "PascalCase")]
    GetHuntGroup { identity: Option<String> },
    /// Exchange has none (delete and recreate); here the pilot can be changed.
    #[serde(rename = "Set-UMHuntGroup", rename_all = "PascalCase")]
    SetHuntGroup {
        identity: String,
        #[serde(rename = "PilotIdentifier")]
        pilot: String,
    },
    #[serde(rename = "Remove-UMHuntGroup", rename_all = "PascalCase")]
    RemoveHuntGroup { identity: String },

    #[serde(rename = "New-UMMailboxPolicy", rename_all = "PascalCase")]
    NewPolicy {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(flatten)]
        changes: Box<PolicyChanges>,
    },
    #[serde(rename = "Get-UMMailboxPolicy", rename_all = "PascalCase")]
    GetPolicy { identity: Option<String> },
    #[serde(rename = "Set-UMMailboxPolicy", rename_all = "PascalCase")]
    SetPolicy {
        identity: String,
        #[serde(flatten)]
        changes: Box<PolicyChanges>,
    },
    #[serde(rename = "Remove-UMMailboxPolicy", rename_all = "PascalCase")]
    RemovePolicy { identity: String },

    #[serde(rename = "New-UMAutoAttendant", rename_all = "PascalCase")]
    NewAutoAttendant {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(flatten)]
        changes: Box<AttendantChanges>,
    },
    #[serde(rename = "Get-UMAutoAttendant", rename_all = "PascalCase")]
    GetAutoAttendant { identity: Option<String> },
    #[serde(rename = "Set-UMAutoAttendant", rename_all = "PascalCase")]
    SetAutoAttendant {
        identity: String,
        #[serde(flatten)]
        changes: Box<AttendantChanges>,
    },
    #[serde(rename = "Remove-UMAutoAttendant", rename_all = "PascalCase")]
    RemoveAutoAttendant { identity: String },

    #[serde(rename = "Get-UMService")]
    GetService {},
    #[serde(rename = "Set-UMService")]
    SetService {
        #[serde(flatten)]
        changes: ServiceChanges,
    },

    #[serde(rename = "New-Mailbox", rename_all = "PascalCase")]
    NewMailbox {
        name: String,
        #[serde(flatten)]
        changes: Box<MailboxChanges>,
    },
    #[serde(rename = "Enable-UMMailbox", rename_all = "PascalCase")]
    EnableMailbox {
        identity: String,
        #[serde(rename = "UMMailboxPolicy")]
        policy: String,
        /// None: the mailbox's telephone number, if it has the plan's length.
        extensions: Option<Vec<String>>,
        /// None: six digits are made up, shown once, and count as expired.
        #[serde(rename = "PIN")]
        pin: Option<String>,
        /// None: only a made-up PIN counts as expired.
        #[serde(rename = "PINExpired")]
        pin_expired: Option<bool>,
    },
    /// All mailboxes when no identity is given; those without voice mail too, shown as not enabled.
    #[serde(rename = "Get-UMMailbox", rename_all = "PascalCase")]
    GetMailbox { identity: Option<String> },
    #[serde(rename = "Set-UMMailboxPIN", rename_all = "PascalCase")]
    SetPin {
        identity: String,
        /// None: with neither of the others given, six digits are made up.
        pin: Option<String>,
        #[serde(rename = "PINExpired")]
        pin_expired: Option<bool>,
        /// false unlocks.
        locked_out: Option<bool>,
    },
    #[serde(rename = "Get-UMMailboxPIN", rename_all = "PascalCase")]
    GetPin { identity: String },

    #[serde(rename = "Get-UMActiveCalls")]
    GetActiveCalls {},
    /// A logon at a door other than the phone. Wrong PINs count as those of the phone do. Not a cmdlet.
    #[serde(rename = "VerifyPin", rename_all = "PascalCase")]
    VerifyPin { identity: String, pin: String, door: Door },
}

fn tel_extn() -> UriType {
    UriType::TelExtn
}

fn yes() -> bool {
    true
}

impl Command {
    /// A cmdlet's name and its parameters as written become a command. A value without a name has the name "".
    pub fn parse(cmdlet: &str, parameters: Vec<(String, Given)>) -> Result<Command, CommandError> {
        parse::parse(cmdlet, parameters)
    }

    /// The cmdlet's name; of VerifyPin its own.
    pub fn cmdlet(&self) -> &'static str {
        use Command::*;
        match self {
            NewDialPlan { .. } => "New-UMDialPlan",
            GetDialPlan { .. } => "Get-UMDialPlan",
            SetDialPlan { .. } => "Set-UMDialPlan",
            RemoveDialPlan { .. } => "Remove-UMDialPlan",
            NewGateway { .. } => "New-UMIPGateway",
            GetGateway { .. } => "Get-UMIPGateway",
            SetGateway { .. } => "Set-UMIPGateway",
            RemoveGateway { .. } => "Remove-UMIPGateway",
            NewHuntGroup { .. } => "New-UMHuntGroup",
            GetHuntGroup { .. } => "Get-UMHuntGroup",
            SetHuntGroup { .. } => "Set-UMHuntGroup",
            RemoveHuntGroup { .. } => "Remove-UMHuntGroup",
            NewPolicy { .. } => "New-UMMailboxPolicy",
            GetPolicy { .. } => "Get-UMMailboxPolicy",
            SetPolicy { .. } => "Set-UMMailboxPolicy",
            RemovePolicy { .. } => "Remove-UMMailboxPolicy",
            NewAutoAttendant { .. } => "New-UMAutoAttendant",
            GetAutoAttendant { .. } => "Get-UMAutoAttendant",
            SetAutoAttendant { .. } => "Set-UMAutoAttendant",
            RemoveAutoAttendant { .. } => "Remove-UMAutoAttendant",
            GetService {} => "Get-UMService",
            SetService { .. } => "Set-UMService",
            NewMailbox { .. } => "New-Mailbox",
            EnableMailbox { .. } => "Enable-UMMailbox",
            GetMailbox { .. } => "Get-UMMailbox",
            SetPin { .. } => "Set-UMMailboxPIN",
            GetPin { .. } => "Get-UMMailboxPIN",
            GetActiveCalls {} => "Get-UMActiveCalls",
            VerifyPin { .. } => "VerifyPin",
        }
    }

    /// Whether it changes the configuration (and so is recorded).
    pub fn changes(&self) -> bool {
        let name = self.cmdlet();
        !(name.starts_with("Get-") || name == "VerifyPin")
    }
}

/// Without the PIN: commands are logged.
impl std::fmt::Debug for Command {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.cmdlet())
    }
}

/// What a handler gives back: the answer, and what the state store must keep.
pub(crate) type Outcome = Result<(Answer, Vec<state::Change>), CommandError>;

/// Carries out a command that needs nothing but the configuration. The others (PINs, calls) are the server's; asked
/// for one of them, this does nothing and gives the command back.
pub(crate) fn run(configuration: &mut Configuration, command: Command) -> Result<Outcome, Command> {
    use Command::*;
    let unchanged = |answer: Result<Answer, CommandError>| answer.map(|answer| (answer, Vec::new()));
    let outcome = match command {
        NewDialPlan { name, digits, uri_type, generate_policy, changes } => {
            dial_plan::new(configuration, (name, digits, uri_type), generate_policy, *changes)
        }
        GetDialPlan { identity } => {
            unchanged(configuration.dial_plans.select(identity.as_deref()).map(Answer::DialPlans))
        }
        SetDialPlan { identity, changes } => dial_plan::set(configuration, &identity, *changes),
        RemoveDialPlan { identity } => dial_plan::remove(configuration, &identity),
        NewGateway { name, dial_plan, changes } => ip_gateway::new(configuration, name, dial_plan, *changes),
        GetGateway { identity } => unchanged(configuration.gateways.select(identity.as_deref()).map(Answer::Gateways)),
        SetGateway { identity, changes } => ip_gateway::set(configuration, &identity, *changes),
        RemoveGateway { identity } => ip_gateway::remove(configuration, &identity),
        NewHuntGroup { name, dial_plan, gateway, pilot } => {
            hunt_group::new(configuration, name, &dial_plan, &gateway, pilot)
        }
        GetHuntGroup { identity } => {
            unchanged(configuration.hunt_groups.select(identity.as_deref()).map(Answer::HuntGroups))
        }
        SetHuntGroup { identity, pilot } => hunt_group::set(configuration, &identity, pilot),
        RemoveHuntGroup { identity } => hunt_group::remove(configuration, &identity),
        NewPolicy { name, dial_plan, changes } => mailbox_policy::new(configuration, name, &dial_plan, *changes),
        GetPolicy { identity } => unchanged(configuration.policies.select(identity.as_deref()).map(Answer::Policies)),
        SetPolicy { identity, changes } => mailbox_policy::set(configuration, &identity, *changes),
        RemovePolicy { identity } => mailbox_policy::remove(configuration, &identity),
        NewAutoAttendant { name, dial_plan, changes } => auto_attendant::new(configuration, name, &dial_plan, *changes),
        GetAutoAttendant { identity } => {
            unchanged(configuration.attendants.select(identity.as_deref()).map(Answer::AutoAttendants))
        }
        SetAutoAttendant { identity, changes } => auto_attendant::set(configuration, &identity, *changes),
        RemoveAutoAttendant { identity } => auto_attendant::remove(configuration, &identity),
        GetService {} => Ok((Answer::Service(configuration.service.clone()), Vec::new())),
        SetService { changes } => service::set(configuration, changes),
        NewMailbox { name, changes } => mailbox::new(configuration, name, *changes),
        GetMailbox { identity } => mailbox::get(configuration, identity.as_deref()),
        GetPin { identity } => pin::get(configuration, &identity),
        other @ (EnableMailbox { .. } | SetPin { .. } | GetActiveCalls {} | VerifyPin { .. }) => return Err(other),
    };
    Ok(outcome)
}
