//! The lab's DNS server: the guide's zones, with record sets that begin with another record each time.

use crate::error::StartError;
use crate::fault::{self, Fault};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{LowerName, Name, RData, Record, RecordType, RrKey};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Handle;

/// Where it listens at its address: 53 wants a right that the lab does without.
pub const PORT: u16 = 10053;
pub(crate) const ZONES: [(&str, &str); 2] = [
    ("lab/moon.galaxy.zone", include_str!("../../../lab/moon.galaxy.zone")),
    ("lab/exc-2013-um.zone", include_str!("../../../lab/exc-2013-um.zone")),
];
/// How long a TCP connection may be idle.
const IDLE: Duration = Duration::from_secs(10);
const TCP_BUFFER: usize = 16;

/// A DNS server that runs until it is dropped.
pub(crate) struct Dns {
    server: Option<Server<Zones>>,
    runtime: Handle,
}

impl Dns {
    /// `map`: the guide's addresses are read as the lab's.
    pub fn start(
        at: SocketAddr,
        map: Option<&shell::Net>,
        faults: &[Fault],
        runtime: &Handle,
    ) -> Result<Dns, StartError> {
        let zones = Zones::read(map, faults)?;
        let taken = |source| StartError::Dns { at, source };
        let (udp, tcp) = runtime
            .block_on(async {
                let udp = UdpSocket::bind(at).await?;
                Ok((udp, TcpListener::bind(at).await?))
            })
            .map_err(taken)?;
        // Its tasks are spawned on whatever runtime is entered.
        let _entered = runtime.enter();
        let mut server = Server::new(zones);
        server.register_socket(udp);
        server.register_listener(tcp, IDLE, TCP_BUFFER);
        Ok(Dns { server: Some(server), runtime: runtime.clone() })
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Its sockets are free again when it has ended; one that can't end is ended with the process.
            let _ = self.runtime.block_on(async { tokio::time::timeout(IDLE, server.shutdown_gracefully()).await });
        }
    }
}

/// All records, by name and type.
struct Zones {
    sets: BTreeMap<RrKey, Vec<Record>>,
    /// Which of a set comes first.
    turn: AtomicUsize,
}

/// What is found for a question.
#[derive(Default)]
struct Found {
    answers: Vec<Record>,
    /// The addresses of what the answers name.
    additionals: Vec<Record>,
    /// Whether the name is there at all.
    exists: bool,
}

impl Zones {
    fn read(map: Option<&shell::Net>, faults: &[Fault]) -> Result<Zones, StartError> {
        let mut sets: BTreeMap<RrKey, Vec<Record>> = BTreeMap::new();
        for (script, text) in ZONES {
            let text = fault::apply(text, faults);
            let text = match map {
                Some(map) => map.apply(&text),
                None => text.into_owned(),
            };
            let parsed = Parser::new(text, None, Some(Name::root())).parse();
            let (_, parsed) = parsed.map_err(|error| StartError::Script { script, reason: error.to_string() })?;
            for (key, set) in parsed {
                sets.entry(key).or_default().extend(set.records_without_rrsigs().cloned());
            }
        }
        Ok(Zones { sets, turn: AtomicUsize::new(0) })
    }

    fn find(&self, name: &LowerName, kind: RecordType) -> Found {
        let mut answers = self.set(name, kind);
        if answers.len() > 1 {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let turn = turn % answers.len();
            answers.rotate_left(turn);
        }
        let mut additionals: Vec<Record> = Vec::new();
        for answer in &answers {
            let RData::SRV(srv) = &answer.data else { continue };
            additionals.extend(self.set(&LowerName::new(&srv.target), RecordType::A));
        }
        let exists = self.sets.keys().any(|key| key.name == *name || name.zone_of(&key.name));
        Found { answers, additionals, exists }
    }

    fn set(&self, name: &LowerName, kind: RecordType) -> Vec<Record> {
        self.sets.get(&RrKey::new(name.clone(), kind)).cloned().unwrap_or_default()
    }

    /// The zone that a name is in: its SOA is what a "no" is signed with (RFC 2308 3).
    fn authority(&self, name: &LowerName) -> Option<&Record> {
        let zones = self.sets.iter().filter(|(key, _)| key.record_type == RecordType::SOA);
        zones.filter(|(key, _)| key.name.zone_of(name)).find_map(|(_, records)| records.first())
    }
}

#[async_trait::async_trait]
impl RequestHandler for Zones {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut out: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = true;
        let builder = MessageResponseBuilder::from_message_request(request);
        let sent = match request.request_info() {
            Ok(asked) if request.metadata.op_code == OpCode::Query => {
                let name = asked.query.name();
                let found = self.find(name, asked.query.query_type());
                let authority = self.authority(name);
                let soa = authority.filter(|_| found.answers.is_empty());
                if authority.is_none() && !found.exists {
                    // Somebody else's name: this server looks up nothing for others.
                    metadata.response_code = ResponseCode::Refused;
                } else if !found.exists {
                    metadata.response_code = ResponseCode::NXDomain;
                }
                out.send_response(builder.build(metadata, &found.answers, [], soa, &found.additionals)).await
            }
            _ => {
                metadata.response_code = ResponseCode::NotImp;
                out.send_response(builder.build_no_records(metadata)).await
            }
        };
        // Whoever asked is gone: nothing to tell anybody.
        sent.unwrap_or_else(|_| {
            let metadata = Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
            ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(zones: &Zones, name: &str, kind: RecordType) -> (Vec<String>, Vec<String>) {
        let found = zones.find(&LowerName::new(&Name::from_ascii(name).unwrap()), kind);
        let texts = |records: &[Record]| records.iter().map(|record| record.data.to_string()).collect();
        (texts(&found.answers), texts(&found.additionals))
    }

    #[test]
    fn the_second_query_is_answered_with_the_other_server_first_as_the_guides_screens_show() {
        let zones = Zones::read(shell::Net::new("127.0.222").as_ref(), &[]).unwrap();
        let (um1, um2) = ("1 1 5060 exc-2013-um1.".to_owned(), "1 1 5060 exc-2013-um2.".to_owned());
        let (answers, additionals) = ask(&zones, "_sip._tcp.exc-2013-um.", RecordType::SRV);
        assert_eq!(
            (answers, additionals),
            (vec![um1.clone(), um2.clone()], vec!["127.0.222.4".into(), "127.0.222.5".into()])
        );
        let (answers, additionals) = ask(&zones, "_sip._tcp.exc-2013-um.", RecordType::SRV);
        assert_eq!((answers, additionals), (vec![um2, um1], vec!["127.0.222.5".into(), "127.0.222.4".into()]));
    }

    #[test]
    fn the_pool_has_srv_records_for_tls_and_addresses_for_a_fixed_port() {
        let zones = Zones::read(shell::Net::new("127.0.222").as_ref(), &[]).unwrap();
        let (answers, _) = ask(&zones, "_sips._tcp.exc-2013-um.moon.galaxy.", RecordType::SRV);
        assert!(answers.contains(&"1 1 5061 exc-2013-um2.moon.galaxy.".to_owned()), "{answers:?}");
        assert_eq!(ask(&zones, "EXC-2013-um.moon.galaxy.", RecordType::A).0.len(), 2);
        assert_eq!(ask(&zones, "exc-2013-um.moon.galaxy.", RecordType::AAAA).0.len(), 0);
    }

    #[test]
    fn an_empty_name_on_the_way_to_others_exists_and_a_wrong_one_does_not() {
        let zones = Zones::read(None, &[]).unwrap();
        let exists = |name: &str| zones.find(&LowerName::new(&Name::from_ascii(name).unwrap()), RecordType::A).exists;
        assert!(exists("_tcp.exc-2013-um.moon.galaxy.") && !exists("um3.moon.galaxy."));
    }
}
