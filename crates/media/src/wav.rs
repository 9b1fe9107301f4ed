//! WAV files: those that people bring, and those that we make of what was recorded.

use crate::ClipError;
use rtp::Codec;

/// Longest audio taken, in samples: an hour.
const LONGEST: usize = 3600 * 8000;

/// What a WAV file holds: wire bytes as they are where it is G.711 in mono at 8 kHz, else linear samples at 8 kHz.
#[derive(Debug, PartialEq)]
pub(crate) enum Wav {
    Encoded(Codec, Vec<u8>),
    Linear(Vec<i16>),
}

struct Format {
    /// 1 PCM, 3 float, 6 A-law, 7 µ-law.
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Wav, ClipError> {
    let not = |why: &str| ClipError::Wav(why.into());
    if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(not("it does not begin as one"));
    }
    let mut format = None;
    let mut rest = bytes.get(12..).unwrap_or_default();
    loop {
        let (Some(name), Some(size)) = (rest.get(..4), number(rest, 4, 4)) else {
            return Err(not("it has no audio"));
        };
        let body = rest.get(8..).unwrap_or_default();
        if name == b"fmt " {
            format = Some(read_format(body.get(..size).ok_or_else(|| not("its format is cut short"))?)?);
        } else if name == b"data" {
            let format = format.ok_or_else(|| not("its audio comes before its format"))?;
            // Recorders that were cut off leave a size too large, streaming ones 0xffffffff: take what is there.
            return samples_of(&format, body.get(..size).unwrap_or(body));
        }
        // Chunks are padded to even length.
        rest = body.get(size.saturating_add(size % 2)..).unwrap_or_default();
    }
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

fn read_format(body: &[u8]) -> Result<Format, ClipError> {
    let field = |at, length| number(body, at, length).ok_or_else(|| ClipError::Wav("its format is too short".into()));
    let mut tag = field(0, 2)? as u16;
    if tag == 0xfffe {
        // WAVE_FORMAT_EXTENSIBLE: the real tag begins the sub-format.
        tag = field(24, 2)? as u16;
    }
    let format = Format { tag, channels: field(2, 2)? as u16, rate: field(4, 4)? as u32, bits: field(14, 2)? as u16 };
    if !(1..=8).contains(&format.channels) {
        return Err(ClipError::Wav(format!("{} channels", format.channels)));
    }
    Ok(format)
}

fn samples_of(format: &Format, data: &[u8]) -> Result<Wav, ClipError> {
    let codec = match format.tag {
        6 => Some(Codec::Pcma),
        7 => Some(Codec::Pcmu),
        _ => None,
    };
    let width = usize::from(format.bits / 8);
    let channels = usize::from(format.channels);
    if width == 0 || !format.bits.is_multiple_of(8) || width > 8 {
        return Err(ClipError::Wav(format!("{} bits a sample", format.bits)));
    }
    if !(4000..=192_000).contains(&format.rate) {
        return Err(ClipError::Rate(format.rate));
    }
    if data.len() / width / channels / (format.rate as usize) >= LONGEST / 8000 {
        return Err(ClipError::TooLong);
    }
    if let Some(codec) = codec
        && (format.rate, channels, width) == (8000, 1, 1)
    {
        return Ok(Wav::Encoded(codec, data.to_vec()));
    }
    let one = |sample: &[u8]| -> Option<f32> {
        Some(match (format.tag, sample) {
            (6 | 7, [byte]) => f32::from(*rtp::decode(codec?, &[*byte]).first()?),
            (1, [byte]) => (f32::from(*byte) - 128.0) * 256.0,
            (1, [low, high]) => f32::from(i16::from_le_bytes([*low, *high])),
            (1, [low, middle, high]) => i32::from_le_bytes([0, *low, *middle, *high]) as f32 / 65_536.0,
            (1, [a, b, c, d]) => i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 65_536.0,
            (3, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]) * 32_767.0,
            (3, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32 * 32_767.0,
            _ => return None,
        })
    };
    if data.len() >= width && one(&data[..width]).is_none() {
        return Err(ClipError::Wav(format!("format {} of {} bits", format.tag, format.bits)));
    }
    let mixed: Vec<f32> = data
        .chunks_exact(width * channels)
        .map(|frame| {
            let sum: f32 = frame.chunks_exact(width).filter_map(one).filter(|value| value.is_finite()).sum();
            sum / f32::from(format.channels)
        })
        .collect();
    Ok(Wav::Linear(to_8000(&mixed, format.rate)))
}

/// Brings samples to 8 kHz by a windowed sinc that lets nothing above 3.6 kHz (or the lower half rate) through.
fn to_8000(samples: &[f32], rate: u32) -> Vec<i16> {
    let round = |value: f64| value.round().clamp(-32_768.0, 32_767.0) as i16;
    if rate == 8000 {
        return samples.iter().map(|sample| round(f64::from(*sample))).collect();
    }
    let step = f64::from(rate) / 8000.0;
    // Cut-off as a part of the input's rate, and taps enough for sixteen crossings to each side.
    let cut = 0.45 * (8000.0f64).min(f64::from(rate)) / f64::from(rate);
    let reach = (8.0 / cut).ceil();
    let count = (samples.len() as f64 / step) as usize;
    (0..count)
        .map(|n| {
            let centre = n as f64 * step;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach).floor() as usize).min(samples.len().saturating_sub(1));
            let sum: f64 = (first..=last)
                .map(|at| {
                    let x = at as f64 - centre;
                    let angle = std::f64::consts::TAU * cut * x;
                    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
                    let window = 0.5 + 0.5 * (std::f64::consts::PI * x / reach).cos();
                    f64::from(samples[at]) * sinc * window * 2.0 * cut
                })
                .sum();
            round(sum)
        })
        .collect()
}

/// A WAV file of G.711 as it was on the wire (format 6 or 7): half the size of linear, and nothing is lost.
pub fn write_g711(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    let tag = match codec {
        Codec::Pcma => 6,
        Codec::Pcmu => 7,
    };
    // Formats other than PCM state the size of an extension, here none, and the count of samples.
    let mut format = format_chunk(tag, 1, 8);
    format.extend(0u16.to_le_bytes());
    let mut fact = b"fact".to_vec();
    fact.extend(4u32.to_le_bytes());
    fact.extend(length_of(bytes.len()).to_le_bytes());
    riff(&format, &fact, bytes)
}

/// A WAV file of linear samples, 16 bits.
pub fn write_linear(samples: &[i16]) -> Vec<u8> {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    riff(&format_chunk(1, 2, 16), &[], &bytes)
}

fn format_chunk(tag: u16, width: u16, bits: u16) -> Vec<u8> {
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(1u16.to_le_bytes());
    format.extend(8000u32.to_le_bytes());
    format.extend((8000 * u32::from(width)).to_le_bytes());
    format.extend(width.to_le_bytes());
    format.extend(bits.to_le_bytes());
    format
}

fn length_of(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn riff(format: &[u8], fact: &[u8], data: &[u8]) -> Vec<u8> {
    let padding = data.len() % 2;
    let mut file = b"RIFF".to_vec();
    file.extend(length_of(4 + 8 + format.len() + fact.len() + 8 + data.len() + padding).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(length_of(format.len()).to_le_bytes());
    file.extend(format);
    file.extend(fact);
    file.extend(b"data");
    file.extend(length_of(data.len()).to_le_bytes());
    file.extend(data);
    file.extend(std::iter::repeat_n(0, padding));
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::Tone;

    fn with_rate(samples: &[i16], rate: u32) -> Vec<u8> {
        let mut file = write_linear(samples);
        file[24..28].copy_from_slice(&rate.to_le_bytes());
        file
    }

    #[test]
    fn what_is_written_is_read_back_in_both_forms() {
        let bytes: Vec<u8> = (0..=254).collect();
        assert_eq!(read(&write_g711(Codec::Pcma, &bytes)), Ok(Wav::Encoded(Codec::Pcma, bytes.clone())));
        assert_eq!(read(&write_g711(Codec::Pcmu, &bytes)), Ok(Wav::Encoded(Codec::Pcmu, bytes)));
        assert_eq!(read(&write_linear(&[1, -2, 3])), Ok(Wav::Linear(vec![1, -2, 3])));
    }

    #[test]
    fn other_rates_become_8000_and_the_tone_stays_the_tone() {
        for rate in [16_000u32, 44_100, 48_000, 11_025] {
            let source: Vec<i16> = (0..rate)
                .map(|n| (8000.0 * (std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(rate)).sin()) as i16)
                .collect();
            let Ok(Wav::Linear(samples)) = read(&with_rate(&source, rate)) else { panic!() };
            assert!((7999..=8001).contains(&samples.len()), "{rate}: {}", samples.len());
            for (n, sample) in samples.iter().enumerate().take(7000).skip(800) {
                let expected = 8000.0 * (std::f64::consts::TAU * 440.0 * n as f64 / 8000.0).sin();
                assert!((f64::from(*sample) - expected).abs() < 100.0, "{rate} Hz, sample {n}");
            }
        }
    }

    #[test]
    fn what_8000_cannot_carry_is_filtered_out() {
        let source: Vec<i16> = Tone::new(&[3000.0], 0.0).samples(48_000);
        // Played at 48 kHz the tone is 18 kHz.
        let Ok(Wav::Linear(samples)) = read(&with_rate(&source, 48_000)) else { panic!() };
        assert!(samples.iter().all(|sample| sample.abs() < 300));
    }

    #[test]
    fn stereo_is_mixed_and_a_wrong_size_is_forgiven() {
        let mut file = write_linear(&[100, 300, -50, 50]);
        file[22] = 2;
        file[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&file), Ok(Wav::Linear(vec![200, 0])));
    }

    #[test]
    fn a_damaged_file_is_an_error_wherever_it_is_cut_or_changed() {
        let file = write_g711(Codec::Pcma, &[1, 2, 3]);
        for length in 0..file.len() {
            let _ = read(&file[..length]);
        }
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                let _ = read(&changed);
            }
        }
        assert!(read(b"RIFF").is_err());
        assert!(matches!(read(&with_rate(&[0; 10], 100)), Err(ClipError::Rate(100))));
    }
}
