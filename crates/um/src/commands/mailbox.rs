//! Mailboxes: the user (New-Mailbox), and what makes it a voice mailbox (Enable-UMMailbox, Set-UMMailbox; fact sheet 2.6).

use super::command::RestoredPin;
use super::dial_plan::{AudioCodec, MatchedName};
use super::distribution_group::DistributionGroup;
use super::settings::settings;
use super::table::{self, Cmdlet, Parameter};
use super::value::{Any, Digits, LanguageTag, Length, Limit, ListChange, Range, Value as _, choices};
use super::{Answer, Command, CommandError, MailboxView, Outcome, pilots};
use crate::configuration::{Configuration, Object as _};
use crate::time_zone::ZoneName;
use mailbox::MailboxId;
use serde::{Deserialize, Serialize};

choices! {
    /// Whether callers who are no users may be led to a user.
    CallsFromNonUsers { SearchEnabled, None }
}
choices! {
    /// How times of day are told.
    TimeFormat { TwelveHours, TwentyFourHours }
}
choices! {
    /// What a text message is sent about.
    SmsNotification { None, VoiceMail, VoiceMailAndMissedCalls }
}

/// A user, with or without voice mail. Its PIN is kept apart, and never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Fixed when it is made.
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(flatten)]
    pub settings: MailboxSettings,
    /// None: not enabled for voice mail.
    #[serde(rename = "UM", default)]
    pub um: Option<Enabled>,
    /// What Set-UMMailbox has set; kept while the mailbox is not enabled.
    #[serde(rename = "UMMailbox", default)]
    pub um_settings: UmMailboxSettings,
    /// What the mailbox store calls it although it is not enabled: its messages wait there.
    #[serde(rename = "StoreName", default)]
    pub kept: Option<MailboxId>,
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
    /// What the mailbox store, events and REST call it: the primary extension at the time when it was first enabled.
    #[serde(rename = "Mailbox")]
    pub mailbox: MailboxId,
    /// The user has a PIN that was made up, and has neither recorded his name nor seen to his greeting: voice access asks him to.
    #[serde(rename = "SetUpDue", default)]
    pub set_up_due: bool,
}

settings! {
    /// What New-Mailbox and Set-Mailbox set.
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
        "ProhibitSendReceiveQuota" quota: Limit = Limit::Unlimited, Range(1, 1_000_000), "Megabytes of messages from which on callers are told that the mailbox is full.";
        "AddressListMembership" address_lists: Vec<String> = Vec::new(), Length(64), "The address lists that the user is in: `ContactScope AddressList` searches one of them.";
        "HiddenFromAddressListsEnabled" hidden: bool = false, Any, "Whether searches pass the user over.";
    }
}

settings! {
    /// What Set-UMMailbox sets.
    UmMailboxSettings, UmMailboxChanges {
        "OperatorNumber" operator_number: Option<String> = None, Digits(1, 20), "Where 0 leads the user's callers; none: the dial plan's operator.";
        "Language" language: Option<String> = None, LanguageTag, "What the user hears when he has logged on; none: the dial plan's.";
        "TimeZone" time_zone: Option<String> = None, ZoneName, "The zone that times are told the user in; none: the server's.";
        "TimeFormat" time_format: Option<TimeFormat> = None, Any, "How times are told; none: as the language has it.";
        "OutOfOfficeGreetingEnabled" out_of_office_greeting_enabled: bool = false, Any, "Whether callers hear the out-of-office greeting, where one is recorded.";
        "PersonalGreetingEnabled" personal_greeting_enabled: bool = true, Any, "Whether callers hear the user's own greeting, where one is recorded.";
        "VoiceCommandsPreferred" voice_commands_preferred: bool = false, Any, "Whether voice access begins with spoken commands.";
        "SubscriberAccessEnabled" subscriber_access_enabled: bool = true, Any, "Whether the user may ring in.";
        "AllowUMCallsFromNonUsers" allow_um_calls_from_non_users: CallsFromNonUsers = CallsFromNonUsers::SearchEnabled, Any, "Whether attendants find the user and put callers through; None: only a key that was given the user's number does.";
        "AnonymousCallersCanLeaveMessages" anonymous_callers_can_leave_messages: bool = true, Any, "Whether callers without a number may leave messages.";
        "AutomaticSpeechRecognitionEnabled" automatic_speech_recognition_enabled: bool = true, Any, "Whether the user may speak commands.";
        "CallAnsweringAudioCodec" call_answering_audio_codec: Option<AudioCodec> = None, Any, "How messages are stored; none: as the dial plan says.", idle;
        "CallAnsweringRulesEnabled" call_answering_rules_enabled: bool = true, Any, "Whether the user's call answering rules hold.";
        "FaxEnabled" fax_enabled: bool = true, Any, "Whether faxes are handed to the fax partner; else they are missed calls.";
        "MissedCallNotificationEnabled" missed_call_notification_enabled: bool = true, Any, "Whether missed calls become messages.";
        "PinlessAccessToVoiceMailEnabled" pinless_access_to_voice_mail_enabled: bool = false, Any, "Whether voice mail may be heard from the own phone without a PIN.", idle;
        "PlayOnPhoneEnabled" play_on_phone_enabled: bool = true, Any, "Whether the user may use play on phone.";
        "SIPResourceIdentifier" sip_resource_identifier: Option<String> = None, Length(255), "The address in SipName and E164 dial plans.", idle;
        "TUIAccessToCalendarEnabled" tui_access_to_calendar_enabled: bool = true, Any, "Whether the user may hear the calendar, where one is connected.";
        "TUIAccessToEmailEnabled" tui_access_to_email_enabled: bool = true, Any, "Whether the user may hear mail, where it is connected.";
        "UMSMSNotificationOption" um_sms_notification_option: SmsNotification = SmsNotification::None, Any, "What text messages are sent about.", idle;
        "VoiceMailAnalysisEnabled" voice_mail_analysis_enabled: bool = false, Any, "Whether copies of messages may be analysed; nothing here does.", idle;
        "ImListMigrationCompleted" im_list_migration_completed: bool = false, Any, "Kept for scripts of Exchange.", idle;
    }
}

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let identity = || vec![table::who("Identity", "Which mailbox.").needed()];
    let all = |help| vec![table::who("Identity", help)];
    let policy = |help| {
        let policy = Parameter::of::<String>("UMMailboxPolicy", help);
        policy.written("the name of a policy").naming("UMMailboxPolicy")
    };
    let extensions = |help| Parameter::of::<Vec<String>>("Extensions", help);
    let store = Parameter::of::<String>("StoreName", "What the mailbox store calls it; none: its first extension.");
    let keep =
        Parameter::of::<bool>("KeepProperties", "Keep settings, call answering rules and PIN for the next time.");
    let validate = Parameter::of::<bool>("ValidateOnly", "Check, and change nothing.");
    let mut enable = identity();
    enable.extend([
        policy("The rules that it follows.").needed(),
        extensions("The first is the primary one; none: from Phone."),
    ]);
    enable.extend(super::pin::parameters("PIN", "none: six digits are made up and shown once."));
    enable.extend(super::pin::restored());
    enable.push(Parameter::of::<bool>("SetUpDue", "As exported: whether voice access asks for name and greeting."));
    enable.push(validate.by_default("False"));
    enable.extend(super::pin::mails());
    vec![
        Cmdlet::new("New-Mailbox", "Makes a user with a mailbox.", vec![table::name()])
            .and(MailboxChanges::parameters())
            .and(vec![store]),
        Cmdlet::new("Get-Mailbox", "Shows users.", all("Which one; none: all.")),
        Cmdlet::new("Set-Mailbox", "Changes a user.", identity()).and(MailboxChanges::parameters()),
        Cmdlet::new("Remove-Mailbox", "Removes a user, and all messages.", identity())
            .note("Voice mail must have been taken away first, by Disable-UMMailbox.")
            .asks(),
        Cmdlet::new("Enable-UMMailbox", "Gives a mailbox voice mail.", enable),
        Cmdlet::new("Disable-UMMailbox", "Takes voice mail away from a mailbox; its messages stay.", identity())
            .and(vec![keep.by_default("True")])
            .asks(),
        Cmdlet::new(
            "Get-UMMailbox",
            "Shows mailboxes with voice mail.",
            all("Which one; none: all that have voice mail."),
        ),
        Cmdlet::new("Set-UMMailbox", "Changes a mailbox with voice mail.", identity())
            .and(vec![policy("The rules that it follows."), extensions("The first is the primary one.")])
            .and(UmMailboxChanges::parameters())
            .note("Lists may be changed, too: -Extensions @{Add='27005'; Remove='27000'}."),
    ]
}

/// What makes the mailboxes anew, each with its PIN (as hashes).
pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    configuration.mailboxes.iter().flat_map(|mailbox| of_mailbox(configuration, mailbox)).collect()
}

fn of_mailbox(configuration: &Configuration, mailbox: &Mailbox) -> Vec<Command> {
    let identity = mailbox.name.clone();
    let by_extension =
        mailbox.um.as_ref().filter(|um| um.extensions.first().map(String::as_str) != Some(um.mailbox.as_str()));
    let store_name = by_extension.map(|um| &um.mailbox).or(mailbox.kept.as_ref());
    let mut commands = vec![Command::NewMailbox {
        name: identity.clone(),
        store_name: store_name.map(ToString::to_string),
        changes: Box::new(mailbox.settings.changes_from(&MailboxSettings::default())),
    }];
    let record = configuration.pins.get(&mailbox.name.to_lowercase());
    let restored = record.map(RestoredPin::of).unwrap_or_default();
    match (&mailbox.um, record) {
        (Some(um), _) => {
            commands.push(Command::EnableMailbox {
                identity: identity.clone(),
                policy: um.policy.clone(),
                extensions: Some(um.extensions.clone().into()),
                pin: None,
                pin_expired: record.map(|record| record.expired),
                restored,
                set_up_due: um.set_up_due.then_some(true),
                validate_only: false,
                mail: super::pin::PinMail::default(),
            });
            if record.is_some_and(|record| record.locked) {
                commands.push(Command::SetPin {
                    identity: identity.clone(),
                    pin: None,
                    pin_expired: None,
                    locked_out: Some(true),
                    restored: RestoredPin::default(),
                    mail: super::pin::PinMail::default(),
                });
            }
        }
        (None, Some(record)) => commands.push(Command::SetPin {
            identity: identity.clone(),
            pin: None,
            pin_expired: Some(record.expired),
            locked_out: Some(record.locked),
            restored,
            mail: super::pin::PinMail::default(),
        }),
        (None, None) => {}
    }
    let changes = mailbox.um_settings.changes_from(&UmMailboxSettings::default());
    if changes != UmMailboxChanges::default() {
        commands.push(Command::SetMailbox { identity, policy: None, extensions: None, changes: Box::new(changes) });
    }
    commands
}

pub(super) fn new(
    configuration: &mut Configuration,
    name: String,
    store_name: Option<String>,
    changes: MailboxChanges,
) -> Outcome {
    configuration.mailboxes.check_new(&name)?;
    if configuration.groups.get(&name).is_some() {
        return Err(CommandError::Exists { parameter: "Name".into(), kind: DistributionGroup::NOUN.into(), name });
    }
    let kept = match store_name {
        Some(id) => Some(free_id(configuration, &name, "StoreName", &id)?),
        None => None,
    };
    let settings = MailboxSettings::default();
    let mut mailbox = Mailbox { name, settings, um: None, um_settings: UmMailboxSettings::default(), kept };
    mailbox.settings.apply(changes)?;
    mailbox.check(configuration)?;
    let mut stored = Vec::new();
    configuration.mailboxes.put(mailbox.clone(), &mut stored);
    Ok((Answer::Users(vec![mailbox]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: MailboxChanges) -> Outcome {
    let mut mailbox = Mailbox::clone(configuration.require_mailbox(identity)?);
    mailbox.settings.apply(changes)?;
    mailbox.check(configuration)?;
    let mut stored = Vec::new();
    configuration.mailboxes.put(mailbox, &mut stored);
    Ok((Answer::Done(()), stored))
}

/// Takes a user away who has no voice mail; gives what the store calls the mailbox, if it ever had one.
pub(crate) fn remove(
    configuration: &mut Configuration,
    identity: &str,
) -> Result<(Option<MailboxId>, Vec<state::Change>), CommandError> {
    let mailbox = configuration.require_mailbox(identity)?.clone();
    if mailbox.um.is_some() {
        let mend = format!("{:?} has voice mail: use Disable-UMMailbox first", mailbox.name);
        return Err(CommandError::bad("Identity", mend));
    }
    let mut stored = Vec::new();
    forget_properties(configuration, &mailbox.name, &mut stored);
    super::distribution_group::forget(configuration, &mailbox.name, &mut stored);
    configuration.mailboxes.remove(&mailbox.name, &mut stored);
    Ok((mailbox.kept.clone(), stored))
}

/// Rules and PIN.
fn forget_properties(configuration: &mut Configuration, name: &str, stored: &mut Vec<state::Change>) {
    super::call_answering_rule::remove_of(configuration, name, stored);
    configuration.remove_pin(name, stored);
}

pub(super) fn users(configuration: &Configuration, identity: Option<&str>) -> Outcome {
    let users = match identity {
        Some(identity) => vec![Mailbox::clone(configuration.require_mailbox(identity)?)],
        None => configuration.mailboxes.iter().map(|mailbox| Mailbox::clone(mailbox)).collect(),
    };
    Ok((Answer::Users(users), Vec::new()))
}

pub(super) fn get(configuration: &Configuration, identity: Option<&str>) -> Outcome {
    let mailboxes = match identity {
        Some(identity) => {
            let mailbox = configuration.require_mailbox(identity)?;
            require_enabled(mailbox)?;
            vec![view(configuration, mailbox)]
        }
        None => {
            let enabled = configuration.mailboxes.iter().filter(|mailbox| mailbox.um.is_some());
            enabled.map(|mailbox| view(configuration, mailbox)).collect()
        }
    };
    Ok((Answer::Mailboxes(mailboxes), Vec::new()))
}

/// The mailbox's voice mail, or an error that says how it gets some.
pub(crate) fn require_enabled(mailbox: &Mailbox) -> Result<&Enabled, CommandError> {
    mailbox.um.as_ref().ok_or_else(|| {
        CommandError::bad("Identity", format!("{:?} is not enabled: use Enable-UMMailbox", mailbox.name))
    })
}

/// What Enable-UMMailbox makes of a mailbox, checked; the PIN is not yet in it.
pub(crate) fn enabled(
    configuration: &Configuration,
    identity: &str,
    policy: &str,
    extensions: Option<ListChange>,
) -> Result<Mailbox, CommandError> {
    let mut mailbox = Mailbox::clone(configuration.require_mailbox(identity)?);
    let policy = configuration.policies.require("UMMailboxPolicy", policy)?;
    let plan = configuration.dial_plans.require("UMMailboxPolicy", &policy.dial_plan)?;
    if mailbox.um.is_some() {
        let mend = format!("{:?} has voice mail already: use Set-UMMailbox", mailbox.name);
        return Err(CommandError::bad("Identity", mend));
    }
    let given = extensions.map(|change| Vec::new().changed(change)).filter(|extensions| !extensions.is_empty());
    let extensions = match given {
        Some(extensions) => extensions,
        // As the directory's telephone number, when it has the right length.
        None => mailbox
            .phone
            .as_deref()
            .and_then(|phone| plan.extension_of(phone))
            .map(|extension| vec![extension])
            .ok_or(CommandError::Missing { cmdlet: "Enable-UMMailbox".into(), parameter: "Extensions".into() })?,
    };
    check_extensions(configuration, &mailbox.name, &plan.name, &extensions)?;
    let id = match mailbox.kept.take() {
        // It has messages from before.
        Some(kept) => kept,
        None => first_free(configuration, &mailbox.name, extensions.first().map(String::as_str).unwrap_or_default())?,
    };
    mailbox.um = Some(Enabled { policy: policy.name.clone(), extensions, mailbox: id, set_up_due: false });
    Ok(mailbox)
}

fn check_extensions(
    configuration: &Configuration,
    mailbox: &str,
    plan: &str,
    extensions: &[String],
) -> Result<(), CommandError> {
    let plan = configuration.dial_plans.require("UMMailboxPolicy", plan)?;
    super::call_answering_rule::check_extensions(configuration, mailbox, extensions)?;
    for (index, extension) in extensions.iter().enumerate() {
        if plan.extension_of(extension).as_deref() != Some(extension) {
            let mend = format!("write {} digits each, as the dial plan has", plan.digits);
            return Err(CommandError::bad("Extensions", mend));
        }
        if extensions.iter().take(index).any(|other| other == extension) {
            return Err(CommandError::bad("Extensions", format!("write {extension} once")));
        }
        match configuration.by_extension(&plan.name, extension) {
            Some(other) if !other.name.eq_ignore_ascii_case(mailbox) => {
                return Err(CommandError::bad("Extensions", format!("{:?} has {extension} already", other.name)));
            }
            _ => {}
        }
        if let Some(owner) = pilots::owner_in(configuration, &plan.name, extension) {
            return Err(CommandError::bad("Extensions", format!("{extension} is the pilot number of {owner}")));
        }
    }
    Ok(())
}

/// The id in the store, unless another mailbox has it: its messages must not be this one's.
fn free_id(configuration: &Configuration, mailbox: &str, parameter: &str, id: &str) -> Result<MailboxId, CommandError> {
    let id = MailboxId::parse(id).map_err(|error| CommandError::bad(parameter, error.to_string()))?;
    match configuration.store_name_owner(&id) {
        Some(other) if !other.eq_ignore_ascii_case(mailbox) => {
            Err(CommandError::bad(parameter, format!("the mailbox store has {id} for another mailbox")))
        }
        _ => Ok(id),
    }
}

/// The extension, or, where another plan's or a former owner's mailbox is called so, the first of `27000-2`, `27000-3`, …
fn first_free(configuration: &Configuration, mailbox: &str, extension: &str) -> Result<MailboxId, CommandError> {
    let mut result = free_id(configuration, mailbox, "Extensions", extension);
    for number in 2..100 {
        if result.is_ok() {
            break;
        }
        result = free_id(configuration, mailbox, "Extensions", &format!("{extension}-{number}"));
    }
    result
}

/// Set-UMMailbox.
pub(super) fn set_um(
    configuration: &mut Configuration,
    identity: &str,
    policy: Option<String>,
    extensions: Option<ListChange>,
    changes: UmMailboxChanges,
) -> Outcome {
    let mut mailbox = Mailbox::clone(configuration.require_mailbox(identity)?);
    mailbox.um_settings.apply(changes)?;
    if policy.is_some() || extensions.is_some() {
        let mut um = require_enabled(&mailbox)?.clone();
        if let Some(policy) = policy {
            um.policy = configuration.policies.require("UMMailboxPolicy", &policy)?.name.clone();
        }
        if let Some(extensions) = extensions {
            um.extensions = um.extensions.changed(extensions);
        }
        if um.extensions.is_empty() {
            return Err(CommandError::bad("Extensions", "leave at least one; Disable-UMMailbox takes voice mail away"));
        }
        let plan = &configuration.policies.require("UMMailboxPolicy", &um.policy)?.dial_plan;
        check_extensions(configuration, &mailbox.name, plan, &um.extensions)?;
        mailbox.um = Some(um);
    }
    let mut stored = Vec::new();
    configuration.mailboxes.put(mailbox, &mut stored);
    Ok((Answer::Done(()), stored))
}

/// Disable-UMMailbox.
pub(super) fn disable(configuration: &mut Configuration, identity: &str, keep: bool) -> Outcome {
    let mut mailbox = Mailbox::clone(configuration.require_mailbox(identity)?);
    mailbox.kept = Some(require_enabled(&mailbox)?.mailbox.clone());
    mailbox.um = None;
    let mut stored = Vec::new();
    if !keep {
        mailbox.um_settings = UmMailboxSettings::default();
        forget_properties(configuration, &mailbox.name, &mut stored);
    }
    configuration.mailboxes.put(mailbox, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl Mailbox {
    /// Whoever gives the alias or the address of a user must not mean two.
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        if let Some(address) = &self.primary_smtp_address {
            let sound = address.split_once('@').is_some_and(|(user, domain)| {
                let blank = address.contains(char::is_whitespace);
                !user.is_empty() && !domain.is_empty() && !blank && !domain.contains('@')
            });
            if !sound {
                return Err(CommandError::bad("PrimarySmtpAddress", "write user@domain"));
            }
        }
        let others = || configuration.mailboxes.iter().filter(|other| !other.name.eq_ignore_ascii_case(&self.name));
        let alike = |theirs: &Option<String>, ours: &str| {
            theirs.as_ref().is_some_and(|theirs| theirs.eq_ignore_ascii_case(ours))
        };
        type Of = fn(&MailboxSettings) -> &Option<String>;
        let unique: [(&str, Of); 3] = [
            ("PrimarySmtpAddress", |settings| &settings.primary_smtp_address),
            ("Alias", |settings| &settings.alias),
            ("UserPrincipalName", |settings| &settings.user_principal_name),
        ];
        for (parameter, of) in unique {
            if let Some(ours) = of(&self.settings)
                && let Some(other) = others().find(|other| alike(of(&other.settings), ours))
            {
                return Err(CommandError::bad(parameter, format!("{:?} has it already", other.name)));
            }
        }
        Ok(())
    }
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
        settings: mailbox.um_settings.clone(),
    }
}
