//! Several ways to one destination, and calls for help, which take any of them.

use super::rig::*;
use crate::commands::*;
use event::Event;
use sip::{Method, Name, Transport};
use std::time::Duration;

const FIRST: &str = "127.0.77.1:5060";
const SECOND: &str = "127.0.77.2:5060";

/// Number 9 leads to route 71, then to route 72, one individual each.
fn lab() -> (Rig, Peer, [Peer; 2]) {
    let mut rig = Rig::lab();
    let caller = rig.phone("27001", "127.0.0.1:5071");
    for (route, ip) in [(71, "127.0.77.1"), (72, "127.0.77.2")] {
        rig.route(route, ip, 1);
        rig.set_route(route, |set| set.supervise = Some("NO_SUPERVISION".into()));
    }
    rig.destination("9", 71, 0);
    rig.destination("9", 72, 1);
    let peers = [FIRST, SECOND].map(|at| rig.peer(at, Transport::Tcp));
    rig.told();
    (rig, caller, peers)
}

fn dial(rig: &mut Rig, caller: Peer, number: &str) -> sip::endpoint::CallRef {
    let calling = rig.call(caller, "27001", number);
    rig.run_ms(50);
    calling
}

#[test]
fn when_all_individuals_are_taken_the_next_choice_is_seized() {
    let (mut rig, caller, [first, second]) = lab();
    dial(&mut rig, caller, "91");
    assert!(rig.try_incoming(first).is_some());
    dial(&mut rig, caller, "92");
    assert!(rig.try_incoming(first).is_none() && rig.try_incoming(second).is_some());
    let third = dial(&mut rig, caller, "93");
    assert_eq!(rig.rejected(caller, third).unwrap().status, 480);
}

#[test]
fn a_busy_or_unwilling_callee_is_no_reason_for_another_way() {
    for status in [486, 603, 404, 403] {
        let (mut rig, caller, [first, second]) = lab();
        let calling = dial(&mut rig, caller, "91");
        let (at, _) = rig.incoming(first);
        rig.reject(first, at, status);
        rig.run_ms(100);
        assert!(rig.try_incoming(second).is_none(), "{status}");
        assert_eq!(rig.rejected(caller, calling).unwrap().status, status);
    }
}

#[test]
fn silence_and_503_lead_to_the_next_choice_and_are_remembered() {
    let (mut rig, caller, [first, second]) = lab();
    rig.dead.insert("127.0.77.1".parse().unwrap());
    dial(&mut rig, caller, "91");
    rig.run(Duration::from_secs(10));
    let (at, _) = rig.incoming(second);
    rig.reject(second, at, 486);
    dial(&mut rig, caller, "92");
    let (at, _) = rig.incoming(second);
    rig.reject(second, at, 486);
    rig.dead.clear();
    rig.run(Duration::from_secs(33));
    dial(&mut rig, caller, "93");
    let (at, _) = rig.incoming(first);
    rig.reject(first, at, 503);
    rig.run_ms(50);
    rig.incoming(second);
}

#[test]
fn a_route_that_supervision_found_down_is_tried_last() {
    let (mut rig, caller, [first, second]) = lab();
    rig.set_route(71, |set| set.supervise = Some("ACTIVE_SUPERVISION".into()));
    rig.dead.insert("127.0.77.1".parse().unwrap());
    rig.run(Duration::from_secs(60));
    rig.dead.clear();
    let calling = dial(&mut rig, caller, "91");
    let (at, _) = rig.incoming(second);
    rig.reject(second, at, 503);
    rig.run_ms(50);
    let (at, _) = rig.incoming(first);
    rig.answer(first, at);
    assert!(rig.answered(caller, calling).is_some(), "what was seen may be old");
}

#[test]
fn each_choice_sends_its_own_digits() {
    let (mut rig, caller, [first, second]) = lab();
    let change = |cho, srt, pre: &str| DestinationSet {
        dest: "9".into(),
        cho: Some(cho),
        srt: Some(srt),
        pre: Some(pre.into()),
        ..Default::default()
    };
    rig.run_command(Command::Destination(Destination::Change(change(0, 2, "46"))));
    rig.run_command(Command::Destination(Destination::Change(change(1, 1, ""))));
    dial(&mut rig, caller, "9123");
    let (at, invite) = rig.incoming(first);
    assert_eq!(invite.uri.number().as_deref(), Some("46123"));
    rig.reject(first, at, 503);
    rig.run_ms(50);
    let (_, invite) = rig.incoming(second);
    assert_eq!(invite.uri.number().as_deref(), Some("9123"));
}

#[test]
fn a_route_with_tls_says_that_it_is_not_there_yet_and_the_next_choice_is_taken() {
    let (mut rig, caller, [_, second]) = lab();
    rig.restart_without_tls();
    rig.set_route(71, |set| set.profile = Some("ExchangeUM_TLS_SRTP".into()));
    dial(&mut rig, caller, "91");
    assert!(rig.try_incoming(second).is_some());
    let told = rig.told();
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::RouteUnavailable { route: 71, reason } if reason.contains("TLS")))
    );
}

/// The same with emergency number 112 on both routes.
fn emergency_lab() -> (Rig, Peer, [Peer; 2]) {
    let (mut rig, caller, peers) = lab();
    rig.run_command(Command::Number(Number::Initiate { numbertype: "SOS".into(), number: "112".into() }));
    for (rou, cho) in [(71, 0), (72, 1)] {
        let set = DestinationSet {
            dest: "112".into(),
            rou: Some(rou),
            cho: Some(cho),
            adc: Some("0000000000000250000001010000".into()),
            ..Default::default()
        };
        rig.run_command(Command::Destination(Destination::Initiate(set)));
    }
    (rig, caller, peers)
}

#[test]
fn a_call_for_help_goes_out_when_every_individual_is_taken_and_everybody_is_told() {
    let (mut rig, caller, [first, _]) = emergency_lab();
    dial(&mut rig, caller, "91");
    rig.incoming(first);
    rig.told();
    let calling = dial(&mut rig, caller, "112");
    let (at, invite) = rig.incoming(first);
    assert_eq!(invite.headers.get(&Name::from("Priority")).unwrap().as_str(), "emergency");
    rig.answer(first, at);
    assert!(rig.answered(caller, calling).is_some());
    let told = rig.told();
    let emergency = told.iter().find(|event| matches!(event, Event::EmergencyCall { route: 71, .. })).unwrap();
    assert_eq!(emergency.level(), event::Level::Error);
    let alarms = rig.run_command(Command::Alarm(Alarm::Print { severity: Some(3), all: None })).to_string();
    assert!(alarms.contains("emergency call from 27001"), "{alarms}");
}

#[test]
fn whatever_stops_it_on_one_way_it_takes_the_other() {
    for status in [486, 403, 404, 503, 603] {
        let (mut rig, caller, [first, second]) = emergency_lab();
        dial(&mut rig, caller, "112");
        let (at, _) = rig.incoming(first);
        rig.reject(first, at, status);
        rig.run_ms(50);
        assert!(rig.try_incoming(second).is_some(), "{status}");
    }
}

#[test]
fn the_emergency_centre_sees_who_calls_or_whom_the_site_names() {
    let (mut rig, caller, [first, second]) = emergency_lab();
    rig.set_route(72, |set| set.sosanumber = Some("+46855500000".into()));
    rig.call_with(caller, "27001", "112", |call| call.headers.push(Name::Privacy, "id"));
    rig.run_ms(50);
    let (at, invite) = rig.incoming(first);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27001"), "no hiding from help");
    assert!(!invite.headers.has(&Name::Privacy));
    rig.reject(first, at, 503);
    rig.run_ms(50);
    let (_, invite) = rig.incoming(second);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("+46855500000"));
}

#[test]
fn help_has_a_name_too() {
    let (mut rig, caller, [first, _]) = emergency_lab();
    rig.call_with(caller, "27001", "112", |call| call.request_uri = uri("urn:service:sos.fire"));
    rig.run_ms(50);
    assert_eq!(rig.incoming(first).1.uri.number().as_deref(), Some("112"));
}

#[test]
fn a_route_that_accepts_emergencies_takes_no_other_calls() {
    let (mut rig, _, [first, second]) = emergency_lab();
    let phone = rig.phone("27010", "127.0.0.1:5072");
    rig.set_route(71, |set| set.accept = Some("EMERGENCY".into()));
    let calling = rig.call_with(first, "3000", "27010", |call| call.login = None);
    rig.run_ms(50);
    assert_eq!(rig.rejected(first, calling).unwrap().status, 403);
    assert!(rig.try_incoming(phone).is_none());
    rig.call_with(first, "3000", "112", |call| call.login = None);
    rig.run_ms(50);
    assert!(!rig.sent_to(FIRST, &Method::Invite).is_empty() || rig.try_incoming(second).is_some());
}
