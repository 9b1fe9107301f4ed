//! The table of all transactions: what they share, and the doors in and out.

use super::client::Client;
use super::key::ServerKey;
use super::server::Server;
use super::wheel::Wheel;
use super::{Config, Output};
use crate::flow::{Destination, Flow, ListenerId, Transport, TransportError};
use crate::{BRANCH_COOKIE, Chance, Malformed, Message, Text};
use rand::RngExt;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// All transactions of one SIP entity. Its listeners share them; another entity in the process has its own, so that a
/// request which comes back to it by way of the other is a new one there.
#[derive(Debug)]
pub struct Transactions {
    pub(super) config: Config,
    pub(super) rng: Chance,
    /// The number of the last transaction; clients and servers share the row.
    last: u64,
    pub(super) clients: BTreeMap<u64, Client>,
    pub(super) servers: BTreeMap<u64, Box<Server>>,
    /// By branch, and whether it is a CANCEL (which has the branch of its INVITE). Like the next two never iterated, so
    /// that the order of a hash can't show.
    pub(super) client_keys: HashMap<(Text, bool), u64>,
    pub(super) server_keys: HashMap<Arc<ServerKey>, u64>,
    pub(super) per_source: HashMap<IpAddr, usize>,
    pub(super) exempt: BTreeSet<IpAddr>,
    /// Peers that refused TCP for a request which was chosen for it by size, and until when that is believed.
    pub(super) tcp_refused: BTreeMap<SocketAddr, Instant>,
    pub(super) wheel: Wheel,
    /// Messages that were sent once more, since the start.
    pub(super) repeated: u64,
    outputs: VecDeque<Output>,
}

impl Transactions {
    /// `seed` feeds branches and tags: it must be unpredictable outside tests (RFC 3261 19.3).
    pub fn new(config: Config, seed: [u8; 32]) -> Transactions {
        Transactions::with_chance(config, Chance::new(seed))
    }

    /// The same with dice that may be watched.
    pub fn with_chance(config: Config, chance: Chance) -> Transactions {
        Transactions {
            config,
            rng: chance,
            last: 0,
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            client_keys: HashMap::new(),
            server_keys: HashMap::new(),
            per_source: HashMap::new(),
            exempt: BTreeSet::new(),
            tcp_refused: BTreeMap::new(),
            wheel: Wheel::default(),
            repeated: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Source addresses that the cap per source does not count: configured gateways. Replaces the former set.
    pub fn exempt(&mut self, sources: impl IntoIterator<Item = IpAddr>) {
        self.exempt = sources.into_iter().collect();
    }

    /// A message arrived. What could not be parsed is answered where the RFC allows that.
    pub fn receive(&mut self, message: Result<Message, Malformed>, flow: Flow, now: Instant) {
        match message {
            Ok(Message::Request(request)) => self.receive_request(request, flow, now),
            Ok(Message::Response(response)) => self.receive_response(response, flow, now),
            Err(malformed) => self.receive_malformed(&malformed, &flow),
        }
    }

    /// The message that was sent with this id did not go out.
    pub fn transmit_failed(&mut self, id: u64, error: TransportError, now: Instant) {
        let (number, _) = number_of(id);
        if self.clients.contains_key(&number) {
            self.client_transmit_failed(id, error, now);
        } else {
            self.server_transmit_failed(id, error);
        }
    }

    /// A connection closed.
    pub fn flow_closed(&mut self, flow: &Flow, now: Instant) {
        if flow.transport.is_reliable() {
            self.client_flow_closed(flow, now);
        }
    }

    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.handle_one_timeout(now) {}
    }

    /// Fires the first timer that is due; false when none is.
    pub fn handle_one_timeout(&mut self, now: Instant) -> bool {
        let Some(number) = self.wheel.pop(now) else { return false };
        if self.clients.contains_key(&number) {
            self.client_timeout(number, now);
        } else {
            self.server_timeout(number, now);
        }
        true
    }

    /// The next thing to do or to hear of, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Transactions::handle_timeout`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        self.wheel.next()
    }

    /// How many transactions there are, ours and those of others.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Requests of ours, and requests of others.
    pub fn counts(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// How many messages were sent once more since the start, by timer or because the peer's came again.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn new_number(&mut self) -> u64 {
        self.last = self.rng.next_after(self.last);
        self.last
    }

    /// Unique for all time and space (8.1.1.7): 96 random bits.
    pub(super) fn new_branch(&mut self) -> Text {
        Text::from(format!("{BRANCH_COOKIE}{:016x}{:08x}", self.rng.random::<u64>(), self.rng.random::<u32>()))
    }

    /// At least 32 random bits (19.3); these are 64.
    pub(super) fn new_tag(&mut self) -> Text {
        Text::from(format!("{:016x}", self.rng.random::<u64>()))
    }

    pub(super) fn speaks(&self, listener: ListenerId, transport: Transport) -> bool {
        self.config.listeners.iter().any(|own| own.id == listener && own.transport == transport)
    }

    /// Our Via for this way; `None` when the listener does not speak the transport.
    pub(super) fn via(&self, to: &Destination, branch: &str) -> Option<String> {
        let transport = to.transport();
        let listener = to.listener();
        let own = self.config.listeners.iter().find(|own| own.id == listener && own.transport == transport)?;
        let sent_by = match &self.config.sent_by {
            Some(host) => format!("{host}:{}", own.addr.port()),
            None => own.addr.to_string(),
        };
        // RFC 3581 3: asks for the response at the port that the request came from.
        // RFC 5923 8.1: requests to us may go by the connection that this one goes by.
        let wish = match transport {
            Transport::Udp => ";rport",
            Transport::Tcp => "",
            Transport::Tls => ";alias",
        };
        Some(format!("SIP/2.0/{transport} {sent_by};branch={branch}{wish}"))
    }
}

/// The id of a transmission: the transaction's number and which way it tries, so that a failure finds both. Number 0 is of
/// no transaction.
pub(super) fn transmit_id(number: u64, attempt: u8) -> u64 {
    number << 8 | u64::from(attempt)
}

pub(super) fn number_of(id: u64) -> (u64, u8) {
    (id >> 8, (id & 0xff) as u8)
}
