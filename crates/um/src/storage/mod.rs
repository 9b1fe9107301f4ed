//! What the UM server asks of the mailbox store and of the spool's files, and what it is answered. The signalling thread
//! never waits for either: a request goes out with a ticket, and the answer comes back by the inbox.

mod real;

pub use real::{MailboxStorage, follow_changes};

use mailbox::{Counts, MailboxId, Message, MessageId};
use media::RecordingId;
use serde::{Deserialize, Serialize};
use speech::Audio;
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
    Delete(MailboxId, MessageId),
    /// Answered by `Counts`.
    Counts(MailboxId),
}

/// A message to be, and where its audio is.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    pub letter: Letter,
    /// In order.
    pub parts: Vec<RecordingId>,
    /// Found in the spool at the start: nobody has counted yet how much of it is sound.
    pub recovered: bool,
    /// The owner's name and address, for the To line.
    pub to_name: Option<String>,
    pub to_address: Option<String>,
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
}

/// What a mailbox says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Greeting {
    /// The whole greeting in the owner's voice.
    pub personal: Option<Arc<Audio>>,
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
