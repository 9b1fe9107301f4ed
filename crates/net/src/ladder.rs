//! The events of messages, in and out: what `earcon trace` draws its ladder from.

use event::{Event, Now, Sink};
use sip::flow::{Destination, Flow, Transmit};
use sip::{Malformed, Message, Name};
use std::net::SocketAddr;
use std::sync::Arc;

/// Tells a sink of messages, when somebody listens.
pub(crate) struct Ladder {
    by: String,
    events: Option<Arc<dyn Sink>>,
}

impl Ladder {
    pub fn new(by: String, events: Option<Arc<dyn Sink>>) -> Ladder {
        Ladder { by, events }
    }

    pub fn by(&self) -> &str {
        &self.by
    }

    pub fn emit(&self, now: Now, event: Event) {
        if let Some(events) = &self.events {
            events.emit(now, event);
        }
    }

    fn listens(&self) -> bool {
        self.events.as_ref().is_some_and(|events| events.listens())
    }

    pub fn received(&self, message: &Message, flow: &Flow, now: Now) {
        if !self.listens() {
            return;
        }
        let headers = message.headers();
        let text = |name: &Name| headers.get(name).map(|value| value.to_string()).unwrap_or_default();
        let summary = match message {
            Message::Request(request) => format!("{} {}", request.method, request.uri),
            Message::Response(response) => format!("{} {}", response.status, response.reason),
        };
        self.emit(
            now,
            Event::SipMessage {
                by: self.by.clone(),
                call_id: text(&Name::CallId),
                sent: false,
                local: flow.local,
                remote: flow.remote,
                transport: flow.transport.to_string(),
                summary,
                cseq: text(&Name::CSeq),
            },
        );
    }

    /// `local` is the listener's address: that of a new connection is not known yet.
    pub fn sent(&self, transmit: &Transmit, local: SocketAddr) {
        if !self.listens() {
            return;
        }
        let head = String::from_utf8_lossy(&transmit.bytes);
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let summary = match first.strip_prefix("SIP/2.0 ") {
            Some(status) => status.to_owned(),
            None => first.trim_end_matches(" SIP/2.0").to_owned(),
        };
        let (mut call_id, mut cseq) = (String::new(), String::new());
        for line in lines.take_while(|line| !line.is_empty()) {
            // We write these headers ourselves, in their long form.
            if let Some(value) = line.strip_prefix("Call-ID: ") {
                call_id = value.to_owned();
            } else if let Some(value) = line.strip_prefix("CSeq: ") {
                cseq = value.to_owned();
            }
        }
        let local = match &transmit.to {
            Destination::Flow(flow) => flow.local,
            Destination::Address { .. } => local,
        };
        self.emit(
            Now::read(),
            Event::SipMessage {
                by: self.by.clone(),
                call_id,
                sent: true,
                local,
                remote: transmit.to.remote(),
                transport: transmit.to.transport().to_string(),
                summary,
                cseq,
            },
        );
    }

    pub fn malformed(&self, malformed: &Malformed, flow: &Flow, now: Now) {
        if self.events.is_some() {
            let answered = malformed.answer().map(|response| response.status);
            let reason = malformed.problem.to_string();
            self.emit(now, Event::SipMalformed { by: self.by.clone(), remote: flow.remote, reason, answered });
        }
    }
}
