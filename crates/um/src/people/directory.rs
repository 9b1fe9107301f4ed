//! The directory that callers search by keypad (fact sheet 4.5): who can be found by which keys.
//!
//! Unlike the product's stored keypad values, ours are made from the names as they are now, so a changed name is found at
//! once.

use super::keypad::spellings;
use crate::commands::dial_plan::DialByName;
use crate::commands::distribution_group::DistributionGroup;
use crate::commands::mailbox::{CallsFromNonUsers, Mailbox};
use crate::configuration::{Configuration, Object as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most people that one search gives; who looks for more has to type on.
pub(crate) const MOST_FOUND: usize = 9;

/// Among whom is searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within<'a> {
    /// Those of one dial plan; `None`: of all. Groups are in none.
    pub(crate) plan: Option<&'a str>,
    /// Those of one address list; `None`: everybody.
    pub(crate) list: Option<&'a str>,
    /// A user searches: for groups, too, and for whom other callers may not be led to.
    pub(crate) colleague: bool,
}

/// Who is meant by the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// At most [`MOST_FOUND`], in the order of their spelling.
    pub(crate) people: Vec<Arc<Mailbox>>,
    /// Beside them, as many as there is room for.
    pub(crate) groups: Vec<Arc<DistributionGroup>>,
    /// There are more than that.
    pub(crate) more: bool,
}

impl Found {
    /// Whether another of those found has the same name.
    pub(crate) fn namesake(&self, of: &Mailbox) -> bool {
        self.people.iter().any(|other| other.name != of.name && other.shown_name() == of.shown_name())
    }
}

/// An index of all who can be found. It is brought up to date when somebody searches after a change, so that entering a
/// hundred thousand users costs nothing here.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Dial plan, order of the name, keys, name of the mailbox.
    keys: BTreeSet<(String, DialByName, String, String)>,
    /// What the index was made from, by the mailbox's name.
    known: BTreeMap<String, (Arc<Mailbox>, String)>,
    /// The same of groups: order of the name, keys, name of the group.
    groups: BTreeSet<(DialByName, String, String)>,
    stale: bool,
}

impl Directory {
    pub(crate) fn new() -> Directory {
        Directory { stale: true, ..Directory::default() }
    }

    /// Mailboxes, policies or plans have changed.
    pub(crate) fn changed(&mut self) {
        self.stale = true;
    }

    /// Whose name in this order begins with these keys.
    pub(crate) fn search(
        &mut self,
        configuration: &Configuration,
        within: Within<'_>,
        order: DialByName,
        keys: &str,
    ) -> Found {
        self.refresh(configuration);
        let plans: Vec<String> = match within.plan {
            Some(plan) => vec![plan.to_lowercase()],
            None => configuration.dial_plans.iter().map(|plan| plan.name.to_lowercase()).collect(),
        };
        let may = |name: &str| {
            self.known.get(name).is_some_and(|(mailbox, _)| {
                let led_to = mailbox.um_settings.allow_um_calls_from_non_users == CallsFromNonUsers::SearchEnabled;
                within.lists(&mailbox.address_lists) && (within.colleague || led_to)
            })
        };
        let mut names = BTreeSet::new();
        for plan in plans {
            let first = (plan.clone(), order, keys.to_owned(), String::new());
            let hits = self
                .keys
                .range(first..)
                .take_while(|(of, by, spelt, _)| *of == plan && *by == order && spelt.starts_with(keys));
            for (_, _, spelt, name) in hits.filter(|(_, _, _, name)| may(name)) {
                // A person with two spellings is one person. One more than is given tells that there are more.
                if !names.iter().any(|(_, known)| known == name) {
                    names.insert((spelt.clone(), name.clone()));
                }
                if names.len() > MOST_FOUND {
                    break;
                }
            }
        }
        let mut found = Found { more: names.len() > MOST_FOUND, ..Found::default() };
        let people = names.iter().filter_map(|(_, name)| self.known.get(name)).map(|(mailbox, _)| mailbox.clone());
        found.people = people.take(MOST_FOUND).collect();
        if within.colleague && !found.more {
            self.add_groups(configuration, within, (order, keys), &mut found);
        }
        found
    }

    fn add_groups(
        &self,
        configuration: &Configuration,
        within: Within<'_>,
        (order, keys): (DialByName, &str),
        found: &mut Found,
    ) {
        let first = (order, keys.to_owned(), String::new());
        let hits = self.groups.range(first..).take_while(|(by, spelt, _)| *by == order && spelt.starts_with(keys));
        for group in hits.filter_map(|(_, _, name)| configuration.groups.get(name)) {
            let known = found.groups.iter().any(|other| other.name == group.name);
            if known || !within.lists(&group.address_lists) {
                continue;
            }
            if found.people.len() + found.groups.len() >= MOST_FOUND {
                found.more = true;
                return;
            }
            found.groups.push(group.clone());
        }
    }

    fn refresh(&mut self, configuration: &Configuration) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let mut gone = std::mem::take(&mut self.known);
        for mailbox in configuration.mailboxes.iter() {
            let Some(plan) = configuration.plan_of(mailbox).filter(|_| !mailbox.hidden) else { continue };
            let plan = plan.name.to_lowercase();
            match gone.remove(&mailbox.name) {
                Some((known, of)) if Arc::ptr_eq(&known, mailbox) && of == plan => {
                    self.known.insert(mailbox.name.clone(), (known, of));
                }
                old => {
                    if let Some((known, of)) = old {
                        self.forget(&known, &of);
                    }
                    self.keys.extend(entries(mailbox, &plan));
                    self.known.insert(mailbox.name.clone(), (mailbox.clone(), plan));
                }
            }
        }
        for (mailbox, plan) in gone.into_values() {
            self.forget(&mailbox, &plan);
        }
        let shown = configuration.groups.iter().filter(|group| !group.hidden);
        self.groups = shown.flat_map(|group| group_entries(group)).collect();
    }

    fn forget(&mut self, mailbox: &Mailbox, plan: &str) {
        for entry in entries(mailbox, plan) {
            self.keys.remove(&entry);
        }
    }
}

impl Within<'_> {
    /// Whether who is in these address lists is searched for.
    fn lists(&self, lists: &[String]) -> bool {
        self.list.is_none_or(|list| lists.iter().any(|own| own.eq_ignore_ascii_case(list)))
    }
}

/// All that a group is found by: its name is the same in either order.
fn group_entries(group: &DistributionGroup) -> impl Iterator<Item = (DialByName, String, String)> {
    let alias = group.alias.clone().unwrap_or_default();
    let names = [DialByName::LastFirst, DialByName::FirstLast].map(|order| (order, group.shown_name().to_owned()));
    let orders = names.into_iter().chain([(DialByName::SMTPAddress, alias)]);
    let key = group.key();
    orders.flat_map(move |(order, text)| {
        let key = key.clone();
        spellings(&text).into_iter().map(move |keys| (order, keys, key.clone()))
    })
}

/// All that a person is found by.
fn entries(mailbox: &Mailbox, plan: &str) -> Vec<(String, DialByName, String, String)> {
    let (first, last) = match (&mailbox.first_name, &mailbox.last_name) {
        (None, None) => (mailbox.shown_name(), String::new()),
        (first, last) => (first.clone().unwrap_or_default(), last.clone().unwrap_or_default()),
    };
    let address = mailbox.primary_smtp_address.as_deref().and_then(|address| address.split('@').next());
    let alias = mailbox.alias.as_deref().or(address).unwrap_or_default();
    let orders = [
        (DialByName::LastFirst, format!("{last} {first}")),
        (DialByName::FirstLast, format!("{first} {last}")),
        (DialByName::SMTPAddress, alias.to_owned()),
    ];
    let spelt =
        orders.into_iter().flat_map(|(order, text)| spellings(&text).into_iter().map(move |keys| (order, keys)));
    spelt.map(|(order, keys)| (plan.to_owned(), order, keys, mailbox.name.clone())).collect()
}
