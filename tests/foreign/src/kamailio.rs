//! Kamailio as the public network: `kamailio/operator.cfg`, with the test's addresses and password.

use crate::process::{Process, Scratch, repository};
use std::process::Command;
use std::time::Duration;

pub struct Kamailio {
    pub process: Process,
    /// Its configuration; kept until the end.
    _folder: Scratch,
}

impl Kamailio {
    /// An operator at `host`, whose customers know `password`, and whose other subscribers are at `far`.
    pub fn start(host: &str, far: &str, password: &str) -> Kamailio {
        let folder = Scratch::new(&format!("kamailio-{host}"));
        let source = repository().join("tests/foreign/kamailio/operator.cfg");
        let mut text = std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        for (key, value) in [("[host]", host), ("[far]", far), ("[password]", password)] {
            text = text.replace(key, value);
        }
        let config = folder.file("operator.cfg");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("kamailio");
        // In the foreground, errors to the console, with as little memory as it can do with.
        command.arg("-f").arg(&config).args(["-DD", "-E", "-m", "32", "-M", "4"]).arg("-Y").arg(folder.path());
        let process = Process::start(&mut command);
        process.wait_for("Listening on", Duration::from_secs(10));
        // It says so before its sockets are there.
        let sip = format!("{host}:5060");
        let open = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            std::net::TcpStream::connect(&sip).is_ok()
        });
        assert!(open, "kamailio does not listen; it printed:\n{}", process.output());
        Kamailio { process, _folder: folder }
    }
}

impl Kamailio {
    /// Its workers are processes of their own, and end when the first one ends in order.
    pub fn stop(&mut self) {
        assert!(self.process.terminate(Duration::from_secs(10)).is_some(), "kamailio does not end");
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        let _ = self.process.terminate(Duration::from_secs(10));
    }
}
