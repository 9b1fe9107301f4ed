//! A real node behind a shell, without sockets and without a clock that runs.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use event::{Event, Now, Sink};
use media::fake::FakeMedia;
use net::{Input, Role};
use pbx::{Node, NodeConfig, Own};
use shell::{Located, Net, Shell};
use sip::flow::Listener;
use sip::{ListenerId, Transport};
use state::{KeyFile, Store};

pub const DOMAIN: &str = "mx-one-lync.lab.moon.galaxy";

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Now, _: Event) {}
}

pub struct Rig {
    pub shell: Shell,
    pub store: Store,
}

impl Rig {
    pub fn new() -> Rig {
        Rig::with_key([5; 32])
    }

    /// Like the lab's: the guide's net is read as loopback.
    pub fn lab() -> Rig {
        let Rig { shell, store } = Rig::new();
        Rig { shell: shell.with_net(Net::new("127.0.222").unwrap()), store }
    }

    /// A node with nothing in it, whose commands are executed as they are given.
    pub fn with_key(key: [u8; 32]) -> Rig {
        let now = Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) };
        let store = Store::memory();
        let inbox: Arc<Mutex<VecDeque<Own>>> = Arc::default();
        let own = inbox.clone();
        let listener =
            |transport| Listener { id: ListenerId(0), transport, addr: "127.0.222.10:5060".parse().unwrap() };
        let config = NodeConfig {
            domain: DOMAIN.into(),
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            store: store.clone(),
            key: KeyFile::from_bytes(key),
            media: Box::new(FakeMedia::new()),
            seed: [9; 32],
            sink: Arc::new(Silent),
            own: Arc::new(move |item| own.lock().unwrap().push_back(item)),
            ring_time: Duration::from_secs(12),
            journal: Default::default(),
        };
        let node = Mutex::new(Node::new(config, now).unwrap());
        let shell = Shell::node(move |command, reply| {
            let mut node = node.lock().unwrap();
            node.input(Input::Own(Own::Command { command, by: "test".into(), reply }), now);
            loop {
                // The lock is not held while the node works: it puts into the same queue.
                let Some(own) = inbox.lock().unwrap().pop_front() else { break };
                node.input(Input::Own(own), now);
            }
        });
        Rig { shell, store }
    }

    /// All that the lines print; they must be accepted.
    pub fn run(&self, script: &str) -> String {
        self.shell.run_script(script).unwrap_or_else(|error| panic!("{error}")).to_string()
    }

    /// What is said of a line that is not accepted.
    pub fn refused(&self, line: &str) -> String {
        match self.shell.run_script(line) {
            Err(error) => error.to_string(),
            Ok(said) => panic!("{line} was accepted: {said}"),
        }
    }

    /// Runs the lines one by one; those that are refused change nothing. How each ended.
    pub fn run_on(&self, script: &str) -> Vec<Result<String, Located>> {
        let statements = self.shell.language().statements(script).unwrap();
        statements.iter().map(|statement| self.shell.execute(statement).map(|said| said.to_string())).collect()
    }

    /// What is durable of the configuration, without the sealed values: they are other ones each time.
    pub fn stored(&self) -> BTreeMap<(&'static str, String), String> {
        let kinds =
            ["number", "number_length", "route", "destination", "extension", "system", "phone", "phone_parameters"];
        let values = kinds.into_iter().flat_map(|kind| {
            self.store.load(kind).into_iter().map(move |(key, value)| ((kind, key), without_seals(&value)))
        });
        values.collect()
    }
}

fn without_seals(value: &str) -> String {
    ["sealed", "password", "token"].into_iter().fold(value.to_owned(), |value, field| {
        let parts: Vec<&str> = value.split(&format!("\"{field}\":\"")).collect();
        let rest = parts.iter().skip(1).map(|part| part.split_once('"').map_or(*part, |(_, rest)| rest));
        parts.first().copied().into_iter().chain(rest).collect()
    })
}
