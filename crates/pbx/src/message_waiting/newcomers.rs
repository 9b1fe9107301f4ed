//! Phones that have registered, and are to be told of their lamps a moment later.
//!
//! Not before the answer: who waits for that alone may take the NOTIFY for it (sipsak does). Not right after it: a phone
//! that subscribes does so then, and need not be told twice.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// From the registration to the NOTIFY.
pub(super) const AFTER: Duration = Duration::from_millis(500);

/// A phone that has registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Newcomer {
    pub extension: String,
    /// Where its REGISTER came from.
    pub from: SocketAddr,
    /// It is no mere refresh.
    pub begins: bool,
}

/// Those that wait, the first first: as many as have registered within [`AFTER`], each once.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    queue: VecDeque<(Instant, Newcomer)>,
    queued: BTreeSet<Newcomer>,
}

impl Newcomers {
    pub fn add(&mut self, newcomer: Newcomer, now: Instant) {
        if self.queued.insert(newcomer.clone()) {
            self.queue.push_back((now + AFTER, newcomer));
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    /// The next one whose time has come.
    pub fn take_due(&mut self, now: Instant) -> Option<Newcomer> {
        if self.deadline()? > now {
            return None;
        }
        let (_, newcomer) = self.queue.pop_front()?;
        self.queued.remove(&newcomer);
        Some(newcomer)
    }
}
