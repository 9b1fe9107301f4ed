use super::rig::{DIVERTED, Rig, TestCall, WORKER, pbx};
use crate::commands::play_on_phone::{PhoneCall, PhoneCallFailure, PhoneCallState, PhoneGreeting};
use crate::commands::{Answer, CommandError};
use event::Event;
use media::{MediaCommand, MediaEvent, RecordEnd};
use sip::{Method, Name, Request};
use std::time::Duration;

/// The attendant of a gateway that can't do REFER calls an extension.
fn bridging() -> (Rig, TestCall, Request) {
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("TransferMethod", "Bridge")]);
    let call = rig.call("43333", "");
    rig.press(&call, "27001");
    rig.take_sent();
    rig.listen(call.session);
    let invite = rig.invited();
    (rig, call, invite)
}

fn methods(rig: &mut Rig) -> Vec<Method> {
    rig.take_requests().into_iter().map(|request| request.method).collect()
}

#[test]
fn a_gateway_without_refer_gets_a_call_and_both_are_connected() {
    let (mut rig, call, invite) = bridging();
    assert_eq!(invite.headers.get(&Name::From).map(|from| from.contains("27001@")), Some(true), "the caller is shown");
    rig.answer(&invite, 200, WORKER, pbx());
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Relay { .. })), "{commands:?}");
    rig.take_sent();
    rig.hang_up(&call);
    assert_eq!(methods(&mut rig), [Method::Bye], "the other side is hung up on");
}

#[test]
fn whoever_was_called_may_hang_up_first() {
    let (mut rig, _, invite) = bridging();
    rig.answer(&invite, 200, WORKER, pbx());
    rig.take_sent();
    rig.called_hangs_up(&invite);
    assert_eq!(methods(&mut rig), [Method::Bye]);
}

#[test]
fn a_caller_who_gives_up_takes_the_call_back() {
    let (mut rig, call, invite) = bridging();
    rig.answer(&invite, 180, WORKER, pbx());
    rig.take_sent();
    rig.hang_up(&call);
    assert_eq!(methods(&mut rig), [Method::Cancel]);
}

#[test]
fn busy_no_answer_and_invalid_give_the_caller_something_to_hear() {
    for status in [486, 480, 404, 500] {
        let (mut rig, call, invite) = bridging();
        rig.media.take();
        rig.answer(&invite, status, WORKER, pbx());
        let commands = rig.media.take();
        let speaks =
            |command: &MediaCommand| matches!(command, MediaCommand::Play { session, .. } if *session == call.session);
        assert!(commands.iter().any(speaks), "{status}: {commands:?}");
        rig.hang_up(&call);
    }
}

#[test]
fn a_gateway_that_says_nothing_is_given_up() {
    let (mut rig, call, _) = bridging();
    rig.media.take();
    rig.later(Duration::from_secs(70));
    let commands = rig.media.take();
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Play { .. })), "{commands:?}");
    rig.hang_up(&call);
}

// ---- play on phone ----

const MESSAGE: &str = "00000000000000000000000000000007";

fn start(rig: &mut Rig, number: &str) -> Result<PhoneCall, CommandError> {
    let parameters = [("Identity", "Anna"), ("Number", number), ("Message", MESSAGE)];
    rig.command("Start-UMPlayOnPhone", &parameters).map(phone_call)
}

fn phone_call(answer: Answer) -> PhoneCall {
    match answer {
        Answer::PhoneCall(call) => call,
        other => panic!("{other:?}"),
    }
}

fn now(rig: &mut Rig) -> (PhoneCallState, PhoneCallFailure) {
    let call = phone_call(rig.done("Get-UMPlayOnPhone", &[("Identity", "Anna")]));
    (call.state, call.failure)
}

fn states(rig: &Rig) -> Vec<String> {
    let told = rig.take_events().into_iter().filter_map(|event| match event {
        Event::PlayOnPhone { state, failure, .. } => Some(format!("{state} {failure}")),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_message_is_played_to_whoever_answers_and_each_step_is_told() {
    let mut rig = Rig::lab();
    assert_eq!(now(&mut rig).0, PhoneCallState::Idle);
    assert_eq!(start(&mut rig, "27000").unwrap().state, PhoneCallState::Connecting);
    let invite = rig.invited();
    assert!(invite.headers.get(&Name::From).unwrap().contains("43334@"), "out of the pilot number");
    rig.answer(&invite, 180, WORKER, pbx());
    rig.answer(&invite, 200, WORKER, pbx());
    let session = media::SessionId(rig.media.opened());
    let commands = rig.listen(session);
    assert!(commands.iter().any(|command| matches!(command, MediaCommand::Connect { .. })), "{commands:?}");
    rig.called_hangs_up(&invite);
    assert_eq!(states(&rig), ["Connecting None", "Alerted None", "Connected None", "Disconnected None"]);
    let records = rig.ledger.0.lock().unwrap().clone();
    assert_eq!(records.last().unwrap().call_type, crate::commands::call_record::CallType::PlayOnPhone);
}

#[test]
fn a_greeting_is_recorded_by_whoever_answers() {
    let mut rig = Rig::lab();
    let given = [("Identity", "Anna"), ("Number", "27000"), ("Greeting", "Oof")];
    let call = phone_call(rig.done("Start-UMPlayOnPhone", &given));
    assert_eq!((call.message.as_str(), call.greeting), ("", Some(PhoneGreeting::Oof)));
    let invite = rig.invited();
    rig.answer(&invite, 200, WORKER, pbx());
    let session = media::SessionId(rig.media.opened());
    let key = |rig: &mut Rig, digit: char| rig.media_event(MediaEvent::Key { session, digit, duration_ms: 100 });
    rig.listen(session);
    key(&mut rig, '1');
    let commands = rig.listen(session);
    let recording = commands.iter().find_map(|command| match command {
        MediaCommand::Record { recording, .. } => Some(*recording),
        _ => None,
    });
    let (recording, reason, duration) = (recording.expect("a recording"), RecordEnd::Key, Duration::from_secs(3));
    rig.media_event(MediaEvent::RecordEnded { session, recording, reason, duration, loud: duration });
    key(&mut rig, '#');
    rig.listen(session);
    assert_eq!(rig.shelf.0.lock().unwrap().changed, 0, "not before it is kept");
    key(&mut rig, '1');
    assert_eq!(rig.shelf.0.lock().unwrap().changed, 1);
    rig.called_hangs_up(&invite);
}

#[test]
fn a_prompt_of_the_attendant_is_recorded_by_phone_where_the_plan_allows_it() {
    let mut rig = Rig::lab();
    let given = [("UMAutoAttendant", "AA"), ("PromptFileName", "open.wav"), ("Number", "27000")];
    assert!(rig.command("Start-UMPromptRecording", &given).is_err(), "not allowed");
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("TUIPromptEditingEnabled", "true")]);
    rig.done("Start-UMPromptRecording", &given);
    let invite = rig.invited();
    rig.answer(&invite, 200, WORKER, pbx());
    let session = media::SessionId(rig.media.opened());
    let commands = rig.listen(session);
    let recording = commands.iter().find_map(|command| match command {
        MediaCommand::Record { recording, .. } => Some(*recording),
        _ => None,
    });
    let (recording, reason, duration) = (recording.expect("a recording"), RecordEnd::Key, Duration::from_secs(3));
    rig.media_event(MediaEvent::RecordEnded { session, recording, reason, duration, loud: duration });
    for digit in ['#', '2'] {
        rig.media_event(MediaEvent::Key { session, digit, duration_ms: 100 });
        rig.listen(session);
    }
    let Answer::Prompts(prompts) = rig.done("Get-UMPrompt", &[("UMAutoAttendant", "AA")]) else { panic!() };
    assert_eq!(
        prompts.iter().map(|prompt| (prompt.file.as_str(), prompt.seconds)).collect::<Vec<_>>(),
        [("open.wav", 3)]
    );
    assert!(methods(&mut rig).contains(&Method::Bye));
    rig.done("Start-UMPromptRecording", &given);
    let invite = rig.invited();
    rig.answer(&invite, 486, WORKER, pbx());
    assert!(rig.server.calls.is_empty());
}

#[test]
fn play_on_phone_is_told_what_to_play_or_to_record() {
    let mut rig = Rig::lab();
    for more in [&[][..], &[("Message", MESSAGE), ("Greeting", "Name")]] {
        let given = [&[("Identity", "Anna"), ("Number", "27000")][..], more].concat();
        assert_eq!(rig.command("Start-UMPlayOnPhone", &given).unwrap_err().parameter(), Some("Message"));
    }
}

#[test]
fn busy_and_no_answer_are_told_apart() {
    for (status, failure) in
        [(486, PhoneCallFailure::UserBusy), (480, PhoneCallFailure::NoAnswer), (404, PhoneCallFailure::Other)]
    {
        let mut rig = Rig::lab();
        start(&mut rig, "27000").unwrap();
        let invite = rig.invited();
        rig.answer(&invite, status, WORKER, pbx());
        assert_eq!(now(&mut rig), (PhoneCallState::Disconnected, failure), "{status}");
    }
}

#[test]
fn it_rings_for_a_while_only() {
    let mut rig = Rig::lab();
    start(&mut rig, "27000").unwrap();
    let invite = rig.invited();
    rig.answer(&invite, 180, WORKER, pbx());
    rig.later(Duration::from_secs(46));
    assert_eq!(now(&mut rig), (PhoneCallState::Disconnected, PhoneCallFailure::NoAnswer));
}

#[test]
fn one_at_a_time_for_each_user() {
    let mut rig = Rig::lab();
    start(&mut rig, "27000").unwrap();
    assert!(matches!(start(&mut rig, "27000"), Err(CommandError::PlayingAlready { .. })));
    rig.done("Stop-UMPlayOnPhone", &[("Identity", "Anna")]);
    assert_eq!(now(&mut rig).0, PhoneCallState::Disconnected);
    start(&mut rig, "27000").unwrap();
}

#[test]
fn a_number_is_rung_by_the_dialling_rules_and_a_denial_says_why() {
    let mut rig = Rig::lab();
    let denied = start(&mut rig, "0701740605").unwrap_err().to_string();
    assert!(denied.contains("no dialling rule allows this number"), "{denied}");
    let rule = "Mobile,07xxxxxxxx,0007xxxxxxxx,mobiles";
    rig.done("Set-UMDialPlan", &[("Identity", "MX"), ("ConfiguredInCountryOrRegionGroups", rule)]);
    let allow = [("Identity", "MX Default Policy"), ("AllowedInCountryOrRegionGroups", "Mobile")];
    rig.done("Set-UMMailboxPolicy", &allow);
    start(&mut rig, "0701740605").unwrap();
    assert!(rig.invited().uri.to_string().contains("000701740605@"));
}

#[test]
fn who_may_not_use_it_rings_nobody() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailbox", &[("Identity", "Anna"), ("PlayOnPhoneEnabled", "$false")]);
    assert_eq!(start(&mut rig, "27000").unwrap_err().parameter(), Some("Identity"));
    rig.done("Set-UMMailbox", &[("Identity", "Anna"), ("PlayOnPhoneEnabled", "$true")]);
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("OutcallsAllowed", "$false")]);
    assert!(matches!(start(&mut rig, "27000"), Err(CommandError::NoCall { .. })));
}

#[test]
fn nobody_answering_does_not_make_the_server_talk_with_itself() {
    let mut rig = Rig::lab();
    start(&mut rig, "27000").unwrap();
    rig.take_sent();
    let headers = format!("{DIVERTED}\nFrom: <sip:43334@127.0.222.10>;tag=own");
    let responses = rig.invite(WORKER, "43334", &headers);
    assert_eq!(responses.last().map(|response| response.status), Some(480));
}
