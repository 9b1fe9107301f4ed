//! What waits for a role from outside: a queue for each source, served in turn, so that whoever sends much waits long and
//! whoever sends little does not.

use crate::SipInput;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

/// How many messages may wait, and how many bytes they may hold (nearly).
pub(crate) const MOST_MESSAGES: usize = 4096;
pub(crate) const MOST_BYTES: usize = 16 << 20;
/// The part of both that one source may take.
pub(crate) const SHARE: usize = 8;

#[derive(Default)]
pub(crate) struct Lane {
    /// By source; never more of them than messages, for empty ones go.
    sources: HashMap<IpAddr, Source>,
    /// Sources that have something waiting, in the order in which they are served.
    turns: VecDeque<IpAddr>,
    messages: usize,
    bytes: usize,
}

#[derive(Default)]
struct Source {
    queue: VecDeque<(SipInput, usize)>,
    bytes: usize,
}

impl Lane {
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// Messages and bytes that wait.
    pub fn depth(&self) -> (usize, usize) {
        (self.messages, self.bytes)
    }

    /// There is room again for those who wait for it.
    pub fn is_half_empty(&self) -> bool {
        self.messages <= MOST_MESSAGES / 2 && self.bytes <= MOST_BYTES / 2
    }

    /// Whether a message of this source may still come in: there must be room at all and, where the source is `capped`,
    /// in its share.
    pub fn has_room(&self, source: IpAddr, size: usize, capped: bool) -> bool {
        let full = self.messages >= MOST_MESSAGES || self.bytes.saturating_add(size) > MOST_BYTES;
        if full && !self.is_empty() {
            return false;
        }
        let Some(waiting) = self.sources.get(&source).filter(|_| capped) else { return true };
        let few = waiting.queue.len() < MOST_MESSAGES / SHARE;
        few && (waiting.queue.is_empty() || waiting.bytes.saturating_add(size) <= MOST_BYTES / SHARE)
    }

    /// Given back when there is no room.
    pub fn push(&mut self, input: SipInput, size: usize, capped: bool) -> Result<(), SipInput> {
        let key = match &input {
            SipInput::Received { flow, .. } => flow.remote.ip(),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        if !self.has_room(key, size, capped) {
            return Err(input);
        }
        let source = self.sources.entry(key).or_default();
        if source.queue.is_empty() {
            self.turns.push_back(key);
        }
        source.bytes = source.bytes.saturating_add(size);
        source.queue.push_back((input, size));
        self.messages += 1;
        self.bytes = self.bytes.saturating_add(size);
        Ok(())
    }

    /// The oldest message of the source whose turn it is.
    pub fn pop(&mut self) -> Option<SipInput> {
        let key = self.turns.pop_front()?;
        let source = self.sources.get_mut(&key)?;
        let (input, size) = source.queue.pop_front()?;
        source.bytes = source.bytes.saturating_sub(size);
        if source.queue.is_empty() {
            self.sources.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
        Some(input)
    }
}
