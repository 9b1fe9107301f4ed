//! The parts of an entry as JSON, and back.

use crate::entry::{Cause, Known, Output};
use bytes::Bytes;
use media::{Dropped, LineSignal, MediaEvent, PlayEnd, PlayId, RecordEnd, RecordingId, SessionId, Utterance};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sip::Text;
use sip::chance::Origin;
use sip::flow::{Destination, Flow, ListenerId, Transport, TransportError};
use sip::target::{Answer, SrvRecord};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Samples of an utterance that are believed.
const MOST_SPOKEN: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    /// Nanoseconds after the call began.
    pub at: u64,
    #[serde(flatten)]
    pub cause: CauseLine,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub draws: String,
    /// Bytes of the message that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CauseLine {
    Message(FlowLine),
    TransmitFailed { id: u64, error: String },
    FlowClosed(FlowLine),
    Resolved { query: u64, answer: AnswerLine },
    Media(MediaLine),
    Own { kind: String, ticket: u64, value: Value },
    Timer(()),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct FlowLine {
    transport: String,
    listener: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local: Option<SocketAddr>,
    remote: SocketAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<u64>,
    /// Of a destination by TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnswerLine {
    Srv(Vec<(u16, u16, u16, String)>),
    Addresses(Vec<IpAddr>),
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MediaLine {
    Key {
        session: u64,
        digit: char,
        duration_ms: u32,
    },
    PlayEnded {
        session: u64,
        play: u64,
        played_ns: u64,
        reason: String,
    },
    RecordEnded {
        session: u64,
        recording: String,
        reason: String,
        duration_ns: u64,
        loud_ns: u64,
    },
    RecordDurable {
        recording: String,
        length: u64,
    },
    RecordFailed {
        recording: String,
        error: String,
    },
    SpeechBegan {
        session: u64,
    },
    /// How many samples.
    Spoken {
        session: u64,
        samples: usize,
    },
    StreamLost {
        session: u64,
    },
    Latched {
        session: u64,
        remote: SocketAddr,
    },
    Dropped {
        session: u64,
        forged: u64,
        replayed: u64,
    },
    Fax {
        session: u64,
    },
    Dead {
        session: u64,
        since_ns: u64,
        loud_ns: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutputLine {
    Sent {
        to: FlowLine,
        /// By an address, not by a connection that was there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        address: bool,
        from: SocketAddr,
        len: usize,
    },
    Did(String),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KnownLine {
    pub kind: String,
    pub key: String,
    /// The value itself where it is JSON, so that a person can read it.
    pub value: Option<Value>,
}

/// Names of unit variants, in both directions.
macro_rules! names {
    ($to:ident $from:ident $type:ty { $($variant:ident $name:literal)* }) => {
        fn $to(value: $type) -> String {
            match value { $(<$type>::$variant => $name,)* }.to_owned()
        }
        fn $from(name: &str) -> Option<$type> {
            match name { $($name => Some(<$type>::$variant),)* _ => None }
        }
    };
}

names!(error_name error_of TransportError {
    Refused "refused" ConnectTimeout "connect-timeout" Unreachable "unreachable" Closed "closed" QueueFull "queue-full" Insecure "insecure"
    TooLarge "too-large" Unsupported "unsupported" Other "other"
});
names!(play_name play_of PlayEnd { Finished "finished" Key "key" Speech "speech" Stopped "stopped" });
names!(record_name record_of RecordEnd {
    Idle "idle" Max "max" Key "key" Stopped "stopped" Closed "closed" Failed "failed"
});

fn flow_line(flow: &Flow) -> FlowLine {
    FlowLine {
        transport: flow.transport.parameter().to_owned(),
        listener: flow.listener.0,
        local: Some(flow.local),
        remote: flow.remote,
        connection: flow.connection,
        names: Vec::new(),
    }
}

fn flow_of(line: FlowLine) -> Option<Flow> {
    Some(Flow {
        transport: Transport::parse(&line.transport)?,
        listener: ListenerId(line.listener),
        local: line.local?,
        remote: line.remote,
        connection: line.connection,
    })
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn media_line(event: &MediaEvent) -> MediaLine {
    let hex = |recording: &RecordingId| recording.to_string();
    match event {
        MediaEvent::Key { session, digit, duration_ms } => {
            MediaLine::Key { session: session.0, digit: *digit, duration_ms: *duration_ms }
        }
        MediaEvent::PlayEnded { session, play, played, reason } => MediaLine::PlayEnded {
            session: session.0,
            play: play.0,
            played_ns: nanos(*played),
            reason: play_name(*reason),
        },
        MediaEvent::RecordEnded { session, recording, reason, duration, loud } => MediaLine::RecordEnded {
            session: session.0,
            recording: hex(recording),
            reason: record_name(*reason),
            duration_ns: nanos(*duration),
            loud_ns: nanos(*loud),
        },
        MediaEvent::RecordDurable { recording, length } => {
            MediaLine::RecordDurable { recording: hex(recording), length: *length }
        }
        MediaEvent::RecordFailed { recording, error } => {
            MediaLine::RecordFailed { recording: hex(recording), error: error.clone() }
        }
        MediaEvent::SpeechBegan { session } => MediaLine::SpeechBegan { session: session.0 },
        // What was said is no part of the record; how long it was is.
        MediaEvent::Spoken { session, speech } => {
            MediaLine::Spoken { session: session.0, samples: speech.samples().len() }
        }
        MediaEvent::StreamLost { session } => MediaLine::StreamLost { session: session.0 },
        MediaEvent::Latched { session, remote } => MediaLine::Latched { session: session.0, remote: *remote },
        MediaEvent::Dropped { session, dropped: Dropped { forged, replayed } } => {
            MediaLine::Dropped { session: session.0, forged: *forged, replayed: *replayed }
        }
        MediaEvent::Line { session, signal: LineSignal::Fax } => MediaLine::Fax { session: session.0 },
        MediaEvent::Line { session, signal: LineSignal::Dead { since, loud } } => {
            MediaLine::Dead { session: session.0, since_ns: nanos(*since), loud_ns: nanos(*loud) }
        }
    }
}

fn media_of(line: MediaLine) -> Option<MediaEvent> {
    let id = |hex: &str| u128::from_str_radix(hex, 16).ok().map(RecordingId);
    Some(match line {
        MediaLine::Key { session, digit, duration_ms } => {
            MediaEvent::Key { session: SessionId(session), digit, duration_ms }
        }
        MediaLine::PlayEnded { session, play, played_ns, reason } => MediaEvent::PlayEnded {
            session: SessionId(session),
            play: PlayId(play),
            played: Duration::from_nanos(played_ns),
            reason: play_of(&reason)?,
        },
        MediaLine::RecordEnded { session, recording, reason, duration_ns, loud_ns } => MediaEvent::RecordEnded {
            session: SessionId(session),
            recording: id(&recording)?,
            reason: record_of(&reason)?,
            duration: Duration::from_nanos(duration_ns),
            loud: Duration::from_nanos(loud_ns),
        },
        MediaLine::RecordDurable { recording, length } => {
            MediaEvent::RecordDurable { recording: id(&recording)?, length }
        }
        MediaLine::RecordFailed { recording, error } => MediaEvent::RecordFailed { recording: id(&recording)?, error },
        MediaLine::SpeechBegan { session } => MediaEvent::SpeechBegan { session: SessionId(session) },
        MediaLine::Spoken { session, samples } => {
            let silence = Utterance::new(vec![0; samples.min(MOST_SPOKEN)]);
            MediaEvent::Spoken { session: SessionId(session), speech: silence }
        }
        MediaLine::StreamLost { session } => MediaEvent::StreamLost { session: SessionId(session) },
        MediaLine::Latched { session, remote } => MediaEvent::Latched { session: SessionId(session), remote },
        MediaLine::Dropped { session, forged, replayed } => {
            MediaEvent::Dropped { session: SessionId(session), dropped: Dropped { forged, replayed } }
        }
        MediaLine::Fax { session } => MediaEvent::Line { session: SessionId(session), signal: LineSignal::Fax },
        MediaLine::Dead { session, since_ns, loud_ns } => MediaEvent::Line {
            session: SessionId(session),
            signal: LineSignal::Dead { since: Duration::from_nanos(since_ns), loud: Duration::from_nanos(loud_ns) },
        },
    })
}

/// The cause, and the message that belongs to it.
pub(crate) fn cause_line(cause: &Cause) -> (CauseLine, Option<&Bytes>) {
    match cause {
        Cause::Message { wire, flow } => (CauseLine::Message(flow_line(flow)), Some(wire)),
        Cause::TransmitFailed { id, error } => (CauseLine::TransmitFailed { id: *id, error: error_name(*error) }, None),
        Cause::FlowClosed(flow) => (CauseLine::FlowClosed(flow_line(flow)), None),
        Cause::Resolved { query, answer } => {
            let answer = match answer {
                Answer::Srv(records) => {
                    AnswerLine::Srv(records.iter().map(|r| (r.priority, r.weight, r.port, r.target.clone())).collect())
                }
                Answer::Addresses(addresses) => AnswerLine::Addresses(addresses.clone()),
                Answer::Failed => AnswerLine::Failed,
            };
            (CauseLine::Resolved { query: *query, answer }, None)
        }
        Cause::Media(event) => (CauseLine::Media(media_line(event)), None),
        Cause::Own { kind, ticket, value } => {
            (CauseLine::Own { kind: kind.clone(), ticket: *ticket, value: value.clone() }, None)
        }
        Cause::Timer => (CauseLine::Timer(()), None),
    }
}

pub(crate) fn cause_of(line: CauseLine, wire: Bytes) -> Option<Cause> {
    Some(match line {
        CauseLine::Message(flow) => Cause::Message { wire, flow: flow_of(flow)? },
        CauseLine::TransmitFailed { id, error } => Cause::TransmitFailed { id, error: error_of(&error)? },
        CauseLine::FlowClosed(flow) => Cause::FlowClosed(flow_of(flow)?),
        CauseLine::Resolved { query, answer } => {
            let answer = match answer {
                AnswerLine::Srv(records) => {
                    let record = |(priority, weight, port, target)| SrvRecord { priority, weight, port, target };
                    Answer::Srv(records.into_iter().map(record).collect())
                }
                AnswerLine::Addresses(addresses) => Answer::Addresses(addresses),
                AnswerLine::Failed => Answer::Failed,
            };
            Cause::Resolved { query, answer }
        }
        CauseLine::Media(event) => Cause::Media(media_of(event)?),
        CauseLine::Own { kind, ticket, value } => Cause::Own { kind, ticket, value },
        CauseLine::Timer(()) => Cause::Timer,
    })
}

pub(crate) fn output_line(output: &Output) -> (OutputLine, Option<&Bytes>) {
    match output {
        Output::Sent { to, local, wire } => {
            let (line, address) = match to {
                Destination::Flow(flow) => (flow_line(flow), false),
                Destination::Address { transport, listener, remote, names } => {
                    let line = FlowLine {
                        transport: transport.parameter().to_owned(),
                        listener: listener.0,
                        local: None,
                        remote: *remote,
                        connection: None,
                        names: names.iter().map(str::to_owned).collect(),
                    };
                    (line, true)
                }
            };
            (OutputLine::Sent { to: line, address, from: *local, len: wire.len() }, Some(wire))
        }
        Output::Did(text) => (OutputLine::Did(text.clone()), None),
    }
}

pub(crate) fn output_of(line: OutputLine, wire: Bytes) -> Option<Output> {
    Some(match line {
        OutputLine::Sent { to, address, from, .. } => {
            let to = if address {
                let transport = Transport::parse(&to.transport)?;
                let names = to.names.into_iter().map(Text::from).collect();
                Destination::Address { transport, listener: ListenerId(to.listener), remote: to.remote, names }
            } else {
                Destination::Flow(flow_of(to)?)
            };
            Output::Sent { to, local: from, wire }
        }
        OutputLine::Did(text) => Output::Did(text),
    })
}

pub(crate) fn known_line(known: &Known) -> KnownLine {
    let value = known.value.as_ref().map(|text| serde_json::from_str(text).unwrap_or(Value::String(text.clone())));
    KnownLine { kind: known.kind.clone(), key: known.key.clone(), value }
}

pub(crate) fn known_of(line: KnownLine) -> Known {
    Known { kind: line.kind, key: line.key, value: line.value.map(|value| value.to_string()) }
}

/// `r1f s0 n12`: random, shared, series; hexadecimal.
pub(crate) fn draws_line(draws: &[(Origin, u64)]) -> String {
    let one = |(origin, value): &(Origin, u64)| {
        let letter = match origin {
            Origin::Random => 'r',
            Origin::Series => 'n',
            Origin::Shared => 's',
        };
        format!("{letter}{value:x}")
    };
    draws.iter().map(one).collect::<Vec<_>>().join(" ")
}

pub(crate) fn draws_of(line: &str) -> Option<Vec<(Origin, u64)>> {
    let one = |word: &str| {
        let origin = match word.chars().next()? {
            'r' => Origin::Random,
            'n' => Origin::Series,
            's' => Origin::Shared,
            _ => return None,
        };
        Some((origin, u64::from_str_radix(word.get(1..)?, 16).ok()?))
    };
    line.split_whitespace().map(one).collect()
}
