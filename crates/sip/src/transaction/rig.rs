//! What the tests of this module share: a virtual clock, and a table whose wire is a list.

use super::{Config, Output, Transactions};
use crate::flow::{Destination, Flow, Listener, ListenerId, Transmit, Transport};
use crate::{Message, Request, Response, parse_datagram};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The moment at which every test starts.
pub fn t0() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub const LISTENER: ListenerId = ListenerId(0);

pub fn us() -> SocketAddr {
    "127.0.222.10:5060".parse().unwrap()
}

pub fn peer() -> SocketAddr {
    "127.0.222.4:5060".parse().unwrap()
}

pub fn config() -> Config {
    let listener = |transport| Listener { id: LISTENER, transport, addr: us() };
    Config::new(vec![listener(Transport::Udp), listener(Transport::Tcp)])
}

pub fn table() -> Transactions {
    Transactions::new(config(), [7; 32])
}

pub fn to_peer(transport: Transport) -> Destination {
    Destination::address(transport, LISTENER, peer())
}

pub fn udp_from(remote: &str) -> Flow {
    let remote = remote.parse().unwrap();
    Flow { transport: Transport::Udp, listener: LISTENER, local: us(), remote, connection: None }
}

pub fn tcp_from(remote: &str, connection: u64) -> Flow {
    let remote = remote.parse().unwrap();
    Flow { transport: Transport::Tcp, listener: LISTENER, local: us(), remote, connection: Some(connection) }
}

/// A request of the peer's, with this Via (after `SIP/2.0/`) and CSeq number 1.
pub fn request(method: &str, via: &str) -> Request {
    let text = format!(
        "{method} sip:43334@127.0.222.10 SIP/2.0\r\nVia: SIP/2.0/{via}\r\nFrom: <sip:27001@moon.galaxy>;tag=f\r\n\
         To: <sip:43334@127.0.222.10>\r\nCall-ID: c1\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    match parse_datagram(Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A request of ours: no Via yet.
pub fn outgoing(method: &str) -> Request {
    let mut request = request(method, "UDP x");
    request.headers.remove(&crate::Name::Via);
    request
}

/// What the table has put out.
pub struct Said {
    pub sent: Vec<Transmit>,
    pub told: Vec<Output>,
}

impl Said {
    /// Start lines of what was sent.
    pub fn lines(&self) -> Vec<String> {
        self.sent.iter().map(|transmit| line(&transmit.bytes)).collect()
    }

    /// The one message that was sent.
    pub fn only(&self) -> &Transmit {
        assert_eq!(self.sent.len(), 1, "{:?}", self.lines());
        &self.sent[0]
    }

    pub fn is_silent(&self) -> bool {
        self.sent.is_empty() && self.told.is_empty()
    }
}

pub fn line(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}

pub fn said(table: &mut Transactions) -> Said {
    let (mut sent, mut told) = (Vec::new(), Vec::new());
    while let Some(output) = table.poll() {
        match output {
            Output::Transmit(transmit) => sent.push(transmit),
            other => told.push(other),
        }
    }
    Said { sent, told }
}

pub fn parsed(bytes: &Bytes) -> Message {
    parse_datagram(bytes.clone()).unwrap()
}

pub fn parsed_request(bytes: &Bytes) -> Request {
    match parsed(bytes) {
        Message::Request(request) => request,
        other => panic!("{other}"),
    }
}

/// The peer's response to what we sent; 101 and above with its tag.
pub fn response(sent: &Bytes, status: u16) -> Response {
    let mut response = parsed_request(sent).response(status);
    if status > 100 {
        response.set_to_tag("peer");
    }
    response
}

/// Advances the table to `until` by its own deadlines, and says when it sent what (milliseconds, start line).
pub fn run(table: &mut Transactions, until: Instant) -> Vec<(u128, String)> {
    let mut sent = Vec::new();
    while let Some(deadline) = table.deadline().filter(|deadline| *deadline <= until) {
        table.handle_timeout(deadline);
        sent.extend(said(table).lines().into_iter().map(|line| ((deadline - t0()).as_millis(), line)));
    }
    sent
}
