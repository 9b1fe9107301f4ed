//! The one door by which everything comes to a role.
//!
//! Two lanes. What comes from outside may be dropped when its lane is full: UDP is (and counted), a TCP connection is no longer read
//! until there is room. What answers the role itself never is.

use crate::{Input, SipInput};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How many messages from outside may wait, and how many bytes they may hold (nearly).
const MOST_MESSAGES: usize = 4096;
const MOST_BYTES: usize = 16 << 20;

/// Makes a role's inbox. Drop the [`Inbox`] to make senders' words vanish; senders never block and never fail.
pub fn inbox<T>() -> (InboxSender<T>, Inbox<T>) {
    let shared = Arc::new(Shared { lanes: Mutex::new(Lanes::default()), wake: Condvar::new(), room: Notify::new() });
    (InboxSender { shared: shared.clone() }, Inbox { shared })
}

/// Puts things into a role's inbox. Cheap to clone; from any thread.
pub struct InboxSender<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving end: [`crate::run`] takes it.
pub struct Inbox<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    lanes: Mutex<Lanes<T>>,
    wake: Condvar,
    /// Woken when the outside lane has room again.
    room: Notify,
}

struct Lanes<T> {
    own: VecDeque<Input<T>>,
    outside: VecDeque<(SipInput, usize)>,
    outside_bytes: usize,
    dropped: u64,
    /// Somebody waits for room.
    blocked: bool,
    /// The role's thread sleeps.
    asleep: bool,
}

impl<T> Default for Lanes<T> {
    fn default() -> Lanes<T> {
        Lanes {
            own: VecDeque::new(),
            outside: VecDeque::new(),
            outside_bytes: 0,
            dropped: 0,
            blocked: false,
            asleep: false,
        }
    }
}

impl<T> Clone for InboxSender<T> {
    fn clone(&self) -> InboxSender<T> {
        InboxSender { shared: self.shared.clone() }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        // Nothing that runs under the lock can leave the queues half changed.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> InboxSender<T> {
    /// An event, an answer or a command for the role. Never dropped.
    pub fn own(&self, own: T) {
        self.push(Input::Own(own));
    }

    /// What `net` itself has to say: answers to what the role asked for.
    pub(crate) fn answer(&self, input: SipInput) {
        self.push(Input::Sip(input));
    }

    fn push(&self, input: Input<T>) {
        let mut lanes = self.shared.lock();
        lanes.own.push_back(input);
        self.wake(lanes);
    }

    fn wake(&self, mut lanes: MutexGuard<'_, Lanes<T>>) {
        let asleep = std::mem::take(&mut lanes.asleep);
        drop(lanes);
        if asleep {
            self.shared.wake.notify_one();
        }
    }

    /// A message from outside; given back when the lane is full.
    fn offer(&self, input: SipInput, size: usize) -> Result<(), SipInput> {
        let mut lanes = self.shared.lock();
        let full = lanes.outside.len() >= MOST_MESSAGES || lanes.outside_bytes.saturating_add(size) > MOST_BYTES;
        if full && !lanes.outside.is_empty() {
            lanes.blocked = true;
            return Err(input);
        }
        lanes.outside_bytes = lanes.outside_bytes.saturating_add(size);
        lanes.outside.push_back((input, size));
        self.wake(lanes);
        Ok(())
    }

    /// A datagram's message: dropped, and counted, when the lane is full.
    pub(crate) fn datagram(&self, input: SipInput, size: usize) {
        if self.offer(input, size).is_err() {
            self.shared.lock().dropped += 1;
        }
    }

    /// A connection's message: waits for room, and so the connection is not read meanwhile.
    pub(crate) async fn stream(&self, input: SipInput, size: usize) {
        let mut input = input;
        loop {
            // Listening before looking: room that is made in between is not missed.
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.offer(input, size) {
                Ok(()) => return,
                Err(back) => input = back,
            }
            room.await;
        }
    }
}

impl<T> Inbox<T> {
    /// Waits for input until `deadline` (for ever without one) and moves up to `most` of it to `batch`: answers first, then messages.
    pub(crate) fn take(&self, batch: &mut VecDeque<Input<T>>, most: usize, deadline: Option<Instant>) {
        let mut lanes = self.shared.lock();
        while lanes.own.is_empty() && lanes.outside.is_empty() {
            lanes.asleep = true;
            lanes = match deadline {
                None => self.shared.wake.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        lanes.asleep = false;
                        return;
                    }
                    // A spurious wake-up only goes round once more.
                    let left = left.min(Duration::from_secs(3600));
                    self.shared.wake.wait_timeout(lanes, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        lanes.asleep = false;
        while batch.len() < most
            && let Some(input) = lanes.own.pop_front()
        {
            batch.push_back(input);
        }
        while batch.len() < most
            && let Some((input, size)) = lanes.outside.pop_front()
        {
            lanes.outside_bytes = lanes.outside_bytes.saturating_sub(size);
            batch.push_back(Input::Sip(input));
        }
        if lanes.blocked && lanes.outside.len() <= MOST_MESSAGES / 2 && lanes.outside_bytes <= MOST_BYTES / 2 {
            lanes.blocked = false;
            drop(lanes);
            self.shared.room.notify_waiters();
        }
    }

    /// How many messages were dropped since the last call.
    pub(crate) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.shared.lock().dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::flow::TransportError;

    fn failed(id: u64) -> SipInput {
        SipInput::TransmitFailed { id, error: TransportError::Closed }
    }

    fn take(inbox: &Inbox<u32>, most: usize) -> Vec<String> {
        let mut batch = VecDeque::new();
        inbox.take(&mut batch, most, Some(Instant::now()));
        batch
            .into_iter()
            .map(|input| match input {
                Input::Own(own) => format!("own {own}"),
                Input::Sip(SipInput::TransmitFailed { id, .. }) => format!("sip {id}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn answers_come_before_messages_from_outside_and_each_lane_keeps_its_order() {
        let (sender, inbox) = inbox();
        sender.datagram(failed(1), 10);
        sender.datagram(failed(2), 10);
        sender.own(7);
        sender.answer(failed(8));
        assert_eq!(take(&inbox, 3), ["own 7", "sip 8", "sip 1"]);
        assert_eq!(take(&inbox, 3), ["sip 2"]);
        assert_eq!(take(&inbox, 3), [""; 0]);
    }

    #[test]
    fn a_full_lane_drops_datagrams_and_counts_them_but_never_an_answer() {
        let (sender, inbox) = inbox();
        for n in 0..MOST_MESSAGES as u64 + 10 {
            sender.datagram(failed(n), 10);
            sender.own(0);
        }
        assert_eq!(inbox.take_dropped(), 10);
        assert_eq!(inbox.take_dropped(), 0);
        assert_eq!(take(&inbox, usize::MAX).len(), 2 * MOST_MESSAGES + 10);
    }

    #[test]
    fn few_large_messages_fill_the_lane_too() {
        let (sender, inbox) = inbox::<u32>();
        for n in 0..300 {
            sender.datagram(failed(n), 64 << 10);
        }
        assert_eq!(take(&inbox, usize::MAX).len(), 256);
        assert_eq!(inbox.take_dropped(), 44);
    }

    #[test]
    fn a_connection_waits_for_room_and_goes_on_when_there_is_some() {
        let (sender, inbox) = inbox();
        for n in 0..MOST_MESSAGES as u64 {
            sender.datagram(failed(n), 10);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut waiting = std::pin::pin!(sender.stream(failed(9999), 10));
            assert!(futures_poll(waiting.as_mut()).await.is_pending());
            take(&inbox, MOST_MESSAGES);
            waiting.await;
        });
        assert_eq!(take(&inbox, 10), ["sip 9999"]);
        assert_eq!(inbox.take_dropped(), 0);
    }

    /// Polls once.
    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
        std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context))).await
    }
}
