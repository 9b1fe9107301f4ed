//! The redirects: the Contact that a 302 names, from the router to the service and from the service to the worker that
//! takes calls at this moment.

use crate::router::Stage;
use sip::flow::Listener;
use sip::{Headers, Host, Name, NameAddr, Transport, Uri};
use std::net::IpAddr;

/// Where the parts of the server listen, and which worker takes the calls.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The call router: 5060 TCP, 5061 TLS.
    pub router: Vec<Listener>,
    /// The UM service: 5062, 5063.
    pub service: Vec<Listener>,
    /// The workers: 5065 and 5067, 5066 and 5068. One takes the calls (`Set-UMService -ActiveWorker`).
    pub workers: Vec<Vec<Listener>>,
}

impl Addresses {
    /// Whether this is one of the server's own addresses.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let workers = self.workers.iter().flatten();
        self.router.iter().chain(&self.service).chain(workers).any(|listener| listener.addr.ip() == address)
    }

    /// Of workers the active one, counted from 1.
    fn listeners(&self, stage: Stage, worker: u32) -> &[Listener] {
        match stage {
            Stage::Router => &self.router,
            Stage::Service => &self.service,
            Stage::Worker => {
                let active = usize::try_from(worker).unwrap_or(1).saturating_sub(1);
                let worker = self.workers.get(active).filter(|listeners| !listeners.is_empty());
                worker.or(self.workers.first()).map(Vec::as_slice).unwrap_or_default()
            }
        }
    }

    /// `<sip:PILOT@host:port;transport=tcp>`: the same pilot at another part of this server, over the same transport
    /// where that part has it.
    pub(crate) fn contact(
        &self,
        (stage, worker): (Stage, u32),
        pilot: &str,
        host: &Host,
        transport: Transport,
    ) -> Option<NameAddr> {
        let listeners = self.listeners(stage, worker);
        let listener = listeners
            .iter()
            .find(|listener| listener.transport == transport)
            .or_else(|| listeners.iter().find(|listener| listener.transport == Transport::Tcp))
            .or_else(|| listeners.first())?;
        let uri = Uri::sip(pilot, host.clone()).with_port(listener.addr.port()).with_transport(listener.transport);
        Some(NameAddr::new(uri))
    }
}

/// The headers of the 302.
pub(crate) fn redirection(contact: &NameAddr) -> Headers {
    let mut headers = Headers::new();
    headers.push(Name::Contact, contact.to_string());
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::ListenerId;

    #[test]
    fn a_call_that_comes_by_tls_is_sent_on_to_a_tls_port_and_one_by_tcp_to_one_for_tcp() {
        let part = |id, tcp: u16, tls: u16| -> Vec<Listener> {
            let listener = |transport, port: u16| Listener {
                id: ListenerId(id),
                transport,
                addr: ([127, 0, 222, 4], port).into(),
            };
            vec![listener(Transport::Tcp, tcp), listener(Transport::Tls, tls)]
        };
        let addresses = Addresses {
            router: part(0, 5060, 5061),
            service: part(1, 5062, 5063),
            workers: vec![part(2, 5065, 5066), part(3, 5067, 5068)],
        };
        let host: Host = "exc-2013-um1.moon.galaxy".parse().unwrap();
        let contact = |stage, transport| addresses.contact(stage, "43334", &host, transport).unwrap().to_string();
        let named = |rest: &str| format!("<sip:43334@exc-2013-um1.moon.galaxy:{rest}>");
        assert_eq!(contact((Stage::Service, 1), Transport::Tls), named("5063;transport=tls"));
        assert_eq!(contact((Stage::Worker, 1), Transport::Tls), named("5066;transport=tls"));
        assert_eq!(contact((Stage::Worker, 1), Transport::Tcp), named("5065;transport=tcp"));
    }
}
