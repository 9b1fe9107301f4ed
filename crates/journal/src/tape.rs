//! What is recorded of one call while it lasts.

use crate::entry::{Entry, Key};
use event::Now;
use serde_json::Value;
use sip::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A call being recorded; finished, it goes to the writer.
#[derive(Clone, Debug)]
pub struct Tape {
    pub(crate) number: u64,
    /// The recording role: its name, version and what it was started with.
    pub setup: Arc<Setup>,
    pub began: Now,
    pub entries: Vec<Entry>,
    pub call_ids: Vec<Text>,
    /// The role's numbers for it.
    pub calls: BTreeSet<u64>,
    pub about: About,
    pub(crate) keys: Vec<Key>,
    pub(crate) live: BTreeSet<u64>,
    pub(crate) size: usize,
    pub(crate) closes: Option<std::time::Instant>,
    /// Which version of the configuration it knows.
    pub(crate) version: Option<u64>,
    pub(crate) numbers: BTreeSet<String>,
    /// Which entries are keys that the dialogue of one of the calls took, in order; and which of the call's keys are secret.
    pub(crate) pressed: Vec<(u64, usize)>,
    pub(crate) secret: Vec<(u64, Range<usize>)>,
}

/// What a role was started with, as far as a call can tell.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Setup {
    /// `node` or `um`; also the role's name in events.
    pub role: String,
    pub version: String,
    /// What the role's own replay reads.
    pub settings: Value,
}

/// For lists.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct About {
    pub from: String,
    pub to: String,
    pub outcome: String,
}

impl Tape {
    pub(crate) fn new(number: u64, setup: Arc<Setup>, began: Now) -> Tape {
        Tape {
            number,
            setup,
            began,
            entries: Vec::new(),
            call_ids: Vec::new(),
            calls: BTreeSet::new(),
            about: About::default(),
            keys: Vec::new(),
            live: BTreeSet::new(),
            size: 0,
            closes: None,
            version: None,
            numbers: BTreeSet::new(),
            pressed: Vec::new(),
            secret: Vec::new(),
        }
    }

    /// Takes over everything of a call that turned out to be the same one (a transfer joined them).
    pub(crate) fn take_over(&mut self, other: Tape) {
        let mut marked: Vec<(Entry, Option<u64>)> = Vec::with_capacity(self.entries.len() + other.entries.len());
        for (entries, pressed) in [(std::mem::take(&mut self.entries), &self.pressed), (other.entries, &other.pressed)]
        {
            let pressed: BTreeMap<usize, u64> = pressed.iter().map(|(call, at)| (*at, *call)).collect();
            marked.extend(entries.into_iter().enumerate().map(|(at, entry)| (entry, pressed.get(&at).copied())));
        }
        marked.sort_by_key(|(entry, _)| entry.at.instant);
        let pressed = marked.iter().enumerate().filter_map(|(at, (_, call))| Some(((*call)?, at)));
        self.pressed = pressed.collect();
        self.entries = marked.into_iter().map(|(entry, _)| entry).collect();
        self.secret.extend(other.secret);
        if other.began.instant < self.began.instant {
            self.began = other.began;
        }
        if self.version != other.version {
            self.version = None;
        }
        self.call_ids.extend(other.call_ids);
        self.calls.extend(other.calls);
        self.keys.extend(other.keys);
        self.live.extend(other.live);
        self.size = self.size.saturating_add(other.size);
        self.numbers.extend(other.numbers);
    }
}
