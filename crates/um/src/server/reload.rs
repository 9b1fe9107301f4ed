//! The configuration read anew, while calls go on: another server has changed it, or what was changed here did not become
//! durable.

use super::Server;
use crate::commands::mailbox::Mailbox;
use crate::commands::value::Limit;
use crate::configuration::Configuration;
use crate::people::PinRecord;
use event::{Event, Now};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is done again to a PIN's record after another server has changed it at the same time.
pub(super) enum Again {
    /// A wrong PIN is counted on what the other server counted.
    Failure,
    /// A new PIN is one, whatever the other server counted for the old.
    Renewed(PinRecord),
}

/// What another server was quicker with: it is done again on what is then. Filled by the store's thread.
pub(super) struct Refused<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Refused<T> {
    fn clone(&self) -> Refused<T> {
        Refused(self.0.clone())
    }
}

impl<T> Default for Refused<T> {
    fn default() -> Refused<T> {
        Refused(Arc::default())
    }
}

impl<T> Refused<T> {
    pub(super) fn push(&self, refused: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(refused);
    }

    fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Server {
    pub(super) fn reload(&mut self, now: Now) {
        // Calls keep what they were begun with; what they ask for next is of the new one.
        match Configuration::load(&self.store) {
            Ok(configuration) => {
                let before = std::mem::replace(&mut self.configuration, configuration);
                self.configuration_changed(now);
                self.cut_off(&before.cuts, false, now);
                self.lamps_of_others(&before, now);
            }
            // A newer server on the same store may write what this one does not understand: it stays as it was.
            Err(error) => self.emit(now, Event::ConfigurationUnreadable { reason: error.to_string() }),
        }
        for (key, again) in self.pins.refused.take() {
            self.change_again(&key, again, now);
        }
        for (command, reply, attempts) in self.refused.take() {
            self.run_command(command, reply, attempts, now);
        }
    }

    /// Mailboxes that are new, or have another extension.
    fn lamps_of_others(&mut self, before: &Configuration, now: Now) {
        let um = |mailbox: &Arc<Mailbox>| mailbox.um.as_ref().map(|um| (um.mailbox.clone(), um.extensions.clone()));
        let old: BTreeMap<String, _> =
            before.mailboxes.iter().map(|mailbox| (mailbox.name.clone(), um(mailbox))).collect();
        let changed: Vec<Arc<Mailbox>> = self
            .configuration
            .mailboxes
            .iter()
            .filter(|mailbox| old.get(&mailbox.name) != Some(&um(mailbox)))
            .cloned()
            .collect();
        for mailbox in changed {
            let language = self.configuration.language_of(&mailbox);
            self.sounds.prepare(&mailbox.shown_name(), language);
            if let Some(um) = &mailbox.um {
                self.lamp_changed(um.mailbox.clone(), false, now);
            }
        }
    }

    fn change_again(&mut self, key: &str, again: Again, now: Now) {
        let Some(mut record) = self.configuration.pins.get(key).cloned() else { return };
        match again {
            Again::Renewed(record) => self.keep_pin(key, record.clone(), Some(Again::Renewed(record))),
            Again::Failure => {
                record.failures = record.failures.saturating_add(1);
                let owner = self.configuration.mailboxes.get(key).cloned();
                let um = owner.as_ref().and_then(|owner| owner.um.as_ref());
                let most = um.and_then(|um| self.configuration.policy_of(um)).map(|policy| policy.max_logon_attempts);
                let locks = matches!(most, Some(Limit::Of(most)) if record.failures >= most) && !record.locked;
                record.locked |= locks;
                self.keep_pin(key, record, Some(Again::Failure));
                if let Some(owner) = owner.filter(|_| locks) {
                    self.emit(now, Event::MailboxLocked { mailbox: super::pins::store_name(&owner) });
                }
            }
        }
    }
}
