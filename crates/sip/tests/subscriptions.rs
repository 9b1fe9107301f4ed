//! Subscriptions, both roles (RFC 6665, RFC 3842).
// Helpers are no tests to clippy.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::*;
use sip::endpoint::*;
use sip::flow::ListenerId;
use sip::message::*;
use sip::testing::*;

const NONE: &str = "Messages-Waiting: no\r\n";
const SOME: &str = "Messages-Waiting: yes\r\n";

fn summary(text: &'static str) -> Option<Body> {
    Some(Body::new("application/simple-message-summary", text.as_bytes()))
}

fn wish() -> OutgoingRequest {
    let me = address("<sip:27000@10.0.0.2>");
    let mut request = OutgoingRequest::new(Method::Subscribe, me.clone(), me, ListenerId(0));
    request.headers.push(Name::Event, "message-summary");
    request.headers.push(Name::Accept, "application/simple-message-summary");
    request
}

/// Alice subscribes for so long; Bob accepts for so long and tells that there is nothing.
fn subscribed(pair: &mut Pair, asked: u64, given: u64) -> (SubscriptionRef, SubscriptionRef) {
    let ours =
        pair.net.with(pair.alice, |alice, now| alice.subscribe(wish(), Duration::from_secs(asked), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.events(pair.bob);
    let [Event::Request { transaction, request, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(request.headers.sound::<header::Expires>().unwrap().0 as u64, asked);
    let theirs = pair.net.with(pair.bob, |bob, now| {
        let theirs = bob.accept_subscription(*transaction, Duration::from_secs(given), &none(), now).unwrap();
        bob.notify(theirs, summary(NONE), now).unwrap();
        theirs
    });
    pair.net.run_ms(10);
    (ours, theirs)
}

fn told(pair: &mut Pair, ours: SubscriptionRef) -> Vec<String> {
    pair.net
        .subscription_events(pair.alice, ours)
        .into_iter()
        .map(|event| match event {
            SubscriptionEvent::Notified { request } => {
                let state = request.headers.sound::<header::SubscriptionState>().unwrap().state;
                format!("{state}: {}", String::from_utf8_lossy(&request.body).trim())
            }
            SubscriptionEvent::Accepted { expires } => format!("accepted {}", expires.as_secs()),
            SubscriptionEvent::Refreshed { .. } => panic!("a subscriber is not refreshed"),
            SubscriptionEvent::Ended { cause } => format!("{cause:?}"),
        })
        .collect()
}

#[test]
fn a_subscription_tells_its_state_and_every_change() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 3600, 600);
    assert_eq!(told(&mut pair, ours), ["accepted 600", "active: Messages-Waiting: no"]);
    pair.net.with(pair.bob, |bob, now| bob.notify(theirs, summary(SOME), now)).unwrap();
    pair.net.run_ms(10);
    assert_eq!(told(&mut pair, ours), ["active: Messages-Waiting: yes"]);
}

#[test]
fn changes_that_come_fast_are_told_one_at_a_time_and_the_last_one_surely() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    told(&mut pair, ours);
    pair.net.with(pair.bob, |bob, now| {
        for text in [SOME, NONE, SOME, NONE, SOME] {
            bob.notify(theirs, summary(text), now).unwrap();
        }
    });
    pair.net.run_ms(10);
    assert_eq!(told(&mut pair, ours), ["active: Messages-Waiting: yes", "active: Messages-Waiting: yes"]);
}

#[test]
fn the_subscriber_refreshes_before_the_end() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    for _ in 0..5 {
        pair.net.run(Duration::from_secs(545));
        let events = pair.net.subscription_events(pair.bob, theirs);
        assert!(matches!(&events[..], [SubscriptionEvent::Refreshed { .. }]), "{events:?}");
        pair.net.with(pair.bob, |bob, now| bob.notify(theirs, summary(SOME), now)).unwrap();
        pair.net.run_ms(10);
    }
    assert!(told(&mut pair, ours).iter().all(|line| !line.contains("Expired")));
}

#[test]
fn without_refresh_the_notifier_ends_it_and_says_so() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    told(&mut pair, ours);
    pair.net.judge(|sent| if sent.label() == "SUBSCRIBE" { Fate::Lost } else { Fate::Arrives });
    pair.net.run(Duration::from_secs(700));
    let events = pair.net.subscription_events(pair.bob, theirs);
    assert!(matches!(&events[..], [SubscriptionEvent::Ended { cause: SubscriptionEnd::Expired }]), "{events:?}");
    let last = pair.net.last("NOTIFY").unwrap().request().unwrap();
    assert_eq!(last.headers.get(&Name::SubscriptionState).unwrap(), &"terminated;reason=timeout");
}

#[test]
fn the_subscriber_ends_it_and_gets_a_last_notify() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    told(&mut pair, ours);
    pair.net.with(pair.alice, |alice, now| alice.end_subscription(ours, "", now)).unwrap();
    pair.net.run_ms(20);
    assert_eq!(told(&mut pair, ours), ["terminated: Messages-Waiting: no", "Local"]);
    let events = pair.net.subscription_events(pair.bob, theirs);
    assert!(matches!(&events[..], [SubscriptionEvent::Ended { cause: SubscriptionEnd::Expired }]), "{events:?}");
    assert_forgotten(&mut pair);
}

#[test]
fn the_notifier_ends_it_with_a_reason() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    told(&mut pair, ours);
    pair.net.with(pair.bob, |bob, now| bob.end_subscription(theirs, "noresource", now)).unwrap();
    pair.net.run_ms(20);
    assert_eq!(told(&mut pair, ours), ["terminated: Messages-Waiting: no", "Terminated(Some(\"noresource\"))"]);
    assert_forgotten(&mut pair);
}

#[test]
fn a_fetch_is_one_notify() {
    let mut pair = Pair::new();
    let (ours, _) = subscribed(&mut pair, 0, 0);
    let told = told(&mut pair, ours);
    assert!(told.contains(&"terminated: Messages-Waiting: no".to_owned()), "{told:?}");
    assert_eq!(pair.net.count(pair.bob, "NOTIFY"), 1);
}

#[test]
fn a_notify_that_gets_481_or_no_answer_ends_it() {
    for (dead, status) in [(false, 481), (true, 408)] {
        let mut pair = Pair::new();
        let (ours, theirs) = subscribed(&mut pair, 600, 600);
        // Alice's farewell is lost.
        pair.net.judge(|sent| if sent.label() == "SUBSCRIBE" { Fate::Lost } else { Fate::Arrives });
        pair.net.with(pair.alice, |alice, now| alice.end_subscription(ours, "", now)).unwrap();
        pair.net.run(Duration::from_secs(40));
        if dead {
            pair.net.dead.insert("10.0.0.1".parse().unwrap());
        }
        pair.net.with(pair.bob, |bob, now| bob.notify(theirs, summary(SOME), now)).unwrap();
        pair.net.run(Duration::from_secs(33));
        let events = pair.net.subscription_events(pair.bob, theirs);
        let [SubscriptionEvent::Ended { cause: SubscriptionEnd::NotifyFailed(failed) }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(*failed, status);
    }
}

#[test]
fn a_refused_subscription_says_why() {
    let mut pair = Pair::new();
    let ours = pair.net.with(pair.alice, |alice, now| alice.subscribe(wish(), Duration::from_secs(600), now)).unwrap();
    pair.net.run_ms(10);
    let events = pair.net.events(pair.bob);
    let [Event::Request { transaction, request, .. }] = &events[..] else { panic!("{events:?}") };
    let response = request.response(489);
    pair.net.with(pair.bob, |bob, now| bob.respond(*transaction, response, now)).unwrap();
    pair.net.run_ms(10);
    assert_eq!(told(&mut pair, ours), ["Refused(489)"]);
    assert_forgotten(&mut pair);
}

#[test]
fn a_notifier_that_lost_its_memory_gets_a_new_subscription() {
    let mut pair = Pair::new();
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    told(&mut pair, ours);
    pair.net.judge(|sent| if sent.label() == "NOTIFY" { Fate::Lost } else { Fate::Arrives });
    pair.net.with(pair.bob, |bob, now| bob.end_subscription(theirs, "noresource", now)).unwrap();
    pair.net.run(Duration::from_secs(545));
    pair.net.no_judge();
    let events = pair.net.events(pair.bob);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Request { request, .. } if request.method == Method::Subscribe))
    );
    assert_eq!(pair.net.count(pair.bob, "481 (SUBSCRIBE)"), 1);
    assert!(told(&mut pair, ours).is_empty());
}

#[test]
fn a_notify_faster_than_the_200_is_taken() {
    let mut pair = Pair::new();
    pair.net.judge(|sent| {
        if sent.label() == "200 (SUBSCRIBE)" { Fate::Late(Duration::from_millis(5)) } else { Fate::Arrives }
    });
    let (ours, theirs) = subscribed(&mut pair, 600, 600);
    assert_eq!(told(&mut pair, ours), ["active: Messages-Waiting: no", "accepted 600"]);
    pair.net.with(pair.bob, |bob, now| bob.notify(theirs, summary(SOME), now)).unwrap();
    pair.net.run_ms(10);
    assert_eq!(told(&mut pair, ours), ["active: Messages-Waiting: yes"]);
}
