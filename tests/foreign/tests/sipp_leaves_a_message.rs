//! The main job with SIPp as both phones: 27001 calls 27000, which rings; voice mail answers, records and lights the
//! lamp. Over UDP and over TCP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const SPOKEN_S: u32 = 6;

#[test]
fn over_udp_the_message_is_what_was_said() {
    leaves_a_message(31, false);
}

#[test]
fn over_tcp_the_message_is_what_was_said() {
    leaves_a_message(32, true);
}

fn leaves_a_message(net: u8, tcp: bool) {
    let lab = Lab::start(net, LabOptions::default());
    let node = format!("{}:5060", lab.node());
    let (callee, caller) = (lab.address(70), lab.address(71));
    let speech = audio::speech(SPOKEN_S);
    let file = lab.data.file("speech.alaw");
    std::fs::write(&file, audio::g711(&speech, "al")).unwrap();

    let mut phone = Sipp::new("rings", &node, &callee, 5070, tcp).start();
    Sipp::new("register", &node, &callee, 5071, tcp)
        .user("27000")
        .key("contact_port", "5070")
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));
    assert_eq!(extension(&lab, "27000")["lamp"]["on"], false);

    Sipp::new("leaves_message", &node, &caller, 5072, tcp)
        .caller("27001", "27000")
        .key("file", file.to_str().unwrap())
        .key("greeting", "9000")
        .key("length", &(SPOKEN_S * 1000 + 200).to_string())
        .once()
        .start()
        .must_succeed(Duration::from_secs(60));
    // SIGUSR1: SIPp ends when its calls have, with success if all of them went as the scenario says.
    phone.signal(libc::SIGUSR1);
    phone.must_succeed(Duration::from_secs(10));

    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(3)).remove(0);
    assert_eq!(message["from_number"], "27001");
    assert_eq!(message["from_name"], "Björn Åkesson");
    assert_eq!(message["read"], false);
    assert_eq!(extension(&lab, "27000")["lamp"]["on"], true);

    let path = format!("/api/v1/mailboxes/27000/messages/{}", message["id"].as_str().unwrap());
    let wav = lab.rest("GET", &format!("{path}/audio"), None, "");
    assert_eq!(wav.status, 200);
    let heard = audio::decode(&wav.body);
    let (likeness, shift) = audio::correlation(&speech, trimmed(&heard));
    assert!(likeness > 0.95, "the stored audio is like what was sent only by {likeness:.3} (shift {shift})");
    let spoken = speech.len() as f64 / 8000.0;
    let stored = trimmed(&heard).len() as f64 / 8000.0;
    assert!(stored + 0.1 > spoken, "{stored} s were stored of {spoken} s spoken");

    let changed = lab.rest("PATCH", &path, Some(br#"{"read": true}"#), "application/json");
    assert!(changed.status < 300, "{}", String::from_utf8_lossy(&changed.body));
    let dark = (0..40).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        extension(&lab, "27000")["lamp"]["on"] == false
    });
    assert!(dark, "a message that was read puts the lamp out");
}

/// What comes before the first sound: the wait between tone and speech.
fn trimmed(samples: &[i16]) -> &[i16] {
    let first = samples.iter().position(|sample| sample.unsigned_abs() > 200).unwrap_or(0);
    &samples[first.saturating_sub(400)..]
}

fn extension(lab: &Lab, number: &str) -> serde_json::Value {
    let extensions = lab.get("/api/v1/extensions");
    extensions
        .as_array()
        .unwrap()
        .iter()
        .find(|extension| extension["number"] == number)
        .expect("the extension")
        .clone()
}
