//! Mailboxes: the user (New-Mailbox), and what makes it a voice mailbox (Enable-UMMailbox; fact sheet 2.6).

use super::dial_plan::MatchedName;
use super::settings::settings;
use super::value::{Any, Length};
use super::{Answer, CommandError, MailboxView, Outcome};
use crate::configuration::Configuration;
use mailbox::MailboxId;
use serde::{Deserialize, Serialize};

/// A user, with or without voice mail. Its PIN is kept apart, and never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// What the mailbox is called in the store and in events; fixed when it is made.
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(flatten)]
    pub settings: MailboxSettings,
    /// None: not enabled for voice mail.
    #[serde(rename = "UM", default)]
    pub um: Option<Enabled>,
}

impl std::ops::Deref for Mailbox {
    type Target = MailboxSettings;
    fn deref(&self) -> &MailboxSettings {
        &self.settings
    }
}

impl Mailbox {
    /// What tells the user from a namesake, in the way that a dial plan or an attendant has chosen.
    pub(crate) fn detail(&self, by: MatchedName) -> Option<String> {
        match by {
            MatchedName::Title => self.title.clone(),
            MatchedName::Department => self.department.clone(),
            MatchedName::Location => self.office.clone(),
            MatchedName::PromptForAlias => self.alias.clone(),
            MatchedName::None | MatchedName::InheritFromDialPlan => None,
        }
    }
}

/// What Enable-UMMailbox adds to a mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enabled {
    #[serde(rename = "UMMailboxPolicy")]
    pub policy: String,
    /// The first is the primary one, which the lamp is sent for.
    #[serde(rename = "Extensions")]
    pub extensions: Vec<String>,
    /// What the mailbox store, events and REST call it: the primary extension at the time when it was enabled.
    #[serde(rename = "Mailbox")]
    pub mailbox: MailboxId,
}

settings! {
    /// What New-Mailbox sets.
    MailboxSettings, MailboxChanges {
        "DisplayName" display_name: Option<String> = None, Length(256), "The user's name; none: first and last name, else Name.";
        "FirstName" first_name: Option<String> = None, Length(64), "The user's first name.";
        "LastName" last_name: Option<String> = None, Length(64), "The user's last name.";
        "Alias" alias: Option<String> = None, Length(64), "The name before the @ of mail addresses.";
        "PrimarySmtpAddress" primary_smtp_address: Option<String> = None, Length(255), "The mail address.";
        "UserPrincipalName" user_principal_name: Option<String> = None, Length(255), "The logon name.";
        "Phone" phone: Option<String> = None, Length(32), "The telephone number; Enable-UMMailbox takes the extension from it when none is given.";
        "Title" title: Option<String> = None, Length(128), "The user's position; spoken to tell namesakes apart.";
        "Department" department: Option<String> = None, Length(64), "The user's department; spoken to tell namesakes apart.";
        "Office" office: Option<String> = None, Length(128), "Where the user works; spoken to tell namesakes apart.";
        "HiddenFromAddressListsEnabled" hidden: bool = false, Any, "Whether searches pass the user over.";
    }
}

pub(super) fn new(configuration: &mut Configuration, name: String, changes: MailboxChanges) -> Outcome {
    configuration.mailboxes.check_new(&name)?;
    let mut mailbox = Mailbox { name, settings: MailboxSettings::default(), um: None };
    mailbox.settings.apply(changes)?;
    if let Some(address) = &mailbox.primary_smtp_address {
        let sound = address.split_once('@').is_some_and(|(user, domain)| {
            !user.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace) && !domain.contains('@')
        });
        if !sound {
            return Err(CommandError::bad("PrimarySmtpAddress", "write user@domain"));
        }
        let same = |other: &&std::sync::Arc<Mailbox>| {
            other.primary_smtp_address.as_ref().is_some_and(|theirs| theirs.eq_ignore_ascii_case(address))
        };
        if let Some(other) = configuration.mailboxes.iter().find(same) {
            return Err(CommandError::bad("PrimarySmtpAddress", format!("{:?} has it already", other.name)));
        }
    }
    let mut stored = Vec::new();
    configuration.mailboxes.put(mailbox.clone(), &mut stored);
    Ok((Answer::Mailboxes(vec![view(configuration, &mailbox)]), stored))
}

pub(super) fn get(configuration: &Configuration, identity: Option<&str>) -> Outcome {
    let mailboxes = match identity {
        Some(identity) => vec![view(configuration, configuration.require_mailbox(identity)?)],
        None => configuration.mailboxes.iter().map(|mailbox| view(configuration, mailbox)).collect(),
    };
    Ok((Answer::Mailboxes(mailboxes), Vec::new()))
}

/// What Enable-UMMailbox makes of a mailbox, checked; the PIN is not yet in it.
pub(crate) fn enabled(
    configuration: &Configuration,
    identity: &str,
    policy: &str,
    extensions: Option<Vec<String>>,
) -> Result<Mailbox, CommandError> {
    let mut mailbox = Mailbox::clone(configuration.require_mailbox(identity)?);
    let policy = configuration.policies.require("UMMailboxPolicy", policy)?;
    let plan = configuration.dial_plans.require("UMMailboxPolicy", &policy.dial_plan)?;
    let extensions = match extensions.filter(|extensions| !extensions.is_empty()) {
        Some(extensions) => extensions,
        // As the directory's telephone number, when it has the right length.
        None => mailbox
            .phone
            .as_deref()
            .and_then(|phone| plan.extension_of(phone))
            .map(|extension| vec![extension])
            .ok_or(CommandError::Missing { cmdlet: "Enable-UMMailbox".into(), parameter: "Extensions".into() })?,
    };
    for (index, extension) in extensions.iter().enumerate() {
        if plan.extension_of(extension).as_deref() != Some(extension) {
            return Err(CommandError::bad(
                "Extensions",
                format!("write {} digits each, as the dial plan has", plan.digits),
            ));
        }
        if extensions.iter().take(index).any(|other| other == extension) {
            return Err(CommandError::bad("Extensions", format!("write {extension} once")));
        }
        match configuration.by_extension(&plan.name, extension) {
            Some(other) if !other.name.eq_ignore_ascii_case(&mailbox.name) => {
                return Err(CommandError::bad("Extensions", format!("{:?} has {extension} already", other.name)));
            }
            _ => {}
        }
        if configuration.is_pilot(extension) {
            return Err(CommandError::bad("Extensions", format!("{extension} is a pilot number")));
        }
    }
    // A mailbox keeps its messages when it is enabled anew with other extensions.
    let before = mailbox.um.take().map(|um| um.mailbox);
    let first = extensions.first().map(String::as_str).unwrap_or_default();
    let id = match before {
        Some(before) => before,
        None => MailboxId::parse(first).map_err(|error| CommandError::bad("Extensions", error.to_string()))?,
    };
    if configuration.by_mailbox_id(&id).is_some_and(|other| !other.name.eq_ignore_ascii_case(&mailbox.name)) {
        return Err(CommandError::bad("Extensions", format!("{id} is another mailbox's first extension")));
    }
    mailbox.um = Some(Enabled { policy: policy.name.clone(), extensions, mailbox: id });
    Ok(mailbox)
}

pub(crate) fn view(configuration: &Configuration, mailbox: &Mailbox) -> MailboxView {
    let um = mailbox.um.as_ref();
    MailboxView {
        name: mailbox.name.clone(),
        mailbox: um.map(|um| um.mailbox.to_string()),
        display_name: mailbox.shown_name(),
        address: mailbox.primary_smtp_address.clone(),
        enabled: um.is_some(),
        extensions: um.map(|um| um.extensions.clone()).unwrap_or_default(),
        policy: um.map(|um| um.policy.clone()),
        dial_plan: configuration.plan_of(mailbox).map(|plan| plan.name.clone()),
        locked: configuration.pins.get(&mailbox.name.to_lowercase()).is_some_and(|pin| pin.locked),
    }
}
