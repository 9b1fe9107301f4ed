//! The UM server as a role: one thread that owns endpoints, calls, dialogues, deliveries and lamps. Everything comes in
//! by [`Role::input`] with the time; everything goes out as actions, media commands, store requests.

mod closed;
mod commands;
mod connectivity;
mod consulting;
pub(crate) mod gateways;
mod hearing;
mod hop;
mod lamps;
mod letters;
mod measure;
mod personal;
mod pins;
mod reception;
mod records;
mod reload;
mod sip_events;
#[cfg(test)]
mod tests;

pub use closed::Closed;
pub use hop::Hop;
pub(crate) use letters::MISSED;

use crate::commands::Command;
use crate::commands::ip_gateway::Gateway;
use crate::commands::play_on_phone::PhoneCall;
use crate::configuration::{Configuration, LoadError};
use crate::dialogue::{Reply, RequestId};
use crate::journal::{WatchedHasher, WatchedStorage};
use crate::message_waiting::Lamps;
use crate::people::{Directory, HashAnswer, Hasher};
use crate::personal_information::{Answer as PersonalAnswer, PersonalSource};
use crate::records::CallRecords;
use crate::service::Addresses;
use crate::storage::{Storage, StoreRequest, StoreResult, Ticket};
use crate::worker::call::Call;
use crate::worker::delivery::{Deliveries, Step};
use crate::worker::sound::Sounds;
use event::{Event, Measured, Now, Sink};
use journal::{Journal, Key, WatchedMedia, WatchedSink};
use lamps::Notify;
use media::{MediaEvent, Recovered, SessionId};
use net::{Action, Input, KnownPeer, Role, SipInput};
use pins::PinChecks;
use rand::RngExt as _;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reload::Refused;
use sip::Host;
use sip::endpoint::{CallRef, ClientRef};
use sip::target::{Answer, QueryId};
use speech::recognition::{Heard, Recogniser, RecognitionError};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a UM server starts with.
pub struct UmConfig {
    /// In events and Warning headers: the server's name.
    pub name: String,
    /// The host in Contacts of redirects: a name that the PBX resolves, or the server's address.
    pub host: Host,
    /// Where its parts listen.
    pub addresses: Addresses,
    /// Server and User-Agent headers.
    pub user_agent: String,
    pub store: state::Store,
    pub storage: Box<dyn Storage + Send>,
    pub hasher: Box<dyn Hasher + Send>,
    pub media: Box<dyn media::Control + Send>,
    pub records: Box<dyn CallRecords + Send>,
    pub speech: speech::Speech,
    /// What the spool still had: it becomes messages.
    pub recovered: Vec<Recovered>,
    /// All randomness comes from it.
    pub seed: [u8; 32],
    pub sink: Arc<dyn Sink>,
    /// Where nobody has set a time zone, times are in this one, by its name in the tz database; `None`: UTC.
    pub time_zone: Option<String>,
    /// Transaction timers, for tests; [`Default`] is RFC 3261's.
    pub timers: sip::transaction::Timers,
    /// Records calls, or nothing.
    pub journal: Journal,
}

/// What happens to the server besides SIP.
pub enum Own {
    Media(MediaEvent),
    /// The answer to a [`StoreRequest`].
    Store(Ticket, StoreResult),
    /// Something in a mailbox changed, by whomever. `greeting`: it was a greeting.
    Changed {
        mailbox: mailbox::MailboxId,
        greeting: bool,
    },
    /// The change feed lost its place: everything may have changed.
    Refresh,
    /// What is configured is other than what this server has: another server has changed it, or a commit has failed.
    Reload,
    /// The answer to a [`HashJob`](crate::people::HashJob).
    Hashed(u64, HashAnswer),
    /// What was understood of what a caller said.
    Recognised(u64, Result<Heard, RecognitionError>),
    /// The answer to a [`Question`](crate::personal_information::Question).
    Personal(Ticket, PersonalAnswer),
    /// `by` is whoever gave the command, for the record.
    Command {
        by: String,
        command: Command,
        reply: crate::commands::Reply,
    },
    /// Somebody wants to know how things stand.
    Measure(Measured),
    /// End the role when the calls in progress are over, and after so long at the latest; no new ones are taken.
    Drain(Duration),
    /// End the role.
    Stop,
}

/// Who waits for a store's answer.
pub(crate) enum Waiting {
    Dialogue(u64, RequestId),
    /// The same; what happened is told once it is done.
    Change(u64, RequestId, Box<Event>),
    /// As `Dialogue`; the greeting is kept for the next call.
    Greeting(u64, RequestId, mailbox::MailboxId),
    Replay(u64, RequestId),
    Lamp(mailbox::MailboxId),
    /// A mailbox is made or removed; the reply to whoever commanded it waits for this.
    Command(Box<dyn FnOnce(StoreResult) + Send>),
    Nobody,
}

/// The UM server; see the module's head.
pub struct Server {
    /// Of times for which nobody has set one.
    pub(crate) time_zone: Option<String>,
    pub(crate) name: String,
    pub(crate) host: Host,
    pub(crate) addresses: Addresses,
    pub(crate) hops: Vec<Hop>,
    pub(crate) configuration: Configuration,
    pub(crate) store: state::Store,
    storage: Box<dyn Storage + Send>,
    pub(crate) hasher: Box<dyn Hasher + Send>,
    pub(crate) media: Box<dyn media::Control + Send>,
    pub(crate) sounds: Sounds,
    /// Dice, and what is read of things that other calls change.
    pub(crate) random: sip::Chance,
    /// Draws the keys of SRTP. No part of `random`: what that gives is written down.
    pub(crate) keys: StdRng,
    pub(crate) journal: Journal,
    /// Counts the changes of the configuration, for the journal.
    pub(crate) version: u64,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) calls: BTreeMap<u64, Call>,
    pub(crate) by_leg: HashMap<(usize, CallRef), u64>,
    pub(crate) by_session: HashMap<SessionId, u64>,
    pub(crate) alarms: BTreeSet<(Instant, u64)>,
    pub(crate) deliveries: Deliveries,
    pub(crate) directory: Directory,
    pub(crate) lamps: Lamps,
    /// The server ends when its calls have, and at this time at the latest.
    pub(super) drain: Option<Instant>,
    /// Who understands what callers say; `None`: nobody, and they are served by keys.
    pub(crate) recogniser: Option<Box<dyn Recogniser>>,
    /// Whose speech is being recognised, and what he was asked then.
    pub(super) hearing: BTreeMap<u64, hearing::Hearing>,
    /// Mail, calendar and contacts of users; `None`: nobody has any.
    pub(crate) personal_source: Option<Box<dyn PersonalSource>>,
    /// Who waits for an answer of it: a call, and its request.
    pub(super) consulted: BTreeMap<Ticket, (u64, RequestId)>,
    pub(crate) pins: PinChecks,
    /// Commands that are to be run again.
    refused: Refused<(Command, crate::commands::Reply, u8)>,
    pub(crate) records: Box<dyn CallRecords + Send>,
    pub(crate) uncertain: records::Uncertain,
    pub(crate) tests: connectivity::Tests,
    /// The last play on phone of each mailbox: as many as there are mailboxes.
    pub(crate) phone_calls: BTreeMap<mailbox::MailboxId, PhoneCall>,
    /// Replies to a dialogue that was asking when they came.
    pub(crate) replies: VecDeque<(u64, RequestId, Reply)>,
    /// What the counts are of that this server is to tell, where several have one store.
    turns: BTreeMap<mailbox::MailboxId, mailbox::ModSeq>,
    /// The gateways that a mailbox's NOTIFY goes to, one after the other: in the order of when the first was sent.
    rounds: BTreeMap<mailbox::MailboxId, Vec<Arc<Gateway>>>,
    /// NOTIFYs that wait for their answers.
    notifies: HashMap<(usize, ClientRef), Notify>,
    /// Greetings of mailboxes that were called lately, until the change feed says that they changed.
    pub(crate) greetings: BTreeMap<mailbox::MailboxId, crate::storage::Greeting>,
    waiting: BTreeMap<Ticket, Waiting>,
    /// Addresses of gateways that are configured by name, as DNS gave them.
    pub(crate) resolved: BTreeMap<String, Vec<IpAddr>>,
    queries: BTreeMap<QueryId, String>,
    resolve_again: Option<Instant>,
    actions: VecDeque<Action>,
    last: u64,
}

/// Gateways that are configured by name are looked up again this often, as Exchange re-reads its configuration.
const RESOLVE_EVERY: Duration = Duration::from_secs(600);
/// Greetings kept in memory.
const MOST_GREETINGS: usize = 200;

impl Server {
    /// Reads the configuration. The first actions and store requests are made by [`Server::start`].
    ///
    /// # Errors
    /// [`LoadError`]: the state is damaged or of a newer program.
    pub fn new(config: UmConfig) -> Result<Server, LoadError> {
        let configuration = Configuration::load(&config.store)?;
        let settings = crate::replay::settings(&config);
        let journal = config.journal;
        journal.set_up(env!("CARGO_PKG_VERSION"), settings);
        let mut random = journal.chance(config.seed);
        let hops = hop::hops(&config.addresses, &config.user_agent, config.timers, &mut random);
        let mut server = Server {
            time_zone: config.time_zone,
            name: config.name,
            host: config.host,
            addresses: config.addresses,
            hops,
            configuration,
            store: config.store,
            storage: Box::new(WatchedStorage::new(config.storage, journal.clone())),
            hasher: Box::new(WatchedHasher::new(config.hasher, journal.clone())),
            media: Box::new(WatchedMedia::new(config.media, journal.clone())),
            sounds: Sounds::new(config.speech),
            random,
            // Another series than that of `random`, which has the seed itself.
            keys: StdRng::from_seed(config.seed.map(|byte| byte ^ 0xa5)),
            sink: Arc::new(WatchedSink::new(config.sink, journal.clone())),
            journal,
            version: 0,
            calls: BTreeMap::new(),
            by_leg: HashMap::new(),
            by_session: HashMap::new(),
            alarms: BTreeSet::new(),
            deliveries: Deliveries::default(),
            directory: Directory::new(),
            lamps: Lamps::default(),
            drain: None,
            recogniser: None,
            hearing: BTreeMap::new(),
            personal_source: None,
            consulted: BTreeMap::new(),
            pins: PinChecks::default(),
            refused: Refused::default(),
            records: config.records,
            uncertain: records::Uncertain::new(),
            tests: connectivity::Tests::default(),
            phone_calls: BTreeMap::new(),
            replies: VecDeque::new(),
            turns: BTreeMap::new(),
            rounds: BTreeMap::new(),
            notifies: HashMap::new(),
            greetings: BTreeMap::new(),
            waiting: BTreeMap::new(),
            resolved: BTreeMap::new(),
            queries: BTreeMap::new(),
            resolve_again: None,
            actions: VecDeque::new(),
            last: 0,
        };
        server.deliveries.recover(config.recovered);
        Ok(server)
    }

    /// Delivers what the spool still had, and refreshes every lamp. Call it once, before the first input.
    pub fn start(&mut self, now: Now) {
        self.configuration_changed(now);
        for mailbox in self.configuration.mailboxes.iter() {
            let language = self.configuration.language_of(mailbox);
            self.sounds.prepare(&mailbox.shown_name(), language);
        }
        self.refresh_lamps(now);
        self.recover_missed();
        self.settle(now);
    }

    /// Callers may speak: this understands them. Before the start.
    pub fn understand_by(&mut self, recogniser: Box<dyn Recogniser>) {
        self.recogniser = Some(recogniser);
    }

    /// The configuration, for whoever sets the server up.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// A number that was not given before.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last = self.random.next_after(self.last);
        self.last
    }

    pub(crate) fn random_id(&mut self) -> u128 {
        self.random.random()
    }

    pub(crate) fn emit(&self, now: Now, event: Event) {
        self.sink.emit(now, event);
    }

    pub(crate) fn ask_store(&mut self, request: StoreRequest, waiting: Waiting) -> Ticket {
        let ticket = Ticket(self.next_number());
        self.waiting.insert(ticket, waiting);
        self.storage.submit(request, ticket);
        ticket
    }

    fn stored(&mut self, ticket: Ticket, result: StoreResult, now: Now) {
        if self.deliveries.answered(ticket, &result, now) {
            self.waiting.remove(&ticket);
            return;
        }
        match self.waiting.remove(&ticket) {
            Some(Waiting::Dialogue(call, request)) => self.stored_for(call, request, result, now),
            Some(Waiting::Change(call, request, event)) => {
                if result.is_ok() {
                    self.emit(now, *event);
                }
                self.stored_for(call, request, result, now);
            }
            Some(Waiting::Greeting(call, request, mailbox)) => {
                let result = match result {
                    Ok(crate::storage::StoreAnswer::Greeting(greeting)) => {
                        self.keep_greeting(mailbox.clone(), greeting.clone());
                        Ok(crate::storage::StoreAnswer::Greeting(self.chosen_greeting(&mailbox, greeting)))
                    }
                    other => other,
                };
                self.stored_for(call, request, result, now);
            }
            Some(Waiting::Replay(call, request)) => self.replay_for(call, request, result, now),
            Some(Waiting::Lamp(mailbox)) => self.counted(mailbox, result, now),
            Some(Waiting::Command(reply)) => reply(result),
            Some(Waiting::Nobody) | None => {}
        }
    }

    fn keep_greeting(&mut self, mailbox: mailbox::MailboxId, greeting: crate::storage::Greeting) {
        if self.greetings.len() >= MOST_GREETINGS && !self.greetings.contains_key(&mailbox) {
            // Any one will do: it is read again when its mailbox is called.
            self.greetings.pop_first();
        }
        self.greetings.insert(mailbox, greeting);
    }

    fn own(&mut self, own: Own, now: Now) {
        match own {
            Own::Media(event) => self.media_event(event, now),
            Own::Store(ticket, result) => self.stored(ticket, result, now),
            Own::Changed { mailbox, greeting } => {
                if greeting {
                    self.greetings.remove(&mailbox);
                } else {
                    self.lamp_changed(mailbox, false, now);
                }
            }
            Own::Refresh => {
                self.greetings.clear();
                self.refresh_lamps(now);
            }
            Own::Reload => self.reload(now),
            Own::Hashed(ticket, answer) => self.hashed(ticket, answer, now),
            Own::Recognised(ticket, heard) => self.recognised(ticket, heard, now),
            Own::Personal(ticket, answer) => self.answered(ticket, answer, now),
            Own::Command { by, command, reply } => self.command(&by, command, reply, now),
            Own::Measure(reply) => reply(self.measure()),
            Own::Drain(limit) => {
                self.drain = Some(now.instant + limit);
                self.emit(now, Event::Draining { calls: self.calls.len() });
            }
            Own::Stop => self.stop(),
        }
    }

    fn stop(&mut self) {
        self.journal.close();
        self.actions.push_back(Action::Stop);
    }

    /// Ends a server that is being drained, once nothing is left that it would lose.
    fn drained(&mut self, now: Now) {
        let Some(limit) = self.drain else { return };
        if limit <= now.instant && !self.calls.is_empty() {
            let late: Vec<u64> = self.calls.keys().copied().collect();
            late.into_iter().for_each(|call| self.hang_up(call, now));
            self.settle(now);
        }
        // A recording that is not delivered yet is in the spool: the next start delivers it.
        if self.calls.is_empty() || limit <= now.instant {
            self.drain = None;
            self.stop();
        }
    }

    fn sip(&mut self, input: SipInput, now: Now) {
        if let Some((query, answer)) = hop::hand(&mut self.hops, input, now.instant) {
            self.gateway_resolved(query, answer);
        }
    }

    fn timeout(&mut self, now: Now) {
        // One by one: what each of them leads to is written down for its call.
        for hop in 0..self.hops.len() {
            let mut fired = true;
            while fired
                && self.hops.get(hop).and_then(|hop| hop.endpoint.deadline()).is_some_and(|at| at <= now.instant)
            {
                self.journal.begin_timer(now);
                fired = self.hops.get_mut(hop).is_some_and(|hop| hop.endpoint.handle_one_timeout(now.instant));
                self.settle(now);
                self.journal.end();
            }
        }
        while let Some((at, number)) = self.alarms.first().copied() {
            if at > now.instant {
                break;
            }
            self.alarms.pop_first();
            if let Some(call) = self.calls.get_mut(&number) {
                call.alarm = None;
            }
            self.journal.begin_timer(now);
            self.journal.touch(Key::Call(number));
            self.test_call_alarm(number, now);
            self.call_alarm(number, now);
            self.settle(now);
            self.journal.end();
        }
        if self.deliveries.deadline().is_some_and(|at| at <= now.instant) {
            self.journal.begin_timer(now);
            self.deliveries.handle_timeout(now);
            self.settle(now);
            self.journal.end();
        }
        self.lamps_due(now);
        if self.resolve_again.is_some_and(|at| at <= now.instant) {
            self.resolve_gateways(now);
        }
    }

    /// Carries out whatever the input led to, until nothing is left to do.
    fn settle(&mut self, now: Now) {
        loop {
            let mut busy = false;
            self.tell_of_targets(now);
            for hop in 0..self.hops.len() {
                while let Some(output) = self.hops.get_mut(hop).and_then(|hop| hop.endpoint.poll()) {
                    busy = true;
                    self.output(hop, output, now);
                }
            }
            while let Some(step) = self.deliveries.next_step() {
                busy = true;
                self.deliver(step, now);
            }
            if !busy {
                return;
            }
        }
    }

    fn deliver(&mut self, step: Step, now: Now) {
        match step {
            Step::Deliver(ready) => {
                let message = ready.letter.message;
                let parcel = self.parcel(*ready);
                let ticket = self.ask_store(parcel.request(), Waiting::Nobody);
                self.deliveries.asked(message, ticket);
            }
            Step::Discard(recordings) => {
                self.ask_store(StoreRequest::Discard(recordings), Waiting::Nobody);
            }
            // A user who composed a message and said nothing.
            Step::Missed(letter) if letter.sender.is_some() => {}
            Step::Missed(letter) => {
                self.record_missed(letter.message);
                self.missed_call(letter, now);
            }
            Step::Kept(message) => self.missed_call_kept(message),
            Step::Tell(event) => self.emit(now, event),
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    // ---- gateways by address ----

    /// After a command, and at the start.
    pub(crate) fn configuration_changed(&mut self, now: Now) {
        self.version = self.version.wrapping_add(1);
        self.resolve_gateways(now);
        self.exempt();
        self.directory.changed();
        self.prepare_attendants();
    }

    pub(crate) fn exempt(&mut self) {
        let known = self.configuration.gateways.iter().flat_map(|gateway| {
            let names = Some(gateway.peer_names());
            self.addresses_of(&gateway.address).into_iter().map(move |address| KnownPeer {
                address,
                names: names.clone(),
                must_show: true,
            })
        });
        self.act(Action::Peers(known.collect()));
    }

    fn addresses_of(&self, address: &str) -> Vec<IpAddr> {
        match address.parse::<Host>() {
            Ok(host) => match host.ip() {
                Some(ip) => vec![ip],
                None => self.resolved.get(&address.to_lowercase()).cloned().unwrap_or_default(),
            },
            Err(_) => Vec::new(),
        }
    }

    fn resolve_gateways(&mut self, now: Now) {
        let names: Vec<String> = self
            .configuration
            .gateways
            .iter()
            .filter(|gateway| gateway.address.parse::<Host>().is_ok_and(|host| host.ip().is_none()))
            .map(|gateway| gateway.address.to_lowercase())
            .collect();
        self.resolve_again = (!names.is_empty()).then(|| now.instant + RESOLVE_EVERY);
        self.resolved.retain(|name, _| names.contains(name));
        for name in names {
            let query = hop::own_query(self.next_number());
            self.queries.insert(query, name.clone());
            self.act(Action::Resolve { query, question: sip::target::Query::Addresses(name) });
        }
    }

    fn gateway_resolved(&mut self, query: QueryId, answer: Answer) {
        // A look-up that failed leaves the addresses that were known.
        if let Some(name) = self.queries.remove(&query)
            && let Answer::Addresses(addresses) = answer
        {
            self.resolved.insert(name, addresses);
            self.exempt();
        }
    }

    /// The gateway that has this source address.
    pub(crate) fn gateway_at(&self, source: IpAddr) -> Option<Arc<Gateway>> {
        let source = source.to_canonical();
        self.configuration
            .gateways
            .iter()
            .find(|gateway| self.addresses_of(&gateway.address).iter().any(|ip| ip.to_canonical() == source))
            .cloned()
    }
}

impl Role for Server {
    type Own = Own;

    fn input(&mut self, input: Input<Own>, now: Now) {
        self.begin_step(&input, now);
        match input {
            Input::Sip(input) => self.sip(input, now),
            Input::Own(own) => self.own(own, now),
            Input::Timeout => {}
        }
        self.settle(now);
        self.journal.end();
        // Timers that are due are due whatever woke us: a busy server must not starve them.
        self.timeout(now);
        self.settle(now);
        self.drained(now);
    }

    fn deadline(&self) -> Option<Instant> {
        let hops = self.hops.iter().filter_map(|hop| hop.endpoint.deadline()).min();
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let others = [self.deliveries.deadline(), self.lamps.deadline(), self.resolve_again, self.journal.deadline()];
        [hops, alarm, self.drain].into_iter().chain(others).flatten().min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
