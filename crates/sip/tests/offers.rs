//! Offers within a call: hold and resume, UPDATE, glare, session timers (RFC 3261 14, RFC 3311, RFC 4028).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::endpoint::*;
use sip::message::*;
use sip::testing::*;

const HOLD: &str = "v=0 hold";
const HELD: &str = "v=0 held";

#[test]
fn a_call_is_held_and_resumed_by_reinvite_from_either_side() {
    for to in [UDP, TCP] {
        let mut pair = Pair::new();
        let (ours, theirs) = talk(&mut pair, to);
        for (offerer, call, answerer, other) in [
            (pair.alice, ours, pair.bob, theirs),
            (pair.bob, theirs, pair.alice, ours),
            (pair.alice, ours, pair.bob, theirs),
        ] {
            pair.net.with(offerer, |e, now| e.offer(call, &none(), Some(Body::sdp(HOLD)), now)).unwrap();
            pair.net.run_ms(10);
            let events = pair.net.call_events(answerer, other);
            let [CallEvent::Offer { request }] = &events[..] else { panic!("{events:?}") };
            assert_eq!(request.body, HOLD);
            pair.net.with(answerer, |e, now| e.answer_offer(other, 200, &none(), Some(Body::sdp(HELD)), now)).unwrap();
            pair.net.run_ms(10);
            let events = pair.net.call_events(offerer, call);
            assert!(matches!(&events[..], [CallEvent::Answer { response }] if response.body == HELD), "{events:?}");
        }
        assert_eq!(pair.net.ladder()[5..8], ["100 (INVITE)", "200 (INVITE)", "ACK"]);
        pair.net.with(pair.alice, |alice, now| alice.hangup(ours, &none(), now)).unwrap();
        assert_forgotten(&mut pair);
    }
}

#[test]
fn a_refused_offer_changes_nothing() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, UDP);
    pair.net.with(pair.alice, |alice, now| alice.offer(ours, &none(), Some(Body::sdp(HOLD)), now)).unwrap();
    pair.net.run_ms(10);
    pair.net.with(pair.bob, |bob, now| bob.answer_offer(theirs, 488, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Answer { response }] if response.status == 488), "{events:?}");
    assert_eq!(pair.net.endpoint(pair.alice).call_info(ours).unwrap().state, CallState::Established);
}

#[test]
fn a_reinvite_without_offer_gets_one_and_answers_in_the_ack() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, UDP);
    pair.net.with(pair.alice, |alice, now| alice.offer(ours, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    pair.net.with(pair.bob, |bob, now| bob.answer_offer(theirs, 200, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    pair.net.run_ms(10);
    pair.net.with(pair.alice, |alice, now| alice.acknowledge(ours, Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[1..], [CallEvent::Acknowledged { body }] if body == ANSWER), "{events:?}");
}

#[test]
fn crossing_offers_get_491_and_come_again_one_after_the_other() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, UDP);
    pair.net.with(pair.alice, |alice, now| alice.offer(ours, &none(), Some(Body::sdp(HOLD)), now)).unwrap();
    pair.net.with(pair.bob, |bob, now| bob.offer(theirs, &none(), Some(Body::sdp(HOLD)), now)).unwrap();
    let began = pair.net.elapsed();
    let mut answered = 0;
    for _ in 0..1000 {
        pair.net.run_ms(10);
        for (node, call) in [(pair.alice, ours), (pair.bob, theirs)] {
            for event in pair.net.call_events(node, call) {
                match event {
                    CallEvent::Offer { .. } => {
                        pair.net
                            .with(node, |e, now| e.answer_offer(call, 200, &none(), Some(Body::sdp(HELD)), now))
                            .unwrap();
                    }
                    CallEvent::Answer { response } => {
                        assert_eq!(response.status, 200);
                        answered += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(answered, 2);
    assert_eq!(pair.net.count(pair.alice, "491 (INVITE)"), 1);
    assert_eq!(pair.net.count(pair.bob, "491 (INVITE)"), 1);
    // The called waits up to 2 s, who owns the Call-ID 2.1 to 4 s (14.1).
    let again: Vec<(NodeId, u128)> = pair
        .net
        .sent
        .iter()
        .filter(|sent| sent.label() == "INVITE" && sent.at > began)
        .map(|sent| (sent.node, sent.at - began))
        .collect();
    assert!(again[0].0 == pair.bob && again[0].1 <= 2003, "{again:?}");
    assert!(again[1].0 == pair.alice && (2100..=4003).contains(&again[1].1), "{again:?}");
}

#[test]
fn a_second_reinvite_before_the_first_is_answered_gets_500_with_retry_after() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |_| {});
    test.request(Method::Invite, "one", 5, |r| r.set_body("application/sdp", HOLD.into()));
    test.request(Method::Invite, "one", 6, |r| r.set_body("application/sdp", HOLD.into()));
    let refused = test.net.last("500 (INVITE)").unwrap().response().unwrap();
    assert!(refused.headers.sound::<header::RetryAfter>().unwrap().0 <= 10);
    let events = test.events(call);
    assert_eq!(events.len(), 2, "{events:?}");
}

#[test]
fn a_request_out_of_order_gets_500() {
    let mut test = Alone::new();
    test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |_| {});
    test.request(Method::Info, "one", 5, |_| {});
    test.request(Method::Info, "one", 4, |_| {});
    assert_eq!(test.net.count(test.alice, "500 (INFO)"), 1);
    test.request(Method::Info, "stranger", 6, |_| {});
    assert_eq!(test.net.count(test.alice, "481 (INFO)"), 1);
}

#[test]
fn an_offer_before_the_ack_waits_for_it() {
    let mut pair = Pair::new();
    dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| {
        bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now).unwrap();
        bob.offer(theirs, &none(), Some(Body::sdp(HOLD)), now).unwrap();
    });
    pair.net.run_ms(10);
    assert_eq!(pair.net.ladder()[2..5], ["200 (INVITE)", "ACK", "INVITE"]);
}

#[test]
fn a_cancelled_reinvite_is_withdrawn() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |_| {});
    test.request(Method::Invite, "one", 5, |r| r.set_body("application/sdp", HOLD.into()));
    test.request(Method::Cancel, "one", 5, |r| {
        r.headers.set(Name::Via, "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKINVITE5one")
    });
    let events = test.events(call);
    assert!(matches!(&events[1..], [CallEvent::Offer { .. }, CallEvent::OfferWithdrawn]), "{events:?}");
    assert_eq!(test.net.count(test.alice, "487 (INVITE)"), 1);
    assert_eq!(test.net.endpoint(test.alice).call_count(), 1);
}

#[test]
fn an_update_changes_the_media_of_an_early_call() {
    let mut pair = Pair::new();
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, ..) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 183, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    pair.net.call_events(pair.bob, theirs);
    pair.net.with(pair.alice, |alice, now| alice.offer(ours, &none(), Some(Body::sdp(HOLD)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.bob, theirs);
    assert!(matches!(&events[..], [CallEvent::Offer { request }] if request.method == Method::Update), "{events:?}");
    pair.net.with(pair.bob, |bob, now| bob.answer_offer(theirs, 200, &none(), Some(Body::sdp(HELD)), now)).unwrap();
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), None, now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[1..], [CallEvent::Answer { .. }, CallEvent::Answered { .. }]), "{events:?}");
}

#[test]
fn an_update_with_an_offer_while_the_invites_own_is_open_is_refused() {
    let mut pair = Pair::new();
    dial(&mut pair, UDP);
    pair.net.run_ms(10);
    let (theirs, request, _) = pair.net.incoming(pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.progress(theirs, 180, &none(), None, now)).unwrap();
    let tag = pair.net.endpoint(pair.bob).call_info(theirs).unwrap().local_tag;
    let mut update = Request::new(Method::Update, "sip:bob@10.0.0.2".parse().unwrap());
    update.headers.push(Name::Via, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKupdate");
    update.headers.push(Name::From, request.headers.get(&Name::From).unwrap().clone());
    update.headers.push(Name::To, format!("<sip:bob@10.0.0.2>;tag={tag}"));
    update.headers.push(Name::CallId, request.call_id().unwrap());
    update.headers.push(Name::CSeq, "900000 UPDATE");
    update.headers.push(Name::Contact, "<sip:alice@10.0.0.1>");
    update.set_body("application/sdp", HOLD.into());
    pair.net.inject_message(ALICE, "10.0.0.2:5060", update);
    pair.net.run_ms(10);
    assert!(pair.net.last("500 (UPDATE)").unwrap().response().unwrap().headers.has(&Name::RetryAfter));
}

// ---- session timers ----

fn short(config: &mut EndpointConfig) {
    config.session_expires = Some(Duration::from_secs(120));
}

#[test]
fn a_session_is_refreshed_by_update_at_half_of_its_interval_and_lives_on() {
    let mut pair = Pair::with(short, |_| {});
    let (ours, theirs) = talk(&mut pair, TCP);
    let granted = pair.net.last("200 (INVITE)").unwrap().response().unwrap();
    assert_eq!(granted.headers.get(&Name::SessionExpires).unwrap(), &"120;refresher=uac");
    pair.net.run(Duration::from_secs(600));
    assert_eq!(pair.net.count(pair.alice, "UPDATE"), 9);
    assert!(pair.net.call_events(pair.alice, ours).is_empty());
    assert!(pair.net.call_events(pair.bob, theirs).is_empty());
}

#[test]
fn a_peer_without_update_is_refreshed_by_reinvite_with_the_same_sdp() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |r| {
        r.headers.push(Name::Allow, "INVITE, ACK, BYE");
        r.headers.push(Name::SessionExpires, "90;refresher=uac");
    });
    test.net.run(Duration::from_secs(46));
    let again = test.net.last("INVITE").unwrap().request().unwrap().clone();
    assert_eq!(again.body, OFFER);
    assert_eq!(again.headers.get(&Name::SessionExpires).unwrap(), &"90;refresher=uac");
    test.answer("INVITE", 200, "", |r| r.headers.push(Name::SessionExpires, "90;refresher=uac"));
    assert_eq!(test.net.count(test.alice, "ACK"), 2);
    test.net.run(Duration::from_secs(40));
    assert_eq!(test.events(call).len(), 1);
}

#[test]
fn a_session_that_nobody_refreshes_is_ended_by_bye() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |r| r.headers.push(Name::SessionExpires, "120;refresher=uas"));
    test.events(call);
    test.net.run(Duration::from_secs(89));
    let events = test.events(call);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::SessionExpired }]), "{events:?}");
    assert!(test.net.count(test.alice, "BYE") >= 1);
}

#[test]
fn a_refresh_by_the_peer_keeps_the_session() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |r| r.headers.push(Name::SessionExpires, "120;refresher=uas"));
    for seq in 1..10 {
        test.net.run(Duration::from_secs(60));
        test.request(Method::Update, "one", seq, |r| {
            r.headers.push(Name::Supported, "timer");
            r.headers.push(Name::SessionExpires, "120;refresher=uac");
        });
        let granted = test.net.last("200 (UPDATE)").unwrap().response().unwrap();
        assert_eq!(granted.headers.get(&Name::SessionExpires).unwrap(), &"120;refresher=uac");
    }
    assert_eq!(test.events(call).len(), 1);
}

#[test]
fn a_peer_that_wants_a_longer_interval_is_asked_again_with_it() {
    let mut pair = Pair::with(short, |config| config.min_session_expires = Duration::from_secs(300));
    let ours = dial(&mut pair, UDP);
    pair.net.run_ms(20);
    assert_eq!(pair.net.count(pair.bob, "422 (INVITE)"), 1);
    let (theirs, request, _) = pair.net.incoming(pair.bob);
    assert_eq!(request.headers.get(&Name::SessionExpires).unwrap(), &"300");
    pair.net.with(pair.bob, |bob, now| bob.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Answered { .. }]), "{events:?}");
    assert_eq!(pair.net.count(pair.alice, "ACK"), 2);
}

#[test]
fn a_refresh_that_gets_481_ends_the_call() {
    let mut pair = Pair::with(short, |_| {});
    let (ours, theirs) = talk(&mut pair, UDP);
    // Bob loses his mind: his BYE goes nowhere.
    pair.net.judge(|sent| if sent.label() == "BYE" { Fate::Lost } else { Fate::Arrives });
    pair.net.with(pair.bob, |bob, now| bob.hangup(theirs, &none(), now)).unwrap();
    pair.net.run(Duration::from_secs(61));
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(&events[..], [CallEvent::Ended { cause: EndCause::Lost }]), "{events:?}");
}
