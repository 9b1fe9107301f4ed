//! Everything that commands configure, in memory, by name. The state store keeps a copy of each object as JSON.

use crate::commands::CommandError;
use crate::commands::auto_attendant::AutoAttendant;
use crate::commands::call_answering_rule::Rule;
use crate::commands::dial_plan::DialPlan;
use crate::commands::distribution_group::DistributionGroup;
use crate::commands::hunt_group::HuntGroup;
use crate::commands::ip_gateway::Gateway;
use crate::commands::mailbox::{Enabled, Mailbox};
use crate::commands::mailbox_policy::MailboxPolicy;
use crate::commands::prompt::{Owner as PromptOwner, Prompt, key as prompt_key};
use crate::commands::service::{RouterSettings, ServiceSettings};
use crate::people::PinRecord;
use mailbox::MailboxId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use state::{Change, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the state could not be read for. The database is damaged, or of a newer program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored {kind} {key:?} cannot be read: {reason}")]
pub struct LoadError {
    pub kind: &'static str,
    pub key: String,
    pub reason: String,
}

/// An object that is stored under its name.
pub trait Object: Serialize + DeserializeOwned {
    /// In the store.
    const KIND: &'static str;
    /// The cmdlet's noun, for messages.
    const NOUN: &'static str;
    fn name(&self) -> &str;
    /// What it is kept by: names are alike in any case.
    fn key(&self) -> String {
        self.name().to_lowercase()
    }
}

macro_rules! objects {
    ($($type:ident $kind:literal $noun:literal;)*) => {$(
        impl Object for $type {
            const KIND: &'static str = $kind;
            const NOUN: &'static str = $noun;
            fn name(&self) -> &str {
                &self.name
            }
        }
    )*};
}

objects! {
    DialPlan "dial_plan" "UMDialPlan";
    Gateway "ip_gateway" "UMIPGateway";
    HuntGroup "hunt_group" "UMHuntGroup";
    MailboxPolicy "mailbox_policy" "UMMailboxPolicy";
    AutoAttendant "auto_attendant" "UMAutoAttendant";
    Mailbox "mailbox" "Mailbox";
    DistributionGroup "distribution_group" "DistributionGroup";
}

/// Objects by name, in any case. They are shared with the calls that they were read for.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    objects: BTreeMap<String, Arc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { objects: BTreeMap::new() }
    }
}

impl<T: Object> Table<T> {
    fn load(store: &Store) -> Result<Table<T>, LoadError> {
        let mut objects = BTreeMap::new();
        for (key, json) in store.load(T::KIND) {
            let object = read::<T>(T::KIND, &key, &json)?;
            objects.insert(key, Arc::new(object));
        }
        Ok(Table { objects })
    }

    pub fn get(&self, name: &str) -> Option<&Arc<T>> {
        self.objects.get(&name.to_lowercase())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects.values()
    }

    /// The object, or an error that names the parameter that should have named one.
    pub fn require(&self, parameter: &str, name: &str) -> Result<&Arc<T>, CommandError> {
        self.get(name).ok_or_else(|| CommandError::NotFound {
            parameter: parameter.into(),
            kind: T::NOUN.into(),
            identity: name.into(),
        })
    }

    /// One by name, or all of them.
    pub fn select(&self, identity: Option<&str>) -> Result<Vec<T>, CommandError>
    where
        T: Clone,
    {
        match identity {
            Some(name) => Ok(vec![T::clone(self.require("Identity", name)?)]),
            None => Ok(self.iter().map(|object| T::clone(object)).collect()),
        }
    }

    /// Whether a name may be written so at all.
    pub(crate) fn check_name(&self, name: &str, most: usize) -> Result<(), CommandError> {
        const EXCLUDED: &str = "\"/\\[]:;|=,+*?";
        if name.trim().is_empty() || name.trim() != name || name.chars().count() > most {
            return Err(CommandError::bad("Name", format!("write 1 to {most} characters, without blanks around them")));
        }
        match name.chars().find(|c| EXCLUDED.contains(*c) || c.is_control()) {
            Some(bad) => Err(CommandError::bad("Name", format!("leave out {bad:?}"))),
            None => Ok(()),
        }
    }

    /// Whether a new object may have this name.
    pub fn check_new(&self, name: &str) -> Result<(), CommandError> {
        self.check_name(name, 64)?;
        if self.get(name).is_some() {
            return Err(CommandError::Exists { parameter: "Name".into(), kind: T::NOUN.into(), name: name.into() });
        }
        Ok(())
    }

    pub(crate) fn put(&mut self, object: T, changes: &mut Vec<Change>) {
        let key = object.key();
        changes.push(Change::put(T::KIND, key.clone(), to_json(&object)));
        self.objects.insert(key, Arc::new(object));
    }

    pub(crate) fn remove(&mut self, name: &str, changes: &mut Vec<Change>) {
        let key = name.to_lowercase();
        self.objects.remove(&key);
        changes.push(Change::remove(T::KIND, key));
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, key: &str, json: &str) -> Result<T, LoadError> {
    serde_json::from_str(json).map_err(|error| LoadError { kind, key: key.into(), reason: error.to_string() })
}

/// What a server has one of: its own, else what there was when the store was one server's alone, else the default.
fn one<T: DeserializeOwned + Default>(store: &Store, kind: &'static str) -> Result<T, LoadError> {
    let own = store.server().and_then(|name| store.get(kind, name).map(|json| (name, json)));
    let one = own.or_else(|| store.get(kind, kind).map(|json| (kind, json)));
    one.map_or(Ok(T::default()), |(key, json)| read(kind, key, &json))
}

fn to_json<T: Serialize>(object: &T) -> String {
    // These types have string keys and no failing serialiser: there is nothing that could go wrong.
    serde_json::to_string(object).unwrap_or_default()
}

/// What refers to each other, and so comes from one place: the tables of [`Configuration`].
pub(crate) const OBJECTS: [&str; 9] = [
    DialPlan::KIND,
    Gateway::KIND,
    HuntGroup::KIND,
    MailboxPolicy::KIND,
    AutoAttendant::KIND,
    Mailbox::KIND,
    DistributionGroup::KIND,
    Rule::KIND,
    Prompt::KIND,
];
pub(crate) const SERVICE: &str = "service";
pub(crate) const PIN: &str = "pin";
/// How often the calls of a gateway have been cut off: whichever server hears of one more, cuts.
const CUTS: &str = "calls_cut_off";
pub(crate) const ROUTER: &str = "call_router";

/// The configuration of one UM server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    pub dial_plans: Table<DialPlan>,
    pub gateways: Table<Gateway>,
    pub hunt_groups: Table<HuntGroup>,
    pub policies: Table<MailboxPolicy>,
    pub attendants: Table<AutoAttendant>,
    pub mailboxes: Table<Mailbox>,
    pub groups: Table<DistributionGroup>,
    pub rules: Table<Rule>,
    pub prompts: Table<Prompt>,
    pub service: ServiceSettings,
    pub router: RouterSettings,
    /// This server's name, where several have one store.
    server: Option<String>,
    /// By the gateway's key.
    pub(crate) cuts: BTreeMap<String, u32>,
    /// By the mailbox's key.
    pub pins: BTreeMap<String, PinRecord>,
    /// Mailbox keys by extension, as (dial plan's key, extension). Made from `mailboxes`.
    extensions: BTreeMap<(String, String), String>,
    /// Mailbox keys by what the store calls them. Made from `mailboxes`.
    store_ids: BTreeMap<MailboxId, String>,
    /// The same of mailboxes that are not enabled, whose messages wait.
    kept_ids: BTreeMap<MailboxId, String>,
}

impl Configuration {
    pub fn load(store: &Store) -> Result<Configuration, LoadError> {
        store.read_anew(Configuration::read_all)
    }

    fn read_all(store: &Store) -> Result<Configuration, LoadError> {
        let mut configuration = Configuration {
            server: store.server().map(str::to_owned),
            dial_plans: Table::load(store)?,
            gateways: Table::load(store)?,
            hunt_groups: Table::load(store)?,
            policies: Table::load(store)?,
            attendants: Table::load(store)?,
            mailboxes: Table::load(store)?,
            groups: Table::load(store)?,
            rules: Table::load(store)?,
            prompts: Table::load(store)?,
            ..Configuration::default()
        };
        configuration.service = one(store, SERVICE)?;
        configuration.router = one(store, ROUTER)?;
        for (key, json) in store.load(CUTS) {
            let times = read(CUTS, &key, &json)?;
            configuration.cuts.insert(key, times);
        }
        for (key, json) in store.load(PIN) {
            let record = read(PIN, &key, &json)?;
            configuration.pins.insert(key, record);
        }
        configuration.index();
        Ok(configuration)
    }

    /// Makes the index of extensions anew, after mailboxes or policies changed.
    pub(crate) fn index(&mut self) {
        self.extensions.clear();
        self.store_ids.clear();
        self.kept_ids.clear();
        for mailbox in self.mailboxes.iter() {
            if let Some(kept) = &mailbox.kept {
                self.kept_ids.insert(kept.clone(), mailbox.name.to_lowercase());
            }
            let Some(um) = &mailbox.um else { continue };
            self.store_ids.insert(um.mailbox.clone(), mailbox.name.to_lowercase());
            let Some(policy) = self.policies.get(&um.policy) else { continue };
            for extension in &um.extensions {
                let key = (policy.dial_plan.to_lowercase(), extension.clone());
                self.extensions.insert(key, mailbox.name.to_lowercase());
            }
        }
    }

    /// What each server has of its own is kept by its name, where several have one store.
    fn own(&self, kind: &str) -> String {
        self.server.clone().unwrap_or_else(|| kind.to_owned())
    }

    pub(crate) fn put_service(&mut self, service: ServiceSettings, changes: &mut Vec<Change>) {
        changes.push(Change::put(SERVICE, self.own(SERVICE), to_json(&service)));
        self.service = service;
    }

    pub(crate) fn put_router(&mut self, router: RouterSettings, changes: &mut Vec<Change>) {
        changes.push(Change::put(ROUTER, self.own(ROUTER), to_json(&router)));
        self.router = router;
    }

    /// The calls of a gateway are cut off once more.
    pub(crate) fn put_cut(&mut self, gateway: &str, changes: &mut Vec<Change>) {
        let key = gateway.to_lowercase();
        let times = self.cuts.entry(key.clone()).or_default();
        *times = times.saturating_add(1);
        changes.push(Change::put(CUTS, key, to_json(times)));
    }

    pub(crate) fn remove_pin(&mut self, mailbox: &str, changes: &mut Vec<Change>) {
        let key = mailbox.to_lowercase();
        if self.pins.remove(&key).is_some() {
            changes.push(Change::remove(PIN, key));
        }
    }

    pub(crate) fn put_pin(&mut self, mailbox: &str, record: PinRecord, changes: &mut Vec<Change>) {
        let key = mailbox.to_lowercase();
        changes.push(Change::put(PIN, key.clone(), to_json(&record)));
        self.pins.insert(key, record);
    }

    /// The enabled mailbox with this extension in this plan.
    pub fn by_extension(&self, dial_plan: &str, extension: &str) -> Option<&Arc<Mailbox>> {
        let key = (dial_plan.to_lowercase(), extension.to_owned());
        self.mailboxes.get(self.extensions.get(&key)?)
    }

    /// The mailbox that the store knows by this id.
    pub fn by_mailbox_id(&self, id: &MailboxId) -> Option<&Arc<Mailbox>> {
        self.mailboxes.get(self.store_ids.get(id)?)
    }

    /// The key of the mailbox that the store knows by this id, also when it is not enabled now.
    pub(crate) fn store_name_owner(&self, id: &MailboxId) -> Option<&str> {
        self.store_ids.get(id).or_else(|| self.kept_ids.get(id)).map(String::as_str)
    }

    /// Refuses a filter by a dial plan that there is not.
    pub(crate) fn check_plan(&self, plan: &Option<String>) -> Result<(), CommandError> {
        plan.as_ref().map_or(Ok(()), |plan| self.dial_plans.require("UMDialPlan", plan).map(|_| ()))
    }

    /// A mailbox by name, alias, mail address, or extension in any plan.
    pub fn find_mailbox(&self, identity: &str) -> Option<&Arc<Mailbox>> {
        let alike = |value: &Option<String>| value.as_ref().is_some_and(|v| v.eq_ignore_ascii_case(identity));
        self.mailboxes
            .get(identity)
            .or_else(|| {
                let found = self.extensions.iter().find(|((_, extension), _)| extension == identity);
                found.and_then(|(_, key)| self.mailboxes.get(key))
            })
            .or_else(|| {
                self.mailboxes.iter().find(|mailbox| {
                    alike(&mailbox.alias) || alike(&mailbox.primary_smtp_address) || alike(&mailbox.user_principal_name)
                })
            })
    }

    pub fn require_mailbox(&self, identity: &str) -> Result<&Arc<Mailbox>, CommandError> {
        self.find_mailbox(identity).ok_or_else(|| CommandError::NotFound {
            parameter: "Identity".into(),
            kind: Mailbox::NOUN.into(),
            identity: identity.into(),
        })
    }

    /// A prompt of a dial plan or an attendant, by its file name.
    pub(crate) fn prompt(&self, owner: PromptOwner, name: &str, file: &str) -> Option<&Arc<Prompt>> {
        self.prompts.get(&prompt_key(owner, name, file))
    }

    /// The policy of an enabled mailbox.
    pub fn policy_of(&self, um: &Enabled) -> Option<&Arc<MailboxPolicy>> {
        self.policies.get(&um.policy)
    }

    /// What callers of a mailbox hear.
    pub fn language_of(&self, mailbox: &Mailbox) -> speech::Language {
        self.plan_of(mailbox).map(|plan| plan.language()).unwrap_or_default()
    }

    /// The dial plan of an enabled mailbox.
    pub fn plan_of(&self, mailbox: &Mailbox) -> Option<&Arc<DialPlan>> {
        self.dial_plans.get(&self.policy_of(mailbox.um.as_ref()?)?.dial_plan)
    }

    /// Every pilot number of every hunt group and auto attendant: none of them is a person.
    pub fn is_pilot(&self, number: &str) -> bool {
        self.hunt_groups.iter().any(|group| group.pilot.as_deref().is_some_and(|pilot| pilot_is(pilot, number)))
            || self
                .attendants
                .iter()
                .any(|attendant| attendant.pilot_identifier_list.iter().any(|pilot| pilot_is(pilot, number)))
    }
}

/// Whether a pilot, as configured (digits, `+` and digits, or a SIP URI), is this user part.
pub fn pilot_is(pilot: &str, number: &str) -> bool {
    let pilot = pilot_number(pilot);
    pilot.eq_ignore_ascii_case(number) || pilot.trim_start_matches('+') == number.trim_start_matches('+')
}

/// The user part of a pilot that may be a URI.
pub fn pilot_number(pilot: &str) -> &str {
    let pilot = pilot.strip_prefix("sip:").or_else(|| pilot.strip_prefix("tel:")).unwrap_or(pilot);
    pilot.split(['@', ';']).next().unwrap_or(pilot)
}

impl Mailbox {
    /// The name that people see: the display name, else first and last name, else the mailbox's own.
    pub fn shown_name(&self) -> String {
        if let Some(name) = &self.display_name {
            return name.clone();
        }
        let parts: Vec<&str> =
            [&self.first_name, &self.last_name].into_iter().filter_map(|part| part.as_deref()).collect();
        if parts.is_empty() { self.name.clone() } else { parts.join(" ") }
    }

    /// The extension that the lamp is sent for.
    pub fn primary_extension(&self) -> Option<&str> {
        self.um.as_ref()?.extensions.first().map(String::as_str)
    }
}
