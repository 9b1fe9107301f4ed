//! What every part of the node works with: the SIP endpoint, the configuration, the registrations, the doors to media
//! and store. Owned by the node's one thread.

use crate::alarms::{AlarmKind, Alarms};
use crate::authentication::{Admission, Guard, Vault};
use crate::call_record::CallRecord;
use crate::configuration::Configuration;
use crate::diversion::Origin;
use crate::message_waiting::ManualWaiting;
use crate::node::Own;
use crate::refusals::Refusals;
use crate::registrar::Registrar;
use crate::routes::{self, Health};
use crate::services::LampBy;
use crate::terminals::Terminals;
use event::{Event, Now, Sink};
use sip::digest::Credentials;
use sip::endpoint::Endpoint;
use sip::header::{Identity, RetryAfter, Warning};
use sip::{Flow, Headers, Host, ListenerId, Request, Transport, Uri};
use state::{Change, Store};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Core {
    pub endpoint: Endpoint,
    pub configuration: Configuration,
    pub registrar: Registrar,
    /// Telephones that do not register for themselves.
    pub terminals: Terminals,
    /// Which routes are down.
    pub health: Health,
    pub guard: Guard,
    pub refusals: Refusals,
    pub vault: Vault,
    pub media: Box<dyn media::Control + Send>,
    pub store: Store,
    pub sink: Arc<dyn Sink>,
    /// The node's own inbox.
    pub own: Arc<dyn Fn(Own) + Send + Sync>,
    /// The node's domain, in From and identities.
    pub host: Host,
    /// Which listener speaks to trunks.
    pub listener: ListenerId,
    /// All addresses the node listens on.
    pub addresses: Vec<SocketAddr>,
    /// One of them is for TLS.
    pub speaks_tls: bool,
    /// What a call list position, or a diversion on no answer, waits.
    pub ring_time: Duration,
    /// Lamps that colleagues lit.
    pub manual_waiting: ManualWaiting,
    /// How many calls each hunt group had.
    pub turns: BTreeMap<String, usize>,
    pub tickets: u64,
    /// Edits of one chain are kept one after the other, or none after the first that is lost.
    pub chain: u64,
    pub alarms: Alarms,
    /// Where call records go: the output's file, and the record.
    pub records: Option<CallRecords>,
    /// What is drawn outside the endpoint, and what is read of things that other calls change.
    pub chance: sip::Chance,
    /// Draws the keys of SRTP. No part of `chance`: what that gives is written down.
    pub keys: rand::rngs::StdRng,
    pub journal: journal::Journal,
    /// Counts the changes of the configuration, for the journal.
    pub version: u64,
    /// The node ends when its calls have.
    pub stopping: bool,
}

/// Takes call records to their files; must hand over and return.
pub(crate) type CallRecords = Box<dyn Fn(&str, &CallRecord) + Send>;

/// What happens in a call, and is for others to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A phone dialled a service code, and waits for how it goes ([`Own::Confirmed`], with the ticket).
    Procedure { ticket: u64, dir: String, digits: String },
    /// A lamp is lit or put out by hand.
    Lamp { at: String, by: LampBy },
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Extension(String),
    Route(u32),
    /// To be asked for an extension's credentials.
    Challenge {
        stale: bool,
    },
    /// To be asked for those of a route's peer.
    ChallengePeer {
        realm: String,
        stale: bool,
    },
    /// Neither a phone of ours nor a route's peer: 403. The event has been told.
    Refused,
}

/// How long peers should look elsewhere when the node takes no new calls. A UM server says the same.
pub(crate) const RETRY_AFTER_S: u32 = 30;

impl Core {
    /// Why no new calls are taken, if so.
    pub fn resting(&self) -> Option<&'static str> {
        if self.chance.shared(self.stopping.into()) != 0 {
            return Some("the node takes no new calls: it is being stopped");
        }
        self.configuration.system.maintenance.then_some("the node takes no new calls: it is under maintenance")
    }

    /// What goes with a 503 for that reason.
    pub fn rest_headers(&self, reason: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push_typed(&RetryAfter(RETRY_AFTER_S));
        headers.push_typed(&Warning::miscellaneous(self.host.to_string(), reason));
        headers
    }

    pub fn emit(&self, now: Now, event: Event) {
        self.sink.emit(now, event);
    }

    /// Something is wrong until it is mended.
    pub fn raise(&mut self, now: Now, kind: AlarmKind, subject: &str, text: &str) {
        let changes = self.alarms.raise(now, kind, subject, text);
        if !changes.is_empty() {
            let (subject, text, severity) = (subject.to_owned(), text.to_owned(), kind.severity());
            self.emit(now, Event::AlarmRaised { subject, text, severity });
            self.keep_quietly(changes);
        }
    }

    /// It is mended.
    pub fn clear(&mut self, now: Now, kind: AlarmKind, subject: &str) {
        let changes = self.alarms.clear(now, kind, subject);
        if !changes.is_empty() {
            self.emit(now, Event::AlarmCleared { subject: subject.to_owned() });
            self.keep_quietly(changes);
        }
    }

    /// What a call rings before it counts as not answered, at first and once it was diverted.
    pub fn ring_times(&self) -> (Duration, Duration) {
        let diversion = &self.configuration.system.diversion;
        let seconds = |time: u32| Duration::from_secs(time.into());
        let first = diversion.no_reply_time.map_or(self.ring_time, seconds);
        (first, diversion.second_no_reply_time.map_or(first, seconds))
    }

    /// Writes a call record to every output that is on.
    pub fn record(&self, record: &CallRecord) {
        let Some(records) = &self.records else { return };
        for output in self.configuration.system.outputs.values().filter(|output| output.on) {
            records(&output.file, record);
        }
    }

    /// Where a message leaves from, as far as that is known before it does.
    pub fn address_of(&self, transmit: &sip::Transmit) -> SocketAddr {
        let listeners = &self.endpoint.config().listeners;
        let (id, transport) = (transmit.to.listener(), transmit.to.transport());
        let own = listeners.iter().find(|own| own.id == id && own.transport == transport);
        own.or(listeners.first()).map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |own| own.addr)
    }

    /// A ticket for something that is answered later, which a call waits for.
    pub fn ticket(&mut self, what: &str) -> u64 {
        self.tickets = self.chance.next_after(self.tickets);
        self.journal.did(None, Some(journal::Key::Ticket(self.tickets)), || what.to_owned());
        self.tickets
    }

    /// Has something done that is no part of the call: later, by the door, so that a call that is run again has it not.
    pub fn send_on(&self, errand: Errand) {
        (self.own)(Own::Errand(errand));
    }

    /// Makes changes durable; [`Own::Stored`] with the ticket follows.
    pub fn keep(&mut self, changes: Vec<Change>) -> u64 {
        let ticket = self.ticket("keeps what was changed");
        let own = self.own.clone();
        self.store.commit(changes, Box::new(move |result| own(Own::Stored { ticket, result })));
        ticket
    }

    /// Makes edits of the configuration durable, which are built on those before; [`Own::Stored`] with the ticket follows.
    pub fn keep_edits(&mut self, changes: Vec<Change>) -> u64 {
        self.tickets = self.tickets.wrapping_add(1);
        let (ticket, own) = (self.tickets, self.own.clone());
        let done = move |result| own(Own::Stored { ticket, result });
        self.store.commit_of_chain(self.chain, changes, Box::new(done));
        ticket
    }

    /// Makes changes durable that nobody waits for.
    pub fn keep_quietly(&mut self, changes: Vec<Change>) {
        let done = |result: Result<(), state::CommitError>| {
            if let Err(error) = result {
                tracing::error!(%error, "registrations, lamps or alarms are not kept over a restart");
            }
        };
        self.store.commit(changes, Box::new(done));
    }

    /// The route whose peer sends this request.
    pub fn matched(&self, request: &Request, flow: &Flow) -> Option<u32> {
        self.matched_by(request, flow, flow.transport)
    }

    fn matched_by(&self, request: &Request, flow: &Flow, transport: Transport) -> Option<u32> {
        routes::matched(&self.configuration.routes, request, flow.remote.ip(), transport)
    }

    /// Who sends this request: a matched route, or an extension with its password. Everybody else is refused.
    pub fn source(&mut self, request: &Request, flow: &Flow, now: Now) -> Source {
        let route = self.matched(request, flow);
        if route.is_none()
            && let Some(secure) = self.matched_by(request, flow, Transport::Tls)
            && !self.takes_everybody(secure)
        {
            self.refuse(request, flow, &format!("route {secure} takes requests by TLS only"), now);
            return Source::Refused;
        }
        if let Some(route) = route.filter(|route| !self.takes_everybody(*route) || self.is_peers(request, *route)) {
            return self.peer(request, route, flow, now);
        }
        if let Some(gateway) = self.terminals.gateway_at(flow.remote.ip()).map(str::to_owned) {
            return self.member(request, &gateway, flow, now);
        }
        let claimed = request.from().and_then(|from| from.uri.number()).unwrap_or_default();
        // Who is let in by a password from anywhere is asked for the route's only if he is no phone of ours.
        let hidden = claimed.eq_ignore_ascii_case("anonymous");
        let phone = match hidden {
            true => self.chance.shared(self.registrar.knows_source(flow.remote).into()) != 0,
            false => self.configuration.extensions.contains_key(&claimed),
        };
        if let Some(route) = route.filter(|_| !phone) {
            return self.peer(request, route, flow, now);
        }
        if !hidden {
            return self.extension(request, &claimed, flow, now);
        }
        // RFC 3323 4.1: a phone that hides its number says who it is in its credentials only.
        match Credentials::for_realm(&request.headers, self.vault.realm()) {
            Some(credentials) => self.extension(request, &credentials.username, flow, now),
            None => Source::Challenge { stale: false },
        }
    }

    /// Whether a route takes requests from any address: then the address says nothing of who sends.
    fn takes_everybody(&self, route: u32) -> bool {
        let sip = self.configuration.routes.get(&route).and_then(|route| route.sip.as_ref());
        sip.is_some_and(|sip| sip.accept == Some(routes::Accept::All))
    }

    /// Whether a request brings credentials in the name of the route's peer, right or wrong.
    fn is_peers(&self, request: &Request, route: u32) -> bool {
        self.guard.peer_name(route).is_some_and(|(realm, user)| {
            Credentials::for_realm(&request.headers, realm).is_some_and(|credentials| credentials.username == *user)
        })
    }

    /// Whether a request that is a route's by its settings is let in: at once, or by the route's password.
    fn peer(&mut self, request: &Request, route: u32, flow: &Flow, now: Now) -> Source {
        let sip = self.configuration.routes.get(&route).and_then(|route| route.sip.as_ref());
        if !sip.is_some_and(|sip| sip.challenge) {
            return Source::Route(route);
        }
        let admission = self.guard.admit_peer(request, route, flow.remote.ip(), now.instant);
        match Admission::of_code(self.chance.shared(admission.code())) {
            Admission::Known => return Source::Route(route),
            Admission::Unknown { stale } => {
                if let Some(realm) = self.guard.peer_realm(route) {
                    return Source::ChallengePeer { realm, stale };
                }
            }
            Admission::Wrong | Admission::TooMany => {}
        }
        self.refuse(request, flow, &format!("not the password of route {route}"), now);
        Source::Refused
    }

    /// The challenges that a source is to be sent with a 401; `None`: it is refused or known.
    pub fn challenges(&mut self, request: &Request, source: &Source, now: Now) -> Option<Headers> {
        let mut headers = Headers::new();
        match source {
            Source::Challenge { stale } => {
                let asking = (&self.configuration, &self.vault);
                self.guard.challenge_headers(&mut headers, request, asking, *stale, now.instant);
            }
            Source::ChallengePeer { realm, stale } => {
                self.guard.peer_challenges(&mut headers, realm, *stale, now.instant);
            }
            _ => return None,
        }
        Some(headers)
    }

    /// Which of the extensions behind a gateway calls: the gateway, which is known, says so in P-Asserted-Identity or From. It
    /// speaks for its own only.
    fn member(&mut self, request: &Request, gateway: &str, flow: &Flow, now: Now) -> Source {
        let register = request.method == sip::Method::Register;
        let identity = Identity::asserted(&request.headers).filter(|_| !register);
        let claimed = match identity {
            Some(identity) => identity.address.uri.number(),
            None => request.to().and_then(|to| to.uri.number()),
        };
        match claimed {
            Some(dir) if dir == gateway || self.terminals.is_behind(&dir, gateway) => Source::Extension(dir),
            claimed => {
                let claimed = claimed.unwrap_or_default();
                self.refuse(request, flow, &format!("{claimed} is not behind gateway {gateway}"), now);
                Source::Refused
            }
        }
    }

    /// Whether the request comes from the extension that it claims.
    pub fn extension(&mut self, request: &Request, claimed: &str, flow: &Flow, now: Now) -> Source {
        // A stranger who does not even name a number is no phone of ours.
        if claimed.is_empty() || !claimed.bytes().all(|byte| byte.is_ascii_digit()) {
            self.refuse(request, flow, "neither an extension nor a matched route", now);
            return Source::Refused;
        }
        // A gateway speaks for those behind it by its own name and password.
        let behind = self.terminals.gateway_of(claimed).map(str::to_owned).filter(|gateway| {
            let credentials = Credentials::for_realm(&request.headers, self.vault.realm());
            credentials.is_some_and(|credentials| credentials.username.as_str() == gateway)
        });
        let who = behind.as_deref().unwrap_or(claimed);
        let asking = (&self.configuration, &self.vault);
        let admission = self.guard.admit(request, who, asking, flow.remote.ip(), now.instant);
        // The password is not in the journal: a call that is run again is given the verdict of then.
        match Admission::of_code(self.chance.shared(admission.code())) {
            Admission::Known if who == claimed && self.terminals.members(claimed).next().is_some() => {
                self.member(request, claimed, flow, now)
            }
            Admission::Known => Source::Extension(claimed.to_owned()),
            Admission::Unknown { stale } => Source::Challenge { stale },
            Admission::Wrong | Admission::TooMany => {
                let extension = claimed.to_owned();
                let (source, method) = (flow.remote, request.method.to_string());
                if self.tells_of(flow, now) {
                    self.emit(now, Event::AuthenticationFailed { extension, source, method });
                }
                Source::Refused
            }
        }
    }

    /// What kind of caller comes in by a route.
    pub fn origin_of(&self, route: u32) -> Origin {
        let sip = self.configuration.routes.get(&route).and_then(|route| route.sip.as_ref());
        sip.map_or(Origin::Private, |sip| sip.origin())
    }

    /// Tells that a request was refused for its source.
    pub fn refuse(&mut self, request: &Request, flow: &Flow, reason: &str, now: Now) {
        if self.tells_of(flow, now) {
            let (source, method) = (flow.remote, request.method.to_string());
            self.emit(now, Event::SourceRefused { source, method, reason: reason.to_owned() });
        }
    }

    /// Whether one more refusal of this source is told of. What others were refused is nothing that a call run again knows.
    fn tells_of(&mut self, flow: &Flow, now: Now) -> bool {
        let tells = self.refusals.tells(flow.remote.ip().to_canonical(), now.instant);
        self.chance.shared(tells.into()) != 0
    }

    /// How many calls a hunt group had before this one.
    pub fn turn_of(&mut self, group: &str) -> usize {
        let turn = self.turns.entry(group.to_owned()).or_default();
        let now = usize::try_from(self.chance.shared(*turn as u64)).unwrap_or_default();
        *turn = turn.wrapping_add(1);
        now
    }

    /// `sip:<number>@<domain>`.
    pub fn uri(&self, number: &str) -> Uri {
        Uri::sip(number, self.host.clone())
    }

    /// Whether a URI leads back to the node.
    pub fn is_own(&self, uri: &Uri) -> bool {
        if uri.host.same_as(&self.host) {
            return true;
        }
        let port = uri.port.unwrap_or(5060);
        uri.host.ip().is_some_and(|ip| self.addresses.contains(&SocketAddr::new(ip, port)))
    }

    /// The name shown for a number of the node; empty for others.
    pub fn name_of(&self, number: &str) -> String {
        self.configuration.extensions.get(number).map(|entry| entry.full_name()).unwrap_or_default()
    }
}
