//! Calls between two endpoints: made, answered, refused, cancelled, ended (RFC 3261 9, 13, 15).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::endpoint::*;
use sip::message::*;
use sip::testing::*;
use sip::{Text, Transport};

#[test]
fn a_call_rings_is_answered_and_ended_by_the_caller() {
    for to in [UDP, TCP] {
        let mut pair = Pair::new();
        let ours = dial(&mut pair, to);
        pair.net.run_ms(10);
        let (theirs, request, flow) = pair.net.incoming(pair.bob);
        assert_eq!(&request.body[..], OFFER.as_bytes());
        assert_eq!(flow.transport, if to == UDP { Transport::Udp } else { Transport::Tcp });
        pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 180, &none(), None, now)).unwrap();
        pair.net.run_ms(1000);
        pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
        pair.net.run_ms(10);
        let events = pair.net.call_events(pair.alice, ours);
        let [CallEvent::Provisional { response: ringing, .. }, CallEvent::Answered { response, .. }] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!((ringing.status, response.status), (180, 200));
        assert_eq!(ringing.to_tag(), response.to_tag());
        assert_eq!(&response.body[..], ANSWER.as_bytes());
        pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
        pair.net.run_ms(10);
        let events = pair.net.call_events(pair.bob, theirs);
        assert!(
            matches!(&events[..], [CallEvent::Acknowledged { .. }, CallEvent::Ended { cause: EndCause::Bye(_) }]),
            "{events:?}"
        );
        let events = pair.net.call_events(pair.alice, ours);
        assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::Local }]), "{events:?}");
        assert_eq!(
            pair.net.ladder(),
            ["INVITE", "100 (INVITE)", "180 (INVITE)", "200 (INVITE)", "ACK", "BYE", "200 (BYE)"]
        );
        assert_eq!(pair.net.endpoint(pair.alice).call_count() + pair.net.endpoint(pair.bob).call_count(), 0);
        assert_forgotten(&mut pair);
    }
}

#[test]
fn the_called_ends_a_call() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, TCP);
    pair.net.with(pair.bob, |bob, now| bob.hangup(theirs, &none(), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::Bye(_) }]), "{events:?}");
    assert_forgotten(&mut pair);
}

#[test]
fn a_redirection_is_reported_with_its_contact() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, TCP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    let mut headers = Headers::new();
    headers.push(Name::Contact, Text::from_static("<sip:43334@10.0.0.2:5065;transport=Tcp>"));
    pair.net.with(pair.bob, |bob, now| bob.reject(theirs, 302, &headers, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    let [CallEvent::Rejected { response, failure: None, flow: Some(flow), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(response.status, 302);
    assert_eq!(response.headers.get(&Name::Contact).unwrap(), &"<sip:43334@10.0.0.2:5065;transport=Tcp>");
    assert_eq!(flow.remote.to_string(), "10.0.0.2:5060");
    assert!(pair.net.call_events(pair.bob, theirs).is_empty());
    assert_forgotten(&mut pair);
}

#[test]
fn a_cancelled_call_ends_with_487_on_both_sides() {
    for to in [UDP, TCP] {
        let mut pair = Pair::new();
        let ours = dial(&mut pair, to);
        pair.net.run_ms(10);
        let (theirs, ..) = pair.net.incoming(pair.bob);
        pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
        pair.net.run_ms(10);
        let events = pair.net.call_events(pair.bob, theirs);
        assert!(matches!(&events[..], [CallEvent::Cancelled { .. }]), "{events:?}");
        let events = pair.net.call_events(pair.alice, ours);
        let [CallEvent::Rejected { response, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(response.status, 487);
        assert_forgotten(&mut pair);
    }
}

#[test]
fn a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
    pair.net.run_ms(20);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::Local }]), "{events:?}");
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(
        matches!(&events[..], [CallEvent::Acknowledged { .. }, CallEvent::Ended { cause: EndCause::Bye(_) }]),
        "{events:?}"
    );
    assert_forgotten(&mut pair);
}

#[test]
fn a_call_that_is_cancelled_before_any_answer_ends_too() {
    let mut pair = Pair::new();
    pair.net.dead.insert("10.0.0.2".parse().unwrap());
    let ours = dial(&mut pair, UDP);
    pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
    pair.net.run(Duration::from_secs(40));
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Rejected { .. }]), "{events:?}");
    assert_forgotten(&mut pair);
}

#[test]
fn a_lost_200_is_sent_again_until_its_ack() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.lose_first(3, |sent| sent.label() == "200 (INVITE)");
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run(Duration::from_secs(10));
    let at: Vec<u128> = pair.net.sent.iter().filter(|s| s.label() == "200 (INVITE)").map(|s| s.at).collect();
    assert_eq!(at, [10, 510, 1510, 3510]);
    assert_eq!(pair.net.call_events(pair.alice, ours).len(), 1);
    assert_eq!(pair.net.call_events(pair.bob, theirs).len(), 1);
}

#[test]
fn a_lost_ack_is_sent_again_for_each_repeated_200() {
    for to in [UDP, TCP] {
        let mut pair = Pair::new();
        let ours = dial(&mut pair, to);
        pair.net.run_ms(10);
        let (theirs, ..) = pair.net.incoming(pair.bob);
        pair.net.lose_first(2, |sent| sent.label() == "ACK");
        pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
        pair.net.run(Duration::from_secs(10));
        assert_eq!(pair.net.count(pair.alice, "ACK"), 3);
        assert_eq!(pair.net.call_events(pair.alice, ours).len(), 1);
        assert_eq!(pair.net.call_events(pair.bob, theirs).len(), 1);
    }
}

#[test]
fn a_200_that_nobody_acknowledges_is_ended_by_bye_after_64_t1() {
    let mut pair = Pair::new();
    dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.judge(|sent| if sent.label() == "ACK" { Fate::Lost } else { Fate::Arrives });
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run(Duration::from_secs(33));
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::NoAck }]), "{events:?}");
    assert_eq!(pair.net.last("BYE").unwrap().at, 32_010);
    assert_forgotten(&mut pair);
}

#[test]
fn the_called_that_hangs_up_before_the_ack_waits_for_it() {
    let mut pair = Pair::new();
    dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.with(pair.bob, |bob, now| bob.hangup(theirs, &none(), now)).unwrap();
    pair.net.run_ms(10);
    let ladder = pair.net.ladder();
    assert_eq!(ladder[2..], ["200 (INVITE)", "ACK", "BYE", "200 (BYE)"]);
    assert_forgotten(&mut pair);
}

#[test]
fn a_call_without_offer_gets_its_answer_in_the_ack() {
    let mut pair = Pair::new();
    let call = OutgoingCall { body: None, ..call_to(UDP) };
    let ours = pair.net.with(pair.alice, |alice, now| alice.invite(call, now)).unwrap();
    pair.net.run_ms(10);
    let (theirs, request, _) = pair.net.incoming(pair.bob);
    assert!(request.body.is_empty());
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    pair.net.run_ms(100);
    assert_eq!(pair.net.count(pair.alice, "ACK"), 0);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Answered { response, .. }] if response.body == OFFER), "{events:?}");
    pair.net.with(pair.alice, |alice, now| alice.acknowledge(ours, Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Acknowledged { body }] if body == ANSWER), "{events:?}");
}

#[test]
fn a_bye_in_an_early_dialog_ends_the_invite_with_487() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, request, _) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 180, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    let tag = pair.net.endpoint(pair.bob).call_info(theirs).unwrap().local_tag;
    let (call_id, from) = (request.call_id().unwrap(), request.headers.get(&Name::From).unwrap().clone());
    pair.net.inject(
        "10.0.0.1:5060",
        "10.0.0.2:5060",
        &format!(
            "BYE sip:bob@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKearly\nMax-Forwards: 70\nFrom: {from}\n\
             To: <sip:bob@10.0.0.2>;tag={tag}\nCall-ID: {call_id}\nCSeq: 4000000 BYE\nContent-Length: 0\n\n"
        ),
    );
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::Bye(_) }]), "{events:?}");
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[1..], [CallEvent::Rejected { response, .. }] if response.status == 487), "{events:?}");
    assert_forgotten(&mut pair);
}

#[test]
fn requests_within_a_call_go_up_and_their_answers_come_back() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, TCP);
    let mut headers = Headers::new();
    headers.push(Name::ReferTo, Text::from_static("<sip:27000@10.0.0.1>"));
    let refer =
        pair.net.with(pair.bob, |bob, now| bob.request_in_call(theirs, Method::Refer, &headers, None, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    let [CallEvent::Request { transaction, request }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(request.method, Method::Refer);
    let response = request.response(202);
    pair.net.with(pair.alice, |alice, now| alice.respond(*transaction, response, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    let [CallEvent::Response { transaction, response }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*transaction, response.status), (refer, 202));
    // OPTIONS within a dialog is answered by the endpoint.
    pair.net.with(pair.bob, |bob, now| bob.request_in_call(theirs, Method::Options, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    assert!(pair.net.last("200 (OPTIONS)").unwrap().response().unwrap().headers.lists(&Name::Allow, "UPDATE"));
}

#[test]
fn a_call_survives_a_rough_network() {
    for seed in 0..30 {
        let mut pair = Pair::new();
        pair.net = Network::new(seed);
        pair.alice = pair.net.add("10.0.0.1:5060");
        pair.bob = pair.net.add("10.0.0.2:5060");
        pair.net.be_rough(25, 15, 20);
        let ours = dial(&mut pair, UDP);
        pair.net.run(Duration::from_secs(20));
        let (theirs, ..) = pair.net.incoming(pair.bob);
        pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 183, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
        pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), None, now)).unwrap();
        pair.net.run(Duration::from_secs(60));
        let events = pair.net.call_events(pair.alice, ours);
        assert!(matches!(events.last(), Some(CallEvent::Answered { .. })), "{seed}: {events:?}");
        pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
        pair.net.run(Duration::from_secs(60));
        let events = pair.net.call_events(pair.bob, theirs);
        assert!(matches!(events.last(), Some(CallEvent::Ended { cause: EndCause::Bye(_) })), "{seed}: {events:?}");
        assert_forgotten(&mut pair);
    }
}

#[test]
fn a_200_with_an_offer_that_comes_again_waits_for_the_answer_too() {
    let mut pair = Pair::new();
    let call = OutgoingCall { body: None, ..call_to(UDP) };
    let ours = pair.net.with(pair.alice, |alice, now| alice.invite(call, now)).unwrap();
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    pair.net.run_ms(2000);
    assert_eq!(pair.net.count(pair.bob, "200 (INVITE)"), 3);
    assert_eq!(pair.net.ladder().last().unwrap(), "200 (INVITE)");
    pair.net.with(pair.alice, |alice, now| alice.acknowledge(ours, Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run(Duration::from_secs(30));
    assert_eq!(pair.net.ladder().last().unwrap(), "ACK");
}

#[test]
fn a_reinvite_that_is_answered_after_the_end_is_acknowledged_all_the_same() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, UDP);
    pair.net.with(pair.alice, |alice, now| alice.offer(ours, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    pair.net.run_ms(10);
    pair.net.with(pair.bob, |bob, now| bob.answer_offer(theirs, 200, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
    pair.net.run_ms(20);
    assert_eq!(pair.net.count(pair.alice, "ACK"), 2);
    assert_forgotten(&mut pair);
}

#[test]
fn a_preview_of_media_goes_unreliably_and_leaves_the_answer_open() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.preview(theirs, 183, &none(), Some(Body::sdp("v=0 early")), now)).unwrap();
    pair.net.run_ms(10);
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    assert_eq!(pair.net.count(pair.alice, "PRACK"), 0);
    let events = pair.net.call_events(pair.alice, ours);
    let [CallEvent::Provisional { response: early, .. }, CallEvent::Answered { response, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((&early.body[..], &response.body[..]), (&b"v=0 early"[..], ANSWER.as_bytes()));
}
