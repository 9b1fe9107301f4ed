//! UMDialPlan: what a set of extensions has in common (fact sheet 2.1).

use super::forms::{DIALLING_RULE, FILE, NUMBER_MASK, group_of};
use super::mailbox_policy::{MailboxPolicy, PolicySettings};
use super::settings::settings;
use super::table::{self, Cmdlet, Parameter};
use super::value::{Any, Check as _, Digits, LanguageTag, Length, Range, choices};
use super::{Answer, Command, CommandError, Outcome, in_use};
use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};
use speech::Language;

choices! {
    /// How the users of the plan are addressed; fixed when the plan is made.
    UriType { TelExtn, SipName, E164 }
}
choices! {
    /// How signalling and media of the plan's calls are protected.
    VoipSecurity { Unsecured, SIPSecured, Secured }
}
choices! {
    /// How recordings are stored.
    AudioCodec { Mp3, Wma, Gsm, G711 }
}
choices! {
    /// Whom a caller may search for.
    ContactScope { DialPlan, GlobalAddressList, Extension, AutoAttendantLink, AddressList }
}
choices! {
    /// The order in which names are spelt on the keypad.
    DialByName { LastFirst, FirstLast, SMTPAddress, None }
}
choices! {
    /// What is read out to tell users of the same name apart.
    MatchedName { Title, Department, Location, None, PromptForAlias, InheritFromDialPlan }
}
choices! {
    /// Whether an announcement is played, and whether a key stops it.
    Announcement { False, True, Uninterruptible }
}

/// A dial plan. Read settings through `Deref`: `plan.max_recording_duration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DialPlan {
    #[serde(rename = "Name")]
    pub name: String,
    /// 1 to 20; fixed when the plan is made.
    #[serde(rename = "NumberOfDigitsInExtension")]
    pub digits: u32,
    #[serde(rename = "URIType")]
    pub uri_type: UriType,
    #[serde(flatten)]
    pub settings: DialPlanSettings,
}

impl std::ops::Deref for DialPlan {
    type Target = DialPlanSettings;
    fn deref(&self) -> &DialPlanSettings {
        &self.settings
    }
}

impl DialPlan {
    /// What callers hear where nobody chose otherwise.
    pub(crate) fn language(&self) -> Language {
        Language::of_tag(&self.default_language).unwrap_or_default()
    }
}

settings! {
    /// What Set-UMDialPlan changes.
    DialPlanSettings, DialPlanChanges {
        "CountryOrRegionCode" country_or_region_code: Option<String> = None, Digits(1, 4), "The country's telephone code, for dialling rules.";
        "VoIPSecurity" voip_security: VoipSecurity = VoipSecurity::Unsecured, Any, "How signalling and media are protected.";
        "AccessTelephoneNumbers" access_telephone_numbers: Vec<String> = Vec::new(), Length(32), "The numbers that subscribers dial; they are told at enablement.", idle;
        "PilotIdentifierList" pilot_identifier_list: Vec<String> = Vec::new(), Length(32), "E.164 pilots of the plan.", idle;
        "DefaultLanguage" default_language: String = "en-US".into(), LanguageTag, "The language that callers hear.";
        "AudioCodec" audio_codec: AudioCodec = AudioCodec::Mp3, Any, "How recordings are stored.", idle;
        "FaxEnabled" fax_enabled: bool = true, Any, "Whether faxes are handed to the fax partner; else they are missed calls.";
        "AutomaticSpeechRecognitionEnabled" automatic_speech_recognition_enabled: bool = true, Any, "Whether callers may speak commands.";
        "CallAnsweringRulesEnabled" call_answering_rules_enabled: bool = true, Any, "Whether users may have call answering rules.";
        "AllowDialPlanSubscribers" allow_dial_plan_subscribers: bool = true, Any, "Whether unauthenticated callers may be transferred to users of the plan.";
        "AllowExtensions" allow_extensions: bool = false, Any, "Whether they may dial any extension of the right length.";
        "AllowHeuristicADCallingLineIdResolution" allow_heuristic_calling_line_id_resolution: bool = true, Any, "Whether caller numbers are looked up in ordinary telephone fields.";
        "NumberingPlanFormats" numbering_plan_formats: Vec<String> = Vec::new(), NUMBER_MASK, "Masks that tell how an extension stands in a full number.";
        "EquivalentDialPlanPhoneContexts" equivalent_dial_plan_phone_contexts: Vec<String> = Vec::new(), Length(128), "Other plans that are searched for a caller.";
        "CallSomeoneEnabled" call_someone_enabled: bool = true, Any, "Whether a caller may be transferred to a user from the welcome.";
        "SendVoiceMsgEnabled" send_voice_msg_enabled: bool = true, Any, "Whether a caller may leave a message without ringing.";
        "ContactScope" contact_scope: ContactScope = ContactScope::DialPlan, Any, "Whom callers may search for.";
        "ContactAddressList" contact_address_list: Option<String> = None, Length(64), "The list for scope AddressList: of those in it (`Set-Mailbox -AddressListMembership`).";
        "ContactRecipientContainer" contact_recipient_container: Option<String> = None, Length(255), "The container for the scope.", idle;
        "Extension" extension: Option<String> = None, Digits(1, 20), "The target for scope Extension.", idle;
        "UMAutoAttendant" auto_attendant: Option<String> = None, Length(64), "The auto attendant that * starts.", idle, attendant;
        "DialByNamePrimary" dial_by_name_primary: DialByName = DialByName::LastFirst, Any, "How names are spelt on the keypad.";
        "DialByNameSecondary" dial_by_name_secondary: DialByName = DialByName::SMTPAddress, Any, "The other way; must differ.";
        "MatchedNameSelectionMethod" matched_name_selection_method: MatchedName = MatchedName::None, Any, "What tells users of one name apart.";
        "WelcomeGreetingEnabled" welcome_greeting_enabled: bool = false, Any, "Whether the plan's own welcome is played.";
        "WelcomeGreetingFilename" welcome_greeting_filename: Option<String> = None, FILE, "The file of that welcome.";
        "InfoAnnouncementEnabled" info_announcement_enabled: Announcement = Announcement::False, Any, "Whether an announcement follows the welcome.";
        "InfoAnnouncementFilename" info_announcement_filename: Option<String> = None, FILE, "The file of that announcement.";
        "InputFailuresBeforeDisconnect" input_failures_before_disconnect: u32 = 3, Range(1, 20), "Wrong inputs in a menu before the call is ended.";
        "LogonFailuresBeforeDisconnect" logon_failures_before_disconnect: u32 = 3, Range(1, 20), "Wrong PINs in a call before it is ended.";
        "MaxCallDuration" max_call_duration: u32 = 30, Range(10, 120), "Minutes that a call may last.";
        "MaxRecordingDuration" max_recording_duration: u32 = 20, Range(1, 100), "Minutes that a recording may last; below MaxCallDuration.";
        "RecordingIdleTimeout" recording_idle_timeout: u32 = 5, Range(2, 10), "Seconds of silence that end a recording.";
        "OperatorExtension" operator_extension: Option<String> = None, Digits(1, 20), "Where 0 leads; none: no operator.";
        "OutsideLineAccessCode" outside_line_access_code: Option<String> = None, Digits(1, 16), "Dialled before outside numbers.";
        "InternationalAccessCode" international_access_code: Option<String> = None, Digits(1, 4), "Dialled before international numbers.";
        "NationalNumberPrefix" national_number_prefix: Option<String> = None, Digits(1, 4), "Dialled before national numbers.";
        "InCountryOrRegionNumberFormat" in_country_or_region_number_format: Option<String> = None, Length(128), "Prefix and mask of national numbers.", idle;
        "InternationalNumberFormat" international_number_format: Option<String> = None, Length(128), "Prefix and mask of international numbers.", idle;
        "ConfiguredInCountryOrRegionGroups" configured_in_country_or_region_groups: Vec<String> = Vec::new(), DIALLING_RULE, "National dialling rules: Group,NumberMask,DialedNumber,Comment.";
        "ConfiguredInternationalGroups" configured_international_groups: Vec<String> = Vec::new(), DIALLING_RULE, "International dialling rules.";
        "AllowedInCountryOrRegionGroups" allowed_in_country_or_region_groups: Vec<String> = Vec::new(), Length(128), "Rule groups that unauthenticated callers may use.";
        "AllowedInternationalGroups" allowed_international_groups: Vec<String> = Vec::new(), Length(128), "International rule groups that they may use.";
        "TUIPromptEditingEnabled" tui_prompt_editing_enabled: bool = false, Any, "Whether prompts may be recorded by phone (`Start-UMPromptRecording`).";
    }
}

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    let digits = Parameter::of::<u32>("NumberOfDigitsInExtension", "Digits of the extensions.");
    let uri_type = Parameter::of::<UriType>("URIType", "How users are addressed; only TelExtn has an effect yet.");
    let generate = Parameter::of::<bool>("GenerateUMMailboxPolicy", "Make the default policy too.");
    let fixed = vec![
        table::name().written("a text of at most 49 characters"),
        digits.written("a number, 1 to 20").needed(),
        uri_type.by_default("TelExtn"),
        generate.by_default("True"),
    ];
    vec![
        Cmdlet::new("New-UMDialPlan", "Makes a dial plan and its default mailbox policy.", fixed)
            .and(DialPlanChanges::parameters())
            .needs("CountryOrRegionCode"),
        Cmdlet::new("Get-UMDialPlan", "Shows dial plans.", table::identity_or_all(NOUN)),
        Cmdlet::new("Set-UMDialPlan", "Changes a dial plan.", table::identity(NOUN)).and(DialPlanChanges::parameters()),
        Cmdlet::new("Remove-UMDialPlan", "Removes a dial plan that nothing uses.", table::identity(NOUN)).asks(),
    ]
}

const NOUN: &str = "UMDialPlan";

/// What makes the plans anew. Policies have commands of their own; attendants, which may not be there yet, are named by
/// [`later_commands`].
pub(super) fn commands(configuration: &Configuration) -> Vec<Command> {
    let plans = configuration.dial_plans.iter().map(|plan| {
        let mut changes = plan.settings.changes_from(&DialPlanSettings::default());
        changes.auto_attendant = None;
        Command::NewDialPlan {
            name: plan.name.clone(),
            digits: plan.digits,
            uri_type: plan.uri_type,
            generate_policy: false,
            changes: Box::new(changes),
        }
    });
    plans.collect()
}

pub(super) fn later_commands(configuration: &Configuration) -> Vec<Command> {
    let with = configuration.dial_plans.iter().filter(|plan| plan.auto_attendant.is_some());
    let set = with.map(|plan| {
        let changes =
            DialPlanChanges { auto_attendant: Some(plan.auto_attendant.clone()), ..DialPlanChanges::default() };
        Command::SetDialPlan { identity: plan.name.clone(), changes: Box::new(changes) }
    });
    set.collect()
}

/// Makes a plan, and its default policy if asked to.
pub(super) fn new(
    configuration: &mut Configuration,
    (name, digits, uri_type): (String, u32, UriType),
    generate_policy: bool,
    changes: DialPlanChanges,
) -> Outcome {
    configuration.dial_plans.check_new(&name)?;
    if name.chars().count() > 49 {
        // The derived policy's name must fit too.
        return Err(CommandError::bad("Name", "write at most 49 characters"));
    }
    Range(1, 20).check(&digits).map_err(|mend| CommandError::bad("NumberOfDigitsInExtension", mend))?;
    let policy = MailboxPolicy {
        name: format!("{name} Default Policy"),
        dial_plan: name.clone(),
        settings: PolicySettings::default(),
    };
    if generate_policy {
        configuration.policies.check_new(&policy.name)?;
    }
    let mut plan = DialPlan { name, digits, uri_type, settings: DialPlanSettings::default() };
    plan.settings.apply(changes)?;
    plan.check(configuration)?;
    let mut stored = Vec::new();
    configuration.dial_plans.put(plan.clone(), &mut stored);
    if generate_policy {
        configuration.policies.put(policy, &mut stored);
    }
    Ok((Answer::DialPlans(vec![plan]), stored))
}

pub(super) fn set(configuration: &mut Configuration, identity: &str, changes: DialPlanChanges) -> Outcome {
    let mut plan = DialPlan::clone(configuration.dial_plans.require("Identity", identity)?);
    plan.settings.apply(changes)?;
    plan.check(configuration)?;
    let mut stored = Vec::new();
    configuration.dial_plans.put(plan, &mut stored);
    Ok((Answer::Done(()), stored))
}

pub(super) fn remove(configuration: &mut Configuration, identity: &str) -> Outcome {
    let plan = configuration.dial_plans.require("Identity", identity)?.clone();
    let of_plan = |name: &str| name.eq_ignore_ascii_case(&plan.name);
    let trusting = |plans: &[String], user: &str| plans.iter().any(|name| of_plan(name)).then(|| user.to_owned());
    let policies = configuration.policies.iter().filter(|policy| of_plan(&policy.dial_plan));
    let groups = configuration.hunt_groups.iter().filter(|group| of_plan(&group.dial_plan));
    let attendants = configuration.attendants.iter().filter(|attendant| of_plan(&attendant.dial_plan));
    let users: Vec<String> = policies
        .map(|policy| format!("UMMailboxPolicy {:?}", policy.name))
        .chain(groups.map(|group| format!("UMHuntGroup {:?}", group.name)))
        .chain(attendants.map(|attendant| format!("UMAutoAttendant {:?}", attendant.name)))
        .chain(trusting(&configuration.service.dial_plans, "UMService"))
        .chain(trusting(&configuration.router.dial_plans, "UMCallRouterSettings"))
        .collect();
    in_use(NOUN, &plan.name, users)?;
    let mut stored = Vec::new();
    super::prompt::remove_of(configuration, super::prompt::Owner::DialPlan, &plan.name, &mut stored);
    configuration.dial_plans.remove(&plan.name, &mut stored);
    Ok((Answer::Done(()), stored))
}

impl DialPlan {
    /// What no single parameter can be checked for.
    fn check(&self, configuration: &Configuration) -> Result<(), CommandError> {
        if self.country_or_region_code.is_none() {
            return Err(CommandError::bad("CountryOrRegionCode", "write 1 to 4 digits: a dial plan has one"));
        }
        if self.max_recording_duration >= self.max_call_duration {
            return Err(CommandError::bad("MaxRecordingDuration", "write less than MaxCallDuration"));
        }
        if self.dial_by_name_primary == DialByName::None {
            return Err(CommandError::bad("DialByNamePrimary", "write LastFirst, FirstLast or SMTPAddress"));
        }
        if self.dial_by_name_primary == self.dial_by_name_secondary {
            return Err(CommandError::bad("DialByNameSecondary", "write another one than DialByNamePrimary"));
        }
        if let Some(attendant) = &self.auto_attendant {
            let attendant = configuration.attendants.require("UMAutoAttendant", attendant)?;
            if !attendant.dial_plan.eq_ignore_ascii_case(&self.name) {
                return Err(CommandError::bad("UMAutoAttendant", "write an attendant of this plan"));
            }
        }
        self.check_groups(&self.allowed_in_country_or_region_groups, &self.allowed_international_groups)?;
        // Groups that are taken away must not be allowed anywhere.
        let of_plan = |plan: &str| plan.eq_ignore_ascii_case(&self.name);
        for policy in configuration.policies.iter().filter(|policy| of_plan(&policy.dial_plan)) {
            self.check_groups(&policy.allowed_in_country_or_region_groups, &policy.allowed_international_groups)
                .map_err(|_| still_allowed(&self.name, "UMMailboxPolicy", &policy.name))?;
        }
        for attendant in configuration.attendants.iter().filter(|attendant| of_plan(&attendant.dial_plan)) {
            self.check_groups(&attendant.allowed_in_country_or_region_groups, &attendant.allowed_international_groups)
                .map_err(|_| still_allowed(&self.name, "UMAutoAttendant", &attendant.name))?;
        }
        Ok(())
    }

    /// Whether these dialling rule groups are ones that the plan has.
    pub(super) fn check_groups(&self, national: &[String], international: &[String]) -> Result<(), CommandError> {
        let kinds = [
            ("AllowedInCountryOrRegionGroups", national, &self.configured_in_country_or_region_groups),
            ("AllowedInternationalGroups", international, &self.configured_international_groups),
        ];
        for (parameter, allowed, configured) in kinds {
            let has = |group: &String| configured.iter().any(|rule| group_of(rule).eq_ignore_ascii_case(group));
            if let Some(missing) = allowed.iter().find(|group| !has(group)) {
                let mend = format!("dial plan {:?} has no group {missing:?} of dialling rules", self.name);
                return Err(CommandError::bad(parameter, mend));
            }
        }
        Ok(())
    }

    /// A number without what stands before it in this country: `+46 8 123`, `0046 8 123` and `08 123` are the same.
    pub(crate) fn national(&self, number: &str) -> String {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let long = match number.trim_start().starts_with('+') {
            true => Some(digits.as_str()),
            false => digits.strip_prefix(self.international_access_code.as_deref().unwrap_or("00")),
        };
        let country = self.country_or_region_code.as_deref().unwrap_or_default();
        let bare = match long {
            // Another country's stays long.
            Some(long) => long.strip_prefix(country).unwrap_or(long),
            None => digits.strip_prefix(self.national_number_prefix.as_deref().unwrap_or("0")).unwrap_or(&digits),
        };
        bare.to_owned()
    }

    /// An extension out of a number as the PBX sends it: the number itself when it has the plan's length, else what a
    /// mask of NumberingPlanFormats takes out of it.
    pub fn extension_of(&self, number: &str) -> Option<String> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let length = usize::try_from(self.digits).unwrap_or(usize::MAX);
        if !number.starts_with('+') && digits.len() == length && digits.len() == number.len() {
            return Some(digits);
        }
        self.numbering_plan_formats.iter().find_map(|mask| masked(mask, number).filter(|found| found.len() == length))
    }
}

fn still_allowed(plan: &str, noun: &str, name: &str) -> CommandError {
    CommandError::InUse {
        parameter: "Identity".into(),
        kind: "a group of dialling rules of".into(),
        identity: plan.into(),
        user: format!("{noun} {name:?}"),
    }
}

/// The digits at the `x` of a mask, when all else is alike.
fn masked(mask: &str, number: &str) -> Option<String> {
    if mask.chars().count() != number.chars().count() {
        return None;
    }
    let mut found = String::new();
    for (wanted, digit) in mask.chars().zip(number.chars()) {
        match wanted {
            'x' | 'X' if digit.is_ascii_digit() => found.push(digit),
            same if same == digit => {}
            _ => return None,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_the_number_of_the_plans_length_or_what_a_mask_takes_out() {
        let mut plan =
            DialPlan { name: "p".into(), digits: 5, uri_type: UriType::TelExtn, settings: DialPlanSettings::default() };
        assert_eq!(plan.extension_of("27000"), Some("27000".into()));
        assert_eq!(plan.extension_of("2700"), None);
        assert_eq!(plan.extension_of("+46455327000"), None);
        plan.settings.numbering_plan_formats = vec!["+464553xxxxx".into()];
        assert_eq!(plan.extension_of("+46455327000"), Some("27000".into()));
        assert_eq!(plan.extension_of("anna"), None);
    }
}
