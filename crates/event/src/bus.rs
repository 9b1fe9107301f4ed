use crate::{Event, Now};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many past records a new subscriber can still be given.
const KEPT: usize = 1000;
/// How many records may wait for a slow subscriber before it loses the newest ones.
const QUEUE: usize = 4096;

/// An event with the time at which it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Counts up from 1 without gaps within a process: a subscriber that sees a gap has lost records.
    pub number: u64,
    pub at: Now,
    pub event: Event,
}

/// Whoever is told of events. State machines hold one and never know who listens.
pub trait Sink: Send + Sync {
    fn emit(&self, now: Now, event: Event);

    /// Whether somebody listens right now. Events that happen for each message are not made for nobody.
    fn listens(&self) -> bool {
        true
    }
}

/// Fans events out to subscribers. Cloning is cheap; all clones are the same bus.
#[derive(Clone, Default)]
pub struct Bus {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    number: u64,
    kept: VecDeque<Record>,
    subscribers: Vec<SyncSender<Record>>,
}

/// Records as they happen. Dropping it unsubscribes.
pub struct Subscription {
    /// What had happened before, oldest first (at most 1,000 records).
    pub past: Vec<Record>,
    pub records: Receiver<Record>,
}

impl Bus {
    pub fn new() -> Bus {
        Bus::default()
    }

    pub fn subscribe(&self) -> Subscription {
        let (sender, records) = sync_channel(QUEUE);
        let mut inner = self.lock();
        inner.subscribers.push(sender);
        Subscription { past: inner.kept.iter().cloned().collect(), records }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held leaves at worst one record unsent: the queue itself is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Bus {
    fn emit(&self, now: Now, event: Event) {
        let mut inner = self.lock();
        inner.number += 1;
        let record = Record { number: inner.number, at: now, event };
        // A subscriber that does not read loses records (and sees the gap); the role never waits for it.
        inner.subscribers.retain(|subscriber| match subscriber.try_send(record.clone()) {
            Ok(()) | Err(TrySendError::Full(_)) => true,
            Err(TrySendError::Disconnected(_)) => false,
        });
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(record);
    }

    fn listens(&self) -> bool {
        !self.lock().subscribers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(n: usize) -> Event {
        Event::MailboxLocked { mailbox: n.to_string() }
    }

    #[test]
    fn a_late_subscriber_gets_the_past_and_what_follows() {
        let bus = Bus::new();
        let now = Now::read();
        bus.emit(now, locked(1));
        let subscription = bus.subscribe();
        bus.emit(now, locked(2));
        assert_eq!(subscription.past.len(), 1);
        assert_eq!(subscription.records.recv().unwrap().number, 2);
    }

    #[test]
    fn a_subscriber_that_does_not_read_loses_records_and_can_tell() {
        let bus = Bus::new();
        let now = Now::read();
        let subscription = bus.subscribe();
        for n in 0..QUEUE + 10 {
            bus.emit(now, locked(n));
        }
        assert_eq!(subscription.records.try_iter().count(), QUEUE);
        bus.emit(now, locked(0));
        assert_eq!(subscription.records.recv().unwrap().number, (QUEUE + 11) as u64);
    }
}
