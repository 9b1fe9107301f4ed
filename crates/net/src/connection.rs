//! One connection, by TCP or TLS: what comes in is framed and handed to the role, what the role queues is written.

use crate::engine::Engine;
use crate::table::{Outgoing, Peer, Queue, Slot};
use crate::tls::problem::Failed;
use crate::{SipInput, secure, sockets};
use bytes::Bytes;
use sip::flow::{Flow, Transport, TransportError};
use sip::{Framer, Message, Via};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long an answer may take after the peer has closed its half, or after a fatal error.
const LAST_WORDS: Duration = Duration::from_millis(500);
const READ_AT_ONCE: usize = 16 << 10;
/// RFC 5626 3.5.1.
const PING: &[u8] = b"\r\n\r\n";
/// What a TLS connection begins with (RFC 8446 5.1), and SIP never does.
pub(crate) const TLS_HANDSHAKE: u8 = 22;

thread_local! {
    /// Read into by all connections of the thread, each for the moment between two awaits.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AT_ONCE].into());
}

/// A connection that the peer opened.
pub(crate) async fn accepted<T: Send + 'static>(engine: Arc<Engine<T>>, slot: Slot, stream: TcpStream) {
    serve(&engine, slot, stream, true).await;
}

/// A connection that we open because something is queued for the peer.
pub(crate) async fn opened<T: Send + 'static>(engine: Arc<Engine<T>>, slot: Slot, from: SocketAddr) {
    let connecting = async {
        engine.cable.until_plugged().await;
        sockets::connect(from.ip(), slot.peer.remote).await
    };
    let made = tokio::select! {
        made = timeout(engine.limits.connect, connecting) => match made {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(transport_error(&error)),
            Err(_) => Err(TransportError::ConnectTimeout),
        },
        () = slot.kill.notified() => Err(TransportError::QueueFull),
    };
    match made {
        Ok(stream) if slot.peer.transport == Transport::Tls => secure::opened(engine, slot, stream).await,
        Ok(stream) => serve(&engine, slot, stream, false).await,
        Err(failure) => give_up(&engine, slot.number, slot.queue, failure),
    }
}

/// What carries a connection's bytes.
pub(crate) trait Link {
    /// The socket below.
    fn tcp(&self) -> &TcpStream;
    /// To read from and to write to, side by side.
    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send);
}

impl Link for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send) {
        self.split()
    }
}

/// What a connection's reading and writing halves tell each other.
#[derive(Default)]
struct Life {
    /// Something was received or written: its end is news for the role.
    used: AtomicBool,
    /// Milliseconds after the start at which something last moved.
    last: AtomicU64,
}

pub(crate) async fn serve<T, L>(engine: &Engine<T>, mut slot: Slot, mut stream: L, theirs: bool)
where
    T: Send + 'static,
    L: Link,
{
    sockets::prepare(stream.tcp());
    let Peer { transport, listener, remote } = slot.peer;
    let Ok(local) = stream.tcp().local_addr() else {
        return give_up(engine, slot.number, slot.queue, TransportError::Closed);
    };
    let flow = Flow { transport, listener, local, remote, connection: Some(slot.number) };
    let life = Life::default();
    let started = Instant::now();
    let mut error = TransportError::Closed;
    {
        let (reader, writer) = stream.halves();
        // We keep warm what we opened; the peer keeps what it did.
        let keep_alive = (transport == Transport::Tls && !theirs).then_some(engine.limits.keep_alive);
        tokio::select! {
            () = read(engine, reader, &flow, &life, started, theirs) => {}
            result = write(engine, writer, &mut slot.queue, (&life, started), keep_alive) => {
                error = result.err().unwrap_or(TransportError::Closed);
            }
            () = slot.kill.notified() => error = TransportError::QueueFull,
        }
    }
    // A pulled cable lets no FIN and no RST out, either.
    engine.cable.until_plugged().await;
    if error == TransportError::QueueFull {
        sockets::reset_on_close(stream.tcp());
    }
    drop(stream);
    give_up(engine, slot.number, slot.queue, error);
    if life.used.load(Ordering::Relaxed) {
        engine.inbox.answer(SipInput::FlowClosed(flow));
    }
}

/// Reads until the peer closes, falls silent, or can't be understood.
async fn read<T: Send + 'static>(
    engine: &Engine<T>,
    mut reader: impl AsyncRead + Unpin,
    flow: &Flow,
    life: &Life,
    started: Instant,
    theirs: bool,
) {
    let limits = &engine.limits;
    let mut framer = Framer::new();
    let number = flow.connection.unwrap_or_default();
    // Since when a whole message is awaited: from the start for a stranger, from its first byte for others.
    let mut half_open = theirs.then_some(started);
    // It has not said anything yet.
    let mut stranger = theirs;
    // RFC 5923 8.2: said in the first request by a connection, if at all.
    let mut wants_alias = theirs && flow.transport == Transport::Tls;
    loop {
        let now = Instant::now();
        let until = match half_open {
            Some(since) => since + limits.half_open,
            None => started + Duration::from_millis(life.last.load(Ordering::Relaxed)) + limits.idle,
        };
        if until <= now {
            if half_open.is_some() {
                engine.refused(flow.remote.ip(), "no whole message in time");
                return;
            }
            return engine.table.close(number);
        }
        match timeout(until - now, fill(&mut reader, &mut framer)).await {
            Err(_) => continue,
            Ok(Ok(None)) => {
                // The peer says no more, but may wait for what we have to say.
                engine.table.retire(number);
                return sleep(LAST_WORDS).await;
            }
            Ok(Ok(Some(TLS_HANDSHAKE))) if std::mem::take(&mut stranger) => {
                let reason = "it speaks TLS on a port for TCP: let it use the TLS port (5061), or TCP";
                return engine.refused(flow.remote.ip(), reason);
            }
            Ok(Ok(Some(_))) => stranger = false,
            Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(Err(error)) => {
                // TLS 1.3: a server refuses our certificate when, for us, the handshake is done.
                if let Some(failed) = Failed::of_tls(&error) {
                    engine.insecure(flow.remote, theirs, failed);
                }
                return;
            }
        }
        engine.cable.until_plugged().await;
        let mut whole = false;
        let mut before = framer.pending();
        while let Some(message) = framer.next() {
            whole = true;
            life.used.store(true, Ordering::Relaxed);
            let size = before.saturating_sub(framer.pending());
            before = framer.pending();
            let fatal = framer.is_dead();
            if fatal {
                engine.refused(flow.remote.ip(), "framing lost");
            }
            if wants_alias && let Ok(Message::Request(request)) = &message {
                wants_alias = false;
                if let Some(via) = request.headers.sound::<Via>().filter(|via| via.params.has("alias")) {
                    engine.table.alias(number, via.port.unwrap_or(flow.transport.default_port()));
                }
            }
            // Waits for room in the inbox: meanwhile this connection is not read, and no other is hindered.
            let capped = theirs && !engine.table.is_exempt(flow.remote.ip());
            engine
                .inbox
                .stream(SipInput::Received { message, wire: framer.take_last(), flow: flow.clone() }, size, capped)
                .await;
            if fatal {
                engine.table.retire(number);
                return sleep(LAST_WORDS).await;
            }
        }
        // The answers to our own keep-alive are no use of the connection.
        if theirs || whole || framer.pending() > 0 {
            life.last.store(millis(started), Ordering::Relaxed);
        }
        for _ in 0..framer.take_pings() {
            // RFC 5626 4.4.1: CRLF CRLF is answered by CRLF. A full queue has ended the connection.
            let _ = engine.table.send(number, 0, Bytes::from_static(b"\r\n"));
        }
        half_open = match (half_open, framer.pending() > 0) {
            (Some(since), _) if !whole => Some(since),
            (_, true) => Some(Instant::now()),
            (_, false) => None,
        };
    }
}

/// Reads what is there into the framer: its first byte, nothing at the end. Cancelled, it has read nothing.
async fn fill(reader: &mut (impl AsyncRead + Unpin), framer: &mut Framer) -> Result<Option<u8>, std::io::Error> {
    poll_fn(|context| {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
            framer.push(buffer.filled());
            Poll::Ready(Ok(buffer.filled().first().copied()))
        })
    })
    .await
}

/// Writes what is queued, until the queue is closed or the peer no longer takes it.
async fn write<T>(
    engine: &Engine<T>,
    mut writer: impl AsyncWrite + Unpin,
    queue: &mut Queue,
    (life, started): (&Life, Instant),
    keep_alive: Option<Duration>,
) -> Result<(), TransportError>
where
    T: Send + 'static,
{
    loop {
        let next = match keep_alive {
            None => queue.recv().await,
            Some(after) => match timeout(after, queue.recv()).await {
                Ok(next) => next,
                Err(_) => Some(Outgoing { id: 0, bytes: Bytes::from_static(PING) }),
            },
        };
        let Some(Outgoing { id, bytes }) = next else { break };
        engine.cable.until_plugged().await;
        let ping = bytes.as_ref() == PING;
        if !ping {
            life.used.store(true, Ordering::Relaxed);
        }
        let writing = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        let failure = match timeout(engine.limits.write, writing).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(TransportError::Closed),
            Err(_) => Some(TransportError::QueueFull),
        };
        if let Some(error) = failure {
            engine.failed(id, error);
            return Err(error);
        }
        if !ping {
            life.last.store(millis(started), Ordering::Relaxed);
        }
    }
    let _ = writer.shutdown().await;
    Ok(())
}

/// Takes the connection out of the table and says of each message that still waits that it will not go out.
pub(crate) fn give_up<T: Send + 'static>(engine: &Engine<T>, number: u64, mut queue: Queue, error: TransportError) {
    queue.close();
    while let Ok(outgoing) = queue.try_recv() {
        engine.failed(outgoing.id, error);
    }
    engine.table.ended(number);
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn transport_error(error: &std::io::Error) -> TransportError {
    match error.kind() {
        ErrorKind::ConnectionRefused => TransportError::Refused,
        ErrorKind::TimedOut => TransportError::ConnectTimeout,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => {
            TransportError::Unreachable
        }
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => TransportError::Closed,
        _ => TransportError::Other,
    }
}
