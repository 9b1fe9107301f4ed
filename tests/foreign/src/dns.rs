//! A DNS server of the tests' own, which says what a test wants said: also what no honest server would. By hand, so that it
//! can lie in the wire format, too (RFC 1035 4).

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The port that it listens on, as the lab's does.
pub const PORT: u16 = 10053;
/// What fits into a datagram without EDNS (RFC 1035 4.2.1); more is for TCP.
const DATAGRAM: usize = 512;
const A: u16 = 1;
const CNAME: u16 = 5;
const SRV: u16 = 33;

/// What is said to a question.
#[derive(Clone)]
pub enum Says {
    /// These, with this lifetime.
    Records(Vec<Data>, u32),
    /// Nothing at all.
    Silence,
    /// By UDP that it is too long, by TCP nothing.
    TruncatedForEver,
    /// An answer that breaks off in the middle of its records.
    CutOff(Vec<Data>),
    /// Bytes that are no answer.
    Garbage,
}

#[derive(Clone)]
pub enum Data {
    Address(IpAddr),
    Service { priority: u16, weight: u16, port: u16, target: String },
    Alias(String),
}

impl Data {
    pub fn address(ip: &str) -> Data {
        Data::Address(ip.parse().unwrap())
    }

    pub fn service(priority: u16, weight: u16, port: u16, target: &str) -> Data {
        Data::Service { priority, weight, port, target: target.to_owned() }
    }

    fn kind(&self) -> u16 {
        match self {
            Data::Address(_) => A,
            Data::Service { .. } => SRV,
            Data::Alias(_) => CNAME,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Data::Address(IpAddr::V4(ip)) => ip.octets().to_vec(),
            Data::Address(IpAddr::V6(ip)) => ip.octets().to_vec(),
            Data::Service { priority, weight, port, target } => {
                let mut bytes: Vec<u8> = [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
                bytes.extend(labels(target));
                bytes
            }
            Data::Alias(name) => labels(name),
        }
    }
}

type Zone = BTreeMap<String, Says>;

/// Runs until the test ends. Names are in lower case, without the final dot; one that it does not know is no name.
#[derive(Clone)]
pub struct Dns {
    at: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Dns {
    /// Listens at the address on [`PORT`], UDP and TCP.
    pub fn start(address: &str) -> Dns {
        let at = SocketAddr::new(address.parse().unwrap(), PORT);
        let dns = Dns { at, zone: Arc::default(), asked: Arc::default() };
        let (udp, tcp) = (UdpSocket::bind(at).unwrap(), TcpListener::bind(at).unwrap());
        let by_udp = dns.clone();
        std::thread::spawn(move || by_udp.serve_datagrams(&udp));
        let by_tcp = dns.clone();
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                let dns = by_tcp.clone();
                std::thread::spawn(move || dns.serve_stream(stream));
            }
        });
        dns
    }

    /// As `dns = [...]` in node.toml has it.
    pub fn setting(&self) -> String {
        format!("dns = [\"{}\"]\n", self.at)
    }

    pub fn say(&self, name: &str, says: Says) {
        self.zone.lock().unwrap().insert(name.to_owned(), says);
    }

    /// Addresses and services, with a lifetime of 5 s.
    pub fn records(&self, name: &str, data: Vec<Data>) {
        self.say(name, Says::Records(data, 5));
    }

    /// How often a name was asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == name).count()
    }

    fn serve_datagrams(&self, socket: &UdpSocket) {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            if let Some(answer) = self.answer(&buffer[..length], true) {
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn serve_stream(&self, mut stream: std::net::TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            if stream.read_exact(&mut query).is_err() {
                return;
            }
            if let Some(answer) = self.answer(&query, false) {
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                if stream.write_all(&[&length[..], &answer].concat()).is_err() {
                    return;
                }
            }
        }
    }

    fn answer(&self, query: &[u8], datagram: bool) -> Option<Vec<u8>> {
        let (name, kind, question) = question(query)?;
        self.asked.lock().unwrap().push(name.clone());
        let says = self.zone.lock().unwrap().get(&name).cloned();
        let head = |flags: u16, answers: u16| {
            let mut head = query[..2].to_vec();
            [flags, 1, answers, 0, 0].iter().for_each(|field| head.extend(field.to_be_bytes()));
            head.extend(question);
            head
        };
        // Response, authoritative, recursion desired and available; TC is 0x0200, 3 is "no such name".
        const YES: u16 = 0x8580;
        let cut = || head(YES | 0x0200, 0);
        let all = |data: &[Data], ttl: u32| {
            let data = data.iter().filter(|data| data.kind() == kind || data.kind() == CNAME);
            let records: Vec<Vec<u8>> = data.map(|data| record(&name, data, ttl)).collect();
            let mut message = head(YES, u16::try_from(records.len()).unwrap());
            message.extend(records.concat());
            message
        };
        match says {
            None => Some(head(YES | 3, 0)),
            Some(Says::Silence) => None,
            Some(Says::TruncatedForEver) => datagram.then(cut),
            Some(Says::Garbage) => Some([&query[..2], &[0xff; 20]].concat()),
            Some(Says::CutOff(data)) => {
                let mut message = all(&data, 5);
                message.truncate(message.len() - 3);
                Some(message)
            }
            Some(Says::Records(data, ttl)) => {
                let message = all(&data, ttl);
                Some(if datagram && message.len() > DATAGRAM { cut() } else { message })
            }
        }
    }
}

/// The first question: its name, its type, and its bytes.
fn question(query: &[u8]) -> Option<(String, u16, &[u8])> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    Some((labels.join("."), kind, query.get(12..at + 4)?))
}

fn labels(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> =
        labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

fn record(name: &str, data: &Data, ttl: u32) -> Vec<u8> {
    let (mut bytes, content) = (labels(name), data.bytes());
    [data.kind(), 1].iter().for_each(|field| bytes.extend(field.to_be_bytes()));
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    bytes.extend(content);
    bytes
}
