//! Starts a UM server with all that belongs to it.

use crate::doors::Doors;
use crate::error::StartError;
use crate::fault::{Faults, Half};
use crate::metrics::{Parts, Queue};
use crate::role::Running;
use crate::settings::{UmSettings, WebSettings};
use crate::{event_socket, folder, journal};
use event::{Bus, Event, Now, Sink};
use mailbox::{AudioPlace, Mailboxes};
use media::{Engine, EngineConfig, Spool};
use net::tls::ClientCertificate;
use net::{Cable, InboxSender, Net, NetConfig};
use shell::{Language, Shell};
use sip::flow::Listener;
use sip::{Host, ListenerId, Transport};
use speech::recognition::{Answers, Helpers, Recogniser};
use speech::{HttpTranscriber, Speech};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use um::people::Pool;
use um::records::FileRecords;
use um::storage::{MailboxStorage, follow_changes};
use um::{Addresses, Closed, Own, Server, UmConfig};
use web::metrics::Metrics;

/// PINs that are hashed at once, and that may wait for it: each takes 19 MiB while it runs.
const HASHING: usize = 2;
const HASHES_WAITING: usize = 256;

const USER_AGENT: &str = concat!("Earcon-UM/", env!("CARGO_PKG_VERSION"));

/// What a UM server is beside its role.
pub struct Extras {
    /// Mail domain of mailboxes that have no address of their own.
    pub mail_domain: String,
    /// Maps the guide's addresses, in the lab.
    pub map: Option<shell::Net>,
    /// Bearer tokens of the administrator, beside the one of the token file.
    pub admin_tokens: Vec<String>,
    /// The node in the same process, for the pages.
    pub node: Option<web::NodeDoor>,
    /// How that node does, for `/metrics`.
    pub metrics: Option<Metrics>,
    /// The stores of another server in this process; without, it opens its own.
    pub shared: Option<Shared>,
    /// Where there are several servers in this process, on the same stores: all of them.
    pub several: Option<Doors>,
    /// What may be pulled.
    pub cable: Cable,
}

/// Processes that understand what callers say: a tenth of a second of work for each thing that is said.
const RECOGNISERS: usize = 2;

/// Somebody, if there is one, and what the start says of it.
type Understanding = (Option<Box<dyn Recogniser>>, &'static str);

/// Whoever understands what callers say. The helper is the program itself, which a test that
/// has a server in it is not.
fn recogniser(answers: Answers) -> Result<Understanding, StartError> {
    let program =
        std::env::current_exe().ok().filter(|program| program.file_stem().is_some_and(|name| name == "earcon"));
    let Some(program) = program else { return Ok((None, "no spoken commands")) };
    let helpers = Helpers::start(program, vec!["recognise".into()], RECOGNISERS, answers);
    Ok(match helpers.map_err(|error| StartError::Speech(error.to_string()))? {
        Some(helpers) => (Some(Box::new(helpers)), "spoken commands by PocketSphinx"),
        None => (None, "keys only: spoken commands need libpocketsphinx3 and pocketsphinx-en-us"),
    })
}

/// What several UM servers in one process have in common.
#[derive(Clone)]
pub struct Shared {
    store: state::Store,
    mailboxes: Mailboxes,
}

/// A UM server that runs until it is dropped. Its parts end in this order: web, shell, role, media.
pub struct RunningUm {
    _metrics: Option<web::metrics::Running>,
    web: Option<web::Running>,
    _shell: shell::Server,
    role: Running,
    _engine: Engine,
    /// The role gives it what it has recorded: it ends after it.
    _journal: Option<::journal::Writer>,
    pub shell: Shell,
    shared: Shared,
    inbox: InboxSender<Own>,
    /// What the speech can and cannot say, in a sentence.
    pub speech: String,
}

impl RunningUm {
    pub fn start(settings: &UmSettings, bus: &Bus, runtime: &Handle, extras: Extras) -> Result<RunningUm, StartError> {
        RunningUm::start_with(settings, bus, runtime, extras, &Faults::default())
    }

    pub(crate) fn start_with(
        settings: &UmSettings,
        bus: &Bus,
        runtime: &Handle,
        extras: Extras,
        faults: &Faults,
    ) -> Result<RunningUm, StartError> {
        folder::prepare(&settings.data)?;
        let name = settings.name();
        let alone = extras.shared.is_none();
        let shared = match extras.shared {
            Some(shared) => shared,
            None => await_stores(settings, &name, bus, runtime, &extras.cable)?,
        };
        let mailboxes = shared.mailboxes.clone();
        // Of several in this process each is one of its own, as if it were in another.
        let store = if extras.several.is_some() { shared.store.member(&name) } else { shared.store.clone() };
        let (spool, recovered) = Spool::open(&settings.data.join("spool"))?;
        let speech = Speech::open(speech::Options::default()).map_err(|error| StartError::Speech(error.to_string()))?;

        let (sender, inbox) = net::inbox();
        let heard = sender.clone();
        let (recogniser, hears) =
            recogniser(Arc::new(move |ticket, result| heard.own(Own::Recognised(ticket, result))))?;
        let summary = format!("{}; {hears}", speech.summary());
        let addresses = addresses(settings);
        let net = Net::start(net_config(settings, bus, runtime, &extras.cable)?, sender.clone())?;
        let events = sender.clone();
        let [first, last] = settings.media.ports;
        let mut engine = EngineConfig::new(settings.media.address, first..=last, rand::random());
        engine.spool = Some(spool.clone());
        engine.pulled = extras.cable.flag();
        let engine = Engine::start(engine, move |event| events.own(Own::Media(event)))?;
        let answers = sender.clone();
        let storage = MailboxStorage::new(runtime.clone(), mailboxes.clone(), spool, extras.mail_domain, move |own| {
            answers.own(own)
        });
        let storage = storage.with_speech(speech.clone());
        let storage = match &settings.transcription {
            Some(transcription) => {
                let transcriber = HttpTranscriber::new(&transcription.url, &transcription.model)
                    .map_err(|error| StartError::Speech(format!("[transcription] url: {error}")))?;
                storage.with_transcriber(Arc::new(transcriber))
            }
            None => storage,
        };
        let hashes = sender.clone();
        let hasher =
            Pool::start(HASHING, HASHES_WAITING, move |ticket, answer| hashes.own(Own::Hashed(ticket, answer)))?;
        if alone {
            expunge_daily(runtime, mailboxes.clone());
        }
        let reload = sender.clone();
        store.on_change(Box::new(move || reload.own(Own::Reload)));
        let changes = sender.clone();
        follow_changes(runtime, &mailboxes, move |own| changes.own(own));

        let lost = bus.clone();
        let records = FileRecords::start(&settings.data.join("call_records"), move |reason| {
            lost.emit(Now::read(), Event::CallRecordsLost { reason });
        })?;
        let (journal, writer) = journal::start("um", &settings.data, settings.journal, Arc::new(bus.clone()))?;
        let mut queues: Vec<Queue> = vec![
            ("hashing", Box::new(hasher.waiting())),
            ("call records", Box::new(records.waiting())),
            (
                "mailbox",
                Box::new({
                    let mailboxes = mailboxes.clone();
                    move || mailboxes.waiting()
                }),
            ),
        ];
        queues.extend(writer.iter().map(|writer| -> Queue { ("journal", Box::new(writer.waiting())) }));
        let parts = Parts {
            role: "um",
            inbox: sender.clone(),
            net: net.meter(),
            media: engine.control(),
            store: store.clone(),
            queues,
            measure: Own::Measure,
        };
        let metrics = parts.metrics(bus);
        let metrics = extras.metrics.as_ref().map_or(metrics.clone(), |node| metrics.and(node));
        let config = UmConfig {
            host: contact_host(settings),
            name,
            addresses,
            user_agent: USER_AGENT.into(),
            store: store.clone(),
            storage: Box::new(storage),
            hasher: Box::new(hasher),
            media: faults.media(Half::Um, engine.control()),
            records: Box::new(records),
            speech,
            recovered,
            seed: rand::random(),
            sink: Arc::new(bus.clone()),
            time_zone: um::time_zone_of_this_machine(),
            timers: Default::default(),
            journal,
        };
        let mut server = Server::new(config).map_err(|error| StartError::Configuration(error.to_string()))?;
        if let Some(recogniser) = recogniser {
            server.understand_by(recogniser);
        }
        server.start(Now::read());
        let stop = sender.clone();
        let role = Running::start("um", faults.wire(Half::Um, server), inbox, net, move || stop.own(Own::Stop))?;

        let door = extras.several.unwrap_or_default().open(sender.clone(), role.ended());
        let commands = door.clone();
        let mut shell = Shell::um(move |command, reply| commands.command(command, "umsh".into(), reply));
        if let Some(map) = extras.map {
            shell = shell.with_net(map);
        }
        let served =
            runtime.block_on(shell::serve(&shell::socket_path(&settings.data, Language::Umsh), shell.clone()))?;
        runtime.block_on(event_socket::serve(settings.data.clone(), bus.clone()))?;
        let web = match &settings.web {
            Some(web) => {
                let parts = web::Parts {
                    mailboxes,
                    um: Arc::new(move |command, by, reply| door.command(command, by, reply)),
                    node: extras.node,
                    events: bus.clone(),
                    metrics: metrics.clone(),
                    store: Some(store),
                };
                Some(serve(web, extras.admin_tokens, parts, runtime)?)
            }
            None => None,
        };
        let collected = match &settings.metrics {
            Some(settings) => Some(crate::metrics::serve(settings, metrics, runtime)?),
            None => None,
        };
        bus.emit(Now::read(), Event::Started { role: "um".into() });
        Ok(RunningUm {
            _metrics: collected,
            web,
            _shell: served,
            role,
            _engine: engine,
            _journal: writer,
            shell,
            shared,
            inbox: sender,
            speech: summary,
        })
    }

    /// Its stores, for another server in this process.
    pub(crate) fn share(&self) -> Shared {
        self.shared.clone()
    }

    /// Takes no new calls, and waits until those in progress are over: for `limit` at most, and while nobody gives up.
    pub fn drain(&self, limit: Duration, give_up: impl Fn() -> bool) {
        self.inbox.own(Own::Drain(limit));
        self.role.wait(limit + Duration::from_secs(1), give_up);
    }

    /// As if its role had failed.
    #[cfg(test)]
    pub(crate) fn stop(&self) {
        self.inbox.own(Own::Stop);
    }

    /// Where the page is.
    pub fn web(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(web::Running::address)
    }

    pub fn has_ended(&self) -> bool {
        self.role.has_ended()
    }
}

/// The sockets of all its parts.
fn net_config(settings: &UmSettings, bus: &Bus, runtime: &Handle, cable: &Cable) -> Result<NetConfig, StartError> {
    let addresses = addresses(settings);
    let parts = addresses.router.iter().chain(&addresses.service).chain(addresses.workers.iter().flatten());
    let mut net = NetConfig::new("um", parts.copied().collect());
    if let Some(tls) = &settings.tls {
        // Its peers are PBXs, which have certificates; telephones are not among them.
        net.tls = Some(tls.open(ClientCertificate::Required, bus, runtime, None)?);
    }
    net.events = Some(Arc::new(bus.clone()));
    net.dns = crate::settings::dns(&settings.dns);
    net.cable = cable.clone();
    Ok(net)
}

/// PostgreSQL that is away is asked again this often.
const AGAIN: Duration = Duration::from_secs(1);

/// The stores, as soon as they are there. Until PostgreSQL comes, whoever calls is told to take another server.
fn await_stores(
    settings: &UmSettings,
    name: &str,
    bus: &Bus,
    runtime: &Handle,
    cable: &Cable,
) -> Result<Shared, StartError> {
    let mut closed = None;
    loop {
        match stores(settings, name, runtime) {
            Err(StartError::Database(error)) if error.is_away() => {
                if closed.is_none() {
                    tracing::warn!("{error}; calls are refused with 503 until it is there");
                    closed = Some(closed_server(settings, bus, runtime, cable)?);
                }
                std::thread::sleep(AGAIN);
            }
            // The ports are free again when this returns.
            other => return other,
        }
    }
}

fn closed_server(settings: &UmSettings, bus: &Bus, runtime: &Handle, cable: &Cable) -> Result<Running, StartError> {
    let (sender, inbox) = net::inbox();
    let net = Net::start(net_config(settings, bus, runtime, cable)?, sender.clone())?;
    let why = "the server waits for its database";
    let role = Closed::new(&addresses(settings), contact_host(settings), USER_AGENT, why, rand::random());
    Ok(Running::start("um", role, inbox, net, move || sender.own(Own::Stop))?)
}

/// Configuration and mailboxes: files of this server's own, or a PostgreSQL that it shares.
fn stores(settings: &UmSettings, name: &str, runtime: &Handle) -> Result<Shared, StartError> {
    let value = |key, message: &str| crate::settings::value(Path::new("um.toml"), key, message);
    let folder = settings.data.join("mailboxes");
    let audio = settings.audio_place().map_err(|error| value("audio", &error.to_string()))?;
    let audio = audio.unwrap_or_else(|| AudioPlace::Folder(folder.join("audio"))).open()?;
    Ok(match settings.server().map_err(|error| value("store", &error.to_string()))? {
        Some(server) => {
            let store = state::Store::connect(&server, name)?;
            Shared { store, mailboxes: runtime.block_on(Mailboxes::connect(&server, audio))? }
        }
        None => {
            let store = state::Store::open(&settings.data.join("state.db"))?;
            Shared { store, mailboxes: runtime.block_on(Mailboxes::open_with(&folder, audio))? }
        }
    })
}

/// Deleted messages can be brought back for so long.
const DELETED_KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// Removes for good what was deleted long ago: at start, then daily. Ends with the runtime.
fn expunge_daily(runtime: &Handle, mailboxes: Mailboxes) {
    runtime.spawn(async move {
        let mut daily = tokio::time::interval(Duration::from_secs(24 * 3600));
        loop {
            daily.tick().await;
            if let Some(before) = SystemTime::now().checked_sub(DELETED_KEPT)
                && let Err(error) = mailboxes.expunge(before).await
            {
                tracing::warn!(%error, "deleted messages stay for another day");
            }
            if let Err(error) = mailboxes.collect_orphans(SystemTime::now()).await {
                tracing::warn!(%error, "audio without a message stays for another day");
            }
        }
    });
}

/// Contacts of redirects name the host that the PBX can look up, else the address.
fn contact_host(settings: &UmSettings) -> Host {
    let named = settings.host_name.as_ref().and_then(|name| name.parse().ok());
    named.unwrap_or_else(|| Host::from(settings.sip.address))
}

fn addresses(settings: &UmSettings) -> Addresses {
    let sip = &settings.sip;
    let listen = |id: u8, port: u16, secure: u16| -> Vec<Listener> {
        let all = [(Transport::Tcp, port), (Transport::Udp, port), (Transport::Tls, secure)];
        let all = all.into_iter().filter(|(transport, _)| *transport != Transport::Tls || settings.tls.is_some());
        all.map(|(transport, port)| Listener {
            id: ListenerId(id),
            transport,
            addr: SocketAddr::new(sip.address, port),
        })
        .collect()
    };
    let ([first, second], [first_tls, second_tls]) = (sip.worker_ports, sip.worker_tls_ports);
    Addresses {
        router: listen(0, sip.router_port, sip.router_tls_port),
        service: listen(1, sip.service_port, sip.service_tls_port),
        workers: vec![listen(2, first, first_tls), listen(3, second, second_tls)],
    }
}

fn serve(
    settings: &WebSettings,
    mut admin_tokens: Vec<String>,
    parts: web::Parts,
    runtime: &Handle,
) -> Result<web::Running, StartError> {
    if let Some(file) = &settings.admin_token_file {
        admin_tokens.push(token(file)?);
    }
    let settings = web::Settings {
        listen: settings.listen,
        hosts: settings.hosts.clone(),
        admin_tokens,
        https: false,
        metrics: settings.metrics.clone(),
        tls: settings.tls(),
    };
    runtime.block_on(web::start(settings, parts)).map_err(|error| StartError::Web(error.to_string()))
}

/// The administrator's token: one line, long enough not to be guessed, in a file that others cannot read.
fn token(file: &Path) -> Result<String, StartError> {
    use std::os::unix::fs::PermissionsExt;
    let refused = |reason: &str| StartError::Web(format!("the token file {} {reason}", file.display()));
    let metadata = std::fs::metadata(file).map_err(|error| refused(&format!("can't be read: {error}")))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(refused("can be read by others: give it mode 0600"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| refused(&format!("can't be read: {error}")))?;
    let token = text.trim();
    if token.len() < 16 || token.contains(char::is_whitespace) {
        return Err(refused("holds no token: one line of at least 16 characters without spaces"));
    }
    Ok(token.to_owned())
}
