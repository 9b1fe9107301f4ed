//! Groups of people, as users who have logged on write to them.

use super::caller::{Ask, Caller, Reply, Subscriber};
use mailbox::MailboxId;
use speech::Person;

/// A group that a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What the configuration knows it by.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) shown: String,
}

/// Why nothing can be sent to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody with voice mail is in it; or it is gone.
    Empty,
    /// Others may, this user may not.
    NotAllowed,
}

/// Who is in a group and gets what this user sends to it; each once.
pub(crate) type Members = Result<Vec<Subscriber>, Refusal>;

impl Group {
    pub(super) fn spoken(&self) -> Person {
        Person { name: Some(self.shown.clone()), ..Person::default() }
    }
}

impl Caller {
    pub(super) async fn members(&self, group: &Group, from: MailboxId) -> Members {
        match self.ask(Ask::Members { group: group.name.clone(), from }).await {
            Reply::Members(members) => members,
            _ => Err(Refusal::Empty),
        }
    }
}
