//! Whether to believe a phrase. The grammar's search finds the phrase that is nearest, whatever was said; a loop of all
//! sounds finds what was said, whatever it means. How much worse the phrase explains the speech than the loop, frame by
//! frame, tells whether it was the phrase that was said; and so does how many sounds the loop has found: a sentence in
//! which the search has stretched one word over ten has more of them than the word.
//!
//! The numbers were chosen with the voices that docs/voice.md names as those tuned on.

use super::sphinx::Decoded;

/// Scores are the decoder's, in its own logarithms. What is worse than this in each frame is not the phrase.
const WORST: f64 = -11.0;
/// The same of a name: its sounds are another language's, and whoever is named is asked for.
const WORST_NAME: f64 = -16.0;
/// So many sounds may be found for each of the phrase's, and so many more (breath, a click).
const SOUNDS: (f64, f64) = (2.0, 2.0);
/// What is better than either may be acted on without asking: the better it fits, the more sounds may be found.
const SURE: [(f64, (f64, f64)); 2] = [(-4.0, (1.75, 2.0)), (-1.5, SOUNDS)];
/// Frames (10 ms) of speech that are too few for any word.
const SHORTEST: u32 = 12;

/// `Some(sure)`: it is the phrase that was found, a name or not, which has so many sounds.
pub(super) fn judge(found: &Decoded, name: bool, expected: usize, sounds: &Decoded) -> Option<bool> {
    if found.words.is_none() || found.frames < SHORTEST {
        return None;
    }
    let each = f64::from(found.score.saturating_sub(sounds.score)) / f64::from(found.frames);
    let count = sounds.words.as_ref().map_or(0, |words| words.split_whitespace().count());
    let few = |(times, more): (f64, f64)| count as f64 <= expected as f64 * times + more;
    let worst = if name { WORST_NAME } else { WORST };
    (each >= worst && few(SOUNDS)).then(|| SURE.iter().any(|(least, sounds)| each >= *least && few(*sounds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(score: i32, frames: u32) -> Decoded {
        Decoded { words: Some("next".into()), score, frames }
    }

    #[test]
    fn a_phrase_that_explains_it_as_well_as_any_sounds_is_believed() {
        assert_eq!(judge(&decoded(-10_000, 100), false, 4, &decoded(-10_100, 100)), Some(true));
        assert_eq!(judge(&decoded(-10_500, 100), false, 4, &decoded(-10_000, 100)), Some(false));
        assert_eq!(judge(&decoded(-11_200, 100), false, 4, &decoded(-10_000, 100)), None);
        assert_eq!(judge(&decoded(-11_200, 100), true, 4, &decoded(-10_000, 100)), Some(false), "a name is asked for");
    }

    #[test]
    fn a_sentence_is_not_the_word_that_was_stretched_over_it() {
        let sounds = |count: usize| Decoded { words: Some("s ".repeat(count)), ..decoded(-10_000, 300) };
        let found = decoded(-10_750, 300);
        assert_eq!(judge(&found, false, 4, &sounds(5)), Some(true));
        assert_eq!(judge(&found, false, 4, &sounds(10)), Some(false));
        assert_eq!(judge(&decoded(-10_000, 300), false, 4, &sounds(10)), Some(true), "it fits as well as any sounds");
        assert_eq!(judge(&found, false, 4, &sounds(11)), None);
    }

    #[test]
    fn a_cough_is_no_word() {
        assert_eq!(judge(&decoded(-100, 8), false, 4, &decoded(-1000, 8)), None);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(judge(&Decoded::default(), false, 4, &decoded(0, 100)), None);
        assert_eq!(judge(&decoded(i32::MIN, 100), false, 4, &decoded(i32::MAX, 100)), None);
    }
}
