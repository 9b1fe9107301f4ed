//! A small adaptive jitter buffer: evens out a stream for whoever must play it at a steady pace.

use std::time::Instant;

/// Frames that can wait at most.
const SLOTS: usize = 16;
/// Longest payload kept: 60 ms of G.711.
const LONGEST: usize = 480;
/// Pulls that the buffer must have been fuller than it needs to be before a frame is left out (1 s of 20 ms).
const PATIENCE: u32 = 50;

/// What there is to play now.
#[derive(Debug, PartialEq, Eq)]
pub enum Played<'a> {
    Frame(&'a [u8]),
    /// The frame due did not come: conceal it.
    Lost,
    /// Nothing to play yet, or the stream paused.
    Empty,
}

struct Slot {
    sequence: u64,
    payload: Vec<u8>,
}

/// One per stream. Give it packets as they come, pull a frame each packet interval.
pub struct JitterBuffer {
    slots: Vec<Option<Slot>>,
    /// Slots not in use: nothing is allocated once the stream runs.
    spare: Vec<Slot>,
    /// What was pulled last: stays readable until the next pull.
    out: Option<Slot>,
    next: Option<u64>,
    playing: bool,
    /// Smoothed deviation of the arrivals, in microseconds.
    deviation: f64,
    last: Option<(Instant, u64)>,
    interval_us: f64,
    fuller: u32,
}

impl JitterBuffer {
    /// `interval_ms`: of audio in a packet.
    pub fn new(interval_ms: u16) -> JitterBuffer {
        JitterBuffer {
            slots: (0..SLOTS).map(|_| None).collect(),
            spare: Vec::new(),
            out: None,
            next: None,
            playing: false,
            deviation: 0.0,
            last: None,
            interval_us: f64::from(interval_ms.clamp(5, 200)) * 1000.0,
            fuller: 0,
        }
    }

    /// How many frames it waits for before it plays: from 1 on an even stream up to half of what it holds.
    pub fn target(&self) -> usize {
        let needed = 3.0 * self.deviation / self.interval_us;
        (1 + needed.ceil() as usize).min(SLOTS / 2)
    }

    pub fn depth(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// A packet that is no duplicate, its sequence number counted on over wraps. One too late, or too long, is dropped.
    pub fn insert(&mut self, sequence: u64, payload: &[u8], now: Instant) {
        if payload.len() > LONGEST {
            return;
        }
        self.measure(sequence, now);
        let next = *self.next.get_or_insert(sequence);
        if sequence < next {
            if self.playing {
                return;
            }
            self.next = Some(sequence);
        } else if sequence - next >= SLOTS as u64 {
            // Too far ahead to wait for what lies between: play from here.
            self.clear();
            self.next = Some(sequence);
        }
        let mut slot = self.spare.pop().unwrap_or(Slot { sequence, payload: Vec::new() });
        slot.sequence = sequence;
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
        if let Some(before) = self.slots[sequence as usize % SLOTS].replace(slot) {
            self.spare.push(before);
        }
    }

    /// The frame that is due. Call once a packet interval.
    pub fn pull(&mut self) -> Played<'_> {
        if let Some(slot) = self.out.take() {
            self.spare.push(slot);
        }
        let depth = self.depth();
        if !self.playing {
            if depth == 0 || depth < self.target() {
                return Played::Empty;
            }
            self.playing = true;
        }
        if depth == 0 {
            // Ran dry: fill up anew before playing on.
            self.playing = false;
            return Played::Empty;
        }
        self.fuller = if depth > self.target() + 1 { self.fuller + 1 } else { 0 };
        if self.fuller > PATIENCE {
            self.fuller = 0;
            let left_out = self.take_next();
            self.spare.extend(left_out);
        }
        self.out = self.take_next();
        match &self.out {
            Some(slot) => Played::Frame(&slot.payload),
            None => Played::Lost,
        }
    }

    fn take_next(&mut self) -> Option<Slot> {
        let next = self.next?;
        self.next = Some(next + 1);
        self.slots[next as usize % SLOTS].take_if(|slot| slot.sequence == next)
    }

    fn clear(&mut self) {
        for slot in &mut self.slots {
            self.spare.extend(slot.take());
        }
    }

    fn measure(&mut self, sequence: u64, now: Instant) {
        if let Some((at, before)) = self.last {
            let expected = sequence.saturating_sub(before) as f64 * self.interval_us;
            let passed = now.saturating_duration_since(at).as_micros() as f64;
            let off = (passed - expected).abs().min(1_000_000.0);
            // Quick to grow, slow to shrink: a gap that was heard once is worth a frame of delay.
            let weight = if off > self.deviation { 0.25 } else { 0.01 };
            self.deviation += (off - self.deviation) * weight;
        }
        if self.last.is_none_or(|(_, before)| sequence > before) {
            self.last = Some((now, sequence));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Instant {
        // One origin for the whole test process; only differences matter.
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *ORIGIN.get_or_init(Instant::now) + Duration::from_millis(ms)
    }

    #[test]
    fn an_even_stream_plays_in_order_with_one_frame_of_delay() {
        let mut buffer = JitterBuffer::new(20);
        assert_eq!(buffer.pull(), Played::Empty);
        for n in 0..100u64 {
            buffer.insert(n, &[n as u8], at(20 * n));
            assert_eq!(buffer.pull(), Played::Frame(&[n as u8]));
        }
    }

    #[test]
    fn reordered_packets_are_put_right() {
        let mut buffer = JitterBuffer::new(20);
        for n in [11, 10, 13, 12] {
            buffer.insert(n, &[n as u8], at(0));
        }
        for n in 10..14u8 {
            assert_eq!(buffer.pull(), Played::Frame(&[n]));
        }
    }

    #[test]
    fn a_lost_frame_is_said_to_be_lost_and_a_late_one_dropped() {
        let mut buffer = JitterBuffer::new(20);
        buffer.insert(1, &[1], at(0));
        buffer.insert(3, &[3], at(40));
        assert_eq!(buffer.pull(), Played::Frame(&[1]));
        assert_eq!(buffer.pull(), Played::Lost);
        buffer.insert(2, &[2], at(41));
        assert_eq!(buffer.pull(), Played::Frame(&[3]));
    }

    #[test]
    fn an_uneven_stream_gets_a_deeper_buffer_that_shrinks_when_it_calms() {
        let mut buffer = JitterBuffer::new(20);
        for n in 0..100u64 {
            buffer.insert(n, &[0], at(20 * n + if n % 2 == 0 { 30 } else { 0 }));
            buffer.pull();
        }
        let uneven = buffer.target();
        assert!(uneven >= 3, "{uneven}");
        for n in 100..1500u64 {
            buffer.insert(n, &[0], at(20 * n));
            buffer.pull();
        }
        assert!(buffer.target() < uneven);
    }

    #[test]
    fn a_buffer_that_is_too_full_comes_down_again() {
        let mut buffer = JitterBuffer::new(20);
        for n in 0..8u64 {
            buffer.insert(n, &[0], at(0));
        }
        for n in 8..2000u64 {
            buffer.insert(n, &[0], at(20 * n));
            buffer.pull();
        }
        assert!(buffer.depth() <= buffer.target() + 1, "{} of {}", buffer.depth(), buffer.target());
    }

    #[test]
    fn a_jump_far_ahead_is_played_from_there() {
        let mut buffer = JitterBuffer::new(20);
        buffer.insert(1, &[1], at(0));
        buffer.insert(1000, &[2], at(19_980));
        assert_eq!(buffer.pull(), Played::Frame(&[2]));
        buffer.insert(1001, &[0; LONGEST + 1], at(40));
        assert_eq!(buffer.depth(), 0);
    }
}
