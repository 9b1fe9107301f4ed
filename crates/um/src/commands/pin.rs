//! PINs: Set-UMMailboxPIN, Get-UMMailboxPIN, and what of Enable-UMMailbox is about the PIN; the part that needs no hashing.

use super::command::RestoredPin;
use super::mailbox::require_enabled;
use super::mailbox_policy::PolicySettings;
use super::table::{self, Cmdlet, Parameter};
use super::value::ListChange;
use super::{Answer, CommandError, Outcome, PinView};
use crate::configuration::Configuration;
use crate::people::{PinProblem, PinRecord, is_hash};
use serde::{Deserialize, Serialize};

/// Whom a new PIN is mailed to. Nothing is mailed yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinMail {
    #[serde(rename = "NotifyEmail", skip_serializing_if = "Option::is_none")]
    pub notify_email: Option<String>,
    #[serde(rename = "SendWelcomeMail", skip_serializing_if = "Option::is_none")]
    pub send_welcome_mail: Option<bool>,
    #[serde(rename = "SendEmail", skip_serializing_if = "Option::is_none")]
    pub send_email: Option<bool>,
    #[serde(rename = "PilotNumber", skip_serializing_if = "Option::is_none")]
    pub pilot_number: Option<String>,
}

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let who = || table::who("Identity", "Which mailbox.").needed();
    let mut set = vec![who()];
    set.extend(parameters("Pin", "none, and nothing else to change: six digits are made up and shown once."));
    set.push(Parameter::of::<bool>("LockedOut", "$false unlocks."));
    set.extend(restored());
    set.push(Parameter::of::<String>("NotifyEmail", "Who is told the new PIN.").idle());
    set.push(Parameter::of::<bool>("SendEmail", "Whether the new PIN is mailed.").by_default("False").idle());
    vec![
        Cmdlet::new("Set-UMMailboxPIN", "Sets or resets a PIN, or locks and unlocks a mailbox.", set),
        Cmdlet::new("Get-UMMailboxPIN", "Shows whether a PIN has expired and its mailbox is locked.", vec![who()]),
    ]
}

pub(super) fn parameters(name: &'static str, help: &'static str) -> Vec<Parameter> {
    let expired = Parameter::of::<bool>("PINExpired", "Whether it must be changed at the next call.");
    vec![Parameter::of::<String>(name, help).written("4 to 24 digits").secret(), expired]
}

/// What `export` writes in a PIN's place.
pub(super) fn restored() -> Vec<Parameter> {
    let hashes = Parameter::of::<Vec<String>>("PINHash", "As exported: hashes of the PIN and of those before it.");
    let set_at = Parameter::of::<String>("PINSetAt", "As exported: when it was set, in milliseconds since 1970.");
    vec![
        hashes.secret(),
        set_at.written("a number"),
        Parameter::of::<u32>("LogonFailures", "As exported: wrong PINs since the last right one."),
    ]
}

pub(super) fn mails() -> Vec<Parameter> {
    vec![
        Parameter::of::<String>("NotifyEmail", "Who is told the PIN; none: the user.").idle(),
        Parameter::of::<String>("PilotNumber", "The number for voice access that the mail names.").idle(),
        Parameter::of::<bool>("SendWelcomeMail", "Whether the user is told by mail.").by_default("False").idle(),
    ]
}

impl RestoredPin {
    pub(super) fn of(record: &PinRecord) -> RestoredPin {
        RestoredPin {
            hashes: Some(record.history.clone().into()),
            set_at: Some(record.set_at.to_string()),
            failures: (record.failures > 0).then_some(record.failures),
        }
    }

    /// The record, when there is one to restore; checked.
    pub(crate) fn record(
        &self,
        expired: Option<bool>,
        locked: Option<bool>,
        pin: Option<&String>,
    ) -> Result<Option<PinRecord>, CommandError> {
        let Some(hashes) = &self.hashes else {
            return match (&self.set_at, self.failures) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(CommandError::bad("PINSetAt", "write -PINHash, too")),
                (_, Some(_)) => Err(CommandError::bad("LogonFailures", "write -PINHash, too")),
            };
        };
        if pin.is_some() {
            return Err(CommandError::bad("PINHash", "write either the PIN or its hash"));
        }
        let ListChange::To(history) = hashes else {
            return Err(CommandError::bad("PINHash", "write a list: a,b,c"));
        };
        let Some(hash) = history.first().filter(|_| history.iter().all(|hash| is_hash(hash))) else {
            return Err(CommandError::bad("PINHash", "write hashes as an export has them"));
        };
        let set_at = match &self.set_at {
            None => 0,
            Some(text) => text.parse().map_err(|_| CommandError::bad("PINSetAt", "write a whole number"))?,
        };
        Ok(Some(PinRecord {
            hash: hash.clone(),
            history: history.clone(),
            set_at,
            expired: expired.unwrap_or(false),
            failures: self.failures.unwrap_or(0),
            locked: locked.unwrap_or(false),
        }))
    }
}

pub(super) fn get(configuration: &Configuration, identity: &str) -> Outcome {
    let mailbox = configuration.require_mailbox(identity)?;
    require_enabled(mailbox)?;
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
