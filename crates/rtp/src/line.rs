//! What a line says of itself in the audio: a fax machine that calls (ITU-T T.30), and the tones by which an exchange tells
//! that nobody is there any more (ITU-T E.180): dial tone, busy, reorder.

use std::collections::VecDeque;
use std::f64::consts::TAU;

/// Samples in a block: 25 ms, which tells tones 40 Hz apart.
const BLOCK: usize = 200;
/// Peak amplitude squared below which a block is silence: -40 dBm0; and of the weakest tone: -35 dBm0.
const SILENT: f64 = 228.0 * 228.0;
const WEAKEST: f64 = 406.0 * 406.0;
/// Of a block's energy so much must be in its tones: one tone, or two, whose spectra overlap a little.
const PURITY: f64 = 0.8;
const PURITY_OF_TWO: f64 = 0.7;
/// A sine's peak is twice its mean square, two sines' four times; speech has sharper peaks, and is not looked at further.
const CREST: f64 = 4.6;

/// The calling tone of a fax machine: 1100 Hz ± 38 Hz, 0.5 s on and 3 s off, each ± 15 % (T.30 4.3.3.3). Looked for at these.
const CALLING: [f64; 5] = [1065.0, 1082.0, 1100.0, 1118.0, 1135.0];
/// Blocks of its tone, give or take one for where it began; and from one beginning to the next.
const CALLING_ON: std::ops::RangeInclusive<u64> = 16..=24;
const CALLING_PERIOD: std::ops::RangeInclusive<u64> = 118..=163;

/// Tones of exchanges, alone or in pairs: Europe, Britain, Asia; North America's dial tone and busy.
const SINGLE: [f64; 3] = [425.0, 400.0, 450.0];
const PAIRS: [[f64; 2]; 2] = [[350.0, 440.0], [480.0, 620.0]];
/// Zero crossings of a block that such tones can have: what has others is not looked at further.
const CALLING_CROSSINGS: std::ops::RangeInclusive<usize> = 50..=60;
const EXCHANGE_CROSSINGS: std::ops::RangeInclusive<usize> = 14..=34;

/// Blocks of dial tone without a pause: 3 s. Of those that may be steady, the first of `SINGLE` and of `PAIRS`.
const STEADY: u64 = 120;
/// Blocks of a busy or reorder tone and of its pauses: 0.15 to 0.75 s; a ringing tone's are longer.
const CADENCE: std::ops::RangeInclusive<u64> = 6..=30;
/// Tones and pauses in a row that are a cadence, and how many blocks they may differ.
const IN_A_ROW: usize = 6;
const ALIKE: u64 = 2;

/// What was heard. Each is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSignal {
    /// A fax machine calls.
    Fax,
    /// The exchange's tone, which began so many samples ago; so many of them are tone and not pause.
    Dead { since: u64, loud: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sound {
    Silence,
    Calling,
    /// Index of the tone; the singles come first.
    Exchange(usize),
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    sound: Sound,
    blocks: u64,
}

/// Listens to one stream of linear samples.
#[derive(Clone, Debug)]
pub struct LineListener {
    block: Vec<i16>,
    runs: VecDeque<Run>,
    /// Blocks so far, and the block with which the last whole calling tone began.
    blocks: u64,
    called: Option<u64>,
    told: (bool, bool),
}

impl Default for LineListener {
    fn default() -> LineListener {
        LineListener::new()
    }
}

impl LineListener {
    pub fn new() -> LineListener {
        LineListener {
            block: Vec::with_capacity(BLOCK),
            runs: VecDeque::with_capacity(IN_A_ROW + 2),
            blocks: 0,
            called: None,
            told: (false, false),
        }
    }

    /// Takes samples in pieces of any size and tells what was heard in them.
    pub fn listen(&mut self, mut samples: &[i16], mut heard: impl FnMut(LineSignal)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            samples = later;
            if self.block.len() == BLOCK {
                let sound = classify(&self.block);
                self.block.clear();
                self.step(sound, &mut heard);
            }
        }
    }

    fn step(&mut self, sound: Sound, heard: &mut impl FnMut(LineSignal)) {
        self.blocks += 1;
        let began = self.push(sound);
        if began {
            self.fax(heard);
            self.cadence(heard);
        }
        let steady = |run: &Run| matches!(run.sound, Sound::Exchange(0)) || run.sound == Sound::Exchange(SINGLE.len());
        if let Some(run) = self.runs.back().copied().filter(steady)
            && run.blocks >= STEADY
        {
            self.dead(run.blocks, run.blocks, heard);
        }
    }

    /// Adds a block to the runs. True: another run began with it. A single block that is neither, as a tone's edge in the
    /// middle of a block is, belongs to the run before it.
    fn push(&mut self, sound: Sound) -> bool {
        if let Some(last) = self.runs.back_mut() {
            if last.sound == sound {
                last.blocks += 1;
                return false;
            }
            if last.sound == Sound::Other && last.blocks == 1 && self.runs.len() > 1 {
                self.runs.pop_back();
                if let Some(before) = self.runs.back_mut() {
                    before.blocks += 1;
                    if before.sound == sound {
                        before.blocks += 1;
                        return false;
                    }
                }
            }
        }
        if self.runs.len() > IN_A_ROW {
            self.runs.pop_front();
        }
        self.runs.push_back(Run { sound, blocks: 1 });
        sound != Sound::Other
    }

    /// The run before the newest.
    fn ended(&self) -> Option<Run> {
        self.runs.len().checked_sub(2).and_then(|at| self.runs.get(at)).copied()
    }

    /// Two calling tones, as far apart as a machine sends them: one alone may be anything.
    fn fax(&mut self, heard: &mut impl FnMut(LineSignal)) {
        let Some(tone) = self.ended().filter(|run| run.sound == Sound::Calling && CALLING_ON.contains(&run.blocks))
        else {
            return;
        };
        let began = self.blocks.saturating_sub(1 + tone.blocks);
        let before = self.called.replace(began);
        if !self.told.0 && before.is_some_and(|before| CALLING_PERIOD.contains(&began.saturating_sub(before))) {
            self.told.0 = true;
            heard(LineSignal::Fax);
        }
    }

    /// Tone and pause, three times alike.
    fn cadence(&mut self, heard: &mut impl FnMut(LineSignal)) {
        let Some(ended) = self.runs.len().checked_sub(1).filter(|ended| *ended >= IN_A_ROW) else { return };
        let row: Vec<Run> = self.runs.iter().take(ended).rev().take(IN_A_ROW).rev().copied().collect();
        let [tone, pause, ..] = row.as_slice() else { return };
        if !matches!(tone.sound, Sound::Exchange(_)) || pause.sound != Sound::Silence {
            return;
        }
        let even = row.iter().enumerate().all(|(n, run)| {
            let like = if n % 2 == 0 { tone } else { pause };
            run.sound == like.sound && CADENCE.contains(&run.blocks) && run.blocks.abs_diff(like.blocks) <= ALIKE
        });
        if even {
            let blocks = |step: usize| row.iter().step_by(step).map(|run| run.blocks).sum::<u64>();
            self.dead(blocks(1) + 1, blocks(2) + 1, heard);
        }
    }

    fn dead(&mut self, blocks: u64, loud: u64, heard: &mut impl FnMut(LineSignal)) {
        if !std::mem::replace(&mut self.told.1, true) {
            let samples = |blocks: u64| blocks * BLOCK as u64;
            heard(LineSignal::Dead { since: samples(blocks) + self.block.len() as u64, loud: samples(loud) });
        }
    }
}

fn classify(block: &[i16]) -> Sound {
    let (mut energy, mut peak, mut crossings, mut last) = (0.0, 0.0_f64, 0, 0_i16);
    for sample in block {
        let value = f64::from(*sample) * f64::from(*sample);
        energy += value;
        peak = peak.max(value);
        crossings += usize::from((*sample < 0) != (last < 0));
        last = *sample;
    }
    let mean = energy / BLOCK as f64;
    // A sine of amplitude A has the mean square A²/2.
    if mean * 2.0 < SILENT {
        return Sound::Silence;
    }
    if mean * 2.0 < WEAKEST || peak > mean * CREST {
        return Sound::Other;
    }
    // |X|² of a sine is (AN/2)²: what part of the energy is at one frequency.
    let share = |hertz: f64| power(block, hertz) * 2.0 / (BLOCK as f64 * energy);
    if CALLING_CROSSINGS.contains(&crossings) && CALLING.iter().any(|hertz| share(*hertz) > PURITY) {
        return Sound::Calling;
    }
    if EXCHANGE_CROSSINGS.contains(&crossings) {
        let single = SINGLE.iter().position(|hertz| share(*hertz) > PURITY);
        let pair = || {
            PAIRS.iter().position(|[low, high]| {
                let (low, high) = (share(*low), share(*high));
                // Two tones of about the same level.
                low + high > PURITY_OF_TWO && low < high * 8.0 && high < low * 8.0
            })
        };
        if let Some(tone) = single.or_else(|| pair().map(|pair| SINGLE.len() + pair)) {
            return Sound::Exchange(tone);
        }
    }
    Sound::Other
}

/// Goertzel: the squared magnitude of the block's spectrum at one frequency.
fn power(block: &[i16], hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / 8000.0).cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for sample in block {
        let s0 = f64::from(*sample) + coefficient * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    s1 * s1 + s2 * s2 - coefficient * s1 * s2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, Tone, decode, encode};

    fn heard(samples: &[i16]) -> Vec<LineSignal> {
        let mut signals = Vec::new();
        let mut listener = LineListener::new();
        for packet in decode(Codec::Pcma, &encode(Codec::Pcma, samples)).chunks(160) {
            listener.listen(packet, |signal| signals.push(signal));
        }
        signals
    }

    /// A tone and a pause of so many milliseconds, over and over.
    fn cadence(frequencies: &[f64], dbm0: f32, on: usize, off: usize, times: usize) -> Vec<i16> {
        let one = [Tone::new(frequencies, dbm0).samples(on * 8), vec![0; off * 8]].concat();
        one.repeat(times)
    }

    #[test]
    fn a_calling_fax_machine_is_heard_at_its_second_tone_whatever_its_tolerances() {
        for (hertz, on, off) in [(1100.0, 500, 3000), (1062.0, 430, 2600), (1138.0, 570, 3400)] {
            for dbm0 in [-10.0, -30.0] {
                let samples = cadence(&[hertz], dbm0, on, off, 3);
                assert_eq!(heard(&samples), [LineSignal::Fax], "{hertz} Hz, {on} ms, {dbm0} dBm0");
            }
        }
    }

    #[test]
    fn one_beep_or_a_steady_tone_is_no_fax_machine() {
        assert_eq!(heard(&cadence(&[1100.0], -10.0, 500, 3000, 1)), []);
        assert_eq!(heard(&Tone::new(&[1100.0], -10.0).samples(80_000)), []);
        assert_eq!(heard(&cadence(&[1000.0], -10.0, 500, 3000, 4)), [], "the tone that tells callers to speak");
        assert_eq!(heard(&cadence(&[1100.0], -10.0, 200, 300, 20)), []);
    }

    #[test]
    fn busy_and_reorder_of_many_countries_are_a_dead_line_and_began_with_their_first_tone() {
        for (frequencies, on, off) in [
            (&[425.0][..], 500, 500),
            (&[425.0], 250, 250),
            (&[425.0], 200, 200),
            (&[400.0], 375, 375),
            (&[450.0], 350, 350),
            (&[480.0, 620.0], 500, 500),
            (&[480.0, 620.0], 250, 250),
        ] {
            let speech = 8000;
            let tones = cadence(frequencies, -16.0, on, off, 8);
            let mut samples = vec![0; speech];
            samples.extend(&tones);
            let mut listener = LineListener::new();
            let mut found = None;
            let mut so_far = 0;
            for packet in decode(Codec::Pcma, &encode(Codec::Pcma, &samples)).chunks(160) {
                so_far += packet.len() as u64;
                listener.listen(packet, |signal| found = found.or(Some((signal, so_far))));
            }
            let (signal, at) = found.unwrap_or_else(|| panic!("{frequencies:?} {on}/{off}"));
            let LineSignal::Dead { since, loud } = signal else { panic!("{signal:?}") };
            let began = at - since;
            assert!(began.abs_diff(speech as u64) <= 600, "{frequencies:?} {on}/{off}: began at {began}");
            assert!(loud < since, "{loud} of {since}");
        }
    }

    #[test]
    fn a_dial_tone_of_three_seconds_is_a_dead_line() {
        for frequencies in [&[425.0][..], &[350.0, 440.0]] {
            let samples = [vec![0; 4000], Tone::new(frequencies, -12.0).samples(40_000)].concat();
            let [LineSignal::Dead { since, .. }] = heard(&samples)[..] else { panic!("{frequencies:?}") };
            assert!((24_000..=24_800).contains(&since), "{since}");
        }
    }

    #[test]
    fn ringing_tones_other_tones_and_single_beeps_are_not() {
        for (frequencies, on, off, times) in [
            (&[425.0][..], 1000, 4000, 4),
            (&[440.0, 480.0], 2000, 4000, 3),
            (&[425.0], 200, 600, 2),
            (&[440.0], 20_000, 0, 1),
            (&[620.0], 20_000, 0, 1),
            (&[480.0], 20_000, 0, 1),
        ] {
            assert_eq!(heard(&cadence(frequencies, -12.0, on, off, times)), [], "{frequencies:?} {on}/{off}");
        }
        assert_eq!(heard(&vec![0; 800_000]), []);
    }

    #[test]
    fn noise_and_music_are_neither_a_fax_machine_nor_a_dead_line() {
        let mut state = 1_u32;
        let mut hiss = |amplitude: i32| {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i32::try_from(state >> 16).unwrap_or(0) - 32_768
            };
            (0..240_000).map(|_| i16::try_from(next() * amplitude / 32_768).unwrap_or(0)).collect::<Vec<i16>>()
        };
        for amplitude in [100, 3_000, 30_000] {
            assert_eq!(heard(&hiss(amplitude)), [], "{amplitude}");
        }
        // A tune in chords, four a second, on music on hold's way round and round.
        let chords = [[261.6, 329.6, 392.0], [349.2, 440.0, 523.3], [392.0, 493.9, 587.3], [220.0, 261.6, 329.6]];
        let tune = chords.iter().flat_map(|chord| Tone::new(chord, -15.0).samples(2_000)).collect::<Vec<i16>>();
        assert_eq!(heard(&tune.repeat(30)), []);
    }
}
