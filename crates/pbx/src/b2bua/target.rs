//! Who can be rung.

use crate::core::Core;
use crate::numbers::Choice;
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

/// All telephones of an extension: the contacts that its phones registered.
pub(super) fn of_extension(core: &Core, extension: &str, waits: bool, now: Instant) -> Vec<Target> {
    let contacts = core.registrar.contacts(extension, now);
    let target = |binding: &crate::registrar::Binding| {
        Target::Contact(Contact {
            extension: extension.to_owned(),
            uri: binding.uri.clone(),
            next_hop: binding.next_hop(),
            listener: binding.flow.listener,
            waits,
        })
    };
    contacts.into_iter().map(target).collect()
}
