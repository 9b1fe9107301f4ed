//! Telephone keys as RTP events (RFC 4733).

use std::time::{Duration, Instant};

/// An event that is not continued for so long has ended, its end packets lost: three times the longest usual interval
/// between its packets (RFC 4733 2.5.2.2 leaves the time to the receiver).
const LOST_END: Duration = Duration::from_millis(150);
/// A key that is held is reported after so long; the rest of the press is ignored.
const LONGEST: u32 = 5 * 8000;
/// Two end packets more after the first (RFC 4733 2.5.1.4).
const END_PACKETS: u8 = 3;
/// The longest duration that one segment of an event can state (RFC 4733 2.5.1.3).
const SEGMENT: u32 = 0xffff;
/// -10 dBm0, the level at which keys are stated to have been pressed.
const VOLUME: u8 = 10;

/// The event code of a key (RFC 4733 3.2, table 3).
pub fn event_of(key: char) -> Option<u8> {
    "0123456789*#ABCD".find(key.to_ascii_uppercase()).and_then(|at| u8::try_from(at).ok())
}

/// The key of an event code; `None` for events that are no key (flash, tones).
pub fn key_of(event: u8) -> Option<char> {
    "0123456789*#ABCD".chars().nth(usize::from(event))
}

/// Whether an event is one that a fax machine sends: ANS, ANSam and their reversals, and CNG (RFC 4734 7, table 8).
pub fn is_fax_event(event: u8) -> bool {
    (32..=36).contains(&event)
}

/// What goes in one event packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// Set on the first packet of an event (RFC 4733 2.1).
    pub marker: bool,
    /// Of the event's (or segment's) beginning: the same in all its packets.
    pub timestamp: u32,
    pub payload: [u8; 4],
}

/// Sends one key. Call [`next`](Self::next) once a packet interval until it gives nothing.
#[derive(Clone, Debug)]
pub struct EventSender {
    event: u8,
    timestamp: u32,
    /// Samples since the beginning of the segment.
    elapsed: u32,
    /// Samples still to come after `elapsed`.
    left: u32,
    started: bool,
    ends: u8,
}

impl EventSender {
    /// `timestamp` is the RTP timestamp of the moment when the key goes down; `duration` in samples, at least one.
    pub fn new(event: u8, timestamp: u32, duration: u32) -> EventSender {
        EventSender { event, timestamp, elapsed: 0, left: duration.max(1), started: false, ends: 0 }
    }

    /// The next packet, `interval` samples after the last one; `None` when the third end packet was given.
    pub fn next(&mut self, interval: u32) -> Option<EventPacket> {
        if self.ends == END_PACKETS {
            return None;
        }
        let step = interval.min(self.left);
        if step > 0 && self.elapsed + step > SEGMENT {
            // RFC 4733 2.5.1.3: an event too long for the field goes on as a new segment, without marker.
            self.timestamp = self.timestamp.wrapping_add(self.elapsed);
            self.elapsed = 0;
        }
        self.elapsed += step;
        self.left -= step;
        let end = self.left == 0;
        if end {
            self.ends += 1;
        }
        let marker = !self.started;
        self.started = true;
        let [high, low] = (self.elapsed.min(SEGMENT) as u16).to_be_bytes();
        let payload = [self.event, if end { 0x80 } else { 0 } | VOLUME, high, low];
        Some(EventPacket { marker, timestamp: self.timestamp, payload })
    }
}

/// What a receiver makes of event packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPress {
    /// The key went down.
    Down(char),
    /// It was let go (or held for 5 s) after so many milliseconds.
    Up(char, u32),
}

/// Turns event packets, retransmitted, reordered or lost, into one press a key.
#[derive(Clone, Debug, Default)]
pub struct EventReceiver {
    current: Option<Current>,
    /// Timestamp of the last event that ended, and when it was last heard of.
    last: Option<(u32, Instant)>,
}

#[derive(Clone, Debug)]
struct Current {
    event: u8,
    timestamp: u32,
    /// Samples in segments before this one.
    before: u32,
    /// Samples in this segment.
    duration: u32,
    heard: Instant,
    reported: bool,
}

impl EventReceiver {
    pub fn new() -> EventReceiver {
        EventReceiver::default()
    }

    /// One event packet. A packet can end one key and begin another, so there may be two presses in order.
    pub fn receive(&mut self, marker: bool, timestamp: u32, payload: &[u8], now: Instant) -> [Option<KeyPress>; 3] {
        let &[event, flags, high, low, ..] = payload else { return [None; 3] };
        let Some(key) = key_of(event) else { return [None; 3] };
        let end = flags & 0x80 != 0;
        let duration = u32::from(u16::from_be_bytes([high, low]));

        let mut closed = None;
        let mut down = None;
        let mut up = None;
        if let Some(current) = &mut self.current {
            let ahead = timestamp.wrapping_sub(current.timestamp);
            if ahead == 0 {
                // RFC 4733 2.5.2.1: one timestamp is one event; a packet overtaken by a later one adds nothing.
                current.duration = current.duration.max(duration);
                current.heard = now;
            } else if !marker && event == current.event && continues(ahead, current.duration) {
                current.before = current.before.saturating_add(ahead);
                current.timestamp = timestamp;
                current.duration = duration;
                current.heard = now;
            } else if ahead < 0x8000_0000 {
                // Another event began: the end of this one was lost.
                closed = self.finish(now);
            } else {
                return [None; 3]; // from before the current one
            }
        }
        if self.current.is_none() {
            if self.is_old(timestamp, now) {
                return [closed, None, None];
            }
            down = Some(KeyPress::Down(key));
            self.current = Some(Current { event, timestamp, before: 0, duration, heard: now, reported: false });
        }
        if end {
            up = self.finish(now);
        } else if let Some(current) = &mut self.current
            && !current.reported
            && current.total() >= LONGEST
        {
            current.reported = true;
            up = Some(KeyPress::Up(key, current.total() / 8));
        }
        [closed, down, up]
    }

    /// Call now and then: ends a key whose end packets were lost.
    pub fn check(&mut self, now: Instant) -> Option<KeyPress> {
        let heard = self.current.as_ref()?.heard;
        if now.saturating_duration_since(heard) >= LOST_END { self.finish(now) } else { None }
    }

    /// True while a key is down and [`check`](Self::check) has something to watch.
    pub fn is_pressed(&self) -> bool {
        self.current.is_some()
    }

    /// The stream began anew (another SSRC): timestamps are no longer comparable.
    pub fn restart(&mut self, now: Instant) -> Option<KeyPress> {
        let press = self.finish(now);
        self.last = None;
        press
    }

    fn finish(&mut self, now: Instant) -> Option<KeyPress> {
        let current = self.current.take()?;
        self.last = Some((current.timestamp, now));
        let key = key_of(current.event)?;
        (!current.reported).then(|| KeyPress::Up(key, current.total() / 8))
    }

    /// Retransmitted ends, and packets overtaken by a later event.
    fn is_old(&mut self, timestamp: u32, now: Instant) -> bool {
        let Some((last, at)) = &mut self.last else { return false };
        let behind = last.wrapping_sub(timestamp);
        if behind == 0 {
            *at = now;
            return true;
        }
        // After some seconds an older timestamp is a sender that began anew under the same SSRC, not a late packet.
        behind < 0x8000_0000 && now.saturating_duration_since(*at) < Duration::from_secs(2)
    }
}

impl Current {
    fn total(&self) -> u32 {
        self.before.saturating_add(self.duration)
    }
}

/// Whether a segment that begins `ahead` of one of `duration` goes on with it: near its 0xffff, give or take a packet.
fn continues(ahead: u32, duration: u32) -> bool {
    duration > SEGMENT - 2000 && ahead.abs_diff(duration) <= 2000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: char, timestamp: u32, duration: u32) -> Vec<EventPacket> {
        let mut sender = EventSender::new(event_of(key).unwrap(), timestamp, duration);
        std::iter::from_fn(|| sender.next(160)).collect()
    }

    /// Feeds packets 20 ms apart and gives the presses.
    fn heard(packets: &[EventPacket]) -> Vec<KeyPress> {
        let start = Instant::now();
        let mut receiver = EventReceiver::new();
        let mut presses = Vec::new();
        for (n, packet) in packets.iter().enumerate() {
            let now = start + Duration::from_millis(20 * n as u64);
            presses.extend(receiver.check(now));
            presses
                .extend(receiver.receive(packet.marker, packet.timestamp, &packet.payload, now).into_iter().flatten());
        }
        presses.extend(receiver.check(start + Duration::from_secs(60)));
        presses
    }

    #[test]
    fn a_key_of_100_ms_is_five_updates_and_two_more_ends_under_one_timestamp() {
        let packets = sent('5', 1000, 800);
        assert_eq!(packets.len(), 7);
        assert!(packets.iter().all(|packet| packet.timestamp == 1000));
        assert_eq!(packets.iter().map(|packet| packet.marker).collect::<Vec<_>>()[..2], [true, false]);
        let ends: Vec<bool> = packets.iter().map(|packet| packet.payload[1] & 0x80 != 0).collect();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        assert_eq!(packets[6].payload[2..], 800u16.to_be_bytes());
    }

    #[test]
    fn every_key_sent_is_heard_once() {
        for key in "0123456789*#ABCD".chars() {
            assert_eq!(heard(&sent(key, 77, 800)), [KeyPress::Down(key), KeyPress::Up(key, 100)]);
        }
    }

    #[test]
    fn the_same_key_twice_is_two_presses() {
        let mut packets = sent('1', 0, 800);
        packets.extend(sent('1', 1600, 800));
        let one = [KeyPress::Down('1'), KeyPress::Up('1', 100)];
        assert_eq!(heard(&packets), [one, one].concat());
    }

    #[test]
    fn whichever_packets_are_lost_one_is_enough() {
        let packets = sent('7', 40, 800);
        for kept in 0..packets.len() {
            let presses = heard(&packets[kept..=kept]);
            assert!(matches!(presses[..], [KeyPress::Down('7'), KeyPress::Up('7', _)]), "only packet {kept}");
        }
    }

    #[test]
    fn packets_in_any_order_are_one_press() {
        let mut packets = sent('7', 40, 800);
        packets.reverse();
        assert_eq!(heard(&packets), [KeyPress::Down('7'), KeyPress::Up('7', 100)]);
        packets.swap(0, 3);
        packets.swap(2, 5);
        assert_eq!(heard(&packets).len(), 2);
    }

    #[test]
    fn a_lost_end_is_made_up_for_by_the_next_key() {
        let mut packets = sent('1', 0, 800);
        packets.truncate(3);
        packets.extend(sent('2', 1600, 800));
        assert_eq!(
            heard(&packets),
            [KeyPress::Down('1'), KeyPress::Up('1', 60), KeyPress::Down('2'), KeyPress::Up('2', 100)]
        );
    }

    #[test]
    fn a_held_key_goes_over_the_segment_limit_and_is_reported_once() {
        let packets = sent('9', u32::MAX - 100, 100_000); // 12.5 s, and the timestamp wraps
        assert!(packets.iter().any(|packet| packet.timestamp != u32::MAX - 100));
        assert_eq!(packets.iter().filter(|packet| packet.marker).count(), 1);
        assert_eq!(heard(&packets), [KeyPress::Down('9'), KeyPress::Up('9', 5000)]);
    }

    #[test]
    fn a_late_packet_of_the_last_key_does_not_press_it_again() {
        let first = sent('1', 0, 800);
        let mut packets = first.clone();
        packets.extend(sent('2', 1600, 800));
        packets.push(first[2]);
        assert_eq!(heard(&packets).len(), 4);
    }

    #[test]
    fn a_stream_that_begins_anew_may_use_old_timestamps() {
        let now = Instant::now();
        let mut receiver = EventReceiver::new();
        for packet in sent('1', 90_000, 800) {
            receiver.receive(packet.marker, packet.timestamp, &packet.payload, now);
        }
        receiver.restart(now);
        let packet = sent('2', 10, 800)[0];
        let presses = receiver.receive(packet.marker, packet.timestamp, &packet.payload, now);
        assert_eq!(presses[1], Some(KeyPress::Down('2')));
    }

    #[test]
    fn what_is_no_key_or_too_short_is_ignored() {
        let now = Instant::now();
        let mut receiver = EventReceiver::new();
        assert_eq!(receiver.receive(true, 0, &[16, 0, 0, 0], now), [None; 3]);
        assert_eq!(receiver.receive(true, 0, &[1, 0, 0], now), [None; 3]);
        assert_eq!(receiver.receive(true, 0, &[], now), [None; 3]);
        assert!(!receiver.is_pressed());
    }
}
