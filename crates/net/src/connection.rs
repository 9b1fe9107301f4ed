//! One TCP connection: what comes in is framed and handed to the role, what the role queues is written.

use crate::engine::Engine;
use crate::table::{Outgoing, Peer, Queue, Slot};
use crate::{SipInput, sockets};
use sip::Framer;
use sip::flow::{Flow, TransportError};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep, timeout};

/// How long an answer may take after the peer has closed its half, or after a fatal error.
const LAST_WORDS: Duration = Duration::from_millis(500);
const READ_AT_ONCE: usize = 16 << 10;

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
    let connecting = sockets::connect(from.ip(), slot.peer.remote);
    let failure = tokio::select! {
        made = timeout(engine.limits.connect, connecting) => match made {
            Ok(Ok(stream)) => return serve(&engine, slot, stream, false).await,
            Ok(Err(error)) => transport_error(&error),
            Err(_) => TransportError::ConnectTimeout,
        },
        () = slot.kill.notified() => TransportError::QueueFull,
    };
    give_up(&engine, slot.number, slot.queue, failure);
}

/// What a connection's reading and writing halves tell each other.
#[derive(Default)]
struct Life {
    /// Something was received or written: its end is news for the role.
    used: AtomicBool,
    /// Milliseconds after the start at which something last moved.
    last: AtomicU64,
}

async fn serve<T: Send + 'static>(engine: &Engine<T>, mut slot: Slot, mut stream: TcpStream, theirs: bool) {
    sockets::prepare(&stream);
    let Peer { transport, listener, remote } = slot.peer;
    let Ok(local) = stream.local_addr() else {
        return give_up(engine, slot.number, slot.queue, TransportError::Closed);
    };
    let flow = Flow { transport, listener, local, remote, connection: Some(slot.number) };
    let life = Life::default();
    let started = Instant::now();
    let mut error = TransportError::Closed;
    {
        let (reader, writer) = stream.split();
        tokio::select! {
            () = read(engine, reader, &flow, &life, started, theirs) => {}
            result = write(engine, writer, &mut slot.queue, &life, started) => {
                error = result.err().unwrap_or(TransportError::Closed);
            }
            () = slot.kill.notified() => error = TransportError::QueueFull,
        }
    }
    if error == TransportError::QueueFull {
        sockets::reset_on_close(&stream);
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
    reader: ReadHalf<'_>,
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
        match timeout(until - now, reader.readable()).await {
            Err(_) => continue,
            Ok(Err(_)) => return,
            Ok(Ok(())) => {}
        }
        let result = SCRATCH.with_borrow_mut(|scratch| {
            let read = reader.try_read(scratch)?;
            framer.push(scratch.get(..read).unwrap_or_default());
            Ok::<usize, std::io::Error>(read)
        });
        match result {
            Ok(0) => {
                // The peer says no more, but may wait for what we have to say.
                engine.table.retire(number);
                return sleep(LAST_WORDS).await;
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
            Err(_) => return,
        }
        life.last.store(millis(started), Ordering::Relaxed);
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
        for _ in 0..framer.take_pings() {
            // RFC 5626 4.4.1: CRLF CRLF is answered by CRLF. A full queue has ended the connection.
            let _ = engine.table.send(number, 0, bytes::Bytes::from_static(b"\r\n"));
        }
        half_open = match (half_open, framer.pending() > 0) {
            (Some(since), _) if !whole => Some(since),
            (_, true) => Some(Instant::now()),
            (_, false) => None,
        };
    }
}

/// Writes what is queued, until the queue is closed or the peer no longer takes it.
async fn write<T>(
    engine: &Engine<T>,
    mut writer: WriteHalf<'_>,
    queue: &mut Queue,
    life: &Life,
    started: Instant,
) -> Result<(), TransportError>
where
    T: Send + 'static,
{
    while let Some(Outgoing { id, bytes }) = queue.recv().await {
        life.used.store(true, Ordering::Relaxed);
        let taken = writer.try_write(&bytes).unwrap_or(0);
        let rest = bytes.get(taken..).unwrap_or_default();
        if !rest.is_empty() {
            let failure = match timeout(engine.limits.write, writer.write_all(rest)).await {
                Ok(Ok(())) => None,
                Ok(Err(_)) => Some(TransportError::Closed),
                Err(_) => Some(TransportError::QueueFull),
            };
            if let Some(error) = failure {
                engine.failed(id, error);
                return Err(error);
            }
        }
        life.last.store(millis(started), Ordering::Relaxed);
    }
    let _ = writer.shutdown().await;
    Ok(())
}

/// Takes the connection out of the table and says of each message that still waits that it will not go out.
fn give_up<T: Send + 'static>(engine: &Engine<T>, number: u64, mut queue: Queue, error: TransportError) {
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
