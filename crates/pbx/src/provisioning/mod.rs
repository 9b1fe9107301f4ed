//! The phones' configuration files: who may have which, and what stands in them. No socket is here: the web crate's
//! provisioning server hands a request in ([`Fetch`]) and is told what to answer ([`Served`]).
//!
//! A phone's own file is given to nobody but the phone. It proves itself by its token (in the path, or as the password of
//! HTTP Basic), or it is the first to fetch within a window that the administrator opened for it. Whoever can't is told the
//! same whether there is such a phone or not.

mod file;
mod limits;
mod lines;
mod mac;
mod render;

pub(crate) use file::{File, Form, model};
pub(crate) use mac::Mac;

use crate::configuration::PhoneEntry;
use crate::core::Core;
use event::{Event, Now};
use limits::{FAILURES, Limits, WINDOW};
use render::{Phone, Secrets, Site};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Characters of a strange file's name that are told in an event.
const TOLD: usize = 64;

/// What the files say that no command sets, and who may have secrets.
#[derive(Clone, Debug, Default)]
pub struct ProvisioningConfig {
    /// Name or address by which phones reach the provisioning server.
    pub host: String,
    pub http_port: Option<u16>,
    pub https_port: Option<u16>,
    /// Where phones register when this node does not answer.
    pub backup: Option<ServerAddress>,
    /// Whether phones speak TCP; else UDP.
    pub tcp: bool,
    /// `None`: the `-mwinumber` of the first route that has one.
    pub voice_mail: Option<String>,
    pub time_server: Option<String>,
    /// In Mitel's syntax; `None`: the phone's own.
    pub dial_plan: Option<String>,
    /// `PCMA`, `PCMU`, the preferred first.
    pub codecs: Vec<String>,
    /// Passwords go over plain HTTP to other machines, too.
    pub plain_secrets: bool,
    /// Phones on this machine need no proof: the lab.
    pub trusts_loopback: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    pub host: String,
    pub port: u16,
}

/// A request for a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// As it stands in the request line, without a query.
    pub path: String,
    pub source: IpAddr,
    /// Whether it came by HTTPS.
    pub secure: bool,
    /// User and password of HTTP Basic, if any.
    pub credentials: Option<(String, String)>,
}

/// Paths and passwords carry tokens: they are in no log.
impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch").field("source", &self.source).field("secure", &self.secure).finish_non_exhaustive()
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    File {
        content_type: &'static str,
        text: String,
    },
    /// There is no such file: 404.
    Unknown,
    /// A phone's file without proof: 401.
    Unproven,
    /// Too many requests, or guesses, from there: 429.
    TooMany {
        seconds: u64,
    },
}

/// Takes what is answered. Called once, on the node's thread: it must hand over and return.
pub type FetchReply = Box<dyn FnOnce(Served) + Send>;

/// The open windows, and what sources have asked.
#[derive(Default)]
pub(crate) struct Provisioning {
    config: Option<ProvisioningConfig>,
    limits: Limits,
    /// By phone. As many as an administrator opened within the last minutes.
    windows: BTreeMap<Mac, Window>,
    /// Who has just guessed once too often.
    guesser: Option<IpAddr>,
}

/// The first to fetch until then is the phone.
struct Window {
    until: Instant,
    /// Who was the first: it may fetch again, should the phone have lost what it got.
    first: Option<IpAddr>,
}

/// By what a phone proved itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Token,
    Window,
    Loopback,
}

impl Provisioning {
    pub fn configure(&mut self, config: ProvisioningConfig) {
        self.config = Some(config);
    }

    /// Lets the first that fetches the phone's file within `minutes` have its secrets.
    pub fn open_window(&mut self, mac: Mac, minutes: u32, now: Now) {
        self.windows.retain(|_, window| window.until > now.instant);
        let until = now.instant.checked_add(Duration::from_secs(u64::from(minutes) * 60)).unwrap_or(now.instant);
        self.windows.insert(mac, Window { until, first: None });
    }

    /// Who has guessed once too often, for an alarm; told once.
    pub fn take_guesser(&mut self) -> Option<IpAddr> {
        self.guesser.take()
    }

    /// Answers a request, and tells of it.
    pub fn fetch(&mut self, core: &Core, fetch: &Fetch, now: Now) -> Served {
        let Some(config) = self.config.clone() else { return Served::Unknown };
        if !self.limits.admit(fetch.source, now.instant) {
            return Served::TooMany { seconds: WINDOW.as_secs() };
        }
        let Some((token, file)) = file::read_path(&fetch.path) else {
            let name = fetch.path.rsplit('/').next().unwrap_or_default();
            let name: String = name.chars().filter(|c| c.is_ascii_graphic()).take(TOLD).collect();
            refuse(core, fetch, name, "there is no such file", now);
            return Served::Unknown;
        };
        let sip = core.addresses.first().copied();
        let Some(sip) = sip else { return Served::Unknown };
        let site = Site { config: &config, configuration: &core.configuration, domain: core.vault.realm(), sip };
        let (mac, form) = match &file {
            File::Common => return common(core, fetch, &file, site.common(), now),
            File::Model(model) => return common(core, fetch, &file, site.model(model), now),
            File::Phone(mac, form) => (mac, *form),
        };

        let entry = core.configuration.phones.get(mac.as_str());
        let entry = entry.filter(|entry| core.configuration.extensions.get(&entry.dir).is_some_and(|known| known.ip));
        // RFC 6797 is no help against a listener on the way: what is secret goes by HTTPS, or stays on this machine.
        let safe = fetch.secure || fetch.source.is_loopback() || config.plain_secrets;
        let proof = entry.and_then(|entry| self.proof(core, &config, fetch, token, mac, entry, now));
        if proof != Some(Proof::Token) && self.limits.is_blocked(fetch.source, now.instant) {
            return Served::TooMany { seconds: WINDOW.as_secs() };
        }
        let (Some(entry), Some(proof)) = (entry, proof) else {
            self.failed(core, fetch, &file, now);
            return Served::Unproven;
        };
        let secrets = if safe { open(core, mac, entry) } else { None };
        if proof == Proof::Window && secrets.is_some() {
            self.taken(mac, fetch.source);
        }
        core.emit(
            now,
            Event::ProvisioningFetched {
                source: fetch.source,
                file: file.name(),
                extension: Some(entry.dir.clone()),
                secure: fetch.secure,
                secrets: secrets.is_some(),
            },
        );
        let name = core.name_of(&entry.dir);
        let phone = Phone { mac, extension: &entry.dir, name: &name, secrets };
        let (content_type, text) = site.phone(&phone, form);
        Served::File { content_type, text }
    }

    /// By what the request proves to be the phone's own.
    #[expect(clippy::too_many_arguments, reason = "what a request brings, and what is known of the phone")]
    fn proof(
        &self,
        core: &Core,
        config: &ProvisioningConfig,
        fetch: &Fetch,
        in_path: Option<&str>,
        mac: &Mac,
        entry: &PhoneEntry,
        now: Now,
    ) -> Option<Proof> {
        let of_this_phone = |(user, password): &(String, String)| {
            Mac::parse(user).is_some_and(|user| user == *mac).then_some(password.clone())
        };
        let given = fetch.credentials.as_ref().and_then(of_this_phone);
        if let Some(token) = core.vault.reveal(&token_context(mac), &entry.token)
            && [in_path, given.as_deref()].into_iter().flatten().any(|given| same_secret(given, &token))
        {
            return Some(Proof::Token);
        }
        if config.trusts_loopback && fetch.source.is_loopback() {
            return Some(Proof::Loopback);
        }
        let window = self.windows.get(mac).filter(|window| window.until > now.instant)?;
        window.first.is_none_or(|first| first == fetch.source).then_some(Proof::Window)
    }

    fn taken(&mut self, mac: &Mac, by: IpAddr) {
        if let Some(window) = self.windows.get_mut(mac) {
            window.first = Some(by);
        }
    }

    fn failed(&mut self, core: &Core, fetch: &Fetch, file: &File, now: Now) {
        refuse(core, fetch, file.name(), "no proof that it is the phone, or no such phone", now);
        if self.limits.failed(fetch.source, now.instant) {
            let (source, failures, seconds) = (fetch.source, FAILURES, WINDOW.as_secs());
            self.guesser = Some(source);
            core.emit(now, Event::ProvisioningBlocked { source, failures, seconds });
        }
    }
}

fn common(core: &Core, fetch: &Fetch, file: &File, text: String, now: Now) -> Served {
    let (source, file, secure) = (fetch.source, file.name(), fetch.secure);
    core.emit(now, Event::ProvisioningFetched { source, file, extension: None, secure, secrets: false });
    Served::File { content_type: "text/plain; charset=utf-8", text }
}

fn refuse(core: &Core, fetch: &Fetch, file: String, reason: &str, now: Now) {
    core.emit(now, Event::ProvisioningRefused { source: fetch.source, file, reason: reason.into() });
}

/// The phone's secrets. `None` when another key file sealed them.
fn open(core: &Core, mac: &Mac, entry: &PhoneEntry) -> Option<Secrets> {
    Some(Secrets {
        password: core.vault.reveal(&password_context(mac), &entry.password)?,
        token: core.vault.reveal(&token_context(mac), &entry.token)?,
    })
}

/// The place that a phone's token is sealed for.
pub(crate) fn token_context(mac: &Mac) -> String {
    format!("phone/{mac}/token")
}

/// The place that a phone's SIP password is sealed for.
pub(crate) fn password_context(mac: &Mac) -> String {
    format!("phone/{mac}/password")
}

/// Compares without telling by the time how much is right.
fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
