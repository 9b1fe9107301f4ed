//! Mail, calendar and personal contacts of users (fact sheet 4.3 to 4.5): what voice access would ask, and be answered. No
//! such source is connected yet, and so none of their menus is announced.
//!
//! A source is a door like the mailbox store's: a question goes out with a ticket, the signalling thread does not wait, and
//! the answer comes in by the inbox, where the journal sees it. So a recorded call runs again without the source.

use crate::storage::Ticket;
use mailbox::MailboxId;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// What a source may have. A menu is announced only where its area is there and policy and mailbox allow it
/// (`AllowTUIAccessToEmail`, `TUIAccessToCalendarEnabled` and the like).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Area {
    Mail,
    Calendar,
    Contacts,
}

/// Whoever has personal information of users.
pub trait PersonalSource {
    /// Whether it has anything in this area for this user. Answered at once, from memory.
    fn has(&self, owner: &MailboxId, area: Area) -> bool;

    /// Every question is answered once.
    fn submit(&mut self, owner: &MailboxId, question: Question, ticket: Ticket);
}

/// Names an item of mail or calendar for as long as the call lasts.
pub type ItemId = String;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// Whose number is this among the owner's contacts? Step 5 of who calls (fact sheet 3.4). Answered by `Contacts`.
    Caller { number: String },
    /// Contacts whose name, spelt on the keypad, begins so. Answered by `Contacts`.
    Contacts { keys: String },
    /// Unread mail, newest first. Answered by `Mail`.
    Unread { most: u32 },
    /// What begins on this day, in order. Answered by `Meetings`.
    Day { begins: SystemTime },
    /// Marks of an item of mail: 7, 9 and 00 44 of the map. Answered by `Done`.
    Mark { item: ItemId, mark: Mark },
    /// An answer to a meeting: 4 and 7 of the map. Answered by `Done`.
    Attend { item: ItemId, attendance: Attendance },
    /// Tells all who attend that the owner will be late: 3 of the map. Answered by `Done`.
    Late { item: ItemId, by: Duration },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Done,
    Contacts(Vec<Contact>),
    Mail(Vec<Mail>),
    Meetings(Vec<Meeting>),
    /// It cannot be read or done now: the caller is told, and gets the main menu.
    Unavailable(String),
}

/// Somebody in the owner's address book; each number where it has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    pub mobile: Option<String>,
    pub office: Option<String>,
    pub home: Option<String>,
}

/// A mail, as it is read out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub item: ItemId,
    pub from: String,
    pub subject: String,
    pub received: SystemTime,
    /// Without markup.
    pub text: String,
}

/// An entry of the calendar, as it is read out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    pub item: ItemId,
    pub subject: String,
    pub begins: SystemTime,
    pub length: Duration,
    pub location: Option<String>,
    pub organizer: Contact,
}

/// What can be done to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    Deleted,
    Unread,
    Flagged,
}

/// What can be answered to a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attendance {
    Accepted,
    Tentative,
    /// Of the owner's own meeting: it is cancelled.
    Declined,
}
