//! A route to an operator: registration, digest both ways, whose numbers are whose, who is believed.

use super::rig::*;
use crate::commands::*;
use sip::digest::{Credentials, Ha1};
use sip::endpoint::{CallRef, Event as EndpointEvent};
use sip::header::{Contact, Expires};
use sip::{Headers, Name, Request, Transport};
use std::time::Duration;

const OPERATOR: &str = "127.0.77.1:5060";
const CHALLENGE: &str = "Digest realm=\"operator.example\", nonce=\"abc\", qop=\"auth\"";

/// The lab with a public trunk as route 60, dialled with 0, and the operator as a peer.
fn lab(change: impl FnOnce(&mut SipRouteSet)) -> (Rig, Peer) {
    let mut rig = Rig::lab();
    let operator = rig.peer(OPERATOR, Transport::Udp);
    rig.route(60, "127.0.77.1", 2);
    rig.set_route(60, |set| {
        set.profile = Some("PublicTrunk_UDP".into());
        set.mwinumber = Some(String::new());
        set.supervise = Some("NO_SUPERVISION".into());
        set.uristring[0] = Some("sip:?@127.0.77.1".into());
        set.uristring[1] = Some("sip:+?@127.0.77.1".into());
        set.fromuri[0] = Some("sip:08555?@operator.example".into());
        set.contextb[1] = Some("+468555".into());
        set.contexta[1] = Some("+468555".into());
        set.authname = Some("moonlab".into());
        set.password = Some("luna-7".into());
        change(set);
    });
    rig.set_route(55, |set| set.supervise = Some("NO_SUPERVISION".into()));
    rig.destination("0", 60, 0);
    let change = DestinationSet { dest: "0".into(), srt: Some(2), ..Default::default() };
    rig.run_command(Command::Destination(Destination::Change(change)));
    rig.told();
    (rig, operator)
}

fn registering(rig_change: impl FnOnce(&mut SipRouteSet)) -> (Rig, Peer) {
    lab(|set| {
        set.profile = Some("PublicTrunk_Register_UDP".into());
        set.registerstring = Some("sip:?@127.0.77.1".into());
        set.numbers = Some("0855527000".into());
        set.timer = Some(600);
        rig_change(set);
    })
}

/// The REGISTERs that wait at the operator, answered.
fn answer(rig: &mut Rig, operator: Peer, status: u16, headers: impl Fn(&Request, &mut Headers)) -> Vec<Request> {
    rig.run_ms(20);
    let mut seen = Vec::new();
    for event in rig.events_of(operator) {
        let EndpointEvent::Request { transaction, request, .. } = event else { continue };
        let mut response = request.response(status);
        headers(&request, &mut response.headers);
        rig.with(operator, |endpoint, now| endpoint.respond(transaction, response, now)).unwrap();
        seen.push(request);
    }
    rig.run_ms(20);
    seen
}

fn challenge(_: &Request, headers: &mut Headers) {
    headers.push(Name::WwwAuthenticate, CHALLENGE);
}

fn grant(request: &Request, headers: &mut Headers) {
    headers.push(Name::Contact, request.headers.get(&Name::Contact).unwrap().clone());
    headers.push(Name::Expires, request.headers.get(&Name::Expires).unwrap().clone());
}

fn knows(request: &Request, password: &str) -> bool {
    let credentials = Credentials::for_realm(&request.headers, "operator.example").expect("credentials");
    credentials.matches(&Ha1::new("moonlab", "operator.example", password), &request.method)
}

#[test]
fn the_node_registers_with_its_password_and_keeps_that_alive() {
    let (mut rig, operator) = registering(|_| ());
    let first = answer(&mut rig, operator, 401, challenge);
    assert_eq!(first[0].uri.to_string(), "sip:127.0.77.1");
    assert_eq!(first[0].to().unwrap().uri.to_string(), "sip:0855527000@127.0.77.1");
    assert_eq!(first[0].headers.sound::<Expires>().unwrap().0, 600);
    let contact = first[0].headers.sound::<Contact>().unwrap().uri().unwrap().to_string();
    assert_eq!(contact, "sip:0855527000@127.0.222.10:5060");
    let second = answer(&mut rig, operator, 200, grant);
    assert!(knows(&second[0], "luna-7"));
    assert_eq!(rig.told_names(), ["route_registered"]);
    rig.run(Duration::from_secs(530));
    assert!(rig.events_of(operator).is_empty());
    rig.run(Duration::from_secs(11));
    let refreshed = answer(&mut rig, operator, 200, grant);
    assert_eq!(refreshed[0].call_id(), first[0].call_id(), "RFC 3261 10.2.4");
    assert!(refreshed[0].cseq().unwrap().seq > second[0].cseq().unwrap().seq);
    assert!(rig.told_names().is_empty(), "a refresh is no news");
}

#[test]
fn a_wrong_password_is_told_once_and_tried_less_and_less() {
    let (mut rig, operator) = registering(|_| ());
    answer(&mut rig, operator, 401, challenge);
    answer(&mut rig, operator, 401, challenge);
    let told = rig.told();
    let [event::Event::RouteRegistrationFailed { route: 60, number, reason, retry_s: 30 }] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(number == "0855527000" && reason.contains("-password"), "{reason}");
    let mut tries = 0;
    for _ in 0..360 {
        rig.run(Duration::from_secs(10));
        tries += answer(&mut rig, operator, 401, challenge).len();
        answer(&mut rig, operator, 401, challenge);
    }
    assert!((4..=8).contains(&tries), "{tries} tries in an hour");
    assert!(rig.told_names().is_empty());
    rig.set_route(60, |set| set.password = Some("luna-8".into()));
    rig.told();
    answer(&mut rig, operator, 401, challenge);
    assert!(knows(&answer(&mut rig, operator, 200, grant)[0], "luna-8"), "mended, it is tried at once");
    assert_eq!(rig.told_names(), ["route_registered"]);
}

#[test]
fn an_operator_that_is_gone_is_told_and_so_is_its_return() {
    let (mut rig, operator) = registering(|_| ());
    answer(&mut rig, operator, 200, grant);
    rig.told();
    rig.dead.insert("127.0.77.1".parse().unwrap());
    rig.run(Duration::from_secs(900));
    assert_eq!(rig.told_names(), ["route_registration_failed"]);
    rig.dead.clear();
    rig.events_of(operator);
    for _ in 0..62 {
        rig.run(Duration::from_secs(5));
        answer(&mut rig, operator, 200, grant);
    }
    assert_eq!(rig.told_names(), ["route_registered"], "within five minutes");
}

#[test]
fn a_shorter_time_than_the_operator_likes_is_lengthened() {
    let (mut rig, operator) = registering(|_| ());
    answer(&mut rig, operator, 423, |_, headers| headers.push(Name::MinExpires, "1800"));
    let longer = answer(&mut rig, operator, 200, grant);
    assert_eq!(longer[0].headers.sound::<Expires>().unwrap().0, 1800);
}

#[test]
fn a_route_that_is_removed_or_registers_no_more_takes_its_registration_back() {
    let (mut rig, operator) = registering(|_| ());
    answer(&mut rig, operator, 200, grant);
    rig.set_route(60, |set| set.register = Some("NO_REGISTER".into()));
    let last = answer(&mut rig, operator, 200, |_, _| ());
    assert_eq!(last[0].headers.sound::<Expires>().unwrap().0, 0);
    rig.run(Duration::from_secs(3600));
    assert!(rig.events_of(operator).is_empty());
}

#[test]
fn a_call_goes_out_with_the_operators_digest_and_numbers() {
    let (mut rig, operator) = lab(|set| set.realm = Some("operator.example".into()));
    let phone = rig.phone("27000", "127.0.0.1:5071");
    let calling = rig.call(phone, "27000", "00701234567");
    rig.run_ms(20);
    let (at, invite) = rig.incoming(operator);
    assert_eq!(invite.uri.to_string(), "sip:0701234567@127.0.77.1");
    assert_eq!(invite.from().unwrap().uri.to_string(), "sip:0855527000@operator.example");
    assert!(!invite.headers.has(&Name::PAssertedIdentity), "a public trunk is told nothing more");
    let mut headers = Headers::new();
    headers.push(Name::ProxyAuthenticate, CHALLENGE);
    rig.with(operator, |endpoint, now| endpoint.reject(at, 407, &headers, now)).unwrap();
    rig.run_ms(20);
    let (at, invite) = rig.incoming(operator);
    assert!(knows(&invite, "luna-7"));
    rig.answer(operator, at);
    assert!(rig.answered(phone, calling).is_some());
}

#[test]
fn a_realm_that_is_not_the_operators_gets_no_answer_to_its_challenge() {
    let (mut rig, operator) = lab(|set| set.realm = Some("elsewhere.example".into()));
    let phone = rig.phone("27000", "127.0.0.1:5071");
    let calling = rig.call(phone, "27000", "00701234567");
    rig.run_ms(20);
    let (at, _) = rig.incoming(operator);
    let mut headers = Headers::new();
    headers.push(Name::ProxyAuthenticate, CHALLENGE);
    rig.with(operator, |endpoint, now| endpoint.reject(at, 407, &headers, now)).unwrap();
    rig.run_ms(20);
    assert!(rig.try_incoming(operator).is_none());
    assert_eq!(rig.rejected(phone, calling).unwrap().status, 500);
    let told = rig.told();
    let unavailable = told.iter().find_map(|event| match event {
        event::Event::RouteUnavailable { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(unavailable.unwrap().contains("-password"));
}

#[test]
fn the_type_of_number_chooses_the_uri_and_addheader_and_routeset_are_in_the_invite() {
    let (mut rig, operator) = lab(|set| {
        set.addheader = Some("X-Site: 4 | X-Trunk: moon".into());
        set.routeset = Some("sip:127.0.77.1;lr,sip:core.operator.example;lr".into());
        set.uristring[1] = Some("sip:+?@operator.example".into());
    });
    let change =
        DestinationSet { dest: "0".into(), adc: Some("0105000000000250000001010000".into()), ..Default::default() };
    rig.run_command(Command::Destination(Destination::Change(change)));
    let phone = rig.phone("27000", "127.0.0.1:5071");
    rig.call(phone, "27000", "04631123456");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(operator);
    assert_eq!(invite.uri.to_string(), "sip:+4631123456@operator.example");
    assert_eq!(invite.headers.get(&Name::from("X-Trunk")).unwrap().as_str(), "moon");
    assert_eq!(invite.headers.lines(&Name::Route).count(), 2);
}

fn comes_in(rig: &mut Rig, operator: Peer, to: &str, change: impl FnOnce(&mut sip::endpoint::OutgoingCall)) -> CallRef {
    let calling = rig.call_with(operator, "0701234567", to, |call| {
        call.login = None;
        change(call);
    });
    rig.run_ms(20);
    calling
}

#[test]
fn a_call_comes_in_by_the_long_number_and_what_an_operator_asserts_is_not_believed() {
    let (mut rig, operator) = lab(|_| ());
    let phone = rig.phone("27000", "127.0.0.1:5071");
    comes_in(&mut rig, operator, "+46855527000", |call| {
        call.headers.push(Name::PAssertedIdentity, "<sip:27001@moon.galaxy>");
        call.headers.push(Name::Diversion, "<sip:27001@moon.galaxy>;reason=no-answer");
    });
    let (_, invite) = rig.incoming(phone);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("0701234567"));
    assert!(!invite.headers.has(&Name::Diversion));
}

#[test]
fn a_colleagues_long_number_is_shown_short() {
    let (mut rig, operator) = lab(|set| set.trusted = Some("TRUSTED".into()));
    let phone = rig.phone("27000", "127.0.0.1:5071");
    comes_in(&mut rig, operator, "+46855527000", |call| {
        call.headers.push(Name::PAssertedIdentity, "<sip:+46855527010@operator.example>");
    });
    let (_, invite) = rig.incoming(phone);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27010"));
}

#[test]
fn a_registered_line_is_called_by_its_contact_and_the_number_is_in_to() {
    let (mut rig, operator) = registering(|set| set.numbers = Some(String::new()));
    answer(&mut rig, operator, 200, grant);
    let phone = rig.phone("27000", "127.0.0.1:5071");
    comes_in(&mut rig, operator, "+46855527000", |call| call.request_uri = uri("sip:moonlab@127.0.222.10"));
    assert!(rig.try_incoming(phone).is_some());
}

#[test]
fn a_peer_that_is_challenged_is_let_in_by_the_routes_password_alone() {
    for (password, status) in [("luna-7", None), ("luna-8", Some(403))] {
        let (mut rig, operator) = lab(|set| {
            set.challenge = Some(true);
            set.accept = Some("ALL".into());
            set.match_ = Some(String::new());
        });
        let phone = rig.phone("27000", "127.0.0.1:5071");
        let calling = comes_in(&mut rig, operator, "+46855527000", |call| {
            call.login = Some(sip::endpoint::Login::new("moonlab", password));
        });
        assert_eq!(rig.try_incoming(phone).is_some(), status.is_none(), "{password}");
        assert_eq!(rig.rejected(operator, calling).map(|response| response.status), status);
    }
}

#[test]
fn a_phone_is_asked_for_its_own_password_though_a_route_takes_whoever_knows_the_routes() {
    let (mut rig, operator) = lab(|set| {
        set.challenge = Some(true);
        set.accept = Some("ALL".into());
        set.match_ = Some(String::new());
    });
    let callee = rig.phone("27000", "127.0.0.1:5071");
    let phone = rig.peer("127.0.0.9:5072", Transport::Udp);
    rig.call(phone, "27001", "27000");
    rig.run_ms(50);
    let (_, invite) = rig.incoming(callee);
    assert_eq!(invite.from().unwrap().uri.number().as_deref(), Some("27001"));
    let wrong =
        rig.call_with(phone, "27010", "27000", |call| call.login = Some(sip::endpoint::Login::new("27010", "no")));
    rig.run_ms(50);
    assert_eq!(rig.rejected(phone, wrong).map(|response| response.status), Some(403));
    // The peer may show any number, one of ours too, as long as it says who it is.
    let calling = comes_in(&mut rig, operator, "+46855527000", |call| {
        call.login = Some(sip::endpoint::Login::new("moonlab", "luna-7"));
    });
    assert_eq!(rig.rejected(operator, calling).map(|response| response.status), None);
}

#[test]
fn public_callers_have_the_third_bit_of_a_positions_origin() {
    let (mut rig, operator) = lab(|_| ());
    let (public, internal) = (rig.phone("27010", "127.0.0.1:5072"), rig.phone("27001", "127.0.0.1:5071"));
    rig.extension("27002");
    rig.position("27002", 1, "27001", |position| position.origin = Some("110".into()));
    rig.position("27002", 2, "27010", |position| position.origin = Some("001".into()));
    comes_in(&mut rig, operator, "+46855527002", |_| ());
    assert!(rig.try_incoming(public).is_some() && rig.try_incoming(internal).is_none());
    rig.set_route(60, |set| set.handleasexn = Some(true));
    comes_in(&mut rig, operator, "+46855527002", |_| ());
    assert!(rig.try_incoming(public).is_none() && rig.try_incoming(internal).is_some());
}

#[test]
fn a_password_is_neither_printed_nor_in_events_or_the_store() {
    let (mut rig, _) = registering(|_| ());
    let printed = rig.run_command(Command::SipRoute(SipRoute::Print { route: Some(60), profile: None, short: None }));
    assert!(printed.to_string().contains("********") && !printed.to_string().contains("luna"));
    assert!(!format!("{:?}", rig.told()).contains("luna"));
    assert!(rig.store.load("route").iter().all(|(_, value)| !value.contains("luna")));
}

#[test]
fn the_state_of_routes_says_what_is_up_registered_and_taken() {
    let (mut rig, operator) = registering(|_| ());
    answer(&mut rig, operator, 200, grant);
    let text = rig.run_command(Command::Status(Status::Routes {})).to_string();
    let line = text.lines().find(|line| line.starts_with("60")).unwrap();
    assert!(
        line.contains("PublicTrunk_Register_UDP") && line.contains(" up ") && line.contains("0855527000 5"),
        "{line}"
    );
}
