//! A node with the guide's users, and behind its voice mail number a name: a DNS server of the tests' own says whose. The
//! servers are Earcon's, as processes, or whatever a test puts there.

use crate::dns::{Data, Dns};
use crate::process::{Process, Scratch, earcon, repository};
use crate::sipp::Sipp;
use std::process::Command;
use std::time::Duration;

/// The name that the node dials.
pub const NAME: &str = "pool.moon.galaxy";

pub struct Pool {
    pub scratch: Scratch,
    pub dns: Dns,
    pub node: Process,
    /// The first three numbers of its addresses.
    net: String,
}

impl Pool {
    /// The node at `net`.10, the DNS server at `net`.53. 43334 leads to [`NAME`] by the SRV records of `_sip._tcp`.
    pub fn start(name: &str, net: &str) -> Pool {
        let scratch = Scratch::new(name);
        let (address, dns) = (format!("{net}.10"), Dns::start(&format!("{net}.53")));
        let data = scratch.file("node").display().to_string();
        let toml = format!(
            "data = \"{data}\"\ndomain = \"mx-one-lync.lab.moon.galaxy\"\nring_time = 2\n{}[sip]\naddress = \"{address}\"\n[media]\naddress = \"{address}\"\nports = [20000, 24999]\n",
            dns.setting()
        );
        std::fs::write(scratch.file("node.toml"), toml).unwrap();
        let node = start(&scratch, "node", None);
        let pool = Pool { scratch, dns, node, net: net.to_owned() };
        let script = std::fs::read_to_string(repository().join("lab/mx-one.mml")).unwrap();
        pool.mdsh(&script.replace("1-1&&1-30", "1-1&&1-200"));
        pool.mdsh(&format!(
            "sip_route -set -route 55 -uristring0 sip:?@{NAME} -remoteport 0 -accept REMOTE_IP -match {net}.4,{net}.5 -supervise NO_SUPERVISION"
        ));
        pool
    }

    pub fn address(&self, host: u8) -> String {
        format!("{}.{host}", self.net)
    }

    /// Starts the node again on its data; the one before has to have ended, or is killed.
    pub fn restart_node(&mut self) {
        self.node.kill();
        self.node = start(&self.scratch, "node", None);
    }

    /// Lines for the node's shell, all of which have to be taken. The guide's addresses are this net's.
    pub fn mdsh(&self, lines: &str) {
        enter("mdsh", &self.scratch, "node", &lines.replace("192.168.222", &self.net));
    }

    /// The name has the servers 4 and 5 of the net, the first one first.
    pub fn of_two(&self) {
        self.dns.records(
            &format!("_sip._tcp.{NAME}"),
            vec![Data::service(1, 1, 5060, "um1.moon.galaxy"), Data::service(2, 1, 5060, "um2.moon.galaxy")],
        );
        for (name, host) in [("um1", 4), ("um2", 5)] {
            self.dns.records(&format!("{name}.moon.galaxy"), vec![Data::address(&self.address(host))]);
        }
    }

    /// A UM server with the lab's configuration, in a folder of its own. `within`: runs it in another network namespace.
    pub fn um(&self, name: &str, host: u8, within: Option<&[String]>) -> Process {
        let (address, data) = (self.address(host), self.scratch.file(name).display().to_string());
        let toml = format!(
            "data = \"{data}\"\n[sip]\naddress = \"{address}\"\n[media]\naddress = \"{address}\"\nports = [30000, 30999]\n"
        );
        std::fs::write(self.scratch.file(&format!("{name}.toml")), toml).unwrap();
        let process = start(&self.scratch, name, within);
        let script = std::fs::read_to_string(repository().join("lab/exchange-um.ps1")).unwrap();
        enter("umsh", &self.scratch, name, &script.replace("192.168.222", &self.net));
        process
    }

    /// 27001 calls 43334, is answered, and hangs up after `talks_ms`.
    pub fn call(&self, port: u16, talks_ms: u32) -> Process {
        self.calls(port, talks_ms).once().start()
    }

    /// The same, any number of times.
    pub fn calls(&self, port: u16, talks_ms: u32) -> Sipp {
        Sipp::new("calls", &format!("{}:5060", self.address(10)), &self.address(71), port, false)
            .caller("27001", "43334")
            .key("talks", &talks_ms.to_string())
    }
}

fn start(scratch: &Scratch, name: &str, within: Option<&[String]>) -> Process {
    let half = if name == "node" { "node" } else { "um" };
    let mut words: Vec<String> = within.map(<[String]>::to_vec).unwrap_or_default();
    words.extend([earcon().display().to_string(), half.to_owned(), "--config".to_owned()]);
    words.push(scratch.file(&format!("{name}.toml")).display().to_string());
    let process = Process::start(Command::new(&words[0]).args(&words[1..]));
    process.wait_for("ready", Duration::from_secs(30));
    process
}

fn enter(shell: &str, scratch: &Scratch, half: &str, script: &str) {
    let mut process = Process::start(Command::new(earcon()).arg(shell).arg("--data").arg(scratch.file(half)));
    script.lines().for_each(|line| process.type_line(line));
    process.stdin.take();
    process.must_succeed(Duration::from_secs(30));
}
