//! Lamps that colleagues light: "call me back". Kept beside what the voice mail system says.

use crate::configuration::{LoadError, change, load_kind};
use state::{Change, Store};
use std::collections::BTreeMap;

pub(crate) const KIND: &str = "manual_waiting";
/// Who may wait for one extension's call; beyond it the oldest is forgotten.
const MOST: usize = 20;

/// Who wants to be called back, by whom; the newest last.
#[derive(Debug, Default)]
pub(crate) struct ManualWaiting {
    origins: BTreeMap<String, Vec<String>>,
}

impl ManualWaiting {
    pub fn load(store: &Store) -> Result<ManualWaiting, LoadError> {
        Ok(ManualWaiting { origins: load_kind(store, KIND)? })
    }

    pub fn is_lit(&self, at: &str) -> bool {
        self.origins.contains_key(at)
    }

    pub fn lit(&self) -> impl Iterator<Item = &str> {
        self.origins.keys().map(String::as_str)
    }

    /// Who is called back first: the one who waits longest.
    pub fn first(&self, at: &str) -> Option<&str> {
        self.origins.get(at)?.first().map(String::as_str)
    }

    /// `by` wants to be called back by `at`.
    pub fn light(&mut self, at: &str, by: &str) -> Change {
        let origins = self.origins.entry(at.to_owned()).or_default();
        origins.retain(|origin| origin != by);
        origins.push(by.to_owned());
        if origins.len() > MOST {
            origins.remove(0);
        }
        self.change(at)
    }

    /// No more; without `by`, nobody waits any more.
    pub fn put_out(&mut self, at: &str, by: Option<&str>) -> Change {
        if let Some(origins) = self.origins.get_mut(at) {
            origins.retain(|origin| by.is_some_and(|by| by != origin));
            if origins.is_empty() {
                self.origins.remove(at);
            }
        }
        self.change(at)
    }

    /// Who waits at this extension, as it is kept.
    pub fn recorded(&self, at: &str) -> Option<Change> {
        self.is_lit(at).then(|| self.change(at))
    }

    /// What was [`ManualWaiting::recorded`].
    pub fn restore(&mut self, at: &str, value: Option<&str>) {
        match value.and_then(|text| serde_json::from_str(text).ok()) {
            Some(origins) => self.origins.insert(at.to_owned(), origins),
            None => self.origins.remove(at),
        };
    }

    fn change(&self, at: &str) -> Change {
        change(KIND, at.to_owned(), self.origins.get(at))
    }
}
