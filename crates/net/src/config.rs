use crate::Cable;
use crate::tls::Tls;
use event::Sink;
use sip::flow::{Listener, Transport};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a role's net is told at its start.
#[derive(Clone)]
pub struct NetConfig {
    /// The role's name in events and in the names of its threads.
    pub name: String,
    /// The sockets, one entry each. Port 0 takes any free port (see [`crate::Net::listeners`]).
    pub listeners: Vec<Listener>,
    pub limits: Limits,
    /// Addresses that caps per source don't count: configured gateways.
    pub exempt: Vec<IpAddr>,
    pub dns: Dns,
    /// What is shown and believed by TLS; listeners for it need it.
    pub tls: Option<Tls>,
    /// Who hears of messages (for the ladder), refusals and drops.
    pub events: Option<Arc<dyn Sink>>,
    /// What may be pulled, in the lab and in tests.
    pub cable: Cable,
}

impl NetConfig {
    /// The usual settings, telling nobody.
    pub fn new(name: impl Into<String>, listeners: Vec<Listener>) -> NetConfig {
        NetConfig {
            name: name.into(),
            listeners,
            limits: Limits::default(),
            exempt: Vec::new(),
            dns: Dns::System,
            tls: None,
            events: None,
            cable: Cable::default(),
        }
    }
}

/// Who answers look-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dns {
    /// The servers of /etc/resolv.conf.
    System,
    /// These, asked by UDP, and by TCP when an answer is cut.
    Servers(Vec<SocketAddr>),
}

/// Caps and times of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; beyond it new ones are closed at the door. Exempt sources and our own may use a quarter more.
    pub connections: usize,
    /// Connections at once that one source opened (exempt sources excepted).
    pub connections_per_source: usize,
    /// How long an incoming connection may take to its first whole message.
    pub half_open: Duration,
    /// How long a connection may be idle before it is closed.
    pub idle: Duration,
    /// How long an outgoing connection may take to be made.
    pub connect: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How often a CRLF goes by a TLS connection that we opened (RFC 5626 3.5.1), so that neither side, nor anything between, forgets
    /// it while it is not idle for too long.
    pub keep_alive: Duration,
    /// How many messages may wait for a peer that does not read; one more closes its connection.
    pub queue: usize,
    /// How long one write may stall before the connection is closed.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 10_000,
            connections_per_source: 500,
            half_open: Duration::from_secs(10),
            idle: Duration::from_secs(3600),
            connect: Duration::from_secs(3),
            handshake: Duration::from_secs(10),
            // RFC 5626 4.4.1: under two minutes.
            keep_alive: Duration::from_secs(110),
            queue: 256,
            write: Duration::from_secs(10),
        }
    }
}

/// Why a role's net could not start. Each is one sentence for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else listens there: stop it, or give this role another address or port.
    #[error("{transport} {addr} is taken: another program listens there")]
    PortTaken { transport: Transport, addr: SocketAddr },
    /// The machine has no such address, or it is written wrong: correct the listener's address.
    #[error("{addr} is not an address of this machine")]
    NoSuchAddress { addr: SocketAddr },
    /// Ports below 1024 need a right that the process does not have: take a higher port or give it the right.
    #[error("{transport} {addr} may not be listened on by this user")]
    NotPermitted { transport: Transport, addr: SocketAddr },
    /// A TLS listener without a TLS configuration: give one.
    #[error("TLS on {addr} has no TLS configuration")]
    NoTls { addr: SocketAddr },
    /// Any other failure of the operating system.
    #[error("{transport} {addr} can't be listened on: {source}")]
    Socket { transport: Transport, addr: SocketAddr, source: std::io::Error },
    /// The operating system gives no thread or no event queue.
    #[error("the network thread can't start: {0}")]
    Thread(std::io::Error),
}
