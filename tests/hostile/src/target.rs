//! The lab under attack, and what must be true of it afterwards.

use crate::{Client, phone, request};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tests_foreign::{Lab, LabOptions};

/// Labs at once: each test has one, and more than two starve each other of the processor.
const LABS: u32 = 2;
static RUNNING: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

pub struct Target {
    pub lab: Lab,
    events: Arc<Mutex<Vec<Value>>>,
    _turn: Turn,
}

struct Turn;

impl Turn {
    fn wait() -> Turn {
        let running = RUNNING.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut running = RUNNING.1.wait_while(running, |running| *running >= LABS).unwrap();
        *running += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) -= 1;
        RUNNING.1.notify_one();
    }
}

impl Target {
    /// `net` N gives 127.0.N.x; every test has its own.
    pub fn start(net: u8) -> Target {
        let turn = Turn::wait();
        let lab = Lab::start(net, LabOptions::default());
        let events = Arc::new(Mutex::new(Vec::new()));
        let stream = UnixStream::connect(lab.data().join("events.sock")).unwrap();
        let heard = events.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                heard.lock().unwrap().extend(serde_json::from_str::<Value>(&line));
            }
        });
        Target { lab, events, _turn: turn }
    }

    /// An address of somebody whom neither half knows.
    pub fn stranger(&self) -> String {
        self.lab.address(90)
    }

    pub fn node(&self) -> String {
        format!("{}:5060", self.lab.node())
    }

    /// `port`: 5060 is the router, 5062 the service, 5065 a worker.
    pub fn um(&self, port: u16) -> String {
        format!("{}:{port}", self.lab.um())
    }

    pub fn events(&self, name: &str) -> Vec<Value> {
        self.events.lock().unwrap().iter().filter(|event| event["event"] == name).cloned().collect()
    }

    /// The first event of this name that `wanted` takes, within five seconds.
    #[track_caller]
    pub fn event(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(event) = self.events(name).into_iter().find(&wanted) {
                return event;
            }
            assert!(Instant::now() < end, "no such event {name} among {:#?}", self.events(name));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kilobytes of memory that the process holds.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    pub fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.lab.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Both halves answer those whom they know, and a phone reaches its voice mail through both of them.
    #[track_caller]
    pub fn serves_as_ever(&mut self) {
        assert!(self.lab.process.wait(Duration::ZERO).is_none(), "it ended:\n{}", self.lab.process.output());
        let output = self.lab.process.output();
        assert!(!output.contains("panicked"), "{output}");
        let halves = [
            (self.lab.um(), self.node()),
            (self.lab.node(), self.um(5060)),
            (self.lab.node(), self.um(5062)),
            (self.lab.node(), self.um(5065)),
        ];
        for (from, to) in halves {
            let mut client = Client::tcp(&from, &to);
            let options = request(&client, "OPTIONS", &format!("sip:{to}"), "probe", "", "");
            let answer = client.ask(&options, Duration::from_secs(5));
            assert_eq!(answer.map(|answer| answer.status()), Some(200), "OPTIONS from {from} to {to}");
        }
        phone::calls_voice_mail(&self.lab.address(71), &self.node(), Duration::from_secs(10)).unwrap();
    }
}
