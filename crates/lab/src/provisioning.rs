//! The phones' files of a node: its settings, and the server that hands them out.

use crate::error::StartError;
use crate::settings::{SettingsError, value};
use event::Bus;
use net::InboxSender;
use pbx::{Own, ProvisioningConfig, ServerAddress};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;
use web::TlsFiles;
use web::provisioning::{Running, Settings};

/// What an administrator has to write to have passwords sent where others can hear them.
const IN_WORDS: &str = "anybody on the network may hear them";

/// `[provisioning]` of `node.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisioningSettings {
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Name or address by which phones reach it; else the address that it listens on.
    pub host: Option<String>,
    pub backup: Option<String>,
    #[serde(default)]
    pub transport: Protocol,
    pub voice_mail: Option<String>,
    pub time_server: Option<String>,
    pub dial_plan: Option<String>,
    #[serde(default = "both_laws")]
    pub codecs: Vec<String>,
    pub passwords_over_plain_http: Option<String>,
    /// Phones on this machine prove nothing. The lab's alone, and no key of the file.
    #[serde(skip)]
    pub trusts_loopback: bool,
}

/// What phones speak to the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Udp,
    Tcp,
}

fn both_laws() -> Vec<String> {
    vec!["PCMA".into(), "PCMU".into()]
}

impl ProvisioningSettings {
    /// The lab's: over HTTP, for phones on this machine, without proof.
    pub(crate) fn of_lab(http: SocketAddr) -> ProvisioningSettings {
        ProvisioningSettings {
            http: Some(http),
            https: None,
            certificate: None,
            key: None,
            host: None,
            backup: None,
            transport: Protocol::Udp,
            voice_mail: None,
            time_server: None,
            dial_plan: None,
            codecs: both_laws(),
            passwords_over_plain_http: None,
            trusts_loopback: true,
        }
    }

    pub(crate) fn check(&self, path: &Path) -> Result<(), SettingsError> {
        let wrong = |key, message: &str| Err(value(path, key, message));
        if self.http.is_none() && self.https.is_none() {
            return wrong("provisioning", "has an address to listen on: http, https, or both");
        }
        let pair = self.certificate.is_some() && self.key.is_some();
        if self.https.is_some() != pair || self.certificate.is_some() != self.key.is_some() {
            return wrong("provisioning.https", "goes with certificate and key, and they with it");
        }
        let everywhere = [self.http, self.https].into_iter().flatten().all(|address| address.ip().is_unspecified());
        if everywhere && self.host.is_none() {
            return wrong("provisioning.host", "says by which name or address phones reach the server");
        }
        if self.codecs.is_empty() || self.codecs.iter().any(|codec| !["PCMA", "PCMU"].contains(&codec.as_str())) {
            return wrong("provisioning.codecs", "are PCMA and PCMU, the preferred first");
        }
        if self.backup.is_some() && self.backup().is_none() {
            return wrong("provisioning.backup", "is a host, or a host and a port: 192.168.222.11:5060");
        }
        match &self.passwords_over_plain_http {
            Some(words) if words != IN_WORDS => {
                wrong("provisioning.passwords_over_plain_http", &format!("is \"{IN_WORDS}\", in words, or not there"))
            }
            _ => Ok(()),
        }
    }

    fn backup(&self) -> Option<ServerAddress> {
        let text = self.backup.as_deref()?;
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(ServerAddress { host: address.ip().to_string(), port: address.port() });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, 5060),
        };
        let host: sip::Host = host.parse().ok()?;
        Some(ServerAddress { host: host.to_string(), port })
    }

    /// What the node writes into the files.
    pub(crate) fn config(&self) -> ProvisioningConfig {
        let own = [self.https, self.http].into_iter().flatten().find(|address| !address.ip().is_unspecified());
        ProvisioningConfig {
            host: self.host.clone().or_else(|| Some(own?.ip().to_string())).unwrap_or_default(),
            http_port: self.http.map(|address| address.port()),
            https_port: self.https.map(|address| address.port()),
            backup: self.backup(),
            tcp: self.transport == Protocol::Tcp,
            voice_mail: self.voice_mail.clone(),
            time_server: self.time_server.clone(),
            dial_plan: self.dial_plan.clone(),
            codecs: self.codecs.clone(),
            plain_secrets: self.passwords_over_plain_http.is_some(),
            trusts_loopback: self.trusts_loopback,
        }
    }

    fn listen(&self) -> Settings {
        let files = self.certificate.clone().zip(self.key.clone());
        let files = files.map(|(certificate, key)| TlsFiles { certificate, key });
        Settings { http: self.http, https: self.https.zip(files) }
    }
}

/// Starts the server, in front of the node's inbox.
pub(crate) fn start(
    settings: &ProvisioningSettings,
    inbox: &InboxSender<Own>,
    bus: &Bus,
    runtime: &Handle,
) -> Result<Running, StartError> {
    let inbox = inbox.clone();
    let door: web::provisioning::FetchDoor = Arc::new(move |fetch, reply| inbox.own(Own::Fetch { fetch, reply }));
    runtime
        .block_on(web::provisioning::start(&settings.listen(), door, bus))
        .map_err(|error| StartError::Provisioning(error.to_string()))
}

/// The lab's certificate: nobody vouches for it.
pub(crate) mod self_made {
    use crate::error::StartError;
    use std::io::Write;
    use std::net::IpAddr;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};

    /// Certificate and key in the data folder, made at the first start.
    pub fn pair(data: &Path, address: IpAddr) -> Result<(PathBuf, PathBuf), StartError> {
        let (certificate, key) = (data.join("provisioning.crt"), data.join("provisioning.key"));
        if certificate.exists() && key.exists() {
            return Ok((certificate, key));
        }
        let names = vec![address.to_string(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| StartError::Provisioning(format!("no certificate could be made: {error}")))?;
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&key)?
            .write_all(made.signing_key.serialize_pem().as_bytes())?;
        // Last: with it the pair is whole.
        std::fs::write(&certificate, made.cert.pem())?;
        Ok((certificate, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<ProvisioningSettings, String> {
        let settings: ProvisioningSettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.check(Path::new("node.toml")).map_err(|error| error.to_string())?;
        Ok(settings)
    }

    #[test]
    fn what_goes_together_comes_together() {
        let good = checked("http = \"192.168.222.10:8081\"\nbackup = \"192.168.222.11\"").unwrap();
        assert_eq!(good.config().host, "192.168.222.10");
        assert_eq!(good.config().backup, Some(ServerAddress { host: "192.168.222.11".into(), port: 5060 }));
        assert!(!good.config().plain_secrets && !good.config().trusts_loopback);
        for (text, key) in [
            ("", "provisioning has"),
            ("https = \"192.168.222.10:8443\"", "provisioning.https"),
            ("http = \"192.168.222.10:8081\"\ncertificate = \"a\"\nkey = \"b\"", "provisioning.https"),
            ("http = \"0.0.0.0:8081\"", "provisioning.host"),
            ("http = \"192.168.222.10:8081\"\ncodecs = [\"G729\"]", "provisioning.codecs"),
            ("http = \"192.168.222.10:8081\"\nbackup = \"a b\"", "provisioning.backup"),
            ("http = \"192.168.222.10:8081\"\npasswords_over_plain_http = \"yes\"", "anybody on the network may hear"),
            ("http = \"192.168.222.10:8081\"\ntrusts_loopback = true", "trusts_loopback"),
        ] {
            let error = checked(text).unwrap_err();
            assert!(error.contains(key), "{text}: {error}");
        }
        let words = format!("http = \"192.168.222.10:8081\"\npasswords_over_plain_http = \"{IN_WORDS}\"");
        assert!(checked(&words).unwrap().config().plain_secrets);
    }
}
