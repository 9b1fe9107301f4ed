//! One extension, three terminals: baresip, Linphone, and one that SIPp has registered and that is silent.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::linphone::Linphone;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions};

const NET: u8 = 95;

#[test]
fn all_terminals_ring_and_the_rest_stop_when_one_answers() {
    let lab = Lab::start(NET, LabOptions { ring_time: 15, ..LabOptions::default() });
    let [mut bjorn, mut desk] =
        ["27001", "27010"].map(|user| Baresip::start(user, &lab.node(), NET.into(), false, None));
    let mut softphone = Linphone::start("27010", &lab.node(), NET.into());
    Sipp::new("register", &format!("{}:5060", lab.node()), &lab.address(77), 5071, false)
        .user("27010")
        .key("contact_port", "5999")
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));

    bjorn.dial(&lab, "27010");
    desk.incoming();
    softphone.wait_for("27001");
    softphone.command("answer");
    bjorn.established();
    desk.closed();
    bjorn.hang_up();
    softphone.wait_for("ended");

    // The other way round.
    bjorn.dial(&lab, "27010");
    desk.answer();
    bjorn.established();
    desk.hang_up();
    bjorn.closed();
}
