//! What is written down of each call when it ends.

use super::Server;
use crate::commands::call_record::{CallRecord, CallType, OfferResult, SHOWN};
use crate::commands::{Command, CommandError, Reply};
use crate::records::{Filter, Question, is_day};
use crate::router::dialled;
use crate::worker::call::{Call, Kind};
use crate::worker::identity;
use event::Now;
use mailbox::MessageId;
use sip::Request;
use sip::flow::Flow;
use std::collections::VecDeque;

/// Calls whose message may still turn out to be silence.
const MOST_UNCERTAIN: usize = 1000;
/// What Get-UMCallDataRecord gives at most.
const MOST_SHOWN: u32 = 100_000;

/// Records of calls that left a message which is not yet delivered, oldest first.
pub(crate) type Uncertain = VecDeque<(MessageId, CallRecord)>;

impl Server {
    /// The call is over. `message` is on its way to the mailbox.
    pub(crate) fn record_call(&mut self, call: &Call, message: Option<MessageId>, cause: &str, now: Now) {
        let call_type = match call.kind {
            _ if call.fax => CallType::Fax,
            Kind::CallAnswering if message.is_some() || call.left_message => CallType::CallAnsweringVoiceMessage,
            Kind::CallAnswering => CallType::CallAnsweringMissedCall,
            Kind::SubscriberAccess => CallType::SubscriberAccess,
            Kind::AutoAttendant => CallType::AutoAttendant,
            Kind::FindMe => CallType::FindMe,
            Kind::PlayOnPhone => CallType::PlayOnPhone,
            // The caller's own record has it.
            Kind::Transfer => CallType::None,
        };
        let callee = call.mailbox.as_ref().and_then(|id| self.configuration.by_mailbox_id(id));
        let record = CallRecord {
            started_ms: call.started.unix_ms(),
            call_type,
            call_identity: call.call_id.clone(),
            server: self.name.clone(),
            dial_plan_name: call.plan.name.clone(),
            call_duration: now.instant.saturating_duration_since(call.started.instant).as_secs(),
            gateway_address: call.gateway.address.clone(),
            gateway: call.gateway.name.clone(),
            called_phone_number: callee
                .and_then(|callee| callee.primary_extension())
                .map_or_else(|| call.pilot.clone(), str::to_owned),
            caller_phone_number: call.caller.number.clone().unwrap_or_default(),
            offer_result: if cause == "not-answered" { OfferResult::Failed } else { OfferResult::Answer },
            drop_call_reason: cause.to_owned(),
            reason_for_call: call.reason,
            dialed_string: call.pilot.clone(),
            caller_mailbox: call.caller.user.as_ref().map(|user| user.name.clone()),
            callee_mailbox: callee.map(|callee| callee.name.clone()),
            auto_attendant_name: call.attendant.clone(),
            audio_codec: call.codec.to_owned(),
        };
        if let Some(message) = message {
            if self.uncertain.len() >= MOST_UNCERTAIN {
                self.uncertain.pop_front();
            }
            self.uncertain.push_back((message, record.clone()));
        }
        self.records.write(record);
    }

    /// A gateway's call that was not taken. Strangers' calls are events only: they could fill the disk.
    pub(crate) fn record_refusal(&mut self, request: &Request, flow: &Flow, reason: &str, now: Now) {
        let Some(gateway) = self.gateway_at(flow.remote.ip()) else { return };
        let called = dialled(request);
        self.records.write(CallRecord {
            started_ms: now.unix_ms(),
            call_identity: request.call_id().map(String::from).unwrap_or_default(),
            server: self.name.clone(),
            gateway_address: gateway.address.clone(),
            gateway: gateway.name.clone(),
            called_phone_number: called.clone(),
            caller_phone_number: identity::number(request).unwrap_or_default(),
            offer_result: OfferResult::Rejected,
            drop_call_reason: reason.to_owned(),
            reason_for_call: identity::reason(request),
            dialed_string: called,
            ..CallRecord::nothing()
        });
    }

    /// A message turned out to be silence: the call was a missed one.
    pub(super) fn record_missed(&mut self, message: MessageId) {
        let place = self.uncertain.iter().position(|(of, _)| *of == message);
        if let Some((_, record)) = place.and_then(|place| self.uncertain.remove(place)) {
            self.records.write(CallRecord { call_type: CallType::CallAnsweringMissedCall, ..record });
        }
    }

    /// Get-UMCallDataRecord and its like: the records' own thread answers.
    pub(super) fn ask_records(&mut self, command: Command, reply: Reply) {
        match self.question(command) {
            Ok(question) => self.records.ask(question, reply),
            Err(error) => reply(Err(error)),
        }
    }

    fn question(&self, command: Command) -> Result<Question, CommandError> {
        // A filter may name what has been removed since, so names are not looked up.
        match command {
            Command::GetCallRecords { mailbox, most } => {
                let most = most.unwrap_or(SHOWN);
                if !(1..=MOST_SHOWN).contains(&most) {
                    return Err(CommandError::bad("Most", format!("write a number from 1 to {MOST_SHOWN}")));
                }
                let mailbox = mailbox.map(|identity| match self.configuration.find_mailbox(&identity) {
                    Some(mailbox) => Ok(mailbox.name.clone()),
                    None => {
                        Err(CommandError::NotFound { parameter: "Mailbox".into(), kind: "Mailbox".into(), identity })
                    }
                });
                Ok(Question::Calls { mailbox: mailbox.transpose()?, most: usize::try_from(most).unwrap_or(usize::MAX) })
            }
            Command::ExportCallRecords { date, dial_plan, gateway } if is_day(&date) => {
                Ok(Question::Csv { day: date, filter: Filter { dial_plan, gateway } })
            }
            Command::GetCallReport { group_by, dial_plan, gateway } => {
                Ok(Question::Report { group_by, filter: Filter { dial_plan, gateway } })
            }
            _ => Err(CommandError::bad("Date", "write a day as 2026-11-22")),
        }
    }
}
