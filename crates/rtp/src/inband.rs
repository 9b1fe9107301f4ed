//! Keys heard as tones in the audio (ITU-T Q.23, Q.24), for peers without telephone events.

use crate::tone::{column_frequencies, key_at, row_frequencies};
use std::f64::consts::TAU;

/// Samples in a block, 12.75 ms; a new block begins every half of one.
const BLOCK: usize = 102;
const HOP: usize = BLOCK / 2;
/// So many blocks in a row press a key: 32 ms, which the shortest valid tone (40 ms, Q.24) fills wherever it begins.
const PRESS: u32 = 4;
/// So many blocks without it let it go: 20 ms, the longest interruption that is to be bridged.
const RELEASE: u32 = 3;
/// Each tone must be above about -30 dBm0: its peak amplitude squared.
const WEAKEST: f64 = 722.0 * 722.0;
/// Of the block's energy so much must be in the two tones: speech has overtones, keys have none.
const PURITY: f64 = 0.85;
/// A telephone's tones may be off by 1.5 % (Q.24): purity is measured where in this range the tone is strongest.
const OFFSETS: [f64; 5] = [0.985, 0.9925, 1.0, 1.0075, 1.015];
/// The column may be 8 dB stronger than the row, the row 6 dB stronger than the column.
const TWIST: f64 = 6.3;
const REVERSE_TWIST: f64 = 4.0;
/// The tone must be 8 dB above the other three of its group.
const PEAK: f64 = 6.3;

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InbandKey {
    Down(char),
    /// Let go after so many milliseconds (in steps of a block).
    Up(char, u32),
}

/// Listens to one stream of linear samples.
#[derive(Clone, Debug)]
pub struct InbandDetector {
    block: Vec<i16>,
    /// What the last block held, and how many before it.
    run: Option<(char, u32)>,
    pressed: Option<Pressed>,
    coefficients: [f64; 8],
    /// For each of the eight frequencies, those around it.
    around: [[f64; OFFSETS.len()]; 8],
}

#[derive(Clone, Debug)]
struct Pressed {
    key: char,
    blocks: u32,
    /// Blocks since it was last heard.
    missing: u32,
}

impl Default for InbandDetector {
    fn default() -> InbandDetector {
        InbandDetector::new()
    }
}

impl InbandDetector {
    pub fn new() -> InbandDetector {
        let coefficient = |frequency: f64| 2.0 * (TAU * frequency / 8000.0).cos();
        let mut coefficients = [0.0; 8];
        let mut around = [[0.0; OFFSETS.len()]; 8];
        for (n, frequency) in row_frequencies().into_iter().chain(column_frequencies()).enumerate() {
            coefficients[n] = coefficient(frequency);
            around[n] = OFFSETS.map(|offset| coefficient(frequency * offset));
        }
        InbandDetector { block: Vec::with_capacity(BLOCK), run: None, pressed: None, coefficients, around }
    }

    /// Takes samples in pieces of any size and tells what was heard in them.
    pub fn listen(&mut self, mut samples: &[i16], mut heard: impl FnMut(InbandKey)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            samples = later;
            if self.block.len() == BLOCK {
                let key = self.classify();
                self.block.drain(..HOP);
                self.step(key, &mut heard);
            }
        }
    }

    fn step(&mut self, key: Option<char>, heard: &mut impl FnMut(InbandKey)) {
        self.run = match (key, self.run) {
            (Some(key), Some((same, count))) if key == same => Some((key, count.saturating_add(1))),
            (Some(key), _) => Some((key, 1)),
            (None, _) => None,
        };
        if let Some(pressed) = &mut self.pressed {
            if key == Some(pressed.key) {
                pressed.blocks = pressed.blocks.saturating_add(pressed.missing + 1);
                pressed.missing = 0;
                return;
            }
            pressed.missing += 1;
            if pressed.missing < RELEASE {
                return;
            }
            let samples = u64::from(pressed.blocks) * HOP as u64 + HOP as u64;
            heard(InbandKey::Up(pressed.key, u32::try_from(samples / 8).unwrap_or(u32::MAX)));
            self.pressed = None;
        }
        if let Some((key, PRESS..)) = self.run {
            heard(InbandKey::Down(key));
            self.pressed = Some(Pressed { key, blocks: PRESS, missing: 0 });
        }
    }

    fn classify(&self) -> Option<char> {
        let energy: f64 = self.block.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
        // A tone of amplitude A has the energy A²N/2 in a block of N.
        if energy < WEAKEST * BLOCK as f64 {
            return None;
        }
        let powers = self.coefficients.map(|coefficient| self.power(coefficient));
        let (rows, columns) = powers.split_at(4);
        let (row, row_power) = strongest(rows)?;
        let (column, column_power) = strongest(columns)?;
        // |X|² of that tone is (AN/2)².
        let squared_amplitude = |power: f64| power * 4.0 / (BLOCK * BLOCK) as f64;
        let strong = squared_amplitude(row_power) > WEAKEST && squared_amplitude(column_power) > WEAKEST;
        let balanced = column_power < row_power * TWIST && row_power < column_power * REVERSE_TWIST;
        if !strong || !balanced {
            return None;
        }
        let best = |n: usize| self.around[n].iter().map(|near| self.power(*near)).fold(0.0, f64::max);
        let pure = (best(row) + best(column + 4)) * 2.0 / (BLOCK as f64 * energy) > PURITY;
        pure.then(|| key_at(row, column))
    }

    /// Goertzel: the squared magnitude of the block's spectrum at one frequency.
    fn power(&self, coefficient: f64) -> f64 {
        let (mut s1, mut s2) = (0.0, 0.0);
        for sample in &self.block {
            let s0 = f64::from(*sample) + coefficient * s1 - s2;
            s2 = s1;
            s1 = s0;
        }
        s1 * s1 + s2 * s2 - coefficient * s1 * s2
    }
}

/// The strongest of a group, if it stands out.
fn strongest(powers: &[f64]) -> Option<(usize, f64)> {
    let (at, power) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let stands_out = powers.iter().enumerate().all(|(other, weaker)| other == at || weaker * PEAK < power);
    stands_out.then_some((at, power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, Tone, decode, encode, key_tone};

    fn heard(samples: &[i16]) -> Vec<InbandKey> {
        let mut keys = Vec::new();
        let mut detector = InbandDetector::new();
        // Through the wire's codec, in packets.
        for packet in decode(Codec::Pcma, &encode(Codec::Pcma, samples)).chunks(160) {
            detector.listen(packet, |key| keys.push(key));
        }
        keys
    }

    fn presses(samples: &[i16]) -> String {
        heard(samples).iter().filter_map(|key| if let InbandKey::Down(key) = key { Some(*key) } else { None }).collect()
    }

    fn noise(count: usize, amplitude: i32) -> Vec<i16> {
        let mut state = 12345u32;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 16) as i32 % (2 * amplitude + 1) - amplitude) as i16
            })
            .collect()
    }

    fn pair(low: f64, high: f64, low_dbm0: f32, high_dbm0: f32, count: usize) -> Vec<i16> {
        let low = Tone::new(&[low], low_dbm0).samples(count);
        let high = Tone::new(&[high], high_dbm0).samples(count);
        low.iter().zip(&high).map(|(a, b)| a + b).collect()
    }

    #[test]
    fn every_key_of_fifty_milliseconds_is_heard_once_wherever_it_begins() {
        for offset in [0, 13, 50, 77, 101] {
            let mut samples = vec![0; offset];
            for key in "123A456B789C*0#D".chars() {
                samples.extend(key_tone(key, 400).unwrap());
                samples.extend([0; 400]);
            }
            assert_eq!(presses(&samples), "123A456B789C*0#D", "offset {offset}");
        }
    }

    #[test]
    fn a_long_key_is_one_press_of_about_its_length() {
        let mut samples = key_tone('8', 4000).unwrap();
        samples.extend([0; 800]);
        let keys = heard(&samples);
        assert_eq!(keys[0], InbandKey::Down('8'));
        let InbandKey::Up('8', ms) = keys[1] else { panic!("{keys:?}") };
        assert!((470..=520).contains(&ms), "{ms}");
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn frequencies_within_one_and_a_half_percent_are_accepted_and_beyond_three_and_a_half_refused() {
        for off in [0.985, 1.015] {
            assert_eq!(presses(&pair(770.0 * off, 1336.0 * off, -9.0, -7.0, 800)), "5", "off {off}");
        }
        for off in [0.95, 1.05] {
            assert_eq!(presses(&pair(770.0 * off, 1336.0 * off, -9.0, -7.0, 800)), "", "off {off}");
        }
    }

    #[test]
    fn twist_is_allowed_as_far_as_telephones_have_it() {
        assert_eq!(presses(&pair(770.0, 1336.0, -16.0, -10.0, 800)), "5");
        assert_eq!(presses(&pair(770.0, 1336.0, -10.0, -14.0, 800)), "5");
        assert_eq!(presses(&pair(770.0, 1336.0, -25.0, -10.0, 800)), "");
    }

    #[test]
    fn keys_are_heard_through_noise_and_noise_is_no_key() {
        let mut samples: Vec<i16> = Vec::new();
        for key in "159D".chars() {
            samples.extend(key_tone(key, 800).unwrap());
            samples.extend([0; 800]);
        }
        let noisy: Vec<i16> =
            samples.iter().zip(noise(samples.len(), 1500)).map(|(a, b)| a.saturating_add(b)).collect();
        assert_eq!(presses(&noisy), "159D");
        assert_eq!(presses(&noise(8000 * 20, 12_000)), "");
    }

    #[test]
    fn a_voice_is_no_key() {
        // A minute of vowels: a gliding pitch with all its overtones, shaped by formants that wander.
        let mut samples = Vec::new();
        let mut phase = 0.0f64;
        for n in 0..8000 * 60 {
            let t = n as f64 / 8000.0;
            let pitch = 160.0 + 70.0 * (t * 1.3).sin() + 25.0 * (t * 5.1).sin();
            let first = 550.0 + 250.0 * (t * 2.1).sin();
            let second = 1500.0 + 500.0 * (t * 1.7).cos();
            phase += TAU * pitch / 8000.0;
            let mut sample = 0.0;
            let mut overtone = 1.0;
            while overtone * pitch < 3400.0 {
                let f = overtone * pitch;
                let resonance = |at: f64, width: f64| 1.0 / (1.0 + ((f - at) / width).powi(2)).sqrt();
                let gain = resonance(first, 60.0) + 0.6 * resonance(second, 90.0);
                sample += gain * (phase * overtone).sin();
                overtone += 1.0;
            }
            let loudness = 5000.0 * (0.6 + 0.4 * (t * 8.0).sin());
            samples.push((sample * loudness) as i16);
        }
        assert_eq!(presses(&samples), "");
    }

    #[test]
    fn tones_of_the_network_and_single_tones_are_no_key() {
        for frequencies in [&[425.0][..], &[350.0, 440.0], &[440.0, 480.0], &[1000.0], &[770.0], &[1336.0]] {
            assert_eq!(presses(&Tone::new(frequencies, -10.0).samples(8000)), "", "{frequencies:?}");
        }
    }
}
