//! Service codes from phones and from the shell, and what they lead to.

use super::rig::*;
use crate::commands::*;
use media::MediaCommand;
use sip::endpoint::{CallEvent, CallRef};
use sip::{Method, Name, Transport};
use std::time::Duration;

const A: &str = "127.0.0.1:5071";
const B: &str = "127.0.0.1:5072";
const C: &str = "127.0.0.1:5073";

/// Dials a code and waits until the node is done with it: the final status, and whether a tone was heard.
fn dial(rig: &mut Rig, peer: Peer, from: &str, code: &str) -> (u16, bool) {
    rig.media.take();
    let call = rig.call(peer, from, code);
    rig.run(Duration::from_secs(5));
    let commands = rig.media.take();
    let heard = commands.iter().any(|command| matches!(command, MediaCommand::Play { .. }));
    let opened = commands.iter().filter(|command| matches!(command, MediaCommand::Connect { .. })).count();
    let closed = commands.iter().filter(|command| matches!(command, MediaCommand::Close { .. })).count();
    assert_eq!(opened, closed, "no session is left: {commands:?}");
    (final_status(rig, peer, call), heard)
}

/// How a call was answered; one that was answered must have been ended by now.
fn final_status(rig: &mut Rig, peer: Peer, call: CallRef) -> u16 {
    let (mut status, mut ended) = (0, false);
    for event in rig.call_events(peer, call) {
        match event {
            CallEvent::Answered { response, .. } => status = response.status,
            CallEvent::Rejected { response, .. } => (status, ended) = (response.status, true),
            CallEvent::Ended { .. } => ended = true,
            _ => {}
        }
    }
    assert!(ended, "the node hangs up when the tone is over");
    status
}

fn procedure(rig: &mut Rig, dir: &str, proc: &str) -> Result<Answer, CommandError> {
    rig.command(Command::ExtensionProcedure(ExtensionProcedure::Run { dir: dir.into(), proc: proc.into() }))
}

fn diversion(rig: &mut Rig) -> String {
    rig.run_command(Command::Diversion(Diversion::Print { dir: None })).to_string()
}

#[test]
fn follow_me_is_dialled_confirmed_kept_and_followed() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    assert_eq!(dial(&mut rig, a, "27001", "*21*27010#"), (200, true));
    assert!(diversion(&mut rig).contains("27010"), "{}", diversion(&mut rig));
    rig.restart();
    let c = rig.phone("27000", C);
    rig.call(c, "27000", "27001");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(b);
    let diversion = invite.headers.get(&Name::Diversion).unwrap();
    assert!(diversion.contains("27001") && diversion.contains("unconditional"), "{diversion}");
}

#[test]
fn whom_one_stands_in_for_can_be_called() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    procedure(&mut rig, "27001", "*21*27010#").unwrap();
    rig.call(b, "27010", "27001");
    rig.run_ms(20);
    assert!(rig.try_incoming(a).is_some(), "the secretary reaches the boss");
}

#[test]
fn a_refused_code_sounds_and_says_why() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", A);
    assert_eq!(dial(&mut rig, a, "27001", "*21*99999#"), (404, true));
    assert_eq!(dial(&mut rig, a, "27001", "*21*27001#"), (403, true));
    let last = rig.responses_to(A, &Method::Invite).pop().unwrap();
    assert!(last.headers.get(&Name::Warning).unwrap().contains("can't follow itself"));
    assert_eq!(dial(&mut rig, a, "27001", "*99#").0, 404, "no such code is no such number");
}

#[test]
fn a_phone_without_a_description_gets_the_status_alone() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", A);
    let call = rig.call_with(a, "27001", "*21*99999#", |call| call.body = None);
    rig.run_ms(50);
    assert_eq!(rig.rejected(a, call).unwrap().status, 404);
    let call = rig.call_with(a, "27001", "*27#", |call| call.body = None);
    rig.run_ms(50);
    let answer = rig.answered(a, call).unwrap();
    assert!(!answer.body.is_empty(), "RFC 3261 13.2.1: an offer");
    assert!(!diversion(&mut rig).contains("27001"));
    assert_eq!(rig.node.taken(), (0, 0));
}

#[test]
fn a_phone_that_hangs_up_during_the_tone_leaves_nothing() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", A);
    for code in ["*27#", "*21*99999#"] {
        let call = rig.call(a, "27001", code);
        rig.run_ms(100);
        rig.hang_up(a, call);
        rig.run(Duration::from_secs(5));
    }
    let closed = rig.media.take().iter().filter(|command| matches!(command, MediaCommand::Close { .. })).count();
    assert_eq!(closed, 2);
}

#[test]
fn a_code_is_no_way_in_from_a_trunk() {
    let mut rig = Rig::lab();
    let um = rig.peer(UM, Transport::Tcp);
    let call = rig.call_with(um, "5551", "*27#", |call| call.login = None);
    rig.run_ms(50);
    assert_eq!(rig.rejected(um, call).unwrap().status, 404);
}

#[test]
fn the_query_has_two_tones() {
    let mut rig = Rig::lab();
    let a = rig.phone("27001", A);
    let length = |rig: &mut Rig| {
        rig.media.take();
        let call = rig.call(a, "27001", "*#21#");
        rig.run(Duration::from_secs(5));
        assert_eq!(final_status(rig, a, call), 200);
        rig.media.take().iter().find_map(|command| match command {
            MediaCommand::Play { clips, .. } => Some(clips[0].duration()),
            _ => None,
        })
    };
    let nothing = length(&mut rig).unwrap();
    procedure(&mut rig, "27001", "*21*27010#").unwrap();
    assert_ne!(length(&mut rig).unwrap(), nothing);
}

#[test]
fn do_not_disturb_is_told_to_the_caller_and_the_list_goes_on() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    assert_eq!(dial(&mut rig, b, "27010", "*27#"), (200, true));
    let call = rig.call(a, "27001", "27010");
    rig.run_ms(20);
    let refusal = rig.rejected(a, call).unwrap();
    assert_eq!(refusal.status, 480);
    assert!(refusal.headers.get(&Name::Reason).unwrap().contains("Do not disturb"));
    assert!(rig.try_incoming(b).is_none());

    rig.run_command(Command::DoNotDisturb(DoNotDisturb::Initiate(DoNotDisturbSet { dir: "27000".into() })));
    let (_phone, um) = (rig.phone("27000", C), rig.peer(UM, Transport::Tcp));
    rig.call(a, "27001", "27000");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    let diversion = invite.headers.get(&Name::Diversion).unwrap();
    assert!(diversion.contains("do-not-disturb"), "busy-position holds where dnd-position says nothing: {diversion}");

    assert_eq!(dial(&mut rig, b, "27010", "#27#"), (200, true));
    rig.call(a, "27001", "27010");
    rig.run_ms(20);
    assert!(rig.try_incoming(b).is_some());
}

#[test]
fn dnd_position_goes_where_it_says() {
    let mut rig = Rig::lab();
    rig.position("27001", 1, "27001", |position| (position.busy_position, position.dnd_position) = (Some(3), Some(2)));
    rig.position("27001", 2, "27010", |_| ());
    rig.position("27001", 3, "43334", |_| ());
    procedure(&mut rig, "27001", "*27#").unwrap();
    let (a, _b) = (rig.phone("27000", A), rig.phone("27001", B));
    let c = rig.phone("27010", C);
    rig.call(a, "27000", "27001");
    rig.run_ms(20);
    assert!(rig.try_incoming(c).is_some());
}

#[test]
fn a_position_that_takes_one_call_is_busy_for_the_second() {
    let mut rig = Rig::lab();
    rig.position("27001", 1, "27001", |position| (position.one_call, position.busy_position) = (Some(true), Some(2)));
    rig.position("27001", 2, "43334", |_| ());
    let (a, b) = (rig.phone("27000", A), rig.phone("27001", B));
    let (c, um) = (rig.phone("27010", C), rig.peer(UM, Transport::Tcp));
    rig.connect(a, "27000", b, "27001");
    rig.call(c, "27010", "27001");
    rig.run_ms(20);
    assert!(rig.try_incoming(um).is_some() && rig.try_incoming(b).is_none());
}

#[test]
fn the_number_is_withheld_for_one_call_or_for_all() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    let um = rig.peer(UM, Transport::Tcp);
    let call = rig.call(a, "27001", "*42*27010#");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(b);
    assert_eq!(invite.from().unwrap().uri.user_unescaped().unwrap(), "anonymous");
    assert!(!invite.headers.has(&Name::PAssertedIdentity));
    rig.hang_up(a, call);
    rig.call(a, "27001", "*42*43334#");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(um);
    assert_eq!(invite.headers.get(&Name::Privacy).unwrap().as_str(), "id");
    assert!(invite.headers.get(&Name::PAssertedIdentity).unwrap().contains("27001"), "the trusted peer knows");

    let set = ExtensionProfileSet { ext_npres: Some("1000000".into()), ..Default::default() };
    rig.run_command(Command::ExtensionProfile(ExtensionProfile::Initiate(set)));
    rig.call(a, "27001", "27010");
    rig.run_ms(20);
    let (_, invite) = rig.incoming(b);
    assert_eq!(invite.from().unwrap().uri.user_unescaped().unwrap(), "anonymous");
    rig.call_with(a, "27001", "27010", |call| call.headers.push(Name::Privacy, "none"));
    rig.run_ms(20);
}

#[test]
fn a_call_can_pass_over_diversions() {
    let mut rig = Rig::lab();
    let (a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    procedure(&mut rig, "27010", "*21*27000#").unwrap();
    rig.call(a, "27001", "*60*27010#");
    rig.run_ms(20);
    assert!(rig.try_incoming(b).is_some());
}

#[test]
fn the_chosen_call_list_is_in_use() {
    let mut rig = Rig::lab();
    rig.position("27001", 1, "27001", |_| ());
    rig.position("27001", 1, "27010", |position| position.list = Some(2));
    let (a, b) = (rig.phone("27000", A), rig.phone("27001", B));
    let c = rig.phone("27010", C);
    assert_eq!(dial(&mut rig, b, "27001", "*10*2#"), (200, true));
    let call = rig.call(a, "27000", "27001");
    rig.run_ms(20);
    assert!(rig.try_incoming(c).is_some());
    rig.hang_up(a, call);
    assert_eq!(dial(&mut rig, b, "27001", "#10#"), (200, true));
    rig.call(a, "27000", "27001");
    rig.run_ms(20);
    assert!(rig.try_incoming(b).is_some());
}

/// The last message-summary that a phone was sent: whether the lamp is on, and what its key dials.
fn lamp(rig: &Rig, at: &str) -> (bool, String) {
    let notify = rig.sent_to(at, &Method::Notify).pop().unwrap();
    let text = String::from_utf8(notify.body.to_vec()).unwrap();
    let account = text.lines().find_map(|line| line.strip_prefix("Message-Account: ")).unwrap_or_default();
    (text.contains("Messages-Waiting: yes"), account.to_owned())
}

#[test]
fn a_colleague_lights_the_lamp_and_is_called_back_by_its_key() {
    let mut rig = Rig::lab();
    let (a, _b) = (rig.phone("27001", A), rig.phone("27010", B));
    assert_eq!(dial(&mut rig, a, "27001", "*31*27010#"), (200, true));
    assert_eq!(lamp(&rig, B), (true, "sip:*32%23@moon.galaxy".into()));
    assert!(rig.status("27010").lamp.on);
    rig.restart();
    let b = rig.phone("27010", "127.0.0.1:5082");
    rig.run_ms(500);
    assert!(lamp(&rig, "127.0.0.1:5082").0, "kept over the restart");
    let a2 = rig.phone("27001", "127.0.0.1:5081");
    rig.call(b, "27010", "*32#");
    rig.run_ms(20);
    assert!(rig.try_incoming(a2).is_some(), "the colleague is called");
    assert!(!rig.status("27010").lamp.on);
    let call = rig.call(b, "27010", "*32#");
    rig.run(Duration::from_secs(4));
    assert_eq!(rig.rejected(b, call).unwrap().status, 404, "nobody waits any more");
}

#[test]
fn a_lamp_lit_by_hand_is_taken_back_or_put_out_by_its_owner() {
    let mut rig = Rig::lab();
    let (_a, b) = (rig.phone("27001", A), rig.phone("27010", B));
    procedure(&mut rig, "27001", "*31*27010#").unwrap();
    procedure(&mut rig, "27001", "#31*27010#").unwrap();
    assert!(!lamp(&rig, B).0);
    procedure(&mut rig, "27001", "*31*27010#").unwrap();
    procedure(&mut rig, "27000", "*31*27010#").unwrap();
    assert_eq!(dial(&mut rig, b, "27010", "#91#"), (200, true));
    assert!(!lamp(&rig, B).0);
    assert!(procedure(&mut rig, "27001", "*31*27001#").is_err(), "one's own lamp");
}

#[test]
fn what_makes_a_call_is_for_phones() {
    let mut rig = Rig::lab();
    let error = procedure(&mut rig, "27001", "*0#").unwrap_err();
    assert!(error.to_string().contains("dial it from a phone"), "{error}");
    assert!(procedure(&mut rig, "27001", "hello").is_err());
    assert!(procedure(&mut rig, "29999", "*21#").is_err());
}
