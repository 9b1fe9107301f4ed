//! A recording in memory, for phones and tests.

use crate::wav;
use rtp::Codec;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones are the same tape.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    codec: Option<Codec>,
    bytes: Vec<u8>,
}

impl Tape {
    pub fn new() -> Tape {
        Tape::default()
    }

    pub(crate) fn append(&self, codec: Codec, bytes: &[u8]) {
        let mut inner = self.lock();
        inner.codec = Some(codec);
        inner.bytes.extend_from_slice(bytes);
    }

    /// What was recorded so far, as it was on the wire; `None` while nothing was.
    pub fn encoded(&self) -> Option<(Codec, Vec<u8>)> {
        let inner = self.lock();
        inner.codec.map(|codec| (codec, inner.bytes.clone()))
    }

    /// What was recorded so far as a WAV file (16 bits linear, which every program reads).
    pub fn to_wav(&self) -> Vec<u8> {
        wav::write_linear(&self.samples())
    }

    /// What was recorded so far, linear.
    pub fn samples(&self) -> Vec<i16> {
        self.samples_from(0)
    }

    /// What was recorded so far after the first `start` samples, linear: for who listens along.
    pub fn samples_from(&self, start: usize) -> Vec<i16> {
        let inner = self.lock();
        let bytes = inner.bytes.get(start..).unwrap_or_default();
        inner.codec.map(|codec| rtp::decode(codec, bytes)).unwrap_or_default()
    }

    /// How many samples were recorded so far.
    pub fn len(&self) -> usize {
        self.lock().bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves at worst a chunk missing; the tape itself is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
