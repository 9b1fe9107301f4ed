//! Sound as samples: 8 kHz, mono, 16 bit linear.

use std::fmt;
use std::time::Duration;

use crate::resample;

/// Samples a second of all audio here.
pub const RATE: u32 = 8_000;
/// Longest file that is read, in samples at its own rate: an hour at 48 kHz.
const MAX_SAMPLES: usize = 48_000 * 3_600;

/// A piece of sound, 8 kHz mono. Shared as `Arc<Audio>`: the same prompt is the same `Arc` each time, so a codec's
/// encoding of it can be kept by [`Arc::as_ptr`](std::sync::Arc::as_ptr) for as long as the `Arc` is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio {
    samples: Vec<i16>,
}

/// Why bytes are no sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF/WAVE header, or a chunk that is needed is missing.
    #[error("not a WAV file")]
    NotWav,
    /// Another coding than linear 16 bit, A-law or mu-law.
    #[error("WAV coding {0} is not read: linear 16 bit, A-law or mu-law are")]
    Coding(u16),
    /// More than two channels, or a sampling rate outside 4 to 192 kHz.
    #[error("WAV with {channels} channels at {rate} Hz is not read")]
    Shape { channels: u16, rate: u32 },
    /// Longer than an hour.
    #[error("WAV longer than an hour")]
    TooLong,
}

impl Audio {
    /// Samples at 8 kHz.
    pub fn from_samples(samples: Vec<i16>) -> Audio {
        Audio { samples }
    }

    /// That long a silence.
    pub fn silence(duration: Duration) -> Audio {
        let samples = usize::try_from(duration.as_millis().min(60_000)).unwrap_or(0) * 8;
        Audio { samples: vec![0; samples] }
    }

    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    pub fn duration(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.samples.len()).unwrap_or(0).saturating_mul(125))
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Reads a WAV file: linear 16 bit, A-law or mu-law, one or two channels, any usual rate (resampled to 8 kHz).
    /// Lengths in the header may lie, as they do in what comes through a pipe: what is there is read.
    ///
    /// # Errors
    /// [`WavError`] says what the file is instead.
    pub fn from_wav(bytes: &[u8]) -> Result<Audio, WavError> {
        if bytes.get(0..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(WavError::NotWav);
        }
        let mut rest = bytes.get(12..).unwrap_or_default();
        let mut format = None;
        while let Some((header, after)) = rest.split_at_checked(8) {
            let length = little_u32(header, 4).and_then(|l| usize::try_from(l).ok()).unwrap_or(0);
            let body = after.get(..length).unwrap_or(after);
            match &header[..4] {
                b"fmt " => format = Format::read(body),
                b"data" => {
                    let format = format.ok_or(WavError::NotWav)?;
                    return format.decode(body).map(|samples| Audio { samples });
                }
                _ => {}
            }
            // RIFF chunks are padded to an even length.
            rest = after.get(length.saturating_add(length % 2)..).unwrap_or_default();
        }
        Err(WavError::NotWav)
    }

    /// Without the silence at both ends, but for 15 ms before and 40 ms after.
    #[must_use]
    pub fn trimmed(&self) -> Audio {
        let peak = self.samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        // 34 dB below the peak, and never in the noise of 16 bit.
        let floor = (peak / 50).max(32);
        let loud = |sample: &i16| sample.unsigned_abs() > floor;
        let (Some(first), Some(last)) = (self.samples.iter().position(loud), self.samples.iter().rposition(loud))
        else {
            return Audio { samples: Vec::new() };
        };
        let end = (last + 320).min(self.samples.len());
        let samples = self.samples.get(first.saturating_sub(120)..end).unwrap_or_default().to_vec();
        Audio { samples }
    }

    /// As loud as all prompts: the 20 ms frames with speech in them at -19 dBov, peaks below full scale.
    #[must_use]
    pub fn levelled(&self) -> Audio {
        const TARGET: f64 = 3_676.0;
        let power =
            |frame: &[i16]| frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / frame.len() as f64;
        let frames: Vec<f64> = self.samples.chunks(160).map(power).collect();
        let loudest = frames.iter().copied().fold(0.0, f64::max);
        let spoken: Vec<f64> = frames.into_iter().filter(|frame| *frame > loudest / 300.0).collect();
        let peak = self.samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        if spoken.is_empty() || peak == 0 {
            return self.clone();
        }
        let level = (spoken.iter().sum::<f64>() / spoken.len() as f64).sqrt();
        let gain = (TARGET / level).min(30_000.0 / f64::from(peak));
        Audio { samples: self.samples.iter().map(|sample| (f64::from(*sample) * gain) as i16).collect() }
    }

    /// A WAV file of 16 bit linear samples at 8 kHz.
    pub fn to_wav(&self) -> Vec<u8> {
        let data: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        wav(1, 16, &data)
    }

    /// A WAV file of mu-law bytes at 8 kHz: half the size, and what most calls hear anyway.
    pub fn to_mulaw_wav(&self) -> Vec<u8> {
        let data: Vec<u8> = self.samples.iter().map(|sample| mulaw_of(*sample)).collect();
        wav(7, 8, &data)
    }

    /// Pieces one after the other as one.
    pub fn join<'a>(pieces: impl IntoIterator<Item = &'a Audio>) -> Audio {
        let mut samples = Vec::new();
        for piece in pieces {
            samples.extend_from_slice(&piece.samples);
        }
        Audio { samples }
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({:?})", self.duration())
    }
}

#[derive(Clone, Copy)]
struct Format {
    coding: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Format {
    fn read(body: &[u8]) -> Option<Format> {
        let mut coding = little_u16(body, 0)?;
        // WAVE_FORMAT_EXTENSIBLE keeps the real coding in the first two bytes of its GUID.
        if coding == 0xFFFE {
            coding = little_u16(body, 24)?;
        }
        Some(Format { coding, channels: little_u16(body, 2)?, rate: little_u32(body, 4)?, bits: little_u16(body, 14)? })
    }

    fn decode(self, data: &[u8]) -> Result<Vec<i16>, WavError> {
        let Format { coding, channels, rate, bits } = self;
        if !(1..=2).contains(&channels) || !(4_000..=192_000).contains(&rate) {
            return Err(WavError::Shape { channels, rate });
        }
        let samples: Vec<i16> = match (coding, bits) {
            (1, 16) => data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect(),
            (6, 8) => data.iter().map(|byte| alaw(*byte)).collect(),
            (7, 8) => data.iter().map(|byte| mulaw(*byte)).collect(),
            _ => return Err(WavError::Coding(coding)),
        };
        if samples.len() > MAX_SAMPLES.saturating_mul(usize::from(channels)) {
            return Err(WavError::TooLong);
        }
        let mono = if channels == 2 {
            let middle = |pair: &[i16]| i16::midpoint(pair[0], pair[1]);
            samples.chunks_exact(2).map(middle).collect()
        } else {
            samples
        };
        Ok(resample::to_rate(mono, rate, RATE))
    }
}

fn little_u16(bytes: &[u8], at: usize) -> Option<u16> {
    let part = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(part.try_into().ok()?))
}

fn little_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(part.try_into().ok()?))
}

fn wav(coding: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX - 44);
    let block = bits / 8;
    let mut file = Vec::with_capacity(data.len() + 46);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length.saturating_add(36 + length % 2)).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&coding.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * u32::from(block)).to_le_bytes());
    file.extend_from_slice(&block.to_le_bytes());
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(data);
    if length % 2 == 1 {
        file.push(0);
    }
    file
}

/// ITU-T G.711 mu-law, linear to one byte.
fn mulaw_of(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(32_635) + 0x84;
    // With the bias, the highest bit set is bit 7 (exponent 0) to bit 14 (exponent 7).
    let exponent = 8_u32.saturating_sub(magnitude.leading_zeros()).min(7);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | ((exponent as u8) << 4) | (mantissa as u8))
}

/// ITU-T G.711 mu-law, one byte to linear.
fn mulaw(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 7;
    let magnitude = (((i16::from(byte & 0x0F) << 3) + 0x84) << exponent) - 0x84;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}

/// ITU-T G.711 A-law, one byte to linear.
fn alaw(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 7;
    let mantissa = i16::from(byte & 0x0F) << 4;
    let magnitude = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    if byte & 0x80 == 0 { -magnitude } else { magnitude }
}
