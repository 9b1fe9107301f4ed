//! Reliable provisional responses (RFC 3262), both ways.
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::endpoint::*;
use sip::message::*;
use sip::testing::*;

#[test]
fn a_ringing_with_sdp_is_acknowledged_by_prack_and_the_2xx_waits_for_it() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| {
        bob.progress(theirs, 183, &none(), Some(Body::sdp(ANSWER)), now).unwrap();
        bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now).unwrap();
    });
    pair.net.run_ms(20);
    assert_eq!(
        pair.net.ladder(),
        ["INVITE", "100 (INVITE)", "183 (INVITE)", "PRACK", "200 (PRACK)", "200 (INVITE)", "ACK"]
    );
    // RFC 6337: the answer went reliably; the 2xx has none.
    assert!(pair.net.last("200 (INVITE)").unwrap().response().unwrap().body.is_empty());
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Provisional { .. }, CallEvent::Answered { .. }]), "{events:?}");
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(
        matches!(&events[..], [CallEvent::ProvisionalAcknowledged { .. }, CallEvent::Acknowledged { .. }]),
        "{events:?}"
    );
    pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
    assert_forgotten(&mut pair);
}

#[test]
fn a_ringing_without_sdp_is_reliable_only_when_the_caller_requires_it() {
    let mut pair = Pair::new();
    dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 180, &none(), None, now)).unwrap();
    assert!(!pair.net.last("180 (INVITE)").unwrap().response().unwrap().headers.has(&Name::RSeq));

    let mut headers = Headers::new();
    headers.push(Name::Require, "100rel");
    let call = OutgoingCall { headers, ..call_to(UDP) };
    pair.net.with(pair.alice, |alice, now| alice.invite(call, now)).unwrap();
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 180, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    assert!(pair.net.last("180 (INVITE)").unwrap().response().unwrap().headers.lists(&Name::Require, "100rel"));
    assert_eq!(pair.net.count(pair.alice, "PRACK"), 1);
}

#[test]
fn responses_are_reliable_in_order_and_numbered_one_by_one() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| {
        bob.progress(theirs, 183, &none(), Some(Body::sdp("v=0 a")), now).unwrap();
        bob.progress(theirs, 183, &none(), Some(Body::sdp("v=0 b")), now).unwrap();
    });
    pair.net.run_ms(20);
    let rseqs: Vec<u32> = pair
        .net
        .sent
        .iter()
        .filter_map(|sent| sent.response()?.headers.sound::<header::RSeq>())
        .map(|rseq| rseq.0)
        .collect();
    assert_eq!(rseqs.len(), 2);
    assert_eq!(rseqs[1], rseqs[0] + 1);
    assert_eq!(pair.net.call_events(pair.alice, ours).len(), 2);
}

#[test]
fn a_lost_reliable_response_comes_again_and_a_lost_prack_too() {
    for lost in ["183 (INVITE)", "PRACK", "200 (PRACK)"] {
        let mut pair = Pair::new();
        let ours = dial(&mut pair, UDP);
        pair.net.run_ms(10);
        let (theirs, ..) = pair.net.incoming(pair.bob);
        pair.net.lose_first(2, move |sent| sent.label() == lost);
        pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 183, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
        pair.net.run(Duration::from_secs(10));
        assert_eq!(pair.net.call_events(pair.alice, ours).len(), 1, "{lost}");
        assert_eq!(pair.net.call_events(pair.bob, theirs).len(), 1, "{lost}");
    }
}

#[test]
fn without_prack_the_invite_is_refused_with_504_after_64_t1() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.judge(|sent| if sent.label() == "PRACK" { Fate::Lost } else { Fate::Arrives });
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 183, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run(Duration::from_secs(33));
    let at: Vec<u128> = pair.net.sent.iter().filter(|s| s.label() == "183 (INVITE)").map(|s| s.at - 10).collect();
    assert_eq!(at, [0, 500, 1500, 3500, 7500, 15500, 31500]);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::NoPrack }]), "{events:?}");
    let events = pair.net.call_events(pair.alice, ours);
    assert!(
        matches!(events.last(), Some(CallEvent::Rejected { response, .. }) if response.status == 504),
        "{events:?}"
    );
    assert_forgotten(&mut pair);
}

#[test]
fn a_late_offer_in_a_reliable_response_is_answered_in_its_prack() {
    let mut pair = Pair::new();
    let call = OutgoingCall { body: None, ..call_to(UDP) };
    let ours = pair.net.with(pair.alice, |alice, now| alice.invite(call, now)).unwrap();
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 183, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    pair.net.run_ms(10);
    assert_eq!(pair.net.count(pair.alice, "PRACK"), 0);
    pair.net.with(pair.alice, |alice, now| alice.acknowledge(ours, Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::ProvisionalAcknowledged { body }] if body == ANSWER), "{events:?}");
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(events.last(), Some(CallEvent::Answered { .. })), "{events:?}");
    assert_eq!(pair.net.count(pair.alice, "ACK"), 1);
}

#[test]
fn a_response_out_of_order_is_neither_told_nor_acknowledged() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    let reliable = |rseq: &'static str| {
        move |r: &mut Response| {
            r.headers.push(Name::Require, "100rel");
            r.headers.push(Name::RSeq, rseq);
        }
    };
    test.answer("INVITE", 183, "one", reliable("7"));
    test.answer("INVITE", 183, "one", reliable("9"));
    test.answer("INVITE", 183, "one", reliable("7"));
    assert_eq!(test.events(call).len(), 1);
    let prack = test.net.last("PRACK").unwrap().request().unwrap();
    let rack = prack.headers.sound::<header::RAck>().unwrap();
    let invite = test.net.sent[0].request().unwrap().cseq().unwrap();
    assert_eq!((rack.rseq, rack.cseq, rack.method), (7, invite.seq, Method::Invite));
}

#[test]
fn a_prack_that_matches_nothing_gets_481() {
    let mut pair = Pair::new();
    let (ours, _) = talk(&mut pair, UDP);
    // The owner can't send PRACK; a stranger's is put on the wire.
    let info = pair.net.endpoint(pair.alice).call_info(ours).unwrap();
    let mut request = Request::new(Method::Prack, "sip:bob@10.0.0.2".parse().unwrap());
    request.headers.push(Name::Via, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKprack");
    request.headers.push(Name::From, info.local.to_string());
    request.headers.push(Name::To, info.remote.to_string());
    request.headers.push(Name::CallId, info.call_id);
    request.headers.push(Name::CSeq, "100000 PRACK");
    request.headers.push(Name::RAck, "1 2 INVITE");
    pair.net.inject_message(ALICE, "10.0.0.2:5060", request);
    pair.net.run_ms(10);
    assert_eq!(pair.net.count(pair.bob, "481 (PRACK)"), 1);
}
