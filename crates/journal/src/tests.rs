use crate::entry::{Cause, Entry, Key, Output};
use crate::recorder::{LINGER, Recorder};
use crate::tape::Tape;
use crate::{Door, Folder, Journal, Sought, Writer, find, read, write};
use bytes::Bytes;
use event::{Event, Now, Sink};
use media::{MediaEvent, PlayEnd, PlayId, RecordEnd, RecordingId, SessionId, Utterance};
use net::SipInput;
use proptest::prelude::*;
use sip::chance::Origin;
use sip::flow::{Destination, Flow, Transmit, TransportError};
use sip::target::{Answer, SrvRecord};
use sip::{ListenerId, Transport, Watch};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn flow(connection: Option<u64>) -> Flow {
    let transport = if connection.is_some() { Transport::Tcp } else { Transport::Udp };
    Flow {
        transport,
        listener: ListenerId(0),
        local: "127.0.87.10:5060".parse().unwrap(),
        remote: "127.0.87.1:5070".parse().unwrap(),
        connection,
    }
}

fn message(method: &str, call: &str, tag: &str) -> Bytes {
    format!(
        "{method} sip:27000@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.87.1:5070;branch=z9hG4bK{call}{method}\r\nFrom: <sip:27001@h>;tag=a\r\n\
         To: <sip:27000@h>{tag}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.87.1>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into()
}

fn receive(journal: &Journal, wire: Bytes, now: Now) {
    journal.begin_sip(&SipInput::received(wire, flow(None)), now);
}

fn send(journal: &Journal, call: &str) {
    let transmit = Transmit { id: 7, to: Destination::Flow(flow(None)), bytes: message("INVITE", call, "") };
    journal.sent(&transmit, || flow(None).local);
}

fn later(now: Now) -> Now {
    now.later(LINGER + Duration::from_millis(1))
}

/// A call that sent one message of its own, under another Call-ID.
fn one_call(journal: &Journal, call: &str, now: Now) {
    receive(journal, message("INVITE", call, ""), now);
    journal.pass(Origin::Random, 77);
    send(journal, &format!("{call}-out"));
    journal.end();
}

#[test]
fn what_follows_from_a_call_is_the_calls_and_what_does_not_is_nobodys() {
    let (journal, now) = (Journal::recording("node", Door::none()), Now::read());
    one_call(&journal, "a", now);
    receive(&journal, message("REGISTER", "r", ""), now);
    assert!(!journal.listens(), "a registration is no call");
    journal.end();
    // An answer under the Call-ID that the call itself chose, and a failure of what it sent.
    receive(&journal, message("BYE", "a-out", ";tag=b"), now);
    journal.end();
    journal.begin_sip(&SipInput::TransmitFailed { id: 7, error: TransportError::Closed }, now);
    journal.end();
    let tapes = journal.take_finished(later(now));
    assert_eq!(tapes.len(), 1);
    assert_eq!(tapes[0].entries.len(), 3);
    assert_eq!(tapes[0].entries[0].draws, [(Origin::Random, 77)]);
}

#[test]
fn a_timer_belongs_to_the_call_that_it_sends_for() {
    let (journal, now) = (Journal::recording("node", Door::none()), Now::read());
    one_call(&journal, "a", now);
    one_call(&journal, "b", now);
    for (call, draws) in [("a-out", true), ("b-out", false), ("nobody", true)] {
        journal.begin_timer(now);
        if draws {
            journal.pass(Origin::Series, 5);
        }
        send(&journal, call);
        journal.end();
    }
    let tapes = journal.take_finished(later(now));
    let draws: Vec<usize> = tapes.iter().map(|tape| tape.entries[1].draws.len()).collect();
    assert_eq!(draws, [1, 0]);
    assert!(tapes.iter().all(|tape| tape.entries.len() == 2));
}

#[test]
fn two_calls_that_one_step_joins_are_one_tape_in_order_of_time() {
    let (journal, now) = (Journal::recording("node", Door::none()), Now::read());
    one_call(&journal, "a", now);
    one_call(&journal, "b", now.later(Duration::from_millis(1)));
    one_call(&journal, "a2", now.later(Duration::from_millis(2)));
    let joined = now.later(Duration::from_millis(3));
    receive(&journal, message("REFER", "b", ";tag=b"), joined);
    journal.pass(Origin::Random, 1);
    send(&journal, "a-out");
    journal.end();
    let tapes = journal.take_finished(later(joined));
    let entries: Vec<usize> = tapes.iter().map(|tape| tape.entries.len()).collect();
    assert_eq!(entries, [1, 3], "the one that nobody joined, and the joined ones");
}

#[test]
fn nothing_is_left_of_finished_calls() {
    let (mut recorder, now) = (Recorder::new("node"), Now::read());
    for call in 0..10 {
        let wire = message("INVITE", &format!("c{call}"), "");
        let id = sip::Text::from(format!("c{call}"));
        let cause = Cause::Message { wire: wire.clone(), flow: flow(Some(call)) };
        recorder.begin(now, cause, Some(&id), &[], true);
        recorder.drew(Origin::Series, call);
        let sent = Output::Sent { to: Destination::Flow(flow(None)), local: flow(None).local, wire };
        recorder.output(sent, Some(format!("d{call}").into()), None, Some(Key::Ticket(call)));
        recorder.end();
    }
    recorder.close_due(later(now));
    assert_eq!(recorder.finished.len(), 10);
    assert!(recorder.is_empty());
}

fn tape(entries: Vec<Entry>, began: Now) -> Tape {
    let mut tape = Tape::new(1, Arc::default(), began);
    tape.entries = entries;
    tape
}

fn causes() -> Vec<Cause> {
    let srv = SrvRecord { priority: 1, weight: 2, port: 5060, target: "um.moon.galaxy".into() };
    let (session, recording) = (SessionId(3), RecordingId(u128::MAX - 5));
    let second = Duration::from_nanos(1_000_000_007);
    vec![
        Cause::Message { wire: message("OPTIONS", "x", ""), flow: flow(Some(9)) },
        Cause::TransmitFailed { id: u64::MAX, error: TransportError::ConnectTimeout },
        Cause::FlowClosed(flow(Some(1))),
        Cause::Resolved { query: 4, answer: Answer::Srv(vec![srv]) },
        Cause::Resolved { query: 4, answer: Answer::Addresses(vec!["::1".parse().unwrap()]) },
        Cause::Resolved { query: 4, answer: Answer::Failed },
        Cause::Media(MediaEvent::Key { session, digit: '#', duration_ms: 90 }),
        Cause::Media(MediaEvent::PlayEnded { session, play: PlayId(4), played: second, reason: PlayEnd::Key }),
        Cause::Media(MediaEvent::RecordEnded {
            session,
            recording,
            reason: RecordEnd::Closed,
            duration: second,
            loud: second,
        }),
        Cause::Media(MediaEvent::RecordDurable { recording, length: 8000 }),
        Cause::Media(MediaEvent::RecordFailed { recording, error: "disk full".into() }),
        Cause::Media(MediaEvent::SpeechBegan { session }),
        Cause::Media(MediaEvent::Spoken { session, speech: Utterance::new(vec![0; 8000]) }),
        Cause::Media(MediaEvent::StreamLost { session }),
        Cause::Own { kind: "store".into(), ticket: 8, value: serde_json::json!({ "counts": [1, 2] }) },
        Cause::Timer,
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(
        parts in prop::collection::vec(
            (0..14_usize, 0..5_000_000_000_u64, prop::collection::vec(any::<u64>(), 0..4), ".{0,20}", prop::collection::vec(any::<u8>(), 0..60)),
            0..12,
        )
    ) {
        let base = Now::read();
        let began = Now { wall: std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000), ..base };
        let mut after = 0;
        let entries: Vec<Entry> = parts
            .into_iter()
            .map(|(cause, step, draws, text, bytes)| {
                after += step;
                Entry {
                    at: began.later(Duration::from_nanos(after)),
                    known: vec![crate::Known { kind: "k".into(), key: text.clone(), value: Some("{\"a\":[1]}".into()) }],
                    cause: causes()[cause].clone(),
                    draws: draws.into_iter().map(|value| (Origin::Random, value)).collect(),
                    outputs: vec![
                        Output::Did(text),
                        Output::Sent { to: Destination::Flow(flow(Some(2))), local: flow(None).local, wire: bytes.into() },
                    ],
                }
            })
            .collect();
        let back = read(&write(&tape(entries.clone(), began)), base.instant).unwrap();
        prop_assert_eq!(back.entries, entries);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..2000_usize) {
        let _ = read(&bytes, std::time::Instant::now());
        let whole = write(&tape(Vec::new(), Now::read()));
        let _ = read(whole.get(..cut).unwrap_or(&whole), std::time::Instant::now());
        let _ = crate::mask::comparable(&bytes.into());
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Sink for Told {
    fn emit(&self, _: Now, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

#[test]
fn a_full_journal_drops_the_oldest_and_says_so_and_what_is_left_is_found() {
    let (data, told, now) = (tempfile::tempdir().unwrap(), Arc::new(Told::default()), Now::read());
    let writer = Writer::start(data.path(), 64 << 10, "node", told.clone()).unwrap();
    let journal = Journal::recording("node", writer.door());
    for call in 0..200 {
        let at = now.later(LINGER * 2 * call);
        one_call(&journal, &format!("call-{call:03}"), at);
        journal.tick(later(at));
    }
    drop(journal);
    drop(writer);
    let found = Folder::open(data.path()).unwrap().all().unwrap();
    let dropped: u64 = told
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|event| match event {
            Event::JournalDropped { calls, .. } => *calls,
            other => panic!("{other:?}"),
        })
        .sum();
    assert!(dropped > 0 && found.len() as u64 + dropped == 200, "{} found, {dropped} dropped", found.len());
    assert!(matches!(find(&found, "call-199", None), Sought::One(_)));
    assert!(matches!(find(&found, "call-19", None), Sought::Several(_)));
    assert!(matches!(find(&found, "call-000", None), Sought::Nothing));
    let total: u64 = std::fs::read_dir(data.path().join("journal"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(total <= 64 << 10, "{total} bytes");
}

#[test]
fn a_file_that_was_cut_is_read_as_far_as_it_goes() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("um1/journal");
    std::fs::create_dir_all(&folder).unwrap();
    let mut bytes = write(&tape(Vec::new(), Now::read()));
    let half = bytes.clone();
    bytes.extend_from_slice(&half[..half.len() / 2]);
    std::fs::write(folder.join("00000001.journal"), bytes).unwrap();
    assert_eq!(Folder::open(data.path()).unwrap().all().unwrap().len(), 1, "the lab's folder holds its roles'");
}
