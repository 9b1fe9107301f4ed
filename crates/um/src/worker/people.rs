//! Whom a dialogue finds in the directory, and who is in a group.

use crate::commands::dial_plan::{DialByName, MatchedName};
use crate::dialogue::{Group, Hits, Match, Members, Refusal};
use crate::people::directory::Within;
use crate::server::Server;
use mailbox::MailboxId;

impl Server {
    pub(super) fn search(&mut self, within: Within<'_>, order: DialByName, keys: &str, detail: MatchedName) -> Hits {
        let found = self.directory.search(&self.configuration, within, order, keys);
        self.tell_mailboxes(&found.people);
        self.tell_groups(&found.groups);
        let people = found.people.iter().filter_map(|mailbox| {
            let detail = found.namesake(mailbox).then(|| mailbox.detail(detail)).flatten();
            Some(Match { subscriber: self.subscriber(mailbox)?, detail })
        });
        let groups = found.groups.iter();
        Hits {
            people: people.collect(),
            groups: groups
                .map(|group| Group { name: group.name.clone(), shown: group.shown_name().to_owned() })
                .collect(),
            more: self.random.shared(found.more.into()) != 0,
        }
    }

    /// Who gets what a user sends to a group.
    pub(super) fn members(&self, group: &str, from: &MailboxId) -> Members {
        let group = self.configuration.groups.get(group).ok_or(Refusal::Empty)?;
        let sender = self.configuration.by_mailbox_id(from).ok_or(Refusal::NotAllowed)?;
        let (allowed, read) = self.configuration.may_write(&sender.name, group);
        let reached = self.configuration.reached(group);
        self.tell_groups(&read);
        self.tell_groups(&reached.groups);
        self.tell_mailboxes(&reached.people);
        // May he write to it because he is in another group, who else is in that one is no part of the call.
        if self.random.shared(allowed.into()) == 0 {
            return Err(Refusal::NotAllowed);
        }
        let people: Vec<_> = reached.people.iter().filter_map(|member| self.subscriber(member)).collect();
        if people.is_empty() { Err(Refusal::Empty) } else { Ok(people) }
    }
}
