//! baresip, driven over its TCP control port (netstrings of JSON).

use crate::process::{PATIENCE, Process, Scratch};
use crate::{Lab, audio};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Phones that a test has had: each has ports of its own. A test is a process, so `number` tells the tests apart.
static PHONES: AtomicU16 = AtomicU16::new(0);

pub struct Baresip {
    pub process: Process,
    control: TcpStream,
    folder: Scratch,
    sip: u16,
    rtp: std::ops::RangeInclusive<u16>,
    received: Vec<u8>,
    /// Files that it was given to play in mid-call.
    spoken: u32,
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
        Baresip::configured(user, account, number, play, "")
    }

    /// By TLS: it takes no node but one whose certificate this CA has signed for the node's address.
    pub fn secure(user: &str, node: &str, number: u16, ca: &Path) -> Baresip {
        let account = format!(
            "<sip:{user}@{node}:5061;transport=tls>;auth_user={user};auth_pass=moon-{user};regint=60;mwi=yes;audio_codecs=pcma,pcmu;outbound=\"sip:{node}:5061;transport=tls\""
        );
        let lines = format!("sip_cafile {}\nsip_verify_server yes\n", ca.display());
        Baresip::configured(user, &account, number, None, &lines)
    }

    /// With further lines of its configuration.
    fn configured(user: &str, account: &str, number: u16, play: Option<&Path>, lines: &str) -> Baresip {
        // Its RTP sockets are bound to no address, so what it sends to loopback comes from 127.0.0.1: there it lives, and is
        // told from others by its ports.
        let phone = PHONES.fetch_add(1, Ordering::Relaxed);
        assert!(phone < 5, "a test has ports for five phones");
        let (local, sip, control) = ("127.0.0.1", 15080 + 10 * number + 2 * phone, 12000 + 10 * number + phone);
        let rtp = 21000 + 40 * number + 8 * phone;
        let folder = Scratch::new(&format!("baresip-{user}-{number}-{phone}"));
        // Its sine generator speaks 48 kHz only: without a file to play, it plays silence.
        let silence = folder.file("silence.wav");
        audio::write_wav(&silence, &vec![0; 8000 * 60]);
        let source = format!("aufile,{}", play.unwrap_or(&silence).display());
        // mwi.so before the account: baresip 1.0 subscribes without end, faster than it can be told anything, when it is
        // registered before the first timer of that module has run.
        std::fs::write(
            folder.file("config"),
            format!(
                "sip_listen {local}:{sip}\nnet_interface {local}\naudio_source {source}\nsnd_path {folder}\n\
                 audio_buffer 20-160\nrtp_ports {rtp}-{}\nctrl_tcp_listen {local}:{control}\nmodule_path /usr/lib/baresip/modules\n\
                 module g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule srtp.so\n\
                 {lines}module_app mwi.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n",
                rtp + 7,
                folder = folder.path().display(),
            ),
        )
        .unwrap();
        std::fs::write(folder.file("accounts"), format!("{account}\n")).unwrap();
        std::fs::write(folder.file("contacts"), "").unwrap();
        let process = Process::start(Command::new("baresip").arg("-f").arg(folder.path()).arg("-v"));
        process.wait_for("200 OK (Earcon-Node", PATIENCE);
        let control = TcpStream::connect((local, control)).unwrap();
        Baresip {
            process,
            control,
            folder,
            sip,
            rtp: rtp..=rtp + 7,
            received: Vec::new(),
            spoken: 0,
            events: Vec::new(),
        }
    }

    /// A phone of the lab's, over UDP, that plays a tone into its calls, so that others know it by that.
    pub fn with_tone(lab: &Lab, user: &str, number: u16, hertz: f64) -> Baresip {
        let file = lab.data.file(&format!("tone-{user}.wav"));
        audio::write_wav(&file, &audio::tone(hertz, 60));
        Baresip::start(user, &lab.node(), number, false, Some(&file))
    }

    /// Dials a number, or a service code: `#` is no character of a SIP URI (RFC 3261 25.1).
    pub fn dial(&mut self, lab: &Lab, number: &str) {
        self.command("dial", &format!("sip:{}@{}", number.replace('#', "%23"), lab.node()));
    }

    /// Takes the call that rings, and waits until it stands.
    pub fn answer(&mut self) {
        self.answer_within(PATIENCE);
    }

    /// The same where it may take longer until it rings.
    pub fn answer_within(&mut self, limit: Duration) {
        self.incoming_within(limit);
        self.command("accept", "");
        self.wait_for("CALL_ESTABLISHED", PATIENCE);
    }

    /// Waits until it rings; the caller's URI.
    pub fn incoming(&mut self) -> String {
        self.incoming_within(PATIENCE)
    }

    pub fn incoming_within(&mut self, limit: Duration) -> String {
        self.wait_for("CALL_INCOMING", limit)["peeruri"].as_str().unwrap().to_owned()
    }

    pub fn established(&mut self) {
        self.wait_for("CALL_ESTABLISHED", PATIENCE);
    }

    /// Waits until a call is over; what it says of why.
    pub fn closed(&mut self) -> String {
        self.wait_for("CALL_CLOSED", PATIENCE)["param"].as_str().unwrap_or_default().to_owned()
    }

    pub fn hang_up(&mut self) {
        self.command("hangup", "");
        self.closed();
    }

    /// How much of the last second but a half that it heard in its last call was this tone: 0 to 1.
    pub fn heard_tone(&self, hertz: f64) -> f64 {
        // The file is complete a moment after the call is over.
        let complete = (0..20).find_map(|_| {
            std::thread::sleep(Duration::from_millis(100));
            Some(audio::decode(&self.heard())).filter(|heard| heard.len() > 8000)
        });
        let heard = complete.unwrap_or_else(|| panic!("less than a second was heard:\n{}", self.process.output()));
        audio::tone_share(&heard[heard.len() - 6000..heard.len() - 2000], hertz)
    }

    /// The port at which it takes SIP.
    pub fn sip_port(&self) -> u16 {
        self.sip
    }

    /// The ports from which it sends audio.
    pub fn rtp_ports(&self) -> std::ops::RangeInclusive<u16> {
        self.rtp.clone()
    }

    /// The port from which its audio came last.
    pub fn last_source(&self) -> Option<u16> {
        let output = self.process.output();
        let told =
            output.lines().rfind(|line| ["receiving from ", " bytes from "].iter().any(|way| line.contains(way)))?;
        let (_, source) = told.rsplit_once("from ")?;
        let (_, port) = source.split([' ', ')']).next()?.rsplit_once(':')?;
        port.parse().ok()
    }

    /// A command of baresip's menu: `dial`, `hangup`, `accept`, `sndcode` (one key) ...
    pub fn command(&mut self, command: &str, parameters: &str) {
        let body = json!({ "command": command, "params": parameters, "token": command }).to_string();
        write!(self.control, "{}:{},", body.len(), body).unwrap();
    }

    /// Keys one after the other, as a person presses them.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            self.command("sndcode", &key.to_string());
            std::thread::sleep(Duration::from_millis(350));
        }
    }

    /// Speaks into its call from now on, and is silent then.
    pub fn speak(&mut self, said: &[i16]) {
        self.spoken += 1;
        let file = self.folder.file(&format!("spoken-{}.wav", self.spoken));
        // A file that ends would end the call.
        let silence = vec![0; 8000 * 120];
        audio::write_wav(&file, &[said, &silence].concat());
        self.command("ausrc", &format!("aufile,{}", file.display()));
    }

    /// Waits for an event of this type ("CALL_ESTABLISHED", "CALL_INCOMING", "CALL_CLOSED" ...), for [`PATIENCE`] at least.
    pub fn wait_for(&mut self, kind: &str, limit: Duration) -> Value {
        let limit = limit.max(PATIENCE);
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
