use super::{Answer, CommandError, Outcome, Secret};
use crate::authentication::Vault;
use crate::configuration::{Configuration, Edit};
use crate::system::CertificateEntry;
use net::tls::{CertificateInfo, Credentials, TlsFiles};
use serde::{Deserialize, Serialize};

/// `mxone_certificate`: what the node shows by TLS, and the CA that came with it, which it believes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum MxoneCertificate {
    /// Takes the place of the one before. Connections that are open keep what they began with.
    Import {
        /// The name of the file that it came from.
        file: String,
        /// The chain as PEM, the node's own certificate first, its CA's last.
        certificate: String,
        /// The key as PEM, without a passphrase.
        key: Secret,
    },
    End {},
    Print {},
}

const CONTEXT: &str = "mxone_certificate";

impl MxoneCertificate {
    pub(super) fn run(self, configuration: &Configuration, vault: &Vault) -> Outcome {
        let mut system = configuration.system.clone();
        let answer = match self {
            MxoneCertificate::Import { file, certificate, key } => {
                let credentials = read(&file, &certificate, &key.0)
                    .map_err(|error| CommandError::invalid("file", &file, error.to_string()))?;
                let mut notes = Vec::new();
                if credentials.root().is_none() {
                    notes.push("The file has no CA certificate: name the CA that peers' certificates are signed by under [tls], trusted in node.toml.".to_owned());
                }
                let sealed =
                    vault.hide(CONTEXT, &key.0).map_err(|error| CommandError::NotKept { reason: error.to_string() })?;
                system.certificate = Some(CertificateEntry { file, certificate, key: sealed });
                Answer::Done { notes }
            }
            MxoneCertificate::End {} => {
                if system.certificate.take().is_none() {
                    return Err(CommandError::not_assigned("file", "", "no certificate was imported"));
                }
                Answer::done()
            }
            MxoneCertificate::Print {} => {
                let rows = configuration.system.certificate.iter().map(|entry| row(entry, vault)).collect();
                let columns = ["FILE", "SUBJECT", "NAMES", "ISSUER", "EXPIRES"];
                return Ok((Vec::new(), Answer::table("MX-ONE TLS", &columns, rows)));
            }
        };
        Ok((vec![Edit::System(Box::new(system))], answer))
    }
}

fn read(file: &str, certificate: &str, key: &str) -> Result<Credentials, net::tls::TlsError> {
    let files = TlsFiles { certificate: file.into(), key: file.into() };
    Credentials::of_pem(&files, certificate.as_bytes(), key.as_bytes())
}

/// What is in use of it; nothing if another key file sealed the key.
pub(crate) fn credentials(entry: &CertificateEntry, vault: &Vault) -> Option<Credentials> {
    read(&entry.file, &entry.certificate, &vault.reveal(CONTEXT, &entry.key)?).ok()
}

fn row(entry: &CertificateEntry, vault: &Vault) -> Vec<String> {
    let info: Option<CertificateInfo> = credentials(entry, vault).and_then(|credentials| credentials.info());
    match info {
        Some(info) => {
            vec![entry.file.clone(), info.subject.clone(), info.names.join(", "), info.issuer.clone(), info.end()]
        }
        None => vec![
            entry.file.clone(),
            "the key can't be opened: import it again".into(),
            "-".into(),
            "-".into(),
            "-".into(),
        ],
    }
}

/// A key that identifies the node belongs into no script: what is to be done instead.
pub(super) fn left_out(configuration: &Configuration) -> Option<String> {
    let file = &configuration.system.certificate.as_ref()?.file;
    Some(format!(
        "The TLS certificate and its key are not in it: a new node needs mxone_certificate -import {file} again."
    ))
}
