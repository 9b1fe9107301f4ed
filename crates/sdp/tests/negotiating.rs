//! Offer and answer (RFC 3264).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{IpAddr, Ipv4Addr};

use sdp::{AnswerError, Codec, Direction, Local, OfferError, Order, Session, accept, answer, offer, reoffer};

fn us() -> Local {
    Local::new(IpAddr::V4(Ipv4Addr::new(127, 0, 222, 4)), 30_000, 77)
}

fn read(text: &str) -> Session {
    Session::parse(text.as_bytes()).expect(text)
}

/// An offer with these `m=` and `a=` lines.
fn theirs(lines: &str) -> Session {
    read(&format!("v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n{lines}"))
}

#[test]
fn an_offer_has_both_laws_and_the_keys() {
    let text = offer(&us()).to_string();
    assert_eq!(
        text,
        "v=0\r\no=- 77 77 IN IP4 127.0.222.4\r\ns=-\r\nc=IN IP4 127.0.222.4\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15,36\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn both_ends_agree_on_the_same() {
    let caller = us();
    let callee = Local { port: 40_000, ..us() };
    let (description, at_callee) = answer(&offer(&caller), &callee).unwrap();
    let at_caller = accept(&caller, &description).unwrap();
    assert_eq!(at_callee.codec, at_caller.codec);
    assert_eq!((at_callee.dtmf, at_caller.dtmf), (Some(101), Some(101)));
    assert_eq!((at_callee.remote.port(), at_caller.remote.port()), (30_000, 40_000));
    assert!(!at_callee.held && !at_caller.held);
}

#[test]
fn the_order_of_codecs_is_whose_policy_says() {
    let offered = theirs("m=audio 4000 RTP/AVP 0 8\r\n");
    let choice = |order| answer(&offered, &Local { order, ..us() }).unwrap().1.codec;
    assert_eq!(choice(Order::Theirs), Codec::Pcmu);
    assert_eq!(choice(Order::Ours), Codec::Pcma);
}

#[test]
fn the_answer_names_one_codec_by_the_offers_numbers() {
    let offered = theirs(
        "m=audio 4000 RTP/AVP 96 97 0\r\na=rtpmap:96 pcma/8000\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-16\r\n",
    );
    let (description, negotiated) = answer(&offered, &us()).unwrap();
    assert_eq!(description.media[0].formats, ["96", "97"]);
    assert_eq!((negotiated.payload_type, negotiated.payload_type_receive), (96, 96));
    assert_eq!((negotiated.dtmf, negotiated.dtmf_receive), (Some(97), Some(97)));
}

#[test]
fn keys_on_another_clock_are_not_taken() {
    let offered = theirs("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/48000\r\n");
    let (description, negotiated) = answer(&offered, &us()).unwrap();
    assert_eq!(negotiated.dtmf, None);
    assert_eq!(description.media[0].formats, ["0"]);
}

#[test]
fn an_answers_own_number_for_keys_is_used_towards_it() {
    let answered = theirs("m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n");
    let negotiated = accept(&us(), &answered).unwrap();
    assert_eq!((negotiated.dtmf, negotiated.dtmf_receive), (Some(96), Some(101)));
}

#[test]
fn streams_that_are_not_audio_are_declined_in_their_places() {
    let offered = theirs(
        "m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\nm=image 6000 udptl t38\r\nm=audio 4002 RTP/AVP 0\r\n",
    );
    let (description, negotiated) = answer(&offered, &us()).unwrap();
    let shape: Vec<_> = description.media.iter().map(|media| (media.kind.as_str(), media.port)).collect();
    assert_eq!(shape, [("video", 0), ("audio", 30_000), ("image", 0), ("audio", 0)]);
    assert_eq!(negotiated.remote.port(), 4000);
}

#[test]
fn a_feedback_profile_is_answered_in_kind() {
    let (description, _) = answer(&theirs("m=audio 4000 RTP/AVPF 0\r\n"), &us()).unwrap();
    assert_eq!(description.media[0].protocol, "RTP/AVPF");
}

#[test]
fn an_unsecured_stream_beside_a_secured_one_is_taken() {
    let offered = theirs("m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\n");
    let (description, negotiated) = answer(&offered, &us()).unwrap();
    assert_eq!(negotiated.remote.port(), 4002);
    assert_eq!(description.media[0].port, 0);
}

#[test]
fn hold_is_heard_in_every_dialect() {
    let held = |lines: &str| answer(&theirs(lines), &us()).unwrap().1;
    let sendonly = held("m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n");
    assert_eq!((sendonly.held, sendonly.direction), (true, Direction::RecvOnly));
    let inactive = held("m=audio 4000 RTP/AVP 8\r\na=inactive\r\n");
    assert_eq!((inactive.held, inactive.direction), (true, Direction::Inactive));
    let old = held("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 0.0.0.0\r\n");
    assert_eq!((old.held, old.direction), (true, Direction::RecvOnly));
    let listening = held("m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n");
    assert_eq!((listening.held, listening.direction), (false, Direction::SendOnly));
}

#[test]
fn a_hold_of_ours_is_no_hold_of_theirs() {
    let holding = Local { direction: Direction::SendOnly, ..us() };
    assert!(offer(&holding).to_string().contains("a=sendonly"));
    let negotiated = accept(&holding, &theirs("m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n")).unwrap();
    assert_eq!((negotiated.held, negotiated.direction), (false, Direction::SendOnly));
}

#[test]
fn a_stream_removed_by_the_peer_stays_removed_and_the_call_goes_on() {
    let (description, negotiated) = answer(&theirs("m=audio 0 RTP/AVP 8\r\n"), &us()).unwrap();
    assert_eq!(description.media[0].port, 0);
    assert_eq!((negotiated.remote.port(), negotiated.direction), (0, Direction::Inactive));
}

#[test]
fn packets_are_as_long_as_the_peer_asks() {
    let ptime = |lines: &str| answer(&theirs(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}")), &us()).unwrap().1.ptime_ms;
    assert_eq!(ptime(""), 20);
    assert_eq!(ptime("a=ptime:30\r\n"), 30);
    assert_eq!(ptime("a=ptime:200\r\n"), 60);
    assert_eq!(ptime("a=ptime:0\r\n"), 20);
    assert_eq!(ptime("a=ptime:60\r\na=maxptime:40\r\n"), 40);
    assert_eq!(ptime("a=maxptime:5\r\n"), 10);
}

#[test]
fn rtcp_goes_where_it_is_told() {
    let rtcp = |lines: &str| answer(&theirs(&format!("m=audio 4000 RTP/AVP 8\r\n{lines}")), &us()).unwrap().1.rtcp;
    assert_eq!(rtcp("").to_string(), "10.0.0.9:4001");
    assert_eq!(rtcp("a=rtcp:4711\r\n").to_string(), "10.0.0.9:4711");
    assert_eq!(rtcp("a=rtcp:4711 IN IP4 10.0.0.8\r\n").to_string(), "10.0.0.8:4711");
    assert_eq!(rtcp("a=rtcp:nonsense\r\n").to_string(), "10.0.0.9:4001");
}

#[test]
fn candidates_and_muxing_are_passed_over() {
    let lines =
        "m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\na=ice-ufrag:x\r\na=candidate:1 1 UDP 1 10.0.0.9 4000 typ host\r\n";
    let (description, _) = answer(&theirs(lines), &us()).unwrap();
    assert!(!description.to_string().contains("rtcp-mux") && !description.to_string().contains("ice"));
}

#[test]
fn an_offer_that_cannot_be_taken_says_why() {
    let refused = |text: &str| answer(&read(text), &us()).unwrap_err();
    let c = "v=0\r\nc=IN IP4 10.0.0.9\r\n";
    assert_eq!(refused("v=0\r\n"), OfferError::NoAudio);
    assert_eq!(refused(&format!("{c}m=video 4000 RTP/AVP 96\r\n")), OfferError::NoAudio);
    assert_eq!(refused(&format!("{c}m=audio 4000 RTP/SAVP 8\r\n")), OfferError::Secured);
    assert_eq!(refused("v=0\r\nm=audio 4000 RTP/AVP 8\r\n"), OfferError::NoAddress);
    assert_eq!(refused("v=0\r\nc=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 8\r\n"), OfferError::BadAddress);
    assert_eq!(refused("v=0\r\nc=IN IP4 255.255.255.255\r\nm=audio 4000 RTP/AVP 8\r\n"), OfferError::BadAddress);
    assert_eq!(refused("v=0\r\nc=IN IP4 phone.example\r\nm=audio 4000 RTP/AVP 8\r\n"), OfferError::BadAddress);
    assert_eq!(refused(&format!("{c}m=audio 4000 RTP/AVP 18 99\r\n")), OfferError::NoCodec);
}

#[test]
fn an_answer_that_leaves_no_stream_says_why() {
    let refused = |lines: &str| accept(&us(), &theirs(lines)).unwrap_err();
    assert_eq!(refused(""), AnswerError::NoAudio);
    assert_eq!(refused("m=audio 0 RTP/AVP 8\r\n"), AnswerError::Declined);
    assert_eq!(refused("m=audio 4000 RTP/SAVP 8\r\n"), AnswerError::Transport);
    assert_eq!(refused("m=audio 4000 RTP/AVP 18\r\n"), AnswerError::NoCodec);
    assert_eq!(refused("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 224.0.0.1\r\n"), AnswerError::BadAddress);
}

#[test]
fn the_version_rises_with_each_change_and_only_then() {
    let first = offer(&us());
    let same = reoffer(&us(), &first);
    assert_eq!(same, first);
    let held = reoffer(&Local { direction: Direction::SendOnly, ..us() }, &first);
    assert_eq!((held.origin.session_id.as_str(), held.origin.version.as_str()), ("77", "78"));
    let back = reoffer(&us(), &held);
    assert_eq!(back.origin.version, "79");
}

#[test]
fn a_later_offer_keeps_the_places_of_declined_streams() {
    let offered = theirs("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\n");
    let (answered, _) = answer(&offered, &us()).unwrap();
    let again = reoffer(&us(), &answered);
    let shape: Vec<_> = again.media.iter().map(|media| (media.kind.as_str(), media.port)).collect();
    assert_eq!(shape, [("video", 0), ("audio", 30_000)]);
}

#[test]
fn a_side_without_codecs_or_keys_agrees_to_none() {
    let mute = Local { codecs: vec![], ..us() };
    assert_eq!(answer(&offer(&us()), &mute).unwrap_err(), OfferError::NoCodec);
    let deaf = Local { dtmf: None, ..us() };
    assert_eq!(answer(&offer(&us()), &deaf).unwrap().1.dtmf, None);
}
