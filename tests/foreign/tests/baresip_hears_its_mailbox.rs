//! baresip registers, is told of its messages, dials 43334, presses its PIN and 1, and hears a message.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_crash::Call;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

#[test]
fn over_udp() {
    hears(33, false);
}

#[test]
fn over_tcp() {
    hears(34, true);
}

fn hears(net: u8, tcp: bool) {
    let lab = Lab::start(net, LabOptions::default());
    // A tone that no prompt has, so that the message can be told from everything else that is heard.
    let tone = audio::tone(620.0, 4);
    let mut call = Call::divert(&lab.node(), &lab.um(), "27000").unwrap();
    call.wait_for_the_tone(Duration::from_secs(20), Duration::from_millis(300));
    call.speak(&audio::g711(&tone, "al"), || true);
    call.hang_up();
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(3)).remove(0);
    assert_eq!(message["read"], false);

    let mut phone = Baresip::start("27000", &lab.node(), u16::from(net), tcp, None);
    phone.process.wait_for("Messages-Waiting: yes", Duration::from_secs(5));
    phone.command("dial", "43334");
    phone.wait_for("CALL_ESTABLISHED", Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(4));
    // The PIN, and 1 for the messages.
    phone.press("730146#1");
    let heard_to_the_end = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        lab.messages("27000")[0]["read"] == true
    });
    phone.command("hangup", "");
    phone.wait_for("CALL_CLOSED", Duration::from_secs(5));
    assert!(
        heard_to_the_end,
        "a message that was heard to its end is read; baresip printed:\n{}",
        phone.process.output()
    );
    phone.process.wait_for("Messages-Waiting: no", Duration::from_secs(5));

    phone.command("quit", "");
    phone.process.wait(Duration::from_secs(5));
    let heard = audio::decode(&phone.heard());
    assert!(audio::level_db(&heard) > -40.0, "something was heard");
    let (likeness, _) = heard
        .windows(8000)
        .step_by(2000)
        .map(|second| audio::tone_share(second, 620.0))
        .fold((0.0f64, 0), |(best, n), share| (best.max(share), n + 1));
    assert!(likeness > 0.9, "the message itself was heard: a second of it is its tone by {likeness:.2}");
}
