//! From any sampling rate to another, by windowed-sinc interpolation.
//!
//! Used for what a back end speaks (16 or 22.05 kHz) and for greetings that people upload; a call's own audio never
//! passes here.

use std::f32::consts::PI;

/// Zero crossings of the kernel on each side: stop band below -60 dB, a transition of some 300 Hz at 8 kHz.
const CROSSINGS: f32 = 16.0;

/// Resamples; what lies above half the lower rate is filtered out first.
pub(crate) fn to_rate(samples: Vec<i16>, from: u32, to: u32) -> Vec<i16> {
    if from == to || samples.is_empty() {
        return samples;
    }
    let step = from as f64 / to as f64;
    // Cut off a little below the lower Nyquist frequency, in cycles per input sample.
    let cutoff = (0.5 * (to as f32 / from as f32).min(1.0)) * 0.94;
    let reach = CROSSINGS / (2.0 * cutoff);
    let length = (samples.len() as f64 / step).floor() as usize;
    (0..length)
        .map(|index| {
            let centre = index as f64 * step;
            let first = (centre - f64::from(reach)).ceil().max(0.0) as usize;
            let last = ((centre + f64::from(reach)).floor() as usize).min(samples.len() - 1);
            let (mut sum, mut weight) = (0.0_f32, 0.0_f32);
            for (offset, sample) in samples.get(first..=last).unwrap_or_default().iter().enumerate() {
                let distance = ((first + offset) as f64 - centre) as f32;
                let tap = kernel(distance, cutoff, reach);
                sum += tap * f32::from(*sample);
                weight += tap;
            }
            // Normalised by the taps that fell inside, so the ends are as loud as the middle.
            let value = if weight.abs() > f32::EPSILON { sum / weight } else { 0.0 };
            value.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
        })
        .collect()
}

/// A sinc under a Hann window.
fn kernel(distance: f32, cutoff: f32, reach: f32) -> f32 {
    let x = 2.0 * cutoff * distance;
    let sinc = if x.abs() < 1e-6 { 1.0 } else { (PI * x).sin() / (PI * x) };
    sinc * (0.5 + 0.5 * (PI * distance / reach).cos())
}
