//! Transfers by real phones: baresip refers blindly (REFER), Linphone after having asked (REFER with Replaces). Each phone
//! plays a tone of its own, by which the other knows it in the end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::linphone::Linphone;
use tests_foreign::{Lab, LabOptions};

const NET: u8 = 91;
const ANNA: f64 = 440.0;
const ZOE: f64 = 850.0;

#[test]
fn blind_and_attended_transfers_join_the_two_who_are_left() {
    let lab = Lab::start(NET, LabOptions { ring_time: 10, ..LabOptions::default() });
    let mut anna = Baresip::with_tone(&lab, "27000", NET.into(), ANNA);
    let mut zoe = Baresip::with_tone(&lab, "27010", NET.into(), ZOE);

    // Björn calls Anna and refers her to Zoë without a word.
    let mut bjorn = Baresip::with_tone(&lab, "27001", NET.into(), 1300.0);
    bjorn.dial(&lab, "27000");
    anna.answer();
    bjorn.established();
    bjorn.command("transfer", &format!("sip:27010@{}", lab.node()));
    zoe.answer();
    bjorn.closed();
    they_talk(&mut anna, &mut zoe);
    they_hear(&anna, &zoe);
    bjorn.command("quit", "");

    // The same with Linphone, which talks to Zoë first.
    let mut bjorn = Linphone::start("27001", &lab.node(), NET.into());
    bjorn.command(&format!("call sip:27000@{}", lab.node()));
    anna.answer();
    bjorn.wait_for("Call 1 with sip:27000");
    bjorn.command("pause 1");
    bjorn.wait_for("paused");
    bjorn.command(&format!("call sip:27010@{}", lab.node()));
    zoe.answer();
    bjorn.wait_for("Call 2 with sip:27010");
    bjorn.command("transfer 1 --to-call 2");
    bjorn.wait_for(&format!("Call 2 with sip:27010@{} ended", lab.node()));
    they_talk(&mut anna, &mut zoe);
    they_hear(&anna, &zoe);
}

fn they_hear(anna: &Baresip, zoe: &Baresip) {
    let at_zoe = zoe.heard_tone(ANNA);
    assert!(at_zoe > 0.9, "Zoë heard {at_zoe:.2} of Anna");
    // This baresip decodes nothing any more once its source changed between two re-INVITEs, or was put on hold having said
    // nothing (Linphone has no sound card here); that Zoë's stream arrives it says.
    let from = anna.last_source().expect("Anna gets a stream");
    assert!(zoe.rtp_ports().contains(&from), "Anna's audio comes from port {from}");
}

/// They talk for a while, then Anna hangs up.
fn they_talk(anna: &mut Baresip, zoe: &mut Baresip) {
    std::thread::sleep(Duration::from_millis(2500));
    anna.hang_up();
    zoe.closed();
}
