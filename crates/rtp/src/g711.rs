//! G.711: both laws to linear 16-bit samples and back, and from the one law to the other, by table.

use crate::Codec;

/// Linear value of each A-law byte (ITU-T G.711 table 1, scaled to 16 bits).
const ALAW: [i16; 256] = table_of_linear(false);
/// Linear value of each µ-law byte (ITU-T G.711 table 2, scaled to 16 bits).
const ULAW: [i16; 256] = table_of_linear(true);
const A_TO_U: [u8; 256] = table_of_other(&ALAW, true);
const U_TO_A: [u8; 256] = table_of_other(&ULAW, false);

const fn table_of_linear(ulaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if ulaw { linear_of_ulaw(byte as u8) } else { linear_of_alaw(byte as u8) };
        byte += 1;
    }
    table
}

const fn table_of_other(linear: &[i16; 256], to_ulaw: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if to_ulaw { ulaw_of_linear(linear[byte]) } else { alaw_of_linear(linear[byte]) };
        byte += 1;
    }
    table
}

const fn linear_of_alaw(byte: u8) -> i16 {
    // Even bits are inverted on the wire.
    let byte = byte ^ 0x55;
    let segment = (byte >> 4) & 7;
    let step = ((byte & 0x0f) as i16) << 4;
    let magnitude = match segment {
        0 => step + 8,
        1 => step + 0x108,
        _ => (step + 0x108) << (segment - 1),
    };
    if byte & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn linear_of_ulaw(byte: u8) -> i16 {
    let byte = !byte;
    let segment = (byte >> 4) & 7;
    // The bias of 33 (132 at 16 bits) makes all segments look alike.
    let magnitude = (((((byte & 0x0f) as i32) << 3) + 132) << segment) - 132;
    if byte & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

const fn alaw_of_linear(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0xd5, sample >> 3) } else { (0x55, -(sample >> 3) - 1) };
    // 12 bits of magnitude: the segment is the place of its highest bit above the fifth.
    let segment = if magnitude < 0x20 { 0 } else { (16 - magnitude.leading_zeros()) as i16 - 5 };
    let step = if segment < 2 { magnitude >> 1 } else { magnitude >> segment };
    (((segment << 4) | (step & 0x0f)) as u8) ^ sign
}

const fn ulaw_of_linear(sample: i16) -> u8 {
    let sample = sample as i32;
    let (sign, magnitude) = if sample < 0 { (0x80, -sample) } else { (0, sample) };
    let biased = if magnitude > 32635 { 32635 + 132 } else { magnitude + 132 };
    let segment = (31 - biased.leading_zeros()) as i32 - 7;
    let step = (biased >> (segment + 3)) & 0x0f;
    !(sign | ((segment << 4) | step) as u8)
}

/// The 256 linear values of a codec's bytes.
pub(crate) const fn linear(codec: Codec) -> &'static [i16; 256] {
    match codec {
        Codec::Pcma => &ALAW,
        Codec::Pcmu => &ULAW,
    }
}

/// Appends the linear samples of wire bytes.
pub fn decode_into(codec: Codec, bytes: &[u8], samples: &mut Vec<i16>) {
    let table = linear(codec);
    samples.extend(bytes.iter().map(|byte| table[usize::from(*byte)]));
}

/// The linear samples of wire bytes.
pub fn decode(codec: Codec, bytes: &[u8]) -> Vec<i16> {
    let mut samples = Vec::with_capacity(bytes.len());
    decode_into(codec, bytes, &mut samples);
    samples
}

/// The wire bytes of linear samples.
pub fn encode(codec: Codec, samples: &[i16]) -> Vec<u8> {
    match codec {
        Codec::Pcma => samples.iter().map(|sample| alaw_of_linear(*sample)).collect(),
        Codec::Pcmu => samples.iter().map(|sample| ulaw_of_linear(*sample)).collect(),
    }
}

/// Turns wire bytes of one codec into those of another, in place.
pub fn transcode(from: Codec, to: Codec, bytes: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcma, Codec::Pcmu) => &A_TO_U,
        (Codec::Pcmu, Codec::Pcma) => &U_TO_A,
        _ => return,
    };
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes_have_the_values_of_the_recommendation() {
        assert_eq!(decode(Codec::Pcmu, &[0xff, 0x7f, 0x80, 0x00]), [0, 0, 32124, -32124]);
        assert_eq!(decode(Codec::Pcma, &[0xd5, 0x55, 0xaa, 0x2a]), [8, -8, 32256, -32256]);
        assert_eq!(encode(Codec::Pcmu, &[0, i16::MAX, i16::MIN]), [0xff, 0x80, 0x00]);
        assert_eq!(encode(Codec::Pcma, &[0, i16::MAX, i16::MIN]), [0xd5, 0xaa, 0x2a]);
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            assert_eq!(encode(Codec::Pcma, &decode(Codec::Pcma, &[byte])), [byte]);
            // µ-law has two zeros; the negative one comes back as the positive one.
            let expected = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(encode(Codec::Pcmu, &decode(Codec::Pcmu, &[byte])), [expected]);
        }
    }

    #[test]
    fn encoding_is_never_farther_off_than_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            for codec in [Codec::Pcma, Codec::Pcmu] {
                let back = i32::from(decode(codec, &encode(codec, &[sample]))[0]);
                let error = (back - i32::from(sample)).abs();
                assert!(error <= 16.max(i32::from(sample).abs() / 32 + 8).min(1024), "{codec:?} {sample} -> {back}");
            }
        }
    }

    #[test]
    fn transcoding_goes_through_the_linear_value_and_leaves_the_same_law_alone() {
        let mut bytes: Vec<u8> = (0..=255).collect();
        transcode(Codec::Pcma, Codec::Pcma, &mut bytes);
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        transcode(Codec::Pcma, Codec::Pcmu, &mut bytes);
        assert_eq!(bytes, encode(Codec::Pcmu, &decode(Codec::Pcma, &(0..=255).collect::<Vec<u8>>())));
    }
}
