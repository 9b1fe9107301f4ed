//! What happened in a test, step by step: told as it goes, kept for the report.

use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// A step that was taken or that something came of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Since the beginning of the test.
    pub at_ms: u64,
    pub text: String,
}

/// Clones are the same journal.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    began: Instant,
    pub wall: SystemTime,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    steps: Vec<Step>,
    remarks: Vec<String>,
    recordings: Vec<(String, Vec<i16>)>,
}

/// All of a journal.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub steps: Vec<Step>,
    pub remarks: Vec<String>,
    /// What each phone heard.
    pub recordings: Vec<(String, Vec<i16>)>,
}

impl Journal {
    pub fn begin() -> Journal {
        Journal { began: Instant::now(), wall: SystemTime::now(), inner: Arc::default() }
    }

    pub fn step(&self, text: impl Into<String>) {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.lock().steps.push(Step { at_ms, text: text.into() });
    }

    /// Something could not be checked as the test's text wants it: the test passes conditionally. Said once.
    pub fn remark(&self, text: impl Into<String>) {
        let text = text.into();
        let mut inner = self.lock();
        if !inner.remarks.contains(&text) {
            inner.remarks.push(text);
        }
    }

    pub fn recording(&self, who: &str, samples: Vec<i16>) {
        if !samples.is_empty() {
            self.lock().recordings.push((who.to_owned(), samples));
        }
    }

    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn take(&self) -> Entries {
        let Inner { steps, remarks, recordings } = std::mem::take(&mut *self.lock());
        Entries { steps, remarks, recordings }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves at worst an entry out.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
