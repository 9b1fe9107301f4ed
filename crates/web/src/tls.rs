//! HTTPS: TLS with a certificate from PEM files, which is read again when they change.

use event::Bus;
use net::tls::{CertificateSource, ClientCertificate, Tls, TlsError, TlsFiles, TlsSource, follow};
use std::sync::Arc;

/// Reads the pair and follows its changes, on the runtime that this is called on, as long as it is in use.
pub(crate) fn open(files: &TlsFiles, events: &Bus) -> Result<Tls, TlsError> {
    let tls = Tls::new(ClientCertificate::NotAsked, &["http/1.1"])?;
    let source = TlsSource { certificate: Some(CertificateSource::Pem(files.clone())), trusted: Vec::new() };
    tokio::spawn(follow(&tls, source, Arc::new(events.clone()), None)?);
    Ok(tls)
}
