//! TLS 1.2 and 1.3 for SIP, pages and REST: who we are, whom we believe, and what was wrong when a handshake fails.
//!
//! A [`Tls`] is what one role shows and believes. It is changed while connections are open: they keep what they began with.

mod certificate;
mod credentials;
mod follow;
mod half_open;
pub(crate) mod names;
pub(crate) mod problem;
mod trust;

pub use certificate::{CertificateInfo, SOON};
pub use credentials::{CertificateSource, Credentials, TlsError, TlsFiles, authorities};
pub use follow::{Tell, TlsSource, follow};
pub use half_open::HalfOpen;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// Whether who connects to us must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It is not asked for one: browsers.
    #[default]
    NotAsked,
    /// One that it shows must be good; it may have none: telephones beside trunks.
    Asked,
    /// Without a good one there is no connection: trunks by mutual TLS.
    Required,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate()).finish_non_exhaustive()
    }
}

/// Sessions with peers that are kept for resumption.
const SESSIONS: usize = 256;

/// What a role shows and believes. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    clients: ClientCertificate,
    /// ALPN, in order of preference; none for SIP.
    protocols: Vec<Vec<u8>>,
    current: RwLock<Arc<Current>>,
}

/// What is in use now.
struct Current {
    /// Of files, and set by command.
    credentials: [Option<Credentials>; 2],
    trusted: [Vec<(PathBuf, Vec<CertificateDer<'static>>)>; 2],
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
}

/// Places of [`Current`]'s parts.
const FILES: usize = 0;
const COMMAND: usize = 1;

type Trusted = Vec<(PathBuf, Vec<CertificateDer<'static>>)>;

impl Tls {
    /// Without a certificate, and trusting nobody: until it is given some, no handshake succeeds.
    pub fn new(clients: ClientCertificate, protocols: &[&str]) -> Result<Tls, TlsError> {
        let protocols: Vec<Vec<u8>> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let current = Current::make(clients, &protocols, [None, None], [Vec::new(), Vec::new()])?;
        Ok(Tls(Arc::new(Shared { clients, protocols, current: RwLock::new(Arc::new(current)) })))
    }

    /// What files have: it goes before what a command has set.
    pub fn set_files(&self, credentials: Option<Credentials>, trusted: Trusted) -> Result<(), TlsError> {
        self.set(FILES, credentials, trusted)
    }

    /// What a command has imported. `name` is of its CAs, for errors.
    pub fn set_imported(
        &self,
        credentials: Option<Credentials>,
        trusted: Vec<CertificateDer<'static>>,
        name: &str,
    ) -> Result<(), TlsError> {
        self.set(COMMAND, credentials, vec![(PathBuf::from(name), trusted)])
    }

    fn set(&self, place: usize, credentials: Option<Credentials>, trusted: Trusted) -> Result<(), TlsError> {
        let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = current.credentials.clone();
        let mut believed = current.trusted.clone();
        if let Some(slot) = all.get_mut(place) {
            *slot = credentials;
        }
        if let Some(slot) = believed.get_mut(place) {
            *slot = trusted;
        }
        *current = Arc::new(Current::make(self.0.clients, &self.0.protocols, all, believed)?);
        Ok(())
    }

    fn current(&self) -> Arc<Current> {
        // The lock is held for the copy of one pointer; a writer leaves the old value or the new one.
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For a connection that a peer opened; nothing without a certificate.
    pub fn server(&self) -> Option<Arc<ServerConfig>> {
        self.current().server.clone()
    }

    /// For a connection that we open. Whose certificate it was is still to be compared: the chain alone is checked.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        self.current().client.clone()
    }

    /// Whether who connects is asked for a certificate.
    pub(crate) fn asks(&self) -> bool {
        self.0.clients != ClientCertificate::NotAsked
    }

    /// The certificate in use.
    pub fn certificate(&self) -> Option<CertificateInfo> {
        self.current().credentials()?.info()
    }

    fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Current {
    fn credentials(&self) -> Option<&Credentials> {
        self.credentials.iter().flatten().next()
    }

    /// Tickets and sessions begin anew with each: none outlives what it was given for.
    fn make(
        clients: ClientCertificate,
        protocols: &[Vec<u8>],
        credentials: [Option<Credentials>; 2],
        trusted: [Trusted; 2],
    ) -> Result<Current, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots(&trusted)?);
        let used = credentials.iter().flatten().next();
        // Who must be asked for a certificate is not let in unasked because nobody is trusted yet.
        let blind = clients == ClientCertificate::Required && roots.is_empty();
        let server = match used.filter(|_| !blind) {
            Some(used) => Some(Arc::new(server(&provider, &roots, clients, protocols, used)?)),
            None => None,
        };
        let client = Arc::new(client(&provider, roots, used)?);
        Ok(Current { credentials, trusted, server, client })
    }
}

fn roots(trusted: &[Trusted; 2]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (path, certificates) in trusted.iter().flatten() {
        for certificate in certificates {
            roots
                .add(certificate.clone())
                .map_err(|error| TlsError::Authority { path: path.clone(), reason: error.to_string() })?;
        }
    }
    Ok(roots)
}

/// Nothing of this can fail with ring; if it ever does, the sentence says where.
fn broken(reason: impl std::fmt::Display) -> TlsError {
    TlsError::Kind { path: PathBuf::from("TLS"), reason: reason.to_string() }
}

fn single(key: &Arc<CertifiedKey>) -> Arc<SingleCertAndKey> {
    Arc::new(SingleCertAndKey::from(CertifiedKey::clone(key)))
}

fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    clients: ClientCertificate,
    protocols: &[Vec<u8>],
    credentials: &Credentials,
) -> Result<ServerConfig, TlsError> {
    let asks = clients != ClientCertificate::NotAsked && !roots.is_empty();
    let verifier: Arc<dyn rustls::server::danger::ClientCertVerifier> = if asks {
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
        if clients == ClientCertificate::Asked {
            builder = builder.allow_unauthenticated();
        }
        let servers = trust::Servers { roots: roots.clone(), provider: provider.clone() };
        Arc::new(trust::Clients { inner: builder.build().map_err(broken)?, servers })
    } else {
        Arc::new(NoClientAuth)
    };
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(broken)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(single(&credentials.certified));
    config.alpn_protocols = protocols.to_vec();
    config.ticketer = ring::Ticketer::new().map_err(broken)?;
    Ok(config)
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    credentials: Option<&Credentials>,
) -> Result<ClientConfig, TlsError> {
    let servers = trust::Servers { roots, provider: provider.clone() };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(broken)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(servers));
    let mut config = match credentials {
        Some(credentials) => builder.with_client_cert_resolver(single(&credentials.certified)),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}
