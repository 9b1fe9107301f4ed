//! The lab: the guide's setup in one process. The halves meet only in SIP, on real sockets.

use crate::cable::{Cables, Wire};
use crate::certificates::{self, Authority, DAYS, Wish};
use crate::dns::{self, Dns};
use crate::doors::Doors;
use crate::error::StartError;
use crate::fault::{self, Fault, Faults};
use crate::node::RunningNode;
use crate::provisioning::{ProvisioningSettings, self_made};
use crate::settings::{JournalSettings, MediaSettings, NodeSettings, NodeSip, UmSettings, UmSip, WebSettings};
use crate::tls::TlsSettings;
use crate::um::{Extras, RunningUm};
use crate::{event_socket, folder};
use event::Bus;
use net::Cable;
use shell::Shell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

pub(crate) const MX_ONE: &str = include_str!("../../../lab/mx-one.mml");
/// Two UM servers behind a name.
pub(crate) const LOAD_BALANCING: &str = include_str!("../../../lab/load-balancing.mml");
pub(crate) const EXCHANGE_UM: &str = include_str!("../../../lab/exchange-um.ps1");
/// What the secure lab enters after them, and after the lines of the second server.
const MX_ONE_SECURE: &str = include_str!("../../../lab/mx-one-secure.mml");
const EXCHANGE_UM_SECURE: &str = include_str!("../../../lab/exchange-um-secure.ps1");
const LOAD_BALANCING_SECURE: &str = include_str!("../../../lab/load-balancing-secure.mml");
/// The password of the node's .pfx, as lab/mx-one-secure.mml has it. It is good on loopback only.
const PFX_PASSWORD: &str = "moon";
/// The realm of the lab's digest: the guide's FQDN of the node.
const DOMAIN: &str = "mx-one-lync.lab.moon.galaxy";
const MAIL_DOMAIN: &str = "moon.galaxy";
/// The name that both UM servers are behind.
const POOL: &str = "exc-2013-um.moon.galaxy";
/// Where phones fetch their files, at the node's address.
const PHONES_HTTP: u16 = 8081;
const PHONES_HTTPS: u16 = 8443;
const ADMIN_TOKEN: &str = "lab-admin";
/// Marks a data folder whose configuration was begun, and one where it was entered to the end.
const CONFIGURED: [&str; 2] = ["configuring", "configured"];
/// The same of the lines of chapter 5.
const SECURED: [&str; 2] = ["securing", "secured"];
/// Marks one whose node knows of two UM servers; it says by which protocol.
const REDUNDANT: &str = "redundant";

/// Who is in the lab. The passwords and PINs are known to everyone: they are good for loopback only.
const USERS: [(&str, &str, &str); 3] =
    [("27000", "Anna Svensson", "730146"), ("27001", "Björn Åkesson", "730258"), ("27010", "Zoë O'Neil", "730361")];

/// What `earcon lab` may be told.
#[derive(Clone, Debug)]
pub struct LabSettings {
    pub data: PathBuf,
    /// Seconds, 1 to 120.
    pub ring_time: u32,
    /// The first three bytes of the loopback net.
    pub net: [u8; 3],
    /// Port of the page on 127.0.0.1.
    pub web: u16,
    /// Phones may fetch their files over HTTPS, too, with a self-made certificate.
    pub https: bool,
    /// Two UM servers behind a name, and a DNS server that knows it. A data folder that had them has them again.
    pub redundant: bool,
    /// The trunk by TLS with SRTP, and the lab's own CA: the guide's chapter 5. A data folder that had it has it again.
    pub secure: bool,
    /// What is wrong with it; slips are entered on an empty data folder, and stay there.
    pub faults: Vec<Fault>,
}

/// PEM files of a certificate, its key, and the CA that signed it.
#[derive(Clone, Debug)]
pub struct Pair {
    pub trusted: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A lab that runs until it is dropped.
pub struct Lab {
    second: Option<RunningUm>,
    um: RunningUm,
    node: RunningNode,
    _dns: Option<Dns>,
    cables: Cables,
    settings: LabSettings,
}

impl Lab {
    pub fn start(mut settings: LabSettings, bus: &Bus, runtime: &Handle) -> Result<Lab, StartError> {
        folder::prepare(&settings.data)?;
        let secured = settings.data.join("node").join(SECURED[1]).exists();
        settings.secure |= secured;
        let [a, b, c] = settings.net;
        let map = shell::Net::new(&format!("{a}.{b}.{c}"));
        let faults = Faults { all: settings.faults.clone(), um: vec![host(&settings, UM1.1), host(&settings, UM2.1)] };
        let mark = settings.data.join(REDUNDANT);
        let redundant = settings.redundant || mark.exists();
        let dns = match redundant {
            true => Some(Dns::start(
                SocketAddr::new(host(&settings, 53), dns::PORT),
                map.as_ref(),
                &settings.faults,
                runtime,
            )?),
            false => None,
        };
        let tls = |name: &str, last| -> Result<Option<TlsSettings>, StartError> {
            settings.secure.then(|| certificates(&settings, name, host(&settings, last))).transpose()
        };
        let (um1_tls, um2_tls) = (tls("exc-2013-um1.moon.galaxy", UM1.1)?, tls("exc-2013-um2.moon.galaxy", UM2.1)?);
        let node = RunningNode::start_with(&node_settings(&settings, redundant)?, bus, runtime, map.clone(), &faults)?;
        let cable = Cable::default();
        let doors = redundant.then(Doors::default);
        let extras = Extras {
            mail_domain: MAIL_DOMAIN.into(),
            map: map.clone(),
            admin_tokens: vec![ADMIN_TOKEN.into()],
            node: Some(node.door()),
            metrics: Some(node.metrics()),
            shared: None,
            several: doors.clone(),
            cable: cable.clone(),
        };
        let um = RunningUm::start_with(&um_settings(&settings, UM1, um1_tls), bus, runtime, extras, &faults)?;
        let (mut second, mut cables) = (None, Cables::default());
        if redundant {
            let other = Cable::default();
            let extras = Extras {
                mail_domain: MAIL_DOMAIN.into(),
                map,
                admin_tokens: Vec::new(),
                node: None,
                metrics: None,
                shared: Some(um.share()),
                several: doors,
                cable: other.clone(),
            };
            let started = RunningUm::start_with(&um_settings(&settings, UM2, um2_tls), bus, runtime, extras, &faults)?;
            cables = Cables::new(vec![Wire { name: UM1.0, cable }, Wire { name: UM2.0, cable: other }]);
            second = Some(started);
        }
        runtime.block_on(event_socket::serve(settings.data.clone(), bus.clone()))?;
        let script = |text| fault::apply(text, &settings.faults);
        let (of_node, of_um) = (settings.data.join("node"), settings.data.join("um1"));
        configure(&of_node, CONFIGURED, &node.shell, "lab/mx-one.mml", &script(MX_ONE))?;
        configure(&of_um, CONFIGURED, &um.shell, "lab/exchange-um.ps1", &script(EXCHANGE_UM))?;
        if settings.secure {
            configure(&of_um, SECURED, &um.shell, "lab/exchange-um-secure.ps1", EXCHANGE_UM_SECURE)?;
            configure(&of_node, SECURED, &node.shell, "lab/mx-one-secure.mml", MX_ONE_SECURE)?;
        }
        // Chapter 5 leads the route to one server, and one that was redundant before then to both again.
        let protocol = if settings.secure { "tls" } else { "tcp" };
        if redundant && std::fs::read_to_string(&mark).ok().as_deref() != Some(protocol) {
            enter(&node.shell, "lab/load-balancing.mml", &script(LOAD_BALANCING), false)?;
            if settings.secure {
                enter(&node.shell, "lab/load-balancing-secure.mml", LOAD_BALANCING_SECURE, false)?;
            }
            std::fs::write(&mark, protocol)?;
        }
        Ok(Lab { second, um, node, _dns: dns, cables, settings })
    }

    /// The cables of its UM servers, when there are two.
    pub fn cables(&self) -> Cables {
        self.cables.clone()
    }

    /// Enters a line at the node's shell.
    pub fn enter(&self, line: &str) -> Result<(), StartError> {
        enter(&self.node.shell, "the line", line, false)
    }

    /// A certificate of the secure lab's CA for these addresses, and its key: for who stands in for a trunk's far end.
    pub fn certificate_for(&self, addresses: &[IpAddr]) -> Result<Pair, StartError> {
        let authority = Authority::in_folder(&folder_of(&self.settings), AUTHORITY)?;
        let names: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let (certificate, key) = pair(&folder_of(&self.settings), &authority, "verify.moon.galaxy", &names)?;
        Ok(Pair { trusted: authority.certificate().to_owned(), certificate, key })
    }

    /// Whether one of the halves has ended by itself; of two UM servers, both.
    pub fn has_ended(&self) -> bool {
        self.node.has_ended() || self.um.has_ended() && self.second.as_ref().is_none_or(RunningUm::has_ended)
    }

    /// Where the page and REST are.
    pub fn web(&self) -> Option<SocketAddr> {
        self.um.web()
    }

    /// What a person needs to know to use the lab: the lines before `lab ready`.
    pub fn banner(&self) -> String {
        let node = host(&self.settings, 10);
        let um = host(&self.settings, 4);
        let web = self.um.web().map(|address| format!("http://{address}/")).unwrap_or_default();
        let phones = self.node.provisioning();
        let secure = if self.settings.secure {
            let ca = self.settings.data.join("certificates/ca.crt");
            format!(
                "TLS         node 5061, call router 5061, UM service 5063, workers 5066 and 5068; CA {}\n",
                ca.display()
            )
        } else {
            String::new()
        };
        let mut text = format!(
            "Earcon lab, data in {}\n\n\
             PBX         {node}:5060 UDP and TCP, domain {DOMAIN}\n\
             UM server   {um}: call router 5060, UM service 5062, workers 5065 and 5067, TCP and UDP\n\
             voice mail  43334\n\
             attendant   43333\n\
             {secure}\
             web page    {web}  (extension and PIN, or token {ADMIN_TOKEN})\n\
             phone files {phones}\n\n\
             phone   name             SIP password   PIN\n",
            self.settings.data.display()
        );
        for (extension, name, pin) in USERS {
            let enabled = if extension == "27010" { "  (no mailbox)" } else { "" };
            text.push_str(&format!("{extension}   {name:<15}  moon-{extension}     {pin}{enabled}\n"));
        }
        if self.second.is_some() {
            let (second, dns) = (host(&self.settings, UM2.1), host(&self.settings, 53));
            text.push_str(&format!(
                "\nUM server 2 {second}: the same ports; both are behind exc-2013-um.moon.galaxy\n\
                 DNS         {dns}:{}, UDP and TCP: dig @{dns} -p {} _sip._tcp.exc-2013-um SRV\n\
                 cables      type unplug um1, plug um1, unplug um2, plug um2\n",
                dns::PORT,
                dns::PORT
            ));
        }
        text.push_str(&format!("\n{}\n", self.um.speech));
        text
    }
}

/// Runs the script on a folder that has not been configured. A lab that was killed on the way goes on with what is left to
/// do: what it had entered before is refused now, and is passed over.
fn configure(
    data: &Path,
    [begun, mark]: [&str; 2],
    shell: &Shell,
    script: &'static str,
    text: &str,
) -> Result<(), StartError> {
    let (mark, begun) = (data.join(mark), data.join(begun));
    if mark.exists() {
        return Ok(());
    }
    let goes_on = begun.exists();
    std::fs::write(&begun, b"")?;
    enter(shell, script, text, goes_on)?;
    std::fs::rename(begun, mark)?;
    Ok(())
}

/// Runs a script; one that `goes_on` passes over what was entered before.
fn enter(shell: &Shell, script: &'static str, text: &str, goes_on: bool) -> Result<(), StartError> {
    let refused = |error: String| StartError::Script { script, reason: error };
    for statement in shell.language().statements(text).map_err(|fault| refused(fault.to_string()))? {
        match shell.execute(&statement) {
            // The line is right, so what is wrong with a part of it is that it was entered before. What has no place in
            // it (a full disk) is a failure then, too.
            Err(fault) if goes_on && fault.place.is_some() => {}
            Err(fault) => return Err(refused(fault.to_string())),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn host(settings: &LabSettings, last: u8) -> IpAddr {
    let [a, b, c] = settings.net;
    Ipv4Addr::new(a, b, c, last).into()
}

fn node_settings(settings: &LabSettings, redundant: bool) -> Result<NodeSettings, StartError> {
    let address = host(settings, 10);
    let data = settings.data.join("node");
    let mut provisioning = ProvisioningSettings::of_lab(SocketAddr::new(address, PHONES_HTTP));
    if settings.https {
        folder::prepare(&data)?;
        let (certificate, key) = self_made::pair(&data, address)?;
        provisioning.https = Some(SocketAddr::new(address, PHONES_HTTPS));
        (provisioning.certificate, provisioning.key) = (Some(certificate), Some(key));
    }
    Ok(NodeSettings {
        data,
        domain: DOMAIN.into(),
        ring_time: settings.ring_time,
        dns: redundant.then(|| SocketAddr::new(host(settings, 53), dns::PORT)).into_iter().collect(),
        sip: NodeSip { address, port: 5060, tls_port: 5061 },
        media: MediaSettings { address, ports: [20000, 29999] },
        provisioning: Some(provisioning),
        metrics: None,
        journal: JournalSettings::default(),
        drain: 0,
        // The certificate is imported by the script, as the guide does, and brings the CA along.
        tls: settings.secure.then(TlsSettings::default),
    })
}

/// The UM servers: data folder, and the last number of the address.
const UM1: (&str, u8) = ("um1", 4);
const UM2: (&str, u8) = ("um2", 5);

fn um_settings(settings: &LabSettings, (name, last): (&'static str, u8), tls: Option<TlsSettings>) -> UmSettings {
    let address = host(settings, last);
    UmSettings {
        data: settings.data.join(name),
        store: None,
        audio: None,
        // Nobody resolves names on a machine that is only itself: Contacts carry the address.
        host_name: None,
        drain: 0,
        dns: Vec::new(),
        sip: UmSip {
            address,
            router_port: 5060,
            service_port: 5062,
            worker_ports: [5065, 5067],
            router_tls_port: 5061,
            service_tls_port: 5063,
            worker_tls_ports: [5066, 5068],
        },
        media: MediaSettings { address, ports: [30000, 39999] },
        web: (name == UM1.0).then(|| WebSettings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, settings.web)),
            hosts: vec!["localhost".into()],
            admin_token_file: None,
            metrics: vec![Ipv4Addr::LOCALHOST.into()],
            certificate: None,
            key: None,
        }),
        metrics: None,
        transcription: None,
        journal: JournalSettings::default(),
        tls,
    }
}

const AUTHORITY: &str = "Moon Galaxy Enterprise CA";

/// Where the lab's CA keeps its files.
fn folder_of(settings: &LabSettings) -> PathBuf {
    settings.data.join("certificates")
}

/// Certificate and key of this name; issued at the first start.
fn pair(folder: &Path, authority: &Authority, name: &str, names: &[String]) -> Result<(PathBuf, PathBuf), StartError> {
    let (certificate, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    if !certificate.exists() {
        // A lab that was killed on the way has left the key alone.
        let _ = std::fs::remove_file(&key);
        authority.issue(folder, name, &Wish { subject: name, names, days: DAYS })?;
    }
    Ok((certificate, key))
}

/// The lab's enterprise CA, and what it issues: the node's certificate as the .pfx that its script imports, the UM server's as
/// PEM files. Made at the first start.
fn certificates(settings: &LabSettings, um: &str, address: IpAddr) -> Result<TlsSettings, StartError> {
    let (folder, of_node) = (folder_of(settings), settings.data.join("node/certificates"));
    folder::prepare(&folder)?;
    folder::prepare(&settings.data.join("node"))?;
    folder::prepare(&of_node)?;
    let authority = Authority::in_folder(&folder, AUTHORITY)?;
    let (certificate, key) = pair(&folder, &authority, DOMAIN, &[host(settings, 10).to_string()])?;
    let pfx = of_node.join(format!("{DOMAIN}.pfx"));
    if !pfx.exists() {
        certificates::pfx(&certificate, &key, &pfx, PFX_PASSWORD)?;
    }
    // Behind a name with another server: the route dials that name (RFC 5922 7.1, 4).
    let (certificate, key) = pair(&folder, &authority, um, &[address.to_string(), POOL.to_owned()])?;
    Ok(TlsSettings {
        certificate: Some(certificate),
        key: Some(key),
        trusted: vec![authority.certificate().to_owned()],
        ..TlsSettings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Event;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    const SOON: Duration = Duration::from_secs(30);

    /// A net that no other test uses.
    const NET: [u8; 3] = [127, 0, 148];

    /// What the page's port answers to a cmdlet.
    fn rest(lab: &Lab, cmdlet: &str) -> String {
        let address = lab.web().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let length = cmdlet.len();
        write!(
            stream,
            "POST /api/v1/um/commands HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{cmdlet}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn when_one_server_has_ended_page_and_shell_are_answered_by_the_other_which_tells_the_lamps() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LabSettings {
            data: folder.path().to_owned(),
            ring_time: 2,
            net: NET,
            web: 18148,
            https: false,
            redundant: true,
            secure: false,
            faults: Vec::new(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let bus = Bus::new();
        let lab = Lab::start(settings, &bus, runtime.handle()).unwrap();
        assert!(!lab.has_ended());
        lab.um.stop();
        let limit = Instant::now() + SOON;
        while !lab.um.has_ended() {
            assert!(Instant::now() < limit, "um1 does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!lab.has_ended(), "um2 runs");
        let told = bus.subscribe();
        let enable = "Enable-UMMailbox zoe.oneil -UMMailboxPolicy 'Integration_MX-ONE Default Policy' \
                      -Extensions 27010 -PIN 730361";
        enter(&lab.um.shell, "the line", enable, false).unwrap();
        let lamp = std::iter::from_fn(|| told.records.recv_timeout(SOON).ok())
            .find(|record| matches!(&record.event, Event::LampSent { mailbox, .. } if mailbox == "27010"));
        assert!(lamp.is_some());
        let answer = rest(&lab, r#"{"Cmdlet": "Get-UMMailbox", "Identity": "27010"}"#);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("zoe.oneil@moon.galaxy"), "{answer}");
    }
}
