//! Mail, calendar and contacts that are lists in memory, for everybody the same.

use crate::dialogue::script::{appointment, letter};
use crate::personal_information::{Answer, Area, Busy, Contact, PersonalSource, Question};
use crate::storage::Ticket;
use mailbox::MailboxId;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Clone, Default)]
pub struct Source(Arc<Mutex<Shelf>>);

/// What the source has, and what it was asked.
#[derive(Default)]
pub struct Shelf {
    /// None: it is as if it were not there.
    pub areas: BTreeSet<Area>,
    pub contacts: Vec<Contact>,
    pub busy: Option<Busy>,
    /// It answers nothing.
    pub silent: bool,
    asked: Vec<(Ticket, Question)>,
    told: Vec<String>,
}

impl PersonalSource for Source {
    fn has(&self, _: &MailboxId, area: Area) -> bool {
        self.shelf().areas.contains(&area)
    }

    fn submit(&mut self, _: &MailboxId, question: Question, ticket: Ticket) {
        let mut shelf = self.shelf();
        shelf.told.push(format!("{question:?}"));
        shelf.asked.push((ticket, question));
    }
}

impl Source {
    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap()
    }

    pub fn has_everything(&self) {
        self.shelf().areas = [Area::Mail, Area::Calendar, Area::Contacts].into();
    }

    /// What it was asked since the last look, after the logon.
    pub fn take_asked(&self) -> Vec<String> {
        let mut told = std::mem::take(&mut self.shelf().told);
        told.retain(|question| !question.starts_with("Overview"));
        told
    }

    /// What it says to what it was asked.
    pub(super) fn answers(&self) -> Vec<(Ticket, Answer)> {
        let mut shelf = self.shelf();
        if shelf.silent {
            return Vec::new();
        }
        let asked = std::mem::take(&mut shelf.asked);
        asked.into_iter().map(|(ticket, question)| (ticket, shelf.answer(question))).collect()
    }
}

impl Shelf {
    fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Caller { number } => {
                let same = |contact: &&Contact| contact.numbers().any(|own| *own == number);
                Answer::Contacts(self.contacts.iter().filter(same).cloned().collect())
            }
            Question::Contacts { .. } => Answer::Contacts(self.contacts.clone()),
            Question::Overview { .. } => Answer::Overview { unread: 1, next: None },
            Question::Status { .. } => match self.busy {
                Some(busy) => Answer::Status { busy, working: None },
                None => Answer::Unavailable("no".into()),
            },
            Question::Mail { .. } => Answer::Mail(vec![letter("1", "Pay", "A raise of seven percent.")]),
            Question::Meetings { .. } => Answer::Meetings(vec![appointment("1", "Budget")]),
            _ => Answer::Done,
        }
    }
}
