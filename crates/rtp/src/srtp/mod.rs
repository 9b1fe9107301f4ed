//! SRTP and SRTCP (RFC 3711, RFC 7714): packets are protected and opened in place, without allocating.
//!
//! Two halves: [`Outbound`] seals what one source of ours sends, [`Inbound`] opens what a peer sends. Nothing that is not
//! authentic leaves a trace in an [`Inbound`]: a source, its roll-over counter and its replay window begin with the
//! first packet whose tag is right.
//!
//! Keys are derived once (key derivation rate 0); master key identifiers (MKI) are not used.

mod cipher;
mod derive;
mod inbound;
mod outbound;
mod replay;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use inbound::{Inbound, Rejected};
pub use outbound::{Outbound, Refused};

use std::fmt;

/// Most bytes that protecting adds to a packet: a GCM tag, and SRTCP's index.
pub const MAX_TRAILER: usize = 20;
/// Longest master key and salt: 32 bytes and 12.
const MAX_MATERIAL: usize = 44;

/// How packets are encrypted and authenticated. The order is that of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 of 80 bits (RFC 4568 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with 32 bits on RTP; RTCP keeps its 80 (RFC 4568 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-128-GCM, tag of 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM, tag of 128 bits (RFC 7714).
    AeadAes256Gcm,
}

impl Suite {
    /// Bytes of the master key.
    pub fn key_len(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 | Suite::AeadAes128Gcm => 16,
            Suite::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt.
    pub fn salt_len(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => 14,
            // RFC 7714 12.1: 96 bits.
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => 12,
        }
    }
}

/// Master key and master salt of one direction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Keying {
    suite: Suite,
    material: [u8; MAX_MATERIAL],
}

impl Keying {
    /// `material` is the master key and behind it the master salt, as `inline:` has them (RFC 4568 6.1); `None` when its
    /// length is not the suite's.
    pub fn new(suite: Suite, material: &[u8]) -> Option<Keying> {
        let mut own = [0; MAX_MATERIAL];
        let wanted = suite.key_len() + suite.salt_len();
        if material.len() != wanted {
            return None;
        }
        own.get_mut(..wanted)?.copy_from_slice(material);
        Some(Keying { suite, material: own })
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    fn key(&self) -> &[u8] {
        &self.material[..self.suite.key_len()]
    }

    fn salt(&self) -> &[u8] {
        &self.material[self.suite.key_len()..self.suite.key_len() + self.suite.salt_len()]
    }
}

impl fmt::Debug for Keying {
    /// A key never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keying").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Length of an RTP header with its CSRCs and its extension, which are authenticated and not encrypted (RFC 3711 3.1).
fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut length = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (packet.len() >= length).then_some(length)
}

/// Sequence number and source of an RTP packet.
fn rtp_numbers(packet: &[u8]) -> Option<(u16, u32)> {
    let sequence = packet.get(2..4)?.try_into().ok()?;
    let ssrc = packet.get(8..12)?.try_into().ok()?;
    Some((u16::from_be_bytes(sequence), u32::from_be_bytes(ssrc)))
}

/// Bytes of an RTCP packet that stay in the clear: its first header and the sender's SSRC (RFC 3711 3.4).
const RTCP_CLEAR: usize = 8;

fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    Some(u32::from_be_bytes(packet.get(4..8)?.try_into().ok()?))
}
