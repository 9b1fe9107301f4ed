//! A piece of audio to play: encoded once per codec, and shared by all calls that play it.

use std::fmt;

/// Linear audio, 8 kHz mono. Share it by `Arc`.
pub struct Clip {
    samples: Vec<i16>,
}

/// Why a WAV file is no clip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// The bytes are no WAV file that we can read.
    #[error("not a WAV file: {0}")]
    Wav(String),
    /// Only 8 kHz is played as it is: convert it first.
    #[error("sample rate {0} Hz, need 8000")]
    Rate(u32),
    /// Longer than an hour.
    #[error("longer than an hour")]
    TooLong,
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({} samples)", self.samples.len())
    }
}

impl Clip {
    pub fn from_samples(samples: Vec<i16>) -> Clip {
        Clip { samples }
    }

    /// Reads a WAV file: 8 kHz, one channel or more (mixed down), PCM of 8 to 32 bits, float, A-law or µ-law.
    pub fn from_wav(_bytes: &[u8]) -> Result<Clip, ClipError> {
        Err(ClipError::Wav("not yet".into()))
    }

    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    pub fn duration(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.samples.len() as u64 * 125)
    }
}
