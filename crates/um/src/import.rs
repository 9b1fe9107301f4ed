//! The configuration of a server that was alone is copied into a store that several servers share.

use crate::configuration::{Configuration, LoadError, OBJECTS, PIN, ROUTER, SERVICE};
use crate::server::MISSED;
use state::{Change, CommitError, Store};
use std::collections::BTreeMap;

/// Why a configuration is not copied. Nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// What is to be copied is damaged.
    #[error(transparent)]
    Unreadable(#[from] LoadError),
    /// The store has what the folder has not: it is of another system.
    #[error("there is {kind} {key:?} already, which is not in this folder: copy into a database of its own")]
    Other { kind: &'static str, key: String },
    /// It was changed on one side since, or is another's.
    #[error(
        "there is {kind} {key:?} already, and differs: it was changed there since it was copied, or is another system's"
    )]
    Differs { kind: &'static str, key: String },
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What is to be copied.
#[derive(Debug)]
pub struct Import {
    changes: Vec<Change>,
    /// What is there already.
    pub present: usize,
}

impl Import {
    /// Looks through both. `to` is the store as the server that the folder is of will use it; `more` are kinds of values that
    /// others than the server keep in its store.
    ///
    /// # Errors
    /// [`ImportError`]: it can't be copied there.
    pub fn prepare(from: &Store, to: &Store, more: &[&'static str]) -> Result<Import, ImportError> {
        Configuration::load(from)?;
        let mut import = Import { changes: Vec::new(), present: 0 };
        for kind in OBJECTS {
            let ours: BTreeMap<String, String> = from.load(kind).into_iter().collect();
            for (key, theirs) in to.load(kind) {
                match ours.get(&key) {
                    None => return Err(ImportError::Other { kind, key }),
                    Some(ours) if !alike(ours, &theirs) => return Err(ImportError::Differs { kind, key }),
                    Some(_) => {}
                }
            }
            ours.into_iter().for_each(|(key, value)| import.put(to, kind, key, value));
        }
        // Counted and changed by callers all the time: what is there is newer.
        for kind in [PIN, MISSED].iter().chain(more).copied() {
            from.load(kind).into_iter().for_each(|(key, value)| import.put(to, kind, key, value));
        }
        for kind in [SERVICE, ROUTER] {
            if let (Some(value), Some(server)) = (from.get(kind, kind), to.server()) {
                import.put(to, kind, server.to_owned(), value);
            }
        }
        Ok(import)
    }

    fn put(&mut self, to: &Store, kind: &'static str, key: String, value: String) {
        match to.get(kind, &key) {
            Some(_) => self.present += 1,
            None => self.changes.push(Change::put(kind, key, value)),
        }
    }

    /// All of it or nothing, durable. Waits for the store. Returns how much was copied.
    ///
    /// # Errors
    /// [`ImportError::Commit`].
    pub fn commit(self, to: &Store) -> Result<usize, ImportError> {
        let count = self.changes.len();
        to.commit_now(self.changes)?;
        Ok(count)
    }
}

/// The same value, in whatever order it was written.
fn alike(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || read(one).is_some_and(|one| read(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(values: &[(&'static str, &str, &str)]) -> Store {
        let store = Store::memory();
        store.commit_now(values.iter().map(|(kind, key, value)| Change::put(kind, *key, *value)).collect()).unwrap();
        store
    }

    const GATEWAY: (&str, &str, &str) = ("ip_gateway", "mx-one", r#"{"Name":"MX-ONE","Address":"192.168.222.10"}"#);

    #[test]
    fn a_configuration_is_copied_once_and_what_was_the_servers_own_stays_its_own() {
        let from = store(&[GATEWAY, ("service", "service", r#"{"ActiveWorker":2}"#), ("web_token", "ab", "{}")]);
        let to = Store::memory().member("um1");
        let import = Import::prepare(&from, &to, &["web_token"]).unwrap();
        assert_eq!((import.present, import.commit(&to)), (0, Ok(3)));
        assert_eq!(to.load("service"), [("um1".to_owned(), r#"{"ActiveWorker":2}"#.to_owned())]);
        let again = Import::prepare(&from, &to, &["web_token"]).unwrap();
        assert_eq!((again.present, again.commit(&to)), (3, Ok(0)));
    }

    #[test]
    fn a_store_of_another_system_is_left_alone() {
        let other = store(&[("ip_gateway", "sbc", r#"{"Name":"SBC","Address":"192.168.222.11"}"#)]);
        let refused = Import::prepare(&store(&[GATEWAY]), &other, &[]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "there is ip_gateway \"sbc\" already, which is not in this folder: copy into a database of its own"
        );
        let changed = store(&[("ip_gateway", "mx-one", r#"{"Name":"MX-ONE","Address":"192.168.222.20"}"#)]);
        let refused = Import::prepare(&store(&[GATEWAY]), &changed, &[]).unwrap_err();
        assert_eq!(refused, ImportError::Differs { kind: "ip_gateway", key: "mx-one".into() });
    }
}
