//! Hears when somebody begins to speak on a session and when he has done, and keeps what he said. No sockets, no clock.
//!
//! The level of the line's own noise is followed, so that a noisy line is not one long word.

use rtp::Codec;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Samples that are looked at together: 10 ms.
const FRAME: usize = 80;
/// What is quieter than this is no speech on any line, in dBm0.
const QUIETEST: f32 = -42.0;
/// Speech is so much louder than the line's noise, in dB.
const ABOVE_NOISE: f32 = 7.0;
/// So many of the last frames have to be loud for speech to begin: 80 of 120 ms.
const BEGINNING: (usize, u32) = (12, 8);
/// While something is played, whose echo may come back: 160 of 200 ms, and louder.
const BEGINNING_OVER_SOUND: (usize, u32) = (20, 16);
const LOUDER_OVER_SOUND: f32 = 6.0;
/// So much silence ends an utterance: more than a word's own pauses, and half of the time in which the caller wants to
/// be answered.
const END: Duration = Duration::from_millis(260);
/// So much of what came before the beginning belongs to it: soft consonants.
const BEFORE: usize = 2_400;
/// So much of the silence at the end is kept: 100 ms.
const AFTER: usize = 800;
/// The longest utterance; what goes on is no command: 8 s.
const LONGEST: usize = 64_000;
/// How fast the level of the noise may seem to rise: 4 dB a second.
const RISE: f32 = 0.04;

/// What somebody said: linear, 8,000 samples a second. Clones share it.
#[derive(Clone, Default, PartialEq)]
pub struct Utterance(Arc<Vec<i16>>);

impl Utterance {
    /// At most 8 s.
    pub fn new(mut samples: Vec<i16>) -> Utterance {
        samples.truncate(LONGEST);
        Utterance(Arc::new(samples))
    }

    pub fn samples(&self) -> &Arc<Vec<i16>> {
        &self.0
    }
}

/// By its length: what was said is nobody's business who reads a log.
impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.len() / 8)
    }
}

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Noticed {
    Began,
    /// Linear, 8 kHz.
    Said(Vec<i16>),
}

#[derive(Debug)]
pub struct Endpointer {
    /// In dBm0.
    noise: f32,
    /// The last frames, one bit each, the latest lowest: loud or not.
    loud: u32,
    louder: u32,
    /// What came lately, while nobody speaks.
    before: VecDeque<i16>,
    /// What is being said.
    utterance: Option<Vec<i16>>,
    /// Samples of silence at its end.
    silence: usize,
    /// Less than a frame.
    rest: Vec<i16>,
    last_packet: Option<Instant>,
}

impl Default for Endpointer {
    fn default() -> Endpointer {
        Endpointer {
            noise: -55.0,
            loud: 0,
            louder: 0,
            before: VecDeque::with_capacity(BEFORE + FRAME),
            utterance: None,
            silence: 0,
            rest: Vec::new(),
            last_packet: None,
        }
    }
}

impl Endpointer {
    /// A packet in its order. `sounding`: something is being played to the caller.
    pub fn audio(
        &mut self,
        codec: Codec,
        payload: &[u8],
        sounding: bool,
        now: Instant,
        notice: &mut dyn FnMut(Noticed),
    ) {
        self.last_packet = Some(now);
        let mut samples = std::mem::take(&mut self.rest);
        rtp::decode_into(codec, payload, &mut samples);
        let mut frames = samples.chunks_exact(FRAME);
        for frame in &mut frames {
            self.frame(frame, sounding, notice);
        }
        self.rest = frames.remainder().to_vec();
    }

    /// A sender that leaves silence out has become silent.
    pub fn check(&mut self, now: Instant, notice: &mut dyn FnMut(Noticed)) {
        let still = self.last_packet.is_none_or(|last| now.saturating_duration_since(last) >= END);
        if still && let Some(said) = self.utterance.take() {
            notice(Noticed::Said(said));
            self.begin_anew();
        }
    }

    fn frame(&mut self, frame: &[i16], sounding: bool, notice: &mut dyn FnMut(Noticed)) {
        let level = level(frame);
        let threshold = (self.noise + ABOVE_NOISE).max(QUIETEST);
        let loud = level > threshold;
        self.loud = self.loud << 1 | u32::from(loud);
        self.louder = self.louder << 1 | u32::from(level > threshold + LOUDER_OVER_SOUND);
        match &mut self.utterance {
            None => {
                self.before.extend(frame);
                let surplus = self.before.len().saturating_sub(BEFORE);
                self.before.drain(..surplus);
                let begins = match sounding {
                    true => enough(self.louder, BEGINNING_OVER_SOUND),
                    false => enough(self.loud, BEGINNING),
                };
                if begins {
                    self.utterance = Some(self.before.drain(..).collect());
                    self.silence = 0;
                    notice(Noticed::Began);
                } else {
                    // Down at once, up slowly: what lasts is noise.
                    self.noise = if level < self.noise { level.max(-80.0) } else { self.noise + RISE };
                }
            }
            Some(utterance) => {
                utterance.extend_from_slice(frame);
                // One loud frame is a click on the line.
                let speaks = enough(self.loud, (3, 2));
                self.silence = if speaks { 0 } else { self.silence + FRAME };
                self.noise += RISE;
                let length = utterance.len();
                if self.silence >= END.as_millis() as usize * 8 || length >= LONGEST {
                    utterance.truncate(length.saturating_sub(self.silence.saturating_sub(AFTER)));
                    let said = std::mem::take(utterance);
                    notice(Noticed::Said(said));
                    self.begin_anew();
                }
            }
        }
    }

    fn begin_anew(&mut self) {
        *self = Endpointer { noise: self.noise, last_packet: self.last_packet, ..Endpointer::default() };
    }
}

/// Whether so many of the last frames are loud.
fn enough(frames: u32, (of, least): (usize, u32)) -> bool {
    (frames & ((1 << of) - 1)).count_ones() >= least
}

/// In dBm0: a full sine is +3.17 in mu-law (ITU-T G.711), and next to that in A-law.
fn level(frame: &[i16]) -> f32 {
    let power = frame.iter().map(|sample| f32::from(*sample) * f32::from(*sample)).sum::<f32>() / frame.len() as f32;
    10.0 * (power / (32_768.0 * 32_768.0 / 2.0) + 1e-9).log10() + 3.17
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::{Tone, encode};

    struct Fixture {
        ear: Endpointer,
        now: Instant,
        noticed: Vec<(u64, Noticed)>,
        ms: u64,
        sounding: bool,
    }

    impl Fixture {
        fn new() -> Fixture {
            let (ear, now) = (Endpointer::default(), Instant::now());
            Fixture { ear, now, noticed: Vec::new(), ms: 0, sounding: false }
        }

        /// Packets of 20 ms.
        fn hears(&mut self, samples: &[i16]) -> &mut Fixture {
            for packet in samples.chunks(160) {
                self.ms += 20;
                let (ms, noticed) = (self.ms, &mut self.noticed);
                let now = self.now + Duration::from_millis(ms);
                let bytes = encode(Codec::Pcma, packet);
                self.ear.audio(Codec::Pcma, &bytes, self.sounding, now, &mut |what| noticed.push((ms, what)));
            }
            self
        }

        fn speech(&mut self, ms: usize, dbm0: f32) -> &mut Fixture {
            let samples = Tone::new(&[300.0, 700.0], dbm0).samples(ms * 8);
            self.hears(&samples)
        }

        fn silence(&mut self, ms: usize) -> &mut Fixture {
            self.hears(&vec![0; ms * 8])
        }

        /// How long what was said is, in milliseconds.
        fn said(&mut self) -> Vec<usize> {
            let said = self.noticed.iter().filter_map(|(_, what)| match what {
                Noticed::Said(samples) => Some(samples.len() / 8),
                Noticed::Began => None,
            });
            said.collect()
        }
    }

    #[test]
    fn an_utterance_is_kept_with_a_little_before_and_after() {
        let mut f = Fixture::new();
        f.silence(1000).speech(600, -20.0).silence(1000);
        let said = f.said();
        assert_eq!(said.len(), 1);
        assert!((800..=1100).contains(&said[0]), "{said:?}");
        let (began, ended) = (f.noticed[0].0, f.noticed[1].0);
        assert!((1080..=1140).contains(&began), "{began}");
        assert!((1850..=1940).contains(&ended), "260 ms after its end: {ended}");
    }

    #[test]
    fn a_pause_between_two_words_does_not_end_it() {
        let mut f = Fixture::new();
        f.silence(300).speech(300, -20.0).silence(200).speech(300, -20.0).silence(600);
        assert_eq!(f.said().len(), 1);
    }

    #[test]
    fn a_click_and_a_quiet_line_are_no_speech() {
        let mut f = Fixture::new();
        f.silence(300).speech(40, -5.0).silence(500).speech(3000, -50.0).silence(500);
        assert_eq!(f.noticed, []);
    }

    #[test]
    fn noise_that_lasts_becomes_the_line_and_speech_above_it_is_heard() {
        let mut f = Fixture::new();
        f.speech(20_000, -35.0);
        f.noticed.clear();
        f.speech(3000, -35.0);
        assert_eq!(f.noticed, [], "by now it is the line");
        f.speech(600, -15.0).speech(1000, -35.0);
        assert_eq!(f.said().len(), 1);
    }

    #[test]
    fn what_never_ends_is_cut() {
        let mut f = Fixture::new();
        f.speech(9000, -10.0);
        assert_eq!(f.said(), [8000]);
    }

    #[test]
    fn a_sender_that_stops_sending_has_done() {
        let mut f = Fixture::new();
        f.silence(300).speech(500, -20.0);
        let (ear, noticed) = (&mut f.ear, &mut f.noticed);
        let at = |ms| f.now + Duration::from_millis(ms);
        ear.check(at(900), &mut |what| noticed.push((0, what)));
        assert_eq!(noticed.len(), 1, "it has only just begun");
        ear.check(at(1200), &mut |what| noticed.push((0, what)));
        assert_eq!(f.said().len(), 1);
    }

    #[test]
    fn the_echo_of_a_prompt_is_not_taken_for_speech_at_once() {
        let mut f = Fixture::new();
        f.sounding = true;
        f.silence(300).speech(100, -38.0).silence(300);
        assert_eq!(f.noticed, []);
        f.speech(400, -15.0);
        assert_eq!(f.noticed.len(), 1);
    }
}
