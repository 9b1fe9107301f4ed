//! Where requests go: failover, grey list, challenges, NAT, connections (RFC 3263, RFC 3261 22, RFC 3581).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::Transport;
use sip::digest::{Challenge, Credentials, Ha1};
use sip::endpoint::*;
use sip::flow::ListenerId;
use sip::message::*;
use sip::target::{Answer, SrvRecord};
use sip::testing::*;

fn srv(port: u16, priority: u16, target: &str) -> SrvRecord {
    SrvRecord { priority, weight: 0, port, target: target.to_owned() }
}

/// Alice, and two servers behind one name.
fn two_servers() -> (Network, NodeId, NodeId, NodeId) {
    let mut net = Network::new(1);
    let alice = net.add("10.0.0.1:5060");
    let one = net.add("10.0.0.4:5060");
    let two = net.add("10.0.0.5:5060");
    net.zone.insert("_sip._tcp.um.test".into(), Answer::Srv(vec![srv(5060, 1, "one.test"), srv(5060, 2, "two.test")]));
    net.zone.insert("one.test".into(), Answer::Addresses(vec!["10.0.0.4".parse().unwrap()]));
    net.zone.insert("two.test".into(), Answer::Addresses(vec!["10.0.0.5".parse().unwrap()]));
    (net, alice, one, two)
}

fn trunk_call() -> OutgoingCall {
    OutgoingCall { policy: TargetPolicy::trunk(), ..call_to("<sip:43334@um.test;transport=tcp>") }
}

#[test]
fn a_call_goes_to_the_first_server_of_the_name() {
    let (mut net, alice, one, _) = two_servers();
    net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(10);
    net.incoming(one);
}

#[test]
fn a_silent_server_is_left_after_4_s_and_avoided_for_32_s() {
    let (mut net, alice, _, two) = two_servers();
    net.dead.insert("10.0.0.4".parse().unwrap());
    let call = net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(4010);
    let (theirs, ..) = net.incoming(two);
    let at: Vec<u128> = net.sent.iter().filter(|s| s.label() == "INVITE").map(|s| s.at).collect();
    assert_eq!(at, [2, 4002]);
    net.with(two, |two, now| two.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    net.run_ms(10);
    assert!(matches!(&net.call_events(alice, call)[..], [CallEvent::Answered { .. }]));
    assert!(net.with(alice, |alice, _| alice.take_greyed()).is_some());
    // The next call does not try it again.
    net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(10);
    net.incoming(two);
    // After 32 s it does.
    net.dead.clear();
    net.run(Duration::from_secs(32));
    let before = net.sent.len();
    net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(10);
    assert_eq!(net.sent[before].to.ip().to_string(), "10.0.0.4");
}

#[test]
fn a_503_moves_on_to_the_next_server_and_the_last_one_is_reported_with_its_failure() {
    let (mut net, alice, one, two) = two_servers();
    let call = net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(10);
    let (theirs, ..) = net.incoming(one);
    net.with(one, |one, now| one.reject(theirs, 503, &none(), now)).unwrap();
    net.run_ms(10);
    assert!(net.call_events(alice, call).is_empty());
    let (theirs, ..) = net.incoming(two);
    net.with(two, |two, now| two.reject(theirs, 503, &none(), now)).unwrap();
    net.run_ms(10);
    let events = net.call_events(alice, call);
    let [CallEvent::Rejected { response, failure: Some(Failure::Unavailable), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(response.status, 503);
}

#[test]
fn a_busy_server_is_not_a_failing_one() {
    let (mut net, alice, one, two) = two_servers();
    let call = net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(10);
    let (theirs, ..) = net.incoming(one);
    net.with(one, |one, now| one.reject(theirs, 486, &none(), now)).unwrap();
    net.run_ms(10);
    let events = net.call_events(alice, call);
    assert!(matches!(&events[..], [CallEvent::Rejected { failure: None, .. }]), "{events:?}");
    assert!(net.events(two).is_empty());
}

#[test]
fn silence_everywhere_is_a_408_and_no_listener_a_503() {
    let (mut net, alice, ..) = two_servers();
    net.dead.extend([4, 5].map(|host| std::net::IpAddr::from([10, 0, 0, host])));
    let call = net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(13_010);
    let events = net.call_events(alice, call);
    let [CallEvent::Rejected { response, failure: Some(Failure::Timeout), flow: None, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(response.status, 408);
    let refused = OutgoingCall { policy: TargetPolicy::trunk(), ..call_to("<sip:x@10.0.0.77;transport=tcp>") };
    let call = net.with(alice, |alice, now| alice.invite(refused, now)).unwrap();
    net.run_ms(10);
    let events = net.call_events(alice, call);
    let [CallEvent::Rejected { response, failure: Some(Failure::Transport), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(response.status, 503);
    let unknown = OutgoingCall { policy: TargetPolicy::trunk(), ..call_to("<sip:x@nowhere.test>") };
    let call = net.with(alice, |alice, now| alice.invite(unknown, now)).unwrap();
    net.run_ms(10);
    let events = net.call_events(alice, call);
    assert!(matches!(&events[..], [CallEvent::Rejected { failure: Some(Failure::NoTarget), .. }]), "{events:?}");
    net.run(Duration::from_secs(80));
    assert!(net.endpoint(alice).is_idle());
}

#[test]
fn a_late_200_of_an_abandoned_server_is_acknowledged_and_ended() {
    let (mut net, alice, one, two) = two_servers();
    // What the first server says takes ten seconds to arrive.
    net.judge(|sent| {
        let slow = sent.from.ip().to_string() == "10.0.0.4" && sent.message.as_response().is_some();
        if slow { Fate::Late(Duration::from_secs(10)) } else { Fate::Arrives }
    });
    let call = net.with(alice, |alice, now| alice.invite(trunk_call(), now)).unwrap();
    net.run_ms(100);
    let (slow, ..) = net.incoming(one);
    net.with(one, |one, now| one.accept(slow, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    net.run_ms(4000);
    let (theirs, ..) = net.incoming(two);
    net.with(two, |two, now| two.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    net.run(Duration::from_secs(30));
    let events = net.call_events(alice, call);
    assert!(matches!(&events[..], [CallEvent::Answered { .. }]), "{events:?}");
    let events = net.call_events(one, slow);
    assert!(matches!(events.last(), Some(CallEvent::Ended { cause: EndCause::Bye(_) })), "{events:?}");
    assert_eq!(net.endpoint(one).call_count(), 0);
}

// ---- challenges ----

const REALM: &str = "moon.galaxy";

fn challenge(nonce: &str, stale: bool) -> Challenge {
    let mut headers = Headers::new();
    let stale = if stale { ", stale=true" } else { "" };
    headers.push(
        Name::WwwAuthenticate,
        format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}"),
    );
    Challenge::strongest(&headers).unwrap()
}

fn is_right(request: &Request, nonce: &str) -> bool {
    let ha1 = Ha1::new("27000", REALM, "moon-27000");
    Credentials::for_realm(&request.headers, REALM)
        .is_some_and(|credentials| credentials.nonce == *nonce && credentials.matches(&ha1, &request.method))
}

fn register(login: bool) -> OutgoingRequest {
    let aor = address("<sip:27000@10.0.0.2>");
    OutgoingRequest {
        request_uri: "sip:10.0.0.2".parse().unwrap(),
        login: login.then(|| Login::new("27000", "moon-27000")),
        ..OutgoingRequest::new(Method::Register, aor.clone(), aor, ListenerId(0))
    }
}

fn request_of(net: &mut Network, node: NodeId) -> (ServerRef, Request) {
    match net.events(node).pop() {
        Some(Event::Request { transaction, request, .. }) => (transaction, request),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_challenge_is_answered_once_for_each_nonce_and_a_stale_one_again() {
    let mut pair = Pair::new();
    let sent = pair.net.with(pair.alice, |alice, now| alice.request(register(true), now)).unwrap();
    let mut seqs = Vec::new();
    for (nonce, stale) in [("n1", false), ("n2", true)] {
        pair.net.run_ms(10);
        let (transaction, request) = request_of(&mut pair.net, pair.bob);
        seqs.push(request.cseq().unwrap().seq);
        let mut response = request.response(401);
        challenge(nonce, stale).push_to(&mut response.headers);
        pair.net.with(pair.bob, |bob, now| bob.respond(transaction, response, now)).unwrap();
    }
    pair.net.run_ms(10);
    let (transaction, request) = request_of(&mut pair.net, pair.bob);
    seqs.push(request.cseq().unwrap().seq);
    assert!(is_right(&request, "n2"));
    assert_eq!(seqs, [seqs[0], seqs[0] + 1, seqs[0] + 2]);
    pair.net.with(pair.bob, |bob, now| bob.respond(transaction, request.response(200), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.events(pair.alice);
    let [Event::Response { transaction, response }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*transaction, response.status), (sent, 200));
}

#[test]
fn a_wrong_password_is_reported_and_not_tried_for_ever() {
    let mut pair = Pair::new();
    pair.net.with(pair.alice, |alice, now| alice.request(register(true), now)).unwrap();
    for nonce in ["n1", "n2"] {
        pair.net.run_ms(10);
        let (transaction, request) = request_of(&mut pair.net, pair.bob);
        let mut response = request.response(401);
        challenge(nonce, false).push_to(&mut response.headers);
        pair.net.with(pair.bob, |bob, now| bob.respond(transaction, response, now)).unwrap();
    }
    pair.net.run_ms(10);
    let events = pair.net.events(pair.alice);
    assert!(matches!(&events[..], [Event::Response { response, .. }] if response.status == 401), "{events:?}");
    assert_eq!(pair.net.count(pair.alice, "REGISTER"), 2);
}

#[test]
fn a_challenged_call_carries_its_credentials_in_the_ack_too() {
    let mut test = Alone::new();
    let login = Some(Login::new("27000", "moon-27000"));
    let call = OutgoingCall { login, ..call_to("<sip:bob@10.0.0.9>") };
    let call = test.net.with(test.alice, |alice, now| alice.invite(call, now)).unwrap();
    test.net.run_ms(5);
    test.answer("INVITE", 407, "gate", |response| {
        let mut one = challenge("n1", false);
        one.proxy = true;
        one.push_to(&mut response.headers);
    });
    assert_eq!(test.net.count(test.alice, "INVITE"), 2);
    test.answer("INVITE", 200, "one", |_| {});
    let ack = test.net.last("ACK").unwrap().request().unwrap();
    assert!(ack.headers.has(&Name::ProxyAuthorization));
    let invite = test.net.last("INVITE").unwrap().request().unwrap();
    assert_eq!(ack.cseq().unwrap().seq, invite.cseq().unwrap().seq);
    assert!(matches!(&test.events(call)[..], [CallEvent::Answered { .. }]));
}

#[test]
fn without_login_a_challenge_is_reported() {
    let mut pair = Pair::new();
    pair.net.with(pair.alice, |alice, now| alice.request(register(false), now)).unwrap();
    pair.net.run_ms(10);
    let (transaction, request) = request_of(&mut pair.net, pair.bob);
    let mut response = request.response(401);
    challenge("n1", false).push_to(&mut response.headers);
    pair.net.with(pair.bob, |bob, now| bob.respond(transaction, response, now)).unwrap();
    pair.net.run_ms(10);
    assert!(matches!(&pair.net.events(pair.alice)[..], [Event::Response { response, .. }] if response.status == 401));
}

// ---- NAT and connections ----

#[test]
fn a_phone_behind_nat_is_reached_by_the_flow_that_its_call_came_on() {
    let mut net = Network::new(1);
    let phone = net.add("192.168.1.5:5060");
    let node = net.add("10.0.0.2:5060");
    net.put_behind_nat(phone, "203.0.113.7:40001");
    let ours = net.with(phone, |phone, now| phone.invite(call_to(UDP), now)).unwrap();
    net.run_ms(10);
    let (theirs, ..) = net.incoming(node);
    net.with(node, |node, now| node.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    net.run_ms(10);
    net.with(node, |node, now| node.hangup(theirs, &none(), now)).unwrap();
    assert_eq!(net.last("BYE").unwrap().to.to_string(), "203.0.113.7:40001");
    net.run_ms(10);
    let events = net.call_events(phone, ours);
    assert!(matches!(events.last(), Some(CallEvent::Ended { cause: EndCause::Bye(_) })), "{events:?}");
}

#[test]
fn a_registered_phone_behind_nat_is_called_by_its_flow_and_stays_there() {
    let mut net = Network::new(1);
    let phone = net.add("192.168.1.5:5060");
    let node = net.add("10.0.0.2:5060");
    net.put_behind_nat(phone, "203.0.113.7:40001");
    net.with(phone, |phone, now| phone.request(register(false), now)).unwrap();
    net.run_ms(10);
    let flow = match net.events(node).pop() {
        Some(Event::Request { flow, .. }) => flow,
        other => panic!("{other:?}"),
    };
    let call = OutgoingCall { next_hop: Some(NextHop::Flow(flow)), ..call_to("<sip:27000@192.168.1.5>") };
    let ours = net.with(node, |node, now| node.invite(call, now)).unwrap();
    net.run_ms(10);
    let (theirs, ..) = net.incoming(phone);
    net.with(phone, |phone, now| phone.accept(theirs, &none(), Some(Body::sdp(ANSWER)), now)).unwrap();
    net.run_ms(10);
    assert_eq!(net.last("ACK").unwrap().to.to_string(), "203.0.113.7:40001");
    assert!(matches!(&net.call_events(node, ours)[..], [CallEvent::Answered { .. }]));
}

#[test]
fn requests_in_a_call_go_by_the_peers_connection_while_it_lives_and_by_a_new_one_after() {
    let mut pair = Pair::new();
    let (ours, theirs) = talk(&mut pair, TCP);
    pair.net.with(pair.bob, |bob, now| bob.offer(theirs, &none(), Some(Body::sdp(OFFER)), now)).unwrap();
    let reinvite = pair.net.last("INVITE").unwrap();
    assert_eq!(reinvite.transport, Transport::Tcp);
    assert_ne!(reinvite.to.port(), 5060, "Bob opened a connection of his own");
    pair.net.run_ms(10);
    pair.net
        .with(pair.alice, |alice, now| alice.answer_offer(ours, 200, &none(), Some(Body::sdp(ANSWER)), now))
        .unwrap();
    pair.net.run_ms(10);
    pair.net.call_events(pair.bob, theirs);
    pair.net.close_connections(pair.alice, pair.bob);
    pair.net.with(pair.bob, |bob, now| bob.hangup(theirs, &none(), now)).unwrap();
    pair.net.run_ms(20);
    let bye = pair.net.last("BYE").unwrap();
    assert_eq!((bye.transport, bye.to.port()), (Transport::Tcp, 5060));
    let events = pair.net.call_events(pair.alice, ours);
    assert!(matches!(events.last(), Some(CallEvent::Ended { cause: EndCause::Bye(_) })), "{events:?}");
}
