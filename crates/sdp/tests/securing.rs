//! Offer and answer of SRTP (RFC 4568).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{IpAddr, Ipv4Addr};

use sdp::{AnswerError, Attribute, CryptoError, Local, OfferError, OwnKeys, Security, Session, Suite};
use sdp::{accept, answer, answer_again, offer, reoffer};

/// Keys that are all of one byte, counted up.
fn keys(suites: &[Suite], first: u8) -> OwnKeys {
    let mut fill = first;
    OwnKeys::draw(suites, |bytes| {
        bytes.fill(fill);
        fill += 1;
    })
}

fn us(security: Security) -> Local {
    Local { security, ..Local::new(IpAddr::V4(Ipv4Addr::new(127, 0, 222, 4)), 30_000, 77) }
}

fn required(first: u8) -> Local {
    us(Security::Required(keys(&Suite::ALL, first)))
}

fn theirs(lines: &str) -> Session {
    let text = format!("v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n{lines}");
    Session::parse(text.as_bytes()).unwrap()
}

/// A key of 30 bytes.
const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

fn lines(session: &Session) -> Vec<&str> {
    let media = session.audio().unwrap().1;
    let value = |attribute: &'static str| media.attributes.iter().filter(move |a| a.name == attribute);
    value("crypto").filter_map(|attribute| attribute.value.as_deref()).collect()
}

#[test]
fn an_offer_has_all_suites_the_strongest_first_and_a_key_for_each() {
    let offered = offer(&required(1));
    assert_eq!(offered.media[0].protocol, "RTP/SAVP");
    let cryptos: Vec<_> = offered.media[0].cryptos().map(Result::unwrap).collect();
    assert_eq!(cryptos.iter().map(|line| line.tag).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(cryptos.iter().map(|line| line.suite).collect::<Vec<_>>(), Suite::ALL);
    assert_eq!(cryptos.iter().map(|line| line.key.bytes().len()).collect::<Vec<_>>(), [44, 28, 30, 30]);
    assert!(lines(&offered)[2].starts_with("3 AES_CM_128_HMAC_SHA1_80 inline:AwMD"));
}

#[test]
fn both_ends_agree_on_the_best_suite_that_both_have_and_on_each_others_keys() {
    for suite in Suite::ALL {
        let caller = required(1);
        let callee = us(Security::Required(keys(&[suite], 100)));
        let (description, at_callee) = answer(&offer(&caller), &callee).unwrap();
        let at_caller = accept(&caller, &description).unwrap();
        let (callee, caller) = (at_callee.srtp.unwrap(), at_caller.srtp.unwrap());
        assert_eq!((caller.suite, callee.suite), (suite, suite));
        assert_eq!((caller.send, caller.receive), (callee.receive, callee.send));
        assert_ne!(caller.send, caller.receive);
        assert_eq!(lines(&description).len(), 1, "the answer names one line");
    }
}

#[test]
fn the_answer_bears_the_tag_of_the_line_that_it_takes() {
    let offered = theirs(&format!(
        "m=audio 4000 RTP/SAVP 8\r\na=crypto:7 F8_128_HMAC_SHA1_80 {KEY}\r\na=crypto:9 AES_CM_128_HMAC_SHA1_32 {KEY}\r\na=crypto:5 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
    ));
    let (description, negotiated) = answer(&offered, &required(1)).unwrap();
    assert!(lines(&description)[0].starts_with("5 AES_CM_128_HMAC_SHA1_80 inline:"));
    assert_eq!(description.media[0].protocol, "RTP/SAVP");
    assert_eq!(negotiated.srtp.unwrap().suite, Suite::AesCm128HmacSha1_80);
}

#[test]
fn lines_that_lie_are_passed_over_and_the_next_is_taken() {
    let offered = theirs(&format!(
        "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AEAD_AES_256_GCM {KEY}\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 {KEY}|2^31|1:1\r\na=crypto:3 AES_CM_128_HMAC_SHA1_80 {KEY} UNENCRYPTED_SRTP\r\na=crypto:x\r\na=crypto:4 AES_CM_128_HMAC_SHA1_32 {KEY}\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
    ));
    let (description, _) = answer(&offered, &required(1)).unwrap();
    assert!(lines(&description)[0].starts_with("4 AES_CM_128_HMAC_SHA1_32 "), "a second line of the same tag is none");
}

#[test]
fn an_offer_without_a_usable_line_is_refused_in_words() {
    let refused = |lines: &str| answer(&theirs(lines), &required(1)).unwrap_err();
    assert_eq!(refused("m=audio 4000 RTP/AVP 8\r\n"), OfferError::Unsecured);
    assert_eq!(
        refused(&format!("m=audio 4000 RTP/AVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n")),
        OfferError::Unsecured
    );
    assert_eq!(refused("m=audio 4000 RTP/SAVP 8\r\n"), OfferError::NoCryptoLine);
    assert_eq!(refused("m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\na=fingerprint:sha-256 00\r\n"), OfferError::NoCryptoLine);
    let mki = refused(&format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}|2^31|1:1\r\n"));
    assert_eq!(mki, OfferError::NoCrypto(CryptoError::Mki));
    assert!(mki.to_string().contains("master key identifier"), "{mki}");
    assert_eq!(answer(&offer(&required(1)), &us(Security::Clear)).unwrap_err(), OfferError::Secured);
}

#[test]
fn an_answer_that_takes_what_was_not_offered_is_none() {
    let caller = us(Security::Required(keys(&[Suite::AesCm128HmacSha1_80], 1)));
    let (right, _) = answer(&offer(&caller), &required(100)).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<Attribute>, &mut String)| {
        let mut session = right.clone();
        let media = &mut session.media[0];
        change(&mut media.attributes, &mut media.protocol);
        accept(&caller, &session).unwrap_err()
    };
    let set = |value: String| {
        move |attributes: &mut Vec<Attribute>, _: &mut String| {
            attributes.retain(|attribute| attribute.name != "crypto");
            attributes.push(Attribute::value("crypto", value.clone()));
        }
    };
    assert_eq!(changed(&|_, protocol| *protocol = "RTP/AVP".into()), AnswerError::Transport);
    assert_eq!(changed(&|attributes, _| attributes.retain(|a| a.name != "crypto")), AnswerError::NoCryptoLine);
    let line = |tag: u32, suite: &str| set(format!("{tag} {suite} {KEY}"));
    assert_eq!(changed(&line(2, "AES_CM_128_HMAC_SHA1_80")), AnswerError::NoCrypto(CryptoError::Tag));
    assert_eq!(changed(&line(1, "AES_CM_128_HMAC_SHA1_32")), AnswerError::NoCrypto(CryptoError::UnknownSuite));
    assert_eq!(changed(&set(format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|1:1"))), AnswerError::NoCrypto(CryptoError::Mki));
    let twice = changed(&|attributes, _| {
        attributes.push(Attribute::value("crypto", format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")))
    });
    assert_eq!(twice, AnswerError::NoCrypto(CryptoError::Tag));
    assert_eq!(accept(&us(Security::Clear), &right).unwrap_err(), AnswerError::Transport);
}

#[test]
fn at_best_effort_two_of_us_are_secured_and_others_stay_in_the_clear() {
    let best = |first| us(Security::BestEffort(keys(&Suite::ALL, first)));
    let offered = offer(&best(1));
    assert_eq!(offered.media[0].protocol, "RTP/AVP");
    let (description, negotiated) = answer(&offered, &best(100)).unwrap();
    assert_eq!(description.media[0].protocol, "RTP/AVP");
    assert_eq!(negotiated.srtp.unwrap().suite, Suite::AeadAes256Gcm);
    assert_eq!(accept(&best(1), &description).unwrap().srtp.unwrap().send, negotiated.srtp.unwrap().receive);
    let (description, negotiated) = answer(&offered, &us(Security::Clear)).unwrap();
    assert_eq!((negotiated.srtp, lines(&description).len()), (None, 0));
    assert_eq!(accept(&best(1), &description).unwrap().srtp, None);
    let (_, negotiated) = answer(&offer(&required(9)), &best(100)).unwrap();
    assert!(negotiated.srtp.is_some(), "SRTP only is taken, too");
    let (_, negotiated) = answer(&theirs("m=audio 4000 RTP/AVP 8\r\na=crypto:1 X Y\r\n"), &best(100)).unwrap();
    assert_eq!(negotiated.srtp, None);
}

#[test]
fn hold_and_resume_keep_the_keys_and_a_new_key_makes_a_new_version() {
    let mut caller = required(1);
    let first = offer(&caller);
    caller.direction = sdp::Direction::SendOnly;
    let hold = reoffer(&caller, &first);
    assert_eq!(lines(&hold), lines(&first));
    caller.direction = sdp::Direction::SendRecv;
    caller.security = Security::Required(keys(&Suite::ALL, 50));
    let resume = reoffer(&caller, &hold);
    assert_ne!(lines(&resume), lines(&hold));
    assert_eq!(resume.origin.version, "79");
}

#[test]
fn of_two_audio_streams_the_one_that_can_be_secured_is_taken() {
    let offered = theirs(&format!(
        "m=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
    ));
    let (description, negotiated) = answer(&offered, &required(1)).unwrap();
    assert_eq!(negotiated.remote.port(), 4002);
    assert_eq!(description.media[0].port, 0);
    let (_, negotiated) = answer(&offered, &us(Security::Clear)).unwrap();
    assert_eq!(negotiated.remote.port(), 4000);
}

#[test]
fn a_peer_that_changes_its_key_gets_a_new_one_of_ours_and_one_that_keeps_it_does_not() {
    let mut local = required(1);
    let offered =
        |key: &str| theirs(&format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n"));
    let first = offered("PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR");
    let (_, negotiated) = answer_again(&first, &mut local, None, |_| panic!("no key yet that could change")).unwrap();
    let before = negotiated.srtp.unwrap();
    let (_, held) = answer_again(&first, &mut local, Some(&before), |_| panic!("the key is the same")).unwrap();
    assert_eq!(held.srtp, Some(before));
    let second = offered("QS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR");
    let (_, changed) = answer_again(&second, &mut local, Some(&before), |bytes| bytes.fill(77)).unwrap();
    let changed = changed.srtp.unwrap();
    assert_ne!((changed.send, changed.receive), (before.send, before.receive));
    assert_eq!(changed.send.bytes(), [77; 30]);
}
