//! A node that is to end, or rests: calls in progress go on, new ones are sent elsewhere, peers hear of it before they call,
//! and whoever needs help gets it. The UM server's half has a file of the same name.

use super::rig::*;
use crate::Own;
use crate::commands::*;
use event::Event;
use net::Input;
use sip::{Method, Name, Response, Transport};
use std::time::Duration;

fn drain(rig: &mut Rig, seconds: u64) {
    rig.input(Input::Own(Own::Drain(Duration::from_secs(seconds))));
}

fn maintenance(rig: &mut Rig, change: Maintenance) {
    rig.run_command(Command::Maintenance(change));
}

/// Two phones that talk, and a third one.
fn talking() -> (Rig, [Peer; 3], [sip::endpoint::CallRef; 2]) {
    let mut rig = Rig::lab();
    let anna = rig.phone("27001", "127.0.0.1:5071");
    let bert = rig.phone("27010", "127.0.0.1:5072");
    let carl = rig.phone("27000", "127.0.0.1:5073");
    let (calling, called) = rig.connect(anna, "27001", bert, "27010");
    rig.told();
    (rig, [anna, bert, carl], [calling, called])
}

fn options(rig: &mut Rig, peer: Peer, number: &str) -> Response {
    let password = format!("moon-{number}");
    rig.request(peer, Method::Options, number, number, Some(&password), |_| ());
    rig.run_ms(20);
    rig.responses(peer).pop().unwrap()
}

#[track_caller]
fn refused(rig: &mut Rig, peer: Peer, number: &str, to: &str) {
    let calling = rig.call(peer, number, to);
    rig.run_ms(20);
    let response = rig.rejected(peer, calling).unwrap();
    assert_eq!((response.status, response.headers.get(&Name::RetryAfter).unwrap().as_str()), (503, "30"));
    assert!(response.headers.get(&Name::Warning).unwrap().contains("takes no new calls"));
}

#[test]
fn a_node_that_is_stopped_ends_with_its_last_call() {
    let (mut rig, [anna, bert, carl], [calling, called]) = talking();
    drain(&mut rig, 60);
    assert!(rig.told().iter().any(|event| matches!(event, Event::Draining { calls: 1 })));
    let answer = options(&mut rig, carl, "27000");
    assert_eq!((answer.status, answer.headers.has(&Name::RetryAfter)), (503, true));
    refused(&mut rig, carl, "27000", "27001");
    assert!(!rig.stopped && !rig.ended(anna, calling));
    rig.hang_up(bert, called);
    rig.run_ms(20);
    assert!(rig.ended(anna, calling) && rig.stopped);
}

#[test]
fn a_node_without_calls_is_stopped_at_once_and_a_call_without_end_is_ended_at_the_limit() {
    let mut rig = Rig::lab();
    drain(&mut rig, 60);
    assert!(rig.stopped);

    let (mut rig, [anna, bert, _], [calling, called]) = talking();
    drain(&mut rig, 5);
    rig.run(Duration::from_millis(4900));
    assert!(!rig.stopped);
    rig.run(Duration::from_millis(200));
    assert!(rig.stopped && rig.ended(anna, calling) && rig.ended(bert, called));
}

#[test]
fn a_peer_on_a_trunk_is_told_to_look_elsewhere_and_takes_its_other_way() {
    let mut rig = Rig::lab();
    rig.phone("27001", "127.0.0.1:5071");
    let um = rig.peer(UM, Transport::Tcp);
    maintenance(&mut rig, Maintenance::Initiate {});
    let calling = rig.call_with(um, "43334", "27001", |call| call.login = None);
    rig.run_ms(20);
    assert_eq!(rig.rejected(um, calling).unwrap().status, 503);
    assert_eq!(options(&mut rig, um, "43334").status, 503);
}

#[test]
fn under_maintenance_calls_in_progress_go_on_and_it_holds_over_a_restart() {
    let (mut rig, [anna, bert, carl], [calling, called]) = talking();
    maintenance(&mut rig, Maintenance::Initiate {});
    assert!(rig.command(Command::Maintenance(Maintenance::Initiate {})).is_err());
    let said = rig.run_command(Command::Maintenance(Maintenance::Print {})).to_string();
    assert!(said.contains("under maintenance"), "{said}");
    refused(&mut rig, carl, "27000", "27001");
    rig.run(Duration::from_secs(300));
    assert!(!rig.stopped && !rig.ended(anna, calling));
    rig.hang_up(bert, called);
    rig.run_ms(20);
    rig.restart();
    refused(&mut rig, carl, "27000", "27001");
    let lines = rig.run_command(Command::Config(Config::Export {})).to_string();
    assert!(lines.contains("maintenance"), "{lines}");

    maintenance(&mut rig, Maintenance::End {});
    assert!(rig.command(Command::Maintenance(Maintenance::End {})).is_err());
    assert_eq!(options(&mut rig, carl, "27000").status, 200);
    rig.connect(carl, "27000", anna, "27001");
}

#[test]
fn whoever_needs_help_gets_it_to_the_last() {
    let (mut rig, [_, _, carl], _) = talking();
    rig.route(71, "127.0.77.1", 1);
    rig.run_command(Command::Number(Number::Initiate { numbertype: "SOS".into(), number: "112".into() }));
    let set = DestinationSet {
        dest: "112".into(),
        rou: Some(71),
        adc: Some("0000000000000250000001010000".into()),
        ..Default::default()
    };
    rig.run_command(Command::Destination(Destination::Initiate(set)));
    let centre = rig.peer("127.0.77.1:5060", Transport::Tcp);
    drain(&mut rig, 60);
    let calling = rig.call(carl, "27000", "112");
    rig.run_ms(50);
    let (at, _) = rig.incoming(centre);
    rig.answer(centre, at);
    assert!(rig.answered(carl, calling).is_some());
}
