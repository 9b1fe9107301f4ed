//! WAV files: messages go out as G.711 (format tags 6 and 7), greetings come in as whatever a person recorded.

use bytes::{BufMut, Bytes, BytesMut};
use rtp::Codec;

/// Samples a second inside Earcon.
const RATE: u32 = 8000;
/// Longest greeting (UMMailboxPolicy's upper limit for MaxGreetingDuration is 10 minutes).
pub const LONGEST_GREETING_S: u32 = 600;

const TAG_PCM: u16 = 1;
const TAG_ALAW: u16 = 6;
const TAG_MULAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// Why a file is no greeting. Each is a sentence for whoever uploaded it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// It does not begin as a RIFF file of type WAVE.
    #[error("this is no WAV file")]
    NotWav,
    /// A chunk is missing or cut off.
    #[error("the WAV file is damaged: {0}")]
    Damaged(&'static str),
    /// Compressed, floating point, or of another depth.
    #[error("the WAV file has {0}; send 16-bit (or 8-bit) PCM or G.711")]
    Encoding(String),
    /// Neither 8, 16 nor 44.1 kHz (nor 11.025, 22.05, 32 or 48).
    #[error("the WAV file has {0} samples a second; send 8000, 16000, 44100 or 48000")]
    Rate(u32),
    /// Neither one channel nor two.
    #[error("the WAV file has {0} channels; send mono or stereo")]
    Channels(u16),
    /// No samples at all.
    #[error("the WAV file is empty")]
    Empty,
    /// Longer than ten minutes.
    #[error("the recording is longer than {LONGEST_GREETING_S} seconds")]
    TooLong,
}

/// The header of a G.711 WAV file that goes before `length` bytes of audio. With an odd length a pad byte follows it.
pub(crate) fn g711_header(codec: Codec, length: u32) -> Bytes {
    let tag = match codec {
        Codec::Pcma => TAG_ALAW,
        Codec::Pcmu => TAG_MULAW,
    };
    // fmt with its size field, and fact: both are demanded for every format but PCM.
    let mut header = BytesMut::with_capacity(58);
    header.put_slice(b"RIFF");
    header.put_u32_le(length.saturating_add(length & 1).saturating_add(50));
    header.put_slice(b"WAVEfmt ");
    header.put_u32_le(18);
    put_format(&mut header, tag, 8);
    header.put_u16_le(0);
    header.put_slice(b"fact");
    header.put_u32_le(4);
    header.put_u32_le(length);
    header.put_slice(b"data");
    header.put_u32_le(length);
    header.freeze()
}

/// A 16-bit mono PCM file of 8 kHz samples: how greetings are kept.
pub(crate) fn pcm_file(samples: &[i16]) -> Bytes {
    let length = u32::try_from(samples.len().saturating_mul(2)).unwrap_or(u32::MAX);
    let mut file = BytesMut::with_capacity(samples.len().saturating_mul(2).saturating_add(44));
    file.put_slice(b"RIFF");
    file.put_u32_le(length.saturating_add(36));
    file.put_slice(b"WAVEfmt ");
    file.put_u32_le(16);
    put_format(&mut file, TAG_PCM, 16);
    file.put_slice(b"data");
    file.put_u32_le(length);
    for sample in samples {
        file.put_i16_le(*sample);
    }
    file.freeze()
}

fn put_format(header: &mut BytesMut, tag: u16, bits: u16) {
    header.put_u16_le(tag);
    header.put_u16_le(1);
    header.put_u32_le(RATE);
    header.put_u32_le(RATE * u32::from(bits / 8));
    header.put_u16_le(bits / 8);
    header.put_u16_le(bits);
}

/// Reads any WAV that a person may send as a greeting, into 8 kHz mono samples.
pub fn read_wav(file: &[u8]) -> Result<Vec<i16>, WavError> {
    let body = file.strip_prefix(b"RIFF").and_then(|rest| rest.get(4..)).and_then(|rest| rest.strip_prefix(b"WAVE"));
    let mut rest = body.ok_or(WavError::NotWav)?;
    let mut format = None;
    loop {
        let (name, after) = rest.split_first_chunk::<4>().ok_or(WavError::Damaged("it has no audio"))?;
        let (length, after) = after.split_first_chunk::<4>().ok_or(WavError::Damaged("it is cut off"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if name == b"data" {
            let format: Format = format.ok_or(WavError::Damaged("its audio comes before its format"))?;
            // Recorders that stream leave the length at 0 or at its highest: then the audio goes to the end.
            let data = if length == 0 { after } else { after.get(..length).unwrap_or(after) };
            return format.samples(data);
        }
        let chunk = after.get(..length).ok_or(WavError::Damaged("it is cut off"))?;
        if name == b"fmt " {
            format = Some(Format::read(chunk)?);
        }
        // Chunks are padded to even length.
        rest = after.get(length.saturating_add(length & 1)..).unwrap_or_default();
    }
}

struct Format {
    encoding: Encoding,
    channels: usize,
    rate: u32,
}

#[derive(Clone, Copy)]
enum Encoding {
    Pcm8,
    Pcm16,
    Pcm24,
    G711(Codec),
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Format, WavError> {
        let word = |at: usize| chunk.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
        let cut = WavError::Damaged("its format is cut off");
        let (Some(mut tag), Some(channels), Some(bits)) = (word(0), word(2), word(14)) else { return Err(cut) };
        let rate = chunk.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).ok_or(cut)?;
        if tag == TAG_EXTENSIBLE {
            // The first two bytes of the sub-format's GUID are the tag.
            tag = word(24).ok_or(WavError::Damaged("its format is cut off"))?;
        }
        let encoding = match (tag, bits) {
            (TAG_PCM, 8) => Encoding::Pcm8,
            (TAG_PCM, 16) => Encoding::Pcm16,
            (TAG_PCM, 24) => Encoding::Pcm24,
            (TAG_ALAW, 8) => Encoding::G711(Codec::Pcma),
            (TAG_MULAW, 8) => Encoding::G711(Codec::Pcmu),
            (3, bits) => return Err(WavError::Encoding(format!("{bits}-bit floating point audio"))),
            (TAG_PCM, bits) => return Err(WavError::Encoding(format!("{bits}-bit PCM audio"))),
            (tag, _) => return Err(WavError::Encoding(format!("compressed audio (format {tag})"))),
        };
        if !matches!(channels, 1 | 2) {
            return Err(WavError::Channels(channels));
        }
        if !matches!(rate, 8000 | 11025 | 16000 | 22050 | 32000 | 44100 | 48000) {
            return Err(WavError::Rate(rate));
        }
        Ok(Format { encoding, channels: usize::from(channels), rate })
    }

    fn samples(&self, data: &[u8]) -> Result<Vec<i16>, WavError> {
        let width = match self.encoding {
            Encoding::Pcm8 | Encoding::G711(_) => 1,
            Encoding::Pcm16 => 2,
            Encoding::Pcm24 => 3,
        };
        let frames = data.len() / (width * self.channels);
        if frames == 0 {
            return Err(WavError::Empty);
        }
        if u64::try_from(frames).unwrap_or(u64::MAX) > u64::from(self.rate) * u64::from(LONGEST_GREETING_S) {
            return Err(WavError::TooLong);
        }
        let linear: Vec<i16> = match self.encoding {
            Encoding::Pcm8 => data.iter().map(|byte| (i16::from(*byte) - 128) * 256).collect(),
            Encoding::Pcm16 => data.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect(),
            Encoding::Pcm24 => {
                data.as_chunks::<3>().0.iter().map(|[_, low, high]| i16::from_le_bytes([*low, *high])).collect()
            }
            Encoding::G711(codec) => rtp::decode(codec, data),
        };
        let mono = if self.channels == 2 {
            linear.as_chunks::<2>().0.iter().map(|[left, right]| left.midpoint(*right)).collect()
        } else {
            linear
        };
        Ok(resample(&mono, self.rate))
    }
}

/// To 8 kHz, through a low-pass at 3.6 kHz: a sinc over twelve zero crossings on each side, under a Hann window.
///
/// An output sample falls between two input samples in one of a few phases (rate 44,100: 80 of them), so the weights
/// are computed once for each phase.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    const CUTOFF: f64 = 3600.0;
    const CROSSINGS: f64 = 12.0;
    if rate == RATE {
        return samples.to_vec();
    }
    let divisor = gcd(rate, RATE);
    // Output sample n lies at input position n * step / phases.
    let (step, phases) = ((rate / divisor) as usize, (RATE / divisor) as usize);
    let turns = 2.0 * CUTOFF / f64::from(rate);
    let reach = (CROSSINGS / turns).ceil() as usize;
    let weights: Vec<Vec<f64>> = (0..phases)
        .map(|phase| {
            let weights: Vec<f64> = (0..=2 * reach)
                .map(|tap| {
                    let away = tap as f64 - reach as f64 - phase as f64 / phases as f64;
                    let window = (std::f64::consts::FRAC_PI_2 * away / (reach + 1) as f64).cos().powi(2);
                    let angle = std::f64::consts::PI * turns * away;
                    window * if angle == 0.0 { 1.0 } else { angle.sin() / angle }
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            weights.iter().map(|weight| weight / sum).collect()
        })
        .collect();
    // Bounded by LONGEST_GREETING_S: no overflow.
    let count = samples.len() * phases / step;
    (0..count)
        .map(|n| {
            let (centre, phase) = (n * step / phases, n * step % phases);
            let skipped = reach.saturating_sub(centre);
            let heard = samples.iter().skip(centre.saturating_sub(reach));
            let taps = weights.get(phase).into_iter().flatten().skip(skipped);
            let sum: f64 = heard.zip(taps).map(|(sample, weight)| f64::from(*sample) * weight).sum();
            // `as` saturates.
            sum.round() as i16
        })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut file = BytesMut::new();
        file.put_slice(b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0");
        file.put_u16_le(tag);
        file.put_u16_le(channels);
        file.put_u32_le(rate);
        file.put_u32_le(0);
        file.put_u16_le(0);
        file.put_u16_le(bits);
        file.put_slice(b"data");
        file.put_u32_le(data.len() as u32);
        file.put_slice(data);
        file.to_vec()
    }

    fn sine(rate: u32, hertz: f64, seconds: f64, channels: usize) -> Vec<u8> {
        (0..(f64::from(rate) * seconds) as u32)
            .map(|n| (10_000.0 * (f64::from(n) / f64::from(rate) * hertz * std::f64::consts::TAU).sin()) as i16)
            .flat_map(|sample| sample.to_le_bytes().repeat(channels))
            .collect()
    }

    fn level(samples: &[i16]) -> f64 {
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn every_rate_and_both_channel_counts_become_8_khz_mono_of_the_same_length_and_level() {
        for rate in [8000, 11025, 16000, 22050, 32000, 44100, 48000] {
            for channels in [1, 2] {
                let wav = file(1, channels, rate, 16, &sine(rate, 440.0, 1.5, usize::from(channels)));
                let samples = read_wav(&wav).unwrap();
                assert!(samples.len().abs_diff(12_000) <= 1, "{rate}: {}", samples.len());
                assert!((level(&samples) - 7071.0).abs() < 70.0, "{rate}: {}", level(&samples));
            }
        }
    }

    #[test]
    fn what_is_above_the_telephone_band_does_not_fold_back_loud() {
        for rate in [44100, 48000] {
            let samples = read_wav(&file(1, 1, rate, 16, &sine(rate, 5000.0, 1.0, 1))).unwrap();
            assert!(level(&samples) < 71.0, "40 dB down: {}", level(&samples));
            let samples = read_wav(&file(1, 1, rate, 16, &sine(rate, 3200.0, 1.0, 1))).unwrap();
            assert!(level(&samples) > 6300.0, "1 dB down at most: {}", level(&samples));
        }
    }

    #[test]
    fn g711_and_8_and_24_bit_are_read() {
        let alaw = rtp::encode(Codec::Pcma, &[1000, -1000]);
        assert_eq!(read_wav(&file(6, 1, 8000, 8, &alaw)).unwrap(), rtp::decode(Codec::Pcma, &alaw));
        assert_eq!(read_wav(&file(1, 1, 8000, 8, &[128, 0, 255])).unwrap(), [0, -32768, 32512]);
        assert_eq!(read_wav(&file(1, 1, 8000, 24, &[9, 1, 0, 9, 0xff, 0xff])).unwrap(), [1, -1]);
    }

    #[test]
    fn our_own_files_are_read_back() {
        let pcm = pcm_file(&[1, -2, 3]);
        assert_eq!(read_wav(&pcm).unwrap(), [1, -2, 3]);
        let mut g711 = g711_header(Codec::Pcmu, 2).to_vec();
        g711.extend([0xff, 0x80]);
        assert_eq!(read_wav(&g711).unwrap(), [0, 32124]);
        assert_eq!(u32::from_le_bytes(g711[4..8].try_into().unwrap()) as usize, g711.len() - 8);
    }

    #[test]
    fn whatever_else_is_refused_with_its_reason() {
        let text = |file: &[u8]| read_wav(file).unwrap_err().to_string();
        assert_eq!(text(b""), "this is no WAV file");
        assert_eq!(text(b"ID3\x04mp3 in disguise"), "this is no WAV file");
        assert_eq!(
            text(&file(3, 1, 8000, 32, &[0; 8])),
            "the WAV file has 32-bit floating point audio; send 16-bit (or 8-bit) PCM or G.711"
        );
        assert_eq!(text(&file(1, 6, 8000, 16, &[0; 8])), "the WAV file has 6 channels; send mono or stereo");
        assert_eq!(read_wav(&file(1, 1, 7999, 16, &[0; 8])), Err(WavError::Rate(7999)));
        assert_eq!(read_wav(&file(1, 1, 8000, 16, &[])), Err(WavError::Empty));
        assert_eq!(read_wav(&file(7, 1, 8000, 8, &vec![0; 8000 * 601])), Err(WavError::TooLong));
        let whole = file(1, 1, 8000, 16, &[0; 8]);
        for cut in 0..whole.len() - 8 {
            assert!(read_wav(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = read_wav(&bytes);
            let _ = read_wav(&[b"RIFF\0\0\0\0WAVE".as_slice(), &bytes].concat());
        }
    }
}
