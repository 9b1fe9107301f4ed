//! The grey list: targets that were silent a moment ago, and are passed over while there are others.

use super::{Candidate, Greyed};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a silent host is passed over (the guide: 32 s).
pub const GREY_FOR: Duration = Duration::from_secs(32);
/// Retry-After is believed up to this.
const LONGEST: Duration = Duration::from_secs(300);
/// How many targets are remembered; beyond it the one that expires first is forgotten.
const CAPACITY: usize = 1000;

/// Targets to pass over, each until its time.
#[derive(Clone, Debug, Default)]
pub struct GreyList {
    until: BTreeMap<Candidate, Instant>,
}

impl GreyList {
    /// Until when the target is grey; `None` when it is not.
    pub fn until(&self, target: &Candidate, now: Instant) -> Option<Instant> {
        self.until.get(target).copied().filter(|until| *until > now)
    }

    /// Puts a target on the list. A longer time that it has already stays.
    pub fn add(&mut self, target: Candidate, for_: Duration, now: Instant) -> Greyed {
        let for_ = for_.min(LONGEST);
        if self.until.len() >= CAPACITY && !self.until.contains_key(&target) {
            self.make_room(now);
        }
        let until = self.until.entry(target).or_insert(now);
        *until = (*until).max(now + for_);
        Greyed { target, for_ }
    }

    /// The target has answered. Whether it was listed.
    pub fn remove(&mut self, target: &Candidate) -> bool {
        self.until.remove(target).is_some()
    }

    /// How many targets are listed, those included whose time is over.
    pub fn len(&self) -> usize {
        self.until.len()
    }

    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    fn make_room(&mut self, now: Instant) {
        self.until.retain(|_, until| *until > now);
        if self.until.len() >= CAPACITY
            && let Some(first) = self.until.iter().min_by_key(|(_, until)| **until).map(|(target, _)| *target)
        {
            self.until.remove(&first);
        }
    }
}
