//! Listening, and what each connection may take.

use crate::guard::guard;
use crate::listen::Listening;
use crate::live::Live;
use crate::sessions::Sessions;
use crate::tls::open;
use crate::tokens::Tokens;
use crate::{App, Parts, Settings, admin, api, metrics, page};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use net::tls::TlsError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Connections at once; the next waits until one ends.
const CONNECTIONS: usize = 1024;

/// Why there is no web server. One sentence for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process listens there: stop it, or configure another port.
    #[error("{server}: {address} is in use by another process")]
    PortTaken { server: &'static str, address: SocketAddr },
    /// The address is not this machine's, or needs rights that the process lacks.
    #[error("{server}: {address} can't be listened on: {reason}")]
    Listen { server: &'static str, address: SocketAddr, reason: io::Error },
    /// The certificate or its key can't be used.
    #[error("{server}: {reason}")]
    Tls { server: &'static str, reason: TlsError },
}

impl StartError {
    pub(crate) fn listen(server: &'static str, address: SocketAddr, reason: io::Error) -> StartError {
        match reason.kind() {
            io::ErrorKind::AddrInUse => StartError::PortTaken { server, address },
            _ => StartError::Listen { server, address, reason },
        }
    }
}

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
    let failed = |reason| StartError::listen("web", settings.listen, reason);
    let tls = match &settings.tls {
        Some(files) => Some(open(files, &parts.events).map_err(|reason| StartError::Tls { server: "web", reason })?),
        None => None,
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
        .route("/metrics", get(metrics::of_pages))
        .merge(page::router())
        .merge(admin::router())
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app);
    let (stop, stopped) = watch::channel(());
    let listening = Listening { listener, tls, router, connections: CONNECTIONS };
    Ok(Running { address, stop, accepting: tokio::spawn(listening.run(stopped)) })
}
