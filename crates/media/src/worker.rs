//! A media thread: its sessions, its clock of 20 ms, and the commands that reach it. However many calls there are, there
//! is one loop.

use crate::ports::Ports;
use crate::recording::{Drain, Recording};
use crate::session::{Context, Session};
use crate::speaker::TICK_MS;
use crate::sys::{Batch, Epoll, Waker};
use crate::{MediaCommand, MediaEvent, PlayEnd, RecordEnd, RecordTo, SessionId, Spool};
use crossbeam_channel::{Receiver, Sender};
use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(TICK_MS);
/// Ticks that are made up for when the thread was late; beyond that, what should have been said is left out.
const CATCH_UP: u32 = 5;
const IDLE: Duration = Duration::from_secs(60);
/// The waker's token; sessions have their slot's number.
const WAKER: u64 = u64::MAX;

/// What reaches a media thread.
pub enum Message {
    Open(Box<Session>),
    Command(MediaCommand),
    /// The session is on its way from another thread: its commands wait for it.
    Expect(SessionId),
    /// Hand the session over to another thread, to be relayed there with `with`.
    GiveAway {
        session: SessionId,
        with: SessionId,
        to: Mailbox,
    },
    Adopt {
        session: Option<Box<Session>>,
        id: SessionId,
        with: SessionId,
    },
    Stop,
}

/// The way into a media thread.
#[derive(Clone)]
pub struct Mailbox {
    pub queue: Sender<Message>,
    pub waker: Arc<Waker>,
}

impl Mailbox {
    /// False when the thread has ended.
    pub fn send(&self, message: Message) -> bool {
        let sent = self.queue.send(message).is_ok();
        self.waker.wake();
        sent
    }
}

pub struct Worker {
    pub queue: Receiver<Message>,
    pub waker: Arc<Waker>,
    pub epoll: Epoll,
    pub ports: Arc<Mutex<Ports>>,
    pub spool: Option<Spool>,
    pub events: Arc<dyn Fn(MediaEvent) + Send + Sync>,
    pub stream_timeout: Duration,
    sessions: Vec<Option<Box<Session>>>,
    free: Vec<usize>,
    slots: BTreeMap<SessionId, usize>,
    /// Sessions on their way here, and what is to be done with them then.
    expected: BTreeMap<SessionId, Vec<Message>>,
    batch: Batch,
    parts: Vec<(usize, Range<usize>)>,
    tick: u64,
}

impl Worker {
    pub fn new(
        queue: Receiver<Message>,
        waker: Arc<Waker>,
        ports: Arc<Mutex<Ports>>,
        spool: Option<Spool>,
        events: Arc<dyn Fn(MediaEvent) + Send + Sync>,
        stream_timeout: Duration,
    ) -> std::io::Result<Worker> {
        let epoll = Epoll::new()?;
        epoll.add(waker.fd(), WAKER)?;
        Ok(Worker {
            queue,
            waker,
            epoll,
            ports,
            spool,
            events,
            stream_timeout,
            sessions: Vec::new(),
            free: Vec::new(),
            slots: BTreeMap::new(),
            expected: BTreeMap::new(),
            batch: Batch::new(),
            parts: Vec::with_capacity(crate::sys::BATCH),
            tick: 0,
        })
    }

    pub fn run(mut self) {
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            // Without sessions there is no tick: an idle system sleeps until it is asked for something.
            let idle = self.slots.is_empty() && self.expected.is_empty();
            let wait = if idle { IDLE } else { next_tick.saturating_duration_since(now) };
            // epoll_wait fails only for what cannot be here (a bad descriptor); then the tick alone serves.
            let ready = match self.epoll.wait(wait) {
                Ok(ready) => ready,
                Err(_) => {
                    std::thread::sleep(TICK);
                    0
                }
            };
            if idle {
                next_tick = Instant::now() + TICK;
            }
            let now = Instant::now();
            for n in 0..ready {
                match self.epoll.token(n) {
                    Some(WAKER) => {
                        self.waker.clear();
                        if !self.take_messages(now) {
                            return;
                        }
                    }
                    Some(slot) => self.relay(slot as usize, now, false),
                    None => {}
                }
            }
            let mut late = 0;
            while now >= next_tick {
                next_tick += TICK;
                self.tick += 1;
                late += 1;
                if late <= CATCH_UP {
                    self.serve_tick(now);
                }
            }
        }
    }

    /// All that was sent; false when it is time to end.
    fn take_messages(&mut self, now: Instant) -> bool {
        while let Ok(message) = self.queue.try_recv() {
            if !self.message(message, now) {
                return false;
            }
        }
        true
    }

    fn message(&mut self, message: Message, now: Instant) -> bool {
        match message {
            Message::Open(session) => {
                self.insert(session);
            }
            Message::Command(command) => self.command(command, now),
            Message::Expect(session) => {
                self.expected.insert(session, Vec::new());
            }
            Message::GiveAway { session, with, to } => self.give_away(session, with, to),
            Message::Adopt { session, id, with } => self.adopt(session, id, with, now),
            Message::Stop => {
                let all: Vec<SessionId> = self.slots.keys().copied().collect();
                all.into_iter().for_each(|session| self.close(session, now));
                return false;
            }
        }
        true
    }

    fn insert(&mut self, session: Box<Session>) -> usize {
        let id = session.id;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.sessions[slot] = Some(session);
                slot
            }
            None => {
                self.sessions.push(Some(session));
                self.sessions.len() - 1
            }
        };
        self.slots.insert(id, slot);
        slot
    }

    fn session(&mut self, id: SessionId) -> Option<&mut Session> {
        let slot = *self.slots.get(&id)?;
        self.sessions.get_mut(slot)?.as_deref_mut()
    }

    fn command(&mut self, command: MediaCommand, now: Instant) {
        if let MediaCommand::Relay { a, b } = command {
            let waiting = if self.expected.contains_key(&a) { a } else { b };
            match self.expected.get_mut(&waiting) {
                Some(waiting) => waiting.push(Message::Command(command)),
                None => self.start_relay(a, b, now),
            }
            return;
        }
        // `Annotate` never comes here: the handle gives it to the spool.
        let Some(id) = command.session() else { return };
        if let Some(waiting) = self.expected.get_mut(&id) {
            waiting.push(Message::Command(command));
            return;
        }
        let tick = self.tick;
        let events = self.events.clone();
        match command {
            MediaCommand::Connect { stream, .. } => {
                if let Some(session) = self.session(id) {
                    session.connect(stream, tick, now);
                }
            }
            MediaCommand::Play { play, clips, barge_in, repeat, .. } => {
                if let Some(session) = self.session(id) {
                    session.speaker.play(play, clips, barge_in, repeat).into_iter().for_each(|event| events(event));
                }
            }
            MediaCommand::StopPlay { .. } => {
                if let Some(session) = self.session(id) {
                    session.speaker.stop(PlayEnd::Stopped).into_iter().for_each(|event| events(event));
                }
            }
            MediaCommand::Record { recording, to, meta, limits, .. } => {
                // What waits in the socket was said before.
                self.receive(id, now);
                let spool = self.spool.clone();
                let Some(session) = self.session(id) else { return };
                session.stop_recording(RecordEnd::Stopped, &*events);
                let codec = session.recording_codec();
                let drain = match (to, spool) {
                    (RecordTo::Tape(tape), _) => Drain::Tape(tape),
                    (RecordTo::Spool, Some(spool)) => Drain::Spool(spool.begin(recording, codec, meta)),
                    (RecordTo::Spool, None) => {
                        let (session, reason) = (id, RecordEnd::Failed);
                        let (duration, loud) = (Duration::ZERO, Duration::ZERO);
                        return events(MediaEvent::RecordEnded { session, recording, reason, duration, loud });
                    }
                };
                session.record(Recording::new(id, recording, codec, limits, drain, now));
            }
            MediaCommand::PauseRecord { .. } => {
                self.receive(id, now);
                if let Some(recording) = self.session(id).and_then(Session::recording_mut) {
                    recording.pause();
                }
            }
            MediaCommand::ResumeRecord { .. } => {
                self.receive(id, now);
                if let Some(recording) = self.session(id).and_then(Session::recording_mut) {
                    recording.resume(now);
                }
            }
            MediaCommand::StopRecord { .. } => {
                self.receive(id, now);
                if let Some(session) = self.session(id) {
                    session.stop_recording(RecordEnd::Stopped, &*events);
                }
            }
            MediaCommand::Listen { listen, .. } => {
                // What waits in the socket was said before.
                self.receive(id, now);
                if let Some(session) = self.session(id) {
                    session.listen(listen);
                }
            }
            MediaCommand::SendKeys { keys, tone, gap, .. } => {
                if let Some(session) = self.session(id) {
                    session.speaker.send_keys(&keys, tone, gap);
                }
            }
            MediaCommand::Unrelay { .. } => self.end_relay(id),
            MediaCommand::Close { .. } => self.close(id, now),
            MediaCommand::Relay { .. } | MediaCommand::Annotate { .. } => {}
        }
    }

    /// Takes what waits in a session's socket, and passes it on if it is relayed.
    fn receive(&mut self, id: SessionId, now: Instant) {
        if let Some(slot) = self.slots.get(&id).copied() {
            self.relay(slot, now, true);
        }
    }

    fn relay(&mut self, slot: usize, now: Instant, all: bool) {
        // Out of their places for the moment: two of one vector cannot be borrowed at once.
        let Some(mut session) = self.sessions.get_mut(slot).and_then(Option::take) else { return };
        let peer_slot = session.peer;
        let mut peer = peer_slot.and_then(|slot| self.sessions.get_mut(slot)?.take());
        let mut context =
            Context { batch: &mut self.batch, parts: &mut self.parts, tell: &*self.events, now, tick: self.tick };
        session.receive(&mut context, peer.as_deref_mut(), all);
        if let (Some(slot), Some(peer)) = (peer_slot, peer) {
            self.sessions[slot] = Some(peer);
        }
        self.sessions[slot] = Some(session);
    }

    fn serve_tick(&mut self, now: Instant) {
        let mut context =
            Context { batch: &mut self.batch, parts: &mut self.parts, tell: &*self.events, now, tick: self.tick };
        for (slot, session) in self.sessions.iter_mut().enumerate() {
            if let Some(session) = session {
                session.tick(slot, &mut context, self.stream_timeout);
            }
        }
    }

    fn start_relay(&mut self, a: SessionId, b: SessionId, now: Instant) {
        let (Some(slot_a), Some(slot_b)) = (self.slots.get(&a).copied(), self.slots.get(&b).copied()) else { return };
        if slot_a == slot_b {
            return;
        }
        self.end_relay(a);
        self.end_relay(b);
        for (id, slot, peer) in [(a, slot_a, slot_b), (b, slot_b, slot_a)] {
            // What waits was said before the two were put together.
            self.receive(id, now);
            let Some(session) = self.sessions.get_mut(slot).and_then(Option::as_deref_mut) else { continue };
            session.peer = Some(peer);
            if self.epoll.add(session.pair.rtp.as_raw_fd(), slot as u64).is_ok() {
                session.watched = true;
            }
        }
    }

    fn end_relay(&mut self, id: SessionId) {
        let Some(slot) = self.slots.get(&id).copied() else { return };
        let peer = self.sessions.get(slot).and_then(|session| session.as_ref()?.peer);
        for slot in [Some(slot), peer].into_iter().flatten() {
            let Some(session) = self.sessions.get_mut(slot).and_then(Option::as_deref_mut) else { continue };
            session.peer = None;
            session.speaker.end_relay();
            if std::mem::take(&mut session.watched) {
                // Fails only if it was not there, which is what is wanted.
                let _ = self.epoll.remove(session.pair.rtp.as_raw_fd());
            }
        }
    }

    fn remove(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.end_relay(id);
        let slot = self.slots.remove(&id)?;
        let session = self.sessions.get_mut(slot)?.take();
        self.free.push(slot);
        session
    }

    fn close(&mut self, id: SessionId, now: Instant) {
        // What came in before the hang-up belongs to the recording.
        self.receive(id, now);
        let Some(mut session) = self.remove(id) else { return };
        session.close(&*self.events);
        let port = session.pair.port;
        drop(session);
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).give_back(port);
    }

    fn give_away(&mut self, id: SessionId, with: SessionId, to: Mailbox) {
        if let Some(waiting) = self.expected.get_mut(&id) {
            waiting.push(Message::GiveAway { session: id, with, to });
            return;
        }
        let session = self.remove(id);
        to.send(Message::Adopt { session, id, with });
    }

    fn adopt(&mut self, session: Option<Box<Session>>, id: SessionId, with: SessionId, now: Instant) {
        let waiting = self.expected.remove(&id).unwrap_or_default();
        if let Some(session) = session {
            self.insert(session);
        }
        self.start_relay(with, id, now);
        for message in waiting {
            self.message(message, now);
        }
    }
}
