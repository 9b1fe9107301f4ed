//! Requests outside calls, and what every request is checked for (RFC 3261 8.2, 11).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::Text;
use sip::endpoint::*;
use sip::message::*;
use sip::testing::*;

/// Sends Alice a request by hand, and gives the status of her answer.
fn ask(change: impl FnOnce(&mut Request)) -> (Alone, Option<Response>) {
    let mut test = Alone::new();
    let answer = ask_again(&mut test, "a", change);
    (test, answer)
}

fn ask_again(test: &mut Alone, branch: &str, change: impl FnOnce(&mut Request)) -> Option<Response> {
    let mut request = Request::new(Method::Options, "sip:alice@10.0.0.1".parse().unwrap());
    let headers = &mut request.headers;
    headers.push(Name::Via, format!("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{branch}"));
    headers.push(Name::MaxForwards, "70");
    headers.push(Name::From, "<sip:them@10.0.0.9>;tag=them");
    headers.push(Name::To, "<sip:alice@10.0.0.1>");
    headers.push(Name::CallId, "one@10.0.0.9");
    headers.push(Name::CSeq, "1 OPTIONS");
    headers.push(Name::Contact, "<sip:them@10.0.0.9>");
    change(&mut request);
    let cseq = format!("{} {}", request.cseq().map_or(1, |cseq| cseq.seq), request.method);
    request.headers.set(Name::CSeq, cseq);
    let before = test.net.sent.len();
    test.net.inject_message(THEM, ALICE, request);
    test.net.run_ms(10);
    test.net.sent[before..].iter().filter_map(|sent| sent.response()).rfind(|r| r.status > 100).cloned()
}

fn sdp(request: &mut Request) {
    request.set_body("application/sdp", OFFER.into());
}

#[test]
fn options_goes_up_and_its_200_says_what_we_can_do() {
    let (mut test, answer) = ask(|_| {});
    assert!(answer.is_none());
    let events = test.net.events(test.alice);
    let [Event::Request { transaction, request, .. }] = &events[..] else { panic!("{events:?}") };
    test.net.with(test.alice, |alice, now| alice.respond(*transaction, request.response(200), now)).unwrap();
    let answer = test.net.last("200 (OPTIONS)").unwrap().response().unwrap();
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "PRACK"] {
        assert!(answer.headers.lists(&Name::Allow, method), "{method}");
    }
    assert!(answer.headers.lists(&Name::Supported, "100rel"));
    assert!(answer.headers.lists(&Name::Supported, "timer"));
    assert!(answer.headers.lists(&Name::Accept, "application/sdp"));
    assert!(answer.to_tag().is_some());
    let again = test.net.with(test.alice, |alice, now| alice.respond(*transaction, request.response(200), now));
    assert_eq!(again, Err(CommandError::Unknown));
}

#[test]
fn requests_that_cannot_be_served_are_refused_as_the_rfc_says() {
    type Case = (u16, fn(&mut Request));
    let cases: [Case; 13] = [
        (501, |r| r.method = Method::Other(Text::from("NEWMETHOD"))),
        (405, |r| r.method = Method::Publish),
        (416, |r| r.uri = "nobodyKnowsThisScheme:totallyopaquecontent".parse().unwrap()),
        (420, |r| r.headers.push(Name::Require, "nothingSupportsThis, 100rel, nothingSupportsThisEither")),
        (481, |r| r.method = Method::Bye),
        (481, |r| r.method = Method::Prack),
        (481, |r| r.method = Method::Update),
        (481, |r| r.headers.set(Name::To, "<sip:alice@10.0.0.1>;tag=unknown")),
        (415, |r| {
            r.method = Method::Invite;
            r.set_body("application/unknown", "x".into());
        }),
        (415, |r| {
            r.method = Method::Invite;
            sdp(r);
            r.headers.push(Name::ContentEncoding, "gzip");
        }),
        (400, |r| {
            r.method = Method::Invite;
            r.headers.remove(&Name::Contact);
        }),
        (400, |r| {
            r.method = Method::Invite;
            r.headers.set(Name::Contact, "<tel:27000>");
        }),
        (422, |r| {
            r.method = Method::Invite;
            r.headers.push(Name::Supported, "timer");
            r.headers.push(Name::SessionExpires, "30");
        }),
    ];
    for (status, change) in cases {
        let (mut test, answer) = ask(change);
        let answer = answer.unwrap_or_else(|| panic!("no answer instead of {status}"));
        assert_eq!(answer.status, status);
        assert!(answer.to_tag().is_some());
        assert!(test.net.events(test.alice).is_empty(), "{status}: the owner heard of it");
        match status {
            405 | 501 => assert!(answer.headers.lists(&Name::Allow, "INVITE")),
            420 => {
                let named: Vec<_> = answer.headers.values(&Name::Unsupported).map(|tag| tag.to_string()).collect();
                assert_eq!(named, ["nothingSupportsThis", "nothingSupportsThisEither"]);
            }
            415 => assert!(answer.headers.has(&Name::Accept) || answer.headers.has(&Name::AcceptEncoding)),
            422 => assert_eq!(answer.headers.get(&Name::MinSe).unwrap(), &"90"),
            _ => {}
        }
    }
}

#[test]
fn an_invite_with_headers_that_nobody_knows_is_a_call() {
    let (mut test, answer) = ask(|r| {
        r.method = Method::Invite;
        r.headers.push(Name::Supported, "unknownTag");
        r.headers.push(Name::Other(Text::from("X-Strange")), "value");
        sdp(r);
    });
    assert!(answer.is_none());
    let (call, request, _) = test.net.incoming(test.alice);
    assert_eq!(request.headers.get(&Name::Other(Text::from("x-strange"))).unwrap(), &"value");
    test.net.with(test.alice, |alice, now| alice.reject(call, 486, &none(), now)).unwrap();
}

#[test]
fn the_same_request_by_another_path_is_482_while_the_first_is_served() {
    for method in [Method::Invite, Method::Options] {
        let mut test = Alone::new();
        let kind = method.clone();
        assert!(ask_again(&mut test, "one", |r| r.method = kind).is_none());
        let kind = method.clone();
        assert_eq!(ask_again(&mut test, "two", |r| r.method = kind).unwrap().status, 482);
        // Another number is another request.
        let kind = method.clone();
        let other = ask_again(&mut test, "three", |r| {
            r.method = kind;
            r.headers.set(Name::CSeq, format!("2 {method}"));
        });
        assert!(other.is_none());
    }
}

#[test]
fn a_relay_refuses_what_has_no_hops_left_and_an_end_takes_it() {
    for relays in [false, true] {
        let mut net = Network::new(1);
        let alice = net.add_with(ALICE, |config| config.relays = relays);
        let mut test = Alone { net, alice };
        let answer = ask_again(&mut test, "a", |r| {
            r.method = Method::Invite;
            r.headers.set(Name::MaxForwards, "0");
        });
        assert_eq!(answer.map(|answer| answer.status), relays.then_some(483));
    }
}

#[test]
fn more_calls_than_the_caps_get_503_and_a_gateway_is_exempt() {
    for exempt in [false, true] {
        let mut net = Network::new(1);
        let alice = net.add_with(ALICE, |config| config.limits.unanswered_per_source = 3);
        let mut test = Alone { net, alice };
        if exempt {
            test.net.with(alice, |alice, _| alice.exempt(["10.0.0.9".parse().unwrap()]));
        }
        let mut refused = 0;
        for at in 0..5 {
            let answer = ask_again(&mut test, &format!("b{at}"), |r| {
                r.method = Method::Invite;
                r.headers.set(Name::CallId, format!("call{at}"));
            });
            if let Some(answer) = answer {
                assert_eq!(answer.status, 503);
                assert!(answer.headers.has(&Name::RetryAfter));
                refused += 1;
            }
        }
        assert_eq!(refused, if exempt { 0 } else { 2 });
    }
}

#[test]
fn a_notify_outside_of_dialogs_goes_up() {
    let (mut test, answer) = ask(|r| {
        r.method = Method::Notify;
        r.headers.push(Name::Event, "message-summary");
        r.headers.push(Name::SubscriptionState, "terminated");
        r.set_body("application/simple-message-summary", "Messages-Waiting: yes\r\n".into());
    });
    assert!(answer.is_none());
    assert!(matches!(&test.net.events(test.alice)[..], [Event::Request { .. }]));
}

#[test]
fn a_request_that_nobody_answers_times_out_and_is_forgotten() {
    let mut pair = Pair::new();
    pair.net.dead.insert("10.0.0.2".parse().unwrap());
    let to = address(UDP);
    let request = OutgoingRequest::new(Method::Options, address("<sip:alice@10.0.0.1>"), to, sip::ListenerId(0));
    let sent = pair.net.with(pair.alice, |alice, now| alice.request(request, now)).unwrap();
    pair.net.run(Duration::from_secs(33));
    let events = pair.net.events(pair.alice);
    let [Event::Failed { transaction, failure: Failure::Timeout }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*transaction, sent);
    assert_forgotten(&mut pair);
}

#[test]
fn what_is_no_sip_is_reported_and_not_answered() {
    let mut test = Alone::new();
    test.net.inject(THEM, ALICE, "GET / HTTP/1.1\nHost: x\n\n");
    test.net.run_ms(10);
    assert!(test.net.sent.is_empty());
    assert!(matches!(&test.net.events(test.alice)[..], [Event::Malformed { .. }]));
}
