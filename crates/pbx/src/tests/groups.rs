//! Hunt groups, call pickup and call waiting.

use super::rig::*;
use crate::commands::*;
use media::MediaCommand;
use sip::endpoint::{Body, CallEvent, CallRef};
use sip::{Headers, Method, Name, Transport};
use std::time::Duration;

const PHONES: [(&str, &str); 4] = [
    ("27000", "127.0.0.1:5071"),
    ("27001", "127.0.0.1:5072"),
    ("27010", "127.0.0.1:5073"),
    ("27011", "127.0.0.1:5074"),
];

/// Four phones; 27900 is a group of the last three.
fn group(change: impl FnOnce(&mut HuntGroupSet)) -> (Rig, [Peer; 4]) {
    let mut rig = Rig::lab();
    rig.extension("27011");
    rig.run_command(Command::CallList(CallList::End { dir: "27000".into(), list: None, position: None }));
    let mut set =
        HuntGroupSet { group: "27900".into(), members: Some("27001,27010,27011".into()), ..Default::default() };
    change(&mut set);
    rig.run_command(Command::HuntGroup(HuntGroup::Initiate(set)));
    let phones = PHONES.map(|(number, at)| rig.phone(number, at));
    (rig, phones)
}

fn call(rig: &mut Rig, phones: &[Peer; 4]) -> CallRef {
    let call = rig.call(phones[0], "27000", "27900");
    rig.run_ms(20);
    call
}

/// Which of the phones have a new call.
fn rung(rig: &mut Rig, phones: &[Peer; 4]) -> Vec<&'static str> {
    let rings = |(number, phone)| rig.try_incoming(phone).is_some().then_some(number);
    PHONES.map(|(number, _)| number).into_iter().zip(*phones).filter_map(rings).collect()
}

fn cancelled(rig: &mut Rig, peer: Peer, call: CallRef) -> bool {
    rig.call_events(peer, call).iter().any(|event| matches!(event, CallEvent::Cancelled { .. }))
}

#[test]
fn all_ring_and_the_first_to_answer_has_the_call() {
    let (mut rig, phones) = group(|_| ());
    let calling = call(&mut rig, &phones);
    let ((b, _), (c, _), (d, _)) = (rig.incoming(phones[1]), rig.incoming(phones[2]), rig.incoming(phones[3]));
    rig.reject(phones[1], b, 603);
    assert!(!cancelled(&mut rig, phones[3], d), "one who declines speaks for nobody else");
    rig.ring(phones[2], c);
    rig.answer(phones[2], c);
    assert!(rig.answered(phones[0], calling).is_some());
    assert!(cancelled(&mut rig, phones[3], d));
    let cancel = rig.sent_to(PHONES[3].1, &Method::Cancel).remove(0);
    assert!(cancel.headers.get(&Name::Reason).unwrap().contains("Call completed elsewhere"));
}

#[test]
fn one_after_the_other_rings_from_the_first_on() {
    let (mut rig, phones) = group(|set| (set.selection, set.ringing_time) = (Some("sequential".into()), Some(10)));
    for _ in 0..2 {
        let calling = call(&mut rig, &phones);
        assert_eq!(rung(&mut rig, &phones), ["27001"]);
        rig.run(Duration::from_secs(10));
        assert_eq!(rung(&mut rig, &phones), ["27010"]);
        rig.run(Duration::from_secs(10));
        assert_eq!(rung(&mut rig, &phones), ["27011"]);
        rig.run(Duration::from_secs(10));
        assert_eq!(rig.rejected(phones[0], calling).unwrap().status, 480);
    }
}

#[test]
fn cyclic_selection_begins_with_the_next_one() {
    let (mut rig, phones) = group(|set| set.selection = Some("cyclic".into()));
    for first in ["27001", "27010", "27011", "27001"] {
        let calling = call(&mut rig, &phones);
        assert_eq!(rung(&mut rig, &phones), [first]);
        rig.hang_up(phones[0], calling);
        rig.run_ms(50);
    }
}

#[test]
fn busy_and_no_answer_overflow_to_their_numbers() {
    let set = |set: &mut HuntGroupSet| {
        (set.overflow_busy, set.overflow_noreply) = (Some("43333".into()), Some("43334".into()));
    };
    let (mut rig, phones) = group(set);
    let um = rig.peer(UM, Transport::Tcp);
    call(&mut rig, &phones);
    rig.run(RING + Duration::from_millis(100));
    let (_, invite) = rig.incoming(um);
    assert_eq!(invite.uri.number().as_deref(), Some("43334"));
    assert!(invite.headers.get(&Name::Diversion).unwrap().contains("27900"));

    let (mut rig, phones) = group(set);
    let um = rig.peer(UM, Transport::Tcp);
    call(&mut rig, &phones);
    for phone in &phones[1..] {
        let (call, _) = rig.incoming(*phone);
        rig.reject(*phone, call, 486);
    }
    assert_eq!(rig.incoming(um).1.uri.number().as_deref(), Some("43333"));
}

#[test]
fn members_go_off_and_on_by_code_and_their_own_diversions_do_not_count() {
    let (mut rig, phones) = group(|_| ());
    let procedure = |rig: &mut Rig, dir: &str, proc: &str| {
        let run = ExtensionProcedure::Run { dir: dir.into(), proc: proc.into() };
        rig.run_command(Command::ExtensionProcedure(run));
    };
    procedure(&mut rig, "27001", "#28*27900#");
    procedure(&mut rig, "27010", "*21*27000#");
    procedure(&mut rig, "27011", "*27#");
    let calling = call(&mut rig, &phones);
    assert_eq!(rung(&mut rig, &phones), ["27010"], "off, following somebody, not to be disturbed");
    rig.hang_up(phones[0], calling);
    procedure(&mut rig, "27001", "*28*27900#");
    call(&mut rig, &phones);
    assert_eq!(rung(&mut rig, &phones), ["27001", "27010"]);
}

#[test]
fn a_group_without_anybody_is_unavailable_and_groups_do_not_go_in_circles() {
    let (mut rig, phones) = group(|_| ());
    let second = HuntGroupSet {
        group: "27901".into(),
        members: Some("27001".into()),
        members_off: Some("27001".into()),
        overflow_noreply: Some("27900".into()),
        ..Default::default()
    };
    rig.run_command(Command::HuntGroup(HuntGroup::Initiate(second)));
    let change = |members_off: &str| HuntGroupSet {
        group: "27900".into(),
        members_off: Some(members_off.into()),
        overflow_noreply: Some("27901".into()),
        ..Default::default()
    };
    rig.run_command(Command::HuntGroup(HuntGroup::Change(change("27001,27010,27011"))));
    let calling = call(&mut rig, &phones);
    assert_eq!(rig.rejected(phones[0], calling).unwrap().status, 482);
}

#[test]
fn a_colleagues_ringing_call_is_picked_up() {
    let (mut rig, phones) = group(|_| ());
    let set = PickupGroupSet { group: 1, members: "27000,27010".into() };
    rig.run_command(Command::PickupGroup(PickupGroup::Initiate(set)));
    let calling = rig.call(phones[1], "27001", "27010");
    rig.run_ms(20);
    let (called, _) = rig.incoming(phones[2]);
    rig.ring(phones[2], called);
    let stranger = rig.call(phones[3], "27011", "*0#");
    let picking = rig.call(phones[0], "27000", "*0#");
    rig.run_ms(50);
    let _ = stranger;
    let calls = rig.calls();
    assert_eq!(calls.len(), 1);
    assert!(cancelled(&mut rig, phones[2], called));
    assert!(rig.answered(phones[1], calling).is_some());
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
    let picker = if calls[0].to[0].number == "27000" { (phones[0], picking) } else { (phones[3], stranger) };
    let who = rig.answered(picker.0, picker.1).unwrap();
    assert!(who.headers.get(&Name::PAssertedIdentity).unwrap().contains("27001"), "the picker sees who calls");
    rig.hang_up(picker.0, picker.1);
    assert!(rig.ended(phones[1], calling));
    rig.run(Duration::from_secs(5));
    assert_eq!(rig.node.taken(), (0, 0));
}

#[test]
fn one_takes_ones_own_call_at_another_phone_and_strangers_take_none() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27010", "127.0.0.1:5071"), rig.phone("27001", "127.0.0.1:5072"));
    let (desk, stranger) = (rig.phone("27001", "127.0.0.1:5073"), rig.phone("27000", "127.0.0.1:5074"));
    let calling = rig.call(a, "27010", "27001");
    rig.run_ms(20);
    let (called, _) = rig.incoming(b);
    rig.ring(b, called);
    let nothing = rig.call(stranger, "27000", "*0#");
    rig.run_ms(50);
    assert_eq!(rig.rejected(stranger, nothing).unwrap().status, 404);
    rig.call(desk, "27001", "*0#");
    rig.run_ms(50);
    assert!(rig.answered(a, calling).is_some());
}

#[test]
fn a_ringing_dialog_is_replaced_by_a_colleague_only() {
    let (mut rig, phones) = group(|_| ());
    let calling = rig.call(phones[0], "27000", "27010");
    rig.run_ms(20);
    let (called, invite) = rig.incoming(phones[2]);
    rig.ring(phones[2], called);
    let info = rig.with(phones[2], |endpoint, _| endpoint.call_info(called)).unwrap();
    let _ = invite;
    let replaces = format!("{};to-tag={};from-tag={}", info.call_id, info.remote_tag.unwrap(), info.local_tag);
    let wrong =
        rig.call_with(phones[1], "27001", "27010", |call| call.headers.push(Name::Replaces, "x;to-tag=1;from-tag=2"));
    rig.run_ms(50);
    assert_eq!(rig.rejected(phones[1], wrong).unwrap().status, 481);
    let picking =
        rig.call_with(phones[3], "27011", "27010", |call| call.headers.push(Name::Replaces, replaces.as_str()));
    rig.run_ms(50);
    assert!(rig.answered(phones[3], picking).is_some());
    assert!(rig.answered(phones[0], calling).is_some());
    assert!(cancelled(&mut rig, phones[2], called));
}

#[test]
fn somebody_sent_takes_the_place_of_who_sent_him() {
    let (mut rig, phones) = group(|_| ());
    let (a_to_b, b_of_a) = rig.connect(phones[0], "27000", phones[1], "27001");
    let info = rig.with(phones[1], |endpoint, _| endpoint.call_info(b_of_a)).unwrap();
    let replaces = format!("{};to-tag={};from-tag={}", info.call_id, info.remote_tag.unwrap(), info.local_tag);
    let newcomer = |rig: &mut Rig, by: Option<&str>, early: &str| {
        let value = format!("{replaces}{early}");
        let call = rig.call_with(phones[2], "27010", "27000", |call| {
            call.headers.push(Name::Replaces, value);
            if let Some(by) = by {
                call.headers.push(Name::ReferredBy, by);
            }
        });
        rig.run_ms(50);
        call
    };
    let call = newcomer(&mut rig, None, "");
    assert_eq!(rig.rejected(phones[2], call).unwrap().status, 403);
    let call = newcomer(&mut rig, Some("<sip:27001@moon.galaxy>"), ";early-only");
    assert_eq!(rig.rejected(phones[2], call).unwrap().status, 486);
    let call = newcomer(&mut rig, Some("<sip:27001@moon.galaxy>"), "");
    assert!(rig.answered(phones[2], call).is_some());
    assert!(rig.ended(phones[1], b_of_a));
    let offered = rig.call_events(phones[0], a_to_b).iter().any(|event| matches!(event, CallEvent::Offer { .. }));
    assert!(offered, "the other one's media comes to the node");
    let body = Body::sdp(sdp_of(15071, 9, "sendrecv"));
    rig.with(phones[0], |endpoint, now| endpoint.answer_offer(a_to_b, 200, &Headers::new(), Some(body), now)).unwrap();
    rig.run_ms(50);
    rig.hang_up(phones[0], a_to_b);
    assert!(rig.ended(phones[2], call));
    assert_eq!(rig.node.taken(), (0, 0));
}

/// 27001 talks with 27000; a second call comes to it.
fn second_call(lines: u32) -> (Rig, [Peer; 4], CallRef) {
    let (mut rig, phones) = group(|_| ());
    let set = ExtensionSet { dir: "27001".into(), free_on_second_line: Some(lines), ..Default::default() };
    rig.run_command(Command::Extension(Extension::Change(set)));
    rig.connect(phones[0], "27000", phones[1], "27001");
    let call = rig.call(phones[2], "27010", "27001");
    rig.run_ms(20);
    (rig, phones, call)
}

#[test]
fn a_second_call_waits_and_both_are_told() {
    let (mut rig, phones, call) = second_call(1);
    let (waiting, invite) = rig.incoming(phones[1]);
    assert!(invite.headers.get(&Name::AlertInfo).unwrap().contains("urn:alert:service:call-waiting"));
    rig.ring(phones[1], waiting);
    let told = rig.responses_to(PHONES[2].1, &Method::Invite).pop().unwrap();
    assert!(told.status == 180 && told.headers.get(&Name::AlertInfo).unwrap().contains("call-waiting"));
    let third = rig.call(phones[3], "27011", "27001");
    rig.run_ms(20);
    assert_eq!(rig.rejected(phones[3], third).unwrap().status, 486, "no line is free for a third");
    rig.answer(phones[1], waiting);
    assert!(rig.answered(phones[2], call).is_some());
}

#[test]
fn without_a_second_line_it_is_busy() {
    let (mut rig, phones, call) = second_call(0);
    assert_eq!(rig.rejected(phones[2], call).unwrap().status, 486);
}

#[test]
fn a_route_that_may_not_send_call_waiting_meets_busy() {
    let (mut rig, phones, _call) = second_call(3);
    let set = RouteCategorySet { rou: 55, serv: Some("2110000001".into()), ..Default::default() };
    rig.run_command(Command::RouteCategory(RouteCategory::Change(set)));
    let um = rig.peer(UM, Transport::Tcp);
    let call = rig.call_with(um, "5551", "27001", |call| call.login = None);
    rig.run_ms(50);
    assert_eq!(rig.rejected(um, call).unwrap().status, 486);
    let _ = phones;
}

#[test]
fn a_group_that_is_in_use_is_not_ended_and_a_member_stays() {
    let (mut rig, _) = group(|_| ());
    rig.divert("27000", "27900", |diversion| diversion.div_immediate = Some(true));
    let error = rig.command(Command::HuntGroup(HuntGroup::End { group: "27900".into() })).unwrap_err();
    assert!(error.to_string().contains("27000: calls go on to it"), "{error}");
    let error = rig.command(Command::Extension(Extension::End { dir: "27001".into() })).unwrap_err();
    assert!(error.to_string().contains("hunt_group 27900"), "{error}");
    let set = HuntGroupSet { group: "27001".into(), members: Some("27010".into()), ..Default::default() };
    let error = rig.command(Command::HuntGroup(HuntGroup::Initiate(set))).unwrap_err();
    assert!(matches!(error, CommandError::AlreadyAssigned { .. }), "{error}");
}
