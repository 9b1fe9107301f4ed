//! Runs a recorded call of a UM server again: a server of its own, that knows what the journal says and nothing else. Audio is not
//! in the record: silence of the same length takes its place.

use crate::commands::auto_attendant::AutoAttendant;
use crate::commands::call_answering_rule::Rule;
use crate::commands::call_record::CallRecord;
use crate::commands::dial_plan::DialPlan;
use crate::commands::distribution_group::DistributionGroup;
use crate::commands::hunt_group::HuntGroup;
use crate::commands::ip_gateway::Gateway;
use crate::commands::mailbox::Mailbox;
use crate::commands::mailbox_policy::MailboxPolicy;
use crate::commands::prompt::Prompt;
use crate::commands::{Command, Reply};
use crate::configuration::{Configuration, LoadError, Object, PIN, ROUTER, SERVICE};
use crate::journal::{PERSONAL, RESOLVED, answer_of};
use crate::people::{HashAnswer, HashJob, Hasher, PoolFull};
use crate::personal_information::Answer as PersonalAnswer;
use crate::records::{CallRecords, Question};
use crate::server::{Own, Server, UmConfig};
use crate::service::Addresses;
use crate::storage::{Greeting, Storage, StoreAnswer, StoreFailure, StoreRequest, StoreResult, Ticket};
use event::{Event, Now, Sink};
use journal::replay::Stage;
use journal::{Cause, Journal, Known, Recorded};
use mailbox::{Counts, Line, Message, ModSeq, Uid};
use media::fake::FakeMedia;
use net::{Input, Role, SipInput};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sip::flow::{Listener, ListenerId, Transport};
use sip::target::QueryId;
use speech::recognition::{Heard, RecognitionError};
use speech::{Audio, Speech};
use state::{Change, Store};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

type ListenerLine = (u8, String, SocketAddr);

/// What the journal keeps of how the server was started.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    name: String,
    host: String,
    user_agent: String,
    #[serde(default)]
    time_zone: Option<String>,
    router: Vec<ListenerLine>,
    service: Vec<ListenerLine>,
    workers: Vec<Vec<ListenerLine>>,
}

/// As the journal keeps it.
pub(crate) fn settings(config: &UmConfig) -> Value {
    let lines = |listeners: &[Listener]| -> Vec<ListenerLine> {
        listeners.iter().map(|own| (own.id.0, own.transport.parameter().to_owned(), own.addr)).collect()
    };
    let settings = Settings {
        name: config.name.clone(),
        host: config.host.to_string(),
        user_agent: config.user_agent.clone(),
        time_zone: config.time_zone.clone(),
        router: lines(&config.addresses.router),
        service: lines(&config.addresses.service),
        workers: config.addresses.workers.iter().map(|worker| lines(worker)).collect(),
    };
    // A plain struct always has a JSON form.
    serde_json::to_value(settings).unwrap_or_default()
}

/// Why a recorded call can't be run.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The record was made by another version, or is damaged.
    #[error("the record does not say how the server was started: {0}")]
    Settings(String),
    /// The server does not start with what the record says.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A UM server on which one recorded call is run.
pub struct UmStage {
    server: Server,
}

/// Whoever would be told, asked or stored to: what they said then is in the record.
struct Nobody;

impl Sink for Nobody {
    fn emit(&self, _: Now, _: Event) {}
}

impl Storage for Nobody {
    fn submit(&mut self, _: StoreRequest, _: Ticket) {}
}

impl Hasher for Nobody {
    fn submit(&mut self, _: HashJob, _: u64) -> Result<(), PoolFull> {
        Ok(())
    }
}

impl CallRecords for Nobody {
    fn write(&mut self, _: CallRecord) {}
    fn ask(&mut self, _: Question, _: Reply) {}
}

impl UmStage {
    /// `journal` is [`journal::replay::journal_of`] the call. `speech` says what is said; nobody hears it.
    pub fn new(call: &Recorded, journal: Journal, speech: Speech) -> Result<UmStage, StageError> {
        let bad = |reason: String| StageError::Settings(reason);
        let settings: Settings =
            serde_json::from_value(call.setup.settings.clone()).map_err(|error| bad(error.to_string()))?;
        let host = settings.host.parse().map_err(|_| bad("its host is none".into()))?;
        let listeners = |lines: &[ListenerLine]| -> Vec<Listener> {
            let listener = |(id, transport, addr): &ListenerLine| {
                Some(Listener { id: ListenerId(*id), transport: Transport::parse(transport)?, addr: *addr })
            };
            lines.iter().filter_map(listener).collect()
        };
        let config = UmConfig {
            name: settings.name,
            host,
            addresses: Addresses {
                router: listeners(&settings.router),
                service: listeners(&settings.service),
                workers: settings.workers.iter().map(|worker| listeners(worker)).collect(),
            },
            user_agent: settings.user_agent,
            store: Store::memory(),
            storage: Box::new(Nobody),
            hasher: Box::new(Nobody),
            media: Box::new(FakeMedia::new()),
            records: Box::new(Nobody),
            speech,
            recovered: Vec::new(),
            seed: [0; 32],
            sink: Arc::new(Nobody),
            time_zone: settings.time_zone,
            timers: Default::default(),
            journal,
        };
        Ok(UmStage { server: Server::new(config)? })
    }
}

impl Stage for UmStage {
    fn restore(&mut self, known: &[Known], _: Now) {
        let change = |known: &Known| {
            let kinds = [
                DialPlan::KIND,
                Gateway::KIND,
                HuntGroup::KIND,
                MailboxPolicy::KIND,
                AutoAttendant::KIND,
                Mailbox::KIND,
                Rule::KIND,
                DistributionGroup::KIND,
                Prompt::KIND,
                SERVICE,
                ROUTER,
                PIN,
            ];
            let kind = kinds.into_iter().find(|kind| *kind == known.kind)?;
            Some(Change { kind, key: known.key.clone(), value: known.value.clone() })
        };
        let changes: Vec<Change> = known.iter().filter_map(change).collect();
        let server = &mut self.server;
        if !changes.is_empty() {
            // In memory nothing can fail.
            let _ = server.store.commit_now(changes);
            if let Ok(configuration) = Configuration::load(&server.store) {
                server.configuration = configuration;
                server.directory.changed();
            }
        }
        for known in known.iter().filter(|known| known.kind == RESOLVED) {
            let addresses = known.value.as_deref().and_then(|text| serde_json::from_str(text).ok());
            server.resolved.insert(known.key.clone(), addresses.unwrap_or_default());
        }
        server.exempt();
    }

    fn input(&mut self, cause: &Cause, now: Now) {
        let input = match cause.clone() {
            Cause::Message { wire, flow } => Input::Sip(SipInput::received(wire, flow)),
            Cause::TransmitFailed { id, error } => Input::Sip(SipInput::TransmitFailed { id, error }),
            Cause::FlowClosed(flow) => Input::Sip(SipInput::FlowClosed(flow)),
            Cause::Resolved { query, answer } => Input::Sip(SipInput::Resolved { query: QueryId(query), answer }),
            Cause::Media(event) => Input::Own(Own::Media(event)),
            Cause::Own { kind, ticket, value } if kind == "hash" => {
                Input::Own(Own::Hashed(ticket, answer_of(value.as_str().unwrap_or_default())))
            }
            Cause::Own { kind, ticket, value } if kind == "speech" => {
                Input::Own(Own::Recognised(ticket, speech_of(&value)))
            }
            Cause::Own { kind, ticket, value } if kind == PERSONAL => {
                Input::Own(Own::Personal(Ticket(ticket), personal_answer_of(value)))
            }
            Cause::Own { kind, value, .. } if kind == ORDER => match order_of(&value) {
                Some(order) => order,
                None => return,
            },
            Cause::Own { ticket, value, .. } => Input::Own(Own::Store(Ticket(ticket), result_of(&value))),
            Cause::Timer => Input::Timeout,
        };
        self.server.input(input, now);
        // What goes out is on the journal already.
        while self.server.poll_action().is_some() {}
    }

    fn deadline(&self) -> Option<Instant> {
        self.server.deadline()
    }
}

pub(crate) fn verdict(answer: &HashAnswer) -> &'static str {
    match answer {
        HashAnswer::Right => "right",
        HashAnswer::Wrong => "wrong",
        HashAnswer::Made(_) => "made",
        HashAnswer::UsedBefore => "used-before",
    }
}

/// The kind of a command that places a call, or ends it.
pub(crate) const ORDER: &str = "order";

pub(crate) fn recorded_order(by: &str, command: &Command) -> Value {
    json!({ "by": by, "command": command })
}

fn order_of(value: &Value) -> Option<Input<Own>> {
    let by = value.get("by")?.as_str()?.to_owned();
    let command = serde_json::from_value(value.get("command")?.clone()).ok()?;
    Some(Input::Own(Own::Command { by, command, reply: Box::new(|_| {}) }))
}

/// What was understood; nothing of what was said.
pub(crate) fn recorded_speech(heard: &Result<Heard, RecognitionError>) -> Value {
    match heard {
        Ok(Heard::Phrase { phrase, sure }) => json!({ "phrase": phrase, "sure": sure }),
        Ok(Heard::Unclear) => json!("unclear"),
        Err(_) => json!("failed"),
    }
}

fn speech_of(value: &Value) -> Result<Heard, RecognitionError> {
    let phrase = value.get("phrase").and_then(Value::as_u64).and_then(|phrase| usize::try_from(phrase).ok());
    let sure = value.get("sure").and_then(Value::as_bool).unwrap_or(false);
    match (phrase, value.as_str()) {
        (Some(phrase), _) => Ok(Heard::Phrase { phrase, sure }),
        (None, Some("unclear")) => Ok(Heard::Unclear),
        _ => Err(RecognitionError::Failed("as then".into())),
    }
}

/// What a source answered, as far as a caller may have been told; of what is private, the shape.
pub(crate) fn recorded_answer(answer: &PersonalAnswer) -> Value {
    serde_json::to_value(answer.clone().tamed()).unwrap_or_default()
}

fn personal_answer_of(value: Value) -> PersonalAnswer {
    serde_json::from_value(value).unwrap_or(PersonalAnswer::Unavailable("as then".into()))
}

fn length(audio: &Audio) -> u64 {
    u64::try_from(audio.duration().as_millis()).unwrap_or(u64::MAX)
}

/// A store's answer without its audio.
pub(crate) fn recorded_result(result: &StoreResult) -> Value {
    match result {
        // Lamps are no part of a call.
        Ok(StoreAnswer::Done | StoreAnswer::Lamp(_) | StoreAnswer::LampTold(_)) => json!("done"),
        Ok(StoreAnswer::TooQuiet) => json!("too-quiet"),
        Ok(StoreAnswer::Delivered { duration_ms }) => json!({ "delivered_ms": duration_ms }),
        Ok(StoreAnswer::Audio(audio)) => json!({ "audio_ms": length(audio) }),
        Ok(StoreAnswer::Greeting(greeting)) => {
            let part = |audio: &Option<Arc<Audio>>| audio.as_ref().map(|audio| length(audio));
            let Greeting { personal, oof, name } = greeting;
            json!({ "greeting": { "personal_ms": part(personal), "oof_ms": part(oof), "name_ms": part(name) } })
        }
        Ok(StoreAnswer::Messages(messages)) => json!({ "messages": messages.iter().map(line).collect::<Vec<_>>() }),
        Ok(StoreAnswer::Usage(bytes)) => json!({ "usage": bytes }),
        Ok(StoreAnswer::Counts(counts)) => {
            json!({ "counts": [counts.new, counts.old, counts.new_urgent, counts.old_urgent] })
        }
        Err(StoreFailure::Unavailable(reason)) => json!({ "unavailable": reason }),
        Err(StoreFailure::NoMailbox) => json!("no-mailbox"),
        Err(StoreFailure::NoMessage) => json!("no-message"),
        Err(StoreFailure::Damaged(reason)) => json!({ "damaged": reason }),
    }
}

fn result_of(value: &Value) -> StoreResult {
    let number = |value: &Value| value.as_u64();
    let silence = |ms: u64| Arc::new(Audio::silence(Duration::from_millis(ms)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match value.as_str() {
        Some("too-quiet") => return Ok(StoreAnswer::TooQuiet),
        Some("no-mailbox") => return Err(StoreFailure::NoMailbox),
        Some("no-message") => return Err(StoreFailure::NoMessage),
        _ => {}
    }
    if let Some(duration_ms) = value.get("delivered_ms").and_then(number) {
        return Ok(StoreAnswer::Delivered { duration_ms });
    }
    if let Some(ms) = value.get("audio_ms").and_then(number) {
        return Ok(StoreAnswer::Audio(silence(ms)));
    }
    if let Some(greeting) = value.get("greeting") {
        let part = |name: &str| greeting.get(name).and_then(number).map(silence);
        return Ok(StoreAnswer::Greeting(Greeting {
            personal: part("personal_ms"),
            oof: part("oof_ms"),
            name: part("name_ms"),
        }));
    }
    if let Some(messages) = value.get("messages").and_then(Value::as_array) {
        return Ok(StoreAnswer::Messages(messages.iter().filter_map(message_of).collect()));
    }
    if let Some(counts) = value.get("counts").and_then(Value::as_array) {
        let at = |place: usize| counts.get(place).and_then(number).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        return Ok(StoreAnswer::Counts(Counts { new: at(0), old: at(1), new_urgent: at(2), old_urgent: at(3) }));
    }
    if let Some(bytes) = value.get("usage").and_then(number) {
        return Ok(StoreAnswer::Usage(bytes));
    }
    if let Some(reason) = value.get("unavailable") {
        return Err(StoreFailure::Unavailable(text(reason)));
    }
    match value.get("damaged") {
        Some(reason) => Err(StoreFailure::Damaged(text(reason))),
        None => Ok(StoreAnswer::Done),
    }
}

/// A message as far as a dialogue reads it.
#[derive(Serialize, Deserialize)]
struct MessageLine {
    id: mailbox::MessageId,
    mailbox: mailbox::MailboxId,
    from_number: Option<String>,
    from_name: Option<String>,
    received_ms: u64,
    duration_ms: u32,
    read: bool,
    urgent: bool,
    private: bool,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    flagged: bool,
}

fn line(message: &Message) -> Value {
    let received = message.received.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let text = |line: &Option<Line>| line.as_ref().map(|line| line.as_str().to_owned());
    let line = MessageLine {
        id: message.id,
        mailbox: message.mailbox.clone(),
        from_number: text(&message.from_number),
        from_name: text(&message.from_name),
        received_ms: u64::try_from(received.as_millis()).unwrap_or(u64::MAX),
        duration_ms: message.duration_ms,
        read: message.read,
        urgent: message.urgent,
        private: message.private,
        protected: message.protected,
        flagged: message.flagged,
    };
    // A plain struct always has a JSON form.
    serde_json::to_value(line).unwrap_or_default()
}

fn message_of(value: &Value) -> Option<Message> {
    let line: MessageLine = serde_json::from_value(value.clone()).ok()?;
    let received = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(line.received_ms))?;
    Some(Message {
        id: line.id,
        mailbox: line.mailbox,
        uid: Uid(1),
        modseq: ModSeq(1),
        from_number: line.from_number.as_deref().map(Line::new),
        from_name: line.from_name.as_deref().map(Line::new),
        subject: String::new(),
        received,
        duration_ms: line.duration_ms,
        kind: mailbox::MessageKind::default(),
        read: line.read,
        urgent: line.urgent,
        private: line.private,
        protected: line.protected,
        flagged: line.flagged,
        preview: None,
        deleted: false,
        size: 0,
    })
}
