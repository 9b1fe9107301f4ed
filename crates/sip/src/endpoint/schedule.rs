//! Deadlines of many things, and the soonest of them.

use std::collections::BTreeSet;
use std::time::Instant;

use super::attempt::AttemptId;
use super::{CallRef, SubscriptionRef};

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timed {
    Call(CallRef),
    Attempt(AttemptId),
    Subscription(SubscriptionRef),
}

/// The deadlines, soonest first. Each thing remembers its own, so that it can be moved.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    entries: BTreeSet<(Instant, Timed)>,
}

impl Schedule {
    /// Moves the deadline of `what` from `slot` to `to`.
    pub fn set(&mut self, what: Timed, slot: &mut Option<Instant>, to: Option<Instant>) {
        if *slot == to {
            return;
        }
        if let Some(old) = slot.take() {
            self.entries.remove(&(old, what));
        }
        if let Some(at) = to {
            self.entries.insert((at, what));
        }
        *slot = to;
    }

    pub fn next(&self) -> Option<Instant> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// The next that is due; it has no deadline any more.
    pub fn pop(&mut self, now: Instant) -> Option<Timed> {
        let (at, what) = *self.entries.first()?;
        if at > now {
            return None;
        }
        self.entries.pop_first();
        Some(what)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
