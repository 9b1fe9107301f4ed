//! Two gateways of one dial plan, or two nodes behind a gateway's name: where lamps and calls of the server's own go when one
//! of them is silent, refuses, breaks off, is full, dies over the request, or comes back. The node's half of the same table
//! (docs/failover.md) is in `pbx`.

use super::rig::{Rig, SERVICE, TestCall, WORKER};
use crate::Own;
use mailbox::MailboxId;
use media::{MediaCommand, MediaEvent, PlayEnd};
use net::Input;
use sip::target::Answer;
use sip::{Method, Name, Request};
use std::net::SocketAddr;
use std::time::Duration;

fn first() -> SocketAddr {
    "127.0.222.10:5060".parse().unwrap()
}

fn second() -> SocketAddr {
    "127.0.222.11:5060".parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What was sent of one method since the last look, and where to.
fn went(rig: &mut Rig, method: &Method) -> Vec<(SocketAddr, Request)> {
    let sent = rig.take_sent().into_iter();
    let requests = sent.filter_map(|(to, message)| Some((to.remote(), message.as_request()?.clone())));
    requests.filter(|(_, request)| request.method == *method).collect()
}

/// The one request of this method that was sent since the last look.
#[track_caller]
fn one(rig: &mut Rig, method: &Method) -> (SocketAddr, Request) {
    let mut sent = went(rig, method);
    assert_eq!(sent.len(), 1, "{method:?} {:?}", sent.iter().map(|(to, _)| to).collect::<Vec<_>>());
    sent.remove(0)
}

fn respond(rig: &mut Rig, request: &Request, listener: u8, status: u16, retry_after: Option<&str>) {
    let mut response = request.response(status);
    retry_after.into_iter().for_each(|after| response.headers.push(Name::RetryAfter, after));
    let text = String::from_utf8(response.to_bytes().to_vec()).unwrap().replace("\r\n", "\n");
    let from = if request.uri.host.to_string() == "127.0.222.11" { second() } else { first() };
    rig.receive(&text, listener, from);
}

/// Both gateways, and every lamp told of what is.
fn pair() -> Rig {
    let mut rig = Rig::lab();
    rig.done("New-UMIPGateway", &[("Name", "Second"), ("Address", "127.0.222.11"), ("UMDialPlan", "MX")]);
    lamps_are_told(&mut rig);
    rig
}

fn lamps_are_told(rig: &mut Rig) {
    loop {
        let sent = went(rig, &Method::Notify);
        if sent.is_empty() {
            return;
        }
        sent.iter().for_each(|(_, notify)| respond(rig, notify, SERVICE, 200, None));
    }
}

// ---- lamps ----

fn changed(rig: &mut Rig) {
    rig.input(Input::Own(Own::Changed { mailbox: MailboxId::parse("27000").unwrap(), greeting: false }));
}

/// The lamp is told here, and that was all.
#[track_caller]
fn told_at(rig: &mut Rig, gateway: SocketAddr) {
    let (to, notify) = one(rig, &Method::Notify);
    assert_eq!(to, gateway);
    respond(rig, &notify, SERVICE, 200, None);
    assert!(went(rig, &Method::Notify).is_empty());
}

/// After each of these seconds a lamp is told straight at this gateway.
#[track_caller]
fn later_lamps_go(rig: &mut Rig, lamps: [(u64, SocketAddr); 2]) {
    for (waits, gateway) in lamps {
        rig.later(seconds(waits));
        changed(rig);
        told_at(rig, gateway);
    }
}

#[test]
fn a_silent_gateway_costs_a_lamp_4_s_and_the_next_ones_nothing_until_32_s_are_over() {
    let mut rig = pair();
    changed(&mut rig);
    assert_eq!(one(&mut rig, &Method::Notify).0, first());
    rig.later(Duration::from_millis(3900));
    assert!(went(&mut rig, &Method::Notify).is_empty());
    rig.later(Duration::from_millis(100));
    told_at(&mut rig, second());
    assert!(rig.event_names().contains(&"target_grey_listed".to_owned()));
    later_lamps_go(&mut rig, [(31, second()), (1, first())]);
}

#[test]
fn a_gateway_that_refuses_connections_costs_a_lamp_nothing() {
    let mut rig = pair();
    rig.refusing.insert(first());
    changed(&mut rig);
    let sent = went(&mut rig, &Method::Notify);
    assert_eq!(sent.last().unwrap().0, second());
    respond(&mut rig, &sent.last().unwrap().1, SERVICE, 200, None);
    changed(&mut rig);
    told_at(&mut rig, second());
}

#[test]
fn a_connection_that_breaks_under_a_lamp_leads_to_the_next_gateway() {
    let mut rig = pair();
    changed(&mut rig);
    assert_eq!(one(&mut rig, &Method::Notify).0, first());
    // It may have been an old one: it is tried anew once.
    rig.break_connection(SERVICE, first());
    assert_eq!(one(&mut rig, &Method::Notify).0, first());
    rig.break_connection(SERVICE, first());
    told_at(&mut rig, second());
}

#[test]
fn a_503_to_a_lamp_leads_on_at_once_and_its_retry_after_is_heeded() {
    let mut rig = pair();
    changed(&mut rig);
    let (_, notify) = one(&mut rig, &Method::Notify);
    respond(&mut rig, &notify, SERVICE, 503, Some("60"));
    told_at(&mut rig, second());
    later_lamps_go(&mut rig, [(59, second()), (2, first())]);
}

#[test]
fn with_all_gateways_dead_a_lamp_is_offered_again_first_to_the_one_whose_time_is_over_first() {
    let mut rig = pair();
    changed(&mut rig);
    assert_eq!(one(&mut rig, &Method::Notify).0, first());
    rig.later(seconds(4));
    assert_eq!(one(&mut rig, &Method::Notify).0, second());
    // The last one is waited for 9 s; then there is a pause of 10.
    rig.later(Duration::from_millis(18_900));
    assert!(went(&mut rig, &Method::Notify).is_empty());
    rig.later(Duration::from_millis(200));
    told_at(&mut rig, first());
    assert!(rig.event_names().contains(&"lamp_sent".to_owned()));
}

#[test]
fn of_two_nodes_behind_a_gateways_name_the_other_is_told_after_4_s() {
    let mut rig = pair();
    rig.done("Set-UMIPGateway", &[("Identity", "Second"), ("MessageWaitingIndicatorAllowed", "$false")]);
    let nodes = [first(), second()].map(|at| at.ip()).to_vec();
    rig.zone.insert("nodes.moon.galaxy".into(), Answer::Addresses(nodes));
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Address", "nodes.moon.galaxy")]);
    lamps_are_told(&mut rig);
    changed(&mut rig);
    let (silent, _) = one(&mut rig, &Method::Notify);
    rig.later(seconds(4));
    let (other, notify) = one(&mut rig, &Method::Notify);
    assert_ne!(silent, other);
    respond(&mut rig, &notify, SERVICE, 200, None);
    for _ in 0..3 {
        changed(&mut rig);
        told_at(&mut rig, other);
    }
}

// ---- calls of the server's own ----

/// An attendant's caller is transferred to 27001 by a call; what the caller hears is on its session.
fn transfers(rig: &mut Rig) -> TestCall {
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("TransferMethod", "Bridge")]);
    let call = rig.call("43333", "");
    rig.press(&call, "27001");
    rig.take_sent();
    // He hears what is said to its end; the ringing, which is repeated, has none.
    let said = |rig: &mut Rig| {
        rig.media.take().into_iter().rev().find_map(|command| match command {
            MediaCommand::Play { session, play, repeat: false, .. } if session == call.session => Some(play),
            _ => None,
        })
    };
    while let Some(play) = said(rig) {
        let (session, played, reason) = (call.session, Duration::ZERO, PlayEnd::Finished);
        rig.media_event(MediaEvent::PlayEnded { session, play, played, reason });
    }
    call
}

/// Whoever was called has answered there, and both talk.
#[track_caller]
fn answered_at(rig: &mut Rig, gateway: SocketAddr, invite: &Request) {
    rig.media.take();
    rig.answer(invite, 200, WORKER, gateway);
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
}

/// The caller hears nothing else than what was begun before: ringing.
#[track_caller]
fn rings_on(rig: &mut Rig, call: &TestCall) {
    let heard = |command: &MediaCommand| matches!(command, MediaCommand::Play { session, .. } | MediaCommand::StopPlay { session } if *session == call.session);
    let commands = rig.media.take();
    assert!(!commands.iter().any(heard), "{commands:?}");
}

/// After each of these seconds a call goes straight to this gateway, and is answered there.
#[track_caller]
fn later_calls_go(rig: &mut Rig, calls: [(u64, SocketAddr); 2]) {
    for (waits, gateway) in calls {
        rig.take_sent();
        rig.later(seconds(waits));
        let call = transfers(rig);
        let (to, invite) = one(rig, &Method::Invite);
        assert_eq!(to, gateway);
        answered_at(rig, gateway, &invite);
        rig.hang_up(&call);
    }
}

/// The caller is told that nobody could be reached.
#[track_caller]
fn is_told(rig: &mut Rig, call: &TestCall) {
    let commands = rig.media.take();
    let speaks =
        |command: &MediaCommand| matches!(command, MediaCommand::Play { session, .. } if *session == call.session);
    assert!(commands.iter().any(speaks), "{commands:?}");
}

#[test]
fn a_silent_gateway_costs_a_call_4_s_of_ringing_and_the_next_ones_nothing_until_32_s_are_over() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    assert_eq!(one(&mut rig, &Method::Invite).0, first());
    rig.later(Duration::from_millis(3900));
    assert!(went(&mut rig, &Method::Invite).is_empty());
    rig.later(Duration::from_millis(100));
    let (to, invite) = one(&mut rig, &Method::Invite);
    assert_eq!(to, second());
    rings_on(&mut rig, &call);
    answered_at(&mut rig, second(), &invite);
    assert!(rig.event_names().contains(&"um_call_retried".to_owned()));
    rig.hang_up(&call);
    later_calls_go(&mut rig, [(30, second()), (3, first())]);
}

#[test]
fn a_lamp_that_met_silence_spares_the_calls_the_wait() {
    let mut rig = pair();
    changed(&mut rig);
    rig.later(seconds(4));
    let (_, notify) = went(&mut rig, &Method::Notify).pop().unwrap();
    respond(&mut rig, &notify, SERVICE, 200, None);
    transfers(&mut rig);
    assert_eq!(one(&mut rig, &Method::Invite).0, second());
}

#[test]
fn a_gateway_that_refuses_connections_costs_a_call_nothing() {
    let mut rig = pair();
    rig.refusing.insert(first());
    let call = transfers(&mut rig);
    let (to, invite) = went(&mut rig, &Method::Invite).pop().unwrap();
    assert_eq!(to, second());
    rings_on(&mut rig, &call);
    answered_at(&mut rig, second(), &invite);
}

#[test]
fn a_gateway_that_says_100_is_left_at_once_when_its_connection_breaks() {
    let mut rig = pair();
    transfers(&mut rig);
    let (_, invite) = one(&mut rig, &Method::Invite);
    rig.answer(&invite, 100, WORKER, first());
    rig.break_connection(WORKER, first());
    let (to, invite) = one(&mut rig, &Method::Invite);
    assert_eq!(to, second());
    answered_at(&mut rig, second(), &invite);
}

#[test]
fn a_gateway_that_says_100_and_no_more_is_left_after_20_s() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    let (_, invite) = one(&mut rig, &Method::Invite);
    rig.answer(&invite, 100, WORKER, first());
    rig.later(Duration::from_millis(19_900));
    assert!(went(&mut rig, &Method::Invite).is_empty());
    rig.later(Duration::from_millis(200));
    assert_eq!(one(&mut rig, &Method::Invite).0, second());
    rings_on(&mut rig, &call);
}

#[test]
fn a_gateway_that_rings_is_waited_for() {
    let mut rig = pair();
    transfers(&mut rig);
    let (_, invite) = one(&mut rig, &Method::Invite);
    rig.answer(&invite, 180, WORKER, first());
    rig.later(seconds(40));
    assert!(went(&mut rig, &Method::Invite).is_empty());
    answered_at(&mut rig, first(), &invite);
}

#[test]
fn a_503_to_a_call_leads_on_at_once_and_its_retry_after_is_heeded() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    let (_, invite) = one(&mut rig, &Method::Invite);
    respond(&mut rig, &invite, WORKER, 503, Some("60"));
    let (to, invite) = one(&mut rig, &Method::Invite);
    assert_eq!(to, second());
    answered_at(&mut rig, second(), &invite);
    rig.hang_up(&call);
    later_calls_go(&mut rig, [(58, second()), (3, first())]);
}

#[test]
fn whoever_is_busy_is_busy_through_every_gateway() {
    for status in [486, 480, 404, 500, 603] {
        let mut rig = pair();
        let call = transfers(&mut rig);
        let (_, invite) = one(&mut rig, &Method::Invite);
        rig.answer(&invite, status, WORKER, first());
        assert!(went(&mut rig, &Method::Invite).is_empty(), "{status}");
        is_told(&mut rig, &call);
    }
}

#[test]
fn with_all_gateways_dead_the_caller_is_told_after_4_and_9_s() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    rig.later(Duration::from_millis(12_900));
    assert_eq!(went(&mut rig, &Method::Invite).len(), 2);
    rings_on(&mut rig, &call);
    rig.later(Duration::from_millis(200));
    is_told(&mut rig, &call);
    rig.hang_up(&call);
    assert!(went(&mut rig, &Method::Invite).is_empty());
}

#[test]
fn a_late_200_of_a_gateway_that_was_given_up_is_acknowledged_and_ended() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    let (_, late) = one(&mut rig, &Method::Invite);
    rig.later(seconds(4));
    let (_, invite) = one(&mut rig, &Method::Invite);
    rig.answer(&late, 200, WORKER, first());
    let sent: Vec<Method> = rig.take_requests().into_iter().map(|request| request.method).collect();
    assert_eq!(sent, [Method::Ack, Method::Bye]);
    rings_on(&mut rig, &call);
    answered_at(&mut rig, second(), &invite);
}

#[test]
fn a_caller_who_hangs_up_ends_the_search_and_the_cancel_waits_for_a_provisional_response() {
    let mut rig = pair();
    let call = transfers(&mut rig);
    let (_, invite) = one(&mut rig, &Method::Invite);
    rig.later(seconds(2));
    rig.hang_up(&call);
    // RFC 3261 9.1.
    assert!(went(&mut rig, &Method::Cancel).is_empty());
    rig.answer(&invite, 180, WORKER, first());
    assert_eq!(one(&mut rig, &Method::Cancel).0, first());
    rig.later(seconds(40));
    assert!(went(&mut rig, &Method::Invite).is_empty());
}
