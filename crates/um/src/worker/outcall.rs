//! Calls that the server places itself: somebody who is rung for a caller (find-me, and transfers where the gateway can't do
//! REFER), or for a user (play on phone). Such a call is a [`Call`] like any other, with somebody who waits for its outcome.

use super::call::{Call, Kind};
use super::identity::CallerId;
use super::placing::{PlaceError, Placing};
use super::transfer::end_of;
use crate::dialogue::{Authority, Dialogue, Reply, RequestId, Ring, Rung, TransferEnd, find_me};
use crate::rules::{Denied, Rights};
use crate::server::Server;
use event::{Event, Now};
use media::{MediaCommand, PlayId, Stream};
use sip::endpoint::Failure;
use std::time::{Duration, Instant};

/// How long a phone rings where nobody said otherwise. The PBX's own call list may be quicker.
pub(crate) const RINGS: Duration = Duration::from_secs(60);
/// How long two who were connected by the server may talk: hanging up ends it, and the session timer where a side is dead.
const TALK: Duration = Duration::from_secs(8 * 3600);

/// Who waits for a call that the server places.
#[derive(Clone, Copy, Debug)]
pub(crate) enum For {
    /// A caller whose dialogue has somebody rung.
    Ring { call: u64, request: RequestId },
    /// A caller who is transferred.
    Transfer { call: u64, request: RequestId },
    /// A user, by his page.
    PlayOnPhone,
}

impl For {
    /// The caller who waits.
    pub(super) fn caller(self) -> Option<u64> {
        match self {
            For::Ring { call, .. } | For::Transfer { call, .. } => Some(call),
            For::PlayOnPhone => None,
        }
    }
}

/// What a call of ours is besides.
#[derive(Clone, Debug)]
pub(crate) struct Outcall {
    pub(crate) waits: For,
    /// Gateways that could not take it, by name.
    pub(super) tried: Vec<String>,
    /// Until when it rings; `None`: it was answered.
    pub(crate) rings_until: Option<Instant>,
}

/// How a call of ours came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// This was answered, or stands for what happened.
    Status(u16),
    /// It rang too long.
    NoAnswer,
    /// Answered, and not taken.
    Declined,
    Failed,
}

impl Server {
    /// How a number is dialled by whoever is on this call.
    pub(crate) fn may_dial(&self, number: u64, by: &Authority, wanted: &str) -> Result<String, Denied> {
        let call = self.calls.get(&number).ok_or(Denied::NoRule)?;
        self.tell_numbers(vec![wanted.to_owned()]);
        let is_user = |extension: &str| self.configuration.by_extension(&call.plan.name, extension).is_some();
        match by {
            Authority::Caller => {
                let attendant = call.attendant.as_ref().and_then(|name| self.configuration.attendants.get(name));
                let rights = match attendant {
                    Some(attendant) => Rights::of_attendant(&call.plan, attendant),
                    None => Rights::of_plan(&call.plan),
                };
                rights.dial(wanted, is_user)
            }
            Authority::Owner(mailbox) => self.owner_may_dial(mailbox, wanted),
        }
    }

    /// How a number is dialled for a user.
    pub(crate) fn owner_may_dial(&self, mailbox: &mailbox::MailboxId, wanted: &str) -> Result<String, Denied> {
        let owner = self.configuration.by_mailbox_id(mailbox).ok_or(Denied::NoRule)?;
        let policy = owner.um.as_ref().and_then(|um| self.configuration.policy_of(um)).ok_or(Denied::NoRule)?;
        let plan = self.configuration.plan_of(owner).ok_or(Denied::NoRule)?;
        let is_user = |extension: &str| self.configuration.by_extension(&plan.name, extension).is_some();
        Rights::of_policy(plan, policy).dial(wanted, is_user)
    }

    /// Rings somebody for a caller. Some: nobody could be rung.
    pub(crate) fn ring(&mut self, number: u64, request: RequestId, ring: Ring, now: Now) -> Option<Rung> {
        let waits = For::Ring { call: number, request };
        let dialogue = ring.offer.map(|offer| Dialogue::start(|caller| find_me(caller, offer)));
        match self.ring_for(number, waits, (Kind::FindMe, ring.number, ring.within), dialogue, now) {
            Ok(()) => None,
            Err(_) => Some(Rung::Failed),
        }
    }

    /// Transfers a caller by calling for him.
    pub(crate) fn bridge_to(&mut self, number: u64, request: RequestId, to: &str, now: Now) -> Result<(), TransferEnd> {
        let waits = For::Transfer { call: number, request };
        self.ring_for(number, waits, (Kind::Transfer, to.to_owned(), RINGS), None, now).map_err(|_| TransferEnd::Failed)
    }

    fn ring_for(
        &mut self,
        caller: u64,
        waits: For,
        (kind, number, rings): (Kind, String, Duration),
        dialogue: Option<Dialogue>,
        now: Now,
    ) -> Result<(), PlaceError> {
        let call = self.calls.get(&caller).ok_or(PlaceError::NoGateway)?;
        let placing = Placing {
            waits,
            kind,
            number,
            rings,
            gateway: call.gateway.clone(),
            plan: call.plan.clone(),
            from: call.caller.clone(),
            language: call.language,
            dialogue,
        };
        let leg = self.place(placing, now)?;
        let play = PlayId(self.next_number());
        let clips = vec![self.sounds.ringback()];
        let Some(call) = self.calls.get_mut(&caller) else { return Ok(()) };
        call.ringing = Some(leg);
        let session = call.session;
        self.media.command(MediaCommand::Play { session, play, clips, barge_in: false, repeat: true });
        Ok(())
    }

    /// A call begins, whoever placed it: it is told, found by its leg and its session, and woken when something is due.
    pub(crate) fn begin(&mut self, call: Call, now: Now) {
        let number = call.number;
        self.emit(
            now,
            Event::UmCallStarted {
                call: number,
                kind: call.kind.name().into(),
                from: call.caller.number.clone().unwrap_or_default(),
                pilot: call.pilot.clone(),
                call_id: call.call_id.clone(),
                gateway: call.gateway.name.clone(),
            },
        );
        self.by_leg.insert((call.hop, call.leg), number);
        self.by_session.insert(call.session, number);
        self.calls.insert(number, call);
        self.set_alarm(number);
    }

    // ---- what comes of it ----

    /// Somebody picked up.
    pub(crate) fn outcall_answered(&mut self, number: u64, response: &sip::Response, now: Now) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let Some(outcall) = &mut call.outcall else { return };
        outcall.rings_until = None;
        let waits = outcall.waits;
        call.call_id = response.headers.get(&sip::Name::CallId).map(|id| id.as_str().to_owned()).unwrap_or_default();
        let negotiated = match super::answer::read_answer(&call.local, &response.body) {
            Ok(negotiated) => negotiated,
            Err(reason) => {
                let party = call.pilot.clone();
                self.emit(now, Event::MediaRefused { call: number, party, reason });
                // RFC 3261 13.2.2.4: an answer that cannot be taken ends the call.
                self.outcall_over(number, Outcome::Status(488), now);
                return self.hang_up(number, now);
            }
        };
        call.agreed = negotiated.srtp;
        call.codec = super::answer::codec_name(negotiated.codec);
        let session = call.session;
        let dialogue = call.waiting.take();
        self.media.command(MediaCommand::Connect { session, stream: Stream::from(&negotiated).listened() });
        self.set_alarm(number);
        match (dialogue, waits) {
            (Some(dialogue), _) => {
                if let Some(call) = self.calls.get_mut(&number) {
                    call.dialogue = Some(dialogue);
                }
                if matches!(waits, For::PlayOnPhone) {
                    self.play_on_phone_answered(number, now);
                }
                self.drive(number, now);
            }
            (None, For::Ring { call, .. } | For::Transfer { call, .. }) => self.connect(call, number, now),
            (None, For::PlayOnPhone) => self.hang_up(number, now),
        }
    }

    /// It rings, or more is known of it.
    pub(crate) fn outcall_rings(&mut self, number: u64, status: u16, now: Now) {
        if status >= 180 {
            self.play_on_phone_rings(number, now);
        }
    }

    /// Nobody picked up.
    pub(crate) fn outcall_rejected(&mut self, number: u64, status: u16, failure: Option<Failure>, now: Now) {
        // Silent, refusing, or 503: the next may do better. Any other answer is one (docs/failover.md).
        if failure.is_some() && self.offer_to_next(number, now) {
            return;
        }
        let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Status(status) };
        self.outcall_over(number, outcome, now);
        self.ended(number, "not-answered", now);
    }

    /// It has rung long enough.
    pub(crate) fn outcall_timed_out(&mut self, number: u64, now: Now) {
        self.outcall_over(number, Outcome::NoAnswer, now);
        self.hang_up(number, now);
    }

    /// Whoever was rung takes the call.
    pub(crate) fn take(&mut self, number: u64, now: Now) {
        let waits =
            self.calls.get(&number).and_then(|call| call.outcall.as_ref()).and_then(|outcall| outcall.waits.caller());
        if let Some(caller) = waits {
            self.connect(caller, number, now);
        }
    }

    /// Both talk with each other from now on.
    fn connect(&mut self, caller: u64, called: u64, now: Now) {
        let until = now.instant + TALK;
        let (Some(a), Some(b)) = (self.calls.get(&caller), self.calls.get(&called)) else { return };
        let (a, b) = (a.session, b.session);
        for (number, peer) in [(caller, called), (called, caller)] {
            let Some(call) = self.calls.get_mut(&number) else { continue };
            call.peer = Some(peer);
            call.until = until;
            call.ringing = None;
            call.outcall = None;
            call.play = None;
            // It has nothing more to say; what is pressed from now on is for the other side.
            if let Some(dialogue) = call.dialogue.take() {
                self.journal.secret(number, dialogue.taken(), true);
            }
            self.media.command(MediaCommand::StopPlay { session: if number == caller { a } else { b } });
            self.set_alarm(number);
        }
        self.media.command(MediaCommand::Relay { a, b });
    }

    /// A call of ours came to nothing: whoever waits for it is told, once.
    pub(crate) fn outcall_over(&mut self, number: u64, outcome: Outcome, now: Now) {
        let Some(outcall) = self.calls.get_mut(&number).and_then(|call| call.outcall.take()) else { return };
        self.tell_outcome(number, outcall.waits, outcome, now);
    }

    fn tell_outcome(&mut self, number: u64, waits: For, outcome: Outcome, now: Now) {
        if let Some(call) = waits.caller().and_then(|caller| self.calls.get_mut(&caller)) {
            call.ringing = None;
            let session = call.session;
            self.media.command(MediaCommand::StopPlay { session });
        }
        let end = match outcome {
            Outcome::Status(status) => end_of(status),
            Outcome::NoAnswer => TransferEnd::NoAnswer,
            Outcome::Declined | Outcome::Failed => TransferEnd::Failed,
        };
        match waits {
            For::Transfer { call, request } => self.reply_later(call, request, Reply::Transferred(end), now),
            For::Ring { call, request } => {
                let rung = match (outcome, end) {
                    // 603: he pressed a key on his phone.
                    (Outcome::Declined | Outcome::Status(603), _) => Rung::Declined,
                    (_, TransferEnd::Busy) => Rung::Busy,
                    (_, TransferEnd::NoAnswer) => Rung::NoAnswer,
                    (_, TransferEnd::Invalid) => Rung::Invalid,
                    _ => Rung::Failed,
                };
                self.reply_later(call, request, Reply::Rung(rung), now);
            }
            For::PlayOnPhone => self.play_on_phone_failed(number, end, now),
        }
    }

    /// Ends what hung on a call that is over: whom it talked with, whom it had rung, who waited for it.
    pub(crate) fn let_go(&mut self, call: &Call, now: Now) {
        for other in [call.peer, call.ringing].into_iter().flatten() {
            if let Some(other) = self.calls.get_mut(&other) {
                other.peer = None;
                other.outcall = other.outcall.take().filter(|outcall| outcall.waits.caller() != Some(call.number));
            }
            self.hang_up(other, now);
        }
        if call.kind == Kind::PlayOnPhone {
            self.play_on_phone_over(call.number, now);
        }
        if let Some(outcall) = &call.outcall {
            let outcome = if outcall.rings_until.is_some() { Outcome::Failed } else { Outcome::Declined };
            self.tell_outcome(call.number, outcall.waits, outcome, now);
        }
    }

    /// Whether a call that comes in is one of ours to somebody who does not answer: the PBX has diverted it to us. We would talk
    /// with ourselves.
    pub(crate) fn is_own_outcall(&mut self, caller: &CallerId, diverted_from: &str) -> bool {
        let own = self.calls.values().any(|call| {
            let rings = call.outcall.as_ref().is_some_and(|outcall| !matches!(outcall.waits, For::Transfer { .. }));
            rings && call.pilot == diverted_from && call.caller.number == caller.number
        });
        self.random.shared(own.into()) != 0
    }
}
