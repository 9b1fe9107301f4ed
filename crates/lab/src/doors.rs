//! The way to UM servers for what does not come by SIP: page, REST and shells. Of several on one store any can do what is
//! asked, so when one has ended another is asked.

use crate::role::Ended;
use net::InboxSender;
use std::sync::{Arc, PoisonError, RwLock};
use um::Own;
use um::commands::{Command, Reply};

/// The servers of this process that are on one store; clones are the same.
#[derive(Clone, Default)]
pub struct Doors(Arc<RwLock<Vec<Way>>>);

#[derive(Clone)]
struct Way {
    inbox: InboxSender<Own>,
    ended: Ended,
}

/// The way to one server, and from there to the others.
#[derive(Clone)]
pub(crate) struct Door {
    own: Way,
    all: Doors,
}

impl Doors {
    /// Another server, which all the others may ask from now on.
    pub(crate) fn open(&self, inbox: InboxSender<Own>, ended: Ended) -> Door {
        let own = Way { inbox, ended };
        // Nothing that runs under the lock can leave it at odds.
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(own.clone());
        Door { own, all: self.clone() }
    }

    fn first_that_runs(&self) -> Option<Way> {
        let ways = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ways.iter().find(|way| !way.ended.is()).cloned()
    }
}

impl Door {
    /// The server itself does it, or another when it has ended. When all have, its inbox is closed, which whoever asks is told.
    pub(crate) fn command(&self, command: Command, by: String, reply: Reply) {
        let other = self.all.first_that_runs().filter(|_| self.own.ended.is());
        other.as_ref().unwrap_or(&self.own).inbox.own(Own::Command { by, command, reply });
    }
}
