//! Two UM servers behind a name (the guide's chapter 6): where a call goes when one of them is silent, refuses, breaks off,
//! is full, dies over the call, or comes back.

use super::rig::*;
use event::Event;
use sip::endpoint::CallRef;
use sip::target::{Answer, SrvRecord};
use sip::{Headers, Method, Name, Transport};
use std::time::Duration;

const NAME: &str = "exc-2013-um.moon.galaxy";
const UM1: &str = "127.0.222.4";
const UM2: &str = "127.0.222.5";

fn srv(priority: u16, target: &str) -> SrvRecord {
    SrvRecord { priority, weight: 1, port: 5060, target: target.to_owned() }
}

/// The guide's 6.3.1, but that um1 is always the first. Nobody asks whether they live.
fn unwatched() -> (Rig, Peer) {
    let mut rig = Rig::lab();
    rig.set_route(55, |set| {
        set.uristring[0] = Some(format!("sip:?@{NAME}"));
        set.remoteport = Some(0);
        set.match_ = Some(format!("{UM1},{UM2}"));
        set.supervise = Some("NO_SUPERVISION".into());
    });
    rig.zone.insert(format!("_sip._tcp.{NAME}"), Answer::Srv(vec![srv(1, "um1.test"), srv(2, "um2.test")]));
    for (name, ip) in [("um1.test", UM1), ("um2.test", UM2)] {
        rig.zone.insert(name.into(), Answer::Addresses(vec![ip.parse().unwrap()]));
    }
    let caller = rig.phone("27001", "127.0.0.1:5071");
    (rig, caller)
}

/// With both servers there.
fn pair() -> (Rig, Peer, [Peer; 2]) {
    let (mut rig, caller) = unwatched();
    let servers = [UM1, UM2].map(|ip| rig.peer(&format!("{ip}:5060"), Transport::Tcp));
    (rig, caller, servers)
}

fn dial(rig: &mut Rig, caller: Peer) -> CallRef {
    let calling = rig.call(caller, "27001", "43334");
    rig.run_ms(50);
    calling
}

/// The call is answered there, and over.
fn answered_by(rig: &mut Rig, server: Peer, caller: Peer, calling: CallRef) {
    let (at, _) = rig.incoming(server);
    rig.answer(server, at);
    assert!(rig.answered(caller, calling).is_some());
    rig.hang_up(caller, calling);
    rig.run_ms(50);
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_silent_server_is_left_after_4_s_the_caller_hears_ringing_and_the_next_calls_go_past_it() {
    let (mut rig, caller, [_, um2]) = pair();
    rig.dead.insert(UM1.parse().unwrap());
    let calling = dial(&mut rig, caller);
    rig.run(Duration::from_millis(1100));
    let rings = rig.responses_to("127.0.0.1:5071", &Method::Invite).into_iter().filter(|heard| heard.status == 180);
    assert_eq!(rings.count(), 1);
    rig.run(Duration::from_millis(2800));
    assert!(rig.try_incoming(um2).is_none());
    rig.run(Duration::from_millis(100));
    answered_by(&mut rig, um2, caller, calling);
    assert!(rig.told().iter().any(|event| matches!(event, Event::TargetGreyListed { seconds: 32, .. })));
    for _ in 0..3 {
        let calling = dial(&mut rig, caller);
        answered_by(&mut rig, um2, caller, calling);
    }
}

#[test]
fn a_server_that_was_silent_is_used_again_after_32_s() {
    let (mut rig, caller, [um1, um2]) = pair();
    rig.dead.insert(UM1.parse().unwrap());
    let calling = dial(&mut rig, caller);
    rig.run(seconds(4));
    answered_by(&mut rig, um2, caller, calling);
    rig.dead.clear();
    rig.run(seconds(32));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um1, caller, calling);
    assert!(rig.told_names().contains(&"target_answers_again".to_owned()));
}

#[test]
fn a_refused_connection_costs_the_caller_nothing() {
    let (mut rig, caller) = unwatched();
    let um2 = rig.peer(&format!("{UM2}:5060"), Transport::Tcp);
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_connection_that_breaks_before_any_answer_is_tried_anew_once_and_then_leads_on() {
    let (mut rig, caller, [_, um2]) = pair();
    // A connection that breaks is no part of a call's journal (docs/limits.md).
    rig.replays = false;
    rig.dead.insert(UM1.parse().unwrap());
    let calling = dial(&mut rig, caller);
    rig.break_connection(&format!("{UM1}:5060"));
    rig.run_ms(50);
    assert!(rig.try_incoming(um2).is_none(), "the first may have been an old one");
    rig.break_connection(&format!("{UM1}:5060"));
    rig.run_ms(50);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_server_that_dies_after_100_is_left_at_once_when_its_connection_breaks() {
    let (mut rig, caller, [um1, um2]) = pair();
    let calling = dial(&mut rig, caller);
    rig.incoming(um1);
    rig.dead.insert(UM1.parse().unwrap());
    rig.break_connection(&format!("{UM1}:5060"));
    rig.run_ms(50);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_server_that_says_100_and_no_more_is_left_after_9_s() {
    let (mut rig, caller, [um1, um2]) = pair();
    let calling = dial(&mut rig, caller);
    rig.incoming(um1);
    rig.dead.insert(UM1.parse().unwrap());
    rig.run(Duration::from_millis(8900));
    assert!(rig.try_incoming(um2).is_none());
    rig.run_ms(150);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_server_that_rings_is_waited_for() {
    let (mut rig, caller, [um1, um2]) = pair();
    let calling = dial(&mut rig, caller);
    let (at, _) = rig.incoming(um1);
    rig.ring(um1, at);
    rig.run(seconds(30));
    assert!(rig.try_incoming(um2).is_none());
    rig.answer(um1, at);
    assert!(rig.answered(caller, calling).is_some());
}

#[test]
fn a_503_leads_on_at_once_and_its_retry_after_is_heeded() {
    let (mut rig, caller, [um1, um2]) = pair();
    let calling = dial(&mut rig, caller);
    let (at, _) = rig.incoming(um1);
    let mut headers = Headers::new();
    headers.push(Name::RetryAfter, "60");
    rig.with(um1, |um1, now| um1.reject(at, 503, &headers, now)).unwrap();
    rig.run_ms(50);
    answered_by(&mut rig, um2, caller, calling);
    rig.run(seconds(50));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
    rig.run(seconds(10));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um1, caller, calling);
}

#[test]
fn a_redirect_into_silence_leads_back_to_the_other_server_and_the_first_is_passed_over() {
    let (mut rig, caller, [um1, um2]) = pair();
    let service = rig.peer("127.0.222.4:5062", Transport::Tcp);
    let calling = dial(&mut rig, caller);
    let (at, first) = rig.incoming(um1);
    rig.redirect(um1, at, "sip:43334@127.0.222.4:5062;transport=tcp");
    let (at, _) = rig.incoming(service);
    rig.redirect(service, at, "sip:43334@127.0.222.4:5065;transport=tcp");
    // Nobody listens at 5065.
    rig.run_ms(50);
    let (at, again) = rig.incoming(um2);
    assert_eq!(first.call_id(), again.call_id());
    assert_eq!(again.uri.host.to_string(), NAME);
    rig.answer(um2, at);
    assert!(rig.answered(caller, calling).is_some());
    rig.hang_up(caller, calling);
    assert!(rig.told_names().contains(&"call_retried".to_owned()));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_worker_that_is_being_drained_sends_the_call_to_the_other_server() {
    let (mut rig, caller, [um1, um2]) = pair();
    let worker = rig.peer("127.0.222.4:5065", Transport::Tcp);
    let calling = dial(&mut rig, caller);
    let (at, _) = rig.incoming(um1);
    rig.redirect(um1, at, "sip:43334@127.0.222.4:5065;transport=tcp");
    let (at, _) = rig.incoming(worker);
    rig.reject(worker, at, 503);
    rig.run_ms(50);
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn when_the_worker_is_silent_and_there_is_another_server_it_is_waited_for_4_s_and_not_9() {
    let (mut rig, caller, [um1, um2]) = pair();
    rig.peer("127.0.222.4:5065", Transport::Tcp);
    let calling = dial(&mut rig, caller);
    let (at, _) = rig.incoming(um1);
    rig.redirect(um1, at, "sip:43334@127.0.222.4:5065;transport=tcp");
    rig.dead.insert(UM1.parse().unwrap());
    rig.run(seconds(10));
    answered_by(&mut rig, um2, caller, calling);
}

#[test]
fn a_mailbox_that_is_busy_is_busy_on_every_server() {
    let (mut rig, caller, [um1, um2]) = pair();
    let calling = dial(&mut rig, caller);
    let (at, _) = rig.incoming(um1);
    rig.reject(um1, at, 486);
    rig.run_ms(50);
    assert!(rig.try_incoming(um2).is_none());
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 486);
}

#[test]
fn with_all_servers_dead_the_caller_is_told_after_4_and_9_s_and_nothing_is_left() {
    let (mut rig, caller, _) = pair();
    rig.dead.extend([UM1, UM2].map(|ip| ip.parse::<std::net::IpAddr>().unwrap()));
    let calling = dial(&mut rig, caller);
    rig.run(Duration::from_millis(12_900));
    assert!(rig.rejected(caller, calling).is_none());
    rig.run_ms(100);
    assert_eq!(rig.rejected(caller, calling).unwrap().status, 500);
    assert!(rig.calls().is_empty());
}

#[test]
fn a_caller_who_gives_up_ends_the_search() {
    let (mut rig, caller, [_, um2]) = pair();
    rig.dead.insert(UM1.parse().unwrap());
    let calling = dial(&mut rig, caller);
    rig.run(seconds(2));
    rig.hang_up(caller, calling);
    rig.run(seconds(40));
    assert!(rig.try_incoming(um2).is_none());
    // RFC 3261 9.1: no CANCEL before a provisional response.
    assert!(rig.sent_to(&format!("{UM1}:5060"), &Method::Cancel).is_empty());
    assert!(rig.calls().is_empty());
}

#[test]
fn the_cancel_of_a_caller_who_gives_up_waits_for_a_provisional_response() {
    let (mut rig, caller, [um1, um2]) = pair();
    let at = format!("{UM1}:5060");
    // It hears, and what it says is three seconds on its way.
    rig.slow.insert(UM1.parse().unwrap(), seconds(3));
    let calling = dial(&mut rig, caller);
    rig.incoming(um1);
    rig.hang_up(caller, calling);
    rig.run(seconds(2));
    assert!(rig.sent_to(&at, &Method::Cancel).is_empty(), "RFC 3261 9.1");
    rig.run(seconds(2));
    assert_eq!(rig.sent_to(&at, &Method::Cancel).len(), 1);
    rig.run(seconds(40));
    assert!(rig.try_incoming(um2).is_none() && rig.calls().is_empty());
}

#[test]
fn a_late_200_of_a_server_that_was_given_up_is_acknowledged_and_ended_and_the_caller_notices_nothing() {
    let (mut rig, caller, [um1, um2]) = pair();
    let at = format!("{UM1}:5060");
    rig.slow.insert(UM1.parse().unwrap(), seconds(6));
    let calling = dial(&mut rig, caller);
    let (late, _) = rig.incoming(um1);
    rig.answer(um1, late);
    rig.run(seconds(4));
    let (here, _) = rig.incoming(um2);
    rig.answer(um2, here);
    assert!(rig.answered(caller, calling).is_some());
    rig.run(seconds(3));
    assert_eq!(rig.sent_to(&at, &Method::Bye).len(), 1);
    // RFC 3261 13.2.2.4: each copy that it sends meanwhile is acknowledged.
    assert!(!rig.sent_to(&at, &Method::Ack).is_empty());
    assert!(!rig.ended(caller, calling));
    rig.hang_up(caller, calling);
    rig.run_ms(50);
    assert!(rig.ended(um2, here));
}

#[test]
fn the_caller_hears_ringing_all_the_while_and_only_once() {
    let (mut rig, caller, _) = pair();
    rig.dead.extend([UM1, UM2].map(|ip| ip.parse::<std::net::IpAddr>().unwrap()));
    dial(&mut rig, caller);
    rig.run(seconds(12));
    let heard = rig.responses_to("127.0.0.1:5071", &Method::Invite);
    let rings: Vec<u16> = heard.iter().map(|response| response.status).filter(|status| *status > 100).collect();
    // 401 is the digest's.
    assert_eq!(rings, [401, 180]);
}

#[test]
fn the_times_are_settings_of_the_route() {
    let (mut rig, caller, [um1, um2]) = pair();
    rig.set_route(55, |set| {
        (set.next_target_after, set.last_target_after) = (Some(2), Some(3));
        (set.progress_after, set.grey_time) = (Some(5), Some(0));
    });
    rig.dead.insert(UM1.parse().unwrap());
    let calling = dial(&mut rig, caller);
    rig.run(seconds(2));
    answered_by(&mut rig, um2, caller, calling);
    rig.dead.clear();
    // Nobody is passed over.
    let calling = dial(&mut rig, caller);
    rig.incoming(um1);
    rig.dead.insert(UM1.parse().unwrap());
    rig.run(seconds(5));
    answered_by(&mut rig, um2, caller, calling);
}

// ---- supervision ----

#[test]
fn supervision_finds_a_dead_server_before_a_caller_does_and_one_that_returns_within_an_interval() {
    let (mut rig, caller, [um1, um2]) = pair();
    for server in [um1, um2] {
        rig.answers_options(server, 200);
    }
    rig.set_route(55, |set| set.supervise = Some("ACTIVE_SUPERVISION".into()));
    rig.run(seconds(31));
    rig.dead.insert(UM1.parse().unwrap());
    rig.run(seconds(35));
    let mut told = rig.told_names();
    assert!(told.contains(&"target_grey_listed".to_owned()));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
    // It stays so for as long as it is dead.
    rig.run(seconds(300));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
    rig.dead.clear();
    rig.run(seconds(30));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um1, caller, calling);
    told.extend(rig.told_names());
    assert!(told.contains(&"target_answers_again".to_owned()));
    assert!(!told.contains(&"route_unavailable".to_owned()), "the route was never down: {told:?}");
}

#[test]
fn a_server_that_answers_options_by_503_is_passed_over() {
    let (mut rig, caller, [um1, um2]) = pair();
    rig.answers_options(um1, 503);
    rig.answers_options(um2, 200);
    rig.set_route(55, |set| set.supervise = Some("ACTIVE_SUPERVISION".into()));
    rig.run(seconds(31));
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
}

// ---- what the DNS may say ----

#[test]
fn a_name_that_leads_nowhere_is_told_at_once() {
    for answers in [vec![], vec![srv(1, ".")], vec![srv(1, "um3.test")]] {
        let (mut rig, caller, _) = pair();
        rig.zone.insert(format!("_sip._tcp.{NAME}"), Answer::Srv(answers));
        let calling = dial(&mut rig, caller);
        assert_eq!(rig.rejected(caller, calling).unwrap().status, 500);
        assert!(rig.told().iter().any(
            |event| matches!(event, Event::RouteUnavailable { route: 55, reason } if reason.contains("no target"))
        ));
    }
}

#[test]
fn a_name_of_a_hundred_dead_hosts_is_given_up_when_the_ring_time_is_over() {
    let (mut rig, caller, _) = pair();
    let hosts: Vec<SrvRecord> = (0..100).map(|n| srv(1, &format!("host{n}.test"))).collect();
    for n in 0..100_u8 {
        let ip = std::net::IpAddr::from([127, 0, 79, n]);
        rig.dead.insert(ip);
        rig.zone.insert(format!("host{n}.test"), Answer::Addresses(vec![ip]));
    }
    rig.zone.insert(format!("_sip._tcp.{NAME}"), Answer::Srv(hosts));
    let calling = dial(&mut rig, caller);
    rig.run(seconds(75));
    assert!(rig.rejected(caller, calling).is_some());
    let tried = rig.sent.iter().filter(|sent| sent.to.ip().to_string().starts_with("127.0.79.")).count();
    assert!(tried <= 16 * 3, "{tried}");
}

#[test]
fn without_srv_records_the_addresses_of_the_name_are_taken_in_turn() {
    let (mut rig, caller, [um1, um2]) = pair();
    rig.zone.clear();
    rig.zone.insert(NAME.into(), Answer::Addresses([UM1, UM2].map(|ip| ip.parse().unwrap()).to_vec()));
    for server in [um1, um2, um1] {
        let calling = dial(&mut rig, caller);
        answered_by(&mut rig, server, caller, calling);
    }
}

#[test]
fn a_fixed_port_asks_for_addresses_only() {
    let (mut rig, caller, _) = pair();
    rig.set_route(55, |set| set.remoteport = Some(5090));
    rig.zone.clear();
    rig.zone.insert(NAME.into(), Answer::Addresses(vec![UM2.parse().unwrap()]));
    let um2 = rig.peer(&format!("{UM2}:5090"), Transport::Tcp);
    let calling = dial(&mut rig, caller);
    answered_by(&mut rig, um2, caller, calling);
}
