//! Reliable provisional responses (RFC 3262): RSeq, retransmission and order at the server, order at the client.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::message::Response;
use crate::message::header::RAck;
use crate::transaction::Timers;

/// What a timer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send this response again.
    Repeat(Response),
    /// 64*T1 without PRACK: the INVITE is to be rejected with a 5xx (3).
    GaveUp,
}

/// The server's side: one response waits for its PRACK, later ones for their turn.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The RSeq of the next response.
    next: u32,
    waiting: Option<Waiting>,
    queue: VecDeque<Response>,
}

#[derive(Clone, Debug)]
struct Waiting {
    rseq: u32,
    response: Response,
    interval: Duration,
    repeat_at: Instant,
    give_up_at: Instant,
}

/// How many responses may wait; an owner that sends more has lost its way.
const MAX_QUEUE: usize = 16;

impl Sender {
    /// `first` from 1 to 2^31 - 1, at random (3).
    pub fn new(first: u32) -> Sender {
        Sender { next: first.clamp(1, (1 << 31) - 1), waiting: None, queue: VecDeque::new() }
    }

    /// Takes a response; gives back what to send now. While one waits for its PRACK the next is held back: 3 forbids a
    /// second before the first is acknowledged, and in order is simplest for the peer.
    pub fn push(&mut self, response: Response, timers: &Timers, now: Instant) -> Option<Response> {
        if self.waiting.is_some() {
            if self.queue.len() < MAX_QUEUE {
                self.queue.push_back(response);
            }
            return None;
        }
        Some(self.send(response, timers, now))
    }

    fn send(&mut self, mut response: Response, timers: &Timers, now: Instant) -> Response {
        let rseq = self.next;
        self.next = self.next.wrapping_add(1);
        response.headers.set_typed(&crate::message::header::RSeq(rseq));
        self.waiting = Some(Waiting {
            rseq,
            response: response.clone(),
            interval: timers.t1,
            repeat_at: now + timers.t1,
            give_up_at: now + timers.limit(),
        });
        response
    }

    /// A PRACK came. `Err` when it matches nothing (to be answered 481); else the acknowledged response, and the next to send.
    pub fn acknowledge(
        &mut self,
        rack: &RAck,
        invite_seq: u32,
        timers: &Timers,
        now: Instant,
    ) -> Result<(Response, Option<Response>), NoMatch> {
        let matches = |waiting: &&mut Waiting| waiting.rseq == rack.rseq && invite_seq == rack.cseq;
        if self.waiting.as_mut().filter(matches).is_none() {
            return Err(NoMatch);
        }
        let acknowledged = self.waiting.take().ok_or(NoMatch)?.response;
        let next = self.queue.pop_front().map(|response| self.send(response, timers, now));
        Ok((acknowledged, next))
    }

    /// Whether a 2xx must wait: a session description is on its way that the peer has not acknowledged (3).
    pub fn holds_final(&self) -> bool {
        self.waiting.iter().map(|w| &w.response).chain(&self.queue).any(|response| !response.body.is_empty())
    }

    /// A final response goes out: nothing is repeated any more, but a late PRACK is still known (3).
    pub fn stop(&mut self) {
        self.queue.clear();
        if let Some(waiting) = &mut self.waiting {
            waiting.interval = Duration::MAX;
        }
    }

    fn is_stopped(waiting: &Waiting) -> bool {
        waiting.interval == Duration::MAX
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.as_ref().filter(|w| !Sender::is_stopped(w)).map(|w| w.repeat_at.min(w.give_up_at))
    }

    pub fn timeout(&mut self, now: Instant) -> Option<Due> {
        let waiting = self.waiting.as_mut().filter(|w| !Sender::is_stopped(w))?;
        if waiting.give_up_at <= now {
            self.waiting = None;
            self.queue.clear();
            return Some(Due::GaveUp);
        }
        if waiting.repeat_at <= now {
            // 3: the interval doubles, without the limit of T2.
            waiting.interval = waiting.interval.saturating_mul(2);
            waiting.repeat_at = now + waiting.interval;
            return Some(Due::Repeat(waiting.response.clone()));
        }
        None
    }
}

/// The PRACK is for no response that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMatch;

/// The client's side, one for each early dialog: which response is the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    last: Option<u32>,
}

impl Receiver {
    /// Whether a reliable response with this RSeq is new and in order (4): only then it is acknowledged and handed up.
    pub fn accept(&mut self, rseq: u32) -> bool {
        let next = self.last.is_none_or(|last| last.checked_add(1) == Some(rseq));
        if next {
            self.last = Some(rseq);
        }
        next
    }
}
