//! Finds out which call an input and what follows from it belong to, and keeps it on the call's tape.
//!
//! The role handles one thing at a time: a *step*. A step belongs to the call that its cause names (by Call-ID, media session,
//! ticket …), or, a timer's, to the calls that its outputs name. What a call sends under a new Call-ID is the call's from then
//! on; two calls that one step cannot be told apart in (a transfer joins them) become one tape.

use crate::entry::{Cause, Entry, Key, Known, Output};
use crate::tape::{Setup, Tape};
use event::{Event, Now};
use serde_json::Value;
use sip::Text;
use sip::chance::Origin;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after its last entry a call that is over is kept open: answers to BYE, the message's delivery.
pub(crate) const LINGER: Duration = Duration::from_secs(3);
/// Calls recorded at once, and the memory they may take; beyond it the one that began first is given up.
const MOST_TAPES: usize = 20_000;
const MOST_BYTES: usize = 64 << 20;
/// The memory that one call may take; beyond it it is given up.
const MOST_A_TAPE: usize = 4 << 20;

/// What is being handled.
struct Step {
    at: Now,
    /// `None`: nobody's, unless its outputs say otherwise (a timer).
    cause: Option<Cause>,
    /// Calls named by the cause, and those touched on the way.
    of: BTreeSet<u64>,
    /// A call that is not known yet may begin with it.
    opens: Option<Opening>,
    draws: Vec<(Origin, u64)>,
    known: Vec<Known>,
    outputs: Vec<(Option<u64>, Output)>,
    fresh_ids: Vec<Text>,
    fresh_keys: Vec<Key>,
    /// What a new call was told of its role.
    told: (Option<u64>, BTreeSet<String>),
    /// The call whose dialogue got the key that is being handled.
    pressed: Option<u64>,
    begun: Vec<(u64, String, String)>,
    over: Vec<(u64, String)>,
    secrets: Vec<(u64, usize, bool)>,
}

/// What a call begins with.
enum Opening {
    /// An INVITE: its Call-ID.
    Invite(Text),
    /// A command, if it places a call; the Call-ID comes with the INVITE that goes out.
    Order,
}

/// A role's recorder.
pub(crate) struct Recorder {
    setup: Arc<Setup>,
    last: u64,
    tapes: BTreeMap<u64, Tape>,
    // Only looked up, never walked.
    by_call_id: HashMap<Text, u64>,
    by_key: HashMap<Key, u64>,
    connections: HashMap<u64, BTreeSet<u64>>,
    closing: BTreeSet<(Instant, u64)>,
    bytes: usize,
    step: Option<Step>,
    /// Finished tapes, for whoever takes them.
    pub finished: Vec<Tape>,
    /// Calls given up since this was asked last.
    pub given_up: u64,
}

impl Recorder {
    pub fn new(role: &str) -> Recorder {
        let setup = Setup { role: role.to_owned(), ..Setup::default() };
        Recorder {
            setup: Arc::new(setup),
            last: 0,
            tapes: BTreeMap::new(),
            by_call_id: HashMap::new(),
            by_key: HashMap::new(),
            connections: HashMap::new(),
            closing: BTreeSet::new(),
            bytes: 0,
            step: None,
            finished: Vec::new(),
            given_up: 0,
        }
    }

    /// What the role was started with.
    pub fn set_up(&mut self, version: &str, settings: Value) {
        let role = self.setup.role.clone();
        self.setup = Arc::new(Setup { role, version: version.to_owned(), settings });
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.closing.first().map(|(at, _)| *at)
    }

    // ---- the step ----

    pub fn begin(&mut self, at: Now, cause: Cause, call_id: Option<&Text>, keys: &[Key], opens: bool) {
        self.close_due(at);
        let mut of: BTreeSet<u64> = keys.iter().flat_map(|key| self.of_key(key)).collect();
        of.extend(call_id.and_then(|id| self.by_call_id.get(id)).copied());
        let opening = call_id.cloned().map_or(Opening::Order, Opening::Invite);
        let opens = (of.is_empty() && opens).then_some(opening);
        if of.is_empty() && opens.is_none() && cause != Cause::Timer {
            self.step = None;
            return;
        }
        self.step = Some(Step {
            at,
            cause: Some(cause),
            of,
            opens,
            draws: Vec::new(),
            known: Vec::new(),
            outputs: Vec::new(),
            fresh_ids: Vec::new(),
            fresh_keys: Vec::new(),
            told: (None, BTreeSet::new()),
            pressed: None,
            begun: Vec::new(),
            over: Vec::new(),
            secrets: Vec::new(),
        });
    }

    pub fn is_recording(&self) -> bool {
        self.step.is_some()
    }

    /// What is being handled now, if a call is: its numbers that are not known yet, and whether the configuration's version is.
    pub fn wants(&mut self, version: u64, named: Vec<String>) -> Option<Wanted> {
        let step = self.step.as_mut()?;
        if step.cause == Some(Cause::Timer) {
            return None;
        }
        if step.opens.is_some() {
            step.told = (Some(version), named.iter().cloned().collect());
        }
        let (mut everything, mut numbers) = (step.opens.is_some(), BTreeSet::new());
        for number in &step.of {
            let Some(tape) = self.tapes.get_mut(number) else { continue };
            everything |= tape.version != Some(version);
            tape.version = Some(version);
            numbers.extend(tape.numbers.iter().cloned());
        }
        let fresh: Vec<String> = named.into_iter().filter(|number| !numbers.contains(number)).collect();
        if !everything && fresh.is_empty() {
            return None;
        }
        for number in &step.of {
            let Some(tape) = self.tapes.get_mut(number) else { continue };
            tape.numbers.extend(fresh.iter().cloned());
        }
        if everything {
            numbers.extend(fresh);
            return Some(Wanted { everything, numbers });
        }
        Some(Wanted { everything, numbers: fresh.into_iter().collect() })
    }

    pub fn drew(&mut self, origin: Origin, value: u64) {
        if let Some(step) = &mut self.step {
            step.draws.push((origin, value));
        }
    }

    pub fn known(&mut self, known: Known) {
        if let Some(step) = &mut self.step {
            step.known.push(known);
        }
    }

    /// An output; `call_id` and `of` say whose it is, `fresh` how it may be referred to.
    pub fn output(&mut self, output: Output, call_id: Option<Text>, of: Option<Key>, fresh: Option<Key>) {
        let Some(step) = &mut self.step else { return };
        let owner = call_id.as_ref().and_then(|id| self.by_call_id.get(id)).copied();
        let owner = owner.or_else(|| of.and_then(|key| self.by_key.get(&key)).copied());
        step.of.extend(owner);
        if owner.is_none() {
            step.fresh_ids.extend(call_id);
            step.fresh_keys.extend(of);
        }
        step.fresh_keys.extend(fresh);
        step.outputs.push((owner, output));
    }

    /// Something happens to this call.
    pub fn touch(&mut self, key: Key) {
        let Some(step) = &mut self.step else { return };
        match self.by_key.get(&key) {
            Some(tape) => {
                step.of.insert(*tape);
            }
            None => step.fresh_keys.push(key),
        }
    }

    /// The key that is being handled went to this call's dialogue.
    pub fn pressed(&mut self, call: u64) {
        if let Some(step) = &mut self.step {
            step.pressed = Some(call);
        }
    }

    /// From its key number `from` on, what is pressed in this call is secret, or (`secret` false) no longer.
    pub fn secret(&mut self, call: u64, from: usize, secret: bool) {
        if let Some(step) = &mut self.step {
            step.secrets.push((call, from, secret));
        }
    }

    pub fn event(&mut self, event: &Event, text: impl FnOnce() -> String) {
        if self.step.is_none() {
            return;
        }
        let number = call_of(event);
        match event {
            Event::CallStarted { call, from, to, .. } => self.started(*call, from, to),
            Event::UmCallStarted { call, from, pilot, .. } => self.started(*call, from, pilot),
            Event::CallEnded { call, cause, .. } | Event::UmCallEnded { call, cause, .. } => {
                if let Some(step) = &mut self.step {
                    step.over.push((*call, cause.clone()));
                }
            }
            _ => {}
        }
        self.output(Output::Did(text()), None, number.map(Key::Call), None);
    }

    fn started(&mut self, call: u64, from: &str, to: &str) {
        if let Some(step) = &mut self.step {
            step.begun.push((call, from.to_owned(), to.to_owned()));
        }
    }

    /// The step is over: it becomes an entry of the call it belongs to.
    pub fn end(&mut self) {
        let Some(mut step) = self.step.take() else { return };
        let Some(cause) = step.cause.take() else { return };
        if let Some(opening) = step.opens.take() {
            if matches!(opening, Opening::Order) && step.begun.is_empty() {
                // It placed none.
                return;
            }
            let number = self.open(step.at);
            step.of.insert(number);
            if let Opening::Invite(call_id) = opening {
                self.adopt_id(number, call_id);
            }
            if let Some(tape) = self.tapes.get_mut(&number) {
                (tape.version, tape.numbers) = std::mem::take(&mut step.told);
            }
        }
        let together = step.of.len() > 1 && !step.draws.is_empty();
        if together {
            self.unite(&mut step.of);
        }
        let (at, all) = (step.at, std::mem::take(&mut step.outputs));
        let one = step.of.len() == 1;
        let mut known = std::mem::take(&mut step.known);
        for tape in step.of.iter().copied() {
            let mine = |owner: &Option<u64>| one || *owner == Some(tape);
            let outputs: Vec<Output> =
                all.iter().filter(|(owner, _)| mine(owner)).map(|(_, output)| output.clone()).collect();
            if cause == Cause::Timer && outputs.is_empty() && step.draws.is_empty() {
                continue;
            }
            let draws = if one { std::mem::take(&mut step.draws) } else { Vec::new() };
            let entry = Entry { at, known: std::mem::take(&mut known), cause: cause.clone(), draws, outputs };
            self.append(tape, entry, step.pressed);
        }
        let Some(tape) = step.of.first().copied().filter(|_| one) else { return };
        for id in step.fresh_ids {
            self.adopt_id(tape, id);
        }
        for key in step.fresh_keys {
            self.adopt_key(tape, key);
        }
        for (call, from, secret) in step.secrets {
            self.mark_secret(call, from, secret);
        }
        let Some(tape) = self.tapes.get_mut(&tape) else { return };
        for (call, from, to) in step.begun {
            tape.live.insert(call);
            tape.calls.insert(call);
            if tape.about.to.is_empty() {
                (tape.about.from, tape.about.to) = (from, to);
            }
        }
        for (call, cause) in step.over {
            tape.live.remove(&call);
            tape.about.outcome = cause;
        }
        let number = tape.number;
        self.schedule(number, at);
    }

    // ---- tapes ----

    fn of_key(&self, key: &Key) -> Vec<u64> {
        match key {
            Key::Connection(number) => self.connections.get(number).into_iter().flatten().copied().collect(),
            key => self.by_key.get(key).copied().into_iter().collect(),
        }
    }

    fn open(&mut self, at: Now) -> u64 {
        while self.tapes.len() >= MOST_TAPES || self.bytes > MOST_BYTES {
            let Some(first) = self.tapes.keys().next().copied() else { break };
            self.give_up(first);
        }
        self.last += 1;
        self.tapes.insert(self.last, Tape::new(self.last, self.setup.clone(), at));
        self.last
    }

    fn append(&mut self, number: u64, entry: Entry, pressed: Option<u64>) {
        let Some(tape) = self.tapes.get_mut(&number) else { return };
        let size = entry.size();
        let connections = connections_of(&entry);
        tape.pressed.extend(pressed.map(|call| (call, tape.entries.len())));
        tape.entries.push(entry);
        tape.size = tape.size.saturating_add(size);
        self.bytes = self.bytes.saturating_add(size);
        let too_large = tape.size > MOST_A_TAPE;
        for connection in connections {
            if self.connections.entry(connection).or_default().insert(number) {
                tape.keys.push(Key::Connection(connection));
            }
        }
        if too_large {
            self.give_up(number);
        }
    }

    fn adopt_id(&mut self, number: u64, id: Text) {
        if let Some(tape) = self.tapes.get_mut(&number) {
            // It may be a slice of its message, which is on the tape anyway.
            tape.call_ids.push(id.clone());
            self.by_call_id.insert(id, number);
        }
    }

    fn adopt_key(&mut self, number: u64, key: Key) {
        if let Some(tape) = self.tapes.get_mut(&number)
            && self.by_key.insert(key, number) != Some(number)
        {
            tape.keys.push(key);
        }
    }

    fn mark_secret(&mut self, call: u64, from: usize, secret: bool) {
        let Some(tape) = self.by_key.get(&Key::Call(call)).and_then(|number| self.tapes.get_mut(number)) else {
            return;
        };
        match tape.secret.iter_mut().rfind(|(of, _)| *of == call) {
            Some((_, open)) if !secret && open.end == usize::MAX => open.end = from.max(open.start),
            _ if secret => tape.secret.push((call, from..usize::MAX)),
            _ => {}
        }
    }

    fn unite(&mut self, of: &mut BTreeSet<u64>) {
        let Some(first) = of.pop_first() else { return };
        for other in std::mem::take(of) {
            let Some(other) = self.remove(other) else { continue };
            for id in &other.call_ids {
                self.by_call_id.insert(id.clone(), first);
            }
            for key in &other.keys {
                match key {
                    Key::Connection(connection) => {
                        self.connections.entry(*connection).or_default().insert(first);
                    }
                    key => {
                        self.by_key.insert(*key, first);
                    }
                }
            }
            self.bytes = self.bytes.saturating_add(other.size);
            if let Some(tape) = self.tapes.get_mut(&first) {
                tape.take_over(other);
            }
        }
        of.insert(first);
    }

    /// Takes a tape out, and all ways to it.
    fn remove(&mut self, number: u64) -> Option<Tape> {
        let tape = self.tapes.remove(&number)?;
        for id in &tape.call_ids {
            self.by_call_id.remove(id);
        }
        for key in &tape.keys {
            if let Key::Connection(connection) = key {
                if let Some(users) = self.connections.get_mut(connection) {
                    users.remove(&number);
                    if users.is_empty() {
                        self.connections.remove(connection);
                    }
                }
            } else {
                self.by_key.remove(key);
            }
        }
        if let Some(at) = tape.closes {
            self.closing.remove(&(at, number));
        }
        self.bytes = self.bytes.saturating_sub(tape.size);
        Some(tape)
    }

    fn give_up(&mut self, number: u64) {
        if self.remove(number).is_some() {
            self.given_up += 1;
        }
    }

    /// A call that is over closes a while after its last entry.
    fn schedule(&mut self, number: u64, at: Now) {
        let Some(tape) = self.tapes.get_mut(&number) else { return };
        if let Some(before) = tape.closes.take() {
            self.closing.remove(&(before, number));
        }
        if tape.live.is_empty() {
            let closes = at.instant + LINGER;
            tape.closes = Some(closes);
            self.closing.insert((closes, number));
        }
    }

    pub fn close_due(&mut self, now: Now) {
        while let Some((at, number)) = self.closing.first().copied()
            && at <= now.instant
        {
            match self.remove(number) {
                Some(tape) => self.finished.push(tape),
                None => drop(self.closing.pop_first()),
            }
        }
    }

    /// The role ends: what is there is kept.
    pub fn close_all(&mut self) {
        self.step = None;
        while let Some(number) = self.tapes.keys().next().copied() {
            let tape = self.remove(number);
            self.finished.extend(tape);
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.tapes.is_empty()
            && self.by_call_id.is_empty()
            && self.by_key.is_empty()
            && self.connections.is_empty()
            && self.closing.is_empty()
            && self.bytes == 0
    }
}

/// What a call must be told of its role before it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// All that does not belong to one number too.
    pub everything: bool,
    pub numbers: BTreeSet<String>,
}

fn connections_of(entry: &Entry) -> Vec<u64> {
    match &entry.cause {
        Cause::Message { flow, .. } => flow.connection.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The role's number of the call that an event is about.
fn call_of(event: &Event) -> Option<u64> {
    use Event::*;
    match event {
        CallStarted { call, .. }
        | CallRinging { call, .. }
        | CallAnswered { call, .. }
        | CallDiverted { call, .. }
        | CallRedirected { call, .. }
        | CallEnded { call, .. }
        | UmCallStarted { call, .. }
        | UmCallEnded { call, .. } => Some(*call),
        _ => None,
    }
}
