//! The lab: the guide's setup in one process. The halves meet only in SIP, on real sockets.

use crate::error::StartError;
use crate::fault::{self, Fault, Faults};
use crate::node::RunningNode;
use crate::provisioning::{ProvisioningSettings, self_made};
use crate::settings::{JournalSettings, MediaSettings, NodeSettings, NodeSip, UmSettings, UmSip, WebSettings};
use crate::um::{Extras, RunningUm};
use crate::{event_socket, folder};
use event::Bus;
use shell::Shell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

pub(crate) const MX_ONE: &str = include_str!("../../../lab/mx-one.mml");
pub(crate) const EXCHANGE_UM: &str = include_str!("../../../lab/exchange-um.ps1");
/// The realm of the lab's digest: the guide's FQDN of the node.
const DOMAIN: &str = "mx-one-lync.lab.moon.galaxy";
const MAIL_DOMAIN: &str = "moon.galaxy";
/// Where phones fetch their files, at the node's address.
const PHONES_HTTP: u16 = 8081;
const PHONES_HTTPS: u16 = 8443;
const ADMIN_TOKEN: &str = "lab-admin";
/// Marks a data folder whose configuration was entered to the end.
const CONFIGURED: &str = "configured";
/// Marks one whose configuration was begun.
const CONFIGURING: &str = "configuring";

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
    /// What is wrong with it; slips are entered on an empty data folder, and stay there.
    pub faults: Vec<Fault>,
}

/// A lab that runs until it is dropped.
pub struct Lab {
    um: RunningUm,
    node: RunningNode,
    settings: LabSettings,
}

impl Lab {
    pub fn start(settings: LabSettings, bus: &Bus, runtime: &Handle) -> Result<Lab, StartError> {
        folder::prepare(&settings.data)?;
        let [a, b, c] = settings.net;
        let map = shell::Net::new(&format!("{a}.{b}.{c}"));
        let faults = Faults { all: settings.faults.clone(), um: host(&settings, 4) };
        let node = RunningNode::start_with(&node_settings(&settings)?, bus, runtime, map.clone(), &faults)?;
        let extras = Extras {
            mail_domain: MAIL_DOMAIN.into(),
            map,
            admin_tokens: vec![ADMIN_TOKEN.into()],
            node: Some(node.door()),
            metrics: Some(node.metrics()),
        };
        let um = RunningUm::start_with(&um_settings(&settings), bus, runtime, extras, &faults)?;
        runtime.block_on(event_socket::serve(settings.data.clone(), bus.clone()))?;
        let script = |text| fault::apply(text, &settings.faults);
        configure(&settings.data.join("node"), &node.shell, "lab/mx-one.mml", &script(MX_ONE))?;
        configure(&settings.data.join("um1"), &um.shell, "lab/exchange-um.ps1", &script(EXCHANGE_UM))?;
        Ok(Lab { um, node, settings })
    }

    /// Whether one of the halves has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.um.has_ended() || self.node.has_ended()
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
        let mut text = format!(
            "Earcon lab, data in {}\n\n\
             PBX         {node}:5060 UDP and TCP, domain {DOMAIN}\n\
             UM server   {um}: call router 5060, UM service 5062, workers 5065 and 5067, TCP and UDP\n\
             voice mail  43334\n\
             attendant   43333\n\
             web page    {web}  (extension and PIN, or token {ADMIN_TOKEN})\n\
             phone files {phones}\n\n\
             phone   name             SIP password   PIN\n",
            self.settings.data.display()
        );
        for (extension, name, pin) in USERS {
            let enabled = if extension == "27010" { "  (no mailbox)" } else { "" };
            text.push_str(&format!("{extension}   {name:<15}  moon-{extension}     {pin}{enabled}\n"));
        }
        text.push_str(&format!("\n{}\n", self.um.speech));
        text
    }
}

/// Runs the script on a folder that has not been configured. A lab that was killed on the way goes on with what is left to
/// do: what it had entered before is refused now, and is passed over.
fn configure(data: &Path, shell: &Shell, script: &'static str, text: &str) -> Result<(), StartError> {
    let (mark, begun) = (data.join(CONFIGURED), data.join(CONFIGURING));
    if mark.exists() {
        return Ok(());
    }
    let goes_on = begun.exists();
    std::fs::write(&begun, b"")?;
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
    std::fs::rename(begun, mark)?;
    Ok(())
}

fn host(settings: &LabSettings, last: u8) -> IpAddr {
    let [a, b, c] = settings.net;
    Ipv4Addr::new(a, b, c, last).into()
}

fn node_settings(settings: &LabSettings) -> Result<NodeSettings, StartError> {
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
        sip: NodeSip { address, port: 5060 },
        media: MediaSettings { address, ports: [20000, 29999] },
        provisioning: Some(provisioning),
        metrics: None,
        journal: JournalSettings::default(),
    })
}

fn um_settings(settings: &LabSettings) -> UmSettings {
    let address = host(settings, 4);
    UmSettings {
        data: settings.data.join("um1"),
        // Nobody resolves names on a machine that is only itself: Contacts carry the address.
        host_name: None,
        sip: UmSip { address, router_port: 5060, service_port: 5062, worker_ports: [5065, 5067] },
        media: MediaSettings { address, ports: [30000, 39999] },
        web: Some(WebSettings {
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
    }
}
