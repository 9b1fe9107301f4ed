//! Takes the line's noise out of an utterance before it is recognised: the estimator of Ephraim and Malah ("Speech Enhancement
//! Using a Minimum Mean-Square Error Log-Spectral Amplitude Estimator", IEEE Transactions on Acoustics, Speech, and Signal
//! Processing 33, 1985). What the noise is like is learnt from the quietest frames of the utterance itself.

use std::f32::consts::PI;

/// Samples of a frame, at 8 kHz: 32 ms. A power of two.
const FRAME: usize = 256;
/// From one frame to the next.
const STEP: usize = FRAME / 4;
/// Frequencies in a frame, from 0 to 4 kHz.
const BINS: usize = FRAME / 2 + 1;
/// So much of an utterance is nobody's voice: before it, between its sounds and behind it.
const QUIET: f32 = 0.2;
/// The quietest frames are quieter than the noise is.
const QUIETER: f32 = 1.2;
/// How much of what is believed of a frame comes from the one before.
const MEMORY: f32 = 0.95;
/// Least of a frequency that is left. Less, and what is left sounds like tones, which the recogniser takes for vowels.
const LEAST: f32 = 0.1;
/// Bounds of a frequency's power over the noise's, before and after it was seen.
const PRIOR: f32 = 0.003;
const POSTERIOR: f32 = 1000.0;
/// Frequencies on each side that a noise's level is averaged over: it was seen for a few frames only.
const SMOOTH: usize = 4;
/// What is laid under it, as a part of its loudness, and the least and the most of it: a line that is silent to the last bit
/// is none that the model has heard, and in what is left of the noise it hears sounds.
const HISS: f32 = 0.02;
const HISS_BOUNDS: (f32, f32) = (4.0, 60.0);

#[derive(Clone, Copy, Default)]
struct Complex {
    re: f32,
    im: f32,
}

/// The utterance without what lies under all of it.
pub(super) fn without_noise(samples: &[i16]) -> Vec<i16> {
    let window: Vec<f32> =
        (0..FRAME).map(|place| (0.5 - 0.5 * (2.0 * PI * place as f32 / FRAME as f32).cos()).sqrt()).collect();
    let at = |place: usize| samples.get(place).map_or(0.0, |sample| f32::from(*sample));
    let whole = (samples.len().saturating_sub(FRAME) / STEP) + 1;
    let frames: Vec<[Complex; FRAME]> = (0..whole + 3)
        .map(|frame| {
            let mut bins = [Complex::default(); FRAME];
            for ((place, bin), weight) in bins.iter_mut().enumerate().zip(&window) {
                bin.re = at(frame * STEP + place) * weight;
            }
            transform(&mut bins);
            bins
        })
        .collect();
    let noise = noise(frames.get(..whole).unwrap_or_default());
    let mut last = [1.0; BINS];
    let mut sum = vec![0.0; (whole + 3) * STEP + FRAME];
    let mut weights = vec![0.0; sum.len()];
    for (number, mut bins) in frames.into_iter().enumerate() {
        for place in 0..BINS {
            let power = bins[place].power();
            let posterior = (power / noise[place]).min(POSTERIOR);
            let gain = gain(posterior, last[place]);
            last[place] = gain * gain * posterior;
            // The upper half mirrors the lower one.
            for mirrored in [place, (FRAME - place) % FRAME].into_iter().take(1 + usize::from(place % (FRAME / 2) != 0))
            {
                bins[mirrored].re *= gain;
                bins[mirrored].im *= gain;
            }
        }
        // The inverse of a spectrum is the transform of its conjugate; what comes out is real.
        bins.iter_mut().for_each(|bin| bin.im = -bin.im);
        transform(&mut bins);
        let places = sum.iter_mut().zip(&mut weights).skip(number * STEP);
        for (((sum, weights), bin), weight) in places.zip(&bins).zip(&window) {
            *sum += bin.re / FRAME as f32 * weight;
            *weights += weight * weight;
        }
    }
    let clean = sum.iter().zip(&weights).take(samples.len()).map(|(sum, weight)| sum / weight.max(1e-3));
    let clean: Vec<f32> = clean.collect();
    let loudness = (clean.iter().map(|sample| sample * sample).sum::<f32>() / clean.len().max(1) as f32).sqrt();
    let (mut hiss, (least, most)) = (Hiss(1), HISS_BOUNDS);
    let hiss_loudness = (loudness * HISS).clamp(least, most);
    clean.iter().map(|sample| (sample + hiss.next() * hiss_loudness).clamp(-32_000.0, 32_000.0) as i16).collect()
}

/// The power of the noise in each frequency.
fn noise(frames: &[[Complex; FRAME]]) -> [f32; BINS] {
    let mut order: Vec<(f32, &[Complex; FRAME])> =
        frames.iter().map(|bins| (bins.iter().take(BINS).map(Complex::power).sum(), bins)).collect();
    order.sort_by(|one, other| one.0.total_cmp(&other.0));
    order.truncate(((order.len() as f32 * QUIET) as usize).max(4));
    let mut mean = [0.0; BINS];
    for (_, bins) in &order {
        mean.iter_mut().zip(bins.iter()).for_each(|(mean, bin)| *mean += bin.power() / order.len() as f32);
    }
    std::array::from_fn(|place| {
        let near = mean.get(place.saturating_sub(SMOOTH)..(place + SMOOTH + 1).min(BINS)).unwrap_or_default();
        near.iter().sum::<f32>() / near.len().max(1) as f32 * QUIETER + 1e-3
    })
}

/// How much of a frequency is left: equations 20 and 51 of the paper.
fn gain(posterior: f32, last: f32) -> f32 {
    let prior = (MEMORY * last + (1.0 - MEMORY) * (posterior - 1.0).max(0.0)).max(PRIOR);
    let wiener = prior / (1.0 + prior);
    (wiener * (0.5 * exponential_integral(wiener * posterior)).exp()).clamp(LEAST, 1.0)
}

/// E1 (Abramowitz and Stegun, Handbook of Mathematical Functions, 5.1.53 and 5.1.54).
fn exponential_integral(x: f32) -> f32 {
    let x = x.max(1e-6);
    if x <= 1.0 {
        let terms = [-0.577_215_7, 0.999_991_9, -0.249_910_55, 0.055_199_68, -0.009_760_04, 0.001_078_57];
        terms.iter().rev().fold(0.0, |sum, term| sum * x + term) - x.ln()
    } else {
        let above = (x + 2.334_733) * x + 0.250_621;
        let below = (x + 3.330_657) * x + 1.681_534;
        above / below * (-x).exp() / x
    }
}

impl Complex {
    fn power(&self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// The discrete Fourier transform, in place (Cooley and Tukey).
fn transform(bins: &mut [Complex; FRAME]) {
    let bits = FRAME.trailing_zeros();
    for place in 0..FRAME {
        let mirrored = place.reverse_bits() >> (usize::BITS - bits);
        if place < mirrored {
            bins.swap(place, mirrored);
        }
    }
    let mut half = 1;
    while half < FRAME {
        for step in 0..half {
            let (sin, cos) = (-PI * step as f32 / half as f32).sin_cos();
            for even in (step..FRAME).step_by(2 * half) {
                let (one, other) = (bins[even], bins[even + half]);
                let turned = Complex { re: other.re * cos - other.im * sin, im: other.re * sin + other.im * cos };
                bins[even] = Complex { re: one.re + turned.re, im: one.im + turned.im };
                bins[even + half] = Complex { re: one.re - turned.re, im: one.im - turned.im };
            }
        }
        half *= 2;
    }
}

/// The same noise every time, so that the same speech is understood alike.
struct Hiss(u64);

impl Hiss {
    fn next(&mut self) -> f32 {
        let mut even = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        // The sum of a few evenly spread ones is nearly a bell curve; that of four has the variance 1/3, this one 1.
        (0..4).map(|_| even()).sum::<f32>() * 1.732
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(samples: &[i16]) -> f32 {
        samples.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / samples.len().max(1) as f32
    }

    /// 300 ms of noise, a second of a tone in it, 100 ms of noise.
    fn noisy_tone(tone: f32, noise: f32) -> Vec<i16> {
        let mut hiss = Hiss(7);
        let sample = |place: usize| {
            let sounds = (2_400..10_400).contains(&place);
            let tone = if sounds { tone * (2.0 * PI * 500.0 * place as f32 / 8000.0).sin() } else { 0.0 };
            (tone + hiss.next() * noise) as i16
        };
        (0..11_200).map(sample).collect()
    }

    #[test]
    fn noise_becomes_quiet_and_what_is_said_stays() {
        let cleaned = without_noise(&noisy_tone(8000.0, 1000.0));
        assert_eq!(cleaned.len(), 11_200);
        assert!(power(&cleaned[..2000]) < 1000.0 * 1000.0 / 10.0, "{}", power(&cleaned[..2000]));
        let tone = power(&cleaned[3_200..9_600]) / (8000.0 * 8000.0 / 2.0);
        assert!((0.8..1.2).contains(&tone), "{tone}");
    }

    #[test]
    fn a_quiet_line_is_left_as_it_is() {
        let line = noisy_tone(8000.0, 1.0);
        let cleaned = without_noise(&line);
        let difference: Vec<i16> = line.iter().zip(&cleaned).map(|(one, other)| one - other).collect();
        assert!(power(&difference) < power(&line) / 500.0, "{}", power(&difference));
    }

    #[test]
    fn what_is_too_short_or_silent_or_too_loud_does_no_harm() {
        assert_eq!(without_noise(&[]), [0; 0]);
        assert_eq!(without_noise(&[100; 10]).len(), 10);
        let silence = without_noise(&[0; 4000]);
        assert!(silence.iter().any(|sample| *sample != 0) && silence.iter().all(|sample| sample.abs() < 40));
        assert_eq!(without_noise(&[i16::MIN; 4000]).len(), 4000);
    }

    #[test]
    fn the_exponential_integral_is_that_of_the_tables() {
        for (x, value) in [(0.01, 4.037_93), (0.5, 0.559_774), (1.0, 0.219_384), (2.0, 0.048_901), (10.0, 4.157e-6)] {
            let found = exponential_integral(x);
            assert!((found - value).abs() < 1e-3 * value + 1e-6, "E1({x}) = {found}");
        }
    }
}
