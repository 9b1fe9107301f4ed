//! A server that is to end, or rest: calls in progress go on, new ones are sent elsewhere, and the PBX hears of it before
//! it calls.

use super::rig::{DIVERTED, ROUTER, Rig, SERVICE, WORKER, pbx};
use crate::Own;
use net::{Action, Input};
use sip::{Method, Name, Response};
use std::time::Duration;

fn options(rig: &mut Rig, number: u32) -> Response {
    let text = format!(
        "OPTIONS sip:127.0.222.4 SIP/2.0\nVia: SIP/2.0/TCP 127.0.222.10:40000;branch=z9hG4bKd{number}\n\
         Max-Forwards: 70\nTo: <sip:127.0.222.4>\nFrom: <sip:127.0.222.10>;tag=o\nCall-ID: d{number}\n\
         CSeq: 1 OPTIONS\nContent-Length: 0\n\n"
    );
    rig.receive(&text, ROUTER, pbx());
    rig.take_responses().pop().unwrap()
}

fn refused(rig: &mut Rig) {
    let responses = rig.invite(ROUTER, "43334", DIVERTED);
    let last = responses.last().unwrap();
    assert_eq!((last.status, last.headers.has(&Name::RetryAfter)), (503, true), "{last:?}");
}

fn has_ended(rig: &Rig) -> bool {
    rig.actions.iter().any(|action| matches!(action, Action::Stop))
}

/// A cmdlet and its parameters.
type Cmdlet = (&'static str, &'static [(&'static str, &'static str)]);

#[test]
fn a_gateway_or_a_server_without_new_calls_answers_options_by_503_and_keeps_its_calls() {
    let rows: [(Cmdlet, Cmdlet); 2] = [
        (
            ("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Status", "NoNewCalls")]),
            ("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Status", "Enabled")]),
        ),
        (("Disable-UMService", &[]), ("Enable-UMService", &[])),
    ];
    for (number, ((off, with), (on, again))) in (0..).zip(rows) {
        let mut rig = Rig::lab();
        let call = rig.call("43334", DIVERTED);
        rig.done(off, with);
        let answer = options(&mut rig, number * 2);
        assert_eq!((answer.status, answer.headers.has(&Name::RetryAfter)), (503, true), "{off}");
        refused(&mut rig);
        rig.hang_up(&call);
        assert_eq!(rig.take_responses().pop().unwrap().status, 200, "the call in progress was the server's to the end");
        rig.done(on, again);
        assert_eq!(options(&mut rig, number * 2 + 1).status, 200);
    }
}

#[test]
fn a_server_that_is_stopped_ends_with_its_last_call() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.input(Input::Own(Own::Drain(Duration::from_secs(60))));
    assert_eq!(options(&mut rig, 1).status, 503);
    refused(&mut rig);
    assert!(!has_ended(&rig));
    rig.hang_up(&call);
    assert!(has_ended(&rig));
}

#[test]
fn a_server_without_calls_is_stopped_at_once_and_a_call_without_end_is_ended_at_the_limit() {
    let mut rig = Rig::lab();
    rig.input(Input::Own(Own::Drain(Duration::from_secs(60))));
    assert!(has_ended(&rig));

    let mut rig = Rig::lab();
    rig.call("43334", DIVERTED);
    rig.take_sent();
    rig.input(Input::Own(Own::Drain(Duration::from_secs(5))));
    rig.later(Duration::from_millis(4900));
    assert!(!has_ended(&rig));
    rig.later(Duration::from_millis(200));
    assert!(has_ended(&rig));
    assert!(rig.take_requests().iter().any(|request| request.method == Method::Bye));
}

#[test]
fn a_worker_is_changed_for_its_twin_and_its_calls_stay_where_they_are() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.done("Set-UMService", &[("ActiveWorker", "2")]);
    for (listener, port) in [(ROUTER, 5062), (SERVICE, 5067)] {
        let contact = rig.invite(listener, "43334", DIVERTED).pop().unwrap();
        let contact = contact.headers.get(&Name::Contact).unwrap().to_string();
        assert_eq!(contact, format!("<sip:43334@exc-2013-um1.moon.galaxy:{port};transport=tcp>"));
    }
    // Who was on the way to the first one still finds it.
    assert_eq!(rig.invite(WORKER, "43334", DIVERTED).last().unwrap().status, 200);
    assert_eq!(rig.invite(3, "43334", DIVERTED).last().unwrap().status, 200);
    rig.hang_up(&call);
    assert_eq!(rig.take_responses().pop().unwrap().status, 200);
    rig.done("Set-UMService", &[("ActiveWorker", "1")]);
    let contact = rig.invite(SERVICE, "43334", DIVERTED).pop().unwrap();
    assert!(contact.headers.get(&Name::Contact).unwrap().contains(":5065;"));
}
