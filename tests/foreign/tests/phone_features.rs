//! What users dial on real phones, one lab and three baresips: do not disturb, follow-me, call waiting, a hunt group, group
//! pickup, a withheld number.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tests_foreign::baresip::Baresip;
use tests_foreign::{Lab, LabOptions};

const NET: u8 = 92;

/// Dials a service code and waits until the node has confirmed it.
fn dial_code(lab: &Lab, phone: &mut Baresip, code: &str) {
    phone.dial(lab, code);
    phone.established();
    phone.closed();
}

#[test]
fn service_codes_groups_and_call_waiting_on_real_phones() {
    let lab = Lab::start(NET, LabOptions { ring_time: 15, ..LabOptions::default() });
    lab.mdsh("hunt_group -i --group 27900 --members 27001,27010");
    lab.mdsh("pickup_group -i --group 1 --members 27001,27010");
    lab.mdsh("extension -c -d 27010 --free-on-second-line 1");
    let [mut anna, mut bjorn, mut zoe] =
        ["27000", "27001", "27010"].map(|user| Baresip::start(user, &lab.node(), NET.into(), false, None));

    // Do not disturb.
    dial_code(&lab, &mut zoe, "*27#");
    anna.dial(&lab, "27010");
    let why = anna.closed();
    assert!(why.contains("480"), "{why}");
    dial_code(&lab, &mut zoe, "#27#");

    // Follow-me: Zoë's calls go to Björn.
    dial_code(&lab, &mut zoe, "*21*27001#");
    anna.dial(&lab, "27010");
    assert!(bjorn.incoming().contains("27000"));
    anna.hang_up();
    bjorn.closed();
    dial_code(&lab, &mut zoe, "#21#");

    // A withheld number.
    anna.dial(&lab, "*42*27010#");
    let caller = zoe.incoming();
    assert!(caller.contains("anonymous") && !caller.contains("27000"), "{caller}");
    anna.hang_up();
    zoe.closed();

    // Call waiting: the second call rings beside the first, and both stand.
    bjorn.dial(&lab, "27010");
    zoe.answer();
    bjorn.established();
    anna.dial(&lab, "27010");
    zoe.answer();
    anna.established();
    anna.hang_up();
    zoe.closed();
    bjorn.hang_up();
    zoe.closed();

    // A hunt group rings both; who answers has the call.
    anna.dial(&lab, "27900");
    bjorn.incoming();
    zoe.answer();
    anna.established();
    bjorn.closed();
    anna.hang_up();
    zoe.closed();

    // Björn's phone rings, Zoë takes the call.
    anna.dial(&lab, "27001");
    bjorn.incoming();
    zoe.dial(&lab, "*0#");
    zoe.established();
    anna.established();
    bjorn.closed();
    anna.hang_up();
    zoe.closed();
}
