//! What comes as tones in the audio: keys of a telephone without telephone events (SIPp), a fax machine that calls, and the busy
//! tone of an exchange whose caller has hung up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_crash::Call;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const NET: u8 = 9;

fn silence(seconds: usize) -> Vec<i16> {
    vec![0; seconds * 8000]
}

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
fn keys_fax_machines_and_dead_lines_are_known_by_their_tones() {
    let lab = Lab::start(NET, LabOptions::default());

    // Björn rings in, and turns his out-of-office greeting on: PIN; 6, personal options; 1.
    let keys =
        [silence(1), audio::dtmf("730258#"), silence(6), audio::dtmf("6"), silence(4), audio::dtmf("1"), silence(2)];
    let (file, samples) = (lab.data.file("keys.alaw"), keys.concat());
    std::fs::write(&file, audio::g711(&samples, "al")).unwrap();
    Sipp::new("keys_in_band", &format!("{}:5060", lab.node()), &lab.address(71), 5072, false)
        .caller("27001", "43334")
        .key("file", file.to_str().unwrap())
        .key("greeting", "3000")
        .key("length", &(samples.len() / 8 + 200).to_string())
        .once()
        .start()
        .must_succeed(Duration::from_secs(60));
    let mailbox = lab.shell("umsh", "Get-UMMailbox bjorn.akesson | Select-Object OutOfOfficeGreetingEnabled");
    let shown = String::from_utf8_lossy(&mailbox.stdout).into_owned();
    assert!(shown.contains("True"), "{shown}{}", String::from_utf8_lossy(&mailbox.stderr));

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
