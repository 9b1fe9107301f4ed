//! What a source of ours sends.

use super::cipher::{Cipher, Place};
use super::{Keying, RTCP_CLEAR, rtcp_ssrc, rtp_header_len, rtp_numbers};

/// Why a packet was not protected: it must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No RTP or RTCP, or no room for the tag behind it ([`MAX_TRAILER`](super::MAX_TRAILER)).
    #[error("not a packet that can be protected")]
    Malformed,
    /// One key serves one source: another would count from the same beginning, and its packets would be encrypted alike.
    #[error("another source under the same key")]
    OtherSource,
    /// 2^48 RTP packets or 2^31 RTCP packets under one key (RFC 3711 9.2): negotiate a new one.
    #[error("the key is used up")]
    UsedUp,
}

/// Protects what one source sends under one master key.
pub struct Outbound {
    rtp: Cipher,
    rtcp: Cipher,
    ssrc: Option<u32>,
    /// Of the last RTP packet.
    pub(super) index: Option<u64>,
    /// Of the next RTCP packet.
    pub(super) rtcp_index: u32,
}

impl Outbound {
    /// `None` never happens for a [`Keying`] that was made: lengths are checked there.
    pub fn new(keying: &Keying) -> Option<Outbound> {
        Some(Outbound {
            rtp: Cipher::rtp(keying)?,
            rtcp: Cipher::rtcp(keying)?,
            ssrc: None,
            index: None,
            rtcp_index: 0,
        })
    }

    /// Protects the RTP packet in the first `length` bytes, in place; gives its new length. Sequence numbers must count
    /// up from packet to packet.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        let packet = buffer.get(..length).ok_or(Refused::Malformed)?;
        let header = rtp_header_len(packet).ok_or(Refused::Malformed)?;
        let (sequence, ssrc) = rtp_numbers(packet).ok_or(Refused::Malformed)?;
        self.check_source(ssrc)?;
        // RFC 3711 3.3.1: the sender's roll-over counter begins at 0 and goes up when the sequence number wraps.
        let index = match self.index {
            None => u64::from(sequence),
            Some(last) => {
                let ahead = sequence.wrapping_sub(last as u16);
                // The same number again would be the same keystream for another text.
                let ahead = if ahead == 0 { return Err(Refused::Malformed) } else { ahead };
                last.checked_add(ahead.into()).filter(|index| *index < 1 << 48).ok_or(Refused::UsedUp)?
            }
        };
        let place = Place { ssrc, index };
        let length = self.rtp.seal_rtp(buffer, header, length, place).ok_or(Refused::Malformed)?;
        (self.index, self.ssrc) = (Some(index), Some(ssrc));
        Ok(length)
    }

    /// Protects the RTCP compound in the first `length` bytes, in place; gives its new length.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Refused> {
        let packet = buffer.get(..length).filter(|packet| packet.len() >= RTCP_CLEAR).ok_or(Refused::Malformed)?;
        let ssrc = rtcp_ssrc(packet).ok_or(Refused::Malformed)?;
        self.check_source(ssrc)?;
        if self.rtcp_index >= 1 << 31 {
            return Err(Refused::UsedUp);
        }
        let place = Place { ssrc, index: self.rtcp_index.into() };
        let length = self.rtcp.seal_rtcp(buffer, RTCP_CLEAR, length, place).ok_or(Refused::Malformed)?;
        self.rtcp_index += 1;
        self.ssrc = Some(ssrc);
        Ok(length)
    }

    fn check_source(&self, ssrc: u32) -> Result<(), Refused> {
        if self.ssrc.is_some_and(|own| own != ssrc) { Err(Refused::OtherSource) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Outbound {
    /// A key never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("index", &self.index).finish_non_exhaustive()
    }
}
