//! Session keys from the master key (RFC 3711 4.3).

use super::Keying;
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc};

/// What a session key is for (RFC 3711 4.3.1, 4.3.2).
#[derive(Clone, Copy)]
pub(super) enum Label {
    RtpCipher = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpCipher = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the session key of that label: AES in counter mode over zeros, with the key derivation rate 0.
pub(super) fn derive(keying: &Keying, label: Label, out: &mut [u8]) {
    let mut counter = [0; 16];
    // RFC 7714 11: a salt of 12 bytes is filled up with zeros on the right.
    counter[..keying.salt().len()].copy_from_slice(keying.salt());
    counter[7] ^= label as u8;
    match keying.key().len() {
        16 => keystream(&Aes128Enc::new_from_slice(keying.key()).ok(), counter, out),
        _ => keystream(&Aes256Enc::new_from_slice(keying.key()).ok(), counter, out),
    }
}

/// The key's length is its suite's, so there always is a cipher.
fn keystream<C: BlockCipherEncrypt>(cipher: &Option<C>, counter: [u8; 16], out: &mut [u8])
where
    Block<C>: From<[u8; 16]>,
{
    let Some(cipher) = cipher else { return };
    for (number, part) in (0u16..).zip(out.chunks_mut(16)) {
        let mut block = counter;
        block[14..].copy_from_slice(&number.to_be_bytes());
        let mut block: Block<C> = block.into();
        cipher.encrypt_block(&mut block);
        part.copy_from_slice(block.get(..part.len()).unwrap_or_default());
    }
}
