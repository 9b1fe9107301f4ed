//! The writer thread: takes orders, writes them in bulk, syncs once a second, and at once when a recording ends.

use super::log::{Log, Outcome};
use crate::{Codec, MediaEvent, RecordingId};
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What was written is forced to disk so often.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// What was said waits so long for company before it is written: a process that is killed loses no more than this on
/// top of what the recorder held back.
const WRITE_EVERY: Duration = Duration::from_millis(50);
/// Bytes written with one call.
const BULK: usize = 1 << 20;

type Listener = Box<dyn Fn(MediaEvent) + Send + Sync>;

pub enum Order {
    Begin { recording: RecordingId, codec: Codec, meta: Bytes, failed: Arc<AtomicBool> },
    Audio { recording: RecordingId, codec: Codec, position: u64, bytes: Vec<u8> },
    Annotate { recording: RecordingId, meta: Bytes },
    Finish { recording: RecordingId, codec: Codec, length: u64 },
    Release { recording: RecordingId },
    Listen { listener: Listener },
    Flush { done: Sender<()> },
}

/// The way to the thread; dropping it lets the thread finish what it has.
pub struct Writer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(log: Log, waiting: Arc<AtomicUsize>) -> io::Result<Writer> {
        // Unbounded, since a media thread must never wait for it; what may wait in it is bounded by `waiting`.
        let (orders, receiver) = crossbeam_channel::unbounded();
        let worker = Worker { log, waiting, listener: None, flushes: Vec::new(), flush: false };
        let thread = std::thread::Builder::new().name("spool".into()).spawn(move || worker.run(&receiver))?;
        Ok(Writer { orders: Some(orders), thread: Some(thread) })
    }

    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread lives as long as this does.
            let _ = orders.send(order);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A thread that panicked has nothing more to write.
            let _ = thread.join();
        }
    }
}

struct Worker {
    log: Log,
    waiting: Arc<AtomicUsize>,
    listener: Option<Listener>,
    flushes: Vec<Sender<()>>,
    flush: bool,
}

impl Worker {
    fn run(mut self, orders: &Receiver<Order>) {
        let mut next_sync = Instant::now() + SYNC_EVERY;
        loop {
            let now = Instant::now();
            let wait = if self.log.is_dirty() { next_sync.saturating_duration_since(now) } else { SYNC_EVERY };
            let ended = match orders.recv_timeout(wait.min(SYNC_EVERY)) {
                Ok(order) => {
                    self.take(order);
                    self.gather(orders)
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.log.write();
            let now = Instant::now();
            if self.flush || ended || self.log.is_awaited() || (self.log.is_dirty() && now >= next_sync) {
                self.sync();
                next_sync = Instant::now() + SYNC_EVERY;
            }
            if ended {
                return;
            }
        }
    }

    /// More orders for the same write: until somebody waits for it, it is large, or its time is up. True when there
    /// will be none any more.
    fn gather(&mut self, orders: &Receiver<Order>) -> bool {
        let until = Instant::now() + WRITE_EVERY;
        loop {
            // What is there already is taken in any case: a sync serves all who wait.
            while self.log.waiting() < BULK {
                match orders.try_recv() {
                    Ok(order) => self.take(order),
                    Err(crossbeam_channel::TryRecvError::Empty) => break,
                    Err(crossbeam_channel::TryRecvError::Disconnected) => return true,
                }
            }
            if self.flush || self.log.is_awaited() || self.log.waiting() >= BULK {
                return false;
            }
            match orders.recv_deadline(until) {
                Ok(order) => self.take(order),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Begin { recording, codec, meta, failed } => self.log.begin(recording, codec, &meta, failed),
            Order::Audio { recording, codec, position, bytes } => {
                self.log.audio(recording, codec, position, &bytes);
                self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            Order::Annotate { recording, meta } => self.log.annotate(recording, &meta),
            Order::Finish { recording, codec, length } => self.log.finish(recording, codec, length),
            Order::Release { recording } => self.log.release(recording),
            Order::Listen { listener } => self.listener = Some(listener),
            Order::Flush { done } => {
                self.flushes.push(done);
                self.flush = true;
            }
        }
    }

    fn sync(&mut self) {
        for outcome in self.log.sync() {
            let event = match outcome {
                Outcome::Durable { recording, length } => MediaEvent::RecordDurable { recording, length },
                Outcome::Failed { recording, error } => MediaEvent::RecordFailed { recording, error },
            };
            if let Some(listener) = &self.listener {
                listener(event);
            }
        }
        self.flush = false;
        for done in self.flushes.drain(..) {
            // Nobody waits any more: nothing to tell.
            let _ = done.send(());
        }
    }
}
