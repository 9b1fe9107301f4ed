//! A UM server on a core of its own, for the benches that load it.

use crate::Usage;
use std::process::Command;
use std::time::Duration;
use tests_foreign::process::{Process, Scratch, earcon, repository};
use tests_foreign::{audio, http};

/// Its loopback net, the port of its pages, and the administrator's token.
pub const NET: u8 = 90;
pub const WEB: u16 = 18090;
pub const TOKEN: &str = "bench-token-of-the-recording";

/// `earcon um` on core 0, with the lab's mailboxes, room for all calls, and a greeting that is one short beep.
pub fn start_server(scratch: &Scratch) -> Process {
    let um = format!("127.0.{NET}.4");
    let earcon = earcon();
    std::fs::write(scratch.file("token"), format!("{TOKEN}\n")).unwrap();
    std::fs::set_permissions(scratch.file("token"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(
        scratch.file("um.toml"),
        format!(
            "data = \"{}\"\n[sip]\naddress = \"{um}\"\n[media]\naddress = \"{um}\"\nports = [20000, 29999]\n[web]\nlisten = \"127.0.0.1:{WEB}\"\nadmin_token_file = \"{}\"\n",
            scratch.file("um").display(),
            scratch.file("token").display()
        ),
    )
    .unwrap();
    let server = Process::start(
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(&earcon)
            .arg("um")
            .arg("--config")
            .arg(scratch.file("um.toml"))
            .env("RUST_LOG", "warn"),
    );
    server.wait_for("um ready", Duration::from_secs(20));
    let script = std::fs::read_to_string(repository().join("lab/exchange-um.ps1"))
        .unwrap()
        .replace("192.168.222.", &format!("127.0.{NET}."));
    let mut shell = Process::start(Command::new(&earcon).arg("umsh").arg("--data").arg(scratch.file("um")));
    for line in script.lines().chain(["Set-UMService -MaxCallsAllowed 10000"]) {
        shell.type_line(line);
    }
    shell.stdin.take();
    shell.must_succeed(Duration::from_secs(20));
    let beep: Vec<i16> = (0..800).map(|n| if n % 16 < 8 { 2000 } else { -2000 }).collect();
    audio::write_wav(&scratch.file("greeting.wav"), &beep);
    let greeting = std::fs::read(scratch.file("greeting.wav")).unwrap();
    let path = "/api/v1/mailboxes/27000/greeting";
    let put = http::call(WEB, "PUT", path, Some(&greeting), "audio/wav", Some(TOKEN));
    assert!(put.status < 300, "{}", put.text());
    server
}

pub fn cpu_of(processes: &[Process]) -> f64 {
    processes.iter().map(|process| Usage::of(process.id()).cpu_ms).sum()
}
