//! What a peer sends: authentic, once, and in the clear behind this.

use super::cipher::{Cipher, Place};
use super::replay::{ReplayWindow, guess_index};
use super::{Keying, RTCP_CLEAR, rtcp_ssrc, rtp_header_len, rtp_numbers};

/// Sources that are followed at once. All of them are the peer's own: only who has the key makes one. A peer that has
/// used more loses the one it has not used for longest.
pub(super) const MOST_SOURCES: usize = 16;
/// Longest packet that is tried twice (see [`Inbound::rekeyed`]).
const LONGEST: usize = 1600;

/// Why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No RTP or RTCP, or too short for its tag.
    #[error("not an SRTP packet")]
    Malformed,
    /// The tag is wrong: not the peer's, changed on its way, or of another key.
    #[error("not authentic")]
    Forged,
    /// Was there before, or is too old to tell.
    #[error("seen before")]
    Replayed,
}

#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    rtp: Option<ReplayWindow>,
    rtcp: Option<ReplayWindow>,
}

/// Opens what comes in under one master key.
pub struct Inbound {
    rtp: Cipher,
    rtcp: Cipher,
    /// The one heard last comes first.
    sources: Vec<Source>,
    /// Where the peer's sources were under the key before this one.
    before: Vec<(u32, u64)>,
}

impl Inbound {
    /// `None` never happens for a [`Keying`] that was made: lengths are checked there.
    pub fn new(keying: &Keying) -> Option<Inbound> {
        let (rtp, rtcp) = (Cipher::rtp(keying)?, Cipher::rtcp(keying)?);
        Some(Inbound { rtp, rtcp, sources: Vec::with_capacity(1), before: Vec::new() })
    }

    /// A new key in mid-stream. RFC 3711 3.3.1 lets a source count on over a change of its key; most implementations
    /// begin anew. Both are understood: a source's first packet is tried with the roll-over counter at 0, then with the
    /// one it had reached before.
    pub fn rekeyed(keying: &Keying, previous: &Inbound) -> Option<Inbound> {
        let mut new = Inbound::new(keying)?;
        let reached = |source: &Source| Some((source.ssrc, source.rtp.as_ref()?.highest()));
        new.before = previous.sources.iter().filter_map(reached).filter(|(_, index)| *index >> 16 != 0).collect();
        Some(new)
    }

    /// Opens an SRTP packet in place; gives the length of the RTP packet that it was.
    ///
    /// # Errors
    /// [`Rejected`]: drop it. Its bytes may have changed.
    pub fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let header = rtp_header_len(packet).ok_or(Rejected::Malformed)?;
        let (sequence, ssrc) = rtp_numbers(packet).ok_or(Rejected::Malformed)?;
        if packet.len() < header + self.rtp.tag_len() {
            return Err(Rejected::Malformed);
        }
        let window = self.find(ssrc).and_then(|source| source.rtp.as_ref());
        if let Some(window) = window {
            let index = guess_index(window.highest(), sequence).ok_or(Rejected::Replayed)?;
            // RFC 3711 3.3 step 5: before the tag is looked at, since it costs less.
            if window.has(index) {
                return Err(Rejected::Replayed);
            }
            let length = self.rtp.open_rtp(packet, header, Place { ssrc, index }).ok_or(Rejected::Forged)?;
            if let Some(window) = self.source(ssrc).rtp.as_mut() {
                window.note(index);
            }
            return Ok(length);
        }
        let reached = self.before.iter().find(|(of, _)| *of == ssrc).map(|(_, index)| *index);
        let (length, index) = self.first(packet, header, (sequence, ssrc), reached).ok_or(Rejected::Forged)?;
        self.source(ssrc).rtp = Some(ReplayWindow::new(index));
        Ok(length)
    }

    /// The first packet of a source. It makes no state: that begins when it turned out authentic.
    fn first(
        &self,
        packet: &mut [u8],
        header: usize,
        (sequence, ssrc): (u16, u32),
        reached: Option<u64>,
    ) -> Option<(usize, u64)> {
        let index = u64::from(sequence);
        let Some(other) = reached.and_then(|reached| guess_index(reached, sequence)) else {
            return self.rtp.open_rtp(packet, header, Place { ssrc, index }).map(|length| (length, index));
        };
        let mut copy = [0; LONGEST];
        let spare = if self.rtp.keeps_what_is_wrong() { None } else { copy.get_mut(..packet.len()) };
        let spare = spare.map(|spare| {
            spare.copy_from_slice(packet);
            &*spare
        });
        if let Some(length) = self.rtp.open_rtp(packet, header, Place { ssrc, index }) {
            return Some((length, index));
        }
        if let Some(spare) = spare {
            packet.copy_from_slice(spare);
        }
        self.rtp.open_rtp(packet, header, Place { ssrc, index: other }).map(|length| (length, other))
    }

    /// Opens an SRTCP packet in place; gives the length of the RTCP compound that it was.
    ///
    /// # Errors
    /// [`Rejected`]: drop it. Its bytes may have changed.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let ssrc = rtcp_ssrc(packet).ok_or(Rejected::Malformed)?;
        let at = self.rtcp.rtcp_index_at(packet.len()).ok_or(Rejected::Malformed)?;
        let word = packet.get(at).and_then(|word| word.try_into().ok()).ok_or(Rejected::Malformed)?;
        let word = u32::from_be_bytes(word);
        let (encrypted, index) = (word & 0x8000_0000 != 0, u64::from(word & 0x7fff_ffff));
        let window = self.find(ssrc).and_then(|source| source.rtcp.as_ref());
        if window.is_some_and(|window| window.has(index)) {
            return Err(Rejected::Replayed);
        }
        let opened = self.rtcp.open_rtcp(packet, RTCP_CLEAR, Place { ssrc, index }, encrypted);
        let length = opened.ok_or(Rejected::Forged)?;
        match &mut self.source(ssrc).rtcp {
            Some(window) => window.note(index),
            none => *none = Some(ReplayWindow::new(index)),
        }
        Ok(length)
    }

    fn find(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.ssrc == ssrc)
    }

    /// The source of an authentic packet, put first.
    fn source(&mut self, ssrc: u32) -> &mut Source {
        match self.sources.iter().position(|source| source.ssrc == ssrc) {
            Some(at) => self.sources[..=at].rotate_right(1),
            None => {
                self.sources.truncate(MOST_SOURCES - 1);
                self.sources.insert(0, Source { ssrc, rtp: None, rtcp: None });
            }
        }
        // It was just found, or put there.
        &mut self.sources[0]
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.sources.len()
    }
}

impl std::fmt::Debug for Inbound {
    /// A key never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("sources", &self.sources).finish_non_exhaustive()
    }
}
