//! SIP over sockets: UDP, TCP and TLS, DNS look-ups, the inbox and the loop that drives a role.
//!
//! [`Net::start`] opens a role's sockets on one thread of its own; [`run`] is the role's thread. Between them is the
//! [`inbox`]: messages from outside in a bounded lane, answers to the role in one that never drops. Datagrams are sent by
//! the role's thread itself; what goes by a connection is queued for the net thread.

mod cable;
mod config;
mod connection;
mod drive;
mod engine;
mod inbox;
mod ladder;
mod lane;
mod last_good;
mod meter;
mod resolve;
mod role;
mod secure;
mod sockets;
mod table;
pub mod tls;

pub use cable::Cable;
pub use config::{Dns, Limits, NetConfig, StartError};
pub use drive::run;
pub use inbox::{Inbox, InboxSender, inbox};
pub use meter::{Meter, load_samples};
pub use role::{Action, Input, KnownPeer, Role, SipInput};

use bytes::Bytes;
use engine::{Command, Engine, Sockets, bound};
use ladder::Ladder;
use meter::Traffic;
use resolve::Resolver;
use sip::flow::{Destination, Flow, Listener, ListenerId, PeerNames, Transmit, Transport, TransportError};
use sip::target::{Query, QueryId};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use table::{Opener, Peer, QueueError, Table};
use tokio::sync::mpsc::UnboundedSender;

/// A role's sockets and connections. Dropping it writes what is queued (for half a second at most) and closes them.
pub struct Net {
    listeners: Vec<Listener>,
    udp: Vec<(ListenerId, UdpSocket)>,
    table: Arc<Table>,
    ladder: Ladder,
    pub(crate) traffic: Arc<Traffic>,
    cable: Cable,
    /// Not bounded: it holds no more than the table has connections, and the look-ups that the role asks for.
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Net {
    /// Opens the listeners and starts the net thread; what arrives goes to `inbox`.
    pub fn start<T: Send + 'static>(config: NetConfig, inbox: InboxSender<T>) -> Result<Net, StartError> {
        let mut listeners = Vec::new();
        let mut sockets = Sockets { udp: Vec::new(), tcp: Vec::new() };
        let mut udp = Vec::new();
        for mut listener in config.listeners.iter().copied() {
            // Port 0 with a port chosen for another transport of the same listener: the same, if it is free.
            let shares = |own: &&Listener| own.id == listener.id && own.transport != Transport::Tls;
            let chosen = listeners.iter().find(shares).map(|own| own.addr.port());
            let chosen = chosen.filter(|_| listener.transport != Transport::Tls);
            if let (0, Some(port)) = (listener.addr.port(), chosen) {
                listener.addr.set_port(port);
            }
            let (transport, addr) = (listener.transport, listener.addr);
            let socket_error = |source| StartError::Socket { transport, addr, source };
            match listener.transport {
                Transport::Udp => {
                    let socket = sockets::udp(&listener)?;
                    listener.addr = socket.local_addr().map_err(socket_error)?;
                    udp.push((listener.id, socket.try_clone().map_err(socket_error)?));
                    sockets.udp.push((listener, socket));
                }
                Transport::Tls if config.tls.is_none() => return Err(StartError::NoTls { addr: listener.addr }),
                Transport::Tcp | Transport::Tls => {
                    let socket = sockets::tcp(&listener)?;
                    listener.addr = socket.local_addr().map_err(socket_error)?;
                    sockets.tcp.push((listener, socket));
                }
            }
            listeners.push(listener);
        }
        let asks = config.tls.as_ref().is_some_and(tls::Tls::asks);
        let table = Arc::new(Table::new(&config.limits, &config.exempt, asks));
        let engine = Arc::new(Engine::new(&config, inbox, table.clone()));
        let (commands, received) = tokio::sync::mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let own = listeners.first().map(|own| own.addr.ip()).filter(|own| !own.is_unspecified());
        let resolver = Resolver::new(&config.dns, own, config.name.clone(), config.events.clone());
        let cable = config.cable.clone();
        let thread = std::thread::Builder::new()
            .name(format!("{} net", config.name))
            .spawn(move || runtime.block_on(async { engine::run(engine, sockets, resolver, received).await }))
            .map_err(StartError::Thread)?;
        Ok(Net {
            listeners,
            udp,
            table,
            ladder: Ladder::new(config.name, config.events),
            traffic: Arc::default(),
            cable,
            commands: Some(commands),
            thread: Some(thread),
        })
    }

    /// The sockets as they are bound.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// What can be asked how the net does, while [`run`] has it.
    pub fn meter(&self) -> Meter {
        Meter { role: self.ladder.by().to_owned(), traffic: self.traffic.clone(), table: self.table.clone() }
    }

    pub(crate) fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    pub(crate) fn transmit(&self, transmit: Transmit) -> Result<(), TransportError> {
        let (transport, listener) = (transmit.to.transport(), transmit.to.listener());
        let local = bound(&self.listeners, listener, transport).ok_or(TransportError::Unsupported)?;
        self.ladder.sent(&transmit, local);
        self.traffic.sent(transport);
        let Transmit { id, to, bytes } = transmit;
        match (transport, to) {
            (Transport::Udp, to) => self.send_datagram(listener, to.remote(), &bytes),
            (Transport::Tcp | Transport::Tls, Destination::Flow(flow)) => {
                let number = flow.connection.ok_or(TransportError::Closed)?;
                self.table.send(number, id, bytes).map_err(|error| match error {
                    QueueError::Gone(_) => TransportError::Closed,
                    QueueError::Full => TransportError::QueueFull,
                })
            }
            (Transport::Tcp | Transport::Tls, Destination::Address { remote, names, .. }) => {
                self.send_to_peer(Peer { transport, listener, remote }, names, local, id, bytes)
            }
        }
    }

    fn send_datagram(&self, listener: ListenerId, remote: SocketAddr, bytes: &[u8]) -> Result<(), TransportError> {
        let socket = self.udp.iter().find(|(id, _)| *id == listener).map(|(_, socket)| socket);
        let socket = socket.ok_or(TransportError::Unsupported)?;
        if self.cable.is_pulled() {
            return Ok(());
        }
        match socket.send_to(bytes, remote) {
            Ok(_) => Ok(()),
            // The socket's buffer is full: as good as lost on the way, and sent again by its transaction.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            // EMSGSIZE has no name of its own in the standard library.
            Err(_) if bytes.len() > 65_507 => Err(TransportError::TooLarge),
            Err(error) => Err(connection::transport_error(&error)),
        }
    }

    /// By the open connection to the peer, or by a new one.
    fn send_to_peer(
        &self,
        peer: Peer,
        names: PeerNames,
        local: SocketAddr,
        id: u64,
        bytes: Bytes,
    ) -> Result<(), TransportError> {
        let mut bytes = bytes;
        if let Some(number) = self.table.find(&peer, &names) {
            match self.table.send(number, id, bytes) {
                Ok(()) => return Ok(()),
                Err(QueueError::Full) => return Err(TransportError::QueueFull),
                Err(QueueError::Gone(back)) => bytes = back,
            }
        }
        let slot = self.table.open(peer, Opener::Us(names)).map_err(|_| TransportError::Other)?;
        // The queue is new, so it has room.
        let queued = self.table.send(slot.number, id, bytes).map_err(|_| TransportError::Other);
        self.command(Command::Connect { slot, from: local });
        queued
    }

    pub(crate) fn close(&self, flow: &Flow) {
        if let Some(number) = flow.connection {
            self.table.close(number);
        }
    }

    /// The next request to this peer goes by a new connection: the one that there is may be dead without knowing it.
    pub(crate) fn distrust(&self, listener: ListenerId, transport: Transport, remote: SocketAddr) {
        self.table.distrust(&Peer { transport, listener, remote });
    }

    pub(crate) fn resolve(&self, query: QueryId, question: Query) {
        self.command(Command::Resolve { query, question });
    }

    pub(crate) fn know(&self, peers: Vec<KnownPeer>) {
        self.table.know(peers);
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // The net thread ends only after this end is dropped.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
