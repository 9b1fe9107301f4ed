//! UMMailboxPolicy: rules for PINs and for what users may do (fact sheet 2.4).

use super::forms::SIP_URI;
use super::settings::settings;
use super::table::{self, Cmdlet};
use super::value::{Any, Length, Limit, Range, choices};
use super::{Answer, Command, CommandError, Outcome, in_use};
use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};

choices! {
    /// Which messages are protected.
    Protect { None, Private, All }
}

/// A mailbox policy. Read settings through `Deref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailboxPolicy {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "UMDialPlan")]
    pub dial_plan: String,
    #[serde(flatten)]
    pub settings: PolicySettings,
}

impl std::ops::Deref for MailboxPolicy {
    type Target = PolicySettings;
    fn deref(&self) -> &PolicySettings {
        &self.settings
    }
}

settings! {
    /// What Set-UMMailboxPolicy changes.
    PolicySettings, PolicyChanges {
        "MinPINLength" min_pin_length: u32 = 6, Range(4, 24), "Digits that a PIN must have.";
        "PINLifetime" pin_lifetime: Limit = Limit::Of(60), Range(1, 999), "Days after which a PIN must be changed.";
        "PINHistoryCount" pin_history_count: u32 = 5, Range(1, 20), "Earlier PINs that may not be used again.";
        "AllowCommonPatterns" allow_common_patterns: bool = false, Any, "Whether 123456, 111111 and the like are taken.";
        "LogonFailuresBeforePINReset" logon_failures_before_pin_reset: Limit = Limit::Of(5), Range(0, 999), "Wrong PINs in a row before the PIN is due for a reset (for now only an event says so); below MaxLogonAttempts.";
        "MaxLogonAttempts" max_logon_attempts: Limit = Limit::Of(15), Range(1, 999), "Wrong PINs in a row, over calls and doors, before the mailbox is locked.";
        "AllowPinlessVoiceMailAccess" allow_pinless_voice_mail_access: bool = false, Any, "Whether voice mail may be heard from the own phone without a PIN.", idle;
        "MaxGreetingDuration" max_greeting_duration: u32 = 5, Range(1, 10), "Minutes that a greeting may last.";
        "AllowSubscriberAccess" allow_subscriber_access: bool = true, Any, "Whether users may ring in.";
        "AllowTUIAccessToCalendar" allow_tui_access_to_calendar: bool = true, Any, "Whether they may hear the calendar, where one is connected.";
        "AllowTUIAccessToEmail" allow_tui_access_to_email: bool = true, Any, "Whether they may hear mail, where it is connected.";
        "AllowTUIAccessToDirectory" allow_tui_access_to_directory: bool = true, Any, "Whether they may search the directory.";
        "AllowTUIAccessToPersonalContacts" allow_tui_access_to_personal_contacts: bool = true, Any, "Whether they may search their contacts, where they are connected.";
        "AllowAutomaticSpeechRecognition" allow_automatic_speech_recognition: bool = true, Any, "Whether they may speak commands.";
        "AllowCallAnsweringRules" allow_call_answering_rules: bool = true, Any, "Whether they may have call answering rules.";
        "AllowMissedCallNotifications" allow_missed_call_notifications: bool = true, Any, "Whether they are told of missed calls.";
        "AllowMessageWaitingIndicator" allow_message_waiting_indicator: bool = true, Any, "Whether their lamps are set.";
        "AllowPlayOnPhone" allow_play_on_phone: bool = true, Any, "Whether they may use play on phone.";
        "AllowSMSNotification" allow_sms_notification: bool = true, Any, "Whether they may have text messages.", idle;
        "AllowVoiceMailPreview" allow_voice_mail_preview: bool = true, Any, "Whether messages become texts, where a transcriber is connected.";
        "AllowVoiceResponseToOtherMessageTypes" allow_voice_response_to_other_message_types: bool = true, Any, "Whether mail and meetings may be answered by voice.";
        "AllowFax" allow_fax: bool = true, Any, "Whether faxes are handed to the fax partner; else they are missed calls.";
        "FaxServerURI" fax_server_uri: Option<String> = None, SIP_URI, "The fax partner: where fax machines are transferred to by REFER.";
        "AllowDialPlanSubscribers" allow_dial_plan_subscribers: bool = true, Any, "Whether users of the plan may be called.";
        "AllowExtensions" allow_extensions: bool = true, Any, "Whether any extension of the plan's length may be called.";
        "AllowedInCountryOrRegionGroups" allowed_in_country_or_region_groups: Vec<String> = Vec::new(), Length(128), "Dialling rule groups that users may use.";
        "AllowedInternationalGroups" allowed_international_groups: Vec<String> = Vec::new(), Length(128), "International groups that they may use.";
        "ProtectAuthenticatedVoiceMail" protect_authenticated_voice_mail: Protect = Protect::None, Any, "Which messages of users are protected: heard by phone and page only, and not forwarded.";
        "ProtectUnauthenticatedVoiceMail" protect_unauthenticated_voice_mail: Protect = Protect::None, Any, "Which messages of callers are protected.";
        "RequireProtectedPlayOnPhone" require_protected_play_on_phone: bool = false, Any, "Whether protected messages are heard on a phone only.", idle;
        "UMEnabledText" um_enabled_text: Option<String> = None, Length(512), "Added to the welcome mail.", idle;
        "ResetPINText" reset_pin_text: Option<String> = None, Length(512), "Added to the mail with a new PIN.", idle;
        "VoiceMailText" voice_mail_text: Option<String> = None, Length(512), "Added to voice messages.", idle;
        "FaxMessageText" fax_message_text: Option<String> = None, Length(512), "Added to fax messages.", idle;
        "ProtectedVoiceMailText" protected_voice_mail_text: Option<String> = None, Length(512), "Added to protected messages.", idle;
        "VoiceMailPreviewPartnerAddress" voice_mail_preview_partner_address: Option<String> = None, Length(255), "Mail address of a transcription partner.", idle;
        "VoiceMailPreviewPartnerAssignedID" voice_mail_preview_partner_assigned_id: Option<String> = None, Length(255), "Our name at that partner.", idle;
        "VoiceMailPreviewPartnerMaxDeliveryDelay" voice_mail_preview_partner_max_delivery_delay: u32 = 1200, Range(300, 86_400), "Seconds that the partner may take.", idle;
        "VoiceMailPreviewPartnerMaxMessageDuration" voice_mail_preview_partner_max_message_duration: u32 = 180, Range(60, 6_000), "Seconds of the longest message for the partner.", idle;
    }
}

const NOUN: &str = "UMMailboxPolicy";

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let plan = table::dial_plan("The plan that it belongs to.").needed();
    let filter = table::dial_plan("Only those of this plan.");
    vec![
        Cmdlet::new("New-UMMailboxPolicy", "Makes a mailbox policy in a dial plan.", vec![table::name(), plan])
            .and(PolicyChanges::parameters()),
        Cmdlet::new("Get-UMMailboxPolicy", "Shows mailbox policies.", table::identity_or_all(NOUN)).and(vec![filter]),
        Cmdlet::new("Set-UMMailboxPolicy", "Changes a mailbox policy.", table::identity(NOUN))
            .and(PolicyChanges::parameters()),
        Cmdlet::new("Remove-UMMailboxPolicy", "Removes a mailbox policy that no mailbox has.", table::identity(NOUN))
            .asks(),
    ]
}

pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let policies = configuration.policies.iter().map(|policy| Command::NewPolicy {
        name: policy.name.clone(),
        dial_plan: policy.dial_plan.clone(),
        changes: Box::new(policy.settings.changes_from(&PolicySettings::default())),
    });
    policies.collect()
}

pub(super) fn new(configuration: &mut Configuration, name: String, dial_plan: &str, changes: PolicyChanges) -> Outcome {
    configuration.policies.check_new(&name)?;
    let dial_plan = configuration.dial_plans.require("UMDialPlan", dial_plan)?.name.clone();
    let mut policy = MailboxPolicy { name, dial_plan, settings: PolicySettings::default() };
    policy.settings.apply(changes)?;
    policy.check(configuration)?;
    let mut stored = Vec::new();
    configuration.policies.put(policy.clone(), &mut stored);
    Ok((Answer::Policies(vec![policy]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: PolicyChanges) -> Outcome {
    let mut policy = MailboxPolicy::clone(configuration.policies.require("Identity", identity)?);
    policy.settings.apply(changes)?;
    policy.check(configuration)?;
    let mut stored = Vec::new();
    configuration.policies.put(policy, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let name = configuration.policies.require("Identity", identity)?.name.clone();
    let has_it = |policy: &str| policy.eq_ignore_ascii_case(&name);
    let mailboxes =
        configuration.mailboxes.iter().filter(|mailbox| mailbox.um.as_ref().is_some_and(|um| has_it(&um.policy)));
    in_use(NOUN, &name, mailboxes.map(|mailbox| format!("mailbox {:?}", mailbox.name)).collect())?;
    let mut stored = Vec::new();
    configuration.policies.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl MailboxPolicy {
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        let plan = configuration.dial_plans.require("UMDialPlan", &self.dial_plan)?;
        plan.check_groups(&self.allowed_in_country_or_region_groups, &self.allowed_international_groups)?;
        match (self.logon_failures_before_pin_reset, self.max_logon_attempts) {
            (Limit::Of(reset), Limit::Of(most)) if reset >= most => {
                Err(CommandError::bad("LogonFailuresBeforePINReset", "write less than MaxLogonAttempts"))
            }
            _ => Ok(()),
        }
    }
}
