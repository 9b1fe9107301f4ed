//! The typed commands of the UM server. A cmdlet line, a REST call and a page button become the same [`Command`], which
//! has one handler, one check and one event.
//!
//! A shell hands [`Command::parse`] a cmdlet's name and its parameters as written; [`cmdlets`] is the table for help and
//! completion. REST and tests make the enum themselves (or read it from JSON: `{"Cmdlet": "Set-UMIPGateway", ...}`). A
//! family of objects has a file: its settings, its lines of the table, its checks, and what makes it anew.

pub(crate) mod active_calls;
mod answer;
pub mod auto_attendant;
pub mod call_answering_rule;
pub mod call_record;
mod command;
pub mod connectivity;
pub mod dial_plan;
pub mod distribution_group;
mod error;
mod export;
pub mod forms;
pub mod hunt_group;
pub mod ip_gateway;
pub(crate) mod key_mapping;
pub mod mailbox;
pub mod mailbox_policy;
mod pilots;
pub(crate) mod pin;
pub mod play_on_phone;
pub mod prompt;
pub mod service;
pub(crate) mod settings;
mod table;
#[cfg(test)]
mod tests;
pub mod value;

pub use answer::{Answer, CallView, MailboxView, PinVerdict, PinView};
pub use command::{Command, RestoredPin};
pub use connectivity::Connectivity;
pub use error::CommandError;
pub use pin::PinMail;
pub use table::{Cmdlet, Parameter, cmdlet, cmdlets};
pub use value::Given;

use crate::configuration::Configuration;
use auto_attendant::AttendantStatus;
use ip_gateway::GatewayStatus;
use serde::{Deserialize, Serialize};
use service::ServiceStatus;

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

/// What a handler gives back: the answer, and what the state store must keep.
pub(crate) type Outcome = Result<(Answer, Vec<state::Change>), CommandError>;

/// Users of something that an error names at most.
const NAMED_USERS: usize = 5;

/// Refuses to end what somebody needs, and says who they are.
fn in_use(kind: &str, identity: &str, users: Vec<String>) -> Result<(), CommandError> {
    if users.is_empty() {
        return Ok(());
    }
    let mut user = users.iter().take(NAMED_USERS).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = users.len().checked_sub(NAMED_USERS).filter(|more| *more > 0) {
        user.push_str(&format!(" and {more} more"));
    }
    Err(CommandError::InUse { parameter: "Identity".into(), kind: kind.into(), identity: identity.into(), user })
}

/// Carries out a command that needs nothing but the configuration. The others (PINs, calls, records) are the server's;
/// asked for one of them, this does nothing and gives the command back.
pub(crate) fn run(configuration: &mut Configuration, command: Command) -> Result<Outcome, Command> {
    use Command::*;
    let c = configuration;
    let unchanged = |answer: Result<Answer, CommandError>| answer.map(|answer| (answer, Vec::new()));
    let of_plan = |plan: &Option<String>, of: &str| plan.as_ref().is_none_or(|plan| plan.eq_ignore_ascii_case(of));
    let outcome = match command {
        NewDialPlan { name, digits, uri_type, generate_policy, changes } => {
            dial_plan::new(c, (name, digits, uri_type), generate_policy, *changes)
        }
        GetDialPlan { identity } => unchanged(c.dial_plans.select(identity.as_deref()).map(Answer::DialPlans)),
        SetDialPlan { identity, changes } => dial_plan::set(c, &identity, *changes),
        RemoveDialPlan { identity } => dial_plan::remove(c, &identity),

        NewGateway { name, dial_plan, changes } => ip_gateway::new(c, name, dial_plan, *changes),
        GetGateway { identity } => unchanged(c.gateways.select(identity.as_deref()).map(Answer::Gateways)),
        SetGateway { identity, changes } => ip_gateway::set(c, &identity, *changes),
        EnableGateway { identity } => ip_gateway::set_status(c, &identity, GatewayStatus::Enabled),
        DisableGateway { identity, immediate: true } => ip_gateway::cut_off(c, &identity),
        DisableGateway { identity, immediate: false } => {
            ip_gateway::set_status(c, &identity, GatewayStatus::NoNewCalls)
        }
        RemoveGateway { identity } => ip_gateway::remove(c, &identity),

        NewHuntGroup { name, dial_plan, gateway, pilot } => hunt_group::new(c, name, &dial_plan, &gateway, pilot),
        GetHuntGroup { identity, dial_plan } => unchanged(c.check_plan(&dial_plan).and_then(|()| {
            let mut groups = c.hunt_groups.select(identity.as_deref())?;
            groups.retain(|group| of_plan(&dial_plan, &group.dial_plan));
            Ok(Answer::HuntGroups(groups))
        })),
        SetHuntGroup { identity, pilot } => hunt_group::set(c, &identity, pilot),
        RemoveHuntGroup { identity } => hunt_group::remove(c, &identity),

        NewPolicy { name, dial_plan, changes } => mailbox_policy::new(c, name, &dial_plan, *changes),
        GetPolicy { identity, dial_plan } => unchanged(c.check_plan(&dial_plan).and_then(|()| {
            let mut policies = c.policies.select(identity.as_deref())?;
            policies.retain(|policy| of_plan(&dial_plan, &policy.dial_plan));
            Ok(Answer::Policies(policies))
        })),
        SetPolicy { identity, changes } => mailbox_policy::set(c, &identity, *changes),
        RemovePolicy { identity } => mailbox_policy::remove(c, &identity),

        NewAutoAttendant { name, dial_plan, changes } => auto_attendant::new(c, name, &dial_plan, *changes),
        GetAutoAttendant { identity, dial_plan } => unchanged(c.check_plan(&dial_plan).and_then(|()| {
            let mut attendants = c.attendants.select(identity.as_deref())?;
            attendants.retain(|attendant| of_plan(&dial_plan, &attendant.dial_plan));
            Ok(Answer::AutoAttendants(attendants))
        })),
        SetAutoAttendant { identity, changes } => auto_attendant::set(c, &identity, *changes),
        EnableAutoAttendant { identity } => auto_attendant::set_status(c, &identity, AttendantStatus::Enabled),
        DisableAutoAttendant { identity } => auto_attendant::set_status(c, &identity, AttendantStatus::Disabled),
        RemoveAutoAttendant { identity } => auto_attendant::remove(c, &identity),

        GetService { .. } => Ok((Answer::Service(c.service.clone()), Vec::new())),
        SetService { changes, .. } => service::set(c, *changes),
        EnableService { .. } => service::set_status(c, ServiceStatus::Enabled),
        DisableService { immediate: true, .. } => service::set_status(c, ServiceStatus::Disabled),
        DisableService { immediate: false, .. } => service::set_status(c, ServiceStatus::NoNewCalls),
        GetRouter { .. } => Ok((Answer::Router(c.router.clone()), Vec::new())),
        SetRouter { changes, .. } => service::set_router(c, *changes),

        NewMailbox { name, store_name, changes } => mailbox::new(c, name, store_name, *changes),
        GetUser { identity } => mailbox::users(c, identity.as_deref()),
        SetUser { identity, changes } => mailbox::set(c, &identity, *changes),
        DisableMailbox { identity, keep_properties } => mailbox::disable(c, &identity, keep_properties),
        GetMailbox { identity } => mailbox::get(c, identity.as_deref()),
        SetMailbox { identity, policy, extensions, changes } => {
            mailbox::set_um(c, &identity, policy, extensions, *changes)
        }
        GetPin { identity } => pin::get(c, &identity),

        NewGroup { name, members, changes } => distribution_group::new(c, name, members, *changes),
        GetGroup { identity } => distribution_group::get(c, identity.as_deref()),
        SetGroup { identity, changes } => distribution_group::set(c, &identity, *changes),
        RemoveGroup { identity } => distribution_group::remove(c, &identity),
        AddGroupMember { identity, member } => distribution_group::add_member(c, &identity, &member),
        GetGroupMembers { identity } => distribution_group::members(c, &identity),
        RemoveGroupMember { identity, member } => distribution_group::remove_member(c, &identity, &member),
        UpdateGroupMembers { identity, members } => distribution_group::update_members(c, &identity, members),

        NewRule { name, mailbox, changes } => call_answering_rule::new(c, name, &mailbox, *changes),
        GetRule { identity, mailbox } => call_answering_rule::get(c, identity.as_deref(), mailbox.as_deref()),
        SetRule { identity, mailbox, changes } => call_answering_rule::set(c, &identity, &mailbox, *changes),
        EnableRule { identity, mailbox } => call_answering_rule::enable(c, &identity, &mailbox, true),
        DisableRule { identity, mailbox } => call_answering_rule::enable(c, &identity, &mailbox, false),
        RemoveRule { identity, mailbox } => call_answering_rule::remove(c, &identity, &mailbox),

        ImportPrompt { dial_plan, attendant, prompt_file_name, prompt_file_data } => {
            prompt::import(c, (dial_plan.as_deref(), attendant.as_deref()), prompt_file_name, &prompt_file_data)
        }
        ExportPrompt { dial_plan, attendant, prompt_file_name } => {
            prompt::export(c, (dial_plan.as_deref(), attendant.as_deref()), &prompt_file_name)
        }
        GetPrompt { dial_plan, attendant } => prompt::get(c, dial_plan.as_deref(), attendant.as_deref()),
        RemovePrompt { dial_plan, attendant, prompt_file_name } => {
            prompt::remove(c, (dial_plan.as_deref(), attendant.as_deref()), &prompt_file_name)
        }
        ExportConfiguration {} => Ok((Answer::Script(c.commands()), Vec::new())),

        other @ (RemoveUser { .. }
        | EnableMailbox { .. }
        | SetPin { .. }
        | GetActiveCalls { .. }
        | GetCallRecords { .. }
        | ExportCallRecords { .. }
        | GetCallReport { .. }
        | TestConnectivity { .. }
        | StartPromptRecording { .. }
        | StartPlayOnPhone { .. }
        | GetPlayOnPhone { .. }
        | StopPlayOnPhone { .. }
        | VerifyPin { .. }) => return Err(other),
    };
    Ok(outcome)
}
