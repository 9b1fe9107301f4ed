//! The call's side of its dialogue: carries out what the dialogue asks for, and lets it go on when something happened.

use super::call::Recording;
use crate::dialogue::{Ask, Played, Recorded, Reply, RequestId};
use crate::people::directory::Within;
use crate::server::{Server, Waiting};
use crate::storage::{Letter, StoreAnswer, StoreFailure, StoreRequest, StoreResult};
use event::{Event, Now};
use journal::Key;
use mailbox::{MessageId, MessageKind};
use media::{Keys, MediaCommand, MediaEvent, PlayEnd, PlayId, RecordEnd, RecordLimits, RecordTo, RecordingId, Tape};
use sip::Headers;
use speech::Audio;
use std::sync::Arc;
use std::time::Duration;

/// What counts as sound in a recording.
const LEVEL_DBM0: f32 = -40.0;

impl Server {
    /// Lets the dialogue go on, and does what it asks for, until it waits for something.
    pub(crate) fn drive(&mut self, number: u64, now: Now) {
        loop {
            let Some(call) = self.calls.get_mut(&number) else { return };
            // Out of the call while it runs: what it asks for may touch the call.
            let Some(mut dialogue) = call.dialogue.take() else { return };
            let finished = dialogue.poll(now);
            let mut answered = false;
            while let Some((id, ask)) = dialogue.next_ask() {
                if let Some(reply) = self.carry_out(number, id, ask, now) {
                    dialogue.reply(id, reply);
                    answered = true;
                }
            }
            if finished {
                return self.hang_up(number, now);
            }
            if let Some(call) = self.calls.get_mut(&number) {
                call.dialogue = Some(dialogue);
            }
            // What was answered while the dialogue was out of the call.
            while let Some((of, id, reply)) = self.replies.pop_front() {
                if let Some(dialogue) = self.calls.get_mut(&of).and_then(|call| call.dialogue.as_mut()) {
                    dialogue.reply(id, reply);
                    answered = true;
                }
            }
            if !answered {
                return self.set_alarm(number);
            }
        }
    }

    /// None: the reply comes when it is there, or there is none.
    fn carry_out(&mut self, number: u64, id: RequestId, ask: Ask, now: Now) -> Option<Reply> {
        match ask {
            Ask::Play { phrases, barge_in } => {
                let play = PlayId(self.next_number());
                let call = self.calls.get_mut(&number)?;
                let clips = self.sounds.clips(&phrases, call.language, call.clock);
                self.journal.did(Some(Key::Call(number)), None, || said(&phrases));
                // What can be said depends on what is installed.
                if self.random.shared(clips.is_empty().into()) != 0 {
                    return Some(Reply::Played(Played { reason: PlayEnd::Finished, played: Duration::ZERO }));
                }
                call.play = Some((play, id));
                let session = call.session;
                self.media.command(MediaCommand::Play { session, play, clips, barge_in, repeat: false });
                None
            }
            Ask::Record { idle, max } => self.record(number, id, idle, max, now),
            Ask::Replay => {
                let message = self.calls.get(&number)?.message;
                let recordings = message.map(|message| self.deliveries.recordings(message)).unwrap_or_default();
                if recordings.is_empty() {
                    return Some(Reply::Audio(Err(StoreFailure::NoMessage)));
                }
                self.ask_store(StoreRequest::Replay(recordings), Waiting::Replay(number, id));
                None
            }
            Ask::Store(StoreRequest::Greeting(mailbox)) => {
                let kept = self.greetings.get(&mailbox);
                if let Some(greeting) = crate::journal::kept_greeting(&self.random, kept) {
                    let greeting = self.chosen_greeting(&mailbox, greeting);
                    return Some(Reply::Stored(Ok(StoreAnswer::Greeting(greeting))));
                }
                let waiting = Waiting::Greeting(number, id, mailbox.clone());
                self.ask_store(StoreRequest::Greeting(mailbox), waiting);
                None
            }
            Ask::Store(request) => {
                let waiting = match told_of(&request) {
                    Some(event) => Waiting::Change(number, id, Box::new(event)),
                    None => Waiting::Dialogue(number, id),
                };
                self.ask_store(request, waiting);
                None
            }
            Ask::Find(extension) => {
                let plan = self.calls.get(&number)?.plan.clone();
                let found = self.configuration.by_extension(&plan.name, &extension).cloned();
                self.tell_numbers(vec![extension]);
                Some(Reply::Found(found.and_then(|mailbox| self.subscriber(&mailbox))))
            }
            Ask::Search { plan, list, order, keys, detail, colleague } => {
                let within = Within { plan: plan.as_deref(), list: list.as_deref(), colleague };
                Some(Reply::Matches(self.search(within, order, &keys, detail)))
            }
            Ask::Members { group, from } => Some(Reply::Members(self.members(&group, &from))),
            Ask::People { plan, list } => Some(Reply::People(self.people(plan.as_deref(), list.as_deref()))),
            Ask::Consult(owner, question) => {
                self.consult(number, id, &owner, *question);
                None
            }
            Ask::Listen(grammar) => {
                self.listen(number, grammar);
                None
            }
            Ask::AnswerFor(mailbox) => {
                // What was recorded before belongs to whom the call was for then.
                self.send_message(number);
                let call = self.calls.get_mut(&number)?;
                call.mailbox = Some(mailbox);
                call.left_message = false;
                None
            }
            Ask::Tape { idle, max } => self.tape(number, id, idle, max),
            Ask::Write(draft) => {
                // What was recorded before belongs to what was written then.
                self.send_message(number);
                self.calls.get_mut(&number)?.writing = draft.map(|draft| *draft);
                None
            }
            Ask::Personal(mailbox) => Some(Reply::Personal(self.personal(number, &mailbox, now).map(Box::new))),
            Ask::Inquire(mailbox) => Some(Reply::Questions(self.inquiries(number, &mailbox, now))),
            Ask::Receive(mailbox, answers) => {
                Some(Reply::Reception(Box::new(self.reception(number, &mailbox, &answers, now))))
            }
            Ask::Change(mailbox, changes) => Some(Reply::Changed(self.change_by_phone(&mailbox, *changes, now))),
            Ask::SetUp(mailbox) => {
                self.set_up(&mailbox, now);
                None
            }
            Ask::Speak(language, clock) => {
                let call = self.calls.get_mut(&number)?;
                (call.language, call.clock) = (language, clock);
                None
            }
            Ask::KeepPrompt(prompt, audio) => Some(Reply::Changed(self.keep_prompt(prompt, &audio, now))),
            Ask::SpeakTo(user) => {
                let language = self.language_for(number, user.as_ref());
                let call = self.calls.get_mut(&number)?;
                call.language = language.unwrap_or(call.language);
                None
            }
            Ask::CheckPin { mailbox, pin } => self.check_pin_by_phone(number, id, mailbox, pin, now).map(Reply::Pin),
            Ask::ChangePin { mailbox, pin } => {
                self.change_pin_by_phone(number, id, mailbox, pin).map(Reply::PinChanged)
            }
            Ask::Transfer(to) => self.transfer(number, id, &to, now).map(Reply::Transferred),
            Ask::HandOver(uri) => self.hand_over(number, id, &uri, now).map(Reply::Transferred),
            Ask::MayDial { by, number: wanted } => Some(Reply::MayDial(self.may_dial(number, &by, &wanted))),
            Ask::Attendant(name) => Some(Reply::Attendant(self.next_attendant(number, &name, now))),
            Ask::Ring(ring) => self.ring(number, id, ring, now).map(Reply::Rung),
            Ask::Take => {
                self.take(number, now);
                None
            }
            Ask::Same(same) => Some(Reply::Same(self.random.shared(same.into()) != 0)),
            Ask::Secret { from, secret } => {
                self.journal.secret(number, from, secret);
                None
            }
            Ask::Discard => {
                self.discard(number);
                None
            }
            Ask::Urgent(urgent) => {
                self.annotate(number, |letter| letter.urgent = urgent);
                None
            }
            Ask::Private(private) => {
                self.annotate(number, |letter| letter.private = private);
                None
            }
            Ask::Send => {
                self.send_message(number);
                None
            }
        }
    }

    // ---- the message ----

    fn record(&mut self, number: u64, id: RequestId, idle: Duration, max: Duration, now: Now) -> Option<Reply> {
        let recording = RecordingId(self.random_id());
        let nothing = Recorded { reason: RecordEnd::Failed, duration: Duration::ZERO, loud: Duration::ZERO };
        let Some(call) = self.calls.get_mut(&number) else { return Some(Reply::Recorded(nothing)) };
        let to = match &call.writing {
            Some(draft) => draft.to.first().cloned(),
            None => call.mailbox.clone(),
        };
        let Some(mailbox) = to else { return Some(Reply::Recorded(nothing)) };
        let sender = call.writing.as_ref().and_then(|draft| self.configuration.by_mailbox_id(&draft.from.mailbox));
        let address = sender.and_then(|sender| sender.primary_smtp_address.clone());
        let message = *call.message.get_or_insert(MessageId(recording.0));
        let letter = || {
            let letter = Letter::of_call(call, mailbox, MessageKind::CallAnswering, message, now);
            match &call.writing {
                Some(draft) => draft.letter(letter, address),
                None => letter,
            }
        };
        let meta = self.deliveries.record(message, recording, letter);
        call.recording = Some(Recording { request: id, id: recording });
        let limits = RecordLimits { idle, max, level_dbm0: LEVEL_DBM0, stop_keys: Keys::of("#") };
        let session = call.session;
        self.media.command(MediaCommand::Record { session, recording, to: RecordTo::Spool, meta, limits });
        None
    }

    /// Records something that becomes no message: to memory.
    fn tape(&mut self, number: u64, id: RequestId, idle: Duration, max: Duration) -> Option<Reply> {
        let recording = RecordingId(self.random_id());
        let call = self.calls.get_mut(&number)?;
        let tape = Tape::new();
        call.taping = Some((Recording { request: id, id: recording }, tape.clone()));
        let limits = RecordLimits { idle, max, level_dbm0: LEVEL_DBM0, stop_keys: Keys::of("#") };
        let (session, to) = (call.session, RecordTo::Tape(tape));
        self.media.command(MediaCommand::Record { session, recording, to, meta: Default::default(), limits });
        None
    }

    pub(super) fn annotate(&mut self, number: u64, change: impl FnOnce(&mut Letter)) {
        let Some(message) = self.calls.get(&number).and_then(|call| call.message) else { return };
        if let Some((recording, meta)) = self.deliveries.annotate(message, change) {
            self.media.command(MediaCommand::Annotate { recording, meta });
        }
    }

    pub(super) fn discard(&mut self, number: u64) {
        let Some(message) = self.calls.get_mut(&number).and_then(|call| call.message.take()) else { return };
        for (recording, meta) in self.deliveries.cancel(message) {
            self.media.command(MediaCommand::Annotate { recording, meta });
        }
    }

    fn send_message(&mut self, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if let Some(message) = call.message.take() {
            // What a user sends is not what the call itself left.
            call.left_message |= call.writing.is_none();
            self.deliveries.close(message);
        }
    }

    // ---- what happens to the call ----

    pub(crate) fn media_event(&mut self, event: MediaEvent, now: Now) {
        match event {
            MediaEvent::Key { session, digit, .. } => {
                if let Some(number) = self.by_session.get(&session).copied() {
                    self.key(number, digit, now);
                }
            }
            MediaEvent::PlayEnded { session, play, played, reason } => {
                let Some(number) = self.by_session.get(&session).copied() else { return };
                let Some(call) = self.calls.get_mut(&number) else { return };
                if let Some((_, request)) = call.play.take_if(|(id, _)| *id == play) {
                    self.reply(number, request, Reply::Played(Played { reason, played }), now);
                }
            }
            MediaEvent::RecordEnded { session, recording, reason, duration, loud } => {
                self.deliveries.ended(recording, loud);
                let Some(number) = self.by_session.get(&session).copied() else { return };
                let Some(call) = self.calls.get_mut(&number) else { return };
                if let Some((ended, tape)) = call.taping.take_if(|(current, _)| current.id == recording) {
                    let recorded = Recorded { reason, duration, loud };
                    self.reply(number, ended.request, Reply::Taped(recorded, taped(&tape, duration)), now);
                } else if let Some(ended) = call.recording.take_if(|current| current.id == recording) {
                    let recorded = Recorded { reason, duration, loud };
                    self.reply(number, ended.request, Reply::Recorded(recorded), now);
                }
            }
            MediaEvent::SpeechBegan { session } => self.speech_began(session, now),
            MediaEvent::Spoken { session, speech } => self.spoken(session, &speech),
            MediaEvent::RecordDurable { recording, .. } => self.deliveries.durable(recording),
            MediaEvent::RecordFailed { recording, error } => {
                let reason = format!("recording {recording} could not be made durable: {error}");
                self.emit(now, Event::DeliveryDelayed { mailbox: String::new(), reason });
                // What the spool has of it can be read as long as the process lives: deliver that.
                self.deliveries.durable(recording);
            }
            MediaEvent::Dropped { session, dropped } => {
                let by = "um".into();
                let (forged, replayed) = (dropped.forged, dropped.replayed);
                self.emit(now, Event::SrtpDropped { by, session: session.0, forged, replayed });
            }
            MediaEvent::Line { session, signal } => {
                if let Some(number) = self.by_session.get(&session).copied() {
                    self.line_says(number, signal, now);
                }
            }
            // The caller may only be silent, or muted; the session timer and MaxCallDuration end calls that are dead.
            MediaEvent::StreamLost { .. } | MediaEvent::Latched { .. } => {}
        }
    }

    pub(crate) fn key(&mut self, number: u64, key: char, now: Now) {
        if let Some(dialogue) = self.calls.get_mut(&number).and_then(|call| call.dialogue.as_mut()) {
            if dialogue.key(key) {
                self.journal.pressed(number);
            }
            self.drive(number, now);
        }
    }

    /// Gives the dialogue what it waited for.
    pub(crate) fn reply(&mut self, number: u64, request: RequestId, reply: Reply, now: Now) {
        if let Some(dialogue) = self.calls.get_mut(&number).and_then(|call| call.dialogue.as_mut()) {
            dialogue.reply(request, reply);
            self.drive(number, now);
        }
    }

    /// The same, when its call may be the one that is asking: it is told when it waits again.
    pub(crate) fn reply_later(&mut self, number: u64, request: RequestId, reply: Reply, now: Now) {
        match self.calls.get(&number) {
            Some(call) if call.dialogue.is_none() => self.replies.push_back((number, request, reply)),
            _ => self.reply(number, request, reply, now),
        }
    }

    pub(crate) fn stored_for(&mut self, number: u64, request: RequestId, result: StoreResult, now: Now) {
        self.reply(number, request, Reply::Stored(result), now);
    }

    pub(crate) fn replay_for(&mut self, number: u64, request: RequestId, result: StoreResult, now: Now) {
        let audio = match result {
            Ok(StoreAnswer::Audio(audio)) => Ok(audio),
            Ok(_) => Err(StoreFailure::NoMessage),
            Err(failure) => Err(failure),
        };
        self.reply(number, request, Reply::Audio(audio), now);
    }

    // ---- time ----

    pub(crate) fn set_alarm(&mut self, number: u64) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let next = call.next_alarm();
        if call.alarm == Some(next) {
            return;
        }
        if let Some(before) = call.alarm.replace(next) {
            self.alarms.remove(&(before, number));
        }
        self.alarms.insert((next, number));
    }

    pub(crate) fn call_alarm(&mut self, number: u64, now: Now) {
        let Some(call) = self.calls.get(&number) else { return };
        if call.until <= now.instant {
            // MaxCallDuration: what was recorded is delivered, as at any hang-up.
            return self.hang_up(number, now);
        }
        if call.transfer.is_some_and(|transfer| transfer.until <= now.instant) {
            self.transfer_timed_out(number, now);
        } else if call
            .outcall
            .as_ref()
            .and_then(|outcall| outcall.rings_until)
            .is_some_and(|until| until <= now.instant)
        {
            return self.outcall_timed_out(number, now);
        }
        self.drive(number, now);
        self.set_alarm(number);
    }

    // ---- the end ----

    /// Ends the call from our side.
    pub(crate) fn hang_up(&mut self, number: u64, now: Now) {
        self.hang_up_because(number, "finished", now);
    }

    /// The same; `cause` is for the call's record.
    pub(crate) fn hang_up_because(&mut self, number: u64, cause: &str, now: Now) {
        let Some(call) = self.calls.get(&number) else { return };
        let (hop, leg) = (call.hop, call.leg);
        if let Some(hop) = self.hops.get_mut(hop) {
            // The peer may have been quicker.
            let _ = hop.endpoint.hangup(leg, &Headers::new(), now.instant);
        }
        self.ended(number, cause, now);
    }

    /// The call is over: its media is closed, its message goes on by itself, its dialogue is dropped where it stands.
    pub(crate) fn ended(&mut self, number: u64, cause: &str, now: Now) {
        let Some(mut call) = self.calls.remove(&number) else { return };
        self.by_leg.remove(&(call.hop, call.leg));
        self.by_session.remove(&call.session);
        if let Some(dialogue) = &call.dialogue {
            // What was typed ahead and not asked for may have been anything.
            self.journal.secret(number, dialogue.taken(), true);
        }
        if let Some(alarm) = call.alarm.take() {
            self.alarms.remove(&(alarm, number));
        }
        self.media.command(MediaCommand::Close { session: call.session });
        self.forget_questions(number);
        self.let_go(&call, now);
        let message = call.message.take();
        self.record_call(&call, message, cause, now);
        match (message, call.left_message) {
            (Some(message), _) => self.deliveries.close(message),
            (None, false) => self.missed(&call, now),
            (None, true) => {}
        }
        self.emit(
            now,
            Event::UmCallEnded {
                call: number,
                kind: call.kind.name().into(),
                cause: cause.into(),
                duration_ms: u64::try_from(now.instant.saturating_duration_since(call.started.instant).as_millis())
                    .unwrap_or(u64::MAX),
            },
        );
    }
}

/// What was recorded to memory. A call that is run again has no sound: silence as long takes its place.
fn taped(tape: &Tape, duration: Duration) -> Arc<Audio> {
    let samples = tape.samples();
    Arc::new(if samples.is_empty() { Audio::silence(duration) } else { Audio::from_samples(samples) })
}

/// What is said, for the journal; audio by its length.
fn said(phrases: &[speech::Phrase]) -> String {
    let words: Vec<String> = phrases.iter().map(|phrase| format!("{phrase:?}")).collect();
    format!("says {}", words.join(", "))
}

/// What a change to a message is told as.
fn told_of(request: &StoreRequest) -> Option<Event> {
    match request {
        StoreRequest::SetRead(mailbox, message, read) => {
            Some(Event::MessageRead { mailbox: mailbox.to_string(), message: message.to_string(), read: *read })
        }
        StoreRequest::Delete(mailbox, message) => {
            Some(Event::MessageDeleted { mailbox: mailbox.to_string(), message: message.to_string() })
        }
        _ => None,
    }
}
