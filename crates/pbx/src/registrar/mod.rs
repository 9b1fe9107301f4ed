//! The registrar (RFC 3261 10.3): where an extension's phones are.

mod binding;

pub(crate) use binding::Binding;

use crate::configuration::{LoadError, change, load_kind};
use event::Now;
use sip::dialog::is_behind_nat;
use sip::header::{CSeq, Contact, Expires};
use sip::{Flow, Headers, Name, NameAddr, Request};
use state::{Change, Store};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const KIND: &str = "registration";
/// What a phone gets that names no expiry, in seconds (RFC 3261 10.2.1.1).
const DEFAULT_EXPIRES: u32 = 3600;
/// The shortest registration, in seconds: shorter ones are load without use.
const MIN_EXPIRES: u32 = 60;
/// The longest, in seconds: longer ones outlive the phone's address.
const MAX_EXPIRES: u32 = 7200;

/// All registrations.
#[derive(Default)]
pub(crate) struct Registrar {
    extensions: BTreeMap<String, Vec<Binding>>,
    /// How many contacts came from an address: strangers make us look, so it must not take long.
    sources: HashMap<SocketAddr, usize>,
    /// No contact expires before; looked for anew only when it comes, since phones refresh long before.
    soonest: Option<Instant>,
}

/// Why a REGISTER is refused. Nothing was changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterError {
    /// A Contact that is none, or `*` beside others or with an expiry (10.3 step 6): 400.
    Malformed,
    /// An older request than the one that made the binding (10.3 step 7): 500.
    OutOfOrder,
    /// An expiry shorter than [`MIN_EXPIRES`]: 423 with Min-Expires.
    TooBrief,
    /// A contact that calls can't be sent to (another scheme than sip): 400.
    Unreachable,
}

impl RegisterError {
    pub fn response(self, request: &Request) -> sip::Response {
        let status = match self {
            RegisterError::Malformed | RegisterError::Unreachable => 400,
            RegisterError::OutOfOrder => 500,
            RegisterError::TooBrief => 423,
        };
        let mut response = request.response(status);
        if self == RegisterError::TooBrief {
            response.headers.push(Name::MinExpires, MIN_EXPIRES.to_string());
        }
        response
    }
}

/// What a REGISTER changed, for events and the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Registered {
    /// URI and seconds.
    pub added: Vec<(String, u32)>,
    pub removed: Vec<String>,
    /// One of those that were added is no mere refresh: another phone, or one that has started anew (RFC 3261 10.2.4: a phone
    /// keeps its Call-ID for as long as it runs).
    pub begins: bool,
}

impl Registrar {
    /// Extensions that have a contact, and contacts.
    pub fn count(&self, now: Instant) -> (usize, usize) {
        let of = |list: &Vec<Binding>| list.iter().filter(|binding| binding.expires > now).count();
        let counts = self.extensions.values().map(of).filter(|count| *count > 0);
        counts.fold((0, 0), |(extensions, contacts), count| (extensions + 1, contacts + count))
    }

    /// What was registered when the node ended, as far as it has not expired since.
    pub fn load(store: &Store, now: Now) -> Result<Registrar, LoadError> {
        let stored: BTreeMap<String, Vec<binding::Stored>> = load_kind(store, KIND)?;
        let mut registrar = Registrar::default();
        for (dir, list) in stored {
            let list: Vec<Binding> = list.into_iter().filter_map(|stored| Binding::from_stored(stored, now)).collect();
            registrar.put(&dir, list);
        }
        registrar.find_soonest();
        Ok(registrar)
    }

    /// The contacts of an extension that have not expired, the preferred first (q, then the newest).
    pub fn contacts(&self, dir: &str, now: Instant) -> Vec<&Binding> {
        let list = self.extensions.get(dir).map(Vec::as_slice).unwrap_or_default();
        let mut list: Vec<&Binding> = list.iter().filter(|binding| binding.expires > now).collect();
        list.sort_by(|a, b| b.q.cmp(&a.q).then(b.refreshed.cmp(&a.refreshed)));
        list
    }

    /// Carries a REGISTER of extension `dir` out: all of it or nothing.
    pub fn register(
        &mut self,
        dir: &str,
        most: usize,
        request: &Request,
        flow: &Flow,
        now: Now,
    ) -> Result<Registered, RegisterError> {
        let (Some(call_id), Some(cseq)) = (request.call_id(), request.headers.sound::<CSeq>()) else {
            return Err(RegisterError::Malformed);
        };
        let contacts: Vec<Contact> =
            request.headers.all_typed::<Contact>().collect::<Result<_, _>>().map_err(|_| RegisterError::Malformed)?;
        let header_expires = match request.headers.typed::<Expires>() {
            Some(Ok(expires)) => Some(expires.0),
            // 10.3 step 7, 20.19: a malformed value counts as 3600.
            Some(Err(_)) => Some(DEFAULT_EXPIRES),
            None => None,
        };
        let old = self.extensions.get(dir).cloned().unwrap_or_default();
        let newer = |binding: &Binding| *binding.call_id != *call_id || cseq.seq > binding.cseq;
        if contacts.contains(&Contact::Star) {
            // 10.3 step 6: alone, and with Expires 0.
            if contacts.len() != 1 || header_expires != Some(0) {
                return Err(RegisterError::Malformed);
            }
            if !old.iter().all(newer) {
                return Err(RegisterError::OutOfOrder);
            }
            self.put(dir, Vec::new());
            let removed = old.iter().map(|binding| binding.uri.to_string()).collect();
            return Ok(Registered { removed, ..Registered::default() });
        }
        let mut list = old;
        list.retain(|binding| binding.expires > now.instant);
        let mut changed = Registered::default();
        for address in contacts.into_iter().filter_map(Contact::address) {
            // 10.3 step 7: the contact's own parameter, the header, the default.
            let asked = address.expires().or(header_expires).unwrap_or(DEFAULT_EXPIRES);
            if asked > 0 && asked < MIN_EXPIRES {
                return Err(RegisterError::TooBrief);
            }
            let known = list.iter().position(|binding| binding.uri.same_as(&address.uri));
            if let Some(index) = known {
                if !list.get(index).is_none_or(newer) {
                    return Err(RegisterError::OutOfOrder);
                }
                let old = list.remove(index);
                changed.begins |= asked > 0 && *old.call_id != *call_id;
            }
            changed.begins |= asked > 0 && known.is_none();
            if asked == 0 {
                if known.is_some() {
                    changed.removed.push(address.uri.to_string());
                }
                continue;
            }
            if address.uri.scheme != sip::Scheme::Sip {
                return Err(RegisterError::Unreachable);
            }
            let seconds = asked.min(MAX_EXPIRES);
            changed.added.push((address.uri.to_string(), seconds));
            list.push(Binding {
                q: address.q(),
                behind_nat: is_behind_nat(request, &address.uri, flow),
                uri: address.uri,
                flow: flow.clone(),
                call_id: call_id.to_string(),
                cseq: cseq.seq,
                expires: now.instant.checked_add(Duration::from_secs(seconds.into())).unwrap_or(now.instant),
                expires_unix_ms: now.unix_ms().saturating_add(u64::from(seconds).saturating_mul(1000)),
                refreshed: now.instant,
                user_agent: request.headers.get(&Name::UserAgent).map(|agent| clip(agent, 80)).unwrap_or_default(),
            });
        }
        // A phone that came back under another address: what expires first makes room.
        while list.len() > most.max(1) {
            let Some(first) = list.iter().enumerate().min_by_key(|(_, binding)| binding.refreshed).map(|(i, _)| i)
            else {
                break;
            };
            changed.removed.push(list.remove(first).uri.to_string());
        }
        self.soonest = list.iter().map(|binding| binding.expires).chain(self.soonest).min();
        self.put(dir, list);
        Ok(changed)
    }

    /// Replaces the contacts of an extension; gives the former ones.
    fn put(&mut self, dir: &str, list: Vec<Binding>) -> Vec<Binding> {
        for binding in &list {
            *self.sources.entry(binding.flow.remote).or_default() += 1;
        }
        let old = match list.is_empty() {
            true => self.extensions.remove(dir),
            false => self.extensions.insert(dir.to_owned(), list),
        };
        let old = old.unwrap_or_default();
        old.iter().for_each(|binding| self.forget_source(binding.flow.remote));
        old
    }

    fn forget_source(&mut self, source: SocketAddr) {
        if let Some(count) = self.sources.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.sources.remove(&source);
            }
        }
    }

    /// The Contact lines of a 200 (10.3 step 8).
    pub fn list(&self, dir: &str, headers: &mut Headers, now: Instant) {
        for binding in self.contacts(dir, now) {
            let mut address = NameAddr::new(binding.uri.clone());
            let left = binding.expires.saturating_duration_since(now);
            // Rounded up: a phone that reads 0 would take itself for unregistered.
            address.params.set("expires", left.as_millis().div_ceil(1000).to_string());
            headers.push_typed(&Contact::Address(address));
        }
    }

    /// When the next contact expires, or earlier.
    pub fn deadline(&self) -> Option<Instant> {
        self.soonest
    }

    fn find_soonest(&mut self) {
        self.soonest = self.extensions.values().flatten().map(|binding| binding.expires).min();
    }

    /// Takes away what has expired: extension and contact.
    pub fn expire(&mut self, now: Instant) -> Vec<(String, String)> {
        let mut gone = Vec::new();
        self.extensions.retain(|dir, list| {
            list.retain(|binding| {
                let keep = binding.expires > now;
                if !keep {
                    gone.push((dir.clone(), binding.uri.to_string(), binding.flow.remote));
                }
                keep
            });
            !list.is_empty()
        });
        self.find_soonest();
        let told = |(dir, uri, source)| {
            self.forget_source(source);
            (dir, uri)
        };
        gone.into_iter().map(told).collect()
    }

    /// A connection is closed: its contacts are reached by their addresses from now on.
    pub fn flow_closed(&mut self, flow: &Flow) {
        for binding in self.extensions.values_mut().flatten() {
            if binding.flow.connection.is_some() && binding.flow.connection == flow.connection {
                binding.flow.connection = None;
            }
        }
    }

    /// Takes all contacts of an extension away; their URIs.
    pub fn forget(&mut self, dir: &str) -> Vec<String> {
        let list = self.put(dir, Vec::new());
        list.iter().map(|binding| binding.uri.to_string()).collect()
    }

    /// Whether a phone registered from this address.
    pub fn knows_source(&self, source: SocketAddr) -> bool {
        self.sources.contains_key(&source)
    }

    /// What the journal keeps of an extension's contacts: JSON, in the order of preference. `None`: there are none.
    pub fn recorded(&self, dir: &str) -> Option<String> {
        let mut list: Vec<&Binding> = self.extensions.get(dir)?.iter().collect();
        list.sort_by_key(|binding| binding.refreshed);
        serde_json::to_string(&list.into_iter().map(Binding::to_recorded).collect::<Vec<_>>()).ok()
    }

    /// Makes an extension's contacts what the journal says.
    pub fn restore(&mut self, dir: &str, recorded: Option<&str>, now: Now) {
        let list: Vec<binding::Recorded> =
            recorded.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mut list: Vec<Binding> =
            list.into_iter().filter_map(|recorded| Binding::from_recorded(recorded, now)).collect();
        for (place, binding) in list.iter_mut().enumerate() {
            // Which was refreshed last is all that counts.
            binding.refreshed = now.instant + Duration::from_nanos(place as u64);
        }
        self.put(dir, list);
        self.find_soonest();
    }

    /// What the store keeps of an extension's contacts.
    pub fn change(&self, dir: &str) -> Change {
        let list: Option<Vec<binding::Stored>> =
            self.extensions.get(dir).map(|list| list.iter().map(Binding::to_stored).collect());
        change(KIND, dir.to_owned(), list.as_ref())
    }
}

/// The first `most` characters.
fn clip(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests;
