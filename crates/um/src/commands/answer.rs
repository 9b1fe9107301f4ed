//! What a command answers, and how it prints: `Name : value` lines, an empty line between objects.

use super::auto_attendant::AutoAttendant;
use super::dial_plan::DialPlan;
use super::hunt_group::HuntGroup;
use super::ip_gateway::Gateway;
use super::mailbox_policy::MailboxPolicy;
use super::service::ServiceSettings;
use super::value::Value as _;
use serde::Serialize;
use std::fmt;

/// The answer to a command. In JSON each is the bare object or list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Done, and nothing to tell.
    Done(()),
    DialPlans(Vec<DialPlan>),
    Gateways(Vec<Gateway>),
    HuntGroups(Vec<HuntGroup>),
    Policies(Vec<MailboxPolicy>),
    AutoAttendants(Vec<AutoAttendant>),
    Service(ServiceSettings),
    Mailboxes(Vec<MailboxView>),
    Pin(PinView),
    Calls(Vec<CallView>),
    /// Of VerifyPin.
    PinVerdict(PinVerdict),
}

/// A mailbox as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MailboxView {
    pub name: String,
    /// What the mailbox store, events and REST call it (its first extension); None when not enabled.
    pub mailbox: Option<String>,
    pub display_name: String,
    pub address: Option<String>,
    /// Enabled for voice mail.
    pub enabled: bool,
    /// The primary extension first; empty when not enabled.
    pub extensions: Vec<String>,
    pub policy: Option<String>,
    pub dial_plan: Option<String>,
    pub locked: bool,
}

/// A PIN's state; the PIN itself only when this command has made it up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PinView {
    pub mailbox: String,
    /// Set when the PIN was made up by the server: this is the only time that it is shown.
    pub pin: Option<String>,
    pub expired: bool,
    pub locked: bool,
    /// Wrong PINs since the last right one, over all doors.
    pub failures: u32,
}

/// A call in progress at this server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallView {
    /// The same number as in the call's events.
    pub call: u64,
    /// call-answering, subscriber-access, auto-attendant.
    pub kind: String,
    pub from: String,
    pub from_name: Option<String>,
    pub pilot: String,
    pub mailbox: Option<String>,
    pub gateway: String,
    pub call_id: String,
    pub seconds: u64,
}

/// What VerifyPin found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum PinVerdict {
    /// The PIN is right. `expired`: it must be changed at the next call. `mailbox` is what the store calls it.
    Right { mailbox: String, expired: bool },
    /// The mailbox or the PIN is wrong, or the mailbox is not enabled: which of them is not told.
    Wrong,
    /// Too many wrong PINs: an administrator must unlock the mailbox.
    Locked,
}

impl Answer {
    /// Objects as rows of name and value, for printing and tables.
    pub fn records(&self) -> Vec<Vec<(String, String)>> {
        fn rows(fixed: Vec<(&'static str, String)>, settings: Vec<(&'static str, String)>) -> Vec<(String, String)> {
            fixed.into_iter().chain(settings).map(|(name, value)| (name.to_owned(), value)).collect()
        }
        match self {
            Answer::Done(()) => Vec::new(),
            Answer::DialPlans(plans) => plans
                .iter()
                .map(|plan| {
                    let fixed = vec![
                        ("Name", plan.name.clone()),
                        ("NumberOfDigitsInExtension", plan.digits.to_string()),
                        ("URIType", plan.uri_type.show()),
                    ];
                    rows(fixed, plan.settings.rows())
                })
                .collect(),
            Answer::Gateways(gateways) => gateways
                .iter()
                .map(|gateway| rows(vec![("Name", gateway.name.clone())], gateway.settings.rows()))
                .collect(),
            Answer::HuntGroups(groups) => groups
                .iter()
                .map(|group| {
                    let fixed = vec![
                        ("Name", group.name.clone()),
                        ("UMDialPlan", group.dial_plan.clone()),
                        ("UMIPGateway", group.gateway.clone()),
                        ("PilotIdentifier", group.pilot.show()),
                    ];
                    rows(fixed, Vec::new())
                })
                .collect(),
            Answer::Policies(policies) => policies
                .iter()
                .map(|policy| {
                    let fixed = vec![("Name", policy.name.clone()), ("UMDialPlan", policy.dial_plan.clone())];
                    rows(fixed, policy.settings.rows())
                })
                .collect(),
            Answer::AutoAttendants(attendants) => attendants
                .iter()
                .map(|attendant| {
                    let fixed = vec![("Name", attendant.name.clone()), ("UMDialPlan", attendant.dial_plan.clone())];
                    rows(fixed, attendant.settings.rows())
                })
                .collect(),
            Answer::Service(service) => vec![rows(Vec::new(), service.rows())],
            Answer::Mailboxes(mailboxes) => mailboxes
                .iter()
                .map(|mailbox| {
                    let fixed = vec![
                        ("Name", mailbox.name.clone()),
                        ("DisplayName", mailbox.display_name.clone()),
                        ("PrimarySmtpAddress", mailbox.address.show()),
                        ("UMEnabled", mailbox.enabled.show()),
                        ("Extensions", mailbox.extensions.show()),
                        ("UMMailboxPolicy", mailbox.policy.show()),
                        ("UMDialPlan", mailbox.dial_plan.show()),
                        ("LockedOut", mailbox.locked.show()),
                    ];
                    rows(fixed, Vec::new())
                })
                .collect(),
            Answer::Pin(pin) => {
                let mut fixed = vec![("UserID", pin.mailbox.clone())];
                if let Some(pin) = &pin.pin {
                    fixed.push(("PIN", pin.clone()));
                }
                fixed.push(("PinExpired", pin.expired.show()));
                fixed.push(("LockedOut", pin.locked.show()));
                fixed.push(("LogonFailures", pin.failures.to_string()));
                vec![rows(fixed, Vec::new())]
            }
            Answer::Calls(calls) => calls
                .iter()
                .map(|call| {
                    let fixed = vec![
                        ("Call", call.call.to_string()),
                        ("CallType", call.kind.clone()),
                        ("From", call.from.clone()),
                        ("FromName", call.from_name.show()),
                        ("DialedNumber", call.pilot.clone()),
                        ("Mailbox", call.mailbox.show()),
                        ("UMIPGateway", call.gateway.clone()),
                        ("CallId", call.call_id.clone()),
                        ("Seconds", call.seconds.to_string()),
                    ];
                    rows(fixed, Vec::new())
                })
                .collect(),
            Answer::PinVerdict(verdict) => {
                let text = match verdict {
                    PinVerdict::Right { .. } => "Right",
                    PinVerdict::Wrong => "Wrong",
                    PinVerdict::Locked => "Locked",
                };
                vec![rows(vec![("Verdict", text.to_owned())], Vec::new())]
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.records();
        let width = records.iter().flatten().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for (name, value) in record {
                writeln!(out, "{name:<width$} : {value}")?;
            }
        }
        Ok(())
    }
}
