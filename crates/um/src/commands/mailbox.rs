//! Mailboxes: the user (New-Mailbox), and what makes it a voice mailbox (Enable-UMMailbox; fact sheet 2.6).

use super::settings::settings;
use super::value::{Any, Length};
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

/// What Enable-UMMailbox adds to a mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enabled {
    #[serde(rename = "UMMailboxPolicy")]
    pub policy: String,
    /// The first is the primary one, which the lamp is sent for.
    #[serde(rename = "Extensions")]
    pub extensions: Vec<String>,
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
        "HiddenFromAddressListsEnabled" hidden: bool = false, Any, "Whether searches pass the user over.";
    }
}
