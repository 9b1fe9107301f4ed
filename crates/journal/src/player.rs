//! A recorded call being run again: gives back what was drawn, and sets beside each other what the role did then and does now.

use crate::entry::{Cause, Entry, Output};
use crate::mask;
use event::Now;
use sip::chance::Origin;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Numbers that the record has no more of are far from all that it has.
const BEYOND: u64 = 1 << 40;
/// A timer of the record is the one that fires now if it is not further away than this.
const SAME_MOMENT: Duration = Duration::from_millis(1);

/// One entry, then and now.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which entry of the record; `None`: a timer that did nothing visible then.
    pub entry: Option<usize>,
    pub at: Instant,
    pub cause: Cause,
    pub then: Vec<Output>,
    pub now: Vec<Output>,
    /// Values that were asked for and not recorded, and recorded ones that were not asked for.
    pub beyond: usize,
    pub left: usize,
}

impl Step {
    /// Whether the role did what it did then.
    pub fn is_equal(&self) -> bool {
        self.entry.is_some() && self.then.len() == self.now.len() && self.differences().next().is_none()
    }

    /// The outputs that differ, in pairs; a missing one is `None`.
    pub fn differences(&self) -> impl Iterator<Item = (Option<&Output>, Option<&Output>)> {
        let most = self.then.len().max(self.now.len());
        (0..most).map(|at| (self.then.get(at), self.now.get(at))).filter(|pair| match pair {
            (Some(then), Some(now)) => !same(then, now),
            _ => true,
        })
    }
}

/// Whether two outputs say the same to whoever they are for. Nonces are the server's secret, and our own version is none of
/// the call's business.
fn same(then: &Output, now: &Output) -> bool {
    match (then, now) {
        (Output::Sent { to: a, wire: x, .. }, Output::Sent { to: b, wire: y, .. }) => {
            a == b && mask::comparable(x) == mask::comparable(y)
        }
        (then, now) => then == now,
    }
}

pub(crate) struct Player {
    entries: Arc<Vec<Entry>>,
    /// The entry that comes next.
    pub next: usize,
    step: Option<Open>,
    pub steps: Vec<Step>,
    beyond: u64,
}

struct Open {
    entry: Option<usize>,
    at: Now,
    cause: Cause,
    random: VecDeque<u64>,
    series: VecDeque<u64>,
    shared: VecDeque<u64>,
    taken: usize,
    beyond: usize,
    outputs: Vec<Output>,
}

impl Player {
    pub fn new(entries: Arc<Vec<Entry>>) -> Player {
        Player { entries, next: 0, step: None, steps: Vec::new(), beyond: 0 }
    }

    pub fn begin(&mut self, at: Now, cause: Cause) {
        let expected = self.entries.get(self.next).filter(|entry| match (&entry.cause, &cause) {
            (Cause::Timer, Cause::Timer) => entry.at.instant <= at.instant + SAME_MOMENT,
            (Cause::Timer, _) | (_, Cause::Timer) => false,
            _ => true,
        });
        let draws = |origin: Origin| {
            let of = |entry: &Entry| {
                entry.draws.iter().filter(|(from, _)| *from == origin).map(|(_, value)| *value).collect()
            };
            expected.map(of).unwrap_or_default()
        };
        self.step = Some(Open {
            entry: expected.map(|_| self.next),
            at,
            cause,
            random: draws(Origin::Random),
            series: draws(Origin::Series),
            shared: draws(Origin::Shared),
            taken: 0,
            beyond: 0,
            outputs: Vec::new(),
        });
    }

    pub fn pass(&mut self, origin: Origin, fresh: u64) -> u64 {
        let beyond = &mut self.beyond;
        let mut far = || {
            *beyond += 1;
            BEYOND + *beyond
        };
        let Some(step) = &mut self.step else {
            return if origin == Origin::Series { far() } else { fresh };
        };
        let queue = match origin {
            Origin::Random => &mut step.random,
            Origin::Series => &mut step.series,
            Origin::Shared => &mut step.shared,
        };
        match queue.pop_front() {
            Some(value) => {
                step.taken += 1;
                value
            }
            None => {
                step.beyond += 1;
                if origin == Origin::Series { far() } else { fresh }
            }
        }
    }

    pub fn output(&mut self, output: Output) {
        if let Some(step) = &mut self.step {
            step.outputs.push(output);
        }
    }

    /// The next entry did not happen.
    pub fn miss(&mut self, entry: &Entry) {
        self.steps.push(Step {
            entry: Some(self.next),
            at: entry.at.instant,
            cause: entry.cause.clone(),
            then: entry.outputs.clone(),
            now: Vec::new(),
            beyond: 0,
            left: entry.draws.len(),
        });
        self.next += 1;
    }

    pub fn end(&mut self) {
        let Some(step) = self.step.take() else { return };
        let asked = step.taken + step.beyond;
        // A timer that does nothing that can be seen did so then, too, and is not in the record.
        if step.cause == Cause::Timer && step.outputs.is_empty() && asked == 0 {
            return;
        }
        let entry = step.entry.and_then(|entry| self.entries.get(entry));
        if entry.is_some() {
            self.next += 1;
        }
        self.steps.push(Step {
            entry: step.entry,
            at: step.at.instant,
            cause: step.cause,
            then: entry.map(|entry| entry.outputs.clone()).unwrap_or_default(),
            now: step.outputs,
            beyond: step.beyond,
            left: entry.map_or(0, |entry| entry.draws.len().saturating_sub(step.taken)),
        });
    }
}
