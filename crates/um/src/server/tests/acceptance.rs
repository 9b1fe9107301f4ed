use super::rig::{DIVERTED, ROUTER, Rig, SERVICE, WORKER, pbx};
use event::Event;
use net::{Action, Input, SipInput};
use sip::target::{Answer, Query};
use sip::{Name, Response};
use std::time::Duration;

#[track_caller]
fn refused(rig: &mut Rig, responses: &[Response], status: u16, warning: &str) -> Response {
    let last = responses.last().unwrap().clone();
    assert_eq!(last.status, status, "{last:?}");
    assert!(last.headers.get(&Name::Warning).unwrap().contains(warning), "{last:?}");
    let events = rig.take_events();
    assert!(events.iter().any(|e| matches!(e, Event::UmCallRefused { status: s, .. } if *s == status)), "{events:?}");
    last
}

#[test]
fn a_stranger_is_refused_on_every_hop() {
    let mut rig = Rig::lab();
    for listener in [ROUTER, SERVICE, WORKER] {
        let responses = rig.invite_from("127.0.222.99:5060".parse().unwrap(), listener, "43334", DIVERTED);
        refused(&mut rig, &responses, 403, "not a configured UM IP gateway");
    }
}

#[test]
fn a_number_that_is_no_pilot_of_the_gateway_is_not_found() {
    let mut rig = Rig::lab();
    let responses = rig.invite(ROUTER, "43335", "");
    refused(&mut rig, &responses, 404, "has the pilot 43335");
}

#[test]
fn a_disabled_gateway_is_refused_and_a_drained_one_is_told_to_look_elsewhere() {
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Status", "Disabled")]);
    let responses = rig.invite(WORKER, "43334", "");
    refused(&mut rig, &responses, 403, "disabled");
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Status", "NoNewCalls")]);
    let responses = rig.invite(WORKER, "43334", "");
    let response = refused(&mut rig, &responses, 503, "no new calls");
    assert!(response.headers.has(&Name::RetryAfter));
}

#[test]
fn a_disabled_attendant_does_not_answer() {
    let mut rig = Rig::lab();
    rig.done("Set-UMAutoAttendant", &[("Identity", "AA"), ("Status", "Disabled")]);
    let responses = rig.invite(WORKER, "43333", "");
    refused(&mut rig, &responses, 480, "disabled");
}

#[test]
fn a_secured_plan_takes_no_plain_calls() {
    let mut rig = Rig::lab();
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("VoIPSecurity", "SIPSecured")]);
    let responses = rig.invite(WORKER, "43334", "");
    refused(&mut rig, &responses, 403, "TLS only");
}

#[test]
fn the_call_over_the_maximum_is_refused_with_503_until_one_ends() {
    let mut rig = Rig::lab();
    rig.done("Set-UMService", &[("MaxCallsAllowed", "1")]);
    let call = rig.call("43334", DIVERTED);
    let responses = rig.invite(WORKER, "43334", DIVERTED);
    let response = refused(&mut rig, &responses, 503, "maximum number of calls");
    assert!(response.headers.has(&Name::RetryAfter));
    rig.hang_up(&call);
    rig.take_sent();
    assert_eq!(rig.invite(WORKER, "43334", DIVERTED).last().unwrap().status, 200);
}

#[test]
fn no_calls_at_all_may_be_allowed() {
    let mut rig = Rig::lab();
    rig.done("Set-UMService", &[("MaxCallsAllowed", "0")]);
    let responses = rig.invite(ROUTER, "43334", "");
    refused(&mut rig, &responses, 503, "maximum");
    assert!(rig.command("Set-UMService", &[("MaxCallsAllowed", "10001")]).is_err());
}

#[test]
fn an_offer_without_a_codec_that_we_have_is_not_acceptable() {
    let mut rig = Rig::lab();
    let text = super::rig::invite_text("43334", "", "z9hG4bKx", "x", 1, &super::rig::OFFER.replace("AVP 8", "AVP 3"));
    rig.receive(&text, WORKER, pbx());
    let responses = rig.take_responses();
    refused(&mut rig, &responses, 488, "codec");
}

#[test]
fn no_free_media_port_sends_the_pbx_elsewhere() {
    let mut rig = Rig::lab();
    rig.media.set_full(true);
    let responses = rig.invite(WORKER, "43334", "");
    refused(&mut rig, &responses, 503, "port");
}

#[test]
fn options_are_answered_on_every_hop_to_gateways_only() {
    let mut rig = Rig::lab();
    let options = |number: u8| {
        format!(
            "OPTIONS sip:127.0.222.4 SIP/2.0\nVia: SIP/2.0/TCP 127.0.222.10:40000;branch=z9hG4bKo{number}\n\
             Max-Forwards: 70\nTo: <sip:127.0.222.4>\nFrom: <sip:127.0.222.10>;tag=o\nCall-ID: o{number}\n\
             CSeq: 1 OPTIONS\nContent-Length: 0\n\n"
        )
    };
    for listener in [ROUTER, SERVICE, WORKER, 3] {
        rig.receive(&options(listener), listener, pbx());
        assert_eq!(rig.take_responses().last().unwrap().status, 200);
    }
    rig.receive(&options(9), ROUTER, "127.0.222.99:5060".parse().unwrap());
    let responses = rig.take_responses();
    assert_eq!(responses.last().map(|response| response.status), Some(403));
}

#[test]
fn a_gateway_with_a_name_is_known_by_the_addresses_that_dns_gives_it() {
    let mut rig = Rig::lab();
    rig.done("Remove-UMIPGateway", &[("", "MX-ONE")]);
    rig.actions.clear();
    rig.done("New-UMIPGateway", &[("Name", "MX"), ("Address", "mx-one.moon.galaxy"), ("UMDialPlan", "MX")]);
    rig.done("Set-UMHuntGroup", &[("", "MX Default Hunt Group"), ("PilotIdentifier", "43334")]);
    assert_eq!(rig.invite(WORKER, "43334", "").last().unwrap().status, 403, "not yet known");
    let query = rig.actions.iter().rev().find_map(|action| match action {
        Action::Resolve { query, question: Query::Addresses(name) } if name == "mx-one.moon.galaxy" => Some(*query),
        _ => None,
    });
    let answer = Answer::Addresses(vec![pbx().ip()]);
    rig.input(Input::Sip(SipInput::Resolved { query: query.unwrap(), answer }));
    assert_eq!(rig.invite(WORKER, "43334", "").last().unwrap().status, 200);
    // It is that name that its certificate must be for, or its address.
    let names = Some(["mx-one.moon.galaxy".into()].into_iter().collect());
    let known = net::KnownPeer { address: pbx().ip(), names, must_show: true };
    let exempt = matches!(rig.actions.last(), Some(Action::Peers(peers)) if *peers == [known]);
    assert!(exempt, "{:?}", rig.actions);
    rig.actions.clear();
    rig.later(Duration::from_secs(601));
    assert!(rig.actions.iter().any(|action| matches!(action, Action::Resolve { .. })), "and looked up again");
}
