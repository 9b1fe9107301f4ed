//! TLS of a half: the `[tls]` table of node.toml and um.toml, and what is told of the certificate in use.

use crate::error::StartError;
use crate::settings::{SettingsError, value};
use event::Bus;
use net::tls::{CertificateSource, ClientCertificate, Tell, Tls, TlsFiles, TlsSource, follow};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Certificate and key as PEM files, or both in a PKCS#12 file; and whom to believe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub pkcs12: Option<PathBuf>,
    pub password_file: Option<PathBuf>,
    /// PEM files with CAs' certificates.
    pub trusted: Vec<PathBuf>,
    /// `None`: what suits the half.
    pub client_certificate: Option<WantedOfClients>,
}

/// What is asked of who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedOfClients {
    /// Nothing.
    No,
    /// A certificate that is shown has to be good.
    Asked,
    /// A good one.
    Required,
}

impl TlsSettings {
    pub(crate) fn check(&self, path: &Path) -> Result<(), SettingsError> {
        if self.certificate.is_some() != self.key.is_some() {
            return Err(value(path, "tls", "has certificate and key together, or neither"));
        }
        if self.certificate.is_some() && self.pkcs12.is_some() {
            return Err(value(path, "tls", "has certificate and key, or pkcs12, and not both"));
        }
        if self.password_file.is_some() && self.pkcs12.is_none() {
            return Err(value(path, "tls.password_file", "goes with pkcs12"));
        }
        if self.client_certificate == Some(WantedOfClients::Required) && self.trusted.is_empty() {
            return Err(value(path, "tls.trusted", "names the CA that clients' certificates must be signed by"));
        }
        Ok(())
    }

    fn source(&self) -> TlsSource {
        let pem = self.certificate.clone().zip(self.key.clone());
        let pem = pem.map(|(certificate, key)| CertificateSource::Pem(TlsFiles { certificate, key }));
        let pkcs12 = || {
            let file = self.pkcs12.clone()?;
            Some(CertificateSource::Pkcs12 { file, password_file: self.password_file.clone() })
        };
        TlsSource { certificate: pem.or_else(pkcs12), trusted: self.trusted.clone() }
    }

    /// Reads it all, and follows its changes on the runtime. `clients`: what is asked of them unless it is said.
    pub(crate) fn open(
        &self,
        clients: ClientCertificate,
        bus: &Bus,
        runtime: &Handle,
        tell: Option<Tell>,
    ) -> Result<Tls, StartError> {
        let clients = match self.client_certificate {
            None => clients,
            Some(WantedOfClients::No) => ClientCertificate::NotAsked,
            Some(WantedOfClients::Asked) => ClientCertificate::Asked,
            Some(WantedOfClients::Required) => ClientCertificate::Required,
        };
        let tls = Tls::new(clients, &[])?;
        runtime.spawn(follow(&tls, self.source(), Arc::new(bus.clone()), tell)?);
        Ok(tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_together_comes_together() {
        for (text, key) in [
            ("certificate = \"a\"", "tls has certificate and key"),
            ("certificate = \"a\"\nkey = \"b\"\npkcs12 = \"c\"", "not both"),
            ("password_file = \"a\"", "tls.password_file"),
            ("client_certificate = \"required\"", "tls.trusted"),
        ] {
            let settings: TlsSettings = toml::from_str(text).unwrap();
            let error = settings.check(Path::new("um.toml")).unwrap_err().to_string();
            assert!(error.contains(key), "{text}: {error}");
        }
        assert!(toml::from_str::<TlsSettings>("client_certificate = \"maybe\"").is_err());
        let whole: TlsSettings = toml::from_str("pkcs12 = \"a\"\npassword_file = \"b\"\ntrusted = [\"ca\"]").unwrap();
        whole.check(Path::new("um.toml")).unwrap();
        let CertificateSource::Pkcs12 { file, .. } = whole.source().certificate.unwrap() else { panic!("PEM") };
        assert_eq!(file, PathBuf::from("a"));
    }
}
