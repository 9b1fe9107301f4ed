//! SRTP on a session: what comes in is opened, what goes out is sealed, and a key may change in mid-call. No sockets, no
//! clock.

use rtp::srtp::{Inbound, Keying, MAX_TRAILER, Outbound, Rejected};
use std::time::{Duration, Instant};

/// Packets under the peer's last key are taken for so long after it was changed: they are on their way while both sides
/// change over.
const CHANGE_OVER: Duration = Duration::from_secs(5);
/// Former keys that are remembered, either way: an offer has a key for each of four suites.
const FORMER: usize = 8;
/// Longest packet that is tried with both keys.
const LONGEST: usize = 1600;
/// Longest packet of ours, sealed.
pub const LONGEST_SENT: usize = 512 + MAX_TRAILER;

/// The keys of SRTP, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Srtp {
    /// What we encrypt with.
    pub send: Keying,
    /// What the peer encrypts with.
    pub receive: Keying,
}

/// Packets that came from where the peer is and were not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Not authentic: changed on their way, of another key, in the clear, or no SRTP at all.
    pub forged: u64,
    /// Seen before, or too old to tell.
    pub replayed: u64,
}

pub struct Secure {
    keys: Srtp,
    outbound: Outbound,
    inbound: Inbound,
    /// Keys that were in use before, the last one first. One that comes back counts on where it was: begun anew, it would encrypt
    /// other packets alike, and open packets that were recorded then.
    sealed_before: Former<Outbound>,
    opened_before: Former<Inbound>,
    /// Until when packets under the peer's last key are taken.
    change_over: Option<Instant>,
    dropped: Dropped,
    told: Dropped,
}

/// What was done under keys of before.
struct Former<T>(Vec<(Keying, T)>);

impl<T> Former<T> {
    fn take(&mut self, key: &Keying) -> Option<T> {
        let at = self.0.iter().position(|(former, _)| former == key)?;
        Some(self.0.remove(at).1)
    }

    fn keep(&mut self, key: Keying, state: T) {
        self.0.truncate(FORMER - 1);
        self.0.insert(0, (key, state));
    }
}

impl Secure {
    /// `None` never happens: a [`Keying`] has the right length.
    pub fn new(keys: Srtp) -> Option<Secure> {
        Some(Secure {
            keys,
            outbound: Outbound::new(&keys.send)?,
            inbound: Inbound::new(&keys.receive)?,
            sealed_before: Former(Vec::new()),
            opened_before: Former(Vec::new()),
            change_over: None,
            dropped: Dropped::default(),
            told: Dropped::default(),
        })
    }

    /// Negotiated anew. A key that stays counts on: its roll-over counter and its replay window are those of before.
    pub fn rekey(&mut self, keys: Srtp, now: Instant) {
        if keys.send != self.keys.send
            && let Some(outbound) = self.sealed_before.take(&keys.send).or_else(|| Outbound::new(&keys.send))
        {
            let former = std::mem::replace(&mut self.outbound, outbound);
            self.sealed_before.keep(self.keys.send, former);
        }
        let known = |before: &mut Former<Inbound>| before.take(&keys.receive);
        if keys.receive != self.keys.receive
            && let Some(inbound) =
                known(&mut self.opened_before).or_else(|| Inbound::rekeyed(&keys.receive, &self.inbound))
        {
            let former = std::mem::replace(&mut self.inbound, inbound);
            self.opened_before.keep(self.keys.receive, former);
            self.change_over = now.checked_add(CHANGE_OVER);
        }
        self.keys = keys;
    }

    /// Opens an RTP packet in place; gives its length, or counts it as dropped.
    pub fn open_rtp(&mut self, packet: &mut [u8], now: Instant) -> Option<usize> {
        self.open(packet, now, Inbound::open_rtp)
    }

    /// The same for RTCP.
    pub fn open_rtcp(&mut self, packet: &mut [u8], now: Instant) -> Option<usize> {
        self.open(packet, now, Inbound::open_rtcp)
    }

    fn open(
        &mut self,
        packet: &mut [u8],
        now: Instant,
        by: fn(&mut Inbound, &mut [u8]) -> Result<usize, Rejected>,
    ) -> Option<usize> {
        // Nobody means it to be SRTP.
        if rtp::is_stun(packet) {
            return None;
        }
        self.change_over.take_if(|until| now >= *until);
        let previous = self.opened_before.0.first_mut().filter(|_| self.change_over.is_some());
        let result = match previous {
            None => by(&mut self.inbound, packet),
            Some((_, previous)) => {
                // A packet that does not open may be changed by the attempt.
                let mut copy = [0; LONGEST];
                let copy = copy.get_mut(..packet.len())?;
                copy.copy_from_slice(packet);
                by(&mut self.inbound, packet).or_else(|error| {
                    packet.copy_from_slice(copy);
                    if error == Rejected::Forged { by(previous, packet) } else { Err(error) }
                })
            }
        };
        match result {
            Ok(length) => return Some(length),
            Err(Rejected::Replayed) => self.dropped.replayed += 1,
            Err(Rejected::Forged | Rejected::Malformed) => self.dropped.forged += 1,
        }
        None
    }

    /// Seals the RTP packet in the first `length` bytes of `buffer`; gives its new length. `None`: it must not be sent.
    pub fn seal_rtp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.outbound.protect_rtp(buffer, length).ok()
    }

    /// The same for RTCP.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.outbound.protect_rtcp(buffer, length).ok()
    }

    /// What was dropped since the session began, if it is more than when this was asked last.
    pub fn news(&mut self) -> Option<Dropped> {
        let news = (self.dropped != self.told).then_some(self.dropped);
        self.told = self.dropped;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::Header;
    use rtp::srtp::Suite;

    const SUITES: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm];

    fn key(suite: Suite, fill: u8) -> Keying {
        Keying::new(suite, &vec![fill; suite.key_len() + suite.salt_len()]).unwrap()
    }

    fn keys(suite: Suite, send: u8, receive: u8) -> Srtp {
        Srtp { send: key(suite, send), receive: key(suite, receive) }
    }

    /// A packet of `from`, as it is on the wire.
    fn packet(from: &mut Secure, sequence: u16) -> Vec<u8> {
        let header = Header { marker: false, payload_type: 8, sequence, timestamp: 0, ssrc: 9 };
        let mut buffer = [&header.write()[..], &[7; 160], &[0; MAX_TRAILER]].concat();
        let length = from.seal_rtp(&mut buffer, 172).unwrap();
        buffer.truncate(length);
        buffer
    }

    fn hears(by: &mut Secure, packet: &[u8], now: Instant) -> bool {
        let mut packet = packet.to_vec();
        by.open_rtp(&mut packet, now).is_some_and(|length| packet[12..length] == [7; 160])
    }

    #[test]
    fn a_key_change_loses_no_packet_that_is_on_its_way() {
        for suite in SUITES {
            let now = Instant::now();
            let mut us = Secure::new(keys(suite, 1, 2)).unwrap();
            let mut peer = Secure::new(keys(suite, 2, 1)).unwrap();
            assert!(hears(&mut us, &packet(&mut peer, 1), now));
            let on_its_way = [packet(&mut peer, 2), packet(&mut peer, 3)];
            peer.rekey(keys(suite, 12, 11), now);
            us.rekey(keys(suite, 11, 12), now);
            assert!(hears(&mut us, &on_its_way[0], now));
            assert!(hears(&mut us, &packet(&mut peer, 4), now));
            assert!(hears(&mut us, &on_its_way[1], now), "overtaken by the new key's first");
            assert!(!hears(&mut us, &on_its_way[1], now), "once");
            assert!(hears(&mut peer, &packet(&mut us, 1), now));
            assert_eq!(us.news(), Some(Dropped { forged: 0, replayed: 1 }));
            assert_eq!(us.news(), None);
        }
    }

    #[test]
    fn the_last_key_is_forgotten_when_the_change_is_over() {
        let (suite, now) = (SUITES[0], Instant::now());
        let mut us = Secure::new(keys(suite, 1, 2)).unwrap();
        let mut peer = Secure::new(keys(suite, 2, 1)).unwrap();
        us.rekey(keys(suite, 1, 12), now);
        let late = packet(&mut peer, 1);
        assert!(!hears(&mut us, &late, now + CHANGE_OVER));
        assert_eq!(us.news(), Some(Dropped { forged: 1, replayed: 0 }));
    }

    #[test]
    fn what_a_phone_sends_to_keep_its_nat_open_is_no_forgery() {
        let mut us = Secure::new(keys(SUITES[0], 1, 2)).unwrap();
        let mut binding = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
        assert_eq!(us.open_rtp(&mut binding, Instant::now()), None);
        assert_eq!(us.news(), None);
        // With another first byte it wants to be something else.
        binding[0] = 0x80;
        assert_eq!(us.open_rtp(&mut binding, Instant::now()), None);
        assert_eq!(us.news(), Some(Dropped { forged: 1, replayed: 0 }));
    }

    #[test]
    fn a_key_that_comes_back_counts_on_where_it_was() {
        for suite in SUITES {
            let mut now = Instant::now();
            let mut us = Secure::new(keys(suite, 1, 2)).unwrap();
            let mut peer = Secure::new(keys(suite, 2, 1)).unwrap();
            let recorded = packet(&mut peer, 1);
            assert!(hears(&mut us, &recorded, now));
            let first_of_ours = packet(&mut us, 1);
            // Hold with new keys, resume with the old ones, however long after.
            for (send, receive) in [(11, 12), (1, 2)] {
                us.rekey(keys(suite, send, receive), now);
                peer.rekey(keys(suite, receive, send), now);
                now += CHANGE_OVER * 2;
            }
            assert!(!hears(&mut us, &recorded, now), "what was recorded before the hold");
            assert!(hears(&mut us, &packet(&mut peer, 2), now));
            let mut buffer = [
                &Header { marker: false, payload_type: 8, sequence: 1, timestamp: 0, ssrc: 9 }.write()[..],
                &[7; 160],
                &[0; MAX_TRAILER],
            ]
            .concat();
            assert_eq!(us.seal_rtp(&mut buffer, 172), None, "the same keystream is not used again");
            assert!(hears(&mut peer, &first_of_ours, now) && hears(&mut peer, &packet(&mut us, 2), now));
        }
    }

    #[test]
    fn a_renegotiation_with_the_same_keys_counts_on() {
        for suite in SUITES {
            let now = Instant::now();
            let mut us = Secure::new(keys(suite, 1, 2)).unwrap();
            let mut peer = Secure::new(keys(suite, 2, 1)).unwrap();
            // Over a wrap of the sequence number: hold and resume must not set the roll-over counter back.
            for sequence in [10_000u16, 40_000, 65_000, 30] {
                assert!(hears(&mut us, &packet(&mut peer, sequence), now));
            }
            let replayed = packet(&mut peer, 31);
            assert!(hears(&mut us, &replayed, now));
            us.rekey(keys(suite, 1, 2), now);
            assert!(!hears(&mut us, &replayed, now), "hold and resume open no door for replays");
            assert!(hears(&mut us, &packet(&mut peer, 32), now));
        }
    }
}
