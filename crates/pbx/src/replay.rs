//! Runs a recorded call of a node again: a node of its own, that knows what the journal says and nothing else.

use crate::authentication::route_context;
use crate::commands::CommandError;
use crate::configuration::{DESTINATION, EXTENSION, ExtensionEntry, NUMBER, NUMBER_LENGTH, ROUTE, SYSTEM};
use crate::configuration::{HUNT_GROUP, PICKUP_GROUP, PROFILE, SERVICE_CODE, SERVICE_MARKET};
use crate::journal::{CONFIRMED, CONTACTS};
use crate::message_waiting::BY_HAND;
use crate::node::{Node, NodeConfig, Own, StartError};
use crate::routes::Route;
use event::{Event, Now, Sink};
use journal::replay::Stage;
use journal::{Cause, Journal, Known, Recorded};
use media::fake::FakeMedia;
use net::{Input, Role, SipInput};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sip::digest::Ha1;
use sip::flow::{Listener, ListenerId, Transport};
use sip::target::QueryId;
use state::{Change, CommitError, KeyFile, Store};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What of the configuration the journal may hold.
const KINDS: [&str; 11] = [
    NUMBER,
    NUMBER_LENGTH,
    ROUTE,
    DESTINATION,
    EXTENSION,
    SYSTEM,
    HUNT_GROUP,
    PICKUP_GROUP,
    PROFILE,
    SERVICE_CODE,
    SERVICE_MARKET,
];

/// What the journal keeps of how the node was started.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    domain: String,
    ring_time_ms: u64,
    /// Number, transport, address.
    listeners: Vec<(u8, String, SocketAddr)>,
}

/// As the journal keeps it.
pub(crate) fn settings(domain: &str, ring_time: Duration, listeners: &[Listener]) -> Value {
    let listener = |own: &Listener| (own.id.0, own.transport.parameter().to_owned(), own.addr);
    let ring_time_ms = u64::try_from(ring_time.as_millis()).unwrap_or(u64::MAX);
    let listeners = listeners.iter().map(listener).collect();
    // A plain struct always has a JSON form.
    serde_json::to_value(Settings { domain: domain.into(), ring_time_ms, listeners }).unwrap_or_default()
}

/// Why a recorded call can't be run.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The record was made by another version, or is damaged.
    #[error("the record does not say how the node was started: {0}")]
    Settings(#[from] serde_json::Error),
    /// The node does not start with what the record says.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A node on which one recorded call is run.
pub struct NodeStage {
    node: Node,
}

struct Nobody;

impl Sink for Nobody {
    fn emit(&self, _: Now, _: Event) {}
}

impl NodeStage {
    /// `journal` is [`journal::replay::journal_of`] the call.
    pub fn new(call: &Recorded, journal: Journal) -> Result<NodeStage, StageError> {
        let settings: Settings = serde_json::from_value(call.setup.settings.clone())?;
        let listener = |(id, transport, addr): &(u8, String, SocketAddr)| {
            Some(Listener { id: ListenerId(*id), transport: Transport::parse(transport)?, addr: *addr })
        };
        let config = NodeConfig {
            domain: settings.domain,
            listeners: settings.listeners.iter().filter_map(listener).collect(),
            store: Store::memory(),
            key: KeyFile::from_bytes([0; 32]),
            media: Box::new(FakeMedia::new()),
            seed: [0; 32],
            sink: Arc::new(Nobody),
            // What the store answered then comes from the record.
            own: Arc::new(|_| ()),
            ring_time: Duration::from_millis(settings.ring_time_ms),
            journal,
        };
        Ok(NodeStage { node: Node::new(config, call.began)? })
    }

    fn change(&self, known: &Known) -> Option<Change> {
        let kind = KINDS.into_iter().find(|kind| *kind == known.kind)?;
        let mut value = known.value.clone();
        if kind == EXTENSION
            && let Some(mut entry) = value.as_deref().and_then(|text| serde_json::from_str::<ExtensionEntry>(text).ok())
            && let Some(auth) = &mut entry.auth
        {
            // The password is not in the record, and not asked for: the verdict is. But there must be one.
            let vault = &self.node.core.vault;
            let ha1 = Ha1::new(&known.key, vault.realm(), "");
            auth.sealed = vault.seal(&known.key, &ha1).unwrap_or_default();
            value = serde_json::to_string(&entry).ok();
        }
        if kind == ROUTE
            && let Some(mut route) = value.as_deref().and_then(|text| serde_json::from_str::<Route>(text).ok())
            && let Ok(number) = known.key.parse()
            && let Some(password) = route.sip.as_mut().and_then(|sip| sip.password.as_mut())
        {
            *password = self.node.core.vault.hide(&route_context(number), "").unwrap_or_default();
            value = serde_json::to_string(&route).ok();
        }
        Some(Change { kind, key: known.key.clone(), value })
    }
}

impl Stage for NodeStage {
    fn restore(&mut self, known: &[Known], now: Now) {
        let changes: Vec<Change> = known.iter().filter_map(|known| self.change(known)).collect();
        if !changes.is_empty() {
            // In memory nothing can fail.
            let _ = self.node.core.store.commit_now(changes);
            self.node.reload(now);
        }
        for Known { kind, key, value } in known {
            match kind.as_str() {
                CONTACTS => self.node.core.registrar.restore(key, value.as_deref(), now),
                BY_HAND => self.node.core.manual_waiting.restore(key, value.as_deref()),
                _ => {}
            }
        }
    }

    fn input(&mut self, cause: &Cause, now: Now) {
        let input = match cause.clone() {
            Cause::Message { wire, flow } => Input::Sip(SipInput::received(wire, flow)),
            Cause::TransmitFailed { id, error } => Input::Sip(SipInput::TransmitFailed { id, error }),
            Cause::FlowClosed(flow) => Input::Sip(SipInput::FlowClosed(flow)),
            Cause::Resolved { query, answer } => Input::Sip(SipInput::Resolved { query: QueryId(query), answer }),
            Cause::Media(event) => Input::Own(Own::Media(event)),
            Cause::Own { kind, ticket, value } if kind == CONFIRMED => {
                let error: Option<CommandError> =
                    value.get("error").and_then(|error| serde_json::from_value(error.clone()).ok());
                Input::Own(Own::Confirmed { ticket, result: error.map_or(Ok(()), Err) })
            }
            Cause::Own { ticket, value, .. } => {
                let error = value.get("error").and_then(Value::as_str).map(str::to_owned);
                let result = error.map_or(Ok(()), |error| Err(CommitError::Write(error)));
                Input::Own(Own::Stored { ticket, result })
            }
            Cause::Timer => Input::Timeout,
        };
        self.node.input(input, now);
        // What goes out is on the journal already.
        while self.node.poll_action().is_some() {}
    }

    fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }
}
