use crate::{Event, Now, Tally};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many past records a new subscriber can still be given.
const KEPT: usize = 1000;
/// How many records may wait for a slow subscriber before it loses the newest ones.
const QUEUE: usize = 4096;

/// An event with the time at which it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Counts up from 1 without gaps within a process: a subscriber to everything that sees a gap has lost records.
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
    tally: Tally,
    kept: VecDeque<Record>,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    sender: SyncSender<Record>,
    messages: Arc<AtomicBool>,
}

/// Records as they happen. Dropping it unsubscribes.
pub struct Subscription {
    /// What had happened before, oldest first (at most 1,000 records).
    pub past: Vec<Record>,
    pub records: Receiver<Record>,
    /// Whether SIP messages are among them. There are thirty in a call, and each wakes the subscriber's thread: who has
    /// no use for them, or none now, should not be woken. True unless it is changed.
    pub messages: Arc<AtomicBool>,
}

impl Bus {
    pub fn new() -> Bus {
        Bus::default()
    }

    pub fn subscribe(&self) -> Subscription {
        let (sender, records) = sync_channel(QUEUE);
        let mut inner = self.lock();
        let messages = Arc::new(AtomicBool::new(true));
        inner.subscribers.push(Subscriber { sender, messages: messages.clone() });
        Subscription { past: inner.kept.iter().cloned().collect(), records, messages }
    }

    /// How often what happened since the start.
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
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
        inner.tally.count(&event);
        let is_message = matches!(event, Event::SipMessage { .. });
        let record = Record { number: inner.number, at: now, event };
        // A subscriber that does not read loses records (and sees the gap); the role never waits for it.
        inner.subscribers.retain(|subscriber| {
            if is_message && !subscriber.messages.load(Ordering::Relaxed) {
                return true;
            }
            !matches!(subscriber.sender.try_send(record.clone()), Err(TrySendError::Disconnected(_)))
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

    fn message() -> Event {
        let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
        Event::SipMessage {
            by: "um".into(),
            call_id: "a@b".into(),
            sent: true,
            local: address,
            remote: address,
            transport: "TCP".into(),
            summary: "INVITE".into(),
            cseq: "1 INVITE".into(),
        }
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
    fn what_happened_is_counted_although_nobody_listens() {
        let bus = Bus::new();
        (0..3).for_each(|n| bus.emit(Now::read(), locked(n)));
        let samples = bus.tally().samples();
        let locked = samples.iter().find(|sample| sample.metric.name == "earcon_mailboxes_locked_total");
        assert_eq!(locked.map(|sample| sample.value), Some(3.0));
    }

    #[test]
    fn who_has_no_use_for_messages_is_not_woken_by_them() {
        let bus = Bus::new();
        let now = Now::read();
        let (all, some) = (bus.subscribe(), bus.subscribe());
        some.messages.store(false, Ordering::Relaxed);
        bus.emit(now, message());
        bus.emit(now, locked(1));
        assert_eq!(all.records.try_iter().count(), 2);
        assert_eq!(some.records.try_iter().map(|record| record.number).collect::<Vec<_>>(), [2]);
        some.messages.store(true, Ordering::Relaxed);
        bus.emit(now, message());
        assert_eq!(some.records.try_iter().count(), 1);
        assert_eq!(bus.subscribe().past.len(), 3);
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
