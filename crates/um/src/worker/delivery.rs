//! From recordings to messages. A message's recordings outlive the call that they were made in: when all of them are
//! whole and on disk, the store is asked to deliver, again and again until it does.

use super::call::Call;
use crate::storage::{Letter, Parcel, StoreAnswer, StoreFailure, StoreRequest, StoreResult, Ticket};
use bytes::Bytes;
use event::{Event, Now};
use mailbox::{MailboxId, MessageId, MessageKind};
use media::{RecordingId, Recovered};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Less sound than this is no message.
pub(crate) const LEAST_SOUND: Duration = Duration::from_secs(1);
/// The first wait after a failure; doubled up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    ended: bool,
    durable: bool,
    loud: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The caller may still change his mind.
    Open,
    /// To be delivered as soon as all parts are whole.
    Closed,
    /// To be thrown away as soon as all parts are whole.
    Cancelled,
    /// With the store.
    Asked,
    /// The store failed; to be asked again.
    Waiting,
}

struct Draft {
    letter: Letter,
    /// In order.
    parts: Vec<(RecordingId, Part)>,
    state: State,
    wait: Duration,
    recovered: bool,
}

/// A message that may be delivered.
pub(crate) struct Ready {
    pub(crate) letter: Letter,
    pub(crate) parts: Vec<RecordingId>,
    pub(crate) quiet: bool,
    pub(crate) recovered: bool,
}

/// What a draft's progress asks for.
pub(crate) enum Step {
    Deliver(Box<Ready>),
    Discard(Vec<RecordingId>),
    /// There was no message in it.
    Missed(Letter),
    /// A missed call is in its mailbox.
    Kept(MessageId),
    Tell(Event),
}

/// All messages that are not yet in a mailbox.
#[derive(Default)]
pub(crate) struct Deliveries {
    drafts: BTreeMap<MessageId, Draft>,
    by_recording: BTreeMap<RecordingId, MessageId>,
    asked: BTreeMap<Ticket, MessageId>,
    due: BTreeSet<(Instant, MessageId)>,
    steps: Vec<Step>,
}

impl Deliveries {
    /// Messages that are not yet in a mailbox.
    pub(crate) fn count(&self) -> usize {
        self.drafts.len()
    }

    /// What the spool still had at the start. Recordings of one message go together.
    pub(crate) fn recover(&mut self, recovered: Vec<Recovered>) {
        let mut found: Vec<(Letter, RecordingId)> = Vec::new();
        for recording in recovered {
            match serde_json::from_slice::<Letter>(&recording.meta) {
                Ok(letter) if letter.cancelled => self.steps.push(Step::Discard(vec![recording.recording])),
                Ok(letter) => found.push((letter, recording.recording)),
                // Nobody knows whose it is. It stays on disk, where a person can look at it.
                Err(error) => self.steps.push(Step::Tell(Event::DeliveryDelayed {
                    mailbox: String::new(),
                    reason: format!("recording {} has no readable meta data: {error}", recording.recording),
                })),
            }
        }
        found.sort_by_key(|(letter, _)| (letter.message, letter.part));
        for (letter, recording) in found {
            self.by_recording.insert(recording, letter.message);
            let whole = Part { ended: true, durable: true, loud: LEAST_SOUND };
            let draft = self.drafts.entry(letter.message).or_insert_with(|| Draft {
                letter,
                parts: Vec::new(),
                state: State::Closed,
                wait: FIRST_WAIT,
                recovered: true,
            });
            draft.parts.push((recording, whole));
        }
        let messages: Vec<MessageId> = self.drafts.keys().copied().collect();
        messages.into_iter().for_each(|message| self.go_on(message));
    }

    /// A call begins to record; the first part makes the message. Gives the meta data for the spool.
    pub(crate) fn record(
        &mut self,
        message: MessageId,
        recording: RecordingId,
        letter: impl FnOnce() -> Letter,
    ) -> Bytes {
        let draft = self.drafts.entry(message).or_insert_with(|| Draft {
            letter: letter(),
            parts: Vec::new(),
            state: State::Open,
            wait: FIRST_WAIT,
            recovered: false,
        });
        let part = u32::try_from(draft.parts.len()).unwrap_or(u32::MAX);
        draft.parts.push((recording, Part::default()));
        self.by_recording.insert(recording, message);
        meta(&Letter { part, ..draft.letter.clone() })
    }

    /// A message without a recording.
    pub(crate) fn post(&mut self, letter: Letter) {
        let message = letter.message;
        let draft = Draft { letter, parts: Vec::new(), state: State::Closed, wait: FIRST_WAIT, recovered: false };
        self.drafts.insert(message, draft);
        self.go_on(message);
    }

    /// Changes what the message says of itself; gives what the spool must now keep with its first recording.
    pub(crate) fn annotate(
        &mut self,
        message: MessageId,
        change: impl FnOnce(&mut Letter),
    ) -> Option<(RecordingId, Bytes)> {
        let draft = self.drafts.get_mut(&message)?;
        change(&mut draft.letter);
        let (first, _) = draft.parts.first()?;
        Some((*first, meta(&draft.letter)))
    }

    pub(crate) fn recordings(&self, message: MessageId) -> Vec<RecordingId> {
        let parts = self.drafts.get(&message).map(|draft| draft.parts.as_slice()).unwrap_or_default();
        parts.iter().map(|(recording, _)| *recording).collect()
    }

    pub(crate) fn ended(&mut self, recording: RecordingId, loud: Duration) {
        self.part(recording, |part| {
            part.ended = true;
            part.loud = loud;
        });
    }

    /// Safe on disk, or as safe as it ever will be.
    pub(crate) fn durable(&mut self, recording: RecordingId) {
        self.part(recording, |part| part.durable = true);
    }

    fn part(&mut self, recording: RecordingId, change: impl FnOnce(&mut Part)) {
        let Some(message) = self.by_recording.get(&recording).copied() else { return };
        if let Some(draft) = self.drafts.get_mut(&message)
            && let Some((_, part)) = draft.parts.iter_mut().find(|(id, _)| *id == recording)
        {
            change(part);
        }
        self.go_on(message);
    }

    /// The caller is done with it: deliver.
    pub(crate) fn close(&mut self, message: MessageId) {
        self.settle(message, State::Closed);
    }

    /// The caller threw it away. Gives what the spool must keep meanwhile: a crash must not bring it back.
    pub(crate) fn cancel(&mut self, message: MessageId) -> Vec<(RecordingId, Bytes)> {
        let mut notes = Vec::new();
        if let Some(draft) = self.drafts.get_mut(&message).filter(|draft| draft.state == State::Open) {
            draft.letter.cancelled = true;
            let note = meta(&draft.letter);
            notes.extend(draft.parts.iter().map(|(recording, _)| (*recording, note.clone())));
        }
        self.settle(message, State::Cancelled);
        notes
    }

    fn settle(&mut self, message: MessageId, state: State) {
        if let Some(draft) = self.drafts.get_mut(&message)
            && draft.state == State::Open
        {
            draft.state = state;
        }
        self.go_on(message);
    }

    fn go_on(&mut self, message: MessageId) {
        let Some(draft) = self.drafts.get_mut(&message) else { return };
        let recordings = || draft.parts.iter().map(|(recording, _)| *recording).collect::<Vec<_>>();
        let ended = draft.parts.iter().all(|(_, part)| part.ended);
        let durable = draft.parts.iter().all(|(_, part)| part.durable);
        let loud: Duration = draft.parts.iter().map(|(_, part)| part.loud).sum();
        match draft.state {
            State::Cancelled if ended => {
                self.steps.push(Step::Discard(recordings()));
                self.forget(message);
            }
            State::Closed if ended && loud < LEAST_SOUND && draft.letter.needs_sound() => {
                self.steps.push(Step::Discard(recordings()));
                self.steps.push(Step::Missed(draft.letter.clone()));
                self.forget(message);
            }
            State::Closed if ended && durable => {
                let quiet = loud < LEAST_SOUND;
                self.steps.push(Step::Deliver(Box::new(Ready {
                    letter: draft.letter.clone(),
                    parts: recordings(),
                    quiet,
                    recovered: draft.recovered,
                })));
                draft.state = State::Asked;
            }
            _ => {}
        }
    }

    fn forget(&mut self, message: MessageId) {
        if let Some(draft) = self.drafts.remove(&message) {
            for (recording, _) in draft.parts {
                self.by_recording.remove(&recording);
            }
        }
    }

    /// What is to be done, until there is nothing.
    pub(crate) fn next_step(&mut self) -> Option<Step> {
        if self.steps.is_empty() { None } else { Some(self.steps.remove(0)) }
    }

    /// The store was asked to deliver.
    pub(crate) fn asked(&mut self, message: MessageId, ticket: Ticket) {
        self.asked.insert(ticket, message);
    }

    /// The store's answer to that, if the ticket is one of these.
    pub(crate) fn answered(&mut self, ticket: Ticket, result: &StoreResult, now: Now) -> bool {
        let Some(message) = self.asked.remove(&ticket) else { return false };
        let Some(draft) = self.drafts.get_mut(&message) else { return true };
        let mailbox = draft.letter.mailbox.to_string();
        match result {
            Ok(StoreAnswer::TooQuiet) => {
                self.steps.push(Step::Missed(draft.letter.clone()));
                self.forget(message);
            }
            Ok(answer) => {
                let duration_ms = match answer {
                    StoreAnswer::Delivered { duration_ms } => *duration_ms,
                    _ => 0,
                };
                // A missed call was told of when it was missed.
                if draft.letter.kind.is_voice() {
                    let mailboxes = std::iter::once(&draft.letter.mailbox).chain(&draft.letter.also);
                    self.steps.extend(mailboxes.map(|mailbox| {
                        Step::Tell(Event::MessageDelivered {
                            mailbox: mailbox.to_string(),
                            message: message.to_string(),
                            from: draft.letter.from_number.clone().unwrap_or_default(),
                            duration_ms,
                            recovered: draft.recovered,
                        })
                    }));
                } else {
                    self.steps.push(Step::Kept(message));
                }
                self.forget(message);
            }
            Err(failure @ StoreFailure::Damaged(_)) => {
                // Not released: whatever the spool has of it stays on disk for a person to look at.
                self.steps.push(Step::Tell(Event::DeliveryDelayed { mailbox, reason: failure.to_string() }));
                self.forget(message);
            }
            Err(failure) => {
                self.steps.push(Step::Tell(Event::DeliveryDelayed { mailbox, reason: failure.to_string() }));
                draft.state = State::Waiting;
                self.due.insert((now.instant + draft.wait, message));
                draft.wait = (draft.wait * 2).min(LONGEST_WAIT);
            }
        }
        true
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        while let Some((at, message)) = self.due.first().copied() {
            if at > now.instant {
                break;
            }
            self.due.pop_first();
            if let Some(draft) = self.drafts.get_mut(&message)
                && draft.state == State::Waiting
            {
                draft.state = State::Closed;
            }
            self.go_on(message);
        }
    }
}

fn meta(letter: &Letter) -> Bytes {
    // A letter has string keys and plain values: writing it cannot fail.
    serde_json::to_vec(letter).unwrap_or_default().into()
}

impl Letter {
    /// What a call leaves in a mailbox.
    pub(crate) fn of_call(call: &Call, mailbox: MailboxId, kind: MessageKind, message: MessageId, now: Now) -> Letter {
        Letter {
            message,
            from_name: call.caller_name(&mailbox),
            mailbox,
            from_number: call.caller.number.clone(),
            from_address: call.caller.address.clone(),
            call_id: call.call_id.clone(),
            received: now.unix_ms(),
            urgent: false,
            private: false,
            part: 0,
            kind,
            sender: None,
            also: Vec::new(),
            attached: None,
            cut_ms: 0,
            cancelled: false,
        }
    }

    /// Whether it is no message when nobody spoke.
    fn needs_sound(&self) -> bool {
        self.kind.is_voice() && self.attached.is_none()
    }
}

impl Parcel {
    /// With what the configuration knows of the owner.
    pub(crate) fn request(self) -> StoreRequest {
        StoreRequest::Deliver(Box::new(self))
    }
}
