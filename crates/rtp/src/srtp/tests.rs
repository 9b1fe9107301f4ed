//! What SRTP promises: what is sealed is opened again, once, and nothing else is.

use super::inbound::MOST_SOURCES;
use super::{Inbound, Keying, MAX_TRAILER, Outbound, Rejected, Suite};
use crate::Header;

const SUITES: [Suite; 4] =
    [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32, Suite::AeadAes128Gcm, Suite::AeadAes256Gcm];

fn keying(suite: Suite, fill: u8) -> Keying {
    Keying::new(suite, &vec![fill; suite.key_len() + suite.salt_len()]).unwrap()
}

fn pair(suite: Suite) -> (Outbound, Inbound) {
    let keying = keying(suite, 7);
    (Outbound::new(&keying).unwrap(), Inbound::new(&keying).unwrap())
}

fn plain(sequence: u16, ssrc: u32) -> Vec<u8> {
    let header = Header { marker: false, payload_type: 8, sequence, timestamp: u32::from(sequence) * 160, ssrc };
    [&header.write()[..], &[sequence as u8; 160]].concat()
}

fn sealed(out: &mut Outbound, plain: &[u8]) -> Vec<u8> {
    let mut buffer = [plain, &[0; MAX_TRAILER]].concat();
    let length = out.protect_rtp(&mut buffer, plain.len()).unwrap();
    buffer.truncate(length);
    buffer
}

fn opened(inbound: &mut Inbound, packet: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut packet = packet.to_vec();
    let length = inbound.open_rtp(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut buffer = [0; 256];
    let length = crate::bye(ssrc, "earcon@x", &mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn sealed_report(out: &mut Outbound, plain: &[u8]) -> Vec<u8> {
    let mut buffer = [plain, &[0; MAX_TRAILER]].concat();
    let length = out.protect_rtcp(&mut buffer, plain.len()).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn what_is_sealed_is_unreadable_and_opened_again() {
    for suite in SUITES {
        let (mut out, mut inbound) = pair(suite);
        for sequence in 0..300 {
            let plain = plain(sequence, 9);
            let packet = sealed(&mut out, &plain);
            assert_eq!(packet[..12], plain[..12], "the header stays readable");
            assert_ne!(packet[12..172], plain[12..], "{suite:?}");
            assert_eq!(opened(&mut inbound, &packet), Ok(plain), "{suite:?}");
        }
        for _ in 0..3 {
            let plain = report(9);
            let mut packet = sealed_report(&mut out, &plain);
            assert_ne!(packet[8..plain.len()], plain[8..]);
            let length = inbound.open_rtcp(&mut packet).unwrap();
            assert_eq!(packet[..length], plain, "{suite:?}");
        }
    }
}

#[test]
fn csrcs_and_extension_are_authenticated_and_stay_readable() {
    for suite in SUITES {
        let (mut out, mut inbound) = pair(suite);
        let mut plain = plain(1, 9);
        plain[0] = 0x80 | 0x10 | 1;
        plain.splice(12..12, [1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        let packet = sealed(&mut out, &plain);
        assert_eq!(packet[..24], plain[..24]);
        let mut changed = packet.clone();
        changed[13] ^= 1;
        assert_eq!(opened(&mut inbound, &changed), Err(Rejected::Forged));
        assert_eq!(opened(&mut inbound, &packet), Ok(plain));
    }
}

#[test]
fn one_flipped_bit_anywhere_is_noticed_and_leaves_no_trace() {
    for suite in SUITES {
        let (mut out, mut inbound) = pair(suite);
        let packet = sealed(&mut out, &plain(500, 9));
        for bit in 0..packet.len() * 8 {
            let mut changed = packet.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(&mut inbound, &changed).is_err(), "{suite:?}, bit {bit}");
        }
        assert_eq!(inbound.count(), 0, "no source before one packet of it was authentic");
        assert!(opened(&mut inbound, &packet).is_ok());
        let plain = report(9);
        let packet = sealed_report(&mut out, &plain);
        for bit in 0..packet.len() * 8 {
            let mut changed = packet.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(inbound.open_rtcp(&mut changed).is_err(), "{suite:?}, RTCP bit {bit}");
        }
        assert!(inbound.open_rtcp(&mut packet.clone()).is_ok());
    }
}

#[test]
fn a_replayed_packet_is_dropped_and_a_late_one_taken() {
    for suite in SUITES {
        let (mut out, mut inbound) = pair(suite);
        let packets: Vec<_> = (0..200).map(|sequence| sealed(&mut out, &plain(sequence, 9))).collect();
        for n in [0, 1, 5, 3, 199, 100] {
            assert!(opened(&mut inbound, &packets[n]).is_ok(), "{n}");
        }
        for n in [0, 1, 5, 3, 199, 100, 70] {
            assert_eq!(opened(&mut inbound, &packets[n]), Err(Rejected::Replayed), "{n}: seen, or too old to tell");
        }
        let report = sealed_report(&mut out, &report(9));
        assert!(inbound.open_rtcp(&mut report.clone()).is_ok());
        assert_eq!(inbound.open_rtcp(&mut report.clone()), Err(Rejected::Replayed));
    }
}

#[test]
fn the_roll_over_counter_is_followed_over_three_wraps_with_loss_and_disorder() {
    for suite in [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm] {
        let (mut out, mut inbound) = pair(suite);
        let mut held = None;
        // All packets about each wrap, and few between.
        for n in (0..200_000u32).filter(|n| (n + 200) % 0x1_0000 < 400 || n % 1600 == 0) {
            let plain = plain(n as u16, 9);
            let packet = sealed(&mut out, &plain);
            match n % 16 {
                // Each sixteenth comes after its successor; three of each sixteen are lost.
                15 => held = Some((packet, plain)),
                5..=7 => {}
                _ => {
                    assert_eq!(opened(&mut inbound, &packet), Ok(plain), "{n}");
                    if let Some((packet, plain)) = held.take() {
                        assert_eq!(opened(&mut inbound, &packet), Ok(plain), "late, before {n}");
                    }
                }
            }
        }
    }
}

#[test]
fn two_sources_of_one_peer_count_each_for_itself() {
    let keying = keying(Suite::AesCm128HmacSha1_80, 7);
    let (mut first, mut second) = (Outbound::new(&keying).unwrap(), Outbound::new(&keying).unwrap());
    let mut inbound = Inbound::new(&keying).unwrap();
    for sequence in 0..10 {
        assert!(opened(&mut inbound, &sealed(&mut first, &plain(sequence, 1))).is_ok());
        assert!(opened(&mut inbound, &sealed(&mut second, &plain(sequence, 2))).is_ok());
    }
    assert_eq!(inbound.count(), 2);
}

#[test]
fn sources_are_bounded() {
    let keying = keying(Suite::AeadAes128Gcm, 7);
    let mut inbound = Inbound::new(&keying).unwrap();
    for ssrc in 0..1000 {
        let mut out = Outbound::new(&keying).unwrap();
        assert!(opened(&mut inbound, &sealed(&mut out, &plain(1, ssrc))).is_ok());
    }
    assert_eq!(inbound.count(), MOST_SOURCES);
}

#[test]
fn one_key_serves_one_source_of_ours_and_no_number_twice() {
    let (mut out, _) = pair(Suite::AesCm128HmacSha1_80);
    sealed(&mut out, &plain(1, 9));
    let mut buffer = [&plain(2, 10)[..], &[0; MAX_TRAILER]].concat();
    assert_eq!(out.protect_rtp(&mut buffer, 172), Err(super::Refused::OtherSource));
    let mut buffer = [&plain(1, 9)[..], &[0; MAX_TRAILER]].concat();
    assert_eq!(out.protect_rtp(&mut buffer, 172), Err(super::Refused::Malformed));
    let mut short = plain(2, 9);
    assert_eq!(out.protect_rtp(&mut short, 172), Err(super::Refused::Malformed), "no room for the tag");
    out.rtcp_index = 1 << 31;
    let plain = report(9);
    let mut buffer = [&plain[..], &[0; MAX_TRAILER]].concat();
    assert_eq!(out.protect_rtcp(&mut buffer, plain.len()), Err(super::Refused::UsedUp));
}

#[test]
fn a_new_key_is_understood_whether_the_peer_counts_on_or_begins_anew() {
    for suite in SUITES {
        for counts_on in [true, false] {
            let (mut out, mut inbound) = pair(suite);
            for n in (0..70_000u32).step_by(1000) {
                let packet = sealed(&mut out, &plain(n as u16, 9));
                assert!(opened(&mut inbound, &packet).is_ok());
            }
            let keying = keying(suite, 8);
            let mut inbound = Inbound::rekeyed(&keying, &inbound).unwrap();
            let mut next = Outbound::new(&keying).unwrap();
            if counts_on {
                next.index = out.index;
            }
            for n in 70_001..70_010u32 {
                let plain = plain(n as u16, 9);
                let packet = sealed(&mut next, &plain);
                assert_eq!(opened(&mut inbound, &packet), Ok(plain), "{suite:?}, counts on: {counts_on}");
            }
        }
    }
}

#[test]
fn another_key_opens_nothing() {
    for suite in SUITES {
        let (mut out, _) = pair(suite);
        let mut other = Inbound::new(&keying(suite, 8)).unwrap();
        assert_eq!(opened(&mut other, &sealed(&mut out, &plain(1, 9))), Err(Rejected::Forged));
        let mut report = sealed_report(&mut out, &report(9));
        assert_eq!(other.open_rtcp(&mut report), Err(Rejected::Forged));
    }
}

#[test]
fn a_key_of_the_wrong_length_is_none() {
    for suite in SUITES {
        let right = suite.key_len() + suite.salt_len();
        for length in (0..64).filter(|length| *length != right) {
            assert!(Keying::new(suite, &vec![1; length]).is_none());
        }
    }
    let shown = format!("{:?}", keying(Suite::AeadAes256Gcm, 0xab));
    assert!(!shown.contains("171") && !shown.contains("ab,"), "{shown}");
}

#[test]
fn packets_of_any_content_are_survived() {
    let mut state = 1u32;
    for suite in SUITES {
        let (_, mut inbound) = pair(suite);
        for n in 0..20_000usize {
            let mut packet: Vec<u8> = (0..n % 80)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            if n % 2 == 0
                && let Some(first) = packet.first_mut()
            {
                *first = 0x80 | (*first & 0x3f);
            }
            assert!(inbound.open_rtp(&mut packet.clone()).is_err());
            assert!(inbound.open_rtcp(&mut packet).is_err());
        }
        assert_eq!(inbound.count(), 0);
    }
}
