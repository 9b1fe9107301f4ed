//! A real UM server behind a shell, without sockets and without a clock that runs.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use event::{Event, Now, Sink};
use media::fake::FakeMedia;
use net::{Action, Input, Role};
use shell::{Located, Shell};
use sip::flow::Listener;
use sip::{ListenerId, Transport};
use state::Store;
use um::commands::call_record::CallRecord;
use um::commands::{Answer, Reply};
use um::people::{HashAnswer, HashJob, Hasher, PoolFull};
use um::records::{CallRecords, Question};
use um::storage::{Storage, StoreAnswer, StoreRequest, Ticket};
use um::{Addresses, Own, UmConfig};

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Now, _: Event) {}
}

/// What the server is still to be told.
type Inbox = Arc<Mutex<Vec<Own>>>;

struct Shelf(Inbox);

impl Storage for Shelf {
    fn submit(&mut self, request: StoreRequest, ticket: Ticket) {
        let answer = match request {
            StoreRequest::Counts(_) => StoreAnswer::Counts(Default::default()),
            _ => StoreAnswer::Done,
        };
        self.0.lock().unwrap().push(Own::Store(ticket, Ok(answer)));
    }
}

/// Hashes at once: the tests are not about argon2.
struct Plain(Inbox);

impl Hasher for Plain {
    fn submit(&mut self, job: HashJob, ticket: u64) -> Result<(), PoolFull> {
        let answer = match job {
            HashJob::Verify { .. } => HashAnswer::Wrong,
            HashJob::Make { pin, .. } => {
                let hex: String = pin.bytes().map(|byte| format!("{byte:02x}")).collect();
                HashAnswer::Made(format!("argon2id$1$1$00${hex}"))
            }
        };
        self.0.lock().unwrap().push(Own::Hashed(ticket, answer));
        Ok(())
    }
}

struct NoRecords;

impl CallRecords for NoRecords {
    fn write(&mut self, _: CallRecord) {}
    fn ask(&mut self, _: Question, reply: Reply) {
        reply(Ok(Answer::Records(Vec::new())));
    }
}

pub struct Rig {
    pub shell: Shell,
    pub store: Store,
}

impl Rig {
    /// A server with nothing in it, whose commands are executed as they are given.
    pub fn new() -> Rig {
        let now = Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) };
        let store = Store::memory();
        let inbox = Inbox::default();
        let listener = |id, port| {
            let addr = ([127, 0, 222, 4], port).into();
            vec![Listener { id: ListenerId(id), transport: Transport::Tcp, addr }]
        };
        let config = UmConfig {
            name: "um1".into(),
            host: "exc-2013-um1.moon.galaxy".parse().unwrap(),
            addresses: Addresses {
                router: listener(0, 5060),
                service: listener(1, 5062),
                workers: vec![listener(2, 5065)],
            },
            user_agent: "Earcon".into(),
            store: store.clone(),
            storage: Box::new(Shelf(inbox.clone())),
            hasher: Box::new(Plain(inbox.clone())),
            media: Box::new(FakeMedia::new()),
            records: Box::new(NoRecords),
            speech: speech::Speech::open(speech::Options::shipped_only()).unwrap(),
            recovered: Vec::new(),
            seed: [9; 32],
            sink: Arc::new(Silent),
            time_zone: None,
            timers: sip::transaction::Timers::default(),
            journal: Default::default(),
        };
        let server = Mutex::new(um::Server::new(config).unwrap());
        let shell = Shell::um(move |command, reply| {
            let mut server = server.lock().unwrap();
            server.input(Input::Own(Own::Command { command, by: "test".into(), reply }), now);
            loop {
                // The lock is not held while the server works: it puts into the same queue.
                let next = inbox.lock().unwrap().pop();
                let Some(own) = next else { break };
                server.input(Input::Own(own), now);
            }
            while !matches!(server.poll_action(), None | Some(Action::Stop)) {}
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

    /// Runs a line; one that is refused changes nothing.
    pub fn try_line(&self, line: &str) -> Result<String, Located> {
        let statements = self.shell.language().statements(line)?;
        statements.iter().map(|statement| self.shell.execute(statement).map(|said| said.to_string())).collect()
    }

    /// What is durable of the configuration. What there is one of is not there before it is first set: not compared.
    pub fn stored(&self) -> BTreeMap<(&'static str, String), String> {
        let kinds = [
            "dial_plan",
            "ip_gateway",
            "hunt_group",
            "mailbox_policy",
            "auto_attendant",
            "mailbox",
            "call_answering_rule",
            "prompt",
            "pin",
        ];
        let of = |kind| self.store.load(kind).into_iter().map(move |(key, value)| ((kind, key), value));
        kinds.into_iter().flat_map(of).collect()
    }
}
