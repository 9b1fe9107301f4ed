//! What is on its way, and the connections that it goes by.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::NodeId;
use crate::flow::{Flow, ListenerId, Transport, TransportError};
use crate::message::Message;
use crate::target::{Answer, QueryId};

/// A message that an endpoint sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Milliseconds since the network was made.
    pub at: u128,
    pub node: NodeId,
    pub transport: Transport,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub message: Message,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    Lost,
    /// It arrives this much later, perhaps after what was sent behind it.
    Late(Duration),
    /// It arrives, and once more this much later.
    Twice(Duration),
}

pub(super) enum Arrival {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    },
    /// On a connection, for its side `to`.
    Stream {
        number: u64,
        to: usize,
        bytes: Bytes,
    },
    Failure {
        node: NodeId,
        id: u64,
        error: TransportError,
    },
    Answer {
        node: NodeId,
        query: QueryId,
        answer: Answer,
    },
}

/// A TCP connection; side 0 opened it.
pub(super) struct Connection {
    pub number: u64,
    pub nodes: [NodeId; 2],
    transport: Transport,
    listeners: [ListenerId; 2],
    addrs: [SocketAddr; 2],
}

impl Connection {
    /// The number by which a side knows it.
    pub fn number(&self, side: usize) -> u64 {
        self.number * 2 + side as u64
    }

    pub fn flow(&self, side: usize) -> Flow {
        Flow {
            transport: self.transport,
            listener: self.listeners[side],
            local: self.addrs[side],
            remote: self.addrs[1 - side],
            connection: Some(self.number(side)),
        }
    }
}

#[derive(Default)]
pub(super) struct Wire {
    under_way: BTreeMap<(Instant, u64), Arrival>,
    count: u64,
    pub connections: Vec<Connection>,
    opened: u64,
    /// Private and public addresses.
    pub nat: Vec<(SocketAddr, SocketAddr)>,
}

impl Wire {
    pub fn put(&mut self, at: Instant, arrival: Arrival) {
        self.count += 1;
        self.under_way.insert((at, self.count), arrival);
    }

    pub fn next(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    pub fn pop(&mut self, now: Instant) -> Option<Arrival> {
        self.next().filter(|at| *at <= now)?;
        self.under_way.pop_first().map(|(_, arrival)| arrival)
    }

    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    pub fn open(
        &mut self,
        transport: Transport,
        nodes: [NodeId; 2],
        listeners: [ListenerId; 2],
        from: IpAddr,
        remote: SocketAddr,
    ) -> u64 {
        self.opened += 1;
        let port = u16::try_from(30_000 + self.opened % 30_000).unwrap_or(30_000);
        let addrs = [SocketAddr::new(from, port), remote];
        self.connections.push(Connection { number: self.opened, nodes, transport, listeners, addrs });
        self.opened
    }
}
