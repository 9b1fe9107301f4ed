//! baresip logs on to its mailbox, sends a message to a colleague, and the colleague's baresip hears it there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::process::Scratch;
use tests_foreign::{Lab, LabOptions, audio};

const TONE: f64 = 620.0;

fn log_on(phone: &mut Baresip, pin: &str) {
    phone.command("dial", "43334");
    phone.wait_for("CALL_ESTABLISHED", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(4));
    phone.press(pin);
}

/// The largest share that the tone has of any second.
fn share(heard: &[i16]) -> f64 {
    heard.windows(8000).step_by(2000).map(|second| audio::tone_share(second, TONE)).fold(0.0, f64::max)
}

#[test]
fn composed_by_keys_and_heard_by_the_colleague() {
    let lab = Lab::start(6, LabOptions::default());
    let folder = Scratch::new("voice-access");
    let said = folder.file("said.wav");
    // A tone that no prompt has, for as long as the call may last.
    let tone: Vec<i16> = (0..8000 * 60)
        .map(|n| ((f64::from(n) * TONE * std::f64::consts::TAU / 8000.0).sin() * 9000.0) as i16)
        .collect();
    audio::write_wav(&said, &tone);

    let mut anna = Baresip::start("27000", &lab.node(), 6, false, Some(&said));
    log_on(&mut anna, "730146#");
    // 5: a message; # and an extension: to whom; 1: record.
    anna.press("5#27001");
    std::thread::sleep(Duration::from_secs(1));
    anna.press("1");
    // The sentence and the tone, then three seconds and more of message.
    std::thread::sleep(Duration::from_secs(14));
    anna.press("#11#");
    let message = lab.wait_for_messages("27001", 1, Duration::from_secs(10)).remove(0);
    anna.command("hangup", "");
    assert_eq!(message["kind"], "composed");
    assert_eq!(message["from_number"], "27000");
    assert_eq!(message["from_name"], "Anna Svensson");
    assert_eq!(message["urgent"], true);
    assert!(message["duration_s"].as_f64().unwrap() > 2.0, "{message}");

    let mut bjorn = Baresip::start("27001", &lab.node(), 7, false, None);
    bjorn.process.wait_for("Messages-Waiting: yes", Duration::from_secs(5));
    // The PIN; 1: the messages.
    log_on(&mut bjorn, "730258#");
    bjorn.press("1");
    let read = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        lab.messages("27001")[0]["read"] == true
    });
    bjorn.command("hangup", "");
    bjorn.wait_for("CALL_CLOSED", Duration::from_secs(5));
    assert!(read, "heard to its end, it is read; baresip printed:\n{}", bjorn.process.output());
    bjorn.command("quit", "");
    bjorn.process.wait(Duration::from_secs(5));
    let heard = audio::decode(&bjorn.heard());
    assert!(share(&heard) > 0.9, "the message was heard: {:.2}", share(&heard));
}
