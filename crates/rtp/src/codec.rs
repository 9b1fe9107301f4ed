//! The codecs that Earcon speaks: the two laws of G.711.

/// Samples a second, on the wire and everywhere inside.
pub const SAMPLE_RATE: u32 = 8000;

/// A voice codec. Both are 8 kHz, one byte a sample (ITU-T G.711).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// A-law, RTP payload type 8.
    Pcma,
    /// µ-law, RTP payload type 0.
    Pcmu,
}

impl Codec {
    /// The static payload type (RFC 3551 6).
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// The byte that stands for silence.
    pub fn silence(self) -> u8 {
        match self {
            Codec::Pcma => 0xd5,
            Codec::Pcmu => 0xff,
        }
    }
}
