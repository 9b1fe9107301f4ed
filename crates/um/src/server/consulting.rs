//! The door to mail, calendar and personal contacts ([`crate::personal_information`]): questions of dialogues go out with a
//! ticket, answers come in by the inbox. Both are in the journal; what is private in them only by its shape.

use super::Server;
use crate::dialogue::{Areas, Reply, RequestId};
use crate::personal_information::{Answer, Area, PersonalSource, Question};
use crate::storage::Ticket;
use event::Now;
use journal::Key;
use mailbox::MailboxId;

impl Server {
    /// Users' mail, calendars and contacts are there. Before the start.
    pub fn consult_by(&mut self, source: Box<dyn PersonalSource>) {
        self.personal_source = Some(source);
    }

    /// Of what a source has of a user, what policy and mailbox let him hear by telephone.
    pub(crate) fn areas(&self, owner: &MailboxId) -> Areas {
        let has = |area: Area| self.personal_source.as_ref().is_some_and(|source| source.has(owner, area));
        let bit = |area: Area, place: u32| u64::from(has(area)) << place;
        // What a source has is its doing.
        let there = self.random.shared(bit(Area::Mail, 0) | bit(Area::Calendar, 1) | bit(Area::Contacts, 2));
        let mailbox = self.configuration.by_mailbox_id(owner);
        let policy = mailbox.and_then(|mailbox| self.configuration.policy_of(mailbox.um.as_ref()?));
        let (Some(mailbox), Some(policy)) = (mailbox, policy) else { return Areas::default() };
        let settings = &mailbox.um_settings;
        Areas {
            mail: there & 1 != 0 && policy.allow_tui_access_to_email && settings.tui_access_to_email_enabled,
            calendar: there & 2 != 0 && policy.allow_tui_access_to_calendar && settings.tui_access_to_calendar_enabled,
            contacts: there & 4 != 0 && policy.allow_tui_access_to_personal_contacts,
        }
    }

    /// Whether a source has something for the server's own use: what the user may hear by telephone does not matter for who calls
    /// him and when he is free.
    pub(crate) fn is_known(&self, owner: &MailboxId, area: Area) -> bool {
        let has = self.personal_source.as_ref().is_some_and(|source| source.has(owner, area));
        self.random.shared(has.into()) != 0
    }

    /// Puts a question of a dialogue.
    pub(crate) fn consult(&mut self, call: u64, request: RequestId, owner: &MailboxId, question: Question) {
        let ticket = Ticket(self.next_number());
        self.journal.did(None, Some(Key::Ticket(ticket.0)), || format!("asks the source of {owner} {question:?}"));
        self.consulted.insert(ticket, (call, request));
        if let Some(source) = &mut self.personal_source {
            source.submit(owner, question, ticket);
        }
    }

    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer, now: Now) {
        if let Some((call, request)) = self.consulted.remove(&ticket) {
            self.reply(call, request, Reply::Consulted(Box::new(answer.tamed())), now);
        }
    }

    /// A call is over: what it still waits for is nobody's.
    pub(crate) fn forget_questions(&mut self, call: u64) {
        self.consulted.retain(|_, (of, _)| *of != call);
    }
}
