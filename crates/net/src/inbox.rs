//! The one door by which everything comes to a role.
//!
//! Two lanes. What comes from outside may be dropped when its lane is full: UDP is (and counted), a TCP connection is no longer read
//! until there is room. One source alone can fill only a part of it, and is served in turn with the others: its flood delays
//! itself. What answers the role itself never is dropped.

use crate::lane::Lane;
use crate::{Input, SipInput};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

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
    outside: Lane,
    dropped: u64,
    /// Somebody waits for room.
    blocked: bool,
    /// The role's thread sleeps.
    asleep: bool,
}

/// What waits in an inbox.
pub(crate) struct Depth {
    pub own: usize,
    pub outside: usize,
    /// Of those from outside.
    pub bytes: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Lanes<T> {
        Lanes { own: VecDeque::new(), outside: Lane::default(), dropped: 0, blocked: false, asleep: false }
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

    /// How much waits.
    pub(crate) fn depth(&self) -> Depth {
        let lanes = self.shared.lock();
        let (outside, bytes) = lanes.outside.depth();
        Depth { own: lanes.own.len(), outside, bytes }
    }

    /// A message from outside; given back when the lane is full.
    fn offer(&self, input: SipInput, size: usize, capped: bool) -> Result<(), SipInput> {
        let mut lanes = self.shared.lock();
        if let Err(back) = lanes.outside.push(input, size, capped) {
            lanes.blocked = true;
            return Err(back);
        }
        self.wake(lanes);
        Ok(())
    }

    /// Whether a datagram would be taken. One that would not is counted as dropped, and need not even be parsed: a flood must
    /// not keep the socket from being emptied for the others.
    pub(crate) fn takes_datagram(&self, source: IpAddr, size: usize, capped: bool) -> bool {
        let mut lanes = self.shared.lock();
        let takes = lanes.outside.has_room(source, size, capped);
        if !takes {
            lanes.dropped += 1;
        }
        takes
    }

    /// A datagram's message: dropped, and counted, when the lane is full. `capped`: or its source's share of it.
    pub(crate) fn datagram(&self, input: SipInput, size: usize, capped: bool) {
        if self.offer(input, size, capped).is_err() {
            self.shared.lock().dropped += 1;
        }
    }

    /// A connection's message: waits for room, and so the connection is not read meanwhile.
    pub(crate) async fn stream(&self, input: SipInput, size: usize, capped: bool) {
        let mut input = input;
        loop {
            // Listening before looking: room that is made in between is not missed.
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.offer(input, size, capped) {
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
            && let Some(input) = lanes.outside.pop()
        {
            batch.push_back(Input::Sip(input));
        }
        if lanes.blocked && lanes.outside.is_half_empty() {
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
    use crate::lane::{MOST_MESSAGES, SHARE};
    use sip::flow::TransportError;
    use sip::flow::{Flow, ListenerId, Transport};

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
        sender.datagram(failed(1), 10, false);
        sender.datagram(failed(2), 10, false);
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
            sender.datagram(failed(n), 10, false);
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
            sender.datagram(failed(n), 64 << 10, false);
        }
        assert_eq!(take(&inbox, usize::MAX).len(), 256);
        assert_eq!(inbox.take_dropped(), 44);
    }

    /// A keep-alive from this host, told apart by its port.
    fn from(host: u8, port: u16) -> SipInput {
        let flow = Flow {
            transport: Transport::Udp,
            listener: ListenerId(0),
            local: ([127, 0, 0, 1], 5060).into(),
            remote: ([192, 0, 2, host], port).into(),
            connection: None,
        };
        SipInput::received(bytes::Bytes::from_static(b"\r\n"), flow)
    }

    fn sources(inbox: &Inbox<u32>, most: usize) -> Vec<(u8, u16)> {
        let mut batch = VecDeque::new();
        inbox.take(&mut batch, most, Some(Instant::now()));
        let source = |input: Input<u32>| match input {
            Input::Sip(SipInput::Received { flow, .. }) => match flow.remote {
                std::net::SocketAddr::V4(remote) => (remote.ip().octets()[3], remote.port()),
                std::net::SocketAddr::V6(_) => (0, 0),
            },
            _ => (0, 0),
        };
        batch.into_iter().map(source).collect()
    }

    #[test]
    fn a_flood_from_one_source_takes_its_share_only_and_delays_nobody_else() {
        let (sender, inbox) = inbox::<u32>();
        let share = (MOST_MESSAGES / SHARE) as u16;
        for n in 0..share + 5 {
            sender.datagram(from(66, n), 10, true);
        }
        assert_eq!(inbox.take_dropped(), 5);
        sender.datagram(from(1, 1), 10, true);
        sender.datagram(from(1, 2), 10, true);
        assert_eq!(sources(&inbox, 5), [(66, 0), (1, 1), (66, 1), (1, 2), (66, 2)]);
        // A gateway, which no cap counts for, may take more.
        for n in 0..share + 5 {
            sender.datagram(from(10, n), 10, false);
        }
        assert_eq!(inbox.take_dropped(), 0);
    }

    #[test]
    fn a_connection_waits_for_room_and_goes_on_when_there_is_some() {
        let (sender, inbox) = inbox();
        for n in 0..MOST_MESSAGES as u64 {
            sender.datagram(failed(n), 10, false);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut waiting = std::pin::pin!(sender.stream(failed(9999), 10, false));
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
