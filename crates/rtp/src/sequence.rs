//! Sequence numbers, timestamps and sources over time (RFC 3550 A.1).

use std::time::{Duration, Instant};

/// Up to so many packets may be missing before a jump forward is doubted (RFC 3550 A.1, MAX_DROPOUT).
const MAX_DROPOUT: i64 = 3000;
/// How far back a late packet is still told from a duplicate.
const WINDOW: i64 = 64;

/// What a packet is among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Not seen before; its sequence number counted on over wraps.
    New(u64),
    /// Seen before, or too late to tell: drop it.
    Duplicate,
    /// Far from its neighbours: drop it. If the next one follows it, the stream has begun anew.
    Doubtful,
    /// The stream begins anew with this packet, under the same source.
    Restarted(u64),
}

/// Follows the sequence numbers of one source.
#[derive(Clone, Debug, Default)]
pub struct SequenceTracker {
    started: bool,
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u64,
    /// The sequence number that would prove a doubtful one right.
    expected: Option<u16>,
}

impl SequenceTracker {
    pub fn new() -> SequenceTracker {
        SequenceTracker::default()
    }

    pub fn accept(&mut self, sequence: u16) -> Accepted {
        if !self.started {
            return Accepted::New(self.begin(sequence));
        }
        // The signed distance to the highest one, at most half a cycle either way.
        let distance = i64::from(sequence.wrapping_sub(self.highest as u16) as i16);
        match distance {
            1..=MAX_DROPOUT => {
                self.seen = self.seen.checked_shl(distance as u32).unwrap_or(0) | 1;
                self.highest = self.highest.wrapping_add(distance as u64);
                self.expected = None;
                Accepted::New(self.highest)
            }
            -63..=0 => {
                let bit = 1u64 << -distance;
                if self.seen & bit != 0 {
                    return Accepted::Duplicate;
                }
                self.seen |= bit;
                Accepted::New(self.highest.wrapping_add_signed(distance))
            }
            _ if self.expected == Some(sequence) => Accepted::Restarted(self.begin(sequence)),
            // RFC 3550 A.1: two in sequence make a new beginning believable, one does not.
            _ => {
                self.expected = Some(sequence.wrapping_add(1));
                if (-WINDOW * 2..0).contains(&distance) { Accepted::Duplicate } else { Accepted::Doubtful }
            }
        }
    }

    fn begin(&mut self, sequence: u16) -> u64 {
        self.started = true;
        // One cycle up, so that a packet from before the first one does not go below zero.
        self.highest = 0x1_0000 + u64::from(sequence);
        self.seen = 1;
        self.expected = None;
        self.highest
    }
}

/// Counts 32-bit timestamps on over wraps.
#[derive(Clone, Debug, Default)]
pub struct TimestampUnwrapper {
    last: Option<i64>,
}

impl TimestampUnwrapper {
    /// The timestamp as one that never wraps: nearest to the one before.
    pub fn unwrap(&mut self, timestamp: u32) -> i64 {
        let value = match self.last {
            None => i64::from(timestamp),
            Some(last) => last + i64::from(timestamp.wrapping_sub(last as u32) as i32),
        };
        self.last = Some(value);
        value
    }
}

/// How long the source that is followed must have been silent before another one is: three packets' time.
const SILENCE: Duration = Duration::from_millis(60);

/// What to do with a packet of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsrcVerdict {
    Same,
    /// The first of a stream, or of another source that goes on after the former one has fallen silent: the peer has begun a
    /// new stream.
    Changed,
    /// Of another source, while the one that is followed is still heard: a stray, or somebody who would like to be heard in its
    /// place. Drop it.
    Ignore,
}

/// Keeps to one source (SSRC) at a time, and follows a peer that changes it. A stranger who can send from the peer's address
/// is not heard for as long as the peer is.
#[derive(Clone, Debug, Default)]
pub struct SsrcFilter {
    current: Option<(u32, Instant)>,
    candidate: Option<u32>,
}

impl SsrcFilter {
    /// `now`: when the packet was read, which may be some time after it came.
    pub fn check(&mut self, ssrc: u32, now: Instant) -> SsrcVerdict {
        match &mut self.current {
            Some((current, heard)) if *current == ssrc => {
                *heard = now;
                self.candidate = None;
                SsrcVerdict::Same
            }
            // RFC 3550 A.1: a single packet makes no source.
            Some((_, heard)) if self.candidate != Some(ssrc) || now.saturating_duration_since(*heard) < SILENCE => {
                self.candidate = Some(ssrc);
                SsrcVerdict::Ignore
            }
            _ => {
                self.current = Some((ssrc, now));
                self.candidate = None;
                SsrcVerdict::Changed
            }
        }
    }

    pub fn current(&self) -> Option<u32> {
        self.current.map(|(ssrc, _)| ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_count_on_over_the_wrap() {
        let mut tracker = SequenceTracker::new();
        let Accepted::New(first) = tracker.accept(0xfffe) else { panic!() };
        assert_eq!(tracker.accept(0xffff), Accepted::New(first + 1));
        assert_eq!(tracker.accept(0), Accepted::New(first + 2));
        assert_eq!(tracker.accept(3), Accepted::New(first + 5));
    }

    #[test]
    fn a_late_packet_is_new_once() {
        let mut tracker = SequenceTracker::new();
        tracker.accept(10);
        tracker.accept(13);
        let Accepted::New(late) = tracker.accept(12) else { panic!() };
        assert_eq!(tracker.accept(12), Accepted::Duplicate);
        assert_eq!(tracker.accept(13), Accepted::Duplicate);
        assert_eq!(tracker.accept(11), Accepted::New(late - 1));
    }

    #[test]
    fn even_the_first_packet_may_have_been_overtaken() {
        let mut tracker = SequenceTracker::new();
        let Accepted::New(first) = tracker.accept(0) else { panic!() };
        assert_eq!(tracker.accept(0xffff), Accepted::New(first - 1));
    }

    #[test]
    fn a_far_jump_is_believed_when_the_next_follows_it() {
        let mut tracker = SequenceTracker::new();
        tracker.accept(10);
        assert_eq!(tracker.accept(40_000), Accepted::Doubtful);
        assert!(matches!(tracker.accept(11), Accepted::New(_)));
        assert_eq!(tracker.accept(20_000), Accepted::Doubtful);
        assert!(matches!(tracker.accept(20_001), Accepted::Restarted(_)));
        assert!(matches!(tracker.accept(20_002), Accepted::New(_)));
    }

    #[test]
    fn a_sender_that_begins_a_little_lower_is_followed() {
        let mut tracker = SequenceTracker::new();
        tracker.accept(1000);
        assert_eq!(tracker.accept(900), Accepted::Duplicate);
        assert!(matches!(tracker.accept(901), Accepted::Restarted(_)));
    }

    #[test]
    fn any_order_of_numbers_is_survived() {
        let mut tracker = SequenceTracker::new();
        let mut state = 7u32;
        for _ in 0..200_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            tracker.accept((state >> 16) as u16);
        }
    }

    #[test]
    fn timestamps_count_on_both_ways() {
        let mut unwrapper = TimestampUnwrapper::default();
        let first = unwrapper.unwrap(u32::MAX - 80);
        assert_eq!(unwrapper.unwrap(79), first + 160);
        assert_eq!(unwrapper.unwrap(u32::MAX - 80), first);
    }

    #[test]
    fn a_new_source_is_followed_once_the_former_is_silent() {
        let (mut filter, start) = (SsrcFilter::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(filter.check(1, at(0)), SsrcVerdict::Changed);
        assert_eq!(filter.check(2, at(20)), SsrcVerdict::Ignore);
        assert_eq!(filter.check(2, at(40)), SsrcVerdict::Ignore);
        assert_eq!(filter.check(2, at(60)), SsrcVerdict::Changed);
        assert_eq!(filter.check(2, at(80)), SsrcVerdict::Same);
        assert_eq!(filter.current(), Some(2));
    }

    #[test]
    fn a_stranger_is_not_heard_while_the_right_source_is_however_much_he_sends() {
        let (mut filter, start) = (SsrcFilter::default(), Instant::now());
        filter.check(1, start);
        for ms in 1..1000 {
            let (ssrc, expected) = if ms % 20 == 0 { (1, SsrcVerdict::Same) } else { (2, SsrcVerdict::Ignore) };
            assert_eq!(filter.check(ssrc, start + Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn one_packet_after_a_pause_makes_no_source() {
        let (mut filter, start) = (SsrcFilter::default(), Instant::now());
        filter.check(1, start);
        assert_eq!(filter.check(2, start + SILENCE * 10), SsrcVerdict::Ignore);
        assert_eq!(filter.check(1, start + SILENCE * 10), SsrcVerdict::Same);
    }
}
