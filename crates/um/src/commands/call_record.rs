//! Call records: one for each call, written when it ends (fact sheet 6.4), and what is asked of them.

use super::table::{self, Cmdlet, Parameter};
use super::value::choices;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

choices! {
    /// What a report counts together.
    GroupBy { Day, Month, Total }
}
choices! {
    /// What a call was.
    CallType { CallAnsweringVoiceMessage, CallAnsweringMissedCall, SubscriberAccess, AutoAttendant, FindMe, PlayOnPhone, Fax, None }
}
choices! {
    /// What became of a call when it came.
    OfferResult { Answer, Failed, Rejected, Redirected, None }
}
choices! {
    /// Why the caller came here.
    ReasonForCall { Direct, DivertForward, DivertBusy, DivertNoAnswer, Outbound, None }
}

/// A call that is over. Its fields are those of Exchange's, as far as they are known here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallRecord {
    /// In milliseconds since 1970.
    pub started_ms: u64,
    pub call_type: CallType,
    /// The SIP Call-ID.
    pub call_identity: String,
    #[serde(rename = "UMServerName")]
    pub server: String,
    pub dial_plan_name: String,
    /// In seconds.
    pub call_duration: u64,
    #[serde(rename = "IPGatewayAddress")]
    pub gateway_address: String,
    #[serde(rename = "IPGatewayName")]
    pub gateway: String,
    pub called_phone_number: String,
    pub caller_phone_number: String,
    pub offer_result: OfferResult,
    pub drop_call_reason: String,
    pub reason_for_call: ReasonForCall,
    pub dialed_string: String,
    /// Names of mailboxes.
    pub caller_mailbox: Option<String>,
    pub callee_mailbox: Option<String>,
    pub auto_attendant_name: Option<String>,
    pub audio_codec: String,
}

impl CallRecord {
    /// The day in UTC, as `2026-11-22`.
    pub fn day(&self) -> String {
        let format = format_description!("[year]-[month]-[day]");
        at(self.started_ms).format(&format).unwrap_or_default()
    }

    /// The beginning in UTC, as `2026-11-22 19:30:00Z`.
    pub fn started(&self) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
        at(self.started_ms).format(&format).unwrap_or_default()
    }

    /// Names and values, in the order of Exchange's columns; the measures of audio quality are not taken.
    pub fn columns(&self) -> Vec<(&'static str, String)> {
        use super::value::Value as _;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("CallStartTime", self.started()),
            ("CallType", self.call_type.show()),
            ("CallIdentity", self.call_identity.clone()),
            ("ParentCallIdentity", String::new()),
            ("UMServerName", self.server.clone()),
            ("DialPlanName", self.dial_plan_name.clone()),
            ("CallDuration", self.call_duration.to_string()),
            ("IPGatewayAddress", self.gateway_address.clone()),
            ("IPGatewayName", self.gateway.clone()),
            ("CalledPhoneNumber", self.called_phone_number.clone()),
            ("CallerPhoneNumber", self.caller_phone_number.clone()),
            ("OfferResult", self.offer_result.show()),
            ("DropCallReason", self.drop_call_reason.clone()),
            ("ReasonForCall", self.reason_for_call.show()),
            ("DialedString", self.dialed_string.clone()),
            ("CallerMailboxAlias", text(&self.caller_mailbox)),
            ("CalleeMailboxAlias", text(&self.callee_mailbox)),
            ("AutoAttendantName", text(&self.auto_attendant_name)),
            ("AudioCodec", self.audio_codec.clone()),
        ]
    }
}

fn at(unix_ms: u64) -> OffsetDateTime {
    let ms = i128::from(unix_ms).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(ms).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Records as CSV (RFC 4180), with a line of names. What a caller has chosen cannot become a formula or another column.
pub(crate) fn csv(records: &[CallRecord]) -> String {
    let field = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        // A spreadsheet would carry out what begins so.
        let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    };
    let names = records.first().map(CallRecord::columns).unwrap_or_else(|| CallRecord::nothing().columns());
    let mut text = names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    text.push('\n');
    for record in records {
        let fields: Vec<String> = record.columns().iter().map(|(_, value)| field(value)).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

impl CallRecord {
    /// For its column names.
    pub(crate) fn nothing() -> CallRecord {
        CallRecord {
            started_ms: 0,
            call_type: CallType::None,
            call_identity: String::new(),
            server: String::new(),
            dial_plan_name: String::new(),
            call_duration: 0,
            gateway_address: String::new(),
            gateway: String::new(),
            called_phone_number: String::new(),
            caller_phone_number: String::new(),
            offer_result: OfferResult::None,
            drop_call_reason: String::new(),
            reason_for_call: ReasonForCall::None,
            dialed_string: String::new(),
            caller_mailbox: None,
            callee_mailbox: None,
            auto_attendant_name: None,
            audio_codec: String::new(),
        }
    }
}

/// A line of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReportRow {
    /// `2026-11-22`, `2026-11`, or `Total`.
    pub date: String,
    #[serde(flatten)]
    pub tally: Tally,
}

/// Calls by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tally {
    pub total_calls: u64,
    pub voice_message: u64,
    pub missed_call: u64,
    pub outlook_voice_access: u64,
    pub outgoing: u64,
    pub automated_attendant: u64,
    pub fax: u64,
    pub other: u64,
    pub failed_or_rejected: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, record: &CallRecord) {
        self.total_calls += 1;
        let kind = match (record.offer_result, record.call_type) {
            (OfferResult::Failed | OfferResult::Rejected, _) => &mut self.failed_or_rejected,
            (_, CallType::CallAnsweringVoiceMessage) => &mut self.voice_message,
            (_, CallType::CallAnsweringMissedCall) => &mut self.missed_call,
            (_, CallType::SubscriberAccess) => &mut self.outlook_voice_access,
            (_, CallType::AutoAttendant) => &mut self.automated_attendant,
            (_, CallType::FindMe | CallType::PlayOnPhone) => &mut self.outgoing,
            (_, CallType::Fax) => &mut self.fax,
            (_, CallType::None) => &mut self.other,
        };
        *kind += 1;
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.total_calls += other.total_calls;
        self.voice_message += other.voice_message;
        self.missed_call += other.missed_call;
        self.outlook_voice_access += other.outlook_voice_access;
        self.outgoing += other.outgoing;
        self.automated_attendant += other.automated_attendant;
        self.fax += other.fax;
        self.other += other.other;
        self.failed_or_rejected += other.failed_or_rejected;
    }

    pub(crate) fn columns(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TotalCalls", self.total_calls.to_string()),
            ("VoiceMessage", self.voice_message.to_string()),
            ("MissedCall", self.missed_call.to_string()),
            ("OutlookVoiceAccess", self.outlook_voice_access.to_string()),
            ("Outgoing", self.outgoing.to_string()),
            ("AutomatedAttendant", self.automated_attendant.to_string()),
            ("Fax", self.fax.to_string()),
            ("Other", self.other.to_string()),
            ("FailedOrRejected", self.failed_or_rejected.to_string()),
        ]
    }
}

/// Records that Get-UMCallDataRecord shows unless -Most says otherwise.
pub(crate) const SHOWN: u32 = 1000;

pub(super) fn cmdlets() -> Vec<Cmdlet> {
    const NOTE: &str = "A record is written when a call ends, and kept for 90 days; days that are gone stay in the reports for a year.";
    let most = Parameter::of::<u32>("Most", "How many at most, the newest first.").written("a number, 1 to 100000");
    let filter =
        || vec![table::dial_plan("Only calls of this dial plan."), table::gateway("Only calls of this gateway.")];
    let date = Parameter::of::<String>("Date", "Which day, in UTC.").written("a day as 2026-11-22").needed();
    let group = Parameter::of::<GroupBy>("GroupBy", "What is counted together: 90 days, 12 months, or all.");
    let get = vec![table::who("Mailbox", "Only calls of this user, to and from; none: all."), most.by_default("1000")];
    vec![
        Cmdlet::new("Get-UMCallDataRecord", "Shows calls that are over.", get).note(NOTE),
        Cmdlet::new("Export-UMCallDataRecord", "Prints the calls of a day as CSV.", vec![date])
            .and(filter())
            .note(NOTE),
        Cmdlet::new("Get-UMCallSummaryReport", "Counts the calls that are over.", vec![group.needed()])
            .and(filter())
            .note(NOTE),
    ]
}
