//! Enable-UMMailbox, Set-UMMailboxPIN and Get-UMMailboxPIN: what of them needs no hashing.

use super::mailbox_policy::PolicySettings;
use super::{Answer, CommandError, Outcome, PinView};
use crate::configuration::Configuration;
use crate::people::{PinProblem, PinRecord};

pub(super) fn get(configuration: &Configuration, identity: &str) -> Outcome {
    let mailbox = configuration.require_mailbox(identity)?;
    if mailbox.um.is_none() {
        return Err(CommandError::bad("Identity", format!("{:?} is not enabled: use Enable-UMMailbox", mailbox.name)));
    }
    let record = configuration.pins.get(&mailbox.name.to_lowercase()).cloned().unwrap_or_default();
    Ok((Answer::Pin(view(&mailbox.name, &record, None)), Vec::new()))
}

pub(crate) fn view(mailbox: &str, record: &PinRecord, made_up: Option<String>) -> PinView {
    PinView {
        mailbox: mailbox.to_owned(),
        pin: made_up,
        expired: record.expired,
        locked: record.locked,
        failures: record.failures,
    }
}

/// The rules for a mailbox's PIN: its policy's settings.
pub(crate) fn policy(configuration: &Configuration, policy: &str) -> Result<PolicySettings, CommandError> {
    Ok(configuration.policies.require("UMMailboxPolicy", policy)?.settings.clone())
}

pub(crate) fn problem(parameter: &str, problem: PinProblem) -> CommandError {
    match problem {
        PinProblem::Busy => CommandError::Busy,
        other => CommandError::bad(parameter, other.to_string()),
    }
}
