//! How loud a packet is, in dBm0, from its wire bytes.

use crate::Codec;
use crate::g711::linear;

/// A sine of the highest level that A-law can carry is +3.14 dBm0, that of µ-law +3.17 (ITU-T G.711 4): one for both.
const FULL_SCALE_DBM0: f64 = 3.15;
/// Mean square of that sine in 16-bit samples.
const FULL_SCALE: f64 = 32768.0 * 32768.0 / 2.0;

const ALAW_SQUARES: [u32; 256] = squares(linear(Codec::Pcma));
const ULAW_SQUARES: [u32; 256] = squares(linear(Codec::Pcmu));

const fn squares(linear: &[i16; 256]) -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (linear[byte] as i32 * linear[byte] as i32) as u32;
        byte += 1;
    }
    table
}

/// The mean square of some audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u64);

/// A level to compare with: above it is sound, below it silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(u64);

impl Level {
    /// Of wire bytes; nothing is silent.
    pub fn of(codec: Codec, bytes: &[u8]) -> Level {
        let table = match codec {
            Codec::Pcma => &ALAW_SQUARES,
            Codec::Pcmu => &ULAW_SQUARES,
        };
        let sum: u64 = bytes.iter().map(|byte| u64::from(table[usize::from(*byte)])).sum();
        Level(sum.checked_div(bytes.len() as u64).unwrap_or(0))
    }

    /// Minus infinity for nothing at all.
    pub fn dbm0(self) -> f64 {
        10.0 * (self.0 as f64 / FULL_SCALE).log10() + FULL_SCALE_DBM0
    }

    pub fn is_above(self, threshold: Threshold) -> bool {
        self.0 > threshold.0
    }
}

impl Threshold {
    /// Values that are no number count as -40 dBm0.
    pub fn dbm0(level: f32) -> Threshold {
        let level = if level.is_finite() { f64::from(level).clamp(-120.0, 10.0) } else { -40.0 };
        Threshold((FULL_SCALE * 10f64.powf((level - FULL_SCALE_DBM0) / 10.0)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tone, encode};

    #[test]
    fn a_tone_measures_as_loud_as_it_was_made() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for dbm0 in [-45.0, -38.0, -20.0, -10.0, 0.0] {
                let tone = Tone::new(&[1020.0], dbm0).samples(8000);
                let level = Level::of(codec, &encode(codec, &tone)).dbm0();
                assert!((level - f64::from(dbm0)).abs() < 0.5, "{codec:?}: {dbm0} measured as {level}");
            }
        }
    }

    #[test]
    fn silence_of_either_law_is_below_minus_sixty() {
        assert!(!Level::of(Codec::Pcma, &[0xd5; 160]).is_above(Threshold::dbm0(-60.0)));
        assert!(!Level::of(Codec::Pcmu, &[0xff; 160]).is_above(Threshold::dbm0(-60.0)));
        assert!(!Level::of(Codec::Pcmu, &[]).is_above(Threshold::dbm0(-60.0)));
    }

    #[test]
    fn the_threshold_splits_where_it_says() {
        let of = |dbm0| Level::of(Codec::Pcma, &encode(Codec::Pcma, &Tone::new(&[440.0], dbm0).samples(800)));
        assert!(of(-39.0).is_above(Threshold::dbm0(-40.0)));
        assert!(!of(-41.0).is_above(Threshold::dbm0(-40.0)));
        assert_eq!(Threshold::dbm0(f32::NAN), Threshold::dbm0(-40.0));
    }
}
