//! The real storage: what a media engine recorded becomes a message in a real mailbox store, once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use mailbox::{MailboxId, Mailboxes, MessageId, MessageKind, Order};
use media::{
    Codec, Control, Engine, EngineConfig, MediaCommand, MediaEvent, RecordLimits, RecordTo, RecordingId, Spool, Stream,
};
use speech::Language;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use um::Own;
use um::personal_information::Private;
use um::storage::{
    Addressee, Letter, MailboxStorage, Parcel, Storage, StoreAnswer, StoreFailure, StoreRequest, StoreResult, Ticket,
};

const WITHIN: Duration = Duration::from_secs(20);

/// Has an engine record half a second of a tone per entry; gives the recordings once they are on disk.
fn record(spool: &Spool, codecs: &[Codec]) -> Vec<RecordingId> {
    let (events, heard) = channel();
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut config = EngineConfig::new(local, 42_000..=42_200, [5; 32]);
    config.spool = Some(spool.clone());
    let engine = Engine::start(config, move |event| events.send(event).unwrap()).unwrap();
    let mut control = engine.control();
    codecs
        .iter()
        .enumerate()
        .map(|(n, codec)| one_recording(&mut control, &heard, RecordingId(n as u128 + 1), *codec))
        .collect()
}

fn one_recording(
    control: &mut impl Control,
    heard: &Receiver<MediaEvent>,
    recording: RecordingId,
    codec: Codec,
) -> RecordingId {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (session, address) = control.open().unwrap();
    control.command(MediaCommand::Connect { session, stream: Stream::new(socket.local_addr().unwrap(), codec) });
    let limits = RecordLimits::default();
    control.command(MediaCommand::Record { session, recording, to: RecordTo::Spool, meta: Bytes::new(), limits });
    let tone: Vec<i16> = (0..160).map(|n| ((f64::from(n) * 0.4).sin() * 9000.0) as i16).collect();
    let payload = rtp::encode(codec, &tone);
    for n in 0..25u16 {
        let mut packet = vec![0x80, codec.payload_type()];
        packet.extend(n.to_be_bytes());
        packet.extend((u32::from(n) * 160).to_be_bytes());
        packet.extend(7u32.to_be_bytes());
        packet.extend(&payload);
        socket.send_to(&packet, address).unwrap();
        // Real time: the engine's clock is the real one.
        std::thread::sleep(Duration::from_millis(20));
    }
    control.command(MediaCommand::Close { session });
    loop {
        if let MediaEvent::RecordDurable { recording: durable, .. } = heard.recv_timeout(WITHIN).unwrap() {
            assert_eq!(durable, recording);
            return recording;
        }
    }
}

struct Bench {
    runtime: tokio::runtime::Runtime,
    mailboxes: Mailboxes,
    storage: MailboxStorage,
    answers: Receiver<Own>,
    last: u64,
}

impl Bench {
    fn new(spool: Spool) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mailboxes = runtime.block_on(Mailboxes::memory()).unwrap();
        let (sender, answers) = channel();
        let storage =
            MailboxStorage::new(runtime.handle().clone(), mailboxes.clone(), spool, "moon.galaxy", move |own| {
                sender.send(own).unwrap();
            });
        Bench { runtime, mailboxes, storage, answers, last: 0 }
    }

    fn ask(&mut self, request: StoreRequest) -> StoreResult {
        self.last += 1;
        self.storage.submit(request, Ticket(self.last));
        match self.answers.recv_timeout(WITHIN).unwrap() {
            Own::Store(ticket, result) => {
                assert_eq!(ticket, Ticket(self.last));
                result
            }
            _ => panic!("another answer"),
        }
    }
}

fn anna() -> MailboxId {
    MailboxId::parse("27000").unwrap()
}

fn parcel(parts: Vec<RecordingId>, recovered: bool) -> StoreRequest {
    StoreRequest::Deliver(Box::new(Parcel {
        letter: Letter {
            message: MessageId(1),
            mailbox: anna(),
            from_number: Some("27001".into()),
            from_name: Some("Björn Åkesson".into()),
            from_address: None,
            call_id: "abc".into(),
            received: 1_700_000_000_000,
            urgent: true,
            private: false,
            part: 0,
            kind: MessageKind::CallAnswering,
            sender: None,
            also: Vec::new(),
            attached: None,
            cut_ms: 0,
            cancelled: false,
        },
        parts,
        quiet: false,
        protected: false,
        recovered,
        to: vec![Addressee { mailbox: anna(), name: Some("Anna Svensson".into()), address: None, preview: None }],
    }))
}

fn spool(folder: &Path) -> Spool {
    Spool::open(folder).unwrap().0
}

#[test]
fn recordings_become_one_message_and_are_released() {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    let parts = record(&spool, &[Codec::Pcma, Codec::Pcmu]);
    let mut bench = Bench::new(spool.clone());
    let StoreAnswer::Audio(replay) = bench.ask(StoreRequest::Replay(parts.clone())).unwrap() else { panic!() };
    assert!(replay.duration() >= Duration::from_millis(900), "{:?}", replay.duration());
    // The mailbox was never made: the configuration has it, so it is made now.
    let StoreAnswer::Delivered { duration_ms } = bench.ask(parcel(parts, false)).unwrap() else { panic!() };
    assert!((900..1200).contains(&duration_ms), "{duration_ms}");
    let list = bench.runtime.block_on(bench.mailboxes.list(&anna(), Order::NewThenSaved)).unwrap();
    assert_eq!(list.len(), 1);
    assert!(list[0].urgent && !list[0].read);
    assert_eq!(list[0].from_name.as_deref(), Some("Björn Åkesson"));
    let StoreAnswer::Audio(audio) = bench.ask(StoreRequest::Audio(anna(), MessageId(1))).unwrap() else { panic!() };
    assert_eq!(audio.duration(), replay.duration());
    spool.flush();
    drop((bench, spool));
    assert_eq!(Spool::open(folder.path()).unwrap().1, [], "released");
}

#[test]
fn a_recovered_recording_with_too_little_sound_is_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    let parts = record(&spool, &[Codec::Pcma]);
    let mut bench = Bench::new(spool);
    assert_eq!(bench.ask(parcel(parts, true)), Ok(StoreAnswer::TooQuiet));
    bench.ask(StoreRequest::Create(anna())).unwrap();
    let StoreAnswer::Messages(messages) = bench.ask(StoreRequest::List(anna())).unwrap() else { panic!() };
    assert!(messages.is_empty());
}

#[test]
fn changes_are_told_whoever_makes_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(spool(folder.path()));
    let (sender, told) = channel();
    um::storage::follow_changes(bench.runtime.handle(), &bench.mailboxes, move |own| sender.send(own).unwrap());
    bench.ask(StoreRequest::Create(anna())).unwrap();
    let Own::Changed { mailbox, greeting: false } = told.recv_timeout(WITHIN).unwrap() else { panic!() };
    assert_eq!(mailbox, anna());
    let wav = speech::Audio::from_samples(vec![100; 8000]).to_wav();
    let mailbox = anna();
    let greeting = bench.mailboxes.put_greeting(&mailbox, mailbox::GreetingKind::Personal, Bytes::from(wav));
    bench.runtime.block_on(greeting).unwrap();
    assert!(matches!(told.recv_timeout(WITHIN).unwrap(), Own::Changed { greeting: true, .. }));
    let StoreAnswer::Greeting(greeting) = bench.ask(StoreRequest::Greeting(anna())).unwrap() else { panic!() };
    assert_eq!(greeting.personal.unwrap().duration(), Duration::from_secs(1));
    assert!(greeting.name.is_none());
}

#[test]
fn a_mailbox_that_is_not_there_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(spool(folder.path()));
    assert_eq!(bench.ask(StoreRequest::Counts(anna())), Err(StoreFailure::NoMailbox));
    bench.ask(StoreRequest::Create(anna())).unwrap();
    assert_eq!(bench.ask(StoreRequest::SetRead(anna(), MessageId(9), true)), Err(StoreFailure::NoMessage));
}

/// Speaks a sample for each byte.
struct Spelling;

impl speech::Voice for Spelling {
    fn name(&self) -> &str {
        "a test's"
    }

    fn speak(&self, text: &str) -> Result<speech::Audio, speech::SynthesisError> {
        match text {
            "unspeakable" => Err(speech::SynthesisError::TooLong),
            text => Ok(speech::Audio::from_samples(vec![1; text.len()])),
        }
    }
}

#[test]
fn texts_are_spoken_where_something_speaks() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mut mute, mut bench] = [0, 1].map(|n: usize| Bench::new(spool(folders[n].path())));
    let speak = |text: &str| StoreRequest::Speak(Private(text.into()), Language::Swedish);
    assert!(matches!(mute.ask(speak("Hej")), Err(StoreFailure::Damaged(_))));
    let voice = speech::Choice::Voice(std::sync::Arc::new(Spelling));
    let speech = speech::Speech::open(speech::Options { voice, ..Default::default() }).unwrap();
    bench.storage = bench.storage.with_speech(speech);
    let Ok(StoreAnswer::Audio(spoken)) = bench.ask(speak("Hej")) else { panic!() };
    assert_eq!(spoken.samples().len(), 3);
    assert!(matches!(bench.ask(speak("unspeakable")), Err(StoreFailure::Damaged(_))));
}
