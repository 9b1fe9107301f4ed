//! WAV files as they come: from recorders, pipes and people.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use speech::{Audio, WavError};

fn tone(rate: u32, frequency: f32, seconds: f32) -> Vec<i16> {
    let samples = (rate as f32 * seconds) as usize;
    (0..samples)
        .map(|index| ((index as f32 / rate as f32 * frequency * std::f32::consts::TAU).sin() * 8_000.0) as i16)
        .collect()
}

fn wav(coding: u16, channels: u16, rate: u32, bits: u16, data: &[u8], length: u32) -> Vec<u8> {
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
    file.extend_from_slice(&coding.to_le_bytes());
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&[0; 6]);
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(data);
    file
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn correlation(a: &[i16], b: &[i16]) -> f64 {
    let dot = |x: &[i16], y: &[i16]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn what_is_written_is_read() {
    let audio = Audio::from_samples(tone(8_000, 440.0, 0.5));
    assert_eq!(Audio::from_wav(&audio.to_wav()), Ok(audio.clone()));
    let companded = Audio::from_wav(&audio.to_mulaw_wav()).unwrap();
    assert!(correlation(audio.samples(), companded.samples()) > 0.999);
}

#[test]
fn mu_law_goes_there_and_back_without_a_change() {
    // Every byte's sample encodes to the same byte again; 0x7F is minus zero, which becomes plus zero.
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != 0x7F).collect();
    let audio = Audio::from_wav(&wav(7, 1, 8_000, 8, &all, all.len() as u32)).unwrap();
    let again = audio.to_mulaw_wav();
    assert_eq!(again.get(44..44 + all.len()), Some(all.as_slice()));
}

#[test]
fn a_law_decodes_to_the_tables_corners() {
    let audio = Audio::from_wav(&wav(6, 1, 8_000, 8, &[0xD5, 0x55, 0xAA, 0x2A], 4)).unwrap();
    assert_eq!(audio.samples(), [8, -8, 32_256, -32_256]);
}

#[test]
fn any_rate_becomes_eight_kilohertz_without_aliases() {
    for rate in [11_025, 16_000, 22_050, 44_100, 48_000] {
        let file = wav(1, 1, rate, 16, &bytes(&tone(rate, 440.0, 0.5)), u32::MAX);
        let audio = Audio::from_wav(&file).unwrap();
        assert!(audio.samples().len().abs_diff(4_000) <= 1);
        assert!(correlation(audio.samples(), &tone(8_000, 440.0, 0.5)) > 0.999, "{rate}");
    }
    // 5 kHz does not exist at 8 kHz; it must vanish, not come back as 3 kHz.
    let file = wav(1, 1, 16_000, 16, &bytes(&tone(16_000, 5_000.0, 0.5)), u32::MAX);
    let loudest = Audio::from_wav(&file).unwrap().samples()[200..3_800].iter().map(|s| s.unsigned_abs()).max();
    assert!(loudest < Some(30), "{loudest:?}");
}

#[test]
fn two_channels_become_their_middle() {
    let data = bytes(&[100, 300, -100, -300]);
    assert_eq!(Audio::from_wav(&wav(1, 2, 8_000, 16, &data, 8)).unwrap().samples(), [200, -200]);
}

#[test]
fn a_header_that_lies_about_its_length_is_not_believed() {
    for length in [0x7FFF_F000, u32::MAX] {
        let file = wav(1, 1, 8_000, 16, &bytes(&[1, 2, 3]), length);
        assert_eq!(Audio::from_wav(&file).unwrap().samples(), [1, 2, 3]);
    }
}

#[test]
fn what_is_no_sound_says_so() {
    assert_eq!(Audio::from_wav(b"hello"), Err(WavError::NotWav));
    assert_eq!(Audio::from_wav(&wav(85, 1, 8_000, 16, &[], 0)), Err(WavError::Coding(85)));
    assert_eq!(Audio::from_wav(&wav(1, 6, 8_000, 16, &[], 0)), Err(WavError::Shape { channels: 6, rate: 8_000 }));
    assert_eq!(Audio::from_wav(&wav(1, 1, 0, 16, &[], 0)), Err(WavError::Shape { channels: 1, rate: 0 }));
}

#[test]
fn silence_at_the_ends_is_cut_and_loudness_set() {
    let mut samples = vec![0; 4_000];
    samples.extend(tone(8_000, 440.0, 0.5).iter().map(|sample| sample / 8));
    samples.extend(vec![0; 4_000]);
    let audio = Audio::from_samples(samples).trimmed().levelled();
    assert!((4_000..5_000).contains(&audio.samples().len()));
    let loudest = audio.samples().iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!((5_000..5_600).contains(&loudest), "{loudest}");
    assert!(Audio::from_samples(vec![0; 100]).trimmed().levelled().is_empty());
}

proptest! {
    #[test]
    fn any_file_is_survived(head in any::<bool>(), data in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = if head { b"RIFF\0\0\0\0WAVE".to_vec() } else { Vec::new() };
        file.extend_from_slice(&data);
        let _ = Audio::from_wav(&file);
    }

    #[test]
    fn any_format_is_survived(c in 0_u16..10, n in 0_u16..4, r in 0_u32..300_000, b in 0_u16..33, data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Audio::from_wav(&wav(c, n, r, b, &data, 7));
    }
}
