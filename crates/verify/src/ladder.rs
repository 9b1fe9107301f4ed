//! Who said what to whom: the SIP messages of a test, and what the halves say happened, in order. With REST all of it, as
//! the halves saw it; without, what the suite's phones sent and received.

use event::{Event, Now, Sink};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows that are kept of one test; a test that makes more has gone wild.
const MOST: usize = 2_000;
/// Happenings that say something in a ladder; the others are messages again, or are counted elsewhere.
const NOTED: [&str; 12] = [
    "call_diverted",
    "call_redirected",
    "um_call_started",
    "um_call_refused",
    "message_delivered",
    "delivery_delayed",
    "missed_call",
    "message_read",
    "lamp_changed",
    "lamp_failed",
    "pin_rejected",
    "logged_on",
];

/// A row of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Row {
    Message(Message),
    /// Something that a half says happened.
    Note {
        at_ms: u64,
        text: String,
    },
}

/// A SIP message on its way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    pub call_id: String,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub transport: String,
    /// The start line: `INVITE sip:43334@...`, `302 Moved Temporarily`.
    pub summary: String,
    pub cseq: String,
}

/// A message as one side of it tells.
#[derive(Clone, Debug, Deserialize)]
struct Told {
    call_id: String,
    sent: bool,
    local: SocketAddr,
    remote: SocketAddr,
    transport: String,
    summary: String,
    cseq: String,
}

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<(Option<Told>, u64, Option<String>)>,
    reporting: Vec<IpAddr>,
}

/// Clones are the same record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder {
    inner: Arc<Mutex<Inner>>,
}

impl Ladder {
    /// One event in its JSON form, as logs and SSE have it.
    pub fn event(&self, event: &Value, at_ms: u64) {
        let name = event["event"].as_str().unwrap_or_default();
        let row = if name == "sip_message" {
            let Ok(told) = serde_json::from_value::<Told>(event.clone()) else { return };
            (Some(told), at_ms, None)
        } else if NOTED.contains(&name) {
            (None, at_ms, Some(note(name, event)))
        } else {
            return;
        };
        let mut inner = self.lock();
        if let Some(told) = &row.0
            && !inner.reporting.contains(&told.local.ip())
        {
            inner.reporting.push(told.local.ip());
        }
        if inner.rows.len() < MOST {
            inner.rows.push(row);
        }
    }

    /// What came so far; the next test begins with nothing. A message that both ends tell of stands once, as its sender
    /// saw it.
    pub fn take(&self) -> Vec<Row> {
        std::mem::take(&mut *self.lock()).rows()
    }

    /// What came so far.
    pub fn rows(&self) -> Vec<Row> {
        self.lock().rows()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves at worst a row out.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn rows(&self) -> Vec<Row> {
        let row = |(told, at_ms, note): &(Option<Told>, u64, Option<String>)| match (told, note) {
            (Some(told), _) => {
                let (here, there) = (told.local.ip(), told.remote.ip());
                let twice = !told.sent && here != there && self.reporting.contains(&there);
                (!twice).then(|| Row::Message(told.clone().message(*at_ms)))
            }
            (None, note) => note.as_ref().map(|text| Row::Note { at_ms: *at_ms, text: text.clone() }),
        };
        self.rows.iter().filter_map(row).collect()
    }
}

/// The suite's own phones tell here.
impl Sink for Ladder {
    fn emit(&self, now: Now, event: Event) {
        if let Ok(event) = serde_json::to_value(&event) {
            self.event(&event, now.unix_ms());
        }
    }
}

impl Told {
    fn message(self, at_ms: u64) -> Message {
        let (from, to) = if self.sent { (self.local, self.remote) } else { (self.remote, self.local) };
        let Told { call_id, transport, summary, cseq, .. } = self;
        Message { at_ms, call_id, from, to, transport, summary, cseq }
    }
}

impl Message {
    /// "INVITE 43334", "302 Moved Temporarily (INVITE)".
    pub fn label(&self) -> String {
        let (first, rest) = self.summary.split_once(' ').unwrap_or((&self.summary, ""));
        if first.bytes().all(|byte| byte.is_ascii_digit()) {
            let method = self.cseq.split_whitespace().nth(1).unwrap_or_default();
            return format!("{} ({method})", self.summary);
        }
        let uri = rest.split_once(':').map_or(rest, |(_, uri)| uri);
        let user = uri.split_once('@').map(|(user, _)| format!(" {user}")).unwrap_or_default();
        format!("{first}{user}")
    }
}

impl Row {
    /// A 3xx to an INVITE.
    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self, Row::Message(message) if message.summary.starts_with('3') && message.cseq.ends_with("INVITE"))
    }
}

/// "call diverted: from 27000, reason no-answer, to 43334"
fn note(name: &str, event: &Value) -> String {
    let left_out = ["event", "number", "at_ms", "past", "level", "call", "call_id", "message"];
    let fields: Vec<String> = event
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, value)| !left_out.contains(&field.as_str()) && !value.is_null())
        .map(|(field, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{} {value}", field.replace('_', " "))
        })
        .collect();
    format!("{}: {}", name.replace('_', " "), fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(sent: bool, local: &str, remote: &str, summary: &str) -> Value {
        json!({ "event": "sip_message", "by": "x", "call_id": "a", "sent": sent, "local": local, "remote": remote,
            "transport": "TCP", "summary": summary, "cseq": "1 INVITE" })
    }

    #[test]
    fn a_message_that_both_ends_tell_of_stands_once() {
        let ladder = Ladder::default();
        ladder.event(&told(true, "127.0.0.1:5060", "127.0.0.2:5060", "INVITE sip:43334@127.0.0.2"), 1);
        ladder.event(&told(false, "127.0.0.2:5060", "127.0.0.1:40000", "INVITE sip:43334@127.0.0.2"), 1);
        ladder.event(&told(true, "127.0.0.2:5060", "127.0.0.1:40000", "302 Moved Temporarily"), 2);
        ladder.event(&json!({ "event": "call_diverted", "call": 1, "from": "27000", "to": "43334" }), 3);
        let rows = ladder.take();
        let labels: Vec<String> = rows
            .iter()
            .map(|row| match row {
                Row::Message(message) => message.label(),
                Row::Note { text, .. } => text.clone(),
            })
            .collect();
        assert_eq!(labels, ["INVITE 43334", "302 Moved Temporarily (INVITE)", "call diverted: from 27000, to 43334"]);
        assert!(ladder.take().is_empty(), "the next test begins with nothing");
    }
}
