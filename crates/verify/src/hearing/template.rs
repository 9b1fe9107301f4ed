//! Known audio, found in what was heard. Telephone audio arrives sample by sample as it was sent, but for G.711, a lost
//! packet here and there, and pieces that begin some milliseconds early or late: so it is looked for in windows of half a
//! second, each by normalised correlation, each near the place where the one before it was found.

/// Samples of a window.
const WINDOW: usize = 4_000;
/// How far a window may be from where the one before it says, in samples: 100 ms.
const DRIFT: isize = 800;
/// Correlation from which a window counts as found. Other speech stays below 0.3.
const ALIKE: f64 = 0.6;
/// The part of the windows that has to be found.
const ENOUGH: f64 = 0.7;
/// Windows quieter than this (root mean square) say nothing.
const SILENT: f64 = 60.0;

/// Audio to look for.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    samples: Vec<i16>,
    /// Beginnings of the windows in which there is something.
    windows: Vec<usize>,
}

/// Where it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    /// The sample after its end.
    pub end: usize,
    /// The mean correlation of its windows, at most 1.
    pub likeness: f64,
}

impl Template {
    pub fn new(mut samples: Vec<i16>) -> Template {
        // The silence after its last word is not waited for.
        let end = samples.iter().rposition(|sample| sample.unsigned_abs() > 150).map_or(0, |last| last + 1);
        samples.truncate(end);
        let loud = |start: &usize| power(&samples[*start..(*start + WINDOW).min(samples.len())]).sqrt() > SILENT;
        let mut windows: Vec<usize> = (0..samples.len()).step_by(WINDOW).filter(loud).collect();
        // The rest of a window says little; what is that short by itself is looked for as it is.
        if windows.len() > 1 && windows.last().is_some_and(|last| samples.len() - last < WINDOW / 2) {
            windows.pop();
        }
        Template { samples, windows }
    }

    /// Only the beginning, long enough to tell it from others: for who wants to answer before the end.
    pub fn beginning(&self, samples: usize) -> Template {
        let loud = self.windows.first().copied().unwrap_or_default();
        Template::new(self.samples.iter().copied().take(loud + samples).collect())
    }

    /// Nothing can be recognised in it.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The best match in all of `heard`: how much alike a recording is, 0 when it is not there.
    pub fn likeness(&self, heard: &[i16]) -> f64 {
        let heard = [heard, &[0; DRIFT as usize]].concat();
        Search::new(self, 0).run(&heard, heard.len()).map_or(0.0, |found| found.likeness)
    }

    fn window(&self, start: usize) -> &[i16] {
        &self.samples[start..(start + WINDOW).min(self.samples.len())]
    }

    /// All windows, the first of which is at `at`. None: not this one.
    fn confirm(&self, heard: &[i16], at: usize) -> Option<Match> {
        let first = *self.windows.first()?;
        let mut offset = at as isize - first as isize;
        let (mut found, mut sum) = (0_usize, 0.0);
        for start in &self.windows {
            let (likeness, shift) = self.near(heard, *start, offset);
            if likeness >= ALIKE {
                found += 1;
                sum += likeness;
                offset += shift;
            }
        }
        if (found as f64) < ENOUGH * self.windows.len() as f64 {
            return None;
        }
        let end = usize::try_from(offset + self.samples.len() as isize).unwrap_or_default();
        Some(Match { end: end.min(heard.len()), likeness: sum / self.windows.len() as f64 })
    }

    /// The best place of a window near where it should be: how alike, and how far from there.
    fn near(&self, heard: &[i16], start: usize, offset: isize) -> (f64, isize) {
        let window = self.window(start);
        let at = |shift: isize| {
            let begin = usize::try_from(start as isize + offset + shift).ok()?;
            heard.get(begin..begin + window.len())
        };
        let score = |shift: isize, step| at(shift).map_or(0.0, |piece| correlation(window, piece, step));
        let exact = score(0, 3);
        if exact > 0.9 {
            return (exact, 0);
        }
        let best = (-DRIFT..=DRIFT)
            .map(|shift| (score(shift, 13), shift))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(0, |(_, shift)| shift);
        (score(best, 3), best)
    }
}

/// A search that goes on as more is heard.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    template: &'a Template,
    /// Where the first window is looked for next.
    next: usize,
}

impl<'a> Search<'a> {
    pub fn new(template: &'a Template, from: usize) -> Search<'a> {
        Search { template, next: from }
    }

    /// Looks at what is new in `heard`, of which what is after `real` may still change.
    pub fn run(&mut self, heard: &[i16], real: usize) -> Option<Match> {
        let first = *self.template.windows.first()?;
        // A place counts only once the whole template could have been heard from there.
        let rest = self.template.samples.len() - first + DRIFT as usize;
        for at in self.next.. {
            if at + rest <= real {
                self.next = at + 1;
            } else if at + rest > heard.len() {
                return None;
            }
            // A gap may have spoilt the first window: the second stands for it.
            for start in self.template.windows.iter().take(2) {
                let window = self.template.window(*start);
                let place = at + start - first;
                let Some(piece) = heard.get(place..place + window.len()) else { continue };
                // Few samples tell most places apart; what is left is looked at closely.
                if correlation(window, piece, 53) > 0.3
                    && correlation(window, piece, 7) > ALIKE
                    && let Some(found) = self.template.confirm(heard, at)
                {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// Normalised, of every `step`th sample: -1 to 1; 0 where one of them is silent.
fn correlation(a: &[i16], b: &[i16], step: usize) -> f64 {
    let (mut both, mut of_a, mut of_b) = (0_i64, 0_i64, 0_i64);
    for (a, b) in a.iter().step_by(step).zip(b.iter().step_by(step)) {
        let (a, b) = (i64::from(*a), i64::from(*b));
        both += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    if of_a == 0 || of_b == 0 {
        return 0.0;
    }
    both as f64 / ((of_a as f64) * (of_b as f64)).sqrt()
}

fn power(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use speech::{Options, Phrase, Prompt, Speech};

    fn said(phrases: &[Phrase]) -> Vec<i16> {
        let speech = Speech::open(Options::shipped_only()).unwrap();
        speech.say(phrases).iter().flat_map(|audio| audio.samples().to_vec()).collect()
    }

    /// As a phone hears it: silence, G.711, silence.
    fn on_the_phone(samples: &[i16]) -> Vec<i16> {
        let mut heard = vec![0; 5_003];
        heard.extend(rtp_like(samples));
        heard.extend(vec![0; 4_000]);
        heard
    }

    /// The steps of G.711 are a thirtieth of the sample.
    fn rtp_like(samples: &[i16]) -> Vec<i16> {
        samples.iter().map(|sample| sample - sample % (sample.unsigned_abs() as i16 / 30).max(8)).collect()
    }

    #[test]
    fn a_prompt_is_found_where_it_ends() {
        let prompt = said(&[Prompt::EnterPin.into()]);
        let heard = on_the_phone(&prompt);
        let template = Template::new(prompt.clone());
        let found = Search::new(&template, 0).run(&heard, heard.len()).unwrap();
        assert!(found.likeness > 0.9, "{found:?}");
        // Up to its last sound: the silence after it is no part of it.
        assert!((prompt.len() - 4_000..=prompt.len()).contains(&(found.end - 5_003)), "{found:?}");
    }

    #[test]
    fn prompts_that_begin_alike_are_told_apart() {
        let heard = on_the_phone(&said(&[Prompt::EnterPin.into()]));
        let other = Template::new(said(&[Prompt::EnterPinOrStar.into()]));
        assert_eq!(Search::new(&other, 0).run(&heard, heard.len()), None);
        let one = Template::new(said(&[Prompt::CountNew.with("count", 1_u32)]));
        assert_eq!(one.likeness(&on_the_phone(&said(&[Prompt::CountNew.with("count", 2_u32)]))), 0.0);
    }

    #[test]
    fn a_lost_packet_and_a_late_piece_do_not_matter() {
        let (hello, pin) = (said(&[Prompt::EnterExtension.into()]), said(&[Prompt::EnterPin.into()]));
        let template = Template::new([hello.clone(), pin.clone()].concat());
        let mut heard = on_the_phone(&[hello, vec![0; 90], pin].concat());
        heard[9_000..9_160].fill(0);
        assert!(template.likeness(&heard) > 0.8);
    }

    #[test]
    fn it_is_found_as_soon_as_it_was_heard_and_not_before() {
        let prompt = said(&[Prompt::EnterPin.into()]);
        let (template, heard) = (Template::new(prompt.clone()), on_the_phone(&prompt));
        let mut search = Search::new(&template, 0);
        assert_eq!(search.run(&heard[..5_003 + prompt.len() / 2], 5_003 + prompt.len() / 2), None);
        assert!(search.run(&heard[..5_003 + prompt.len() + 400], 0).is_some());
        let beginning = template.beginning(8_000);
        assert!(Search::new(&beginning, 0).run(&heard[..5_003 + 9_500], 0).is_some());
    }

    #[test]
    fn silence_is_like_nothing() {
        assert!(Template::new(vec![0; 8_000]).is_empty());
        assert_eq!(Template::new(said(&[Prompt::EnterPin.into()])).likeness(&[0; 40_000]), 0.0);
    }
}
