//! TLS handshakes, of connections that peers open and of ours, before SIP is spoken on them.

use crate::connection::{self, Link, TLS_HANDSHAKE};
use crate::engine::Engine;
use crate::table::{Opener, Peer, Slot};
use crate::tls::CertificateInfo;
use crate::tls::names;
use crate::tls::problem::Failed;
use event::TlsProblem;
use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};
use sip::flow::{ListenerId, PeerNames, Transport, TransportError};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

impl Link for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn halves(&mut self) -> (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send) {
        tokio::io::split(self)
    }
}

/// A connection that a peer opened to a TLS port. It has no place among the others before its handshake is done.
pub(crate) async fn accepted<T: Send + 'static>(
    engine: Arc<Engine<T>>,
    listener: ListenerId,
    stream: TcpStream,
    remote: SocketAddr,
) {
    let source = remote.ip();
    // Gateways are not counted: after a failure all their connections come at once.
    let place = if engine.table.is_exempt(source) { None } else { Some(engine.half_open.enter(source)) };
    if matches!(place, Some(None)) {
        return engine.insecure(remote, true, Failed::too_many());
    }
    // On the heap, and gone when it is done: what a handshake needs is much more than what stays.
    let greeted = match timeout(engine.limits.handshake, Box::pin(greet(&engine, stream))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(failed)) => Err(failed),
        Err(_) => Err(Failed::silent(engine.limits.handshake.as_secs())),
    };
    drop(place);
    let stream = match greeted {
        Ok(stream) => stream,
        Err(failed) => return engine.insecure(remote, true, failed),
    };
    let certificate = shown(stream.get_ref().1);
    // RFC 5922 7.4: whoever comes from a gateway's address has that gateway's certificate.
    let other = match &certificate {
        Some(certificate) => {
            engine.table.is_other(source, certificate).map(|names| wrong_name(Some(certificate), &names, source))
        }
        None => engine.table.must_show(source).then(|| Failed::no_certificate(source)),
    };
    if let Some(failed) = other {
        let mut stream = stream;
        let _ = stream.shutdown().await;
        return engine.insecure(remote, true, failed);
    }
    tell(&engine, remote, true, stream.get_ref().1, certificate.as_ref());
    let peer = Peer { transport: Transport::Tls, listener, remote };
    match engine.table.open(peer, Opener::Them(certificate)) {
        Ok(slot) => connection::serve(&engine, slot, stream, true).await,
        Err(full) => engine.refused(source, &full.to_string()),
    }
}

async fn greet<T>(engine: &Engine<T>, stream: TcpStream) -> Result<TlsStream<TcpStream>, Failed>
where
    T: Send + 'static,
{
    let Some(config) = engine.tls.as_ref().and_then(crate::tls::Tls::server) else {
        return Err(Failed::no_certificate_of_ours());
    };
    let mut first = [0];
    match stream.peek(&mut first).await {
        // Somebody looked whether the port is open.
        Ok(0) => return Err(Failed::new(TlsProblem::Broken, "it opened the connection and closed it again")),
        Ok(_) if first != [TLS_HANDSHAKE] => return Err(Failed::plain_text()),
        Ok(_) => {}
        Err(error) => return Err(Failed::of(&error)),
    }
    match TlsAcceptor::from(config).accept(stream).await {
        Ok(stream) => Ok(TlsStream::from(stream)),
        Err(error) => Err(Failed::of(&error)),
    }
}

/// A connection of ours that is made, and is to be TLS.
pub(crate) async fn opened<T: Send + 'static>(engine: Arc<Engine<T>>, slot: Slot, stream: TcpStream) {
    let remote = slot.peer.remote;
    let made = tokio::select! {
        made = timeout(engine.limits.handshake, Box::pin(knock(&engine, &slot, stream))) => match made {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(failed)) => Err(Some(failed)),
            Err(_) => Err(Some(Failed::silent(engine.limits.handshake.as_secs()))),
        },
        () = slot.kill.notified() => Err(None),
    };
    match made {
        Ok((stream, certificate)) => {
            tell(&engine, remote, false, stream.get_ref().1, certificate.as_ref());
            if let Some(certificate) = certificate {
                engine.table.prove(slot.number, certificate);
            }
            connection::serve(&engine, slot, stream, false).await;
        }
        Err(Some(failed)) => {
            engine.insecure(remote, false, failed);
            connection::give_up(&engine, slot.number, slot.queue, TransportError::Insecure);
        }
        Err(None) => connection::give_up(&engine, slot.number, slot.queue, TransportError::QueueFull),
    }
}

type Knocked = (TlsStream<TcpStream>, Option<CertificateDer<'static>>);

async fn knock<T>(engine: &Engine<T>, slot: &Slot, stream: TcpStream) -> Result<Knocked, Failed>
where
    T: Send + 'static,
{
    let Some(tls) = &engine.tls else { return Err(Failed::no_certificate_of_ours()) };
    let address = slot.peer.remote.ip();
    let connector = TlsConnector::from(tls.client());
    let connecting = connector.connect(names::asked_for(&slot.names, address), stream);
    let stream = connecting.await.map_err(|error| Failed::of(&error))?;
    let mut stream = TlsStream::from(stream);
    let certificate = shown(stream.get_ref().1);
    if certificate.as_ref().is_some_and(|certificate| names::is_for(certificate, &slot.names, address)) {
        return Ok((stream, certificate));
    }
    // Nothing was said to it yet.
    let _ = stream.shutdown().await;
    Err(wrong_name(certificate.as_ref(), &slot.names, address))
}

fn wrong_name(certificate: Option<&CertificateDer<'_>>, names: &PeerNames, address: IpAddr) -> Failed {
    let presented = certificate.and_then(|certificate| CertificateInfo::read(certificate)).map(|info| info.names);
    Failed::wrong_name(&names::in_words(names, address), &presented.unwrap_or_default())
}

fn shown(state: &CommonState) -> Option<CertificateDer<'static>> {
    Some(state.peer_certificates()?.first()?.clone().into_owned())
}

fn tell<T: Send + 'static>(
    engine: &Engine<T>,
    remote: SocketAddr,
    incoming: bool,
    state: &CommonState,
    certificate: Option<&CertificateDer<'static>>,
) {
    let version = match state.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
        _ => "1.2",
    };
    let resumed = state.handshake_kind() == Some(HandshakeKind::Resumed);
    let subject = certificate.and_then(|certificate| CertificateInfo::read(certificate)).map(|info| info.subject);
    engine.secured(remote, incoming, version.to_owned(), resumed, subject);
}
