use super::rig::*;
use sip::endpoint::CallRef;
use sip::history_info::History;
use sip::{Method, Name, Request, Transport};
use std::time::Duration;

/// A lab with a caller and UM servers on these ports.
fn servers(ports: &[u16]) -> (Rig, Peer, Vec<Peer>) {
    let mut rig = Rig::lab();
    let caller = rig.phone("27001", "127.0.0.1:5071");
    let servers = ports.iter().map(|port| rig.peer(&format!("127.0.222.4:{port}"), Transport::Tcp)).collect();
    (rig, caller, servers)
}

fn call(rig: &mut Rig, caller: Peer, to: &str) -> CallRef {
    let calling = rig.call(caller, "27001", to);
    rig.run_ms(20);
    calling
}

/// What must be the same in every INVITE of a redirected call.
fn kept(invite: &Request) -> Vec<String> {
    [Name::Diversion, Name::HistoryInfo, Name::PAssertedIdentity, Name::CallId]
        .iter()
        .flat_map(|name| invite.headers.lines(name).map(|line| line.to_string()).collect::<Vec<_>>())
        .chain([invite.to().unwrap().to_string(), invite.from().unwrap().uri.to_string()])
        .chain([String::from_utf8(invite.body.to_vec()).unwrap()])
        .collect()
}

#[test]
fn diverted_call_keeps_its_diversion_through_two_redirects() {
    let (mut rig, caller, um) = servers(&[5060, 5062, 5065]);
    let calling = call(&mut rig, caller, "27000");
    let (at_router, first) = rig.incoming(um[0]);
    assert!(first.headers.has(&Name::Diversion) && first.headers.has(&Name::HistoryInfo));
    rig.redirect(um[0], at_router, "sip:43334@127.0.222.4:5062;transport=Tcp");
    let (at_service, second) = rig.incoming(um[1]);
    rig.redirect(um[1], at_service, "sip:43334@127.0.222.4:5065;transport=Tcp");
    let (at_worker, third) = rig.incoming(um[2]);
    assert_eq!(third.uri.to_string(), "sip:43334@127.0.222.4:5065;transport=Tcp");
    assert_eq!(kept(&first), kept(&second));
    assert_eq!(kept(&first), kept(&third));
    rig.answer(um[2], at_worker);
    assert!(rig.answered(caller, calling).is_some());
    assert_eq!(rig.told_names().iter().filter(|name| *name == "call_redirected").count(), 2);
}

#[test]
fn a_chain_of_six_redirects_is_followed() {
    let ports = [5060, 5062, 5065, 5067, 5069, 5071, 5073];
    let (mut rig, caller, um) = servers(&ports);
    let calling = call(&mut rig, caller, "43334");
    for hop in 0..6 {
        let (at, _) = rig.incoming(um[hop]);
        rig.redirect(um[hop], at, &format!("sip:43334@127.0.222.4:{};transport=tcp", ports[hop + 1]));
    }
    let (at, _) = rig.incoming(um[6]);
    rig.answer(um[6], at);
    assert!(rig.answered(caller, calling).is_some());
}

#[test]
fn a_redirect_that_leads_back_is_a_loop() {
    let (mut rig, caller, um) = servers(&[5060, 5062]);
    let calling = call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    rig.redirect(um[0], at, "sip:43334@127.0.222.4:5062;transport=tcp");
    let (at, _) = rig.incoming(um[1]);
    rig.redirect(um[1], at, "sip:43334@127.0.222.4;transport=tcp");
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 482);
    assert!(rig.calls().is_empty());
}

#[test]
fn a_redirect_that_says_no_place_is_a_bad_gateway() {
    let (mut rig, caller, um) = servers(&[5060]);
    let calling = call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    rig.reject(um[0], at, 302);
    rig.run_ms(20);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 502);
}

#[test]
fn redirects_without_end_are_given_up() {
    let (mut rig, caller, um) = servers(&[5060]);
    let calling = call(&mut rig, caller, "43334");
    for hop in 0..20 {
        let Some((at, _)) = rig.try_incoming(um[0]) else { break };
        rig.redirect(um[0], at, &format!("sip:{hop}@127.0.222.4;transport=tcp"));
    }
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 482);
    assert_eq!(rig.sent_to(UM, &Method::Invite).len(), 11);
}

#[test]
fn of_several_contacts_the_preferred_is_tried_first_and_then_the_other() {
    let (mut rig, caller, um) = servers(&[5060, 5065, 5067]);
    call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    let mut headers = sip::Headers::new();
    headers.push(
        Name::Contact,
        "<sip:43334@127.0.222.4:5065;transport=tcp>;q=0.3, <sip:43334@127.0.222.4:5067;transport=tcp>;q=0.9",
    );
    rig.with(um[0], |endpoint, now| endpoint.reject(at, 302, &headers, now)).unwrap();
    rig.run_ms(20);
    let (at, _) = rig.incoming(um[2]);
    rig.reject(um[2], at, 503);
    rig.run_ms(20);
    rig.incoming(um[1]);
}

#[test]
fn whether_redirects_enter_the_history_is_a_setting_of_the_route() {
    for (setting, entries) in [(false, 2), (true, 3)] {
        let (mut rig, caller, um) = servers(&[5060, 5062]);
        rig.set_route(55, |set| set.history_redirects = Some(setting));
        call(&mut rig, caller, "27000");
        let (at, _) = rig.incoming(um[0]);
        rig.redirect(um[0], at, "sip:43334@127.0.222.4:5062;transport=tcp");
        let (_, invite) = rig.incoming(um[1]);
        let history = History::read(&invite.headers);
        assert_eq!(history.entries.len(), entries, "{history:?}");
        if !setting {
            // What Exchange reads.
            assert_eq!(history.last_but_one().unwrap().number().as_deref(), Some("27000"));
        }
    }
}

#[test]
fn as_many_calls_at_once_as_trunk_individuals() {
    let (mut rig, caller, um) = servers(&[5060]);
    let mut calls = Vec::new();
    for _ in 0..3 {
        let calling = call(&mut rig, caller, "43334");
        let (at, _) = rig.incoming(um[0]);
        rig.answer(um[0], at);
        calls.push((calling, at));
    }
    rig.told();
    let calling = call(&mut rig, caller, "43334");
    let refusal = rig.rejected(caller, calling).unwrap();
    assert_eq!(refusal.status, 480);
    assert!(refusal.headers.get(&Name::Reason).unwrap().contains("cause=34"));
    assert!(rig.told_names().contains(&"route_unavailable".to_owned()));
    // The peer's own calls take individuals too.
    let incoming = rig.call_with(um[0], "5551", "27000", |call| call.login = None);
    rig.run_ms(20);
    assert_eq!(rig.rejected(um[0], incoming).unwrap().status, 480);

    rig.hang_up(caller, calls[0].0);
    call(&mut rig, caller, "43334");
    assert!(rig.try_incoming(um[0]).is_some(), "one is free again");
}

#[test]
fn a_redirected_call_takes_one_individual() {
    let (mut rig, caller, um) = servers(&[5060, 5062]);
    for _ in 0..3 {
        call(&mut rig, caller, "43334");
        let (at, _) = rig.incoming(um[0]);
        rig.redirect(um[0], at, "sip:43334@127.0.222.4:5062;transport=tcp");
        let (at, _) = rig.incoming(um[1]);
        rig.answer(um[1], at);
    }
    assert_eq!(rig.calls().len(), 3);
}

#[test]
fn a_503_of_the_trunk_becomes_a_500_or_the_next_choice() {
    let (mut rig, caller, um) = servers(&[5060]);
    let calling = call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    rig.reject(um[0], at, 503);
    rig.run_ms(100);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 500);

    let (mut rig, caller, um) = servers(&[5060]);
    rig.route(56, "127.0.222.5", 1);
    rig.destination("43334", 56, 1);
    let second = rig.peer("127.0.222.5:5060", Transport::Tcp);
    let calling = call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    rig.reject(um[0], at, 503);
    rig.run_ms(100);
    let (at, _) = rig.incoming(second);
    rig.answer(second, at);
    assert!(rig.answered(caller, calling).is_some());
}

#[test]
fn a_refusal_of_the_trunks_that_concerns_the_caller_is_passed_on_with_its_warning() {
    let (mut rig, caller, um) = servers(&[5060]);
    let calling = call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    let mut headers = sip::Headers::new();
    headers.push(Name::Warning, "399 um.moon.galaxy \"no such pilot\"");
    rig.with(um[0], |endpoint, now| endpoint.reject(at, 404, &headers, now)).unwrap();
    rig.run_ms(20);
    let refusal = rig.rejected(caller, calling).unwrap();
    assert_eq!(refusal.status, 404);
    assert!(refusal.headers.get(&Name::Warning).unwrap().contains("no such pilot"));
}

#[test]
fn a_silent_um_server_is_given_up_after_nine_seconds() {
    let (mut rig, caller, _) = servers(&[5060]);
    rig.dead.insert("127.0.222.4".parse().unwrap());
    let calling = call(&mut rig, caller, "43334");
    rig.run(Duration::from_secs(8));
    assert!(rig.rejected(caller, calling).is_none());
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 500);
}

#[test]
fn a_refused_connection_is_no_wait_at_all() {
    let (mut rig, caller, _) = servers(&[]);
    let calling = call(&mut rig, caller, "43334");
    rig.run_ms(100);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 500);
}

#[test]
fn a_call_from_the_trunk_rings_an_extension_and_keeps_what_the_trunk_says() {
    let (mut rig, _caller, um) = servers(&[5060]);
    let phone = rig.phone("27010", "127.0.0.1:5072");
    let calling = rig.call_with(um[0], "0701234567", "27010", |call| {
        call.login = None;
        call.headers.push(Name::PAssertedIdentity, "\"Mobile\" <sip:0701234567@pstn.example>");
        call.headers.push(Name::Diversion, "<sip:43333@moon.galaxy>;reason=unconditional");
    });
    rig.run_ms(20);
    let (called, invite) = rig.incoming(phone);
    let from = invite.from().unwrap();
    assert_eq!((from.display.as_deref(), from.uri.number().as_deref()), (Some("Mobile"), Some("0701234567")));
    assert!(invite.headers.get(&Name::Diversion).unwrap().contains("43333"));
    rig.answer(phone, called);
    assert!(rig.answered(um[0], calling).is_some());
}

#[test]
fn a_hidden_number_stays_hidden_from_phones_and_is_asserted_on_the_trunk() {
    let (mut rig, caller, um) = servers(&[5060]);
    let phone = rig.phone("27010", "127.0.0.1:5072");
    for to in ["27010", "43334"] {
        rig.call_with(caller, "27001", to, |call| call.headers.push(Name::Privacy, "id"));
        rig.run_ms(20);
    }
    let (_, invite) = rig.incoming(phone);
    assert!(!String::from_utf8(invite.to_bytes().to_vec()).unwrap().contains("27001"), "{invite:?}");
    let (_, invite) = rig.incoming(um[0]);
    assert_eq!(invite.from().unwrap().uri.to_string(), "sip:anonymous@anonymous.invalid");
    assert!(invite.headers.get(&Name::PAssertedIdentity).unwrap().contains("27001"));
    assert_eq!(invite.headers.get(&Name::Privacy).unwrap().as_str(), "id");
}

#[test]
fn a_redirect_to_a_number_of_the_node_is_dialled_here() {
    let (mut rig, caller, um) = servers(&[5060]);
    let phone = rig.phone("27010", "127.0.0.1:5072");
    call(&mut rig, caller, "43334");
    let (at, _) = rig.incoming(um[0]);
    rig.redirect(um[0], at, "sip:27010@127.0.222.10");
    assert!(rig.try_incoming(phone).is_some());
}

#[test]
fn a_call_of_the_um_servers_address_on_another_port_is_its_call_too() {
    let (mut rig, _, _) = servers(&[]);
    let worker = rig.peer("127.0.222.4:5065", Transport::Tcp);
    let phone = rig.phone("27010", "127.0.0.1:5072");
    rig.call_with(worker, "27000", "27010", |call| call.login = None);
    rig.run_ms(20);
    assert!(rig.try_incoming(phone).is_some());
}

#[test]
fn a_dead_peer_is_told_once_and_its_return_too() {
    let mut rig = Rig::lab();
    rig.dead.insert("127.0.222.4".parse().unwrap());
    let um = rig.peer(UM, Transport::Tcp);
    rig.told();
    rig.run(Duration::from_secs(150));
    assert_eq!(rig.told_names(), ["alarm_raised", "route_unavailable"]);
    rig.dead.clear();
    for _ in 0..40 {
        rig.run(Duration::from_secs(2));
        for event in rig.events_of(um) {
            let sip::endpoint::Event::Request { transaction, request, .. } = event else { continue };
            assert_eq!(request.uri.user, None);
            rig.with(um, |endpoint, now| endpoint.respond(transaction, request.response(200), now)).unwrap();
        }
    }
    assert_eq!(rig.told_names(), ["alarm_cleared", "route_available"]);
    rig.set_route(55, |set| set.supervise = Some("NO_SUPERVISION".into()));
    let before = rig.sent_to(UM, &Method::Options).len();
    rig.run(Duration::from_secs(150));
    assert_eq!(rig.sent_to(UM, &Method::Options).len(), before);
}
