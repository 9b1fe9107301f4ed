//! What strangers may send: RFC 4475 against a running endpoint, and thousands of random happenings. Nothing panics, nothing
//! stays behind.
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use common::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sip::endpoint::*;
use sip::flow::ListenerId;
use sip::message::*;
use sip::testing::*;
use sip::{Flow, Transport};

fn torture() -> Vec<(String, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "dat"))
        .map(|path| {
            (path.file_stem().unwrap().to_string_lossy().into_owned(), Bytes::from(std::fs::read(&path).unwrap()))
        })
        .collect()
}

fn flow(transport: Transport) -> Flow {
    Flow {
        transport,
        listener: ListenerId(0),
        local: ALICE.parse().unwrap(),
        remote: THEM.parse().unwrap(),
        connection: transport.is_reliable().then_some(7),
    }
}

/// What a running endpoint says to one message: the statuses that it sent, and whether its owner heard of it.
fn tell(bytes: Bytes, transport: Transport) -> (Vec<u16>, bool) {
    let mut net = Network::new(1);
    let alice = net.add(ALICE);
    net.with(alice, |alice, now| alice.receive(parse_datagram(bytes), flow(transport), now));
    let heard = net.events(alice).iter().any(|event| !matches!(event, Event::Malformed { .. }));
    let statuses: Vec<u16> =
        net.sent.iter().filter_map(|sent| sent.response()).map(|r| r.status).filter(|s| *s > 100).collect();
    net.run(Duration::from_secs(200));
    (statuses, heard)
}

#[test]
fn every_torture_message_is_survived_over_udp_and_tcp() {
    let files = torture();
    assert!(files.len() >= 45, "only {}", files.len());
    for (name, bytes) in files {
        for transport in [Transport::Udp, Transport::Tcp] {
            let (statuses, heard) = tell(bytes.clone(), transport);
            assert!(statuses.len() <= 1, "{name}: {statuses:?}");
            assert!(!heard || statuses.is_empty(), "{name}: answered and handed up");
        }
    }
}

#[test]
fn torture_messages_get_the_answers_that_rfc_4475_names() {
    // Handed up, or the statuses that the RFC allows.
    let cases: [(&str, &[u16]); 23] = [
        // It has a To tag, of no dialog that we know.
        ("wsinv", &[481]),
        ("intmeth", &[501, 405]),
        ("esc01", &[]),
        ("escnull", &[]),
        ("esc02", &[501, 405]),
        ("lwsdisp", &[]),
        ("longreq", &[]),
        ("semiuri", &[]),
        ("transports", &[]),
        ("mpart01", &[]),
        ("clerr", &[400]),
        ("ncl", &[400]),
        ("quotbal", &[400]),
        ("lwsruri", &[400]),
        ("lwsstart", &[400]),
        ("escruri", &[]),
        ("badvers", &[505]),
        ("mismatch01", &[400]),
        ("mismatch02", &[400, 501]),
        ("unkscm", &[416]),
        ("novelsc", &[416]),
        ("bext01", &[420]),
        ("insuf", &[400]),
    ];
    let files = torture();
    let mut wrong = Vec::new();
    for (name, allowed) in cases {
        let Some((_, bytes)) = files.iter().find(|(file, _)| file == name) else { panic!("{name} is missing") };
        let (statuses, heard) = tell(bytes.clone(), Transport::Udp);
        let right = if allowed.is_empty() { heard } else { statuses.iter().any(|status| allowed.contains(status)) };
        if !right {
            wrong.push(format!("{name}: {statuses:?}, heard: {heard}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One of three that call, answer, offer, hang up, subscribe and talk at random, over a network that loses and repeats.
fn monkeys(seed: u64, hostile: bool) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut net = Network::new(seed);
    let addrs = ["10.0.0.1:5060", "10.0.0.2:5060", "10.0.0.3:5060"];
    let nodes: Vec<NodeId> = addrs.iter().map(|addr| net.add(addr)).collect();
    net.be_rough(10, 10, 20);
    let mut calls: Vec<(NodeId, CallRef)> = Vec::new();
    let mut requests: Vec<(NodeId, ServerRef, Request)> = Vec::new();
    let mut subscriptions: Vec<(NodeId, SubscriptionRef)> = Vec::new();
    for _ in 0..400 {
        let node = *nodes.choose(&mut rng).unwrap();
        let known = calls.iter().filter(|(at, _)| *at == node).map(|(_, call)| *call).collect::<Vec<_>>();
        let call = known.choose(&mut rng).copied().unwrap_or(CallRef(0));
        let peer = addrs[rng.random_range(0..3)];
        let body = rng.random_bool(0.7).then(|| Body::sdp(OFFER));
        let headers = none();
        let act = rng.random_range(0..14);
        let to = format!("<sip:x@{peer};transport={}>", if rng.random_bool(0.5) { "udp" } else { "tcp" });
        let made = net.with(node, |e, now| -> Option<CallRef> {
            // Commands may come in any state; wrong ones are refused.
            let _ = match act {
                0 | 1 => return e.invite(OutgoingCall { body, ..call_to(&to) }, now).ok(),
                2 => e.progress(call, 180, &headers, None, now),
                3 => e.progress(call, 183, &headers, body, now),
                4 | 5 => e.accept(call, &headers, body, now),
                6 => e.reject(call, 486, &headers, now),
                7 => e.hangup(call, &headers, now),
                8 => e.offer(call, &headers, body, now),
                9 => e.answer_offer(call, 200, &headers, body, now),
                10 => e.acknowledge(call, body, now),
                11 => e.request_in_call(call, Method::Info, &headers, body, now).map(drop),
                12 => e.preview(call, 183, &headers, body, now),
                _ => Ok(()),
            };
            None
        });
        calls.extend(made.map(|call| (node, call)));
        if act == 13 {
            let mut request =
                OutgoingRequest::new(Method::Subscribe, address("<sip:a@a>"), address(&to), ListenerId(0));
            request.headers.push(Name::Event, "message-summary");
            let expires = Duration::from_secs(rng.random_range(0..300));
            subscriptions.extend(net.with(node, |e, now| e.subscribe(request, expires, now)).ok().map(|s| (node, s)));
        }
        if let Some((at, server, request)) = requests.pop() {
            let subscription = net.with(at, |e, now| {
                if request.method == Method::Subscribe && rng.random_bool(0.8) {
                    let made = e.accept_subscription(server, Duration::from_secs(100), &none(), now).ok();
                    if let Some(made) = made {
                        let _ = e.notify(made, None, now);
                    }
                    return made;
                }
                let _ = e.respond(server, request.response(200), now);
                None
            });
            subscriptions.extend(subscription.map(|s| (at, s)));
        }
        if let Some((at, subscription)) = subscriptions.choose(&mut rng).copied()
            && rng.random_bool(0.2)
        {
            net.with(at, |e, now| {
                let _ = if rng.random_bool(0.5) {
                    e.notify(subscription, None, now)
                } else {
                    e.end_subscription(subscription, "noresource", now)
                };
            });
        }
        if hostile && !net.sent.is_empty() {
            // A message that was once sent, from somebody, with a few bytes changed.
            let sent = net.sent.choose(&mut rng).unwrap();
            let (from, to) = (sent.from.to_string(), sent.to.to_string());
            let mut bytes = sent.message.to_bytes().to_vec();
            for _ in 0..rng.random_range(0..4) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = *b"0123456789 ;=<>\"zINV:".choose(&mut rng).unwrap();
            }
            if let Ok(message) = parse_datagram(Bytes::from(bytes)) {
                net.inject_message(&from, &to, message);
            }
        }
        net.run_ms(rng.random_range(0..3000));
        for node in &nodes {
            for event in net.events(*node) {
                match event {
                    Event::Incoming { call, .. } => calls.push((*node, call)),
                    Event::Request { transaction, request, .. } => requests.push((*node, transaction, request)),
                    Event::Call { event: CallEvent::Request { transaction, request }, .. } => {
                        requests.push((*node, transaction, request));
                    }
                    Event::Call { call, event: CallEvent::Ended { .. } | CallEvent::Rejected { .. } } => {
                        calls.retain(|known| *known != (*node, call));
                        assert!(net.endpoint(*node).call_info(call).is_none(), "an ended call is still there");
                    }
                    _ => {}
                }
            }
        }
    }
    // The owners hang up; the wires are mended; after a while nobody remembers anything.
    net.no_judge();
    for _ in 0..3 {
        for (node, call) in calls.clone() {
            net.with(node, |e, now| {
                let _ = e.hangup(call, &none(), now);
            });
        }
        for (node, subscription) in &subscriptions {
            net.with(*node, |e, now| {
                let _ = e.end_subscription(*subscription, "noresource", now);
            });
        }
        net.run(Duration::from_secs(400));
        for node in &nodes {
            calls.extend(net.events(*node).into_iter().filter_map(|event| match event {
                Event::Incoming { call, .. } => Some((*node, call)),
                _ => None,
            }));
        }
    }
    for node in &nodes {
        let endpoint = net.endpoint(*node);
        assert_eq!(endpoint.call_count(), 0, "seed {seed}: calls are left");
        assert!(endpoint.is_idle(), "seed {seed}: something is left: {}", endpoint.remains());
    }
}

#[test]
fn random_owners_over_a_rough_network_leave_nothing_behind() {
    for seed in 0..2 {
        monkeys(seed, false);
    }
}

#[test]
fn random_owners_and_a_stranger_who_repeats_and_garbles_leave_nothing_behind() {
    for seed in 100..102 {
        monkeys(seed, true);
    }
}

#[test]
fn a_flood_of_unanswered_invites_is_capped_and_forgotten() {
    let mut net = Network::new(1);
    let alice = net.add_with(ALICE, |config| config.limits.calls = 100);
    let mut rejected = 0;
    for at in 0..1000 {
        net.inject(
            THEM,
            ALICE,
            &format!(
                "INVITE sip:a@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{at}\nFrom: <sip:b@c>;tag={at}\n\
                 To: <sip:a@10.0.0.1>\nCall-ID: {at}\nCSeq: 1 INVITE\nMax-Forwards: 70\nContact: <sip:b@10.0.0.9>\n\
                 Content-Length: 0\n\n"
            ),
        );
        net.run_ms(2);
    }
    assert_eq!(net.endpoint(alice).call_count(), 100);
    for event in net.events(alice) {
        if let Event::Incoming { call, .. } = event {
            net.with(alice, |alice, now| alice.reject(call, 486, &none(), now)).unwrap();
            rejected += 1;
        }
    }
    assert_eq!(rejected, 100);
    net.run(Duration::from_secs(100));
    assert!(net.endpoint(alice).is_idle());
}

#[test]
fn calls_to_urgent_numbers_are_taken_beyond_the_cap_as_far_as_their_reserve_goes() {
    let mut net = Network::new(1);
    let alice = net.add_with(ALICE, |config| (config.limits.calls, config.limits.urgent_calls) = (1, 2));
    net.with(alice, |alice, _| alice.urgent("112", true));
    let taken = |net: &mut Network, at: u32, uri: &str| {
        net.inject(
            THEM,
            ALICE,
            &format!(
                "INVITE {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{at}\nFrom: <sip:b@c>;tag={at}\n\
                 To: <sip:a@10.0.0.1>\nCall-ID: {at}\nCSeq: 1 INVITE\nMax-Forwards: 70\nContact: <sip:b@10.0.0.9>\n\
                 Content-Length: 0\n\n"
            ),
        );
        net.run_ms(2);
        net.events(alice).iter().any(|event| matches!(event, Event::Incoming { .. }))
    };
    assert!(taken(&mut net, 1, "sip:a@10.0.0.1"));
    assert!(!taken(&mut net, 2, "sip:a@10.0.0.1"));
    assert!(taken(&mut net, 3, "sip:112@10.0.0.1"));
    assert!(taken(&mut net, 4, "urn:service:sos.police"));
    assert!(!taken(&mut net, 5, "sip:112@10.0.0.1"));
}
