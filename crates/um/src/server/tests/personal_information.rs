//! Mail, calendar and contacts through the server: questions go out with tickets, answers come in, and every call runs again
//! without the source (which the rig sees to). The menus themselves are tested where they are.

use super::rig::{DIVERTED, Rig, TestCall};
use super::source::Shelf;
use crate::Own;
use crate::dialogue::script::contact;
use crate::personal_information::{Answer, Area, Busy};
use crate::storage::Ticket;
use net::Input;
use std::time::Duration;

fn lab() -> Rig {
    let rig = Rig::lab();
    rig.source.has_everything();
    rig
}

/// Björn's own phone.
fn logged_on(rig: &mut Rig) -> TestCall {
    let call = rig.call("43334", "");
    rig.press(&call, "730258#");
    call
}

/// Presses keys; what the source was asked for them.
fn asked(rig: &mut Rig, call: &TestCall, keys: &str) -> Vec<String> {
    rig.source.take_asked();
    rig.press(call, keys);
    rig.source.take_asked()
}

#[test]
fn mail_is_asked_for_read_marked_and_none_of_its_text_is_written_down() {
    let mut rig = lab();
    let call = logged_on(&mut rig);
    let asked = asked(&mut rig, &call, "2");
    assert!(asked[0].starts_with("Mail"), "{asked:?}");
    rig.listen(call.session);
    assert_eq!(rig.source.take_asked(), [r#"Mark { item: "1", mark: Read }"#]);
    rig.hang_up(&call);
    rig.later(Duration::from_secs(10));
    let told: String = rig.recorded().iter().map(|call| super::rig::replayed(call).0).collect();
    assert!(told.contains("asks the source of 27001 Mail"), "{told}");
    assert!(!told.contains("percent") && !told.contains("Pay"), "{told}");
}

#[test]
fn every_menu_is_heard_once_more_without_the_source() {
    // The rig runs each call again when it is dropped.
    for keys in ["2#", "2007", "3#", "32", "32*", "4232#", "42321", "400", "3005"] {
        let mut rig = lab();
        rig.source.shelf().contacts = vec![contact("Cecilia Holm", Some("27000"))];
        let call = logged_on(&mut rig);
        for key in keys.chars() {
            rig.press(&call, &key.to_string());
            rig.later(Duration::from_millis(1300));
        }
        rig.listen(call.session);
        rig.hang_up(&call);
        rig.later(Duration::from_secs(10));
    }
}

#[test]
fn what_policy_or_mailbox_forbid_is_not_asked_for() {
    let forbid = [
        ("Set-UMMailboxPolicy", "MX Default Policy", "AllowTUIAccessToEmail", "2"),
        ("Set-UMMailboxPolicy", "MX Default Policy", "AllowTUIAccessToCalendar", "3"),
        ("Set-UMMailboxPolicy", "MX Default Policy", "AllowTUIAccessToPersonalContacts", "4"),
        ("Set-UMMailbox", "Björn", "TUIAccessToEmailEnabled", "2"),
        ("Set-UMMailbox", "Björn", "TUIAccessToCalendarEnabled", "3"),
    ];
    for (cmdlet, identity, parameter, key) in forbid {
        let mut rig = lab();
        rig.done(cmdlet, &[("Identity", identity), (parameter, "false")]);
        let call = logged_on(&mut rig);
        let keys = if key == "4" { "4232" } else { key };
        assert_eq!(asked(&mut rig, &call, keys), [""; 0], "{parameter}");
        rig.hang_up(&call);
    }
}

#[test]
fn a_call_that_ends_while_it_is_asked_for_leaves_nothing_behind() {
    let mut rig = lab();
    let call = logged_on(&mut rig);
    rig.source.shelf().silent = true;
    rig.press(&call, "2");
    assert_eq!(rig.server.consulted.len(), 1);
    rig.hang_up(&call);
    assert!(rig.server.consulted.is_empty());
    // What comes now, or was never asked for, is nobody's.
    rig.source.shelf().silent = false;
    rig.input(Input::Own(Own::Personal(Ticket(77), Answer::Done)));
}

// ---- who calls ----

const CECILIA: &str =
    "From: \"Cell 17\" <sip:0701234567@127.0.222.10>;tag=pbx\nDiversion: <sip:27000@127.0.222.10>;reason=no-answer";

/// The names in what was delivered.
fn names(rig: &Rig) -> Vec<Option<String>> {
    rig.shelf.0.lock().unwrap().delivered.iter().map(|parcel| parcel.letter.from_name.clone()).collect()
}

#[test]
fn a_caller_is_known_by_the_called_users_contacts_in_messages_and_missed_calls() {
    for leaves in [true, false] {
        let mut rig = lab();
        rig.source.shelf().contacts = vec![contact("Cecilia Holm", Some("0701234567"))];
        let call = rig.call("43334", CECILIA);
        assert_eq!(rig.source.take_asked(), [r#"Caller { number: "0701234567" }"#]);
        if leaves {
            let recording = rig.recording(&call);
            rig.record_ended(&call, recording, media::RecordEnd::Stopped, 3);
            rig.durable(recording);
        }
        rig.hang_up(&call);
        rig.later(Duration::from_secs(30));
        assert_eq!(names(&rig), [Some("Cecilia Holm".into())]);
    }
}

#[test]
fn a_colleague_is_who_the_directory_says() {
    let mut rig = lab();
    rig.source.shelf().contacts = vec![contact("Not Björn", Some("27001"))];
    let call = rig.call("43334", DIVERTED);
    assert_eq!(rig.source.take_asked(), [""; 0]);
    rig.hang_up(&call);
    assert_eq!(names(&rig), [Some("Björn Test".into())]);
}

#[test]
fn who_is_in_nobodys_contacts_and_a_source_that_hangs_keep_the_name_that_the_pbx_gave() {
    for answers in [true, false] {
        let mut rig = lab();
        rig.source.shelf().silent = !answers;
        let call = rig.call("43334", CECILIA);
        rig.later(Duration::from_secs(2));
        assert!(!rig.media.take().is_empty(), "the caller is greeted");
        rig.hang_up(&call);
        rig.later(Duration::from_secs(30));
        assert_eq!(names(&rig), [Some("Cell 17".into())]);
    }
}

/// What callers of Anna's hear under a rule with this condition: whether it held.
fn holds(parameter: &str, value: &str, set_up: impl FnOnce(&mut Shelf)) -> bool {
    let mut rig = lab();
    let rule = [("Name", "R"), ("Mailbox", "Anna"), ("KeyMappings", "1,1,Reception,,,,,27001,"), (parameter, value)];
    rig.done("New-UMCallAnsweringRule", &rule);
    set_up(&mut rig.source.shelf());
    let call = rig.call("43334", CECILIA);
    rig.press(&call, "1");
    rig.listen(call.session);
    let transferred = rig.take_requests().iter().any(|request| request.method == sip::Method::Refer);
    rig.hang_up(&call);
    transferred
}

#[test]
fn rules_know_the_contacts_folder_and_the_calendar() {
    assert!(holds("CallerIds", "4,,,", |shelf| shelf.contacts = vec![contact("Cecilia", Some("0701234567"))]));
    assert!(!holds("CallerIds", "4,,,", |_| {}));
    assert!(holds("ScheduleStatus", "4", |shelf| shelf.busy = Some(Busy::Busy)));
    assert!(!holds("ScheduleStatus", "4", |shelf| shelf.busy = Some(Busy::Tentative)));
    assert!(holds("ScheduleStatus", "1", |_| {}), "a calendar that does not say");
    assert!(
        !holds("ScheduleStatus", "4", |shelf| {
            (shelf.busy, shelf.areas) = (Some(Busy::Busy), [Area::Contacts].into());
        }),
        "no calendar"
    );
}
