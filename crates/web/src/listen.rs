//! Accepts connections, plain or by TLS, and serves a router on each.

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use net::tls::{HalfOpen, Tls};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Within this a request's header must be there: a connection that sends it letter by letter holds up nobody for long.
const HEADER: Duration = Duration::from_secs(15);
/// Within this the TLS handshake must be done.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a refused accept (no file descriptors left) waits before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Whom a request came from, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub address: SocketAddr,
    /// By TLS.
    pub secure: bool,
}

/// A socket, and what is served there.
pub(crate) struct Listening {
    pub listener: TcpListener,
    pub tls: Option<Tls>,
    pub router: Router,
    /// Connections at once; the next waits until one ends.
    pub connections: usize,
}

impl Listening {
    /// Serves until `stopped` changes, or its sender is gone; then all connections end.
    pub async fn run(self, mut stopped: watch::Receiver<()>) {
        let connections = Arc::new(Semaphore::new(self.connections));
        let half_open = HalfOpen::default();
        loop {
            let accepted = tokio::select! {
                accepted = async {
                    // The semaphore is never closed.
                    let permit = connections.clone().acquire_owned().await;
                    (self.listener.accept().await, permit)
                } => accepted,
                _ = stopped.changed() => return,
            };
            match accepted {
                (Ok((stream, address)), permit) => {
                    let (router, tls, half_open) = (self.router.clone(), self.tls.clone(), half_open.clone());
                    let mut stopped = stopped.clone();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = serve(stream, address, tls, half_open, router) => {}
                            _ = stopped.changed() => {}
                        }
                        drop(permit);
                    });
                }
                (Err(error), _) => {
                    tracing::warn!(%error, "web: a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, address: SocketAddr, tls: Option<Tls>, half_open: HalfOpen, router: Router) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return speak(stream, Peer { address, secure: false }, router).await;
    };
    let Some(place) = half_open.enter(address.ip().to_canonical()) else {
        return tracing::debug!(%address, "web: too many handshakes at once");
    };
    // It was read at the start: there is one.
    let Some(config) = tls.server() else { return };
    match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => {
            drop(place);
            speak(stream, Peer { address, secure: true }, router).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "web: a TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "web: a TLS handshake took too long"),
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, router: Router) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(peer = %peer.address, %error, "web: a connection ended");
    }
}
