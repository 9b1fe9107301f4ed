//! A network of a test's own, with real cables: namespaces of the kernel, in which an ordinary user is root.

use crate::process::Process;
use std::process::Command;
use std::time::Duration;

/// Set for the copy of a test that runs inside.
const INSIDE: &str = "EARCON_IN_NAMESPACE";

/// Runs the test of this name once more in namespaces of its own. True for the copy, which is to do the work; false for
/// whoever started it, for whom all is done: the copy has succeeded, or the kernel refuses, which is said.
pub fn entered(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return true;
    }
    let namespaces = ["-Urn", "--fork", "--kill-child"];
    let possible =
        Command::new("unshare").args(namespaces).args(["ip", "link", "add", "br0", "type", "bridge"]).output();
    match possible {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr);
            println!("SKIPPED {test}: the kernel gives no network namespaces with bridges to this user: {reason}");
            return false;
        }
        Err(error) => panic!("unshare (util-linux) or ip (iproute2): {error}"),
    }
    let mut command = Command::new("unshare");
    command.args(namespaces).arg(std::env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]);
    let status = command.env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "{test}, in namespaces: {status}");
    false
}

fn ip(arguments: &str) {
    run(Command::new("ip").args(arguments.split(' ')));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A switch, and the addresses of all who are on this side of it.
pub struct Switch {
    net: String,
}

impl Switch {
    pub fn new(net: &str, hosts: &[u8]) -> Switch {
        ip("link add br0 type bridge");
        for host in hosts {
            ip(&format!("addr add {net}.{host}/24 dev br0"));
        }
        ip("link set br0 up");
        Switch { net: net.to_owned() }
    }

    /// A host of its own on a cable to the switch.
    pub fn host(&self, name: &str, host: u8) -> Host {
        // It keeps the namespace while it lives; its input ends with the test.
        let keeper = Process::start(Command::new("unshare").args(["-n", "sh", "-c", "echo here; exec cat"]));
        keeper.wait_for("here", Duration::from_secs(20));
        ip(&format!("link add {name} type veth peer name eth0 netns {}", keeper.id()));
        ip(&format!("link set {name} master br0 up"));
        let host = Host { name: name.to_owned(), address: format!("{}.{host}", self.net), keeper };
        for line in
            [format!("addr add {}/24 dev eth0", host.address), "link set eth0 up".into(), "link set lo up".into()]
        {
            let within = host.within();
            run(Command::new(&within[0]).args(&within[1..]).arg("ip").args(line.split(' ')));
        }
        host
    }
}

/// A host behind a cable.
pub struct Host {
    /// The port of the switch that it is plugged into.
    pub name: String,
    pub address: String,
    keeper: Process,
}

impl Host {
    /// What a program's command line begins with that is to run there.
    pub fn within(&self) -> Vec<String> {
        ["nsenter", "-t", &self.keeper.id().to_string(), "-n"].map(str::to_owned).to_vec()
    }

    /// Pulls the cable out of the switch: the host loses its carrier, keeps its address, and nobody is told.
    pub fn pull(&self) {
        ip(&format!("link set {} down", self.name));
    }

    pub fn plug(&self) {
        ip(&format!("link set {} up", self.name));
    }
}
