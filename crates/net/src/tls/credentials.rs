//! Who we are: a certificate chain and its key, from PEM files or from a PKCS#12 file (.pfx).

use super::certificate::CertificateInfo;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificate and key, each a PEM file. The certificate's file begins with the server's own; the chain follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    Pem(TlsFiles),
    /// A .pfx or .p12 file, and a file that holds its password in one line (none: the password is empty).
    Pkcs12 {
        file: PathBuf,
        password_file: Option<PathBuf>,
    },
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
    /// The .pfx is encrypted with another password than was given.
    #[error("the password of {path} is wrong: give the one that it was exported with")]
    Password { path: PathBuf },
    /// A CA's certificate that nothing can be checked against.
    #[error("the CA certificate in {path} can't be used: {reason}")]
    Authority { path: PathBuf, reason: String },
}

/// Bytes of a file at most.
const LARGEST: u64 = 1 << 20;

/// A certificate chain, the end's own first, with its key: a pair that was checked.
#[derive(Clone)]
pub struct Credentials {
    pub(super) certified: Arc<CertifiedKey>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("certificate", &self.info()).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the files.
    pub fn read(source: &CertificateSource) -> Result<Credentials, TlsError> {
        match source {
            CertificateSource::Pem(files) => Credentials::read_pem(files),
            CertificateSource::Pkcs12 { file, password_file } => {
                closed_to_others(file)?;
                let password = match password_file {
                    Some(path) => {
                        closed_to_others(path)?;
                        String::from_utf8_lossy(&bytes(path)?).trim_end_matches(['\r', '\n']).to_owned()
                    }
                    None => String::new(),
                };
                Credentials::of_pkcs12(file, &bytes(file)?, &password)
            }
        }
    }

    fn read_pem(files: &TlsFiles) -> Result<Credentials, TlsError> {
        let text = bytes(&files.certificate)?;
        // Whoever mixes the two up is told so first.
        certificates(&files.certificate, &text)?;
        closed_to_others(&files.key)?;
        Credentials::of_pem(files, &text, &bytes(&files.key)?)
    }

    /// Of PEM texts; `files` names them in errors.
    pub fn of_pem(files: &TlsFiles, certificate: &[u8], key: &[u8]) -> Result<Credentials, TlsError> {
        let chain = certificates(&files.certificate, certificate)?;
        let private = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Content {
            path: files.key.clone(),
            wanted: "private key (PEM, without a passphrase)",
            reason: error.to_string(),
        })?;
        Credentials::new(files, chain, private)
    }

    /// Of a PKCS#12 file's bytes, in OpenSSL's modern (AES, PBKDF2) or legacy (RC2, 3DES) encoding; `path` names it in errors.
    pub fn of_pkcs12(path: &Path, bytes: &[u8], password: &str) -> Result<Credentials, TlsError> {
        let content = |reason: String| TlsError::Content { path: path.to_owned(), wanted: "PKCS#12 data", reason };
        let store =
            KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict).map_err(|error| match error {
                p12_keystore::error::Error::MacError(_) => TlsError::Password { path: path.to_owned() },
                other => content(other.to_string()),
            })?;
        let (_, pair) = store.private_key_chain().ok_or_else(|| {
            content("there is no key with its certificate in it; export it with its private key".into())
        })?;
        let chain =
            pair.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.key().as_der().to_vec()));
        Credentials::new(&TlsFiles { certificate: path.to_owned(), key: path.to_owned() }, chain, key)
    }

    fn new(
        files: &TlsFiles,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Credentials, TlsError> {
        let TlsFiles { certificate, key: key_file } = files;
        let kept = key.clone_key();
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { certificate: certificate.clone(), key: key_file.clone() }
            }
            rustls::Error::InvalidCertificate(reason) => {
                TlsError::Content { path: certificate.clone(), wanted: "certificate", reason: format!("{reason:?}") }
            }
            other => TlsError::Kind { path: key_file.clone(), reason: other.to_string() },
        })?;
        Ok(Credentials { certified: Arc::new(certified), key: Arc::new(kept) })
    }

    /// The certificate itself.
    pub fn info(&self) -> Option<CertificateInfo> {
        CertificateInfo::read(self.certified.end_entity_cert().ok()?)
    }

    /// The chain in DER, the end's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// The key in DER.
    pub fn key(&self) -> &[u8] {
        self.key.secret_der()
    }

    /// The chain's root, when it came along: who signed us may sign our peers, too.
    pub fn root(&self) -> Option<&CertificateDer<'static>> {
        let last = self.certified.cert.get(1..)?.last()?;
        CertificateInfo::read(last).filter(|info| info.is_ca && info.is_self_signed).map(|_| last)
    }
}

/// All certificates of a PEM file, at least one: the CAs that are believed.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates(path, &bytes(path)?)
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = |reason: String| TlsError::Content { path: path.to_owned(), wanted: "certificate", reason };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|error| content(error.to_string()))?;
    if chain.is_empty() {
        return Err(content("there is no BEGIN CERTIFICATE in it".into()));
    }
    Ok(chain)
}

fn closed_to_others(path: &Path) -> Result<(), TlsError> {
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.mode() & 0o7777);
    if mode & 0o007 != 0 { Err(TlsError::Open { path: path.to_owned(), mode }) } else { Ok(()) }
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
        let read = |files: &TlsFiles| Credentials::read(&CertificateSource::Pem(files.clone()));
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
}
