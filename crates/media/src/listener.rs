//! What a session hears: whom it believes, which packets count, which keys are pressed. No sockets, no clock.

use crate::{Source, Stream};
use rtp::{Accepted, Codec, EventReceiver, Header, KeyPress, Packet, ReceiverStatistics, SequenceTracker};
use rtp::{SsrcFilter, SsrcVerdict};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What a datagram turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Not for us, not RTP, a duplicate, a stray.
    Nothing,
    Audio {
        codec: Codec,
        header: Header,
        payload: Range<usize>,
        /// Timestamps do not follow on those before: another source, or a new beginning.
        restarted: bool,
    },
    /// A telephone event; `presses` in the order in which they happened.
    Event { header: Header, payload: Range<usize>, restarted: bool, presses: [Option<KeyPress>; 4] },
}

/// Whose packets are taken.
#[derive(Clone, Debug)]
struct Latch {
    named: SocketAddr,
    source: Source,
    locked: Option<SocketAddr>,
}

impl Latch {
    /// Whether to take a packet, and whether the source was locked by it.
    fn check(&mut self, from: SocketAddr) -> (bool, bool) {
        if self.locked == Some(from) {
            return (true, false);
        }
        let take = match (self.source, self.locked) {
            // The port that was named is preferred over another of that host, whenever it speaks up.
            (Source::Named, _) if from == self.named => true,
            (Source::Named, None) => from.ip() == self.named.ip(),
            (Source::FirstSeen, None) => true,
            _ => false,
        };
        if take {
            self.locked = Some(from);
        }
        (take, take)
    }
}

#[derive(Debug)]
pub struct Listener {
    latch: Option<Latch>,
    codec: Codec,
    payload_type: u8,
    event_type: Option<u8>,
    ssrc: SsrcFilter,
    sequence: SequenceTracker,
    statistics: Option<ReceiverStatistics>,
    /// Packets received and lost of `statistics` that are in `counts` already.
    counted: (u64, u64),
    /// Packets received and lost since they were last asked for.
    counts: (u64, u64),
    keys: EventReceiver,
    expects: bool,
    heard_at: Instant,
    said_lost: bool,
    newly_latched: bool,
}

impl Listener {
    pub fn new(now: Instant) -> Listener {
        Listener {
            latch: None,
            codec: Codec::Pcma,
            payload_type: Codec::Pcma.payload_type(),
            event_type: None,
            ssrc: SsrcFilter::default(),
            sequence: SequenceTracker::new(),
            statistics: None,
            counted: (0, 0),
            counts: (0, 0),
            keys: EventReceiver::new(),
            expects: false,
            heard_at: now,
            said_lost: false,
            newly_latched: false,
        }
    }

    pub fn connect(&mut self, stream: &Stream, now: Instant) {
        let same = self.latch.as_ref().is_some_and(|l| (l.named, l.source) == (stream.remote, stream.source));
        if !same {
            self.latch = Some(Latch { named: stream.remote, source: stream.source, locked: None });
            // Another peer: its source and numbers have nothing to do with those before.
            self.ssrc = SsrcFilter::default();
        }
        self.codec = stream.codec;
        self.payload_type = stream.payload_type;
        self.event_type = stream.dtmf_receive;
        let expects = stream.direction.receives();
        if expects && !self.expects {
            self.heard_at = now;
            self.said_lost = false;
        }
        self.expects = expects;
    }

    /// Whether a datagram from there could be the peer's: asked before work is spent on it.
    pub fn admits(&self, from: SocketAddr) -> bool {
        self.expects && self.latch.as_ref().is_some_and(|latch| latch.clone().check(from).0)
    }

    /// Whether RTCP from there could be the peer's.
    pub fn admits_rtcp(&self, from: SocketAddr) -> bool {
        let host = self.locked().or(self.latch.as_ref().map(|latch| latch.named));
        host.is_some_and(|host| host.ip() == from.ip())
    }

    /// One datagram of the RTP port. `arrival` is false where packets are read in batches, long after they came.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Instant, measured: bool) -> Heard {
        let Some(latch) = &mut self.latch else { return Heard::Nothing };
        let Ok(Packet { header, payload }) = Packet::parse(datagram) else { return Heard::Nothing };
        let (take, latched) = latch.check(from);
        if !take || !self.expects {
            return Heard::Nothing;
        }
        self.newly_latched |= latched;
        let mut restarted = match self.ssrc.check(header.ssrc, now) {
            SsrcVerdict::Same => false,
            SsrcVerdict::Ignore => return Heard::Nothing,
            SsrcVerdict::Changed => {
                self.sequence = SequenceTracker::new();
                self.forget_statistics();
                true
            }
        };
        self.heard_at = now;
        self.said_lost = false;
        let sequence = match self.sequence.accept(header.sequence) {
            Accepted::New(sequence) => sequence,
            Accepted::Restarted(sequence) => {
                self.forget_statistics();
                restarted = true;
                sequence
            }
            Accepted::Duplicate | Accepted::Doubtful => return Heard::Nothing,
        };
        let statistics = self.statistics.get_or_insert_with(|| ReceiverStatistics::new(header.ssrc));
        statistics.packet(sequence, header.timestamp, measured.then_some(now));
        let ended = if restarted { self.keys.restart(now) } else { None };
        let bytes = datagram.get(payload.clone()).unwrap_or_default();
        if Some(header.payload_type) == self.event_type {
            let [a, b, c] = self.keys.receive(header.marker, header.timestamp, bytes, now);
            return Heard::Event { header, payload, restarted, presses: [ended, a, b, c] };
        }
        let codec = match header.payload_type {
            negotiated if negotiated == self.payload_type => self.codec,
            // RFC 3551 6: these two never mean anything else, and some peers change over without asking.
            0 => Codec::Pcmu,
            8 => Codec::Pcma,
            _ => return Heard::Nothing,
        };
        if bytes.is_empty() {
            return Heard::Nothing;
        }
        Heard::Audio { codec, header, payload, restarted }
    }

    /// Where the peer is, if its packets told.
    pub fn locked(&self) -> Option<SocketAddr> {
        self.latch.as_ref().and_then(|latch| latch.locked)
    }

    /// Given once after the source was locked.
    pub fn take_latched(&mut self) -> Option<SocketAddr> {
        if std::mem::take(&mut self.newly_latched) { self.locked() } else { None }
    }

    /// RTCP shows that the peer lives (only from its host).
    pub fn rtcp(&mut self, from: SocketAddr, sender_report: Option<(u32, u32)>, now: Instant) {
        if !self.admits_rtcp(from) {
            return;
        }
        self.heard_at = now;
        self.said_lost = false;
        if let (Some((ssrc, ntp)), Some(statistics)) = (sender_report, &mut self.statistics)
            && self.ssrc.current() == Some(ssrc)
        {
            statistics.sender_report(ntp, now);
        }
    }

    /// Packets received and lost since the last call: not looked at for each packet, but now and then.
    pub fn take_counts(&mut self) -> (u64, u64) {
        self.count();
        std::mem::take(&mut self.counts)
    }

    fn count(&mut self) {
        let Some(statistics) = &self.statistics else { return };
        let (received, lost) = (statistics.received(), statistics.lost());
        self.counts.0 = self.counts.0.saturating_add(received.saturating_sub(self.counted.0));
        // A packet that comes late after all stays counted: what is told of only grows.
        self.counts.1 = self.counts.1.saturating_add(lost.saturating_sub(self.counted.1));
        self.counted = (received, lost.max(self.counted.1));
    }

    fn forget_statistics(&mut self) {
        self.count();
        self.counted = (0, 0);
        self.statistics = None;
    }

    pub fn statistics(&mut self) -> Option<&mut ReceiverStatistics> {
        self.statistics.as_mut()
    }

    /// A key whose end was lost.
    pub fn check_key(&mut self, now: Instant) -> Option<KeyPress> {
        if self.keys.is_pressed() { self.keys.check(now) } else { None }
    }

    /// True once after nothing was heard for so long.
    pub fn is_lost(&mut self, now: Instant, timeout: Duration) -> bool {
        let lost = self.expects && !self.said_lost && now.saturating_duration_since(self.heard_at) >= timeout;
        self.said_lost |= lost;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    const NAMED: &str = "192.0.2.1:4000";
    const OTHER_PORT: &str = "192.0.2.1:5000";
    const STRANGER: &str = "203.0.113.9:4000";

    struct Fixture {
        listener: Listener,
        now: Instant,
        sequence: u16,
    }

    impl Fixture {
        fn new(change: impl FnOnce(&mut Stream)) -> Fixture {
            let now = Instant::now();
            let mut listener = Listener::new(now);
            let mut stream = Stream::new(NAMED.parse().unwrap(), Codec::Pcma);
            stream.dtmf_receive = Some(101);
            change(&mut stream);
            listener.connect(&stream, now);
            Fixture { listener, now, sequence: 0 }
        }

        fn packet(&mut self, from: &str, payload_type: u8, ssrc: u32) -> Heard {
            self.sequence = self.sequence.wrapping_add(1);
            let sequence = self.sequence;
            let header = Header { marker: false, payload_type, sequence, timestamp: 0, ssrc };
            let datagram = [&header.write()[..], &[1, 0x80, 3, 32]].concat();
            self.listener.receive(from.parse().unwrap(), &datagram, self.now, true)
        }

        fn hears(&mut self, from: &str) -> bool {
            self.packet(from, 8, 1) != Heard::Nothing
        }
    }

    #[test]
    fn only_the_named_host_is_heard_and_its_named_port_is_preferred() {
        let mut f = Fixture::new(|_| {});
        assert!(!f.hears(STRANGER));
        assert!(f.hears(OTHER_PORT));
        assert_eq!(f.listener.take_latched(), Some(OTHER_PORT.parse().unwrap()));
        assert!(f.hears(NAMED));
        assert!(!f.hears(OTHER_PORT));
        assert_eq!(f.listener.take_latched(), Some(NAMED.parse().unwrap()));
        assert_eq!(f.listener.take_latched(), None);
    }

    #[test]
    fn behind_nat_the_first_source_is_locked() {
        let mut f = Fixture::new(|stream| stream.source = Source::FirstSeen);
        assert!(f.hears(STRANGER));
        assert!(!f.hears(NAMED));
        assert_eq!(f.listener.locked(), Some(STRANGER.parse().unwrap()));
    }

    #[test]
    fn the_lock_holds_over_a_renegotiation_to_the_same_address_and_opens_for_another() {
        let mut f = Fixture::new(|stream| stream.source = Source::FirstSeen);
        assert!(f.hears(STRANGER));
        let mut stream = Stream::new(NAMED.parse().unwrap(), Codec::Pcmu);
        stream.source = Source::FirstSeen;
        f.listener.connect(&stream, f.now);
        assert!(!f.hears(NAMED));
        stream.remote = OTHER_PORT.parse().unwrap();
        f.listener.connect(&stream, f.now);
        assert!(f.hears(OTHER_PORT));
    }

    #[test]
    fn a_stray_source_is_dropped_and_a_changed_one_followed_and_said_to_be_new() {
        let mut f = Fixture::new(|_| {});
        assert!(matches!(f.packet(NAMED, 8, 1), Heard::Audio { restarted: true, .. }));
        assert!(matches!(f.packet(NAMED, 8, 1), Heard::Audio { restarted: false, .. }));
        assert_eq!(f.packet(NAMED, 8, 2), Heard::Nothing);
        assert_eq!(f.packet(NAMED, 8, 2), Heard::Nothing, "the right one was heard a moment ago");
        f.now += Duration::from_millis(100);
        assert!(matches!(f.packet(NAMED, 8, 2), Heard::Audio { restarted: true, .. }));
    }

    #[test]
    fn a_duplicate_is_dropped() {
        let mut f = Fixture::new(|_| {});
        assert!(f.hears(NAMED));
        f.sequence -= 1;
        assert!(!f.hears(NAMED));
    }

    #[test]
    fn codecs_are_known_by_payload_type_and_events_apart_from_them() {
        let mut f = Fixture::new(|stream| stream.payload_type = 97);
        assert!(matches!(f.packet(NAMED, 97, 1), Heard::Audio { codec: Codec::Pcma, .. }));
        assert!(matches!(f.packet(NAMED, 0, 1), Heard::Audio { codec: Codec::Pcmu, .. }));
        assert_eq!(f.packet(NAMED, 13, 1), Heard::Nothing);
        let Heard::Event { presses, .. } = f.packet(NAMED, 101, 1) else { panic!() };
        assert_eq!(presses[2..], [Some(KeyPress::Down('1')), Some(KeyPress::Up('1', 100))]);
    }

    #[test]
    fn a_silent_peer_is_lost_once_and_a_held_one_never() {
        let mut f = Fixture::new(|_| {});
        let timeout = Duration::from_secs(20);
        assert!(!f.listener.is_lost(f.now + Duration::from_secs(19), timeout));
        assert!(f.listener.is_lost(f.now + timeout, timeout));
        assert!(!f.listener.is_lost(f.now + timeout * 2, timeout));
        f.now += timeout * 2;
        assert!(f.hears(NAMED));
        f.listener.rtcp(STRANGER.parse().unwrap(), None, f.now + timeout);
        assert!(f.listener.is_lost(f.now + timeout, timeout));
        f.listener.rtcp(OTHER_PORT.parse().unwrap(), None, f.now + timeout);
        assert!(!f.listener.is_lost(f.now + timeout, timeout));
        let mut f = Fixture::new(|stream| stream.direction = Direction::SendOnly);
        assert!(!f.listener.is_lost(f.now + timeout, timeout));
    }

    #[test]
    fn datagrams_of_any_content_are_survived() {
        let mut f = Fixture::new(|_| {});
        let mut state = 1u32;
        for n in 0..50_000usize {
            let mut datagram: Vec<u8> = (0..n % 60)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            // Half of them look like ours at the beginning.
            if n % 2 == 0 && datagram.len() > 12 {
                datagram[0] = 0x80 | (datagram[0] & 0x3f);
                datagram[1] = [8, 101, 0x88, 0xe5][n / 2 % 4];
                datagram[8..12].copy_from_slice(&[0, 0, 0, 1]);
            }
            let heard = f.listener.receive(NAMED.parse().unwrap(), &datagram, f.now, n % 3 == 0);
            if let Heard::Audio { payload, .. } | Heard::Event { payload, .. } = heard {
                assert!(payload.start >= rtp::HEADER_LEN && payload.end <= datagram.len());
            }
        }
    }

    #[test]
    fn nothing_is_heard_before_the_stream_is_negotiated() {
        let mut f = Fixture::new(|_| {});
        f.listener = Listener::new(f.now);
        assert!(!f.hears(NAMED));
    }
}
