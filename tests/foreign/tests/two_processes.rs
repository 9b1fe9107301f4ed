//! The halves as two processes, each from its TOML file; the capture shows what the guide describes, and tshark finds no
//! fault in it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;
use tests_foreign::audio;
use tests_foreign::capture::Capture;
use tests_foreign::process::{Process, Scratch, earcon, repository};
use tests_foreign::sipp::Sipp;

const NET: u8 = 35;

#[test]
fn the_capture_shows_invite_302_302_200_and_nothing_malformed() {
    let scratch = Scratch::new("two-processes");
    let (node, um) = (format!("127.0.{NET}.10"), format!("127.0.{NET}.4"));
    let file = |name: &str| scratch.file(name).display().to_string();
    std::fs::write(
        scratch.file("node.toml"),
        format!(
            "data = \"{}\"\ndomain = \"mx-one-lync.lab.moon.galaxy\"\nring_time = 2\n[sip]\naddress = \"{node}\"\n[media]\naddress = \"{node}\"\nports = [20000, 20999]\n",
            file("node")
        ),
    )
    .unwrap();
    std::fs::write(scratch.file("token"), "token-of-two-processes\n").unwrap();
    std::fs::set_permissions(scratch.file("token"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(
        scratch.file("um.toml"),
        format!(
            "data = \"{}\"\n[sip]\naddress = \"{um}\"\n[media]\naddress = \"{um}\"\nports = [30000, 30999]\n[web]\nlisten = \"127.0.0.1:18035\"\nadmin_token_file = \"{}\"\n",
            file("um"),
            file("token")
        ),
    )
    .unwrap();
    let start = |half: &str| {
        let process =
            Process::start(Command::new(earcon()).arg(half).arg("--config").arg(scratch.file(&format!("{half}.toml"))));
        process.wait_for("ready", Duration::from_secs(20));
        process
    };
    let mut node_process = start("node");
    let mut um_process = start("um");
    // The guide's commands, with its addresses turned into this test's: outside the lab the shells take them as they stand.
    for (shell, half, script) in [("mdsh", "node", "mx-one.mml"), ("umsh", "um", "exchange-um.ps1")] {
        let lines = std::fs::read_to_string(repository().join("lab").join(script))
            .unwrap()
            .replace("192.168.222.", &format!("127.0.{NET}."));
        let mut process = Process::start(Command::new(earcon()).arg(shell).arg("--data").arg(scratch.file(half)));
        for line in lines.lines() {
            process.type_line(line);
        }
        process.stdin.take();
        process.must_succeed(Duration::from_secs(20));
    }

    let capture = Capture::start(NET, &scratch.file("capture.pcapng"));
    let at = format!("{node}:5060");
    let (callee, caller) = (format!("127.0.{NET}.70"), format!("127.0.{NET}.71"));
    let speech = scratch.file("speech.alaw");
    std::fs::write(&speech, audio::g711(&audio::speech(3), "al")).unwrap();
    let mut phone = Sipp::new("rings", &at, &callee, 5070, false).start();
    Sipp::new("register", &at, &callee, 5071, false)
        .user("27000")
        .key("contact_port", "5070")
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));
    Sipp::new("leaves_message", &at, &caller, 5072, false)
        .caller("27001", "27000")
        .key("file", speech.to_str().unwrap())
        .key("greeting", "9000")
        .key("length", "3200")
        .once()
        .start()
        .must_succeed(Duration::from_secs(60));
    // SIGUSR1: SIPp ends when its calls have, with success if all of them went as the scenario says.
    phone.signal(libc::SIGUSR1);
    phone.must_succeed(Duration::from_secs(10));
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
    um_process.kill();
    node_process.kill();
    let _node_process = start("node");
    Sipp::new("subscribes", &at, &callee, 5073, false)
        .user("27000")
        .arguments(&["-auth_uri", &format!("27000@{at}")])
        .once()
        .start()
        .must_succeed(Duration::from_secs(15));
}
