//! The open connections: found by number or by peer, fed through a bounded queue each.

use crate::role::KnownPeer;
use crate::tls::names;
use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use sip::flow::{ListenerId, PeerNames, Transport};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

/// Numbers of connections, never used twice in the process.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A message that waits to be written.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub id: u64,
    pub bytes: Bytes,
}

pub(crate) type Queue = mpsc::Receiver<Outgoing>;

/// What a connection is shared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer {
    pub transport: Transport,
    pub listener: ListenerId,
    pub remote: SocketAddr,
}

/// Who opens a connection.
pub(crate) enum Opener {
    /// The peer; by TLS, with the certificate that it showed.
    Them(Option<CertificateDer<'static>>),
    /// We, to reach whoever has one of these names.
    Us(PeerNames),
}

/// What a connection's task holds of it.
pub(crate) struct Slot {
    pub number: u64,
    pub peer: Peer,
    /// Who the peer has to be, where we opened it.
    pub names: PeerNames,
    pub queue: Queue,
    /// Told when the connection is to end at once.
    pub kill: Arc<Notify>,
}

struct Handle {
    queue: mpsc::Sender<Outgoing>,
    peer: Peer,
    /// RFC 5923: requests to this address go by it, too.
    alias: Option<Peer>,
    proof: Proof,
    /// The peer has opened it.
    theirs: bool,
    /// Counted for its source.
    counted: bool,
    kill: Arc<Notify>,
}

/// What is known of who a connection's peer is.
enum Proof {
    /// Asked for when it was opened: whoever has one of these names, and nobody else, gets what is sent by it.
    Names(PeerNames),
    /// A certificate of a CA that is trusted.
    Certificate(CertificateDer<'static>),
    None,
}

impl Handle {
    /// Whether what is meant for a peer with these names may go by this connection. Without TLS there is nothing to tell by.
    fn leads_to(&self, names: &PeerNames) -> bool {
        match &self.proof {
            _ if self.peer.transport != Transport::Tls => true,
            Proof::Names(own) => own == names,
            Proof::Certificate(certificate) => names::is_for(certificate, names, self.peer.remote.ip()),
            Proof::None => false,
        }
    }
}

#[derive(Default)]
struct Inner {
    by_number: HashMap<u64, Handle>,
    by_peer: HashMap<Peer, u64>,
    per_source: HashMap<IpAddr, usize>,
    known: BTreeMap<IpAddr, Vec<KnownPeer>>,
    /// Tasks that still run, those included whose connection is no longer in the table.
    running: usize,
}

/// All connections of a role's net; shared by its two threads.
pub(crate) struct Table {
    inner: Mutex<Inner>,
    most: usize,
    most_per_source: usize,
    queue: usize,
    asks: bool,
}

/// Why a message was not queued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum QueueError {
    /// No such connection (any more); the message for another try.
    Gone(Bytes),
    /// The peer does not read. Its connection was ended.
    Full,
}

/// Why a connection is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("too many connections")]
    All,
    #[error("too many connections from this address")]
    Source,
}

impl Table {
    /// `asks`: peers are asked for certificates.
    pub fn new(limits: &crate::Limits, exempt: &[IpAddr], asks: bool) -> Table {
        let known = exempt.iter().map(|source| (*source, Vec::new())).collect();
        let inner = Inner { known, ..Inner::default() };
        Table {
            inner: Mutex::new(inner),
            most: limits.connections,
            most_per_source: limits.connections_per_source,
            queue: limits.queue.max(1),
            asks,
        }
    }

    /// These are known now. A connection that one of them has opened under another's certificate, or without one that it must
    /// show, ends.
    pub fn know(&self, peers: Vec<KnownPeer>) {
        let mut inner = self.lock();
        inner.known.clear();
        for peer in peers {
            inner.known.entry(peer.address).or_default().push(peer);
        }
        for handle in inner.by_number.values().filter(|handle| handle.theirs) {
            let source = handle.peer.remote.ip();
            let proven = match &handle.proof {
                Proof::Certificate(certificate) => inner.is_other(source, certificate).is_none(),
                _ => handle.peer.transport != Transport::Tls || !(self.asks && inner.must_show(source)),
            };
            if !proven {
                handle.kill.notify_one();
            }
        }
    }

    /// Whether caps per source don't count for this one.
    pub fn is_exempt(&self, source: IpAddr) -> bool {
        self.lock().known.contains_key(&source)
    }

    /// Whom a known peer's certificate should be for, when it is not.
    pub fn is_other(&self, source: IpAddr, certificate: &CertificateDer<'_>) -> Option<PeerNames> {
        self.lock().is_other(source, certificate)
    }

    /// Whether whoever comes from here by TLS has to show a certificate.
    pub fn must_show(&self, source: IpAddr) -> bool {
        self.asks && self.lock().must_show(source)
    }

    /// A place for a connection.
    pub fn open(&self, peer: Peer, opener: Opener) -> Result<Slot, Full> {
        let mut inner = self.lock();
        let theirs = matches!(opener, Opener::Them(_));
        let (proof, names) = match opener {
            Opener::Them(None) => (Proof::None, PeerNames::default()),
            Opener::Them(Some(certificate)) => (Proof::Certificate(certificate), PeerNames::default()),
            Opener::Us(names) => (Proof::Names(names.clone()), names),
        };
        let source = peer.remote.ip();
        let exempt = inner.known.contains_key(&source);
        // Strangers who fill the table must not keep out the gateways, nor us.
        let reserve = if exempt || !theirs { self.most / 4 } else { 0 };
        if inner.by_number.len() >= self.most.saturating_add(reserve) {
            return Err(Full::All);
        }
        let counted = theirs && !exempt;
        if counted {
            let count = inner.per_source.entry(source).or_default();
            if *count >= self.most_per_source {
                return Err(Full::Source);
            }
            *count += 1;
        }
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, queue) = mpsc::channel(self.queue);
        let kill = Arc::new(Notify::new());
        let handle = Handle { queue: sender, peer, alias: None, proof, theirs, counted, kill: kill.clone() };
        inner.by_number.insert(number, handle);
        inner.by_peer.insert(peer, number);
        inner.running += 1;
        Ok(Slot { number, peer, names, queue, kill })
    }

    /// The number of the connection to this peer, if there is one, and it is who has one of these names.
    pub fn find(&self, peer: &Peer, names: &PeerNames) -> Option<u64> {
        let inner = self.lock();
        let number = *inner.by_peer.get(peer)?;
        inner.by_number.get(&number)?.leads_to(names).then_some(number)
    }

    /// By TLS, the peer has shown this certificate.
    pub fn prove(&self, number: u64, certificate: CertificateDer<'static>) {
        if let Some(handle) = self.lock().by_number.get_mut(&number) {
            handle.proof = Proof::Certificate(certificate);
        }
    }

    /// RFC 5923: the peer that opened it listens on this port, and takes what is sent there by this connection. Only with a
    /// certificate: anybody could say so.
    pub fn alias(&self, number: u64, port: u16) {
        let mut inner = self.lock();
        let Some(handle) = inner.by_number.get_mut(&number) else { return };
        if handle.alias.is_some() || !matches!(handle.proof, Proof::Certificate(_)) {
            return;
        }
        let alias = Peer { remote: SocketAddr::new(handle.peer.remote.ip(), port), ..handle.peer };
        handle.alias = Some(alias);
        inner.by_peer.insert(alias, number);
    }

    /// Queues a message. A full queue ends the connection.
    pub fn send(&self, number: u64, id: u64, bytes: Bytes) -> Result<(), QueueError> {
        let mut inner = self.lock();
        let Some(handle) = inner.by_number.get(&number) else { return Err(QueueError::Gone(bytes)) };
        match handle.queue.try_send(Outgoing { id, bytes }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(outgoing)) => {
                inner.remove(number);
                Err(QueueError::Gone(outgoing.bytes))
            }
            Err(TrySendError::Full(_)) => {
                handle.kill.notify_one();
                inner.remove(number);
                Err(QueueError::Full)
            }
        }
    }

    /// Takes a connection out. What is queued is still written; then its task ends.
    pub fn close(&self, number: u64) {
        self.lock().remove(number);
    }

    /// New requests to the peer go by another connection; answers may still go by this one.
    pub fn retire(&self, number: u64) {
        let mut inner = self.lock();
        let known = inner.by_number.get(&number).map(|handle| (handle.peer, handle.alias));
        if let Some((peer, alias)) = known {
            inner.forget(number, peer, alias);
        }
    }

    /// [`Table::retire`]s the connection to this peer, if there is one.
    pub fn distrust(&self, peer: &Peer) {
        self.lock().by_peer.remove(peer);
    }

    /// Takes all out: see [`Table::close`].
    pub fn close_all(&self) {
        let mut inner = self.lock();
        inner.by_number.clear();
        inner.by_peer.clear();
        inner.per_source.clear();
    }

    /// A connection's task has ended.
    pub fn ended(&self, number: u64) {
        let mut inner = self.lock();
        inner.remove(number);
        inner.running = inner.running.saturating_sub(1);
    }

    pub fn running(&self) -> usize {
        self.lock().running
    }

    /// Messages that wait for their connections' tasks.
    pub fn waiting(&self) -> usize {
        let queued = |handle: &Handle| handle.queue.max_capacity().saturating_sub(handle.queue.capacity());
        self.lock().by_number.values().map(queued).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under the lock can leave the maps at odds.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_other(&self, source: IpAddr, certificate: &CertificateDer<'_>) -> Option<PeerNames> {
        let known = self.known.get(&source)?;
        // Its own address proves a peer that is dialled by name, too; several routes may lead to one.
        let fits = |names: &PeerNames| {
            names::is_for(certificate, names, source) || names::is_for(certificate, &PeerNames::default(), source)
        };
        if known.iter().any(|peer| peer.names.as_ref().is_none_or(fits)) {
            return None;
        }
        known.iter().find_map(|peer| peer.names.clone())
    }

    fn must_show(&self, source: IpAddr) -> bool {
        self.known.get(&source).is_some_and(|known| !known.is_empty() && known.iter().all(|peer| peer.must_show))
    }

    fn forget(&mut self, number: u64, peer: Peer, alias: Option<Peer>) {
        for peer in std::iter::once(peer).chain(alias) {
            if self.by_peer.get(&peer) == Some(&number) {
                self.by_peer.remove(&peer);
            }
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(handle) = self.by_number.remove(&number) else { return };
        self.forget(number, handle.peer, handle.alias);
        let source = handle.peer.remote.ip();
        if handle.counted
            && let Some(count) = self.per_source.get_mut(&source)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_source.remove(&source);
            }
        }
    }
}
