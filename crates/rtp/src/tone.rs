//! Tones: sums of sines, with soft edges so that they do not click.

use std::f64::consts::TAU;

/// A sine of 0 dBm0 has this peak in 16-bit samples (3.14 dB under full scale, ITU-T G.711 4).
const PEAK_0_DBM0: f64 = 22826.0;
/// Samples over which a tone rises and falls: 5 ms.
const EDGE: usize = 40;

/// Frequencies sounded together, each at the given level.
#[derive(Clone, Debug, PartialEq)]
pub struct Tone {
    frequencies: Vec<f64>,
    amplitude: f64,
}

impl Tone {
    /// `frequencies` in Hz, `dbm0` the level of each.
    pub fn new(frequencies: &[f64], dbm0: f32) -> Tone {
        Tone { frequencies: frequencies.to_vec(), amplitude: PEAK_0_DBM0 * 10f64.powf(f64::from(dbm0) / 20.0) }
    }

    /// The tone that tells a caller to speak: 1 kHz at -13 dBm0 (as long as the caller of this makes it).
    pub fn record_beep() -> Tone {
        Tone::new(&[1000.0], -13.0)
    }

    /// So many samples of it (8,000 a second), clipped where the sum is too loud.
    pub fn samples(&self, count: usize) -> Vec<i16> {
        (0..count)
            .map(|n| {
                let sum: f64 = self.frequencies.iter().map(|f| (TAU * f * n as f64 / 8000.0).sin()).sum();
                let from_edge = n.min(count - 1 - n);
                let gain = if from_edge < EDGE { (from_edge as f64 + 1.0) / (EDGE as f64 + 1.0) } else { 1.0 };
                // A float cast saturates: no overflow.
                (sum * self.amplitude * gain).round() as i16
            })
            .collect()
    }
}

const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The tone pair of a key (ITU-T Q.23): the rows at -9, the columns at -7 dBm0. `None` if it is no key.
pub fn key_tone(key: char, samples: usize) -> Option<Vec<i16>> {
    let key = key.to_ascii_uppercase();
    let (row, column) = (0..16).map(|n| (n / 4, n % 4)).find(|(row, column)| KEYS[*row][*column] == key)?;
    let low = Tone::new(&[ROWS[row]], -9.0).samples(samples);
    let high = Tone::new(&[COLUMNS[column]], -7.0).samples(samples);
    Some(low.iter().zip(&high).map(|(a, b)| a.saturating_add(*b)).collect())
}

pub(crate) const fn row_frequencies() -> [f64; 4] {
    ROWS
}

pub(crate) const fn column_frequencies() -> [f64; 4] {
    COLUMNS
}

pub(crate) fn key_at(row: usize, column: usize) -> char {
    KEYS[row][column]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_the_asked_length_and_begins_and_ends_near_nothing() {
        let tone = Tone::record_beep().samples(4000);
        assert_eq!(tone.len(), 4000);
        assert!(tone[0].abs() < 200 && tone[3999].abs() < 200);
        assert!(tone.iter().any(|sample| sample.abs() > 4000));
        assert!(Tone::record_beep().samples(0).is_empty());
    }

    #[test]
    fn too_loud_a_sum_is_clipped_and_does_not_wrap() {
        let tone = Tone::new(&[100.0, 100.0, 100.0], 10.0).samples(400);
        assert!(tone.contains(&i16::MAX));
    }

    #[test]
    fn what_is_no_key_has_no_tone() {
        assert!(key_tone('x', 100).is_none());
        assert_eq!(key_tone('d', 100), key_tone('D', 100));
    }
}
