use super::rig::{DIVERTED, OFFER, Rig, WORKER, invite_text, pbx};
use crate::commands::{Answer, CallView};
use media::{MediaCommand, RecordEnd, RecordTo};
use std::time::Duration;

fn call_view(rig: &mut Rig) -> CallView {
    let Answer::Calls(mut calls) = rig.done("Get-UMActiveCalls", &[]) else { panic!() };
    calls.remove(0)
}

#[track_caller]
fn mailbox_of(headers: &str) -> Option<String> {
    let mut rig = Rig::lab();
    rig.call("43334", headers);
    call_view(&mut rig).mailbox
}

#[test]
fn the_mailbox_is_that_of_the_diverting_party() {
    assert_eq!(mailbox_of(DIVERTED).as_deref(), Some("27000"));
    assert_eq!(mailbox_of("Diversion: <tel:27000>;reason=user-busy").as_deref(), Some("27000"));
    assert_eq!(mailbox_of("Diversion: \"27000 <sip:27000@h>;reason=no-answer").as_deref(), Some("27000"));
    assert_eq!(mailbox_of("Diversion: <27000@h>").as_deref(), Some("27000"));
}

#[test]
fn history_info_names_it_too() {
    let history = "History-Info: <sip:27000@h?Reason=SIP%3Bcause%3D408>;index=1, <sip:43334@h>;index=1.1";
    assert_eq!(mailbox_of(history).as_deref(), Some("27000"));
}

#[test]
fn the_first_or_the_last_of_several_diversions_counts_by_the_gateways_setting() {
    let both = "Diversion: <sip:27001@h>;reason=no-answer, <sip:27000@h>;reason=unconditional";
    assert_eq!(mailbox_of(both).as_deref(), Some("27000"), "the first who diverted stands last");
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("DiversionChoice", "Last")]);
    rig.call("43334", both);
    assert_eq!(call_view(&mut rig).mailbox.as_deref(), Some("27001"));
}

#[test]
fn own_pilots_are_no_diverting_parties() {
    let via_attendant = "Diversion: <sip:27000@h>;reason=no-answer, <sip:43333@h>;reason=unconditional";
    assert_eq!(mailbox_of(via_attendant).as_deref(), Some("27000"));
}

#[test]
fn an_unknown_extension_gets_what_the_pilot_gives() {
    let mut rig = Rig::lab();
    rig.call("43334", "Diversion: <sip:27099@h>;reason=no-answer");
    assert_eq!(call_view(&mut rig).kind, "subscriber-access");
    assert_eq!(mailbox_of("Diversion: <sip:270@h>;reason=no-answer"), None);
}

#[test]
fn the_caller_is_the_asserted_identity_with_the_own_users_name() {
    let mut rig = Rig::lab();
    let identity = "P-Asserted-Identity: \"Somebody\" <sip:27001@h>\nFrom: \"X\" <sip:999@h>;tag=a";
    rig.call("43334", &format!("{DIVERTED}\n{identity}"));
    let view = call_view(&mut rig);
    assert_eq!((view.from.as_str(), view.from_name.as_deref()), ("27001", Some("Björn Test")));
}

#[test]
fn a_foreign_caller_keeps_the_name_that_was_sent() {
    let mut rig = Rig::lab();
    rig.call("43334", &format!("{DIVERTED}\nFrom: \"Eve\" <sip:0701234567@h>;tag=a"));
    let view = call_view(&mut rig);
    assert_eq!((view.from.as_str(), view.from_name.as_deref()), ("0701234567", Some("Eve")));
}

#[test]
fn a_withheld_identity_stays_withheld() {
    let mut rig = Rig::lab();
    rig.call("43334", &format!("{DIVERTED}\nPrivacy: id\nP-Asserted-Identity: <sip:27001@h>"));
    let view = call_view(&mut rig);
    assert_eq!((view.from.as_str(), view.from_name), ("", None));
}

#[test]
fn recording_keeps_the_plans_limits_and_hanging_up_delivers() {
    let mut rig = Rig::lab();
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("MaxRecordingDuration", "2"), ("RecordingIdleTimeout", "7")]);
    let call = rig.call("43334", DIVERTED);
    let commands = rig.listen(call.session);
    let record = commands.iter().find_map(|command| match command {
        MediaCommand::Record { recording, limits, to: RecordTo::Spool, .. } => Some((*recording, *limits)),
        _ => None,
    });
    let (recording, limits) = record.unwrap();
    assert_eq!((limits.max, limits.idle), (Duration::from_secs(120), Duration::from_secs(7)));
    assert!((limits.level_dbm0 + 40.0).abs() < f32::EPSILON);
    rig.hang_up(&call);
    assert!(rig.media.take().iter().any(|command| matches!(command, MediaCommand::Close { .. })));
    rig.record_ended(&call, recording, RecordEnd::Closed, 3);
    assert!(rig.shelf.0.lock().unwrap().delivered.is_empty(), "not before it is on disk");
    rig.durable(recording);
    let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].letter.mailbox.as_str(), "27000");
    assert_eq!(delivered[0].letter.from_number.as_deref(), Some("27001"));
    assert_eq!(delivered[0].letter.from_name.as_deref(), Some("Björn Test"));
    assert!(rig.event_names().contains(&"message_delivered".to_owned()));
}

#[test]
fn less_than_a_second_of_sound_is_a_missed_call() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.hang_up(&call);
    rig.record_ended(&call, recording, RecordEnd::Closed, 0);
    rig.durable(recording);
    assert!(rig.shelf.0.lock().unwrap().delivered.iter().all(|parcel| !parcel.letter.kind.is_voice()));
    assert_eq!(rig.shelf.0.lock().unwrap().discarded, [recording]);
    assert!(rig.event_names().contains(&"missed_call".to_owned()));
}

#[test]
fn hanging_up_in_the_greeting_is_a_missed_call() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.hang_up(&call);
    assert!(rig.event_names().contains(&"missed_call".to_owned()));
}

#[test]
fn a_message_that_was_cancelled_is_released_and_never_delivered() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let recording = rig.recording(&call);
    rig.record_ended(&call, recording, RecordEnd::Key, 5);
    rig.durable(recording);
    rig.press(&call, "*");
    let commands = rig.listen(call.session);
    let noted = commands.iter().any(|command| {
        matches!(command, MediaCommand::Annotate { meta, .. } if String::from_utf8_lossy(meta).contains("\"cancelled\":true"))
    });
    assert!(noted, "a crash must not bring it back");
    let shelf = rig.shelf.0.lock().unwrap();
    assert!(shelf.delivered.iter().all(|parcel| !parcel.letter.kind.is_voice()));
    assert_eq!(shelf.discarded, [recording]);
}

#[test]
fn parts_become_one_message_and_marks_go_with_it() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    let first = rig.recording(&call);
    rig.record_ended(&call, first, RecordEnd::Key, 5);
    rig.durable(first);
    rig.press(&call, "4");
    let second = rig.recording(&call);
    assert_ne!(first, second);
    rig.record_ended(&call, second, RecordEnd::Key, 2);
    rig.durable(second);
    rig.press(&call, "112#");
    let shelf = rig.shelf.0.lock().unwrap();
    assert_eq!(shelf.delivered.len(), 1, "sent while the call still is");
    assert_eq!(shelf.delivered[0].parts, [first, second]);
    assert!(shelf.delivered[0].letter.urgent && shelf.delivered[0].letter.private);
    assert_eq!(shelf.delivered[0].letter.message.0, first.0);
}

#[test]
fn the_longest_call_is_ended_and_its_message_delivered() {
    let mut rig = Rig::lab();
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("MaxCallDuration", "30"), ("MaxRecordingDuration", "29")]);
    let call = rig.call("43334", &format!("{DIVERTED}\nSupported: timer"));
    let recording = rig.recording(&call);
    rig.take_sent();
    rig.later(Duration::from_secs(1801));
    assert!(rig.take_requests().iter().any(|request| request.method == sip::Method::Bye));
    rig.record_ended(&call, recording, RecordEnd::Closed, 1700);
    rig.durable(recording);
    assert_eq!(rig.shelf.0.lock().unwrap().delivered.len(), 1);
}

#[test]
fn a_late_offer_is_answered_by_our_offer_and_connected_by_the_ack() {
    let mut rig = Rig::lab();
    rig.receive(&invite_text("43334", DIVERTED, "z9hG4bKlate", "late", 1, ""), WORKER, pbx());
    let answer = rig.take_responses().pop().unwrap();
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8_lossy(&answer.body).contains("m=audio"));
    let call = super::rig::TestCall::new(answer, &rig.media);
    let body = OFFER.replace('\n', "\r\n");
    let rest = format!("Content-Type: application/sdp\nContent-Length: {}\n\n{OFFER}", body.len());
    rig.receive(&call.request("ACK", 1, &rest), WORKER, pbx());
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Connect { .. })), "{commands:?}");
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Play { .. })), "the greeting");
}

#[test]
fn hold_is_answered_and_the_media_told() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.media.take();
    rig.take_sent();
    let offer = format!("{OFFER}a=sendonly\n");
    let length = offer.replace('\n', "\r\n").len();
    let rest = format!(
        "Contact: <sip:27001@127.0.222.10:5060;transport=tcp>\nContent-Type: application/sdp\nContent-Length: {length}\n\n{offer}"
    );
    rig.receive(&call.request("INVITE", 2, &rest), WORKER, pbx());
    let answer = rig.take_responses().pop().unwrap();
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8_lossy(&answer.body).contains("a=recvonly"));
    assert!(rig.media.take().iter().any(|command| {
        matches!(command, MediaCommand::Connect { stream, .. } if stream.direction == media::Direction::ReceiveOnly)
    }));
}
