use super::source::Source;
use crate::commands::Reply;
use crate::commands::call_record::CallRecord;
use crate::commands::{Answer, Command, CommandError, Given};
use crate::people::{HashAnswer, HashJob, Hasher, PoolFull};
use crate::records::{CallRecords, Question};
use crate::storage::{Greeting, Parcel, Storage, StoreAnswer, StoreFailure, StoreRequest, StoreResult, Ticket};
use crate::{Addresses, Own, Server, UmConfig};
use bytes::Bytes;
use event::{Event, Now, Sink};
use journal::{Door, Journal, Recorded};
use mailbox::{Counts, MailboxId};
use media::fake::FakeMedia;
use media::{MediaCommand, MediaEvent, PlayEnd, RecordEnd, RecordingId, Recovered, SessionId};
use net::{Action, Input, Role, SipInput};
use sip::flow::{Flow, Listener, TransportError};
use sip::target::{Answer as DnsAnswer, Query};
use sip::{Destination, ListenerId, Message, Name, Request, Response, Transport, parse_datagram};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const ROUTER: u8 = 0;
pub const SERVICE: u8 = 1;
pub const WORKER: u8 = 2;

/// What the store has been asked, and how it answers.
#[derive(Default)]
pub struct Shelf {
    pub asked: Vec<(Ticket, StoreRequest)>,
    pub down: bool,
    /// The mailboxes are gone.
    pub empty: bool,
    /// Answers nothing at all.
    pub silent: bool,
    pub counts: BTreeMap<MailboxId, Counts>,
    pub usage: BTreeMap<MailboxId, u64>,
    pub delivered: Vec<Parcel>,
    pub discarded: Vec<RecordingId>,
    /// How often something in a mailbox was changed.
    pub changed: usize,
    pub quiet: bool,
}

#[derive(Clone, Default)]
pub struct FakeStore(pub Arc<Mutex<Shelf>>);

impl Storage for FakeStore {
    fn submit(&mut self, request: StoreRequest, ticket: Ticket) {
        self.0.lock().unwrap().asked.push((ticket, request));
    }
}

impl Shelf {
    fn answer(&mut self, request: StoreRequest) -> StoreResult {
        if self.down {
            return Err(StoreFailure::Unavailable("down".into()));
        }
        use StoreRequest as R;
        let changes = matches!(
            &request,
            R::SetRead(..)
                | R::SetFlagged(..)
                | R::Delete(..)
                | R::Undelete(..)
                | R::PutGreeting(..)
                | R::RemoveGreeting(..)
        );
        self.changed += usize::from(changes);
        Ok(match request {
            StoreRequest::Deliver(parcel) if self.quiet => {
                self.discarded.extend(parcel.parts);
                StoreAnswer::TooQuiet
            }
            StoreRequest::Deliver(parcel) => {
                self.delivered.push(*parcel);
                StoreAnswer::Delivered { duration_ms: 3000 }
            }
            StoreRequest::Discard(recordings) => {
                self.discarded.extend(recordings);
                StoreAnswer::Done
            }
            StoreRequest::Greeting(_) => StoreAnswer::Greeting(Greeting::default()),
            StoreRequest::List(_) => StoreAnswer::Messages(vec![crate::dialogue::script::message(7, false)]),
            // Nobody else has the shelf: no server asks whose turn it is.
            StoreRequest::LampTurn(..) | StoreRequest::LampTold(..) => StoreAnswer::LampTold(true),
            StoreRequest::Counts(_) if self.empty => return Err(StoreFailure::NoMailbox),
            StoreRequest::Counts(mailbox) => {
                StoreAnswer::Counts(self.counts.get(&mailbox).copied().unwrap_or_default())
            }
            StoreRequest::Audio(..) | StoreRequest::Replay(_) => {
                StoreAnswer::Audio(Arc::new(speech::Audio::from_samples(vec![100; 8000])))
            }
            StoreRequest::Stretch(audio, _) => StoreAnswer::Audio(audio),
            StoreRequest::Speak(..) => StoreAnswer::Audio(Arc::new(speech::Audio::from_samples(vec![100; 8000]))),
            StoreRequest::Recorded(..) => return Err(StoreFailure::NoMessage),
            StoreRequest::Usage(mailbox) => StoreAnswer::Usage(self.usage.get(&mailbox).copied().unwrap_or_default()),
            StoreRequest::Create(_)
            | StoreRequest::Remove(_)
            | StoreRequest::SetRead(..)
            | StoreRequest::SetFlagged(..)
            | StoreRequest::Delete(..)
            | StoreRequest::Undelete(..)
            | StoreRequest::PutGreeting(..)
            | StoreRequest::RemoveGreeting(..) => StoreAnswer::Done,
        })
    }
}

/// Hashes by writing the PIN down: the tests are about counting, not about argon2.
#[derive(Clone, Default)]
pub struct PlainHasher {
    jobs: Arc<Mutex<Vec<(HashJob, u64)>>>,
}

impl Hasher for PlainHasher {
    fn submit(&mut self, job: HashJob, ticket: u64) -> Result<(), PoolFull> {
        self.jobs.lock().unwrap().push((job, ticket));
        Ok(())
    }
}

/// Keeps what is written, and answers with all of it.
#[derive(Clone, Default)]
pub struct Ledger(pub Arc<Mutex<Vec<CallRecord>>>);

impl CallRecords for Ledger {
    fn write(&mut self, record: CallRecord) {
        self.0.lock().unwrap().push(record);
    }

    fn ask(&mut self, _: Question, reply: Reply) {
        let records = self.0.lock().unwrap().clone();
        reply(Ok(Answer::Records(records)));
    }
}

/// A PIN as the stand-in hashes it: in the form of a hash, and readable.
pub fn hash_of(pin: &str) -> String {
    let hex: String = pin.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("argon2id$1$1$00${hex}")
}

#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Sink for Events {
    fn emit(&self, _: Now, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// Where a command's answer comes.
pub type Slot = Arc<Mutex<Option<Result<Answer, CommandError>>>>;

pub struct Rig {
    pub server: Server,
    pub media: FakeMedia,
    journal: Journal,
    pub shelf: FakeStore,
    hasher: PlainHasher,
    pub ledger: Ledger,
    events: Events,
    pub source: Source,
    pub state: state::Store,
    pub now: Now,
    /// What was sent and not yet looked at, with where to.
    sent: Vec<(Destination, Message)>,
    pub actions: Vec<Action>,
    /// Addresses that refuse connections.
    pub refusing: BTreeSet<SocketAddr>,
    /// What the DNS says; a name that is not in it gets no answer.
    pub zone: BTreeMap<String, DnsAnswer>,
    cseq: u32,
}

fn listener(id: u8, port: u16) -> Vec<Listener> {
    let of = |transport, port| {
        let addr = SocketAddr::from(([127, 0, 222, 4], port));
        Listener { id: ListenerId(id), transport, addr }
    };
    vec![of(Transport::Tcp, port), of(Transport::Tls, port + 1)]
}

fn flow(listener: u8, remote: SocketAddr, transport: Transport, connection: u64) -> Flow {
    let port = [5060, 5062, 5065, 5067][usize::from(listener)];
    let local = SocketAddr::from(([127, 0, 222, 4], port));
    Flow { transport, listener: ListenerId(listener), local, remote, connection: Some(connection) }
}

pub fn pbx() -> SocketAddr {
    "127.0.222.10:40000".parse().unwrap()
}

/// Runs a call again: what happened, in words, and how it went.
pub fn replayed(call: &Recorded) -> (String, journal::replay::Report) {
    let again = journal::replay::journal_of(call);
    let speech = crate::dialogue::script::speech().clone();
    let mut stage = crate::replay::UmStage::new(call, again.clone(), speech).unwrap();
    let mut text = String::new();
    let report = journal::replay::run(&mut stage, &again, call, &mut |number, after, step| {
        text.push_str(&journal::replay::describe(number, after, step));
    });
    (text, report)
}

/// Whatever a test did, its calls run again as they were.
impl Drop for Rig {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for call in self.recorded() {
            let told = replayed(&call);
            assert!(told.1.is_equal(), "call {:?} runs otherwise:\n{}", call.about, told.0);
        }
    }
}

impl Rig {
    /// The calls that were recorded, as they would be read from a file.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.journal.close();
        let tapes = self.journal.take_finished(self.now);
        tapes.iter().map(|tape| journal::read(&journal::write(tape), self.now.instant).unwrap()).collect()
    }

    /// The lab's UM server: the guide's configuration, two users, calls from the PBX.
    pub fn lab() -> Rig {
        let mut rig = Rig::empty(state::Store::memory(), Vec::new());
        rig.configure();
        rig
    }

    pub fn configure(&mut self) {
        let plan = [("Name", "MX"), ("NumberOfDigitsInExtension", "5"), ("CountryOrRegionCode", "46")];
        self.done("New-UMDialPlan", &plan);
        self.done("New-UMIPGateway", &[("Name", "MX-ONE"), ("Address", "127.0.222.10"), ("UMDialPlan", "MX")]);
        let group = [("Name", "VM"), ("UMDialPlan", "MX"), ("UMIPGateway", "MX-ONE"), ("PilotIdentifier", "43334")];
        self.done("New-UMHuntGroup", &group);
        let attendant = [("Name", "AA"), ("UMDialPlan", "MX"), ("PilotIdentifierList", "43333"), ("Status", "Enabled")];
        self.done("New-UMAutoAttendant", &attendant);
        for (name, extension, pin) in [("Anna", "27000", "730146"), ("Björn", "27001", "730258")] {
            self.done("New-Mailbox", &[("Name", name), ("LastName", "Test"), ("FirstName", name)]);
            let enable =
                [("Identity", name), ("UMMailboxPolicy", "MX Default Policy"), ("Extensions", extension), ("PIN", pin)];
            self.done("Enable-UMMailbox", &enable);
        }
        self.take_events();
    }

    pub fn empty(state: state::Store, recovered: Vec<Recovered>) -> Rig {
        let (media, shelf, hasher, events) =
            (FakeMedia::new(), FakeStore::default(), PlainHasher::default(), Events::default());
        let ledger = Ledger::default();
        let journal = Journal::recording("um", Door::none());
        let config = UmConfig {
            name: "um1".into(),
            host: "exc-2013-um1.moon.galaxy".parse().unwrap(),
            addresses: Addresses {
                router: listener(ROUTER, 5060),
                service: listener(SERVICE, 5062),
                workers: vec![listener(WORKER, 5065), listener(3, 5067)],
            },
            user_agent: "Earcon".into(),
            store: state.clone(),
            storage: Box::new(shelf.clone()),
            hasher: Box::new(hasher.clone()),
            media: Box::new(media.clone()),
            records: Box::new(ledger.clone()),
            speech: crate::dialogue::script::speech().clone(),
            recovered,
            seed: [1; 32],
            sink: Arc::new(events.clone()),
            time_zone: None,
            timers: sip::transaction::Timers::default(),
            journal: journal.clone(),
        };
        let mut server = Server::new(config).unwrap();
        let source = Source::default();
        server.consult_by(Box::new(source.clone()));
        let mut rig = Rig {
            server,
            media,
            journal,
            shelf,
            hasher,
            ledger,
            events,
            source,
            state,
            now: Now::read(),
            sent: Vec::new(),
            actions: Vec::new(),
            refusing: BTreeSet::new(),
            zone: BTreeMap::new(),
            cseq: 0,
        };
        rig.server.start(rig.now);
        rig.settle();
        rig
    }

    // ---- the role's door ----

    pub fn input(&mut self, input: Input<Own>) {
        self.server.input(input, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            while let Some(action) = self.server.poll_action() {
                match action {
                    Action::Transmit(transmit) => {
                        let refused = self.refusing.contains(&transmit.to.remote());
                        self.sent.push((transmit.to, parse_datagram(transmit.bytes).unwrap()));
                        if refused {
                            let (id, error) = (transmit.id, TransportError::Refused);
                            self.server.input(Input::Sip(SipInput::TransmitFailed { id, error }), self.now);
                        }
                    }
                    Action::Resolve { query, question: Query::Addresses(name) } if self.zone.contains_key(&name) => {
                        let answer = self.zone.get(&name).cloned().unwrap();
                        self.server.input(Input::Sip(SipInput::Resolved { query, answer }), self.now);
                    }
                    other => self.actions.push(other),
                }
            }
            let hashes = std::mem::take(&mut *self.hasher.jobs.lock().unwrap());
            for (job, ticket) in &hashes {
                let answer = match job {
                    HashJob::Verify { pin, hash } if hash_of(pin) == *hash => HashAnswer::Right,
                    HashJob::Verify { .. } => HashAnswer::Wrong,
                    HashJob::Make { pin, history, .. } if history.contains(&hash_of(pin)) => HashAnswer::UsedBefore,
                    HashJob::Make { pin, .. } => HashAnswer::Made(hash_of(pin)),
                };
                self.server.input(Input::Own(Own::Hashed(*ticket, answer)), self.now);
            }
            let asked = {
                let mut shelf = self.shelf.0.lock().unwrap();
                if shelf.silent { Vec::new() } else { std::mem::take(&mut shelf.asked) }
            };
            let answers = self.source.answers();
            if hashes.is_empty() && asked.is_empty() && answers.is_empty() {
                return;
            }
            for (ticket, answer) in answers {
                self.server.input(Input::Own(Own::Personal(ticket, answer)), self.now);
            }
            for (ticket, request) in asked {
                let answer = self.shelf.0.lock().unwrap().answer(request);
                self.server.input(Input::Own(Own::Store(ticket, answer)), self.now);
            }
        }
    }

    /// Moves the clock, stopping at every deadline.
    pub fn later(&mut self, by: Duration) {
        let until = self.now.instant + by;
        while let Some(at) = self.server.deadline().filter(|at| *at <= until) {
            self.now = self.now.later(at.saturating_duration_since(self.now.instant));
            self.input(Input::Timeout);
        }
        self.now = self.now.later(until.saturating_duration_since(self.now.instant));
    }

    pub fn command(&mut self, cmdlet: &str, parameters: &[(&str, &str)]) -> Result<Answer, CommandError> {
        let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), Given::from(*value))).collect();
        self.run(Command::parse(cmdlet, given)?)
    }

    pub fn run(&mut self, command: Command) -> Result<Answer, CommandError> {
        let result = self.ask(command).lock().unwrap().take();
        result.expect("a command is answered")
    }

    /// A command that may be answered later.
    pub fn ask(&mut self, command: Command) -> Slot {
        self.ask_together(vec![command]).remove(0)
    }

    /// Commands that come before any of them is answered by others than the role.
    pub fn ask_together(&mut self, commands: Vec<Command>) -> Vec<Slot> {
        let slots = commands.into_iter().map(|command| {
            let slot = Slot::default();
            let reply = slot.clone();
            let reply = Box::new(move |result| *reply.lock().unwrap() = Some(result));
            self.server.input(Input::Own(Own::Command { by: "test".into(), command, reply }), self.now);
            slot
        });
        let slots = slots.collect();
        self.settle();
        slots
    }

    /// A peer's answer to a request of ours.
    pub fn answer(&mut self, request: &Request, status: u16, listener: u8, from: SocketAddr) {
        let header = |name: Name| request.headers.get(&name).unwrap().to_string();
        let tag = if header(Name::To).contains("tag=") { "" } else { ";tag=peer" };
        let body = if request.method == sip::Method::Invite && status == 200 { OFFER } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let text = format!(
            "SIP/2.0 {status} Yes\nVia: {}\nTo: {}{tag}\nFrom: {}\nCall-ID: {}\nCSeq: {}\n\
             Contact: <sip:127.0.222.10:5060;transport=tcp>\n{kind}Content-Length: {}\n\n{body}",
            header(Name::Via),
            header(Name::To),
            header(Name::From),
            header(Name::CallId),
            header(Name::CSeq),
            body.replace('\n', "\r\n").len()
        );
        self.receive(&text, listener, from);
    }

    #[track_caller]
    pub fn done(&mut self, cmdlet: &str, parameters: &[(&str, &str)]) -> Answer {
        self.command(cmdlet, parameters).unwrap()
    }

    pub fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.0.lock().unwrap())
    }

    /// The names of the events since the last look.
    pub fn event_names(&self) -> Vec<String> {
        self.take_events().iter().map(Event::name).collect()
    }

    // ---- the PBX ----

    pub fn receive(&mut self, text: &str, listener: u8, from: SocketAddr) {
        self.receive_over(text, listener, from, Transport::Tcp);
    }

    pub fn receive_over(&mut self, text: &str, listener: u8, from: SocketAddr, transport: Transport) {
        let wire = Bytes::from(text.replace('\n', "\r\n"));
        let flow = flow(listener, from, transport, u64::from(listener) + 1);
        self.input(Input::Sip(SipInput::received(wire, flow)));
    }

    /// The connection between one of the server's parts and this peer breaks.
    pub fn break_connection(&mut self, listener: u8, remote: SocketAddr) {
        let flow = flow(listener, remote, Transport::Tcp, 0);
        self.input(Input::Sip(SipInput::FlowClosed(flow)));
    }

    /// Everything sent since the last look.
    pub fn take_sent(&mut self) -> Vec<(Destination, Message)> {
        std::mem::take(&mut self.sent)
    }

    pub fn take_responses(&mut self) -> Vec<Response> {
        let sent = self.take_sent();
        sent.into_iter().filter_map(|(_, message)| message.as_response().cloned()).collect()
    }

    pub fn take_requests(&mut self) -> Vec<Request> {
        let sent = self.take_sent();
        sent.into_iter().filter_map(|(_, message)| message.as_request().cloned()).collect()
    }

    /// An INVITE for the pilot, with further header lines.
    pub fn invite(&mut self, listener: u8, pilot: &str, headers: &str) -> Vec<Response> {
        self.invite_from(pbx(), listener, pilot, headers)
    }

    pub fn invite_from(&mut self, from: SocketAddr, listener: u8, pilot: &str, headers: &str) -> Vec<Response> {
        self.cseq += 1;
        let cseq = self.cseq;
        self.receive(
            &invite_text(pilot, headers, &format!("z9hG4bK{cseq}"), &format!("call-{cseq}"), 1, OFFER),
            listener,
            from,
        );
        self.take_responses()
    }

    /// A call that was answered at the worker and acknowledged.
    pub fn call(&mut self, pilot: &str, headers: &str) -> TestCall {
        let responses = self.invite(WORKER, pilot, headers);
        let answer = responses.last().expect("an answer").clone();
        assert_eq!(answer.status, 200, "{answer:?}");
        let call = TestCall::new(answer, &self.media);
        self.receive(&call.request("ACK", 1, ""), WORKER, pbx());
        call
    }

    pub fn hang_up(&mut self, call: &TestCall) {
        self.receive(&call.request("BYE", 2, ""), WORKER, pbx());
    }

    /// The INVITE that the server has sent.
    #[track_caller]
    pub fn invited(&mut self) -> Request {
        self.take_requests().into_iter().find(|request| request.method == sip::Method::Invite).expect("an INVITE")
    }

    /// Whoever was called by this INVITE hangs up.
    pub fn called_hangs_up(&mut self, invite: &Request) {
        let header = |name: Name| invite.headers.get(&name).unwrap().to_string();
        let text = format!(
            "BYE sip:um@127.0.222.4:5065;transport=tcp SIP/2.0\nVia: SIP/2.0/TCP 127.0.222.10:40000;branch=z9hG4bKbye\n\
             Max-Forwards: 70\nTo: {}\nFrom: {};tag=peer\nCall-ID: {}\nCSeq: 1 BYE\nContent-Length: 0\n\n",
            header(Name::From),
            header(Name::To),
            header(Name::CallId),
        );
        self.receive(&text, WORKER, pbx());
    }

    // ---- media ----

    pub fn media_event(&mut self, event: MediaEvent) {
        self.input(Input::Own(Own::Media(event)));
    }

    /// Lets everything that is said on the session be heard to its end; gives what else was asked of the media.
    pub fn listen(&mut self, session: SessionId) -> Vec<MediaCommand> {
        let mut others = Vec::new();
        loop {
            let mut plays = Vec::new();
            for command in self.media.take() {
                match command {
                    MediaCommand::Play { session: of, play, .. } if of == session => plays.push(play),
                    other => others.push(other),
                }
            }
            let Some(play) = plays.pop() else { return others };
            let played = Duration::from_secs(1);
            self.now = self.now.later(played);
            self.media_event(MediaEvent::PlayEnded { session, play, played, reason: PlayEnd::Finished });
        }
    }

    /// The recording that was started.
    pub fn recording(&mut self, call: &TestCall) -> RecordingId {
        let commands = self.listen(call.session);
        let recording = commands.iter().rev().find_map(|command| match command {
            MediaCommand::Record { recording, .. } => Some(*recording),
            _ => None,
        });
        recording.expect("a recording was started")
    }

    pub fn record_ended(&mut self, call: &TestCall, recording: RecordingId, reason: RecordEnd, seconds: u64) {
        let duration = Duration::from_secs(seconds);
        self.media_event(MediaEvent::RecordEnded {
            session: call.session,
            recording,
            reason,
            duration,
            loud: duration,
        });
        if reason == RecordEnd::Key {
            self.press(call, "#");
        }
    }

    pub fn durable(&mut self, recording: RecordingId) {
        self.media_event(MediaEvent::RecordDurable { recording, length: 8000 });
    }

    /// Presses keys; a play that can be interrupted is.
    pub fn press(&mut self, call: &TestCall, keys: &str) {
        let session = call.session;
        for digit in keys.chars() {
            for command in self.media.take() {
                if let MediaCommand::Play { session: of, play, barge_in: true, .. } = command
                    && of == session
                {
                    let played = Duration::from_millis(100);
                    self.media_event(MediaEvent::PlayEnded { session, play, played, reason: PlayEnd::Key });
                }
            }
            self.media_event(MediaEvent::Key { session, digit, duration_ms: 100 });
        }
    }
}

pub const OFFER: &str = "v=0\no=- 1 1 IN IP4 127.0.222.10\ns=-\nc=IN IP4 127.0.222.10\nt=0 0\nm=audio 30000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000\n";

pub fn invite_text(pilot: &str, headers: &str, branch: &str, call_id: &str, cseq: u32, body: &str) -> String {
    let mut lines = String::new();
    for header in headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.push_str(header);
        lines.push('\n');
    }
    if !body.is_empty() {
        lines.push_str("Content-Type: application/sdp\n");
    }
    let from = if headers.contains("From:") { "" } else { "From: <sip:27001@127.0.222.10>;tag=pbx\n" };
    format!(
        "INVITE sip:{pilot}@127.0.222.4 SIP/2.0\nVia: SIP/2.0/TCP 127.0.222.10:40000;branch={branch}\n\
         Max-Forwards: 70\nTo: <sip:{pilot}@127.0.222.4>\n{from}Call-ID: {call_id}\nCSeq: {cseq} INVITE\n\
         Contact: <sip:27001@127.0.222.10:5060;transport=tcp>\n{lines}Content-Length: {}\n\n{body}",
        body.replace('\n', "\r\n").len()
    )
}

/// An established call, seen from the PBX.
pub struct TestCall {
    pub answer: Response,
    pub session: SessionId,
    cseq: u32,
}

impl TestCall {
    /// Of the session that was opened last.
    pub fn new(answer: Response, media: &FakeMedia) -> TestCall {
        TestCall { answer, session: SessionId(media.opened()), cseq: 1 }
    }

    /// A request within the call.
    pub fn request(&self, method: &str, cseq: u32, rest: &str) -> String {
        let header = |name: Name| self.answer.headers.get(&name).unwrap().to_string();
        let from = header(Name::From);
        let cseq = if method == "ACK" { self.cseq } else { cseq };
        let rest = if rest.is_empty() { "Content-Length: 0\n\n".to_owned() } else { rest.to_owned() };
        format!(
            "{method} sip:43334@127.0.222.4:5065;transport=tcp SIP/2.0\n\
             Via: SIP/2.0/TCP 127.0.222.10:40000;branch=z9hG4bK{method}{cseq}{}\nMax-Forwards: 70\nTo: {}\n\
             From: {from}\nCall-ID: {}\nCSeq: {cseq} {method}\n{rest}",
            header(Name::CallId),
            header(Name::To),
            header(Name::CallId),
        )
    }
}

/// Diverted by 27000, as the node says it.
pub const DIVERTED: &str = "Diversion: <sip:27000@127.0.222.10>;reason=no-answer";
