//! Where a request goes: RFC 3263 without NAPTR, one target after the other, and past those that are known to be silent.
//!
//! A [`Selector`] (one an entity) knows the listeners, the grey list and the dice. Each request has a [`Selection`]: it
//! asks for look-ups, names a [`Candidate`], and on trouble names the next. Every event gives one [`Step`].

mod grey_list;
mod selection;
mod srv;
#[cfg(test)]
mod tests;

pub use grey_list::{GREY_FOR, GreyList};
pub use selection::{Selection, Selector};
pub use srv::order;

use crate::flow::{Destination, ListenerId, PeerNames, Transport};
use crate::{Host, Uri};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A question to the DNS. Never used twice by one [`Selector`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// What is asked of the DNS; names without the final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// SRV records of a name such as `_sip._tcp.moon.galaxy`.
    Srv(String),
    /// A and AAAA records.
    Addresses(String),
}

/// What the DNS said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// In any order; may be empty.
    Srv(Vec<SrvRecord>),
    /// In the order of the answer; may be empty.
    Addresses(Vec<IpAddr>),
    /// No such name, no such records, or no server that answers.
    Failed,
}

/// RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    /// Lower ones first.
    pub priority: u16,
    /// Share among those of the same priority.
    pub weight: u16,
    pub port: u16,
    /// A host name; `.` says that the service is not offered.
    pub target: String,
}

/// What a URI or a route says of the next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub host: Host,
    /// `None` asks for SRV records, unless the host is an address (a route's `remoteport 0`).
    pub port: Option<u16>,
    pub transport: Option<Transport>,
    /// `sips`: TLS or nothing.
    pub secure: bool,
}

impl Target {
    /// RFC 3263 4: the target of a URI. `maddr` goes before the host.
    pub fn of_uri(uri: &Uri) -> Target {
        let maddr = uri.params.get("maddr").and_then(|maddr| maddr.parse().ok());
        Target {
            host: maddr.unwrap_or_else(|| uri.host.clone()),
            port: uri.port,
            transport: uri.transport(),
            secure: uri.scheme == crate::Scheme::Sips,
        }
    }

    /// An address that is known already.
    pub fn of_address(transport: Transport, remote: SocketAddr) -> Target {
        Target { host: remote.ip().into(), port: Some(remote.port()), transport: Some(transport), secure: false }
    }
}

/// One place to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    pub transport: Transport,
    pub remote: SocketAddr,
}

impl Candidate {
    /// `names`: see [`PeerNames`]; they matter to TLS only.
    pub fn destination(&self, listener: ListenerId, names: &PeerNames) -> Destination {
        let names = if self.transport == Transport::Tls { names.clone() } else { PeerNames::default() };
        Destination::Address { transport: self.transport, listener, remote: self.remote, names }
    }
}

/// How long a target is waited for, and whether its silence is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// No response at all in this time: the next target.
    pub per_try: Duration,
    /// The same when no other target is left.
    pub last_try: Duration,
    /// How long a target that has said 100, and nothing else, is waited for; `None`: without limit. 100 says only that the
    /// request has arrived: a server may die over it.
    pub progress: Option<Duration>,
    /// Whether targets that fail go to the grey list, and those on it are passed over.
    pub grey_list: bool,
    /// How long they are on it.
    pub grey_for: Duration,
}

impl Default for Policy {
    /// What the guide and the trunk's profile say: 4 s, and 9 s for the last.
    fn default() -> Policy {
        Policy {
            per_try: Duration::from_secs(4),
            last_try: Duration::from_secs(9),
            progress: None,
            grey_list: true,
            grey_for: GREY_FOR,
        }
    }
}

/// What is to be done next for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the DNS these, and hand in each answer.
    Resolve(Vec<(QueryId, Query)>),
    /// Send the request here, in a new transaction.
    Try(Candidate),
    /// Nothing yet.
    Wait,
    /// There is no target (any more).
    Exhausted,
}

/// Why a candidate is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing was heard in time (the transaction's timeout; the per-try time is watched by the selection itself).
    Silent,
    /// The request could not be sent.
    Transport,
    /// 503 (RFC 3261 21.5.4), with its Retry-After.
    Unavailable { retry_after: Option<Duration> },
}

/// What a response says of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 100: the request has arrived.
    Trying,
    /// Anything else: it is being dealt with.
    Progress,
}

/// A target was put on the grey list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greyed {
    pub target: Candidate,
    pub for_: Duration,
}
