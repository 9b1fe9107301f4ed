//! Listening, and what each connection may take.

use crate::guard::guard;
use crate::live::Live;
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::{App, Parts, Settings, api, page};
use axum::Extension;
use axum::Router;
use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Connections at once; the next waits until one ends.
const CONNECTIONS: usize = 1024;
/// Within this a request's header must be there: a connection that sends it letter by letter holds up nobody for long.
const HEADER: Duration = Duration::from_secs(15);
/// What a refused accept (no file descriptors left) waits before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Why there is no web server. One sentence for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process listens there: stop it, or configure another port.
    #[error("web: {0} is in use by another process")]
    PortTaken(SocketAddr),
    /// The address is not this machine's, or needs rights that the process lacks.
    #[error("web: {address} can't be listened on: {reason}")]
    Listen { address: SocketAddr, reason: io::Error },
}

/// Whom a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A running web server. Dropping it stops it.
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and ends all connections.
    pub async fn stop(self) {
        let Running { stop, accepting, .. } = self;
        drop(stop);
        // It ends by itself now; a panic in it was its own report.
        let _ = accepting.await;
    }
}

/// Listens, and serves from then on, on the runtime that this is called on.
pub async fn start(settings: Settings, parts: Parts) -> Result<Running, StartError> {
    let failed = |reason: io::Error| match reason.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken(settings.listen),
        _ => StartError::Listen { address: settings.listen, reason },
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let app = Arc::new(App {
        sessions: Sessions::default(),
        tokens: Tokens::new(&settings.admin_tokens, parts.store.clone()),
        live: Live::start(parts.events.clone()),
        settings,
        parts,
        address,
    });
    let router = Router::new()
        .nest("/api/v1", api::router())
        .merge(page::router())
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app);
    let (stop, stopped) = watch::channel(());
    Ok(Running { address, stop, accepting: tokio::spawn(accept(listener, router, stopped)) })
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<()>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = async {
                // The semaphore is never closed.
                let permit = connections.clone().acquire_owned().await;
                (listener.accept().await, permit)
            } => accepted,
            _ = stopped.changed() => return,
        };
        match accepted {
            (Ok((stream, peer)), permit) => {
                let (router, mut stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve(stream, peer, router) => {}
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

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    let router = router.layer(Extension(Peer(peer)));
    let service = TowerToHyperService::new(router);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "web: a connection ended");
    }
}
