//! The directory that callers search by keypad (fact sheet 4.5): who can be found by which keys.
//!
//! Unlike the product's stored keypad values, ours are made from the names as they are now, so a changed name is found at
//! once.

use super::keypad::spellings;
use crate::commands::dial_plan::DialByName;
use crate::commands::mailbox::Mailbox;
use crate::configuration::Configuration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most people that one search gives; who looks for more has to type on.
pub(crate) const MOST_FOUND: usize = 9;

/// Who is meant by the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// At most [`MOST_FOUND`], in the order of their spelling.
    pub(crate) people: Vec<Arc<Mailbox>>,
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

    /// Whose name in this order begins with these keys: those of one dial plan, or all (`None`); and of one address list, or all.
    pub(crate) fn search(
        &mut self,
        configuration: &Configuration,
        (plan, list): (Option<&str>, Option<&str>),
        order: DialByName,
        keys: &str,
    ) -> Found {
        self.refresh(configuration);
        let plans: Vec<String> = match plan {
            Some(plan) => vec![plan.to_lowercase()],
            None => configuration.dial_plans.iter().map(|plan| plan.name.to_lowercase()).collect(),
        };
        let mut names = BTreeSet::new();
        for plan in plans {
            let first = (plan.clone(), order, keys.to_owned(), String::new());
            let hits = self
                .keys
                .range(first..)
                .take_while(|(of, by, spelt, _)| *of == plan && *by == order && spelt.starts_with(keys));
            let listed = |name: &str| {
                let of = |list: &str| {
                    let lists = self.known.get(name).map(|(mailbox, _)| mailbox.address_lists.as_slice());
                    lists.unwrap_or_default().iter().any(|own| own.eq_ignore_ascii_case(list))
                };
                list.is_none_or(of)
            };
            for (_, _, spelt, name) in hits.filter(|(_, _, _, name)| listed(name)) {
                // A person with two spellings is one person. One more than is given tells that there are more.
                if !names.iter().any(|(_, known)| known == name) {
                    names.insert((spelt.clone(), name.clone()));
                }
                if names.len() > MOST_FOUND {
                    break;
                }
            }
        }
        let people = names.iter().filter_map(|(_, name)| self.known.get(name)).map(|(mailbox, _)| mailbox.clone());
        Found { people: people.take(MOST_FOUND).collect(), more: names.len() > MOST_FOUND }
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
    }

    fn forget(&mut self, mailbox: &Mailbox, plan: &str) {
        for entry in entries(mailbox, plan) {
            self.keys.remove(&entry);
        }
    }
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
