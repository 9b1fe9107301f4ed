//! What is secret does not get into a file: it is overwritten in place, so that lengths stay what they were.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Parameters of credentials that let somebody guess the password.
const CREDENTIALS: [&[u8]; 3] = [b"response=\"", b"cnonce=\"", b"rspauth=\""];

/// Overwrites in a message: digest responses, SRTP keys, and (`keys`) what an INFO says was pressed.
pub(crate) fn mask(wire: &Bytes, keys: bool) -> Bytes {
    let info = keys && is_dtmf_info(wire);
    let has = |what: &[u8]| memchr::memmem::find(wire, what).is_some();
    if !info && !has(b"cnonce=") && !has(b"response=\"") && !has(b"inline:") {
        return wire.clone();
    }
    let mut out = wire.to_vec();
    let body = body_at(&out);
    for parameter in CREDENTIALS {
        overwrite(&mut out, 0..body, parameter, |byte| byte != b'"', |value| value.fill(b'0'));
    }
    let end = out.len();
    overwrite(&mut out, body..end, b"inline:", is_base64, stand_in);
    if info {
        for byte in out.get_mut(body..).unwrap_or_default().iter_mut().take(key_ends(wire, body)) {
            if byte.is_ascii_digit() {
                *byte = b'0';
            }
        }
    }
    out.into()
}

/// As [`mask`], without what may differ although the role did the same: nonces and our own version.
pub(crate) fn comparable(wire: &Bytes) -> Vec<u8> {
    let mut out = mask(wire, true).to_vec();
    let (body, end) = (body_at(&out), out.len());
    // Our own keys are drawn anew.
    overwrite(&mut out, body..end, b"inline:", is_base64, |key| key.fill(b'A'));
    const NONCE: &[u8] = b" nonce=\"";
    let nonces: Vec<usize> = memchr::memmem::find_iter(out.get(..body).unwrap_or_default(), NONCE).collect();
    for at in nonces.into_iter().rev().map(|at| at + NONCE.len()) {
        let rest = out.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        out.drain(at..at + length);
    }
    let body = body_at(&out);
    for name in [&b"\r\nUser-Agent: "[..], b"\r\nServer: "] {
        let Some(at) = memchr::memmem::find(out.get(..body).unwrap_or_default(), name) else { continue };
        let rest = out.get(at + 2..).unwrap_or_default();
        let length = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
        out.drain(at..at + 2 + length);
        break;
    }
    out
}

/// Whether a message says what was pressed.
pub(crate) fn is_dtmf_info(wire: &[u8]) -> bool {
    wire.starts_with(b"INFO ") && memchr::memmem::find(wire, b"application/dtmf").is_some()
}

fn body_at(wire: &[u8]) -> usize {
    memchr::memmem::find(wire, b"\r\n\r\n").map_or(wire.len(), |at| at + 4)
}

/// How much of an INFO's body is about the key: its first line (`Signal=5`), which a duration follows.
fn key_ends(wire: &[u8], body: usize) -> usize {
    let body = wire.get(body..).unwrap_or_default();
    memchr::memchr2(b'\r', b'\n', body).unwrap_or(body.len())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// A key of the same length that says nothing about the one in its place (which is random, so that nobody finds it by
/// trying), and yet is another one for another key: whether a peer changed its key is what a call run again depends on.
fn stand_in(key: &mut [u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digest: [u8; 32] = Sha256::digest(&*key).into();
    for part in key.chunks_mut(32) {
        for (byte, random) in part.iter_mut().zip(digest) {
            *byte = ALPHABET[usize::from(random & 0x3f)];
        }
        digest = Sha256::digest(digest).into();
    }
}

/// What follows each `name` is overwritten, as far as its bytes are part of it.
fn overwrite(
    out: &mut [u8],
    within: std::ops::Range<usize>,
    name: &[u8],
    is_part: impl Fn(u8) -> bool,
    write: impl Fn(&mut [u8]),
) {
    let found: Vec<usize> = memchr::memmem::find_iter(out.get(within.clone()).unwrap_or_default(), name)
        .map(|at| within.start + at + name.len())
        .collect();
    for at in found {
        let rest = out.get_mut(at..within.end).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_part(**byte)).count();
        write(rest.get_mut(..length).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &'static str) -> String {
        let out = mask(&Bytes::from_static(text.as_bytes()), true);
        assert_eq!(out.len(), text.len(), "lengths stay");
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn what_answers_a_challenge_is_gone_and_the_rest_stays() {
        let out = masked(
            "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest username=\"27000\", nonce=\"1.2.ab\", response=\"d41d8c\", cnonce=\"77\"\r\n\r\n",
        );
        assert!(out.contains("username=\"27000\", nonce=\"1.2.ab\", response=\"000000\", cnonce=\"00\""), "{out}");
    }

    #[test]
    fn srtp_keys_are_gone() {
        let out = masked(
            "INVITE sip:a@b SIP/2.0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGw+/|2^20\r\n",
        );
        assert!(out.contains("inline:") && out.contains("|2^20") && !out.contains("WVNf"), "{out}");
        let again = masked(
            "INVITE sip:a@b SIP/2.0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGw+/|2^20\r\n",
        );
        assert_eq!(out, again);
        let other = masked(
            "INVITE sip:a@b SIP/2.0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:XVNfX19zZW1jdGw+/|2^20\r\n",
        );
        assert_ne!(out, other, "that a key changed is still seen");
        assert_eq!(comparable(&out.into()), comparable(&other.into()), "and makes no difference between two runs");
    }

    #[test]
    fn a_key_longer_than_a_digest_is_gone_to_its_end() {
        let wire = format!("INVITE sip:a@b SIP/2.0\r\n\r\na=crypto:1 AEAD_AES_256_GCM inline:{}=\r\n", "Q".repeat(59));
        let out = String::from_utf8(mask(&wire.into(), true).to_vec()).unwrap();
        assert!(out.ends_with("=\r\n") && !out.contains("QQQ"), "{out}");
    }

    #[test]
    fn keys_in_an_info_are_gone_and_their_length_stays() {
        let out =
            masked("INFO sip:a@b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n");
        assert!(out.ends_with("Signal=0\r\nDuration=160\r\n"), "{out}");
    }

    #[test]
    fn nonces_and_our_version_make_no_difference() {
        let of = |nonce: &str, version: &str| {
            let text = format!(
                "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest nonce=\"{nonce}\"\r\nServer: Earcon-Node/{version}\r\nContent-Length: 0\r\n\r\n"
            );
            comparable(&text.into())
        };
        assert_eq!(of("1.1.ab", "0.1.0"), of("9.3.cd", "0.2.0"));
    }
}
