//! The engine: its threads, its ports, and the handle that roles hold.

use crate::meter::{self, Totals};
use crate::ports::Ports;
use crate::session::Session;
use crate::sys::Waker;
use crate::worker::{Mailbox, Message, Worker};
use crate::{Codec, Control, MediaCommand, MediaEvent, OpenError, SessionId, Spool};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How to start an engine.
pub struct EngineConfig {
    /// All media sockets are bound to this address.
    pub bind: IpAddr,
    /// RTP takes the even ports of it, RTCP the next odd one.
    pub ports: RangeInclusive<u16>,
    /// Media threads; sessions are spread over them. 0 is taken as 1.
    pub threads: usize,
    /// Where recordings go; without one, `RecordTo::Spool` fails.
    pub spool: Option<Spool>,
    /// After this long without RTP or RTCP a stream that should be heard is lost.
    pub stream_timeout: Duration,
    /// For SSRCs, first sequence numbers and timestamps (RFC 3550 5.1: they are random), and RTCP's intervals.
    pub seed: [u8; 32],
    /// While it is set nothing leaves and nothing is heard: the cable is pulled, in the lab and in tests.
    pub pulled: Arc<AtomicBool>,
}

impl EngineConfig {
    /// One thread, no spool, streams lost after 20 s.
    pub fn new(bind: IpAddr, ports: RangeInclusive<u16>, seed: [u8; 32]) -> EngineConfig {
        let stream_timeout = Duration::from_secs(20);
        EngineConfig { bind, ports, threads: 1, spool: None, stream_timeout, seed, pulled: Arc::default() }
    }
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The range holds no even port with its odd neighbour.
    #[error("the media port range holds no port pair")]
    NoPorts,
    /// The system refused a thread, an epoll or a timer.
    #[error("media engine: {0}")]
    System(#[from] std::io::Error),
}

/// Owns the media threads; dropping it closes all sessions (recordings are kept and forced to disk) and ends them.
pub struct Engine {
    media: Media,
    threads: Vec<JoinHandle<()>>,
}

/// The handle that roles hold. Clones are the same engine.
#[derive(Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

struct Shared {
    bind: IpAddr,
    workers: Vec<Mailbox>,
    ports: Arc<Mutex<Ports>>,
    spool: Option<Spool>,
    book: Mutex<Book>,
    totals: Arc<Totals>,
}

/// What the handles know of the sessions. Locked once a command, never for a packet.
struct Book {
    random: StdRng,
    last: u64,
    sessions: BTreeMap<SessionId, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    worker: usize,
    codec: Option<Codec>,
}

impl Engine {
    /// `events` is called from the engine's threads: it must be quick and never block.
    pub fn start(
        config: EngineConfig,
        events: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<Engine, StartError> {
        let mut ports = Ports::new(config.bind, &config.ports).ok_or(StartError::NoPorts)?;
        ports.pulled = config.pulled;
        let ports = Arc::new(Mutex::new(ports));
        if let Some(limit) = crate::sys::raise_file_limit() {
            tracing::debug!(limit, "open files allowed; a call takes two");
        }
        let events: Arc<dyn Fn(MediaEvent) + Send + Sync> = Arc::new(events);
        if let Some(spool) = &config.spool {
            let events = events.clone();
            spool.tell(move |event| events(event));
        }
        let mut workers = Vec::new();
        let mut threads = Vec::new();
        for n in 0..config.threads.max(1) {
            // Commands come from roles that wait for what they asked for, so their number is bounded by the calls.
            let (queue, receiver) = crossbeam_channel::unbounded();
            let waker = Arc::new(Waker::new()?);
            let worker = Worker::new(
                receiver,
                waker.clone(),
                ports.clone(),
                config.spool.clone(),
                events.clone(),
                config.stream_timeout,
            )?;
            threads.push(std::thread::Builder::new().name(format!("media-{n}")).spawn(move || worker.run())?);
            workers.push(Mailbox { queue, waker });
        }
        let book = Book { random: StdRng::from_seed(config.seed), last: 0, sessions: BTreeMap::new() };
        let shared = Shared {
            bind: config.bind,
            workers,
            ports,
            spool: config.spool,
            book: Mutex::new(book),
            totals: Arc::default(),
        };
        Ok(Engine { media: Media { shared: Arc::new(shared) }, threads })
    }

    pub fn control(&self) -> Media {
        self.media.clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for worker in &self.media.shared.workers {
            worker.send(Message::Stop);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
        if let Some(spool) = &self.media.shared.spool {
            spool.flush();
        }
    }
}

impl Media {
    /// For `/metrics`: sessions, packets, and the spool where there is one.
    pub fn samples(&self, role: &'static str) -> Vec<event::Sample> {
        let sessions = self.book().sessions.len();
        meter::samples(role, sessions, &self.shared.totals, self.shared.spool.as_ref().map(Spool::depth))
    }

    /// Commands that the media threads have not taken yet.
    pub fn waiting(&self) -> usize {
        self.shared.workers.iter().map(|worker| worker.queue.len()).sum()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Entries are put in and taken out whole: a panic in between leaves none half.
        self.shared.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_worker(&self, worker: usize, message: Message) -> bool {
        self.shared.workers.get(worker).is_some_and(|mailbox| mailbox.send(message))
    }

    /// Two sessions that are put together must live on one thread: the second moves to that of the first.
    fn relay(&self, a: SessionId, b: SessionId) {
        let mut book = self.book();
        let (Some(of_a), Some(of_b)) = (book.sessions.get(&a).copied(), book.sessions.get_mut(&b)) else { return };
        let before = std::mem::replace(&mut of_b.worker, of_a.worker);
        if before == of_a.worker {
            self.to_worker(before, Message::Command(MediaCommand::Relay { a, b }));
        } else if let Some(to) = self.shared.workers.get(of_a.worker).cloned() {
            // With the book still locked, so that no command for `b` overtakes this.
            self.to_worker(of_a.worker, Message::Expect(b));
            self.to_worker(before, Message::GiveAway { session: b, with: a, to });
        }
    }
}

impl Control for Media {
    fn open(&mut self) -> Result<(SessionId, SocketAddr), OpenError> {
        let pair = self.shared.ports.lock().unwrap_or_else(PoisonError::into_inner).open()?;
        let address = SocketAddr::new(self.shared.bind, pair.port);
        let mut book = self.book();
        book.last += 1;
        let id = SessionId(book.last);
        let random = [book.random.random(), book.random.random(), book.random.random()];
        let worker = (id.0 as usize) % self.shared.workers.len();
        let session = Box::new(Session::new(id, pair, random, self.shared.totals.clone(), Instant::now()));
        if !self.to_worker(worker, Message::Open(session)) {
            return Err(OpenError::Stopped);
        }
        book.sessions.insert(id, Entry { worker, codec: None });
        Ok((id, address))
    }

    fn command(&mut self, command: MediaCommand) {
        match &command {
            MediaCommand::Annotate { recording, meta } => {
                if let Some(spool) = &self.shared.spool {
                    spool.annotate(*recording, meta.clone());
                }
            }
            MediaCommand::Relay { a, b } => self.relay(*a, *b),
            _ => {}
        }
        let Some(id) = command.session() else { return };
        if let MediaCommand::Play { clips, .. } = &command {
            // Clips are encoded here, once, so that the media thread never has to.
            let codec = self.book().sessions.get(&id).and_then(|entry| entry.codec);
            for clip in clips {
                for codec in [Codec::Pcma, Codec::Pcmu].into_iter().filter(|c| codec.is_none_or(|only| only == *c)) {
                    clip.encoded(codec);
                }
            }
        }
        let mut book = self.book();
        let Some(entry) = book.sessions.get_mut(&id) else { return };
        if let MediaCommand::Connect { stream, .. } = &command {
            entry.codec = Some(stream.codec);
        }
        let worker = entry.worker;
        if matches!(command, MediaCommand::Close { .. }) {
            book.sessions.remove(&id);
        }
        self.to_worker(worker, Message::Command(command));
    }
}
