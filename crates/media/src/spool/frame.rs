//! What is in a segment: frames, each with its length, a checksum and the recording that it belongs to.
//!
//! ```text
//! segment = "EARCONS1" number:u64  frame*
//! frame   = length:u32 crc:u32  kind:u8 codec:u8 0:u16 recording:u128 position:u64  payload[length]
//! ```
//!
//! All numbers are little-endian. The checksum is CRC-32 (IEEE) over everything after it, begun with the length.

use crate::{Codec, RecordingId};

pub const MAGIC: &[u8; 8] = b"EARCONS1";
pub const SEGMENT_HEADER: usize = 16;
pub const FRAME_HEADER: usize = 36;
/// No frame is longer: a length beyond it is a torn tail.
pub const LONGEST: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A recording begins; the payload is its meta data.
    Begin,
    /// Audio from `position` (in bytes) on.
    Audio,
    /// Other meta data.
    Meta,
    /// The recording is complete; `position` is its length.
    Finish,
    /// The recording is safe elsewhere and may be forgotten.
    Release,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Begin => 1,
            Kind::Audio => 2,
            Kind::Meta => 3,
            Kind::Finish => 4,
            Kind::Release => 5,
        }
    }

    fn of(code: u8) -> Option<Kind> {
        [Kind::Begin, Kind::Audio, Kind::Meta, Kind::Finish, Kind::Release].into_iter().find(|k| k.code() == code)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub kind: Kind,
    pub codec: Codec,
    pub recording: RecordingId,
    pub position: u64,
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Appends the frame; gives its whole length. A payload longer than the limit is cut.
    pub fn write(&self, to: &mut Vec<u8>) -> usize {
        let payload = &self.payload[..self.payload.len().min(LONGEST)];
        let length = (payload.len() as u32).to_le_bytes();
        let start = to.len();
        to.extend(length);
        to.extend([0; 4]);
        let codec = match self.codec {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        };
        to.extend([self.kind.code(), codec, 0, 0]);
        to.extend(self.recording.0.to_le_bytes());
        to.extend(self.position.to_le_bytes());
        to.extend(payload);
        let crc = crc32(crc32(0, &length), &to[start + 8..]).to_le_bytes();
        to[start + 4..start + 8].copy_from_slice(&crc);
        FRAME_HEADER + payload.len()
    }

    /// The frame at the beginning of `bytes` and its whole length; `None` where there is no whole and undamaged one.
    pub fn read(bytes: &'a [u8]) -> Option<(Frame<'a>, usize)> {
        let header = bytes.get(..FRAME_HEADER)?;
        let length_bytes: [u8; 4] = header.get(..4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_le_bytes(length_bytes)).ok()?;
        if length > LONGEST {
            return None;
        }
        let whole = bytes.get(..FRAME_HEADER + length)?;
        let crc = u32::from_le_bytes(header.get(4..8)?.try_into().ok()?);
        if crc32(crc32(0, &length_bytes), whole.get(8..)?) != crc {
            return None;
        }
        let codec = match header.get(9)? {
            8 => Codec::Pcma,
            0 => Codec::Pcmu,
            _ => return None,
        };
        let frame = Frame {
            kind: Kind::of(*header.get(8)?)?,
            codec,
            recording: RecordingId(u128::from_le_bytes(header.get(12..28)?.try_into().ok()?)),
            position: u64::from_le_bytes(header.get(28..36)?.try_into().ok()?),
            payload: whole.get(FRAME_HEADER..)?,
        };
        Some((frame, whole.len()))
    }
}

pub fn segment_header(number: u64) -> [u8; SEGMENT_HEADER] {
    let mut header = [0; SEGMENT_HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..].copy_from_slice(&number.to_le_bytes());
    header
}

pub fn segment_name(number: u64) -> String {
    format!("{number:016x}.spool")
}

/// The number of a segment by its name; other files in the folder are none of ours.
pub fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".spool").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Eight tables, so that eight bytes are taken at a time.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        tables[0][n] = crc;
        n += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut n = 0;
        while n < 256 {
            let before = tables[table - 1][n];
            tables[table][n] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            n += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-32 (IEEE 802.3) of what `before` is the checksum of, followed by `bytes`.
pub fn crc32(before: u32, bytes: &[u8]) -> u32 {
    let mut crc = !before;
    let (eights, rest) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let low = crc ^ u32::from_le_bytes([a, b, c, d]);
        let at = |table: usize, byte: u8| TABLES[table][usize::from(byte)];
        let [a, b, c, d] = low.to_le_bytes();
        crc = at(7, a) ^ at(6, b) ^ at(5, c) ^ at(4, d) ^ at(3, e) ^ at(2, f) ^ at(1, g) ^ at(0, h);
    }
    for byte in rest {
        crc = TABLES[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'_> = Frame {
        kind: Kind::Audio,
        codec: Codec::Pcma,
        recording: RecordingId(0x0123_4567_89ab_cdef_0011_2233_4455_6677),
        position: 4000,
        payload: b"speech",
    };

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        let long: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        for at in [0, 1, 7, 8, 500, 999] {
            assert_eq!(crc32(crc32(0, &long[..at]), &long[at..]), crc32(0, &long));
        }
    }

    #[test]
    fn a_frame_is_read_back_and_what_follows_is_left() {
        let mut bytes = Vec::new();
        let length = FRAME.write(&mut bytes);
        assert_eq!(length, bytes.len());
        bytes.extend(b"what follows");
        assert_eq!(Frame::read(&bytes), Some((FRAME, length)));
    }

    #[test]
    fn a_frame_cut_or_changed_anywhere_is_none() {
        let mut bytes = Vec::new();
        let length = FRAME.write(&mut bytes);
        for cut in 0..length {
            assert_eq!(Frame::read(&bytes[..cut]), None);
        }
        for at in 0..length {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(Frame::read(&changed), None, "byte {at} bit {bit}");
            }
        }
        assert_eq!(Frame::read(&[0; 4096]), None, "a tail of zeros is no frame");
        assert_eq!(Frame::read(&[0xff; 4096]), None);
    }

    #[test]
    fn only_our_names_are_segments() {
        assert_eq!(segment_number(&segment_name(77)), Some(77));
        for name in ["lock", "1.spool", "zzzzzzzzzzzzzzzz.spool", "../0000000000000001.spool"] {
            assert_eq!(segment_number(name), None);
        }
    }
}
