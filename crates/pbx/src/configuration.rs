//! The node's configuration as the call control reads it: one map a kind, kept in the store as JSON values.

use crate::few::Few;
use crate::numbers::{DestinationEntry, NumberEntry, NumberLength};
use crate::routes::Route;
use crate::services::{ExtensionProfile, Market, Meaning, ServiceCodes};
use crate::system::System;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sip::digest::Algorithm;
use state::{Change, Store};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const NUMBER: &str = "number";
pub(crate) const NUMBER_LENGTH: &str = "number_length";
pub(crate) const ROUTE: &str = "route";
pub(crate) const DESTINATION: &str = "destination";
pub(crate) const EXTENSION: &str = "extension";
pub(crate) const SYSTEM: &str = "system";
/// There is one system.
pub(crate) const THE_SYSTEM: &str = "node";
const PHONE: &str = "phone";
const PHONE_PARAMETERS: &str = "phone_parameters";
pub(crate) const HUNT_GROUP: &str = "hunt_group";
pub(crate) const PICKUP_GROUP: &str = "pickup_group";
pub(crate) const PROFILE: &str = "extension_profile";
pub(crate) const SERVICE_CODE: &str = "service_code";
/// One value only, under this key of itself: the market that the codes are of.
pub(crate) const SERVICE_MARKET: &str = "service_market";

/// Everything that commands set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Configuration {
    pub numbers: BTreeMap<String, NumberEntry>,
    /// By what the numbers begin with.
    pub number_lengths: BTreeMap<String, NumberLength>,
    pub routes: BTreeMap<u32, Route>,
    /// By code, then by order of choice.
    pub destinations: BTreeMap<String, BTreeMap<u32, DestinationEntry>>,
    pub extensions: BTreeMap<String, ExtensionEntry>,
    pub hunt_groups: BTreeMap<String, HuntGroup>,
    pub pickup_groups: BTreeMap<u32, PickupGroup>,
    /// Common service profiles, by `csp`.
    pub profiles: BTreeMap<u32, ExtensionProfile>,
    pub service_codes: ServiceCodes,
    /// By hardware address.
    pub phones: BTreeMap<String, PhoneEntry>,
    /// Lines of the phones' files, by the file's name, then by key.
    pub phone_parameters: BTreeMap<String, BTreeMap<String, String>>,
    pub system: System,
}

/// A phone that is configured by its hardware address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PhoneEntry {
    /// The extension that it registers as.
    pub dir: String,
    pub model: String,
    /// Its own SIP password, sealed with the key file. It is needed in clear: the phone fetches it at each start.
    pub password: String,
    /// What it proves itself by when it fetches its file; sealed.
    pub token: String,
}

/// An extension with all that belongs to it, so that ending it leaves nothing behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ExtensionEntry {
    pub lim: u32,
    pub csp: u32,
    pub max_terminals: u32,
    pub third_party_client: bool,
    pub customer: u32,
    pub language_code: String,
    pub free_on_second_line: u32,
    /// Whether it registers by SIP.
    pub ip: bool,
    /// The extension that stands for the gateway that it is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Where it is, when it does not register: a gateway at a fixed address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<std::net::SocketAddr>,
    /// Its keys come as tones in the audio: the node hears them and passes them on as RFC 4733.
    pub inband_dtmf: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<crate::terminals::Mobile>,
    pub name: Option<NameEntry>,
    pub auth: Option<AuthEntry>,
    pub diversion: Option<DiversionEntry>,
    pub do_not_disturb: bool,
    /// The call list in use; `None`: list 1.
    pub personal_list: Option<u32>,
    /// By list, then by position.
    pub call_lists: Few<Few<Position>>,
}

impl ExtensionEntry {
    /// First and last name as one; empty if there is none.
    pub fn full_name(&self) -> String {
        let Some(name) = &self.name else { return String::new() };
        [name.name1.as_str(), name.name2.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Which of its call lists its calls go by.
    pub fn list_in_use(&self) -> u32 {
        self.personal_list.unwrap_or(1)
    }

    /// Where all its calls go, if they go elsewhere: follow-me, which its user set, before the diversion.
    pub fn sends_all_to(&self) -> Option<&str> {
        let diversion = self.diversion.as_ref()?;
        let direct = diversion.immediate.then_some(diversion.destination.as_str());
        diversion.follow_me.as_deref().or(direct)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameEntry {
    pub name1: String,
    pub name2: String,
    pub number_type: String,
}

/// Which digest algorithms an extension's phones are asked for. HA1 of both is kept, so it can be changed at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HashType {
    /// MD5 alone: what phones from before RFC 8760 need. Some of them fail at the mere sight of another algorithm.
    #[default]
    #[serde(rename = "md5a1")]
    Md5,
    /// SHA-256 alone.
    #[serde(rename = "sha256a1")]
    Sha256,
    /// Both, SHA-256 first (RFC 8760 2.4): the phone chooses.
    #[serde(rename = "any")]
    Any,
}

impl HashType {
    pub fn parse(text: &str) -> Option<HashType> {
        [HashType::Md5, HashType::Sha256, HashType::Any].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text))
    }

    pub fn name(self) -> &'static str {
        match self {
            HashType::Md5 => "md5a1",
            HashType::Sha256 => "sha256a1",
            HashType::Any => "any",
        }
    }

    pub fn algorithms(self) -> &'static [Algorithm] {
        match self {
            HashType::Md5 => &[Algorithm::Md5],
            HashType::Sha256 => &[Algorithm::Sha256],
            HashType::Any => &[Algorithm::Sha256, Algorithm::Md5],
        }
    }
}

/// What an extension's phones authenticate with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthEntry {
    pub csp: u32,
    pub cil: String,
    pub customer: u32,
    pub hash_type: HashType,
    /// HA1 for MD5 and SHA-256, sealed with the key file.
    pub sealed: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiversionEntry {
    /// Empty: there is follow-me only.
    pub destination: String,
    pub immediate: bool,
    pub busy: bool,
    pub no_reply: bool,
    /// Where all calls go, by the user's own wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_me: Option<String>,
}

/// A number that stands for several extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HuntGroup {
    pub name: String,
    pub selection: Selection,
    /// In the order in which they are tried.
    pub members: Vec<Member>,
    /// Seconds: of each member in turn, or of all together; `None`: the node's ring time.
    pub ringing_time: Option<u32>,
    /// Where a call goes when all members are busy.
    pub overflow_busy: Option<String>,
    /// Where it goes when nobody answers, or nobody is there.
    pub overflow_no_reply: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub dir: String,
    /// Takes calls of the group.
    pub on: bool,
}

/// Who of a group rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Selection {
    /// All at once.
    #[default]
    Parallel,
    /// One after the other, always from the first on.
    Sequential,
    /// One after the other, from the one after who rang first the last time.
    Cyclic,
}

/// Extensions that may take each other's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PickupGroup {
    pub members: BTreeSet<String>,
}

/// A position of a call list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub destination: String,
    /// 0: busy tone and stop; 2 to 10: go there; 11: stop, and use the diversion.
    pub busy_position: u32,
    pub dnd_position: u32,
    /// Seconds; `None`: the node's ring time.
    pub ringing_time: Option<u32>,
    /// Three bits: internal, private network, public network.
    pub origin: String,
    pub ird_bypass: bool,
    pub one_call: bool,
    pub sms_support: bool,
    pub delay_seizure_list_number: u32,
    pub instant_messaging_support: bool,
    pub call_list_cdiv: String,
}

impl Position {
    /// As `call_list` initiates it where only the destination is given: calls of every origin go there.
    pub fn to(destination: impl Into<String>) -> Position {
        Position {
            destination: destination.into(),
            busy_position: 0,
            dnd_position: 0,
            ringing_time: None,
            origin: "111".into(),
            ird_bypass: false,
            one_call: false,
            sms_support: false,
            delay_seizure_list_number: 0,
            instant_messaging_support: false,
            call_list_cdiv: String::new(),
        }
    }
}

/// One value set (`Some`) or taken away (`None`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    Number(String, Option<NumberEntry>),
    NumberLength(String, Option<NumberLength>),
    /// Boxed, as the next but one: they are the large ones.
    Route(u32, Option<Box<Route>>),
    Destination(String, BTreeMap<u32, DestinationEntry>),
    Extension(String, Option<Box<ExtensionEntry>>),
    Phone(String, Option<Box<PhoneEntry>>),
    /// All lines of a file.
    PhoneParameters(String, BTreeMap<String, String>),
    System(Box<System>),
    HuntGroup(String, Option<HuntGroup>),
    PickupGroup(u32, Option<PickupGroup>),
    Profile(u32, Option<ExtensionProfile>),
    /// `None`: what the market says.
    ServiceCode(String, Option<Meaning>),
    ServiceMarket(Market),
}

/// A value in the store that is not what this version writes: restore a backup, or use the version that wrote it.
#[derive(Debug, thiserror::Error)]
#[error("the configuration holds a {kind} \"{key}\" that can't be read: {reason}")]
pub struct LoadError {
    pub kind: String,
    pub key: String,
    pub reason: String,
}

impl Configuration {
    pub fn load(store: &Store) -> Result<Configuration, LoadError> {
        Ok(Configuration {
            numbers: load_kind(store, NUMBER)?,
            number_lengths: load_kind(store, NUMBER_LENGTH)?,
            routes: load_numbered(store, ROUTE)?,
            destinations: load_kind(store, DESTINATION)?,
            extensions: load_kind(store, EXTENSION)?,
            phones: load_kind(store, PHONE)?,
            phone_parameters: load_kind(store, PHONE_PARAMETERS)?,
            system: load_kind(store, SYSTEM)?.remove(THE_SYSTEM).unwrap_or_default(),
            hunt_groups: load_kind(store, HUNT_GROUP)?,
            pickup_groups: load_numbered(store, PICKUP_GROUP)?,
            profiles: load_numbered(store, PROFILE)?,
            service_codes: ServiceCodes {
                market: load_kind(store, SERVICE_MARKET)?.remove(SERVICE_MARKET).unwrap_or_default(),
                changes: load_kind(store, SERVICE_CODE)?,
            },
        })
    }

    /// The edits that make this configuration the other one.
    pub fn edits_to(&self, other: Configuration) -> Vec<Edit> {
        // Without "..": what is added to the configuration is restored, too, or this does not compile.
        let Configuration {
            numbers,
            number_lengths,
            routes,
            destinations,
            extensions,
            phones,
            phone_parameters,
            hunt_groups,
            pickup_groups,
            profiles,
            service_codes,
            system,
        } = other;
        let mut edits = differences(&self.numbers, &numbers, Edit::Number);
        edits.extend(differences(&self.number_lengths, &number_lengths, Edit::NumberLength));
        edits.extend(differences(&self.routes, &routes, |key, route| Edit::Route(key, route.map(Box::new))));
        let ways = |key, ways: Option<_>| Edit::Destination(key, ways.unwrap_or_default());
        edits.extend(differences(&self.destinations, &destinations, ways));
        edits.extend(differences(&self.phones, &phones, |key, phone| Edit::Phone(key, phone.map(Box::new))));
        let lines = |key, lines: Option<_>| Edit::PhoneParameters(key, lines.unwrap_or_default());
        edits.extend(differences(&self.phone_parameters, &phone_parameters, lines));
        edits
            .extend(differences(&self.extensions, &extensions, |key, entry| Edit::Extension(key, entry.map(Box::new))));
        edits.extend(differences(&self.hunt_groups, &hunt_groups, Edit::HuntGroup));
        edits.extend(differences(&self.pickup_groups, &pickup_groups, Edit::PickupGroup));
        edits.extend(differences(&self.profiles, &profiles, Edit::Profile));
        if service_codes.market != self.service_codes.market {
            edits.push(Edit::ServiceMarket(service_codes.market));
        }
        edits.extend(differences(&self.service_codes.changes, &service_codes.changes, Edit::ServiceCode));
        if system != self.system {
            edits.push(Edit::System(Box::new(system)));
        }
        edits
    }

    /// Makes the edit here, and says what the store must keep of it.
    pub fn apply(&mut self, edit: Edit) -> Change {
        match edit {
            Edit::Number(key, value) => {
                let change = change(NUMBER, key.clone(), value.as_ref());
                put(&mut self.numbers, key, value);
                change
            }
            Edit::NumberLength(key, value) => {
                let change = change(NUMBER_LENGTH, key.clone(), value.as_ref());
                put(&mut self.number_lengths, key, value);
                change
            }
            Edit::System(system) => {
                let change =
                    change(SYSTEM, THE_SYSTEM.into(), Some(&*system).filter(|system| **system != System::default()));
                self.system = *system;
                change
            }
            Edit::Route(key, value) => {
                let change = change(ROUTE, key.to_string(), value.as_deref());
                put(&mut self.routes, key, value.map(|route| *route));
                change
            }
            Edit::Destination(key, ways) => {
                let ways = Some(ways).filter(|ways| !ways.is_empty());
                let change = change(DESTINATION, key.clone(), ways.as_ref());
                put(&mut self.destinations, key, ways);
                change
            }
            Edit::Extension(key, value) => {
                let change = change(EXTENSION, key.clone(), value.as_deref());
                put(&mut self.extensions, key, value.map(|entry| *entry));
                change
            }
            Edit::Phone(key, value) => {
                let change = change(PHONE, key.clone(), value.as_deref());
                put(&mut self.phones, key, value.map(|entry| *entry));
                change
            }
            Edit::PhoneParameters(key, lines) => {
                let lines = Some(lines).filter(|lines| !lines.is_empty());
                let change = change(PHONE_PARAMETERS, key.clone(), lines.as_ref());
                put(&mut self.phone_parameters, key, lines);
                change
            }
            Edit::HuntGroup(key, value) => {
                let change = change(HUNT_GROUP, key.clone(), value.as_ref());
                put(&mut self.hunt_groups, key, value);
                change
            }
            Edit::PickupGroup(key, value) => {
                let change = change(PICKUP_GROUP, key.to_string(), value.as_ref());
                put(&mut self.pickup_groups, key, value);
                change
            }
            Edit::Profile(key, value) => {
                let change = change(PROFILE, key.to_string(), value.as_ref());
                put(&mut self.profiles, key, value);
                change
            }
            Edit::ServiceCode(key, value) => {
                let change = change(SERVICE_CODE, key.clone(), value.as_ref());
                put(&mut self.service_codes.changes, key, value);
                change
            }
            Edit::ServiceMarket(market) => {
                self.service_codes.market = market;
                change(SERVICE_MARKET, SERVICE_MARKET.into(), Some(&market))
            }
        }
    }
}

/// The edits that make one map of another: what is only in `from` is taken away, what differs is set.
fn differences<K: Ord + Clone, V: PartialEq + Clone>(
    from: &BTreeMap<K, V>,
    to: &BTreeMap<K, V>,
    edit: impl Fn(K, Option<V>) -> Edit,
) -> Vec<Edit> {
    let gone = from.keys().filter(|key| !to.contains_key(key)).map(|key| edit(key.clone(), None));
    let set = to.iter().filter(|(key, value)| from.get(key) != Some(value));
    gone.chain(set.map(|(key, value)| edit(key.clone(), Some(value.clone())))).collect()
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// A change of the store: the value as JSON, or its removal.
pub(crate) fn change<T: Serialize>(kind: &'static str, key: String, value: Option<&T>) -> Change {
    // Plain structs with text keys always have a JSON form.
    let value = value.and_then(|value| serde_json::to_string(value).ok());
    Change { kind, key, value }
}

/// All values of a kind whose keys are numbers.
fn load_numbered<T: DeserializeOwned>(store: &Store, kind: &str) -> Result<BTreeMap<u32, T>, LoadError> {
    let numbered = |(key, value): (String, T)| match key.parse() {
        Ok(number) => Ok((number, value)),
        Err(_) => Err(LoadError { kind: kind.into(), key, reason: "its key is no number".into() }),
    };
    load_kind::<T>(store, kind)?.into_iter().map(numbered).collect()
}

/// All values of a kind.
pub(crate) fn load_kind<T: DeserializeOwned>(store: &Store, kind: &str) -> Result<BTreeMap<String, T>, LoadError> {
    let read = |key: &str, text: &str| match serde_json::from_str(text) {
        Ok(value) => Ok((key.to_owned(), value)),
        Err(error) => Err(LoadError { kind: kind.into(), key: key.into(), reason: error.to_string() }),
    };
    store.read(kind, read).into_iter().collect()
}
