//! HTTPS: TLS 1.2 and 1.3 with a certificate from PEM files, which is read again when the files change. Connections that are
//! open keep what they began with.

mod half_open;
mod validity;

pub(crate) use half_open::HalfOpen;

use event::{Bus, Event, Now, Sink};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio_rustls::TlsAcceptor;
use validity::not_after;

/// Certificate and key, each a PEM file. The certificate's file begins with the server's own; the chain follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or not readable by this process.
    #[error("{path} can't be read: {reason}")]
    Read { path: PathBuf, reason: std::io::Error },
    /// Everybody on the machine could pretend to be this server.
    #[error("the key {path} can be read by everybody (mode {mode:04o}): give it mode 0600 or 0640")]
    Open { path: PathBuf, mode: u32 },
    /// The file holds no PEM block of the kind, or a damaged one.
    #[error("{path} holds no {wanted}: {reason}")]
    Content { path: PathBuf, wanted: &'static str, reason: String },
    /// Certificate and key are not of one pair: one of the two was forgotten at a renewal.
    #[error("the key {key} does not belong to the certificate {certificate}: give the pair that was issued together")]
    Mismatch { certificate: PathBuf, key: PathBuf },
    /// The key is of a kind that TLS here does not know: RSA, ECDSA (P-256, P-384) and Ed25519 it does.
    #[error("the key {path} can't be used: {reason}; take RSA, ECDSA or Ed25519")]
    Kind { path: PathBuf, reason: String },
}

/// Bytes of a PEM file at most.
const LARGEST: u64 = 1 << 20;
/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long before its end a certificate is complained about, and how often.
const SOON: time::Duration = time::Duration::days(14);
const DAILY: Duration = Duration::from_secs(24 * 3600);

/// The certificate in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // The lock is held for the swap of one pointer.
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Reads the pair and follows its changes, on the runtime that this is called on, as long as the acceptor is in use.
pub(crate) fn acceptor(files: &TlsFiles, events: &Bus) -> Result<TlsAcceptor, TlsError> {
    let stamp = Stamp::of(files);
    let current = Arc::new(Current(RwLock::new(Arc::new(read(files)?))));
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .map_err(|error| TlsError::Kind { path: files.key.clone(), reason: error.to_string() })?
        .with_no_client_auth()
        .with_cert_resolver(current.clone());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let follower = Follower { files: files.clone(), events: events.clone(), current, stamp, complained: None };
    tokio::spawn(follower.run());
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Looks after the files.
struct Follower {
    files: TlsFiles,
    events: Bus,
    current: Arc<Current>,
    stamp: Stamp,
    /// When the certificate's end was last complained about.
    complained: Option<Instant>,
}

impl Follower {
    async fn run(mut self) {
        let mut look = tokio::time::interval(LOOK);
        let mut changed: Option<Stamp> = None;
        // The server's configuration holds the other.
        while Arc::strong_count(&self.current) > 1 {
            self.watch_the_end();
            look.tick().await;
            let now = Stamp::of(&self.files);
            if now == self.stamp {
                changed = None;
                continue;
            }
            match read(&self.files) {
                Ok(pair) => {
                    *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                    (self.stamp, self.complained, changed) = (now, None, None);
                    self.events.emit(Now::read(), Event::CertificateRead { file: shown(&self.files.certificate) });
                }
                // Two files are not replaced at once: only what stays wrong is told.
                Err(_) if changed.as_ref() != Some(&now) => changed = Some(now),
                Err(error) => {
                    self.stamp = now;
                    self.refused(format!("{error}; the old certificate stays in use"));
                }
            }
        }
    }

    /// An expired certificate is shown all the same: the calls must not end for it, and the browsers say what is wrong.
    fn watch_the_end(&mut self) {
        if self.complained.is_some_and(|at| at.elapsed() < DAILY) {
            return;
        }
        let current = self.current.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(end) = current.end_entity_cert().ok().and_then(|certificate| not_after(certificate)) else { return };
        let now = OffsetDateTime::from(SystemTime::now());
        if end.saturating_sub(SOON) > now {
            return;
        }
        self.complained = Some(Instant::now());
        let date = end.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default();
        let verb = if end > now { "expires" } else { "expired" };
        self.refused(format!("it {verb} at {date}: put a new certificate and its key into their places"));
    }

    fn refused(&self, reason: String) {
        let file = shown(&self.files.certificate);
        self.events.emit(Now::read(), Event::CertificateProblem { file, reason });
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// By what a change of the files is known.
#[derive(PartialEq, Eq)]
struct Stamp([Option<(u64, u64, SystemTime)>; 2]);

impl Stamp {
    fn of(files: &TlsFiles) -> Stamp {
        Stamp([&files.certificate, &files.key].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
        }))
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let TlsFiles { certificate, key } = files;
    let content = |path: &Path, wanted, reason: String| TlsError::Content { path: path.to_owned(), wanted, reason };
    let text = bytes(certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| content(certificate, "certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(content(certificate, "certificate", "there is no BEGIN CERTIFICATE in it".into()));
    }
    let mode = std::fs::metadata(key).map_or(0, |metadata| metadata.mode() & 0o7777);
    if mode & 0o007 != 0 {
        return Err(TlsError::Open { path: key.clone(), mode });
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?)
        .map_err(|error| content(key, "private key (PEM, without a passphrase)", error.to_string()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { certificate: certificate.clone(), key: key.clone() },
        rustls::Error::InvalidCertificate(reason) => content(certificate, "certificate", format!("{reason:?}")),
        other => TlsError::Kind { path: key.clone(), reason: other.to_string() },
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |reason| TlsError::Read { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn pair(folder: &Path, name: &str) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files =
            TlsFiles { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
        files
    }

    #[test]
    fn a_pair_is_read_and_whatever_is_wrong_with_one_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (pair(folder.path(), "one"), pair(folder.path(), "two"));
        read(&one).unwrap();
        let said = |files: &TlsFiles| read(files).unwrap_err().to_string();
        let mixed = TlsFiles { certificate: one.certificate.clone(), key: two.key.clone() };
        assert!(said(&mixed).contains("two.key does not belong to the certificate"), "{}", said(&mixed));
        let swapped = TlsFiles { certificate: one.key.clone(), key: one.certificate.clone() };
        assert!(said(&swapped).contains("one.key holds no certificate"), "{}", said(&swapped));
        let missing = TlsFiles { key: folder.path().join("three.key"), ..one.clone() };
        assert!(said(&missing).contains("three.key can't be read"), "{}", said(&missing));
        std::fs::set_permissions(&one.key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(said(&one).contains("mode 0644") && said(&one).contains("0600"), "{}", said(&one));
        std::fs::set_permissions(&one.key, std::fs::Permissions::from_mode(0o640)).unwrap();
        read(&one).unwrap();
        std::fs::write(&one.key, "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(said(&one).contains("one.key"), "{}", said(&one));
    }

    #[test]
    fn the_end_of_a_certificate_is_read_from_it() {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        for (year, month, day) in [(2031, 7, 9), (2055, 1, 2)] {
            parameters.not_after = rcgen::date_time_ymd(year, month, day);
            let key = rcgen::KeyPair::generate().unwrap();
            let end = not_after(parameters.self_signed(&key).unwrap().der()).unwrap();
            assert_eq!((end.year(), u8::from(end.month()), end.day()), (year, month, day));
        }
    }
}
