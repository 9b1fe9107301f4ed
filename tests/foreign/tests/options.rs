//! OPTIONS by two foreign programs, SIPp and sipsak: whoever is known gets 200 from everything that listens, on both
//! transports; a stranger gets 403, which says no more than that somebody is there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use tests_foreign::sipp::Sipp;
use tests_foreign::{Lab, LabOptions};

/// The status line that sipsak got from `host`:`port`, asking from `local`.
fn sipsak(host: &str, port: u16, local: &str) -> String {
    let output =
        Command::new("sipsak").args(["-vvv", "-k", local, "-s", &format!("sip:{host}:{port}")]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let status = said.lines().rfind(|line| line.starts_with("SIP/2.0 "));
    status.unwrap_or_else(|| panic!("no answer from {host}:{port}: {said}")).trim_end().to_owned()
}

#[test]
fn whoever_is_known_gets_200_from_every_port_and_a_stranger_403() {
    let lab = Lab::start(39, LabOptions::default());
    let (node, um, stranger) = (lab.node(), lab.um(), lab.address(70));
    // The halves know each other by address: the route matches the UM server's, and the node is its gateway.
    let ports = [(&node, 5060, &um), (&um, 5060, &node), (&um, 5062, &node), (&um, 5065, &node), (&um, 5067, &node)];
    for (number, (host, port, known)) in ports.into_iter().enumerate() {
        for tcp in [true, false] {
            let local = 6000 + 2 * number as u16 + u16::from(tcp);
            Sipp::new("options", &format!("{host}:{port}"), known, local, tcp)
                .once()
                .start()
                .must_succeed(Duration::from_secs(10));
        }
        assert_eq!(sipsak(host, port, known), "SIP/2.0 200 OK", "{host}:{port}");
        assert_eq!(sipsak(host, port, &stranger), "SIP/2.0 403 Forbidden", "{host}:{port}");
    }
}
