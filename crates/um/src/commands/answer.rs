//! What a command answers, and how it prints: `Name : value` lines, an empty line between objects.

use super::Command;
use super::auto_attendant::AutoAttendant;
use super::call_answering_rule::Rule;
use super::call_record::{CallRecord, ReportRow};
use super::connectivity::Connectivity;
use super::dial_plan::DialPlan;
use super::distribution_group::{DistributionGroup, MemberView};
use super::hunt_group::HuntGroup;
use super::ip_gateway::Gateway;
use super::mailbox::{Mailbox, UmMailboxSettings};
use super::mailbox_policy::MailboxPolicy;
use super::play_on_phone::PhoneCall;
use super::prompt::{Owner, Prompt};
use super::service::{RouterSettings, ServiceSettings};
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
    Router(RouterSettings),
    /// Of Get-Mailbox.
    Users(Vec<Mailbox>),
    /// Of Get-UMMailbox.
    Mailboxes(Vec<MailboxView>),
    Pin(PinView),
    Rules(Vec<Rule>),
    Groups(Vec<DistributionGroup>),
    /// Of Get-DistributionGroupMember.
    Members(Vec<MemberView>),
    /// Without their audio.
    Prompts(Vec<Prompt>),
    /// With its audio.
    Prompt(Prompt),
    Calls(Vec<CallView>),
    Records(Vec<CallRecord>),
    Report(Vec<ReportRow>),
    Connectivity(Connectivity),
    PhoneCall(PhoneCall),
    /// The commands that make the configuration anew.
    Script(Vec<Command>),
    /// CSV.
    Text(String),
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
    /// What Set-UMMailbox sets.
    pub settings: UmMailboxSettings,
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
    pub dial_plan: String,
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

/// An object as names and values.
type Record = Vec<(String, String)>;

fn record(fixed: Vec<(&'static str, String)>, settings: Vec<(&'static str, String)>) -> Record {
    fixed.into_iter().chain(settings).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn records<T>(objects: &[T], of: impl Fn(&T) -> Record) -> Vec<Record> {
    objects.iter().map(of).collect()
}

impl Answer {
    /// Objects as rows of name and value, for printing and tables.
    pub fn records(&self) -> Vec<Record> {
        match self {
            Answer::Done(()) | Answer::Script(_) | Answer::Text(_) => Vec::new(),
            Answer::DialPlans(plans) => records(plans, |plan| {
                let digits = ("NumberOfDigitsInExtension", plan.digits.to_string());
                record(
                    vec![("Name", plan.name.clone()), digits, ("URIType", plan.uri_type.show())],
                    plan.settings.rows(),
                )
            }),
            Answer::Gateways(gateways) => {
                records(gateways, |gateway| record(vec![("Name", gateway.name.clone())], gateway.settings.rows()))
            }
            Answer::HuntGroups(groups) => records(groups, |group| {
                let pilot = ("PilotIdentifier", group.pilot.show());
                record(in_plan(&group.name, &group.dial_plan), vec![("UMIPGateway", group.gateway.clone()), pilot])
            }),
            Answer::Policies(policies) => {
                records(policies, |policy| record(in_plan(&policy.name, &policy.dial_plan), policy.settings.rows()))
            }
            Answer::AutoAttendants(attendants) => records(attendants, |attendant| {
                record(in_plan(&attendant.name, &attendant.dial_plan), attendant.settings.rows())
            }),
            Answer::Service(service) => vec![record(Vec::new(), service.rows())],
            Answer::Router(router) => vec![record(Vec::new(), router.rows())],
            Answer::Users(users) => records(users, |user| {
                let enabled = vec![("UMEnabled", user.um.is_some().show())];
                record(vec![("Name", user.name.clone())], [user.settings.rows(), enabled].concat())
            }),
            Answer::Mailboxes(mailboxes) => records(mailboxes, MailboxView::record),
            Answer::PhoneCall(call) => vec![call.record()],
            Answer::Pin(pin) => vec![pin.record()],
            Answer::Groups(groups) => records(groups, |group| {
                record(vec![("Name", group.name.clone()), ("Members", group.members.show())], group.settings.rows())
            }),
            Answer::Members(members) => records(members, |member| {
                let kind = ("RecipientType", member.recipient_type.to_owned());
                record(vec![("Name", member.name.clone()), kind], Vec::new())
            }),
            Answer::Rules(rules) => records(rules, |rule| {
                record(vec![("Name", rule.name.clone()), ("Mailbox", rule.mailbox.clone())], rule.settings.rows())
            }),
            Answer::Prompts(prompts) => records(prompts, |prompt| prompt_record(prompt, Vec::new())),
            Answer::Prompt(prompt) => {
                vec![prompt_record(prompt, vec![("PromptFileData", prompt.wav.clone())])]
            }
            Answer::Calls(calls) => records(calls, CallView::record),
            Answer::Records(calls) => records(calls, |call| record(call.columns(), Vec::new())),
            Answer::Report(rows) => records(rows, |row| record(vec![("Date", row.date.clone())], row.tally.columns())),
            Answer::Connectivity(test) => vec![test.record()],
            Answer::PinVerdict(verdict) => {
                let text = match verdict {
                    PinVerdict::Right { .. } => "Right",
                    PinVerdict::Wrong => "Wrong",
                    PinVerdict::Locked => "Locked",
                };
                vec![record(vec![("Verdict", text.to_owned())], Vec::new())]
            }
        }
    }
}

fn in_plan(name: &str, plan: &str) -> Vec<(&'static str, String)> {
    vec![("Name", name.to_owned()), ("UMDialPlan", plan.to_owned())]
}

fn prompt_record(prompt: &Prompt, data: Vec<(&'static str, String)>) -> Record {
    let owner = match prompt.owner {
        Owner::DialPlan => "UMDialPlan",
        Owner::Attendant => "UMAutoAttendant",
    };
    let fixed = vec![
        ("PromptFileName", prompt.file.clone()),
        (owner, prompt.owner_name.clone()),
        ("Seconds", prompt.seconds.to_string()),
    ];
    record(fixed, data)
}

impl MailboxView {
    fn record(&self) -> Record {
        let fixed = vec![
            ("Name", self.name.clone()),
            ("DisplayName", self.display_name.clone()),
            ("PrimarySmtpAddress", self.address.show()),
            ("UMEnabled", self.enabled.show()),
            ("Extensions", self.extensions.show()),
            ("UMMailboxPolicy", self.policy.show()),
            ("UMDialPlan", self.dial_plan.show()),
            ("LockedOut", self.locked.show()),
        ];
        record(fixed, self.settings.rows())
    }
}

impl PinView {
    fn record(&self) -> Record {
        let made_up = self.pin.iter().map(|pin| ("PIN", pin.clone()));
        let state = vec![
            ("PinExpired", self.expired.show()),
            ("LockedOut", self.locked.show()),
            ("LogonFailures", self.failures.to_string()),
        ];
        record([("UserID", self.mailbox.clone())].into_iter().chain(made_up).collect(), state)
    }
}

impl CallView {
    fn record(&self) -> Record {
        let fixed = vec![
            ("Call", self.call.to_string()),
            ("CallType", self.kind.clone()),
            ("From", self.from.clone()),
            ("FromName", self.from_name.show()),
            ("DialedNumber", self.pilot.clone()),
            ("Mailbox", self.mailbox.show()),
            ("UMDialPlan", self.dial_plan.clone()),
            ("UMIPGateway", self.gateway.clone()),
            ("CallId", self.call_id.clone()),
            ("Seconds", self.seconds.to_string()),
        ];
        record(fixed, Vec::new())
    }
}

impl PhoneCall {
    fn record(&self) -> Record {
        let fixed = vec![
            ("Mailbox", self.mailbox.clone()),
            ("Number", self.number.clone()),
            ("Message", self.message.clone()),
            ("Greeting", self.greeting.show()),
            ("State", self.state.show()),
            ("FailureCause", self.failure.show()),
        ];
        record(fixed, Vec::new())
    }
}

impl Connectivity {
    fn record(&self) -> Record {
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let fixed = vec![
            ("Target", self.target.clone()),
            ("Method", self.method.clone()),
            ("Succeeded", self.succeeded.show()),
            ("Status", number(self.status.map(u64::from))),
            ("LatencyInMilliseconds", number(self.latency_ms)),
            ("AnsweredInMilliseconds", number(self.answered_ms)),
            ("ReasonForFailure", self.reason.clone()),
        ];
        record(fixed, Vec::new())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Answer::Text(text) = self {
            return out.write_str(text);
        }
        let records = self.records();
        let width = records.iter().flatten().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for (name, value) in record {
                writeln!(out, "{}", format!("{name:<width$} : {value}").trim_end())?;
            }
        }
        Ok(())
    }
}
