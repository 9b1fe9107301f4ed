//! What comes as tones in the audio: a fax machine that calls, the busy tone of an exchange whose caller has hung up, and
//! the keys of a phone that knows no telephone events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_crash::Call;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const FAX_NET: u8 = 9;
const KEYS_NET: u8 = 210;

/// A tone and a pause of so many milliseconds, over and over.
fn cadence(hertz: f64, on: usize, off: usize, times: usize) -> Vec<i16> {
    let mut one = audio::tone(hertz, 1);
    one.truncate(on * 8);
    one.extend(vec![0; off * 8]);
    one.repeat(times)
}

/// Leaves this in Anna's mailbox; the call is not hung up.
fn says(lab: &Lab, samples: &[i16]) -> Call {
    let call = Call::divert(&lab.node(), &lab.um(), "27000").unwrap();
    call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(300));
    call.speak(&audio::g711(samples, "al"), || true);
    call
}

fn missed(lab: &Lab) -> usize {
    lab.get("/api/v1/mailboxes/27000/messages?kind=missed_call").as_array().unwrap().len()
}

#[test]
fn fax_machines_and_dead_lines_are_known_by_their_tones() {
    let lab = Lab::start(FAX_NET, LabOptions::default());

    // A fax machine: 1100 Hz, half a second on, three off. No message; a missed call.
    let _fax = says(&lab, &cadence(1100.0, 500, 3000, 3));
    for _ in 0..300 {
        if missed(&lab) > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!((missed(&lab), lab.messages("27000").len()), (1, 0));

    // Four seconds of speech, then the exchange's busy tone: the server hangs up, and the tone is no part of the message.
    let speech = audio::speech(4);
    let _dead = says(&lab, &[speech, cadence(425.0, 500, 500, 6)].concat());
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(30)).remove(0);
    let seconds = message["duration_s"].as_f64().unwrap();
    assert!((3.5..4.8).contains(&seconds), "{message}");
    let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", message["id"].as_str().unwrap());
    let recorded = audio::decode(&lab.rest("GET", &path, None, "").body);
    let tone = recorded.windows(2000).step_by(1000).map(|part| audio::tone_share(part, 425.0)).fold(0.0, f64::max);
    assert!(tone < 0.9, "a quarter of a second of busy tone was left in the message: {tone:.2}");
}

#[test]
fn a_phone_without_telephone_events_logs_on_by_the_tones_of_its_keys() {
    let lab = Lab::start(KEYS_NET, LabOptions::default());
    let file = lab.data.file("keys.alaw");
    let silence = |seconds: usize| vec![0; 8000 * seconds];
    let keys = [audio::dtmf("730146#"), silence(20)].concat();
    std::fs::write(&file, audio::g711(&keys, "al")).unwrap();
    let _phone = Sipp::new("leaves_message", &format!("{}:5060", lab.node()), &lab.address(71), 5072, false)
        .without_events()
        .caller("27000", "43334")
        .key("file", file.to_str().unwrap())
        // The PIN is asked for; keys that come before the question ends count, too.
        .key("greeting", "4000")
        .key("length", "20000")
        .once()
        .start();
    lab.process.wait_for("logged_on", Duration::from_secs(30));
}
