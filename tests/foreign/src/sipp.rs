//! SIPp: scenarios in `scenarios/`, one process a run.

use crate::process::{Process, repository};
use std::process::Command;

/// How a scenario is run. Everything else of SIPp's is left as it is.
pub struct Sipp {
    command: Command,
}

impl Sipp {
    /// `scenario` is a file of `tests/foreign/scenarios` without its ending; `remote` is ADDRESS:PORT.
    pub fn new(scenario: &str, remote: &str, local: &str, port: u16, tcp: bool) -> Sipp {
        let file = repository().join("tests/foreign/scenarios").join(format!("{scenario}.xml"));
        assert!(file.exists(), "no scenario {}", file.display());
        let mut command = Command::new("sipp");
        command.arg(remote).arg("-sf").arg(file).args(["-i", local, "-p", &port.to_string(), "-mi", local]);
        command.args([
            "-t",
            if tcp { "t1" } else { "u1" },
            "-m",
            "1",
            "-nostdin",
            "-timeout",
            "60s",
            "-trace_err",
            "-error_file",
            "/dev/stderr",
        ]);
        // SIPp draws its screen on the terminal; without one it must be told not to look for it.
        command.env("TERM", "dumb");
        Sipp { command }
    }

    pub fn key(mut self, name: &str, value: &str) -> Sipp {
        self.command.args(["-key", name, value]);
        self
    }

    pub fn user(mut self, user: &str) -> Sipp {
        self.command.args(["-s", user, "-au", user, "-ap", &format!("moon-{user}")]);
        self
    }

    /// SIP user as caller and the number that it dials.
    pub fn caller(mut self, user: &str, number: &str) -> Sipp {
        self.command.args(["-s", number, "-au", user, "-ap", &format!("moon-{user}"), "-key", "user", user]);
        self
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Sipp {
        self.command.args(arguments);
        self
    }

    pub fn start(mut self) -> Process {
        Process::start(&mut self.command)
    }
}
