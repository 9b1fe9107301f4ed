//! Endpoints in a network of the mind: virtual time, and wires that lose, repeat and overtake as told.
//!
//! For tests, here and of the crates above. Nothing in it sleeps; [`Network::run`] jumps from deadline to deadline.

// A test that is written wrongly should say so at once.
#![allow(clippy::expect_used)]

mod wire;

pub use wire::{Fate, Sent};

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::endpoint::{
    CallEvent, CallRef, Endpoint, EndpointConfig, Event, Output, SubscriptionEvent, SubscriptionRef,
};
use crate::flow::{Destination, Flow, Listener, ListenerId, Transmit, Transport, TransportError};
use crate::message::{Headers, Message, NameAddr, Request, Response, parse_datagram};
use crate::target::{Answer, Query};
use wire::{Arrival, Connection, Wire};

/// One of the network's endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// An endpoint, and what it told its owner that no test has taken yet.
pub struct Node {
    pub endpoint: Endpoint,
    pub events: Vec<Event>,
    listeners: Vec<Listener>,
}

type Judge = Box<dyn FnMut(&Sent) -> Fate>;

/// Several endpoints and what is between them.
pub struct Network {
    now: Instant,
    began: Instant,
    nodes: Vec<Node>,
    wire: Wire,
    /// How long a message travels.
    pub latency: Duration,
    /// What DNS knows; all else fails.
    pub zone: BTreeMap<String, Answer>,
    /// Addresses that swallow everything.
    pub dead: BTreeSet<IpAddr>,
    judge: Option<Judge>,
    /// Everything that was sent, also what was lost.
    pub sent: Vec<Sent>,
    rng: StdRng,
}

impl Network {
    /// A network without endpoints; `seed` makes its endpoints differ.
    pub fn new(seed: u64) -> Network {
        let now = Instant::now();
        Network {
            now,
            began: now,
            nodes: Vec::new(),
            wire: Wire::default(),
            latency: Duration::from_millis(1),
            zone: BTreeMap::new(),
            dead: BTreeSet::new(),
            judge: None,
            sent: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// Milliseconds since the network was made.
    pub fn elapsed(&self) -> u128 {
        (self.now - self.began).as_millis()
    }

    /// Adds an endpoint with one listener, number 0, that speaks UDP and TCP.
    pub fn add(&mut self, addr: &str) -> NodeId {
        self.add_with(addr, |_| {})
    }

    /// The same with other settings.
    ///
    /// # Panics
    /// When `addr` is no socket address: tests write it in the code.
    pub fn add_with(&mut self, addr: &str, change: impl FnOnce(&mut EndpointConfig)) -> NodeId {
        let addr: SocketAddr = addr.parse().unwrap_or_else(|_| panic!("{addr} is no address"));
        let listener = |transport| Listener { id: ListenerId(0), transport, addr };
        let mut config = EndpointConfig::new(vec![listener(Transport::Udp), listener(Transport::Tcp)], "Earcon test");
        change(&mut config);
        let listeners = config.listeners.clone();
        let endpoint = Endpoint::new(config, self.rng.random());
        self.nodes.push(Node { endpoint, events: Vec::new(), listeners });
        NodeId(self.nodes.len() - 1)
    }

    /// Puts a node behind NAT: all that it sends by UDP seems to come from `public`, and only that leads to it.
    pub fn put_behind_nat(&mut self, node: NodeId, public: &str) {
        let public = public.parse().unwrap_or_else(|_| panic!("{public} is no address"));
        if let Some(listener) = self.nodes[node.0].listeners.first() {
            self.wire.nat.push((listener.addr, public));
        }
    }

    /// Decides what becomes of each message from now on.
    pub fn judge(&mut self, judge: impl FnMut(&Sent) -> Fate + 'static) {
        self.judge = Some(Box::new(judge));
    }

    /// Everything arrives again.
    pub fn no_judge(&mut self) {
        self.judge = None;
    }

    /// Loses the first `count` messages for which `which` holds.
    pub fn lose_first(&mut self, count: usize, which: impl Fn(&Sent) -> bool + 'static) {
        let mut left = count;
        self.judge(move |sent| {
            if left > 0 && which(sent) {
                left -= 1;
                Fate::Lost
            } else {
                Fate::Arrives
            }
        });
    }

    /// Loses, repeats and delays at random, a percentage each.
    pub fn be_rough(&mut self, lost: u32, repeated: u32, late: u32) {
        let mut rng = StdRng::seed_from_u64(self.rng.random());
        self.judge(move |sent| {
            if sent.transport.is_reliable() {
                return Fate::Arrives;
            }
            let draw = rng.random_range(0..100);
            if draw < lost {
                Fate::Lost
            } else if draw < lost + repeated {
                Fate::Twice(Duration::from_millis(rng.random_range(0..300)))
            } else if draw < lost + repeated + late {
                Fate::Late(Duration::from_millis(rng.random_range(1..300)))
            } else {
                Fate::Arrives
            }
        });
    }

    /// Gives a command, and carries away what it caused.
    pub fn with<T>(&mut self, node: NodeId, command: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let now = self.now;
        let done = command(&mut self.nodes[node.0].endpoint, now);
        self.drain(node);
        done
    }

    pub fn endpoint(&self, node: NodeId) -> &Endpoint {
        &self.nodes[node.0].endpoint
    }

    /// The events of a node since the last call.
    pub fn events(&mut self, node: NodeId) -> Vec<Event> {
        std::mem::take(&mut self.nodes[node.0].events)
    }

    /// Puts bytes on the wire that no endpoint sent.
    pub fn inject(&mut self, from: &str, to: &str, message: &str) {
        let from = from.parse().unwrap_or_else(|_| panic!("{from} is no address"));
        let to = to.parse().unwrap_or_else(|_| panic!("{to} is no address"));
        let bytes = Bytes::from(message.replace('\n', "\r\n"));
        self.wire.put(self.now + self.latency, Arrival::Datagram { from, to, bytes });
    }

    /// Puts a message on the wire that a test made.
    pub fn inject_message(&mut self, from: &str, to: &str, message: impl Into<Message>) {
        let from = from.parse().unwrap_or_else(|_| panic!("{from} is no address"));
        let to = to.parse().unwrap_or_else(|_| panic!("{to} is no address"));
        let bytes = message.into().to_bytes();
        self.wire.put(self.now + self.latency, Arrival::Datagram { from, to, bytes });
    }

    /// Closes all connections between two nodes.
    pub fn close_connections(&mut self, a: NodeId, b: NodeId) {
        let (closed, left) = std::mem::take(&mut self.wire.connections)
            .into_iter()
            .partition(|c: &Connection| (c.nodes[0], c.nodes[1]) == (a, b) || (c.nodes[0], c.nodes[1]) == (b, a));
        self.wire.connections = left;
        for connection in closed {
            for side in 0..2 {
                let (flow, now) = (connection.flow(side), self.now);
                self.nodes[connection.nodes[side].0].endpoint.flow_closed(&flow, now);
                self.drain(connection.nodes[side]);
            }
        }
    }

    /// Runs until nothing is under way, and every deadline is further off than `quiet`; at most an hour.
    pub fn settle(&mut self, quiet: Duration) {
        let limit = self.now + Duration::from_secs(3600);
        while let Some(next) = self.next().filter(|next| *next <= limit) {
            if self.wire.is_empty() && next > self.now + quiet {
                return;
            }
            self.step(next);
        }
    }

    /// Runs for this long.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.step(next);
        }
        self.now = until;
    }

    /// Runs for so many milliseconds.
    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    fn next(&self) -> Option<Instant> {
        self.nodes.iter().filter_map(|node| node.endpoint.deadline()).chain(self.wire.next()).min()
    }

    fn step(&mut self, to: Instant) {
        self.now = self.now.max(to);
        while let Some(arrival) = self.wire.pop(self.now) {
            self.arrive(arrival);
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].endpoint.deadline().is_some_and(|deadline| deadline <= self.now) {
                let now = self.now;
                self.nodes[at].endpoint.handle_timeout(now);
                let left = self.nodes[at].endpoint.deadline();
                assert!(left.is_none_or(|left| left > now), "a deadline that was served is still due");
                self.drain(NodeId(at));
            }
        }
    }

    fn drain(&mut self, node: NodeId) {
        while let Some(output) = self.nodes[node.0].endpoint.poll() {
            match output {
                Output::Transmit(transmit) => self.send(node, transmit),
                Output::CloseFlow(_) | Output::Distrust(..) => {}
                Output::Resolve(query, question) => {
                    let name = match question {
                        Query::Srv(name) | Query::Addresses(name) => name,
                    };
                    let answer = self.zone.get(&name).cloned().unwrap_or(Answer::Failed);
                    self.wire.put(self.now + self.latency, Arrival::Answer { node, query, answer });
                }
                Output::Event(event) => self.nodes[node.0].events.push(event),
            }
        }
    }

    fn send(&mut self, node: NodeId, transmit: Transmit) {
        let Transmit { id, to, bytes } = transmit;
        // The answer to a malformed request repeats headers that nobody can read; its status is all that tests want.
        let message =
            parse_datagram(bytes.clone()).unwrap_or_else(|_| Message::Response(Response::new(status_of(&bytes))));
        let (transport, remote, listener) = (to.transport(), to.remote(), to.listener());
        let local = self.nodes[node.0].listeners.iter().find(|own| own.id == listener && own.transport == transport);
        let local = local.expect("an endpoint sent by a listener that it does not have").addr;
        let sent = Sent { at: self.elapsed(), node, transport, from: local, to: remote, message };
        let fate = self.judge.as_mut().map_or(Fate::Arrives, |judge| judge(&sent));
        self.sent.push(sent);
        let times = match fate {
            Fate::Lost => return,
            Fate::Arrives => [Some(self.latency), None],
            Fate::Late(by) => [Some(self.latency + by), None],
            Fate::Twice(by) => [Some(self.latency), Some(self.latency + by)],
        };
        if self.dead.contains(&remote.ip()) {
            return;
        }
        for after in times.into_iter().flatten() {
            let at = self.now + after;
            let arrival = match transport {
                Transport::Udp => {
                    let from = self
                        .wire
                        .nat
                        .iter()
                        .find(|(private, _)| *private == local)
                        .map_or(local, |(_, public)| *public);
                    Arrival::Datagram { from, to: remote, bytes: bytes.clone() }
                }
                _ => match self.connection(node, &to, local) {
                    Ok((number, side)) => Arrival::Stream { number, to: 1 - side, bytes: bytes.clone() },
                    Err(error) => Arrival::Failure { node, id, error },
                },
            };
            self.wire.put(at, arrival);
        }
    }

    /// The connection that leads there: its number, and which side of it the sender is.
    fn connection(
        &mut self,
        node: NodeId,
        to: &Destination,
        local: SocketAddr,
    ) -> Result<(u64, usize), TransportError> {
        let open = self.wire.connections.iter().find_map(|connection| {
            (0..2).find_map(|side| {
                let fits = match to {
                    Destination::Flow(flow) => connection.number(side) == flow.connection.unwrap_or_default(),
                    Destination::Address { remote, .. } => connection.flow(side).remote == *remote,
                };
                (connection.nodes[side] == node && fits).then_some((connection.number, side))
            })
        });
        if let Some(open) = open {
            return Ok(open);
        }
        let Destination::Address { transport, listener, remote, .. } = to else { return Err(TransportError::Closed) };
        let peer = self.nodes.iter().enumerate().find_map(|(at, peer)| {
            let own = peer.listeners.iter().find(|own| own.addr == *remote && own.transport == *transport)?;
            Some((NodeId(at), own.id))
        });
        let Some((peer, their_listener)) = peer else { return Err(TransportError::Refused) };
        let number = self.wire.open(*transport, [node, peer], [*listener, their_listener], local.ip(), *remote);
        Ok((number, 0))
    }

    fn arrive(&mut self, arrival: Arrival) {
        let now = self.now;
        let (node, message, flow) = match arrival {
            Arrival::Answer { node, query, answer } => {
                self.nodes[node.0].endpoint.resolved(query, answer, now);
                return self.drain(node);
            }
            Arrival::Failure { node, id, error } => {
                self.nodes[node.0].endpoint.transmit_failed(id, error, now);
                return self.drain(node);
            }
            Arrival::Datagram { from, to, bytes } => {
                let nat = &self.wire.nat;
                if nat.iter().any(|(private, _)| *private == to) {
                    // A private address leads nowhere from outside.
                    return;
                }
                let to = nat.iter().find(|(_, public)| *public == to).map_or(to, |(private, _)| *private);
                let found = self.nodes.iter().enumerate().find_map(|(at, node)| {
                    let own = node.listeners.iter().find(|own| own.addr == to && own.transport == Transport::Udp)?;
                    Some((NodeId(at), own.id))
                });
                let Some((node, listener)) = found else { return };
                let flow = Flow { transport: Transport::Udp, listener, local: to, remote: from, connection: None };
                (node, parse_datagram(bytes), flow)
            }
            Arrival::Stream { number, to, bytes } => {
                let Some(connection) = self.wire.connections.iter().find(|c| c.number == number) else { return };
                (connection.nodes[to], parse_datagram(bytes), connection.flow(to))
            }
        };
        self.nodes[node.0].endpoint.receive(message, flow, now);
        self.drain(node);
    }

    // ---- what tests ask ----

    /// The only new incoming call of a node; all other events stay.
    ///
    /// # Panics
    /// When there is none.
    pub fn incoming(&mut self, node: NodeId) -> (CallRef, Request, Flow) {
        let events = &mut self.nodes[node.0].events;
        let at = events.iter().position(|event| matches!(event, Event::Incoming { .. })).expect("no incoming call");
        match events.remove(at) {
            Event::Incoming { call, request, flow } => (call, request, flow),
            _ => unreachable!("found by position"),
        }
    }

    /// What happened to a call since the last question, in order.
    pub fn call_events(&mut self, node: NodeId, call: CallRef) -> Vec<CallEvent> {
        let (these, others) = std::mem::take(&mut self.nodes[node.0].events)
            .into_iter()
            .partition(|event| matches!(event, Event::Call { call: of, .. } if *of == call));
        self.nodes[node.0].events = others;
        let these: Vec<Event> = these;
        these
            .into_iter()
            .filter_map(|event| match event {
                Event::Call { event, .. } => Some(event),
                _ => None,
            })
            .collect()
    }

    /// The same for a subscription.
    pub fn subscription_events(&mut self, node: NodeId, subscription: SubscriptionRef) -> Vec<SubscriptionEvent> {
        let mut found = Vec::new();
        self.nodes[node.0].events.retain(|event| match event {
            Event::Subscription { subscription: of, event } if *of == subscription => {
                found.push(event.clone());
                false
            }
            _ => true,
        });
        found
    }

    /// What was sent so far, as `METHOD` or `status (METHOD)`, for comparison.
    pub fn ladder(&self) -> Vec<String> {
        self.sent.iter().map(Sent::label).collect()
    }

    /// How often a node sent what `label` names.
    pub fn count(&self, node: NodeId, label: &str) -> usize {
        self.sent.iter().filter(|sent| sent.node == node && sent.label() == label).count()
    }

    /// The last request or response of that label.
    pub fn last(&self, label: &str) -> Option<&Sent> {
        self.sent.iter().rev().find(|sent| sent.label() == label)
    }
}

/// Two endpoints, and a call between them.
pub struct Pair {
    pub net: Network,
    /// 10.0.0.1:5060, who calls.
    pub alice: NodeId,
    /// 10.0.0.2:5060, who is called.
    pub bob: NodeId,
}

impl Pair {
    pub fn new() -> Pair {
        Pair::with(|_| {}, |_| {})
    }

    /// With settings of Alice's and of Bob's.
    pub fn with(alice: impl FnOnce(&mut EndpointConfig), bob: impl FnOnce(&mut EndpointConfig)) -> Pair {
        let mut net = Network::new(1);
        let alice = net.add_with("10.0.0.1:5060", alice);
        let bob = net.add_with("10.0.0.2:5060", bob);
        Pair { net, alice, bob }
    }
}

impl Default for Pair {
    fn default() -> Self {
        Pair::new()
    }
}

/// A `NameAddr` from text that a test wrote.
///
/// # Panics
/// When it is none.
pub fn address(text: &str) -> NameAddr {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The status in a response's first line.
///
/// # Panics
/// When it is no response: a request of an endpoint's must be readable.
fn status_of(bytes: &[u8]) -> u16 {
    let status =
        bytes.strip_prefix(b"SIP/2.0 ").and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok());
    status.expect("an endpoint sent a request that nobody can read")
}

/// No headers.
pub fn none() -> Headers {
    Headers::new()
}

impl Sent {
    /// The request, when it is one.
    pub fn request(&self) -> Option<&Request> {
        self.message.as_request()
    }

    /// The response, when it is one.
    pub fn response(&self) -> Option<&Response> {
        self.message.as_response()
    }

    /// `METHOD`, or `status (METHOD)`.
    pub fn label(&self) -> String {
        match &self.message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => {
                let method = response.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default();
                format!("{} ({method})", response.status)
            }
        }
    }
}
