//! The node as a role: every input comes in here, every action goes out here.

mod administration;
mod measure;

use crate::alarms::AlarmKind;
use crate::alarms::Alarms;
use crate::authentication::{Guard, Vault};
use crate::b2bua::Calls;
use crate::commands::{Answer, Command, CommandError, ExtensionProcedure, Reply, ScriptReply};
use crate::configuration::{Configuration, Edit, LoadError};
use crate::core::{Core, Errand};
use crate::message_waiting::{ManualWaiting, MessageWaiting};
use crate::numbers::NumberType;
use crate::provisioning::{Fetch, FetchReply, Provisioning, ProvisioningConfig};
use crate::refusals::Refusals;
use crate::registrar::Registrar;
use crate::routes::{Health, Registrations, Supervision};
use crate::services::{self, Effect};
use crate::terminals::Terminals;
use event::{Event, Measured, Now, Sink};
use journal::{Journal, WatchedMedia, WatchedSink};
use media::MediaEvent;
use net::{Action, Input, KnownPeer, Role, SipInput};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sip::endpoint::{self, Endpoint, EndpointConfig, Output, ServerRef};
use sip::flow::Listener;
use sip::{Host, Request};
use state::{Change, CommitError, KeyFile, Store};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a node is told once, at its start.
pub struct NodeConfig {
    /// The SIP domain: the realm of digest and the host of the extensions' addresses. Fixed at first start; later the
    /// stored one holds, whatever this says (HA1s are of one realm).
    pub domain: String,
    /// At least one; the first speaks to the trunks.
    pub listeners: Vec<Listener>,
    pub store: Store,
    pub key: KeyFile,
    pub media: Box<dyn media::Control + Send>,
    /// Random.
    pub seed: [u8; 32],
    pub sink: Arc<dyn Sink>,
    /// Puts into the node's own inbox; called from other threads.
    pub own: Arc<dyn Fn(Own) + Send + Sync>,
    /// What a call list position without ringing-time, and a diversion on no reply, waits.
    pub ring_time: Duration,
    /// Records calls, or nothing.
    pub journal: Journal,
}

/// What happens to the node beside SIP.
pub enum Own {
    /// Somebody gives a command. `by`: who, for the audit.
    Command {
        command: Command,
        by: String,
        reply: Reply,
    },
    /// Commands that only change the configuration, one after the other; nothing after the first that is refused. Those
    /// before it are kept together: all or none.
    Script {
        commands: Vec<Command>,
        by: String,
        reply: ScriptReply,
    },
    Media(MediaEvent),
    /// The provisioning server asks for a phone's file.
    Fetch {
        fetch: Fetch,
        reply: FetchReply,
    },
    /// The store has kept (or not) what it was given under this ticket.
    Stored {
        ticket: u64,
        result: Result<(), CommitError>,
    },
    /// What calls want done beside them.
    Errand(Errand),
    /// How the service code went that a phone dialled.
    Confirmed {
        ticket: u64,
        result: Result<(), CommandError>,
    },
    /// How much of the data folder's disk is free, in bytes. Told now and then.
    Disk {
        free: u64,
        total: u64,
    },
    /// Somebody wants to know how things stand.
    Measure(Measured),
    /// Of the certificate in use by TLS: when it changes, and daily. `warning`: its end is near.
    Certificate {
        subject: String,
        warning: Option<String>,
    },
    /// End when the calls in progress are over, and after so long at the latest; no new ones are taken, but for help.
    Drain(Duration),
    /// End.
    Stop,
}

/// Takes the certificate that was imported, or that there is none.
pub type CertificateDoor = Box<dyn FnMut(Option<net::tls::Credentials>) + Send>;

/// Why a node can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stored configuration can't be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The domain is no host name: mend it in the configuration.
    #[error("the domain \"{0}\" is no host name")]
    Domain(String),
    /// There is no listener: name at least one address.
    #[error("no address to listen on")]
    NoListener,
    /// The domain could not be kept at first start.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The service node. Drive it by [`net::run`].
pub struct Node {
    pub(crate) core: Core,
    calls: Calls,
    waiting: MessageWaiting,
    supervision: Supervision,
    provisioning: Provisioning,
    registrations: Registrations,
    pending: BTreeMap<u64, Pending>,
    actions: VecDeque<Action>,
    started: Now,
    certificates: Option<CertificateDoor>,
    /// When a node that is being stopped ends at the latest.
    stop_at: Option<Instant>,
}

/// What waits for the store.
enum Pending {
    Script {
        done: Done,
        by: String,
        chain: u64,
        reply: ScriptReply,
    },
    /// A NOTIFY with counts: answered when they are kept.
    Counts {
        transaction: ServerRef,
        request: Box<Request>,
        extension: String,
    },
}

/// What commands came to, before it is durable.
#[derive(Default)]
struct Done {
    /// In order; of a command that changes something with its name, for the audit.
    answers: Vec<(Answer, Option<String>)>,
    /// Why the next one was refused.
    refused: Option<CommandError>,
    changes: Vec<Change>,
}

impl Done {
    /// What to tell when all of it is durable.
    fn results(self) -> Vec<Result<Answer, CommandError>> {
        self.answers.into_iter().map(|(answer, _)| Ok(answer)).chain(self.refused.map(Err)).collect()
    }

    /// What to tell when nothing of it is: the first that changes something was not executed, nor any after it.
    fn lost(self, error: &CommitError) -> Vec<Result<Answer, CommandError>> {
        let lost = CommandError::NotKept { reason: error.to_string() };
        let before = self.answers.into_iter().take_while(|(_, name)| name.is_none()).map(|(answer, _)| Ok(answer));
        before.chain([Err(lost)]).collect()
    }
}

impl Node {
    pub fn new(config: NodeConfig, now: Now) -> Result<Node, StartError> {
        let NodeConfig { domain, listeners, store, key, media, seed, sink, own, ring_time, journal } = config;
        let domain = fixed_domain(&store, domain)?;
        let host: Host = domain.parse().map_err(|_| StartError::Domain(domain.clone()))?;
        let first = listeners.first().ok_or(StartError::NoListener)?;
        let (listener, addresses) = (first.id, listeners.iter().map(|listener| listener.addr).collect());
        let speaks_tls = listeners.iter().any(|own| own.transport == sip::Transport::Tls);
        journal.set_up(env!("CARGO_PKG_VERSION"), crate::replay::settings(&domain, ring_time, &listeners));
        let configuration = Configuration::load(&store)?;
        let alarms = Alarms::load(&store)?;
        let registrar = Registrar::load(&store, now)?;
        let waiting = MessageWaiting::load(&store)?;
        let manual_waiting = ManualWaiting::load(&store)?;
        // One seed, three that nobody can tell from each other.
        let mut random = StdRng::from_seed(seed);
        let (for_endpoint, for_nonces, for_keys) = (random.random(), random.random(), random.random());
        let mut chance = journal.chance(for_endpoint);
        let endpoint = Endpoint::with_chance(endpoint_config(listeners), chance.child());
        let vault = Vault::new(key, &domain);
        let mut guard = Guard::new(for_nonces, now.instant);
        guard.load(&configuration, &vault);
        let chain = store.new_chain();
        let terminals = Terminals::load(&configuration);
        let core = Core {
            endpoint,
            configuration,
            registrar,
            terminals,
            health: Health::default(),
            guard,
            refusals: Refusals::default(),
            vault,
            media: Box::new(WatchedMedia::new(media, journal.clone())),
            store,
            sink: Arc::new(WatchedSink::new(sink, journal.clone())),
            own,
            host,
            listener,
            addresses,
            speaks_tls,
            ring_time,
            manual_waiting,
            turns: BTreeMap::new(),
            tickets: 0,
            chain,
            alarms,
            records: None,
            chance,
            keys: StdRng::from_seed(for_keys),
            journal,
            version: 0,
            stopping: false,
        };
        let mut node = Node {
            core,
            calls: Calls::default(),
            waiting,
            supervision: Supervision::default(),
            provisioning: Provisioning::default(),
            registrations: Registrations::default(),
            pending: BTreeMap::new(),
            actions: VecDeque::new(),
            started: now,
            certificates: None,
            stop_at: None,
        };
        node.routes_changed(now);
        node.let_emergencies_in();
        Ok(node)
    }

    /// Who is told of the certificate that was imported: now, and whenever it changes.
    pub fn certificates_to(&mut self, tell: CertificateDoor) {
        self.certificates = Some(tell);
        self.tell_certificate();
    }

    fn tell_certificate(&mut self) {
        let entry = self.core.configuration.system.certificate.as_ref();
        let credentials = entry.and_then(|entry| crate::commands::credentials(entry, &self.core.vault));
        if let Some(tell) = &mut self.certificates {
            tell(credentials);
        }
    }

    /// Lets phones fetch their files. Without it there are none.
    pub fn provision(&mut self, config: ProvisioningConfig) {
        self.provisioning.configure(config);
    }

    /// The domain in use: the one of the first start.
    pub fn domain(&self) -> &str {
        self.core.vault.realm()
    }

    /// Calls in progress.
    pub fn call_count(&self) -> usize {
        self.calls.count()
    }

    #[cfg(test)]
    pub(crate) fn taken(&self) -> (usize, usize) {
        self.calls.taken()
    }

    /// Configured peers are supervised, and not counted by caps per source; the node registers where it should.
    fn routes_changed(&mut self, now: Now) {
        self.core.guard.load_peers(&self.core.configuration, &self.core.vault);
        // A call that is run again has a life of its own; nobody is asked whether he is there.
        if !self.core.journal.is_playing() {
            self.supervision.configure(&self.core, now.instant);
            self.registrations.configure(&mut self.core, now);
        }
        let route = |number: u32| self.core.configuration.routes.get(&number).and_then(|route| route.sip.as_ref());
        let watched = |number| route(number).is_some_and(|sip| sip.supervise.as_deref() != Some("NO_SUPERVISION"));
        let registers = |number| route(number).is_some_and(|sip| sip.registers());
        self.core.health.keep(|number| route(number).is_some(), watched, registers);
        let routes = self.core.configuration.routes.values().filter_map(|route| route.sip.as_ref());
        let far_ends = routes.flat_map(|sip| {
            let (names, must_show) = (Some(sip.peer_names()), sip.transport() == sip::Transport::Tls);
            sip.matches.iter().map(move |address| KnownPeer { address: *address, names: names.clone(), must_show })
        });
        // Terminals are known by their passwords.
        let terminals =
            self.core.terminals.addresses().map(|address| KnownPeer { address, names: None, must_show: false });
        let peers: Vec<KnownPeer> = far_ends.chain(terminals).collect();
        self.core.endpoint.exempt(peers.iter().map(|peer| peer.address));
        self.actions.push_back(Action::Peers(peers));
    }

    fn own(&mut self, own: Own, now: Now) {
        match own {
            Own::Command { command, by, reply } => self.command(command, by, reply, now),
            Own::Script { commands, by, reply } => self.script(commands, by, reply, now),
            Own::Media(MediaEvent::Dropped { session, dropped }) => {
                let by = "node".into();
                let (forged, replayed) = (dropped.forged, dropped.replayed);
                self.core.emit(now, Event::SrtpDropped { by, session: session.0, forged, replayed });
            }
            // The relay needs no help: lost streams end by session timer, keys pass by themselves.
            Own::Media(_) => {}
            Own::Fetch { fetch, reply } => {
                reply(self.provisioning.fetch(&self.core, &fetch, now));
                if let Some(source) = self.provisioning.take_guesser() {
                    let text = "it asked in vain for many phones' files: only a token helps it for ten minutes";
                    self.core.raise(now, AlarmKind::PhoneGuessing, &format!("source {source}"), text);
                }
            }
            Own::Stored { ticket, result } => self.stored(ticket, result, now),
            Own::Disk { free, total } => self.disk(free, total, now),
            Own::Errand(errand) => self.errand(errand, now),
            Own::Confirmed { ticket, result } => self.calls.service_done(&mut self.core, ticket, result, now),
            Own::Certificate { subject, warning } => self.certificate_is(&subject, warning, now),
            Own::Measure(reply) => reply(self.measure(now)),
            Own::Drain(limit) => {
                self.core.stopping = true;
                self.stop_at = Some(now.instant + limit);
                self.core.emit(now, Event::Draining { calls: self.calls.count() });
            }
            Own::Stop => self.stop(now),
        }
    }

    fn stop(&mut self, now: Now) {
        self.stop_at = None;
        // Nobody is left talking to nobody.
        self.calls.end_all(&mut self.core, now);
        self.registrations.end_all(&mut self.core, now);
        self.drain(now);
        self.core.journal.close();
        self.actions.push_back(Action::Stop);
    }

    fn command(&mut self, command: Command, by: String, reply: Reply, now: Now) {
        let one = move |mut results: Vec<Result<Answer, CommandError>>| results.pop().map(reply).unwrap_or_default();
        self.script(vec![command], by, Box::new(one), now);
    }

    fn script(&mut self, commands: Vec<Command>, by: String, reply: ScriptReply, now: Now) {
        let mut done = Done::default();
        for command in commands {
            if !self.judge(command, &by, &mut done, now) {
                break;
            }
        }
        if done.changes.is_empty() {
            return reply(done.results());
        }
        let ticket = self.core.keep_edits(std::mem::take(&mut done.changes));
        self.pending.insert(ticket, Pending::Script { done, by, chain: self.core.chain, reply });
    }

    /// Carries out one command as far as memory goes; whether the next one may follow.
    fn judge(&mut self, command: Command, by: &str, done: &mut Done, now: Now) -> bool {
        let name = name_of(&command);
        let window = match &command {
            Command::IpPhone(command) => command.window(),
            _ => None,
        };
        // It shows secrets: who asked is kept, although nothing changes.
        let exported = matches!(command, Command::Config(crate::commands::Config::Export {}));
        let outcome = match command {
            Command::Status(status) => Some(Ok((Vec::new(), self.status(&status, now)))),
            Command::Alarm(command) => Some(self.alarm(&command, now).map(|answer| (Vec::new(), answer))),
            Command::ExtensionProcedure(ExtensionProcedure::Run { dir, proc }) => {
                Some(self.procedure(&dir, &proc, now))
            }
            command => command.run(&self.core.configuration, &self.core.vault),
        };
        match outcome {
            None => return false,
            Some(Err(error)) => {
                self.core.emit(now, Event::CommandRun { by: by.to_owned(), command: name, accepted: false });
                done.refused = Some(error);
                return false;
            }
            Some(Ok((edits, answer))) if edits.is_empty() => {
                if exported {
                    self.core.emit(now, Event::CommandRun { by: by.to_owned(), command: name, accepted: true });
                }
                done.answers.push((answer, None));
            }
            Some(Ok((edits, answer))) => {
                done.changes.extend(edits.iter().map(|edit| self.core.configuration.apply(edit.clone())));
                self.after(&edits, now);
                if let Some((mac, minutes)) = window {
                    self.provisioning.open_window(mac, minutes, now);
                }
                done.answers.push((answer, Some(name)));
            }
        }
        true
    }

    /// A service code, from a phone or a shell: the edits that it means.
    fn procedure(&mut self, dir: &str, digits: &str, now: Now) -> Result<(Vec<Edit>, Answer), CommandError> {
        match services::carry_out(&self.core.configuration, dir, digits)? {
            Effect::Edits(edits, answer) => Ok((edits, answer)),
            Effect::Told { answer, .. } => Ok((Vec::new(), answer)),
            Effect::Lamp { at, by } => {
                self.waiting.by_hand(&mut self.core, &at, &by, now);
                Ok((Vec::new(), Answer::done()))
            }
            Effect::Call { .. } => {
                Err(CommandError::invalid("proc", digits, "it makes a call: dial it from a phone of the extension"))
            }
        }
    }

    /// What calls want done beside them.
    fn errand(&mut self, errand: Errand, now: Now) {
        match errand {
            Errand::Lamp { at, by } => self.waiting.by_hand(&mut self.core, &at, &by, now),
            Errand::Procedure { ticket, dir, digits } => {
                let (own, by) = (self.core.own.clone(), format!("extension {dir}"));
                let reply: Reply = Box::new(move |answer| own(Own::Confirmed { ticket, result: answer.map(|_| ()) }));
                let command = Command::ExtensionProcedure(ExtensionProcedure::Run { dir, proc: digits });
                self.command(command, by, reply, now);
            }
        }
    }

    /// Emergency numbers are let in when there are too many calls.
    fn let_emergencies_in(&mut self) {
        let numbers = self.core.configuration.numbers.iter();
        for (number, _) in numbers.filter(|(_, entry)| entry.number_type == NumberType::Sos) {
            self.core.endpoint.urgent(number, true);
        }
    }

    /// What follows from edits beside the configuration.
    fn after(&mut self, edits: &[Edit], now: Now) {
        self.core.version = self.core.version.wrapping_add(1);
        for edit in edits {
            match edit {
                Edit::Route(..) => self.routes_changed(now),
                Edit::Extension(dir, entry) => {
                    self.core.guard.forget(dir);
                    if self.core.terminals.change(dir, entry.as_deref()) {
                        self.routes_changed(now);
                    }
                    if !entry.as_ref().is_some_and(|entry| entry.ip) {
                        let gone = self.core.registrar.forget(dir);
                        for contact in &gone {
                            let (extension, contact) = (dir.clone(), contact.clone());
                            self.core.emit(now, Event::Unregistered { extension, contact, expired: false });
                        }
                        if !gone.is_empty() {
                            let change = self.core.registrar.change(dir);
                            self.core.keep_quietly(vec![change]);
                        }
                    }
                    if entry.is_none() {
                        self.waiting.forget(&mut self.core, dir, now);
                    }
                }
                Edit::System(_) => self.tell_certificate(),
                Edit::Phone(mac, entry) => {
                    self.core.guard.reload_phone(mac, entry.as_deref(), &self.core.vault);
                }
                Edit::HuntGroup(group, None) => {
                    self.core.turns.remove(group);
                }
                Edit::Number(number, entry) => {
                    let urgent = entry.as_ref().is_some_and(|entry| entry.number_type == NumberType::Sos);
                    self.core.endpoint.urgent(number, urgent);
                }
                Edit::NumberLength(..)
                | Edit::Destination(..)
                | Edit::PhoneParameters(..)
                | Edit::HuntGroup(..)
                | Edit::PickupGroup(..)
                | Edit::Profile(..)
                | Edit::ServiceCode(..)
                | Edit::ServiceMarket(..) => {}
            }
        }
    }

    fn stored(&mut self, ticket: u64, result: Result<(), CommitError>, now: Now) {
        self.store_is(&result, now);
        match (self.pending.remove(&ticket), result) {
            (None, _) => {}
            (Some(Pending::Script { done, by, chain, reply }), result) => {
                for name in done.answers.iter().filter_map(|(_, name)| name.clone()) {
                    self.core.emit(now, Event::CommandRun { by: by.clone(), command: name, accepted: result.is_ok() });
                }
                match result {
                    Ok(()) => reply(done.results()),
                    Err(error) => {
                        // Others of the chain are lost with it, and found gone already.
                        if chain == self.core.chain {
                            self.core.chain = self.core.store.new_chain();
                            self.reload(now);
                        }
                        reply(done.lost(&error));
                    }
                }
            }
            (Some(Pending::Counts { transaction, request, extension }), result) => {
                // Not kept: the peer sends it again (RFC 3261 21.5.4 with Retry-After).
                let mut response = request.response(if result.is_ok() { 200 } else { 503 });
                if result.is_err() {
                    response.headers.push(sip::Name::RetryAfter, "10");
                }
                let _ = self.core.endpoint.respond(transaction, response, now.instant);
                if result.is_ok() {
                    self.waiting.tell(&mut self.core, &extension, now);
                }
            }
        }
    }

    /// A commit failed: back to what is durable. What is still on its way there was built on what was lost, and is lost too.
    pub(crate) fn reload(&mut self, now: Now) {
        self.core.version = self.core.version.wrapping_add(1);
        match Configuration::load(&self.core.store) {
            Ok(configuration) => self.core.configuration = configuration,
            Err(error) => return tracing::error!(%error, "the configuration can't be read back"),
        }
        self.core.guard.load(&self.core.configuration, &self.core.vault);
        self.core.terminals = Terminals::load(&self.core.configuration);
        self.routes_changed(now);
        self.let_emergencies_in();
        self.tell_certificate();
    }

    /// Everything that the endpoint has to say, until it is silent.
    fn drain(&mut self, now: Now) {
        while let Some(greyed) = self.core.endpoint.take_greyed() {
            let (target, seconds) = (greyed.target.remote, greyed.for_.as_secs());
            let event = Event::TargetGreyListed { by: "node".into(), target, seconds };
            self.core.emit(now, event);
        }
        while let Some(target) = self.core.endpoint.take_recovered() {
            self.core.emit(now, Event::TargetAnswersAgain { by: "node".into(), target: target.remote });
        }
        while let Some(output) = self.core.endpoint.poll() {
            match output {
                Output::Transmit(transmit) => {
                    self.core.journal.sent(&transmit, || self.core.address_of(&transmit));
                    self.actions.push_back(Action::Transmit(transmit));
                }
                Output::CloseFlow(flow) => self.actions.push_back(Action::CloseFlow(flow)),
                Output::Distrust(listener, peer) => self.actions.push_back(Action::Distrust(listener, peer)),
                Output::Resolve(query, question) => {
                    self.core.journal.asked_dns(query.0);
                    self.actions.push_back(Action::Resolve { query, question });
                }
                Output::Event(event) => self.event(event, now),
            }
        }
    }

    fn event(&mut self, event: endpoint::Event, now: Now) {
        match event {
            endpoint::Event::Incoming { call, request, flow } => {
                self.calls.incoming(&mut self.core, call, &request, &flow, now);
            }
            endpoint::Event::Call { call, event } => self.calls.event(&mut self.core, call, event, now),
            endpoint::Event::Request { transaction, request, flow } => {
                let kept = crate::requests::answer(&mut self.core, &mut self.waiting, transaction, request, &flow, now);
                if let Some((ticket, request, extension)) = kept {
                    let request = Box::new(request);
                    self.pending.insert(ticket, Pending::Counts { transaction, request, extension });
                }
            }
            endpoint::Event::Subscription { subscription, event } => {
                self.waiting.subscription(&mut self.core, subscription, &event, now);
            }
            // The others are unsolicited NOTIFYs, which phones may answer as they like.
            endpoint::Event::Response { transaction, response } if response.is_final() => {
                self.registrations.answered(&mut self.core, transaction, Some(&response), now);
            }
            endpoint::Event::Response { .. } => {}
            endpoint::Event::Failed { transaction, .. } => {
                self.registrations.answered(&mut self.core, transaction, None, now);
            }
            endpoint::Event::Probed { transaction, targets } => {
                self.supervision.answered(&mut self.core, transaction, &targets, now);
            }
            endpoint::Event::Malformed { flow, reason } => {
                let event = Event::SipMalformed { by: "node".into(), remote: flow.remote, reason, answered: None };
                self.core.emit(now, event);
            }
        }
    }

    fn timeout(&mut self, now: Now) {
        let is_due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now.instant);
        // One by one: what each of them leads to is written down for its call.
        let mut fired = true;
        while fired && is_due(self.core.endpoint.deadline()) {
            self.core.journal.begin_timer(now);
            fired = self.core.endpoint.handle_one_timeout(now.instant);
            self.drain(now);
            self.core.journal.end();
        }
        if self.registrations.deadline().is_some_and(|at| at <= now.instant) {
            self.registrations.handle_timeout(&mut self.core, now);
        }
        if self.core.registrar.deadline().is_some_and(|at| at <= now.instant) {
            let gone = self.core.registrar.expire(now.instant);
            if !gone.is_empty() {
                let changes = gone.iter().map(|(dir, _)| self.core.registrar.change(dir)).collect();
                self.core.keep_quietly(changes);
            }
            for (extension, contact) in gone {
                self.core.emit(now, Event::Unregistered { extension, contact, expired: true });
            }
        }
        fired = true;
        while fired && is_due(self.calls.deadline()) {
            self.core.journal.begin_timer(now);
            fired = self.calls.handle_one_timeout(&mut self.core, now);
            self.drain(now);
            self.core.journal.end();
        }
        self.supervision.handle_timeout(&mut self.core, now.instant);
        self.waiting.handle_timeout(&mut self.core, now);
    }
}

impl Role for Node {
    type Own = Own;

    fn input(&mut self, input: Input<Own>, now: Now) {
        self.begin_step(&input, now);
        match input {
            Input::Sip(SipInput::Received { message, flow, .. }) => {
                self.core.endpoint.receive(message, flow, now.instant);
            }
            Input::Sip(SipInput::TransmitFailed { id, error }) => {
                self.core.endpoint.transmit_failed(id, error, now.instant);
            }
            Input::Sip(SipInput::FlowClosed(flow)) => {
                self.core.registrar.flow_closed(&flow);
                self.core.endpoint.flow_closed(&flow, now.instant);
            }
            Input::Sip(SipInput::Resolved { query, answer }) => {
                self.core.endpoint.resolved(query, answer, now.instant);
            }
            Input::Own(own) => self.own(own, now),
            Input::Timeout => {}
        }
        self.drain(now);
        self.core.journal.end();
        // Whatever came in, what is due is done: a busy inbox never starves the timers.
        self.timeout(now);
        self.drain(now);
        if self.stop_at.is_some_and(|at| at <= now.instant || self.calls.count() == 0) {
            self.stop(now);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [
            self.core.endpoint.deadline(),
            self.core.registrar.deadline(),
            self.calls.deadline(),
            self.supervision.deadline(),
            self.registrations.deadline(),
            self.waiting.deadline(),
            self.core.journal.deadline(),
            self.stop_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}

fn endpoint_config(listeners: Vec<Listener>) -> EndpointConfig {
    let mut config = EndpointConfig::new(listeners, concat!("Earcon-Node/", env!("CARGO_PKG_VERSION")));
    // Who asks comes before what is asked for.
    config.refuses_itself = true;
    config.supported.push("replaces".into());
    config.accept.push(sip::message_summary::CONTENT_TYPE.into());
    config
}

/// The domain of the first start, kept from then on.
fn fixed_domain(store: &Store, domain: String) -> Result<String, StartError> {
    if let Some((_, stored)) = store.load("node").into_iter().find(|(key, _)| key == "domain") {
        return serde_json::from_str(&stored).map_err(|error| {
            StartError::Load(LoadError { kind: "node".into(), key: "domain".into(), reason: error.to_string() })
        });
    }
    let text = serde_json::to_string(&domain).unwrap_or_default();
    store.commit_now(vec![Change::put("node", "domain", text)])?;
    Ok(domain)
}

/// A command for the audit: what it does to what, without its values.
fn name_of(command: &Command) -> String {
    let json = serde_json::to_value(command).unwrap_or_default();
    let field = |name: &str| match json.get(name) {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let what = ["number", "dir", "mac", "rou", "route", "dest", "file"].into_iter().find_map(field);
    [field("command"), field("verb"), what].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
