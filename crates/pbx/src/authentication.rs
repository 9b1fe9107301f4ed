//! Who sends a request: an extension that knows its password. (A route's peer is known by its address: see `routes`.)

use crate::configuration::{AuthEntry, Configuration, HashType, PhoneEntry};
use crate::provisioning::{Mac, password_context};
use crate::routes::SipRouteEntry;
use serde::{Deserialize, Serialize};
use sip::Request;
use sip::digest::{Credentials, Ha1, Nonces, Verdict};
use sip::endpoint::Login;
use state::{KeyFile, KeyFileError};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Wrong passwords from one address for one extension before it has to wait.
const MOST_FAILURES: u32 = 20;
/// How long failures count.
const FAILURE_MEMORY: Duration = Duration::from_secs(60);
/// Addresses and extensions whose failures are remembered; beyond it the oldest are forgotten.
const REMEMBERED: usize = 10_000;

/// Seals what is kept of passwords: HA1 for both algorithms in the node's realm.
pub(crate) struct Vault {
    key: KeyFile,
    realm: String,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Secret {
    md5: String,
    sha256: String,
}

impl Vault {
    pub fn new(key: KeyFile, realm: &str) -> Vault {
        Vault { key, realm: realm.to_owned() }
    }

    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// What is kept of an extension's password. The password itself goes nowhere.
    pub fn hash(&self, dir: &str, password: &str) -> Ha1 {
        Ha1::new(dir, &self.realm, password)
    }

    pub fn seal(&self, dir: &str, ha1: &Ha1) -> Result<String, KeyFileError> {
        let Ha1 { md5, sha256 } = ha1.clone();
        let text = serde_json::to_vec(&Secret { md5, sha256 }).unwrap_or_default();
        self.key.seal(&text, &context(dir))
    }

    /// Seals a secret that is needed in clear again, for one place.
    pub fn hide(&self, context: &str, secret: &str) -> Result<String, KeyFileError> {
        self.key.seal(secret.as_bytes(), context)
    }

    /// What was hidden for that place; nothing if another key file sealed it.
    pub fn reveal(&self, context: &str, sealed: &str) -> Option<String> {
        String::from_utf8(self.key.open(sealed, context).ok()?).ok()
    }

    /// With what a route's peer is convinced of us, and has to convince us. `None` where the route has no password, or one
    /// that another key file sealed.
    pub fn login(&self, route: u32, sip: &SipRouteEntry) -> Option<Login> {
        let password = self.reveal(&route_context(route), sip.password.as_deref()?)?;
        let mut login = Login::new(sip.authname.as_deref()?, password);
        login.realm = sip.realm.as_deref().map(Into::into);
        Some(login)
    }

    pub fn open(&self, dir: &str, sealed: &str) -> Option<Ha1> {
        let text = self.key.open(sealed, &context(dir)).ok()?;
        let Secret { md5, sha256 } = serde_json::from_slice(&text).ok()?;
        Some(Ha1 { md5, sha256 })
    }
}

fn context(dir: &str) -> String {
    format!("extension/{dir}/ha1")
}

/// Where a route's password is kept; by it the password is sealed.
pub(crate) fn route_context(route: u32) -> String {
    format!("route/{route}/password")
}

/// What a request's credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is the extension.
    Known,
    /// No credentials for our realm, or (`stale`) right ones for an old nonce: challenge.
    Unknown { stale: bool },
    /// Wrong password, or no such extension.
    Wrong,
    /// Too many wrong passwords from there: not even looked at.
    TooMany,
}

impl Admission {
    /// As a number, for the journal.
    pub fn code(self) -> u64 {
        match self {
            Admission::Known => 0,
            Admission::Unknown { stale: false } => 1,
            Admission::Unknown { stale: true } => 2,
            Admission::Wrong => 3,
            Admission::TooMany => 4,
        }
    }

    pub fn of_code(code: u64) -> Admission {
        match code {
            0 => Admission::Known,
            1 => Admission::Unknown { stale: false },
            2 => Admission::Unknown { stale: true },
            3 => Admission::Wrong,
            _ => Admission::TooMany,
        }
    }
}

/// What a route's peer has to know.
struct PeerSecret {
    user: String,
    realm: String,
    ha1: Ha1,
}

/// Judges credentials.
pub(crate) struct Guard {
    nonces: Nonces,
    /// Secrets of extensions, each opened when its phone first asks: a start need not wait for a hundred thousand.
    opened: BTreeMap<String, Ha1>,
    /// By extension: those of its provisioned phones, each with a password of its own, by hardware address.
    phones: BTreeMap<String, Vec<(String, Ha1)>>,
    /// Of the routes whose peers are challenged: user, realm, HA1.
    peers: BTreeMap<u32, PeerSecret>,
    /// What credentials of extensions that don't exist are judged by, so that both take the same time.
    nobody: Ha1,
    failures: BTreeMap<(IpAddr, String), (u32, Instant)>,
}

impl Guard {
    pub fn new(seed: [u8; 32], now: Instant) -> Guard {
        let nobody = Ha1::new("nobody", "nowhere", "");
        Guard {
            nonces: Nonces::new(seed, now),
            opened: BTreeMap::new(),
            phones: BTreeMap::new(),
            peers: BTreeMap::new(),
            nobody,
            failures: BTreeMap::new(),
        }
    }

    /// Begins anew with another configuration.
    pub fn load(&mut self, configuration: &Configuration, vault: &Vault) {
        self.opened.clear();
        self.phones.clear();
        for (mac, entry) in &configuration.phones {
            self.admit_phone(mac, entry, vault);
        }
        self.load_peers(configuration, vault);
    }

    /// Opens the secret of one phone anew, after a command changed it or ended the phone.
    pub fn reload_phone(&mut self, mac: &str, entry: Option<&PhoneEntry>, vault: &Vault) {
        self.phones.retain(|_, phones| {
            phones.retain(|(known, _)| known != mac);
            !phones.is_empty()
        });
        if let Some(entry) = entry {
            self.admit_phone(mac, entry, vault);
        }
    }

    fn admit_phone(&mut self, mac: &str, entry: &PhoneEntry, vault: &Vault) {
        let context = Mac::parse(mac).map(|mac| password_context(&mac));
        if let Some(password) = context.and_then(|context| vault.reveal(&context, &entry.password)) {
            let ha1 = Ha1::new(&entry.dir, vault.realm(), &password);
            self.phones.entry(entry.dir.clone()).or_default().push((mac.to_owned(), ha1));
        }
    }

    /// Opens the secrets of routes anew.
    pub fn load_peers(&mut self, configuration: &Configuration, vault: &Vault) {
        let challenged = configuration.routes.iter().filter_map(|(number, route)| {
            let sip = route.sip.as_ref().filter(|sip| sip.challenge)?;
            let login = vault.login(*number, sip)?;
            let realm = sip.realm.clone().unwrap_or_else(|| vault.realm().to_owned());
            let ha1 = Ha1::new(&login.user, &realm, &login.password);
            Some((*number, PeerSecret { user: login.user.to_string(), realm, ha1 }))
        });
        self.peers = challenged.collect();
    }

    /// The realm in which a route's peer is challenged; `None` where no password can be read, and so nobody is let in.
    pub fn peer_realm(&self, route: u32) -> Option<String> {
        self.peers.get(&route).map(|peer| peer.realm.clone())
    }

    /// The realm in which a route's peer is challenged, and its user name.
    pub fn peer_name(&self, route: u32) -> Option<(&str, &str)> {
        self.peers.get(&route).map(|peer| (peer.realm.as_str(), peer.user.as_str()))
    }

    /// Whether the request comes from a route's peer.
    pub fn admit_peer(&mut self, request: &Request, route: u32, source: IpAddr, now: Instant) -> Admission {
        let Some(peer) = self.peers.get(&route) else { return Admission::Wrong };
        let Some(credentials) = Credentials::for_realm(&request.headers, &peer.realm) else {
            return Admission::Unknown { stale: false };
        };
        let place = (source, format!("route {route}"));
        if self.has_failed_too_often(&place, now) {
            return Admission::TooMany;
        }
        let Some(peer) = self.peers.get(&route) else { return Admission::Wrong };
        match self.nonces.judge(&credentials, &peer.ha1, &request.method, &request.uri, now) {
            Verdict::Accepted if credentials.username == *peer.user => {
                self.failures.remove(&place);
                Admission::Known
            }
            Verdict::Stale => Admission::Unknown { stale: true },
            _ => {
                self.note_failure(place, now);
                Admission::Wrong
            }
        }
    }

    /// A command changed the extension: what was opened of it holds no longer.
    pub fn forget(&mut self, dir: &str) {
        self.opened.remove(dir);
    }

    /// Sees to it that the extension's secret is open. One that another key file sealed stays closed: its extension can't
    /// register.
    fn open(&mut self, dir: &str, configuration: &Configuration, vault: &Vault) {
        if !self.opened.contains_key(dir)
            && let Some(auth) = auth_of(dir, configuration)
            && let Some(ha1) = vault.open(dir, &auth.sealed)
        {
            self.opened.insert(dir.to_owned(), ha1);
        }
    }

    /// Whether the request comes from extension `dir`.
    pub fn admit(
        &mut self,
        request: &Request,
        dir: &str,
        (configuration, vault): (&Configuration, &Vault),
        source: IpAddr,
        now: Instant,
    ) -> Admission {
        let Some(credentials) = Credentials::for_realm(&request.headers, vault.realm()) else {
            return Admission::Unknown { stale: false };
        };
        let place = (source, dir.to_owned());
        if self.has_failed_too_often(&place, now) {
            return Admission::TooMany;
        }
        self.open(dir, configuration, vault);
        let secret = self.opened.get(dir);
        let asked_for = hash_type(dir, configuration).algorithms().contains(&credentials.algorithm);
        let ha1 = secret.unwrap_or(&self.nobody);
        let mut verdict = self.nonces.judge(&credentials, ha1, &request.method, &request.uri, now);
        for (_, of_phone) in self.phones.get(dir).into_iter().flatten() {
            // Judging a wrong password leaves no trace: the nonce's count is taken by the right one alone.
            if verdict == Verdict::Wrong {
                verdict = self.nonces.judge(&credentials, of_phone, &request.method, &request.uri, now);
            }
        }
        let known = secret.is_some() || self.phones.contains_key(dir);
        let verdict = match verdict {
            // An algorithm that was not asked for is no way in, however right the password.
            Verdict::Accepted if !asked_for => Verdict::Wrong,
            verdict => verdict,
        };
        match verdict {
            Verdict::Accepted if known && credentials.username == *dir => {
                self.failures.remove(&place);
                Admission::Known
            }
            Verdict::Stale if known => Admission::Unknown { stale: true },
            _ => {
                self.note_failure(place, now);
                Admission::Wrong
            }
        }
    }

    fn has_failed_too_often(&mut self, place: &(IpAddr, String), now: Instant) -> bool {
        match self.failures.get(place) {
            Some((_, first)) if now.saturating_duration_since(*first) > FAILURE_MEMORY => {
                self.failures.remove(place);
                false
            }
            Some((count, _)) => *count >= MOST_FAILURES,
            None => false,
        }
    }

    fn note_failure(&mut self, place: (IpAddr, String), now: Instant) {
        if self.failures.len() >= REMEMBERED {
            self.failures.retain(|_, (_, first)| now.saturating_duration_since(*first) <= FAILURE_MEMORY);
            if self.failures.len() >= REMEMBERED {
                self.failures.clear();
            }
        }
        let entry = self.failures.entry(place).or_insert((0, now));
        entry.0 = entry.0.saturating_add(1);
    }

    /// Those that ask for the credentials of a route's peer.
    pub fn peer_challenges(&mut self, headers: &mut sip::Headers, realm: &str, stale: bool, now: Instant) {
        // Operators' equipment knows MD5 always, and may fail at the sight of another algorithm, as phones do.
        for challenge in self.nonces.challenges(realm, HashType::Md5.algorithms(), stale, false, now) {
            challenge.push_to(headers);
        }
    }

    /// The challenges of a 401 that asks for credentials of the extension that the request claims to be from.
    pub fn challenge_headers(
        &mut self,
        headers: &mut sip::Headers,
        request: &Request,
        (configuration, vault): (&Configuration, &Vault),
        stale: bool,
        now: Instant,
    ) {
        let claimed = request.from().and_then(|from| from.uri.number()).unwrap_or_default();
        let algorithms = hash_type(&claimed, configuration).algorithms();
        for challenge in self.nonces.challenges(vault.realm(), algorithms, stale, false, now) {
            challenge.push_to(headers);
        }
    }
}

/// What an extension's phones authenticate with, if it has any and they may register.
fn auth_of<'a>(dir: &str, configuration: &'a Configuration) -> Option<&'a AuthEntry> {
    configuration.extensions.get(dir).filter(|entry| entry.ip)?.auth.as_ref()
}

/// What the phones of an extension are asked for. An extension that does not exist looks like one that was set up without
/// a wish.
fn hash_type(dir: &str, configuration: &Configuration) -> HashType {
    auth_of(dir, configuration).map(|auth| auth.hash_type).unwrap_or_default()
}
