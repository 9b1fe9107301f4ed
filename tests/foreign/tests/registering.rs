//! Phones of others register while their lamp is on: sipsak, which takes the next thing that it hears for the answer, and
//! baresip, which subscribes as soon as it is registered, or does not subscribe at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use tests_foreign::baresip::Baresip;
use tests_foreign::capture::Capture;
use tests_foreign::{Lab, LabOptions};

const NET: u8 = 152;

#[test]
fn who_registers_is_answered_and_then_told_once_of_a_lamp_that_is_on() {
    let lab = Lab::start(NET, LabOptions::default());
    let node = lab.node();
    for extension in ["27000", "27010"] {
        lab.mdsh(&format!("extension_procedure -d 27001 -proc '*31*{extension}#'"));
    }

    let local = lab.address(77);
    let (contact, aor) = (format!("sip:27000@{local}:5077"), format!("sip:27000@{node}"));
    let output = Command::new("sipsak")
        .args(["-vv", "-U", "-i", "-k", &local, "-l", "5077", "-u", "27000", "-a", "moon-27000", "-C", &contact])
        .args(["-x", "60", "-s", &aor])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    let capture = Capture::start(NET, &lab.data.file("registering.pcapng"));
    let subscribes = Baresip::start("27000", &node, NET.into(), false, None);
    let account = format!("<sip:27010@{node};transport=udp>;auth_user=27010;auth_pass=moon-27010;regint=60;mwi=no");
    let leaves_it = Baresip::with_account("27010", &account, NET.into(), None);
    subscribes.process.wait_for("Messages-Waiting: yes", Duration::from_secs(30));
    // Whoever is told twice is told within this.
    std::thread::sleep(Duration::from_secs(2));
    let ports = [subscribes.sip_port(), leaves_it.sip_port()];
    drop((subscribes, leaves_it));

    let captured = capture.stop();
    let sent = |filter: &str| captured.tshark(&["-Y", filter, "-T", "fields", "-e", "sip.Call-ID", "-e", "sip.CSeq"]);
    // The first is asked for the password.
    assert_eq!(sent("sip.Method == SUBSCRIBE").lines().count(), 2, "{}", sent("sip.Method == SUBSCRIBE"));
    let told = ports.map(|port| {
        ["active", "terminated"].map(|state| {
            let filter = format!("udp.dstport == {port} && sip.Subscription-State contains \"{state}\"");
            sent(&format!("sip.Method == NOTIFY && {filter}")).lines().count()
        })
    });
    // By its subscription alone; unasked.
    assert_eq!(told, [[1, 0], [0, 1]]);
}
