//! One INVITE, several answers (RFC 3261 12, 13.2.2.4, 16.7 seen from below).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::endpoint::*;
use sip::message::*;
use sip::testing::*;

#[test]
fn each_fork_has_an_early_dialog_and_the_first_2xx_wins() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 180, "one", |_| {});
    test.answer("INVITE", 183, "two", |_| {});
    test.answer("INVITE", 180, "one", |_| {});
    test.answer("INVITE", 200, "two", |r| r.set_body("application/sdp", ANSWER.into()));
    let events = test.events(call);
    let forks: Vec<u32> = events
        .iter()
        .map(|event| match event {
            CallEvent::Provisional { fork, .. } | CallEvent::Answered { fork, .. } => fork.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(forks, [1, 2, 1, 2]);
    let ack = test.net.last("ACK").unwrap().request().unwrap();
    assert_eq!(ack.uri.to_string(), "sip:two@10.0.0.9");
    assert_eq!(ack.to_tag().unwrap(), "two");
    assert_eq!(test.net.endpoint(test.alice).call_info(call).unwrap().remote_tag.unwrap(), "two");
}

#[test]
fn the_2xx_of_a_further_fork_is_acknowledged_and_ended_and_the_call_goes_on() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |_| {});
    test.answer("INVITE", 200, "two", |_| {});
    let to: Vec<_> = test
        .net
        .sent
        .iter()
        .filter_map(|sent| sent.request())
        .filter(|request| request.method != Method::Invite)
        .map(|request| format!("{} {}", request.method, request.to_tag().unwrap()))
        .collect();
    assert_eq!(to, ["ACK one", "ACK two", "BYE two"]);
    let seqs: Vec<u32> = test.net.sent.iter().filter_map(|s| s.request()).map(|r| r.cseq().unwrap().seq).collect();
    assert_eq!(seqs[3], seqs[2] + 1);
    // Its 2xx again is only acknowledged again.
    test.answer("INVITE", 200, "two", |_| {});
    assert_eq!(test.net.count(test.alice, "ACK"), 3);
    let events = test.events(call);
    assert!(matches!(&events[..], [CallEvent::Answered { .. }]), "{events:?}");
}

#[test]
fn a_2xx_after_the_call_is_over_is_ended_too() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |_| {});
    test.net.with(test.alice, |alice, now| alice.hangup(call, &none(), now)).unwrap();
    test.answer("BYE", 200, "", |_| {});
    test.answer("INVITE", 200, "two", |_| {});
    assert_eq!(test.net.count(test.alice, "ACK"), 2);
    assert_eq!(test.net.last("BYE").unwrap().request().unwrap().to_tag().unwrap(), "two");
}

#[test]
fn a_provisional_response_without_tag_is_told_and_makes_no_dialog() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 180, "", |_| {});
    let events = test.events(call);
    assert!(matches!(&events[..], [CallEvent::Provisional { fork: ForkRef(0), .. }]), "{events:?}");
    assert!(test.net.endpoint(test.alice).call_info(call).unwrap().remote_tag.is_none());
    test.answer("INVITE", 200, "one", |_| {});
    assert!(matches!(&test.events(call)[..], [CallEvent::Answered { .. }]));
}

#[test]
fn more_forks_than_the_cap_are_not_remembered() {
    let mut net = Network::new(1);
    let alice = net.add_with(ALICE, |config| config.limits.forks = 3);
    let mut test = Alone { net, alice };
    let call = test.dial();
    test.net.run_ms(5);
    for fork in 0..10 {
        test.answer("INVITE", 180, &format!("fork{fork}"), |_| {});
    }
    assert_eq!(test.events(call).len(), 3);
}

#[test]
fn requests_follow_the_record_route_in_reverse() {
    let mut test = Alone::new();
    let call = test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |r| {
        r.headers.push(Name::RecordRoute, "<sip:10.0.0.7;lr>, <sip:10.0.0.8;lr>");
    });
    let ack = test.net.last("ACK").unwrap();
    assert_eq!(ack.to.to_string(), "10.0.0.8:5060");
    let ack = ack.request().unwrap();
    assert_eq!(ack.uri.to_string(), "sip:one@10.0.0.9");
    let routes: Vec<String> = ack.headers.values(&Name::Route).map(|route| route.to_string()).collect();
    assert_eq!(routes, ["<sip:10.0.0.8;lr>", "<sip:10.0.0.7;lr>"]);
    test.net.with(test.alice, |alice, now| alice.hangup(call, &none(), now)).unwrap();
    assert_eq!(test.net.last("BYE").unwrap().to.to_string(), "10.0.0.8:5060");
}

#[test]
fn a_strict_router_takes_its_place_in_the_request_uri() {
    let mut test = Alone::new();
    test.dial();
    test.net.run_ms(5);
    test.answer("INVITE", 200, "one", |r| r.headers.push(Name::RecordRoute, "<sip:10.0.0.8?x=y>"));
    let ack = test.net.last("ACK").unwrap();
    assert_eq!(ack.to.to_string(), "10.0.0.8:5060");
    let ack = ack.request().unwrap();
    assert_eq!(ack.uri.to_string(), "sip:10.0.0.8");
    assert_eq!(ack.headers.get(&Name::Route).unwrap(), &"<sip:one@10.0.0.9>");
}

#[test]
fn a_2xx_that_nobody_asked_for_is_not_answered() {
    let mut test = Alone::new();
    test.net.inject(
        THEM,
        ALICE,
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKnone\nFrom: <sip:a@b>;tag=x\nTo: <sip:c@d>;tag=y\n\
         Call-ID: z\nCSeq: 1 INVITE\nContact: <sip:victim@10.9.9.9>\nContent-Length: 0\n\n",
    );
    test.net.run(Duration::from_secs(1));
    assert!(test.net.sent.is_empty());
}
