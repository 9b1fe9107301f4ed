//! The net thread: listeners, connections and look-ups of one role.

use crate::resolve::Resolver;
use crate::table::{Opener, Peer, Slot, Table};
use crate::tls::problem::Failed;
use crate::tls::{HalfOpen, Tls};
use crate::{Cable, InboxSender, Limits, NetConfig, SipInput, connection, secure};
use bytes::Bytes;
use event::{Event, Now, Sink};
use sip::flow::{Flow, Listener, ListenerId, Transport, TransportError};
use sip::target::{Answer, Query, QueryId};
use sip::{Problem, parse_datagram};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How many datagrams are read before others get their turn.
const DATAGRAMS_AT_ONCE: usize = 64;
/// How many failed handshakes of peers are told of.
const FAILURES_A_SECOND: u32 = 10;
/// How long the end waits for what is still to be written.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long a question to the DNS waits for a cable that is pulled.
const LOOK_UP: Duration = Duration::from_secs(4);

/// What the role's thread asks of the net thread.
pub(crate) enum Command {
    /// Connect, and write what is queued in the slot.
    Connect {
        slot: Slot,
        from: SocketAddr,
    },
    Resolve {
        query: QueryId,
        question: Query,
    },
}

/// What the tasks of the net thread share.
pub(crate) struct Engine<T> {
    pub inbox: InboxSender<T>,
    pub table: Arc<Table>,
    pub limits: Limits,
    pub cable: Cable,
    pub tls: Option<Tls>,
    pub half_open: HalfOpen,
    name: String,
    events: Option<Arc<dyn Sink>>,
    /// When a refusal was last told of: strangers must not fill the log.
    last_refusal: Mutex<Option<Instant>>,
    /// Since when failed handshakes of peers were counted, and how many.
    failures: Mutex<(Option<Instant>, u32)>,
}

/// Opened sockets, on their way to the net thread.
pub(crate) struct Sockets {
    pub udp: Vec<(Listener, std::net::UdpSocket)>,
    pub tcp: Vec<(Listener, std::net::TcpListener)>,
}

impl<T: Send + 'static> Engine<T> {
    pub fn new(config: &NetConfig, inbox: InboxSender<T>, table: Arc<Table>) -> Engine<T> {
        Engine {
            inbox,
            table,
            limits: config.limits,
            cable: config.cable.clone(),
            tls: config.tls.clone(),
            half_open: HalfOpen::default(),
            name: config.name.clone(),
            events: config.events.clone(),
            last_refusal: Mutex::new(None),
            failures: Mutex::new((None, 0)),
        }
    }

    /// A message will not go out. Those of no transaction (keep-alive) have nobody to tell.
    pub fn failed(&self, id: u64, error: TransportError) {
        if id != 0 {
            self.inbox.answer(SipInput::TransmitFailed { id, error });
        }
    }

    /// Tells of a TLS connection that was made.
    pub fn secured(
        &self,
        peer: SocketAddr,
        incoming: bool,
        version: String,
        resumed: bool,
        certificate: Option<String>,
    ) {
        if let Some(events) = &self.events {
            let by = self.name.clone();
            events.emit(Now::read(), Event::TlsConnected { by, peer, incoming, version, resumed, certificate });
        }
    }

    /// Tells of one that was not: of those that peers opened, ten a second at most.
    pub fn insecure(&self, peer: SocketAddr, incoming: bool, failed: Failed) {
        let Some(events) = &self.events else { return };
        let now = Now::read();
        if incoming {
            let mut told = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if told.0.is_none_or(|since| now.instant.duration_since(since) >= Duration::from_secs(1)) {
                *told = (Some(now.instant), 0);
            }
            if told.1 >= FAILURES_A_SECOND {
                return;
            }
            told.1 += 1;
        }
        let Failed { problem, reason } = failed;
        events.emit(now, Event::TlsFailed { by: self.name.clone(), peer, incoming, problem, reason });
    }

    /// Tells of a refused or ended connection, once a second at most.
    pub fn refused(&self, source: IpAddr, reason: &str) {
        let Some(events) = &self.events else { return };
        let now = Now::read();
        let mut last = self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|at| now.instant.duration_since(at) >= Duration::from_secs(1)) {
            *last = Some(now.instant);
            events.emit(now, Event::ConnectionRefused { source, reason: reason.to_owned() });
        }
    }
}

/// Runs until the role's half is gone.
pub(crate) async fn run<T: Send + 'static>(
    engine: Arc<Engine<T>>,
    sockets: Sockets,
    resolver: Resolver,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    for (listener, socket) in sockets.udp {
        match UdpSocket::from_std(socket) {
            Ok(socket) => drop(tokio::spawn(datagrams(engine.clone(), listener, socket))),
            Err(error) => tracing::error!("UDP {}: {error}", listener.addr),
        }
    }
    for (listener, socket) in sockets.tcp {
        match TcpListener::from_std(socket) {
            Ok(socket) => drop(tokio::spawn(accept(engine.clone(), listener, socket))),
            Err(error) => tracing::error!("{} {}: {error}", listener.transport, listener.addr),
        }
    }
    let resolver = Arc::new(resolver);
    while let Some(command) = commands.recv().await {
        match command {
            Command::Connect { slot, from } => {
                tokio::spawn(connection::opened(engine.clone(), slot, from));
            }
            Command::Resolve { query, question } => {
                let (engine, resolver) = (engine.clone(), resolver.clone());
                tokio::spawn(async move {
                    // Questions go by the same cable.
                    let answer = match timeout(LOOK_UP, engine.cable.until_plugged()).await {
                        Ok(()) => resolver.ask(question).await,
                        Err(_) => Answer::Failed,
                    };
                    engine.inbox.answer(SipInput::Resolved { query, answer });
                });
            }
        }
    }
    // The role is gone: what it said last is still written.
    engine.table.close_all();
    let until = Instant::now() + FAREWELL;
    while engine.table.running() > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn datagrams<T: Send + 'static>(engine: Arc<Engine<T>>, listener: Listener, socket: UdpSocket) {
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        if socket.readable().await.is_err() {
            continue;
        }
        for _ in 0..DATAGRAMS_AT_ONCE {
            // An error is of some earlier datagram that did not arrive; there is nothing to do about it here.
            let Ok((size, remote)) = socket.try_recv_from(&mut buffer) else { break };
            if engine.cable.is_pulled() {
                continue;
            }
            let capped = !engine.table.is_exempt(remote.ip());
            if !engine.inbox.takes_datagram(remote.ip(), size, capped) {
                continue;
            }
            let wire = Bytes::copy_from_slice(buffer.get(..size).unwrap_or_default());
            let message = parse_datagram(wire.clone());
            if matches!(&message, Err(malformed) if malformed.problem == Problem::KeepAlive) {
                continue;
            }
            let (local, id) = (listener.addr, listener.id);
            let flow = Flow { transport: Transport::Udp, listener: id, local, remote, connection: None };
            engine.inbox.datagram(SipInput::Received { message, wire, flow }, size, capped);
        }
        tokio::task::yield_now().await;
    }
}

async fn accept<T: Send + 'static>(engine: Arc<Engine<T>>, listener: Listener, socket: TcpListener) {
    loop {
        let (stream, remote) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(_) => {
                // No file descriptor is free, for example: those that are open come first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if engine.cable.is_pulled() {
            engine.cable.until_plugged().await;
            drop(stream);
            forget_backlog(&socket).await;
            continue;
        }
        if listener.transport == Transport::Tls {
            tokio::spawn(secure::accepted(engine.clone(), listener.id, stream, remote));
            continue;
        }
        let peer = Peer { transport: Transport::Tcp, listener: listener.id, remote };
        match engine.table.open(peer, Opener::Them(None)) {
            Ok(slot) => drop(tokio::spawn(connection::accepted(engine.clone(), slot, stream))),
            Err(full) => engine.refused(remote.ip(), &full.to_string()),
        }
    }
}

/// Ends the connections that were made while the cable was pulled: who made them has given up, or will hear of it now.
async fn forget_backlog(socket: &TcpListener) {
    while let Ok(Ok(_)) = timeout(Duration::ZERO, socket.accept()).await {}
}

/// The listener's socket of this transport, as it is bound.
pub(crate) fn bound(listeners: &[Listener], id: ListenerId, transport: Transport) -> Option<SocketAddr> {
    listeners.iter().find(|own| own.id == id && own.transport == transport).map(|own| own.addr)
}
