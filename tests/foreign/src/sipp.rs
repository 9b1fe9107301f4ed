//! SIPp: scenarios in `scenarios/`, one process a run.

use crate::process::{Process, repository};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// How a scenario is run. Everything else of SIPp's is left as it is.
pub struct Sipp {
    scenario: String,
    arguments: Vec<String>,
    keys: Vec<(String, String)>,
    events: bool,
}

impl Sipp {
    /// `scenario` is a file of `tests/foreign/scenarios` without its ending; `remote` is ADDRESS:PORT.
    pub fn new(scenario: &str, remote: &str, local: &str, port: u16, tcp: bool) -> Sipp {
        let port = port.to_string();
        let transport = if tcp { "t1" } else { "u1" };
        let arguments =
            [remote, "-i", local, "-mi", local, "-p", &port, "-t", transport, "-nostdin", "-timeout", "60s"];
        Sipp {
            scenario: scenario.to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            keys: Vec::new(),
            events: true,
        }
    }

    /// One call, then the end.
    pub fn once(self) -> Sipp {
        self.arguments(&["-m", "1"])
    }

    /// Fills `[name]` in the scenario. SIPp's own `-key` reaches messages only, not pauses and file names.
    pub fn key(mut self, name: &str, value: &str) -> Sipp {
        self.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn user(self, user: &str) -> Sipp {
        let password = format!("moon-{user}");
        self.arguments(&["-s", user, "-au", user, "-ap", &password])
    }

    /// SIP user as caller and the number that it dials.
    pub fn caller(self, user: &str, number: &str) -> Sipp {
        let password = format!("moon-{user}");
        // Else SIPp signs a URI without the number, which is not what it asks for.
        let uri = format!("{number}@{}", self.arguments[0]);
        self.arguments(&["-s", number, "-au", user, "-ap", &password, "-auth_uri", &uri]).key("user", user)
    }

    /// A phone that knows no telephone events (RFC 4733).
    pub fn without_events(mut self) -> Sipp {
        self.events = false;
        self
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Sipp {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    pub fn start(self) -> Process {
        let keys: Vec<(&str, &str)> = self.keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let file = scenario(&self.scenario, &keys);
        if !self.events {
            let with = std::fs::read_to_string(&file).unwrap();
            let lines = with.lines().filter(|line| !line.trim_start().starts_with("a=") || !line.contains(":101 "));
            let without: Vec<String> = lines.map(|line| line.replace("RTP/AVP 8 101", "RTP/AVP 8")).collect();
            std::fs::write(&file, without.join("\n")).unwrap();
        }
        let mut command = Command::new("sipp");
        command.args(&self.arguments).arg("-sf").arg(file).args(["-trace_err", "-error_file", "/dev/stderr"]);
        // SIPp draws its screen on the terminal; without one it must be told not to look for it.
        command.env("TERM", "dumb");
        Process::start(&mut command)
    }
}

/// A scenario with its `[name]`s filled, as a file of its own.
pub fn scenario(name: &str, keys: &[(&str, &str)]) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let source = repository().join("tests/foreign/scenarios").join(format!("{name}.xml"));
    let mut text = std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    for (key, value) in keys {
        text = text.replace(&format!("[{key}]"), value);
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir();
    let file = folder.join(format!("earcon-sipp-{name}-{}-{number}.xml", std::process::id()));
    std::fs::write(&file, text).unwrap();
    file
}
