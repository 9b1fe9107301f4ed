//! Voice access and call answering on the whole server: messages to others, missed calls, rules, and hanging up anywhere.

use super::rig::*;
use mailbox::{MailboxId, MessageKind};
use media::RecordEnd;

fn mailbox(extension: &str) -> MailboxId {
    MailboxId::parse(extension).unwrap()
}

/// Björn calls the pilot from his own phone, and has entered his PIN.
fn logged_on(rig: &mut Rig) -> TestCall {
    let call = rig.call("43334", "");
    rig.press(&call, "730258#");
    call
}

#[test]
fn a_message_composed_by_phone_is_its_senders_and_reaches_whom_it_is_for() {
    let mut rig = Rig::lab();
    let call = logged_on(&mut rig);
    rig.press(&call, "5#270001");
    let recording = rig.recording(&call);
    rig.record_ended(&call, recording, RecordEnd::Key, 3);
    rig.durable(recording);
    rig.press(&call, "12#");
    rig.listen(call.session);
    let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
    let [parcel] = delivered.as_slice() else { panic!("{delivered:?}") };
    assert_eq!(parcel.to.iter().map(|to| to.mailbox.as_str()).collect::<Vec<_>>(), ["27000"]);
    assert_eq!(parcel.letter.kind, MessageKind::Composed);
    assert_eq!(parcel.letter.sender, Some(mailbox("27001")));
    assert_eq!(parcel.letter.from_number.as_deref(), Some("27001"));
    assert!(parcel.letter.private && !parcel.letter.urgent);
    rig.hang_up(&call);
}

#[test]
fn what_is_sent_on_comes_with_its_comment_or_without_one() {
    for (seconds, quiet) in [(3, false), (0, true)] {
        let mut rig = Rig::lab();
        let call = logged_on(&mut rig);
        rig.press(&call, "1");
        rig.press(&call, "006#270001");
        let recording = rig.recording(&call);
        rig.record_ended(&call, recording, RecordEnd::Key, seconds);
        rig.durable(recording);
        rig.press(&call, "1#");
        rig.hang_up(&call);
        let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
        let [parcel] = delivered.as_slice() else { panic!("{delivered:?}") };
        assert_eq!(parcel.quiet, quiet);
        assert_eq!(parcel.letter.attached, Some((mailbox("27001"), mailbox::MessageId(7))));
    }
}

#[test]
fn a_missed_call_that_no_mailbox_has_taken_yet_survives_the_servers_end() {
    let state = state::Store::memory();
    let mut rig = Rig::empty(state.clone(), Vec::new());
    rig.configure();
    rig.shelf.0.lock().unwrap().down = true;
    let call = rig.call("43334", DIVERTED);
    rig.hang_up(&call);
    assert!(rig.shelf.0.lock().unwrap().delivered.is_empty());
    let kinds = |rig: &Rig| -> Vec<MessageKind> {
        rig.shelf.0.lock().unwrap().delivered.iter().map(|parcel| parcel.letter.kind).collect()
    };
    let again = Rig::empty(state.clone(), Vec::new());
    assert_eq!(kinds(&again), [MessageKind::MissedCall]);
    let once_more = Rig::empty(state, Vec::new());
    assert_eq!(kinds(&once_more), [], "it is there once");
}

#[test]
fn a_call_that_leaves_nothing_becomes_a_missed_call() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.hang_up(&call);
    let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
    let [parcel] = delivered.as_slice() else { panic!("{delivered:?}") };
    assert_eq!((parcel.letter.kind, parcel.parts.len()), (MessageKind::MissedCall, 0));
    assert_eq!(parcel.letter.mailbox, mailbox("27000"));
}

#[test]
fn who_wants_no_missed_calls_gets_none() {
    let mut rig = Rig::lab();
    rig.done("Set-UMMailbox", &[("Identity", "Anna"), ("MissedCallNotificationEnabled", "$false")]);
    let call = rig.call("43334", DIVERTED);
    rig.hang_up(&call);
    assert!(rig.shelf.0.lock().unwrap().delivered.is_empty());
}

#[test]
fn private_messages_are_protected_where_the_policy_says_so() {
    let mut rig = Rig::lab();
    let policy = [("Identity", "MX Default Policy"), ("ProtectUnauthenticatedVoiceMail", "Private")];
    rig.done("Set-UMMailboxPolicy", &policy);
    for (keys, protected) in [("1#", false), ("12#", true)] {
        let call = rig.call("43334", DIVERTED);
        let recording = rig.recording(&call);
        rig.record_ended(&call, recording, RecordEnd::Key, 3);
        rig.durable(recording);
        rig.press(&call, keys);
        let delivered = rig.shelf.0.lock().unwrap().delivered.pop().unwrap();
        assert_eq!(delivered.protected, protected, "{keys}");
        rig.hang_up(&call);
    }
}

/// Every point of a call: what was said before it is a message, and nothing else is.
#[test]
fn hanging_up_at_any_point_loses_nothing_and_makes_nothing_up() {
    type Step = fn(&mut Rig, &TestCall, &mut Option<media::RecordingId>);
    let steps: [Step; 8] = [
        |rig, call, _| rig.press(call, "5"),
        |rig, call, recording| *recording = Some(rig.recording(call)),
        |rig, call, recording| rig.record_ended(call, recording.unwrap(), RecordEnd::Key, 3),
        |rig, _, recording| rig.durable(recording.unwrap()),
        |rig, call, _| rig.press(call, "1"),
        |rig, call, _| rig.press(call, "1"),
        |rig, call, _| rig.press(call, "2"),
        |rig, call, _| rig.press(call, "#"),
    ];
    for last in 0..=steps.len() {
        let mut rig = Rig::lab();
        let call = rig.call("43334", DIVERTED);
        let mut recording = None;
        for step in steps.iter().take(last) {
            step(&mut rig, &call, &mut recording);
        }
        rig.hang_up(&call);
        if let Some(recording) = recording {
            if last == 2 {
                rig.record_ended(&call, recording, RecordEnd::Stopped, 3);
            }
            rig.durable(recording);
        }
        let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
        let [parcel] = delivered.as_slice() else { panic!("after {last} steps: {delivered:?}") };
        let kind = if last < 2 { MessageKind::MissedCall } else { MessageKind::CallAnswering };
        assert_eq!(parcel.letter.kind, kind, "after {last} steps");
        assert_eq!((parcel.letter.urgent, parcel.letter.private), (last > 5, last > 6), "after {last} steps");
    }
}

#[test]
fn the_first_rule_that_holds_is_carried_out() {
    let mut rig = Rig::lab();
    let rule = |name: &'static str, priority: &'static str, caller: &'static str, keys: &'static str| {
        [("Name", name), ("Mailbox", "Anna"), ("Priority", priority), ("CallerIds", caller), ("KeyMappings", keys)]
    };
    rig.done("New-UMCallAnsweringRule", &rule("Others", "1", "1,27999,,", "1,2,Nobody,,,,,27999,"));
    rig.done("New-UMCallAnsweringRule", &rule("Björn", "2", "1,27001,,", "1,1,Reception,,,,,27001,"));
    let call = rig.call("43334", DIVERTED);
    rig.press(&call, "1");
    rig.listen(call.session);
    let refer = rig.take_requests().into_iter().find(|request| request.method == sip::Method::Refer);
    let to = refer.expect("a transfer").headers.get(&sip::Name::ReferTo).unwrap().to_string();
    assert!(to.contains("27001"), "{to}");
    rig.hang_up(&call);
    // Switched off, the owner's greeting is heard, and a key goes on to the tone.
    rig.done("Set-UMMailbox", &[("Identity", "Anna"), ("CallAnsweringRulesEnabled", "$false")]);
    let call = rig.call("43334", DIVERTED);
    rig.press(&call, "1");
    rig.recording(&call);
    rig.hang_up(&call);
}

#[test]
fn a_full_mailbox_takes_no_message() {
    let mut rig = Rig::lab();
    rig.done("Set-Mailbox", &[("Identity", "Anna"), ("ProhibitSendReceiveQuota", "1")]);
    rig.shelf.0.lock().unwrap().usage.insert(mailbox("27000"), 1024 * 1024);
    let call = rig.call("43334", DIVERTED);
    let asked = rig.listen(call.session);
    assert!(!asked.iter().any(|command| matches!(command, media::MediaCommand::Record { .. })), "{asked:?}");
}

#[test]
fn settings_changed_by_phone_are_kept() {
    let mut rig = Rig::lab();
    let call = logged_on(&mut rig);
    rig.press(&call, "616");
    rig.hang_up(&call);
    let crate::commands::Answer::Mailboxes(found) = rig.done("Get-UMMailbox", &[("Identity", "Björn")]) else {
        panic!("mailboxes")
    };
    assert!(found[0].settings.out_of_office_greeting_enabled);
    assert!(found[0].settings.time_format.is_some());
}

#[test]
fn mashed_keys_and_silence_end_a_call_and_nothing_else() {
    for keys in [
        "################",
        "****************",
        "0000000000000000",
        "1234567890*#1234567890*#",
        "5#5#5#5#5#5#",
        "6219#*6219#*",
    ] {
        let mut rig = Rig::lab();
        let call = logged_on(&mut rig);
        rig.press(&call, keys);
        rig.later(std::time::Duration::from_secs(60));
        rig.listen(call.session);
        rig.hang_up(&call);
    }
}

#[test]
fn a_caller_is_known_by_his_telephone_number_however_it_is_written() {
    for (number, name) in [
        ("+46812345", Some("Björn Test")),
        ("0046812345", Some("Björn Test")),
        ("0812345", Some("Björn Test")),
        ("+47812345", None),
    ] {
        let mut rig = Rig::lab();
        rig.done("Set-Mailbox", &[("Identity", "Björn"), ("Phone", "+46 8 123 45")]);
        let headers = format!("{DIVERTED}\nFrom: <sip:{number}@127.0.222.10>;tag=pbx");
        let call = rig.call("43334", &headers);
        rig.hang_up(&call);
        let delivered = rig.shelf.0.lock().unwrap().delivered.clone();
        assert_eq!(delivered[0].letter.from_name.as_deref(), name, "{number}");
    }
}

#[test]
fn star_twice_leads_from_call_answering_to_the_own_mailbox() {
    let mut rig = Rig::lab();
    let call = rig.call("43334", DIVERTED);
    rig.press(&call, "**730258#");
    rig.listen(call.session);
    assert!(rig.event_names().contains(&"logged_on".to_owned()));
    rig.hang_up(&call);
}
