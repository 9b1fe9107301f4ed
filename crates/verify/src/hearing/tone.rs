//! The tone to speak after, whoever's it is: one steady frequency for a fifth of a second.

use super::RATE;

/// Samples looked at at once: 20 ms.
const FRAME: usize = 160;
/// Frames in a row that make a tone: 160 ms.
const STEADY: usize = 8;
/// Root mean square below which a frame is silent: about -36 dBm0.
const SILENT: f64 = 250.0;
/// What may be left of a frame when the sine is taken away.
const REST: f64 = 0.12;
/// Frequencies of tones that ask to speak, in Hz.
const BAND: std::ops::RangeInclusive<f64> = 400.0..=2_200.0;

/// The end of the first tone after `from`, once it is over, and its frequency in Hz.
pub(crate) fn first_tone(heard: &[i16], from: usize) -> Option<(usize, f64)> {
    let (mut steady, mut frequency) = (0, 0.0);
    for (number, frame) in heard.get(from..)?.chunks_exact(FRAME).enumerate() {
        match sine(frame) {
            Some(now) if steady == 0 || (now - frequency).abs() < 0.03 * frequency => {
                steady += 1;
                frequency = now;
            }
            _ if steady >= STEADY => return Some((from + number * FRAME, frequency)),
            Some(now) => (steady, frequency) = (1, now),
            None => steady = 0,
        }
    }
    None
}

/// The frequency of a frame that is one sine, in Hz. For a sine of w radians a sample, x[n-1] - 2x[n] + x[n+1] is
/// -(2 - 2 cos w) x[n]: how well that holds tells how much else there is.
fn sine(frame: &[i16]) -> Option<f64> {
    let (mut cross, mut power, mut bent) = (0.0, 0.0, 0.0);
    for three in frame.windows(3) {
        let [before, now, after] = [0, 1, 2].map(|n| f64::from(three[n]));
        let curve = before - 2.0 * now + after;
        cross += curve * now;
        power += now * now;
        bent += curve * curve;
    }
    if (power / frame.len() as f64).sqrt() < SILENT || bent == 0.0 {
        return None;
    }
    let factor = -cross / power;
    let rest = (bent + 2.0 * factor * cross + factor * factor * power) / bent;
    let frequency = (1.0 - factor / 2.0).clamp(-1.0, 1.0).acos() / std::f64::consts::TAU * RATE as f64;
    (rest < REST && BAND.contains(&frequency)).then_some(frequency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use speech::{Options, Phrase, Prompt, Sound, Speech};

    fn said(phrases: &[Phrase]) -> Vec<i16> {
        let speech = Speech::open(Options::shipped_only()).unwrap();
        speech.say(phrases).iter().flat_map(|audio| audio.samples().to_vec()).collect()
    }

    fn beep(hertz: f64, samples: usize) -> Vec<i16> {
        (0..samples).map(|n| ((n as f64 * hertz * std::f64::consts::TAU / 8000.0).sin() * 5000.0) as i16).collect()
    }

    #[test]
    fn the_tone_after_a_greeting_is_found_and_the_greeting_is_none() {
        let greeting = said(&[Prompt::GreetingUnnamed.into()]);
        assert_eq!(first_tone(&greeting, 0), None);
        let all = [greeting.clone(), said(&[Sound::RecordTone.into()]), vec![0; 800]].concat();
        let (end, hertz) = first_tone(&all, 0).unwrap();
        assert!((840.0..860.0).contains(&hertz), "{hertz} Hz");
        assert!(end.abs_diff(greeting.len() + 3_200) < 400, "{end}");
    }

    #[test]
    fn other_systems_tones_are_found_too() {
        for hertz in [440.0, 1000.0, 1400.0, 2000.0] {
            let (_, found) = first_tone(&[beep(hertz, 2_400), vec![0; 800]].concat(), 0).unwrap();
            assert!((found - hertz).abs() < 15.0, "{hertz} Hz was taken for {found}");
        }
        assert_eq!(first_tone(&[beep(1000.0, 800), vec![0; 800]].concat(), 0), None, "a click of 100 ms");
    }

    #[test]
    fn no_prompt_is_taken_for_a_tone() {
        for prompt in Prompt::ALL.iter().filter(|prompt| prompt.arguments().is_empty()) {
            let audio = [said(&[(*prompt).into()]), vec![0; 800]].concat();
            assert_eq!(first_tone(&audio, 0), None, "{prompt:?}");
        }
    }
}
