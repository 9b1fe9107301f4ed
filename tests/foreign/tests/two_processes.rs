//! The halves as two processes, each from its TOML file; the capture shows what the guide describes, and tshark finds no
//! fault in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;
use tests_foreign::capture::Capture;
use tests_foreign::halves::Halves;
use tests_foreign::process::repository;
use tests_foreign::sipp::Sipp;

const NET: u8 = 35;

#[test]
fn the_capture_shows_invite_302_302_200_and_nothing_malformed() {
    let mut halves = Halves::start("two-processes", NET);
    for (shell, script) in [("mdsh", "mx-one.mml"), ("umsh", "exchange-um.ps1")] {
        halves.enter(shell, &std::fs::read_to_string(repository().join("lab").join(script)).unwrap());
    }
    let (node, um) = (format!("127.0.{NET}.10"), format!("127.0.{NET}.4"));

    let capture = Capture::start(NET, &halves.scratch.file("capture.pcapng"));
    let at = format!("{node}:5060");
    let callee = format!("127.0.{NET}.70");
    halves.take_a_message(NET);
    std::thread::sleep(Duration::from_secs(1));

    let captured = capture.stop();
    let lines = captured.start_lines(&node, &um);
    let steps: Vec<&str> = lines
        .iter()
        .filter_map(|line| {
            if line.starts_with("INVITE") {
                Some("INVITE")
            } else {
                line.strip_prefix("SIP/2.0 ").map(|status| &status[..3])
            }
        })
        .filter(|step| ["INVITE", "302", "200"].contains(step))
        .collect();
    assert_eq!(&steps[..6], ["INVITE", "302", "INVITE", "302", "INVITE", "200"], "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("NOTIFY")), "{lines:#?}");
    assert_eq!(captured.faults(), Vec::<String>::new());

    // The node alone knows the lamp: killed and started again, with the UM server gone, it tells a new subscriber.
    halves.um.kill();
    halves.restart_node();
    Sipp::new("subscribes", &at, &callee, 5073, false)
        .key("new", "1")
        .user("27000")
        .arguments(&["-auth_uri", &format!("27000@{at}")])
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));
}
