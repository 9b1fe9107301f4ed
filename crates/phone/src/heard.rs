//! What was heard. The media thread writes a tape's last words when its session is closed, a moment after the call is over for
//! the user; who asks for them waits for that moment.

use media::{SessionId, Tape};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the last words are waited for; they take one tick of the media engine.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tapes of all calls that are over, in order. Clones are the same.
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
    /// A call is over; its session was told to close while the last of these tapes ran.
    pub fn add(&self, session: SessionId, tapes: Vec<Tape>) {
        let mut all = self.lock();
        if !tapes.is_empty() {
            all.closing.push(session);
        }
        all.tapes.extend(tapes);
    }

    /// The media engine ended a recording for good.
    pub fn complete(&self, session: SessionId) {
        self.lock().closing.retain(|closing| *closing != session);
        self.shared.1.notify_all();
    }

    /// Linear samples, 8 kHz.
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
