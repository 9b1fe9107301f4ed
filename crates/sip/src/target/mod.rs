//! Target selection (RFC 3263). The words that the endpoint's owner sees; the machines follow.

use std::net::IpAddr;

use crate::Text;

/// A question to DNS that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// A question to DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// SRV records of this name (`_sip._tcp.example.com`).
    Srv(Text),
    /// A and AAAA records of this name.
    Addresses(Text),
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// In any order; empty when the name has none.
    Srv(Vec<Srv>),
    Addresses(Vec<IpAddr>),
    /// DNS did not answer.
    Failed,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub name: Text,
}
