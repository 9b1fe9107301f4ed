//! Telephones of extensions that do not register for themselves: those behind a gateway, and mobile telephones.
//!
//! A *gateway* is an extension that other extensions are behind (analog, digital and DECT phones): it registers one contact
//! for all of them, or is at a fixed address. A *mobile extension* has an outside number, which is rung beside its desk
//! phones and known when it calls in. What is asked at each request is kept by what is asked for.

use crate::configuration::{Configuration, ExtensionEntry};
use crate::core::Core;
use crate::numbers::Choice;
use crate::registrar::Binding;
use crate::routes::NumberTypes;
use serde::{Deserialize, Serialize};
use sip::endpoint::NextHop;
use sip::{ListenerId, Uri};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The outside number of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mobile {
    /// The routes to it, in order of choice.
    pub routes: Vec<u32>,
    pub number: String,
    /// The number as networks show it when it calls, where that is another.
    pub shown: Option<String>,
    /// An answer sooner than so many seconds is that of an operator's voice mail.
    pub min_answer_delay: u32,
}

impl Mobile {
    pub const MIN_ANSWER_DELAY: u32 = 2;

    pub fn min_answer_delay(&self) -> Duration {
        Duration::from_secs(self.min_answer_delay.into())
    }

    /// The ways to it.
    pub fn choices(&self) -> impl Iterator<Item = Choice> {
        let choice = |route: &u32| Choice {
            route: *route,
            digits: self.number.clone(),
            types: NumberTypes::default(),
            emergency: false,
        };
        self.routes.iter().map(choice)
    }
}

/// Numbers are compared without the plus that some networks write and some don't.
fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// Where an extension can be reached.
pub(crate) struct Reach {
    pub uri: Uri,
    pub next_hop: NextHop,
    pub listener: ListenerId,
}

/// Who is found by what.
#[derive(Debug, Default)]
pub(crate) struct Terminals {
    /// Gateways at fixed addresses.
    addresses: BTreeMap<IpAddr, String>,
    /// Extensions by the gateway that they are behind.
    members: BTreeMap<String, BTreeSet<String>>,
    /// Extensions by their outside numbers.
    mobiles: BTreeMap<String, String>,
    /// By what an extension is found; only those that are found by anything.
    keys: BTreeMap<String, Keys>,
}

/// By what an extension is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Keys {
    address: Option<IpAddr>,
    gateway: Option<String>,
    mobile: Option<String>,
}

impl Keys {
    fn of(entry: &ExtensionEntry) -> Keys {
        let mobile = entry.mobile.as_ref().map(|mobile| mobile.shown.as_ref().unwrap_or(&mobile.number));
        Keys {
            address: entry.address.map(|address| address.ip()),
            gateway: entry.gateway.clone(),
            mobile: mobile.map(|number| bare(number).to_owned()),
        }
    }
}

impl Terminals {
    pub fn load(configuration: &Configuration) -> Terminals {
        let mut terminals = Terminals::default();
        for (dir, entry) in &configuration.extensions {
            terminals.change(dir, Some(entry));
        }
        terminals
    }

    /// An extension changed, or is no more. Whether the addresses of gateways changed with it.
    pub fn change(&mut self, dir: &str, entry: Option<&ExtensionEntry>) -> bool {
        let new = entry.map(Keys::of).unwrap_or_default();
        let old = self.keys.remove(dir).unwrap_or_default();
        if let Some(address) = &old.address {
            self.addresses.remove(address);
        }
        if let Some(gateway) = &old.gateway
            && let Some(members) = self.members.get_mut(gateway)
        {
            members.remove(dir);
            if members.is_empty() {
                self.members.remove(gateway);
            }
        }
        if let Some(number) = &old.mobile {
            self.mobiles.remove(number);
        }
        let moved = old.address != new.address;
        if let Some(address) = new.address {
            self.addresses.insert(address, dir.to_owned());
        }
        if let Some(gateway) = &new.gateway {
            self.members.entry(gateway.clone()).or_default().insert(dir.to_owned());
        }
        if let Some(number) = &new.mobile {
            self.mobiles.insert(number.clone(), dir.to_owned());
        }
        if new != Keys::default() {
            self.keys.insert(dir.to_owned(), new);
        }
        moved
    }

    /// The gateway that an extension is behind.
    pub fn gateway_of(&self, dir: &str) -> Option<&str> {
        self.keys.get(dir)?.gateway.as_deref()
    }

    /// The gateway at an address.
    pub fn gateway_at(&self, address: IpAddr) -> Option<&str> {
        self.addresses.get(&address.to_canonical()).map(String::as_str)
    }

    pub fn members(&self, gateway: &str) -> impl Iterator<Item = &String> {
        self.members.get(gateway).into_iter().flatten()
    }

    pub fn is_behind(&self, dir: &str, gateway: &str) -> bool {
        self.members.get(gateway).is_some_and(|members| members.contains(dir))
    }

    /// The extension whose mobile telephone calls with this number.
    pub fn mobile(&self, shown: &str) -> Option<&str> {
        self.mobiles.get(bare(shown)).map(String::as_str)
    }

    /// The addresses of gateways.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.keys().copied()
    }
}

/// Where an extension's SIP telephones are: what it registered itself; else at its gateway, by its own number.
pub(crate) fn reach(core: &Core, dir: &str, now: Instant) -> Vec<Reach> {
    let own = registered(core, dir, now);
    let Some(entry) = core.configuration.extensions.get(dir).filter(|_| own.is_empty()) else { return own };
    if let Some(address) = entry.address {
        return vec![at(core, dir, address)];
    }
    let Some(gateway) = &entry.gateway else { return own };
    if let Some(address) = core.configuration.extensions.get(gateway).and_then(|gateway| gateway.address) {
        return vec![at(core, dir, address)];
    }
    let user = Some(sip::escape(dir, sip::UriPart::User));
    let contacts = registered(core, gateway, now).into_iter();
    contacts.map(|reach| Reach { uri: Uri { user: user.clone(), ..reach.uri }, ..reach }).collect()
}

/// The contacts of an extension that were registered from this address.
pub(crate) fn registered_from(core: &Core, dir: &str, from: SocketAddr, now: Instant) -> Vec<Reach> {
    let bindings = core.registrar.contacts(dir, now).into_iter();
    bindings.filter(|binding| binding.flow.remote == from).map(reach_of).collect()
}

fn registered(core: &Core, dir: &str, now: Instant) -> Vec<Reach> {
    core.registrar.contacts(dir, now).into_iter().map(reach_of).collect()
}

fn reach_of(binding: &Binding) -> Reach {
    Reach { uri: binding.uri.clone(), next_hop: binding.next_hop(), listener: binding.flow.listener }
}

fn at(core: &Core, dir: &str, address: SocketAddr) -> Reach {
    let uri = Uri::sip(dir, address.ip().into()).with_port(address.port());
    Reach { next_hop: NextHop::Uri(uri.clone()), uri, listener: core.listener }
}
