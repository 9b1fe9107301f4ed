//! Who can be rung.

use super::call::Party;
use crate::core::Core;
use crate::numbers::Choice;
use crate::terminals::{self, Reach};
use sip::endpoint::NextHop;
use sip::{ListenerId, Uri};
use std::collections::VecDeque;
use std::time::Instant;

/// Somebody to ring. A stop of the itinerary rings all its targets side by side, and the first to answer has the call.
pub(crate) enum Target {
    Contact(Contact),
    /// An outside number, by the routes that lead to it, in order of choice.
    Outside {
        /// The extension whose telephone it is, if it is one's: that extension is in a call while this one is.
        extension: Option<String>,
        choices: VecDeque<Choice>,
    },
}

/// A contact that a phone of an extension registered.
pub(crate) struct Contact {
    pub extension: String,
    pub uri: Uri,
    pub next_hop: NextHop,
    pub listener: ListenerId,
    /// The extension is in another call: this one waits.
    pub waits: bool,
}

/// All telephones of an extension: where its phones are, and its mobile telephone, unless that is who calls. `waits`: the
/// extension is in another call.
pub(super) fn of_extension(core: &Core, extension: &str, (waits, caller): (bool, &Party), now: Instant) -> Vec<Target> {
    if core.journal.listens() {
        // Those of its gateway too, where it is behind one.
        for dir in [Some(extension), core.terminals.gateway_of(extension)].into_iter().flatten() {
            core.journal.known(crate::journal::CONTACTS, dir, core.registrar.recorded(dir));
        }
    }
    let target = |Reach { uri, next_hop, listener }| {
        Target::Contact(Contact { extension: extension.to_owned(), uri, next_hop, listener, waits })
    };
    let mut targets: Vec<Target> = terminals::reach(core, extension, now).into_iter().map(target).collect();
    let mobile = core.configuration.extensions.get(extension).and_then(|entry| entry.mobile.as_ref());
    if let Some(mobile) = mobile.filter(|_| caller.telephone_of.as_deref() != Some(extension)) {
        targets.push(Target::Outside { extension: Some(extension.to_owned()), choices: mobile.choices().collect() });
    }
    targets
}
