//! Starts a service node with all that belongs to it.

use crate::call_records::CallRecords;
use crate::disk::DiskWatch;
use crate::error::StartError;
use crate::fault::{Faults, Half};
use crate::metrics::{Parts, Queue};
use crate::role::Running;
use crate::settings::NodeSettings;
use crate::{event_socket, folder, journal, provisioning};
use event::{Bus, Event, Now, Sink};
use media::{Engine, EngineConfig};
use net::tls::{ClientCertificate, Tell};
use net::{InboxSender, Net, NetConfig};
use pbx::{Node, NodeConfig, Own};
use shell::{Language, Shell};
use sip::flow::Listener;
use sip::{ListenerId, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use web::metrics::Metrics;

/// A node that runs until it is dropped. Its parts end in this order: provisioning, shell, role, media.
pub struct RunningNode {
    _metrics: Option<web::metrics::Running>,
    provisioning: Option<web::provisioning::Running>,
    _shell: shell::Server,
    role: Running,
    _disk: DiskWatch,
    _engine: Engine,
    /// The role gives it what it has recorded: it ends after it.
    _journal: Option<::journal::Writer>,
    inbox: InboxSender<Own>,
    metrics: Metrics,
    /// What runs in its shell; the lab's script goes through it.
    pub shell: Shell,
}

impl RunningNode {
    /// Starts on its data folder. `net` maps the guide's addresses, in the lab.
    pub fn start(
        settings: &NodeSettings,
        bus: &Bus,
        runtime: &Handle,
        map: Option<shell::Net>,
    ) -> Result<RunningNode, StartError> {
        RunningNode::start_with(settings, bus, runtime, map, &Faults::default())
    }

    pub(crate) fn start_with(
        settings: &NodeSettings,
        bus: &Bus,
        runtime: &Handle,
        map: Option<shell::Net>,
        faults: &Faults,
    ) -> Result<RunningNode, StartError> {
        folder::prepare(&settings.data)?;
        let store = state::Store::open(&settings.data.join("state.db"))?;
        let key = state::KeyFile::open_or_create(&settings.data)?;
        let (sender, inbox) = net::inbox();
        let listeners = listeners(settings);
        let mut net = NetConfig::new("node", listeners);
        net.events = Some(Arc::new(bus.clone()));
        net.dns = crate::settings::dns(&settings.dns);
        let tls = match &settings.tls {
            Some(tls) => {
                let own = sender.clone();
                let tell: Tell = Box::new(move |certificate, warning| {
                    own.own(Own::Certificate { subject: certificate.subject.clone(), warning });
                });
                // Telephones have no certificates; trunks have.
                Some(tls.open(ClientCertificate::Asked, bus, runtime, Some(tell))?)
            }
            None => None,
        };
        net.tls = tls.clone();
        let net = Net::start(net, sender.clone())?;
        let events = sender.clone();
        let [first, last] = settings.media.ports;
        let engine =
            Engine::start(EngineConfig::new(settings.media.address, first..=last, rand::random()), move |event| {
                events.own(Own::Media(event));
            })?;
        let records = CallRecords::start(settings.data.join("call_information"))?;
        let (journal, writer) = journal::start("node", &settings.data, settings.journal, Arc::new(bus.clone()))?;
        let mut queues: Vec<Queue> = vec![("call records", Box::new(records.waiting()))];
        queues.extend(writer.iter().map(|writer| -> Queue { ("journal", Box::new(writer.waiting())) }));
        let parts = Parts {
            role: "node",
            inbox: sender.clone(),
            net: net.meter(),
            media: engine.control(),
            store: store.clone(),
            queues,
            measure: Own::Measure,
        };
        let metrics = parts.metrics(bus);
        let own = sender.clone();
        let config = NodeConfig {
            domain: settings.domain.clone(),
            listeners: net.listeners().to_vec(),
            store,
            key,
            media: faults.media(Half::Node, engine.control()),
            seed: rand::random(),
            sink: Arc::new(bus.clone()),
            own: Arc::new(move |item| own.own(item)),
            ring_time: Duration::from_secs(u64::from(settings.ring_time)),
            journal,
        };
        let mut node = Node::new(config, Now::read()).map_err(|error| StartError::Configuration(error.to_string()))?;
        if let Some(tls) = tls {
            node.certificates_to(Box::new(move |credentials| {
                // Whoever signed our certificate signs our peers', too.
                let trusted = credentials.as_ref().and_then(|own| own.root().cloned()).into_iter().collect();
                if let Err(error) = tls.set_imported(credentials, trusted, "mxone_certificate") {
                    tracing::error!(%error, "the imported certificate can't be used");
                }
            }));
        }
        if let Some(provisioning) = &settings.provisioning {
            node.provision(provisioning.config());
        }
        node.call_records_to(Box::new(move |file, record| records.write(file, record)));
        let disk = sender.clone();
        let disk = DiskWatch::start(settings.data.clone(), move |free, total| disk.own(Own::Disk { free, total }))?;
        let stop = sender.clone();
        let role = Running::start("node", faults.wire(Half::Node, node), inbox, net, move || stop.own(Own::Stop))?;

        let commands = sender.clone();
        let mut shell =
            Shell::node(move |command, reply| commands.own(Own::Command { command, by: "mdsh".into(), reply }));
        let scripts = sender.clone();
        shell =
            shell.with_scripts(move |commands, reply| scripts.own(Own::Script { commands, by: "mdsh".into(), reply }));
        shell = shell.with_folder(settings.data.clone());
        if let Some(map) = map {
            shell = shell.with_net(map);
        }
        let socket = shell::socket_path(&settings.data, Language::Mdsh);
        let served = runtime.block_on(shell::serve(&socket, shell.clone()))?;
        runtime.block_on(event_socket::serve(settings.data.clone(), bus.clone()))?;
        let provisioning = match &settings.provisioning {
            Some(provisioning) => Some(provisioning::start(provisioning, &sender, bus, runtime)?),
            None => None,
        };
        let collected = match &settings.metrics {
            Some(settings) => Some(crate::metrics::serve(settings, metrics.clone(), runtime)?),
            None => None,
        };
        bus.emit(Now::read(), Event::Started { role: "node".into() });
        Ok(RunningNode {
            _metrics: collected,
            provisioning,
            _shell: served,
            role,
            _disk: disk,
            _engine: engine,
            _journal: writer,
            inbox: sender,
            metrics,
            shell,
        })
    }

    /// The way for commands that do not come from the shell.
    pub fn door(&self) -> web::NodeDoor {
        let inbox = self.inbox.clone();
        Arc::new(move |command, by, reply| inbox.own(Own::Command { command, by, reply }))
    }

    /// How the node does, for whoever serves it.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Where phones fetch their files; empty when they can't.
    pub fn provisioning(&self) -> String {
        let Some(running) = &self.provisioning else { return String::new() };
        let http = running.http.map(|address| format!("http://{address}/"));
        let https = running.https.map(|address| format!("https://{address}/"));
        [http, https].into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    /// Takes no new calls, but for help, and waits until those in progress are over: for `limit` at most, and while nobody
    /// gives up.
    pub fn drain(&self, limit: Duration, give_up: impl Fn() -> bool) {
        self.inbox.own(Own::Drain(limit));
        self.role.wait(limit + Duration::from_secs(1), give_up);
    }

    pub fn has_ended(&self) -> bool {
        self.role.has_ended()
    }
}

fn listeners(settings: &NodeSettings) -> Vec<Listener> {
    let sip = &settings.sip;
    let all = [(Transport::Udp, sip.port), (Transport::Tcp, sip.port), (Transport::Tls, sip.tls_port)];
    let all = all.into_iter().filter(|(transport, _)| *transport != Transport::Tls || settings.tls.is_some());
    all.map(|(transport, port)| Listener { id: ListenerId(0), transport, addr: SocketAddr::new(sip.address, port) })
        .collect()
}
