//! A certificate authority and what it issues: for the lab, and by `earcon certs` for a real installation.

use p12_keystore::{Certificate as Pkcs12Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use time::{Duration, OffsetDateTime};

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// A file can't be read.
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// A file can't be written, or is there already: keys are not overwritten.
    #[error("{path} can't be written: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    /// A file holds something else than it should.
    #[error("{path} holds no {wanted}: {reason}")]
    Content { path: PathBuf, wanted: &'static str, reason: String },
    /// A name that no certificate can have.
    #[error("{name:?} is neither a DNS name nor an address")]
    Name { name: String },
    /// What the library refuses.
    #[error("the certificate can't be made: {0}")]
    Made(String),
}

/// Years that a CA is good for, and days that a certificate is, unless somebody says otherwise.
pub const CA_YEARS: u32 = 10;
pub const DAYS: u32 = 825;

/// The files of an authority in its folder.
pub struct Authority {
    certificate: PathBuf,
    key: PathBuf,
}

/// A certificate as it is wished for.
pub struct Wish<'a> {
    /// Its common name, and its first alternative name.
    pub subject: &'a str,
    /// Further DNS names and addresses.
    pub names: &'a [String],
    pub days: u32,
}

fn made(error: impl std::fmt::Display) -> CertificateFault {
    CertificateFault::Made(error.to_string())
}

fn read(path: &Path) -> Result<String, CertificateFault> {
    std::fs::read_to_string(path).map_err(|source| CertificateFault::Read { path: path.to_owned(), source })
}

/// Writes a file that is not there yet; a secret one is its owner's alone.
fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<(), CertificateFault> {
    let mode = if secret { 0o600 } else { 0o644 };
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| CertificateFault::Write { path: path.to_owned(), source })
}

fn valid(parameters: &mut CertificateParams, days: u32) {
    let now = OffsetDateTime::from(SystemTime::now());
    // Clocks differ.
    parameters.not_before = now.saturating_sub(Duration::hours(1));
    parameters.not_after = now.saturating_add(Duration::days(days.into()));
}

fn named(parameters: &mut CertificateParams, name: &str) {
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
}

fn of_server(wish: &Wish<'_>) -> Result<CertificateParams, CertificateFault> {
    let names: Vec<String> = std::iter::once(wish.subject.to_owned()).chain(wish.names.iter().cloned()).collect();
    let bad = |name: &&String| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '/' || c == '@');
    if let Some(name) = names.iter().find(bad) {
        return Err(CertificateFault::Name { name: name.clone() });
    }
    let mut parameters = CertificateParams::new(names).map_err(made)?;
    named(&mut parameters, wish.subject);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // One certificate for both directions of a trunk.
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    valid(&mut parameters, wish.days);
    Ok(parameters)
}

impl Authority {
    /// Of files that are there.
    pub fn of(certificate: &Path, key: &Path) -> Authority {
        Authority { certificate: certificate.to_owned(), key: key.to_owned() }
    }

    /// Makes `ca.crt` and `ca.key` in the folder; those that are there stay.
    pub fn in_folder(folder: &Path, name: &str) -> Result<Authority, CertificateFault> {
        let authority = Authority::of(&folder.join("ca.crt"), &folder.join("ca.key"));
        if !authority.certificate.exists() {
            authority.make(name)?;
        }
        Ok(authority)
    }

    /// Makes certificate and key.
    pub fn make(&self, name: &str) -> Result<(), CertificateFault> {
        let mut parameters = CertificateParams::new(Vec::new()).map_err(made)?;
        named(&mut parameters, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid(&mut parameters, CA_YEARS * 365);
        let key = KeyPair::generate().map_err(made)?;
        let certificate = parameters.self_signed(&key).map_err(made)?;
        write(&self.key, key.serialize_pem().as_bytes(), true)?;
        write(&self.certificate, certificate.pem().as_bytes(), false)
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, CertificateFault> {
        let content = |path: &Path, wanted, reason: rcgen::Error| CertificateFault::Content {
            path: path.to_owned(),
            wanted,
            reason: reason.to_string(),
        };
        let key = KeyPair::from_pem(&read(&self.key)?)
            .map_err(|error| content(&self.key, "private key (PEM, without a passphrase)", error))?;
        Issuer::from_ca_cert_pem(&read(&self.certificate)?, key)
            .map_err(|error| content(&self.certificate, "CA certificate", error))
    }

    /// Issues a certificate with a new key: `NAME.crt` (with the authority's own behind it), `NAME.key`.
    pub fn issue(&self, folder: &Path, file: &str, wish: &Wish<'_>) -> Result<(PathBuf, PathBuf), CertificateFault> {
        let (certificate, key_file) = (folder.join(format!("{file}.crt")), folder.join(format!("{file}.key")));
        let key = KeyPair::generate().map_err(made)?;
        let issued = of_server(wish)?.signed_by(&key, &self.issuer()?).map_err(made)?;
        write(&key_file, key.serialize_pem().as_bytes(), true)?;
        let chain = issued.pem() + &read(&self.certificate)?;
        // Last: with it the pair is whole.
        write(&certificate, chain.as_bytes(), false)?;
        Ok((certificate, key_file))
    }

    /// Signs somebody's request. The names are the request's; what else it wishes to be is not granted.
    pub fn sign(&self, request: &Path, certificate: &Path, days: u32) -> Result<(), CertificateFault> {
        let mut asked =
            CertificateSigningRequestParams::from_pem(&read(request)?).map_err(|error| CertificateFault::Content {
                path: request.to_owned(),
                wanted: "certificate request",
                reason: error.to_string(),
            })?;
        asked.params.is_ca = IsCa::NoCa;
        asked.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        asked.params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        valid(&mut asked.params, days);
        let issued = asked.signed_by(&self.issuer()?).map_err(made)?;
        write(certificate, (issued.pem() + &read(&self.certificate)?).as_bytes(), false)
    }
}

/// Makes a key and a request to have it certified by somebody else's authority: `NAME.key`, `NAME.csr`.
pub fn request(folder: &Path, file: &str, wish: &Wish<'_>) -> Result<(PathBuf, PathBuf), CertificateFault> {
    let (request, key_file) = (folder.join(format!("{file}.csr")), folder.join(format!("{file}.key")));
    let key = KeyPair::generate().map_err(made)?;
    let made_request = of_server(wish)?.serialize_request(&key).map_err(made)?.pem().map_err(made)?;
    write(&key_file, key.serialize_pem().as_bytes(), true)?;
    write(&request, made_request.as_bytes(), false)?;
    Ok((request, key_file))
}

/// Puts a certificate with its chain and key into a PKCS#12 file, in OpenSSL's modern encoding.
pub fn pfx(certificate: &Path, key: &Path, file: &Path, password: &str) -> Result<(), CertificateFault> {
    let pair = net::tls::Credentials::read(&net::tls::CertificateSource::Pem(net::tls::TlsFiles {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    }))
    .map_err(made)?;
    let chain: Vec<Pkcs12Certificate> =
        pair.chain().iter().map(|one| Pkcs12Certificate::from_der(one)).collect::<Result<_, _>>().map_err(made)?;
    // PKCS#12 has keys as PKCS#8; a PEM key may be older.
    let private = PrivateKey::from_der(pair.key()).map_err(|error| CertificateFault::Content {
        path: key.to_owned(),
        wanted: "key in PKCS#8 (openssl pkcs8 -topk8 makes one)",
        reason: error.to_string(),
    })?;
    let mut store = KeyStore::new();
    store.add_entry("earcon", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new([1].as_slice(), private, chain)));
    let bytes = store.writer(password).write().map_err(made)?;
    write(file, &bytes, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::tls::{CertificateSource, Credentials, TlsFiles};

    fn openssl(folder: &Path, arguments: &[&str]) {
        let status = std::process::Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    }

    fn issued(folder: &Path) -> (PathBuf, PathBuf) {
        let ca = Authority::in_folder(folder, "Moon CA").unwrap();
        let names = ["192.168.222.10".to_owned()];
        ca.issue(folder, "mx", &Wish { subject: "mx-one.moon.galaxy", names: &names, days: 100 }).unwrap()
    }

    #[test]
    fn what_the_authority_issues_has_its_names_and_its_root_and_keys_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = issued(folder.path());
        let pair = Credentials::read(&CertificateSource::Pem(TlsFiles { certificate, key })).unwrap();
        let info = pair.info().unwrap();
        assert_eq!((info.subject.as_str(), info.issuer.as_str()), ("mx-one.moon.galaxy", "Moon CA"));
        assert_eq!(info.names, ["mx-one.moon.galaxy", "192.168.222.10"]);
        assert!(pair.root().is_some());
        let ca = Authority::in_folder(folder.path(), "Moon CA").unwrap();
        let again = ca.issue(folder.path(), "mx", &Wish { subject: "x", names: &[], days: 1 });
        assert!(matches!(again, Err(CertificateFault::Write { .. })));
        let bad = ca.issue(folder.path(), "bad", &Wish { subject: "no name", names: &[], days: 1 });
        assert!(matches!(bad, Err(CertificateFault::Name { .. })));
    }

    #[test]
    fn a_request_is_signed_for_its_names_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ca = Authority::in_folder(folder.path(), "Moon CA").unwrap();
        let wish = Wish { subject: "um.moon.galaxy", names: &[], days: 100 };
        let (csr, key) = request(folder.path(), "um", &wish).unwrap();
        let certificate = folder.path().join("um.crt");
        ca.sign(&csr, &certificate, 30).unwrap();
        let pair = Credentials::read(&CertificateSource::Pem(TlsFiles { certificate, key })).unwrap();
        assert_eq!(pair.info().unwrap().names, ["um.moon.galaxy"]);
        assert!(!pair.info().unwrap().is_ca);
    }

    #[test]
    fn a_pfx_is_read_back_of_ours_and_of_openssl_s_modern_and_legacy_ones_and_a_wrong_password_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = issued(folder.path());
        let ours = folder.path().join("ours.pfx");
        pfx(&certificate, &key, &ours, "moon").unwrap();
        let export = ["pkcs12", "-export", "-inkey", "mx.key", "-in", "mx.crt", "-passout", "pass:moon", "-out"];
        openssl(folder.path(), &[&export[..], &["modern.pfx"]].concat());
        openssl(folder.path(), &[&export[..], &["legacy.pfx", "-legacy"]].concat());
        openssl(folder.path(), &["pkcs12", "-in", "ours.pfx", "-passin", "pass:moon", "-nodes", "-out", "read.pem"]);
        for name in ["ours.pfx", "modern.pfx", "legacy.pfx"] {
            let path = folder.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            let pair = Credentials::of_pkcs12(&path, &bytes, "moon").unwrap();
            assert_eq!(pair.info().unwrap().subject, "mx-one.moon.galaxy", "{name}");
            assert!(pair.root().is_some(), "{name} has the chain");
            let said = Credentials::of_pkcs12(&path, &bytes, "mars").unwrap_err().to_string();
            assert!(said.contains("password of") && said.contains("is wrong"), "{name}: {said}");
        }
        let said = Credentials::of_pkcs12(&ours, b"nonsense", "moon").unwrap_err().to_string();
        assert!(said.contains("holds no PKCS#12 data"), "{said}");
    }
}
