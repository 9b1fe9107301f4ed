//! One RTP packet: read without copying, written into a buffer (RFC 3550 5.1).

use rtp_types::RtpPacket;
use std::ops::Range;

/// Length of a header without CSRCs and extension, the only kind that we write.
pub const HEADER_LEN: usize = 12;

/// What of the header matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Why bytes are no RTP packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Too short for what its header says, another version, or impossible padding: drop it.
    #[error("not RTP: {0}")]
    Malformed(String),
}

impl Header {
    pub fn write(&self) -> [u8; HEADER_LEN] {
        let [s1, s0] = self.sequence.to_be_bytes();
        let [t3, t2, t1, t0] = self.timestamp.to_be_bytes();
        let [i3, i2, i1, i0] = self.ssrc.to_be_bytes();
        let marker = if self.marker { 0x80 } else { 0 };
        [0x80, marker | (self.payload_type & 0x7f), s1, s0, t3, t2, t1, t0, i3, i2, i1, i0]
    }
}

/// A packet as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub header: Header,
    /// Where in the datagram the payload is: never before [`HEADER_LEN`], and padding left out.
    pub payload: Range<usize>,
}

impl Packet {
    pub fn parse(datagram: &[u8]) -> Result<Packet, PacketError> {
        // The header says how long the packet is at least; the crate checks each of its lengths against the datagram.
        let packet = RtpPacket::parse(datagram).map_err(|error| PacketError::Malformed(error.to_string()))?;
        let start = packet.payload_offset();
        Ok(Packet {
            header: Header {
                marker: packet.marker_bit(),
                payload_type: packet.payload_type(),
                sequence: packet.sequence_number(),
                timestamp: packet.timestamp(),
                ssrc: packet.ssrc(),
            },
            payload: start..start + packet.payload_len(),
        })
    }
}

/// Whether a datagram is STUN, which some phones send from their RTP port to keep a NAT open: it is told from RTP and RTCP by
/// its first byte (RFC 7983 7) and its magic cookie (RFC 8489 5).
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { marker: true, payload_type: 101, sequence: 0xfffe, timestamp: 0x8000_0001, ssrc: 0xdead_beef };

    #[test]
    fn what_is_written_is_read_back() {
        let mut datagram = HEADER.write().to_vec();
        datagram.extend([1, 2, 3]);
        assert_eq!(Packet::parse(&datagram).unwrap(), Packet { header: HEADER, payload: 12..15 });
    }

    #[test]
    fn csrcs_extension_and_padding_are_no_payload() {
        let mut datagram = HEADER.write().to_vec();
        datagram[0] = 0x80 | 0x20 | 0x10 | 2;
        datagram.extend([0; 8]); // two CSRCs
        datagram.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]); // an extension of one word
        datagram.extend([7, 7, 0, 0, 3]); // two bytes of payload, three of padding
        assert_eq!(Packet::parse(&datagram).unwrap().payload, 28..30);
    }

    #[test]
    fn hostile_lengths_are_refused_and_nothing_panics() {
        let mut lying = HEADER.write().to_vec();
        lying[0] = 0x9f; // 15 CSRCs and an extension, none of them there
        assert!(Packet::parse(&lying).is_err());
        let mut padded = HEADER.write().to_vec();
        padded[0] = 0xa0;
        padded.push(200);
        assert!(Packet::parse(&padded).is_err());
        assert!(Packet::parse(&[]).is_err());
        // Every datagram of up to 40 bytes from a small generator: parse may refuse, and never leaves the datagram.
        let mut state = 1u32;
        for length in 0..40usize {
            for _ in 0..500 {
                let datagram: Vec<u8> = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 24) as u8
                    })
                    .collect();
                if let Ok(packet) = Packet::parse(&datagram) {
                    assert!(packet.payload.start >= HEADER_LEN && packet.payload.end <= datagram.len());
                    assert!(datagram.get(packet.payload).is_some());
                }
            }
        }
    }
}
