//! The two families of ciphers behind one face: seal and open a packet of a known index, in place.

use super::derive::{Label, derive};
use super::{Keying, Suite};
use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit, consts::U16};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, Tag, UnboundKey};
use sha1::Sha1;
use std::ops::Range;

/// Blocks of keystream made at once: the processor works on so many side by side.
const BLOCKS: usize = 8;

/// Session keys of RTP or of RTCP, one direction.
#[derive(Clone)]
pub(super) enum Cipher {
    CounterMode {
        aes: Aes128Enc,
        salt: [u8; 14],
        /// Has taken its key in already: a clone of it starts a packet.
        mac: Hmac<Sha1>,
        tag: usize,
    },
    Gcm {
        key: LessSafeKey,
        salt: [u8; NONCE_LEN],
    },
}

/// Where a packet stands in its stream: what the cipher's counter is made of.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub ssrc: u32,
    /// 48 bits for RTP (roll-over counter and sequence number), 31 for RTCP.
    pub index: u64,
}

impl Cipher {
    pub fn rtp(keying: &Keying) -> Option<Cipher> {
        let tag = if keying.suite() == Suite::AesCm128HmacSha1_32 { 4 } else { 10 };
        Cipher::new(keying, [Label::RtpCipher, Label::RtpAuthentication, Label::RtpSalt], tag)
    }

    pub fn rtcp(keying: &Keying) -> Option<Cipher> {
        // RFC 4568 6.2.2: 80 bits also where RTP has 32.
        Cipher::new(keying, [Label::RtcpCipher, Label::RtcpAuthentication, Label::RtcpSalt], 10)
    }

    fn new(keying: &Keying, [cipher, authentication, salting]: [Label; 3], tag: usize) -> Option<Cipher> {
        let mut key = [0; 32];
        let key = key.get_mut(..keying.suite().key_len())?;
        derive(keying, cipher, key);
        match keying.suite() {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => {
                let (mut auth, mut salt) = ([0; 20], [0; 14]);
                derive(keying, authentication, &mut auth);
                derive(keying, salting, &mut salt);
                let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&auth).ok()?;
                Some(Cipher::CounterMode { aes: Aes128Enc::new_from_slice(key).ok()?, salt, mac, tag })
            }
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => {
                let mut salt = [0; NONCE_LEN];
                derive(keying, salting, &mut salt);
                Cipher::gcm(key, salt)
            }
        }
    }

    pub(super) fn gcm(key: &[u8], salt: [u8; NONCE_LEN]) -> Option<Cipher> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        Some(Cipher::Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?), salt })
    }

    /// Bytes of the authentication tag.
    pub fn tag_len(&self) -> usize {
        match self {
            Cipher::CounterMode { tag, .. } => *tag,
            Cipher::Gcm { .. } => MAX_TAG_LEN,
        }
    }

    /// Encrypts `header..length` of an RTP packet and puts the tag behind it; the new length. The buffer has room for it.
    pub fn seal_rtp(&self, buffer: &mut [u8], header: usize, length: usize, place: Place) -> Option<usize> {
        match self {
            Cipher::CounterMode { aes, salt, mac, tag } => {
                counter_mode(aes, salt, place, buffer.get_mut(header..length)?);
                // RFC 3711 4.2: the roll-over counter is authenticated although it is not sent.
                let roll_over = ((place.index >> 16) as u32).to_be_bytes();
                let sum = authenticate(mac, buffer.get(..length)?, &roll_over).finalize().into_bytes();
                buffer.get_mut(length..length + tag)?.copy_from_slice(sum.get(..*tag)?);
                Some(length + tag)
            }
            Cipher::Gcm { key, salt } => {
                let (clear, rest) = buffer.split_at_mut_checked(header)?;
                let body = rest.get_mut(..length.checked_sub(header)?)?;
                let tag = key.seal_in_place_separate_tag(rtp_nonce(salt, place), Aad::from(&*clear), body).ok()?;
                buffer.get_mut(length..length + MAX_TAG_LEN)?.copy_from_slice(tag.as_ref());
                Some(length + MAX_TAG_LEN)
            }
        }
    }

    /// Checks a whole SRTP packet and decrypts it; the length without the tag. What is not authentic may be left
    /// changed by GCM, which decrypts while it checks.
    pub fn open_rtp(&self, packet: &mut [u8], header: usize, place: Place) -> Option<usize> {
        let length = packet.len().checked_sub(self.tag_len()).filter(|length| *length >= header)?;
        match self {
            Cipher::CounterMode { aes, salt, mac, .. } => {
                let (bytes, tag) = packet.split_at_mut_checked(length)?;
                let roll_over = ((place.index >> 16) as u32).to_be_bytes();
                // Constant time; and first of all, so that nothing is done for a packet that is not the peer's.
                authenticate(mac, bytes, &roll_over).verify_truncated_left(tag).ok()?;
                counter_mode(aes, salt, place, bytes.get_mut(header..)?);
            }
            Cipher::Gcm { key, salt } => {
                let (clear, body) = packet.split_at_mut_checked(header)?;
                let (body, tag) = body.split_at_mut_checked(length - header)?;
                let tag = Tag::try_from(&*tag).ok()?;
                key.open_in_place_separate_tag(rtp_nonce(salt, place), Aad::from(&*clear), tag, body, 0..).ok()?;
            }
        }
        Some(length)
    }

    /// Encrypts an RTCP packet behind its first `clear` bytes and puts index and tag behind it; the new length.
    pub fn seal_rtcp(&self, buffer: &mut [u8], clear: usize, length: usize, place: Place) -> Option<usize> {
        // RFC 3711 3.4: the E bit says that it is encrypted.
        let word = (place.index as u32 | 0x8000_0000).to_be_bytes();
        match self {
            Cipher::CounterMode { aes, salt, mac, tag } => {
                counter_mode(aes, salt, place, buffer.get_mut(clear..length)?);
                buffer.get_mut(length..length + 4)?.copy_from_slice(&word);
                let sum = authenticate(mac, buffer.get(..length + 4)?, &[]).finalize().into_bytes();
                buffer.get_mut(length + 4..length + 4 + tag)?.copy_from_slice(sum.get(..*tag)?);
                Some(length + 4 + tag)
            }
            Cipher::Gcm { key, salt } => {
                let aad = rtcp_aad(buffer.get(..clear)?, word)?;
                let body = buffer.get_mut(clear..length)?;
                let tag = key.seal_in_place_separate_tag(rtcp_nonce(salt, place), Aad::from(aad), body).ok()?;
                // RFC 7714 9.2: the tag belongs to the ciphertext, and the index comes last.
                buffer.get_mut(length..length + MAX_TAG_LEN)?.copy_from_slice(tag.as_ref());
                buffer.get_mut(length + MAX_TAG_LEN..length + MAX_TAG_LEN + 4)?.copy_from_slice(&word);
                Some(length + MAX_TAG_LEN + 4)
            }
        }
    }

    /// Where in an SRTCP packet of that length its index is.
    pub fn rtcp_index_at(&self, length: usize) -> Option<Range<usize>> {
        let end = match self {
            Cipher::CounterMode { tag, .. } => length.checked_sub(*tag)?,
            Cipher::Gcm { .. } => length,
        };
        Some(end.checked_sub(4)?..end)
    }

    /// Checks a whole SRTCP packet and decrypts it; the length without index and tag.
    pub fn open_rtcp(&self, packet: &mut [u8], clear: usize, place: Place, encrypted: bool) -> Option<usize> {
        let length = packet.len().checked_sub(self.tag_len() + 4).filter(|length| *length >= clear)?;
        match self {
            Cipher::CounterMode { aes, salt, mac, .. } => {
                let (bytes, tag) = packet.split_at_mut_checked(length + 4)?;
                authenticate(mac, bytes, &[]).verify_truncated_left(tag).ok()?;
                if encrypted {
                    counter_mode(aes, salt, place, bytes.get_mut(clear..length)?);
                }
            }
            Cipher::Gcm { key, salt } => {
                if !encrypted {
                    // RFC 7714 9.3 has packets that are only authenticated; we never agree on them.
                    return None;
                }
                let word = packet.get(length + MAX_TAG_LEN..)?.try_into().ok()?;
                let aad = rtcp_aad(packet.get(..clear)?, word)?;
                let (body, tag) = packet.get_mut(clear..length + MAX_TAG_LEN)?.split_at_mut_checked(length - clear)?;
                let tag = Tag::try_from(&*tag).ok()?;
                key.open_in_place_separate_tag(rtcp_nonce(salt, place), Aad::from(aad), tag, body, 0..).ok()?;
            }
        }
        Some(length)
    }

    /// Whether opening a packet that turns out to be wrong leaves it as it was.
    pub fn keeps_what_is_wrong(&self) -> bool {
        matches!(self, Cipher::CounterMode { .. })
    }
}

fn authenticate(mac: &Hmac<Sha1>, packet: &[u8], behind: &[u8]) -> Hmac<Sha1> {
    let mut mac = mac.clone();
    mac.update(packet);
    mac.update(behind);
    mac
}

/// RFC 3711 4.1.1: the counter is the salt, the source and the index in their places, and in the last 16 bits the
/// block's number.
pub(super) fn counter_mode(aes: &Aes128Enc, salt: &[u8; 14], Place { ssrc, index }: Place, data: &mut [u8]) {
    let mut start = [0; 16];
    start[..14].copy_from_slice(salt);
    let moved = (u128::from(ssrc) << 64) | (u128::from(index) << 16);
    let start = u128::from_be_bytes(start) ^ moved;
    for (number, part) in (0u128..).zip(data.chunks_mut(16 * BLOCKS)) {
        let mut blocks: [Array<u8, U16>; BLOCKS] = std::array::from_fn(|n| {
            let block = (number * BLOCKS as u128 + n as u128) & 0xffff;
            (start | block).to_be_bytes().into()
        });
        let needed = part.len().div_ceil(16);
        aes.encrypt_blocks(blocks.get_mut(..needed).unwrap_or_default());
        for (bytes, key) in part.chunks_mut(16).zip(&blocks) {
            bytes.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        }
    }
}

/// RFC 7714 8.1: two bytes of zeros, source, roll-over counter and sequence number, with the salt over it.
fn rtp_nonce(salt: &[u8; NONCE_LEN], place: Place) -> Nonce {
    let index = place.index.to_be_bytes();
    nonce(salt, place.ssrc, [index[2], index[3], index[4], index[5], index[6], index[7]])
}

/// RFC 7714 9.1: the same with two bytes of zeros and the index of 31 bits.
fn rtcp_nonce(salt: &[u8; NONCE_LEN], place: Place) -> Nonce {
    let index = (place.index as u32).to_be_bytes();
    nonce(salt, place.ssrc, [0, 0, index[0], index[1], index[2], index[3]])
}

fn nonce(salt: &[u8; NONCE_LEN], ssrc: u32, index: [u8; 6]) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
    nonce[6..].copy_from_slice(&index);
    nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 9.2: the clear header and the index are authenticated.
fn rtcp_aad(clear: &[u8], word: [u8; 4]) -> Option<[u8; 12]> {
    let mut aad = [0; 12];
    aad.get_mut(..8)?.copy_from_slice(clear.get(..8)?);
    aad[8..].copy_from_slice(&word);
    Some(aad)
}
