//! UMAutoAttendant: a number that answers everybody and leads on (fact sheet 2.5).

use super::dial_plan::{Announcement, ContactScope, DialPlan, MatchedName};
use super::forms::{FILE, HOLIDAY, MENU_KEY, OPENING_HOURS, WEEK_DAY, key_of};
use super::hunt_group::check_pilot;
use super::key_mapping::{KeyMapping, Then};
use super::settings::settings;
use super::table::{self, Cmdlet};
use super::value::{Any, Digits, LanguageTag, Length, choices};
use super::{Answer, Command, CommandError, Outcome, in_use, pilots};
use crate::configuration::Configuration;
use crate::time_zone::ZoneName;
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
        "DTMFFallbackAutoAttendant" dtmf_fallback_auto_attendant: Option<String> = None, Length(64), "The attendant for callers who are not understood.", attendant;
        "Language" language: Option<String> = None, LanguageTag, "What callers hear; none: the dial plan's.";
        "BusinessName" business_name: Option<String> = None, Length(64), "Spoken in the welcome.";
        "BusinessLocation" business_location: Option<String> = None, Length(255), "Spoken on request.";
        "TimeZone" time_zone: Option<String> = None, ZoneName, "Time zone of the schedules; none: the server's.";
        "WeekStartDay" week_start_day: Option<String> = None, WEEK_DAY, "First day of the week when the hours are told; none: Monday.";
        "BusinessHoursSchedule" business_hours_schedule: Vec<String> = Vec::new(), OPENING_HOURS, "When it is open; none: always.";
        "HolidaySchedule" holiday_schedule: Vec<String> = Vec::new(), HOLIDAY, "Days on which it is closed, each with a greeting.";
        "BusinessHoursWelcomeGreetingEnabled" business_hours_welcome_greeting_enabled: bool = false, Any, "Whether an own welcome is played in business hours.";
        "BusinessHoursWelcomeGreetingFilename" business_hours_welcome_greeting_filename: Option<String> = None, FILE, "Its file.";
        "AfterHoursWelcomeGreetingEnabled" after_hours_welcome_greeting_enabled: bool = false, Any, "Whether an own welcome is played after hours.";
        "AfterHoursWelcomeGreetingFilename" after_hours_welcome_greeting_filename: Option<String> = None, FILE, "Its file.";
        "BusinessHoursMainMenuCustomPromptEnabled" business_hours_main_menu_custom_prompt_enabled: bool = false, Any, "Whether an own menu prompt is played in business hours.";
        "BusinessHoursMainMenuCustomPromptFilename" business_hours_main_menu_custom_prompt_filename: Option<String> = None, FILE, "Its file.";
        "AfterHoursMainMenuCustomPromptEnabled" after_hours_main_menu_custom_prompt_enabled: bool = false, Any, "Whether an own menu prompt is played after hours.";
        "AfterHoursMainMenuCustomPromptFilename" after_hours_main_menu_custom_prompt_filename: Option<String> = None, FILE, "Its file.";
        "BusinessHoursKeyMappingEnabled" business_hours_key_mapping_enabled: bool = false, Any, "Whether keys lead on in business hours.";
        "BusinessHoursKeyMapping" business_hours_key_mapping: Vec<String> = Vec::new(), MENU_KEY, "Those keys, at most ten: they lead to an extension, an attendant, a user or his voice mail, or say a prompt, the location or the hours.";
        "AfterHoursKeyMappingEnabled" after_hours_key_mapping_enabled: bool = false, Any, "Whether keys lead on after hours.";
        "AfterHoursKeyMapping" after_hours_key_mapping: Vec<String> = Vec::new(), MENU_KEY, "Those keys.";
        "BusinessHoursTransferToOperatorEnabled" business_hours_transfer_to_operator_enabled: bool = false, Any, "Whether 0 leads to the operator in business hours.";
        "AfterHoursTransferToOperatorEnabled" after_hours_transfer_to_operator_enabled: bool = false, Any, "Whether 0 leads to the operator after hours.";
        "InfoAnnouncementEnabled" info_announcement_enabled: Announcement = Announcement::False, Any, "Whether an announcement follows the welcome.";
        "InfoAnnouncementFilename" info_announcement_filename: Option<String> = None, FILE, "Its file.";
        "CallSomeoneEnabled" call_someone_enabled: bool = true, Any, "Whether callers are transferred to users.";
        "SendVoiceMsgEnabled" send_voice_msg_enabled: bool = true, Any, "Whether callers may leave messages for users.";
        "NameLookupEnabled" name_lookup_enabled: bool = true, Any, "Whether callers may search for names.";
        "ContactScope" contact_scope: ContactScope = ContactScope::DialPlan, Any, "Whom they may search for.";
        "ContactAddressList" contact_address_list: Option<String> = None, Length(64), "The list for scope AddressList: of those in it (`Set-Mailbox -AddressListMembership`).";
        "ContactRecipientContainer" contact_recipient_container: Option<String> = None, Length(255), "The container for the scope.", idle;
        "MatchedNameSelectionMethod" matched_name_selection_method: MatchedName = MatchedName::InheritFromDialPlan, Any, "What tells users of one name apart.";
        "OperatorExtension" operator_extension: Option<String> = None, Digits(1, 20), "Where 0 leads; none: the dial plan's.";
        "AllowDialPlanSubscribers" allow_dial_plan_subscribers: bool = true, Any, "Whether callers may be transferred to users of the plan.";
        "AllowExtensions" allow_extensions: bool = true, Any, "Whether they may dial any extension of the plan's length.";
        "AllowedInCountryOrRegionGroups" allowed_in_country_or_region_groups: Vec<String> = Vec::new(), Length(128), "Dialling rule groups that callers may use.";
        "AllowedInternationalGroups" allowed_international_groups: Vec<String> = Vec::new(), Length(128), "International groups that they may use.";
        "StarOutToDialPlanEnabled" star_out_to_dial_plan_enabled: bool = false, Any, "Whether * leads to voice access.";
    }
}

const NOUN: &str = "UMAutoAttendant";

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let plan = table::dial_plan("The plan that it belongs to.").needed();
    let filter = table::dial_plan("Only those of this plan.");
    vec![
        Cmdlet::new("New-UMAutoAttendant", "Makes an auto attendant in a dial plan.", vec![table::name(), plan])
            .and(AttendantChanges::parameters()),
        Cmdlet::new("Get-UMAutoAttendant", "Shows auto attendants.", table::identity_or_all(NOUN)).and(vec![filter]),
        Cmdlet::new("Set-UMAutoAttendant", "Changes an auto attendant.", table::identity(NOUN))
            .and(AttendantChanges::parameters()),
        Cmdlet::new("Enable-UMAutoAttendant", "Lets an auto attendant answer.", table::identity(NOUN)),
        Cmdlet::new("Disable-UMAutoAttendant", "Lets an auto attendant answer no more calls.", table::identity(NOUN))
            .asks(),
        Cmdlet::new("Remove-UMAutoAttendant", "Removes an auto attendant.", table::identity(NOUN)).asks(),
    ]
}

/// What makes the attendants anew. Those that they lead to may come later in the list: [`later_commands`] names them.
pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let attendants = configuration.attendants.iter().map(|attendant| {
        let mut changes = attendant.settings.changes_from(&AttendantSettings::default());
        changes.dtmf_fallback_auto_attendant = None;
        changes.business_hours_key_mapping = None;
        changes.after_hours_key_mapping = None;
        Command::NewAutoAttendant {
            name: attendant.name.clone(),
            dial_plan: attendant.dial_plan.clone(),
            changes: Box::new(changes),
        }
    });
    attendants.collect()
}

pub(super) fn later_commands(configuration: &Configuration) -> Vec<Command> {
    let set = configuration.attendants.iter().filter_map(|attendant| {
        let all = attendant.settings.changes_from(&AttendantSettings::default());
        let changes = AttendantChanges {
            dtmf_fallback_auto_attendant: all.dtmf_fallback_auto_attendant,
            business_hours_key_mapping: all.business_hours_key_mapping,
            after_hours_key_mapping: all.after_hours_key_mapping,
            ..AttendantChanges::default()
        };
        let identity = attendant.name.clone();
        (changes != AttendantChanges::default())
            .then(|| Command::SetAutoAttendant { identity, changes: Box::new(changes) })
    });
    set.collect()
}

pub(super) fn set_status(configuration: &mut Configuration, identity: &str, status: AttendantStatus) -> Outcome {
    set(configuration, identity, AttendantChanges { status: Some(status), ..AttendantChanges::default() })
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
    let is_it = |other: &Option<String>| other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(&name));
    let plans = configuration.dial_plans.iter().filter(|plan| is_it(&plan.auto_attendant));
    let others = configuration.attendants.iter().filter(|other| {
        !other.name.eq_ignore_ascii_case(&name)
            && (is_it(&other.dtmf_fallback_auto_attendant)
                || other.led_to().iter().any(|(_, led)| led.eq_ignore_ascii_case(&name)))
    });
    let users = plans
        .map(|plan| format!("UMDialPlan {:?}", plan.name))
        .chain(others.map(|other| format!("UMAutoAttendant {:?}", other.name)))
        .collect();
    in_use(NOUN, &name, users)?;
    let mut stored = Vec::new();
    super::prompt::remove_of(configuration, super::prompt::Owner::Attendant, &name, &mut stored);
    configuration.attendants.remove(&name, &mut stored);
    Ok((Answer::Done(()), stored))
}

/// Keys of a menu: 1 to 9, and none in time.
const MOST_KEYS: usize = 10;

impl AutoAttendant {
    /// The attendants that menu keys lead to, each with the parameter that names it.
    fn led_to(&self) -> Vec<(&'static str, String)> {
        let menus = [
            ("BusinessHoursKeyMapping", &self.business_hours_key_mapping),
            ("AfterHoursKeyMapping", &self.after_hours_key_mapping),
        ];
        let mut led = Vec::new();
        for (parameter, keys) in menus {
            led.extend(KeyMapping::all(keys).into_iter().filter_map(|key| match key.then {
                Then::Attendant(name) => Some((parameter, name)),
                _ => None,
            }));
        }
        led
    }

    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        for (index, pilot) in self.pilot_identifier_list.iter().enumerate() {
            check_pilot("PilotIdentifierList", pilot)?;
            if self.pilot_identifier_list.iter().take(index).any(|other| pilots::same(other, pilot)) {
                return Err(CommandError::bad("PilotIdentifierList", format!("write {pilot} once")));
            }
        }
        let mut attendants = configuration.attendants.clone();
        attendants.put(self.clone(), &mut Vec::new());
        let me = pilots::attendant_name(&self.name);
        pilots::check(configuration, &configuration.hunt_groups, &attendants, ("PilotIdentifierList", &me))?;
        let plan = configuration.dial_plans.require("UMDialPlan", &self.dial_plan)?;
        plan.check_groups(&self.allowed_in_country_or_region_groups, &self.allowed_international_groups)?;
        for (parameter, keys) in [
            ("BusinessHoursKeyMapping", &self.business_hours_key_mapping),
            ("AfterHoursKeyMapping", &self.after_hours_key_mapping),
        ] {
            let mut taken: Vec<String> = keys.iter().enumerate().map(|(index, key)| key_of(key, index)).collect();
            taken.sort();
            if keys.len() > MOST_KEYS {
                return Err(CommandError::bad(parameter, format!("write at most {MOST_KEYS} keys")));
            }
            if let Some([twice, _]) = taken.windows(2).find(|pair| matches!(pair, [one, other] if one == other)) {
                return Err(CommandError::bad(parameter, format!("write key {twice} once")));
            }
        }
        for (parameter, keys) in [
            ("BusinessHoursKeyMapping", &self.business_hours_key_mapping),
            ("AfterHoursKeyMapping", &self.after_hours_key_mapping),
        ] {
            for key in KeyMapping::all(keys) {
                let (Then::VoiceMailOf(identity) | Then::User(identity)) = key.then else { continue };
                if configuration.find_mailbox(&identity).is_none() {
                    return Err(CommandError::bad(parameter, format!("there is no mailbox {identity:?}")));
                }
            }
        }
        for (parameter, name) in self.led_to() {
            if !name.eq_ignore_ascii_case(&self.name) {
                configuration.attendants.require(parameter, &name)?;
            }
        }
        if let Some(fallback) = &self.dtmf_fallback_auto_attendant {
            let fallback = configuration.attendants.require("DTMFFallbackAutoAttendant", fallback)?;
            if fallback.speech_enabled || fallback.name.eq_ignore_ascii_case(&self.name) {
                let mend = "write another attendant, one that is not speech-enabled";
                return Err(CommandError::bad("DTMFFallbackAutoAttendant", mend));
            }
        }
        Ok(())
    }
}
