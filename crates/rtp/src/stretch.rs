//! Speech slower or faster at the same pitch, by overlapping and adding pieces where they are most alike (WSOLA: Verhelst
//! and Roelands, ICASSP 1993).
//!
//! The sound is cut into pieces of 30 ms that overlap by half. Each is taken from about where the pace says, moved by up to
//! 10 ms to where it continues best what was written before it, so that periods of the voice stay whole.

/// Samples in a piece: 30 ms.
const PIECE: usize = 240;
/// Samples between the beginnings of two pieces written.
const STEP: usize = PIECE / 2;
/// How far a piece may be moved, either way: 10 ms, a period of a low voice.
const REACH: usize = 80;
/// Every so many places are looked at first, then those around the best.
const COARSE: usize = 4;
/// Paces outside this are taken as its ends.
const SLOWEST: u32 = 40;
const FASTEST: u32 = 300;

/// The same speech at `percent` of its pace: 50 takes twice as long, 200 half. 8,000 samples a second.
pub fn stretch(samples: &[i16], percent: u32) -> Vec<i16> {
    let percent = usize::try_from(percent.clamp(SLOWEST, FASTEST)).unwrap_or(100);
    if percent == 100 || samples.len() < PIECE + REACH {
        return samples.to_vec();
    }
    let window = window();
    let length = samples.len() * 100 / percent;
    let mut out: Vec<i16> = Vec::with_capacity(length + PIECE);
    // What the piece before still has to fade out, and where in the source it would have gone on.
    let mut fading: Vec<i16> = piece(samples, 0).to_vec();
    let mut natural = 0;
    while out.len() < length {
        let place = if out.is_empty() { 0 } else { alike(samples, natural, out.len() * percent / 100) };
        let next = piece(samples, place);
        if next.len() < PIECE {
            // The end of the source, as it is, after what fades into it.
            out.extend(mix(&fading, next, &window));
            out.extend(next.get(STEP..).unwrap_or_default());
            return out;
        }
        if out.is_empty() {
            out.extend(next.iter().take(STEP));
        } else {
            out.extend(mix(&fading, next, &window));
        }
        natural = place + STEP;
        fading = next.get(STEP..).unwrap_or_default().to_vec();
    }
    out
}

fn piece(samples: &[i16], place: usize) -> &[i16] {
    let end = samples.len().min(place.saturating_add(PIECE));
    samples.get(place..end).unwrap_or_default()
}

/// One fades out while the other fades in: their weights add up to one, so what is alike in both keeps its level.
fn mix<'a>(out: &'a [i16], next: &'a [i16], window: &'a [f32]) -> impl Iterator<Item = i16> + 'a {
    let zero = std::iter::repeat(&0_i16);
    next.iter().take(STEP).zip(out.iter().chain(zero)).zip(window).map(|((next, out), rise)| {
        // A float cast saturates.
        (f32::from(*next) * rise + f32::from(*out) * (1.0 - rise)).round() as i16
    })
}

/// The rising half of a raised cosine.
fn window() -> Vec<f32> {
    (0..STEP).map(|n| 0.5 - 0.5 * (std::f32::consts::PI * (n as f32 + 0.5) / STEP as f32).cos()).collect()
}

/// The place near `wanted` that goes on most like the source did at `natural`.
fn alike(samples: &[i16], natural: usize, wanted: usize) -> usize {
    let model = samples.get(natural..(natural + STEP).min(samples.len())).unwrap_or_default();
    let (first, last) = (wanted.saturating_sub(REACH), wanted + REACH);
    let likeness = |place: usize, stride: usize| -> f32 {
        let at = samples.get(place.min(samples.len())..).unwrap_or_default();
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (a, b) in model.iter().step_by(stride).zip(at.iter().step_by(stride)) {
            let (a, b) = (f32::from(*a), f32::from(*b));
            product += a * b;
            energy += b * b;
        }
        product / energy.sqrt()
    };
    let best = |places: &mut dyn Iterator<Item = usize>, stride: usize| {
        let scored = places.map(|place| (likeness(place, stride), place));
        scored.fold((f32::NEG_INFINITY, wanted), |best, next| if next.0 > best.0 { next } else { best }).1
    };
    let near = best(&mut (first..=last).step_by(COARSE), 2);
    best(&mut (near.saturating_sub(COARSE - 1).max(first)..=(near + COARSE - 1).min(last)), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(count: usize) -> Vec<i16> {
        // Harmonics of a voice whose pitch wanders, as speech does.
        let mut phase = 0.0_f64;
        let sample = |n: usize| {
            phase += 120.0 + 30.0 * (n as f64 / 4000.0).sin();
            let turn = std::f64::consts::TAU * phase / 8000.0;
            (4000.0 * (turn.sin() + 0.6 * (2.0 * turn).sin() + 0.4 * (5.0 * turn).sin())).round() as i16
        };
        (0..count).map(sample).collect()
    }

    fn crossings_a_second(samples: &[i16]) -> f64 {
        let crossings = samples.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        crossings as f64 * 8000.0 / samples.len() as f64
    }

    #[test]
    fn it_takes_as_long_as_the_pace_says() {
        let speech = voice(40_000);
        for percent in [50, 67, 80, 125, 150, 200] {
            let wanted = 40_000 * 100 / percent as usize;
            let got = stretch(&speech, percent).len();
            assert!(got.abs_diff(wanted) <= PIECE + 2 * REACH, "{percent} %: {got} samples, not {wanted}");
        }
        assert_eq!(stretch(&speech, 100), speech);
    }

    #[test]
    fn the_pitch_stays() {
        let tone: Vec<i16> = (0..16_000).map(|n| (8000.0 * (n as f64 * 0.25).sin()) as i16).collect();
        let before = crossings_a_second(&tone);
        for percent in [60, 80, 125, 150] {
            let after = crossings_a_second(&stretch(&tone, percent));
            assert!((after / before - 1.0).abs() < 0.02, "{percent} %: {before} became {after}");
        }
    }

    #[test]
    fn nothing_clicks() {
        let speech = voice(40_000);
        let steepest = |samples: &[i16]| samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap();
        let before = steepest(&speech);
        for percent in [60, 80, 125, 150] {
            let after = steepest(&stretch(&speech, percent));
            assert!(after <= before + before / 4, "{percent} %: a step of {after}, the speech has {before} at most");
        }
    }

    #[test]
    fn the_level_stays() {
        let speech = voice(40_000);
        let power = |samples: &[i16]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
        for percent in [60, 150] {
            let change = power(&stretch(&speech, percent)) / power(&speech);
            assert!((0.8..1.2).contains(&change), "{percent} %: {change}");
        }
    }

    #[test]
    fn beginning_and_end_are_the_speechs_own() {
        let speech = voice(20_000);
        let slow = stretch(&speech, 80);
        assert_eq!(slow[..STEP], speech[..STEP]);
        assert_eq!(stretch(&[1, 2, 3], 50), [1, 2, 3]);
        assert!(stretch(&[], 50).is_empty());
    }

    #[test]
    fn any_samples_are_survived() {
        // A generator of its own (Numerical Recipes): noise at full scale, and every length around a piece.
        let mut state = 1_u32;
        let mut noise = |count: usize| -> Vec<i16> {
            let next = |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16
            };
            (0..count).map(next).collect()
        };
        for count in (0..700).step_by(37).chain([PIECE, PIECE + REACH, PIECE + REACH + 1, 5000]) {
            let samples = noise(count);
            for percent in [0, 39, 60, 99, 101, 180, 300, u32::MAX] {
                let out = stretch(&samples, percent);
                assert!(out.len() <= count * 5 / 2 + 2 * PIECE, "{count} samples at {percent} %");
            }
        }
    }
}
