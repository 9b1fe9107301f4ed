//! Reading what phones, gateways and UM servers in the field send.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{IpAddr, Ipv4Addr};

use sdp::{Address, Codec, Crypto, CryptoError, Direction, ParseError, Session, Suite};

fn read(text: &str) -> Session {
    Session::parse(text.as_bytes()).expect(text)
}

const SIPP: &str = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

const BARESIP: &str = "v=0\r\no=- 3823523 123 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=tool:baresip 2.0.0\r\nm=audio 20002 RTP/AVP 8 0 101\r\nb=AS:125\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:20003\r\na=sendrecv\r\na=label:1\r\na=rtcp-rsize\r\na=ptime:20\r\n";

const LINPHONE: &str = "v=0\r\no=alice 1033 3405 IN IP4 192.168.1.5\r\ns=Talk\r\nc=IN IP4 192.168.1.5\r\nt=0 0\r\na=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\nm=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:97 speex/16000\r\na=rtpmap:98 speex/8000\r\na=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/48000\r\na=rtpmap:99 telephone-event/16000\r\na=rtpmap:100 telephone-event/8000\r\na=rtcp-fb:* trr-int 5000\r\nm=video 9078 RTP/AVPF 96\r\na=rtpmap:96 VP8/90000\r\n";

/// UCMA's order: the codecs that nobody wants first, optional SRTP, dynamic comfort noise, events up to 36.
const EXCHANGE: &str = "v=0\r\no=- 0 0 IN IP4 192.168.222.4\r\ns=Microsoft Exchange Speech Engine\r\nc=IN IP4 192.168.222.4\r\nb=CT:99980\r\nt=0 0\r\nm=audio 5440 RTP/AVP 4 0 8 97 101 13 118\r\na=rtcp:5441\r\na=label:Audio\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^31|1:1\r\na=rtpmap:4 G723/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 RED/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16,36\r\na=rtpmap:13 CN/8000\r\na=rtpmap:118 CN/16000\r\na=ptime:20\r\n";

/// Cisco's o= user name, bare line feeds, `t=0` and a user name with a blank, as seen from older gateways.
const SLOPPY: &str = "v=0\no=Cisco SIPUA 26529 99999999999999999999999 IN IP4 10.1.1.7\nt=0\nc= IN IP4 10.1.1.7 \n\nm=audio 17042 RTP/AVP 0 8\na=sendrecv\n";

#[test]
fn what_the_phones_send_is_read() {
    for text in [SIPP, BARESIP, LINPHONE, EXCHANGE, SLOPPY] {
        let session = read(text);
        let (_, audio) = session.audio().expect(text);
        assert!(audio.port > 0);
        assert!(audio.payloads().any(|payload| payload.codec().is_some()), "{text}");
    }
}

#[test]
fn static_payload_types_need_no_rtpmap() {
    let session = read(SLOPPY);
    let (_, audio) = session.audio().unwrap();
    let codecs: Vec<_> = audio.payloads().filter_map(|payload| payload.codec()).collect();
    assert_eq!(codecs, [Codec::Pcmu, Codec::Pcma]);
}

#[test]
fn an_rtpmap_may_give_a_static_number_another_meaning() {
    let session = read("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G722/8000\r\n");
    let (_, audio) = session.audio().unwrap();
    assert_eq!(audio.payloads().filter_map(|payload| payload.codec()).count(), 0);
}

#[test]
fn missing_and_odd_lines_are_tolerated() {
    let session = read("o=-\r\nt=odd\r\nx=what\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\n");
    assert_eq!(session.name, "-");
    assert!(session.to_string().contains("\r\ns=-\r\n"));
    assert!(session.to_string().contains("\r\nt=0 0\r\n"));
}

#[test]
fn lone_carriage_returns_and_padding_are_tolerated() {
    let session = read("v=0\rc=IN IP4 10.0.0.1\rm=audio 4000 RTP/AVP 8\r\0\0\0");
    assert_eq!(session.audio().map(|(_, audio)| audio.port), Some(4000));
}

#[test]
fn an_ipv6_address_is_read_with_and_without_brackets() {
    for line in ["c=IN IP6 2001:db8::1", "c=IN IP6 [2001:db8::1]"] {
        let session = read(&format!("v=0\r\n{line}\r\nm=audio 4000 RTP/AVP 8\r\n"));
        assert_eq!(session.connection.as_ref().and_then(Address::ip), Some("2001:db8::1".parse().unwrap()));
        assert!(session.to_string().contains("c=IN IP6 2001:db8::1\r\n"));
    }
}

#[test]
fn a_stream_has_its_own_address_before_the_sessions() {
    let session =
        read("v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 10.0.0.2\r\nm=video 5000 RTP/AVP 96\r\n");
    let addresses: Vec<_> = session.media.iter().map(|media| session.connection_of(media).cloned()).collect();
    let ip = |last| Some(Address::Ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))));
    assert_eq!(addresses, [ip(2), ip(1)]);
}

#[test]
fn direction_is_the_streams_then_the_sessions_then_both_ways() {
    let direction = |session_line: &str, media_line: &str| {
        let session =
            read(&format!("v=0\r\nc=IN IP4 10.0.0.1\r\n{session_line}m=audio 4000 RTP/AVP 8\r\n{media_line}"));
        let (_, audio) = session.audio().unwrap();
        session.direction_of(audio)
    };
    assert_eq!(direction("", ""), Direction::SendRecv);
    assert_eq!(direction("a=inactive\r\n", ""), Direction::Inactive);
    assert_eq!(direction("a=inactive\r\n", "a=sendonly\r\n"), Direction::SendOnly);
}

#[test]
fn keys_are_typed_and_stay_out_of_logs() {
    let session = read(EXCHANGE);
    let (_, audio) = session.audio().unwrap();
    assert_eq!(audio.cryptos().next(), Some(Err(CryptoError::Mki)), "Exchange's line wants an MKI");
}

#[test]
fn a_broken_crypto_line_says_what_is_broken() {
    let key = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    let error = |line: &str| Crypto::parse(&line.replace("KEY", key)).unwrap_err();
    for (line, wrong) in [
        ("AES", CryptoError::Tag),
        ("", CryptoError::Tag),
        ("-1 AES_CM_128_HMAC_SHA1_80 KEY", CryptoError::Tag),
        ("1234567890 AES_CM_128_HMAC_SHA1_80 KEY", CryptoError::Tag),
        ("1", CryptoError::NoSuite),
        ("1 F8_128_HMAC_SHA1_80 KEY", CryptoError::UnknownSuite),
        ("1 aes_cm_128_hmac_sha1_80 KEY", CryptoError::UnknownSuite),
        ("1 AES_CM_128_HMAC_SHA1_80", CryptoError::Key),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:", CryptoError::Key),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:!", CryptoError::Key),
        ("1 AES_CM_128_HMAC_SHA1_80 uri:PS1u", CryptoError::Key),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:QUJD", CryptoError::KeyLength),
        ("1 AEAD_AES_128_GCM KEY", CryptoError::KeyLength),
        ("1 AEAD_AES_256_GCM KEY", CryptoError::KeyLength),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^49", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|0", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|-5", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|99999999999999999999", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^20|2^20", CryptoError::Lifetime),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|2^20|1:4", CryptoError::Mki),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY|1:4", CryptoError::Mki),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY;KEY", CryptoError::Mki),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY UNENCRYPTED_SRTP", CryptoError::SessionParameter),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY UNENCRYPTED_SRTCP", CryptoError::SessionParameter),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY UNAUTHENTICATED_SRTP", CryptoError::SessionParameter),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY KDR=10", CryptoError::SessionParameter),
        ("1 AES_CM_128_HMAC_SHA1_80 KEY UNHEARD_OF", CryptoError::SessionParameter),
    ] {
        assert_eq!(error(line), wrong, "{line}");
    }
    for line in ["KEY", "KEY|2^48", "KEY|1", "KEY|281474976710656", "KEY WSH=64", "KEY|2^20 -UNHEARD_OF WSH=128"] {
        let line = format!("999999999 AES_CM_128_HMAC_SHA1_80 {line}").replace("KEY", key);
        let crypto = Crypto::parse(&line).expect(&line);
        assert_eq!((crypto.tag, crypto.suite), (999_999_999, Suite::AesCm128HmacSha1_80));
        assert!(!format!("{crypto:?}").contains("PS1u"), "a key never reaches a log");
        assert_eq!(Crypto::parse(&crypto.to_string()), Ok(crypto));
    }
}

#[test]
fn what_leaves_the_media_open_is_refused_with_its_line() {
    let error = |text: &str| Session::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error(""), ParseError::Empty);
    assert_eq!(error("\r\n \r\n"), ParseError::Empty);
    assert_eq!(error("hello"), ParseError::Line(1));
    assert_eq!(error("v=1\r\n"), ParseError::Version(1));
    assert_eq!(error("v=0\r\nc=IN IP4\r\n"), ParseError::Connection(2));
    assert_eq!(error("v=0\r\nc=IN IP4 1.2.3\r\n"), ParseError::Connection(2));
    assert_eq!(error("v=0\r\nm=audio 70000 RTP/AVP 0\r\n"), ParseError::Media(2));
    assert_eq!(error("v=0\r\nm=audio -1 RTP/AVP 0\r\n"), ParseError::Media(2));
    assert_eq!(error("v=0\r\nm=audio 4000 RTP/AVP\r\n"), ParseError::Media(2));
}

#[test]
fn a_description_made_to_hurt_is_refused() {
    let long = |line: &str, times| format!("v=0\r\n{}", line.repeat(times));
    for text in [long("a=x\r\n", 3_000), long("m=audio 1 RTP/AVP 0\r\n", 33), long(&"a".repeat(70_000), 1)] {
        assert_eq!(Session::parse(text.as_bytes()), Err(ParseError::TooLarge));
    }
}

#[test]
fn a_gateway_moves_the_stream_to_itself() {
    let mut session = read(EXCHANGE);
    session.rewrite_connection("127.0.222.10".parse().unwrap(), 30_000);
    let text = session.to_string();
    assert!(text.contains("c=IN IP4 127.0.222.10\r\n") && text.contains("m=audio 30000 RTP/AVP 4 0 8"));
    assert!(!text.contains("192.168.222.4") && !text.contains("crypto") && !text.contains("rtcp:"));
}
