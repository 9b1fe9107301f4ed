//! Which phones have subscribed to whose lamp. Found by subscription and by extension: many thousands may be there.

use sip::endpoint::SubscriptionRef;
use std::collections::BTreeMap;
use std::net::SocketAddr;

#[derive(Debug, Default)]
pub(super) struct Watchers {
    extensions: BTreeMap<SubscriptionRef, String>,
    /// With the address that the SUBSCRIBE came from.
    subscriptions: BTreeMap<String, BTreeMap<SubscriptionRef, SocketAddr>>,
}

impl Watchers {
    pub fn insert(&mut self, subscription: SubscriptionRef, extension: &str, from: SocketAddr) {
        self.extensions.insert(subscription, extension.to_owned());
        self.subscriptions.entry(extension.to_owned()).or_default().insert(subscription, from);
    }

    pub fn remove(&mut self, subscription: SubscriptionRef) {
        let Some(extension) = self.extensions.remove(&subscription) else { return };
        if let Some(own) = self.subscriptions.get_mut(&extension) {
            own.remove(&subscription);
            if own.is_empty() {
                self.subscriptions.remove(&extension);
            }
        }
    }

    /// Whose lamp it is for.
    pub fn extension(&self, subscription: SubscriptionRef) -> Option<&str> {
        self.extensions.get(&subscription).map(String::as_str)
    }

    /// The subscriptions to an extension's lamp, the oldest first.
    pub fn of(&self, extension: &str) -> Vec<SubscriptionRef> {
        self.subscriptions.get(extension).into_iter().flatten().map(|(subscription, _)| *subscription).collect()
    }

    /// Whether a phone at this address has subscribed to it.
    pub fn has(&self, extension: &str, from: SocketAddr) -> bool {
        self.subscriptions.get(extension).is_some_and(|own| own.values().any(|at| *at == from))
    }
}
