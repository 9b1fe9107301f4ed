//! Calls: one INVITE and all that comes of it (RFC 3261 13 to 15), either side.

mod ending;
mod exchange;
mod in_dialog;
pub(crate) mod incoming;
mod outgoing;
pub mod reliable;
pub mod session_timer;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::Text;
use crate::dialog::{Dialog, Side};
use crate::endpoint::attempt::AttemptId;
use crate::endpoint::{Body, CallInfo, CallState, ForkRef, Login};
use crate::flow::ListenerId;
use crate::message::{Headers, Method, Name, NameAddr, Request, Response};
use crate::transaction::{ServerId, Timers};
use reliable::{Receiver, Sender};
use session_timer::SessionTimer;

pub(crate) use incoming::append_extra;

/// One call.
pub(crate) struct Call {
    pub side: Side,
    pub state: CallState,
    pub listener: ListenerId,
    pub call_id: Text,
    pub local_tag: Text,
    pub local: NameAddr,
    pub remote: NameAddr,
    /// The CSeq of the INVITE that made the call.
    pub invite_seq: u32,
    pub login: Option<Login>,
    pub caller: Caller,
    pub callee: Option<Callee>,
    /// The dialog: from the INVITE on when we are called, from the 2xx on when we call.
    pub dialog: Option<Dialog>,
    /// A 2xx of ours that waits for its ACK.
    pub success: Option<Success>,
    pub exchange: Exchange,
    /// An offer of ours that waits for its turn.
    pub queued: Option<QueuedOffer>,
    /// What we last said of our media; refreshes by re-INVITE repeat it.
    pub local_sdp: Option<Body>,
    pub timer: SessionTimer,
    /// The peer takes UPDATE: it is in its Allow.
    pub peer_updates: bool,
    /// The owner wanted the end, but the 2xx waits for its ACK (RFC 3261 15).
    pub bye_after_ack: Option<Headers>,
    /// Requests of the peer that the owner has not answered.
    pub pending: Vec<ServerId>,
    pub over: bool,
    pub scheduled: Option<Instant>,
}

/// What only the calling side has.
#[derive(Default)]
pub(crate) struct Caller {
    pub invite: Option<AttemptId>,
    pub forks: Vec<Fork>,
    /// Our INVITE, or a PRACK of ours, carried a session description: the 2xx needs no answer.
    pub described: bool,
    /// The 2xx whose ACK waits for the owner's answer: its CSeq and its attempt.
    pub owed_ack: Option<(u32, AttemptId)>,
    pub cancelled: bool,
    pub contact_user: Text,
    /// See [`OutgoingCall::peer_name`](crate::endpoint::OutgoingCall::peer_name).
    pub peer_name: Option<Text>,
    pub pinned: bool,
    pub refused_intervals: u8,
}

/// One early dialog of a call of ours.
pub(crate) struct Fork {
    pub id: ForkRef,
    pub dialog: Dialog,
    pub receiver: Receiver,
    /// A reliable response with an offer: its PRACK waits for the owner's answer.
    pub owed_prack: Option<u32>,
}

/// What only the called side has.
pub(crate) struct Callee {
    pub server: ServerId,
    pub request: Request,
    pub source: IpAddr,
    /// Still counted among its source's unanswered calls.
    pub counted: bool,
    pub sender: Sender,
    /// A 2xx that waits for the PRACK of a session description.
    pub held: Option<(Headers, Option<Body>)>,
    /// Our answer went out, reliably.
    pub answered: bool,
    /// Our offer went out in a reliable provisional response, and its answer came in the PRACK.
    pub offered: bool,
    /// The last unreliable provisional response, said again each minute (13.3.1.1).
    pub reminder: Option<(Response, Instant)>,
}

/// A 2xx of ours on its way (13.3.1.4).
pub(crate) struct Success {
    pub server: ServerId,
    pub seq: u32,
    pub response: Response,
    pub interval: Duration,
    pub repeat_at: Instant,
    pub give_up_at: Instant,
    /// It answers the INVITE that made the call.
    pub initial: bool,
    /// It carries an offer: the answer comes in the ACK.
    pub offers: bool,
}

/// The one offer that may be open after the call was answered (RFC 3264 4).
pub(crate) enum Exchange {
    Idle,
    /// Ours, on its way.
    Ours {
        attempt: AttemptId,
        body: Option<Body>,
        headers: Headers,
        tries: u8,
        refresh: bool,
    },
    /// The peer's, waiting for the owner.
    Theirs {
        server: ServerId,
        request: Request,
    },
}

impl Exchange {
    pub fn is_idle(&self) -> bool {
        matches!(self, Exchange::Idle)
    }
}

/// An offer that is sent when nothing is in its way any more.
pub(crate) struct QueuedOffer {
    pub headers: Headers,
    pub body: Option<Body>,
    /// How often it met glare.
    pub tries: u8,
    /// Not before this; `None`: when the ACK comes.
    pub at: Option<Instant>,
    pub refresh: bool,
}

/// How often the last provisional response is repeated (13.3.1.1: every minute).
const REMIND_EVERY: Duration = Duration::from_secs(60);

impl Call {
    pub fn deadline(&self) -> Option<Instant> {
        let success = self.success.as_ref().map(|success| success.repeat_at.min(success.give_up_at));
        let callee = self.callee.as_ref();
        let sender = callee.and_then(|callee| callee.sender.deadline());
        let reminder = callee.and_then(|callee| Some(callee.reminder.as_ref()?.1));
        let queued = self.queued.as_ref().and_then(|queued| queued.at);
        [self.timer.deadline(), success, sender, reminder, queued].into_iter().flatten().min()
    }

    /// The dialog that a message of the peer's with this tag belongs to.
    pub fn dialog_of(&mut self, remote_tag: &str) -> Option<&mut Dialog> {
        match &mut self.dialog {
            Some(dialog) => Some(dialog).filter(|dialog| dialog.remote_tag == *remote_tag),
            None => self
                .caller
                .forks
                .iter_mut()
                .map(|fork| &mut fork.dialog)
                .find(|dialog| dialog.remote_tag == *remote_tag),
        }
    }

    /// The answered dialog, or the first early one.
    pub fn any_dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref().or_else(|| self.caller.forks.first().map(|fork| &fork.dialog))
    }

    pub fn any_dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.dialog {
            Some(dialog) => Some(dialog),
            None => self.caller.forks.first_mut().map(|fork| &mut fork.dialog),
        }
    }

    pub fn info(&self) -> CallInfo {
        let dialog = self.any_dialog();
        CallInfo {
            state: self.state,
            outgoing: self.side == Side::Client,
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            remote_tag: dialog.map(|dialog| dialog.remote_tag.clone()),
            local: self.local.clone(),
            remote: dialog.map_or_else(|| self.remote.clone(), |dialog| dialog.remote.clone()),
            remote_target: dialog.map(|dialog| dialog.remote_target.clone()),
            flow: dialog.map(|dialog| dialog.flow.clone()),
        }
    }

    /// Takes note of what the peer says it can do.
    pub fn learn_peer(&mut self, headers: &Headers) {
        if headers.has(&Name::Allow) {
            self.peer_updates = headers.lists(&Name::Allow, Method::Update.as_str());
        }
    }
}

impl Success {
    pub fn new(server: ServerId, seq: u32, response: Response, timers: &Timers, now: Instant) -> Success {
        Success {
            server,
            seq,
            response,
            interval: timers.t1,
            repeat_at: now + timers.t1,
            give_up_at: now + timers.limit(),
            initial: false,
            offers: false,
        }
    }
}
