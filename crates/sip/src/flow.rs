//! Where messages come from and go to: the words that `sip` and `net` share.

use crate::{Host, Text};
use bytes::Bytes;
use std::fmt;
use std::net::SocketAddr;

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// The word in a Via header (RFC 3261 20.42), in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// The word in a URI's `transport` parameter (RFC 3261 19.1.1).
    pub fn parameter(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// Reads either word, in any case. `None` for transports that we do not speak (SCTP, WS).
    pub fn parse(name: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|transport| transport.parameter().eq_ignore_ascii_case(name))
    }

    /// Reliable transports need no retransmission (RFC 3261 17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// 5060, or 5061 for TLS (RFC 3261 19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of a role's listeners: the node's trunk and phone port, the UM server's router, service, each worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub u8);

/// One socket of a role's listener. A listener that serves UDP, TCP and TLS has up to three of them with one `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    pub id: ListenerId,
    pub transport: Transport,
    /// Where it is bound; what leaves by this listener leaves from this IP address.
    pub addr: SocketAddr,
}

/// What a message came in on: enough to answer by the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    pub transport: Transport,
    pub listener: ListenerId,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// The connection's number, never used twice in a process; `None` for UDP.
    pub connection: Option<u64>,
}

/// Where to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// This connection, or this UDP pair of addresses, and no other. Fails if the connection is gone.
    Flow(Flow),
    /// An open connection to `remote`, or else a new one that is bound to the listener's IP.
    Address {
        transport: Transport,
        listener: ListenerId,
        remote: SocketAddr,
        /// TLS: who the peer must prove to be.
        names: PeerNames,
    },
}

/// Names of a peer by TLS: its certificate must be for one of them (RFC 5922 7.2). Without any, for its IP address.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerNames(Vec<Text>);

impl PeerNames {
    /// Of a URI's host and a route's peer name. An address is no name: it is what is dialled.
    pub fn of(host: &Host, peer_name: Option<&Text>) -> PeerNames {
        let host = match host {
            Host::Name(name) if !name.is_empty() => Some(Text::from(name.to_string())),
            _ => None,
        };
        PeerNames(host.into_iter().chain(peer_name.cloned()).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

impl FromIterator<Text> for PeerNames {
    fn from_iter<I: IntoIterator<Item = Text>>(names: I) -> PeerNames {
        PeerNames(names.into_iter().collect())
    }
}

impl Destination {
    /// An address whose peer has no name.
    pub fn address(transport: Transport, listener: ListenerId, remote: SocketAddr) -> Destination {
        Destination::Address { transport, listener, remote, names: PeerNames::default() }
    }

    pub fn transport(&self) -> Transport {
        match self {
            Destination::Flow(flow) => flow.transport,
            Destination::Address { transport, .. } => *transport,
        }
    }

    pub fn listener(&self) -> ListenerId {
        match self {
            Destination::Flow(flow) => flow.listener,
            Destination::Address { listener, .. } => *listener,
        }
    }

    pub fn remote(&self) -> SocketAddr {
        match self {
            Destination::Flow(flow) => flow.remote,
            Destination::Address { remote, .. } => *remote,
        }
    }
}

/// A message to send. A failure comes back with the same `id`; success is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    pub id: u64,
    pub to: Destination,
    pub bytes: Bytes,
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The peer refused the connection, or the host answered that nobody listens on the port.
    #[error("the peer refused the connection")]
    Refused,
    /// No connection within the time limit.
    #[error("the connection was not made in time")]
    ConnectTimeout,
    /// There is no way to the host, or it is not reachable.
    #[error("the host is unreachable")]
    Unreachable,
    /// The connection that was asked for is closed, or closed while the message waited.
    #[error("the connection is closed")]
    Closed,
    /// The peer does not read: its queue is full, so its connection was closed.
    #[error("the peer does not read; its queue is full")]
    QueueFull,
    /// The message is too large for the transport.
    #[error("the message is too large for the transport")]
    TooLarge,
    /// The listener does not speak this transport, or is not configured for it.
    #[error("the transport is not available")]
    Unsupported,
    /// No TLS with the peer: it did not prove who it is, or refused us. An event of the net says why.
    #[error("the TLS handshake failed")]
    Insecure,
    /// Any other failure of the socket.
    #[error("the socket failed")]
    Other,
}
