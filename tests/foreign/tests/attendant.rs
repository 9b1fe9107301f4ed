//! The auto attendant and real phones: baresip searches by name and is put through by REFER to a baresip that answers, is busy
//! or is not there; an extension that nobody has is said to be none.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

const BJORN: f64 = 1300.0;
const ANNA: f64 = 440.0;

/// Björn, whose tone nobody else has, is with the attendant.
fn calls_the_attendant(lab: &Lab, net: u8) -> Baresip {
    let mut bjorn = Baresip::with_tone(lab, "27001", net.into(), BJORN);
    bjorn.dial(lab, "43333");
    bjorn.established();
    // A word of the welcome, which is cut short by the key.
    std::thread::sleep(Duration::from_secs(2));
    bjorn
}

/// `#`, SVEN, and that this is all; then 1: call her.
fn asks_for_anna(bjorn: &mut Baresip) {
    bjorn.press("#7836#");
    std::thread::sleep(Duration::from_secs(1));
    bjorn.press("1");
}

#[test]
fn who_is_found_by_name_answers() {
    let lab = Lab::start(1, LabOptions { ring_time: 15, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", 1, ANNA);
    let mut bjorn = calls_the_attendant(&lab, 1);
    asks_for_anna(&mut bjorn);
    anna.answer_within(Duration::from_secs(30));
    std::thread::sleep(Duration::from_millis(2500));
    anna.hang_up();
    bjorn.closed();
    let (at_anna, at_bjorn) = (anna.heard_tone(BJORN), bjorn.heard_tone(ANNA));
    assert!(at_anna > 0.9 && at_bjorn > 0.9, "Anna heard {at_anna:.2} of Björn, Björn {at_bjorn:.2} of Anna");
}

#[test]
fn who_is_busy_gets_a_message() {
    let lab = Lab::start(2, LabOptions { ring_time: 15, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", 2, ANNA);
    let bjorn = &mut calls_the_attendant(&lab, 2);
    asks_for_anna(bjorn);
    anna.incoming_within(Duration::from_secs(30));
    // 486: she has a look and declines.
    anna.command("hangup", "");
    leaves_a_message(&lab, bjorn);
}

#[test]
fn who_does_not_answer_gets_a_message() {
    let lab = Lab::start(3, LabOptions { ring_time: 2, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", 3, ANNA);
    let bjorn = &mut calls_the_attendant(&lab, 3);
    asks_for_anna(bjorn);
    anna.incoming_within(Duration::from_secs(30));
    leaves_a_message(&lab, bjorn);
}

/// Björn's tone goes on while the greeting plays and is what the message is in the end.
fn leaves_a_message(lab: &Lab, bjorn: &mut Baresip) {
    std::thread::sleep(Duration::from_secs(14));
    bjorn.hang_up();
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(30)).remove(0);
    assert_eq!(
        (&message["from_number"], &message["from_name"]),
        (&"27001".into(), &"Björn Åkesson".into()),
        "{message}"
    );
    assert!(message["duration_s"].as_f64().unwrap() > 2.0, "{message}");
    let id = message["id"].as_str().unwrap();
    let audio = lab.rest("GET", &format!("/api/v1/mailboxes/27000/messages/{id}/audio"), None, "");
    let recorded = audio::decode(&audio.body);
    let share = audio::tone_share(&recorded[recorded.len() / 2..recorded.len() / 2 + 4000], BJORN);
    assert!(share > 0.9, "the message is Björn's tone by {share:.2}");
}

#[test]
fn an_extension_that_nobody_has_is_said_to_be_none_and_the_menu_is_there_again() {
    let lab = Lab::start(4, LabOptions { ring_time: 15, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", 4, ANNA);
    let mut bjorn = calls_the_attendant(&lab, 4);
    bjorn.press("27999");
    // That she connects him, and then that there is nobody: what is pressed meanwhile does not count.
    std::thread::sleep(Duration::from_secs(9));
    // The menu is there: Anna is found after all.
    asks_for_anna(&mut bjorn);
    anna.answer_within(Duration::from_secs(30));
    std::thread::sleep(Duration::from_secs(1));
    bjorn.hang_up();
    anna.closed();
    std::thread::sleep(Duration::from_millis(500));
    let heard = audio::decode(&bjorn.heard());
    let likeness = audio::likeness(&audio::prompt("i-found-nobody-with-that-extension"), &heard);
    assert!(likeness > 0.8, "what was said after 27999 is like the prompt by {likeness:.2}");
}
