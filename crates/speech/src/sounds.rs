//! Sounds composed from tones: Earcon's own, and the tone to speak after.

use std::f32::consts::TAU;

use crate::audio::{Audio, RATE};

/// Earcon's own sound, 1.5 s: three bell-like notes (G4, C5, E5), each ringing on under the next. Its notes lie below
/// 1 kHz with soft overtones, clear of every DTMF and fax frequency pair.
pub(crate) fn earcon() -> Audio {
    const NOTES: [(f32, f32); 3] = [(0.0, 392.0), (0.18, 523.25), (0.36, 659.26)];
    let mut mix = vec![0.0_f32; 12_000];
    for (start, frequency) in NOTES {
        // A bell: the overtone fades faster than its fundamental.
        for (multiple, level, decay) in [(1.0, 0.22, 0.42), (2.0, 0.07, 0.22), (3.01, 0.03, 0.12)] {
            add(&mut mix, start, frequency * multiple, level, decay);
        }
    }
    finish(&mix)
}

/// 0.4 s at 850 Hz, about -13 dBm0: audible on any phone, below what trips a recorder's level meter.
pub(crate) fn record_tone() -> Audio {
    let mix: Vec<f32> = (0..3_200).map(|index| 0.22 * (TAU * 850.0 * seconds(index)).sin()).collect();
    finish(&mix)
}

fn seconds(index: usize) -> f32 {
    index as f32 / RATE as f32
}

fn add(mix: &mut [f32], start: f32, frequency: f32, level: f32, decay: f32) {
    let first = (start * RATE as f32) as usize;
    for (index, sample) in mix.iter_mut().skip(first).enumerate() {
        let time = seconds(index);
        let attack = (time / 0.008).min(1.0);
        *sample += level * attack * (-time / decay).exp() * (TAU * frequency * time).sin();
    }
}

/// Fades both ends (no click) and turns into samples.
fn finish(mix: &[f32]) -> Audio {
    let fade = RATE as usize / 100;
    let samples = mix
        .iter()
        .enumerate()
        .map(|(index, sample)| {
            let edge = (index + 1).min(mix.len() - index).min(fade) as f32 / fade as f32;
            (sample * edge * 32_767.0).clamp(-32_767.0, 32_767.0) as i16
        })
        .collect();
    Audio::from_samples(samples)
}
