//! A piece of audio to play: encoded once per codec, and shared by all calls that play it.

use crate::wav::{self, Wav};
use rtp::Codec;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// Audio, 8 kHz mono. Share it by `Arc`. It keeps the form that it was made from; others are made when first asked for.
pub struct Clip {
    length: usize,
    linear: OnceLock<Vec<i16>>,
    pcma: OnceLock<Vec<u8>>,
    pcmu: OnceLock<Vec<u8>>,
}

/// Why a WAV file is no clip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// The bytes are no WAV file that we can read.
    #[error("not a WAV file that can be read: {0}")]
    Wav(String),
    /// Below 4,000 or above 192,000 samples a second.
    #[error("a sample rate of {0} Hz")]
    Rate(u32),
    /// Longer than an hour.
    #[error("longer than an hour")]
    TooLong,
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({:?})", self.duration())
    }
}

impl Clip {
    pub fn from_samples(samples: Vec<i16>) -> Clip {
        let clip = Clip::of(samples.len());
        clip.linear.get_or_init(|| samples);
        clip
    }

    /// From wire bytes, as a recording has them.
    pub fn from_encoded(codec: Codec, bytes: Vec<u8>) -> Clip {
        let clip = Clip::of(bytes.len());
        clip.cell(codec).get_or_init(|| bytes);
        clip
    }

    /// Reads a WAV file: any rate, one channel or more (mixed down), PCM of 8 to 32 bits, float, A-law or µ-law.
    pub fn from_wav(bytes: &[u8]) -> Result<Clip, ClipError> {
        Ok(match wav::read(bytes)? {
            Wav::Encoded(codec, bytes) => Clip::from_encoded(codec, bytes),
            Wav::Linear(samples) => Clip::from_samples(samples),
        })
    }

    fn of(length: usize) -> Clip {
        Clip { length, linear: OnceLock::new(), pcma: OnceLock::new(), pcmu: OnceLock::new() }
    }

    fn cell(&self, codec: Codec) -> &OnceLock<Vec<u8>> {
        match codec {
            Codec::Pcma => &self.pcma,
            Codec::Pcmu => &self.pcmu,
        }
    }

    pub fn samples(&self) -> &[i16] {
        self.linear.get_or_init(|| {
            let of = |codec| self.cell(codec).get().map(|bytes| rtp::decode(codec, bytes));
            of(Codec::Pcma).or_else(|| of(Codec::Pcmu)).unwrap_or_default()
        })
    }

    /// As it goes on the wire: a byte a sample. The first call for a codec encodes it (a millisecond or so a minute).
    pub fn encoded(&self, codec: Codec) -> &[u8] {
        self.cell(codec).get_or_init(|| {
            let other = match codec {
                Codec::Pcma => Codec::Pcmu,
                Codec::Pcmu => Codec::Pcma,
            };
            match (self.linear.get(), self.cell(other).get()) {
                (None, Some(bytes)) => {
                    let mut bytes = bytes.clone();
                    rtp::transcode(other, codec, &mut bytes);
                    bytes
                }
                _ => rtp::encode(codec, self.samples()),
            }
        })
    }

    /// In samples, 8,000 a second.
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub fn duration(&self) -> Duration {
        samples_to_duration(self.length as u64)
    }
}

/// 8,000 samples a second.
pub(crate) fn samples_to_duration(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_form_it_is_made_from_the_others_fit() {
        let samples = rtp::Tone::new(&[440.0], -10.0).samples(400);
        let linear = Clip::from_samples(samples.clone());
        assert_eq!(linear.encoded(Codec::Pcma), rtp::encode(Codec::Pcma, &samples));
        let encoded = Clip::from_encoded(Codec::Pcmu, rtp::encode(Codec::Pcmu, &samples));
        assert_eq!(encoded.samples(), rtp::decode(Codec::Pcmu, encoded.encoded(Codec::Pcmu)));
        assert_eq!(encoded.encoded(Codec::Pcma).len(), 400);
        assert_eq!(linear.duration(), Duration::from_millis(50));
    }

    #[test]
    fn g711_in_a_file_is_played_as_it_is() {
        let bytes: Vec<u8> = (0..200).collect();
        let clip = Clip::from_wav(&wav::write_g711(Codec::Pcma, &bytes)).unwrap();
        assert_eq!(clip.encoded(Codec::Pcma), bytes);
    }
}
