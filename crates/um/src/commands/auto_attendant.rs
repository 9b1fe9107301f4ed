//! UMAutoAttendant: a number that answers everybody and leads on (fact sheet 2.5).

use super::dial_plan::{Announcement, ContactScope, DialPlan, MatchedName};
use super::hunt_group::check_pilot;
use super::settings::settings;
use super::value::{Any, Digits, LanguageTag, Length, choices};
use super::{Answer, CommandError, Outcome};
use crate::configuration::{Configuration, pilot_is};
use serde::{Deserialize, Serialize};
use speech::Language;

choices! {
    /// Whether the attendant answers.
    AttendantStatus { Enabled, Disabled }
}

/// An auto attendant. Read settings through `Deref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoAttendant {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "UMDialPlan")]
    pub dial_plan: String,
    #[serde(flatten)]
    pub settings: AttendantSettings,
}

impl std::ops::Deref for AutoAttendant {
    type Target = AttendantSettings;
    fn deref(&self) -> &AttendantSettings {
        &self.settings
    }
}

impl AutoAttendant {
    /// What its callers hear: its own language, else that of its dial plan.
    pub(crate) fn language(&self, plan: &DialPlan) -> Language {
        self.language.as_deref().and_then(Language::of_tag).unwrap_or_else(|| plan.language())
    }
}

settings! {
    /// What Set-UMAutoAttendant changes.
    AttendantSettings, AttendantChanges {
        "PilotIdentifierList" pilot_identifier_list: Vec<String> = Vec::new(), Length(64), "The numbers that it answers.";
        "Status" status: AttendantStatus = AttendantStatus::Disabled, Any, "Whether it answers.";
        "SpeechEnabled" speech_enabled: bool = false, Any, "Whether callers may speak.";
        "DTMFFallbackAutoAttendant" dtmf_fallback_auto_attendant: Option<String> = None, Length(64), "The attendant for callers who are not understood.";
        "Language" language: Option<String> = None, LanguageTag, "What callers hear; none: the dial plan's.";
        "BusinessName" business_name: Option<String> = None, Length(64), "Spoken in the welcome.";
        "BusinessLocation" business_location: Option<String> = None, Length(255), "Spoken on request.";
        "TimeZone" time_zone: Option<String> = None, Length(64), "Time zone of the schedules.";
        "WeekStartDay" week_start_day: Option<String> = None, Length(16), "First day of the week.";
        "BusinessHoursSchedule" business_hours_schedule: Vec<String> = Vec::new(), Length(64), "Day.H:MM-Day.H:MM; none: always open.";
        "HolidaySchedule" holiday_schedule: Vec<String> = Vec::new(), Length(255), "Name,file.wav,start,end; the end may be left out.";
        "BusinessHoursWelcomeGreetingEnabled" business_hours_welcome_greeting_enabled: bool = false, Any, "Whether an own welcome is played in business hours.";
        "BusinessHoursWelcomeGreetingFilename" business_hours_welcome_greeting_filename: Option<String> = None, Length(255), "Its file.";
        "AfterHoursWelcomeGreetingEnabled" after_hours_welcome_greeting_enabled: bool = false, Any, "Whether an own welcome is played after hours.";
        "AfterHoursWelcomeGreetingFilename" after_hours_welcome_greeting_filename: Option<String> = None, Length(255), "Its file.";
        "BusinessHoursMainMenuCustomPromptEnabled" business_hours_main_menu_custom_prompt_enabled: bool = false, Any, "Whether an own menu prompt is played in business hours.";
        "BusinessHoursMainMenuCustomPromptFilename" business_hours_main_menu_custom_prompt_filename: Option<String> = None, Length(255), "Its file.";
        "AfterHoursMainMenuCustomPromptEnabled" after_hours_main_menu_custom_prompt_enabled: bool = false, Any, "Whether an own menu prompt is played after hours.";
        "AfterHoursMainMenuCustomPromptFilename" after_hours_main_menu_custom_prompt_filename: Option<String> = None, Length(255), "Its file.";
        "BusinessHoursKeyMappingEnabled" business_hours_key_mapping_enabled: bool = false, Any, "Whether keys lead on in business hours.";
        "BusinessHoursKeyMapping" business_hours_key_mapping: Vec<String> = Vec::new(), Length(255), "Those keys: Sales,77899.";
        "AfterHoursKeyMappingEnabled" after_hours_key_mapping_enabled: bool = false, Any, "Whether keys lead on after hours.";
        "AfterHoursKeyMapping" after_hours_key_mapping: Vec<String> = Vec::new(), Length(255), "Those keys.";
        "BusinessHoursTransferToOperatorEnabled" business_hours_transfer_to_operator_enabled: bool = false, Any, "Whether 0 leads to the operator in business hours.";
        "AfterHoursTransferToOperatorEnabled" after_hours_transfer_to_operator_enabled: bool = false, Any, "Whether 0 leads to the operator after hours.";
        "InfoAnnouncementEnabled" info_announcement_enabled: Announcement = Announcement::False, Any, "Whether an announcement follows the welcome.";
        "InfoAnnouncementFilename" info_announcement_filename: Option<String> = None, Length(255), "Its file.";
        "CallSomeoneEnabled" call_someone_enabled: bool = true, Any, "Whether callers are transferred to users.";
        "SendVoiceMsgEnabled" send_voice_msg_enabled: bool = true, Any, "Whether callers may leave messages for users.";
        "NameLookupEnabled" name_lookup_enabled: bool = true, Any, "Whether callers may search for names.";
        "ContactScope" contact_scope: ContactScope = ContactScope::DialPlan, Any, "Whom they may search for.";
        "ContactAddressList" contact_address_list: Option<String> = None, Length(64), "The list for scope AddressList.";
        "ContactRecipientContainer" contact_recipient_container: Option<String> = None, Length(255), "The container for the scope.";
        "MatchedNameSelectionMethod" matched_name_selection_method: MatchedName = MatchedName::InheritFromDialPlan, Any, "What tells users of one name apart.";
        "OperatorExtension" operator_extension: Option<String> = None, Digits(1, 20), "Where 0 leads; none: the dial plan's.";
        "AllowDialPlanSubscribers" allow_dial_plan_subscribers: bool = true, Any, "Whether callers may be transferred to users of the plan.";
        "AllowExtensions" allow_extensions: bool = true, Any, "Whether they may dial any extension of the plan's length.";
        "AllowedInCountryOrRegionGroups" allowed_in_country_or_region_groups: Vec<String> = Vec::new(), Length(128), "Dialling rule groups that callers may use.";
        "AllowedInternationalGroups" allowed_international_groups: Vec<String> = Vec::new(), Length(128), "International groups that they may use.";
        "StarOutToDialPlanEnabled" star_out_to_dial_plan_enabled: bool = false, Any, "Whether * leads to voice access.";
    }
}

pub(super) fn new(
    configuration: &mut Configuration,
    name: String,
    dial_plan: &str,
    changes: AttendantChanges,
) -> Outcome {
    configuration.attendants.check_new(&name)?;
    let dial_plan = configuration.dial_plans.require("UMDialPlan", dial_plan)?.name.clone();
    let mut attendant = AutoAttendant { name, dial_plan, settings: AttendantSettings::default() };
    attendant.settings.apply(changes)?;
    attendant.check(configuration)?;
    let mut stored = Vec::new();
    configuration.attendants.put(attendant.clone(), &mut stored);
    Ok((Answer::AutoAttendants(vec![attendant]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: AttendantChanges) -> Outcome {
    let mut attendant = AutoAttendant::clone(configuration.attendants.require("Identity", identity)?);
    attendant.settings.apply(changes)?;
    attendant.check(configuration)?;
    let mut stored = Vec::new();
    configuration.attendants.put(attendant, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let name = configuration.attendants.require("Identity", identity)?.name.clone();
    let starts_it = |plan: &&std::sync::Arc<DialPlan>| {
        plan.auto_attendant.as_ref().is_some_and(|attendant| attendant.eq_ignore_ascii_case(&name))
    };
    if let Some(plan) = configuration.dial_plans.iter().find(starts_it) {
        return Err(CommandError::InUse {
            parameter: "Identity".into(),
            kind: "UMAutoAttendant".into(),
            identity: name.clone(),
            user: format!("UMDialPlan {:?}", plan.name),
        });
    }
    let mut stored = Vec::new();
    configuration.attendants.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl AutoAttendant {
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        for pilot in &self.pilot_identifier_list {
            check_pilot("PilotIdentifierList", pilot)?;
            let has_it = |other: &&std::sync::Arc<AutoAttendant>| {
                !other.name.eq_ignore_ascii_case(&self.name)
                    && other.pilot_identifier_list.iter().any(|theirs| pilot_is(theirs, pilot))
            };
            if let Some(other) = configuration.attendants.iter().find(has_it) {
                let mend = format!("{:?} has the pilot {pilot} already", other.name);
                return Err(CommandError::bad("PilotIdentifierList", mend));
            }
        }
        if let Some(fallback) = &self.dtmf_fallback_auto_attendant {
            let fallback = configuration.attendants.require("DTMFFallbackAutoAttendant", fallback)?;
            if fallback.speech_enabled {
                let mend = "write an attendant that is not speech-enabled";
                return Err(CommandError::bad("DTMFFallbackAutoAttendant", mend));
            }
        }
        Ok(())
    }
}
