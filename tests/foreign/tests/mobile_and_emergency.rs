//! A mobile telephone that belongs to an extension, and calls for help, on a trunk with a single individual; the operator is
//! SIPp, the desk phones are baresip.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions, audio};

const NET: u8 = 94;

#[test]
fn a_mobile_rings_along_and_is_known_and_help_is_called_past_the_limit() {
    let lab = Lab::start(NET, LabOptions { ring_time: 15, ..LabOptions::default() });
    let operator = lab.address(90);
    for line in [
        "number_initiate -numbertype ED -number 0",
        "number_initiate -numbertype SOS -number 112",
        "rocai:rou=60,sel=7110000000000010,trm=4,serv=3100000001;",
        "rodai:rou=60,type=TL66;",
        "roeqi:rou=60,tru=1-1&&1-1;",
        "roddi:rou=60,dest=0,adc=0005000000000250000001010000,srt=2;",
        "roddi:rou=60,dest=112,adc=0005000000000250000001010000;",
    ] {
        lab.mdsh(line);
    }
    lab.mdsh(&format!(
        "sip_route -set -route 60 -uristring0 sip:?@{operator} -fromuri0 sip:?@operator.example -accept REMOTE_IP \
         -match {operator} -supervise NO_SUPERVISION"
    ));
    lab.mdsh(
        "ip_extension -c -d 27000 --uri \"rou:60;remote-number=0701234567;caller-number=0701234567;min-answer-delay=0\"",
    );
    let [mut desk, mut zoe] = ["27000", "27010"].map(|user| Baresip::start(user, &lab.node(), NET.into(), false, None));
    let _network = Sipp::new("public_callee", &operator, &operator, 5060, false).key("expected", "270.0").start();

    // Desk and mobile ring; the mobile answers, the desk stops.
    zoe.dial(&lab, "27000");
    desk.incoming();
    zoe.established();
    desk.closed();

    // That is the trunk's only individual: another call does not get out, one for help does.
    desk.dial(&lab, "00317001122");
    let why = desk.closed();
    assert!(why.contains("480"), "{why}");
    desk.dial(&lab, "112");
    desk.established();
    lab.process.wait_for("emergency_call", Duration::from_secs(2));
    desk.hang_up();
    zoe.hang_up();

    // The mobile calls in, and voice mail knows whose it is.
    let silence = lab.data.file("silence.alaw");
    std::fs::write(&silence, audio::g711(&[0; 8000], "al")).unwrap();
    let mut mobile = Sipp::new("public_caller", &format!("{}:5060", lab.node()), &operator, 5062, false)
        .arguments(&["-s", "43334"])
        .key("file", silence.to_str().unwrap())
        .key("greeting", "1000")
        .key("length", "500")
        .once()
        .start();
    mobile.must_succeed(Duration::from_secs(20));
    let started = lab.process.wait_for("um_call_started", Duration::from_secs(2));
    assert!(started.contains("\"27000\""), "{started}");
}
