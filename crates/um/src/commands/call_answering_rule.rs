//! UMCallAnsweringRule: what a user's callers are offered, and when (fact sheet 2.8).

use super::forms::{CALLER, RULE_KEY, TIME_OF_DAY};
use super::settings::settings;
use super::table::{self, Cmdlet, Parameter};
use super::value::{Any, Digits, Range};
use super::{Answer, Command, CommandError, Outcome};
use crate::configuration::{Configuration, Object};
use serde::{Deserialize, Serialize};

/// A rule of a mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    #[serde(rename = "Name")]
    pub name: String,
    /// The mailbox's name.
    #[serde(rename = "Mailbox")]
    pub mailbox: String,
    #[serde(flatten)]
    pub settings: RuleSettings,
}

impl std::ops::Deref for Rule {
    type Target = RuleSettings;
    fn deref(&self) -> &RuleSettings {
        &self.settings
    }
}

impl Object for Rule {
    const KIND: &'static str = "call_answering_rule";
    const NOUN: &'static str = NOUN;

    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> String {
        key(&self.mailbox, &self.name)
    }
}

/// A backslash is in no name.
fn key(mailbox: &str, rule: &str) -> String {
    format!("{}\\{}", mailbox.to_lowercase(), rule.to_lowercase())
}

settings! {
    /// What Set-UMCallAnsweringRule changes.
    RuleSettings, RuleChanges {
        "Enabled" enabled: bool = true, Any, "Whether the rule holds at all.";
        "Priority" priority: u32 = 9, Range(1, 9), "Rules are tried from 1 on; the first that holds is carried out.";
        "CallerIds" caller_ids: Vec<String> = Vec::new(), CALLER, "Only when one of these calls; at most 50.";
        "ExtensionsDialed" extensions_dialed: Vec<String> = Vec::new(), Digits(1, 20), "Only when one of these own extensions was dialled.";
        "TimeOfDay" time_of_day: Option<String> = None, TIME_OF_DAY, "Only at these times.";
        "ScheduleStatus" schedule_status: Option<u32> = None, Range(0, 15), "Only when the calendar says so: a sum of 1 free, 2 tentative, 4 busy, 8 out of office. Without a connected calendar everybody is free; while the out-of-office greeting is on, everybody is out of office.";
        "CheckAutomaticReplies" check_automatic_replies: bool = false, Any, "Only while the out-of-office greeting is on.";
        "CallersCanInterruptGreeting" callers_can_interrupt_greeting: Option<bool> = None, Any, "Whether a key stops the greeting.";
        "KeyMappings" key_mappings: Vec<String> = Vec::new(), RULE_KEY, "What keys the caller is offered; at most ten.";
    }
}

const NOUN: &str = "UMCallAnsweringRule";
/// Of a mailbox.
const MOST_RULES: usize = 9;
const MOST_CALLERS: usize = 50;
const MOST_KEYS: usize = 10;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let whose = || table::who("Mailbox", "Whose rule.").needed();
    let one = || {
        let identity = Parameter::of::<String>("Identity", "Which rule.").written("the name of a rule").naming(NOUN);
        vec![identity.needed(), whose()]
    };
    let all = vec![
        Parameter::of::<String>("Identity", "Which rule; none: all.").written("the name of a rule").naming(NOUN),
        table::who("Mailbox", "Whose rules; none: everybody's."),
    ];
    let name =
        Parameter::of::<String>("Name", "What it is called.").written("a text of at most 255 characters").needed();
    let new = Cmdlet::new("New-UMCallAnsweringRule", "Makes a call answering rule.", vec![name, whose()]);
    vec![
        new.and(RuleChanges::parameters()),
        Cmdlet::new("Get-UMCallAnsweringRule", "Shows call answering rules.", all),
        Cmdlet::new("Set-UMCallAnsweringRule", "Changes a call answering rule.", one()).and(RuleChanges::parameters()),
        Cmdlet::new("Enable-UMCallAnsweringRule", "Lets a call answering rule hold.", one()),
        Cmdlet::new("Disable-UMCallAnsweringRule", "Lets a call answering rule hold no more.", one()).asks(),
        Cmdlet::new("Remove-UMCallAnsweringRule", "Removes a call answering rule.", one()).asks(),
    ]
}

pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let rules = configuration.rules.iter().map(|rule| Command::NewRule {
        name: rule.name.clone(),
        mailbox: rule.mailbox.clone(),
        changes: Box::new(rule.settings.changes_from(&RuleSettings::default())),
    });
    rules.collect()
}

pub(super) fn new(configuration: &mut Configuration, name: String, mailbox: &str, changes: RuleChanges) -> Outcome {
    let owner = owner(configuration, mailbox)?;
    configuration.rules.check_name(&name, 255)?;
    if configuration.rules.get(&key(&owner, &name)).is_some() {
        return Err(CommandError::Exists { parameter: "Name".into(), kind: NOUN.into(), name });
    }
    if of(configuration, &owner).count() >= MOST_RULES {
        let mend = format!("{owner:?} has {MOST_RULES} rules, and no mailbox has more: remove one first");
        return Err(CommandError::bad("Mailbox", mend));
    }
    let mut rule = Rule { name, mailbox: owner, settings: RuleSettings::default() };
    rule.settings.apply(changes)?;
    rule.check(configuration)?;
    let mut stored = Vec::new();
    configuration.rules.put(rule.clone(), &mut stored);
    Ok((Answer::Rules(vec![rule]), stored))
}

pub(super) fn get(configuration: &Configuration, identity: Option<&str>, mailbox: Option<&str>) -> Outcome {
    let owner = mailbox.map(|mailbox| owner(configuration, mailbox)).transpose()?;
    let mut rules: Vec<Rule> = configuration
        .rules
        .iter()
        .filter(|rule| owner.as_ref().is_none_or(|owner| rule.mailbox.eq_ignore_ascii_case(owner)))
        .filter(|rule| identity.is_none_or(|name| rule.name.eq_ignore_ascii_case(name)))
        .map(|rule| Rule::clone(rule))
        .collect();
    if let Some(name) = identity
        && rules.is_empty()
    {
        return Err(not_found(name));
    }
    rules.sort_by_key(|rule| (rule.mailbox.to_lowercase(), rule.priority));
    Ok((Answer::Rules(rules), Vec::new()))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, mailbox: &str, changes: RuleChanges) -> Outcome {
    let mut rule = require(configuration, identity, mailbox)?;
    rule.settings.apply(changes)?;
    rule.check(configuration)?;
    let mut stored = Vec::new();
    configuration.rules.put(rule, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn enable(configuration: &mut Configuration, identity: &str, mailbox: &str, enabled: bool) -> Outcome {
    set(configuration, identity, mailbox, RuleChanges { enabled: Some(enabled), ..RuleChanges::default() })
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str, mailbox: &str) -> Outcome {
    let rule = require(configuration, identity, mailbox)?;
    let mut stored = Vec::new();
    configuration.rules.remove(&rule.key(), &mut stored);
    Ok((Answer::Done(()), stored))
}

/// A mailbox's rules go with it.
pub(super) fn remove_of(configuration: &mut Configuration, mailbox: &str, stored: &mut Vec<state::Change>) {
    let keys: Vec<String> = of(configuration, mailbox).map(|rule| rule.key()).collect();
    keys.iter().for_each(|key| configuration.rules.remove(key, stored));
}

/// Refuses to take an extension away that a rule of the mailbox names: the rule would hold for everything, or nothing.
pub(super) fn check_extensions(
    configuration: &Configuration,
    mailbox: &str,
    extensions: &[String],
) -> Result<(), CommandError> {
    for rule in of(configuration, mailbox) {
        if let Some(gone) = rule.extensions_dialed.iter().find(|dialled| !extensions.contains(dialled)) {
            let mend = format!("call answering rule {:?} is for {gone}: change the rule first", rule.name);
            return Err(CommandError::bad("Extensions", mend));
        }
    }
    Ok(())
}

fn of<'c>(configuration: &'c Configuration, mailbox: &'c str) -> impl Iterator<Item = &'c Rule> {
    let rules = configuration.rules.iter().map(std::convert::AsRef::as_ref);
    rules.filter(move |rule: &&Rule| rule.mailbox.eq_ignore_ascii_case(mailbox))
}

fn owner(configuration: &Configuration, mailbox: &str) -> Result<String, CommandError> {
    match configuration.find_mailbox(mailbox) {
        Some(owner) => Ok(owner.name.clone()),
        None => Err(CommandError::NotFound {
            parameter: "Mailbox".into(),
            kind: "Mailbox".into(),
            identity: mailbox.into(),
        }),
    }
}

fn require(configuration: &Configuration, identity: &str, mailbox: &str) -> Result<Rule, CommandError> {
    let owner = owner(configuration, mailbox)?;
    configuration.rules.get(&key(&owner, identity)).map(|rule| Rule::clone(rule)).ok_or_else(|| not_found(identity))
}

fn not_found(identity: &str) -> CommandError {
    CommandError::NotFound { parameter: "Identity".into(), kind: NOUN.into(), identity: identity.into() }
}

impl Rule {
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        if self.caller_ids.len() > MOST_CALLERS {
            return Err(CommandError::bad("CallerIds", format!("write at most {MOST_CALLERS} callers")));
        }
        if self.caller_ids.iter().filter(|caller| caller.starts_with('4')).count() > 1 {
            return Err(CommandError::bad("CallerIds", "write the contacts folder once"));
        }
        let um = configuration.mailboxes.get(&self.mailbox).and_then(|mailbox| mailbox.um.as_ref());
        let own = um.map(|um| um.extensions.as_slice()).unwrap_or_default();
        // Of a mailbox without voice mail at this moment nobody knows which it will have.
        if let Some(foreign) = self.extensions_dialed.iter().find(|dialled| um.is_some() && !own.contains(dialled)) {
            return Err(CommandError::bad(
                "ExtensionsDialed",
                format!("{foreign} is no extension of {:?}", self.mailbox),
            ));
        }
        if self.key_mappings.len() > MOST_KEYS {
            return Err(CommandError::bad("KeyMappings", format!("write at most {MOST_KEYS} keys")));
        }
        let mut keys: Vec<&str> = self.key_mappings.iter().filter_map(|entry| entry.split(',').nth(1)).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| matches!(pair, [one, other] if one == other)) {
            Some(_) => Err(CommandError::bad("KeyMappings", "write each key once")),
            None => Ok(()),
        }
    }
}
