//! Puts what is heard in its place by RTP timestamp, fills gaps with silence, and knows when to end. No sockets, no
//! clock; the chunks that it gives go to the spool or to a tape.

use crate::clip::samples_to_duration;
use crate::{RecordEnd, RecordLimits};
use rtp::{Codec, Level, Threshold, TimestampUnwrapper};
use std::time::{Duration, Instant};

/// Bytes in a chunk: half a second, so that a process that is killed has lost less than its last second.
const CHUNK: usize = 4000;
/// So much is held back for packets that were overtaken: 100 ms.
const HELD_BACK: usize = 800;
/// A sender that is silent for so long has paused.
const STALLED: Duration = Duration::from_millis(200);
/// A timestamp may be so far ahead of the time that really passed: 2 s. Beyond it the sender's clock has jumped.
const SLACK: i64 = 16_000;

#[derive(Debug)]
pub struct Recorder {
    codec: Codec,
    limits: RecordLimits,
    max: u64,
    threshold: Threshold,
    timestamps: TimestampUnwrapper,
    /// Which timestamp is position 0; `None`: the next packet is put by the time that passed.
    origin: Option<i64>,
    /// What is not given away yet; its first byte is position `given`.
    buffer: Vec<u8>,
    given: u64,
    /// The first chunk is shorter, differently for each recording, so that they do not all write at once.
    chunk: usize,
    /// Bytes in the chunks after it.
    step: usize,
    loud: u64,
    last_sound: Instant,
    last_packet: Option<Instant>,
    paused: bool,
}

impl Recorder {
    /// `spread`: any number, different for each recording.
    pub fn new(codec: Codec, limits: RecordLimits, spread: u64, now: Instant) -> Recorder {
        Recorder {
            codec,
            limits,
            max: u64::try_from(limits.max.as_micros() / 125).unwrap_or(u64::MAX),
            threshold: Threshold::dbm0(limits.level_dbm0),
            timestamps: TimestampUnwrapper::default(),
            origin: None,
            buffer: Vec::with_capacity(CHUNK + HELD_BACK + 480),
            given: 0,
            chunk: CHUNK / 8 * (1 + (spread % 8) as usize),
            step: CHUNK,
            loud: 0,
            last_sound: now,
            last_packet: None,
            paused: false,
        }
    }

    /// For a tape, which somebody listens to while it is written: a chunk each 40 ms.
    pub fn in_small_chunks(self) -> Recorder {
        Recorder { chunk: 320, step: 320, ..self }
    }

    pub fn limits(&self) -> &RecordLimits {
        &self.limits
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    pub fn duration(&self) -> Duration {
        samples_to_duration(self.end())
    }

    /// How much of it was above the level.
    pub fn loud(&self) -> Duration {
        samples_to_duration(self.loud)
    }

    /// So much of what was above the level was no speech.
    pub fn was_no_speech(&mut self, loud: Duration) {
        let samples = u64::try_from(loud.as_micros() / 125).unwrap_or(u64::MAX);
        self.loud = self.loud.saturating_sub(samples);
    }

    fn end(&self) -> u64 {
        self.given + self.buffer.len() as u64
    }

    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// What came in meanwhile is left out.
    pub fn resume(&mut self, now: Instant) {
        if std::mem::take(&mut self.paused) {
            self.origin = None;
            self.last_packet = None;
            self.last_sound = now;
        }
    }

    /// A packet that is no duplicate. Chunks that are complete go to `give`.
    pub fn audio(
        &mut self,
        codec: Codec,
        timestamp: u32,
        restarted: bool,
        payload: &[u8],
        now: Instant,
        give: &mut impl FnMut(&[u8]),
    ) {
        if self.paused || payload.is_empty() {
            return;
        }
        let at = self.position(timestamp, restarted, now);
        self.last_packet = Some(now);
        // What lies before `given` is given away already (and below 0 nothing ever was).
        let skip = usize::try_from((self.given as i64).saturating_sub(at)).unwrap_or(0);
        if skip >= payload.len() {
            return;
        }
        let at = at.saturating_add_unsigned(skip as u64).max(0) as u64;
        let room = usize::try_from(self.max.saturating_sub(at)).unwrap_or(usize::MAX);
        let payload = &payload[skip..];
        let payload = &payload[..payload.len().min(room)];
        if Level::of(codec, payload).is_above(self.threshold) {
            self.last_sound = now;
            self.loud += payload.len() as u64;
        }
        self.fill_to(at.min(self.max), give);
        // The position is at or after `given`, and not beyond the end: see `fill_to`.
        let offset = (at.saturating_sub(self.given) as usize).min(self.buffer.len());
        let overlap = payload.len().min(self.buffer.len() - offset);
        self.buffer[offset..offset + overlap].copy_from_slice(&payload[..overlap]);
        self.buffer.extend_from_slice(&payload[overlap..]);
        if codec != self.codec {
            rtp::transcode(codec, self.codec, &mut self.buffer[offset..offset + payload.len()]);
        }
        self.give_chunks(HELD_BACK, give);
    }

    /// Where a packet belongs, in samples from the beginning; below 0 if it was overtaken by the first.
    fn position(&mut self, timestamp: u32, restarted: bool, now: Instant) -> i64 {
        if restarted {
            self.origin = None;
            self.timestamps = TimestampUnwrapper::default();
        }
        let timestamp = self.timestamps.unwrap(timestamp);
        let end = self.end() as i64;
        // Since the last packet, less the one that it was: what a sender that paused has left out.
        let passed = match self.last_packet {
            Some(last) => (now.saturating_duration_since(last).as_micros() / 125) as i64,
            None => 0,
        };
        if let Some(origin) = self.origin {
            let position = timestamp - origin;
            let latest = end.saturating_add(passed).saturating_add(SLACK);
            if (end - SLACK..=latest).contains(&position) {
                return position;
            }
        }
        // The first packet, or a clock that jumped: as long after the last one as it really was.
        let position = end + (passed - 160).max(0);
        self.origin = Some(timestamp - position);
        position
    }

    /// Fills with silence up to a position.
    fn fill_to(&mut self, position: u64, give: &mut impl FnMut(&[u8])) {
        while self.end() < position {
            let step = (position - self.end()).min(CHUNK as u64) as usize;
            self.buffer.resize(self.buffer.len() + step, self.codec.silence());
            self.give_chunks(HELD_BACK, give);
        }
    }

    fn give_chunks(&mut self, keep: usize, give: &mut impl FnMut(&[u8])) {
        while self.buffer.len() >= self.chunk + keep {
            give(&self.buffer[..self.chunk]);
            self.buffer.drain(..self.chunk);
            self.given += self.chunk as u64;
            self.chunk = self.step;
        }
    }

    /// Nothing came for so long that what is held back waits for nothing.
    pub fn is_stalled(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|last| now.saturating_duration_since(last) > STALLED)
    }

    /// The rest, when it has ended, or stands still.
    pub fn finish(&mut self, give: &mut impl FnMut(&[u8])) {
        if !self.buffer.is_empty() {
            give(&self.buffer);
            self.given += self.buffer.len() as u64;
            self.buffer.clear();
        }
    }

    /// Whether a limit is reached.
    pub fn check(&self, now: Instant) -> Option<RecordEnd> {
        if self.paused {
            return None;
        }
        if self.end() >= self.max {
            return Some(RecordEnd::Max);
        }
        (now.saturating_duration_since(self.last_sound) >= self.limits.idle).then_some(RecordEnd::Idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::{Tone, encode};

    struct Fixture {
        recorder: Recorder,
        start: Instant,
        given: Vec<u8>,
        loud: Vec<u8>,
    }

    impl Fixture {
        fn new(limits: RecordLimits) -> Fixture {
            let start = Instant::now();
            let recorder = Recorder::new(Codec::Pcma, limits, 3, start);
            let loud = encode(Codec::Pcma, &Tone::new(&[500.0], -10.0).samples(160));
            Fixture { recorder, start, given: Vec::new(), loud }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn bytes(&mut self, timestamp: u32, ms: u64, restarted: bool, bytes: &[u8]) {
            let now = self.at(ms);
            let given = &mut self.given;
            self.recorder
                .audio(Codec::Pcma, timestamp, restarted, bytes, now, &mut |chunk| given.extend_from_slice(chunk));
        }

        fn numbered(&mut self, n: u32, ms: u64) {
            self.bytes(1000 + n * 160, ms, false, &[n as u8; 160]);
        }

        fn all(mut self) -> Vec<u8> {
            let given = &mut self.given;
            self.recorder.finish(&mut |chunk| given.extend_from_slice(chunk));
            assert_eq!(self.recorder.duration(), samples_to_duration(self.given.len() as u64));
            self.given
        }
    }

    fn frames(numbers: &[u8]) -> Vec<u8> {
        numbers.iter().flat_map(|n| [*n; 160]).collect()
    }

    const SILENT: u8 = 0xd5;

    #[test]
    fn an_even_stream_is_recorded_byte_for_byte() {
        let mut f = Fixture::new(RecordLimits::default());
        let numbers: Vec<u8> = (0..200).collect();
        for n in 0..200 {
            f.numbered(n, u64::from(n) * 20);
        }
        assert!(f.given.len() >= 200 * 160 - CHUNK - HELD_BACK);
        assert_eq!(f.all(), frames(&numbers));
    }

    #[test]
    fn reordered_packets_are_put_in_their_place_and_lost_ones_are_silence() {
        let mut f = Fixture::new(RecordLimits::default());
        for (n, ms) in [(0, 0), (2, 40), (1, 41), (5, 100), (3, 101)] {
            f.numbered(n, ms);
        }
        assert_eq!(f.all(), frames(&[0, 1, 2, 3, SILENT, 5]));
    }

    #[test]
    fn a_pause_of_the_sender_is_silence_of_its_length() {
        let mut f = Fixture::new(RecordLimits { idle: Duration::from_secs(60), ..RecordLimits::default() });
        f.numbered(0, 0);
        f.numbered(500, 10_000); // ten seconds of silence suppression
        let all = f.all();
        assert_eq!(all.len(), 501 * 160);
        assert!(all[160..500 * 160].iter().all(|byte| *byte == SILENT));
    }

    #[test]
    fn a_clock_that_jumps_ahead_does_not_make_hours_of_silence() {
        let mut f = Fixture::new(RecordLimits::default());
        f.numbered(0, 0);
        f.bytes(900_000_000, 20, false, &[7; 160]);
        f.bytes(900_000_160, 40, false, &[8; 160]);
        assert_eq!(f.all(), frames(&[0, 7, 8]));
    }

    #[test]
    fn a_clock_that_jumps_back_goes_on_where_it_was() {
        let mut f = Fixture::new(RecordLimits::default());
        for n in 0..200 {
            f.numbered(n, u64::from(n) * 20);
        }
        f.bytes(0u32.wrapping_sub(500_000), 4000, false, &[7; 160]);
        f.bytes(0u32.wrapping_sub(499_840), 4020, false, &[8; 160]);
        let all = f.all();
        assert_eq!(all.len(), 202 * 160);
        assert_eq!(all[200 * 160..], frames(&[7, 8]));
    }

    #[test]
    fn another_source_goes_on_after_the_time_that_passed() {
        let mut f = Fixture::new(RecordLimits::default());
        f.numbered(0, 0);
        f.bytes(77, 120, true, &[7; 160]);
        f.bytes(77 + 160, 140, false, &[8; 160]);
        assert_eq!(f.all(), frames(&[0, SILENT, SILENT, SILENT, SILENT, SILENT, 7, 8]));
    }

    #[test]
    fn the_timestamp_may_wrap() {
        let mut f = Fixture::new(RecordLimits::default());
        for n in 0..10u32 {
            f.bytes((u32::MAX - 500).wrapping_add(n * 160), u64::from(n) * 20, false, &[n as u8; 160]);
        }
        assert_eq!(f.all(), frames(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    }

    #[test]
    fn late_packets_are_dropped_once_their_place_is_given_away() {
        let mut f = Fixture::new(RecordLimits::default());
        for n in (0..100).filter(|n| *n != 3) {
            f.numbered(n, u64::from(n) * 20);
        }
        f.numbered(3, 2000);
        let all = f.all();
        assert_eq!(all.len(), 100 * 160);
        assert!(all[3 * 160..4 * 160].iter().all(|byte| *byte == SILENT));
    }

    #[test]
    fn the_other_law_is_converted() {
        let mut f = Fixture::new(RecordLimits::default());
        let now = f.start;
        f.recorder.audio(Codec::Pcmu, 0, true, &[0xff; 160], now, &mut |_| {});
        assert_eq!(f.all(), [SILENT; 160]);
    }

    #[test]
    fn silence_ends_it_counted_from_the_last_sound() {
        let mut f = Fixture::new(RecordLimits::default());
        let loud = f.loud.clone();
        f.bytes(0, 3000, true, &loud);
        for n in 1..100u32 {
            f.bytes(n * 160, 3000 + u64::from(n) * 20, false, &[SILENT; 160]);
        }
        assert_eq!(f.recorder.check(f.at(7999)), None);
        assert_eq!(f.recorder.check(f.at(8000)), Some(RecordEnd::Idle));
        assert_eq!(f.recorder.loud(), Duration::from_millis(20));
    }

    #[test]
    fn never_a_sound_ends_it_too() {
        let f = Fixture::new(RecordLimits::default());
        assert_eq!(f.recorder.check(f.at(4999)), None);
        assert_eq!(f.recorder.check(f.at(5000)), Some(RecordEnd::Idle));
    }

    #[test]
    fn the_maximum_cuts_to_the_sample() {
        let mut f = Fixture::new(RecordLimits { max: Duration::from_millis(50), ..RecordLimits::default() });
        for n in 0..5 {
            f.numbered(n, u64::from(n) * 20);
        }
        assert_eq!(f.recorder.check(f.at(80)), Some(RecordEnd::Max));
        assert_eq!(f.all().len(), 400);
    }

    #[test]
    fn a_pause_leaves_out_what_came_in_and_stops_the_idle_clock() {
        let mut f = Fixture::new(RecordLimits::default());
        f.numbered(0, 0);
        f.recorder.pause();
        f.numbered(1, 20);
        assert_eq!(f.recorder.check(f.at(60_000)), None);
        let now = f.at(60_000);
        f.recorder.resume(now);
        assert_eq!(f.recorder.check(now), None);
        f.numbered(3000, 60_000);
        f.numbered(3001, 60_020);
        assert_eq!(f.all(), frames(&[0, (3000u32 & 0xff) as u8, (3001u32 & 0xff) as u8]));
    }

    #[test]
    fn any_timestamps_are_survived_and_never_make_more_than_the_maximum() {
        let mut f = Fixture::new(RecordLimits { max: Duration::from_secs(30), ..RecordLimits::default() });
        let mut state = 1u32;
        for n in 0..20_000u64 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let timestamp = if state & 0x100 != 0 { state } else { state >> 14 };
            let length = (state >> 9) as usize % 700;
            f.bytes(timestamp, n, n % 97 == 0, &vec![1; length]);
        }
        assert!(f.all().len() <= 30 * 8000);
    }
}
