//! Play on phone by REST with a real phone: it rings, plays the message, takes the playback keys and ends by a key; a phone that
//! is busy is told as busy.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::time::Duration;
use tests_crash::Call;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

const TONE: f64 = 620.0;
const NET: u8 = 7;

#[test]
fn a_message_is_played_on_the_phone_that_was_named() {
    let lab = Lab::start(NET, LabOptions { ring_time: 20, ..LabOptions::default() });
    let mut call = Call::divert(&lab.node(), &lab.um(), "27000").unwrap();
    call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(300));
    call.speak(&audio::g711(&audio::tone(TONE, 4), "al"), || true);
    call.hang_up();
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(30)).remove(0);
    let id = message["id"].as_str().unwrap();
    let mut anna = Baresip::start("27000", &lab.node(), NET.into(), false, None);

    // An outside number needs a dialling rule, and there is none.
    let denied = start(&lab, id, "0701234567");
    assert_eq!(denied.0, 400, "{}", denied.1);

    assert_eq!(start(&lab, id, "27000").0, 202);
    let caller = anna.incoming_within(Duration::from_secs(30));
    assert!(caller.contains("43334"), "out of the pilot number: {caller}");
    until(&lab, "Alerted");
    assert_eq!(start(&lab, id, "27000").0, 409, "one at a time");
    anna.command("accept", "");
    anna.established();
    until(&lab, "Connected");
    let read = |lab: &Lab| lab.messages("27000")[0]["read"] == true;
    for _ in 0..300 {
        if read(&lab) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(read(&lab), "heard to its end, it is read; baresip printed:\n{}", anna.process.output());
    // Once more, and enough.
    anna.press("1");
    std::thread::sleep(Duration::from_secs(2));
    anna.press("*");
    anna.wait_for("CALL_CLOSED", Duration::from_secs(30));
    until(&lab, "Disconnected");
    let heard = audio::decode(&anna.heard());
    let seconds = heard.windows(4000).step_by(4000).filter(|half| audio::tone_share(half, TONE) > 0.9).count();
    assert!(seconds >= 8, "four seconds of tone, and some of it again: {seconds} halves of a second");

    // She declines: the page says that she is busy.
    assert_eq!(start(&lab, id, "27000").0, 202);
    anna.incoming_within(Duration::from_secs(30));
    anna.command("hangup", "");
    until(&lab, "Disconnected");
    assert_eq!(state(&lab)["failure"], "UserBusy");
}

fn start(lab: &Lab, id: &str, number: &str) -> (u16, String) {
    let body = json!({ "number": number }).to_string();
    let path = format!("/api/v1/mailboxes/27000/messages/{id}/play-on-phone");
    let answer = lab.rest("POST", &path, Some(body.as_bytes()), "application/json");
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

fn state(lab: &Lab) -> Value {
    lab.get("/api/v1/mailboxes/27000/play-on-phone")
}

fn until(lab: &Lab, wanted: &str) {
    for _ in 0..300 {
        if state(lab)["state"] == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("never {wanted}: {}", state(lab));
}
