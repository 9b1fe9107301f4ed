//! Mail, calendar and personal contacts of users (fact sheet 4.3 to 4.5): what voice access asks, and is answered. Their menus
//! are announced only where a source has something in their area.
//!
//! A source is a door like the mailbox store's: a question goes out with a ticket, the signalling thread does not wait, and
//! the answer comes in by the inbox ([`Own::Personal`](crate::Own::Personal)), where the journal sees it. So a recorded call runs
//! again without the source. How long an answer is waited for is the asker's business: one that comes late is nobody's.

use crate::people::keypad::spellings;
use crate::storage::Ticket;
use mailbox::MailboxId;
use serde::{Deserialize, Serialize};
use speech::Audio;
use std::fmt;
use std::sync::Arc;
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
pub trait PersonalSource: Send {
    /// Whether it has anything in this area for this user. Answered at once, from memory.
    fn has(&self, owner: &MailboxId, area: Area) -> bool;

    /// Every question is answered once, by [`Own::Personal`](crate::Own::Personal) with this ticket.
    fn submit(&mut self, owner: &MailboxId, question: Question, ticket: Ticket);
}

/// Names an item of mail or calendar for as long as the call lasts.
pub type ItemId = String;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Whose number is this among the owner's contacts? Step 5 of who calls (fact sheet 3.4). Answered by `Contacts`.
    Caller { number: String },
    /// Contacts whose name [is spelt so](is_spelt). At most ten are looked at. Answered by `Contacts`.
    Contacts { keys: String },
    /// What is told after the logon: unread mail, and the next meeting that begins in this time. Answered by `Overview`.
    Overview { from: SystemTime, until: SystemTime },
    /// What the calendar says of the owner then, for call answering rules. Answered by `Status`.
    Status { at: SystemTime },
    /// Unread mail, newest first; with `from` all mail of whoever has this name. Answered by `Mail`.
    Mail { from: Option<String>, most: usize },
    /// What begins within this time, in order. Answered by `Meetings`.
    Meetings { from: SystemTime, until: SystemTime },
    /// Answered by `Done`.
    Mark { item: ItemId, mark: Mark },
    /// An answer to a meeting or to the mail that invites to it: 4 and 7 of the map. Answered by `Done`.
    Attend { item: ItemId, attendance: Attendance },
    /// Tells all who attend that the owner will be late: 3 of the map. Answered by `Done`.
    Late { item: ItemId, by: Duration },
    /// Declines or cancels all meetings that touch this time: 00 77 of the map. Answered by `Done`.
    Clear { from: SystemTime, until: SystemTime },
    /// Sends this, spoken by the owner, to the sender of a mail or whoever called a meeting; `all`: and to all who got it.
    /// Answered by `Done`.
    Reply { item: ItemId, all: bool, voice: Arc<Audio> },
    /// Sends a mail or meeting on to users, with what the owner said of it. Answered by `Done`.
    Forward { item: ItemId, to: Vec<MailboxId>, voice: Arc<Audio> },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Done,
    Contacts(Vec<Contact>),
    Mail(Vec<Mail>),
    Meetings(Vec<Meeting>),
    Overview {
        unread: u32,
        next: Option<SystemTime>,
    },
    Status {
        busy: Busy,
        /// Whether the owner works at this hour; none: the calendar does not say.
        working: Option<bool>,
    },
    /// It cannot be read or done now: the caller is told.
    Unavailable(String),
}

/// Text that is somebody's own, such as a mail. Wherever it is written down, in the journal above all, only its shape is: every
/// letter is an `x`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} characters)", self.0.chars().count())
    }
}

impl Serialize for Private {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = |c: char| if c.is_alphanumeric() { 'x' } else { c };
        serializer.collect_str(&self.0.chars().map(shape).collect::<String>())
    }
}

/// Somebody in the owner's address book, or who writes to him; each number where it has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    pub mobile: Option<String>,
    pub office: Option<String>,
    pub home: Option<String>,
    pub company: Option<String>,
    /// Of mail.
    pub address: Option<String>,
}

impl Contact {
    /// Its numbers, the likeliest to be answered at work first.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &String> {
        [&self.office, &self.mobile, &self.home].into_iter().flatten()
    }
}

/// A mail, as it is read out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub item: ItemId,
    /// Without a name nobody known.
    pub from: Contact,
    pub subject: Private,
    pub received: SystemTime,
    /// Without markup.
    pub text: Private,
    /// A tag such as `sv-SE`, where the mail says.
    pub language: Option<String>,
    pub read: bool,
    pub flagged: bool,
    pub urgent: bool,
    /// The same for all mail of a conversation.
    pub conversation: Option<String>,
    /// It invites to a meeting, which begins then.
    pub invites: Option<SystemTime>,
}

/// An entry of the calendar, as it is read out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    pub item: ItemId,
    pub subject: Private,
    pub begins: SystemTime,
    pub length: Duration,
    pub all_day: bool,
    pub location: Option<Private>,
    /// Of the telephone there.
    pub location_number: Option<String>,
    pub organizer: Contact,
    /// The owner has called it himself.
    pub own: bool,
    /// What the owner has answered.
    pub answer: Option<Attendance>,
    /// Without markup.
    pub text: Private,
    pub language: Option<String>,
    /// The others.
    pub attendees: Vec<Attendee>,
}

/// Who was asked to come to a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attendee {
    pub name: String,
    pub answer: Option<Attendance>,
}

/// What can be done to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    Deleted,
    ConversationDeleted,
    Read,
    Unread,
    Flagged,
    Unflagged,
}

/// What can be answered to a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attendance {
    Accepted,
    Tentative,
    /// Of the owner's own meeting: it is cancelled.
    Declined,
}

/// How a calendar shows its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Busy {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
}

/// Whether a name, or its parts in another order, begins with these keys.
pub fn is_spelt(name: &str, keys: &str) -> bool {
    let words: Vec<&str> = name.split_whitespace().collect();
    let orders = (0..words.len()).map(|first| {
        let (before, after) = words.split_at(first);
        [after, before].concat().join(" ")
    });
    !keys.is_empty() && orders.flat_map(|order| spellings(&order)).any(|spelt| spelt.starts_with(keys))
}

// ---- what a source may be trusted with ----

/// Items that an answer has at most, and attendees of a meeting; contacts have a limit of their own.
const MOST_ITEMS: usize = 100;
const MOST_CONTACTS: usize = 10;
/// Characters of names, of other lines, and of texts.
const LONGEST_NAME: usize = 100;
const LONGEST_LINE: usize = 300;
const LONGEST_TEXT: usize = 50_000;
/// Times are told of this century and the next.
const LATEST: Duration = Duration::from_secs(6_000_000_000);
const LONGEST_MEETING: Duration = Duration::from_secs(366 * 24 * 3600);

impl Answer {
    /// The same, as far as it can be told a caller: a source may be wrong in every way.
    #[must_use]
    pub(crate) fn tamed(mut self) -> Answer {
        match &mut self {
            Answer::Contacts(contacts) => {
                contacts.retain_mut(|contact| {
                    contact.tame();
                    !contact.name.is_empty()
                });
                contacts.truncate(MOST_CONTACTS);
            }
            Answer::Mail(mails) => {
                mails.truncate(MOST_ITEMS);
                mails.iter_mut().for_each(Mail::tame);
            }
            Answer::Meetings(meetings) => {
                meetings.truncate(MOST_ITEMS);
                meetings.iter_mut().for_each(Meeting::tame);
            }
            Answer::Overview { next, .. } => *next = next.map(time),
            Answer::Unavailable(why) => line(why, LONGEST_LINE),
            Answer::Done | Answer::Status { .. } => {}
        }
        self
    }
}

impl Contact {
    fn tame(&mut self) {
        line(&mut self.name, LONGEST_NAME);
        for part in [&mut self.mobile, &mut self.office, &mut self.home, &mut self.company, &mut self.address] {
            optional(part);
        }
    }
}

impl Mail {
    fn tame(&mut self) {
        self.from.tame();
        line(&mut self.subject.0, LONGEST_LINE);
        text(&mut self.text.0);
        self.received = time(self.received);
        self.invites = self.invites.map(time);
        optional(&mut self.language);
    }
}

impl Meeting {
    fn tame(&mut self) {
        self.organizer.tame();
        line(&mut self.subject.0, LONGEST_LINE);
        if let Some(location) = &mut self.location {
            line(&mut location.0, LONGEST_LINE);
        }
        self.location.take_if(|location| location.0.is_empty());
        optional(&mut self.location_number);
        text(&mut self.text.0);
        self.begins = time(self.begins);
        self.length = self.length.min(LONGEST_MEETING);
        optional(&mut self.language);
        self.attendees.truncate(MOST_ITEMS);
        self.attendees.iter_mut().for_each(|attendee| line(&mut attendee.name, LONGEST_NAME));
    }
}

fn optional(text: &mut Option<String>) {
    if let Some(text) = text {
        line(text, LONGEST_LINE);
    }
    text.take_if(|text| text.is_empty());
}

/// One line, without what no voice can say.
fn line(text: &mut String, longest: usize) {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    *text = words.join(" ").chars().take(longest).collect();
}

fn text(text: &mut String) {
    *text = text.chars().filter(|c| *c == '\n' || !c.is_control()).take(LONGEST_TEXT).collect();
}

fn time(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LATEST);
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelt_from_any_of_its_words() {
        for keys in ["26", "2662", "266278367766", "783677662662", "7"] {
            assert!(is_spelt("Anna Svensson", keys), "{keys}");
        }
        assert!(!is_spelt("Anna Svensson", "3") && !is_spelt("Anna Svensson", "") && !is_spelt("", "2"));
        assert!(is_spelt("Östen Ek", "67836") && is_spelt("Östen Ek", "637836"));
    }

    #[test]
    fn what_is_private_is_written_down_by_its_shape_only() {
        let private = Private("Don't tell: 4711!".into());
        assert_eq!(serde_json::to_string(&private).unwrap(), r#""xxx'x xxxx: xxxx!""#);
        assert_eq!(format!("{private:?}"), "(17 characters)");
    }

    #[test]
    fn an_answer_beyond_all_measure_is_cut_to_what_can_be_told() {
        let contact = Contact { name: "A\r\n\u{7}B ".repeat(400), office: Some(" \n".into()), ..Contact::default() };
        let mail = Mail {
            item: "1".into(),
            from: contact.clone(),
            subject: Private("x\ny".into()),
            received: SystemTime::UNIX_EPOCH - Duration::from_secs(1),
            text: Private("word\u{0}\n".repeat(100_000)),
            language: None,
            read: false,
            flagged: false,
            urgent: false,
            conversation: None,
            invites: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60)),
        };
        let Answer::Mail(mails) = Answer::Mail(vec![mail; 1000]).tamed() else { panic!() };
        assert_eq!(mails.len(), 100);
        assert_eq!(mails[0].from.name.chars().count(), 100);
        assert_eq!((mails[0].from.office.as_ref(), mails[0].subject.0.as_str()), (None, "x y"));
        assert_eq!((mails[0].received, mails[0].text.0.len()), (SystemTime::UNIX_EPOCH, 50_000));
        // It can be written down.
        serde_json::to_value(Answer::Mail(mails)).unwrap();
        let Answer::Contacts(contacts) = Answer::Contacts(vec![Contact::default(), contact]).tamed() else { panic!() };
        assert_eq!(contacts.len(), 1, "whoever has no name can't be told");
    }
}
