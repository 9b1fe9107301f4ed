//! The node and the UM server as two processes, each from its TOML file, on a loopback net of the test's own.

use crate::audio;
use crate::process::{Process, Scratch, earcon};
use crate::sipp::Sipp;
use std::process::Command;
use std::time::Duration;

/// Both, on empty data folders.
pub struct Halves {
    pub scratch: Scratch,
    pub node: Process,
    pub um: Process,
    net: u8,
}

impl Halves {
    /// Writes the files, and starts both. Calls ring 2 s.
    pub fn start(name: &str, net: u8) -> Halves {
        let scratch = Scratch::new(name);
        let (node, um) = (format!("127.0.{net}.10"), format!("127.0.{net}.4"));
        let file = |name: &str| scratch.file(name).display().to_string();
        std::fs::write(
            scratch.file("node.toml"),
            format!(
                "data = \"{}\"\ndomain = \"mx-one-lync.lab.moon.galaxy\"\nring_time = 2\n[sip]\naddress = \"{node}\"\n[media]\naddress = \"{node}\"\nports = [20000, 20999]\n[metrics]\nlisten = \"127.0.0.1:{}\"\n",
                file("node"),
                Halves::metrics_port(net)
            ),
        )
        .unwrap();
        std::fs::write(scratch.file("token"), format!("token-of-{name}\n")).unwrap();
        std::fs::set_permissions(scratch.file("token"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(
            scratch.file("um.toml"),
            format!(
                "data = \"{}\"\n[sip]\naddress = \"{um}\"\n[media]\naddress = \"{um}\"\nports = [30000, 30999]\n[web]\nlisten = \"127.0.0.1:{}\"\nadmin_token_file = \"{}\"\n",
                file("um"),
                Halves::web_port(net),
                file("token")
            ),
        )
        .unwrap();
        let (node, um) = (start(&scratch, "node"), start(&scratch, "um"));
        Halves { scratch, node, um, net }
    }

    /// Where the node of this net has its metrics.
    pub const fn metrics_port(net: u8) -> u16 {
        19_000 + net as u16
    }

    /// Where the UM server of this net has its pages, and its metrics with them.
    pub const fn web_port(net: u8) -> u16 {
        18_000 + net as u16
    }

    /// Ends the node as a power cut would, and starts it again.
    pub fn restart_node(&mut self) {
        self.node.kill();
        self.node = start(&self.scratch, "node");
    }

    /// Pipes a script into a half's shell (`mdsh` or `umsh`). Its addresses are turned into this net's: outside the lab the
    /// shells take addresses as they stand.
    pub fn enter(&self, shell: &str, script: &str) {
        let half = if shell == "mdsh" { "node" } else { "um" };
        let lines = script.replace("192.168.222.", &format!("127.0.{}.", self.net));
        let mut process = Process::start(Command::new(earcon()).arg(shell).arg("--data").arg(self.scratch.file(half)));
        for line in lines.lines() {
            process.type_line(line);
        }
        process.stdin.take();
        process.must_succeed(Duration::from_secs(20));
    }

    /// The lab's users on this net: it rings for 27000, nobody answers, and voice mail takes three seconds of 27001's speech.
    pub fn take_a_message(&self, net: u8) {
        let at = format!("127.0.{net}.10:5060");
        let (callee, caller) = (format!("127.0.{net}.70"), format!("127.0.{net}.71"));
        let speech = self.scratch.file("speech.alaw");
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
    }
}

fn start(scratch: &Scratch, half: &str) -> Process {
    let process =
        Process::start(Command::new(earcon()).arg(half).arg("--config").arg(scratch.file(&format!("{half}.toml"))));
    process.wait_for("ready", Duration::from_secs(20));
    process
}
