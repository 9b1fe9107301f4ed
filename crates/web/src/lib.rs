//! REST interface and browser pages.
//!
//! [`start`] serves both on one address: `/api/v1/` speaks JSON, `/` is a page that uses it. What is asked of the node
//! and of the UM server goes out as their typed commands, through the doors of [`Parts`]; mailboxes are read and
//! changed in the store itself. Who comes in is either the administrator (a bearer token) or the owner of one mailbox
//! (a bearer token, or extension and PIN).

mod admin;
mod api;
mod doors;
mod error;
mod guard;
mod listen;
mod live;
pub mod metrics;
mod page;
mod principal;
pub mod provisioning;
mod range;
mod server;
mod sessions;
mod tls;
mod tokens;

pub use doors::{NodeDoor, UmDoor};
pub use net::tls::{TlsError, TlsFiles};
pub use server::{Running, StartError, start};
pub use tokens::KIND as TOKENS;

use mailbox::Mailboxes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where to listen, and who may come in.
#[derive(Clone)]
pub struct Settings {
    /// Port 0: any free one; [`Running::address`] tells which.
    pub listen: SocketAddr,
    /// Names by which browsers may call this server, beside its address: what the Host header may say. With a port or
    /// without (then any port, for a proxy in front).
    pub hosts: Vec<String>,
    /// Bearer tokens of the administrator. The lab's is `lab-admin`; elsewhere there is none by default.
    pub admin_tokens: Vec<String>,
    /// Whether browsers reach it by HTTPS only through a proxy: the cookie then says so.
    pub https: bool,
    /// Addresses that may read `/metrics` without a token. Behind a proxy everybody has the proxy's.
    pub metrics: Vec<IpAddr>,
    /// With these it speaks HTTPS itself, and HTTPS only.
    pub tls: Option<TlsFiles>,
}

/// What the pages show and change.
#[derive(Clone)]
pub struct Parts {
    pub mailboxes: Mailboxes,
    /// Takes the UM server's commands.
    pub um: UmDoor,
    /// Takes the node's commands. None: the node is another process, and its pages are not here.
    pub node: Option<NodeDoor>,
    pub events: event::Bus,
    /// What `/metrics` shows.
    pub metrics: metrics::Metrics,
    /// Where made tokens are kept (hashed). None: no tokens but the administrator's.
    pub store: Option<state::Store>,
}

/// What all requests share.
struct App {
    settings: Settings,
    parts: Parts,
    sessions: sessions::Sessions,
    tokens: tokens::Tokens,
    live: live::Live,
    /// The address that is listened on.
    address: SocketAddr,
}

impl Settings {
    /// Whether browsers see HTTPS.
    pub(crate) fn is_secure(&self) -> bool {
        self.https || self.tls.is_some()
    }
}

type Shared = Arc<App>;
