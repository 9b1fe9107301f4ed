//! Whatever comes in: an error, or a description that is written and read again the same.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use sdp::{Local, Session, accept, answer, reoffer};

fn exercise(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(session) = Session::parse(bytes) else { return Ok(()) };
    let written = session.to_bytes();
    let again = Session::parse(&written);
    prop_assert_eq!(again.as_ref(), Ok(&session), "{}", String::from_utf8_lossy(&written));
    let local = Local::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4_000, 1);
    if let Ok((answered, _)) = answer(&session, &local) {
        prop_assert_eq!(answered.media.len(), session.media.len());
        let _ = reoffer(&local, &answered);
    }
    let _ = accept(&local, &session);
    for media in &session.media {
        let _ = media.cryptos().count();
    }
    let mut moved = session;
    moved.rewrite_connection(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
    Ok(())
}

/// Lines that look enough like SDP to get deep into it.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("v=0".to_string()),
        "o=[a-z -]{0,9} [0-9]{0,25} [0-9]{0,25} IN IP4 [0-9a-f.:]{1,12}",
        "s=.{0,12}",
        "t=[0-9 ]{0,9}",
        "c=IN IP[46] ([0-9]{1,3}\\.){3}[0-9]{1,3}(/127)?",
        "c=IN IP6 [0-9a-f:]{2,16}",
        "m=(audio|video) [0-9]{1,5}(/2)? (RTP/AVP|RTP/SAVP|RTP/AVPF)( [0-9]{1,3}){1,5}",
        "a=rtpmap:[0-9]{1,3} (PCMA|pcmu|telephone-event|G729)/[0-9]{1,5}(/[0-9])?",
        "a=(sendrecv|sendonly|inactive|recvonly|ptime:[0-9]{1,6}|maxptime:[0-9]{1,6}|rtcp:[0-9]{1,6}.{0,16})",
        "a=crypto:.{0,40}",
        "a=fmtp:[0-9]{1,3} .{0,12}",
        "a=.{0,12}",
        "[a-z]=.{0,12}",
        ".{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes)?;
    }

    #[test]
    fn what_is_read_is_written_and_read_the_same(lines in prop::collection::vec(line(), 1..20), crlf in any::<bool>()) {
        exercise(lines.join(if crlf { "\r\n" } else { "\n" }).as_bytes())?;
    }
}
