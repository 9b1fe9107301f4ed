//! What is tested: a TOML file (docs/verify.toml, every key commented) that names a PBX, its extensions, and a UM server,
//! whoever made them.

use net::tls::{CertificateSource, ClientCertificate, Credentials, Tls, TlsError, TlsFiles, authorities};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The commented example: the guide's setup as the lab has it.
const LAB: &str = include_str!("../../../docs/verify.toml");
/// RFC 3261 19.1.2: the default port of SIP over TLS.
const SIPS_PORT: u16 = 5061;
/// The net that the example is written for.
const LAB_NET: &str = "127.0.222";

/// Why a target file is not taken. Each says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The file is not there or not readable.
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The text is no TOML, or a key is unknown, missing or of the wrong type; the message has line and column.
    #[error("{0}")]
    Parse(String),
    /// A value cannot be.
    #[error("{key} {message}")]
    Value { key: &'static str, message: &'static str },
}

/// The system under test, and how to reach it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Stands on the report.
    pub name: String,
    pub pbx: Pbx,
    pub suite: SuiteSettings,
    pub numbers: Numbers,
    /// A user with a mailbox: tests call this extension and take its messages.
    pub subscriber: Subscriber,
    /// Another user of the directory, who calls the subscriber.
    pub caller: User,
    /// An extension without a mailbox.
    pub stranger: Stranger,
    #[serde(default)]
    pub prompts: Prompts,
    /// Where something is reached by TLS.
    pub tls: Option<TlsSettings>,
    pub rest: Option<Rest>,
    pub trunk: Option<Trunk>,
    pub gateway: Option<Gateway>,
    pub redundancy: Option<Redundancy>,
}

/// Where the phones register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pbx {
    pub address: IpAddr,
    #[serde(default = "sip_port")]
    pub port: u16,
    /// Of the phones.
    #[serde(default)]
    pub transport: Transport,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    #[default]
    Udp,
    Tcp,
    Tls,
}

/// The suite's own side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteSettings {
    /// The phones' address. On loopback each phone has one of its own, counted up from this one.
    pub bind: IpAddr,
    /// Media is SRTP, and nothing else is taken.
    #[serde(default)]
    pub srtp: bool,
    /// Longest time until a call that nobody takes is answered by voice mail, in seconds.
    #[serde(default = "forty_five")]
    pub ring_s: u64,
    /// Longest time from the end of a message to the lamp, in seconds.
    #[serde(default = "ten")]
    pub lamp_s: u64,
    /// Longest silence of a prompt, in seconds.
    #[serde(default = "ten")]
    pub prompt_s: u64,
}

/// PEM files: whom the suite's phones and far ends believe, and what they show.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The CA that the certificates of PBX and UM server are signed by.
    pub trusted: PathBuf,
    /// Of the suite where it stands in for a trunk or the PBX; for these addresses. Its phones need none.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl TlsSettings {
    pub(crate) fn open(&self) -> Result<Tls, TlsError> {
        let own = match (self.certificate.clone(), self.key.clone()) {
            (Some(certificate), Some(key)) => {
                Some(Credentials::read(&CertificateSource::Pem(TlsFiles { certificate, key }))?)
            }
            _ => None,
        };
        let tls = Tls::new(ClientCertificate::Asked, &[])?;
        tls.set_files(own, vec![(self.trusted.clone(), authorities(&self.trusted)?)])?;
        Ok(tls)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The pilot identifier of subscriber access.
    pub voice_mail: String,
    pub auto_attendant: Option<String>,
    /// As long as an extension, but of nobody.
    pub invalid: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscriber {
    pub extension: String,
    /// SIP password.
    pub password: String,
    /// As the directory has it.
    pub name: String,
    pub pin: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub extension: String,
    pub password: String,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    pub extension: String,
    pub password: String,
}

/// What the UM server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prompts {
    /// Earcon's own: recognised word by word.
    #[default]
    Earcon,
    /// Not known: that something is said is all that can be checked, and tests pass conditionally.
    Unknown,
}

/// Earcon's REST interface, of either half.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    pub address: SocketAddr,
    /// The administrator's.
    pub token: String,
    /// Whether the suite may give commands: a route, a gateway of its own, ended after the test.
    #[serde(default)]
    pub commands: bool,
}

/// The way in for a caller from outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// The suite is the far end of a trunk with this address; the PBX knows it by that.
    pub bind: IpAddr,
    #[serde(default = "sip_port")]
    pub port: u16,
    #[serde(default)]
    pub transport: Transport,
    /// Who calls: no extension of the PBX.
    pub number: String,
    /// A number that leads to the trunk. With `rest.commands` the suite makes it, for as long as it tests.
    pub access_code: Option<String>,
}

/// The suite in the PBX's place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The UM server's first address: the call router's.
    pub um: SocketAddr,
    /// How it is called, and how its redirects have to lead on.
    #[serde(default = "tcp")]
    pub transport: Transport,
    /// The suite's address, which the UM server knows as a UM IP gateway.
    pub bind: IpAddr,
    /// With `rest.commands` the suite makes the gateway, of this dial plan.
    pub dial_plan: Option<String>,
}

/// Several UM servers behind the PBX.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redundancy {
    /// Their addresses. The first is the one whose cable is pulled.
    pub servers: Vec<IpAddr>,
    /// The command line that pulls it.
    pub unplug: Option<String>,
    /// The one that plugs it again.
    pub plug: Option<String>,
    /// A cable in this process, in their place.
    #[serde(skip)]
    pub cable: Option<Cable>,
}

/// A cable that the suite can pull (`false`) and plug.
#[derive(Clone)]
pub struct Cable(Arc<dyn Fn(bool) + Send + Sync>);

impl Cable {
    pub fn new(set: impl Fn(bool) + Send + Sync + 'static) -> Cable {
        Cable(Arc::new(set))
    }

    pub(crate) fn set(&self, plugged: bool) {
        (self.0)(plugged);
    }
}

impl std::fmt::Debug for Cable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cable")
    }
}

fn tcp() -> Transport {
    Transport::Tcp
}

fn sip_port() -> u16 {
    5060
}

fn forty_five() -> u64 {
    45
}

fn ten() -> u64 {
    10
}

impl Target {
    pub fn read(path: &Path) -> Result<Target, TargetError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| TargetError::Read { path: path.to_owned(), source })?;
        Target::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Target, TargetError> {
        let target: Target = toml::from_str(text).map_err(|error| TargetError::Parse(error.to_string()))?;
        target.check()?;
        Ok(target)
    }

    /// The lab on the loopback net with these first three numbers, whose REST is at `rest`.
    pub fn lab(net: [u8; 3], rest: SocketAddr) -> Result<Target, TargetError> {
        let [a, b, c] = net;
        let mut target = Target::parse(&LAB.replace(LAB_NET, &format!("{a}.{b}.{c}")))?;
        if let Some(door) = &mut target.rest {
            door.address = rest;
        }
        let servers = [4, 5].map(|last| IpAddr::from([a, b, c, last])).to_vec();
        target.redundancy = Some(Redundancy { servers, unplug: None, plug: None, cable: None });
        Ok(target)
    }

    /// The same of a lab whose trunk and phones are by TLS with SRTP (the guide's chapter 5). `certificate` is for the
    /// addresses of [`Target::stand_ins`].
    pub fn secured(mut self, files: TlsSettings) -> Target {
        (self.pbx.transport, self.pbx.port, self.suite.srtp) = (Transport::Tls, SIPS_PORT, true);
        if let Some(trunk) = &mut self.trunk {
            (trunk.transport, trunk.port) = (Transport::Tls, SIPS_PORT);
        }
        if let Some(gateway) = &mut self.gateway {
            gateway.transport = Transport::Tls;
            gateway.um.set_port(SIPS_PORT);
        }
        self.tls = Some(files);
        self
    }

    /// Where the suite stands in for a trunk's far end and for the PBX.
    pub fn stand_ins(&self) -> Vec<IpAddr> {
        let trunk = self.trunk.iter().map(|trunk| trunk.bind);
        trunk.chain(self.gateway.iter().map(|gateway| gateway.bind)).collect()
    }

    fn check(&self) -> Result<(), TargetError> {
        let value = |key, message| Err(TargetError::Value { key, message });
        let transports = [
            Some(self.pbx.transport),
            self.trunk.as_ref().map(|trunk| trunk.transport),
            self.gateway.as_ref().map(|gateway| gateway.transport),
        ];
        if transports.contains(&Some(Transport::Tls)) && self.tls.is_none() {
            return value("tls.trusted", "names the CA that is believed, where something is reached by TLS");
        }
        if self.tls.as_ref().is_some_and(|tls| tls.certificate.is_some() != tls.key.is_some()) {
            return value("tls.key", "goes with tls.certificate");
        }
        let extensions = [&self.subscriber.extension, &self.caller.extension, &self.stranger.extension];
        if extensions.iter().any(|extension| extension.is_empty() || !extension.bytes().all(|b| b.is_ascii_digit())) {
            return value("extension", "is digits");
        }
        if extensions[0] == extensions[1] || extensions[1] == extensions[2] || extensions[0] == extensions[2] {
            return value("extension", "is another one for subscriber, caller and stranger");
        }
        if self.suite.bind.is_unspecified() || self.pbx.address.is_unspecified() {
            return value(
                "suite.bind",
                "and pbx.address are addresses that the other side can reach, not every address",
            );
        }
        if self.suite.bind.is_ipv4() != self.pbx.address.is_ipv4() {
            return value("suite.bind", "is of the same family as pbx.address");
        }
        if self.redundancy.as_ref().is_some_and(|redundancy| redundancy.servers.len() < 2) {
            return value("redundancy.servers", "are two at least");
        }
        if self.trunk.as_ref().is_some_and(|trunk| trunk.bind == self.suite.bind) {
            return value("trunk.bind", "is another address than suite.bind: the PBX knows a trunk by its address");
        }
        Ok(())
    }

    pub(crate) fn server(&self) -> SocketAddr {
        SocketAddr::new(self.pbx.address, self.pbx.port)
    }

    /// The address of the suite's phone number `place`.
    pub(crate) fn bind(&self, place: u8) -> IpAddr {
        match self.suite.bind {
            IpAddr::V4(first) if first.is_loopback() => {
                let [a, b, c, d] = first.octets();
                IpAddr::from([a, b, c, d.saturating_add(place)])
            }
            other => other,
        }
    }

    pub(crate) fn ring(&self) -> Duration {
        Duration::from_secs(self.suite.ring_s)
    }

    pub(crate) fn lamp(&self) -> Duration {
        Duration::from_secs(self.suite.lamp_s)
    }

    pub(crate) fn prompt(&self) -> Duration {
        Duration::from_secs(self.suite.prompt_s)
    }

    /// Whether the suite may change the configuration for the time of a test.
    pub(crate) fn commands(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.commands)
    }
}

impl Transport {
    pub(crate) fn sip(self) -> sip::Transport {
        match self {
            Transport::Udp => sip::Transport::Udp,
            Transport::Tcp => sip::Transport::Tcp,
            Transport::Tls => sip::Transport::Tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_example_is_the_lab_on_any_net() {
        let rest = "127.0.0.1:18080".parse().unwrap();
        let target = Target::lab([127, 0, 100], rest).unwrap();
        assert_eq!(target.pbx.address, IpAddr::from([127, 0, 100, 10]));
        assert_eq!(target.rest.as_ref().unwrap().address, rest);
        assert_eq!(target.bind(2), IpAddr::from([127, 0, 100, 72]));
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_by_name_and_line() {
        let error = Target::parse(&LAB.replace("voice_mail", "voicemail")).unwrap_err().to_string();
        assert!(error.contains("voicemail") && error.contains("line"), "{error}");
    }

    #[test]
    fn tls_wants_to_know_whom_to_believe_and_a_certificate_has_its_key() {
        let rest = "127.0.0.1:18080".parse().unwrap();
        let mut target = Target::lab([127, 0, 100], rest).unwrap();
        target.pbx.transport = Transport::Tls;
        assert!(target.check().unwrap_err().to_string().contains("tls.trusted"));
        let files = TlsSettings { trusted: "ca.crt".into(), certificate: Some("a.crt".into()), key: None };
        let target = target.secured(files);
        assert!(target.check().unwrap_err().to_string().contains("tls.key"));
        assert_eq!((target.pbx.port, target.gateway.as_ref().unwrap().um.port()), (5061, 5061));
        assert!(target.tls.unwrap().open().unwrap_err().to_string().contains("ca.crt"));
    }

    #[test]
    fn the_three_extensions_are_three() {
        let error = Target::parse(&LAB.replace("\"27010\"", "\"27001\"")).unwrap_err().to_string();
        assert!(error.contains("another one"), "{error}");
    }
}
