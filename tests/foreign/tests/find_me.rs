//! Find-me with real phones: Anna's call answering rule has Zoë rung for Björn; Zoë hears who calls, takes the call by a key, and
//! they talk; or she declines, and Björn leaves a message.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions, audio};

const BJORN: f64 = 1300.0;
const ZOE: f64 = 850.0;

/// Björn has called Anna, who does not answer, and pressed the key for urgent matters: it rings at Zoë's.
fn zoe_is_found(net: u8) -> (Lab, Baresip, Baresip) {
    let lab = Lab::start(net, LabOptions { ring_time: 3, ..LabOptions::default() });
    let rule = lab.shell(
        "umsh",
        "New-UMCallAnsweringRule -Mailbox anna.svensson -Name Urgent -Priority 1 -KeyMappings '5,5,urgent matters,27010,25,,,,'",
    );
    assert!(rule.status.success(), "{}", String::from_utf8_lossy(&rule.stderr));
    let mut zoe = Baresip::with_tone(&lab, "27010", net.into(), ZOE);
    let mut bjorn = Baresip::with_tone(&lab, "27001", net.into(), BJORN);
    bjorn.dial(&lab, "27000");
    // Nobody has registered as Anna, so voice mail answers at once.
    bjorn.established();
    std::thread::sleep(Duration::from_secs(2));
    bjorn.press("5");
    zoe.answer_within(Duration::from_secs(30));
    // Part of who calls.
    std::thread::sleep(Duration::from_secs(3));
    (lab, bjorn, zoe)
}

#[test]
fn whoever_is_found_takes_the_call_by_a_key() {
    let (_lab, mut bjorn, mut zoe) = zoe_is_found(5);
    zoe.press("1");
    std::thread::sleep(Duration::from_millis(3500));
    zoe.hang_up();
    bjorn.closed();
    let (at_zoe, at_bjorn) = (zoe.heard_tone(BJORN), bjorn.heard_tone(ZOE));
    assert!(at_zoe > 0.9 && at_bjorn > 0.9, "Zoë heard {at_zoe:.2} of Björn, Björn {at_bjorn:.2} of Zoë");
    let heard = audio::decode(&zoe.heard());
    let offer = audio::likeness(&audio::prompt("there-is-a-call-for-you"), &heard);
    assert!(offer > 0.8, "Zoë was told that there is a call for her: {offer:.2}");
}

#[test]
fn whoever_declines_is_left_alone_and_a_message_is_taken() {
    let (lab, mut bjorn, mut zoe) = zoe_is_found(8);
    zoe.press("2");
    zoe.closed();
    // An apology, the tone, and some seconds of message.
    std::thread::sleep(Duration::from_secs(9));
    bjorn.hang_up();
    let message = lab.wait_for_messages("27000", 1, Duration::from_secs(30)).remove(0);
    assert_eq!(message["from_number"], "27001", "{message}");
}
