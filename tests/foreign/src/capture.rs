//! A capture by dumpcap, read back by tshark: what was on the wire, and whether a foreign parser finds fault with it.

use crate::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct Capture {
    process: Process,
    file: PathBuf,
}

impl Capture {
    /// Captures the SIP of the addresses 127.0.`net`.x on loopback.
    pub fn start(net: u8, file: &Path) -> Capture {
        Capture::of(&[], "lo", &format!("net 127.0.{net}.0/24 and (tcp or udp port 5060)"), file)
    }

    /// Captures all of it, media too.
    pub fn whole(net: u8, file: &Path) -> Capture {
        Capture::of(&[], "lo", &format!("net 127.0.{net}.0/24"), file)
    }

    /// Captures what passes the filter on an interface. `within`: how a program is run where that is ([`Host::within`]).
    ///
    /// [`Host::within`]: crate::namespace::Host::within
    pub fn of(within: &[String], interface: &str, filter: &str, file: &Path) -> Capture {
        let mut words = within.to_vec();
        words.extend(["tshark", "-i", interface, "-q", "-f", filter, "-w"].map(str::to_owned));
        let process = Process::start(Command::new(&words[0]).args(&words[1..]).arg(file));
        process.wait_for("Capturing on", Duration::from_secs(20));
        // "Capturing on" is printed before the first packet is sure to be seen.
        std::thread::sleep(Duration::from_millis(700));
        Capture { process, file: file.to_owned() }
    }

    pub fn stop(mut self) -> Captured {
        std::thread::sleep(Duration::from_millis(700));
        self.process.terminate(Duration::from_secs(10));
        Captured { file: self.file.clone() }
    }
}

pub struct Captured {
    file: PathBuf,
}

impl Captured {
    /// The start lines of the SIP messages between two addresses, either way, in order.
    pub fn start_lines(&self, a: &str, b: &str) -> Vec<String> {
        let filter = format!("sip && ip.addr == {a} && ip.addr == {b}");
        let lines = self.tshark(&["-Y", &filter, "-T", "fields", "-e", "sip.Request-Line", "-e", "sip.Status-Line"]);
        lines.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// The packets that pass a display filter between two moments, one line each.
    pub fn between(&self, from: SystemTime, to: SystemTime, filter: &str) -> Vec<String> {
        let [from, to] = [from, to].map(|at| at.duration_since(UNIX_EPOCH).unwrap().as_secs_f64());
        let filter = format!("({filter}) && frame.time_epoch >= {from:.6} && frame.time_epoch <= {to:.6}");
        self.tshark(&["-Y", &filter]).lines().map(str::to_owned).collect()
    }

    /// What tshark calls malformed or marks as an error, one line each.
    pub fn faults(&self) -> Vec<String> {
        let filter = "_ws.malformed || (sip && _ws.expert.severity == \"Error\")";
        self.tshark(&[
            "-Y",
            filter,
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "_ws.expert.message",
            "-e",
            "sip.Request-Line",
        ])
        .lines()
        .map(str::to_owned)
        .collect()
    }

    pub fn tshark(&self, arguments: &[&str]) -> String {
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&self.file);
        // Every port of the lab is SIP, also those that tshark does not know by number.
        for port in [5060, 5062, 5065, 5067] {
            tshark.args(["-d", &format!("tcp.port=={port},sip")]);
        }
        let output = tshark.args(arguments).output().unwrap();
        assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
