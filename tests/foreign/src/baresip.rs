//! baresip, driven over its TCP control port (netstrings of JSON).

use crate::process::{Process, Scratch};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

pub struct Baresip {
    pub process: Process,
    control: TcpStream,
    folder: Scratch,
    received: Vec<u8>,
    pub events: Vec<Value>,
}

impl Baresip {
    /// Registers `user` at `node`; plays `play` (16-bit WAV) into every call and writes what it hears to its folder.
    pub fn start(user: &str, node: &str, number: u16, tcp: bool, play: Option<&Path>) -> Baresip {
        let transport = if tcp { "tcp" } else { "udp" };
        let account = format!(
            "<sip:{user}@{node};transport={transport}>;auth_user={user};auth_pass=moon-{user};regint=60;mwi=yes;audio_codecs=pcma,pcmu;outbound=\"sip:{node};transport={transport}\""
        );
        Baresip::with_account(user, &account, number, play)
    }

    /// The same with a line of its accounts file, whatever it says.
    pub fn with_account(user: &str, account: &str, number: u16, play: Option<&Path>) -> Baresip {
        // Its RTP sockets are bound to no address, so what it sends to loopback comes from 127.0.0.1: there it lives, and is
        // told from others by its ports.
        let (local, sip, control) = ("127.0.0.1", 15080 + 10 * number, 14444 + 10 * number);
        let folder = Scratch::new(&format!("baresip-{user}-{number}"));
        // Its sine generator speaks 48 kHz only: without a file to play, it plays silence.
        let silence = folder.file("silence.wav");
        crate::audio::write_wav(&silence, &vec![0; 8000 * 60]);
        let source = format!("aufile,{}", play.unwrap_or(&silence).display());
        let port = control;
        std::fs::write(
            folder.file("config"),
            format!(
                "sip_listen {local}:{sip}\nnet_interface {local}\naudio_source {source}\nsnd_path {folder}\n\
                 audio_buffer 20-160\nctrl_tcp_listen {local}:{port}\nmodule_path /usr/lib/baresip/modules\n\
                 module g711.so\nmodule aufile.so\nmodule sndfile.so\n\
                 module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nmodule_app mwi.so\n",
                folder = folder.path().display(),
            ),
        )
        .unwrap();
        std::fs::write(folder.file("accounts"), format!("{account}\n")).unwrap();
        std::fs::write(folder.file("contacts"), "").unwrap();
        let process = Process::start(Command::new("baresip").arg("-f").arg(folder.path()).arg("-v"));
        process.wait_for("200 OK (Earcon-Node", Duration::from_secs(15));
        let control = TcpStream::connect((local, port)).unwrap();
        Baresip { process, control, folder, received: Vec::new(), events: Vec::new() }
    }

    /// A command of baresip's menu: `dial`, `hangup`, `accept`, `sndcode` (one key) ...
    pub fn command(&mut self, command: &str, parameters: &str) {
        let body = json!({ "command": command, "params": parameters, "token": command }).to_string();
        write!(self.control, "{}:{},", body.len(), body).unwrap();
    }

    /// Waits for an event of this type ("CALL_ESTABLISHED", "CALL_INCOMING", "CALL_CLOSED" ...).
    pub fn wait_for(&mut self, kind: &str, limit: Duration) -> Value {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(at) = self.events.iter().position(|event| event["type"] == kind) {
                return self.events.remove(at);
            }
            let left = deadline.checked_duration_since(Instant::now()).unwrap_or_else(|| {
                panic!("baresip: no {kind} within {limit:?}; it printed:\n{}", self.process.output())
            });
            self.read(left);
        }
    }

    fn read(&mut self, limit: Duration) {
        self.control.set_read_timeout(Some(limit.max(Duration::from_millis(1)))).unwrap();
        let mut chunk = [0; 4096];
        if let Ok(read) = self.control.read(&mut chunk) {
            self.received.extend_from_slice(&chunk[..read]);
        }
        while let Some(colon) = self.received.iter().position(|byte| *byte == b':') {
            let length: usize = std::str::from_utf8(&self.received[..colon]).unwrap().trim().parse().unwrap();
            if self.received.len() < colon + length + 2 {
                return;
            }
            let event: Value = serde_json::from_slice(&self.received[colon + 1..colon + 1 + length]).unwrap();
            self.received.drain(..colon + length + 2);
            self.events.push(event);
        }
    }

    /// What it heard in its call, once the call is over: its sndfile module keeps what was decoded.
    pub fn heard(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let decoded = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).max();
        std::fs::read(decoded.expect("baresip kept what it decoded")).unwrap()
    }
}
