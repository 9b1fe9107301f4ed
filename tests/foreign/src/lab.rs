//! A lab on a loopback net of its own.

use crate::http;
use crate::process::{PATIENCE, Process, Scratch, earcon};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

pub struct LabOptions {
    /// Seconds that a call list position rings.
    pub ring_time: u32,
    /// Phone files over HTTPS, too.
    pub https: bool,
    /// The trunk by TLS.
    pub secure: bool,
    /// Two UM servers behind a name.
    pub redundant: bool,
}

impl Default for LabOptions {
    fn default() -> LabOptions {
        LabOptions { ring_time: 2, https: false, secure: false, redundant: false }
    }
}

pub struct Lab {
    pub process: Process,
    pub data: Scratch,
    net: u8,
    options: LabOptions,
}

impl Lab {
    /// `net` N gives 127.0.N.x; every test has its own.
    pub fn start(net: u8, options: LabOptions) -> Lab {
        let data = Scratch::new(&format!("lab-{net}"));
        let process = launch(net, &data, &options);
        Lab { process, data, net, options }
    }

    pub fn address(&self, host: u8) -> String {
        format!("127.0.{}.{host}", self.net)
    }

    pub fn node(&self) -> String {
        self.address(10)
    }

    pub fn um(&self) -> String {
        self.address(4)
    }

    pub fn data(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// SIGKILL and start again on the same folder.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        self.process = launch(self.net, &self.data, &self.options);
    }

    /// A REST call as the administrator.
    pub fn rest(&self, method: &str, path: &str, body: Option<&[u8]>, content_type: &str) -> http::Answer {
        http::call(self.web(), method, path, body, content_type, Some("lab-admin"))
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.rest("GET", path, None, "");
        assert_eq!(answer.status, 200, "GET {path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }

    pub fn messages(&self, mailbox: &str) -> Vec<Value> {
        self.get(&format!("/api/v1/mailboxes/{mailbox}/messages")).as_array().unwrap().clone()
    }

    /// Waits for so many messages, for [`PATIENCE`] at least.
    pub fn wait_for_messages(&self, mailbox: &str, count: usize, limit: Duration) -> Vec<Value> {
        let deadline = Instant::now() + limit.max(PATIENCE);
        loop {
            let messages = self.messages(mailbox);
            if messages.len() >= count {
                return messages;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {count} messages; the lab printed:\n{}",
                messages.len(),
                self.process.output()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn web(&self) -> u16 {
        web_port(self.net)
    }

    /// Runs one line of a shell (`mdsh` or `umsh`) against this lab.
    pub fn shell(&self, shell: &str, line: &str) -> std::process::Output {
        Command::new(earcon()).arg(shell).arg("--data").arg(self.data.path()).arg("-c").arg(line).output().unwrap()
    }

    /// The same, for a line of the node's shell that has to be taken.
    pub fn mdsh(&self, line: &str) {
        let output = self.shell("mdsh", line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn web_port(net: u8) -> u16 {
    18000 + u16::from(net)
}

fn launch(net: u8, data: &Scratch, options: &LabOptions) -> Process {
    let process = Process::start(
        Command::new(earcon())
            .arg("lab")
            .arg("--data")
            .arg(data.path())
            .arg("--net")
            .arg(format!("127.0.{net}"))
            .arg("--web")
            .arg(web_port(net).to_string())
            .arg("--ring-time")
            .arg(options.ring_time.to_string())
            .args(options.https.then_some("--https"))
            .args(options.secure.then_some("--secure"))
            .args(options.redundant.then_some("--redundant")),
    );
    process.wait_for("lab ready", Duration::from_secs(30));
    process
}
