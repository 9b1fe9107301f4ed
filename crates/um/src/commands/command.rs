//! Everything that can be asked of a UM server, each written down once: its name as a cmdlet, and its parameters.

use super::auto_attendant::AttendantChanges;
use super::call_answering_rule::RuleChanges;
use super::call_record::GroupBy;
use super::dial_plan::{DialPlanChanges, UriType};
use super::distribution_group::GroupChanges;
use super::ip_gateway::GatewayChanges;
use super::mailbox::{MailboxChanges, UmMailboxChanges};
use super::mailbox_policy::PolicyChanges;
use super::pin::PinMail;
use super::service::{RouterChanges, ServiceChanges};
use super::table::{check_fields, fields, parse};
use super::value::ListChange;
use super::{CommandError, Door, Given, Parameter};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

macro_rules! commands {
    ($($(#[$about:meta])* $cmdlet:literal $variant:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {
        /// Everything that can be asked of a UM server. `identity` is an object's name, in any case; a mailbox's is also
        /// its alias, mail address or extension.
        #[derive(Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "Cmdlet", remote = "Self")]
        pub enum Command {
            $($(#[$about])*
            #[serde(rename = $cmdlet, rename_all = "PascalCase")]
            $variant { $($(#[$attribute])* $field: $type,)* },)*
        }

        impl Command {
            /// The cmdlet's name; of VerifyPin its own.
            pub fn cmdlet(&self) -> &'static str {
                match self {
                    $(Command::$variant { .. } => $cmdlet,)*
                }
            }

            /// Every name that [`Command::cmdlet`] can give.
            #[cfg(test)]
            pub(crate) const NAMES: &[&str] = &[$($cmdlet),*];
        }
    };
}

commands! {
    "New-UMDialPlan" NewDialPlan {
        name: String,
        #[serde(rename = "NumberOfDigitsInExtension")]
        digits: u32,
        #[serde(rename = "URIType", default = "tel_extn")]
        uri_type: UriType,
        #[serde(rename = "GenerateUMMailboxPolicy", default = "yes")]
        generate_policy: bool,
        #[serde(flatten)]
        changes: Box<DialPlanChanges>,
    }
    "Get-UMDialPlan" GetDialPlan { identity: Option<String>, }
    "Set-UMDialPlan" SetDialPlan {
        identity: String,
        #[serde(flatten)]
        changes: Box<DialPlanChanges>,
    }
    "Remove-UMDialPlan" RemoveDialPlan { identity: String, }

    "New-UMIPGateway" NewGateway {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(flatten)]
        changes: Box<GatewayChanges>,
    }
    "Get-UMIPGateway" GetGateway { identity: Option<String>, }
    "Set-UMIPGateway" SetGateway {
        identity: String,
        #[serde(flatten)]
        changes: Box<GatewayChanges>,
    }
    "Enable-UMIPGateway" EnableGateway { identity: String, }
    /// `immediate`: its calls are cut off; else they go on, and only new ones are refused.
    "Disable-UMIPGateway" DisableGateway {
        identity: String,
        #[serde(default)]
        immediate: bool,
    }
    "Remove-UMIPGateway" RemoveGateway { identity: String, }

    "New-UMHuntGroup" NewHuntGroup {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(rename = "UMIPGateway")]
        gateway: String,
        #[serde(rename = "PilotIdentifier")]
        pilot: Option<String>,
    }
    "Get-UMHuntGroup" GetHuntGroup {
        identity: Option<String>,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
    }
    /// Exchange has none (delete and recreate); here the pilot can be changed.
    "Set-UMHuntGroup" SetHuntGroup {
        identity: String,
        #[serde(rename = "PilotIdentifier")]
        pilot: String,
    }
    "Remove-UMHuntGroup" RemoveHuntGroup { identity: String, }

    "New-UMMailboxPolicy" NewPolicy {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(flatten)]
        changes: Box<PolicyChanges>,
    }
    "Get-UMMailboxPolicy" GetPolicy {
        identity: Option<String>,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
    }
    "Set-UMMailboxPolicy" SetPolicy {
        identity: String,
        #[serde(flatten)]
        changes: Box<PolicyChanges>,
    }
    "Remove-UMMailboxPolicy" RemovePolicy { identity: String, }

    "New-UMAutoAttendant" NewAutoAttendant {
        name: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: String,
        #[serde(flatten)]
        changes: Box<AttendantChanges>,
    }
    "Get-UMAutoAttendant" GetAutoAttendant {
        identity: Option<String>,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
    }
    "Set-UMAutoAttendant" SetAutoAttendant {
        identity: String,
        #[serde(flatten)]
        changes: Box<AttendantChanges>,
    }
    "Enable-UMAutoAttendant" EnableAutoAttendant { identity: String, }
    "Disable-UMAutoAttendant" DisableAutoAttendant { identity: String, }
    "Remove-UMAutoAttendant" RemoveAutoAttendant { identity: String, }

    /// `identity` is this server, whatever it is.
    "Get-UMService" GetService { identity: Option<String>, }
    "Set-UMService" SetService {
        identity: Option<String>,
        #[serde(flatten)]
        changes: Box<ServiceChanges>,
    }
    "Enable-UMService" EnableService { identity: Option<String>, }
    /// `immediate`: calls in progress are cut off.
    "Disable-UMService" DisableService {
        identity: Option<String>,
        #[serde(default)]
        immediate: bool,
    }
    "Get-UMCallRouterSettings" GetRouter { server: Option<String>, }
    "Set-UMCallRouterSettings" SetRouter {
        server: Option<String>,
        #[serde(flatten)]
        changes: Box<RouterChanges>,
    }

    "New-Mailbox" NewMailbox {
        name: String,
        /// What the mailbox store calls it. None: its first extension, when it is enabled.
        store_name: Option<String>,
        #[serde(flatten)]
        changes: Box<MailboxChanges>,
    }
    "Get-Mailbox" GetUser { identity: Option<String>, }
    "Set-Mailbox" SetUser {
        identity: String,
        #[serde(flatten)]
        changes: Box<MailboxChanges>,
    }
    /// Its messages go with it.
    "Remove-Mailbox" RemoveUser { identity: String, }

    "Enable-UMMailbox" EnableMailbox {
        identity: String,
        #[serde(rename = "UMMailboxPolicy")]
        policy: String,
        /// None: the mailbox's telephone number, if it has the plan's length.
        extensions: Option<ListChange>,
        /// None: six digits are made up, shown once, and count as expired.
        #[serde(rename = "PIN")]
        pin: Option<String>,
        /// None: only a made-up PIN counts as expired.
        #[serde(rename = "PINExpired")]
        pin_expired: Option<bool>,
        #[serde(flatten)]
        restored: RestoredPin,
        /// As exported: the first call to voice access asks for name and greeting.
        set_up_due: Option<bool>,
        #[serde(default)]
        validate_only: bool,
        #[serde(flatten)]
        mail: PinMail,
    }
    /// Without `keep_properties`, settings, call answering rules and the PIN are forgotten. Messages stay.
    "Disable-UMMailbox" DisableMailbox {
        identity: String,
        #[serde(default = "yes")]
        keep_properties: bool,
    }
    /// All enabled mailboxes when no identity is given.
    "Get-UMMailbox" GetMailbox { identity: Option<String>, }
    "Set-UMMailbox" SetMailbox {
        identity: String,
        #[serde(rename = "UMMailboxPolicy")]
        policy: Option<String>,
        extensions: Option<ListChange>,
        #[serde(flatten)]
        changes: Box<UmMailboxChanges>,
    }
    "Get-UMMailboxPIN" GetPin { identity: String, }
    "Set-UMMailboxPIN" SetPin {
        identity: String,
        /// None: with none of the others given, six digits are made up.
        pin: Option<String>,
        #[serde(rename = "PINExpired")]
        pin_expired: Option<bool>,
        /// false unlocks.
        locked_out: Option<bool>,
        #[serde(flatten)]
        restored: RestoredPin,
        #[serde(flatten)]
        mail: PinMail,
    }

    "New-DistributionGroup" NewGroup {
        name: String,
        members: Option<ListChange>,
        #[serde(flatten)]
        changes: Box<GroupChanges>,
    }
    "Get-DistributionGroup" GetGroup { identity: Option<String>, }
    "Set-DistributionGroup" SetGroup {
        identity: String,
        #[serde(flatten)]
        changes: Box<GroupChanges>,
    }
    "Remove-DistributionGroup" RemoveGroup { identity: String, }
    "Add-DistributionGroupMember" AddGroupMember { identity: String, member: String, }
    "Get-DistributionGroupMember" GetGroupMembers { identity: String, }
    "Remove-DistributionGroupMember" RemoveGroupMember { identity: String, member: String, }
    "Update-DistributionGroupMember" UpdateGroupMembers { identity: String, members: ListChange, }

    "New-UMCallAnsweringRule" NewRule {
        name: String,
        mailbox: String,
        #[serde(flatten)]
        changes: Box<RuleChanges>,
    }
    "Get-UMCallAnsweringRule" GetRule { identity: Option<String>, mailbox: Option<String>, }
    "Set-UMCallAnsweringRule" SetRule {
        identity: String,
        mailbox: String,
        #[serde(flatten)]
        changes: Box<RuleChanges>,
    }
    "Enable-UMCallAnsweringRule" EnableRule { identity: String, mailbox: String, }
    "Disable-UMCallAnsweringRule" DisableRule { identity: String, mailbox: String, }
    "Remove-UMCallAnsweringRule" RemoveRule { identity: String, mailbox: String, }

    "Import-UMPrompt" ImportPrompt {
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMAutoAttendant")]
        attendant: Option<String>,
        prompt_file_name: String,
        /// The WAV file in base64.
        prompt_file_data: String,
    }
    "Export-UMPrompt" ExportPrompt {
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMAutoAttendant")]
        attendant: Option<String>,
        prompt_file_name: String,
    }
    "Start-UMPromptRecording" StartPromptRecording {
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMAutoAttendant")]
        attendant: Option<String>,
        prompt_file_name: String,
        number: String,
    }
    "Get-UMPrompt" GetPrompt {
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMAutoAttendant")]
        attendant: Option<String>,
    }
    "Remove-UMPrompt" RemovePrompt {
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMAutoAttendant")]
        attendant: Option<String>,
        prompt_file_name: String,
    }

    "Get-UMActiveCalls" GetActiveCalls {
        server: Option<String>,
        instance_server: Option<String>,
        dial_plan: Option<String>,
        #[serde(rename = "IPGateway")]
        gateway: Option<String>,
    }
    /// `mailbox`: calls from it or to it; none: all calls.
    "Get-UMCallDataRecord" GetCallRecords { mailbox: Option<String>, most: Option<u32>, }
    /// As CSV.
    "Export-UMCallDataRecord" ExportCallRecords {
        date: String,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMIPGateway")]
        gateway: Option<String>,
    }
    "Get-UMCallSummaryReport" GetCallReport {
        group_by: GroupBy,
        #[serde(rename = "UMDialPlan")]
        dial_plan: Option<String>,
        #[serde(rename = "UMIPGateway")]
        gateway: Option<String>,
    }
    "Test-UMConnectivity" TestConnectivity {
        #[serde(rename = "UMIPGateway")]
        gateway: Option<String>,
        phone: Option<String>,
        #[serde(default)]
        call_router: bool,
        timeout: Option<u32>,
    }
    "Start-UMPlayOnPhone" StartPlayOnPhone {
        identity: String,
        number: String,
        message: Option<String>,
        greeting: Option<super::play_on_phone::PhoneGreeting>,
    }
    "Get-UMPlayOnPhone" GetPlayOnPhone { identity: String, }
    "Stop-UMPlayOnPhone" StopPlayOnPhone { identity: String, }
    "Export-UMConfiguration" ExportConfiguration {}

    /// A logon at a door other than the phone. Wrong PINs count as those of the phone do. Not a cmdlet.
    "VerifyPin" VerifyPin { identity: String, pin: String, door: Door, }
}

/// A PIN as it was exported: never itself, only what is remembered of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoredPin {
    /// Hashes, the present PIN's first, then the history.
    #[serde(rename = "PINHash", skip_serializing_if = "Option::is_none")]
    pub hashes: Option<ListChange>,
    /// When it was set, in milliseconds since 1970.
    #[serde(rename = "PINSetAt", skip_serializing_if = "Option::is_none")]
    pub set_at: Option<String>,
    #[serde(rename = "LogonFailures", skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32>,
}

fn tel_extn() -> UriType {
    UriType::TelExtn
}

fn yes() -> bool {
    true
}

impl Command {
    /// A cmdlet's name and its parameters as written become a command. A value without a name has the name "".
    ///
    /// # Errors
    /// No such cmdlet or parameter, a value of the wrong type, something missing.
    pub fn parse(cmdlet: &str, parameters: Vec<(String, Given)>) -> Result<Command, CommandError> {
        parse(cmdlet, parameters)
    }

    /// The other way: the parameters of its cmdlet with their values as JSON, in the table's order.
    pub fn parameters(&self) -> Vec<(&'static Parameter, Json)> {
        fields(self)
    }

    /// Whether it changes the configuration (and so is recorded).
    pub fn changes(&self) -> bool {
        let verb = self.cmdlet().split('-').next().unwrap_or_default();
        !matches!(verb, "Get" | "Export" | "Test" | "VerifyPin")
    }

    pub(super) fn from_fields(json: Json) -> Result<Command, serde_json::Error> {
        // The derived reader, which `remote` has put beside the trait's.
        Command::deserialize(json)
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Command, D::Error> {
        let json = Json::deserialize(deserializer)?;
        check_fields(&json).map_err(D::Error::custom)?;
        Command::from_fields(json).map_err(D::Error::custom)
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As above: the derived writer.
        Command::serialize(self, serializer)
    }
}

/// Without the PIN: commands are logged.
impl std::fmt::Debug for Command {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.cmdlet())
    }
}
