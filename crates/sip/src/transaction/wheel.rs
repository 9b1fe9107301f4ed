//! The timers of many transactions: one deadline each, found in order of time, then of age.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Wheel {
    due: BTreeSet<(Instant, u64)>,
    of: BTreeMap<u64, Instant>,
}

impl Wheel {
    /// Sets, moves or (by `None`) removes the deadline of `number`.
    pub fn set(&mut self, number: u64, deadline: Option<Instant>) {
        let old = match deadline {
            Some(at) => self.of.insert(number, at),
            None => self.of.remove(&number),
        };
        if old == deadline {
            return;
        }
        if let Some(old) = old {
            self.due.remove(&(old, number));
        }
        if let Some(at) = deadline {
            self.due.insert((at, number));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the first that is due. The owner sets its next deadline.
    pub fn pop(&mut self, now: Instant) -> Option<u64> {
        let (at, number) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.set(number, None);
        Some(number)
    }
}
