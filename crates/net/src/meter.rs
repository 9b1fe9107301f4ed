//! What a role's net and inbox have to tell of themselves for `/metrics`.

use crate::InboxSender;
use crate::inbox::Depth;
use crate::table::Table;
use event::{Metric, Sample};
use sip::endpoint::Load;
use sip::flow::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static MESSAGES: Metric =
    Metric::counter("earcon_sip_messages_total", "SIP messages taken by the role, and sent by it.");
static CONNECTIONS: Metric =
    Metric::gauge("earcon_sip_connections", "Connections whose tasks run, those being opened included.");
static INBOX: Metric = Metric::gauge(
    "earcon_inbox_messages",
    "What waits for the role: messages from outside, and events and answers of its own.",
);
static INBOX_BYTES: Metric =
    Metric::gauge("earcon_inbox_bytes", "Bytes of the messages from outside that wait for the role.");

static TRANSACTIONS: Metric = Metric::gauge(
    "earcon_sip_transactions",
    "SIP transactions: of ours (client) and of others (server). By UDP they stay for 32 seconds after their answer.",
);
static DIALOGS: Metric =
    Metric::gauge("earcon_sip_call_dialogs", "Dialogs of calls; a call between two phones has two.");
static SUBSCRIPTIONS: Metric = Metric::gauge("earcon_sip_subscriptions", "Subscriptions of either side.");
static REPEATED: Metric = Metric::counter("earcon_sip_retransmissions_total", "Messages that were sent once more.");

/// What a SIP entity says of its load, as samples of this role.
pub fn load_samples(load: &Load, role: &'static str) -> Vec<Sample> {
    let of_role = |sample: Sample| sample.with("role", role);
    vec![
        of_role(Sample::count(&TRANSACTIONS, load.client_transactions)).with("side", "client"),
        of_role(Sample::count(&TRANSACTIONS, load.server_transactions)).with("side", "server"),
        of_role(Sample::count(&DIALOGS, load.dialogs)),
        of_role(Sample::count(&SUBSCRIPTIONS, load.subscriptions)),
        of_role(Sample::count(&REPEATED, load.retransmissions)),
    ]
}

/// Counts messages by direction and transport. Written by the role's thread alone.
#[derive(Default)]
pub(crate) struct Traffic {
    received: [AtomicU64; 3],
    sent: [AtomicU64; 3],
}

const TRANSPORTS: [(Transport, &str); 3] = [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")];

fn count(counts: &[AtomicU64; 3], transport: Transport) {
    let place = TRANSPORTS.iter().position(|(known, _)| *known == transport);
    if let Some(count) = place.and_then(|place| counts.get(place)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Traffic {
    pub fn received(&self, transport: Transport) {
        count(&self.received, transport);
    }

    pub fn sent(&self, transport: Transport) {
        count(&self.sent, transport);
    }
}

/// Can be asked at any time, from any thread.
#[derive(Clone)]
pub struct Meter {
    pub(crate) role: String,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) table: Arc<Table>,
}

impl Meter {
    /// Messages that wait to be written to connections.
    pub fn waiting(&self) -> usize {
        self.table.waiting()
    }

    pub fn samples<T>(&self, inbox: &InboxSender<T>) -> Vec<Sample> {
        let of_role = |sample: Sample| sample.with("role", self.role.clone());
        let Depth { own, outside, bytes } = inbox.depth();
        let mut samples = vec![
            of_role(Sample::count(&CONNECTIONS, self.table.running())),
            of_role(Sample::count(&INBOX, own)).with("lane", "own"),
            of_role(Sample::count(&INBOX, outside)).with("lane", "outside"),
            of_role(Sample::count(&INBOX_BYTES, bytes)),
        ];
        for (direction, counts) in [("received", &self.traffic.received), ("sent", &self.traffic.sent)] {
            for ((_, transport), count) in TRANSPORTS.iter().zip(counts) {
                let sample = of_role(Sample::count(&MESSAGES, count.load(Ordering::Relaxed)));
                samples.push(sample.with("transport", *transport).with("direction", direction));
            }
        }
        samples
    }
}
