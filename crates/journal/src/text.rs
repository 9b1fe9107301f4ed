//! A journal as text: readable by people, exact for machines. Messages stand in it as they were on the wire, each behind a line
//! that says how long it is.
//!
//! ```text
//! earcon journal 1 <bytes that follow>
//! {"role":"node", "version":…, "began_ms":…, "calls":[1], "call_ids":[…], "from":…, "to":…, "outcome":…, "settings":{…}}
//! ~ {"kind":"extension","key":"27000","value":{…}}     what the role knew, before the entry that follows
//! > {"at":1203,"message":{…},"draws":"r1f n2","len":512}  what came in, nanoseconds after the beginning
//! INVITE sip:27000@…
//! = {"sent":{…,"len":301}}                              what the role did
//! SIP/2.0 100 Trying…
//! ```

use crate::convert::{KnownLine, Line, OutputLine, cause_line, cause_of, draws_line, draws_of, known_line, known_of};
use crate::convert::{output_line, output_of};
use crate::entry::{Cause, Entry, Output};
use crate::mask;
use crate::tape::{About, Setup, Tape};
use bytes::Bytes;
use event::Now;
use media::MediaEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

const MAGIC: &str = "earcon journal 1 ";

/// A recorded call, read back.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub setup: Setup,
    pub began: Now,
    pub calls: Vec<u64>,
    pub call_ids: Vec<String>,
    pub about: About,
    pub entries: Vec<Entry>,
}

/// What a list shows of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    pub role: String,
    pub version: String,
    /// Nanoseconds since 1970.
    pub began_ns: u64,
    /// From the first to the last entry.
    pub took_ms: u64,
    pub calls: Vec<u64>,
    pub call_ids: Vec<String>,
    pub from: String,
    pub to: String,
    pub outcome: String,
    pub settings: Value,
}

/// Why a journal can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file is none, or of another version.
    #[error("this is no journal of a call that this version reads")]
    NoJournal,
    /// The last record was cut: the process was killed while it wrote.
    #[error("the journal ends in the middle")]
    Cut,
    /// A line is damaged.
    #[error("line {line} of the call can't be read: {reason}")]
    Line { line: usize, reason: String },
}

/// Writes a call, without what is secret.
pub fn write(tape: &Tape) -> Vec<u8> {
    let began = tape.began;
    let since = |at: Instant| u64::try_from(at.saturating_duration_since(began.instant).as_nanos()).unwrap_or(u64::MAX);
    let (from, to, outcome) = about(tape);
    let header = Header {
        role: tape.setup.role.clone(),
        version: tape.setup.version.clone(),
        began_ns: began
            .wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .and_then(|since| u64::try_from(since.as_nanos()).ok())
            .unwrap_or_default(),
        took_ms: tape.entries.last().map_or(0, |entry| since(entry.at.instant) / 1_000_000),
        calls: tape.calls.iter().copied().collect(),
        call_ids: tape.call_ids.iter().map(|id| id.to_string()).collect(),
        from,
        to,
        outcome,
        settings: tape.setup.settings.clone(),
    };
    let mut out = Vec::with_capacity(tape.size);
    line(&mut out, "", &header);
    let secret = secret_entries(tape);
    // The service node does not know what is a PIN in what it passes on.
    let all_keys = tape.setup.role != "um";
    for (at, entry) in tape.entries.iter().enumerate() {
        for known in &entry.known {
            line(&mut out, "~ ", &known_line(known));
        }
        let keys = all_keys || secret.contains(&at);
        let (cause, wire) = cause_line(&entry.cause);
        let cause = if keys { without_key(&entry.cause).map_or(cause, |masked| cause_line(&masked).0) } else { cause };
        let wire = wire.map(|wire| mask::mask(wire, keys));
        let len = wire.as_ref().map(Bytes::len);
        line(&mut out, "> ", &Line { at: since(entry.at.instant), cause, draws: draws_line(&entry.draws), len });
        block(&mut out, wire);
        for output in &entry.outputs {
            let (output, wire) = output_line(output);
            line(&mut out, "= ", &output);
            block(&mut out, wire.map(|wire| mask::mask(wire, true)));
        }
    }
    let mut whole = format!("{MAGIC}{}\n", out.len()).into_bytes();
    whole.append(&mut out);
    whole
}

/// The key pressed, as one that says nothing.
fn without_key(cause: &Cause) -> Option<Cause> {
    match cause {
        Cause::Media(MediaEvent::Key { session, digit, duration_ms }) if digit.is_ascii_digit() => {
            Some(Cause::Media(MediaEvent::Key { session: *session, digit: '0', duration_ms: *duration_ms }))
        }
        _ => None,
    }
}

fn secret_entries(tape: &Tape) -> BTreeSet<usize> {
    let mut counted: BTreeMap<u64, usize> = BTreeMap::new();
    let mut secret = BTreeSet::new();
    for (call, entry) in &tape.pressed {
        // Its place among the keys of its call.
        let number = counted.entry(*call).or_default();
        if tape.secret.iter().any(|(of, range)| of == call && range.contains(number)) {
            secret.insert(*entry);
        }
        *number += 1;
    }
    secret
}

/// Who called whom and what came of it; of a call that was refused before it was one, from its messages.
fn about(tape: &Tape) -> (String, String, String) {
    let About { from, to, outcome } = tape.about.clone();
    let first = tape.entries.first().and_then(|entry| match &entry.cause {
        Cause::Message { wire, .. } => sip::parse_datagram(wire.clone()).ok(),
        _ => None,
    });
    let invite = first.as_ref().and_then(sip::Message::as_request);
    let user = |uri: &sip::Uri| uri.number().unwrap_or_default();
    let or = |text: String, else_: Option<String>| if text.is_empty() { else_.unwrap_or_default() } else { text };
    let from = or(from, invite.and_then(|invite| Some(user(&invite.from()?.uri))));
    let to = or(to, invite.map(|invite| user(&invite.uri)));
    let last_status = || {
        let sent = tape.entries.iter().rev().flat_map(|entry| entry.outputs.iter().rev());
        sent.filter_map(|output| match output {
            Output::Sent { wire, .. } => wire.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.get(..3)),
            Output::Did(_) => None,
        })
        .map(|status| String::from_utf8_lossy(status).into_owned())
        .next()
    };
    (from, to, or(outcome, last_status()))
}

fn line<T: Serialize>(out: &mut Vec<u8>, mark: &str, value: &T) {
    out.extend_from_slice(mark.as_bytes());
    // Plain structs with text keys always have a JSON form.
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
}

fn block(out: &mut Vec<u8>, wire: Option<Bytes>) {
    if let Some(wire) = wire {
        out.extend_from_slice(&wire);
        out.push(b'\n');
    }
}

/// The header of the first call in `bytes`, and how long the whole call is.
pub fn read_header(bytes: &[u8]) -> Result<(Header, usize), ReadError> {
    let (body, end) = frame(bytes)?;
    let first = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = serde_json::from_slice(first).map_err(|error| damaged(1, error))?;
    Ok((header, end))
}

/// The part behind the first line, and where it ends in `bytes`.
fn frame(bytes: &[u8]) -> Result<(&[u8], usize), ReadError> {
    let rest = bytes.strip_prefix(MAGIC.as_bytes()).ok_or(ReadError::NoJournal)?;
    let line = memchr::memchr(b'\n', rest.get(..rest.len().min(24)).unwrap_or_default()).ok_or(ReadError::NoJournal)?;
    let length = std::str::from_utf8(rest.get(..line).unwrap_or_default()).ok().and_then(|text| text.parse().ok());
    let length: usize = length.ok_or(ReadError::NoJournal)?;
    let start = MAGIC.len() + line + 1;
    let end = start.checked_add(length).ok_or(ReadError::NoJournal)?;
    Ok((bytes.get(start..end).ok_or(ReadError::Cut)?, end))
}

fn damaged(line: usize, reason: impl ToString) -> ReadError {
    ReadError::Line { line, reason: reason.to_string() }
}

/// Reads the first call in `bytes`. Its times count from `base`.
pub fn read(bytes: &[u8], base: Instant) -> Result<Recorded, ReadError> {
    let (header, _) = read_header(bytes)?;
    let (body, _) = frame(bytes)?;
    let wall = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_nanos(header.began_ns))
        .ok_or_else(|| damaged(1, "its time is out of range"))?;
    let mut lines = Lines { body: Bytes::copy_from_slice(body), at: 0, number: 1 };
    lines.next();
    let mut entries: Vec<Entry> = Vec::new();
    let mut known = Vec::new();
    while let Some(text) = lines.next() {
        let number = lines.number;
        let json = text.get(2..).unwrap_or_default();
        match text.get(..2) {
            Some(b"~ ") => {
                let line: KnownLine = serde_json::from_slice(json).map_err(|error| damaged(number, error))?;
                known.push(known_of(line));
            }
            Some(b"> ") => {
                let line: Line = serde_json::from_slice(json).map_err(|error| damaged(number, error))?;
                let wire = lines.block(line.len)?;
                let after = Duration::from_nanos(line.at);
                let (instant, wall) = match (base.checked_add(after), wall.checked_add(after)) {
                    (Some(instant), Some(wall)) => (instant, wall),
                    _ => return Err(damaged(number, "its time is out of range")),
                };
                let draws = draws_of(&line.draws).ok_or_else(|| damaged(number, "its draws"))?;
                let cause = cause_of(line.cause, wire).ok_or_else(|| damaged(number, "a name is not known"))?;
                let at = Now { instant, wall };
                entries.push(Entry { at, known: std::mem::take(&mut known), cause, draws, outputs: Vec::new() });
            }
            Some(b"= ") => {
                let line: OutputLine = serde_json::from_slice(json).map_err(|error| damaged(number, error))?;
                let len = match &line {
                    OutputLine::Sent { len, .. } => Some(*len),
                    OutputLine::Did(_) => None,
                };
                let wire = lines.block(len)?;
                let output = output_of(line, wire).ok_or_else(|| damaged(number, "a name is not known"))?;
                let entry = entries.last_mut().ok_or_else(|| damaged(number, "an output before any entry"))?;
                entry.outputs.push(output);
            }
            _ => return Err(damaged(number, "it begins with none of ~, > and =")),
        }
    }
    Ok(Recorded {
        setup: Setup { role: header.role, version: header.version, settings: header.settings },
        began: Now { instant: base, wall },
        calls: header.calls,
        call_ids: header.call_ids,
        about: About { from: header.from, to: header.to, outcome: header.outcome },
        entries,
    })
}

struct Lines {
    body: Bytes,
    at: usize,
    number: usize,
}

impl Lines {
    fn next(&mut self) -> Option<Bytes> {
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = self.body.slice(self.at..self.at + length);
        self.at += length + 1;
        self.number += 1;
        Some(line)
    }

    /// A message of this length and the line end behind it.
    fn block(&mut self, length: Option<usize>) -> Result<Bytes, ReadError> {
        let Some(length) = length else { return Ok(Bytes::new()) };
        let end = self.at.checked_add(length).filter(|end| *end <= self.body.len()).ok_or(ReadError::Cut)?;
        let block = self.body.slice(self.at..end);
        self.number += block.iter().filter(|byte| **byte == b'\n').count() + 1;
        self.at = end + 1;
        Ok(block)
    }
}
