//! What the UM server asks of the mailbox store and of the spool's files, and what it is answered. The signalling thread
//! never waits for either: a request goes out with a ticket, and the answer comes back by the inbox.

mod preview;
mod real;

pub use real::{MailboxStorage, follow_changes};

use crate::personal_information::Private;
use mailbox::{Counts, GreetingKind, MailboxId, Message, MessageId, MessageKind, ModSeq, Turn};
use media::RecordingId;
use serde::{Deserialize, Serialize};
use speech::{Audio, Language};
use std::sync::Arc;

/// Names the question in its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Whoever stores: the real one on tokio, or a test's stand-in. Every request is answered once, by
/// [`Own::Store`](crate::Own::Store).
pub trait Storage {
    fn submit(&mut self, request: StoreRequest, ticket: Ticket);
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreRequest {
    /// Makes a mailbox; one that exists stays as it is. Answered by `Done`.
    Create(MailboxId),
    /// Removes a mailbox with all that is in it. Answered by `Done`.
    Remove(MailboxId),
    /// Makes a message of recordings in the spool; releases them once it is durable. Answered by `Delivered` or
    /// `TooQuiet`. Asked again with the same message id, it changes nothing more.
    Deliver(Box<Parcel>),
    /// The spool forgets recordings that become no message. Answered by `Done`.
    Discard(Vec<RecordingId>),
    /// Recordings of the spool, one after the other, to be heard. Answered by `Audio`.
    Replay(Vec<RecordingId>),
    /// Answered by `Greeting`.
    Greeting(MailboxId),
    /// New messages, then saved ones, each newest first. Answered by `Messages`.
    List(MailboxId),
    /// Answered by `Audio`.
    Audio(MailboxId, MessageId),
    /// Answered by `Done`.
    SetRead(MailboxId, MessageId, bool),
    /// Answered by `Done`.
    SetFlagged(MailboxId, MessageId, bool),
    /// Answered by `Done`.
    Delete(MailboxId, MessageId),
    /// Brings a deleted message back. Answered by `Done`.
    Undelete(MailboxId, MessageId),
    /// One greeting, as it was recorded. Answered by `Audio`, or `NoMessage` where there is none.
    Recorded(MailboxId, GreetingKind),
    /// Answered by `Done`.
    PutGreeting(MailboxId, GreetingKind, Arc<Audio>),
    /// Answered by `Done`.
    RemoveGreeting(MailboxId, GreetingKind),
    /// How many bytes the messages take. Answered by `Usage`.
    Usage(MailboxId),
    /// The same speech at so many percent of its pace. It takes a while, so the signalling thread does not do it itself.
    /// Answered by `Audio`.
    Stretch(Arc<Audio>, u32),
    /// A text, spoken in this language; it takes a while as well. Answered by `Audio`, or `Damaged` where it can't be spoken.
    Speak(Private, Language),
    /// Answered by `Counts`.
    Counts(MailboxId),
    /// Where several servers have one store: whose turn is it to tell the PBX; also when it was told already? Answered by
    /// `Lamp`.
    LampTurn(MailboxId, bool),
    /// The turn ends: the PBX was told this, or was not. Answered by `LampTold`.
    LampTold(MailboxId, Option<ModSeq>),
}

/// A message to be, and where its audio is.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    pub letter: Letter,
    /// In order. None for a missed call.
    pub parts: Vec<RecordingId>,
    /// There is no sound in the parts: only what is attached counts.
    pub quiet: bool,
    /// Heard by phone and page only.
    pub protected: bool,
    /// Found in the spool at the start: nobody has counted yet how much of it is sound.
    pub recovered: bool,
    /// Each gets a message of his own; the letter's mailbox comes first.
    pub to: Vec<Addressee>,
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Addressee {
    pub mailbox: MailboxId,
    /// For the To line.
    pub name: Option<String>,
    pub address: Option<String>,
    /// He may have the message as a text; what is most likely spoken in it.
    pub preview: Option<Language>,
}

/// What is known of a message besides its audio. The spool keeps it with each recording (as JSON), so that after a
/// crash the recording still becomes a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// The number of the message's first recording, in hexadecimal; the message's own for good.
    pub message: MessageId,
    pub mailbox: MailboxId,
    /// None: anonymous.
    pub from_number: Option<String>,
    pub from_name: Option<String>,
    pub from_address: Option<String>,
    pub call_id: String,
    /// When recording began, in milliseconds since 1970.
    pub received: u64,
    pub urgent: bool,
    pub private: bool,
    /// Which of the message's recordings, counted from 0.
    pub part: u32,
    #[serde(default)]
    pub kind: MessageKind,
    /// The user who sent it; none: a caller left it.
    #[serde(default)]
    pub sender: Option<MailboxId>,
    /// Whoever else gets it.
    #[serde(default)]
    pub also: Vec<MailboxId>,
    /// A message whose sound follows what was recorded: it is forwarded.
    #[serde(default)]
    pub attached: Option<(MailboxId, MessageId)>,
    /// So many milliseconds at the end of what was recorded are the exchange's tone, not the caller's.
    #[serde(default)]
    pub cut_ms: u32,
    /// The caller threw it away; kept only until the spool is told.
    pub cancelled: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreAnswer {
    Done,
    Delivered {
        duration_ms: u64,
    },
    /// Less than a second of it was sound: no message was made, and the recordings are released.
    TooQuiet,
    Audio(Arc<Audio>),
    Greeting(Greeting),
    Messages(Vec<Message>),
    Counts(Counts),
    /// Bytes.
    Usage(u64),
    Lamp(Turn),
    /// Whether the turn was still this server's.
    LampTold(bool),
}

/// What a mailbox says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Greeting {
    /// The whole greeting in the owner's voice.
    pub personal: Option<Arc<Audio>>,
    /// The same while the owner is out of office.
    pub oof: Option<Arc<Audio>>,
    /// Only the name.
    pub name: Option<Arc<Audio>>,
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// The store cannot be reached or written now: try again later.
    #[error("the mailbox store cannot be reached: {0}")]
    Unavailable(String),
    /// There is no such mailbox.
    #[error("there is no such mailbox")]
    NoMailbox,
    /// There is no such message (any more).
    #[error("there is no such message")]
    NoMessage,
    /// What was stored cannot be read back: trying again is of no use.
    #[error("the stored audio is damaged: {0}")]
    Damaged(String),
}

/// An answer to a [`StoreRequest`].
pub type StoreResult = Result<StoreAnswer, StoreFailure>;
