//! What was heard. The media thread writes a tape's last words when its session is closed, a moment after the call is over for
//! the user; who asks for them waits for that moment.

use media::{SessionId, Tape};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the last words are waited for; they take one tick of the media engine.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tapes of all calls, in the order in which they were begun. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    shared: Arc<(Mutex<Tapes>, Condvar)>,
}

#[derive(Debug, Default)]
struct Tapes {
    tapes: Vec<Tape>,
    /// Sessions whose last words are still to come.
    closing: Vec<SessionId>,
}

impl Heard {
    /// From now on this tape runs.
    pub fn begin(&self, tape: Tape) {
        self.lock().tapes.push(tape);
    }

    /// A call is over; its session was told to close while its last tape ran.
    pub fn close(&self, session: SessionId) {
        self.lock().closing.push(session);
    }

    /// The media engine ended a recording for good.
    pub fn complete(&self, session: SessionId) {
        self.lock().closing.retain(|closing| *closing != session);
        self.shared.1.notify_all();
    }

    /// Up to this moment, without the first `start` samples. Never waits.
    pub fn samples_from(&self, start: usize) -> Vec<i16> {
        let mut skip = start;
        let mut samples = Vec::new();
        for tape in &self.lock().tapes {
            let length = tape.len();
            if skip < length {
                samples.extend(tape.samples_from(skip));
            }
            skip = skip.saturating_sub(length);
        }
        samples
    }

    /// All of it to the last words: linear samples, 8 kHz.
    pub fn samples(&self) -> Vec<i16> {
        let waited = self.shared.1.wait_timeout_while(self.lock(), PATIENCE, |tapes| !tapes.closing.is_empty());
        let (tapes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        tapes.tapes.iter().flat_map(Tape::samples).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Tapes> {
        // Whoever panicked with it left at worst a tape out.
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
