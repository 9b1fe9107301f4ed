//! What a node and a UM server are told before they start: docs/node.toml and docs/um.toml, commented.

use crate::metrics::MetricsSettings;
use crate::provisioning::ProvisioningSettings;
use crate::tls::TlsSettings;
use mailbox::{AudioPlace, AudioUrlError, Server, UrlError};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use web::TlsFiles;

/// Why a TOML file is not taken. Each says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there or not readable.
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The text is no TOML, a key is unknown, missing or of the wrong type; the message has line and column.
    #[error("{path}: {message}")]
    Parse { path: PathBuf, message: String },
    /// A value is out of range.
    #[error("{path}: {key} {message}")]
    Value { path: PathBuf, key: &'static str, message: String },
}

/// `node.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    pub data: PathBuf,
    pub domain: String,
    /// Seconds, 1 to 120.
    #[serde(default = "thirty")]
    pub ring_time: u32,
    /// Name servers; none: those of /etc/resolv.conf.
    #[serde(default)]
    pub dns: Vec<SocketAddr>,
    pub sip: NodeSip,
    pub media: MediaSettings,
    pub provisioning: Option<ProvisioningSettings>,
    pub metrics: Option<MetricsSettings>,
    #[serde(default)]
    pub journal: JournalSettings,
    /// Seconds that calls in progress may go on after SIGTERM, 0 to 3600.
    #[serde(default = "sixty")]
    pub drain: u32,
    /// With it the node listens for TLS, too.
    pub tls: Option<TlsSettings>,
}

/// The journal of calls, either half.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSettings {
    /// Mebibytes on disk; 0 records nothing.
    pub limit: u32,
}

impl Default for JournalSettings {
    fn default() -> JournalSettings {
        JournalSettings { limit: 64 }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSip {
    pub address: IpAddr,
    #[serde(default = "sip_port")]
    pub port: u16,
    #[serde(default = "sip_tls_port")]
    pub tls_port: u16,
}

/// `um.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UmSettings {
    pub data: PathBuf,
    /// A PostgreSQL that several servers share; without it, files in `data`.
    pub store: Option<String>,
    /// Where recordings are, if not in `data`.
    pub audio: Option<String>,
    pub host_name: Option<String>,
    /// Seconds that calls in progress may go on after SIGTERM, 0 to 3600.
    #[serde(default = "sixty")]
    pub drain: u32,
    /// As for the node.
    #[serde(default)]
    pub dns: Vec<SocketAddr>,
    pub sip: UmSip,
    pub media: MediaSettings,
    pub web: Option<WebSettings>,
    pub metrics: Option<MetricsSettings>,
    #[serde(default)]
    pub journal: JournalSettings,
    /// With it the server listens for TLS, too.
    pub tls: Option<TlsSettings>,
    /// Who makes texts of messages; none: nobody.
    pub transcription: Option<TranscriptionSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptionSettings {
    /// Of the transcription call, in OpenAI's shape.
    pub url: String,
    #[serde(default = "model")]
    pub model: String,
}

fn model() -> String {
    "whisper-1".into()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UmSip {
    pub address: IpAddr,
    #[serde(default = "sip_port")]
    pub router_port: u16,
    #[serde(default = "service_port")]
    pub service_port: u16,
    #[serde(default = "worker_ports")]
    pub worker_ports: [u16; 2],
    #[serde(default = "sip_tls_port")]
    pub router_tls_port: u16,
    #[serde(default = "service_tls_port")]
    pub service_tls_port: u16,
    #[serde(default = "worker_tls_ports")]
    pub worker_tls_ports: [u16; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaSettings {
    pub address: IpAddr,
    /// First and last UDP port.
    pub ports: [u16; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSettings {
    pub listen: SocketAddr,
    /// Further names by which browsers may call it.
    #[serde(default)]
    pub hosts: Vec<String>,
    pub admin_token_file: Option<PathBuf>,
    /// Addresses that may read `/metrics` without the token.
    #[serde(default)]
    pub metrics: Vec<IpAddr>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// Who answers look-ups.
pub(crate) fn dns(servers: &[SocketAddr]) -> net::Dns {
    if servers.is_empty() { net::Dns::System } else { net::Dns::Servers(servers.to_vec()) }
}

fn sixty() -> u32 {
    60
}

fn thirty() -> u32 {
    30
}

fn sip_port() -> u16 {
    5060
}

fn sip_tls_port() -> u16 {
    5061
}

fn service_tls_port() -> u16 {
    5063
}

fn worker_tls_ports() -> [u16; 2] {
    [5066, 5068]
}

fn service_port() -> u16 {
    5062
}

fn worker_ports() -> [u16; 2] {
    [5065, 5067]
}

impl NodeSettings {
    pub fn read(path: &Path) -> Result<NodeSettings, SettingsError> {
        let settings: NodeSettings = parse(path)?;
        if !(1..=120).contains(&settings.ring_time) {
            return Err(value(path, "ring_time", "is in seconds, 1 to 120"));
        }
        if settings.sip.address.is_unspecified() {
            return Err(value(path, "sip.address", "is one address that peers know the node by, not every address"));
        }
        settings.media.check(path)?;
        check_drain(path, settings.drain)?;
        if let Some(tls) = &settings.tls {
            tls.check(path)?;
            if settings.sip.port == settings.sip.tls_port {
                return Err(value(path, "sip.tls_port", "is another port than that for TCP"));
            }
        }
        if let Some(provisioning) = &settings.provisioning {
            provisioning.check(path)?;
        }
        Ok(settings)
    }
}

fn check_drain(path: &Path, seconds: u32) -> Result<(), SettingsError> {
    if seconds > 3600 {
        return Err(value(path, "drain", "is in seconds, 0 to 3600"));
    }
    Ok(())
}

impl UmSettings {
    pub fn read(path: &Path) -> Result<UmSettings, SettingsError> {
        let settings: UmSettings = parse(path)?;
        if settings.sip.address.is_unspecified() {
            return Err(value(path, "sip.address", "is one address that PBXs know the server by, not every address"));
        }
        check_drain(path, settings.drain)?;
        let sip = &settings.sip;
        let mut ports = vec![sip.router_port, sip.service_port];
        ports.extend(sip.worker_ports);
        if let Some(tls) = &settings.tls {
            tls.check(path)?;
            if tls.trusted.is_empty() && tls.client_certificate.is_none() {
                return Err(value(
                    path,
                    "tls.trusted",
                    "names the CA that gateways' certificates are signed by; client_certificate = \"no\" takes gateways at their addresses' word",
                ));
            }
            ports.extend([sip.router_tls_port, sip.service_tls_port]);
            ports.extend(sip.worker_tls_ports);
        }
        let all = ports.len();
        ports.sort_unstable();
        ports.dedup();
        if ports.len() != all {
            return Err(value(
                path,
                "sip",
                "has router, service and two workers on different ports, those for TLS as well",
            ));
        }
        if settings.web.as_ref().is_some_and(|web| web.certificate.is_some() != web.key.is_some()) {
            return Err(value(path, "web", "has certificate and key together, or neither"));
        }
        settings.media.check(path)?;
        settings.server().map_err(|error| value(path, "store", &error.to_string()))?;
        settings.audio_place().map_err(|error| value(path, "audio", &error.to_string()))?;
        if settings.store.is_some() && settings.audio.is_none() {
            return Err(value(
                path,
                "audio",
                "is needed with store: where all servers reach the recordings, a folder or a bucket",
            ));
        }
        Ok(settings)
    }

    /// Of several servers each has its own.
    pub(crate) fn name(&self) -> String {
        self.host_name.clone().unwrap_or_else(|| self.sip.address.to_string())
    }

    /// The PostgreSQL that `store` names.
    pub(crate) fn server(&self) -> Result<Option<Server>, UrlError> {
        self.store.as_deref().map(str::parse).transpose()
    }

    /// The folder or bucket that `audio` names.
    pub(crate) fn audio_place(&self) -> Result<Option<AudioPlace>, AudioUrlError> {
        self.audio.as_deref().map(str::parse).transpose()
    }
}

impl WebSettings {
    /// Certificate and key, when it speaks HTTPS.
    pub fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(TlsFiles { certificate, key })
    }
}

impl MediaSettings {
    fn check(&self, path: &Path) -> Result<(), SettingsError> {
        let [first, last] = self.ports;
        if first >= last || first < 1024 {
            return Err(value(path, "media.ports", "are the first and the last UDP port, between 1024 and 65535"));
        }
        if self.address.is_unspecified() {
            return Err(value(
                path,
                "media.address",
                "is one address that callers send their voice to, not every address",
            ));
        }
        Ok(())
    }
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| SettingsError::Parse { path: path.to_owned(), message: error.to_string() })
}

pub(crate) fn value(path: &Path, key: &'static str, message: &str) -> SettingsError {
    SettingsError::Value { path: path.to_owned(), key, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docs(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
    }

    #[test]
    fn the_commented_examples_are_taken_as_they_stand() {
        assert_eq!(NodeSettings::read(&docs("node.toml")).unwrap().sip.port, 5060);
        assert_eq!(UmSettings::read(&docs("um.toml")).unwrap().sip.worker_ports, [5065, 5067]);
    }

    #[test]
    fn what_the_examples_have_commented_out_is_taken_as_well() {
        let text = std::fs::read_to_string(docs("node.toml")).unwrap();
        let (plain, table) = text.split_once("#[provisioning]").unwrap();
        // A comment's second character is a space, a key's is not.
        let table: Vec<String> = table
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(key) if !key.starts_with(' ') => key.to_owned(),
                _ => line.to_owned(),
            })
            .collect();
        let file = std::env::temp_dir().join(format!("earcon-provisioning-{}.toml", std::process::id()));
        std::fs::write(&file, format!("{plain}[provisioning]{}", table.join("\n"))).unwrap();
        let provisioning = NodeSettings::read(&file).unwrap().provisioning.unwrap();
        assert_eq!(provisioning.voice_mail.as_deref(), Some("43334"));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_shared_store_is_a_url_and_needs_a_folder_and_errors_show_no_password() {
        let file = std::env::temp_dir().join(format!("earcon-store-{}.toml", std::process::id()));
        let text = std::fs::read_to_string(docs("um.toml")).unwrap();
        let (head, _) = text.split_once("#store").unwrap();
        let rest = &text[text.find("[sip]").unwrap()..];
        let read = |keys: &str| {
            std::fs::write(&file, format!("{head}{keys}\n{rest}")).unwrap();
            UmSettings::read(&file).map_err(|error| error.to_string())
        };
        let store = "store = \"postgres://earcon:secret@db/um\"";
        let settings = read(&format!("{store}\naudio = \"file:///srv/audio\"")).unwrap();
        assert_eq!(settings.audio_place().unwrap(), Some(AudioPlace::Folder("/srv/audio".into())));
        assert!(read(store).unwrap_err().contains("audio is needed with store"));
        let error = read("store = \"postgres://earcon:secret@db\"").unwrap_err();
        assert!(error.contains("store names no database") && !error.contains("secret"), "{error}");
        assert!(matches!(
            read("audio = \"s3://bucket/voice\"").unwrap().audio_place(),
            Ok(Some(AudioPlace::Bucket(_)))
        ));
        assert!(read("audio = \"s3://bucket/voice?timeout=0\"").unwrap_err().contains("audio has timeout=0"));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_um_server_by_tls_knows_its_gateways_by_certificates_unless_it_is_told_otherwise() {
        let file = std::env::temp_dir().join(format!("earcon-mutual-{}.toml", std::process::id()));
        let text = std::fs::read_to_string(docs("um.toml")).unwrap();
        let read = |keys: &str| {
            std::fs::write(&file, text.replace("#[tls]", &format!("[tls]\ncertificate = \"a\"\nkey = \"b\"\n{keys}")))
                .unwrap();
            UmSettings::read(&file).map(|_| ()).map_err(|error| error.to_string())
        };
        let error = read("").unwrap_err();
        assert!(error.contains("tls.trusted names the CA") && error.contains("client_certificate = \"no\""), "{error}");
        assert_eq!(read("trusted = [\"ca\"]"), Ok(()));
        assert_eq!(read("client_certificate = \"no\""), Ok(()));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_by_name() {
        let file = std::env::temp_dir().join(format!("earcon-settings-{}.toml", std::process::id()));
        let text = std::fs::read_to_string(docs("node.toml")).unwrap().replace("ring_time", "ringtime");
        std::fs::write(&file, text).unwrap();
        let error = NodeSettings::read(&file).unwrap_err().to_string();
        assert!(error.contains("ringtime") && error.contains("line"), "{error}");
        std::fs::remove_file(&file).unwrap();
    }
}
