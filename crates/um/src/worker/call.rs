//! A call at the UM server. It owns the SIP leg, the media session and the recording; the dialogue only asks.

use super::identity::CallerId;
use super::outcall::Outcall;
use crate::commands::CallView;
use crate::commands::call_record::ReasonForCall;
use crate::commands::dial_plan::DialPlan;
use crate::commands::ip_gateway::Gateway;
use crate::dialogue::{Dialogue, Draft, RequestId};
use event::Now;
use mailbox::{MailboxId, MessageId};
use media::{PlayId, RecordingId, SessionId, Tape};
use sip::endpoint::{CallRef, ClientRef};
use speech::recognition::Grammar;
use speech::{Clock, Language};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CallAnswering,
    SubscriberAccess,
    AutoAttendant,
    /// Somebody is rung for a caller, and asked.
    FindMe,
    /// Somebody is rung for a caller, in place of a REFER.
    Transfer,
    PlayOnPhone,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::CallAnswering => "call-answering",
            Kind::SubscriberAccess => "subscriber-access",
            Kind::AutoAttendant => "auto-attendant",
            Kind::FindMe => "find-me",
            Kind::Transfer => "transfer",
            Kind::PlayOnPhone => "play-on-phone",
        }
    }
}

/// A transfer that is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) request: RequestId,
    pub(crate) refer: ClientRef,
    /// The peer has taken the REFER.
    pub(crate) taken: bool,
    pub(crate) until: Instant,
}

/// A recording of the message that is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recording {
    pub(crate) request: RequestId,
    pub(crate) id: RecordingId,
}

pub(crate) struct Call {
    /// The number that events know it by.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    /// Which part of the server has the leg.
    pub(crate) hop: usize,
    pub(crate) leg: CallRef,
    pub(crate) call_id: String,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) plan: Arc<DialPlan>,
    pub(crate) pilot: String,
    /// The own extension that the caller had dialled.
    pub(crate) diverted: Option<String>,
    /// Of an auto attendant's call, its name.
    pub(crate) attendant: Option<String>,
    /// Why the caller came here, as the PBX says.
    pub(crate) reason: ReasonForCall,
    /// What is spoken in, for the call's record.
    pub(crate) codec: &'static str,
    pub(crate) caller: CallerId,
    /// Who calls by this user's contacts (fact sheet 3.4, step 5): nobody else's business.
    pub(crate) known_as: Option<(MailboxId, String)>,
    /// What the dialogue speaks.
    pub(crate) language: Language,
    /// How times are told to whoever logged on.
    pub(crate) clock: Option<Clock>,
    /// Whose mailbox, for call answering.
    pub(crate) mailbox: Option<MailboxId>,
    pub(crate) session: SessionId,
    pub(crate) local: sdp::Local,
    /// The keys that its media is encrypted with.
    pub(crate) agreed: Option<sdp::Agreed>,
    /// Our last description, which later ones follow.
    pub(crate) description: Option<sdp::Session>,
    /// We offered, and the answer has not come.
    pub(crate) offering: bool,
    /// Ready to start when the caller's ACK is there.
    pub(crate) waiting: Option<Dialogue>,
    pub(crate) dialogue: Option<Dialogue>,
    pub(crate) play: Option<(PlayId, RequestId)>,
    /// What the caller may say now.
    pub(crate) grammar: Option<Arc<Grammar>>,
    pub(crate) recording: Option<Recording>,
    /// A recording that becomes no message.
    pub(crate) taping: Option<(Recording, Tape)>,
    /// A message of a user who has logged on; what is recorded belongs to it.
    pub(crate) writing: Option<Draft>,
    pub(crate) transfer: Option<Transfer>,
    /// Of a call that the server placed, until its outcome is told.
    pub(crate) outcall: Option<Outcall>,
    /// The call of whom is rung for this one.
    pub(crate) ringing: Option<u64>,
    /// Whom it is connected with.
    pub(crate) peer: Option<u64>,
    /// A fax machine calls.
    pub(crate) fax: bool,
    /// The message that is being left.
    pub(crate) message: Option<MessageId>,
    /// A message was left, or will be: no missed call.
    pub(crate) left_message: bool,
    pub(crate) started: Now,
    /// MaxCallDuration.
    pub(crate) until: Instant,
    /// What the server's list of alarms has for this call.
    pub(crate) alarm: Option<Instant>,
}

/// What every call begins with, whoever placed it.
pub(crate) struct Beginning {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) hop: usize,
    pub(crate) leg: CallRef,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) plan: Arc<DialPlan>,
    /// The number that was dialled.
    pub(crate) pilot: String,
    pub(crate) caller: CallerId,
    pub(crate) language: Language,
    pub(crate) session: SessionId,
    pub(crate) local: sdp::Local,
    pub(crate) description: sdp::Session,
    pub(crate) dialogue: Option<Dialogue>,
}

impl Call {
    /// Who calls, as this user is told.
    pub(crate) fn caller_name(&self, to: &MailboxId) -> Option<String> {
        let known = self.known_as.as_ref().filter(|(whose, _)| whose == to).map(|(_, name)| name.clone());
        known.or_else(|| self.caller.name.clone())
    }

    /// Nothing has been said, recorded or agreed on yet.
    pub(crate) fn new(beginning: Beginning, now: Now) -> Call {
        let Beginning { number, kind, hop, leg, gateway, plan, pilot, caller, language, session, .. } = beginning;
        let Beginning { local, description, dialogue, .. } = beginning;
        Call {
            number,
            kind,
            hop,
            leg,
            call_id: String::new(),
            gateway,
            until: now.instant + Duration::from_secs(u64::from(plan.max_call_duration) * 60),
            plan,
            pilot,
            diverted: None,
            attendant: None,
            reason: ReasonForCall::None,
            codec: "",
            caller,
            language,
            clock: None,
            mailbox: None,
            session,
            local,
            agreed: None,
            description: Some(description),
            offering: false,
            waiting: dialogue,
            dialogue: None,
            play: None,
            grammar: None,
            recording: None,
            taping: None,
            known_as: None,
            writing: None,
            transfer: None,
            outcall: None,
            ringing: None,
            peer: None,
            fax: false,
            message: None,
            left_message: false,
            started: now,
            alarm: None,
        }
    }

    /// When something is due though nothing happens.
    pub(crate) fn next_alarm(&self) -> Instant {
        let dialogue = self.dialogue.as_ref().and_then(Dialogue::alarm);
        let transfer = self.transfer.map(|transfer| transfer.until);
        let rings = self.outcall.as_ref().and_then(|outcall| outcall.rings_until);
        [dialogue, transfer, rings].into_iter().flatten().fold(self.until, Instant::min)
    }

    pub(crate) fn view(&self, now: Now) -> CallView {
        CallView {
            call: self.number,
            kind: self.kind.name().into(),
            from: self.caller.number.clone().unwrap_or_default(),
            from_name: self.caller.name.clone(),
            pilot: self.pilot.clone(),
            mailbox: self.mailbox.as_ref().map(ToString::to_string),
            gateway: self.gateway.name.clone(),
            dial_plan: self.plan.name.clone(),
            call_id: self.call_id.clone(),
            seconds: now.instant.saturating_duration_since(self.started.instant).as_secs(),
        }
    }
}
