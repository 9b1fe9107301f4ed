//! What a role holds of its journal: nothing, a recorder, or a record that is run again. The role's code is the same in all
//! three.

use crate::entry::{Cause, Entry, Key, Known, Output};
use crate::player::{Player, Step};
use crate::recorder::{Recorder, Wanted};
use crate::tape::Tape;
use crate::{named, writer};
use bytes::Bytes;
use event::{Event, Now};
use net::SipInput;
use sip::chance::Origin;
use sip::flow::{Destination, Flow, Transmit};
use sip::{Message, Method, Name, Watch};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A role's journal. Clones are the same journal; all of them live on the role's thread, so its lock is never waited for.
#[derive(Clone, Default)]
pub struct Journal {
    mode: Option<Arc<Mutex<Mode>>>,
}

enum Mode {
    Recording { recorder: Box<Recorder>, to: writer::Door },
    Playing(Box<Player>),
}

impl Journal {
    /// Records nothing.
    pub fn off() -> Journal {
        Journal::default()
    }

    /// Records the calls of a role (`node`, `um`); what is finished goes to `to`.
    pub fn recording(role: &str, to: writer::Door) -> Journal {
        Journal::of(Mode::Recording { recorder: Box::new(Recorder::new(role)), to })
    }

    /// Runs these entries again.
    pub fn playing(entries: Arc<Vec<Entry>>) -> Journal {
        Journal::of(Mode::Playing(Box::new(Player::new(entries))))
    }

    fn of(mode: Mode) -> Journal {
        Journal { mode: Some(Arc::new(Mutex::new(mode))) }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Mode>> {
        // Nothing that runs under the lock leaves it half changed.
        self.mode.as_ref().map(|mode| mode.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_recorder<T>(&self, act: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
        match self.lock().as_deref_mut() {
            Some(Mode::Recording { recorder, .. }) => Some(act(recorder)),
            _ => None,
        }
    }

    fn with_player<T>(&self, act: impl FnOnce(&mut Player) -> T) -> Option<T> {
        match self.lock().as_deref_mut() {
            Some(Mode::Playing(player)) => Some(act(player)),
            _ => None,
        }
    }

    pub fn is_playing(&self) -> bool {
        self.with_player(|_| ()).is_some()
    }

    /// The watch for the role's dice; `None` when nobody watches.
    pub fn watch(&self) -> Option<Arc<dyn Watch>> {
        self.mode.as_ref().map(|_| Arc::new(self.clone()) as Arc<dyn Watch>)
    }

    /// Dice for a role with this journal.
    pub fn chance(&self, seed: [u8; 32]) -> sip::Chance {
        match self.watch() {
            Some(watch) => sip::Chance::watched(seed, watch),
            None => sip::Chance::new(seed),
        }
    }

    /// The role says what it was started with: what it needs to be started again for one call.
    pub fn set_up(&self, version: &str, settings: serde_json::Value) {
        self.with_recorder(|recorder| recorder.set_up(version, settings));
    }

    /// When the role should look in, to have finished calls written.
    pub fn deadline(&self) -> Option<Instant> {
        self.with_recorder(|recorder| recorder.deadline()).flatten()
    }

    /// Has what is finished written, though nothing happens.
    pub fn tick(&self, now: Now) {
        if let Some(Mode::Recording { recorder, to }) = self.lock().as_deref_mut() {
            recorder.close_due(now);
            to.give(recorder);
        }
    }

    // ---- steps: begin, whatever happens, end ----

    fn begin(&self, now: Now, call_id: Option<&sip::Text>, keys: &[Key], opens: bool, cause: impl FnOnce() -> Cause) {
        match self.lock().as_deref_mut() {
            None => {}
            Some(Mode::Recording { recorder, .. }) => recorder.begin(now, cause(), call_id, keys, opens),
            Some(Mode::Playing(player)) => player.begin(now, cause()),
        }
    }

    /// What `net` has to say.
    pub fn begin_sip(&self, input: &SipInput, now: Now) {
        if self.mode.is_none() {
            return;
        }
        match input {
            SipInput::Received { message: Ok(message), wire, flow } => self.begin_message(message, wire, flow, now),
            SipInput::Received { message: Err(_), .. } => {}
            SipInput::TransmitFailed { id, error } => {
                let cause = || Cause::TransmitFailed { id: *id, error: *error };
                self.begin(now, None, &[Key::Transmit(*id)], false, cause);
            }
            SipInput::FlowClosed(flow) => {
                let keys: Vec<Key> = flow.connection.map(Key::Connection).into_iter().collect();
                self.begin(now, None, &keys, false, || Cause::FlowClosed(flow.clone()));
            }
            SipInput::Resolved { query, answer } => {
                let cause = || Cause::Resolved { query: query.0, answer: answer.clone() };
                self.begin(now, None, &[Key::Query(query.0)], false, cause);
            }
        }
    }

    fn begin_message(&self, message: &Message, wire: &Bytes, flow: &Flow, now: Now) {
        let opens = match message {
            Message::Request(request) => request.method == Method::Invite && request.to_tag().is_none(),
            Message::Response(_) => false,
        };
        let call_id = message.headers().get(&Name::CallId);
        self.begin(now, call_id, &[], opens, || Cause::Message { wire: wire.clone(), flow: flow.clone() });
    }

    /// Something that is found by these keys.
    pub fn begin_own(&self, keys: &[Key], now: Now, cause: impl FnOnce() -> Cause) {
        self.begin(now, None, keys, false, cause);
    }

    /// A command that may place a call: if it does, the call begins with it. Of a call that there is already, `keys` name it.
    pub fn begin_order(&self, keys: &[Key], now: Now, cause: impl FnOnce() -> Cause) {
        self.begin(now, None, keys, true, cause);
    }

    /// Timers are looked at one by one.
    pub fn begin_timer(&self, now: Now) {
        self.begin(now, None, &[], false, || Cause::Timer);
    }

    /// What began is over.
    pub fn end(&self) {
        match self.lock().as_deref_mut() {
            None => {}
            Some(Mode::Recording { recorder, to }) => {
                recorder.end();
                to.give(recorder);
            }
            Some(Mode::Playing(player)) => player.end(),
        }
    }

    /// Whether what is being handled is kept: what is only made for the journal need not be made otherwise.
    pub fn listens(&self) -> bool {
        match self.lock().as_deref() {
            None => false,
            Some(Mode::Recording { recorder, .. }) => recorder.is_recording(),
            Some(Mode::Playing(_)) => true,
        }
    }

    /// What must be told of the role's state for the message that is being handled; `version` counts the configuration's
    /// changes.
    pub fn wants(&self, version: u64, wire: &[u8]) -> Option<Wanted> {
        self.with_recorder(|recorder| {
            if !recorder.is_recording() {
                return None;
            }
            recorder.wants(version, named::numbers(wire))
        })
        .flatten()
    }

    /// The same for numbers that came some other way: by keys.
    pub fn wants_numbers(&self, version: u64, numbers: Vec<String>) -> Option<Wanted> {
        self.with_recorder(|recorder| recorder.wants(version, numbers)).flatten()
    }

    // ---- what happens in a step ----

    pub fn known(&self, kind: &str, key: &str, value: Option<String>) {
        self.with_recorder(|recorder| {
            recorder.known(Known { kind: kind.to_owned(), key: key.to_owned(), value });
        });
    }

    /// A message goes out; `local` is the address that it leaves from, as far as that is known.
    pub fn sent(&self, transmit: &Transmit, local: impl FnOnce() -> SocketAddr) {
        if !self.listens() {
            return;
        }
        let from = match &transmit.to {
            Destination::Flow(flow) => flow.local,
            Destination::Address { .. } => local(),
        };
        let output = Output::Sent { to: transmit.to.clone(), local: from, wire: transmit.bytes.clone() };
        match self.lock().as_deref_mut() {
            Some(Mode::Recording { recorder, .. }) => {
                let fresh = (transmit.id != 0).then_some(Key::Transmit(transmit.id));
                recorder.output(output, named::call_id(&transmit.bytes), None, fresh);
            }
            Some(Mode::Playing(player)) => player.output(output),
            None => {}
        }
    }

    /// Anything else that the role does. `of` says which call it belongs to, `fresh` how it is referred to from now on.
    pub fn did(&self, of: Option<Key>, fresh: Option<Key>, text: impl FnOnce() -> String) {
        match self.lock().as_deref_mut() {
            Some(Mode::Recording { recorder, .. }) if recorder.is_recording() => {
                recorder.output(Output::Did(text()), None, of, fresh);
            }
            Some(Mode::Playing(player)) => player.output(Output::Did(text())),
            _ => {}
        }
    }

    /// A question to the DNS goes out.
    pub fn asked_dns(&self, query: u64) {
        self.did(None, Some(Key::Query(query)), || "looks a name up".to_owned());
    }

    /// Something is told.
    pub fn event(&self, event: &Event) {
        // An alarm is told once, whatever raised it: no business of one call.
        if matches!(event, Event::AlarmRaised { .. } | Event::AlarmCleared { .. }) {
            return;
        }
        let text = || format!("tells {}", serde_json::to_string(event).unwrap_or_default());
        match self.lock().as_deref_mut() {
            Some(Mode::Recording { recorder, .. }) => recorder.event(event, text),
            Some(Mode::Playing(player)) => player.output(Output::Did(text())),
            None => {}
        }
    }

    /// Something happens to the call with this key.
    pub fn touch(&self, key: Key) {
        self.with_recorder(|recorder| recorder.touch(key));
    }

    /// The key that is being handled went to a dialogue.
    pub fn pressed(&self, call: u64) {
        self.with_recorder(|recorder| recorder.pressed(call));
    }

    /// From its key number `from` on (counted from 0, as its dialogue takes them), what is pressed in the call is secret, or is no
    /// longer.
    pub fn secret(&self, call: u64, from: usize, secret: bool) {
        self.with_recorder(|recorder| recorder.secret(call, from, secret));
    }

    /// The role ends: what is being recorded is kept as far as it came.
    pub fn close(&self) {
        if let Some(Mode::Recording { recorder, to }) = self.lock().as_deref_mut() {
            recorder.close_all();
            to.give(recorder);
        }
    }

    // ---- replay ----

    /// The entry that comes next.
    pub fn position(&self) -> usize {
        self.with_player(|player| player.next).unwrap_or_default()
    }

    /// An entry whose moment passed without anything: told as a step that did nothing.
    pub(crate) fn miss(&self, entry: &Entry) {
        self.with_player(|player| player.miss(entry));
    }

    /// What was run since the last call.
    pub fn take_steps(&self) -> Vec<Step> {
        self.with_player(|player| std::mem::take(&mut player.steps)).unwrap_or_default()
    }

    /// Finished calls, where no writer takes them: for tests.
    pub fn take_finished(&self, now: Now) -> Vec<Tape> {
        self.with_recorder(|recorder| {
            recorder.close_due(now);
            std::mem::take(&mut recorder.finished)
        })
        .unwrap_or_default()
    }
}

impl Watch for Journal {
    fn pass(&self, origin: Origin, fresh: u64) -> u64 {
        match self.lock().as_deref_mut() {
            None => fresh,
            Some(Mode::Recording { recorder, .. }) => {
                recorder.drew(origin, fresh);
                fresh
            }
            Some(Mode::Playing(player)) => player.pass(origin, fresh),
        }
    }
}
