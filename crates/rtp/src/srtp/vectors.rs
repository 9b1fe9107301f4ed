//! The test vectors of RFC 3711 (appendix B) and RFC 7714 (sections 16 and 17), and a packet of the reference
//! implementation's self-test, libsrtp.

use super::cipher::{Cipher, Place, counter_mode};
use super::derive::{Label, derive};
use super::{Inbound, Keying, MAX_TRAILER, Outbound, RTCP_CLEAR, Suite};
use aes::Aes128Enc;
use aes::cipher::KeyInit;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

const MASTER: &str = "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6";

#[test]
fn rfc_3711_b_2_keystream() {
    let aes = Aes128Enc::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
    let mut stream = vec![0; 0xff02 * 16];
    counter_mode(&aes, &salt, Place { ssrc: 0, index: 0 }, &mut stream);
    let first = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(stream[..48], hex(first));
    let last = "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44";
    assert_eq!(stream[0xfeff * 16..], hex(last));
}

#[test]
fn rfc_3711_b_3_key_derivation() {
    let keying = Keying::new(Suite::AesCm128HmacSha1_80, &hex(MASTER)).unwrap();
    let derived = |label, length| {
        let mut out = vec![0; length];
        derive(&keying, label, &mut out);
        out
    };
    assert_eq!(derived(Label::RtpCipher, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(Label::RtpSalt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE \
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576";
    assert_eq!(derived(Label::RtpAuthentication, 80), hex(authentication));
}

#[test]
fn the_packets_of_libsrtps_self_test() {
    let keying = Keying::new(Suite::AesCm128HmacSha1_80, &hex(MASTER)).unwrap();
    let mut out = Outbound::new(&keying).unwrap();
    let mut inbound = Inbound::new(&keying).unwrap();
    let plain = hex("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
    let length = out.protect_rtp(&mut buffer, plain.len()).unwrap();
    let sealed = "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb";
    assert_eq!(buffer[..length], hex(sealed));
    let opened = inbound.open_rtp(&mut buffer[..length]).unwrap();
    assert_eq!(buffer[..opened], plain);

    let plain = hex("81c8000b cafebabe abababab abababab abababab abababab");
    let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
    out.rtcp_index = 1;
    let length = out.protect_rtcp(&mut buffer, plain.len()).unwrap();
    let sealed = "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798";
    assert_eq!(buffer[..length], hex(sealed));
    let opened = inbound.open_rtcp(&mut buffer[..length]).unwrap();
    assert_eq!(buffer[..opened], plain);
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_KEY: &str = "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f";

fn gcm(key_len: usize) -> Cipher {
    Cipher::gcm(&hex(GCM_KEY)[..key_len], hex(GCM_SALT).try_into().unwrap()).unwrap()
}

#[test]
fn rfc_7714_16_srtp_packets() {
    let plain = hex(
        "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573",
    );
    let of_128 = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b \
        36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
    let of_256 = "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f \
        1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13";
    for (key_len, sealed) in [(16, of_128), (32, of_256)] {
        let cipher = gcm(key_len);
        let place = Place { ssrc: 0x5501_a0b2, index: 0xf17b };
        let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
        let length = cipher.seal_rtp(&mut buffer, 12, plain.len(), place).unwrap();
        assert_eq!(buffer[..length], hex(sealed), "AES-{}", key_len * 8);
        assert_eq!(cipher.open_rtp(&mut buffer[..length], 12, place), Some(plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    }
}

#[test]
fn rfc_7714_17_srtcp_packet() {
    let plain = hex(
        "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef",
    );
    let sealed = "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 \
        86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4";
    let cipher = gcm(16);
    let place = Place { ssrc: 0x4d61_7273, index: 0x5d4 };
    let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
    let length = cipher.seal_rtcp(&mut buffer, RTCP_CLEAR, plain.len(), place).unwrap();
    assert_eq!(buffer[..length], hex(sealed));
    assert_eq!(cipher.open_rtcp(&mut buffer[..length], RTCP_CLEAR, place, true), Some(plain.len()));
    assert_eq!(buffer[..plain.len()], plain);
}
